/* SPDX-License-Identifier: MIT */
/* figures.c - what the runs of each pair came to, as workers report it: for the log, and as Prometheus text. */
#include "daemon/figures.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static const char *const side_name[2] = {"a", "b"}, *const op_name[3] = {"create", "update", "delete"};

/* --- the pairs --- */

static int by_name(const void *x, const void *y)
{
    const struct figure *a = x, *b = y;
    return strcmp(a->name, b->name);
}

static struct figure *find(const struct figures *f, const char *name)
{
    struct figure key = {.name = (char *)(uintptr_t)name};
    return f->n_pairs ? bsearch(&key, f->pairs, f->n_pairs, sizeof key, by_name) : NULL;
}

static void free_figure(struct figure *p)
{
    mem_free(p->name);
    mem_free(p->error);
    mem_free(p->message);
}

void figures_set(struct figures *f, const char *const *names, size_t n)
{
    struct figures next = {mem_alloc((n + 1) * sizeof(struct figure)), n};
    for (size_t i = 0; i < n; i++) {
        struct figure *old = find(f, names[i]);
        next.pairs[i] = old ? *old : (struct figure){.last_ms = -1, .ended_ms = -1};
        if (old) /* its texts have moved */
            old->error = old->message = NULL;
        next.pairs[i].name = mem_dup(names[i]);
    }
    qsort(next.pairs, n, sizeof(*next.pairs), by_name);
    figures_fini(f);
    *f = next;
}

void figures_fini(struct figures *f)
{
    for (size_t i = 0; i < f->n_pairs; i++)
        free_figure(&f->pairs[i]);
    mem_free(f->pairs);
    *f = (struct figures){0};
}

/* --- reports --- */

void figures_put_report(struct buf *out, const struct figures_report *r)
{
    buf_byte(out, '{');
    json_put_text(out, "pair", r->pair);
    if (r->error)
        json_put_text(out, "error", r->error);
    if (r->run->message[0])
        json_put_text(out, "message", r->run->message);
    if (r->counts) {
        json_put_key(out, "waits");
        buf_printf(out, "[%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]", r->counts->conflicts, r->counts->parked,
                   r->counts->withheld);
    }
    json_put_key(out, "report");
    run_put_json(out, r->pair, r->run);
    buf_byte(out, '}');
}

static uint64_t number(const struct json *object, const char *key)
{
    const struct json *node = object && json_type(object) == JSON_OBJECT ? json_get(object, key) : NULL;
    int64_t n = 0;
    return node && json_int(node, &n) && n > 0 ? (uint64_t)n : 0;
}

static const struct json *part(const struct json *object, const char *key)
{
    return object && json_type(object) == JSON_OBJECT ? json_get(object, key) : NULL;
}

static const char *text_of(const struct json *object, const char *key)
{
    const struct json *node = part(object, key);
    return node && json_type(node) == JSON_STRING ? json_text(node, NULL) : NULL;
}

static void take_counts(struct figure *p, const struct json *list)
{
    uint64_t *const counts[] = {&p->conflicts, &p->parked, &p->withheld};
    const struct json *node = list && json_type(list) == JSON_LIST ? json_first(list) : NULL;
    for (size_t i = 0; node && i < sizeof counts / sizeof *counts; i++, node = json_next(node)) {
        int64_t n = 0;
        *counts[i] = json_int(node, &n) && n > 0 ? (uint64_t)n : 0;
    }
}

static void take_run(struct figure *p, const struct json *report, struct figures_news *news)
{
    const struct json *writes = part(report, "writes"), *calls = part(report, "calls");
    const char *run = text_of(report, "run");
    news->seen = number(report, "seen");
    news->ms = (int64_t)number(report, "ms");
    if (run && strlen(run) < sizeof news->run)
        strcpy(news->run, run);
    p->runs++;
    p->seen += news->seen;
    p->last_ms = news->ms;
    for (int s = 0; s < 2; s++) {
        p->calls[s] += number(calls, side_name[s]);
        for (int op = 0; op < 3; op++) {
            uint64_t n = number(part(writes, side_name[s]), op_name[op]);
            p->writes[s][op] += n;
            news->written += n;
        }
    }
}

/* True if it is something, and something else than before. */
static bool replace(char **kept, const char *text)
{
    bool news = text && (!*kept || strcmp(*kept, text) != 0);
    char *copy = text ? mem_dup(text) : NULL;
    mem_free(*kept);
    *kept = copy;
    return news;
}

static void take(struct figure *p, const struct json *root, int64_t now_ms, struct figures_news *news)
{
    const char *error = text_of(root, "error");
    take_run(p, part(root, "report"), news);
    take_counts(p, part(root, "waits"));
    news->mended = !error && p->error;
    news->error = replace(&p->error, error) ? p->error : NULL;
    news->message = replace(&p->message, text_of(root, "message")) ? p->message : NULL;
    if (error)
        p->failures++;
    else
        p->ended_ms = now_ms;
}

int figures_take(struct figures *f, const char *text, size_t n_bytes, int64_t now_ms, struct figures_news *news,
                 struct err *e)
{
    *news = (struct figures_news){0};
    struct json_doc *doc = json_parse(text, n_bytes, NULL, e);
    const char *name = doc ? text_of(json_root(doc), "pair") : NULL;
    struct figure *p = name ? find(f, name) : NULL;
    if (doc && !name)
        err_set(e, ERR_INPUT, "a worker's report is none; it is ended, and its pair runs again");
    if (p) {
        news->pair = p->name;
        take(p, json_root(doc), now_ms, news);
    }
    json_free(doc);
    return e->code;
}

/* --- Prometheus text --- */

static void put_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP syncline_%s %s\n# TYPE syncline_%s %s\n", name, help, name, type);
}

/* syncline_NAME{pair="…"; labels and value are the caller's. */
static void put_series(struct buf *out, const char *name, const char *pair)
{
    buf_printf(out, "syncline_%s{pair=\"", name);
    for (; *pair; pair++) {
        if (*pair == '"' || *pair == '\\')
            buf_byte(out, '\\');
        buf_byte(out, *pair);
    }
    buf_byte(out, '"');
}

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
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_head(out, rows[i].name, rows[i].type, rows[i].help);
        for (size_t p = 0; p < f->n_pairs; p++) {
            put_series(out, rows[i].name, f->pairs[p].name);
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
                put_series(out, "pair_written_total", f->pairs[p].name);
                buf_printf(out, ",side=\"%s\",op=\"%s\"} %" PRIu64 "\n", side_name[s], op_name[op],
                           f->pairs[p].writes[s][op]);
            }
    put_head(out, "pair_calls_total", "counter", "Calls of the connector by side.");
    for (size_t p = 0; p < f->n_pairs; p++)
        for (int s = 0; s < 2; s++) {
            put_series(out, "pair_calls_total", f->pairs[p].name);
            buf_printf(out, ",side=\"%s\"} %" PRIu64 "\n", side_name[s], f->pairs[p].calls[s]);
        }
}

static void put_times(const struct figures *f, int64_t now_ms, struct buf *out)
{
    put_head(out, "pair_last_run_seconds", "gauge", "How long the last run took.");
    for (size_t p = 0; p < f->n_pairs; p++)
        if (f->pairs[p].last_ms >= 0) {
            put_series(out, "pair_last_run_seconds", f->pairs[p].name);
            buf_printf(out, "} %.3f\n", (double)f->pairs[p].last_ms / 1000);
        }
    put_head(out, "pair_lag_seconds", "gauge", "Since the last run that came to its end.");
    for (size_t p = 0; p < f->n_pairs; p++)
        if (f->pairs[p].ended_ms >= 0) {
            put_series(out, "pair_lag_seconds", f->pairs[p].name);
            buf_printf(out, "} %.3f\n", (double)(now_ms - f->pairs[p].ended_ms) / 1000);
        }
}

static void put_host(const struct figures_host *h, struct buf *out)
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
        {"config_reloads_total", "counter", "Configs taken in, the first one too.", h->reloads},
        {"config_refused", "gauge", "1 while an edited config is refused and the old one stays.", h->refused},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_head(out, rows[i].name, rows[i].type, rows[i].help);
        buf_printf(out, "syncline_%s %" PRIu64 "\n", rows[i].name, rows[i].value);
    }
}

void figures_put_metrics(const struct figures *f, const struct figures_host *h, int64_t now_ms, struct buf *out)
{
    put_host(h, out);
    put_numbers(f, out);
    put_writes(f, out);
    put_times(f, now_ms, out);
}
