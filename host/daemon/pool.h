/* SPDX-License-Identifier: MIT */
/* pool.h - the workers: as many as there is work for, within bounds; each carries out one run at a time. */
#ifndef DAEMON_POOL_H
#define DAEMON_POOL_H

#include <poll.h>

#include "daemon/child.h"
#include "daemon/schedule.h"

enum { POOL_MAX = 66 };

struct worker {
    struct child child;
    uint64_t serial; /* names it for ever; from 1 */
    uint64_t config; /* which config it has loaded */
    struct schedule_unit *unit; /* what it runs; NULL: nothing */
    int64_t since_ms; /* it started, or has had nothing to do */
    int64_t heard_ms; /* its last sign of life, or its job was given to it */
    bool silent; /* ended for want of one */
    bool candidate; /* it tries a config that is not taken in yet */
    bool ready; /* it has loaded its config */
    bool leaving; /* nothing more is given to it */
};

struct pool {
    struct worker workers[POOL_MAX];
    size_t n, most; /* most: of those that are no candidates */
    uint64_t serial;
    int64_t not_before_ms; /* no start before, since the last ones came to nothing */
    unsigned failures;
    unsigned lost; /* died, and are to be replaced whether there is work or not */
};
/* At most two more than there are processors: a run mostly waits for others. */
void pool_init(struct pool *p);
/* Starts one on a config, which is open as conf_fd (-1: it reads the file itself). NULL with e. */
struct worker *pool_start(struct pool *p, const char *config, int conf_fd, uint64_t number, int64_t now_ms,
                          struct err *e);
/* One that is ready and has nothing to do: the unit's last one if it is such a one. NULL: none. */
struct worker *pool_idle(struct pool *p, const struct schedule_unit *unit);
/* May one be started now? One at a time, so that none is started for work that is done before it can take it. */
bool pool_may_start(const struct pool *p, int64_t now_ms);
void pool_give(struct worker *w, struct schedule_unit *unit);
/* It ends once it has nothing to do. */
void pool_dismiss(struct worker *w);
/* Those whose config is another one, and those idle for a minute while others are there. */
void pool_trim(struct pool *p, uint64_t config, int64_t now_ms);
/* What became of the job that it says is done: an enum schedule_outcome; what the job left is said of its unit. */
int pool_outcome(struct worker *w, const struct message *m);
/* One ended: its place is given to another. */
void pool_forget(struct pool *p, struct worker *w, int64_t now_ms);
size_t pool_running(const struct pool *p);
/* Tells all to end: those that run after what they have in flight. */
void pool_stop(struct pool *p);
void pool_kill(struct pool *p);

#endif
