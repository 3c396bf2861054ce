/* SPDX-License-Identifier: MIT */
/* github.c - the profile github: its paths, the repository's states, its limits, tags, errors, and what tests order of it. */
#include "github.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gh *gh(struct peer *p)
{
    struct gh *g = p->own;
    if (!g) {
        g = p->own = mem_alloc(sizeof *g);
        g->core = (struct gh_bucket){.limit = 1000000, .window_s = 3600}; /* a tests' day has no time for 5,000 */
        g->search = (struct gh_bucket){.limit = 30, .window_s = 60};
    }
    return g;
}

/* --- answers --- */

void gh_put_text(struct buf *out, const char *name, const char *text)
{
    json_put_key(out, name);
    if (text)
        json_put_string(out, text, strlen(text));
    else
        buf_text(out, "null");
}

void gh_error(struct answer *a, int status, const char *message)
{
    a->status = status;
    buf_clear(&a->body);
    buf_byte(&a->body, '{');
    gh_put_text(&a->body, "message", message);
    gh_put_text(&a->body, "documentation_url", "https://docs.github.com/rest");
    buf_byte(&a->body, '}');
}

void gh_invalid(struct answer *a, const char *resource, const char *field, const char *code, const char *message,
                const char *value)
{
    gh_error(a, 422, "Validation Failed");
    a->body.size--;
    buf_text(&a->body, ",\"errors\":[{");
    gh_put_text(&a->body, "resource", resource);
    gh_put_text(&a->body, "field", field);
    gh_put_text(&a->body, "code", code);
    if (message)
        gh_put_text(&a->body, "message", message);
    if (value)
        gh_put_text(&a->body, "value", value);
    buf_text(&a->body, "}]}");
}

struct json_doc *gh_body(const struct request *q, struct answer *a)
{
    struct err e = {0};
    struct json_doc *doc = q->body.size ? json_parse(q->body.data, q->body.size, NULL, &e) : NULL;
    if (doc && json_type(json_root(doc)) == JSON_OBJECT)
        return doc;
    gh_error(a, 400, doc ? "Body should be a JSON object" : "Problems parsing JSON");
    json_free(doc);
    return NULL;
}

bool gh_has(const char *body, const char *member)
{
    struct err e = {0};
    struct json_doc *doc = json_parse(body, strlen(body), NULL, &e);
    const struct json *n = doc ? json_get(json_root(doc), member) : NULL;
    bool has = n && json_type(n) != JSON_NULL && !(json_type(n) == JSON_BOOL && !json_bool(n));
    json_free(doc);
    return has;
}

const char *gh_base(const struct request *q)
{
    static char text[100];
    const char *host = request_header(q, "Host");
    snprintf(text, sizeof text, "http://%s", host ? host : "127.0.0.1");
    return text;
}

void gh_page(struct peer *p, struct request *q, struct answer *a, size_t n, size_t *from, size_t *to)
{
    const char *size_text = request_query(q, "per_page"), *page_text = request_query(q, "page");
    size_t most = trait(p, KNOB_SMALL_PAGES) ? (size_t)trait(p, KNOB_SMALL_PAGES) : 100;
    size_t size = size_text ? strtoul(size_text, NULL, 10) : 30, page = page_text ? strtoul(page_text, NULL, 10) : 1;
    size = size == 0 || size > most ? most : size;
    page = page ? page : 1;
    *from = (page - 1) * size < n ? (page - 1) * size : n;
    *to = *from + size < n ? *from + size : n;
    if (*to < n)
        answer_header(a, "Link",
                      arena_printf(&q->memory, "<%s%s?per_page=%zu&page=%zu>; rel=\"next\"", gh_base(q), q->path, size,
                                   page + 1));
}

/* --- the repository --- */

static const char *name_now(struct peer *p)
{
    return gh(p)->renamed ? gh(p)->renamed : GITHUB_REPO;
}

static void serve_repository(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    struct gh *g = gh(p);
    (void)q, (void)id;
    buf_text(&a->body, "{\"id\":1");
    gh_put_text(&a->body, "full_name", name_now(p));
    buf_printf(&a->body,
               ",\"archived\":%s,\"has_issues\":%s,\"permissions\":{\"admin\":false,\"push\":%s,\"pull\":true}}",
               g->archived ? "true" : "false", g->no_issues ? "false" : "true", g->no_push ? "false" : "true");
}

static void serve_milestones(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    struct gh *g = gh(p);
    size_t from = 0, to = 0;
    (void)id;
    gh_page(p, q, a, g->n_milestones, &from, &to);
    buf_byte(&a->body, '[');
    for (size_t i = from; i < to; i++) {
        buf_printf(&a->body, "%s{\"number\":%zu", i > from ? "," : "", i + 1);
        gh_put_text(&a->body, "title", g->milestones[i]);
        buf_text(&a->body, ",\"state\":\"open\"}");
    }
    buf_byte(&a->body, ']');
}

bool gh_takes_writes(struct peer *p, struct answer *a)
{
    struct gh *g = gh(p);
    if (g->archived)
        gh_error(a, 403, "Repository was archived so is read-only.");
    else if (g->no_permission) {
        gh_error(a, 403, "Resource not accessible by personal access token");
        answer_header(a, "X-Accepted-GitHub-Permissions", "issues=write");
    } else if (g->secondary > 0) {
        g->secondary--;
        gh_error(a, 403, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.");
        if (g->secondary_wait_s)
            answer_header(a, "Retry-After", g->secondary_wait_s == 1 ? "1" : "60");
    } else
        return true;
    return false;
}

/* --- limits and tags --- */

static bool spend(struct peer *p, struct request *q, struct gh_bucket *b, const char *name, struct answer *a)
{
    int64_t now_s = peer_now_ms(p) / 1000;
    if (now_s >= b->begun_s + b->window_s) {
        b->begun_s = now_s;
        b->used = 0;
    }
    bool over = b->used >= b->limit;
    b->used += !over;
    answer_header(a, "x-ratelimit-limit", arena_printf(&q->memory, "%lld", (long long)b->limit));
    answer_header(a, "x-ratelimit-remaining", arena_printf(&q->memory, "%lld", (long long)(b->limit - b->used)));
    answer_header(a, "x-ratelimit-reset", arena_printf(&q->memory, "%lld", (long long)(b->begun_s + b->window_s)));
    answer_header(a, "x-ratelimit-resource", name);
    if (over)
        gh_error(a, 403, "API rate limit exceeded for user ID 1.");
    return !over;
}

/* Of what is answered; what has not changed costs nothing. */
static void tag(struct peer *p, struct request *q, struct gh_bucket *b, struct answer *a)
{
    const char *known = request_header(q, "If-None-Match");
    if (!is(q->method, "GET") || a->status != 200 || a->dropped)
        return;
    uint64_t h = 14695981039346656037ULL;
    for (size_t i = 0; i < a->body.size; i++)
        h = (h ^ (unsigned char)a->body.data[i]) * 1099511628211ULL;
    const char *etag = arena_printf(&q->memory, "W/\"%016llx\"", (unsigned long long)h);
    answer_header(a, "ETag", etag);
    if (!is(known, etag))
        return;
    a->status = 304;
    buf_clear(&a->body);
    b->used--;
    gh(p)->unchanged++;
}

/* --- paths --- */

static const struct route {
    const char *method, *path;
    gh_serve *serve;
} routes[] = {
    {"GET", "", serve_repository},
    {"GET", "/issues", gh_list},
    {"POST", "/issues", gh_create},
    {"GET", "/issues/comments", gh_comments_all},
    {"GET", "/issues/comments/{}", gh_comment},
    {"PATCH", "/issues/comments/{}", gh_comment_change},
    {"DELETE", "/issues/comments/{}", gh_comment_delete},
    {"GET", "/issues/{}/comments", gh_comments},
    {"POST", "/issues/{}/comments", gh_comment_create},
    {"GET", "/issues/{}", gh_read},
    {"PATCH", "/issues/{}", gh_change},
    {"GET", "/milestones", serve_milestones},
};

static bool fits(const char *pattern, const char *path, struct arena *m, const char **id)
{
    const char *brace = strstr(pattern, "{}");
    size_t n = brace ? (size_t)(brace - pattern) : strlen(pattern);
    if (strncmp(pattern, path, n) != 0)
        return false;
    path += n;
    if (!brace)
        return !*path;
    n = strcspn(path, "/");
    *id = arena_dup(m, path, n);
    return n > 0 && strspn(*id, "0123456789") == n && is(brace + 2, path + n);
}

static void route(struct peer *p, struct request *q, const char *path, struct answer *a)
{
    const char *id = NULL;
    bool there = false;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!fits(routes[i].path, path, &q->memory, &id))
            continue;
        there = true;
        if (!is(routes[i].method, q->method))
            continue;
        routes[i].serve(p, q, id, a);
        return;
    }
    gh_error(a, there ? 405 : 404, there ? "Method Not Allowed" : "Not Found");
}

/* The path below the repository; NULL with an answer. */
static const char *below(struct peer *p, struct request *q, struct answer *a)
{
    const char *now = arena_printf(&q->memory, "/repos/%s", name_now(p));
    const char *const homes[] = {now, GITHUB_NUMBER};
    for (size_t i = 0; i < 2; i++) {
        size_t n = strlen(homes[i]);
        if (strncmp(q->path, homes[i], n) == 0 && (!q->path[n] || q->path[n] == '/') && !gh(p)->hidden)
            return q->path + n;
    }
    if (strncmp(q->path, GITHUB_PATH, strlen(GITHUB_PATH)) == 0 && !gh(p)->hidden) {
        gh_error(a, 301, "Moved Permanently");
        answer_header(a, "Location",
                      arena_printf(&q->memory, "%s%s%s", gh_base(q), GITHUB_NUMBER, q->path + strlen(GITHUB_PATH)));
    } else
        gh_error(a, 404, "Not Found");
    return NULL;
}

static bool well_formed(const struct request *q, struct answer *a)
{
    const char *version = request_header(q, "X-GitHub-Api-Version");
    if (!request_header(q, "User-Agent"))
        gh_error(a, 403,
                 "Request forbidden by administrative rules. Please make sure your request has a User-Agent header");
    else if (version && !is(version, "2022-11-28") && !is(version, "2026-03-10"))
        gh_error(a, 400, "Unknown API version");
    else
        return true;
    return false;
}

/* Issues elsewhere: where those went that were transferred. */
static bool serve_elsewhere(struct peer *p, struct request *q, struct answer *a)
{
    struct gh *g = gh(p);
    long long number = 0;
    if (sscanf(q->path, "/repositories/2/issues/%lld", &number) != 1)
        return false;
    for (size_t i = 0; i < g->n_moved; i++) {
        if (g->moved[i].number != number)
            continue;
        buf_printf(&a->body,
                   "{\"id\":9%lld,\"number\":%lld,\"title\":\"elsewhere\",\"state\":\"open\",\"repository_url\":\"%s/"
                   "repos/%s\","
                   "\"html_url\":\"https://github.test/%s/issues/%lld\",\"created_at\":\"2026-01-01T00:00:00Z\","
                   "\"updated_at\":\"2026-01-01T00:00:00Z\"}",
                   number, number, gh_base(q), g->moved[i].to, g->moved[i].to, number);
        return true;
    }
    gh_error(a, 404, "Not Found");
    return true;
}

void github_serve(struct peer *p, struct request *q, struct answer *a)
{
    struct gh *g = gh(p);
    bool searches = is(q->path, "/search/issues") && is(q->method, "GET");
    struct gh_bucket *b = searches ? &g->search : &g->core;
    if (!well_formed(q, a) || !spend(p, q, b, searches ? "search" : "core", a))
        return;
    if (searches)
        gh_search(p, q, NULL, a);
    else if (!serve_elsewhere(p, q, a)) {
        const char *path = below(p, q, a);
        if (path)
            route(p, q, path, a);
    }
    tag(p, q, b, a);
}

/* --- orders --- */

static void set_bool(const struct json *root, const char *name, bool *out, bool turned)
{
    const struct json *n = json_get(root, name);
    if (n)
        *out = json_bool(n) != turned;
}

static void set_number(const struct json *root, const char *name, int64_t *out)
{
    const struct json *n = json_get(root, name);
    if (n)
        json_int(n, out);
}

static void set_states(struct peer *p, const struct json *root, struct answer *a)
{
    struct gh *g = gh(p);
    const struct json *name = json_get(root, "name");
    (void)a;
    set_bool(root, "push", &g->no_push, true);
    set_bool(root, "archived", &g->archived, false);
    set_bool(root, "issues", &g->no_issues, true);
    set_bool(root, "visible", &g->hidden, true);
    set_bool(root, "permission", &g->no_permission, true);
    set_bool(root, "search_ends_early", &g->search_ends_early, false);
    set_number(root, "search_lag_ms", &g->search_lag_ms);
    set_number(root, "secondary", &g->secondary);
    set_number(root, "secondary_wait_s", &g->secondary_wait_s);
    set_number(root, "core_limit", &g->core.limit);
    set_number(root, "core_window_s", &g->core.window_s);
    set_number(root, "search_limit", &g->search.limit);
    if (name) {
        mem_free(g->renamed);
        g->renamed = json_type(name) == JSON_STRING ? mem_dup(json_text(name, NULL)) : NULL;
    }
}

static void add_milestone(struct peer *p, const struct json *root, struct answer *a)
{
    struct gh *g = gh(p);
    (void)a;
    if (g->n_milestones < sizeof g->milestones / sizeof *g->milestones)
        g->milestones[g->n_milestones++] = mem_dup(json_text(json_get(root, "title"), NULL));
}

static void transfer(struct peer *p, const struct json *root, struct answer *a)
{
    struct gh *g = gh(p);
    (void)a;
    if (g->n_moved == sizeof g->moved / sizeof *g->moved)
        return;
    set_number(root, "number", &g->moved[g->n_moved].number);
    g->moved[g->n_moved++].to = mem_dup(json_text(json_get(root, "to"), NULL));
}

static void tell_limits(struct peer *p, const struct json *root, struct answer *a)
{
    struct gh *g = gh(p);
    (void)root;
    buf_printf(&a->body, "{\"core\":%lld,\"search\":%lld,\"unchanged\":%lld}", (long long)g->core.used,
               (long long)g->search.used, (long long)g->unchanged);
}

static void tell_comments(struct peer *p, const struct json *root, struct answer *a)
{
    (void)root;
    gh_comments_tell(p, a);
}

bool github_order(struct peer *p, const char *what, const struct json *root, struct answer *a)
{
    static const struct {
        const char *what;
        void (*carry_out)(struct peer *p, const struct json *root, struct answer *a);
    } orders[] = {
        {"repository", set_states}, {"milestone", add_milestone},  {"transfer", transfer},
        {"limits", tell_limits},    {"comment", gh_comment_order}, {"comments", tell_comments},
    };
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (is(orders[i].what, what)) {
            orders[i].carry_out(p, root, a);
            return true;
        }
    return false;
}
