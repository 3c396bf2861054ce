/* SPDX-License-Identifier: MIT */
/* death.c - what a worker tells of a connection whose runners died in a run. */
#include "daemon/death.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void death_put(struct buf *out, const struct death *d)
{
    buf_printf(out, "%" PRIu64 "\n%s\n%s", d->times, d->connection, d->how);
}

bool death_read(struct death *d, const char *text, size_t n_bytes)
{
    struct buf line = {0};
    char *end = NULL;
    *d = (struct death){0};
    buf_add(&line, text, n_bytes);
    uint64_t times = line.size ? strtoull(line.data, &end, 10) : 0;
    char *connection = end && *end == '\n' ? end + 1 : NULL, *how = connection ? strchr(connection, '\n') : NULL;
    if (times && how) {
        *how++ = '\0';
        *d = (struct death){mem_dup(connection), mem_dup(how), times};
    }
    buf_fini(&line);
    return d->times > 0;
}

void death_fini(struct death *d)
{
    mem_free(d->connection);
    mem_free(d->how);
    *d = (struct death){0};
}
