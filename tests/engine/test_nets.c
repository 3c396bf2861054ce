/* SPDX-License-Identifier: MIT */
/* test_nets.c - the safety nets: a source that moved, an older state, a lost one, fields that flip or cannot be written. */
#include "pairs.h"
#include "sync/act.h"

/* --- another source --- */

/* Side a's connection leads elsewhere from now on. */
static void move_source(struct kit *k, uint64_t to)
{
    k->pair.source[0] = k->pair.scope[0] = k->pair.digest = to;
}

/* Another account holds one of our ids: the others left, however often it is listed, and go on where they were when it is set back. */
static void test_other_source(int also_filter)
{
    struct kit *k = at_rest("deletes=delete leave=archive max=100 fields=title");
    move_source(k, 2);
    k->pair.scope[0] += (uint64_t)also_filter;
    kit_edit(k, 0, "1! | 2! | 3!");
    CU_ASSERT_EQUAL(kit_run(k), 0);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(k->report.message, "3 records of side a are not where the changed connection 'a' leads"));
    CU_ASSERT_FALSE(k->report.waits);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "4:title=s", all);
    kit_edit(k, 1, "1:title=edited on b | 2!");
    kit_edit(k, 0, "4!");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "", "1:title=edited on b | 3:title=r");
    move_source(k, 1);
    kit_edit(k, 0, "1:title=p | 3:title=edited on a");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:title=edited on b | 3:title=edited on a", "1:title=edited on b | 3:title=edited on a");
    waits(k, "");
    kit_free(k);
}

static void test_other_sources(void)
{
    test_other_source(0);
    test_other_source(5);
}

/* The run that first meets the other source may be killed anywhere. */
static void test_other_source_killed(void)
{
    struct kit_point *p = mem_alloc(sizeof *p);
    struct kit *k = at_rest("deletes=delete max=100 fields=title");
    move_source(k, 2);
    kit_edit(k, 0, "1! | 2! | 3!");
    kit_save(k, p);
    for (uint64_t n = 1;; n++) {
        kit_restore(k, p);
        k->disk->fail_in = n;
        k->disk->fault = MEM_KILLED_AFTER;
        kit_run(k);
        bool over = k->disk->fail_in != 0;
        kit_revive(k);
        CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
        sides(k, "4:title=s", all);
        if (over)
            break;
    }
    kit_point_fini(p);
    mem_free(p);
    kit_free(k);
}

/* --- the guard --- */

/* A run that takes several rounds counts each delete once. */
static void test_guard_rounds(void)
{
    struct kit *k = pair_of("deletes=delete max=1 percent=0 fields=title,n", RESERVED);
    kit_edit(k, 0, "1:title=p;n=#1 | 2:title=q");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    kit_edit(k, 0, "1:title=P | 2!");
    kit_edit(k, 1, "1:n=#2");
    CU_ASSERT_EQUAL(kit_run(k), 0);
    CU_ASSERT_EQUAL(k->report.deletes_due, 0);
    sides(k, "1:n=#2;title=P", "1:n=#2;title=P");
    kit_free(k);
}

/* What the guard lets go, as a table: the larger of count and percent, or an approval that covers them all. */
static void test_guard_table(void)
{
    static const struct {
        uint64_t due, links;
        int64_t max, percent, approved;
        bool goes;
    } table[] = {
        {0, 0, 0, 0, -1, true},       {1, 1, 0, 0, -1, false},      {1, 1, 1, 0, -1, true},
        {1, 9, 0, 10, -1, false},     {1, 10, 0, 10, -1, true},     {10, 10, 10, 10, -1, true},
        {11, 11, 10, 10, -1, false},  {11, 100, 10, 10, -1, false}, {11, 110, 10, 10, -1, true},
        {12, 110, 10, 10, -1, false}, {5, 5, 0, 100, -1, true},     {12, 20, 10, 10, 11, false},
        {12, 20, 10, 10, 12, true},   {12, 20, 10, 10, 500, true},  {1, 1, 0, 0, 0, false},
        {3, 30, 10, 10, 0, true},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct conf_pair pair = {.delete_max = table[i].max, .delete_max_percent = table[i].percent};
        CU_ASSERT_EQUAL(guard_allows(&pair, table[i].due, table[i].links, table[i].approved), table[i].goes);
    }
}

/* Deletes of both sides are counted together, and go together. */
static void test_guard_both_sides(void)
{
    struct kit *k = at_rest("deletes=delete max=3 percent=0 fields=title");
    kit_edit(k, 0, "1! | 2!");
    kit_edit(k, 1, "3! | 4!");
    CU_ASSERT_EQUAL(kit_run(k), 0);
    CU_ASSERT_EQUAL(k->report.deletes_due, 4);
    sides(k, "3:title=r | 4:title=s", "1:title=p | 2:title=q");
    kit_meta(k, "approved", 3);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "3:title=r | 4:title=s", "1:title=p | 2:title=q");
    kit_meta(k, "approved", 4);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "", "");
    kit_free(k);
}

/* A run without deletes uses an approval up as well: it is not kept for a worse day. */
static void test_approval_used_up(void)
{
    struct kit *k = at_rest("deletes=delete max=0 percent=0 fields=title");
    kit_meta(k, "approved", 100);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    kit_edit(k, 0, "1!");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "2:title=q | 3:title=r | 4:title=s", all);
    kit_free(k);
}

/* Killed anywhere, the approved run is finished by the next; what is deleted in between is beyond the approval. */
static void test_approved_killed(const char *words, bool one_more)
{
    struct kit_point *p = mem_alloc(sizeof *p);
    struct kit *k = at_rest(words);
    k->w[1].batch_max = 1;
    kit_edit(k, 0, "1! | 2! | 3!");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    kit_meta(k, "approved", 3);
    kit_save(k, p);
    for (uint64_t n = 1;; n++) {
        kit_restore(k, p);
        k->disk->fail_in = n;
        k->disk->fault = MEM_KILLED_AFTER;
        kit_run(k);
        bool over = k->disk->fail_in != 0;
        kit_revive(k);
        if (one_more)
            kit_edit(k, 0, "4!");
        CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
        CU_ASSERT_EQUAL(k->report.waits, one_more);
        CU_ASSERT_PTR_NOT_NULL(memory_find(&k->w[1], "4"));
        if (over)
            break;
    }
    kit_point_fini(p);
    mem_free(p);
    kit_free(k);
}

static void test_approval_killed(void)
{
    for (int more = 0; more < 2; more++) {
        test_approved_killed("deletes=delete max=0 percent=0 fields=title", more);
        test_approved_killed("deletes=unlink max=0 percent=0 fields=title", more);
    }
}

/* --- an older state --- */

/* Yesterday's state comes back under today's data. */
static void restore_state(struct kit *k, struct mem_disk *old)
{
    mem_disk_free(k->disk);
    k->disk = old;
    k->born++;
    kit_revive(k);
}

static struct kit *born_at_rest(const char *words)
{
    struct kit *k = pair_of(words, RESERVED);
    k->born = 1;
    kit_edit(k, 0, all);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    return k;
}

static bool said(const struct kit *k, const char *what)
{
    return strstr(k->report.message, what) != NULL;
}

/* What the forgotten runs wrote is seen, created once, and what people did since waits or flows; nothing is deleted. */
static void test_old_state(void)
{
    struct kit *k = born_at_rest("deletes=delete fields=title,n");
    struct mem_disk *old = mem_disk_copy(k->disk);
    kit_edit(k, 0, "5:title=new | 1:title=P;n=#1");
    kit_edit(k, 1, "2:title=Q");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    kit_edit(k, 1, "1:title=p | 6:title=newer"); /* back to what yesterday's base says */
    kit_edit(k, 0, "3:title=R | 4!");
    restore_state(k, old);
    CU_ASSERT_EQUAL(kit_run(k), 0);
    CU_ASSERT(said(k, "the state is older than the data"));
    CU_ASSERT(said(k, "1 deletes withheld"));
    waits(k, "conflict 1.title");
    for (int i = 0; i < 3; i++) {
        sides(k, "1:n=#1;title=P | 2:title=Q | 3:title=R | 5:title=new | 6:title=newer",
              "1:n=#1;title=p | 2:title=Q | 3:title=R | 4:title=s | 5:title=new | 6:title=newer");
        CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    }
    CU_ASSERT_FALSE(said(k, "the state is older"));
    kit_edit(k, 0, "1:n=#7");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    waits(k, "conflict 1.title");
    kit_meta(k, "approved", 1);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:n=#7;title=P | 2:title=Q | 3:title=R | 5:title=new | 6:title=newer",
          "1:n=#7;title=p | 2:title=Q | 3:title=R | 5:title=new | 6:title=newer");
    kit_free(k);
}

/* Under a policy the loser of what nobody can tell is kept as such. */
static void test_old_state_policy(void)
{
    struct kit *k = born_at_rest("conflict=a fields=title");
    struct mem_disk *old = mem_disk_copy(k->disk);
    kit_edit(k, 0, "1:title=P | 2:title=Q");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    kit_edit(k, 1, "1:title=p");
    restore_state(k, old);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    CU_ASSERT(kit_lost(k, "p"));
    kit_free(k);
}

/* A copy that has forgotten nothing is as good as the original. */
static void test_copied_state(void)
{
    struct kit *k = born_at_rest("deletes=delete fields=title");
    k->born++;
    kit_edit(k, 0, "1:title=P | 4!");
    CU_ASSERT_EQUAL(kit_run(k), 0);
    CU_ASSERT_STRING_EQUAL(k->report.message, "");
    sides(k, "1:title=P | 2:title=q | 3:title=r", "1:title=P | 2:title=q | 3:title=r");
    idle(k);
    kit_free(k);
}

/* One that is only noticed by what it does not know of: two new records that are one. */
static void test_forgotten_create(void)
{
    struct kit *k = born_at_rest("fields=title");
    struct mem_disk *old = mem_disk_copy(k->disk);
    kit_edit(k, 0, "5:title=new | 6:title=edited since");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    kit_edit(k, 0, "6:title=edited on a");
    restore_state(k, old);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    waits(k, "parked 6 | parked 6");
    CU_ASSERT_EQUAL(k->w[1].n_creates, 6);
    kit_edit(k, 1, "6:title=edited on b");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    CU_ASSERT_EQUAL(k->w[0].n_creates + k->w[1].n_creates, 6);
    kit_free(k);
}

/* Where the host gives no ids and no key says who is whom, what may exist already is not created unasked. */
static void test_forgotten_create_unkeyed(void)
{
    struct kit *k = pair_of("fields=title", IDEMPOTENT);
    k->born = 1;
    kit_edit(k, 0, all);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    struct mem_disk *old = mem_disk_copy(k->disk);
    kit_edit(k, 0, "5:title=new | 6:title=other | 1:title=P");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    kit_edit(k, 0, "6:title=edited since");
    restore_state(k, old);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    CU_ASSERT_EQUAL(k->w[0].n_creates + k->w[1].n_creates, 6);
    waits(k, "parked 6 | parked new-6");
    kit_free(k);
}

/* The run that finds out may be killed at every commit. */
static void test_old_state_killed(void)
{
    struct kit_point *p = mem_alloc(sizeof *p);
    struct kit *k = born_at_rest("deletes=delete fields=title");
    struct mem_disk *old = mem_disk_copy(k->disk);
    kit_edit(k, 0, "5:title=new | 1:title=P");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    kit_edit(k, 1, "1:title=p | 4!");
    restore_state(k, old);
    kit_save(k, p);
    for (uint64_t n = 1;; n++) {
        kit_restore(k, p);
        k->disk->fail_in = n;
        k->disk->fault = MEM_KILLED_AFTER;
        kit_run(k);
        bool over = k->disk->fail_in != 0;
        kit_revive(k);
        CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
        sides(k, "1:title=P | 2:title=q | 3:title=r | 4:title=s | 5:title=new",
              "1:title=p | 2:title=q | 3:title=r | 5:title=new");
        waits(k, "conflict 1.title");
        if (over)
            break;
    }
    kit_point_fini(p);
    mem_free(p);
    kit_free(k);
}

/* No state at all, and no match keys: what is equal is one, what is not waits for the review. */
static void test_no_state(void)
{
    struct kit *k = at_rest("deletes=delete fields=title");
    kit_edit(k, 0, "1:title=P");
    mem_disk_free(k->disk);
    k->disk = mem_disk_new();
    kit_revive(k);
    CU_ASSERT_EQUAL(kit_run(k), 0);
    CU_ASSERT(k->report.review);
    CU_ASSERT_EQUAL(k->report.matched, 3);
    kit_meta(k, "first_run", FIRST_MATCH_OR_CREATE);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:title=P | 2:title=q | 3:title=r | 4:title=s", all);
    waits(k, "parked 1 | parked 1");
    kit_edit(k, 1, "2:title=Q");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:title=P | 2:title=Q | 3:title=r | 4:title=s", "1:title=p | 2:title=Q | 3:title=r | 4:title=s");
    kit_free(k);
}

/* --- a field that flips, a field that is not stored --- */

/* A robot on each side puts its own value back whenever another one came. */
static void robots(struct kit *k, const char *a, const char *b)
{
    const char *now[2] = {memory_field(memory_find(&k->w[0], "1"), "title"),
                          memory_field(memory_find(&k->w[1], "1"), "title")};
    if (a && strcmp(now[0], a) != 0)
        memory_put(&k->w[0], "1", arena_printf(&k->a, "title=%s", a));
    if (b && strcmp(now[1], b) != 0)
        memory_put(&k->w[1], "1", arena_printf(&k->a, "title=%s", b));
}

static uint64_t fight(struct kit *k, int runs, const char *a, const char *b)
{
    uint64_t before = writes(k);
    for (int i = 0; i < runs; i++) {
        robots(k, i % 2 ? a : NULL, i % 2 ? NULL : b);
        CU_ASSERT_EQUAL(kit_run(k), 0);
    }
    return writes(k) - before;
}

static void retry_parked(struct kit *k)
{
    struct store *s = NULL;
    struct wait_row row;
    struct arena a = {0};
    CU_ASSERT_EQUAL_FATAL(mem_store_open(k->disk, &s, &k->e), STORE_OK);
    CU_ASSERT_EQUAL(store_acquire(s, false, &k->e), STORE_OK);
    CU_ASSERT_EQUAL_FATAL(act_waits(s, DB_PARKED, 0, &a, &row, 1, &k->e), 1);
    CU_ASSERT_EQUAL(act_retry(s, row.number, &k->e), 0);
    store_close(s);
    arena_fini(&a);
}

static void test_flips(void)
{
    struct kit *k = pair_of("fields=title,n", RESERVED);
    kit_edit(k, 0, "1:title=x;n=#1 | 2:title=calm");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    uint64_t made = fight(k, 40, "ours", "theirs");
    CU_ASSERT(made > 4 && made <= 8);
    waits(k, "parked 1.title");
    kit_edit(k, 0, "1:n=#2 | 2:title=calmer");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    CU_ASSERT_STRING_EQUAL(memory_field(memory_find(&k->w[1], "1"), "n"), "#2");
    CU_ASSERT_STRING_EQUAL(memory_field(memory_find(&k->w[1], "2"), "title"), "calmer");
    waits(k, "parked 1.title");
    kit_edit(k, 0, "1:title=a person's");
    kit_edit(k, 1, "1:title=a person's");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    waits(k, "");
    kit_free(k);
}

/* Reverting for ever is flipping too; a retry or a day's rest begins anew. */
static void test_flips_one_way(void)
{
    struct kit *k = pair_of("mode=one_way drift=revert fields=title", RESERVED);
    kit_edit(k, 0, "1:title=x");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    uint64_t made = fight(k, 40, NULL, "theirs");
    CU_ASSERT(made >= 4 && made <= 6);
    waits(k, "parked 1.title");
    retry_parked(k);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:title=x", "1:title=x");
    CU_ASSERT_EQUAL(fight(k, 40, NULL, "theirs"), made - 1);
    waits(k, "parked 1.title");
    kit_tick(k, 86400000 + 1);
    kit_edit(k, 1, "1:title=later");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:title=x", "1:title=x");
    waits(k, "");
    kit_free(k);
}

/* An edit a day, there and back, is nobody's quarrel. */
static void test_no_flips(void)
{
    struct kit *k = pair_of("fields=title", RESERVED);
    kit_edit(k, 0, "1:title=x");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    for (int day = 0; day < 20; day++) {
        kit_tick(k, 20000000);
        kit_edit(k, day % 3 ? 1 : 0, day % 2 ? "1:title=open" : "1:title=closed");
        CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
        waits(k, "");
    }
    sides(k, "1:title=open", "1:title=open");
    kit_free(k);
}

static void test_unwritable(int as_before)
{
    struct kit *k = pair_of("fields=title,n", RESERVED);
    kit_edit(k, 0, as_before ? "1:title=x;n=#9" : "1:title=x");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    strcpy(k->w[1].drops, "n");
    for (int i = 1; i <= 6; i++) {
        uint64_t before = writes(k);
        kit_edit(k, 0, arena_printf(&k->a, "1:n=#%d", i));
        CU_ASSERT_EQUAL(kit_run(k), 0);
        CU_ASSERT_EQUAL(said(k, "takes writes to 'n' and does not store them"), i == 2);
        CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
        CU_ASSERT_EQUAL(writes(k) - before, i <= 2);
    }
    waits(k, "parked 1.n");
    kit_edit(k, 0, "1:title=flows");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:n=#6;title=flows", as_before ? "1:n=#9;title=flows" : "1:title=flows");
    k->w[1].drops[0] = '\0';
    retry_parked(k);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:n=#6;title=flows", "1:n=#6;title=flows");
    waits(k, "");
    kit_free(k);
}

static void test_unwritables(void)
{
    test_unwritable(0);
    test_unwritable(1);
}

/* A system that stores things its own way ignores nothing. */
static void test_reformats(void)
{
    struct kit *k = pair_of("fields=title", RESERVED);
    k->w[1].truncates = 4;
    k->w[1].lowers = 1;
    kit_edit(k, 0, "1:title=Long title");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    for (int i = 0; i < 6; i++) {
        kit_edit(k, 0, arena_printf(&k->a, "1:title=LONG title %d", i));
        CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
        waits(k, "");
    }
    kit_free(k);
}

/* --- what people are told --- */

/* A title that is not mapped still says which record it is; else the match key does. */
static void expect_label(const char *words, const char *record, const char *label)
{
    struct kit *k = pair_of(words, RESERVED);
    struct arena a = {0};
    struct store *s = NULL;
    struct wait_row row;
    kit_edit(k, 0, record);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    kit_edit(k, 0, "1:state=x");
    kit_edit(k, 1, "1:state=y");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    CU_ASSERT_EQUAL_FATAL(mem_store_open(k->disk, &s, &k->e), STORE_OK);
    CU_ASSERT_EQUAL_FATAL(act_waits(s, DB_CONFLICTS, 0, &a, &row, 1, &k->e), 1);
    expect(label, row.label, "label");
    store_close(s);
    arena_fini(&a);
    kit_free(k);
}

static void test_labels(void)
{
    expect_label("fields=state", "1:state=s;title=A title", "A title");
    expect_label("fields=state", "1:state=s;ticket_Subject=A subject", "A subject");
    expect_label("fields=state", "1:state=s;work_email=ann@acme.test", "ann@acme.test");
    expect_label("fields=state,k match=k", "1:state=s;k=K-7", "\"K-7\"");
    expect_label("fields=state", "1:state=s", "1");
}

/* --- a read older than our last write --- */

/* Within the settle time it is put off, unseen; an edit made in that time is believed once it is over. */
static void test_stale_read(void)
{
    struct kit *k = pair_of("fields=title", RESERVED);
    kit_edit(k, 0, "1:title=x");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    kit_tick(k, 100000);
    k->w[1].stale_ms = 50000;
    kit_edit(k, 0, "1:title=y");
    CU_ASSERT_EQUAL(kit_run(k), 0);
    uint64_t before = writes(k);
    for (int i = 0; i < 5; i++) { /* b still shows x, as if somebody had set it back */
        kit_edit(k, 0, "1:own=#1");
        CU_ASSERT_EQUAL(kit_run(k), 0);
        CU_ASSERT_EQUAL(k->report.of[CLASS_PENDING], 1);
    }
    kit_edit(k, 1, "1:title=z");
    CU_ASSERT_EQUAL(kit_run(k), 0);
    CU_ASSERT_EQUAL(writes(k), before);
    sides(k, "1:own=#1;title=y", "1:title=z");
    kit_tick(k, 200000);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    sides(k, "1:own=#1;title=z", "1:title=z");
    waits(k, "");
    kit_free(k);
}

static const struct check tests[] = {
    {"I26 I29: records that are not where a changed connection leads have left, whatever else changed",
     test_other_sources},
    {"I26 I29: likewise when the first run under it is killed anywhere", test_other_source_killed},
    {"I28: the guard's table", test_guard_table},
    {"I28: deletes of both sides are counted together", test_guard_both_sides},
    {"I28: an approval is used up by a run without deletes", test_approval_used_up},
    {"I20 I28: a run that carries out an approval is killed anywhere", test_approval_killed},
    {"I28: a delete is counted once, however many rounds a run takes", test_guard_rounds},
    {"I21 I28: an older state deletes nothing before it is approved, loses no edit and doubles nothing",
     test_old_state},
    {"I5 I21: under a policy what an older state cannot tell apart is kept", test_old_state_policy},
    {"I21: a state that was only copied goes on", test_copied_state},
    {"I19 I21: what an older state has forgotten to have created is not created again", test_forgotten_create},
    {"I19 I21: likewise where no key and no id tells", test_forgotten_create_unkeyed},
    {"I20 I21: the run that finds an older state is killed anywhere", test_old_state_killed},
    {"I19 I21: without a state equal records are matched, others wait", test_no_state},
    {"I14: a field that flips is parked, and everything else flows", test_flips},
    {"I14: a field that is reverted for ever is parked, until a retry or a day's rest", test_flips_one_way},
    {"I14: what goes there and back slowly is not parked", test_no_flips},
    {"I14: a field that a system takes and does not store is written twice, then parked and said", test_unwritables},
    {"I13: what a system stores its own way is no field that it ignores", test_reformats},
    {"I4: what waits is known by a name", test_labels},
    {"I24 I13: a read older than our last write is put off for the settle time, and believed after it",
     test_stale_read},
};
CHECK_MAIN("nets", tests)
