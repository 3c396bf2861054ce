/* SPDX-License-Identifier: MIT */
/* request.h - an HTTP request and its answer, and both as bytes that the daemon's processes hand on. */
#ifndef DAEMON_REQUEST_H
#define DAEMON_REQUEST_H

#include "daemon/message.h"

enum { REQUEST_HEADERS_MAX = 100 };

struct request_header {
    const char *name, *value; /* of a request: the name is in lower case */
};

/* Borrowed, all of it. Path and query are as they were sent: nothing is unescaped, and a name holds no NUL. */
struct request {
    uint64_t number; /* what its answer goes by; never used twice, not by another gateway either */
    const char *route; /* the path of the route that took it */
    const char *method, *path, *query; /* query: behind the '?'; "" */
    const char *peer; /* the address it came from: the proxy's, if there is one */
    int64_t received_ms; /* wall clock */
    const struct request_header *headers;
    size_t n_headers;
    const char *body;
    size_t n_body;
};
/* The first header of that name, in lower case; NULL: there is none. */
const char *request_header(const struct request *r, const char *name);

struct answer {
    uint64_t number;
    unsigned status;
    const char *type; /* of the text */
    const struct request_header *headers; /* beside those that every answer has */
    size_t n_headers;
    const char *text;
    size_t n_text;
};
struct answer answer_text(uint64_t number, unsigned status, const char *text);

/* As one message's bytes; what reads them checks all, since a peer that is broken into may write anything. */
void request_put(struct buf *out, const struct request *r);
void answer_put(struct buf *out, const struct answer *a);
/* Out: *r borrows from the bytes and from headers. False: these are none. */
bool request_read(const char *bytes, size_t n_bytes, struct request_header headers[REQUEST_HEADERS_MAX],
                  struct request *r);
bool answer_read(const char *bytes, size_t n_bytes, struct request_header headers[REQUEST_HEADERS_MAX],
                 struct answer *a);
/* The route's path alone, borrowed; "": there is none. */
const char *request_route(const char *bytes, size_t n_bytes);
/* The number alone, which stands first in both; 0: there is none. */
uint64_t request_number(const char *bytes, size_t n_bytes);

#endif
