/* SPDX-License-Identifier: MIT */
/* trouble.c - what a pair's worker cannot say itself, told in the log and where `status` looks: it was silent, its connection is parked. */
#include "daemon/trouble.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
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

static void put_row(struct buf *out, const struct parking_spot *spot)
{
    buf_byte(out, '{');
    json_put_text(out, "connection", spot->connection);
    json_put_text(out, "how", spot->how ? spot->how : "");
    json_put_key(out, "deaths");
    buf_printf(out, "%" PRIu64, spot->total);
    json_put_key(out, "until_ms");
    buf_printf(out, "%" PRId64 "}\n", spot->until_ms);
}

void trouble_note(const struct parking *p, const struct roster *r)
{
    struct arena a = {0};
    struct buf text = {0};
    struct err ignored = {0};
    for (size_t i = 0; i < p->n; i++)
        put_row(&text, &p->spots[i]);
    file_write_atomic(path_join(&a, r->state, "daemon.runners"), 0600, text.data ? text.data : "", text.size, &ignored);
    buf_fini(&text);
    arena_fini(&a);
}

static const struct trouble_row *read_row(const char *line, size_t n_bytes, const struct trouble_row *next,
                                          struct arena *a)
{
    struct err ignored = {0};
    struct json_doc *doc = json_parse(line, n_bytes, NULL, &ignored);
    struct trouble_row *out = arena_alloc(a, sizeof *out);
    int64_t deaths = 0;
    *out = (struct trouble_row){.next = next};
    if (doc) {
        const struct json *row = json_root(doc);
        out->connection = arena_text(a, json_text(json_get(row, "connection"), NULL));
        out->how = arena_text(a, json_text(json_get(row, "how"), NULL));
        json_int(json_get(row, "deaths"), &deaths);
        json_int(json_get(row, "until_ms"), &out->until_ms);
        out->deaths = (uint64_t)deaths;
    }
    json_free(doc);
    return out->connection && out->how ? out : next;
}

const struct trouble_row *trouble_read(const char *state, struct arena *a)
{
    struct buf text = {0};
    struct err ignored = {0};
    const struct trouble_row *rows = NULL;
    if (file_read(path_join(a, state, "daemon.runners"), 0, &text, &ignored) == 0)
        for (const char *at = text.data, *end = NULL; at && (end = strchr(at, '\n')) != NULL; at = end + 1)
            rows = read_row(at, (size_t)(end - at), rows, a);
    buf_fini(&text);
    return rows;
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
