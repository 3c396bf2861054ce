/* SPDX-License-Identifier: MIT */
/* gateway.h - the one process that listens: what a route is, and how it answers. */
#ifndef DAEMON_GATEWAY_H
#define DAEMON_GATEWAY_H

#include "base/err.h"
#include "daemon/request.h"

struct gateway;

/*
 * A kind of request. The door (gateway.c) finds it by its path, answers what is wrong with method and size by itself, collects the body and
 * hands the whole request to take, which answers by its number, at once or later: route_answer. What has no answer in time gets 503.
 */
struct route {
    const char *path; /* exactly this one; with a slash at its end: all that begin so. The longest wins */
    const char *methods; /* as in Allow; others are answered 405 */
    size_t body_max; /* bytes; more is answered 413 */
    int64_t answer_ms; /* how long an answer may take; 0: 5 s */
    unsigned
        hold_ms; /* its 404 goes out at a whole multiple of this after the request was whole, so that its time tells nothing; 0: at once */
    unsigned
        room; /* requests that may wait for an answer at once; more are answered 503, unread; 0: no bound but that of connections */
    void (*take)(struct gateway *g, const struct request *r);
    void (*full)(struct gateway *g, const char *path); /* one was answered 503 for want of room; or NULL */
};
/* The table (routes.c): a new kind of request is a row there and a file that takes it. */
extern const struct route routes[];
extern const size_t n_routes;
/* NULL: the path leads nowhere. */
const struct route *route_find(const struct route *table, size_t n, const char *path);

/* Answers the request of that number; copied. One that is not there, or has its answer, is passed over. */
void route_answer(struct gateway *g, const struct answer *a);
/* Hands it on: the supervisor's answer (MESSAGE_ANSWER) becomes that of the request. */
void route_forward(struct gateway *g, const struct request *r);
/* Says something of its own to the supervisor. */
void route_say(struct gateway *g, int kind, const char *text);

/* pages.c: health, readiness and metrics, for which the supervisor is asked once however many wait. */
void pages_take(struct gateway *g, const struct request *r);
void pages_hear(struct gateway *g, const struct message *m);

/* The gateway itself, a child of the supervisor: serves until that is gone or tells it to end. The exit code. */
int gateway_run(struct err *e);

#endif
