/* SPDX-License-Identifier: MIT */
/* sandbox.h - closes a runner in before it loads anything: no network, no other files, no other processes; and the process that listens. */
#ifndef RUNNER_SANDBOX_H
#define RUNNER_SANDBOX_H

#include "base/err.h"
#include "runner/frame.h"

/*
 * Gives up, for good, what a connector of that reach has no use for: START says what it may reach, FILE is its own and open_fd that file,
 * which with fd is all that stays open beside 0 to 2. What the kernel lacks is left out (sandbox_lacks says it). Returns 0, or ERR_FAILED with e.
 */
int sandbox_enter(const struct frame_start *start, const char *file, int fd, int open_fd, struct err *e);
/*
 * For a process that serves callers on sockets it has: from now on it opens none, connects none, starts no process and no program, opens no
 * file, and looks into no other process. Where the kernel lacks that: nothing. ERR_FAILED with e.
 */
int sandbox_serve_only(struct err *e);
/* What a connector of that reach (SL_REACH_*) is kept from, for a person. */
const char *sandbox_tells(uint64_t reach);
/* What this kernel lacks, as one sentence; NULL: nothing. */
const char *sandbox_lacks(void);

#endif
