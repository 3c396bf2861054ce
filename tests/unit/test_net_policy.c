/* SPDX-License-Identifier: MIT */
/* test_net_policy.c - what answers mean, backoff, the breaker, pacing under a simulated clock, and where requests may go. */
#include <arpa/inet.h>
#include <string.h>

#include "check.h"
#include "base/text.h"
#include "net/address.h"
#include "net/policy.h"
#include "net/rate.h"
#include "net/transfer.h"

/* --- the table --- */

static const struct row {
    uint32_t status;
    struct net_verdict once, repeatable;
} rows[] = {
    {200, {STEP_DONE, FATE_DONE, SL_OK}, {STEP_DONE, FATE_DONE, SL_OK}},
    {204, {STEP_DONE, FATE_DONE, SL_OK}, {STEP_DONE, FATE_DONE, SL_OK}},
    {304, {STEP_DONE, FATE_DONE, SL_OK}, {STEP_DONE, FATE_DONE, SL_OK}},
    {400, {STEP_DONE, FATE_NOT_DONE, SL_REJECTED}, {STEP_DONE, FATE_NOT_DONE, SL_REJECTED}},
    {401, {STEP_REFRESH, FATE_NOT_DONE, SL_AUTH}, {STEP_REFRESH, FATE_NOT_DONE, SL_AUTH}},
    {403, {STEP_DONE, FATE_NOT_DONE, SL_AUTH}, {STEP_DONE, FATE_NOT_DONE, SL_AUTH}},
    {404, {STEP_DONE, FATE_NOT_DONE, SL_GONE}, {STEP_DONE, FATE_NOT_DONE, SL_GONE}},
    {408, {STEP_DONE, FATE_UNKNOWN, SL_RETRY}, {STEP_AGAIN, FATE_UNKNOWN, SL_RETRY}},
    {409, {STEP_DONE, FATE_NOT_DONE, SL_CONFLICT}, {STEP_DONE, FATE_NOT_DONE, SL_CONFLICT}},
    {410, {STEP_DONE, FATE_NOT_DONE, SL_GONE}, {STEP_DONE, FATE_NOT_DONE, SL_GONE}},
    {412, {STEP_DONE, FATE_NOT_DONE, SL_CONFLICT}, {STEP_DONE, FATE_NOT_DONE, SL_CONFLICT}},
    {422, {STEP_DONE, FATE_NOT_DONE, SL_REJECTED}, {STEP_DONE, FATE_NOT_DONE, SL_REJECTED}},
    {423, {STEP_AGAIN, FATE_NOT_DONE, SL_RETRY}, {STEP_AGAIN, FATE_NOT_DONE, SL_RETRY}},
    {429, {STEP_PAUSE, FATE_NOT_DONE, SL_RATE}, {STEP_PAUSE, FATE_NOT_DONE, SL_RATE}},
    {500, {STEP_DONE, FATE_UNKNOWN, SL_RETRY}, {STEP_AGAIN, FATE_UNKNOWN, SL_RETRY}},
    {501, {STEP_DONE, FATE_NOT_DONE, SL_UNSUPPORTED}, {STEP_DONE, FATE_NOT_DONE, SL_UNSUPPORTED}},
    {503, {STEP_DONE, FATE_UNKNOWN, SL_RETRY}, {STEP_AGAIN, FATE_UNKNOWN, SL_RETRY}},
    {504, {STEP_DONE, FATE_UNKNOWN, SL_RETRY}, {STEP_AGAIN, FATE_UNKNOWN, SL_RETRY}},
    {777, {STEP_DONE, FATE_UNKNOWN, SL_BROKEN}, {STEP_DONE, FATE_UNKNOWN, SL_BROKEN}},
};

static void is_verdict(struct net_verdict got, struct net_verdict want)
{
    CU_ASSERT_EQUAL(got.step, want.step);
    CU_ASSERT_EQUAL(got.fate, want.fate);
    CU_ASSERT_EQUAL(got.advice, want.advice);
}

static void statuses(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct net_answer seen = {NET_ANSWERED, rows[i].status, -1, false};
        is_verdict(policy_decide(&seen, false), rows[i].once);
        is_verdict(policy_decide(&seen, true), rows[i].repeatable);
    }
}

static void no_answers(void)
{
    struct net_answer lost = {NET_NO_ANSWER, 0, -1, false}, unsent = {NET_NOT_SENT, 0, -1, false};
    is_verdict(policy_decide(&lost, false), (struct net_verdict){STEP_DONE, FATE_UNKNOWN, SL_RETRY});
    is_verdict(policy_decide(&lost, true), (struct net_verdict){STEP_AGAIN, FATE_UNKNOWN, SL_RETRY});
    is_verdict(policy_decide(&unsent, false), (struct net_verdict){STEP_AGAIN, FATE_NOT_DONE, SL_RETRY});
}

/* GitHub says 403 for a used-up budget; it is no loss of permission. */
static void forbidden_for_now(void)
{
    struct net_answer used_up = {NET_ANSWERED, 403, -1, true}, told = {NET_ANSWERED, 403, 1000, false};
    CU_ASSERT_EQUAL(policy_decide(&used_up, false).step, STEP_PAUSE);
    CU_ASSERT_EQUAL(policy_decide(&told, false).advice, SL_RATE);
}

/* A create is never repeated when it may have been carried out: no status, no end leads there (I19). */
static void never_twice(void)
{
    for (uint32_t status = 0; status < 1000; status++)
        for (int end = NET_ANSWERED; end <= NET_REFUSED; end++) {
            struct net_answer seen = {end, status, -1, false};
            struct net_verdict v = policy_decide(&seen, false);
            CU_ASSERT_FALSE(v.fate == FATE_UNKNOWN && v.step != STEP_DONE);
        }
}

static void backoff(void)
{
    for (uint32_t tries = 0; tries < 70; tries++)
        for (uint64_t random = 1; random; random <<= 1) {
            int64_t ms = policy_backoff_ms(&policy_patience, tries, random - 1);
            CU_ASSERT_TRUE(ms >= 0 && ms <= policy_patience.cap_ms);
            if (tries < 3)
                CU_ASSERT_TRUE(ms <= policy_patience.base_ms << tries);
        }
}

static void breaking(void)
{
    struct breaker b = {0};
    int64_t now = 1000;
    for (int i = 1; i < BREAKER_FALLS; i++)
        breaker_tell(&b, true, now);
    CU_ASSERT_EQUAL(breaker_wait_ms(&b, now), 0);
    breaker_tell(&b, true, now);
    CU_ASSERT_EQUAL(breaker_wait_ms(&b, now), BREAKER_BASE_MS);
    CU_ASSERT_EQUAL(breaker_refuses_ms(&b, now), 0); /* a short fall is waited out */
    now += BREAKER_BASE_MS;
    CU_ASSERT_EQUAL(breaker_wait_ms(&b, now), 0); /* the probe */
    CU_ASSERT_TRUE(breaker_wait_ms(&b, now) > 0); /* and only one */
    breaker_tell(&b, true, now);
    CU_ASSERT_EQUAL(breaker_wait_ms(&b, now), 2 * BREAKER_BASE_MS);
    CU_ASSERT_EQUAL(breaker_refuses_ms(&b, now), 2 * BREAKER_BASE_MS);
    now += 2 * BREAKER_BASE_MS;
    CU_ASSERT_EQUAL(breaker_wait_ms(&b, now), 0);
    breaker_tell(&b, false, now);
    CU_ASSERT_EQUAL(breaker_wait_ms(&b, now), 0);
    CU_ASSERT_EQUAL(breaker_wait_ms(&b, now), 0);
    CU_ASSERT_EQUAL(breaker_refuses_ms(&b, now), 0);
}

/* --- the server's signs --- */

#define NOON 784111777000 /* Sun, 06 Nov 1994 08:49:37 GMT */
static const struct {
    const char *name, *value;
    struct rate_signs want;
} signs[] = {
    {"retry-after", "120", {120000, -1, -1, -1}},
    {"retry-after", "Sun, 06 Nov 1994 08:50:37 GMT", {60000, -1, -1, -1}},
    {"retry-after", "Sun, 06 Nov 1994 08:00:00 GMT", {0, -1, -1, -1}},
    {"retry-after", "soon", {-1, -1, -1, -1}},
    {"retry-after", "-5", {-1, -1, -1, -1}},
    {"retry-after", "1e300", {-1, -1, -1, -1}},
    {"retry-after", "99999999", {86400000, -1, -1, -1}},
    {"x-ratelimit-limit", "5000", {-1, 5000, -1, -1}},
    {"ratelimit-limit", "100, 100;w=60", {-1, 100, -1, -1}},
    {"x-ratelimit-remaining", "0", {-1, -1, 0, -1}},
    {"x-ratelimit-reset", "30", {-1, -1, -1, 30000}},
    {"x-ratelimit-reset", "784111837", {-1, -1, -1, 784111837000}}, /* no epoch before 2001: seconds */
    {"x-other", "1", {-1, -1, -1, -1}},
};

static void reading_signs(void)
{
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        struct sl_header h = {signs[i].name, signs[i].value};
        struct rate_signs got = rate_read(&h, 1, NOON);
        CU_ASSERT_EQUAL(memcmp(&got, &signs[i].want, sizeof got), 0);
    }
    struct sl_header s = {"x-ratelimit-reset", "1700000060"}, ms = {"x-ratelimit-reset", "1700000060500"};
    CU_ASSERT_EQUAL(rate_read(&s, 1, 1700000000000).reset_ms, 60000);
    CU_ASSERT_EQUAL(rate_read(&ms, 1, 1700000000000).reset_ms, 60500);
}

/* --- pacing: a server that counts, a client whose timers fire late, a clock that is a number --- */

struct counting_server {
    int64_t limit, window_us, began_us, used, served, refused;
};

static bool serve(struct counting_server *s, int64_t now_us, struct rate_signs *out)
{
    if (now_us - s->began_us >= s->window_us) {
        s->began_us += (now_us - s->began_us) / s->window_us * s->window_us;
        s->used = 0;
    }
    bool good = s->used < s->limit;
    s->used += good;
    *(good ? &s->served : &s->refused) += 1;
    *out = (struct rate_signs){-1, s->limit, s->limit - s->used, (s->began_us + s->window_us - now_us + 999) / 1000};
    return good;
}

/* Runs for that long as fast as the pacing lets it; timers fire up to late_us too late, answers take 50 ms. */
static void drive(struct rate *r, struct counting_server *s, int64_t for_us, int64_t late_us, bool headers)
{
    uint64_t seed = 1;
    for (int64_t now = 0; now < for_us;) {
        int64_t wait = rate_wait_us(r, now);
        struct rate_signs seen;
        if (wait > 0) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            now += wait + (int64_t)((seed >> 33) % (uint64_t)late_us);
            continue;
        }
        rate_spend(r, now);
        bool good = serve(s, now, &seen);
        if (!headers)
            seen = (struct rate_signs){-1, -1, -1, -1};
        rate_learn(r, &seen, !good, now);
        now += 50; /* a request takes its time to send */
    }
}

/* 98 % of what is permitted, and not one percent more. */
static void pacing_by_config(void)
{
    static const int64_t per_second[] = {1, 10, 100, 1000};
    for (size_t i = 0; i < 4; i++) {
        struct counting_server s = {.limit = INT64_MAX, .window_us = 1000000};
        struct rate r;
        rate_init(&r, per_second[i] * 60, 0);
        drive(&r, &s, 100 * 1000000LL, 1500, false);
        CU_ASSERT_TRUE(s.served >= per_second[i] * 98);
        CU_ASSERT_TRUE(s.served <= per_second[i] * 101);
    }
}

static void pacing_by_headers(void)
{
    struct counting_server s = {.limit = 100, .window_us = 1000000};
    struct rate r;
    rate_init(&r, 0, 0);
    drive(&r, &s, 100 * 1000000LL, 1500, true);
    CU_ASSERT_TRUE(s.served >= 98 * 100);
    CU_ASSERT_TRUE(s.refused <= 100); /* one in a hundred */
}

/* An hourly budget: two hundred calls go at once, ten thousand last the hours they must and are hardly ever refused. */
static void pacing_by_the_hour(void)
{
    struct counting_server s = {.limit = 5000, .window_us = 3600 * 1000000LL};
    struct rate r;
    rate_init(&r, 0, 0);
    drive(&r, &s, 60 * 1000000LL, 1500, true);
    CU_ASSERT_TRUE(s.served >= 200);
    drive(&r, &s, 3600 * 1000000LL, 1500, true);
    CU_ASSERT_TRUE(s.served >= 4900);
    CU_ASSERT_TRUE(s.refused <= 50);
}

/* A server that refuses without a word of its limit is found out, and not hammered. */
static void pacing_by_guess(void)
{
    struct counting_server s = {.limit = 50, .window_us = 1000000};
    struct rate r;
    rate_init(&r, 0, 0);
    drive(&r, &s, 300 * 1000000LL, 1500, false);
    CU_ASSERT_TRUE(s.served >= 50 * 300 / 4);
    CU_ASSERT_TRUE(s.refused <= s.served / 10);
}

static void told_to_wait(void)
{
    struct rate r;
    struct rate_signs wait = {5000, -1, -1, -1}, empty = {-1, 100, 0, 7000};
    rate_init(&r, 0, 0);
    rate_learn(&r, &wait, true, 1000);
    CU_ASSERT_EQUAL(rate_wait_us(&r, 1000), 5000000);
    rate_learn(&r, &empty, false, 1000);
    CU_ASSERT_EQUAL(rate_wait_us(&r, 1000), 7000000);
}

/* --- where a request may go --- */

static const struct {
    const char *ip;
    int kind;
} addresses[] = {
    {"8.8.8.8", ADDRESS_PUBLIC},
    {"127.0.0.1", ADDRESS_LOOPBACK},
    {"127.9.9.9", ADDRESS_LOOPBACK},
    {"10.1.2.3", ADDRESS_PRIVATE},
    {"172.16.0.1", ADDRESS_PRIVATE},
    {"172.32.0.1", ADDRESS_PUBLIC},
    {"192.168.1.1", ADDRESS_PRIVATE},
    {"100.64.0.1", ADDRESS_PRIVATE},
    {"169.254.169.254", ADDRESS_LINK_LOCAL},
    {"0.0.0.0", ADDRESS_OTHER},
    {"255.255.255.255", ADDRESS_OTHER},
    {"224.0.0.1", ADDRESS_OTHER},
    {"::1", ADDRESS_LOOPBACK},
    {"::", ADDRESS_OTHER},
    {"fe80::1", ADDRESS_LINK_LOCAL},
    {"fd00::1", ADDRESS_PRIVATE},
    {"2001:4860:4860::8888", ADDRESS_PUBLIC},
    {"ff02::1", ADDRESS_OTHER},
    {"::ffff:169.254.169.254", ADDRESS_LINK_LOCAL},
    {"64:ff9b::a9fe:a9fe", ADDRESS_LINK_LOCAL},
    {"2002:a00:1::", ADDRESS_PRIVATE},
    {"::ffff:8.8.8.8", ADDRESS_PUBLIC},
};

static void kinds_of_addresses(void)
{
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct sockaddr_in four = {.sin_family = AF_INET};
        struct sockaddr_in6 six = {.sin6_family = AF_INET6};
        bool is4 = inet_pton(AF_INET, addresses[i].ip, &four.sin_addr) == 1;
        CU_ASSERT_TRUE(is4 || inet_pton(AF_INET6, addresses[i].ip, &six.sin6_addr) == 1);
        CU_ASSERT_EQUAL(address_kind(is4 ? (void *)&four : (void *)&six), addresses[i].kind);
    }
}

static const struct {
    const char *url, *origin; /* NULL: refused */
} origins[] = {
    {"https://API.example.com/v1?x", "https://api.example.com:443"},
    {"http://localhost:8080", "http://localhost:8080"},
    {"http://[::1]:81/x", "http://[::1]:81"},
    {"https://user:pw@example.com/", NULL},
    {"https://example.com@evil.test/", NULL},
    {"ftp://example.com/", NULL},
    {"file:///etc/passwd", NULL},
    {"/only/a/path", NULL},
    {"", NULL},
};

static void origins_of_urls(void)
{
    struct arena a = {0};
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        struct err e = {0};
        const char *got = NULL;
        int rc = url_origin(origins[i].url, &a, &got, &e);
        CU_ASSERT_EQUAL(rc, origins[i].origin ? 0 : ERR_INPUT);
        CU_ASSERT_TRUE(text_equal(got, origins[i].origin));
        CU_ASSERT_PTR_NULL(strstr(e.text, "pw"));
    }
    arena_fini(&a);
}

static const struct check tests[] = {
    {"every status, once and repeatable", statuses},
    {"lost and unsent", no_answers},
    {"403 for a used-up budget is a pause", forbidden_for_now},
    {"I19: what may have been carried out is never repeated blindly", never_twice},
    {"backoff: full jitter below the cap", backoff},
    {"the breaker opens, probes once, and closes", breaking},
    {"Retry-After in both forms, and the rate headers", reading_signs},
    {"pacing by config: 98 to 101 percent", pacing_by_config},
    {"pacing by headers: a window of a second", pacing_by_headers},
    {"pacing by headers: a window of an hour", pacing_by_the_hour},
    {"pacing by guess: refusals without a limit", pacing_by_guess},
    {"a wait the server asks for is kept", told_to_wait},
    {"loopback, private, link-local, and what hides in IPv6", kinds_of_addresses},
    {"origins of URLs", origins_of_urls},
};
CHECK_MAIN("policy", tests)
