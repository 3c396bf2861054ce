/* SPDX-License-Identifier: MIT */
/* listing.c - listings and deltas, page by page, with rows that shift, pages that repeat and ends that lie. */
#include "world.h"

#include <stdio.h>
#include <string.h>

static uint32_t mix(uint32_t seed, uint32_t n)
{
    uint32_t x = (n + 1) * 2654435761u ^ seed * 40503u;
    return x ^ x >> 15;
}

/* The order in which a listing goes through the records. */
static void order(const struct memory_world *w, uint32_t seed, uint32_t at[MEMORY_RECORDS])
{
    for (uint32_t i = 0; i < w->n_records; i++) {
        uint32_t to = i;
        for (; seed && to > 0 && mix(seed, at[to - 1]) > mix(seed, i); to--)
            at[to] = at[to - 1];
        at[to] = i;
    }
}

static bool lagging(const struct memory_world *w, const struct memory_record *r)
{
    return w->index_lag_ms && w->now_ms < r->created_ms + w->index_lag_ms;
}

static unsigned long long place_of(const struct memory_world *w, const struct memory_record *r)
{
    return w->by_time ? (unsigned long long)stored_time(w, r->now.modified_ms) : r->sequence;
}

/* Where the next delta begins: behind all that was changed, before whatever is not to be seen yet. */
static unsigned long long cursor_now(const struct memory_world *w)
{
    unsigned long long at = w->by_time ? 0 : w->sequence, before = 0;
    for (uint32_t i = 0; i < w->n_records; i++) {
        const struct memory_record *r = &w->records[i];
        unsigned long long its = place_of(w, r);
        at = its > at ? its : at;
        bool hidden = lagging(w, r) || w->now_ms < r->now.modified_ms + w->stale_ms;
        if (hidden && (!before || its < before))
            before = its;
    }
    if (!before || before > at)
        return at;
    return w->by_time ? before : before - 1;
}

static bool changed_since(const struct memory_world *w, const struct memory_record *r, uint64_t since)
{
    return w->by_time ? place_of(w, r) >= since : place_of(w, r) > since;
}

bool listing_finds(const struct memory_world *w, const struct memory_record *r)
{
    return !r->gone && !lagging(w, r) && !world_hidden(w, r);
}

static bool names(const struct memory_world *w, const struct memory_record *r, uint64_t since, bool delta)
{
    if (lagging(w, r) || w->list_empty || world_hidden(w, r) || (delta && !changed_since(w, r, since)))
        return false;
    return r->gone ? delta && w->delete_feed : true;
}

/* What is asked for: "list FROM SINCE TIMELINE", in the middle of a listing; "since SINCE TIMELINE", a delta; or all. */
struct asked {
    bool paging, delta;
    uint32_t from, timeline;
    unsigned long long since; /* of a listing: where the delta after it begins */
};

static struct asked read_cursor(const struct memory_world *w, const struct sl_pull *pull)
{
    struct asked a = {.timeline = w->timeline, .since = cursor_now(w)};
    if (!pull->cursor)
        return a;
    a.paging = sscanf(pull->cursor, "list %u %llu %u", &a.from, &a.since, &a.timeline) == 3;
    if (!a.paging && w->delta && !(pull->flags & SL_PULL_FULL))
        a.delta = sscanf(pull->cursor, "since %llu %u", &a.since, &a.timeline) == 2;
    return a;
}

/* Emits the rows of one page. Returns where the next begins; n_records: there is none. */
static uint32_t list_page(struct memory *m, const struct sl_pull *pull, const struct asked *a, int *rc)
{
    const struct memory_world *w = m->w;
    uint32_t at[MEMORY_RECORDS], n = 0, i = a->from;
    uint32_t kind = w->stubs && !(pull->flags & SL_PULL_RECORDS) ? SL_ITEM_STUB : SL_ITEM_RECORD;
    uint32_t end = w->list_half ? (w->n_records + 1) / 2 : w->n_records;
    order(w, w->shifts ? (uint32_t)w->shifts + a->from : w->shuffle, at);
    if (i > 0 && (w->repeats || w->skips))
        i = w->repeats ? i - 1 : i + 1;
    uint32_t room = w->page_size ? (uint32_t)w->page_size + (i < a->from) : w->n_records + 1;
    for (; i < end && (a->delta || n < room) && *rc == SL_OK; i++) {
        const struct memory_record *r = &w->records[at[i]];
        if (!names(w, r, a->since, a->delta) || (pull->parent_id && strcmp(r->parent, pull->parent_id) != 0))
            continue;
        n++;
        *rc = memory_emit(m, r->gone ? SL_ITEM_TOMBSTONE : kind, r) ? SL_BROKEN : SL_OK;
    }
    return i < end ? i : w->n_records;
}

static int end_page(struct memory *m, const struct sl_pull *pull, const struct asked *a, uint32_t next)
{
    const struct memory_world *w = m->w;
    bool more = next < w->n_records;
    char cursor[64] = "";
    if (w->loop_in && !a->delta) {
        more = true;
        bool one = pull->cursor && strcmp(pull->cursor, "circle 1") == 0;
        snprintf(cursor, sizeof(cursor), "circle %d", one ? 2 : 1);
    } else if (more) {
        snprintf(cursor, sizeof(cursor), "list %u %llu %u", next, a->since, w->timeline);
    } else if (w->delta) {
        snprintf(cursor, sizeof(cursor), "since %llu %u", a->delta ? cursor_now(w) : a->since, w->timeline);
    }
    struct sl_page page = {.size = sizeof(page),
                           .cursor = cursor,
                           .epoch = *w->epoch ? w->epoch : NULL,
                           .kind = more       ? SL_PAGE_MORE
                                   : a->delta ? SL_PAGE_DONE
                                              : SL_PAGE_COMPLETE};
    return m->host->page(m->host->ctx, &page) ? SL_BROKEN : SL_OK;
}

int memory_pull(void *session, const struct sl_pull *pull)
{
    struct memory *m = session;
    struct memory_world *w = m->w;
    int rc = memory_begin(m);
    if (rc || memory_garbled(m))
        return rc;
    struct asked a = read_cursor(w, pull);
    bool expired = a.timeline != w->timeline || (pull->cursor && memory_strikes(&w->expire_in));
    if (expired && !w->loop_in)
        return memory_fail(m, SL_GONE, "the cursor is not known any more; list again");
    if (w->parents && !memory_find(w->parents, pull->parent_id ? pull->parent_id : ""))
        return memory_fail(m, SL_GONE, "there is no such parent");
    uint32_t next = list_page(m, pull, &a, &rc);
    return rc ? rc : end_page(m, pull, &a, next);
}
