/* SPDX-License-Identifier: MIT */
/* sign.h - the one door to libcrypto: digests, HMAC, signatures, base64. Pure but for randomness. */
#ifndef NET_SIGN_H
#define NET_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

enum { SIGN_MAX = 64 }; /* bytes of the longest HMAC */

/* hash: enum sl_hash. Out: out holds SIGN_MAX bytes; returns how many are used, 0 for an unknown hash. */
size_t sign_hmac(int hash, const void *key, size_t n_key, const void *data, size_t n_data, uint8_t out[SIGN_MAX]);
/* In constant time over the length of the longer. */
bool sign_equal(const void *a, size_t n_a, const void *b, size_t n_b);
void sign_sha256(const void *data, size_t n, uint8_t out[32]);

const char *sign_base64(const void *data, size_t n, struct arena *a);
/* The reverse, followed by a NUL; false if that is none. */
bool sign_unbase64(const char *text, struct arena *a, const char **data, size_t *n);
/* Without padding, with - and _. */
const char *sign_base64url(const void *data, size_t n, struct arena *a);

/*
 * A compact JWT: header and payload are JSON texts. alg: RS256, PS256 (salt of 32 bytes) or ES256; pem: the private key. ERR_CONFIG for a
 * key that is none or does not suit; the sentence holds nothing of it.
 */
int sign_jwt(const char *alg, const char *pem, const char *header, const char *payload, struct arena *a,
             const char **jwt, struct err *e);

/* Overwrites, so that no later read of the memory finds it. */
void sign_wipe(void *data, size_t n);

#endif
