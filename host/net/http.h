/* SPDX-License-Identifier: MIT */
/* http.h - the HTTP service of one connection: paced, retried, authorized and redirected by the host's rules. */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/auth.h"
#include "net/policy.h"
#include "net/rate.h"
#include "net/transfer.h"
#include "syncline/syncline.h"

/* Strings are borrowed until http_close. Zeros mean the defaults in brackets. */
struct http_settings {
    const char *connection; /* for sentences */
    const char *base_url; /* its origin is the one that gets credentials */
    const char *const *origins; /* further origins the connector declares: reached without credentials */
    size_t n_origins;
    int64_t requests_per_minute; /* [the server's headers decide] */
    struct rate_home pace; /* shared with other processes [this one's own] */
    uint32_t in_flight; /* [4] */
    const char *idempotency_header; /* [Idempotency-Key] */
    bool allow_private; /* base_url's name may lead to a private address; an address written in base_url always may */
    struct net_patience patience; /* [policy_patience] */
    struct transfer_limits limits;
};

struct http_world {
    void *self;
    int64_t (*now_ms)(void *self); /* wall clock */
    void (*random)(void *self, void *bytes, size_t n_bytes);
    int (*stopping)(void *self); /* 1: nothing new leaves; what is in flight is waited for */
    int64_t (*mono_us)(void *self); /* NULL: the machine's */
};

struct http;

/* auth may be NULL; it is borrowed. ERR_CONFIG if base_url is no URL. Out: *out, to be closed. */
int http_open(const struct http_settings *settings, struct auth *auth, const struct http_world *world,
              struct http **out, struct err *e);
void http_close(struct http *h); /* accepts NULL */

/*
 * Carries out n requests, request_size bytes apart, at most in_flight at once, and fills responses[0..n) in their order; strings are in the
 * arena. Blocks. Every response is filled whatever happens; nothing else fails. One thread.
 */
void http_many(struct http *h, const struct sl_http_request *requests, uint32_t n, uint32_t request_size,
               struct arena *a, struct sl_http_response *responses);

/* Requests that left, since http_open. */
uint64_t http_calls(const struct http *h);
/* For `status`: how fast this connection may send now, a minute; 0: no limit known. */
int64_t http_per_minute(struct http *h);

#endif
