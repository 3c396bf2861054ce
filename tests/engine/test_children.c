/* SPDX-License-Identifier: MIT */
/* test_children.c - comments: on the records they belong to, once, in order, signed, under every fault and kill. */
#include "family.h"

static void across(void)
{
    struct family f = family_new(CORRELATES);
    say(&f, 0, "c10", "1", "body=first");
    say(&f, 0, "c9", "1", "body=second");
    say(&f, 0, "c11", "2", "body=other");
    CU_ASSERT_EQUAL(family_run(&f), 0);
    threads(&f, "1", "first/second", "first/second");
    threads(&f, "2", "other", "other");
    say(&f, 1, "x1", "1", "body=answer");
    say(&f, 0, "c12", "1", "body=third");
    family_rest(&f);
    threads(&f, "1", "first/second/third/answer", "first/second/answer/third");
    CU_ASSERT_EQUAL(f.comments->report.seen, 0); /* no ticket has changed: none is listed */
    family_free(&f);
}

/* Nothing changed: no comments are asked for, whatever their number. */
static void not_asked(void)
{
    struct family f = family_new(CORRELATES);
    say(&f, 0, "c1", "1", "body=first");
    family_rest(&f);
    uint64_t calls = f.comments->w[0].n_calls + f.comments->w[1].n_calls;
    CU_ASSERT_EQUAL(family_run(&f), 0);
    CU_ASSERT_EQUAL(f.comments->w[0].n_calls + f.comments->w[1].n_calls - calls, 2); /* both are described */
    family_free(&f);
}

static void signed_by(void)
{
    static const struct who who[] = {{{"ann@acme.test", "ann-gh"}}};
    struct family f = family_new(CORRELATES);
    f.comments->pair.who = who;
    f.comments->pair.n_who = 1;
    f.comments->w[0].no_author = 0;
    family_run(&f);
    say(&f, 0, "c1", "1", "body=hello;author=bob@acme.test;author_name=Bob");
    say(&f, 1, "x1", "2", "body=yes;author=Ann-GH");
    say(&f, 1, "x2", "2", "body=no;author=eve");
    family_rest(&f);
    struct arena a = {0};
    expect("Bob (desk, 2023-11-14 22:13 UTC):\n\nhello", memory_field(memory_find(&f.comments->w[1], "new-1"), "body"),
           "where no author can be set");
    const struct memory_record *r = memory_find(&f.comments->w[0], "new-1");
    expect("yes", memory_field(r, "body"), "whom `users` knows");
    expect("ann@acme.test", memory_field(r, "author"), "the author");
    expect("eve (code, 2023-11-14 22:13 UTC):\n\nno", memory_field(memory_find(&f.comments->w[0], "new-2"), "body"),
           "whom nobody knows");
    CU_ASSERT_PTR_NULL(memory_field(memory_find(&f.comments->w[0], "new-2"), "author"));
    arena_fini(&a);
    family_free(&f);
}

/* A comment is somebody's word: changed or deleted later it stays as it was told. */
static void left_alone(void)
{
    struct family f = family_new(CORRELATES);
    say(&f, 0, "c1", "1", "body=first");
    say(&f, 0, "c2", "1", "body=second");
    family_rest(&f);
    say(&f, 0, "c1", "1", "body=changed");
    memory_remove(&f.comments->w[0], "c2");
    say(&f, 0, "c3", "1", "body=third");
    family_rest(&f);
    threads(&f, "1", "changed/third", "first/second/third");
    family_free(&f);
}

/* Edits of the original follow, signed anew; edits of the copy, or where nothing can be changed, stay. */
static void edits_follow(void)
{
    struct family f = family_new(CORRELATES);
    f.comments->pair.append = false;
    family_run(&f);
    say(&f, 0, "c1", "1", "body=first;author_name=Bob");
    say(&f, 1, "x1", "1", "body=answer;author_name=Eve");
    family_rest(&f);
    say(&f, 0, "c1", "1", "body=first, mended");
    say(&f, 1, "x1", "1", "body=answer, mended");
    family_rest(&f);
    threads(&f, "1", "first, mended/answer, mended", "answer, mended/first, mended");
    expect("Bob (desk, 2023-11-14 22:13 UTC):\n\nfirst, mended",
           memory_field(memory_find(&f.comments->w[1], "new-1"), "body"), "signed");
    say(&f, 1, "new-1", "1", "body=scribbled on the copy");
    family_rest(&f);
    threads(&f, "1", "first, mended/answer, mended", "answer, mended/scribbled on the copy");
    f.comments->w[1].fixed = 1;
    say(&f, 0, "c1", "1", "body=too late");
    family_rest(&f);
    threads(&f, "1", "too late/answer, mended", "answer, mended/scribbled on the copy");
    waits(f.comments, "");
    family_free(&f);
}

/* The ticket goes out of the filter and comes back: what was said meanwhile comes after. */
static void parents_outside(void)
{
    struct family f = family_new(CORRELATES);
    kit_edit(f.tickets, 0, "3:title=alone;away=yes");
    struct err e = {0};
    CU_ASSERT_EQUAL(jq_compile(".away == null", &f.tickets->pair.side[0].filter_expr, &e), 0);
    say(&f, 0, "c1", "3", "body=inside");
    family_rest(&f);
    threads(&f, "3", "inside", "");
    kit_edit(f.tickets, 0, "3:-away");
    family_rest(&f);
    threads(&f, "3", "inside", "inside");
    kit_edit(f.tickets, 0, "3:away=yes");
    say(&f, 0, "c2", "3", "body=outside");
    family_rest(&f);
    threads(&f, "3", "inside/outside", "inside");
    kit_edit(f.tickets, 0, "3:-away");
    family_rest(&f);
    threads(&f, "3", "inside/outside", "inside/outside");
    family_free(&f);
}

/* Another filter lets in a ticket that did not change: what was said on it comes with it. */
static void filter_edited(void)
{
    struct family f = family_new(CORRELATES);
    struct err e = {0};
    kit_edit(f.tickets, 0, "3:title=alone");
    CU_ASSERT_EQUAL(jq_compile(".title != \"alone\"", &f.tickets->pair.side[0].filter_expr, &e), 0);
    say(&f, 0, "c1", "3", "body=before");
    family_rest(&f);
    threads(&f, "3", "before", "");
    jq_free(f.tickets->pair.side[0].filter_expr);
    f.tickets->pair.side[0].filter_expr = NULL;
    f.tickets->pair.scope[0] = f.tickets->pair.digest = 2;
    family_rest(&f);
    threads(&f, "3", "before", "before");
    family_free(&f);
}

/* Without state everything finds its partner again by the keys in the copies. */
static void state_lost(void)
{
    struct family f = family_new(CORRELATES);
    for (int s = 0; s < 2; s++)
        f.tickets->w[s].correlates = 1;
    family_run(&f);
    say(&f, 0, "c1", "1", "body=first");
    say(&f, 1, "x1", "1", "body=second");
    family_rest(&f);
    uint64_t made = f.comments->w[0].n_creates + f.comments->w[1].n_creates;
    mem_disk_free(f.comments->disk);
    f.comments->disk = mem_disk_new();
    kit_revive(f.comments);
    family_rest(&f);
    CU_ASSERT_EQUAL(f.comments->w[0].n_creates + f.comments->w[1].n_creates, made);
    threads(&f, "1", "first/second", "second/first");
    family_free(&f);
}

static int *fault_of(struct memory_world *w, int which)
{
    int *const faults[] = {&w->lose_reply_in, &w->lose_request_in, &w->delay_in, &w->rate_in, &w->half_in,
                           &w->break_in,      &w->omit_in,         &w->fail_in,  &w->die_in};
    return faults[which];
}
enum { FAULTS = 9 };

/* Five comments on each side of one ticket; at every step of every call one fault: each comes once, in its order. */
static void in_order_under_faults(void)
{
    int tiers[] = {IDEMPOTENT, CORRELATES};
    for (size_t tier = 0; tier < 2; tier++)
        for (int which = 0; which < FAULTS; which++)
            for (int nth = 1; nth <= 9; nth++) {
                struct family f = family_new(tiers[tier]);
                struct memory_world *w = &f.comments->w[1];
                w->late_ms = 5000;
                w->fail_class = SL_RETRY;
                family_run(&f);
                for (int i = 0; i < 5; i++) {
                    char id[16], text[24];
                    snprintf(id, sizeof id, "c%d", 20 - i);
                    snprintf(text, sizeof text, "body=a%d", i);
                    say(&f, 0, id, "1", text);
                    snprintf(id, sizeof id, "x%d", 20 - i);
                    snprintf(text, sizeof text, "body=b%d", i);
                    say(&f, 1, id, "1", text);
                }
                *fault_of(w, which) = nth;
                family_run(&f);
                kit_revive(f.comments);
                family_rest(&f);
                struct arena a = {0};
                char what[64];
                snprintf(what, sizeof what, "tier %zu, fault %d at %d", tier, which, nth);
                expect("a0/a1/a2/a3/a4/b0/b1/b2/b3/b4", thread(&f, 0, "1", &a), what);
                expect("b0/b1/b2/b3/b4/a0/a1/a2/a3/a4", thread(&f, 1, "1", &a), what);
                arena_fini(&a);
                family_free(&f);
            }
}

/* The host dies at each step of the tickets' run: what their change announced is not forgotten. */
static void parents_killed(void)
{
    for (int s = 0; s < 2; s++)
        for (int nth = 1; nth <= 12; nth++) {
            struct family f = family_new(CORRELATES);
            say(&f, 0, "c1", "1", "body=first");
            f.tickets->w[s].die_in = nth;
            family_run(&f);
            kit_revive(f.tickets);
            kit_edit(f.tickets, 0, "1:title=two");
            say(&f, 0, "c2", "1", "body=second");
            f.tickets->w[s].die_in = nth;
            family_run(&f);
            kit_revive(f.tickets);
            family_rest(&f);
            threads(&f, "1", "first/second", "first/second");
            family_free(&f);
        }
}

static void misplaced(void)
{
    struct family f = family_new(CORRELATES);
    f.comments->w[1].parents = NULL;
    family_run(&f);
    expect("pairs.pair: 'comments' of code do not belong to records of 'records'; name other `children`",
           f.comments->e.text, "what stands alone is nobody's child");
    f.comments->w[1].parents = &f.tickets->w[1];
    f.comments->pair.parent = NULL;
    kit_run(f.comments);
    expect(
        "pairs.pair: 'comments' of desk belong to records of 'records'; name them in the `children` of a pair of those",
        f.comments->e.text, "children alone");
    family_free(&f);
}

static const struct check tests[] = {
    {"I19 I31 comments go both ways, oldest first, each once", across},
    {"no ticket has changed: no comment is asked for", not_asked},
    {"who said it: the author where he is known there, else a line that names him", signed_by},
    {"I26 a comment that was changed or deleted later stays as it was told", left_alone},
    {"I6 I39 where it is asked for, edits of the original follow; the copy's stay", edits_follow},
    {"I29 comments wait while their ticket is outside the filter", parents_outside},
    {"I19 I29 a ticket that an edited filter lets in brings its comments", filter_edited},
    {"I21 without a state comments find their copies by the keys in them", state_lost},
    {"I18 I19 I20 one fault at every step: each comment once, in order", in_order_under_faults},
    {"I20 I22 a host that dies with the tickets' run forgets no comment", parents_killed},
    {"objects that do not fit are refused", misplaced},
};

int main(void)
{
    return check_run("children", tests, sizeof tests / sizeof *tests);
}
