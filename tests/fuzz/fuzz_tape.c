/* SPDX-License-Identifier: MIT */
/* fuzz_tape.c - fuzzes lines of a recording, which come back the same, and hiding a secret, which then is nowhere. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "net/tape_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_line(const char *text, size_t n, struct arena *a, struct tape_exchange *x)
{
    struct err e = {0};
    struct json_doc *doc = json_parse(text, n, NULL, &e);
    bool good = doc && tape_get(json_root(doc), a, x);
    json_free(doc);
    return good;
}

static void there_and_back(const char *text, size_t n)
{
    struct arena a = {0};
    struct buf line = {0};
    struct tape_exchange first, second;
    if (read_line(text, n, &a, &first)) {
        tape_put(&line, &first);
        if (!read_line(line.data, line.size, &a, &second) || tape_differs(&first, &second, &a) ||
            first.answer.n_body != second.answer.n_body ||
            memcmp(first.answer.body, second.answer.body, first.answer.n_body) != 0)
            abort();
    }
    buf_fini(&line);
    arena_fini(&a);
}

/* In none of the spellings that hold it byte by byte; a text of n bytes gets no longer. */
static void hidden(const char *text, size_t n)
{
    static const char secret[] = "k\"/%y";
    struct arena a = {0};
    char *copy = arena_dup(&a, text, n);
    log_secret(secret);
    size_t left = log_scrub(copy, n);
    if (left > n || memmem(copy, left, secret, sizeof secret - 1) || memmem(copy, left, "k\\\"/%y", 6) ||
        memmem(copy, left, "k%22/%25y", 9))
        abort();
    arena_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    there_and_back((const char *)data, size);
    hidden((const char *)data, size);
    return 0;
}
