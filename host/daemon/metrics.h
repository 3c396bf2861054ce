/* SPDX-License-Identifier: MIT */
/* metrics.h - all figures as Prometheus text, format 0.0.4. Pure. */
#ifndef DAEMON_METRICS_H
#define DAEMON_METRICS_H

#include "daemon/figures.h"
#include "net/rate.h"

/* One connection, as its shared bytes tell it. */
struct metrics_connection {
    const char *name;
    bool known; /* view is filled; a folder or a file has none */
    struct rate_view view;
    uint64_t runner_deaths; /* since the daemon began */
    bool parked; /* left alone: its connector's process kept dying */
};

/* What is there of the host itself. */
struct metrics_host {
    uint64_t pairs, workers, running, worker_restarts, gateway_restarts, receiver_restarts, reloads;
    bool refused; /* an edited config is not taken in */
    int64_t started_s; /* since 1970 */
    uint64_t memory_bytes; /* of the supervisor */
    uint64_t cpu_ms; /* of the supervisor and what it has started and outlived */
    uint64_t state_free_bytes;
};

/* Each metric once, with its help and type; labels escaped. */
void metrics_put(const struct figures *f, const struct metrics_host *h, const struct metrics_connection *connections,
                 size_t n_connections, int64_t now_ms, struct buf *out);

#endif
