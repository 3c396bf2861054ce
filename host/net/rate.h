/* SPDX-License-Identifier: MIT */
/* rate.h - pacing: a token bucket that learns from the server's headers. Pure: the clock is an argument. */
#ifndef NET_RATE_H
#define NET_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "syncline/syncline.h"

/* What an answer's headers say of the budget. -1: not said. */
struct rate_signs {
    int64_t wait_ms; /* Retry-After, in seconds or as a date */
    int64_t limit; /* requests a window */
    int64_t remaining; /* in this window */
    int64_t reset_ms; /* from now until the window ends */
};

/* Reads Retry-After, X-RateLimit-*, RateLimit-* and their friends; header names in lower case. Nonsense counts as not said. */
struct rate_signs rate_read(const struct sl_header *headers, size_t n, int64_t now_ms);

/* What became of a request. */
enum rate_outcome {
    RATE_WELL = 0, /* carried out */
    RATE_REJECTED, /* another answer below 500 */
    RATE_REFUSED, /* 429: the server asks for less */
    RATE_FAULT, /* 5xx, or no answer */
    RATE_OUTCOMES
};

/* For those who look at a connection: nothing is decided by it. Counts are since the state folder's bytes were made. */
struct rate_tally {
    uint64_t sent, outcomes[RATE_OUTCOMES];
    int64_t limit, left; /* of the server's window, as it last said; -1: it did not */
    int64_t left_until_us; /* 0: it did not say */
    uint64_t left_sent; /* `sent` when it said so */
    int64_t down_until_us; /* nothing is asked before, since requests in a row met no good answer */
};

/*
 * A token bucket. Plain memory: it may lie in memory that the processes of one connection share, and what one of them left half
 * written is still a bucket. Order of use: rate_wait_us (0: go), rate_spend, and rate_learn with every answer. Never more than `room`
 * at once, never more than room + per_second * t in any t.
 */
struct rate {
    uint64_t layout; /* of this struct: another host's bytes are none */
    double per_us; /* tokens that come in; 0: unlimited */
    double ceiling_per_us; /* configured; what is learned stays below it; 0: none */
    double room; /* the most that can be saved up */
    double tokens;
    int64_t at_us; /* when tokens was right */
    int64_t blocked_until_us; /* the server said so */
    bool guessed; /* per_us is a guess after refusals without a word of the limit */
    int64_t slowed_us, raised_us; /* when a guess was last made lower, and changed at all */
    double seen_per_us; /* how fast requests left lately: where a server refuses without a word of its limit */
    struct rate_tally tally;
};

/* Where the bucket lies that several processes use. Zeros: nobody else uses it. */
struct rate_home {
    void *self;
    void *(*lock)(
        void *self); /* a struct rate, nobody else's until unlock; all zero when it is new. NULL: it cannot be shared */
    void (*unlock)(void *self); /* only after a lock that was not NULL */
};

/* per_minute 0: unlimited until the server says otherwise. */
void rate_init(struct rate *r, int64_t per_minute, int64_t now_us);
/* The same for a bucket that others use or used: what they learned and spent stays, unless it is no bucket or of another limit. */
void rate_join(struct rate *r, int64_t per_minute, int64_t now_us);
/* Microseconds until a request may leave; 0: now. */
int64_t rate_wait_us(const struct rate *r, int64_t now_us);
void rate_spend(struct rate *r, int64_t now_us);
/* refused: the server did not carry it out because of its limit. */
void rate_learn(struct rate *r, const struct rate_signs *signs, bool refused, int64_t now_us);
/* Keeps an answer's outcome and signs in the tally. down_us: how long the connection's breaker is open from now on; 0: it is not. */
void rate_count(struct rate *r, int outcome, const struct rate_signs *signs, int64_t down_us, int64_t now_us);

/* What a bucket says to one who looks at it. */
struct rate_view {
    int64_t per_minute; /* how fast it may send now; 0: no limit is known */
    int64_t limit, left; /* of the server's window, what left since taken off; -1: not known */
    int64_t resets_ms; /* until that window ends; -1: not known */
    int64_t waits_ms; /* the server asked for a pause that lasts so long yet; 0: it did not */
    int64_t down_ms; /* it gave no good answers and is asked again then; 0: it is up */
    uint64_t sent, outcomes[RATE_OUTCOMES];
};
/* False: these bytes are no bucket, or of another run of the machine. They may have been read while another wrote them. */
bool rate_look(const struct rate *r, int64_t now_us, struct rate_view *out);

#endif
