/* SPDX-License-Identifier: MIT */
/* text.h - small text tools: UTF-8, hex, nearest word, durations, ULIDs, hashes, time. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

/* True if the bytes are valid UTF-8 without NUL. *bad is where they stop being so (may be NULL). */
bool utf8_valid(const void *data, size_t n_bytes, size_t *bad);
bool text_equal(const char *a, const char *b); /* NULL equals only NULL */
void hex_encode(const void *data, size_t n_bytes, char *out); /* 2n+1 bytes */
bool hex_decode(const char *hex, void *out, size_t n_bytes);
/* A whole number as it is written; returns its length. */
enum { INT_TEXT_BYTES = 24 };
size_t int_format(int64_t n, char out[INT_TEXT_BYTES]);
/* The word of the list nearest to text if it is near enough to suggest, else NULL. */
const char *nearest_word(const char *text, const char *const *words, size_t n_words);
/* "90d", "60s", "500ms" → milliseconds (ms s m h d); false if it is no duration. */
bool duration_parse(const char *text, int64_t *ms);

/* XXH3. */
uint64_t hash64(const void *data, size_t n_bytes);
struct hash128 {
    uint8_t bytes[16];
};
struct hash128 hash128(const void *data, size_t n_bytes);

/* Wall clock, ms since 1970 UTC. The engine never calls it: its clock is an argument. */
int64_t clock_now_ms(void);
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
int64_t clock_boot_ms(void); /* goes on while the machine sleeps */
void random_bytes(void *out, size_t n_bytes);
/* A ULID (26 characters and NUL): sortable by time. `entropy` is 10 random bytes. */
void ulid_make(int64_t now_ms, const uint8_t entropy[10], char out[27]);
int64_t ulid_time_ms(const char *ulid); /* when it was made; 0 of NULL */

/* RFC 3339. Days are since 1970-01-01. format functions give "2026-11-23" and "2026-11-23T09:00:00.000Z". */
bool date_parse(const char *text, int64_t *days);
void date_format(int64_t days, char out[16]);
bool timestamp_parse(const char *text, int64_t *ms, uint32_t *grain_ms);
void timestamp_format(int64_t ms, uint32_t grain_ms, char out[32]);

#endif
