/* SPDX-License-Identifier: MIT */
/* remote.c - the host's end of a runner: a plugin table whose calls go to a connector in a process of its own. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "plugin/session.h"
#include "runner/opened.h"
#include "runner/process.h"
#include "runner/runner.h"
#include "runner/wire.h"

enum {
    DEATHS_MAX = 5, /* so many within DEATHS_MS, and the connection is left alone */
    DEATHS_MS = 10 * 60 * 1000,
    OWN_TIME = 10, /* silences a call may take of the runner's own time */
    DYING_MS = 500, /* after its end of the socket has closed */
    CLOSING_MS = 5000,
    RANDOM_MAX = 1024 * 1024,
    /* a runner that served so many calls, so long, or holds such a part of its memory is worn */
    WORN_CALLS = 10000,
    WORN_MS = 10 * 60 * 1000,
    WORN_PART = 2
};

/* A connector in runners, for one connection. Its table comes first: a session's services lead back to it. */
struct remote {
    struct sl_plugin table;
    struct opened *object;
    char *sha256; /* NULL: any */
    struct arena kept; /* what the table points to */
    struct runner_limits limits;
    int64_t deaths[DEATHS_MAX]; /* when; the oldest is overwritten */
    uint64_t n_deaths;
    char last_how[PROCESS_HOW_BYTES];
};

/* One session: its runner, and what is needed to begin it anew. */
struct seat {
    struct remote *remote;
    const struct sl_host *host; /* NULL: only the table is read */
    char *connection;
    struct buf settings; /* an OPEN frame */
    struct buf start; /* a START frame */
    pid_t pid; /* 0: none is running */
    struct wire wire;
    struct arena a; /* of one frame */
    int64_t own_ms; /* what the call took of the runner's own time */
    int call; /* enum frame_kind */
    uint64_t n_calls; /* that its runner has served */
    int64_t since_ms; /* it began */
};

static const char *program; /* NULL: syncline itself */
static void (*tell_death)(void *self, const char *connection, const char *how);
static void *told;

void runner_on_death(void (*tell)(void *self, const char *connection, const char *how), void *self)
{
    tell_death = tell;
    told = self;
}

void runner_program(const char *file)
{
    program = file;
}

static const char *const call_names[FRAME_KINDS] = {
    [FRAME_START] = "being loaded", [FRAME_OPEN] = "open",       [FRAME_CLOSE] = "close", [FRAME_CHECK] = "check",
    [FRAME_DESCRIBE] = "describe",  [FRAME_PULL] = "pull",       [FRAME_GET] = "get",     [FRAME_FIND] = "find",
    [FRAME_WRITE] = "write",        [FRAME_WEBHOOK] = "webhook",
};

/* --- deaths --- */

static int64_t oldest_death(const struct remote *r)
{
    return r->deaths[r->n_deaths % DEATHS_MAX];
}

/* How long it is still left alone, in ms; 0: it is not. */
static int64_t parked_ms(const struct remote *r)
{
    int64_t over = r->n_deaths < DEATHS_MAX ? 0 : oldest_death(r) + DEATHS_MS - clock_mono_ms();
    return over > 0 ? over : 0;
}

/* Ends the runner for good; `why` in words, NULL: as its process says. Returns in words how it died. */
static const char *bury(struct seat *s, const char *why, int grace_ms)
{
    struct remote *r = s->remote;
    char how[PROCESS_HOW_BYTES];
    if (!s->pid)
        return "";
    process_end(s->pid, grace_ms, r->limits.memory_bytes, how);
    close(s->wire.fd);
    wire_fini(&s->wire);
    s->pid = 0;
    snprintf(r->last_how, sizeof r->last_how, "%s", why ? why : how);
    return r->last_how;
}

static void count_death(struct seat *s)
{
    struct remote *r = s->remote;
    r->deaths[r->n_deaths++ % DEATHS_MAX] = clock_mono_ms();
    if (s->host)
        session_note_death(s->host->ctx);
    if (s->host && tell_death)
        tell_death(told, s->connection, r->last_how);
}

/* How an end of the wire reads. */
static const char *put_end(const struct seat *s, int end, char room[PROCESS_HOW_BYTES])
{
    int64_t ms = s->remote->limits.silence_ms;
    if (end == WIRE_CLOSED)
        return NULL;
    if (end == WIRE_GARBAGE)
        snprintf(room, PROCESS_HOW_BYTES, "it sent what is no answer, and was ended");
    else if (s->own_ms > ms * OWN_TIME)
        snprintf(room, PROCESS_HOW_BYTES, "it took over %lld ms of its own, and was ended", (long long)ms * OWN_TIME);
    else
        snprintf(room, PROCESS_HOW_BYTES, "it was silent for %lld ms, and was ended", (long long)ms);
    return room;
}

/* The runner has ended within a call, or must. */
static int died(struct seat *s, int end, struct err *e)
{
    char room[PROCESS_HOW_BYTES];
    const char *how = bury(s, put_end(s, end, room), end == WIRE_CLOSED ? DYING_MS : 0);
    count_death(s);
    err_set(e, ERR_FAILED,
            "%s: its runner died in %s: %s; what it had not told is not known; the next call begins it anew, and tell "
            "the author of %s if it happens again",
            s->connection, call_names[s->call], how, s->remote->object->file);
    return SL_RETRY;
}

static int refuse_parked(const struct seat *s, int64_t left_ms, struct err *e)
{
    err_set(e, ERR_CONFIG,
            "%s: its runner died %d times within 10 minutes, the last time like this: %s; it is left alone for another "
            "%lld "
            "s; put a repaired connector in place of %s, or run again after that",
            s->connection, DEATHS_MAX, s->remote->last_how, (long long)(left_ms + 999) / 1000, s->remote->object->file);
    return SL_CONFIG;
}

/* --- frames --- */

/* The next frame; the time it takes is the runner's own. */
static int receive(struct seat *s, int *kind, struct reader *body)
{
    int64_t silence = s->remote->limits.silence_ms;
    int64_t from = clock_mono_ms();
    int end = wire_receive(&s->wire, silence, kind, body);
    s->own_ms += clock_mono_ms() - from;
    return end == WIRE_OK && s->own_ms > silence * OWN_TIME ? WIRE_LATE : end;
}

/* --- services: what a runner asks for, answered by the session's own --- */

/* Puts the answer into the frame that is begun; false: what was asked is no question. */
typedef bool service_fn(struct seat *s, struct reader *body, struct buf *reply);

static bool serve_emit(struct seat *s, struct reader *body, struct buf *reply)
{
    int answer = 0;
    while (body->at < body->end && answer == 0) {
        const struct sl_item *item = frame_get(body, &s->a, SHAPE_ITEM);
        if (!item)
            return false;
        answer = s->host->emit(s->host->ctx, item);
        arena_reset(&s->a);
    }
    put_i64(reply, answer);
    return true;
}

static bool serve_outcome(struct seat *s, struct reader *body, struct buf *reply)
{
    (void)reply;
    const struct sl_outcome *outcome = frame_get(body, &s->a, SHAPE_OUTCOME);
    if (outcome)
        s->host->outcome(s->host->ctx, outcome);
    return outcome != NULL;
}

static bool serve_log(struct seat *s, struct reader *body, struct buf *reply)
{
    (void)reply;
    uint64_t level = get_u64(body);
    const char *text = get_text(body, &s->a);
    if (!body->bad)
        s->host->log(s->host->ctx, level <= SL_LOG_DEBUG ? (uint32_t)level : 0, text);
    return !body->bad;
}

static bool serve_now(struct seat *s, struct reader *body, struct buf *reply)
{
    (void)body;
    put_i64(reply, 0);
    put_i64(reply, s->host->now_ms(s->host->ctx));
    return true;
}

static bool serve_random(struct seat *s, struct reader *body, struct buf *reply)
{
    uint64_t n = get_u64(body);
    if (n > RANDOM_MAX)
        return false;
    void *bytes = arena_alloc(&s->a, (size_t)n + 1);
    s->host->random(s->host->ctx, bytes, (size_t)n);
    put_i64(reply, 0);
    put_blob(reply, bytes, (size_t)n);
    return true;
}

/* Its sleep is its own time. */
static bool serve_sleep(struct seat *s, struct reader *body, struct buf *reply)
{
    uint64_t ms = get_u64(body);
    uint64_t most = (uint64_t)s->remote->limits.silence_ms;
    ms = ms < most ? ms : most;
    s->host->sleep_ms(s->host->ctx, (uint32_t)ms);
    s->own_ms += (int64_t)ms;
    put_i64(reply, 0);
    return true;
}

static bool serve_stopping(struct seat *s, struct reader *body, struct buf *reply)
{
    (void)body;
    put_i64(reply, s->host->stopping(s->host->ctx));
    return true;
}

static const struct sl_http_response *refuse_answers(struct seat *s, uint32_t n)
{
    struct sl_http_response *all = arena_alloc(&s->a, (n + 1) * sizeof *all);
    for (uint32_t i = 0; i < n; i++)
        all[i] = (struct sl_http_response){
            .size = sizeof *all,
            .end = SL_HTTP_REFUSED,
            .advice = SL_REJECTED,
            .body = "",
            .message = "the answers take over 64 MB together, more than a runner takes at once; ask for smaller pages"};
    return all;
}

/* The answer is as long as the servers like: one that is too long for a frame is told in words. */
static bool serve_http(struct seat *s, struct reader *body, struct buf *reply)
{
    uint32_t n = 0, stride = 0;
    size_t from = reply->size;
    const struct sl_http_response *all = NULL;
    const struct sl_http_request *asked = frame_get_many(body, &s->a, SHAPE_REQUEST, &n);
    if (body->bad || !n)
        return false;
    int answer = s->host->http_many(s->host->ctx, asked, n, sizeof *asked, &all, &stride);
    n = answer == SL_OK || answer == SL_UNSUPPORTED ? n : 0;
    put_i64(reply, answer);
    frame_put_many(reply, SHAPE_RESPONSE, all, n, stride);
    if (reply->size - from > FRAME_MAX - FRAME_HEAD) {
        reply->size = from;
        put_i64(reply, answer);
        frame_put_many(reply, SHAPE_RESPONSE, refuse_answers(s, n), n, 0);
    }
    return true;
}

static bool serve_signature(struct seat *s, struct reader *body, struct buf *reply)
{
    uint64_t hash = get_u64(body);
    const char *option = get_text(body, &s->a);
    struct slice data = get_blob(body);
    struct slice signature = get_blob(body);
    if (body->bad || hash > UINT32_MAX)
        return false;
    put_i64(reply, s->host->check_signature(s->host->ctx, (uint32_t)hash, option, data.data, data.size, signature.data,
                                            signature.size));
    return true;
}

static const struct {
    service_fn *serve;
    bool answered;
} services[FRAME_KINDS] = {
    [FRAME_EMIT] = {serve_emit, true},
    [FRAME_OUTCOME] = {serve_outcome, false},
    [FRAME_LOG] = {serve_log, false},
    [FRAME_NOW] = {serve_now, true},
    [FRAME_RANDOM] = {serve_random, true},
    [FRAME_SLEEP] = {serve_sleep, true},
    [FRAME_STOPPING] = {serve_stopping, true},
    [FRAME_HTTP] = {serve_http, true},
    [FRAME_SIGNATURE] = {serve_signature, true},
};

/* Returns an enum wire_end. */
static int serve(struct seat *s, int kind, struct reader *body)
{
    if (!services[kind].serve || !s->host)
        return WIRE_GARBAGE;
    size_t from = frame_begin(&s->wire.out, FRAME_REPLY);
    bool good = services[kind].serve(s, body, &s->wire.out);
    arena_reset(&s->a);
    if (!good)
        return WIRE_GARBAGE;
    if (!services[kind].answered) {
        s->wire.out.size = from;
        return WIRE_OK;
    }
    frame_end(&s->wire.out, from);
    return wire_send(&s->wire, s->remote->limits.silence_ms);
}

/* Serves until a frame of that kind comes. Returns an enum wire_end. */
static int await(struct seat *s, int wanted, struct reader *body)
{
    int kind = 0;
    for (;;) {
        int end = receive(s, &kind, body);
        if (end != WIRE_OK || kind == wanted)
            return end;
        end = serve(s, kind, body);
        if (end != WIRE_OK)
            return end;
    }
}

/* --- beginning and ending --- */

static void keep_frame(struct buf *out, int kind, int shape, const void *item)
{
    size_t from = frame_begin(out, kind);
    frame_put(out, shape, item);
    frame_end(out, from);
}

/* Starts a runner and hears what it has loaded. Returns SL_OK, or a class with e. */
static int begin(struct seat *s, struct reader *hello, struct err *e)
{
    struct remote *r = s->remote;
    struct err why = {0};
    s->call = FRAME_START;
    s->own_ms = 0;
    /* what a command needs is not ours to know: a limit would be its, too */
    int64_t memory = r->table.caps & SL_REACH_PROCESS ? 0 : r->limits.memory_bytes;
    s->n_calls = 0;
    s->since_ms = clock_mono_ms();
    if (process_start(program, r->object->file, r->object->fd, memory, &s->pid, &s->wire.fd, &why)) {
        err_set(e, ERR_FAILED, "%s: %s", s->connection, why.text);
        return SL_RETRY;
    }
    buf_add(&s->wire.out, s->start.data, s->start.size);
    int end = wire_send(&s->wire, r->limits.silence_ms);
    if (end == WIRE_OK)
        end = await(s, FRAME_HELLO, hello);
    return end == WIRE_OK ? SL_OK : died(s, end, e);
}

static bool same_hello(const struct remote *r, const struct reader *hello)
{
    size_t n = (size_t)(hello->end - hello->at);
    return n == r->object->hello.size && memcmp(hello->at, r->object->hello.data, n) == 0;
}

/* Sends what is in wire.out and waits for the call's end. Its strings belong to s->a. */
static int carry_out(struct seat *s, int call, const struct frame_return **out, struct err *e)
{
    struct reader body;
    s->call = call;
    s->own_ms = 0;
    s->n_calls++;
    *out = NULL;
    int end = wire_send(&s->wire, s->remote->limits.silence_ms);
    if (end == WIRE_OK)
        end = await(s, FRAME_RETURN, &body);
    if (end == WIRE_OK && !(*out = frame_get(&body, &s->a, SHAPE_RETURN)))
        end = WIRE_GARBAGE;
    if (end != WIRE_OK)
        return died(s, end, e);
    if ((*out)->error_class != SL_OK)
        err_set(e, ERR_FAILED, "%s", (*out)->why ? (*out)->why : "");
    return (int)((*out)->error_class <= INT32_MAX ? (*out)->error_class : SL_BROKEN);
}

/* A runner with an open session in it. */
static int ensure(struct seat *s, struct err *e)
{
    const struct frame_return *out;
    struct reader hello;
    if (session_forgiven(s->host->ctx))
        s->remote->n_deaths = 0;
    int64_t parked = parked_ms(s->remote);
    if (parked)
        return refuse_parked(s, parked, e);
    if (s->pid)
        return SL_OK;
    int answer = begin(s, &hello, e);
    if (answer != SL_OK)
        return answer;
    if (!same_hello(s->remote, &hello)) {
        bury(s, NULL, 0);
        err_set(e, ERR_CONFIG,
                "%s: %s has changed since it was loaded; move a new one to its place instead of writing over it, and "
                "run again",
                s->connection, s->remote->object->file);
        return SL_CONFIG;
    }
    buf_add(&s->wire.out, s->settings.data, s->settings.size);
    answer = carry_out(s, FRAME_OPEN, &out, e);
    if (answer != SL_OK)
        bury(s, NULL, 0);
    arena_reset(&s->a);
    return answer;
}

/* Frees a session's seat. What its settings hold may be secret. */
static void vacate(struct seat *s)
{
    bury(s, NULL, CLOSING_MS);
    if (s->settings.data)
        explicit_bzero(s->settings.data, s->settings.size);
    buf_fini(&s->settings);
    buf_fini(&s->start);
    wire_fini(&s->wire);
    arena_fini(&s->a);
    mem_free(s->connection);
    mem_free(s);
}

/* --- the table's calls --- */

/* Tells the session why, in the words of the runner's own session or of this file. */
static int answered(const struct seat *s, int answer, const struct err *e)
{
    if (answer != SL_OK && e->text[0])
        s->host->fail(s->host->ctx, e->text);
    return answer;
}

/* One call with a struct for its argument. */
static int call_with(struct seat *s, int call, int shape, const void *argument, const struct frame_return **out)
{
    struct err e = {0};
    *out = NULL;
    int answer = ensure(s, &e);
    if (answer != SL_OK)
        return answered(s, answer, &e);
    size_t from = frame_begin(&s->wire.out, call);
    if (shape)
        frame_put(&s->wire.out, shape, argument);
    else if (call == FRAME_DESCRIBE)
        put_text(&s->wire.out, argument);
    if (!frame_end(&s->wire.out, from)) {
        err_set(&e, ERR_INPUT, "%s: %s takes over 64 MB, more than a runner takes at once; set its isolation to none",
                s->connection, call_names[call]);
        return answered(s, SL_REJECTED, &e);
    }
    return answered(s, carry_out(s, call, out, &e), &e);
}

static int plain_call(void *session, int call, int shape, const void *argument)
{
    const struct frame_return *out;
    struct seat *s = session;
    int answer = call_with(s, call, shape, argument, &out);
    arena_reset(&s->a);
    return answer;
}

static int remote_check(void *session)
{
    return plain_call(session, FRAME_CHECK, 0, NULL);
}

static int remote_get(void *session, const struct sl_get *get)
{
    return plain_call(session, FRAME_GET, SHAPE_GET, get);
}

static int remote_find(void *session, const struct sl_find *find)
{
    return plain_call(session, FRAME_FIND, SHAPE_FIND, find);
}

static int remote_write(void *session, const struct sl_batch *batch)
{
    return plain_call(session, FRAME_WRITE, SHAPE_BATCH, batch);
}

static int remote_webhook(void *session, const struct sl_hook *hook)
{
    return plain_call(session, FRAME_WEBHOOK, SHAPE_HOOK, hook);
}

static int remote_describe(void *session, const char *object)
{
    const struct frame_return *out;
    struct seat *s = session;
    int answer = call_with(s, FRAME_DESCRIBE, 0, object, &out);
    for (uint32_t i = 0; answer == SL_OK && i < out->n_objects; i++)
        s->host->object(s->host->ctx, &out->objects[i]);
    arena_reset(&s->a);
    return answer;
}

static int remote_pull(void *session, const struct sl_pull *pull)
{
    const struct frame_return *out;
    struct seat *s = session;
    int answer = call_with(s, FRAME_PULL, SHAPE_PULL, pull, &out);
    if (answer == SL_OK && out->page)
        s->host->page(s->host->ctx, out->page);
    arena_reset(&s->a);
    return answer;
}

static void remote_close(void *session)
{
    const struct frame_return *out;
    struct seat *s = session;
    struct err ignored = {0};
    if (s && s->pid) {
        frame_end(&s->wire.out, frame_begin(&s->wire.out, FRAME_CLOSE));
        carry_out(s, FRAME_CLOSE, &out, &ignored);
    }
    if (s)
        vacate(s);
}

/* The paths among the settings are what a connector of files may reach. */
static void keep_start(struct seat *s, const struct sl_settings *settings)
{
    const struct sl_plugin *p = &s->remote->table;
    struct frame_start start = {.reach = p->caps & (SL_REACH_FILES | SL_REACH_DATABASE | SL_REACH_PROCESS),
                                .sha256 = s->remote->sha256};
    const char **paths = arena_alloc(&s->a, (settings->n_values + 1) * sizeof *paths);
    for (uint32_t i = 0; i < settings->n_values; i++)
        for (uint32_t k = 0; k < p->n_options; k++) {
            struct sl_option o = plugin_option(p, k);
            if (o.kind == SL_OPT_PATH && strcmp(o.name, settings->values[i].name) == 0 && settings->values[i].text)
                paths[start.n_paths++] = settings->values[i].text;
        }
    start.paths = paths;
    keep_frame(&s->start, FRAME_START, SHAPE_START, &start);
    arena_reset(&s->a);
}

static struct seat *seat_new(struct remote *r, const char *name)
{
    struct seat *s = mem_alloc(sizeof *s);
    s->remote = r;
    s->connection = mem_dup(name);
    return s;
}

/* The services are a session's, and a session knows the table it was opened with. */
static int remote_open(const struct sl_host *host, const struct sl_settings *settings, void **session)
{
    struct err e = {0};
    struct remote *r = (struct remote *)(uintptr_t)session_plugin(host->ctx);
    struct seat *s = seat_new(r, settings->connection);
    s->host = host;
    keep_start(s, settings);
    keep_frame(&s->settings, FRAME_OPEN, SHAPE_SETTINGS, settings);
    int answer = answered(s, ensure(s, &e), &e);
    if (answer == SL_OK)
        *session = s;
    else
        vacate(s);
    return answer;
}

/* --- loading --- */

static void drop(struct sl_plugin *table)
{
    struct remote *r = (struct remote *)table;
    arena_fini(&r->kept);
    opened_drop(r->object);
    mem_free(r->sha256);
    mem_free(r);
}

#define HAS(hello, call) ((hello)->calls & 1u << (FRAME_##call - FRAME_OPEN))

/* Its table with our calls in place of its own. */
static void fill_table(const struct frame_hello *hello, struct sl_plugin *p)
{
    *p = *hello->plugin;
    p->open = HAS(hello, OPEN) ? remote_open : NULL;
    p->close = HAS(hello, CLOSE) ? remote_close : NULL;
    p->check = HAS(hello, CHECK) ? remote_check : NULL;
    p->describe = HAS(hello, DESCRIBE) ? remote_describe : NULL;
    p->pull = HAS(hello, PULL) ? remote_pull : NULL;
    p->get = HAS(hello, GET) ? remote_get : NULL;
    p->find = HAS(hello, FIND) ? remote_find : NULL;
    p->write = HAS(hello, WRITE) ? remote_write : NULL;
    p->webhook = HAS(hello, WEBHOOK) ? remote_webhook : NULL;
}

/* Judged here once more: what a runner says is never taken for granted. */
static int take_hello(struct remote *r, struct reader *body, struct err *e)
{
    struct sl_plugin given;
    struct slice said = slice_of(body->at, (size_t)(body->end - body->at));
    const struct frame_hello *hello = frame_get(body, &r->kept, SHAPE_HELLO);
    if (!hello || (!hello->refused && !hello->plugin))
        return err_set(e, ERR_CONFIG,
                       "%s: its runner sent what is no answer while it was being loaded; tell its author",
                       r->object->file);
    if (hello->refused)
        return err_set(e, ERR_CONFIG, "%s", hello->refused);
    fill_table(hello, &given);
    if (!r->object->hello.size)
        buf_add(&r->object->hello, said.data, said.size);
    return plugin_negotiate(&given, r->object->file, SESSION_SERVICES, &r->table, e);
}

static int read_table(struct remote *r, struct err *e)
{
    struct reader hello;
    struct err why = {0};
    struct seat *s = seat_new(r, r->object->file);
    keep_frame(&s->start, FRAME_START, SHAPE_START, &(struct frame_start){.sha256 = r->sha256});
    if (begin(s, &hello, &why) == SL_OK)
        take_hello(r, &hello, e);
    else
        err_set(e, ERR_CONFIG, "%s", why.text);
    bury(s, NULL, 0);
    vacate(s);
    return e->code;
}

static int greet(struct remote *r, struct err *e)
{
    struct buf *hello = &r->object->hello;
    struct reader again = {.at = (const uint8_t *)hello->data, .end = (const uint8_t *)hello->data + hello->size};
    return hello->size ? take_hello(r, &again, e) : read_table(r, e);
}

int runner_load(const char *file, const struct runner_limits *limits, struct plugin_lib **lib, struct err *e)
{
    int fd = -1;
    struct err why = {0};
    *lib = NULL;
    if (plugin_open(file, limits->sha256, &fd, &why))
        return err_set(e, why.code, "%s", why.text);
    struct remote *r = mem_alloc(sizeof *r);
    r->object = opened_take(file, fd);
    r->limits = *limits;
    r->sha256 = limits->sha256 ? mem_dup(limits->sha256) : NULL;
    if (!r->limits.silence_ms)
        r->limits.silence_ms = RUNNER_SILENCE_MS;
    if (!r->limits.memory_bytes)
        r->limits.memory_bytes = (int64_t)RUNNER_MEMORY_MB << 20;
    if (greet(r, &why)) {
        drop(&r->table);
        return err_set(e, why.code, "%s", why.text);
    }
    *lib = plugin_adopt(file, r->object->fd, &r->table, drop);
    return 0;
}

bool runner_worn(const struct session *session)
{
    const struct sl_plugin *p = session_plugin(session);
    const struct seat *s = p->open == remote_open ? session_handle(session) : NULL;
    if (!s || !s->pid)
        return false;
    return s->n_calls >= WORN_CALLS || clock_mono_ms() - s->since_ms >= WORN_MS ||
           process_resident(s->pid) > s->remote->limits.memory_bytes / WORN_PART;
}
