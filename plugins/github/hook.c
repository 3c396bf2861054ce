/* SPDX-License-Identifier: MIT */
/* hook.c - webhooks: verified by X-Hub-Signature-256, then a hint which issue to read. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "github.h"

enum { SIGNATURE = 32 };

static const char *hook_header(const struct sl_hook *hook, const char *name)
{
    for (uint32_t i = 0; i < hook->n_headers; i++) {
        const struct sl_header *h =
            (const void *)((const char *)(const void *)hook->headers + (size_t)hook->header_size * i);
        if (strcmp(h->name, name) == 0)
            return h->value;
    }
    return NULL;
}

static int hex(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static bool signed_with(struct github *g, const struct sl_hook *hook, const char *secret, const uint8_t raw[SIGNATURE])
{
    return g->host->check_signature(g->host->ctx, SL_HMAC_SHA256, secret, hook->body, hook->body_bytes, raw,
                                    SIGNATURE) == 1;
}

static bool verified(struct github *g, const struct sl_hook *hook)
{
    const char *text = hook_header(hook, "x-hub-signature-256");
    uint8_t raw[SIGNATURE];
    if (!text || strncmp(text, "sha256=", 7) != 0 || strlen(text + 7) != 2 * sizeof(raw))
        return false;
    for (size_t i = 0; i < sizeof(raw); i++) {
        int high = hex(text[7 + 2 * i]), low = hex(text[8 + 2 * i]);
        if (high < 0 || low < 0)
            return false;
        raw[i] = (uint8_t)(high * 16 + low);
    }
    return signed_with(g, hook, "webhook_secret", raw) || signed_with(g, hook, "webhook_secret_before", raw);
}

static int hint(struct github *g, const struct node *within, const struct thing *t)
{
    char id[ID_ROOM];
    int64_t number = node_number(within, t->id);
    struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_HINT, .id = id, .object = t->name};
    if (number <= 0)
        return SL_OK;
    snprintf(id, sizeof(id), "%" PRId64, number);
    return g->host->emit(g->host->ctx, &item) ? SL_BROKEN : SL_OK;
}

/* Another repository's (a webhook of the whole organisation) is nothing to this connection. */
static bool is_ours(struct github *g, const struct node *o)
{
    struct node repository;
    const char *name = node_in(g, o, "repository", &repository) ? node_text(&repository, "full_name") : NULL;
    return name && strcasecmp(name, g->name) == 0;
}

int github_webhook(void *session, const struct sl_hook *hook)
{
    struct github *g = session;
    const char *event = hook_header(hook, "x-github-event");
    struct node o, issue, comment;
    call_begin(g);
    if (!verified(g, hook))
        return refuse(g, SL_AUTH,
                      "a webhook is not signed with webhook_secret: it is forged, or the secret there is "
                      "another one");
    if (!node_read(g, hook->body, hook->body_bytes, &o))
        return refuse(g, SL_REJECTED, "a webhook's body is no JSON: set its content type to application/json");
    if (!event || (strcmp(event, "issues") != 0 && strcmp(event, "issue_comment") != 0) || !is_ours(g, &o))
        return SL_OK; /* a ping, a label, another repository */
    if (!node_in(g, &o, "issue", &issue) || node_at(&issue, "pull_request"))
        return SL_OK;
    int rc = hint(g, &issue, &issues);
    return rc == SL_OK && node_in(g, &o, "comment", &comment) ? hint(g, &comment, &comments) : rc;
}
