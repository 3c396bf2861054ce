/* SPDX-License-Identifier: MIT */
/* listen.h - the socket that the daemon listens on. */
#ifndef DAEMON_LISTEN_H
#define DAEMON_LISTEN_H

#include "base/err.h"

/*
 * Binds HOST:PORT and listens, without accepting: the supervisor keeps the socket, so that a gateway that dies loses no caller. *bound: what it
 * is bound to. 0, or ERR_FAILED with the sentence.
 */
int listen_bind(const char *listen, int *fd, char bound[80], struct err *e);

#endif
