/* SPDX-License-Identifier: MIT */
/* test_csv.c - the csv connector: quotes and bytes kept, keys, listings and shortcuts, rewriting, and every refusal. */
#include "plugin_kit.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>

static int open_with(struct kit *k, const char *delimiter)
{
    struct sl_value settings[3] = {value_string("root", k->folder), value_string("key", "id"),
                                   value_string("delimiter", delimiter)};
    session_close(k->s);
    k->s = NULL;
    return kit_open_in(k, "csv", settings, 3, NULL);
}

static struct kit *begin(const char *text)
{
    struct kit *k = kit_new();
    if (text)
        kit_put(k, "t.csv", text);
    CU_ASSERT_EQUAL_FATAL(open_with(k, ","), SL_OK);
    return k;
}

static int pull_at(struct kit *k, const char *cursor, uint32_t flags, uint32_t page_max)
{
    struct sl_pull pull = {sizeof(pull), flags, "t", cursor ? arena_text(&k->a, cursor) : NULL, page_max};
    return session_pull(k->s, &pull, kit_sink(k), &k->a, &k->end, &k->e);
}

static const struct sl_object *describe(struct kit *k, const char *object)
{
    struct object_info *list = NULL;
    err_clear(&k->e);
    int rc = session_describe(k->s, object, &k->a, &list, &k->e);
    return rc == SL_OK && list ? &list->object : NULL;
}

static const struct sl_value *value(struct kit *k, const char *id, const char *name)
{
    static const struct sl_value none;
    struct got g = kit_get(k, "t", id);
    const struct sl_value *v = g.record ? record_field(g.record, name) : NULL;
    return v ? v : &none;
}

static struct write_outcome set(struct kit *k, const char *id, struct sl_value v)
{
    return kit_do(k, "t", kit_make(k, SL_UPDATE, id, &v, 1));
}

static bool refused(struct write_outcome o, int sl_class, const char *part)
{
    if (o.result == SL_NOT_APPLIED && o.error_class == sl_class)
        return kit_says(o.message, part);
    fprintf(stderr, "\n  result %d, class %s: %s\n", o.result, class_name(o.error_class), o.message ? o.message : "");
    return false;
}

/* --- settings, names, headers --- */

static void refuses_settings(void)
{
    struct kit *k = begin(NULL);
    static const char *const bad[] = {"", ",,", "\"", "\n", "\xc2\xa7"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        CU_ASSERT_EQUAL(open_with(k, bad[i]), SL_CONFIG);
        CU_ASSERT(kit_says(k->e.text, "`delimiter` is one character"));
    }
    struct sl_value root = value_string("root", k->folder);
    err_clear(&k->e);
    CU_ASSERT_EQUAL(kit_open_in(k, "csv", &root, 1, NULL), SL_CONFIG);
    CU_ASSERT(kit_says(k->e.text, "`key` is missing; name the column that holds the ids"));
    err_clear(&k->e);
    CU_ASSERT_EQUAL(kit_open_in(k, "csv", NULL, 0, NULL), SL_CONFIG);
    CU_ASSERT(kit_says(k->e.text, "`root` is missing"));
    kit_close(k);
}

static void refuses_roots(void)
{
    struct kit *k = begin("id\n");
    CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_OK);
    static const char *const cases[][2] = {{"absent", "is not there; create it or correct `root`"},
                                           {"t.csv", "is no folder; name the folder"}};
    for (size_t i = 0; i < 2; i++) {
        struct sl_value settings[2] = {value_string("root", kit_path(k, cases[i][0])), value_string("key", "id")};
        session_close(k->s);
        CU_ASSERT_EQUAL(kit_open_in(k, "csv", settings, 2, NULL), SL_OK);
        CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_CONFIG);
        CU_ASSERT(kit_says(k->e.text, cases[i][1]));
        CU_ASSERT_EQUAL(kit_create(k, "t", "1", NULL, 0).error_class, SL_CONFIG);
    }
    kit_close(k);
}

static void refuses_objects_outside(void)
{
    static const char *const names[] = {"../t", "..", "a/b", "/tmp/t", ".hidden", "", "a\nb", "link", "sub", "\xff"};
    struct kit *k = begin("id\n");
    CU_ASSERT_EQUAL(symlink("t.csv", kit_path(k, "link.csv")), 0);
    kit_mkdir(k, "sub.csv");
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        CU_ASSERT_EQUAL(kit_pull(k, names[i], 0), SL_CONFIG);
        CU_ASSERT_EQUAL(kit_create(k, names[i], "a", NULL, 0).result, SL_NOT_APPLIED);
    }
    CU_ASSERT_EQUAL(kit_pull(k, "link", 0), SL_CONFIG);
    CU_ASSERT(kit_says(k->e.text, "link.csv: a symbolic link, which is never followed"));
    kit_close(k);
}

static void refuses_headers(void)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "has no header row; give it one with the column id, or remove the file"},
        {"\nid\n", "has no header row"},
        {"a,b\n1,2\n", "t.csv has no column id, the `key`; there are: a, b"},
        {"id,a,a\n", "has two columns named a; rename one of them"},
        {"id,\xff\n", "is not UTF-8: column 2 of its header is no text"},
        {"\xff\xfei\n", "is UTF-16; save it as UTF-8"},
        {"id,\"a\"b\n", "its header has text behind a closing quote"},
        {"id,\"a\n1,2\n", "begins on line 1 has a quote that is never closed"},
    };
    struct kit *k = begin(NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        kit_put(k, "t.csv", cases[i].text);
        CU_ASSERT_NOT_EQUAL(pull_at(k, NULL, 0, 0), SL_OK);
        CU_ASSERT(kit_says(k->e.text, cases[i].says));
        CU_ASSERT_EQUAL(kit_create(k, "t", "1", NULL, 0).result, SL_NOT_APPLIED);
        CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), cases[i].text);
    }
    kit_close(k);
}

static void describes_the_header(void)
{
    struct kit *k = begin("\xef\xbb\xbfname,id,,\"two, words\"\r\n");
    const struct sl_object *o = describe(k, "t");
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    CU_ASSERT_EQUAL_FATAL(o->n_fields, 3);
    CU_ASSERT_STRING_EQUAL(o->fields[0].name, "name");
    CU_ASSERT(o->fields[0].flags == SL_FIELD_WRITABLE && o->fields[0].type == SL_STRING);
    CU_ASSERT_EQUAL(o->fields[1].flags, SL_FIELD_KEY | SL_FIELD_UNIQUE);
    CU_ASSERT_STRING_EQUAL(o->fields[2].name, "two, words");
    CU_ASSERT(o->id_rule == SL_ID_TEXT && o->id_max_bytes == 512 && o->batch_max == 10000);
    CU_ASSERT(o->caps & SL_CAP_OPEN_SCHEMA && o->caps & SL_CAP_CONDITIONAL && o->caps & SL_CAP_RESERVED_ID);
    kit_put(k, "u.csv", "id\n");
    kit_put(k, "u.archive.csv", "id\n");
    kit_put(k, ".v.csv", "id\n");
    kit_put(k, "bad.csv", "a\n");
    kit_put(k, "w.txt", "id\n");
    struct object_info *list = NULL;
    int n = 0;
    CU_ASSERT_EQUAL(session_describe(k->s, NULL, &k->a, &list, &k->e), SL_OK);
    for (; list; list = list->next, n++)
        CU_ASSERT(!strcmp(list->object.name, "t") || !strcmp(list->object.name, "u"));
    CU_ASSERT_EQUAL(n, 2);
    kit_close(k);
}

/* --- reading --- */

static void reads_cells_exactly(void)
{
    struct kit *k = begin("id,v,w\r\n"
                          "1,,\"\"\r\n"
                          "2,\"a\r\nb\",\"say \"\"hi\"\", ok\"\r\n"
                          "3, lead and trail ,=1+1\r\n"
                          "\r\n"
                          "4,123456789012345678,0.10\r\n"
                          "5,1e400,a\"b\n"
                          "6,\xf0\x9f\x8c\x8d,\"\"\"\"");
    CU_ASSERT_EQUAL(pull_at(k, NULL, 0, 0), SL_OK);
    CU_ASSERT(k->n_got == 6 && k->end.kind == SL_PAGE_COMPLETE);
    CU_ASSERT_EQUAL(value(k, "1", "v")->type, SL_NULL);
    CU_ASSERT(value(k, "1", "w")->type == SL_STRING && value(k, "1", "w")->text_size == 0);
    static const char *const want[][3] = {
        {"2", "v", "a\r\nb"},
        {"2", "w", "say \"hi\", ok"},
        {"3", "v", " lead and trail "},
        {"3", "w", "=1+1"},
        {"4", "v", "123456789012345678"},
        {"4", "w", "0.10"},
        {"5", "v", "1e400"},
        {"5", "w", "a\"b"},
        {"6", "v", "\xf0\x9f\x8c\x8d"},
        {"6", "w", "\""},
        {"6", "id", "6"},
    };
    for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
        const struct sl_value *v = value(k, want[i][0], want[i][1]);
        CU_ASSERT_EQUAL_FATAL(v->type, SL_STRING);
        CU_ASSERT_STRING_EQUAL(v->text, want[i][2]);
    }
    CU_ASSERT_EQUAL(kit_get(k, "t", "7").kind, SL_ITEM_TOMBSTONE);
    kit_close(k);
}

static void other_delimiters(void)
{
    struct kit *k = begin("id;v\n1;\"a;b\"\n2;a,b\n");
    CU_ASSERT_EQUAL(open_with(k, ";"), SL_OK);
    CU_ASSERT_STRING_EQUAL(value(k, "1", "v")->text, "a;b");
    CU_ASSERT_STRING_EQUAL(value(k, "2", "v")->text, "a,b");
    CU_ASSERT_EQUAL(set(k, "1", value_string("v", "x;y,z")).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id;v\n1;\"x;y,z\"\n2;a,b\n");
    CU_ASSERT_EQUAL(open_with(k, "\t"), SL_OK);
    kit_put(k, "t.csv", "id\tv\n1\ta,b;c\n");
    CU_ASSERT_STRING_EQUAL(value(k, "1", "v")->text, "a,b;c");
    kit_close(k);
}

static const char bad_rows[] = "id,v\n"
                               "1,a,b\n"
                               "2\n"
                               ",x\n"
                               "\"\",y\n"
                               "3,one\n"
                               "4,\"x\"y\n"
                               "3,two\n"
                               "5,\xc3\n"
                               "3,three\n"
                               "6,fine\n";

static void rows_that_cannot_be_read_are_said(void)
{
    static const struct {
        const char *id, *says;
    } cases[] = {
        {"1", "t.csv line 2 has 3 cells where the header has 2; correct it"},
        {"2", "t.csv line 3 has 1 cells"},
        {"(line 4)", "t.csv line 4 has a key that cannot be an id"},
        {"(line 5)", "t.csv line 5 has a key"},
        {"3", "t.csv line 6: the key 3 stands in more than one row"},
        {"4", "t.csv line 7 has text behind a closing quote"},
        {"5", "t.csv line 9: column v holds bytes that are not UTF-8"},
    };
    struct kit *k = begin(bad_rows);
    CU_ASSERT_EQUAL(pull_at(k, NULL, 0, 0), SL_OK);
    CU_ASSERT(k->n_got == 8 && k->end.kind == SL_PAGE_COMPLETE);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct got *g = kit_find(k, cases[i].id);
        CU_ASSERT(g && g->kind == SL_ITEM_UNREADABLE && kit_says(g->message, cases[i].says));
    }
    CU_ASSERT(kit_find(k, "6") && kit_find(k, "6")->kind == SL_ITEM_RECORD);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (cases[i].id[0] == '(')
            continue;
        CU_ASSERT_EQUAL(kit_get(k, "t", cases[i].id).kind, SL_ITEM_UNREADABLE);
        CU_ASSERT(refused(set(k, cases[i].id, value_string("v", "x")), SL_REJECTED, "t.csv line "));
        CU_ASSERT(refused(kit_create(k, "t", cases[i].id, NULL, 0), SL_REJECTED, "t.csv line "));
    }
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), bad_rows);
    CU_ASSERT_EQUAL(set(k, "6", value_string("v", "x")).result, SL_APPLIED);
    CU_ASSERT_EQUAL(strncmp(kit_text(k, "t.csv"), bad_rows, sizeof(bad_rows) - 8), 0);
    kit_close(k);
}

static void a_nul_is_unreadable(void)
{
    struct kit *k = begin(NULL);
    kit_put_bytes(k, "t.csv", "id,v\n1,a\0b\n2,x\n", 15);
    CU_ASSERT_EQUAL(pull_at(k, NULL, 0, 0), SL_OK);
    CU_ASSERT(k->n_got == 2 && kit_find(k, "1")->kind == SL_ITEM_UNREADABLE);
    kit_put_bytes(k, "t.csv", "id,v\0w\n1,a\n", 11);
    CU_ASSERT_EQUAL(pull_at(k, NULL, 0, 0), SL_CONFIG);
    kit_close(k);
}

static void a_quote_never_closed_deletes_nothing(void)
{
    struct kit *k = begin("id,v\n1,a\n2,\"b\n3,c\n");
    CU_ASSERT_EQUAL(pull_at(k, NULL, 0, 0), SL_BROKEN);
    CU_ASSERT(kit_says(k->e.text, "t.csv: the row that begins on line 3 has a quote that is never closed"));
    CU_ASSERT_EQUAL(k->end.kind, 0);
    CU_ASSERT(refused(set(k, "1", value_string("v", "x")), SL_BROKEN, "never closed"));
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,v\n1,a\n2,\"b\n3,c\n");
    kit_close(k);
}

static void lists_in_pages_of_any_size(void)
{
    struct kit *k = begin("id,v\n1,\"a\nb\"\n\n2,b\n3,c\n4,d\n5,e\n");
    for (uint32_t size = 1; size < 7; size++) {
        const char *cursor = NULL;
        size_t n = 0;
        do {
            CU_ASSERT_EQUAL_FATAL(pull_at(k, cursor, 0, size), SL_OK);
            CU_ASSERT(k->n_got <= size);
            n += k->n_got;
            cursor = k->end.cursor;
        } while (k->end.kind == SL_PAGE_MORE && n < 100);
        CU_ASSERT(n == 5 && k->end.kind == SL_PAGE_COMPLETE);
    }
    kit_close(k);
}

static void unchanged_is_done_at_once(void)
{
    struct kit *k = begin("id,v\n1,a\n2,b\n");
    CU_ASSERT_EQUAL(pull_at(k, NULL, 0, 0), SL_OK);
    const char *cursor = k->end.cursor;
    CU_ASSERT(k->n_got == 2 && k->end.kind == SL_PAGE_COMPLETE);
    CU_ASSERT_EQUAL(pull_at(k, cursor, 0, 0), SL_OK);
    CU_ASSERT(k->n_got == 0 && k->end.kind == SL_PAGE_DONE && !strcmp(k->end.cursor, cursor));
    CU_ASSERT_EQUAL(pull_at(k, cursor, SL_PULL_FULL, 0), SL_OK);
    CU_ASSERT(k->n_got == 2 && k->end.kind == SL_PAGE_COMPLETE);
    for (int i = 0; i < 30; i++) { /* equal size, in the same file, within one tick of the clock */
        kit_put(k, "t.csv", i % 2 ? "id,v\n1,a\n2,b\n" : "id,v\n1,a\n2,c\n");
        CU_ASSERT_EQUAL(pull_at(k, cursor, 0, 0), SL_OK);
        CU_ASSERT(k->n_got == 2 && k->end.kind == SL_PAGE_COMPLETE);
        cursor = k->end.cursor;
    }
    kit_close(k);
}

static void a_file_from_the_future_is_never_unchanged(void)
{
    struct kit *k = begin("id,v\n1,a\n");
    struct timespec times[2] = {{.tv_sec = time(NULL) + 86400}, {.tv_sec = time(NULL) + 86400}};
    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, kit_path(k, "t.csv"), times, 0), 0);
    CU_ASSERT_EQUAL(pull_at(k, NULL, 0, 0), SL_OK);
    CU_ASSERT_STRING_EQUAL(k->end.cursor, "csv1 -");
    CU_ASSERT_EQUAL(pull_at(k, k->end.cursor, 0, 0), SL_OK);
    CU_ASSERT(k->n_got == 1 && k->end.kind == SL_PAGE_COMPLETE);
    kit_put(k, "t.csv", "id,v\n1,a\n2,b\n3,c\n");
    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, kit_path(k, "t.csv"), times, 0), 0);
    CU_ASSERT_EQUAL(pull_at(k, NULL, 0, 2), SL_OK);
    CU_ASSERT_EQUAL(pull_at(k, k->end.cursor, 0, 2), SL_OK);
    CU_ASSERT(k->n_got == 1 && k->end.kind == SL_PAGE_COMPLETE && !strcmp(k->end.cursor, "csv1 -"));
    kit_close(k);
}

static void a_change_inside_a_listing_is_listed_next_time(void)
{
    struct kit *k = begin("id,v\n1,a\n2,b\n3,c\n");
    CU_ASSERT_EQUAL(pull_at(k, NULL, 0, 1), SL_OK);
    kit_put(k, "t.csv", "id,v\n2,b\n3,c\n");
    CU_ASSERT_EQUAL(pull_at(k, k->end.cursor, 0, 1), SL_OK);
    CU_ASSERT(k->n_got == 2 && k->end.kind == SL_PAGE_COMPLETE);
    CU_ASSERT_STRING_EQUAL(k->end.cursor, "csv1 -");
    CU_ASSERT_EQUAL(pull_at(k, k->end.cursor, 0, 0), SL_OK);
    CU_ASSERT(k->n_got == 2 && !kit_find(k, "1"));
    kit_close(k);
}

static void a_lost_file_deletes_nothing(void)
{
    struct kit *k = begin("id,v\n1,a\n");
    CU_ASSERT_EQUAL(pull_at(k, NULL, 0, 0), SL_OK);
    const char *cursor = k->end.cursor;
    CU_ASSERT_EQUAL(unlink(kit_path(k, "t.csv")), 0);
    CU_ASSERT_EQUAL(pull_at(k, cursor, 0, 0), SL_GONE);
    CU_ASSERT(kit_says(k->e.text, "t.csv is not there any more; put it back"));
    CU_ASSERT_EQUAL(pull_at(k, NULL, SL_PULL_FULL, 0), SL_GONE);
    kit_put(k, "t.csv", "");
    CU_ASSERT_EQUAL(pull_at(k, cursor, 0, 0), SL_CONFIG);
    kit_close(k);
}

static void a_file_that_never_was_is_empty_until_written(void)
{
    struct kit *k = begin(NULL);
    CU_ASSERT_EQUAL(pull_at(k, NULL, SL_PULL_RECORDS, 0), SL_OK);
    CU_ASSERT(k->n_got == 0 && k->end.kind == SL_PAGE_COMPLETE);
    CU_ASSERT_EQUAL(pull_at(k, k->end.cursor, 0, 0), SL_OK);
    CU_ASSERT(k->n_got == 0 && k->end.kind == SL_PAGE_DONE);
    CU_ASSERT(describe(k, "t")->n_fields == 1 && describe(k, "t")->caps & SL_CAP_OPEN_SCHEMA);
    CU_ASSERT_EQUAL(kit_get(k, "t", "1").kind, SL_ITEM_TOMBSTONE);
    CU_ASSERT(refused(kit_do(k, "t", kit_make(k, SL_DELETE, "1", NULL, 0)), SL_GONE, "no row with the key 1"));
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "(none)");
    struct sl_value v[3] = {value_string("name", "Ann"), value_null("none"), value_string("note", "")};
    CU_ASSERT_EQUAL(kit_create(k, "t", "1", v, 3).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,name,note\n1,Ann,\"\"\n");
    CU_ASSERT_EQUAL(pull_at(k, "csv1 none", 0, 0), SL_OK);
    CU_ASSERT(k->n_got == 1 && k->end.kind == SL_PAGE_COMPLETE);
    kit_close(k);
}

static void finds_by_a_columns_text(void)
{
    struct kit *k = begin("id,v,w\n1,a,\n2,a,\"\"\n3,b,5\n3,a,\n");
    static const struct {
        const char *name;
        int type;
        const char *text;
        size_t n;
    } cases[] = {{"v", SL_STRING, "a", 2},  {"w", SL_NULL, "", 1},    {"w", SL_STRING, "", 1},
                 {"id", SL_STRING, "2", 1}, {"v", SL_STRING, "b", 0}, {"absent", SL_STRING, "b", 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sl_value v = value_string(cases[i].name, cases[i].text);
        v.type = (uint32_t)cases[i].type;
        struct sl_find f = {.size = sizeof(f), .object = "t", .value = &v};
        CU_ASSERT_EQUAL(session_find(k->s, &f, kit_sink(k), &k->e), SL_OK);
        CU_ASSERT_EQUAL(k->n_got, cases[i].n);
        f.max_items = 1;
        CU_ASSERT_EQUAL(session_find(k->s, &f, kit_sink(k), &k->e), SL_OK);
        CU_ASSERT(k->n_got <= 1);
    }
    struct sl_find f = {.size = sizeof(f), .object = "t", .correlation = "0"};
    CU_ASSERT_EQUAL(session_find(k->s, &f, kit_sink(k), &k->e), SL_UNSUPPORTED);
    kit_close(k);
}

/* --- writing --- */

static const char styles[] = "\xef\xbb\xbfid,v,\"w\"\r\n"
                             "\"1\",\"plain\",x\r\n"
                             "2, blanks ,\"\"\r\n"
                             "\r\n"
                             "3,=SUM(A1),\"two\r\nlines\"\r\n"
                             "4,mixed,ending\n"
                             "5,last,";

static void what_is_not_written_stays_byte_for_byte(void)
{
    struct kit *k = begin(styles);
    CU_ASSERT_EQUAL(set(k, "1", value_string("w", "y")).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"),
                           "\xef\xbb\xbfid,v,\"w\"\r\n\"1\",\"plain\",y\r\n2, blanks ,\"\"\r\n\r\n"
                           "3,=SUM(A1),\"two\r\nlines\"\r\n4,mixed,ending\n5,last,");
    CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_DELETE, "3", NULL, 0)).result, SL_APPLIED);
    CU_ASSERT_EQUAL(kit_create(k, "t", "6", NULL, 0).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"),
                           "\xef\xbb\xbfid,v,\"w\"\r\n\"1\",\"plain\",y\r\n2, blanks ,\"\"\r\n\r\n"
                           "4,mixed,ending\n5,last,\r\n6,,\r\n");
    kit_close(k);
}

static void an_update_to_the_same_writes_nothing(void)
{
    struct kit *k = begin(styles);
    struct stat before, after;
    CU_ASSERT_EQUAL(stat(kit_path(k, "t.csv"), &before), 0);
    struct write_outcome o = set(k, "1", value_string("v", "plain"));
    CU_ASSERT(o.result == SL_APPLIED && !strcmp(kit_field(o.record, "v"), "plain"));
    CU_ASSERT_EQUAL(set(k, "2", value_string("w", "")).result, SL_APPLIED);
    CU_ASSERT_EQUAL(stat(kit_path(k, "t.csv"), &after), 0);
    CU_ASSERT(before.st_ino == after.st_ino && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
    kit_close(k);
}

static void writes_texts_exactly(void)
{
    static const char *const texts[] = {"",
                                        " lead",
                                        "trail\t",
                                        "cr\r\nlf\n",
                                        "a,b",
                                        "say \"x\"",
                                        "=1+1",
                                        "+1",
                                        "-1",
                                        "@x",
                                        "\xf0\x9f\x8c\x8d \xcc\x88",
                                        "007",
                                        "1e400",
                                        "'",
                                        "NULL"};
    struct kit *k = begin("id,v\n1,\n2,other\n");
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct write_outcome o = set(k, "1", value_string("v", texts[i]));
        CU_ASSERT(o.result == SL_APPLIED && !strcmp(kit_field(o.record, "v"), texts[i]));
        CU_ASSERT(value(k, "1", "v")->type == SL_STRING && !strcmp(value(k, "1", "v")->text, texts[i]));
        CU_ASSERT_STRING_EQUAL(kit_get(k, "t", "1").record->version, o.record->version);
    }
    CU_ASSERT_EQUAL(set(k, "1", value_string("v", "=1+1")).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,v\n1,=1+1\n2,other\n");
    CU_ASSERT_EQUAL(set(k, "1", value_null("v")).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,v\n1,\n2,other\n");
    kit_close(k);
}

static void writes_other_types_as_text(void)
{
    struct kit *k = begin("id\n");
    struct sl_value items[2] = {value_string(NULL, "b"), value_string(NULL, "a")};
    struct sl_value v[8] = {value_int("i", -5),
                            value_bool("b", true),
                            {.name = "d", .type = SL_DECIMAL, .text = "0.10", .text_size = 4},
                            {.name = "day", .type = SL_DATE, .number = 19782},
                            {.name = "at", .type = SL_TIMESTAMP, .number = 1709201472005, .grain_ms = 1},
                            {.name = "set", .type = SL_SET, .items = items, .n_items = 2, .item_size = sizeof(*items)},
                            {.name = "js", .type = SL_JSON, .text = "{\"a\":1}", .text_size = 7},
                            {.name = "ts", .type = SL_TIMESTAMP, .number = -1000, .grain_ms = 1000}};
    CU_ASSERT_EQUAL(kit_create(k, "t", "1", v, 8).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"),
                           "id,i,b,d,day,at,set,js,ts\n1,-5,true,0.10,2024-02-29,2024-02-29T10:11:12.005Z,"
                           "\"[\"\"a\"\",\"\"b\"\"]\",\"{\"\"a\"\":1}\",1969-12-31T23:59:59Z\n");
    kit_close(k);
}

static void new_fields_become_columns(void)
{
    struct kit *k = begin("id,v\n1,a\nragged\n2,\"b\"\n");
    const char *version = kit_get(k, "t", "2").record->version;
    struct sl_value v[2] = {value_string("new, one", "x"), value_null("nothing")};
    struct write_outcome o = kit_do(k, "t", kit_make(k, SL_UPDATE, "1", v, 2));
    CU_ASSERT(o.result == SL_APPLIED && !strcmp(kit_field(o.record, "new, one"), "x") &&
              !record_field(o.record, "nothing"));
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,v,\"new, one\"\n1,a,x\nragged,\n2,\"b\",\n");
    CU_ASSERT_STRING_EQUAL(kit_get(k, "t", "2").record->version, version);
    CU_ASSERT_EQUAL(kit_get(k, "t", "ragged").kind, SL_ITEM_UNREADABLE);
    CU_ASSERT(
        refused(kit_do(k, "t", kit_make(k, SL_UPDATE, "9", &(struct sl_value){.name = "other", .type = SL_BOOL}, 1)),
                SL_GONE, "no row"));
    CU_ASSERT_EQUAL(strncmp(kit_text(k, "t.csv"), "id,v,\"new, one\"\n", 16), 0);
    kit_close(k);
}

static void writes_are_conditional(void)
{
    struct kit *k = begin("id,v,w\n1,a,keep\n");
    struct sl_value v = value_string("v", "b");
    struct sl_write w = kit_make(k, SL_UPDATE, "1", &v, 1);
    w.expected_version = kit_get(k, "t", "1").record->version;
    kit_put(k, "t.csv", "id,v,w\n1,a,KEEP\n");
    CU_ASSERT(refused(kit_do(k, "t", w), SL_CONFLICT, "the row 1 of t.csv was changed since it was read"));
    w.expected_version = kit_get(k, "t", "1").record->version;
    struct write_outcome o = kit_do(k, "t", w);
    CU_ASSERT(o.result == SL_APPLIED && !strcmp(kit_field(o.record, "w"), "KEEP"));
    struct sl_write del = kit_make(k, SL_DELETE, "1", NULL, 0);
    del.expected_version = w.expected_version;
    CU_ASSERT(refused(kit_do(k, "t", del), SL_CONFLICT, "was changed"));
    del.expected_version = o.record->version;
    CU_ASSERT_EQUAL(kit_do(k, "t", del).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,v,w\n");
    CU_ASSERT(refused(kit_do(k, "t", del), SL_GONE, "no row with the key 1"));
    kit_close(k);
}

static void one_bad_write_leaves_the_others(void)
{
    struct kit *k = begin("id,v\n1,a\n2,b\n");
    struct sl_value v = value_string("v", "x"), other = value_string("id", "other");
    struct sl_write w[8];
    struct write_outcome o[8];
    w[0] = kit_make(k, SL_CREATE, "9", &v, 1);
    w[1] = kit_make(k, SL_CREATE, "1", &v, 1);
    w[2] = kit_make(k, SL_UPDATE, "2", &other, 1);
    w[3] = kit_make(k, SL_UPDATE, "7", &v, 1);
    w[4] = kit_make(k, SL_CREATE, "8", &v, 1);
    w[5] = kit_make(k, SL_DELETE, "2", NULL, 0);
    w[6] = kit_make(k, SL_CREATE, "2", &v, 1);
    w[7] = kit_make(k, SL_CREATE, "a\tb", &v, 1);
    CU_ASSERT_EQUAL(kit_write(k, "t", w, 8, o), SL_OK);
    CU_ASSERT_EQUAL(o[0].result, SL_APPLIED);
    CU_ASSERT(refused(o[1], SL_EXISTS, "already has a row with the key 1") &&
              !strcmp(kit_field(o[1].record, "v"), "a"));
    CU_ASSERT(refused(o[2], SL_REJECTED, "column id of t.csv is the key"));
    CU_ASSERT(refused(o[3], SL_GONE, "no row with the key 7"));
    CU_ASSERT(o[4].result == SL_APPLIED && o[5].result == SL_APPLIED && o[6].result == SL_APPLIED);
    CU_ASSERT(refused(o[7], SL_REJECTED, "cannot be a key"));
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,v\n1,a\n2,x\n9,x\n8,x\n");
    CU_ASSERT_EQUAL(kit_count(k, ".", "."), 2); /* . and .. */
    kit_close(k);
}

static void archives_beside_the_file(void)
{
    struct kit *k = begin("id,v\n1,\" a \"\n2,b\n");
    CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_ARCHIVE, "1", NULL, 0)).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,v\n2,b\n");
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.archive.csv"), "id,v\n1,\" a \"\n");
    kit_put(k, "t.csv", "w,id,v\nx,2,b\n,1,\" a \"\n"); /* as after a kill between the two files; and a column more */
    struct sl_write w[2] = {kit_make(k, SL_ARCHIVE, "1", NULL, 0), kit_make(k, SL_ARCHIVE, "2", NULL, 0)};
    struct write_outcome o[2];
    CU_ASSERT_EQUAL(kit_write(k, "t", w, 2, o), SL_OK);
    CU_ASSERT(o[0].result == SL_APPLIED && o[1].result == SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "w,id,v\n");
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.archive.csv"), "id,v,w\n1,\" a \",\n2,b,x\n");
    kit_close(k);
}

static void a_locked_folder_is_said(void)
{
    struct kit *k = begin("id,v\n1,a\n");
    int fd = open(k->folder, O_RDONLY | O_DIRECTORY);
    CU_ASSERT_EQUAL(flock(fd, LOCK_EX), 0);
    CU_ASSERT(
        refused(set(k, "1", value_string("v", "b")), SL_BUSY, "is locked by another program; close it or run again"));
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,v\n1,a\n");
    close(fd);
    CU_ASSERT_EQUAL(set(k, "1", value_string("v", "b")).result, SL_APPLIED);
    kit_close(k);
}

/* Another program that edits t.csv whenever the connector waits for a file to settle, edits_left times. */
static struct kit *editor_of;
static int edits_left;

static void edit_meanwhile(void *self, uint32_t ms)
{
    (void)self;
    if (edits_left > 0) {
        edits_left--;
        kit_put(editor_of, "t.archive.csv", "id,v\n");
        kit_put(editor_of, "t.csv", arena_printf(&editor_of->a, "id,v\n1,a\n2,edit %d\n", edits_left));
    }
    kit_sleep_ms((long)ms);
}

static struct write_outcome archive_while_edited(struct kit *k, int edits)
{
    struct session_world world = session_real_world;
    struct sl_value settings[2] = {value_string("root", k->folder), value_string("key", "id")};
    world.sleep_ms = edit_meanwhile;
    session_close(k->s);
    CU_ASSERT_EQUAL_FATAL(kit_open_in(k, "csv", settings, 2, &world), SL_OK);
    kit_sleep_ms(30); /* t.csv is settled, its archive is not: the wait comes after t.csv was read */
    kit_put(k, "t.archive.csv", "id,v\n");
    editor_of = k;
    edits_left = edits;
    return kit_do(k, "t", kit_make(k, SL_ARCHIVE, "1", NULL, 0));
}

static void an_edit_meanwhile_is_not_lost(void)
{
    struct kit *k = begin("id,v\n1,a\n2,old\n");
    CU_ASSERT_EQUAL(archive_while_edited(k, 1).result, SL_APPLIED);
    CU_ASSERT_EQUAL(edits_left, 0);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,v\n2,edit 0\n");
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.archive.csv"), "id,v\n1,a\n");
    kit_close(k);
}

static void a_file_that_never_rests_is_said(void)
{
    struct kit *k = begin("id,v\n1,a\n2,old\n");
    CU_ASSERT(refused(archive_while_edited(k, 1000), SL_BUSY,
                      "t.csv is being written to by another program; close it or run again"));
    CU_ASSERT_EQUAL(strncmp(kit_text(k, "t.csv"), "id,v\n1,a\n2,edit ", 16), 0);
    edits_left = 0;
    kit_close(k);
}

static int take_and_edit(void *self, const struct sl_item *item)
{
    struct kit *k = self;
    kit_put(k, "t.csv", "id,v\n1,a\n");
    return kit_take(k, item);
}

static void a_file_written_while_it_is_read_shows_nothing(void)
{
    struct kit *k = begin("id,v\n1,a\n2,old\n");
    struct sl_pull pull = {.size = sizeof(pull), .object = "t"};
    struct session_sink sink = kit_sink(k);
    sink.take = take_and_edit;
    CU_ASSERT_EQUAL(session_pull(k->s, &pull, sink, &k->a, &k->end, &k->e), SL_RETRY);
    CU_ASSERT(kit_says(k->e.text, "t.csv was written to while it was read; run again"));
    CU_ASSERT_EQUAL(k->end.kind, 0);
    kit_close(k);
}

static void a_full_disk_leaves_the_old_file(void)
{
    struct kit *k = begin("id,v\n1,a\n");
    char *large = arena_alloc(&k->a, 300001);
    memset(large, 'x', 300000);
    struct sl_value v = value_string("v", large);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit limit = {100000, 100000};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        struct write_outcome o = set(k, "1", v);
        _exit(o.result == SL_NOT_APPLIED && o.error_class == SL_RETRY ? 0 : 1);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,v\n1,a\n");
    CU_ASSERT_EQUAL(kit_count(k, ".", "."), 2);
    kit_close(k);
}

static void the_files_mode_is_kept(void)
{
    struct kit *k = begin("id,v\n1,a\n");
    struct stat st;
    CU_ASSERT_EQUAL(chmod(kit_path(k, "t.csv"), 0640), 0);
    CU_ASSERT_EQUAL(set(k, "1", value_string("v", "b")).result, SL_APPLIED);
    CU_ASSERT(stat(kit_path(k, "t.csv"), &st) == 0 && (st.st_mode & 07777) == 0640);
    kit_close(k);
}

enum { MANY = 20000 };

static void put_many(struct kit *k)
{
    struct buf text = {0};
    buf_text(&text, "id,v\n");
    for (int i = 0; i < MANY; i++)
        buf_printf(&text, "%d,old value of a row\n", i);
    kit_put(k, "t.csv", text.data);
    buf_fini(&text);
}

/* True if every row of the file has the same value. */
static bool all_alike(struct kit *k)
{
    FILE *f = fopen(kit_path(k, "t.csv"), "r");
    char line[200], first[200] = "";
    int n = 0;
    bool alike = true;
    while (f && fgets(line, sizeof(line), f)) {
        const char *v = strchr(line, ',');
        if (n == 1)
            snprintf(first, sizeof(first), "%s", v);
        alike = alike && v && (n < 1 || strcmp(v, first) == 0);
        n++;
    }
    if (f)
        fclose(f);
    return alike && n == MANY + 1;
}

static void a_kill_leaves_the_old_or_the_new_file(void)
{
    struct kit *k = begin(NULL);
    static struct sl_write w[MANY];
    static struct write_outcome o[MANY];
    put_many(k);
    for (long delay = 0; delay < 8; delay++) {
        struct sl_value v = value_string("v", arena_printf(&k->a, "value %ld", delay));
        for (int i = 0; i < MANY; i++)
            w[i] = kit_make(k, SL_UPDATE, arena_printf(&k->a, "%d", i), &v, 1);
        pid_t pid = fork();
        if (pid == 0) {
            kit_write(k, "t", w, MANY, o);
            _exit(0);
        }
        kit_sleep_ms(delay * 12);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        CU_ASSERT(all_alike(k));
    }
    CU_ASSERT_EQUAL(set(k, "0", value_string("v", "last")).result, SL_APPLIED);
    CU_ASSERT_EQUAL(kit_count(k, ".", "."), 2); /* what a kill left behind is cleared away */
    kit_close(k);
}

static void long_rows_and_many_rows(void)
{
    struct kit *k = begin(NULL);
    struct buf text = {0};
    buf_text(&text, "id,v\n");
    for (int i = 0; i < 5; i++) {
        buf_printf(&text, "%d,\"", i);
        for (int j = 0; j < 60000; j++)
            buf_text(&text, j % 7 ? "text " : "\"\"\r\n");
        buf_text(&text, "\"\n");
    }
    kit_put(k, "t.csv", text.data);
    CU_ASSERT_EQUAL(pull_at(k, NULL, 0, 0), SL_OK);
    CU_ASSERT_EQUAL_FATAL(k->n_got, 5);
    for (size_t i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(strlen(kit_field(k->got[i].record, "v")), 8572 * 3 + 51428 * 5);
    CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_DELETE, "9", NULL, 0)).error_class, SL_GONE);
    CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_DELETE, "4", NULL, 0)).result, SL_APPLIED);
    CU_ASSERT_EQUAL(pull_at(k, NULL, 0, 0), SL_OK);
    CU_ASSERT_EQUAL(k->n_got, 4);
    buf_fini(&text);
    kit_close(k);
}

static void webhooks_are_not_for_files(void)
{
    struct kit *k = begin(NULL);
    struct sl_hook hook = {.size = sizeof(hook)};
    CU_ASSERT_EQUAL(session_webhook(k->s, &hook, kit_sink(k), &k->e), SL_UNSUPPORTED);
    CU_ASSERT(kit_says(k->e.text, "sends no webhooks"));
    kit_close(k);
}

static const struct check tests[] = {
    {"settings are refused by name", refuses_settings},
    {"roots are refused by name", refuses_roots},
    {"objects outside the root are refused", refuses_objects_outside},
    {"headers are refused with file and column", refuses_headers},
    {"the header is described", describes_the_header},
    {"cells are read exactly (I35)", reads_cells_exactly},
    {"other delimiters", other_delimiters},
    {"rows that cannot be read are said by line and stay", rows_that_cannot_be_read_are_said},
    {"a NUL is unreadable", a_nul_is_unreadable},
    {"a quote never closed deletes nothing (I26)", a_quote_never_closed_deletes_nothing},
    {"pages of any size list every row once (I16)", lists_in_pages_of_any_size},
    {"unchanged: done at once; any change: listed (I1)", unchanged_is_done_at_once},
    {"a file from the future is never unchanged (I1)", a_file_from_the_future_is_never_unchanged},
    {"a change inside a listing is listed next time (I22)", a_change_inside_a_listing_is_listed_next_time},
    {"a lost file deletes nothing (I26)", a_lost_file_deletes_nothing},
    {"a file that never was is empty until written", a_file_that_never_was_is_empty_until_written},
    {"records are found by a column's text", finds_by_a_columns_text},
    {"what is not written stays byte for byte (I33)", what_is_not_written_stays_byte_for_byte},
    {"an update to the same writes nothing (I36)", an_update_to_the_same_writes_nothing},
    {"texts are written exactly, formulas stay data", writes_texts_exactly},
    {"other types are written as text", writes_other_types_as_text},
    {"new fields become columns", new_fields_become_columns},
    {"writes are conditional (I24)", writes_are_conditional},
    {"one bad write leaves the others (I23)", one_bad_write_leaves_the_others},
    {"archives beside the file, once", archives_beside_the_file},
    {"a locked folder is said", a_locked_folder_is_said},
    {"an edit meanwhile is not lost (I24)", an_edit_meanwhile_is_not_lost},
    {"a file that never rests is said", a_file_that_never_rests_is_said},
    {"a file written while it is read shows nothing (I26)", a_file_written_while_it_is_read_shows_nothing},
    {"a full disk leaves the old file (I18)", a_full_disk_leaves_the_old_file},
    {"the file's mode is kept", the_files_mode_is_kept},
    {"a kill leaves the old or the new file (I18)", a_kill_leaves_the_old_or_the_new_file},
    {"long rows", long_rows_and_many_rows},
    {"webhooks are not for files", webhooks_are_not_for_files},
};
CHECK_MAIN("csv", tests)
