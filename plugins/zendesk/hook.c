/* SPDX-License-Identifier: MIT */
/* hook.c - webhooks: signed deliveries made into hints; the export stays the truth. */
#include <inttypes.h>
#include <string.h>

#include "zendesk.h"

#define SIGNATURE_BYTES 32u
#define OLD_MS (60 * 60 * 1000) /* they retry within minutes */

static const char *header_of(const struct sl_hook *h, const char *name)
{
    for (uint32_t i = 0; i < h->n_headers; i++) {
        const struct sl_header *x = (const void *)((const char *)(const void *)h->headers + (size_t)h->header_size * i);
        if (strcmp(x->name, name) == 0)
            return x->value;
    }
    return NULL;
}

static int digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Base64 of exactly as many bytes as a signature has, and in its one spelling: no bit of the text is without meaning. */
static bool signature_read(const char *text, unsigned char out[SIGNATURE_BYTES])
{
    uint32_t bits = 0, n = 0;
    int held = 0;
    for (; text && digit(*text) >= 0; text++) {
        bits = bits << 6 | (uint32_t)digit(*text);
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        if (n == SIGNATURE_BYTES)
            return false;
        out[n++] = (unsigned char)(bits >> held);
        bits &= (1u << held) - 1;
    }
    return text && n == SIGNATURE_BYTES && held < 6 && bits == 0 && strcmp(text, "=") == 0;
}

static bool signed_with(struct desk *d, const char *secret, const struct sl_bytes *data,
                        const unsigned char signature[SIGNATURE_BYTES])
{
    return d->host->check_signature(d->host->ctx, SL_HMAC_SHA256, secret, data->data, data->size, signature,
                                    SIGNATURE_BYTES) == 1;
}

/* The HMAC is of the time, as it stands in its header, with the body right behind it. */
static int verify(struct desk *d, const struct sl_hook *h)
{
    const char *stamp = header_of(h, "x-zendesk-webhook-signature-timestamp");
    unsigned char signature[SIGNATURE_BYTES];
    struct sl_bytes data = {0};
    int64_t at_ms = 0;
    if (!stamp || !signature_read(header_of(h, "x-zendesk-webhook-signature"), signature))
        return refuse(d, SL_AUTH, "a webhook is not signed as Zendesk signs; look at who sends it");
    sl_bytes_text(&data, stamp);
    sl_bytes_add(&data, h->body, h->body_bytes);
    bool good =
        signed_with(d, "webhook_secret", &data, signature) || signed_with(d, "webhook_secret_before", &data, signature);
    sl_bytes_free(&data);
    if (!good)
        return refuse(d, SL_AUTH,
                      "a webhook's signature is not by `webhook_secret`; give the signing secret of that webhook");
    if (!stamp_read(stamp, &at_ms) || at_ms < h->received_ms - OLD_MS || at_ms > h->received_ms + OLD_MS)
        return refuse(d, SL_AUTH,
                      "a webhook is of another hour, as one that is sent again by somebody; nothing is lost, the "
                      "export tells all");
    return SL_OK;
}

/* Events name their subject; a trigger's template is what its author wrote: {"ticket_id": "{{ticket.id}}"} is ours. */
static const char *ticket_of(struct desk *d, const struct object *o)
{
    static const char prefix[] = "zen:ticket:";
    struct object inner;
    int64_t number = 0;
    const char *subject = doc_text(o, "subject"), *id = doc_text(o, "ticket_id");
    if (subject && strncmp(subject, prefix, sizeof(prefix) - 1) == 0)
        return subject + sizeof(prefix) - 1;
    if (!id && doc_number(o, "ticket_id", &number))
        return sl_pool_print(&d->call, "%" PRId64, number);
    if (!id && doc_inner(d, o, "ticket", &inner) && doc_number(&inner, "id", &number))
        return sl_pool_print(&d->call, "%" PRId64, number);
    return id;
}

int zendesk_webhook(void *session, const struct sl_hook *hook)
{
    struct desk *d = session;
    struct object o;
    sl_pool_free(&d->call);
    int rc = verify(d, hook);
    if (rc != SL_OK || hook->body_bytes == 0)
        return rc;
    if (!doc_object(d, hook->body, hook->body_bytes, &o, NULL))
        return refuse(d, SL_REJECTED,
                      "a webhook's body is no JSON object; give its trigger the template of the README");
    struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_HINT, .id = ticket_of(d, &o), .object = "tickets"};
    if (!item.id || !number_good(item.id))
        return SL_OK; /* of something else than a ticket */
    return d->host->emit(d->host->ctx, &item) ? SL_BROKEN : SL_OK;
}
