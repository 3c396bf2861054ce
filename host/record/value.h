/* SPDX-License-Identifier: MIT */
/* value.h - values of the SDK in the host: copy, compare, convert, print. */
#ifndef RECORD_VALUE_H
#define RECORD_VALUE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"
#include "syncline/value.h"

struct json; /* base/json.h */

/* Constructors; text is borrowed. */
struct sl_value value_absent(const char *name);
struct sl_value value_null(const char *name);
struct sl_value value_bool(const char *name, bool b);
struct sl_value value_int(const char *name, int64_t n);
struct sl_value value_string(const char *name, const char *text);

/* A deep copy into the arena (name, text, items; texts get a NUL). */
struct sl_value value_copy(struct arena *a, const struct sl_value *v);

/*
 * Same value as one system holds it: same type and bytes (a set in any order; a JSON text canonically, keys in any order).
 * Only this decides whether a side changed.
 */
bool value_same(const struct sl_value *x, const struct sl_value *y);
/* Equal across systems, after conversion: numbers by amount (0.10 is 0.1), times by instant, enum and string by text. */
bool value_equal(const struct sl_value *x, const struct sl_value *y);
/* Total order for min, max and sorting: by type class, then by value. Decimals exactly. <0, 0, >0. */
int value_compare(const struct sl_value *x, const struct sl_value *y);
/* NULL, ABSENT, "", an empty set or list: what `nonempty` prefers the other over. */
bool value_empty(const struct sl_value *v);

/*
 * Converts v to type `want` (SL_ABSENT: no wish, v as it is); the result keeps v's name and may borrow from v or
 * the arena. NULL and ABSENT stay. Lossless or refused: e gets ERR_INPUT and a sentence with value and type.
 * number↔string, bool↔string/int ("true"/"false", 1/0), date/timestamp↔RFC 3339 string, enum/ref↔string,
 * set↔JSON list↔string (JSON text), any scalar→string. A string that is JSON text converts to JSON only if it is a list or object.
 */
int value_convert(struct arena *a, const struct sl_value *v, uint32_t want, struct sl_value *out, struct err *e);

/* Three-way merge of sets or JSON lists of scalars: base ∪ added − removed of both; base NULL: the union. Type of x. */
int value_merge_set(struct arena *a, const struct sl_value *base_x, const struct sl_value *base_y,
                    const struct sl_value *x, const struct sl_value *y, struct sl_value *out, struct err *e);

/* As JSON text (a decimal as its number, a date as its string). ABSENT prints null. */
void value_put_json(struct buf *out, const struct sl_value *v);
/* Reads a JSON node: integers of 64 bits as INT, other numbers as DECIMAL with their text, lists and objects as JSON. */
struct sl_value value_from_json(struct arena *a, const char *name, const struct json *node);
/* For a person: at most max_bytes, one line, quoted if text. */
void value_put_brief(struct buf *out, const struct sl_value *v, size_t max_bytes);
/* The canonical text of a JSON value: keys sorted, numbers and strings as they are. */
void value_put_canonical(struct buf *out, const struct sl_value *v);
/* The largest size up to n that does not split a character of UTF-8; text has more than n bytes or a NUL there. */
size_t value_cut(const char *text, size_t n);
const char *value_type_name(uint32_t type);

#endif
