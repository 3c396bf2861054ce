/* SPDX-License-Identifier: MIT */
/* auth_inside.h - what the files of credentials share: the state of one connection's auth, and the ways to get a token. */
#ifndef NET_AUTH_INSIDE_H
#define NET_AUTH_INSIDE_H

#include "net/auth.h"

struct json_doc;
struct kind;

struct auth {
    const struct kind *kind;
    struct json_doc *doc; /* the config's members */
    char *base_url;
    struct transfer_limits limits;
    bool allow_private;
    struct auth_tokens tokens;
    char *token; /* the access token in use */
    char *refresh; /* the newest refresh token; NULL: the config's */
    int64_t ends_ms; /* of token */
    int64_t early_ms; /* so long before its end it is renewed */
    uint64_t n_tokens; /* had so far: which one is in use */
    bool unsaved; /* token and refresh are not kept yet, so not to be used */
    bool refused; /* the server did not take token: a saved one that equals it is no other */
};

const char *auth_member(const struct auth *a, const char *name); /* NULL if it is not there or no text */
/* Copies; what was there before is wiped. The log hides them. */
void auth_set_token(struct auth *a, const char *token, int64_t now_ms, int64_t ends_ms);
void auth_set_refresh(struct auth *a, const char *refresh);

/* token.c: makes sure of a token that is good for a while: the one in use, a saved one, or a new one; one process at a time gets it. */
int token_get(struct auth *a, int (*fetch)(struct auth *a, int64_t now_ms, struct err *e), int64_t now_ms,
              struct err *e);
/* grant.c: each asks the token server and sets token, end and refresh token. */
int token_by_client(struct auth *a, int64_t now_ms, struct err *e);
int token_by_refresh(struct auth *a, int64_t now_ms, struct err *e);
int token_by_jwt(struct auth *a, int64_t now_ms, struct err *e);
int token_by_github(struct auth *a, int64_t now_ms, struct err *e);

#endif
