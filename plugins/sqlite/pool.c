/* SPDX-License-Identifier: MIT */
/* pool.c - allocations of the sqlite connector that die together. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connector.h"

struct pool_block {
    struct pool_block *next;
    size_t used, room;
    _Alignas(16) char data[];
};

enum { FIRST_BYTES = 2048, BLOCK_BYTES = 65536 };

/* As a kill: the host's next run settles what was under way. */
void no_memory(void)
{
    static const char line[] =
        "syncline: no memory for the sqlite connector; nothing is lost: run again with more memory\n";
    ssize_t ignored = write(STDERR_FILENO, line, sizeof(line) - 1);
    (void)ignored;
    _exit(1);
}

void *pool_alloc(struct pool *p, size_t n_bytes)
{
    n_bytes = (n_bytes + 15) & ~(size_t)15;
    struct pool_block *b = p->head;
    if (!b || b->room - b->used < n_bytes) {
        size_t room = !b ? FIRST_BYTES : b->room < BLOCK_BYTES ? b->room * 2 : BLOCK_BYTES;
        room = n_bytes > room ? n_bytes : room;
        b = calloc(1, sizeof(*b) + room);
        if (!b)
            no_memory();
        b->room = room;
        b->next = p->head;
        p->head = b;
    }
    void *at = b->data + b->used;
    b->used += n_bytes;
    return at;
}

char *pool_copy(struct pool *p, const char *text, size_t n_bytes)
{
    char *out = pool_alloc(p, n_bytes + 1);
    if (n_bytes)
        memcpy(out, text, n_bytes);
    return out;
}

char *pool_print(struct pool *p, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *out = pool_alloc(p, (size_t)n + 1);
    vsnprintf(out, (size_t)n + 1, format, again);
    va_end(again);
    va_end(args);
    return out;
}

void pool_fini(struct pool *p)
{
    for (struct pool_block *b = p->head, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    p->head = NULL;
}
