/* SPDX-License-Identifier: MIT */
/* helpers.h - what most connectors would write alike: memory that goes all at once, a growing text, the items of a JSON list. */
#ifndef SYNCLINE_HELPERS_H
#define SYNCLINE_HELPERS_H

#include <stdarg.h>
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
#else
#define SL_PRINTS(n, first)
#endif

/*
 * Returns p, or ends the process if it is NULL, as a kill would: the write protocol survives that at any point, and the next run settles
 * what was under way. A connector need not look further for memory that is not there.
 */
static inline void *sl_checked(void *p)
{
    static const char line[] = "syncline: no memory for a connector; nothing is lost: run again with more memory\n";
    if (p)
        return p;
    if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
        _exit(1);
    _exit(1);
}

/* --- memory that goes all at once; zero-initialise --- */

union sl_piece {
    union sl_piece *next;
    long double aligned; /* what lies behind it may be anything */
};
struct sl_pool {
    union sl_piece *first;
};

/* Returns zeroed memory that lives until sl_pool_free. */
static inline void *sl_pool_take(struct sl_pool *p, size_t n_bytes)
{
    union sl_piece *piece = (union sl_piece *)sl_checked(calloc(1, sizeof(union sl_piece) + n_bytes));
    piece->next = p->first;
    p->first = piece;
    return piece + 1;
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
        union sl_piece *next = p->first->next;
        free(p->first);
        p->first = next;
    }
}

/* --- a growing text; zero-initialise; data is followed by a NUL once something was added --- */

struct sl_bytes {
    char *data;
    size_t size, room;
};

static inline void sl_bytes_add(struct sl_bytes *b, const void *data, size_t n_bytes)
{
    if (b->room - b->size < n_bytes + 1) {
        b->room = b->room * 2 + n_bytes + 1;
        b->data = (char *)sl_checked(realloc(b->data, b->room));
    }
    if (n_bytes)
        memcpy(b->data + b->size, data, n_bytes);
    b->size += n_bytes;
    b->data[b->size] = '\0';
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
