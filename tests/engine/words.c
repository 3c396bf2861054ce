/* SPDX-License-Identifier: MIT */
/* words.c - a pair and what its two systems can do, read from words. */
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/value.h"

struct word {
    const char *text;
    int number;
};

static const struct word modes[] = {{"two_way", MODE_TWO_WAY}, {"one_way", MODE_ONE_WAY}, {0}};
static const struct word policies[] = {{"a", POLICY_A},
                                       {"b", POLICY_B},
                                       {"newest", POLICY_NEWEST},
                                       {"nonempty", POLICY_NONEMPTY},
                                       {"merge", POLICY_MERGE},
                                       {"min", POLICY_MIN},
                                       {"max", POLICY_MAX},
                                       {"manual", POLICY_MANUAL},
                                       {0}};
static const struct word drifts[] = {{"alert", DRIFT_ALERT}, {"revert", DRIFT_REVERT}, {"ignore", DRIFT_IGNORE}, {0}};
static const struct word firsts[] = {{"match_or_create", FIRST_MATCH_OR_CREATE},
                                     {"match_only", FIRST_MATCH_ONLY},
                                     {"create_only", FIRST_CREATE_ONLY},
                                     {"review", FIRST_REVIEW},
                                     {0}};
static const struct word leaves[] = {{"keep", LEAVE_KEEP}, {"unlink", LEAVE_UNLINK}, {"archive", LEAVE_ARCHIVE}, {0}};
static const struct word deletes[] = {{"unlink", DELETE_UNLINK}, {"archive", DELETE_ARCHIVE},
                                      {"delete", DELETE_DELETE}, {"recreate", DELETE_RECREATE},
                                      {"ignore", DELETE_IGNORE}, {0}};
static const struct word creates[] = {
    {"both", CREATE_BOTH}, {"a_to_b", CREATE_A_TO_B}, {"b_to_a", CREATE_B_TO_A}, {"none", CREATE_NONE}, {0}};

static int number_of(const struct word *words, const char *text)
{
    for (; words->text; words++)
        if (strcmp(words->text, text) == 0)
            return words->number;
    fprintf(stderr, "kit: no word '%s'\n", text);
    abort();
}

static int policy_of(const struct kit *k, const char *text)
{
    int p = number_of(policies, text);
    if (k->flip && (p == POLICY_A || p == POLICY_B))
        return p == POLICY_A ? POLICY_B : POLICY_A;
    return p;
}

/* Cuts the text at the last mark and returns what stood behind it, or NULL. */
static char *cut(char *text, int mark)
{
    char *at = strrchr(text, mark);
    if (!at)
        return NULL;
    *at = '\0';
    return at + 1;
}

static void read_rule(struct kit *k, char *text, struct rule *r)
{
    char *group = cut(text, '@'), *drift = cut(text, '!'), *policy = cut(text, '/');
    bool to_b = strchr(text, '>') != NULL, to_a = strchr(text, '<') != NULL;
    bool one_way = k->pair.mode == MODE_ONE_WAY;
    text[strcspn(text, "<>")] = '\0';
    char *b = cut(text, ':');
    int s = k->flip ? 1 : 0;
    *r = (struct rule){.policy = policy ? policy_of(k, policy) : k->pair.policy,
                       .drift = drift ? number_of(drifts, drift) : k->pair.drift};
    r->field[s] = arena_text(&k->a, text);
    r->field[1 - s] = b ? arena_text(&k->a, b) : r->field[s];
    r->to[s] = !to_b && !one_way;
    r->to[1 - s] = !to_a;
    if (group) {
        r->group = atoi(group) ? atoi(group) : 1;
        r->group_name = arena_text(&k->a, group);
    }
}

static void read_fields(struct kit *k, char *list)
{
    char *rest = NULL;
    for (char *text = strtok_r(list, ",", &rest); text; text = strtok_r(NULL, ",", &rest))
        read_rule(k, text, &k->pair.map.rules[k->pair.map.n_rules++]);
    k->pair.fields_given = true;
}

static struct jq_expr *compiled(struct kit *k, const char *program)
{
    struct jq_expr *expr = NULL;
    if (jq_compile(program, &expr, &k->e)) {
        fprintf(stderr, "kit: %s\n", k->e.text);
        abort();
    }
    return expr;
}

/* "label:.title": a field of side b that is computed from side a; "source:desk" (constant): one that is always that. */
static void read_given(struct kit *k, char *text, bool constant)
{
    struct rule *r = &k->pair.map.rules[k->pair.map.n_rules++];
    int b = k->flip ? 0 : 1;
    char *what = strchr(text, ':');
    *what++ = '\0';
    *r = (struct rule){.policy = k->pair.policy, .drift = k->pair.drift};
    r->field[b] = arena_text(&k->a, text);
    r->to[b] = true;
    k->pair.fields_given = true;
    if (constant) {
        struct sl_value *v = arena_alloc(&k->a, sizeof *v);
        *v = value_string(r->field[b], arena_text(&k->a, what));
        r->constant[b] = v;
    } else {
        r->program[b] = arena_text(&k->a, what);
        r->expr[b] = compiled(k, what);
    }
}

static struct rule *rule_of(struct kit *k, const char *name)
{
    for (size_t i = 0; i < k->pair.map.n_rules; i++)
        if (k->pair.map.rules[i].field[k->flip] && strcmp(k->pair.map.rules[i].field[k->flip], name) == 0)
            return &k->pair.map.rules[i];
    fprintf(stderr, "kit: no field '%s'\n", name);
    abort();
}

/* "status:open~todo,done~closed", side a's values first. */
static void read_values(struct kit *k, char *text)
{
    char *list = strchr(text, ':'), *rest = NULL;
    *list++ = '\0';
    struct rule *r = rule_of(k, text);
    struct value_pair *pairs = arena_alloc(&k->a, 8 * sizeof *pairs);
    for (char *pair = strtok_r(list, ",", &rest); pair; pair = strtok_r(NULL, ",", &rest)) {
        char *b = cut(pair, '~');
        pairs[r->n_values].side[k->flip] = arena_text(&k->a, pair);
        pairs[r->n_values++].side[!k->flip] = arena_text(&k->a, b);
    }
    r->values = pairs;
}

/* "status:todo": what side b gets for a value that is not listed. */
static void read_otherwise(struct kit *k, char *text)
{
    char *what = cut(text, ':');
    rule_of(k, text)->otherwise[k->flip ? 0 : 1] = arena_text(&k->a, what);
}

static const char *other_name(const struct kit *k, int s, const char *name)
{
    for (size_t i = 0; i < k->pair.map.n_rules; i++)
        if (k->pair.map.rules[i].field[1 - s] && strcmp(k->pair.map.rules[i].field[1 - s], name) == 0)
            return k->pair.map.rules[i].field[s];
    return name;
}

/* Names are side a's. */
static void read_match(struct kit *k, char *list)
{
    char *rest = NULL, *inner = NULL;
    int a = k->flip ? 1 : 0;
    k->pair.match = arena_alloc(&k->a, 8 * sizeof *k->pair.match);
    for (char *text = strtok_r(list, ",", &rest); text; text = strtok_r(NULL, ",", &rest)) {
        struct conf_match *m = &k->pair.match[k->pair.n_match++];
        for (int s = 0; s < 2; s++)
            m->field[s] = arena_alloc(&k->a, 4 * sizeof *m->field[s]);
        for (char *name = strtok_r(text, "+", &inner); name; name = strtok_r(NULL, "+", &inner)) {
            m->field[a][m->n_fields] = arena_text(&k->a, name);
            m->field[1 - a][m->n_fields] = other_name(k, 1 - a, m->field[a][m->n_fields]);
            m->n_fields++;
        }
    }
}

static void read_filter(struct kit *k, int s, const char *program)
{
    struct conf_side *side = &k->pair.side[k->flip ? 1 - s : s];
    side->filter = arena_text(&k->a, program);
    side->filter_expr = compiled(k, program);
}

/* What the systems can do, whatever a variant says. */
static void read_world(struct kit *k, const char *name, const char *value)
{
    struct memory_world *b = &k->w[k->flip ? 0 : 1];
    k->no_tier |= strcmp(name, "tier") == 0;
    if (strcmp(name, "times") == 0)
        k->w[0].timeless = k->w[1].timeless = 1;
    if (strcmp(name, "ids") == 0)
        k->w[0].integer_ids = k->w[1].integer_ids = 1;
    if (strcmp(name, "schema_b") == 0)
        snprintf(b->schema, sizeof b->schema, "%s", value);
}

static void set_creates(struct kit *k, int create)
{
    bool to[2] = {create == CREATE_BOTH || create == CREATE_B_TO_A, create == CREATE_BOTH || create == CREATE_A_TO_B};
    for (int s = 0; s < 2; s++)
        k->pair.create[s] = to[k->flip ? 1 - s : s];
}

/* The order is part of the matter: rules take the pair's defaults, match keys the rules' names. */
static void read_word(struct kit *k, int pass, const char *name, char *value)
{
    struct conf_pair *p = &k->pair;
    if (pass == 1 && strcmp(name, "fields") == 0)
        read_fields(k, value);
    if (pass == 1 && (strcmp(name, "compute_b") == 0 || strcmp(name, "const_b") == 0))
        read_given(k, value, name[2] == 'n');
    if (pass == 2 && strcmp(name, "match") == 0)
        read_match(k, value);
    if (pass == 2 && strcmp(name, "values") == 0)
        read_values(k, value);
    if (pass == 2 && strcmp(name, "otherwise_b") == 0)
        read_otherwise(k, value);
    if (pass != 0)
        return;
    read_world(k, name, value);
    const struct {
        const char *name;
        const struct word *words;
        int *at;
    } enums[] = {{"mode", modes, &p->mode},
                 {"drift", drifts, &p->drift},
                 {"first", firsts, &p->first_run},
                 {"leave", leaves, &p->on_leave},
                 {"deletes", deletes, &p->delete_policy}};
    for (size_t i = 0; i < sizeof enums / sizeof *enums; i++)
        if (strcmp(name, enums[i].name) == 0)
            *enums[i].at = number_of(enums[i].words, value);
    if (strcmp(name, "conflict") == 0)
        p->policy = policy_of(k, value);
    if (strcmp(name, "create") == 0)
        set_creates(k, number_of(creates, value));
    if (strcmp(name, "max") == 0)
        p->delete_max = atoi(value);
    if (strcmp(name, "percent") == 0)
        p->delete_max_percent = atoi(value);
    if (strcmp(name, "filter_a") == 0 || strcmp(name, "filter_b") == 0)
        read_filter(k, name[7] - 'a', value);
}

static void read_words(struct kit *k, const char *words)
{
    for (int pass = 0; pass < 3; pass++) {
        char *text = arena_text(&k->a, words), *rest = NULL;
        for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
            char *value = strchr(word, '=');
            if (!value)
                abort();
            *value = '\0';
            read_word(k, pass, word, value + 1);
        }
    }
}

void words_read(struct kit *k, const char *words)
{
    k->pair = (struct conf_pair){.name = "pair",
                                 .mode = MODE_TWO_WAY,
                                 .first_run = FIRST_UNSET,
                                 .on_leave = LEAVE_KEEP,
                                 .delete_policy = DELETE_UNLINK,
                                 .delete_max = 10,
                                 .delete_max_percent = 10,
                                 .policy = POLICY_MANUAL,
                                 .drift = DRIFT_ALERT,
                                 .create = {true, true}};
    for (int s = 0; s < 2; s++) {
        k->pair.side[s].connection = s ? "b" : "a";
        k->pair.side[s].object = "records";
    }
    k->pair.map.rules = arena_alloc(&k->a, 16 * sizeof *k->pair.map.rules);
    read_words(k, words);
    if (k->pair.mode == MODE_ONE_WAY)
        k->pair.create[0] = false;
    bool one_way = k->pair.mode == MODE_ONE_WAY;
    k->pair.map.open_rule = (struct rule){.policy = k->pair.policy, .drift = k->pair.drift, .to = {!one_way, true}};
}
