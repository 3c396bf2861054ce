/* SPDX-License-Identifier: MIT */
/* github_issues.c - issues of the profile github: what is refused, what is dropped without a word, what is shown. */
#include "github.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MOST = 65536, TITLE_MOST = 256, PAGE_MOST = 10, FIRST_ID = 1000000 };

/* Those who can be assigned. */
static const char *const people[] = {"octocat", "ann-gh", "bo-gh"};

static bool assignable(const char *login)
{
    for (size_t i = 0; i < sizeof people / sizeof *people; i++)
        if (is(people[i], login))
            return true;
    return false;
}

static size_t characters(const struct json *text)
{
    size_t n = 0, n_bytes = 0;
    const char *at = json_text(text, &n_bytes);
    for (size_t i = 0; i < n_bytes; i++)
        n += ((unsigned char)at[i] & 0xc0) != 0x80;
    return n;
}

struct record *gh_issue(struct peer *p, const char *number)
{
    struct record *r = record_find(p, number);
    return r && !record_hidden(p, r) ? r : NULL;
}

void gh_touch(struct peer *p, int64_t issue)
{
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)issue);
    struct record *r = record_find(p, id);
    if (r && !record_now(r)->gone)
        record_change(p, r, record_now(r)->body, false);
}

/* --- what is shown --- */

void github_show(const struct peer *p, const struct record *r, const struct version *v, struct buf *out)
{
    const struct gh *g = p->own;
    const char *name = g && g->renamed ? g->renamed : GITHUB_REPO;
    struct arena m = {0};
    bool pull = gh_has(v->body, "pull_request");
    buf_printf(out, ",\"id\":%lld,\"comments\":%lld", FIRST_ID + strtoll(r->id, NULL, 10),
               (long long)gh_comments_count(p, strtoll(r->id, NULL, 10)));
    gh_put_text(out, "repository_url", arena_printf(&m, "https://api.github.test/repos/%s", name));
    gh_put_text(out, "html_url",
                arena_printf(&m, "https://github.test/%s/%s/%s", name, pull ? "pull" : "issues", r->id));
    gh_put_text(out, "author_association", "MEMBER");
    arena_fini(&m);
}

/* --- what is taken --- */

static void put_labels(struct gh *g, const struct json *n, struct buf *out)
{
    (void)g;
    json_put_key(out, "labels");
    buf_byte(out, '[');
    for (const struct json *l = json_first(n); l; l = json_next(l)) {
        const struct json *name = json_type(l) == JSON_OBJECT ? json_get(l, "name") : l;
        buf_text(out, l == json_first(n) ? "{" : ",{");
        gh_put_text(out, "name", json_text(name, NULL));
        buf_text(out, ",\"color\":\"ededed\",\"default\":false}");
    }
    buf_byte(out, ']');
}

static void put_people(struct gh *g, const struct json *n, struct buf *out)
{
    (void)g;
    json_put_key(out, "assignees");
    buf_byte(out, '[');
    for (const struct json *l = json_first(n); l; l = json_next(l)) {
        buf_text(out, l == json_first(n) ? "{" : ",{");
        gh_put_text(out, "login", json_text(l, NULL));
        buf_byte(out, '}');
    }
    buf_byte(out, ']');
}

static void put_milestone(struct gh *g, const struct json *n, struct buf *out)
{
    int64_t number = 0;
    json_put_key(out, "milestone");
    if (!json_int(n, &number) || number < 1 || (size_t)number > g->n_milestones) {
        buf_text(out, "null");
        return;
    }
    buf_printf(out, "{\"number\":%lld", (long long)number);
    gh_put_text(out, "title", g->milestones[number - 1]);
    buf_byte(out, '}');
}

static void put_type(struct gh *g, const struct json *n, struct buf *out)
{
    (void)g;
    json_put_key(out, "type");
    if (json_type(n) != JSON_STRING) {
        buf_text(out, "null");
        return;
    }
    buf_byte(out, '{');
    gh_put_text(out, "name", json_text(n, NULL));
    buf_byte(out, '}');
}

static void put_same(struct gh *g, const struct json *n, struct buf *out)
{
    (void)g;
    json_put_key(out, json_key(n));
    json_put_node(out, n);
}

static const struct taken {
    const char *name;
    void (*put)(struct gh *g, const struct json *n, struct buf *out);
    bool pushers; /* dropped without a word where there is no push access */
} taken[] = {
    {"title", put_same, false},      {"body", put_same, false},          {"labels", put_labels, true},
    {"assignees", put_people, true}, {"milestone", put_milestone, true}, {"type", put_type, true},
};

/* state_reason counts only where the state changes. */
static void put_state(struct peer *p, const struct json *root, const char *old, struct arena *m, struct buf *out)
{
    const struct json *state = json_get(root, "state"), *reason = json_get(root, "state_reason");
    const char *was = body_text(old, "state", m), *now = state ? json_text(state, NULL) : was;
    if (is(was, now))
        return;
    bool closed = is(now, "closed");
    const char *why = reason && json_type(reason) == JSON_STRING ? json_text(reason, NULL) : NULL;
    gh_put_text(out, "state", now);
    gh_put_text(out, "state_reason", why ? why : closed ? "completed" : "reopened");
    json_put_key(out, "closed_at");
    if (closed)
        put_time(p, peer_now_ms(p), out);
    else
        buf_text(out, "null");
    json_put_key(out, "closed_by");
    buf_text(out, closed ? "{\"login\":\"octocat\",\"id\":1}" : "null");
}

static char *form_of(struct peer *p, const struct json *root, const char *old, bool new_one)
{
    struct gh *g = gh(p);
    struct arena m = {0};
    struct err e = {0};
    struct buf text = {0};
    buf_byte(&text, '{');
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        const struct json *n = json_get(root, taken[i].name);
        if (n && !(taken[i].pushers && g->no_push))
            taken[i].put(g, n, &text);
    }
    if (!new_one)
        put_state(p, root, old, &m, &text);
    buf_byte(&text, '}');
    struct json_doc *doc = json_parse(text.data, text.size, NULL, &e);
    char *body = store_form(p, old, json_root(doc));
    json_free(doc);
    buf_fini(&text);
    arena_fini(&m);
    return body;
}

/* --- what is refused --- */

static bool good_texts(const struct json *root, bool new_one, struct answer *a)
{
    const struct json *title = json_get(root, "title"), *body = json_get(root, "body"),
                      *state = json_get(root, "state");
    if ((new_one && !title) || (title && (json_type(title) != JSON_STRING || characters(title) == 0)))
        gh_invalid(a, "Issue", "title", "missing_field", NULL, NULL);
    else if (title && characters(title) > TITLE_MOST)
        gh_invalid(a, "Issue", "title", "custom", "title is too long (maximum is 256 characters)", NULL);
    else if (body && json_type(body) == JSON_STRING && characters(body) > BODY_MOST)
        gh_invalid(a, "Issue", "body", "custom", "body is too long (maximum is 65536 characters)", NULL);
    else if (state && !is(json_text(state, NULL), "open") && !is(json_text(state, NULL), "closed"))
        gh_invalid(a, "Issue", "state", "invalid", NULL, json_text(state, NULL));
    else
        return true;
    return false;
}

static bool good_names(struct peer *p, const struct json *root, struct answer *a)
{
    const struct json *people_given = json_get(root, "assignees"), *milestone = json_get(root, "milestone");
    int64_t number = 0;
    if (gh(p)->no_push)
        return true;
    for (const struct json *n = people_given ? json_first(people_given) : NULL; n; n = json_next(n))
        if (!assignable(json_text(n, NULL))) {
            gh_invalid(a, "Issue", "assignees", "invalid", NULL, json_text(n, NULL));
            return false;
        }
    if (milestone && json_int(milestone, &number) && (number < 1 || (size_t)number > gh(p)->n_milestones)) {
        gh_invalid(a, "Issue", "milestone", "invalid", NULL, NULL);
        return false;
    }
    return true;
}

/* Where there are no issues, deleted and transferred ones. */
static struct record *there(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    struct gh *g = gh(p);
    struct record *r = gh_issue(p, id);
    for (size_t i = 0; i < g->n_moved; i++)
        if (g->moved[i].number == strtoll(id, NULL, 10)) {
            gh_error(a, 301, "Moved Permanently");
            answer_header(a, "Location", arena_printf(&q->memory, "%s/repositories/2/issues/%s", gh_base(q), id));
            return NULL;
        }
    if (g->no_issues)
        gh_error(a, 410, "Issues are disabled for this repo");
    else if (!r)
        gh_error(a, 404, "Not Found");
    else if (record_now(r)->gone)
        gh_error(a, 410, "This issue was deleted");
    else
        return r;
    return NULL;
}

/* --- */

static void answer_issue(struct peer *p, struct record *r, const struct version *v, struct answer *a)
{
    if (trait(p, KNOB_NO_RECORD) && a->status != 200)
        buf_printf(&a->body, "{\"number\":%s}", r->id);
    else
        put_record(p, r, v, &a->body);
}

void gh_list(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    const char *page = request_query(q, "page");
    (void)id;
    if (gh(p)->no_issues) {
        gh_error(a, 410, "Issues are disabled for this repo");
        return;
    }
    if (page && strtoll(page, NULL, 10) > PAGE_MOST) {
        gh_error(a, 422,
                 "Pagination with the page parameter is not supported for large datasets, use cursor based pagination");
        return;
    }
    q->path = arena_text(&q->memory, GITHUB_NUMBER "/issues");
    listing_serve(p, q, a);
}

void gh_read(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    struct record *r = there(p, q, id, a);
    const struct version *v = r ? record_at(r, peer_now_ms(p) - trait(p, KNOB_STALE)) : NULL;
    if (r && !v)
        gh_error(a, 404, "Not Found");
    else if (r)
        put_record(p, r, v, &a->body);
}

void gh_create(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    (void)id;
    if (gh(p)->no_issues) {
        gh_error(a, 410, "Issues are disabled for this repo");
        return;
    }
    struct json_doc *doc = gh_takes_writes(p, a) ? gh_body(q, a) : NULL;
    if (doc && good_texts(json_root(doc), true, a) && good_names(p, json_root(doc), a)) {
        char *body = form_of(p, json_root(doc), p->profile->defaults, true);
        struct record *r = record_new(p, NULL);
        record_change(p, r, body, false);
        mem_free(body);
        p->counted.creates++;
        a->status = 201;
        answer_header(a, "Location", arena_printf(&q->memory, "%s%s/issues/%s", gh_base(q), GITHUB_PATH, r->id));
        answer_issue(p, r, record_now(r), a);
    }
    json_free(doc);
}

void gh_change(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    struct record *r = there(p, q, id, a);
    struct json_doc *doc = r && gh_takes_writes(p, a) ? gh_body(q, a) : NULL;
    if (doc && good_texts(json_root(doc), false, a) && good_names(p, json_root(doc), a)) {
        char *body = form_of(p, json_root(doc), record_now(r)->body, false);
        record_change(p, r, body, false);
        mem_free(body);
        answer_issue(p, r, record_now(r), a);
    }
    json_free(doc);
}
