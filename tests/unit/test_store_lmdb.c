/* SPDX-License-Identifier: MIT */
/* test_store_lmdb.c - the embedded driver on disk: kills, full disks, forks, other processes. */
#include "store_files.h"

#include <errno.h>
#include <sys/mount.h>

/* The other process commits rows 1, 2, … in two databases each and says each number once it is acknowledged. */
static int be_committer(char **argv)
{
    struct err e = {0};
    char line[16];
    struct store *s = NULL;
    snprintf(where, sizeof(where), "%s", argv[2]);
    int rc = store_open(&store_lmdb, where, false, &s, &e);
    if (rc == STORE_OK)
        rc = store_acquire(s, true, &e);
    for (int i = atoi(argv[3]); rc == STORE_OK; i++) {
        struct store_batch b = {0};
        snprintf(line, sizeof(line), "%08d", i);
        batch_put_new(&b, DB_LINKS, text(line), text(line));
        batch_put_new(&b, DB_HISTORY, text(line), text(line));
        rc = batch_commit(&b, s, &e);
        batch_fini(&b);
        if (rc == STORE_OK && write(1, strcat(line, "\n"), 9) != 9)
            rc = STORE_IO;
    }
    return rc;
}

static void kill_loses_nothing_acknowledged(void)
{
    int acked = 0;
    for (int round = 0; round < 12; round++) {
        char from[16], line[16];
        snprintf(from, sizeof(from), "%d", acked + 1);
        struct other o = other_start("commits", from, NULL);
        for (int i = 0; i < 3 + round * 7 && other_line(&o, line, sizeof(line)); i++)
            acked = atoi(line);
        kill(o.pid, SIGKILL);
        while (other_line(&o, line, sizeof(line)))
            acked = atoi(line);
        CU_ASSERT_EQUAL(other_end(&o, SIGKILL), -1);
        struct store *s = owned();
        size_t n = count(s, DB_LINKS);
        CU_ASSERT_EQUAL(count(s, DB_HISTORY), n);
        CU_ASSERT_TRUE(n == (size_t)acked || n == (size_t)acked + 1); /* durable, but the answer was killed */
        acked = (int)n;
        store_close(s);
    }
    CU_ASSERT_TRUE(acked > 400);
}

static void read_only_makes_nothing(void)
{
    struct err e = {0};
    CU_ASSERT_EQUAL(open_rc(true, &e), STORE_NOTFOUND);
    CU_ASSERT_EQUAL(n_entries(scratch), 0);
    fill();
    unlink(in("lock.mdb"));
    unlink(in("ballast"));
    unlink(in("owner"));
    err_clear(&e);
    CU_ASSERT_EQUAL(open_rc(true, &e), STORE_OK);
    CU_ASSERT_EQUAL(n_entries(where), 1);
    struct store *s = owned();
    store_close(s);
    CU_ASSERT_EQUAL(n_entries(where), 4);
}

static void only_whole_folders_appear(void)
{
    struct err e = {0};
    char leftover[160], parent[128];
    snprintf(parent, sizeof(parent), "%s/pairs", scratch);
    snprintf(leftover, sizeof(leftover), "%s/.tickets.new", parent);
    mkdir(parent, 0700);
    mkdir(leftover, 0700);
    strcat(leftover, "/data.mdb");
    close(open(leftover, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    CU_ASSERT_EQUAL(open_rc(false, &e), STORE_OK);
    CU_ASSERT_EQUAL(n_entries(parent), 1);
    /* An empty folder becomes one; a foreign one is refused and left. */
    snprintf(where, sizeof(where), "%s/empty", scratch);
    mkdir(where, 0700);
    CU_ASSERT_EQUAL(open_rc(false, &e), STORE_OK);
    snprintf(where, sizeof(where), "%s/foreign/", scratch);
    mkdir(where, 0700);
    write_bytes("notes", "x", 1);
    CU_ASSERT_EQUAL(open_rc(false, &e), STORE_CORRUPT);
    CU_ASSERT_EQUAL(n_entries(where), 1);
    CU_ASSERT_EQUAL(n_entries(scratch), 3);
}

static void makers_take_turns(void)
{
    struct other others[4];
    char line[32];
    for (int i = 0; i < 4; i++)
        others[i] = other_start("make", NULL, NULL);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_TRUE(other_line(&others[i], line, sizeof(line)));
        CU_ASSERT_STRING_EQUAL(line, "ok");
        CU_ASSERT_EQUAL(other_end(&others[i], 0), 0);
    }
}

static int be_maker(char **argv)
{
    struct err e = {0};
    struct store *s = NULL;
    snprintf(where, sizeof(where), "%s", argv[2]);
    int rc = store_open(&store_lmdb, where, false, &s, &e);
    puts(rc == STORE_OK ? "ok" : e.text);
    store_close(s);
    return rc;
}

static void twice_in_one_process(void)
{
    struct err e = {0};
    char same[128];
    struct store *s = owned(), *again = NULL;
    CU_ASSERT_EQUAL(open_rc(false, &e), STORE_BUSY);
    CU_ASSERT_EQUAL(e.code, ERR_BUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "this very process has it open"));
    err_clear(&e);
    snprintf(same, sizeof(same), "%s/../tickets/", where);
    CU_ASSERT_EQUAL(store_open(&store_lmdb, same, true, &again, &e), STORE_BUSY);
    store_close(s);
    err_clear(&e);
    CU_ASSERT_EQUAL(open_rc(false, &e), STORE_OK);
}

/* Everything open on the pair's files closes on exec. */
static void descriptors_close_on_exec(void)
{
    char path[64], target[256];
    size_t n = 0;
    struct store *s = owned();
    for (int fd = 3; fd < 200; fd++) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        ssize_t size = readlink(path, target, sizeof(target) - 1);
        target[size > 0 ? size : 0] = '\0';
        if (!strstr(target, "tickets"))
            continue;
        CU_ASSERT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        n++;
    }
    CU_ASSERT_TRUE(n >= 4);
    store_close(s);
}

static void fork_is_refused(void)
{
    int status = 0;
    struct store *s = owned();
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "k", "v"), STORE_OK);
    pid_t pid = fork();
    if (pid == 0) {
        struct err e = {0};
        struct store_snap *snap = NULL;
        int ok = put(s, DB_LINKS, "k", "w") == STORE_IO && store_snap(s, &snap, &e) == STORE_IO;
        ok = ok && strstr(e.text, "opened before a fork");
        store_close(s);
        _exit(ok ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    CU_ASSERT_EQUAL(status, 0);
    /* The child's close has not given the pair up. */
    CU_ASSERT_EQUAL(other_run("put", "k", "x"), STORE_BUSY);
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "k", "y"), STORE_OK);
    CU_ASSERT_STRING_EQUAL(got(s, DB_LINKS, "k"), "y");
    store_close(s);
}

/* The child shares the parent's place among the readers; closing there must not clear it. */
static void fork_keeps_the_snapshot(void)
{
    struct err e = {0};
    struct store *s = NULL;
    struct store_snap *snap = NULL;
    struct slice v;
    CU_ASSERT_EQUAL(other_run("put", "k", "old"), STORE_OK);
    CU_ASSERT_EQUAL_FATAL(store_open(&store_lmdb, where, true, &s, &e), STORE_OK);
    CU_ASSERT_EQUAL(store_snap(s, &snap, &e), STORE_OK);
    pid_t pid = fork();
    if (pid == 0) {
        store_close(s);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    for (int i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(other_run("put", i % 2 ? "j" : "k", "new"), STORE_OK);
    CU_ASSERT_EQUAL(store_get(snap, DB_LINKS, text("k"), &v), STORE_OK);
    CU_ASSERT_TRUE(slice_is(v, "old"));
    store_snap_end(snap);
    store_close(s);
}

static void replaced_folder_is_noticed(void)
{
    struct err e = {0};
    char old[128];
    struct store *s = owned();
    store_release(s);
    snprintf(old, sizeof(old), "%s.old", where);
    CU_ASSERT_EQUAL(rename(where, old), 0);
    CU_ASSERT_EQUAL(other_run("put", "k", "v"), STORE_OK);
    CU_ASSERT_EQUAL(store_acquire(s, false, &e), STORE_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "replaced"));
    store_close(s);
}

static void waiting_for_the_owner(void)
{
    struct err e = {0};
    char line[32];
    struct store *s = owned();
    store_release(s);
    struct other o = other_start("hold", NULL, NULL);
    CU_ASSERT_TRUE(other_line(&o, line, sizeof(line)));
    pid_t killer = fork();
    if (killer == 0) {
        usleep(100000);
        kill(o.pid, SIGKILL);
        _exit(0);
    }
    CU_ASSERT_EQUAL(store_acquire(s, true, &e), STORE_OK);
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "k", "v"), STORE_OK);
    waitpid(killer, NULL, 0);
    other_end(&o, 0);
    store_close(s);
}

/* In steps that pass 80 %, in one commit that is beyond the whole map, and in another process that looks on. */
static void map_grows(void)
{
    static char big[300000];
    struct err e = {0};
    struct store *reader = NULL;
    size_t usual = store_lmdb_map_bytes;
    fill();
    store_lmdb_map_bytes = 1 << 20;
    CU_ASSERT_EQUAL(store_open(&store_lmdb, where, true, &reader, &e), STORE_OK);
    CU_ASSERT_EQUAL(other_run("grow", NULL, NULL), 0);
    CU_ASSERT_EQUAL(count(reader, DB_RUNS), 30);
    store_close(reader);
    struct store *s = owned();
    for (uint32_t i = 0; i < 30; i++) {
        struct store_op o = {STORE_PUT, DB_BASES, slice_of(&i, 4), slice_of(big, sizeof(big))};
        CU_ASSERT_EQUAL(store_commit(s, &o, 1, &e), STORE_OK);
    }
    struct store_batch b = {0};
    for (uint32_t i = 0; i < 200; i++)
        batch_put(&b, DB_INBOX, slice_of(&i, 4), slice_of(big, sizeof(big)));
    CU_ASSERT_EQUAL(batch_commit(&b, s, &e), STORE_OK);
    CU_ASSERT_EQUAL(count(s, DB_INBOX), 200);
    CU_ASSERT_EQUAL(count(s, DB_RUNS), 30);
    batch_fini(&b);
    store_close(s);
    store_lmdb_map_bytes = usual;
}

static int be_grower(char **argv)
{
    static char big[300000];
    struct err e = {0};
    snprintf(where, sizeof(where), "%s", argv[2]);
    store_lmdb_map_bytes = 1 << 20;
    struct store *s = owned();
    int rc = STORE_OK;
    for (uint32_t i = 0; i < 30 && rc == STORE_OK; i++) {
        struct store_op o = {STORE_PUT, DB_RUNS, slice_of(&i, 4), slice_of(big, sizeof(big))};
        rc = store_commit(s, &o, 1, &e);
    }
    store_close(s);
    return rc;
}

static void backup_is_the_state(void)
{
    struct err e = {0};
    char copy[80];
    fill();
    struct store *s = owned();
    CU_ASSERT_EQUAL(put(s, DB_META, "cursor", "7"), STORE_OK);
    snprintf(copy, sizeof(copy), "%s/backup", scratch);
    CU_ASSERT_EQUAL(store_backup(s, copy, &e), STORE_OK);
    CU_ASSERT_EQUAL(store_backup(s, copy, &e), STORE_EXISTS);
    uint64_t fence = store_fence(s);
    store_close(s);
    snprintf(where, sizeof(where), "%s", copy);
    s = owned();
    CU_ASSERT_TRUE(store_fence(s) > fence);
    CU_ASSERT_EQUAL(count(s, DB_LINKS), 250);
    CU_ASSERT_EQUAL(count(s, DB_BASES), 250);
    CU_ASSERT_STRING_EQUAL(got(s, DB_META, "cursor"), "7");
    store_close(s);
}

static int fail_sync_in;

/* Stands before the C library's for LMDB too. */
__attribute__((visibility("default"))) int fdatasync(int fd)
{
    if (fail_sync_in && --fail_sync_in == 0) {
        errno = EIO;
        return -1;
    }
    return fsync(fd);
}

static void io_error_ends_the_handle(void)
{
    struct err e = {0};
    bool applied = true;
    struct store *s = owned();
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "acked", "v"), STORE_OK);
    fail_sync_in = 1;
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "failed", "v"), STORE_IO);
    CU_ASSERT_EQUAL(fail_sync_in, 0);
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "later", "v"), STORE_IO);
    CU_ASSERT_EQUAL(store_resolve(s, &applied, &e), STORE_IO);
    CU_ASSERT_EQUAL(e.code, ERR_STATE);
    store_close(s);
    s = owned();
    CU_ASSERT_EQUAL(count(s, DB_LINKS), 1);
    CU_ASSERT_STRING_EQUAL(got(s, DB_LINKS, "acked"), "v");
    store_close(s);
}

/* A killed owner's last commit may be seen and yet not flushed: before anything is built on it, it is. */
static void owner_flushes_first(void)
{
    struct err e = {0};
    struct store *s = NULL;
    CU_ASSERT_EQUAL(other_run("put", "k", "v"), STORE_OK);
    CU_ASSERT_EQUAL_FATAL(store_open(&store_lmdb, where, false, &s, &e), STORE_OK);
    fail_sync_in = 1;
    CU_ASSERT_EQUAL(store_acquire(s, false, &e), STORE_IO);
    CU_ASSERT_EQUAL(fail_sync_in, 0);
    store_close(s);
    s = owned();
    CU_ASSERT_STRING_EQUAL(got(s, DB_LINKS, "k"), "v");
    store_close(s);
}

/* Fills the disk beside the state until nothing is left. */
static void fill_disk(const char *path)
{
    static char block[4096];
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    while (write(fd, block, sizeof(block)) > 0)
        continue;
    close(fd);
}

static void full_disk(void)
{
    static char big[40000];
    struct err e = {0};
    char disk[80], filler[96];
    snprintf(disk, sizeof(disk), "%s/disk", scratch);
    snprintf(filler, sizeof(filler), "%s/filler", disk);
    mkdir(disk, 0700);
    if (mount("tmpfs", disk, "tmpfs", 0, "size=12m") != 0) {
        puts("  skipped: a small file system cannot be mounted here, so the disk cannot be filled");
        return;
    }
    snprintf(where, sizeof(where), "%s/tickets", disk);
    struct store *s = owned();
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "before", "v"), STORE_OK);
    fill_disk(filler);
    int rc = STORE_OK;
    uint32_t n = 0;
    for (; n < 1000 && rc == STORE_OK; n++) {
        struct store_op o = {STORE_PUT, DB_BASES, slice_of(&n, 4), slice_of(big, sizeof(big))};
        rc = store_commit(s, &o, 1, &e);
    }
    CU_ASSERT_EQUAL(rc, STORE_FULL);
    CU_ASSERT_EQUAL(e.code, ERR_FAILED);
    CU_ASSERT_TRUE(n > 50); /* the reserve of 4 MiB let some through */
    CU_ASSERT_EQUAL(count(s, DB_BASES), n - 1);
    CU_ASSERT_STRING_EQUAL(got(s, DB_LINKS, "before"), "v");
    store_close(s);
    unlink(filler);
    s = owned();
    struct stat st = {0};
    CU_ASSERT_TRUE(stat(in("ballast"), &st) == 0 && st.st_blocks > 1000); /* the reserve is back */
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "after", "v"), STORE_OK);
    CU_ASSERT_EQUAL(count(s, DB_BASES), n - 1);
    store_close(s);
    umount(disk);
}

#define TESTS(X)                                                                                                       \
    X(kill_loses_nothing_acknowledged, "kill -9: every acknowledged commit is there, whole (I18)")                     \
    X(read_only_makes_nothing, "a read-only open makes no file")                                                       \
    X(only_whole_folders_appear, "a folder appears whole or not at all")                                               \
    X(makers_take_turns, "many who make one pair's folder at once all get it")                                         \
    X(twice_in_one_process, "one process opens a pair once")                                                           \
    X(descriptors_close_on_exec, "descriptors close on exec")                                                          \
    X(fork_is_refused, "a handle that came through a fork is refused, its parent's lives on")                          \
    X(fork_keeps_the_snapshot, "a snapshot outlives the child that closed it")                                         \
    X(replaced_folder_is_noticed, "a folder that was replaced while open is noticed")                                  \
    X(waiting_for_the_owner, "waiting ends when the owner is killed")                                                  \
    X(map_grows, "the map grows, also under those who look on")                                                        \
    X(backup_is_the_state, "a backup is the state, and its fence goes on")                                             \
    X(io_error_ends_the_handle, "an I/O error in a commit ends the handle, nothing acknowledged is lost")              \
    X(owner_flushes_first, "an owner flushes what a killed one may have left before it goes on (I18)")                 \
    X(full_disk, "a full disk: the reserve, then nothing is lost, then on")

TESTS(FRESH)

static const struct check tests[] = {TESTS(ROW)};

static const struct {
    const char *verb;
    int (*run)(char **argv);
} verbs[] = {{"commits", be_committer}, {"make", be_maker}, {"grow", be_grower}};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 2 && i < sizeof(verbs) / sizeof(*verbs); i++)
        if (strcmp(argv[1], verbs[i].verb) == 0)
            return verbs[i].run(argv);
    return argc > 2 ? be_other(argc, argv) : check_run("store on disk", tests, sizeof(tests) / sizeof(*tests));
}
