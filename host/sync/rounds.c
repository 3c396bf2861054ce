/* SPDX-License-Identifier: MIT */
/* rounds.c - takes the inbox through the planner, chunk by chunk, until nothing more can be done. */
#include <string.h>

#include "sync/engine.h"

/* True if this link was not yet planned in this round. */
static bool visit(struct engine *g, const struct unit *u)
{
    engine_room(g, u->link.number);
    if (g->visited[u->link.number])
        return false;
    g->visited[u->link.number] = VISIT_DONE;
    return true;
}

static int gather_row(struct engine *g, struct store_snap *snap, const struct store_row *at, struct unit *u, bool *take)
{
    const char *id = NULL;
    struct inbox_row row;
    int side = ((const uint8_t *)at->key.data)[0];
    if (inbox_decode(at->value, &g->chunk, &row, &id, g->e) || unit_gather(g, snap, side, id, &row, u))
        return g->e->code;
    *take = visit(g, u);
    return 0;
}

static int gather_chunk(struct engine *g, struct row_key *from, struct unit *units, size_t *n, bool *end)
{
    struct store_snap *snap = NULL;
    struct store_row *rows = arena_alloc(&g->chunk, CHUNK_UNITS * sizeof *rows);
    size_t n_rows = 0, i = 0;
    int rc = engine_fail(g, store_snap(g->store, &snap, g->e));
    if (rc == 0)
        rc = engine_fail(
            g, store_scan(snap, DB_INBOX, key_slice(from), slice_of(NULL, 0), false, CHUNK_UNITS, rows, &n_rows));
    for (; rc == 0 && i < n_rows && g->chunk.used_bytes < CHUNK_BYTES; i++) {
        bool take = false;
        rc = gather_row(g, snap, &rows[i], &units[*n], &take);
        *n += take;
        memcpy(from->bytes, rows[i].key.data, rows[i].key.size);
        from->bytes[rows[i].key.size] = 0; /* the next possible key */
        from->size = rows[i].key.size + 1;
    }
    store_snap_end(snap);
    *end = i == n_rows && n_rows < CHUNK_UNITS;
    return rc;
}

static int one_round(struct engine *g, struct unit *units, uint64_t *done)
{
    struct row_key from = {.size = 0};
    bool end = false;
    int rc = 0;
    while (rc == 0 && !end) {
        size_t n = 0;
        if (engine_stopping(g))
            return g->e->code;
        rc = gather_chunk(g, &from, units, &n, &end);
        if (rc == 0 && n > 0)
            rc = engine_apply(g, units, n);
        *done += n;
        engine_progress(g, g->env->dry ? "planning" : "writing", *done, 0);
        arena_reset(&g->chunk);
    }
    return rc;
}

int engine_rounds(struct engine *g)
{
    struct unit *units = mem_alloc(CHUNK_UNITS * sizeof *units);
    uint64_t done = 0;
    int rc = 0;
    for (int round = 0; round < MAX_ROUNDS && rc == 0; round++) {
        g->more = false;
        for (size_t i = 0; i < g->room; i++)
            if (g->visited[i] == VISIT_DONE)
                g->visited[i] = 0;
        rc = one_round(g, units, &done);
        if (!g->more || g->last_failure || g->env->dry || g->review)
            break;
    }
    mem_free(units);
    return rc;
}

int engine_units(struct engine *g, const struct delete_due *due, size_t n)
{
    struct unit *units = mem_alloc(CHUNK_UNITS * sizeof *units);
    int rc = 0;
    memset(g->visited, 0, g->room);
    for (size_t from = 0; rc == 0 && from < n;) {
        struct store_snap *snap = NULL;
        size_t n_units = 0;
        rc = engine_fail(g, store_snap(g->store, &snap, g->e));
        for (; rc == 0 && from < n && n_units < CHUNK_UNITS; from++) {
            struct inbox_row row;
            int found = state_inbox(snap, due[from].side, due[from].id, &g->chunk, &row, g->e);
            if (found != STORE_OK)
                continue;
            rc = unit_gather(g, snap, due[from].side, due[from].id, &row, &units[n_units]);
            n_units += rc == 0 && visit(g, &units[n_units]);
        }
        store_snap_end(snap);
        if (rc == 0)
            rc = engine_apply(g, units, n_units);
        arena_reset(&g->chunk);
    }
    mem_free(units);
    return rc;
}
