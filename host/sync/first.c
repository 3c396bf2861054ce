/* SPDX-License-Identifier: MIT */
/* first.c - what a first run may do: decided once, durably, before the first create. */
#include <inttypes.h>
#include <stdio.h>

#include "sync/engine.h"

/* Counts, up to a bound nobody needs to exceed, the side's records that have no partner. */
static int count_unlinked(struct engine *g, uint64_t n[2])
{
    struct row_key from = {.size = 0};
    struct store_row rows[500];
    size_t n_rows = 500;
    int rc = 0;
    while (rc == 0 && n_rows == 500) {
        struct store_snap *snap = NULL;
        rc = engine_fail(g, store_snap(g->store, &snap, g->e));
        if (rc == 0)
            rc = engine_fail(
                g, store_scan(snap, DB_INBOX, key_slice(&from), slice_of(NULL, 0), false, 500, rows, &n_rows));
        for (size_t i = 0; rc == 0 && i < n_rows; i++) {
            const char *id = NULL;
            struct id_row seen;
            struct link l = {.state = LINK_HALF};
            int s = ((const uint8_t *)rows[i].key.data)[0];
            from = key_id(s, "");
            rc = inbox_decode_id(rows[i].value, &g->chunk, &id, g->e);
            if (rc == 0 && state_id(snap, s, id, &seen, g->e) == STORE_OK)
                state_link(snap, seen.link, &g->chunk, &l, g->e);
            n[s] += rc == 0 && l.state == LINK_HALF;
            for (size_t b = 0; b < rows[i].key.size; b++)
                from.bytes[b] = ((const uint8_t *)rows[i].key.data)[b];
            from.bytes[rows[i].key.size] = 0;
            from.size = rows[i].key.size + 1;
        }
        store_snap_end(snap);
        engine_chunk_end(g);
    }
    return rc;
}

static bool creates(const struct engine *g)
{
    return g->pair->create[0] || g->pair->create[1];
}

static int decide(struct engine *g)
{
    uint64_t n[2] = {0, 0};
    int wanted = g->pair->first_run;
    if (count_unlinked(g, n))
        return g->e->code;
    bool both = n[0] > 0 && n[1] > 0;
    if (wanted == FIRST_UNSET)
        wanted = both ? FIRST_REVIEW : FIRST_MATCH_OR_CREATE;
    if (wanted == FIRST_REVIEW && !both && g->pair->first_run == FIRST_UNSET)
        wanted = FIRST_MATCH_OR_CREATE;
    if (wanted == FIRST_MATCH_OR_CREATE && !g->pair->parent && both && g->pair->n_match == 0 && creates(g))
        return err_set(g->e, ERR_CONFIG,
                       "pairs.%s: both sides hold unlinked records (%" PRIu64 " and %" PRIu64
                       ") and there is no `match`: the first run would double %" PRIu64
                       " records; add `match`, or set first_run to match_only, create_only or review",
                       g->pair->name, n[0], n[1], n[0] + n[1]);
    g->first_run = wanted;
    return 0;
}

/* Where a whole state may be lost and no key is configured, what is equal on both sides is found by that. */
static int match_unkeyed(struct engine *g)
{
    struct store_snap *snap = NULL;
    bool empty[2] = {true, true};
    g->by_content = g->hold == HOLD_COMPARE || (g->copied && !g->first);
    if (g->first && g->pair->n_match == 0 && g->first_run != FIRST_CREATE_ONLY) {
        if (engine_fail(g, store_snap(g->store, &snap, g->e)))
            return g->e->code;
        for (int s = 0; s < 2; s++)
            empty[s] = state_side_empty(snap, DB_INBOX, s);
        store_snap_end(snap);
        g->by_content = !empty[0] && !empty[1];
    }
    g->matching |= g->by_content;
    return 0;
}

static int decide_first(struct engine *g)
{
    struct store_snap *snap = NULL;
    if (engine_fail(g, store_snap(g->store, &snap, g->e)))
        return g->e->code;
    g->first = meta_number(snap, "first_done", 0) == 0;
    int decided = (int)meta_number(snap, "first_run", 0);
    store_snap_end(snap);
    g->first_run = decided;
    if (!g->first)
        return 0;
    if (!decided && decide(g))
        return g->e->code;
    if (g->first_run == FIRST_REVIEW && g->env->only)
        g->first_run = FIRST_MATCH_OR_CREATE; /* applying a plan is the approval */
    g->matching &= g->first_run != FIRST_CREATE_ONLY;
    g->review = g->first_run == FIRST_REVIEW;
    if (g->review) {
        g->report->review = g->report->waits = true;
        return 0;
    }
    if (!decided && !g->env->dry) {
        put_meta_number(&g->batch, "first_run", g->first_run);
        return engine_commit(g);
    }
    return 0;
}

int engine_first(struct engine *g)
{
    return decide_first(g) || match_unkeyed(g) ? g->e->code : 0;
}
