/* SPDX-License-Identifier: MIT */
/* model.c - one life of the model: rounds of edits and runs, killed at some step; then rest, and what it came to. */
#include "model_engine.h"

#include <stddef.h>
#include <string.h>

enum { START = 100, QUIET_ROUND = 60, REST_ROUNDS = 40, IDLE_ROUNDS = 6, DELETE_ROUNDS = 6 };
enum { LAST_STEP = 80 }; /* that a crash comes at */
/* Of a thousand steps: somebody edits while the engine runs. */
enum { EDIT_BETWEEN = 10 };

void model_notes(struct world *w, enum model_event event)
{
    w->result.events |= event;
}

void model_step(struct world *w)
{
    w->now++;
    if (w->faulty && w->crash_in > 0 && --w->crash_in == 0)
        longjmp(w->crash, 1);
    if (model_chance(w, EDIT_BETWEEN))
        model_user_acts(w);
}

void model_run_once(struct world *w)
{
    w->n_deletes = 0;
    w->sides[0].hidden = w->sides[1].hidden = false;
    model_take_template(w);
    model_recover(w);
    model_find_gone(w, 0);
    model_find_gone(w, 1);
    model_release_held(w);
    model_pull(w, 0);
    model_pull(w, 1);
    model_send(w, 0, w->state.n_links);
    model_plan(w);
}

static void run_or_crash(struct world *w)
{
    w->crash_in = model_draw(w, 3) == 0 ? 1 + model_draw(w, LAST_STEP) : 0;
    if (setjmp(w->crash)) {
        w->result.crashes++;
        w->now += model_draw(w, 30);
        model_open_after_crash(w);
    } else {
        model_run_once(w);
    }
}

static void live(struct world *w)
{
    int rounds = 6 + model_draw(w, 12);
    w->faulty = true;
    for (int i = 0; i < rounds; i++) {
        for (int edits = model_draw(w, 4); edits > 0; edits--)
            model_user_acts(w);
        run_or_crash(w);
        model_deliver_late(w);
        w->now += 1 + model_draw(w, 25);
        if (model_draw(w, 5) == 0)
            model_user_acts(w);
        if (model_draw(w, 8) == 0)
            model_person_decides(w);
    }
    w->faulty = false;
}

/* The writes of so many undisturbed runs. */
static unsigned rest(struct world *w, int rounds)
{
    unsigned before = w->result.writes;
    for (int i = 0; i < rounds; i++) {
        w->now += QUIET_ROUND;
        model_deliver_late(w);
        model_person_decides(w);
        model_run_once(w);
    }
    return w->result.writes - before;
}

/* A delete that nothing stands against reaches the other side. */
static void delete_at_rest(struct world *w)
{
    int side = model_draw(w, 2);
    const struct record *r = model_does(w, MODEL_DELETES) ? model_user_deletes(w, side) : NULL;
    const struct link *l = r ? model_link_of(w, side, r->id) : NULL;
    if (!l || l->state != ACTIVE)
        return;
    const struct record *partner = model_record(w, 1 - side, l->id[1 - side]);
    /* A reference that waits for a person is an edit yet to come across. */
    if (partner && partner->now.field[REFERENCE] != l->base[1 - side][REFERENCE])
        return;
    rest(w, DELETE_ROUNDS);
    if (!partner || !partner->gone)
        model_breaks(w, 2);
    model_check_rest(w);
}

static void begin(struct world *w, const struct model_setup *setup, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->setup = setup;
    w->random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    w->now = START;
    w->template = w->state.template = MAX_CHILDREN;
    for (int i = 0; i < 8; i++)
        model_draw(w, 2);
}

struct model_result model_run(const struct model_setup *setup, uint64_t seed)
{
    static struct world w;
    begin(&w, setup, seed);
    if (setjmp(w.end))
        return w.result;
    live(&w);
    rest(&w, REST_ROUNDS);
    unsigned writes = rest(&w, IDLE_ROUNDS);
    if (writes)
        model_breaks(&w, 11);
    if (writes >= IDLE_ROUNDS)
        model_breaks(&w, 14);
    model_check_rest(&w);
    delete_at_rest(&w);
    return w.result;
}
