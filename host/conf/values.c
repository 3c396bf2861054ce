/* SPDX-License-Identifier: MIT */
/* values.c - the value map of a field rule: what side a calls it, what side b calls it. */
#include <string.h>

#include "conf/load.h"
#include "record/value.h"

/* The map room tells one problem a line. */
static void tell_lines(struct load *l, const struct json *node, char *lines)
{
    char *rest = NULL;
    for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        problem_at(&l->problems, node, AT_VALUE, "%s", line);
}

static void check(struct load *l, const struct json *object, const struct rule *rule)
{
    static const char *const *const unknown[2] = {NULL, NULL};
    static const uint32_t none[2] = {0, 0};
    struct buf sentences = {0};
    if (map_check_values(rule, unknown, none, &sentences) > 0)
        tell_lines(l, object, sentences.data);
    buf_fini(&sentences);
}

/* The type says how the value is written on side b; side a's are keys, which are always texts. */
static bool read_value(struct load *l, const struct json *node, struct value_pair *out)
{
    const char *text = keys_scalar(&l->conf->arena, node);
    if (!text) {
        problem_at(&l->problems, node, AT_VALUE, "%s where one value is expected; write a string, number, bool or null",
                   keys_type_name(node));
        return false;
    }
    out->side[0] = arena_text(&l->conf->arena, json_key(node));
    out->side[1] = text;
    out->type[1] = value_from_json(&l->conf->arena, NULL, node).type;
    return true;
}

void values_read(struct load *l, const struct json *object, struct rule *rule)
{
    size_t n_before = l->problems.n;
    struct value_pair *values = arena_alloc(&l->conf->arena, (json_count(object) + 1) * sizeof(*values));
    if (!json_first(object))
        problem_at(&l->problems, object, AT_VALUE,
                   "no values; write side a's value and side b's, like {\"open\": \"new\"}");
    for (const struct json *child = json_first(object); child; child = json_next(child))
        rule->n_values += read_value(l, child, &values[rule->n_values]);
    rule->values = values;
    if (l->problems.n == n_before)
        check(l, object, rule);
}
