/* SPDX-License-Identifier: MIT */
/* tape_line.h - an exchange as a line of a recording: written, read, compared. Pure. */
#ifndef NET_TAPE_LINE_H
#define NET_TAPE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/mem.h"
#include "syncline/syncline.h"

struct tape_message {
    const struct sl_header *headers;
    size_t n_headers;
    const char *body;
    size_t n_body;
};

/* When a request left: as which one of the run, and how long after the recording began. */
struct tape_mark {
    int64_t n;
    int64_t us;
};

/* One request that left and what came of it. */
struct tape_exchange {
    struct tape_mark left;
    int64_t took_us;
    const char *connection;
    const char *method, *url;
    struct tape_message request, answer;
    int end; /* enum net_end */
    uint32_t status;
    const char *why; /* NULL: answered */
    bool asked, given; /* in a replay */
};

/* A line of JSON, without its end. Bodies that are no text are in base64. */
void tape_put(struct buf *line, const struct tape_exchange *x);
/* The reverse, in the arena; false if that is no exchange. */
bool tape_get(const struct json *line, struct arena *a, struct tape_exchange *x);
/* The first thing in which a request is another than the recorded one, as a sentence; NULL: they are the same. */
const char *tape_differs(const struct tape_exchange *asked, const struct tape_exchange *recorded, struct arena *a);

/* Members of any line of a recording. */
void line_put_text(struct buf *out, const char *key, const char *text);
void line_put_number(struct buf *out, const char *key, int64_t n);
const char *line_get_text(const struct json *from, const char *key,
                          struct arena *a); /* NULL: no object, no such text */
int64_t line_get_number(const struct json *from, const char *key); /* -1: no object, no such number */

#endif
