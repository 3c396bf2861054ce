/* SPDX-License-Identifier: MIT */
/* test_gateway.c - which route a path takes; requests and answers as bytes between processes. */
#include <string.h>

#include "check.h"
#include "base/text.h"
#include "daemon/gateway.h"

static const char *led_to(const char *path)
{
    static const struct route table[] = {
        {.path = "/a"}, {.path = "/b/"}, {.path = "/b/c/"}, {.path = "/"}, {.path = "/b/c/d"}};
    const struct route *r = route_find(table, sizeof table / sizeof *table, path);
    return r ? r->path : "nowhere";
}

static void longest_path(void)
{
    static const char *const rows[][2] = {
        {"/a", "/a"},      {"/a/", "nowhere"},  {"/ab", "nowhere"},   {"/", "/"},
        {"", "nowhere"},   {"/b", "nowhere"},   {"/b/", "/b/"},       {"/b/x/y", "/b/"},
        {"/b/c", "/b/"},   {"/b/c/x", "/b/c/"}, {"/b/c/d", "/b/c/d"}, {"/b/c/de", "/b/c/"},
        {"b/", "nowhere"}, {"//b/", "nowhere"}, {"/B/x", "nowhere"},  {"*", "nowhere"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CU_ASSERT_STRING_EQUAL(led_to(rows[i][0]), rows[i][1]);
}

/* Every row of the daemon's own table finds itself, and says what it takes. */
static void own_routes(void)
{
    for (size_t i = 0; i < n_routes; i++) {
        CU_ASSERT_PTR_EQUAL(route_find(routes, n_routes, routes[i].path), &routes[i]);
        CU_ASSERT(routes[i].take && routes[i].methods && *routes[i].methods);
    }
    CU_ASSERT_PTR_NULL(route_find(routes, n_routes, "/metrics/"));
}

/* --- bytes --- */

static const struct request_header two[] = {{"host", "h"}, {"x-empty", ""}};
static const struct request asked = {.number = UINT64_MAX - 6,
                                     .route = "/b/",
                                     .method = "POST",
                                     .path = "/b/x",
                                     .query = "q=1",
                                     .peer = "::1",
                                     .received_ms = 1700000000123,
                                     .headers = two,
                                     .n_headers = 2,
                                     .body = "a\0b",
                                     .n_body = 3};

static void whole_requests(void)
{
    struct request_header headers[REQUEST_HEADERS_MAX];
    struct request r;
    struct buf bytes = {0};
    request_put(&bytes, &asked);
    CU_ASSERT_TRUE_FATAL(request_read(bytes.data, bytes.size, headers, &r));
    CU_ASSERT_EQUAL(r.number, asked.number);
    CU_ASSERT_EQUAL(request_number(bytes.data, bytes.size), asked.number);
    CU_ASSERT_STRING_EQUAL(r.path, "/b/x");
    CU_ASSERT_STRING_EQUAL(r.query, "q=1");
    CU_ASSERT_STRING_EQUAL(r.peer, "::1");
    CU_ASSERT_EQUAL(r.received_ms, asked.received_ms);
    CU_ASSERT_STRING_EQUAL(request_header(&r, "x-empty"), "");
    CU_ASSERT_PTR_NULL(request_header(&r, "X-Empty"));
    CU_ASSERT_EQUAL(r.n_body, 3);
    CU_ASSERT_EQUAL(memcmp(r.body, "a\0b", 3), 0);
    /* no part of one is one, nor one with more behind it */
    for (size_t n = 0; n < bytes.size; n++)
        CU_ASSERT_FALSE(request_read(bytes.data, n, headers, &r));
    CU_ASSERT_EQUAL(request_number(bytes.data, 7), 0);
    buf_byte(&bytes, 0);
    CU_ASSERT_FALSE(request_read(bytes.data, bytes.size, headers, &r));
    buf_fini(&bytes);
}

static void whole_answers(void)
{
    struct request_header headers[REQUEST_HEADERS_MAX];
    struct answer a = answer_text(7, 404, "nothing\n"), back;
    struct buf bytes = {0};
    a.headers = two;
    a.n_headers = 2;
    answer_put(&bytes, &a);
    CU_ASSERT_TRUE_FATAL(answer_read(bytes.data, bytes.size, headers, &back));
    CU_ASSERT_EQUAL(back.status, 404);
    CU_ASSERT_EQUAL(back.n_headers, 2);
    CU_ASSERT_STRING_EQUAL(back.text, "nothing\n");
    for (size_t n = 0; n < bytes.size; n++)
        CU_ASSERT_FALSE(answer_read(bytes.data, n, headers, &back));
    static const unsigned none[] = {0, 100, 199, 600};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        buf_clear(&bytes);
        a.status = none[i];
        answer_put(&bytes, &a);
        CU_ASSERT_FALSE(answer_read(bytes.data, bytes.size, headers, &back));
    }
    buf_fini(&bytes);
}

/* Any byte may be another: what is still taken stays within its bytes (a sanitizer watches), and its texts end where they say. */
static void broken_requests(void)
{
    struct request_header headers[REQUEST_HEADERS_MAX];
    struct buf bytes = {0};
    uint64_t seed = 7, n = check_scaled(200000);
    request_put(&bytes, &asked);
    for (uint64_t i = 0; i < n; i++) {
        struct request r;
        seed = hash64(&seed, sizeof seed);
        char *copy = mem_alloc(bytes.size);
        memcpy(copy, bytes.data, bytes.size);
        copy[seed % bytes.size] = (char)(seed >> 32);
        copy[seed >> 16 & 31] ^= (char)(seed >> 40 & 3);
        if (request_read(copy, bytes.size, headers, &r))
            CU_ASSERT(strlen(r.path) < bytes.size && r.n_body < bytes.size && r.n_headers <= REQUEST_HEADERS_MAX);
        mem_free(copy);
    }
    check_cases(n);
    buf_fini(&bytes);
}

static const struct check tests[] = {
    {"the longest path takes a request", longest_path},
    {"every route is found", own_routes},
    {"a request is read as it was written, whole or not at all", whole_requests},
    {"an answer is read as it was written, whole or not at all", whole_answers},
    {"broken requests are refused", broken_requests},
};
CHECK_MAIN("gateway", tests)
