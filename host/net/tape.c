/* SPDX-License-Identifier: MIT */
/* tape.c - a run's HTTP exchanges, clock and randomness: recorded to one file, redacted, and replayed from it. */
#include "net/tape.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "net/auth.h"
#include "net/sign.h"
#include "net/transfer.h"

enum { FORMAT = 1, SEED_BYTES = 32, IDLE_MAX = 100000 };
#define HIDDEN "***"

/* --- what is hidden --- */

static const char *scrubbed(const char *text, size_t n, size_t *n_out, struct arena *a)
{
    char *copy = arena_dup(a, text ? text : "", n);
    *n_out = log_scrub(copy, n);
    return copy;
}

static const char *scrubbed_text(const char *text, struct arena *a)
{
    size_t n = 0;
    return text ? scrubbed(text, strlen(text), &n, a) : NULL;
}

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(list[i], name) == 0)
            return true;
    return false;
}

/* Headers that are credentials by their name, and the last n_credit of a request, by who put them there. */
static void hide_headers(struct tape_message *m, const struct sl_header *headers, size_t n, size_t n_credit,
                         struct arena *a)
{
    static const char *const always[] = {"authorization", "proxy-authorization", "cookie", "set-cookie"};
    struct sl_header *list = arena_alloc(a, (n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++) {
        bool hidden = i + n_credit >= n || is_one_of(headers[i].name, always, sizeof always / sizeof *always);
        list[i].name = arena_text(a, headers[i].name);
        list[i].value = hidden ? HIDDEN : scrubbed_text(headers[i].value, a);
    }
    m->headers = list;
    m->n_headers = n;
}

/* a=b&c=d: what is not one of the harmless members is hidden. */
static const char *hide_form(const char *form, size_t n, struct arena *a)
{
    static const char *const shown[] = {"grant_type", "scope", "client_assertion_type"};
    struct buf out = {0};
    char *rest = arena_dup(a, form ? form : "", n);
    for (char *member; (member = strsep(&rest, "&"));) {
        char *value = strchr(member, '=');
        if (value)
            *value++ = '\0';
        buf_printf(&out, "%s%s=%s", out.size ? "&" : "", member,
                   is_one_of(member, shown, sizeof shown / sizeof *shown) && value ? value : HIDDEN);
    }
    const char *hidden = arena_text(a, out.data ? out.data : "");
    buf_fini(&out);
    return hidden;
}

static bool is_error(const struct json *member)
{
    return strcmp(json_key(member), "error") == 0 && json_type(member) == JSON_STRING &&
           token_word(json_text(member, NULL));
}

/* Of a token server's answer, what a replay needs: that there was a token, not which. */
static const char *hide_token(const char *body, size_t n, struct arena *a)
{
    static const char *const shown[] = {"expires_in", "expires_at", "token_type", "scope"};
    static const char *const hidden[] = {"access_token", "refresh_token", "id_token", "token"};
    struct err bad = {0};
    struct buf out = {0};
    struct json_doc *doc = n ? json_parse(body, n, NULL, &bad) : NULL;
    const struct json *root = doc ? json_root(doc) : NULL;
    buf_byte(&out, '{');
    for (const struct json *m = root && json_type(root) == JSON_OBJECT ? json_first(root) : NULL; m; m = json_next(m))
        if (is_one_of(json_key(m), hidden, sizeof hidden / sizeof *hidden) && json_type(m) == JSON_STRING) {
            line_put_text(&out, json_key(m), HIDDEN);
        } else if (is_one_of(json_key(m), shown, sizeof shown / sizeof *shown) || is_error(m)) {
            json_put_key(&out, json_key(m));
            json_put_node(&out, m);
        }
    buf_byte(&out, '}');
    const char *text = doc ? arena_text(a, out.data) : n ? HIDDEN : "";
    json_free(doc);
    buf_fini(&out);
    return text;
}

/* The exchange without its secrets: those that are known by their place, then every registered value wherever it stands. */
static void redact(struct tape_exchange *x, const char *connection, const struct transfer *t, struct arena *a)
{
    const char *url = t->shown_url ? t->shown_url : t->url, *asked = t->body, *got = t->answer.data;
    size_t n_asked = t->body_bytes, n_got = t->answer.size;
    *x = (struct tape_exchange){.end = t->end, .status = t->status, .connection = connection, .method = t->method};
    if (t->for_token) {
        asked = hide_form(asked, n_asked, a);
        got = hide_token(got, n_got, a);
        n_asked = strlen(asked);
        n_got = strlen(got);
    }
    x->url = scrubbed_text(url, a);
    x->why = scrubbed_text(t->why, a);
    hide_headers(&x->request, t->headers, t->n_headers, t->n_credit, a);
    hide_headers(&x->answer, t->got, t->n_got, 0, a);
    x->request.body = scrubbed(asked, n_asked, &x->request.n_body, a);
    x->answer.body = scrubbed(got, n_got, &x->answer.n_body, a);
}

/* --- a tape --- */

/* So many readings of the clock gave this value. */
struct reading {
    int64_t ms; /* since the recording began */
    uint64_t n;
};

struct state_row {
    const char *pair, *last_run;
    uint64_t born;
};

struct tape {
    bool replays;
    bool strayed; /* something is not as it was recorded: the order of answers is no longer known */
    char *file;
    int fd;
    int broken; /* errno of the first write that did not succeed */
    int64_t started_ms; /* wall clock */
    int64_t mono_us; /* when it began; replayed: how far it is */
    uint8_t seed[SEED_BYTES];
    uint64_t n_random; /* blocks drawn */
    int64_t n_left; /* requests, recorded */
    struct reading *readings; /* recorded since the last line; replayed: all of them */
    size_t n_readings, room, at; /* at: the reading the replay is at */
    struct arena memory; /* replayed */
    struct tape_exchange *exchanges;
    size_t n_exchanges, next; /* next: the first one whose turn has not come */
    struct state_row *states;
    size_t n_states;
    struct err stray; /* the first request that is not as it was recorded */
    uint64_t idle; /* times nobody's turn had come, in a row */
};

bool tape_replays(const struct tape *t)
{
    return t && t->replays;
}

static void put_line(struct tape *t, struct buf *line)
{
    buf_byte(line, '\n');
    for (size_t at = 0; at < line->size && !t->broken;) {
        ssize_t n = write(t->fd, line->data + at, line->size - at);
        if (n < 0 && errno != EINTR)
            t->broken = errno;
        at += n > 0 ? (size_t)n : 0;
    }
    buf_fini(line);
}

static void flush_clock(struct tape *t)
{
    struct buf line = {0};
    if (t->n_readings == 0)
        return;
    buf_text(&line, "{\"clock\": [");
    for (size_t i = 0; i < t->n_readings; i++)
        buf_printf(&line, "%s[%" PRId64 ",%" PRIu64 "]", i ? "," : "", t->readings[i].ms, t->readings[i].n);
    buf_text(&line, "]}");
    put_line(t, &line);
    t->n_readings = 0;
}

static void add_reading(struct tape *t, int64_t ms, uint64_t n)
{
    if (t->n_readings && t->readings[t->n_readings - 1].ms == ms) {
        t->readings[t->n_readings - 1].n += n;
        return;
    }
    if (t->n_readings == t->room) {
        t->room = t->room ? t->room * 2 : 64;
        t->readings = mem_grow(t->readings, t->room * sizeof *t->readings);
    }
    t->readings[t->n_readings++] = (struct reading){ms, n};
}

static struct tape *new_tape(const char *file, bool replays)
{
    struct tape *t = mem_alloc(sizeof *t);
    t->file = mem_dup(file);
    t->replays = replays;
    t->fd = -1;
    return t;
}

static void free_tape(struct tape *t)
{
    if (t->fd >= 0)
        close(t->fd);
    arena_fini(&t->memory);
    mem_free(t->readings);
    mem_free(t->exchanges);
    mem_free(t->states);
    mem_free(t->file);
    mem_free(t);
}

int tape_record(const char *file, const char *about, struct tape **out, struct err *e)
{
    char hex[2 * SEED_BYTES + 1];
    struct buf line = {0};
    struct tape *t = new_tape(file, false);
    t->fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (t->fd < 0) {
        err_set(e, ERR_CONFIG, "%s: a recording cannot begin there: %s; name a file that is not there yet", file,
                strerror(errno));
        free_tape(t);
        return e->code;
    }
    t->started_ms = clock_now_ms();
    t->mono_us = clock_mono_us();
    random_bytes(t->seed, sizeof t->seed);
    hex_encode(t->seed, sizeof t->seed, hex);
    buf_printf(&line, "{\"syncline_recording\": %d, \"started_ms\": %" PRId64 ", \"seed\": \"%s\"%s%s}", FORMAT,
               t->started_ms, hex, *about ? ", " : "", about);
    put_line(t, &line);
    *out = t;
    return 0;
}

/* --- reading one --- */

static bool get_clock(struct tape *t, const struct json *list)
{
    for (const struct json *n = json_type(list) == JSON_LIST ? json_first(list) : NULL; n; n = json_next(n)) {
        int64_t ms = 0, times = 0;
        const struct json *first = json_type(n) == JSON_LIST ? json_first(n) : NULL,
                          *second = first ? json_next(first) : NULL;
        if (!second || !json_int(first, &ms) || !json_int(second, &times) || times < 1)
            return false;
        add_reading(t, ms, (uint64_t)times);
    }
    return true;
}

static bool get_head(struct tape *t, const struct json *root)
{
    const char *seed = line_get_text(root, "seed", &t->memory);
    t->started_ms = line_get_number(root, "started_ms");
    return line_get_number(root, "syncline_recording") == FORMAT && seed && strlen(seed) == 2 * SEED_BYTES &&
           hex_decode(seed, t->seed, sizeof t->seed);
}

static bool get_state(struct tape *t, const struct json *root)
{
    t->states = mem_grow(t->states, (t->n_states + 1) * sizeof *t->states);
    t->states[t->n_states++] =
        (struct state_row){line_get_text(root, "pair", &t->memory), line_get_text(root, "last_run", &t->memory),
                           (uint64_t)line_get_number(root, "born")};
    return t->states[t->n_states - 1].pair != NULL;
}

static bool get_line(struct tape *t, const struct json *root, bool first)
{
    struct tape_exchange x;
    if (json_type(root) != JSON_OBJECT)
        return false;
    if (first)
        return get_head(t, root);
    if (json_get(root, "clock"))
        return get_clock(t, json_get(root, "clock"));
    if (json_get(root, "pair"))
        return get_state(t, root);
    if (!tape_get(root, &t->memory, &x))
        return false;
    if ((t->n_exchanges & (t->n_exchanges - 1)) == 0)
        t->exchanges = mem_grow(t->exchanges, (t->n_exchanges ? t->n_exchanges * 2 : 1) * sizeof x);
    t->exchanges[t->n_exchanges++] = x;
    return true;
}

/* A last line without its end is what a killed run left; it is not counted. */
static int read_lines(struct tape *t, const char *text, struct err *e)
{
    struct json_rules rules = {.max_bytes = 256 * 1024 * 1024};
    unsigned n = 0;
    for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
        struct err bad = {0};
        struct json_doc *doc = json_parse(text, (size_t)(end - text), &rules, &bad);
        bool good = doc && get_line(t, json_root(doc), n == 0);
        json_free(doc);
        n++;
        if (!good)
            return err_set(e, ERR_CONFIG,
                           "%s:%u: this is no line of a recording that this version knows%s%s; give a file that "
                           "`--record` wrote",
                           t->file, n, bad.code ? ": " : "", bad.text);
    }
    return n ? 0 : err_set(e, ERR_CONFIG, "%s: the recording is empty; give a file that `--record` wrote", t->file);
}

int tape_replay(const char *file, struct tape **out, struct err *e)
{
    struct buf text = {0};
    struct err why = {0};
    struct tape *t = new_tape(file, true);
    if (file_read(file, 0, &text, &why))
        err_set(e, ERR_CONFIG, "%s: the recording cannot be read: %s", file, why.text);
    else if (read_lines(t, text.data ? text.data : "", e) == 0)
        *out = t;
    buf_fini(&text);
    if (e->code)
        free_tape(t);
    return e->code;
}

static int end_recording(struct tape *t, struct err *e)
{
    flush_clock(t);
    if (!t->broken && fsync(t->fd))
        t->broken = errno;
    if (t->broken)
        err_set(e, ERR_FAILED, "%s: the recording is cut short: %s; the run itself was carried out", t->file,
                strerror(t->broken));
    return e->code;
}

static int end_replay(struct tape *t, struct err *e)
{
    size_t left = 0;
    const struct tape_exchange *first = NULL;
    for (size_t i = 0; i < t->n_exchanges; i++)
        if (!t->exchanges[i].asked) {
            first = first ? first : &t->exchanges[i];
            left++;
        }
    if (t->stray.code)
        return err_set(e, ERR_FAILED, "%s: the replay strayed: %s", t->file, t->stray.text);
    if (first && !t->strayed) /* else it was said already why */
        err_set(e, ERR_FAILED, "%s: %zu recorded requests were not made again, the first is %s: %s %.300s", t->file,
                left, first->connection, first->method, first->url);
    return e->code;
}

int tape_close(struct tape *t, struct err *e)
{
    if (!t)
        return 0;
    int rc = t->replays ? end_replay(t, e) : end_recording(t, e);
    free_tape(t);
    return rc;
}

int tape_state(struct tape *t, const char *pair, const char *last_run, uint64_t *born, struct err *e)
{
    const struct state_row *row = NULL;
    struct buf line = {0};
    for (size_t i = 0; i < t->n_states && !row; i++)
        row = strcmp(t->states[i].pair, pair) == 0 ? &t->states[i] : NULL;
    if (!t->replays) {
        buf_byte(&line, '{');
        line_put_text(&line, "pair", pair);
        if (last_run)
            line_put_text(&line, "last_run", last_run);
        line_put_number(&line, "born", (int64_t)*born);
        buf_byte(&line, '}');
        put_line(t, &line);
        return 0;
    }
    t->strayed = true;
    if (!row)
        return err_set(e, ERR_CONFIG, "pairs.%s: %s is not a recording of this pair; name the pairs that were recorded",
                       pair, t->file);
    if (!text_equal(row->last_run, last_run))
        return err_set(
            e, ERR_CONFIG,
            "pairs.%s: the recorded run began after run %s, this state is that after run %s; replay on a copy of "
            "the state made before the recorded run",
            pair, row->last_run ? row->last_run : "(none)", last_run ? last_run : "(none)");
    t->strayed = false;
    *born = row->born;
    return 0;
}

/* --- the world --- */

static void advance(struct tape *t, int64_t to_us)
{
    t->mono_us = to_us > t->mono_us ? to_us : t->mono_us;
}

int64_t tape_now_ms(void *self)
{
    struct tape *t = self;
    if (!t->replays) {
        int64_t now = clock_now_ms();
        add_reading(t, now - t->started_ms, 1);
        return now;
    }
    while (t->at + 1 < t->n_readings && t->readings[t->at].n == 0)
        t->at++;
    if (t->at >= t->n_readings)
        return t->started_ms;
    t->readings[t->at].n -= t->readings[t->at].n > 0; /* the last one stands for all later ones */
    advance(t, t->readings[t->at].ms * 1000);
    return t->started_ms + t->readings[t->at].ms;
}

int64_t tape_mono_us(void *self)
{
    const struct tape *t = self;
    return t->replays ? t->mono_us : clock_mono_us();
}

/* The seed is in the file: what is drawn from it keeps nothing secret. */
void tape_random(void *self, void *bytes, size_t n_bytes)
{
    struct tape *t = self;
    uint8_t block[SEED_BYTES + sizeof t->n_random], digest[32], *out = bytes;
    memcpy(block, t->seed, SEED_BYTES);
    for (size_t n; n_bytes; n_bytes -= n, out += n) {
        n = n_bytes < sizeof digest ? n_bytes : sizeof digest;
        memcpy(block + SEED_BYTES, &t->n_random, sizeof t->n_random);
        t->n_random++;
        sign_sha256(block, sizeof block, digest);
        memcpy(out, digest, n);
    }
}

void tape_sleep_ms(void *self, uint32_t ms)
{
    struct tape *t = self;
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    if (t->replays)
        t->mono_us += (int64_t)ms * 1000;
    else
        nanosleep(&pause, NULL);
}

/* --- exchanges --- */

struct tape_mark tape_leave(struct tape *t)
{
    return (struct tape_mark){++t->n_left, clock_mono_us() - t->mono_us};
}

void tape_keep(struct tape *t, const char *connection, const struct transfer *done, struct tape_mark left)
{
    struct arena a = {0};
    struct buf line = {0};
    struct tape_exchange x;
    redact(&x, connection, done, &a);
    x.left = left;
    x.took_us = clock_mono_us() - t->mono_us - left.us;
    flush_clock(t);
    tape_put(&line, &x);
    put_line(t, &line);
    arena_fini(&a);
}

static bool same_path(const char *a, const char *b)
{
    size_t n = strcspn(a, "?#");
    return n == strcspn(b, "?#") && strncmp(a, b, n) == 0;
}

static bool same_kind(const struct tape_exchange *a, const struct tape_exchange *b)
{
    return strcmp(a->connection, b->connection) == 0 && strcmp(a->method, b->method) == 0 && same_path(a->url, b->url);
}

/* Of the connection's exchanges that were not asked for yet, the one that left first: of that kind, or of any. */
static struct tape_exchange *next_of(struct tape *t, const struct tape_exchange *asked, bool any)
{
    struct tape_exchange *first = NULL;
    for (size_t i = 0; i < t->n_exchanges; i++) {
        struct tape_exchange *x = &t->exchanges[i];
        bool fits = any ? strcmp(x->connection, asked->connection) == 0 : same_kind(x, asked);
        if (fits && !x->asked && (!first || x->left.n < first->left.n))
            first = x;
    }
    return first;
}

static const char *stray(const struct tape_exchange *asked, const struct tape_exchange *next, const char *differs,
                         struct arena *a)
{
    if (differs)
        return arena_printf(a, "it is not the request that was recorded: %s", differs);
    if (next)
        return arena_printf(a, "it was not recorded; the next recorded one of %s is %s %s", next->connection,
                            next->method, next->url);
    return arena_printf(a, "it was not recorded; the recording has no more of %s", asked->connection);
}

/* What is of one kind comes in the order in which it left. */
const struct tape_exchange *tape_find(struct tape *t, const char *connection, struct transfer *asked)
{
    struct arena a = {0};
    struct tape_exchange x;
    redact(&x, connection, asked, &a);
    struct tape_exchange *next = next_of(t, &x, false);
    const char *differs = next ? tape_differs(&x, next, &a) : NULL;
    if (next)
        next->asked = true;
    if (next && !differs) {
        advance(t, next->left.us);
    } else {
        t->strayed = true;
        asked->why = stray(&x, next ? next : next_of(t, &x, true), differs, &asked->memory);
        if (!t->stray.code)
            err_set(&t->stray, ERR_FAILED, "%s: %s %.200s: %s", connection, x.method, x.url, asked->why);
        next = NULL;
    }
    arena_fini(&a);
    return next;
}

bool tape_turn(struct tape *t, const struct tape_exchange *x)
{
    while (t->next < t->n_exchanges && t->exchanges[t->next].given)
        t->next++;
    if (x != &t->exchanges[t->next] && !t->strayed && t->idle < IDLE_MAX)
        return false;
    t->exchanges[x - t->exchanges].given = true;
    t->idle = 0;
    advance(t, x->left.us + x->took_us);
    return true;
}

void tape_wait(struct tape *t, int64_t ms)
{
    t->mono_us += (ms > 0 ? ms : 1) * 1000;
    t->idle++;
}
