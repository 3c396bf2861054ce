/* SPDX-License-Identifier: MIT */
/* get.c - reading records by id, and finding one by the key that was stored in it. */
#include <stdlib.h>
#include <string.h>

#include "rest.h"

static int emit(struct rest *r, uint32_t kind, const char *id, const struct sl_record *record, const char *why)
{
    struct sl_item item = {.size = sizeof(item),
                           .kind = kind,
                           .id = id,
                           .record = record,
                           .error_class = kind == SL_ITEM_UNREADABLE ? SL_REJECTED : 0,
                           .message = why};
    return r->host->emit(r->host->ctx, &item) ? SL_BROKEN : SL_OK;
}

static int tell_record(struct rest *r, const struct resource *res, const char *id, const struct sl_http_response *a)
{
    struct sl_value body;
    struct told t;
    const char *why = NULL;
    if (!doc_read(r, a->body, a->body_bytes, &body, &why))
        return emit(r, SL_ITEM_UNREADABLE, id, NULL, why);
    struct sl_value v = doc_at(r, &body, res->get.record);
    if (v.type != SL_JSON)
        return refuse(r, SL_BROKEN, "%s %s: the answer holds no record at \"%s\"; correct resources.%s.get.record",
                      res->name, id, res->get.record ? res->get.record : "", res->name);
    if (!record_read(r, res, v.text, v.text_size, answer_header(a, "etag"), &t))
        return emit(r, SL_ITEM_UNREADABLE, id, NULL, t.why);
    if (strcmp(t.id, id) != 0)
        return refuse(r, SL_BROKEN, "%s %s: the server answered with the record %s; correct resources.%s.get.path",
                      res->name, id, t.id, res->name);
    bool there = !t.deleted && !t.dropped;
    return emit(r, there ? SL_ITEM_RECORD : SL_ITEM_TOMBSTONE, id, there ? &t.record : NULL, NULL);
}

static int tell_answer(struct rest *r, const struct resource *res, const char *id, const struct sl_http_response *a)
{
    char what[SAID_ROOM], said[SAID_ROOM];
    snprintf(what, sizeof(what), "reading %s %.100s", res->name, id);
    if (answer_good(a, NULL))
        return tell_record(r, res, id, a);
    if (a->end == SL_HTTP_ANSWERED && (a->status == 404 || a->status == 410))
        return emit(r, SL_ITEM_TOMBSTONE, id, NULL, NULL);
    if (a->end == SL_HTTP_ANSWERED && a->advice == SL_REJECTED) {
        answer_said(a, what, said);
        return emit(r, SL_ITEM_UNREADABLE, id, NULL, said);
    }
    return answer_check(r, a, what);
}

int rest_get(void *session, const struct sl_get *get)
{
    struct rest *r = session;
    sl_pool_free(&r->call);
    const struct resource *res = resource_find(r, get->object);
    const struct sl_http_response *answers = NULL;
    uint32_t size = 0, n = 0;
    if (!res || get->n_ids == 0)
        return res ? SL_OK : SL_CONFIG;
    struct ask *asks = sl_pool_take(&r->call, get->n_ids * sizeof(*asks));
    const char **ids = sl_pool_take(&r->call, get->n_ids * sizeof(*ids));
    int rc = SL_OK;
    for (uint32_t i = 0; i < get->n_ids && rc == SL_OK; i++) {
        const char *url = url_path(r, res->get.path, get->ids[i]);
        if (url) {
            ask_init(r, &asks[n], "GET", url);
            ids[n++] = get->ids[i];
        } else {
            rc = emit(r, SL_ITEM_UNREADABLE, get->ids[i], NULL, "this id cannot stand in a path; give it another");
        }
    }
    if (rc == SL_OK && n)
        rc = r->host->http_many(r->host->ctx, &asks->request, n, sizeof(*asks), &answers, &size);
    for (uint32_t i = 0; i < n && rc == SL_OK; i++) {
        rc = tell_answer(r, res, ids[i], (const void *)((const char *)(const void *)answers + (size_t)size * i));
        r->host->json_free(r->host->ctx);
    }
    return rc;
}

/* A server may take no notice of the filter: only what carries the key is told. */
static int tell_matches(struct rest *r, const struct resource *res, const struct sl_find *find, const struct page *page,
                        uint32_t *n_told)
{
    const char *at = page->list, *end = at + page->list_bytes, *item = NULL;
    size_t n_bytes = 0;
    int rc = SL_OK;
    while (rc == SL_OK && sl_list_next(&at, end, &item, &n_bytes) && (!find->max_items || *n_told < find->max_items)) {
        struct told t;
        if (!record_read(r, res, item, n_bytes, NULL, &t))
            return refuse(r, SL_BROKEN, "%s", t.why);
        if (t.record.correlation && strcmp(t.record.correlation, find->correlation) == 0 && !t.deleted) {
            rc = emit(r, SL_ITEM_RECORD, t.id, &t.record, NULL);
            ++*n_told;
        }
    }
    return rc;
}

/* What the list is filtered by: the key, or the server's own language with the key in it. */
static const char *filter_of(struct rest *r, const struct resource *res, const char *key)
{
    static const char mark[] = "{key}";
    const char *at = res->external_key.filter, *end = at ? strstr(at, mark) : NULL;
    struct sl_bytes b = {0};
    if (!end)
        return key;
    sl_bytes_add(&b, at, (size_t)(end - at));
    sl_bytes_text(&b, key);
    sl_bytes_text(&b, end + strlen(mark));
    const char *text = sl_pool_dup(&r->call, b.data, b.size);
    free(b.data);
    return text;
}

static int find_page(struct rest *r, const struct resource *res, const struct sl_find *find, struct place *at,
                     uint32_t *n_told, enum page_end *end)
{
    struct ask ask;
    struct page page;
    const struct sl_http_response *a = NULL;
    const char *records = res->external_key.path ? res->external_key.records : res->list.records;
    const char *name = res->external_key.to.given ? res->external_key.to.name : res->external_key.field + 1;
    char what[SAID_ROOM];
    ask_init(r, &ask, "GET", NULL);
    char *url = url_path(r, res->external_key.path ? res->external_key.path : res->list.path, NULL);
    url = url_query(r, url, name, filter_of(r, res, find->correlation));
    ask.request.url = page_url(r, &res->list.page, at, url, &ask);
    snprintf(what, sizeof(what), "looking for a record of %s", res->name);
    int rc = r->host->http(r->host->ctx, &ask.request, &a);
    if (rc == SL_OK)
        rc = answer_check(r, a, what);
    if (rc == SL_OK)
        rc = page_read(r, res, &res->list, records, a, &page);
    if (rc != SL_OK)
        return rc;
    *end = page_next(r, res, &res->list, a, &page, at);
    return *end == PAGE_FAULT ? SL_BROKEN : tell_matches(r, res, find, &page, n_told);
}

int rest_find(void *session, const struct sl_find *find)
{
    struct rest *r = session;
    sl_pool_free(&r->call);
    const struct resource *res = resource_find(r, find->object);
    struct place at = {.until = 1};
    uint32_t n_told = 0;
    enum page_end end = PAGE_GOES_ON;
    int rc = SL_OK;
    if (!res)
        return SL_CONFIG;
    if (!find->correlation || !res->external_key.given)
        return refuse(r, SL_UNSUPPORTED, "%s: records are found by external_key alone; add it to resources.%s",
                      res->name, res->name);
    while (rc == SL_OK && end == PAGE_GOES_ON && (!find->max_items || n_told < find->max_items)) {
        rc = find_page(r, res, find, &at, &n_told, &end);
        r->host->json_free(r->host->ctx);
    }
    return rc;
}
