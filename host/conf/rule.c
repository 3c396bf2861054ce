/* SPDX-License-Identifier: MIT */
/* rule.c - one field rule: which of its forms it has, which way it goes, and what does not belong in it. */
#include "conf/rule.h"

#include <string.h>

#include "record/value.h"

/* Keys by the side that is written. */
static const char *const program_key[2] = {"from_b", "from_a"};
static const char *const otherwise_key[2] = {"otherwise_a", "otherwise"};
static const char *const way_key[2] = {"b_to_a", "a_to_b"};

struct reading {
    struct load *l;
    const struct json *node;
    const struct rule_draft *draft;
    bool one_way; /* the pair's mode */
    bool to[2];
};

/* A key that does not belong here is told where it stands. */
static void refuse(const struct reading *r, const char *key, const char *sentence)
{
    problem_at(&r->l->problems, json_get(r->node, key), AT_KEY, "%s", sentence);
}

static bool is_computed(const struct rule_draft *d)
{
    return d->program[0] || d->program[1];
}

/* A program computes a field that must have a name. */
static bool check_program_names(const struct reading *r)
{
    bool ok = true;
    for (int s = 0; s < 2; s++) {
        if (!r->draft->program[s] || r->draft->field[s])
            continue;
        ok = false;
        problem_at(&r->l->problems, json_get(r->node, program_key[s]), AT_KEY,
                   "it computes a field of side %s that has no name; name it with \"%s\"", load_side_name[s],
                   load_side_name[s]);
    }
    return ok;
}

/* A field must come from somewhere. */
static bool check_sources(const struct reading *r)
{
    const struct rule_draft *d = r->draft;
    for (int s = 0; s < 2; s++) {
        if (!d->field[s] || d->field[1 - s] || d->program[s])
            continue;
        problem_at(&r->l->problems, r->node, AT_VALUE,
                   "the field of side %s has nothing on side %s; add \"%s\", \"%s\" or \"value\"", load_side_name[s],
                   load_side_name[1 - s], load_side_name[1 - s], program_key[s]);
        return false;
    }
    return true;
}

static bool check_names(const struct reading *r)
{
    const struct rule_draft *d = r->draft;
    bool broken = json_get(r->node, "a") && !d->field[0];
    broken = broken || (json_get(r->node, "b") && !d->field[1]);
    if (broken) /* told already */
        return false;
    if (!d->field[0] && !d->field[1]) {
        problem_at(&r->l->problems, r->node, AT_VALUE, "no field is named; add \"a\" and \"b\"");
        return false;
    }
    return d->value || (check_program_names(r) && check_sources(r));
}

static bool check_constant(const struct reading *r)
{
    static const char *const others[] = {"values", "otherwise", "otherwise_a", "from_a", "from_b"};
    size_t n_before = r->l->problems.n;
    if (!r->draft->value)
        return true;
    if (r->draft->field[0] && r->draft->field[1])
        refuse(r, "value", "a constant is for the field of one side; remove \"a\" or \"b\"");
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (json_get(r->node, others[i]))
            refuse(r, others[i], "a constant is neither mapped nor computed; remove it");
    return r->l->problems.n == n_before;
}

static void set_direction(struct reading *r)
{
    const struct rule_draft *d = r->draft;
    for (int s = 0; s < 2; s++) {
        if (d->direction)
            r->to[s] = d->direction != (s == 0 ? DIRECTION_A_TO_B : DIRECTION_B_TO_A);
        else if (d->value)
            r->to[s] = d->field[s] != NULL;
        else if (is_computed(d))
            r->to[s] = d->program[s] != NULL;
        else
            r->to[s] = s == 1 || !r->one_way;
    }
}

/* The key that makes the rule write side a, for a pair that never does. */
static const char *cause_of_a(const struct reading *r)
{
    return r->draft->direction ? "direction" : r->draft->program[0] ? "from_b" : "value";
}

static bool check_direction(const struct reading *r)
{
    const struct json *direction = json_get(r->node, "direction");
    for (int s = 0; s < 2; s++) {
        if (!r->to[s] || r->draft->field[s])
            continue;
        problem_at(&r->l->problems, direction, AT_VALUE, "this rule has no field of side %s to write; use \"%s\"",
                   load_side_name[s], way_key[1 - s]);
        return false;
    }
    if (!r->one_way || !r->to[0])
        return true;
    refuse(r, cause_of_a(r), "a one_way pair writes side b only; remove it or make the mode two_way");
    return false;
}

/* What the rule says of a side that it does not write would have no effect. */
static void check_unused(const struct reading *r)
{
    for (int s = 0; s < 2; s++) {
        const char *keys[] = {r->draft->program[s] ? program_key[s] : NULL,
                              r->draft->otherwise[s] ? otherwise_key[s] : NULL};
        for (size_t i = 0; i < 2; i++)
            if (keys[i] && !r->to[s])
                problem_at(&r->l->problems, json_get(r->node, keys[i]), AT_KEY,
                           "it is for side %s, which this rule does not write; remove it or change `direction`",
                           load_side_name[s]);
        if (r->to[s] && r->draft->otherwise[s] && !r->draft->values)
            refuse(r, otherwise_key[s], "there is no value map that it could end; add `values` or remove it");
    }
}

/* What is computed one way and copied the other would not come back as it was. */
static void check_way_back(const struct reading *r)
{
    for (int s = 0; s < 2; s++)
        if (r->to[0] && r->to[1] && r->draft->program[s] && !r->draft->program[1 - s])
            problem_at(&r->l->problems, json_get(r->node, "direction"), AT_VALUE,
                       "the way back is not computed; add \"%s\" or use \"%s\"", program_key[1 - s], way_key[s]);
}

/* In a two-way pair only: there a word of the wrong kind is a mistake, in a one-way pair it waits for another mode. */
static void check_policy(const struct reading *r)
{
    bool both = r->to[0] && r->to[1];
    if (r->draft->policy && !both && !r->one_way)
        refuse(r, "conflict", "a field that goes one way has no conflicts; remove it or use `drift`");
    if (r->draft->drift && both)
        refuse(r, "drift", "a field that goes both ways has no drift; remove it or add `direction`");
}

static void compile(const struct reading *r, struct rule *rule)
{
    for (int s = 0; s < 2; s++) {
        struct err e = {0};
        rule->program[s] = r->to[s] ? r->draft->program[s] : NULL;
        if (rule->program[s] && jq_compile(rule->program[s], &rule->expr[s], &e) != 0)
            problem_at(&r->l->problems, json_get(r->node, program_key[s]), AT_VALUE, "%s", e.text);
    }
}

static void set_constant(const struct reading *r, struct rule *rule)
{
    struct arena *a = &r->l->conf->arena;
    for (int s = 0; s < 2; s++) {
        struct sl_value value;
        if (!r->draft->value || !rule->to[s])
            continue;
        value = value_from_json(a, rule->field[s], r->draft->value);
        rule->constant[s] = arena_dup(a, &value, sizeof(value));
    }
}

static void fill(const struct reading *r, struct rule *rule)
{
    const struct rule_draft *d = r->draft;
    for (int s = 0; s < 2; s++) {
        rule->field[s] = d->field[s];
        rule->to[s] = r->to[s];
        rule->otherwise[s] = d->otherwise[s];
        if (d->otherwise[s])
            rule->otherwise_type[s] =
                value_from_json(&r->l->conf->arena, NULL, json_get(r->node, otherwise_key[s])).type;
    }
    rule->policy = d->policy ? d->policy : rule->policy;
    rule->drift = d->drift ? d->drift : rule->drift;
    compile(r, rule);
    set_constant(r, rule);
    if (d->values)
        values_read(r->l, d->values, rule);
}

bool rule_read(struct load *l, const struct conf_pair *pair, const struct json *node, struct rule *rule)
{
    struct rule_draft draft = {0};
    struct reading r = {.l = l, .node = node, .draft = &draft, .one_way = pair->mode == MODE_ONE_WAY};
    if (!keys_read(&l->problems, &l->conf->arena, &table_rule, node, &draft))
        return false;
    if (!check_names(&r) || !check_constant(&r))
        return false;
    set_direction(&r);
    if (!check_direction(&r))
        return false;
    check_unused(&r);
    check_way_back(&r);
    check_policy(&r);
    fill(&r, rule);
    return true;
}
