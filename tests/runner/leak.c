/* SPDX-License-Identifier: MIT */
/* leak.c - takes memory until there is none. */
#define NAME "leak"
#include "hostile.h"

static int act(const struct sl_host *host)
{
    enum { MEGABYTE = 1 << 20 };
    while (host->ctx) {
        char *more = malloc(MEGABYTE);
        memset(more, 1, MEGABYTE);
        host->stopping(host->ctx);
    }
    return SL_OK;
}
