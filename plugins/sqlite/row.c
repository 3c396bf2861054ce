/* SPDX-License-Identifier: MIT */
/* row.c - reads a row: exact values, its id, its version, or why it cannot be read. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "connector.h"

static const uint64_t HASH_SEED = 0xcbf29ce484222325u;

static uint64_t hash_bytes(uint64_t h, const void *data, size_t n_bytes)
{
    for (const unsigned char *at = data; n_bytes; n_bytes--, at++)
        h = (h ^ *at) * 0x100000001b3u;
    return h;
}

/* FNV-1a over every cell's storage class, size and bytes. */
static uint64_t hash_cell(uint64_t h, sqlite3_stmt *stmt, int i)
{
    unsigned char kind = (unsigned char)sqlite3_column_type(stmt, i);
    h = hash_bytes(h, &kind, 1);
    if (kind == SQLITE_INTEGER) {
        int64_t n = sqlite3_column_int64(stmt, i);
        return hash_bytes(h, &n, sizeof(n));
    }
    if (kind == SQLITE_FLOAT) {
        double real = sqlite3_column_double(stmt, i);
        return hash_bytes(h, &real, sizeof(real));
    }
    const void *data = kind == SQLITE_TEXT ? (const void *)sqlite3_column_text(stmt, i) : sqlite3_column_blob(stmt, i);
    int size = kind == SQLITE_NULL ? 0 : sqlite3_column_bytes(stmt, i);
    h = hash_bytes(h, &size, sizeof(size));
    return hash_bytes(h, data, (size_t)size);
}

static void trouble(struct row *r, const struct column *c, const char *fact)
{
    if (!*r->trouble)
        snprintf(r->trouble, sizeof(r->trouble),
                 "column %s of table %s %s; correct the row, or leave the column out through a view", c->name,
                 r->table->name, fact);
}

/* A JSON column's list or object, compact, through the host's one door; anything else stays the text it is. */
static void read_json(struct row *r, struct sl_value *v)
{
    const struct sl_host *host = r->db->host;
    const struct sl_value *fields = NULL;
    const char *message = NULL;
    uint32_t n = 0, field_size = 0;
    struct pool pool = {0};
    char *text = pool_alloc(&pool, v->text_size + 8);
    memcpy(text, "{\"v\":", 5);
    memcpy(text + 5, v->text, v->text_size);
    text[v->text_size + 5] = '}';
    int c = host->json_read(host->ctx, text, v->text_size + 6, &fields, &n, &field_size, &message);
    if (!c && n == 1 && fields->type == SL_JSON) {
        v->type = SL_JSON;
        v->text = fields->text;
        v->text_size = fields->text_size;
    }
    pool_fini(&pool);
}

static bool is_value(const struct column *c, const struct sl_value *v)
{
    for (uint32_t i = 0; i < c->n_values; i++) {
        if (strlen(c->values[i]) == v->text_size && !memcmp(c->values[i], v->text, v->text_size))
            return true;
    }
    return false;
}

/* Text takes the column's type only where that loses nothing. */
static void read_text(struct row *r, const struct column *c, struct sl_value *v)
{
    struct moment m;
    v->type = SL_STRING;
    switch (c->type) {
    case SL_DATE:
        if (moment_parse(v->text, v->text_size, &m) && m.grain_ms == DAY_MS) {
            v->type = SL_DATE;
            v->number = m.ms / DAY_MS - (m.ms % DAY_MS < 0);
        }
        break;
    case SL_TIMESTAMP:
        if (moment_parse(v->text, v->text_size, &m) && m.grain_ms && m.grain_ms <= 1000) {
            v->type = SL_TIMESTAMP;
            v->number = m.ms;
            v->grain_ms = m.grain_ms;
        }
        break;
    case SL_DECIMAL:
        v->type = is_json_number(v->text, v->text_size) ? SL_DECIMAL : SL_STRING;
        break;
    case SL_ENUM:
        v->type = is_value(c, v) ? SL_ENUM : SL_STRING;
        break;
    case SL_JSON:
        read_json(r, v);
        break;
    default:
        break;
    }
}

static void read_real(struct row *r, const struct column *c, double real, char *text, struct sl_value *v)
{
    if (!isfinite(real))
        trouble(r, c, "holds a number too large to be written down");
    real_text(real, text);
    v->type = SL_DECIMAL;
    v->text = text;
    v->text_size = strlen(text);
}

static void read_cell(struct row *r, sqlite3_stmt *stmt, int i)
{
    const struct column *c = &r->table->columns[i];
    struct sl_value *v = &r->values[i];
    *v = (struct sl_value){.name = c->name, .type = SL_NULL};
    switch (sqlite3_column_type(stmt, i)) {
    case SQLITE_INTEGER:
        v->number = sqlite3_column_int64(stmt, i);
        v->type = c->type == SL_BOOL && (v->number == 0 || v->number == 1) ? SL_BOOL : SL_INT;
        break;
    case SQLITE_FLOAT:
        read_real(r, c, sqlite3_column_double(stmt, i), r->numbers[i], v);
        break;
    case SQLITE_TEXT:
    case SQLITE_BLOB:
        v->text = sqlite3_column_type(stmt, i) == SQLITE_TEXT ? (const char *)sqlite3_column_text(stmt, i)
                                                              : sqlite3_column_blob(stmt, i);
        v->text_size = (size_t)sqlite3_column_bytes(stmt, i);
        v->text = v->text ? v->text : "";
        v->type = SL_STRING;
        if (!utf8_clean(v->text, v->text_size))
            trouble(r, c, "holds bytes that are no text");
        else if (sqlite3_column_type(stmt, i) == SQLITE_TEXT)
            read_text(r, c, v);
        break;
    default:
        break;
    }
}

bool cell_id(sqlite3_stmt *stmt, int i, char out[ID_BYTES])
{
    *out = 0;
    int kind = sqlite3_column_type(stmt, i);
    if (kind == SQLITE_INTEGER)
        snprintf(out, ID_BYTES, "%lld", (long long)sqlite3_column_int64(stmt, i));
    if (kind != SQLITE_TEXT)
        return kind == SQLITE_INTEGER;
    const char *text = (const char *)sqlite3_column_text(stmt, i);
    size_t size = (size_t)sqlite3_column_bytes(stmt, i);
    if (!is_id(text, size))
        return false;
    memcpy(out, text, size + 1);
    return true;
}

/* Whole numbers are seconds or milliseconds since 1970; small ones (a flag, a counter, a Julian day) are no time. */
static bool number_moment(double number, bool whole, struct moment *out)
{
    bool ms = number >= 1e11;
    *out = (struct moment){(int64_t)(ms ? number : number * 1000), ms || !whole ? 1 : 1000, true};
    return number >= 1e8 && number < 1e15;
}

bool cell_moment(sqlite3_stmt *stmt, int i, struct moment *out)
{
    int kind = sqlite3_column_type(stmt, i);
    if (kind == SQLITE_INTEGER || kind == SQLITE_FLOAT)
        return number_moment(sqlite3_column_double(stmt, i), kind == SQLITE_INTEGER, out);
    const char *text = kind == SQLITE_TEXT ? (const char *)sqlite3_column_text(stmt, i) : NULL;
    return text && moment_parse(text, (size_t)sqlite3_column_bytes(stmt, i), out);
}

void cell_version(sqlite3_stmt *stmt, int i, char out[VERSION_BYTES])
{
    char number[32];
    switch (sqlite3_column_type(stmt, i)) {
    case SQLITE_INTEGER:
        snprintf(out, VERSION_BYTES, "m%lld", (long long)sqlite3_column_int64(stmt, i));
        break;
    case SQLITE_FLOAT:
        real_text(sqlite3_column_double(stmt, i), number);
        snprintf(out, VERSION_BYTES, "m%s", number);
        break;
    default:
        snprintf(out, VERSION_BYTES, "m%.70s", (const char *)sqlite3_column_text(stmt, i));
    }
}

int settle_read(struct db *d, const struct table *t, struct settle *out)
{
    sqlite3_stmt *stmt = NULL;
    struct moment newest;
    struct pool pool = {0};
    *out = (struct settle){d->host->now_ms(d->host->ctx), INT64_MIN};
    if (!t->versions)
        return SL_OK;
    int c = db_prepare(
        d, pool_print(&pool, "SELECT max(%s) FROM %s", quote_name(&pool, t->columns[t->modified].name), t->quoted),
        &stmt);
    if (!c && sqlite3_step(stmt) == SQLITE_ROW && cell_moment(stmt, 0, &newest))
        out->newest_ms = newest.ms;
    sqlite3_finalize(stmt);
    pool_fini(&pool);
    return c;
}

/*
 * A second change inside the clock's step would not show, so the step must be over. A time without a zone may be the local
 * time of a place hours away: its step is over once some row has a later one, or after the 14 hours zones differ by.
 */
bool moment_settled(const struct settle *s, const struct moment *m)
{
    enum { SLACK_MS = 2000, ZONES_MS = 14 * 3600 * 1000 };
    int64_t over = m->ms + m->grain_ms + SLACK_MS;
    if (over > s->now_ms)
        return false;
    return m->zoned || over <= s->newest_ms || over + ZONES_MS <= s->now_ms;
}

int row_init(struct row *r, struct db *d, const struct table *t, struct pool *p)
{
    *r = (struct row){.db = d, .table = t};
    r->values = pool_alloc(p, (size_t)t->n_columns * sizeof(*r->values));
    r->numbers = pool_alloc(p, (size_t)t->n_columns * sizeof(*r->numbers));
    return settle_read(d, t, &r->settle);
}

static void set_version(struct row *r, sqlite3_stmt *stmt)
{
    struct moment m;
    snprintf(r->version, sizeof(r->version), "h%016llx", (unsigned long long)r->hash);
    if (r->table->modified < 0 || !cell_moment(stmt, r->table->modified, &m))
        return;
    r->record.modified_ms = m.ms;
    r->record.modified_grain_ms = m.grain_ms ? m.grain_ms : 1;
    if (r->table->versions && moment_settled(&r->settle, &m))
        cell_version(stmt, r->table->modified, r->version);
}

void row_keyless(struct row *r, sqlite3_stmt *stmt, int i)
{
    snprintf(r->id, sizeof(r->id), "(unusable key %016llx)", (unsigned long long)hash_cell(HASH_SEED, stmt, i));
    snprintf(r->trouble, sizeof(r->trouble),
             "a row of table %s has a key that cannot be an id (NULL, empty, no text, with a control character, or "
             "over 1024 bytes); correct its "
             "column %s",
             r->table->name, r->table->columns[r->table->key].name);
}

void row_read(struct row *r, sqlite3_stmt *stmt)
{
    const struct table *t = r->table;
    r->hash = HASH_SEED;
    *r->trouble = 0;
    for (int i = 0; i < t->n_columns; i++) {
        r->hash = hash_cell(r->hash, stmt, i);
        read_cell(r, stmt, i);
    }
    r->record = (struct sl_record){.size = sizeof(r->record), .id = r->id, .version = r->version, .fields = r->values};
    r->record.n_fields = (uint32_t)t->n_columns;
    r->record.field_size = sizeof(struct sl_value);
    r->has_key = cell_id(stmt, t->key, r->id);
    set_version(r, stmt);
    if (t->view && sqlite3_column_int(stmt, t->n_columns) > 1)
        snprintf(r->trouble, sizeof(r->trouble), "view %s has %d rows with the id %.60s; make its ids unique", t->name,
                 sqlite3_column_int(stmt, t->n_columns), r->id);
    if (!r->has_key)
        row_keyless(r, stmt, t->key);
}

int row_emit(struct row *r)
{
    const struct sl_host *host = r->db->host;
    struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_RECORD, .id = r->id, .version = r->version};
    item.record = &r->record;
    if (*r->trouble) {
        item.kind = SL_ITEM_UNREADABLE;
        item.record = NULL;
        item.error_class = SL_REJECTED;
        item.message = r->trouble;
    }
    int refused = host->emit(host->ctx, &item);
    host->json_free(host->ctx);
    return refused ? db_why(r->db, SL_BROKEN, "table %s: the host took no more records", r->table->name) : SL_OK;
}

bool row_has_version(const struct row *r, sqlite3_stmt *stmt, const char *version)
{
    char mine[VERSION_BYTES];
    struct moment m;
    if (!version || !*version)
        return true;
    snprintf(mine, sizeof(mine), "h%016llx", (unsigned long long)r->hash);
    if (*version == 'm' && r->table->versions && cell_moment(stmt, r->table->modified, &m))
        cell_version(stmt, r->table->modified, mine);
    return !strcmp(mine, version);
}

/* Comparing converts (" 7" finds 7) and may ignore case: only the very same text is the id. */
int row_find(struct row *r, sqlite3_stmt *stmt, const char *id, bool *found)
{
    int64_t number;
    *found = false;
    sqlite3_reset(stmt);
    sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
    if (r->table->view && is_integer(id, &number))
        sqlite3_bind_int64(stmt, 2, number);
    else if (r->table->view)
        sqlite3_bind_text(stmt, 2, id, -1, SQLITE_STATIC);
    int code = SQLITE_DONE;
    while (!*found && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        row_read(r, stmt);
        *found = r->has_key && !strcmp(r->id, id);
    }
    if (*found || code == SQLITE_DONE)
        return SL_OK;
    return db_error(r->db, code, r->table->name);
}

struct sl_record *record_keep(struct pool *p, const struct sl_record *r)
{
    struct sl_record *out = pool_alloc(p, sizeof(*out));
    struct sl_value *fields = pool_alloc(p, r->n_fields * sizeof(*fields));
    *out = *r;
    out->id = pool_copy(p, r->id, strlen(r->id));
    out->version = pool_copy(p, r->version, strlen(r->version));
    out->fields = fields;
    for (uint32_t i = 0; i < r->n_fields; i++) {
        fields[i] = r->fields[i];
        if (fields[i].text)
            fields[i].text = pool_copy(p, fields[i].text, fields[i].text_size);
    }
    return out;
}
