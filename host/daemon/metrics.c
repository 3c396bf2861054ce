/* SPDX-License-Identifier: MIT */
/* metrics.c - all figures as Prometheus text, format 0.0.4. Pure. */
#include "daemon/metrics.h"

#include <inttypes.h>
#include <stddef.h>

static const char *const side_name[2] = {"a", "b"}, *const op_name[3] = {"create", "update", "delete"};

static void put_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP syncline_%s %s\n# TYPE syncline_%s %s\n", name, help, name, type);
}

/* syncline_NAME{LABEL="…"; further labels and the value are the caller's. */
static void put_series(struct buf *out, const char *name, const char *label, const char *value)
{
    buf_printf(out, "syncline_%s{%s=\"", name, label);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            buf_byte(out, '\\');
        if (*value == '\n')
            buf_text(out, "\\n");
        else
            buf_byte(out, *value);
    }
    buf_byte(out, '"');
}

static void put_pair(struct buf *out, const char *name, const struct figure *p)
{
    put_series(out, name, "pair", p->name);
}

/* In seconds, exactly. */
static void put_seconds(struct buf *out, int64_t ms)
{
    if (ms < 0)
        buf_byte(out, '-');
    buf_printf(out, "%" PRId64 ".%03d\n", (ms < 0 ? -ms : ms) / 1000, (int)((ms < 0 ? -ms : ms) % 1000));
}

/* --- pairs --- */

static void put_numbers(const struct figures *f, struct buf *out)
{
    static const struct {
        const char *name, *type, *help;
        size_t at;
    } rows[] = {
        {"pair_runs_total", "counter", "Runs of the pair.", offsetof(struct figure, runs)},
        {"pair_failures_total", "counter", "Runs that did not come to their end.", offsetof(struct figure, failures)},
        {"pair_seen_total", "counter", "Links and records that runs took in.", offsetof(struct figure, seen)},
        {"pair_conflicts", "gauge", "Conflicts that wait for a person.", offsetof(struct figure, conflicts)},
        {"pair_parked", "gauge", "Records set aside.", offsetof(struct figure, parked)},
        {"pair_withheld", "gauge", "Deletes that wait for approval.", offsetof(struct figure, withheld)},
        {"pair_pending", "gauge", "Records that wait for the next run.", offsetof(struct figure, pending)},
        {"pair_in_step", "gauge", "Links whose sides agree.", offsetof(struct figure, in_step)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_head(out, rows[i].name, rows[i].type, rows[i].help);
        for (size_t p = 0; p < f->n_pairs; p++) {
            put_pair(out, rows[i].name, &f->pairs[p]);
            buf_printf(out, "} %" PRIu64 "\n", *(const uint64_t *)((const char *)&f->pairs[p] + rows[i].at));
        }
    }
}

static void put_writes(const struct figures *f, struct buf *out)
{
    put_head(out, "pair_written_total", "counter", "Writes by side and kind.");
    for (size_t p = 0; p < f->n_pairs; p++)
        for (int s = 0; s < 2; s++)
            for (int op = 0; op < 3; op++) {
                put_pair(out, "pair_written_total", &f->pairs[p]);
                buf_printf(out, ",side=\"%s\",op=\"%s\"} %" PRIu64 "\n", side_name[s], op_name[op],
                           f->pairs[p].writes[s][op]);
            }
    put_head(out, "pair_calls_total", "counter", "Calls of the connector by side.");
    for (size_t p = 0; p < f->n_pairs; p++)
        for (int s = 0; s < 2; s++) {
            put_pair(out, "pair_calls_total", &f->pairs[p]);
            buf_printf(out, ",side=\"%s\"} %" PRIu64 "\n", side_name[s], f->pairs[p].calls[s]);
        }
}

/* False: there is nothing to tell of this pair. */
struct pair_time {
    const char *name, *help;
    bool (*ms)(const struct figure *p, int64_t now_ms, int64_t *ms);
};

static bool last_run(const struct figure *p, int64_t now_ms, int64_t *ms)
{
    (void)now_ms;
    *ms = p->last_ms;
    return p->last_ms >= 0;
}

static bool lag(const struct figure *p, int64_t now_ms, int64_t *ms)
{
    *ms = now_ms > p->fresh_ms ? now_ms - p->fresh_ms : 0;
    return true;
}

static bool next_run(const struct figure *p, int64_t now_ms, int64_t *ms)
{
    *ms = p->running ? 0 : p->due_ms - now_ms;
    return p->running || p->due_ms != INT64_MAX;
}

static void put_times(const struct figures *f, int64_t now_ms, struct buf *out)
{
    static const struct pair_time rows[] = {
        {"pair_last_run_seconds", "How long the last run took.", last_run},
        {"pair_lag_seconds",
         "Since the last run that came to its end began: changes made before are on the other side, or counted.", lag},
        {"pair_next_run_seconds", "Until the next run is due; below zero: it is late.", next_run},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_head(out, rows[i].name, "gauge", rows[i].help);
        for (size_t p = 0; p < f->n_pairs; p++) {
            int64_t ms = 0;
            if (!rows[i].ms(&f->pairs[p], now_ms, &ms))
                continue;
            put_pair(out, rows[i].name, &f->pairs[p]);
            buf_text(out, "} ");
            put_seconds(out, ms);
        }
    }
}

static void put_state(const struct figures *f, struct buf *out)
{
    put_head(out, "pair_failing", "gauge", "1 if the last run did not come to its end.");
    for (size_t p = 0; p < f->n_pairs; p++) {
        put_pair(out, "pair_failing", &f->pairs[p]);
        buf_printf(out, "} %d\n", f->pairs[p].error != NULL);
    }
    put_head(out, "pair_running", "gauge", "1 while it runs.");
    for (size_t p = 0; p < f->n_pairs; p++) {
        put_pair(out, "pair_running", &f->pairs[p]);
        buf_printf(out, "} %d\n", f->pairs[p].running);
    }
    put_head(out, "pair_run_seconds", "summary", "How long runs took.");
    for (size_t p = 0; p < f->n_pairs; p++) {
        put_pair(out, "pair_run_seconds_sum", &f->pairs[p]);
        buf_text(out, "} ");
        put_seconds(out, f->pairs[p].total_ms);
        put_pair(out, "pair_run_seconds_count", &f->pairs[p]);
        buf_printf(out, "} %" PRIu64 "\n", f->pairs[p].runs);
    }
}

/* Of all pairs together: a histogram for each would be ten lines for each. */
static void put_histogram(const struct figures *f, struct buf *out)
{
    uint64_t n = 0;
    put_head(out, "run_seconds", "histogram", "How long runs took, all pairs together.");
    for (int i = 0; i < FIGURES_BUCKETS; i++) {
        n += f->run_counts[i];
        buf_printf(out, "syncline_run_seconds_bucket{le=\"%g\"} %" PRIu64 "\n", (double)figures_bounds_ms[i] / 1000, n);
    }
    n += f->run_counts[FIGURES_BUCKETS];
    buf_printf(out, "syncline_run_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\nsyncline_run_seconds_sum ", n);
    put_seconds(out, f->run_total_ms);
    buf_printf(out, "syncline_run_seconds_count %" PRIu64 "\n", n);
}

/* --- connections --- */

static int64_t up(const struct rate_view *v)
{
    return v->down_ms == 0;
}

static int64_t waits(const struct rate_view *v)
{
    return v->waits_ms;
}

static int64_t left(const struct rate_view *v)
{
    return v->left;
}

static int64_t limit(const struct rate_view *v)
{
    return v->limit;
}

static int64_t pace(const struct rate_view *v)
{
    return v->per_minute ? v->per_minute : -1;
}

static void put_connections(const struct metrics_connection *c, size_t n, struct buf *out)
{
    static const struct {
        const char *name, *help;
        int64_t (*of)(const struct rate_view *v); /* below zero: not known */
        bool seconds;
    } rows[] = {
        {"connection_up", "0 while its requests meet no good answer and it is left alone for a while.", up, false},
        {"connection_waits_seconds", "How long a pause lasts yet that the server asked for.", waits, true},
        {"connection_budget_left", "Requests left in the server's window, as it last said.", left, false},
        {"connection_budget_limit", "Requests in the server's window, as it last said.", limit, false},
        {"connection_per_minute", "How many requests a minute may leave now.", pace, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_head(out, rows[i].name, "gauge", rows[i].help);
        for (size_t k = 0; k < n; k++) {
            int64_t value = c[k].known ? rows[i].of(&c[k].view) : -1;
            if (value < 0)
                continue;
            put_series(out, rows[i].name, "connection", c[k].name);
            if (rows[i].seconds)
                buf_text(out, "} "), put_seconds(out, value);
            else
                buf_printf(out, "} %" PRId64 "\n", value);
        }
    }
}

static void put_requests(const struct metrics_connection *c, size_t n, struct buf *out)
{
    static const char *const outcomes[RATE_OUTCOMES] = {"well", "rejected", "refused", "fault"};
    put_head(out, "connection_requests_total", "counter",
             "HTTP requests by what became of them, since the machine began or the state was made.");
    for (size_t k = 0; k < n; k++)
        for (int i = 0; i < RATE_OUTCOMES && c[k].known; i++) {
            put_series(out, "connection_requests_total", "connection", c[k].name);
            buf_printf(out, ",outcome=\"%s\"} %" PRIu64 "\n", outcomes[i], c[k].view.outcomes[i]);
        }
}

/* Of every connection, so that an alert ends. */
static void put_runners(const struct metrics_connection *c, size_t n, struct buf *out)
{
    put_head(out, "connection_runner_deaths_total", "counter", "Processes of the connection's connector that died.");
    for (size_t k = 0; k < n; k++) {
        put_series(out, "connection_runner_deaths_total", "connection", c[k].name);
        buf_printf(out, "} %" PRIu64 "\n", c[k].runner_deaths);
    }
    put_head(out, "connection_parked", "gauge", "1 while it is left alone because its connector's process kept dying.");
    for (size_t k = 0; k < n; k++) {
        put_series(out, "connection_parked", "connection", c[k].name);
        buf_printf(out, "} %d\n", c[k].parked);
    }
}

/* --- the host --- */

static void put_host(const struct metrics_host *h, struct buf *out)
{
    const struct {
        const char *name, *type, *help;
        uint64_t value;
    } rows[] = {
        {"pairs", "gauge", "Pairs of the config, with their children.", h->pairs},
        {"workers", "gauge", "Worker processes.", h->workers},
        {"running", "gauge", "Pairs that run now.", h->running},
        {"worker_restarts_total", "counter", "Workers that died and were replaced.", h->worker_restarts},
        {"gateway_restarts_total", "counter", "Gateways that died and were replaced.", h->gateway_restarts},
        {"receiver_restarts_total", "counter", "Receivers of webhooks that died and were replaced.",
         h->receiver_restarts},
        {"config_reloads_total", "counter", "Configs taken in, the first one too.", h->reloads},
        {"config_refused", "gauge", "1 while an edited config is refused and the old one stays.", h->refused},
        {"start_time_seconds", "gauge", "When the daemon began, in seconds since 1970.", (uint64_t)h->started_s},
        {"supervisor_memory_bytes", "gauge", "Resident memory of the supervisor.", h->memory_bytes},
        {"state_free_bytes", "gauge", "What the disk under the state has left.", h->state_free_bytes},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_head(out, rows[i].name, rows[i].type, rows[i].help);
        buf_printf(out, "syncline_%s %" PRIu64 "\n", rows[i].name, rows[i].value);
    }
    put_head(out, "cpu_seconds_total", "counter", "CPU time of the supervisor and of the processes that it outlived.");
    buf_text(out, "syncline_cpu_seconds_total ");
    put_seconds(out, (int64_t)h->cpu_ms);
}

static void put_hooks(const struct figures *f, struct buf *out)
{
    put_head(out, "hooks_total", "counter", "Webhooks by connection and what became of them.");
    for (size_t i = 0; i < f->n_hooks; i++)
        for (int k = 1; k < DELIVERY_OUTCOMES; k++) {
            put_series(out, "hooks_total", "connection", f->hooks[i].connection);
            buf_printf(out, ",outcome=\"%s\"} %" PRIu64 "\n", delivery_outcome_names[k], f->hooks[i].counts[k]);
        }
    put_head(out, "hooks_stray_total", "counter", "Webhooks for connections that take none.");
    buf_printf(out, "syncline_hooks_stray_total %" PRIu64 "\n", f->stray_hooks);
}

void metrics_put(const struct figures *f, const struct metrics_host *h, const struct metrics_connection *connections,
                 size_t n_connections, int64_t now_ms, struct buf *out)
{
    put_host(h, out);
    put_numbers(f, out);
    put_writes(f, out);
    put_times(f, now_ms, out);
    put_state(f, out);
    put_histogram(f, out);
    put_connections(connections, n_connections, out);
    put_requests(connections, n_connections, out);
    put_runners(connections, n_connections, out);
    put_hooks(f, out);
}
