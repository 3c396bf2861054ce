/* SPDX-License-Identifier: MIT */
/* model_world.c - the model's two systems: normalising, late, lagging, stale and losing replies; and their users. */
#include "model_world.h"

#include <stdlib.h>
#include <string.h>

enum { USER_RECORDS = 6, VERY_LATE = 400 };
/* Of a thousand requests. */
enum { REQUEST_LOST = 40, REQUEST_LATE = 40, REPLY_LOST = 60 };

/* --- chance and time --- */

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

/* --- the two systems --- */

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
    return id >= 1 && id <= w->sides[side].n_records ? &w->sides[side].records[id - 1] : NULL;
}

static void store_fields(struct world *w, int side, struct record *r, const int *field, int mask)
{
    r->before = r->now;
    for (int f = 0; f < FIELDS; f++)
        if (mask & 1 << f)
            r->now.field[f] = model_stored(w, side, f, field[f]);
    r->now.version++;
    r->modified = w->now / CLOCK;
    r->fresh_at = w->now + delay(w, STALE);
}

static struct record *insert(struct world *w, int side, const int *field)
{
    struct side *s = &w->sides[side];
    if (s->n_records == MAX_RECORDS)
        abort();
    struct record *r = &s->records[s->n_records++];
    r->id = s->n_records;
    store_fields(w, side, r, field, ALL_FIELDS);
    r->before = r->now;
    r->indexed_at = w->now + delay(w, INDEX_LAG);
    return r;
}

static int id_of_key(const struct side *s, int key)
{
    for (int i = 0; i < s->n_keys; i++)
        if (s->keys[i].key == key)
            return s->keys[i].id;
    return 0;
}

static int create(struct world *w, const struct request *q)
{
    struct side *s = &w->sides[q->side];
    bool keyed = w->setup->idempotent && q->key;
    int id = keyed ? id_of_key(s, q->key) : 0;
    if (id)
        return id;
    struct record *r = insert(w, q->side, q->field);
    r->link_id = q->link_id;
    if (keyed && s->n_keys < MAX_KEYS) {
        s->keys[s->n_keys].key = q->key;
        s->keys[s->n_keys++].id = r->id;
    }
    return r->id;
}

/* The id written; 0: refused. */
static int deliver(struct world *w, const struct request *q)
{
    w->result.writes++;
    if (q->kind == CREATE)
        return create(w, q);
    struct record *r = model_record(w, q->side, q->id);
    if (model_has(w, MODEL_CONDITIONAL) && q->expected && r->now.version != q->expected)
        return 0;
    store_fields(w, q->side, r, q->field, q->mask);
    return r->id;
}

void model_deliver_late(struct world *w)
{
    for (int i = 0; i < w->n_late; i++)
        if (w->late[i].due <= w->now) {
            int now = w->now;
            w->now = w->late[i].due;
            deliver(w, &w->late[i]);
            w->now = now;
            w->late[i--] = w->late[--w->n_late];
        }
}

static void hold_back(struct world *w, const struct request *q)
{
    struct request *late = &w->late[w->n_late++];
    *late = *q;
    late->due = w->now + 1 + model_draw(w, model_has(w, MODEL_TRUE_LATENESS) ? LATE : VERY_LATE);
}

enum reply model_call(struct world *w, const struct request *q, struct record *out)
{
    model_deliver_late(w);
    if (model_chance(w, REQUEST_LOST))
        return UNKNOWN;
    if (model_chance(w, REQUEST_LATE) && w->n_late < MAX_LATE) {
        hold_back(w, q);
        return UNKNOWN;
    }
    int id = deliver(w, q);
    if (model_chance(w, REPLY_LOST))
        return UNKNOWN;
    if (!id)
        return REFUSED;
    *out = *model_record(w, q->side, id);
    return DONE;
}

struct record model_seen(const struct world *w, const struct record *r)
{
    struct record out = *r;
    if (w->now < r->fresh_at)
        out.now = r->before;
    return out;
}

/* --- the users --- */

static int new_value(struct world *w)
{
    return 1000 + 2 * ++w->n_edits + model_draw(w, 2);
}

static void note_edit(const struct world *w, struct record *r, int f)
{
    r->last_edit[f] = r->now.field[f];
    r->edited_at[f] = w->now;
}

static void user_creates(struct world *w, int side)
{
    int field[FIELDS], value = new_value(w);
    for (int f = 0; f < FIELDS; f++)
        field[f] = value;
    struct record *r = insert(w, side, field);
    for (int f = 0; f < FIELDS; f++)
        note_edit(w, r, f);
    w->n_created++;
}

static void user_edits(struct world *w, int side)
{
    struct record *r = &w->sides[side].records[model_draw(w, w->sides[side].n_records)];
    int f = model_draw(w, FIELDS), field[FIELDS] = {0};
    field[f] = new_value(w);
    store_fields(w, side, r, field, 1 << f);
    note_edit(w, r, f);
}

void model_user_acts(struct world *w)
{
    int side = model_draw(w, 2);
    if (model_draw(w, 4) == 0 && w->n_created < USER_RECORDS)
        user_creates(w, side);
    else if (w->sides[side].n_records)
        user_edits(w, side);
}
