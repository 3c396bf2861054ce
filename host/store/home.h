/* SPDX-License-Identifier: MIT */
/* home.h - a pair's folder on disk: made whole or not at all, owned by one process, with a reserve for a full disk. */
#ifndef STORE_HOME_H
#define STORE_HOME_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "store/header.h"

#define HOME_DATA "data.mdb"
#define HOME_LOCK "lock.mdb"

/* Descriptors are -1 when closed. */
struct home {
    char *path;
    int dir;
    int owner; /* the file whose lock is the ownership of the pair */
    bool locked;
    bool admitted;
    dev_t device; /* of the data file */
    ino_t inode;
    pid_t pid;
    struct home *next; /* in the list of admitted ones */
};

/* Fills a new folder with its data file. */
typedef int home_fill(const char *path, void *context, struct err *e);

/* True if path holds a data file. */
bool home_holds_data(const char *path);

/*
 * Makes a folder in the one step of a rename: filled, on disk, and under its name, or not there. One that is there and empty
 * is replaced; one that holds data already: OK, nothing is done (somebody was faster). All functions return a store_rc.
 */
int home_make(const char *path, home_fill *fill, void *context, struct err *e);

void home_init(struct home *f, const char *path);
int home_open(struct home *f, struct err *e);
void home_close(struct home *f); /* gives the ownership up */

bool home_holds(const struct home *f, const char *name);

/*
 * Reads the data file's header and enters the file among those open in this process. STORE_CORRUPT: a damaged header.
 * STORE_BUSY: this process has it open. The folder must not move in memory until it is closed.
 */
int home_admit(struct home *f, struct header *header, struct err *e);
/* The folder may have been replaced (restored, moved) since it was opened: its lock would guard another file. */
int home_still_there(const struct home *f, struct err *e);

/*
 * Takes the owner file's lock, which ends with the process. last_fence is what the last owner noted (0: nothing). Without
 * wait, or when a signal ends the wait: STORE_BUSY, naming the holder.
 */
int home_own(struct home *f, bool wait, uint64_t *last_fence, struct err *e);
void home_note(struct home *f, uint64_t fence); /* who owns the pair now, for people and the next owner */
void home_disown(struct home *f);
/* Keeps owners away without being one. False if there is one. */
bool home_share(struct home *f);

/*
 * Takes the lock file's place on the disk before it is mapped, made if need be: a mapped page that a full disk has no room for would end the
 * process when it is first written. 0 or the errno of a disk that is full or broken; where the file system knows no such thing: 0.
 */
int home_lock_room(const char *path, size_t n_bytes);

/* The reserve: a file of 4 MiB that is given back to a full disk, so that outcomes already known still get written. */
void home_reserve(const struct home *f);
bool home_reserve_free(const struct home *f); /* false if there was none */

bool home_full(const struct home *f); /* less than 1 MiB is free */

#endif
