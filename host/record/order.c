/* SPDX-License-Identifier: MIT */
/* order.c - the canonical orders: fields of a record by name, items of a set by value. */
#include "record/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { INSERT_MAX = 16 };

/* Sets of types, a bit each. Types this program does not know are in neither: they never cause a write. */
enum {
    ITEM_TYPES = 1 << SL_BOOL | 1 << SL_INT | 1 << SL_DECIMAL | 1 << SL_STRING | 1 << SL_DATE | 1 << SL_TIMESTAMP |
                 1 << SL_ENUM | 1 << SL_REF,
    FIELD_TYPES = ITEM_TYPES | 1 << SL_NULL | 1 << SL_SET | 1 << SL_JSON
};

static bool among(uint32_t type, int types)
{
    return type <= SL_JSON && (types >> type & 1);
}

bool order_is_item(uint32_t type)
{
    return among(type, ITEM_TYPES);
}

int order_bytes(const void *x, size_t x_bytes, const void *y, size_t y_bytes)
{
    size_t n = x_bytes < y_bytes ? x_bytes : y_bytes;
    int c = n ? memcmp(x, y, n) : 0;
    return c ? c : (x_bytes > y_bytes) - (x_bytes < y_bytes);
}

static int order_text(const char *x, const char *y)
{
    return x && y ? strcmp(x, y) : (x != NULL) - (y != NULL);
}

int order_strict(const struct sl_value *x, const struct sl_value *y)
{
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    switch (x->type) {
    case SL_BOOL:
        return (x->number != 0) - (y->number != 0);
    case SL_INT:
    case SL_DATE:
    case SL_TIMESTAMP:
        return (x->number > y->number) - (x->number < y->number);
    case SL_REF: {
        int c = order_bytes(x->text, x->text_size, y->text, y->text_size);
        return c ? c : order_text(x->object, y->object);
    }
    case SL_DECIMAL:
    case SL_STRING:
    case SL_ENUM:
    case SL_JSON:
        return order_bytes(x->text, x->text_size, y->text, y->text_size);
    default:
        return 0;
    }
}

int order_name(const struct sl_value *x, const struct sl_value *y)
{
    return strcmp(x->name ? x->name : "", y->name ? y->name : "");
}

struct by {
    order_compare *compare;
};

/* Among equals the one that stood first stays first. */
static int by_compare(const void *x, const void *y, void *by)
{
    const struct sl_value *const *a = x;
    const struct sl_value *const *b = y;
    int c = ((const struct by *)by)->compare(*a, *b);
    return c ? c : (*a > *b) - (*a < *b);
}

static bool ascending(const struct order *o, order_compare *compare)
{
    for (uint32_t i = 1; i < o->n; i++)
        if (compare(o->at[i - 1], o->at[i]) >= 0)
            return false;
    return true;
}

static void drop_repeated(struct order *o, order_compare *compare)
{
    uint32_t kept = 1;
    for (uint32_t i = 1; i < o->n; i++)
        if (compare(o->at[kept - 1], o->at[i]) != 0)
            o->at[kept++] = o->at[i];
    o->n = kept;
}

/* A record of the usual size is sorted here before a call of qsort is prepared. Stable. */
static void insert_sort(struct order *o, order_compare *compare)
{
    for (uint32_t i = 1; i < o->n; i++) {
        const struct sl_value *v = o->at[i];
        uint32_t at = i;
        for (; at && compare(o->at[at - 1], v) > 0; at--)
            o->at[at] = o->at[at - 1];
        o->at[at] = v;
    }
}

static void make(struct order *o, const struct sl_value *values, uint32_t n, uint32_t item_size, int types,
                 order_compare *compare)
{
    o->at = n <= sizeof(o->few) / sizeof(*o->few) ? o->few : mem_grow(NULL, n * sizeof(*o->at));
    o->n = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct sl_value *v = sl_value_at(values, item_size, i);
        if (among(v->type, types))
            o->at[o->n++] = v;
    }
    /* a connector mostly emits its fields in one order: often this one */
    if (ascending(o, compare))
        return;
    struct by by = {compare};
    if (o->n <= INSERT_MAX)
        insert_sort(o, compare);
    else
        qsort_r(o->at, o->n, sizeof(*o->at), by_compare, &by);
    drop_repeated(o, compare);
}

void order_fields(struct order *o, const struct sl_record *r)
{
    make(o, r->fields, r->n_fields, r->field_size, FIELD_TYPES, order_name);
}

void order_items(struct order *o, const struct sl_value *set, order_compare *compare)
{
    make(o, set->items, set->n_items, set->item_size, ITEM_TYPES, compare);
}

void order_fini(struct order *o)
{
    if (o->at != o->few)
        mem_free(o->at);
    o->at = NULL;
    o->n = 0;
}
