/* SPDX-License-Identifier: MIT */
/* online.c - the services of HTTP and signatures: what crosses is checked, then handed to the connection's web. */
#include <string.h>

#include "net/sign.h"
#include "plugin/inside.h"
#include "plugin/web.h"
#include "record/value.h"

enum { REQUESTS_MAX = 100000 };

void online_init(struct session *s, const struct sl_value *settings, uint32_t n_settings)
{
    if (!(s->plugin->needs & (SL_NEED_HTTP | SL_NEED_SIGNATURE)))
        return;
    s->settings = arena_alloc(&s->kept, (n_settings + 1) * sizeof *s->settings);
    for (uint32_t i = 0; i < n_settings; i++)
        s->settings[i] = value_copy(&s->kept, &settings[i]);
    s->n_settings = n_settings;
}

void online_fini(struct session *s)
{
    web_close(s->web);
    arena_fini(&s->kept);
}

/* A line break in a header would be another header. */
static const char *bad_header(const struct sl_http_request *q)
{
    for (uint32_t i = 0; i < q->n_headers; i++) {
        const struct sl_header *h = (const void *)((const char *)q->headers + (size_t)i * q->header_size);
        if (!h->name || !*h->name || !h->value || h->name[strcspn(h->name, ":\r\n ")] ||
            h->value[strcspn(h->value, "\r\n")])
            return "a header's name or value is missing or holds a line break";
    }
    return NULL;
}

static bool take_request(struct session *s, const struct sl_http_request *theirs, struct sl_http_request *ours)
{
    const char *bad = NULL;
    if (!items_take(s, "the http request", theirs, theirs->size, SIZE_1_0(struct sl_http_request, repeatable), ours,
                    sizeof *ours))
        return false;
    if (ours->n_headers && !items_stride(s, "the http request's headers", ours->headers, ours->n_headers,
                                         ours->header_size, SIZE_1_0(struct sl_header, value)))
        return false;
    if (!ours->method || !*ours->method || ours->method[strspn(ours->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
        bad = "its method is not made of upper case letters";
    else if (!ours->url || ours->url[strcspn(ours->url, " \r\n\t")])
        bad = "its URL is missing or holds blanks";
    else if (!ours->body && ours->body_bytes)
        bad = "its body is missing";
    else if (ours->idempotency_key && ours->idempotency_key[strcspn(ours->idempotency_key, "\r\n")])
        bad = "its idempotency key holds a line break";
    bad = bad ? bad : bad_header(ours);
    if (bad)
        session_break(s, "an http request is refused: %s", bad);
    return !bad;
}

static struct http *opened(struct session *s)
{
    struct err e = {0};
    if (!s->web && web_open(s->plugin, s->connection, s->settings, s->n_settings, &s->net, s->world, &s->web, &e)) {
        err_set(&s->fault, e.code, "%s", e.text);
        return NULL;
    }
    return web_http(s->web);
}

/* A connector of 1.0 may call what it did not ask for: it is refused in words. */
static int not_asked_for(struct session *s, uint32_t n, const struct sl_http_response **responses)
{
    struct sl_http_response *all = arena_alloc(&s->http, (n + 1) * sizeof *all);
    for (uint32_t i = 0; i < n; i++)
        all[i] = (struct sl_http_response){
            .size = sizeof *all,
            .end = SL_HTTP_REFUSED,
            .advice = SL_UNSUPPORTED,
            .header_size = sizeof(struct sl_header),
            .body = "",
            .message = "HTTP is for connectors that declare SL_NEED_HTTP, and within a call",
        };
    *responses = all;
    return SL_UNSUPPORTED;
}

int online_http_many(void *ctx, const struct sl_http_request *requests, uint32_t n_requests, uint32_t request_size,
                     const struct sl_http_response **responses, uint32_t *response_size)
{
    struct session *s = ctx;
    arena_reset(&s->http);
    *responses = arena_alloc(&s->http, sizeof **responses);
    *response_size = sizeof **responses;
    if (s->fault.code)
        return SL_BROKEN;
    if (s->call == CALL_NONE || !(s->plugin->needs & SL_NEED_HTTP))
        return not_asked_for(s, n_requests < REQUESTS_MAX ? n_requests : 0, responses);
    if (!requests || n_requests == 0 || n_requests > REQUESTS_MAX ||
        request_size < SIZE_1_0(struct sl_http_request, repeatable))
        return session_break(s, "http_many was given %u requests, %u bytes apart", n_requests, request_size);
    struct sl_http_request *ours = arena_alloc(&s->http, n_requests * sizeof *ours);
    struct sl_http_response *all = arena_alloc(&s->http, n_requests * sizeof *all);
    for (uint32_t i = 0; i < n_requests; i++)
        if (!take_request(s, (const void *)((const char *)requests + (size_t)i * request_size), &ours[i]))
            return SL_BROKEN;
    *responses = all;
    if (s->world->parent)
        return s->world->parent->http_many(s->world->self, ours, n_requests, &s->http, all);
    struct http *h = opened(s);
    if (h)
        http_many(h, ours, n_requests, sizeof *ours, &s->http, all);
    return h ? SL_OK : SL_CONFIG;
}

int online_http(void *ctx, const struct sl_http_request *request, const struct sl_http_response **response)
{
    uint32_t only = 0;
    return online_http_many(ctx, request, 1, request ? request->size : 0, response, &only);
}

/* The connector never sees the secret. Without one nothing is equal: every delivery counts as forged. */
static bool right(const struct session *s, uint32_t hash, const char *secret_option, struct slice data,
                  struct slice signature)
{
    uint8_t mac[SIGN_MAX];
    for (uint32_t i = 0; secret_option && i < s->n_settings; i++) {
        const struct sl_value *v = &s->settings[i];
        if (strcmp(v->name, secret_option) != 0 || !v->text_size)
            continue;
        size_t n = sign_hmac((int)hash, v->text, v->text_size, data.data, data.size, mac);
        return n && sign_equal(mac, n, signature.data, signature.size);
    }
    return false;
}

static void keep_signed(struct session *s, struct slice data, struct slice signature)
{
    const struct hash128 parts[2] = {hash128(data.data, data.size), hash128(signature.data, signature.size)};
    s->what_is_signed = hash128(parts, sizeof parts);
    s->is_signed = true;
}

int online_check_signature(void *ctx, uint32_t hash, const char *secret_option, const void *data, size_t data_bytes,
                           const void *signature, size_t signature_bytes)
{
    struct session *s = ctx;
    const struct slice signed_data = slice_of(data, data_bytes), mac = slice_of(signature, signature_bytes);
    if (s->world->parent)
        return s->world->parent->check_signature(s->world->self, hash, secret_option, signed_data, mac);
    bool good = right(s, hash, secret_option, signed_data, mac);
    if (good)
        keep_signed(s, signed_data, mac);
    return good;
}

uint64_t online_calls(const struct session *s)
{
    return s->web ? http_calls(web_http(s->web)) : 0;
}
