/* SPDX-License-Identifier: MIT */
/* test_net_sign.c - signatures against published vectors: OAuth 1.0a, GitHub's webhook HMAC, JWTs that libcrypto verifies. */
#include <string.h>

#include "../peers/keys.h"
#include "check.h"
#include "net/oauth1.h"
#include "net/sign.h"
#include "base/text.h"
#include "syncline/syncline.h"

static const struct oauth1 netsuite = {
    .consumer_key = "ef40afdd8abaac111b13825dd5e5e2ddddb44f86d5a0dd6dcf38c20aae6b67e4",
    .consumer_secret = "d26ad321a4b2f23b0741c8d38392ce01c3e23e109df6c96eac6d099e9ab9e8b5",
    .token = "2b0ce516420110bcbd36b69e99196d1b7f6de3c6234c5afb799b73d87569f5cc",
    .token_secret = "c29a677df7d5439a458c063654187e3d678d73aca8e3c9d8bea1478a3eb0d295",
    .realm = "123456"};
#define REST "https://123456.suitetalk.api.netsuite.com/services/rest"

/* Those marked Oracle are published by Oracle, the others were computed by two independent programs. */
static const struct vector {
    const char *method, *url, *signature;
} vectors[] = {
    {"GET", REST "/record/v1/employee/40", "B5OIWznZ2YP0OB7VrJrGkYsTh%2B8H%2B5T9Hag%2Bo92q0zY%3D"}, /* Oracle */
    {"POST",
     "https://123456.restlets.api.netsuite.com/app/site/hosting/"
     "restlet.nl?script=6&deploy=1&customParam=someValue&testParam=someOtherValue",
     "%2BKK4SKNgz4ZiILGLwOMtfYlgcXSy1eis8ldE9X90azQ%3D"},
    {"POST", REST "/query/v1/suiteql?limit=10&offset=10", "fW1ZLmwuvgjPCnvIxfjfnGnuoiTLwwVyptFw2JFBb7g%3D"},
    {"GET", REST "/record/v1/customer?q=email%20START_WITH%20barbara",
     "oLGL62ImsOpxKoU2uKlDXtegHdSPEgb9DkS%2B7U%2BnKVA%3D"},
};

static void oauth1_vectors(void)
{
    struct arena a = {0};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const char *header =
            oauth1_header(&netsuite, vectors[i].method, vectors[i].url, 1508242306, "fjaLirsIcCGVZWzBX0pg", &a);
        CU_ASSERT_PTR_NOT_NULL(strstr(header, arena_printf(&a, "oauth_signature=\"%s\"", vectors[i].signature)));
        CU_ASSERT_EQUAL(strncmp(header, "OAuth realm=\"123456\",", 21), 0);
    }
    const struct oauth1 other = {"CONSUMER_KEY_VALUE", "CONSUMER_SECRET_VALUE", "TOKEN_ID_VALUE", "TOKEN_SECRET_VALUE",
                                 NULL};
    const char *header = oauth1_header(
        &other, "GET",
        "https://9876543-sb1.suitetalk.api.netsuite.com/services/rest/record/v1/customer/123?expandSubResources=true",
        1234567890, "asdfasdf", &a);
    CU_ASSERT_PTR_NOT_NULL(strstr(header, "\"cId0B3hP0sFVQw%2FgjQ%2FP6YiOSx76u0WfyO8umOlq3gg%3D\""));
    arena_fini(&a);
}

static void github_hook(void)
{
    const char *secret = "It's a Secret to Everybody", *body = "Hello, World!";
    uint8_t mac[SIGN_MAX];
    char hex[2 * SIGN_MAX + 1];
    size_t n = sign_hmac(SL_HMAC_SHA256, secret, strlen(secret), body, strlen(body), mac);
    hex_encode(mac, n, hex);
    CU_ASSERT_STRING_EQUAL(hex, "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
    CU_ASSERT_EQUAL(sign_hmac(99, "k", 1, "d", 1, mac), 0);
}

static void equality(void)
{
    CU_ASSERT_TRUE(sign_equal("abc", 3, "abc", 3));
    CU_ASSERT_FALSE(sign_equal("abc", 3, "abd", 3));
    CU_ASSERT_FALSE(sign_equal("abc", 3, "ab", 2));
    CU_ASSERT_TRUE(sign_equal("", 0, "", 0));
}

static void base64_forms(void)
{
    struct arena a = {0};
    CU_ASSERT_STRING_EQUAL(sign_base64("\xfb\xff\xfe\x01", 4, &a), "+//+AQ==");
    CU_ASSERT_STRING_EQUAL(sign_base64url("\xfb\xff\xfe\x01", 4, &a), "-__-AQ");
    CU_ASSERT_STRING_EQUAL(sign_base64("", 0, &a), "");
    arena_fini(&a);
}

static const char *pem(EVP_PKEY *key, struct arena *a)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    long n = BIO_get_mem_data(bio, &data);
    const char *text = arena_printf(a, "%.*s", (int)n, data);
    BIO_free(bio);
    EVP_PKEY_free(key);
    return text;
}

static void bad_keys(void)
{
    struct arena a = {0};
    const char *jwt = NULL;
    struct err e = {0};
    CU_ASSERT_EQUAL(sign_jwt("RS256", "hunter2", "{}", "{}", &a, &jwt, &e), ERR_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(e.text, "the private key is no PEM key without a password; give the file that begins with "));
    CU_ASSERT_PTR_NULL(strstr(e.text, "hunter2"));
    err_clear(&e);
    CU_ASSERT_EQUAL(sign_jwt("none", "", "{}", "{}", &a, &jwt, &e), ERR_CONFIG);
    CU_ASSERT_STRING_EQUAL(e.text, "alg none is not known; use RS256, PS256 or ES256");
    err_clear(&e);
    CU_ASSERT_EQUAL(sign_jwt("RS256", pem(EVP_EC_gen("P-256"), &a), "{}", "{}", &a, &jwt, &e), ERR_CONFIG);
    CU_ASSERT_STRING_EQUAL(e.text, "the private key does not suit RS256; give one of that kind");
    err_clear(&e);
    CU_ASSERT_EQUAL(sign_jwt("PS256", pem(EVP_RSA_gen(512), &a), "{}", "{}", &a, &jwt, &e), ERR_CONFIG);
    CU_ASSERT_STRING_EQUAL(e.text, "the private key cannot sign with PS256");
    arena_fini(&a);
}

static const struct check tests[] = {
    {"OAuth 1.0a: the published signatures", oauth1_vectors},
    {"HMAC: GitHub's published webhook signature", github_hook},
    {"comparing in constant time", equality},
    {"base64 and base64url", base64_forms},
    {"a key that is none: a sentence without it", bad_keys},
};
CHECK_MAIN("signatures", tests)
