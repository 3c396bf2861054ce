/* SPDX-License-Identifier: MIT */
/* model_users.c - the model's users, who create, edit, refer, delete and merge; and the person whom the engine asks. */
#include "model_engine.h"

#include <stddef.h>
#include <string.h>

enum { USER_RECORDS = 6, USER_HIRES = 2, NAMES = 3, HIRE_NAME = 50 };

static int new_value(struct world *w)
{
    return 1000 + 2 * ++w->n_edits + model_draw(w, 2);
}

static void note_edit(const struct world *w, struct note *note, int value)
{
    *note = (struct note){.value = value, .at = w->now};
}

/* Some record that is there, but not the one given; NULL: none is. */
static struct record *pick(struct world *w, int side, bool of_any_sort, const struct record *but)
{
    struct side *s = &w->sides[side];
    if (!s->n_records)
        return NULL;
    int from = model_draw(w, s->n_records);
    for (int i = 0; i < s->n_records; i++) {
        struct record *r = &s->records[(from + i) % s->n_records];
        if (!r->gone && r != but && (of_any_sort || r->sort == RECORD))
            return r;
    }
    return NULL;
}

static struct record *insert(struct world *w, int side, enum sort sort, int name)
{
    int field[FIELDS] = {0}, value = new_value(w);
    for (int f = 0; f < VALUES; f++)
        field[f] = value;
    struct record *r = model_insert(w, side, sort, name, field);
    r->is.entity = w->n_entities++;
    w->same_as[r->is.entity] = r->is.entity;
    return r;
}

static bool creates(struct world *w, int side)
{
    if (w->n_things == USER_RECORDS)
        return false;
    w->n_things++;
    struct record *r = insert(w, side, RECORD, 1 + model_draw(w, NAMES));
    for (int f = 0; f < VALUES; f++)
        note_edit(w, &w->notes[r->is.entity][side][f], r->now.field[f]);
    return true;
}

static bool hires(struct world *w, int side)
{
    if (!model_does(w, MODEL_FANOUT) || side == 1 || w->n_hires == USER_HIRES)
        return false;
    insert(w, side, HIRE, HIRE_NAME + w->n_hires++);
    return true;
}

/* Somebody takes a child out of the template, or puts it back. */
static bool configures(struct world *w, int side)
{
    (void)side;
    if (model_does(w, MODEL_FANOUT))
        w->template = 1 + model_draw(w, MAX_CHILDREN);
    return model_does(w, MODEL_FANOUT);
}

static bool edits(struct world *w, int side)
{
    int field[FIELDS] = {0}, f = model_draw(w, VALUES);
    struct record *r = pick(w, side, true, NULL);
    if (!r)
        return false;
    bool is_child = r->sort == CHILD;
    f = is_child ? IS_DONE : f;
    field[f] = is_child ? !r->now.field[f] : new_value(w);
    model_store(w, side, r, field, 1 << f);
    if (r->sort == RECORD)
        note_edit(w, &w->notes[r->is.entity][side][f], r->now.field[f]);
    return true;
}

static bool refers(struct world *w, int side)
{
    struct record *r = model_does(w, MODEL_REFERENCES) ? pick(w, side, false, NULL) : NULL;
    const struct record *to = r && model_draw(w, 5) ? pick(w, side, false, r) : NULL;
    if (!r)
        return false;
    model_store(w, side, r, (int[FIELDS]){[REFERENCE] = to ? to->id : 0}, 1 << REFERENCE);
    return true;
}

static void give_up_notes(struct note *notes)
{
    for (int f = 0; f < VALUES; f++)
        notes[f].given_up = true;
}

const struct record *model_user_deletes(struct world *w, int side)
{
    struct record *r = pick(w, side, false, NULL);
    if (!r)
        return NULL;
    r->by_user = true;
    give_up_notes(w->notes[r->is.entity][side]);
    model_remove(w, side, r, 0);
    return r;
}

static bool deletes(struct world *w, int side)
{
    return model_does(w, MODEL_DELETES) && model_user_deletes(w, side) != NULL;
}

/* The winner keeps its own values: its user chose them now. */
static bool merges(struct world *w, int side)
{
    struct record *loser = model_does(w, MODEL_MERGES) ? pick(w, side, false, NULL) : NULL;
    struct record *winner = loser ? pick(w, side, false, loser) : NULL;
    if (!winner)
        return false;
    struct note *notes = w->notes[winner->is.entity][side];
    give_up_notes(notes);
    give_up_notes(w->notes[loser->is.entity][side]);
    for (int f = 0; f < VALUES; f++)
        notes[f].at = w->now;
    w->same_as[model_thing(w, loser->is.entity)] = model_thing(w, winner->is.entity);
    model_remove(w, side, loser, winner->id);
    return true;
}

void model_user_acts(struct world *w)
{
    static bool (*const acts[16])(struct world *, int) = {creates, creates, creates, creates, deletes,
                                                          merges,  refers,  refers,  hires,   configures};
    int side = model_draw(w, 2);
    bool (*act)(struct world *, int) = acts[model_draw(w, 16)];
    if (!act || !act(w, side))
        edits(w, side);
}

/* --- the person --- */

static const struct record *made_by(struct world *w, const struct request *q)
{
    const struct side *s = &w->sides[q->side];
    struct identity is = model_identity(w, q);
    for (int i = 0; i < s->n_records; i++)
        if (memcmp(&s->records[i].is, &is, sizeof is) == 0)
            return &s->records[i];
    return NULL;
}

/* Looks whether an uncertain create happened: links what it made, or lets it be sent again. */
void model_person_decides(struct world *w)
{
    for (int i = 0; i < w->state.n_links; i++) {
        struct link *l = &w->state.links[i];
        if (l->op.state != IN_REVIEW)
            continue;
        const struct record *made = made_by(w, &l->op.request);
        if (made)
            model_finish(w, l, made, false);
        else
            l->op.state = PLANNED;
    }
}
