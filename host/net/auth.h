/* SPDX-License-Identifier: MIT */
/* auth.h - credentials on requests: none, basic, bearer, key, OAuth 2, JWT assertion, OAuth 1.0a. */
#ifndef NET_AUTH_H
#define NET_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/transfer.h"

/* Where tokens outlive the process; given by the caller, so that this room knows no store. Any member may be NULL. */
struct auth_tokens {
    void *self;
    /* One at a time across processes; unlock after every lock that returned 0. */
    int (*lock)(void *self, struct err *e);
    void (*unlock)(void *self);
    /* Out: *text in the arena, or NULL if there is none yet. */
    int (*load)(void *self, struct arena *a, const char **text, struct err *e);
    /* Durable once it returned 0. */
    int (*save)(void *self, const char *text, struct err *e);
};

struct auth_request {
    const char *method;
    const char *url;
    const struct sl_header *headers;
    size_t n_headers;
};

/* What is put on a request: headers behind its own, and perhaps another URL (a key in the query). Lives in the caller's arena. */
struct auth_credit {
    struct sl_header headers[2];
    size_t n_headers;
    const char *url; /* NULL: as it was */
    uint64_t token; /* which one was used, for auth_renew */
};

struct auth;

/* Strings are borrowed until auth_open returns. */
struct auth_settings {
    const char *json; /* the value of `auth`, secrets already put in; NULL: none */
    const char *base_url; /* where a relative token_url starts */
    struct transfer_limits limits; /* of the requests that fetch tokens */
    bool allow_private; /* token servers may have a private address */
    struct auth_tokens tokens;
};

/* ERR_CONFIG names the member. Out: *out, to be closed. No text of an error holds a secret; the log hides every secret and token. */
int auth_open(const struct auth_settings *settings, struct auth **out, struct err *e);
/* For the config's check: whether a type has this member (each known one has `type`), and whether it is a secret. */
bool auth_knows(const char *type, const char *member, bool *secret);
/* "none, basic, ...": the types, for sentences. */
const char *auth_types(void);
/* Whether a token server's `error` is such a word as may be shown: "invalid_grant". */
bool token_word(const char *text);
void auth_close(struct auth *a); /* accepts NULL; wipes what it held */

/*
 * Credentials for one request. Fetches a token first if there is none or it is about to end. now_ms: wall clock.
 * ERR_CONFIG: refused by the server for good; ERR_FAILED: later.
 */
int auth_credit(struct auth *a, const struct auth_request *request, int64_t now_ms, struct arena *memory,
                struct auth_credit *out, struct err *e);

/*
 * After a 401: forgets the token that was used, unless another request has seen to that already. True if asking again makes sense: there is
 * another one to get, or to use.
 */
bool auth_renew(struct auth *a, uint64_t token);

#endif
