/* SPDX-License-Identifier: MIT */
/* office.h - the supervisor's state, which its files share, and its end of the gateway. */
#ifndef DAEMON_OFFICE_H
#define DAEMON_OFFICE_H

#include "daemon/board.h"
#include "daemon/clerk.h"
#include "daemon/figures.h"
#include "daemon/metrics.h"
#include "daemon/parking.h"
#include "daemon/pool.h"
#include "daemon/reception.h"
#include "daemon/roster.h"
#include "daemon/watch.h"

struct supervisor {
    const char *config;
    struct pool pool;
    struct schedule *schedule;
    struct board board;
    struct figures figures;
    struct parking parking;
    struct metrics_host host;
    struct roster roster; /* of the config that is in force; no state: none is yet */
    uint64_t number, newest; /* which config is in force; which was tried last */
    int conf_fd, tried_fd; /* their texts; -1: not read */
    uint64_t tried_hash;
    int64_t reload_at_ms; /* 0: no config waits to be tried */
    bool reload_forced; /* even if its text is the same */
    struct child gateway;
    struct clerk clerk;
    struct reception reception; /* of webhooks */
    int listen_fd;
    int64_t gateway_at_ms; /* started, or to be started again */
    struct watch watch;
    int signals, claim;
    int64_t watchdog_ms, watchdog_at_ms;
    int64_t turn_ms; /* the last turn began */
    char *refused; /* why an edited config is not taken in; NULL: it is */
    bool stopping;
    int rc; /* of the first config */
    struct err *e;
};

/* What it needs first and last. */
void office_open(struct supervisor *s);
void office_shut(struct supervisor *s);
/* Starts the gateway, or another one when it has died. */
void office_tend(struct supervisor *s, int64_t now_ms);
/* Answers what the gateway and the receivers of webhooks ask. */
void office_hear(struct supervisor *s, int64_t now_ms);
/* What they are to be told before they end. */
void office_stop(struct supervisor *s);
/* True once they have ended. */
bool office_closed(const struct supervisor *s);
/* What `status` is to show. */
void office_note(struct supervisor *s, const char *refused);

#endif
