/* SPDX-License-Identifier: MIT */
/* zendesk_tickets.c - the profile zendesk's tickets: read, listed by external_id, created once a key, changed, soft deleted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "zendesk.h"

enum { KEY_LIFE_MS = 2 * 3600 * 1000, BODY_MOST = 65535 };

int64_t zd_number(const char *body, const char *member)
{
    struct arena m = {0};
    const char *text = body_text(body, member, &m);
    int64_t n = text ? strtoll(text, NULL, 10) : 0;
    arena_fini(&m);
    return n;
}

/* System updates do not move updated_at. */
static int64_t updated_ms(const struct record *r, const struct version *v)
{
    while (v->unseen && v > r->versions)
        v--;
    return v->at_ms;
}

static void put_members(const struct version *v, struct buf *out)
{
    struct err e = {0};
    struct json_doc *doc = json_parse(v->body, strlen(v->body), NULL, &e);
    for (const struct json *n = json_first(json_root(doc)); n; n = json_next(n)) {
        json_put_key(out, json_key(n));
        if (v->gone && is(json_key(n), "status"))
            buf_text(out, "\"deleted\"");
        else
            json_put_node(out, n);
        if (!is(json_key(n), "custom_fields"))
            continue;
        json_put_key(out, "fields"); /* the same again */
        json_put_node(out, n);
    }
    json_free(doc);
}

void zd_put_ticket(struct peer *p, struct request *q, const struct record *r, const struct version *v, struct buf *out)
{
    const char *host = request_header(q, "Host"), *include = request_query(q, "include");
    buf_printf(out, "{\"id\":%s,\"url\":\"http://%s/api/v2/tickets/%s.json\"", r->id, host ? host : "127.0.0.1", r->id);
    json_put_key(out, "created_at");
    put_time(p, r->created_ms, out);
    json_put_key(out, "updated_at");
    put_time(p, updated_ms(r, v), out);
    buf_printf(out, ",\"generated_timestamp\":%lld", (long long)(v->at_ms / 1000));
    put_members(v, out);
    if (include && strstr(include, "comment_count"))
        buf_printf(out, ",\"comment_count\":%zu", zd_comment_count(p, r->id));
    buf_byte(out, '}');
}

/* --- reading --- */

static const struct version *seen(struct peer *p, const struct record *r)
{
    const struct version *v = r && !record_hidden(p, r) ? record_at(r, peer_now_ms(p) - trait(p, KNOB_STALE)) : NULL;
    return v && !v->gone ? v : NULL;
}

void zd_ticket(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    struct record *r = record_find(p, id);
    const struct version *v = seen(p, r);
    if (!v) {
        zd_error(a, 404, "RecordNotFound", "Not found");
        return;
    }
    buf_text(&a->body, "{\"ticket\":");
    zd_put_ticket(p, q, r, v, &a->body);
    zd_put_users(p, q, &a->body);
    buf_byte(&a->body, '}');
}

static void list(struct peer *p, struct request *q, const char *name, struct answer *a,
                 bool (*wanted)(struct peer *p, const struct record *r, const struct version *v, const char *what),
                 const char *what)
{
    int64_t at_ms = peer_now_ms(p) - trait(p, KNOB_INDEX_LAG);
    size_t n = 0;
    p->counted.lists++;
    buf_printf(&a->body, "{\"%s\":[", name);
    for (size_t i = 0; i < p->n_records; i++) {
        const struct record *r = p->records[i];
        const struct version *v = record_at(r, at_ms);
        if (!v || v->gone || record_hidden(p, r) || !wanted(p, r, v, what))
            continue;
        buf_text(&a->body, n++ ? "," : "");
        zd_put_ticket(p, q, r, v, &a->body);
    }
    buf_byte(&a->body, ']');
}

static bool with_key(struct peer *p, const struct record *r, const struct version *v, const char *key)
{
    struct arena m = {0};
    const char *archived = body_text(v->body, "archived", &m);
    bool is_archived = is(archived, "true");
    (void)p, (void)r;
    arena_fini(&m);
    return !is_archived && (!key || is(v->key, key));
}

/* Archived ones are in no list. */
void zd_tickets(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    (void)id;
    list(p, q, "tickets", a, with_key, request_query(q, "external_id"));
    zd_put_meta(&a->body, false, 0);
    zd_put_users(p, q, &a->body);
    buf_byte(&a->body, '}');
}

static bool in_query(struct peer *p, const struct record *r, const struct version *v, const char *query)
{
    const char *key = query ? strstr(query, "external_id:") : NULL;
    (void)p, (void)r;
    return key && is(v->key, key + strlen("external_id:"));
}

void zd_search(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    (void)id;
    list(p, q, "results", a, in_query, request_query(q, "query"));
    zd_put_users(p, q, &a->body);
    buf_text(&a->body, ",\"next_page\":null}");
}

static bool listed(struct peer *p, const struct record *r, const struct version *v, const char *ids)
{
    char *end = NULL;
    (void)p, (void)v;
    for (const char *at = ids; at && *at; at = *end ? end + 1 : end)
        if (strtoll(at, &end, 10) == strtoll(r->id, NULL, 10))
            return true;
    return false;
}

void zd_show_many(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    (void)id;
    list(p, q, "tickets", a, listed, request_query(q, "ids"));
    p->counted.lists--;
    zd_put_users(p, q, &a->body);
    buf_byte(&a->body, '}');
}

/* --- writing --- */

struct json_doc *zd_body(struct request *q, const char *member, const struct json **inner, struct answer *a)
{
    struct err e = {0};
    struct json_doc *doc = q->body.size ? json_parse(q->body.data, q->body.size, NULL, &e) : NULL;
    *inner = doc && json_type(json_root(doc)) == JSON_OBJECT ? json_get(json_root(doc), member) : NULL;
    if (!*inner)
        zd_bad(a, "BadRequest", "The request body is not what is expected");
    if (!*inner) {
        json_free(doc);
        return NULL;
    }
    return doc;
}

static bool one_of(const char *text, const char *words)
{
    char needle[40];
    snprintf(needle, sizeof needle, " %.30s ", text);
    return strstr(words, needle) != NULL;
}

static const struct {
    const char *member, *words; /* words: the allowed values */
} members[] = {
    {"subject", NULL},
    {"raw_subject", NULL},
    {"priority", " urgent high normal low "},
    {"status", " new open pending hold solved closed "},
    {"type", " problem incident question task "},
    {"due_at", NULL},
    {"requester_id", NULL},
    {"submitter_id", NULL},
    {"assignee_id", NULL},
    {"group_id", NULL},
    {"organization_id", NULL},
    {"brand_id", NULL},
    {"ticket_form_id", NULL},
    {"external_id", NULL},
    {"problem_id", NULL},
    {"recipient", NULL},
    {"custom_status_id", NULL},
};

static bool valid_word(const struct json *node, const char *words, struct answer *a)
{
    if (!words || json_type(node) == JSON_NULL || (json_text(node, NULL) && one_of(json_text(node, NULL), words)))
        return true;
    zd_invalid(a, json_key(node), "is not included in the list");
    return false;
}

static bool valid_people(struct peer *p, const struct json *input, struct answer *a)
{
    const struct json *assignee = json_get(input, "assignee_id"), *requester = json_get(input, "requester_id");
    int64_t id = 0;
    struct zd_user *u = assignee && json_int(assignee, &id) ? zd_find_user(p, id) : NULL;
    if (assignee && json_type(assignee) != JSON_NULL && (!u || is(u->role, "end-user"))) {
        zd_invalid(a, "assignee", "Assignee: is not an agent");
        return false;
    }
    if (requester && (!json_int(requester, &id) || !zd_find_user(p, id))) {
        zd_invalid(a, "requester", "Requester: is not a user of this account");
        return false;
    }
    return true;
}

static void put_tags(const struct json *tags, struct buf *out)
{
    size_t n = 0;
    json_put_key(out, "tags");
    buf_byte(out, '[');
    for (const struct json *t = json_first(tags); t; t = json_next(t)) {
        char lower[200] = "";
        for (size_t i = 0; json_text(t, NULL) && json_text(t, NULL)[i] && i + 1 < sizeof lower; i++)
            lower[i] = (char)(json_text(t, NULL)[i] >= 'A' && json_text(t, NULL)[i] <= 'Z' ? json_text(t, NULL)[i] + 32
                                                                                           : json_text(t, NULL)[i]);
        buf_text(out, n++ ? "," : "");
        json_put_string(out, lower, strlen(lower));
    }
    buf_byte(out, ']');
}

static void put_number(struct buf *out, const char *name, int64_t n)
{
    json_put_key(out, name);
    buf_printf(out, "%lld", (long long)n);
}

/* A status of its own belongs to a category: either sets the other, and both must agree. */
static bool put_statuses(const struct json *input, struct buf *out, struct answer *a)
{
    const struct json *status = json_get(input, "status"), *custom = json_get(input, "custom_status_id");
    int64_t id = 0;
    const char *category = custom && json_int(custom, &id) ? zd_category(id) : NULL;
    if (custom && (!category || (status && !is(category, json_text(status, NULL))))) {
        zd_invalid(a, "custom_status_id", "is invalid for the given status");
        return false;
    }
    if (custom && !status) {
        json_put_key(out, "status");
        json_put_string(out, category, strlen(category));
    }
    if (status && !custom)
        put_number(out, "custom_status_id", zd_default_status(json_text(status, NULL)));
    return true;
}

static bool put_input(struct peer *p, const struct json *old, const struct json *input, struct buf *out,
                      struct arena *m, struct answer *a)
{
    const struct json *tags = json_get(input, "tags"), *customs = json_get(input, "custom_fields");
    buf_byte(out, '{');
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const struct json *n = json_get(input, members[i].member);
        if (n && !valid_word(n, members[i].words, a))
            return false;
        if (n) {
            json_put_key(out, members[i].member);
            json_put_node(out, n);
        }
    }
    if (!valid_people(p, input, a) || !put_statuses(input, out, a))
        return false;
    if (tags && json_type(tags) == JSON_LIST)
        put_tags(tags, out);
    if (customs) {
        const char *merged = zd_merge_custom(json_get(old, "custom_fields"), customs, m, a);
        if (!merged)
            return false;
        json_put_key(out, "custom_fields");
        buf_text(out, merged);
    }
    return true;
}

/* The body of a ticket with the input laid over it; NULL: refused. To be freed. */
static char *store(struct peer *p, const char *body, const struct json *input, const char *description,
                   struct answer *a)
{
    struct err e = {0};
    struct arena m = {0};
    struct buf text = {0};
    char *stored = NULL;
    struct json_doc *old = json_parse(body, strlen(body), NULL, &e), *changed = NULL;
    if (!put_input(p, json_root(old), input, &text, &m, a))
        goto out;
    if (description) {
        json_put_key(&text, "description");
        json_put_string(&text, description, strlen(description));
    }
    buf_byte(&text, '}');
    changed = json_parse(text.data, text.size, NULL, &e);
    stored = store_form(p, body, json_root(changed));
out:
    json_free(changed);
    json_free(old);
    buf_fini(&text);
    arena_fini(&m);
    return stored;
}

static bool comment_good(const struct json *comment, struct answer *a)
{
    const struct json *body = comment ? json_get(comment, "body") : NULL;
    const char *text = body ? json_text(body, NULL) : NULL;
    if (!text || !text[strspn(text, " \n\t")])
        zd_invalid(a, "base", "Description: cannot be blank");
    else if (strlen(text) > BODY_MOST)
        zd_invalid(a, "comment", "Comment: is too long (maximum is 65535 characters)");
    else
        return true;
    return false;
}

/* --- a key's answer is kept two hours, for the same body --- */

static struct promise *promise_of(struct peer *p, const char *key)
{
    int64_t kept_ms = trait(p, KNOB_KEYS_FORGOTTEN) ? trait(p, KNOB_KEYS_FORGOTTEN) : KEY_LIFE_MS;
    for (size_t i = 0; key && i < p->n_promises; i++)
        if (is(p->promises[i].key, key) && p->promises[i].at_ms + kept_ms > peer_now_ms(p))
            return &p->promises[i];
    return NULL;
}

static void hash_of(const struct request *q, char out[40])
{
    snprintf(out, 40, "%016llx", (unsigned long long)hash64(q->body.data, q->body.size));
}

static bool repeated(struct peer *p, struct request *q, struct answer *a)
{
    char hash[40];
    const struct promise *m = promise_of(p, request_header(q, "Idempotency-Key"));
    answer_header(a, "x-idempotency-lookup", m ? "hit" : "miss");
    if (!m)
        return false;
    hash_of(q, hash);
    if (!is(hash, m->etag)) {
        zd_error(a, 400, "IdempotentRequestError", "The request does not match the one that was sent under this key");
        return true;
    }
    p->counted.repeats++;
    a->status = m->status;
    buf_text(&a->body, m->body);
    return true;
}

static void promise_keep(struct peer *p, struct request *q, const struct answer *a)
{
    const char *key = request_header(q, "Idempotency-Key");
    if (!key)
        return;
    p->promises = mem_grow(p->promises, (p->n_promises + 1) * sizeof *p->promises);
    struct promise *m = &p->promises[p->n_promises++];
    *m = (struct promise){
        .key = mem_dup(key), .at_ms = peer_now_ms(p), .status = a->status, .body = mem_dup(a->body.data)};
    hash_of(q, m->etag);
}

static void answer_ticket(struct peer *p, struct request *q, struct record *r, const struct zd_comment *c,
                          struct answer *a)
{
    buf_text(&a->body, "{\"ticket\":");
    if (trait(p, KNOB_NO_RECORD))
        buf_printf(&a->body, "{\"id\":%s}", r->id);
    else
        zd_put_ticket(p, q, r, record_now(r), &a->body);
    buf_byte(&a->body, ',');
    zd_put_audit(p, r->id, c, &a->body);
    buf_byte(&a->body, '}');
}

void zd_create(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    const struct json *input = NULL, *comment = NULL;
    (void)id;
    if (repeated(p, q, a))
        return;
    struct json_doc *doc = zd_body(q, "ticket", &input, a);
    if (!doc)
        return;
    comment = json_get(input, "comment");
    char *body = comment_good(comment, a)
                     ? store(p, p->profile->defaults, input, json_text(json_get(comment, "body"), NULL), a)
                     : NULL;
    if (body) {
        struct record *r = record_new(p, NULL);
        zd(p)->without_public += json_get(comment, "public") == NULL;
        record_change(p, r, body, false);
        p->counted.creates++;
        a->status = 201;
        answer_ticket(p, q, r, NULL, a);
        answer_header(a, "Location", arena_printf(&q->memory, "/api/v2/tickets/%s.json", r->id));
        promise_keep(p, q, a);
    }
    mem_free(body);
    json_free(doc);
}

/* safe_update: false acts like true. */
static bool outdated(struct peer *p, const struct record *r, const struct json *input, struct answer *a)
{
    const struct json *stamp = json_get(input, "updated_stamp");
    struct buf now = {0};
    put_time(p, updated_ms(r, record_now(r)), &now);
    bool same = stamp && json_text(stamp, NULL) && now.size > 2 &&
                strncmp(json_text(stamp, NULL), now.data + 1, now.size - 2) == 0;
    buf_fini(&now);
    if (!json_get(input, "safe_update") || same)
        return false;
    zd_error(a, 409, "UpdateConflict", "Safe Update prevented the update due to outdated ticket data");
    return true;
}

bool zd_change(struct peer *p, struct record *r, const struct json *input, struct answer *a)
{
    const struct json *comment = json_get(input, "comment");
    struct arena m = {0};
    bool closed = is(body_text(record_now(r)->body, "status", &m), "closed");
    arena_fini(&m);
    if (closed)
        zd_invalid(a, "status", "Status: closed prevents ticket update");
    if (closed || outdated(p, r, input, a) || (comment && !comment_good(comment, a)))
        return false;
    char *body = store(p, record_now(r)->body, input, NULL, a);
    if (!body)
        return false;
    record_change(p, r, body, false);
    mem_free(body);
    return true;
}

void zd_update(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    const struct json *input = NULL;
    struct record *r = record_find(p, id);
    struct json_doc *doc = zd_body(q, "ticket", &input, a);
    if (doc && (!r || record_now(r)->gone || record_hidden(p, r))) {
        zd_error(a, 404, "RecordNotFound", "Not found");
    } else if (doc && zd_change(p, r, input, a)) {
        const struct json *comment = json_get(input, "comment");
        struct zd_comment *c = comment ? zd_add_comment(p, r->id, comment, json_get(input, "metadata")) : NULL;
        answer_ticket(p, q, r, c, a);
    }
    json_free(doc);
}

void zd_delete(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    struct record *r = record_find(p, id);
    (void)q;
    if (!r || record_now(r)->gone || record_hidden(p, r)) {
        zd_error(a, 404, "RecordNotFound", "Not found");
        return;
    }
    record_change(p, r, record_now(r)->body, true);
    a->status = 204;
}
