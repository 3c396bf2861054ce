/* SPDX-License-Identifier: MIT */
/* family.c - binds what depends on other records: children to their parents' objects, the words of comments, fields that name a user. */
#include <string.h>

#include "sync/engine.h"

int bind_family(struct engine *g, int s)
{
    const struct sl_object *o = &g->object[s]->object;
    const struct conf_pair *parent = g->pair->parent;
    if (!parent && o->parent_object)
        return err_set(g->e, ERR_CONFIG,
                       "pairs.%s: '%s' of %s belong to records of '%s'; name them in the `children` of a pair of those",
                       g->pair->name, o->name, g->pair->side[s].connection, o->parent_object);
    if (parent && !text_equal(o->parent_object, parent->side[s].object))
        return err_set(g->e, ERR_CONFIG,
                       "pairs.%s: '%s' of %s do not belong to records of '%s'%s%s; name other `children`",
                       g->pair->name, o->name, g->pair->side[s].connection, parent->side[s].object,
                       o->parent_object ? " but of " : "", o->parent_object ? o->parent_object : "");
    return 0;
}

bool bind_is_comment(const struct engine *g)
{
    return g->pair->parent && text_equal(g->object[0]->object.model, "comment") &&
           text_equal(g->object[1]->object.model, "comment");
}

static bool writable(const struct engine *g, int s, const char *name)
{
    const struct sl_field *f = bind_field_of(&g->object[s]->object, name);
    return f && (f->flags & SL_FIELD_WRITABLE);
}

static bool names_user(const struct engine *g, const struct rule *r, int s)
{
    const struct sl_field *f = bind_field_of(&g->object[s]->object, r->field[s]);
    return f && f->type == SL_REF && f->ref_object && strncmp(f->ref_object, "user", 4) == 0;
}

/* A plain text beside a user's field holds the names that the other system has for him. */
static int takes_user(const struct engine *g, const struct rule *r, int s)
{
    const struct sl_field *f = bind_field_of(&g->object[s]->object, r->field[s]);
    if (!names_user(g, r, 0) || !names_user(g, r, 1))
        return USER_ANY;
    return f->flags & SL_FIELD_EMAIL ? USER_EMAIL : USER_LISTED;
}

static void bind_user(struct engine *g, struct rule *r)
{
    if (r->n_values || r->program[0] || r->program[1] || !(names_user(g, r, 0) || names_user(g, r, 1)))
        return;
    r->names_user = true;
    r->who = g->pair->who;
    r->n_who = g->pair->n_who;
    for (int s = 0; s < 2; s++)
        r->takes_user[s] = takes_user(g, r, s);
    r->signed_elsewhere = bind_is_comment(g) && text_equal(r->field[0], "author") && text_equal(r->field[1], "author");
}

/* Whose words they are is said where the author cannot be set: by this rule, or by no rule at all. */
static void bind_byline(struct engine *g, struct rule *r, const struct rule *author)
{
    for (int t = 0; t < 2; t++) {
        r->byline[t] = g->pair->side[1 - t].connection;
        r->takes_author[t] = author && author->to[t];
        r->takes_user[t] = author ? author->takes_user[t] : USER_LISTED;
    }
    r->who = g->pair->who;
    r->n_who = g->pair->n_who;
}

static struct rule *rule_of(struct map *map, const char *name)
{
    for (size_t i = 0; i < map->n_rules; i++)
        if (text_equal(map->rules[i].field[0], name) && text_equal(map->rules[i].field[1], name))
            return &map->rules[i];
    return NULL;
}

void bind_people(struct engine *g)
{
    struct map *map = (struct map *)(uintptr_t)&g->pair->map;
    for (size_t i = 0; i < map->n_rules; i++)
        bind_user(g, &map->rules[i]);
    struct rule *body = bind_is_comment(g) ? rule_of(map, "body") : NULL;
    if (body && !body->program[0] && !body->program[1])
        bind_byline(g, body, rule_of(map, "author"));
}

size_t bind_comments(struct engine *g)
{
    static const char *const names[] = {"body", "author", "public"};
    enum { NAMES = sizeof names / sizeof *names };
    size_t n = 0;
    g->rules = arena_alloc(&g->lasting, NAMES * sizeof *g->rules);
    for (size_t i = 0; i < NAMES; i++) {
        const struct sl_field *f[2] = {bind_field_of(&g->object[0]->object, names[i]),
                                       bind_field_of(&g->object[1]->object, names[i])};
        struct rule r = g->pair->map.open_rule;
        for (int s = 0; s < 2; s++) {
            r.field[s] = names[i];
            r.type[s] = f[s] ? f[s]->type : SL_ABSENT;
            r.to[s] &= writable(g, s, names[i]);
        }
        /* who may read it is told only between systems that both tell readers apart: else a note might go to a customer */
        bool told = strcmp(names[i], "public") != 0 || (writable(g, 0, names[i]) && writable(g, 1, names[i]));
        if (f[0] && f[1] && told && (r.to[0] || r.to[1]))
            g->rules[n++] = r;
    }
    return n;
}
