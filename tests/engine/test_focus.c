/* SPDX-License-Identifier: MIT */
/* test_focus.c - one small test for each promise of the engine that neither a row nor a single fault reaches. */
#include <stdio.h>
#include <string.h>

#include "../unit/check.h"
#include "kit.h"
#include "record/value.h"

static struct kit *pair_of(const char *words)
{
    struct kit *k = kit_new(words, false);
    for (int s = 0; s < 2; s++)
        k->w[s].conditional = k->w[s].reserved_ids = 1;
    return k;
}

static struct kit *at_rest(struct kit *k, const char *a)
{
    kit_edit(k, 0, a);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    return k;
}

static const char *field(struct kit *k, int s, const char *id, const char *name)
{
    const struct memory_record *r = memory_find(&k->w[s], id);
    const char *text = r ? memory_field(r, name) : NULL;
    return text ? text : "(none)";
}

static void sides(struct kit *k, const char *a, const char *b)
{
    struct arena arena = {0};
    const char *want[2] = {a, b};
    for (int s = 0; s < 2; s++) {
        const char *got = kit_records(k, s, true, &arena);
        if (strcmp(want[s], got) != 0)
            fprintf(stderr, "\n  side %c: want %s\n          got  %s\n", 'a' + s, want[s], got);
        CU_ASSERT_STRING_EQUAL(want[s], got);
    }
    arena_fini(&arena);
}

/* --- I24: an edit that comes in the middle of a run --- */

struct between {
    struct kit *k;
    int in; /* steps of side b until the edit */
    const char *edit;
    uint32_t n_records; /* how many records b had then */
};

static void edit_b(struct memory_world *w, void *self)
{
    struct between *b = self;
    if (b->in == 0 || --b->in > 0)
        return;
    b->n_records = w->n_records;
    kit_edit(b->k, 1, b->edit);
}

/* Runs and comes to rest after `ours` on a; `theirs` on b comes at step n. How many records b had then; 0: the run was over. */
static uint32_t run_between(struct kit *k, const char *ours, int n, const char *theirs)
{
    struct between b = {k, n, theirs, 0};
    kit_edit(k, 0, ours);
    k->w[1].step = edit_b;
    k->w[1].step_self = &b;
    kit_run(k);
    k->w[1].step = NULL;
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    return b.n_records;
}

static bool edit_at_step(struct kit *k, int n)
{
    at_rest(k, "1:title=x");
    return run_between(k, "1:title=ours", n, "1:title=theirs") > 0;
}

/* Whenever it comes, a conflict left to people keeps it. */
static void test_edit_in_between(void)
{
    for (int n = 1;; n++) {
        struct kit *k = pair_of("fields=title");
        bool came = edit_at_step(k, n);
        CU_ASSERT_STRING_EQUAL(field(k, 1, "1", "title"), came ? "theirs" : "ours");
        kit_free(k);
        if (!came)
            break;
    }
}

/* Without conditional writes it must have come before the target was read again. */
static void test_read_before_write(void)
{
    enum { DESCRIBE = 1, LIST, READ };
    for (int n = DESCRIBE; n <= READ; n++) {
        struct kit *k = pair_of("fields=title");
        k->w[1].conditional = 0;
        CU_ASSERT(edit_at_step(k, n));
        CU_ASSERT_STRING_EQUAL(field(k, 1, "1", "title"), "theirs");
        kit_free(k);
    }
}

/* An edit of another field flows whenever it comes, also if only the answer to our own write shows it. */
static void other_field(int conditional)
{
    bool came = true;
    for (int n = 1; came; n++) {
        struct kit *k = pair_of("fields=title,n");
        k->w[1].conditional = conditional;
        at_rest(k, "1:title=x;n=#1");
        came = run_between(k, "1:n=#2", n, "1:title=theirs") > 0;
        CU_ASSERT_STRING_EQUAL(field(k, 0, "1", "title"), came ? "theirs" : "x");
        CU_ASSERT_STRING_EQUAL(field(k, 1, "1", "title"), came ? "theirs" : "x");
        CU_ASSERT_STRING_EQUAL(field(k, 1, "1", "n"), "#2");
        kit_free(k);
    }
}

static void test_other_field(void)
{
    other_field(1);
    other_field(0);
}

/* A record that somebody creates under the id we have just reserved is not the one we meant to create; later it is an edit. */
static void test_id_taken_meanwhile(void)
{
    static const char own[] = "1:title=x | 9:title=ours | sl-new:title=theirs";
    static const char other[] = "1:title=x | 9:title=theirs | sl-new:title=ours";
    static const char edited[] = "1:title=x | 9:title=theirs", plain[] = "1:title=x | 9:title=ours";
    int n_taken = 0;
    uint32_t before = 1; /* with record 1 alone the id is still free */
    for (int n = 1; before; n++) {
        struct kit *k = pair_of("fields=title first=match_or_create");
        at_rest(k, "1:title=x");
        before = run_between(k, "9:title=ours", n, "9:title=theirs");
        const char *apart = before == 2 ? edited : plain;
        sides(k, before == 1 ? own : apart, before == 1 ? other : apart);
        n_taken += before == 1;
        kit_free(k);
    }
    CU_ASSERT(n_taken > 0);
}

/* --- I20: recovery --- */

/* Killed anywhere, also when the write has landed unknown, and then people edit: only what both edited is in question. */
static void test_field_by_field(void)
{
    struct kit_point *start = mem_alloc(sizeof *start);
    struct kit *k = at_rest(pair_of("conflict=b fields=title,n"), "1:title=x;n=#1");
    kit_edit(k, 0, "1:title=y;n=#2");
    kit_save(k, start);
    for (uint64_t n = 1, over = 0; !over; n++) {
        kit_restore(k, start);
        k->disk->fail_in = n;
        k->disk->fault = MEM_KILLED_BEFORE;
        kit_run(k);
        over = k->disk->fail_in;
        kit_revive(k);
        kit_edit(k, 0, "1:title=w");
        kit_edit(k, 1, "1:n=#9");
        CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
        sides(k, "1:n=#9;title=w", "1:n=#9;title=w");
    }
    kit_point_fini(start);
    mem_free(start);
    kit_free(k);
}

/* --- I22: cursors --- */

static void changes(struct kit *k)
{
    kit_edit(k, 0, "1:title=P | 3:title=R | 5:title=new | 6:title=new | 2!");
    kit_edit(k, 1, "4:title=S | 7:title=new");
}

static struct kit *delta_pair(void)
{
    struct kit *k = pair_of("deletes=delete fields=title");
    for (int s = 0; s < 2; s++) {
        k->w[s].delta = k->w[s].delete_feed = 1;
        k->w[s].page_size = 2;
    }
    return at_rest(k, "1:title=p | 2:title=q | 3:title=r | 4:title=s");
}

/* No change falls between a page and its cursor, wherever the host is killed. */
static void test_cursor_and_page(void)
{
    static const int faults[] = {MEM_KILLED_BEFORE, MEM_KILLED_AFTER, MEM_UNKNOWN_LOST};
    static const char end[] = "1:title=P | 3:title=R | 4:title=S | 5:title=new | 6:title=new | 7:title=new";
    struct kit_point *start = mem_alloc(sizeof *start);
    struct kit *k = delta_pair();
    changes(k);
    kit_save(k, start);
    for (size_t f = 0; f < sizeof faults / sizeof *faults; f++)
        for (uint64_t n = 1, over = 0; !over; n++) {
            kit_restore(k, start);
            k->disk->fail_in = n;
            k->disk->fault = faults[f];
            kit_run(k);
            over = k->disk->fail_in;
            kit_revive(k);
            CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
            sides(k, end, end);
        }
    kit_point_fini(start);
    mem_free(start);
    kit_free(k);
}

/* --- I26 I29: what a listing proves --- */

/* An edited filter may list other records: its first listing proves no absence. */
static void test_scope(void)
{
    static const char all[] = "1:title=p | 2:title=q | 3:title=r | 4:title=s";
    struct kit *k = pair_of("deletes=delete max=100 fields=title");
    k->w[0].no_get = 1;
    at_rest(k, all);
    k->pair.scope[0] = 7;
    k->w[0].list_half = 1;
    CU_ASSERT_EQUAL(kit_run(k), 0);
    sides(k, all, all);
    kit_free(k);
}

/* A listing taken up in its middle after a kill does not show what its first pages held. */
static void test_resumed_listing(void)
{
    struct kit *k = pair_of("deletes=delete max=100 fields=title");
    k->w[0].no_get = 1;
    k->w[0].index_lag_ms = 1;
    k->w[0].page_size = 1;
    at_rest(k, "1:title=p | 2:title=q | 3:title=r");
    for (int n = 1; n <= 6; n++) {
        char edit[32], end[64];
        snprintf(edit, sizeof edit, "1:title=p%d", n);
        snprintf(end, sizeof end, "%s | 2:title=q | 3:title=r", edit);
        kit_edit(k, 0, edit);
        k->w[0].die_in = n;
        kit_run(k);
        kit_revive(k);
        CU_ASSERT_EQUAL(kit_run(k), 0);
        sides(k, end, end);
    }
    kit_free(k);
}

/* What we created a moment ago is not absent because the index does not show it yet, and no read can tell. */
static void test_index_lag(void)
{
    struct kit *k = pair_of("deletes=delete max=100 fields=title");
    k->w[1].no_get = 1;
    k->w[1].index_lag_ms = 5000;
    kit_edit(k, 0, "1:title=x");
    for (int i = 0; i < 10; i++) {
        CU_ASSERT_EQUAL(kit_run(k), 0);
        sides(k, "1:title=x", "1:title=x");
    }
    kit_free(k);
}

/* --- I1: a full verify --- */

/* The feed never told of the change; the system's versions did not either. */
static void test_verify(void)
{
    struct kit *k = pair_of("fields=title");
    k->w[0].delta = k->w[0].stubs = 1;
    at_rest(k, "1:title=x | 2:title=y");
    strcpy(memory_find(&k->w[0], "1")->now.fields[0].text, "missed");
    CU_ASSERT_EQUAL(kit_run(k), 0);
    CU_ASSERT_STRING_EQUAL(field(k, 1, "1", "title"), "x");
    k->full = true;
    CU_ASSERT_EQUAL(kit_run(k), 0);
    CU_ASSERT_STRING_EQUAL(field(k, 1, "1", "title"), "missed");
    kit_free(k);
}

/* --- I16 I17: a plan --- */

static void put_item(void *self, const struct plan_item *item)
{
    struct buf *b = self;
    buf_printf(b, "%s %d %s=%s %s %s %s %016llx", item->op, item->side, item->id[0] ? item->id[0] : "",
               item->id[1] ? item->id[1] : "", item->label ? item->label : "", item->link ? item->link : "",
               item->reason ? item->reason : "", (unsigned long long)item->digest);
    for (size_t i = 0; i < item->n_changes; i++) {
        buf_printf(b, " %s:", item->changes[i].name);
        value_put_json(b, &item->changes[i].before);
        value_put_json(b, &item->changes[i].after);
    }
    buf_byte(b, '\n');
}

static const char *plan_of(struct kit *k, struct arena *a)
{
    struct buf b = {0};
    struct run_env env;
    if (kit_open(k, &env) == 0) {
        env.dry = true;
        env.sink = (struct run_sink){.self = &b, .item = put_item};
        run_pair(&env, &k->report, &k->e);
    }
    kit_close(k, &env);
    const char *text = arena_text(a, b.data ? b.data : "");
    buf_fini(&b);
    return text;
}

/* However the systems page and order their listings. */
static void test_plan(void)
{
    static const struct {
        int page_size;
        uint32_t shuffle;
    } forms[] = {{0, 0}, {0, 0}, {1, 0}, {2, 5}, {0, 9}, {3, 77}};
    struct kit_point *start = mem_alloc(sizeof *start);
    struct arena a = {0};
    struct kit *k = at_rest(pair_of("deletes=delete conflict=newest fields=title,n/manual"),
                            "1:title=p;n=#1 | 2:title=q | 3:title=r | 4:title=s | 5:title=t");
    kit_edit(k, 0, "1:title=P;n=#2 | 2! | 6:title=new | 7:title=new | 5:title=T");
    kit_tick(k, 5000);
    kit_edit(k, 1, "1:n=#3 | 3:title=R | 5:title=later | 8:title=new");
    kit_save(k, start);
    const char *first = NULL;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        kit_restore(k, start);
        for (int s = 0; s < 2; s++) {
            k->w[s].page_size = forms[i].page_size;
            k->w[s].shuffle = forms[i].shuffle;
        }
        const char *plan = plan_of(k, &a);
        first = first ? first : plan;
        CU_ASSERT_STRING_EQUAL(plan, first);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(first, "create 1 6="));
    CU_ASSERT_PTR_NOT_NULL(strstr(first, "conflict"));
    kit_point_fini(start);
    mem_free(start);
    arena_fini(&a);
    kit_free(k);
}

/* --- edits before a backfill --- */

struct watch {
    const char *id;
    uint32_t created_before; /* records side b had when the edit arrived; 0: it has not */
};

static void watch_edit(struct memory_world *w, void *self)
{
    struct watch *watch = self;
    const struct memory_record *r = memory_find(w, watch->id);
    if (r && !watch->created_before && text_equal(memory_field(r, "title"), "edited"))
        watch->created_before = w->n_records;
}

/* Of the ids "first" and "last" one is behind new ones in whatever order the inbox has. */
static void test_edits_first(void)
{
    static const char *const ids[] = {"first", "last"};
    for (size_t i = 0; i < 2; i++) {
        struct kit *k = pair_of("fields=title");
        struct watch watch = {ids[i], 0};
        k->w[0].late_ms = k->w[1].late_ms = 10;
        at_rest(k, "first:title=x | last:title=x");
        for (int n = 0; n < 80; n++) {
            char one[40];
            snprintf(one, sizeof one, "%c%d:title=new", n % 2 ? 'a' : 'z', n);
            kit_edit(k, 0, one);
        }
        kit_edit(k, 0, "first:title=edited | last:title=edited");
        k->w[1].step = watch_edit;
        k->w[1].step_self = &watch;
        CU_ASSERT_EQUAL(kit_run(k), 0);
        k->w[1].step = NULL;
        CU_ASSERT_EQUAL(watch.created_before, 2);
        CU_ASSERT_EQUAL(k->w[1].n_records, 82);
        kit_free(k);
    }
}

static const struct check tests[] = {
    {"I24: an edit that comes at any step of a run is not written over", test_edit_in_between},
    {"I24: where no write is conditional, the target is read right before it is written", test_read_before_write},
    {"I8 I24: an edit of another field that comes at any step of a run flows", test_other_field},
    {"I30: a record created meanwhile under the id we reserved is another one", test_id_taken_meanwhile},
    {"I26: what the index does not show yet is not absent", test_index_lag},
    {"I20: a write that landed unseen is settled field by field", test_field_by_field},
    {"I22: a page and its cursor are durable together, killed at any commit", test_cursor_and_page},
    {"I26 I29: the first listing under an edited filter deletes nothing", test_scope},
    {"I26: a listing taken up in its middle deletes nothing", test_resumed_listing},
    {"I16 I17: the same state makes the same plan, byte for byte, however it is listed", test_plan},
    {"I1: a full verify finds what the feed missed", test_verify},
    {"edits of what is kept in step go before a backfill", test_edits_first},
};
CHECK_MAIN("focus", tests)
