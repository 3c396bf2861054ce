/* SPDX-License-Identifier: MIT */
/* model_links.c - the model's links and their journal: made, found, buried, and moved on by what is certain. */
#include "model_engine.h"

#include <stddef.h>
#include <string.h>

/* What the connector declares, not what its system does: an undeclared normalisation is the worst case. */
bool model_same(const struct world *w, int side, int field, int sent, int value)
{
    bool declared = !w->setup->undeclared && model_has(w, MODEL_EQUIV);
    return sent == value || (declared && model_stored(w, side, field, sent) == value);
}

struct link *model_link_of(struct world *w, int side, int id)
{
    for (int i = 0; i < w->state.n_links; i++) {
        struct link *l = &w->state.links[i];
        if (l->id[side] == id && l->state != DROPPED)
            return l;
    }
    return NULL;
}

struct link *model_new_link(struct world *w, enum link_state state)
{
    struct state *st = &w->state;
    if (st->n_links == MAX_LINKS)
        model_full(w);
    struct link *l = &st->links[st->n_links++];
    *l = (struct link){.state = state, .sort = RECORD, .link_id = ++st->last_link_id};
    return l;
}

void model_bury(struct world *w, int side, int id)
{
    if (model_has(w, MODEL_TOMB))
        model_new_link(w, TOMB)->id[side] = id;
}

struct op *model_intend(struct world *w, struct link *l, const struct request *q, const int *source)
{
    struct op *op = &l->op;
    *op = (struct op){.state = PLANNED, .intended_at = w->now, .request = *q};
    op->request.key = ++w->state.last_key;
    op->request.generation = l->generation;
    memcpy(op->source, source, sizeof op->source);
    return op;
}

/* A reference is never created with its record: it waits for its partner and is filled later. */
void model_intend_create(struct world *w, struct link *l, int side, const struct record *source)
{
    struct request q = {.kind = CREATE,
                        .sort = RECORD,
                        .side = side,
                        .link_id = l->link_id,
                        .name = source->name,
                        .mask = ALL_VALUES,
                        .source = source->id};
    memcpy(q.field, source->now.field, VALUES * sizeof *q.field);
    model_intend(w, l, &q, source->now.field);
}

void model_drop_op(struct link *l)
{
    l->op.state = NO_OP;
    l->dirty = true;
}

/* The base of the written side: the reply to the write itself says what is stored; a later read may hold another's edit. */
static int base_after(const struct world *w, const struct request *q, int f, int got, bool is_reply)
{
    if (!model_has(w, MODEL_BASE_PER_SIDE))
        return q->field[f];
    if (is_reply || !model_has(w, MODEL_UNEXPLAINED) || model_same(w, q->side, f, q->field[f], got))
        return got;
    return q->field[f];
}

static void drop_held(struct world *w, int side, int id)
{
    for (int i = 0; i < w->state.n_links; i++) {
        struct link *l = &w->state.links[i];
        if (l->state == HELD && l->id[side] == id)
            l->state = DROPPED;
    }
}

void model_finish(struct world *w, struct link *l, const struct record *got, bool is_reply)
{
    const struct request *q = &l->op.request;
    int t = q->side;
    bool clean = true;
    if (q->kind == CREATE)
        drop_held(w, t, got->id);
    l->id[t] = got->id;
    for (int f = 0; f < FIELDS; f++) {
        if (q->mask & 1 << f) {
            l->base[1 - t][f] = l->op.source[f];
            l->base[t][f] = base_after(w, q, f, got->now.field[f], is_reply);
        }
        clean = clean && (f >= TWO_WAY || got->now.field[f] == l->base[t][f]);
    }
    l->seen_version[t] = model_max(l->seen_version[t], got->now.version);
    if (clean)
        l->base_version[t] = model_max(l->base_version[t], got->now.version);
    l->quiet_until[t] = w->now + STALE;
    model_drop_op(l);
}

/* Of T3: a create that is not settled may have made every record of its name. */
bool model_may_be_own(const struct world *w, int side, const struct record *r)
{
    if (w->setup->tier != MODEL_T3)
        return r->link_id != 0;
    for (int i = 0; i < w->state.n_links; i++) {
        const struct op *op = &w->state.links[i].op;
        if (op->state && op->request.kind == CREATE && op->request.side == side && op->request.name == r->name)
            return model_has(w, MODEL_HOLD);
    }
    return false;
}
