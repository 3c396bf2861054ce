/* SPDX-License-Identifier: MIT */
/* kit.h - two systems in memory, a pair of them, a store that outlives its host, and a simulated clock: what engine tests drive. */
#ifndef TESTS_ENGINE_KIT_H
#define TESTS_ENGINE_KIT_H

#include "../../plugins/memory/memory.h"
#include "store/mem.h"
#include "sync/run.h"

enum { KIT_SETTLE = 12 /* runs within which everything must come to rest */, KIT_ONLY = 32 };

/* What a webhook told, as long as no run has taken it in. */
struct kit_hint {
    int side;
    char id[MEMORY_ID];
    uint64_t stamp;
};

struct strike;

struct kit {
    struct memory_world w[2];
    struct mem_disk *disk;
    struct kit *parent; /* this pair's records are children of that one's; NULL: they stand alone */
    struct conf_pair pair;
    struct conf conf;
    bool flip; /* the pair was read mirrored */
    struct session_world world;
    struct strike *strike; /* what befalls the host, see strike.h; NULL: nothing */
    int64_t now_ms;
    uint64_t random;
    bool no_tier; /* neither system can tell a repeated create */
    bool blur; /* ids that a system made up show without their number */
    uint64_t born; /* of the state's file; another than before: it was copied or restored */
    bool calm; /* the last run wrote nothing */
    bool full; /* the next runs list everything: verify */
    uint64_t written[2]; /* by all runs */
    uint64_t base_history; /* the last history row of the base state */
    uint64_t only[KIT_ONLY]; /* the digests of a kept plan */
    size_t n_only;
    struct kit_hint *hints;
    size_t n_hints;
    uint64_t stamp;
    int stop_in; /* the run is told to end when it asks this often; 0: never */
    bool hints_broken; /* where they are kept cannot be read */
    struct run_report report;
    struct err e;
    struct arena a; /* of the pair */
};

/*
 * Makes a kit from words: "mode=one_way conflict=a drift=revert deletes=delete max=10 percent=10 first=match_only match=k+l,m
 * leave=unlink create=a_to_b filter_a=JQ filter_b=JQ fields=title,name:label,n/max,own>!revert,amount@money". In fields, a:b names
 * both sides, > and < give a direction, / a conflict policy, ! a drift policy, @ a group. Without fields the map is open. Further:
 * compute_b=label:JQ and const_b=source:desk fill a field of side b, values=status:open~todo,done~closed and otherwise_b=status:todo
 * map values, tier=none takes away all ways to recognise a create, times=none, ids=integer, schema_b=title,own! lists side b's fields (! read
 * only). flip reads all of it mirrored.
 */
struct kit *kit_new(const char *words, bool flip);
void kit_free(struct kit *k);

/* Edits side s: "1:title=x;n=#5 | 2! | ..." puts and removes records. */
void kit_edit(struct kit *k, int s, const char *edits);
/* What a person's command needs: the store, acquired, and both sessions. Returns the err code; to be closed in any case. */
int kit_open(struct kit *k, struct run_env *env);
void kit_close(struct kit *k, struct run_env *env);
void kit_count(struct kit *k); /* the report's writes into written */
/* One run at the present time; then the clock moves. Returns the err code. */
int kit_run(struct kit *k);
/* Runs until a run writes and commits nothing. Returns the number of runs, 0 if that never came. */
int kit_settle(struct kit *k);
void kit_tick(struct kit *k, int64_t ms);
struct run_hints kit_hints(struct kit *k); /* what a run is given of them */
void kit_hint(struct kit *k, int s, const char *id); /* a webhook: for the next run that takes hints in */

/* What the tests compare, sorted, in the arena: live records of a side, and what waits for a person. ids false: contents only. */
const char *kit_records(struct kit *k, int s, bool ids, struct arena *a);
const char *kit_waits(struct kit *k, struct arena *a);
const char *kit_id(const struct kit *k, const char *id); /* one the host made up shows as sl-new */
const char *kit_join(struct arena *a, const char **lines, size_t n); /* sorts them */
void kit_meta(struct kit *k, const char *key, int64_t n);
/* True if a value equal to text stands in the history as written or lost. */
bool kit_in_history(struct kit *k, const char *text);
bool kit_lost(struct kit *k, const char *text); /* as the loser of a conflict */

/* Everything as it is now, to go back to; zeroed before it is first used. */
struct kit_point {
    struct memory_world w[2];
    struct mem_disk *disk;
    int64_t now_ms;
    uint64_t random;
    uint64_t only[KIT_ONLY];
    size_t n_only;
};
void kit_save(const struct kit *k, struct kit_point *p);
void kit_restore(struct kit *k, const struct kit_point *p);
void kit_point_fini(struct kit_point *p);
void kit_revive(struct kit *k); /* the host starts again after a kill: no faults are left */

#endif
