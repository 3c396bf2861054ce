/* SPDX-License-Identifier: MIT */
/* model_world.h - inside the model: what the two systems hold, what the engine keeps, and what systems and users do. */
#ifndef TESTS_ENGINE_MODEL_WORLD_H
#define TESTS_ENGINE_MODEL_WORLD_H

#include <setjmp.h>

#include "model.h"

enum { MAX_RECORDS = 64, MAX_LINKS = 96, MAX_LATE = 64, MAX_ENTITIES = 12, MAX_BATCH = 4, MAX_CHILDREN = 3 };
/* Fields: three that flow both ways, a reference to another record of the same side, a roll-up. */
enum { VALUES = 3, REFERENCE = 3, TWO_WAY = 4, PROGRESS = 4, FIELDS = 5 };
enum { ALL_VALUES = 7, ALL_TWO_WAY = 15, NORMALISED = 1, IS_DONE = 0 };
/* Times are in ticks; the change times that a side shows are in clocks of ten. */
enum { CLOCK = 10, LATE = 40, INDEX_LAG = 20, STALE = 15, MARGIN = 3 };
/* An id tells its side: side times this, plus a count. */
enum { IDS_PER_SIDE = 1000 };
enum { CEILING = 2 }; /* of deletes in one run */

enum kind { CREATE = 1, UPDATE, DELETE };
enum reply { APPLIED = 1, REFUSED /* another version, or not there */, NOT_NOW };
/* A hire is of side a alone and has children on side b; a child is nobody's record on side a. */
enum sort { RECORD = 1, HIRE, CHILD };

struct copy {
    int field[FIELDS];
    int version;
    int ours; /* a mask: the fields that the engine wrote last; for the judge alone */
};

/* Which thing of the users a record is: known to the judge alone. */
struct identity {
    int entity, generation, child;
};

struct record {
    int id, name, key;
    enum sort sort;
    int link_id; /* 0: made by a user, or not kept */
    struct copy now, before;
    int created, modified, fresh_at, indexed_at;
    bool gone, by_user, by_engine; /* by whom it is gone; by whom it was made */
    int merged_into;
    struct identity is;
};

struct request {
    enum kind kind;
    enum sort sort;
    int side, id, link_id, key, name;
    int field[FIELDS];
    int mask;
    int expected; /* the version it was planned on */
    int due;
    /* For the judge alone: the record of the other side that this comes from, the deleted one that it replaces. */
    int source, replaces;
    int generation, child;
};

struct item {
    enum reply reply;
    struct record record;
};

struct answer {
    int n; /* 0: none came */
    struct item item[MAX_BATCH];
};

/* Which records are there, by number, as a listing of all says. */
struct listing {
    bool has[MAX_RECORDS];
    bool complete; /* as it says itself */
};

struct side {
    struct record records[MAX_RECORDS];
    int n_records;
    bool hidden; /* permissions are withdrawn: everything looks deleted */
};

/* --- what the engine keeps, and what survives a crash --- */

enum op_state { NO_OP, PLANNED, UNKNOWN, IN_REVIEW };
enum link_state { DROPPED, ACTIVE, HELD /* may be an open create's */, FOR_REVIEW, TOMB };

/* A row of the journal. */
struct op {
    enum op_state state;
    int until, intended_at;
    int source[FIELDS];
    struct request request;
};

struct link {
    enum link_state state;
    enum sort sort;
    int link_id, generation, id[2];
    int base[2][FIELDS];
    int base_version[2], seen_version[2], quiet_until[2];
    bool dirty, gone[2];
    int conflict_at[VALUES]; /* when it was last noted that both sides had changed */
    int parent, child; /* of a child: the number of the hire's link, and its key */
    int believe_merge_at;
    int heard; /* what a roll-up comes to that counts what it hears */
    struct op op; /* at most one at a time */
};

struct state {
    struct link links[MAX_LINKS];
    int n_links;
    int cursor[2], last_key, last_link_id;
    int template; /* that children were last planned by: how many keys it has */
};

/* --- all of it --- */

/* What a user last put into a field of a thing, as stored. */
struct note {
    int value, at;
    bool given_up; /* its user deleted or merged the record since */
};

struct world {
    const struct model_setup *setup;
    struct side sides[2];
    struct request late[MAX_LATE];
    int n_late;
    struct state state;
    struct note notes[MAX_ENTITIES][2][VALUES];
    int same_as[MAX_ENTITIES]; /* a merged thing's winner; else itself */
    int n_entities, n_things, n_hires, n_edits;
    int template; /* as it is configured now: a child for each key from 1 on */
    int n_deletes; /* intended in this run */
    uint64_t random;
    int now, crash_in;
    bool faulty;
    struct model_result result;
    jmp_buf crash, end;
};

/* --- chance and rules (model_world.c) --- */
int model_draw(struct world *w, int below);
bool model_chance(struct world *w, int of_thousand);
bool model_has(const struct world *w, enum model_rule rule);
bool model_does(const struct world *w, enum model_part part);
int model_max(int a, int b);
_Noreturn void model_full(struct world *w); /* only a broken protocol comes here */

/* --- the two systems (model_world.c) --- */
int model_stored(const struct world *w, int side, int field, int value);
struct record *model_record(struct world *w, int side, int id);
struct record *model_insert(struct world *w, int side, enum sort sort, int name, const int *field);
void model_store(struct world *w, int side, struct record *r, const int *field, int mask);
void model_remove(struct world *w, int side, struct record *r, int merged_into);

/* One request of up to MAX_BATCH items and what came back. */
void model_call(struct world *w, const struct request *q, int n, struct answer *out);
void model_deliver_late(struct world *w);

/* A read may be of before the last write; false: it says that there is no such record. */
bool model_get(struct world *w, int side, int id, struct record *out);
void model_list_all(struct world *w, int side, struct listing *out);
bool model_listed(struct world *w, int side, const struct record *r);
struct record model_seen(struct world *w, const struct record *r);

/* --- users and the person who looks after the sync (model_users.c) --- */
void model_user_acts(struct world *w);
const struct record *model_user_deletes(struct world *w, int side); /* NULL: there is none */
void model_person_decides(struct world *w);

/* --- the judge (model_checks.c) --- */
void model_breaks(struct world *w, int invariant);
struct identity model_identity(struct world *w, const struct request *q);
void model_check_create(struct world *w, const struct request *q, const struct identity *is);
void model_check_write(struct world *w, const struct request *q, const struct record *r);
void model_check_delete(struct world *w, const struct request *q, const struct record *r);
void model_check_plan(struct world *w, const struct record *source, int mask);
void model_check_rest(struct world *w);
int model_thing(const struct world *w, int entity);

#endif
