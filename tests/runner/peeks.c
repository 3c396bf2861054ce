/* SPDX-License-Identifier: MIT */
/* peeks.c - reads a file that is not its own. */
#define NAME "peeks"
#include "hostile.h"

static int act(const struct sl_host *host)
{
    return tell(host, "open", open("/etc/passwd", O_RDONLY));
}
