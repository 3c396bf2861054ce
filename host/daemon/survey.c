/* SPDX-License-Identifier: MIT */
/* survey.c - looks up what metrics need beside the figures: due times, connections, the process itself. */
#include "daemon/survey.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "store/shared.h"

/* A pair's place in the schedule is its own, or that of the parent in front of it. */
static void see_due(struct figures *f, const struct roster *r, const struct schedule *s)
{
    for (size_t i = 0; i < r->n_pairs; i++) {
        const struct schedule_unit *u = schedule_find(s, r->parents[i]);
        struct figure *p = figures_find(f, r->pairs[i]);
        if (!p)
            continue;
        p->running = u && u->running;
        p->due_ms = u ? u->due_ms : INT64_MAX;
    }
}

static uint64_t resident_bytes(void)
{
    uint64_t size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f)
        return 0;
    if (fscanf(f, "%" SCNu64 " %" SCNu64, &size, &resident) != 2)
        resident = 0;
    fclose(f);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t cpu_ms(void)
{
    uint64_t ms = 0;
    for (int i = 0; i < 2; i++) {
        struct rusage u;
        if (getrusage(i ? RUSAGE_CHILDREN : RUSAGE_SELF, &u) != 0)
            continue;
        ms += (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000;
        ms += (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
    }
    return ms;
}

/* Never waits for who is writing them. */
static void see_connections(const struct roster *r, const struct parking *p, int64_t now_ms,
                            struct metrics_connection *out)
{
    int64_t now_us = clock_mono_us();
    for (size_t i = 0; i < r->n_connections; i++) {
        struct rate bytes;
        const struct parking_spot *spot = parking_look(p, r->connections[i]);
        out[i].runner_deaths = spot ? spot->total : 0;
        out[i].parked = spot && spot->until_ms > now_ms;
        out[i].name = r->connections[i];
        out[i].known =
            shared_look(r->state, out[i].name, &bytes, sizeof bytes) && rate_look(&bytes, now_us, &out[i].view);
    }
}

void survey_put(struct figures *f, struct metrics_host *host, const struct roster *r, const struct schedule *s,
                const struct parking *parking, int64_t now_ms, struct buf *out)
{
    struct metrics_connection *seen = mem_alloc((r->n_connections + 1) * sizeof *seen);
    host->pairs = f->n_pairs;
    host->memory_bytes = resident_bytes();
    host->cpu_ms = cpu_ms();
    host->state_free_bytes = r->state ? file_room(r->state) : 0;
    see_due(f, r, s);
    see_connections(r, parking, now_ms, seen);
    metrics_put(f, host, seen, r->n_connections, now_ms, out);
    mem_free(seen);
}
