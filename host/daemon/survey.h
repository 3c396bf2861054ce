/* SPDX-License-Identifier: MIT */
/* survey.h - looks up what metrics need beside the figures: due times, connections, the process itself. */
#ifndef DAEMON_SURVEY_H
#define DAEMON_SURVEY_H

#include "daemon/metrics.h"
#include "daemon/parking.h"
#include "daemon/roster.h"

/* Metrics of a config in force, appended. host: what the caller knows is filled, the rest is looked up. */
void survey_put(struct figures *f, struct metrics_host *host, const struct roster *r, const struct schedule *s,
                const struct parking *parking, int64_t now_ms, struct buf *out);

#endif
