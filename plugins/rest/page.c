/* SPDX-License-Identifier: MIT */
/* page.c - from one page of a listing to the next, and whether it came to its end. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rest.h"

static char *put_spot(struct rest *r, const struct spot *s, const char *value, char *url, struct ask *a)
{
    if (s->in == IN_QUERY)
        return url_query(r, url, s->name, value);
    ask_header(a, s->name, value);
    return url;
}

static void place_number(const struct paging *p, const struct place *at, char out[STAMP_ROOM])
{
    int64_t first = p->first >= 0 ? p->first : p->type == PAGE_NUMBER;
    snprintf(out, STAMP_ROOM, "%" PRId64, first + (p->type == PAGE_NUMBER ? at->pages : at->items));
}

/* Where a next page is, as the server tells it: whole, a path from its root, or another query of the same list. */
static char *told_url(struct rest *r, const char *told, const char *list)
{
    struct sl_bytes b = {0};
    if (told[0] == '/' && told[1] != '/')
        sl_bytes_text(&b, r->origin);
    else if (told[0] == '?')
        sl_bytes_add(&b, list, strcspn(list, "?"));
    sl_bytes_text(&b, told);
    char *url = sl_pool_dup(&r->call, b.data, b.size);
    free(b.data);
    return url;
}

char *page_url(struct rest *r, const struct paging *p, const struct place *at, char *url, struct ask *a)
{
    char number[STAMP_ROOM];
    bool is_url = p->type == PAGE_LINK_HEADER || p->type == PAGE_NEXT_URL;
    if (is_url && at->token)
        return told_url(r, at->token, url);
    if (p->size_to.given) {
        snprintf(number, sizeof(number), "%" PRId64, p->size_to.value);
        url = put_spot(r, &p->size_to, sl_pool_dup(&r->call, number, strlen(number)), url, a);
    }
    if (p->type == PAGE_CURSOR && at->token)
        return put_spot(r, &p->token_to, at->token, url, a);
    if (p->type == PAGE_NUMBER || p->type == PAGE_OFFSET) {
        place_number(p, at, number);
        url = put_spot(r, &p->token_to, sl_pool_dup(&r->call, number, strlen(number)), url, a);
    }
    return url;
}

/* Of the resource's listings, the one that is not of records stands under `deleted`. */
static const char *under(const struct resource *res, const struct listing *list)
{
    return list == &res->list ? "" : ".deleted";
}

int page_read(struct rest *r, const struct resource *res, const struct listing *list, const char *records,
              const struct sl_http_response *a, struct page *out)
{
    const char *why = NULL, *item = NULL;
    size_t n = 0;
    *out = (struct page){.n_items = 0};
    if (!doc_read(r, a->body, a->body_bytes, &out->body, &why))
        return refuse(r, SL_BROKEN, "%s: the answer to a list is no JSON: %s", res->name, why);
    struct sl_value found = doc_at(r, &out->body, records);
    /* No list is not an empty one: that would be taken for every record deleted. */
    if (found.type != SL_JSON || found.text[0] != '[')
        return refuse(r, SL_BROKEN, "%s: the answer holds no list at \"%s\"; correct resources.%s%s.list.records",
                      res->name, records ? records : "", res->name, under(res, list));
    out->list = sl_pool_dup(&r->call, found.text, found.text_size);
    out->list_bytes = found.text_size;
    for (const char *at = out->list, *end = at + found.text_size; sl_list_next(&at, end, &item, &n);)
        out->n_items++;
    return SL_OK;
}

static enum page_end fault(struct rest *r, const struct resource *res, const struct listing *list, const char *what)
{
    refuse(r, SL_BROKEN, "%s%s: the list did not come to its end: %s", res->name, under(res, list), what);
    return PAGE_FAULT;
}

static bool has_rel_next(const struct sl_http_response *a)
{
    const char *link = answer_header(a, "link");
    return link && (strcasestr(link, "rel=\"next\"") || strcasestr(link, "rel=next"));
}

/* The token behind this page; NULL: there is none. */
static const char *next_token(struct rest *r, const struct paging *p, const struct sl_http_response *a,
                              const struct page *page, char room[STAMP_ROOM])
{
    const char *token = NULL;
    if (p->type == PAGE_LINK_HEADER)
        token = a->next_url;
    if (p->type == PAGE_NEXT_URL || p->type == PAGE_CURSOR) {
        struct sl_value v = doc_at(r, &page->body, p->token_from);
        token = doc_text(&v, room);
        token = token ? sl_pool_dup(&r->call, token, strlen(token)) : NULL;
    }
    return token && *token ? token : NULL;
}

static bool counted(const struct paging *p)
{
    return p->type == PAGE_NUMBER || p->type == PAGE_OFFSET;
}

/* How many records the server says that there are; -1: it does not say. */
static int64_t total_of(struct rest *r, const struct paging *p, const struct page *page)
{
    struct sl_value v = doc_at(r, &page->body, p->stop.total);
    return v.type == SL_INT ? v.number : -1;
}

/* Has the stop rule been met? */
static bool at_end(struct rest *r, const struct paging *p, const struct page *page, const struct place *at,
                   const char *token)
{
    if (p->type == PAGE_NONE || p->type == 0)
        return true;
    if (p->stop.field) {
        struct sl_value v = doc_at(r, &page->body, p->stop.field);
        return doc_same(&v, &p->stop.eq);
    }
    if (!counted(p))
        return token == NULL;
    if (p->stop.total && total_of(r, p, page) >= 0)
        return at->items >= total_of(r, p, page);
    return page->n_items == 0 || (p->stop.on == STOP_SHORT && page->n_items < p->size_to.value);
}

/* Brent's: one page is remembered, at ever longer distances, so any loop is met, however long. */
static bool comes_again(struct place *at, const char *what, size_t n_bytes)
{
    uint64_t h = doc_hash(what, n_bytes);
    if (at->pages > 1 && h == at->seen)
        return true;
    if (at->pages >= at->until) {
        at->seen = h;
        at->until = at->pages * 2;
    }
    return false;
}

enum page_end page_next(struct rest *r, const struct resource *res, const struct listing *list,
                        const struct sl_http_response *a, const struct page *page, struct place *at)
{
    const struct paging *p = &list->page;
    char room[STAMP_ROOM];
    const char *token = next_token(r, p, a, page, room);
    if (p->type == PAGE_LINK_HEADER && !token && has_rel_next(a))
        return fault(r, res, list,
                     "its next link leads to another server, or cannot be read; ask there for links of its own");
    at->pages++;
    at->items += page->n_items;
    at->token = token ? sl_pool_dup(&r->call, token, strlen(token)) : NULL;
    if (at_end(r, p, page, at, token))
        return PAGE_ENDS;
    if (!counted(p) && !token)
        return fault(r, res, list, "there is no token for the next page, though list.page.stop says that there is one");
    if (at->pages >= p->max_pages)
        return fault(r, res, list, "it has more pages than list.page.max_pages; raise it, or correct list.page");
    /* A server that takes no notice of the number sends the same page for ever. */
    if (counted(p) ? page->n_items && comes_again(at, page->list, page->list_bytes)
                   : comes_again(at, token, strlen(token)))
        return fault(r, res, list, "a page comes again: the list goes in a circle; correct list.page");
    return PAGE_GOES_ON;
}
