/* SPDX-License-Identifier: MIT */
/* opened.h - the connectors' files that runners are started with: each is open once in a process, for all its connections. */
#ifndef RUNNER_OPENED_H
#define RUNNER_OPENED_H

#include <sys/stat.h>

#include "base/mem.h"

struct opened {
    struct opened *next;
    unsigned n_users;
    char *file;
    int fd; /* all its runners load this one, whatever takes its name later */
    struct stat is; /* as it was opened */
    struct buf hello; /* as the first runner said it: the next ones must say the same; empty: none has yet */
};

/* What is open as fd, which it takes: one that another connection has already, or a new one. */
struct opened *opened_take(const char *file, int fd);
void opened_drop(struct opened *o); /* accepts NULL */

#endif
