/* SPDX-License-Identifier: MIT */
/* oauth1.c - the signature of OAuth 1.0a with HMAC-SHA256. */
#include "net/oauth1.h"

#include <stdlib.h>
#include <string.h>

#include "net/sign.h"
#include "net/transfer.h"
#include "syncline/syncline.h"

enum { OWN_PARAMS = 6 };

struct param {
    const char *name, *value; /* percent-encoded */
};

static const char *escaped(const char *text, struct arena *a)
{
    return url_escape(text, strlen(text), a);
}

/* A part of a query, read and encoded anew, so that every way of writing it gives one base string. */
static const char *again(const char *text, size_t n, struct arena *a)
{
    size_t n_plain = 0;
    char *blanks = arena_dup(a, text, n);
    for (char *c = blanks; *c; c++)
        *c = *c == '+' ? ' ' : *c;
    const char *plain = url_unescape(blanks, n, &n_plain, a);
    return url_escape(plain, n_plain, a);
}

static size_t read_query(const char *query, size_t n_query, struct param *out, struct arena *a)
{
    size_t n = 0;
    for (const char *at = query, *end = query + n_query; at < end; n++) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        size_t size = (size_t)((stop ? stop : end) - at);
        const char *is = memchr(at, '=', size);
        out[n].name = again(at, is ? (size_t)(is - at) : size, a);
        out[n].value = is ? again(is + 1, size - (size_t)(is + 1 - at), a) : "";
        at += size + 1;
    }
    return n;
}

static int by_name(const void *x, const void *y)
{
    const struct param *a = x, *b = y;
    int order = strcmp(a->name, b->name);
    return order ? order : strcmp(a->value, b->value);
}

static const char *base_string(const char *method, const char *url, const struct param *own, struct arena *a)
{
    size_t n_url = strcspn(url, "?#"), n_query = 0, n = 0;
    const char *query = url[n_url] == '?' ? url + n_url + 1 : "";
    n_query = strcspn(query, "#");
    struct param *all = arena_alloc(a, (n_query + 1 + OWN_PARAMS) * sizeof *all);
    struct buf joined = {0};
    n = read_query(query, n_query, all, a);
    for (size_t i = 0; i < OWN_PARAMS; i++)
        all[n++] = own[i];
    qsort(all, n, sizeof *all, by_name);
    for (size_t i = 0; i < n; i++)
        buf_printf(&joined, "%s%s=%s", i ? "&" : "", all[i].name, all[i].value);
    const char *text = arena_printf(a, "%s&%s&%s", method, url_escape(url, n_url, a), escaped(joined.data, a));
    buf_fini(&joined);
    return text;
}

const char *oauth1_header(const struct oauth1 *keys, const char *method, const char *url, int64_t now_s,
                          const char *nonce, struct arena *a)
{
    const struct param own[OWN_PARAMS] = {{"oauth_consumer_key", escaped(keys->consumer_key, a)},
                                          {"oauth_token", escaped(keys->token, a)},
                                          {"oauth_signature_method", "HMAC-SHA256"},
                                          {"oauth_timestamp", arena_printf(a, "%lld", (long long)now_s)},
                                          {"oauth_nonce", escaped(nonce, a)},
                                          {"oauth_version", "1.0"}};
    const char *base = base_string(method, url, own, a);
    const char *key = arena_printf(a, "%s&%s", escaped(keys->consumer_secret, a), escaped(keys->token_secret, a));
    uint8_t mac[SIGN_MAX];
    size_t n = sign_hmac(SL_HMAC_SHA256, key, strlen(key), base, strlen(base), mac);
    struct buf line = {0};
    buf_text(&line, "OAuth ");
    if (keys->realm)
        buf_printf(&line, "realm=\"%s\",", keys->realm);
    for (size_t i = 0; i < OWN_PARAMS; i++)
        buf_printf(&line, "%s=\"%s\",", own[i].name, own[i].value);
    buf_printf(&line, "oauth_signature=\"%s\"", escaped(sign_base64(mac, n, a), a));
    const char *text = arena_text(a, line.data);
    buf_fini(&line);
    return text;
}
