/* SPDX-License-Identifier: MIT */
/* hash.c - XXH3 in 64 and 128 bits, the same on every machine. */
#include <string.h>
#include <xxhash.h>

#include "base/text.h"

uint64_t hash64(const void *data, size_t n_bytes)
{
    return XXH3_64bits(data, n_bytes);
}

struct hash128 hash128(const void *data, size_t n_bytes)
{
    XXH128_canonical_t canonical;
    struct hash128 h;
    _Static_assert(sizeof(canonical.digest) == sizeof(h.bytes), "XXH3's canonical form is 16 bytes");
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, n_bytes));
    memcpy(h.bytes, canonical.digest, sizeof(h.bytes));
    return h;
}
