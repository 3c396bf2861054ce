/* SPDX-License-Identifier: MIT */
/* make.c - records to work on: ids that are free, fields that may be written, values of every type. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "certify.h"

static struct sl_value text_value(const char *name, uint32_t type, const char *text)
{
    return (struct sl_value){.name = name, .type = type, .text = text, .text_size = strlen(text)};
}

static struct sl_value one_of(const struct sl_field *f, uint32_t k)
{
    return f->n_values ? text_value(f->name, SL_ENUM, f->values[k % f->n_values]) : text_value(f->name, SL_ENUM, "a");
}

static struct sl_value set_of(struct trial *t, const char *name, uint32_t k)
{
    struct sl_value *items = arena_alloc(&t->a, 2 * sizeof *items);
    items[0] = text_value(NULL, SL_STRING, "red");
    items[1] = text_value(NULL, SL_STRING, arena_printf(&t->a, "no%u", k));
    return (struct sl_value){.name = name, .type = SL_SET, .items = items, .n_items = 2, .item_size = sizeof *items};
}

/* A reference cannot be made up: one that a record has serves again. */
static struct sl_value reference(struct trial *t, const struct sl_field *f)
{
    struct listing l;
    list_all(t, &l);
    for (uint32_t i = 0; i < l.n; i++) {
        const struct sl_value *v = l.items[i].record ? record_field(l.items[i].record, f->name) : NULL;
        if (v && v->type == SL_REF)
            return value_copy(&t->a, v);
    }
    return value_null(f->name);
}

/* A plain value, another for each k, of the same length for k from 1000 to 9999. */
struct sl_value sample(struct trial *t, const struct sl_field *f, uint32_t k)
{
    switch (f->type) {
    case SL_BOOL:
        return value_bool(f->name, k % 2);
    case SL_INT:
        return value_int(f->name, k);
    case SL_DECIMAL:
        return text_value(f->name, SL_DECIMAL, arena_printf(&t->a, "%u.5", k));
    case SL_DATE:
        return (struct sl_value){.name = f->name, .type = SL_DATE, .number = 10000 + k};
    case SL_TIMESTAMP:
        return (struct sl_value){
            .name = f->name, .type = SL_TIMESTAMP, .grain_ms = 1000, .number = 1700000000000 + (int64_t)k * 1000};
    case SL_ENUM:
        return one_of(f, k);
    case SL_REF:
        return reference(t, f);
    case SL_SET:
        return set_of(t, f->name, k);
    case SL_JSON:
        return text_value(f->name, SL_JSON, arena_printf(&t->a, "{\"k\":%u}", k));
    default:
        return value_string(f->name, arena_printf(&t->a, "certify %u", k));
    }
}

static bool writable(const struct sl_field *f)
{
    return (f->flags & SL_FIELD_WRITABLE) && !(f->flags & (SL_FIELD_KEY | SL_FIELD_CREATE_ONLY | SL_FIELD_UNIQUE));
}

/* Texts first, then what has many values, never a reference. */
struct sl_field main_field(struct trial *t, uint32_t i)
{
    static const uint32_t order[] = {SL_STRING, SL_ABSENT, SL_INT, SL_DECIMAL, SL_DATE, SL_TIMESTAMP, SL_JSON, SL_SET};
    for (size_t k = 0; k < sizeof order / sizeof *order; k++)
        for (uint32_t j = 0; j < t->o.n_fields; j++)
            if (t->o.fields[j].type == order[k] && writable(&t->o.fields[j]) && i-- == 0)
                return t->o.fields[j];
    if (!can(t, SL_CAP_OPEN_SCHEMA) || i > 2)
        return (struct sl_field){0};
    return (struct sl_field){.name = arena_printf(&t->a, "certify_%c", (char)('a' + i)), .flags = SL_FIELD_WRITABLE};
}

struct sl_field field_for(struct trial *t, const struct sl_value *v)
{
    uint32_t wanted[] = {v->type, SL_ABSENT};
    for (int k = 0; k < 2; k++)
        for (uint32_t j = 0; j < t->o.n_fields; j++)
            if (t->o.fields[j].type == wanted[k] && writable(&t->o.fields[j]) &&
                (!t->o.fields[j].max_bytes || v->text_size <= t->o.fields[j].max_bytes))
                return t->o.fields[j];
    if (!can(t, SL_CAP_OPEN_SCHEMA))
        return (struct sl_field){0};
    return (struct sl_field){.name = "certify_v", .flags = SL_FIELD_WRITABLE};
}

const char *fresh_id(struct trial *t)
{
    char id[64];
    t->n_made++;
    if (t->o.id_rule == SL_ID_INTEGER)
        snprintf(id, sizeof id, "%lld", (long long)t->o.next_id + t->n_made);
    else
        snprintf(id, sizeof id, "certify-%d-%u", (int)getpid(), t->n_made);
    return arena_text(&t->a, id);
}

void made(struct trial *t, const char *id)
{
    if (t->n_kept < sizeof t->made / sizeof *t->made)
        t->made[t->n_kept++] = id;
}

static void add(struct sl_value *fields, uint32_t *n, struct sl_value v)
{
    for (uint32_t i = 0; i < *n; i++)
        if (strcmp(fields[i].name, v.name) == 0)
            return;
    fields[(*n)++] = v;
}

static const char *random_text(struct trial *t, size_t n_bytes, bool hex)
{
    uint8_t bytes[16];
    char text[33];
    random_bytes(bytes, sizeof bytes);
    if (hex)
        hex_encode(bytes, n_bytes, text);
    else
        ulid_make(clock_now_ms(), bytes, text);
    return arena_text(&t->a, text);
}

/* The value given first (NULL: none), two plain fields, and every field that a create needs. */
struct sl_write create_with(struct trial *t, uint32_t k, const struct sl_value *v)
{
    struct sl_value *fields = arena_alloc(&t->a, (t->o.n_fields + 4) * sizeof *fields);
    uint32_t n = 0;
    if (v)
        add(fields, &n, *v);
    for (uint32_t i = 0; i < 2; i++) {
        struct sl_field f = main_field(t, i);
        if (f.name)
            add(fields, &n, sample(t, &f, k + i));
    }
    for (uint32_t i = 0; i < t->o.n_fields; i++) {
        const struct sl_field *f = &t->o.fields[i];
        if ((f->flags & SL_FIELD_REQUIRED) && (f->flags & SL_FIELD_WRITABLE) && !(f->flags & SL_FIELD_KEY))
            add(fields, &n, sample(t, f, k));
    }
    struct sl_write w = {.kind = SL_CREATE, .fields = fields, .n_fields = n, .field_size = sizeof *fields};
    w.id = can(t, SL_CAP_RESERVED_ID) ? fresh_id(t) : NULL;
    w.correlation = random_text(t, 16, true);
    w.idempotency_key = random_text(t, 10, false);
    return w;
}

struct sl_write create_of(struct trial *t, uint32_t k)
{
    return create_with(t, k, NULL);
}

struct sl_write plain(int kind, const char *id)
{
    return (struct sl_write){.kind = (uint32_t)kind, .id = id, .field_size = sizeof(struct sl_value)};
}

struct sl_write update_of(struct trial *t, const char *id, struct sl_value v)
{
    struct sl_write w = plain(SL_UPDATE, id);
    struct sl_value *field = arena_alloc(&t->a, sizeof *field);
    *field = v;
    w.fields = field;
    w.n_fields = 1;
    return w;
}

const char *result_name(const struct write_outcome *o)
{
    if (o->result == SL_NOT_APPLIED)
        return class_name(o->error_class);
    return o->result == SL_APPLIED ? "applied" : "uncertain";
}

bool applied(struct trial *t, const struct write_outcome *o, const char *what)
{
    if (o->result != SL_APPLIED)
        wrong(t, "%s: %s (%s)", what, result_name(o), o->message ? o->message : "no reason given");
    return !done(t);
}

bool refused(struct trial *t, const struct write_outcome *o, int error_class, const char *what)
{
    if (o->result != SL_NOT_APPLIED || (error_class && o->error_class != error_class))
        wrong(t, "%s: %s, where %s was to be said", what, result_name(o),
              error_class ? class_name(error_class) : "a refusal");
    return !done(t);
}

void make_many(struct trial *t, uint32_t n, const char **ids)
{
    struct sl_write *writes = arena_alloc(&t->a, n * sizeof *writes);
    for (uint32_t i = 0; i < n; i++)
        writes[i] = create_of(t, 1000 + i);
    for (uint32_t at = 0; at < n;) {
        uint32_t max = t->o.batch_max ? t->o.batch_max : 100, some = n - at < max ? n - at : max;
        const struct write_outcome *o = write_many(t, writes + at, some);
        for (uint32_t i = 0; i < some; i++, at++) {
            if (!applied(t, &o[i], "create"))
                return;
            ids[at] = o[i].record ? o[i].record->id : writes[at].id;
            if (!ids[at])
                wrong(t, "create: applied, but neither id nor record is told");
        }
    }
    settle(t);
}

const char *make_one(struct trial *t, uint32_t k)
{
    struct sl_write w = create_of(t, k);
    struct write_outcome o = write_one(t, &w);
    if (!applied(t, &o, "create"))
        return NULL;
    const char *id = o.record ? o.record->id : w.id;
    if (!id)
        wrong(t, "create: applied, but neither id nor record is told");
    settle(t);
    return id;
}

const char *some_id(struct trial *t)
{
    struct listing l;
    if (can(t, SL_CAP_CREATE))
        return make_one(t, 1000);
    list_all(t, &l);
    for (uint32_t i = 0; i < l.n; i++)
        if (l.items[i].kind == SL_ITEM_RECORD || l.items[i].kind == SL_ITEM_STUB)
            return l.items[i].id;
    left_out(t, "the collection is empty, and no record can be created");
    return NULL;
}

bool value_kept(struct arena *a, const struct sl_value *sent, const struct sl_value *held)
{
    struct sl_value same;
    struct err ignored = {0};
    if (!held || held->type == SL_ABSENT)
        return sent->type == SL_NULL;
    if (value_same(sent, held) || value_equal(sent, held))
        return true;
    if (sent->type == SL_NULL || held->type == SL_NULL)
        return false;
    return value_convert(a, held, sent->type, &same, &ignored) == 0 && value_equal(sent, &same);
}

/* But for one field (NULL: for none). */
bool records_same(const struct sl_record *x, const struct sl_record *y, const char *but, const char **field)
{
    for (uint32_t i = 0; i < x->n_fields; i++) {
        const struct sl_value *v = sl_value_at(x->fields, x->field_size, i);
        const struct sl_value *held = record_field(y, v->name);
        if ((but && strcmp(v->name, but) == 0) || v->type == SL_ABSENT)
            continue;
        *field = v->name;
        if (!held || !value_same(v, held))
            return false;
    }
    return true;
}

bool versions_differ(const char *x, const char *y)
{
    return x && y && *x && *y && strcmp(x, y) != 0;
}

uint32_t most(const struct trial *t, uint32_t n)
{
    uint32_t room = t->subject->own ? t->subject->own->most : 0;
    return room && n > room ? room : n;
}
