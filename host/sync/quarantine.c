/* SPDX-License-Identifier: MIT */
/* quarantine.c - a state older than its data: noticed by what it has forgotten, and what is held until that is settled. */
#include <inttypes.h>
#include <string.h>

#include "sync/engine.h"

bool hold_deletes(int hold, uint64_t n_due, int64_t approved)
{
    if (hold == HOLD_COMPARE)
        return true;
    return hold != 0 && (approved < 0 || (uint64_t)approved < n_due);
}

int hold_next(int hold, bool whole, uint64_t n_due, int64_t approved)
{
    if (hold == HOLD_COMPARE)
        return !whole ? HOLD_COMPARE : n_due > 0 ? HOLD_RESTORED : 0;
    return n_due == 0 || !hold_deletes(hold, n_due, approved) ? 0 : hold;
}

/* The record is for certain the one its base was taken from: nobody, not even we, has written it since. */
static bool untouched(const struct engine *g, const struct unit *u, int s)
{
    const struct sl_record *now = u->now[s], *base = u->base[s];
    if (!now || !base || !now->version || !*now->version || !text_equal(now->version, base->version))
        return false;
    /* a version that comes back with its content tells nothing */
    bool ordered = (g->caps[s] & SL_CAP_VERSION_ORDER) != 0;
    return ordered || (now->modified_ms > 0 && now->modified_ms == base->modified_ms);
}

void quarantine_doubt(const struct engine *g, const struct unit *u, struct plan_in *in)
{
    in->older = g->hold == HOLD_COMPARE;
    for (int s = 0; s < 2; s++)
        in->doubt[s] = in->older && !untouched(g, u, s);
}

/* Would a counterpart of this record have been found? By a key, or under the only ids that the host gives. */
static bool found_for_certain(const struct engine *g, int t)
{
    bool same_ids = (g->caps[0] & g->caps[1] & SL_CAP_RESERVED_ID) && g->object[t]->object.id_rule != SL_ID_INTEGER;
    return g->pair->n_match > 0 || (g->caps[t] & SL_CAP_FIND_CORRELATION) || same_ids;
}

/* Durably, for it may be created only when the comparison is over. */
void quarantine_alone(struct engine *g, struct unit *u, int t)
{
    if (g->hold == HOLD_COMPARE && !g->joining && g->n_alone[t] > 0 && !found_for_certain(g, t))
        u->link.marks |= MARK_DOUBT;
}

const char *quarantine_create(struct engine *g, struct unit *u)
{
    int t = u->plan.write[0].kind == SL_CREATE ? 0 : 1;
    if (u->plan.write[t].kind != SL_CREATE || u->link.state != LINK_HALF)
        return NULL;
    quarantine_alone(g, u, t);
    if (!(u->link.marks & MARK_DOUBT))
        return NULL;
    return arena_printf(&g->chunk,
                        "may have a partner on side %s that an older state has forgotten: link the two with `syncline "
                        "link %s A B`, or have it created with `syncline parked retry`",
                        t ? "b" : "a", g->pair->name);
}

/* --- noticing --- */

/*
 * What a run would do now, without doing it: where both sides hold the same new value, or a record the state does not know, an
 * earlier run has been here that this state does not remember.
 */
static int count_forgotten(struct engine *g)
{
    const struct run_env *env = g->env;
    struct run_report *report = g->report, aside = *report;
    struct run_env dry = *env;
    uint8_t *const arrays[] = {g->klass, g->listed[0], g->listed[1], g->visited};
    size_t room = g->room;
    uint8_t *kept = mem_alloc(4 * room);
    for (size_t i = 0; i < 4; i++)
        memcpy(kept + i * room, arrays[i], room);
    dry.dry = true;
    dry.sink = (struct run_sink){0};
    g->env = &dry;
    g->report = &aside;
    g->probing = true;
    int rc = engine_rounds(g);
    g->probing = false;
    g->env = env;
    g->report = report;
    uint8_t *const now[] = {g->klass, g->listed[0], g->listed[1], g->visited};
    for (size_t i = 0; i < 4; i++) {
        memset(now[i], 0, g->room);
        memcpy(now[i], kept + i * room, room);
    }
    mem_free(kept);
    return rc;
}

static void put_born(struct engine *g)
{
    if (g->env->born && g->born_stored != g->env->born)
        put_meta_number(&g->batch, "born", (int64_t)g->env->born);
}

/* From here on the doubt is durable, and only then is the copy no longer noted as one. */
static int begin_hold(struct engine *g)
{
    g->hold = HOLD_COMPARE;
    g->reexamine = true;
    g->hold_stored = g->hold;
    put_meta_number(&g->batch, "hold", g->hold);
    put_born(g);
    g->copied = false;
    for (int s = 0; s < 2; s++) { /* what was listed before counts no more: it may be gone by now */
        memset(g->listed[s], 0, g->room);
        g->complete[s] = false;
    }
    if (engine_commit(g) || engine_pull(g))
        return g->e->code;
    return engine_load(g);
}

int engine_quarantine(struct engine *g)
{
    if (!g->copied || g->first || g->hold == HOLD_COMPARE)
        return 0;
    if (count_forgotten(g))
        return g->e->code;
    return g->n_forgotten > 0 ? begin_hold(g) : 0;
}

/* --- the end --- */

void quarantine_end(struct engine *g)
{
    /* what had to wait has not been compared yet */
    bool whole = !g->last_failure && !g->env->only && !g->review && g->report->of[CLASS_PENDING] == 0;
    int next = hold_next(g->hold, whole, g->n_due, g->approved);
    if (g->hold == HOLD_COMPARE)
        engine_say(
            g,
            "the state is older than the data it was put under: everything was compared anew, nothing is deleted, and "
            "where nobody can tell which side is newer a person decides");
    if (g->env->dry)
        return;
    if (next != g->hold_stored)
        put_meta_number(&g->batch, "hold", next);
    if (g->copied)
        put_born(g);
}
