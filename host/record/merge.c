/* SPDX-License-Identifier: MIT */
/* merge.c - three-way merge of sets and lists, element by element. */
#include <stdlib.h>

#include "record/order.h"
#include "record/set.h"
#include "record/value.h"

/* One side's set now and when both last agreed, sorted for lookup. */
struct part {
    struct sl_value now, base;
    struct order sorted_now, sorted_base;
};

static bool nothing(const struct sl_value *v)
{
    return !v || v->type == SL_ABSENT || v->type == SL_NULL;
}

/* ABSENT says nothing: such a side neither added nor removed. */
static bool read_part(struct arena *a, const struct sl_value *base, const struct sl_value *v, struct part *p)
{
    const struct sl_value *now = v->type == SL_ABSENT && base ? base : v;
    if ((!nothing(now) && !set_read(a, now, &p->now)) || (!nothing(base) && !set_read(a, base, &p->base)))
        return false;
    order_items(&p->sorted_now, &p->now, value_compare);
    order_items(&p->sorted_base, &p->base, value_compare);
    return true;
}

static void part_fini(struct part *p)
{
    order_fini(&p->sorted_now);
    order_fini(&p->sorted_base);
}

static int find_compare(const void *key, const void *element)
{
    const struct sl_value *const *v = element;
    return value_compare(key, *v);
}

static bool contains(const struct order *o, const struct sl_value *v)
{
    return o->n && bsearch(v, o->at, o->n, sizeof(*o->at), find_compare);
}

static bool removed_by(const struct part *p, const struct sl_value *v)
{
    return contains(&p->sorted_base, v) && !contains(&p->sorted_now, v);
}

/* What `from` has and `other` did not remove; what stands in `before` was taken already. */
static uint32_t take(struct sl_value *items, uint32_t n, const struct part *from, const struct part *other,
                     const struct order *before)
{
    for (uint32_t i = 0; i < from->now.n_items; i++) {
        const struct sl_value *v = sl_value_at(from->now.items, from->now.item_size, i);
        if (!removed_by(other, v) && !(before && contains(before, v)))
            items[n++] = *v;
    }
    return n;
}

/* In the order of the items, not sorted: a JSON list keeps it. */
static void put_list(struct buf *out, const struct sl_value *set)
{
    buf_byte(out, '[');
    for (uint32_t i = 0; i < set->n_items; i++) {
        if (i)
            buf_byte(out, ',');
        value_put_json(out, sl_value_at(set->items, set->item_size, i));
    }
    buf_byte(out, ']');
}

/* The set in the type of x; nothing on a side that holds nothing stays nothing. */
static struct sl_value in_type_of(struct arena *a, const struct sl_value *x, const struct sl_value *y,
                                  const struct sl_value *set)
{
    const struct sl_value *like = nothing(x) ? y : x;
    if (set->n_items == 0 && nothing(x) && (x->type == SL_NULL || nothing(y)))
        return *x;
    if (like->type != SL_JSON)
        return *set;
    struct buf text = {0};
    put_list(&text, set);
    struct sl_value list = {.name = x->name, .type = SL_JSON, .text_size = text.size};
    list.text = arena_dup(a, text.data, text.size);
    buf_fini(&text);
    return list;
}

static int refuse(const struct sl_value *x, struct err *e)
{
    return err_set(e, ERR_INPUT,
                   "%s: only sets and lists of texts, numbers and bools merge element by element; "
                   "resolve this conflict by hand, or give the field another conflict policy",
                   x->name ? x->name : "value");
}

int value_merge_set(struct arena *a, const struct sl_value *base_x, const struct sl_value *base_y,
                    const struct sl_value *x, const struct sl_value *y, struct sl_value *out, struct err *e)
{
    struct part p = {0};
    struct part q = {0};
    *out = value_absent(x->name);
    bool readable = read_part(a, base_x, x, &p) && read_part(a, base_y, y, &q);
    if (readable) {
        struct sl_value *items = arena_alloc(a, ((size_t)p.now.n_items + q.now.n_items) * sizeof(*items));
        uint32_t n = take(items, 0, &p, &q, NULL);
        n = take(items, n, &q, &p, &p.sorted_now);
        struct sl_value set = {.name = x->name, .type = SL_SET, .items = items, .n_items = n};
        set.item_size = sizeof(*items);
        *out = in_type_of(a, x, y, &set);
    }
    part_fini(&p);
    part_fini(&q);
    return readable ? ERR_NONE : refuse(x, e);
}
