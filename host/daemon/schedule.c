/* SPDX-License-Identifier: MIT */
/* schedule.c - which pair runs when: a heap of due times, jitter, backoff, wakes; pure, the clock is an argument. */
#include "daemon/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define NEVER INT64_MAX
static const int64_t first_gap_ms = 20, busy_ms = 1000, backoff_base_ms = 1000, backoff_cap_ms = 15 * 60 * 1000;

struct schedule {
    struct schedule_unit **units; /* sorted by name */
    size_t n_units;
    struct schedule_unit **heap; /* those that do not run, the first due on top */
    size_t n_heap;
    uint64_t seed, drawn;
    int64_t now_ms;
};

/* --- the heap --- */

static bool before(const struct schedule_unit *x, const struct schedule_unit *y)
{
    return x->due_ms != y->due_ms ? x->due_ms < y->due_ms : x->order < y->order;
}

static void set(struct schedule *s, size_t at, struct schedule_unit *u)
{
    s->heap[at] = u;
    u->at = at;
}

static void sift_up(struct schedule *s, size_t at)
{
    struct schedule_unit *u = s->heap[at];
    for (; at && before(u, s->heap[(at - 1) / 2]); at = (at - 1) / 2)
        set(s, at, s->heap[(at - 1) / 2]);
    set(s, at, u);
}

static void sift_down(struct schedule *s, size_t at)
{
    struct schedule_unit *u = s->heap[at];
    for (size_t child = 2 * at + 1; child < s->n_heap; child = 2 * at + 1) {
        if (child + 1 < s->n_heap && before(s->heap[child + 1], s->heap[child]))
            child++;
        if (!before(s->heap[child], u))
            break;
        set(s, at, s->heap[child]);
        at = child;
    }
    set(s, at, u);
}

static void add(struct schedule *s, struct schedule_unit *u)
{
    set(s, s->n_heap++, u);
    sift_up(s, u->at);
}

static void cut(struct schedule *s, struct schedule_unit *u)
{
    struct schedule_unit *last = s->heap[--s->n_heap];
    if (last == u)
        return;
    set(s, u->at, last);
    sift_up(s, last->at);
    sift_down(s, last->at);
}

/* --- times --- */

static int64_t later(int64_t at_ms, int64_t by_ms)
{
    return at_ms == NEVER || (at_ms > 0 && by_ms > NEVER - at_ms) ? NEVER : at_ms + by_ms;
}

/* The clock went back: what was to be in a minute is still to be in a minute. All move alike, so the heap stays one. */
static void tick(struct schedule *s, int64_t now_ms)
{
    int64_t back = now_ms < s->now_ms ? s->now_ms - now_ms : 0;
    for (size_t i = 0; back && i < s->n_units; i++) {
        struct schedule_unit *u = s->units[i];
        u->due_ms = u->due_ms == NEVER ? NEVER : u->due_ms - back;
        u->verify_due_ms = u->verify_due_ms == NEVER ? NEVER : u->verify_due_ms - back;
        u->started_ms -= back;
    }
    s->now_ms = now_ms;
}

static uint64_t draw(struct schedule *s)
{
    uint64_t seen[2] = {s->seed, ++s->drawn};
    return hash64(seen, sizeof seen);
}

static int64_t share(const char *name, int64_t of_ms)
{
    return of_ms > 0 ? (int64_t)(hash64(name, strlen(name)) % (uint64_t)of_ms) : 0;
}

/* The next slot of the pair behind t: its name decides where in the interval, so that pairs stay spread whatever made them run. */
static int64_t slot(const struct schedule_unit *u, int64_t t)
{
    if (u->every_ms <= 0)
        return NEVER;
    int64_t into = (t - share(u->name, u->every_ms)) % u->every_ms;
    if (into < 0)
        into += u->every_ms;
    return later(t, u->every_ms - into);
}

/* Half an interval at least lies between two starts, if the run leaves room: one run after a long sleep or a wake, not two. */
static int64_t next(const struct schedule_unit *u, int64_t now_ms)
{
    int64_t from = later(u->started_ms, u->every_ms / 2);
    return slot(u, from > now_ms ? from : now_ms);
}

static int64_t earlier(int64_t x, int64_t y)
{
    return x < y ? x : y;
}

/* Doubles with each. */
static int64_t window_of(unsigned n)
{
    int64_t window = backoff_base_ms;
    for (unsigned i = 1; i < n && window < backoff_cap_ms; i++)
        window *= 2;
    return earlier(window, backoff_cap_ms);
}

/* Full jitter: anywhere in the window. */
static int64_t backoff(struct schedule *s, const struct schedule_unit *u)
{
    int64_t window = window_of(u->failures);
    return backoff_base_ms / 2 + (int64_t)(draw(s) % (uint64_t)window);
}

/* --- the pairs --- */

struct schedule *schedule_new(uint64_t seed)
{
    struct schedule *s = mem_alloc(sizeof *s);
    s->seed = seed;
    s->now_ms = INT64_MIN;
    return s;
}

static void free_unit(struct schedule_unit *u)
{
    mem_free(u->name);
    mem_free(u);
}

void schedule_free(struct schedule *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_units; i++)
        free_unit(s->units[i]);
    mem_free(s->units);
    mem_free(s->heap);
    mem_free(s);
}

static size_t place(const struct schedule *s, const char *name)
{
    size_t low = 0, high = s->n_units;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(s->units[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct schedule_unit *find(const struct schedule *s, const char *name)
{
    size_t at = place(s, name);
    return at < s->n_units && strcmp(s->units[at]->name, name) == 0 ? s->units[at] : NULL;
}

const struct schedule_unit *schedule_find(const struct schedule *s, const char *name)
{
    return find(s, name);
}

/* Of many pairs that begin together each has its moment. */
static int64_t soon(const struct schedule_unit *u, size_t n, int64_t now_ms)
{
    int64_t within = (int64_t)n * first_gap_ms;
    if (u->every_ms <= 0)
        return later(u->verify_due_ms, share(u->name, within));
    return now_ms + share(u->name, earlier(u->every_ms, within));
}

static struct schedule_unit *new_unit(const struct schedule_want *w, size_t n, int64_t now_ms)
{
    struct schedule_unit *u = mem_alloc(sizeof *u);
    u->name = mem_dup(w->name);
    u->every_ms = w->every_ms;
    u->verify_every_ms = w->verify_every_ms;
    int64_t ago = w->verified_ago_ms >= 0 ? w->verified_ago_ms : share(w->name, w->verify_every_ms);
    int64_t left = w->verify_every_ms - ago;
    u->verify_due_ms = w->verify_every_ms > 0 ? later(now_ms, left > 0 ? left : 0) : NEVER;
    u->due_ms = soon(u, n, now_ms);
    return u;
}

/* A pair that waits is not to wait longer than its new intervals say. */
static void rewant(struct schedule_unit *u, const struct schedule_want *w, size_t n, int64_t now_ms)
{
    bool changed = u->every_ms != w->every_ms || u->verify_every_ms != w->verify_every_ms;
    if (u->verify_every_ms != w->verify_every_ms)
        u->verify_due_ms = w->verify_every_ms > 0 ? later(now_ms, w->verify_every_ms) : NEVER;
    u->every_ms = w->every_ms;
    u->verify_every_ms = w->verify_every_ms;
    u->gone = false;
    if (u->failures && !u->running)
        u->due_ms = soon(u, n, now_ms);
    else if (changed && !u->running)
        u->due_ms = earlier(slot(u, now_ms), u->verify_due_ms);
    u->failures = 0;
}

static int by_name(const void *x, const void *y)
{
    const struct schedule_unit *const *a = x, *const *b = y;
    return strcmp((*a)->name, (*b)->name);
}

/* The pairs that the config has no more: one that runs stays in the list until it is done. */
static size_t keep_running(struct schedule *s, struct schedule_unit **kept, size_t n)
{
    for (size_t i = 0; i < s->n_units; i++) {
        struct schedule_unit *u = s->units[i];
        if (u->gone && u->running)
            kept[n++] = u;
        else if (u->gone)
            free_unit(u);
    }
    return n;
}

void schedule_set(struct schedule *s, const struct schedule_want *wants, size_t n, int64_t now_ms)
{
    tick(s, now_ms);
    struct schedule_unit **units = mem_alloc((n + s->n_units + 1) * sizeof(*units));
    for (size_t i = 0; i < s->n_units; i++)
        s->units[i]->gone = true;
    for (size_t i = 0; i < n; i++) {
        units[i] = find(s, wants[i].name);
        if (!units[i])
            units[i] = new_unit(&wants[i], n, now_ms);
        else
            rewant(units[i], &wants[i], n, now_ms);
        units[i]->order = (unsigned)i;
    }
    size_t n_units = keep_running(s, units, n);
    mem_free(s->units);
    s->units = units;
    s->n_units = n_units;
    qsort(units, n_units, sizeof(*units), by_name);
    s->heap = mem_grow(s->heap, (n_units + 1) * sizeof(*s->heap));
    s->n_heap = 0;
    for (size_t i = 0; i < n_units; i++)
        if (!units[i]->running)
            add(s, units[i]);
}

/* --- runs --- */

const struct schedule_unit *schedule_peek(struct schedule *s, int64_t now_ms)
{
    tick(s, now_ms);
    return s->n_heap && s->heap[0]->due_ms <= now_ms ? s->heap[0] : NULL;
}

int64_t schedule_wait(struct schedule *s, int64_t now_ms)
{
    tick(s, now_ms);
    if (!s->n_heap || s->heap[0]->due_ms == NEVER)
        return -1;
    return s->heap[0]->due_ms > now_ms ? s->heap[0]->due_ms - now_ms : 0;
}

struct schedule_unit *schedule_take(struct schedule *s, int64_t now_ms)
{
    if (!schedule_peek(s, now_ms))
        return NULL;
    struct schedule_unit *u = s->heap[0];
    cut(s, u);
    u->running = true;
    u->again = false;
    u->left_ms = -1;
    u->started_ms = now_ms;
    u->full = u->verify_due_ms <= now_ms;
    return u;
}

void schedule_put_off(struct schedule *s, int64_t until_ms)
{
    struct schedule_unit *u = s->heap[0];
    u->due_ms = until_ms;
    u->failures += u->failures == 0; /* so that a config, when it is taken in, begins it soon */
    sift_down(s, u->at);
}

static void forget(struct schedule *s, struct schedule_unit *u)
{
    size_t at = place(s, u->name);
    memmove(&s->units[at], &s->units[at + 1], (s->n_units - at - 1) * sizeof(*s->units));
    s->n_units--;
    free_unit(u);
}

/* When what a run left is gone on with. */
static int64_t rest(struct schedule_unit *u, int64_t now_ms)
{
    u->leaves = u->left_ms < 0 ? 0 : u->leaves + 1;
    if (u->left_ms < 0)
        return NEVER;
    int64_t least = window_of(u->leaves);
    return later(now_ms, u->left_ms > least ? u->left_ms : least);
}

static void plan(struct schedule *s, struct schedule_unit *u, int outcome, int64_t now_ms)
{
    u->held = outcome == SCHEDULE_BUSY;
    u->failures = outcome == SCHEDULE_FAILED ? u->failures + 1 : outcome == SCHEDULE_OK ? 0 : u->failures;
    if (outcome == SCHEDULE_OK && u->full)
        u->verify_due_ms = u->verify_every_ms > 0 ? later(now_ms, u->verify_every_ms) : NEVER;
    if (outcome == SCHEDULE_FAILED)
        u->due_ms = later(now_ms, backoff(s, u));
    else if (u->held)
        u->due_ms = later(now_ms, busy_ms);
    else
        u->due_ms = u->again ? now_ms : earlier(earlier(next(u, now_ms), u->verify_due_ms), rest(u, now_ms));
}

void schedule_left(struct schedule_unit *u, int64_t in_ms)
{
    u->left_ms = in_ms;
}

void schedule_done(struct schedule *s, struct schedule_unit *u, int outcome, int64_t now_ms)
{
    tick(s, now_ms);
    u->running = false;
    if (u->gone) {
        forget(s, u);
        return;
    }
    plan(s, u, outcome, now_ms);
    u->full = false;
    add(s, u);
}

static void bring(struct schedule *s, struct schedule_unit *u, int64_t now_ms)
{
    if (u->running) {
        u->again = true;
    } else if (u->due_ms > now_ms) {
        u->due_ms = now_ms;
        sift_up(s, u->at);
    }
}

bool schedule_wake(struct schedule *s, const char *name, int64_t now_ms)
{
    tick(s, now_ms);
    struct schedule_unit *u = find(s, name);
    if (!u || u->gone)
        return false;
    if (u->running || (!u->failures && !u->held))
        bring(s, u, now_ms);
    return true;
}

bool schedule_now(struct schedule *s, const char *name, int64_t now_ms)
{
    tick(s, now_ms);
    struct schedule_unit *u = find(s, name);
    if (!u || u->gone)
        return false;
    bring(s, u, now_ms);
    return true;
}
