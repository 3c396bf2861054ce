/* SPDX-License-Identifier: MIT */
/* hooks.h - hints of webhooks that are durable and wait for the next run of their pair; and which deliveries have been taken in. */
#ifndef STORE_HOOKS_H
#define STORE_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

/*
 * They lie in STATE/hooks, a store like a pair's. It is owned only for the moment of a commit, so that who takes deliveries in and who
 * carries hints into pairs alternate. A hint only makes a run look: it may come twice, and one that is lost is found by the poll. So what
 * no run took for a week is dropped.
 */

/* A record to be looked at. */
struct hook_hint {
    const char *pair; /* of children: their own pair's name, PAIR.OBJECT */
    int side;
    const char *id;
};

/* One that waits. */
struct hook_waiting {
    int side;
    const char *id;
    uint64_t stamp; /* grows with every hint for the same record */
};

/*
 * A handle. One thread; one a process, as of any store. All functions return 0 or the code that is then in e; after an error the next
 * call opens anew. Where there is no state nothing waits, nothing was seen, and looking costs one stat.
 */
struct hooks;
struct hooks *hooks_open(const char *state_folder); /* touches nothing yet */
void hooks_close(struct hooks *h); /* accepts NULL */

/* Was a delivery of that digest (of its signature and body, say) put during the last 24 hours? */
int hooks_seen(struct hooks *h, struct hash128 delivery, int64_t now_ms, bool *seen, struct err *e);
/* All in one commit, durable when it returns 0; hints for one record are one. Waits for who owns the state. Makes it at the first call. */
int hooks_put(struct hooks *h, const struct hook_hint *hints, size_t n_hints, const struct hash128 *deliveries,
              size_t n_deliveries, int64_t now_ms, struct err *e);
/* The first of what waits for a pair, room at most; ids are in the arena. */
int hooks_waiting(struct hooks *h, const char *pair, struct arena *a, struct hook_waiting *rows, size_t room, size_t *n,
                  struct err *e);
/* Removes them; one that was put again since, as its stamp tells, stays. */
int hooks_taken(struct hooks *h, const char *pair, const struct hook_waiting *rows, size_t n, struct err *e);

#endif
