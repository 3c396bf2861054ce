/* SPDX-License-Identifier: MIT */
/* store_files.h - the embedded driver's files in tests: their bytes, kept, damaged and compared. */
#ifndef TESTS_STORE_FILES_H
#define TESTS_STORE_FILES_H

#include "store_kit.h"

#include <dirent.h>

#include "base/file.h"

static inline struct store *owned(void)
{
    struct err e = {0};
    struct store *s = NULL;
    if (store_open(&store_lmdb, where, false, &s, &e) != STORE_OK || store_acquire(s, false, &e) != STORE_OK)
        CU_FAIL_FATAL("the store cannot be opened and owned");
    return s;
}

static inline int open_rc(bool read_only, struct err *e)
{
    struct store *s = NULL;
    int rc = store_open(&store_lmdb, where, read_only, &s, e);
    CU_ASSERT_EQUAL(rc == STORE_OK, e->code == ERR_NONE);
    store_close(s);
    return rc;
}

static inline const char *in(const char *name)
{
    static char path[160];
    snprintf(path, sizeof(path), "%s/%s", where, name);
    return path;
}

static inline struct buf bytes_of(const char *name)
{
    struct err e = {0};
    struct buf b = {0};
    file_read(in(name), 0, &b, &e);
    return b;
}

static inline bool is_still(const char *name, const struct buf *was)
{
    struct buf now = bytes_of(name);
    bool same = now.size == was->size && memcmp(now.data, was->data, now.size) == 0;
    buf_fini(&now);
    return same;
}

static inline void write_bytes(const char *name, const char *data, size_t n_bytes)
{
    FILE *f = fopen(in(name), "w");
    if (!f || fwrite(data, 1, n_bytes, f) != n_bytes || fclose(f) != 0)
        abort();
}

static inline size_t n_entries(const char *path)
{
    size_t n = 0;
    DIR *d = opendir(path);
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n - 2;
}

/* A state of 500 rows and some deep trees. */
static inline void fill(void)
{
    struct err e = {0};
    struct store_batch b = {0};
    struct store *s = owned();
    static char value[3000];
    for (uint32_t i = 0; i < 500; i++) {
        uint64_t key = hash64(&i, sizeof(i));
        batch_put(&b, i % 2 ? DB_BASES : DB_LINKS, slice_of(&key, sizeof(key)), slice_of(value, key % sizeof(value)));
    }
    CU_ASSERT_EQUAL(batch_commit(&b, s, &e), STORE_OK);
    batch_fini(&b);
    store_close(s);
}

#define FRESH(test, title)                                                                                             \
    static void fresh_##test(void)                                                                                     \
    {                                                                                                                  \
        scratch_new();                                                                                                 \
        test();                                                                                                        \
        scratch_remove();                                                                                              \
    }
#define ROW(test, title) {title, fresh_##test},

#endif
