/* SPDX-License-Identifier: MIT */
/* test_rest_hook.c - webhooks of the rest connector: published signatures, forged and old ones, and which records they are about. */
#include "net/sign.h"
#include "plugin_kit.h"

/* Published by GitHub, and computed as Zendesk's manual says. */
#define GITHUB_SECRET "It's a Secret to Everybody"
#define GITHUB_HEX "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
#define GITHUB                                                                                                         \
    "{\"header\": \"X-Hub-Signature-256\", \"prefix\": \"sha256=\", \"key\": \"/issue/number\", \"resource\": \"t\"}"
#define ZENDESK_BASE64 "bRv+be5tsJ7uop4nqB8R6pAwaQ6tFE8tNdgT6Bmguh8="
#define ZENDESK                                                                                                        \
    "{\"header\": \"X-Zendesk-Webhook-Signature\", \"encoding\": \"base64\", \"signed\": \"timestamp+body\","          \
    " \"timestamp_header\": \"X-Zendesk-Webhook-Signature-Timestamp\", \"key\": \"/a\", \"resource\": \"t\"}"
#define NEW_YEAR_MS INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

enum { HINTS = 8 };

struct hinted {
    uint32_t n;
    char id[HINTS][40], object[HINTS][40];
};

static int keep_hint(void *self, const struct sl_item *item)
{
    struct hinted *h = self;
    CU_ASSERT_EQUAL(item->kind, SL_ITEM_HINT);
    if (h->n == HINTS)
        return 1;
    snprintf(h->id[h->n], sizeof(h->id[0]), "%s", item->id);
    snprintf(h->object[h->n++], sizeof(h->object[0]), "%s", item->object ? item->object : "(none)");
    return 0;
}

static struct sl_value json(const char *name, const char *text)
{
    return (struct sl_value){.name = name, .type = SL_JSON, .text = text, .text_size = strlen(text)};
}

static struct kit *with(const char *webhook, const char *secret, const char *before)
{
    struct kit *k = kit_new();
    struct sl_value settings[] = {
        value_string("base_url", "http://127.0.0.1:1"),
        json("resources", "{\"t\": {\"key\": \"/id\", \"list\": {\"path\": \"/t\"}},"
                          " \"u\": {\"key\": \"/id\", \"list\": {\"path\": \"/u\"}}}"),
        json("webhook", webhook),
        value_string("webhook_secret", secret),
        value_string("webhook_secret_before", before),
    };
    CU_ASSERT_EQUAL_FATAL(kit_open_in(k, "rest", settings, 5, NULL), SL_OK);
    return k;
}

static int deliver(struct kit *k, const struct sl_header *headers, uint32_t n, const char *body, size_t n_bytes,
                   struct hinted *out)
{
    struct sl_hook hook = {.n_headers = n,
                           .header_size = sizeof(*headers),
                           .headers = headers,
                           .body = body,
                           .body_bytes = n_bytes,
                           .received_ms = NEW_YEAR_MS};
    *out = (struct hinted){0};
    err_clear(&k->e);
    return session_webhook(k->s, &hook, (struct session_sink){out, keep_hint}, &k->e);
}

/* With the signature that the secret gives, in lower-case hex behind "sha256=". */
static int deliver_signed(struct kit *k, const char *secret, const struct sl_header *more, const char *body,
                          struct hinted *out)
{
    uint8_t mac[SIGN_MAX];
    char text[8 + 2 * SIGN_MAX] = "sha256=";
    size_t n = sign_hmac(SL_HMAC_SHA256, secret, strlen(secret), body, strlen(body), mac);
    for (size_t i = 0; i < n; i++)
        snprintf(text + 7 + 2 * i, 3, "%02x", mac[i]);
    struct sl_header headers[] = {{"x-hub-signature-256", text}, more ? *more : (struct sl_header){"x", "y"}};
    return deliver(k, headers, 2, body, strlen(body), out);
}

/* Each bit of what was signed and of its signature, turned over: none is taken. */
static void flip(struct kit *k, char *text, size_t n, const struct sl_header *headers, uint32_t n_headers,
                 const char *body, size_t n_body)
{
    struct hinted h;
    for (size_t bit = 0; bit < 8 * n; bit++) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        CU_ASSERT_EQUAL(deliver(k, headers, n_headers, body, n_body, &h), SL_AUTH);
        CU_ASSERT_EQUAL(h.n, 0);
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
    CU_ASSERT_NOT_EQUAL(deliver(k, headers, n_headers, body, n_body, &h), SL_AUTH);
}

static void github(void)
{
    struct kit *k = with(GITHUB, GITHUB_SECRET, "");
    struct hinted h;
    char signature[] = "sha256=" GITHUB_HEX, body[] = "Hello, World!";
    struct sl_header headers[] = {{"x-github-event", "issues"}, {"x-hub-signature-256", signature}};
    /* It is signed, and no JSON. */
    CU_ASSERT_EQUAL(deliver(k, headers, 2, body, strlen(body), &h), SL_REJECTED);
    CU_ASSERT_TRUE(kit_says(k->e.text, "webhook: its body is no JSON: "));
    flip(k, signature, strlen(signature), headers, 2, body, strlen(body));
    flip(k, body, strlen(body), headers, 2, body, strlen(body));
    CU_ASSERT_EQUAL(deliver(k, headers, 2, body, strlen(body) - 1, &h), SL_AUTH);
    CU_ASSERT_EQUAL(deliver(k, headers, 2, "", 0, &h), SL_AUTH);
    CU_ASSERT_EQUAL(deliver_signed(k, GITHUB_SECRET, NULL, "{\"issue\": {\"number\": 1347}}", &h), SL_OK);
    CU_ASSERT_EQUAL(h.n, 1);
    CU_ASSERT_STRING_EQUAL(h.id[0], "1347");
    CU_ASSERT_STRING_EQUAL(h.object[0], "t");
    kit_close(k);
}

static void zendesk(void)
{
    struct kit *k = with(ZENDESK, "secret", "");
    struct hinted h;
    char signature[] = ZENDESK_BASE64, body[] = "{\"a\":1}", time[] = "2026-01-01T00:00:00Z";
    struct sl_header headers[] = {{"x-zendesk-webhook-signature", signature},
                                  {"x-zendesk-webhook-signature-timestamp", time}};
    CU_ASSERT_EQUAL(deliver(k, headers, 2, body, strlen(body), &h), SL_OK);
    CU_ASSERT_EQUAL(h.n, 1);
    CU_ASSERT_STRING_EQUAL(h.id[0], "1");
    flip(k, signature, strlen(signature), headers, 2, body, strlen(body));
    flip(k, body, strlen(body), headers, 2, body, strlen(body));
    flip(k, time, strlen(time), headers, 2, body, strlen(body));
    CU_ASSERT_EQUAL(deliver(k, headers, 1, body, strlen(body), &h), SL_AUTH);
    CU_ASSERT_EQUAL(deliver(k, headers + 1, 1, body, strlen(body), &h), SL_AUTH);
    CU_ASSERT_TRUE(kit_says(k->e.text, "it has no header X-Zendesk-Webhook-Signature, so nobody signed it"));
    kit_close(k);
}

/* Signed rightly, at a time that is given as text. */
static int at_time(struct kit *k, const char *time, int64_t received_ms)
{
    uint8_t mac[SIGN_MAX];
    struct arena a = {0};
    struct hinted h = {0};
    const char *data = arena_printf(&a, "%s{\"a\":1}", time);
    size_t n = sign_hmac(SL_HMAC_SHA256, "secret", 6, data, strlen(data), mac);
    struct sl_header headers[] = {{"x-zendesk-webhook-signature", sign_base64(mac, n, &a)},
                                  {"x-zendesk-webhook-signature-timestamp", time}};
    struct sl_hook hook = {.n_headers = 2,
                           .header_size = sizeof(*headers),
                           .headers = headers,
                           .body = "{\"a\":1}",
                           .body_bytes = 7,
                           .received_ms = received_ms};
    err_clear(&k->e);
    int rc = session_webhook(k->s, &hook, (struct session_sink){&h, keep_hint}, &k->e);
    CU_ASSERT_EQUAL(h.n, rc == SL_OK);
    arena_fini(&a);
    return rc;
}

static void stale(void)
{
    struct kit *k = with(ZENDESK, "secret", "");
    const char *time = "2026-01-01T00:00:00Z";
    CU_ASSERT_EQUAL(at_time(k, time, NEW_YEAR_MS + 300000), SL_OK);
    CU_ASSERT_EQUAL(at_time(k, time, NEW_YEAR_MS - 300000), SL_OK);
    CU_ASSERT_EQUAL(at_time(k, time, NEW_YEAR_MS + 300001), SL_AUTH);
    CU_ASSERT_TRUE(kit_says(k->e.text, "it was signed 300 s from now, and webhook.window_s is 300"));
    CU_ASSERT_EQUAL(at_time(k, time, NEW_YEAR_MS - 300001), SL_AUTH);
    CU_ASSERT_EQUAL(at_time(k, "1767225600", NEW_YEAR_MS), SL_OK);
    CU_ASSERT_EQUAL(at_time(k, "1767225000", NEW_YEAR_MS), SL_AUTH);
    CU_ASSERT_EQUAL(at_time(k, time, 0), SL_AUTH); /* the host's own clock, which is past that day */
    const char *none[] = {"", "now", "-1767225600", "2026-02-30T00:00:00Z", "99999999999999999999"};
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        CU_ASSERT_EQUAL(at_time(k, none[i], NEW_YEAR_MS), SL_AUTH);
        CU_ASSERT_TRUE(kit_says(k->e.text, "the time in its header X-Zendesk-Webhook-Signature-Timestamp is missing"));
    }
    kit_close(k);
}

static void spellings(void)
{
    struct hinted h;
    struct arena a = {0};
    uint8_t mac[SIGN_MAX];
    const char *body = "{\"a\":1}";
    size_t n = sign_hmac(SL_HMAC_SHA1, "s", 1, body, strlen(body), mac);
    const char *padded = sign_base64(mac, n, &a), *bare = arena_dup(&a, padded, strlen(padded) - 1);
    const struct {
        const char *encoding, *pad, *text;
        int rc;
    } rows[] = {
        {"base64", "false", padded, SL_OK},
        {"base64", "false", bare, SL_AUTH},
        {"base64", "true", bare, SL_OK},
        {"base64", "true", padded, SL_OK},
        {"base64", "true", arena_printf(&a, "%s=", padded), SL_AUTH},
        {"base64", "true", arena_printf(&a, " %s", bare), SL_AUTH},
        {"base64", "true", "", SL_AUTH},
        {"base64", "true", "====", SL_AUTH},
        {"base64url", "true", sign_base64url(mac, n, &a), SL_OK},
        {"hex", "false", arena_printf(&a, "%0130d", 0), SL_AUTH}, /* longer than any signature */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct kit *k = with(arena_printf(&a,
                                          "{\"alg\": \"hmac-sha1\", \"header\": \"s\", \"encoding\": \"%s\","
                                          " \"strip_pad\": %s, \"key\": \"/a\", \"resource\": \"u\"}",
                                          rows[i].encoding, rows[i].pad),
                             "s", "");
        struct sl_header header = {"s", rows[i].text};
        CU_ASSERT_EQUAL(deliver(k, &header, 1, body, strlen(body), &h), rows[i].rc);
        kit_close(k);
    }
    arena_fini(&a);
}

/* While a sender changes its secret, both are right; a third, or none at all, is not. */
static void rotated(void)
{
    struct hinted h;
    const char *body = "{\"issue\": {\"number\": 5}}";
    struct kit *k = with(GITHUB, "new", "old");
    CU_ASSERT_EQUAL(deliver_signed(k, "new", NULL, body, &h), SL_OK);
    CU_ASSERT_EQUAL(deliver_signed(k, "old", NULL, body, &h), SL_OK);
    CU_ASSERT_EQUAL(deliver_signed(k, "older", NULL, body, &h), SL_AUTH);
    CU_ASSERT_TRUE(kit_says(k->e.text, "its signature in X-Hub-Signature-256 is not right"));
    kit_close(k);
    k = with(GITHUB, "", "");
    CU_ASSERT_EQUAL(deliver_signed(k, "", NULL, body, &h), SL_AUTH);
    kit_close(k);
}

static void subjects(void)
{
    struct hinted h;
    struct sl_header issues = {"x-event", "issues"}, ping = {"x-event", "ping"};
    struct kit *k =
        with("{\"header\": \"X-Hub-Signature-256\", \"prefix\": \"sha256=\", \"events\": \"/events\","
             " \"delivery_id\": {\"header\": \"X-Event\"},"
             " \"about\": {\"t\": {\"key\": \"/t\", \"when\": {\"header\": \"X-Event\", \"eq\": \"issues\"}},"
             " \"u\": {\"key\": \"/u/id\", \"when\": {\"field\": \"/kind\", \"eq\": 2}}}}",
             "s", "");
    const char *body = "{\"events\": [{\"t\": \"a\"}, {\"kind\": 2, \"u\": {\"id\": 7}, \"t\": \"b\"}, {\"kind\": 1},"
                       " \"text\", {\"t\": [1]}, {\"kind\": 2, \"u\": null}]}";
    CU_ASSERT_EQUAL(deliver_signed(k, "s", &issues, body, &h), SL_OK);
    CU_ASSERT_EQUAL_FATAL(h.n, 3);
    CU_ASSERT(strcmp(h.id[0], "a") == 0 && strcmp(h.object[0], "t") == 0);
    CU_ASSERT(strcmp(h.id[1], "b") == 0 && strcmp(h.object[1], "t") == 0);
    CU_ASSERT(strcmp(h.id[2], "7") == 0 && strcmp(h.object[2], "u") == 0);
    CU_ASSERT_EQUAL(deliver_signed(k, "s", &ping, "{\"events\": [{\"t\": \"a\"}]}", &h), SL_OK);
    CU_ASSERT_EQUAL(h.n, 0);
    CU_ASSERT_EQUAL(deliver_signed(k, "s", &ping, "{\"zen\": \"Keep it logically awesome.\"}", &h), SL_REJECTED);
    CU_ASSERT_TRUE(kit_says(k->e.text, "webhook ping: its body holds no list at \"/events\""));
    const char *garbage[] = {"\xff\xfe", "{\"events\": [", "nul", "1, \"w\": 2", "{\"a\": 1, \"a\": 2}"};
    for (size_t i = 0; i < sizeof(garbage) / sizeof(*garbage); i++)
        CU_ASSERT_EQUAL(deliver_signed(k, "s", &ping, garbage[i], &h), SL_REJECTED);
    CU_ASSERT_EQUAL(deliver_signed(k, "s", &ping, "", &h), SL_OK);
    kit_close(k);
    k = with("{\"header\": \"X-Hub-Signature-256\", \"prefix\": \"sha256=\", \"key\": \"/id\", \"resource\": \"t\"}",
             "s", "");
    CU_ASSERT_EQUAL(deliver_signed(k, "s", NULL, "[{\"id\": 1}, {\"id\": 2}]", &h), SL_OK);
    CU_ASSERT_EQUAL(h.n, 2);
    CU_ASSERT_EQUAL(deliver_signed(k, "s", NULL, "\"[1]\"", &h), SL_OK);
    CU_ASSERT_EQUAL(h.n, 0);
    kit_close(k);
}

static uint64_t caps_of(struct kit *k, const char *object)
{
    struct object_info *o = NULL;
    CU_ASSERT_EQUAL(session_describe(k->s, object, &k->a, &o, &k->e), SL_OK);
    return o ? o->object.caps : 0;
}

static void only_where_configured(void)
{
    struct hinted h;
    struct kit *k = with(GITHUB, "s", "");
    CU_ASSERT_TRUE(caps_of(k, "t") & SL_CAP_WEBHOOK);
    CU_ASSERT_FALSE(caps_of(k, "u") & SL_CAP_WEBHOOK);
    kit_close(k);
    k = kit_new();
    struct sl_value settings[] = {value_string("base_url", "http://127.0.0.1:1"),
                                  json("resources", "{\"t\": {\"key\": \"/id\", \"list\": {\"path\": \"/t\"}}}")};
    CU_ASSERT_EQUAL(kit_open_in(k, "rest", settings, 2, NULL), SL_OK);
    CU_ASSERT_FALSE(caps_of(k, "t") & SL_CAP_WEBHOOK);
    CU_ASSERT_EQUAL(deliver_signed(k, "", NULL, "{}", &h), SL_UNSUPPORTED);
    CU_ASSERT_TRUE(kit_says(k->e.text, "this connection takes no webhooks"));
    kit_close(k);
}

static void wrong_configs(void)
{
    static const struct {
        const char *webhook, *says;
    } bad[] = {
        {"{}", "webhook.header: missing; add it"},
        {"{\"header\": \"h\", \"key\": \"/id\"}", "webhook.resource: missing; say which of the resources"},
        {"{\"header\": \"h\"}", "webhook.key: give either key, or about"},
        {"{\"header\": \"h\", \"key\": \"/id\", \"resource\": \"v\"}", "webhook.resource: resources has no such name"},
        {"{\"header\": \"h\", \"resource\": \"t\", \"about\": {\"t\": {\"key\": \"/id\"}}}",
         "webhook.resource: about names the resources"},
        {"{\"header\": \"h\", \"about\": {\"v\": {\"key\": \"/id\"}}}", "webhook.about.v: resources has no such name"},
        {"{\"header\": \"h\", \"about\": {\"t\": {\"key\": \"/id\", \"when\": {\"eq\": 1}}}}",
         "webhook.about.t.when: give either header or field"},
        {"{\"header\": \"h\", \"about\": {\"t\": {}}}", "webhook.about.t.key: missing"},
        {"{\"header\": \"h\", \"key\": \"/id\", \"resource\": \"t\", \"signed\": \"timestamp+body\"}",
         "webhook.timestamp_header: missing"},
        {"{\"header\": \"h\", \"key\": \"/id\", \"resource\": \"t\", \"timestamp_header\": \"x\"}",
         "webhook.timestamp_header: a time that is not signed proves nothing"},
        {"{\"header\": \"h\", \"key\": \"/id\", \"resource\": \"t\", \"strip_pad\": true}",
         "webhook.strip_pad: hex has no padding"},
        {"{\"header\": \"h\", \"key\": \"/id\", \"resource\": \"t\", \"window_s\": 0}",
         "webhook.window_s: no delivery"},
        {"{\"header\": \"h\", \"alg\": \"md5\"}", "webhook.alg: \"md5\" is not known here; use one of hmac-sha256"},
        {"{\"header\": \"h\", \"secret\": \"canary\"}", "webhook.secret: this key is not known here"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct kit *k = kit_new();
        struct sl_value settings[] = {value_string("base_url", "http://127.0.0.1:1"),
                                      json("resources", "{\"t\": {\"key\": \"/id\", \"list\": {\"path\": \"/t\"}},"
                                                        " \"u\": {\"key\": \"/id\", \"list\": {\"path\": \"/u\"}}}"),
                                      json("webhook", bad[i].webhook)};
        CU_ASSERT_EQUAL(kit_open_in(k, "rest", settings, 3, NULL), SL_CONFIG);
        CU_ASSERT_TRUE(kit_says(k->e.text, bad[i].says));
        CU_ASSERT_PTR_NULL(strstr(k->e.text, "canary"));
        kit_close(k);
    }
}

/* The same signed bytes are the same delivery, whatever unsigned headers come with them; what is refused is none. */
static void told_apart(void)
{
    struct kit *k = with(GITHUB, GITHUB_SECRET, NULL);
    const struct sl_header other = {"x-other", "1"};
    struct hinted h;
    struct hash128 first, second;
    CU_ASSERT_EQUAL(deliver_signed(k, GITHUB_SECRET, NULL, "{\"issue\":{\"number\":1}}", &h), SL_OK);
    CU_ASSERT_TRUE(session_signed(k->s, &first));
    CU_ASSERT_EQUAL(deliver_signed(k, GITHUB_SECRET, &other, "{\"issue\":{\"number\":1}}", &h), SL_OK);
    CU_ASSERT_TRUE(session_signed(k->s, &second));
    CU_ASSERT_EQUAL(memcmp(&first, &second, sizeof first), 0);
    CU_ASSERT_EQUAL(deliver_signed(k, GITHUB_SECRET, NULL, "{\"issue\":{\"number\":2}}", &h), SL_OK);
    CU_ASSERT_TRUE(session_signed(k->s, &second));
    CU_ASSERT_NOT_EQUAL(memcmp(&first, &second, sizeof first), 0);
    CU_ASSERT_EQUAL(deliver_signed(k, "a guess", NULL, "{\"issue\":{\"number\":1}}", &h), SL_AUTH);
    CU_ASSERT_FALSE(session_signed(k->s, &second));
    kit_close(k);
}

static const struct check tests[] = {
    {"GitHub's published signature; every bit turned over is forged", github},
    {"Zendesk's signature over time and body; every bit turned over is forged", zendesk},
    {"a delivery from outside the window is refused, before and after", stale},
    {"a signature has one spelling", spellings},
    {"two secrets are right while one is changed", rotated},
    {"hints say which record of which resource", subjects},
    {"a delivery is known by its signed bytes", told_apart},
    {"webhooks are there only where they are configured", only_where_configured},
    {"what is wrong in the config of webhooks is named by its path", wrong_configs},
};

int main(void)
{
    return check_run("rest hooks", tests, sizeof(tests) / sizeof(*tests));
}
