/* SPDX-License-Identifier: MIT */
/* act.h - what a person does to a pair's state: resolve, retry, drop, approve, link, unlink, undo, verify. */
#ifndef SYNC_ACT_H
#define SYNC_ACT_H

#include "sync/run.h"

/* Each commits at once, on a store acquired by the caller. 0 or an err code naming the thing. */

/* A conflict or drift: side `take` (0, 1) becomes the one that counts as changed; the next run takes it across. */
int act_resolve(struct store *s, uint64_t id, int take, int64_t now_ms, struct err *e);
/* Likewise with a value given by the person: written to side a now, taken across by the next run. */
int act_resolve_value(const struct run_env *env, uint64_t id, const struct sl_value *value, struct err *e);
/* A parked record is tried again by the next run. */
int act_retry(struct store *s, uint64_t id, struct err *e);
/* A parked record is dropped from the list; it comes back when its source changes. */
int act_drop(struct store *s, uint64_t id, struct err *e);
int act_approve_deletes(struct store *s, int64_t n, struct err *e);
int act_approve_first(struct store *s, struct err *e);
int act_link(struct store *s, const char *identity, const char *a, const char *b, struct err *e);
int act_unlink(struct store *s, int side, const char *id, bool forget, const struct session_world *world,
               struct err *e);

/* Reads rows of a numbered database in order, a page at a time: number after `after`; returns how many. */
size_t act_waits(struct store *s, int db, uint64_t after, struct arena *a, struct wait_row *rows, size_t max,
                 struct err *e);
size_t act_history(struct store *s, uint64_t after, struct arena *a, struct history_row *rows, size_t max,
                   struct err *e);
size_t act_links(struct store *s, uint64_t after, struct arena *a, struct link *rows, size_t max, struct err *e);
int act_find_link(struct store *s, int side, const char *id, struct arena *a, struct link *out, struct err *e);
/* "b:ID" is side 1, anything else side 0. */
int act_side(const char *text, const char **id);

/* Counts for status. */
struct status_counts {
    uint64_t in_step, excluded, conflicts, parked, withheld, unlinked, pending;
    bool undecided; /* whether its first run may write: no run has ended but for those that wait for a review */
    struct {
        int64_t at_ms;
        const char *json; /* the last run's report */
    } last;
};
int act_status(struct store *s, struct arena *a, struct status_counts *out, struct err *e);

/* One thing undo does or leaves, told to the sink as it goes. */
struct undo_item {
    const char *what; /* restored, removed, created again, left */
    int side;
    const char *id, *field, *why;
    const struct sl_value *before,
        *after; /* of the field: as it is, as it was and becomes again; NULL: no field, or left */
};
struct undo_report {
    uint64_t done, left;
};
/* Takes run's writes back where they still stand. `dry`: only tells. */
int act_undo(const struct run_env *env, const char *run, bool dry, void (*tell)(void *self, const struct undo_item *),
             void *self, struct undo_report *out, struct err *e);

#endif
