/* SPDX-License-Identifier: MIT */
/* spills.c - writes a file that is not its own. */
#define NAME "spills"
#include "hostile.h"

static int act(const struct sl_host *host)
{
    return tell(host, "create", open("/tmp/syncline-spilled", O_WRONLY | O_CREAT, 0600));
}
