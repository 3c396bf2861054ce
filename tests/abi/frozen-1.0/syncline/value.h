/* SPDX-License-Identifier: MIT */
/* value.h - typed values: what a field holds, with absent, null and empty kept apart. */
#ifndef SYNCLINE_VALUE_H
#define SYNCLINE_VALUE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The type of a value. Three kinds of nothing are never confused:
 * ABSENT (the system did not report the field; it never causes a write),
 * NULL (explicitly empty; writing it clears the field) and the empty string (a value).
 * Since 1.0. New types are added at the end.
 */
enum sl_type {
    SL_ABSENT = 0,
    SL_NULL = 1,
    SL_BOOL = 2,      /* number: 0 or 1 */
    SL_INT = 3,       /* number: a 64-bit integer */
    SL_DECIMAL = 4,   /* text: an exact JSON number such as 0.10 or 1e400; never a double */
    SL_STRING = 5,    /* text: UTF-8 without NUL */
    SL_DATE = 6,      /* number: days since 1970-01-01 */
    SL_TIMESTAMP = 7, /* number: milliseconds since 1970-01-01T00:00:00Z; grain_ms: the source's granularity */
    SL_ENUM = 8,      /* text: one of the field's listed values */
    SL_REF = 9,       /* text: the id of a record; object: the collection it is in */
    SL_SET = 10,      /* items: scalar values without names, in any order, none twice */
    SL_JSON = 11      /* text: a JSON list or object, compact */
};

/*
 * One value, and in a record one field.
 * Ownership: every pointer is borrowed. What the host passes to a connector is valid until that
 * call returns; what a connector passes to the host is copied before the service returns.
 * text is text_size bytes; the host also puts a NUL behind it, a connector need not.
 * Since 1.0. The struct may grow at the end: walk arrays with sl_value_at().
 */
struct sl_value {
    const char *name; /* the field's name in its record; NULL for an item of a set */
    uint32_t type;    /* enum sl_type */
    uint32_t grain_ms;
    int64_t number;
    const char *text;
    size_t text_size;
    const char *object;
    const struct sl_value *items;
    uint32_t n_items;
    uint32_t item_size; /* bytes from one item to the next: sizeof(struct sl_value) where it was compiled */
};

/* Returns item i of an array whose items are item_size bytes apart (they may be larger than ours). */
static inline const struct sl_value *sl_value_at(const struct sl_value *items, uint32_t item_size, uint32_t i)
{
    return (const struct sl_value *)(const void *)((const char *)(const void *)items + (size_t)item_size * i);
}

#ifdef __cplusplus
}
#endif
#endif
