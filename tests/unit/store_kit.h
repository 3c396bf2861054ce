/* SPDX-License-Identifier: MIT */
/* store_kit.h - what the tests of the store share: a scratch folder, short slices, and this very program as another process. */
#ifndef TESTS_STORE_KIT_H
#define TESTS_STORE_KIT_H

#include <fcntl.h>
#include <ftw.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "base/text.h"
#include "store/inside.h"

static char scratch[64]; /* a folder of this test's own */
static char where[96]; /* the pair's folder in it, not made yet */

static inline int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

static inline void scratch_remove(void)
{
    if (scratch[0])
        nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    scratch[0] = '\0';
}

static inline void scratch_new(void)
{
    scratch_remove();
    snprintf(scratch, sizeof(scratch), "/tmp/test_store.XXXXXX");
    if (!mkdtemp(scratch))
        abort();
    snprintf(where, sizeof(where), "%s/pairs/tickets", scratch);
}

static inline struct slice text(const char *t)
{
    return slice_of(t, strlen(t));
}

static inline bool slice_is(struct slice s, const char *t)
{
    return s.size == strlen(t) && memcmp(s.data, t, s.size) == 0;
}

static inline struct store_op op(int kind, int db, const char *key, const char *value)
{
    return (struct store_op){(uint8_t)kind, (uint8_t)db, text(key), value ? text(value) : slice_of(NULL, 0)};
}

static inline int put(struct store *s, int db, const char *key, const char *value)
{
    struct err e = {0};
    struct store_op o = op(STORE_PUT, db, key, value);
    return store_commit(s, &o, 1, &e);
}

/* The value of a key by a snapshot of its own, as a string in static memory; NULL if absent. */
static inline const char *got(struct store *s, int db, const char *key)
{
    static char copy[128];
    struct err e = {0};
    struct store_snap *snap = NULL;
    struct slice v;
    if (store_snap(s, &snap, &e) != STORE_OK)
        return "no snapshot";
    int rc = store_get(snap, db, text(key), &v);
    snprintf(copy, sizeof(copy), "%.*s", (int)v.size, v.data ? (const char *)v.data : "");
    store_snap_end(snap);
    return rc == STORE_OK ? copy : rc == STORE_NOTFOUND ? NULL : "an error";
}

static inline size_t count(struct store *s, int db)
{
    static struct store_row rows[200000];
    struct err e = {0};
    struct store_snap *snap = NULL;
    size_t n = 0;
    if (store_snap(s, &snap, &e) != STORE_OK)
        return 0;
    store_scan(snap, db, slice_of(NULL, 0), slice_of(NULL, 0), false, 200000, rows, &n);
    store_snap_end(snap);
    return n;
}

/* Writes a number row of the state's own past the driver. Not in a process that has it open. */
static inline int raw_number(const char *key, uint64_t number)
{
    uint8_t bytes[STORE_NUMBER_BYTES];
    MDB_env *env = NULL;
    MDB_txn *txn = NULL;
    MDB_dbi dbi = 0;
    MDB_val k = {strlen(key), (void *)(uintptr_t)key}, v = {sizeof(bytes), bytes};
    number_put(bytes, number);
    mdb_env_create(&env);
    mdb_env_set_maxdbs(env, DB_END);
    int rc = mdb_env_open(env, where, MDB_NOTLS, 0600);
    if (rc == 0 && (rc = mdb_txn_begin(env, NULL, 0, &txn)) == 0) {
        rc = mdb_dbi_open(txn, "meta", 0, &dbi);
        rc = rc ? rc : mdb_put(txn, dbi, &k, &v, 0);
        rc = rc ? rc : mdb_txn_commit(txn);
    }
    mdb_env_close(env);
    return rc;
}

/* This program run again with arguments, as another process: reading what it prints, and its standard input held open. */
struct other {
    pid_t pid;
    int in, out;
};

static inline struct other other_start(const char *verb, const char *a, const char *b)
{
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        abort();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execl("/proc/self/exe", "test_store", verb, where, a, b, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    return (struct other){pid, in[1], out[0]};
}

/* Reads one line of it, without the line's end; false at its end. */
static inline bool other_line(const struct other *o, char *line, size_t room)
{
    size_t n = 0;
    char c = 0;
    while (n + 1 < room && read(o->out, &c, 1) == 1 && c != '\n')
        line[n++] = c;
    line[n] = '\0';
    return n > 0;
}

/* Lets it end by closing its input (or kills it), and gives its exit code; -1 if a signal ended it. */
static inline int other_end(struct other *o, int signal)
{
    int status = 0;
    if (signal)
        kill(o->pid, signal);
    close(o->in);
    waitpid(o->pid, &status, 0);
    close(o->out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline int other_run(const char *verb, const char *a, const char *b)
{
    struct other o = other_start(verb, a, b);
    return other_end(&o, 0);
}

/* The other process: `put K V` and `hold` own the pair, `steal` raises its fence past the driver. */
static inline int be_other(int argc, char **argv)
{
    struct err e = {0};
    struct store *s = NULL;
    snprintf(where, sizeof(where), "%s", argv[2]);
    if (strcmp(argv[1], "steal") == 0)
        return raw_number("fence", 1000 + (uint64_t)clock_now_ms());
    int rc = store_open(&store_lmdb, where, false, &s, &e);
    if (rc == STORE_OK)
        rc = store_acquire(s, false, &e);
    if (rc == STORE_OK && argc == 5)
        rc = put(s, DB_LINKS, argv[3], argv[4]);
    if (rc == STORE_OK && strcmp(argv[1], "hold") == 0) {
        printf("%ld\n", (long)getpid());
        fflush(stdout);
        (void)!read(0, &(char){0}, 1);
    }
    store_close(s);
    return rc;
}

#endif
