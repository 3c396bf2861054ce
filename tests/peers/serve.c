/* SPDX-License-Identifier: MIT */
/* serve.c - a request's way through the peer: what comes late, what strikes before, the API, what strikes after. */
#include <string.h>

#include "peer.h"

static bool writes(const struct request *q)
{
    return !is(q->method, "GET") && !is(q->method, "HEAD");
}

static void serve_api(struct peer *p, struct request *q, struct answer *a)
{
    (p->profile->serve ? p->profile->serve : items_serve)(p, q, a);
}

static bool over_rate(struct peer *p, struct request *q, struct answer *a)
{
    int64_t most = trait(p, KNOB_RATE), now_s = peer_now_ms(p) / 1000;
    if (!most)
        return false;
    if (p->window_s != now_s)
        p->in_window = 0;
    p->window_s = now_s;
    bool over = ++p->in_window > most;
    answer_header(a, "x-ratelimit-limit", arena_printf(&q->memory, "%lld", (long long)most));
    answer_header(a, "x-ratelimit-remaining",
                  arena_printf(&q->memory, "%lld", (long long)(over ? 0 : most - p->in_window)));
    answer_header(a, "x-ratelimit-reset", arena_printf(&q->memory, "%lld", (long long)now_s + 1));
    if (over) {
        p->knobs[KNOB_RATE].struck++;
        answer_header(a, "Retry-After", "1");
        answer_error(a, 429, "too many requests");
    }
    return over;
}

/* Strikes that answer by themselves, in this order; the first one that befalls the call is the answer. */
static const struct {
    int knob;
    int status; /* 0: the knob's value */
    bool header; /* Retry-After of the knob's value */
    bool only_writes;
} before[] = {
    {KNOB_5XX, 0, false, false},       {KNOB_429, 429, true, false},      {KNOB_429_BARE, 429, false, false},
    {KNOB_401, 401, false, false},     {KNOB_403, 403, false, false},     {KNOB_NO_CONTENT, 200, false, false},
    {KNOB_NO_JSON, 200, false, false}, {KNOB_429_WRITE, 429, true, true}, {KNOB_REFUSED, 0, false, true},
};

static bool strikes_before(struct peer *p, struct request *q, struct answer *a)
{
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        int knob = before[i].knob;
        int64_t value = p->knobs[knob].value;
        if ((before[i].only_writes && !writes(q)) || !struck(p, knob))
            continue;
        answer_error(a, before[i].status ? before[i].status : (int)value, knobs[knob].name);
        if (before[i].header)
            answer_header(a, "Retry-After", arena_printf(&q->memory, "%lld", (long long)value));
        if (knob == KNOB_NO_CONTENT || knob == KNOB_NO_JSON)
            buf_clear(&a->body);
        if (knob == KNOB_NO_JSON)
            buf_text(&a->body, "<html><title>Sign in to the proxy</title></html>");
        return true;
    }
    return false;
}

/* The request, taken from its connection, is carried out later. */
static void put_off(struct peer *p, struct request *q)
{
    if (p->n_late == sizeof p->late / sizeof *p->late)
        return;
    p->late[p->n_late].q = mem_alloc(sizeof *q);
    *p->late[p->n_late].q = *q;
    p->late[p->n_late++].at_ms = peer_now_ms(p) + p->knobs[KNOB_LATE].value;
    *q = (struct request){.method = "", .path = ""};
}

static void carry_out_late(struct peer *p)
{
    for (size_t i = 0; i < p->n_late;) {
        struct request *q = p->late[i].q;
        struct answer a = {.status = 200};
        if (p->late[i].at_ms > peer_now_ms(p)) {
            i++;
            continue;
        }
        memmove(&p->late[i], &p->late[i + 1], (--p->n_late - i) * sizeof *p->late);
        p->counted.late++;
        serve_api(p, q, &a);
        buf_fini(&a.body);
        buf_fini(&q->body);
        arena_fini(&q->memory);
        mem_free(q);
    }
}

static void serve_write(struct peer *p, struct request *q, struct answer *a)
{
    p->counted.writes++;
    if (struck(p, KNOB_REQUEST_LOST)) {
        a->dropped = true;
        return;
    }
    if (struck(p, KNOB_LATE)) {
        a->dropped = true;
        put_off(p, q);
        return;
    }
    serve_api(p, q, a);
    if (struck(p, KNOB_5XX_AFTER))
        answer_error(a, (int)p->knobs[KNOB_5XX_AFTER].value, "something went wrong");
    a->dropped = a->dropped || struck(p, KNOB_REPLY_LOST);
}

static bool unauthorized(struct peer *p, struct request *q, struct answer *a)
{
    if (struck(p, KNOB_TOKEN_EXPIRES))
        oauth_expire(p);
    if (!trait(p, KNOB_NEEDS_TOKEN) || oauth_good(p, q))
        return false;
    p->counted.unauthorized++;
    answer_header(a, "WWW-Authenticate", "Bearer error=\"invalid_token\"");
    answer_error(a, 401, "invalid_token");
    return true;
}

static void count(struct peer *p, const struct request *q)
{
    p->counted.requests++;
    p->counted.with_credentials += request_header(q, "Authorization") != NULL;
    p->counted.reads += !writes(q);
}

void peer_serve(struct peer *p, struct request *q, struct answer *a)
{
    carry_out_late(p);
    if (strncmp(q->path, "/_peer/", 7) == 0) {
        peer_control(p, q, a);
        return;
    }
    count(p, q);
    a->held = struck(p, KNOB_NO_ANSWER);
    if (a->held && p->knobs[KNOB_NO_ANSWER].value)
        return;
    if (is(q->path, "/oauth/token")) {
        oauth_serve(p, q, a);
        return;
    }
    if (is(q->path, "/app/installations/7/access_tokens")) {
        oauth_serve_app(p, q, a);
        return;
    }
    if (over_rate(p, q, a) || strikes_before(p, q, a) || unauthorized(p, q, a))
        return;
    if (writes(q))
        serve_write(p, q, a);
    else
        serve_api(p, q, a);
}
