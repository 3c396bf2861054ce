/* SPDX-License-Identifier: MIT */
/* test_store_damage.c - files of the embedded driver that must stay untouched: by idle runs, and when they are refused. */
#include "store_files.h"

#include "store/header.h"

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

/* In another process, which a damaged header may not end by a signal. Each byte of both headers is damaged four ways. */
static int be_damaged(char **argv)
{
    static const uint8_t damage[] = {0x01, 0x10, 0x80, 0xFF};
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

/* Says in each case what is wrong with the file and what to do. */
static void damage_is_named(void)
{
    static const struct {
        size_t offset; /* in both meta pages */
        const char *fault;
    } rows[] = {{16, "it is no LMDB file"},     {20, "it is of another LMDB version"},
                {41, "its page size is wrong"}, {143, "its page count is wrong"},
                {141, "it is cut short"},       {133, "its roots are wrong"}};
    fill();
    struct buf whole = bytes_of("data.mdb");
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct err e = {0};
        char want[1200];
        for (size_t page = 0; page < 2; page++)
            whole.data[4096 * page + rows[i].offset] ^= 0x55;
        write_bytes("data.mdb", whole.data, whole.size);
        snprintf(want, sizeof(want), "%s: the state is damaged (%s): restore it from a backup", where, rows[i].fault);
        CU_ASSERT_EQUAL(open_rc(false, &e), STORE_CORRUPT);
        if (strcmp(e.text, want) != 0)
            printf("\n  want %s\n  got  %s\n", want, e.text);
        CU_ASSERT_STRING_EQUAL(e.text, want);
        for (size_t page = 0; page < 2; page++)
            whole.data[4096 * page + rows[i].offset] ^= 0x55;
    }
    buf_fini(&whole);
}

static void refused(bool read_only, const char *sentence)
{
    struct err e = {0};
    char want[1200];
    snprintf(want, sizeof(want), "%s%s", where, sentence);
    CU_ASSERT_NOT_EQUAL(open_rc(read_only, &e), STORE_OK);
    CU_ASSERT_STRING_EQUAL(e.text, want);
}

static void missing_state_is_named(void)
{
    refused(true, " holds no state yet: run the pair once");
    fill();
    CU_ASSERT_EQUAL(raw_number("format", 0), 0);
    refused(false, " holds state without a valid format: restore it from a backup or move it away");
    CU_ASSERT_EQUAL(unlink(in("data.mdb")), 0);
    refused(false, " is there but holds no data.mdb: restore that file or move the folder away");
}

#define TESTS(X)                                                                                                       \
    X(idle_run_writes_nothing, "a run that commits nothing leaves the file as it is (I11)")                            \
    X(newer_format_is_refused, "state of a newer format is refused untouched, naming both versions")                   \
    X(truncated_file_is_refused, "a truncated file is refused untouched")                                              \
    X(longer_file_is_fine, "what a killed commit left behind the last page is no damage")                              \
    X(unwritten_free_pages_are_fine, "free pages that were never written are no damage")                               \
    X(damage_is_named, "what is wrong with a damaged header is said")                                                  \
    X(missing_state_is_named, "a state that is not there, or lacks its file, is named with the next step")             \
    X(damaged_header_is_refused, "a damaged header is refused untouched and ends no process")

TESTS(FRESH)

static const struct check tests[] = {TESTS(ROW)};

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "damaged") == 0)
        return be_damaged(argv);
    return argc > 2 ? be_other(argc, argv) : check_run("store files", tests, sizeof(tests) / sizeof(*tests));
}
