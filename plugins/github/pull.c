/* SPDX-License-Identifier: MIT */
/* pull.c - one page of issues since a cursor, or of one issue's comments; a 304 for the first page ends a pull at once. */
#include <inttypes.h>
#include <string.h>

#include "github.h"

enum { FREE_EVERY = 32 };
/* What may have been written late into the second of the newest change, or shown late. */
static const int64_t overlap_ms = 60000;
/* The address stays the same for so long, and with it the tag: what was listed within it comes again, and is known. */
static const int64_t step_ms = 3600000;

/*
 * A walk over the issues, the newest change first: one that is changed meanwhile moves to the front and comes again in the next walk, nothing
 * is skipped. So the next walk begins at the newest change of this one's first page.
 */
struct walk {
    struct github *g;
    const struct thing *t;
    const char *parent;
    const char *from; /* the newest change of the last walk; NULL: all is listed */
    const char *etag; /* of that walk's first page */
    const char *next; /* the address of the next page; NULL: at the beginning */
    const char *found; /* the newest change of this walk */
    const char *found_etag;
};

/* Where the list begins after a walk up to `from`; NULL: with everything. */
static const char *since_text(struct walk *w, const char *from)
{
    int64_t ms = 0;
    if (!from || !time_read(from, &ms))
        return NULL;
    ms -= overlap_ms;
    return time_text(w->g, ms > 0 ? ms - ms % step_ms : 0);
}

/* --- the cursor: a JSON object of these texts --- */

static const char **cursor_member(struct walk *w, const char *name)
{
    const struct {
        const char *name;
        const char **at;
    } members[] = {{"from", &w->from},
                   {"etag", &w->etag},
                   {"next", &w->next},
                   {"found", &w->found},
                   {"found_etag", &w->found_etag}};
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        if (strcmp(members[i].name, name) == 0)
            return members[i].at;
    return NULL;
}

static bool cursor_read(struct walk *w, const char *cursor)
{
    struct node o;
    if (!node_read(w->g, cursor, strlen(cursor), &o))
        return false;
    for (uint32_t i = 0; i < o.n; i++) {
        const struct sl_value *v = sl_value_at(o.fields, o.size, i);
        const char **at = cursor_member(w, v->name);
        if (!at || v->type != SL_STRING)
            return false;
        *at = sl_pool_dup(&w->g->call, v->text, v->text_size);
    }
    return true;
}

static void put(struct sl_value *fields, uint32_t *n, const char *name, const char *text)
{
    if (text)
        fields[(*n)++] = text_value(name, text);
}

static const char *cursor_write(struct walk *w, const char *next)
{
    struct sl_value fields[5];
    uint32_t n = 0;
    size_t n_bytes = 0;
    if (next) {
        put(fields, &n, "from", w->from);
        put(fields, &n, "next", next);
        put(fields, &n, "found", w->found);
        put(fields, &n, "found_etag", w->found_etag);
    } else if (w->t == &issues) {
        put(fields, &n, "from", w->found ? w->found : w->from);
        /* Another address next time has another tag. */
        const char *now = since_text(w, w->from), *then = since_text(w, w->found ? w->found : w->from);
        put(fields, &n, "etag", (now && then ? strcmp(now, then) == 0 : now == then) ? w->found_etag : NULL);
    }
    return n ? json_text(w->g, fields, n, &n_bytes) : NULL;
}

static int end_page(struct walk *w, uint32_t kind, const char *cursor)
{
    struct sl_page page = {.size = sizeof(page), .kind = kind, .cursor = cursor};
    return w->g->host->page(w->g->host->ctx, &page) ? SL_BROKEN : SL_OK;
}

/* --- a page --- */

static const char *first_url(struct walk *w)
{
    struct github *g = w->g;
    const char *since = since_text(w, w->from);
    if (w->t == &comments && w->parent)
        return sl_pool_print(&g->call, "%s/issues/%s/comments?per_page=100", g->home, w->parent);
    if (w->t == &comments)
        return sl_pool_print(&g->call, "%s/issues/comments?per_page=100", g->home);
    const char *url = sl_pool_print(&g->call, "%s/issues?state=all&sort=updated&direction=desc&per_page=100", g->home);
    return since ? sl_pool_print(&g->call, "%s&since=%s", url, escaped(g, since)) : url;
}

static void move_mark(struct walk *w, const struct told *t)
{
    int64_t known = 0;
    const char *newest = w->found ? w->found : w->from;
    if (w->next || t->record.modified_ms <= 0)
        return;
    if (!newest || !time_read(newest, &known) || known < t->record.modified_ms)
        w->found = time_text(w->g, t->record.modified_ms);
}

static int emit_one(struct walk *w, const char *text, size_t n_bytes)
{
    struct github *g = w->g;
    struct told t;
    char said[SAID_ROOM];
    if (!record_read(g, w->t, text, n_bytes, &t))
        /* Without so much as an id it cannot be parked, and left out it would count as deleted. */
        return t.id[0] ? emit(g, SL_ITEM_UNREADABLE, t.id, NULL, t.why) : refuse(g, SL_BROKEN, "%s", t.why);
    move_mark(w, &t);
    if (t.pull_request)
        return SL_OK;
    int rc = repository_holds(g, &t, said);
    if (rc == SL_GONE)
        return refuse(g, SL_GONE, "issue %s: was transferred to %s, and its comments with it",
                      w->parent ? w->parent : t.id, t.repository);
    if (rc != SL_OK)
        return refuse(g, rc, "%s", said);
    return emit(g, t.away ? SL_ITEM_TOMBSTONE : SL_ITEM_RECORD, t.id, t.away ? NULL : &t.record, NULL);
}

static int emit_page(struct walk *w, const char *list, size_t list_bytes)
{
    const char *at = list, *item = NULL;
    size_t n_bytes = 0;
    uint32_t n = 0;
    int rc = SL_OK;
    while (rc == SL_OK && sl_list_next(&at, list + list_bytes, &item, &n_bytes)) {
        rc = emit_one(w, item, n_bytes);
        if (++n % FREE_EVERY == 0)
            w->g->host->json_free(w->g->host->ctx);
    }
    return rc;
}

/* A list that is not there: is it the repository, or the issue whose comments these are? */
static int list_missing(struct walk *w, const struct sl_http_response *a, const char *what)
{
    char said[SAID_ROOM];
    int64_t wait_ms = 0;
    int rc = answer_class(w->g, a, what, said, &wait_ms); /* the next request takes the answer away */
    if (rc == SL_GONE && a->status == 404) {
        int of_all = repository_learn(w->g, said);
        rc = of_all == SL_OK ? SL_GONE : of_all;
    }
    return refuse(w->g, rc ? rc : SL_BROKEN, "%s", said);
}

/* The place of a page does not live for ever, and pages by number end somewhere. */
static bool place_lost(const struct walk *w, const struct sl_http_response *a)
{
    return w->next && a->end == SL_HTTP_ANSWERED &&
           (a->status == 400 || a->status == 404 || a->status == 410 || a->status == 422);
}

static int take_page(struct walk *w, const struct sl_http_response *a, const char *what)
{
    struct github *g = w->g;
    const char *list = NULL, *etag = answer_header(a, "etag");
    size_t n_bytes = 0;
    const char *next = a->next_url ? sl_pool_dup(&g->call, a->next_url, strlen(a->next_url)) : NULL;
    if (!w->next && etag)
        w->found_etag = sl_pool_dup(&g->call, etag, strlen(etag));
    if (!list_read(g, a, &list, &n_bytes))
        return refuse(g, SL_RETRY, "%s: the answer is no list of GitHub's: look at base_url, and at proxies between",
                      what);
    int rc = emit_page(w, list, n_bytes);
    if (rc != SL_OK)
        return rc;
    uint32_t last = w->from ? SL_PAGE_DONE : SL_PAGE_COMPLETE;
    return end_page(w, next ? SL_PAGE_MORE : last, cursor_write(w, next));
}

static int walk_page(struct walk *w, const char *cursor)
{
    struct github *g = w->g;
    struct ask ask;
    const struct sl_http_response *a = NULL;
    char what[100];
    ask_init(g, &ask, "GET", w->next ? w->next : first_url(w));
    if (!w->next && w->etag)
        ask_header(&ask, "If-None-Match", w->etag);
    snprintf(what, sizeof(what), "listing %s%s%s", w->t->name, w->parent ? " of issue " : "",
             w->parent ? w->parent : "");
    int rc = g->host->http(g->host->ctx, &ask.request, &a);
    if (rc != SL_OK)
        return rc;
    if (a->end == SL_HTTP_ANSWERED && a->status == 304 && w->etag)
        return end_page(w, SL_PAGE_DONE, cursor);
    if (place_lost(w, a))
        return refuse(g, SL_GONE, "%s: GitHub does not know the place in the list any more", what);
    if (!answer_good(a))
        return a->end == SL_HTTP_ANSWERED ? list_missing(w, a, what) : answer_check(g, a, what);
    return take_page(w, a, what);
}

int github_pull(void *session, const struct sl_pull *pull)
{
    struct github *g = session;
    call_begin(g);
    struct walk w = {.g = g, .t = thing_find(g, pull->object)};
    if (!w.t)
        return SL_CONFIG;
    if (pull->size > offsetof(struct sl_pull, parent_id))
        w.parent = pull->parent_id;
    if (w.parent && !thing_path(g, &issues, w.parent))
        return refuse(g, SL_GONE, "listing comments: \"%.40s\" is no number of an issue", w.parent);
    if (pull->cursor && *pull->cursor && !cursor_read(&w, pull->cursor))
        return refuse(g, SL_GONE, "%s: the place in the list is of another version of this connector", w.t->name);
    if ((pull->flags & SL_PULL_FULL) && !w.next)
        w.from = w.etag = NULL;
    int rc = walk_page(&w, pull->cursor);
    g->host->json_free(g->host->ctx);
    return rc;
}
