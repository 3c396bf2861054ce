/* SPDX-License-Identifier: MIT */
/* match.c - the match keys of a pair, each name taken across the sides through the field rules. */
#include <string.h>

#include "base/text.h"
#include "conf/load.h"

/* Ranks are one byte on disk, and nobody has so many ways to know a record. */
enum { MATCH_MAX = 100 };

/* The rule that has the name as its field of side s, and a field on the other. */
static const struct rule *rule_with(const struct map *map, int s, const char *name)
{
    for (size_t i = 0; i < map->n_rules; i++)
        if (text_equal(map->rules[i].field[s], name) && map->rules[i].field[1 - s])
            return &map->rules[i];
    return NULL;
}

/* A name no rule has stands for itself on both sides. */
static void set_names(const struct map *map, const char *name, struct conf_match *m, size_t i)
{
    const struct rule *r = rule_with(map, 0, name);
    if (!r)
        r = rule_with(map, 1, name);
    for (int s = 0; s < 2; s++)
        m->field[s][i] = r ? r->field[s] : name;
}

static void read_entry(struct load *l, const struct json *node, const struct map *map, struct conf_match *m)
{
    bool compound = json_type(node) == JSON_LIST;
    const struct json *first = compound ? json_first(node) : node;
    size_t n = compound ? json_count(node) : 1;
    for (int s = 0; s < 2; s++)
        m->field[s] = arena_alloc(&l->conf->arena, (n + 1) * sizeof(*m->field[s]));
    if (!first)
        problem_at(&l->problems, node, AT_VALUE, "an empty key; name the fields that are the same in both systems");
    for (const struct json *child = first; child; child = compound ? json_next(child) : NULL)
        if (keys_string(&l->problems, child))
            set_names(map, arena_text(&l->conf->arena, json_text(child, NULL)), m, m->n_fields++);
}

void match_read(struct load *l, const struct json *list, struct conf_pair *pair)
{
    size_t n = json_count(list);
    if (n > MATCH_MAX) {
        problem_at(&l->problems, list, AT_VALUE, "%zu keys are too many; keep the best %d", n, MATCH_MAX);
        return;
    }
    pair->match = arena_alloc(&l->conf->arena, (n + 1) * sizeof(*pair->match));
    for (const struct json *child = json_first(list); child; child = json_next(child))
        read_entry(l, child, &pair->map, &pair->match[pair->n_match++]);
}
