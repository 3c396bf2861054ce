/* SPDX-License-Identifier: MIT */
/* store_rigs.h - each driver of the store as the shared suite sees it: how to open it, and another process on the same state. */
#ifndef TESTS_STORE_RIGS_H
#define TESTS_STORE_RIGS_H

#include "store_kit.h"

#include "store/mem.h"

/* A driver under test, and another process (or host) on the same state. */
struct rig {
    const char *name;
    const struct store_driver *driver;
    int (*open)(bool read_only, struct store **s, struct err *e);
    int (*other_put)(const char *key, const char *value); /* opens, owns, commits, closes */
    long (*hold)(void); /* owns the pair until unhold; gives its pid */
    void (*unhold)(void);
    void (*steal)(void); /* raises the fence although somebody owns the pair */
};

static const struct rig *rig;
static struct mem_disk *disk;
static struct store *holder;
static struct other holding;

static inline int lmdb_open(bool read_only, struct store **s, struct err *e)
{
    return store_open(&store_lmdb, where, read_only, s, e);
}

static inline int lmdb_other_put(const char *key, const char *value)
{
    return other_run("put", key, value);
}

static inline long lmdb_hold(void)
{
    char line[32];
    holding = other_start("hold", NULL, NULL);
    return other_line(&holding, line, sizeof(line)) ? atol(line) : 0;
}

static inline void lmdb_unhold(void)
{
    other_end(&holding, 0);
}

static inline void lmdb_steal(void)
{
    CU_ASSERT_EQUAL(other_run("steal", NULL, NULL), 0);
}

static inline int mem_open(bool read_only, struct store **s, struct err *e)
{
    return read_only ? mem_store_open_read_only(disk, s, e) : mem_store_open(disk, s, e);
}

static inline int mem_other_put(const char *key, const char *value)
{
    struct err e = {0};
    struct store *s = NULL;
    int rc = mem_store_open(disk, &s, &e);
    if (rc == STORE_OK)
        rc = store_acquire(s, false, &e);
    if (rc == STORE_OK)
        rc = put(s, DB_LINKS, key, value);
    store_close(s);
    return rc;
}

static inline long mem_hold(void)
{
    struct err e = {0};
    CU_ASSERT_EQUAL(mem_store_open(disk, &holder, &e), STORE_OK);
    CU_ASSERT_EQUAL(store_acquire(holder, false, &e), STORE_OK);
    return getpid();
}

static inline void mem_unhold(void)
{
    store_close(holder);
    holder = NULL;
}

static inline void mem_steal(void)
{
    mem_disk_steal(disk);
}

static const struct rig rigs[] = {
    {"lmdb", &store_lmdb, lmdb_open, lmdb_other_put, lmdb_hold, lmdb_unhold, lmdb_steal},
    {"mem", &store_mem, mem_open, mem_other_put, mem_hold, mem_unhold, mem_steal},
};

static inline void run_on(const struct rig *r, void (*test)(void))
{
    rig = r;
    scratch_new();
    disk = mem_disk_new();
    test();
    mem_disk_free(disk);
    disk = NULL;
    scratch_remove();
}

#endif
