/* SPDX-License-Identifier: MIT */
/* values.h - values for tests: written as texts in tables, or generated from a seed. */
#ifndef TESTS_VALUES_H
#define TESTS_VALUES_H

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "record/record.h"

static inline void values_set(struct arena *a, struct sl_value *v, const char *text)
{
    struct err e = {0};
    struct json_doc *doc = json_parse(text, strlen(text), NULL, &e);
    struct sl_value *items = arena_alloc(a, json_count(json_root(doc)) * sizeof(*items));
    for (const struct json *n = json_first(json_root(doc)); n; n = json_next(n))
        items[v->n_items++] = value_from_json(a, NULL, n);
    v->items = items;
    v->item_size = sizeof(*items);
    json_free(doc);
}

/* A value of a type from its text: a set as a JSON list, times as RFC 3339, "users:7" for a reference. */
static inline struct sl_value values_make(struct arena *a, uint32_t type, const char *text)
{
    struct sl_value v = {.name = "f", .type = type};
    const char *colon = text ? strchr(text, ':') : NULL;
    if (type == SL_BOOL)
        v.number = strcmp(text, "true") == 0;
    else if (type == SL_INT)
        v.number = strtoll(text, NULL, 10);
    else if (type == SL_DATE && !date_parse(text, &v.number))
        abort();
    else if (type == SL_TIMESTAMP && !timestamp_parse(text, &v.number, &v.grain_ms))
        abort();
    else if (type == SL_SET)
        values_set(a, &v, text);
    if (type == SL_REF && colon) {
        v.object = arena_dup(a, text, (size_t)(colon - text));
        text = colon + 1;
    }
    if (type == SL_STRING || type == SL_ENUM || type == SL_REF || type == SL_DECIMAL || type == SL_JSON) {
        v.text_size = strlen(text);
        v.text = arena_dup(a, text, v.text_size);
    }
    return v;
}

/* splitmix64: the same numbers on every machine. */
static inline uint64_t values_random(uint64_t *seed)
{
    uint64_t z = (*seed += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static inline uint32_t values_below(uint64_t *seed, uint32_t n)
{
    return (uint32_t)(values_random(seed) % n);
}

/* Small numbers, large ones, and the ends. */
static inline int64_t values_number(uint64_t *seed)
{
    static const int64_t ends[] = {0, 1, -1, INT64_MAX, INT64_MIN, INT64_MAX - 1, 9007199254740993};
    uint32_t kind = values_below(seed, 3);
    if (kind == 0)
        return ends[values_below(seed, sizeof(ends) / sizeof(*ends))];
    return kind == 1 ? (int64_t)values_below(seed, 20) - 10 : (int64_t)values_random(seed);
}

static inline const char *values_text(uint64_t *seed, struct arena *a)
{
    static const char *const parts[] = {"a",    "b",         "",     "true",         "12",
                                        "0.10", " ",         "\"",   "\\",           "\n",
                                        "\x01", "/",         "é",    "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                                        "[]",   "{\"k\":1}", "null", "e5",           "-"};
    const char *text = "";
    for (uint32_t n = values_below(seed, 5); n; n--)
        text = arena_printf(a, "%s%s", text, parts[values_below(seed, sizeof(parts) / sizeof(*parts))]);
    return text;
}

static inline const char *values_decimal(uint64_t *seed, struct arena *a)
{
    static const char *const between[] = {".", ".0", "e", "E-", ".0e+", ".5e"};
    int whole = (int)values_below(seed, 40) - 20;
    const char *middle = between[values_below(seed, sizeof(between) / sizeof(*between))];
    return arena_printf(a, "%d%s%u", whole, middle, values_below(seed, 30));
}

/* A JSON list or object whose keys come in a random order. */
static inline const char *values_json(uint64_t *seed, struct arena *a)
{
    static const char *const texts[] = {"[]",
                                        "{}",
                                        "[1,\"a\",true]",
                                        "{\"a\":1,\"b\":{\"c\":[],\"d\":0.10}}",
                                        "{\"b\":{\"d\":0.10,\"c\":[]},\"a\":1}",
                                        "[{\"x\":null},1e400]",
                                        "[\"a\",\"b\"]",
                                        "[\"b\",\"a\"]"};
    return arena_text(a, texts[values_below(seed, sizeof(texts) / sizeof(*texts))]);
}

static inline struct sl_value values_scalar(uint64_t *seed, struct arena *a)
{
    static const uint32_t types[] = {SL_BOOL, SL_INT, SL_DECIMAL, SL_STRING, SL_DATE, SL_TIMESTAMP, SL_ENUM, SL_REF};
    static const uint32_t grains[] = {0, 1, 1000, 60000};
    struct sl_value v = {.type = types[values_below(seed, 8)]};
    if (v.type == SL_BOOL)
        v.number = values_below(seed, 2);
    else if (v.type == SL_INT)
        v.number = values_number(seed);
    else if (v.type == SL_DATE)
        v.number = (int64_t)values_below(seed, 3652424) - 719527;
    else if (v.type == SL_TIMESTAMP) {
        v.number = (int64_t)(values_random(seed) % 315569433600000u) - 62167219200000 + 86400000;
        v.grain_ms = grains[values_below(seed, 4)];
    } else {
        v.text = v.type == SL_DECIMAL ? values_decimal(seed, a) : values_text(seed, a);
        v.text_size = strlen(v.text);
    }
    if (v.type == SL_REF && values_below(seed, 2))
        v.object = "users";
    return v;
}

/* Any value; a set may come in any order and hold an item twice. */
static inline struct sl_value values_any(uint64_t *seed, struct arena *a, const char *name)
{
    uint32_t kind = values_below(seed, 12);
    struct sl_value v = {.name = name, .type = kind == 0 ? SL_ABSENT : SL_NULL};
    if (kind < 2)
        return v;
    if (kind == 2) {
        struct sl_value *items = arena_alloc(a, 40 * sizeof(*items));
        v.type = SL_SET;
        v.items = items;
        v.item_size = sizeof(*items);
        v.n_items = values_below(seed, values_below(seed, 10) ? 5 : 40);
        for (uint32_t i = 0; i < v.n_items; i++)
            items[i] = values_scalar(seed, a);
        return v;
    }
    if (kind == 3) {
        v.type = SL_JSON;
        v.text = values_json(seed, a);
        v.text_size = strlen(v.text);
        return v;
    }
    v = values_scalar(seed, a);
    v.name = name;
    return v;
}

#endif
