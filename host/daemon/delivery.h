/* SPDX-License-Identifier: MIT */
/* delivery.h - a webhook on its way: what a path names, what becomes of a delivery, and how many a connection may send; pure. */
#ifndef DAEMON_DELIVERY_H
#define DAEMON_DELIVERY_H

#include "daemon/gateway.h"

#define DELIVERY_PATH "/hooks/"

/* What becomes of a delivery. The names stand in metrics. */
enum delivery_outcome {
    DELIVERY_ACCEPTED = 1, /* durable */
    DELIVERY_AGAIN, /* it was accepted within a day: the same answer, and nothing is done */
    DELIVERY_REFUSED, /* not the sender's, whatever is wrong with it: all are answered alike */
    DELIVERY_LIMITED, /* good, but one too many */
    DELIVERY_FAILED, /* cannot be verified or kept now; the sender's to repeat */
    DELIVERY_FULL, /* too many wait; not looked at */
    DELIVERY_OUTCOMES
};
extern const char *const delivery_outcome_names[DELIVERY_OUTCOMES];
/* What its sender hears. */
struct answer delivery_answer(uint64_t number, int outcome);

/* /hooks/CONNECTION/TOKEN; both are "" in any other path. */
enum { DELIVERY_NAME_MAX = 100 };
struct delivery_path {
    char connection[DELIVERY_NAME_MAX + 1];
    const char *token; /* borrowed from the path */
};
struct delivery_path delivery_path_read(const char *path);

/* A bucket that fills by so many a second up to so many; zero-initialised it is full. */
struct delivery_bucket {
    int64_t at_ms, missing_us; /* missing_us: until it is full again */
};
/* Takes one out, if it has one. A clock that goes back gives nothing and takes nothing. */
bool delivery_bucket_take(struct delivery_bucket *b, int64_t per_second, int64_t at_most, int64_t now_ms);

/* For the route: a delivery that finds no room is told to the supervisor by its connection's name. */
void delivery_full(struct gateway *g, const char *path);

#endif
