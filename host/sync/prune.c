/* SPDX-License-Identifier: MIT */
/* prune.c - lets history older than the config keeps go, a bounded piece with every run that wrote something. */
#include "sync/engine.h"

enum { PRUNE_ROWS = 2000 };

static void prune_history(struct engine *g, struct store_snap *snap, int64_t before_ms)
{
    struct store_row *rows = arena_alloc(&g->chunk, PRUNE_ROWS * sizeof *rows);
    size_t n = 0;
    store_scan(snap, DB_HISTORY, slice_of(NULL, 0), slice_of(NULL, 0), false, PRUNE_ROWS, rows, &n);
    for (size_t i = 0; i < n; i++) {
        struct history_row h;
        if (history_decode(rows[i].value, key_to_number(rows[i].key), &g->chunk, &h, g->e) || h.at_ms >= before_ms)
            return; /* rows stand in the order of time */
        batch_del(&g->batch, DB_HISTORY, rows[i].key);
    }
}

int engine_prune(struct engine *g)
{
    struct store_snap *snap = NULL;
    if (!g->env->conf || g->env->conf->keep_ms <= 0)
        return 0;
    if (engine_fail(g, store_snap(g->store, &snap, g->e)))
        return g->e->code;
    prune_history(g, snap, g->now_ms - g->env->conf->keep_ms);
    store_snap_end(snap);
    return g->e->code;
}
