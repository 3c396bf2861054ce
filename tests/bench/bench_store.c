/* SPDX-License-Identifier: MIT */
/* bench_store.c - what a commit costs: rows a second by driver, batch size and key order, and an in-memory commit of ten. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "store/mem.h"

enum { VALUE_BYTES = 850, KEY_BYTES = 8 };

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int rc, const struct err *e)
{
    if (rc == STORE_OK)
        return;
    printf("bench_store: %s\n", e->text);
    exit(1);
}

static struct store *open_owned(const struct store_driver *driver, const char *where)
{
    struct err e = {0};
    struct store *s = NULL;
    must(store_open(driver, where, false, &s, &e), &e);
    must(store_acquire(s, false, &e), &e);
    return s;
}

/* Ascending keys are what counters give, scattered ones what hashes give. */
static void key_of(uint64_t i, bool scattered, uint8_t key[KEY_BYTES])
{
    uint64_t number = scattered ? i * 0x9E3779B97F4A7C15u : i;
    for (int b = KEY_BYTES - 1; b >= 0; b--, number >>= 8)
        key[b] = (uint8_t)number;
}

static void puts_a_second(const struct store_driver *driver, const char *where, size_t batch, size_t n_batches,
                          bool scattered)
{
    static uint8_t value[VALUE_BYTES];
    struct err e = {0};
    struct store_batch b = {0};
    struct store *s = open_owned(driver, where);
    double commit_s = 0;
    uint64_t n = 0;
    for (size_t i = 0; i < n_batches; i++) {
        for (size_t j = 0; j < batch; j++) {
            uint8_t key[KEY_BYTES];
            key_of(++n, scattered, key);
            batch_put(&b, DB_BASES, slice_of(key, KEY_BYTES), slice_of(value, VALUE_BYTES));
        }
        double start = now_s();
        must(batch_commit(&b, s, &e), &e);
        commit_s += now_s() - start;
    }
    printf("%-5s batch %6zu %-10s %9.0f puts/s %9.3f ms a commit\n", driver->name, batch,
           scattered ? "scattered" : "ascending", (double)n / commit_s, commit_s * 1e3 / (double)n_batches);
    batch_fini(&b);
    store_close(s);
}

/* What a simulation does: a small store, commits of ten. */
static void small_commits(size_t n_rows)
{
    static uint8_t value[100];
    uint64_t keys[10];
    struct err e = {0};
    struct store_op ops[10];
    struct store *s = open_owned(&store_mem, "");
    enum { N = 500000 };
    double start = now_s();
    for (uint64_t i = 0; i < N; i++) {
        for (uint64_t j = 0; j < 10; j++) {
            uint64_t row = (i * 10 + j) * 0x9E3779B97F4A7C15u % n_rows;
            keys[j] = row;
            int kind = (i + j) % 8 ? STORE_PUT : STORE_DEL;
            ops[j] = (struct store_op){(uint8_t)kind, (uint8_t)(DB_LINKS + j / 4), slice_of(&keys[j], 8),
                                       slice_of(value, 100)};
        }
        must(store_commit(s, ops, 10, &e), &e);
    }
    printf("mem   commit of 10 in a store of %6zu rows: %6.2f us\n", n_rows, (now_s() - start) * 1e6 / N);
    store_close(s);
}

int main(int argc, char **argv)
{
    static const struct {
        size_t batch, n_batches;
    } sizes[] = {{1, 1000}, {100, 200}, {10000, 10}, {100000, 2}};
    static const struct store_driver *const drivers[] = {&store_lmdb, &store_mem};
    char where[300];
    int n = 0;
    if (argc < 2) {
        puts("usage: bench_store FOLDER (on the disk to measure)");
        return 2;
    }
    for (size_t d = 0; d < 2; d++)
        for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
            for (int scattered = 0; scattered < 2; scattered++) {
                snprintf(where, sizeof(where), "%s/bench-%d", argv[1], n++);
                puts_a_second(drivers[d], where, sizes[i].batch, sizes[i].n_batches, scattered != 0);
            }
    small_commits(50);
    small_commits(1000);
    small_commits(100000);
    return 0;
}
