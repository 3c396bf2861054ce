/* SPDX-License-Identifier: MIT */
/* check_batch.c - checks of batches: each write for itself, none lost, none told twice. */
#include <string.h>

#include "certify.h"

enum { SOME = 6, MANY = 150 };

static void none(struct trial *t)
{
    struct sl_write nothing = plain(SL_DELETE, "x");
    write_many(t, &nothing, 0);
    if (t->e.code)
        wrong(t, "%s", t->e.text);
}

static void kinds(struct trial *t)
{
    const char *ids[2] = {0};
    struct sl_write writes[3] = {create_of(t, 4000)};
    struct sl_field f = main_field(t, 0);
    make_many(t, 2, ids);
    if (done(t) || !f.name)
        return;
    writes[1] = update_of(t, ids[0], sample(t, &f, 2000));
    writes[2] = plain(SL_DELETE, ids[1]);
    struct write_outcome *o = write_many(t, writes, t->o.batch_max && t->o.batch_max < 3 ? t->o.batch_max : 3);
    for (int i = 0; i < 3 && !(t->o.batch_max && t->o.batch_max < 3); i++)
        applied(t, &o[i], i == 0 ? "create of three writes" : i == 1 ? "update of three" : "delete of three");
}

static void many(struct trial *t)
{
    uint32_t n = most(t, MANY);
    const char **ids = arena_alloc(&t->a, n * sizeof *ids);
    struct listing l;
    make_many(t, n, ids);
    list_all(t, &l);
    for (uint32_t i = 0; i < n && !done(t); i++)
        if (!listed(&l, ids[i]))
            wrong(t, "%u creates are applied, and '%s' is not there", n, ids[i]);
    note(t, "%u records", n);
}

/* In the middle a write that must be refused: an update of a record that is not there. */
static void one_bad(struct trial *t)
{
    struct sl_field f = main_field(t, 0);
    const char *gone = make_one(t, 1000), *ids[SOME] = {0};
    struct sl_write away = plain(SL_DELETE, gone), writes[SOME];
    if (done(t) || !f.name || (t->o.batch_max && t->o.batch_max < SOME)) {
        left_out(t, "batches are smaller than %d", SOME);
        return;
    }
    write_one(t, &away);
    make_many(t, SOME, ids);
    for (uint32_t i = 0; i < SOME && !done(t); i++)
        writes[i] = update_of(t, i == 2 ? gone : ids[i], sample(t, &f, 2000 + i));
    struct write_outcome *o = done(t) ? NULL : write_many(t, writes, SOME);
    settle(t);
    for (uint32_t i = 0; o && i < SOME && !done(t); i++) {
        if (i == 2) {
            refused(t, &o[i], 0, "the bad one of six writes");
            continue;
        }
        const struct sl_record *r = read_record(t, ids[i]);
        bool stored = r && value_kept(&t->a, &writes[i].fields[0], record_field(r, f.name));
        if (o[i].result == SL_NOT_APPLIED && stored)
            wrong(t, "write %u beside a bad one is told as not applied, and is stored", i);
        else if (applied(t, &o[i], "a good write beside a bad one") && !stored)
            wrong(t, "write %u beside a bad one is told as applied, and is not stored", i);
    }
}

/* Each outcome belongs to its write. */
static void outcomes(struct trial *t)
{
    struct sl_write writes[SOME];
    for (uint32_t i = 0; i < SOME; i++)
        writes[i] = create_of(t, 1000 + i);
    if (t->o.batch_max && t->o.batch_max < SOME) {
        left_out(t, "batches are smaller than %d", SOME);
        return;
    }
    struct write_outcome *o = write_many(t, writes, SOME);
    for (uint32_t i = 0; i < SOME && !done(t); i++) {
        if (!applied(t, &o[i], "create") || !o[i].record)
            continue;
        const struct sl_value *v = writes[i].n_fields ? &writes[i].fields[0] : NULL;
        if (v && !value_kept(&t->a, v, record_field(o[i].record, v->name)))
            wrong(t, "the outcome of write %u is that of another", i);
    }
}

/* The host never sends such a batch. Which of the two comes last is left to a connector that sends its writes side by side. */
static void same_record(struct trial *t)
{
    struct sl_field f = main_field(t, 0);
    const char *id = make_one(t, 1000);
    struct sl_write writes[2];
    if (done(t) || !f.name || t->o.batch_max == 1) {
        left_out(t, "batches are of one write");
        return;
    }
    for (uint32_t i = 0; i < 2; i++)
        writes[i] = update_of(t, id, sample(t, &f, 2000 + i));
    struct write_outcome *o = write_many(t, writes, 2);
    const struct sl_record *r = read_record(t, id);
    const struct sl_value *held = r ? record_field(r, f.name) : NULL;
    bool claimed = false, stored = false;
    for (int i = 0; i < 2; i++) {
        claimed = claimed || o[i].result == SL_APPLIED;
        stored = stored || (o[i].result == SL_APPLIED && value_kept(&t->a, &writes[i].fields[0], held));
    }
    if (r && claimed && !stored)
        wrong(t, "two updates of one record: what is stored is neither of those applied");
}

static void full(struct trial *t)
{
    uint32_t n = t->o.batch_max ? t->o.batch_max : 100;
    n = most(t, n > 500 ? 500 : n);
    struct sl_write *writes = arena_alloc(&t->a, n * sizeof *writes);
    for (uint32_t i = 0; i < n; i++)
        writes[i] = create_of(t, 1000 + i);
    struct write_outcome *o = write_many(t, writes, n);
    for (uint32_t i = 0; i < n && !done(t); i++)
        applied(t, &o[i], "a create of the largest batch");
    note(t, "%u at once", n);
}

static void unknown_kind(struct trial *t)
{
    const char *id = make_one(t, 1000), *field = NULL;
    const struct sl_record *before = read_record(t, id);
    struct sl_write w = plain(99, id);
    if (done(t))
        return;
    struct write_outcome o = write_one(t, &w);
    if (o.result == SL_APPLIED)
        wrong(t, "a kind of write that does not exist is applied");
    const struct sl_record *after = read_record(t, id);
    if (after && !records_same(before, after, NULL, &field))
        wrong(t, "a kind of write that does not exist changed field %s", field);
}

#define ALL (SL_CAP_CREATE | SL_CAP_UPDATE | SL_CAP_DELETE)
const struct check checks_batch[] = {
    {"batch.none", "no writes are no error", SL_CAP_CREATE, FOR_ALL, none},
    {"batch.kinds", "creates, updates and deletes go together", ALL, FOR_ALL, kinds},
    {"batch.many", "everything of many creates is there", SL_CAP_CREATE | SL_CAP_COMPLETE, FOR_ALL, many},
    {"batch.full", "the largest batch is carried out", SL_CAP_CREATE, FOR_ALL, full},
    {"batch.one-bad", "one bad write hurts no other, and each is told truly", ALL, FOR_ALL, one_bad},
    {"batch.outcomes", "each outcome is that of its write", SL_CAP_CREATE, FOR_ALL, outcomes},
    {"batch.same-record", "two updates of one record do not mix", ALL, FOR_ALL, same_record},
    {"batch.unknown-kind", "a write of an unknown kind is not applied", ALL, FOR_ALL, unknown_kind},
    {0},
};
