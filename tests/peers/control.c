/* SPDX-License-Identifier: MIT */
/* control.c - what tests ask of the peer: faults, an outside edit or delete, the clock, all that it knows. */
#include <stdlib.h>
#include <string.h>

#include "peer.h"

static void set_knobs(struct peer *p, struct request *q, const struct json *root, struct answer *a)
{
    const char *wrong = knobs_set(p, root);
    if (wrong)
        answer_error(a, 400, arena_printf(&q->memory, "no such knob or value: %s", wrong));
}

static void calm(struct peer *p, struct request *q, const struct json *root, struct answer *a)
{
    (void)q, (void)root, (void)a;
    knobs_off(p);
}

static const char *id_of(struct peer *p, struct request *q, const struct json *root)
{
    const struct json *id = root ? json_get(root, p->profile->id) : NULL;
    return id ? arena_text(&q->memory, json_text(id, NULL)) : NULL;
}

/* Somebody else's edit: no fault strikes it. Without an id, or with a new one, a new record. */
static void put(struct peer *p, struct request *q, const struct json *root, struct answer *a)
{
    const char *id = id_of(p, q, root);
    struct record *r = id ? record_find(p, id) : NULL;
    char *body = store_form(p, r && !record_now(r)->gone ? record_now(r)->body : p->profile->defaults, root);
    if (!r) {
        r = record_new(p, id);
        r->outside = true;
    }
    record_change(p, r, body, false);
    mem_free(body);
    put_record(p, r, record_now(r), &a->body);
}

static void drop(struct peer *p, struct request *q, const struct json *root, struct answer *a)
{
    const char *id = id_of(p, q, root);
    struct record *r = id ? record_find(p, id) : NULL;
    if (!r || record_now(r)->gone)
        answer_error(a, 404, "no such record");
    else
        record_change(p, r, record_now(r)->body, true);
}

static void set_clock(struct peer *p, struct request *q, const struct json *root, struct answer *a)
{
    const struct json *n = json_get(root, "ahead_ms");
    int64_t ms = 0;
    (void)q;
    if (!n || !json_int(n, &ms)) {
        answer_error(a, 400, "give {\\\"ahead_ms\\\": n}");
        return;
    }
    p->ahead_ms += ms;
    buf_printf(&a->body, "{\"now_ms\":%lld}", (long long)peer_now_ms(p));
}

static void know(struct peer *p, struct request *q, const struct json *root, struct answer *a)
{
    (void)q;
    oauth_control(p, root, a);
}

/* --- all it knows --- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* How many records were created with each value of a member: more than one of a value is a double. */
static int64_t put_created(const struct peer *p, const char *member, struct buf *out)
{
    struct arena a = {0};
    size_t n = 0;
    int64_t doubles = 0;
    const char **values = arena_alloc(&a, (p->n_records + 1) * sizeof *values);
    for (size_t i = 0; member && i < p->n_records; i++) {
        const char *value = p->records[i]->outside ? NULL : body_text(p->records[i]->versions[0].body, member, &a);
        if (value)
            values[n++] = value;
    }
    qsort(values, n, sizeof *values, by_text);
    buf_byte(out, '{');
    for (size_t i = 0, same; i < n; i += same) {
        for (same = 1; i + same < n && strcmp(values[i], values[i + same]) == 0; same++)
            ;
        doubles += (int64_t)same - 1;
        json_put_key(out, values[i]);
        buf_printf(out, "%zu", same);
    }
    buf_byte(out, '}');
    arena_fini(&a);
    return doubles;
}

static void put_records(const struct peer *p, struct buf *out)
{
    buf_byte(out, '[');
    for (size_t i = 0; i < p->n_records; i++) {
        if (i)
            buf_byte(out, ',');
        put_record(p, p->records[i], record_now(p->records[i]), out);
    }
    buf_byte(out, ']');
}

static void put_struck(const struct peer *p, struct buf *out)
{
    buf_byte(out, '{');
    for (int i = 0; i < N_KNOBS; i++) {
        if (!p->knobs[i].struck)
            continue;
        json_put_key(out, knobs[i].name);
        buf_printf(out, "%lld", (long long)p->knobs[i].struck);
    }
    buf_byte(out, '}');
}

static void tell(struct peer *p, struct request *q, struct answer *a)
{
    const struct counters *c = &p->counted;
    const char *by = request_query(q, "by");
    const struct {
        const char *name;
        int64_t n;
    } rows[] = {{"now_ms", peer_now_ms(p)},
                {"requests", c->requests},
                {"with_credentials", c->with_credentials},
                {"reads", c->reads},
                {"lists", c->lists},
                {"writes", c->writes},
                {"creates", c->creates},
                {"repeats", c->repeats},
                {"tokens", c->tokens},
                {"unauthorized", c->unauthorized},
                {"late", c->late},
                {"waiting", (int64_t)p->n_late}};
    buf_byte(&a->body, '{');
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_put_key(&a->body, rows[i].name);
        buf_printf(&a->body, "%lld", (long long)rows[i].n);
    }
    json_put_key(&a->body, "created");
    int64_t doubles = put_created(p, by ? by : p->profile->key, &a->body);
    json_put_key(&a->body, "doubles");
    buf_printf(&a->body, "%lld", (long long)doubles);
    json_put_key(&a->body, "struck");
    put_struck(p, &a->body);
    json_put_key(&a->body, "records");
    put_records(p, &a->body);
    buf_byte(&a->body, '}');
}

static const struct {
    const char *path;
    void (*serve)(struct peer *p, struct request *q, const struct json *root, struct answer *a);
} orders[] = {
    {"/_peer/knobs", set_knobs}, {"/_peer/calm", calm},       {"/_peer/put", put},
    {"/_peer/delete", drop},     {"/_peer/clock", set_clock}, {"/_peer/credentials", know},
};

void peer_control(struct peer *p, struct request *q, struct answer *a)
{
    struct err e = {0};
    struct json_doc *doc = NULL;
    if (is(q->path, "/_peer/state")) {
        tell(p, q, a);
        return;
    }
    if (is(q->path, "/_peer/hooks")) {
        hooks_tell(p, a);
        return;
    }
    doc = json_parse(q->body.size ? q->body.data : "{}", q->body.size ? q->body.size : 2, NULL, &e);
    if (!doc || json_type(json_root(doc)) != JSON_OBJECT) {
        answer_error(a, 400, "the body is no JSON object");
        goto out;
    }
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (is(orders[i].path, q->path)) {
            orders[i].serve(p, q, json_root(doc), a);
            goto out;
        }
    const char *what = q->path + strlen("/_peer/");
    if (!p->profile->order || !p->profile->order(p, what, json_root(doc), a))
        answer_error(a, 404, "no such order");
out:
    json_free(doc);
}
