/* SPDX-License-Identifier: MIT */
/* connect.c - the connections of a config: each one's plugin found and loaded, its settings checked. */
#include <string.h>

#include "conf/load.h"

static bool plugin_name_ok(const char *name)
{
    return !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")];
}

/* A missing connector is a problem where it is named. */
static void load_plugin(struct load *l, const struct json *node, struct conf_connection *c)
{
    struct err e = {0};
    if (!plugin_name_ok(c->plugin))
        problem_at(&l->problems, node, AT_VALUE,
                   "\"%s\" is no connector's name; write it in lower case, without folder and .so", c->plugin);
    else if (plugin_find(&l->conf->plugin_path, c->plugin, &c->lib, &e) != 0)
        problem_at(&l->problems, node, AT_VALUE, "%s", e.text);
}

static void read_connection(struct load *l, const struct json *node, struct conf_connection *c)
{
    struct connection_draft draft = {.isolation = ISOLATION_NONE};
    c->name = arena_text(&l->conf->arena, json_key(node));
    json_where(l->problems.doc, node, true, &c->line, &c->column);
    keys_name(&l->problems, node, AT_KEY, c->name);
    if (!keys_read(&l->problems, &l->conf->arena, &table_connection, node, &draft))
        return;
    c->plugin = draft.plugin;
    if (c->plugin)
        load_plugin(l, json_get(node, "plugin"), c);
    bool unreadable = json_get(node, "settings") && !draft.settings; /* told already */
    if (c->lib && !unreadable)
        settings_read(l, node, draft.settings, plugin_table(c->lib), c);
}

void connections_read(struct load *l, const struct json *object)
{
    struct conf *c = l->conf;
    c->connections = arena_alloc(&c->arena, (json_count(object) + 1) * sizeof(*c->connections));
    for (const struct json *child = json_first(object); child; child = json_next(child))
        read_connection(l, child, &c->connections[c->n_connections++]);
}
