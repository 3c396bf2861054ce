/* SPDX-License-Identifier: MIT */
/* message.h - what the daemon's processes say to each other: length, kind, bytes; checked before anything in it is used. */
#ifndef DAEMON_MESSAGE_H
#define DAEMON_MESSAGE_H

#include <stdbool.h>

#include "base/mem.h"

enum message_kind {
    MESSAGE_LOADED = 1, /* worker: the config is taken; JSON, see roster.h */
    MESSAGE_REFUSED = 2, /* worker: it is not; the reasons, one a line. gateway: it cannot listen */
    MESSAGE_RUN = 3, /* to a worker: "run" or "full", a blank, the pair */
    MESSAGE_REPORT = 4, /* worker: one pair of that job; JSON, see figures.h */
    MESSAGE_DONE =
        5, /* worker: the job has ended: "ok", "failed" or "busy"; "ok 5000": it left something, to be gone on with in 5 s */
    MESSAGE_ASK = 6, /* gateway: "metrics" or "ready" */
    MESSAGE_METRICS = 7, /* to the gateway: Prometheus text */
    MESSAGE_READY = 8, /* to the gateway: why not; empty: ready */
    MESSAGE_REQUEST = 9, /* gateway: a whole request for somebody else to answer; request.h */
    MESSAGE_ANSWER = 10, /* to the gateway: what a request is answered; request.h */
    MESSAGE_ALIVE = 11, /* worker: a sign of life, in a run; empty */
    MESSAGE_DIED = 12, /* worker: a connection's runners died in a run; death.h */
    MESSAGE_HOOKS = 13, /* receiver: what became of deliveries, whom to wake, what is wrong; JSON, see reception.h */
    MESSAGE_FULL = 14, /* gateway: a delivery found no room; the connection's name, as its path had it */
    MESSAGE_END
};
enum { MESSAGE_MAX_BYTES = 32 << 20 };

/* Borrowed from the buffer it was cut from; a NUL stands behind no text. */
struct message {
    int kind; /* enum message_kind */
    const char *text;
    size_t n_bytes;
};

/* Appends one. What is longer than MESSAGE_MAX_BYTES is cut. */
void message_put(struct buf *out, int kind, const void *text, size_t n_bytes);
/* The message at *at, which moves behind it: 1; 0: it is not whole yet; -1: this is none, the peer is broken. */
int message_cut(const struct buf *in, size_t *at, struct message *m);
/* True if m is exactly this text. */
bool message_is(const struct message *m, const char *text);

/*
 * One end of a socket. The supervisor's end never blocks: what the peer does not take waits in out. A child's end blocks.
 * Zero-initialise but for fd.
 */
struct channel {
    int fd; /* -1: closed */
    struct buf in, out;
    size_t in_at, out_at;
};
/* Sends what is in out, as far as it goes. False: the peer is gone. */
bool channel_flush(struct channel *c);
/* Takes in what is there. False: the peer is gone or broken. */
bool channel_fill(struct channel *c);
/* The next whole message, borrowed until the next channel_fill: as message_cut. */
int channel_next(struct channel *c, struct message *m);
/* For a child: says it and waits until it is said; waits for the next one. False: the supervisor is gone. */
bool channel_say(struct channel *c, int kind, const void *text, size_t n_bytes);
bool channel_hear(struct channel *c, struct message *m);
/* For a child: waits within_ms (-1: for ever) until there is something to hear, or an end of it, or a signal. False: there is nothing. */
bool channel_wait(const struct channel *c, int within_ms);
void channel_close(struct channel *c);

#endif
