/* SPDX-License-Identifier: MIT */
/* routes.c - what the gateway serves: one row a kind of request. */
#include <string.h>

#include "daemon/api.h"
#include "daemon/delivery.h"

const struct route routes[] = {
    {.path = "/metrics", .methods = "GET, HEAD", .take = pages_take},
    {.path = "/healthz", .methods = "GET, HEAD", .take = pages_take},
    {.path = "/readyz", .methods = "GET, HEAD", .take = pages_take},
    {.path = API_PATH,
     .methods = "GET, HEAD, POST",
     .body_max = API_BODY_MAX,
     .answer_ms = API_ANSWER_MS,
     .room = API_ROOM,
     .take = route_forward},
    /* a refusal waits for the next tenth of a second: what it took to find it wrong is not to be seen */
    {.path = DELIVERY_PATH,
     .methods = "POST",
     .body_max = 1 << 20,
     .hold_ms = 100,
     .room = 512,
     .take = route_forward,
     .full = delivery_full},
};
const size_t n_routes = sizeof routes / sizeof *routes;

const struct route *route_find(const struct route *table, size_t n, const char *path)
{
    const struct route *best = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(table[i].path);
        bool all = length > 1 && table[i].path[length - 1] == '/';
        if (strncmp(path, table[i].path, length) != 0 || (!all && path[length]))
            continue;
        if (!best || length > strlen(best->path))
            best = &table[i];
    }
    return best;
}
