/* SPDX-License-Identifier: MIT */
/* pull.c - lists a file page by page, or says at once that nothing changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connector.h"

enum { STOP_EVERY = 1024 }; /* rows between two looks at stopping() */

/*
 * A cursor is "csv1 STATE" after a whole listing and "csv1 STATE OFFSET:LINE STAMPS" inside one. STATE is the file's when
 * the listing began; "none": there was no file; "-": it cannot be promised, list again. STAMPS are the file's then, promised or not.
 */
struct place {
    char state[STATE_BYTES];
    off_t offset; /* 0: no listing is under way */
    uint64_t line;
    const char *stamps;
};

static struct place place_parse(const char *cursor)
{
    struct place p = {.state = "-", .stamps = ""};
    if (!cursor || strncmp(cursor, "csv1 ", 5) != 0)
        return p;
    cursor += 5;
    size_t n = strcspn(cursor, " ");
    if (n >= sizeof(p.state))
        return p;
    memcpy(p.state, cursor, n);
    p.state[n] = 0;
    char *end = NULL;
    if (cursor[n] == ' ')
        p.offset = (off_t)strtoll(cursor + n + 1, &end, 10);
    if (end && *end == ':')
        p.line = strtoull(end + 1, &end, 10);
    if (end && *end == ' ')
        p.stamps = end + 1;
    return p;
}

static int end_page(struct csv *c, int kind, const char *cursor)
{
    struct sl_page page = {.size = sizeof(page), .kind = (uint32_t)kind, .cursor = cursor};
    return c->host->page(c->host->ctx, &page) ? csv_why(c, SL_BROKEN, "the host did not take the end of a page")
                                              : SL_OK;
}

/* No file: one that never was is an empty collection, one that was is not: its records are not deleted, it is lost. */
static int missing(struct csv *c, const struct file *f, const struct sl_pull *pull, const struct place *place)
{
    bool verify = (pull->flags & SL_PULL_FULL) && !(pull->flags & SL_PULL_RECORDS);
    bool never = pull->cursor ? !strcmp(place->state, "none") : !verify;
    if (!never)
        return csv_why(c, SL_GONE, "%s/%s is not there any more; put it back, or correct `root` or the object", c->root,
                       f->name);
    return end_page(c, pull->cursor && !verify ? SL_PAGE_DONE : SL_PAGE_COMPLETE, "csv1 none");
}

/* Emits rows up to max (0: all); *more: there are rows left, from place on. */
static int list(struct csv *c, const struct file *f, uint32_t max, struct place *place, bool *more)
{
    const struct sl_host *host = c->host;
    struct reader r = {0};
    enum reader_end end = READER_END;
    int result = SL_OK;
    uint32_t n = 0;
    reader_begin(&r, f->fd, c->delimiter, place->offset, place->line);
    while (!result && (end = reader_next(&r)) == READER_ROW) {
        if (!r.blank)
            result = row_emit(c, f, &r);
        place->offset = reader_offset(&r);
        place->line = r.next_line;
        n += !r.blank;
        *more = max && n >= max && place->offset < f->st.st_size;
        if (*more)
            break;
        if (n % STOP_EVERY == STOP_EVERY - 1 && host->stopping(host->ctx))
            result = csv_why(c, SL_RETRY, "%s: the run is being stopped; run again", f->name);
    }
    if (!result && end != READER_ROW && end != READER_END)
        result = reader_fault(c, f, &r, end);
    reader_fini(&r);
    return result ? result : file_unchanged(c, f);
}

static int list_page(struct csv *c, const struct file *f, uint32_t max, struct place *place)
{
    char cursor[2 * STATE_BYTES + 64];
    bool more = false;
    int result = list(c, f, max, place, &more);
    if (result)
        return result;
    if (more)
        snprintf(cursor, sizeof(cursor), "csv1 %s %lld:%llu %s", place->state, (long long)place->offset,
                 (unsigned long long)place->line, f->state);
    else
        snprintf(cursor, sizeof(cursor), "csv1 %s", place->state);
    return end_page(c, more ? SL_PAGE_MORE : SL_PAGE_COMPLETE, cursor);
}

/*
 * A file that changed inside a listing is listed from its beginning, and again next time: a row that was listed before may
 * be gone now, and only a listing of one state shows that. In one page, so that a file that never rests comes to an end.
 */
static int choose(struct csv *c, const struct file *f, const struct sl_pull *pull, struct place *place)
{
    bool inside = place->offset > 0;
    uint32_t max = pull->page_max;
    if (!inside && f->settled && !strcmp(place->state, f->state) && !(pull->flags & SL_PULL_FULL))
        return end_page(c, SL_PAGE_DONE, pull->cursor);
    if (!inside)
        snprintf(place->state, sizeof(place->state), "%s", f->settled ? f->state : "-");
    if (!inside || strcmp(place->stamps, f->state) != 0) {
        if (inside) {
            snprintf(place->state, sizeof(place->state), "-");
            max = 0;
        }
        place->offset = f->body;
        place->line = f->body_line;
    }
    int result = doubles_load(c, f);
    return result ? result : list_page(c, f, max, place);
}

int csv_pull(struct csv *c, const struct sl_pull *pull)
{
    struct sl_pool pool = {0};
    struct file f;
    struct place place = place_parse(pull->cursor);
    int result = file_open(c, &pool, pull->object, &f);
    if (!result)
        result = f.fd < 0 ? missing(c, &f, pull, &place) : choose(c, &f, pull, &place);
    file_close(&f);
    sl_pool_free(&pool);
    return result;
}
