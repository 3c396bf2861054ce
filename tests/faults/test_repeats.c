/* SPDX-License-Identifier: MIT */
/* test_repeats.c - a create, killed before its folder was flushed, is repeated: once it is told, no power cut takes it back. */
#include <sys/wait.h>

#include "../unit/sqlite_kit.h"
#include "disk.h"

enum { CUTS = 20, GOOD = DISK_CUT_EXIT };

struct system {
    const char *plugin, *setting, *place; /* place: below the test's folder */
    const char *object;
};

static int open_system(struct kit *k, const struct system *y)
{
    struct sl_value settings[2] = {value_string(y->setting, kit_path(k, y->place)), value_string("key", "id")};
    return kit_open_in(k, y->plugin, settings, strcmp(y->plugin, "csv") == 0 ? 2 : 1, NULL);
}

/* Both attempts, then the power is cut. */
static int attempt_twice(struct kit *k, const struct system *y, const char *spare, uint64_t seed)
{
    struct sl_value title = value_string("title", "T");
    struct sl_write w = kit_make(k, SL_CREATE, "a", &title, 1);
    disk_begin(
        &(struct disk_plan){.roots = {k->folder}, .n_roots = 1, .spare = spare, .folders_lie = true, .seed = seed});
    if (open_system(k, y) != SL_OK || kit_do(k, y->object, w).result != SL_APPLIED)
        return 1;
    disk_trust_folders();
    w.flags = SL_WRITE_REPEAT;
    struct write_outcome o = kit_do(k, y->object, w);
    if (o.result != SL_APPLIED && o.error_class != SL_EXISTS)
        return 2;
    disk_cut();
}

static void survives(const struct system *y, uint64_t seed)
{
    int status = 0;
    char spare[] = "/tmp/syncline-spare-XXXXXX", command[64];
    struct kit *k = kit_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(spare));
    kit_mkdir(k, "x");
    kit_put(k, "x/items.csv", "id,title\n");
    sql(k, "CREATE TABLE items (id TEXT PRIMARY KEY NOT NULL, title TEXT)");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(attempt_twice(k, y, spare, seed));
    waitpid(pid, &status, 0);
    CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == GOOD);
    CU_ASSERT_EQUAL(open_system(k, y), SL_OK);
    CU_ASSERT_EQUAL(kit_get(k, y->object, "a").kind, SL_ITEM_RECORD);
    kit_close(k);
    snprintf(command, sizeof(command), "rm -rf %s", spare);
    CU_ASSERT_EQUAL(system(command), 0);
}

static void each_cut(const struct system *y)
{
    for (uint64_t seed = 1; seed <= CUTS; seed++)
        survives(y, seed);
}

static void jsondir(void)
{
    each_cut(&(struct system){"jsondir", "root", "x", "."});
}

static void csv(void)
{
    each_cut(&(struct system){"csv", "root", "x", "items"});
}

static void sqlite(void)
{
    each_cut(&(struct system){"sqlite", "file", "my.db", "items"});
}

static const struct check tests[] = {
    {"I18: jsondir: a repeated create is told when its name is durable", jsondir},
    {"I18: csv likewise", csv},
    {"I18: sqlite likewise", sqlite},
};

CHECK_MAIN("repeats after a kill", tests)
