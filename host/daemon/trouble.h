/* SPDX-License-Identifier: MIT */
/* trouble.h - what a pair's worker cannot say itself, told in the log and where `status` looks: it was silent, its connection is parked. */
#ifndef DAEMON_TROUBLE_H
#define DAEMON_TROUBLE_H

#include "daemon/parking.h"
#include "daemon/roster.h"

/* A connection has just been parked: once in the log, and in the status of each pair that waits for it. */
void trouble_parked(const struct parking_spot *spot, const struct roster *r);
/* A pair's worker was ended because it gave no sign of life. */
void trouble_silent(const char *pair, const struct roster *r);

#endif
