/* SPDX-License-Identifier: MIT */
/* plan.h - the pure planner: what one link's two sides, bases and rules make of it; no I/O, the clock is an argument. */
#ifndef SYNC_PLAN_H
#define SYNC_PLAN_H

#include "conf/conf.h"
#include "sync/state.h"

enum view_kind { VIEW_NONE = 1, VIEW_HERE, VIEW_GONE };

/* What is known of one side of a link. */
struct view {
    int kind; /* enum view_kind */
    const struct sl_record *now; /* HERE: as it is, or its base if nothing was seen to change */
    const struct sl_record *base; /* NULL: never agreed */
    bool out; /* HERE, outside the filter */
    bool left; /* HERE and out: not where the changed connection leads; `now` may be NULL */
};

struct plan_in {
    const struct conf_pair *pair;
    const struct rule *rules; /* bound to the objects' types */
    size_t n_rules;
    struct view side[2];
    uint64_t caps[2]; /* SL_CAP_* of each side's object */
    int64_t now_ms;
    bool older; /* the bases are older than what both sides last agreed on: no delete is decided */
    bool doubt[2]; /* older, and side s was written since its base: that it equals the base proves nothing */
};

/* An intended write on one side. */
struct plan_write {
    int kind; /* enum sl_write_kind; 0: none */
    int reason;
    bool again; /* a create of a deleted record: a new generation of the link */
    bool guarded; /* a delete that the guard counts */
    struct field_change *changes;
    size_t n_changes;
};

/* A field that is left as it is. */
struct plan_wait {
    int kind; /* enum wait_kind */
    const struct rule *rule;
    struct sl_value base[2], value[2];
    const char *reason;
};

struct plan_out {
    struct plan_write write[2];
    const struct sl_record
        *settle[2]; /* the new base of that side where fields agree without a write; NULL: as it was */
    struct plan_wait *waits;
    size_t n_waits;
    struct field_change *decided; /* decisions with a loser: for history */
    size_t n_decided;
    bool unlink; /* the link becomes a tombstone */
    bool forget; /* both sides are gone: the link goes */
    bool guarded; /* unlink or forget came from a delete: the guard counts it */
    bool filtered; /* outside the filter, or not to be created: nothing is done */
    bool alike; /* both sides hold the same, and neither what it held: somebody has been here */
    bool aside; /* an edit is left where it is, its base unmoved */
};

/* Plans one link. Everything in *out belongs to the arena or is borrowed from in. */
void plan_link(const struct plan_in *in, struct arena *a, struct plan_out *out);

/* The base after a write of `side` ended with the record `stored`: only written fields move, the source's to what was sent. */
struct sl_record *plan_base(const struct sl_record *old, const struct sl_record *now,
                            const struct field_change *changes, size_t n_changes, bool written_side, struct arena *a);
/* A record reduced to what a base keeps: id, version, times, and the named values. */
struct sl_record *base_shell(const struct sl_record *now, struct arena *a, size_t room);
void record_set(struct sl_record *r, struct arena *a, const struct sl_value *v);
/* The name under which side s's value of a rule stands in the base: the field, or "=" and the other side's for a computed one. */
const char *rule_base_name(const struct rule *r, int s, struct arena *a);

/* The guard (pure): may this many deletes go? */
bool guard_allows(const struct conf_pair *pair, uint64_t n_deletes, uint64_t n_links, int64_t approved);

/* What is held back, and until when (pure). */
enum hold {
    HOLD_COMPARE =
        1, /* the state is older than the data: one whole comparison, no delete, no side taken on an old base's word */
    HOLD_RESTORED, /* since then deletes wait for an approval */
    HOLD_EPOCH /* likewise: a collection was rebuilt or restored */
};
bool hold_deletes(int hold, uint64_t n_due, int64_t approved);
int hold_next(int hold, bool whole, uint64_t n_due, int64_t approved); /* after a run; whole: it took everything in */

/* merge.c: decides every field of a pair of records that are both here. */
void merge_fields(const struct plan_in *in, struct arena *a, struct plan_out *out);
/* merge.c: the fields of a create on side t from side 1-t. */
void merge_create(const struct plan_in *in, int t, struct arena *a, struct plan_out *out);

#endif
