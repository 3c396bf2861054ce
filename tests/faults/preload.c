/* SPDX-License-Identifier: MIT */
/* preload.c - the failing disk for a whole run of the program: preloaded, its plan in the environment. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "disk.h"

static struct disk_plan plan;
static char roots[DISK_ROOTS * PATH_MAX];
static const char *told; /* where the counts go */

static unsigned long number(const char *name)
{
    const char *text = getenv(name);
    return text ? strtoul(text, NULL, 10) : 0;
}

/* Files seen are never closed, and so take descriptors. */
static void more_descriptors(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0)
        return;
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
}

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("DISK_ROOTS");
    if (!text)
        return;
    snprintf(roots, sizeof(roots), "%s", text);
    for (char *root = strtok(roots, ":"); root && plan.n_roots < DISK_ROOTS; root = strtok(NULL, ":"))
        plan.roots[plan.n_roots++] = root;
    plan.spare = getenv("DISK_SPARE");
    plan.at = number("DISK_AT");
    plan.error = (int)number("DISK_ERROR");
    plan.on = number("DISK_ON") != 0;
    plan.at_end = number("DISK_AT_END") != 0;
    plan.seed = number("DISK_SEED");
    told = getenv("DISK_TOLD");
    more_descriptors();
    disk_begin(&plan);
}

/* Lines of `calls N`, `refused CALL PATH` and `flushed again`. */
static void tell(void)
{
    FILE *out = told ? fopen(told, "w") : NULL;
    if (!out)
        return;
    fprintf(out, "calls %lu\n", disk_calls());
    if (disk_refused()[0])
        fprintf(out, "refused %s\n", disk_refused());
    if (disk_flushed_again())
        fprintf(out, "flushed again\n");
    fclose(out);
}

__attribute__((destructor)) static void end(void)
{
    if (!plan.n_roots)
        return;
    tell();
    if (plan.at_end)
        disk_cut();
}
