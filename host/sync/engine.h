/* SPDX-License-Identifier: MIT */
/* engine.h - what the phases of one run share; private to host/sync. */
#ifndef SYNC_ENGINE_H
#define SYNC_ENGINE_H

#include "sync/run.h"

enum match_rank { RANK_CONTENT = 240, RANK_ID, RANK_CORRELATION = 250 }; /* below: the pair's match keys */
enum visit {
    VISIT_DONE = 1,
    VISIT_DROPPED = 2,
    VISIT_DUE = 3, /* its delete is counted: no round looks again */
    VISIT_GONE = 4, /* forgotten */
    VISIT_LATER = 5 /* found by its partner, which has to wait: so has this one */
};
enum { CONFIG_DIGESTS = 5 };
enum { MAX_ROUNDS = 6, MATCH_UNITS = 500, FLUSH_BYTES = 4 << 20 };

/* One link on its way through a run, with what was read of both sides. */
struct unit {
    struct link link;
    bool new_link; /* not in the store yet */
    bool has[2]; /* row[s] is an inbox row of this side */
    struct inbox_row row[2];
    struct id_row seen[2];
    const struct sl_record *base[2];
    const struct sl_record *now[2]; /* whole record, read in this run; NULL: not read */
    bool read_failed[2]; /* asked for and not answered: left for later */
    struct view view[2];
    const struct rule *rules;
    size_t n_rules;
    struct plan_out plan;
    int write_side; /* the side written in this round; -1: none */
    struct intent intent;
    const struct sl_record *digested[2]; /* the record whose digest is in digest */
    uint64_t digest[2];
    uint64_t partner; /* the half link that joined this one; 0: none */
    const char *former[2]; /* the id of a record that is gone, for which the partner's takes its place; NULL: none */
    bool unanswered; /* its write was answered without a record: only what was sent is known of it */
    bool born[2]; /* created on that side in this run, by us: it has no children there yet */
    bool deferred; /* a guarded delete, held until all are counted */
    bool done;
};

struct delete_due {
    int side;
    bool gone; /* the record itself, not only out of the filter */
    char *id;
};

/* How much a chunk of units may begin with: by what the last one of its kind came to, it ends below a fixed size. */
struct chunk_size {
    size_t units;
    size_t bytes; /* of the arena, when all are gathered */
};

/* One run. */
struct engine {
    const struct run_env *env;
    const struct conf_pair *pair;
    struct store *store;
    struct run_report *report;
    struct err *e;
    struct arena lasting; /* as long as the run */
    struct arena chunk; /* as long as one chunk of units */
    struct store_batch batch;
    const struct object_info *object[2];
    uint64_t caps[2];
    bool computes_from[2]; /* a rule computes from side s's whole record */
    struct rule *rules; /* bound to both schemas */
    const struct sl_record *shape[2]; /* the records whose field names the open rules are of */
    const struct rule *open_rules;
    size_t n_open_rules;
    struct chunk_size size; /* of the next chunk */
    size_t batch_bytes; /* the largest commit of this chunk */
    struct store_snap *view; /* the state while units are decided one after the other; NULL: at other times */
    int64_t now_ms;
    uint8_t entropy[10]; /* the random part of the last ULID */
    bool drawn;
    struct counters next;
    uint8_t *klass; /* by link number: enum run_class */
    uint8_t *listed[2]; /* by link number: seen in this run's listing */
    uint8_t *visited; /* by link number: planned in this round */
    size_t room; /* of the arrays above */
    bool complete[2]; /* side s was listed whole */
    bool young[2]; /* and lacked what was written too short a time ago to be missed */
    bool scope_changed[2];
    bool epoch_changed[2];
    bool source_changed[2]; /* side s's records come from another place: what is not there is not deleted */
    bool config_new[CONFIG_DIGESTS]; /* another than the state was written under, or the first */
    bool reexamine; /* the mapping or a filter changed: nothing counts as unchanged */
    bool matching; /* match keys are loaded: halves look for partners */
    bool first; /* the pair never finished a first run */
    int first_run; /* enum first_run, resolved */
    bool review; /* list, write nothing */
    bool deletes_ok; /* the guard has counted and allows them */
    bool committed; /* this run changed something */
    struct delete_due *due;
    size_t n_due, room_due;
    bool unclear; /* a record that was ambiguous is it no longer: others may have become clear with it */
    bool more; /* something was put back into the inbox: another round can do more */
    int last_failure; /* the class of a call that could not be carried out */
    struct suspect *suspects; /* poison.c */
    size_t n_suspects;
    bool told_doubt; /* a write's outcome is not known, and that was said */
    uint64_t open_creates[2]; /* on side s, outcome unknown: a record that appears there may be one of them */
    uint64_t parked_creates[2]; /* of these, the ones that only a person can settle */
    int64_t approved; /* deletes approved for this run; -1: none */
    int64_t approved_left; /* of these, not carried out yet: what a killed run leaves to the next */
    int hold, hold_stored; /* enum hold: now, and as the state says */
    uint64_t born_stored; /* what the state notes of its file's birth */
    bool copied; /* the state's file is not the one it was written as: it was copied, moved or restored */
    bool said_unwritable;
    bool probing; /* only looking what an older state has forgotten */
    bool joining; /* the round of a comparison that only finds partners: creates come after */
    bool unlooked; /* a link could not be read yet: under an older state it may lack what stands alone */
    bool by_content; /* equal records, or those of one id, are one where no key says so */
    uint64_t n_forgotten;
    uint64_t n_alone[2]; /* by_content: records of side s without a partner */
    uint64_t
        *held; /* of children: parents (children.c) on whose side a create is open: a later one would come before it */
    size_t n_held;
    int64_t open_until_ms; /* the first write in doubt can be settled; 0: none is */
    int64_t stale_until_ms; /* the first read that came too early would be believed; 0: none did */
    uint64_t parent_from; /* of children: the first parent not looked at yet */
    struct hook_waiting *hints; /* what webhooks hinted at and this run is about to take in */
    size_t n_hints;
    struct arena hinted; /* theirs */
    bool said_unread[2]; /* side s cannot be asked for what is hinted at, and that was said */
    uint64_t n_left[2]; /* links whose record on side s is not where the connection leads now */
};

static inline bool local_side(const struct engine *g, int s)
{
    return g->object[s]->object.late_ms == 0 && g->object[s]->object.index_lag_ms == 0 &&
           g->object[s]->object.stale_ms == 0;
}

/* bind.c: describes both sides and resolves the rules against them. */
int engine_bind(struct engine *g);
const struct sl_field *bind_field_of(const struct sl_object *o, const char *name); /* NULL: none, or name is NULL */
/* family.c: children and their parents' objects fit; rules of comments, and of fields that name a user. */
int bind_family(struct engine *g, int s);
bool bind_is_comment(const struct engine *g); /* both sides speak of comments, and they are children */
size_t bind_comments(struct engine *g); /* the rules where the config lists no fields */
void bind_people(struct engine *g);
/* pull.c: captures both sides' changes in the inbox. */
int engine_pull(struct engine *g);
/* The records of these ids of side s, as if the pull had told of them; an id that leads nowhere tells nothing. Returns a class; or g->e tells. */
int engine_pull_ids(struct engine *g, int s, const char *const *ids, size_t n);
/*
 * hints.c: what webhooks hinted at and the pull has not brought is asked for, of children that nobody knows their parents are marked; then the
 * hints are taken. *marked: children are to be looked at once more.
 */
int hints_take(struct engine *g, bool *marked);
/* The children of one parent of side s, all of them; adds how many were captured. */
int engine_pull_parent(struct engine *g, int s, const char *parent_id, size_t *captured);
/*
 * children.c: what depends on a parent. A parent that has changed is marked in its own state until its children were captured; they are
 * pulled parent by parent, some parents a time, and created oldest first.
 */
void children_due(struct engine *g, const struct unit *u, unsigned sides); /* sides: bits; in the batch */
int children_pull(struct engine *g, bool *more); /* the next parents' */
void children_sort(struct unit *units, size_t n);
/* The id that the parent of side s has on the other side; NULL: it has no partner there. */
const char *children_parent(struct engine *g, int s, const char *parent_id);
void children_hold(struct engine *g, const struct intent *i); /* a create is open */
bool children_held(const struct engine *g, int t,
                   const struct sl_record *source); /* on side t: one of its parent's is */
/* The unit's rules where both records are there: only the original's edits follow, and only where the copy can be changed. */
const struct rule *children_rules(struct engine *g, const struct unit *u, size_t *n);
/* False: this create waits, or its parent is not there to take it; then the unit is done. */
bool children_ready(struct engine *g, struct unit *u);
/* match.c: reads unlinked records, writes their match keys; then finds the partner of one. */
int engine_load(struct engine *g);
enum match_result { MATCH_NONE = 1, MATCH_ONE, MATCH_AMBIGUOUS };
int match_partner(struct engine *g, struct unit *u, int s, const struct sl_record *r, uint64_t *partner, unsigned *rank,
                  const char **names);
/* With both records read: is the key that brought them together still theirs? If not, the old key goes. */
bool match_holds(struct engine *g, const struct unit *u, int t, unsigned rank, uint64_t partner);
void match_put_keys(struct engine *g, const struct unit *u, int s); /* of a record that stands alone again */
bool match_keyed(const struct engine *g, int s); /* may records of side s have keys? */
void match_del_keys(struct engine *g, const struct link *l, int s, const struct sl_record *r);
/* units.c: gathers a unit from an inbox row; reads records; builds views. */
int unit_gather(struct engine *g, struct store_snap *snap, int side, const char *id, const struct inbox_row *row,
                struct unit *u);
int units_read(struct engine *g, struct unit *units, size_t n);
int unit_views(struct engine *g, struct unit *u);
uint64_t unit_digest(struct unit *u, int s); /* of now[s] */
int units_refresh(struct engine *g, struct unit *units, size_t n, int t);
/* apply.c: plans units, commits intents, writes, commits outcomes. */
int engine_apply(struct engine *g, struct unit *units, size_t n);
/* Plans what both sides' views make of the unit. */
void unit_plan(struct engine *g, struct unit *u);
void unit_park(struct engine *g, struct unit *u, int s, const char *reason, const char *version);
/* join.c: finds the partner of a half and makes one link of two. Returns 0 to go on planning, 1 when the unit is settled; or g->e tells. */
int join_half(struct engine *g, struct unit *u);
/* The partner's own link and keys go, in the batch; before new bases are put. */
void join_put(struct engine *g, struct unit *u);
void join_put_off(struct engine *g, const struct unit *u); /* not carried out now: the partner stands alone as before */
/* outcome.c */
void outcome_applied(struct engine *g, struct unit *u, const struct sl_record *stored, bool read_back);
void outcome_again(struct engine *g, struct unit *u);
void unit_settled(struct engine *g, struct unit *u, int klass);
/* wait.c: what waits for a person. */
void wait_open(struct engine *g, struct unit *u, const struct plan_wait *w, int kind, int side, const char *reason,
               const char *version);
void wait_close(struct engine *g, uint64_t link); /* all rows of the link */
bool wait_ambiguous(const struct unit *u); /* it was, and others with it */
int wait_look_again(
    struct engine *g); /* hints, in the batch, for what was ambiguous: one of the candidates is none any more */
/* What a person knows the record by: a title of either side, else the value of a match key, else an id. */
const char *unit_label(struct engine *g, const struct unit *u);
/* recover.c */
int engine_recover(struct engine *g);
/* The record of that id as it is now; NULL: there is none. */
int engine_look(struct engine *g, int t, const char *id, const struct sl_record **record);
int engine_count_open(struct engine *g); /* fills open_creates and parked_creates */
/* guard.c: counts the deletes that are due, then lets them go or withholds them. */
int engine_guard(struct engine *g);
void guard_spend(struct engine *g); /* a delete was carried out: in the same commit the approval shrinks */
/* quarantine.c: an older state under newer data. */
int engine_quarantine(struct engine *g);
void quarantine_doubt(const struct engine *g, const struct unit *u, struct plan_in *in);
void quarantine_alone(struct engine *g, struct unit *u,
                      int t); /* a record without a partner on side t: may it have one? */
const char *quarantine_create(struct engine *g, struct unit *u); /* why a person must say so first; NULL: create it */
void quarantine_end(struct engine *g);
/* first.c: what a first run may do, decided once. */
int engine_first(struct engine *g);
/* rounds.c: takes the inbox through the planner, chunk by chunk. */
int engine_rounds(struct engine *g);
int engine_units(struct engine *g, const struct delete_due *due, size_t n); /* these links only */
/* show.c: tells the sink what is planned. */
void show_plan(struct engine *g, struct unit *u);
void show_wait(struct engine *g, struct unit *u, const char *op, const char *reason);
uint64_t write_digest(const struct engine *g, const struct unit *u, int t);

/* digest.c: adds what both sides hold of a compared unit to the report's digests. */
void digest_unit(struct engine *g, const struct unit *u);

/* run.c: small things all phases use. */
void engine_class(struct engine *g, uint64_t link, int klass);
/* The marks its listing showed no longer hold: what waited is counted by what becomes of it now, unless it waits still. */
void engine_wait_over(struct engine *g, uint64_t link, uint32_t marks, bool still);
void engine_listed(struct engine *g, uint64_t link, int side);
void engine_drop(struct engine *g, uint64_t link); /* the number is no link any more: it is not counted */
void engine_due(struct engine *g, int side, const char *id, bool gone);
void engine_room(struct engine *g, uint64_t link);
void engine_doubt_all(struct engine *g); /* everything is looked at anew, by the next run too if this one is killed */
int engine_commit(struct engine *g); /* the batch and the counters that moved */
int engine_fail(struct engine *g, int rc); /* a store_rc as an err code, 0 for OK and NOTFOUND */
int engine_view_begin(struct engine *g); /* one view for many units: no commit and no connector call until its end */
void engine_view_end(struct engine *g);
void engine_chunk_end(struct engine *g); /* all that was made for this chunk of units goes */
void engine_ulid(struct engine *g, char out[27]);
void engine_earliest(int64_t *at_ms, int64_t ms); /* 0: not set yet */
bool engine_stopping(struct engine *g); /* a person or the system asked to stop: sets the error */
/* prune.c: history older than the config keeps goes, a little with every run that wrote. */
int engine_prune(struct engine *g);
/* A sentence for the operator; the first of a kind is enough, each on a line of its own. */
__attribute__((format(printf, 2, 3))) void engine_say(struct engine *g, const char *format, ...);
/* Likewise, of one record: the log names it. */
void engine_say_of(struct engine *g, const struct unit *u, const char *text);
void engine_progress(struct engine *g, const char *phase, uint64_t done, uint64_t of);

#endif
