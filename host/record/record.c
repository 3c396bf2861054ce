/* SPDX-License-Identifier: MIT */
/* record.c - records: copied, looked up, named for a person, and as JSON. */
#include "record/record.h"

#include <string.h>

#include "base/json.h"

static const struct sl_value *field_at(const struct sl_record *r, uint32_t i)
{
    return sl_value_at(r->fields, r->field_size, i);
}

struct sl_record *record_copy(struct arena *a, const struct sl_record *r)
{
    struct sl_record *copy = arena_alloc(a, sizeof(*copy));
    struct sl_value *fields = arena_alloc(a, r->n_fields * sizeof(*fields));
    memcpy(copy, r, r->size < sizeof(*copy) ? r->size : sizeof(*copy));
    for (uint32_t i = 0; i < r->n_fields; i++) {
        struct sl_value v = {0};
        memcpy(&v, field_at(r, i), r->field_size < sizeof(v) ? r->field_size : sizeof(v));
        fields[i] = value_copy(a, &v);
    }
    copy->size = sizeof(*copy);
    copy->id = arena_text(a, copy->id);
    copy->version = arena_text(a, copy->version);
    copy->label = arena_text(a, copy->label);
    copy->parent_id = arena_text(a, copy->parent_id);
    copy->correlation = arena_text(a, copy->correlation);
    copy->fields = fields;
    copy->field_size = sizeof(*fields);
    return copy;
}

const struct sl_value *record_field(const struct sl_record *r, const char *name)
{
    for (uint32_t i = 0; i < r->n_fields; i++) {
        const struct sl_value *v = field_at(r, i);
        if (v->name && strcmp(v->name, name) == 0)
            return v;
    }
    return NULL;
}

enum { LABEL_MAX_BYTES = 60 };

/* Cut and in one line: a label is a word in a sentence. */
static const char *short_label(struct arena *a, const char *text, size_t n_bytes)
{
    size_t size = n_bytes > LABEL_MAX_BYTES ? value_cut(text, LABEL_MAX_BYTES) : n_bytes;
    char *label = arena_dup(a, text, size);
    for (char *c = label; c < label + size; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = ' ';
    return label;
}

const char *record_label(struct arena *a, const struct sl_record *r)
{
    static const char *const names[] = {"title",        "name",   "subject", "summary",
                                        "display_name", "number", "key",     "email"};
    if (r->label && *r->label)
        return short_label(a, r->label, strlen(r->label));
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const struct sl_value *v = record_field(r, names[i]);
        if (v && (v->type == SL_STRING || v->type == SL_ENUM) && v->text_size)
            return short_label(a, v->text, v->text_size);
    }
    return r->id ? r->id : "";
}

void record_put_json(struct buf *out, const struct sl_record *r)
{
    buf_byte(out, '{');
    for (uint32_t i = 0; i < r->n_fields; i++) {
        const struct sl_value *v = field_at(r, i);
        if (v->type == SL_ABSENT || !v->name)
            continue;
        json_put_key(out, v->name);
        value_put_json(out, v);
    }
    buf_byte(out, '}');
}

struct sl_record *record_from_json(struct arena *a, const char *id, const struct json *node)
{
    struct sl_record *r = arena_alloc(a, sizeof(*r));
    struct sl_value *fields = arena_alloc(a, json_count(node) * sizeof(*fields));
    r->size = sizeof(*r);
    r->id = arena_text(a, id);
    r->fields = fields;
    r->field_size = sizeof(*fields);
    for (const struct json *child = json_first(node); child; child = json_next(child))
        fields[r->n_fields++] = value_from_json(a, json_key(child), child);
    return r;
}
