/* SPDX-License-Identifier: MIT */
/* strike.h - the points before and after every durable or outward action of a host, and what can befall it there. */
#ifndef TESTS_ENGINE_STRIKE_H
#define TESTS_ENGINE_STRIKE_H

#include "kit.h"

/*
 * A commit, a call of a connector and each single write in a batch are actions; each has a point before and one after it.
 * What was carried out before the strike stays on the connectors' side.
 */
enum strike_how {
    STRIKE_KILL = 1, /* the process ends: a commit carried out is there, though nobody was told */
    STRIKE_POWER, /* so does the machine: the store is as of the last commit that was acknowledged, an hour goes by */
    STRIKE_UNKNOWN, /* the host lives and hears nothing: a commit, call or write may or may not have been carried out */
    STRIKE_DEAF, /* only at commits: nor can the store be asked */
    STRIKE_END
};
extern const char *const strike_names[STRIKE_END];

enum { STRIKE_POINTS = 1024, STRIKE_COMMIT = 'c', STRIKE_CALL = 'r', STRIKE_WRITE = 'w' };

struct strike {
    uint64_t at; /* the point it strikes at, 1 the next; 0: none, the points are only counted */
    int how; /* enum strike_how */
    bool takes_batch; /* a power cut takes the writes of a batch that is not acknowledged, as on one machine */
    uint64_t n_points; /* passed so far */
    char kind[STRIKE_POINTS + 1]; /* of the points passed, from 1 */
    bool struck;
    bool unsure; /* struck deaf, and the same session goes on: nothing may be written any more */
};

/* The memory connector's table, its calls watched for this kit. */
const struct sl_plugin *strike_watch(struct kit *k);
/* The disk's question: what befalls this commit? */
int strike_commit(void *kit);

#endif
