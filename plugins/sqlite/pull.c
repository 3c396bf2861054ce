/* SPDX-License-Identifier: MIT */
/* pull.c - lists a table page by page in the order of its key, or says at once that nothing changed. */
#include <stdio.h>
#include <string.h>

#include "connector.h"

enum { STOP_EVERY = 1024 }; /* rows between two looks at stopping() */

/* What a listing is of: records, stubs whose version is the row's hash, stubs whose version is their `modified`. */
enum mode { MODE_RECORDS = 'r', MODE_HASHES = 'h', MODE_STAMPS = 's' };

/*
 * A cursor is "sqlite1 STATE" after a whole listing and "sqlite1 STATE MODE TYPE:KEY" inside one. STATE is the
 * database's when the listing began, so that whatever happened since, also behind the reader's back, is listed next time.
 */
struct place {
    char state[STATE_BYTES];
    char mode; /* enum mode; 0: no listing is under way */
    char type; /* 'i' integer key, 't' text key */
    const char *after; /* the key of the last row listed */
};

static struct place place_parse(const char *cursor)
{
    struct place p = {.state = STATE_UNSETTLED};
    static const char magic[] = "sqlite1 ";
    if (!cursor || strncmp(cursor, magic, sizeof(magic) - 1) != 0)
        return p;
    cursor += sizeof(magic) - 1;
    size_t n = strcspn(cursor, " ");
    if (n >= sizeof(p.state))
        return p;
    memcpy(p.state, cursor, n);
    p.state[n] = 0;
    cursor += n;
    if (strlen(cursor) > 5 && strchr("rhs", cursor[1]) && strchr("it", cursor[3]) && cursor[4] == ':') {
        p.mode = cursor[1];
        p.type = cursor[3];
        p.after = cursor + 5;
    }
    return p;
}

/* One page under way. */
struct page {
    struct db *db;
    struct table table;
    struct place place;
    struct row row;
    sqlite3_stmt *list;
    sqlite3_stmt *lookup; /* in a listing of stamps, for rows that must be read whole */
    uint32_t max;
    char last[ID_BYTES];
    char last_type;
};

static int prepare(struct page *p, struct sl_pool *pool)
{
    const struct table *t = &p->table;
    bool stamps = p->place.mode == MODE_STAMPS;
    const char *select = t->select;
    if (stamps)
        select = sl_pool_print(pool, "SELECT %s, %s FROM %s", t->key_name,
                               quote_name(pool, t->columns[t->modified].name), t->quoted);
    const char *where = p->place.after ? sl_pool_print(pool, " WHERE %s>?1", t->key_name) : "";
    int c = db_prepare(p->db, sl_pool_print(pool, "%s%s ORDER BY %s", select, where, t->key_name), &p->list);
    if (!c && stamps)
        c = db_prepare(p->db, sl_pool_print(pool, "%s WHERE %s", t->select, t->by_key), &p->lookup);
    int64_t number;
    if (c || !p->place.after)
        return c;
    if (p->place.type == 'i' && is_integer(p->place.after, &number))
        sqlite3_bind_int64(p->list, 1, number);
    else
        sqlite3_bind_text(p->list, 1, p->place.after, -1, SQLITE_STATIC);
    return SL_OK;
}

static int emit_stub(struct page *p)
{
    const struct sl_host *host = p->db->host;
    struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_STUB, .id = p->row.id, .version = p->row.version};
    return host->emit(host->ctx, &item)
               ? db_why(p->db, SL_BROKEN, "table %s: the host took no more records", p->table.name)
               : SL_OK;
}

/* A row of a listing of stamps: whole if its version is not certain yet. */
static int emit_stamp(struct page *p)
{
    struct moment m;
    bool found = false;
    p->row.has_key = cell_id(p->list, 0, p->row.id);
    if (!p->row.has_key) {
        *p->row.version = 0;
        row_keyless(&p->row, p->list, 0);
        return row_emit(&p->row);
    }
    if (cell_moment(p->list, 1, &m) && moment_settled(&p->row.settle, &m)) {
        cell_version(p->list, 1, p->row.version);
        return emit_stub(p);
    }
    char id[ID_BYTES];
    snprintf(id, sizeof(id), "%s", p->row.id);
    int c = row_find(&p->row, p->lookup, id, &found);
    return c || !found ? c : row_emit(&p->row);
}

static int emit_hash(struct page *p)
{
    row_skim(&p->row, p->list);
    return p->row.has_key ? emit_stub(p) : row_emit(&p->row);
}

static int emit_record(struct page *p)
{
    row_read(&p->row, p->list);
    return row_emit(&p->row);
}

static int emit_row(struct page *p)
{
    int key = p->place.mode == MODE_STAMPS ? 0 : p->table.key;
    int c = p->place.mode == MODE_STAMPS ? emit_stamp(p) : p->place.mode == MODE_HASHES ? emit_hash(p) : emit_record(p);
    p->last_type = 0;
    if (p->max && p->row.has_key) {
        p->last_type = sqlite3_column_type(p->list, key) == SQLITE_INTEGER ? 'i' : 't';
        strcpy(p->last, p->row.id);
    }
    return c;
}

/* The listing is one page unless the host asks for less. A page ends only behind a row whose key can stand in a cursor. */
static int list(struct page *p, bool *more)
{
    const struct sl_host *host = p->db->host;
    int code, c = SL_OK;
    for (uint32_t n = 0; !c && (code = sqlite3_step(p->list)) != SQLITE_DONE; n++) {
        if (code != SQLITE_ROW)
            return db_error(p->db, code, p->table.name);
        *more = p->max && n >= p->max && p->last_type;
        if (*more)
            break;
        if (n % STOP_EVERY == STOP_EVERY - 1 && host->stopping(host->ctx))
            return db_why(p->db, SL_RETRY, "table %s: the run is being stopped; run again", p->table.name);
        c = emit_row(p);
    }
    return c;
}

static int end_page(struct db *d, int kind, const char *cursor)
{
    struct sl_page page = {.size = sizeof(page), .kind = (uint32_t)kind, .cursor = cursor};
    return d->host->page(d->host->ctx, &page) ? db_why(d, SL_BROKEN, "the host did not take the end of a page") : SL_OK;
}

static int list_page(struct page *p, struct sl_pool *pool)
{
    bool more = false;
    int c = row_init(&p->row, p->db, &p->table, pool);
    if (!c)
        c = prepare(p, pool);
    if (!c)
        c = list(p, &more);
    sqlite3_finalize(p->list);
    sqlite3_finalize(p->lookup);
    if (c)
        return c;
    if (!more)
        return end_page(p->db, SL_PAGE_COMPLETE, sl_pool_print(pool, "sqlite1 %s", p->place.state));
    return end_page(p->db, SL_PAGE_MORE,
                    sl_pool_print(pool, "sqlite1 %s %c %c:%s", p->place.state, p->place.mode, p->last_type, p->last));
}

/*
 * A view may change without the database (it can look at the clock): its state is never known. Once the host knows versions, most
 * rows are as they were: a hash says so at a fraction of what handing the record over costs.
 */
static void begin_listing(struct page *p, const struct sl_pull *pull, const char *now)
{
    bool whole = p->table.view || (pull->flags & (SL_PULL_RECORDS | SL_PULL_FULL));
    p->place.mode = whole ? MODE_RECORDS : p->table.versions ? MODE_STAMPS : pull->cursor ? MODE_HASHES : MODE_RECORDS;
    snprintf(p->place.state, sizeof(p->place.state), "%s", p->table.view ? STATE_UNSETTLED : now);
}

/* A listing of stamps whose setting went away begins again, under the old state: what was listed before may be gone. */
static int choose(struct page *p, const struct sl_pull *pull, const char *now, struct sl_pool *pool)
{
    bool known = strcmp(p->place.state, STATE_UNSETTLED) != 0 && !strcmp(p->place.state, now);
    if (p->place.after && p->place.mode == MODE_STAMPS && !p->table.versions) {
        p->place.after = NULL;
        p->place.mode = MODE_RECORDS;
    } else if (!p->place.after) {
        if (known && !(pull->flags & SL_PULL_FULL))
            return end_page(p->db, SL_PAGE_DONE, pull->cursor);
        begin_listing(p, pull, now);
    }
    return list_page(p, pool);
}

int db_pull(struct db *d, const struct sl_pull *pull)
{
    struct sl_pool pool = {0};
    char now[STATE_BYTES];
    struct page p = {.db = d, .place = place_parse(pull->cursor), .max = pull->page_max};
    int c = db_ready(d);
    if (!c)
        c = db_begin_state(d, now);
    if (!c)
        c = table_load(d, &pool, pull->object, &p.table);
    if (!c)
        c = choose(&p, pull, now, &pool);
    db_end_read(d);
    sl_pool_free(&pool);
    return c;
}
