/* SPDX-License-Identifier: MIT */
/* wire.h - sends and receives whole frames on a socket, by a deadline. */
#ifndef RUNNER_WIRE_H
#define RUNNER_WIRE_H

#include "runner/frame.h"

/* One end. Zero-initialise, set fd. */
struct wire {
    int fd;
    struct buf out; /* frames to be sent: put with frame_begin and frame_end */
    struct buf in;
    size_t n_taken; /* of in, by frames handed out */
};

enum wire_end { WIRE_OK = 0, WIRE_CLOSED = 1, WIRE_LATE = 2, WIRE_GARBAGE = 3 };

/* Sends all that is in out and clears it. within_ms of now; -1: however long it takes. Returns an enum wire_end. */
int wire_send(struct wire *w, int64_t within_ms);
/* Waits for one whole frame. Out: kind and body, valid until the next call. Returns an enum wire_end. */
int wire_receive(struct wire *w, int64_t within_ms, int *kind, struct reader *body);
/* Frees the buffers; the descriptor is the caller's. */
void wire_fini(struct wire *w);

#endif
