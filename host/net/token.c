/* SPDX-License-Identifier: MIT */
/* token.c - an access token's life: used, kept for other processes, renewed by one of them. */
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "net/auth_inside.h"
#include "net/sign.h"

/* A token that ends this soon is renewed first; one of a short life is used for three quarters of it. */
enum { EARLY_MS = 60000, EARLY_SHARE = 4 };

static void replace(char **at, const char *text)
{
    if (*at) {
        sign_wipe(*at, strlen(*at));
        mem_free(*at);
    }
    *at = text ? mem_dup(text) : NULL;
    if (text)
        log_secret(text);
}

void auth_set_token(struct auth *a, const char *token, int64_t now_ms, int64_t ends_ms)
{
    int64_t share = (ends_ms - now_ms) / EARLY_SHARE;
    replace(&a->token, token);
    a->ends_ms = ends_ms;
    a->early_ms = share < EARLY_MS ? share : EARLY_MS;
    a->n_tokens++;
}

void auth_set_refresh(struct auth *a, const char *refresh)
{
    replace(&a->refresh, refresh);
}

static bool good(const struct auth *a, int64_t now_ms)
{
    return a->token && !a->unsaved && now_ms < a->ends_ms - a->early_ms;
}

static int save(struct auth *a, struct err *e)
{
    struct buf text = {0};
    a->unsaved = a->tokens.save && a->refresh; /* what can be had again at any time is kept nowhere */
    if (!a->unsaved)
        return 0;
    buf_byte(&text, '{');
    json_put_text(&text, "access_token", a->token);
    if (a->refresh)
        json_put_text(&text, "refresh_token", a->refresh);
    json_put_key(&text, "ends_ms");
    buf_printf(&text, "%lld}", (long long)a->ends_ms);
    int rc = a->tokens.save(a->tokens.self, text.data, e);
    a->unsaved = rc != 0;
    sign_wipe(text.data, text.size);
    buf_fini(&text);
    return rc;
}

static const char *text_of(const struct json *root, const char *name)
{
    const struct json *n = json_get(root, name);
    return n && json_type(n) == JSON_STRING ? json_text(n, NULL) : NULL;
}

/* What another process, or an earlier one, got. A damaged text is none. */
static int load(struct auth *a, int64_t now_ms, struct err *e)
{
    struct arena memory = {0};
    struct err bad = {0};
    const char *text = NULL;
    int rc = a->tokens.load ? a->tokens.load(a->tokens.self, &memory, &text, e) : 0;
    struct json_doc *doc = rc == 0 && text ? json_parse(text, strlen(text), NULL, &bad) : NULL;
    if (doc && json_type(json_root(doc)) == JSON_OBJECT) {
        const char *token = text_of(json_root(doc), "access_token"),
                   *refresh = text_of(json_root(doc), "refresh_token");
        const struct json *ends = json_get(json_root(doc), "ends_ms");
        int64_t ends_ms = 0;
        bool other = token && !(a->refused && a->token && strcmp(a->token, token) == 0);
        if (refresh)
            auth_set_refresh(a, refresh);
        if (other && ends && json_int(ends, &ends_ms))
            auth_set_token(a, token, now_ms, ends_ms);
    }
    json_free(doc);
    arena_fini(&memory);
    return rc;
}

/*
 * The new token is durable before it is used: a refresh token that was rotated and lost locks everybody out. One that could not be saved is
 * the newest there is, whatever was kept before.
 */
static int renew(struct auth *a, int (*fetch)(struct auth *a, int64_t now_ms, struct err *e), int64_t now_ms,
                 struct err *e)
{
    if (a->unsaved ? save(a, e) : load(a, now_ms, e))
        return e->code;
    if (good(a, now_ms))
        return 0;
    if (fetch(a, now_ms, e) || save(a, e))
        return e->code;
    return 0;
}

int token_get(struct auth *a, int (*fetch)(struct auth *a, int64_t now_ms, struct err *e), int64_t now_ms,
              struct err *e)
{
    if (good(a, now_ms))
        return 0;
    if (a->tokens.lock && a->tokens.lock(a->tokens.self, e))
        return e->code;
    int rc = renew(a, fetch, now_ms, e);
    if (a->tokens.unlock)
        a->tokens.unlock(a->tokens.self);
    a->refused = a->refused && rc != 0;
    return rc;
}
