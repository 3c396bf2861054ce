/* SPDX-License-Identifier: MIT */
/* crash.c - reads where nothing is. */
#define NAME "crash"
#include "hostile.h"

static int act(const struct sl_host *host)
{
    const volatile int *nowhere = (const int *)16;
    return host->ctx ? *nowhere : 0;
}
