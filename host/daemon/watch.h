/* SPDX-License-Identifier: MIT */
/* watch.h - tells when the config may have been edited, or a connector put into a plugin folder. */
#ifndef DAEMON_WATCH_H
#define DAEMON_WATCH_H

#include <stdbool.h>
#include <stddef.h>

enum watch_change { WATCH_NOTHING = 0, WATCH_CONFIG = 1, WATCH_PLUGINS = 2 }; /* bits */

struct watch {
    int fd; /* to poll; -1: the system lends none, SIGHUP still works */
    int config; /* the watch of the config's folder */
    char *name; /* of the config in it */
    int *plugins;
    size_t n_plugins;
};
void watch_open(struct watch *w, const char *config);
/* From now on these folders, too; one that is not there is passed over. */
void watch_plugins(struct watch *w, const char *const *folders, size_t n);
/* What has changed since the last call: bits. */
unsigned watch_read(struct watch *w);
void watch_close(struct watch *w);

#endif
