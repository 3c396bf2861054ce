/* SPDX-License-Identifier: MIT */
/* asks.c - asks its host for every service, and says what it was given: it means no harm */
#define NAME "asks"
#include <syncline/syncline.h>

static const struct sl_option options[] = {
    {.name = "secret", .kind = SL_OPT_SECRET},
    {.name = "plain", .kind = SL_OPT_STRING},
};
static const struct sl_http_rules rules = {.size = sizeof rules, .base_url = "http://127.0.0.1:1"};
#define MORE                                                                                                           \
    .needs = SL_NEED_JSON | SL_NEED_HTTP | SL_NEED_SIGNATURE, .options = options, .n_options = 2,                      \
    .option_size = sizeof(struct sl_option), .http = &rules,
#include "hostile.h"

/* Of "data" under "key". */
static const unsigned char signature[32] = {0x50, 0x31, 0xfe, 0x3d, 0x98, 0x9c, 0x6d, 0x15, 0x37, 0xa0, 0x13,
                                            0xfa, 0x6e, 0x73, 0x9d, 0xa2, 0x34, 0x63, 0xfd, 0xae, 0xc3, 0xb7,
                                            0x01, 0x37, 0xd8, 0x28, 0xe3, 0x6a, 0xce, 0x22, 0x1b, 0xd0};

/* Two requests that the host's rules refuse: the answers cross without a server. */
static int refused(const struct sl_host *host)
{
    const struct sl_http_request asked[2] = {
        {.size = sizeof *asked, .method = "GET", .url = "https://elsewhere.example/a"},
        {.size = sizeof *asked, .method = "POST", .url = "https://elsewhere.example/b", .body = "x", .body_bytes = 1}};
    const struct sl_http_response *got = NULL;
    uint32_t stride = 0;
    int n = 0;
    if (host->http_many(host->ctx, asked, 2, sizeof *asked, &got, &stride) != SL_OK)
        return -1;
    for (uint32_t i = 0; i < 2; i++) {
        const struct sl_http_response *r = (const void *)((const char *)got + (size_t)stride * i);
        n += r->end == SL_HTTP_REFUSED && r->message && strstr(r->message, "elsewhere");
    }
    return n;
}

static int json(const struct sl_host *host)
{
    const struct sl_value *fields = NULL;
    const char *message = NULL;
    uint32_t n = 0, stride = 0;
    return host->json_read(host->ctx, "{\"a\": 1.50}", 11, &fields, &n, &stride, &message) == SL_OK && n == 1 &&
           strcmp(fields->text, "1.50") == 0;
}

static int random_bits(const struct sl_host *host)
{
    unsigned char bytes[70000] = {0};
    int n = 0;
    host->random(host->ctx, bytes, sizeof bytes);
    for (size_t i = sizeof bytes - 64; i < sizeof bytes; i++)
        n |= bytes[i];
    return n != 0;
}

static int act(const struct sl_host *host)
{
    char line[200];
    host->log(host->ctx, SL_LOG_DEBUG, "asking");
    host->sleep_ms(host->ctx, 1);
    snprintf(line, sizeof line,
             "refused %d, json %d, random %d, time %d, stopping %d, signed %d, forged %d, settings %u", refused(host),
             json(host), random_bits(host), host->now_ms(host->ctx) > 0, host->stopping(host->ctx),
             host->check_signature(host->ctx, SL_HMAC_SHA256, "secret", "data", 4, signature, 32),
             host->check_signature(host->ctx, SL_HMAC_SHA256, "secret", "datA", 4, signature, 32), n_given);
    host->fail(host->ctx, line);
    return SL_BROKEN;
}
