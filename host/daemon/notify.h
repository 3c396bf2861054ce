/* SPDX-License-Identifier: MIT */
/* notify.h - systemd's readiness and watchdog: a datagram to the socket that the environment names, without its library. */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stdint.h>

/* "READY=1", "WATCHDOG=1", "STOPPING=1". Without NOTIFY_SOCKET: nothing. */
void notify_say(const char *what);
/* How often it wants to hear WATCHDOG=1, in ms, with room to spare; 0: not. */
int64_t notify_watchdog_ms(void);

#endif
