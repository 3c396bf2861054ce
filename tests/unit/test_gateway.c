/* SPDX-License-Identifier: MIT */
/* test_gateway.c - which route a path takes; requests and answers as bytes between processes. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "base/text.h"
#include "daemon/delivery.h"
#include "runner/sandbox.h"

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

/* --- the process --- */

#ifndef __SANITIZE_ADDRESS__
static bool no(long got)
{
    return got < 0 && errno == EPERM;
}

/* What is still open to a process that serves only: the first thing that it could do and should not, or 0. */
static int reach_out(const int listening, const int pair[2])
{
    char *const argv[] = {"true", NULL};
    struct sockaddr to = {.sa_family = AF_UNSPEC};
    char byte = 'x';
    if (!no(socket(AF_INET, SOCK_STREAM, 0)) || !no(socket(AF_UNIX, SOCK_DGRAM, 0)))
        return 1;
    if (!no(connect(listening, &to, sizeof to)) || !no(bind(listening, &to, sizeof to)))
        return 2;
    if (!no(open("/dev/null", O_WRONLY)) || !no(open("/etc/passwd", O_RDONLY)) || !no(unlink("/tmp/none")))
        return 3;
    if (!no(fork()) || !no(execv("/bin/true", argv)) || !no(kill(getppid(), 0)))
        return 4;
    if (!no(ptrace(PTRACE_TRACEME, 0, NULL, NULL)))
        return 5;
    return write(pair[0], &byte, 1) == 1 && read(pair[1], &byte, 1) == 1 ? 0 : 6;
}
#endif

static void serves_only(void)
{
#ifdef __SANITIZE_ADDRESS__
    puts("skipped: not under a sanitizer");
#else
    int status = -1, pair[2], listening = socket(AF_INET, SOCK_STREAM, 0);
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct err e = {0};
        _exit(sandbox_serve_only(&e) ? 99 : sandbox_lacks() ? 0 : reach_out(listening, pair));
    }
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_EQUAL(status, 0);
    close(listening);
    close(pair[0]);
    close(pair[1]);
#endif
}

/* --- deliveries --- */

static void paths_of_hooks(void)
{
    static const char *const rows[][3] = {{"/hooks/desk/t", "desk", "t"},
                                          {"/hooks/desk/", "desk", ""},
                                          {"/hooks/desk", "", ""},
                                          {"/hooks//t", "", "t"},
                                          {"/hooks/", "", ""},
                                          {"/hooks/a/b/c", "a", "b/c"},
                                          {"/hook/a/b", "", ""},
                                          {"", "", ""},
                                          {"/hooks/%64/t", "%64", "t"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct delivery_path p = delivery_path_read(rows[i][0]);
        CU_ASSERT_STRING_EQUAL(p.connection, rows[i][1]);
        CU_ASSERT_STRING_EQUAL(p.token, rows[i][2]);
    }
    char path[300] = "/hooks/";
    for (size_t n = DELIVERY_NAME_MAX; n < DELIVERY_NAME_MAX + 2; n++) {
        memset(path + 7, 'a', n);
        strcpy(path + 7 + n, "/t");
        CU_ASSERT_EQUAL(strlen(delivery_path_read(path).connection), n > DELIVERY_NAME_MAX ? 0 : n);
    }
}

static void alike(void)
{
    struct answer accepted = delivery_answer(7, DELIVERY_ACCEPTED), again = delivery_answer(7, DELIVERY_AGAIN);
    CU_ASSERT_EQUAL(accepted.status, 202);
    CU_ASSERT_EQUAL(again.status, 202);
    CU_ASSERT_STRING_EQUAL(accepted.text, again.text);
    CU_ASSERT_EQUAL(delivery_answer(7, DELIVERY_REFUSED).status, 404);
    for (int k = 1; k < DELIVERY_OUTCOMES; k++) {
        struct answer a = delivery_answer(7, k);
        CU_ASSERT(a.number == 7 && *a.text && *delivery_outcome_names[k]);
        CU_ASSERT_EQUAL(a.n_headers == 1, k == DELIVERY_LIMITED || k == DELIVERY_FAILED || k == DELIVERY_FULL);
    }
}

/* So many at once, then so many a second, whatever the clock does. */
static void buckets(void)
{
    struct delivery_bucket b = {0};
    int64_t now = 1000000, n = 0;
    for (int i = 0; i < 100; i++)
        n += delivery_bucket_take(&b, 10, 40, now);
    CU_ASSERT_EQUAL(n, 40);
    for (int i = 0; i < 1000; i++) /* ten seconds of a hundred a second */
        n += delivery_bucket_take(&b, 10, 40, now += 10);
    CU_ASSERT(n >= 139 && n <= 141);
    CU_ASSERT_FALSE(delivery_bucket_take(&b, 10, 40, now - 5000));
    CU_ASSERT_FALSE(delivery_bucket_take(&b, 10, 40, now));
    for (int i = 0, more = 0; i < 100; i++, n = more)
        more += delivery_bucket_take(&b, 10, 40, now + 3600000);
    CU_ASSERT_EQUAL(n, 40);
}

static const struct check tests[] = {
    {"the longest path takes a request", longest_path},
    {"every route is found", own_routes},
    {"a request is read as it was written, whole or not at all", whole_requests},
    {"an answer is read as it was written, whole or not at all", whole_answers},
    {"broken requests are refused", broken_requests},
    {"the process that listens opens nothing and starts nothing", serves_only},
    {"a path names a connection and a token, or nothing", paths_of_hooks},
    {"what is refused is answered alike, what is seen again as what is taken", alike},
    {"so many at once, so many a second", buckets},
};
CHECK_MAIN("gateway", tests)
