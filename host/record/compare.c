/* SPDX-License-Identifier: MIT */
/* compare.c - values across systems: equal after conversion, and the total order of min, max and sorting. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "record/decimal.h"
#include "record/order.h"
#include "record/set.h"
#include "record/value.h"

/* The class of each type: values of one class compare by value, classes in this order. */
enum rank { RANK_ABSENT = 1, RANK_NULL, RANK_BOOL, RANK_NUMBER, RANK_TEXT, RANK_DATE, RANK_TIME, RANK_SET, RANK_JSON };

static const int ranks[] = {
    [SL_ABSENT] = RANK_ABSENT,  [SL_NULL] = RANK_NULL,      [SL_BOOL] = RANK_BOOL, [SL_INT] = RANK_NUMBER,
    [SL_DECIMAL] = RANK_NUMBER, [SL_STRING] = RANK_TEXT,    [SL_ENUM] = RANK_TEXT, [SL_REF] = RANK_TEXT,
    [SL_DATE] = RANK_DATE,      [SL_TIMESTAMP] = RANK_TIME, [SL_SET] = RANK_SET,   [SL_JSON] = RANK_JSON,
};

static int rank_of(uint32_t type)
{
    return type < sizeof(ranks) / sizeof(*ranks) ? ranks[type] : RANK_ABSENT;
}

static int compare_int(int64_t x, int64_t y)
{
    return (x > y) - (x < y);
}

/* A number as decimal text: room is for an integer. */
static struct slice number_text(const struct sl_value *v, char room[24])
{
    if (v->type == SL_DECIMAL)
        return slice_of(v->text, v->text_size);
    return slice_of(room, (size_t)snprintf(room, 24, "%lld", (long long)v->number));
}

static int compare_numbers(const struct sl_value *x, const struct sl_value *y)
{
    char x_room[24];
    char y_room[24];
    if (x->type == SL_INT && y->type == SL_INT)
        return compare_int(x->number, y->number);
    struct slice a = number_text(x, x_room);
    struct slice b = number_text(y, y_room);
    return decimal_compare(a.data, a.size, b.data, b.size);
}

static int compare_sets(const struct sl_value *x, const struct sl_value *y)
{
    struct order a, b;
    order_items(&a, x, value_compare);
    order_items(&b, y, value_compare);
    int c = 0;
    for (uint32_t i = 0; c == 0 && i < a.n && i < b.n; i++)
        c = value_compare(a.at[i], b.at[i]);
    c = c ? c : compare_int(a.n, b.n);
    order_fini(&a);
    order_fini(&b);
    return c;
}

static int compare_nodes(const struct json *x, const struct json *y);

/* Children in order, keys before values; of two beginnings the shorter is less. */
static int compare_children(const struct json *x, const struct json *y)
{
    const struct json *a = json_first(x);
    const struct json *b = json_first(y);
    for (; a && b; a = json_next(a), b = json_next(b)) {
        int c = json_key(a) ? strcmp(json_key(a), json_key(b)) : 0;
        c = c ? c : compare_nodes(a, b);
        if (c)
            return c;
    }
    return (a != NULL) - (b != NULL);
}

static int compare_nodes(const struct json *x, const struct json *y)
{
    if (json_type(x) != json_type(y))
        return json_type(x) < json_type(y) ? -1 : 1;
    size_t x_bytes = 0;
    size_t y_bytes = 0;
    const char *a = json_text(x, &x_bytes);
    const char *b = json_text(y, &y_bytes);
    switch (json_type(x)) {
    case JSON_BOOL:
        return json_bool(x) - json_bool(y);
    case JSON_NUMBER:
        return decimal_compare(a, strlen(a), b, strlen(b));
    case JSON_STRING:
        return order_bytes(a, x_bytes, b, y_bytes);
    case JSON_LIST:
    case JSON_OBJECT:
        return compare_children(x, y);
    default:
        return 0;
    }
}

/* Parsed again from the canonical text, so that children come in the order of their keys. */
static struct json_doc *sorted_doc(const struct sl_value *v)
{
    struct err ignored = {0};
    struct buf text = {0};
    value_put_canonical(&text, v);
    struct json_doc *doc = json_parse(text.data ? text.data : "", text.size, NULL, &ignored);
    buf_fini(&text);
    return doc;
}

static int compare_json(const struct sl_value *x, const struct sl_value *y)
{
    int by_bytes = order_bytes(x->text, x->text_size, y->text, y->text_size);
    if (by_bytes == 0)
        return 0;
    struct json_doc *a = sorted_doc(x);
    struct json_doc *b = sorted_doc(y);
    int c = (a != NULL) - (b != NULL);
    if (c == 0)
        c = a ? compare_nodes(json_root(a), json_root(b)) : by_bytes;
    json_free(a);
    json_free(b);
    return c;
}

int value_compare(const struct sl_value *x, const struct sl_value *y)
{
    int x_rank = rank_of(x->type);
    int y_rank = rank_of(y->type);
    if (x_rank != y_rank)
        return x_rank < y_rank ? -1 : 1;
    switch (x_rank) {
    case RANK_BOOL:
        return (x->number != 0) - (y->number != 0);
    case RANK_NUMBER:
        return compare_numbers(x, y);
    case RANK_TEXT:
        return order_bytes(x->text, x->text_size, y->text, y->text_size);
    case RANK_DATE:
    case RANK_TIME:
        return compare_int(x->number, y->number);
    case RANK_SET:
        return compare_sets(x, y);
    case RANK_JSON:
        return compare_json(x, y);
    default:
        return 0;
    }
}

static int64_t floor_to(int64_t ms, uint32_t grain_ms)
{
    return ms / grain_ms - (ms % grain_ms < 0);
}

/* A side that keeps seconds cannot tell more than seconds. */
static bool equal_times(const struct sl_value *x, const struct sl_value *y)
{
    uint32_t grain_ms = x->grain_ms > y->grain_ms ? x->grain_ms : y->grain_ms;
    grain_ms = grain_ms ? grain_ms : 1;
    return floor_to(x->number, grain_ms) == floor_to(y->number, grain_ms);
}

static bool equal_sets(const struct sl_value *x, const struct sl_value *y)
{
    struct order a, b;
    order_items(&a, x, value_compare);
    order_items(&b, y, value_compare);
    bool equal = a.n == b.n;
    for (uint32_t i = 0; equal && i < a.n; i++)
        equal = value_equal(a.at[i], b.at[i]);
    order_fini(&a);
    order_fini(&b);
    return equal;
}

static bool equal_set_and_list(const struct sl_value *x, const struct sl_value *y)
{
    struct arena arena = {0};
    struct sl_value a;
    struct sl_value b;
    bool equal = set_read(&arena, x, &a) && set_read(&arena, y, &b) && equal_sets(&a, &b);
    arena_fini(&arena);
    return equal;
}

bool value_equal(const struct sl_value *x, const struct sl_value *y)
{
    int x_rank = rank_of(x->type);
    int y_rank = rank_of(y->type);
    if (x_rank == RANK_TIME && y_rank == RANK_TIME)
        return equal_times(x, y);
    if (x_rank == RANK_SET && y_rank == RANK_SET)
        return equal_sets(x, y);
    if ((x_rank == RANK_SET && y_rank == RANK_JSON) || (x_rank == RANK_JSON && y_rank == RANK_SET))
        return equal_set_and_list(x, y);
    return value_compare(x, y) == 0;
}
