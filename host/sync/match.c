/* SPDX-License-Identifier: MIT */
/* match.c - finds the partner of an unlinked record by the pair's match keys; two candidates are none. */
#include <string.h>

#include "sync/engine.h"

enum { RANK_CORRELATION = 250, CANDIDATES = 8 };

/* The key of a record under one match rule: a hash of all its values as text; false if one is missing or empty. */
static bool key_of(const struct engine *g, const struct conf_match *m, int s, const struct sl_record *r,
                   struct hash128 *out)
{
    struct buf b = {0};
    bool whole = m->n_fields > 0;
    (void)g;
    for (size_t i = 0; i < m->n_fields && whole; i++) {
        const struct sl_value *v = record_field(r, m->field[s][i]);
        if (!v && strcmp(m->field[s][i], "external_key") == 0 && r->correlation) {
            put_text(&b, r->correlation);
            continue;
        }
        whole = v && !value_empty(v);
        struct buf text = {0};
        if (whole && (v->type == SL_STRING || v->type == SL_ENUM || v->type == SL_REF || v->type == SL_DECIMAL))
            buf_add(&text, v->text, v->text_size);
        else if (whole)
            value_put_json(&text, v);
        put_blob(&b, text.data, text.size);
        buf_fini(&text);
    }
    *out = hash128(b.data, b.size);
    buf_fini(&b);
    return whole;
}

static void each_key(struct engine *g, const struct link *l, int s, const struct sl_record *r, bool put)
{
    for (size_t rank = 0; rank < g->pair->n_match; rank++) {
        struct hash128 hash;
        if (!key_of(g, &g->pair->match[rank], s, r, &hash))
            continue;
        struct row_key k = key_match(s, (unsigned)rank, &hash, l->number);
        if (put)
            batch_put(&g->batch, DB_KEYS, key_slice(&k), slice_of("", 0));
        else
            batch_del(&g->batch, DB_KEYS, key_slice(&k));
    }
    struct row_key own = key_match(s, RANK_CORRELATION, &l->key, l->number);
    if (put)
        batch_put(&g->batch, DB_KEYS, key_slice(&own), slice_of("", 0));
    else
        batch_del(&g->batch, DB_KEYS, key_slice(&own));
}

void match_del_keys(struct engine *g, const struct link *l, int s, const struct sl_record *r)
{
    if (r && (g->pair->n_match || (g->caps[1 - s] & SL_CAP_FIND_CORRELATION)))
        each_key(g, l, s, r, false);
}

static int candidates(struct engine *g, struct store_snap *snap, int s, unsigned rank, const struct hash128 *hash,
                      uint64_t *found, size_t *n)
{
    struct store_row rows[CANDIDATES];
    struct row_key from = key_match(s, rank, hash, 0), below = key_match(s, rank, hash, UINT64_MAX);
    int rc = store_scan(snap, DB_KEYS, key_slice(&from), key_slice(&below), false, CANDIDATES, rows, n);
    for (size_t i = 0; i < *n; i++)
        found[i] = key_to_number(slice_of((const char *)rows[i].key.data + rows[i].key.size - 8, 8));
    return engine_fail(g, rc);
}

static const char *name_all(struct engine *g, struct store_snap *snap, int s, const uint64_t *found, size_t n)
{
    struct buf b = {0};
    for (size_t i = 0; i < n; i++) {
        struct link l;
        if (state_link(snap, found[i], &g->chunk, &l, g->e) == STORE_OK && l.id[s])
            buf_printf(&b, "%s%s", b.size ? ", " : "", l.id[s]);
    }
    const char *text = arena_text(&g->chunk, b.data ? b.data : "");
    buf_fini(&b);
    return text;
}

static int by_rank(struct engine *g, struct store_snap *snap, int s, unsigned rank, const struct hash128 *hash,
                   uint64_t *partner, const char **names)
{
    uint64_t theirs[CANDIDATES], ours[CANDIDATES];
    size_t n_theirs = 0, n_ours = 0;
    if (candidates(g, snap, 1 - s, rank, hash, theirs, &n_theirs) || n_theirs == 0)
        return MATCH_NONE;
    if (candidates(g, snap, s, rank, hash, ours, &n_ours))
        return MATCH_NONE;
    if (n_theirs == 1 && n_ours <= 1) {
        *partner = theirs[0];
        return MATCH_ONE;
    }
    *names = arena_printf(&g->chunk, "%s on side %s, %s on side %s", name_all(g, snap, s, ours, n_ours), s ? "b" : "a",
                          name_all(g, snap, 1 - s, theirs, n_theirs), s ? "a" : "b");
    return MATCH_AMBIGUOUS;
}

bool match_holds(struct engine *g, const struct unit *u, int t, unsigned rank, uint64_t partner)
{
    struct hash128 ours, theirs;
    if (rank == RANK_CORRELATION || !u->now[t])
        return true;
    const struct conf_match *m = &g->pair->match[rank];
    if (!key_of(g, m, 1 - t, u->now[1 - t], &ours))
        return false;
    if (key_of(g, m, t, u->now[t], &theirs) && memcmp(&ours, &theirs, sizeof ours) == 0)
        return true;
    struct row_key k = key_match(t, rank, &ours, partner);
    batch_del(&g->batch, DB_KEYS, key_slice(&k));
    return false;
}

int match_partner(struct engine *g, struct unit *u, int s, uint64_t *partner, unsigned *rank, const char **names)
{
    struct store_snap *snap = NULL;
    int result = MATCH_NONE;
    const struct sl_record *r = u->now[s];
    struct hash128 hash;
    if (!r || engine_fail(g, store_snap(g->store, &snap, g->e)))
        return MATCH_NONE;
    *rank = RANK_CORRELATION;
    if (r->correlation && hex_decode(r->correlation, hash.bytes, sizeof hash.bytes))
        result = by_rank(g, snap, s, RANK_CORRELATION, &hash, partner, names);
    for (unsigned i = 0; i < g->pair->n_match && result == MATCH_NONE; i++) {
        *rank = i;
        if (key_of(g, &g->pair->match[i], s, r, &hash))
            result = by_rank(g, snap, s, i, &hash, partner, names);
    }
    store_snap_end(snap);
    return result;
}

/* --- load: every unlinked record of the inbox is read and its keys written before anything is matched --- */

/* A record that waits since an earlier run as it is now has its keys. */
static bool loaded(const struct engine *g, const struct unit *u, int s)
{
    return !u->new_link && !g->reexamine && u->row[s].kind == INBOX_RECORD &&
           u->seen[s].content == record_digest(u->now[s]);
}

static void load_one(struct engine *g, struct unit *u)
{
    int s = u->link.id[0] ? 0 : 1;
    engine_listed(g, u->link.number, s);
    if (u->now[s] && (loaded(g, u, s) || unit_views(g, u)))
        return;
    if (u->now[s]) {
        u->seen[s].version = version_hash(u->now[s]->version);
        u->seen[s].content = record_digest(u->now[s]);
        put_inbox_row(&g->batch, s, u->link.id[s], &(struct inbox_row){.kind = INBOX_RECORD, .record = u->now[s]});
        if (!u->view[s].out)
            each_key(g, &u->link, s, u->now[s], true);
    }
    if (u->new_link)
        put_link_row(&g->batch, &u->link);
    if (u->new_link || u->now[s])
        put_id_row(&g->batch, s, u->link.id[s], &u->seen[s]);
}

static int load_chunk(struct engine *g, struct unit *units, size_t n)
{
    if (units_read(g, units, n))
        return g->e->code;
    for (size_t i = 0; i < n; i++)
        if (units[i].link.state == LINK_HALF)
            load_one(g, &units[i]);
    return g->e->code ? g->e->code : engine_commit(g);
}

/* Fills units from the inbox after *from; only records without a partner. */
static int load_units(struct engine *g, struct row_key *from, struct unit *units, size_t *n, bool *end)
{
    struct store_snap *snap = NULL;
    struct store_row rows[CHUNK_UNITS];
    size_t n_rows = 0;
    int rc = engine_fail(g, store_snap(g->store, &snap, g->e));
    if (rc == 0)
        rc = engine_fail(
            g, store_scan(snap, DB_INBOX, key_slice(from), slice_of(NULL, 0), false, CHUNK_UNITS, rows, &n_rows));
    *end = n_rows < CHUNK_UNITS;
    *n = 0;
    for (size_t i = 0; rc == 0 && i < n_rows; i++) {
        const char *id = NULL;
        struct inbox_row row;
        int side = ((const uint8_t *)rows[i].key.data)[0];
        memcpy(from->bytes, rows[i].key.data, rows[i].key.size);
        from->size = rows[i].key.size;
        from->bytes[from->size++] = 0; /* the next key after this one */
        rc = inbox_decode(rows[i].value, &g->chunk, &row, &id, g->e);
        if (rc == 0)
            rc = unit_gather(g, snap, side, id, &row, &units[*n]);
        if (rc == 0 && units[*n].link.state == LINK_HALF)
            (*n)++;
        if (g->chunk.used_bytes > CHUNK_BYTES) {
            *end = false;
            break;
        }
    }
    store_snap_end(snap);
    return rc;
}

int engine_load(struct engine *g)
{
    struct unit *units = mem_alloc(CHUNK_UNITS * sizeof *units);
    struct row_key from = {.size = 0};
    bool end = false;
    int rc = 0;
    uint64_t total = 0;
    while (rc == 0 && !end) {
        size_t n = 0;
        rc = load_units(g, &from, units, &n, &end);
        if (rc == 0)
            rc = load_chunk(g, units, n);
        total += n;
        engine_progress(g, "matching", total, 0);
        arena_reset(&g->chunk);
    }
    mem_free(units);
    return rc;
}
