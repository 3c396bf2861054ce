/* SPDX-License-Identifier: MIT */
/* github_comments.c - comments of the profile github, and its search, which is an index of its own and lags. */
#include "github.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ID = 5000001, BODY_MOST = 65536, QUERY_MOST = 256 };

int64_t gh_comments_count(const struct peer *p, int64_t issue)
{
    const struct gh *g = p->own;
    int64_t n = 0;
    for (size_t i = 0; g && i < g->n_comments; i++)
        n += g->comments[i].issue == issue && !g->comments[i].gone;
    return n;
}

static struct gh_comment *find(struct peer *p, const char *id)
{
    struct gh *g = gh(p);
    int64_t n = id ? strtoll(id, NULL, 10) - FIRST_ID : -1;
    return n >= 0 && (size_t)n < g->n_comments && !g->comments[n].gone ? &g->comments[n] : NULL;
}

static struct gh_comment *add(struct peer *p, int64_t issue, const char *login, const char *body)
{
    struct gh *g = gh(p);
    g->comments = mem_grow(g->comments, (g->n_comments + 1) * sizeof *g->comments);
    struct gh_comment *c = &g->comments[g->n_comments];
    *c = (struct gh_comment){.id = FIRST_ID + (int64_t)g->n_comments, .issue = issue, .created_ms = peer_now_ms(p)};
    c->updated_ms = c->created_ms;
    c->login = mem_dup(login);
    c->body = mem_dup(body);
    g->n_comments++;
    gh_touch(p, issue);
    return c;
}

static void change(struct peer *p, struct gh_comment *c, const char *body)
{
    mem_free(c->body);
    c->body = mem_dup(body);
    c->updated_ms = peer_now_ms(p);
    gh_touch(p, c->issue);
}

static void end(struct peer *p, struct gh_comment *c)
{
    c->gone = true;
    gh_touch(p, c->issue);
}

static void put(struct peer *p, const struct gh_comment *c, struct buf *out)
{
    struct arena m = {0};
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)c->issue);
    struct record *r = record_find(p, number);
    const char *name = gh(p)->renamed ? gh(p)->renamed : GITHUB_REPO;
    bool pull = r && gh_has(record_now(r)->body, "pull_request");
    buf_printf(out, "{\"id\":%lld", (long long)c->id);
    gh_put_text(out, "body", c->body);
    json_put_key(out, "user");
    buf_byte(out, '{');
    gh_put_text(out, "login", c->login);
    buf_byte(out, '}');
    json_put_key(out, "created_at");
    put_time(p, c->created_ms, out);
    json_put_key(out, "updated_at");
    put_time(p, c->updated_ms, out);
    gh_put_text(out, "issue_url", arena_printf(&m, "https://api.github.test/repos/%s/issues/%s", name, number));
    gh_put_text(out, "html_url",
                arena_printf(&m, "https://github.test/%s/%s/%s#issuecomment-%lld", name, pull ? "pull" : "issues",
                             number, (long long)c->id));
    gh_put_text(out, "author_association", "MEMBER");
    buf_byte(out, '}');
    arena_fini(&m);
}

/* --- requests --- */

static void list(struct peer *p, struct request *q, int64_t issue, struct answer *a)
{
    struct gh *g = gh(p);
    struct gh_comment **all = mem_alloc((g->n_comments + 1) * sizeof *all);
    size_t n = 0, from = 0, to = 0;
    bool backwards = is(request_query(q, "direction"), "desc") && request_query(q, "sort");
    for (size_t i = 0; i < g->n_comments; i++) {
        struct gh_comment *c = &g->comments[backwards ? g->n_comments - 1 - i : i];
        if (!c->gone && (!issue || c->issue == issue))
            all[n++] = c;
    }
    p->counted.lists++;
    gh_page(p, q, a, n, &from, &to);
    buf_byte(&a->body, '[');
    for (size_t i = from; i < to; i++) {
        if (i > from)
            buf_byte(&a->body, ',');
        put(p, all[i], &a->body);
    }
    buf_byte(&a->body, ']');
    mem_free(all);
}

static struct record *parent(struct peer *p, const char *id, struct answer *a)
{
    struct record *r = gh_issue(p, id);
    if (gh(p)->no_issues)
        gh_error(a, 410, "Issues are disabled for this repo");
    else if (!r)
        gh_error(a, 404, "Not Found");
    else if (record_now(r)->gone)
        gh_error(a, 410, "This issue was deleted");
    else
        return r;
    return NULL;
}

void gh_comments(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    if (!parent(p, id, a))
        return;
    q->path = arena_printf(&q->memory, GITHUB_NUMBER "/issues/%s/comments", id);
    list(p, q, strtoll(id, NULL, 10), a);
}

void gh_comments_all(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    (void)id;
    q->path = arena_text(&q->memory, GITHUB_NUMBER "/issues/comments");
    list(p, q, 0, a);
}

void gh_comment(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    const struct gh_comment *c = find(p, id);
    (void)q;
    if (c)
        put(p, c, &a->body);
    else
        gh_error(a, 404, "Not Found");
}

/* NULL after an answer. */
static const char *text_given(const struct json *root, struct answer *a)
{
    const struct json *body = json_get(root, "body");
    size_t n = 0, n_bytes = 0;
    const char *text = body && json_type(body) == JSON_STRING ? json_text(body, &n_bytes) : NULL;
    for (size_t i = 0; i < n_bytes; i++)
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    if (text && n && n <= BODY_MOST)
        return text;
    gh_invalid(a, "IssueComment", "body", n ? "custom" : "missing_field",
               n ? "body is too long (maximum is 65536 characters)" : NULL, NULL);
    return NULL;
}

void gh_comment_create(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    struct record *r = parent(p, id, a);
    if (r && gh_has(record_now(r)->body, "locked")) {
        gh_error(a, 403, "Unable to create comment because issue is locked.");
        return;
    }
    struct json_doc *doc = r && gh_takes_writes(p, a) ? gh_body(q, a) : NULL;
    const char *text = doc ? text_given(json_root(doc), a) : NULL;
    if (text) {
        struct gh_comment *c = add(p, strtoll(id, NULL, 10), "octocat", text);
        p->counted.creates++;
        a->status = 201;
        put(p, c, &a->body);
    }
    json_free(doc);
}

void gh_comment_change(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    struct gh_comment *c = find(p, id);
    if (!c) {
        gh_error(a, 404, "Not Found");
        return;
    }
    struct json_doc *doc = gh_takes_writes(p, a) ? gh_body(q, a) : NULL;
    const char *text = doc ? text_given(json_root(doc), a) : NULL;
    if (text) {
        change(p, c, text);
        put(p, c, &a->body);
    }
    json_free(doc);
}

void gh_comment_delete(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    struct gh_comment *c = find(p, id);
    (void)q;
    if (!c)
        gh_error(a, 404, "Not Found");
    else if (gh_takes_writes(p, a)) {
        end(p, c);
        a->status = 204;
    }
}

/* --- orders --- */

void gh_comment_order(struct peer *p, const struct json *root, struct answer *a)
{
    const struct json *id = json_get(root, "id"), *body = json_get(root, "body"), *login = json_get(root, "login");
    struct gh_comment *c = id ? find(p, json_text(id, NULL)) : NULL;
    int64_t issue = 0;
    if (c && json_get(root, "gone"))
        end(p, c);
    else if (c && body)
        change(p, c, json_text(body, NULL));
    else if (!id && body && json_get(root, "issue") && json_int(json_get(root, "issue"), &issue))
        put(p, add(p, issue, login ? json_text(login, NULL) : "ann-gh", json_text(body, NULL)), &a->body);
    else
        gh_error(a, 404, "no such comment");
}

void gh_comments_tell(struct peer *p, struct answer *a)
{
    struct gh *g = gh(p);
    bool first = true;
    buf_byte(&a->body, '[');
    for (size_t i = 0; i < g->n_comments; i++) {
        if (g->comments[i].gone)
            continue;
        if (!first)
            buf_byte(&a->body, ',');
        first = false;
        put(p, &g->comments[i], &a->body);
    }
    buf_byte(&a->body, ']');
}

/* --- the search: repo:owner/name, and a word that is in the body --- */

static bool holds(const struct version *v, const char *word)
{
    struct arena m = {0};
    const char *body = v && !v->gone ? body_text(v->body, "body", &m) : NULL;
    bool yes = body && strstr(body, word);
    arena_fini(&m);
    return yes;
}

void gh_search(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    struct gh *g = gh(p);
    const char *query = request_query(q, "q"), *word = query ? strrchr(query, ' ') : NULL;
    const char *repo = arena_printf(&q->memory, "repo:%s ", g->renamed ? g->renamed : GITHUB_REPO);
    size_t n = 0;
    (void)id;
    if (!word || strlen(query) > QUERY_MOST || g->hidden || strncmp(query, repo, strlen(repo)) != 0) {
        gh_invalid(a, "Search", "q", "invalid", "The listed users and repositories cannot be searched", NULL);
        return;
    }
    struct buf items = {0};
    for (size_t i = 0; i < p->n_records && !g->search_ends_early; i++) {
        const struct version *v = record_at(p->records[i], peer_now_ms(p) - g->search_lag_ms);
        if (!holds(v, word + 1))
            continue;
        if (n++)
            buf_byte(&items, ',');
        put_record(p, p->records[i], v, &items);
    }
    buf_printf(&a->body, "{\"total_count\":%zu,\"incomplete_results\":%s,\"items\":[%s]}", n,
               g->search_ends_early ? "true" : "false", items.size ? items.data : "");
    buf_fini(&items);
}
