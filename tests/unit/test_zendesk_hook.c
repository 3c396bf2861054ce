/* SPDX-License-Identifier: MIT */
/* test_zendesk_hook.c - webhooks of the zendesk connector: good ones, forged ones, and each bit of a good one flipped. */
#include "net/sign.h"
#include "zendesk_kit.h"

#define EVENT                                                                                                          \
    "{\"type\":\"zen:event-type:ticket.status_changed\",\"subject\":\"zen:ticket:17\",\"detail\":{\"id\":\"17\"}}"

static const char *signature_of(struct desk *d, const char *secret, const char *stamp, const char *body)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *data = arena_printf(&d->k->a, "%s%s", stamp, body);
    uint8_t mac[SIGN_MAX + 1] = {0};
    struct buf out = {0};
    size_t n = sign_hmac(SL_HMAC_SHA256, secret, strlen(secret), data, strlen(data), mac);
    mac[n] = 0;
    for (size_t i = 0; i < n; i += 3) {
        uint32_t bits = (uint32_t)mac[i] << 16 | (uint32_t)mac[i + 1] << 8 | (i + 2 < n ? mac[i + 2] : 0);
        for (int k = 18; k >= 0; k -= 6)
            buf_byte(&out, digits[bits >> k & 63]);
    }
    out.data[out.size - 1] = '='; /* of 32 bytes */
    const char *text = arena_text(&d->k->a, out.data);
    buf_fini(&out);
    return text;
}

#define NEW_YEAR "2026-01-01T00:00:00Z"

static int deliver_as(struct desk *d, const char *signature, const char *stamp, const char *body, int64_t age_ms)
{
    struct sl_header headers[] = {{"x-zendesk-webhook-signature", signature},
                                  {"x-zendesk-webhook-signature-timestamp", stamp}};
    struct sl_hook hook = {.size = sizeof hook,
                           .n_headers = signature ? 2 : 0,
                           .header_size = sizeof *headers,
                           .headers = headers,
                           .body = body,
                           .body_bytes = strlen(body),
                           .received_ms = 1767225600000 + age_ms};
    return session_webhook(d->k->s, &hook, kit_sink(d->k), &d->k->e);
}

static int deliver(struct desk *d, const char *secret, const char *body, int64_t age_ms)
{
    return deliver_as(d, *secret ? signature_of(d, secret, NEW_YEAR, body) : NULL, NEW_YEAR, body, age_ms);
}

static void webhooks(void)
{
    struct desk d = desk_new();
    static const struct {
        const char *body, *id;
    } good[] = {
        {EVENT, "17"},
        {"{\"ticket_id\":\"18\"}", "18"},
        {"{\"ticket_id\":18}", "18"},
        {"{\"ticket\":{\"id\":19}}", "19"},
        {"{\"type\":\"zen:event-type:user.created\",\"subject\":\"zen:user:7\"}", NULL},
        {"{\"ticket_id\":\"../7\"}", NULL},
        {"", NULL},
    };
    /* the vector of the fact sheet: known from outside this program */
    CU_ASSERT_STRING_EQUAL(signature_of(&d, "secret", "2026-01-01T00:00:00Z", "{\"a\":1}"),
                           "bRv+be5tsJ7uop4nqB8R6pAwaQ6tFE8tNdgT6Bmguh8=");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CU_ASSERT_EQUAL(deliver(&d, "secret", good[i].body, 0), SL_OK);
        CU_ASSERT_EQUAL(d.k->n_got, good[i].id ? 1 : 0);
        if (good[i].id && d.k->n_got) {
            CU_ASSERT_EQUAL(d.k->got[0].kind, SL_ITEM_HINT);
            CU_ASSERT_STRING_EQUAL(d.k->got[0].id, good[i].id);
            CU_ASSERT_STRING_EQUAL(d.k->got[0].object, "tickets");
        }
    }
    CU_ASSERT_EQUAL(deliver(&d, "", EVENT, 0), SL_AUTH);
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "a webhook is not signed as Zendesk signs"));
    CU_ASSERT_EQUAL(deliver(&d, "a guess", EVENT, 0), SL_AUTH);
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "a webhook's signature is not by `webhook_secret`"));
    CU_ASSERT_EQUAL(deliver(&d, "secret", EVENT, 7200000), SL_AUTH);
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "a webhook is of another hour"));
    CU_ASSERT_EQUAL(deliver(&d, "secret", "[]", 0), SL_REJECTED);
    CU_ASSERT_TRUE(
        kit_says(d.k->e.text, "a webhook's body is no JSON object; give its trigger the template of the README"));
    CU_ASSERT_EQUAL(d.k->n_got, 0);
    CU_ASSERT_EQUAL(desk_requests(&d), 0);
    desk_end(&d);
}

/* A signature has one spelling: what a decoder would forgive is refused, too. */
static void one_spelling(void)
{
    struct desk d = desk_new();
    const char *right = signature_of(&d, "secret", NEW_YEAR, EVENT);
    char text[64];
    CU_ASSERT_EQUAL(deliver_as(&d, right, NEW_YEAR, EVENT, 0), SL_OK);
    size_t n = strlen(right);
    CU_ASSERT_EQUAL_FATAL(n, 44);
    static const char *const behind[] = {"", "==", "=\n", "= ", "=A", "=="};
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++) {
        snprintf(text, sizeof text, "%.43s%s", right, behind[i]);
        CU_ASSERT_EQUAL(deliver_as(&d, text, NEW_YEAR, EVENT, 0), SL_AUTH);
    }
    uint64_t cases = 0;
    for (size_t i = 0; i < n; i++)
        for (int c = 1; c < 256; c++) {
            memcpy(text, right, n + 1);
            if (text[i] == (char)c)
                continue;
            text[i] = (char)c;
            CU_ASSERT_EQUAL(deliver_as(&d, text, NEW_YEAR, EVENT, 0), SL_AUTH);
            CU_ASSERT_EQUAL(d.k->n_got, 0);
            cases++;
        }
    check_cases(cases);
    desk_end(&d);
}

static void flipped(void)
{
    struct desk d = desk_new();
    const char *right = signature_of(&d, "secret", NEW_YEAR, EVENT);
    char body[sizeof EVENT], stamp[] = NEW_YEAR;
    struct {
        char *at;
        size_t n;
    } parts[] = {{body, strlen(EVENT)}, {stamp, strlen(NEW_YEAR)}};
    uint64_t cases = 0;
    memcpy(body, EVENT, sizeof body);
    for (size_t p = 0; p < 2; p++)
        for (size_t bit = 0; bit < 8 * parts[p].n; bit++) {
            parts[p].at[bit / 8] ^= (char)(1 << bit % 8);
            if (parts[p].at[bit / 8])
                CU_ASSERT_EQUAL(deliver_as(&d, right, stamp, body, 0), SL_AUTH);
            parts[p].at[bit / 8] ^= (char)(1 << bit % 8);
            cases++;
        }
    CU_ASSERT_EQUAL(deliver_as(&d, right, stamp, body, 0), SL_OK);
    check_cases(cases);
    desk_end(&d);
}

/* While the secret is being changed both are taken, then the old one is nobody's. */
static void two_secrets(void)
{
    struct desk d = desk_new();
    struct sl_value settings[] = {value_string("token", "oauth-1"), value_string("webhook_secret", "new"),
                                  value_string("webhook_secret_before", "secret")};
    CU_ASSERT_EQUAL_FATAL(desk_open_as(&d, settings, 3), SL_OK);
    CU_ASSERT_EQUAL(deliver(&d, "secret", EVENT, 0), SL_OK);
    CU_ASSERT_EQUAL(deliver(&d, "new", EVENT, 0), SL_OK);
    CU_ASSERT_EQUAL(deliver(&d, "old", EVENT, 0), SL_AUTH);
    CU_ASSERT_EQUAL_FATAL(desk_open_as(&d, settings, 2), SL_OK);
    CU_ASSERT_EQUAL(deliver(&d, "secret", EVENT, 0), SL_AUTH);
    CU_ASSERT_EQUAL(deliver(&d, "new", EVENT, 0), SL_OK);
    desk_end(&d);
}

static const struct check tests[] = {
    {"webhooks hint at their ticket; forged and old ones are refused", webhooks},
    {"a signature has one spelling", one_spelling},
    {"no bit of a signed webhook may be another", flipped},
    {"two secrets are taken while one is being changed", two_secrets},
};

CHECK_MAIN("zendesk webhooks", tests)
