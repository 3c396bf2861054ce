/* SPDX-License-Identifier: MIT */
/* test_doubt.c - writes whose outcome is not known: how long they are waited for, and who waits behind them. */
#include "family.h"

/* An update is looked for by its id, which no index has to know first. */
static void update_waits_for_no_index(void)
{
    struct kit *k = pair_of("", CORRELATES);
    kit_edit(k, 0, "1:title=p");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    k->w[1].late_ms = 10000;
    k->w[1].index_lag_ms = 120000;
    kit_tick(k, 200000);
    kit_edit(k, 0, "1:title=new");
    k->w[1].lose_request_in = 1;
    CU_ASSERT_EQUAL(kit_run(k), 0);
    CU_ASSERT_EQUAL(k->report.of[CLASS_PENDING], 1);
    kit_tick(k, 12000);
    CU_ASSERT_EQUAL(kit_run(k), 0);
    CU_ASSERT_EQUAL(kit_run(k), 0);
    sides(k, "1:title=new", "new-1:title=new");
    kit_free(k);
}

/* But a create is, and what is waited for by the clock is waited for in full. */
static void create_waits_for_its_index(void)
{
    struct kit *k = pair_of("", CORRELATES);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    k->w[1].late_ms = 10000;
    k->w[1].index_lag_ms = 120000;
    kit_edit(k, 0, "1:title=p");
    k->w[1].lose_reply_in = 1;
    CU_ASSERT_EQUAL(kit_run(k), 0);
    for (int i = 0; i < 12; i++) {
        kit_tick(k, 10000);
        CU_ASSERT_EQUAL(kit_run(k), 0);
    }
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:title=p", "new-1:title=p");
    kit_free(k);
}

/*
 * The first of five comments is in doubt when the host dies, with the others written down; then it is lost again and again, in runs at any
 * distance: none of the others is there before it.
 */
static void nobody_overtakes(void)
{
    static const int64_t gaps_ms[] = {100, 2000, 4900, 7000};
    for (int batch = 1; batch <= 3; batch++)
        for (int nth = 1; nth <= 6; nth++)
            for (size_t gap = 0; gap < sizeof gaps_ms / sizeof *gaps_ms; gap++) {
                struct family f = family_new(CORRELATES);
                struct memory_world *w = &f.comments->w[1];
                struct arena a = {0};
                w->late_ms = 5000;
                w->batch_max = (uint32_t)batch;
                family_run(&f);
                for (int i = 0; i < 5; i++) {
                    char id[16], text[24];
                    snprintf(id, sizeof id, "c%d", 20 - i);
                    snprintf(text, sizeof text, "body=a%d", i);
                    say(&f, 0, id, "1", text);
                }
                w->lose_request_in = 1;
                f.comments->disk->fail_in = (uint64_t)nth;
                f.comments->disk->fault = MEM_KILLED_AFTER;
                family_run(&f);
                for (int run = 0; run < 8; run++) {
                    kit_revive(f.comments);
                    w->lose_request_in = 1;
                    f.tickets->now_ms += gaps_ms[gap];
                    family_run(&f);
                }
                kit_revive(f.comments);
                for (int run = 0; run < 4; run++) {
                    f.tickets->now_ms += 5000;
                    family_run(&f);
                }
                family_rest(&f);
                char what[64];
                snprintf(what, sizeof what, "batch %d, dead at commit %d, gap %zu", batch, nth, gap);
                expect("a0/a1/a2/a3/a4", thread(&f, 1, "1", &a), what);
                arena_fini(&a);
                family_free(&f);
                check_cases(1);
            }
}

/* A run that is told to end between two comments has not begun the second one, and says so: without a key nobody could tell. */
static void ended_in_between(void)
{
    for (int stop = 1; stop <= 8; stop++) {
        struct family f = family_new(NEITHER);
        struct arena a = {0};
        f.comments->w[1].batch_max = 1;
        family_run(&f);
        for (int i = 0; i < 4; i++) {
            char id[16], text[24];
            snprintf(id, sizeof id, "c%d", 20 - i);
            snprintf(text, sizeof text, "body=a%d", i);
            say(&f, 0, id, "1", text);
        }
        f.comments->stop_in = stop;
        family_run(&f);
        f.comments->stop_in = 0;
        family_rest(&f);
        waits(f.comments, "");
        expect("a0/a1/a2/a3", thread(&f, 1, "1", &a), "each, in order");
        arena_fini(&a);
        family_free(&f);
        check_cases(1);
    }
}

/* Runs until a run leaves nothing, each as long after the last one as that said. Returns the number of runs. */
static int follow(struct kit *k)
{
    int n = 0;
    do {
        kit_tick(k, k->report.again_ms > 0 ? k->report.again_ms : 0);
        CU_ASSERT_EQUAL(kit_run(k), 0);
        n++;
    } while (k->report.again_ms >= 0 && n < 10);
    return n;
}

/* A run says when another one can go on, and that one need not look again before it can. */
static void says_when(void)
{
    static const size_t faults[] = {offsetof(struct memory_world, lose_reply_in),
                                    offsetof(struct memory_world, lose_request_in)};
    for (int update = 0; update < 2; update++)
        for (size_t f = 0; f < 2; f++) {
            struct kit *k = pair_of("first=create_only", CORRELATES);
            CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
            CU_ASSERT_EQUAL(k->report.again_ms, -1);
            k->w[1].late_ms = 10000;
            k->w[1].index_lag_ms = 120000;
            kit_edit(k, 0, "1:title=p");
            CU_ASSERT_EQUAL(follow(k), 1);
            kit_tick(k, 200000);
            kit_edit(k, 0, update ? "1:title=new" : "2:title=q");
            *(int *)(void *)((char *)&k->w[1] + faults[f]) = 1;
            CU_ASSERT_EQUAL(kit_run(k), 0);
            if (f == 1 || !update)
                CU_ASSERT_EQUAL(k->report.again_ms, update ? 10000 : 130000);
            CU_ASSERT_TRUE(follow(k) <= 3);
            sides(k, update ? "1:title=new" : "1:title=p | 2:title=q",
                  update ? "new-1:title=new" : "new-1:title=p | new-2:title=q");
            kit_free(k);
        }
}

/* Read too soon after our own write. */
static void says_when_stale(void)
{
    struct kit *k = pair_of("first=create_only", RESERVED);
    k->w[1].stale_ms = 5000;
    kit_edit(k, 0, "1:title=p");
    CU_ASSERT_EQUAL(kit_run(k), 0);
    kit_edit(k, 1, "1:title=new");
    k->full = true;
    CU_ASSERT_EQUAL(kit_run(k), 0);
    k->full = false;
    CU_ASSERT_TRUE(k->report.again_ms > 0 && k->report.again_ms <= 5000);
    CU_ASSERT_TRUE(follow(k) <= 3);
    sides(k, "1:title=new", "1:title=new");
    kit_free(k);
}

/* What only a person can settle is not run for. */
static void person_is_not_waited_for(void)
{
    struct kit *k = pair_of("first=create_only", NEITHER);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    kit_edit(k, 0, "1:title=p");
    k->w[1].lose_reply_in = 1;
    CU_ASSERT_EQUAL(kit_run(k), 0);
    CU_ASSERT_EQUAL(kit_run(k), 0);
    CU_ASSERT_EQUAL(k->report.again_ms, -1);
    waits(k, "uncertain 1");
    kit_free(k);
}

/* The comments behind one that was in doubt are gone on with, whenever that is settled. */
static void siblings_go_on(void)
{
    struct family f = family_new(IDEMPOTENT);
    struct arena a = {0};
    f.comments->w[1].batch_max = 1;
    family_run(&f);
    for (int i = 0; i < 4; i++) {
        char id[16], text[24];
        snprintf(id, sizeof id, "c%d", 20 - i);
        snprintf(text, sizeof text, "body=a%d", i);
        say(&f, 0, id, "1", text);
    }
    f.comments->w[1].lose_reply_in = 2;
    family_run(&f);
    CU_ASSERT_TRUE(f.comments->report.again_ms >= 0);
    CU_ASSERT_TRUE(follow(f.comments) <= 3);
    expect("a0/a1/a2/a3", thread(&f, 1, "1", &a), "all");
    arena_fini(&a);
    family_free(&f);
}

static const struct check tests[] = {
    {"I20 an update in doubt waits for late requests, not for an index", update_waits_for_no_index},
    {"I19 a create in doubt waits for the index that it is looked up in", create_waits_for_its_index},
    {"I20 no comment overtakes an older one that is in doubt, whenever it is sent again", nobody_overtakes},
    {"I18 I20 a run told to end between two writes leaves none in doubt that it has not begun", ended_in_between},
    {"I20 a run with a write in doubt says when the next one can settle it", says_when},
    {"I12 a run that read too soon after its own write says when the next one can believe it", says_when_stale},
    {"what only a person can settle asks for no further run", person_is_not_waited_for},
    {"I20 comments behind one in doubt ask for a further run", siblings_go_on},
};

int main(void)
{
    return check_run("doubt", tests, sizeof tests / sizeof *tests);
}
