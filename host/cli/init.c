/* SPDX-License-Identifier: MIT */
/* init.c - `init`: describes two connections and writes a commented config with proposed fields. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/cli.h"

/* One side as asked for: a connector, its settings, an object. */
struct init_side {
    const char *name;
    char plugin[64];
    const char *object;
    struct plugin_lib *lib;
    struct sl_value settings[32];
    uint32_t n_settings;
    struct object_info *info;
};

/* Asks on the terminal; without one the answer is empty. */
static const char *ask(struct cli *c, const char *question)
{
    char line[1024];
    if (!isatty(0))
        return "";
    printf("%s: ", question);
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        return "";
    line[strcspn(line, "\n")] = 0;
    return arena_text(&c->arena, line);
}

/* "jsondir:issues?root=tracker" → plugin, object, settings. */
static int parse_side(struct cli *c, const char *text, struct init_side *s)
{
    const char *colon = strchr(text, ':');
    if (!colon || colon == text || (size_t)(colon - text) >= sizeof s->plugin)
        return err_set(&c->err, ERR_CONFIG,
                       "'%s': a side is PLUGIN:OBJECT?SETTING=VALUE&…, for example jsondir:issues?root=tracker", text);
    memcpy(s->plugin, text, (size_t)(colon - text));
    char *rest = arena_text(&c->arena, colon + 1);
    char *query = strchr(rest, '?');
    if (query)
        *query++ = 0;
    s->object = rest;
    for (char *at = query; at && *at && s->n_settings < 32;) {
        char *next = strchr(at, '&'), *equals;
        if (next)
            *next++ = 0;
        equals = strchr(at, '=');
        if (!equals)
            return err_set(&c->err, ERR_CONFIG, "'%s': a setting is NAME=VALUE", at);
        *equals = 0;
        s->settings[s->n_settings++] = value_string(at, equals + 1);
        at = next;
    }
    return 0;
}

/* What the table of options asks for and the command line did not give. */
static void ask_settings(struct cli *c, struct init_side *s)
{
    const struct sl_plugin *p = plugin_table(s->lib);
    for (uint32_t i = 0; i < p->n_options && s->n_settings < 32; i++) {
        struct sl_option o = plugin_option(p, i);
        bool given = false;
        for (uint32_t k = 0; k < s->n_settings; k++)
            given |= strcmp(s->settings[k].name, o.name) == 0;
        if (given || !o.required)
            continue;
        const char *answer = ask(c, arena_printf(&c->arena, "%s: %s (%s)", s->plugin, o.name, o.help ? o.help : ""));
        if (*answer)
            s->settings[s->n_settings++] = value_string(arena_text(&c->arena, o.name), answer);
    }
}

static int describe(struct cli *c, struct init_side *s)
{
    struct session *session = NULL;
    int rc = session_open(plugin_table(s->lib), s->name, s->settings, s->n_settings, &c->world, &session, &c->err);
    if (rc == 0)
        rc = session_describe(session, s->object, &c->arena, &s->info, &c->err);
    struct object_info *whole = NULL;
    struct err ignored = {0}; /* what is known by name will do */
    if (rc == 0 && session_describe_whole(session, s->object, &c->arena, &whole, &ignored) == SL_OK && whole)
        s->info = whole;
    session_close(session);
    if (rc)
        return err_set(&c->err, class_err(rc), "%s: cannot be described", s->plugin);
    return s->info ? 0 : err_set(&c->err, ERR_CONFIG, "%s has no object '%s'", s->plugin, s->object);
}

static void quote(struct buf *b, const char *text)
{
    json_put_string(b, text, strlen(text));
}

static void put_connection(struct buf *b, const struct init_side *s, const char *comma)
{
    buf_text(b, "    ");
    quote(b, s->name);
    buf_text(b, ": {\"plugin\": ");
    quote(b, s->plugin);
    buf_text(b, ", \"settings\": {");
    for (uint32_t i = 0; i < s->n_settings; i++) {
        buf_text(b, i ? ", " : "");
        quote(b, s->settings[i].name);
        buf_text(b, ": ");
        quote(b, s->settings[i].text);
    }
    buf_printf(b, "}}%s\n", comma);
}

static const struct sl_field *field_at(const struct sl_object *o, uint32_t i)
{
    return (const struct sl_field *)(const void *)((const char *)o->fields + (size_t)o->field_size * i);
}

/* Same-named fields that both sides can take; what only one side has stands as a comment. */
static void put_fields(struct buf *b, const struct init_side side[2])
{
    const struct sl_object *o[2] = {&side[0].info->object, &side[1].info->object};
    buf_text(b, "      // Without \"fields\", every writable field of the same name on both sides is kept in step.\n"
                "      \"fields\": [\n");
    for (int s = 0; s < 2; s++)
        for (uint32_t i = 0; i < o[s]->n_fields; i++) {
            const char *name = field_at(o[s], i)->name;
            bool both = (o[1 - s]->caps & SL_CAP_OPEN_SCHEMA) && o[1 - s]->n_fields == 0;
            for (uint32_t k = 0; k < o[1 - s]->n_fields; k++)
                both |= strcmp(field_at(o[1 - s], k)->name, name) == 0;
            bool writable =
                (field_at(o[s], i)->flags & SL_FIELD_WRITABLE) && !(field_at(o[s], i)->flags & SL_FIELD_KEY);
            if (both && s == 1 && o[0]->n_fields)
                continue;
            buf_text(b, both && writable ? "        {\"a\": " : "        // only one side can take it: {\"a\": ");
            quote(b, name);
            buf_text(b, ", \"b\": ");
            quote(b, name);
            buf_text(b, "},\n");
        }
    buf_text(b, "      ],\n");
}

static bool has_fields(const struct init_side side[2])
{
    return side[0].info->object.n_fields + side[1].info->object.n_fields > 0;
}

static int write_config(struct cli *c, const struct init_side side[2])
{
    struct buf b = {0};
    buf_text(
        &b,
        "// Syncline: keeps two collections in step. `syncline check`, then `syncline plan`, then `syncline sync`.\n{\n"
        "  \"state\": \"state\",\n  \"connections\": {\n");
    put_connection(&b, &side[0], ",");
    put_connection(&b, &side[1], "");
    buf_text(&b, "  },\n  \"pairs\": {\n    \"main\": {\n");
    for (int s = 0; s < 2; s++) {
        buf_printf(&b, "      \"%s\": {\"connection\": ", s ? "b" : "a");
        quote(&b, side[s].name);
        buf_text(&b, ", \"object\": ");
        quote(&b, side[s].object);
        buf_text(&b, "},\n");
    }
    buf_text(&b, "      \"mode\": \"two_way\",      // or one_way: a to b\n");
    if (has_fields(side))
        put_fields(&b, side);
    buf_text(
        &b,
        "      // \"match\": [\"name\"],   // how records that exist on both sides find each other in the first run\n"
        "      \"conflict\": \"manual\",   // a | b | newest | nonempty | merge | min | max | manual\n"
        "      \"deletes\": {\"policy\": \"unlink\", \"max\": 10, \"max_percent\": 10}\n    }\n  }\n}\n");
    int rc = file_write_atomic(c->config, 0644, b.data, b.size, &c->err);
    buf_fini(&b);
    return rc;
}

int cmd_init(struct cli *c)
{
    const char *given[2] = {NULL, NULL};
    const struct option_row rows[] = {{"--a", &given[0], NULL}, {"--b", &given[1], NULL}};
    struct init_side side[2] = {{.name = "left"}, {.name = "right"}};
    struct plugin_path path;
    if (cli_options(c, rows, 2) || cli_operands(c, 0, 0, "init [--a SIDE --b SIDE]"))
        return 2;
    if (access(c->config, F_OK) == 0)
        return err_set(&c->err, ERR_CONFIG, "%s is there already; remove it or name another with -c", c->config);
    plugin_path_init(&path, &c->arena, NULL, 0);
    for (int s = 0; s < 2 && !c->err.code; s++) {
        if (!given[s])
            given[s] = ask(c, s ? "side b, PLUGIN:OBJECT" : "side a, PLUGIN:OBJECT (see `syncline plugins`)");
        if (parse_side(c, given[s], &side[s]) || plugin_find(&path, side[s].plugin, &side[s].lib, &c->err))
            break;
        ask_settings(c, &side[s]);
        describe(c, &side[s]);
    }
    int rc = c->err.code ? err_exit(&c->err) : write_config(c, side) ? 1 : 0;
    plugin_unload(side[0].lib);
    plugin_unload(side[1].lib);
    if (rc == 0)
        printf("%s written; look at it, then `syncline -c %s check --online`\n", c->config, c->config);
    return rc;
}
