/* SPDX-License-Identifier: MIT */
/* web.c - a session's HTTP: the connector's rules and the connection's settings made into an open service. */
#include "plugin/web.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "plugin/loader.h"

struct web {
    struct arena memory;
    struct http_world world;
    struct auth *auth;
    struct http *http;
};

static const struct sl_value *setting(const struct sl_value *settings, uint32_t n, const char *name, size_t n_name)
{
    for (uint32_t i = 0; i < n; i++)
        if (strlen(settings[i].name) == n_name && strncmp(settings[i].name, name, n_name) == 0 && settings[i].text_size)
            return &settings[i];
    return NULL;
}

static void put_escaped(struct buf *out, const struct sl_value *v, bool json, struct arena *a)
{
    if (json) {
        struct buf quoted = {0};
        json_put_string(&quoted, v->text, v->text_size);
        buf_add(out, quoted.data + 1, quoted.size - 2); /* the quotes stand in the rule */
        explicit_bzero(quoted.data, quoted.size);
        buf_fini(&quoted);
    } else {
        buf_text(out, url_escape(v->text, v->text_size, a));
    }
}

/* A brace that encloses no word is itself: JSON has them too. */
static size_t word_in(const char *brace)
{
    size_t n = strspn(brace + 1, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return n && brace[n + 1] == '}' ? n : 0;
}

const char *web_fill(const char *text, const struct sl_value *settings, uint32_t n_settings, bool json, struct arena *a)
{
    struct buf out = {0};
    const char *filled = NULL;
    for (; *text; text++) {
        size_t n = *text == '{' ? word_in(text) : 0;
        const struct sl_value *v = n ? setting(settings, n_settings, text + 1, n) : NULL;
        if (n && !v)
            goto out;
        if (n) {
            put_escaped(&out, v, json, a);
            text += n + 1;
        } else {
            buf_byte(&out, *text);
        }
    }
    filled = arena_text(a, out.data ? out.data : "");
out:
    if (out.data)
        explicit_bzero(out.data, out.size);
    buf_fini(&out);
    return filled;
}

static const char *option_of_kind(const struct sl_plugin *p, uint32_t kind)
{
    for (uint32_t i = 0; i < p->n_options; i++)
        if (plugin_option(p, i).kind == kind)
            return plugin_option(p, i).name;
    return NULL;
}

static const char *text_of(const struct sl_value *v)
{
    return v ? v->text : NULL;
}

static const char *find_base(const struct sl_http_rules *rules, const struct sl_value *settings, uint32_t n,
                             struct arena *a)
{
    const char *own = text_of(setting(settings, n, "base_url", strlen("base_url")));
    if (own || !rules->base_url)
        return own;
    return web_fill(rules->base_url, settings, n, false, a);
}

/* The config's own, else the first of the rules whose options are all set. */
static const char *find_auth(const struct sl_plugin *p, const struct sl_http_rules *rules,
                             const struct sl_value *settings, uint32_t n, struct arena *a)
{
    const char *name = option_of_kind(p, SL_OPT_AUTH), *json = NULL;
    if (name)
        json = text_of(setting(settings, n, name, strlen(name)));
    for (uint32_t i = 0; !json && i < rules->n_auths; i++)
        json = web_fill(rules->auths[i], settings, n, true, a);
    return json;
}

static int64_t now_ms(void *self)
{
    const struct session_world *w = self;
    return w->now_ms(w->self);
}

static void randomness(void *self, void *bytes, size_t n_bytes)
{
    const struct session_world *w = self;
    w->random(w->self, bytes, n_bytes);
}

static int stopping(void *self)
{
    const struct session_world *w = self;
    return w->stopping(w->self);
}

static int64_t mono_us(void *self)
{
    const struct session_world *w = self;
    return w->mono_us ? w->mono_us(w->self) : clock_mono_us();
}

static int open_all(struct web *w, const struct sl_plugin *p, const char *connection, const struct sl_value *settings,
                    uint32_t n, const struct session_net *net, struct err *e)
{
    struct err why = {0};
    const struct sl_http_rules rules = plugin_http_rules(p);
    const char *base = find_base(&rules, settings, n, &w->memory);
    if (!base)
        return err_set(e, ERR_CONFIG, "%s: connector %s does not know its server; set base_url", connection, p->name);
    struct transfer_limits limits = {.timeout_ms = net->timeout_ms,
                                     .plain_http = net->allow_plain_http,
                                     .ca_file = net->ca_file,
                                     .tape = net->tape,
                                     .connection = connection};
    struct auth_settings credentials = {.json = find_auth(p, &rules, settings, n, &w->memory),
                                        .base_url = base,
                                        .limits = limits,
                                        .allow_private = net->allow_private,
                                        .tokens = net->tokens};
    struct http_settings s = {.connection = connection,
                              .base_url = base,
                              .origins = rules.origins,
                              .n_origins = rules.n_origins,
                              .requests_per_minute = net->requests_per_minute,
                              .pace = net->pace,
                              .in_flight = net->in_flight,
                              .idempotency_header = rules.idempotency_header,
                              .allow_private = net->allow_private,
                              .limits = limits};
    if (auth_open(&credentials, &w->auth, &why))
        return err_set(e, ERR_CONFIG, "%s: %s", connection, why.text);
    return http_open(&s, w->auth, &w->world, &w->http, e);
}

int web_open(const struct sl_plugin *plugin, const char *connection, const struct sl_value *settings,
             uint32_t n_settings, const struct session_net *net, const struct session_world *world, struct web **out,
             struct err *e)
{
    struct web *w = mem_alloc(sizeof *w);
    w->world = (struct http_world){(void *)(uintptr_t)world, now_ms, randomness, stopping, mono_us};
    int rc = open_all(w, plugin, connection, settings, n_settings, net, e);
    if (rc)
        web_close(w);
    else
        *out = w;
    return rc;
}

void web_close(struct web *w)
{
    if (!w)
        return;
    http_close(w->http);
    auth_close(w->auth);
    arena_fini(&w->memory);
    mem_free(w);
}

struct http *web_http(struct web *w)
{
    return w->http;
}
