/* SPDX-License-Identifier: MIT */
/* check.c - what the members of the config must say together. */
#include <string.h>

#include "rest.h"

/* The first that holds is told. */
struct rule {
    bool broken;
    const char *path, *says;
};

static const struct rule *broken(const struct rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (rules[i].broken)
            return &rules[i];
    return NULL;
}

/* under: what stands before the rules' paths. */
static int judge(struct rest *r, const struct resource *res, const char *under, const struct rule *rules, size_t n)
{
    const struct rule *bad = broken(rules, n);
    return bad ? refuse(r, SL_CONFIG, "resources.%s.%s%s: %s", res->name, under, bad->path, bad->says) : SL_OK;
}

static bool no_id(const char *path)
{
    return path && !strstr(path, "{id}");
}

static int check_page(struct rest *r, const struct resource *res, const struct listing *list, const char *under)
{
    const struct paging *p = &list->page;
    const struct stop *s = &p->stop;
    bool token = p->type == PAGE_NEXT_URL || p->type == PAGE_CURSOR;
    bool counted = p->type == PAGE_NUMBER || p->type == PAGE_OFFSET;
    const struct rule rules[] = {
        {p->given && !p->same_host_only, "list.page.same_host_only",
         "a next page on another server would go without credentials; only true is possible"},
        {token && !p->token_from, "list.page.token_from", "missing; say where the answer holds the next token"},
        {!token && p->token_from, "list.page.token_from", "only the types next_url and cursor read it; remove it"},
        {(counted || p->type == PAGE_CURSOR) && !p->token_to.given, "list.page.token_to",
         "missing; say where the place of the next page goes"},
        {!counted && p->type != PAGE_CURSOR && p->token_to.given, "list.page.token_to",
         "only the types cursor, page and offset send it; remove it"},
        {!counted && p->given && p->first >= 0, "list.page.first", "only the types page and offset count; remove it"},
        {s->given && (s->field != NULL) + (s->on != 0) + (s->total != NULL) != 1, "list.page.stop",
         "give one of field with eq, on, and total"},
        {s->total && !counted, "list.page.stop.total", "only the types page and offset count records; remove it"},
        {s->field && s->eq.name == NULL, "list.page.stop.eq", "missing; say at which value of the field the list ends"},
        {s->on && !counted, "list.page.stop.on", "only the types page and offset end by it; use field and eq"},
        {s->on == STOP_SHORT && !p->size_to.given, "list.page.stop.on",
         "short_page needs size_to: without a size no page is short"},
        {s->given && p->type == PAGE_NONE, "list.page.stop", "the type none has one page; remove it"},
        {p->size_to.given && p->size_to.value == 0, "list.page.size_to.value", "a page of 0 records; use 1 or more"},
        {p->given && p->max_pages == 0, "list.page.max_pages", "a list of 0 pages; use 1 or more"},
    };
    return judge(r, res, under, rules, sizeof(rules) / sizeof(*rules));
}

static int check_list(struct rest *r, const struct resource *res, const struct listing *list, const char *under)
{
    const struct since *s = &list->since;
    bool counted = list->page.type == PAGE_NUMBER || list->page.type == PAGE_OFFSET;
    const struct rule rules[] = {
        {!no_id(list->path), "list.path", "a list has no {id}; remove it"},
        {s->given && !s->field == !s->opaque_cursor, "list.since",
         "give either field (the server's own time in each record) or opaque_cursor"},
        {s->given && counted && s->order == ORDER_ASC, "list.since.order",
         "ascending by time and numbered pages: what is edited meanwhile moves and is missed; use desc"},
    };
    int rc = judge(r, res, under, rules, sizeof(rules) / sizeof(*rules));
    return rc == SL_OK ? check_page(r, res, list, under) : rc;
}

static int check_writes(struct rest *r, const struct resource *res)
{
    const struct guard *g = &res->update.guard;
    const struct rule rules[] = {
        {res->external_key.filter && (!res->external_key.to.given || !strstr(res->external_key.filter, "{key}")),
         "external_key.filter", "it is the text that `to` is given, with {key} in it"},
        {res->get.given && no_id(res->get.path), "get.path", "it names no record; put {id} into it"},
        {res->create.given && !no_id(res->create.path), "create.path", "a create has no {id}; remove it"},
        {res->create.find_before_retry && !res->external_key.given, "create.find_before_retry",
         "there is no external_key to find by; add external_key"},
        {res->create.idempotency_ttl_s && !res->create.idempotency_header, "create.idempotency_ttl_s",
         "there is no idempotency_header it could be about; add it"},
        {res->create.read_back && !res->get.given, "create.read_back", "nothing can be read back without get; add it"},
        {res->update.given && no_id(res->update.path), "update.path", "it names no record; put {id} into it"},
        {res->update.given && !res->get.given, "update", "an update is read back or merged through get; add get"},
        {g->type == GUARD_IF_MATCH && res->version.kind != VERSION_ETAG, "update.guard.type",
         "if_match sends the version as an ETag; set version.kind to etag"},
        {g->type == GUARD_BODY_STAMP && (!g->fields || !res->version.field), "update.guard.fields",
         "body_stamp needs fields with \"{version}\" in them, and version.field"},
        {g->fields && g->type != GUARD_BODY_STAMP, "update.guard.fields", "only body_stamp sends them; remove it"},
        {res->version.kind == VERSION_TIMESTAMP && !res->version.field, "version.field",
         "missing; say which field holds the time"},
        {res->version.kind == VERSION_HASH && res->version.field, "version.field",
         "the kind hash is of the whole record; remove it"},
    };
    return judge(r, res, "", rules, sizeof(rules) / sizeof(*rules));
}

static int check_deletes(struct rest *r, const struct resource *res)
{
    const struct deleting *d = &res->del;
    int64_t told = res->deleted.mode;
    bool by_field = told == DELETED_FIELD || told == DELETED_STATUS, close = d->mode == DELETE_CLOSE;
    const struct rule rules[] = {
        {d->given && d->mode != DELETE_NONE && !d->path, "delete.path", "missing; add it"},
        {d->mode != DELETE_NONE && no_id(d->path), "delete.path", "it names no record; put {id} into it"},
        {d->mode == DELETE_NONE && d->path, "delete.path", "nothing is deleted with the mode none; remove it"},
        {close && !d->set, "delete.set", "missing; say what closes a record, like {\"status\": \"closed\"}"},
        {!close && d->set, "delete.set", "only the mode close sends it; remove it"},
        {!close && d->wrap, "delete.wrap", "only the mode close sends a record; remove it"},
        {close && d->method == BY_DELETE, "delete.method",
         "a record is closed with PATCH, PUT or POST; use one of them"},
        {!close && d->method && d->method != BY_DELETE && d->method != BY_POST, "delete.method",
         "a record is deleted with DELETE or POST; use one of them, or the mode close"},
        {close && !res->get.given, "delete.mode", "a record is read before it is closed; add get"},
        {close && !by_field, "delete.mode",
         "a closed record is still listed and would count as new; add deleted with the mode field or status"},
        {res->deleted.given && by_field != (res->deleted.field != NULL), "deleted.field",
         "field and status need it, and no other mode looks at one"},
        {told == DELETED_STATUS && !res->deleted.eq.name, "deleted.eq",
         "missing; say at which value of the field the record is deleted"},
        {told == DELETED_SWEEP && !res->get.given, "deleted.mode",
         "what a sweep does not find is confirmed through get; add get"},
        {told == DELETED_FEED && !res->get.given, "deleted.mode", "what a feed names is read, to be sure; add get"},
        {told == DELETED_FEED && !res->deleted.list.given, "deleted.list", "missing; say where the deleted ids are"},
        {told != DELETED_FEED && res->deleted.list.given, "deleted.list", "only the mode feed reads it; remove it"},
        {told != DELETED_FEED && res->deleted.key, "deleted.key", "only the mode feed reads it; remove it"},
    };
    int rc = judge(r, res, "", rules, sizeof(rules) / sizeof(*rules));
    return rc == SL_OK && told == DELETED_FEED ? check_list(r, res, &res->deleted.list, "deleted.") : rc;
}

int resource_check(struct rest *r, const struct resource *res)
{
    int rc = check_list(r, res, &res->list, "");
    if (rc == SL_OK)
        rc = check_writes(r, res);
    return rc == SL_OK ? check_deletes(r, res) : rc;
}

bool about_resource(const struct rest *r, const char *name)
{
    for (uint32_t i = 0; i < r->webhook.n_about; i++)
        if (strcmp(r->webhook.about[i].name, name) == 0)
            return true;
    return false;
}

static bool there_is(const struct rest *r, const char *name)
{
    for (uint32_t i = 0; i < r->n_resources; i++)
        if (strcmp(r->resources[i].name, name) == 0)
            return true;
    return false;
}

static int check_about(struct rest *r)
{
    const struct webhook *w = &r->webhook;
    for (uint32_t i = 0; i < w->n_about; i++) {
        const struct condition *c = &w->about[i].when;
        if (!there_is(r, w->about[i].name))
            return refuse(r, SL_CONFIG, "webhook.about.%s: resources has no such name; give one that it has",
                          w->about[i].name);
        if (c->given && !c->header == !c->field)
            return refuse(r, SL_CONFIG, "webhook.about.%s.when: give either header or field, and eq", w->about[i].name);
    }
    return SL_OK;
}

int webhook_check(struct rest *r)
{
    const struct webhook *w = &r->webhook;
    const struct rule rules[] = {
        {w->signs == SIGNED_TIMESTAMP_BODY && !w->timestamp_header, "timestamp_header",
         "missing; say which header the time is in"},
        {w->signs == SIGNED_BODY && w->timestamp_header, "timestamp_header",
         "a time that is not signed proves nothing; set signed to timestamp+body or remove it"},
        {w->strip_pad && w->encoding == ENCODING_HEX, "strip_pad", "hex has no padding; remove it"},
        {w->window_s == 0, "window_s", "no delivery arrives in 0 s; use 1 or more"},
        {!w->key == !w->n_about, "key", "give either key, or about with a key for each resource"},
        {w->resource && w->n_about, "resource", "about names the resources; remove it"},
        {w->key && !w->resource && r->n_resources > 1, "resource", "missing; say which of the resources key is about"},
        {w->resource && !there_is(r, w->resource), "resource", "resources has no such name; give one that it has"},
    };
    const struct rule *bad = broken(rules, sizeof(rules) / sizeof(*rules));
    return bad ? refuse(r, SL_CONFIG, "webhook.%s: %s", bad->path, bad->says) : check_about(r);
}
