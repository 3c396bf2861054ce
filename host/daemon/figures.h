/* SPDX-License-Identifier: MIT */
/* figures.h - what the runs of each pair came to, as workers report it: for the log, and as Prometheus text. */
#ifndef DAEMON_FIGURES_H
#define DAEMON_FIGURES_H

#include "base/err.h"
#include "sync/act.h"
#include "sync/run.h"

/* One pair. Counters are since the daemon began. */
struct figure {
    char *name;
    uint64_t runs, failures, seen, writes[2][3], calls[2];
    uint64_t conflicts, parked, withheld; /* as of its last run that changed them */
    int64_t last_ms; /* how long the last run took; -1: none yet */
    int64_t ended_ms; /* when the last run that came to its end did, by the caller's clock; -1: none yet */
    char *error, *message; /* of the last run; NULL: none */
};

struct figures {
    struct figure *pairs; /* sorted by name */
    size_t n_pairs;
};
/* Takes in a config's pairs; what stays keeps its figures. */
void figures_set(struct figures *f, const char *const *names, size_t n);
void figures_fini(struct figures *f);

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

/* What is there of the host itself. */
struct figures_host {
    uint64_t pairs, workers, running, worker_restarts, gateway_restarts, reloads;
    bool refused; /* an edited config is not taken in */
};
void figures_put_metrics(const struct figures *f, const struct figures_host *h, int64_t now_ms, struct buf *out);

#endif
