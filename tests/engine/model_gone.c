/* SPDX-License-Identifier: MIT */
/* model_gone.c - when a missing record is a deleted one, when a merged one, and when a matter for a person. */
#include "model_engine.h"

#include <stddef.h>
#include <string.h>

struct suspect {
    struct link *link;
    int merged_into;
};

/* Is it missing, and also when asked for by its id? */
static bool is_absent(struct world *w, const struct link *l, int side, const struct listing *seen, int *merged_into)
{
    struct record r;
    *merged_into = 0;
    if (seen->has[l->id[side] - 1 - IDS_PER_SIDE * side])
        return false;
    if (w->setup->no_get || !model_has(w, MODEL_CONFIRM))
        return true;
    model_step(w);
    bool there = model_get(w, side, l->id[side], &r);
    *merged_into = r.merged_into;
    return !there;
}

/* What is under way decides first, unless it waits for the very record that is not there. */
static bool is_free(const struct world *w, const struct link *l, int side)
{
    const struct op *op = &l->op;
    if (model_has(w, MODEL_YOUNG) && w->now < l->quiet_until[side])
        return false;
    return !op->state ||
           (op->state == UNKNOWN && op->request.kind == UPDATE && op->request.side == side && w->now >= op->until);
}

static void note_gone(struct link *l, int side)
{
    model_drop_op(l);
    l->gone[side] = true;
}

/* The loser's link goes on with the winner. */
static void relink(struct world *w, struct link *l, int side, int id)
{
    int loser = l->id[side];
    model_notes(w, MODEL_RELINKED);
    model_drop_op(l);
    l->id[side] = id;
    l->base_version[side] = l->seen_version[side] = 0;
    model_bury(w, side, loser);
}

/* Both are linked: the loser's partner has no partner any more, and a person says what becomes of it. */
static void part(struct world *w, struct link *l)
{
    model_notes(w, MODEL_PARTED);
    model_drop_op(l);
    l->state = model_has(w, MODEL_REVIEW_LOSER) ? FOR_REVIEW : DROPPED;
}

static void follow(struct world *w, struct link *l, int side, int id)
{
    struct record winner;
    bool there = model_get(w, side, id, &winner);
    for (int hops = 0; !there && winner.merged_into && hops < MAX_RECORDS; hops++) {
        id = winner.merged_into;
        there = model_get(w, side, id, &winner);
    }
    const struct link *other = model_link_of(w, side, id);
    if (other && other->state != HELD) {
        part(w, l);
    } else if (there) {
        if (!other && !model_may_be_own(w, side, &winner))
            relink(w, l, side, id);
    } else if (!l->believe_merge_at) { /* a winner just made may not be readable yet */
        l->believe_merge_at = w->now + STALE;
    } else if (w->now >= l->believe_merge_at) {
        note_gone(l, side);
    }
}

static void believe(struct world *w, int side, const struct suspect *s, int n)
{
    for (int i = 0; i < n; i++)
        if (s[i].merged_into && model_has(w, MODEL_FOLLOW_MERGE))
            follow(w, s[i].link, side, s[i].merged_into);
        else
            note_gone(s[i].link, side);
}

/* How many deletes are due with those not carried out yet; out: the ones that are new and certain. */
static int count_due(struct world *w, int side, const struct listing *seen, struct suspect *out, int *n)
{
    int due = 0, merged_into;
    for (int i = 0; i < w->state.n_links; i++) {
        struct link *l = &w->state.links[i];
        if (l->state != ACTIVE || l->sort != RECORD)
            continue;
        bool counted = l->gone[0] || l->gone[1];
        bool asked = l->id[side] && !l->gone[side] && is_absent(w, l, side, seen, &merged_into);
        due += counted || (asked && !merged_into);
        if (asked && is_free(w, l, side))
            out[(*n)++] = (struct suspect){l, merged_into};
    }
    return due;
}

void model_find_gone(struct world *w, int side)
{
    struct listing seen;
    struct suspect suspects[MAX_LINKS];
    int n = 0;
    if (!model_does(w, MODEL_DELETES) && !model_does(w, MODEL_MERGES))
        return;
    model_step(w);
    model_list_all(w, side, &seen);
    if (!seen.complete && model_has(w, MODEL_COMPLETE))
        return;
    int due = count_due(w, side, &seen, suspects, &n);
    /* At rest a person has looked, and approved. */
    if (due > CEILING && w->faulty && model_has(w, MODEL_GUARD)) {
        model_notes(w, MODEL_WITHHELD);
        return;
    }
    believe(w, side, suspects, n);
    model_step(w);
}
