/* SPDX-License-Identifier: MIT */
/* record.c - records: copied, looked up, named for a person, and as JSON. */
#include "record/record.h"

#include <string.h>
#include <strings.h>

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
        if (v->name && v->name[0] == name[0] && strcmp(v->name, name) == 0) /* mostly the first letter tells */
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

/* "Title", "ticket_title" and "TITLE" are all a title. */
static bool named_like(const char *name, const char *word)
{
    size_t n = strlen(name), size = strlen(word);
    if (n < size || strcasecmp(name + n - size, word) != 0)
        return false;
    return n == size || name[n - size - 1] == '_' || name[n - size - 1] == '.' || name[n - size - 1] == ' ';
}

static const struct sl_value *label_field(const struct sl_record *r, const char *word)
{
    const struct sl_value *like = NULL;
    for (uint32_t i = 0; i < r->n_fields; i++) {
        const struct sl_value *v = field_at(r, i);
        bool text = (v->type == SL_STRING || v->type == SL_ENUM) && v->text_size > 0;
        if (text && v->name && strcmp(v->name, word) == 0)
            return v;
        if (text && v->name && !like && named_like(v->name, word))
            like = v;
    }
    return like;
}

const char *record_label(struct arena *a, const struct sl_record *r)
{
    static const char *const words[] = {"title",  "name", "subject", "summary",  "display_name",
                                        "number", "key",  "email",   "username", "login"};
    if (r->label && *r->label)
        return short_label(a, r->label, strlen(r->label));
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        const struct sl_value *v = label_field(r, words[i]);
        if (v)
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
