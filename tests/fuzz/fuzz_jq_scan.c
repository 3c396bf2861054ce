/* SPDX-License-Identifier: MIT */
/* fuzz_jq_scan.c - fuzzes the scan of jq programs: what is accepted stays inside its brackets and hides no forbidden word. */
#include <stdlib.h>
#include <string.h>

#include "map/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Scans before, program and after as one text. */
static int scan(const char *before, const char *program, const char *after, struct arena *a, struct scan *out)
{
    struct buf text = {0};
    struct err e = {0};
    buf_text(&text, before);
    buf_text(&text, program);
    buf_text(&text, after);
    int rc = scan_program(text.data, a, out, &e);
    if (rc != e.code || (rc && (rc != ERR_CONFIG || strchr(e.text, '\n'))))
        abort();
    buf_fini(&text);
    return rc;
}

static bool has_name(const struct scan *scan, const char *name)
{
    for (size_t i = 0; i < scan->n_names; i++) {
        if (strcmp(scan->names[i], name) == 0)
            return true;
    }
    return false;
}

/* The limits on size and depth leave room for what is put around the program. */
static void check_accepted(const char *program, const struct scan *alone, struct arena *a)
{
    struct scan wrapped, after;
    if (scan("(\n", program, "\n)", a, &wrapped) || scan("[{\"x\": \"\\(", program, "\n)\"}]", a, &after))
        abort(); /* it opened or closed something of ours */
    if (wrapped.whole != alone->whole || wrapped.uses_now != alone->uses_now || wrapped.n_names != alone->n_names)
        abort();
    if (!scan("", program, "\n| env", a, &after) || !scan("env |", program, "", a, &after))
        abort(); /* it hid what stands beside it */
    if (scan("(\n", program, "\n) and .zz", a, &after) || (!after.whole && !has_name(&after, "zz")))
        abort(); /* it changed what `.` is outside it */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct scan alone;
    if (size > 4096)
        return 0;
    char *program = mem_alloc(size + 1);
    if (size > 0)
        memcpy(program, data, size);
    if (scan("", program, "", &a, &alone) == 0 && scan("[[[[[[", program, "\n]]]]]]", &a, &alone) == 0 &&
        scan("", program, "", &a, &alone) == 0)
        check_accepted(program, &alone, &a);
    mem_free(program);
    arena_fini(&a);
    return 0;
}
