/* SPDX-License-Identifier: MIT */
/* schema.c - tables and views: their columns, key and types, and how they are described. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "connector.h"

const char *quote_name(struct sl_pool *p, const char *name)
{
    char *quoted = sl_checked(sqlite3_mprintf("\"%w\"", name));
    const char *out = sl_pool_dup(p, quoted, strlen(quoted));
    sqlite3_free(quoted);
    return out;
}

static bool contains(const char *text, const char *part)
{
    size_t n = strlen(part);
    for (; *text; text++) {
        if (!strncasecmp(text, part, n))
            return true;
    }
    return false;
}

/* SQLite's own rules, in their order. */
static int affinity_of(const char *declared)
{
    static const struct {
        const char *part;
        int affinity;
    } rules[] = {
        {"INT", AFFINITY_INTEGER}, {"CHAR", AFFINITY_TEXT}, {"CLOB", AFFINITY_TEXT}, {"TEXT", AFFINITY_TEXT},
        {"BLOB", AFFINITY_NONE},   {"REAL", AFFINITY_REAL}, {"FLOA", AFFINITY_REAL}, {"DOUB", AFFINITY_REAL},
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
        if (contains(declared, rules[i].part))
            return rules[i].affinity;
    }
    return *declared && strcasecmp(declared, "ANY") != 0 ? AFFINITY_NUMERIC : AFFINITY_NONE;
}

const char *affinity_name(int affinity)
{
    static const char *const names[] = {"", "INTEGER", "TEXT", "BLOB", "REAL", "NUMERIC"};
    return names[affinity];
}

static uint32_t type_of(const char *declared)
{
    static const struct {
        const char *part;
        bool first; /* only at the beginning */
        uint32_t type;
    } rules[] = {
        {"BOOL", true, SL_BOOL},     {"DATETIME", true, SL_TIMESTAMP}, {"TIMESTAMP", true, SL_TIMESTAMP},
        {"DATE", true, SL_DATE},     {"JSON", true, SL_JSON},          {"INT", false, SL_INT},
        {"CHAR", false, SL_STRING},  {"CLOB", false, SL_STRING},       {"TEXT", false, SL_STRING},
        {"REAL", false, SL_DECIMAL}, {"FLOA", false, SL_DECIMAL},      {"DOUB", false, SL_DECIMAL},
        {"NUM", true, SL_DECIMAL},   {"DEC", true, SL_DECIMAL},
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
        bool match = rules[i].first ? !strncasecmp(declared, rules[i].part, strlen(rules[i].part))
                                    : contains(declared, rules[i].part);
        if (match)
            return rules[i].type;
    }
    return SL_ABSENT;
}

/* Runs a query of one text argument, which must last as long as the statement; that is the caller's. */
static int query(struct db *d, const char *sql, const char *argument, sqlite3_stmt **out)
{
    int c = db_prepare(d, sql, out);
    if (!c && argument)
        sqlite3_bind_text(*out, 1, argument, -1, SQLITE_STATIC);
    return c;
}

static const char *text_at(sqlite3_stmt *stmt, int i)
{
    return sqlite3_column_type(stmt, i) == SQLITE_NULL ? "" : cell_text(stmt, i);
}

/* The first column of a query's rows, in one line for a person. */
static char *db_names(struct db *d, struct sl_pool *p, const char *sql, const char *argument)
{
    char list[300] = "";
    sqlite3_stmt *stmt = NULL;
    if (query(d, sql, argument, &stmt))
        return sl_pool_print(p, "unknown");
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", text_at(stmt, 0));
    }
    sqlite3_finalize(stmt);
    return sl_pool_print(p, "%s", *list ? list : "none");
}

#define SYNCABLE "schema='main' AND type IN ('table','view','virtual') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"

/* Is it there, and a view? sql: the statement that made it. */
static int find_table(struct db *d, struct sl_pool *p, const char *name, struct table *out, const char **sql)
{
    sqlite3_stmt *stmt = NULL;
    int c = query(d,
                  "SELECT type, (SELECT sql FROM sqlite_schema s WHERE s.name=l.name AND s.type IN ('table','view'))"
                  " FROM pragma_table_list l WHERE " SYNCABLE " AND name=?1",
                  name, &stmt);
    if (c)
        return c;
    if (db_row(d, stmt, &c)) {
        out->view = !strcmp(text_at(stmt, 0), "view");
        *sql = sl_pool_print(p, "%s", text_at(stmt, 1));
    } else if (!c) {
        c = db_why(d, SL_GONE, "table %s is not in %s; there are: %s", name, d->file,
                   db_names(d, p, "SELECT name FROM pragma_table_list WHERE " SYNCABLE " ORDER BY name", NULL));
    }
    sqlite3_finalize(stmt);
    return c;
}

static int load_columns(struct db *d, struct sl_pool *p, struct table *t, int *n_keys)
{
    sqlite3_stmt *stmt = NULL;
    int c = query(d,
                  "SELECT name, type, \"notnull\", dflt_value, pk, hidden, count(*) OVER ()"
                  " FROM pragma_table_xinfo(?1) WHERE hidden<>1",
                  t->name, &stmt);
    if (c)
        return c;
    while (db_row(d, stmt, &c)) {
        if (!t->columns)
            t->columns = sl_pool_take(p, (size_t)sqlite3_column_int(stmt, 6) * sizeof(*t->columns));
        struct column *col = &t->columns[t->n_columns];
        col->name = sl_pool_print(p, "%s", text_at(stmt, 0));
        col->type = type_of(text_at(stmt, 1));
        col->affinity = affinity_of(text_at(stmt, 1));
        col->required = sqlite3_column_int(stmt, 2) && sqlite3_column_type(stmt, 3) == SQLITE_NULL;
        col->computed = sqlite3_column_int(stmt, 5) > 1;
        bool key = t->view ? !strcmp(col->name, "id") : sqlite3_column_int(stmt, 4) > 0;
        if (key)
            t->key = t->n_columns;
        *n_keys += key;
        t->n_columns++;
    }
    sqlite3_finalize(stmt);
    return c;
}

static int check_key(struct db *d, struct sl_pool *p, struct table *t, int n_keys)
{
    const struct column *key = n_keys ? &t->columns[t->key] : NULL;
    if (!n_keys && t->view)
        return db_why(d, SL_CONFIG, "view %s of %s has no column named id; give it one whose values are unique",
                      t->name, d->file);
    if (!n_keys)
        return db_why(d, SL_CONFIG, "table %s of %s has no primary key; give it one, such as id INTEGER PRIMARY KEY",
                      t->name, d->file);
    if (n_keys > 1)
        return db_why(d, SL_CONFIG,
                      "table %s of %s has a primary key of %d columns (%s); give it a key of one column, or read it "
                      "through a view that joins them into a column id",
                      t->name, d->file, n_keys,
                      db_names(d, p, "SELECT name FROM pragma_table_xinfo(?1) WHERE pk>0 ORDER BY pk", t->name));
    if (!t->view && (key->affinity == AFFINITY_NONE || key->affinity == AFFINITY_REAL))
        return db_why(d, SL_CONFIG,
                      "the key column %s of table %s in %s is neither INTEGER nor TEXT; declare it as one", key->name,
                      t->name, d->file);
    t->integer_key = key->affinity == AFFINITY_INTEGER;
    return SL_OK;
}

/*
 * SQLite has no date type: what the column holds decides. Text shows the style to write in; a number is
 * somebody's own reckoning (seconds? Julian days?) and stays a number.
 */
static int sample_dates(struct db *d, struct sl_pool *p, struct table *t, struct column *col)
{
    if (col->type != SL_DATE && col->type != SL_TIMESTAMP)
        return SL_OK;
    sqlite3_stmt *stmt = NULL;
    const char *name = quote_name(p, col->name);
    int c = db_prepare(d,
                       sl_pool_print(p, "SELECT %s FROM (SELECT %s FROM %s LIMIT 100) WHERE %s IS NOT NULL LIMIT 1",
                                     name, name, t->quoted, name),
                       &stmt);
    if (!db_row(d, stmt, &c)) {
        sqlite3_finalize(stmt);
        return c;
    }
    int kind = sqlite3_column_type(stmt, 0);
    const char *text = text_at(stmt, 0);
    size_t size = strlen(text);
    col->stamp_t = size > 10 && text[10] == 'T';
    col->stamp_z = size > 10 && (text[size - 1] == 'Z' || strpbrk(text + 11, "+-"));
    col->type = kind == SQLITE_INTEGER ? SL_INT : kind == SQLITE_FLOAT ? SL_DECIMAL : col->type;
    sqlite3_finalize(stmt);
    return SL_OK;
}

static int mark_unique(struct db *d, struct table *t)
{
    sqlite3_stmt *stmt = NULL;
    int c = query(d,
                  "SELECT i.name FROM pragma_index_list(?1) l JOIN pragma_index_info(l.name) i"
                  " WHERE l.\"unique\" AND NOT l.partial GROUP BY l.name HAVING count(*)=1",
                  t->name, &stmt);
    while (db_row(d, stmt, &c)) {
        int i = table_column(t, text_at(stmt, 0));
        if (i >= 0)
            t->columns[i].unique = true;
    }
    sqlite3_finalize(stmt);
    return c;
}

int table_column(const struct table *t, const char *name)
{
    for (int i = 0; i < t->n_columns; i++) {
        if (!strcmp(t->columns[i].name, name))
            return i;
    }
    return -1;
}

/* The SQL every reader begins with. A view's keys may repeat: it counts how often. */
static void write_sql(struct sl_pool *p, struct table *t)
{
    const char *list = "";
    for (int i = 0; i < t->n_columns; i++)
        list = sl_pool_print(p, "%s%s%s", list, i ? ", " : "", quote_name(p, t->columns[i].name));
    t->key_name = quote_name(p, t->columns[t->key].name);
    if (t->view)
        list = sl_pool_print(p, "%s, count(*) OVER (PARTITION BY CAST(%s AS TEXT))", list, t->key_name);
    t->select = sl_pool_print(p, "SELECT %s FROM %s", list, t->quoted);
    /* A table's key column converts the text it is compared with; a view's column may have no type to do so. */
    t->by_key = sl_pool_print(p, "%s=?1", t->key_name);
    if (t->view)
        t->by_key = sl_pool_print(p, "(%s OR %s=?2)", t->by_key, t->key_name);
}

int table_load(struct db *d, struct sl_pool *p, const char *name, struct table *out)
{
    const char *sql = "";
    int n_keys = 0;
    *out = (struct table){.name = name, .modified = -1, .quoted = quote_name(p, name)};
    int c = find_table(d, p, name, out, &sql);
    if (!c)
        c = load_columns(d, p, out, &n_keys);
    if (!c)
        c = check_key(d, p, out, n_keys);
    for (int i = 0; !c && i < out->n_columns; i++) {
        struct column *col = &out->columns[i];
        c = sample_dates(d, p, out, col);
        if (i != out->key && (col->type == SL_STRING || col->type == SL_ABSENT))
            col->n_values = check_values(p, sql, col->name, &col->values);
        if (col->n_values)
            col->type = SL_ENUM;
    }
    if (c)
        return c;
    out->modified = table_column(out, d->modified ? d->modified : "modified");
    out->versions = d->modified && out->modified >= 0 && !out->view;
    write_sql(p, out);
    return mark_unique(d, out);
}

/* The next integer that is free, or 0: numbers have run out. AUTOINCREMENT never gives a number twice: neither do we. */
static int next_id(struct db *d, struct sl_pool *p, const struct table *t, int64_t *out)
{
    sqlite3_stmt *stmt = NULL;
    bool sequence = false;
    int c = db_prepare(d, "SELECT 1 FROM sqlite_schema WHERE name='sqlite_sequence'", &stmt);
    sequence = db_row(d, stmt, &c);
    sqlite3_finalize(stmt);
    stmt = NULL;
    /* Numbers sort before texts: the condition keeps a stray text out and still uses the index. */
    const char *sql = sl_pool_print(
        p, "SELECT max(coalesce((SELECT max(%s) FROM %s WHERE %s<''), 0), %s)", t->key_name, t->quoted, t->key_name,
        sequence ? "coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name=?1), 0)" : "0");
    if (!c)
        c = query(d, sql, sequence ? t->name : NULL, &stmt);
    if (db_row(d, stmt, &c)) {
        int64_t newest = sqlite3_column_int64(stmt, 0);
        *out = newest == INT64_MAX ? 0 : newest + 1;
    }
    sqlite3_finalize(stmt);
    return c;
}

static void put_fields(const struct table *t, bool writable, struct sl_field *fields)
{
    for (int i = 0; i < t->n_columns; i++) {
        const struct column *col = &t->columns[i];
        bool key = i == t->key;
        fields[i] = (struct sl_field){.name = col->name, .type = col->type, .values = col->values};
        fields[i].n_values = col->n_values;
        if (key && !t->view)
            fields[i].type = t->integer_key ? SL_INT : col->type;
        fields[i].flags = (key ? SL_FIELD_KEY : 0) | (key || col->unique ? SL_FIELD_UNIQUE : 0) |
                          (writable && !key && !col->computed ? SL_FIELD_WRITABLE : 0) |
                          (writable && !key && col->required ? SL_FIELD_REQUIRED : 0);
    }
}

#define READ_CAPS (SL_CAP_COMPLETE | SL_CAP_DELTA | SL_CAP_GET | SL_CAP_FIND_KEY)
#define CREATE_CAPS (SL_CAP_CREATE | SL_CAP_RESERVED_ID)
#define WRITE_CAPS (CREATE_CAPS | SL_CAP_UPDATE | SL_CAP_DELETE | SL_CAP_ARCHIVE | SL_CAP_CONDITIONAL)

static int describe_one(struct db *d, const char *name)
{
    struct sl_pool pool = {0};
    struct table t;
    int c = table_load(d, &pool, name, &t);
    if (c) {
        sl_pool_free(&pool);
        return c;
    }
    bool writable = !t.view && sqlite3_db_readonly(d->handle, "main") == 0;
    struct sl_object o = {.size = sizeof(o), .name = name, .caps = READ_CAPS, .field_size = sizeof(struct sl_field)};
    struct sl_field *fields = sl_pool_take(&pool, (size_t)t.n_columns * sizeof(*fields));
    put_fields(&t, writable, fields);
    o.fields = fields;
    o.n_fields = (uint32_t)t.n_columns;
    o.caps |= writable ? WRITE_CAPS : 0;
    o.batch_max = 10000;
    o.id_rule = t.view ? SL_ID_SERVER : t.integer_key ? SL_ID_INTEGER : SL_ID_TEXT;
    o.id_max_bytes = t.integer_key ? 19 : 1024;
    if (t.integer_key && writable)
        c = next_id(d, &pool, &t, &o.next_id);
    if (t.integer_key && writable && !o.next_id)
        o.caps &= ~(uint64_t)CREATE_CAPS;
    if (!c && d->host->object(d->host->ctx, &o))
        c = db_why(d, SL_BROKEN, "table %s: the host took no more", name);
    sl_pool_free(&pool);
    return c;
}

static int describe_all(struct db *d)
{
    sqlite3_stmt *stmt = NULL;
    int c = db_prepare(d, "SELECT name FROM pragma_table_list WHERE " SYNCABLE " ORDER BY name", &stmt);
    while (db_row(d, stmt, &c)) {
        c = describe_one(d, text_at(stmt, 0));
        if (c == SL_CONFIG) {
            d->host->log(d->host->ctx, SL_LOG_INFO, d->reason);
            c = SL_OK;
        }
    }
    sqlite3_finalize(stmt);
    return c;
}

int table_describe(struct db *d, const char *object)
{
    int c = db_ready(d);
    if (!c)
        c = db_begin_read(d);
    if (!c)
        c = object ? describe_one(d, object) : describe_all(d);
    db_end_read(d);
    return c;
}
