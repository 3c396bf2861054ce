/* SPDX-License-Identifier: MIT */
/* jwt.h - signed assertions verified with libcrypto, apart from the code that signs them. */
#ifndef TESTS_PEER_JWT_H
#define TESTS_PEER_JWT_H

#include <stdint.h>

#include "base/mem.h"

/* NULL where it is good; else why not: the form, the signature, the issuer, the time. pem: the public key. alg is RS256, PS256 or ES256. */
const char *jwt_refused(const char *jwt, const char *pem, const char *issuer, int64_t now_ms, struct arena *a);
/* Base64 of either alphabet, with padding or without. NULL: it is none. A NUL is put behind it. */
const char *jwt_base64(const char *text, struct arena *a);
/* HMAC-SHA256 in hexadecimal digits. */
void jwt_hmac(const char *key, const char *text, char out[65]);

#endif
