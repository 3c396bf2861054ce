/* SPDX-License-Identifier: MIT */
/* match.c - finds the partner of an unlinked record by the pair's match keys; two candidates are none. */
#include <string.h>

#include "sync/engine.h"

enum { CANDIDATES = 8 };

static void put_key_text(struct buf *out, const struct sl_value *v)
{
    struct buf text = {0};
    if (v && (v->type == SL_STRING || v->type == SL_ENUM || v->type == SL_REF || v->type == SL_DECIMAL))
        buf_add(&text, v->text, v->text_size);
    else if (v)
        value_put_json(&text, v);
    put_blob(out, text.data, text.size);
    buf_fini(&text);
}

/* All that the pair's rules make of a record, as side b holds it: what has the same is equal. False: there is nothing. */
static bool content_of(struct engine *g, int s, const struct sl_record *r, struct hash128 *out)
{
    struct buf b = {0};
    const struct sl_record *const both[2] = {s == 0 ? r : NULL, s == 1 ? r : NULL};
    const struct rule *rules = g->pair->map.rules;
    size_t n = g->pair->map.n_rules;
    if (g->pair->map.open)
        rules = map_open_rules(&g->pair->map, both, &g->chunk, &n);
    for (size_t i = 0; i < n; i++) {
        struct err ignored = {0};
        struct sl_value v = value_absent(NULL);
        const struct sl_value *own = s == 1 && rules[i].field[1] ? record_field(r, rules[i].field[1]) : NULL;
        if (!rules[i].to[1] || !rules[i].field[1] ||
            (s == 0 && map_value(&rules[i], 1, r, NULL, g->now_ms, &g->chunk, &v, &ignored)))
            continue;
        v = own ? *own : v;
        if (value_empty(&v))
            continue;
        put_text(&b, rules[i].field[1]);
        put_key_text(&b, &v);
    }
    bool any = b.size > 0;
    *out = hash128(b.data, b.size);
    buf_fini(&b);
    return any;
}

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
        put_key_text(&b, whole ? v : NULL);
    }
    *out = hash128(b.data, b.size);
    buf_fini(&b);
    return whole;
}

/* A key holds as long as the record is what it was written for: each row carries that record's digest. content NULL: deletes. */
static void one_key(struct engine *g, int s, unsigned rank, const struct hash128 *hash, uint64_t link,
                    const uint64_t *content)
{
    struct row_key k = key_match(s, rank, hash, link);
    if (content)
        batch_put(&g->batch, DB_KEYS, key_slice(&k), slice_of(content, sizeof *content));
    else
        batch_del(&g->batch, DB_KEYS, key_slice(&k));
}

static void each_key(struct engine *g, const struct link *l, int s, const struct sl_record *r, const uint64_t *content)
{
    struct hash128 hash;
    for (size_t rank = 0; rank < g->pair->n_match; rank++)
        if (key_of(g, &g->pair->match[rank], s, r, &hash))
            one_key(g, s, (unsigned)rank, &hash, l->number, content);
    if (g->by_content && content_of(g, s, r, &hash))
        one_key(g, s, RANK_CONTENT, &hash, l->number, content);
    one_key(g, s, RANK_CORRELATION, &l->key, l->number, content);
}

bool match_keyed(const struct engine *g, int s)
{
    return g->pair->n_match || g->by_content || (g->caps[1 - s] & SL_CAP_FIND_CORRELATION);
}

void match_del_keys(struct engine *g, const struct link *l, int s, const struct sl_record *r)
{
    if (r && match_keyed(g, s))
        each_key(g, l, s, r, NULL);
}

void match_put_keys(struct engine *g, const struct unit *u, int s)
{
    if (u->now[s] && match_keyed(g, s))
        each_key(g, &u->link, s, u->now[s], &u->seen[s].content);
}

/* Is there still such a record, and has it still this key? */
static bool stands(struct engine *g, struct store_snap *snap, int s, uint64_t link, struct slice value)
{
    struct link l;
    struct id_row seen;
    uint64_t content = 0;
    if (state_link(snap, link, &g->chunk, &l, g->e) != STORE_OK || l.state != LINK_HALF || !l.id[s])
        return false;
    if (value.size != sizeof content || state_id(snap, s, l.id[s], &seen, g->e) != STORE_OK)
        return true;
    memcpy(&content, value.data, sizeof content);
    return seen.content == content;
}

/* One alone is looked at when it is joined; of several, those that do not stand any more are left out. */
static int candidates(struct engine *g, struct store_snap *snap, int s, unsigned rank, const struct hash128 *hash,
                      uint64_t *found, size_t *n)
{
    struct store_row rows[CANDIDATES];
    size_t n_rows = 0;
    struct row_key from = key_match(s, rank, hash, 0), below = key_match(s, rank, hash, UINT64_MAX);
    int rc = store_scan(snap, DB_KEYS, key_slice(&from), key_slice(&below), false, CANDIDATES, rows, &n_rows);
    *n = 0;
    for (size_t i = 0; rc == STORE_OK && i < n_rows; i++) {
        uint64_t link = key_to_number(slice_of((const char *)rows[i].key.data + rows[i].key.size - 8, 8));
        if (n_rows == 1 || stands(g, snap, s, link, rows[i].value))
            found[(*n)++] = link;
    }
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
    if (rank >= RANK_CONTENT || !u->now[t])
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

/* The record that was created for this one, or from which this one was, stands under its id or under the one made of its key. */
static int by_id(struct engine *g, struct store_snap *snap, const struct unit *u, int s, uint64_t *partner)
{
    char hex[33];
    struct id_row row;
    struct link l;
    hex_encode(u->link.key.bytes, sizeof u->link.key.bytes, hex);
    const char *const ids[] = {u->link.id[s], arena_printf(&g->chunk, "sl-%.20s", hex)};
    if (!(g->caps[0] & g->caps[1] & SL_CAP_RESERVED_ID))
        return MATCH_NONE;
    for (size_t i = 0; i < 2; i++) {
        if (state_id(snap, 1 - s, ids[i], &row, g->e) != STORE_OK ||
            state_link(snap, row.link, &g->chunk, &l, g->e) != STORE_OK || l.state != LINK_HALF || !l.id[1 - s])
            continue;
        *partner = l.number;
        return MATCH_ONE;
    }
    return MATCH_NONE;
}

/* No key of the config says who the partner is: an equal record, if it is the only one, or the one of the same id. */
static int without_key(struct engine *g, struct store_snap *snap, struct unit *u, int s, uint64_t *partner,
                       unsigned *rank, const char **names)
{
    struct hash128 hash;
    *rank = RANK_CONTENT;
    int equal =
        content_of(g, s, u->now[s], &hash) ? by_rank(g, snap, s, RANK_CONTENT, &hash, partner, names) : MATCH_NONE;
    if (equal == MATCH_ONE || by_id(g, snap, u, s, partner) == MATCH_NONE)
        return equal;
    *rank = RANK_ID;
    return MATCH_ONE;
}

int match_partner(struct engine *g, struct unit *u, int s, const struct sl_record *r, uint64_t *partner, unsigned *rank,
                  const char **names)
{
    struct store_snap *snap = NULL;
    int result = MATCH_NONE;
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
    if (g->by_content && u->now[s] && result == MATCH_NONE)
        result = without_key(g, snap, u, s, partner, rank, names);
    store_snap_end(snap);
    return result;
}

/* --- load: every unlinked record of the inbox is read and its keys written before anything is matched --- */

/* A record that waits since an earlier run as it is now has its keys. */
static bool loaded(const struct engine *g, struct unit *u, int s)
{
    return !u->new_link && !g->reexamine && u->row[s].kind == INBOX_RECORD && u->seen[s].content == unit_digest(u, s);
}

static void load_one(struct engine *g, struct unit *u)
{
    int s = u->link.id[0] ? 0 : 1;
    engine_listed(g, u->link.number, s);
    g->n_alone[s]++;
    if (u->now[s] && (loaded(g, u, s) || unit_views(g, u)))
        return;
    if (u->now[s]) {
        u->seen[s].version = version_hash(u->now[s]->version);
        u->seen[s].content = unit_digest(u, s);
        put_inbox_row(&g->batch, s, u->link.id[s], &(struct inbox_row){.kind = INBOX_RECORD, .record = u->now[s]});
        if (!u->view[s].out)
            each_key(g, &u->link, s, u->now[s], &u->seen[s].content);
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
    struct store_row rows[MATCH_UNITS];
    size_t n_rows = 0;
    int rc = engine_fail(g, store_snap(g->store, &snap, g->e));
    if (rc == 0)
        rc = engine_fail(
            g, store_scan(snap, DB_INBOX, key_slice(from), slice_of(NULL, 0), false, MATCH_UNITS, rows, &n_rows));
    *end = n_rows < MATCH_UNITS;
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
        if (g->chunk.used_bytes > FLUSH_BYTES) {
            *end = false;
            break;
        }
    }
    store_snap_end(snap);
    return rc;
}

int engine_load(struct engine *g)
{
    struct unit *units = mem_grow(NULL, MATCH_UNITS * sizeof *units); /* each is cleared when it is gathered */
    struct row_key from = {.size = 0};
    bool end = false;
    int rc = 0;
    uint64_t total = 0;
    g->n_alone[0] = g->n_alone[1] = 0;
    while (rc == 0 && !end) {
        size_t n = 0;
        rc = load_units(g, &from, units, &n, &end);
        if (rc == 0)
            rc = load_chunk(g, units, n);
        total += n;
        engine_progress(g, "matching", total, 0);
        engine_chunk_end(g);
    }
    mem_free(units);
    return rc;
}
