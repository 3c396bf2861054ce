/* SPDX-License-Identifier: MIT */
/* death.h - what a worker tells of a connection whose runners died in a run. */
#ifndef DAEMON_DEATH_H
#define DAEMON_DEATH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

struct death {
    char *connection,
        *how; /* how the last one died, in words; told, but empty: the run came to its end in spite of it */
    uint64_t times;
};
void death_put(struct buf *out, const struct death *d);
/* Reads what death_put wrote; d is the caller's to give back, even if it is none (false). */
bool death_read(struct death *d, const char *text, size_t n_bytes);
void death_fini(struct death *d);

#endif
