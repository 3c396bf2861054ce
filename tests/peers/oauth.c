/* SPDX-License-Identifier: MIT */
/* oauth.c - the peer's token server: client credentials, refresh tokens that rotate, signed assertions; and who may come in. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "jwt.h"
#include "peer.h"

enum { TOKENS = 64, LIFETIME_S = 3600 };

struct token {
    char text[64];
    int64_t ends_ms; /* 0: free */
};

/* One client; what is empty is not asked for. */
struct oauth {
    char client_id[80], client_secret[80], refresh[64];
    char before[64]; /* the refresh token before this one */
    char issuer[80];
    char *public_key; /* PEM */
    int64_t lifetime_s;
    bool rotates, grace; /* grace: the one before is still taken */
    uint64_t serial;
    struct token tokens[TOKENS];
};

struct oauth *oauth_new(void)
{
    struct oauth *o = mem_alloc(sizeof *o);
    o->lifetime_s = LIFETIME_S;
    o->rotates = true;
    return o;
}

static void copy(const struct json *root, const char *member, char *out, size_t room)
{
    const struct json *n = json_get(root, member);
    if (n && json_type(n) == JSON_STRING)
        snprintf(out, room, "%s", json_text(n, NULL));
}

static void admit(struct peer *p, const char *text, int64_t lifetime_s)
{
    struct token *t = &p->oauth->tokens[p->oauth->serial++ % TOKENS];
    snprintf(t->text, sizeof t->text, "%s", text);
    t->ends_ms = peer_now_ms(p) + lifetime_s * 1000;
}

void oauth_control(struct peer *p, const struct json *root, struct answer *a)
{
    struct oauth *o = p->oauth;
    const struct json *life = json_get(root, "lifetime_s"), *rotates = json_get(root, "rotates"),
                      *grace = json_get(root, "grace"), *token = json_get(root, "token"),
                      *key = json_get(root, "public_key");
    copy(root, "client_id", o->client_id, sizeof o->client_id);
    copy(root, "client_secret", o->client_secret, sizeof o->client_secret);
    copy(root, "refresh_token", o->refresh, sizeof o->refresh);
    copy(root, "issuer", o->issuer, sizeof o->issuer);
    copy(root, "webhook_secret", p->hook_secret, sizeof p->hook_secret);
    if (life && !json_int(life, &o->lifetime_s))
        answer_error(a, 400, "lifetime_s is no whole number");
    if (rotates)
        o->rotates = json_bool(rotates);
    if (grace)
        o->grace = json_bool(grace);
    if (token && json_type(token) == JSON_STRING)
        admit(p, json_text(token, NULL), o->lifetime_s);
    if (key && json_type(key) == JSON_STRING) {
        mem_free(o->public_key);
        o->public_key = mem_dup(json_text(key, NULL));
    }
}

void oauth_expire(struct peer *p)
{
    memset(p->oauth->tokens, 0, sizeof p->oauth->tokens);
}

bool oauth_good(struct peer *p, const struct request *q)
{
    const char *given = request_header(q, "Authorization");
    for (size_t i = 0; given && strncmp(given, "Bearer ", 7) == 0 && i < TOKENS; i++) {
        const struct token *t = &p->oauth->tokens[i];
        if (t->ends_ms > peer_now_ms(p) && strcmp(t->text, given + 7) == 0)
            return true;
    }
    return false;
}

/* --- the token's request --- */

/* Undoes %XX and + of n bytes. */
static const char *unescape(const char *text, size_t n, struct arena *a)
{
    char *out = arena_alloc(a, n + 1), *at = out;
    for (size_t i = 0; i < n; i++) {
        unsigned code = 0;
        if (text[i] == '%' && i + 2 < n && sscanf(text + i + 1, "%2x", &code) == 1) {
            *at++ = (char)code;
            i += 2;
        } else {
            *at++ = text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

static const char *form(struct request *q, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = q->body.size ? q->body.data : ""; *at;) {
        size_t size = strcspn(at, "&");
        if (size > n && strncmp(at, name, n) == 0 && at[n] == '=')
            return unescape(at + n + 1, size - n - 1, &q->memory);
        at += size + (at[size] == '&');
    }
    return NULL;
}

/* By Basic, or in the body. */
static bool client_known(const struct oauth *o, struct request *q)
{
    const char *basic = request_header(q, "Authorization"), *id = form(q, "client_id"),
               *secret = form(q, "client_secret");
    if (basic && strncmp(basic, "Basic ", 6) == 0) {
        const char *both = jwt_base64(basic + 6, &q->memory), *colon = both ? strchr(both, ':') : NULL;
        id = colon ? unescape(both, (size_t)(colon - both), &q->memory) : NULL;
        secret = colon ? unescape(colon + 1, strlen(colon + 1), &q->memory) : NULL;
    }
    return is(id, o->client_id) && (!*o->client_secret || is(secret, o->client_secret));
}

static const char *by_client(struct peer *p, struct request *q)
{
    const struct oauth *o = p->oauth;
    const char *assertion = form(q, "client_assertion");
    if (assertion)
        return jwt_refused(assertion, o->public_key, o->issuer, peer_now_ms(p), &q->memory) ? "invalid_client" : NULL;
    return client_known(o, q) ? NULL : "invalid_client";
}

static const char *by_refresh(struct peer *p, struct request *q)
{
    struct oauth *o = p->oauth;
    const char *given = form(q, "refresh_token");
    if (struck(p, KNOB_REFRESH_REVOKED))
        o->refresh[0] = o->before[0] = '\0';
    if (!client_known(o, q))
        return "invalid_client";
    if (!given || !*given || (strcmp(given, o->refresh) != 0 && !(o->grace && strcmp(given, o->before) == 0)))
        return "invalid_grant";
    if (o->rotates) {
        snprintf(o->before, sizeof o->before, "%s", given);
        snprintf(o->refresh, sizeof o->refresh, "refresh-%llu", (unsigned long long)(o->serial + 1));
    }
    return NULL;
}

static const char *by_assertion(struct peer *p, struct request *q)
{
    const char *jwt = form(q, "assertion");
    bool good = jwt && !jwt_refused(jwt, p->oauth->public_key, p->oauth->issuer, peer_now_ms(p), &q->memory);
    return good ? NULL : "invalid_grant";
}

static const struct {
    const char *type;
    const char *(*refused)(struct peer *p, struct request *q); /* the `error` of RFC 6749; NULL: granted */
    bool with_refresh;
} grants[] = {
    {"client_credentials", by_client, false},
    {"refresh_token", by_refresh, true},
    {"urn:ietf:params:oauth:grant-type:jwt-bearer", by_assertion, false},
};

static void grant(struct peer *p, bool with_refresh, struct answer *a)
{
    struct oauth *o = p->oauth;
    char text[64];
    snprintf(text, sizeof text, "access-%llu", (unsigned long long)(o->serial + 1));
    admit(p, text, o->lifetime_s);
    p->counted.tokens++;
    buf_printf(&a->body, "{\"access_token\":\"%s\",\"token_type\":\"Bearer\",\"expires_in\":%lld", text,
               (long long)o->lifetime_s);
    if (with_refresh && o->rotates)
        buf_printf(&a->body, ",\"refresh_token\":\"%s\"", o->refresh);
    buf_byte(&a->body, '}');
}

/* As some servers do, the description repeats what was sent, secrets too: nobody may show it. */
static void refuse(const struct request *q, const char *why, struct answer *a)
{
    answer_error(a, strcmp(why, "invalid_client") == 0 ? 401 : 400, why);
    a->body.size--;
    json_put_key(&a->body, "error_description");
    json_put_string(&a->body, q->body.size ? q->body.data : "", q->body.size);
    buf_byte(&a->body, '}');
}

/* GitHub's: an app signs in with an assertion and gets a token for one installation. */
void oauth_serve_app(struct peer *p, struct request *q, struct answer *a)
{
    const char *given = request_header(q, "Authorization");
    bool good = given && strncmp(given, "Bearer ", 7) == 0 &&
                !jwt_refused(given + 7, p->oauth->public_key, p->oauth->issuer, peer_now_ms(p), &q->memory);
    if (!good) {
        answer_error(a, 401, "A JSON web token could not be decoded");
        return;
    }
    const char *text = arena_printf(&q->memory, "app-%llu", (unsigned long long)(p->oauth->serial + 1));
    admit(p, text, p->oauth->lifetime_s);
    p->counted.tokens++;
    a->status = 201;
    buf_printf(&a->body, "{\"token\":\"%s\",\"expires_at\":", text);
    put_time(p, peer_now_ms(p) + p->oauth->lifetime_s * 1000, &a->body);
    buf_byte(&a->body, '}');
}

void oauth_serve(struct peer *p, struct request *q, struct answer *a)
{
    const char *type = form(q, "grant_type"), *why = "unsupported_grant_type";
    for (size_t i = 0; i < sizeof grants / sizeof *grants; i++)
        if (is(type, grants[i].type)) {
            why = grants[i].refused(p, q);
            if (!why)
                grant(p, grants[i].with_refresh, a);
        }
    if (why)
        refuse(q, why, a);
    a->dropped = struck(p, KNOB_TOKEN_LOST);
}
