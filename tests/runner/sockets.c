/* SPDX-License-Identifier: MIT */
/* sockets.c - opens connections of its own. */
#define NAME "sockets"
#include "hostile.h"

static int act(const struct sl_host *host)
{
    return tell(host, "socket", socket(AF_INET, SOCK_STREAM, 0));
}
