/* SPDX-License-Identifier: MIT */
/* set.h - a set or a JSON list of scalars as an array of values. */
#ifndef RECORD_SET_H
#define RECORD_SET_H

#include <stdbool.h>

#include "base/mem.h"
#include "syncline/value.h"

struct json;

/*
 * The scalars of a SET or of JSON text as a SET without repetitions, in the order given; borrows from v or the arena.
 * False if v is neither, or holds a list, an object or null.
 */
bool set_read(struct arena *a, const struct sl_value *v, struct sl_value *set);
/* Likewise from a JSON text. */
bool set_parse(struct arena *a, const char *text, size_t n_bytes, struct sl_value *set);

#endif
