/* SPDX-License-Identifier: MIT */
/* message.c - what the daemon's processes say to each other: length, kind, bytes; checked before anything in it is used. */
#include "daemon/message.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_BYTES = 5, CHUNK_BYTES = 64 << 10 };

void message_put(struct buf *out, int kind, const void *text, size_t n_bytes)
{
    uint32_t n = n_bytes < MESSAGE_MAX_BYTES ? (uint32_t)n_bytes : MESSAGE_MAX_BYTES;
    char head[HEAD_BYTES] = {(char)(n & 255), (char)(n >> 8 & 255), (char)(n >> 16 & 255), (char)(n >> 24), (char)kind};
    buf_add(out, head, sizeof head);
    buf_add(out, text, n);
}

int message_cut(const struct buf *in, size_t *at, struct message *m)
{
    size_t left = in->size - *at;
    if (left < HEAD_BYTES)
        return 0;
    const unsigned char *head = (const unsigned char *)in->data + *at;
    uint32_t n = head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 24;
    if (n > MESSAGE_MAX_BYTES || head[4] == 0 || head[4] >= MESSAGE_END)
        return -1;
    if (left - HEAD_BYTES < n)
        return 0;
    *m = (struct message){head[4], in->data + *at + HEAD_BYTES, n};
    *at += HEAD_BYTES + n;
    return 1;
}

bool message_is(const struct message *m, const char *text)
{
    return m->n_bytes == strlen(text) && memcmp(m->text, text, m->n_bytes) == 0;
}

/* Not write(): a peer that is gone is an answer, not a signal. */
bool channel_flush(struct channel *c)
{
    while (c->out_at < c->out.size) {
        ssize_t n = send(c->fd, c->out.data + c->out_at, c->out.size - c->out_at, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        c->out_at += (size_t)n;
    }
    buf_clear(&c->out);
    c->out_at = 0;
    return true;
}

/* What was read moves up before more comes. */
static void settle(struct channel *c)
{
    if (!c->in_at)
        return;
    memmove(c->in.data, c->in.data + c->in_at, c->in.size - c->in_at);
    c->in.size -= c->in_at;
    c->in_at = 0;
}

/* One read: 1; 0: nothing is there now; -1: nothing will be. A child that waits and is told to end by a signal ends its wait. */
static int take(struct channel *c)
{
    settle(c);
    ssize_t n = recv(c->fd, buf_room(&c->in, CHUNK_BYTES), CHUNK_BYTES, 0);
    if (n > 0)
        buf_took(&c->in, (size_t)n);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    return n > 0 ? 1 : -1;
}

bool channel_fill(struct channel *c)
{
    return take(c) >= 0;
}

int channel_next(struct channel *c, struct message *m)
{
    return message_cut(&c->in, &c->in_at, m);
}

bool channel_say(struct channel *c, int kind, const void *text, size_t n_bytes)
{
    message_put(&c->out, kind, text, n_bytes);
    return channel_flush(c) && c->out.size == 0;
}

bool channel_hear(struct channel *c, struct message *m)
{
    int got = 0;
    while ((got = channel_next(c, m)) == 0)
        if (take(c) < 0)
            return false;
    return got > 0;
}

bool channel_wait(const struct channel *c, int within_ms)
{
    struct pollfd fd = {.fd = c->fd, .events = POLLIN};
    return c->in.size > c->in_at || poll(&fd, 1, within_ms) != 0;
}

void channel_close(struct channel *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    buf_fini(&c->in);
    buf_fini(&c->out);
    c->in_at = c->out_at = 0;
}
