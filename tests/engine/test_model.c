/* SPDX-License-Identifier: MIT */
/* test_model.c - the write protocol as a model: no seed does harm, and without any one of its rules some seed does. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/check.h"
#include "model.h"

enum { DEFAULT_SEEDS = 200000, ABLATION_SEEDS = 100000, MAX_SHOWN = 10 };

static const struct model_setup protocols[] = {
    {.name = "T1", .idempotent = true, .versions = true},
    {.name = "T2 without versions"},
    {.name = "T1, both sides normalise",
     .idempotent = true,
     .versions = true,
     .both_normalise = true,
     .declared = true},
    {.name = "T2 without versions, both sides normalise", .both_normalise = true, .declared = true},
};
enum { N_PROTOCOLS = sizeof protocols / sizeof *protocols };

/* What the absence of each rule does, with a setup in which the whole protocol never does that. */
struct ablation {
    struct model_setup setup;
    size_t harm;
};
#define HARM(kind) offsetof(struct model_result, kind)

static const struct ablation ablations[] = {
    {{.name = "no journal", .idempotent = true, .versions = true, .without = MODEL_JOURNAL}, HARM(duplicates)},
    {{.name = "no settle time", .without = MODEL_SETTLE}, HARM(duplicates)},
    {{.name = "late delivery later than declared", .without = MODEL_TRUE_LATENESS}, HARM(duplicates)},
    {{.name = "no overlap", .idempotent = true, .versions = true, .without = MODEL_OVERLAP}, HARM(missing)},
    {{.name = "cursor before capture", .idempotent = true, .versions = true, .without = MODEL_CAPTURE_BEFORE_CURSOR},
     HARM(unconverged)},
    {{.name = "one base for both sides",
      .idempotent = true,
      .versions = true,
      .both_normalise = true,
      .without = MODEL_BASE_PER_SIDE},
     HARM(ping_pong)},
    {{.name = "unexplained reads absorbed", .idempotent = true, .versions = true, .without = MODEL_UNEXPLAINED},
     HARM(unconverged)},
    {{.name = "all-or-nothing recovery", .idempotent = true, .versions = true, .without = MODEL_PER_FIELD}, HARM(lost)},
    {{.name = "no guard against stale reads", .idempotent = true, .versions = true, .without = MODEL_STALE_GUARD},
     HARM(lost)},
    {{.name = "no conditional write", .idempotent = true, .versions = true, .without = MODEL_CONDITIONAL}, HARM(lost)},
};
enum { N_ABLATIONS = sizeof ablations / sizeof *ablations };

static struct {
    uint64_t seeds, crashes;
    unsigned caught;
} counts;

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void show(const struct model_setup *s, uint64_t seed, const struct model_result *r)
{
    fprintf(stderr, "\n  MODEL_SEED=%llu %s: duplicates %u, missing %u, not converged %u, ping-pong %u, lost %u\n",
            (unsigned long long)seed, s->name, r->duplicates, r->missing, r->unconverged, r->ping_pong, r->lost);
}

/* MODEL_SEEDS are split over the protocols; MODEL_SEED is one seed for each. */
static void test_protocol(void)
{
    uint64_t one = number("MODEL_SEED", 0), per = number("MODEL_SEEDS", DEFAULT_SEEDS) / N_PROTOCOLS;
    uint64_t from = one ? one : 1, n = one ? 1 : per ? per : 1;
    unsigned bad = 0;
    for (int p = 0; p < N_PROTOCOLS; p++)
        for (uint64_t seed = from; seed < from + n && bad < MAX_SHOWN; seed++) {
            struct model_result r = model_run(&protocols[p], seed);
            counts.seeds++;
            counts.crashes += r.crashes;
            if (model_damaged(&r)) {
                bad++;
                show(&protocols[p], seed, &r);
            }
        }
    CU_ASSERT_EQUAL(bad, 0);
}

static bool does(const struct model_setup *setup, uint64_t seed, size_t harm)
{
    struct model_result r = model_run(setup, seed);
    return *(const unsigned *)(const void *)((const char *)&r + harm) != 0;
}

/* The first seed at which the harm is done; 0: none. The whole protocol must not do it at any seed until there. */
static uint64_t first_harm(const struct ablation *a)
{
    struct model_setup whole = a->setup;
    whole.without = 0;
    for (uint64_t seed = 1; seed <= ABLATION_SEEDS; seed++) {
        CU_ASSERT_FALSE(does(&whole, seed, a->harm));
        if (does(&a->setup, seed, a->harm))
            return seed;
    }
    return 0;
}

static void test_ablations(void)
{
    for (int i = 0; i < N_ABLATIONS; i++) {
        if (first_harm(&ablations[i]))
            counts.caught++;
        else
            fprintf(stderr, "\n  %s: no harm in %d seeds\n", ablations[i].setup.name, ABLATION_SEEDS);
    }
    CU_ASSERT_EQUAL(counts.caught, N_ABLATIONS);
    printf("counts: model seeds %llu, crashes %llu, ablations caught %u of %d\n", (unsigned long long)counts.seeds,
           (unsigned long long)counts.crashes, counts.caught, N_ABLATIONS);
}

static void test_same_seed(void)
{
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct model_result a = model_run(&protocols[0], seed), b = model_run(&protocols[0], seed);
        CU_ASSERT_EQUAL(a.writes, b.writes);
        CU_ASSERT_EQUAL(a.crashes, b.crashes);
    }
}

static const struct check tests[] = {
    {"I17: a seed lives the same life again", test_same_seed},
    {"I11 I12 I13 I14 I19 I20 I22 I24: no seed duplicates, misses, parts, ping-pongs or silently loses an edit",
     test_protocol},
    {"I11 I12 I19 I22 I24: without any one rule of the protocol, some seed does", test_ablations},
};
CHECK_MAIN("model", tests)
