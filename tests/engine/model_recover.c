/* SPDX-License-Identifier: MIT */
/* model_recover.c - settles what became of a request that was not answered: each tier in its own way. */
#include "model_engine.h"

#include <stddef.h>

/* --- creates --- */

static void adopt(struct world *w, struct link *l, const struct record *r)
{
    model_step(w);
    struct record got = model_seen(w, r);
    model_finish(w, l, &got, false);
    model_step(w);
}

/* T2: by the link id that the record carries. What is found is believed at once. */
static bool find_created(struct world *w, struct link *l)
{
    int side = l->op.request.side;
    for (int i = 0; i < w->sides[side].n_records; i++) {
        const struct record *r = &w->sides[side].records[i];
        if (r->link_id == l->op.request.link_id && model_listed(w, side, r)) {
            adopt(w, l, r);
            return true;
        }
    }
    return false;
}

/* T3: may this be what the request made? */
static bool is_candidate(struct world *w, const struct op *op, const struct record *r)
{
    const struct request *q = &op->request;
    if (!model_listed(w, q->side, r) || r->sort != q->sort || r->name != q->name)
        return false;
    const struct link *l = model_link_of(w, q->side, r->id);
    if (l && l->state != HELD)
        return false;
    if (!model_has(w, MODEL_ADOPT_EQUAL))
        return true;
    struct record got = model_seen(w, r);
    for (int f = 0; f < VALUES; f++)
        if (!model_same(w, q->side, f, q->field[f], got.now.field[f]))
            return false;
    return r->created >= op->intended_at / CLOCK;
}

/* Never sent again: exactly one candidate is adopted, else a person decides. */
static void find_by_nature(struct world *w, struct link *l)
{
    struct side *s = &w->sides[l->op.request.side];
    const struct record *found = NULL;
    int n = 0;
    model_step(w);
    for (int i = 0; i < s->n_records; i++)
        if (is_candidate(w, &l->op, &s->records[i])) {
            found = &s->records[i];
            n++;
        }
    if (n == 1) {
        model_notes(w, MODEL_ADOPTED);
        adopt(w, l, found);
        return;
    }
    model_notes(w, MODEL_ASKED);
    l->op.state = IN_REVIEW;
    model_step(w);
}

static void send_again(struct world *w, struct link *l)
{
    model_notes(w, MODEL_SENT_AGAIN);
    l->op.state = PLANNED;
}

static void recover_create(struct world *w, struct link *l, bool is_settled)
{
    switch (w->setup->tier) {
    case MODEL_T1:
        send_again(w, l);
        break;
    case MODEL_T2:
        if (!find_created(w, l) && is_settled)
            send_again(w, l);
        break;
    case MODEL_T3:
        if (is_settled && model_has(w, MODEL_AT_MOST_ONCE))
            find_by_nature(w, l);
        else if (is_settled)
            send_again(w, l);
        break;
    }
}

/* --- updates and deletes: never sent again, but planned anew from what both sides say now --- */

/* The fields of an update that a read shows as written. */
static int landed(const struct world *w, const struct request *q, const struct record *got)
{
    int mask = 0;
    for (int f = 0; f < FIELDS; f++)
        if ((q->mask & 1 << f) && model_same(w, q->side, f, q->field[f], got->now.field[f]))
            mask |= 1 << f;
    return mask;
}

static void settle_fields(struct link *l, const struct record *got, int mask)
{
    int t = l->op.request.side;
    for (int f = 0; f < FIELDS; f++)
        if (mask & 1 << f) {
            l->base[1 - t][f] = l->op.source[f];
            l->base[t][f] = got->now.field[f];
        }
}

/* Of a record that is not there nothing is decided here: an absence has its own proof. */
static void recover_write(struct world *w, struct link *l)
{
    const struct request *q = &l->op.request;
    struct record got;
    model_step(w);
    if (q->kind == DELETE) {
        model_drop_op(l);
        return;
    }
    if (!model_get(w, q->side, l->id[q->side], &got))
        return;
    int mask = landed(w, q, &got);
    if (mask == q->mask) {
        model_finish(w, l, &got, false);
    } else {
        if (model_has(w, MODEL_PER_FIELD))
            settle_fields(l, &got, mask);
        l->seen_version[q->side] = model_max(l->seen_version[q->side], got.now.version);
        model_drop_op(l);
    }
    model_step(w);
}

void model_recover(struct world *w)
{
    for (int i = 0; i < w->state.n_links; i++) {
        struct link *l = &w->state.links[i];
        if (l->op.state != UNKNOWN)
            continue;
        bool is_settled = !model_has(w, MODEL_SETTLE) || w->now >= l->op.until;
        if (l->op.request.kind == CREATE)
            recover_create(w, l, is_settled);
        else if (is_settled)
            recover_write(w, l);
    }
}
