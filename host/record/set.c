/* SPDX-License-Identifier: MIT */
/* set.c - a set or a JSON list of scalars as an array of values. */
#include "record/set.h"

#include "base/json.h"
#include "record/order.h"
#include "record/value.h"

/* Leaves out what is there before; the order of what stays is kept. */
static void drop_repeated(struct arena *a, struct sl_value *set, struct sl_value *items)
{
    struct order o;
    order_items(&o, set, order_strict);
    bool *keep = arena_alloc(a, set->n_items + 1);
    for (uint32_t i = 0; i < o.n; i++)
        keep[o.at[i] - items] = true;
    bool any = o.n < set->n_items;
    order_fini(&o);
    uint32_t kept = 0;
    for (uint32_t i = 0; any && i < set->n_items; i++)
        if (keep[i])
            items[kept++] = items[i];
    set->n_items = any ? kept : set->n_items;
}

static bool read_list(struct arena *a, const struct json *list, struct sl_value *set)
{
    if (json_type(list) != JSON_LIST)
        return false;
    struct sl_value *items = arena_alloc(a, (json_count(list) + 1) * sizeof(*items));
    *set = (struct sl_value){.type = SL_SET, .items = items, .item_size = sizeof(*items)};
    for (const struct json *node = json_first(list); node; node = json_next(node)) {
        struct sl_value item = value_from_json(a, NULL, node);
        if (!order_is_item(item.type))
            return false;
        items[set->n_items++] = item;
    }
    drop_repeated(a, set, items);
    return true;
}

bool set_parse(struct arena *a, const char *text, size_t n_bytes, struct sl_value *set)
{
    struct err ignored = {0};
    struct json_doc *doc = json_parse(text ? text : "", n_bytes, NULL, &ignored);
    bool is_set = doc && read_list(a, json_root(doc), set);
    json_free(doc);
    return is_set;
}

bool set_read(struct arena *a, const struct sl_value *v, struct sl_value *set)
{
    *set = *v;
    if (v->type == SL_SET)
        return true;
    if (v->type != SL_JSON || !set_parse(a, v->text, v->text_size, set))
        return false;
    set->name = v->name;
    return true;
}
