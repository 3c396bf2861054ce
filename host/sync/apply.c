/* SPDX-License-Identifier: MIT */
/* apply.c - plans a chunk of units and makes every intended write durable before it is attempted. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sync/engine.h"
#include "sync/write.h"

/* --- ending a unit without a write --- */

static uint32_t marks_of(const struct unit *u)
{
    uint32_t marks =
        u->link.marks & (MARK_TAKEN | MARK_ALONE | MARK_GONE_A | MARK_GONE_B | MARK_PARKED | MARK_CONFLICT);
    for (int s = 0; s < 2; s++)
        if (u->view[s].kind == VIEW_HERE) {
            marks &= ~MARK_GONE(s);
            if (u->view[s].out)
                marks |= MARK_OUT(s);
        }
    return marks;
}

/* What was seen of side s, so that the next listing knows it again. */
static void put_seen(struct engine *g, struct unit *u, int s)
{
    struct id_row row = u->seen[s];
    if (!u->link.id[s])
        return;
    row.link = u->link.number;
    row.marks = u->link.marks;
    if (u->now[s]) {
        row.version = version_hash(u->now[s]->version);
        row.content = record_digest(u->now[s]);
    } else if (u->has[s] && u->row[s].kind == INBOX_UNREADABLE) {
        row.version = version_hash(u->row[s].version);
        row.content = 0;
    }
    if (memcmp(&row, &u->seen[s], sizeof row) != 0)
        put_id_row(&g->batch, s, u->link.id[s], &row);
    u->seen[s] = row;
}

void unit_settled(struct engine *g, struct unit *u, int klass)
{
    put_link_row(&g->batch, &u->link);
    for (int s = 0; s < 2; s++) {
        put_seen(g, u, s);
        if (u->has[s] && u->link.id[s])
            del_inbox_row(&g->batch, s, u->link.id[s]);
    }
    engine_class(g, u->link.number, klass);
    u->done = true;
}

static void forget_link(struct engine *g, struct unit *u)
{
    for (int s = 0; s < 2; s++) {
        struct row_key base = key_base(u->link.number, s);
        batch_del(&g->batch, DB_BASES, key_slice(&base));
        if (!u->link.id[s])
            continue;
        struct row_key id = key_id(s, u->link.id[s]);
        batch_del(&g->batch, DB_IDS, key_slice(&id));
        del_inbox_row(&g->batch, s, u->link.id[s]);
    }
    del_number_row(&g->batch, DB_LINKS, u->link.number);
    wait_close(g, u, DB_CONFLICTS, NULL);
    wait_close(g, u, DB_PARKED, NULL);
    engine_class(g, u->link.number, CLASS_APPLIED);
    u->done = true;
}

static void park(struct engine *g, struct unit *u, int s, const char *reason, const char *version)
{
    wait_open(g, u, NULL, WAIT_PARKED, s, reason, version);
    u->link.marks |= MARK_PARKED;
    unit_settled(g, u, CLASS_PARKED);
}

/* A record nobody knows may be the one of a create whose reply was lost: it waits until that is settled. */
static bool perhaps_ours(struct engine *g, struct unit *u, int s)
{
    if (u->link.state != LINK_HALF || !u->link.id[s] || g->open_creates[s] == 0)
        return false;
    if (u->new_link && !g->env->dry) {
        put_link_row(&g->batch, &u->link);
        put_id_row(&g->batch, s, u->link.id[s], &u->seen[s]);
    }
    return true;
}

/* Too soon after our own write: what was read is not to be believed, and not later either. */
static bool stale_read(struct engine *g, struct unit *u)
{
    bool stale = false;
    for (int s = 0; s < 2; s++) {
        uint32_t stale_ms = g->object[s]->object.stale_ms;
        if (!u->now[s] || stale_ms == 0 || u->link.settled_ms + stale_ms <= g->now_ms)
            continue;
        stale = true;
        if (u->has[s])
            put_inbox_row(&g->batch, s, u->link.id[s], &(struct inbox_row){.kind = INBOX_HINT});
    }
    return stale;
}

/* What is not planned at all: unreadable records, tombstones of links, reads that did not come through. */
static bool settle_early(struct engine *g, struct unit *u)
{
    if (u->link.state == LINK_UNLINKED || u->link.state == LINK_UNDONE) {
        unit_settled(g, u, CLASS_FILTERED);
        return true;
    }
    for (int s = 0; s < 2; s++) {
        bool needed = u->has[s] && !u->now[s] && (u->row[s].kind == INBOX_HINT || u->read_failed[s]);
        if (needed || stale_read(g, u) || u->link.open_op ||
            perhaps_ours(g, u, s)) { /* one operation at a time on a link */
            engine_class(g, u->link.number, CLASS_PENDING);
            u->done = true; /* the inbox keeps it */
            return true;
        }
        if (u->has[s] && u->row[s].kind == INBOX_UNREADABLE) {
            if (!g->env->dry)
                park(g, u, s, u->row[s].message ? u->row[s].message : "cannot be read", u->row[s].version);
            u->done = true;
            return true;
        }
    }
    return false;
}

/* --- matching a half --- */

/* Joins the half link of the partner into ours: one link from now on. Returns -1 if it is no partner after all. */
static int join(struct engine *g, struct unit *u, int s, uint64_t partner, unsigned rank)
{
    struct store_snap *snap = NULL;
    struct link other;
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
    if (!match_holds(g, u, t, rank, partner)) {
        u->link.id[t] = NULL;
        u->has[t] = false;
        u->now[t] = NULL;
        u->seen[t] = (struct id_row){0};
        return -1;
    }
    u->link.state = LINK_LIVE;
    u->partner = partner;
    engine_listed(g, u->link.number, t);
    engine_drop(g, partner);
    return unit_views(g, u);
}

static void put_joined(struct engine *g, struct unit *u)
{
    if (!u->partner)
        return;
    int s = u->link.id[0] && u->seen[0].link == u->partner ? 0 : 1;
    struct link other = {.number = u->partner, .key = link_key(g->env->identity, s, u->link.id[s], 1)};
    match_del_keys(g, &other, s, u->now[s]);
    match_del_keys(g, &u->link, 1 - s, u->now[1 - s]);
    del_number_row(&g->batch, DB_LINKS, u->partner);
}

/* Returns 0 to go on planning; 1 when the unit is settled; an err code below zero is never used: g->e tells. */
static int match_half(struct engine *g, struct unit *u)
{
    int s = u->link.id[0] ? 0 : 1;
    uint64_t partner = 0;
    unsigned rank = 0;
    const char *names = NULL;
    if (u->link.state != LINK_HALF || u->view[s].kind != VIEW_HERE || u->view[s].out || !g->matching)
        return 0;
    int found = match_partner(g, u, s, &partner, &rank, &names);
    if (g->e->code)
        return 1;
    if (found == MATCH_ONE) {
        int rc = join(g, u, s, partner, rank);
        return rc > 0;
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

/* --- planning --- */

static void plan_unit(struct engine *g, struct unit *u)
{
    struct plan_in in = {.pair = g->pair, .rules = u->rules, .n_rules = u->n_rules, .now_ms = g->now_ms};
    for (int s = 0; s < 2; s++) {
        in.side[s] = u->view[s];
        in.caps[s] = g->caps[s];
    }
    plan_link(&in, &g->chunk, &u->plan);
    /* what the first run may not create stays as it is, for ever filtered until a partner appears */
    bool create = u->plan.write[0].kind == SL_CREATE || u->plan.write[1].kind == SL_CREATE;
    if (create && u->link.state == LINK_HALF && g->first && g->first_run == FIRST_MATCH_ONLY)
        u->link.marks |= MARK_ALONE;
    if (create && u->link.state == LINK_HALF && (u->link.marks & MARK_ALONE)) {
        memset(&u->plan, 0, sizeof u->plan);
        u->plan.filtered = true;
    }
    u->write_side = u->plan.write[1].kind ? 1 : u->plan.write[0].kind ? 0 : -1;
}

static int class_of_plan(const struct unit *u)
{
    int klass = u->plan.filtered ? CLASS_FILTERED : CLASS_UNCHANGED;
    for (size_t i = 0; i < u->plan.n_waits; i++)
        if (u->plan.waits[i].kind == WAIT_PARKED)
            return CLASS_PARKED;
        else
            klass = CLASS_CONFLICT;
    return u->partner && klass == CLASS_UNCHANGED ? CLASS_APPLIED : klass;
}

static void put_waits(struct engine *g, struct unit *u)
{
    if (u->link.marks & (MARK_CONFLICT | MARK_PARKED)) {
        wait_close(g, u, DB_CONFLICTS, NULL);
        wait_close(g, u, DB_PARKED, NULL);
    }
    u->link.marks &= ~(uint32_t)(MARK_CONFLICT | MARK_PARKED | MARK_ASIDE);
    if (u->plan.aside)
        u->link.marks |= MARK_ASIDE;
    for (size_t i = 0; i < u->plan.n_waits; i++) {
        const struct plan_wait *w = &u->plan.waits[i];
        wait_open(g, u, w, w->kind, w->rule->to[1] ? 0 : 1, w->reason, NULL);
        u->link.marks |= w->kind == WAIT_PARKED ? MARK_PARKED : MARK_CONFLICT;
    }
}

/* What waited and waits no more is not counted by the marks its listing showed. */
static void remark(struct engine *g, struct unit *u)
{
    uint32_t before = u->link.marks, waits = MARK_PARKED | MARK_CONFLICT | MARK_WITHHELD;
    u->link.marks = marks_of(u);
    put_waits(g, u);
    if (before & ~u->link.marks & waits)
        g->klass[u->link.number] = CLASS_PENDING;
}

static void put_settled_bases(struct engine *g, struct unit *u)
{
    for (int s = 0; s < 2; s++)
        if (u->plan.settle[s]) {
            struct sl_record *base = (struct sl_record *)(uintptr_t)u->plan.settle[s];
            if (u->now[s]) {
                base->version = u->now[s]->version;
                base->modified_ms = u->now[s]->modified_ms;
            }
            put_base_row(&g->batch, u->link.number, s, base);
            u->base[s] = base;
        } else if (u->now[s] && u->base[s] && !text_equal(u->now[s]->version, u->base[s]->version)) {
            /* the base keeps the newest version it is known to hold under: a conditional write needs it */
            struct sl_record moved = *u->base[s];
            moved.version = u->now[s]->version;
            moved.modified_ms = u->now[s]->modified_ms;
            put_base_row(&g->batch, u->link.number, s, &moved);
        } else if (u->now[s] && !u->base[s] && u->link.state == LINK_LIVE) {
            u->base[s] = base_shell(u->now[s], &g->chunk, 0);
            put_base_row(&g->batch, u->link.number, s, u->base[s]);
        }
}

/* A unit whose plan writes nothing now. */
static void settle_plan(struct engine *g, struct unit *u)
{
    int klass = class_of_plan(u);
    if (u->plan.forget) {
        forget_link(g, u);
        return;
    }
    if (u->plan.unlink) {
        u->link.state = LINK_UNLINKED;
        klass = CLASS_APPLIED;
        history_event(g, u, REASON_UNLINKED);
    }
    if (u->plan.filtered)
        for (int s = 0; s < 2; s++)
            if (u->view[s].kind == VIEW_GONE)
                u->link.marks |= MARK_GONE(s);
    if (u->link.state == LINK_LIVE)
        put_settled_bases(g, u);
    unit_settled(g, u, klass);
}

/* Held by the row of the inbox that caused it: the record is gone, or has left the filter. */
static void hold_back(struct engine *g, struct unit *u)
{
    bool held = false;
    for (int gone = 1; gone >= 0 && !held; gone--)
        for (int s = 0; s < 2 && !held; s++)
            if (u->has[s] && (u->view[s].kind == VIEW_GONE) == (gone != 0)) {
                engine_due(g, s, u->link.id[s], gone != 0);
                held = true;
            }
    u->deferred = u->done = true;
}

static bool guarded(const struct unit *u)
{
    return u->plan.guarded || u->plan.write[0].guarded || u->plan.write[1].guarded;
}

static int plan_one(struct engine *g, struct unit *u)
{
    if (g->visited[u->link.number] == VISIT_DROPPED)
        u->done = true; /* joined to its partner a moment ago */
    if (u->done || settle_early(g, u))
        return g->e->code;
    if (unit_views(g, u))
        return g->e->code;
    if (match_half(g, u))
        return g->e->code;
    plan_unit(g, u);
    return 0;
}

/* --- intents --- */

/* The id a record is created under where the host chooses it; former: the one it had before it was deleted, or NULL. */
static const char *reserve_id(struct engine *g, struct unit *u, int t, const char *former)
{
    const struct sl_object *o = &g->object[t]->object;
    const char *source = u->link.id[1 - t];
    bool taken = (u->link.marks & MARK_TAKEN) != 0;
    if (!(o->caps & SL_CAP_RESERVED_ID))
        return NULL;
    if (o->id_rule == SL_ID_INTEGER)
        return arena_printf(&g->chunk, "%" PRId64, g->next.id[t]++);
    if (!taken && source && id_valid(o, source) && (text_equal(source, former) || id_free(g, t, source)))
        return source;
    char hex[33];
    hex_encode(u->link.key.bytes, sizeof u->link.key.bytes, hex);
    return arena_printf(&g->chunk, "sl-%.20s%s%s", hex, taken ? "-" : "", taken ? "2" : "");
}

static void new_generation(struct engine *g, struct unit *u, int t)
{
    u->link.generation++;
    u->link.origin = (uint8_t)(1 - t);
    u->link.key = link_key(g->env->identity, 1 - t, u->link.id[1 - t], u->link.generation);
    if (u->link.id[t]) {
        struct row_key id = key_id(t, u->link.id[t]);
        struct row_key base = key_base(u->link.number, t);
        batch_del(&g->batch, DB_IDS, key_slice(&id));
        batch_del(&g->batch, DB_BASES, key_slice(&base));
        if (u->has[t])
            del_inbox_row(&g->batch, t, u->link.id[t]);
        u->has[t] = false;
        u->link.id[t] = NULL;
        u->base[t] = NULL;
        u->seen[t] = (struct id_row){0};
    }
}

static void make_intent(struct engine *g, struct unit *u)
{
    int t = u->write_side;
    struct plan_write *w = &u->plan.write[t];
    struct intent *i = &u->intent;
    const struct sl_record *before = u->now[t] ? u->now[t] : u->base[t];
    const char *former = u->link.id[t];
    if (w->again)
        new_generation(g, u, t);
    *i = (struct intent){.number = g->next.op++,
                         .link = u->link.number,
                         .side = (uint8_t)t,
                         .kind = (uint8_t)w->kind,
                         .state = OP_PLANNED,
                         .reason = (uint8_t)w->reason,
                         .run = g->report->run,
                         .changes = w->changes,
                         .n_changes = w->n_changes,
                         .source = u->view[1 - t].now ? base_shell(u->view[1 - t].now, &g->chunk, 0) : NULL};
    engine_ulid(g, i->ulid);
    if (w->kind == SL_CREATE) {
        i->id = reserve_id(g, u, t, former);
        u->link.state = LINK_PENDING;
        match_del_keys(g, &u->link, 1 - t, u->now[1 - t]);
    } else {
        i->id = u->link.id[t];
        i->before = before && w->kind == SL_UPDATE ? base_shell(before, &g->chunk, 0) : before;
        if (g->caps[t] & SL_CAP_CONDITIONAL && before && before->version && *before->version)
            i->expected_version = before->version;
    }
    u->link.open_op = i->number;
    remark(g, u);
    put_settled_bases(g, u);
    put_joined(g, u);
    put_link_row(&g->batch, &u->link);
    put_intent_row(&g->batch, i);
    for (int s = 0; s < 2; s++) {
        put_seen(g, u, s);
        if (u->has[s] && u->link.id[s])
            del_inbox_row(&g->batch, s, u->link.id[s]);
    }
}

/* A plan that also needs the other side written is planned again after this write. */
static bool allowed(struct engine *g, struct unit *u)
{
    uint64_t digest;
    if (!g->env->only)
        return true;
    digest = write_digest(g, u, u->write_side);
    for (size_t i = 0; i < g->env->n_only; i++)
        if (g->env->only[i] == digest) {
            if (g->env->only_met)
                g->env->only_met[i] = true;
            return true;
        }
    return false;
}

static void commit_plan(struct engine *g, struct unit *u)
{
    if (u->done)
        return;
    if (guarded(u) && !g->deletes_ok) {
        hold_back(g, u);
    } else if (u->write_side >= 0) {
        if (allowed(g, u)) {
            make_intent(g, u);
        } else {
            engine_class(g, u->link.number, CLASS_PENDING);
            u->done = true;
        }
    } else {
        remark(g, u);
        put_joined(g, u);
        settle_plan(g, u);
    }
}

/* What is written on side t without a version to guard it is read again and planned again from that. */
static int refresh(struct engine *g, struct unit *units, size_t n, int t)
{
    if (units_refresh(g, units, n, t))
        return g->e->code;
    for (size_t i = 0; i < n; i++) {
        struct unit *u = &units[i];
        if (u->done || u->write_side != t || u->plan.write[t].kind == SL_CREATE)
            continue;
        if (settle_early(g, u))
            continue;
        if (unit_views(g, u))
            return g->e->code;
        plan_unit(g, u);
    }
    return 0;
}

static void show_all(struct engine *g, struct unit *units, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!units[i].done) {
            if (guarded(&units[i]) && !g->deletes_ok)
                hold_back(g, &units[i]);
            else
                show_plan(g, &units[i]);
        }
    batch_clear(&g->batch);
}

int engine_apply(struct engine *g, struct unit *units, size_t n)
{
    if (units_read(g, units, n))
        return g->e->code;
    for (size_t i = 0; i < n; i++) {
        for (int s = 0; s < 2; s++)
            if (units[i].link.id[s] && g->visited[units[i].link.number] != VISIT_DROPPED)
                engine_listed(g, units[i].link.number, s);
        if (plan_one(g, &units[i]))
            return g->e->code;
    }
    for (int t = 1; t >= 0; t--)
        if (refresh(g, units, n, t))
            return g->e->code;
    if (g->env->dry || g->review) {
        show_all(g, units, n);
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        commit_plan(g, &units[i]);
    if (g->e->code || engine_commit(g))
        return g->e->code;
    for (int t = 1; t >= 0; t--)
        if (engine_write(g, units, n, t))
            return g->e->code;
    return 0;
}
