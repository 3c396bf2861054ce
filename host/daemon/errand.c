/* SPDX-License-Identifier: MIT */
/* errand.c - commands that the daemon carries out for somebody: each a short-lived process of this program, few at once, with a deadline. */
#include "daemon/errand.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/child.h"

static const int64_t grace_ms = 5000, look_ms = 500;

struct errand {
    uint64_t number;
    char *words[ERRAND_WORDS + 1];
    int64_t deadline_ms, kill_ms; /* from its start; when it is killed, once it was told to end */
    bool lengthy;
    int end; /* 0: nothing is decided about it */
    pid_t pid; /* 0: it waits */
    int out, err; /* files in memory: what it says blocks nobody */
};

struct errands {
    struct errand *all[ERRANDS_MAX + ERRANDS_WAIT]; /* in the order in which they came */
    size_t n;
    void (*tell)(void *self, const struct errand_result *r);
    void *self;
};

struct errands *errands_new(void (*tell)(void *self, const struct errand_result *r), void *self)
{
    struct errands *e = mem_alloc(sizeof *e);
    e->tell = tell;
    e->self = self;
    return e;
}

static void free_errand(struct errand *one)
{
    for (size_t i = 0; one->words[i]; i++)
        mem_free(one->words[i]);
    if (one->out >= 0)
        close(one->out);
    if (one->err >= 0)
        close(one->err);
    mem_free(one);
}

void errands_free(struct errands *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->n; i++) {
        if (e->all[i]->pid)
            kill(-e->all[i]->pid, SIGKILL);
        free_errand(e->all[i]);
    }
    mem_free(e);
}

static size_t waiting(const struct errands *e)
{
    size_t n = 0;
    for (size_t i = 0; i < e->n; i++)
        n += e->all[i]->pid == 0;
    return n;
}

bool errands_ask(struct errands *e, const struct errand_order *o)
{
    if (waiting(e) >= ERRANDS_WAIT || o->n_words > ERRAND_WORDS)
        return false;
    struct errand *one = mem_alloc(sizeof *one);
    for (size_t i = 0; i < o->n_words; i++)
        one->words[i] = mem_dup(o->words[i]);
    one->number = o->number;
    one->deadline_ms = o->deadline_ms;
    one->lengthy = o->lengthy;
    one->out = one->err = -1;
    e->all[e->n++] = one;
    return true;
}

size_t errands_running(const struct errands *e)
{
    return e->n - waiting(e);
}

/* --- one --- */

/* True if it runs now; else it has ended badly. */
static bool begin(struct errand *one, const char *config, int conf_fd, int64_t now_ms)
{
    struct child_order o = {config, (const char *const *)one->words, conf_fd, -1, -1};
    o.out = one->out = memfd_create("syncline-out", MFD_CLOEXEC);
    o.err = one->err = memfd_create("syncline-err", MFD_CLOEXEC);
    one->pid = one->out >= 0 && one->err >= 0 ? child_command(&o) : 0;
    one->deadline_ms += now_ms;
    one->end = one->pid ? 0 : ERRAND_DIED;
    return one->pid != 0;
}

static bool said_too_much(const struct errand *one)
{
    struct stat st[2];
    if (fstat(one->out, &st[0]) != 0 || fstat(one->err, &st[1]) != 0)
        return false;
    return st[0].st_size > ERRAND_MAX_BYTES || st[1].st_size > ERRAND_MAX_BYTES;
}

/* A command that is told to end does so as at a ^C: at a point that loses nothing. */
static void hurry(struct errand *one, int end, int64_t now_ms)
{
    if (one->end)
        return;
    one->end = end;
    one->kill_ms = now_ms + grace_ms;
    kill(one->pid, SIGTERM);
}

static void watch(struct errand *one, int64_t now_ms)
{
    if (now_ms >= one->deadline_ms)
        hurry(one, ERRAND_LATE, now_ms);
    if (said_too_much(one))
        hurry(one, ERRAND_LARGE, now_ms);
    if (one->end && now_ms >= one->kill_ms)
        kill(-one->pid, SIGKILL);
}

static void read_all(int fd, struct buf *out)
{
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size <= 0)
        return;
    size_t size = st.st_size < ERRAND_MAX_BYTES ? (size_t)st.st_size : ERRAND_MAX_BYTES;
    ssize_t n = pread(fd, buf_room(out, size), size, 0);
    buf_took(out, n > 0 ? (size_t)n : 0);
}

static void tell(const struct errands *e, const struct errand *one, int exit_code)
{
    struct buf out = {0}, err = {0};
    if (one->end == ERRAND_RAN) {
        read_all(one->out, &out);
        read_all(one->err, &err);
    }
    struct errand_result r = {one->number, one->end, exit_code, out.data ? out.data : "", err.data ? err.data : "",
                              out.size,    err.size};
    e->tell(e->self, &r);
    buf_fini(&out);
    buf_fini(&err);
}

/* True if it is over; what it said is large, then it ended by itself. */
static bool over(const struct errands *e, struct errand *one, int64_t now_ms)
{
    int code = -1;
    watch(one, now_ms);
    if (!child_command_ended(&one->pid, &code))
        return false;
    if (!one->end)
        one->end = said_too_much(one) ? ERRAND_LARGE : code >= 0 ? ERRAND_RAN : ERRAND_DIED;
    tell(e, one, code);
    return true;
}

/* --- all of them --- */

static void forget(struct errands *e, size_t i)
{
    free_errand(e->all[i]);
    memmove(&e->all[i], &e->all[i + 1], (e->n - i - 1) * sizeof(*e->all));
    e->n--;
}

static size_t running_long(const struct errands *e)
{
    size_t n = 0;
    for (size_t i = 0; i < e->n; i++)
        n += e->all[i]->pid && e->all[i]->lengthy;
    return n;
}

static bool may_begin(const struct errands *e, const struct errand *one)
{
    return !one->pid && errands_running(e) < ERRANDS_MAX && (!one->lengthy || running_long(e) < ERRANDS_LONG_MAX);
}

void errands_tend(struct errands *e, const char *config, int conf_fd, int64_t now_ms)
{
    for (size_t i = 0; i < e->n;) {
        struct errand *one = e->all[i];
        if (one->pid ? over(e, one, now_ms) : one->end != 0) {
            forget(e, i);
        } else if (may_begin(e, one) && !begin(one, config, conf_fd, now_ms)) {
            tell(e, one, -1);
            forget(e, i);
        } else {
            i++;
        }
    }
}

int64_t errands_wait(const struct errands *e, int64_t now_ms)
{
    int64_t wait = -1;
    for (size_t i = 0; i < e->n; i++) {
        const struct errand *one = e->all[i];
        int64_t left = (one->end ? one->kill_ms : one->deadline_ms) - now_ms;
        if (may_begin(e, one))
            return 0;
        if (!one->pid)
            continue;
        left = left < 0 ? 0 : left < look_ms ? left : look_ms;
        wait = wait < 0 || left < wait ? left : wait;
    }
    return wait;
}

void errands_stop(struct errands *e)
{
    for (size_t i = 0; i < e->n; i++) {
        struct errand *one = e->all[i];
        if (one->pid)
            kill(one->pid, SIGTERM);
        one->end = ERRAND_STOPPED;
        one->kill_ms = one->deadline_ms;
    }
}
