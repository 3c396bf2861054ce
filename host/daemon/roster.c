/* SPDX-License-Identifier: MIT */
/* roster.c - what the supervisor knows of a config that a worker has loaded and checked for it: it loads no connector itself. */
#include "daemon/roster.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"

static void put_pair(struct buf *out, const struct conf_pair *p, int64_t verified_ago_ms)
{
    buf_text(out, out->data[out->size - 1] == '[' ? "{" : ",{");
    json_put_text(out, "name", p->name);
    buf_printf(out, ",\"child\":%s,\"every\":%" PRId64 ",\"verify_every\":%" PRId64 ",\"verified_ago\":%" PRId64 "}",
               p->parent ? "true" : "false", p->every_ms, p->verify_every_ms, verified_ago_ms);
}

void roster_put(struct buf *out, const struct conf *conf, const int64_t *verified_ago_ms)
{
    buf_byte(out, '{');
    json_put_text(out, "state", conf->state);
    json_put_text(out, "listen", conf->listen);
    buf_text(out, ",\"plugins\":[");
    for (size_t i = 0; i < conf->n_plugin_folders; i++) {
        buf_text(out, i ? "," : "");
        json_put_string(out, conf->plugin_folders[i], strlen(conf->plugin_folders[i]));
    }
    buf_text(out, "],\"pairs\":[");
    for (size_t i = 0; i < conf->n_pairs; i++)
        put_pair(out, &conf->pairs[i], verified_ago_ms[i]);
    buf_text(out, "]}");
}

/* --- reading --- */

static const char *take_text(struct roster *r, const struct json *object, const char *key)
{
    const struct json *node = json_get(object, key);
    return node && json_type(node) == JSON_STRING ? arena_text(&r->arena, json_text(node, NULL)) : NULL;
}

static int64_t take_ms(const struct json *object, const char *key)
{
    const struct json *node = json_get(object, key);
    int64_t ms = -1;
    return node && json_int(node, &ms) ? ms : -1;
}

static bool take_pair(struct roster *r, const struct json *node)
{
    const char *name = json_type(node) == JSON_OBJECT ? take_text(r, node, "name") : NULL;
    const struct json *child = name ? json_get(node, "child") : NULL;
    if (!child)
        return false;
    r->pairs[r->n_pairs++] = name;
    if (!json_bool(child))
        r->wants[r->n_wants++] = (struct schedule_want){name, take_ms(node, "every"), take_ms(node, "verify_every"),
                                                        take_ms(node, "verified_ago")};
    return true;
}

static bool take_root(struct roster *r, const struct json *root)
{
    const struct json *pairs = json_get(root, "pairs"), *plugins = json_get(root, "plugins");
    r->state = take_text(r, root, "state");
    r->listen = take_text(r, root, "listen");
    if (!r->state || !r->listen || !pairs || !plugins)
        return false;
    r->pairs = arena_alloc(&r->arena, (json_count(pairs) + 1) * sizeof(*r->pairs));
    r->wants = arena_alloc(&r->arena, (json_count(pairs) + 1) * sizeof(*r->wants));
    r->plugin_folders = arena_alloc(&r->arena, (json_count(plugins) + 1) * sizeof(*r->plugin_folders));
    for (const struct json *node = json_first(plugins); node; node = json_next(node))
        r->plugin_folders[r->n_plugin_folders++] = arena_text(&r->arena, json_text(node, NULL));
    for (const struct json *node = json_first(pairs); node; node = json_next(node))
        if (!take_pair(r, node))
            return false;
    return true;
}

int roster_read(struct roster *r, const char *text, size_t n_bytes, struct err *e)
{
    struct json_doc *doc = json_parse(text, n_bytes, NULL, e);
    memset(r, 0, sizeof *r);
    if (doc && (json_type(json_root(doc)) != JSON_OBJECT || !take_root(r, json_root(doc))))
        err_set(e, ERR_INPUT, "a worker's answer to a config is none; run `syncline check`");
    json_free(doc);
    return e->code;
}

void roster_fini(struct roster *r)
{
    arena_fini(&r->arena);
    memset(r, 0, sizeof *r);
}
