/* SPDX-License-Identifier: MIT */
/* describe.c - the objects and their fields; the account's own fields and statuses, found live, where somebody asks for all. */
#include <inttypes.h>
#include <string.h>

#include "zendesk.h"

#define KEY_LIFE_S 7200u

const struct custom *custom_find(const struct desk *d, const char *id)
{
    const struct custom *c = d->customs;
    while (c && strcmp(c->id, id) != 0)
        c = c->next;
    return c;
}

static uint32_t custom_type(const char *type)
{
    static const struct {
        const char *theirs;
        uint32_t ours;
    } types[] = {{"checkbox", SL_BOOL}, {"date", SL_DATE},
                 {"integer", SL_INT},   {"decimal", SL_DECIMAL},
                 {"tagger", SL_ENUM},   {"multiselect", SL_SET},
                 {"text", SL_STRING},   {"textarea", SL_STRING},
                 {"regexp", SL_STRING}, {"partialcreditcard", SL_STRING},
                 {"lookup", SL_STRING}};
    for (size_t i = 0; type && i < sizeof(types) / sizeof(*types); i++)
        if (strcmp(types[i].theirs, type) == 0)
            return types[i].ours;
    return SL_ABSENT; /* one of the system's own: it has a name of its own here */
}

static void take_options(struct desk *d, const struct object *o, struct custom *c)
{
    const char *at = NULL, *end = NULL;
    struct object one;
    if (!doc_list(o, "custom_field_options", &at, &end))
        return;
    const char **values = sl_pool_take(&d->lasting, ((size_t)(end - at) / 2 + 1) * sizeof(*values));
    while (doc_next_object(d, &at, end, &one)) {
        const char *value = doc_text(&one, "value");
        if (value)
            values[c->n_values++] = sl_pool_dup(&d->lasting, value, strlen(value));
    }
    c->values = values;
}

static void take_custom(struct desk *d, const struct object *o)
{
    const struct sl_value *active = doc_member(o, "active");
    uint32_t type = custom_type(doc_text(o, "type"));
    const char *title = doc_text(o, "title");
    int64_t id = 0;
    if (type == SL_ABSENT || !doc_number(o, "id", &id) || (active && !active->number))
        return;
    struct custom *c = sl_pool_take(&d->lasting, sizeof(*c));
    c->id = sl_pool_print(&d->lasting, "%" PRId64, id);
    c->label = title ? sl_pool_dup(&d->lasting, title, strlen(title)) : NULL;
    c->type = type;
    if (type == SL_ENUM)
        take_options(d, o, c);
    c->next = d->customs;
    d->customs = c;
}

static void take_status(struct desk *d, const struct object *o)
{
    const char *label = doc_text(o, "agent_label");
    int64_t id = 0;
    if (!label || !doc_number(o, "id", &id))
        return;
    struct own_status *s = sl_pool_take(&d->lasting, sizeof(*s));
    *s = (struct own_status){d->statuses, id, sl_pool_dup(&d->lasting, label, strlen(label))};
    d->statuses = s;
}

static void take_all(struct desk *d, const struct object *o, const char *list,
                     void (*take)(struct desk *d, const struct object *o))
{
    const char *at = NULL, *end = NULL;
    struct object one;
    if (doc_list(o, list, &at, &end))
        while (doc_next_object(d, &at, end, &one))
            take(d, &one);
}

/* Not every plan has statuses of its own. */
static int learn_statuses(struct desk *d)
{
    struct ask ask;
    struct object o;
    const struct sl_http_response *a = NULL;
    ask_init(d, &ask, "GET", "/custom_statuses");
    int rc = d->host->http(d->host->ctx, &ask.request, &a);
    if (rc != SL_OK || (a->end == SL_HTTP_ANSWERED && (a->status == 403 || a->status == 404)))
        return rc;
    rc = answer_object(d, a, "reading the ticket statuses", &o);
    if (rc == SL_OK)
        take_all(d, &o, "custom_statuses", take_status);
    return rc;
}

int account_learn(struct desk *d)
{
    struct object o;
    if (d->learned)
        return SL_OK;
    int rc = ask_get(d, "/ticket_fields", "reading the ticket fields", &o);
    if (rc != SL_OK)
        return rc;
    take_all(d, &o, "ticket_fields", take_custom);
    rc = learn_statuses(d);
    d->learned = rc == SL_OK;
    return rc;
}

/* --- */

static uint32_t add_customs(struct desk *d, struct sl_field *out)
{
    uint32_t n = 0;
    for (const struct custom *c = d->customs; c; c = c->next)
        out[n++] = (struct sl_field){.name = sl_pool_print(&d->call, "custom.%s", c->id),
                                     .type = c->type,
                                     .flags = SL_FIELD_WRITABLE | SL_FIELD_CUSTOM,
                                     .label = c->label,
                                     .values = c->values,
                                     .n_values = c->n_values};
    return n;
}

static uint32_t add_own_status(struct desk *d, struct sl_field *out)
{
    uint32_t n = 0;
    for (const struct own_status *s = d->statuses; s; s = s->next)
        n++;
    const char **labels = sl_pool_take(&d->call, (n + 1) * sizeof(*labels));
    n = 0;
    for (const struct own_status *s = d->statuses; s; s = s->next)
        labels[n++] = s->label;
    *out = (struct sl_field){.name = "custom_status",
                             .type = SL_ENUM,
                             .flags = SL_FIELD_WRITABLE,
                             .label = "Status as agents see it",
                             .values = labels,
                             .n_values = n};
    return n > 0;
}

static int tell_tickets(struct desk *d)
{
    uint32_t n = 0, room = n_ticket_fields + 1;
    for (const struct custom *c = d->customs; c; c = c->next)
        room++;
    struct sl_field *fields = sl_pool_take(&d->call, room * sizeof(*fields));
    for (; n < n_ticket_fields; n++)
        fields[n] = ticket_fields[n].field;
    n += add_own_status(d, &fields[n]);
    n += add_customs(d, &fields[n]);
    struct sl_object o = {.size = sizeof(o),
                          .id_rule = SL_ID_SERVER,
                          .name = "tickets",
                          .model = "ticket",
                          .caps = SL_CAP_CREATE | SL_CAP_UPDATE | SL_CAP_DELETE | SL_CAP_DELTA | SL_CAP_COMPLETE |
                                  SL_CAP_DELETE_FEED | SL_CAP_GET | SL_CAP_FIND_CORRELATION | SL_CAP_IDEMPOTENT |
                                  SL_CAP_CONDITIONAL | SL_CAP_WEBHOOK,
                          .fields = fields,
                          .n_fields = n,
                          .field_size = sizeof(*fields),
                          .batch_max = MANY,
                          .late_ms = d->late_ms,
                          .index_lag_ms = d->index_lag_ms,
                          .idempotency_ttl_s = KEY_LIFE_S};
    return d->host->object(d->host->ctx, &o) ? SL_BROKEN : SL_OK;
}

static int tell_comments(struct desk *d)
{
    static const uint32_t once = SL_FIELD_WRITABLE | SL_FIELD_CREATE_ONLY;
    static const struct sl_field fields[] = {
        {.name = "body", .type = SL_STRING, .flags = once | SL_FIELD_REQUIRED, .max_bytes = BODY_MOST},
        {.name = "author", .type = SL_REF, .flags = once | SL_FIELD_EMAIL, .ref_object = "users"},
        {.name = "public", .type = SL_BOOL, .flags = once},
        {.name = "created_at", .type = SL_TIMESTAMP},
        {.name = "attachments", .type = SL_JSON},
        {.name = "author_name", .type = SL_STRING},
    };
    struct sl_object o = {.size = sizeof(o),
                          .id_rule = SL_ID_SERVER,
                          .name = "comments",
                          .model = "comment",
                          .caps = SL_CAP_CREATE | SL_CAP_COMPLETE | SL_CAP_GET | SL_CAP_FIND_CORRELATION,
                          .fields = fields,
                          .n_fields = sizeof(fields) / sizeof(*fields),
                          .field_size = sizeof(*fields),
                          .batch_max = MANY,
                          .late_ms = d->late_ms,
                          .parent_object = "tickets"};
    return d->host->object(d->host->ctx, &o) ? SL_BROKEN : SL_OK;
}

static int tell_users(struct desk *d)
{
    struct sl_object o = {.size = sizeof(o),
                          .id_rule = SL_ID_SERVER,
                          .name = "users",
                          .model = "user",
                          .caps = SL_CAP_DELTA | SL_CAP_COMPLETE | SL_CAP_GET,
                          .fields = user_fields,
                          .n_fields = n_user_fields,
                          .field_size = sizeof(*user_fields),
                          .index_lag_ms = d->index_lag_ms};
    return d->host->object(d->host->ctx, &o) ? SL_BROKEN : SL_OK;
}

/* A run asks for one object by name, and a run that finds nothing new is to cost one request: fields that must be asked for are told to
   whoever asks for all objects, or has checked the connection. */
int zendesk_describe(void *session, const char *object)
{
    struct desk *d = session;
    sl_pool_free(&d->call);
    enum object_kind kind = object ? object_kind(d, object) : TICKETS;
    int rc = SL_OK;
    if (!kind)
        return SL_CONFIG;
    if (!object || (d->checked && kind == TICKETS))
        rc = account_learn(d);
    if (rc == SL_OK && kind == TICKETS)
        rc = tell_tickets(d);
    if (rc == SL_OK && (!object || kind == COMMENTS))
        rc = tell_comments(d);
    if (rc == SL_OK && (!object || kind == USERS))
        rc = tell_users(d);
    return rc;
}
