/* SPDX-License-Identifier: MIT */
/* http.c - the HTTP service of one connection: paced, retried, authorized and redirected by the host's rules. */
#include "net/http.h"

#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/text.h"

enum { IN_FLIGHT = 4, MOST_HOPS = 5, POLL_MS = 200, HEADERS_ADDED = 8 };

struct http {
    struct http_settings settings;
    const struct http_world *world;
    struct auth *auth;
    struct transfer_pool *pool;
    struct arena memory; /* of the origins */
    const char *home; /* the origin of base_url */
    const char *home_as_written; /* what of base_url is before its path */
    const char **others; /* the declared origins */
    bool near; /* home may be a private address */
    struct rate own; /* the pace where it is not shared */
    struct breaker breaker;
    uint64_t calls;
};

/* One request on its way; a slot is used again for the next one. */
struct job {
    struct transfer t;
    const struct sl_http_request *ask; /* NULL: the slot is free */
    struct sl_http_response *out;
    struct arena memory; /* of this job's url and headers */
    const char *url;
    const char *method;
    bool home; /* gets credentials */
    bool in_flight;
    bool refreshed;
    bool doubted; /* an earlier sending may have been carried out: only a good answer settles that */
    uint64_t token; /* which one was sent */
    uint32_t tries, hops;
    int64_t due_us;
    int64_t paused_ms;
};

struct batch {
    struct http *h;
    const char *asks; /* requests, ask_size apart */
    uint32_t ask_size, n, next, left;
    struct sl_http_response *out;
    struct arena *a;
    struct job *jobs;
    uint32_t n_jobs;
};

static int64_t mono_us(const struct http *h)
{
    return h->world->mono_us ? h->world->mono_us(h->world->self) : clock_mono_us();
}

/* --- the pace, which other processes may share: held for a few instructions, and never across a wait --- */

static struct rate *hold(struct http *h)
{
    const struct rate_home *home = &h->settings.pace;
    struct rate *r = home->lock ? home->lock(home->self) : NULL;
    return r ? r : &h->own;
}

static void let_go(struct http *h, const struct rate *r)
{
    if (r != &h->own)
        h->settings.pace.unlock(h->settings.pace.self);
}

/* Microseconds until a request may leave; 0: now, and it counts as sent. */
static int64_t take_turn(struct http *h)
{
    struct rate *r = hold(h);
    int64_t now_us = mono_us(h), wait = rate_wait_us(r, now_us);
    if (wait == 0)
        wait = breaker_wait_ms(&h->breaker, now_us / 1000) * 1000;
    if (wait == 0)
        rate_spend(r, now_us);
    let_go(h, r);
    return wait;
}

static int outcome_of(const struct transfer *t)
{
    if (t->end != NET_ANSWERED || t->status >= 500)
        return RATE_FAULT;
    return t->status == 429 ? RATE_REFUSED : t->status >= 400 ? RATE_REJECTED : RATE_WELL;
}

static void learn_pace(struct http *h, const struct transfer *t, const struct rate_signs *signs)
{
    struct rate *r = hold(h);
    int64_t now_us = mono_us(h), down_ms = h->breaker.open_until_ms - now_us / 1000;
    if (t->end == NET_ANSWERED)
        rate_learn(r, signs, t->status == 429, now_us);
    rate_count(r, outcome_of(t), signs, down_ms > 0 ? down_ms * 1000 : 0, now_us);
    let_go(h, r);
}

/* --- where a request may go --- */

static bool declared(const struct http *h, const char *origin)
{
    for (size_t i = 0; i < h->settings.n_origins; i++)
        if (strcmp(h->others[i], origin) == 0)
            return true;
    return false;
}

/* True if the URL is of base_url's server as that is written there, which is quickly seen; others are taken apart. */
static bool plainly_home(const struct http *h, const char *url)
{
    size_t n = strlen(h->home_as_written);
    return strncmp(url, h->home_as_written, n) == 0 && strchr("/?#", url[n]);
}

/* Sets where the job goes next, and whether with credentials; false with *why if it may not. */
static bool aim(struct http *h, struct job *j, const char *from, const char *reference, const char **why)
{
    struct err e = {0};
    const char *url = NULL, *origin = NULL;
    int rc = url_resolve(from, reference, &j->memory, &url, &e);
    if (rc == 0 && plainly_home(h, url))
        origin = h->home;
    else if (rc || url_origin(url, &j->memory, &origin, &e)) {
        *why = arena_text(&j->memory, e.text);
        return false;
    }
    j->home = strcmp(origin, h->home) == 0;
    if (!j->home && !declared(h, origin)) {
        *why = arena_printf(&j->memory, "%s is not this connection's server (%s), and its connector declares no other",
                            origin, h->home);
        return false;
    }
    if (!j->home && strncmp(h->home, "https", 5) == 0 && strncmp(origin, "https", 5) != 0) {
        *why = arena_printf(&j->memory, "%s is not encrypted, %s is", origin, h->home);
        return false;
    }
    j->url = url;
    return true;
}

/* --- the answer as the connector sees it --- */

static const char *header_of(const struct transfer *t, const char *name)
{
    for (size_t i = 0; i < t->n_got; i++)
        if (strcmp(t->got[i].name, name) == 0)
            return t->got[i].value;
    return NULL;
}

static void answer(struct batch *b, struct job *j, int end, int advice, const char *why)
{
    struct sl_http_response *r = j->out;
    if (j->doubted && end != NET_NO_ANSWER) {
        end = NET_NO_ANSWER;
        advice = SL_RETRY;
        why = arena_printf(b->a, "it may have been carried out: an earlier sending met no answer, the last one: %s",
                           why ? why : "nothing to go by");
    }
    memset(r, 0, sizeof *r);
    r->size = sizeof *r;
    r->end = (uint32_t)end;
    r->advice = (uint32_t)advice;
    r->header_size = sizeof *r->headers;
    r->body = "";
    if (why)
        r->message =
            arena_printf(b->a, "%s %s: %s", j->ask->method, url_shown(j->url ? j->url : j->ask->url, b->a), why);
    j->ask = NULL;
    b->left--;
}

/* rel=next of a Link header (RFC 8288): <url>; rel="next", ... */
static const char *next_link(const char *link, struct arena *a)
{
    for (const char *at = link; at && (at = strchr(at, '<')); at++) {
        const char *end = strchr(at, '>'), *stop = end ? strchr(end, '<') : NULL;
        if (!end)
            return NULL;
        const char *params = arena_printf(a, "%.*s", (int)(stop ? stop - end : (int64_t)strlen(end)), end);
        if (strcasestr(params, "rel=\"next\"") || strcasestr(params, "rel=next"))
            return arena_printf(a, "%.*s", (int)(end - at - 1), at + 1);
        at = end;
    }
    return NULL;
}

static void copy_answer(struct batch *b, struct job *j, const struct net_verdict *v, int64_t wait_ms)
{
    struct transfer *t = &j->t;
    struct sl_http_response *r = j->out;
    const char *why = NULL, *here = j->url, *next = next_link(header_of(t, "link"), &j->memory);
    uint32_t status = t->status;
    j->doubted &= v->fate != FATE_DONE;
    if (next && !aim(b->h, j, here, next, &why)) { /* a listing that went on without it would be cut short */
        answer(b, j, NET_REFUSED, SL_BROKEN, arena_printf(b->a, "its next link is refused: %s", why));
        return;
    }
    next = next ? arena_text(b->a, j->url) : NULL;
    j->url = here;
    if (status >= 400)
        why = arena_printf(b->a, "answered %u", status);
    answer(b, j, NET_ANSWERED, v->advice, why);
    if (r->end != NET_ANSWERED)
        return;
    r->status = status;
    r->next_url = next;
    r->retry_after_ms = wait_ms > 0 ? wait_ms : 0;
    struct sl_header *headers = arena_alloc(b->a, (t->n_got + 1) * sizeof *headers);
    for (size_t i = 0; i < t->n_got; i++)
        headers[i] =
            (struct sl_header){.name = arena_text(b->a, t->got[i].name), .value = arena_text(b->a, t->got[i].value)};
    r->headers = headers;
    r->n_headers = (uint32_t)t->n_got;
    r->body = arena_dup(b->a, t->answer.size ? t->answer.data : "", t->answer.size);
    r->body_bytes = t->answer.size;
}

/* --- sending --- */

static bool repeatable(const struct job *j)
{
    return j->ask->repeatable || j->ask->idempotency_key || policy_safe_method(j->method);
}

/* The connector's headers, then the host's. */
static int dress(struct batch *b, struct job *j, struct err *e)
{
    const struct sl_http_request *ask = j->ask;
    struct http *h = b->h;
    struct sl_header *headers = arena_alloc(&j->memory, (ask->n_headers + HEADERS_ADDED) * sizeof *headers);
    size_t n = 0;
    j->t.n_credit = 0;
    for (uint32_t i = 0; i < ask->n_headers; i++)
        headers[n++] =
            *(const struct sl_header *)(const void *)((const char *)ask->headers + (size_t)i * ask->header_size);
    if (ask->idempotency_key)
        headers[n++] = (struct sl_header){.name = h->settings.idempotency_header ? h->settings.idempotency_header
                                                                                 : "Idempotency-Key",
                                          .value = ask->idempotency_key};
    if (j->home && h->auth) {
        struct auth_request what = {j->method, j->url, headers, n};
        struct auth_credit credit = {0};
        if (auth_credit(h->auth, &what, h->world->now_ms(h->world->self), &j->memory, &credit, e))
            return e->code;
        for (size_t i = 0; i < credit.n_headers; i++)
            headers[n++] = credit.headers[i];
        j->t.n_credit = credit.n_headers;
        j->url = credit.url ? credit.url : j->url;
        j->token = credit.token;
    }
    j->t.headers = headers;
    j->t.n_headers = n;
    return 0;
}

static void send(struct batch *b, struct job *j)
{
    struct err e = {0};
    const char *shown = j->url;
    if (dress(b, j, &e)) {
        answer(b, j, NET_NOT_SENT, e.code == ERR_CONFIG ? SL_AUTH : SL_RETRY, e.text);
        return;
    }
    j->t.method = j->method;
    j->t.url = j->url;
    j->t.shown_url = j->url = shown; /* a key in the query is never shown */
    j->t.body = j->ask->body;
    j->t.body_bytes = j->ask->body_bytes;
    j->t.timeout_ms = j->ask->timeout_ms;
    j->t.once = !repeatable(j);
    j->t.near = b->h->near && (j->home || url_near(j->url));
    j->t.owner = j;
    j->in_flight = true;
    j->tries++;
    b->h->calls++;
    transfer_start(b->h->pool, &j->t);
}

/* --- what an answer leads to --- */

static bool is_redirect(uint32_t status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Follows a redirect; false when the job is over. */
static bool follow(struct batch *b, struct job *j)
{
    const char *to = header_of(&j->t, "location"), *why = NULL;
    uint32_t status = j->t.status;
    bool safe = policy_safe_method(j->method);
    if (!to)
        why = arena_printf(&j->memory, "answered %u without a location", status);
    else if (++j->hops > MOST_HOPS)
        why = "redirected too often";
    else if (!safe && status < 303) /* what becomes of the body is anybody's guess */
        why = arena_printf(&j->memory, "answered %u, which is not followed for %s", status, j->method);
    if (!why && !aim(b->h, j, j->url, to, &why))
        why = arena_printf(&j->memory, "its redirect is refused: %s", why);
    if (why) {
        answer(b, j, NET_REFUSED, SL_BROKEN, why);
        return false;
    }
    if (status == 303 && !safe)
        j->method = "GET";
    return true;
}

static void wait_and_again(struct batch *b, struct job *j, int64_t ms)
{
    j->due_us = mono_us(b->h) + ms * 1000;
}

static bool may_pause(const struct batch *b, struct job *j, int64_t ms)
{
    j->paused_ms += ms;
    return j->paused_ms <= b->h->settings.patience.most_pause_ms;
}

static int64_t backoff(const struct batch *b, const struct job *j)
{
    uint64_t bits = 0;
    b->h->world->random(b->h->world->self, &bits, sizeof bits);
    return policy_backoff_ms(&b->h->settings.patience, j->tries, bits);
}

static struct net_answer learn(struct batch *b, const struct job *j)
{
    struct http *h = b->h;
    const struct transfer *t = &j->t;
    struct rate_signs signs = rate_read(t->got, t->n_got, h->world->now_ms(h->world->self));
    struct net_answer seen = {t->end, t->status, signs.wait_ms, signs.remaining == 0};
    bool fault = t->end == NET_NOT_SENT || t->end == NET_NO_ANSWER || (t->end == NET_ANSWERED && t->status >= 500);
    breaker_tell(&h->breaker, fault, mono_us(h) / 1000);
    learn_pace(h, t, &signs);
    if (seen.wait_ms < 0 && seen.exhausted && signs.reset_ms >= 0)
        seen.wait_ms = signs.reset_ms;
    return seen;
}

static void give(struct batch *b, struct job *j, const struct net_verdict *v, const struct net_answer *seen)
{
    if (j->t.end == NET_ANSWERED)
        copy_answer(b, j, v, seen->wait_ms);
    else
        answer(b, j, j->t.end, v->advice, j->t.why ? j->t.why : "no answer");
}

static void log_answer(const struct batch *b, const struct job *j)
{
    struct arena a = {0};
    const char *why = j->t.end == NET_ANSWERED ? arena_printf(&a, "%u", j->t.status) : j->t.why;
    log_line(LOG_DEBUG, NULL, "%s: %s %s: %s", b->h->settings.connection, j->method, url_shown(j->url, &a), why);
    arena_fini(&a);
}

static void settle(struct batch *b, struct job *j)
{
    struct net_answer seen = learn(b, j);
    log_answer(b, j);
    struct net_verdict v = policy_decide(&seen, repeatable(j));
    bool tired = j->tries >= b->h->settings.patience.most_tries || b->h->world->stopping(b->h->world->self);
    j->in_flight = false;
    j->due_us = 0;
    if (seen.end == NET_ANSWERED && is_redirect(seen.status)) {
        follow(b, j);
        return;
    }
    if (v.step == STEP_REFRESH && !j->refreshed && j->home && b->h->auth && auth_renew(b->h->auth, j->token)) {
        j->refreshed = true;
        return;
    }
    int64_t pause = seen.wait_ms >= 0 ? seen.wait_ms : backoff(b, j);
    if (v.step == STEP_PAUSE && may_pause(b, j, pause) && !b->h->world->stopping(b->h->world->self)) {
        j->tries--;
        wait_and_again(b, j, pause);
    } else if (v.step == STEP_AGAIN && !tired) {
        j->doubted |= v.fate == FATE_UNKNOWN && !policy_safe_method(j->method);
        wait_and_again(b, j, pause);
    } else {
        give(b, j, &v, &seen);
    }
}

/* A path is below base_url, whose own path stays: /tickets of https://host/v2 is /v2/tickets, and not the server's. */
static const char *below_base(const struct http *h, struct job *j, const char *url)
{
    const char *base = h->settings.base_url;
    size_t n = strlen(base);
    if (url[0] != '/' || url[1] == '/')
        return url;
    while (n && base[n - 1] == '/')
        n--;
    return arena_printf(&j->memory, "%.*s%s", (int)n, base, url);
}

/* --- the loop --- */

static void take_next(struct batch *b, struct job *j)
{
    const char *why = NULL;
    uint32_t i = b->next++;
    arena_reset(&j->memory);
    arena_reset(&j->t.memory);
    j->ask = (const struct sl_http_request *)(const void *)(b->asks + (size_t)i * b->ask_size);
    j->out = &b->out[i];
    j->url = NULL;
    j->method = j->ask->method;
    j->refreshed = j->in_flight = j->doubted = false;
    j->tries = j->hops = 0;
    j->due_us = j->paused_ms = 0;
    if (!aim(b->h, j, b->h->settings.base_url, below_base(b->h, j, j->ask->url), &why))
        answer(b, j, NET_REFUSED, SL_BROKEN, why);
}

/* Microseconds until the job may leave; 0: now. *turn is what one before it was told: who waits for its turn lets the others wait too. */
static int64_t wait_before_sending(struct batch *b, const struct job *j, int64_t *turn)
{
    int64_t now_us = mono_us(b->h);
    if (j->due_us > now_us)
        return j->due_us - now_us;
    if (*turn == 0)
        *turn = take_turn(b->h);
    return *turn;
}

/* What ends a request before it leaves; NULL: nothing. */
static const char *held_back(struct batch *b)
{
    int64_t refused_ms = breaker_refuses_ms(&b->h->breaker, mono_us(b->h) / 1000);
    if (b->h->world->stopping(b->h->world->self))
        return "the run is being stopped";
    return refused_ms
               ? arena_printf(b->a, "not asked: the last %u requests met no good answer; it is asked again in %lld s",
                              b->h->breaker.falls, (long long)(refused_ms + 999) / 1000)
               : NULL;
}

/* Sends what is due; the microseconds until something else is. */
static int64_t send_due(struct batch *b)
{
    int64_t soonest = POLL_MS * 1000, turn = 0;
    for (uint32_t i = 0; i < b->n_jobs; i++) {
        struct job *j = &b->jobs[i];
        if (!j->ask && b->next < b->n)
            take_next(b, j);
        if (!j->ask || j->in_flight)
            continue;
        const char *held = held_back(b);
        if (held) {
            answer(b, j, NET_NOT_SENT, SL_RETRY, held);
            continue;
        }
        int64_t wait = wait_before_sending(b, j, &turn);
        if (wait == 0)
            send(b, j);
        else if (wait < soonest)
            soonest = wait;
    }
    return soonest;
}

static void carry_out(struct batch *b)
{
    while (b->left > 0) {
        int64_t wait_us = send_due(b);
        struct transfer *t = b->left ? transfer_next(b->h->pool, (wait_us + 999) / 1000) : NULL;
        if (t)
            settle(b, t->owner);
    }
}

void http_many(struct http *h, const struct sl_http_request *requests, uint32_t n, uint32_t request_size,
               struct arena *a, struct sl_http_response *responses)
{
    uint32_t n_jobs = h->settings.in_flight < n ? h->settings.in_flight : n;
    struct batch b = {.h = h,
                      .asks = (const char *)requests,
                      .ask_size = request_size,
                      .n = n,
                      .left = n,
                      .out = responses,
                      .a = a,
                      .n_jobs = n_jobs};
    b.jobs = mem_alloc((n_jobs + 1) * sizeof *b.jobs);
    carry_out(&b);
    for (uint32_t i = 0; i < n_jobs; i++) {
        transfer_fini(&b.jobs[i].t);
        arena_fini(&b.jobs[i].memory);
    }
    mem_free(b.jobs);
}

/* --- opening --- */

static int read_origins(struct http *h, struct err *e)
{
    struct err bad = {0};
    if (url_origin(h->settings.base_url, &h->memory, &h->home, &bad))
        return err_set(e, ERR_CONFIG, "connection %s: base_url: %s", h->settings.connection, bad.text);
    const char *host = strstr(h->settings.base_url, "://") + 3;
    h->home_as_written =
        arena_dup(&h->memory, h->settings.base_url, (size_t)(host - h->settings.base_url) + strcspn(host, "/?#"));
    h->others = arena_alloc(&h->memory, (h->settings.n_origins + 1) * sizeof *h->others);
    for (size_t i = 0; i < h->settings.n_origins; i++)
        if (url_origin(h->settings.origins[i], &h->memory, &h->others[i], &bad))
            return err_set(e, ERR_CONFIG, "connection %s: origins: %s", h->settings.connection, bad.text);
    return 0;
}

int http_open(const struct http_settings *settings, struct auth *auth, const struct http_world *world,
              struct http **out, struct err *e)
{
    struct http *h = mem_alloc(sizeof *h);
    h->settings = *settings;
    h->world = world;
    h->auth = auth;
    if (h->settings.in_flight == 0)
        h->settings.in_flight = IN_FLIGHT;
    if (h->settings.patience.most_tries == 0)
        h->settings.patience = policy_patience;
    if (read_origins(h, e)) {
        http_close(h);
        return e->code;
    }
    h->near = settings->allow_private || url_near(settings->base_url);
    struct rate *r = hold(h);
    rate_join(r, settings->requests_per_minute, mono_us(h));
    let_go(h, r);
    h->pool = transfer_open(&settings->limits);
    *out = h;
    return 0;
}

void http_close(struct http *h)
{
    if (!h)
        return;
    transfer_close(h->pool);
    arena_fini(&h->memory);
    mem_free(h);
}

uint64_t http_calls(const struct http *h)
{
    return h->calls;
}

int64_t http_per_minute(struct http *h)
{
    struct rate *r = hold(h);
    int64_t per_minute = (int64_t)(r->per_us * 60e6);
    let_go(h, r);
    return per_minute;
}
