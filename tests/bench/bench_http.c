/* SPDX-License-Identifier: MIT */
/* bench_http.c - GETs through host/net: how many a second, how near to a permitted pace, and what an open connection keeps in memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "net/http.h"

enum { AT_ONCE = 1000 /* requests handed over together */ };

static int64_t now_ms(void *self)
{
    (void)self;
    return clock_now_ms();
}

static void randomness(void *self, void *bytes, size_t n)
{
    (void)self;
    random_bytes(bytes, n);
}

static int go_on(void *self)
{
    (void)self;
    return 0;
}

static long anonymous_kb(void)
{
    char line[256];
    long kb = 0;
    FILE *in = fopen("/proc/self/status", "r");
    while (in && fgets(line, sizeof line, in))
        if (sscanf(line, "RssAnon: %ld", &kb) == 1)
            break;
    if (in)
        fclose(in);
    return kb;
}

/* How many of n GETs were answered 200. */
static uint32_t get_all(struct http *h, const char *url, uint32_t n)
{
    static struct sl_http_request asks[AT_ONCE];
    static struct sl_http_response answers[AT_ONCE];
    struct arena a = {0};
    uint32_t good = 0;
    for (uint32_t i = 0; i < AT_ONCE; i++)
        asks[i] = (struct sl_http_request){.size = sizeof *asks, .method = "GET", .url = url};
    for (uint32_t done = 0; done < n;) {
        uint32_t take = n - done < AT_ONCE ? n - done : AT_ONCE;
        http_many(h, asks, take, sizeof *asks, &a, answers);
        for (uint32_t i = 0; i < take; i++)
            good += answers[i].end == SL_HTTP_ANSWERED && answers[i].status == 200;
        done += take;
        arena_reset(&a);
    }
    arena_fini(&a);
    return good;
}

/* bench_http URL N IN_FLIGHT PER_MINUTE: prints seconds, good answers, requests that left, and kB of anonymous memory afterwards. */
int main(int argc, char **argv)
{
    static const struct http_world world = {NULL, now_ms, randomness, go_on, NULL};
    struct err e = {0};
    struct http *h = NULL;
    if (argc != 5) {
        fputs("usage: bench_http URL N IN_FLIGHT PER_MINUTE\n", stderr);
        return 2;
    }
    struct http_settings settings = {.connection = "bench",
                                     .base_url = argv[1],
                                     .in_flight = (uint32_t)strtoul(argv[3], NULL, 10),
                                     .requests_per_minute = strtoll(argv[4], NULL, 10)};
    if (http_open(&settings, NULL, &world, &h, &e)) {
        fprintf(stderr, "bench_http: %s\n", e.text);
        return 1;
    }
    int64_t from_us = clock_mono_us();
    uint32_t good = get_all(h, argv[1], (uint32_t)strtoul(argv[2], NULL, 10));
    printf("%.6f\t%u\t%llu\t%ld\n", (double)(clock_mono_us() - from_us) / 1e6, good, (unsigned long long)http_calls(h),
           anonymous_kb());
    http_close(h);
    return 0;
}
