/* SPDX-License-Identifier: MIT */
/* child.c - the process behind the connection: started once, spoken to over pipes, ended with its whole group. */
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLICE_MS 200 /* how soon a stop of the run is seen */
#define GRACE_MS 1000 /* for the child to end by itself */
#define NAP_MS 5
#define SAID_MAX 1000u /* longest line of stderr that is logged whole */

/* Timeouts only; nothing of it reaches a record. */
static int64_t mono_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* --- ending --- */

/* Has it ended? It stays a zombie, so that its number, and its group's, cannot be anybody else's yet. */
static bool ended(const struct exec *x)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)x->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == x->pid;
}

static void await_end(const struct exec *x, int64_t most_ms)
{
    struct timespec nap = {.tv_nsec = NAP_MS * 1000000L};
    int64_t until = mono_ms() + most_ms;
    while (!ended(x) && mono_ms() < until)
        nanosleep(&nap, NULL);
}

/* Kills the group and collects the child. Returns its wait status, -1 if somebody else collected it. */
static int reap(struct exec *x)
{
    int status = -1;
    kill(-x->pid, SIGKILL);
    while (waitpid(x->pid, &status, 0) < 0)
        if (errno != EINTR)
            break;
    x->pid = 0;
    return status;
}

void child_stop(struct exec *x, bool grace)
{
    close_fd(&x->to);
    if (x->pid > 0 && grace)
        await_end(x, GRACE_MS);
    if (x->pid > 0)
        reap(x);
    close_fd(&x->from);
    close_fd(&x->err);
}

/* --- its stderr --- */

static void log_said(struct exec *x, size_t n_bytes)
{
    char text[SAID_MAX + 1];
    size_t n = n_bytes < SAID_MAX ? n_bytes : SAID_MAX;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)x->said.data[i];
        text[i] = (char)(c < 0x20 || c == 0x7f ? ' ' : c);
    }
    text[n] = 0;
    if (strspn(text, " ") < n)
        x->host->log(x->host->ctx, SL_LOG_INFO, text);
}

/* Takes what is there; whole lines go to the log. all: what is left without a newline, too. */
static void hear(struct exec *x, bool all)
{
    ssize_t n = 0;
    while (x->err >= 0 && (n = read(x->err, sl_bytes_room(&x->said, 4096), 4096)) > 0) {
        x->said.size += (size_t)n;
        char *end;
        while ((end = memchr(x->said.data, '\n', x->said.size)) || x->said.size >= SAID_MAX) {
            size_t line = end ? (size_t)(end - x->said.data) : SAID_MAX, used = line + (end ? 1 : 0);
            log_said(x, line);
            x->said.size -= used;
            memmove(x->said.data, x->said.data + used, x->said.size);
        }
    }
    if (x->err >= 0 && n == 0)
        close_fd(&x->err);
    if (all) {
        log_said(x, x->said.size);
        x->said.size = 0;
    }
}

/* --- starting --- */

struct pipes {
    int in[2], out[2], err[2], news[2]; /* news: the errno of an exec that did not work */
};

static void pipes_close(struct pipes *p)
{
    int *all[] = {p->in, p->out, p->err, p->news};
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        close_fd(&all[i][0]);
        close_fd(&all[i][1]);
    }
}

static bool pipes_open(struct pipes *p)
{
    *p = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    if (pipe2(p->in, O_CLOEXEC) == 0 && pipe2(p->out, O_CLOEXEC) == 0 && pipe2(p->err, O_CLOEXEC) == 0 &&
        pipe2(p->news, O_CLOEXEC) == 0)
        return true;
    pipes_close(p);
    return false;
}

/* In the child, between fork and exec: no allocation, no return. Above 3 so that no dup2 lands on another's source. */
static _Noreturn void become(const struct exec *x, const struct pipes *p, pid_t parent)
{
    sigset_t none;
    int in = fcntl(p->in[0], F_DUPFD, 3), out = fcntl(p->out[1], F_DUPFD, 3), err = fcntl(p->err[1], F_DUPFD, 3);
    int news = fcntl(p->news[1], F_DUPFD_CLOEXEC, 10);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    /* Dies with us, also when we are killed; the second look is for a parent that was gone before the first. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent && dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(err, 2) == 2) {
        /* All above the three, the news with its errno too. Before Linux 5.11 not: what the host opens closes itself. */
        close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
        execvp(x->argv[0], x->argv);
    }
    int code = errno;
    ssize_t sent = write(news, &code, sizeof(code));
    _exit(sent == (ssize_t)sizeof(code) ? 127 : 126);
}

static void take_pipes(struct exec *x, struct pipes *p)
{
    x->to = p->in[1];
    x->from = p->out[0];
    x->err = p->err[0];
    p->in[1] = p->out[0] = p->err[0] = -1;
    fcntl(x->to, F_SETFL, O_NONBLOCK);
    fcntl(x->from, F_SETFL, O_NONBLOCK);
    fcntl(x->err, F_SETFL, O_NONBLOCK);
    x->out_at = x->in.size = x->in_at = x->in_seen = x->said.size = 0;
}

int child_start(struct exec *x)
{
    struct pipes p;
    int code = 0;
    if (x->pid > 0 && !ended(x))
        return SL_OK;
    if (x->pid > 0) { /* it ended between two calls, as a program may that answers only one */
        hear(x, true);
        child_stop(x, false);
    }
    if (!pipes_open(&p))
        return refuse(x, SL_RETRY, "cannot be started: %s", strerror(errno));
    pid_t self = getpid();
    x->pid = fork();
    if (x->pid == 0)
        become(x, &p, self);
    if (x->pid < 0) {
        x->pid = 0;
        pipes_close(&p);
        return refuse(x, SL_RETRY, "cannot be started: %s", strerror(errno));
    }
    setpgid(x->pid, x->pid); /* both sides do it: whoever is first */
    close_fd(&p.news[1]);
    ssize_t n = read(p.news[0], &code, sizeof(code));
    take_pipes(x, &p);
    pipes_close(&p);
    if (n <= 0)
        return SL_OK;
    child_stop(x, false);
    return refuse(x, SL_CONFIG, "cannot be started: %s; correct \"command\" or install the program", strerror(code));
}

/* --- speaking --- */

/* write(2) to a pipe whose reader may be gone: the signal for that must not reach the host. */
static ssize_t write_quietly(int fd, const char *data, size_t n_bytes)
{
    sigset_t pipe_set, before, pending;
    struct timespec zero = {0};
    sigemptyset(&pipe_set);
    sigaddset(&pipe_set, SIGPIPE);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_set, &before);
    ssize_t n = write(fd, data, n_bytes);
    int code = errno;
    if (n < 0 && code == EPIPE && !was_pending)
        sigtimedwait(&pipe_set, NULL, &zero);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = code;
    return n;
}

static void speak(struct exec *x)
{
    while (x->to >= 0 && x->out_at < x->out.size) {
        ssize_t n = write_quietly(x->to, x->out.data + x->out_at, x->out.size - x->out_at);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0) {
            close_fd(&x->to); /* it reads no more: what it still has to say tells why */
            return;
        }
        x->out_at += (size_t)n;
    }
}

void child_ask(struct exec *x)
{
    x->out_at = 0;
    speak(x);
}

/* Takes what its stdout holds. False: it is at its end. */
static bool listen_once(struct exec *x)
{
    if (x->in_at > 0) {
        x->in.size -= x->in_at;
        memmove(x->in.data, x->in.data + x->in_at, x->in.size);
        x->in_seen -= x->in_at;
        x->in_at = 0;
    }
    ssize_t n = read(x->from, sl_bytes_room(&x->in, 65536), 65536);
    if (n > 0)
        x->in.size += (size_t)n;
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Its output ended in the middle of a call: says how the child ended. */
static int died(struct exec *x)
{
    char how[80];
    await_end(x, GRACE_MS / 4);
    bool by_itself = ended(x);
    hear(x, true);
    int status = reap(x);
    child_stop(x, false);
    if (!by_itself)
        snprintf(how, sizeof(how), "closed its output");
    else if (status >= 0 && WIFSIGNALED(status))
        snprintf(how, sizeof(how), "was killed by signal %d", WTERMSIG(status));
    else
        snprintf(how, sizeof(how), "ended with status %d", status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return refuse(x, SL_RETRY, "%s in the middle of a call: its stderr is in the log; it is started again next time",
                  how);
}

static int silent(struct exec *x)
{
    hear(x, true);
    child_stop(x, false);
    return refuse(x, SL_RETRY, "said nothing for %lld ms and was ended: look at the log, or raise \"timeout_ms\"",
                  (long long)x->timeout_ms);
}

/* Moves bytes both ways until some answer came. */
static int pump(struct exec *x, bool keep_going)
{
    int64_t deadline = mono_ms() + x->timeout_ms;
    for (;;) {
        bool more = x->to >= 0 && x->out_at < x->out.size;
        struct pollfd fds[] = {{.fd = x->from, .events = POLLIN},
                               {.fd = x->err, .events = POLLIN},
                               {.fd = more ? x->to : -1, .events = POLLOUT}};
        int64_t rest = deadline - mono_ms();
        if (rest <= 0)
            return silent(x);
        poll(fds, 3, rest < SLICE_MS ? (int)rest : SLICE_MS);
        if (fds[2].revents) {
            size_t before = x->out_at;
            speak(x);
            if (x->out_at > before)
                deadline = mono_ms() + x->timeout_ms;
        }
        if (fds[1].revents)
            hear(x, false);
        if (fds[0].revents)
            return listen_once(x) ? SL_OK : died(x);
        if (!keep_going && x->host->stopping(x->host->ctx)) {
            child_stop(x, false);
            return refuse(x, SL_RETRY, "was ended because the run is being stopped: the next run asks again");
        }
    }
}

int child_line(struct exec *x, bool keep_going, const char **line, size_t *n_bytes)
{
    for (;;) {
        char *end = x->in.size > x->in_seen ? memchr(x->in.data + x->in_seen, '\n', x->in.size - x->in_seen) : NULL;
        if (end) {
            *line = x->in.data + x->in_at;
            *n_bytes = (size_t)(end - *line);
            x->in_at = x->in_seen = (size_t)(end + 1 - x->in.data);
            return SL_OK;
        }
        x->in_seen = x->in.size;
        if (x->in.size - x->in_at > LINE_MAX_BYTES) {
            child_stop(x, false);
            return refuse(x, SL_BROKEN, "answered a line of more than %zu MiB: it must end each answer with a newline",
                          LINE_MAX_BYTES >> 20);
        }
        int rc = pump(x, keep_going);
        if (rc != SL_OK)
            return rc;
    }
}
