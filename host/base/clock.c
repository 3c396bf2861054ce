/* SPDX-License-Identifier: MIT */
/* clock.c - the clocks, random bytes and ULIDs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/text.h"

static int64_t read_clock_us(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_now_ms(void)
{
    return read_clock_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

int64_t clock_boot_ms(void)
{
    return read_clock_us(CLOCK_BOOTTIME) / 1000;
}

int64_t clock_mono_us(void)
{
    return read_clock_us(CLOCK_MONOTONIC);
}

void random_bytes(void *out, size_t n_bytes)
{
    unsigned char *p = out;
    while (n_bytes) {
        ssize_t n = getrandom(p, n_bytes, 0);
        /* without randomness two links could get one key: nothing after this would be safe */
        if (n < 0 && errno != EINTR)
            abort();
        if (n > 0) {
            p += n;
            n_bytes -= (size_t)n;
        }
    }
}

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void ulid_make(int64_t now_ms, const uint8_t entropy[10], char out[27])
{
    uint64_t ms = now_ms < 0 ? 0 : (uint64_t)now_ms & 0xFFFFFFFFFFFFu;
    for (int i = 9; i >= 0; i--, ms >>= 5)
        out[i] = digits[ms & 31];
    for (int half = 0; half < 2; half++) {
        uint64_t bits = 0;
        for (int i = 0; i < 5; i++)
            bits = bits << 8 | entropy[half * 5 + i];
        for (int i = 7; i >= 0; i--, bits >>= 5)
            out[10 + half * 8 + i] = digits[bits & 31];
    }
    out[26] = '\0';
}

/* Its first ten letters. */
int64_t ulid_time_ms(const char *ulid)
{
    int64_t ms = 0;
    for (int i = 0; ulid && i < 10 && ulid[i]; i++) {
        const char *at = strchr(digits, ulid[i]);
        ms = ms * 32 + (at ? at - digits : 0);
    }
    return ms;
}
