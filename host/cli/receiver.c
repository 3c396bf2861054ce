/* SPDX-License-Identifier: MIT */
/* receiver.c - the hidden command `receiver`: webhooks verified by their connector, made durable hints, answered. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "cli/cli.h"
#include "daemon/child.h"
#include "daemon/delivery.h"
#include "net/sign.h"
#include "store/hooks.h"

enum { BATCH_MAX = 256, PER_SECOND = 2000, AT_ONCE = 4000, TROUBLE_EVERY_MS = 60000 };

/* What is wrong with a connection's webhooks, said once a minute at most. */
struct trouble {
    char text[sizeof((struct err *)0)->text]; /* "": nothing that is not told */
    uint64_t times;
    int64_t told_ms; /* 0: never */
};

/* A connection that takes webhooks. */
struct desk {
    const struct conf_connection *connection;
    struct session *session;
    struct delivery_bucket bucket;
    struct trouble trouble;
    uint64_t counts[DELIVERY_OUTCOMES];
};

struct delivery {
    uint64_t number;
    struct desk *desk; /* NULL: of none */
    int outcome; /* enum delivery_outcome */
    bool waits; /* for the commit */
};

struct receiver {
    struct cli *c;
    struct channel channel;
    struct hooks *hooks;
    struct desk *desks;
    size_t n_desks;
    uint64_t strays;
    struct trouble stray, store; /* of no connection */

    /* Those that are answered together. */
    struct delivery batch[BATCH_MAX];
    size_t n_batch;
    struct hash128 digests[BATCH_MAX];
    size_t n_digests;
    struct hook_hint *hints;
    size_t n_hints, room;
    bool *wake; /* by pair */
    struct arena arena;
};

/* --- what a delivery hints at --- */

/* As the connector emits them: kept until the whole delivery is found good. */
struct hinted {
    struct arena *arena;
    struct hint {
        const char *object, *id;
        struct hint *next;
    } * first;
};

static int keep_hint(void *self, const struct sl_item *item)
{
    struct hinted *h = self;
    struct hint *hint = arena_alloc(h->arena, sizeof *hint);
    *hint = (struct hint){arena_text(h->arena, item->object), arena_text(h->arena, item->id), h->first};
    h->first = hint;
    return 0;
}

static void add_row(struct receiver *r, size_t pair, int side, const char *id)
{
    const struct conf_pair *p = &r->c->conf->pairs[pair], *top = p;
    while (top->parent)
        top = top->parent;
    r->wake[top - r->c->conf->pairs] = true;
    if (r->n_hints == r->room) {
        r->room = r->room ? 2 * r->room : 64;
        r->hints = mem_grow(r->hints, r->room * sizeof *r->hints);
    }
    r->hints[r->n_hints++] = (struct hook_hint){p->name, side, id};
}

/* A hint that names no object is of a pair's own records, not of their children. */
static void add_hint(struct receiver *r, const struct desk *d, const struct hint *h)
{
    const struct conf *conf = r->c->conf;
    for (size_t i = 0; i < conf->n_pairs; i++)
        for (int s = 0; s < 2; s++) {
            const struct conf_pair *p = &conf->pairs[i];
            bool meant = h->object ? strcmp(p->side[s].object, h->object) == 0 : !p->parent;
            if (meant && &conf->connections[p->side[s].connection_index] == d->connection)
                add_row(r, i, s, h->id);
        }
}

/* --- what is wrong --- */

static void note(struct trouble *t, const char *text)
{
    snprintf(t->text, sizeof t->text, "%s", text);
    t->times++;
}

static void note_stray(struct receiver *r, const char *name)
{
    char text[300];
    bool plain = *name && !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")];
    snprintf(
        text, sizeof text,
        "one came for '%s', which takes none: correct the address at its sender, or give that connection \"hooks\"",
        plain ? name : "?");
    note(&r->stray, text);
    r->strays++;
}

static bool due(const struct trouble *t, int64_t now_ms)
{
    return t->text[0] && (!t->told_ms || now_ms - t->told_ms >= TROUBLE_EVERY_MS);
}

static void put_trouble(struct buf *out, const char *connection, struct trouble *t, int64_t now_ms)
{
    if (!due(t, now_ms))
        return;
    buf_text(out, out->data[out->size - 1] == '[' ? "{" : ",{");
    json_put_text(out, "connection", connection);
    buf_printf(out, ",\"times\":%llu", (unsigned long long)t->times);
    json_put_text(out, "text", t->text);
    buf_byte(out, '}');
    *t = (struct trouble){.told_ms = now_ms};
}

/* --- one delivery --- */

static struct desk *find_desk(struct receiver *r, const char *name)
{
    for (size_t i = 0; i < r->n_desks; i++)
        if (strcmp(r->desks[i].connection->name, name) == 0)
            return &r->desks[i];
    return NULL;
}

/* Both are looked at, whichever is right. */
static bool right_token(const struct desk *d, const char *given)
{
    bool right = false;
    for (int i = 0; i < 2; i++) {
        const char *token = d->connection->hook_token[i];
        if (token && sign_equal(token, strlen(token), given, strlen(given)))
            right = true;
    }
    return right;
}

static int verify(struct receiver *r, struct desk *d, const struct request *q, struct hinted *hinted)
{
    struct sl_header *headers = arena_alloc(&r->arena, (q->n_headers + 1) * sizeof *headers);
    struct err *e = &r->c->err;
    for (size_t i = 0; i < q->n_headers; i++)
        headers[i] = (struct sl_header){q->headers[i].name, q->headers[i].value};
    struct sl_hook hook = {.size = sizeof hook,
                           .n_headers = (uint32_t)q->n_headers,
                           .header_size = sizeof *headers,
                           .headers = headers,
                           .body = q->body,
                           .body_bytes = q->n_body,
                           .received_ms = clock_now_ms()};
    const struct conf_connection *k = d->connection;
    int rc = d->session ? SL_OK
                        : session_open(plugin_table(k->lib), k->name, k->settings, k->n_settings, &session_real_world,
                                       &d->session, e);
    if (rc == SL_OK)
        rc = session_webhook(d->session, &hook, (struct session_sink){hinted, keep_hint}, e);
    if (rc != SL_OK)
        note(&d->trouble, e->text);
    err_clear(e);
    return rc == SL_OK ? DELIVERY_ACCEPTED : rc == SL_AUTH || rc == SL_REJECTED ? DELIVERY_REFUSED : DELIVERY_FAILED;
}

/* Known by the bytes that were signed; of a connector that verifies otherwise by all of it. */
static struct hash128 digest_of(const struct desk *d, const struct request *q)
{
    struct hash128 digest;
    struct buf all = {0};
    if (!session_signed(d->session, &digest)) {
        for (size_t i = 0; i < q->n_headers; i++)
            buf_printf(&all, "%s: %s\n", q->headers[i].name, q->headers[i].value);
        buf_add(&all, q->body, q->n_body);
        digest = hash128(all.data, all.size);
        buf_fini(&all);
    }
    struct hash128 both[2] = {digest, hash128(d->connection->name, strlen(d->connection->name))};
    return hash128(both, sizeof both);
}

static bool in_batch(const struct receiver *r, const struct hash128 *digest)
{
    for (size_t i = 0; i < r->n_digests; i++)
        if (memcmp(&r->digests[i], digest, sizeof *digest) == 0)
            return true;
    return false;
}

/* Good, and its sender's: is it new? */
static int take_good(struct receiver *r, struct delivery *t, const struct request *q, const struct hinted *hinted)
{
    struct hash128 digest = digest_of(t->desk, q);
    bool seen = false;
    int64_t now_ms = clock_now_ms();
    t->waits = in_batch(r, &digest);
    if (t->waits)
        return DELIVERY_AGAIN;
    if (hooks_seen(r->hooks, digest, now_ms, &seen, &r->c->err)) {
        note(&r->store, r->c->err.text);
        err_clear(&r->c->err);
        return DELIVERY_FAILED;
    }
    if (seen)
        return DELIVERY_AGAIN;
    if (!delivery_bucket_take(&t->desk->bucket, PER_SECOND, AT_ONCE, clock_mono_ms()))
        return DELIVERY_LIMITED;
    for (const struct hint *h = hinted->first; h; h = h->next)
        add_hint(r, t->desk, h);
    r->digests[r->n_digests++] = digest;
    t->waits = true;
    return DELIVERY_ACCEPTED;
}

static int take_delivery(struct receiver *r, struct delivery *t, const struct request *q)
{
    struct delivery_path path = delivery_path_read(q->path);
    struct hinted hinted = {.arena = &r->arena};
    t->desk = find_desk(r, path.connection);
    if (!t->desk) {
        note_stray(r, path.connection);
        return DELIVERY_REFUSED;
    }
    if (!right_token(t->desk, path.token)) {
        note(&t->desk->trouble, "the end of its path is not the token of \"hooks\": correct the address at its sender");
        return DELIVERY_REFUSED;
    }
    int outcome = verify(r, t->desk, q, &hinted);
    return outcome == DELIVERY_ACCEPTED ? take_good(r, t, q, &hinted) : outcome;
}

static void take_message(struct receiver *r, const struct message *m)
{
    struct request_header headers[REQUEST_HEADERS_MAX];
    struct request q;
    if (m->kind != MESSAGE_REQUEST || !request_read(m->text, m->n_bytes, headers, &q))
        return;
    struct delivery *t = &r->batch[r->n_batch++];
    *t = (struct delivery){.number = q.number};
    t->outcome = take_delivery(r, t, &q);
}

/* --- a batch --- */

static void keep(struct receiver *r)
{
    struct err *e = &r->c->err;
    if (!r->n_digests || hooks_put(r->hooks, r->hints, r->n_hints, r->digests, r->n_digests, clock_now_ms(), e) == 0)
        return;
    note(&r->store, e->text);
    err_clear(e);
    for (size_t i = 0; i < r->n_batch; i++)
        if (r->batch[i].waits)
            r->batch[i].outcome = DELIVERY_FAILED;
    memset(r->wake, 0, r->c->conf->n_pairs);
}

static bool say(struct receiver *r, int kind, struct buf *text)
{
    text->size = log_scrub(text->data, text->size);
    bool said = channel_say(&r->channel, kind, text->data, text->size);
    buf_fini(text);
    return said;
}

static void put_wakes(struct receiver *r, struct buf *out)
{
    for (size_t i = 0; i < r->c->conf->n_pairs; i++)
        if (r->wake[i]) {
            buf_text(out, out->data[out->size - 1] == '[' ? "" : ",");
            json_put_string(out, r->c->conf->pairs[i].name, strlen(r->c->conf->pairs[i].name));
        }
}

static void put_counts(struct buf *out, const char *connection, uint64_t counts[DELIVERY_OUTCOMES])
{
    uint64_t any = 0;
    for (int k = 1; k < DELIVERY_OUTCOMES; k++)
        any += counts[k];
    if (!any)
        return;
    buf_text(out, out->data[out->size - 1] == '[' ? "{" : ",{");
    json_put_text(out, "connection", connection);
    for (int k = 1; k < DELIVERY_OUTCOMES; k++) {
        json_put_key(out, delivery_outcome_names[k]);
        buf_printf(out, "%llu", (unsigned long long)counts[k]);
        counts[k] = 0;
    }
    buf_byte(out, '}');
}

static bool tell(struct receiver *r)
{
    struct buf out = {0};
    int64_t now_ms = clock_mono_ms();
    uint64_t strays[DELIVERY_OUTCOMES] = {[DELIVERY_REFUSED] = r->strays};
    buf_text(&out, "{\"wake\":[");
    put_wakes(r, &out);
    buf_text(&out, "],\"counts\":[");
    for (size_t i = 0; i < r->n_desks; i++)
        put_counts(&out, r->desks[i].connection->name, r->desks[i].counts);
    put_counts(&out, "", strays);
    buf_text(&out, "],\"trouble\":[");
    for (size_t i = 0; i < r->n_desks; i++)
        put_trouble(&out, r->desks[i].connection->name, &r->desks[i].trouble, now_ms);
    put_trouble(&out, "", &r->stray, now_ms);
    put_trouble(&out, "", &r->store, now_ms);
    buf_text(&out, "]}");
    return say(r, MESSAGE_HOOKS, &out);
}

static bool answer(struct receiver *r, const struct delivery *t)
{
    struct buf bytes = {0};
    struct answer a = delivery_answer(t->number, t->outcome);
    answer_put(&bytes, &a);
    bool said = channel_say(&r->channel, MESSAGE_ANSWER, bytes.data, bytes.size);
    buf_fini(&bytes);
    return said;
}

/* Order is important: what is acknowledged is durable. */
static bool end_batch(struct receiver *r)
{
    keep(r);
    for (size_t i = 0; i < r->n_batch; i++)
        if (r->batch[i].desk)
            r->batch[i].desk->counts[r->batch[i].outcome]++;
    bool said = tell(r);
    for (size_t i = 0; i < r->n_batch && said; i++)
        said = answer(r, &r->batch[i]);
    r->n_batch = r->n_digests = r->n_hints = 0;
    r->strays = 0;
    memset(r->wake, 0, r->c->conf->n_pairs);
    arena_reset(&r->arena);
    return said;
}

/* A message that is here already; false: there is none. */
static bool at_hand(struct receiver *r, struct message *m)
{
    struct pollfd fd = {r->channel.fd, POLLIN, 0};
    int got = 0;
    while ((got = channel_next(&r->channel, m)) == 0 && poll(&fd, 1, 0) > 0)
        if (!channel_fill(&r->channel))
            return false;
    return got > 0;
}

static void serve(struct receiver *r)
{
    struct message m;
    bool on = true;
    while (on && channel_hear(&r->channel, &m)) {
        take_message(r, &m);
        while (r->n_batch < BATCH_MAX && at_hand(r, &m))
            take_message(r, &m);
        on = end_batch(r);
    }
}

/* --- begin and end --- */

static bool load(struct receiver *r)
{
    struct cli *c = r->c;
    struct buf problems = {0}, answer = {0};
    cli_conf_given(c, &problems);
    if (c->conf) {
        r->hooks = hooks_open(c->conf->state);
        return channel_say(&r->channel, MESSAGE_LOADED, "", 0);
    }
    buf_text(&answer, problems.size ? problems.data : c->err.text);
    buf_fini(&problems);
    err_clear(&c->err);
    say(r, MESSAGE_REFUSED, &answer);
    return false;
}

static void open_desks(struct receiver *r)
{
    const struct conf *conf = r->c->conf;
    r->desks = mem_alloc((conf->n_connections + 1) * sizeof *r->desks);
    r->wake = mem_alloc(conf->n_pairs + 1);
    for (size_t i = 0; i < conf->n_connections; i++)
        if (conf->connections[i].hook_token[0])
            r->desks[r->n_desks++].connection = &conf->connections[i];
}

/* Hints that a receiver before this one, or a daemon, left to nobody who wakes their pair. */
static bool wake_left(struct receiver *r)
{
    const struct conf *conf = r->c->conf;
    for (size_t i = 0; i < conf->n_pairs; i++) {
        struct hook_waiting row;
        size_t n = 0, top = i;
        while (conf->pairs[top].parent)
            top = (size_t)(conf->pairs[top].parent - conf->pairs);
        if (hooks_waiting(r->hooks, conf->pairs[i].name, &r->arena, &row, 1, &n, &r->c->err))
            note(&r->store, r->c->err.text);
        err_clear(&r->c->err);
        r->wake[top] |= n != 0;
    }
    return end_batch(r);
}

int cmd_receiver(struct cli *c)
{
    struct receiver r = {.c = c};
    if (!child_begin(&r.channel))
        return err_set(&c->err, ERR_CONFIG, "the receiver is started by `syncline run`; use that");
    if (load(&r)) {
        open_desks(&r);
        if (wake_left(&r))
            serve(&r);
    }
    for (size_t i = 0; i < r.n_desks; i++)
        session_close(r.desks[i].session);
    hooks_close(r.hooks);
    mem_free(r.desks);
    mem_free(r.hints);
    mem_free(r.wake);
    arena_fini(&r.arena);
    channel_close(&r.channel);
    return 0;
}
