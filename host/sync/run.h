/* SPDX-License-Identifier: MIT */
/* run.h - one run of one pair: recover, pull, match, plan, guard, apply, settle; and its report. */
#ifndef SYNC_RUN_H
#define SYNC_RUN_H

#include "plugin/session.h"
#include "store/hooks.h"
#include "sync/plan.h"

/* One thing a run would write or lists, for `plan` and for a first run's review. Valid during the call only. */
struct plan_item {
    const struct conf_pair *pair;
    const char *op; /* create, update, delete, archive, link, unlink, conflict, drift, parked, ambiguous, withheld */
    int side; /* the written side; -1: none */
    const char *id[2]; /* NULL: none yet */
    const char *label;
    const char *link; /* the correlation key in hex */
    const struct field_change *changes;
    size_t n_changes;
    const struct sl_value *base; /* per change: the written side's base; NULL: none */
    const char *reason;
    uint64_t digest; /* of everything that `apply` must find unchanged */
};

struct run_sink {
    void *self;
    void (*item)(void *self, const struct plan_item *item);
    void (*progress)(void *self, const char *phase, uint64_t done, uint64_t of); /* of 0: unknown; NULL allowed */
};

/*
 * Records of the pair that webhooks hinted at, as store/hooks.h keeps them. What a run has taken in is durable in the pair's own state before
 * it says so. A hint only makes a run look: what it does not find by one, the pull finds.
 */
struct run_hints {
    void *self;
    int (*waiting)(void *self, struct arena *a, struct hook_waiting *rows, size_t room, size_t *n, struct err *e);
    int (*taken)(void *self, const struct hook_waiting *rows, size_t n, struct err *e);
};

/* What a run is given. The store is acquired by the caller (unless dry), sessions are open. */
struct run_env {
    const struct conf *conf; /* for scope hashes; may be NULL in tests */
    const struct conf_pair *pair;
    struct store *store;
    struct session *session[2];
    const struct session_world *world;
    struct store *parent; /* of children: the parent's state, acquired (unless dry); NULL: it has none yet */
    const char *identity; /* of the pair, for link keys; the same after lost state */
    struct run_sink sink;
    uint64_t
        born; /* when the state's file came into being, in ns; a state that notes another is a copy; 0: not known */
    const char *last_change; /* the last run known, elsewhere, to have changed the state; NULL: none */
    const struct run_hints *hints; /* NULL: none are taken in, nor are they by a dry run */
    bool dry; /* plan: nothing remote is written */
    bool full; /* list everything, whatever cursors say (verify) */
    const uint64_t *only; /* apply: the digests of the items that may be written; NULL: all */
    size_t n_only;
    bool *only_met; /* n_only: set where the item was found */
};

enum run_class {
    CLASS_UNCHANGED = 1,
    CLASS_FILTERED,
    CLASS_APPLIED,
    CLASS_PENDING,
    CLASS_CONFLICT,
    CLASS_WITHHELD,
    CLASS_PARKED,
    CLASS_END
};

struct run_report {
    char run[27];
    bool ok;
    int64_t started_ms, ms;
    uint64_t seen, of[CLASS_END]; /* of[CLASS_APPLIED] … */
    uint64_t writes[2][3]; /* side; create, update, delete */
    uint64_t calls[2];
    uint64_t planned; /* dry, review: items that would be written */
    uint64_t matched; /* dry, review: records that found their partner */
    bool waits; /* something waits for a person: exit 3 */
    bool recorded; /* the state has this run's report: it changed something */
    bool review; /* a first run waits for approval */
    struct hash128
        digest[2]; /* dry and full: of what each side holds, as the mapping sees it; equal if nothing differs */
    int64_t again_ms; /* so long after its end a further run can go on with what this one left; -1: it left nothing */
    uint64_t deletes_due; /* withheld: how many there were */
    char message[1000]; /* sentences for the operator, one a line, or empty; see run_sentence */
};

/* One line of a report's message, and the record it is about. */
struct run_sentence {
    const char *text; /* not ended: n_bytes */
    size_t n_bytes;
    char id[2][256]; /* "": of no record, or not on that side */
};
/* The sentence that begins there; where the next one does, or NULL: there is none. */
const char *run_sentence(const char *message, struct run_sentence *out);

/* Runs. Returns 0 (report filled, perhaps waiting for a person) or an err code; the report is filled as far as it came. */
int run_pair(const struct run_env *env, struct run_report *report, struct err *e);
/* Exit code of a report and error: 0, 1, 2 or 3. */
int run_exit(const struct run_report *r, const struct err *e);
/* As the contract's JSON object, without a newline. */
void run_put_json(struct buf *out, const char *pair, const struct run_report *r);

#endif
