/* SPDX-License-Identifier: MIT */
/* strike.c - counts the points a host passes and strikes at one of them, between the host and its store and connectors. */
#include "strike.h"

#include <stdlib.h>
#include <string.h>

extern const struct sl_plugin syncline_plugin;

const char *const strike_names[STRIKE_END] = {
    [STRIKE_KILL] = "killed", [STRIKE_POWER] = "power cut", [STRIKE_UNKNOWN] = "unknown", [STRIKE_DEAF] = "deaf"};

/* Passes one point; true if it is the one. */
static bool hits(struct strike *x, int kind)
{
    if (!x)
        return false;
    if (++x->n_points <= STRIKE_POINTS)
        x->kind[x->n_points] = (char)kind;
    bool hit = !x->struck && x->n_points == x->at;
    x->struck |= hit;
    return hit;
}

/* --- commits --- */

int strike_commit(void *kit)
{
    static const int faults[STRIKE_END][2] = {[STRIKE_KILL] = {MEM_KILLED_BEFORE, MEM_KILLED_AFTER},
                                              [STRIKE_POWER] = {MEM_KILLED_BEFORE, MEM_KILLED_BEFORE},
                                              [STRIKE_UNKNOWN] = {MEM_UNKNOWN_LOST, MEM_UNKNOWN_APPLIED},
                                              [STRIKE_DEAF] = {MEM_UNKNOWN_LOST, MEM_UNKNOWN_APPLIED}};
    struct kit *k = kit;
    int fault = 0;
    for (int after = 0; after < 2; after++)
        if (hits(k->strike, STRIKE_COMMIT))
            fault = faults[k->strike->how][after];
    if (fault && k->strike->how == STRIKE_DEAF) {
        k->disk->deaf = 1;
        k->strike->unsure = true;
    }
    return fault;
}

/* --- calls --- */

/* A session of the memory connector, and whose it is. */
struct watched {
    void *inner;
    const struct sl_host *host;
    struct kit *k;
    int side;
};

static struct kit *watching;

static int watched_open(const struct sl_host *host, const struct sl_settings *settings, void **session)
{
    struct watched *m = mem_alloc(sizeof *m);
    const struct sl_value *name = sl_value_at(settings->values, settings->value_size, 0);
    *m = (struct watched){.host = host, .k = watching, .side = name->text[0] == 'b'};
    *session = m;
    return syncline_plugin.open(host, settings, &m->inner);
}

static void watched_close(void *session)
{
    struct watched *m = session;
    syncline_plugin.close(m->inner);
    mem_free(m);
}

static void die(struct kit *k)
{
    k->disk->dead = k->w[0].dead = k->w[1].dead = true;
}

/* The point before or after a call. False: it is not made, or not answered. */
static bool pass(struct watched *m)
{
    struct strike *x = m->k->strike;
    if (m->k->disk->dead || !hits(x, STRIKE_CALL) || x->how == STRIKE_DEAF)
        return true;
    if (x->how != STRIKE_UNKNOWN)
        die(m->k);
    m->host->fail(m->host->ctx, "no answer, as it was told; run again");
    return false;
}

static int watched_describe(void *session, const char *object)
{
    struct watched *m = session;
    int rc = pass(m) ? syncline_plugin.describe(m->inner, object) : SL_RETRY;
    return rc || pass(m) ? rc : SL_RETRY;
}

static int watched_pull(void *session, const struct sl_pull *pull)
{
    struct watched *m = session;
    int rc = pass(m) ? syncline_plugin.pull(m->inner, pull) : SL_RETRY;
    return rc || pass(m) ? rc : SL_RETRY;
}

static int watched_get(void *session, const struct sl_get *get)
{
    struct watched *m = session;
    int rc = pass(m) ? syncline_plugin.get(m->inner, get) : SL_RETRY;
    return rc || pass(m) ? rc : SL_RETRY;
}

static int watched_find(void *session, const struct sl_find *find)
{
    struct watched *m = session;
    int rc = pass(m) ? syncline_plugin.find(m->inner, find) : SL_RETRY;
    return rc || pass(m) ? rc : SL_RETRY;
}

/* --- writes: the connector's own knobs strike in the middle of a batch --- */

/* Arms the knob if the point is in this batch. */
static bool arm(struct strike *x, struct memory_world *w, uint32_t n_writes)
{
    for (uint32_t i = 0; i < n_writes; i++)
        for (int after = 0; after < 2; after++) {
            if (!hits(x, STRIKE_WRITE) || x->how == STRIKE_DEAF)
                continue;
            if (x->how != STRIKE_UNKNOWN)
                w->die_in = 1 + (int)i + after; /* the call itself is the first step */
            else if (after)
                w->lose_reply_in = 1 + (int)i;
            else
                w->lose_request_in = 1 + (int)i;
            return true;
        }
    return false;
}

static int write_batch(struct watched *m, const struct sl_batch *batch)
{
    struct strike *x = m->k->strike;
    struct memory_world *w = &m->k->w[m->side], *before = NULL;
    if (x && x->unsure)
        w->n_after_death++;
    if (arm(x, w, batch->n_writes) && x->how == STRIKE_POWER && x->takes_batch) {
        before = mem_alloc(sizeof *before);
        *before = *w;
    }
    int rc = syncline_plugin.write(m->inner, batch);
    if (before)
        *w = *before;
    mem_free(before);
    if (w->dead || before)
        die(m->k);
    return rc;
}

static int watched_write(void *session, const struct sl_batch *batch)
{
    struct watched *m = session;
    if (!pass(m))
        return SL_RETRY;
    int rc = write_batch(m, batch);
    return rc || pass(m) ? rc : SL_RETRY;
}

const struct sl_plugin *strike_watch(struct kit *k)
{
    static struct sl_plugin table;
    table = syncline_plugin;
    table.open = watched_open;
    table.close = watched_close;
    table.describe = watched_describe;
    table.pull = watched_pull;
    table.get = watched_get;
    table.find = watched_find;
    table.write = watched_write;
    watching = k;
    if (k->strike)
        k->strike->unsure = false; /* a new session */
    return &table;
}
