/* SPDX-License-Identifier: MIT */
/* join.c - brings a record without a partner together with the one that was found for it, or leaves both to a person. */
#include "sync/engine.h"

/* Not a partner after all: the half stands alone again. */
static int part(struct unit *u, int t)
{
    u->link.state = LINK_HALF;
    u->link.id[t] = NULL;
    u->has[t] = false;
    u->now[t] = NULL;
    u->seen[t] = (struct id_row){0};
    return -1;
}

/* What no key has brought together must need nothing to be one. */
static bool equal_as_found(struct engine *g, struct unit *u, unsigned rank)
{
    if (rank != RANK_CONTENT && rank != RANK_ID)
        return true;
    u->link.state = LINK_LIVE;
    if (unit_views(g, u))
        return false;
    unit_plan(g, u);
    g->n_forgotten += g->probing;
    return !u->plan.write[0].kind && !u->plan.write[1].kind && u->plan.n_waits == 0;
}

/* Joins the half link of the partner into ours: one link from now on. Returns -1 if it is no partner after all. */
static int join(struct engine *g, struct unit *u, int s, uint64_t partner, unsigned rank)
{
    struct store_snap *snap = NULL;
    struct link other;
    bool half = u->link.state == LINK_HALF;
    int t = 1 - s, rc = engine_fail(g, store_snap(g->store, &snap, g->e));
    if (rc == 0)
        rc = engine_fail(g, state_link(snap, partner, &g->chunk, &other, g->e));
    if (rc == 0 && (other.state != LINK_HALF || !other.id[t] || g->visited[partner] == VISIT_DROPPED)) {
        store_snap_end(snap);
        return -1;
    }
    if (rc == 0) {
        u->link.id[t] = other.id[t];
        rc = engine_fail(g, state_id(snap, t, other.id[t], &u->seen[t], g->e));
        if (rc == 0) {
            int found = state_inbox(snap, t, other.id[t], &g->chunk, &u->row[t], g->e);
            u->has[t] = found == STORE_OK;
            rc = engine_fail(g, found);
        }
    }
    store_snap_end(snap);
    if (rc || units_read(g, u, 1))
        return g->e->code;
    bool gone = !u->now[t] && u->row[t].kind != INBOX_UNREADABLE; /* one that is gone is nobody's partner */
    if (gone || !match_holds(g, u, t, rank, partner) || !equal_as_found(g, u, rank))
        return g->e->code ? g->e->code : part(u, t);
    g->n_alone[t] -= g->n_alone[t] > 0;
    g->n_alone[s] -= half && g->n_alone[s] > 0;
    u->link.state = LINK_LIVE;
    if (g->pair->parent && rank == RANK_CORRELATION) /* ours has the key of the other: it is the copy */
        u->link.origin = (uint8_t)t;
    u->partner = partner;
    engine_listed(g, u->link.number, t);
    engine_drop(g, partner);
    return unit_views(g, u);
}

void join_put_off(struct engine *g, const struct unit *u)
{
    if (!u->partner)
        return;
    g->visited[u->partner] = VISIT_LATER;
    engine_class(g, u->partner, CLASS_PENDING);
    for (int s = 0; s < 2; s++)
        g->n_alone[s] += !u->former[1 - s];
}

/* From now on the link knows the record only under its new id. */
static void forget_former(struct engine *g, const struct unit *u, int t)
{
    struct row_key id = key_id(t, u->former[t]);
    batch_del(&g->batch, DB_IDS, key_slice(&id));
    del_inbox_row(&g->batch, t, u->former[t]);
    for (int s = 0; s < 2; s++) {
        struct row_key base = key_base(u->link.number, s);
        batch_del(&g->batch, DB_BASES, key_slice(&base));
    }
}

void join_put(struct engine *g, struct unit *u)
{
    if (!u->partner)
        return;
    int s = u->link.id[0] && u->seen[0].link == u->partner ? 0 : 1;
    struct link other = {.number = u->partner, .key = link_key(g->env->identity, s, u->link.id[s], 1)};
    match_del_keys(g, &other, s, u->now[s]);
    match_del_keys(g, &u->link, 1 - s, u->now[1 - s]);
    del_number_row(&g->batch, DB_LINKS, u->partner);
    wait_close(g, u->partner);
    for (int t = 0; t < 2; t++)
        if (u->former[t])
            forget_former(g, u, t);
    children_due(g, u, 3);
}

/* A record of the same id that is not equal: two records, or one that an older state has forgotten? Only a person can tell. */
static int doubt_id(struct engine *g, struct unit *u, int s)
{
    const char *reason =
        arena_printf(&g->chunk,
                     "side %s holds a record of this id that differs, and nothing says whether they are one: link them "
                     "with `syncline link %s %s %s`, or have this one created beside it with `syncline parked retry`",
                     s ? "a" : "b", g->pair->name, u->link.id[s], u->link.id[s]);
    if (g->env->dry) {
        show_wait(g, u, "parked", reason);
    } else {
        u->link.marks |= MARK_DOUBT;
        unit_park(g, u, s, reason, NULL);
    }
    u->done = true;
    return 1;
}

/* Under an older state a record that is gone may have been made again: its survivor looks for it first. Returns as match_half. */
static int match_survivor(struct engine *g, struct unit *u)
{
    int s = u->view[0].kind == VIEW_GONE ? 1 : 0, t = 1 - s;
    uint64_t partner = 0;
    unsigned rank = 0;
    const char *names = NULL;
    bool look = g->hold == HOLD_COMPARE || g->probing;
    /* a first look reads nothing: the record as it was last seen says enough */
    const struct sl_record *r = !u->now[s] && g->probing ? u->base[s] : u->now[s];
    if (!look || u->link.state != LINK_LIVE || u->view[t].kind != VIEW_GONE || u->view[s].out)
        return 0;
    if (match_partner(g, u, s, r, &partner, &rank, &names) != MATCH_ONE || rank == RANK_ID || rank == RANK_CONTENT)
        return g->e->code != 0;
    if (g->probing) {
        g->n_forgotten++; /* a run that this state does not remember has made it again */
        return 0;
    }
    struct unit before = *u;
    u->base[0] = u->base[1] = NULL;
    u->has[t] = false;
    u->link.id[t] = NULL;
    int rc = join(g, u, s, partner, rank);
    if (rc < 0)
        *u = before;
    else
        u->former[t] = before.link.id[t];
    return rc > 0;
}

static int match_half(struct engine *g, struct unit *u)
{
    int s = u->link.id[0] ? 0 : 1;
    uint64_t partner = 0;
    unsigned rank = 0;
    const char *names = NULL;
    if (u->link.state != LINK_HALF || u->view[s].kind != VIEW_HERE || u->view[s].out || !g->matching)
        return 0;
    int found = match_partner(g, u, s, u->now[s], &partner, &rank, &names);
    if (g->e->code)
        return 1;
    if (found == MATCH_ONE) {
        int rc = join(g, u, s, partner, rank);
        return rc < 0 && rank == RANK_ID ? doubt_id(g, u, s) : rc > 0;
    }
    if (found != MATCH_AMBIGUOUS)
        return 0;
    const char *reason = arena_printf(
        &g->chunk, "matches more than one record (%s); link by hand: `syncline link %s A B`", names, g->pair->name);
    if (g->env->dry) {
        show_wait(g, u, "ambiguous", reason);
    } else {
        wait_open(g, u, NULL, WAIT_AMBIGUOUS, s, reason, NULL);
        u->link.marks |= MARK_CONFLICT;
        unit_settled(g, u, CLASS_CONFLICT);
    }
    u->done = true;
    return 1;
}

int join_half(struct engine *g, struct unit *u)
{
    return match_half(g, u) || match_survivor(g, u);
}
