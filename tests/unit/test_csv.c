/* SPDX-License-Identifier: MIT */
/* test_csv.c - the csv connector reads: headers, exact cells, listings and shortcuts, and every refusal. */
#include "csv_kit.h"

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
    CU_ASSERT(kit_says(k->e.text, "`root` is missing; name the folder of the .csv files"));
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
    err_clear(&k->e);
    CU_ASSERT_EQUAL(kit_pull(k, "../t", 0), SL_CONFIG);
    CU_ASSERT(kit_says(k->e.text, "the object \"../t\" is no name of a file in "));
    err_clear(&k->e);
    CU_ASSERT_EQUAL(kit_pull(k, "sub", 0), SL_CONFIG);
    CU_ASSERT(kit_says(k->e.text, "sub.csv is no file; move it away or name another object"));
    err_clear(&k->e);
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
    CU_ASSERT(kit_says(k->e.text, "csv files keep no correlation keys; look a record up by a column"));
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
};
CHECK_MAIN("csv", tests)
