/* SPDX-License-Identifier: MIT */
/* sim_judge.c - what must be true of a history: after every run, at rest, and in the end; each by the number of its invariant. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"
#include "sync/act.h"

static bool one_way(const struct sim *s)
{
    return s->script->choice[CHOICE_MODE] == 1;
}

/* --- after every run --- */

static uint64_t ceiling(const struct sim *s)
{
    static const uint64_t ceilings[] = {1000, 2, 0};
    return ceilings[s->script->choice[CHOICE_CEILING]];
}

void judge_run(struct sim *s)
{
    const struct run_report *r = &s->k->report;
    uint64_t sum = 0;
    for (int i = CLASS_UNCHANGED; i < CLASS_END; i++)
        sum += r->of[i];
    if (strstr(s->k->e.text, "I25") || (r->ok && sum != r->seen))
        sim_break(s, "I25", "%" PRIu64 " seen, %" PRIu64 " accounted for", r->seen, sum);
    if (r->writes[0][2] + r->writes[1][2] > ceiling(s) && r->deletes_due)
        sim_break(s, "I28", "deletes went while %" PRIu64 " are withheld", r->deletes_due);
    if (one_way(s) && s->k->w[0].n_writes)
        sim_break(s, "I34", "the source of a one-way pair was written");
    for (int side = 0; side < 2; side++)
        if (s->k->w[side].n_after_death && !s->stolen) /* another host did */
            sim_break(s, "I18", "a killed host went on");
}

/* --- values --- */

bool judge_normalises(const struct memory_world *w)
{
    return w->trims || w->lowers || w->truncates || w->escapes || w->rounds;
}

static bool nothing(const char *text)
{
    return !text || strcmp(text, "~") == 0;
}

/* What it makes of a value looks like somebody's edit. */
static bool looks_edited(const struct memory_world *w)
{
    return judge_normalises(w) && (w->answers_nothing || w->reads_back);
}

static bool agree(struct sim *s, const char *x, const char *y)
{
    char gist[2][40];
    if (!judge_normalises(&s->k->w[0]) && !judge_normalises(&s->k->w[1]))
        return nothing(x) ? nothing(y) : y && strcmp(x, y) == 0;
    people_gist(x, gist[0]);
    people_gist(y, gist[1]);
    return strcmp(gist[0], gist[1]) == 0;
}

/* Is it what somebody wrote, who had not seen a later one? */
static bool legitimate(struct sim *s, int uid, int field, const char *text)
{
    char gist[40], its[40];
    bool any = false;
    if (s->truth.blind || looks_edited(&s->k->w[0]) || looks_edited(&s->k->w[1]))
        return true;
    people_gist(text, gist);
    for (size_t i = 0; i < s->truth.n_edits; i++) {
        const struct edit *e = &s->truth.edits[i];
        if (e->uid != uid || e->field != field)
            continue;
        any = true;
        people_gist(e->text, its);
        if (!e->superseded && strcmp(gist, its) == 0)
            return true;
    }
    return !any && nothing(text);
}

/* A side that was put back to when it had no such field says nothing about it, and gets it with the other's next edit (I35). */
static bool unreported(const struct sim *s, int uid, int field)
{
    return (s->truth.unreported[uid] & 1u << field) != 0;
}

static void judge_value(struct sim *s, int side, int uid, int field)
{
    const struct memory_record *r = people_find(s, side, uid);
    if (!r || s->truth.loose[uid] || unreported(s, uid, field) || (field == FIELD_TITLE && s->truth.titles_dropped))
        return;
    const char *text = memory_field(r, people_field(field));
    if (!legitimate(s, uid, field, text))
        sim_break(s, "I6", "%c %s.%s is %s, which somebody had replaced", 'a' + side, r->id, people_field(field),
                  text ? text : "absent");
}

void judge_values(struct sim *s)
{
    for (int uid = 0; uid < SIM_UIDS; uid++)
        for (int field = 0; field < N_FIELDS && s->truth.created[uid]; field++)
            for (int side = 0; side < 2; side++)
                if (!s->truth.deleted[0][uid] && !s->truth.deleted[1][uid])
                    judge_value(s, side, uid, field);
}

/* --- records --- */

static int count(struct sim *s, int side, int uid)
{
    int n = 0;
    for (uint32_t i = 0; i < s->k->w[side].n_records; i++)
        n += !s->k->w[side].records[i].gone && people_uid(&s->k->w[side].records[i]) == uid;
    return n;
}

static bool deletes_travel(const struct sim *s)
{
    int policy = s->k->pair.delete_policy;
    return policy == DELETE_DELETE || policy == DELETE_ARCHIVE || policy == DELETE_RECREATE;
}

static bool began_on(const struct sim *s, int side, int uid)
{
    for (size_t i = 0; i < s->truth.n_edits; i++)
        if (s->truth.edits[i].uid == uid && s->truth.edits[i].side == side)
            return true;
    return false;
}

static void judge_presence(struct sim *s, int uid)
{
    if (s->truth.returned[uid])
        return;
    int n[2] = {count(s, 0, uid), count(s, 1, uid)};
    const bool *gone[2] = {&s->truth.deleted[0][uid], &s->truth.deleted[1][uid]};
    for (int side = 0; side < 2; side++) {
        if (n[side] > 1 && !s->truth.loose[uid])
            sim_break(s, "I19", "u%d is there %d times on %c", uid, n[side], 'a' + side);
        if (began_on(s, side, uid) && !n[side] && !*gone[side] && !*gone[1 - side])
            sim_break(s, "I26", "u%d of %c was deleted, by nobody", uid, 'a' + side);
    }
    if (s->truth.loose[uid])
        return;
    bool travels = !one_way(s) || began_on(s, 0, uid);
    if (!*gone[0] && !*gone[1] && travels && !(n[0] && n[1]))
        sim_break(s, "I12", "u%d is missing on %c", uid, n[0] ? 'b' : 'a');
    if ((*gone[0] || *gone[1]) && deletes_travel(s) && !one_way(s) && !n[0] != !n[1])
        sim_break(s, "I12", "u%d was deleted on one side and is on %c still", uid, n[0] ? 'a' : 'b');
    for (int side = 0; side < 2; side++)
        if (!deletes_travel(s) && *gone[side] && !*gone[1 - side] && began_on(s, 1 - side, uid) && !n[1 - side])
            sim_break(s, "I26", "u%d of %c went, though deletes do not travel", uid, 'a' + 1 - side);
}

static bool linked_apart(const struct sim *s, int uid)
{
    return (s->truth.deleted[0][uid] || s->truth.deleted[1][uid]) && !deletes_travel(s);
}

static void judge_equal(struct sim *s, int uid)
{
    const struct memory_record *r[2] = {people_find(s, 0, uid), people_find(s, 1, uid)};
    bool drifts = one_way(s) && s->script->choice[CHOICE_DRIFT] == 2;
    if (!r[0] || !r[1] || linked_apart(s, uid) || drifts || s->truth.loose[uid])
        return;
    if (one_way(s) && !began_on(s, 0, uid))
        return;
    for (int field = 0; field < N_FIELDS; field++) {
        const char *x = memory_field(r[0], people_field(field)), *y = memory_field(r[1], people_field(field));
        bool silent = unreported(s, uid, field) && (!x || !y);
        if (!silent && !agree(s, x, y) && !(field == FIELD_TITLE && s->truth.titles_dropped))
            sim_break(s, "I12", "%s.%s is %s on a, %s on b", r[0]->id, people_field(field), x ? x : "absent",
                      y ? y : "absent");
    }
}

/* The field that is in no mapping is as its owner left it. */
static void judge_frame(struct sim *s, int side)
{
    for (uint32_t i = 0; i < s->k->w[side].n_records; i++) {
        const struct memory_record *r = &s->k->w[side].records[i];
        const char *own = r->gone ? NULL : memory_field(r, "own");
        if (own && own[0] != 'a' + side)
            sim_break(s, "I33", "%c %s.own is %s", 'a' + side, r->id, own);
    }
}

/* --- history --- */

static bool text_is(const struct sl_value *v, const char *gist)
{
    char text[40], its[40];
    if (v->type == SL_INT)
        snprintf(text, sizeof text, "#%" PRId64, v->number);
    else if (v->type == SL_STRING && v->text)
        snprintf(text, sizeof text, "%.*s", (int)(v->text_size < 39 ? v->text_size : 39), v->text);
    else
        return false;
    people_gist(text, its);
    return strcmp(its, gist) == 0;
}

static bool holds(const struct history_row *h, const char *gist)
{
    for (size_t c = 0; c < h->n_changes; c++)
        if (text_is(&h->changes[c].after, gist) || text_is(&h->changes[c].before, gist) ||
            text_is(&h->changes[c].lost, gist))
            return true;
    for (uint32_t f = 0; h->kept && f < h->kept->n_fields; f++)
        if (text_is(sl_value_at(h->kept->fields, h->kept->field_size, f), gist))
            return true;
    return false;
}

void people_remember(struct sim *s)
{
    struct store *store = host_store(s, true);
    struct arena a = {0};
    struct history_row rows[200];
    struct err e = {0};
    uint64_t after = 0;
    size_t n = store ? 200 : 0;
    while (n == 200) {
        n = act_history(store, after, &a, rows, 200, &e);
        for (size_t i = 0; i < n; i++)
            for (size_t x = 0; x < s->truth.n_edits; x++) {
                char gist[40];
                people_gist(s->truth.edits[x].text, gist);
                s->truth.edits[x].recorded |= holds(&rows[i], gist);
            }
        if (n)
            after = rows[n - 1].number;
    }
    store_close(store);
    arena_fini(&a);
}

static bool lives(struct sim *s, const struct edit *e)
{
    for (int side = 0; side < 2; side++)
        for (uint32_t i = 0; i < s->k->w[side].n_records; i++) {
            const struct memory_record *r = &s->k->w[side].records[i];
            char gist[2][40];
            people_gist(memory_field(r, people_field(e->field)), gist[0]);
            people_gist(e->text, gist[1]);
            if (!r->gone && people_uid(r) == e->uid && strcmp(gist[0], gist[1]) == 0)
                return true;
        }
    return false;
}

void people_forgo(struct sim *s)
{
    for (size_t i = 0; i < s->truth.n_edits; i++)
        s->truth.edits[i].recorded |= !lives(s, &s->truth.edits[i]);
}

static void judge_edits(struct sim *s)
{
    people_remember(s);
    for (size_t i = 0; i < s->truth.n_edits && !s->truth.paused; i++) {
        const struct edit *e = &s->truth.edits[i];
        bool bare = nothing(e->text) || !*e->text; /* such a value is nothing to be restored */
        if (!e->replaced && !e->recorded && !bare && !s->truth.loose[e->uid] && !lives(s, e))
            sim_break(s, "I5", "%s, written into u%d.%s on %c, is lost", e->text, e->uid, people_field(e->field),
                      'a' + e->side);
    }
}

/* --- links --- */

static void judge_links(struct sim *s)
{
    struct store *store = host_store(s, true);
    struct arena a = {0};
    struct link rows[200];
    struct err e = {0};
    size_t n = store ? act_links(store, 0, &a, rows, 200, &e) : 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            for (int side = 0; side < 2; side++) {
                bool both = rows[i].state == LINK_LIVE && rows[j].state == LINK_LIVE;
                if (both && rows[i].id[side] && rows[j].id[side] && strcmp(rows[i].id[side], rows[j].id[side]) == 0)
                    sim_break(s, "I30", "%c %s is in two links", 'a' + side, rows[i].id[side]);
            }
    store_close(store);
    arena_fini(&a);
}

void judge_end(struct sim *s)
{
    for (int uid = 0; uid < SIM_UIDS; uid++)
        if (s->truth.created[uid]) {
            judge_presence(s, uid);
            judge_equal(s, uid);
        }
    judge_values(s);
    for (int side = 0; side < 2; side++)
        judge_frame(s, side);
    judge_edits(s);
    judge_links(s);
}
