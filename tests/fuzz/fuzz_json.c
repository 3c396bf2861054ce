/* SPDX-License-Identifier: MIT */
/* fuzz_json.c - fuzzes the JSON door: what is accepted prints, parses again and prints the same. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Parses text, prints the document and frees it. False if the text is refused. */
static bool print(const char *text, size_t n_bytes, const struct json_rules *rules, struct buf *plain,
                  struct buf *sorted)
{
    struct err e = {0};
    struct json_doc *doc = json_parse(text, n_bytes, rules, &e);
    if (!doc && (e.code != ERR_INPUT || strncmp(e.text, "line ", 5) != 0))
        abort();
    if (!doc)
        return false;
    json_put_node(plain, json_root(doc));
    json_put_sorted(sorted, json_root(doc));
    json_free(doc);
    return true;
}

static void check_same(const struct buf *x, const struct buf *y)
{
    if (x->size != y->size || memcmp(x->data, y->data, x->size) != 0)
        abort();
}

/* The first byte chooses the rules. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct json_rules rules = {.comments = data[0] & 1, .positions = data[0] & 2};
    struct buf plain[3] = {{0}};
    struct buf sorted[3] = {{0}};
    if (print((const char *)data + 1, size - 1, &rules, &plain[0], &sorted[0])) {
        if (!print(plain[0].data, plain[0].size, NULL, &plain[1], &sorted[1]) ||
            !print(sorted[0].data, sorted[0].size, NULL, &plain[2], &sorted[2]))
            abort();
        check_same(&plain[0], &plain[1]);
        check_same(&sorted[0], &sorted[1]);
        check_same(&sorted[0], &sorted[2]);
        check_same(&sorted[0], &plain[2]);
    }
    for (int i = 0; i < 3; i++) {
        buf_fini(&plain[i]);
        buf_fini(&sorted[i]);
    }
    return 0;
}
