/* SPDX-License-Identifier: MIT */
/* check_describe.c - checks of what a connector says of itself and its objects. */
#include <string.h>

#include "certify.h"
#include "plugin/loader.h"

enum { BATCH_MOST = 100000 };

static void table(struct trial *t)
{
    const struct sl_plugin *p = t->subject->plugin;
    if (!p->version || !*p->version || !p->summary || !*p->summary)
        wrong(t, "the table has no version or no summary");
    if (!(p->caps & (SL_CAP_COMPLETE | SL_CAP_DELTA)))
        wrong(t, "it declares neither complete listings nor deltas: nothing can be read from it");
}

static void options(struct trial *t)
{
    const struct sl_plugin *p = t->subject->plugin;
    for (uint32_t i = 0; i < p->n_options; i++) {
        struct sl_option o = plugin_option(p, i);
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(plugin_option(p, j).name, o.name) == 0)
                wrong(t, "option %s is there twice", o.name);
        if (!o.help || !*o.help)
            wrong(t, "option %s has no help", o.name);
        if (o.kind == SL_OPT_ENUM && (!o.values || !*o.values))
            wrong(t, "option %s allows no value", o.name);
        if (o.required && o.fallback)
            wrong(t, "option %s is required and has a default", o.name);
    }
}

static void objects(struct trial *t)
{
    struct object_info *list = NULL;
    if (session_describe(t->s, NULL, &t->a, &list, &t->e))
        wrong(t, "%s", t->e.text);
}

static bool same_object(const struct sl_object *x, const struct sl_object *y)
{
    bool same = x->caps == y->caps && x->n_fields == y->n_fields && x->id_rule == y->id_rule;
    for (uint32_t i = 0; same && i < x->n_fields; i++)
        same = strcmp(x->fields[i].name, y->fields[i].name) == 0 && x->fields[i].type == y->fields[i].type &&
               x->fields[i].flags == y->fields[i].flags;
    return same;
}

static void again(struct trial *t)
{
    struct object_info *one = NULL;
    if (session_describe(t->s, t->o.name, &t->a, &one, &t->e))
        wrong(t, "%s", t->e.text);
    else if (!same_object(&one->object, &t->o))
        wrong(t, "object %s is described in another way the second time", t->o.name);
}

static void caps(struct trial *t)
{
    if (can(t, SL_CAP_RESERVED_ID) && t->o.id_rule == SL_ID_SERVER)
        wrong(t, "it takes ids from the host, and its id rule says that the system assigns them");
    if (can(t, SL_CAP_CONDITIONAL) && !(t->o.caps & (SL_CAP_UPDATE | SL_CAP_DELETE)))
        wrong(t, "its writes are conditional, and it has neither update nor delete");
    if (can(t, SL_CAP_DELETE_FEED) && !can(t, SL_CAP_DELTA))
        wrong(t, "a delta reports every deletion, and it has no deltas");
    if (can(t, SL_CAP_IDEMPOTENT) && !can(t, SL_CAP_CREATE))
        wrong(t, "its creates are idempotent, and it has no create");
}

static void fields(struct trial *t)
{
    uint32_t n_writable = 0;
    for (uint32_t i = 0; i < t->o.n_fields; i++) {
        const struct sl_field *f = &t->o.fields[i];
        n_writable += (f->flags & SL_FIELD_WRITABLE) != 0;
        if ((f->flags & SL_FIELD_REQUIRED) && !(f->flags & (SL_FIELD_WRITABLE | SL_FIELD_KEY)))
            wrong(t, "field %s is required and cannot be written", f->name);
        if (f->type == SL_NULL)
            wrong(t, "field %s is described as always null", f->name);
    }
    if (can(t, SL_CAP_UPDATE) && !n_writable && !can(t, SL_CAP_OPEN_SCHEMA))
        wrong(t, "it has update, and no field that may be written");
}

static void enums(struct trial *t)
{
    for (uint32_t i = 0; i < t->o.n_fields; i++)
        for (uint32_t j = 0; j < t->o.fields[i].n_values; j++)
            for (uint32_t k = 0; k < j; k++)
                if (strcmp(t->o.fields[i].values[j], t->o.fields[i].values[k]) == 0)
                    wrong(t, "field %s lists %s twice", t->o.fields[i].name, t->o.fields[i].values[j]);
}

static void ids(struct trial *t)
{
    if (can(t, SL_CAP_RESERVED_ID) && t->o.id_rule == SL_ID_INTEGER && t->o.next_id <= 0)
        wrong(t, "next_id is %lld; the next free id is above 0", (long long)t->o.next_id);
    if (t->o.id_rule == SL_ID_NAME && (t->o.id_max_bytes == 0 || t->o.id_max_bytes > 1024))
        wrong(t, "id_max_bytes is %u; between 1 and 1024 is a name", t->o.id_max_bytes);
}

static void limits(struct trial *t)
{
    if (t->o.batch_max > BATCH_MOST)
        wrong(t, "batch_max is %u; more than %d in one call is no batch", t->o.batch_max, BATCH_MOST);
    if (can(t, SL_CAP_IDEMPOTENT) && !t->o.idempotency_ttl_s)
        wrong(t, "an idempotency key is remembered for 0 seconds");
}

static void unknown(struct trial *t)
{
    struct object_info *list = NULL;
    if (session_describe(t->s, "certify no such object", &t->a, &list, &t->e) == SL_OK && !t->subject->own)
        note(t, "any name is an object");
    if (t->e.code && strstr(t->e.text, "no reason"))
        wrong(t, "%s", t->e.text);
    err_clear(&t->e);
    objects(t);
}

const struct check checks_describe[] = {
    {"table.whole", "the table says who it is and can list", 0, OFFLINE, table},
    {"table.options", "its options are named once and explained", 0, OFFLINE, options},
    {"describe.objects", "objects and fields have valid names, none twice", 0, FOR_ALL, objects},
    {"describe.same", "an object is described alike alone and among all, and again", 0, FOR_ALL, again},
    {"describe.caps", "what the object can do fits together", 0, FOR_ALL, caps},
    {"describe.fields", "what is required may be written, and update has something to write", 0, FOR_ALL, fields},
    {"describe.enums", "no value of an enum is listed twice", 0, FOR_ALL, enums},
    {"describe.ids", "the id rule says what a create may be given", 0, FOR_ALL, ids},
    {"describe.limits", "batch size and key memory are usable", 0, FOR_ALL, limits},
    {"describe.unknown", "an object that is not there is refused with a reason", 0, FOR_ALL, unknown},
    {0},
};
