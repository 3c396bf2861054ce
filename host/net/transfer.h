/* SPDX-License-Identifier: MIT */
/* transfer.h - the one door to libcurl: transfers in flight together, and the parts of URLs. Knows no retry, no credentials, no redirects. */
#ifndef NET_TRANSFER_H
#define NET_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "syncline/syncline.h"

struct tape;

/* What every transfer of a pool must keep. Zeros mean the defaults in brackets. */
struct transfer_limits {
    size_t most_body_bytes; /* after decompression [16 MiB] */
    size_t most_header_bytes; /* [64 KiB] */
    int64_t timeout_ms; /* for the whole of one transfer [30 s] */
    int64_t connect_ms; /* [10 s] */
    bool plain_http; /* http:// beyond loopback */
    const char *ca_file; /* NULL: the system's */
    struct tape *tape; /* records what leaves and comes, or stands for the network; NULL: neither */
    const char *connection; /* for the tape */
};

/* One request and what came of it. The caller's while it is not started; strings are borrowed until it is finished. */
struct transfer {
    const char *method;
    const char *url; /* absolute */
    const struct sl_header *headers;
    size_t n_headers;
    const char *body;
    size_t body_bytes;
    int64_t timeout_ms; /* 0: the pool's */
    bool near; /* loopback, private and link-local addresses may be reached */
    size_t n_credit; /* the last of the headers, credentials: never recorded */
    const char *shown_url; /* url without a credential in it; NULL: as it is */
    bool for_token; /* asks a token server: body and answer are credentials */
    bool once; /* leaves at most once, even if a kept connection dies under it */
    void *owner; /* the caller's */

    int end; /* enum net_end */
    uint32_t status;
    struct buf answer; /* the body, decoded; the caller clears or frees it */
    struct arena memory; /* of got and why; the caller's to free */
    struct sl_header *got; /* names in lower case */
    size_t n_got, got_room;
    size_t header_bytes, body_sent;
    const char *why; /* NOT_SENT, NO_ANSWER, REFUSED: the fact, without the URL's query */
    struct transfer_hand *hand; /* while in flight */
};

/* Connections are kept and reused for as long as the pool is open. One thread. */
struct transfer_pool;
struct transfer_pool *transfer_open(const struct transfer_limits *limits);
void transfer_close(struct transfer_pool *pool); /* accepts NULL; nothing may be in flight */
/* Starts it. It is finished once transfer_next returned it; also one that could not be started. */
void transfer_start(struct transfer_pool *pool, struct transfer *t);
/* A finished transfer, or NULL after wait_ms without one. */
struct transfer *transfer_next(struct transfer_pool *pool, int64_t wait_ms);
/* Gives back what a finished transfer holds. */
void transfer_fini(struct transfer *t);

/*
 * `scheme://host:port` of an absolute http or https URL, with the port always written and the host in lower case. Others, and URLs with a
 * user or password in them, are refused: ERR_INPUT.
 */
int url_origin(const char *url, struct arena *a, const char **origin, struct err *e);
/* True if the URL itself names localhost, or a loopback, private or link-local address: whoever wrote it there meant it. */
bool url_near(const char *url);
/* `reference` as seen from `base`, both may be relative paths only if base is absolute. ERR_INPUT if it is no URL. */
int url_resolve(const char *base, const char *reference, struct arena *a, const char **url, struct err *e);
/* Percent-encoding (RFC 3986: only unreserved characters stay), and back. */
const char *url_escape(const char *text, size_t n, struct arena *a);
const char *url_unescape(const char *text, size_t n, size_t *n_out, struct arena *a);
/* The URL without user, password, query and fragment: for sentences and logs. */
const char *url_shown(const char *url, struct arena *a);

#endif
