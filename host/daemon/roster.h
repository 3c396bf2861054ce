/* SPDX-License-Identifier: MIT */
/* roster.h - what the supervisor knows of a config that a worker has loaded and checked for it: it loads no connector itself. */
#ifndef DAEMON_ROSTER_H
#define DAEMON_ROSTER_H

#include "conf/conf.h"
#include "daemon/schedule.h"

struct roster {
    const char *state, *listen;
    struct schedule_want *wants; /* one for each pair without a parent */
    size_t n_wants;
    const char **pairs; /* children too */
    size_t n_pairs;
    const char **plugin_folders;
    size_t n_plugin_folders;
    struct arena arena; /* owns the above */
};
/* As JSON. verified_ago_ms: one for each pair of the config, -1 where that is not known. */
void roster_put(struct buf *out, const struct conf *conf, const int64_t *verified_ago_ms);
/* Reads what roster_put wrote. 0, or ERR_INPUT: it is none. */
int roster_read(struct roster *r, const char *text, size_t n_bytes, struct err *e);
void roster_fini(struct roster *r);

#endif
