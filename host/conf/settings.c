/* SPDX-License-Identifier: MIT */
/* settings.c - checks a connection's settings against its connector's options: kinds, required ones, defaults, secrets. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "conf/load.h"
#include "net/auth.h"
#include "record/value.h"

/* One option and the setting given for it. */
struct setting {
    struct load *l;
    struct sl_option option;
    const struct json *node;
};

static struct sl_value text_value(struct load *l, const char *name, uint32_t type, const char *text)
{
    struct arena *a = &l->conf->arena;
    size_t n = strlen(text);
    return (struct sl_value){.name = arena_text(a, name), .type = type, .text = arena_dup(a, text, n), .text_size = n};
}

static bool read_string(const struct setting *s, struct sl_value *out)
{
    if (!keys_string(&s->l->problems, s->node))
        return false;
    *out = text_value(s->l, s->option.name, SL_STRING, json_text(s->node, NULL));
    return true;
}

static bool read_path(const struct setting *s, struct sl_value *out)
{
    if (!keys_string(&s->l->problems, s->node))
        return false;
    *out = text_value(s->l, s->option.name, SL_STRING, load_path(s->l, json_text(s->node, NULL)));
    return true;
}

static bool read_int(const struct setting *s, struct sl_value *out)
{
    int64_t n = 0;
    if (!keys_type(&s->l->problems, s->node, JSON_NUMBER))
        return false;
    *out = value_int(arena_text(&s->l->conf->arena, s->option.name), 0);
    if (json_int(s->node, &n)) {
        out->number = n;
        return true;
    }
    problem_at(&s->l->problems, s->node, AT_VALUE, "%s is no whole number of 64 bits; write one",
               json_text(s->node, NULL));
    return false;
}

static bool read_bool(const struct setting *s, struct sl_value *out)
{
    if (!keys_type(&s->l->problems, s->node, JSON_BOOL))
        return false;
    *out = value_bool(arena_text(&s->l->conf->arena, s->option.name), json_bool(s->node));
    return true;
}

static bool read_secret(const struct setting *s, struct sl_value *out)
{
    const char *secret = secret_read(s->l, s->node);
    if (secret)
        *out = text_value(s->l, s->option.name, SL_STRING, secret);
    return secret != NULL;
}

/* True if the word is one of "x|y|z". */
static bool word_of(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = words; n && at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strncmp(at, word, n) == 0 && (at[n] == '|' || !at[n]))
            return true;
    return false;
}

static void put_words(struct buf *out, const char *words)
{
    for (const char *c = words; *c; c++)
        buf_text(out, *c == '|' ? ", " : (char[]){*c, '\0'});
}

static bool read_word(const struct setting *s, struct sl_value *out)
{
    struct buf words = {0};
    const char *allowed = s->option.values ? s->option.values : "";
    if (!keys_string(&s->l->problems, s->node))
        return false;
    const char *text = json_text(s->node, NULL);
    *out = text_value(s->l, s->option.name, SL_STRING, text);
    if (word_of(allowed, text))
        return true;
    put_words(&words, allowed);
    problem_at(&s->l->problems, s->node, AT_VALUE, "\"%s\" is not one of the words here; use one of %s", text,
               words.size ? words.data : "none");
    buf_fini(&words);
    return false;
}

/* A user and password in a URL would be a secret in the config: it is not repeated. */
static bool read_url(const struct setting *s, struct sl_value *out)
{
    struct problems *p = &s->l->problems;
    if (!keys_string(p, s->node))
        return false;
    const char *text = json_text(s->node, NULL);
    size_t n_scheme = strncasecmp(text, "https://", 8) == 0 ? 8 : strncasecmp(text, "http://", 7) == 0 ? 7 : 0;
    const char *host = text + n_scheme;
    size_t n_host = strcspn(host, "/?#");
    if (memchr(host, '@', n_host))
        problem_at(
            p, s->node, AT_VALUE,
            "a user or password does not stand in a URL; remove what is before the @ and use the settings for it");
    else if (!n_scheme || !n_host || text[strcspn(text, " \t\r\n")])
        problem_at(p, s->node, AT_VALUE, "this is no URL; write one like \"https://example.com/api\"");
    else {
        *out = text_value(s->l, s->option.name, SL_STRING, text);
        return true;
    }
    return false;
}

static bool read_json(const struct setting *s, struct sl_value *out)
{
    struct buf text = {0};
    json_put_node(&text, s->node);
    *out = text_value(s->l, s->option.name, SL_JSON, text.data);
    buf_fini(&text);
    return true;
}

/* One member of auth: a reference is replaced by what it names; a secret may stand nowhere else. */
static void put_member(const struct setting *s, const char *type, const struct json *child, struct buf *out)
{
    bool secret = false;
    const char *text = NULL;
    if (!auth_knows(type, json_key(child), &secret))
        problem_at(&s->l->problems, child, AT_KEY, "auth of type %s has no such member; remove it", type);
    else if (secret || json_type(child) == JSON_OBJECT)
        text = secret_read(s->l, child);
    else
        text = keys_scalar(&s->l->conf->arena, child);
    if (!text)
        return;
    json_put_key(out, json_key(child));
    json_put_string(out, text, strlen(text));
}

static bool read_auth(const struct setting *s, struct sl_value *out)
{
    const struct json *type = keys_type(&s->l->problems, s->node, JSON_OBJECT) ? json_get(s->node, "type") : NULL;
    const char *word = type && json_type(type) == JSON_STRING ? json_text(type, NULL) : NULL;
    size_t before = s->l->problems.n;
    struct buf text = {0};
    if (json_type(s->node) != JSON_OBJECT)
        return false;
    bool secret = false, known = word && auth_knows(word, "type", &secret);
    if (!known)
        problem_at(&s->l->problems, type ? type : s->node, AT_VALUE, "the type of auth is one of %s", auth_types());
    buf_byte(&text, '{');
    for (const struct json *child = json_first(s->node); known && child; child = json_next(child))
        put_member(s, word, child, &text);
    buf_byte(&text, '}');
    *out = text_value(s->l, s->option.name, SL_STRING, text.data);
    explicit_bzero(text.data, text.size);
    buf_fini(&text);
    return s->l->problems.n == before;
}

static bool read_list(const struct setting *s, struct sl_value *out)
{
    if (!keys_type(&s->l->problems, s->node, JSON_LIST))
        return false;
    for (const struct json *child = json_first(s->node); child; child = json_next(child))
        if (!keys_type(&s->l->problems, child, JSON_STRING))
            return false;
    return read_json(s, out);
}

static bool (*const readers[])(const struct setting *s, struct sl_value *out) = {
    [SL_OPT_STRING] = read_string, [SL_OPT_PATH] = read_path, [SL_OPT_INT] = read_int, [SL_OPT_BOOL] = read_bool,
    [SL_OPT_SECRET] = read_secret, [SL_OPT_ENUM] = read_word, [SL_OPT_URL] = read_url, [SL_OPT_JSON] = read_json,
    [SL_OPT_LIST] = read_list,     [SL_OPT_AUTH] = read_auth};

/* A kind of a newer SDK; a newer minor would have been taken for what it has in common. */
static bool known_kind(uint32_t kind)
{
    return kind && kind < sizeof(readers) / sizeof(*readers);
}

/* A default is the connector's text; it is no fault of the config if it is not of its kind. */
static struct sl_value fallback(struct load *l, const struct sl_option *o)
{
    const char *name = arena_text(&l->conf->arena, o->name);
    switch (o->kind) {
    case SL_OPT_INT:
        return value_int(name, strtoll(o->fallback, NULL, 10));
    case SL_OPT_BOOL:
        return value_bool(name, strcmp(o->fallback, "true") == 0 || strcmp(o->fallback, "1") == 0);
    case SL_OPT_PATH:
        return text_value(l, name, SL_STRING, load_path(l, o->fallback));
    case SL_OPT_JSON:
    case SL_OPT_LIST:
        return text_value(l, name, SL_JSON, o->fallback);
    default:
        return text_value(l, name, SL_STRING, o->fallback);
    }
}

static void missing(struct load *l, const struct json *connection, const struct json *settings,
                    const struct sl_option *o)
{
    const struct json *at = settings ? settings : connection;
    const char *key = arena_printf(&l->conf->arena, "%s%s", settings ? "" : "settings.", o->name);
    if (o->help)
        problem_missing(&l->problems, at, key, "missing; add it: %s", o->help);
    else
        problem_missing(&l->problems, at, key, "missing; add it");
}

static void check_unknown(struct load *l, const struct json *settings, const struct sl_plugin *plugin)
{
    const char **names = arena_alloc(&l->conf->arena, (plugin->n_options + 1) * sizeof(*names));
    for (uint32_t i = 0; i < plugin->n_options; i++)
        names[i] = plugin_option(plugin, i).name;
    for (const struct json *child = json_first(settings); child; child = json_next(child)) {
        uint32_t i = 0;
        while (i < plugin->n_options && strcmp(names[i], json_key(child)) != 0)
            i++;
        if (i == plugin->n_options)
            keys_unknown(&l->problems, child, names, plugin->n_options);
    }
}

void settings_read(struct load *l, const struct json *connection, const struct json *settings,
                   const struct sl_plugin *plugin, struct conf_connection *c)
{
    c->settings = arena_alloc(&l->conf->arena, (plugin->n_options + 1) * sizeof(*c->settings));
    check_unknown(l, settings, plugin);
    for (uint32_t i = 0; i < plugin->n_options; i++) {
        struct setting s = {l, plugin_option(plugin, i),
                            settings ? json_get(settings, plugin_option(plugin, i).name) : NULL};
        struct sl_value *out = &c->settings[c->n_settings];
        if (s.node && known_kind(s.option.kind))
            c->n_settings += readers[s.option.kind](&s, out);
        else if (s.node)
            problem_at(&l->problems, s.node, AT_VALUE,
                       "an option of a kind this version does not know; use a newer syncline");
        else if (s.option.required)
            missing(l, connection, settings, &s.option);
        else if (s.option.fallback) {
            *out = fallback(l, &s.option);
            c->n_settings++;
        }
    }
}
