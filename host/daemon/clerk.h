/* SPDX-License-Identifier: MIT */
/* clerk.h - the supervisor's end of the API: a request becomes an errand, or wakes a pair; what comes of it becomes an answer. */
#ifndef DAEMON_CLERK_H
#define DAEMON_CLERK_H

#include "daemon/api.h"

struct clerk {
    struct errands *errands;
    struct api_door door;
    struct buf *to_gateway; /* messages for it */
    void *self;
    bool (*wake)(void *self, const char *pair); /* false: there is no such pair */
};

/* to_gateway, self and wake are the caller's to set; they must stay. */
void clerk_open(struct clerk *c);
void clerk_close(struct clerk *c);
/* The token of the config in force: its SHA-256 in hex; NULL: it has none. */
void clerk_set(struct clerk *c, const char *token_digest);
/* A request, as the gateway handed it on. */
void clerk_take(struct clerk *c, const struct request *r);

#endif
