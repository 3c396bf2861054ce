/* SPDX-License-Identifier: MIT */
/* mem.h - the in-memory driver's disk: it outlives the stores opened on it, can be copied, and fails when told to. */
#ifndef STORE_MEM_H
#define STORE_MEM_H

#include "store/store.h"

enum mem_fault {
    MEM_KILLED_BEFORE = 1, /* not committed, then the disk is dead */
    MEM_KILLED_AFTER, /* committed, then the disk is dead */
    MEM_UNKNOWN_APPLIED, /* committed, answers STORE_UNKNOWN */
    MEM_UNKNOWN_LOST, /* not committed, answers STORE_UNKNOWN */
    MEM_FULL, /* not committed, answers STORE_FULL */
    MEM_IO /* not committed, answers STORE_IO, then the disk is dead */
};

/*
 * One pair's durable state. The fields are for the test that owns it: set a fault, read the counters. A disk, its copies
 * and its stores belong to one thread.
 */
struct mem_disk {
    uint64_t
        fail_in; /* the fault strikes at this commit from now on, 1 the next; 0: never. One that changes nothing is none */
    int fault; /* enum mem_fault */
    int (*ask)(
        void *self); /* at every commit that changes something: the fault that strikes it, 0: none; NULL: not asked */
    void *ask_self;
    uint64_t deaf; /* so many resolves answer STORE_UNKNOWN first; else an unknown commit never reaches the caller */
    bool dead; /* every call fails with STORE_IO, as after a kill; set false to start again */
    uint64_t n_commits, n_ops, n_gets, n_rows_scanned;
    struct mem_data *data;
};

struct mem_disk *mem_disk_new(void);
void mem_disk_free(struct mem_disk *disk); /* accepts NULL; its stores must be closed */
struct mem_disk *
mem_disk_copy(const struct mem_disk *disk); /* yesterday's state: rows only, no owner, faults or counters */
/* Another host takes the pair over: the present owner's next commit answers STORE_FENCED. */
void mem_disk_steal(struct mem_disk *disk);

/* Like store_open on this disk. Several stores may be open on one; one owns the pair (waiting for it: STORE_BUSY at once). */
int mem_store_open(struct mem_disk *disk, struct store **store, struct err *e);
int mem_store_open_read_only(struct mem_disk *disk, struct store **store, struct err *e);

#endif
