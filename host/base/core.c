/* SPDX-License-Identifier: MIT */
/* core.c - no core file: what a process that holds secrets has in its memory goes to no disk. */
#include "base/core.h"

#include <sys/prctl.h>
#include <sys/resource.h>

/* Both are needed: a limit of 0 does not hold for a pattern that is a pipe. Sanitizers look into their own process and write none anyway. */
void core_refuse(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) == 0) {
        limit.rlim_cur = 0;
        setrlimit(RLIMIT_CORE, &limit);
    }
#ifndef __SANITIZE_ADDRESS__
    prctl(PR_SET_DUMPABLE, 0);
#endif
}
