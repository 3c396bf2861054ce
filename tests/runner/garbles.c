/* SPDX-License-Identifier: MIT */
/* garbles.c - writes into the socket to its host what is no frame. */
#define NAME "garbles"
#include "hostile.h"

static int act(const struct sl_host *host)
{
    char noise[4096];
    memset(noise, 0xC3, sizeof noise);
    for (int fd = 3; fd < 16; fd++)
        if (write(fd, noise, sizeof noise) > 0)
            return end_page(host);
    return SL_OK;
}
