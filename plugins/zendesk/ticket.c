/* SPDX-License-Identifier: MIT */
/* ticket.c - the JSON of a ticket made into a record. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "zendesk.h"

static void set_text(struct sl_value *v, uint32_t type, const char *text)
{
    v->type = text ? type : SL_NULL;
    v->text = text;
    v->text_size = text ? strlen(text) : 0;
}

/* Each once, whatever stands there twice. */
static void as_set(struct desk *d, struct sl_value *v)
{
    const char *at = v->text, *end = at + v->text_size, *item = NULL;
    size_t n_bytes = 0;
    uint32_t n = 0;
    struct sl_value one, *items = sl_pool_take(&d->call, (v->text_size / 2 + 1) * sizeof(*items));
    while (sl_list_next(&at, end, &item, &n_bytes)) {
        uint32_t i = 0;
        if (!doc_value(d, item, n_bytes, &one) || one.type != SL_STRING)
            continue;
        one.name = NULL;
        while (i < n && strcmp(items[i].text, one.text) != 0)
            i++;
        items[i] = one;
        n += i == n;
    }
    *v = (struct sl_value){.name = v->name, .type = SL_SET, .items = items, .n_items = n, .item_size = sizeof(*items)};
}

/* The API's addresses lead to JSON; a person wants the page. */
static const char *page_of(struct desk *d, const char *url, const char *id)
{
    const char *path = strstr(url, "/api/v2/tickets/");
    return path ? sl_pool_print(&d->call, "%.*s/agent/tickets/%s", (int)(path - url), url, id) : url;
}

/* What is there turned into what the field is; v is a copy of the member. */
static void convert(struct desk *d, const struct way_field *f, const char *id, struct sl_value *v)
{
    int64_t n = 0;
    const struct person *who = NULL;
    switch (f->way) {
    case WAY_WORD:
        if (v->type == SL_STRING)
            set_text(v, SL_ENUM, status_word(v->text, false));
        break;
    case WAY_PERSON:
    case WAY_NAME:
        who = people_find(d, v->number);
        set_text(v, f->way == WAY_NAME ? SL_STRING : SL_REF, f->way == WAY_NAME ? who->name : who->handle);
        v->object = f->way == WAY_NAME ? NULL : "users";
        break;
    case WAY_TIME:
        if (v->type == SL_STRING && stamp_read(v->text, &n))
            *v = (struct sl_value){.name = v->name, .type = SL_TIMESTAMP, .number = n, .grain_ms = 1000};
        break;
    case WAY_DATE:
        if (v->type == SL_STRING && date_read(v->text, &n))
            *v = (struct sl_value){.name = v->name, .type = SL_DATE, .number = n};
        break;
    case WAY_TAGS:
        if (v->type == SL_JSON && v->text[0] == '[')
            as_set(d, v);
        break;
    case WAY_URL:
        if (v->type == SL_STRING)
            set_text(v, SL_STRING, page_of(d, v->text, id));
        break;
    default:
        break;
    }
}

static const struct sl_value *member_or_null(const struct object *o, const char *name)
{
    for (uint32_t i = 0; i < o->n; i++)
        if (strcmp(sl_value_at(o->fields, o->size, i)->name, name) == 0)
            return sl_value_at(o->fields, o->size, i);
    return NULL;
}

/* --- custom fields --- */

/* Numbers may come as text. */
static void as_number(struct desk *d, uint32_t type, struct sl_value *v)
{
    struct sl_value read;
    if (v->type == SL_STRING && doc_value(d, v->text, v->text_size, &read) &&
        (read.type == SL_INT || read.type == SL_DECIMAL)) {
        read.name = v->name;
        *v = read;
    }
    if (type == SL_DECIMAL && v->type == SL_INT)
        set_text(v, SL_DECIMAL, sl_pool_print(&d->call, "%" PRId64, v->number));
}

static void convert_custom(struct desk *d, uint32_t type, struct sl_value *v)
{
    int64_t days = 0;
    if (v->type == SL_JSON && v->text[0] == '[')
        as_set(d, v);
    else if (type == SL_ENUM && v->type == SL_STRING)
        v->type = SL_ENUM;
    else if (type == SL_DATE && v->type == SL_STRING && date_read(v->text, &days))
        *v = (struct sl_value){.name = v->name, .type = SL_DATE, .number = days};
    else if (type == SL_INT || type == SL_DECIMAL)
        as_number(d, type, v);
}

static uint32_t take_customs(struct desk *d, const struct object *o, struct sl_value *out)
{
    const char *at = NULL, *end = NULL;
    struct object one;
    int64_t id = 0;
    uint32_t n = 0;
    if (!doc_list(o, "custom_fields", &at, &end))
        return 0;
    while (doc_next_object(d, &at, end, &one)) {
        const struct sl_value *v = member_or_null(&one, "value");
        if (!v || !doc_number(&one, "id", &id))
            continue;
        char *name = sl_pool_print(&d->call, "custom.%" PRId64, id);
        const struct custom *c = custom_find(d, name + strlen("custom."));
        out[n] = *v;
        out[n].name = name;
        convert_custom(d, c ? c->type : SL_ABSENT, &out[n++]);
    }
    return n;
}

static uint32_t count_customs(const struct object *o)
{
    const char *at = NULL, *end = NULL, *item = NULL;
    size_t n_bytes = 0;
    uint32_t n = 0;
    if (doc_list(o, "custom_fields", &at, &end))
        while (sl_list_next(&at, end, &item, &n_bytes))
            n++;
    return n;
}

/* The label of an own status; only where they are known. */
static uint32_t take_own_status(struct desk *d, const struct object *o, struct sl_value *out)
{
    int64_t id = 0;
    const struct own_status *s = d->statuses;
    if (!s || !doc_number(o, "custom_status_id", &id))
        return 0;
    while (s && s->id != id)
        s = s->next;
    *out = (struct sl_value){.name = "custom_status"};
    set_text(out, SL_ENUM, s ? s->label : NULL);
    return 1;
}

/* --- */

int64_t ticket_person(const struct object *o, int i)
{
    static const char *const members[] = {"assignee_id", "requester_id"};
    int64_t id = 0;
    if (i < 0 || i >= (int)(sizeof(members) / sizeof(*members)))
        return -1;
    return doc_number(o, members[i], &id) ? id : 0;
}

/* What the members are that a version is of: those that every answer has, whichever request it is to. */
static uint64_t hash_of(struct desk *d, const struct object *o)
{
    struct sl_value *all = sl_pool_take(&d->call, (n_ticket_fields + 1) * sizeof(*all));
    const struct sl_value *customs = member_or_null(o, "custom_fields");
    const char *text = "";
    size_t n_bytes = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_ticket_fields; i++) {
        const struct sl_value *v = member_or_null(o, ticket_fields[i].member);
        bool twice = ticket_fields[i].way == WAY_NAME;
        if (v && !twice && (ticket_fields[i].field.flags & SL_FIELD_WRITABLE))
            all[n++] = *v;
    }
    if (customs)
        all[n++] = *customs;
    d->host->json_write(d->host->ctx, all, n, sizeof(*all), 0, &text, &n_bytes);
    return doc_hash(0, text);
}

/*
 * updated_at/hash/comments. The time alone, of whole seconds, does not tell two changes of one second apart: the content does. Nor does
 * it tell of two comments: their number does, where the answer has it.
 */
static void take_version(struct desk *d, const struct object *o, struct told *out)
{
    const char *updated = doc_text(o, "updated_at");
    int64_t count = 0;
    out->version[0] = '\0';
    if (updated)
        snprintf(out->version, sizeof(out->version), "%.40s/%016" PRIx64, updated, hash_of(d, o));
    size_t n = strlen(out->version);
    if (updated && doc_number(o, "comment_count", &count))
        snprintf(out->version + n, sizeof(out->version) - n, "/%" PRId64, count);
    out->record.version = out->version;
    if (updated && stamp_read(updated, &out->record.modified_ms))
        out->record.modified_grain_ms = 1000;
    const char *created = doc_text(o, "created_at");
    if (created)
        stamp_read(created, &out->record.created_ms);
}

bool version_same(const char *x, const char *y)
{
    size_t n_x = strcspn(x, "/"), n_y = strcspn(y, "/");
    n_x += x[n_x] ? 1 + strcspn(x + n_x + 1, "/") : 0;
    n_y += y[n_y] ? 1 + strcspn(y + n_y + 1, "/") : 0;
    return n_x == n_y && memcmp(x, y, n_x) == 0;
}

bool ticket_read(struct desk *d, const struct object *o, struct told *out)
{
    int64_t id = 0;
    const char *status = doc_text(o, "status");
    *out = (struct told){.record = {.size = sizeof(out->record)}};
    if (!doc_number(o, "id", &id))
        return false;
    snprintf(out->id, sizeof(out->id), "%" PRId64, id);
    out->record.id = out->id;
    out->deleted = status && strcmp(status, "deleted") == 0;
    take_version(d, o, out);
    out->record.label = doc_text(o, "subject");
    out->record.correlation = doc_text(o, "external_id");
    struct sl_value *fields = sl_pool_take(&d->call, (n_ticket_fields + 1 + count_customs(o)) * sizeof(*fields));
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_ticket_fields; i++) {
        const struct sl_value *v = member_or_null(o, ticket_fields[i].member);
        if (!v)
            continue;
        fields[n] = *v;
        fields[n].name = ticket_fields[i].field.name;
        if (v->type != SL_NULL)
            convert(d, &ticket_fields[i], out->id, &fields[n]);
        n++;
    }
    n += take_own_status(d, o, &fields[n]);
    n += take_customs(d, o, &fields[n]);
    out->record.fields = fields;
    out->record.n_fields = n;
    out->record.field_size = sizeof(*fields);
    return true;
}
