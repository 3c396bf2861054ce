/* SPDX-License-Identifier: MIT */
/* kills.c - ends its host. */
#define NAME "kills"
#include "hostile.h"

static int act(const struct sl_host *host)
{
    return tell(host, "kill", kill(getppid(), SIGKILL));
}
