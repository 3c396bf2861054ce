/* SPDX-License-Identifier: MIT */
/* forges.c - writes into the socket to its host a frame of its own, of a service with nothing in it. */
#define NAME "forges"
#include "hostile.h"

static int act(const struct sl_host *host)
{
    static const char frames[] = "\x03\0\0\0\x0d\x07\x07"; /* an item that is neither there nor not */
    for (int fd = 3; fd < 16; fd++)
        if (write(fd, frames, sizeof frames - 1) > 0)
            return end_page(host);
    return SL_OK;
}
