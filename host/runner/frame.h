/* SPDX-License-Identifier: MIT */
/* frame.h - frames between a host and a runner, and the SDK's structs in them: no pointer crosses, every count is checked. */
#ifndef RUNNER_FRAME_H
#define RUNNER_FRAME_H

#include <stdbool.h>

#include "base/mem.h"
#include "record/record.h"
#include "syncline/syncline.h"

/*
 * A frame is four bytes of length (little endian; of what follows), one of kind, and a body in the little binary encoding of
 * record/record.h. Only the two ends of one socketpair speak it, of one binary: it has no version.
 */
enum frame_kind {
    /* host to runner */
    FRAME_START = 1, /* frame_start; once, first */
    FRAME_OPEN, /* sl_settings */
    FRAME_CLOSE,
    FRAME_CHECK,
    FRAME_DESCRIBE, /* object or NULL */
    FRAME_PULL, /* sl_pull */
    FRAME_GET, /* sl_get */
    FRAME_FIND, /* sl_find */
    FRAME_WRITE, /* sl_batch */
    FRAME_WEBHOOK, /* sl_hook */
    FRAME_REPLY, /* to a service: an int, then what that service returns */
    /* runner to host */
    FRAME_HELLO, /* frame_hello; once, after START */
    FRAME_EMIT, /* sl_item, one after the other to the end; answered */
    FRAME_OUTCOME, /* sl_outcome */
    FRAME_LOG, /* level, text */
    FRAME_NOW, /* answered by the time */
    FRAME_RANDOM, /* how many bytes; answered by them */
    FRAME_SLEEP, /* milliseconds; answered */
    FRAME_STOPPING, /* answered */
    FRAME_HTTP, /* sl_http_request, many; answered by as many responses */
    FRAME_SIGNATURE, /* hash, option, data, signature; answered */
    FRAME_RETURN, /* frame_return: ends a call */
    FRAME_KINDS
};

enum {
    FRAME_MAX = 64 * 1024 * 1024, /* the kind and the body */
    FRAME_HEAD = 4,
    FRAME_ITEMS_MAX = 1000000 /* of one array */
};

/* How a runner is to begin: what its connector may reach. */
struct frame_start {
    uint64_t reach; /* SL_REACH_* */
    uint32_t n_paths;
    const char *const *paths; /* below which it may read and write */
    const char *sha256; /* of its file; NULL: whatever it is */
};

/* What a runner has loaded, or why not. */
struct frame_hello {
    const char *refused; /* NULL: loaded */
    uint32_t calls; /* bit FRAME_x - FRAME_OPEN: it has that call */
    const struct sl_plugin *plugin; /* without calls */
};

/* How a call ended. */
struct frame_return {
    uint32_t error_class; /* SL_OK or enum sl_class */
    const char *why;
    const struct sl_page *page; /* pull */
    uint32_t n_objects; /* describe */
    const struct sl_object *objects;
};

/* Begins a frame at the end of out; returns where, for frame_end. */
size_t frame_begin(struct buf *out, int kind);
/* Puts the length in. False if the frame is over FRAME_MAX: it is taken out again. */
bool frame_end(struct buf *out, size_t from);
/*
 * Looks for a whole frame at the start of bytes. Returns how many bytes it takes, 0 if there is more to come, or -1 if this can
 * be no frame; then kind and body are set. The body borrows from bytes.
 */
int64_t frame_find(struct slice bytes, int *kind, struct reader *body);

/* The structs that cross. Those with a size of their own, and arrays with a stride, may be of an older or newer ABI when they are put. */
enum frame_shape {
    SHAPE_VALUE = 1,
    SHAPE_RECORD,
    SHAPE_ITEM,
    SHAPE_PAGE,
    SHAPE_OUTCOME,
    SHAPE_FIELD,
    SHAPE_OBJECT,
    SHAPE_HEADER,
    SHAPE_REQUEST,
    SHAPE_RESPONSE,
    SHAPE_PULL,
    SHAPE_GET,
    SHAPE_FIND,
    SHAPE_WRITE,
    SHAPE_BATCH,
    SHAPE_HOOK,
    SHAPE_SETTINGS,
    SHAPE_OPTION,
    SHAPE_RULES,
    SHAPE_PLUGIN,
    SHAPE_START,
    SHAPE_HELLO,
    SHAPE_RETURN,
    N_SHAPES
};

/* A struct by itself; NULL is one, too. */
void frame_put(struct buf *out, int shape, const void *item);
/* n of them, stride bytes apart (0: as large as ours). */
void frame_put_many(struct buf *out, int shape, const void *items, uint32_t n, uint32_t stride);
/*
 * Each returns a copy in the arena, of our sizes, texts with a NUL behind them; NULL where NULL was put or the reader is bad. The
 * memory taken is bounded by the frame's, some eight times that.
 */
void *frame_get(struct reader *r, struct arena *a, int shape);
void *frame_get_many(struct reader *r, struct arena *a, int shape, uint32_t *n);

#endif
