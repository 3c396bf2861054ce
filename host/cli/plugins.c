/* SPDX-License-Identifier: MIT */
/* plugins.c - `plugins`: connectors found, what they can do and take, or why one was refused. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "runner/runner.h"

static const char *const kinds[] = {
    [SL_OPT_STRING] = "text",   [SL_OPT_PATH] = "path",   [SL_OPT_INT] = "number", [SL_OPT_BOOL] = "true or false",
    [SL_OPT_SECRET] = "secret", [SL_OPT_ENUM] = "one of", [SL_OPT_URL] = "url",    [SL_OPT_JSON] = "json",
    [SL_OPT_LIST] = "list",     [SL_OPT_AUTH] = "auth"};

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

static void print_json(const struct sl_plugin *p, const char *file, const struct proof *proof)
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
    caps_put(&b, p->caps, "\"");
    buf_byte(&b, ']');
    if (proof->state == PROOF_HERE) {
        buf_text(&b, ", \"proven\": [");
        caps_put(&b, proof->proven, "\"");
        buf_text(&b, "], \"not_proven\": [");
        caps_put(&b, proof->judged & ~proof->proven, "\"");
        buf_byte(&b, ']');
    }
    put_options(&b, p);
    out_end(&b);
    buf_fini(&b);
}

static void print_text(const struct sl_plugin *p, const char *file, const char *proof)
{
    printf("%-12s %-8s abi %u.%u  %s\n", p->name, p->version, p->abi_major, p->abi_minor, p->summary);
    if (!proof) /* details are not wanted */
        return;
    struct buf b = {0};
    caps_put(&b, p->caps, "");
    printf("    file: %s\n    can: %s\n    %s\n    settings:\n", file, b.data ? b.data : "nothing", proof);
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

/* Loading runs code of its own already: that is not done in this process. */
static bool show(struct cli *c, const char *file, bool details)
{
    struct plugin_lib *lib = NULL;
    struct err e = {0};
    if (runner_load(file, &(struct runner_limits){0}, &lib, &e)) {
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
    struct proof proof = plugin_proof(lib);
    if (c->json)
        print_json(plugin_table(lib), file, &proof);
    else
        print_text(plugin_table(lib), file, details ? out_proof(&c->arena, &proof, file) : NULL);
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
