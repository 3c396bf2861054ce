/* SPDX-License-Identifier: MIT */
/* notes.c - what the fields of one link did lately: one that flips for ever, or that a system will not store, is parked. */
#include "sync/notes.h"

#include <string.h>

enum { DAY_MS = 86400000, RETURNS_MAX = 4, IGNORED_MAX = 2 };

bool note_flips(const struct note *n, uint64_t value, int64_t now_ms)
{
    if (n->returns < RETURNS_MAX || now_ms - n->since_ms > DAY_MS)
        return false;
    for (size_t i = 0; i < NOTE_VALUES; i++)
        if (n->values[i] == value)
            return true;
    return false;
}

void note_value(struct note *n, uint64_t value, int64_t now_ms)
{
    bool again = false;
    if (now_ms - n->since_ms > DAY_MS) {
        n->returns = 0;
        n->since_ms = now_ms;
        memset(n->values, 0, sizeof n->values);
    }
    for (size_t i = 0; i < NOTE_VALUES; i++)
        again |= n->values[i] == value;
    if (again && n->returns < RETURNS_MAX)
        n->returns++;
    memmove(n->values + 1, n->values, (NOTE_VALUES - 1) * sizeof *n->values);
    n->values[0] = value;
}

/* Alike but for case and blanks at the ends, or one the beginning of the other: the system stored it its own way. */
static bool akin(const struct sl_value *x, const struct sl_value *y)
{
    if (!x->text || !y->text)
        return value_equal(x, y);
    const char *p = x->text, *q = y->text, *p_end = p + x->text_size, *q_end = q + y->text_size;
    while (p < p_end && *p == ' ')
        p++;
    while (q < q_end && *q == ' ')
        q++;
    while (p < p_end && q < q_end && (*p | 0x20) == (*q | 0x20)) {
        p++;
        q++;
    }
    return p == p_end || q == q_end;
}

bool note_ignored(const struct sl_value *before, const struct sl_value *after, const struct sl_value *stored)
{
    bool nothing = value_empty(after), held = stored && stored->type > SL_NULL;
    if (!held)
        return !nothing; /* an answer shows the whole record */
    return value_same(stored, before) && !value_equal(stored, after) && (nothing || !akin(after, stored));
}

/* --- of a link --- */

/* Which field, whichever side is written. */
static uint32_t field_hash(const struct field_change *c, int t)
{
    struct buf b = {0};
    put_text(&b, t ? c->source : c->name);
    put_text(&b, t ? c->name : c->source);
    uint64_t hash = hash64(b.data, b.size);
    buf_fini(&b);
    return (uint32_t)hash;
}

/* Which value, as side b holds it. */
static uint64_t value_hash(const struct field_change *c, int t)
{
    struct buf b = {0};
    value_put_json(&b, t ? &c->after : &c->origin);
    uint64_t hash = hash64(b.data, b.size);
    buf_fini(&b);
    return hash ? hash : 1;
}

static struct note *note_of(struct notes *notes, uint32_t field)
{
    for (size_t i = 0; i < notes->n; i++)
        if (notes->list[i].field == field)
            return &notes->list[i];
    return NULL;
}

static struct note *note_for(struct notes *notes, uint32_t field, struct arena *a)
{
    struct note *found = note_of(notes, field);
    if (found)
        return found;
    struct note *grown = arena_alloc(a, (notes->n + 1) * sizeof *grown);
    if (notes->n)
        memcpy(grown, notes->list, notes->n * sizeof *grown);
    grown[notes->n] = (struct note){.field = field};
    notes->list = grown;
    return &grown[notes->n++];
}

static uint64_t config_of(const struct engine *g)
{
    return g->env->conf ? conf_pair_digest(g->env->conf, g->pair) : 0;
}

/* What was learned under another config is forgotten. */
static struct notes load(struct engine *g, uint64_t link)
{
    struct notes notes = {0};
    struct store_snap *snap = NULL;
    struct row_key k = key_notes(link);
    struct slice row;
    if (engine_fail(g, store_snap(g->store, &snap, g->e)))
        return notes;
    if (store_get(snap, DB_BASES, key_slice(&k), &row) == STORE_OK)
        notes_decode(row, &g->chunk, &notes, g->e);
    store_snap_end(snap);
    if (notes.config != config_of(g))
        notes = (struct notes){0};
    return notes;
}

static bool unwritable(const struct note *n, int t)
{
    return n->ignored[t] >= IGNORED_MAX;
}

static const char *why_not(struct engine *g, const struct note *n, const struct field_change *c, int t)
{
    if (!n)
        return NULL;
    if (unwritable(n, t))
        return arena_printf(
            &g->chunk,
            "side %s takes writes to '%s' and does not store them; check its permissions, then `syncline "
            "parked retry`",
            t ? "b" : "a", c->name);
    return note_flips(n, value_hash(c, t), g->now_ms)
               ? "went back to an earlier value again and again within a day: two systems are at odds over it; settle "
                 "that, then `syncline parked retry`"
               : NULL;
}

static const struct rule *rule_of(const struct unit *u, const struct field_change *c, int t)
{
    for (size_t i = 0; i < u->n_rules; i++)
        if (text_equal(u->rules[i].field[t], c->name) &&
            (!u->rules[i].field[1 - t] || text_equal(u->rules[i].field[1 - t], c->source)))
            return &u->rules[i];
    return NULL;
}

/* Takes one change out of the plan; what stood there waits. */
static void park_change(struct engine *g, struct unit *u, int t, size_t i, const char *reason)
{
    struct plan_write *w = &u->plan.write[t];
    const struct field_change *c = &w->changes[i];
    struct plan_wait *waits = arena_alloc(&g->chunk, (u->plan.n_waits + 1) * sizeof *waits);
    const struct sl_record *base = u->base[t];
    const struct sl_value *agreed = base ? record_field(base, c->name) : NULL;
    const struct sl_value *origin = u->base[1 - t] && c->source ? record_field(u->base[1 - t], c->source) : NULL;
    if (u->plan.n_waits)
        memcpy(waits, u->plan.waits, u->plan.n_waits * sizeof *waits);
    struct plan_wait *new = &waits[u->plan.n_waits++];
    *new = (struct plan_wait){.kind = WAIT_PARKED, .rule = rule_of(u, c, t), .reason = reason};
    new->value[t] = c->before;
    new->value[1 - t] = c->origin;
    new->base[t] = agreed ? *agreed : value_absent(NULL);
    new->base[1 - t] = origin ? *origin : value_absent(NULL);
    u->plan.waits = waits;
    memmove(&w->changes[i], &w->changes[i + 1], (--w->n_changes - i) * sizeof *w->changes);
}

/* A group goes whole or not at all. */
static bool in_group(const struct unit *u, const struct field_change *c, int t, int group)
{
    const struct rule *r = rule_of(u, c, t);
    return group > 0 && r && r->group == group;
}

static void hold_side(struct engine *g, struct unit *u, struct notes *notes, int t)
{
    struct plan_write *w = &u->plan.write[t];
    int group = 0;
    const char *reason = NULL;
    for (size_t i = 0; i < w->n_changes;) {
        const struct field_change *c = &w->changes[i];
        const struct rule *r = rule_of(u, c, t);
        const char *why = r ? why_not(g, note_of(notes, field_hash(c, t)), c, t) : NULL;
        if (!why) {
            i++;
            continue;
        }
        group = r->group;
        reason = why;
        park_change(g, u, t, i, why);
    }
    for (size_t i = 0; group && i < w->n_changes;)
        if (in_group(u, &w->changes[i], t, group))
            park_change(g, u, t, i, reason);
        else
            i++;
    if (w->n_changes == 0)
        w->kind = 0;
}

void notes_hold(struct engine *g, struct unit *u)
{
    bool update[2];
    for (int t = 0; t < 2; t++)
        update[t] = u->plan.write[t].kind == SL_UPDATE;
    if (!update[0] && !update[1])
        return;
    struct notes notes = load(g, u->link.number);
    for (int t = 0; t < 2 && notes.n; t++)
        if (update[t])
            hold_side(g, u, &notes, t);
}

void notes_take(struct engine *g, const struct unit *u, const struct sl_record *stored, bool read_back,
                int64_t written_ms)
{
    const struct intent *i = &u->intent;
    /* what was not written for a day cannot have flipped within it: a change now and then costs nothing */
    bool lately = written_ms > 0 && g->now_ms - written_ms <= DAY_MS, learned = false;
    struct notes notes = {0};
    bool loaded = false;
    for (size_t c = 0; c < i->n_changes; c++) {
        const struct field_change *change = &i->changes[c];
        bool ignored = !read_back && note_ignored(&change->before, &change->after, record_field(stored, change->name));
        if (!lately && !ignored)
            continue;
        if (!loaded)
            notes = load(g, u->link.number);
        loaded = true;
        struct note *n = note_for(&notes, field_hash(change, i->side), &g->chunk);
        if (lately)
            note_value(n, value_hash(change, i->side), g->now_ms);
        if (!ignored && !read_back)
            n->ignored[i->side] = 0;
        n->ignored[i->side] = (uint8_t)(n->ignored[i->side] + ignored);
        learned = ignored && unwritable(n, i->side);
        if (learned && !g->said_unwritable)
            engine_say(g,
                       "side %s takes writes to '%s' and does not store them ('%s', for one): it is not written there "
                       "any more",
                       i->side ? "b" : "a", change->name, u->link.id[i->side] ? u->link.id[i->side] : "?");
        g->said_unwritable |= learned;
    }
    notes.config = config_of(g);
    if (loaded)
        put_notes_row(&g->batch, u->link.number, &notes);
}
