/* SPDX-License-Identifier: MIT */
/* users.c - who is who across connections, and who of them both sides of a pair know. */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "conf/load.h"

/* One handle is one person: two answers to "who is that?" are none. */
static void check_once(struct load *l, const struct json *node, size_t connection, const char *handle)
{
    const struct conf *c = l->conf;
    for (size_t i = 0; i < c->n_users; i++)
        if (c->users[i].handle[connection] && strcasecmp(c->users[i].handle[connection], handle) == 0)
            problem_at(&l->problems, node, AT_VALUE, "\"%s\" of \"%s\" stands twice; put both lines into one", handle,
                       c->connections[connection].name);
}

static void read_user(struct load *l, const struct json *node, struct conf_user *user)
{
    struct conf *c = l->conf;
    user->handle = arena_alloc(&c->arena, (c->n_connections + 1) * sizeof(*user->handle));
    if (!keys_type(&l->problems, node, JSON_OBJECT))
        return;
    for (const struct json *child = json_first(node); child; child = json_next(child)) {
        int at = pair_connection(c, json_key(child));
        if (at < 0) {
            pair_unknown_connection(l, child, AT_KEY, json_key(child));
        } else if (keys_string(&l->problems, child)) {
            check_once(l, child, (size_t)at, json_text(child, NULL));
            user->handle[at] = arena_text(&c->arena, json_text(child, NULL));
        }
    }
}

void users_read(struct load *l, const struct json *list)
{
    struct conf *c = l->conf;
    c->users = arena_alloc(&c->arena, (json_count(list) + 1) * sizeof(*c->users));
    for (const struct json *child = json_first(list); child; child = json_next(child)) {
        read_user(l, child, &c->users[c->n_users]);
        c->n_users++;
    }
}

void users_of(struct load *l, struct conf_pair *pair)
{
    const struct conf *c = l->conf;
    int at[2] = {pair->side[0].connection_index, pair->side[1].connection_index};
    struct who *who = arena_alloc(&l->conf->arena, (c->n_users + 1) * sizeof(*who));
    for (size_t i = 0; i < c->n_users && at[0] >= 0 && at[1] >= 0; i++)
        if (c->users[i].handle[at[0]] && c->users[i].handle[at[1]])
            who[pair->n_who++] = (struct who){{c->users[i].handle[at[0]], c->users[i].handle[at[1]]}};
    pair->who = who;
}
