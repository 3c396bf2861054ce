/* SPDX-License-Identifier: MIT */
/* runner.h - a connector in a process of its own: the host's end gives it as a plugin table, the other end serves it. */
#ifndef RUNNER_RUNNER_H
#define RUNNER_RUNNER_H

#include "plugin/loader.h"

/* What a runner's connector may take, and be. Zeros: the defaults below. */
struct runner_limits {
    int64_t
        silence_ms; /* a call that is silent for so long is ended, one that takes ten times as much of its own, too */
    int64_t memory_bytes; /* of address space */
    const char *sha256; /* of its file, in hex; NULL: whatever it is */
};
enum { RUNNER_SILENCE_MS = 60000, RUNNER_MEMORY_MB = 1024 };

/*
 * The host's end. Starts FILE in a runner, reads its table and ends that runner; a file whose table was read already is not started for it.
 * Out: *lib, whose table opens each session in a runner of its own, begun anew by the next call when it has died; to be unloaded after its
 * sessions. All its runners load the one file that was opened and checked here, whatever takes its name later. The table's calls are for
 * session.h alone.
 * ERR_CONFIG: why it is refused, as plugin_load says it, or how its runner died.
 */
int runner_load(const char *file, const struct runner_limits *limits, struct plugin_lib **lib, struct err *e);
/* Which program is started as `PROGRAM runner`; syncline, this very one or the one beside it, unless set. Borrowed. For tests. */
void runner_program(const char *file);

/* Is told of each death of a runner in this process: whose it was, and how. NULL: nobody is. For the daemon's workers. */
void runner_on_death(void (*tell)(void *self, const char *connection, const char *how), void *self);
struct session;
/* Has its runner served long, or grown large? Then another should take its place, between two runs. False for one that has no runner. */
bool runner_worn(const struct session *s);

/* The other end: `syncline runner --fd N --plugin FILE --open M`; M is the file, open. Returns the exit code. */
int runner_serve(int fd, const char *file, int open_fd);

#endif
