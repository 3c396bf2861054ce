/* SPDX-License-Identifier: MIT */
/* hook.c - webhooks: is a delivery signed and fresh, and which records is it about. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rest.h"

#define SIGNATURE_MAX 64u /* bytes of the longest HMAC */
#define ID_MAX 1024u

static const char *header_of(const struct sl_hook *hook, const char *name)
{
    for (uint32_t i = 0; name && i < hook->n_headers; i++) {
        const struct sl_header *h =
            (const void *)((const char *)(const void *)hook->headers + (size_t)hook->header_size * i);
        if (strcasecmp(h->name, name) == 0)
            return h->value;
    }
    return NULL;
}

/* The delivery as messages call it. */
static const char *called(struct rest *r, const struct sl_hook *hook)
{
    char text[140] = "webhook";
    const char *id = header_of(hook, r->webhook.delivery_id.header);
    if (id)
        snprintf(text, sizeof(text), "webhook %.100s", id);
    return sl_pool_dup(&r->call, text, strlen(text));
}

/* --- the signature: each has one spelling, so that nothing but the sender's own text is taken --- */

static const char digits_hex[] = "0123456789abcdef";
static const char digits_base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char digits_base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Digits of so many bits into whole bytes; 0: it is no such text, or has bits left over. */
static size_t decode(const char *text, size_t n, const char *digits, unsigned bits, unsigned char *out)
{
    size_t n_out = 0;
    unsigned held = 0, n_held = 0;
    if (n * bits / 8 > SIGNATURE_MAX || n * bits % 8 >= bits)
        return 0;
    for (size_t i = 0; i < n; i++) {
        const char *digit = text[i] ? strchr(digits, text[i]) : NULL;
        if (!digit)
            return 0;
        held = held << bits | (unsigned)(digit - digits);
        n_held += bits;
        if (n_held >= 8) {
            n_held -= 8;
            out[n_out++] = (unsigned char)(held >> n_held);
            held &= (1u << n_held) - 1;
        }
    }
    return held ? 0 : n_out;
}

/* The text's length without its padding; 0: that is not as it must be. Stripped, it need not be there. */
static size_t unpadded(const char *text, bool stripped)
{
    size_t all = strlen(text), n = all;
    while (n && text[n - 1] == '=' && all - n < 2)
        n--;
    size_t due = (4 - n % 4) % 4;
    return all - n == due || (stripped && all == n) ? n : 0;
}

static size_t signature_of(const struct webhook *w, const char *text, unsigned char out[SIGNATURE_MAX])
{
    size_t n_prefix = w->prefix ? strlen(w->prefix) : 0;
    if (n_prefix && strncmp(text, w->prefix, n_prefix) != 0)
        return 0;
    text += n_prefix;
    if (w->encoding == ENCODING_HEX)
        return decode(text, strlen(text), digits_hex, 4, out);
    return decode(text, unpadded(text, w->strip_pad),
                  w->encoding == ENCODING_BASE64URL ? digits_base64url : digits_base64, 6, out);
}

static bool signed_with(struct rest *r, const char *secret, const struct sl_bytes *data, const unsigned char *signature,
                        size_t n)
{
    return r->host->check_signature(r->host->ctx, (uint32_t)r->webhook.alg, secret, data->data, data->size, signature,
                                    n) == 1;
}

static int check_signed(struct rest *r, const struct sl_hook *hook, const char *what)
{
    const struct webhook *w = &r->webhook;
    const char *text = header_of(hook, w->header), *time = header_of(hook, w->timestamp_header);
    unsigned char signature[SIGNATURE_MAX];
    struct sl_bytes data = {0};
    if (!text)
        return refuse(r, SL_AUTH, "%s: it has no header %s, so nobody signed it; is webhook.header the sender's?", what,
                      w->header);
    size_t n = signature_of(w, text, signature);
    sl_bytes_text(&data, w->signs == SIGNED_TIMESTAMP_BODY && time ? time : "");
    sl_bytes_add(&data, hook->body, hook->body_bytes);
    bool good = n && (signed_with(r, "webhook_secret", &data, signature, n) ||
                      signed_with(r, "webhook_secret_before", &data, signature, n));
    free(data.data);
    return good ? SL_OK
                : refuse(r, SL_AUTH, "%s: its signature in %s is not right; does the sender sign with webhook_secret?",
                         what, w->header);
}

/* --- its time --- */

static bool time_read(const char *text, int64_t *ms)
{
    uint32_t grain_ms = 0;
    size_t n = strlen(text);
    if (n && n <= 12 && strspn(text, "0123456789") == n) {
        *ms = strtoll(text, NULL, 10) * 1000;
        return true;
    }
    return stamp_read(text, ms, &grain_ms);
}

static int check_time(struct rest *r, const struct sl_hook *hook, const char *what)
{
    const struct webhook *w = &r->webhook;
    int64_t ms = 0, now_ms = hook->received_ms > 0 ? hook->received_ms : r->host->now_ms(r->host->ctx);
    const char *text = header_of(hook, w->timestamp_header);
    if (!w->timestamp_header)
        return SL_OK;
    if (!text || !time_read(text, &ms))
        return refuse(r, SL_AUTH, "%s: the time in its header %s is missing or none; is timestamp_header the sender's?",
                      what, w->timestamp_header);
    if (ms < now_ms - w->window_s * 1000 || ms > now_ms + w->window_s * 1000)
        return refuse(r, SL_AUTH,
                      "%s: it was signed %" PRId64 " s from now, and webhook.window_s is %" PRId64
                      ": it is sent again, or a clock is wrong",
                      what, (now_ms > ms ? now_ms - ms : ms - now_ms) / 1000, w->window_s);
    return SL_OK;
}

/* --- what it is about --- */

static bool holds(struct rest *r, const struct condition *c, const struct sl_hook *hook, const struct sl_value *event)
{
    char of_eq[STAMP_ROOM];
    const char *eq = doc_text(&c->eq, of_eq), *header = header_of(hook, c->header);
    if (!c->given)
        return true;
    if (c->header)
        return header && eq && strcmp(header, eq) == 0;
    struct sl_value v = doc_at(r, event, c->field);
    return doc_same(&v, &c->eq);
}

/* A delivery without a key, such as the first one that only tries, is about nothing. */
static int hint(struct rest *r, const struct sl_hook *hook, const struct sl_value *event)
{
    int rc = SL_OK;
    for (uint32_t i = 0; i < r->webhook.n_about && rc == SL_OK; i++) {
        const struct about *about = &r->webhook.about[i];
        char room[STAMP_ROOM];
        if (!holds(r, &about->when, hook, event))
            continue;
        struct sl_value v = doc_at(r, event, about->key);
        const char *id = doc_text(&v, room);
        if (!id || !*id || strlen(id) > ID_MAX)
            continue;
        struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_HINT, .id = id, .object = about->name};
        rc = r->host->emit(r->host->ctx, &item) ? SL_BROKEN : SL_OK;
    }
    return rc;
}

static int hints(struct rest *r, const struct sl_hook *hook, const char *what)
{
    struct sl_value body, event;
    const char *why = NULL, *item = NULL;
    size_t n = 0;
    int rc = SL_OK;
    if (!doc_read(r, hook->body, hook->body_bytes, &body, &why))
        return refuse(r, SL_REJECTED, "%s: its body is no JSON: %s", what, why);
    struct sl_value list = doc_at(r, &body, r->webhook.events);
    bool several = list.type == SL_JSON && list.text[0] == '[';
    if (!several && !r->webhook.events)
        return hint(r, hook, &body);
    if (!several)
        return refuse(r, SL_REJECTED, "%s: its body holds no list at \"%s\"; correct webhook.events", what,
                      r->webhook.events);
    for (const char *at = list.text, *end = at + list.text_size; rc == SL_OK && sl_list_next(&at, end, &item, &n);)
        rc = doc_read(r, item, n, &event, NULL) ? hint(r, hook, &event) : SL_OK;
    return rc;
}

int rest_webhook(void *session, const struct sl_hook *hook)
{
    struct rest *r = session;
    sl_pool_free(&r->call);
    if (!r->webhook.given)
        return refuse(r, SL_UNSUPPORTED, "this connection takes no webhooks; add the setting webhook");
    const char *what = called(r, hook);
    int rc = check_signed(r, hook, what);
    if (rc == SL_OK)
        rc = check_time(r, hook, what);
    if (rc == SL_OK && hook->body_bytes)
        rc = hints(r, hook, what);
    r->host->json_free(r->host->ctx);
    return rc;
}
