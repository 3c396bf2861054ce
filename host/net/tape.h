/* SPDX-License-Identifier: MIT */
/* tape.h - a run's HTTP exchanges, clock and randomness: recorded to one file, redacted, and replayed from it. */
#ifndef NET_TAPE_H
#define NET_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/tape_line.h"

struct transfer;

/* One for a process; one thread. */
struct tape;

/* Creates the file, for its owner only; one that is there already is not written over. about: members of JSON for its head. */
int tape_record(const char *file, const char *about, struct tape **out, struct err *e);
/* Reads the whole file. ERR_CONFIG if it is no recording. */
int tape_replay(const char *file, struct tape **out, struct err *e);
/* Accepts NULL. ERR_FAILED if the recording could not be written, or what was recorded was not all asked for again. */
int tape_close(struct tape *t, struct err *e);
bool tape_replays(const struct tape *t); /* NULL: no */

/*
 * The state that a pair's run begins with: the last run that changed it, and its file's birth. Recorded, or compared with what was
 * recorded: ERR_CONFIG if it is another state; *born becomes the recorded one, as a copy has a birth of its own.
 */
int tape_state(struct tape *t, const char *pair, const char *last_run, uint64_t *born, struct err *e);

/* The world of a run with a tape; self is the tape. Replayed, time passes as it did and nobody waits for it. */
int64_t tape_now_ms(void *self);
int64_t tape_mono_us(void *self);
void tape_random(void *self, void *bytes, size_t n_bytes);
void tape_sleep_ms(void *self, uint32_t ms);

/* For transfer.c. Recording: a transfer that leaves now, and one that came to its end. */
struct tape_mark tape_leave(struct tape *t);
void tape_keep(struct tape *t, const char *connection, const struct transfer *done, struct tape_mark left);
/* Replaying: the exchange that stands for this request; NULL with *why, in the transfer's memory, if the next of its kind is another. */
const struct tape_exchange *tape_find(struct tape *t, const char *connection, struct transfer *asked);
/* True once it is this exchange's turn: answers come in the order in which they came then. It is then done with. */
bool tape_turn(struct tape *t, const struct tape_exchange *x);
/* Nobody's turn has come: so much time passes. */
void tape_wait(struct tape *t, int64_t ms);

#endif
