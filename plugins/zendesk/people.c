/* SPDX-License-Identifier: MIT */
/* people.c - users: who stands behind an id, the id behind a handle, and users as records of their own. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "zendesk.h"

static struct person *known(const struct desk *d, int64_t id)
{
    struct person *p = d->people;
    while (p && p->id != id)
        p = p->next;
    return p;
}

static struct person *remember(struct desk *d, int64_t id, const char *email, const char *name)
{
    struct person *p = known(d, id);
    if (!p) {
        p = sl_pool_take(&d->lasting, sizeof(*p));
        p->id = id;
        p->next = d->people;
        d->people = p;
    }
    if (!email || !p->handle || strcmp(p->handle, email) != 0)
        p->handle = email && *email ? sl_pool_dup(&d->lasting, email, strlen(email))
                                    : sl_pool_print(&d->lasting, "user:%" PRId64, id);
    if (name && !(p->name && strcmp(p->name, name) == 0))
        p->name = sl_pool_dup(&d->lasting, name, strlen(name));
    return p;
}

void people_take(struct desk *d, const struct object *answer)
{
    const char *at = NULL, *end = NULL;
    struct object one;
    int64_t id = 0;
    if (!doc_list(answer, "users", &at, &end))
        return;
    while (doc_next_object(d, &at, end, &one))
        if (doc_number(&one, "id", &id))
            remember(d, id, doc_text(&one, "email"), doc_text(&one, "name"));
}

const struct person *people_find(struct desk *d, int64_t id)
{
    const struct person *p = known(d, id);
    return p ? p : remember(d, id, NULL, NULL);
}

/* One request for those that are not known. */
static int ask_for(struct desk *d, const int64_t *ids, size_t n)
{
    struct sl_bytes list = {0};
    struct object o;
    for (size_t i = 0; i < n; i++)
        sl_bytes_text(&list, sl_pool_print(&d->call, "%s%" PRId64, i ? "," : "", ids[i]));
    int rc = ask_get(d, url_query(d, "/users/show_many", "ids", list.data), "reading who the users of tickets are", &o);
    sl_bytes_free(&list);
    if (rc != SL_OK)
        return rc;
    people_take(d, &o);
    for (size_t i = 0; i < n; i++)
        people_find(d, ids[i]); /* who is not in the answer is gone: not asked for again */
    return SL_OK;
}

int people_need(struct desk *d, const int64_t *ids, size_t n)
{
    int64_t missing[MANY];
    size_t n_missing = 0;
    int rc = SL_OK;
    for (size_t i = 0; i < n && rc == SL_OK; i++) {
        size_t k = 0;
        while (k < n_missing && missing[k] != ids[i])
            k++;
        if (ids[i] > 0 && k == n_missing && !known(d, ids[i]))
            missing[n_missing++] = ids[i];
        if (n_missing == MANY) {
            rc = ask_for(d, missing, n_missing);
            n_missing = 0;
        }
    }
    return rc == SL_OK && n_missing ? ask_for(d, missing, n_missing) : rc;
}

static int64_t by_handle(const struct desk *d, const char *handle)
{
    const struct person *p = d->people;
    while (p && strcasecmp(p->handle, handle) != 0)
        p = p->next;
    return p ? p->id : 0;
}

int people_id(struct desk *d, const char *handle, int64_t *id)
{
    struct object o;
    *id = strncmp(handle, "user:", 5) == 0 && number_good(handle + 5) ? strtoll(handle + 5, NULL, 10)
                                                                      : by_handle(d, handle);
    if (*id || strpbrk(handle, "\"\\") || !strchr(handle, '@'))
        return SL_OK;
    char *query = sl_pool_print(&d->call, "email:\"%s\"", handle);
    int rc = ask_get(d, url_query(d, "/users/search", "query", query), "looking for a user by e-mail address", &o);
    if (rc != SL_OK)
        return rc;
    /* It also finds addresses that are only like it. */
    people_take(d, &o);
    *id = by_handle(d, handle);
    return SL_OK;
}

/* --- as records --- */

bool user_read(struct desk *d, const struct object *o, struct sl_record *out, struct sl_pool *p)
{
    static const char *const members[] = {"name", "email", "active", "role", "external_id"};
    int64_t id = 0;
    const char *updated = doc_text(o, "updated_at");
    if (!doc_number(o, "id", &id))
        return false;
    (void)d;
    struct sl_value *fields = sl_pool_take(p, n_user_fields * sizeof(*fields));
    for (uint32_t i = 0; i < n_user_fields; i++) {
        const struct sl_value *v = doc_member(o, members[i]);
        fields[i] = v ? *v : (struct sl_value){.type = SL_NULL};
        fields[i].name = user_fields[i].name;
    }
    *out = (struct sl_record){.size = sizeof(*out),
                              .id = sl_pool_print(p, "%" PRId64, id),
                              .version = updated,
                              .label = doc_text(o, "name"),
                              .fields = fields,
                              .n_fields = n_user_fields,
                              .field_size = sizeof(*fields)};
    if (updated && stamp_read(updated, &out->modified_ms))
        out->modified_grain_ms = 1000;
    return true;
}

static int get_one(struct desk *d, const char *id)
{
    struct ask ask;
    struct object o, user;
    struct sl_record record;
    const struct sl_http_response *a = NULL;
    if (!number_good(id))
        return emit_gone(d, id); /* no user of Zendesk has such an id */
    ask_init(d, &ask, "GET", sl_pool_print(&d->call, "/users/%s", id));
    int rc = d->host->http(d->host->ctx, &ask.request, &a);
    if (rc != SL_OK)
        return rc;
    if (answer_not_found(d, a))
        return emit_gone(d, id);
    rc = answer_object(d, a, sl_pool_print(&d->call, "reading user %s", id), &o);
    if (rc != SL_OK)
        return rc;
    if (!doc_inner(d, &o, "user", &user) || !user_read(d, &user, &record, &d->call) || strcmp(record.id, id) != 0)
        return refuse(d, SL_BROKEN, "user %s: the answer does not hold this user; is there a proxy between?", id);
    struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_RECORD, .id = id, .record = &record};
    return d->host->emit(d->host->ctx, &item) ? SL_BROKEN : SL_OK;
}

int users_get(struct desk *d, const struct sl_get *get)
{
    int rc = SL_OK;
    for (uint32_t i = 0; i < get->n_ids && rc == SL_OK; i++)
        rc = get_one(d, get->ids[i]);
    return rc;
}
