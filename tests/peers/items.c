/* SPDX-License-Identifier: MIT */
/* items.c - one record read, created, changed, replaced, deleted; a batch of them; idempotency keys. */
#include <stdio.h>
#include <string.h>

#include "peer.h"

enum { DAY_MS = 86400000 };

static void put_etag(struct peer *p, struct request *q, const struct version *v, struct answer *a)
{
    if (p->profile->etags && !trait(p, KNOB_NO_VERSIONS))
        answer_header(a, "ETag", arena_printf(&q->memory, "\"v%llu\"", (unsigned long long)v->serial));
}

static void answer_record(struct peer *p, struct request *q, struct record *r, int status, struct answer *a)
{
    a->status = status;
    put_etag(p, q, record_now(r), a);
    if (trait(p, KNOB_NO_RECORD))
        buf_printf(&a->body, p->profile->numbers ? "{\"%s\":%s}" : "{\"%s\":\"%s\"}", p->profile->id, r->id);
    else
        put_record(p, r, record_now(r), &a->body);
}

static struct json_doc *read_body(const struct request *q, struct answer *a)
{
    struct err e = {0};
    struct json_doc *doc = q->body.size ? json_parse(q->body.data, q->body.size, NULL, &e) : NULL;
    if (!doc || json_type(json_root(doc)) < JSON_LIST)
        answer_error(a, 400, "the body is no JSON object or list");
    if (doc && json_type(json_root(doc)) >= JSON_LIST)
        return doc;
    json_free(doc);
    return NULL;
}

/* --- idempotency keys --- */

static struct promise *promise_of(struct peer *p, const char *key)
{
    int64_t kept_ms = trait(p, KNOB_KEYS_FORGOTTEN) ? trait(p, KNOB_KEYS_FORGOTTEN) : DAY_MS;
    for (size_t i = 0; key && i < p->n_promises; i++)
        if (strcmp(p->promises[i].key, key) == 0 && p->promises[i].at_ms + kept_ms > peer_now_ms(p))
            return &p->promises[i];
    return NULL;
}

static void promise_keep(struct peer *p, const char *key, const struct record *r, const struct answer *a)
{
    p->promises = mem_grow(p->promises, (p->n_promises + 1) * sizeof *p->promises);
    struct promise *m = &p->promises[p->n_promises++];
    *m = (struct promise){mem_dup(key), peer_now_ms(p), a->status, mem_dup(a->body.data), ""};
    snprintf(m->etag, sizeof m->etag, "\"v%llu\"", (unsigned long long)record_now(r)->serial);
}

static void promise_answer(struct peer *p, struct request *q, const struct promise *m, struct answer *a)
{
    p->counted.repeats++;
    a->status = m->status;
    buf_text(&a->body, m->body);
    answer_header(a, "Idempotency-Replayed", "true");
    if (p->profile->etags && !trait(p, KNOB_NO_VERSIONS))
        answer_header(a, "ETag", arena_text(&q->memory, m->etag)); /* sent when others may have moved the promises */
}

/* --- writing --- */

/* NULL with an answer: the key is another record's. */
static struct record *create(struct peer *p, const struct json *root, struct arena *m, struct answer *a)
{
    const struct json *key = p->profile->key ? json_get(root, p->profile->key) : NULL;
    const char *text = key && json_type(key) == JSON_STRING ? arena_text(m, json_text(key, NULL)) : NULL;
    if (text && record_by_key(p, text)) {
        answer_error(a, 409, "the key is taken");
        return NULL;
    }
    char *body = store_form(p, p->profile->defaults, root);
    struct record *r = record_new(p, NULL);
    record_change(p, r, body, false);
    mem_free(body);
    p->counted.creates++;
    return r;
}

static void serve_create(struct peer *p, struct request *q, struct answer *a)
{
    const char *key = p->profile->idempotent ? request_header(q, "Idempotency-Key") : NULL;
    const struct promise *m = promise_of(p, key);
    if (m) {
        promise_answer(p, q, m, a);
        return;
    }
    struct json_doc *doc = read_body(q, a);
    struct record *r = doc ? create(p, json_root(doc), &q->memory, a) : NULL;
    if (r) {
        answer_record(p, q, r, 201, a);
        answer_header(a, "Location", arena_printf(&q->memory, "%s/%s", p->profile->collection, r->id));
        if (key)
            promise_keep(p, key, r, a);
    }
    json_free(doc);
}

static bool precondition_fails(const struct peer *p, const char *match, const struct record *r)
{
    char now[40];
    if (!match || strcmp(match, "*") == 0 || !p->profile->etags || trait(p, KNOB_NO_VERSIONS))
        return false;
    snprintf(now, sizeof now, "\"v%llu\"", (unsigned long long)record_now(r)->serial);
    return strcmp(now, match) != 0;
}

static bool takes_key(struct peer *p, const struct json *root, const struct record *r)
{
    const struct json *key = p->profile->key ? json_get(root, p->profile->key) : NULL;
    const struct record *owner = key && json_type(key) == JSON_STRING ? record_by_key(p, json_text(key, NULL)) : NULL;
    return owner && owner != r;
}

static void serve_change(struct peer *p, struct request *q, struct record *r, bool whole, struct answer *a)
{
    struct json_doc *doc = read_body(q, a);
    if (!doc)
        return;
    if (precondition_fails(p, request_header(q, "If-Match"), r)) {
        answer_error(a, 412, "the record has changed");
    } else if (takes_key(p, json_root(doc), r)) {
        answer_error(a, 409, "the key is taken");
    } else {
        char *body = store_form(p, whole ? p->profile->defaults : record_now(r)->body, json_root(doc));
        record_change(p, r, body, false);
        mem_free(body);
        answer_record(p, q, r, 200, a);
    }
    json_free(doc);
}

static void serve_delete(struct peer *p, struct request *q, struct record *r, struct answer *a)
{
    if (precondition_fails(p, request_header(q, "If-Match"), r)) {
        answer_error(a, 412, "the record has changed");
        return;
    }
    record_change(p, r, record_now(r)->body, true);
    a->status = 204;
}

static void serve_read(struct peer *p, struct request *q, struct record *r, struct answer *a)
{
    const struct version *v = record_at(r, peer_now_ms(p) - trait(p, KNOB_STALE));
    if (!v || v->gone) {
        answer_error(a, 404, "no such record");
        return;
    }
    put_etag(p, q, v, a);
    put_record(p, r, v, &a->body);
}

/* --- a batch: [{"id": ..., members}], without an id a create; the answer is a list of {"status", "id"} --- */

static void batch_one(struct peer *p, const struct json *node, struct arena *m, struct buf *out)
{
    const struct json *id = json_get(node, p->profile->id);
    struct answer a = {.status = id ? 200 : 201};
    struct record *r = id ? record_find(p, json_text(id, NULL)) : create(p, node, m, &a);
    if (id && (!r || record_now(r)->gone)) {
        a.status = 404;
        r = NULL;
    } else if (id) {
        char *body = store_form(p, record_now(r)->body, node);
        record_change(p, r, body, false);
        mem_free(body);
    }
    buf_printf(out, "{\"status\":%d", a.status);
    if (r)
        buf_printf(out, ",\"%s\":\"%s\"", p->profile->id, r->id);
    buf_byte(out, '}');
    buf_fini(&a.body);
}

static void serve_batch(struct peer *p, struct request *q, struct answer *a)
{
    struct json_doc *doc = read_body(q, a);
    size_t n = doc ? json_count(json_root(doc)) : 0, most = (size_t)trait(p, KNOB_SMALL_BATCHES), done = 0;
    bool half = struck(p, KNOB_HALF_BATCH), short_of = struck(p, KNOB_OUTCOME_OUT);
    struct buf *outcomes = mem_alloc((n + 1) * sizeof *outcomes);
    if (most && n > most) {
        answer_error(a, 413, "too many records");
        goto out;
    }
    for (const struct json *node = doc ? json_first(json_root(doc)) : NULL; node && (!half || done < n / 2);
         node = json_next(node))
        batch_one(p, node, &q->memory, &outcomes[done++]);
    a->dropped = half;
    if (short_of && done)
        done--;
    if (doc)
        buf_byte(&a->body, '[');
    for (size_t i = 0; i < done; i++) {
        const struct buf *one = &outcomes[trait(p, KNOB_REORDERS) ? done - 1 - i : i];
        buf_printf(&a->body, "%s%s", i ? "," : "", one->data);
    }
    if (doc)
        buf_byte(&a->body, ']');
out:
    for (size_t i = 0; i < n; i++)
        buf_fini(&outcomes[i]);
    mem_free(outcomes);
    json_free(doc);
}

/* --- */

static void serve_one(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    struct record *r = record_find(p, id);
    if (!r || record_hidden(p, r) || (record_now(r)->gone && !is(q->method, "GET")))
        answer_error(a, 404, "no such record");
    else if (is(q->method, "GET"))
        serve_read(p, q, r, a);
    else if (is(q->method, "PATCH"))
        serve_change(p, q, r, false, a);
    else if (is(q->method, "PUT") && p->profile->puts)
        serve_change(p, q, r, true, a);
    else if (is(q->method, "DELETE") && p->profile->deletes)
        serve_delete(p, q, r, a);
    else
        answer_error(a, 405, "no such method here");
}

void items_serve(struct peer *p, struct request *q, struct answer *a)
{
    size_t n = strlen(p->profile->collection);
    bool in = strncmp(q->path, p->profile->collection, n) == 0, all = in && !q->path[n];
    if (all && is(q->method, "GET"))
        listing_serve(p, q, a);
    else if (all && is(q->method, "POST"))
        serve_create(p, q, a);
    else if (in && is(q->path + n, "/batch") && is(q->method, "POST") && p->profile->batches)
        serve_batch(p, q, a);
    else if (in && q->path[n] == '/')
        serve_one(p, q, q->path + n + 1, a);
    else
        answer_error(a, in ? 405 : 404, in ? "no such method here" : "no such path");
}
