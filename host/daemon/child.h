/* SPDX-License-Identifier: MIT */
/* child.h - a process of the family: the same program with a hidden command, a channel to it, and its end with the supervisor's. */
#ifndef DAEMON_CHILD_H
#define DAEMON_CHILD_H

#include <sys/types.h>

#include "base/err.h"
#include "daemon/message.h"

/* What a child finds open: its channel, and the one thing it was given. */
enum { CHILD_CHANNEL_FD = 3, CHILD_GIVEN_FD = 4 };
#define CHILD_GIVEN "/proc/self/fd/4"

struct child {
    pid_t pid; /* 0: none */
    struct channel channel;
};

/*
 * Starts this program as `syncline -c config command`. given: an open file for it, or -1. The child is in a process group of its own, so
 * that a ^C is the supervisor's to pass on, and is told to end (SIGTERM) when the supervisor dies, however it does. 0, or ERR_FAILED.
 */
int child_start(struct child *c, const char *config, const char *command, int given, struct err *e);
/* The same, with nothing of the environment that may be a secret. */
int child_start_bare(struct child *c, const char *config, const char *command, int given, struct err *e);
/* True once it has ended; the pid is then 0. *how: "ended with exit code 1", "was killed by signal 9". */
bool child_ended(struct child *c, char how[64]);
/* A command of this program that speaks to nobody: its output goes into files, its config's text is given (-1: it reads the file itself). */
struct child_order {
    const char *config;
    const char *const *words; /* behind `--json --given`; ended by NULL */
    int given, out, err;
};
/* Its pid, which is its process group's, too; 0: there is no process to be had. It ends with this process, like every child. */
pid_t child_command(const struct child_order *o);
/* True once it has ended; *pid is then 0. *exit_code: -1: by a signal. */
bool child_command_ended(pid_t *pid, int *exit_code);
/* In the child: is it one? Sets the channel up. False: nobody started it. */
bool child_begin(struct channel *c);

#endif
