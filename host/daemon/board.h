/* SPDX-License-Identifier: MIT */
/* board.h - when the daemon runs each pair next, as a file of lines that `status` reads: written in place, true while the daemon's claim is. */
#ifndef DAEMON_BOARD_H
#define DAEMON_BOARD_H

#include "base/mem.h"
#include "daemon/schedule.h"

/*
 * STATE/daemon.pairs: a line of one width for each pair, rewritten in place when something changes, so that a full disk refuses none of it. Who
 * reads it asks claim_look first: without a daemon it is the past. Times are clock_boot_ms().
 */
struct board {
    int fd; /* -1: there is none, and `status` says less */
    size_t n_rows;
};
/* A new one for the pairs that a config wants, in its order, with what the schedule has of each. It replaces the old one at once. */
void board_set(struct board *b, const char *state, const struct schedule *s, const struct schedule_want *wants,
               size_t n);
/* The line of one pair anew, after its run began or ended or it was woken. */
void board_put(struct board *b, const struct schedule_unit *unit);
void board_close(struct board *b);

struct board_row {
    bool running;
    int64_t due_ms; /* when it is not running; INT64_MAX: never */
    int64_t since_ms; /* its run began */
    unsigned failures; /* runs in a row that came to no end */
};
/* All lines, as they are now; nothing where there is no board. */
void board_read(const char *state, struct buf *lines);
/* A pair's line among them; `likely` is where it would stand if the config is still that of the daemon. False: there is none. */
bool board_find(const struct buf *lines, size_t likely, const char *pair, struct board_row *out);

#endif
