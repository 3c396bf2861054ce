/* SPDX-License-Identifier: MIT */
/* parking.h - which connections are left alone because their connector keeps dying; pure, the clock is an argument. */
#ifndef DAEMON_PARKING_H
#define DAEMON_PARKING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

enum {
    PARKING_DEATHS = 5, /* runs that ended with a death of a connection's runner, */
    PARKING_WITHIN_MS = 10 * 60 * 1000, /* within so long: */
    PARKING_MS = 30 * 60 * 1000 /* and its pairs wait so long, unless a config is taken in before */
};

/* A connection whose runner has died. */
struct parking_spot {
    char *connection, *how; /* the last death, in words */
    int64_t deaths_ms[PARKING_DEATHS]; /* when; the oldest is overwritten */
    uint64_t n_deaths;
    uint64_t total; /* runners that died since the daemon began, whatever became of the run */
    int64_t until_ms; /* parked; 0: it is not */
};

struct parking {
    struct parking_spot *spots;
    size_t n;
};

/* So many of the connection's runners died in one run. */
void parking_count(struct parking *p, const char *connection, uint64_t n);
/* A run came to no end because the connection's runner died. True: with this the connection is parked. */
bool parking_died(struct parking *p, const char *connection, const char *how, int64_t now_ms);
/* NULL: it is not parked, or not any more. */
const struct parking_spot *parking_of(struct parking *p, const char *connection, int64_t now_ms);
/* Nothing is held against anybody any more: somebody may have mended it. What was counted stays. */
void parking_clear(struct parking *p);
void parking_fini(struct parking *p);
/* The sentence for a person: who, why, how long, and the way out. */
void parking_put(struct buf *out, const struct parking_spot *spot);
/* NULL: none of its runners has died. Parked or not. */
const struct parking_spot *parking_look(const struct parking *p, const char *connection);

#endif
