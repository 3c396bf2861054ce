/* SPDX-License-Identifier: MIT */
/* model_world.h - inside the model: what it holds, and the two systems with their faults and users. */
#ifndef TESTS_ENGINE_MODEL_WORLD_H
#define TESTS_ENGINE_MODEL_WORLD_H

#include <setjmp.h>

#include "model.h"

enum { FIELDS = 3, ALL_FIELDS = 7, NORMALISED = 1, MAX_RECORDS = 96, MAX_OPS = 96, MAX_KEYS = 512, MAX_LATE = 128 };
/* Times are in ticks; the change times that a side shows are in clocks of ten. */
enum { CLOCK = 10, LATE = 40, INDEX_LAG = 20, STALE = 15, MARGIN = 3 };

enum kind { CREATE = 1, UPDATE };
enum reply { DONE = 1, REFUSED, UNKNOWN };

struct copy {
    int field[FIELDS];
    int version;
};

struct record {
    int id;
    int link_id; /* 0: made by a user */
    struct copy now, before;
    int modified, fresh_at, indexed_at;
    int last_edit[FIELDS]; /* what a user last put there, as stored; 0: nobody did */
    int edited_at[FIELDS];
};

struct request {
    enum kind kind;
    int side, id, link_id, key;
    int field[FIELDS];
    int mask;
    int expected; /* the version it was planned on; 0: any */
    int due;
};

struct side {
    struct record records[MAX_RECORDS];
    int n_records;
    struct {
        int key, id;
    } keys[MAX_KEYS];
    int n_keys;
};

struct link {
    int link_id, id[2];
    int base[2][FIELDS];
    int base_version[2], seen_version[2], quiet_until[2];
    bool dirty;
    int conflict_at[FIELDS]; /* when it was last noted that both sides had changed */
};

/* A row of the journal: at most one of a link. */
struct op {
    bool used, unknown;
    int link, until;
    int source[FIELDS];
    struct request request;
};

/* What survives a crash. */
struct state {
    struct link links[MAX_RECORDS];
    int n_links;
    struct op ops[MAX_OPS];
    int cursor[2], last_key;
};

struct world {
    const struct model_setup *setup;
    struct side sides[2];
    struct request late[MAX_LATE];
    int n_late;
    struct state state;
    uint64_t random;
    int now, crash_in, n_edits, n_created;
    bool faulty;
    struct model_result result;
    jmp_buf crash;
};

/* --- chance --- */
int model_draw(struct world *w, int below);
bool model_chance(struct world *w, int of_thousand);
bool model_has(const struct world *w, enum model_rule rule);

/* --- the two systems --- */
int model_stored(const struct world *w, int side, int field, int value);
struct record *model_record(struct world *w, int side, int id);

/* One request and what became of it; out only when DONE. */
enum reply model_call(struct world *w, const struct request *q, struct record *out);

/* A read may be of before the last write; what it says of the change time is not. */
struct record model_seen(const struct world *w, const struct record *r);
void model_deliver_late(struct world *w);

/* --- the users --- */
void model_user_acts(struct world *w);

#endif
