/* SPDX-License-Identifier: MIT */
/* mem.c - memory that is there or ends the process: heap, arena, growable buffer. */
#include "base/mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_MIN_BYTES = 4 << 10, BLOCK_MAX_BYTES = 1 << 20, ALIGN_BYTES = 16, BUF_MIN_BYTES = 512 };

struct arena_block {
    struct arena_block *next;
    size_t room;
    size_t used;
    _Alignas(ALIGN_BYTES) unsigned char data[];
};

/* Allocations left before one fails on purpose (SYNCLINE_FAIL_ALLOC=n); 0: never; -1: not asked yet. */
static long fail_in = -1;

_Noreturn void mem_exhausted(void)
{
    static const char line[] = "syncline: out of memory; nothing is lost: run again with more memory\n";
    ssize_t ignored = write(STDERR_FILENO, line, sizeof(line) - 1);
    (void)ignored;
    _exit(1);
}

static bool count_down(void)
{
    if (fail_in < 0) {
        const char *wish = getenv("SYNCLINE_FAIL_ALLOC");
        fail_in = wish ? atol(wish) : 0;
        if (fail_in <= 0) {
            fail_in = 0;
            return false;
        }
    }
    return --fail_in == 0;
}

static void *checked(void *p)
{
    if (!p || (fail_in != 0 && count_down()))
        mem_exhausted();
    return p;
}

void *mem_alloc(size_t n_bytes)
{
    return checked(calloc(1, n_bytes ? n_bytes : 1));
}

void *mem_grow(void *old, size_t n_bytes)
{
    return checked(realloc(old, n_bytes ? n_bytes : 1));
}

char *mem_dup(const char *text)
{
    size_t n_bytes = strlen(text) + 1;
    return memcpy(mem_grow(NULL, n_bytes), text, n_bytes);
}

void mem_free(void *p)
{
    free(p);
}

static size_t add_sizes(size_t x, size_t y)
{
    size_t sum = 0;
    if (__builtin_add_overflow(x, y, &sum))
        mem_exhausted();
    return sum;
}

static size_t next_room(const struct arena *a)
{
    size_t room = a->head ? a->head->room * 2 : BLOCK_MIN_BYTES;
    if (room < BLOCK_MIN_BYTES)
        return BLOCK_MIN_BYTES;
    return room > BLOCK_MAX_BYTES ? BLOCK_MAX_BYTES : room;
}

static struct arena_block *block_new(size_t room)
{
    struct arena_block *b = mem_grow(NULL, add_sizes(sizeof(*b), room));
    b->next = NULL;
    b->room = room;
    b->used = 0;
    return b;
}

/* A big allocation gets its own block behind the head, so that the head's free room is not given up for it. */
static struct arena_block *block_add(struct arena *a, size_t need)
{
    bool big = need > BLOCK_MAX_BYTES / 4;
    size_t room = next_room(a);
    while (!big && room < need)
        room *= 2;
    struct arena_block *b = block_new(big ? need : room);
    if (big && a->head) {
        b->next = a->head->next;
        a->head->next = b;
    } else {
        b->next = a->head;
        a->head = b;
    }
    return b;
}

static void *take(struct arena *a, size_t n_bytes)
{
    size_t need = add_sizes(n_bytes, ALIGN_BYTES - 1) & ~(size_t)(ALIGN_BYTES - 1);
    struct arena_block *b = a->head;
    if (!b || b->room - b->used < need)
        b = block_add(a, need);
    void *p = b->data + b->used;
    b->used += need;
    a->used_bytes += need;
    return p;
}

void *arena_alloc(struct arena *a, size_t n_bytes)
{
    return memset(take(a, n_bytes), 0, n_bytes);
}

void *arena_dup(struct arena *a, const void *data, size_t n_bytes)
{
    char *copy = take(a, add_sizes(n_bytes, 1));
    if (n_bytes)
        memcpy(copy, data, n_bytes);
    copy[n_bytes] = '\0';
    return copy;
}

char *arena_text(struct arena *a, const char *text)
{
    return text ? arena_dup(a, text, strlen(text)) : NULL;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    struct buf text = {0};
    va_list args;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    char *copy = arena_dup(a, text.data, text.size);
    buf_fini(&text);
    return copy;
}

void arena_reset(struct arena *a)
{
    struct arena_block *kept = NULL;
    struct arena_block *b = a->head;
    while (b) {
        struct arena_block *next = b->next;
        struct arena_block *loser = b;
        if (b->room <= BLOCK_MAX_BYTES && (!kept || b->room > kept->room)) {
            loser = kept;
            kept = b;
        }
        mem_free(loser);
        b = next;
    }
    if (kept) {
        kept->next = NULL;
        kept->used = 0;
    }
    a->head = kept;
    a->used_bytes = 0;
}

void arena_fini(struct arena *a)
{
    while (a->head) {
        struct arena_block *next = a->head->next;
        mem_free(a->head);
        a->head = next;
    }
    a->used_bytes = 0;
}

/* Makes room for n_bytes more and the NUL behind them. */
static void reserve(struct buf *b, size_t n_bytes)
{
    size_t need = add_sizes(add_sizes(b->size, n_bytes), 1);
    if (need <= b->room)
        return;
    size_t room = b->room ? b->room : BUF_MIN_BYTES;
    while (room < need)
        room = add_sizes(room, room);
    b->data = mem_grow(b->data, room);
    b->room = room;
}

char *buf_room(struct buf *b, size_t n_bytes)
{
    if (b->room - b->size <= n_bytes)
        reserve(b, n_bytes);
    return b->data + b->size;
}

/* True if p points into the buffer's own bytes, which move when it grows. */
static bool own_bytes(const struct buf *b, const void *p)
{
    return b->data && (uintptr_t)p >= (uintptr_t)b->data && (uintptr_t)p < (uintptr_t)b->data + b->room;
}

void buf_add(struct buf *b, const void *data, size_t n_bytes)
{
    bool own = own_bytes(b, data);
    size_t offset = own ? (size_t)((const char *)data - b->data) : 0;
    reserve(b, n_bytes);
    if (n_bytes)
        memmove(b->data + b->size, own ? b->data + offset : data, n_bytes);
    b->size += n_bytes;
    b->data[b->size] = '\0';
}

void buf_text(struct buf *b, const char *text)
{
    buf_add(b, text, text ? strlen(text) : 0);
}

void buf_byte(struct buf *b, int byte)
{
    if (b->room - b->size < 2)
        reserve(b, 1);
    b->data[b->size++] = (char)byte;
    b->data[b->size] = '\0';
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vprintf(b, format, args);
    va_end(args);
}

/* Not printed straight into the buffer: an argument may be the buffer's own text. */
void buf_vprintf(struct buf *b, const char *format, va_list args)
{
    char small[512];
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(small, sizeof(small), format, args);
    if (n >= 0 && (size_t)n < sizeof(small)) {
        buf_add(b, small, (size_t)n);
    } else if (n >= 0) {
        char *big = mem_grow(NULL, (size_t)n + 1);
        vsnprintf(big, (size_t)n + 1, format, again);
        buf_add(b, big, (size_t)n);
        mem_free(big);
    }
    va_end(again);
}

void buf_clear(struct buf *b)
{
    b->size = 0;
    if (b->data)
        b->data[0] = '\0';
}

void buf_fini(struct buf *b)
{
    mem_free(b->data);
    b->data = NULL;
    b->size = 0;
    b->room = 0;
}
