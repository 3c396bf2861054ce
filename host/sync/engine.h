/* SPDX-License-Identifier: MIT */
/* engine.h - what the phases of one run share; private to host/sync. */
#ifndef SYNC_ENGINE_H
#define SYNC_ENGINE_H

#include "sync/run.h"

enum visit { VISIT_DONE = 1, VISIT_DROPPED = 2 };
enum { CHUNK_UNITS = 1000, CHUNK_BYTES = 6 << 20, MAX_ROUNDS = 6 };

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
    uint64_t partner; /* the half link that joined this one; 0: none */
    bool deferred; /* a guarded delete, held until all are counted */
    bool done;
};

struct delete_due {
    int side;
    bool gone; /* the record itself, not only out of the filter */
    char *id;
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
    int64_t now_ms;
    struct counters next;
    uint8_t *klass; /* by link number: enum run_class */
    uint8_t *listed[2]; /* by link number: seen in this run's listing */
    uint8_t *visited; /* by link number: planned in this round */
    size_t room; /* of the arrays above */
    bool complete[2]; /* side s was listed whole */
    bool scope_changed[2];
    bool epoch_changed[2];
    bool config_new; /* the config is another than the state was written under, or the first */
    bool reexamine; /* the mapping or a filter changed: nothing counts as unchanged */
    bool matching; /* match keys are loaded: halves look for partners */
    bool first; /* the pair never finished a first run */
    int first_run; /* enum first_run, resolved */
    bool review; /* list, write nothing */
    bool deletes_ok; /* the guard has counted and allows them */
    bool committed; /* this run changed something */
    struct delete_due *due;
    size_t n_due, room_due;
    bool more; /* something was put back into the inbox: another round can do more */
    int last_failure; /* the class of a call that could not be carried out */
    uint64_t open_creates[2]; /* on side s, outcome unknown: a record that appears there may be one of them */
    int64_t approved; /* deletes approved for this run; -1: none */
};

static inline bool local_side(const struct engine *g, int s)
{
    return g->object[s]->object.late_ms == 0 && g->object[s]->object.index_lag_ms == 0 &&
           g->object[s]->object.stale_ms == 0;
}

/* bind.c: describes both sides and resolves the rules against them. */
int engine_bind(struct engine *g);
/* pull.c: captures both sides' changes in the inbox. */
int engine_pull(struct engine *g);
/* match.c: reads unlinked records, writes their match keys; then finds the partner of one. */
int engine_load(struct engine *g);
enum match_result { MATCH_NONE = 1, MATCH_ONE, MATCH_AMBIGUOUS };
int match_partner(struct engine *g, struct unit *u, int s, uint64_t *partner, unsigned *rank, const char **names);
/* With both records read: is the key that brought them together still theirs? If not, the old key goes. */
bool match_holds(struct engine *g, const struct unit *u, int t, unsigned rank, uint64_t partner);
void match_del_keys(struct engine *g, const struct link *l, int s, const struct sl_record *r);
/* units.c: gathers a unit from an inbox row; reads records; builds views. */
int unit_gather(struct engine *g, struct store_snap *snap, int side, const char *id, const struct inbox_row *row,
                struct unit *u);
int units_read(struct engine *g, struct unit *units, size_t n);
int unit_views(struct engine *g, struct unit *u);
int units_refresh(struct engine *g, struct unit *units, size_t n, int t);
/* apply.c: plans units, commits intents, writes, commits outcomes. */
int engine_apply(struct engine *g, struct unit *units, size_t n);
/* outcome.c */
void outcome_applied(struct engine *g, struct unit *u, const struct sl_record *stored, bool read_back);
void outcome_again(struct engine *g, struct unit *u);
void unit_settled(struct engine *g, struct unit *u, int klass);
/* wait.c: what waits for a person. */
void wait_open(struct engine *g, struct unit *u, const struct plan_wait *w, int kind, int side, const char *reason,
               const char *version);
void wait_close(struct engine *g, const struct unit *u, int db, const struct rule *only);
/* recover.c */
int engine_recover(struct engine *g);
int engine_count_open(struct engine *g); /* fills open_creates */
/* guard.c: counts the deletes that are due, then lets them go or withholds them. */
int engine_guard(struct engine *g);
/* first.c: what a first run may do, decided once. */
int engine_first(struct engine *g);
/* rounds.c: takes the inbox through the planner, chunk by chunk. */
int engine_rounds(struct engine *g);
int engine_units(struct engine *g, const struct delete_due *due, size_t n); /* these links only */
/* show.c: tells the sink what is planned. */
void show_plan(struct engine *g, struct unit *u);
void show_wait(struct engine *g, struct unit *u, const char *op, const char *reason);
uint64_t write_digest(const struct engine *g, const struct unit *u, int t);

/* run.c: small things all phases use. */
void engine_class(struct engine *g, uint64_t link, int klass);
void engine_listed(struct engine *g, uint64_t link, int side);
void engine_drop(struct engine *g, uint64_t link); /* the number is no link any more: it is not counted */
void engine_due(struct engine *g, int side, const char *id, bool gone);
void engine_room(struct engine *g, uint64_t link);
int engine_commit(struct engine *g); /* the batch and the counters that moved */
int engine_fail(struct engine *g, int rc); /* a store_rc as an err code, 0 for OK and NOTFOUND */
void engine_ulid(struct engine *g, char out[27]);
bool engine_stopping(struct engine *g); /* a person or the system asked to stop: sets the error */
/* prune.c: history older than the config keeps goes, a little with every run that wrote. */
int engine_prune(struct engine *g);
void engine_progress(struct engine *g, const char *phase, uint64_t done, uint64_t of);

#endif
