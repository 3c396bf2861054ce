/* SPDX-License-Identifier: MIT */
/* test_net_tape.c - an exchange as a line of a recording: there and back, damaged lines, and what differs. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/text.h"
#include "check.h"
#include "net/policy.h"
#include "net/tape.h"

static const struct sl_header headers[] = {{.name = "Accept", .value = "a/b; \"q\""}, {.name = "X", .value = ""}};

static struct tape_exchange some(const char *body, size_t n)
{
    return (struct tape_exchange){.left = {7, 1500},
                                  .took_us = 20,
                                  .connection = "desk",
                                  .method = "POST",
                                  .url = "http://h/items?a=1",
                                  .request = {headers, 2, body, n},
                                  .answer = {headers, 1, "ok", 2},
                                  .end = NET_ANSWERED,
                                  .status = 201};
}

static bool read_line(const char *text, struct arena *a, struct tape_exchange *x)
{
    struct err e = {0};
    struct json_doc *doc = json_parse(text, strlen(text), NULL, &e);
    bool good = doc && tape_get(json_root(doc), a, x);
    json_free(doc);
    return good;
}

/* Bodies that are no text come back byte by byte too. */
static void there_and_back(void)
{
    static const struct {
        const char *body;
        size_t n;
    } rows[] = {{"", 0}, {"{\"a\": \"ü\\n\"}", 13}, {"a\0b", 3}, {"\xff\xfe", 2}, {"\xff", 1}, {"\xff\x00\x01", 3}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena a = {0};
        struct buf line = {0};
        struct tape_exchange was = some(rows[i].body, rows[i].n), got;
        was.end = i % 2 ? NET_NO_ANSWER : NET_ANSWERED;
        was.why = i % 2 ? "it hung up" : NULL;
        tape_put(&line, &was);
        CU_ASSERT_PTR_NULL(strchr(line.data, '\n'));
        CU_ASSERT_TRUE_FATAL(read_line(line.data, &a, &got));
        CU_ASSERT_PTR_NULL(tape_differs(&got, &was, &a));
        CU_ASSERT_EQUAL(got.request.n_body, rows[i].n);
        CU_ASSERT_EQUAL(memcmp(got.request.body, rows[i].body, rows[i].n), 0);
        CU_ASSERT_EQUAL(got.left.n, 7);
        CU_ASSERT_EQUAL(got.left.us, 1500);
        CU_ASSERT_EQUAL(got.took_us, 20);
        CU_ASSERT_EQUAL(got.end, was.end);
        CU_ASSERT_EQUAL(got.status, 201);
        CU_ASSERT_EQUAL(got.answer.n_headers, 1);
        CU_ASSERT_STRING_EQUAL(got.answer.headers[0].value, headers[0].value);
        CU_ASSERT_EQUAL(got.why != NULL, was.why != NULL);
        buf_fini(&line);
        arena_fini(&a);
    }
}

/* A line with any one byte gone is read or refused, never more; without a member it is refused. */
static void damaged(void)
{
    struct arena a = {0};
    struct buf line = {0};
    struct tape_exchange was = some("\xff\x01", 2), got;
    tape_put(&line, &was);
    for (size_t i = 0; i < line.size; i++) {
        char *cut = arena_dup(&a, line.data, line.size);
        memmove(cut + i, cut + i + 1, line.size - i);
        read_line(cut, &a, &got);
    }
    static const char *const members[] = {"connection", "method",  "url",    "headers",
                                          "body64",     "request", "answer", "end"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        char *renamed = arena_dup(&a, line.data, line.size);
        strstr(renamed, members[i])[0] = '_';
        CU_ASSERT_FALSE(read_line(renamed, &a, &got));
    }
    CU_ASSERT_FALSE(read_line("[]", &a, &got));
    buf_fini(&line);
    arena_fini(&a);
}

/* The sentence shows what is around the first difference, and no character cut in two. */
static void differences(void)
{
    static const char *const long_a = "{\"title\": \"äöüäöüäöüäöüäöüäöüäöüäöü X äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü\"}";
    static const char *const long_b = "{\"title\": \"äöüäöüäöüäöüäöüäöüäöüäöü Y äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü\"}";
    struct arena a = {0};
    struct tape_exchange was = some(long_a, strlen(long_a)), asked = some(long_b, strlen(long_b));
    const char *why = tape_differs(&asked, &was, &a);
    CU_ASSERT_PTR_NOT_NULL_FATAL(why);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "its body is `…"));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, " Y "));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "recorded was `…"));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, " X "));
    CU_ASSERT_TRUE(utf8_valid(why, strlen(why), NULL));
    asked = some("", 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(tape_differs(&asked, &was, &a), "its body is ``"));
    asked = was;
    asked.method = "PUT";
    CU_ASSERT_PTR_NOT_NULL(strstr(tape_differs(&asked, &was, &a), "its method is `PUT`, recorded was `POST`"));
    asked = was;
    asked.url = "http://h/items?a=2";
    CU_ASSERT_PTR_NOT_NULL(strstr(tape_differs(&asked, &was, &a), "its URL is"));
    asked = was;
    asked.request.n_headers = 1;
    CU_ASSERT_PTR_NOT_NULL(strstr(tape_differs(&asked, &was, &a), "it has 1 headers, recorded were 2"));
    asked = was;
    struct sl_header other[] = {headers[0], {.name = "X", .value = "1"}};
    asked.request.headers = other;
    CU_ASSERT_PTR_NOT_NULL(strstr(tape_differs(&asked, &was, &a), "its header X is `1`, recorded was ``"));
    arena_fini(&a);
}

/* A disk that is full ends the recording, not the run, and that is said. */
static void cut_short(void)
{
    char file[] = "/tmp/tape-XXXXXX", name[sizeof file + 8];
    int fd = mkstemp(file);
    struct rlimit was, small;
    struct tape *t = NULL;
    struct err e = {0};
    uint64_t born = 0;
    snprintf(name, sizeof name, "%s.tape", file);
    CU_ASSERT_EQUAL_FATAL(tape_record(name, "", &t, &e), 0);
    getrlimit(RLIMIT_FSIZE, &was);
    small = was;
    small.rlim_cur = 10;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    CU_ASSERT_EQUAL(tape_state(t, "p", NULL, &born, &e), 0);
    setrlimit(RLIMIT_FSIZE, &was);
    CU_ASSERT_EQUAL(tape_close(t, &e), ERR_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "the recording is cut short: "));
    close(fd);
    unlink(file);
    unlink(name);
}

static const struct check tests[] = {
    {"an exchange as a line, and back", there_and_back},
    {"damaged lines", damaged},
    {"what differs, in a sentence", differences},
    {"a recording that meets a full disk", cut_short},
};

CHECK_MAIN("tape", tests)
