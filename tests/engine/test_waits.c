/* SPDX-License-Identifier: MIT */
/* test_waits.c - what waits for a person says what is wrong and what to do: one row a sentence. */
#include <stdio.h>
#include <string.h>

#include "../unit/check.h"
#include "kit.h"
#include "sync/act.h"

/* A pair brought to rest with a0 and b0, edited, run; then the first entry of a list. */
struct row {
    const char *name, *pair, *a0, *b0, *a1, *b1;
    const char *reject; /* side b refuses writes of this id */
    bool lost; /* the reply to side b's first write is lost */
    int db;
    const char *reason;
};

static const struct row rows[] = {
    {"I4: a conflict", "fields=title", "1:title=x", NULL, "1:title=y", "1:title=z", NULL, false, DB_CONFLICTS,
     "changed on both sides; take a or b, or give a value, with `syncline conflicts resolve`"},
    {"I39: drift", "mode=one_way fields=title", "1:title=x", NULL, NULL, "1:title=z", NULL, false, DB_CONFLICTS,
     "changed on the side that does not own it; take a or b with `syncline conflicts resolve`"},
    {"I30: an ambiguous key", "match=k fields=k,title first=match_or_create", NULL, NULL, "1:k=p", "7:k=p | 8:k=p",
     NULL, false, DB_CONFLICTS,
     "matches more than one record (1 on side a, 7, 8 on side b); link by hand: `syncline link pair A B`"},
    {"I23: a value without an entry", "fields=status values=status:open~todo", "1:status=open", NULL, "1:status=lost",
     NULL, NULL, false, DB_PARKED,
     "field status: \"lost\" has no entry in `values`; add it to `values` or give `otherwise`"},
    {"I23: a refused write", "fields=title", "1:title=x", NULL, "1:title=y", NULL, "1", false, DB_PARKED,
     "refused, as it was told; correct the record"},
    {"I19: a create that nobody can tell", "tier=none fields=title", NULL, NULL, "1:title=x", NULL, NULL, true,
     DB_PARKED,
     "a create may or may not have been carried out and the system cannot tell; look there, then link it or retry"},
};

static struct kit *play(const struct row *r)
{
    struct kit *k = kit_new(r->pair, false);
    for (int s = 0; s < 2; s++) {
        k->w[s].conditional = 1;
        k->w[s].reserved_ids = !k->no_tier;
    }
    if (r->a0) {
        kit_edit(k, 0, r->a0);
        kit_edit(k, 1, r->b0);
        CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    }
    kit_edit(k, 0, r->a1);
    kit_tick(k, 5000);
    kit_edit(k, 1, r->b1);
    snprintf(k->w[1].reject, sizeof k->w[1].reject, "%s", r->reject ? r->reject : "");
    k->w[1].lose_reply_in = r->lost;
    kit_run(k);
    kit_run(k);
    return k;
}

static void check_row(const struct row *r)
{
    struct arena a = {0};
    struct run_env env;
    struct wait_row w = {.reason = "(nothing waits)"};
    struct kit *k = play(r);
    if (kit_open(k, &env) == 0)
        act_waits(env.store, r->db, 0, &a, &w, 1, &k->e);
    kit_close(k, &env);
    if (strcmp(w.reason, r->reason) != 0)
        fprintf(stderr, "\n  %s\n    want %s\n    got  %s\n", r->name, r->reason, w.reason);
    CU_ASSERT_STRING_EQUAL(w.reason, r->reason);
    CU_ASSERT_PTR_NULL(strchr(w.reason, '\n'));
    check_ran(1, r->name);
    arena_fini(&a);
    kit_free(k);
}

static void test_reasons(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_row(&rows[i]);
}

static const struct check tests[] = {
    {"what waits says why and what to do", test_reasons},
};
CHECK_MAIN("waits", tests)
