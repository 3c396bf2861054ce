/* SPDX-License-Identifier: MIT */
/* supervisor.h - the daemon's first process: runs what is due in workers, restarts what dies, takes in edited configs. */
#ifndef DAEMON_SUPERVISOR_H
#define DAEMON_SUPERVISOR_H

#include "base/err.h"

/*
 * Works until SIGTERM or SIGINT, then waits for the runs in flight; a second one ends at once. SIGHUP takes the config in anew. It loads no
 * connector and opens no state of a pair: workers do. Returns the exit code: 0; 2 with the problems on stderr, if the first config is refused;
 * else with e.
 */
int supervisor_run(const char *config, struct err *e);

#endif
