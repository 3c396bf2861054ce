/* SPDX-License-Identifier: MIT */
/* rounds.c - takes the inbox through the planner, chunk by chunk, until nothing more can be done. */
#include <string.h>

#include "sync/engine.h"

enum {
    UNITS_FIRST = 1000, /* before anything is known of the records but what was gathered of them */
    UNITS_MOST = 1000, /* what is planned together is also written late: a remote's records grow old meanwhile */
    UNITS_MOST_LOCAL = 4000, /* where both sides are at hand; a commit costs as much as some hundred of their records */
    CHUNK_BYTES = 32 << 20,
    GROWTH_FIRST = 16 /* a chunk in the end, in sizes of what was gathered for it */
};

static size_t less(size_t x, size_t y)
{
    return x < y ? x : y;
}

/* Each unit is cleared when it is gathered. */
static struct unit *room_for_units(struct engine *g)
{
    if (g->pair->parent) /* a parent's children are planned together, oldest first */
        g->size = (struct chunk_size){UNITS_MOST_LOCAL, CHUNK_BYTES};
    else if (!g->size.units)
        g->size = (struct chunk_size){UNITS_FIRST, CHUNK_BYTES / GROWTH_FIRST};
    return mem_grow(NULL, UNITS_MOST_LOCAL * sizeof(struct unit));
}

/*
 * The next chunk, from what this one came to: its units, the rows of its largest commit, and the pages of the state that these
 * change. It grows by steps, for the next records may be larger than the last.
 */
static void size_next(struct engine *g, size_t n, size_t gathered)
{
    size_t most = local_side(g, 0) && local_side(g, 1) ? UNITS_MOST_LOCAL : UNITS_MOST;
    size_t came_to = g->chunk.used_bytes + 3 * g->batch_bytes;
    double times = (double)CHUNK_BYTES / (double)(came_to + 1);
    g->batch_bytes = 0;
    if (n == 0 || g->pair->parent)
        return;
    g->size.units = less(less((size_t)((double)n * times) + 1, 4 * n), most);
    g->size.bytes = (size_t)((double)gathered * times);
}

/* True if this link was not yet planned in this round. */
static bool visit(struct engine *g, const struct unit *u)
{
    engine_room(g, u->link.number);
    if (g->visited[u->link.number])
        return false;
    g->visited[u->link.number] = VISIT_DONE;
    return true;
}

/* Which rows of the inbox are looked at: those of records kept in step already, or all that were not yet. */
enum which { EDITS = 1, ALL };

static int gather_row(struct engine *g, struct store_snap *snap, const struct store_row *at, int which, struct unit *u,
                      bool *take)
{
    const char *id = NULL;
    struct inbox_row row;
    struct id_row known;
    int side = ((const uint8_t *)at->key.data)[0];
    if (inbox_decode(at->value, &g->chunk, &row, &id, g->e))
        return g->e->code;
    if (which == EDITS && state_id(snap, side, id, &known, g->e) == STORE_NOTFOUND)
        return 0;
    if (unit_gather(g, snap, side, id, &row, u))
        return g->e->code;
    *take = (which == ALL || u->link.state == LINK_LIVE) && visit(g, u);
    return 0;
}

static int gather_chunk(struct engine *g, struct row_key *from, int which, struct unit *units, size_t *n, bool *end)
{
    struct store_snap *snap = NULL;
    size_t n_rows = 0, i = 0, most = g->size.units;
    struct store_row *rows = arena_alloc(&g->chunk, most * sizeof *rows);
    int rc = engine_fail(g, store_snap(g->store, &snap, g->e));
    if (rc == 0)
        rc = engine_fail(g, store_scan(snap, DB_INBOX, key_slice(from), slice_of(NULL, 0), false, most, rows, &n_rows));
    for (; rc == 0 && i < n_rows && (i == 0 || g->chunk.used_bytes < g->size.bytes); i++) {
        bool take = false;
        rc = gather_row(g, snap, &rows[i], which, &units[*n], &take);
        *n += take;
        memcpy(from->bytes, rows[i].key.data, rows[i].key.size);
        from->bytes[rows[i].key.size] = 0; /* the next possible key */
        from->size = rows[i].key.size + 1;
    }
    store_snap_end(snap);
    *end = i == n_rows && n_rows < most;
    return rc;
}

static int take_inbox(struct engine *g, int which, struct unit *units, uint64_t *done)
{
    struct row_key from = {.size = 0};
    bool end = false;
    int rc = 0;
    while (rc == 0 && !end) {
        size_t n = 0;
        if (engine_stopping(g))
            return g->e->code;
        rc = gather_chunk(g, &from, which, units, &n, &end);
        size_t gathered = g->chunk.used_bytes;
        if (rc == 0 && n > 0)
            rc = engine_apply(g, units, n);
        if (which == ALL) /* what was passed over says nothing of what a chunk comes to */
            size_next(g, n, gathered);
        *done += n;
        engine_progress(g, g->env->dry ? "planning" : "writing", *done, 0);
        engine_chunk_end(g);
    }
    return rc;
}

/*
 * Edits of what is kept in step go before the backfill of what is not, which may take hours where a budget or a network is between; two
 * systems at hand are through both before anyone could tell.
 */
static int one_round(struct engine *g, struct unit *units, uint64_t *done)
{
    bool edits_first = !g->joining && !(local_side(g, 0) && local_side(g, 1));
    if (edits_first && take_inbox(g, EDITS, units, done))
        return g->e->code;
    return take_inbox(g, ALL, units, done);
}

int engine_rounds(struct engine *g)
{
    struct unit *units = room_for_units(g);
    uint64_t done = 0;
    int rc = 0;
    for (int round = 0; round < MAX_ROUNDS && rc == 0; round++) {
        g->more = false;
        g->joining = round == 0 && g->hold == HOLD_COMPARE;
        for (size_t i = 0; i < g->room && !(g->env->dry && round); i++)
            if (g->visited[i] == VISIT_DONE || g->visited[i] == VISIT_LATER)
                g->visited[i] = 0;
        rc = one_round(g, units, &done);
        if (g->joining && !g->last_failure)
            continue;
        if (!g->more || g->last_failure || g->env->dry || g->review)
            break;
    }
    g->joining = false;
    mem_free(units);
    return rc;
}

int engine_units(struct engine *g, const struct delete_due *due, size_t n)
{
    struct unit *units = room_for_units(g);
    int rc = 0;
    memset(g->visited, 0, g->room);
    for (size_t from = 0; rc == 0 && from < n;) {
        struct store_snap *snap = NULL;
        size_t n_units = 0;
        rc = engine_fail(g, store_snap(g->store, &snap, g->e));
        for (; rc == 0 && from < n && n_units < g->size.units && (!n_units || g->chunk.used_bytes < g->size.bytes);
             from++) {
            /* seen to be gone by a read, not by the inbox: read it again */
            struct inbox_row row, ask = {.kind = INBOX_HINT};
            int found = state_inbox(snap, due[from].side, due[from].id, &g->chunk, &row, g->e);
            if (found == STORE_NOTFOUND)
                row = ask;
            else if (found != STORE_OK)
                continue;
            rc = unit_gather(g, snap, due[from].side, due[from].id, &row, &units[n_units]);
            n_units += rc == 0 && visit(g, &units[n_units]);
        }
        store_snap_end(snap);
        size_t gathered = g->chunk.used_bytes;
        if (rc == 0)
            rc = engine_apply(g, units, n_units);
        size_next(g, n_units, gathered);
        engine_chunk_end(g);
    }
    mem_free(units);
    return rc;
}
