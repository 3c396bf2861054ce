/* SPDX-License-Identifier: MIT */
/* order.h - the canonical orders: fields of a record by name, items of a set by value. */
#ifndef RECORD_ORDER_H
#define RECORD_ORDER_H

#include <stdbool.h>

#include "syncline/record.h"

typedef int order_compare(const struct sl_value *x, const struct sl_value *y);

/* Values in order, none twice (the first of equals stays). Borrows the values; not to be moved once made. */
struct order {
    const struct sl_value **at;
    uint32_t n;
    const struct sl_value *few[32];
};

/* The fields by name, without absent ones. */
void order_fields(struct order *o, const struct sl_record *r);
/* The items of a set; what may not be in a set is left out. */
void order_items(struct order *o, const struct sl_value *set, order_compare *compare);
void order_fini(struct order *o);

/* A scalar that may be an item of a set. */
bool order_is_item(uint32_t type);
/* By type, then by bytes: 0 only for the same value as one system holds it. Scalars only. */
int order_strict(const struct sl_value *x, const struct sl_value *y);
int order_name(const struct sl_value *x, const struct sl_value *y);
int order_bytes(const void *x, size_t x_bytes, const void *y, size_t y_bytes);

#endif
