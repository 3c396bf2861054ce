/* SPDX-License-Identifier: MIT */
/* json_guard.h - what stands before the JSON parser: strict checks, and a text that it cannot damage. */
#ifndef BASE_JSON_GUARD_H
#define BASE_JSON_GUARD_H

#include "base/json.h"

/*
 * In the guarded text every number is a string that begins with the byte 0x01 and 'n', and a string that itself
 * begins with U+0001 has 0x01 and 's' put before it. 0x01 cannot stand in JSON text unescaped, so nothing else has it.
 */
enum { JSON_MARK = 0x01, JSON_MARK_NUMBER = 'n', JSON_MARK_STRING = 's', JSON_MARK_BYTES = 2 };

/* Offsets of a value, and of its key (of the value again if it has none), in the source. */
struct json_place {
    size_t value;
    size_t key;
};

/*
 * Appends the guarded text to out and, if places is not NULL, one struct json_place for every node, in document order.
 * rules has no zeros left. False with e (ERR_INPUT) if the text is refused.
 */
bool json_guard(const char *text, size_t n_bytes, const struct json_rules *rules, struct buf *out, struct buf *places,
                struct err *e);
/* A place in a text: line and column (in characters) are 1-based. Zero-initialise. */
struct json_spot {
    size_t offset;
    int line, column;
};
/* Moves to an offset; from where it stands if that is not behind it, so that places asked for in order are found in one pass. */
void json_locate(const char *text, size_t offset, struct json_spot *spot);

#endif
