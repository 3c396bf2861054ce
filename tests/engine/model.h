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
    MODEL_EQUIV = 1 << 10, /* connectors say what their systems make of a value */
    /* deletes */
    MODEL_CONFIRM = 1 << 11, /* what a listing lacks is asked for by its id */
    MODEL_COMPLETE = 1 << 12, /* only a listing that says it is complete tells of absence */
    MODEL_GUARD = 1 << 13, /* above the ceiling deletes are withheld */
    MODEL_EDIT_WINS = 1 << 14, /* an edit beats a delete */
    MODEL_TOMB = 1 << 15, /* the link of a deleted record is kept */
    MODEL_YOUNG = 1 << 16, /* the absence of what was just written is not believed */
    /* merges of two remote records */
    MODEL_FOLLOW_MERGE = 1 << 17, /* a loser is followed to its winner */
    MODEL_REVIEW_LOSER = 1 << 18, /* a loser's partner whose winner is linked waits for a person */
    /* batches */
    MODEL_PER_ITEM = 1 << 19, /* each item has its own outcome */
    MODEL_REPLY_FITS = 1 << 20, /* replies that do not fit their requests are no replies */
    /* fan-out, roll-up, references */
    MODEL_KEYED_CHILDREN = 1 << 21, /* one child per parent and key, however often the trigger comes */
    MODEL_FOLD = 1 << 22, /* a roll-up is counted from what the children are, not from what was heard */
    MODEL_TRANSLATE = 1 << 23, /* a reference is the partner of what it refers to */
    MODEL_WAIT = 1 << 24, /* and waits until there is one */
    /* tier T3 */
    MODEL_AT_MOST_ONCE = 1 << 25, /* a create that may have happened is never sent again unasked */
    MODEL_ADOPT_EQUAL = 1 << 26, /* adopted is what was made since the intent and is equal in all that was sent */
    MODEL_HOLD = 1 << 27, /* what an open create may have made is not captured */
    /* the template of a fan-out changes */
    MODEL_KEEP_CHILD = 1 << 28, /* a child that leaves the template stays, and waits for a person */
    MODEL_ALL_RULES = (1 << 29) - 1,
};

enum model_tier {
    MODEL_T1 = 1, /* a create sent twice is one record */
    MODEL_T2, /* a create is found again by its link id */
    MODEL_T3, /* neither */
};

/* What users and systems do besides creating and editing records. */
enum model_part {
    MODEL_DELETES = 1 << 0,
    MODEL_MERGES = 1 << 1,
    MODEL_BATCHES = 1 << 2,
    MODEL_FANOUT = 1 << 3,
    MODEL_REFERENCES = 1 << 4,
    MODEL_ALL_PARTS = (1 << 5) - 1,
};

struct model_setup {
    const char *name;
    enum model_tier tier;
    unsigned parts; /* enum model_part */
    bool no_versions; /* else reads carry a version that only grows */
    bool both_normalise; /* both sides change a field on storing; else only side b does */
    bool undeclared; /* and the connectors do not say so */
    bool no_get; /* absence cannot be confirmed by id; the listing lags not */
    unsigned without; /* enum model_rule: what the protocol does not do */
};

/* What the engine comes to do only when things go wrong in their own ways. */
enum model_event {
    MODEL_SENT_AGAIN = 1 << 0,
    MODEL_ADOPTED = 1 << 1, /* in T3, what was found by its nature */
    MODEL_ASKED = 1 << 2, /* in T3, a person */
    MODEL_HELD_BACK = 1 << 3,
    MODEL_MISFIT = 1 << 4, /* replies that do not fit their requests */
    MODEL_WITHHELD = 1 << 5,
    MODEL_CREATED_AGAIN = 1 << 6, /* an edit beat a delete */
    MODEL_RELINKED = 1 << 7,
    MODEL_PARTED = 1 << 8,
    MODEL_WAITED = 1 << 9, /* a reference for its partner */
    MODEL_LEFT_TEMPLATE = 1 << 10,
    MODEL_CAME_BACK = 1 << 11, /* into the template */
    MODEL_ALL_EVENTS = (1 << 12) - 1,
};

struct model_result {
    unsigned events; /* enum model_event */
    uint64_t broken; /* bit n: invariant I n */
    unsigned crashes, writes;
};

/* Lives one life: the same seed and setup, the same result. Not for two threads at once. */
struct model_result model_run(const struct model_setup *setup, uint64_t seed);

#endif
