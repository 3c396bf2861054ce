/* SPDX-License-Identifier: MIT */
/* lies.c - says of every size and number what is not so. */
#define NAME "lies"
#include "hostile.h"

static int act(const struct sl_host *host)
{
    static const struct sl_value field = {.name = "title", .type = SL_STRING, .text = "x", .text_size = 1};
    const struct sl_record record = {
        .size = sizeof record, .id = "r", .fields = &field, .n_fields = 0xFFFFFFFF, .field_size = 8};
    const struct sl_item item = {.size = sizeof item, .kind = SL_ITEM_RECORD, .record = &record};
    host->emit(host->ctx, &item);
    return 12345;
}
