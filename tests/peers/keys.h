/* SPDX-License-Identifier: MIT */
/* keys.h - key pairs made while a test runs, as PEM inside a JSON string. */
#ifndef TESTS_PEER_KEYS_H
#define TESTS_PEER_KEYS_H

/* libcrypto has a type of the name of one of the host's error codes. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#undef ERR_STATE

#include "base/json.h"

static inline const char *keys_text(BIO *bio, struct arena *a)
{
    char *data = NULL;
    struct buf quoted = {0};
    long n = BIO_get_mem_data(bio, &data);
    json_put_string(&quoted, data, (size_t)n);
    const char *text = arena_text(a, quoted.data);
    buf_fini(&quoted);
    BIO_free(bio);
    return text;
}

/* For RS256, PS256 or ES256. Out: both halves in the arena, quoted. */
static inline void keys_make(const char *alg, struct arena *a, const char **secret, const char **open)
{
    EVP_PKEY *key = alg[0] == 'E' ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
    BIO *private = BIO_new(BIO_s_mem()), *public = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(private, key, NULL, NULL, 0, NULL, NULL);
    PEM_write_bio_PUBKEY(public, key);
    *secret = keys_text(private, a);
    *open = keys_text(public, a);
    EVP_PKEY_free(key);
}

#endif
