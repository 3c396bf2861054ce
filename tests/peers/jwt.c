/* SPDX-License-Identifier: MIT */
/* jwt.c - signed assertions verified with libcrypto, apart from the code that signs them. */
#include "jwt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "values.h"

enum { ES256_HALF = 32 };

static int digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    c = (char)(c == '-' ? '+' : c == '_' ? '/' : c);
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static bool decode(const char *text, size_t n, struct buf *out)
{
    uint32_t bits = 0;
    int held = 0;
    while (n && text[n - 1] == '=')
        n--;
    for (size_t i = 0; i < n; i++) {
        int d = digit(text[i]);
        if (d < 0)
            return false;
        bits = bits << 6 | (uint32_t)d;
        held += 6;
        if (held >= 8)
            buf_byte(out, (int)(bits >> (held -= 8) & 0xff));
    }
    return true;
}

const char *jwt_base64(const char *text, struct arena *a)
{
    struct buf out = {0};
    const char *bytes = decode(text, strlen(text), &out) ? arena_dup(a, out.size ? out.data : "", out.size) : NULL;
    buf_fini(&out);
    return bytes;
}

/* A JWT's ECDSA signature is r and s, 32 bytes each; libcrypto wants DER. */
static void to_der(struct buf *signature)
{
    ECDSA_SIG *s = ECDSA_SIG_new();
    const unsigned char *at = (const unsigned char *)signature->data;
    unsigned char *der = NULL;
    if (signature->size == 2 * ES256_HALF)
        ECDSA_SIG_set0(s, BN_bin2bn(at, ES256_HALF, NULL), BN_bin2bn(at + ES256_HALF, ES256_HALF, NULL));
    int n = signature->size == 2 * ES256_HALF ? i2d_ECDSA_SIG(s, &der) : 0;
    buf_clear(signature);
    if (n > 0)
        buf_add(signature, der, (size_t)n);
    OPENSSL_free(der);
    ECDSA_SIG_free(s);
}

static bool verified(const char *alg, const char *pem, const char *text, size_t n, struct buf *signature)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *detail = NULL;
    int want = alg[0] == 'E' ? EVP_PKEY_EC : EVP_PKEY_RSA;
    bool good = key && EVP_PKEY_get_base_id(key) == want &&
                EVP_DigestVerifyInit(context, &detail, EVP_sha256(), NULL, key) == 1;
    if (good && strcmp(alg, "PS256") == 0)
        good = EVP_PKEY_CTX_set_rsa_padding(detail, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(detail, RSA_PSS_SALTLEN_DIGEST) == 1;
    if (alg[0] == 'E')
        to_der(signature);
    good = good && EVP_DigestVerify(context, (const unsigned char *)signature->data, signature->size,
                                    (const unsigned char *)text, n) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return good;
}

static bool in_time(const char *payload, int64_t now_ms, struct arena *a)
{
    int64_t now_s = now_ms / 1000;
    const char *from = body_text(payload, "iat", a), *to = body_text(payload, "exp", a);
    return from && to && strtoll(from, NULL, 10) <= now_s && strtoll(to, NULL, 10) > now_s &&
           strtoll(to, NULL, 10) <= now_s + 3600;
}

const char *jwt_refused(const char *jwt, const char *pem, const char *issuer, int64_t now_ms, struct arena *a)
{
    const char *dot = strchr(jwt, '.'), *end = dot ? strchr(dot + 1, '.') : NULL;
    struct buf signature = {0};
    const char *why = NULL;
    if (!end || !pem || !decode(end + 1, strlen(end + 1), &signature)) {
        buf_fini(&signature);
        return "the form";
    }
    const char *header = jwt_base64(arena_printf(a, "%.*s", (int)(dot - jwt), jwt), a);
    const char *payload = jwt_base64(arena_printf(a, "%.*s", (int)(end - dot - 1), dot + 1), a);
    const char *alg = header ? body_text(header, "alg", a) : NULL;
    if (!payload || (!is(alg, "RS256") && !is(alg, "PS256") && !is(alg, "ES256")))
        why = "the form";
    else if (!verified(alg, pem, jwt, (size_t)(end - jwt), &signature))
        why = "the signature";
    else if (!is(body_text(payload, "iss", a), issuer))
        why = "the issuer";
    else if (!in_time(payload, now_ms, a))
        why = "the time";
    buf_fini(&signature);
    return why;
}

void jwt_hmac(const char *key, const char *text, char out[65])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)text, strlen(text), bytes, &n);
    for (unsigned i = 0; i < n && i < 32; i++)
        snprintf(out + (size_t)2 * i, 3, "%02x", bytes[i]);
}
