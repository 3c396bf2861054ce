/* SPDX-License-Identifier: MIT */
/* sim_play.c - plays a history step by step with the real engine, then lets the faults stop and sees it come to rest. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

static struct memory_world *world_of(struct sim *s, int side)
{
    return &s->k->w[side];
}

static void do_person(struct sim *s, const struct step *t)
{
    if (t->kind == STEP_CREATE)
        people_create(s, t);
    else if (t->kind == STEP_EDIT)
        people_edit(s, t);
    else
        people_delete(s, t->side, t->uid);
}

/* --- in the middle of a run --- */

static void other_host(struct sim *s)
{
    struct run_report report = s->k->report;
    struct err e = s->k->e;
    bool calm = s->k->calm;
    s->nested = s->stolen = s->truth.paused = true;
    mem_disk_steal(s->k->disk);
    host_run(s);
    if (s->trace)
        fprintf(stderr, "    the other host: %s\n", s->k->e.code ? s->k->e.text : "done");
    s->nested = false;
    s->k->report = report;
    s->k->e = e;
    s->k->calm = calm;
}

static void between(struct memory_world *w, void *self)
{
    struct sim *s = self;
    (void)w;
    if (s->nested)
        return;
    for (size_t i = 0; i < s->n_between; i++)
        if (s->between[i].between && --s->between[i].between == 0) {
            if (s->trace)
                sim_print_step(&s->between[i], stderr);
            s->disturbed = s->truth.unsure = true;
            do_person(s, &s->between[i]);
            hooks_send(s, true);
        }
    if (s->steal_in && --s->steal_in == 0)
        other_host(s);
}

/* --- knobs --- */

static void back_up(struct sim *s)
{
    for (int side = 0; side < 2; side++) {
        if (!s->backup[side])
            s->backup[side] = mem_alloc(sizeof *s->backup[side]);
        *s->backup[side] = *world_of(s, side);
    }
    mem_disk_free(s->old);
    s->old = mem_disk_copy(s->k->disk);
}

/* Whatever is under way has arrived: a state that is lost says nothing of it. */
static void let_arrive(struct sim *s)
{
    kit_tick(s->k, 20000);
}

static void lose_state(struct sim *s, struct mem_disk *instead)
{
    let_arrive(s);
    people_remember(s);
    people_unsure(s);
    people_forgo(s);
    mem_disk_free(s->k->disk);
    s->k->disk = instead;
    s->born++;
    kit_revive(s->k);
}

static void loosen_hidden(struct sim *s, int side)
{
    struct memory_world *w = world_of(s, side);
    for (uint32_t i = 0; w->hides && i < w->n_records; i++)
        if (!w->records[i].gone)
            s->truth.loose[people_uid(&w->records[i])] = true;
}

static void hide(struct sim *s, const struct step *t)
{
    world_of(s, t->side)->hides = t->n;
    s->truth.any_loose = s->verify = true;
    loosen_hidden(s, t->side);
}

static void do_event(struct sim *s, const struct step *t)
{
    const struct memory_record *r = people_find(s, t->side, t->uid);
    switch (sim_knobs[t->knob].at) {
    case EVENT_KEY_SWAP:
        people_swap_keys(s, t);
        break;
    case EVENT_MERGED:
        people_merge(s, t);
        break;
    case EVENT_ID_REUSED:
        people_reuse_id(s, t);
        break;
    case EVENT_RESTORED:
        people_restore(s, t->side, t->n);
        s->verify = true;
        if (t->n) /* it tells */
            snprintf(world_of(s, t->side)->epoch, sizeof world_of(s, 0)->epoch, "e%u", world_of(s, t->side)->timeline);
        break;
    case EVENT_HIDE:
        hide(s, t);
        break;
    case EVENT_UNREADABLE:
        snprintf(world_of(s, t->side)->unreadable, MEMORY_ID, "%s", r ? r->id : "");
        break;
    case EVENT_NOT_STORED:
        snprintf(world_of(s, t->side)->drops, sizeof world_of(s, 0)->drops, "title");
        s->truth.titles_dropped = true;
        break;
    case EVENT_FIGHT:
        s->fight_uid = t->uid;
        break;
    case EVENT_CLOCK: /* from far back to less far back would be a leap forward */
        s->clock_ms = t->n < 0 && s->clock_ms < 1000 * (int64_t)t->n ? s->clock_ms : 1000 * (int64_t)t->n;
        break;
    case EVENT_CONFIG:
        host_variant(s, t->n);
        break;
    case EVENT_STATE_OLD:
        if (s->old)
            lose_state(s, mem_disk_copy(s->old));
        break;
    case EVENT_STATE_GONE:
        lose_state(s, mem_disk_new());
        break;
    default:
        s->steal_in = t->n;
    }
}

static void do_knob(struct sim *s, const struct step *t)
{
    const struct knob *k = &sim_knobs[t->knob];
    s->stats->knobs[t->knob]++;
    s->disturbed = true;
    s->verify |= k->needs & NEED_GET;
    s->truth.blind |= judge_normalises(world_of(s, 0)) || judge_normalises(world_of(s, 1));
    if (k->kind == KNOB_STRIKE) {
        *knob_int(world_of(s, t->side), t->knob) = t->n;
        world_of(s, t->side)->fail_class = k->fail_class;
    } else if (k->kind == KNOB_STORE) {
        s->k->disk->fail_in = (uint64_t)t->n;
        s->k->disk->fault = (int)k->at;
    } else {
        do_event(s, t);
    }
}

/* --- runs --- */

static void heal(struct sim *s)
{
    s->stats->kills += s->k->disk->dead || world_of(s, 0)->dead || world_of(s, 1)->dead;
    kit_revive(s->k);
    for (int side = 0; side < 2; side++) {
        world_of(s, side)->unreadable[0] = '\0';
        loosen_hidden(s, side); /* also what was created while it was hidden there */
        world_of(s, side)->hides = 0;
        world_of(s, side)->n_after_death = 0;
    }
    s->n_between = 0;
    s->steal_in = 0;
    s->stolen = false;
}

static void show_run(const struct sim *s)
{
    const struct run_report *r = &s->k->report;
    fprintf(stderr, "    %s;", s->k->e.code ? s->k->e.text : r->ok ? "done" : "not all was done");
    for (int side = 0; side < 2; side++)
        fprintf(stderr, " %c: %d created, %d updated, %d deleted;", 'a' + side, (int)r->writes[side][0],
                (int)r->writes[side][1], (int)r->writes[side][2]);
    fprintf(stderr, "%s%s %s\n", r->of[CLASS_PENDING] ? " pending;" : "", s->k->calm ? " nothing changed" : "",
            r->message);
}

static void run(struct sim *s)
{
    hooks_send(s, false);
    host_run(s);
    if (s->trace)
        show_run(s);
    judge_run(s);
    bool whole = s->k->report.ok && host_calm(s) && !s->disturbed && !s->variant && !s->k->report.waits &&
                 !s->k->report.of[CLASS_PENDING];
    bool untold = s->k->e.code || !s->k->report.ok || s->k->report.of[CLASS_PENDING];
    s->truth.blind |= untold && (judge_normalises(world_of(s, 0)) || judge_normalises(world_of(s, 1)));
    s->truth.unsure = (s->truth.unsure && !whole) || untold; /* nor whether somebody has seen what was not answered */
    s->disturbed = false;
    heal(s);
    kit_tick(s->k, 1000);
}

/* Each robot sees to its own side in turn, whenever the host is not at work. */
static void fight(struct sim *s, int turn)
{
    struct step t = {.kind = STEP_EDIT,
                     .side = (uint8_t)(turn % 2),
                     .uid = (uint8_t)s->fight_uid,
                     .field = FIELD_TITLE,
                     .serial = (uint16_t)(9001 + turn % 2),
                     .n = 2};
    if (s->fight_uid >= 0)
        people_edit(s, &t);
}

static void do_step(struct sim *s, const struct step *t)
{
    if (s->trace)
        sim_print_step(t, stderr);
    if (t->kind == STEP_RUN) {
        fight(s, s->n_fights++);
        if (!s->old)
            kit_tick(s->k, 5000); /* the originals have been there for a while */
        run(s);
        if (!s->old && s->k->report.ok && !s->k->report.of[CLASS_PENDING])
            back_up(s);
    } else if (t->kind == STEP_TICK) {
        kit_tick(s->k, t->n);
    } else if (t->kind == STEP_KNOB) {
        do_knob(s, t);
    } else if (!t->between) {
        do_person(s, t);
    } else if (s->n_between < SIM_BETWEEN) {
        s->between[s->n_between++] = *t;
    }
}

/* --- the end --- */

/* What is under way arrives, what was waited for is waited for, even by a clock that went back. */
static void let_pass(struct sim *s)
{
    for (int i = 0; i < 4; i++) {
        kit_tick(s->k, 16 * 3600000);
        run(s);
    }
}

static void come_to_rest(struct sim *s)
{
    bool calm = false;
    for (int i = 0; i < KIT_SETTLE && !calm && !s->broken; i++) {
        run(s);
        calm = host_calm(s);
    }
    if (!calm)
        sim_break(s, "I14", "it does not come to rest: %s",
                  s->k->e.code ? s->k->e.text : "every run changes something");
}

static void look_at_all(struct sim *s)
{
    s->full = true;
    run(s);
    s->full = false;
    let_pass(s);
    come_to_rest(s);
}

static void decide_all(struct sim *s)
{
    for (int i = 0; i < 8 && !s->broken; i++) {
        if (host_decide(s) == 0)
            return;
        let_pass(s);
        come_to_rest(s);
    }
    sim_break(s, "I8", "what a person decides is not carried out");
}

static void stay_idle(struct sim *s)
{
    uint64_t writes = world_of(s, 0)->n_writes + world_of(s, 1)->n_writes;
    for (int i = 0; i < 5 && !s->broken; i++) {
        run(s);
        if (world_of(s, 0)->n_writes + world_of(s, 1)->n_writes != writes)
            sim_break(s, "I11", "an idle run writes");
        else if (!host_calm(s))
            sim_break(s, "I11", "an idle run changes the state: %s", s->k->e.text);
    }
}

/* However long the robots go on, the host stops to carry their values across. */
static void outlast(struct sim *s)
{
    uint64_t writes = 0;
    kit_tick(s->k, 2 * 86400000); /* a fight is counted by the day: none ends in the midst of it */
    for (int i = 0; i < 24 && s->fight_uid >= 0 && !s->broken; i++) {
        if (i == 16)
            writes = world_of(s, 0)->n_writes + world_of(s, 1)->n_writes;
        fight(s, i);
        kit_tick(s->k, 3500); /* behind the back of no stale read */
        run(s);
    }
    if (s->fight_uid >= 0 && writes != world_of(s, 0)->n_writes + world_of(s, 1)->n_writes)
        sim_break(s, "I14", "two automations fight for ever");
    s->fight_uid = -1;
}

static void finish(struct sim *s)
{
    if (s->trace)
        fprintf(stderr, "the faults stop\n");
    heal(s);
    host_variant(s, 0);
    s->resting = true;
    outlast(s);
    for (int side = 0; side < 2; side++)
        world_of(s, side)->drops[0] = '\0';
    let_pass(s);
    come_to_rest(s);
    if (s->verify)
        look_at_all(s);
    if (!s->broken && !host_waits(s, DB_PARKED))
        judge_values(s);
    decide_all(s);
    if (!s->broken)
        judge_end(s);
    stay_idle(s);
    s->stats->writes += world_of(s, 0)->n_writes + world_of(s, 1)->n_writes;
}

static void show_sides(struct sim *s)
{
    struct arena a = {0};
    for (int side = 0; side < 2; side++)
        fprintf(stderr, "  %c: %s\n", 'a' + side, kit_records(s->k, side, true, &a));
    arena_fini(&a);
}

static void begin(struct sim *s)
{
    host_begin(s);
    for (int side = 0; side < 2; side++) {
        world_of(s, side)->step = between;
        world_of(s, side)->step_self = s;
        s->verify |= world_of(s, side)->delta && !world_of(s, side)->delete_feed;
        for (size_t i = 0; i < sim_n_knobs; i++)
            s->stats->knobs[i] +=
                (sim_knobs[i].kind == KNOB_TRAIT || sim_knobs[i].kind == KNOB_HOOK) && s->script->trait[side][i];
    }
}

const char *sim_play(const struct sim_script *script, bool trace, struct sim_stats *stats, char *about)
{
    struct sim *s = mem_alloc(sizeof *s);
    s->script = script;
    s->stats = stats;
    s->trace = trace;
    begin(s);
    s->fight_uid = -1;
    s->born = 1;
    s->truth.unsure = true;
    for (size_t i = 0; i < script->n_steps && !s->broken; i++)
        do_step(s, &script->steps[i]);
    if (!s->broken)
        finish(s);
    const char *broken = s->broken;
    memcpy(about, s->about, sizeof s->about);
    if (trace)
        show_sides(s);
    host_end(s);
    mem_free(s);
    stats->seeds++;
    return broken;
}
