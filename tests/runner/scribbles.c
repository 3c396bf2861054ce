/* SPDX-License-Identifier: MIT */
/* scribbles.c - writes into memory that is not its own: the table of services, and what is around it. */
#define NAME "scribbles"
#include "hostile.h"

static int act(const struct sl_host *host)
{
    char *at = (char *)(uintptr_t)host;
    for (long i = 0; i < 1 << 16; i++)
        at[i] = (char)(i * 7);
    return end_page(host);
}
