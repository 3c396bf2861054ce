/* SPDX-License-Identifier: MIT */
/* test_base.c - memory, errors, text, hashes, logs. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"

/* Runs f in a child; what it wrote to stderr goes to text. Returns its exit code, or -1. */
static int run_child(void (*f)(void), char *text, size_t n_text)
{
    int ends[2];
    int status = 0;
    size_t n = 0;
    if (pipe(ends) != 0)
        return -1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        f();
        _exit(0);
    }
    close(ends[1]);
    for (ssize_t got = 1; got > 0 && n<n_text - 1; n += got> 0 ? (size_t)got : 0)
        got = read(ends[0], text + n, n_text - 1 - n);
    text[n] = '\0';
    close(ends[0]);
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char oom_line[] = "syncline: out of memory; nothing is lost: run again with more memory\n";

static void take_too_much(void)
{
    struct arena a = {0};
    arena_alloc(&a, SIZE_MAX - 3);
}

static void test_size_overflow(void)
{
    char text[400];
    CU_ASSERT_EQUAL(run_child(take_too_much, text, sizeof(text)), 1);
    CU_ASSERT_STRING_EQUAL(text, oom_line);
}

static void three_allocations(void)
{
    for (int i = 0; i < 3; i++)
        mem_free(mem_alloc(1));
}

static void run_self(void)
{
    char path[400] = {0};
    if (readlink("/proc/self/exe", path, sizeof(path) - 1) > 0 && setenv("SYNCLINE_FAIL_ALLOC", "3", 1) == 0)
        execl(path, path, (char *)NULL);
}

static void test_fail_hook(void)
{
    char text[400];
    if (getenv("SYNCLINE_FAIL_ALLOC")) {
        three_allocations();
        exit(0); /* the third one passed: the outer run sees the wrong exit code */
    }
    CU_ASSERT_EQUAL(run_child(run_self, text, sizeof(text)), 1);
    CU_ASSERT_STRING_EQUAL(text, oom_line);
}

static void test_mem(void)
{
    unsigned char *p = mem_alloc(100);
    for (int i = 0; i < 100; i++)
        CU_ASSERT_EQUAL(p[i], 0);
    memset(p, 7, 100);
    p = mem_grow(p, 100000);
    CU_ASSERT_EQUAL(p[99], 7);
    mem_free(p);
    mem_free(mem_alloc(0));
    mem_free(NULL);
    char *copy = mem_dup("hello");
    CU_ASSERT_STRING_EQUAL(copy, "hello");
    mem_free(copy);
}

static void test_arena(void)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 4000, 5000, 70000, 300000, 3 << 20, 8, 2000000};
    struct arena a = {0};
    size_t asked = 0;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
            unsigned char *p = arena_alloc(&a, sizes[i]);
            bool zero = true;
            CU_ASSERT_EQUAL((uintptr_t)p % 16, 0);
            for (size_t k = 0; k < sizes[i]; k++)
                zero = zero && p[k] == 0;
            CU_ASSERT(zero);
            memset(p, 0xAA, sizes[i]);
            asked += sizes[i];
        }
        CU_ASSERT(a.used_bytes >= asked && a.used_bytes < asked + 1000);
        arena_reset(&a);
        CU_ASSERT_EQUAL(a.used_bytes, 0);
        CU_ASSERT_PTR_NOT_NULL(a.head);
        asked = 0;
    }
    arena_fini(&a);
    CU_ASSERT_PTR_NULL(a.head);
    arena_fini(&a);
}

static void test_arena_apart(void)
{
    struct arena a = {0};
    char *texts[500];
    for (int i = 0; i < 500; i++) {
        arena_dup(&a, "", 0);
        texts[i] = arena_printf(&a, "text %d %*s", i, i * 7, "end");
    }
    for (int i = 0; i < 500; i++) {
        char *want = arena_printf(&a, "text %d %*s", i, i * 7, "end");
        CU_ASSERT_STRING_EQUAL(texts[i], want);
    }
    CU_ASSERT_PTR_NULL(arena_text(&a, NULL));
    CU_ASSERT_STRING_EQUAL(arena_dup(&a, "abc", 2), "ab");
    CU_ASSERT_EQUAL(memcmp(arena_dup(&a, "a\0b", 3), "a\0b", 4), 0);
    arena_fini(&a);
}

static void test_buf(void)
{
    struct buf b = {0};
    buf_text(&b, NULL);
    CU_ASSERT_STRING_EQUAL(b.data, "");
    buf_add(&b, "a\0b", 3);
    buf_byte(&b, 0xFF);
    buf_printf(&b, "%d", 42);
    CU_ASSERT_EQUAL(b.size, 6);
    CU_ASSERT_EQUAL(memcmp(b.data,
                           "a\0b\xFF"
                           "42",
                           7),
                    0);
    buf_clear(&b);
    CU_ASSERT_EQUAL(b.size, 0);
    CU_ASSERT_STRING_EQUAL(b.data, "");
    for (int i = 0; i < 1000; i++)
        buf_byte(&b, 'a' + i % 26);
    CU_ASSERT_EQUAL(strlen(b.data), 1000);
    CU_ASSERT_EQUAL(b.data[999], 'a' + 999 % 26);
    buf_fini(&b);
    CU_ASSERT_PTR_NULL(b.data);
    buf_fini(&b);
}

static void test_buf_own_bytes(void)
{
    struct buf b = {0};
    buf_text(&b, "0123456789");
    for (int i = 0; i < 8; i++)
        buf_add(&b, b.data, b.size); /* it moves while it grows */
    CU_ASSERT_EQUAL(b.size, 2560);
    CU_ASSERT_EQUAL(memcmp(b.data + 2550, "0123456789", 11), 0);
    buf_clear(&b);
    buf_text(&b, "xy");
    for (int i = 0; i < 10; i++)
        buf_printf(&b, "%s", b.data);
    CU_ASSERT_EQUAL(b.size, 2048);
    CU_ASSERT_EQUAL(strlen(b.data), 2048);
    buf_fini(&b);
}

static void test_err(void)
{
    struct err e = {0};
    CU_ASSERT_EQUAL(err_exit(&e), 0);
    CU_ASSERT_EQUAL(err_set(&e, ERR_CONFIG, "first\nline %d", 1), ERR_CONFIG);
    CU_ASSERT_EQUAL(err_set(&e, ERR_FAILED, "second"), ERR_CONFIG);
    CU_ASSERT_STRING_EQUAL(e.text, "first line 1");
    CU_ASSERT_EQUAL(err_exit(&e), 2);
    err_clear(&e);
    CU_ASSERT_STRING_EQUAL(e.text, "");
    for (int code = ERR_FAILED; code <= ERR_INPUT; code++) {
        err_clear(&e);
        err_set(&e, code, "x");
        CU_ASSERT_EQUAL(err_exit(&e), code == ERR_CONFIG ? 2 : 1);
    }
    CU_ASSERT_EQUAL(err_set(NULL, ERR_STATE, "nobody asks"), ERR_STATE);
}

static void test_err_cut(void)
{
    for (int shift = 0; shift < 4; shift++) {
        struct err e = {0};
        char text[2000] = {0};
        memset(text, 'x', (size_t)shift);
        while (strlen(text) < 1500)
            strcat(text, "\xE2\x82\xAC");
        err_set(&e, ERR_INPUT, "%s", text);
        CU_ASSERT(utf8_valid(e.text, strlen(e.text), NULL));
        CU_ASSERT(strlen(e.text) >= sizeof(e.text) - 4);
    }
}

static void test_utf8(void)
{
    static const struct {
        const char *text;
        size_t size;
        long bad; /* -1: valid */
    } cases[] = {
        {"", 0, -1},
        {"plain ASCII of more than eight bytes", 36, -1},
        {"\x7F", 1, -1},
        {"\xC2\x80", 2, -1},
        {"\xDF\xBF", 2, -1},
        {"\xE0\xA0\x80", 3, -1},
        {"\xED\x9F\xBF", 3, -1},
        {"\xEE\x80\x80", 3, -1},
        {"\xEF\xBF\xBF", 3, -1},
        {"\xF0\x90\x80\x80", 4, -1},
        {"\xF4\x8F\xBF\xBF", 4, -1},
        {"12345678\xC3\xA9", 10, -1},
        {"a\0b", 3, 1},
        {"12345678901\0", 12, 11},
        {"\x80", 1, 0},
        {"\xC0\x80", 2, 0},
        {"\xC1\xBF", 2, 0},
        {"ab\xE0\x9F\xBF", 5, 2},
        {"\xED\xA0\x80", 3, 0},
        {"\xF0\x8F\xBF\xBF", 4, 0},
        {"\xF4\x90\x80\x80", 4, 0},
        {"\xF5\x80\x80\x80", 4, 0},
        {"\xFF", 1, 0},
        {"12345678\xE2\x82", 10, 8},
        {"\xE2\x82\x41", 3, 0},
        {"\xF0\x9F\x98\x41", 4, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        size_t bad = 999;
        CU_ASSERT_EQUAL(utf8_valid(cases[i].text, cases[i].size, &bad), cases[i].bad < 0);
        if (cases[i].bad >= 0)
            CU_ASSERT_EQUAL((long)bad, cases[i].bad);
    }
    CU_ASSERT_FALSE(utf8_valid("\xFF", 1, NULL));
}

static void test_text(void)
{
    char hex[33];
    unsigned char bytes[4] = {0};
    CU_ASSERT(text_equal("a", "a") && text_equal(NULL, NULL));
    CU_ASSERT_FALSE(text_equal("a", "b") || text_equal("a", NULL) || text_equal(NULL, "a"));
    hex_encode("\x00\xFF\x1a", 3, hex);
    CU_ASSERT_STRING_EQUAL(hex, "00ff1a");
    CU_ASSERT(hex_decode("00fF1A09", bytes, 4));
    CU_ASSERT_EQUAL(memcmp(bytes, "\x00\xFF\x1a\x09", 4), 0);
    CU_ASSERT_FALSE(hex_decode("00ff1a0", bytes, 4));
    CU_ASSERT_FALSE(hex_decode("00ff1a090", bytes, 4));
    CU_ASSERT_FALSE(hex_decode("00ff1a0g", bytes, 4));
}

static void test_nearest(void)
{
    static const char *const words[] = {"conflict", "create", "connections", "state", "every", "a"};
    static const struct {
        const char *text;
        const char *found;
    } cases[] = {
        {"conflcit", "conflict"}, {"conflicts", "conflict"},
        {"State", "state"},       {"stat", "state"},
        {"evrey", "every"},       {"connection", "connections"},
        {"craete", "create"},     {"b", NULL},
        {"banana", NULL},         {"", NULL},
        {"conf", NULL},           {"cnnection", "connections"},
    };
    char huge[300];
    memset(huge, 'a', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *found = nearest_word(cases[i].text, words, 6);
        CU_ASSERT(text_equal(found, cases[i].found));
    }
    CU_ASSERT_PTR_NULL(nearest_word(huge, words, 6));
    CU_ASSERT_PTR_NULL(nearest_word("x", NULL, 0));
}

static void test_hash(void)
{
    char hex[33];
    CU_ASSERT_EQUAL(hash64("", 0), 0x2D06800538D394C2u);
    struct hash128 h = hash128("", 0);
    hex_encode(h.bytes, 16, hex);
    CU_ASSERT_STRING_EQUAL(hex, "99aa06d3014798d86001c324468d497f");
    CU_ASSERT_NOT_EQUAL(hash64("a", 1), hash64("b", 1));
}

static void test_random(void)
{
    unsigned char x[300] = {0};
    unsigned char y[300] = {0};
    random_bytes(x, sizeof(x));
    random_bytes(y, sizeof(y));
    CU_ASSERT_NOT_EQUAL(memcmp(x, y, sizeof(x)), 0);
}

/* Logs to a pipe what a child says. */
static void say_json(void)
{
    log_init(false, LOG_INFO);
    log_secret("s3cr\"et");
    log_secret("abc");
    log_secret("s3cr\"et-and-more");
    log_line(LOG_INFO, "pair \"one\"", "token s3cr\"et, %s\n%s", "s3cr\\\"et", "abc s3cr\"et-and-more!");
    log_line(LOG_DEBUG, NULL, "too detailed");
    log_about(LOG_WARN, &(struct log_about){"p", "01RUN", {"T-1", "s3cr\"et"}}, "both sides");
    log_about(LOG_WARN, &(struct log_about){.run = "01RUN", .record = {NULL, "7"}}, "one side");
    log_line(LOG_ERROR, NULL, "bad byte \xFF.");
}

static void test_log_json(void)
{
    char text[1000];
    CU_ASSERT_EQUAL(run_child(say_json, text, sizeof(text)), 0);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "Z\",\"level\":\"info\",\"pair\":\"pair \\\"one\\\"\",\"msg\":\"token ***, ***\\nabc ***!\"}\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"level\":\"error\",\"msg\":\"bad byte \xEF\xBF\xBD.\"}\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(
        text, "\"warn\",\"pair\":\"p\",\"run\":\"01RUN\",\"a\":\"T-1\",\"b\":\"***\",\"msg\":\"both sides\"}\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"warn\",\"run\":\"01RUN\",\"b\":\"7\",\"msg\":\"one side\"}\n"));
    CU_ASSERT_PTR_NULL(strstr(text, "too detailed"));
    CU_ASSERT_PTR_NULL(strstr(text, "s3cr"));
}

static void say_readable(void)
{
    log_init(true, LOG_DEBUG);
    log_secret("hunter22");
    log_line(LOG_WARN, "tickets", "line\nbreak \x1B[31m \xC2\x9B hunter22");
}

static void test_log_readable(void)
{
    char text[1000];
    CU_ASSERT_EQUAL(run_child(say_readable, text, sizeof(text)), 0);
    CU_ASSERT_STRING_EQUAL(strlen(text) > 8 ? text + 8 : "", " warn: tickets: line break  [31m    ***\n");
}

static void test_log_scrub(void)
{
    char text[] = "x topsecret y topsecret";
    log_secret("topsecret");
    log_secret("topsecret");
    log_secret(NULL);
    log_scrub(text, sizeof(text) - 1);
    CU_ASSERT_STRING_EQUAL(text, "x *** y ***");
    for (size_t i = strlen(text); i < sizeof(text); i++)
        CU_ASSERT_EQUAL(text[i], 0);
}

/* However the other side spells it: PHP escapes slashes, Python all that is not ASCII, a form has + for a blank. */
static void test_log_spellings(void)
{
    static const char *const rows[][2] = {{"a k/y \"\xC3\xB6\" z", "a *** z"},
                                          {"k\\/y \\\"\\u00f6\\\"", "***"},
                                          {"k/y \\u0022\\u00F6\\u0022", "***"},
                                          {"?k=k%2Fy%20%22%C3%B6%22&l=1", "?k=***&l=1"},
                                          {"k=k/y+%22%c3%b6%22", "k=***"},
                                          {"k/y \"\xC3\xB6", "k/y \"\xC3\xB6"},
                                          {"cut: averylongs", "cut: ***"},
                                          {"cut: avery", "cut: avery"},
                                          {"\\u00", "\\u00"},
                                          {"\\", "\\"},
                                          {"100%", "100%"},
                                          {"\\ud83d\\ude00key", "***"},
                                          {"%F0%9F%98%80key", "***"}};
    log_secret("averylongsecret");
    log_secret("k/y \"\xC3\xB6\"");
    log_secret("\xF0\x9F\x98\x80key");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[100];
        snprintf(text, sizeof text, "%s", rows[i][0]);
        CU_ASSERT_EQUAL(log_scrub(text, strlen(text)), strlen(rows[i][1]));
        CU_ASSERT_STRING_EQUAL(text, rows[i][1]);
    }
}

static const char *encoded(const char *text, bool url, char out[200])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    size_t n = strlen(text), k = 0;
    for (size_t i = 0; i < n; i += 3) {
        unsigned three = 0;
        for (size_t j = 0; j < 3; j++)
            three = three << 8 | (i + j < n ? (unsigned char)text[i + j] : 0);
        for (size_t j = 0; j < 4; j++) {
            unsigned six = three >> (18 - 6 * j) & 63;
            out[k++] = i + j > n ? '=' : six < 62 ? letters[six] : (url ? "-_" : "+/")[six - 62];
        }
    }
    out[k] = '\0';
    return out;
}

/* user:password as Basic auth sends it, and a secret within a token: whatever stands before and behind it. */
static void test_log_base64(void)
{
    static const char *const around[][2] = {{"", ""},    {"u:", ""},  {"ann:", ""},  {"anna:", ""},
                                            {"a", "zz"}, {"ab", "z"}, {"abc", "zzz"}};
    char word[200], text[300];
    log_secret("p\xC3\xBFss?>~w\xC3\xB6rd");
    for (size_t i = 0; i < sizeof around / sizeof *around; i++)
        for (int url = 0; url < 2; url++) {
            snprintf(text, sizeof text, "%sp\xC3\xBFss?>~w\xC3\xB6rd%s", around[i][0], around[i][1]);
            encoded(text, url, word);
            snprintf(text, sizeof text, "Authorization: Basic %s, and on", word);
            text[log_scrub(text, strlen(text))] = '\0';
            CU_ASSERT_STRING_EQUAL(text, "Authorization: Basic ***, and on");
        }
    snprintf(text, sizeof text, "k=%s&next", encoded("ann:somebody else's", false, word));
    CU_ASSERT_EQUAL(log_scrub(text, strlen(text)), strlen("k=&next") + strlen(word)); /* it is nobody's secret */
}

static const struct check tests[] = {
    {"an allocation can be made to fail", test_fail_hook},
    {"heap memory is zeroed, grows, and may be freed as NULL", test_mem},
    {"a size that overflows ends the process with one line", test_size_overflow},
    {"an arena gives zeroed, aligned memory, also after a reset", test_arena},
    {"allocations of an arena do not overlap", test_arena_apart},
    {"a buffer holds any bytes and ends in NUL", test_buf},
    {"a buffer can be added to itself", test_buf_own_bytes},
    {"the first error stays, on one line, and decides the exit code", test_err},
    {"a sentence that is cut stays UTF-8", test_err_cut},
    {"UTF-8 is told from what is not", test_utf8},
    {"equality and hex", test_text},
    {"the nearest word is suggested only when near", test_nearest},
    {"hashes are XXH3's, canonical", test_hash},
    {"random bytes differ", test_random},
    {"a log line is one JSON object without secrets", test_log_json},
    {"a readable log line holds no control characters and no secrets", test_log_readable},
    {"scrubbing shortens in place", test_log_scrub},
    {"a secret is known in base64, whatever stands beside it", test_log_base64},
    {"a secret is known in each of its spellings", test_log_spellings},
};
CHECK_MAIN("base", tests)
