/* SPDX-License-Identifier: MIT */
/* pairs.h - a pair at rest, and what both its sides must then hold: shared by the tests of one fault at a time. */
#ifndef TESTS_ENGINE_PAIRS_H
#define TESTS_ENGINE_PAIRS_H

#include <stdio.h>
#include <string.h>

#include "../unit/check.h"
#include "kit.h"

enum { RESERVED = 1, IDEMPOTENT, CORRELATES, NEITHER };

static inline struct kit *pair_of(const char *words, int tier)
{
    struct kit *k = kit_new(words, false);
    for (int s = 0; s < 2; s++) {
        k->w[s].conditional = 1;
        k->w[s].reserved_ids = tier == RESERVED;
        k->w[s].idempotent = tier == IDEMPOTENT;
        k->w[s].correlates = tier == CORRELATES;
    }
    return k;
}

static inline void expect(const char *want, const char *got, const char *what)
{
    if (strcmp(want, got) != 0)
        fprintf(stderr, "\n  %s\n    want %s\n    got  %s\n", what, want, got);
    CU_ASSERT_STRING_EQUAL(want, got);
}

static inline void sides(struct kit *k, const char *a, const char *b)
{
    struct arena arena = {0};
    expect(a, kit_records(k, 0, true, &arena), "side a");
    expect(b, kit_records(k, 1, true, &arena), "side b");
    arena_fini(&arena);
}

static inline void waits(struct kit *k, const char *want)
{
    struct arena arena = {0};
    expect(want, kit_waits(k, &arena), "waits");
    arena_fini(&arena);
}

static inline uint64_t writes(const struct kit *k)
{
    return k->w[0].n_writes + k->w[1].n_writes;
}

/* Comes to rest, and writes nothing in doing so. */
static inline void idle(struct kit *k)
{
    uint64_t before = writes(k);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    CU_ASSERT_EQUAL(writes(k), before);
}

static inline struct kit *at_rest(const char *words)
{
    struct kit *k = pair_of(words, RESERVED);
    kit_edit(k, 0, "1:title=p | 2:title=q | 3:title=r | 4:title=s");
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    return k;
}

static const char all[] = "1:title=p | 2:title=q | 3:title=r | 4:title=s";

#endif
