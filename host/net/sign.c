/* SPDX-License-Identifier: MIT */
/* sign.c - the one door to libcrypto: digests, HMAC, signatures, base64. */
/* libcrypto has a type of this name, err.h a constant. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#undef ERR_STATE
#include <limits.h>
#include <string.h>

#include "net/sign.h"
#include "syncline/syncline.h"

static const EVP_MD *digest_of(int hash)
{
    switch (hash) {
    case SL_HMAC_SHA256:
        return EVP_sha256();
    case SL_HMAC_SHA1:
        return EVP_sha1();
    case SL_HMAC_SHA512:
        return EVP_sha512();
    default:
        return NULL;
    }
}

size_t sign_hmac(int hash, const void *key, size_t n_key, const void *data, size_t n_data, uint8_t out[SIGN_MAX])
{
    const EVP_MD *md = digest_of(hash);
    unsigned n = 0;
    if (!md || n_key > INT32_MAX || !HMAC(md, key, (int)n_key, data, n_data, out, &n))
        return 0;
    return n;
}

bool sign_equal(const void *a, size_t n_a, const void *b, size_t n_b)
{
    uint8_t of_a[32], of_b[32];
    sign_sha256(a, n_a, of_a);
    sign_sha256(b, n_b, of_b);
    return CRYPTO_memcmp(of_a, of_b, sizeof of_a) == 0;
}

void sign_sha256(const void *data, size_t n, uint8_t out[32])
{
    SHA256(data, n, out);
}

void sign_wipe(void *data, size_t n)
{
    OPENSSL_cleanse(data, n);
}

const char *sign_base64(const void *data, size_t n, struct arena *a)
{
    char *out = arena_alloc(a, (n + 2) / 3 * 4 + 1);
    EVP_EncodeBlock((unsigned char *)out, data, (int)n);
    return out;
}

bool sign_unbase64(const char *text, struct arena *a, const char **data, size_t *n)
{
    size_t size = strlen(text), padding = 0;
    while (padding < 2 && padding < size && text[size - 1 - padding] == '=')
        padding++;
    unsigned char *out = arena_alloc(a, size + 1);
    int got = size % 4 == 0 && size < INT_MAX ? EVP_DecodeBlock(out, (const unsigned char *)text, (int)size) : -1;
    *data = (const char *)out;
    *n = got < 0 ? 0 : (size_t)got - padding;
    out[*n] = 0;
    return got >= 0;
}

const char *sign_base64url(const void *data, size_t n, struct arena *a)
{
    char *out = arena_text(a, sign_base64(data, n, a));
    for (char *c = out; *c; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    out[strcspn(out, "=")] = '\0';
    return out;
}

/* --- JSON web tokens --- */

static const struct algorithm {
    const char *name;
    int key_type;
    bool pss;
} algorithms[] = {{"RS256", EVP_PKEY_RSA, false}, {"PS256", EVP_PKEY_RSA, true}, {"ES256", EVP_PKEY_EC, false}};

static const struct algorithm *algorithm_of(const char *name)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (strcmp(algorithms[i].name, name) == 0)
            return &algorithms[i];
    return NULL;
}

static EVP_PKEY *read_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)(uintptr_t) "") : NULL;
    BIO_free(bio);
    return key;
}

/* Out of the DER that libcrypto makes: r and s, 32 bytes each. */
static size_t raw_ecdsa(const uint8_t *der, size_t n, uint8_t out[64])
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
    bool good = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 32) == 32 &&
                BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 32, 32) == 32;
    ECDSA_SIG_free(sig);
    return good ? 64 : 0;
}

static bool sign_bytes(EVP_PKEY *key, const struct algorithm *alg, const char *text, uint8_t *out, size_t *n)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *how = NULL;
    bool good = ctx && EVP_DigestSignInit(ctx, &how, EVP_sha256(), NULL, key) == 1;
    if (good && alg->pss)
        good = EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1;
    good = good && EVP_DigestSign(ctx, out, n, (const unsigned char *)text, strlen(text)) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

int sign_jwt(const char *alg, const char *pem, const char *header, const char *payload, struct arena *a,
             const char **jwt, struct err *e)
{
    const struct algorithm *how = algorithm_of(alg);
    uint8_t sig[1024], raw[64];
    size_t n = sizeof sig;
    int rc = 0;
    if (!how)
        return err_set(e, ERR_CONFIG, "alg %s is not known; use RS256, PS256 or ES256", alg);
    EVP_PKEY *key = read_key(pem);
    const char *text = arena_printf(a, "%s.%s", sign_base64url(header, strlen(header), a),
                                    sign_base64url(payload, strlen(payload), a));
    if (!key)
        rc = err_set(e, ERR_CONFIG,
                     "the private key is no PEM key without a password; give the file that begins with -----BEGIN");
    else if (EVP_PKEY_base_id(key) != how->key_type || EVP_PKEY_size(key) > (int)sizeof sig)
        rc = err_set(e, ERR_CONFIG, "the private key does not suit %s; give one of that kind", alg);
    else if (!sign_bytes(key, how, text, sig, &n))
        rc = err_set(e, ERR_CONFIG, "the private key cannot sign with %s", alg);
    if (rc == 0 && how->key_type == EVP_PKEY_EC) {
        n = raw_ecdsa(sig, n, raw);
        memcpy(sig, raw, n);
    }
    if (rc == 0)
        *jwt = arena_printf(a, "%s.%s", text, sign_base64url(sig, n, a));
    EVP_PKEY_free(key);
    return rc;
}
