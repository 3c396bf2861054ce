/* SPDX-License-Identifier: MIT */
/* pull.c - listing a resource page by page, whole or since a time the server gave. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rest.h"

#define FREE_EVERY 64u /* records between two json_free: memory stays flat however long a page is */

/* A listing under way; between two pages it is in the cursor. */
struct walk {
    struct rest *r;
    const struct resource *res;
    struct place at;
    char *from; /* what since was told: a time in ms or the server's own cursor; NULL: the whole collection is listed */
    char *mark; /* the newest seen so far */
    char *feed_from, *feed; /* likewise of the feed of deleted ids, which is walked before the records */
    int64_t feeding; /* that is what is walked now */
    bool resumed;
};

static const struct listing *walked(const struct walk *w)
{
    return w->feeding ? &w->res->deleted.list : &w->res->list;
}

static char *from_of(const struct walk *w)
{
    return w->feeding ? w->feed_from : w->from;
}

static char **mark_of(struct walk *w)
{
    return w->feeding ? &w->feed : &w->mark;
}

/* The members of a cursor; those of a walk that goes on have all the numbers. */
static const struct {
    const char *name;
    size_t offset;
    bool going; /* only while it goes on */
} texts[] = {{"mark", offsetof(struct walk, mark), false},
             {"feed", offsetof(struct walk, feed), false},
             {"from", offsetof(struct walk, from), true},
             {"feed_from", offsetof(struct walk, feed_from), true},
             {"token", offsetof(struct walk, at.token), true}},
  numbers[] = {{"pages", offsetof(struct walk, at.pages), true},
               {"items", offsetof(struct walk, at.items), true},
               {"until", offsetof(struct walk, at.until), true},
               {"feeding", offsetof(struct walk, feeding), true}};
enum { TEXTS = sizeof(texts) / sizeof(*texts), NUMBERS = sizeof(numbers) / sizeof(*numbers) };

static char **cursor_text(struct walk *w, const char *name)
{
    for (size_t i = 0; i < TEXTS; i++)
        if (strcmp(texts[i].name, name) == 0)
            return (char **)(void *)((char *)w + texts[i].offset);
    return NULL;
}

static int64_t *cursor_number(struct walk *w, const char *name)
{
    for (size_t i = 0; i < NUMBERS; i++)
        if (strcmp(numbers[i].name, name) == 0)
            return (int64_t *)(void *)((char *)w + numbers[i].offset);
    return NULL;
}

static bool cursor_read(struct walk *w, const char *cursor)
{
    const struct sl_value *fields = NULL;
    const char *why = NULL;
    uint32_t n = 0, size = 0;
    if (w->r->host->json_read(w->r->host->ctx, cursor, strlen(cursor), &fields, &n, &size, &why) != SL_OK)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        const struct sl_value *v = sl_value_at(fields, size, i);
        char **text = cursor_text(w, v->name);
        int64_t *number = cursor_number(w, v->name);
        if (text && v->type == SL_STRING)
            *text = sl_pool_dup(&w->r->call, v->text, v->text_size);
        else if (number && v->type == SL_INT)
            *number = v->number, w->resumed = true;
        else if (strcmp(v->name, "seen") == 0 && v->type == SL_STRING)
            w->at.seen = strtoull(v->text, NULL, 16);
        else
            return false;
    }
    return true;
}

static const char *cursor_write(struct walk *w, bool more)
{
    struct sl_value fields[TEXTS + NUMBERS + 1];
    char seen[20];
    const char *text = NULL;
    size_t n_bytes = 0;
    uint32_t n = 0;
    for (size_t i = 0; i < TEXTS; i++) {
        const char *held = *cursor_text(w, texts[i].name);
        if (held && (more || !texts[i].going))
            fields[n++] =
                (struct sl_value){.name = texts[i].name, .type = SL_STRING, .text = held, .text_size = strlen(held)};
    }
    for (size_t i = 0; more && i < NUMBERS; i++)
        fields[n++] =
            (struct sl_value){.name = numbers[i].name, .type = SL_INT, .number = *cursor_number(w, numbers[i].name)};
    snprintf(seen, sizeof(seen), "%" PRIx64, w->at.seen);
    if (more)
        fields[n++] = (struct sl_value){.name = "seen", .type = SL_STRING, .text = seen, .text_size = strlen(seen)};
    if (n == 0)
        return NULL;
    w->r->host->json_write(w->r->host->ctx, fields, n, sizeof(*fields), 0, &text, &n_bytes);
    return text;
}

/* Back by the overlap and by what the server may show late; an exclusive bound loses its own second. */
static char *since_text(struct walk *w)
{
    const struct since *s = &walked(w)->since;
    char text[STAMP_ROOM];
    if (s->opaque_cursor)
        return from_of(w);
    int64_t ms = strtoll(from_of(w), NULL, 10);
    ms -= (s->overlap_s + s->server_lag_s + !s->inclusive) * 1000;
    stamp_text(ms > 0 ? ms : 0, s->format, text);
    return sl_pool_dup(&w->r->call, text, strlen(text));
}

static char *with_pairs(struct rest *r, char *url, const struct pairs *p)
{
    for (uint32_t i = 0; i < p->n; i++)
        url = url_query(r, url, p->at[i].name, p->at[i].value);
    return url;
}

static void prepare(struct walk *w, struct ask *a)
{
    const struct listing *list = walked(w);
    const struct since *s = &list->since;
    const struct paging *p = &list->page;
    bool is_url = w->at.token && (p->type == PAGE_LINK_HEADER || p->type == PAGE_NEXT_URL);
    ask_init(w->r, a, "GET", NULL);
    char *url = url_path(w->r, list->path, NULL);
    url = with_pairs(w->r, url, &list->query);
    if (!w->feeding)
        url = with_pairs(w->r, url, &w->res->deleted.query);
    if (from_of(w) && s->to.in == IN_HEADER)
        ask_header(a, s->to.name, since_text(w));
    else if (from_of(w) && !is_url)
        url = url_query(w->r, url, s->to.name, since_text(w));
    a->request.url = page_url(w->r, p, &w->at, url, a);
}

static void move_mark(struct walk *w, int64_t ms)
{
    char text[STAMP_ROOM], **mark = mark_of(w);
    if (ms <= 0 || (*mark && strtoll(*mark, NULL, 10) >= ms))
        return;
    snprintf(text, sizeof(text), "%" PRId64, ms);
    *mark = sl_pool_dup(&w->r->call, text, strlen(text));
}

static int emit_bad(struct walk *w, const struct told *t)
{
    struct sl_item item = {
        .size = sizeof(item), .kind = SL_ITEM_UNREADABLE, .id = t->id, .error_class = SL_REJECTED, .message = t->why};
    /* Without so much as an id it cannot be parked, and left out it would count as deleted. */
    if (!t->id[0])
        return refuse(w->r, SL_BROKEN, "%s", t->why);
    return w->r->host->emit(w->r->host->ctx, &item) ? SL_BROKEN : SL_OK;
}

static int emit_one(struct walk *w, const char *text, size_t n_bytes)
{
    struct told t;
    struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_RECORD};
    if (!record_read(w->r, w->res, text, n_bytes, NULL, &t))
        return emit_bad(w, &t);
    move_mark(w, t.mark_ms);
    if (t.dropped)
        return SL_OK;
    item.id = t.id;
    item.record = t.deleted ? NULL : &t.record;
    if (t.deleted)
        item.kind = SL_ITEM_TOMBSTONE;
    return w->r->host->emit(w->r->host->ctx, &item) ? SL_BROKEN : SL_OK;
}

/*
 * An id that was deleted once may be there again, and the feed is told from before what was seen: it is read. When all is listed for the
 * first time nothing is known that could be gone.
 */
static int emit_deleted(struct walk *w, const char *text, size_t n_bytes)
{
    struct rest *r = w->r;
    const struct since *s = &w->res->deleted.list.since;
    char room[STAMP_ROOM];
    uint32_t grain_ms = 0;
    int64_t ms = 0;
    struct sl_value entry = {.type = SL_ABSENT};
    doc_read(r, text, n_bytes, &entry, NULL);
    struct sl_value key = doc_at(r, &entry, w->res->deleted.key);
    struct sl_value time = s->field ? doc_at(r, &entry, s->field) : (struct sl_value){.type = SL_ABSENT};
    const char *id = doc_text(&key, room);
    if (!id || !*id || strlen(id) > 1024)
        return refuse(r, SL_BROKEN, "%s.deleted: an entry of the feed has no id; correct resources.%s.deleted.key",
                      w->res->name, w->res->name);
    if (stamp_of(&time, &ms, &grain_ms))
        move_mark(w, ms);
    struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_HINT, .id = id};
    bool known = w->from || w->feed_from;
    return known && r->host->emit(r->host->ctx, &item) ? SL_BROKEN : SL_OK;
}

static int emit_page(struct walk *w, const struct page *page)
{
    const char *at = page->list, *end = at + page->list_bytes, *item = NULL;
    size_t n_bytes = 0;
    uint32_t n = 0;
    int rc = SL_OK;
    while (rc == SL_OK && sl_list_next(&at, end, &item, &n_bytes)) {
        rc = w->feeding ? emit_deleted(w, item, n_bytes) : emit_one(w, item, n_bytes);
        if (++n % FREE_EVERY == 0)
            w->r->host->json_free(w->r->host->ctx);
    }
    return rc;
}

static int end_page(struct walk *w, enum page_end end)
{
    struct sl_page page = {.size = sizeof(page), .kind = SL_PAGE_MORE};
    bool more = end == PAGE_GOES_ON || w->feeding;
    if (end != PAGE_GOES_ON && w->feeding) {
        w->feeding = 0;
        w->at = (struct place){.until = 1};
    }
    if (!more)
        page.kind = w->from ? SL_PAGE_DONE : SL_PAGE_COMPLETE;
    /* Pages by number shift while records go: what is missing then may only have moved, and nobody could confirm it. */
    bool shifts = w->res->list.page.type == PAGE_NUMBER || w->res->list.page.type == PAGE_OFFSET;
    if (page.kind == SL_PAGE_COMPLETE && shifts && !w->res->get.given)
        page.kind = SL_PAGE_DONE;
    page.cursor = cursor_write(w, more);
    return w->r->host->page(w->r->host->ctx, &page) ? SL_BROKEN : SL_OK;
}

/* A place in a listing does not live for ever. */
static bool place_lost(const struct walk *w, const struct sl_http_response *a)
{
    bool answered = a->end == SL_HTTP_ANSWERED;
    return answered && w->resumed && w->at.token &&
           (a->status == 400 || a->status == 404 || a->status == 410 || a->status == 422);
}

static void take_opaque(struct walk *w, const struct page *page)
{
    char room[STAMP_ROOM];
    const char *pointer = walked(w)->since.opaque_cursor;
    struct sl_value v = pointer ? doc_at(w->r, &page->body, pointer) : (struct sl_value){.type = SL_ABSENT};
    const char *text = doc_text(&v, room);
    if (text && *text)
        *mark_of(w) = sl_pool_dup(&w->r->call, text, strlen(text));
}

static int walk_page(struct walk *w)
{
    struct ask ask;
    struct page page;
    const struct sl_http_response *a = NULL;
    char what[SAID_ROOM];
    prepare(w, &ask);
    int rc = w->r->host->http(w->r->host->ctx, &ask.request, &a);
    snprintf(what, sizeof(what), w->feeding ? "listing what is deleted of %s" : "listing %s", w->res->name);
    if (place_lost(w, a))
        return refuse(w->r, SL_GONE, "%s: the server does not know the place in the list any more", what);
    if (rc == SL_OK)
        rc = answer_check(w->r, a, what);
    if (rc == SL_OK)
        rc = page_read(w->r, w->res, walked(w), walked(w)->records, a, &page);
    if (rc != SL_OK)
        return rc;
    take_opaque(w, &page);
    enum page_end end = page_next(w->r, w->res, walked(w), a, &page, &w->at);
    if (end == PAGE_FAULT)
        return SL_BROKEN;
    rc = emit_page(w, &page);
    return rc == SL_OK ? end_page(w, end) : rc;
}

int rest_pull(void *session, const struct sl_pull *pull)
{
    struct rest *r = session;
    sl_pool_free(&r->call);
    struct walk w = {.r = r, .res = resource_find(r, pull->object), .at = {.until = 1}};
    if (!w.res)
        return SL_CONFIG;
    if (pull->cursor && *pull->cursor && !cursor_read(&w, pull->cursor))
        return refuse(r, SL_GONE, "%s: the place in the list is of another version of this connector", w.res->name);
    if (!w.resumed) {
        bool sweep = w.res->deleted.mode == DELETED_SWEEP;
        bool whole = (pull->flags & SL_PULL_FULL) || !w.res->list.since.given || sweep;
        w.from = whole ? NULL : w.mark;
        w.mark = whole ? NULL : w.mark;
        w.feed_from = w.feed;
        w.feeding = w.res->deleted.mode == DELETED_FEED;
    }
    int rc = walk_page(&w);
    r->host->json_free(r->host->ctx);
    return rc;
}
