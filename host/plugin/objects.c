/* SPDX-License-Identifier: MIT */
/* objects.c - described objects, taken from structs of other sizes, checked and copied. */
#include <string.h>

#include "base/text.h"
#include "plugin/inside.h"

/* The low half of caps is what a connector can do; the high half what it reaches, said by the plugin alone. */
static const uint64_t can_do = 0xFFFFFFFFULL;

static bool copy_values(struct session *s, struct sl_field *f)
{
    if (!f->n_values)
        f->values = NULL;
    if (!f->values)
        f->n_values = 0;
    if (!items_stride(s, "an enum's values", f->values, f->n_values, sizeof(char *), sizeof(char *)))
        return false;
    const char **copy = arena_alloc(s->out, f->n_values * sizeof(*copy));
    for (uint32_t i = 0; i < f->n_values; i++) {
        if (!f->values[i]) {
            session_break(s, "field '%.80s' lists a value that is NULL", f->name);
            return false;
        }
        if (!items_text(s, "an enum's value", f->values[i], TEXT_MAX))
            return false;
        copy[i] = arena_text(s->out, f->values[i]);
    }
    f->values = f->n_values ? copy : NULL;
    return true;
}

static bool copy_field(struct session *s, struct sl_field *f)
{
    if (!f->name || !*f->name) {
        session_break(s, "a described field has no name");
        return false;
    }
    if (!items_text(s, "a field's name", f->name, TEXT_MAX) || !items_text(s, "a field's label", f->label, TEXT_MAX) ||
        !items_text(s, "a field's ref_object", f->ref_object, ID_MAX))
        return false;
    if (seen_again(&s->seen, hash64(f->name, strlen(f->name)))) {
        session_break(s, "field '%.*s' is described twice", clean_cut(f->name, 80), f->name);
        return false;
    }
    f->name = arena_text(s->out, f->name);
    f->label = arena_text(s->out, f->label);
    f->ref_object = arena_text(s->out, f->ref_object);
    if (f->type > SL_JSON)
        f->type = SL_ABSENT; /* a newer type: any; its values are refused where they come */
    return copy_values(s, f);
}

static bool copy_fields(struct session *s, struct sl_object *o)
{
    size_t size_1_0 = SIZE_1_0(struct sl_field, ref_object);
    if (!items_stride(s, "described fields", o->fields, o->n_fields, o->field_size, size_1_0))
        return false;
    struct sl_field *fields = arena_alloc(s->out, o->n_fields * sizeof(*fields));
    size_t kept = o->field_size < sizeof(*fields) ? o->field_size : sizeof(*fields);
    seen_begin(&s->seen, o->n_fields);
    for (uint32_t i = 0; i < o->n_fields; i++) {
        memcpy(&fields[i], (const char *)o->fields + (size_t)o->field_size * i, kept);
        if (!copy_field(s, &fields[i]))
            return false;
    }
    o->fields = o->n_fields ? fields : NULL;
    o->field_size = sizeof(*fields);
    return true;
}

/* An id rule that is unset or newer than this host leaves the ids to the system. */
static void narrow(struct session *s, struct sl_object *o)
{
    if (o->id_rule < SL_ID_SERVER || o->id_rule > SL_ID_INTEGER) {
        o->id_rule = SL_ID_SERVER;
        o->caps &= ~SL_CAP_RESERVED_ID;
    }
    o->caps &= s->plugin->caps & can_do;
}

static bool known(struct session *s, const char *name)
{
    for (struct object_info *i = s->first_object; i; i = i->next)
        if (strcmp(i->object.name, name) == 0)
            return true;
    return false;
}

struct object_info *objects_copy(struct session *s, const struct sl_object *theirs)
{
    struct object_info *info = arena_alloc(s->out, sizeof(*info));
    struct sl_object *o = &info->object;
    size_t size_1_0 = SIZE_1_0(struct sl_object, idempotency_ttl_s);
    if (!items_take(s, "an object", theirs, theirs->size, size_1_0, o, sizeof(*o)))
        return NULL;
    o->size = sizeof(*o);
    if (!items_id(s, "an object's name", o->name) || !items_text(s, "an object's model", o->model, ID_MAX) ||
        !items_text(s, "an object's parent_object", o->parent_object, ID_MAX))
        return NULL;
    if (s->object && strcmp(s->object, o->name) != 0)
        session_break(s, "object '%.*s' was asked for, '%.*s' described", clean_cut(s->object, 80), s->object,
                      clean_cut(o->name, 80), o->name);
    else if (known(s, o->name))
        session_break(s, "object '%.*s' is described twice", clean_cut(o->name, 80), o->name);
    o->name = arena_text(s->out, o->name);
    o->model = arena_text(s->out, o->model);
    o->parent_object = arena_text(s->out, o->parent_object);
    narrow(s, o);
    return !s->fault.code && copy_fields(s, o) ? info : NULL;
}
