/* SPDX-License-Identifier: MIT */
/* test_sqlite.c - the sqlite connector: keys, exact values, listings and shortcuts, batches, and every refusal. */
#include "plugin_kit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { MOST = 16 };

/* Runs SQL on the test's database with another program. */
static void sql(struct kit *k, const char *text)
{
    kit_put(k, "script.sql", text);
    const char *command = arena_printf(&k->a, "sqlite3 -bail %s < %s > %s 2>&1", kit_path(k, "my.db"),
                                       kit_path(k, "script.sql"), kit_path(k, "said.txt"));
    if (system(command) != 0) {
        fprintf(stderr, "sqlite3: %s\n", kit_text(k, "said.txt"));
        CU_FAIL("sqlite3 refused the test's SQL");
    }
}

/* What a query prints. */
static const char *ask(struct kit *k, const char *query)
{
    sql(k, query);
    char *text = arena_text(&k->a, kit_text(k, "said.txt"));
    size_t n = strlen(text);
    if (n && text[n - 1] == '\n')
        text[n - 1] = 0;
    return text;
}

static int open_with(struct kit *k, const char *modified, int busy_ms)
{
    struct sl_value settings[3] = {value_string("file", kit_path(k, "my.db")), value_int("busy_ms", busy_ms)};
    settings[2] = value_string("modified", modified ? modified : "");
    session_close(k->s);
    k->s = NULL;
    return kit_open_in(k, "sqlite", settings, modified ? 3 : 2, NULL);
}

static struct kit *begin(const char *schema)
{
    struct kit *k = kit_new();
    sql(k, schema);
    CU_ASSERT_EQUAL_FATAL(open_with(k, NULL, 50), SL_OK);
    return k;
}

static int pull_at(struct kit *k, const char *object, const char *cursor, uint32_t flags, uint32_t page_max)
{
    struct sl_pull pull = {sizeof(pull), flags, object, cursor ? arena_text(&k->a, cursor) : NULL, page_max};
    return session_pull(k->s, &pull, kit_sink(k), &k->a, &k->end, &k->e);
}

static const struct sl_object *describe(struct kit *k, const char *object)
{
    struct object_info *list = NULL;
    err_clear(&k->e);
    int rc = session_describe(k->s, object, &k->a, &list, &k->e);
    return rc == SL_OK && list ? &list->object : NULL;
}

static const struct sl_field *field(const struct sl_object *o, const char *name)
{
    for (uint32_t i = 0; o && i < o->n_fields; i++)
        if (!strcmp(o->fields[i].name, name))
            return &o->fields[i];
    static const struct sl_field none;
    return &none;
}

static const struct sl_value *value(struct kit *k, const char *object, const char *id, const char *name)
{
    static const struct sl_value none;
    struct got g = kit_get(k, object, id);
    const struct sl_value *v = g.record ? record_field(g.record, name) : NULL;
    return v ? v : &none;
}

static struct sl_value decimal(const char *name, const char *text)
{
    struct sl_value v = value_string(name, text);
    v.type = SL_DECIMAL;
    return v;
}

static struct write_outcome set(struct kit *k, const char *object, const char *id, struct sl_value v)
{
    return kit_do(k, object, kit_make(k, SL_UPDATE, id, &v, 1));
}

static bool refused(struct write_outcome o, int sl_class, const char *part)
{
    if (o.result == SL_NOT_APPLIED && o.error_class == sl_class)
        return kit_says(o.message, part);
    fprintf(stderr, "\n  result %d, class %s: %s\n", o.result, class_name(o.error_class), o.message ? o.message : "");
    return false;
}

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

static void a_replaced_file_is_read_and_written(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,1)");
    CU_ASSERT_EQUAL(pull_at(k, "t", NULL, 0, 0), SL_OK);
    const char *cursor = k->end.cursor;
    CU_ASSERT_EQUAL(rename(kit_path(k, "my.db"), kit_path(k, "old.db")), 0);
    sql(k, "CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,2)");
    CU_ASSERT_EQUAL(pull_at(k, "t", cursor, 0, 0), SL_OK);
    CU_ASSERT(k->n_got == 1 && record_field(k->got[0].record, "v")->number == 2);
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
    CU_ASSERT(kit_says(k->e.text, "has no column absent"));
    struct sl_find f = {.size = sizeof(f), .object = "t", .correlation = "00000000000000000000000000000000"};
    CU_ASSERT_EQUAL(session_find(k->s, &f, kit_sink(k), &k->e), SL_UNSUPPORTED);
    kit_close(k);
}

/* --- writing --- */

static void creates_under_the_reserved_id(void)
{
    struct kit *k =
        begin("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, note TEXT DEFAULT 'new');"
              "CREATE TRIGGER up AFTER INSERT ON t BEGIN UPDATE t SET name=upper(name) WHERE id=NEW.id; END;"
              "CREATE TABLE x(code TEXT PRIMARY KEY, v)");
    struct sl_value name = value_string("name", "ann");
    struct write_outcome o = kit_create(k, "t", "123456789012345678", &name, 1);
    CU_ASSERT(o.result == SL_APPLIED && !strcmp(kit_field(o.record, "name"), "ANN"));
    CU_ASSERT(!strcmp(kit_field(o.record, "note"), "new") && !strcmp(o.record->id, "123456789012345678"));
    CU_ASSERT_STRING_EQUAL(kit_get(k, "t", "123456789012345678").record->version, o.record->version);
    o = kit_create(k, "t", "123456789012345678", &name, 1);
    CU_ASSERT(refused(o, SL_EXISTS, "already has a row") && !strcmp(kit_field(o.record, "name"), "ANN"));
    CU_ASSERT(refused(kit_create(k, "t", "abc", &name, 1), SL_REJECTED, "the id abc is no integer"));
    CU_ASSERT_EQUAL(kit_create(k, "x", "\xc3\xa4 key", NULL, 0).result, SL_APPLIED);
    struct sl_value key = value_string("code", "k2");
    CU_ASSERT_EQUAL(kit_create(k, "x", "k2", &key, 1).result, SL_APPLIED);
    CU_ASSERT(refused(kit_create(k, "x", "k3", &key, 1), SL_REJECTED, "is the key and cannot be set"));
    kit_close(k);
}

static void updates_only_what_is_given_and_expected(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b TEXT, g TEXT AS (a || '!'));"
                          "INSERT INTO t VALUES(1,'x',' keep ')");
    struct got g = kit_get(k, "t", "1");
    struct sl_value a = value_string("a", "y");
    struct sl_write w = kit_make(k, SL_UPDATE, "1", &a, 1);
    w.expected_version = g.record->version;
    struct write_outcome o = kit_do(k, "t", w);
    CU_ASSERT(o.result == SL_APPLIED && !strcmp(kit_field(o.record, "b"), " keep ") &&
              !strcmp(kit_field(o.record, "g"), "y!"));
    CU_ASSERT(refused(kit_do(k, "t", w), SL_CONFLICT, "was changed since it was read"));
    w.expected_version = o.record->version;
    CU_ASSERT_EQUAL(kit_do(k, "t", w).result, SL_APPLIED);
    w.id = "2";
    CU_ASSERT(refused(kit_do(k, "t", w), SL_GONE, "no row with the id 2"));
    CU_ASSERT(refused(set(k, "t", "1", value_string("absent", "")), SL_REJECTED, "has no column absent"));
    CU_ASSERT(refused(set(k, "t", "1", value_string("g", "")), SL_REJECTED, "column g of table t is computed"));
    CU_ASSERT(refused(set(k, "t", "1", value_int("id", 5)), SL_REJECTED, "column id of table t is the key"));
    CU_ASSERT_EQUAL(set(k, "t", "1", value_int("id", 1)).result, SL_APPLIED);
    struct sl_write del = kit_make(k, SL_DELETE, "1", NULL, 0);
    del.expected_version = g.record->version;
    CU_ASSERT(refused(kit_do(k, "t", del), SL_CONFLICT, "was changed"));
    del.expected_version = NULL;
    o = kit_do(k, "t", del);
    CU_ASSERT(o.result == SL_APPLIED && !o.record);
    CU_ASSERT(refused(kit_do(k, "t", del), SL_GONE, "no row"));
    kit_close(k);
}

static void versions_of_modified_guard_writes(void)
{
    struct kit *k = begin(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT, m TEXT); INSERT INTO t VALUES(1,'a','2020-01-01 00:00:00'),"
        "(2,'b','2021-01-01 00:00:00')");
    CU_ASSERT_EQUAL(open_with(k, "m", 50), SL_OK);
    struct sl_value v = value_string("v", "x");
    struct sl_write w = kit_make(k, SL_UPDATE, "1", &v, 1);
    w.expected_version = kit_get(k, "t", "1").record->version;
    CU_ASSERT(*w.expected_version == 'm');
    sql(k, "UPDATE t SET v='other', m='2020-01-02 00:00:00' WHERE id=1");
    CU_ASSERT(refused(kit_do(k, "t", w), SL_CONFLICT, "was changed"));
    w.expected_version = kit_get(k, "t", "1").record->version;
    CU_ASSERT_EQUAL(kit_do(k, "t", w).result, SL_APPLIED);
    kit_close(k);
}

static void one_bad_row_leaves_the_others(void)
{
    struct kit *k =
        begin("CREATE TABLE t(id INTEGER PRIMARY KEY, v INT CHECK (v < 100), u TEXT UNIQUE ON CONFLICT REPLACE,"
              " need TEXT NOT NULL)");
    struct sl_value good[2] = {value_int("v", 1), value_string("need", "x")}, big[2] = {value_int("v", 100), good[1]};
    struct sl_value same[2] = {value_string("u", "one"), good[1]};
    struct sl_write w[MOST];
    struct write_outcome o[MOST];
    w[0] = kit_make(k, SL_CREATE, "1", good, 2);
    w[1] = kit_make(k, SL_CREATE, "2", big, 2);
    w[2] = kit_make(k, SL_CREATE, "3", good, 1);
    w[3] = kit_make(k, SL_CREATE, "4", same, 2);
    w[4] = kit_make(k, SL_CREATE, "5", same, 2);
    w[5] = kit_make(k, SL_UPDATE, "9", good, 2);
    w[6] = kit_make(k, SL_CREATE, "6", good, 2);
    CU_ASSERT_EQUAL(kit_write(k, "t", w, 7, o), SL_OK);
    CU_ASSERT_EQUAL(o[0].result, SL_APPLIED);
    CU_ASSERT(refused(o[1], SL_REJECTED, "CHECK constraint failed: v < 100"));
    CU_ASSERT(refused(o[2], SL_REJECTED, "NOT NULL constraint failed: t.need"));
    CU_ASSERT_EQUAL(o[3].result, SL_APPLIED);
    CU_ASSERT(refused(o[4], SL_REJECTED, "UNIQUE constraint failed: t.u"));
    CU_ASSERT(refused(o[5], SL_GONE, "no row"));
    CU_ASSERT_EQUAL(o[6].result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT group_concat(id) FROM (SELECT id FROM t ORDER BY id)"), "1,4,6");
    kit_close(k);
}

/* A trigger that rolls back, and a constraint that waits for the commit, undo the neighbours too, unless those are tried apart. */
static void a_row_that_rolls_back_leaves_the_others(void)
{
    struct kit *k =
        begin("CREATE TABLE p(id INTEGER PRIMARY KEY); INSERT INTO p VALUES(1);"
              "CREATE TABLE t(id INTEGER PRIMARY KEY, v INT, p INT REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED);"
              "CREATE TRIGGER no BEFORE INSERT ON t WHEN NEW.v=13 BEGIN SELECT RAISE(ROLLBACK, 'unlucky'); END");
    struct sl_value v[MOST];
    struct sl_write w[MOST];
    struct write_outcome o[MOST];
    for (int i = 0; i < 9; i++) {
        v[i] = i == 3 ? value_int("v", 13) : i == 6 ? value_int("p", 99) : value_int("p", 1);
        w[i] = kit_make(k, SL_CREATE, arena_printf(&k->a, "%d", i + 1), &v[i], 1);
    }
    CU_ASSERT_EQUAL(kit_write(k, "t", w, 9, o), SL_OK);
    for (int i = 0; i < 9; i++)
        CU_ASSERT(i == 3   ? refused(o[i], SL_REJECTED, "unlucky")
                  : i == 6 ? refused(o[i], SL_REJECTED, "FOREIGN KEY constraint failed")
                           : o[i].result == SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT group_concat(id) FROM t"), "1,2,3,5,6,8,9");
    kit_close(k);
}

static void a_trigger_that_takes_the_row_away_is_told(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, v);"
                          "CREATE TRIGGER gone AFTER INSERT ON t BEGIN DELETE FROM t WHERE id=NEW.id; END;"
                          "CREATE TABLE moved(id INTEGER PRIMARY KEY, v);"
                          "CREATE TRIGGER move AFTER INSERT ON moved BEGIN UPDATE moved SET id=id+100; END;"
                          "CREATE TABLE broken(id INTEGER PRIMARY KEY, v);"
                          "CREATE TRIGGER bad AFTER INSERT ON broken BEGIN INSERT INTO nowhere VALUES(1); END");
    CU_ASSERT(refused(kit_create(k, "t", "1", NULL, 0), SL_REJECTED, "would not keep the row under the id 1"));
    CU_ASSERT(refused(kit_create(k, "moved", "1", NULL, 0), SL_REJECTED, "would not keep the row under the id 1"));
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT count(*) FROM moved"), "0");
    CU_ASSERT(refused(kit_create(k, "broken", "1", NULL, 0), SL_REJECTED, "nowhere"));
    kit_close(k);
}

static void archives_in_the_same_transaction(void)
{
    struct kit *k = begin(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, s TEXT, n NUMERIC); INSERT INTO t VALUES(1,' a ',0.1),(2,'b',NULL)");
    CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_ARCHIVE, "1", NULL, 0)).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT group_concat(id) FROM t"), "2");
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT quote(id), quote(s), quote(n) FROM t_archive"), "1|' a '|0.1");
    CU_ASSERT(refused(kit_do(k, "t", kit_make(k, SL_ARCHIVE, "1", NULL, 0)), SL_GONE, "no row"));
    sql(k, "INSERT INTO t VALUES(1,'again',1); ALTER TABLE t ADD COLUMN extra TEXT; UPDATE t SET extra='e'");
    CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_ARCHIVE, "1", NULL, 0)).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT group_concat(s || coalesce(extra, '-')) FROM t_archive"), " a -,againe");
    struct object_info *list = NULL;
    CU_ASSERT_EQUAL(session_describe(k->s, NULL, &k->a, &list, &k->e), SL_OK);
    CU_ASSERT(list && !strcmp(list->object.name, "t") && !list->next);
    kit_close(k);
}

/* A process that holds the database until told to let go. */
static pid_t hold(struct kit *k, const char *begin_sql, FILE **tell)
{
    int to[2], from[2];
    char byte;
    CU_ASSERT_EQUAL_FATAL(pipe(to) | pipe(from), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        close(from[0]);
        execlp("sqlite3", "sqlite3", kit_path(k, "my.db"), (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    *tell = fdopen(to[1], "w");
    fprintf(*tell, "%s\n.shell printf @\n", begin_sql);
    fflush(*tell);
    while (read(from[0], &byte, 1) == 1 && byte != '@') {
    }
    close(from[0]);
    return pid;
}

static void let_go(pid_t pid, FILE *tell)
{
    fclose(tell);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void a_locked_database_is_said(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,1)");
    FILE *tell;
    pid_t pid = hold(k, "BEGIN IMMEDIATE;", &tell);
    CU_ASSERT_EQUAL(pull_at(k, "t", NULL, 0, 0), SL_OK);
    CU_ASSERT(
        refused(set(k, "t", "1", value_int("v", 2)), SL_BUSY, "is locked by another program; close it or run again"));
    let_go(pid, tell);
    pid = hold(k, "BEGIN EXCLUSIVE;", &tell);
    CU_ASSERT_EQUAL(pull_at(k, "t", NULL, 0, 0), SL_BUSY);
    CU_ASSERT(kit_says(k->e.text, "is locked by another program; close it or run again"));
    CU_ASSERT(refused(set(k, "t", "1", value_int("v", 2)), SL_BUSY, "is locked"));
    let_go(pid, tell);
    pid = hold(k, "BEGIN; SELECT * FROM t;", &tell); /* a reader: the commit finds it */
    CU_ASSERT(refused(set(k, "t", "1", value_int("v", 2)), SL_BUSY, "is locked"));
    let_go(pid, tell);
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT v FROM t"), "1");
    CU_ASSERT_EQUAL(set(k, "t", "1", value_int("v", 2)).result, SL_APPLIED);
    kit_close(k);
}

static void a_full_disk_writes_nothing(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)");
    CU_ASSERT_EQUAL(kit_create(k, "t", "1", NULL, 0).result, SL_APPLIED);
    char *large = arena_alloc(&k->a, 300001);
    memset(large, 'x', 300000);
    struct sl_value v = value_string("v", large);
    struct sl_write w[2] = {kit_make(k, SL_CREATE, "2", NULL, 0), kit_make(k, SL_CREATE, "3", &v, 1)};
    struct write_outcome o[2];
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit limit = {100000, 100000};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        kit_write(k, "t", w, 2, o);
        bool none = o[0].result != SL_APPLIED && o[1].result != SL_APPLIED;
        _exit(none ? 0 : 1);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT group_concat(id) FROM t"), "1");
    kit_close(k);
}

static void a_read_only_file_is_said(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
    if (geteuid() != 0) {
        CU_ASSERT_EQUAL(chmod(kit_path(k, "my.db"), 0444), 0);
        CU_ASSERT(!(describe(k, "t")->caps & SL_CAP_CREATE));
        CU_ASSERT(refused(kit_create(k, "t", "1", NULL, 0), SL_CONFIG, "read-only"));
    }
    kit_close(k);
}

static void a_kill_leaves_the_old_or_the_new_batch(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, v INT); WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL"
                          " SELECT i+1 FROM c WHERE i<300) INSERT INTO t SELECT i, 0 FROM c");
    struct sl_write w[300];
    struct write_outcome o[300];
    for (long delay = 0; delay < 8; delay++) {
        struct sl_value v = value_int("v", delay + 1);
        for (int i = 0; i < 300; i++)
            w[i] = kit_make(k, SL_UPDATE, arena_printf(&k->a, "%d", i + 1), &v, 1);
        session_close(k->s); /* a connection must not be carried across fork */
        k->s = NULL;
        pid_t pid = fork();
        if (pid == 0) {
            open_with(k, NULL, 1000);
            kit_write(k, "t", w, 300, o);
            _exit(0);
        }
        kit_sleep_ms(delay * 2);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        CU_ASSERT_STRING_EQUAL(ask(k, "SELECT count(DISTINCT v) FROM t"), "1");
        CU_ASSERT_STRING_EQUAL(ask(k, "PRAGMA integrity_check"), "ok");
    }
    kit_close(k);
}

static void webhooks_are_not_for_files(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY)");
    struct sl_hook hook = {.size = sizeof(hook)};
    CU_ASSERT_EQUAL(session_webhook(k->s, &hook, kit_sink(k), &k->e), SL_UNSUPPORTED);
    CU_ASSERT(kit_says(k->e.text, "sends no webhooks"));
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
    {"a replaced file is read and written, not the old one", a_replaced_file_is_read_and_written},
    {"stubs stand only for settled rows (I1)", stubs_stand_only_for_settled_rows},
    {"local times settle by a later one (I1)", local_times_settle_by_a_later_one},
    {"a delete and an insert show in a listing of stubs (I26)", a_delete_and_an_insert_show_in_a_listing_of_stubs},
    {"views are read and not written", reads_views_and_does_not_write_them},
    {"ids are compared exactly", gets_by_exact_id},
    {"records are found by a field's value", finds_by_a_fields_value},
    {"creates under the reserved id, once (I19)", creates_under_the_reserved_id},
    {"updates what is given, if it is as expected (I24, I33)", updates_only_what_is_given_and_expected},
    {"versions of `modified` guard writes (I24)", versions_of_modified_guard_writes},
    {"one bad row leaves the others (I23)", one_bad_row_leaves_the_others},
    {"a row that rolls back leaves the others (I23)", a_row_that_rolls_back_leaves_the_others},
    {"a trigger that takes the row away is told", a_trigger_that_takes_the_row_away_is_told},
    {"archives in the same transaction", archives_in_the_same_transaction},
    {"a locked database is said", a_locked_database_is_said},
    {"a write that does not fit writes nothing and is not told as applied (I18)", a_full_disk_writes_nothing},
    {"a read-only file is said", a_read_only_file_is_said},
    {"a kill leaves the old or the new batch (I18)", a_kill_leaves_the_old_or_the_new_batch},
    {"webhooks are not for files", webhooks_are_not_for_files},
};
CHECK_MAIN("sqlite", tests)
