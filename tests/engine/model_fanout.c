/* SPDX-License-Identifier: MIT */
/* model_fanout.c - one hire of side a has a child for each key on side b, and a figure that says how many are done. */
#include "model_engine.h"

#include <string.h>

enum { CHILD_NAME = 100 };

/* Another template than the last run's: all that has children is planned anew. */
void model_take_template(struct world *w)
{
    struct state *st = &w->state;
    if (st->template == w->template)
        return;
    st->template = w->template;
    for (int i = 0; i < st->n_links; i++)
        st->links[i].dirty |= st->links[i].sort == HIRE;
    model_step(w);
}

static struct link *child_of(struct world *w, int hire, int key)
{
    for (int i = 0; i < w->state.n_links; i++) {
        struct link *l = &w->state.links[i];
        if (l->sort == CHILD && l->state != DROPPED && l->parent == hire && l->child == key)
            return model_has(w, MODEL_KEYED_CHILDREN) ? l : NULL;
    }
    return NULL;
}

static void intend_child(struct world *w, const struct link *hire, int key)
{
    int number = (int)(hire - w->state.links), none[FIELDS] = {0};
    struct link *l = model_new_link(w, ACTIVE);
    l->sort = CHILD;
    l->parent = number;
    l->child = key;
    struct request q = {.kind = CREATE,
                        .sort = CHILD,
                        .side = 1,
                        .link_id = l->link_id,
                        .name = CHILD_NAME + MAX_CHILDREN * number + key,
                        .mask = ALL_VALUES,
                        .source = hire->id[0],
                        .child = key};
    model_intend(w, l, &q, none);
    model_step(w);
}

/* It stays what it is, whoever works on it: a person says what becomes of it, or the template has it again. */
static void move_child(struct world *w, struct link *l, bool in)
{
    if (l->op.state || (l->state == ACTIVE) == in)
        return;
    l->state = in ? ACTIVE : model_has(w, MODEL_KEEP_CHILD) ? FOR_REVIEW : DROPPED;
    l->dirty = in;
    model_notes(w, in ? MODEL_CAME_BACK : MODEL_LEFT_TEMPLATE);
    model_step(w);
}

static bool plan_children(struct world *w, const struct link *hire)
{
    bool settled = true;
    for (int key = 1; key <= MAX_CHILDREN; key++) {
        struct link *l = child_of(w, (int)(hire - w->state.links), key);
        bool in = key <= w->state.template;
        if (l)
            move_child(w, l, in);
        else if (in)
            intend_child(w, hire, key);
        settled &= !l || (l->state == ACTIVE) == in || l->state == DROPPED;
    }
    return settled;
}

static int fold(const struct world *w, const struct link *hire)
{
    int n = 0;
    for (int i = 0; i < w->state.n_links; i++) {
        const struct link *l = &w->state.links[i];
        if (l->sort == CHILD && l->state == ACTIVE && l->parent == hire - w->state.links)
            n += l->base[1][IS_DONE];
    }
    return model_has(w, MODEL_FOLD) ? n : hire->heard;
}

static void intend_progress(struct world *w, struct link *l, const struct record *r, int progress)
{
    struct request q = {.kind = UPDATE, .side = 0, .id = r->id, .mask = 1 << PROGRESS, .expected = r->now.version};
    q.field[PROGRESS] = progress;
    model_intend(w, l, &q, q.field);
    model_step(w);
}

void model_plan_hire(struct world *w, struct link *l)
{
    struct record r;
    bool settled = plan_children(w, l);
    if (!model_read(w, l, 0, &r))
        return;
    int progress = fold(w, l);
    if (r.now.field[PROGRESS] != progress) {
        intend_progress(w, l, &r, progress);
        return;
    }
    l->dirty = !settled;
    model_step(w);
}

/* What a child is now counts into its hire's figure. */
void model_plan_child(struct world *w, struct link *l)
{
    struct record r;
    struct link *hire = &w->state.links[l->parent];
    if (!l->id[1] || !model_read(w, l, 1, &r))
        return;
    hire->heard += r.now.field[IS_DONE];
    memcpy(l->base[1], r.now.field, sizeof l->base[1]);
    l->base_version[1] = l->seen_version[1] = model_max(l->seen_version[1], r.now.version);
    l->dirty = false;
    hire->dirty = true;
    model_step(w);
}
