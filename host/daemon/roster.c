/* SPDX-License-Identifier: MIT */
/* roster.c - what the supervisor knows of a config that a worker has loaded and checked for it: it loads no connector itself. */
#include "daemon/roster.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "net/sign.h"

static void put_pair(struct buf *out, const struct conf_pair *p, const struct roster_ago *ago)
{
    buf_text(out, out->data[out->size - 1] == '[' ? "{" : ",{");
    json_put_text(out, "name", p->name);
    if (p->parent)
        json_put_text(out, "parent", p->parent->name);
    for (int s = 0; s < 2; s++)
        json_put_text(out, s ? "b" : "a", p->side[s].connection);
    buf_printf(out, ",\"every\":%" PRId64 ",\"verify_every\":%" PRId64 ",\"verified_ago\":%" PRId64, p->every_ms,
               p->verify_every_ms, ago->verified_ms);
    buf_printf(out, ",\"ran_ago\":%" PRId64 "}", ago->ran_ms);
}

static void put_list(struct buf *out, const char *key, const void *first, size_t size, size_t n)
{
    json_put_key(out, key);
    buf_byte(out, '[');
    for (size_t i = 0; i < n; i++) {
        const char *text = *(const char *const *)(const void *)((const char *)first + i * size);
        buf_text(out, i ? "," : "");
        json_put_string(out, text, strlen(text));
    }
    buf_byte(out, ']');
}

/* The supervisor needs to know the token when it sees it, and no more. */
static void put_api(struct buf *out, const char *token)
{
    uint8_t digest[32];
    char hex[2 * sizeof digest + 1];
    if (!token)
        return;
    sign_sha256(token, strlen(token), digest);
    hex_encode(digest, sizeof digest, hex);
    json_put_text(out, "api", hex);
}

static void put_hooks(struct buf *out, const struct conf *conf)
{
    json_put_key(out, "hooks");
    buf_byte(out, '[');
    for (size_t i = 0; i < conf->n_connections; i++)
        if (conf->connections[i].hook_token[0]) {
            buf_text(out, out->data[out->size - 1] == '[' ? "" : ",");
            json_put_string(out, conf->connections[i].name, strlen(conf->connections[i].name));
        }
    buf_byte(out, ']');
}

void roster_put(struct buf *out, const struct conf *conf, const struct roster_ago *ago)
{
    buf_byte(out, '{');
    json_put_text(out, "state", conf->state);
    json_put_text(out, "listen", conf->listen);
    buf_printf(out, ",\"run_silence\":%" PRId64, conf->run_silence_ms);
    put_api(out, conf->api_token);
    put_list(out, "plugins", conf->plugin_path.folders, sizeof(char *), conf->plugin_path.n_folders);
    put_list(out, "connections", conf->connections, sizeof(struct conf_connection), conf->n_connections);
    put_hooks(out, conf);
    buf_text(out, ",\"pairs\":[");
    for (size_t i = 0; i < conf->n_pairs; i++)
        put_pair(out, &conf->pairs[i], &ago[i]);
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
    if (!name)
        return false;
    const char *parent = take_text(r, node, "parent");
    r->pairs[r->n_pairs] = name;
    r->parents[r->n_pairs] = parent ? parent : name;
    r->ran_ago_ms[r->n_pairs++] = take_ms(node, "ran_ago");
    if (parent)
        return true;
    for (int s = 0; s < 2; s++)
        r->sides[r->n_wants][s] = take_text(r, node, s ? "b" : "a");
    r->wants[r->n_wants++] = (struct schedule_want){name, take_ms(node, "every"), take_ms(node, "verify_every"),
                                                    take_ms(node, "verified_ago")};
    return true;
}

static bool take_pairs(struct roster *r, const struct json *pairs)
{
    size_t n = json_count(pairs) + 1;
    r->pairs = arena_alloc(&r->arena, n * sizeof(*r->pairs));
    r->parents = arena_alloc(&r->arena, n * sizeof(*r->parents));
    r->ran_ago_ms = arena_alloc(&r->arena, n * sizeof(*r->ran_ago_ms));
    r->wants = arena_alloc(&r->arena, n * sizeof(*r->wants));
    r->sides = arena_alloc(&r->arena, n * sizeof(*r->sides));
    for (const struct json *node = json_first(pairs); node; node = json_next(node))
        if (!take_pair(r, node))
            return false;
    return true;
}

static bool take_list(struct roster *r, const struct json *list, const char ***out, size_t *n)
{
    if (!list || json_type(list) != JSON_LIST)
        return false;
    *out = arena_alloc(&r->arena, (json_count(list) + 1) * sizeof(**out));
    for (const struct json *node = json_first(list); node; node = json_next(node))
        if (json_type(node) == JSON_STRING)
            (*out)[(*n)++] = arena_text(&r->arena, json_text(node, NULL));
    return true;
}

static bool take_root(struct roster *r, const struct json *root)
{
    const struct json *pairs = json_get(root, "pairs");
    r->state = take_text(r, root, "state");
    r->listen = take_text(r, root, "listen");
    r->api = take_text(r, root, "api");
    r->run_silence_ms = take_ms(root, "run_silence");
    return r->state && r->listen && r->run_silence_ms > 0 && pairs && json_type(pairs) == JSON_LIST &&
           take_list(r, json_get(root, "plugins"), &r->plugin_folders, &r->n_plugin_folders) &&
           take_list(r, json_get(root, "connections"), &r->connections, &r->n_connections) &&
           take_list(r, json_get(root, "hooks"), &r->hooks, &r->n_hooks) && take_pairs(r, pairs);
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
