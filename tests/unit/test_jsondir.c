/* SPDX-License-Identifier: MIT */
/* test_jsondir.c - the folder connector: reading, edits within one clock tick, atomic writes, and every refusal. */
#include "plugin_kit.h"

#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define TEMP ".syncline-"
#define SETTLE_MS 30 /* more than the connector's grain on a fine file system */

static struct kit *begin_in(const struct session_world *world)
{
    struct kit *k = kit_new();
    struct sl_value root = value_string("root", k->folder);
    CU_ASSERT_EQUAL_FATAL(kit_open_in(k, "jsondir", &root, 1, world), SL_OK);
    kit_mkdir(k, "t");
    return k;
}

static struct kit *begin(void)
{
    return begin_in(NULL);
}

/* --- describe and the names of objects --- */

static void describes_subfolders(void)
{
    struct kit *k = begin();
    struct object_info *list;
    kit_mkdir(k, "people");
    kit_mkdir(k, ".hidden");
    kit_put(k, "notes.txt", "");
    int n = 0, known = 0;
    CU_ASSERT_EQUAL(session_describe(k->s, NULL, &k->a, &list, &k->e), SL_OK);
    for (struct object_info *o = list; o; o = o->next, n++) {
        known += !strcmp(o->object.name, "people") || !strcmp(o->object.name, "t");
        CU_ASSERT_EQUAL(o->object.id_rule, SL_ID_NAME);
        CU_ASSERT_EQUAL(o->object.id_max_bytes, 240);
        CU_ASSERT_EQUAL(o->object.batch_max, 10000);
        CU_ASSERT(o->object.caps & SL_CAP_RESERVED_ID && o->object.caps & SL_CAP_CONDITIONAL);
    }
    CU_ASSERT(n == 2 && known == 2);
    kit_put(k, "root.json", "{}");
    CU_ASSERT_EQUAL(session_describe(k->s, NULL, &k->a, &list, &k->e), SL_OK);
    for (n = 0, known = 0; list; list = list->next, n++)
        known += !strcmp(list->object.name, ".");
    CU_ASSERT(n == 3 && known == 1);
    kit_close(k);
}

static void missing_folder_is_empty_and_not_made(void)
{
    struct kit *k = begin();
    struct object_info *list;
    CU_ASSERT_EQUAL(session_describe(k->s, "new", &k->a, &list, &k->e), SL_OK);
    CU_ASSERT_EQUAL(kit_pull(k, "new", 0), SL_OK);
    CU_ASSERT(k->n_got == 0 && k->end.kind == SL_PAGE_COMPLETE && !k->end.epoch);
    CU_ASSERT_EQUAL(kit_get(k, "new", "a").kind, SL_ITEM_TOMBSTONE);
    CU_ASSERT_EQUAL(kit_do(k, "new", kit_make(k, SL_DELETE, "a", NULL, 0)).error_class, SL_GONE);
    CU_ASSERT_EQUAL(kit_count(k, ".", "new"), 0);
    CU_ASSERT_EQUAL(kit_create(k, "new", "a", NULL, 0).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "new/a.json"), "{}\n");
    kit_close(k);
}

static void missing_root_is_an_error(void)
{
    struct kit *k = begin();
    struct sl_value root = value_string("root", kit_path(k, "absent"));
    struct object_info *list;
    session_close(k->s);
    CU_ASSERT_EQUAL(kit_open_in(k, "jsondir", &root, 1, NULL), SL_OK);
    CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_CONFIG);
    CU_ASSERT(kit_says(k->e.text, "/absent is not there: create it"));
    CU_ASSERT_EQUAL(session_describe(k->s, "t", &k->a, &list, &k->e), SL_CONFIG);
    CU_ASSERT_EQUAL(kit_pull(k, "t", 0), SL_CONFIG);
    CU_ASSERT_EQUAL(kit_get(k, "t", "a").kind, 0);
    struct write_outcome o = kit_create(k, "t", "a", NULL, 0);
    CU_ASSERT(o.result == SL_NOT_APPLIED && o.error_class == SL_CONFIG);
    CU_ASSERT_EQUAL(kit_count(k, ".", "absent"), 0);
    kit_close(k);
}

static void needs_a_root(void)
{
    struct kit *k = begin();
    session_close(k->s);
    CU_ASSERT_EQUAL(kit_open_in(k, "jsondir", NULL, 0, NULL), SL_CONFIG);
    CU_ASSERT(kit_says(k->e.text, "\"root\" is missing"));
    kit_close(k);
}

static void refuses_objects_outside(void)
{
    static const char *const names[] = {"../t", "..", "t/u", "/tmp", ".hidden", "", "a\nb", "link", "file", "\xff"};
    struct kit *k = begin();
    CU_ASSERT_EQUAL(symlink("/tmp", kit_path(k, "link")), 0);
    kit_put(k, "file", "");
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        CU_ASSERT_EQUAL(kit_pull(k, names[i], 0), SL_CONFIG);
        CU_ASSERT_EQUAL(kit_create(k, names[i], "a", NULL, 0).result, SL_NOT_APPLIED);
    }
    err_clear(&k->e);
    kit_pull(k, "../t", 0);
    CU_ASSERT(kit_says(k->e.text, ": name one subfolder (no slash, no leading dot), or \".\""));
    kit_close(k);
}

/* --- listing and reading --- */

static void lists_what_is_a_record(void)
{
    struct kit *k = begin();
    kit_put(k, "t/a.json", "{\"x\": 1}");
    kit_put(k, "t/\303\244 b.json", "{}");
    kit_put(k, "t/.hidden.json", "{}");
    kit_put(k, "t/.json", "{}");
    kit_put(k, "t/readme.txt", "{}");
    kit_put(k, "t/bad\xff.json", "{}");
    kit_put(k, "t/bad\n.json", "{}");
    kit_mkdir(k, "t/sub");
    CU_ASSERT_EQUAL(kit_pull(k, "t", 0), SL_OK);
    CU_ASSERT_EQUAL(k->n_got, 2);
    CU_ASSERT(kit_find(k, "a") && kit_find(k, "a")->kind == SL_ITEM_STUB);
    CU_ASSERT_PTR_NOT_NULL(kit_find(k, "\303\244 b"));
    CU_ASSERT(k->end.kind == SL_PAGE_COMPLETE && !k->end.epoch && !k->end.cursor);
    CU_ASSERT_EQUAL(kit_pull(k, "t", SL_PULL_RECORDS), SL_OK);
    CU_ASSERT_EQUAL(k->n_got, 2);
    const struct got *a = kit_find(k, "a");
    CU_ASSERT(a && a->kind == SL_ITEM_RECORD && record_field(a->record, "x")->number == 1);
    CU_ASSERT(a->record->modified_ms > 1600000000000 && a->record->created_ms == 0);
    kit_close(k);
}

static void a_version_stays_while_nothing_changes(void)
{
    struct kit *k = begin();
    kit_put(k, "t/a.json", "{}");
    kit_sleep_ms(SETTLE_MS);
    CU_ASSERT_EQUAL(kit_pull(k, "t", 0), SL_OK);
    const char *version = k->got[0].version;
    CU_ASSERT(*version && strlen(version) < 80);
    struct got g = kit_get(k, "t", "a");
    CU_ASSERT_STRING_EQUAL(g.record->version, version);
    CU_ASSERT_EQUAL(kit_pull(k, "t", SL_PULL_RECORDS), SL_OK);
    CU_ASSERT_STRING_EQUAL(k->got[0].record->version, version);
    kit_close(k);
}

/* Files that are there and are no record, with a word their sentence must hold. */
static void unreadable_is_named_never_gone(void)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "line 1"},
        {"{\"a\": 1,\n \"b\": }", "line 2"},
        {"{\"a\": 1, \"a\": 2}", "line 1"},
        {"{\"a\": \"\\u0000\"}", "line 1"},
        {"{\"a\": \"\xff\"}", "line 1"},
        {"[1, 2]", "object"},
        {"{} {}", "line 1"},
    };
    struct kit *k = begin();
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        kit_put(k, "t/x.json", bad[i].text);
        struct got g = kit_get(k, "t", "x");
        CU_ASSERT_EQUAL(g.kind, SL_ITEM_UNREADABLE);
        CU_ASSERT(kit_says(g.message, "t/x.json") && kit_says(g.message, bad[i].says) &&
                  kit_says(g.message, "correct the file"));
        CU_ASSERT_EQUAL(kit_pull(k, "t", SL_PULL_RECORDS), SL_OK);
        CU_ASSERT(k->n_got == 1 && k->got[0].kind == SL_ITEM_UNREADABLE && k->end.kind == SL_PAGE_COMPLETE);
        struct write_outcome o = kit_do(k, "t", kit_make(k, SL_UPDATE, "x", NULL, 0));
        CU_ASSERT(o.result == SL_NOT_APPLIED && o.error_class == SL_REJECTED);
        CU_ASSERT_STRING_EQUAL(kit_text(k, "t/x.json"), bad[i].text);
    }
    kit_close(k);
}

static void odd_entries_are_unreadable(void)
{
    static const char *const ids[] = {"link", "dangling", "dir", "pipe"};
    static const char *const says[] = {"symbolic link", "symbolic link", "folder", "regular file"};
    struct kit *k = begin();
    kit_put(k, "secret.json", "{\"secret\": 1}");
    CU_ASSERT_EQUAL(symlink("../secret.json", kit_path(k, "t/link.json")), 0);
    CU_ASSERT_EQUAL(symlink("nowhere", kit_path(k, "t/dangling.json")), 0);
    kit_mkdir(k, "t/dir.json");
    CU_ASSERT_EQUAL(mkfifo(kit_path(k, "t/pipe.json"), 0644), 0);
    for (uint32_t flags = 0; flags <= SL_PULL_RECORDS; flags += SL_PULL_RECORDS) {
        CU_ASSERT_EQUAL(kit_pull(k, "t", flags), SL_OK);
        CU_ASSERT_EQUAL(k->n_got, 4);
        for (size_t i = 0; i < 4; i++) {
            const struct got *g = kit_find(k, ids[i]);
            CU_ASSERT(g && g->kind == SL_ITEM_UNREADABLE && kit_says(g->message, ids[i]) &&
                      kit_says(g->message, says[i]));
        }
    }
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(kit_get(k, "t", ids[i]).kind, SL_ITEM_UNREADABLE);
        CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_UPDATE, ids[i], NULL, 0)).error_class, SL_REJECTED);
        CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_DELETE, ids[i], NULL, 0)).error_class, SL_REJECTED);
        CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_ARCHIVE, ids[i], NULL, 0)).error_class, SL_REJECTED);
        CU_ASSERT_EQUAL(kit_create(k, "t", ids[i], NULL, 0).error_class, SL_EXISTS);
    }
    CU_ASSERT_STRING_EQUAL(kit_text(k, "secret.json"), "{\"secret\": 1}");
    kit_close(k);
}

static void large_files_are_not_read(void)
{
    struct kit *k = begin();
    kit_put(k, "t/x.json", "{}");
    CU_ASSERT_EQUAL(truncate(kit_path(k, "t/x.json"), 33 << 20), 0);
    struct got g = kit_get(k, "t", "x");
    CU_ASSERT(g.kind == SL_ITEM_UNREADABLE && kit_says(g.message, "34603008") && kit_says(g.message, "32 MiB"));
    kit_close(k);
}

static void refused_ids_are_not_read_as_gone(void)
{
    static const char *const ids[] = {"../x", "a/b", ".hidden", "/etc/passwd", ".."};
    struct kit *k = begin();
    kit_put(k, "x.json", "{}");
    for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
        struct got g = kit_get(k, "t", ids[i]);
        CU_ASSERT(g.kind == SL_ITEM_UNREADABLE && kit_says(g.message, ids[i]));
    }
    CU_ASSERT_EQUAL(kit_get(k, "t", "a\nb").kind, 0);
    CU_ASSERT(kit_says(k->e.text, "control character"));
    CU_ASSERT_EQUAL(kit_get(k, "t", "gone").kind, SL_ITEM_TOMBSTONE);
    kit_close(k);
}

/* --- edits within one tick of the clock --- */

/* What a host remembers of a record: it reads again unless the version is the one it knows. */
struct memory {
    char version[100];
    char value[32];
};

static void remember(struct memory *m, const struct sl_record *r)
{
    snprintf(m->version, sizeof(m->version), "%s", r->version ? r->version : "");
    snprintf(m->value, sizeof(m->value), "%s", kit_field(r, "v"));
}

static void look_by_stub(struct kit *k, struct memory *m)
{
    CU_ASSERT_EQUAL(kit_pull(k, "t", 0), SL_OK);
    if (*k->got[0].version && strcmp(k->got[0].version, m->version) == 0)
        return;
    struct got g = kit_get(k, "t", "a");
    CU_ASSERT_PTR_NOT_NULL_FATAL(g.record);
    remember(m, g.record);
}

static void look_by_record(struct kit *k, struct memory *m)
{
    CU_ASSERT_EQUAL(kit_pull(k, "t", SL_PULL_RECORDS), SL_OK);
    const struct sl_record *r = k->got[0].record;
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    if (!*r->version || strcmp(r->version, m->version) != 0)
        remember(m, r);
}

/* Edits of one size right behind each look, in place and by rename; every one must be seen by the next look. */
static void edits_in_one_tick_are_seen(void)
{
    struct kit *k = begin();
    struct memory m = {"", ""};
    int missed = 0;
    char text[32], value[8];
    for (int i = 0; i < 200; i++) {
        snprintf(value, sizeof(value), "%04d", i);
        snprintf(text, sizeof(text), "{\"v\": \"%s\"}", value);
        kit_put(k, i % 3 ? "t/a.json" : "t/.new", text);
        if (i % 3 == 0)
            CU_ASSERT_EQUAL(rename(kit_path(k, "t/.new"), kit_path(k, "t/a.json")), 0);
        if (i % 2)
            look_by_record(k, &m);
        else
            look_by_stub(k, &m);
        missed += strcmp(m.value, value) != 0;
        if (i % 10 == 9)
            kit_sleep_ms(i % 27);
    }
    CU_ASSERT_EQUAL(missed, 0);
    kit_close(k);
}

/* An edit right behind our own write must not hide under the version the write reported. */
static void edits_behind_our_write_are_seen(void)
{
    struct kit *k = begin();
    for (int i = 0; i < 20; i++) {
        struct sl_value v = value_string("v", "ours");
        char *id = arena_printf(&k->a, "w%d", i);
        char *file = arena_printf(&k->a, "t/%s.json", id);
        struct write_outcome o = kit_create(k, "t", id, &v, 1);
        CU_ASSERT_FATAL(o.result == SL_APPLIED && o.record);
        const char *text = "{\n  \"v\": \"them\"\n}\n";
        int fd = open(kit_path(k, file), O_WRONLY);
        CU_ASSERT_EQUAL(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
        close(fd);
        struct got g = kit_get(k, "t", id);
        CU_ASSERT_STRING_EQUAL(kit_field(g.record, "v"), "them");
        CU_ASSERT(!*o.record->version || strcmp(g.record->version, o.record->version) != 0);
    }
    kit_close(k);
}

static int64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Kernels that stamp finely after a look (6.13) hide the tick; the rule must hold on those that do not. */
static void just_touched_has_no_version(void)
{
    struct kit *k = begin();
    for (int tries = 0; tries < 50; tries++) {
        int64_t from = clock_ms();
        kit_put(k, "t/a.json", "{}");
        CU_ASSERT_EQUAL(kit_pull(k, "t", 0), SL_OK);
        if (clock_ms() - from > 10)
            continue; /* too slow a machine just now to say anything */
        CU_ASSERT_STRING_EQUAL(k->got[0].version, "");
        break;
    }
    kit_close(k);
}

static void doubtful_times_have_no_version(void)
{
    struct kit *k = begin();
    int64_t from = clock_ms();
    struct timespec ahead[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = from / 1000 + 86400, .tv_nsec = 5}};
    struct timespec whole[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1000}};
    kit_put(k, "t/ahead.json", "{}");
    kit_put(k, "t/whole.json", "{}");
    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, kit_path(k, "t/ahead.json"), ahead, 0), 0);
    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, kit_path(k, "t/whole.json"), whole, 0), 0);
    kit_sleep_ms(SETTLE_MS);
    CU_ASSERT_EQUAL(kit_pull(k, "t", 0), SL_OK);
    CU_ASSERT_STRING_EQUAL(kit_find(k, "ahead")->version, "");
    if (clock_ms() - from < 1900)
        CU_ASSERT_STRING_EQUAL(kit_find(k, "whole")->version, "");
    CU_ASSERT_STRING_EQUAL(kit_get(k, "t", "ahead").record->version, "");
    kit_close(k);
}

/* --- writing --- */

static void values_stay_exact(void)
{
    struct kit *k = begin();
    struct sl_value item[] = {value_string(NULL, "x"), value_string(NULL, "y")};
    struct sl_value f[] = {
        value_int("id", 175928847299117063),
        {.name = "money", .type = SL_DECIMAL, .text = "0.10", .text_size = 4},
        {.name = "huge", .type = SL_DECIMAL, .text = "1e400", .text_size = 5},
        value_string("text", " \t\r\n\"\\\x01 \303\244 \360\237\230\200 \xe2\x80\xa8 "),
        value_string("empty", ""),
        value_null("null"),
        value_absent("absent"),
        value_bool("yes", true),
        {.name = "json", .type = SL_JSON, .text = "{\"a\":[1.50,{}]}", .text_size = 15},
        {.name = "set", .type = SL_SET, .items = item, .n_items = 2, .item_size = sizeof(*item)},
        {.name = "day", .type = SL_DATE, .number = 0},
        {.name = "at", .type = SL_TIMESTAMP, .number = 1500, .grain_ms = 1},
        value_string("", "a nameless key"),
    };
    struct write_outcome o = kit_create(k, "t", "\303\244 \360\237\230\200", f, sizeof(f) / sizeof(*f));
    CU_ASSERT_FATAL(o.result == SL_APPLIED && o.record);
    struct got g = kit_get(k, "t", "\303\244 \360\237\230\200");
    CU_ASSERT_FATAL(g.record && g.record->n_fields == sizeof(f) / sizeof(*f) - 1 &&
                    g.record->n_fields == o.record->n_fields);
    for (uint32_t i = 0; i < g.record->n_fields; i++)
        CU_ASSERT(value_same(&g.record->fields[i], &o.record->fields[i]));
    CU_ASSERT_EQUAL(record_field(g.record, "id")->number, 175928847299117063);
    CU_ASSERT_STRING_EQUAL(kit_field(g.record, "money"), "0.10");
    CU_ASSERT_STRING_EQUAL(kit_field(g.record, "huge"), "1e400");
    CU_ASSERT_STRING_EQUAL(kit_field(g.record, "text"), f[3].text);
    CU_ASSERT(record_field(g.record, "empty")->type == SL_STRING && !*kit_field(g.record, "empty"));
    CU_ASSERT_EQUAL(record_field(g.record, "null")->type, SL_NULL);
    CU_ASSERT_PTR_NULL(record_field(g.record, "absent"));
    CU_ASSERT_STRING_EQUAL(kit_field(g.record, "json"), "{\"a\":[1.50,{}]}");
    CU_ASSERT_STRING_EQUAL(kit_field(g.record, "set"), "[\"x\",\"y\"]");
    CU_ASSERT_STRING_EQUAL(kit_field(g.record, "day"), "1970-01-01");
    CU_ASSERT(strncmp(kit_field(g.record, "at"), "1970-01-01T00:00:01.5", 21) == 0);
    CU_ASSERT_STRING_EQUAL(kit_field(g.record, ""), "a nameless key");
    kit_close(k);
}

/* Whatever the types: the record a create is told as is the one a read finds. */
static void told_is_what_is_read(void)
{
    struct kit *k = begin();
    struct sl_value item = value_string(NULL, "x");
    struct sl_value f[] = {
        value_int("v", -7),
        value_bool("v", false),
        value_null("v"),
        value_string("v", "\"\n"),
        {.name = "v", .type = SL_DECIMAL, .text = "7", .text_size = 1},
        {.name = "v", .type = SL_DECIMAL, .text = "0.10", .text_size = 4},
        {.name = "v", .type = SL_DECIMAL, .text = "1E400", .text_size = 5},
        {.name = "v", .type = SL_ENUM, .text = "open", .text_size = 4},
        {.name = "v", .type = SL_JSON, .text = "{ \"a\": [ ] }", .text_size = 12},
        {.name = "v", .type = SL_SET, .items = &item, .n_items = 1, .item_size = sizeof(item)},
        {.name = "v", .type = SL_DATE, .number = 9},
    };
    for (size_t i = 0; i < sizeof(f) / sizeof(*f); i++) {
        const char *id = arena_printf(&k->a, "t%zu", i);
        struct write_outcome o = kit_create(k, "t", id, &f[i], 1);
        struct got g = kit_get(k, "t", id);
        CU_ASSERT_FATAL(o.record && g.record && o.record->n_fields == 1 && g.record->n_fields == 1);
        CU_ASSERT_EQUAL(o.record->fields->type, g.record->fields->type);
        CU_ASSERT_EQUAL(record_digest(o.record), record_digest(g.record));
    }
    kit_close(k);
}

static void update_keeps_the_rest(void)
{
    struct kit *k = begin();
    struct sl_value f[] = {value_string("b", "new"), value_null("c"), value_absent("a"), value_int("z", 7)};
    kit_put(k, "t/p.json",
            "{\n  \"q\": 0.10,\n  \"a\": [1, {\"deep\": 1e400}],\n  \"b\": \"old\",\n  \"c\": 1,\n  \"d\": {}\n}\n");
    CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_UPDATE, "p", f, 4)).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t/p.json"),
                           "{\n  \"q\": 0.10,\n  \"a\": [\n    1,\n    {\n      \"deep\": 1e400\n    }\n  ],\n"
                           "  \"b\": \"new\",\n  \"c\": null,\n  \"d\": {},\n  \"z\": 7\n}\n");
    kit_put(k, "t/c.json", "{\"q\": 0.10, \"b\": \"old\"}");
    CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_UPDATE, "c", f, 1)).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t/c.json"), "{\"q\":0.10,\"b\":\"new\"}");
    kit_put(k, "t/n.json", "{\"b\": \"old\"}\n");
    CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_UPDATE, "n", f, 1)).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t/n.json"), "{\"b\":\"new\"}\n");
    kit_close(k);
}

static void update_keeps_the_mode(void)
{
    struct kit *k = begin();
    struct stat st;
    kit_put(k, "t/a.json", "{}");
    CU_ASSERT_EQUAL(chmod(kit_path(k, "t/a.json"), 0640), 0);
    if (getuid() == 0)
        CU_ASSERT_EQUAL(chown(kit_path(k, "t/a.json"), 1234, 5678), 0);
    CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_UPDATE, "a", NULL, 0)).result, SL_APPLIED);
    CU_ASSERT_EQUAL(stat(kit_path(k, "t/a.json"), &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0640);
    CU_ASSERT(getuid() != 0 || (st.st_uid == 1234 && st.st_gid == 5678));
    kit_close(k);
}

static void create_never_replaces(void)
{
    struct kit *k = begin();
    struct sl_value v = value_string("v", "ours");
    kit_put(k, "t/a.json", "{\"v\": \"theirs\"}");
    for (uint32_t flags = 0; flags <= SL_WRITE_REPEAT; flags += SL_WRITE_REPEAT) {
        struct sl_write w = kit_make(k, SL_CREATE, "a", &v, 1);
        w.flags = flags;
        struct write_outcome o = kit_do(k, "t", w);
        CU_ASSERT(o.result == SL_NOT_APPLIED && o.error_class == SL_EXISTS);
        CU_ASSERT_STRING_EQUAL(kit_field(o.record, "v"), "theirs");
    }
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t/a.json"), "{\"v\": \"theirs\"}");
    CU_ASSERT_EQUAL(kit_count(k, "t", TEMP), 0);
    kit_close(k);
}

/* The same create twice is one record, and the repeat finds it. */
static void repeated_create_is_one(void)
{
    struct kit *k = begin();
    struct sl_value v = value_string("v", "ours");
    struct sl_write w = kit_make(k, SL_CREATE, "a", &v, 1);
    CU_ASSERT_EQUAL(kit_do(k, "t", w).result, SL_APPLIED);
    w.flags = SL_WRITE_REPEAT;
    struct write_outcome o = kit_do(k, "t", w);
    CU_ASSERT(o.error_class == SL_EXISTS && o.record);
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "v"), "ours");
    CU_ASSERT_EQUAL(kit_count(k, "t", "a"), 1);
    kit_close(k);
}

static void a_changed_file_is_not_written(void)
{
    static const uint32_t kinds[] = {SL_UPDATE, SL_DELETE, SL_ARCHIVE};
    struct kit *k = begin();
    struct sl_value v = value_string("v", "ours");
    kit_put(k, "t/a.json", "{\"v\": 1}");
    kit_sleep_ms(SETTLE_MS);
    const char *version = kit_get(k, "t", "a").record->version;
    CU_ASSERT_FATAL(version && *version);
    kit_put(k, "t/a.json", "{\"v\": 2}");
    for (size_t i = 0; i < 3; i++) {
        struct sl_write w = kit_make(k, kinds[i], "a", &v, 1);
        w.expected_version = version;
        struct write_outcome o = kit_do(k, "t", w);
        CU_ASSERT(o.error_class == SL_CONFLICT);
        CU_ASSERT(kit_says(o.message, " was changed since it was read: it is read and planned again"));
        w.id = "absent";
        CU_ASSERT_EQUAL(kit_do(k, "t", w).error_class, SL_GONE);
    }
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t/a.json"), "{\"v\": 2}");
    CU_ASSERT_EQUAL(kit_count(k, "t", TEMP), 0);
    kit_close(k);
}

/* The version a write reported is the version a read finds: the next write can be conditional on it. */
static void outcome_versions_go_on(void)
{
    struct kit *k = begin();
    struct sl_value v = value_string("v", "1");
    struct write_outcome o = kit_create(k, "t", "a", &v, 1);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_FATAL(o.result == SL_APPLIED && o.record && *o.record->version);
        kit_sleep_ms(SETTLE_MS); /* a look closer to the write reports no version */
        CU_ASSERT_EQUAL(kit_pull(k, "t", 0), SL_OK);
        CU_ASSERT_STRING_EQUAL(k->got[0].version, o.record->version);
        struct sl_write w = kit_make(k, SL_UPDATE, "a", &v, 1);
        w.expected_version = o.record->version;
        o = kit_do(k, "t", w);
    }
    struct sl_write w = kit_make(k, SL_DELETE, "a", NULL, 0);
    w.expected_version = o.record->version;
    o = kit_do(k, "t", w);
    CU_ASSERT(o.result == SL_APPLIED && !o.record);
    CU_ASSERT_EQUAL(kit_get(k, "t", "a").kind, SL_ITEM_TOMBSTONE);
    kit_close(k);
}

static void archive_keeps_every_one(void)
{
    struct kit *k = begin();
    for (int i = 1; i <= 3; i++) {
        char text[20];
        snprintf(text, sizeof(text), "{\"n\": %d}", i);
        kit_put(k, "t/a.json", text);
        CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_ARCHIVE, "a", NULL, 0)).result, SL_APPLIED);
    }
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t/.archive/a.json"), "{\"n\": 1}");
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t/.archive/a.2.json"), "{\"n\": 2}");
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t/.archive/a.3.json"), "{\"n\": 3}");
    CU_ASSERT_EQUAL(kit_pull(k, "t", 0), SL_OK);
    CU_ASSERT_EQUAL(k->n_got, 0);
    kit_close(k);
}

static void archive_follows_no_link(void)
{
    struct kit *k = begin();
    kit_mkdir(k, "elsewhere");
    CU_ASSERT_EQUAL(symlink("../elsewhere", kit_path(k, "t/.archive")), 0);
    kit_put(k, "t/a.json", "{}");
    struct write_outcome o = kit_do(k, "t", kit_make(k, SL_ARCHIVE, "a", NULL, 0));
    CU_ASSERT(o.result == SL_NOT_APPLIED && kit_says(o.message, ".archive"));
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t/a.json"), "{}");
    kit_close(k);
}

static void refuses_ids_and_kinds(void)
{
    char longest[242];
    memset(longest, 'x', sizeof(longest));
    longest[241] = 0;
    const char *const ids[] = {"../x", "a/b", ".hidden", "", "a\nb", "a\x7f", "\xff", "..", longest};
    struct kit *k = begin();
    for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
        struct write_outcome o = kit_create(k, "t", ids[i], NULL, 0);
        CU_ASSERT(o.result == SL_NOT_APPLIED && o.error_class == SL_REJECTED && kit_says(o.message, "file name"));
    }
    CU_ASSERT_EQUAL(kit_create(k, "t", NULL, NULL, 0).error_class, SL_REJECTED);
    longest[240] = 0;
    CU_ASSERT_EQUAL(kit_create(k, "t", longest, NULL, 0).result, SL_APPLIED);
    CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_ARCHIVE, longest, NULL, 0)).result, SL_APPLIED);
    struct sl_write w = kit_make(k, SL_CREATE, "child", NULL, 0);
    w.parent_id = "parent";
    CU_ASSERT_EQUAL(kit_do(k, "t", w).error_class, SL_UNSUPPORTED);
    CU_ASSERT_EQUAL(kit_count(k, "t", TEMP), 0);
    CU_ASSERT_EQUAL(kit_count(k, "t", "child"), 0);
    kit_close(k);
}

static void disk_faults_leave_nothing(void)
{
    struct kit *k = begin();
    struct rlimit before, small;
    char big[20000];
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = 0;
    struct sl_value v = value_string("v", big);
    kit_put(k, "t/a.json", "{\"v\": 1}");
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 5000;
    setrlimit(RLIMIT_FSIZE, &small);
    struct write_outcome c = kit_create(k, "t", "n", &v, 1);
    struct write_outcome u = kit_do(k, "t", kit_make(k, SL_UPDATE, "a", &v, 1));
    setrlimit(RLIMIT_FSIZE, &before);
    CU_ASSERT(c.result == SL_NOT_APPLIED && c.error_class == SL_REJECTED && kit_says(c.message, "t/n.json"));
    CU_ASSERT(u.result == SL_NOT_APPLIED && u.error_class == SL_REJECTED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t/a.json"), "{\"v\": 1}");
    CU_ASSERT_EQUAL(kit_count(k, "t", "n"), 0);
    CU_ASSERT_EQUAL(kit_count(k, "t", TEMP), 0);
    kit_close(k);
}

/* A file stands where the archive's folder, and then the object's own, should be. */
static void no_folder_is_said(void)
{
    struct kit *k = begin();
    kit_put(k, "t/a.json", "{\"v\": 1}");
    kit_put(k, "t/.archive", "");
    struct write_outcome o = kit_do(k, "t", kit_make(k, SL_ARCHIVE, "a", NULL, 0));
    CU_ASSERT(o.result == SL_NOT_APPLIED);
    CU_ASSERT(kit_says(o.message, " is no folder: move it away, the next run archives there"));
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t/a.json"), "{\"v\": 1}");
    kit_close(k);
}

/* --- batches, locks, kills --- */

#define N_BATCH 1500

static void a_batch_stands_record_by_record(void)
{
    struct kit *k = begin();
    struct sl_value v = value_string("v", "x");
    struct sl_write *w = arena_alloc(&k->a, N_BATCH * sizeof(*w));
    struct write_outcome *o = arena_alloc(&k->a, N_BATCH * sizeof(*o));
    for (int i = 0; i < N_BATCH; i++)
        w[i] = kit_make(k, SL_CREATE, arena_printf(&k->a, "r%d", i), &v, 1);
    w[7].id = "../evil";
    w[8].id = w[6].id;
    w[9].idempotency_key = w[5].idempotency_key;
    w[10].kind = SL_UPDATE;
    CU_ASSERT_EQUAL(kit_write(k, "t", w, N_BATCH, o), SL_OK);
    int applied = 0;
    for (int i = 0; i < N_BATCH; i++)
        applied += o[i].result == SL_APPLIED && o[i].record && *o[i].record->version;
    CU_ASSERT_EQUAL(applied, N_BATCH - 4);
    CU_ASSERT_EQUAL(o[7].error_class, SL_REJECTED);
    CU_ASSERT_EQUAL(o[8].error_class, SL_EXISTS);
    CU_ASSERT(o[9].result == SL_NOT_APPLIED && o[5].result == SL_APPLIED);
    CU_ASSERT_EQUAL(kit_get(k, "t", "r9").kind, SL_ITEM_TOMBSTONE);
    CU_ASSERT_EQUAL(o[10].error_class, SL_GONE);
    CU_ASSERT_EQUAL(kit_pull(k, "t", 0), SL_OK);
    CU_ASSERT_EQUAL(k->n_got, N_BATCH - 4);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t/r5.json"), "{\n  \"v\": \"x\"\n}\n");
    CU_ASSERT_EQUAL(kit_count(k, "t", TEMP), 0);
    kit_close(k);
}

/* Two writes on one record in one batch: one of them wins, the other is told so. */
static void one_record_twice_in_a_batch(void)
{
    struct kit *k = begin();
    struct sl_value x = value_string("x", "1"), y = value_string("y", "1");
    kit_put(k, "t/a.json", "{}");
    struct sl_write w[] = {kit_make(k, SL_UPDATE, "a", &x, 1), kit_make(k, SL_UPDATE, "a", &y, 1)};
    struct write_outcome o[2];
    CU_ASSERT_EQUAL(kit_write(k, "t", w, 2, o), SL_OK);
    CU_ASSERT(o[0].result == SL_APPLIED && o[1].error_class == SL_CONFLICT);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t/a.json"), "{\"x\":\"1\"}");
    kit_close(k);
}

static void nap(void *self, uint32_t ms)
{
    (void)self;
    (void)ms;
}

static int64_t no_time(void *self)
{
    (void)self;
    return 0;
}

static void no_chance(void *self, void *bytes, size_t n)
{
    (void)self;
    memset(bytes, 0, n);
}

static int yes(void *self)
{
    (void)self;
    return 1;
}

static void another_writer_is_waited_for(void)
{
    static const struct session_world stopping = {NULL, no_time, no_chance, nap, yes, NULL, NULL};
    struct kit *k = begin_in(&stopping);
    int fd = open(kit_path(k, "t"), O_RDONLY | O_DIRECTORY);
    CU_ASSERT_EQUAL(flock(fd, LOCK_EX), 0);
    struct write_outcome o = kit_create(k, "t", "a", NULL, 0);
    CU_ASSERT(o.result == SL_NOT_APPLIED && o.error_class == SL_BUSY);
    CU_ASSERT(kit_says(o.message, "/t is being written to by another run: the next run tries again"));
    CU_ASSERT_EQUAL(kit_count(k, "t", "a"), 0);
    close(fd);
    o = kit_create(k, "t", "a", NULL, 0);
    CU_ASSERT(o.result == SL_NOT_APPLIED && o.error_class == SL_RETRY && kit_says(o.message, "stopped"));
    kit_close(k);
}

static void old_temporary_files_go(void)
{
    struct kit *k = begin();
    struct timespec old[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL) - 7200, .tv_nsec = 1}};
    kit_put(k, "t/" TEMP "OLD.tmp", "half");
    kit_put(k, "t/" TEMP "FRESH.tmp", "half");
    kit_put(k, "t/" TEMP "MINE.tmp", "half");
    kit_put(k, "t/.other.tmp", "not ours");
    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, kit_path(k, "t/" TEMP "OLD.tmp"), old, 0), 0);
    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, kit_path(k, "t/.other.tmp"), old, 0), 0);
    struct sl_write w = kit_make(k, SL_CREATE, "a", NULL, 0);
    w.idempotency_key = "MINE";
    CU_ASSERT_EQUAL(kit_do(k, "t", w).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t/a.json"), "{}\n");
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t/" TEMP "OLD.tmp"), "(none)");
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t/" TEMP "MINE.tmp"), "(none)");
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t/" TEMP "FRESH.tmp"), "half");
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t/.other.tmp"), "not ours");
    kit_close(k);
}

#define N_KILL 40

/* The batch of the killed writer: updates all files to one new text. */
static void update_all(struct kit *k, uint32_t flags, const char *text, struct write_outcome *o)
{
    struct sl_value v = value_string("v", text);
    struct sl_write w[N_KILL];
    for (int i = 0; i < N_KILL; i++) {
        w[i] = kit_make(k, SL_UPDATE, arena_printf(&k->a, "f%d", i), &v, 1);
        w[i].flags = flags;
        w[i].idempotency_key = arena_printf(&k->a, "KILL%d", i);
    }
    kit_write(k, "t", w, N_KILL, o);
}

static void killed_writer_leaves_old_or_new(void)
{
    struct kit *k = begin();
    struct write_outcome o[N_KILL];
    const char *file, *old_text = "{\"v\":\"old\"}", *new_text = "{\"v\":\"new\"}";
    int torn = 0;
    for (int round = 0; round < 15; round++) {
        for (int i = 0; i < N_KILL; i++) {
            file = arena_printf(&k->a, "t/f%d.json", i);
            kit_put(k, file, old_text);
        }
        pid_t pid = fork();
        if (pid == 0) {
            update_all(k, 0, "new", o);
            _exit(0);
        }
        kit_sleep_ms(2 + round * 2);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        for (int i = 0; i < N_KILL; i++) {
            file = kit_text(k, arena_printf(&k->a, "t/f%d.json", i));
            torn += strcmp(file, old_text) != 0 && strcmp(file, new_text) != 0;
        }
        update_all(k, SL_WRITE_REPEAT, "new", o);
        for (int i = 0; i < N_KILL; i++)
            torn += o[i].result != SL_APPLIED;
        CU_ASSERT_EQUAL(kit_count(k, "t", TEMP), 0);
    }
    CU_ASSERT_EQUAL(torn, 0);
    kit_close(k);
}

static const struct check tests[] = {
    {"what should be a folder and is none is said", no_folder_is_said},
    {"describe lists subfolders, and the root if it has records", describes_subfolders},
    {"a missing folder is empty, made by the first create only", missing_folder_is_empty_and_not_made},
    {"a missing root is an error, never an empty listing (I26)", missing_root_is_an_error},
    {"open without a root is refused", needs_a_root},
    {"objects outside the root are refused", refuses_objects_outside},
    {"a listing holds records and nothing else", lists_what_is_a_record},
    {"the version of an unchanged file stays (I11)", a_version_stays_while_nothing_changes},
    {"a file that cannot be read is named, never gone (I23)", unreadable_is_named_never_gone},
    {"links, folders and pipes are unreadable", odd_entries_are_unreadable},
    {"files over the limit are not read", large_files_are_not_read},
    {"ids that are no file name are refused, not gone", refused_ids_are_not_read_as_gone},
    {"200 edits of one size in one tick are all seen (I1)", edits_in_one_tick_are_seen},
    {"an edit right behind our write is seen (I1)", edits_behind_our_write_are_seen},
    {"a file touched just now has no version (I1)", just_touched_has_no_version},
    {"doubtful times have no version (I1)", doubtful_times_have_no_version},
    {"values stay exact (I32, I35)", values_stay_exact},
    {"a create is told as it is read, whatever the types (I13)", told_is_what_is_read},
    {"an update keeps unknown keys, order and style (I33)", update_keeps_the_rest},
    {"an update keeps mode and owner", update_keeps_the_mode},
    {"a create never replaces (I19)", create_never_replaces},
    {"a repeated create is one record (I19)", repeated_create_is_one},
    {"a changed file is not written (I24)", a_changed_file_is_not_written},
    {"reported versions are the ones read (I13, I24)", outcome_versions_go_on},
    {"an archive keeps every record", archive_keeps_every_one},
    {"an archive follows no link", archive_follows_no_link},
    {"ids and kinds that cannot be are refused", refuses_ids_and_kinds},
    {"a write the disk refuses leaves nothing", disk_faults_leave_nothing},
    {"a batch stands record by record (I23)", a_batch_stands_record_by_record},
    {"one record twice in a batch: the second is told", one_record_twice_in_a_batch},
    {"another writer is waited for", another_writer_is_waited_for},
    {"temporary files of killed runs go", old_temporary_files_go},
    {"a killed writer leaves old or new (I18)", killed_writer_leaves_old_or_new},
};

CHECK_MAIN("jsondir", tests)
