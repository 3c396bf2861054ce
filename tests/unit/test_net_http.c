/* SPDX-License-Identifier: MIT */
/* test_net_http.c - the HTTP service against a server that misbehaves on the wire. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "check.h"
#include "net/http.h"
#include "wire_peer.h"

static struct wire_peer peer, stranger;
static int stop_now;

static int64_t now_ms(void *self)
{
    (void)self;
    return clock_now_ms();
}

static void randomness(void *self, void *bytes, size_t n)
{
    (void)self;
    random_bytes(bytes, n);
}

static int stopping(void *self)
{
    (void)self;
    return stop_now;
}

static const struct http_world world = {NULL, now_ms, randomness, stopping, NULL};

/* One open connection with a bearer token. */
struct rig {
    struct arena a;
    struct auth *auth;
    struct http *http;
    char base[100];
    struct err e;
};

static void rig_open(struct rig *r, const struct http_settings *more)
{
    struct http_settings s = more ? *more : (struct http_settings){0};
    memset(r, 0, sizeof *r);
    wire_forget(&peer);
    wire_forget(&stranger);
    snprintf(r->base, sizeof r->base, "http://127.0.0.1:%d/", peer.port);
    s.connection = "desk";
    s.base_url = r->base;
    s.limits.timeout_ms = s.limits.timeout_ms ? s.limits.timeout_ms : 3000;
    if (s.patience.most_tries == 0)
        s.patience = (struct net_patience){4, 1, 5, 2000};
    struct auth_settings bearer = {.json = "{\"type\": \"bearer\", \"token\": \"canary-7f3a\"}", .base_url = r->base};
    CU_ASSERT_EQUAL(auth_open(&bearer, &r->auth, &r->e), 0);
    CU_ASSERT_EQUAL(http_open(&s, r->auth, &world, &r->http, &r->e), 0);
}

static void rig_close(struct rig *r)
{
    http_close(r->http);
    auth_close(r->auth);
    arena_fini(&r->a);
}

static struct sl_http_response ask(struct rig *r, const char *method, const char *url)
{
    struct sl_http_request q = {
        .size = sizeof q, .method = method, .url = url, .header_size = sizeof(struct sl_header)};
    struct sl_http_response got;
    if (strcmp(method, "POST") == 0) {
        q.body = "{\"a\":1}";
        q.body_bytes = 7;
    }
    http_many(r->http, &q, 1, sizeof q, &r->a, &got);
    return got;
}

static bool says(const struct sl_http_response *got, const char *part)
{
    return got->message && strstr(got->message, part) && !strstr(got->message, "canary");
}

static void plain_answer(void)
{
    struct rig r;
    rig_open(&r, NULL);
    struct sl_http_response got = ask(&r, "POST", "/echo");
    CU_ASSERT_EQUAL(got.end, SL_HTTP_ANSWERED);
    CU_ASSERT_EQUAL(got.status, 200);
    CU_ASSERT_EQUAL(got.advice, SL_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.body, "POST /echo HTTP/1.1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.body, "Authorization: Bearer canary-7f3a"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.body, "{\"a\":1}"));
    bool found = false;
    for (uint32_t i = 0; i < got.n_headers; i++)
        found |= strcmp(got.headers[i].name, "x-mixed-case") == 0 && strcmp(got.headers[i].value, "Kept") == 0;
    CU_ASSERT_TRUE(found);
    rig_close(&r);
}

/* A batch: answers in the order of the requests, never more in flight than allowed. */
static void in_order(void)
{
    struct rig r;
    struct http_settings s = {.in_flight = 3};
    struct sl_http_request q[20];
    struct sl_http_response got[20];
    rig_open(&r, &s);
    for (int i = 0; i < 20; i++)
        q[i] = (struct sl_http_request){.size = sizeof *q,
                                        .method = "GET",
                                        .header_size = sizeof(struct sl_header),
                                        .url = i % 4 == 0 ? "/wait" : arena_printf(&r.a, "/status/%d", 400 + i)};
    http_many(r.http, q, 20, sizeof *q, &r.a, got);
    for (int i = 0; i < 20; i++)
        CU_ASSERT_EQUAL(got[i].status, i % 4 == 0 ? 200 : (uint32_t)(400 + i));
    CU_ASSERT_TRUE(peer.seen->most_at_once <= 3);
    CU_ASSERT_EQUAL(http_calls(r.http), 20);
    rig_close(&r);
}

static void tried_again(void)
{
    struct rig r;
    rig_open(&r, NULL);
    CU_ASSERT_EQUAL(ask(&r, "GET", "/again/2/503").status, 200);
    CU_ASSERT_EQUAL(peer.seen->requests, 3);
    wire_forget(&peer);
    CU_ASSERT_EQUAL(ask(&r, "POST", "/again/2/429").status, 200); /* it was not carried out: safe */
    CU_ASSERT_EQUAL(peer.seen->requests, 3);
    wire_forget(&peer);
    CU_ASSERT_EQUAL(ask(&r, "GET", "/again/99/500").status, 500); /* patience ends */
    CU_ASSERT_EQUAL(peer.seen->requests, 4);
    rig_close(&r);
}

static void lost_reply(void)
{
    struct rig r;
    rig_open(&r, NULL);
    struct sl_http_response got = ask(&r, "POST", "/drop");
    CU_ASSERT_EQUAL(got.end, SL_HTTP_NO_ANSWER);
    CU_ASSERT_EQUAL(peer.seen->writes, 1);
    wire_forget(&peer);
    CU_ASSERT_EQUAL(ask(&r, "POST", "/again/1/500").status, 500);
    wire_forget(&peer);
    got = ask(&r, "GET", "/part/1");
    CU_ASSERT_EQUAL(got.end, SL_HTTP_NO_ANSWER); /* half an answer is none */
    CU_ASSERT_EQUAL(peer.seen->requests, 4);
    rig_close(&r);
}

/* What may be repeated is, but the second answer says nothing of the first sending. */
static void doubt_stays(void)
{
    static const char *const paths[] = {"/drop-then/422", "/drop-then/429", "/drop-then/409"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct rig r;
        rig_open(&r, NULL);
        struct sl_http_request q = {.size = sizeof q,
                                    .method = "POST",
                                    .url = paths[i],
                                    .header_size = sizeof(struct sl_header),
                                    .idempotency_key = "k"};
        struct sl_http_response got;
        http_many(r.http, &q, 1, sizeof q, &r.a, &got);
        CU_ASSERT_EQUAL(peer.seen->writes, 2);
        CU_ASSERT_EQUAL(got.end, SL_HTTP_NO_ANSWER);
        CU_ASSERT_TRUE(says(&got, "may have been carried out"));
        rig_close(&r);
    }
}

/* libcurl sends a request again by itself when a kept connection dies under it: not one that may have been carried out. */
static void lost_on_a_kept_connection(void)
{
    struct rig r;
    rig_open(&r, NULL);
    for (int i = 1; i <= 3; i++) {
        CU_ASSERT_EQUAL(ask(&r, "GET", "/status/200").status, 200);
        struct sl_http_response got = ask(&r, "POST", "/drop");
        CU_ASSERT_EQUAL(got.end, SL_HTTP_NO_ANSWER);
        CU_ASSERT_TRUE(says(&got, "the connection ended without an answer"));
        CU_ASSERT_EQUAL(peer.seen->writes, i);
    }
    rig_close(&r);
}

static void nobody_there(void)
{
    struct rig r;
    rig_open(&r, NULL);
    wire_stop(&stranger);
    struct sl_http_request q = {
        .size = sizeof q, .method = "POST", .url = "/x", .header_size = sizeof(struct sl_header)};
    struct sl_http_response got;
    struct http *nobody = NULL;
    struct http_settings s = {.connection = "gone",
                              .base_url = arena_printf(&r.a, "http://127.0.0.1:%d", stranger.port),
                              .patience = {3, 1, 2, 100}};
    CU_ASSERT_EQUAL(http_open(&s, NULL, &world, &nobody, &r.e), 0);
    http_many(nobody, &q, 1, sizeof q, &r.a, &got);
    CU_ASSERT_EQUAL(got.end, SL_HTTP_NOT_SENT);
    CU_ASSERT_EQUAL(got.advice, SL_RETRY);
    for (int i = 0; i < 40; i++) /* one pause is waited out, not one for each of them */
        http_many(nobody, &q, 1, sizeof q, &r.a, &got);
    CU_ASSERT_TRUE(http_calls(nobody) < 10);
    CU_ASSERT_EQUAL(got.end, SL_HTTP_NOT_SENT);
    CU_ASSERT_TRUE(says(&got, "not asked: the last 6 requests met no good answer; it is asked again in"));
    http_close(nobody);
    stranger = wire_start();
    rig_close(&r);
}

/* --- credentials stay at home --- */

static void redirects(void)
{
    struct rig r;
    rig_open(&r, NULL);
    CU_ASSERT_EQUAL(ask(&r, "GET", "/to//status/200").status, 200);
    CU_ASSERT_EQUAL(peer.seen->with_credentials, 2);
    CU_ASSERT_EQUAL(ask(&r, "POST", "/keep//status/201").status, 201);
    struct sl_http_response got = ask(&r, "POST", "/to//status/201");
    CU_ASSERT_EQUAL(got.end, SL_HTTP_REFUSED);
    CU_ASSERT_TRUE(says(&got, "answered 302, which is not followed for POST"));
    got = ask(&r, "GET", arena_printf(&r.a, "/to/http://127.0.0.1:%d/to/x", peer.port));
    rig_close(&r);
}

static void redirect_loop(void)
{
    struct rig r;
    rig_open(&r, NULL);
    const char *path = "/status/200";
    for (int i = 0; i < 7; i++)
        path = arena_printf(&r.a, "/to/%s", path);
    struct sl_http_response got = ask(&r, "GET", path);
    CU_ASSERT_EQUAL(got.end, SL_HTTP_REFUSED);
    CU_ASSERT_TRUE(says(&got, "redirected too often"));
    rig_close(&r);
}

static void other_server(void)
{
    struct rig r;
    rig_open(&r, NULL);
    const char *there = arena_printf(&r.a, "http://127.0.0.1:%d/status/200", stranger.port);
    struct sl_http_response got = ask(&r, "GET", arena_printf(&r.a, "/to/%s", there));
    CU_ASSERT_EQUAL(got.end, SL_HTTP_REFUSED);
    CU_ASSERT_TRUE(says(&got, "its redirect is refused: http://127.0.0.1:"));
    got = ask(&r, "GET", there);
    CU_ASSERT_EQUAL(got.end, SL_HTTP_REFUSED);
    got = ask(&r, "GET", arena_printf(&r.a, "/next/%s", there));
    CU_ASSERT_EQUAL(got.end, SL_HTTP_REFUSED);
    CU_ASSERT_TRUE(says(&got, "its next link is refused"));
    CU_ASSERT_EQUAL(stranger.seen->requests, 0);
    rig_close(&r);
}

/* What no request should be made of. */
static void urls_refused(void)
{
    static const char *const bad[][2] = {
        {"ftp://127.0.0.1/x", "the URL ftp://127.0.0.1/x is neither http nor https"},
        {"ftp://ann:canary@127.0.0.1/x?t=canary",
         "GET ftp://127.0.0.1/x: a URL with a user or password in it is refused"},
        {"http://ann:canary@127.0.0.1/x",
         "a URL with a user or password in it is refused; put credentials into `auth`"}};
    struct rig r;
    rig_open(&r, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sl_http_response got = ask(&r, "GET", bad[i][0]);
        CU_ASSERT_EQUAL(got.end, SL_HTTP_REFUSED);
        CU_ASSERT_TRUE(says(&got, bad[i][1]));
    }
    struct http_settings s = {.connection = "desk", .base_url = "desk.example"};
    struct http *none = NULL;
    err_clear(&r.e);
    CU_ASSERT_EQUAL(http_open(&s, r.auth, &world, &none, &r.e), ERR_CONFIG);
    CU_ASSERT_STRING_EQUAL(r.e.text, "connection desk: base_url: the URL desk.example is not an absolute URL");
    rig_close(&r);
}

static void declared_server(void)
{
    struct rig r;
    char other[100];
    snprintf(other, sizeof other, "http://127.0.0.1:%d", stranger.port);
    const char *origins[] = {other};
    struct http_settings s = {.origins = origins, .n_origins = 1};
    rig_open(&r, &s);
    CU_ASSERT_EQUAL(ask(&r, "GET", arena_printf(&r.a, "/to/%s/status/200", other)).status, 200);
    CU_ASSERT_EQUAL(stranger.seen->requests, 1);
    CU_ASSERT_EQUAL(stranger.seen->with_credentials, 0);
    rig_close(&r);
}

static void next_link(void)
{
    struct rig r;
    rig_open(&r, NULL);
    struct sl_http_response got = ask(&r, "GET", "/next//status/200?page=2");
    CU_ASSERT_STRING_EQUAL(got.next_url, arena_printf(&r.a, "http://127.0.0.1:%d/status/200?page=2", peer.port));
    CU_ASSERT_PTR_NULL(ask(&r, "GET", "/echo").next_url);
    rig_close(&r);
}

/* Found by a real server, whose API is not at the root: its base_url has a path. */
static void below_the_base(void)
{
    static const struct {
        const char *base, *url, *asked;
    } rows[] = {{"/echo/v2", "/Users?a=1", "GET /echo/v2/Users?a=1 HTTP"},
                {"/echo/v2/", "/Users", "GET /echo/v2/Users HTTP"},
                {"", "/echo", "GET /echo HTTP"},
                {"/echo/v2", NULL, "GET /echo/other HTTP"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig r;
        rig_open(&r, NULL);
        struct http *h = NULL;
        struct http_settings s = {.connection = "desk"};
        const char *server = arena_printf(&r.a, "http://127.0.0.1:%d", peer.port);
        s.base_url = arena_printf(&r.a, "%s%s", server, rows[i].base);
        struct sl_http_request q = {.size = sizeof q, .method = "GET", .header_size = sizeof(struct sl_header)};
        q.url = rows[i].url ? rows[i].url : arena_printf(&r.a, "%s/echo/other", server);
        struct sl_http_response got;
        CU_ASSERT_EQUAL_FATAL(http_open(&s, NULL, &world, &h, &r.e), 0);
        http_many(h, &q, 1, sizeof q, &r.a, &got);
        CU_ASSERT_PTR_NOT_NULL(strstr(got.body, rows[i].asked));
        http_close(h);
        rig_close(&r);
    }
}

static void private_refused(void)
{
    struct rig r;
    rig_open(&r, NULL);
    struct http *strict = NULL;
    struct http_settings s = {.connection = "desk", .patience = {2, 1, 2, 10}, .limits = {.plain_http = true}};
    s.base_url = arena_printf(&r.a, "http://a.localhost:%d", peer.port); /* a name, wherever it may lead */
    struct sl_http_request q = {
        .size = sizeof q, .method = "GET", .url = "/echo", .header_size = sizeof(struct sl_header)};
    struct sl_http_response got;
    CU_ASSERT_EQUAL(http_open(&s, NULL, &world, &strict, &r.e), 0);
    http_many(strict, &q, 1, sizeof q, &r.a, &got);
    CU_ASSERT_EQUAL(got.end, SL_HTTP_REFUSED);
    CU_ASSERT_TRUE(says(&got, "it leads to a loopback address"));
    CU_ASSERT_EQUAL(peer.seen->requests, 0);
    http_close(strict);
    s.allow_private = true;
    CU_ASSERT_EQUAL(http_open(&s, NULL, &world, &strict, &r.e), 0);
    http_many(strict, &q, 1, sizeof q, &r.a, &got);
    CU_ASSERT_EQUAL(got.status, 200);
    http_close(strict);
    s.limits.plain_http = false;
    s.base_url = "http://example.com";
    CU_ASSERT_EQUAL(http_open(&s, NULL, &world, &strict, &r.e), 0);
    http_many(strict, &q, 1, sizeof q, &r.a, &got);
    CU_ASSERT_TRUE(says(&got, "http:// is for loopback only"));
    http_close(strict);
    rig_close(&r);
}

/* --- answers that would hurt --- */

static const struct {
    const char *path, *says;
} bombs[] = {{"/bomb", "unpacks to more than a hundred times"},
             {"/endless", "the answer is larger than 16777216 bytes"},
             {"/headers", "headers are larger than 65536 bytes"}};

static void bombs_refused(void)
{
    struct rig r;
    rig_open(&r, NULL);
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
        struct sl_http_response got = ask(&r, "GET", bombs[i].path);
        CU_ASSERT_EQUAL(got.end, SL_HTTP_REFUSED);
        CU_ASSERT_TRUE(says(&got, bombs[i].says));
    }
    rig_close(&r);
}

static void too_slow(void)
{
    struct rig r;
    struct http_settings s = {.limits = {.timeout_ms = 100}, .patience = {1, 1, 1, 1}};
    rig_open(&r, &s);
    CU_ASSERT_EQUAL(ask(&r, "GET", "/slow").end, SL_HTTP_NO_ANSWER);
    rig_close(&r);
}

static void stopped(void)
{
    struct rig r;
    rig_open(&r, NULL);
    stop_now = 1;
    struct sl_http_response got = ask(&r, "POST", "/echo");
    stop_now = 0;
    CU_ASSERT_EQUAL(got.end, SL_HTTP_NOT_SENT);
    CU_ASSERT_TRUE(says(&got, "the run is being stopped"));
    CU_ASSERT_EQUAL(peer.seen->requests, 0);
    rig_close(&r);
}

static const struct check tests[] = {
    {"an answer as it came, the host's credentials on the request", plain_answer},
    {"a batch: in order, and never more in flight than allowed", in_order},
    {"503 for a GET and 429 for anything are tried again, with an end", tried_again},
    {"I19: a lost reply to a POST is not repeated; half an answer is none", lost_reply},
    {"I19: nor is one whose kept connection died", lost_on_a_kept_connection},
    {"I19: a repeat that is refused leaves the first sending in doubt", doubt_stays},
    {"nobody there: certainly not sent, and soon not asked any more", nobody_there},
    {"redirects on the same server keep the credentials", redirects},
    {"redirects end", redirect_loop},
    {"another server gets nothing: redirect, URL and next link", other_server},
    {"URLs that are refused", urls_refused},
    {"a declared server gets requests, never credentials", declared_server},
    {"the next link", next_link},
    {"a path is below base_url, whose own path stays", below_the_base},
    {"private addresses and plain http are refused unless configured", private_refused},
    {"a gzip bomb, an endless body and endless headers", bombs_refused},
    {"slow answers end", too_slow},
    {"a run that is being stopped sends nothing new", stopped},
};

int main(void)
{
    peer = wire_start();
    stranger = wire_start();
    int rc = check_run("http", tests, sizeof tests / sizeof *tests);
    wire_stop(&peer);
    wire_stop(&stranger);
    return rc;
}
