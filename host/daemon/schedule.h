/* SPDX-License-Identifier: MIT */
/* schedule.h - which pair runs when: a heap of due times, jitter, backoff, wakes; pure, the clock is an argument. */
#ifndef DAEMON_SCHEDULE_H
#define DAEMON_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A pair as the schedule sees it: with its children, which run right behind it in the same job. Times are ms of any clock that the caller
 * keeps to; it may jump. Zero-initialised by the schedule; a caller reads it and sets `worker`.
 */
struct schedule_unit {
    char *name;
    int64_t every_ms, verify_every_ms; /* 0: never by itself */
    int64_t due_ms, verify_due_ms; /* INT64_MAX: never */
    int64_t started_ms;
    unsigned failures; /* runs in a row that came to no end */
    unsigned order; /* in the config: of those due at once the first goes first */
    bool running;
    bool full; /* the running job is a full compare */
    bool again; /* woken while it ran */
    int64_t left_ms; /* what its run left can be gone on with so long after it; -1: it left nothing */
    unsigned leaves; /* runs in a row that left something */
    bool held; /* somebody else had it last */
    bool gone; /* the config has it no more: freed when its run ends */
    size_t at; /* in the heap */
    uint64_t worker; /* who ran it last; 0: nobody */
};

/* What a config wants of a pair. */
struct schedule_want {
    const char *name;
    int64_t every_ms, verify_every_ms;
    int64_t verified_ago_ms; /* since the last full compare; -1: not known */
};

enum schedule_outcome {
    SCHEDULE_OK = 1,
    SCHEDULE_FAILED, /* no end, or its worker died: backs off */
    SCHEDULE_BUSY /* somebody else holds the pair: soon again, and no failure */
};

struct schedule;
/* seed: of the jitter after failures; two hosts should not share one. */
struct schedule *schedule_new(uint64_t seed);
void schedule_free(struct schedule *s); /* accepts NULL */
/*
 * Takes in a config whole, copying what it needs. Pairs that were there keep their place; their failures are forgotten, since a person may
 * have mended them. New pairs begin within n x 20 ms, and later in a slot of their interval that their name decides.
 */
void schedule_set(struct schedule *s, const struct schedule_want *wants, size_t n, int64_t now_ms);
/* The next pair that is due, marked as running; NULL: none is. Borrowed until its schedule_done. */
struct schedule_unit *schedule_take(struct schedule *s, int64_t now_ms);
/* The same pair without taking it. */
const struct schedule_unit *schedule_peek(struct schedule *s, int64_t now_ms);
/* ms until something is due; 0: now; -1: nothing ever. */
int64_t schedule_wait(struct schedule *s, int64_t now_ms);
/*
 * Its run has left something that can be gone on with in_ms from its end: if it came to one, the next is due no later, but the later the
 * more runs in a row left something. To be said before schedule_done.
 */
void schedule_left(struct schedule_unit *unit, int64_t in_ms);
/* Its run has ended. The unit may be freed by this. */
void schedule_done(struct schedule *s, struct schedule_unit *unit, int outcome, int64_t now_ms);
/* The one that schedule_peek shows is not begun, and looked at again then, or when a config is taken in. */
void schedule_put_off(struct schedule *s, int64_t until_ms);
/* A hint: the pair is due now, or again once its run ends, or as its backoff says. Many before it starts are one. False: no such pair. */
bool schedule_wake(struct schedule *s, const char *name, int64_t now_ms);
/* Somebody asks for it: due now whatever its backoff says, or again once its run ends. False: no such pair. */
bool schedule_now(struct schedule *s, const char *name, int64_t now_ms);
/* A pair by name, for a reader; NULL: there is none. */
const struct schedule_unit *schedule_find(const struct schedule *s, const char *name);

#endif
