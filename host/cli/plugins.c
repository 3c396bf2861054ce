/* SPDX-License-Identifier: MIT */
/* plugins.c - `plugins`: connectors found, what they can do and take, or why one was refused. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const struct {
    uint64_t bit;
    const char *name;
} caps[] = {{SL_CAP_CREATE, "create"},
            {SL_CAP_UPDATE, "update"},
            {SL_CAP_DELETE, "delete"},
            {SL_CAP_ARCHIVE, "archive"},
            {SL_CAP_DELTA, "delta"},
            {SL_CAP_COMPLETE, "complete-listing"},
            {SL_CAP_DELETE_FEED, "delete-feed"},
            {SL_CAP_GET, "get"},
            {SL_CAP_FIND_CORRELATION, "find-by-key"},
            {SL_CAP_FIND_KEY, "find"},
            {SL_CAP_IDEMPOTENT, "idempotent-create"},
            {SL_CAP_RESERVED_ID, "reserved-ids"},
            {SL_CAP_CONDITIONAL, "conditional-write"},
            {SL_CAP_WEBHOOK, "webhooks"},
            {SL_CAP_OPEN_SCHEMA, "open-schema"},
            {SL_REACH_FILES, "reaches-files"},
            {SL_REACH_DATABASE, "reaches-database"},
            {SL_REACH_PROCESS, "starts-process"}};
static const char *const kinds[] = {
    [SL_OPT_STRING] = "text",   [SL_OPT_PATH] = "path",   [SL_OPT_INT] = "number", [SL_OPT_BOOL] = "true or false",
    [SL_OPT_SECRET] = "secret", [SL_OPT_ENUM] = "one of", [SL_OPT_URL] = "url",    [SL_OPT_JSON] = "json",
    [SL_OPT_LIST] = "list"};

static void put_caps(struct buf *b, const struct sl_plugin *p, const char *quote)
{
    bool first = true;
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++)
        if (p->caps & caps[i].bit) {
            buf_printf(b, "%s%s%s%s", first ? "" : ", ", quote, caps[i].name, quote);
            first = false;
        }
}

static void put_options(struct buf *b, const struct sl_plugin *p)
{
    buf_text(b, ", \"options\": [");
    for (uint32_t i = 0; i < p->n_options; i++) {
        struct sl_option o = plugin_option(p, i);
        struct buf one = {0};
        out_begin(&one);
        out_text(&one, "name", o.name);
        out_text(&one, "kind", kinds[o.kind]);
        out_text(&one, "required", o.required ? "yes" : "no");
        out_text(&one, "default", o.fallback);
        out_text(&one, "help", o.help);
        buf_printf(b, "%s%s}", i ? ", " : "", one.data);
        buf_fini(&one);
    }
    buf_byte(b, ']');
}

static void print_json(const struct sl_plugin *p, const char *file)
{
    struct buf b = {0};
    char abi[24];
    snprintf(abi, sizeof abi, "%u.%u", p->abi_major, p->abi_minor);
    out_begin(&b);
    out_text(&b, "name", p->name);
    out_text(&b, "version", p->version);
    out_text(&b, "abi", abi);
    out_text(&b, "summary", p->summary);
    out_text(&b, "file", file);
    buf_text(&b, ", \"caps\": [");
    put_caps(&b, p, "\"");
    buf_byte(&b, ']');
    put_options(&b, p);
    out_end(&b);
    buf_fini(&b);
}

static void print_text(const struct sl_plugin *p, const char *file, bool details)
{
    printf("%-12s %-8s abi %u.%u  %s\n", p->name, p->version, p->abi_major, p->abi_minor, p->summary);
    if (!details)
        return;
    struct buf b = {0};
    put_caps(&b, p, "");
    printf("    file: %s\n    can: %s\n    settings:\n", file, b.data ? b.data : "nothing");
    for (uint32_t i = 0; i < p->n_options; i++) {
        struct sl_option o = plugin_option(p, i);
        printf("      %-14s %s%s%s%s%s  %s\n", o.name, kinds[o.kind], o.values ? " " : "", o.values ? o.values : "",
               o.required   ? ", required"
               : o.fallback ? ", default "
                            : "",
               !o.required && o.fallback ? o.fallback : "", o.help ? o.help : "");
    }
    buf_fini(&b);
}

/* The name a file's connector goes by. */
static bool named(const char *file, const char *name)
{
    const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
    return strncmp(base, name, strlen(name)) == 0 && strcmp(base + strlen(name), ".so") == 0;
}

static bool show(struct cli *c, const char *file, bool details)
{
    struct plugin_lib *lib = NULL;
    struct err e = {0};
    if (plugin_load(file, &lib, &e)) {
        if (c->json) {
            struct buf b = {0};
            out_begin(&b);
            out_text(&b, "file", file);
            out_text(&b, "refused", e.text);
            out_end(&b);
            buf_fini(&b);
        } else {
            printf("refused: %s\n", e.text);
        }
        return false;
    }
    if (c->json)
        print_json(plugin_table(lib), file);
    else
        print_text(plugin_table(lib), file, details);
    plugin_unload(lib);
    return true;
}

/* The folders of the config, if there is a readable one; the command needs none. */
static void search_path(struct cli *c, struct plugin_path *path)
{
    struct buf problems = {0};
    struct err ignored = {0};
    c->conf = conf_load(c->config, &problems, &ignored);
    buf_fini(&problems);
    plugin_path_init(path, &c->arena, c->conf ? c->conf->plugin_folders : NULL,
                     c->conf ? c->conf->n_plugin_folders : 0);
}

int cmd_plugins(struct cli *c)
{
    struct plugin_path path;
    const char **files = NULL;
    bool found = false, good = true;
    if (cli_options(c, NULL, 0) || cli_operands(c, 0, 1, "plugins [NAME]"))
        return 2;
    search_path(c, &path);
    size_t n = plugin_list(&path, &c->arena, &files);
    for (size_t i = 0; i < n; i++) {
        if (c->argc && !named(files[i], c->argv[0]))
            continue;
        found = true;
        good &= show(c, files[i], c->argc == 1);
    }
    if (c->argc && !found) {
        struct plugin_lib *lib = NULL;
        plugin_find(&path, c->argv[0], &lib, &c->err); /* says where it looked */
        plugin_unload(lib);
        return 2;
    }
    return c->argc && !good ? 2 : 0;
}
