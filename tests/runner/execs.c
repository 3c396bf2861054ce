/* SPDX-License-Identifier: MIT */
/* execs.c - becomes another program. */
#define NAME "execs"
#include "hostile.h"

static int act(const struct sl_host *host)
{
    return tell(host, "exec", execl("/bin/true", "true", (char *)NULL));
}
