/* SPDX-License-Identifier: MIT */
/* child.c - the children of a pair: pairs of their own behind it, whose records belong to its records. */
#include <string.h>

#include "base/text.h"
#include "conf/load.h"

static void read_side(struct load *l, const struct json *node, struct conf_side *side)
{
    struct side_draft draft = {0};
    if (!node)
        return;
    if (json_type(node) == JSON_STRING && keys_string(&l->problems, node))
        draft.object = arena_text(&l->conf->arena, json_text(node, NULL));
    else if (json_type(node) == JSON_OBJECT)
        keys_read(&l->problems, &l->conf->arena, &table_child_side, node, &draft);
    else if (json_type(node) != JSON_STRING)
        problem_at(&l->problems, node, AT_VALUE,
                   "%s where an object's name is expected; write it in double quotes, like \"comments\"",
                   keys_type_name(node));
    side->object = draft.object;
    side->filter = draft.filter;
    if (side->filter)
        pair_filter(l, json_get(node, "filter"), side);
}

static void check_name(struct load *l, const struct json *node, const struct conf_pair *first,
                       const struct conf_pair *p)
{
    for (const struct conf_pair *other = first; other < p; other++)
        if (text_equal(other->name, p->name))
            problem_at(&l->problems, json_get(node, "a"), AT_VALUE,
                       "\"%s\" has its children already; put the fields of both into one of them", p->side[0].object);
}

/* Children are found and created, never deleted: who deletes a comment deletes it where it stands. */
static void read_child(struct load *l, const struct json *node, struct conf_pair *parent, struct conf_pair *p)
{
    struct child_draft draft = {.mode = MODE_APPEND, .create = CREATE_BOTH};
    *p = pair_defaults.pair;
    if (!keys_read(&l->problems, &l->conf->arena, &table_child, node, &draft))
        return;
    for (int s = 0; s < 2; s++) {
        p->side[s] = (struct conf_side){.connection = parent->side[s].connection,
                                        .connection_index = parent->side[s].connection_index};
        read_side(l, draft.side[s], &p->side[s]);
    }
    p->name = arena_printf(&l->conf->arena, "%s.%s", parent->name, p->side[0].object ? p->side[0].object : "?");
    p->append = draft.mode == MODE_APPEND;
    p->first_run = FIRST_MATCH_OR_CREATE;
    p->delete_policy = DELETE_IGNORE;
    p->create[0] = draft.create == CREATE_BOTH || draft.create == CREATE_B_TO_A;
    p->create[1] = draft.create == CREATE_BOTH || draft.create == CREATE_A_TO_B;
    if (parent->mode == MODE_ONE_WAY)
        p->create[0] = false;
    json_where(l->problems.doc, node, false, &p->line, &p->column);
    users_of(l, p);
    fields_read(l, draft.fields, p);
}

void children_read(struct load *l, const struct json *list, struct conf_pair *parent, struct conf_pair *out)
{
    for (const struct json *node = json_first(list); node; node = json_next(node)) {
        struct conf_pair *p = &out[parent->n_children];
        read_child(l, node, parent, p);
        p->parent = parent;
        p->child = parent->n_children++;
        check_name(l, node, out, p);
    }
}
