/* SPDX-License-Identifier: MIT */
/* nomem.c - memory that ends under a process: stands before the C library's allocations; preloaded, its plan is in the environment. */
#include "nomem.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef NOMEM_IMPOSSIBLE
#define STANDS __attribute__((visibility("default")))

/* The C library's own, past those that stand before them. */
void *__libc_malloc(size_t n_bytes);
void *__libc_calloc(size_t n, size_t n_bytes);
void *__libc_realloc(void *old, size_t n_bytes);
void *__libc_memalign(size_t align, size_t n_bytes);

static bool active, on;
static unsigned long n_allocations, at;

static bool fails(void)
{
    if (!active)
        return false;
    n_allocations++;
    if (!at || n_allocations < at || (!on && n_allocations > at))
        return false;
    errno = ENOMEM;
    return true;
}

STANDS void *malloc(size_t n_bytes)
{
    return fails() ? NULL : __libc_malloc(n_bytes);
}

STANDS void *calloc(size_t n, size_t n_bytes)
{
    return fails() ? NULL : __libc_calloc(n, n_bytes);
}

STANDS void *realloc(void *old, size_t n_bytes)
{
    return fails() ? NULL : __libc_realloc(old, n_bytes);
}

STANDS int posix_memalign(void **out, size_t align, size_t n_bytes)
{
    *out = fails() ? NULL : __libc_memalign(align, n_bytes);
    return *out ? 0 : ENOMEM;
}

void nomem_begin(unsigned long from, bool all)
{
    n_allocations = 0;
    at = from;
    on = all;
    active = true;
}

unsigned long nomem_count(void)
{
    return n_allocations;
}

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("NOMEM_AT");
    if (text)
        nomem_begin(strtoul(text, NULL, 10), getenv("NOMEM_ON") != NULL);
}

/* How many there were, in an undisturbed run. */
__attribute__((destructor)) static void end(void)
{
    const char *told = getenv("NOMEM_TOLD");
    active = false;
    FILE *out = told ? fopen(told, "w") : NULL;
    if (!out)
        return;
    fprintf(out, "calls %lu\n", n_allocations);
    fclose(out);
}
#endif
