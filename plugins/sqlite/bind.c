/* SPDX-License-Identifier: MIT */
/* bind.c - gives a value to SQLite such that it is stored exactly, or refuses it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "connector.h"

/* What a bind works on. */
struct place {
    struct db *db;
    const struct table *table;
    const struct column *column;
    sqlite3_stmt *stmt;
    int at;
};

static int refuse(const struct place *p, const char *text, size_t size, const char *stored)
{
    return db_why(p->db, SL_REJECTED,
                  "column %s of table %s would turn %.*s%s into %s; declare it TEXT to keep such values",
                  p->column->name, p->table->name, size > 40 ? 40 : (int)size, text, size > 40 ? "..." : "", stored);
}

static int bound(const struct place *p, int code)
{
    return code ? db_error(p->db, code, p->table->name) : SL_OK;
}

static int bind_integer(const struct place *p, int64_t number)
{
    char text[32], stored[32];
    double real = (double)number;
    bool same = real < 9223372036854775808.0 && (int64_t)real == number;
    if (p->column->affinity == AFFINITY_REAL && !same) {
        sqlite3_snprintf(sizeof(text), text, "%lld", number);
        real_text(real, stored);
        return refuse(p, text, strlen(text), stored);
    }
    return bound(p, sqlite3_bind_int64(p->stmt, p->at, number));
}

/* The host's texts stay until the statement has run, and have a NUL behind them. */
static int bind_raw(const struct place *p, const char *text, size_t size)
{
    return bound(p, sqlite3_bind_text64(p->stmt, p->at, text ? text : "", size, SQLITE_STATIC, SQLITE_UTF8));
}

static int bind_copy(const struct place *p, const char *text, size_t size)
{
    return bound(p, sqlite3_bind_text64(p->stmt, p->at, text, size, SQLITE_TRANSIENT, SQLITE_UTF8));
}

/* Whole numbers that fit are integers, others doubles if that keeps every digit; a column of text keeps the text. */
static int bind_decimal(const struct place *p, const char *text, size_t size)
{
    int64_t number;
    char stored[32];
    int affinity = p->column->affinity;
    if (affinity == AFFINITY_TEXT)
        return bind_raw(p, text, size);
    if (is_integer(text, &number))
        return bind_integer(p, number);
    double real = strtod(text, NULL);
    real_text(real, stored);
    bool exact = isfinite(real) && same_amount(text, stored);
    if (affinity == AFFINITY_NONE && (!exact || strcmp(text, stored) != 0))
        return bind_raw(p, text, size);
    if (!exact)
        return refuse(p, text, size, stored);
    return bound(p, sqlite3_bind_double(p->stmt, p->at, real));
}

/* True if SQLite would take the text for a number in a column of numbers: blanks around it and a plus do not matter to it. */
static bool looks_numeric(const char *text, size_t size)
{
    char *end = NULL;
    while (size && strchr(" \t\n\v\f\r", *text)) {
        text++;
        size--;
    }
    while (size && strchr(" \t\n\v\f\r", text[size - 1]))
        size--;
    if (!size || strspn(text, "0123456789+-.eE") != size)
        return false;
    strtod(text, &end);
    return end == text + size;
}

/* A column of numbers (also one of a type SQLite does not know) would turn '007' into 7. */
static int bind_text(const struct place *p, const char *text, size_t size)
{
    int affinity = p->column->affinity;
    bool free_text = affinity == AFFINITY_TEXT || affinity == AFFINITY_NONE;
    if (free_text || !looks_numeric(text, size))
        return bind_raw(p, text, size);
    if (is_json_number(text, size))
        return bind_decimal(p, text, size);
    return refuse(p, text, size, "a number");
}

/* A set is stored as a JSON list: what stands behind the key in {"v":[...]}. */
static int bind_set(const struct place *p, const struct sl_value *v)
{
    const struct sl_host *host = p->db->host;
    const char *text = NULL;
    size_t size = 0;
    struct sl_value named = *v;
    named.name = "v";
    int c = host->json_write(host->ctx, &named, 1, sizeof(named), 0, &text, &size);
    const char *list = text ? memchr(text, '[', size) : NULL;
    if (c || !list || text[size - 1] != '}')
        return db_why(p->db, SL_REJECTED, "column %s of table %s cannot hold this set; map it to a text",
                      p->column->name, p->table->name);
    return bind_copy(p, list, (size_t)(text + size - 1 - list));
}

static int bind_time(const struct place *p, const struct sl_value *v)
{
    char text[40];
    if (v->type == SL_DATE)
        date_format(v->number, text);
    else
        moment_format(v->number, p->column->stamp_t, p->column->stamp_z, text);
    return bind_copy(p, text, strlen(text));
}

int value_bind(struct db *d, const struct table *t, const struct column *c, sqlite3_stmt *stmt, int at,
               const struct sl_value *v)
{
    struct place p = {d, t, c, stmt, at};
    switch (v->type) {
    case SL_NULL:
        return bound(&p, sqlite3_bind_null(stmt, at));
    case SL_BOOL:
    case SL_INT:
        return bind_integer(&p, v->number);
    case SL_DECIMAL:
        return bind_decimal(&p, v->text, v->text_size);
    case SL_DATE:
    case SL_TIMESTAMP:
        return bind_time(&p, v);
    case SL_SET:
        return bind_set(&p, v);
    case SL_STRING:
    case SL_ENUM:
    case SL_REF:
    case SL_JSON:
        return bind_text(&p, v->text, v->text_size);
    default:
        return db_why(d, SL_REJECTED,
                      "column %s of table %s is given a value of a type (%u) this connector does not know; update it",
                      c->name, t->name, (unsigned)v->type);
    }
}
