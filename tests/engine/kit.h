/* SPDX-License-Identifier: MIT */
/* kit.h - two systems in memory, a pair of them, a store that outlives its host, and a simulated clock: what engine tests drive. */
#ifndef TESTS_ENGINE_KIT_H
#define TESTS_ENGINE_KIT_H

#include "../../plugins/memory/memory.h"
#include "store/mem.h"
#include "sync/run.h"

enum { KIT_SETTLE = 12 /* runs within which everything must come to rest */ };

struct kit {
    struct memory_world w[2];
    struct mem_disk *disk;
    struct conf_pair pair;
    struct conf conf;
    bool flip; /* the pair was read mirrored */
    int64_t now_ms;
    uint64_t random;
    bool calm; /* the last run wrote nothing */
    struct run_report report;
    struct err e;
    struct arena a; /* of the pair */
};

/*
 * Makes a kit from words: "mode=one_way conflict=a drift=revert deletes=delete max=10 percent=10 first=match_only match=k+l,m
 * leave=unlink create=a_to_b filter_a=JQ filter_b=JQ fields=title,name:label,n/max,own>!revert,amount@money". In fields, a:b names
 * both sides, > and < give a direction, / a conflict policy, ! a drift policy, @ a group. flip reads all of it mirrored.
 */
struct kit *kit_new(const char *words, bool flip);
void kit_free(struct kit *k);

/* Edits side s: "1:title=x;n=#5 | 2! | ..." puts and removes records. */
void kit_edit(struct kit *k, int s, const char *edits);
/* One run at the present time; then the clock moves. Returns the err code. */
int kit_run(struct kit *k);
/* Runs until a run writes and commits nothing. Returns the number of runs, 0 if that never came. */
int kit_settle(struct kit *k);
void kit_tick(struct kit *k, int64_t ms);

/* What the tests compare, sorted, in the arena: live records of a side, and what waits for a person. ids false: contents only. */
const char *kit_records(struct kit *k, int s, bool ids, struct arena *a);
const char *kit_waits(struct kit *k, struct arena *a);
void kit_meta(struct kit *k, const char *key, int64_t n);
/* True if a value equal to text stands in the history as written or lost. */
bool kit_in_history(struct kit *k, const char *text);
bool kit_lost(struct kit *k, const char *text); /* as the loser of a conflict */

/* Everything as it is now, to go back to. */
struct kit_point {
    struct memory_world w[2];
    struct mem_disk *disk;
    int64_t now_ms;
    uint64_t random;
};
void kit_save(const struct kit *k, struct kit_point *p);
void kit_restore(struct kit *k, const struct kit_point *p);
void kit_point_fini(struct kit_point *p);
void kit_revive(struct kit *k); /* the host starts again after a kill: no faults are left */

#endif
