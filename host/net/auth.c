/* SPDX-License-Identifier: MIT */
/* auth.c - credentials on requests: which kind, and the kinds that need no token. */
#include "net/auth.h"

#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "net/auth_inside.h"
#include "net/oauth1.h"
#include "net/sign.h"

static void put_header(struct auth_credit *out, const char *name, const char *value)
{
    out->headers[out->n_headers++] = (struct sl_header){.name = name, .value = value};
}

static int put_nothing(const struct auth *a, const struct auth_request *r, int64_t now_ms, struct arena *m,
                       struct auth_credit *out)
{
    (void)a, (void)r, (void)now_ms, (void)m, (void)out;
    return 0;
}

static int put_basic(const struct auth *a, const struct auth_request *r, int64_t now_ms, struct arena *m,
                     struct auth_credit *out)
{
    const char *both = arena_printf(m, "%s:%s", auth_member(a, "user"), auth_member(a, "password"));
    const char *word = sign_base64(both, strlen(both), m);
    (void)r, (void)now_ms;
    log_secret(word);
    put_header(out, "Authorization", arena_printf(m, "Basic %s", word));
    return 0;
}

static int put_bearer(const struct auth *a, const struct auth_request *r, int64_t now_ms, struct arena *m,
                      struct auth_credit *out)
{
    (void)r, (void)now_ms;
    put_header(out, "Authorization", arena_printf(m, "Bearer %s", auth_member(a, "token")));
    return 0;
}

static int put_key(const struct auth *a, const struct auth_request *r, int64_t now_ms, struct arena *m,
                   struct auth_credit *out)
{
    const char *value = auth_member(a, "value"), *name = auth_member(a, "name"), *where = auth_member(a, "in");
    const char *prefix = auth_member(a, "prefix");
    (void)now_ms;
    if (!where || strcmp(where, "header") == 0) {
        put_header(out, name, arena_printf(m, "%s%s", prefix ? prefix : "", value));
        return 0;
    }
    out->url = arena_printf(m, "%s%c%s=%s", r->url, strchr(r->url, '?') ? '&' : '?', url_escape(name, strlen(name), m),
                            url_escape(value, strlen(value), m));
    return 0;
}

static int put_oauth1(const struct auth *a, const struct auth_request *r, int64_t now_ms, struct arena *m,
                      struct auth_credit *out)
{
    const struct oauth1 keys = {auth_member(a, "consumer_key"), auth_member(a, "consumer_secret"),
                                auth_member(a, "token_id"), auth_member(a, "token_secret"), auth_member(a, "realm")};
    uint8_t random[16];
    char nonce[2 * sizeof random + 1];
    random_bytes(random, sizeof random);
    hex_encode(random, sizeof random, nonce);
    put_header(out, "Authorization", oauth1_header(&keys, r->method, r->url, now_ms / 1000, nonce, m));
    return 0;
}

static int put_token(const struct auth *a, const struct auth_request *r, int64_t now_ms, struct arena *m,
                     struct auth_credit *out)
{
    (void)r, (void)now_ms;
    put_header(out, "Authorization", arena_printf(m, "Bearer %s", a->token));
    return 0;
}

/* A type, its members (those with a ! are needed, those with a * are secret), and what it puts on a request. */
static const struct kind {
    const char *type;
    const char *members[10];
    int (*put)(const struct auth *a, const struct auth_request *r, int64_t now_ms, struct arena *m,
               struct auth_credit *out);
    int (*fetch)(struct auth *a, int64_t now_ms, struct err *e); /* NULL: there is no token to get */
} kinds[] = {
    {"none", {NULL}, put_nothing, NULL},
    {"basic", {"!user", "!*password"}, put_basic, NULL},
    {"bearer", {"!*token"}, put_bearer, NULL},
    {"api_key", {"!name", "!*value", "in", "prefix"}, put_key, NULL},
    {"client_credentials",
     {"!token_url", "!client_id", "!*client_secret", "scope", "client_auth"},
     put_token,
     token_by_client},
    {"refresh_token",
     {"!token_url", "!client_id", "*client_secret", "!*refresh_token", "scope", "client_auth"},
     put_token,
     token_by_refresh},
    {"jwt",
     {"!token_url", "!alg", "!*private_key", "!iss", "kid", "sub", "aud", "scope", "grant"},
     put_token,
     token_by_jwt},
    {"github_app", {"!app_id", "!installation_id", "!*private_key"}, put_token, token_by_github},
    {"oauth1", {"!consumer_key", "!*consumer_secret", "!token_id", "!*token_secret", "realm"}, put_oauth1, NULL},
};

#define TYPES "none, basic, bearer, api_key, client_credentials, refresh_token, jwt, github_app or oauth1"

static const struct kind *kind_of(const char *type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].type, type) == 0)
            return &kinds[i];
    return NULL;
}

const char *auth_member(const struct auth *a, const char *name)
{
    const struct json *node = json_get(json_root(a->doc), name);
    return node ? json_text(node, NULL) : NULL;
}

/* The member's plain name; *marks gets those before it. */
static const char *plain(const char *member, bool *needed, bool *secret)
{
    *needed = *member == '!';
    member += *needed;
    *secret = *member == '*';
    return member + *secret;
}

static int check_members(const struct auth *a, const struct kind *k, struct err *e)
{
    for (size_t i = 0; i < sizeof k->members / sizeof *k->members && k->members[i]; i++) {
        bool needed, secret;
        const char *name = plain(k->members[i], &needed, &secret), *value = auth_member(a, name);
        if (needed && !value)
            return err_set(e, ERR_CONFIG, "auth: %s needs the text %s", k->type, name);
        if (secret && value)
            log_secret(value);
    }
    for (const struct json *n = json_first(json_root(a->doc)); n; n = json_next(n)) {
        bool secret;
        if (!auth_knows(k->type, json_key(n), &secret))
            return err_set(e, ERR_CONFIG, "auth: %s has no member %s; see the connector's README", k->type,
                           json_key(n));
    }
    return 0;
}

static int read_json(struct auth *a, const char *json, struct err *e)
{
    struct err bad = {0};
    a->doc = json_parse(json, strlen(json), NULL, &bad);
    if (!a->doc || json_type(json_root(a->doc)) != JSON_OBJECT)
        return err_set(e, ERR_CONFIG, "auth: it is no JSON object; give {\"type\": ...}");
    const char *type = auth_member(a, "type");
    a->kind = type ? kind_of(type) : NULL;
    if (!a->kind)
        return err_set(e, ERR_CONFIG, "auth: type %s is not known; use " TYPES, type ? type : "(missing)");
    return check_members(a, a->kind, e);
}

bool auth_knows(const char *type, const char *member, bool *secret)
{
    const struct kind *k = kind_of(type);
    bool needed, known = k && strcmp(member, "type") == 0;
    for (size_t i = 0; k && !known && i < sizeof k->members / sizeof *k->members && k->members[i]; i++)
        known = strcmp(plain(k->members[i], &needed, secret), member) == 0;
    return known;
}

const char *auth_types(void)
{
    return TYPES;
}

int auth_open(const struct auth_settings *settings, struct auth **out, struct err *e)
{
    struct auth *a = mem_alloc(sizeof *a);
    a->base_url = mem_dup(settings->base_url);
    a->limits = settings->limits;
    a->allow_private = settings->allow_private;
    a->tokens = settings->tokens;
    if (read_json(a, settings->json ? settings->json : "{\"type\": \"none\"}", e)) {
        auth_close(a);
        return e->code;
    }
    *out = a;
    return 0;
}

void auth_close(struct auth *a)
{
    if (!a)
        return;
    auth_set_token(a, NULL, 0, 0);
    auth_set_refresh(a, NULL);
    json_free(a->doc);
    mem_free(a->base_url);
    mem_free(a);
}

int auth_credit(struct auth *a, const struct auth_request *request, int64_t now_ms, struct arena *memory,
                struct auth_credit *out, struct err *e)
{
    if (a->kind->fetch && token_get(a, a->kind->fetch, now_ms, e))
        return e->code;
    out->token = a->n_tokens;
    return a->kind->put(a, request, now_ms, memory, out);
}

bool auth_renew(struct auth *a, uint64_t token)
{
    if (!a->kind->fetch || !a->token)
        return false;
    if (token != a->n_tokens)
        return true;
    a->ends_ms = 0;
    a->refused = true;
    return true;
}
