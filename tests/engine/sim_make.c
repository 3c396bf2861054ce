/* SPDX-License-Identifier: MIT */
/* sim_make.c - the history of a seed: a few records, and edits weighted to hit the same record and field, between them every fault. */
#include <string.h>

#include "sim.h"

struct making {
    struct sim_script *s;
    uint64_t random;
    uint16_t serial;
    uint8_t n_uids, hot_uid, hot_field;
};

static uint32_t roll(struct making *m, uint32_t n)
{
    m->random += 0x9e3779b97f4a7c15u;
    uint64_t x = m->random;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)((x ^ x >> 31) % n);
}

static int between(struct making *m, int low, int high)
{
    return low + (int)roll(m, (uint32_t)(high - low + 1));
}

static struct step *add(struct making *m, int kind, int side)
{
    static struct step nowhere;
    if (m->s->n_steps == SIM_STEPS)
        return &nowhere;
    struct step *t = &m->s->steps[m->s->n_steps++];
    *t = (struct step){.kind = (uint8_t)kind, .side = (uint8_t)side};
    return t;
}

static void choose(struct making *m)
{
    static const struct {
        uint8_t options;
        uint8_t plain; /* so many of ten keep the plainest */
    } choices[N_CHOICES] = {
        [CHOICE_MODE] = {2, 8},  [CHOICE_TIER] = {4, 1},    [CHOICE_CONDITIONAL] = {2, 5}, [CHOICE_FIRST] = {2, 6},
        [CHOICE_START] = {2, 6}, [CHOICE_TITLE] = {7, 2},   [CHOICE_BODY] = {7, 2},        [CHOICE_N] = {7, 2},
        [CHOICE_DRIFT] = {3, 3}, [CHOICE_DELETES] = {5, 3}, [CHOICE_CEILING] = {3, 5},     [CHOICE_STORE] = {1, 10},
    };
    int *c = m->s->choice;
    for (int i = 0; i < N_CHOICES; i++)
        c[i] = roll(m, 10) < choices[i].plain ? 0 : (int)roll(m, choices[i].options);
    if (c[CHOICE_FIRST] != 0 || c[CHOICE_MODE] != 0)
        c[CHOICE_START] = 0;
    c[CHOICE_STORE] = m->s->seed % 128 == 64;
}

static void set_traits(struct making *m)
{
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < sim_n_knobs; i++) {
            const struct knob *k = &sim_knobs[i];
            if (k->kind == KNOB_TRAIT && (int)roll(m, 1000) < k->share && knob_allowed(m->s, side, i))
                m->s->trait[side][i] = between(m, k->low, k->high);
        }
}

/* From a stream of their own: the rest of a history is what it was before there were webhooks. */
static void set_hooks(struct sim_script *s)
{
    struct making m = {.s = s, .random = s->seed * 0x9fb21c651e98df25u};
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < sim_n_knobs; i++) {
            const struct knob *k = &sim_knobs[i];
            if (k->kind == KNOB_HOOK && (int)roll(&m, 1000) < k->share && knob_allowed(s, side, i))
                s->trait[side][i] = between(&m, k->low, k->high);
        }
}

/* --- people --- */

static void heat(struct making *m)
{
    m->hot_uid = (uint8_t)roll(m, m->n_uids ? m->n_uids : 1);
    m->hot_field = (uint8_t)(FIELD_TITLE + roll(m, N_FIELDS - FIELD_TITLE));
}

static void create(struct making *m, int side)
{
    if (m->n_uids == SIM_UIDS)
        return;
    struct step *t = add(m, STEP_CREATE, side);
    t->uid = m->n_uids++;
    t->serial = m->serial;
    t->n = (int32_t)roll(m, 8); /* 0: under an id like the other side's */
    m->serial += N_FIELDS;
}

static void originals(struct making *m)
{
    for (uint32_t n = 1 + roll(m, 4); n > 0; n--) {
        create(m, 0);
        struct step copy = m->s->steps[m->s->n_steps - 1];
        if (m->s->choice[CHOICE_START]) {
            copy.side = 1;
            copy.n = 1;
            *add(m, STEP_CREATE, 1) = copy;
        }
    }
    heat(m);
}

static void edit(struct making *m, int side, uint32_t midst)
{
    uint32_t what = roll(m, 12);
    if (what < 2) {
        create(m, side);
        return;
    }
    struct step *t = add(m, what == 2 ? STEP_DELETE : STEP_EDIT, side);
    t->uid = roll(m, 3) ? m->hot_uid : (uint8_t)roll(m, m->n_uids);
    t->field = roll(m, 3) ? m->hot_field : (uint8_t)(FIELD_TITLE + roll(m, N_FIELDS - FIELD_TITLE));
    t->serial = m->serial++;
    t->n = (int32_t)roll(m, 12); /* 0, 1: nothing, the empty text */
    t->between = (uint16_t)midst;
}

/* --- faults --- */

/* One of the knobs of a kind, by their shares; sim_n_knobs: none may be. */
static size_t pick(struct making *m, int side, int kind)
{
    int total = 0;
    size_t picked = sim_n_knobs;
    for (size_t i = 0; i < sim_n_knobs; i++) {
        const struct knob *k = &sim_knobs[i];
        if (k->kind != kind || !knob_allowed(m->s, side, i))
            continue;
        total += k->share;
        if ((int)roll(m, (uint32_t)total) < k->share)
            picked = i;
    }
    return picked;
}

static void turn(struct making *m, int side, int kind)
{
    size_t knob = pick(m, side, kind);
    if (knob == sim_n_knobs)
        return;
    struct step *t = add(m, STEP_KNOB, side);
    t->knob = (uint16_t)knob;
    t->n = between(m, sim_knobs[knob].low, sim_knobs[knob].high);
    t->uid = roll(m, 2) ? m->hot_uid : (uint8_t)roll(m, m->n_uids);
    t->field = (uint8_t)roll(m, m->n_uids); /* the second record, where it takes two */
    t->serial = m->serial;
    m->serial += N_FIELDS;
    if (kind == KNOB_EVENT && sim_knobs[knob].at == EVENT_ID_REUSED && m->n_uids < SIM_UIDS)
        t->field = m->n_uids++;
}

static void faults(struct making *m)
{
    for (int side = 0; side < 2; side++)
        if (roll(m, 3) == 0)
            turn(m, side, KNOB_STRIKE);
    if (roll(m, 4) == 0)
        turn(m, 0, KNOB_STORE);
    if (roll(m, 5) == 0)
        turn(m, (int)roll(m, 2), KNOB_EVENT);
    bool fair = m->s->choice[CHOICE_CONDITIONAL] == 0;
    for (uint32_t n = fair && roll(m, 3) == 0 ? 1 + roll(m, 2) : 0; n > 0; n--)
        edit(m, (int)roll(m, 2), 1 + roll(m, 12));
}

static void one_round(struct making *m)
{
    if (roll(m, 4) == 0)
        heat(m);
    for (int side = 0; side < 2; side++)
        for (uint32_t n = roll(m, 4); n > 0 && roll(m, 2); n--)
            edit(m, side, 0);
    faults(m);
    add(m, STEP_RUN, 0);
    if (roll(m, 2))
        add(m, STEP_TICK, 0)->n = 500 * between(m, 1, 10);
}

void sim_make(uint64_t seed, struct sim_script *out)
{
    struct making m = {.s = out, .random = seed * 0x2545f4914f6cdd1du};
    memset(out, 0, sizeof *out);
    out->seed = seed;
    m.serial = 1;
    choose(&m);
    set_traits(&m);
    originals(&m);
    for (uint32_t n = roll(&m, 4); n > 0; n--)
        add(&m, STEP_RUN, 0);
    for (uint32_t n = 1 + roll(&m, 8); n > 0 && out->n_steps < SIM_STEPS - 24; n--)
        one_round(&m);
    set_hooks(out);
}
