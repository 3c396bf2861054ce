/* SPDX-License-Identifier: MIT */
/* endless.c - emits without end. */
#define NAME "endless"
#include "hostile.h"

static int act(const struct sl_host *host)
{
    char id[32];
    for (unsigned i = 0;; i++) {
        snprintf(id, sizeof id, "r%u", i);
        const struct sl_item hint = {.size = sizeof hint, .kind = SL_ITEM_STUB, .id = id, .version = "1"};
        if (host->emit(host->ctx, &hint))
            return SL_BROKEN;
    }
}
