/* SPDX-License-Identifier: MIT */
/* grant.c - asking a token server: client credentials, refresh token, JWT assertion, GitHub app. */
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "net/auth_inside.h"
#include "net/policy.h"
#include "net/sign.h"

enum { LIFETIME_S = 3600, SHORT_LIFE_S = 540, BACKDATED_S = 30, WAIT_MS = 200, WORD_BYTES = 40 };

/* One request to the token server. */
struct asking {
    struct auth *a;
    struct arena memory;
    struct buf form;
    struct sl_header headers[3];
    size_t n_headers;
    const char *url;
    struct transfer t;
};

static void add(struct asking *k, const char *name, const char *value)
{
    if (value)
        buf_printf(&k->form, "%s%s=%s", k->form.size ? "&" : "", name, url_escape(value, strlen(value), &k->memory));
}

static void add_header(struct asking *k, const char *name, const char *value)
{
    k->headers[k->n_headers++] = (struct sl_header){.name = name, .value = value};
}

static int begin(struct asking *k, struct auth *a, const char *path, struct err *e)
{
    *k = (struct asking){.a = a};
    add_header(k, "Accept", "application/json");
    return url_resolve(a->base_url, path, &k->memory, &k->url, e);
}

static void finish(struct asking *k)
{
    if (k->form.data)
        sign_wipe(k->form.data, k->form.size);
    buf_fini(&k->form);
    arena_fini(&k->memory);
    transfer_fini(&k->t);
}

/* Basic is what RFC 6749 asks every server to know; some know only the body. */
static void add_client(struct asking *k)
{
    const char *id = auth_member(k->a, "client_id"), *secret = auth_member(k->a, "client_secret");
    const char *how = auth_member(k->a, "client_auth");
    struct arena *m = &k->memory;
    if (!secret || (how && strcmp(how, "body") == 0)) {
        add(k, "client_id", id);
        add(k, "client_secret", secret);
        return;
    }
    const char *both = arena_printf(m, "%s:%s", url_escape(id, strlen(id), m), url_escape(secret, strlen(secret), m));
    const char *word = sign_base64(both, strlen(both), m);
    log_secret(word);
    add_header(k, "Authorization", arena_printf(m, "Basic %s", word));
}

static void carry_out(struct asking *k)
{
    struct transfer_pool *pool = transfer_open(&k->a->limits);
    k->t.method = "POST";
    k->t.once = true;
    k->t.for_token = true;
    k->t.n_credit = k->n_headers - 1; /* all but Accept */
    k->t.near = k->a->allow_private || url_near(k->url);
    k->t.url = k->url;
    k->t.headers = k->headers;
    k->t.n_headers = k->n_headers;
    k->t.body = k->form.data;
    k->t.body_bytes = k->form.size;
    transfer_start(pool, &k->t);
    while (!transfer_next(pool, WAIT_MS))
        ;
    transfer_close(pool);
}

static const char *text_of(const struct json *root, const char *name)
{
    const struct json *n = root && json_type(root) == JSON_OBJECT ? json_get(root, name) : NULL;
    return n && json_type(n) == JSON_STRING ? json_text(n, NULL) : NULL;
}

bool token_word(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
    return n && n <= WORD_BYTES && !text[n];
}

/* The `error` of RFC 6749 is a word of a fixed list; what is none, or the description, may hold anything and is not shown. */
static int refused(struct asking *k, const struct json *root, struct err *e)
{
    const char *said = text_of(root, "error"), *word = said && token_word(said) ? said : NULL,
               *shown = url_shown(k->url, &k->memory);
    bool for_good =
        k->t.end == NET_ANSWERED && k->t.status >= 400 && k->t.status < 500 && k->t.status != 408 && k->t.status != 429;
    if (k->t.end != NET_ANSWERED)
        return err_set(e, ERR_FAILED, "the token server %s gave no answer: %s", shown, k->t.why);
    return err_set(e, for_good ? ERR_CONFIG : ERR_FAILED, "the token server %s answered %u%s%s; %s", shown, k->t.status,
                   word ? " " : "", word ? word : "", for_good ? "check the credentials" : "run again later");
}

static int64_t lifetime_s(const struct json *root)
{
    const struct json *n = json_get(root, "expires_in"); /* a number, or a text that holds one */
    const char *text = n ? json_text(n, NULL) : NULL;
    int64_t s = 0;
    for (; text && *text >= '0' && *text <= '9' && s < 100000000; text++)
        s = s * 10 + (*text - '0');
    return s ? s : LIFETIME_S;
}

static int take(struct asking *k, const char *member, int64_t now_ms, struct err *e)
{
    struct err bad = {0};
    carry_out(k);
    struct json_doc *doc = k->t.answer.size ? json_parse(k->t.answer.data, k->t.answer.size, NULL, &bad) : NULL;
    const struct json *root = doc ? json_root(doc) : NULL;
    const char *token = text_of(root, member), *ends = text_of(root, "expires_at"),
               *next = text_of(root, "refresh_token");
    int64_t ends_ms = 0;
    uint32_t grain = 0;
    int rc = 0;
    if (k->t.end != NET_ANSWERED || k->t.status < 200 || k->t.status > 299)
        rc = refused(k, root, e);
    else if (!token)
        rc = err_set(e, ERR_FAILED, "the token server %s answered without %s", url_shown(k->url, &k->memory), member);
    if (rc == 0) {
        if (!ends || !timestamp_parse(ends, &ends_ms, &grain))
            ends_ms = now_ms + lifetime_s(root) * 1000;
        auth_set_token(k->a, token, now_ms, ends_ms);
        if (next && auth_member(k->a, "refresh_token")) /* else nobody would ask with it: it is nothing to keep */
            auth_set_refresh(k->a, next);
    }
    json_free(doc);
    if (k->t.answer.data)
        sign_wipe(k->t.answer.data, k->t.answer.size);
    return rc;
}

int token_by_client(struct auth *a, int64_t now_ms, struct err *e)
{
    struct asking k;
    int rc = begin(&k, a, auth_member(a, "token_url"), e);
    if (rc == 0) {
        add(&k, "grant_type", "client_credentials");
        add(&k, "scope", auth_member(a, "scope"));
        add_client(&k);
        rc = take(&k, "access_token", now_ms, e);
    }
    finish(&k);
    return rc;
}

static int refresh_with(struct auth *a, const char *refresh, int64_t now_ms, struct err *e)
{
    struct asking k;
    int rc = begin(&k, a, auth_member(a, "token_url"), e);
    if (rc == 0) {
        add(&k, "grant_type", "refresh_token");
        add(&k, "refresh_token", refresh);
        add(&k, "scope", auth_member(a, "scope"));
        add_client(&k);
        rc = take(&k, "access_token", now_ms, e);
    }
    finish(&k);
    return rc;
}

/* Where the kept one is refused, a person may have put a newer one into the config since. */
int token_by_refresh(struct auth *a, int64_t now_ms, struct err *e)
{
    const char *given = auth_member(a, "refresh_token");
    struct err kept = {0}, other = {0};
    int rc = refresh_with(a, a->refresh ? a->refresh : given, now_ms, &kept);
    if (rc == ERR_CONFIG && a->refresh && strcmp(a->refresh, given) != 0)
        rc = refresh_with(a, given, now_ms, &other);
    const struct err *why = other.code ? &other : &kept;
    return rc ? err_set(e, why->code, "%s", why->text) : 0;
}

static void put_text(struct buf *out, const char *name, const char *text)
{
    if (!text)
        return;
    json_put_key(out, name);
    json_put_string(out, text, strlen(text));
}

static int make_jwt(struct asking *k, const char *alg, const char *iss, const char *aud, int64_t now_ms, int64_t life_s,
                    const char **jwt, struct err *e)
{
    struct buf header = {0}, payload = {0};
    const struct auth *a = k->a;
    buf_byte(&header, '{');
    put_text(&header, "typ", "JWT");
    put_text(&header, "alg", alg);
    put_text(&header, "kid", auth_member(a, "kid"));
    buf_byte(&header, '}');
    buf_byte(&payload, '{');
    put_text(&payload, "iss", iss);
    put_text(&payload, "sub", auth_member(a, "sub"));
    put_text(&payload, "aud", aud);
    put_text(&payload, "scope", auth_member(a, "scope"));
    buf_printf(&payload, ",\"iat\":%lld,\"exp\":%lld}", (long long)(now_ms / 1000 - BACKDATED_S),
               (long long)(now_ms / 1000 + life_s));
    int rc = sign_jwt(alg, auth_member(a, "private_key"), header.data, payload.data, &k->memory, jwt, e);
    if (rc == 0)
        log_secret(*jwt);
    buf_fini(&header);
    buf_fini(&payload);
    return rc;
}

/* grant `client_credentials` (NetSuite) sends the JWT as the client's proof, else it is the grant itself (RFC 7523). */
int token_by_jwt(struct auth *a, int64_t now_ms, struct err *e)
{
    struct asking k;
    const char *jwt = NULL, *aud = auth_member(a, "aud"), *grant = auth_member(a, "grant");
    int rc = begin(&k, a, auth_member(a, "token_url"), e);
    rc = rc ? rc
            : make_jwt(&k, auth_member(a, "alg"), auth_member(a, "iss"), aud ? aud : k.url, now_ms,
                       LIFETIME_S - 2 * BACKDATED_S, &jwt, e);
    if (rc == 0 && grant && strcmp(grant, "client_credentials") == 0) {
        add(&k, "grant_type", grant);
        add(&k, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        add(&k, "client_assertion", jwt);
    } else if (rc == 0) {
        add(&k, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
        add(&k, "assertion", jwt);
    }
    rc = rc ? rc : take(&k, "access_token", now_ms, e);
    finish(&k);
    return rc;
}

int token_by_github(struct auth *a, int64_t now_ms, struct err *e)
{
    struct asking k;
    struct arena m = {0};
    const char *jwt = NULL;
    const char *path = arena_printf(&m, "/app/installations/%s/access_tokens", auth_member(a, "installation_id"));
    int rc = begin(&k, a, path, e);
    rc = rc ? rc : make_jwt(&k, "RS256", auth_member(a, "app_id"), NULL, now_ms, SHORT_LIFE_S, &jwt, e);
    if (rc == 0) {
        add_header(&k, "Authorization", arena_printf(&k.memory, "Bearer %s", jwt));
        rc = take(&k, "token", now_ms, e);
    }
    finish(&k);
    arena_fini(&m);
    return rc;
}
