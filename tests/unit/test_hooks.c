/* SPDX-License-Identifier: MIT */
/* test_hooks.c - hints of webhooks wait, once a record, until a run has taken them; deliveries are known for a day. */
#include "store_files.h"

#include "store/hooks.h"

enum { DAY_MS = 24 * 3600 * 1000, PUTTERS = 3, PUTS = 40 };
static const int64_t t0 = 1700000000000;

static struct arena arena;
static struct err e;

static struct hash128 digest(const char *t)
{
    return hash128(t, strlen(t));
}

static int put_one(struct hooks *h, const char *pair, int side, const char *id, int64_t now_ms)
{
    struct hook_hint hint = {pair, side, id};
    return hooks_put(h, &hint, 1, NULL, 0, now_ms, &e);
}

static size_t n_waiting(struct hooks *h, const char *pair, struct hook_waiting rows[100])
{
    size_t n = 0;
    arena_reset(&arena);
    CU_ASSERT_EQUAL(hooks_waiting(h, pair, &arena, rows, 100, &n, &e), 0);
    return n;
}

static bool holds(const struct hook_waiting *rows, size_t n, int side, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].side == side && strcmp(rows[i].id, id) == 0)
            return true;
    return false;
}

static bool seen(struct hooks *h, const char *delivery, int64_t now_ms)
{
    bool yes = false;
    CU_ASSERT_EQUAL(hooks_seen(h, digest(delivery), now_ms, &yes, &e), 0);
    return yes;
}

static void nothing_is_there(void)
{
    struct hook_waiting rows[100];
    struct hooks *h = hooks_open(scratch);
    CU_ASSERT_EQUAL(n_waiting(h, "tickets", rows), 0);
    CU_ASSERT_FALSE(seen(h, "d", t0));
    CU_ASSERT_EQUAL(hooks_put(h, NULL, 0, NULL, 0, t0, &e), 0);
    rows[0] = (struct hook_waiting){0, "T-1", 1};
    CU_ASSERT_EQUAL(hooks_taken(h, "tickets", rows, 1, &e), 0);
    CU_ASSERT_EQUAL(n_entries(scratch), 0);
    hooks_close(h);
}

static void each_pair_its_own(void)
{
    struct hook_waiting rows[100];
    struct hooks *h = hooks_open(scratch);
    struct hook_hint hints[] = {{"tickets", 0, "T-1"},
                                {"tickets", 1, "9"},
                                {"tickets", 0, "T-1"},
                                {"tickets.comments", 0, "T-1"},
                                {"ticket", 1, "T-1"}};
    CU_ASSERT_EQUAL(hooks_put(h, hints, 5, NULL, 0, t0, &e), 0);
    hooks_close(h);
    h = hooks_open(scratch);
    CU_ASSERT_EQUAL(n_waiting(h, "tickets", rows), 2);
    CU_ASSERT_TRUE(holds(rows, 2, 0, "T-1") && holds(rows, 2, 1, "9"));
    CU_ASSERT_EQUAL(hooks_taken(h, "tickets", rows, 2, &e), 0);
    CU_ASSERT_EQUAL(n_waiting(h, "tickets", rows), 0);
    CU_ASSERT_EQUAL(n_waiting(h, "tickets.comments", rows), 1);
    CU_ASSERT_EQUAL(n_waiting(h, "ticket", rows), 1);
    CU_ASSERT_EQUAL(n_waiting(h, "T-1", rows), 0);
    hooks_close(h);
}

static void batches(void)
{
    struct hook_waiting rows[100];
    struct hooks *h = hooks_open(scratch);
    struct hook_hint hints[250];
    char long_id[3000];
    memset(long_id, 'x', sizeof long_id);
    long_id[sizeof long_id - 1] = '\0';
    for (size_t i = 0; i < 250; i++)
        hints[i] = (struct hook_hint){"tickets", (int)(i % 2), arena_printf(&arena, "%zu", i)};
    hints[7].id = long_id;
    CU_ASSERT_EQUAL(hooks_put(h, hints, 250, NULL, 0, t0, &e), 0);
    size_t total = 0;
    bool found = false;
    for (size_t n = n_waiting(h, "tickets", rows); n; n = n_waiting(h, "tickets", rows)) {
        total += n;
        found |= holds(rows, n, 1, long_id);
        CU_ASSERT_EQUAL_FATAL(hooks_taken(h, "tickets", rows, n, &e), 0);
    }
    CU_ASSERT_EQUAL(total, 250);
    CU_ASSERT_TRUE(found);
    hooks_close(h);
}

static void comes_while_taken(void)
{
    struct hook_waiting rows[100], again[100];
    struct hooks *h = hooks_open(scratch);
    put_one(h, "tickets", 0, "T-1", t0);
    put_one(h, "tickets", 0, "T-2", t0);
    CU_ASSERT_EQUAL(n_waiting(h, "tickets", rows), 2);
    rows[0].id = mem_dup(rows[0].id), rows[1].id = mem_dup(rows[1].id);
    put_one(h, "tickets", 0, "T-1", t0);
    CU_ASSERT_EQUAL(hooks_taken(h, "tickets", rows, 2, &e), 0);
    CU_ASSERT_EQUAL_FATAL(n_waiting(h, "tickets", again), 1);
    CU_ASSERT_TRUE(holds(again, 1, 0, "T-1"));
    CU_ASSERT_EQUAL(hooks_taken(h, "tickets", again, 1, &e), 0);
    CU_ASSERT_EQUAL(n_waiting(h, "tickets", again), 0);
    mem_free((char *)(uintptr_t)rows[0].id), mem_free((char *)(uintptr_t)rows[1].id);
    hooks_close(h);
}

static void known_for_a_day(void)
{
    struct hooks *h = hooks_open(scratch);
    struct hash128 first[] = {digest("d1"), digest("d2")}, later[] = {digest("d2"), digest("d3")};
    CU_ASSERT_EQUAL(hooks_put(h, NULL, 0, first, 2, t0, &e), 0);
    CU_ASSERT_TRUE(seen(h, "d1", t0) && seen(h, "d2", t0 + DAY_MS - 1));
    CU_ASSERT_FALSE(seen(h, "d1", t0 + DAY_MS) || seen(h, "d3", t0));
    CU_ASSERT_EQUAL(hooks_put(h, NULL, 0, later, 2, t0 + DAY_MS / 2, &e), 0);
    CU_ASSERT_TRUE(seen(h, "d2", t0 + DAY_MS)); /* counted from its last time */
    CU_ASSERT_TRUE(seen(h, "d1", t0 - 5 * DAY_MS)); /* a clock that was put back makes nothing unseen */
    hooks_close(h);
}

static size_t n_rows(void)
{
    struct store *s = NULL;
    snprintf(where, sizeof where, "%s/hooks", scratch);
    CU_ASSERT_EQUAL_FATAL(store_open(&store_lmdb, where, true, &s, &e), STORE_OK);
    size_t n = count(s, DB_INBOX) + count(s, DB_KEYS) + count(s, DB_RUNS);
    store_close(s);
    return n;
}

/* What a year brings is not kept: of deliveries a day's, of hints that nobody takes a week's. */
static void nothing_grows(void)
{
    for (int day = 0; day < 30; day++) {
        struct hooks *h = hooks_open(scratch);
        struct hash128 d = digest(arena_printf(&arena, "d%d", day));
        struct hook_hint hints[] = {{"removed", 0, arena_printf(&arena, "%d", day)}, {"removed", 1, "the same"}};
        CU_ASSERT_EQUAL(hooks_put(h, hints, 2, &d, 1, t0 + (int64_t)day * DAY_MS + day, &e), 0);
        hooks_close(h);
    }
    size_t n = n_rows();
    CU_ASSERT_TRUE(n >= 2 * (7 + 1 + 1) && n <= 2 * (8 + 1 + 2));
}

static void replaced_folder(void)
{
    struct hook_waiting rows[100];
    struct hooks *h = hooks_open(scratch);
    char aside[96];
    put_one(h, "tickets", 0, "T-1", t0);
    snprintf(where, sizeof where, "%s/hooks", scratch);
    snprintf(aside, sizeof aside, "%s/aside", scratch);
    CU_ASSERT_EQUAL(rename(where, aside), 0);
    CU_ASSERT_EQUAL(n_waiting(h, "tickets", rows), 0);
    put_one(h, "tickets", 0, "T-2", t0);
    CU_ASSERT_EQUAL(n_waiting(h, "tickets", rows), 1);
    CU_ASSERT_TRUE(holds(rows, 1, 0, "T-2"));
    hooks_close(h);
}

static void damage_is_said(void)
{
    struct hook_waiting rows[100];
    size_t n = 0;
    struct hooks *h = hooks_open(scratch);
    put_one(h, "tickets", 0, "T-1", t0);
    hooks_close(h);
    snprintf(where, sizeof where, "%s/hooks", scratch);
    static const char zeros[8192];
    write_bytes("data.mdb", zeros, sizeof zeros);
    h = hooks_open(scratch);
    CU_ASSERT_EQUAL(hooks_waiting(h, "tickets", &arena, rows, 100, &n, &e), ERR_STATE);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "hooks"));
    CU_ASSERT_EQUAL(n, 0);
    err_clear(&e);
    CU_ASSERT_EQUAL(put_one(h, "tickets", 0, "T-2", t0), ERR_STATE);
    err_clear(&e);
    hooks_close(h);
}

/* A row that is damaged bars no other. */
static void damaged_row(void)
{
    struct hook_waiting rows[100];
    struct store_row found[2];
    size_t n = 0;
    struct hooks *h = hooks_open(scratch);
    put_one(h, "tickets", 0, "T-1", t0);
    put_one(h, "tickets", 0, "T-2", t0);
    hooks_close(h);
    snprintf(where, sizeof where, "%s/hooks", scratch);
    struct store *s = owned();
    struct store_snap *snap = NULL;
    struct store_batch b = {0};
    CU_ASSERT_EQUAL(store_snap(s, &snap, &e), STORE_OK);
    CU_ASSERT_EQUAL(store_scan(snap, DB_INBOX, slice_of(NULL, 0), slice_of(NULL, 0), false, 2, found, &n), STORE_OK);
    batch_put(&b, DB_INBOX, found[0].key, text("nonsense"));
    store_snap_end(snap);
    CU_ASSERT_EQUAL(batch_commit(&b, s, &e), STORE_OK);
    batch_fini(&b);
    store_close(s);
    h = hooks_open(scratch);
    CU_ASSERT_EQUAL(n_waiting(h, "tickets", rows), 1);
    put_one(h, "tickets", 0, "T-1", t0);
    put_one(h, "tickets", 0, "T-2", t0);
    CU_ASSERT_EQUAL(n_waiting(h, "tickets", rows), 2);
    hooks_close(h);
}

/* The other process puts hints, one a commit. */
static int be_putter(char **argv)
{
    struct hooks *h = hooks_open(argv[2]);
    int rc = 0;
    for (int i = 0; i < PUTS && rc == 0; i++)
        rc = put_one(h, "tickets", 0, arena_printf(&arena, "%s-%d", argv[3], i), t0);
    hooks_close(h);
    return rc;
}

static void processes_alternate(void)
{
    struct hook_waiting rows[100];
    struct other others[PUTTERS];
    size_t total = 0;
    snprintf(where, sizeof where, "%s", scratch);
    for (int i = 0; i < PUTTERS; i++)
        others[i] = other_start("puts", (const char *[]){"a", "b", "c"}[i], NULL);
    struct hooks *h = hooks_open(scratch);
    for (int looks = 0; total < PUTTERS * PUTS && looks < 1000000; looks++) {
        size_t n = n_waiting(h, "tickets", rows);
        total += n;
        if (hooks_taken(h, "tickets", rows, n, &e))
            break;
    }
    CU_ASSERT_EQUAL(total, PUTTERS * PUTS);
    CU_ASSERT_EQUAL(e.code, 0);
    for (int i = 0; i < PUTTERS; i++)
        CU_ASSERT_EQUAL(other_end(&others[i], 0), 0);
    CU_ASSERT_EQUAL(n_waiting(h, "tickets", rows), 0);
    hooks_close(h);
}

/* The other process puts hints and says each once it is acknowledged. */
static int be_sayer(char **argv)
{
    struct hooks *h = hooks_open(argv[2]);
    char line[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(line, sizeof line, "%08d", i);
        if (put_one(h, "tickets", 0, line, t0) || write(1, strcat(line, "\n"), 9) != 9)
            return 1;
    }
    return 0;
}

/* For scripts: how many hints wait in a state folder for these pairs. */
static int be_counter(char **argv)
{
    struct hook_waiting rows[100];
    struct hooks *h = hooks_open(argv[2]);
    size_t n = 0, total = 0;
    for (char **pair = argv + 3; *pair && hooks_waiting(h, *pair, &arena, rows, 100, &n, &e) == 0; pair++)
        total += n;
    hooks_close(h);
    puts(e.code ? e.text : arena_printf(&arena, "%zu", total));
    return e.code;
}

static void acknowledged_is_durable(void)
{
    struct hook_waiting rows[100];
    snprintf(where, sizeof where, "%s", scratch);
    struct other o = other_start("says", NULL, NULL);
    char line[16];
    int acked = -1;
    for (int i = 0; i < 25 && other_line(&o, line, sizeof line); i++)
        acked = atoi(line);
    kill(o.pid, SIGKILL);
    while (other_line(&o, line, sizeof line))
        acked = atoi(line);
    other_end(&o, SIGKILL);
    struct hooks *h = hooks_open(scratch);
    int total = 0;
    bool last = false;
    for (size_t n = n_waiting(h, "tickets", rows); n; n = n_waiting(h, "tickets", rows)) {
        snprintf(line, sizeof line, "%08d", acked);
        total += (int)n;
        last |= holds(rows, n, 0, line);
        CU_ASSERT_EQUAL_FATAL(hooks_taken(h, "tickets", rows, n, &e), 0);
    }
    CU_ASSERT_TRUE(acked >= 24 && last);
    CU_ASSERT_TRUE(total == acked + 1 || total == acked + 2);
    hooks_close(h);
}

#define TESTS(X)                                                                                                       \
    X(nothing_is_there, "where no webhook ever came nothing waits and nothing is made")                                \
    X(each_pair_its_own, "a hint waits for its pair and side, once, over processes")                                   \
    X(batches, "more than one batch, and an id longer than a key")                                                     \
    X(comes_while_taken, "I22: a hint that comes while its earlier one is being taken stays")                          \
    X(known_for_a_day, "a delivery is known for 24 hours")                                                             \
    X(nothing_grows, "deliveries of yesterday and hints that no run takes go")                                         \
    X(replaced_folder, "a folder that was replaced is opened anew")                                                    \
    X(damage_is_said, "damaged: a sentence, and nothing is made up")                                                   \
    X(damaged_row, "a damaged row bars no other, and the next hint mends it")                                          \
    X(processes_alternate, "I22: several processes put while one takes: none is lost")                                 \
    X(acknowledged_is_durable, "I22: what was acknowledged outlives a kill")

TESTS(FRESH)

static const struct check tests[] = {TESTS(ROW)};

static const struct {
    const char *verb;
    int (*run)(char **argv);
} verbs[] = {{"puts", be_putter}, {"says", be_sayer}, {"waiting", be_counter}};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 2 && i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(argv[1], verbs[i].verb) == 0)
            return verbs[i].run(argv);
    int rc = check_run("hints of webhooks", tests, sizeof tests / sizeof *tests);
    arena_fini(&arena);
    return rc;
}
