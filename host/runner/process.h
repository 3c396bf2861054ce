/* SPDX-License-Identifier: MIT */
/* process.h - starts the process of a runner, and ends it, saying how it died. */
#ifndef RUNNER_PROCESS_H
#define RUNNER_PROCESS_H

#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"

/*
 * Starts `PROGRAM runner --fd N --plugin FILE --open M` (NULL: syncline, this program or the one beside it) in a session of its own, with a
 * scrubbed environment and no descriptor of ours but its end of a socketpair and open_fd (over 9), which is FILE. Out: *pid, *fd (ours). Returns 0, or ERR_FAILED with e.
 */
int process_start(const char *program, const char *file, int open_fd, long long memory_bytes, pid_t *pid, int *fd,
                  struct err *e);
/* Bytes of memory that are its own now; 0: it is gone. */
long long process_resident(pid_t pid);

enum { PROCESS_HOW_BYTES = 160 };
/*
 * Waits grace_ms for it to end by itself, then ends it and all it started: SIGTERM, then SIGKILL. `how` becomes its end in words: "killed by
 * signal 11 (Segmentation fault)".
 */
void process_end(pid_t pid, int grace_ms, long long memory_bytes, char how[PROCESS_HOW_BYTES]);

/* The environment of a process that is to have no secret: what a library needs to know of where it is. In the arena, ended by NULL. */
char **process_environment(struct arena *a);

#endif
