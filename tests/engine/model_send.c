/* SPDX-License-Identifier: MIT */
/* model_send.c - sends what is planned, in batches, and believes of the answer what fits the request. */
#include "model_engine.h"

#include <stddef.h>
#include <string.h>

/* The engine believes what is declared, whether it is so or not. */
static int settled_at(const struct world *w)
{
    return w->now + LATE + INDEX_LAG + STALE + MARGIN;
}

/* What was under way when the engine died may have left or not. */
void model_open_after_crash(struct world *w)
{
    for (int i = 0; i < w->state.n_links; i++) {
        struct op *op = &w->state.links[i].op;
        if (op->state != PLANNED && op->state != UNKNOWN)
            continue;
        op->state = UNKNOWN;
        op->until = model_max(op->until, settled_at(w));
    }
}

/* --- one item --- */

static void take_applied(struct world *w, struct link *l, const struct record *got)
{
    const struct request *q = &l->op.request;
    if (q->kind == DELETE) {
        l->op.state = NO_OP;
        l->state = model_has(w, MODEL_TOMB) ? TOMB : DROPPED;
        return;
    }
    /* A create sent twice may answer with what others made of the record since. */
    bool is_reply = q->kind == UPDATE || w->setup->tier != MODEL_T1 || got->now.version == 1;
    model_finish(w, l, got, is_reply);
}

static void take(struct world *w, struct link *l, const struct item *item)
{
    if (item->reply == APPLIED)
        take_applied(w, l, &item->record);
    else if (l->op.request.kind != CREATE)
        model_drop_op(l);
}

static void leave_unknown(struct link *l, int until)
{
    l->op.state = UNKNOWN;
    l->op.until = until;
}

/* --- a batch --- */

struct batch {
    struct link *link[MAX_BATCH];
    struct request request[MAX_BATCH];
    int n, until;
};

static bool fits(const struct world *w, const struct request *q, const struct item *item)
{
    if (item->reply != APPLIED)
        return true;
    const struct record *r = &item->record;
    if (q->kind != CREATE)
        return r->id == q->id;
    if (w->setup->tier == MODEL_T1)
        return r->key == q->key;
    if (w->setup->tier == MODEL_T2)
        return r->link_id == q->link_id;
    bool same = r->name == q->name;
    for (int f = 0; f < VALUES; f++)
        same = same && model_same(w, q->side, f, q->field[f], r->now.field[f]);
    return same;
}

static bool all_fit(const struct world *w, const struct batch *b, const struct answer *a)
{
    bool fit = a->n == b->n;
    for (int i = 0; i < a->n && fit; i++)
        fit = fits(w, &b->request[i], &a->item[i]);
    return fit;
}

/* Of a batch in which one failed, nothing is believed to have happened. */
static bool take_as_failed(struct world *w, const struct batch *b, const struct answer *a)
{
    bool failed = false;
    for (int i = 0; i < a->n; i++)
        failed = failed || a->item[i].reply != APPLIED;
    for (int i = 0; i < b->n && failed; i++) {
        struct op *op = &b->link[i]->op;
        if (op->request.kind != CREATE)
            model_drop_op(b->link[i]);
        else
            op->request.key = ++w->state.last_key;
    }
    return failed;
}

static void take_answer(struct world *w, const struct batch *b, const struct answer *a)
{
    bool fit = a->n && (!model_has(w, MODEL_REPLY_FITS) || all_fit(w, b, a));
    if (a->n && !fit)
        model_notes(w, MODEL_MISFIT);
    if (fit && !model_has(w, MODEL_PER_ITEM) && take_as_failed(w, b, a))
        return;
    for (int i = 0; i < b->n; i++)
        if (fit && i < a->n)
            take(w, b->link[i], &a->item[i]);
        else
            leave_unknown(b->link[i], b->until);
}

static void send_batch(struct world *w, struct batch *b)
{
    struct answer answer;
    if (!b->n)
        return;
    model_step(w);
    b->until = settled_at(w);
    model_call(w, b->request, b->n, &answer);
    model_step(w);
    take_answer(w, b, &answer);
    model_step(w);
    b->n = 0;
}

static void send_side(struct world *w, int side, int first, int end)
{
    int most = model_does(w, MODEL_BATCHES) ? MAX_BATCH : 1;
    struct batch b;
    b.n = 0;
    for (int i = first; i < end; i++) {
        struct link *l = &w->state.links[i];
        if (l->op.state != PLANNED || l->op.request.side != side)
            continue;
        b.link[b.n] = l;
        b.request[b.n++] = l->op.request;
        if (b.n == most)
            send_batch(w, &b);
    }
    send_batch(w, &b);
}

void model_send(struct world *w, int first, int end)
{
    send_side(w, 0, first, end);
    send_side(w, 1, first, end);
}

/* --- without a journal: asked up to three times, and noted when it answered --- */

static bool ask(struct world *w, const struct request *q, struct record *got)
{
    struct answer answer;
    model_step(w);
    model_call(w, q, 1, &answer);
    *got = answer.item[0].record;
    return answer.n && answer.item[0].reply == APPLIED;
}

void model_create_at_once(struct world *w, int side, const struct record *r)
{
    struct request q = {.kind = CREATE,
                        .sort = RECORD,
                        .side = 1 - side,
                        .link_id = -r->id,
                        .name = r->name,
                        .mask = ALL_VALUES,
                        .source = r->id};
    struct record got;
    bool created = false;
    memcpy(q.field, r->now.field, VALUES * sizeof *q.field);
    for (int i = 0; i < 3 && !created; i++)
        created = ask(w, &q, &got);
    model_step(w);
    if (!created)
        return;
    struct link *l = model_new_link(w, ACTIVE);
    l->id[side] = r->id;
    l->id[1 - side] = got.id;
    memcpy(l->base[side], r->now.field, sizeof l->base[side]);
    memcpy(l->base[1 - side], got.now.field, sizeof l->base[side]);
    model_step(w);
}

void model_update_at_once(struct world *w, struct link *l, const struct request *q)
{
    struct record got;
    if (!ask(w, q, &got))
        return;
    for (int f = 0; f < FIELDS; f++)
        if (q->mask & 1 << f) {
            l->base[1 - q->side][f] = q->field[f];
            l->base[q->side][f] = got.now.field[f];
        }
    model_step(w);
}
