/* SPDX-License-Identifier: MIT */
/* value.c - values: made, copied, and told whether they are the same as one system holds them. */
#include "record/value.h"

#include <string.h>

#include "base/json.h"
#include "record/order.h"

static struct sl_value make(const char *name, uint32_t type)
{
    return (struct sl_value){.name = name, .type = type};
}

struct sl_value value_absent(const char *name)
{
    return make(name, SL_ABSENT);
}

struct sl_value value_null(const char *name)
{
    return make(name, SL_NULL);
}

struct sl_value value_bool(const char *name, bool b)
{
    struct sl_value v = make(name, SL_BOOL);
    v.number = b;
    return v;
}

struct sl_value value_int(const char *name, int64_t n)
{
    struct sl_value v = make(name, SL_INT);
    v.number = n;
    return v;
}

struct sl_value value_string(const char *name, const char *text)
{
    struct sl_value v = make(name, SL_STRING);
    v.text = text;
    v.text_size = text ? strlen(text) : 0;
    return v;
}

const char *value_type_name(uint32_t type)
{
    static const char *const names[] = {"absent", "null",      "bool", "int", "decimal", "string",
                                        "date",   "timestamp", "enum", "ref", "set",     "json"};
    return type < sizeof(names) / sizeof(*names) ? names[type] : "unknown";
}

static void copy_scalar(struct arena *a, struct sl_value *v)
{
    v->name = arena_text(a, v->name);
    v->object = arena_text(a, v->object);
    if (v->text)
        v->text = arena_dup(a, v->text, v->text_size);
}

/* Items may come from a connector built with a smaller or larger struct. Sets do not nest: one level is all there is. */
static void copy_items(struct arena *a, struct sl_value *v)
{
    struct sl_value *items = arena_alloc(a, v->n_items * sizeof(*items));
    size_t n_bytes = v->item_size < sizeof(*items) ? v->item_size : sizeof(*items);
    uint32_t n = 0;
    for (uint32_t i = 0; i < v->n_items; i++) {
        memcpy(&items[n], sl_value_at(v->items, v->item_size, i), n_bytes);
        if (!order_is_item(items[n].type))
            continue;
        copy_scalar(a, &items[n]);
        items[n].items = NULL;
        items[n].n_items = 0;
        n++;
    }
    v->items = items;
    v->n_items = n;
    v->item_size = sizeof(*items);
}

struct sl_value value_copy(struct arena *a, const struct sl_value *v)
{
    struct sl_value copy = *v;
    copy_scalar(a, &copy);
    if (copy.n_items)
        copy_items(a, &copy);
    return copy;
}

static bool same_set(const struct sl_value *x, const struct sl_value *y)
{
    struct order a, b;
    order_items(&a, x, order_strict);
    order_items(&b, y, order_strict);
    bool same = a.n == b.n;
    for (uint32_t i = 0; same && i < a.n; i++)
        same = order_strict(a.at[i], b.at[i]) == 0;
    order_fini(&a);
    order_fini(&b);
    return same;
}

static bool same_json(const struct sl_value *x, const struct sl_value *y)
{
    struct buf a = {0}, b = {0};
    value_put_canonical(&a, x);
    value_put_canonical(&b, y);
    bool same = order_bytes(a.data, a.size, b.data, b.size) == 0;
    buf_fini(&a);
    buf_fini(&b);
    return same;
}

bool value_same(const struct sl_value *x, const struct sl_value *y)
{
    if (x->type != y->type)
        return false;
    if (x->type == SL_SET)
        return same_set(x, y);
    if (x->type == SL_JSON)
        return order_strict(x, y) == 0 || same_json(x, y);
    return order_strict(x, y) == 0;
}

bool value_empty(const struct sl_value *v)
{
    switch (v->type) {
    case SL_ABSENT:
    case SL_NULL:
        return true;
    case SL_STRING:
    case SL_ENUM:
    case SL_REF:
        return v->text_size == 0;
    case SL_SET:
        return v->n_items == 0;
    case SL_JSON:
        return v->text_size == 2 && memcmp(v->text, "[]", 2) == 0;
    default:
        return false;
    }
}
