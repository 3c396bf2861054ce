/* SPDX-License-Identifier: MIT */
/* apply.c - plans a chunk of units and makes every intended write durable before it is attempted. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sync/notes.h"
#include "sync/write.h"

/* --- ending a unit without a write --- */

static uint32_t marks_of(const struct unit *u)
{
    uint32_t marks = u->link.marks &
                     (MARK_TAKEN | MARK_ALONE | MARK_DOUBT | MARK_GONE_A | MARK_GONE_B | MARK_PARKED | MARK_CONFLICT);
    for (int s = 0; s < 2; s++)
        if (u->view[s].kind == VIEW_HERE) {
            marks &= ~MARK_GONE(s);
            if (u->view[s].out)
                marks |= u->view[s].left ? MARK_LEFT(s) : MARK_OUT(s);
        }
    return marks;
}

static bool tombstone(const struct unit *u)
{
    return u->link.state == LINK_UNLINKED || u->link.state == LINK_UNDONE;
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
        row.content = unit_digest(u, s);
    } else if (u->has[s] && (u->row[s].kind == INBOX_UNREADABLE || (u->row[s].kind == INBOX_HINT && tombstone(u)))) {
        row.version = version_hash(u->row[s].version);
        row.content = 0;
    }
    bool moved = row.version != u->seen[s].version || row.content != u->seen[s].content;
    if (moved && g->pair->n_children)
        children_due(g, u, 1u << s);
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
    g->unclear |= wait_ambiguous(u);
    g->visited[u->link.number] = VISIT_GONE;
    del_base_rows(&g->batch, u->link.number);
    for (int s = 0; s < 2; s++) {
        if (!u->link.id[s])
            continue;
        struct row_key id = key_id(s, u->link.id[s]);
        batch_del(&g->batch, DB_IDS, key_slice(&id));
        del_inbox_row(&g->batch, s, u->link.id[s]);
    }
    del_number_row(&g->batch, DB_LINKS, u->link.number);
    wait_close(g, u->link.number);
    engine_class(g, u->link.number, CLASS_APPLIED);
    u->done = true;
}

void unit_park(struct engine *g, struct unit *u, int s, const char *reason, const char *version)
{
    wait_open(g, u, NULL, WAIT_PARKED, s, reason, version);
    u->link.marks |= MARK_PARKED;
    unit_settled(g, u, CLASS_PARKED);
}

/* A record nobody knows may be the one of a create whose reply was lost: it waits until that is settled. */
static bool perhaps_ours(struct engine *g, struct unit *u, int s)
{
    uint32_t before = u->link.marks;
    if (u->link.state != LINK_HALF || !u->link.id[s] || g->open_creates[s] == 0)
        return false;
    quarantine_alone(g, u, 1 - s);
    if ((u->new_link || u->link.marks != before) && !g->env->dry) {
        put_link_row(&g->batch, &u->link);
        put_id_row(&g->batch, s, u->link.id[s], &u->seen[s]);
    }
    return true;
}

/* Does it wait for what only a person can settle, a create of its own, or of those that it may be one of? */
static bool for_a_person(const struct engine *g, const struct unit *u, int s)
{
    if (u->link.state == LINK_HALF)
        return g->open_creates[s] > 0 && g->open_creates[s] == g->parked_creates[s];
    return u->link.open_op && (u->link.marks & MARK_PARKED);
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
        engine_earliest(&g->stale_until_ms, u->link.settled_ms + stale_ms);
        if (u->has[s])
            put_inbox_row(&g->batch, s, u->link.id[s], &(struct inbox_row){.kind = INBOX_HINT});
    }
    return stale;
}

/* What is not planned at all: unreadable records, tombstones of links, reads that did not come through. */
static bool settle_early(struct engine *g, struct unit *u)
{
    if (tombstone(u)) {
        for (int s = 0; s < 2; s++)
            if (u->has[s] && u->row[s].kind == INBOX_GONE)
                u->link.marks |= MARK_GONE(s);
        unit_settled(g, u, CLASS_FILTERED);
        return true;
    }
    for (int s = 0; s < 2; s++) {
        bool needed = u->has[s] && !u->now[s] && (u->row[s].kind == INBOX_HINT || u->read_failed[s]);
        /* one operation at a time; but a first look for what an older state has forgotten changes nothing, and misses no link */
        bool looks = g->probing && u->link.state == LINK_LIVE;
        bool busy = !looks && (stale_read(g, u) || u->link.open_op);
        if (needed || busy || perhaps_ours(g, u, s)) {
            bool parked = !needed && for_a_person(g, u, s);
            engine_class(g, u->link.number, parked ? CLASS_PARKED : CLASS_PENDING);
            g->unlooked |= u->link.state == LINK_LIVE;
            join_put_off(g, u);
            u->done = true; /* the inbox keeps it */
            return true;
        }
        if (u->has[s] && u->row[s].kind == INBOX_UNREADABLE) {
            const char *reason = u->row[s].message ? u->row[s].message : "cannot be read";
            if (g->env->dry)
                show_wait(g, u, "parked", reason);
            else
                unit_park(g, u, s, reason, u->row[s].version);
            u->done = true;
            return true;
        }
    }
    return false;
}

/* --- planning --- */

void unit_plan(struct engine *g, struct unit *u)
{
    struct plan_in in = {.pair = g->pair, .rules = u->rules, .n_rules = u->n_rules, .now_ms = g->now_ms};
    for (int s = 0; s < 2; s++) {
        in.side[s] = u->view[s];
        in.caps[s] = g->caps[s];
    }
    if (g->pair->parent && !g->pair->append)
        in.rules = children_rules(g, u, &in.n_rules);
    quarantine_doubt(g, u, &in);
    plan_link(&in, &g->chunk, &u->plan);
    notes_hold(g, u);
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
    if (u->link.marks & (MARK_CONFLICT | MARK_PARKED))
        wait_close(g, u->link.number);
    u->link.marks &= ~(uint32_t)(MARK_CONFLICT | MARK_PARKED | MARK_ASIDE);
    if (u->plan.aside)
        u->link.marks |= MARK_ASIDE;
    for (size_t i = 0; i < u->plan.n_waits; i++) {
        const struct plan_wait *w = &u->plan.waits[i];
        wait_open(g, u, w, w->kind, w->rule->to[1] ? 0 : 1, w->reason, NULL);
        u->link.marks |= w->kind == WAIT_PARKED ? MARK_PARKED : MARK_CONFLICT;
    }
}

static void remark(struct engine *g, struct unit *u)
{
    uint32_t before = u->link.marks;
    g->unclear |= wait_ambiguous(u);
    u->link.marks = marks_of(u);
    put_waits(g, u);
    for (int s = 0; s < 2; s++)
        g->n_left[s] += (~before & u->link.marks & MARK_LEFT(s)) != 0;
    engine_wait_over(g, u->link.number, before & ~u->link.marks, false);
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
        if (u->plan.guarded)
            guard_spend(g);
        history_event(g, u, REASON_UNLINKED);
    }
    if (u->plan.filtered || u->plan.unlink)
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
    g->visited[u->link.number] = VISIT_DUE;
    u->deferred = u->done = true;
}

static bool guarded(const struct unit *u)
{
    return u->plan.guarded || u->plan.write[0].guarded || u->plan.write[1].guarded;
}

/* Under an older state partners are found before anything is created, and what might have one is not created unasked. */
static void hold_create(struct engine *g, struct unit *u)
{
    bool create = u->plan.write[0].kind == SL_CREATE || u->plan.write[1].kind == SL_CREATE;
    const char *reason = NULL;
    bool wait = g->joining || (g->unlooked && g->hold == HOLD_COMPARE);
    if (create && wait && u->link.state == LINK_HALF) {
        engine_class(g, u->link.number, CLASS_PENDING);
        g->visited[u->link.number] = 0;
        u->done = true;
    } else if ((reason = quarantine_create(g, u)) && g->env->dry) {
        show_wait(g, u, "parked", reason);
        u->done = true;
    } else if (reason) {
        unit_park(g, u, u->link.id[0] ? 0 : 1, reason, NULL);
    }
}

static int plan_one(struct engine *g, struct unit *u)
{
    if (g->visited[u->link.number] == VISIT_DROPPED)
        u->done = true; /* joined to its partner a moment ago */
    if (u->done || settle_early(g, u))
        return g->e->code;
    if (unit_views(g, u))
        return g->e->code;
    if (join_half(g, u))
        return g->e->code;
    unit_plan(g, u);
    if (g->pair->parent && !children_ready(g, u))
        return g->e->code;
    hold_create(g, u);
    return g->e->code;
}

/* --- intents --- */

/* Its keys are taken away with the intent: should it stand alone again after all, it is looked at as new and has them again. */
static void unsee(struct engine *g, struct unit *u, int s)
{
    u->seen[s].content = 0;
    put_id_row(&g->batch, s, u->link.id[s], &u->seen[s]);
}

static void make_intent(struct engine *g, struct unit *u)
{
    int t = u->write_side;
    struct plan_write *w = &u->plan.write[t];
    struct intent *i = &u->intent;
    const struct sl_record *before = u->now[t] ? u->now[t] : u->base[t];
    const char *former = u->link.id[t];
    if (w->again)
        unit_next_generation(g, u, t);
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
        i->id = id_reserve(g, u, t, former);
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
    join_put(g, u);
    put_settled_bases(g, u);
    put_link_row(&g->batch, &u->link);
    put_intent_row(&g->batch, i);
    for (int s = 0; s < 2; s++) {
        put_seen(g, u, s);
        if (u->has[s] && u->link.id[s])
            del_inbox_row(&g->batch, s, u->link.id[s]);
    }
    if (w->kind == SL_CREATE && g->pair->n_children)
        children_due(g, u, 1u << (1 - t));
    if (w->kind == SL_CREATE && match_keyed(g, 1 - t))
        unsee(g, u, 1 - t);
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
            join_put_off(g, u);
            engine_class(g, u->link.number, CLASS_PENDING);
            u->done = true;
        }
    } else {
        remark(g, u);
        join_put(g, u);
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
        unit_plan(g, u);
    }
    return 0;
}

/* An earlier run may have done already what this would do: both sides alike, both gone, or one made again for an edit. */
static bool tells_of_more(const struct unit *u)
{
    return u->plan.alike || u->plan.forget || u->plan.write[0].again || u->plan.write[1].again;
}

/* Once each: neither what joined its partner, nor what another round looks at, nor a delete that the guard has counted. */
static bool digested(const struct engine *g, const struct unit *u)
{
    int visit = g->visited[u->link.number];
    return g->env->full && g->env->dry && !g->probing && visit == VISIT_DONE && !(guarded(u) && g->deletes_ok);
}

static void show_all(struct engine *g, struct unit *units, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (digested(g, &units[i]))
            digest_unit(g, &units[i]);
    for (size_t i = 0; i < n; i++)
        if (g->probing) {
            g->n_forgotten += !units[i].done && tells_of_more(&units[i]);
        } else if (!units[i].done) {
            if (guarded(&units[i]) && !g->deletes_ok)
                hold_back(g, &units[i]);
            else
                show_plan(g, &units[i]);
        }
    batch_clear(&g->batch);
}

/* What was planned for a half before another unit found it is not carried out. */
static void leave_to_partners(struct engine *g, struct unit *units, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int visit = g->visited[units[i].link.number];
        units[i].done |= visit == VISIT_DROPPED || visit == VISIT_LATER;
    }
}

int engine_apply(struct engine *g, struct unit *units, size_t n)
{
    if (units_read(g, units, n))
        return g->e->code;
    if (g->pair->parent)
        children_sort(units, n);
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
    leave_to_partners(g, units, n);
    if (g->env->dry || g->review) {
        show_all(g, units, n);
        return 0;
    }
    if (engine_view_begin(g))
        return g->e->code;
    for (size_t i = 0; i < n; i++)
        commit_plan(g, &units[i]);
    engine_view_end(g);
    if (g->unclear && !g->e->code)
        wait_look_again(g);
    g->unclear = false;
    if (g->e->code || engine_commit(g))
        return g->e->code;
    for (int t = 1; t >= 0; t--)
        if (engine_write(g, units, n, t))
            return g->e->code;
    return 0;
}
