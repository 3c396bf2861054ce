/* SPDX-License-Identifier: MIT */
/* helpers.h - what most connectors would write alike: memory that goes all at once, a growing text, UTF-8, the items of a JSON list. */
#ifndef SYNCLINE_HELPERS_H
#define SYNCLINE_HELPERS_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Optional, and no part of the ABI: all of it is compiled into the connector that includes it. Any thread, one at a time for each
 * pool and text. Since 1.1.
 */

#if defined(__GNUC__)
#define SL_PRINTS(n, first) __attribute__((format(printf, n, first)))
#define SL_ENDS __attribute__((noreturn))
#else
#define SL_PRINTS(n, first)
#define SL_ENDS
#endif

/*
 * Ends the process, as a kill would: the write protocol survives that at any point, and the next run settles what was under way. A
 * connector need not look further for memory that is not there.
 */
SL_ENDS static inline void sl_no_memory(void)
{
    static const char line[] = "syncline: no memory for a connector; nothing is lost: run again with more memory\n";
    if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
        _exit(1);
    _exit(1);
}

/* Returns p, or ends the process if it is NULL. */
static inline void *sl_checked(void *p)
{
    if (!p)
        sl_no_memory();
    return p;
}

/* --- memory that goes all at once; zero-initialise --- */

union sl_block {
    struct {
        union sl_block *next;
        size_t used, room; /* of the bytes behind it */
    } is;
    long double aligned; /* what lies behind it may be anything */
};
struct sl_pool {
    union sl_block *first;
};
#define SL_BLOCK_LEAST 2048u
#define SL_BLOCK_MOST 65536u

/* Puts a block first that has room for n_bytes: each is twice as large as the last, up to a bound. */
static inline void sl_pool_grow(struct sl_pool *p, size_t n_bytes)
{
    size_t room = !p->first ? SL_BLOCK_LEAST : p->first->is.room < SL_BLOCK_MOST ? 2 * p->first->is.room : SL_BLOCK_MOST;
    union sl_block *block = NULL;
    room = n_bytes > room ? n_bytes : room;
    block = (union sl_block *)sl_checked(calloc(1, sizeof(*block) + room));
    block->is.room = room;
    block->is.next = p->first;
    p->first = block;
}

/* Returns zeroed memory that lives until sl_pool_free. */
static inline void *sl_pool_take(struct sl_pool *p, size_t n_bytes)
{
    const size_t whole = sizeof(long double);
    char *at = NULL;
    n_bytes = (n_bytes + whole - 1) / whole * whole;
    if (!p->first || p->first->is.room - p->first->is.used < n_bytes)
        sl_pool_grow(p, n_bytes);
    at = (char *)(p->first + 1) + p->first->is.used;
    p->first->is.used += n_bytes;
    return at;
}

/* Returns a copy with a NUL behind it. */
static inline char *sl_pool_dup(struct sl_pool *p, const char *text, size_t n_bytes)
{
    char *copy = (char *)sl_pool_take(p, n_bytes + 1);
    if (n_bytes)
        memcpy(copy, text, n_bytes);
    return copy;
}

SL_PRINTS(2, 3) static inline char *sl_pool_print(struct sl_pool *p, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    int n = 0;
    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = (char *)sl_pool_take(p, (size_t)n + 1);
    va_start(args, format);
    vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return text;
}

/* Frees all of it; the pool may be used again. */
static inline void sl_pool_free(struct sl_pool *p)
{
    while (p->first) {
        union sl_block *next = p->first->is.next;
        free(p->first);
        p->first = next;
    }
}

/* --- a growing text; zero-initialise; data is followed by a NUL once something was added --- */

struct sl_bytes {
    char *data;
    size_t size, room;
};

/* Returns where `more` bytes may be put, behind size; a NUL has room behind them, too. */
static inline char *sl_bytes_room(struct sl_bytes *b, size_t more)
{
    if (b->room - b->size < more + 1) {
        b->room = b->room * 2 + more + 1;
        b->data = (char *)sl_checked(realloc(b->data, b->room));
    }
    return b->data + b->size;
}

static inline void sl_bytes_add(struct sl_bytes *b, const void *data, size_t n_bytes)
{
    char *at = sl_bytes_room(b, n_bytes);
    if (n_bytes)
        memcpy(at, data, n_bytes);
    at[n_bytes] = '\0';
    b->size += n_bytes;
}

static inline void sl_bytes_text(struct sl_bytes *b, const char *text)
{
    sl_bytes_add(b, text, strlen(text));
}

static inline void sl_bytes_free(struct sl_bytes *b)
{
    free(b->data);
    b->data = NULL;
    b->size = b->room = 0;
}

/* --- UTF-8 --- */

/* The length of a well-formed sequence at `at`, 0 if it is none. */
static inline size_t sl_utf8_step(const unsigned char *at, size_t left)
{
    static const struct {
        unsigned char mask, lead;
        size_t size;
        uint32_t least;
    } forms[] = {{0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};
    if (*at < 0x80)
        return *at != 0;
    for (size_t f = 0; f < 3; f++) {
        if ((at[0] & forms[f].mask) != forms[f].lead || left < forms[f].size)
            continue;
        uint32_t code = at[0] & (uint32_t)(0xffu >> (forms[f].size + 1));
        for (size_t i = 1; i < forms[f].size; i++) {
            if ((at[i] & 0xc0) != 0x80) /* no further byte of this one */
                return 0;
            code = code << 6 | (at[i] & 0x3fu);
        }
        int good = code >= forms[f].least && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
        return good ? forms[f].size : 0;
    }
    return 0;
}

/* Eight bytes at a time while they are ASCII without a zero: the subtraction carries into a high bit only at a zero. */
static inline size_t sl_ascii_bytes(const unsigned char *at, size_t n_bytes)
{
    size_t n = 0;
    uint64_t word = 0;
    for (; n_bytes - n >= sizeof(word); n += sizeof(word)) {
        memcpy(&word, at + n, sizeof(word));
        if (((word - 0x0101010101010101u) | word) & 0x8080808080808080u)
            break;
    }
    return n;
}

/* Is it valid UTF-8 without a NUL? 1 or 0. */
static inline int sl_utf8_clean(const char *text, size_t n_bytes)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + n_bytes;
    for (size_t step = 1; at < end && step; at += step) {
        step = sl_ascii_bytes(at, (size_t)(end - at));
        if (!step)
            step = sl_utf8_step(at, (size_t)(end - at));
    }
    return at == end;
}

/* --- the items of a list as json_read gives it: valid and compact, so that only strings and depth need care --- */

static inline const char *sl_string_end(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at < end ? at + 1 : end;
}

/* *at begins at the list's bracket and is moved behind each item, whose text is *item. Returns 1, or 0 behind the last. */
static inline int sl_list_next(const char **at, const char *end, const char **item, size_t *n_bytes)
{
    const char *c = *at + 1; /* past the bracket or the comma */
    int depth = 0;
    if (c >= end || **at == ']' || *c == ']')
        return 0;
    *item = c;
    while (c < end && !(depth == 0 && (*c == ',' || *c == ']'))) {
        if (*c == '"') {
            c = sl_string_end(c, end);
            continue;
        }
        depth += (*c == '{' || *c == '[') - (*c == '}' || *c == ']');
        c++;
    }
    *n_bytes = (size_t)(c - *item);
    *at = c;
    return 1;
}

#ifdef __cplusplus
}
#endif
#endif
