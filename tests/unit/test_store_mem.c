/* SPDX-License-Identifier: MIT */
/* test_store_mem.c - the faults of the in-memory driver do what their names say, so that simulations can trust them. */
#include "store_kit.h"

#include "store/mem.h"

static struct store *owned(struct mem_disk *disk)
{
    struct err e = {0};
    struct store *s = NULL;
    if (mem_store_open(disk, &s, &e) != STORE_OK || store_acquire(s, false, &e) != STORE_OK)
        CU_FAIL_FATAL("the store cannot be opened and owned");
    return s;
}

static void each_fault(void)
{
    static const struct {
        int fault;
        uint64_t deaf;
        int rc;
        bool applied, dead;
    } cases[] = {
        {MEM_KILLED_BEFORE, 0, STORE_IO, false, true},
        {MEM_KILLED_AFTER, 0, STORE_IO, true, true},
        {MEM_UNKNOWN_APPLIED, 0, STORE_OK, true, false},
        {MEM_UNKNOWN_LOST, 0, STORE_OK, true, false},
        {MEM_UNKNOWN_APPLIED, 1, STORE_UNKNOWN, true, false},
        {MEM_UNKNOWN_LOST, 1, STORE_UNKNOWN, false, false},
        {MEM_FULL, 0, STORE_FULL, false, false},
        {MEM_IO, 0, STORE_IO, false, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct mem_disk *disk = mem_disk_new();
        struct store *s = owned(disk);
        disk->fail_in = 2;
        disk->fault = cases[i].fault;
        disk->deaf = cases[i].deaf;
        CU_ASSERT_EQUAL(put(s, DB_LINKS, "a", "1"), STORE_OK);
        CU_ASSERT_EQUAL(put(s, DB_LINKS, "b", "2"), cases[i].rc);
        CU_ASSERT_EQUAL(disk->dead, cases[i].dead);
        CU_ASSERT_EQUAL(put(s, DB_LINKS, "c", "3"), cases[i].dead ? STORE_IO : STORE_OK);
        store_close(s);
        disk->dead = false;
        s = owned(disk);
        CU_ASSERT_STRING_EQUAL(got(s, DB_LINKS, "a"), "1");
        CU_ASSERT_EQUAL(got(s, DB_LINKS, "b") != NULL, cases[i].applied);
        CU_ASSERT_EQUAL(got(s, DB_LINKS, "c") != NULL, !cases[i].dead);
        store_close(s);
        mem_disk_free(disk);
    }
}

/* What reaches the caller as unknown can be resolved later. */
static void unknown_resolves_later(void)
{
    for (int applied = 0; applied < 2; applied++) {
        struct err e = {0};
        bool found = !applied;
        struct mem_disk *disk = mem_disk_new();
        struct store *s = owned(disk);
        disk->fail_in = 1;
        disk->fault = applied ? MEM_UNKNOWN_APPLIED : MEM_UNKNOWN_LOST;
        disk->deaf = 2;
        CU_ASSERT_EQUAL(put(s, DB_LINKS, "a", "1"), STORE_UNKNOWN);
        CU_ASSERT_EQUAL(store_resolve(s, &found, &e), STORE_UNKNOWN);
        CU_ASSERT_EQUAL(store_resolve(s, &found, &e), STORE_OK);
        CU_ASSERT_EQUAL(found, applied != 0);
        store_close(s);
        mem_disk_free(disk);
    }
}

static void dead_disk_answers_nothing(void)
{
    struct err e = {0};
    struct store_snap *snap = NULL;
    struct store_row row;
    struct slice v;
    bool applied = false;
    size_t n = 0;
    struct mem_disk *disk = mem_disk_new();
    struct store *s = owned(disk), *other = NULL;
    CU_ASSERT_EQUAL(store_snap(s, &snap, &e), STORE_OK);
    disk->dead = true;
    CU_ASSERT_EQUAL(store_get(snap, DB_META, text("format"), &v), STORE_IO);
    CU_ASSERT_EQUAL(store_scan(snap, DB_META, text(""), text(""), false, 1, &row, &n), STORE_IO);
    CU_ASSERT_EQUAL(n, 0);
    store_snap_end(snap);
    CU_ASSERT_EQUAL(store_snap(s, &snap, &e), STORE_IO);
    CU_ASSERT_EQUAL(store_resolve(s, &applied, &e), STORE_IO);
    CU_ASSERT_EQUAL(mem_store_open(disk, &other, &e), STORE_IO);
    store_release(s);
    CU_ASSERT_EQUAL(store_acquire(s, false, &e), STORE_IO);
    store_close(s);
    mem_disk_free(disk);
}

static void copy_is_yesterday(void)
{
    struct mem_disk *disk = mem_disk_new();
    struct store *s = owned(disk);
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "a", "1"), STORE_OK);
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "b", "2"), STORE_OK);
    struct mem_disk *yesterday = mem_disk_copy(disk);
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "a", "9"), STORE_OK);
    struct store *old = owned(yesterday);
    CU_ASSERT_EQUAL(put(old, DB_LINKS, "b", "8"), STORE_OK);
    CU_ASSERT_STRING_EQUAL(got(old, DB_LINKS, "a"), "1");
    CU_ASSERT_STRING_EQUAL(got(s, DB_LINKS, "a"), "9");
    CU_ASSERT_STRING_EQUAL(got(s, DB_LINKS, "b"), "2");
    store_close(s);
    mem_disk_free(disk);
    CU_ASSERT_STRING_EQUAL(got(old, DB_LINKS, "a"), "1");
    CU_ASSERT_STRING_EQUAL(got(old, DB_LINKS, "b"), "8");
    CU_ASSERT_EQUAL(count(old, DB_LINKS), 2);
    store_close(old);
    mem_disk_free(yesterday);
}

static void counters_count(void)
{
    struct err e = {0};
    struct mem_disk *disk = mem_disk_new();
    struct store *s = owned(disk);
    struct store_op nothing[] = {op(STORE_EXPECT, DB_LINKS, "x", NULL), op(STORE_DEL, DB_LINKS, "x", NULL)};
    CU_ASSERT_EQUAL(disk->n_commits, 0);
    CU_ASSERT_EQUAL(store_commit(s, nothing, 2, &e), STORE_OK);
    CU_ASSERT_EQUAL(disk->n_commits, 0);
    CU_ASSERT_EQUAL(store_commit(s, nothing, 0, &e), STORE_OK);
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "a", "1"), STORE_OK);
    CU_ASSERT_EQUAL(disk->n_commits, 1);
    CU_ASSERT_EQUAL(disk->n_ops, 1);
    got(s, DB_LINKS, "a");
    CU_ASSERT_EQUAL(disk->n_gets, 1);
    CU_ASSERT_EQUAL(count(s, DB_LINKS), 1);
    CU_ASSERT_EQUAL(disk->n_rows_scanned, 1);
    store_close(s);
    mem_disk_free(disk);
}

static const struct check tests[] = {
    {"each fault, at the commit it was set for, then life goes on from what was committed (I18)", each_fault},
    {"an unknown commit resolves later", unknown_resolves_later},
    {"a dead disk answers nothing", dead_disk_answers_nothing},
    {"a copied disk is yesterday's state", copy_is_yesterday},
    {"the counters count; a commit that changes nothing is none (I11)", counters_count},
};

CHECK_MAIN("store in memory", tests)
