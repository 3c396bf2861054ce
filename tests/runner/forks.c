/* SPDX-License-Identifier: MIT */
/* forks.c - starts processes without end. */
#define NAME "forks"
#include "hostile.h"

static int act(const struct sl_host *host)
{
    for (int i = 0; i < 20; i++) {
        pid_t pid = fork();
        if (pid < 0)
            return tell(host, "fork", -1);
        if (pid == 0)
            for (;;)
                pause();
    }
    return tell(host, "fork", 0);
}
