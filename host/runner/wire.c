/* SPDX-License-Identifier: MIT */
/* wire.c - sends and receives whole frames on a socket, by a deadline. */
#include "runner/wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"

enum { PIECE = 65536, KEPT_MAX = 1024 * 1024 };

/* Waits until the socket can do that; one that is closed can do everything. */
static int await(const struct wire *w, short events, int64_t until)
{
    struct pollfd p = {.fd = w->fd, .events = events};
    for (;;) {
        int64_t left = until < 0 ? -1 : until - clock_mono_ms();
        if (until >= 0 && left <= 0)
            return WIRE_LATE;
        if (left > 60000)
            left = 60000; /* poll counts in int */
        if (poll(&p, 1, (int)left) > 0)
            return WIRE_OK;
    }
}

static int64_t moment(int64_t within_ms)
{
    return within_ms < 0 ? -1 : clock_mono_ms() + within_ms;
}

static bool must_wait(void)
{
    return errno == EAGAIN || errno == EINTR;
}

int wire_send(struct wire *w, int64_t within_ms)
{
    int64_t until = -2; /* the clock is asked only when there is something to wait for */
    int end = WIRE_OK;
    size_t sent = 0;
    while (sent < w->out.size && end == WIRE_OK) {
        ssize_t n = send(w->fd, w->out.data + sent, w->out.size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            sent += (size_t)n;
            continue;
        }
        until = until == -2 ? moment(within_ms) : until;
        end = n < 0 && must_wait() ? await(w, POLLOUT, until) : WIRE_CLOSED;
    }
    buf_clear(&w->out);
    if (w->out.room > KEPT_MAX)
        buf_fini(&w->out);
    return end;
}

/* What was handed out is not needed any more. */
static void drop_taken(struct wire *w)
{
    if (!w->n_taken)
        return;
    size_t rest = w->in.size - w->n_taken;
    if (rest == 0 && w->in.room > KEPT_MAX)
        buf_fini(&w->in);
    else if (rest)
        memmove(w->in.data, w->in.data + w->n_taken, rest);
    w->in.size = rest;
    w->n_taken = 0;
}

int wire_receive(struct wire *w, int64_t within_ms, int *kind, struct reader *body)
{
    int64_t until = -2;
    drop_taken(w);
    for (int end = WIRE_OK; end == WIRE_OK;) {
        int64_t taken = frame_find(slice_of(w->in.data, w->in.size), kind, body);
        if (taken < 0)
            return WIRE_GARBAGE;
        w->n_taken = (size_t)taken;
        if (taken)
            return WIRE_OK;
        ssize_t n = recv(w->fd, buf_room(&w->in, PIECE), PIECE, MSG_DONTWAIT);
        if (n > 0) {
            buf_took(&w->in, (size_t)n);
            continue;
        }
        until = until == -2 ? moment(within_ms) : until;
        end = n < 0 && must_wait() ? await(w, POLLIN, until) : WIRE_CLOSED;
        if (end != WIRE_OK)
            return end;
    }
    return WIRE_CLOSED;
}

void wire_fini(struct wire *w)
{
    buf_fini(&w->out);
    buf_fini(&w->in);
    w->n_taken = 0;
}
