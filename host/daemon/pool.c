/* SPDX-License-Identifier: MIT */
/* pool.c - the workers: as many as there is work for, within bounds; each carries out one run at a time. */
#include "daemon/pool.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const int64_t idle_ms = 60000, restart_base_ms = 250, restart_cap_ms = 30000;

void pool_init(struct pool *p)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    memset(p, 0, sizeof *p);
    p->most = cores < 1 ? 3 : (size_t)cores + 2 < POOL_MAX - 2 ? (size_t)cores + 2 : POOL_MAX - 2;
}

struct worker *pool_start(struct pool *p, const char *config, int conf_fd, uint64_t number, int64_t now_ms,
                          struct err *e)
{
    struct worker *w = &p->workers[p->n];
    if (p->n == POOL_MAX || child_start(&w->child, config, "worker", conf_fd, e))
        return NULL;
    p->n++;
    w->serial = ++p->serial;
    w->config = number;
    w->unit = NULL;
    w->since_ms = now_ms;
    w->heard_ms = now_ms;
    w->candidate = w->ready = w->leaving = w->silent = false;
    return w;
}

struct worker *pool_idle(struct pool *p, const struct schedule_unit *unit)
{
    struct worker *any = NULL;
    for (size_t i = 0; i < p->n; i++) {
        struct worker *w = &p->workers[i];
        if (!w->ready || w->leaving || w->unit)
            continue;
        if (w->serial == unit->worker)
            return w;
        any = w;
    }
    return any;
}

bool pool_may_start(const struct pool *p, int64_t now_ms)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (!p->workers[i].ready && !p->workers[i].candidate)
            return false;
        n += !p->workers[i].candidate && !p->workers[i].leaving;
    }
    return n < p->most && p->n < POOL_MAX - 1 && now_ms >= p->not_before_ms;
}

void pool_give(struct worker *w, struct schedule_unit *unit)
{
    struct buf job = {0};
    buf_printf(&job, "%s %s", unit->full ? "full" : "run", unit->name);
    message_put(&w->child.channel.out, MESSAGE_RUN, job.data, job.size);
    channel_flush(&w->child.channel);
    buf_fini(&job);
    w->unit = unit;
    unit->worker = w->serial;
}

/* The end of what it reads is the end of its work; what it has to say still comes. */
void pool_dismiss(struct worker *w)
{
    if (!w->leaving)
        shutdown(w->child.channel.fd, SHUT_WR);
    w->leaving = true;
}

void pool_trim(struct pool *p, uint64_t config, int64_t now_ms)
{
    size_t left = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (!p->workers[i].candidate && p->workers[i].config != config)
            pool_dismiss(&p->workers[i]);
        left += !p->workers[i].leaving && !p->workers[i].candidate;
    }
    for (size_t i = 0; i < p->n && left > 1; i++) {
        struct worker *w = &p->workers[i];
        if (!w->ready || w->leaving || w->unit || now_ms - w->since_ms < idle_ms)
            continue;
        pool_dismiss(w);
        left--;
    }
}

int pool_outcome(struct worker *w, const struct message *m)
{
    char text[32] = "";
    if (m->n_bytes < sizeof text)
        memcpy(text, m->text, m->n_bytes);
    if (strncmp(text, "ok ", 3) == 0)
        schedule_left(w->unit, strtoll(text + 3, NULL, 10));
    else if (strcmp(text, "ok") != 0)
        return strcmp(text, "busy") == 0 ? SCHEDULE_BUSY : SCHEDULE_FAILED;
    return SCHEDULE_OK;
}

void pool_forget(struct pool *p, struct worker *w, int64_t now_ms)
{
    if (!w->ready && !w->candidate) {
        int64_t wait = restart_base_ms << (p->failures < 7 ? p->failures : 7);
        p->failures++;
        p->not_before_ms = now_ms + (wait < restart_cap_ms ? wait : restart_cap_ms);
    }
    p->lost += !w->leaving && !w->candidate;
    channel_close(&w->child.channel);
    *w = p->workers[--p->n];
}

size_t pool_running(const struct pool *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        n += p->workers[i].unit != NULL;
    return n;
}

void pool_stop(struct pool *p)
{
    for (size_t i = 0; i < p->n; i++) {
        if (p->workers[i].unit || !p->workers[i].ready)
            kill(p->workers[i].child.pid, SIGTERM);
        pool_dismiss(&p->workers[i]);
    }
}

void pool_kill(struct pool *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->workers[i].child.pid)
            kill(p->workers[i].child.pid, SIGKILL);
}
