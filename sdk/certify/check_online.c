/* SPDX-License-Identifier: MIT */
/* check_online.c - checks of an API that misbehaves: replies lost after the effect, answers that are none, listings cut short. */
#include <stdio.h>
#include <string.h>

#include "certify.h"

enum { SOME = 5 };

static void strike(struct trial *t, const char *knobs)
{
    if (!done(t) && !own_peer_order(&t->subject->peer, "knobs", knobs))
        wrong(t, "the simulated API takes no orders; build it anew");
}

static void calm(struct trial *t)
{
    if (!own_peer_order(&t->subject->peer, "calm", "{}"))
        wrong(t, "the simulated API takes no orders; build it anew");
}

/* In a session of its own: one that has met many faults does not ask for a while. */
static void open_again(struct trial *t)
{
    session_close(t->s);
    t->s = trial_session(t);
}

/* What is lost or refused is no fault of the connector; only what it says of it must be true. */
static void forgive(struct trial *t)
{
    t->wrong = false;
    t->said[0] = '\0';
}

static uint32_t count_of(struct trial *t, const struct sl_write *w)
{
    struct listing l;
    uint32_t n = 0;
    settle(t);
    list_all(t, &l);
    for (uint32_t i = 0; i < l.n && !done(t); i++)
        n += l.items[i].record && l.items[i].record->correlation &&
             strcmp(l.items[i].record->correlation, w->correlation) == 0;
    return n;
}

/* A create under a fault, then as the host goes on: looked up, repeated where that is safe, and in the end there once. */
static void create_struck(struct trial *t, const char *knobs, bool effect)
{
    struct sl_write w = create_of(t, 1000);
    struct listing found = {0};
    struct sl_find find = {.object = t->o.name, .correlation = w.correlation};
    strike(t, knobs);
    struct write_outcome o = done(t) ? (struct write_outcome){0} : write_one(t, &w);
    calm(t);
    uint32_t n = count_of(t, &w);
    if (!done(t) && o.result == SL_NOT_APPLIED && n)
        wrong(t, "the create was carried out and is told as not applied: %s", o.message ? o.message : "");
    if (!done(t) && o.result == SL_APPLIED && n != 1)
        wrong(t, "the create is told as applied, and is there %u times", n);
    if (!done(t) && effect && !n)
        wrong(t, "the create took effect, and is in no listing");
    if (!done(t) && can(t, SL_CAP_FIND_CORRELATION) && (find_by(t, &find, &found) || found.n != n))
        wrong(t, "of %u records with its key, %u are found: %s", n, found.n, t->e.text);
    if (!done(t) && can(t, SL_CAP_IDEMPOTENT)) {
        w.flags = SL_WRITE_REPEAT;
        o = write_one(t, &w);
        applied(t, &o, "the create repeated under its key");
        n = count_of(t, &w);
    }
    if (!done(t) && n > 1)
        wrong(t, "one create is there %u times", n);
    if (found.n)
        made(t, found.items[0].id);
}

static void reply_lost(struct trial *t)
{
    create_struck(t, "{\"the reply is lost\": 1}", true);
}

static void request_lost(struct trial *t)
{
    create_struck(t, "{\"the request is lost\": 1}", false);
}

static void failed_after(struct trial *t)
{
    create_struck(t, "{\"5xx after the effect\": 1}", true);
}

static void refused_busy(struct trial *t)
{
    create_struck(t, "{\"429 for a write\": 1}", false);
}

static void answer_short(struct trial *t)
{
    create_struck(t, "{\"answers without the record\": true}", true);
}

/* An update whose answer is lost or a 5xx: never told as not applied, for it was. */
static void update_struck(struct trial *t, const char *knobs)
{
    struct sl_field f = main_field(t, 0);
    const char *id = f.name ? make_one(t, 1000) : NULL;
    if (!id) {
        left_out(t, "no field can be written");
        return;
    }
    struct sl_value v = sample(t, &f, 2000);
    struct sl_write w = update_of(t, id, v);
    strike(t, knobs);
    struct write_outcome o = done(t) ? (struct write_outcome){0} : write_one(t, &w);
    calm(t);
    settle(t);
    const struct sl_record *r = read_record(t, id);
    bool there = r && value_kept(&t->a, &v, record_field(r, f.name));
    if (!done(t) && there && o.result == SL_NOT_APPLIED)
        wrong(t, "the update was carried out and is told as not applied: %s", o.message ? o.message : "");
    if (!done(t) && !there && o.result == SL_APPLIED)
        wrong(t, "the update is told as applied, and was not carried out");
}

static void update_reply_lost(struct trial *t)
{
    update_struck(t, "{\"the reply is lost\": 1}");
}

static void update_failed_after(struct trial *t)
{
    update_struck(t, "{\"5xx after the effect\": 1}");
}

/* Reads under a fault: refused or right, never a tombstone for what is there. */
static void reads_struck(struct trial *t)
{
    static const char *const faults[] = {"5xx", "403", "401", "an answer without content", "an answer that is no JSON"};
    const char *ids[3] = {0};
    make_many(t, 3, ids);
    for (size_t f = 0; f < sizeof faults / sizeof *faults && !done(t); f++) {
        char knobs[100];
        snprintf(knobs, sizeof knobs, "{\"%s\": {\"of_1000\": 1000}}", faults[f]);
        strike(t, knobs);
        struct listing l = done(t) ? (struct listing){0} : get_ids(t, ids, 3);
        forgive(t);
        calm(t);
        open_again(t);
        for (uint32_t i = 0; i < l.n; i++)
            if (l.items[i].kind == SL_ITEM_TOMBSTONE || l.items[i].kind == SL_ITEM_RECORD)
                wrong(t, "%s: get says that '%s' is %s", faults[f], l.items[i].id,
                      l.items[i].kind == SL_ITEM_RECORD ? "read" : "not there");
    }
    read_record(t, ids[0]);
}

/* A listing under a fault fails, begins anew, or holds everything. */
static void list_struck(struct trial *t, const char *const *faults, size_t n, const char *also)
{
    const char *ids[SOME] = {0};
    make_many(t, SOME, ids);
    for (size_t f = 0; f < n && !done(t); f++) {
        struct listing l = {0};
        char knobs[200];
        snprintf(knobs, sizeof knobs, "{\"%s\": %s, \"small pages\": 2}", faults[f], also);
        strike(t, knobs);
        list_all(t, &l);
        bool failed = t->wrong;
        forgive(t);
        calm(t);
        open_again(t);
        for (uint32_t i = 0; i < SOME && !failed && l.end.kind == SL_PAGE_COMPLETE; i++)
            if (!listed(&l, ids[i]))
                wrong(t, "%s: a listing is COMPLETE without '%s'", faults[f], ids[i]);
    }
    read_record(t, ids[0]);
}

static void lists_without(struct trial *t)
{
    static const char *const faults[] = {"5xx",
                                         "403",
                                         "an answer without content",
                                         "an answer that is no JSON",
                                         "the cursor expires",
                                         "pages in a circle"};
    list_struck(t, faults, sizeof faults / sizeof *faults, "{\"of_1000\": 1000}");
}

static void lists_later(struct trial *t)
{
    static const char *const faults[] = {"5xx", "403", "an answer without content", "an answer that is no JSON",
                                         "rows repeated between pages"};
    list_struck(t, faults, sizeof faults / sizeof *faults, "2");
}

static int ignore(void *self, const struct sl_item *item)
{
    (void)self, (void)item;
    return 0;
}

static void auth_refused(struct trial *t)
{
    struct sl_pull pull = {.object = t->o.name};
    struct page_end end;
    strike(t, "{\"401\": {\"of_1000\": 1000}}");
    if (done(t))
        return;
    int rc = session_pull(t->s, &pull, (struct session_sink){NULL, ignore}, &t->a, &end, &t->e);
    calm(t);
    if (rc != SL_AUTH)
        wrong(t, "the server refuses the credentials, and the listing says: %s", rc ? t->e.text : "done");
}

const struct check checks_online[] = {
    {"online.reply-lost", "a create whose reply is lost is not told as not applied, and is there once", SL_CAP_CREATE,
     ONLINE, reply_lost},
    {"online.request-lost", "nor is one whose request is lost told as applied", SL_CAP_CREATE, ONLINE, request_lost},
    {"online.failed-after", "a 5xx after the effect is not taken for a refusal", SL_CAP_CREATE, ONLINE, failed_after},
    {"online.busy", "a 429 is waited out or told, and doubles nothing", SL_CAP_CREATE, ONLINE, refused_busy},
    {"online.answer-short", "an answer without the record is completed by a read", SL_CAP_CREATE, ONLINE, answer_short},
    {"online.update-lost", "an update whose reply is lost is not told as not applied", SL_CAP_CREATE | SL_CAP_UPDATE,
     ONLINE, update_reply_lost},
    {"online.update-after", "nor one that a 5xx came after", SL_CAP_CREATE | SL_CAP_UPDATE, ONLINE,
     update_failed_after},
    {"online.get", "an answer that is none tells of no record as gone", SL_CAP_CREATE | SL_CAP_GET, ONLINE,
     reads_struck},
    {"online.list", "nor makes a listing that is whole without it", SL_CAP_CREATE | SL_CAP_COMPLETE, ONLINE,
     lists_without},
    {"online.list-later", "nor on a later page", SL_CAP_CREATE | SL_CAP_COMPLETE, ONLINE, lists_later},
    {"online.auth", "credentials that are refused are told as that", 0, ONLINE, auth_refused},
    {0},
};
