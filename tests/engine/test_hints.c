/* SPDX-License-Identifier: MIT */
/* test_hints.c - webhooks make a run look: early, late, twice, forged or never, what becomes of the records is the same. */
#include "family.h"

static uint64_t calls(const struct kit *k)
{
    return k->w[0].n_calls + k->w[1].n_calls;
}

static size_t rows_of(struct kit *k, int db)
{
    struct store_row rows[200];
    struct store *store = NULL;
    struct store_snap *snap = NULL;
    struct err e = {0};
    size_t n = 0;
    CU_ASSERT_EQUAL(mem_store_open_read_only(k->disk, &store, &e), STORE_OK);
    CU_ASSERT_EQUAL(store_snap(store, &snap, &e), STORE_OK);
    store_scan(snap, db, slice_of(NULL, 0), slice_of(NULL, 0), false, 200, rows, &n);
    store_snap_end(snap);
    store_close(store);
    return n;
}

/* One run that takes the hints away and leaves nothing to a person. */
static void run_clean(struct kit *k)
{
    CU_ASSERT_EQUAL(kit_run(k), 0);
    CU_ASSERT_EQUAL(run_exit(&k->report, &k->e), 0);
    CU_ASSERT_EQUAL(k->n_hints, 0);
    waits(k, "");
}

/* A delta hides the youngest records for a while; their id can be asked for. */
static void seen_before_the_feed(void)
{
    struct kit *k = at_rest("");
    k->w[0].delta = 1;
    run_clean(k);
    k->w[0].index_lag_ms = 60000;
    kit_edit(k, 0, "5:title=t");
    CU_ASSERT_EQUAL(kit_run(k), 0);
    sides(k, "1:title=p | 2:title=q | 3:title=r | 4:title=s | 5:title=t", all);
    kit_hint(k, 0, "5");
    run_clean(k);
    sides(k, "1:title=p | 2:title=q | 3:title=r | 4:title=s | 5:title=t",
          "1:title=p | 2:title=q | 3:title=r | 4:title=s | 5:title=t");
    kit_tick(k, 60000);
    idle(k);
    kit_free(k);
}

/* The hint is there before the change can be read: the cursor has not passed it, the feed tells it later. */
static void earlier_than_the_change(void)
{
    for (int how = 0; how < 2; how++) {
        struct kit *k = at_rest("");
        k->w[0].delta = 1;
        run_clean(k);
        if (how == 0) { /* a listing that lags, and reads that are old */
            kit_tick(k, 60000);
            k->w[0].stale_ms = 60000;
            kit_edit(k, 0, "2:title=new");
        }
        kit_hint(k, 0, "2");
        kit_hint(k, 0, "6");
        CU_ASSERT_EQUAL(kit_run(k), 0);
        CU_ASSERT_EQUAL(k->n_hints, 0);
        if (how == 1) /* the event comes before what it tells of */
            kit_edit(k, 0, "2:title=new");
        kit_edit(k, 0, "6:title=u");
        kit_tick(k, 60000);
        CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
        sides(k, "1:title=p | 2:title=new | 3:title=r | 4:title=s | 6:title=u",
              "1:title=p | 2:title=new | 3:title=r | 4:title=s | 6:title=u");
        kit_free(k);
    }
}

/* What the pull brings in the same run is not read once more. */
static void costs_nothing_twice(void)
{
    struct kit *k = at_rest("");
    k->w[0].delta = k->w[1].delta = 1;
    run_clean(k);
    kit_edit(k, 0, "2:title=new | 5:title=t");
    uint64_t before = calls(k);
    CU_ASSERT_EQUAL(kit_run(k), 0);
    uint64_t without = calls(k) - before;
    kit_edit(k, 0, "2:title=newer | 6:title=u");
    kit_hint(k, 0, "2");
    kit_hint(k, 0, "6");
    before = calls(k);
    run_clean(k);
    CU_ASSERT_EQUAL(calls(k) - before, without);
    kit_free(k);
}

/* Ids that nobody knows, in numbers: nothing is kept of them, and they are asked for once. */
static void forged(void)
{
    struct kit *k = at_rest("");
    uint64_t before = writes(k);
    for (int i = 0; i < 1100; i++) {
        char id[16];
        snprintf(id, sizeof id, "no-%d", i);
        kit_hint(k, i % 2, id);
    }
    run_clean(k);
    CU_ASSERT_TRUE(k->calm);
    CU_ASSERT_EQUAL(k->report.of[CLASS_APPLIED], 0);
    CU_ASSERT_EQUAL(rows_of(k, DB_LINKS), 4);
    CU_ASSERT_EQUAL(rows_of(k, DB_IDS), 8);
    CU_ASSERT_EQUAL(rows_of(k, DB_INBOX), 0);
    before = writes(k) - before;
    CU_ASSERT_EQUAL(before, 0);
    uint64_t asked = calls(k);
    run_clean(k);
    uint64_t plain = calls(k) - asked;
    asked = calls(k);
    run_clean(k);
    CU_ASSERT_EQUAL(calls(k) - asked, plain);
    kit_free(k);
}

static void gone(void)
{
    static const char *const policies[] = {"deletes=delete", "deletes=unlink", "deletes=ignore"};
    for (size_t i = 0; i < 3; i++) {
        struct kit *k = at_rest(policies[i]);
        memory_remove(&k->w[0], "2");
        kit_hint(k, 0, "2");
        kit_hint(k, 1, "2");
        run_clean(k);
        kit_hint(k, 0, "2");
        kit_hint(k, 1, "2");
        run_clean(k);
        sides(k, "1:title=p | 3:title=r | 4:title=s", i ? all : "1:title=p | 3:title=r | 4:title=s");
        idle(k);
        kit_free(k);
    }
}

static void outside_the_filter(void)
{
    struct kit *k = pair_of("filter_a=.away==null first=create_only", RESERVED);
    kit_edit(k, 0, "1:title=p | 2:title=q;away=yes");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    k->w[0].delta = 1;
    run_clean(k);
    k->w[0].index_lag_ms = 60000;
    kit_edit(k, 0, "3:title=r;away=yes");
    for (int i = 0; i < 3; i++) {
        kit_hint(k, 0, "1");
        kit_hint(k, 0, "2");
        kit_hint(k, 0, "3");
        run_clean(k);
    }
    sides(k, "1:title=p | 2:away=yes;title=q | 3:away=yes;title=r", "1:title=p");
    kit_edit(k, 0, "3:-away");
    kit_hint(k, 0, "3");
    run_clean(k);
    sides(k, "1:title=p | 2:away=yes;title=q | 3:title=r", "1:title=p | 3:title=r");
    kit_free(k);
}

/* Parked is what a listing shows and cannot be read, not what anybody may name. */
static void unreadable(void)
{
    struct kit *k = at_rest("");
    snprintf(k->w[0].unreadable, sizeof k->w[0].unreadable, "9");
    k->w[0].delta = 1;
    run_clean(k);
    k->w[0].index_lag_ms = 60000;
    kit_edit(k, 0, "9:title=secret");
    kit_hint(k, 0, "9");
    run_clean(k);
    CU_ASSERT_EQUAL(rows_of(k, DB_LINKS), 4);
    kit_free(k);
}

static void cannot_be_asked(void)
{
    struct kit *k = at_rest("");
    k->w[0].no_get = 1;
    k->w[0].delta = 1;
    run_clean(k);
    kit_edit(k, 0, "1:title=new");
    kit_hint(k, 0, "1");
    kit_hint(k, 0, "2");
    kit_hint(k, 0, "7");
    run_clean(k);
    expect("webhooks of 'a' are passed over: it cannot read a single record of 'records', the pull finds it",
           k->report.message, "said once");
    sides(k, "1:title=new | 2:title=q | 3:title=r | 4:title=s", "1:title=new | 2:title=q | 3:title=r | 4:title=s");
    CU_ASSERT_EQUAL(rows_of(k, DB_INBOX), 0);
    kit_free(k);
}

static void dry(void)
{
    struct kit *k = at_rest("");
    struct run_env env;
    kit_edit(k, 0, "1:title=new");
    kit_hint(k, 0, "1");
    CU_ASSERT_EQUAL(kit_open(k, &env), 0);
    env.dry = true;
    env.hints = (const struct run_hints[]){{k, NULL, NULL}}; /* not so much as looked at */
    CU_ASSERT_EQUAL(run_pair(&env, &k->report, &k->e), 0);
    kit_close(k, &env);
    CU_ASSERT_EQUAL(k->n_hints, 1);
    kit_free(k);
}

static struct kit *stepping;

static void tell_again(struct memory_world *w, void *self)
{
    int *calls_left = self;
    if (--*calls_left > 0)
        return;
    w->step = NULL;
    kit_hint(stepping, 0, "2");
}

/* The record changes again, and tells so, while the run is at work. */
static void comes_while_taken(void)
{
    struct kit *k = at_rest("");
    stepping = k;
    kit_hint(k, 0, "2");
    int calls_left = 3; /* it is described, pulled, and asked for what waits */
    k->w[0].step = tell_again;
    k->w[0].step_self = &calls_left;
    CU_ASSERT_EQUAL(kit_run(k), 0);
    CU_ASSERT_EQUAL(k->n_hints, 1);
    run_clean(k);
    kit_free(k);
}

static void stays_until_asked(void)
{
    struct kit *k = at_rest("");
    k->w[0].delta = 1;
    run_clean(k);
    k->w[0].index_lag_ms = 60000;
    kit_edit(k, 0, "5:title=t");
    kit_hint(k, 0, "5");
    /* describe and pull come before the question */
    k->w[0].fail_in = 3;
    k->w[0].fail_class = SL_RETRY;
    CU_ASSERT_EQUAL(kit_run(k), 0);
    CU_ASSERT_EQUAL(k->n_hints, 1);
    run_clean(k);
    kit_hint(k, 0, "no such id");
    k->w[0].fail_in = 3;
    k->w[0].fail_class = SL_REJECTED;
    run_clean(k); /* a question that is refused is not asked again */
    kit_free(k);
}

static void cannot_be_read(void)
{
    struct kit *k = at_rest("");
    kit_edit(k, 0, "1:title=new");
    k->hints_broken = true;
    CU_ASSERT_EQUAL(kit_run(k), 0);
    expect("the hints are damaged; the pull finds what webhooks told of", k->report.message, "said");
    sides(k, "1:title=new | 2:title=q | 3:title=r | 4:title=s", "1:title=new | 2:title=q | 3:title=r | 4:title=s");
    kit_free(k);
}

/* Killed at every step and commit: a hint outlives it, and what it brought comes once. */
static void killed(void)
{
    for (int nth = 1; nth <= 24; nth++)
        for (int how = 0; how < 4; how++) {
            struct kit *k = at_rest("");
            k->w[0].delta = 1;
            run_clean(k);
            k->w[0].index_lag_ms = 600000;
            kit_edit(k, 0, "5:title=t | 6:title=u | 2:title=new");
            kit_hint(k, 0, "5");
            kit_hint(k, 0, "6");
            kit_hint(k, 0, "2");
            kit_hint(k, 1, "forged");
            if (how < 2) {
                k->w[how].die_in = nth;
            } else {
                k->disk->fail_in = (uint64_t)nth;
                k->disk->fault = how == 2 ? MEM_KILLED_BEFORE : MEM_KILLED_AFTER;
            }
            kit_run(k);
            kit_revive(k);
            CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
            CU_ASSERT_EQUAL(k->n_hints, 0);
            static const char want[] = "1:title=p | 2:title=new | 3:title=r | 4:title=s | 5:title=t | 6:title=u";
            sides(k, want, want);
            waits(k, "");
            kit_free(k);
            check_cases(1);
        }
}

/* --- children --- */

static void told_run(struct family *f)
{
    CU_ASSERT_EQUAL(kit_run(f->tickets), 0);
    f->comments->now_ms = f->tickets->now_ms;
    kit_tick(f->comments, 0);
    CU_ASSERT_EQUAL(kit_run(f->comments), 0);
    CU_ASSERT_EQUAL(run_exit(&f->comments->report, &f->comments->e), 0);
}

/* A comment whose ticket looks unchanged. */
static void say_unseen(struct family *f, int s, const char *id, const char *ticket, const char *fields)
{
    struct memory_record *r = memory_find(&f->tickets->w[s], ticket);
    struct memory_record before = *r;
    memory_comment(&f->comments->w[s], id, ticket, fields);
    *r = before;
    kit_tick(f->comments, 1000);
}

/* The hint is for the younger one: with it come its elders, before it. */
static void child_brings_its_siblings(void)
{
    struct family f = family_new(CORRELATES);
    struct arena a = {0};
    told_run(&f);
    say_unseen(&f, 0, "c1", "1", "body=first");
    say_unseen(&f, 0, "c2", "1", "body=second");
    say_unseen(&f, 0, "c3", "2", "body=not told of");
    kit_hint(f.comments, 0, "c2");
    told_run(&f);
    CU_ASSERT_EQUAL(f.comments->n_hints, 0);
    expect("first/second", thread(&f, 1, "1", &a), "the hint's ticket");
    expect("", thread(&f, 1, "2", &a), "the other one");
    told_run(&f);
    /* its own echo asks for nothing */
    uint64_t before = calls(f.comments);
    kit_hint(f.comments, 1, "new-1");
    kit_hint(f.comments, 1, "new-2");
    kit_hint(f.comments, 0, "c1");
    told_run(&f);
    CU_ASSERT_EQUAL(calls(f.comments) - before, 2); /* both are described */
    CU_ASSERT_EQUAL(f.comments->n_hints, 0);
    arena_fini(&a);
    family_free(&f);
}

/* Nobody's comment, one on a ticket that has no partner, one that cannot be read: all come to rest. */
static void child_of_nobody(void)
{
    struct family f = family_new(CORRELATES);
    struct arena a = {0};
    struct err e = {0};
    CU_ASSERT_EQUAL(jq_compile(".away == null", &f.tickets->pair.side[0].filter_expr, &e), 0);
    kit_edit(f.tickets, 0, "3:title=three;away=yes");
    told_run(&f);
    say_unseen(&f, 0, "c1", "3", "body=elsewhere");
    say_unseen(&f, 0, "c2", "1", "body=secret");
    snprintf(f.comments->w[0].unreadable, MEMORY_ID, "c2");
    kit_hint(f.comments, 0, "c1");
    kit_hint(f.comments, 0, "c2");
    kit_hint(f.comments, 0, "forged");
    kit_hint(f.comments, 1, "forged");
    told_run(&f);
    CU_ASSERT_EQUAL(f.comments->n_hints, 0);
    CU_ASSERT_EQUAL(rows_of(f.comments, DB_LINKS), 0);
    CU_ASSERT_EQUAL(rows_of(f.comments, DB_INBOX), 0);
    waits(f.comments, "");
    expect("", thread(&f, 1, "1", &a), "nothing came of it");
    arena_fini(&a);
    family_free(&f);
}

/* Where edits follow, a hint at a comment that is known brings its edit. */
static void child_edited(void)
{
    struct family f = family_new(CORRELATES);
    struct arena a = {0};
    f.comments->pair.append = false;
    told_run(&f);
    say_unseen(&f, 0, "c1", "1", "body=first");
    kit_hint(f.comments, 0, "c1");
    told_run(&f);
    expect("first", thread(&f, 1, "1", &a), "new");
    say_unseen(&f, 0, "c1", "1", "body=mended");
    told_run(&f);
    expect("first", thread(&f, 1, "1", &a), "nobody told");
    kit_hint(f.comments, 0, "c1");
    told_run(&f);
    expect("mended", thread(&f, 1, "1", &a), "edited");
    arena_fini(&a);
    family_free(&f);
}

/* Ten comments on each side, told of in any order, often, and killed at each step: each once, in order. */
static void children_killed(void)
{
    for (int nth = 1; nth <= 16; nth++)
        for (int s = 0; s < 2; s++) {
            struct family f = family_new(CORRELATES);
            struct arena a = {0};
            told_run(&f);
            for (int i = 0; i < 6; i++) {
                char id[16], text[24];
                snprintf(id, sizeof id, "c%d", 20 - i);
                snprintf(text, sizeof text, "body=a%d", i);
                say_unseen(&f, 0, id, "1", text);
                snprintf(id, sizeof id, "x%d", 20 - i);
                snprintf(text, sizeof text, "body=b%d", i);
                say_unseen(&f, 1, id, "1", text);
            }
            for (int i = 0; i < 12; i++) {
                char id[16];
                snprintf(id, sizeof id, "%c%d", i % 2 ? 'c' : 'x', 15 + i * nth % 6);
                kit_hint(f.comments, i % 2 ? 0 : 1, id);
            }
            f.comments->w[s].die_in = nth;
            kit_run(f.comments);
            kit_revive(f.comments);
            for (int i = 0; i < KIT_SETTLE; i++)
                told_run(&f);
            expect("a0/a1/a2/a3/a4/a5/b0/b1/b2/b3/b4/b5", thread(&f, 0, "1", &a), "side a");
            expect("b0/b1/b2/b3/b4/b5/a0/a1/a2/a3/a4/a5", thread(&f, 1, "1", &a), "side b");
            CU_ASSERT_EQUAL(f.comments->n_hints, 0);
            arena_fini(&a);
            family_free(&f);
            check_cases(1);
        }
}

static const struct check tests[] = {
    {"what a feed does not show yet is found by its hint", seen_before_the_feed},
    {"I22 a hint that is earlier than what can be read: the pull finds it later", earlier_than_the_change},
    {"what the pull brings in the same run costs no further call", costs_nothing_twice},
    {"I7 I11 forged ids come to rest: nothing is written, kept, or asked for again (F17)", forged},
    {"I26 a record that is gone follows the delete policy, once", gone},
    {"I29 what the filter leaves out comes to rest", outside_the_filter},
    {"I7 an id that cannot be read and that nobody has listed is not parked", unreadable},
    {"where one record cannot be asked for, hints are passed over with a sentence", cannot_be_asked},
    {"a dry run takes none", dry},
    {"I22 a hint that comes while its earlier one is being taken stays", comes_while_taken},
    {"I22 a hint stays until its question was answered", stays_until_asked},
    {"where hints are kept cannot be read: the pair runs without them", cannot_be_read},
    {"I18 I19 I20 killed at every step and commit: no hint is lost, nothing comes twice", killed},
    {"I19 a comment that was told of comes behind its elder siblings", child_brings_its_siblings},
    {"comments that are nobody's come to rest", child_of_nobody},
    {"where edits of comments follow, a hint brings them", child_edited},
    {"I19 I20 comments told of in any order, killed at every step: each once, in order (F16)", children_killed},
};

int main(void)
{
    return check_run("hints", tests, sizeof tests / sizeof *tests);
}
