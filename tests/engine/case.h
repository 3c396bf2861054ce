/* SPDX-License-Identifier: MIT */
/* case.h - one row of before and after, brought to its start and through its steps. */
#ifndef TESTS_ENGINE_CASE_H
#define TESTS_ENGINE_CASE_H

#include "kit.h"

enum { CASE_STEPS = 10 };

/* Base state, brought to rest; edits; what people and runs do; what both sides hold then, what waits, how many writes that took. */
struct row {
    const char *name, *pair;
    const char *a0, *b0, *a1, *b1, *a2, *b2, *waits;
    const char *steps[CASE_STEPS]; /* see steps.h; none: one run */
    int writes[2]; /* by runs */
    unsigned flags;
};
enum {
    FRESH = 1, /* no base state: the edits are what the first run finds */
    NO_MIRROR = 2,
    NO_KILL = 4,
    PLAIN_IDS = 8 /* only where the host chooses the ids */
};
extern const struct row policy_rows[], people_rows[];
extern const size_t n_policy_rows, n_people_rows;
const struct row *case_row(size_t i); /* of all; NULL: there are no more */

/* What a pair of systems can do and how it lists. */
struct variant {
    const char *name;
    void (*set)(struct memory_world *w);
    bool local; /* a power cut takes what was not yet acknowledged */
    bool own_ids; /* the systems choose the ids: not as the rows say */
};
extern const struct variant variants[];
extern const size_t n_variants;

/* At its start: the base state at rest, the edits made. */
struct kit *case_prepare(const struct row *r, const struct variant *v, bool flip);
size_t case_steps(const struct row *r);
/* Step i. Returns the err code; again: it was begun before and may find that it is done. */
int case_step(struct kit *k, const struct row *r, size_t i, bool again);

/* What is compared, sorted, in the arena. */
struct state {
    const char *side[2], *waits;
    const char *links; /* links, bases, what is open, what conflicts have cost */
};
void case_look(struct kit *k, struct arena *a, struct state *s);
bool case_accounted(const struct run_report *r); /* I25 */

/* Prints what differs; true if nothing does. where: the invariants at stake first. */
bool case_same(const char *where, const char *what, const char *want, const char *got);

#endif
