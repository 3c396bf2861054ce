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
    const struct sl_record *r = u->view[0].now ? u->view[0].now : u->view[1].now;
    w.label = r ? record_label(&g->chunk, r) : u->link.id[0] ? u->link.id[0] : u->link.id[1];
    for (int s = 0; s < 2; s++) {
        w.id[s] = u->link.id[s];
        w.field[s] = p ? p->rule->field[s] : NULL;
        w.base[s] = p ? p->base[s] : value_absent(NULL);
        w.value[s] = p ? p->value[s] : value_absent(NULL);
    }
    keep_since(g, db, &w);
    put_wait_row(&g->batch, db, &w);
}

void wait_close(struct engine *g, const struct unit *u, int db, const struct rule *only)
{
    struct store_snap *snap = NULL;
    struct store_row rows[64];
    size_t n = 0;
    struct row_key from = key_number(u->link.number << 16), below = key_number((u->link.number + 1) << 16);
    if (store_snap(g->store, &snap, g->e) != STORE_OK)
        return;
    store_scan(snap, db, key_slice(&from), key_slice(&below), false, 64, rows, &n);
    for (size_t i = 0; i < n; i++)
        if (!only || key_to_number(rows[i].key) == wait_number(u->link.number, only))
            batch_del(&g->batch, db, rows[i].key);
    store_snap_end(snap);
}
