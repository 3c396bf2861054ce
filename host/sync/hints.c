/* SPDX-License-Identifier: MIT */
/* hints.c - what webhooks hinted at: known records are read with what the pull brings, unknown ones are asked for behind it. */
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

/* What was told once and stays as it is need not be read again. */
static int ask_known(struct engine *g, struct store_snap *snap, const struct hook_waiting *w)
{
    struct id_row seen;
    struct inbox_row waits;
    if (!readable(g, w->side) || (g->pair->parent && g->pair->append))
        return 0;
    int rc = state_id(snap, w->side, w->id, &seen, g->e);
    if (rc != STORE_OK)
        return engine_fail(g, rc);
    rc = state_inbox(snap, w->side, w->id, &g->hinted, &waits, g->e);
    if (rc == STORE_NOTFOUND || (rc == STORE_OK && waits.kind != INBOX_HINT))
        put_inbox_row(&g->batch, w->side, w->id, &(struct inbox_row){.kind = INBOX_HINT});
    return engine_fail(g, rc);
}

int hints_begin(struct engine *g)
{
    const struct run_hints *source = g->env->hints;
    struct store_snap *snap = NULL;
    struct err e = {0};
    g->n_hints = 0;
    if (!source || g->env->dry)
        return 0;
    arena_reset(&g->hinted);
    g->hints = arena_alloc(&g->hinted, HINTS * sizeof *g->hints);
    if (source->waiting(source->self, &g->hinted, g->hints, HINTS, &g->n_hints, &e))
        return say_trouble(g, &e);
    if (g->n_hints == 0 || engine_fail(g, store_snap(g->store, &snap, g->e)))
        return g->e->code;
    for (size_t i = 0; i < g->n_hints && !g->e->code; i++)
        ask_known(g, snap, &g->hints[i]);
    store_snap_end(snap);
    return g->e->code ? g->e->code : engine_commit(g);
}

/* The ids of side s that neither an earlier run nor this one's pull has brought. */
static size_t unknown(struct engine *g, int s, const char **ids)
{
    struct store_snap *snap = NULL;
    size_t n = 0;
    if (engine_fail(g, store_snap(g->store, &snap, g->e)))
        return 0;
    for (size_t i = 0; i < g->n_hints && !g->e->code; i++) {
        struct id_row seen;
        struct row_key k = key_id(s, g->hints[i].id);
        struct slice row;
        if (g->hints[i].side != s || store_get(snap, DB_INBOX, key_slice(&k), &row) == STORE_OK)
            continue;
        int rc = state_id(snap, s, g->hints[i].id, &seen, g->e);
        if (rc == STORE_NOTFOUND)
            ids[n++] = g->hints[i].id;
        engine_fail(g, rc);
    }
    store_snap_end(snap);
    return n;
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

static bool ask_unknown(struct engine *g, bool *marked)
{
    const char **ids = arena_alloc(&g->hinted, HINTS * sizeof *ids);
    bool again = false;
    for (int s = 0; s < 2 && !g->e->code; s++) {
        size_t n = (g->caps[s] & SL_CAP_GET) ? unknown(g, s, ids) : 0;
        if (n && !g->e->code)
            again |= passes(g->pair->parent ? ask_parents(g, s, ids, n, marked) : engine_pull_ids(g, s, ids, n));
    }
    return again;
}

int hints_end(struct engine *g, bool *marked)
{
    const struct run_hints *source = g->env->hints;
    *marked = false;
    while (g->n_hints && !g->e->code) {
        struct err e = {0};
        bool full = g->n_hints == HINTS, again = ask_unknown(g, marked);
        if (g->e->code || again)
            break;
        if (source->taken(source->self, g->hints, g->n_hints, &e))
            return say_trouble(g, &e);
        g->n_hints = 0;
        if (full)
            hints_begin(g);
    }
    g->n_hints = 0;
    return g->e->code;
}
