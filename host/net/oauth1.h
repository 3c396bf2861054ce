/* SPDX-License-Identifier: MIT */
/* oauth1.h - the signature of OAuth 1.0a with HMAC-SHA256. Pure: clock and nonce are arguments. */
#ifndef NET_OAUTH1_H
#define NET_OAUTH1_H

#include <stdint.h>

#include "base/mem.h"

struct oauth1 {
    const char *consumer_key, *consumer_secret;
    const char *token, *token_secret;
    const char *realm; /* NULL: none */
};

/* The value of the Authorization header, in the arena. The body takes no part: it is JSON. */
const char *oauth1_header(const struct oauth1 *keys, const char *method, const char *url, int64_t now_s,
                          const char *nonce, struct arena *a);

#endif
