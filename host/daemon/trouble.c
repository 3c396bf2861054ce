/* SPDX-License-Identifier: MIT */
/* trouble.c - what a pair's worker cannot say itself, told in the log and where `status` looks: it was silent, its connection is parked. */
#include "daemon/trouble.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

/* Instead of what the worker wrote there, which is gone, or has said less. The next run that comes to its end takes it away. */
static void put_status(const struct roster *r, const char *pair, const struct buf *text)
{
    struct arena a = {0};
    struct err ignored = {0};
    file_write_atomic(arena_printf(&a, "%s/pairs/%s/last-error", r->state, pair), 0600, text->data, text->size,
                      &ignored);
    arena_fini(&a);
}

void trouble_parked(const struct parking_spot *spot, const struct roster *r)
{
    struct buf text = {0};
    parking_put(&text, spot);
    log_line(LOG_ERROR, NULL, "%s", text.data);
    for (size_t i = 0; i < r->n_wants; i++)
        if (text_equal(r->sides[i][0], spot->connection) || text_equal(r->sides[i][1], spot->connection))
            put_status(r, r->wants[i].name, &text);
    buf_fini(&text);
}

void trouble_silent(const char *pair, const struct roster *r)
{
    struct buf text = {0};
    buf_printf(&text,
               "its run gave no sign of life for %" PRId64 " s and was ended; what it had begun is settled by the next "
               "one: let connectors whose isolation is none have runners, or raise run_silence",
               r->run_silence_ms / 1000);
    log_line(LOG_ERROR, pair, "%s", text.data);
    put_status(r, pair, &text);
    buf_fini(&text);
}
