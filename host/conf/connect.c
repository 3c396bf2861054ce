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

static bool sha256_ok(const char *hex)
{
    enum { DIGITS = 64 };
    return strlen(hex) == DIGITS && !hex[strspn(hex, "0123456789abcdefABCDEF")];
}

static int load_here(const char *file, const char *sha256, struct plugin_lib **lib, struct err *e)
{
    int fd = -1;
    int code = plugin_open(file, sha256, &fd, e);
    return code ? code : plugin_load_open(file, sha256, fd, lib, e);
}

static int load_connector(struct load *l, const struct connection_draft *draft, struct conf_connection *c,
                          struct err *e)
{
    const struct runner_limits limits = {
        .silence_ms = draft->silence_ms, .memory_bytes = draft->memory_mb << 20, .sha256 = draft->plugin_sha256};
    const char *file = NULL;
    if (plugin_locate(&l->conf->plugin_path, draft->plugin, &l->conf->arena, &file, e))
        return e->code;
    return c->apart ? runner_load(file, &limits, &c->lib, e) : load_here(file, draft->plugin_sha256, &c->lib, e);
}

/* A missing connector is a problem where it is named. */
static void load_plugin(struct load *l, const struct json *node, const struct connection_draft *draft,
                        struct conf_connection *c)
{
    struct err e = {0};
    const struct json *plugin = json_get(node, "plugin");
    if (draft->plugin_sha256 && !sha256_ok(draft->plugin_sha256))
        problem_at(&l->problems, json_get(node, "plugin_sha256"), AT_VALUE,
                   "\"%s\" is no SHA-256; write the 64 hex digits that `sha256sum FILE` prints", draft->plugin_sha256);
    else if (!plugin_name_ok(c->plugin))
        problem_at(&l->problems, plugin, AT_VALUE,
                   "\"%s\" is no connector's name; write it in lower case, without folder and .so", c->plugin);
    else if (load_connector(l, draft, c, &e))
        problem_at(&l->problems, plugin, AT_VALUE, "%s", e.text);
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

/* --- webhooks --- */

enum { HOOK_TOKEN_LEAST = 16 };

/* Nothing that a path spells in two ways. */
static const char *read_token(struct load *l, const struct json *node)
{
    static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-";
    const char *token = node ? secret_read(l, node) : NULL;
    if (token && (strlen(token) < HOOK_TOKEN_LEAST || token[strspn(token, good)]))
        problem_at(&l->problems, node, AT_VALUE,
                   "this secret is no end of a path; make it of %d characters or more of A-Z a-z 0-9 . _ ~ -, like "
                   "`openssl rand -hex 32` does",
                   HOOK_TOKEN_LEAST);
    return token;
}

static bool has_setting(const struct conf_connection *c, const char *name)
{
    for (uint32_t i = 0; i < c->n_settings; i++)
        if (strcmp(c->settings[i].name, name) == 0)
            return true;
    return false;
}

/* Without the secret it would take none: said here, not by each that is refused. */
static void check_verifier(struct load *l, const struct json *hooks, const struct conf_connection *c)
{
    const struct sl_plugin *plugin = plugin_table(c->lib);
    if (!(plugin->caps & SL_CAP_WEBHOOK))
        problem_at(&l->problems, hooks, AT_KEY, "the connector %s takes no webhooks; remove it, the pair polls",
                   plugin->name);
    for (uint32_t i = 0; i < plugin->n_options; i++)
        if (strcmp(plugin_option(plugin, i).name, "webhook_secret") == 0 && !has_setting(c, "webhook_secret"))
            problem_at(&l->problems, hooks, AT_KEY,
                       "every webhook would count as forged; add the setting webhook_secret, which %s verifies them by",
                       plugin->name);
}

static void read_hooks(struct load *l, const struct json *hooks, const struct connection_draft *draft,
                       struct conf_connection *c)
{
    for (int i = 0; i < 2; i++)
        c->hook_token[i] = read_token(l, draft->hook_token[i]);
    if (c->lib)
        check_verifier(l, hooks, c);
}

static void read_connection(struct load *l, const struct json *node, struct conf_connection *c)
{
    struct connection_draft draft = {0};
    c->name = arena_text(&l->conf->arena, json_key(node));
    json_where(l->problems.doc, node, true, &c->line, &c->column);
    keys_name(&l->problems, node, AT_KEY, c->name);
    if (!keys_read(&l->problems, &l->conf->arena, &table_connection, node, &draft))
        return;
    c->plugin = draft.plugin;
    c->apart_in_run = draft.isolation != ISOLATION_NONE;
    c->apart = draft.isolation == ISOLATION_RUNNER || (!draft.isolation && l->apart);
    c->net = (struct session_net){.requests_per_minute = draft.requests_per_minute,
                                  .in_flight = (uint32_t)draft.in_flight,
                                  .allow_private = draft.allow_private,
                                  .allow_plain_http = draft.allow_plain_http,
                                  .timeout_ms = draft.timeout_ms,
                                  .ca_file = certificates(l, node, draft.ca_file)};
    if (c->plugin)
        load_plugin(l, node, &draft, c);
    bool unreadable = json_get(node, "settings") && !draft.settings; /* told already */
    if (c->lib && !unreadable)
        settings_read(l, node, draft.settings, plugin_table(c->lib), c);
    if (draft.hook_token[0])
        read_hooks(l, json_get(node, "hooks"), &draft, c);
}

void connections_read(struct load *l, const struct json *object)
{
    struct conf *c = l->conf;
    c->connections = arena_alloc(&c->arena, (json_count(object) + 1) * sizeof(*c->connections));
    for (const struct json *child = json_first(object); child; child = json_next(child))
        read_connection(l, child, &c->connections[c->n_connections++]);
}
