/* SPDX-License-Identifier: MIT */
/* wait.c - what waits for a person: one row a link and field, so that seeing it again does not open it again. */
#include <string.h>

#include "sync/engine.h"

/* One link's rows stand together: the link's number, then a hash of the field (0: the whole record). */
static uint64_t wait_number(uint64_t link, const struct rule *r)
{
    if (!r)
        return link << 16;
    struct buf name = {0};
    for (int s = 0; s < 2; s++)
        put_text(&name, r->field[s]);
    uint64_t hash = hash64(name.data, name.size) & 0xffff;
    buf_fini(&name);
    return link << 16 | (hash ? hash : 1);
}

/* When the same thing was already waiting, it waits since then. */
static void keep_since(struct engine *g, int db, struct wait_row *w)
{
    struct store_snap *snap = NULL;
    struct row_key k = key_number(w->number);
    struct slice row;
    struct wait_row old;
    if (store_snap(g->store, &snap, g->e) != STORE_OK)
        return;
    if (store_get(snap, db, key_slice(&k), &row) == STORE_OK && !wait_decode(row, w->number, &g->chunk, &old, g->e)) {
        w->since_ms = old.since_ms;
        w->attempts = old.attempts + 1;
    }
    store_snap_end(snap);
}

static const char *key_label(struct engine *g, const struct sl_record *r, int s)
{
    for (size_t i = 0; i < g->pair->n_match; i++) {
        const struct sl_value *v = record_field(r, g->pair->match[i].field[s][0]);
        if (v && !value_empty(v)) {
            struct buf text = {0};
            value_put_brief(&text, v, 60);
            const char *label = arena_text(&g->chunk, text.data);
            buf_fini(&text);
            return label;
        }
    }
    return NULL;
}

const char *unit_label(struct engine *g, const struct unit *u)
{
    /* what was read has all its fields, a base only those that are mapped */
    const struct sl_record *const seen[4] = {u->now[0], u->now[1], u->view[0].now, u->view[1].now};
    for (size_t i = 0; i < 4; i++) {
        const char *label = seen[i] ? record_label(&g->chunk, seen[i]) : "";
        if (*label && !(seen[i] && text_equal(label, seen[i]->id)))
            return label;
    }
    for (size_t i = 0; i < 4; i++) {
        const char *label = seen[i] ? key_label(g, seen[i], i & 1) : NULL;
        if (label)
            return label;
    }
    return u->link.id[0] ? u->link.id[0] : u->link.id[1] ? u->link.id[1] : "";
}

void wait_open(struct engine *g, struct unit *u, const struct plan_wait *p, int kind, int side, const char *reason,
               const char *version)
{
    struct wait_row w = {.number = wait_number(u->link.number, p ? p->rule : NULL),
                         .kind = (uint8_t)kind,
                         .link = u->link.number,
                         .side = (uint8_t)side,
                         .reason = reason,
                         .since_ms = g->now_ms,
                         .attempts = 1,
                         .run = g->report->run,
                         .version = version};
    int db = kind == WAIT_PARKED || kind == WAIT_UNCERTAIN ? DB_PARKED : DB_CONFLICTS;
    w.label = unit_label(g, u);
    for (int s = 0; s < 2; s++) {
        w.id[s] = u->link.id[s];
        w.field[s] = p ? p->rule->field[s] : NULL;
        w.base[s] = p ? p->base[s] : value_absent(NULL);
        w.value[s] = p ? p->value[s] : value_absent(NULL);
    }
    keep_since(g, db, &w);
    put_wait_row(&g->batch, db, &w);
}

void wait_close(struct engine *g, uint64_t link)
{
    static const int dbs[] = {DB_CONFLICTS, DB_PARKED};
    struct row_key from = key_number(link << 16), below = key_number((link + 1) << 16);
    struct store_snap *snap = NULL;
    if (store_snap(g->store, &snap, g->e) != STORE_OK)
        return;
    for (size_t d = 0; d < 2; d++) {
        struct store_row rows[64];
        size_t n = 0;
        store_scan(snap, dbs[d], key_slice(&from), key_slice(&below), false, 64, rows, &n);
        for (size_t i = 0; i < n; i++)
            batch_del(&g->batch, dbs[d], rows[i].key);
    }
    store_snap_end(snap);
}

bool wait_ambiguous(const struct unit *u)
{
    return (u->link.marks & MARK_CONFLICT) && !u->base[0] && !u->base[1];
}

static bool gone(const struct engine *g, uint64_t link)
{
    return link < g->room && (g->visited[link] == VISIT_DROPPED || g->visited[link] == VISIT_GONE);
}

static int hint_some(struct engine *g, struct store_snap *snap, struct row_key *from, size_t *n)
{
    struct store_row rows[200];
    int rc = engine_fail(g, store_scan(snap, DB_CONFLICTS, key_slice(from), slice_of(NULL, 0), false, 200, rows, n));
    for (size_t i = 0; rc == 0 && i < *n; i++) {
        struct wait_row w;
        uint64_t number = key_to_number(rows[i].key);
        *from = key_number(number + 1);
        rc = wait_decode(rows[i].value, number, &g->chunk, &w, g->e);
        if (rc == 0 && w.kind == WAIT_AMBIGUOUS && w.id[w.side] && !gone(g, w.link))
            put_inbox_row(&g->batch, w.side, w.id[w.side], &(struct inbox_row){.kind = INBOX_HINT});
    }
    return rc;
}

int wait_look_again(struct engine *g)
{
    struct row_key from = key_number(0);
    struct store_snap *snap = NULL;
    size_t n = 200;
    int rc = engine_fail(g, store_snap(g->store, &snap, g->e));
    while (rc == 0 && n == 200)
        rc = hint_some(g, snap, &from, &n);
    store_snap_end(snap);
    g->more = true;
    return rc;
}
