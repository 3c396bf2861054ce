/* SPDX-License-Identifier: MIT */
/* test_daemon.c - what the daemon's processes say to each other, and what they make of nonsense; its figures, its claim on a state. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "base/text.h"
#include "daemon/child.h"
#include "daemon/claim.h"
#include "daemon/figures.h"
#include "daemon/gateway.h"
#include "daemon/metrics.h"
#include "daemon/pool.h"
#include "daemon/roster.h"

/* --- messages --- */

/* However the bytes are cut into reads. */
static void cut_anywhere(void)
{
    struct buf all = {0};
    message_put(&all, MESSAGE_RUN, "run p", 5);
    message_put(&all, MESSAGE_DONE, "", 0);
    message_put(&all, MESSAGE_REPORT, "{}", 2);
    for (size_t size = 0; size <= all.size; size++) {
        struct buf part = {0};
        struct message m;
        size_t at = 0, n = 0, whole = size >= 22 ? 3 : size >= 15 ? 2 : size >= 10;
        buf_add(&part, all.data, size);
        while (message_cut(&part, &at, &m) == 1)
            n++;
        CU_ASSERT_EQUAL(n, whole);
        CU_ASSERT_EQUAL(message_cut(&part, &at, &m), 0);
        buf_fini(&part);
    }
    buf_fini(&all);
}

static int cut_bytes(const void *bytes, size_t n)
{
    struct buf in = {0};
    struct message m;
    size_t at = 0;
    buf_add(&in, bytes, n);
    int got = message_cut(&in, &at, &m);
    buf_fini(&in);
    return got;
}

static void nonsense(void)
{
    CU_ASSERT_EQUAL(cut_bytes("\1\0\0\0\0x", 6), -1);
    CU_ASSERT_EQUAL(cut_bytes("\1\0\0\0\x7Fx", 6), -1);
    CU_ASSERT_EQUAL(cut_bytes("\xFF\xFF\xFF\xFF\3", 5), -1);
    CU_ASSERT_EQUAL(cut_bytes("\0\0\0\x7F\3", 5), -1);
    CU_ASSERT_EQUAL(cut_bytes("HTTP/1.1 200 OK", 15), -1);
    uint64_t seed = 5, n = check_scaled(100000);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t bytes[4];
        struct buf in = {0};
        struct message m;
        size_t at = 0;
        for (int k = 0; k < 4; k++)
            bytes[k] = seed = hash64(&seed, sizeof seed);
        bytes[0] &= seed & 1 ? UINT64_MAX : 0xFF0000001Full;
        buf_add(&in, bytes, 1 + seed % sizeof bytes);
        while (message_cut(&in, &at, &m) == 1)
            CU_ASSERT(at <= in.size && m.text + m.n_bytes <= in.data + in.size && m.kind < MESSAGE_END);
        buf_fini(&in);
    }
    check_cases(n);
}

/* A peer that takes nothing does not hold up the one that speaks; what waits arrives whole. */
static void slow_peer(void)
{
    int ends[2];
    struct channel here = {0}, there = {0};
    struct message m;
    char *big = mem_alloc(2 << 20);
    memset(big, 'x', 2 << 20);
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    here.fd = ends[0];
    there.fd = ends[1];
    message_put(&here.out, MESSAGE_METRICS, big, 2 << 20);
    CU_ASSERT_TRUE(channel_flush(&here));
    CU_ASSERT(here.out.size > 0);
    int got = 0;
    while ((got = channel_next(&there, &m)) == 0) {
        CU_ASSERT_TRUE_FATAL(channel_fill(&there));
        CU_ASSERT_TRUE_FATAL(channel_flush(&here));
    }
    CU_ASSERT_EQUAL(got, 1);
    CU_ASSERT_EQUAL(m.n_bytes, 2 << 20);
    CU_ASSERT_EQUAL(memcmp(m.text, big, m.n_bytes), 0);
    channel_close(&there);
    message_put(&here.out, MESSAGE_READY, "", 0);
    CU_ASSERT_FALSE(channel_flush(&here) && channel_fill(&here));
    channel_close(&here);
    mem_free(big);
}

/* --- what a worker tells of a config --- */

static void rosters(void)
{
    struct conf_pair pairs[3] = {
        {.name = "p",
         .every_ms = 60000,
         .verify_every_ms = 86400000,
         .n_children = 1,
         .side = {{.connection = "desk"}, {.connection = "code"}}},
        {.name = "p.comments", .parent = pairs, .side = {{.connection = "desk"}, {.connection = "code"}}},
        {.name = "q \"x\"", .side = {{.connection = "tree"}, {.connection = "desk"}}}};
    const char *folders[] = {"/plugins"};
    struct conf conf = {.state = "/s",
                        .listen = "h:1",
                        .pairs = pairs,
                        .n_pairs = 3,
                        .plugin_path = {folders, 1},
                        .run_silence_ms = 900000};
    struct conf_connection connections[] = {{.name = "desk"}, {.name = "code", .hook_token = {"t"}}};
    const struct roster_ago ago[] = {{5000, 700}, {-1, -1}, {-1, -1}};
    struct buf text = {0};
    struct roster r;
    struct err e = {0};
    conf.connections = connections;
    conf.n_connections = 2;
    roster_put(&text, &conf, ago);
    CU_ASSERT_EQUAL_FATAL(roster_read(&r, text.data, text.size, &e), 0);
    CU_ASSERT_STRING_EQUAL(r.state, "/s");
    CU_ASSERT_STRING_EQUAL(r.listen, "h:1");
    CU_ASSERT_EQUAL(r.n_pairs, 3);
    CU_ASSERT_EQUAL(r.n_wants, 2);
    CU_ASSERT_STRING_EQUAL(r.wants[1].name, "q \"x\"");
    CU_ASSERT_STRING_EQUAL(r.sides[0][1], "code");
    CU_ASSERT_STRING_EQUAL(r.sides[1][0], "tree");
    CU_ASSERT_EQUAL(r.run_silence_ms, 900000);
    CU_ASSERT_EQUAL(r.wants[0].verify_every_ms, 86400000);
    CU_ASSERT_EQUAL(r.wants[0].verified_ago_ms, 5000);
    CU_ASSERT_STRING_EQUAL(r.plugin_folders[0], "/plugins");
    CU_ASSERT_STRING_EQUAL(r.parents[1], "p");
    CU_ASSERT_STRING_EQUAL(r.parents[2], "q \"x\"");
    CU_ASSERT_EQUAL(r.ran_ago_ms[0], 700);
    CU_ASSERT_EQUAL(r.ran_ago_ms[1], -1);
    CU_ASSERT_EQUAL(r.n_connections, 2);
    CU_ASSERT_STRING_EQUAL(r.connections[1], "code");
    CU_ASSERT_EQUAL_FATAL(r.n_hooks, 1);
    CU_ASSERT_STRING_EQUAL(r.hooks[0], "code");
    roster_fini(&r);
    buf_fini(&text);
}

static void false_rosters(void)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "null",
        "{\"state\": 1, \"listen\": \"x\", \"run_silence\": 1, \"plugins\": [], \"pairs\": []}",
        "{\"state\": \"s\", \"listen\": \"x\", \"run_silence\": 1, \"plugins\": [], \"pairs\": [1]}",
        "{\"state\": \"s\", \"listen\": \"x\", \"run_silence\": 1, \"plugins\": [], \"pairs\": [{}]}",
        "{\"state\": \"s\", \"listen\": \"x\", \"run_silence\": 1, \"pairs\": []}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct roster r;
        struct err e = {0};
        CU_ASSERT_EQUAL(roster_read(&r, texts[i], strlen(texts[i]), &e), ERR_INPUT);
        CU_ASSERT(i == 0 || strstr(e.text, "a worker's answer to a config is none"));
        roster_fini(&r);
    }
}

/* --- figures --- */

static struct figures_news report(struct figures *f, const struct run_report *run, const struct status_counts *counts,
                                  const char *error, int64_t now_ms)
{
    struct buf text = {0};
    struct err e = {0};
    struct figures_news news;
    struct figures_report r = {"p.1", run, counts, error};
    figures_put_report(&text, &r);
    CU_ASSERT_EQUAL(figures_take(f, text.data, text.size, now_ms, &news, &e), 0);
    buf_fini(&text);
    return news;
}

static bool shows(const struct figures *f, int64_t now_ms, const char *line)
{
    struct buf text = {0};
    struct metrics_host host = {.pairs = 2};
    metrics_put(f, &host, NULL, 0, now_ms, &text);
    bool there = strstr(text.data, line) != NULL;
    buf_fini(&text);
    return there;
}

static void figures_of_runs(void)
{
    static const char *const names[] = {"q", "p.1"};
    static const int64_t ago[] = {250, -1};
    struct figures f = {0};
    struct run_report run = {.run = "01M8PZ49SJRX9VE52Q2A11PPAC", .ok = true, .seen = 7, .ms = 1500};
    struct status_counts counts = {.conflicts = 2, .parked = 3, .withheld = 4};
    run.writes[1][0] = 5;
    run.calls[0] = 11;
    strcpy(run.message, "look at this");
    figures_set(&f, names, ago, 2, 500);
    struct figures_news news = report(&f, &run, &counts, NULL, 1000);
    CU_ASSERT_STRING_EQUAL(news.run, run.run);
    CU_ASSERT_STRING_EQUAL(news.message, "look at this");
    CU_ASSERT_EQUAL(news.written, 5);
    news = report(&f, &run, NULL, NULL, 2000);
    CU_ASSERT_PTR_NULL(news.message); /* it was told */
    CU_ASSERT_TRUE(shows(&f, 4500, "syncline_pair_seen_total{pair=\"p.1\"} 14\n"));
    CU_ASSERT_TRUE(shows(&f, 4500, "syncline_pair_written_total{pair=\"p.1\",side=\"b\",op=\"create\"} 10\n"));
    CU_ASSERT_TRUE(shows(&f, 4500, "syncline_pair_withheld{pair=\"p.1\"} 4\n"));
    CU_ASSERT_TRUE(shows(&f, 4500, "syncline_pair_last_run_seconds{pair=\"p.1\"} 1.500\n"));
    CU_ASSERT_TRUE(shows(&f, 4500, "syncline_pair_lag_seconds{pair=\"p.1\"} 4.000\n"));
    CU_ASSERT_TRUE(shows(&f, 4500, "syncline_pair_lag_seconds{pair=\"q\"} 4.250\n"));
    news = report(&f, &run, NULL, "it broke", 5000);
    CU_ASSERT_STRING_EQUAL(news.error, "it broke");
    CU_ASSERT_PTR_NULL(report(&f, &run, NULL, "it broke", 6000).error);
    CU_ASSERT_TRUE(shows(&f, 6000, "syncline_pair_failures_total{pair=\"p.1\"} 2\n"));
    CU_ASSERT_TRUE(shows(&f, 6000, "syncline_pair_lag_seconds{pair=\"p.1\"} 5.500\n"));
    CU_ASSERT_TRUE(report(&f, &run, NULL, NULL, 7000).mended);
    figures_set(&f, names + 1, ago, 1, 7000);
    CU_ASSERT_TRUE(shows(&f, 7000, "syncline_pair_runs_total{pair=\"p.1\"} 5\n"));
    figures_set(&f, names, ago, 1, 8000);
    CU_ASSERT_PTR_NULL(report(&f, &run, NULL, NULL, 8000).pair); /* the config has it no more */
    figures_fini(&f);
}

static void false_reports(void)
{
    static const char *const texts[] = {"", "7", "[]", "{}", "{\"pair\": 7}"};
    static const char *const names[] = {"p"};
    static const int64_t ago = -1;
    struct figures f = {0};
    struct figures_news news;
    figures_set(&f, names, &ago, 1, 0);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct err e = {0};
        CU_ASSERT_EQUAL(figures_take(&f, texts[i], strlen(texts[i]), 0, &news, &e), ERR_INPUT);
        CU_ASSERT(i == 0 || strstr(e.text, "a worker's report is none"));
    }
    /* what is missing or of another kind counts for nothing */
    static const char *const odd[] = {
        "{\"pair\": \"p\"}",
        "{\"pair\": \"p\", \"report\": 7, \"waits\": {}, \"error\": 1}",
        "{\"pair\": \"p\", \"report\": {\"seen\": -1, \"writes\": [], \"calls\": 0}, \"waits\": [\"x\"]}",
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct err e = {0};
        CU_ASSERT_EQUAL(figures_take(&f, odd[i], strlen(odd[i]), 0, &news, &e), 0);
        CU_ASSERT_EQUAL(news.seen + news.written, 0);
    }
    figures_fini(&f);
}

/* --- processes and files --- */

static void one_daemon_a_state(void)
{
    char state[] = "/tmp/syncline-claim-XXXXXX";
    struct arena a = {0};
    struct err e = {0};
    const char *refused = NULL, *hooks = NULL;
    int fd = -1, second = -1;
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(state));
    CU_ASSERT_EQUAL(claim_look(state, &a, &refused, &hooks), 0);
    CU_ASSERT_EQUAL_FATAL(claim_take(state, &fd, &e), 0);
    CU_ASSERT_EQUAL(claim_look(state, &a, &refused, &hooks), getpid());
    CU_ASSERT_PTR_NULL(refused);
    claim_note(fd, "c.json:1:1: it is wrong\n", "webhooks: wrong");
    CU_ASSERT_EQUAL(claim_look(state, &a, &refused, &hooks), getpid());
    CU_ASSERT_STRING_EQUAL(refused, "c.json:1:1: it is wrong\n");
    claim_note(fd, NULL, "");
    claim_look(state, &a, &refused, &hooks);
    CU_ASSERT_PTR_NULL(refused);
    CU_ASSERT_EQUAL(claim_take(state, &second, &e), ERR_BUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, arena_printf(&a, "as process %ld", (long)getpid())));
    close(fd);
    CU_ASSERT_EQUAL(claim_look(state, &a, &refused, &hooks), 0);
    const char *lock = arena_printf(&a, "%s/daemon.lock", state);
    unlink(lock);
    mkdir(lock, 0700);
    err_clear(&e);
    CU_ASSERT_EQUAL(claim_take(state, &fd, &e), ERR_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "give this user the right to write it"));
    rmdir(lock);
    rmdir(state);
    arena_fini(&a);
}

static void no_room_for_a_process(void)
{
    struct rlimit old, none;
    struct child c;
    struct err e = {0};
    getrlimit(RLIMIT_NOFILE, &old);
    none = old;
    none.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &none);
    int rc = child_start(&c, "c.json", "worker", -1, &e);
    setrlimit(RLIMIT_NOFILE, &old);
    CU_ASSERT_EQUAL(rc, ERR_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "allow it more open files and processes"));
    CU_ASSERT_EQUAL(c.pid, 0);
}

/* What a worker says of a job decides when its pair runs again; nonsense counts as a job that came to nothing. */
static void jobs_done(void)
{
    static const struct {
        const char *said;
        int outcome;
        int64_t left_ms;
    } rows[] = {{"ok", SCHEDULE_OK, -1},         {"ok 5000", SCHEDULE_OK, 5000},
                {"ok 0", SCHEDULE_OK, 0},        {"busy", SCHEDULE_BUSY, -1},
                {"failed", SCHEDULE_FAILED, -1}, {"", SCHEDULE_FAILED, -1},
                {"okay", SCHEDULE_FAILED, -1},   {"ok 1234567890123456789012345678901", SCHEDULE_FAILED, -1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct schedule_unit unit = {.left_ms = -1};
        struct worker w = {.unit = &unit};
        struct message m = {MESSAGE_DONE, rows[i].said, strlen(rows[i].said)};
        CU_ASSERT_EQUAL(pool_outcome(&w, &m), rows[i].outcome);
        CU_ASSERT_EQUAL(unit.left_ms, rows[i].left_ms);
    }
}

static const struct check tests[] = {
    {"messages are whole however they are cut", cut_anywhere},
    {"what is no message is refused", nonsense},
    {"a slow peer holds nobody up", slow_peer},
    {"a roster is read as it was written", rosters},
    {"what is no roster is refused", false_rosters},
    {"what became of a job, and what it left", jobs_done},
    {"figures of runs, and what is news", figures_of_runs},
    {"what is no report is refused", false_reports},
    {"one daemon a state folder", one_daemon_a_state},
    {"without room for a process it says so", no_room_for_a_process},
};
CHECK_MAIN("daemon", tests)
