/* SPDX-License-Identifier: MIT */
/* claim.h - one daemon a state folder: a lock that says whose it is, and what the daemon has to say to `status`. */
#ifndef DAEMON_CLAIM_H
#define DAEMON_CLAIM_H

#include "base/err.h"
#include "base/mem.h"

/* Takes STATE/daemon.lock; out: the open file, whose end is the claim's. ERR_BUSY names the process that holds it. */
int claim_take(const char *state, int *fd, struct err *e);
/* What `status` is to show: why an edited config is refused, what is wrong with webhooks. NULL, "": nothing. */
void claim_note(int fd, const char *refused, const char *hooks);
/* Is a daemon at work on that state? Its pid, or 0; and its notes, in the arena, or NULL. */
long claim_look(const char *state, struct arena *a, const char **refused, const char **hooks);

#endif
