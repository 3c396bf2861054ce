/* SPDX-License-Identifier: MIT */
/* folder.h - a pair's folder on disk: made whole or not at all, owned by one process, with a reserve for a full disk. */
#ifndef STORE_FOLDER_H
#define STORE_FOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "store/header.h"

#define FOLDER_DATA "data.mdb"
#define FOLDER_LOCK "lock.mdb"

/* Descriptors are -1 when closed. */
struct folder {
    char *path;
    int dir;
    int owner; /* the file whose lock is the ownership of the pair */
    bool locked;
    bool admitted;
    dev_t device; /* of the data file */
    ino_t inode;
    pid_t pid;
    struct folder *next; /* in the list of admitted ones */
};

/* Fills a new folder with its data file. */
typedef int folder_fill(const char *path, void *context, struct err *e);

/* True if path holds a data file. */
bool folder_holds_data(const char *path);

/*
 * Makes a folder in the one step of a rename: filled, on disk, and under its name, or not there. One that is there and empty
 * is replaced; one that holds data already: OK, nothing is done (somebody was faster). All functions return a store_rc.
 */
int folder_make(const char *path, folder_fill *fill, void *context, struct err *e);

int folder_open(struct folder *f, const char *path, struct err *e);
void folder_close(struct folder *f); /* gives the ownership up */

bool folder_holds(const struct folder *f, const char *name);

/*
 * Reads the data file's header and enters the file among those open in this process. STORE_CORRUPT: a damaged header.
 * STORE_BUSY: this process has it open. The folder must not move in memory until it is closed.
 */
int folder_admit(struct folder *f, struct header *header, struct err *e);
/* The folder may have been replaced (restored, moved) since it was opened: its lock would guard another file. */
int folder_still_there(const struct folder *f, struct err *e);

/*
 * Takes the owner file's lock, which ends with the process. last_fence is what the last owner noted (0: nothing). Without
 * wait, or when a signal ends the wait: STORE_BUSY, naming the holder.
 */
int folder_own(struct folder *f, bool wait, uint64_t *last_fence, struct err *e);
void folder_note(struct folder *f, uint64_t fence); /* who owns the pair now, for people and the next owner */
void folder_disown(struct folder *f);
/* Keeps owners away without being one. False if there is one. */
bool folder_share(struct folder *f);

/* The reserve: a file of 4 MiB that is given back to a full disk, so that outcomes already known still get written. */
void folder_reserve(const struct folder *f);
bool folder_reserve_free(const struct folder *f); /* false if there was none */

#endif
