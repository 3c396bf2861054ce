/* SPDX-License-Identifier: MIT */
/* test_disk.c - the embedded store on a broken or full disk: each of its calls refused once, and from each on. */
#include <errno.h>
#include <sys/mman.h>

#include "base/file.h"
#include "base/log.h"
#include "disk_kit.h"
#include "nomem.h"

enum { COMMITS = 3, GOOD = 0, FAULTY = 3, NOT_REACHED = 2, CALLS_MOST = 1000 };

/* Commits that answered OK, over processes. */
static uint64_t *acked;
static uint64_t n_faults;

static int wrong(const char *what, const char *text)
{
    fprintf(stderr, "%s: '%s' after %s\n", what, text, disk_refused());
    return FAULTY;
}

/* One line that names the pair's folder or the one above it, and what to do. */
static int one_sentence(const struct err *e)
{
    bool good = e->code && strchr(e->text, '\n') == NULL && strstr(e->text, "state") && strchr(e->text, ':');
    return good ? GOOD : wrong("no sentence", e->text);
}

static int commit_next(struct store *s, struct err *e)
{
    char key[32];
    static char big[20000];
    uint64_t n = *acked + 1;
    struct store_batch b = {0};
    snprintf(key, sizeof(key), "%llu", (unsigned long long)n);
    batch_put_new(&b, DB_LINKS, text(key), text(key));
    batch_put_new(&b, DB_HISTORY, text(key), slice_of(big, sizeof(big)));
    int rc = batch_commit(&b, s, e);
    batch_fini(&b);
    *acked += rc == STORE_OK;
    return rc;
}

/* Opens, owns, commits. The first refusal ends it, as it ends a run. */
static int work(struct store **s, struct err *e)
{
    int rc = store_open(&store_lmdb, where, false, s, e);
    if (rc == STORE_OK)
        rc = store_acquire(*s, false, e);
    for (int i = 0; i < COMMITS && rc == STORE_OK; i++)
        rc = commit_next(*s, e);
    return rc;
}

/* A process on a disk with a fault: it ends with a sentence, or it got by; it flushes nothing twice (F40). */
static int suffer(const struct disk_plan *plan)
{
    struct err e = {0}, later = {0};
    struct store *s = NULL;
    disk_begin(plan);
    int rc = work(&s, &e);
    if (!disk_refused()[0])
        return rc == STORE_OK ? NOT_REACHED : wrong("fails without a fault", e.text);
    if (rc != STORE_OK && one_sentence(&e))
        return FAULTY;
    if (rc == STORE_IO && s && commit_next(s, &later) == STORE_OK)
        return wrong("a dead handle commits", e.text);
    store_close(s);
    return disk_flushed_again() ? wrong("flushed again", e.text) : GOOD;
}

static size_t rows(struct store *s, int db)
{
    static struct store_row found[100];
    struct err e = {0};
    struct store_snap *snap = NULL;
    size_t n = 0;
    if (store_snap(s, &snap, &e) == STORE_OK)
        store_scan(snap, db, slice_of(NULL, 0), slice_of(NULL, 0), false, 100, found, &n);
    store_snap_end(snap);
    return n;
}

/* The next process, on a good disk: all that was acknowledged is there, at most one commit more, and it goes on. */
static int recover(void)
{
    struct err e = {0};
    struct store *s = NULL;
    int rc = store_open(&store_lmdb, where, false, &s, &e);
    if (rc == STORE_OK)
        rc = store_acquire(s, false, &e);
    if (rc != STORE_OK)
        return wrong("cannot go on", e.text);
    size_t n = rows(s, DB_LINKS);
    if (n != rows(s, DB_HISTORY) || (n != *acked && n != *acked + 1))
        return wrong("lost or halved", "rows");
    *acked = n;
    rc = commit_next(s, &e);
    store_close(s);
    return rc == STORE_OK ? GOOD : wrong("cannot commit again", e.text);
}

/* In a process of its own. -1: a signal ended it. */
static int apart(int (*f)(const struct disk_plan *), const struct disk_plan *plan)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(f ? f(plan) : recover());
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* On a state that is not there yet, or that has commits. */
static void refuse_each(int error, bool on, bool made)
{
    int end = GOOD;
    for (unsigned long at = 1; at < CALLS_MOST && end == GOOD; at++) {
        struct disk_plan plan = {.roots = {root}, .n_roots = 1, .at = at, .error = error, .on = on};
        disk_new();
        *acked = 0;
        end = made ? apart(NULL, NULL) : GOOD;
        if (end == GOOD)
            end = apart(suffer, &plan);
        if (end == GOOD)
            end = apart(NULL, NULL);
        n_faults += end == GOOD;
        if (end != GOOD && end != NOT_REACHED)
            printf("\ncall %lu refused with %s%s, state %s: end %d", at, strerror(error), on ? " from there on" : "",
                   made ? "there" : "not there yet", end);
    }
    CU_ASSERT_EQUAL(end, NOT_REACHED);
    scratch_remove();
}

static void broken_disk(void)
{
    for (int i = 0; i < 4; i++)
        refuse_each(EIO, i % 2, i / 2);
}

static void full_disk(void)
{
    for (int i = 0; i < 4; i++)
        refuse_each(ENOSPC, i % 2, i / 2);
    printf("\ncounts: disk faults in the store %llu\n", (unsigned long long)n_faults);
}

#ifndef NOMEM_IMPOSSIBLE /* AddressSanitizer takes the signal itself */
static char said[80]; /* a file for its standard error */

/* The file is cut under the map, which is as if the disk gave none of its pages. */
static int read_cut_file(const struct disk_plan *plan)
{
    struct err e = {0};
    struct store *s = NULL;
    char data[128];
    (void)plan;
    if (store_open(&store_lmdb, where, true, &s, &e) != STORE_OK)
        return wrong("cannot open", e.text);
    snprintf(data, sizeof(data), "%s/data.mdb", where);
    if (truncate(data, 8192) != 0 || !freopen(said, "w", stderr))
        return FAULTY;
    rows(s, DB_LINKS);
    return NOT_REACHED;
}

static void unread_page(void)
{
    struct err e = {0};
    struct buf text = {0};
    disk_new();
    snprintf(said, sizeof(said), "%s/said", scratch);
    *acked = 0;
    CU_ASSERT_EQUAL(apart(NULL, NULL), GOOD);
    CU_ASSERT_EQUAL(apart(read_cut_file, NULL), 1);
    CU_ASSERT_EQUAL(file_read(said, 0, &text, &e), 0);
    CU_ASSERT_TRUE(text.data && strstr(text.data, "a page of the state cannot be read"));
    buf_fini(&text);
    scratch_remove();
}
#endif

static const struct check tests[] = {
    {"each call of an open and of commits refused by a broken disk: a sentence, nothing lost, on (F40)", broken_disk},
    {"likewise by a full disk (F37)", full_disk},
#ifndef NOMEM_IMPOSSIBLE
    {"a page of the state that cannot be read ends the process with exit code 1, not by a signal", unread_page},
#endif
};

int main(void)
{
    acked = mmap(NULL, sizeof(*acked), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    log_init(false, LOG_ERROR);
    return acked == MAP_FAILED ? 2 : check_run("failing disk", tests, sizeof(tests) / sizeof(*tests));
}
