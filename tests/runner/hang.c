/* SPDX-License-Identifier: MIT */
/* hang.c - never comes back. */
#define NAME "hang"
#include "hostile.h"

static int act(const struct sl_host *host)
{
    for (volatile int i = 0; host->ctx; i++)
        if (i > 1000)
            i = 0;
    return SL_OK;
}
