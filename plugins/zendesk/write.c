/* SPDX-License-Identifier: MIT */
/* write.c - carrying out a batch on tickets: creates under a key, guarded updates, soft deletes; an outcome for each. */
#include <stdlib.h>
#include <string.h>

#include "zendesk.h"

/* From here on one job, its answer and one read cost less than a request for each. */
#define JOB_LEAST 8u

enum state { READY = 1, GOT, LOOK, BACK, TOLD };

/* One write of the batch. */
struct row {
    const struct sl_write *w;
    uint32_t index;
    enum state state;
    struct input in;
    const char *id; /* where it is known */
    struct object ticket; /* GOT: as the answer holds it */
};

struct batch {
    struct desk *d;
    struct row *rows;
    uint32_t n;
};

static void told(struct batch *b, struct row *r, uint32_t sl_class, const char *message)
{
    outcome_refused(b->d, r->index, sl_class, message);
    r->state = TOLD;
}

static void unsure(struct batch *b, struct row *r, const char *message)
{
    outcome_uncertain(b->d, r->index, message);
    r->state = TOLD;
}

static const char *name_of(struct batch *b, const struct row *r)
{
    return r->w->kind == SL_CREATE ? "a new ticket" : sl_pool_print(&b->d->call, "ticket %.40s", r->w->id);
}

bool ticket_applied(struct desk *d, uint32_t index, const char *id, const struct object *answer, bool read_back)
{
    struct told t;
    /* An answer of a few members is no ticket: what it leaves out would count as emptied. */
    if (!ticket_read(d, answer, &t) || (id && strcmp(t.id, id) != 0) || !doc_text(answer, "updated_at") ||
        !doc_text(answer, "status"))
        return false;
    struct sl_outcome o = {
        .size = sizeof(o), .index = index, .result = SL_APPLIED, .record = &t.record, .read_back = read_back};
    d->host->outcome(d->host->ctx, &o);
    return true;
}

/* --- before anything is sent --- */

static void prepare(struct batch *b, struct row *r)
{
    r->state = READY;
    r->id = r->w->id;
    if (r->w->kind < SL_CREATE || r->w->kind > SL_DELETE) {
        told(b, r, SL_UNSUPPORTED,
             "tickets of Zendesk are created, updated and deleted; nothing else can be done with them");
        return;
    }
    if (r->w->kind != SL_CREATE && !number_good(r->w->id)) {
        told(b, r, SL_GONE, "no ticket of Zendesk has such an id: unlink it");
        return;
    }
    if (r->w->kind == SL_DELETE)
        return;
    int rc = input_make(b->d, r->w, &r->in);
    if (rc == SL_OK)
        return;
    const char *why = sl_pool_print(&b->d->call, "%s: %s", name_of(b, r), r->in.why ? r->in.why : b->d->said);
    /* Of a repeat nobody knows yet whether it was carried out before. */
    if (r->w->kind == SL_CREATE && r->w->flags & SL_WRITE_REPEAT && rc != SL_REJECTED)
        unsure(b, r, why);
    else
        told(b, r, (uint32_t)rc, why);
}

/* The ticket that an earlier attempt left, if there is one: the key of a request is forgotten after two hours, this one is not. */
static void look_up(struct batch *b, struct row *r, bool must)
{
    struct object o, ticket;
    const char *at = NULL, *end = NULL;
    char *url = url_query(b->d, "/tickets?include=users", "external_id", r->w->correlation ? r->w->correlation : "");
    if (!r->w->correlation || ask_get(b->d, url, "looking for a ticket that may be there", &o) != SL_OK) {
        unsure(b, r, r->w->correlation ? b->d->said : "a create without a key cannot be looked up; look in Zendesk");
        return;
    }
    people_take(b->d, &o);
    if (doc_list(&o, "tickets", &at, &end))
        while (r->state != TOLD && doc_next_object(b->d, &at, end, &ticket)) {
            const char *key = doc_text(&ticket, "external_id");
            if (key && strcmp(key, r->w->correlation) == 0 && ticket_applied(b->d, r->index, NULL, &ticket, true))
                r->state = TOLD;
        }
    if (r->state != TOLD && must)
        unsure(b, r,
               "Zendesk knows this create by another content, and its ticket is not found yet; it is looked for again");
}

/* --- what was read before --- */

/* Whether the ticket in the answer is still the one that a write expects. */
static void compare(struct batch *b, const struct object *ticket)
{
    struct told t;
    if (!ticket_read(b->d, ticket, &t))
        return;
    for (uint32_t i = 0; i < b->n; i++) {
        struct row *r = &b->rows[i];
        const char *want = r->w->expected_version;
        if (r->state == READY && r->id && want && *want && strcmp(r->id, t.id) == 0 && !version_same(want, t.version))
            told(b, r, SL_CONFLICT, "the ticket was changed since it was read: it is read and planned again");
    }
}

/* The tickets of these rows, in one request. SL_OK, or a class told. */
static int show(struct batch *b, bool (*wanted)(const struct row *r), const char *what,
                void (*take)(struct batch *b, const struct object *ticket))
{
    struct sl_bytes list = {0};
    struct object o, ticket;
    const char *at = NULL, *end = NULL;
    for (uint32_t i = 0; i < b->n; i++)
        if (wanted(&b->rows[i])) {
            sl_bytes_text(&list, list.size ? "," : "");
            sl_bytes_text(&list, b->rows[i].id);
        }
    if (!list.size)
        return SL_OK;
    char *url = url_query(b->d, "/tickets/show_many?include=users,comment_count", "ids", list.data);
    sl_bytes_free(&list);
    int rc = ask_get(b->d, url, what, &o);
    if (rc != SL_OK || !doc_list(&o, "tickets", &at, &end))
        return rc;
    people_take(b->d, &o);
    while (doc_next_object(b->d, &at, end, &ticket))
        take(b, &ticket);
    return SL_OK;
}

static bool expects(const struct row *r)
{
    return r->state == READY && r->w->kind != SL_CREATE && r->w->expected_version && *r->w->expected_version;
}

/* safe_update compares whole seconds, and a delete takes no condition: the tickets are read right before, all at once. */
static void read_before(struct batch *b)
{
    int rc = show(b, expects, "reading tickets before they are written", compare);
    for (uint32_t i = 0; rc != SL_OK && i < b->n; i++)
        if (expects(&b->rows[i]))
            told(b, &b->rows[i], (uint32_t)rc, b->d->said);
}

/* --- deletes --- */

static int delete_one(struct batch *b, struct row *r)
{
    struct ask ask;
    const struct sl_http_response *a = NULL;
    ask_init(b->d, &ask, "DELETE", sl_pool_print(&b->d->call, "/tickets/%s", r->id));
    int rc = b->d->host->http(b->d->host->ctx, &ask.request, &a);
    if (rc != SL_OK)
        return rc;
    r->state = TOLD;
    if (a->end == SL_HTTP_ANSWERED && a->status == 204) {
        struct sl_outcome o = {.size = sizeof(o), .index = r->index, .result = SL_APPLIED};
        b->d->host->outcome(b->d->host->ctx, &o);
    } else {
        outcome_failed(b->d, r->index, a, name_of(b, r));
    }
    return SL_OK;
}

/* --- creates and updates --- */

static void take_answer(struct batch *b, struct row *r, const struct sl_http_response *a)
{
    struct object o;
    bool create = r->w->kind == SL_CREATE;
    bool other =
        a->end == SL_HTTP_ANSWERED && a->status == 400 && strcmp(answer_error(b->d, a), "IdempotentRequestError") == 0;
    bool both = a->end == SL_HTTP_ANSWERED && a->status == 409; /* its first sending is still under way */
    if (create && (other || both)) {
        r->state = LOOK;
    } else if (!answer_good(a)) {
        outcome_failed(b->d, r->index, a, name_of(b, r));
        r->state = TOLD;
    } else if (doc_object(b->d, a->body, a->body_bytes, &o, NULL) && doc_inner(b->d, &o, "ticket", &r->ticket)) {
        people_take(b->d, &o);
        r->state = GOT;
    } else if (create) {
        r->state = LOOK;
    } else { /* a success that is not Zendesk's: of a proxy, which may have kept the request to itself */
        unsure(b, r, "the answer does not hold the ticket, as if it were not Zendesk's: the ticket is read again");
    }
}

static int send(struct batch *b)
{
    const struct sl_http_response *answers = NULL;
    struct ask *asks = sl_pool_take(&b->d->call, (b->n + 1) * sizeof(*asks));
    struct row **sent = sl_pool_take(&b->d->call, (b->n + 1) * sizeof(struct row *));
    uint32_t n = 0, size = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        struct row *r = &b->rows[i];
        if (r->state != READY || r->w->kind == SL_DELETE)
            continue;
        bool create = r->w->kind == SL_CREATE;
        ask_init(b->d, &asks[n], create ? "POST" : "PUT",
                 create ? "/tickets?include=comment_count"
                        : sl_pool_print(&b->d->call, "/tickets/%s?include=comment_count", r->id));
        char *body = sl_pool_print(&b->d->call, "{\"ticket\":%s}", r->in.body);
        ask_body(&asks[n], body, strlen(body));
        asks[n].request.idempotency_key = create ? r->w->idempotency_key : NULL;
        sent[n++] = r;
    }
    if (!n)
        return SL_OK;
    int rc = b->d->host->http_many(b->d->host->ctx, &asks->request, n, sizeof(*asks), &answers, &size);
    for (uint32_t i = 0; i < n && rc == SL_OK; i++)
        take_answer(b, sent[i], answer_at(answers, size, i));
    return rc;
}

static int need_people(struct batch *b)
{
    int64_t *ids = sl_pool_take(&b->d->call, (b->n + 1) * 4 * sizeof(*ids));
    size_t n = 0;
    for (uint32_t i = 0; i < b->n; i++)
        for (int k = 0; b->rows[i].state == GOT && k < 4 && ticket_person(&b->rows[i].ticket, k) >= 0; k++)
            ids[n++] = ticket_person(&b->rows[i].ticket, k);
    return people_need(b->d, ids, n);
}

/* The id that a short answer tells, if only that. */
static void note_id(struct batch *b, struct row *r)
{
    int64_t id = 0;
    if (!r->id && doc_number(&r->ticket, "id", &id))
        r->id = sl_pool_print(&b->d->call, "%lld", (long long)id);
    r->state = r->id ? BACK : LOOK;
}

static void tell_got(struct batch *b)
{
    bool known = need_people(b) == SL_OK;
    for (uint32_t i = 0; i < b->n; i++) {
        struct row *r = &b->rows[i];
        if (r->state == GOT && known && ticket_applied(b->d, r->index, r->id, &r->ticket, false))
            r->state = TOLD;
        else if (r->state == GOT)
            note_id(b, r);
    }
}

/* --- reading back --- */

/* Carried out it is, whatever comes of the reading. */
static void not_read(struct batch *b, struct row *r)
{
    struct sl_outcome o = {.size = sizeof(o), .index = r->index, .result = SL_APPLIED};
    if (r->w->kind == SL_CREATE)
        unsure(b, r, "the ticket was created and cannot be read back");
    else
        b->d->host->outcome(b->d->host->ctx, &o);
    r->state = TOLD;
}

static void take_back(struct batch *b, const struct object *ticket)
{
    struct told t;
    if (!ticket_read(b->d, ticket, &t))
        return;
    for (uint32_t i = 0; i < b->n; i++) {
        struct row *r = &b->rows[i];
        if (r->state == BACK && strcmp(r->id, t.id) == 0 && ticket_applied(b->d, r->index, r->id, ticket, true))
            r->state = TOLD;
    }
}

static bool is_back(const struct row *r)
{
    return r->state == BACK;
}

static void read_back(struct batch *b)
{
    show(b, is_back, "reading what was written", take_back);
    for (uint32_t i = 0; i < b->n; i++)
        if (is_back(&b->rows[i]))
            not_read(b, &b->rows[i]);
}

/* --- */

static bool updates(const struct row *r)
{
    return r->state == READY && r->w->kind != SL_CREATE && r->w->kind != SL_DELETE;
}

/* Many updates go as one job; what it does not take goes one by one. */
static int send_job(struct batch *b)
{
    struct job_row *rows = sl_pool_take(&b->d->call, (b->n + 1) * sizeof(*rows));
    struct row **of = sl_pool_take(&b->d->call, (b->n + 1) * sizeof(struct row *));
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->n && n < MANY; i++)
        if (updates(&b->rows[i])) {
            rows[n] = (struct job_row){.id = b->rows[i].id, .body = b->rows[i].in.body};
            of[n++] = &b->rows[i];
        }
    if (n < JOB_LEAST)
        return SL_OK;
    int rc = job_run(b->d, rows, n);
    for (uint32_t i = 0; i < n; i++) {
        if (rows[i].end == JOB_DONE)
            of[i]->state = BACK;
        else if (rows[i].end == JOB_REFUSED)
            told(b, of[i], rows[i].sl_class, sl_pool_print(&b->d->call, "%s: %s", name_of(b, of[i]), rows[i].message));
        else if (rows[i].end == JOB_UNSURE)
            unsure(b, of[i], rows[i].message);
    }
    return rc;
}

int tickets_write(struct desk *d, const struct sl_batch *batch)
{
    struct batch b = {.d = d, .n = batch->n_writes};
    int rc = SL_OK;
    b.rows = sl_pool_take(&d->call, (b.n + 1) * sizeof(*b.rows));
    for (uint32_t i = 0; i < b.n; i++) {
        b.rows[i] = (struct row){.w = sl_write_at(batch, i), .index = i};
        prepare(&b, &b.rows[i]);
        if (b.rows[i].state == READY && b.rows[i].w->kind == SL_CREATE && b.rows[i].w->flags & SL_WRITE_REPEAT)
            look_up(&b, &b.rows[i], false);
    }
    read_before(&b);
    for (uint32_t i = 0; i < b.n && rc == SL_OK; i++)
        if (b.rows[i].state == READY && b.rows[i].w->kind == SL_DELETE)
            rc = delete_one(&b, &b.rows[i]);
    if (rc == SL_OK)
        rc = send_job(&b);
    if (rc == SL_OK)
        rc = send(&b);
    if (rc != SL_OK)
        return rc;
    tell_got(&b);
    for (uint32_t i = 0; i < b.n; i++)
        if (b.rows[i].state == LOOK)
            look_up(&b, &b.rows[i], true);
    read_back(&b);
    return SL_OK;
}
