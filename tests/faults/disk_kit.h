/* SPDX-License-Identifier: MIT */
/* disk_kit.h - a new folder as the disk under a store, for the tests of its faults. */
#ifndef TESTS_DISK_KIT_H
#define TESTS_DISK_KIT_H

#include <limits.h>

#include "../unit/store_kit.h"
#include "disk.h"

static char root[64], spare[64]; /* the disk, and what it keeps beside it */

/* In memory where there is such a folder: nothing waits for the machine's own disk. The pair's folder is `where`. */
static inline void disk_new(void)
{
    char path[64], full[PATH_MAX];
    scratch_remove();
    snprintf(path, sizeof(path), "%s/test_disk.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(path) || !realpath(path, full))
        abort();
    snprintf(scratch, sizeof(scratch), "%.50s", full);
    snprintf(root, sizeof(root), "%.50s/disk", scratch);
    snprintf(spare, sizeof(spare), "%.50s/spare", scratch);
    snprintf(where, sizeof(where), "%s/state/pairs/tickets", root);
    mkdir(root, 0700);
    mkdir(spare, 0700);
}

#endif
