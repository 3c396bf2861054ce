/* SPDX-License-Identifier: MIT */
/* model_plan.c - what to write of one link: field by field, references by their partners, and an edit before a delete. */
#include "model_engine.h"

#include <stddef.h>
#include <string.h>

enum { NO_PARTNER = -1 };

struct plan {
    int adopted, conflicts, write[2]; /* masks of fields */
    int reference; /* as the written side is to hold it */
    bool waits;
};

bool model_read(struct world *w, const struct link *l, int side, struct record *out)
{
    bool guarded = model_has(w, MODEL_STALE_GUARD);
    if (guarded && w->setup->no_versions && w->now < l->quiet_until[side])
        return false;
    model_step(w);
    bool there = model_get(w, side, l->id[side], out);
    return there && !(guarded && !w->setup->no_versions && out->now.version < l->seen_version[side]);
}

/* --- an update --- */

static void plan_field(const struct world *w, const struct link *l, const struct record *r, int f, struct plan *p)
{
    int a = r[0].now.field[f], b = r[1].now.field[f], bit = 1 << f;
    bool a_changed = a != l->base[0][f], b_changed = b != l->base[1][f];
    if (!a_changed && !b_changed)
        return;
    if (model_same(w, 1, f, a, b))
        p->adopted |= bit;
    else if (a_changed) /* both changed: side a wins */
        p->write[1] |= bit;
    else
        p->write[0] |= bit;
    if (a_changed && b_changed)
        p->conflicts |= bit;
}

/* What the other side calls the record of this id. */
static int partner(struct world *w, int side, int id)
{
    if (!id || !model_has(w, MODEL_TRANSLATE))
        return id;
    const struct link *l = model_link_of(w, side, id);
    if (l && l->state == ACTIVE && l->id[1 - side] && !l->gone[0] && !l->gone[1])
        return l->id[1 - side];
    return model_has(w, MODEL_WAIT) ? NO_PARTNER : 0;
}

static void plan_reference(struct world *w, const struct link *l, const struct record *r, struct plan *p)
{
    int held[2] = {r[0].now.field[REFERENCE], r[1].now.field[REFERENCE]}, bit = 1 << REFERENCE;
    int from = held[0] != l->base[0][REFERENCE] ? 0 : 1;
    if (held[from] == l->base[from][REFERENCE])
        return;
    p->reference = partner(w, from, held[from]);
    p->waits = p->reference == NO_PARTNER;
    if (p->waits)
        model_notes(w, MODEL_WAITED);
    else if (p->reference == held[1 - from])
        p->adopted |= bit;
    else
        p->write[1 - from] |= bit;
}

static void note_reads(struct link *l, const struct record *r, const struct plan *p)
{
    for (int s = 0; s < 2; s++) {
        l->seen_version[s] = model_max(l->seen_version[s], r[s].now.version);
        for (int f = 0; f < TWO_WAY; f++)
            if (p->adopted & 1 << f)
                l->base[s][f] = r[s].now.field[f];
    }
}

static void note_conflicts(const struct world *w, struct link *l, const struct plan *p)
{
    for (int f = 0; f < VALUES; f++)
        if (p->conflicts & 1 << f)
            l->conflict_at[f] = w->now;
}

static void note_clean(struct world *w, struct link *l, const struct record *r)
{
    for (int s = 0; s < 2; s++)
        l->base_version[s] = model_max(l->base_version[s], r[s].now.version);
    l->dirty = false;
    model_step(w);
}

/* One direction at a time: a link has one op. */
static void intend_update(struct world *w, struct link *l, const struct record *r, const struct plan *p)
{
    int side = p->write[1] ? 1 : 0;
    const struct record *from = &r[1 - side];
    struct request q = {.kind = UPDATE,
                        .side = side,
                        .id = r[side].id,
                        .mask = p->write[side],
                        .expected = r[side].now.version,
                        .source = from->id};
    memcpy(q.field, from->now.field, VALUES * sizeof *q.field);
    q.field[REFERENCE] = p->reference;
    model_check_plan(w, from, q.mask);
    if (!model_has(w, MODEL_JOURNAL)) {
        model_update_at_once(w, l, &q);
        return;
    }
    model_intend(w, l, &q, from->now.field);
    model_step(w);
}

static void plan_update(struct world *w, struct link *l)
{
    struct record r[2];
    struct plan p = {0};
    if (!model_read(w, l, 0, &r[0]) || !model_read(w, l, 1, &r[1]))
        return;
    for (int f = 0; f < VALUES; f++)
        plan_field(w, l, r, f, &p);
    plan_reference(w, l, r, &p);
    note_reads(l, r, &p);
    note_conflicts(w, l, &p);
    if (p.write[0] || p.write[1])
        intend_update(w, l, r, &p);
    else if (!p.waits)
        note_clean(w, l, r);
}

/* --- a delete --- */

/* A new generation of the link; the deleted record is never seen as new again. */
static void create_again(struct world *w, struct link *l, int side, const struct record *r)
{
    int deleted = l->id[side];
    model_notes(w, MODEL_CREATED_AGAIN);
    model_bury(w, side, deleted);
    l->id[side] = 0;
    l->gone[side] = false;
    l->base_version[side] = l->seen_version[side] = 0;
    l->base[0][REFERENCE] = l->base[1][REFERENCE] = 0;
    l->generation++;
    l->link_id = ++w->state.last_link_id;
    model_intend_create(w, l, side, r);
    l->op.request.replaces = deleted;
    model_step(w);
}

static void intend_delete(struct world *w, struct link *l, int side, const struct record *r)
{
    struct request q = {
        .kind = DELETE, .side = side, .id = r->id, .expected = r->now.version, .source = l->id[1 - side]};
    if (w->faulty && ++w->n_deletes > CEILING)
        model_breaks(w, 28);
    model_intend(w, l, &q, r->now.field);
    model_step(w);
}

static void plan_delete(struct world *w, struct link *l)
{
    if (l->gone[0] && l->gone[1]) {
        l->state = model_has(w, MODEL_TOMB) ? TOMB : DROPPED;
        model_step(w);
        return;
    }
    int side = l->gone[0] ? 1 : 0;
    struct record r;
    if (!model_read(w, l, side, &r))
        return;
    bool edited = memcmp(r.now.field, l->base[side], TWO_WAY * sizeof *r.now.field) != 0;
    if (edited && model_has(w, MODEL_EDIT_WINS))
        create_again(w, l, 1 - side, &r);
    else
        intend_delete(w, l, side, &r);
}

/* --- all that changed --- */

static void plan_link(struct world *w, struct link *l)
{
    if (!l->dirty || l->state != ACTIVE || l->op.state)
        return;
    if (l->sort == HIRE)
        model_plan_hire(w, l);
    else if (l->sort == CHILD)
        model_plan_child(w, l);
    else if (l->gone[0] || l->gone[1])
        plan_delete(w, l);
    else if (l->id[0] && l->id[1])
        plan_update(w, l);
}

/* So many links at once as a request can hold: little time may pass between a read and its write. */
void model_plan(struct world *w)
{
    int most = model_does(w, MODEL_BATCHES) ? MAX_BATCH : 1, end;
    for (int first = 0; first < w->state.n_links; first = end) {
        end = first + most < w->state.n_links ? first + most : w->state.n_links;
        for (int i = first; i < end; i++)
            plan_link(w, &w->state.links[i]);
        model_send(w, first, end);
    }
}
