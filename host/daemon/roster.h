/* SPDX-License-Identifier: MIT */
/* roster.h - what the supervisor knows of a config that a worker has loaded and checked for it: it loads no connector itself. */
#ifndef DAEMON_ROSTER_H
#define DAEMON_ROSTER_H

#include "conf/conf.h"
#include "daemon/schedule.h"

struct roster {
    const char *state, *listen;
    int64_t run_silence_ms; /* a worker that gives no sign of life in a run for so long is ended */
    const char *api; /* SHA-256 of the API's token, in hex; NULL: there is none */
    struct schedule_want *wants; /* one for each pair without a parent */
    const char *(*sides)[2]; /* of each want: its connections */
    size_t n_wants;
    const char **pairs; /* children too */
    const char **parents; /* for each: itself, or the one whose child it is */
    int64_t *ran_ago_ms; /* for each: since its last good run began; -1: not known */
    size_t n_pairs;
    const char **connections;
    size_t n_connections;
    const char **plugin_folders;
    size_t n_plugin_folders;
    const char **hooks; /* connections that take webhooks */
    size_t n_hooks;
    struct arena arena; /* owns the above */
};
/* When a pair was last seen to; -1 where that is not known. */
struct roster_ago {
    int64_t verified_ms, ran_ms;
};
/* As JSON. ago: one for each pair of the config. */
void roster_put(struct buf *out, const struct conf *conf, const struct roster_ago *ago);
/* Reads what roster_put wrote. 0, or ERR_INPUT: it is none. */
int roster_read(struct roster *r, const char *text, size_t n_bytes, struct err *e);
void roster_fini(struct roster *r);

#endif
