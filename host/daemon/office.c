/* SPDX-License-Identifier: MIT */
/* office.c - the supervisor's end of the gateway: starts it, answers what it asks, hands webhooks to their receiver. */
#include "daemon/office.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/claim.h"
#include "daemon/survey.h"

static const int64_t gateway_wait_ms = 500;

static void start_gateway(struct supervisor *s, int64_t now_ms)
{
    struct err e = {0};
    s->gateway_at_ms = now_ms;
    if (child_start_bare(&s->gateway, s->config, "gateway", s->listen_fd, &e) == 0)
        return;
    log_line(LOG_ERROR, NULL, "%s", e.text);
    s->gateway_at_ms = now_ms + 10 * gateway_wait_ms;
}

static void put_ready(const struct supervisor *s, struct buf *out)
{
    if (s->stopping)
        buf_text(out, "stopping\n");
    else if (!s->roster.state)
        buf_text(out, "no config yet\n");
}

/* What the gateway does not take waits; one that only asks gets no answer. */
static void answer_gateway(struct supervisor *s, const struct message *m, int64_t now_ms)
{
    struct buf text = {0};
    bool metrics = message_is(m, "metrics");
    if (metrics) {
        s->host.workers = s->pool.n;
        s->host.running = pool_running(&s->pool);
        s->host.receiver_restarts = s->reception.restarts;
        survey_put(&s->figures, &s->host, &s->roster, s->schedule, &s->parking, now_ms, &text);
    } else {
        put_ready(s, &text);
    }
    if (s->gateway.channel.out.size < MESSAGE_MAX_BYTES)
        message_put(&s->gateway.channel.out, metrics ? MESSAGE_METRICS : MESSAGE_READY, text.data, text.size);
    buf_fini(&text);
}

/* --- the API --- */

static bool wake_now(void *self, const char *pair)
{
    struct supervisor *s = self;
    for (size_t i = 0; i < s->roster.n_pairs; i++) /* children run behind their parent */
        if (strcmp(s->roster.pairs[i], pair) == 0)
            pair = s->roster.parents[i];
    if (s->stopping || !schedule_now(s->schedule, pair, clock_boot_ms()))
        return false;
    board_put(&s->board, schedule_find(s->schedule, pair));
    return true;
}

static void take_errand(struct supervisor *s, const struct message *m)
{
    struct request_header headers[REQUEST_HEADERS_MAX];
    struct request r;
    if (request_read(m->text, m->n_bytes, headers, &r))
        clerk_take(&s->clerk, &r);
}

/* --- webhooks --- */

static void wake(void *self, const char *pair)
{
    struct supervisor *s = self;
    schedule_wake(s->schedule, pair, s->turn_ms);
}

static struct reception_world world_of(struct supervisor *s)
{
    return (struct reception_world){
        .self = s, .wake = wake, .to_gateway = &s->gateway.channel.out, .figures = &s->figures};
}

void office_note(struct supervisor *s, const char *refused)
{
    mem_free(s->refused);
    s->refused = refused ? mem_dup(refused) : NULL;
    claim_note(s->claim, s->refused, s->reception.trouble);
}

static void tell_trouble(struct supervisor *s, const struct reception_world *w)
{
    if (w->told && s->claim >= 0)
        claim_note(s->claim, s->refused, s->reception.trouble);
}

/* --- what the gateway says --- */

static void take_request(struct supervisor *s, const struct message *m, int64_t now_ms)
{
    struct reception_world w = world_of(s);
    const char *route = request_route(m->text, m->n_bytes);
    if (strcmp(route, API_PATH) == 0)
        take_errand(s, m);
    else if (strcmp(route, DELIVERY_PATH) == 0)
        reception_take(&s->reception, m, now_ms, &w);
}

/* By a name that the config has not, it is a stray. */
static void take_full(struct supervisor *s, const struct message *m)
{
    char name[DELIVERY_NAME_MAX + 1] = "";
    if (m->n_bytes < sizeof name)
        memcpy(name, m->text, m->n_bytes);
    figures_count_hooks(&s->figures, name, DELIVERY_FULL, 1);
}

static void take_word(struct supervisor *s, const struct message *m, int64_t now_ms)
{
    if (m->kind == MESSAGE_ASK)
        answer_gateway(s, m, now_ms);
    else if (m->kind == MESSAGE_REQUEST)
        take_request(s, m, now_ms);
    else if (m->kind == MESSAGE_FULL)
        take_full(s, m);
}

static void hear_gateway(struct supervisor *s, int64_t now_ms)
{
    struct message m;
    int got = 0;
    if (s->gateway.channel.fd < 0)
        return;
    bool well = channel_fill(&s->gateway.channel);
    while (well && (got = channel_next(&s->gateway.channel, &m)) > 0)
        take_word(s, &m, now_ms);
    if (well && got == 0)
        return;
    channel_close(&s->gateway.channel);
    if (s->gateway.pid)
        kill(s->gateway.pid, SIGKILL);
}

static void tend_gateway(struct supervisor *s, int64_t now_ms)
{
    char how[64];
    if (child_ended(&s->gateway, how)) {
        channel_close(&s->gateway.channel);
        if (!s->stopping) {
            log_line(LOG_WARN, NULL, "the gateway %s; a new one takes over", how);
            s->host.gateway_restarts++;
            s->gateway_at_ms = now_ms - s->gateway_at_ms > 10 * gateway_wait_ms ? now_ms : now_ms + gateway_wait_ms;
        }
    }
    if (!s->gateway.pid && !s->stopping && s->listen_fd >= 0 && now_ms >= s->gateway_at_ms)
        start_gateway(s, now_ms);
}

void office_open(struct supervisor *s)
{
    s->clerk = (struct clerk){.to_gateway = &s->gateway.channel.out, .self = s, .wake = wake_now};
    s->reception.config = s->config;
    clerk_open(&s->clerk);
}

void office_shut(struct supervisor *s)
{
    clerk_close(&s->clerk);
    mem_free(s->refused);
}

void office_tend(struct supervisor *s, int64_t now_ms)
{
    struct reception_world w = world_of(s);
    tend_gateway(s, now_ms);
    errands_tend(s->clerk.errands, s->config, s->conf_fd, now_ms);
    reception_tend(&s->reception, s->conf_fd, s->stopping, now_ms, &w);
    tell_trouble(s, &w);
}

/* What nobody is there to hear is not kept for the gateway after that. */
static void flush_gateway(struct supervisor *s)
{
    struct channel *c = &s->gateway.channel;
    if (c->fd >= 0 && channel_flush(c))
        return;
    channel_close(c);
    if (s->gateway.pid)
        kill(s->gateway.pid, SIGKILL);
}

void office_hear(struct supervisor *s, int64_t now_ms)
{
    struct reception_world w = world_of(s);
    hear_gateway(s, now_ms);
    reception_hear(&s->reception, now_ms, &w);
    tell_trouble(s, &w);
    flush_gateway(s);
}

void office_stop(struct supervisor *s)
{
    errands_stop(s->clerk.errands);
    reception_stop(&s->reception);
    if (s->gateway.pid)
        shutdown(s->gateway.channel.fd, SHUT_WR);
}

bool office_closed(const struct supervisor *s)
{
    return !s->gateway.pid && s->reception.n == 0 && errands_running(s->clerk.errands) == 0;
}
