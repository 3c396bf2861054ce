/* SPDX-License-Identifier: MIT */
/* sqlite.c - the sqlite connector's table: options, sessions, check, get and find. */
#include <stdlib.h>
#include <string.h>

#include "connector.h"

static const struct sl_option options[] = {
    {"file", SL_OPT_PATH, 1, NULL, NULL, "The database file; it must exist."},
    {"modified", SL_OPT_STRING, 0, NULL, NULL,
     "The column in which every change of a row leaves its time; a changed database is then listed without reading "
     "whole rows."},
    {"busy_ms", SL_OPT_INT, 0, "5000", NULL, "How long to wait for another program's lock, in milliseconds."},
};

static void db_close(void *session)
{
    struct db *d = session;
    if (!d)
        return;
    db_shut(d);
    free(d->file);
    free(d->modified);
    free(d);
}

static char *keep(const struct sl_value *v)
{
    return sl_checked(strndup(v->text, v->text_size));
}

static int db_open(const struct sl_host *host, const struct sl_settings *settings, void **session)
{
    struct db *d = sl_checked(calloc(1, sizeof(*d)));
    d->host = host;
    d->busy_ms = 5000;
    for (uint32_t i = 0; i < settings->n_values; i++) {
        const struct sl_value *v = sl_value_at(settings->values, settings->value_size, i);
        if (!strcmp(v->name, "file") && v->text)
            d->file = keep(v);
        else if (!strcmp(v->name, "modified") && v->text_size)
            d->modified = keep(v);
        else if (!strcmp(v->name, "busy_ms"))
            d->busy_ms = v->number < 0 ? 0 : v->number > 600000 ? 600000 : (int)v->number;
    }
    if (d->file) {
        *session = d;
        return SL_OK;
    }
    host->fail(host->ctx, "the setting `file` is missing; name the database file");
    db_close(d);
    return SL_CONFIG;
}

/* Ends a call: what went wrong is said where the host looks for it. */
static int told(struct db *d, int c)
{
    if (c)
        d->host->fail(d->host->ctx, d->reason);
    return c;
}

/* A name that no table has is a slip of the pen, which would quietly cost every stub. */
static int check_modified(struct db *d)
{
    sqlite3_stmt *stmt = NULL;
    if (!d->modified)
        return SL_OK;
    int c = db_prepare(
        d, "SELECT 1 FROM sqlite_schema s, pragma_table_xinfo(s.name) c WHERE s.type='table' AND c.name=?1", &stmt);
    if (c)
        return c;
    sqlite3_bind_text(stmt, 1, d->modified, -1, SQLITE_STATIC);
    if (!db_row(d, stmt, &c) && !c)
        c = db_why(d, SL_CONFIG, "no table of %s has a column %s; correct the setting `modified` or leave it out",
                   d->file, d->modified);
    sqlite3_finalize(stmt);
    return c;
}

static int check(void *session)
{
    struct db *d = session;
    int c = db_ready(d);
    if (!c)
        c = db_begin_read(d);
    if (!c)
        c = check_modified(d);
    db_end_read(d);
    return told(d, c);
}

static int describe(void *session, const char *object)
{
    return told(session, table_describe(session, object));
}

static int pull(void *session, const struct sl_pull *ask)
{
    return told(session, db_pull(session, ask));
}

static int emit_gone(struct db *d, const char *id)
{
    struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_TOMBSTONE, .id = id};
    return d->host->emit(d->host->ctx, &item) ? db_why(d, SL_BROKEN, "the host took no more records") : SL_OK;
}

/* What get and find share: a read transaction, the table, a row to read into. */
struct reading {
    struct db *db;
    struct sl_pool pool;
    struct table table;
    struct row row;
    sqlite3_stmt *stmt;
};

static int begin(struct reading *r, struct db *d, const char *object)
{
    *r = (struct reading){.db = d};
    int c = db_ready(d);
    if (!c)
        c = db_begin_read(d);
    if (!c)
        c = table_load(d, &r->pool, object, &r->table);
    if (!c)
        c = row_init(&r->row, d, &r->table, &r->pool);
    return c;
}

static int end(struct reading *r, int c)
{
    sqlite3_finalize(r->stmt);
    db_end_read(r->db);
    sl_pool_free(&r->pool);
    return told(r->db, c);
}

static int get(void *session, const struct sl_get *ask)
{
    struct reading r;
    int c = begin(&r, session, ask->object);
    if (!c)
        c = db_prepare(r.db, sl_pool_print(&r.pool, "%s WHERE %s", r.table.select, r.table.by_key), &r.stmt);
    for (uint32_t i = 0; !c && i < ask->n_ids; i++) {
        bool found = false;
        c = row_find(&r.row, r.stmt, ask->ids[i], &found);
        if (!c)
            c = found ? row_emit(&r.row) : emit_gone(r.db, ask->ids[i]);
    }
    return end(&r, c);
}

static int find_rows(struct reading *r, uint32_t max_items)
{
    int code, c = SL_OK;
    for (uint32_t n = 0; !c && (!max_items || n < max_items) && (code = sqlite3_step(r->stmt)) != SQLITE_DONE; n++) {
        if (code != SQLITE_ROW)
            return db_error(r->db, code, r->table.name);
        row_read(&r->row, r->stmt);
        if (!*r->row.trouble)
            c = row_emit(&r->row);
        r->db->host->json_free(r->db->host->ctx);
    }
    return c;
}

/* A value the column cannot hold is in no row. */
static int find(void *session, const struct sl_find *ask)
{
    struct reading r;
    int c = begin(&r, session, ask->object);
    if (!c && !ask->value)
        c = db_why(r.db, SL_UNSUPPORTED, "table %s keeps no correlation keys; look a record up by a field",
                   ask->object);
    int i = c ? -1 : table_column(&r.table, ask->value->name);
    if (!c && i < 0)
        c = db_why(r.db, SL_CONFIG, "table %s of %s has no column %s; correct the match keys", ask->object, r.db->file,
                   ask->value->name);
    if (!c)
        c = db_prepare(
            r.db,
            sl_pool_print(&r.pool, "%s WHERE %s IS ?1", r.table.select, quote_name(&r.pool, r.table.columns[i].name)),
            &r.stmt);
    if (c)
        return end(&r, c);
    c = value_bind(r.db, &r.table, &r.table.columns[i], r.stmt, 1, ask->value);
    if (!c)
        c = find_rows(&r, ask->max_items);
    return end(&r, c == SL_REJECTED ? SL_OK : c);
}

static int write_batch(void *session, const struct sl_batch *batch)
{
    return told(session, db_write(session, batch));
}

static int webhook(void *session, const struct sl_hook *hook)
{
    (void)hook;
    return told(session,
                db_why(session, SL_UNSUPPORTED, "a SQLite file sends no webhooks; let the pair poll with `every`"));
}

SL_EXPORT const struct sl_plugin syncline_plugin = {
    .size = sizeof(struct sl_plugin),
    .abi_major = SL_ABI_MAJOR,
    .abi_minor = SL_ABI_MINOR,
    .name = "sqlite",
    .version = "1.0.0",
    .summary = "Tables of a SQLite database file.",
    .caps = SL_CAP_CREATE | SL_CAP_UPDATE | SL_CAP_DELETE | SL_CAP_ARCHIVE | SL_CAP_COMPLETE | SL_CAP_DELTA |
            SL_CAP_GET | SL_CAP_RESERVED_ID | SL_CAP_CONDITIONAL | SL_CAP_FIND_KEY | SL_REACH_FILES,
    .needs = SL_NEED_JSON,
    .options = options,
    .n_options = sizeof(options) / sizeof(*options),
    .option_size = sizeof(struct sl_option),
    .open = db_open,
    .close = db_close,
    .check = check,
    .describe = describe,
    .pull = pull,
    .get = get,
    .find = find,
    .write = write_batch,
    .webhook = webhook,
};
