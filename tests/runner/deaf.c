/* SPDX-License-Identifier: MIT */
/* deaf.c - never comes back, and does not die when it is asked to. */
#define NAME "deaf"
#include "hostile.h"

static int act(const struct sl_host *host)
{
    signal(SIGTERM, SIG_IGN);
    for (volatile int i = 0; host->ctx; i++)
        if (i > 1000)
            i = 0;
    return SL_OK;
}
