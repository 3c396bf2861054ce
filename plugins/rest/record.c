/* SPDX-License-Identifier: MIT */
/* record.c - the JSON of one record made into a record: its id, version, times and typed fields. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rest.h"

/* The members of the record's object. */
struct object {
    const struct sl_value *fields;
    uint32_t n, size;
    const char *text;
    size_t n_bytes;
};

static struct sl_value member(struct rest *r, const struct object *o, const char *pointer)
{
    return pointer ? doc_in(r, o->fields, o->n, o->size, pointer) : (struct sl_value){.type = SL_ABSENT};
}

static bool take_id(struct rest *r, const struct resource *res, const struct object *o, struct told *out)
{
    char room[STAMP_ROOM];
    struct sl_value v = member(r, o, res->key);
    const char *id = doc_text(&v, room);
    out->id[0] = '\0';
    if (!id || !*id || strlen(id) >= sizeof(out->id)) {
        snprintf(out->why, sizeof(out->why), "%s: a record has no text or number at \"%s\"; correct resources.%s.key",
                 res->name, res->key, res->name);
        return false;
    }
    snprintf(out->id, sizeof(out->id), "%s", id);
    return true;
}

static void take_version(struct rest *r, const struct resource *res, const struct object *o, const char *etag,
                         struct told *out)
{
    char room[STAMP_ROOM];
    struct sl_value v = member(r, o, res->version.field);
    const char *text = doc_text(&v, room);
    out->version[0] = '\0';
    if (res->version.kind == VERSION_HASH) {
        snprintf(room, sizeof(room), "%016" PRIx64, doc_hash(o->text, o->n_bytes));
        text = room;
    } else if (res->version.kind == VERSION_ETAG && !res->version.field) {
        text = etag;
    }
    if (text && res->version.kind && strlen(text) < sizeof(out->version))
        snprintf(out->version, sizeof(out->version), "%s", text);
}

static void take_times(struct rest *r, const struct resource *res, const struct object *o, struct told *out)
{
    struct sl_value mark = member(r, o, res->list.since.field);
    struct sl_value version = member(r, o, res->version.kind == VERSION_TIMESTAMP ? res->version.field : NULL);
    uint32_t grain_ms = 0;
    int64_t ms = 0;
    out->mark_ms = stamp_of(&mark, &ms, &grain_ms) ? ms : 0;
    if (out->mark_ms || stamp_of(&version, &ms, &grain_ms)) {
        out->record.modified_ms = ms;
        out->record.modified_grain_ms = grain_ms;
    }
}

static bool is_deleted(struct rest *r, const struct resource *res, const struct object *o)
{
    if (!res->deleted.field)
        return false;
    struct sl_value v = member(r, o, res->deleted.field);
    if (res->deleted.eq.name)
        return doc_same(&v, &res->deleted.eq);
    return v.type != SL_ABSENT && v.type != SL_NULL && !(v.type == SL_BOOL && !v.number);
}

static bool same_scalar(const struct sl_value *x, const struct sl_value *y)
{
    return x->type == y->type && x->number == y->number && x->text_size == y->text_size &&
           (x->text_size == 0 || memcmp(x->text, y->text, x->text_size) == 0);
}

/* A list of scalars, each once; anything else stays the list it is. */
static void as_set(struct rest *r, struct sl_value *v)
{
    const char *at = v->text, *end = at + v->text_size, *item = NULL;
    size_t n = 0;
    uint32_t n_items = 0;
    if (v->type != SL_JSON || at[0] != '[')
        return;
    struct sl_value *items = sl_pool_take(&r->call, (v->text_size + 1) / 2 * sizeof(*items));
    while (sl_list_next(&at, end, &item, &n)) {
        struct sl_value one;
        uint32_t i = 0;
        if (!doc_read(r, item, n, &one, NULL) || one.type == SL_JSON || one.type == SL_NULL)
            return;
        one.name = NULL;
        while (i < n_items && !same_scalar(&items[i], &one))
            i++;
        if (i == n_items)
            items[n_items++] = one;
    }
    *v = (struct sl_value){
        .name = v->name, .type = SL_SET, .items = items, .n_items = n_items, .item_size = sizeof(*items)};
}

static void as_timestamp(struct rest *r, struct sl_value *v)
{
    int64_t ms = 0;
    uint32_t grain_ms = 0;
    (void)r;
    if (v->type == SL_STRING && stamp_read(v->text, &ms, &grain_ms))
        *v = (struct sl_value){.name = v->name, .type = SL_TIMESTAMP, .number = ms, .grain_ms = grain_ms};
}

static void as_date(struct rest *r, struct sl_value *v)
{
    int64_t days = 0;
    (void)r;
    if (v->type == SL_STRING && date_read(v->text, &days))
        *v = (struct sl_value){.name = v->name, .type = SL_DATE, .number = days};
}

static void as_enum(struct rest *r, struct sl_value *v)
{
    (void)r;
    if (v->type == SL_STRING)
        v->type = SL_ENUM;
}

static void as_decimal(struct rest *r, struct sl_value *v)
{
    char room[STAMP_ROOM];
    if (v->type != SL_INT)
        return;
    v->text_size = strlen(doc_text(v, room));
    v->text = sl_pool_dup(&r->call, room, v->text_size);
    v->type = SL_DECIMAL;
}

/* What is not of its type stays what it is: the host says so of that field. */
static void (*const conversions[])(struct rest *r, struct sl_value *v) = {
    [SL_SET] = as_set,   [SL_TIMESTAMP] = as_timestamp, [SL_DATE] = as_date,
    [SL_ENUM] = as_enum, [SL_DECIMAL] = as_decimal,     [SL_JSON] = NULL};

static void convert(struct rest *r, uint32_t type, struct sl_value *v)
{
    if (conversions[type])
        conversions[type](r, v);
}

static void take_fields(struct rest *r, const struct resource *res, const struct object *o, struct told *out)
{
    out->record.fields = o->fields;
    out->record.n_fields = o->n;
    out->record.field_size = o->size;
    if (!res->n_fields)
        return;
    if (res->n_fields > r->n_room) {
        r->values = sl_checked(realloc(r->values, res->n_fields * sizeof(*r->values)));
        r->n_room = res->n_fields;
    }
    out->record.fields = r->values;
    out->record.field_size = sizeof(*r->values);
    out->record.n_fields = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        const struct sl_value *v = sl_value_at(o->fields, o->size, i);
        for (uint32_t f = 0; f < res->n_fields; f++)
            if (strcmp(res->fields[f].name, v->name) == 0) {
                struct sl_value *to = &r->values[out->record.n_fields++];
                *to = *v;
                convert(r, res->fields[f].type, to);
            }
    }
}

bool record_read(struct rest *r, const struct resource *res, const char *text, size_t n_bytes, const char *etag,
                 struct told *out)
{
    struct object o = {.text = text, .n_bytes = n_bytes};
    const char *why = NULL;
    *out = (struct told){.record = {.size = sizeof(out->record)}};
    if (r->host->json_read(r->host->ctx, text, n_bytes, &o.fields, &o.n, &o.size, &why) != SL_OK) {
        snprintf(out->why, sizeof(out->why), "%s: a record cannot be read: %s", res->name, why ? why : "it is no JSON");
        return false;
    }
    if (!take_id(r, res, &o, out))
        return false;
    take_version(r, res, &o, etag, out);
    take_times(r, res, &o, out);
    out->deleted = is_deleted(r, res, &o);
    if (res->list.drop.given) {
        struct sl_value v = member(r, &o, res->list.drop.has);
        out->dropped = v.type != SL_ABSENT && v.type != SL_NULL;
    }
    char room[STAMP_ROOM];
    struct sl_value key = member(r, &o, res->external_key.field), label = member(r, &o, res->label);
    const char *correlation = doc_text(&key, room);
    out->record.correlation = correlation ? sl_pool_dup(&r->call, correlation, strlen(correlation)) : NULL;
    out->record.label = label.type == SL_STRING ? label.text : NULL;
    out->record.id = out->id;
    out->record.version = out->version;
    take_fields(r, res, &o, out);
    return true;
}
