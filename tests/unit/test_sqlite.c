/* SPDX-License-Identifier: MIT */
/* test_sqlite.c - the sqlite connector reads: keys, exact values, listings and shortcuts, and every refusal. */
#include "sqlite_kit.h"

/* --- describe --- */

static void describes_types_by_declaration(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, i INT, b BOOLEAN, r REAL, n NUMERIC(10,2), d DATE,"
                          " ts DATETIME, j JSON, s VARCHAR(20), x, need TEXT NOT NULL, dflt TEXT NOT NULL DEFAULT 'a',"
                          " email TEXT UNIQUE, st TEXT CHECK (st IN ('open', 'it''s')), g INT AS (i+1),"
                          " [two words] TEXT)");
    const struct sl_object *o = describe(k, "t");
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    static const struct {
        const char *name;
        uint32_t type, flags;
    } want[] = {
        {"id", SL_INT, SL_FIELD_KEY | SL_FIELD_UNIQUE},
        {"i", SL_INT, SL_FIELD_WRITABLE},
        {"b", SL_BOOL, SL_FIELD_WRITABLE},
        {"r", SL_DECIMAL, SL_FIELD_WRITABLE},
        {"n", SL_DECIMAL, SL_FIELD_WRITABLE},
        {"d", SL_DATE, SL_FIELD_WRITABLE},
        {"ts", SL_TIMESTAMP, SL_FIELD_WRITABLE},
        {"j", SL_JSON, SL_FIELD_WRITABLE},
        {"s", SL_STRING, SL_FIELD_WRITABLE},
        {"x", SL_ABSENT, SL_FIELD_WRITABLE},
        {"need", SL_STRING, SL_FIELD_WRITABLE | SL_FIELD_REQUIRED},
        {"dflt", SL_STRING, SL_FIELD_WRITABLE},
        {"email", SL_STRING, SL_FIELD_WRITABLE | SL_FIELD_UNIQUE},
        {"st", SL_ENUM, SL_FIELD_WRITABLE},
        {"g", SL_INT, 0},
        {"two words", SL_STRING, SL_FIELD_WRITABLE},
    };
    CU_ASSERT_EQUAL(o->n_fields, sizeof(want) / sizeof(*want));
    for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
        const struct sl_field *f = field(o, want[i].name);
        if (!f->name || f->type != want[i].type || f->flags != want[i].flags)
            fprintf(stderr, "\n  %s: type %u flags %u\n", want[i].name, f->type, f->flags);
        CU_ASSERT(f->name && f->type == want[i].type && f->flags == want[i].flags);
    }
    CU_ASSERT_EQUAL_FATAL(field(o, "st")->n_values, 2);
    CU_ASSERT_STRING_EQUAL(field(o, "st")->values[1], "it's");
    CU_ASSERT(o->batch_max == 10000 && o->late_ms == 0 && o->index_lag_ms == 0 && o->stale_ms == 0);
    CU_ASSERT((o->caps & SL_CAP_CONDITIONAL) && (o->caps & SL_CAP_RESERVED_ID) && !(o->caps & SL_CAP_DELETE_FEED));
    kit_close(k);
}

static void an_uncertain_check_gives_no_values(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY,"
                          " a TEXT CHECK (a IN ('x') OR a > 'm'), b TEXT, /* CHECK (b IN ('no')) */"
                          " c TEXT DEFAULT 'CHECK (c IN (''no''))', d TEXT CHECK (d IN ('x', 5)))");
    const struct sl_object *o = describe(k, "t");
    static const char *const names[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT(field(o, names[i])->type == SL_STRING && field(o, names[i])->n_values == 0);
    kit_close(k);
}

static void finds_the_key_and_the_next_id(void)
{
    struct kit *k =
        begin("CREATE TABLE n(id INTEGER PRIMARY KEY, v); INSERT INTO n VALUES(41,1);"
              "CREATE TABLE auto(id INTEGER PRIMARY KEY AUTOINCREMENT, v);"
              "INSERT INTO auto VALUES(900,1); DELETE FROM auto;"
              "CREATE TABLE empty(id INTEGER PRIMARY KEY, v); CREATE TABLE neg(id INT PRIMARY KEY, v);"
              "INSERT INTO neg VALUES(-7,1),('stray',2);"
              "CREATE TABLE full(id INTEGER PRIMARY KEY, v); INSERT INTO full VALUES(9223372036854775807,1);"
              "CREATE TABLE x(code VARCHAR(9) PRIMARY KEY, v) WITHOUT ROWID");
    CU_ASSERT(describe(k, "n")->next_id == 42 && describe(k, "n")->id_rule == SL_ID_INTEGER);
    CU_ASSERT_EQUAL(describe(k, "auto")->next_id, 901);
    CU_ASSERT_EQUAL(describe(k, "empty")->next_id, 1);
    CU_ASSERT_EQUAL(describe(k, "neg")->next_id, 1);
    CU_ASSERT(!(describe(k, "full")->caps & (SL_CAP_CREATE | SL_CAP_RESERVED_ID)));
    CU_ASSERT(describe(k, "full")->caps & SL_CAP_UPDATE);
    CU_ASSERT_EQUAL(describe(k, "x")->id_rule, SL_ID_TEXT);
    CU_ASSERT(field(describe(k, "x"), "code")->flags & SL_FIELD_KEY);
    kit_close(k);
}

static void refuses_tables_without_a_usable_key(void)
{
    static const struct {
        const char *name;
        int sl_class;
        const char *says;
    } cases[] = {
        {"nokey", SL_CONFIG, "has no primary key; give it one"},
        {"two", SL_CONFIG, "primary key of 2 columns (a, b); give it a key of one column"},
        {"blobkey", SL_CONFIG, "key column id of table blobkey"},
        {"realkey", SL_CONFIG, "neither INTEGER nor TEXT"},
        {"noid", SL_CONFIG, "view noid of "},
        {"absent", SL_GONE, "table absent is not in "},
        {"sqlite_schema", SL_GONE, "there are: "},
        {"Good", SL_GONE, "good"},
    };
    struct kit *k = begin("CREATE TABLE nokey(a); CREATE TABLE two(a, b, PRIMARY KEY(a, b));"
                          "CREATE TABLE blobkey(id BLOB PRIMARY KEY); CREATE TABLE realkey(id REAL PRIMARY KEY);"
                          "CREATE TABLE good(id INTEGER PRIMARY KEY, a); CREATE VIEW noid AS SELECT a FROM good;"
                          "CREATE VIEW withid AS SELECT id, a FROM good");
    struct object_info *list = NULL;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        err_clear(&k->e);
        CU_ASSERT_EQUAL(session_describe(k->s, cases[i].name, &k->a, &list, &k->e), cases[i].sl_class);
        CU_ASSERT(kit_says(k->e.text, cases[i].says));
        err_clear(&k->e);
        CU_ASSERT_EQUAL(pull_at(k, cases[i].name, NULL, 0, 0), cases[i].sl_class);
        CU_ASSERT_EQUAL(kit_create(k, cases[i].name, "1", NULL, 0).error_class, cases[i].sl_class);
    }
    err_clear(&k->e);
    CU_ASSERT_EQUAL(session_describe(k->s, NULL, &k->a, &list, &k->e), SL_OK);
    int n = 0;
    for (; list; list = list->next, n++)
        CU_ASSERT(!strcmp(list->object.name, "good") || !strcmp(list->object.name, "withid"));
    CU_ASSERT_EQUAL(n, 2);
    kit_close(k);
}

static void refuses_files_that_are_none(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY)");
    CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_OK);
    CU_ASSERT_EQUAL(unlink(kit_path(k, "my.db")), 0);
    CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_CONFIG);
    CU_ASSERT(kit_says(k->e.text, "is not there") && kit_says(k->e.text, "create the database or correct `file`"));
    CU_ASSERT_EQUAL(kit_count(k, ".", "my.db"), 0);
    kit_put(k, "my.db",
            "this is a text file and by no means a database, however long one looks at it, "
            "for it goes on and on until it has more than a hundred bytes");
    err_clear(&k->e);
    CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_CONFIG);
    CU_ASSERT(kit_says(k->e.text, "is not a SQLite database"));
    CU_ASSERT_EQUAL(kit_create(k, "t", "1", NULL, 0).error_class, SL_CONFIG);
    CU_ASSERT_EQUAL(unlink(kit_path(k, "my.db")), 0);
    kit_mkdir(k, "my.db");
    err_clear(&k->e);
    CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_CONFIG);
    CU_ASSERT(kit_says(k->e.text, "is not a file"));
    CU_ASSERT_EQUAL(rmdir(kit_path(k, "my.db")), 0);
    session_close(k->s);
    k->s = NULL;
    err_clear(&k->e);
    CU_ASSERT_EQUAL(kit_open_in(k, "sqlite", NULL, 0, NULL), SL_CONFIG);
    CU_ASSERT(kit_says(k->e.text, "`file` is missing"));
    kit_close(k);
}

static void a_misspelt_modified_is_found_by_check(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, changed TEXT)");
    CU_ASSERT_EQUAL(open_with(k, "chnaged", 50), SL_OK);
    CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_CONFIG);
    CU_ASSERT(kit_says(k->e.text, "has a column chnaged; correct the setting `modified`"));
    kit_close(k);
}

/* --- values --- */

static void reads_values_exactly(void)
{
    struct kit *k = begin(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, big INT, b BOOL, r REAL, n NUMERIC, d DATE, ts TIMESTAMP, j JSON, s "
        "TEXT, x);"
        "INSERT INTO t VALUES(123456789012345678, 987654321098765432, 1, 0.1, 5, '2024-02-29', '2024-02-29 10:11:12.5',"
        " '{\"a\": [1, 2.50]}', '', x'c3a4');"
        "INSERT INTO t VALUES(2, -1, 7, 1e22, 'ten', '2023-02-29', '2024-02-29T10:11:12+02:00', '[1', ' "
        "\xf0\x9f\x8c\x8d' ||"
        " char(13,10) || 'x ', NULL);"
        "INSERT INTO t VALUES(3, 'text', 'true', 1.7976931348623157e308, 12345678901234567890, '', '2024-02-29 "
        "10:11:12.123456',"
        " '5', 'x', 1.5)");
    const char *one = "123456789012345678";
    CU_ASSERT(value(k, "t", one, "id")->number == 123456789012345678 && value(k, "t", one, "id")->type == SL_INT);
    CU_ASSERT_EQUAL(value(k, "t", one, "big")->number, 987654321098765432);
    CU_ASSERT(value(k, "t", one, "b")->type == SL_BOOL && value(k, "t", one, "b")->number == 1);
    CU_ASSERT_EQUAL(value(k, "t", one, "r")->type, SL_DECIMAL);
    CU_ASSERT_STRING_EQUAL(value(k, "t", one, "r")->text, "0.1");
    CU_ASSERT(value(k, "t", one, "n")->type == SL_INT && value(k, "t", one, "n")->number == 5);
    CU_ASSERT(value(k, "t", one, "d")->type == SL_DATE && value(k, "t", one, "d")->number == 19782);
    CU_ASSERT(value(k, "t", one, "ts")->type == SL_TIMESTAMP && value(k, "t", one, "ts")->number == 1709201472500);
    CU_ASSERT_EQUAL(value(k, "t", one, "ts")->grain_ms, 100);
    CU_ASSERT_EQUAL(value(k, "t", one, "j")->type, SL_JSON);
    CU_ASSERT_STRING_EQUAL(value(k, "t", one, "j")->text, "{\"a\":[1,2.50]}");
    CU_ASSERT(value(k, "t", one, "s")->type == SL_STRING && value(k, "t", one, "s")->text_size == 0);
    CU_ASSERT_STRING_EQUAL(value(k, "t", one, "x")->text, "\xc3\xa4");
    CU_ASSERT_EQUAL(value(k, "t", "2", "b")->type, SL_INT);
    CU_ASSERT_STRING_EQUAL(value(k, "t", "2", "r")->text, "1e+22");
    CU_ASSERT_EQUAL(value(k, "t", "2", "n")->type, SL_STRING);
    CU_ASSERT(value(k, "t", "2", "d")->type == SL_STRING && !strcmp(value(k, "t", "2", "d")->text, "2023-02-29"));
    CU_ASSERT_EQUAL(value(k, "t", "2", "ts")->number, 1709194272000);
    CU_ASSERT(value(k, "t", "2", "j")->type == SL_STRING && !strcmp(value(k, "t", "2", "j")->text, "[1"));
    CU_ASSERT_STRING_EQUAL(value(k, "t", "2", "s")->text, " \xf0\x9f\x8c\x8d\r\nx ");
    CU_ASSERT_EQUAL(value(k, "t", "2", "x")->type, SL_NULL);
    CU_ASSERT_STRING_EQUAL(value(k, "t", "3", "big")->text, "text");
    CU_ASSERT_STRING_EQUAL(value(k, "t", "3", "b")->text, "true");
    CU_ASSERT_STRING_EQUAL(value(k, "t", "3", "r")->text, "1.7976931348623157e+308");
    CU_ASSERT_EQUAL(value(k, "t", "3", "ts")->type, SL_STRING);
    CU_ASSERT(value(k, "t", "3", "j")->type == SL_INT && value(k, "t", "3", "j")->number == 5);
    CU_ASSERT_STRING_EQUAL(value(k, "t", "3", "x")->text, "1.5");
    kit_close(k);
}

static void what_is_no_text_is_unreadable(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, photo BLOB, name TEXT, r REAL);"
                          "INSERT INTO t VALUES(1, x'ff00', 'a', 1), (2, NULL, 'a' || char(0) || 'b', 1),"
                          " (3, NULL, CAST(x'c328' AS TEXT), 1), (4, NULL, 'a', 9e999), (5, NULL, 'fine', 1);"
                          "CREATE TABLE k(id TEXT PRIMARY KEY, v);"
                          "INSERT INTO k VALUES(NULL,1),('',2),(x'61',3),('a' || char(10),4),('good',5)");
    static const struct {
        const char *id, *says;
    } cases[] = {
        {"1", "column photo of table t holds bytes that are no text"},
        {"2", "column name of table t holds bytes"},
        {"3", "column name of table t"},
        {"4", "column r of table t holds a number too large"},
    };
    CU_ASSERT_EQUAL(pull_at(k, "t", NULL, 0, 0), SL_OK);
    CU_ASSERT_EQUAL(k->n_got, 5);
    for (size_t i = 0; i < 4; i++) {
        const struct got *g = kit_find(k, cases[i].id);
        CU_ASSERT(g && g->kind == SL_ITEM_UNREADABLE && kit_says(g->message, cases[i].says));
    }
    CU_ASSERT_EQUAL(kit_find(k, "5")->kind, SL_ITEM_RECORD);
    CU_ASSERT_EQUAL(pull_at(k, "k", NULL, 0, 2), SL_OK);
    CU_ASSERT_EQUAL(pull_at(k, "k", NULL, 0, 0), SL_OK);
    CU_ASSERT_EQUAL(k->n_got, 5);
    int bad = 0;
    for (size_t i = 0; i < k->n_got; i++)
        bad += k->got[i].kind == SL_ITEM_UNREADABLE && kit_says(k->got[i].message, "has a key that cannot be an id");
    CU_ASSERT_EQUAL(bad, 4);
    CU_ASSERT_EQUAL(k->end.kind, SL_PAGE_COMPLETE);
    kit_close(k);
}

static void writes_values_exactly_or_refuses(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, n NUMERIC, r REAL, s TEXT, x, m MONEY, i INT);"
                          "INSERT INTO t(id) VALUES(1)");
    struct write_outcome o = set(k, "t", "1", decimal("n", "0.10"));
    CU_ASSERT(o.result == SL_APPLIED && !strcmp(kit_field(o.record, "n"), "0.1"));
    o = set(k, "t", "1", decimal("s", "0.10"));
    CU_ASSERT(o.result == SL_APPLIED && !strcmp(kit_field(o.record, "s"), "0.10"));
    o = set(k, "t", "1", decimal("x", "0.10"));
    CU_ASSERT(o.result == SL_APPLIED && !strcmp(kit_field(o.record, "x"), "0.10"));
    o = set(k, "t", "1", decimal("x", "1e400"));
    CU_ASSERT(o.result == SL_APPLIED && !strcmp(kit_field(o.record, "x"), "1e400"));
    CU_ASSERT(
        refused(set(k, "t", "1", decimal("n", "1e400")), SL_REJECTED, "column n of table t would turn 1e400 into"));
    CU_ASSERT(refused(set(k, "t", "1", decimal("r", "12345678901234567.89")), SL_REJECTED, "declare it TEXT"));
    CU_ASSERT(refused(set(k, "t", "1", decimal("n", "12345678901234567890")), SL_REJECTED, "12345678901234567890"));
    CU_ASSERT(refused(set(k, "t", "1", decimal("n", "1e-400")), SL_REJECTED, "1e-400"));
    CU_ASSERT(refused(set(k, "t", "1", value_int("r", 9007199254740993)), SL_REJECTED, "9007199254740993"));
    CU_ASSERT(refused(set(k, "t", "1", value_string("m", "007")), SL_REJECTED, "column m of table t would turn 007"));
    CU_ASSERT(refused(set(k, "t", "1", value_string("i", " 7")), SL_REJECTED, "column i"));
    CU_ASSERT(refused(set(k, "t", "1", value_string("m", "+49")), SL_REJECTED, "+49"));
    CU_ASSERT_EQUAL(set(k, "t", "1", value_string("m", "EUR 7")).result, SL_APPLIED);
    CU_ASSERT_EQUAL(set(k, "t", "1", value_int("n", 123456789012345678)).result, SL_APPLIED);
    CU_ASSERT_EQUAL(set(k, "t", "1", decimal("r", "-1.25e3")).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT n, r, m FROM t"), "123456789012345678|-1250.0|EUR 7");
    static const char *const texts[] = {"",    " lead and trail ", "cr\r\nlf\n", "\xf0\x9f\x8c\x8d \xcc\x88", "=1+1",
                                        "007", "it's \"q\""};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        o = set(k, "t", "1", value_string("s", texts[i]));
        CU_ASSERT(o.result == SL_APPLIED && !strcmp(kit_field(o.record, "s"), texts[i]));
        CU_ASSERT_STRING_EQUAL(value(k, "t", "1", "s")->text, texts[i]);
    }
    CU_ASSERT_EQUAL(set(k, "t", "1", value_null("s")).result, SL_APPLIED);
    CU_ASSERT_EQUAL(value(k, "t", "1", "s")->type, SL_NULL);
    kit_close(k);
}

static void writes_times_in_the_columns_style(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, d DATE, a DATETIME, b DATETIME, unix TIMESTAMP);"
                          "INSERT INTO t VALUES(1, NULL, NULL, '2020-01-01T00:00:00Z', 1600000000)");
    struct sl_value v[3] = {{.name = "d", .type = SL_DATE, .number = -1},
                            {.name = "a", .type = SL_TIMESTAMP, .number = 1709201472000, .grain_ms = 1000},
                            {.name = "b", .type = SL_TIMESTAMP, .number = 1709201472005, .grain_ms = 1}};
    CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_UPDATE, "1", v, 3)).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT d, a, b FROM t"), "1969-12-31|2024-02-29 10:11:12|2024-02-29T10:11:12.005Z");
    CU_ASSERT_EQUAL(value(k, "t", "1", "a")->number, 1709201472000);
    CU_ASSERT_EQUAL(field(describe(k, "t"), "unix")->type, SL_INT);
    struct sl_value items[2] = {value_string(NULL, "a\"b"), value_int(NULL, 5)};
    struct sl_value tags = {.name = "d", .type = SL_SET, .items = items, .n_items = 2, .item_size = sizeof(*items)};
    CU_ASSERT_EQUAL(set(k, "t", "1", tags).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT d FROM t"), "[5,\"a\\\"b\"]");
    kit_close(k);
}

/* --- listing --- */

static void lists_in_pages_of_any_size(void)
{
    struct kit *k = begin("CREATE TABLE t(id TEXT PRIMARY KEY COLLATE NOCASE, v);"
                          "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i<25)"
                          " INSERT INTO t SELECT 'key ' || i, i FROM c");
    for (uint32_t size = 1; size < 30; size += 4) {
        const char *cursor = NULL;
        size_t n = 0;
        do {
            CU_ASSERT_EQUAL_FATAL(pull_at(k, "t", cursor, 0, size), SL_OK);
            CU_ASSERT(k->n_got <= size);
            n += k->n_got;
            cursor = k->end.cursor;
        } while (k->end.kind == SL_PAGE_MORE && n < 100);
        CU_ASSERT(n == 25 && k->end.kind == SL_PAGE_COMPLETE);
    }
    kit_close(k);
}

static void unchanged_database_is_done_at_once(const char *journal)
{
    char schema[200];
    snprintf(schema, sizeof(schema),
             "PRAGMA journal_mode=%s; CREATE TABLE t(id INTEGER PRIMARY KEY, v);"
             "INSERT INTO t VALUES(1,1),(2,2)",
             journal);
    struct kit *k = begin(schema);
    CU_ASSERT_EQUAL(pull_at(k, "t", NULL, 0, 0), SL_OK);
    CU_ASSERT(k->n_got == 2 && k->end.kind == SL_PAGE_COMPLETE);
    const char *cursor = k->end.cursor;
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(pull_at(k, "t", cursor, 0, 0), SL_OK);
        CU_ASSERT(k->n_got == 0 && k->end.kind == SL_PAGE_DONE);
        CU_ASSERT_STRING_EQUAL(k->end.cursor, cursor);
        CU_ASSERT_EQUAL(open_with(k, NULL, 50), SL_OK);
    }
    CU_ASSERT_EQUAL(pull_at(k, "t", cursor, SL_PULL_FULL, 0), SL_OK);
    CU_ASSERT(k->n_got == 2 && k->end.kind == SL_PAGE_COMPLETE);
    for (int i = 0; i < 5; i++) { /* equal count, equal size, within one tick of the clock */
        sql(k, arena_printf(&k->a,
                            "DELETE FROM t WHERE id=2; INSERT INTO t VALUES(%d,2); DELETE FROM t WHERE id=%d;"
                            "INSERT INTO t VALUES(2,%d)",
                            10 + i, 10 + i, i));
        CU_ASSERT_EQUAL(pull_at(k, "t", cursor, 0, 0), SL_OK);
        CU_ASSERT(k->n_got == 2 && k->end.kind == SL_PAGE_COMPLETE);
        cursor = k->end.cursor;
    }
    kit_close(k);
}

static void unchanged_is_done_with_a_rollback_journal(void)
{
    unchanged_database_is_done_at_once("delete");
}

static void unchanged_is_done_with_a_write_ahead_log(void)
{
    unchanged_database_is_done_at_once("wal");
}

static void a_change_inside_a_listing_is_listed_next_time(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,1),(2,2),(3,3)");
    CU_ASSERT_EQUAL(pull_at(k, "t", NULL, 0, 1), SL_OK);
    CU_ASSERT_EQUAL(k->end.kind, SL_PAGE_MORE);
    sql(k, "DELETE FROM t WHERE id=1");
    CU_ASSERT_EQUAL(pull_at(k, "t", k->end.cursor, 0, 0), SL_OK);
    CU_ASSERT(k->n_got == 2 && k->end.kind == SL_PAGE_COMPLETE);
    CU_ASSERT_EQUAL(pull_at(k, "t", k->end.cursor, 0, 0), SL_OK);
    CU_ASSERT(k->n_got == 2 && k->end.kind == SL_PAGE_COMPLETE && !kit_find(k, "1"));
    kit_close(k);
}

/* Each row's second form differs in one byte, in a storage class only, or in where one text ends and the next begins. */
static void a_later_listing_gives_versions_that_every_change_moves(void)
{
    static const char *const rows[][2] = {{"'abcdefghi', 1", "'abcdefghj', 1"},
                                          {"'1', NULL", "1, NULL"},
                                          {"'ab', 'c'", "'a', 'bc'"},
                                          {"NULL, ''", "'', NULL"},
                                          {"1.0, 0", "1, 0"},
                                          {"'a', x'62'", "'a', 'b'"},
                                          {"'1234567', 0", "'12345678', 0"},
                                          {"'x', 1099511627776", "'x', 0"}};
    struct kit *k = begin("CREATE TABLE t(id TEXT PRIMARY KEY, v, w); INSERT INTO t VALUES('same', 'text', 2)");
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        sql(k, arena_printf(&k->a, "INSERT OR REPLACE INTO t VALUES('r', %s)", rows[i][0]));
        CU_ASSERT_EQUAL(pull_at(k, "t", NULL, SL_PULL_RECORDS, 0), SL_OK);
        const char *cursor = k->end.cursor, *old = kit_find(k, "r")->version, *same = kit_find(k, "same")->version;
        CU_ASSERT(kit_find(k, "r")->kind == SL_ITEM_RECORD && kit_find(k, "same")->kind == SL_ITEM_RECORD);
        sql(k, arena_printf(&k->a, "INSERT OR REPLACE INTO t VALUES('r', %s)", rows[i][1]));
        CU_ASSERT_EQUAL(pull_at(k, "t", cursor, 0, 0), SL_OK);
        CU_ASSERT(k->n_got == 2 && k->end.kind == SL_PAGE_COMPLETE && kit_find(k, "r")->kind == SL_ITEM_STUB);
        CU_ASSERT_STRING_NOT_EQUAL(kit_find(k, "r")->version, old);
        CU_ASSERT_STRING_EQUAL(kit_find(k, "same")->version, same);
        const char *now = kit_find(k, "r")->version;
        CU_ASSERT_STRING_EQUAL(kit_get(k, "t", "r").version, now);
    }
    kit_close(k);
}

static void a_replaced_file_is_read_and_written(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,1)");
    CU_ASSERT_EQUAL(pull_at(k, "t", NULL, 0, 0), SL_OK);
    const char *cursor = k->end.cursor;
    CU_ASSERT_EQUAL(rename(kit_path(k, "my.db"), kit_path(k, "old.db")), 0);
    sql(k, "CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,2)");
    CU_ASSERT_EQUAL(pull_at(k, "t", cursor, 0, 0), SL_OK);
    CU_ASSERT_EQUAL(k->n_got, 1);
    CU_ASSERT_EQUAL(value(k, "t", "1", "v")->number, 2);
    CU_ASSERT_EQUAL(set(k, "t", "1", value_int("v", 3)).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT v FROM t"), "3");
    kit_close(k);
}

static void stubs_stand_only_for_settled_rows(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, v, modified_at TEXT);"
                          "CREATE INDEX i ON t(modified_at);"
                          "INSERT INTO t VALUES(1,1,'2020-01-01 00:00:00'),(2,2,datetime('now')),(3,3,'2999-01-01'),"
                          "(4,4,NULL),(5,5,'never'),(6,6,'2020-01-01T00:00:00Z'),(7,7,datetime('now','-3 hours')),"
                          "(8,8,strftime('%Y-%m-%dT%H:%M:%SZ','now')),(9,9,CAST(strftime('%s','now') AS "
                          "INT)),(0,0,'2999-01-01T00:00:00Z')");
    CU_ASSERT_EQUAL(open_with(k, "modified_at", 50), SL_OK);
    CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_OK);
    CU_ASSERT_EQUAL(pull_at(k, "t", NULL, 0, 0), SL_OK);
    CU_ASSERT(k->n_got == 10 && k->end.kind == SL_PAGE_COMPLETE);
    CU_ASSERT(kit_find(k, "1")->kind == SL_ITEM_STUB && !strcmp(kit_find(k, "1")->version, "m2020-01-01 00:00:00"));
    CU_ASSERT_EQUAL(kit_find(k, "6")->kind, SL_ITEM_STUB);
    for (const char *id = "2345890"; *id; id++) {
        char one[2] = {*id, 0};
        CU_ASSERT_EQUAL(kit_find(k, one)->kind, SL_ITEM_RECORD);
    }
    CU_ASSERT_STRING_EQUAL(kit_get(k, "t", "1").record->version, "m2020-01-01 00:00:00");
    CU_ASSERT_EQUAL(kit_get(k, "t", "1").record->modified_ms, 1577836800000);
    CU_ASSERT(*kit_get(k, "t", "2").record->version == 'h');
    CU_ASSERT_EQUAL(pull_at(k, "t", NULL, SL_PULL_FULL, 0), SL_OK);
    CU_ASSERT_EQUAL(kit_find(k, "1")->kind, SL_ITEM_RECORD);
    CU_ASSERT_EQUAL(pull_at(k, "t", NULL, SL_PULL_RECORDS, 0), SL_OK);
    CU_ASSERT_EQUAL(kit_find(k, "1")->kind, SL_ITEM_RECORD);
    kit_close(k);
}

/* Text of a place west of Greenwich looks hours old when it is written. */
static void local_times_settle_by_a_later_one(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, modified_at TEXT);"
                          "INSERT INTO t VALUES(1, datetime('now','-3 hours'))");
    CU_ASSERT_EQUAL(open_with(k, "modified_at", 50), SL_OK);
    CU_ASSERT_EQUAL(pull_at(k, "t", NULL, 0, 0), SL_OK);
    CU_ASSERT_EQUAL(kit_find(k, "1")->kind, SL_ITEM_RECORD);
    sql(k, "INSERT INTO t VALUES(2, datetime('now','-2 hours'))");
    CU_ASSERT_EQUAL(pull_at(k, "t", NULL, 0, 0), SL_OK);
    CU_ASSERT_EQUAL(kit_find(k, "1")->kind, SL_ITEM_STUB);
    CU_ASSERT_EQUAL(kit_find(k, "2")->kind, SL_ITEM_RECORD);
    kit_close(k);
}

static void a_delete_and_an_insert_show_in_a_listing_of_stubs(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, modified_at TEXT);"
                          "INSERT INTO t VALUES(1,'2020-01-01'),(2,'2020-01-02')");
    CU_ASSERT_EQUAL(open_with(k, "modified_at", 50), SL_OK);
    CU_ASSERT_EQUAL(pull_at(k, "t", NULL, 0, 0), SL_OK);
    sql(k, "DELETE FROM t WHERE id=2; INSERT INTO t VALUES(3,'2020-01-02')");
    CU_ASSERT_EQUAL(pull_at(k, "t", k->end.cursor, 0, 0), SL_OK);
    CU_ASSERT(k->n_got == 2 && k->end.kind == SL_PAGE_COMPLETE && !kit_find(k, "2") && kit_find(k, "3"));
    kit_close(k);
}

static void reads_views_and_does_not_write_them(void)
{
    struct kit *k =
        begin("CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,1),(2,2),(3,2);"
              "CREATE VIEW good AS SELECT id, v*10 AS v FROM t; CREATE VIEW twice AS SELECT v AS id, id AS v FROM t");
    CU_ASSERT_EQUAL(pull_at(k, "good", NULL, 0, 2), SL_OK);
    CU_ASSERT_EQUAL(pull_at(k, "good", k->end.cursor, 0, 2), SL_OK);
    CU_ASSERT(k->n_got == 1 && k->end.kind == SL_PAGE_COMPLETE);
    CU_ASSERT_EQUAL(pull_at(k, "good", k->end.cursor, 0, 0), SL_OK);
    CU_ASSERT(k->n_got == 3 && k->end.kind == SL_PAGE_COMPLETE);
    CU_ASSERT_EQUAL(value(k, "good", "3", "v")->number, 20);
    CU_ASSERT_EQUAL(kit_get(k, "good", "4").kind, SL_ITEM_TOMBSTONE);
    CU_ASSERT(!(describe(k, "good")->caps & (SL_CAP_CREATE | SL_CAP_UPDATE | SL_CAP_DELETE)));
    CU_ASSERT(!(field(describe(k, "good"), "v")->flags & SL_FIELD_WRITABLE));
    CU_ASSERT_EQUAL(pull_at(k, "twice", NULL, 0, 0), SL_OK);
    CU_ASSERT(kit_find(k, "2")->kind == SL_ITEM_UNREADABLE &&
              kit_says(kit_find(k, "2")->message, "2 rows with the id 2"));
    CU_ASSERT(refused(kit_create(k, "good", "9", NULL, 0), SL_UNSUPPORTED, "is a view and cannot be written"));
    kit_close(k);
}

/* --- get and find --- */

static void gets_by_exact_id(void)
{
    struct kit *k = begin("CREATE TABLE t(id TEXT PRIMARY KEY COLLATE NOCASE, v); INSERT INTO t VALUES('Ann',1);"
                          "CREATE TABLE n(id INTEGER PRIMARY KEY, v); INSERT INTO n VALUES(7,1)");
    static const char *const none[] = {"07", "7.0", " 7", "x", "7 "};
    CU_ASSERT_EQUAL(kit_get(k, "t", "Ann").kind, SL_ITEM_RECORD);
    CU_ASSERT_EQUAL(kit_get(k, "t", "ann").kind, SL_ITEM_TOMBSTONE);
    CU_ASSERT(refused(kit_create(k, "t", "ANN", NULL, 0), SL_REJECTED, "UNIQUE constraint failed: t.id"));
    CU_ASSERT_EQUAL(kit_get(k, "n", "7").kind, SL_ITEM_RECORD);
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        CU_ASSERT_EQUAL(kit_get(k, "n", none[i]).kind, SL_ITEM_TOMBSTONE);
    kit_close(k);
}

static int find(struct kit *k, const char *object, struct sl_value v, uint32_t max)
{
    struct sl_find f = {.size = sizeof(f), .max_items = max, .object = object, .value = &v};
    return session_find(k->s, &f, kit_sink(k), &k->e);
}

static void finds_by_a_fields_value(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, email TEXT, n NUMERIC);"
                          "INSERT INTO t VALUES(1,'a@x',1.5),(2,'a@x',2),(3,NULL,3)");
    CU_ASSERT(find(k, "t", value_string("email", "a@x"), 0) == SL_OK && k->n_got == 2);
    CU_ASSERT(find(k, "t", value_string("email", "a@x"), 1) == SL_OK && k->n_got == 1);
    CU_ASSERT(find(k, "t", value_null("email"), 0) == SL_OK && k->n_got == 1);
    CU_ASSERT(find(k, "t", decimal("n", "1.50"), 0) == SL_OK && k->n_got == 1);
    CU_ASSERT(find(k, "t", decimal("n", "1e400"), 0) == SL_OK && k->n_got == 0);
    CU_ASSERT(find(k, "t", value_int("id", 2), 0) == SL_OK && k->n_got == 1);
    CU_ASSERT_EQUAL(find(k, "t", value_string("absent", "a"), 0), SL_CONFIG);
    CU_ASSERT(kit_says(k->e.text, " has no column absent; correct the match keys"));
    struct sl_find f = {.size = sizeof(f), .object = "t", .correlation = "00000000000000000000000000000000"};
    CU_ASSERT_EQUAL(session_find(k->s, &f, kit_sink(k), &k->e), SL_UNSUPPORTED);
    CU_ASSERT(kit_says(k->e.text, " keeps no correlation keys; look a record up by a field"));
    kit_close(k);
}

static const struct check tests[] = {
    {"types by declaration, flags, values of a CHECK", describes_types_by_declaration},
    {"a CHECK that is no certain list gives no values", an_uncertain_check_gives_no_values},
    {"the key and the next id are found", finds_the_key_and_the_next_id},
    {"tables without a usable key are refused by name", refuses_tables_without_a_usable_key},
    {"files that are no database are refused", refuses_files_that_are_none},
    {"check finds a misspelt `modified`", a_misspelt_modified_is_found_by_check},
    {"values are read exactly", reads_values_exactly},
    {"what is no text is unreadable and named", what_is_no_text_is_unreadable},
    {"values are written exactly or refused", writes_values_exactly_or_refuses},
    {"times are written in the column's style", writes_times_in_the_columns_style},
    {"pages of any size list every row once (I16)", lists_in_pages_of_any_size},
    {"unchanged with a rollback journal: done at once; any change: listed (I1)",
     unchanged_is_done_with_a_rollback_journal},
    {"unchanged with a write-ahead log: done at once; any change: listed (I1)",
     unchanged_is_done_with_a_write_ahead_log},
    {"a change inside a listing is listed next time (I22)", a_change_inside_a_listing_is_listed_next_time},
    {"a later listing gives versions that every change moves (I1)",
     a_later_listing_gives_versions_that_every_change_moves},
    {"a replaced file is read and written, not the old one", a_replaced_file_is_read_and_written},
    {"stubs stand only for settled rows (I1)", stubs_stand_only_for_settled_rows},
    {"local times settle by a later one (I1)", local_times_settle_by_a_later_one},
    {"a delete and an insert show in a listing of stubs (I26)", a_delete_and_an_insert_show_in_a_listing_of_stubs},
    {"views are read and not written", reads_views_and_does_not_write_them},
    {"ids are compared exactly", gets_by_exact_id},
    {"records are found by a field's value", finds_by_a_fields_value},
};
CHECK_MAIN("sqlite", tests)
