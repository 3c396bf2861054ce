/* SPDX-License-Identifier: MIT */
/* reception.c - the supervisor's end of webhooks: the receiver that takes them, and what becomes of those it has in hand. */
#include "daemon/reception.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/json.h"
#include "base/log.h"

/* One that has a delivery in hand and says nothing for so long hangs; its senders have long been told to repeat. */
static const int64_t silent_ms = 15000, load_ms = 60000, restart_base_ms = 250, restart_cap_ms = 30000;

/* --- which receiver --- */

void reception_set(struct reception *r, uint64_t number, bool wanted, int64_t now_ms)
{
    r->number = number;
    r->wanted = wanted;
    r->failures = 0;
    r->not_before_ms = now_ms;
    r->trouble[0] = '\0';
}

/* What it is to have it still gets; the end of what it reads is the end of its work. */
static void let_go(struct receiver *t)
{
    struct channel *c = &t->child.channel;
    if (!t->leaving || t->told_end || c->fd < 0 || !channel_flush(c) || c->out.size)
        return;
    shutdown(c->fd, SHUT_WR);
    t->told_end = true;
}

static void dismiss(struct receiver *t)
{
    t->leaving = true;
    let_go(t);
}

/* The newest that is ready; while the first one loads, what comes waits in its channel. */
static struct receiver *taker(const struct reception *r)
{
    struct receiver *best = NULL;
    for (size_t i = 0; i < r->n; i++) {
        struct receiver *t = r->all[i];
        if (!t->leaving && t->child.channel.fd >= 0 && (t->ready || !best))
            best = t;
    }
    return best;
}

static void start(struct reception *r, int conf_fd, int64_t now_ms)
{
    struct err e = {0};
    struct receiver *t = mem_alloc(sizeof *t);
    if (child_start(&t->child, r->config, "receiver", conf_fd, &e)) {
        log_line(LOG_ERROR, NULL, "%s", e.text);
        r->not_before_ms = now_ms + 1000;
        mem_free(t);
        return;
    }
    t->config = r->number;
    t->since_ms = now_ms;
    r->all[r->n++] = t;
}

static bool has_current(const struct reception *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->all[i]->config == r->number && !r->all[i]->leaving)
            return true;
    return false;
}

/* --- deliveries --- */

static void answer(struct reception_world *w, uint64_t number, int outcome)
{
    struct buf bytes = {0};
    struct answer a = delivery_answer(number, outcome);
    answer_put(&bytes, &a);
    message_put(w->to_gateway, MESSAGE_ANSWER, bytes.data, bytes.size);
    buf_fini(&bytes);
}

/* Without webhooks in the config every path of them leads nowhere. */
void reception_take(struct reception *r, const struct message *m, int64_t now_ms, struct reception_world *w)
{
    uint64_t number = request_number(m->text, m->n_bytes);
    struct receiver *t = taker(r);
    if (!r->wanted) {
        figures_count_hooks(w->figures, "", DELIVERY_REFUSED, 1);
        answer(w, number, DELIVERY_REFUSED);
    } else if (!t || t->n_in_hand == RECEPTION_ROOM) {
        answer(w, number, DELIVERY_FAILED);
    } else {
        if (t->n_in_hand == 0 && t->ready)
            t->since_ms = now_ms;
        t->in_hand[t->n_in_hand++] = number;
        message_put(&t->child.channel.out, MESSAGE_REQUEST, m->text, m->n_bytes);
        channel_flush(&t->child.channel);
    }
}

/* It may answer what it has in hand, and nothing else. */
static bool give_back(struct receiver *t, uint64_t number)
{
    for (size_t i = 0; i < t->n_in_hand; i++)
        if (t->in_hand[i] == number) {
            t->in_hand[i] = t->in_hand[--t->n_in_hand];
            return true;
        }
    return false;
}

/* --- what a receiver tells --- */

static const char *text_in(const struct json *object, const char *key)
{
    const struct json *node = json_type(object) == JSON_OBJECT ? json_get(object, key) : NULL;
    return node && json_type(node) == JSON_STRING ? json_text(node, NULL) : "";
}

static uint64_t number_in(const struct json *object, const char *key)
{
    const struct json *node = json_type(object) == JSON_OBJECT ? json_get(object, key) : NULL;
    int64_t n = 0;
    return node && json_int(node, &n) && n > 0 ? (uint64_t)n : 0;
}

static const struct json *list_in(const struct json *root, const char *key)
{
    const struct json *list = json_type(root) == JSON_OBJECT ? json_get(root, key) : NULL;
    return list && json_type(list) == JSON_LIST ? json_first(list) : NULL;
}

static void take_counts(const struct json *node, struct reception_world *w)
{
    for (int k = 1; k < DELIVERY_OUTCOMES; k++) {
        uint64_t n = number_in(node, delivery_outcome_names[k]);
        if (n)
            figures_count_hooks(w->figures, text_in(node, "connection"), k, n);
    }
}

static void take_trouble(struct reception *r, const struct json *node, struct reception_world *w)
{
    const char *name = text_in(node, "connection");
    uint64_t times = number_in(node, "times");
    snprintf(r->trouble, sizeof r->trouble, "webhooks%s%s: %s", *name ? " of " : "", name, text_in(node, "text"));
    if (times > 1)
        log_line(LOG_WARN, NULL, "%s (%" PRIu64 " times since this was said last)", r->trouble, times);
    else
        log_line(LOG_WARN, NULL, "%s", r->trouble);
    w->told = true;
}

/* False: it is none. */
static bool take_news(struct reception *r, const struct message *m, struct reception_world *w)
{
    struct err e = {0};
    struct json_doc *doc = json_parse(m->text, m->n_bytes, NULL, &e);
    const struct json *root = doc ? json_root(doc) : NULL;
    for (const struct json *n = root ? list_in(root, "wake") : NULL; n; n = json_next(n))
        if (json_type(n) == JSON_STRING)
            w->wake(w->self, json_text(n, NULL));
    for (const struct json *n = root ? list_in(root, "counts") : NULL; n; n = json_next(n))
        take_counts(n, w);
    for (const struct json *n = root ? list_in(root, "trouble") : NULL; n; n = json_next(n))
        take_trouble(r, n, w);
    bool good = root && json_type(root) == JSON_OBJECT;
    json_free(doc);
    return good;
}

static void take_ready(struct reception *r, struct receiver *t)
{
    t->ready = true;
    r->failures = 0;
    for (size_t i = 0; i < r->n; i++)
        if (r->all[i] != t && (r->all[i]->config != t->config))
            dismiss(r->all[i]);
}

/* The workers have taken that config: what is wrong is that it is not what it was, such as a secret's file. */
static void take_refusal(struct reception *r, struct receiver *t, const struct message *m)
{
    const char *end = memchr(m->text, '\n', m->n_bytes);
    log_line(r->failures ? LOG_DEBUG : LOG_ERROR, NULL,
             "the receiver of webhooks refuses the config that is in force: %.*s",
             (int)(end ? end - m->text : (ptrdiff_t)m->n_bytes), m->text);
    dismiss(t);
}

/* False: no receiver says that. */
static bool take_message(struct reception *r, struct receiver *t, const struct message *m, struct reception_world *w)
{
    switch (m->kind) {
    case MESSAGE_LOADED:
        take_ready(r, t);
        return true;
    case MESSAGE_REFUSED:
        take_refusal(r, t, m);
        return true;
    case MESSAGE_HOOKS:
        return take_news(r, m, w);
    case MESSAGE_ANSWER:
        if (give_back(t, request_number(m->text, m->n_bytes)))
            message_put(w->to_gateway, MESSAGE_ANSWER, m->text, m->n_bytes);
        return true;
    default:
        return false;
    }
}

static void hear(struct reception *r, struct receiver *t, int64_t now_ms, struct reception_world *w)
{
    struct message m;
    int got = 0;
    if (t->child.channel.fd < 0)
        return;
    bool well = channel_fill(&t->child.channel);
    while ((got = channel_next(&t->child.channel, &m)) > 0) {
        t->since_ms = now_ms;
        if (!take_message(r, t, &m, w)) {
            got = -1;
            break;
        }
    }
    let_go(t);
    if (well && got == 0 && (t->leaving || channel_flush(&t->child.channel)))
        return;
    channel_close(&t->child.channel);
    if (t->child.pid && !t->leaving)
        kill(t->child.pid, SIGKILL);
}

void reception_hear(struct reception *r, int64_t now_ms, struct reception_world *w)
{
    for (size_t i = 0; i < r->n; i++)
        hear(r, r->all[i], now_ms, w);
}

/* --- their ends --- */

/* What it had in hand was not acknowledged: the sender's to repeat. */
static void bury(struct reception *r, size_t i, const char *how, bool stopping, int64_t now_ms,
                 struct reception_world *w)
{
    struct receiver *t = r->all[i];
    for (size_t k = 0; k < t->n_in_hand; k++)
        answer(w, t->in_hand[k], DELIVERY_FAILED);
    if (!t->ready && t->config == r->number) {
        int64_t wait = restart_base_ms << (r->failures < 7 ? r->failures : 7);
        r->failures++;
        r->not_before_ms = now_ms + (wait < restart_cap_ms ? wait : restart_cap_ms);
    }
    if (!t->leaving && !stopping) {
        r->restarts++;
        log_line(LOG_WARN, NULL, "the receiver of webhooks %s; another takes over", how);
    }
    channel_close(&t->child.channel);
    mem_free(t);
    memmove(&r->all[i], &r->all[i + 1], (--r->n - i) * sizeof(*r->all));
}

static bool hangs(const struct receiver *t, int64_t now_ms)
{
    return now_ms - t->since_ms > (t->ready ? silent_ms : load_ms) && (t->n_in_hand || !t->ready);
}

void reception_tend(struct reception *r, int conf_fd, bool stopping, int64_t now_ms, struct reception_world *w)
{
    char how[64];
    for (size_t i = r->n; i-- > 0;) {
        struct receiver *t = r->all[i];
        if (t->child.pid && hangs(t, now_ms))
            kill(t->child.pid, SIGKILL);
        if (child_ended(&t->child, how)) {
            hear(r, t, now_ms, w); /* its last words */
            bury(r, i, how, stopping, now_ms, w);
        }
    }
    for (size_t i = 0; !r->wanted && i < r->n; i++)
        dismiss(r->all[i]);
    if (r->wanted && !stopping && !has_current(r) && r->n < RECEPTION_MAX && now_ms >= r->not_before_ms)
        start(r, conf_fd, now_ms);
}

void reception_stop(struct reception *r)
{
    for (size_t i = 0; i < r->n; i++)
        dismiss(r->all[i]);
}

size_t reception_fds(const struct reception *r, struct pollfd *fds)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct channel *c = &r->all[i]->child.channel;
        if (c->fd >= 0)
            fds[n++] = (struct pollfd){c->fd, (short)(c->out.size ? POLLIN | POLLOUT : POLLIN), 0};
    }
    return n;
}

int64_t reception_wait_ms(const struct reception *r, int64_t most, int64_t now_ms)
{
    int64_t left = r->not_before_ms > now_ms ? r->not_before_ms - now_ms : 0;
    return r->wanted && !has_current(r) && left < most ? left : most;
}
