/* SPDX-License-Identifier: MIT */
/* model_checks.c - the judge, who knows which thing each record is: at every write, and when all has come to rest. */
#include "model_engine.h"

#include <stddef.h>
#include <string.h>

void model_breaks(struct world *w, int invariant)
{
    w->result.broken |= UINT64_C(1) << invariant;
}

int model_thing(const struct world *w, int entity)
{
    while (w->same_as[entity] != entity)
        entity = w->same_as[entity];
    return entity;
}

/* --- at a write --- */

/* What a create makes is the thing that it replaces, or that it is a copy of. */
struct identity model_identity(struct world *w, const struct request *q)
{
    int side = q->replaces ? q->side : 1 - q->side;
    const struct record *r = model_record(w, side, q->replaces ? q->replaces : q->source);
    return (struct identity){r->is.entity, q->generation, q->child};
}

/* Did a user delete it, or what it was merged into? */
static bool is_deleted(struct world *w, int side, const struct record *r)
{
    while (r->merged_into)
        r = model_record(w, side, r->merged_into);
    return r->gone && r->by_user;
}

/* T2 cannot find again what a user took away before the engine knew of it: then there may be one more, but not two. */
static bool is_double(const struct world *w, const struct record *r, const struct identity *is)
{
    return memcmp(&r->is, is, sizeof *is) == 0 && !(r->gone && w->setup->tier == MODEL_T2);
}

void model_check_create(struct world *w, const struct request *q, const struct identity *is)
{
    const struct side *s = &w->sides[q->side];
    for (int i = 0; i < s->n_records; i++) {
        const struct record *r = &s->records[i];
        if (is_double(w, r, is))
            model_breaks(w, is->child ? 37 : 19);
    }
    /* A merge is no delete: its loser lives on in the winner. */
    if (q->replaces && !is_deleted(w, q->side, model_record(w, q->side, q->replaces)))
        model_breaks(w, 30);
}

/* Is this what a user put there, newer than all that the deleted one held? */
static bool is_unseen_edit(const struct world *w, int side, const struct record *r, const struct record *deleted, int f)
{
    const struct note *mine = &w->notes[r->is.entity][side][f], *its = &w->notes[deleted->is.entity][1 - side][f];
    int value = r->now.field[f];
    bool is_theirs = mine->at && !mine->given_up && mine->value == value && mine->at > its->at;
    return is_theirs && model_stored(w, 1, f, value) != model_stored(w, 1, f, deleted->now.field[f]);
}

void model_check_write(struct world *w, const struct request *q, const struct record *r)
{
    if (r->now.version != q->expected)
        model_breaks(w, 24);
}

/* An echo: what the engine itself put there goes back to where it came from. Once it may, if nobody says that values are
   normalised and the answer to the write was lost. */
void model_check_plan(struct world *w, const struct record *source, int mask)
{
    int ours = source->now.ours & mask & ALL_TWO_WAY;
    /* A record created again gets its reference back from where the first one had sent it; but it takes none away. */
    if (source->now.field[REFERENCE])
        ours &= ALL_VALUES;
    if (ours && !w->setup->undeclared)
        model_breaks(w, 13);
}

void model_check_delete(struct world *w, const struct request *q, const struct record *r)
{
    const struct record *deleted = model_record(w, 1 - q->side, q->source);
    if (!is_deleted(w, 1 - q->side, deleted))
        model_breaks(w, 26);
    for (int f = 0; f < VALUES; f++)
        if (is_unseen_edit(w, q->side, r, deleted, f))
            model_breaks(w, 27);
}

/* --- at rest --- */

/* Lost: both hold what is not the newest edit, and no conflict was noted since that was made. Whoever deleted or merged a
   record gave up its edits, and it is not asked which of them the other side had got. */
static bool is_lost(const struct world *w, const struct link *l, const struct record *const r[2], int f)
{
    const struct note *note[2] = {&w->notes[r[0]->is.entity][0][f], &w->notes[r[1]->is.entity][1][f]};
    int value = r[1]->now.field[f];
    bool may_hold[2];
    for (int s = 0; s < 2; s++)
        may_hold[s] = note[s]->given_up || (note[s]->at && model_stored(w, 1, f, note[s]->value) == value);
    int newest = note[1]->at > note[0]->at;
    if (may_hold[newest] || (note[0]->at == note[1]->at && may_hold[1 - newest]))
        return false;
    return !may_hold[1 - newest] || l->conflict_at[f] < note[newest]->at;
}

/* Both as the engine last saw them: it has seen all, and yet they differ. */
static bool is_seen(const struct link *l, const struct record *const r[2], int f)
{
    return r[0]->now.field[f] == l->base[0][f] && r[1]->now.field[f] == l->base[1][f];
}

static const struct link *referred(struct world *w, int side, const struct record *r)
{
    int id = r->now.field[REFERENCE];
    return id ? model_link_of(w, side, id) : NULL;
}

/* Both refer to the two ends of one link; what waits for a person is waited for. */
static bool refer_alike(struct world *w, const struct record *const r[2])
{
    const struct link *to[2] = {referred(w, 0, r[0]), referred(w, 1, r[1])};
    for (int s = 0; s < 2; s++)
        if (to[s] && to[s]->state == FOR_REVIEW)
            return true;
    return to[0] == to[1] && !to[0] == !r[0]->now.field[REFERENCE] && !to[1] == !r[1]->now.field[REFERENCE];
}

static void check_values(struct world *w, const struct link *l, const struct record *const r[2])
{
    for (int f = 0; f < VALUES; f++)
        if (model_stored(w, 1, f, r[0]->now.field[f]) != r[1]->now.field[f])
            model_breaks(w, is_seen(l, r, f) ? 12 : 22);
        else if (is_lost(w, l, r, f))
            model_breaks(w, 5);
}

static void check_link(struct world *w, const struct link *l)
{
    const struct record *const r[2] = {model_record(w, 0, l->id[0]), model_record(w, 1, l->id[1])};
    if (!r[0] || !r[1] || r[0]->gone || r[1]->gone) {
        model_breaks(w, 12);
        return;
    }
    if (model_thing(w, r[0]->is.entity) != model_thing(w, r[1]->is.entity)) {
        model_breaks(w, 30);
        return;
    }
    check_values(w, l, r);
    if (!refer_alike(w, r))
        model_breaks(w, 31);
}

/* Every record is in one link, and that still holds. */
static void check_record(struct world *w, int side, const struct record *r)
{
    int n = 0;
    for (int i = 0; i < w->state.n_links; i++) {
        const struct link *l = &w->state.links[i];
        n += l->id[side] == r->id && (l->state == ACTIVE || l->state == FOR_REVIEW);
    }
    if (n == 0)
        model_breaks(w, r->by_engine ? 30 : 22);
    else if (n > 1)
        model_breaks(w, 30);
}

/* A child that the template has no more is there as it was, and a person is told of it. */
static void check_left(struct world *w, const struct record *child)
{
    const struct link *l = model_link_of(w, 1, child->id);
    if (child->gone || !l || l->state != FOR_REVIEW)
        model_breaks(w, 40);
}

static void check_hire(struct world *w, const struct record *hire)
{
    const struct side *b = &w->sides[1];
    int n[MAX_CHILDREN + 1] = {0}, done = 0;
    for (int i = 0; i < b->n_records; i++) {
        const struct record *r = &b->records[i];
        if (r->sort != CHILD || r->is.entity != hire->is.entity)
            continue;
        n[r->is.child]++;
        if (r->is.child > w->template)
            check_left(w, r);
        else
            done += r->now.field[IS_DONE];
    }
    for (int key = 1; key <= MAX_CHILDREN; key++)
        if (n[key] != 1 && (key <= w->template || n[key] > 1))
            model_breaks(w, 37);
    if (hire->now.field[PROGRESS] != done)
        model_breaks(w, 38);
}

/* Only a merge parts a link. */
static void check_review(struct world *w, const struct link *l)
{
    bool merged = false;
    for (int s = 0; s < 2; s++)
        merged = merged || (l->id[s] && model_record(w, s, l->id[s])->merged_into);
    if (!merged)
        model_breaks(w, 30);
}

void model_check_rest(struct world *w)
{
    for (int i = 0; i < w->state.n_links; i++) {
        const struct link *l = &w->state.links[i];
        if (l->state == FOR_REVIEW && l->sort == RECORD)
            check_review(w, l);
        else if (l->state == ACTIVE && l->sort == RECORD)
            check_link(w, l);
    }
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < w->sides[s].n_records; i++) {
            const struct record *r = &w->sides[s].records[i];
            if (r->sort == HIRE)
                check_hire(w, r);
            else if (r->sort == RECORD && !r->gone)
                check_record(w, s, r);
        }
}
