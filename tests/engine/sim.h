/* SPDX-License-Identifier: MIT */
/* sim.h - one seed is one history: what it is made of, played with the real engine, judged, and made shorter. */
#ifndef TESTS_ENGINE_SIM_H
#define TESTS_ENGINE_SIM_H

#include <stdio.h>

#include "kit.h"

enum { SIM_UIDS = 32, SIM_EDITS = 240, SIM_STEPS = 128, SIM_KNOBS = 80, SIM_BETWEEN = 6, SIM_HOOKS = 32 };

/* What is decided once for a history; 0 is the plainest, and what a shorter history is tried with. */
enum sim_choice {
    CHOICE_MODE, /* two_way, one_way */
    CHOICE_TIER, /* reserved ids, idempotency keys, correlation, none */
    CHOICE_CONDITIONAL, /* writes carry an expected version; not */
    CHOICE_FIRST, /* match_or_create by key, create_only */
    CHOICE_START, /* records begin on side a, as copies on both */
    CHOICE_TITLE, /* the policy of each field */
    CHOICE_BODY,
    CHOICE_N,
    CHOICE_DRIFT,
    CHOICE_DELETES,
    CHOICE_CEILING, /* of the guard: 1000, 2, 0 */
    CHOICE_STORE, /* in memory, LMDB */
    N_CHOICES
};

enum sim_field { FIELD_KEY, FIELD_TITLE, FIELD_BODY, FIELD_N, N_FIELDS };

enum step_kind { STEP_CREATE = 1, STEP_EDIT, STEP_DELETE, STEP_KNOB, STEP_TICK, STEP_RUN };

struct step {
    uint8_t kind, side, uid, field;
    uint16_t serial; /* of what a person writes: no two write the same */
    uint16_t between; /* this many steps of the systems into the next run; 0: before it */
    uint16_t knob;
    int32_t n;
};

struct sim_script {
    uint64_t seed;
    int choice[N_CHOICES];
    int trait[2][SIM_KNOBS];
    struct step steps[SIM_STEPS];
    size_t n_steps;
};

/* --- knobs: every fault, in one table --- */

enum knob_kind {
    KNOB_TRAIT = 1, /* what a system is like, from the beginning to the end */
    KNOB_STRIKE, /* armed on a system for one run */
    KNOB_STORE, /* armed on the state for one run: n commits from now */
    KNOB_EVENT, /* happens between runs, or to one */
    KNOB_HOOK /* a system sends webhooks, in what way; from the beginning to the end */
};

/* Without which a knob would break what nobody promises. */
enum knob_need {
    NEED_CONDITIONAL = 1 << 0,
    NEED_UNCONDITIONAL = 1 << 1,
    NEED_KEY_LOOKUP = 1 << 2, /* tier T2 */
    NEED_PROOF =
        1
        << 21, /* a record is known by more than a match key that changed hands: no T3 create in doubt, no exchange on both sides, nothing that comes back */
    NEED_GET = 1 << 3, /* absence is confirmed by a read */
    NEED_MATCH = 1 << 4, /* records find each other again without links */
    NEED_MEMORY = 1 << 5, /* the state in memory */
    NEED_NO_LAG = 1 << 6, /* nothing is waited for by the clock */
    NEED_NO_CEILING = 1 << 7, /* the guard lets no delete go */
    NEED_TWO_WAY = 1 << 8,
    NEED_DELTA = 1 << 9,
    NEED_OWN_KEYS = 1 << 10, /* no two records of different origin share a key */
    NEED_LATE = 1 << 11, /* T2 says that requests may be late */
    NEED_RECORDS = 1 << 12, /* a stub without a version says nothing */
    NEED_NO_ESCAPES = 1 << 13, /* a form that changes again with every write never comes to rest unseen */
    NEED_KEYS_STILL = 1 << 14, /* no keys are exchanged in the same history */
    NEED_STATE_KEPT = 1 << 15, /* no state is lost in it */
    NEED_ONE_HOST = 1 << 16,
    NEED_NO_REFUSAL = 1 << 17,
    NEED_ONE_CONFIG = 1 << 20,
    NEED_TRUE_LISTS = 1 << 19, /* what is matched anew is listed whole, and can be read */
    NEED_TOLD_DELETES = 1 << 18 /* no delta keeps them to itself */
};

enum sim_event {
    EVENT_KEY_SWAP = 1, /* two records exchange their keys */
    EVENT_MERGED, /* the system merges one record into another */
    EVENT_ID_REUSED,
    EVENT_RESTORED, /* the collection goes back to its backup */
    EVENT_HIDE, /* a permission is withdrawn for one run */
    EVENT_UNREADABLE, /* one record, for one run */
    EVENT_CLOCK, /* the host's clock steps by n seconds */
    EVENT_CONFIG, /* variant n of the config from now on */
    EVENT_NOT_STORED, /* a system takes titles and does not store them, until the faults stop */
    EVENT_FIGHT, /* a robot on each side puts its own title back whenever another one came, until the faults stop */
    EVENT_STATE_OLD, /* the state of some runs ago is put back */
    EVENT_STATE_GONE,
    EVENT_TWO_HOSTS /* another host takes the pair over in the middle of the next run */
};

enum sim_hook {
    HOOK_SENT = 1, /* so many of a hundred changes are told at once */
    HOOK_AGAIN, /* so many of a hundred are told once more, later */
    HOOK_LATE, /* so many of a hundred wait, and others overtake them */
    HOOK_FORGED /* so many of a hundred runs meet one that names what it likes */
};

struct knob {
    const char *name;
    const char *fault; /* of RELIABILITY: F1 to F47; "-": of the list of faults only */
    const char *threatens; /* the invariant that breaks first where it is not dealt with */
    int kind;
    size_t
        at; /* TRAIT, STRIKE: offset in the world; STORE: enum mem_fault; EVENT: enum sim_event; HOOK: enum sim_hook */
    int share; /* TRAIT, HOOK: of a thousand histories; else how often beside the others of its kind */
    int low, high;
    unsigned needs;
    const char *weakens; /* what is no longer promised, and what is checked instead; NULL: nothing */
    int fail_class; /* STRIKE at fail_in: what the call ends with */
};
extern const struct knob sim_knobs[];
extern const size_t sim_n_knobs;
bool knob_allowed(const struct sim_script *s, int side, size_t knob);
bool script_allowed(const struct sim_script *s); /* every knob in it */
int *knob_int(struct memory_world *w, size_t knob);

/* --- making, playing, judging --- */

struct sim_stats {
    uint64_t seeds, runs, kills, edits, writes, lmdb, violations;
    uint64_t knobs[SIM_KNOBS];
};

/* One value a person wrote. */
struct edit {
    uint8_t side, uid, field;
    bool superseded; /* somebody who saw it wrote another, or deleted the record */
    bool open; /* it came while a run was between reading and an unconditional write: it may be lost */
    bool replaced; /* likewise, even where a run could not tell which was the later */
    bool recorded; /* seen in a history that is gone */
    char text[40];
};

struct truth {
    bool blind; /* a system that changes values did so unseen: its form of ours may be taken for an edit */
    uint8_t unreported[SIM_UIDS]; /* a bit a field: its backup does not hold it, and what is not reported is no edit */
    bool returned[SIM_UIDS]; /* taken away or brought back by a backup: it may be there or not */
    bool any_loose;
    bool paused; /* a host was: what it wrote late may have replaced an edit, and nobody was there to note it */
    bool titles_dropped; /* two titles may differ, and only a look at both would tell */
    bool unsure; /* no run knows yet which of two values is the newer: there were no links, or they are lost */
    struct edit edits[SIM_EDITS];
    size_t n_edits;
    bool created[SIM_UIDS], deleted[2][SIM_UIDS];
    bool loose
        [SIM_UIDS]; /* lost to a restored collection or a withdrawn permission: only what is said there is checked */
};

/* A webhook under way. */
struct delivery {
    char id[MEMORY_ID];
    uint8_t side;
    uint8_t after; /* so many runs; 0: none */
};

struct sim {
    const struct sim_script *script;
    struct sim_stats *stats;
    struct kit *k;
    char *folder; /* LMDB; NULL: in memory */
    struct truth truth;
    struct step between[SIM_BETWEEN];
    size_t n_between;
    int n_fights, steal_in, fight_uid; /* -1: no robots */
    uint64_t born; /* of the state's file */
    bool nested, stolen, full, trace, disturbed;
    int variant;
    int64_t clock_ms; /* the host's clock is ahead of the world's by this */
    struct memory_world *backup[2];
    struct mem_disk *old;
    struct delivery under_way[SIM_HOOKS];
    uint64_t told[2], hook_random; /* told: the last change of a side that its webhooks could tell of */
    bool resting; /* the end: forged webhooks name only what is not there */
    bool verify; /* something was hidden that only a full look finds */
    const char *broken; /* the invariant; NULL: all hold */
    char about[240];
};

/* make.c: the history of a seed. */
void sim_make(uint64_t seed, struct sim_script *out);
/* play.c: plays it. Returns the invariant that broke, or NULL; about: 240 bytes for the particulars. */
const char *sim_play(const struct sim_script *s, bool trace, struct sim_stats *stats, char *about);
/* shrink.c: the shortest history that breaks the same invariant; and how it reads. */
void sim_shrink(struct sim_script *s, const char *invariant);
void sim_print(const struct sim_script *s, FILE *out);
void sim_print_step(const struct step *t, FILE *out);

void sim_break(struct sim *s, const char *invariant, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* people.c: what people do, and the truth about it. */
const char *people_field(int field);
void people_create(struct sim *s, const struct step *t);
void people_edit(struct sim *s, const struct step *t);
void people_delete(struct sim *s, int side, int uid);
void people_swap_keys(struct sim *s, const struct step *t);
void people_merge(struct sim *s, const struct step *t);
void people_reuse_id(struct sim *s, const struct step *t);
void people_restore(struct sim *s, int side, bool told);
struct memory_record *people_find(struct sim *s, int side, int uid); /* the live record; NULL: none, or two */
int people_uid(const struct memory_record *r);
/* What is the same in a value however a system stores it. */
void people_gist(const char *text, char out[40]);
/* The links are lost: what stands on either side is no longer older than what stands on the other. */
void people_unsure(struct sim *s);
void people_forgo(struct sim *s); /* what lives nowhere any more was recorded there, if only as intended */
void people_remember(struct sim *s); /* what the history holds, before it goes */

/* host.c: one run of the host on this history's state and clock. */
struct store *host_store(struct sim *s, bool read_only);
int host_run(struct sim *s);
bool host_calm(const struct sim *s);
void host_begin(struct sim *s);
void host_end(struct sim *s);
void host_variant(struct sim *s, int n);
bool host_waits(struct sim *s, int db);
/* A person looks at what waits and decides. Returns how many things were decided. */
int host_decide(struct sim *s);

/* hooks.c: the webhooks that come before a run, or in the middle of one. */
void hooks_send(struct sim *s, bool midst);

/* judge.c: what must be true. */
bool judge_normalises(const struct memory_world *w); /* it stores values in a form of its own */
void judge_run(struct sim *s);
void judge_values(struct sim *s);
void judge_end(struct sim *s);

#endif
