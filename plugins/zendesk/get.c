/* SPDX-License-Identifier: MIT */
/* get.c - tickets read by id, and the one that a lost create may have left. */
#include <string.h>

#include "zendesk.h"

#define INCLUDE "include=users,comment_count"

static int emit_ticket(struct desk *d, const struct object *o, const char *want)
{
    struct told t;
    struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_RECORD, .record = &t.record};
    if (!ticket_read(d, o, &t) || (want && strcmp(t.id, want) != 0))
        return refuse(d, SL_BROKEN, "ticket %s: the answer does not hold this ticket; is there a proxy between?",
                      want ? want : "found by its key");
    if (t.deleted)
        return want ? emit_gone(d, want) : SL_OK;
    item.id = t.id;
    return d->host->emit(d->host->ctx, &item) ? SL_BROKEN : SL_OK;
}

static int need_people(struct desk *d, const struct object *o)
{
    int64_t ids[4];
    size_t n = 0;
    for (int i = 0; n < sizeof(ids) / sizeof(*ids) && ticket_person(o, i) >= 0; i++)
        ids[n++] = ticket_person(o, i);
    return people_need(d, ids, n);
}

static int get_one(struct desk *d, const char *id)
{
    struct ask ask;
    struct object o, ticket;
    const struct sl_http_response *a = NULL;
    if (!number_good(id))
        return emit_gone(d, id); /* no ticket of Zendesk has such an id */
    ask_init(d, &ask, "GET", sl_pool_print(&d->call, "/tickets/%s?" INCLUDE, id));
    int rc = d->host->http(d->host->ctx, &ask.request, &a);
    if (rc != SL_OK)
        return rc;
    if (answer_not_found(d, a))
        return emit_gone(d, id);
    rc = answer_object(d, a, sl_pool_print(&d->call, "reading ticket %s", id), &o);
    if (rc != SL_OK)
        return rc;
    people_take(d, &o);
    if (!doc_inner(d, &o, "ticket", &ticket))
        return refuse(d, SL_BROKEN, "ticket %s: the answer does not hold this ticket; is there a proxy between?", id);
    rc = need_people(d, &ticket);
    return rc == SL_OK ? emit_ticket(d, &ticket, id) : rc;
}

/* One request for a hundred. What is not in its answer is asked for alone: only a 404 means that it is gone. */
static int get_many(struct desk *d, const char *const *ids, uint32_t n, bool *told)
{
    struct sl_bytes list = {0};
    struct object o, ticket;
    const char *at = NULL, *end = NULL;
    for (uint32_t i = 0; i < n; i++)
        if (number_good(ids[i])) {
            sl_bytes_text(&list, list.size ? "," : "");
            sl_bytes_text(&list, ids[i]);
        }
    if (!list.size)
        return SL_OK;
    char *url = url_query(d, "/tickets/show_many?" INCLUDE, "ids", list.data);
    sl_bytes_free(&list);
    int rc = ask_get(d, url, "reading tickets", &o);
    if (rc != SL_OK)
        return rc;
    if (!doc_list(&o, "tickets", &at, &end))
        return refuse(d, SL_BROKEN, "reading tickets: the answer holds no list of them; is there a proxy between?");
    people_take(d, &o);
    while (rc == SL_OK && doc_next_object(d, &at, end, &ticket)) {
        struct told t;
        uint32_t i = 0;
        rc = need_people(d, &ticket);
        if (rc != SL_OK || !ticket_read(d, &ticket, &t))
            continue;
        while (i < n && (told[i] || strcmp(ids[i], t.id) != 0))
            i++;
        if (i == n)
            continue;
        told[i] = true;
        rc = emit_ticket(d, &ticket, ids[i]);
    }
    return rc;
}

int tickets_get(struct desk *d, const struct sl_get *get)
{
    bool *told = sl_pool_take(&d->call, get->n_ids + 1);
    int rc = SL_OK;
    for (uint32_t from = 0; rc == SL_OK && get->n_ids > 1 && from < get->n_ids; from += MANY) {
        uint32_t n = get->n_ids - from < MANY ? get->n_ids - from : MANY;
        rc = get_many(d, get->ids + from, n, told + from);
    }
    for (uint32_t i = 0; rc == SL_OK && i < get->n_ids; i++) {
        if (!told[i])
            rc = get_one(d, get->ids[i]);
        d->host->json_free(d->host->ctx);
    }
    return rc;
}

/* Only what carries the key is told, whatever else the answer holds. */
static int tell_matches(struct desk *d, const struct object *o, const char *list, const struct sl_find *find,
                        uint32_t *n)
{
    const char *at = NULL, *end = NULL;
    struct object ticket;
    int rc = SL_OK;
    if (!doc_list(o, list, &at, &end))
        return refuse(d, SL_BROKEN,
                      "looking for a ticket by its key: the answer holds no list; is there a proxy between?");
    people_take(d, o);
    while (rc == SL_OK && doc_next_object(d, &at, end, &ticket) && (!find->max_items || *n < find->max_items)) {
        const char *key = doc_text(&ticket, "external_id");
        if (!key || strcmp(key, find->correlation) != 0)
            continue;
        rc = need_people(d, &ticket);
        if (rc == SL_OK)
            rc = emit_ticket(d, &ticket, NULL);
        ++*n;
    }
    return rc;
}

/* The list leaves archived tickets out, and the search is late: together they miss neither. */
int tickets_find(struct desk *d, const struct sl_find *find)
{
    static const char what[] = "looking for a ticket by its key";
    struct object o;
    uint32_t n = 0;
    int rc = ask_get(d, url_query(d, "/tickets?" INCLUDE, "external_id", find->correlation), what, &o);
    if (rc == SL_OK)
        rc = tell_matches(d, &o, "tickets", find, &n);
    if (rc != SL_OK || n)
        return rc;
    char *query = sl_pool_print(&d->call, "type:ticket external_id:%s", find->correlation);
    rc = ask_get(d, url_query(d, "/search?" INCLUDE, "query", query), what, &o);
    return rc == SL_OK ? tell_matches(d, &o, "results", find, &n) : rc;
}
