/* SPDX-License-Identifier: MIT */
/* hints.c - what webhooks hinted at: asked for behind the pull, where that has not brought it. */
#include "sync/engine.h"

enum { HINTS = 1000 };

/* The hints, not the pair, are in trouble: it runs as it would without them. */
static int say_trouble(struct engine *g, const struct err *e)
{
    if (e->code)
        engine_say(g, "%s; the pull finds what webhooks told of", e->text);
    return 0;
}

static bool readable(struct engine *g, int s)
{
    if (g->caps[s] & SL_CAP_GET)
        return true;
    if (!g->said_unread[s])
        engine_say(g, "webhooks of '%s' are passed over: it cannot read a single record of '%s', the pull finds it",
                   g->pair->side[s].connection, g->pair->side[s].object);
    g->said_unread[s] = true;
    return false;
}

/* The next of them. */
static void fetch(struct engine *g)
{
    const struct run_hints *source = g->env->hints;
    struct err e = {0};
    g->n_hints = 0;
    if (!source || g->env->dry)
        return;
    arena_reset(&g->hinted);
    g->hints = arena_alloc(&g->hinted, HINTS * sizeof *g->hints);
    if (source->waiting(source->self, &g->hinted, g->hints, HINTS, &g->n_hints, &e))
        say_trouble(g, &e);
}

/* What is to be asked for. Of what waits in the inbox the planner hears anyway. */
struct asked {
    const char **known, **unknown;
    size_t n_known, n_unknown;
};

static int sort_out(struct engine *g, int s, struct asked *ask)
{
    struct store_snap *snap = NULL;
    /* a child that was told of once and stays as it is need not be read again */
    bool settled = g->pair->parent && g->pair->append;
    if (engine_fail(g, store_snap(g->store, &snap, g->e)))
        return g->e->code;
    for (size_t i = 0; i < g->n_hints && !g->e->code; i++) {
        struct id_row seen;
        struct row_key k = key_id(s, g->hints[i].id);
        struct slice row;
        if (g->hints[i].side != s || store_get(snap, DB_INBOX, key_slice(&k), &row) == STORE_OK || !readable(g, s))
            continue;
        int rc = state_id(snap, s, g->hints[i].id, &seen, g->e);
        if (rc == STORE_NOTFOUND)
            ask->unknown[ask->n_unknown++] = g->hints[i].id;
        else if (rc == STORE_OK && !settled)
            ask->known[ask->n_known++] = g->hints[i].id;
        engine_fail(g, rc);
    }
    store_snap_end(snap);
    return g->e->code;
}

struct parents {
    struct engine *g;
    int side;
    struct store_snap *snap;
    struct store_batch marks;
};

/* A parent without a partner, or that nobody knows, has nobody to tell of its children. */
static int mark_parent(void *self, const struct sl_item *item)
{
    struct parents *p = self;
    struct id_row seen;
    const char *parent = item->kind == SL_ITEM_RECORD ? item->record->parent_id : NULL;
    int rc = parent ? state_id(p->snap, p->side, parent, &seen, p->g->e) : STORE_NOTFOUND;
    struct row_key k = key_children(rc == STORE_OK ? seen.link : 0, p->g->pair->child, p->side);
    if (rc == STORE_OK)
        batch_put(&p->marks, DB_CHILDREN, key_slice(&k), slice_of("", 1));
    return engine_fail(p->g, rc) != 0;
}

/* One child alone would come before its elder siblings: its parent's are listed. Returns a class; or g->e tells. */
static int ask_parents(struct engine *g, int s, const char *const *ids, size_t n, bool *marked)
{
    struct parents p = {.g = g, .side = s};
    struct err call = {0};
    if (!g->env->parent || engine_fail(g, store_snap(g->env->parent, &p.snap, g->e)))
        return SL_OK;
    int rc = session_get(g->env->session[s], g->pair->side[s].object, ids, (uint32_t)n,
                         (struct session_sink){&p, mark_parent}, &call);
    store_snap_end(p.snap);
    *marked |= p.marks.n_ops > 0;
    if (!g->e->code)
        engine_fail(g, batch_commit(&p.marks, g->env->parent, g->e));
    if (rc && !g->e->code)
        engine_say(g, "%s", call.text);
    batch_fini(&p.marks);
    return rc;
}

/* May another run have more luck with the same id? Else the hint has come to rest. */
static bool passes(int sl_class)
{
    return sl_class != SL_OK && sl_class != SL_REJECTED && sl_class != SL_GONE && sl_class != SL_UNSUPPORTED;
}

/* True if some are to be asked for by the next run, too. */
static bool ask_all(struct engine *g, bool *marked)
{
    bool again = false;
    for (int s = 0; s < 2; s++) {
        struct asked ask = {.known = arena_alloc(&g->hinted, HINTS * sizeof *ask.known),
                            .unknown = arena_alloc(&g->hinted, HINTS * sizeof *ask.unknown)};
        if (sort_out(g, s, &ask))
            return true;
        if (ask.n_known)
            again |= passes(engine_pull_ids(g, s, ask.known, ask.n_known));
        *marked |= ask.n_known > 0;
        if (ask.n_unknown && !g->e->code && g->pair->parent)
            again |= passes(ask_parents(g, s, ask.unknown, ask.n_unknown, marked));
        else if (ask.n_unknown && !g->e->code)
            again |= passes(engine_pull_ids(g, s, ask.unknown, ask.n_unknown));
        if (g->e->code)
            return true;
    }
    return again;
}

int hints_take(struct engine *g, bool *marked)
{
    const struct run_hints *source = g->env->hints;
    bool full = true;
    *marked = false;
    while (full && !g->e->code) {
        struct err e = {0};
        fetch(g);
        full = g->n_hints == HINTS;
        if (g->n_hints == 0 || ask_all(g, marked))
            break;
        if (source->taken(source->self, g->hints, g->n_hints, &e))
            return say_trouble(g, &e);
    }
    return g->e->code;
}
