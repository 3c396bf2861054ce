/* SPDX-License-Identifier: MIT */
/* connect.c - the connections of a config: each one's plugin found and loaded, its settings checked. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "conf/load.h"
#include "runner/runner.h"

static bool plugin_name_ok(const char *name)
{
    return !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")];
}

static int load_apart(struct load *l, const struct connection_draft *draft, struct plugin_lib **lib, struct err *e)
{
    const struct runner_limits limits = {.silence_ms = draft->silence_ms, .memory_bytes = draft->memory_mb << 20};
    const char *file = NULL;
    int code = plugin_locate(&l->conf->plugin_path, draft->plugin, &l->conf->arena, &file, e);
    return code ? code : runner_load(file, &limits, lib, e);
}

/* A missing connector is a problem where it is named. */
static void load_plugin(struct load *l, const struct json *node, const struct connection_draft *draft,
                        struct conf_connection *c)
{
    struct err e = {0};
    if (!plugin_name_ok(c->plugin))
        problem_at(&l->problems, node, AT_VALUE,
                   "\"%s\" is no connector's name; write it in lower case, without folder and .so", c->plugin);
    else if (c->apart ? load_apart(l, draft, &c->lib, &e) : plugin_find(&l->conf->plugin_path, c->plugin, &c->lib, &e))
        problem_at(&l->problems, node, AT_VALUE, "%s", e.text);
}

static const char *certificates(struct load *l, const struct json *node, const char *file)
{
    const char *path = file ? path_join(&l->conf->arena, l->conf->folder, file) : NULL;
    if (path && access(path, R_OK) != 0)
        problem_at(&l->problems, json_get(node, "ca_file"), AT_VALUE,
                   "%s: %s; name a file with the certificates (PEM) that its server is verified by", path,
                   strerror(errno));
    return path;
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
    c->apart = draft.isolation == ISOLATION_RUNNER;
    c->net = (struct session_net){.requests_per_minute = draft.requests_per_minute,
                                  .in_flight = (uint32_t)draft.in_flight,
                                  .allow_private = draft.allow_private,
                                  .allow_plain_http = draft.allow_plain_http,
                                  .timeout_ms = draft.timeout_ms,
                                  .ca_file = certificates(l, node, draft.ca_file)};
    if (c->plugin)
        load_plugin(l, json_get(node, "plugin"), &draft, c);
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
