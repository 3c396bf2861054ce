/* SPDX-License-Identifier: MIT */
/* fields.c - the field rules of a pair: single ones and groups, no field written by two of them. */
#include <string.h>

#include "base/text.h"
#include "conf/load.h"
#include "conf/rule.h"

/* A rule and where it stands. */
struct slot {
    struct rule rule;
    const struct json *node;
};

struct slots {
    struct slot *list;
    size_t n;
};

static void add_slot(struct slots *slots, const struct rule *rule, const struct json *node)
{
    slots->list = mem_grow(slots->list, (slots->n + 1) * sizeof(*slots->list));
    slots->list[slots->n++] = (struct slot){*rule, node};
}

static void read_rule(struct load *l, const struct conf_pair *pair, const struct json *node, const struct rule *like,
                      struct slots *slots)
{
    struct rule rule = *like;
    if (rule_read(l, pair, node, &rule))
        add_slot(slots, &rule, node);
}

/* "pairs.x.fields[0] (line 3, column 5)", for a sentence about another place. Appends. */
static void put_place(const struct load *l, const struct json *node, struct buf *out)
{
    int line = 0;
    int column = 0;
    json_where(l->problems.doc, node, false, &line, &column);
    problem_path(&l->problems, node, out);
    buf_printf(out, " (line %d, column %d)", line, column);
}

static void check_written_once(struct load *l, const struct slots *slots, size_t at, int s)
{
    const struct slot *slot = &slots->list[at];
    for (size_t i = 0; i < at && slot->rule.to[s]; i++) {
        const struct slot *other = &slots->list[i];
        struct buf place = {0};
        if (!other->rule.to[s] || !text_equal(other->rule.field[s], slot->rule.field[s]))
            continue;
        put_place(l, other->node, &place);
        problem_at(&l->problems, json_get(slot->node, load_side_name[s]), AT_VALUE,
                   "field \"%s\" of side %s is already written by %s; remove one of the two", slot->rule.field[s],
                   load_side_name[s], place.data);
        buf_fini(&place);
        return;
    }
}

/* The members of a group take one side together, so their policies must say the same. */
static void check_group_policy(struct load *l, const struct json *node, const struct slots *slots, size_t from)
{
    int policy = 0;
    for (size_t i = from; i < slots->n; i++) {
        const struct rule *r = &slots->list[i].rule;
        if (!r->to[0] || !r->to[1])
            continue;
        if (policy && policy != r->policy) {
            problem_at(&l->problems, json_get(node, "fields"), AT_VALUE,
                       "the fields of a group are decided together; give them one `conflict`, beside `group`");
            return;
        }
        policy = r->policy;
    }
}

static void check_group_name(struct load *l, const struct json *node, const struct slots *slots, const char *name)
{
    for (size_t i = 0; i < slots->n; i++) {
        if (!text_equal(slots->list[i].rule.group_name, name))
            continue;
        problem_at(&l->problems, json_get(node, "group"), AT_VALUE,
                   "there is another group \"%s\" in this pair; put its fields together or name it otherwise", name);
        return;
    }
}

static int next_group(const struct slots *slots)
{
    int last = 0;
    for (size_t i = 0; i < slots->n; i++)
        if (slots->list[i].rule.group > last)
            last = slots->list[i].rule.group;
    return last + 1;
}

static bool is_group(const struct json *node)
{
    return json_type(node) == JSON_OBJECT && (json_get(node, "group") || json_get(node, "fields"));
}

static void read_member(struct load *l, const struct conf_pair *pair, const struct json *node, const struct rule *like,
                        struct slots *slots)
{
    if (is_group(node))
        problem_at(&l->problems, node, AT_VALUE, "a group holds no group; list its fields here");
    else
        read_rule(l, pair, node, like, slots);
}

static void read_group(struct load *l, const struct conf_pair *pair, const struct json *node, const struct rule *like,
                       struct slots *slots)
{
    struct rule_draft draft = {0};
    struct rule member = *like;
    size_t from = slots->n;
    keys_read(&l->problems, &l->conf->arena, &table_group, node, &draft);
    if (draft.group)
        check_group_name(l, node, slots, draft.group);
    member.group_name = draft.group ? draft.group : "";
    member.policy = draft.policy ? draft.policy : like->policy;
    member.group = next_group(slots);
    if (draft.fields && !json_first(draft.fields))
        problem_at(&l->problems, draft.fields, AT_VALUE, "the group has no fields; add some or remove it");
    for (const struct json *child = json_first(draft.fields); child; child = json_next(child))
        read_member(l, pair, child, &member, slots);
    check_group_policy(l, node, slots, from);
}

static void keep(struct load *l, struct slots *slots, struct conf_pair *pair)
{
    pair->map.n_rules = slots->n;
    pair->map.rules = arena_alloc(&l->conf->arena, (slots->n + 1) * sizeof(*pair->map.rules));
    for (size_t i = 0; i < slots->n; i++) {
        pair->map.rules[i] = slots->list[i].rule;
        for (int s = 0; s < 2; s++)
            check_written_once(l, slots, i, s);
    }
    mem_free(slots->list);
}

void fields_read(struct load *l, const struct json *list, struct conf_pair *pair)
{
    struct slots slots = {0};
    struct rule like = {.policy = pair->policy, .drift = pair->drift};
    pair->map.open_rule = like;
    pair->map.open_rule.to[0] = pair->mode == MODE_TWO_WAY;
    pair->map.open_rule.to[1] = true;
    pair->fields_given = list != NULL;
    if (list && !json_first(list))
        problem_at(&l->problems, list, AT_VALUE,
                   "no fields; list some, or remove the key to keep every field both sides share in step");
    for (const struct json *child = json_first(list); child; child = json_next(child)) {
        if (is_group(child))
            read_group(l, pair, child, &like, &slots);
        else
            read_rule(l, pair, child, &like, &slots);
    }
    keep(l, &slots, pair);
}
