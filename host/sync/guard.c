/* SPDX-License-Identifier: MIT */
/* guard.c - counts the deletes a run has found due, then lets all of them go or withholds all of them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sync/engine.h"

void engine_due(struct engine *g, int side, const char *id, bool gone)
{
    if (g->n_due == g->room_due) {
        g->room_due = g->room_due ? 2 * g->room_due : 64;
        g->due = mem_grow(g->due, g->room_due * sizeof *g->due);
    }
    g->due[g->n_due++] = (struct delete_due){side, gone, mem_dup(id)};
}

static int count_live(struct engine *g, uint64_t *n_live)
{
    struct row_key from = key_number(0);
    struct store_row rows[500];
    size_t n = 500;
    int rc = 0;
    *n_live = 0;
    while (rc == 0 && n == 500) {
        struct store_snap *snap = NULL;
        rc = engine_fail(g, store_snap(g->store, &snap, g->e));
        if (rc == 0)
            rc = engine_fail(g, store_scan(snap, DB_LINKS, key_slice(&from), slice_of(NULL, 0), false, 500, rows, &n));
        for (size_t i = 0; rc == 0 && i < n; i++) {
            struct link l;
            rc = link_decode(rows[i].value, key_to_number(rows[i].key), &g->chunk, &l, g->e);
            *n_live += rc == 0 && l.state == LINK_LIVE;
            from = key_number(l.number + 1);
        }
        store_snap_end(snap);
        engine_chunk_end(g);
    }
    return rc;
}

static int withhold_one(struct engine *g, struct store_snap *snap, const struct delete_due *d)
{
    struct id_row seen;
    struct link l;
    int rc = state_id(snap, d->side, d->id, &seen, g->e);
    if (rc == STORE_OK)
        rc = state_link(snap, seen.link, &g->chunk, &l, g->e);
    if (rc != STORE_OK)
        return engine_fail(g, rc);
    engine_class(g, l.number, CLASS_WITHHELD);
    if (g->env->dry || (l.marks & MARK_WITHHELD))
        return 0;
    l.marks |= MARK_WITHHELD | (d->gone ? (uint32_t)MARK_GONE(d->side) : 0);
    put_link_row(&g->batch, &l);
    for (int s = 0; s < 2; s++) {
        rc = l.id[s] ? state_id(snap, s, l.id[s], &seen, g->e) : STORE_NOTFOUND;
        if (rc == STORE_OK) {
            seen.marks = l.marks;
            put_id_row(&g->batch, s, l.id[s], &seen);
        }
    }
    return 0;
}

static int withhold(struct engine *g)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < g->n_due;) {
        struct store_snap *snap = NULL;
        rc = engine_fail(g, store_snap(g->store, &snap, g->e));
        for (size_t n = 0; rc == 0 && i < g->n_due && n < 1000; i++, n++)
            rc = withhold_one(g, snap, &g->due[i]);
        store_snap_end(snap);
        engine_chunk_end(g);
        if (rc == 0)
            rc = engine_commit(g);
    }
    return rc;
}

static const char *why_held(struct engine *g, uint64_t n_live)
{
    static const char *const why[] = {[HOLD_COMPARE] = "the state is older than the data",
                                      [HOLD_RESTORED] = "the state was older than the data",
                                      [HOLD_EPOCH] = "the collection was rebuilt or restored"};
    if (hold_deletes(g->hold, g->n_due, g->approved))
        return why[g->hold];
    return arena_printf(&g->chunk, "more than the guard allows for %" PRIu64 " links", n_live);
}

void guard_spend(struct engine *g)
{
    if (g->approved_left > 0)
        put_meta_number(&g->batch, "approved", --g->approved_left);
}

int engine_guard(struct engine *g)
{
    uint64_t n_live = 0;
    if (g->n_due == 0 || g->review)
        return 0;
    /* the links are only counted where the percentage decides */
    if (!guard_allows(g->pair, g->n_due, 0, g->approved) && count_live(g, &n_live))
        return g->e->code;
    if (!g->hold && (g->epoch_changed[0] || g->epoch_changed[1]))
        g->hold = HOLD_EPOCH;
    if (!guard_allows(g->pair, g->n_due, n_live, g->approved) || hold_deletes(g->hold, g->n_due, g->approved)) {
        g->report->deletes_due = g->n_due;
        g->report->waits = true;
        engine_say(g, "%zu deletes withheld: %s; look at the other side, then `syncline approve %s --deletes %zu`",
                   g->n_due, why_held(g, n_live), g->pair->name, g->n_due);
        return withhold(g);
    }
    g->deletes_ok = true;
    if (engine_units(g, g->due, g->n_due))
        return g->e->code;
    return g->more && !g->env->dry ? engine_rounds(g) : 0;
}
