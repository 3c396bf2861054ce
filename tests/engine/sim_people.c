/* SPDX-License-Identifier: MIT */
/* sim_people.c - what people do to the two systems, and the truth about it: what was written, by whom, having seen what. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static const char *const field_names[N_FIELDS] = {"key", "title", "body", "n"};

const char *people_field(int field)
{
    return field_names[field];
}

void sim_break(struct sim *s, const char *invariant, const char *format, ...)
{
    va_list args;
    if (s->broken)
        return;
    s->broken = invariant;
    va_start(args, format);
    vsnprintf(s->about, sizeof s->about, format, args);
    va_end(args);
}

/* The first word of a text, in lower case: every value begins with one of its own, and systems change only what is behind it. */
void people_gist(const char *text, char out[40])
{
    size_t n = 0;
    if (!text || strcmp(text, "~") == 0) {
        strcpy(out, "~");
        return;
    }
    bool number = *text == '#';
    for (; *text && n < 39; text++) {
        bool letter = (*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9') || *text == '#';
        bool capital = *text >= 'A' && *text <= 'Z';
        if (!letter && !capital)
            break;
        out[n++] = capital ? (char)(*text - 'A' + 'a') : *text;
    }
    if (number) /* rounded down to a hundred */
        n = n > 3 ? n - 2 : n;
    out[n] = '\0';
}

int people_uid(const struct memory_record *r)
{
    const char *uid = memory_field(r, "uid");
    return uid && *uid == 'u' ? atoi(uid + 1) : -1;
}

struct memory_record *people_find(struct sim *s, int side, int uid)
{
    struct memory_record *found = NULL;
    for (uint32_t i = 0; i < s->k->w[side].n_records; i++) {
        struct memory_record *r = &s->k->w[side].records[i];
        if (r->gone || people_uid(r) != uid)
            continue;
        if (found)
            return NULL;
        found = r;
    }
    return found;
}

/* --- the truth --- */

static bool same(const char *x, const char *y)
{
    char a[40], b[40];
    people_gist(x, a);
    people_gist(y, b);
    return strcmp(a, b) == 0;
}

static bool stands(struct sim *s, int side, const struct edit *e)
{
    const struct memory_record *r = people_find(s, side, e->uid);
    return r && same(memory_field(r, field_names[e->field]), e->text);
}

/* Whoever did this on that side saw what stood there, and knew what was written there before. */
static void supersede(struct sim *s, int side, int uid, int field, const char *seen, bool goes)
{
    for (size_t i = 0; i < s->truth.n_edits; i++) {
        struct edit *e = &s->truth.edits[i];
        /* the target of a one-way pair has no say in what its source still holds */
        bool outranks = side == 0 || s->script->choice[CHOICE_MODE] == 0 || !stands(s, 0, e);
        bool bare = !*e->text || strcmp(e->text, "~") == 0; /* two people may have come to that */
        if (e->uid != uid || e->field != field || (e->side != side && (!outranks || bare || !same(e->text, seen))))
            continue;
        e->replaced = true;
        e->superseded |= goes || !s->truth.unsure || !stands(s, 1 - side, e);
    }
}

static void note(struct sim *s, int side, int uid, int field, const char *seen, const char *text)
{
    if (s->truth.n_edits == SIM_EDITS)
        return;
    supersede(s, side, uid, field, seen, false);
    struct edit *e = &s->truth.edits[s->truth.n_edits++];
    *e = (struct edit){.side = (uint8_t)side, .uid = (uint8_t)uid, .field = (uint8_t)field};
    snprintf(e->text, sizeof e->text, "%s", text);
    s->stats->edits++;
}

void people_unsure(struct sim *s)
{
    for (size_t i = 0; i < s->truth.n_edits; i++) {
        struct edit *e = &s->truth.edits[i];
        if (stands(s, 0, e) || stands(s, 1, e))
            e->superseded = false;
    }
    s->truth.unsure = true;
}

/* --- what they write --- */

static void value_of(const struct step *t, int field, int serial, char out[40])
{
    static const char *const tails[] = {"", " ", " and more", " \xc3\xa9\xe2\x82\xac", "&", " a&b "};
    if (field == FIELD_KEY)
        snprintf(out, 40, "k%d", serial);
    else if (t->kind == STEP_EDIT && t->n == 0)
        snprintf(out, 40, "~");
    else if (field == FIELD_N)
        snprintf(out, 40, "#%d%02d", serial, serial * 7 % 100);
    else if (t->kind == STEP_EDIT && t->n == 1)
        out[0] = '\0';
    else if (t->kind == STEP_EDIT && t->n == 2) /* which every system stores as it is */
        snprintf(out, 40, "v%d", serial);
    else
        snprintf(out, 40, "%c%d%s", serial % 3 ? 'v' : 'V', serial,
                 tails[(size_t)serial % (sizeof tails / sizeof *tails)]);
}

static void put(struct sim *s, int side, const char *id, int uid, int field, const char *text)
{
    char fields[120];
    const struct memory_record *r = memory_find(&s->k->w[side], id);
    note(s, side, uid, field, r ? memory_field(r, field_names[field]) : NULL, text);
    snprintf(fields, sizeof fields, "uid=u%d;%s=%s", uid, field_names[field], text);
    memory_put(&s->k->w[side], id, fields);
}

static void put_all(struct sim *s, const struct step *t, const char *id, int uid)
{
    char text[40];
    for (int field = 0; field < N_FIELDS; field++) {
        value_of(t, field, t->serial + field, text);
        put(s, t->side, id, uid, field, text);
    }
    snprintf(text, sizeof text, "own=%c%d", 'a' + t->side, uid);
    memory_put(&s->k->w[t->side], id, text);
    s->truth.created[uid] = true;
}

void people_create(struct sim *s, const struct step *t)
{
    char id[24];
    snprintf(id, sizeof id, "%c%d", t->n ? 'a' + t->side : 'a', t->uid);
    if (!memory_find(&s->k->w[t->side], id) && s->k->w[t->side].n_records < MEMORY_RECORDS - 8)
        put_all(s, t, id, t->uid);
}

void people_edit(struct sim *s, const struct step *t)
{
    char text[40];
    const struct memory_record *r = people_find(s, t->side, t->uid);
    if (!r)
        return;
    value_of(t, t->field, t->serial, text);
    put(s, t->side, r->id, t->uid, t->field, text);
}

static void forget(struct sim *s, int side, const struct memory_record *r)
{
    int uid = people_uid(r);
    s->truth.deleted[side][uid] = true;
    for (int field = 0; field < N_FIELDS; field++)
        supersede(s, side, uid, field, memory_field(r, field_names[field]), true);
}

void people_delete(struct sim *s, int side, int uid)
{
    const struct memory_record *r = people_find(s, side, uid);
    if (!r)
        return;
    forget(s, side, r);
    memory_remove(&s->k->w[side], r->id);
}

void people_swap_keys(struct sim *s, const struct step *t)
{
    const struct memory_record *r[2] = {people_find(s, t->side, t->uid), people_find(s, t->side, t->field)};
    char key[2][40];
    if (!r[0] || !r[1] || r[0] == r[1])
        return;
    for (int i = 0; i < 2; i++)
        snprintf(key[i], sizeof key[i], "%s", memory_field(r[i], "key") ? memory_field(r[i], "key") : "~");
    put(s, t->side, r[0]->id, t->uid, FIELD_KEY, key[1]);
    put(s, t->side, r[1]->id, t->field, FIELD_KEY, key[0]);
}

void people_merge(struct sim *s, const struct step *t)
{
    const struct memory_record *into = people_find(s, t->side, t->uid), *r = people_find(s, t->side, t->field);
    if (!r || !into || r == into)
        return;
    forget(s, t->side, r);
    memory_merge(&s->k->w[t->side], r->id, into->id);
}

void people_reuse_id(struct sim *s, const struct step *t)
{
    char id[MEMORY_ID];
    const struct memory_record *r = people_find(s, t->side, t->uid);
    if (!r)
        return;
    snprintf(id, sizeof id, "%s", r->id);
    for (int i = 0; i < 2; i++) {
        int uid = i ? t->field : t->uid;
        s->truth.loose[uid] = s->truth.returned[uid] = s->truth.any_loose = true;
    }
    people_delete(s, t->side, t->uid);
    put_all(s, t, id, t->field);
}

/* --- the collection goes back --- */

/* What stood there before the backup was put back is known to be given up; what stands there now was written then. */
static void note_restored(struct sim *s, int side, const struct memory_record *was, const struct memory_record *is,
                          bool told)
{
    int uid = people_uid(is ? is : was);
    if (uid < 0)
        return;
    if (!was || !is)
        s->truth.loose[uid] = s->truth.returned[uid] = s->truth.any_loose = true;
    else if (!told && was->now.version != is->now.version)
        s->truth.loose[uid] = true; /* its versions come again, for other contents */
    for (int field = 0; field < N_FIELDS; field++) {
        const char *before = was ? memory_field(was, field_names[field]) : NULL;
        const char *now = is ? memory_field(is, field_names[field]) : NULL;
        bool lacks = before && is && !now;
        if (lacks)
            s->truth.unreported[uid] |= (uint8_t)(1u << field);
        if (!is || lacks)
            supersede(s, side, uid, field, before, true);
        else if (!same(before, now))
            note(s, side, uid, field, before, now);
    }
}

void people_restore(struct sim *s, int side, bool told)
{
    struct memory_world *w = &s->k->w[side], *b = s->backup[side];
    if (!b)
        return;
    for (uint32_t i = 0; i < w->n_records; i++) {
        struct memory_record *was = &w->records[i], *is = memory_find(b, was->id);
        if (!was->gone || is)
            note_restored(s, side, was->gone ? NULL : was, is, told);
    }
    memcpy(w->records, b->records, sizeof w->records);
    w->n_records = b->n_records;
    w->sequence = b->sequence;
    w->timeline++;
}
