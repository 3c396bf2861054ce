/* SPDX-License-Identifier: MIT */
/* test_schedule.c - the daemon's schedule under a simulated clock: due times, jitter, backoff, wakes, jumps, a config that changes. */
#include <string.h>

#include "check.h"
#include "base/text.h"
#include "daemon/schedule.h"

enum { MANY = 5000, MINUTE = 60000, HOUR = 60 * MINUTE };

static char names[MANY][16];
static struct schedule_want wants[MANY];

static void want(size_t n, int64_t every_ms)
{
    for (size_t i = 0; i < n; i++) {
        snprintf(names[i], sizeof names[i], "pair-%u", (unsigned)i % MANY);
        wants[i] = (struct schedule_want){names[i], every_ms, 0, -1};
    }
}

/* One pair, whose first run is behind it at time 0. */
static struct schedule *one(int64_t every_ms, int64_t verify_ms)
{
    struct schedule *s = schedule_new(7);
    want(1, every_ms);
    wants[0].verify_every_ms = verify_ms;
    wants[0].verified_ago_ms = 0;
    schedule_set(s, wants, 1, -20);
    struct schedule_unit *u = schedule_take(s, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(u);
    schedule_done(s, u, SCHEDULE_OK, 0);
    return s;
}

static size_t number(const struct schedule_unit *u)
{
    return (size_t)atoi(u->name + strlen("pair-"));
}

/* Every pair runs once an interval, none is left out, and the starts are spread over it. */
static void many_pairs(void)
{
    static unsigned runs[MANY];
    unsigned most = 0, total = 0;
    struct schedule *s = schedule_new(1);
    memset(runs, 0, sizeof runs);
    want(MANY, MINUTE);
    schedule_set(s, wants, MANY, 1000);
    for (int64_t now = 1000; now < 1000 + 10 * MINUTE; now += 100) {
        unsigned at_once = 0;
        for (struct schedule_unit *u = schedule_take(s, now); u; u = schedule_take(s, now)) {
            runs[number(u)]++;
            total++;
            at_once++;
            schedule_done(s, u, SCHEDULE_OK, now);
        }
        most = at_once > most ? at_once : most;
    }
    for (size_t i = 0; i < MANY; i++)
        CU_ASSERT(runs[i] >= 9 && runs[i] <= 11);
    CU_ASSERT(most < 5 * MANY / 600);
    check_cases(total);
    schedule_free(s);
}

/* The first of those that are due at once is the first of the config. */
static void order_of_the_config(void)
{
    struct schedule *s = schedule_new(1);
    want(100, HOUR);
    schedule_set(s, wants, 100, 0);
    for (size_t i = 0; i < 100; i++) {
        struct schedule_unit *u = schedule_take(s, 2 * HOUR);
        schedule_done(s, u, SCHEDULE_OK, 2 * HOUR);
    }
    for (size_t i = 100; i-- > 0;)
        CU_ASSERT_TRUE(schedule_wake(s, names[i], 2 * HOUR));
    for (size_t i = 0; i < 100; i++) {
        struct schedule_unit *u = schedule_take(s, 2 * HOUR);
        CU_ASSERT_PTR_NOT_NULL_FATAL(u);
        CU_ASSERT_EQUAL(number(u), i);
        schedule_done(s, u, SCHEDULE_OK, 2 * HOUR);
    }
    schedule_free(s);
}

/* The jitter is the name's: a host that starts anew keeps each pair's slot. */
static void slots_stay(void)
{
    int64_t due[2] = {0};
    for (int i = 0; i < 2; i++) {
        struct schedule *s = one(MINUTE, 0);
        struct schedule_unit *u = schedule_take(s, 3 * MINUTE + i * 11);
        schedule_done(s, u, SCHEDULE_OK, 3 * MINUTE + 500 + i * 77);
        due[i] = schedule_find(s, "pair-0")->due_ms;
        schedule_free(s);
    }
    CU_ASSERT_EQUAL(due[0], due[1]);
    CU_ASSERT(due[0] > 3 * MINUTE + MINUTE / 2);
}

/* A run that is longer than the interval is followed by one, not by those that were missed. */
static void long_run(void)
{
    struct schedule *s = one(MINUTE, 0);
    struct schedule_unit *u = schedule_take(s, 2 * MINUTE);
    CU_ASSERT_PTR_NULL(schedule_take(s, 12 * MINUTE));
    schedule_done(s, u, SCHEDULE_OK, 12 * MINUTE);
    int64_t wait = schedule_wait(s, 12 * MINUTE);
    CU_ASSERT(wait > 0 && wait <= MINUTE);
    schedule_free(s);
}

/* A suspend: each pair runs once, and is spread again behind it. */
static void an_hour_ahead(void)
{
    unsigned runs = 0;
    struct schedule *s = schedule_new(1);
    want(1000, MINUTE);
    schedule_set(s, wants, 1000, 0);
    for (int64_t now = 0; now < 2 * MINUTE; now += 10)
        for (struct schedule_unit *u = schedule_take(s, now); u; u = schedule_take(s, now))
            schedule_done(s, u, SCHEDULE_OK, now);
    int64_t after = 2 * MINUTE + HOUR;
    for (struct schedule_unit *u = schedule_take(s, after); u; u = schedule_take(s, after)) {
        schedule_done(s, u, SCHEDULE_OK, after);
        runs++;
    }
    CU_ASSERT_EQUAL(runs, 1000);
    runs = 0;
    for (int64_t now = after; now < after + MINUTE / 2; now += 10)
        for (struct schedule_unit *u = schedule_take(s, now); u; u = schedule_take(s, now), runs++)
            schedule_done(s, u, SCHEDULE_OK, now);
    CU_ASSERT(runs < 50); /* half an interval lies between two starts */
    schedule_free(s);
}

/* A clock that is put back neither stops a pair nor makes it run again at once. */
static void a_day_back(void)
{
    struct schedule *s = one(MINUTE, 0);
    int64_t wait = schedule_wait(s, 0);
    CU_ASSERT(wait > 0 && wait <= 2 * MINUTE);
    CU_ASSERT_EQUAL(schedule_wait(s, -24 * (int64_t)HOUR), wait);
    struct schedule_unit *u = schedule_take(s, -24 * (int64_t)HOUR + wait);
    CU_ASSERT_PTR_NOT_NULL_FATAL(u);
    schedule_done(s, u, SCHEDULE_OK, -25 * (int64_t)HOUR); /* and once more while it runs */
    wait = schedule_wait(s, -25 * (int64_t)HOUR);
    CU_ASSERT(wait > 0 && wait <= 2 * MINUTE);
    schedule_free(s);
}

/* After failures a pair waits longer and longer, up to the cap, at random; a run that ends well makes that forgotten. */
static void backs_off(void)
{
    enum { CAP = 15 * MINUTE };
    int64_t now = 0, longest = 0, shortest = INT64_MAX;
    struct schedule *s = one(MINUTE, 0);
    for (int i = 0; i < 200; i++) {
        now += schedule_wait(s, now);
        struct schedule_unit *u = schedule_take(s, now);
        CU_ASSERT_PTR_NOT_NULL_FATAL(u);
        schedule_done(s, u, SCHEDULE_FAILED, now);
        int64_t wait = schedule_wait(s, now);
        CU_ASSERT(wait >= 500 && wait < CAP + 1000);
        CU_ASSERT(i > 0 || wait < 1500);
        longest = i > 20 && wait > longest ? wait : longest;
        shortest = i > 20 && wait < shortest ? wait : shortest;
    }
    CU_ASSERT(longest > CAP / 2);
    CU_ASSERT(shortest < CAP / 4);
    now += schedule_wait(s, now);
    schedule_done(s, schedule_take(s, now), SCHEDULE_OK, now);
    CU_ASSERT(schedule_wait(s, now) <= 2 * MINUTE);
    CU_ASSERT_EQUAL(schedule_find(s, "pair-0")->failures, 0);
    schedule_free(s);
}

static int64_t wait_after(struct schedule *s, int64_t now, int64_t left_ms, int outcome)
{
    struct schedule_unit *u = schedule_take(s, now);
    CU_ASSERT_PTR_NOT_NULL_FATAL(u);
    if (left_ms >= 0)
        schedule_left(u, left_ms);
    schedule_done(s, u, outcome, now);
    return schedule_wait(s, now);
}

/* A write in doubt that can be settled in 130 s does not wait for an interval of a day, nor does it make the pair run all the time. */
static void goes_on(void)
{
    struct schedule *s = one(24 * HOUR, 0);
    int64_t now = 48 * (int64_t)HOUR;
    CU_ASSERT_EQUAL(wait_after(s, now, 130000, SCHEDULE_OK), 130000);
    CU_ASSERT_PTR_NULL(schedule_take(s, now + 129999));
    now += 130000;
    CU_ASSERT(wait_after(s, now, -1, SCHEDULE_OK) > HOUR);
    now += 48 * (int64_t)HOUR;
    int64_t longest = 0;
    for (int i = 0; i < 30; i++) {
        int64_t wait = wait_after(s, now, 0, SCHEDULE_OK);
        CU_ASSERT(wait >= 1000 && wait >= longest && wait <= 15 * MINUTE);
        longest = wait;
        now += wait;
    }
    CU_ASSERT_EQUAL(longest, 15 * MINUTE);
    CU_ASSERT(wait_after(s, now, -1, SCHEDULE_OK) > HOUR);
    now += 48 * (int64_t)HOUR;
    CU_ASSERT_EQUAL(wait_after(s, now, 0, SCHEDULE_OK), 1000); /* counted anew */
    CU_ASSERT(wait_after(s, now + 1000, 12 * (int64_t)HOUR, SCHEDULE_FAILED) < MINUTE); /* a failure has its own wait */
    schedule_free(s);
}

/* It is one run with the pair's own when that comes first, and a hint is not held up by it. */
static void goes_on_at_the_latest(void)
{
    struct schedule *s = one(MINUTE, 0);
    int64_t now = 2 * (int64_t)HOUR;
    CU_ASSERT(wait_after(s, now, HOUR, SCHEDULE_OK) <= 2 * MINUTE);
    now += 10 * MINUTE;
    wait_after(s, now, 20000, SCHEDULE_OK);
    CU_ASSERT_TRUE(schedule_wake(s, "pair-0", now));
    CU_ASSERT_EQUAL(schedule_wait(s, now), 0);
    schedule_free(s);
}

/* A pair that somebody else holds is looked at again soon, and its backoff does not grow. */
static void held(void)
{
    struct schedule *s = one(HOUR, 0);
    for (int64_t now = 2 * HOUR; now < 2 * HOUR + 5000; now += 1000) {
        struct schedule_unit *u = schedule_take(s, now);
        CU_ASSERT_PTR_NOT_NULL_FATAL(u);
        schedule_done(s, u, SCHEDULE_BUSY, now);
        CU_ASSERT_EQUAL(schedule_wait(s, now), 1000);
        CU_ASSERT_TRUE(schedule_wake(s, "pair-0", now));
        CU_ASSERT_EQUAL(schedule_wait(s, now), 1000);
    }
    CU_ASSERT_EQUAL(schedule_find(s, "pair-0")->failures, 0);
    schedule_free(s);
}

/* A thousand hints are one run; those that come while it runs are one more; backoff goes before them. */
/* A pair that is put off holds no other up, and a config that is taken in begins it soon. */
static void put_off(void)
{
    struct schedule *s = schedule_new(7);
    want(2, 1000);
    schedule_set(s, wants, 2, 0);
    const char *first = schedule_peek(s, 5000)->name;
    schedule_put_off(s, 5000 + HOUR);
    CU_ASSERT_STRING_NOT_EQUAL(schedule_peek(s, 5000)->name, first);
    schedule_put_off(s, 5000 + 2 * (int64_t)HOUR);
    CU_ASSERT_PTR_NULL(schedule_peek(s, 4999 + HOUR));
    CU_ASSERT_STRING_EQUAL(schedule_peek(s, 5000 + HOUR)->name, first);
    schedule_put_off(s, 5000 + 3 * (int64_t)HOUR);
    schedule_set(s, wants, 2, 6000 + HOUR);
    CU_ASSERT_PTR_NOT_NULL(schedule_peek(s, 8000 + HOUR));
    schedule_free(s);
}

static void wakes(void)
{
    struct schedule *s = one(HOUR, 0);
    for (int i = 0; i < 1000; i++)
        CU_ASSERT_TRUE(schedule_wake(s, "pair-0", 100));
    struct schedule_unit *u = schedule_take(s, 100);
    CU_ASSERT_PTR_NOT_NULL_FATAL(u);
    for (int i = 0; i < 1000; i++)
        CU_ASSERT_TRUE(schedule_wake(s, "pair-0", 150));
    schedule_done(s, u, SCHEDULE_OK, 200);
    u = schedule_take(s, 200);
    CU_ASSERT_PTR_NOT_NULL_FATAL(u);
    schedule_done(s, u, SCHEDULE_OK, 300);
    CU_ASSERT(schedule_wait(s, 300) > MINUTE);
    u = schedule_take(s, 2 * HOUR);
    schedule_done(s, u, SCHEDULE_FAILED, 2 * HOUR);
    CU_ASSERT_TRUE(schedule_wake(s, "pair-0", 2 * HOUR));
    CU_ASSERT(schedule_wait(s, 2 * HOUR) >= 500);
    CU_ASSERT_FALSE(schedule_wake(s, "nobody", 2 * HOUR));
    schedule_free(s);
}

/* Full compares come at their own interval, also to a pair without `every`; one that fails is tried again. */
static void full_compares(void)
{
    unsigned full = 0, failed = 0;
    struct schedule *s = one(MINUTE, HOUR);
    for (int64_t now = 0; now < 10 * (int64_t)HOUR; now += 500)
        for (struct schedule_unit *u = schedule_take(s, now); u; u = schedule_take(s, now)) {
            bool fail = u->full && failed < 3;
            full += u->full && !fail;
            failed += fail;
            schedule_done(s, u, fail ? SCHEDULE_FAILED : SCHEDULE_OK, now);
        }
    CU_ASSERT_EQUAL(failed, 3);
    CU_ASSERT(full >= 8 && full <= 10);
    schedule_free(s);
    s = schedule_new(1);
    want(1, 0);
    wants[0].verify_every_ms = HOUR;
    wants[0].verified_ago_ms = HOUR - MINUTE;
    schedule_set(s, wants, 1, 0);
    CU_ASSERT_PTR_NULL(schedule_take(s, MINUTE - 1));
    struct schedule_unit *u = schedule_take(s, MINUTE + 20);
    CU_ASSERT_PTR_NOT_NULL_FATAL(u);
    CU_ASSERT_TRUE(u->full);
    schedule_free(s);
}

/* A config that changes: what stays keeps its time, what goes is gone, also while it runs; failures are forgotten. */
static void config_changes(void)
{
    struct schedule *s = schedule_new(1);
    want(3, MINUTE);
    schedule_set(s, wants, 3, 0);
    struct schedule_unit *u = schedule_take(s, MINUTE);
    char runs[16];
    snprintf(runs, sizeof runs, "%s", u->name);
    int64_t due[3];
    for (size_t i = 0; i < 3; i++)
        due[i] = schedule_find(s, names[i])->due_ms;
    schedule_set(s, wants, 3, MINUTE);
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT(strcmp(names[i], runs) == 0 || schedule_find(s, names[i])->due_ms == due[i]);
    schedule_set(s, wants, 0, MINUTE);
    CU_ASSERT_EQUAL(schedule_wait(s, MINUTE), -1);
    CU_ASSERT_PTR_NOT_NULL(schedule_find(s, runs));
    CU_ASSERT_FALSE(schedule_wake(s, runs, MINUTE));
    schedule_done(s, u, SCHEDULE_OK, MINUTE);
    CU_ASSERT_PTR_NULL(schedule_find(s, runs));
    schedule_set(s, wants, 3, MINUTE);
    for (int i = 0; i < 10; i++) {
        int64_t now = 2 * HOUR * (i + 1);
        u = schedule_take(s, now);
        schedule_done(s, u, SCHEDULE_FAILED, now);
    }
    schedule_set(s, wants, 3, 21 * (int64_t)HOUR);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(schedule_find(s, names[i])->failures, 0);
        CU_ASSERT(schedule_find(s, names[i])->due_ms <= 21 * (int64_t)HOUR + MINUTE);
    }
    schedule_free(s);
}

/* Random histories: nothing runs twice at once, what is due is found, and what is taken was due. */
static void histories(void)
{
    uint64_t seed = 1, steps = check_scaled(300000);
    struct schedule *s = schedule_new(3);
    struct schedule_unit *running[8] = {0};
    int64_t now = 0;
    want(200, 10000);
    schedule_set(s, wants, 200, now);
    for (uint64_t i = 0; i < steps; i++) {
        seed = hash64(&seed, sizeof seed);
        struct schedule_unit **place = &running[seed >> 8 & 7];
        now += (int64_t)(seed >> 16 & 255) - (seed % 997 == 0 ? 100000 : 0) + (seed % 1009 == 0 ? 500000 : 0);
        if (*place) {
            schedule_done(s, *place, 1 + (int)(seed >> 32 & 3) % 3, now);
            *place = NULL;
        } else if ((*place = schedule_take(s, now)) != NULL) {
            for (int k = 0; k < 8; k++)
                CU_ASSERT(&running[k] == place || running[k] != *place);
            CU_ASSERT((*place)->due_ms <= now);
        }
        if (seed % 5 == 0)
            schedule_wake(s, names[seed >> 40 & 127], now);
        if (seed % 1000 == 0)
            schedule_set(s, wants, 150 + (seed >> 20) % 51, now);
    }
    check_cases(steps);
    schedule_free(s);
}

static const struct check tests[] = {
    {"five thousand pairs run once an interval each, spread over it", many_pairs},
    {"of those due at once the first of the config goes first", order_of_the_config},
    {"a pair's slot is its name's", slots_stay},
    {"a run longer than the interval is followed by one", long_run},
    {"a suspend of an hour is one run a pair", an_hour_ahead},
    {"a clock put back a day changes no wait", a_day_back},
    {"failures back off with full jitter up to the cap", backs_off},
    {"what a run left is gone on with when it can be, not at the next interval", goes_on},
    {"what a run left makes nothing later", goes_on_at_the_latest},
    {"a pair that somebody else holds is no failure", held},
    {"a pair that is put off waits, others do not", put_off},
    {"a thousand hints are one run, and one more while it runs", wakes},
    {"full compares come at their own interval", full_compares},
    {"a config that changes keeps what stays", config_changes},
    {"random histories with a jumping clock", histories},
};
CHECK_MAIN("schedule", tests)
