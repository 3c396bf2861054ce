/* SPDX-License-Identifier: MIT */
/* pull.c - the incremental export of tickets or users: whole from the beginning of time, or on from a cursor of the API's own. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "zendesk.h"

#define FREE_EVERY 64u /* records between two json_free: memory stays flat however long a page is */

/* Our cursor is the API's with a letter before it: a listing of all that is under way, or changes since. */
#define WHOLE 'w'
#define SINCE 's'

struct export
{
    struct desk *d;
    enum object_kind kind;
    const char *name; /* of the list */
    const char *from; /* the API's cursor; NULL: from the beginning */
    bool whole;
    const char *after;
    bool end;
    const char *list; /* the page's records, as JSON */
    size_t list_bytes;
};

static bool begin(struct export *x, const struct sl_pull *pull)
{
    const char *c = pull->cursor;
    x->whole = !c || !*c || (pull->flags & SL_PULL_FULL && *c != WHOLE) || *c == WHOLE;
    if (!c || !*c || (x->whole && *c != WHOLE))
        return true;
    x->from = c + 1;
    return (*c == WHOLE || *c == SINCE) && c[1];
}

static char *address(const struct export *x)
{
    char *url = sl_pool_print(&x->d->call, "/incremental/%s/cursor", x->name);
    url = url_query(x->d, url, x->from ? "cursor" : "start_time", x->from ? x->from : "0");
    return x->kind == TICKETS ? url_query(x->d, url, "include", "users,comment_count") : url;
}

/* What the answer must hold: no list, or no cursor, is not the end of one. */
static int take_answer(struct export *x, const struct object *o)
{
    const char *at = NULL, *end = NULL, *after = doc_text(o, "after_cursor");
    const struct sl_value *end_of_stream = doc_member(o, "end_of_stream");
    if (!doc_list(o, x->name, &at, &end) || !end_of_stream || end_of_stream->type != SL_BOOL)
        return refuse(x->d, SL_BROKEN,
                      "the export of %s holds no list, or does not say whether it ended; is there a proxy between?",
                      x->name);
    x->end = end_of_stream->number != 0;
    if (!x->end && (!after || (x->from && strcmp(after, x->from) == 0)))
        return refuse(x->d, SL_BROKEN, "the export of %s says that there is more, but not where; try again later",
                      x->name);
    x->after = after ? sl_pool_dup(&x->d->call, after, strlen(after)) : x->from;
    x->list = sl_pool_dup(&x->d->call, at, (size_t)(end - at));
    x->list_bytes = (size_t)(end - at);
    if (x->kind == TICKETS)
        people_take(x->d, o);
    return SL_OK;
}

static int emit_unread(struct export *x, const struct object *o, const char *why)
{
    int64_t id = 0;
    /* Without so much as an id it cannot be parked, and left out it would count as deleted. */
    if (!doc_number(o, "id", &id))
        return refuse(x->d, SL_BROKEN, "a record in the export of %s has no id: %s", x->name, why);
    return emit_unreadable(x->d, sl_pool_print(&x->d->call, "%" PRId64, id), why);
}

static int emit_one(struct export *x, const struct object *o)
{
    struct told t;
    struct sl_record user;
    struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_RECORD};
    bool good = x->kind == TICKETS ? ticket_read(x->d, o, &t) : user_read(x->d, o, &user, &x->d->call);
    if (!good)
        return emit_unread(x, o, "look at it in Zendesk");
    item.record = x->kind == TICKETS ? &t.record : &user;
    item.id = item.record->id;
    if (x->kind == TICKETS && t.deleted) {
        item.kind = SL_ITEM_TOMBSTONE;
        item.record = NULL;
    }
    return x->d->host->emit(x->d->host->ctx, &item) ? SL_BROKEN : SL_OK;
}

/* Whom the page's tickets name; the side-load leaves out who is gone. */
static int need_people(struct export *x)
{
    const char *at = x->list, *end = at + x->list_bytes, *item = NULL;
    struct object o;
    size_t n_bytes = 0, n = 0;
    int64_t *ids = sl_pool_take(&x->d->call, (x->list_bytes / 8 + 2) * sizeof(*ids));
    if (x->kind != TICKETS)
        return SL_OK;
    for (uint32_t k = 1; sl_list_next(&at, end, &item, &n_bytes); k++) {
        if (doc_object(x->d, item, n_bytes, &o, NULL))
            for (int i = 0; ticket_person(&o, i) >= 0; i++)
                ids[n++] = ticket_person(&o, i);
        if (k % FREE_EVERY == 0)
            x->d->host->json_free(x->d->host->ctx);
    }
    return people_need(x->d, ids, n);
}

static int emit_page(struct export *x)
{
    const char *at = x->list, *end = at + x->list_bytes, *item = NULL, *why = NULL;
    struct object o;
    size_t n_bytes = 0;
    int rc = SL_OK;
    for (uint32_t k = 1; rc == SL_OK && sl_list_next(&at, end, &item, &n_bytes); k++) {
        if (!doc_object(x->d, item, n_bytes, &o, &why))
            return refuse(x->d, SL_BROKEN, "a record in the export of %s cannot be read: %s", x->name, why);
        rc = emit_one(x, &o);
        if (k % FREE_EVERY == 0)
            x->d->host->json_free(x->d->host->ctx);
    }
    return rc;
}

/* Cursors do not live for ever. */
static bool place_lost(const struct export *x, const struct sl_http_response *a)
{
    return x->from && a->end == SL_HTTP_ANSWERED &&
           (a->status == 400 || a->status == 404 || a->status == 410 || a->status == 422);
}

int export_pull(struct desk *d, const struct sl_pull *pull, enum object_kind kind)
{
    struct export x = {.d = d, .kind = kind, .name = kind == TICKETS ? "tickets" : "users"};
    struct ask ask;
    struct object o;
    const struct sl_http_response *a = NULL;
    if (!begin(&x, pull))
        return refuse(d, SL_GONE, "%s: this place in the export was kept by some other connector", x.name);
    ask_init(d, &ask, "GET", address(&x));
    int rc = d->host->http(d->host->ctx, &ask.request, &a);
    if (rc != SL_OK)
        return rc;
    if (place_lost(&x, a))
        return refuse(d, SL_GONE, "%s: Zendesk does not know the place in the export any more", x.name);
    rc = answer_object(d, a, sl_pool_print(&d->call, "exporting %s", x.name), &o);
    if (rc == SL_OK)
        rc = take_answer(&x, &o);
    if (rc == SL_OK)
        rc = need_people(&x);
    if (rc == SL_OK)
        rc = emit_page(&x);
    if (rc != SL_OK)
        return rc;
    struct sl_page page = {.size = sizeof(page), .kind = SL_PAGE_MORE};
    if (x.end)
        page.kind = x.whole ? SL_PAGE_COMPLETE : SL_PAGE_DONE;
    page.cursor = x.after ? sl_pool_print(&d->call, "%c%s", x.end || !x.whole ? SINCE : WHOLE, x.after) : NULL;
    return d->host->page(d->host->ctx, &page) ? SL_BROKEN : SL_OK;
}
