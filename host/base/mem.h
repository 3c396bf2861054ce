/* SPDX-License-Identifier: MIT */
/* mem.h - memory that is there or ends the process: heap, arena, growable buffer. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Out of memory ends the process at once with exit code 1 and one line on stderr. That is safe at any
 * point (the write protocol survives a kill anywhere), so no caller tests for NULL.
 */
void *mem_alloc(size_t n_bytes); /* zeroed */
void *mem_grow(void *old, size_t n_bytes);
char *mem_dup(const char *text);
void mem_free(void *p);
_Noreturn void mem_exhausted(void); /* the same end, for what a library could not get */

/* An arena: allocations that die together. Zero-initialise, use, arena_fini or arena_reset. */
struct arena {
    struct arena_block *head;
    size_t used_bytes; /* over all blocks: what a caller bounds a batch by */
};
void *arena_alloc(struct arena *a, size_t n_bytes); /* zeroed, aligned to 16 */
void *arena_dup(struct arena *a, const void *data, size_t n_bytes); /* a NUL is put behind it */
char *arena_text(struct arena *a, const char *text); /* NULL stays NULL */
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void arena_reset(struct arena *a); /* keeps one block for reuse */
void arena_fini(struct arena *a);

/* A growable byte buffer. data is always followed by a NUL once anything was added. Zero-initialise. */
struct buf {
    char *data;
    size_t size;
    size_t room;
};
void buf_add(struct buf *b, const void *data, size_t n_bytes);
void buf_text(struct buf *b, const char *text);
void buf_byte(struct buf *b, int byte);
/* Where n_bytes may be put, valid until the next call; the second takes in how many of them were. */
char *buf_room(struct buf *b, size_t n_bytes);
static inline void buf_took(struct buf *b, size_t n_bytes)
{
    b->size += n_bytes;
    b->data[b->size] = '\0';
}
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
void buf_clear(struct buf *b);
void buf_fini(struct buf *b);

/* Bytes that belong to somebody else. */
struct slice {
    const void *data;
    size_t size;
};
static inline struct slice slice_of(const void *data, size_t size)
{
    struct slice s = {data, size};
    return s;
}

#endif
