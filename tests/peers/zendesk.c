/* SPDX-License-Identifier: MIT */
/* zendesk.c - the profile zendesk: its paths, credentials, errors in four envelopes, and what tests order of it. */
#include "zendesk.h"

#include <stdio.h>
#include <string.h>

/* base64 of agent@acme.test/token:apitoken-1 */
static const char basic[] = "Basic YWdlbnRAYWNtZS50ZXN0L3Rva2VuOmFwaXRva2VuLTE=";
static const char bearer[] = "Bearer oauth-1";

enum { HOUR_MS = 3600000 };

struct zendesk *zd(struct peer *p)
{
    if (p->own)
        return p->own;
    struct zendesk *z = mem_alloc(sizeof *z);
    p->own = z;
    z->next_id = 900001;
    z->job_asks = 1;
    static const struct zd_user first[] = {
        {.id = 100, .name = "Support Agent", .email = "agent@acme.test", .role = "admin", .active = true},
        {.id = 101, .name = "Ann Example", .email = "Ann@acme.test", .role = "agent", .active = true},
        {.id = 102, .name = "Bo Phone", .role = "end-user", .active = true}};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        struct zd_user *u = zd_add_user(p, first[i].id);
        *u = first[i];
        u->at_ms = peer_now_ms(p) - HOUR_MS;
        u->name = mem_dup(u->name);
        u->email = u->email ? mem_dup(u->email) : NULL;
        u->role = mem_dup(u->role);
    }
    return z;
}

/* --- errors --- */

static void put_pair(struct buf *out, const char *name, const char *text)
{
    json_put_key(out, name);
    json_put_string(out, text, strlen(text));
}

void zd_error(struct answer *a, int status, const char *error, const char *description)
{
    a->status = status;
    buf_clear(&a->body);
    buf_byte(&a->body, '{');
    put_pair(&a->body, "error", error);
    if (description)
        put_pair(&a->body, "description", description);
    buf_byte(&a->body, '}');
}

void zd_invalid(struct answer *a, const char *field, const char *description)
{
    zd_error(a, 422, "RecordInvalid", "Record validation errors");
    a->body.size--;
    json_put_key(&a->body, "details");
    buf_byte(&a->body, '{');
    json_put_key(&a->body, field);
    buf_text(&a->body, "[{");
    put_pair(&a->body, "description", description);
    buf_text(&a->body, "}]}}");
}

void zd_forbidden(struct answer *a, const char *message)
{
    a->status = 403;
    buf_clear(&a->body);
    buf_text(&a->body, "{\"error\":{\"title\":\"Forbidden\"");
    put_pair(&a->body, "message", message);
    buf_text(&a->body, "}}");
}

void zd_bad(struct answer *a, const char *code, const char *title)
{
    a->status = 400;
    buf_clear(&a->body);
    buf_text(&a->body, "{\"errors\":[{");
    put_pair(&a->body, "code", code);
    put_pair(&a->body, "title", title);
    buf_text(&a->body, "}]}");
}

/* --- paths --- */

static const struct route {
    const char *method, *path;
    zd_serve *serve;
    bool open; /* answers those without credentials, too */
} routes[] = {
    {"GET", "/users/me", zd_me, true},
    {"GET", "/users/show_many", zd_users, false},
    {"GET", "/users/search", zd_users_search, false},
    {"GET", "/users/{}", zd_user, false},
    {"GET", "/ticket_fields", zd_fields, false},
    {"GET", "/custom_statuses", zd_statuses, false},
    {"GET", "/incremental/tickets/cursor", zd_export_tickets, false},
    {"GET", "/incremental/users/cursor", zd_export_users, false},
    {"GET", "/search", zd_search, false},
    {"GET", "/job_statuses/{}", zd_job, false},
    {"GET", "/tickets", zd_tickets, false},
    {"POST", "/tickets", zd_create, false},
    {"GET", "/tickets/show_many", zd_show_many, false},
    {"PUT", "/tickets/update_many", zd_update_many, false},
    {"GET", "/tickets/{}/comments", zd_comments, false},
    {"GET", "/tickets/{}", zd_ticket, false},
    {"PUT", "/tickets/{}", zd_update, false},
    {"DELETE", "/tickets/{}", zd_delete, false},
};

/* Does the path fit? *id: what stands in the braces. */
static bool fits(const char *pattern, const char *path, struct arena *m, const char **id)
{
    const char *brace = strstr(pattern, "{}");
    size_t n = brace ? (size_t)(brace - pattern) : strlen(pattern);
    if (strncmp(pattern, path, n) != 0)
        return false;
    path += n;
    if (brace) {
        n = strcspn(path, "/");
        *id = arena_dup(m, path, n);
        path += n;
    }
    return n > 0 && is(brace ? brace + 2 : "", path);
}

static const char *path_of(struct request *q)
{
    static const char base[] = "/api/v2";
    char *path = arena_text(&q->memory, q->path);
    size_t n = strlen(path);
    if (n > 5 && strcmp(path + n - 5, ".json") == 0)
        path[n - 5] = '\0';
    return strncmp(path, base, sizeof base - 1) == 0 ? path + sizeof base - 1 : NULL;
}

static bool known(struct peer *p, const struct request *q)
{
    const char *given = request_header(q, "Authorization");
    return is(given, basic) || is(given, bearer) || oauth_good(p, q);
}

void zendesk_serve(struct peer *p, struct request *q, struct answer *a)
{
    const char *path = path_of(q), *id = NULL;
    bool there = false;
    for (size_t i = 0; path && i < sizeof routes / sizeof *routes; i++) {
        if (!fits(routes[i].path, path, &q->memory, &id))
            continue;
        there = true;
        if (!is(routes[i].method, q->method))
            continue;
        answer_header(a, "X-Rate-Limit", "700");
        answer_header(a, "X-Rate-Limit-Remaining", "699");
        if (zd(p)->hollow > 0 && zd(p)->hollow--)
            buf_text(&a->body, "{\"of\":\"something else\"}");
        else if (routes[i].open || known(p, q))
            routes[i].serve(p, q, id, a);
        else
            zd_error(a, 401, "Couldn't authenticate you", NULL);
        return;
    }
    zd_error(a, there ? 405 : 404, there ? "MethodNotAllowed" : "InvalidEndpoint", "Not found");
}

/* --- orders --- */

static int64_t number_in(const struct json *root, const char *member)
{
    const struct json *n = json_get(root, member);
    int64_t value = 0;
    return n && json_int(n, &value) ? value : 0;
}

/* Somebody writes: {"ticket", "author", "body", "public", "attachments"}. */
static bool order_comment(struct peer *p, const struct json *root, struct answer *a)
{
    const struct json *ticket = json_get(root, "ticket");
    struct record *r = ticket ? record_find(p, json_text(ticket, NULL)) : NULL;
    if (!r)
        return false;
    record_change(p, r, record_now(r)->body, false);
    struct zd_comment *c = zd_add_comment(p, r->id, root, NULL);
    buf_printf(&a->body, "{\"id\":%lld}", (long long)c->id);
    return true;
}

static void set_text(char **to, const struct json *root, const char *member)
{
    const struct json *n = json_get(root, member);
    if (!n)
        return;
    mem_free(*to);
    *to = json_type(n) == JSON_STRING ? mem_dup(json_text(n, NULL)) : NULL;
}

static bool order_user(struct peer *p, const struct json *root, struct answer *a)
{
    int64_t id = number_in(root, "id");
    struct zd_user *u = id ? zd_find_user(p, id) : NULL;
    (void)a;
    if (!u) {
        u = zd_add_user(p, id);
        u->role = mem_dup("end-user");
        u->name = mem_dup("");
        u->active = true;
    }
    set_text(&u->name, root, "name");
    set_text(&u->email, root, "email");
    set_text(&u->role, root, "role");
    set_text(&u->external_id, root, "external_id");
    if (json_get(root, "active"))
        u->active = json_bool(json_get(root, "active"));
    u->at_ms = peer_now_ms(p);
    return true;
}

/* The system itself: generated_timestamp moves, updated_at stays. */
static bool order_touch(struct peer *p, const struct json *root, struct answer *a)
{
    const struct json *id = json_get(root, "id");
    struct record *r = id ? record_find(p, json_text(id, NULL)) : NULL;
    (void)a;
    if (r)
        record_touch(p, r);
    return r != NULL;
}

static bool order_redact(struct peer *p, const struct json *root, struct answer *a)
{
    const struct json *body = json_get(root, "body");
    (void)a;
    return body && zd_redact(p, number_in(root, "comment"), json_text(body, NULL));
}

static bool order_limits(struct peer *p, const struct json *root, struct answer *a)
{
    struct zendesk *z = zd(p);
    z->exports_a_minute = number_in(root, "exports_a_minute");
    z->jobs_most = number_in(root, "jobs");
    z->job_asks = number_in(root, "job_asks");
    z->hollow = number_in(root, "hollow");
    buf_printf(&a->body, "{\"without_public\":%lld,\"jobs\":%zu}", (long long)z->without_public, z->n_jobs);
    return true;
}

bool zendesk_order(struct peer *p, const char *what, const struct json *root, struct answer *a)
{
    static const struct {
        const char *what;
        bool (*carry_out)(struct peer *p, const struct json *root, struct answer *a);
    } orders[] = {{"comment", order_comment},
                  {"user", order_user},
                  {"touch", order_touch},
                  {"redact", order_redact},
                  {"limits", order_limits}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (is(orders[i].what, what))
            return orders[i].carry_out(p, root, a);
    return false;
}
