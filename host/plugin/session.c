/* SPDX-License-Identifier: MIT */
/* session.c - one open connection of a connector: its life, and every call with the contract asserted around it. */
#include "plugin/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "plugin/inside.h"
#include "plugin/loader.h"

static const char *const call_names[] = {
    [CALL_NONE] = "between calls", [CALL_OPEN] = "open",       [CALL_CLOSE] = "close", [CALL_CHECK] = "check",
    [CALL_DESCRIBE] = "describe",  [CALL_PULL] = "pull",       [CALL_GET] = "get",     [CALL_FIND] = "find",
    [CALL_WRITE] = "write",        [CALL_WEBHOOK] = "webhook",
};

/* Each class: its name, how far it reaches, and what is done next when the connector gave no reason. */
static const struct {
    const char *name;
    int err;
    const char *next;
} classes[] = {
    [SL_OK] = {"ok", ERR_NONE, ""},
    [SL_REJECTED] = {"rejected", ERR_INPUT, "the data was refused; look at the record"},
    [SL_CONFLICT] = {"conflict", ERR_INPUT, "the record has changed; the next run plans it again"},
    [SL_GONE] = {"gone", ERR_INPUT, "what was asked for is not there; look for it in that system"},
    [SL_AUTH] = {"auth", ERR_CONFIG, "the credentials were refused; renew them or their permissions"},
    [SL_RATE] = {"rate", ERR_FAILED, "too many requests; the next run tries again"},
    [SL_RETRY] = {"retry", ERR_FAILED, "a passing fault; the next run tries again"},
    [SL_CONFIG] = {"config", ERR_CONFIG, "the settings are at fault; change the connection in the config"},
    [SL_UNSUPPORTED] = {"unsupported", ERR_CONFIG, "the connector cannot do that; change the config"},
    [SL_EXISTS] = {"exists", ERR_INPUT, "another record holds that id"},
    [SL_BUSY] = {"busy", ERR_FAILED, "another program holds a lock; the next run tries again"},
    [SL_BROKEN] = {"broken", ERR_FAILED, "the connector or its system broke its rules; tell the connector's author"},
};

/* A class newer than this host is one it may try again. */
static int known_class(int sl_class)
{
    return sl_class >= SL_OK && sl_class <= SL_BROKEN ? sl_class : SL_RETRY;
}

const char *class_name(int sl_class)
{
    return classes[known_class(sl_class)].name;
}

int class_err(int sl_class)
{
    return classes[known_class(sl_class)].err;
}

static int64_t real_now_ms(void *self)
{
    (void)self;
    return clock_now_ms();
}

static void real_random(void *self, void *bytes, size_t n_bytes)
{
    (void)self;
    random_bytes(bytes, n_bytes);
}

/* A signal ends the sleep early: that is how a run is told to stop. */
static void real_sleep_ms(void *self, uint32_t ms)
{
    (void)self;
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

static int real_stopping(void *self)
{
    (void)self;
    return 0;
}

const struct session_world session_real_world = {NULL,          real_now_ms, real_random, real_sleep_ms,
                                                 real_stopping, NULL,        NULL};

int session_break(struct session *s, const char *format, ...)
{
    char what[MESSAGE_MAX];
    char at[200] = "";
    if (s->fault.code)
        return SL_BROKEN;
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    if (s->item_id)
        snprintf(at, sizeof(at), " at '%.*s'", clean_cut(s->item_id, 80), s->item_id);
    else if (s->at_item)
        snprintf(at, sizeof(at), " at item %llu", (unsigned long long)s->n_items);
    err_set(&s->fault, ERR_FAILED, "%s: connector %s broke its contract in %s%s: %s; tell its author", s->connection,
            s->plugin->name, call_names[s->call], at, what);
    return SL_BROKEN;
}

int session_end(struct session *s, const char *why)
{
    err_set(&s->fault, ERR_FAILED, "%s: %s ended after %llu items: %s", s->connection, call_names[s->call],
            (unsigned long long)s->n_items, why);
    return SL_BROKEN;
}

/* Returns SL_OK, or why the call cannot be made at all. A fault from between calls is reported by the next one. */
static int begin(struct session *s, int call, bool offered, struct err *e)
{
    if (s->call != CALL_NONE) {
        err_set(e, ERR_FAILED, "%s: %s was begun inside %s; this is a fault of syncline: report it", s->connection,
                call_names[call], call_names[s->call]);
        return SL_BROKEN;
    }
    if (!offered) {
        err_set(e, ERR_CONFIG, "%s: connector %s has no %s; change what the config asks of it", s->connection,
                s->plugin->name, call_names[call]);
        return SL_UNSUPPORTED;
    }
    s->call = call;
    s->said[0] = '\0';
    s->n_items = 0;
    s->n_told = 0;
    s->next = 0;
    return SL_OK;
}

static void say_why(const struct session *s, int call, int sl_class, struct err *e)
{
    size_t n = strlen(s->connection);
    bool named = strncmp(s->said, s->connection, n) == 0 && s->said[n] == ':';
    if (!s->said[0])
        err_set(e, class_err(sl_class), "%s: %s ended with '%s' and no reason: %s", s->connection, call_names[call],
                class_name(sl_class), classes[sl_class].next);
    else if (named)
        err_set(e, class_err(sl_class), "%s", s->said);
    else
        err_set(e, class_err(sl_class), "%s: %s", s->connection, s->said);
}

/* A broken rule decides, whatever the connector returned. */
static int finish(struct session *s, int answer, struct err *e)
{
    int call = s->call;
    int sl_class = known_class(answer);
    s->call = CALL_NONE;
    arena_reset(&s->scratch);
    arena_reset(&s->json);
    arena_reset(&s->http);
    if (s->fault.code) {
        err_set(e, s->fault.code, "%s", s->fault.text);
        err_clear(&s->fault);
        return SL_BROKEN;
    }
    if (sl_class != SL_OK)
        say_why(s, call, sl_class, e);
    return sl_class;
}

static void release(struct session *s)
{
    arena_fini(&s->scratch);
    arena_fini(&s->json);
    arena_fini(&s->http);
    online_fini(s);
    buf_fini(&s->text);
    mem_free(s->seen.slots);
    mem_free(s->told);
    mem_free(s->connection);
    mem_free(s);
}

static uint32_t kind_of(const struct sl_plugin *p, const char *name)
{
    for (uint32_t i = 0; i < p->n_options; i++)
        if (strcmp(plugin_option(p, i).name, name) == 0)
            return plugin_option(p, i).kind;
    return 0;
}

/* A connector whose requests the host makes has no use for secrets: it is not given any. */
static uint32_t shown_settings(const struct sl_plugin *p, const struct sl_value *all, uint32_t n, struct sl_value *out)
{
    uint32_t n_out = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t kind = kind_of(p, all[i].name);
        if (kind != SL_OPT_AUTH && !(kind == SL_OPT_SECRET && (p->needs & SL_NEED_HTTP)))
            out[n_out++] = all[i];
    }
    return n_out;
}

int session_open(const struct sl_plugin *plugin, const char *connection, const struct sl_value *settings,
                 uint32_t n_settings, const struct session_world *world, struct session **out, struct err *e)
{
    struct session *s = mem_alloc(sizeof(*s));
    *out = NULL;
    s->plugin = plugin;
    s->world = world ? world : &session_real_world;
    s->connection = mem_dup(connection);
    services_init(s);
    online_init(s, settings, n_settings);
    struct sl_value *shown = mem_alloc((n_settings + 1) * sizeof *shown);
    n_settings = shown_settings(plugin, settings, n_settings, shown);
    struct sl_settings given = {.size = sizeof(given),
                                .n_values = n_settings,
                                .value_size = sizeof(*settings),
                                .values = shown,
                                .connection = s->connection};
    int answer = begin(s, CALL_OPEN, plugin->open && plugin->close, e);
    if (answer == SL_OK) {
        answer = plugin->open(&s->host, &given, &s->handle);
        bool opened = answer == SL_OK;
        answer = finish(s, answer, e);
        if (opened && answer != SL_OK)
            plugin->close(s->handle);
    }
    mem_free(shown);
    if (answer == SL_OK)
        *out = s;
    else
        release(s);
    return answer;
}

void session_set_net(struct session *s, const struct session_net *net)
{
    s->net = *net;
}

void session_close(struct session *s)
{
    if (!s)
        return;
    s->call = CALL_CLOSE;
    s->plugin->close(s->handle);
    release(s);
}

const struct sl_plugin *session_plugin(const struct session *s)
{
    return s->plugin;
}

void *session_handle(const struct session *s)
{
    return s->handle;
}

void session_note_death(struct session *s)
{
    s->deaths++;
}

uint64_t session_deaths(const struct session *s)
{
    return s->deaths;
}

void session_forgive(struct session *s)
{
    s->forgiven = true;
}

bool session_forgiven(struct session *s)
{
    bool forgiven = s->forgiven;
    s->forgiven = false;
    return forgiven;
}

uint64_t session_calls(const struct session *s)
{
    return s->plugin->needs & SL_NEED_HTTP ? online_calls(s) : s->calls;
}

/* A byte for each id or write of the call. */
static void forget_told(struct session *s, uint32_t n)
{
    s->told = mem_grow(s->told, n + 1u);
    memset(s->told, 0, n);
}

int session_check(struct session *s, struct err *e)
{
    int answer = begin(s, CALL_CHECK, s->plugin->check != NULL, e);
    if (answer != SL_OK)
        return answer;
    s->calls++;
    return finish(s, s->plugin->check(s->handle), e);
}

int session_describe(struct session *s, const char *object, struct arena *a, struct object_info **list, struct err *e)
{
    *list = NULL;
    int answer = begin(s, CALL_DESCRIBE, s->plugin->describe != NULL, e);
    if (answer != SL_OK)
        return answer;
    s->calls++;
    s->object = object;
    s->out = a;
    s->first_object = NULL;
    s->last_object = &s->first_object;
    answer = s->plugin->describe(s->handle, object);
    if (answer == SL_OK && object && !s->first_object)
        session_break(s, "object '%.*s' was asked for, and none described", clean_cut(object, 80), object);
    answer = finish(s, answer, e);
    if (answer == SL_OK)
        *list = s->first_object;
    return answer;
}

int session_describe_whole(struct session *s, const char *object, struct arena *a, struct object_info **out,
                           struct err *e)
{
    int answer = session_describe(s, NULL, a, out, e);
    while (*out && strcmp((*out)->object.name, object) != 0)
        *out = (*out)->next;
    if (*out)
        (*out)->next = NULL;
    return answer;
}

int session_pull(struct session *s, const struct sl_pull *pull, struct session_sink sink, struct arena *a,
                 struct page_end *end, struct err *e)
{
    struct sl_pull asked = *pull;
    *end = (struct page_end){0};
    int answer = begin(s, CALL_PULL, s->plugin->pull != NULL, e);
    if (answer != SL_OK)
        return answer;
    s->calls++;
    asked.size = sizeof(asked);
    s->pull = &asked;
    s->page = end;
    s->sink = sink;
    s->out = a;
    answer = s->plugin->pull(s->handle, &asked);
    if (answer == SL_OK && !end->kind)
        session_break(s, "it returned SL_OK without ending the page");
    answer = finish(s, answer, e);
    if (answer != SL_OK)
        *end = (struct page_end){0};
    return answer;
}

/* An id without an answer must not look like a record that is not there. */
static void check_answered(struct session *s, const struct sl_get *get)
{
    for (uint32_t i = 0; i < get->n_ids && s->n_told < get->n_ids; i++)
        if (!s->told[i])
            session_break(s, "it returned SL_OK without an answer for id '%.*s'", clean_cut(get->ids[i], 80),
                          get->ids[i]);
}

int session_get(struct session *s, const char *object, const char *const *ids, uint32_t n_ids, struct session_sink sink,
                struct err *e)
{
    struct sl_get get = {.size = sizeof(get), .n_ids = n_ids, .object = object, .ids = ids};
    int answer = begin(s, CALL_GET, s->plugin->get != NULL, e);
    if (answer != SL_OK)
        return answer;
    s->calls++;
    s->get = &get;
    s->sink = sink;
    forget_told(s, n_ids);
    answer = s->plugin->get(s->handle, &get);
    if (answer == SL_OK)
        check_answered(s, &get);
    return finish(s, answer, e);
}

int session_find(struct session *s, const struct sl_find *find, struct session_sink sink, struct err *e)
{
    struct sl_find asked = *find;
    int answer = begin(s, CALL_FIND, s->plugin->find != NULL, e);
    if (answer != SL_OK)
        return answer;
    s->calls++;
    asked.size = sizeof(asked);
    s->sink = sink;
    return finish(s, s->plugin->find(s->handle, &asked), e);
}

static void fill_uncertain(struct write_outcome *outcomes, uint32_t n, const uint8_t *told, const char *message)
{
    for (uint32_t i = 0; i < n; i++)
        if (!told || !told[i])
            outcomes[i] = (struct write_outcome){.result = SL_UNCERTAIN, .message = message};
}

int session_write(struct session *s, const struct sl_batch *batch, struct arena *a, struct write_outcome *outcomes,
                  struct err *e)
{
    struct sl_batch asked = *batch;
    fill_uncertain(outcomes, batch->n_writes, NULL, NULL);
    int answer = begin(s, CALL_WRITE, s->plugin->write != NULL, e);
    if (answer != SL_OK)
        return answer;
    s->calls++;
    asked.size = sizeof(asked);
    s->batch = &asked;
    s->outcomes = outcomes;
    s->out = a;
    forget_told(s, batch->n_writes);
    answer = finish(s, s->plugin->write(s->handle, &asked), e);
    const char *why = answer == SL_OK ? "the connector told no outcome" : e->text;
    if (s->n_told < batch->n_writes)
        fill_uncertain(outcomes, batch->n_writes, s->told, arena_text(a, why));
    return answer;
}

int session_webhook(struct session *s, const struct sl_hook *hook, struct session_sink sink, struct err *e)
{
    struct sl_hook asked = *hook;
    int answer = begin(s, CALL_WEBHOOK, s->plugin->webhook != NULL, e);
    if (answer != SL_OK)
        return answer;
    s->calls++;
    asked.size = sizeof(asked);
    s->sink = sink;
    s->is_signed = false;
    return finish(s, s->plugin->webhook(s->handle, &asked), e);
}

bool session_signed(const struct session *s, struct hash128 *what)
{
    *what = s->what_is_signed;
    return s->is_signed;
}
