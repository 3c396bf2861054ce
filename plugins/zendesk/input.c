/* SPDX-License-Identifier: MIT */
/* input.c - the JSON of a ticket made from the fields of a write. */
#include <stdlib.h>
#include <string.h>

#include "zendesk.h"

/* The ticket being made. */
struct making {
    struct desk *d;
    const struct sl_write *w;
    struct sl_value *fields;
    uint32_t n;
    const struct sl_value *body, *title, *public;
    struct sl_bytes customs; /* the items of custom_fields */
    const char *why;
};

static struct sl_value *put(struct making *m, const char *member, uint32_t type)
{
    m->fields[m->n] = (struct sl_value){.name = member, .type = type};
    return &m->fields[m->n++];
}

static void put_text(struct making *m, const char *member, uint32_t type, const char *text)
{
    struct sl_value *v = put(m, member, type);
    v->text = text;
    v->text_size = strlen(text);
}

static void put_copy(struct making *m, const char *member, const struct sl_value *v)
{
    *put(m, member, v->type) = *v;
    m->fields[m->n - 1].name = member;
}

static int refused(struct making *m, const char *why)
{
    m->why = why;
    return SL_REJECTED;
}

static int put_word(struct making *m, const struct way_field *f, const struct sl_value *v)
{
    for (uint32_t i = 0; i < f->field.n_values; i++)
        if (strcmp(f->field.values[i], v->text) == 0) {
            put_text(m, f->member, SL_STRING, status_word(v->text, true));
            return SL_OK;
        }
    return refused(m, sl_pool_print(&m->d->call,
                                    "%s \"%.100s\" is none of Zendesk's; give the rule `values`, or an `otherwise`",
                                    f->field.name, v->text));
}

static int put_person(struct making *m, const struct way_field *f, const struct sl_value *v)
{
    int64_t id = 0;
    int rc = people_id(m->d, v->text, &id);
    if (rc != SL_OK)
        return rc;
    if (!id)
        return refused(m,
                       sl_pool_print(&m->d->call,
                                     "%s: nobody in Zendesk has the e-mail address %.200s; add the person to `users`, "
                                     "or there",
                                     f->field.name, v->text));
    put(m, f->member, SL_INT)->number = id;
    return SL_OK;
}

/* Noon, so that no time zone makes it another day. */
static void put_date(struct making *m, const char *member, const struct sl_value *v)
{
    const char *text = NULL;
    size_t n = 0;
    struct sl_value date = *v;
    date.name = "d";
    m->d->host->json_write(m->d->host->ctx, &date, 1, sizeof(date), 0, &text, &n);
    /* {"d":"2026-01-05"} */
    put_text(m, member, SL_STRING, sl_pool_print(&m->d->call, "%.10sT12:00:00Z", n > 16 ? text + 6 : ""));
}

static int put_known(struct making *m, const struct way_field *f, const struct sl_value *v)
{
    if (!(f->field.flags & SL_FIELD_WRITABLE) || (f->field.flags & SL_FIELD_CREATE_ONLY && m->w->kind != SL_CREATE))
        return refused(
            m, sl_pool_print(&m->d->call, "%s cannot be changed in Zendesk; give the rule a direction", f->field.name));
    if (f->way == WAY_BODY || f->way == WAY_PUBLIC) {
        *(f->way == WAY_BODY ? &m->body : &m->public) = v->type == SL_NULL ? NULL : v;
        return SL_OK;
    }
    if (f->way == WAY_TAGS && v->type == SL_NULL) {
        put_text(m, f->member, SL_JSON, "[]");
        return SL_OK;
    }
    if (v->type != SL_NULL && f->way == WAY_WORD)
        return put_word(m, f, v);
    if (v->type != SL_NULL && f->way == WAY_PERSON)
        return put_person(m, f, v);
    if (v->type == SL_DATE && f->way == WAY_DATE)
        put_date(m, f->member, v);
    else
        put_copy(m, f->member, v);
    if (strcmp(f->member, "subject") == 0 && v->type == SL_STRING)
        m->title = v;
    return SL_OK;
}

static int put_custom(struct making *m, const struct sl_value *v)
{
    const char *id = v->name + strlen("custom."), *text = NULL;
    size_t n = 0;
    if (!number_good(id))
        return refused(m, sl_pool_print(&m->d->call,
                                        "custom fields of Zendesk are named by their number: custom.360001, not %.100s",
                                        v->name));
    struct sl_value pair[2] = {{.name = "id", .type = SL_INT, .number = strtoll(id, NULL, 10)}, *v};
    pair[1].name = "value";
    if (m->d->host->json_write(m->d->host->ctx, pair, 2, sizeof(*pair), 0, &text, &n) != SL_OK)
        return refused(m, "its fields cannot be written as JSON; look at their values");
    sl_bytes_text(&m->customs, m->customs.size ? "," : "[");
    sl_bytes_add(&m->customs, text, n);
    return SL_OK;
}

/* By the label that agents see. */
static int put_own_status(struct making *m, const struct sl_value *v)
{
    int rc = account_learn(m->d);
    const struct own_status *s = m->d->statuses;
    if (rc != SL_OK || v->type == SL_NULL)
        return rc;
    while (s && strcmp(s->label, v->text) != 0)
        s = s->next;
    if (!s)
        return refused(m, sl_pool_print(&m->d->call,
                                        "custom_status \"%.100s\" is none of this account's; add it there, or map it",
                                        v->text));
    put(m, "custom_status_id", SL_INT)->number = s->id;
    return SL_OK;
}

static int put_field(struct making *m, const struct sl_value *v)
{
    for (uint32_t i = 0; i < n_ticket_fields; i++)
        if (strcmp(ticket_fields[i].field.name, v->name) == 0)
            return put_known(m, &ticket_fields[i], v);
    if (strncmp(v->name, "custom.", 7) == 0)
        return put_custom(m, v);
    if (strcmp(v->name, "custom_status") == 0)
        return put_own_status(m, v);
    return refused(
        m, sl_pool_print(&m->d->call, "tickets of Zendesk have no field %.100s; take it out of `fields`", v->name));
}

/* A ticket begins with a comment, which says by itself whether customers see it: else it goes out to them as a mail. */
static int put_first_comment(struct making *m)
{
    const char *text = NULL;
    size_t n = 0;
    const struct sl_value *body = m->body && m->body->text_size ? m->body : m->title;
    if (!body || !body->text_size)
        return refused(m, "a ticket of Zendesk begins with a text; map `body` or `title`");
    struct sl_value comment[2] = {*body, {.name = "public", .type = SL_BOOL, .number = m->public && m->public->number}};
    comment[0].name = "body";
    comment[0].type = SL_STRING;
    m->d->host->json_write(m->d->host->ctx, comment, 2, sizeof(*comment), 0, &text, &n);
    put_text(m, "comment", SL_JSON, sl_pool_dup(&m->d->call, text, n));
    return SL_OK;
}

/* Left out altogether where any version will do: even safe_update false would compare. */
static void put_stamp(struct making *m)
{
    const char *version = m->w->expected_version;
    if (!version || !*version)
        return;
    put(m, "safe_update", SL_BOOL)->number = 1;
    put_text(m, "updated_stamp", SL_STRING, sl_pool_dup(&m->d->call, version, strcspn(version, "/")));
}

static int make(struct making *m)
{
    int rc = SL_OK;
    for (uint32_t i = 0; i < m->w->n_fields && rc == SL_OK; i++)
        rc = put_field(m, sl_value_at(m->w->fields, m->w->field_size, i));
    if (rc == SL_OK && m->w->kind == SL_CREATE)
        rc = put_first_comment(m);
    if (rc != SL_OK)
        return rc;
    if (m->customs.size) {
        sl_bytes_text(&m->customs, "]");
        put_text(m, "custom_fields", SL_JSON, sl_pool_dup(&m->d->call, m->customs.data, m->customs.size));
    }
    if (m->w->kind == SL_CREATE && m->w->correlation)
        put_text(m, "external_id", SL_STRING, m->w->correlation);
    if (m->w->kind != SL_CREATE)
        put_stamp(m);
    return SL_OK;
}

int input_make(struct desk *d, const struct sl_write *w, struct input *out)
{
    struct making m = {.d = d, .w = w};
    const char *text = NULL;
    size_t n = 0;
    *out = (struct input){.n_bytes = 0};
    m.fields = sl_pool_take(&d->call, (w->n_fields + 6) * sizeof(*m.fields));
    int rc = make(&m);
    sl_bytes_free(&m.customs);
    if (rc == SL_OK && d->host->json_write(d->host->ctx, m.fields, m.n, sizeof(*m.fields), 0, &text, &n) != SL_OK)
        rc = refused(&m, "its fields cannot be written as JSON; look at their values");
    if (rc == SL_OK)
        *out = (struct input){.body = sl_pool_dup(&d->call, text, n), .n_bytes = n};
    out->why = m.why;
    return rc;
}
