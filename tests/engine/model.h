/* SPDX-License-Identifier: MIT */
/* model.h - the write protocol as a small seeded model: what a life of edits, faults and crashes does to two sides. */
#ifndef TESTS_ENGINE_MODEL_H
#define TESTS_ENGINE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

/* The rules of the protocol, to be left out one by one. */
enum model_rule {
    MODEL_JOURNAL = 1 << 0, /* the intent is durable before the request leaves */
    MODEL_SETTLE = 1 << 1, /* what was not found is believed only when nothing can arrive late any more */
    MODEL_OVERLAP = 1 << 2, /* a listing begins before the place where the last one ended */
    MODEL_BASE_PER_SIDE = 1 << 3, /* the base of a side is what that side stores */
    MODEL_UNEXPLAINED = 1 << 4, /* a later read that is not what was sent never becomes the base */
    MODEL_PER_FIELD = 1 << 5, /* recovery settles each field by itself */
    MODEL_CAPTURE_BEFORE_CURSOR = 1 << 6, /* the cursor commits together with what was seen */
    MODEL_STALE_GUARD = 1 << 7, /* a read older than what is known is put off */
    MODEL_CONDITIONAL = 1 << 8, /* a write names the version it was planned on */
    MODEL_TRUE_LATENESS = 1 << 9, /* the declared bound on late delivery holds */
};

struct model_setup {
    const char *name;
    bool idempotent; /* T1: a create sent twice is one record; else T2: a create is found again by its link id */
    bool versions; /* reads carry a version that only grows */
    bool both_normalise; /* both sides change a field on storing; else only side b does */
    bool declared; /* and the connectors say so */
    unsigned without; /* enum model_rule: what the protocol does not do */
};

/* What went wrong, each 0 or 1, and what happened on the way. */
struct model_result {
    unsigned duplicates, missing, unconverged, ping_pong;
    unsigned lost; /* an edit that is newest gave way to another, and no conflict was noted */
    unsigned crashes, writes;
};

/* Lives one life: the same seed and setup, the same result. Not for two threads at once. */
struct model_result model_run(const struct model_setup *setup, uint64_t seed);

bool model_damaged(const struct model_result *r);

#endif
