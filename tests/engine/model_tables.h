/* SPDX-License-Identifier: MIT */
/* model_tables.h - the setups whose lives must do no harm, and what must break when a rule of the protocol is left out. */
#ifndef TESTS_ENGINE_MODEL_TABLES_H
#define TESTS_ENGINE_MODEL_TABLES_H

#include "model.h"

static const struct model_setup protocols[] = {
    {.name = "T1", .tier = MODEL_T1},
    {.name = "T1, undeclared normalising", .tier = MODEL_T1, .undeclared = true},
    {.name = "T1, both sides normalise", .tier = MODEL_T1, .both_normalise = true},
    {.name = "T2 without versions, undeclared normalising", .tier = MODEL_T2, .no_versions = true, .undeclared = true},
    {.name = "T2 without versions, both sides normalise",
     .tier = MODEL_T2,
     .no_versions = true,
     .both_normalise = true},
    {.name = "T3", .tier = MODEL_T3},
    {.name = "T1, deletes and merges", .tier = MODEL_T1, .parts = MODEL_DELETES | MODEL_MERGES},
    {.name = "T2 without versions, deletes and merges",
     .tier = MODEL_T2,
     .no_versions = true,
     .parts = MODEL_DELETES | MODEL_MERGES},
    {.name = "T3, deletes and merges", .tier = MODEL_T3, .parts = MODEL_DELETES | MODEL_MERGES},
    {.name = "T2, deletes that no read can confirm", .tier = MODEL_T2, .parts = MODEL_DELETES, .no_get = true},
    {.name = "T2 without versions, batches", .tier = MODEL_T2, .no_versions = true, .parts = MODEL_BATCHES},
    {.name = "T3, batches", .tier = MODEL_T3, .parts = MODEL_BATCHES},
    {.name = "T2, fan-out and references", .tier = MODEL_T2, .parts = MODEL_FANOUT | MODEL_REFERENCES},
    {.name = "T1, everything", .tier = MODEL_T1, .parts = MODEL_ALL_PARTS},
    {.name = "T2 without versions, everything",
     .tier = MODEL_T2,
     .no_versions = true,
     .both_normalise = true,
     .parts = MODEL_ALL_PARTS},
    {.name = "T3, everything", .tier = MODEL_T3, .both_normalise = true, .parts = MODEL_ALL_PARTS},
};
enum { N_PROTOCOLS = sizeof protocols / sizeof *protocols };

/* The setup is one in which the whole protocol breaks nothing. */
struct ablation {
    const char *name;
    unsigned without; /* enum model_rule */
    int breaks; /* the number of the invariant */
    struct model_setup setup;
};

#define T1(...)                                                                                                        \
    {                                                                                                                  \
        .tier = MODEL_T1, __VA_ARGS__                                                                                  \
    }
#define T2(...)                                                                                                        \
    {                                                                                                                  \
        .tier = MODEL_T2, .no_versions = true, __VA_ARGS__                                                             \
    }
#define T3(...)                                                                                                        \
    {                                                                                                                  \
        .tier = MODEL_T3, __VA_ARGS__                                                                                  \
    }
#define PARTS .parts

static const struct ablation ablations[] = {
    {"no journal", MODEL_JOURNAL, 19, T1(PARTS = 0)},
    {"no settle time", MODEL_SETTLE, 19, T2(PARTS = 0)},
    {"no settle time, T3", MODEL_SETTLE, 19, T3(PARTS = 0)},
    {"late delivery later than declared", MODEL_TRUE_LATENESS, 19, T2(PARTS = 0)},
    {"no overlap", MODEL_OVERLAP, 22, T1(PARTS = 0)},
    {"cursor before capture", MODEL_CAPTURE_BEFORE_CURSOR, 22, T2(PARTS = MODEL_DELETES)},
    {"one base for both sides", MODEL_BASE_PER_SIDE, 11, T1(.both_normalise = true, .undeclared = true)},
    {"one base for both sides, for ever", MODEL_BASE_PER_SIDE, 14, T1(.both_normalise = true, .undeclared = true)},
    {"one base for both sides, declared", MODEL_BASE_PER_SIDE, 13, T1(.both_normalise = true)},
    {"one base for both sides, a delete", MODEL_BASE_PER_SIDE, 2,
     T1(PARTS = MODEL_DELETES, .both_normalise = true, .undeclared = true)},
    {"unexplained reads absorbed", MODEL_UNEXPLAINED, 12, T1(PARTS = 0)},
    {"all-or-nothing recovery", MODEL_PER_FIELD, 5, T1(PARTS = 0)},
    {"no guard against stale reads", MODEL_STALE_GUARD, 5, T1(PARTS = 0)},
    {"no guard against stale reads, no versions", MODEL_STALE_GUARD, 5, T2(PARTS = 0)},
    {"no conditional write", MODEL_CONDITIONAL, 24, T1(PARTS = 0)},
    {"no conditional write, an edit", MODEL_CONDITIONAL, 5, T2(PARTS = 0)},
    {"no conditional delete", MODEL_CONDITIONAL, 27, T1(PARTS = MODEL_DELETES)},
    {"normalising that nobody tells of", MODEL_EQUIV, 13, T2(.both_normalise = true)},
    {"normalising that nobody tells of, an edit", MODEL_EQUIV, 5, T2(.both_normalise = true)},

    {"absence not confirmed by id", MODEL_CONFIRM, 26, T1(PARTS = MODEL_DELETES)},
    {"absence in a listing that is not complete", MODEL_COMPLETE, 26, T1(PARTS = MODEL_DELETES, .no_get = true)},
    {"absence of what was just written", MODEL_YOUNG, 26, T2(PARTS = MODEL_DELETES)},
    {"no ceiling of deletes", MODEL_GUARD, 28, T1(PARTS = MODEL_DELETES)},
    {"a delete beats an edit", MODEL_EDIT_WINS, 27, T2(PARTS = MODEL_DELETES)},
    {"no tombstones", MODEL_TOMB, 19, T3(PARTS = MODEL_DELETES)},

    {"a merge taken for a delete", MODEL_FOLLOW_MERGE, 26, T1(PARTS = MODEL_MERGES)},
    {"a merge's loser forgotten", MODEL_REVIEW_LOSER, 30, T2(PARTS = MODEL_MERGES)},
    {"a merge's loser forgotten, T3", MODEL_REVIEW_LOSER, 19, T3(PARTS = MODEL_MERGES)},

    {"a batch succeeds or fails as one", MODEL_PER_ITEM, 19, T1(PARTS = MODEL_BATCHES)},
    {"replies believed by their position", MODEL_REPLY_FITS, 30, T2(PARTS = MODEL_BATCHES)},
    {"replies believed by their position, T3", MODEL_REPLY_FITS, 30, T3(PARTS = MODEL_BATCHES)},

    {"children without keys", MODEL_KEYED_CHILDREN, 37, T1(PARTS = MODEL_FANOUT)},
    {"a roll-up that counts what it hears", MODEL_FOLD, 38, T2(PARTS = MODEL_FANOUT)},
    {"a child out of the template forgotten", MODEL_KEEP_CHILD, 40, T1(PARTS = MODEL_FANOUT)},
    {"a child out of the template forgotten, and made again", MODEL_KEEP_CHILD, 37, T2(PARTS = MODEL_FANOUT)},
    {"references taken as they are", MODEL_TRANSLATE, 31, T1(PARTS = MODEL_REFERENCES)},
    {"references that do not wait", MODEL_WAIT, 31, T2(PARTS = MODEL_REFERENCES)},

    {"a blind second create", MODEL_AT_MOST_ONCE, 19, T3(PARTS = 0)},
    {"adoption by name alone", MODEL_ADOPT_EQUAL, 30, T3(PARTS = 0)},
    {"capture of what may be an open create's", MODEL_HOLD, 19, T3(PARTS = 0)},
};
enum { N_ABLATIONS = sizeof ablations / sizeof *ablations };
#undef T1
#undef T2
#undef T3
#undef PARTS

#endif
