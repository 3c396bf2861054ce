/* SPDX-License-Identifier: MIT */
/* reception.h - the supervisor's end of webhooks: the receiver that takes them, and what becomes of those it has in hand. */
#ifndef DAEMON_RECEPTION_H
#define DAEMON_RECEPTION_H

#include <poll.h>

#include "daemon/child.h"
#include "daemon/delivery.h"
#include "daemon/figures.h"

/*
 * What a receiver tells (MESSAGE_HOOKS) is JSON: {"wake": [PAIR, ...], "counts": [{"connection": NAME, OUTCOME: N, ...}, ...], "trouble":
 * [{"connection": NAME, "times": N, "text": TEXT}, ...]}; a connection "" is none of the config's. Words of the secrets are in none of it.
 */
enum { RECEPTION_MAX = 4, RECEPTION_ROOM = 1024 };

/* One that has loaded a config. A new one takes over once it is ready; the one before ends when it has answered what it has in hand. */
struct receiver {
    struct child child;
    uint64_t config;
    bool ready, leaving, told_end;
    int64_t since_ms; /* it started, or it last said something, or nothing was asked of it */
    uint64_t in_hand[RECEPTION_ROOM]; /* numbers of requests */
    size_t n_in_hand;
};

struct reception {
    const char *config;
    struct receiver *all[RECEPTION_MAX]; /* the newest last */
    size_t n;
    bool wanted; /* the config has webhooks */
    uint64_t number; /* of the config in force */
    int64_t not_before_ms;
    unsigned failures;
    uint64_t restarts;
    char trouble[1024]; /* the last one, for `status`; "": none since the config was taken in */
};

/* What it asks of the supervisor. */
struct reception_world {
    void *self;
    void (*wake)(void *self, const char *pair);
    struct buf *to_gateway; /* messages for it */
    struct figures *figures;
    bool told; /* out: there is a new trouble */
};

/* A config is in force: its receiver is to be started if it has webhooks. */
void reception_set(struct reception *r, uint64_t number, bool wanted, int64_t now_ms);
/* Starts what is to be started, replaces what died. conf_fd: the config's text. */
void reception_tend(struct reception *r, int conf_fd, bool stopping, int64_t now_ms, struct reception_world *w);
/* A delivery, as the gateway handed it on: goes to a receiver, or is answered at once. */
void reception_take(struct reception *r, const struct message *m, int64_t now_ms, struct reception_world *w);
/* What receivers say. */
void reception_hear(struct reception *r, int64_t now_ms, struct reception_world *w);
/* All end once they have answered what they have in hand. */
void reception_stop(struct reception *r);
/* Those to poll, RECEPTION_MAX at most; returns how many. */
size_t reception_fds(const struct reception *r, struct pollfd *fds);
/* ms until there is something to do; most if there is nothing before. */
int64_t reception_wait_ms(const struct reception *r, int64_t most, int64_t now_ms);

#endif
