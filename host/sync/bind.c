/* SPDX-License-Identifier: MIT */
/* bind.c - describes both sides of a pair and resolves its field rules against their schemas. */
#include <string.h>

#include "sync/engine.h"

static const struct sl_field *field_at(const struct sl_object *o, uint32_t i)
{
    return (const struct sl_field *)(const void *)((const char *)o->fields + (size_t)o->field_size * i);
}

const struct sl_field *bind_field_of(const struct sl_object *o, const char *name)
{
    for (uint32_t i = 0; name && i < o->n_fields; i++)
        if (strcmp(field_at(o, i)->name, name) == 0)
            return field_at(o, i);
    return NULL;
}

/* Does a rule name a field that is not listed? Where the config gives none, those there are the engine's own, of an earlier run, and gone with it. */
static bool names_more(const struct engine *g, int s, const struct sl_object *o)
{
    const struct map *map = &g->pair->map;
    bool more = false, looks = g->pair->fields_given && !(o->caps & SL_CAP_OPEN_SCHEMA);
    for (size_t i = 0; looks && i < map->n_rules; i++)
        more = more || (map->rules[i].field[s] && !bind_field_of(o, map->rules[i].field[s]));
    return more;
}

static int describe_side(struct engine *g, int s)
{
    struct object_info *list = NULL;
    const struct conf_side *side = &g->pair->side[s];
    int rc = session_describe(g->env->session[s], side->object, &g->lasting, &list, g->e);
    struct object_info *whole = NULL;
    if (rc == SL_OK && list && names_more(g, s, &list->object))
        rc = session_describe_whole(g->env->session[s], side->object, &g->lasting, &whole, g->e);
    list = whole ? whole : list;
    if (rc)
        return class_err(rc);
    if (!list)
        return err_set(g->e, ERR_CONFIG, "%s: has no object '%s'; see `syncline plugins %s`",
                       side->connection ? side->connection : "side", side->object,
                       session_plugin(g->env->session[s])->name);
    g->object[s] = list;
    g->caps[s] = list->object.caps;
    return 0;
}

/* A rule names a field: the schema must have it, writable where it is written. */
static int bind_field(struct engine *g, struct rule *r, int s)
{
    const struct sl_object *o = &g->object[s]->object;
    const struct sl_field *f = bind_field_of(o, r->field[s]);
    if (!r->field[s] || ((o->caps & SL_CAP_OPEN_SCHEMA) && !f))
        return 0;
    if (!f)
        return err_set(g->e, ERR_CONFIG, "pairs.%s: %s '%s' has no field '%s'; see `syncline plugins %s`",
                       g->pair->name, s ? "b" : "a", o->name, r->field[s], session_plugin(g->env->session[s])->name);
    r->type[s] = f->type;
    if (r->to[s] && !(f->flags & SL_FIELD_WRITABLE))
        return err_set(g->e, ERR_CONFIG, "pairs.%s: field '%s' of side %s cannot be written; give the rule a direction",
                       g->pair->name, r->field[s], s ? "b" : "a");
    return 0;
}

/* A value map must know every value the connectors list; a rule that does not is refused with the values named. */
static int check_values(struct engine *g, const struct rule *r)
{
    const char *const *enums[2] = {NULL, NULL};
    uint32_t n[2] = {0, 0};
    struct buf problems = {0};
    for (int s = 0; s < 2; s++) {
        const struct sl_field *f = bind_field_of(&g->object[s]->object, r->field[s]);
        if (f && f->type == SL_ENUM) {
            enums[s] = f->values;
            n[s] = f->n_values;
        }
    }
    if (r->n_values && map_check_values(r, enums, n, &problems)) {
        problems.data[problems.size - 1] =
            problems.data[problems.size - 1] == '\n' ? 0 : problems.data[problems.size - 1];
        err_set(g->e, ERR_CONFIG, "pairs.%s: field '%s': %s", g->pair->name, r->field[0] ? r->field[0] : r->field[1],
                problems.data);
    }
    buf_fini(&problems);
    return g->e->code;
}

static bool omitted_both(const struct sl_field *f)
{
    return (f->flags & SL_FIELD_KEY) || !(f->flags & SL_FIELD_WRITABLE);
}

static void add_same_named(struct engine *g, size_t *n, const char *name)
{
    struct rule *r = &g->rules[(*n)++];
    *r = g->pair->map.open_rule;
    for (int s = 0; s < 2; s++) {
        const struct sl_field *f = bind_field_of(&g->object[s]->object, name);
        r->field[s] = name;
        r->type[s] = f ? f->type : SL_ABSENT;
    }
}

/* No fields in the config: those both sides have under one name; a side without a schema takes the other's names. */
static size_t bind_omitted(struct engine *g)
{
    const struct sl_object *o[2] = {&g->object[0]->object, &g->object[1]->object};
    size_t n = 0;
    int from = o[0]->n_fields && !(o[0]->caps & SL_CAP_OPEN_SCHEMA) ? 0 : 1;
    g->rules = arena_alloc(&g->lasting, (o[from]->n_fields + 1) * sizeof *g->rules);
    for (uint32_t i = 0; i < o[from]->n_fields; i++) {
        const struct sl_field *f = field_at(o[from], i);
        const struct sl_field *other = bind_field_of(o[1 - from], f->name);
        bool there = other ? !omitted_both(other) : (o[1 - from]->caps & SL_CAP_OPEN_SCHEMA) != 0;
        if (!omitted_both(f) && there)
            add_same_named(g, &n, f->name);
    }
    return n;
}

static bool is_open(const struct sl_object *o)
{
    return (o->caps & SL_CAP_OPEN_SCHEMA) != 0;
}

static const char *key_field(const struct sl_object *o)
{
    for (uint32_t i = 0; i < o->n_fields; i++)
        if (field_at(o, i)->flags & SL_FIELD_KEY)
            return field_at(o, i)->name;
    return NULL;
}

int engine_bind(struct engine *g)
{
    for (int s = 0; s < 2; s++)
        if (describe_side(g, s) || bind_family(g, s))
            return g->e->code;
    struct map *map = (struct map *)(uintptr_t)&g->pair->map;
    for (int s = 0; s < 2; s++)
        map->open_skip[s] = key_field(&g->object[s]->object);
    if (!g->pair->fields_given && is_open(&g->object[0]->object) && is_open(&g->object[1]->object)) {
        map->open = true;
        return 0;
    }
    if (!g->pair->fields_given) {
        map->open = false;
        map->n_rules = bind_is_comment(g) ? bind_comments(g) : bind_omitted(g);
        map->rules = g->rules;
        bind_people(g);
        return 0;
    }
    g->rules = map->rules;
    for (size_t i = 0; i < map->n_rules; i++)
        for (int s = 0; s < 2; s++) {
            if (bind_field(g, &g->rules[i], s))
                return g->e->code;
            g->computes_from[s] |= g->rules[i].program[1 - s] != NULL;
        }
    for (size_t i = 0; i < map->n_rules; i++)
        if (check_values(g, &g->rules[i]))
            return g->e->code;
    bind_people(g);
    return 0;
}
