/* SPDX-License-Identifier: MIT */
/* model_world.c - the model's two systems: normalising, late, lagging, stale, and losing or jumbling replies. */
#include "model_world.h"

#include <stdlib.h>

enum { VERY_LATE = 400 };
/* Of a thousand requests, or items of one. */
enum { REQUEST_LOST = 40, REQUEST_LATE = 40, REPLY_LOST = 60, CUT_SHORT = 40, JUMBLED = 60, ITEM_FAILS = 60 };
enum { LISTING_CUT = 60, HIDDEN = 30 };

/* --- chance and rules --- */

int model_draw(struct world *w, int below)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (int)((w->random >> 11) % (uint64_t)below);
}

bool model_chance(struct world *w, int of_thousand)
{
    return w->faulty && model_draw(w, 1000) < of_thousand;
}

static int delay(struct world *w, int below)
{
    return w->faulty ? model_draw(w, below) : 0;
}

bool model_has(const struct world *w, enum model_rule rule)
{
    return !(w->setup->without & rule);
}

bool model_does(const struct world *w, enum model_part part)
{
    return w->setup->parts & part;
}

int model_max(int a, int b)
{
    return a > b ? a : b;
}

_Noreturn void model_full(struct world *w)
{
    if (!w->result.broken)
        abort();
    longjmp(w->end, 1);
}

/* --- records --- */

int model_stored(const struct world *w, int side, int field, int value)
{
    if (field != NORMALISED)
        return value;
    if (side == 1)
        return value & ~1;
    return w->setup->both_normalise ? value | 1 : value;
}

struct record *model_record(struct world *w, int side, int id)
{
    int i = id - 1 - IDS_PER_SIDE * side;
    return i >= 0 && i < w->sides[side].n_records ? &w->sides[side].records[i] : NULL;
}

static void touch(struct world *w, struct record *r, int written)
{
    r->before = r->now;
    r->now.version++;
    r->now.ours &= ~written;
    r->modified = w->now / CLOCK;
    r->fresh_at = w->now + delay(w, STALE);
}

void model_store(struct world *w, int side, struct record *r, const int *field, int mask)
{
    touch(w, r, mask);
    for (int f = 0; f < FIELDS; f++)
        if (mask & 1 << f)
            r->now.field[f] = model_stored(w, side, f, field[f]);
}

struct record *model_insert(struct world *w, int side, enum sort sort, int name, const int *field)
{
    struct side *s = &w->sides[side];
    if (s->n_records == MAX_RECORDS)
        model_full(w);
    struct record *r = &s->records[s->n_records++];
    r->id = IDS_PER_SIDE * side + s->n_records;
    r->sort = sort;
    r->name = name;
    model_store(w, side, r, field, ALL_VALUES);
    r->before = r->now;
    r->created = r->modified;
    r->indexed_at = w->now + (w->setup->no_get ? 0 : delay(w, INDEX_LAG));
    return r;
}

/* The server keeps its references whole: those to a record that goes are cleared, or follow a merge. */
void model_remove(struct world *w, int side, struct record *r, int merged_into)
{
    struct side *s = &w->sides[side];
    int field[FIELDS] = {[REFERENCE] = merged_into};
    touch(w, r, 0);
    r->gone = true;
    r->merged_into = merged_into;
    for (int i = 0; i < s->n_records; i++)
        if (!s->records[i].gone && s->records[i].now.field[REFERENCE] == r->id)
            model_store(w, side, &s->records[i], field, 1 << REFERENCE);
}

/* --- writes --- */

static struct record *by_key(struct world *w, const struct request *q)
{
    struct side *s = &w->sides[q->side];
    for (int i = 0; i < s->n_records && q->key && w->setup->tier == MODEL_T1; i++)
        if (s->records[i].key == q->key)
            return &s->records[i];
    return NULL;
}

static struct record *create(struct world *w, const struct request *q)
{
    struct record *r = by_key(w, q);
    if (r)
        return r;
    struct identity is = model_identity(w, q);
    model_check_create(w, q, &is);
    r = model_insert(w, q->side, q->sort, q->name, q->field);
    r->by_engine = true;
    r->before.ours = r->now.ours = ALL_TWO_WAY;
    r->is = is;
    r->key = q->key;
    r->link_id = w->setup->tier == MODEL_T3 ? 0 : q->link_id;
    return r;
}

static bool accepts(struct world *w, const struct request *q, const struct record *r)
{
    if (r->gone || (model_has(w, MODEL_CONDITIONAL) && r->now.version != q->expected))
        return false;
    int target = q->kind == UPDATE && (q->mask & 1 << REFERENCE) ? q->field[REFERENCE] : 0;
    if (!target)
        return true;
    const struct record *to = model_record(w, q->side, target);
    if (!to)
        model_breaks(w, 31);
    return to && !to->gone;
}

/* The record written; NULL: refused. */
static struct record *deliver(struct world *w, const struct request *q)
{
    w->result.writes++;
    if (q->kind == CREATE)
        return create(w, q);
    struct record *r = model_record(w, q->side, q->id);
    if (!accepts(w, q, r))
        return NULL;
    model_check_write(w, q, r);
    if (q->kind == UPDATE) {
        model_store(w, q->side, r, q->field, q->mask);
        r->now.ours |= q->mask;
    } else {
        model_check_delete(w, q, r);
        model_remove(w, q->side, r, 0);
    }
    return r;
}

void model_deliver_late(struct world *w)
{
    for (int i = 0; i < w->n_late; i++)
        if (w->late[i].due <= w->now) {
            struct request q = w->late[i];
            int now = w->now;
            w->late[i--] = w->late[--w->n_late];
            w->now = q.due;
            deliver(w, &q);
            w->now = now;
        }
}

static void hold_back(struct world *w, const struct request *q, int n)
{
    int due = w->now + 1 + model_draw(w, model_has(w, MODEL_TRUE_LATENESS) ? LATE : VERY_LATE);
    for (int i = 0; i < n; i++) {
        struct request *late = &w->late[w->n_late++];
        *late = q[i];
        late->due = due;
    }
}

static void attempt(struct world *w, const struct request *q, struct answer *out)
{
    struct item *item = &out->item[out->n++];
    *item = (struct item){.reply = NOT_NOW};
    if (w->sides[q->side].hidden || (model_does(w, MODEL_BATCHES) && model_chance(w, ITEM_FAILS)))
        return;
    const struct record *r = deliver(w, q);
    item->reply = r ? APPLIED : REFUSED;
    if (r)
        item->record = *r;
}

/* The first reply comes last, or not at all. */
static void jumble(struct world *w, struct answer *a)
{
    struct item first = a->item[0];
    int last = a->n - 1;
    for (int i = 0; i < last; i++)
        a->item[i] = a->item[i + 1];
    a->item[last] = first;
    if (model_draw(w, 2))
        a->n = last;
}

void model_call(struct world *w, const struct request *q, int n, struct answer *out)
{
    model_deliver_late(w);
    out->n = 0;
    if (model_chance(w, REQUEST_LOST))
        return;
    if (model_chance(w, REQUEST_LATE) && w->n_late + n <= MAX_LATE) {
        hold_back(w, q, n);
        return;
    }
    int reached = n > 1 && model_chance(w, CUT_SHORT) ? model_draw(w, n) : n;
    for (int i = 0; i < reached; i++)
        attempt(w, &q[i], out);
    if (reached < n || model_chance(w, REPLY_LOST))
        out->n = 0;
    else if (n > 1 && model_chance(w, JUMBLED))
        jumble(w, out);
}

/* --- reads --- */

/* With versions to tell the older from the newer, some answers are stale and some are not. */
static bool is_stale(struct world *w, const struct record *r)
{
    return w->now < r->fresh_at && (w->setup->no_versions || model_draw(w, 2));
}

struct record model_seen(struct world *w, const struct record *r)
{
    struct record out = *r;
    if (is_stale(w, r)) {
        out.now = r->before;
        out.gone = false;
        out.merged_into = 0;
    }
    return out;
}

bool model_get(struct world *w, int side, int id, struct record *out)
{
    const struct side *s = &w->sides[side];
    const struct record *r = &s->records[id - 1 - IDS_PER_SIDE * side];
    bool young = w->now < r->fresh_at && r->by_engine && r->now.version == 1;
    *out = model_seen(w, r);
    if (s->hidden || young) {
        out->gone = true;
        out->merged_into = 0;
    }
    return !out->gone;
}

bool model_listed(struct world *w, int side, const struct record *r)
{
    bool there = !r->gone || is_stale(w, r);
    return there && w->now >= r->indexed_at && !w->sides[side].hidden;
}

/* --- a listing of all --- */

static int linked(struct world *w, int side)
{
    int n = 0;
    for (int i = 0; i < w->state.n_links; i++) {
        const struct link *l = &w->state.links[i];
        n += l->state == ACTIVE && l->sort == RECORD && l->id[side] && !model_record(w, side, l->id[side])->gone;
    }
    return n;
}

/* Permissions are withdrawn until the run ends. Of few records no engine can tell that from deletes. */
static void may_hide(struct world *w, int side)
{
    if (model_chance(w, HIDDEN) && linked(w, side) > CEILING)
        w->sides[side].hidden = true;
}

/* A listing that is cut short may yet say that it is complete, unless there is nothing else to go by. */
void model_list_all(struct world *w, int side, struct listing *out)
{
    const struct side *s = &w->sides[side];
    may_hide(w, side);
    bool cut = model_chance(w, LISTING_CUT);
    int n = cut && s->n_records ? model_draw(w, s->n_records) : s->n_records;
    for (int i = 0; i < s->n_records; i++)
        out->has[i] = i < n && model_listed(w, side, &s->records[i]);
    out->complete = !cut || (!w->setup->no_get && model_draw(w, 2));
}
