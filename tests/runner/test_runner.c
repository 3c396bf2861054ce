/* SPDX-License-Identifier: MIT */
/* test_runner.c - connectors in runners: those that are well do as in this process, hostile ones are named and contained. */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>

#include "../abi/built.h"
#include "../unit/check.h"
#include "plugin/session.h"
#include "record/record.h"
#include "record/value.h"
#include "runner/runner.h"
#include "runner/sandbox.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1 /* its shadow takes more than any limit of memory, and a crash ends in its report and exit code 1 */
#else
#define SANITIZED 0
#endif

/* One session of a connector in a runner. */
struct apart {
    struct plugin_lib *lib;
    struct session *s;
    struct arena a;
    struct err e;
    struct page_end end;
    uint64_t n_items;
    uint64_t stop_after; /* 0: never */
    char first[64];
};

static int take(void *self, const struct sl_item *item)
{
    struct apart *t = self;
    if (t->n_items++ == 0)
        snprintf(t->first, sizeof t->first, "%s", item->id);
    return t->stop_after && t->n_items >= t->stop_after;
}

static const char *binary(const char *name)
{
    static char path[300];
    const char *where = getenv("BUILD");
    snprintf(path, sizeof path, "%s/%s", where ? where : "build", name);
    return path;
}

static struct apart *load(const char *file, const struct runner_limits *limits)
{
    struct apart *t = mem_alloc(sizeof *t);
    runner_load(file, limits, &t->lib, &t->e);
    return t;
}

static void done(struct apart *t)
{
    session_close(t->s);
    plugin_unload(t->lib);
    arena_fini(&t->a);
    mem_free(t);
}

/* Built beside its place and moved there: the linker of a runner never sees half a file. */
static const char *hostile(const char *name, const char *flags)
{
    char command[700], file[100];
    const char *cc = getenv("CC");
    snprintf(
        command, sizeof command,
        "%s -std=c11 -D_GNU_SOURCE -O1 -Wall -Wextra -fPIC -fvisibility=hidden -shared -Isdk/include %s -o '%s/new' "
        "tests/runner/%s.c && mv '%s/new' '%s/%s.so'",
        cc ? cc : "cc", flags, folder, name, folder, folder, name);
    if (system(command) != 0)
        CU_FAIL_FATAL("a hostile connector does not build");
    snprintf(file, sizeof file, "%s.so", name);
    return in_folder(file);
}

/* Of no settings, named bad. */
static struct apart *open_hostile(const char *name)
{
    struct apart *t = load(hostile(name, ""), &(struct runner_limits){.silence_ms = 1500, .memory_bytes = 256 << 20});
    if (!t->lib)
        printf("\n%s\n", t->e.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t->lib);
    CU_ASSERT_EQUAL(session_open(plugin_table(t->lib), "bad", NULL, 0, NULL, &t->s, &t->e), SL_OK);
    return t;
}

static int pull(struct apart *t, const char *object)
{
    struct sl_pull pull = {.size = sizeof pull, .object = object};
    t->n_items = 0;
    err_clear(&t->e);
    return session_pull(t->s, &pull, (struct session_sink){t, take}, &t->a, &t->end, &t->e);
}

static bool says(const char *text, const char *part)
{
    if (strstr(text, part))
        return true;
    printf("\n  \"%s\" does not say \"%s\"\n", text, part);
    return false;
}

/* --- what is well --- */

static struct apart *open_jsondir(const char *root)
{
    struct apart *t = load(binary("plugins/jsondir.so"), &(struct runner_limits){0});
    struct sl_value given = value_string("root", root);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t->lib);
    CU_ASSERT_EQUAL_FATAL(session_open(plugin_table(t->lib), "desk", &given, 1, NULL, &t->s, &t->e), SL_OK);
    return t;
}

/* A folder of n records in the object o. */
static const char *some_records(const char *name, int n)
{
    const char *root = in_folder(name);
    char path[300], file[64];
    mkdir(root, 0755);
    snprintf(path, sizeof path, "%s/o", root);
    mkdir(path, 0755);
    for (int i = 0; i < n; i++) {
        snprintf(file, sizeof file, "%s/o/%05d.json", name, i);
        put_file(file, "{\"n\": 1.50}", 11, 0644);
    }
    return in_folder(name);
}

static void the_table_is_the_same(void)
{
    struct plugin_lib *here = NULL;
    struct err e = {0};
    struct apart *t = load(binary("plugins/jsondir.so"), &(struct runner_limits){0});
    CU_ASSERT_EQUAL_FATAL(plugin_load(binary("plugins/jsondir.so"), &here, &e), 0);
    const struct sl_plugin *x = plugin_table(t->lib), *y = plugin_table(here);
    CU_ASSERT_STRING_EQUAL(x->name, y->name);
    CU_ASSERT_STRING_EQUAL(x->summary, y->summary);
    CU_ASSERT(x->caps == y->caps && x->needs == y->needs && x->n_options == y->n_options);
    CU_ASSERT((x->webhook != NULL) == (y->webhook != NULL) && (x->find != NULL) == (y->find != NULL));
    for (uint32_t i = 0; i < x->n_options; i++)
        CU_ASSERT_STRING_EQUAL(plugin_option(x, i).name, plugin_option(y, i).name);
    plugin_unload(here);
    done(t);
}

static void refusals_are_the_same(void)
{
    const char *file = put_file("text.so", "text", 4, 0644);
    struct plugin_lib *lib = NULL;
    struct err e = {0};
    struct apart *t = load(file, &(struct runner_limits){0});
    CU_ASSERT_EQUAL(plugin_load(file, &lib, &e), ERR_CONFIG);
    CU_ASSERT_PTR_NULL(t->lib);
    CU_ASSERT_STRING_EQUAL(t->e.text, e.text);
    done(t);
}

static void calls_cross(void)
{
    enum { MANY = 3000 };
    struct apart *t = open_jsondir(some_records("many", MANY));
    struct object_info *list = NULL;
    struct write_outcome o[2];
    struct sl_value v = value_string("title", "new");
    struct sl_write w[2] = {{.kind = SL_CREATE,
                             .id = "made",
                             .idempotency_key = "01A",
                             .fields = &v,
                             .n_fields = 1,
                             .field_size = sizeof v},
                            {.kind = SL_DELETE, .id = "never there", .idempotency_key = "01B"}};
    struct sl_batch batch = {.size = sizeof batch, .n_writes = 2, .write_size = sizeof *w, .object = "o", .writes = w};
    const char *ids[] = {"00007", "gone"};
    CU_ASSERT_EQUAL(session_check(t->s, &t->e), SL_OK);
    CU_ASSERT_EQUAL(session_describe(t->s, "o", &t->a, &list, &t->e), SL_OK);
    CU_ASSERT(list && list->object.caps & SL_CAP_RESERVED_ID);
    CU_ASSERT_EQUAL(pull(t, "o"), SL_OK);
    CU_ASSERT(t->n_items == MANY && t->end.kind == SL_PAGE_COMPLETE);
    t->n_items = 0;
    CU_ASSERT_EQUAL(session_get(t->s, "o", ids, 2, (struct session_sink){t, take}, &t->e), SL_OK);
    CU_ASSERT_EQUAL(t->n_items, 2);
    CU_ASSERT_EQUAL(session_write(t->s, &batch, &t->a, o, &t->e), SL_OK);
    CU_ASSERT(o[0].result == SL_APPLIED && o[0].record && strcmp(o[0].record->id, "made") == 0);
    CU_ASSERT(o[1].result == SL_NOT_APPLIED && o[1].error_class == SL_GONE && o[1].message);
    done(t);
}

static void the_host_may_have_had_enough(void)
{
    struct apart *t = open_jsondir(some_records("enough", 3000));
    t->stop_after = 10;
    CU_ASSERT_EQUAL(pull(t, "o"), SL_BROKEN);
    CU_ASSERT(says(t->e.text, "the host could take no more"));
    CU_ASSERT_EQUAL(t->n_items, 10);
    t->stop_after = 0;
    CU_ASSERT_EQUAL(pull(t, "o"), SL_OK);
    CU_ASSERT_EQUAL(t->n_items, 3000);
    done(t);
}

/* The secret stays here: what it is for is done here. */
static void every_service_crosses(void)
{
    struct apart *t = load(hostile("asks", ""), &(struct runner_limits){0});
    const struct sl_value given[] = {value_string("secret", "key"), value_string("plain", "text")};
    CU_ASSERT_PTR_NOT_NULL_FATAL(t->lib);
    CU_ASSERT_EQUAL_FATAL(session_open(plugin_table(t->lib), "desk", given, 2, NULL, &t->s, &t->e), SL_OK);
    CU_ASSERT_EQUAL(pull(t, "o"), SL_BROKEN);
    CU_ASSERT(says(t->e.text, "desk: refused 2, json 1, random 1, time 1, stopping 0, signed 1, forged 0, settings 1"));
    done(t);
}

/* What is as large as a frame cannot travel in one: it is said, and the rest goes on. */
static void too_large_is_said(void)
{
    enum { HUGE_BYTES = 66 << 20 };
    struct apart *t = open_jsondir(some_records("large", 1));
    char *text = mem_alloc(HUGE_BYTES + 1);
    memset(text, 'x', HUGE_BYTES);
    struct sl_value v = value_string("title", text);
    struct sl_write w = {
        .kind = SL_CREATE, .id = "made", .idempotency_key = "01A", .fields = &v, .n_fields = 1, .field_size = sizeof v};
    struct sl_batch batch = {.size = sizeof batch, .n_writes = 1, .write_size = sizeof w, .object = "o", .writes = &w};
    struct write_outcome o;
    CU_ASSERT_EQUAL(session_write(t->s, &batch, &t->a, &o, &t->e), SL_REJECTED);
    CU_ASSERT(says(t->e.text, "desk: write takes over 64 MB, more than a runner takes at once"));
    CU_ASSERT_EQUAL(pull(t, "o"), SL_OK);
    mem_free(text);
    done(t);
}

/* --- what is not --- */

static void damage_is_named_and_contained(void)
{
    static const struct {
        const char *name;
        int answer;
        const char *says;
        bool sandbox; /* needs what the kernel may lack */
        bool slow; /* or what a sanitizer has no room for */
    } rows[] = {
        {"crash", SL_RETRY, SANITIZED ? "its runner died in pull: " : "died in pull: killed by signal 11", false,
         false},
        {"hang", SL_RETRY, "its runner died in pull: it was silent for 1500 ms, and was ended", false, false},
        {"deaf", SL_RETRY, "its runner died in pull: it was silent for 1500 ms, and was ended", false, false},
        {"endless", SL_RETRY, "died in pull: it took over 15000 ms of its own, and was ended", false, true},
        {"leak", SL_RETRY, ", at its memory limit of 256 MB", false, true},
        {"forks", SL_BROKEN, "bad: fork: Operation not permitted", true, false},
        {"sockets", SL_BROKEN, "bad: socket: Operation not permitted", true, false},
        {"execs", SL_BROKEN, "bad: exec: Operation not permitted", true, false},
        {"peeks", SL_BROKEN, "bad: open: Permission denied", true, false},
        {"spills", SL_BROKEN, "bad: create: Permission denied", true, false},
        {"kills", SL_BROKEN, "bad: kill: Operation not permitted", true, false},
        {"scribbles", SL_RETRY, "its runner died in pull: ", false, false},
        {"garbles", SL_RETRY, "its runner died in pull: it sent what is no answer, and was ended", false, false},
        {"forges", SL_RETRY, "its runner died in pull: it sent what is no answer, and was ended", false, false},
        {"lies", SL_BROKEN, "connector lies broke its contract in pull", false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if ((rows[i].sandbox && sandbox_lacks()) || (rows[i].slow && SANITIZED)) {
            printf("skipped: %s: %s\n", rows[i].name, rows[i].slow ? "not under a sanitizer" : sandbox_lacks());
            continue;
        }
        struct apart *t = open_hostile(rows[i].name);
        int answer = pull(t, "o");
        if (answer != rows[i].answer)
            printf("\n  %s: class %s: %s\n", rows[i].name, class_name(answer), t->e.text);
        CU_ASSERT_EQUAL(answer, rows[i].answer);
        CU_ASSERT(says(t->e.text, rows[i].says) && strncmp(t->e.text, "bad: ", 5) == 0);
        err_clear(&t->e);
        CU_ASSERT_EQUAL(session_check(t->s, &t->e), SL_OK); /* in a new one, where it has died */
        done(t);
    }
    check_cases(COUNT(rows));
}

static void damage_at_loading_is_named(void)
{
    struct apart *t = load(hostile("early", ""), &(struct runner_limits){0});
    CU_ASSERT_PTR_NULL(t->lib);
    CU_ASSERT(t->e.code == ERR_CONFIG && says(t->e.text, "early.so: its runner died in being loaded: "));
    done(t);
}

/* What was told before the death is known, the rest is not: never applied, never refused. */
static void what_was_told_is_known(void)
{
    struct apart *t = open_hostile("crash");
    struct sl_value v = value_string("title", "x");
    struct sl_write w[3];
    struct write_outcome o[3];
    for (int i = 0; i < 3; i++)
        w[i] = (struct sl_write){.kind = SL_CREATE, .fields = &v, .n_fields = 1, .field_size = sizeof v};
    struct sl_batch batch = {.size = sizeof batch, .n_writes = 3, .write_size = sizeof *w, .object = "o", .writes = w};
    CU_ASSERT_EQUAL(session_write(t->s, &batch, &t->a, o, &t->e), SL_RETRY);
    CU_ASSERT(o[0].result == SL_APPLIED && o[1].result == SL_UNCERTAIN && o[2].result == SL_UNCERTAIN);
    CU_ASSERT(says(o[1].message, "its runner died in write: "));
    batch.n_writes = 1;
    CU_ASSERT_EQUAL(session_write(t->s, &batch, &t->a, o, &t->e), SL_OK);
    CU_ASSERT_EQUAL(o[0].result, SL_APPLIED);
    done(t);
}

static void five_deaths_and_it_is_left_alone(void)
{
    struct apart *t = open_hostile("crash");
    for (int i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(pull(t, "o"), SL_RETRY);
    CU_ASSERT_EQUAL(pull(t, "o"), SL_CONFIG);
    CU_ASSERT(says(t->e.text, "bad: its runner died 5 times within 10 minutes, the last time like this: "));
    CU_ASSERT(says(t->e.text, "it is left alone for another ") && says(t->e.text, "crash.so, or run again after that"));
    err_clear(&t->e);
    CU_ASSERT_EQUAL(session_check(t->s, &t->e), SL_CONFIG);
    done(t);
}

/* Another file under its name is not what was opened and checked. */
static void the_old_file_stays(void)
{
    struct apart *t = open_hostile("crash");
    CU_ASSERT_EQUAL(pull(t, "o"), SL_RETRY);
    CU_ASSERT_EQUAL(rename(put_file("crash.new", "text", 4, 0644), in_folder("crash.so")), 0);
    CU_ASSERT_EQUAL(session_check(t->s, &t->e), SL_OK);
    done(t);
}

/* What was written into the file itself: its runner may die of it, and no other takes it for what it was. */
static void a_changed_file_is_not_taken_for_the_old_one(void)
{
    struct apart *t = open_hostile("crash");
    CU_ASSERT_EQUAL(truncate(in_folder("crash.so"), 0), 0);
    CU_ASSERT_EQUAL(pull(t, "o"), SL_RETRY);
    CU_ASSERT(says(t->e.text, "bad: its runner died in pull: "));
    CU_ASSERT_EQUAL(pull(t, "o"), SL_CONFIG);
    CU_ASSERT(says(t->e.text, "crash.so has changed since it was loaded; move a new one to its place"));
    done(t);
}

static void only_the_allowed_file_is_loaded(void)
{
    const char *file = hostile("crash", "");
    char command[400], hex[80] = "", other[65] = {0};
    snprintf(command, sizeof command, "sha256sum '%s'", file);
    FILE *f = popen(command, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(fgets(hex, 65, f));
    pclose(f);
    memset(other, 'a', 64);
    struct apart *t = load(file, &(struct runner_limits){.sha256 = hex});
    CU_ASSERT_PTR_NOT_NULL_FATAL(t->lib);
    CU_ASSERT_EQUAL(session_open(plugin_table(t->lib), "bad", NULL, 0, NULL, &t->s, &t->e), SL_OK);
    done(t);
    t = load(file, &(struct runner_limits){.sha256 = other});
    CU_ASSERT(!t->lib && t->e.code == ERR_CONFIG);
    CU_ASSERT(says(t->e.text, hex) && says(t->e.text, other) && says(t->e.text, "the config allows only "));
    done(t);
}

/* The runner looks for itself: what was changed between the look and the loading is not loaded. */
static void a_file_changed_under_its_digest_is_not_loaded(void)
{
    const char *file = hostile("crash", "");
    char command[400], hex[80] = "";
    snprintf(command, sizeof command, "sha256sum '%s'", file);
    FILE *f = popen(command, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(fgets(hex, 65, f));
    pclose(f);
    struct apart *t = load(file, &(struct runner_limits){.sha256 = hex});
    CU_ASSERT_PTR_NOT_NULL_FATAL(t->lib);
    snprintf(command, sizeof command, "printf x >>'%s'", file);
    CU_ASSERT_EQUAL(system(command), 0);
    CU_ASSERT_EQUAL(session_open(plugin_table(t->lib), "bad", NULL, 0, NULL, &t->s, &t->e), SL_CONFIG);
    CU_ASSERT(says(t->e.text, "crash.so has changed since it was loaded; move a new one to its place"));
    done(t);
}

/* Deaths that one record explains are not held against the connection. */
static void what_is_forgiven_does_not_count(void)
{
    struct apart *t = open_hostile("crash");
    for (int i = 0; i < 9; i++) {
        CU_ASSERT_EQUAL(pull(t, "o"), SL_RETRY);
        CU_ASSERT_EQUAL(session_deaths(t->s), (uint64_t)i + 1);
        session_forgive(t->s);
    }
    done(t);
}

static char told[200];

static void hear(void *self, const char *connection, const char *how)
{
    (void)self;
    snprintf(told, sizeof told, "%s: %s", connection, how);
}

static void deaths_are_told(void)
{
    struct apart *t = open_hostile("deaf");
    runner_on_death(hear, NULL);
    CU_ASSERT_EQUAL(pull(t, "o"), SL_RETRY);
    runner_on_death(NULL, NULL);
    CU_ASSERT_STRING_EQUAL(told, "bad: it was silent for 1500 ms, and was ended");
    done(t);
}

static void runners_wear(void)
{
    struct apart *t = open_jsondir(some_records("worn", 1));
    CU_ASSERT_FALSE(runner_worn(t->s));
    for (int i = 0; i < 10000; i++)
        session_check(t->s, &t->e);
    CU_ASSERT_TRUE(runner_worn(t->s));
    done(t);
}

static void without_a_program_it_is_said(void)
{
    struct plugin_lib *lib = NULL;
    struct err e = {0};
    runner_program("/nowhere/syncline");
    CU_ASSERT_EQUAL(runner_load(binary("plugins/jsondir.so"), &(struct runner_limits){0}, &lib, &e), ERR_CONFIG);
    CU_ASSERT(says(e.text, "/nowhere/syncline: No such file or directory; look at this user's limit on processes"));
    runner_program("/bin/true");
    err_clear(&e);
    CU_ASSERT_EQUAL(runner_load(binary("plugins/jsondir.so"), &(struct runner_limits){0}, &lib, &e), ERR_CONFIG);
    CU_ASSERT(says(e.text, "its runner died in being loaded: it exited with code 0"));
}

static void without_descriptors_it_is_said(void)
{
    struct plugin_lib *lib = NULL;
    struct err e = {0};
    struct rlimit before, few;
    enum { MOST = 64 };
    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    bool filled[MOST] = {false};
    few.rlim_cur = MOST; /* room for the file twice, and then for one end of two */
    for (int fd = 3; fd < MOST - 2; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            filled[fd] = dup2(0, fd) == fd;
    setrlimit(RLIMIT_NOFILE, &few);
    int code = runner_load(binary("plugins/jsondir.so"), &(struct runner_limits){0}, &lib, &e);
    setrlimit(RLIMIT_NOFILE, &before);
    for (int fd = 3; fd < MOST; fd++)
        if (filled[fd])
            close(fd);
    CU_ASSERT(code == ERR_CONFIG &&
              says(e.text, "no runner can be started: Too many open files; raise the limit on open files"));
}

static const struct check tests[] = {
    {"the table is the same", the_table_is_the_same},
    {"refusals are the same", refusals_are_the_same},
    {"calls cross", calls_cross},
    {"the host may have had enough", the_host_may_have_had_enough},
    {"every service crosses", every_service_crosses},
    {"what is too large is said", too_large_is_said},
    {"damage is named and contained (I23)", damage_is_named_and_contained},
    {"damage at loading is named", damage_at_loading_is_named},
    {"what was told before a death is known (I18, I19)", what_was_told_is_known},
    {"five deaths, and it is left alone (I23)", five_deaths_and_it_is_left_alone},
    {"deaths that one record explains are forgiven (I23)", what_is_forgiven_does_not_count},
    {"deaths are told", deaths_are_told},
    {"another file under its name is not loaded: the old one stays", the_old_file_stays},
    {"a changed file is not taken for the old one", a_changed_file_is_not_taken_for_the_old_one},
    {"only the file of the given SHA-256 is loaded", only_the_allowed_file_is_loaded},
    {"a file that changed under its SHA-256 is not loaded", a_file_changed_under_its_digest_is_not_loaded},
    {"runners that served long are worn", runners_wear},
    {"without descriptors it is said", without_descriptors_it_is_said},
    {"without a program it is said", without_a_program_it_is_said},
};

int main(void)
{
    static char program[300];
    snprintf(program, sizeof program, "%s", binary("syncline"));
    built_init();
    runner_program(program);
    int rc = check_run("runner", tests, COUNT(tests));
    built_fini();
    return rc;
}
