/* SPDX-License-Identifier: MIT */
/* figures.c - what the runs of each pair came to, as workers report it: for the log and for metrics. */
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

struct figure *figures_find(const struct figures *f, const char *name)
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

static struct figure begin(int64_t ran_ago_ms, int64_t now_ms)
{
    return (struct figure){
        .last_ms = -1, .due_ms = INT64_MAX, .fresh_ms = ran_ago_ms > 0 ? now_ms - ran_ago_ms : now_ms};
}

static void free_pairs(struct figures *f)
{
    for (size_t i = 0; i < f->n_pairs; i++)
        free_figure(&f->pairs[i]);
    mem_free(f->pairs);
}

void figures_set(struct figures *f, const char *const *names, const int64_t *ran_ago_ms, size_t n, int64_t now_ms)
{
    struct figure *pairs = mem_alloc((n + 1) * sizeof *pairs);
    for (size_t i = 0; i < n; i++) {
        struct figure *old = figures_find(f, names[i]);
        pairs[i] = old ? *old : begin(ran_ago_ms[i], now_ms);
        if (old) /* its texts have moved */
            old->error = old->message = NULL;
        pairs[i].name = mem_dup(names[i]);
    }
    qsort(pairs, n, sizeof *pairs, by_name);
    free_pairs(f);
    f->pairs = pairs;
    f->n_pairs = n;
}

static struct figure_hooks *find_hooks(const struct figures *f, const char *connection)
{
    for (size_t i = 0; i < f->n_hooks; i++)
        if (strcmp(f->hooks[i].connection, connection) == 0)
            return &f->hooks[i];
    return NULL;
}

static void free_hooks(struct figures *f)
{
    for (size_t i = 0; i < f->n_hooks; i++)
        mem_free(f->hooks[i].connection);
    mem_free(f->hooks);
}

void figures_set_hooks(struct figures *f, const char *const *connections, size_t n)
{
    struct figure_hooks *next = mem_alloc((n + 1) * sizeof(*next));
    for (size_t i = 0; i < n; i++) {
        const struct figure_hooks *old = find_hooks(f, connections[i]);
        next[i] = old ? *old : (struct figure_hooks){0};
        next[i].connection = mem_dup(connections[i]);
    }
    free_hooks(f);
    f->hooks = next;
    f->n_hooks = n;
}

void figures_count_hooks(struct figures *f, const char *connection, int outcome, uint64_t n)
{
    struct figure_hooks *h = find_hooks(f, connection);
    *(h ? &h->counts[outcome] : &f->stray_hooks) += n;
}

void figures_fini(struct figures *f)
{
    free_pairs(f);
    free_hooks(f);
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
        buf_printf(out, "[%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]", r->counts->conflicts,
                   r->counts->parked, r->counts->withheld, r->counts->pending, r->counts->in_step);
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
    uint64_t *const counts[] = {&p->conflicts, &p->parked, &p->withheld, &p->pending, &p->in_step};
    const struct json *node = list && json_type(list) == JSON_LIST ? json_first(list) : NULL;
    for (size_t i = 0; node && i < sizeof counts / sizeof *counts; i++, node = json_next(node)) {
        int64_t n = 0;
        *counts[i] = json_int(node, &n) && n > 0 ? (uint64_t)n : 0;
    }
}

const int64_t figures_bounds_ms[FIGURES_BUCKETS] = {5, 25, 100, 500, 2500, 10000, 60000, 300000, 1800000};

static void count_time(struct figures *f, struct figure *p, int64_t ms)
{
    int i = 0;
    while (i < FIGURES_BUCKETS && ms > figures_bounds_ms[i])
        i++;
    f->run_counts[i]++;
    f->run_total_ms += ms;
    p->total_ms += ms;
    p->last_ms = ms;
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

static void take(struct figures *f, struct figure *p, const struct json *root, int64_t now_ms,
                 struct figures_news *news)
{
    const char *error = text_of(root, "error");
    take_run(p, part(root, "report"), news);
    count_time(f, p, news->ms);
    take_counts(p, part(root, "waits"));
    news->mended = !error && p->error;
    news->error = replace(&p->error, error) ? p->error : NULL;
    news->message = replace(&p->message, text_of(root, "message")) ? p->message : NULL;
    if (error)
        p->failures++;
    else
        p->fresh_ms = now_ms - news->ms;
}

int figures_take(struct figures *f, const char *text, size_t n_bytes, int64_t now_ms, struct figures_news *news,
                 struct err *e)
{
    *news = (struct figures_news){0};
    struct json_doc *doc = json_parse(text, n_bytes, NULL, e);
    const char *name = doc ? text_of(json_root(doc), "pair") : NULL;
    struct figure *p = name ? figures_find(f, name) : NULL;
    if (doc && !name)
        err_set(e, ERR_INPUT, "a worker's report is none; it is ended, and its pair runs again");
    if (p) {
        news->pair = p->name;
        take(f, p, json_root(doc), now_ms, news);
    }
    json_free(doc);
    return e->code;
}
