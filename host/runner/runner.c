/* SPDX-License-Identifier: MIT */
/* runner.c - the runner's end: serves the calls of one connection, and asks the host for every service. */
#include "runner/runner.h"

#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "plugin/session.h"
#include "runner/sandbox.h"
#include "runner/wire.h"

enum {
    EMIT_BYTES = 65536, /* items travel together up to here: one answer for all of them */
    STOPPING_MS = 10, /* how old an answer about stopping may be */
    RANDOM_BYTES = 65536
};

struct runner {
    struct wire wire;
    struct plugin_lib *lib;
    struct session *session;
    struct session_world world;
    struct arena call; /* what belongs to the call in progress */
    struct buf emits; /* a frame in the making, or empty */
    bool enough; /* the host takes no more items of this call */
    int stopping;
    int64_t stopping_asked_ms;
};

/* Without a host there is nobody to tell: what it has not heard of is unknown to it, as after any death. */
static void must(int end)
{
    if (end != WIRE_OK)
        _exit(0);
}

static void send_now(struct runner *r)
{
    must(wire_send(&r->wire, -1));
}

/* --- services: each is a frame to the host --- */

/* Sends the request that was put, and returns the service's answer; what else was replied is in *body. */
static int ask(struct runner *r, struct reader *body)
{
    int kind = 0;
    send_now(r);
    must(wire_receive(&r->wire, -1, &kind, body));
    if (kind != FRAME_REPLY)
        _exit(2);
    return (int)get_i64(body);
}

/* A service that takes one number. */
static int ask_with(struct runner *r, int kind, uint64_t number, struct reader *body)
{
    size_t from = frame_begin(&r->wire.out, kind);
    put_u64(&r->wire.out, number);
    frame_end(&r->wire.out, from);
    return ask(r, body);
}

static int64_t now_ms(void *self)
{
    struct reader body;
    ask_with(self, FRAME_NOW, 0, &body);
    return get_i64(&body);
}

static void fill_random(void *self, void *bytes, size_t n_bytes)
{
    for (size_t done = 0; done < n_bytes;) {
        struct reader body;
        size_t n = n_bytes - done < RANDOM_BYTES ? n_bytes - done : RANDOM_BYTES;
        ask_with(self, FRAME_RANDOM, n, &body);
        struct slice got = get_blob(&body);
        if (got.size != n)
            _exit(2);
        memcpy((char *)bytes + done, got.data, n);
        done += n;
    }
}

static void sleep_for(void *self, uint32_t ms)
{
    struct reader body;
    ask_with(self, FRAME_SLEEP, ms, &body);
}

/* Connectors ask at every record: the host is asked now and then. */
static int stopping(void *self)
{
    struct runner *r = self;
    struct reader body;
    int64_t now = clock_mono_ms();
    if (!r->stopping && now - r->stopping_asked_ms >= STOPPING_MS) {
        r->stopping = ask_with(r, FRAME_STOPPING, 0, &body);
        r->stopping_asked_ms = now;
    }
    return r->stopping;
}

static void say(void *self, uint32_t level, const char *message)
{
    struct runner *r = self;
    size_t from = frame_begin(&r->wire.out, FRAME_LOG);
    put_u64(&r->wire.out, level);
    put_text(&r->wire.out, message);
    frame_end(&r->wire.out, from);
    send_now(r);
}

/* Told at once: what was carried out is known even if the next write kills us. A record too large to travel is one not told. */
static void tell_outcome(void *self, const struct sl_outcome *outcome)
{
    struct runner *r = self;
    struct sl_outcome o = *outcome;
    size_t from = frame_begin(&r->wire.out, FRAME_OUTCOME);
    o.size = sizeof o;
    frame_put(&r->wire.out, SHAPE_OUTCOME, &o);
    if (!frame_end(&r->wire.out, from)) {
        o.record = NULL;
        from = frame_begin(&r->wire.out, FRAME_OUTCOME);
        frame_put(&r->wire.out, SHAPE_OUTCOME, &o);
        frame_end(&r->wire.out, from);
    }
    send_now(r);
}

static int refuse_requests(uint32_t n, struct sl_http_response *responses)
{
    for (uint32_t i = 0; i < n; i++)
        responses[i] = (struct sl_http_response){
            .size = sizeof *responses,
            .end = SL_HTTP_REFUSED,
            .advice = SL_REJECTED,
            .header_size = sizeof(struct sl_header),
            .body = "",
            .message =
                "these requests take over 64 MB together, more than a runner sends at once; make fewer at a time",
        };
    return SL_OK;
}

static int http_many(void *self, const struct sl_http_request *requests, uint32_t n, struct arena *a,
                     struct sl_http_response *responses)
{
    struct runner *r = self;
    struct reader body;
    uint32_t n_got = 0;
    size_t from = frame_begin(&r->wire.out, FRAME_HTTP);
    frame_put_many(&r->wire.out, SHAPE_REQUEST, requests, n, sizeof *requests);
    if (!frame_end(&r->wire.out, from))
        return refuse_requests(n, responses);
    int answer = ask(r, &body);
    const struct sl_http_response *got = frame_get_many(&body, a, SHAPE_RESPONSE, &n_got);
    if (n_got == n)
        memcpy(responses, got, n * sizeof *responses);
    return answer;
}

static int check_signature(void *self, uint32_t hash, const char *secret_option, struct slice data,
                           struct slice signature)
{
    struct runner *r = self;
    struct reader body;
    struct buf *out = &r->wire.out;
    size_t from = frame_begin(out, FRAME_SIGNATURE);
    put_u64(out, hash);
    put_text(out, secret_option);
    put_blob(out, data.data, data.size);
    put_blob(out, signature.data, signature.size);
    return frame_end(out, from) ? ask(r, &body) : 0;
}

/* --- items: many travel in one frame --- */

static void flush_items(struct runner *r)
{
    struct reader body;
    if (!r->emits.size)
        return;
    frame_end(&r->emits, 0);
    buf_add(&r->wire.out, r->emits.data, r->emits.size);
    buf_clear(&r->emits);
    r->enough = ask(r, &body) != 0;
}

/* A record that cannot travel is there, and cannot be read. */
static struct sl_item too_large(struct runner *r, const struct sl_item *item, size_t n_bytes)
{
    return (struct sl_item){
        .size = sizeof(struct sl_item),
        .kind = SL_ITEM_UNREADABLE,
        .id = item->id,
        .error_class = SL_REJECTED,
        .message = arena_printf(&r->call,
                                "it takes %zu MB, and a runner carries 64 MB at once; make it smaller, or set the "
                                "connection's isolation to none",
                                n_bytes >> 20),
    };
}

static int take(void *self, const struct sl_item *item)
{
    struct runner *r = self;
    if (!r->emits.size)
        frame_begin(&r->emits, FRAME_EMIT);
    size_t from = r->emits.size;
    frame_put(&r->emits, SHAPE_ITEM, item);
    size_t n_bytes = r->emits.size - from;
    if (n_bytes + EMIT_BYTES > FRAME_MAX) {
        struct sl_item stand_in = too_large(r, item, n_bytes);
        r->emits.size = from;
        frame_put(&r->emits, SHAPE_ITEM, &stand_in);
    }
    if (r->emits.size >= EMIT_BYTES)
        flush_items(r);
    return r->enough;
}

/* --- calls: each puts what it gives into *out --- */

typedef int call_fn(struct runner *r, struct reader *body, struct frame_return *out, struct err *e);

static struct session_sink sink(struct runner *r)
{
    r->enough = false;
    return (struct session_sink){r, take};
}

static int call_open(struct runner *r, struct reader *body, struct frame_return *out, struct err *e)
{
    (void)out;
    const struct sl_settings *given = frame_get(body, &r->call, SHAPE_SETTINGS);
    return session_open(plugin_table(r->lib), given->connection, given->values, given->n_values, &r->world, &r->session,
                        e);
}

static int call_close(struct runner *r, struct reader *body, struct frame_return *out, struct err *e)
{
    (void)body;
    (void)out;
    (void)e;
    session_close(r->session);
    r->session = NULL;
    return SL_OK;
}

static int call_check(struct runner *r, struct reader *body, struct frame_return *out, struct err *e)
{
    (void)body;
    (void)out;
    return session_check(r->session, e);
}

static int call_describe(struct runner *r, struct reader *body, struct frame_return *out, struct err *e)
{
    struct object_info *list = NULL;
    int answer = session_describe(r->session, get_text(body, &r->call), &r->call, &list, e);
    for (const struct object_info *i = list; i; i = i->next)
        out->n_objects++;
    struct sl_object *objects = arena_alloc(&r->call, (out->n_objects + 1) * sizeof *objects);
    out->objects = objects;
    for (const struct object_info *i = list; i; i = i->next)
        *objects++ = i->object;
    return answer;
}

static int call_pull(struct runner *r, struct reader *body, struct frame_return *out, struct err *e)
{
    struct page_end end = {0};
    int answer = session_pull(r->session, frame_get(body, &r->call, SHAPE_PULL), sink(r), &r->call, &end, e);
    flush_items(r);
    struct sl_page *page = arena_alloc(&r->call, sizeof *page);
    *page =
        (struct sl_page){.size = sizeof *page, .kind = (uint32_t)end.kind, .cursor = end.cursor, .epoch = end.epoch};
    out->page = end.kind ? page : NULL;
    return answer;
}

static int call_get(struct runner *r, struct reader *body, struct frame_return *out, struct err *e)
{
    (void)out;
    const struct sl_get *get = frame_get(body, &r->call, SHAPE_GET);
    int answer = session_get(r->session, get->object, get->ids, get->n_ids, sink(r), e);
    flush_items(r);
    return answer;
}

static int call_find(struct runner *r, struct reader *body, struct frame_return *out, struct err *e)
{
    (void)out;
    int answer = session_find(r->session, frame_get(body, &r->call, SHAPE_FIND), sink(r), e);
    flush_items(r);
    return answer;
}

static int call_write(struct runner *r, struct reader *body, struct frame_return *out, struct err *e)
{
    (void)out;
    const struct sl_batch *batch = frame_get(body, &r->call, SHAPE_BATCH);
    struct write_outcome *outcomes = arena_alloc(&r->call, (batch->n_writes + 1) * sizeof *outcomes);
    return session_write(r->session, batch, &r->call, outcomes, e);
}

static int call_webhook(struct runner *r, struct reader *body, struct frame_return *out, struct err *e)
{
    (void)out;
    int answer = session_webhook(r->session, frame_get(body, &r->call, SHAPE_HOOK), sink(r), e);
    flush_items(r);
    return answer;
}

static call_fn *const calls[FRAME_KINDS] = {
    [FRAME_OPEN] = call_open,         [FRAME_CLOSE] = call_close, [FRAME_CHECK] = call_check,
    [FRAME_DESCRIBE] = call_describe, [FRAME_PULL] = call_pull,   [FRAME_GET] = call_get,
    [FRAME_FIND] = call_find,         [FRAME_WRITE] = call_write, [FRAME_WEBHOOK] = call_webhook,
};

static void put_return(struct runner *r, const struct frame_return *out)
{
    size_t from = frame_begin(&r->wire.out, FRAME_RETURN);
    frame_put(&r->wire.out, SHAPE_RETURN, out);
    if (frame_end(&r->wire.out, from))
        return;
    static const struct frame_return too_much = {
        .error_class = SL_BROKEN,
        .why = "its objects take over 64 MB together, more than a runner sends at once; describe fewer"};
    from = frame_begin(&r->wire.out, FRAME_RETURN);
    frame_put(&r->wire.out, SHAPE_RETURN, &too_much);
    frame_end(&r->wire.out, from);
}

/* One call of the host's. Returns false once there are no more. */
static bool serve_one(struct runner *r)
{
    int kind = 0;
    struct reader body;
    struct err e = {0};
    struct frame_return out = {0};
    must(wire_receive(&r->wire, -1, &kind, &body));
    if (!calls[kind])
        _exit(2);
    out.error_class = (uint32_t)calls[kind](r, &body, &out, &e);
    out.why = e.code ? e.text : NULL;
    put_return(r, &out);
    send_now(r);
    arena_reset(&r->call);
    return kind != FRAME_CLOSE;
}

/* --- beginning --- */

static uint32_t calls_of(const struct sl_plugin *p)
{
    const bool there[] = {p->open, p->close, p->check, p->describe, p->pull, p->get, p->find, p->write, p->webhook};
    uint32_t mask = 0;
    for (uint32_t i = 0; i < sizeof there / sizeof *there; i++)
        mask |= (uint32_t)there[i] << i;
    return mask;
}

static void greet(struct runner *r, const char *refused)
{
    struct frame_hello hello = {.refused = refused};
    struct sl_plugin table;
    struct sl_http_rules rules;
    if (!refused) {
        table = *plugin_declared(r->lib);
        rules = plugin_http_rules(&table);
        rules.size = sizeof rules;
        table.http = table.http ? &rules : NULL;
        hello.calls = calls_of(&table);
        hello.plugin = &table;
    }
    size_t from = frame_begin(&r->wire.out, FRAME_HELLO);
    frame_put(&r->wire.out, SHAPE_HELLO, &hello);
    frame_end(&r->wire.out, from);
    send_now(r);
}

static const struct session_parent parent = {say, tell_outcome, http_many, check_signature};

/* Order is important: what is loaded may run code at once, so the sandbox is closed first. */
int runner_serve(int fd, const char *file, int open_fd)
{
    struct runner r = {.wire = {.fd = fd}};
    struct reader body;
    struct err e = {0};
    int kind = 0;
    r.world = (struct session_world){&r, now_ms, fill_random, sleep_for, stopping, NULL, &parent};
    must(wire_receive(&r.wire, -1, &kind, &body));
    const struct frame_start *start = kind == FRAME_START ? frame_get(&body, &r.call, SHAPE_START) : NULL;
    if (!start)
        return 2;
    bool good = sandbox_enter(start, file, fd, open_fd, &e) == 0 &&
                plugin_load_open(file, start->sha256, open_fd, &r.lib, &e) == 0;
    greet(&r, good ? NULL : e.text);
    arena_reset(&r.call);
    while (good && serve_one(&r))
        continue;
    /* without the C library's last rites: a connector has no business after its close */
    _exit(0);
}
