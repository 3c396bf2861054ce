/* SPDX-License-Identifier: MIT */
/* figures.h - what the runs of each pair came to, as workers report it: for the log and for metrics. */
#ifndef DAEMON_FIGURES_H
#define DAEMON_FIGURES_H

#include "base/err.h"
#include "daemon/delivery.h"
#include "sync/act.h"
#include "sync/run.h"

/* One pair. Counters are since the daemon began. */
struct figure {
    char *name;
    uint64_t runs, failures, seen, writes[2][3], calls[2];
    uint64_t conflicts, parked, withheld, pending, in_step; /* as of its last run that changed them */
    int64_t last_ms; /* how long the last run took; -1: none yet */
    int64_t total_ms; /* all runs together */
    int64_t
        fresh_ms; /* the last run that came to its end began, by the caller's clock; none yet: the config was taken in */
    int64_t due_ms; /* set by the caller: when it runs next; INT64_MAX: never by itself */
    bool running; /* likewise */
    char *error, *message; /* of the last run; NULL: none */
};

enum { FIGURES_BUCKETS = 9 };
/* The upper bounds that runs are counted under. */
extern const int64_t figures_bounds_ms[FIGURES_BUCKETS];

/* A connection's webhooks. */
struct figure_hooks {
    char *connection;
    uint64_t counts[DELIVERY_OUTCOMES];
};

struct figures {
    struct figure *pairs; /* sorted by name */
    size_t n_pairs;
    uint64_t
        run_counts[FIGURES_BUCKETS + 1]; /* of all pairs: at most that long, and longer than each of these before */
    int64_t run_total_ms;
    struct figure_hooks *hooks; /* of those that take webhooks */
    size_t n_hooks;
    uint64_t stray_hooks; /* for connections that take none */
};
/* Takes in a config's pairs; what stays keeps its figures. ran_ago_ms: since each one's last good run began; -1: not known. */
void figures_set(struct figures *f, const char *const *names, const int64_t *ran_ago_ms, size_t n, int64_t now_ms);
void figures_set_hooks(struct figures *f, const char *const *connections, size_t n);
/* So many deliveries came to that. Under another name than the set ones they are strays: labels stay those of the config. */
void figures_count_hooks(struct figures *f, const char *connection, int outcome, uint64_t n);
void figures_fini(struct figures *f);
struct figure *figures_find(const struct figures *f, const char *name); /* NULL: the config has no such pair */

/* A worker's report of one pair. */
struct figures_report {
    const char *pair;
    const struct run_report *run;
    const struct status_counts *counts; /* NULL: as they were */
    const char *error; /* NULL: it came to its end */
};
void figures_put_report(struct buf *out, const struct figures_report *r);

/* What the log has to tell of a report: what was told last time is no news. */
struct figures_news {
    const char *pair; /* these are borrowed until the next figures_take */
    const char *error, *message; /* NULL: none, or the same as before */
    bool mended; /* the last run had an error, this one has none */
    uint64_t seen, written;
    int64_t ms;
    char run[27];
};
/* Takes in what figures_put_report wrote. 0, or ERR_INPUT: it is none. A pair that the config has no more is passed over: news->pair is NULL. */
int figures_take(struct figures *f, const char *text, size_t n_bytes, int64_t now_ms, struct figures_news *news,
                 struct err *e);

#endif
