/* SPDX-License-Identifier: MIT */
/* test_store_lmdb.c - the embedded driver on disk: kills, damage, full disks, other processes, and files left untouched. */
#include "store_kit.h"

#include <dirent.h>
#include <sys/mount.h>
#include <sys/statfs.h>

#include "base/file.h"
#include "store/header.h"

static struct store *owned(void)
{
    struct err e = {0};
    struct store *s = NULL;
    if (store_open(&store_lmdb, where, false, &s, &e) != STORE_OK || store_acquire(s, false, &e) != STORE_OK)
        CU_FAIL_FATAL("the store cannot be opened and owned");
    return s;
}

static int open_rc(bool read_only, struct err *e)
{
    struct store *s = NULL;
    int rc = store_open(&store_lmdb, where, read_only, &s, e);
    CU_ASSERT_EQUAL(rc == STORE_OK, e->code == ERR_NONE);
    store_close(s);
    return rc;
}

static const char *in(const char *name)
{
    static char path[160];
    snprintf(path, sizeof(path), "%s/%s", where, name);
    return path;
}

static struct buf bytes_of(const char *name)
{
    struct err e = {0};
    struct buf b = {0};
    file_read(in(name), 0, &b, &e);
    return b;
}

static bool is_still(const char *name, const struct buf *was)
{
    struct buf now = bytes_of(name);
    bool same = now.size == was->size && memcmp(now.data, was->data, now.size) == 0;
    buf_fini(&now);
    return same;
}

static void write_bytes(const char *name, const char *data, size_t n_bytes)
{
    FILE *f = fopen(in(name), "w");
    if (!f || fwrite(data, 1, n_bytes, f) != n_bytes || fclose(f) != 0)
        abort();
}

static size_t n_entries(const char *path)
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
static void fill(void)
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

static void idle_run_writes_nothing(void)
{
    struct err e = {0};
    fill();
    struct buf was = bytes_of("data.mdb");
    struct stat before, after;
    stat(in("data.mdb"), &before);
    for (int i = 0; i < 3; i++) {
        struct store *s = owned();
        struct store_batch b = {0};
        CU_ASSERT_EQUAL(batch_commit(&b, s, &e), STORE_OK);
        batch_expect(&b, DB_LINKS, text("none"), slice_of(NULL, 0));
        batch_del(&b, DB_LINKS, text("none"));
        CU_ASSERT_EQUAL(batch_commit(&b, s, &e), STORE_OK);
        CU_ASSERT_EQUAL(count(s, DB_LINKS), 250);
        batch_fini(&b);
        store_close(s);
    }
    stat(in("data.mdb"), &after);
    CU_ASSERT_TRUE(is_still("data.mdb", &was));
    CU_ASSERT_TRUE(before.st_mtim.tv_sec == after.st_mtim.tv_sec && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
    buf_fini(&was);
}

static void newer_format_is_refused(void)
{
    struct err e = {0};
    fill();
    CU_ASSERT_EQUAL(raw_number("format", 3), 0);
    struct buf was = bytes_of("data.mdb");
    CU_ASSERT_EQUAL(open_rc(false, &e), STORE_TOONEW);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "format 3, this syncline knows 1"));
    CU_ASSERT_EQUAL(e.code, ERR_STATE);
    err_clear(&e);
    CU_ASSERT_EQUAL(open_rc(true, &e), STORE_TOONEW);
    CU_ASSERT_TRUE(is_still("data.mdb", &was));
    err_clear(&e);
    CU_ASSERT_EQUAL(raw_number("format", 0), 0);
    CU_ASSERT_EQUAL(open_rc(false, &e), STORE_CORRUPT);
    buf_fini(&was);
}

static void truncated_file_is_refused(void)
{
    fill();
    struct buf whole = bytes_of("data.mdb");
    size_t refused = 0, tried = 0;
    for (size_t n = 0; n < whole.size; n += n < 8192 ? 511 : 4096 + 97) {
        struct err e = {0};
        write_bytes("data.mdb", whole.data, n);
        struct buf was = bytes_of("data.mdb");
        int rc = open_rc(n % 2, &e);
        CU_ASSERT_TRUE(rc == STORE_CORRUPT);
        CU_ASSERT_TRUE(is_still("data.mdb", &was));
        refused += rc == STORE_CORRUPT;
        tried++;
        buf_fini(&was);
    }
    CU_ASSERT_EQUAL(refused, tried);
    struct err e = {0};
    write_bytes("data.mdb", whole.data, whole.size);
    CU_ASSERT_EQUAL(open_rc(false, &e), STORE_OK);
    buf_fini(&whole);
}

/* A killed commit leaves bytes behind the last page, in any number. */
static void longer_file_is_fine(void)
{
    struct err e = {0};
    fill();
    struct buf whole = bytes_of("data.mdb");
    buf_add(&whole, "torn", 4);
    write_bytes("data.mdb", whole.data, whole.size);
    CU_ASSERT_EQUAL(open_rc(false, &e), STORE_OK);
    struct store *s = owned();
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "k", "v"), STORE_OK);
    store_close(s);
    CU_ASSERT_EQUAL(open_rc(false, &e), STORE_OK);
    buf_fini(&whole);
}

/* Commits that free the last pages they took, until the file is shorter than its page count: it only looks cut off. */
static void unwritten_free_pages_are_fine(void)
{
    static char big[600000];
    struct err e = {0};
    struct header h = {0};
    struct store *s = owned();
    for (uint32_t i = 1; i < 20; i++) {
        struct store_batch b = {0};
        batch_put(&b, DB_LINKS, slice_of(&i, 4), text("v"));
        batch_put(&b, DB_RUNS, text("k"), slice_of(big, 30000 * i));
        batch_del(&b, DB_RUNS, text("k"));
        CU_ASSERT_EQUAL(batch_commit(&b, s, &e), STORE_OK);
        batch_fini(&b);
    }
    store_close(s);
    int fd = open(in("data.mdb"), O_RDWR | O_CLOEXEC);
    CU_ASSERT_PTR_NULL(header_read(fd, &h));
    CU_ASSERT_TRUE(h.n_whole >= h.n_pages); /* the driver has filled it out */
    CU_ASSERT_EQUAL(ftruncate(fd, (off_t)(h.n_pages - 1) * h.page_bytes), 0);
    CU_ASSERT_PTR_NULL(header_read(fd, &h));
    CU_ASSERT_TRUE(h.n_whole < h.n_pages);
    CU_ASSERT_TRUE(header_trees_whole(fd, &h));
    close(fd);
    CU_ASSERT_EQUAL(open_rc(true, &e), STORE_OK);
    s = owned();
    CU_ASSERT_EQUAL(count(s, DB_LINKS), 19);
    store_close(s);
}

/* In another process, which a damaged header may not end by a signal. Each byte of both headers is damaged three ways. */
static int be_damaged(char **argv)
{
    static const uint8_t damage[] = {0x01, 0x80, 0xFF};
    snprintf(where, sizeof(where), "%s", argv[2]);
    struct buf whole = bytes_of("data.mdb");
    int n_refused = 0;
    for (size_t at = 0; at < 2 * 160; at++) {
        size_t offset = at < 160 ? at : 4096 + at - 160;
        for (size_t i = 0; i < sizeof(damage); i++) {
            struct err e = {0};
            struct store *s = NULL;
            whole.data[offset] = (char)(whole.data[offset] ^ damage[i]);
            write_bytes("data.mdb", whole.data, whole.size);
            int rc = store_open(&store_lmdb, where, false, &s, &e);
            n_refused += rc != STORE_OK;
            if (rc != STORE_OK && (e.code != ERR_STATE || !is_still("data.mdb", &whole)))
                return 1;
            store_close(s);
            whole.data[offset] = (char)(whole.data[offset] ^ damage[i]);
        }
    }
    buf_fini(&whole);
    return n_refused > 100 ? 0 : 2;
}

static void damaged_header_is_refused(void)
{
    fill();
    CU_ASSERT_EQUAL(other_run("damaged", NULL, NULL), 0);
}

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
    X(idle_run_writes_nothing, "a run that commits nothing leaves the file as it is (I11)")                            \
    X(newer_format_is_refused, "state of a newer format is refused untouched, naming both versions")                   \
    X(truncated_file_is_refused, "a truncated file is refused untouched")                                              \
    X(longer_file_is_fine, "what a killed commit left behind the last page is no damage")                              \
    X(unwritten_free_pages_are_fine, "free pages that were never written are no damage")                               \
    X(damaged_header_is_refused, "a damaged header is refused untouched and ends no process")                          \
    X(kill_loses_nothing_acknowledged, "kill -9: every acknowledged commit is there, whole (I18)")                     \
    X(read_only_makes_nothing, "a read-only open makes no file")                                                       \
    X(only_whole_folders_appear, "a folder appears whole or not at all")                                               \
    X(makers_take_turns, "many who make one pair's folder at once all get it")                                         \
    X(twice_in_one_process, "one process opens a pair once")                                                           \
    X(descriptors_close_on_exec, "descriptors close on exec")                                                          \
    X(fork_is_refused, "a handle that came through a fork is refused, its parent's lives on")                          \
    X(replaced_folder_is_noticed, "a folder that was replaced while open is noticed")                                  \
    X(waiting_for_the_owner, "waiting ends when the owner is killed")                                                  \
    X(map_grows, "the map grows, also under those who look on")                                                        \
    X(backup_is_the_state, "a backup is the state, and its fence goes on")                                             \
    X(full_disk, "a full disk: the reserve, then nothing is lost, then on")

#define DEFINE(test, title)                                                                                            \
    static void fresh_##test(void)                                                                                     \
    {                                                                                                                  \
        scratch_new();                                                                                                 \
        test();                                                                                                        \
        scratch_remove();                                                                                              \
    }
TESTS(DEFINE)

#define ROW(test, title) {title, fresh_##test},
static const struct check tests[] = {TESTS(ROW)};

static const struct {
    const char *verb;
    int (*run)(char **argv);
} verbs[] = {{"damaged", be_damaged}, {"commits", be_committer}, {"make", be_maker}, {"grow", be_grower}};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 2 && i < sizeof(verbs) / sizeof(*verbs); i++)
        if (strcmp(argv[1], verbs[i].verb) == 0)
            return verbs[i].run(argv);
    return argc > 2 ? be_other(argc, argv) : check_run("store on disk", tests, sizeof(tests) / sizeof(*tests));
}
