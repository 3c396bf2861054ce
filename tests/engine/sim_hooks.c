/* SPDX-License-Identifier: MIT */
/* sim_hooks.c - the webhooks of a simulated history: lost, doubled, overtaken and forged ones; what they tell is never needed. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

/* A stream of its own, so that a history without a webhook stays what it is. */
static uint32_t roll(struct sim *s, uint32_t n)
{
    s->hook_random = (s->hook_random + s->script->seed) * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(s->hook_random >> 33) % n;
}

static int percent(const struct sim *s, int side, size_t hook)
{
    for (size_t i = 0; i < sim_n_knobs; i++)
        if (sim_knobs[i].kind == KNOB_HOOK && sim_knobs[i].at == hook)
            return s->script->trait[side][i];
    return 0;
}

static bool happens(struct sim *s, int side, size_t hook)
{
    int p = percent(s, side, hook);
    return p && (int)roll(s, 100) < p;
}

static void tell(struct sim *s, int side, const char *id, const char *how)
{
    if (s->trace)
        fprintf(stderr, "    a webhook of %c%s: %s\n", 'a' + side, how, id);
    kit_hint(s->k, side, id);
}

/* Where there is no more room it is lost. */
static void delay(struct sim *s, int side, const char *id)
{
    for (size_t i = 0; i < SIM_HOOKS; i++)
        if (s->under_way[i].after == 0) {
            s->under_way[i] = (struct delivery){.side = (uint8_t)side, .after = (uint8_t)(1 + roll(s, 4))};
            snprintf(s->under_way[i].id, MEMORY_ID, "%s", id);
            return;
        }
}

static void tell_change(struct sim *s, int side, const struct memory_record *r)
{
    if (!happens(s, side, HOOK_SENT))
        return;
    if (happens(s, side, HOOK_AGAIN))
        delay(s, side, r->id);
    if (happens(s, side, HOOK_LATE))
        delay(s, side, r->id);
    else
        tell(s, side, r->id, "");
}

/* An id of the other side, of what is deleted, of nothing; at the end only of nothing: what is there would be read. */
static void forge(struct sim *s, int side)
{
    char id[MEMORY_ID];
    const struct memory_world *w = &s->k->w[roll(s, 2)];
    snprintf(id, sizeof id, "no-%u", roll(s, 1000));
    if (w->n_records && roll(s, 2) && !s->resting)
        snprintf(id, sizeof id, "%s", w->records[roll(s, w->n_records)].id);
    tell(s, side, id, ", forged");
}

void hooks_send(struct sim *s, bool midst)
{
    for (size_t i = 0; i < SIM_HOOKS && !midst; i++)
        if (s->under_way[i].after && --s->under_way[i].after == 0)
            tell(s, s->under_way[i].side, s->under_way[i].id, ", late");
    for (int side = 0; side < 2; side++) {
        const struct memory_world *w = &s->k->w[side];
        for (uint32_t i = 0; i < w->n_records; i++)
            if (w->records[i].sequence > s->told[side])
                tell_change(s, side, &w->records[i]);
        s->told[side] = w->sequence;
        if (happens(s, side, HOOK_FORGED))
            forge(s, side);
    }
}
