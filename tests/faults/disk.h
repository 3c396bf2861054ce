/* SPDX-License-Identifier: MIT */
/* disk.h - a disk that fails under a process: its power is cut at the n-th call, or that call is refused. */
#ifndef TESTS_DISK_H
#define TESTS_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { DISK_ROOTS = 4, DISK_SECTOR_BYTES = 512, DISK_CUT_EXIT = 86 };

struct disk_plan {
    const char *roots[DISK_ROOTS]; /* folders, absolute and without links: what lies elsewhere is left alone */
    size_t n_roots;
    const char *spare; /* a folder on the same file system and outside the roots: what may have to come back */
    unsigned long at; /* the call within the roots at which it happens, from 1; 0: never, only counted */
    int error; /* what that call is refused with (EIO, ENOSPC); 0: the power is cut during it */
    bool on; /* all later ones are refused too: a disk that stays full or broken */
    bool lies; /* flushes do nothing: a disk that nothing can be safe on, to see that the tests notice */
    bool folders_lie; /* flushes of folders do nothing, as if the process had been killed right before each */
    bool at_end; /* the power is cut when the process ends by itself */
    uint64_t seed; /* decides which unflushed sectors and names a cut leaves */
};

/*
 * The disk.c functions stand before the C library's in whatever they are linked or preloaded into. They do nothing until
 * disk_begin, and forget everything with it. One thread only.
 */
void disk_begin(const struct disk_plan *plan);
unsigned long disk_calls(void); /* counted since disk_begin: writing ones, if error is not 0 also opens and reads */
void disk_trust_folders(void); /* ends folders_lie */
const char *disk_refused(void); /* the call that was refused and the path; "" if none was */
/* True if a file or folder was flushed again after its flush was refused, without anything written in between. */
bool disk_flushed_again(void);
/* Everything not flushed is lost in parts; then the process ends with DISK_CUT_EXIT. */
_Noreturn void disk_cut(void);

#endif
