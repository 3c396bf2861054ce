/* SPDX-License-Identifier: MIT */
/* test_faults.c - one fault at a time: lost replies in every tier, cut listings, refusals, unreadable records, values changed on storing. */
#include <stdio.h>
#include <string.h>

#include "../unit/check.h"
#include "pairs.h"

static void lost_reply(int tier, const char *b)
{
    struct kit *k = pair_of("fields=title", tier);
    kit_edit(k, 0, "1:title=x");
    k->w[1].lose_reply_in = 1;
    kit_run(k);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:title=x", b);
    waits(k, "");
    kit_edit(k, 0, "1:title=y");
    k->w[1].lose_reply_in = 1;
    kit_run(k);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    CU_ASSERT_EQUAL(k->w[1].n_creates, 1);
    expect("title=y", memory_field(&k->w[1].records[0], "title") ? "title=y" : "", "the update arrived");
    CU_ASSERT_STRING_EQUAL(memory_field(&k->w[1].records[0], "title"), "y");
    kit_free(k);
}

static void test_lost_replies(void)
{
    lost_reply(RESERVED, "1:title=x");
    lost_reply(IDEMPOTENT, "new-1:title=x");
    lost_reply(CORRELATES, "new-1:title=x");
}

/* That the repeat of a create was not carried out says nothing about the first attempt. */
static void lost_reply_then_refused(int tier, const char *b)
{
    struct kit *k = pair_of("fields=title", tier);
    kit_edit(k, 0, "1:title=x");
    k->w[1].lose_reply_in = 1;
    k->w[1].rate_in = 2;
    kit_run(k);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:title=x", b);
    CU_ASSERT_EQUAL(k->w[0].n_creates + k->w[1].n_creates, 1);
    kit_free(k);
}

static void test_refused_repeats(void)
{
    lost_reply_then_refused(RESERVED, "1:title=x");
    lost_reply_then_refused(IDEMPOTENT, "new-1:title=x");
}

static void lost_request(int tier, const char *b)
{
    struct kit *k = pair_of("fields=title", tier);
    kit_edit(k, 0, "1:title=x");
    k->w[1].lose_request_in = 1;
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:title=x", b);
    CU_ASSERT_EQUAL(k->w[1].n_creates, 1);
    kit_free(k);
}

static void test_lost_requests(void)
{
    lost_request(RESERVED, "1:title=x");
    lost_request(IDEMPOTENT, "new-1:title=x");
    lost_request(CORRELATES, "new-1:title=x");
}

static void test_tier_three(void)
{
    struct kit *k = pair_of("fields=title", NEITHER);
    kit_edit(k, 0, "1:title=x");
    k->w[1].lose_reply_in = 1;
    kit_run(k);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    waits(k, "uncertain 1");
    sides(k, "1:title=x", "new-1:title=x");
    kit_edit(k, 0, "1:title=y | 2:title=other");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:title=y | 2:title=other", "new-1:title=x | new-2:title=other");
    kit_free(k);
}

/* A miss in the index is believed only after the settle time. */
static void test_late_create(void)
{
    struct kit *k = pair_of("fields=title", CORRELATES);
    k->w[1].late_ms = 5000;
    k->w[1].index_lag_ms = 2000;
    kit_edit(k, 0, "1:title=x");
    k->w[1].delay_in = 1;
    for (int i = 0; i < 20; i++)
        kit_run(k);
    CU_ASSERT_EQUAL(k->w[1].n_creates, 1);
    sides(k, "1:title=x", "new-1:title=x");
    idle(k);
    kit_free(k);
}

static void test_half_batch(void)
{
    for (int tier = RESERVED; tier <= CORRELATES; tier++) {
        struct arena a = {0};
        struct kit *k = pair_of("fields=title", tier);
        kit_edit(k, 0, "1:title=p | 2:title=q | 3:title=r | 4:title=s");
        k->w[1].half_in = 1;
        CU_ASSERT_NOT_EQUAL(kit_run(k), 0);
        CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
        expect("title=p | title=q | title=r | title=s", kit_records(k, 1, false, &a), "half a batch");
        CU_ASSERT_EQUAL(k->w[1].n_creates, 4);
        arena_fini(&a);
        kit_free(k);
    }
}

/* --- listings --- */

static void cut_listing(int *knob, struct kit *k)
{
    *knob = 1;
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(kit_run(k), 0);
    sides(k, all, all);
    *knob = 0;
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, all, all);
    kit_edit(k, 0, "1:title=P");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:title=P | 2:title=q | 3:title=r | 4:title=s", "1:title=P | 2:title=q | 3:title=r | 4:title=s");
    kit_free(k);
}

static void test_cut_listings(void)
{
    struct kit *k = at_rest("deletes=delete max=100 fields=title");
    cut_listing(&k->w[1].list_empty, k);
    k = at_rest("deletes=delete max=100 fields=title");
    cut_listing(&k->w[0].list_half, k);
}

/* Where absence cannot be confirmed by a read the guard is what is left. */
static void test_empty_listing_unconfirmed(void)
{
    struct kit *k = pair_of("deletes=delete max=2 fields=title", RESERVED);
    k->w[1].no_get = 0;
    k->w[0].no_get = 1;
    kit_edit(k, 0, all);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    k->w[0].list_empty = 1;
    CU_ASSERT_EQUAL(kit_run(k), 0);
    CU_ASSERT_EQUAL(k->report.deletes_due, 4);
    CU_ASSERT(k->report.waits);
    sides(k, all, all);
    k->w[0].list_empty = 0;
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    CU_ASSERT_FALSE(k->report.waits);
    sides(k, all, all);
    kit_free(k);
}

static void test_approval(void)
{
    struct kit *k = at_rest("deletes=delete max=1 fields=title");
    kit_edit(k, 0, "1! | 2! | 3!");
    CU_ASSERT_EQUAL(kit_run(k), 0);
    CU_ASSERT_EQUAL(k->report.of[CLASS_WITHHELD], 3);
    sides(k, "4:title=s", all);
    kit_meta(k, "approved", 2);
    CU_ASSERT_EQUAL(kit_run(k), 0);
    sides(k, "4:title=s", all);
    kit_meta(k, "approved", 3);
    CU_ASSERT_EQUAL(kit_run(k), 0);
    sides(k, "4:title=s", "4:title=s");
    idle(k);
    kit_free(k);
}

static void test_epoch(void)
{
    struct kit *k = pair_of("deletes=delete max=100 fields=title", RESERVED);
    strcpy(k->w[0].epoch, "one");
    kit_edit(k, 0, all);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    strcpy(k->w[0].epoch, "two");
    kit_edit(k, 0, "1! | 2!");
    CU_ASSERT_EQUAL(kit_run(k), 0);
    sides(k, "3:title=r | 4:title=s", all);
    CU_ASSERT(k->report.waits);
    kit_free(k);
}

/* --- single records --- */

static void test_unreadable(void)
{
    struct kit *k = at_rest("deletes=delete fields=title");
    strcpy(k->w[0].unreadable, "2");
    kit_edit(k, 0, "2:title=Q | 3:title=R");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    waits(k, "parked 2");
    sides(k, "1:title=p | 2:title=Q | 3:title=R | 4:title=s", "1:title=p | 2:title=q | 3:title=R | 4:title=s");
    k->w[0].unreadable[0] = '\0';
    kit_edit(k, 0, "2:title=Z");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    waits(k, "");
    sides(k, "1:title=p | 2:title=Z | 3:title=R | 4:title=s", "1:title=p | 2:title=Z | 3:title=R | 4:title=s");
    kit_free(k);
}

static void test_unreadable_new_then_gone(void)
{
    struct kit *k = at_rest("deletes=delete fields=title");
    strcpy(k->w[0].unreadable, "9");
    kit_edit(k, 0, "9:title=n");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    waits(k, "parked 9");
    kit_edit(k, 0, "9!");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    waits(k, "");
    sides(k, all, all);
    kit_free(k);
}

static void test_rejected(void)
{
    struct kit *k = at_rest("fields=title");
    strcpy(k->w[1].reject, "2");
    kit_edit(k, 0, "2:title=Q | 3:title=R");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    waits(k, "parked 2");
    sides(k, "1:title=p | 2:title=Q | 3:title=R | 4:title=s", "1:title=p | 2:title=q | 3:title=R | 4:title=s");
    uint64_t before = writes(k);
    kit_run(k);
    CU_ASSERT_EQUAL(writes(k), before);
    k->w[1].reject[0] = '\0';
    kit_edit(k, 0, "2:title=Z");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    waits(k, "");
    sides(k, "1:title=p | 2:title=Z | 3:title=R | 4:title=s", "1:title=p | 2:title=Z | 3:title=R | 4:title=s");
    kit_free(k);
}

static void test_rejected_create(void)
{
    struct kit *k = at_rest("fields=title");
    strcpy(k->w[1].reject, "9");
    kit_edit(k, 0, "9:title=n");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    waits(k, "parked 9");
    k->w[1].reject[0] = '\0';
    kit_edit(k, 0, "9:title=m");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    waits(k, "");
    sides(k, "1:title=p | 2:title=q | 3:title=r | 4:title=s | 9:title=m",
          "1:title=p | 2:title=q | 3:title=r | 4:title=s | 9:title=m");
    kit_free(k);
}

static void test_taken_id(void)
{
    struct kit *k = at_rest("fields=title first=match_or_create");
    kit_edit(k, 0, "9:title=from a");
    kit_edit(k, 1, "9:title=from b");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:title=p | 2:title=q | 3:title=r | 4:title=s | 9:title=from a | sl-new:title=from b",
          "1:title=p | 2:title=q | 3:title=r | 4:title=s | 9:title=from b | sl-new:title=from a");
    idle(k);
    kit_free(k);
}

static void test_rate(void)
{
    struct kit *k = at_rest("fields=title");
    kit_edit(k, 0, "1:title=P | 2:title=Q | 3:title=R");
    k->w[1].rate_in = 2;
    kit_run(k);
    CU_ASSERT_FALSE(k->report.ok);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:title=P | 2:title=Q | 3:title=R | 4:title=s", "1:title=P | 2:title=Q | 3:title=R | 4:title=s");
    waits(k, "");
    kit_free(k);
}

/* --- values changed on storing --- */

static void test_normalised(void)
{
    struct kit *k = pair_of("fields=title first=create_only", RESERVED);
    k->w[0].truncates = 8;
    k->w[1].trims = k->w[1].lowers = 1;
    kit_edit(k, 0, "1:title= Hello");
    kit_edit(k, 1, "2:title=A longer title");
    CU_ASSERT_EQUAL(kit_run(k), 0);
    sides(k, "1:title= Hello | 2:title=A longer", "1:title=hello | 2:title=A longer title");
    idle(k);
    kit_edit(k, 0, "1:title= BYE");
    CU_ASSERT_EQUAL(kit_run(k), 0);
    sides(k, "1:title= BYE | 2:title=A longer", "1:title=bye | 2:title=A longer title");
    idle(k);
    kit_edit(k, 1, "1:title=again and again");
    CU_ASSERT_EQUAL(kit_run(k), 0);
    sides(k, "1:title=again an | 2:title=A longer", "1:title=again and again | 2:title=A longer title");
    idle(k);
    kit_free(k);
}

static void test_normalised_without_answer(void)
{
    struct kit *k = pair_of("fields=title", RESERVED);
    k->w[1].lowers = 1;
    k->w[1].answers_nothing = 1;
    kit_edit(k, 0, "1:title=Hello");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    CU_ASSERT(writes(k) <= 2);
    kit_edit(k, 0, "1:title=BYE");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:title=bye", "1:title=bye");
    kit_free(k);
}

static void test_dropped_field(void)
{
    struct kit *k = pair_of("fields=title,n", RESERVED);
    strcpy(k->w[1].drops, "n");
    kit_edit(k, 0, "1:title=x;n=#1");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    kit_edit(k, 0, "1:title=y;n=#2");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    CU_ASSERT(writes(k) <= 4);
    sides(k, "1:n=#2;title=y", "1:title=y");
    idle(k);
    kit_free(k);
}

static void test_stale_reads(void)
{
    struct kit *k = pair_of("fields=title", RESERVED);
    k->w[0].stale_ms = k->w[1].stale_ms = 3000;
    kit_edit(k, 0, "1:title=x");
    for (int i = 0; i < 8; i++)
        kit_run(k);
    kit_edit(k, 0, "1:title=y");
    for (int i = 0; i < 12; i++)
        kit_run(k);
    sides(k, "1:title=y", "1:title=y");
    idle(k);
    kit_edit(k, 1, "1:title=z");
    for (int i = 0; i < 12; i++)
        kit_run(k);
    sides(k, "1:title=z", "1:title=z");
    waits(k, "");
    kit_free(k);
}

/* --- filters over time, conflicts over time --- */

static void test_leave_and_return(void)
{
    struct kit *k = pair_of("filter_a=.open fields=title,n", RESERVED);
    kit_edit(k, 0, "1:title=x;n=#1;open=#1");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    kit_edit(k, 0, "1:open=~;title=y");
    kit_edit(k, 1, "1:n=#5");
    idle(k);
    kit_edit(k, 0, "1:open=#1");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:n=#5;open=#1;title=y", "1:n=#5;title=y");
    kit_free(k);
}

static void test_conflict_goes_away(void)
{
    struct kit *k = pair_of("fields=title", RESERVED);
    kit_edit(k, 0, "1:title=x");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    kit_edit(k, 0, "1:title=y");
    kit_edit(k, 1, "1:title=z");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    waits(k, "conflict 1.title");
    kit_edit(k, 1, "1:title=y");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    waits(k, "");
    kit_edit(k, 0, "1:title=w");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:title=w", "1:title=w");
    kit_free(k);
}

/* A key that changed before a partner came is the key by which it is found. */
static void test_key_changed_meanwhile(void)
{
    struct kit *k = pair_of("match=k fields=k,title first=match_only", RESERVED);
    kit_edit(k, 0, "1:k=p;title=x");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    kit_edit(k, 0, "1:k=q");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    kit_edit(k, 1, "7:k=p;title=other");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    CU_ASSERT_PTR_NOT_NULL(memory_find(&k->w[0], "1"));
    CU_ASSERT_STRING_EQUAL(memory_field(memory_find(&k->w[0], "1"), "title"), "x");
    CU_ASSERT_STRING_EQUAL(memory_field(memory_find(&k->w[0], "1"), "k"), "q");
    CU_ASSERT_STRING_EQUAL(memory_field(memory_find(&k->w[1], "7"), "k"), "p");
    waits(k, "");
    kit_free(k);
}

/* A value map that changed is applied to what did not change, even if the first run under it is killed anywhere. */
static void test_config_changed(void)
{
    struct kit_point *p = mem_alloc(sizeof *p);
    struct kit *k = pair_of("mode=one_way fields=title", RESERVED);
    kit_edit(k, 0, "1:title=x;name=n | 2:title=y;name=m");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    k->pair.map.rules[0].field[0] = "name";
    k->pair.digest = 2;
    kit_save(k, p);
    for (uint64_t n = 1;; n++) {
        kit_restore(k, p);
        k->disk->fail_in = n;
        k->disk->fault = MEM_KILLED_AFTER;
        kit_run(k);
        bool over = k->disk->fail_in != 0;
        kit_revive(k);
        CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
        expect("n", memory_field(memory_find(&k->w[1], "1"), "title"), "the new mapping");
        expect("m", memory_field(memory_find(&k->w[1], "2"), "title"), "the new mapping");
        if (over)
            break;
    }
    kit_point_fini(p);
    mem_free(p);
    kit_free(k);
}

static void test_loser_kept(void)
{
    static const char *const words[] = {"conflict=a fields=title", "conflict=newest fields=title",
                                        "conflict=b fields=title"};
    static const char *const losers[] = {"from b", "from a", "from a"};
    for (size_t i = 0; i < 3; i++) {
        struct kit *k = at_rest(words[i]);
        kit_edit(k, 0, "1:title=from a");
        kit_tick(k, 5000);
        kit_edit(k, 1, "1:title=from b");
        CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
        CU_ASSERT(kit_lost(k, losers[i]));
        kit_free(k);
    }
}

/* A rule that would write what may not be written is refused before anything is. */
static void test_read_only_rule(void)
{
    struct kit *k = pair_of("schema_b=title,own! fields=title,own", RESERVED);
    kit_edit(k, 0, "1:title=x;own=p");
    CU_ASSERT_EQUAL(kit_run(k), ERR_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(k->e.text, "own"));
    sides(k, "1:own=p;title=x", "");
    kit_free(k);
}

/* A key that the system has forgotten makes a repeat another create. */
static void keys_forgotten(void)
{
    for (int correlates = 0; correlates < 2; correlates++) {
        struct kit *k = pair_of("first=create_only", IDEMPOTENT);
        k->w[1].correlates = correlates;
        k->w[1].key_life_s = 7200;
        k->w[1].lose_reply_in = k->w[1].fail_in = 0;
        kit_edit(k, 0, "1:title=one");
        k->w[1].lose_reply_in = 1;
        k->w[1].rate_in = 2; /* nor is it repeated in the same run */
        kit_run(k);
        kit_tick(k, 3 * 3600 * 1000);
        kit_settle(k);
        CU_ASSERT_EQUAL(k->w[1].n_creates, 1);
        waits(k, correlates ? "" : "uncertain 1");
        kit_free(k);
    }
}

static const struct check tests[] = {
    {"I19 a create is not repeated under a key that is forgotten by then", keys_forgotten},
    {"I34: a rule that would write a field that may not be written is refused", test_read_only_rule},
    {"I19: a reply lost after the effect, in every tier that can tell", test_lost_replies},
    {"I19: a lost reply, and then a repeat that is refused", test_refused_repeats},
    {"I19: a request lost before the effect is made up for once", test_lost_requests},
    {"I19: where nobody can tell, a person decides and everything else flows", test_tier_three},
    {"I19: a create that arrives late is found, not repeated", test_late_create},
    {"I18 I19: half a batch", test_half_batch},
    {"I26: an empty or cut listing called complete deletes nothing", test_cut_listings},
    {"I28: an empty listing that no read can confirm stops at the guard, and is forgotten when the records return",
     test_empty_listing_unconfirmed},
    {"I28: an approval is a ceiling, for one run", test_approval},
    {"I26: a collection that was rebuilt deletes nothing", test_epoch},
    {"I23: an unreadable record is parked alone and comes back", test_unreadable},
    {"I23: an unreadable record that goes away waits no more", test_unreadable_new_then_gone},
    {"I23: a refused update is parked alone, not repeated, and tried again when its source changes", test_rejected},
    {"I23: a refused create likewise", test_rejected_create},
    {"I30: two records of one id that are not the same", test_taken_id},
    {"I20: a write refused for its rate goes with the next run", test_rate},
    {"I13: values that both systems change on storing are no edits", test_normalised},
    {"I14: values changed on storing and not told bounce at most once", test_normalised_without_answer},
    {"I14: a field that a system silently drops is not written for ever", test_dropped_field},
    {"I24: a stale read is not believed", test_stale_reads},
    {"I29: a record that leaves the filter and returns goes on where both are", test_leave_and_return},
    {"I4: a conflict that people solve themselves is over", test_conflict_goes_away},
    {"I30: a key that changed before a partner came", test_key_changed_meanwhile},
    {"I20: a changed mapping is applied to everything, killed anywhere", test_config_changed},
    {"I5: the loser of a conflict is kept as such", test_loser_kept},
};
CHECK_MAIN("faults", tests)
