/* SPDX-License-Identifier: MIT */
/* policy.h - what an HTTP answer means and what to do next: retry, wait, refresh, give up. Pure: no I/O, the clock is an argument. */
#ifndef NET_POLICY_H
#define NET_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How far a request came. The values are those of enum sl_http_end. */
enum net_end { NET_ANSWERED = 1, NET_NOT_SENT = 2, NET_NO_ANSWER = 3, NET_REFUSED = 4 };

/* What the service does next. */
enum net_step {
    STEP_DONE = 1, /* hand it on */
    STEP_AGAIN = 2, /* send it again after a pause */
    STEP_PAUSE = 3, /* the server asked for less: it was not carried out; wait as told, then send it again */
    STEP_REFRESH = 4 /* get a new token, then send it once more */
};

/* What the answer says of the request. */
enum net_fate {
    FATE_DONE = 1, /* carried out */
    FATE_NOT_DONE = 2, /* certainly not carried out */
    FATE_UNKNOWN = 3 /* may have been carried out */
};

/* What is known of one answer. */
struct net_answer {
    int end; /* enum net_end */
    uint32_t status; /* ANSWERED */
    int64_t wait_ms; /* what rate_read() found: wait at least this long; -1: not said */
    bool exhausted; /* the headers say that the budget is used up */
};

struct net_verdict {
    int step; /* enum net_step */
    int fate; /* enum net_fate */
    int advice; /* enum sl_class */
};

/*
 * The table status x may-be-repeated → verdict. repeatable: a second sending does no harm (GET, HEAD, PUT and DELETE that say so, or an
 * idempotency key the server honours). A lost reply, 408 or 5xx is UNKNOWN unless it is repeatable: a repeat of a create would be a double.
 */
struct net_verdict policy_decide(const struct net_answer *answer, bool repeatable);
/* GET, HEAD and OPTIONS. */
bool policy_safe_method(const char *method);

/* How often and how long a request is tried again. */
struct net_patience {
    uint32_t most_tries; /* sendings in all; pauses the server asked for do not count */
    int64_t base_ms;
    int64_t cap_ms;
    int64_t most_pause_ms; /* a longer wait than this is handed on as SL_RATE */
};
extern const struct net_patience policy_patience;

/* Full jitter: a random wait in [0, min(cap, base * 2^tries)]. random: 64 random bits. */
int64_t policy_backoff_ms(const struct net_patience *p, uint32_t tries, uint64_t random);

/*
 * A circuit breaker: `BREAKER_FALLS` faults in a row open it for a while, then one request is let through; its success closes it, its fault
 * opens it for twice as long. Zero-initialise.
 */
enum { BREAKER_FALLS = 5, BREAKER_BASE_MS = 5000, BREAKER_CAP_MS = 300000 };
struct breaker {
    uint32_t falls; /* in a row */
    int64_t open_until_ms; /* 0: closed */
    int64_t pause_ms;
    bool probing;
};
/* How long to wait before the next request may go; 0: now (and if it was open, this one is the probe). */
int64_t breaker_wait_ms(struct breaker *b, int64_t now_ms);
/*
 * Once a probe has met a fault too, waiting for the next one would hold up a whole batch request by request: until then each is answered
 * at once. Milliseconds until the next probe; 0: wait as above.
 */
int64_t breaker_refuses_ms(const struct breaker *b, int64_t now_ms);
void breaker_tell(struct breaker *b, bool fault, int64_t now_ms);

#endif
