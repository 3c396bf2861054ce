/* SPDX-License-Identifier: MIT */
/* row.c - reads a row: exact values, its id, its version, or why it cannot be read. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "connector.h"

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
    struct sl_pool pool = {0};
    char *text = sl_pool_take(&pool, v->text_size + 8);
    memcpy(text, "{\"v\":", 5);
    memcpy(text + 5, v->text, v->text_size);
    text[v->text_size + 5] = '}';
    int c = host->json_read(host->ctx, text, v->text_size + 6, &fields, &n, &field_size, &message);
    if (!c && n == 1 && fields->type == SL_JSON) {
        v->type = SL_JSON;
        v->text = fields->text;
        v->text_size = fields->text_size;
    }
    sl_pool_free(&pool);
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

static void read_cell(struct row *r, int i, const struct cell *cell)
{
    const struct column *c = &r->table->columns[i];
    struct sl_value *v = &r->values[i];
    *v = (struct sl_value){.name = c->name, .type = SL_NULL, .number = cell->number};
    switch (cell->kind) {
    case SQLITE_INTEGER:
        v->type = c->type == SL_BOOL && (v->number == 0 || v->number == 1) ? SL_BOOL : SL_INT;
        break;
    case SQLITE_FLOAT:
        read_real(r, c, cell->real, r->numbers[i], v);
        break;
    case SQLITE_TEXT:
    case SQLITE_BLOB:
        v->text = cell->text;
        v->text_size = cell->size;
        v->type = SL_STRING;
        if (!sl_utf8_clean(v->text, v->text_size))
            trouble(r, c, "holds bytes that are no text");
        else if (cell->kind == SQLITE_TEXT)
            read_text(r, c, v);
        break;
    default:
        break;
    }
}

int settle_read(struct db *d, const struct table *t, struct settle *out)
{
    sqlite3_stmt *stmt = NULL;
    struct moment newest;
    struct sl_pool pool = {0};
    *out = (struct settle){d->host->now_ms(d->host->ctx), INT64_MIN};
    if (!t->versions)
        return SL_OK;
    int c = db_prepare(
        d, sl_pool_print(&pool, "SELECT max(%s) FROM %s", quote_name(&pool, t->columns[t->modified].name), t->quoted),
        &stmt);
    if (db_row(d, stmt, &c) && cell_moment(stmt, 0, &newest))
        out->newest_ms = newest.ms;
    sqlite3_finalize(stmt);
    sl_pool_free(&pool);
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

int row_init(struct row *r, struct db *d, const struct table *t, struct sl_pool *p)
{
    *r = (struct row){.db = d, .table = t};
    r->values = sl_pool_take(p, (size_t)t->n_columns * sizeof(*r->values));
    r->numbers = sl_pool_take(p, (size_t)t->n_columns * sizeof(*r->numbers));
    return settle_read(d, t, &r->settle);
}

static void set_version(struct row *r, sqlite3_stmt *stmt)
{
    struct moment m;
    hash_version(r->hash, r->version);
    if (r->table->modified < 0 || !cell_moment(stmt, r->table->modified, &m))
        return;
    r->record.modified_ms = m.ms;
    r->record.modified_grain_ms = m.grain_ms ? m.grain_ms : 1;
    if (r->table->versions && moment_settled(&r->settle, &m))
        cell_version(stmt, r->table->modified, r->version);
}

void row_keyless(struct row *r, sqlite3_stmt *stmt, int i)
{
    struct cell cell = cell_take(stmt, i);
    snprintf(r->id, sizeof(r->id), "(unusable key %016llx)", (unsigned long long)cell_hash(HASH_SEED, &cell));
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
        struct cell cell = cell_take(stmt, i);
        r->hash = cell_hash(r->hash, &cell);
        read_cell(r, i, &cell);
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

void row_skim(struct row *r, sqlite3_stmt *stmt)
{
    r->hash = HASH_SEED;
    *r->trouble = 0;
    for (int i = 0; i < r->table->n_columns; i++) {
        struct cell cell = cell_take(stmt, i);
        r->hash = cell_hash(r->hash, &cell);
    }
    r->has_key = cell_id(stmt, r->table->key, r->id);
    hash_version(r->hash, r->version);
    if (!r->has_key)
        row_keyless(r, stmt, r->table->key);
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
    hash_version(r->hash, mine);
    if (*version == 'm' && r->table->versions && cell_moment(stmt, r->table->modified, &m))
        cell_version(stmt, r->table->modified, mine);
    return !strcmp(mine, version);
}

void key_bind(const struct table *t, sqlite3_stmt *stmt, const char *id)
{
    int64_t number;
    if (t->integer_key && !t->view && is_integer(id, &number))
        sqlite3_bind_int64(stmt, 1, number);
    else
        sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
}

/* Comparing converts (" 7" finds 7) and may ignore case: only the very same text is the id. */
static int look_up(struct row *r, sqlite3_stmt *stmt, const char *id, void (*take)(struct row *, sqlite3_stmt *),
                   bool *found)
{
    int64_t number;
    *found = false;
    sqlite3_reset(stmt);
    key_bind(r->table, stmt, id);
    if (r->table->view && is_integer(id, &number))
        sqlite3_bind_int64(stmt, 2, number);
    else if (r->table->view)
        sqlite3_bind_text(stmt, 2, id, -1, SQLITE_STATIC);
    int code = SQLITE_DONE;
    while (!*found && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        take(r, stmt);
        *found = r->has_key && !strcmp(r->id, id);
    }
    if (*found || code == SQLITE_DONE)
        return SL_OK;
    return db_error(r->db, code, r->table->name);
}

int row_find(struct row *r, sqlite3_stmt *stmt, const char *id, bool *found)
{
    return look_up(r, stmt, id, row_read, found);
}

int row_seek(struct row *r, sqlite3_stmt *stmt, const char *id, bool *found)
{
    return look_up(r, stmt, id, row_skim, found);
}
