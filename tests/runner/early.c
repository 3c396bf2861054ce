/* SPDX-License-Identifier: MIT */
/* early.c - does its damage while it is loaded. */
#define NAME "early"
#include "hostile.h"

__attribute__((constructor)) static void begin(void)
{
    raise(SIGSEGV);
}

static int act(const struct sl_host *host)
{
    return end_page(host);
}
