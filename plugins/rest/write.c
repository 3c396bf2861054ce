/* SPDX-License-Identifier: MIT */
/* write.c - carrying out a batch of writes: requests at once, an outcome for each, read back where the answer does not say. */
#include <stdlib.h>
#include <string.h>

#include "rest.h"

enum job_state { JOB_READY = 1, JOB_TOLD, JOB_READ_BACK };

/* One write of the batch. What it is sent with lives until the call returns. */
struct job {
    const struct sl_write *w;
    uint32_t index;
    enum job_state state;
    const char *url, *method, *if_match;
    const char *body;
    size_t body_bytes;
    const char *id; /* of the record to be read back */
};

struct batch {
    struct rest *r;
    const struct resource *res;
    struct job *jobs;
    uint32_t n;
    struct ask *asks;
    uint32_t *sent; /* which job each request is of */
    uint32_t n_sent;
};

static void tell(struct batch *b, struct job *j, const struct sl_outcome *o)
{
    struct sl_outcome full = *o;
    full.size = sizeof(full);
    full.index = j->index;
    j->state = JOB_TOLD;
    b->r->host->outcome(b->r->host->ctx, &full);
}

static void not_applied(struct batch *b, struct job *j, uint32_t sl_class, const char *message)
{
    tell(b, j, &(struct sl_outcome){.result = SL_NOT_APPLIED, .error_class = sl_class, .message = message});
}

static void uncertain(struct batch *b, struct job *j, const char *message)
{
    tell(b, j, &(struct sl_outcome){.result = SL_UNCERTAIN, .message = message});
}

/* --- what is sent --- */

static uint32_t copy_fields(const struct sl_value *fields, uint32_t n, uint32_t size, struct sl_value *out)
{
    for (uint32_t i = 0; i < n; i++)
        out[i] = *sl_value_at(fields, size, i);
    return n;
}

static void put_field(struct sl_value *fields, uint32_t *n, const struct sl_value *v)
{
    uint32_t i = 0;
    while (i < *n && strcmp(fields[i].name, v->name) != 0)
        i++;
    fields[i] = *v;
    *n += i == *n;
}

static void set_body(struct batch *b, struct job *j, const struct sl_value *fields, uint32_t n, const char *wrap)
{
    if (b->r->host->json_write(b->r->host->ctx, fields, n, sizeof(*fields), 0, &j->body, &j->body_bytes) != SL_OK) {
        not_applied(b, j, SL_REJECTED, "its fields cannot be written as JSON; look at their values");
        return;
    }
    j->body = doc_wrap(b->r, wrap, j->body, &j->body_bytes);
}

/* The members of an object of the config, a text "{version}" being the version. Returns how many fields there are then. */
static uint32_t put_object(struct batch *b, const char *object, const char *version, struct sl_value *fields,
                           uint32_t n, uint32_t room)
{
    const struct sl_value *own = NULL;
    const char *why = NULL;
    uint32_t n_own = 0, size = 0;
    if (object)
        b->r->host->json_read(b->r->host->ctx, object, strlen(object), &own, &n_own, &size, &why);
    for (uint32_t i = 0; i < n_own && n < room; i++) {
        struct sl_value v = *sl_value_at(own, size, i);
        if (version && v.type == SL_STRING && strcmp(v.text, "{version}") == 0) {
            v.text = version;
            v.text_size = strlen(version);
        }
        put_field(fields, &n, &v);
    }
    return n;
}

static void prepare_create(struct batch *b, struct job *j)
{
    const struct creating *c = &b->res->create;
    uint32_t room = j->w->n_fields + 1 + OBJECT_MAX;
    struct sl_value *fields = sl_pool_take(&b->r->call, room * sizeof(*fields));
    uint32_t n = put_object(b, c->set, NULL, fields, 0, OBJECT_MAX);
    for (uint32_t i = 0; i < j->w->n_fields; i++)
        put_field(fields, &n, sl_value_at(j->w->fields, j->w->field_size, i));
    if (b->res->external_key.given && j->w->correlation)
        put_field(fields, &n,
                  &(struct sl_value){.name = b->res->external_key.field + 1,
                                     .type = SL_STRING,
                                     .text = j->w->correlation,
                                     .text_size = strlen(j->w->correlation)});
    j->method = "POST";
    j->url = url_path(b->r, c->path, NULL);
    set_body(b, j, fields, n, c->wrap);
}

static void set_update(struct batch *b, struct job *j, const struct sl_value *old, uint32_t n_old, uint32_t old_size)
{
    const struct guard *g = &b->res->update.guard;
    const char *version = j->w->expected_version;
    uint32_t room = n_old + j->w->n_fields + OBJECT_MAX;
    struct sl_value *fields = sl_pool_take(&b->r->call, room * sizeof(*fields));
    uint32_t n = copy_fields(old, n_old, old_size, fields);
    for (uint32_t i = 0; i < j->w->n_fields; i++)
        put_field(fields, &n, sl_value_at(j->w->fields, j->w->field_size, i));
    if (g->type == GUARD_BODY_STAMP && version && *version)
        n = put_object(b, g->fields, version, fields, n, room);
    set_body(b, j, fields, n, b->res->update.wrap);
}

static void prepare_update(struct batch *b, struct job *j)
{
    const struct updating *u = &b->res->update;
    j->method = u->method == UPDATE_PUT ? "PUT" : "PATCH";
    j->url = url_path(b->r, u->path, j->w->id);
    if (u->guard.type == GUARD_IF_MATCH)
        j->if_match = j->w->expected_version;
    if (j->url && u->method == UPDATE_PATCH)
        set_update(b, j, NULL, 0, sizeof(struct sl_value));
}

static bool closes(const struct batch *b, const struct job *j)
{
    return (j->w->kind == SL_DELETE || j->w->kind == SL_ARCHIVE) && b->res->del.mode == DELETE_CLOSE;
}

static void set_close(struct batch *b, struct job *j, const struct sl_value *old, uint32_t n_old, uint32_t old_size)
{
    const struct deleting *d = &b->res->del;
    uint32_t room = n_old + OBJECT_MAX;
    struct sl_value *fields = sl_pool_take(&b->r->call, room * sizeof(*fields));
    uint32_t n = d->method == BY_PUT ? copy_fields(old, n_old, old_size, fields) : 0;
    n = put_object(b, d->set, NULL, fields, n, room);
    set_body(b, j, fields, n, d->wrap);
}

static void prepare_delete(struct batch *b, struct job *j)
{
    static const char *const methods[] = {
        [BY_DELETE] = "DELETE", [BY_PATCH] = "PATCH", [BY_PUT] = "PUT", [BY_POST] = "POST"};
    int64_t usual = b->res->del.mode == DELETE_CLOSE ? BY_PATCH : BY_DELETE;
    j->method = methods[b->res->del.method ? b->res->del.method : usual];
    j->url = url_path(b->r, b->res->del.path, j->w->id);
    if (b->res->update.guard.type == GUARD_IF_MATCH)
        j->if_match = j->w->expected_version;
}

static void prepare(struct batch *b, struct job *j)
{
    const struct resource *res = b->res;
    bool offered = (j->w->kind == SL_CREATE && res->create.given) || (j->w->kind == SL_UPDATE && res->update.given) ||
                   (j->w->kind == SL_DELETE && res->del.mode == DELETE_DELETE) || closes(b, j);
    j->state = JOB_READY;
    j->id = j->w->id;
    if (!offered) {
        not_applied(b, j, SL_UNSUPPORTED, "the config of this resource does not offer that kind of write; add it");
        return;
    }
    if (j->w->kind == SL_CREATE)
        prepare_create(b, j);
    else if (j->w->kind == SL_UPDATE)
        prepare_update(b, j);
    else
        prepare_delete(b, j);
    if (j->state == JOB_READY && !j->url)
        not_applied(b, j, SL_REJECTED, "its id cannot stand in a path; give it another");
    j->if_match = j->if_match && *j->if_match ? j->if_match : NULL;
}

static struct ask *ask_for(struct batch *b, uint32_t job, const char *method, const char *url)
{
    struct ask *a = &b->asks[b->n_sent];
    b->sent[b->n_sent++] = job;
    ask_init(b->r, a, method, url);
    return a;
}

/* Sends what was asked for and hands each answer to its job. */
static int send(struct batch *b, void (*take)(struct batch *b, struct job *j, const struct sl_http_response *a))
{
    const struct sl_http_response *answers = NULL;
    uint32_t size = 0, n = b->n_sent;
    b->n_sent = 0;
    if (n == 0)
        return SL_OK;
    int rc = b->r->host->http_many(b->r->host->ctx, &b->asks->request, n, sizeof(*b->asks), &answers, &size);
    for (uint32_t i = 0; i < n && rc == SL_OK; i++)
        take(b, &b->jobs[b->sent[i]], (const void *)((const char *)(const void *)answers + (size_t)size * i));
    return rc;
}

/* An answer of a few members is no record: what it leaves out would count as emptied. */
static bool covers(const struct sl_record *r, const struct sl_write *w)
{
    for (uint32_t i = 0; i < w->n_fields; i++) {
        const struct sl_value *v = sl_value_at(w->fields, w->field_size, i);
        uint32_t f = 0;
        while (f < r->n_fields && strcmp(sl_value_at(r->fields, r->field_size, f)->name, v->name) != 0)
            f++;
        if (f == r->n_fields && v->type != SL_NULL)
            return false;
    }
    return true;
}

static bool tell_applied(struct batch *b, struct job *j, const char *text, size_t n_bytes, const char *etag,
                         bool read_back)
{
    struct told t;
    if (!record_read(b->r, b->res, text, n_bytes, etag, &t) || (j->id && strcmp(j->id, t.id) != 0))
        return false;
    if (!read_back && !covers(&t.record, j->w))
        return false;
    tell(b, j, &(struct sl_outcome){.result = SL_APPLIED, .record = &t.record, .read_back = read_back});
    return true;
}

/* --- PUT replaces the whole record, and a record is closed but once: what is there is read, and the changes laid over it --- */

static struct sl_value record_of(struct batch *b, const struct sl_http_response *a, const char *pointer)
{
    struct sl_value body;
    if (!doc_read(b->r, a->body, a->body_bytes, &body, NULL))
        return (struct sl_value){.type = SL_ABSENT};
    struct sl_value v = doc_at(b->r, &body, pointer);
    return v.type == SL_JSON && v.text[0] == '{' ? v : (struct sl_value){.type = SL_ABSENT};
}

/* A read that failed wrote nothing. */
static void read_failed(struct batch *b, struct job *j, const struct sl_http_response *a)
{
    char said[SAID_ROOM];
    uint32_t sl_class = a->end == SL_HTTP_NOT_SENT || a->end == SL_HTTP_NO_ANSWER ? SL_RETRY : a->advice;
    answer_said(a, "reading the record before it is written", said);
    not_applied(b, j, sl_class ? sl_class : SL_BROKEN, said);
}

static void merge(struct batch *b, struct job *j, const struct sl_http_response *a)
{
    const struct sl_value *old = NULL;
    const char *why = NULL, *etag = answer_header(a, "etag");
    uint32_t n = 0, size = 0;
    struct told t;
    if (!answer_good(a, NULL)) {
        read_failed(b, j, a);
        return;
    }
    struct sl_value v = record_of(b, a, b->res->get.record);
    if (v.type == SL_ABSENT || !record_read(b->r, b->res, v.text, v.text_size, etag, &t) || strcmp(t.id, j->id) != 0) {
        not_applied(b, j, SL_BROKEN, "the server's answer does not hold the record to be written; correct get");
        return;
    }
    if (t.deleted) {
        not_applied(b, j, SL_GONE, "the record counts as deleted already: its deletion is taken over");
        return;
    }
    const char *want = j->w->expected_version;
    if (want && *want && strcmp(want, t.version) != 0) {
        not_applied(b, j, SL_CONFLICT, "the record was changed since it was read: it is read and planned again");
        return;
    }
    if (b->res->update.guard.type == GUARD_IF_MATCH && t.version[0])
        j->if_match = sl_pool_dup(&b->r->call, t.version, strlen(t.version));
    if (j->w->kind == SL_UPDATE && !j->w->n_fields) {
        tell_applied(b, j, v.text, v.text_size, etag, true);
        return;
    }
    if (j->w->kind != SL_UPDATE || b->res->update.method == UPDATE_PUT)
        b->r->host->json_read(b->r->host->ctx, v.text, v.text_size, &old, &n, &size, &why);
    (closes(b, j) ? set_close : set_update)(b, j, old, n, size);
}

/* A request with no changes might still count as one, and one to a closed record is carried out as if it were there. */
static bool reads_first(const struct batch *b, const struct job *j)
{
    bool nothing = !j->w->n_fields, may_be_closed = b->res->del.mode == DELETE_CLOSE && !j->if_match;
    if (j->w->kind == SL_UPDATE)
        return nothing || may_be_closed || b->res->update.method == UPDATE_PUT;
    return closes(b, j);
}

static int read_merge(struct batch *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        struct job *j = &b->jobs[i];
        if (j->state == JOB_READY && reads_first(b, j))
            ask_for(b, i, "GET", url_path(b->r, b->res->get.path, j->id));
    }
    return send(b, merge);
}

/* --- what came of it --- */

/* May the write have been carried out all the same? */
static bool doubtful(const struct sl_http_response *a)
{
    bool silent = a->end == SL_HTTP_NO_ANSWER || a->end == SL_HTTP_REFUSED;
    bool passing = a->advice == SL_RETRY && (a->status == 408 || a->status >= 500);
    /* A success that the config does not list, or a status of its own invention. */
    bool odd = (a->status >= 200 && a->status <= 299) || a->status >= 600 || a->status < 200;
    return silent || (a->end == SL_HTTP_ANSWERED && (passing || odd));
}

static void tell_failure(struct batch *b, struct job *j, const struct sl_http_response *a)
{
    char said[SAID_ROOM], what[SAID_ROOM];
    snprintf(what, sizeof(what), "%s %.300s", j->method, j->url);
    answer_said(a, what, said);
    if (doubtful(a)) {
        uncertain(b, j, said);
        return;
    }
    uint32_t sl_class = a->end == SL_HTTP_NOT_SENT ? SL_RETRY : a->advice;
    tell(b, j,
         &(struct sl_outcome){.result = SL_NOT_APPLIED,
                              .error_class = sl_class ? sl_class : SL_BROKEN,
                              .message = said,
                              .retry_after_ms = a->retry_after_ms});
}

/* Does the answer warn that not all was taken? */
static bool warned(struct batch *b, const struct sl_http_response *a, const char *pointer)
{
    struct sl_value body;
    if (!pointer || !doc_read(b->r, a->body, a->body_bytes, &body, NULL))
        return false;
    struct sl_value v = doc_at(b->r, &body, pointer);
    bool empty = v.type == SL_JSON && v.text_size == 2;
    return v.type != SL_ABSENT && v.type != SL_NULL && !empty;
}

/* The id that the answer to a create tells, if only that. */
static void note_id(struct batch *b, struct job *j, const struct sl_value *v)
{
    struct told t;
    if (!j->id && v->type == SL_JSON && record_read(b->r, b->res, v->text, v->text_size, NULL, &t))
        j->id = sl_pool_dup(&b->r->call, t.id, strlen(t.id));
}

static void judge(struct batch *b, struct job *j, const struct sl_http_response *a)
{
    const struct resource *res = b->res;
    bool create = j->w->kind == SL_CREATE;
    const struct statuses *ok = create ? &res->create.ok : j->w->kind == SL_UPDATE ? &res->update.ok : &res->del.ok;
    if (!answer_good(a, ok)) {
        tell_failure(b, j, a);
        return;
    }
    if (j->w->kind == SL_DELETE || j->w->kind == SL_ARCHIVE) {
        tell(b, j, &(struct sl_outcome){.result = SL_APPLIED});
        return;
    }
    bool look = (create ? res->create.read_back : res->update.read_back) ||
                warned(b, a, create ? res->create.warnings : res->update.warnings);
    struct sl_value v = record_of(b, a, create ? res->create.record : res->update.record);
    if (!look && v.type == SL_JSON && tell_applied(b, j, v.text, v.text_size, answer_header(a, "etag"), false))
        return;
    note_id(b, j, &v);
    if (j->id && res->get.given)
        j->state = JOB_READ_BACK;
    else
        uncertain(b, j, "the server took the record and did not say under which id; correct create.record");
}

/* Carried out it is, whatever comes of the reading. */
static void take_back(struct batch *b, struct job *j, const struct sl_http_response *a)
{
    struct sl_value v = {.type = SL_ABSENT};
    if (answer_good(a, NULL))
        v = record_of(b, a, b->res->get.record);
    if (v.type == SL_JSON && tell_applied(b, j, v.text, v.text_size, answer_header(a, "etag"), true))
        return;
    if (j->w->kind == SL_CREATE)
        uncertain(b, j, "the record was created and cannot be read back");
    else
        tell(b, j, &(struct sl_outcome){.result = SL_APPLIED});
}

static int send_writes(struct batch *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        struct job *j = &b->jobs[i];
        if (j->state != JOB_READY)
            continue;
        struct ask *a = ask_for(b, i, j->method, j->url);
        a->request.body = j->body;
        a->request.body_bytes = j->body_bytes;
        if (j->body)
            ask_header(a, "Content-Type", "application/json");
        if (j->if_match)
            ask_header(a, "If-Match", j->if_match);
        if (j->w->kind == SL_CREATE && b->res->create.idempotency_header && j->w->idempotency_key) {
            ask_header(a, b->res->create.idempotency_header, j->w->idempotency_key);
            a->request.repeatable = 1;
        }
    }
    return send(b, judge);
}

static int read_backs(struct batch *b)
{
    for (uint32_t i = 0; i < b->n; i++)
        if (b->jobs[i].state == JOB_READ_BACK)
            ask_for(b, i, "GET", url_path(b->r, b->res->get.path, b->jobs[i].id));
    return send(b, take_back);
}

int rest_write(void *session, const struct sl_batch *batch)
{
    struct rest *r = session;
    sl_pool_free(&r->call);
    struct batch b = {.r = r, .res = resource_find(r, batch->object), .n = batch->n_writes};
    if (!b.res)
        return SL_CONFIG;
    b.jobs = sl_pool_take(&r->call, (b.n + 1) * sizeof(*b.jobs));
    b.asks = sl_pool_take(&r->call, (b.n + 1) * sizeof(*b.asks));
    b.sent = sl_pool_take(&r->call, (b.n + 1) * sizeof(*b.sent));
    for (uint32_t i = 0; i < b.n; i++) {
        b.jobs[i].w = sl_write_at(batch, i);
        b.jobs[i].index = i;
        prepare(&b, &b.jobs[i]);
    }
    int rc = read_merge(&b);
    if (rc == SL_OK)
        rc = send_writes(&b);
    return rc == SL_OK ? read_backs(&b) : rc;
}
