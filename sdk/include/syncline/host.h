/* SPDX-License-Identifier: MIT */
/* host.h - the services a connector is given: everything outside its own system goes through here. */
#ifndef SYNCLINE_HOST_H
#define SYNCLINE_HOST_H

#include "describe.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a write ended. Since 1.0. */
enum sl_result {
    SL_APPLIED = 1,     /* carried out; record: as the system now holds it (NULL after a delete) */
    SL_NOT_APPLIED = 2, /* certainly not carried out; error_class says why */
    SL_UNCERTAIN = 3    /* may or may not have been carried out: the reply was lost */
};

/* The outcome of one write of a batch. A write without one counts as UNCERTAIN. Copied. Since 1.0. */
struct sl_outcome {
    uint32_t size;   /* sizeof(struct sl_outcome) */
    uint32_t index;  /* which write of the batch, from 0 */
    uint32_t result; /* enum sl_result */
    uint32_t error_class; /* NOT_APPLIED: enum sl_class */
    const struct sl_record *record; /* APPLIED: as stored, from the answer to this very write; NULL: not told */
    const char *message;   /* one line for a person; never a secret */
    uint32_t read_back;    /* 1: the record was read after the write, not answered by it */
    int64_t retry_after_ms; /* RATE, RETRY: wait at least this long; 0: unknown */
};

/* One name and value of an HTTP header. Since 1.0. */
struct sl_header {
    const char *name;
    const char *value;
};

/*
 * One HTTP request. Borrowed. Since 1.0. May grow at the end.
 * For maintainers: 4 bytes of padding follow `repeatable`, and `size` counts them. A new member begins at the next
 * multiple of 8, past all of 1.0's size, so that `size` tells whether it is there.
 */
struct sl_http_request {
    uint32_t size; /* sizeof(struct sl_http_request) */
    uint32_t timeout_ms; /* 0: the connection's */
    const char *method;
    const char *url; /* absolute, or a path below the connection's base_url */
    const struct sl_header *headers; /* credentials are added by the host, never here */
    uint32_t n_headers;
    uint32_t header_size; /* sizeof(struct sl_header) */
    const char *body;
    size_t body_bytes;
    const char *idempotency_key; /* sent in the header the config names; makes a repeat safe; NULL: none */
    uint32_t repeatable;         /* 1: the host may repeat it after a lost reply (GET and HEAD always are) */
};

/* How far an HTTP request came. Since 1.0. */
enum sl_http_end {
    SL_HTTP_ANSWERED = 1,  /* status, headers and body are valid */
    SL_HTTP_NOT_SENT = 2,  /* certainly never reached the server */
    SL_HTTP_NO_ANSWER = 3, /* may have been carried out */
    SL_HTTP_REFUSED = 4    /* the host's own rules refused it (origin, redirect, size); message says which */
};

/* One HTTP answer. Owned by the host, valid until the connector's next http call or return. Since 1.0. */
struct sl_http_response {
    uint32_t size; /* sizeof(struct sl_http_response) */
    uint32_t end;  /* enum sl_http_end */
    uint32_t status;
    uint32_t advice; /* enum sl_class: the host's reading of status and headers (SL_RATE, SL_AUTH, ...) */
    const struct sl_header *headers; /* names in lower case */
    uint32_t n_headers;
    uint32_t header_size;
    const char *body; /* followed by a NUL */
    size_t body_bytes;
    int64_t retry_after_ms;
    const char *next_url; /* the Link header's rel=next, checked to be of the same origin; NULL: none */
    const char *message;
};

/* Log levels. Since 1.0. */
enum sl_level { SL_LOG_ERROR = 1, SL_LOG_WARN = 2, SL_LOG_INFO = 3, SL_LOG_DEBUG = 4 };

/* Hash algorithms of check_signature. Since 1.0. */
enum sl_hash { SL_HMAC_SHA256 = 1, SL_HMAC_SHA1 = 2, SL_HMAC_SHA512 = 3 };

/* Services a plugin may need; a missing one is refused at load. Since 1.0. */
#define SL_NEED_JSON      (1ULL << 0) /* json_read, json_write */
#define SL_NEED_HTTP      (1ULL << 1) /* http, http_many */
#define SL_NEED_SIGNATURE (1ULL << 2) /* check_signature */

/*
 * The table of services. Given to open, valid until close returns; ctx is the first argument of
 * every service. Threads: call services only from the thread the host called you on, and only
 * during a call. Over a runner every service is a message, so each takes and returns values only.
 * Since 1.0. Grows at the end: test `host->size > offsetof(struct sl_host, member)` for a
 * member newer than 1.0, or declare it in `needs`.
 */
struct sl_host {
    uint32_t size; /* bytes of the host's table */
    uint16_t abi_major;
    uint16_t abi_minor;
    void *ctx;

    /* --- what a call produces; everything is copied before the service returns --- */

    /* pull, get, find, webhook: emits one item. Returns 0, or SL_BROKEN once the host has had enough: return then. */
    int (*emit)(void *ctx, const struct sl_item *item);
    /* pull: ends the page. Exactly once, last. */
    int (*page)(void *ctx, const struct sl_page *page);
    /* write: tells how one write of the batch ended. At most once for each; tell each as soon as it is known. */
    int (*outcome)(void *ctx, const struct sl_outcome *outcome);
    /* describe: emits one object. */
    int (*object)(void *ctx, const struct sl_object *object);
    /* Any call that returns other than SL_OK says why first: one line, the thing, the next step; no secret. */
    void (*fail)(void *ctx, const char *message);

    /* --- the world --- */

    void (*log)(void *ctx, uint32_t level, const char *message);
    /* Milliseconds since 1970 UTC. Never use the C library's clock for anything that reaches a record. */
    int64_t (*now_ms)(void *ctx);
    void (*random)(void *ctx, void *bytes, size_t n_bytes);
    /* Blocks, less if the run is being stopped. */
    void (*sleep_ms)(void *ctx, uint32_t ms);
    /* 1: the run is being stopped: end the call at the next safe point. */
    int (*stopping)(void *ctx);

    /* --- JSON through the host's guarded door (SL_NEED_JSON) --- */

    /*
     * Reads one JSON object into fields: keys in order, numbers exact (SL_INT, or SL_DECIMAL), lists and
     * objects as SL_JSON. Refused: invalid UTF-8, NUL, duplicate keys, depth over 64, too many nodes.
     * Out: *fields, *n_fields of them, *field_size bytes apart (a later host's are larger: walk them with sl_value_at(),
     * and hand them on with that size), owned by the host until the current call returns or json_free.
     * Returns SL_OK, or SL_REJECTED with *message (likewise owned) naming the place.
     */
    int (*json_read)(void *ctx, const char *text, size_t text_bytes, const struct sl_value **fields,
                     uint32_t *n_fields, uint32_t *field_size, const char **message);
    /* Writes fields as one JSON object, exactly; pretty: 1 for two-space indents and a final newline. Owned likewise. */
    int (*json_write)(void *ctx, const struct sl_value *fields, uint32_t n_fields, uint32_t field_size,
                      uint32_t pretty, const char **text, size_t *text_bytes);
    /* Frees everything json_read and json_write returned so far in this call: keeps a long call's memory flat. */
    void (*json_free)(void *ctx);

    /* --- HTTP (SL_NEED_HTTP); auth, retry, rate, redirects and limits are the host's --- */

    int (*http)(void *ctx, const struct sl_http_request *request, const struct sl_http_response **response);
    /*
     * A batch with bounded concurrency; requests are request_size bytes apart. Out: *responses in the order of the
     * requests, *response_size bytes apart, which may be more than sizeof(struct sl_http_response).
     */
    int (*http_many)(void *ctx, const struct sl_http_request *requests, uint32_t n_requests, uint32_t request_size,
                     const struct sl_http_response **responses, uint32_t *response_size);

    /* --- webhooks (SL_NEED_SIGNATURE) --- */

    /*
     * Compares in constant time the HMAC of data under the secret of that option with the given raw bytes.
     * The connector never sees the secret. Returns 1: equal, 0: not.
     */
    int (*check_signature)(void *ctx, uint32_t hash, const char *secret_option, const void *data, size_t data_bytes,
                           const void *signature, size_t signature_bytes);
};

#ifdef __cplusplus
}
#endif
#endif
