/* SPDX-License-Identifier: MIT */
/* trouble.h - what a pair's worker cannot say itself, told in the log and where `status` looks: it was silent, its connection is parked. */
#ifndef DAEMON_TROUBLE_H
#define DAEMON_TROUBLE_H

#include "daemon/parking.h"
#include "daemon/roster.h"

/* A connection has just been parked: once in the log, and in the status of each pair that waits for it. */
void trouble_parked(const struct parking_spot *spot, const struct roster *r);
/* STATE/daemon.runners anew: each connection whose runners died, how often, and until when it is parked. Without a daemon it is the past. */
void trouble_note(const struct parking *p, const struct roster *r);
/* What it says, in the arena; NULL: of none. */
struct trouble_row {
    const char *connection, *how; /* the last death of a run that came to no end; "": there was none */
    uint64_t deaths;
    int64_t until_ms; /* parked until then, by clock_boot_ms(); 0: it is not */
    const struct trouble_row *next;
};
const struct trouble_row *trouble_read(const char *state, struct arena *a);
/* A pair's worker was ended because it gave no sign of life. */
void trouble_silent(const char *pair, const struct roster *r);

#endif
