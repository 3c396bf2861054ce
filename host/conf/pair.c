/* SPDX-License-Identifier: MIT */
/* pair.c - the pairs of a config: their sides, defaults, and what depends on the mode. */
#include <string.h>

#include "base/text.h"
#include "conf/load.h"

void pair_unknown_connection(struct load *l, const struct json *node, int place, const char *name)
{
    const struct conf *c = l->conf;
    struct buf all = {0};
    const char **names = arena_alloc(&l->conf->arena, (c->n_connections + 1) * sizeof(*names));
    for (size_t i = 0; i < c->n_connections; i++)
        names[i] = c->connections[i].name;
    keys_list(&all, names, c->n_connections);
    const char *near = nearest_word(name, names, c->n_connections);
    if (near)
        problem_at(&l->problems, node, place, "no connection is named \"%s\"; did you mean \"%s\"?", name, near);
    else
        problem_at(&l->problems, node, place, "no connection is named \"%s\"; add it to `connections` (there: %s)",
                   name, c->n_connections ? all.data : "none");
    buf_fini(&all);
}

int pair_connection(const struct conf *c, const char *name)
{
    for (size_t i = 0; i < c->n_connections; i++)
        if (strcmp(c->connections[i].name, name) == 0)
            return (int)i;
    return -1;
}

void pair_filter(struct load *l, const struct json *node, struct conf_side *side)
{
    struct err e = {0};
    if (jq_compile(side->filter, &side->filter_expr, &e) != 0)
        problem_at(&l->problems, node, AT_VALUE, "%s", e.text);
}

static void read_side(struct load *l, const struct json *node, bool connections, struct conf_side *side)
{
    struct side_draft draft = {0};
    side->connection_index = -1;
    if (!node || !keys_read(&l->problems, &l->conf->arena, &table_side, node, &draft))
        return;
    side->connection = draft.connection;
    side->object = draft.object;
    side->filter = draft.filter;
    if (side->connection && connections) {
        side->connection_index = pair_connection(l->conf, side->connection);
        if (side->connection_index < 0)
            pair_unknown_connection(l, json_get(node, "connection"), AT_VALUE, side->connection);
    }
    if (side->filter)
        pair_filter(l, json_get(node, "filter"), side);
}

/* A filter on one side alone says that only those records are meant to be on both. */
static int create_default(const struct conf_pair *p)
{
    if (p->mode == MODE_ONE_WAY)
        return CREATE_A_TO_B;
    if (!p->side[0].filter == !p->side[1].filter)
        return CREATE_BOTH;
    return p->side[0].filter ? CREATE_A_TO_B : CREATE_B_TO_A;
}

static void set_create(struct load *l, const struct json *node, int create, struct conf_pair *p)
{
    if (!create)
        create = create_default(p);
    else if (p->mode == MODE_ONE_WAY && (create == CREATE_BOTH || create == CREATE_B_TO_A))
        problem_at(&l->problems, json_get(node, "create"), AT_VALUE,
                   "a one_way pair writes side b only; use \"a_to_b\" or \"none\", or make the mode two_way");
    p->create[0] = create == CREATE_BOTH || create == CREATE_B_TO_A;
    p->create[1] = create == CREATE_BOTH || create == CREATE_A_TO_B;
}

static void check_sides(struct load *l, const struct json *node, const struct conf_pair *p)
{
    if (text_equal(p->side[0].connection, p->side[1].connection) && text_equal(p->side[0].object, p->side[1].object) &&
        p->side[0].connection && p->side[0].object)
        problem_at(&l->problems, json_get(node, "b"), AT_VALUE,
                   "both sides are \"%s\" of \"%s\"; name another connection or object", p->side[1].object,
                   p->side[1].connection);
}

const struct pair_draft pair_defaults = {.pair = {.mode = MODE_TWO_WAY,
                                                  .first_run = FIRST_UNSET,
                                                  .on_leave = LEAVE_KEEP,
                                                  .delete_policy = DELETE_UNLINK,
                                                  .delete_max = 10,
                                                  .delete_max_percent = 10,
                                                  .policy = POLICY_MANUAL,
                                                  .drift = DRIFT_ALERT}};

static void read_pair(struct load *l, const struct json *node, bool connections, struct conf_pair *p)
{
    struct pair_draft draft = pair_defaults;
    const char *name = arena_text(&l->conf->arena, json_key(node));
    keys_name(&l->problems, node, AT_KEY, name);
    bool object = keys_read(&l->problems, &l->conf->arena, &table_pair, node, &draft);
    *p = draft.pair;
    p->name = name;
    json_where(l->problems.doc, node, true, &p->line, &p->column);
    if (!object)
        return;
    for (int s = 0; s < 2; s++)
        read_side(l, draft.side[s], connections, &p->side[s]);
    check_sides(l, node, p);
    set_create(l, node, draft.create, p);
    users_of(l, p);
    fields_read(l, draft.fields, p);
    match_read(l, draft.match, p);
    if (draft.children)
        children_read(l, draft.children, p, p + 1);
}

void pairs_read(struct load *l, const struct json *object, bool connections)
{
    struct conf *c = l->conf;
    size_t room = 1;
    for (const struct json *child = json_first(object); child; child = json_next(child)) {
        const struct json *children = json_get(child, "children");
        room += 1 + (children && json_type(children) == JSON_LIST ? json_count(children) : 0);
    }
    c->pairs = arena_alloc(&c->arena, room * sizeof(*c->pairs));
    for (const struct json *child = json_first(object); child; child = json_next(child)) {
        struct conf_pair *p = &c->pairs[c->n_pairs++];
        read_pair(l, child, connections, p);
        c->n_pairs += p->n_children;
    }
}
