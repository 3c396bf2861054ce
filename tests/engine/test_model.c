/* SPDX-License-Identifier: MIT */
/* test_model.c - the write protocol as a model: no seed does harm, and without any one of its rules some seed does. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/check.h"
#include "model_tables.h"

enum { DEFAULT_SEEDS = 1600000, ABLATION_SEEDS = 200000, REPEATED_SEEDS = 50, MAX_SHOWN = 10 };

static struct {
    uint64_t seeds, crashes;
    unsigned caught;
} counts;

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void show(const struct model_setup *s, uint64_t seed, uint64_t broken)
{
    fprintf(stderr, "\n ");
    for (int i = 0; i < 64; i++)
        if (broken >> i & 1)
            fprintf(stderr, " I%d", i);
    fprintf(stderr, ": MODEL_SEED=%" PRIu64 " breaks it with %s\n", seed, s->name);
}

/* MODEL_SEEDS are split over the protocols; MODEL_SEED is one seed for each. */
static void test_protocol(void)
{
    uint64_t one = number("MODEL_SEED", 0), per = number("MODEL_SEEDS", check_scaled(DEFAULT_SEEDS)) / N_PROTOCOLS;
    uint64_t from = one ? one : 1, n = one ? 1 : per ? per : 1;
    unsigned bad = 0, events = 0;
    for (int p = 0; p < N_PROTOCOLS; p++)
        for (uint64_t seed = from; seed < from + n && bad < MAX_SHOWN; seed++) {
            struct model_result r = model_run(&protocols[p], seed);
            counts.seeds++;
            counts.crashes += r.crashes;
            events |= r.events;
            if (r.broken) {
                bad++;
                show(&protocols[p], seed, r.broken);
            }
        }
    CU_ASSERT_EQUAL(bad, 0);
    if (!one)
        CU_ASSERT_EQUAL(events, MODEL_ALL_EVENTS);
    check_cases(counts.seeds);
}

static bool breaks(const struct model_setup *setup, uint64_t seed, int invariant)
{
    return model_run(setup, seed).broken >> invariant & 1;
}

/* The first seed that breaks the invariant; 0: none. The whole protocol must not break it at any seed until there. */
static uint64_t first_harm(const struct ablation *a)
{
    struct model_setup less = a->setup;
    less.without = a->without;
    for (uint64_t seed = 1; seed <= ABLATION_SEEDS; seed++) {
        CU_ASSERT_FALSE(breaks(&a->setup, seed, a->breaks));
        if (breaks(&less, seed, a->breaks))
            return seed;
    }
    return 0;
}

static void test_ablations(void)
{
    for (int i = 0; i < N_ABLATIONS; i++) {
        uint64_t seed = first_harm(&ablations[i]);
        printf("\n  I%d: %s: %s %" PRIu64, ablations[i].breaks, ablations[i].name,
               seed ? "broken at seed" : "NOT broken at any seed to", seed ? seed : (uint64_t)ABLATION_SEEDS);
        counts.caught += seed != 0;
    }
    CU_ASSERT_EQUAL(counts.caught, N_ABLATIONS);
    check_cases(N_ABLATIONS);
    printf("\ncounts: model seeds %" PRIu64 ", crashes %" PRIu64 ", ablations %u of %d caught\n", counts.seeds,
           counts.crashes, counts.caught, N_ABLATIONS);
}

/* A rule that no row leaves out would be one that nothing shows to be needed. */
static void test_every_rule(void)
{
    unsigned left_out = 0;
    for (int i = 0; i < N_ABLATIONS; i++)
        left_out |= ablations[i].without;
    CU_ASSERT_EQUAL(left_out, MODEL_ALL_RULES);
}

static void test_same_seed(void)
{
    for (int p = 0; p < N_PROTOCOLS; p++)
        for (uint64_t seed = 1; seed <= REPEATED_SEEDS; seed++) {
            struct model_result a = model_run(&protocols[p], seed), b = model_run(&protocols[p], seed);
            CU_ASSERT_EQUAL(a.writes, b.writes);
            CU_ASSERT_EQUAL(a.crashes, b.crashes);
        }
}

static const struct check tests[] = {
    {"I17: a seed lives the same life again", test_same_seed},
    {"I2 I5 I11 I12 I13 I14 I19 I20 I22 I24 I26 I27 I28 I30 I31 I37 I38 I40: no seed breaks any", test_protocol},
    {"I2 I5 I11 I12 I13 I14 I19 I20 I22 I24 I26 I27 I28 I30 I31 I37 I38 I40: without any one rule of the protocol, "
     "some seed does",
     test_ablations},
    {"every rule of the protocol is left out once", test_every_rule},
};
CHECK_MAIN("model", tests)
