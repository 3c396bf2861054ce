/* SPDX-License-Identifier: MIT */
/* test_net_rate.c - one bucket for all processes of a connection: they keep the server's limit together, and none can spoil it by dying. */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "check.h"
#include "net/http.h"
#include "net/rate.h"
#include "store/shared.h"
#include "wire_peer.h"

#define SECOND 1000000LL

static char folder[] = "/tmp/syncline-rate-XXXXXX";

/* --- two processes with 32 connections each, a server that counts, a clock that is a number --- */

enum { CLIENTS = 2, CONNECTIONS = 32, LIMIT = 100, SECONDS = 100 };

struct answer {
    int64_t due_us; /* 0: the connection is free */
    struct rate_signs signs;
    bool refused;
};

struct account {
    int64_t now_us;
    struct answer in_flight[CLIENTS][CONNECTIONS];
    int64_t wakes_us[CLIENTS]; /* when a client tries again by itself */
    int64_t second, used; /* the server's window */
    int64_t left_us[2 * LIMIT]; /* when the last requests left */
    int64_t sent, served, most_at_once, most_a_second;
    uint64_t seed;
};

static int64_t chance(struct account *w, int64_t below)
{
    w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((w->seed >> 33) % (uint64_t)below);
}

/* Requests in the second that ends now. */
static void note_sent(struct account *w)
{
    enum { KEPT = 2 * LIMIT };
    int64_t n = 0;
    w->left_us[w->sent++ % KEPT] = w->now_us;
    for (int64_t i = w->sent - 1; i >= 0 && i >= w->sent - KEPT && w->left_us[i % KEPT] > w->now_us - SECOND; i--)
        n++;
    w->most_a_second = n > w->most_a_second && w->now_us > 2 * SECOND ? n : w->most_a_second;
}

/* The answer is of the moment the request arrives, and read some time later. */
static void request(struct account *w, struct answer *a, bool headers)
{
    if (w->now_us / SECOND != w->second)
        w->used = 0;
    w->second = w->now_us / SECOND;
    a->refused = w->used >= LIMIT;
    w->used += !a->refused;
    w->served += !a->refused;
    a->signs = (struct rate_signs){-1, -1, -1, -1};
    if (headers)
        a->signs = (struct rate_signs){-1, LIMIT, LIMIT - w->used, (w->second + 1) * 1000 - w->now_us / 1000};
    a->due_us = w->now_us + SECOND * 3 / 10 + chance(w, SECOND / 5);
    note_sent(w);
}

/* What the loop of http.c does: sends while there is a turn and a free connection, else sleeps until there may be; it wakes late. */
static void act(struct account *w, int c, struct rate *r, bool headers)
{
    int64_t busy = 0;
    w->wakes_us[c] = w->now_us + SECOND / 5;
    for (int i = 0; i < CONNECTIONS; i++) {
        struct answer *a = &w->in_flight[c][i];
        if (a->due_us && a->due_us <= w->now_us) {
            rate_learn(r, &a->signs, a->refused, w->now_us);
            a->due_us = 0;
        }
        int64_t wait = a->due_us ? 1 : rate_wait_us(r, w->now_us);
        if (wait == 0) {
            rate_spend(r, w->now_us);
            request(w, a, headers);
        } else if (!a->due_us && w->now_us + wait < w->wakes_us[c]) {
            w->wakes_us[c] = w->now_us + wait + chance(w, 1500);
        }
        busy += a->due_us != 0;
    }
    w->most_at_once = busy > w->most_at_once ? busy : w->most_at_once;
}

static int64_t next_event(const struct account *w, int c)
{
    int64_t next = w->wakes_us[c];
    for (int i = 0; i < CONNECTIONS; i++)
        if (w->in_flight[c][i].due_us && w->in_flight[c][i].due_us < next)
            next = w->in_flight[c][i].due_us;
    return next;
}

static struct account live(struct rate *buckets, int n_buckets, bool headers)
{
    struct account w = {.seed = 1, .now_us = 1};
    while (w.now_us < SECONDS * SECOND) {
        int64_t next = INT64_MAX;
        for (int c = 0; c < CLIENTS; c++)
            if (next_event(&w, c) <= w.now_us)
                act(&w, c, &buckets[c % n_buckets], headers);
        for (int c = 0; c < CLIENTS; c++)
            next = next_event(&w, c) < next ? next_event(&w, c) : next;
        w.now_us = next > w.now_us ? next : w.now_us + 1;
    }
    return w;
}

static void together(bool headers, int64_t per_minute)
{
    struct rate bucket = {0};
    for (int c = 0; c < CLIENTS; c++)
        rate_join(&bucket, per_minute, 1);
    struct account w = live(&bucket, 1, headers);
    CU_ASSERT_TRUE(w.served * 100 >= LIMIT * SECONDS * 98LL);
    CU_ASSERT_TRUE(w.sent * 100 <= LIMIT * SECONDS * 101LL);
    CU_ASSERT_TRUE(w.most_a_second <= LIMIT + LIMIT / 100);
    CU_ASSERT_TRUE(w.most_at_once > CONNECTIONS / 2); /* the answers are late enough for that to be hard */
}

static void shared_by_config(void)
{
    together(false, LIMIT * 60);
}

static void shared_by_headers(void)
{
    together(true, 0);
}

/* A server that refuses without a word: what was in flight is refused with it, and slows them down once, not thirty times. */
static void shared_by_guess(void)
{
    struct rate bucket = {0};
    rate_join(&bucket, 0, 1);
    struct account w = live(&bucket, 1, false);
    CU_ASSERT_TRUE(w.served >= LIMIT * SECONDS / 2);
    CU_ASSERT_TRUE((w.sent - w.served) * 10 <= w.served);
}

/* What sharing is for: each with a bucket of its own they send more than is permitted, and are refused. */
static void apart(void)
{
    struct rate buckets[CLIENTS] = {0};
    for (int c = 0; c < CLIENTS; c++)
        rate_join(&buckets[c], LIMIT * 60, 1);
    struct account w = live(buckets, CLIENTS, false);
    CU_ASSERT_TRUE(w.most_a_second > LIMIT + LIMIT / 100);
}

/* --- who joins --- */

static void joining(void)
{
    struct rate r = {0};
    struct rate_signs wait = {5000, -1, -1, -1};
    rate_join(&r, 60, SECOND);
    CU_ASSERT_EQUAL(rate_wait_us(&r, SECOND), 0);
    rate_spend(&r, SECOND);
    rate_join(&r, 60, SECOND); /* another process: what was spent is spent */
    CU_ASSERT_TRUE(rate_wait_us(&r, SECOND) > SECOND / 2);
    rate_join(&r, 600, SECOND); /* the config was changed */
    int64_t left = rate_wait_us(&r, SECOND);
    CU_ASSERT_TRUE(left > 0 && left < SECOND / 5);
    rate_learn(&r, &wait, true, SECOND);
    rate_join(&r, 600, 2 * SECOND);
    CU_ASSERT_EQUAL(rate_wait_us(&r, 2 * SECOND), 4 * SECOND);
    rate_join(&r, 600, SECOND / 2); /* the machine was started anew, and its clock */
    CU_ASSERT_EQUAL(rate_wait_us(&r, SECOND / 2), 0);
}

static void no_bucket(void)
{
    for (unsigned char fill = 1; fill; fill++) {
        struct rate r, fresh;
        memset(&r, fill, sizeof r);
        rate_init(&fresh, 60, SECOND);
        rate_join(&r, 60, SECOND);
        CU_ASSERT_EQUAL(memcmp(&r, &fresh, sizeof r), 0);
    }
}

/* A guess that a run made is of use to the next, and not for ever. */
static void old_guesses(void)
{
    struct rate r = {0};
    struct rate_signs nothing = {-1, -1, -1, -1};
    rate_join(&r, 0, SECOND);
    rate_spend(&r, SECOND);
    rate_learn(&r, &nothing, true, SECOND);
    double guess = r.per_us;
    rate_join(&r, 0, 60 * SECOND);
    CU_ASSERT_TRUE(guess > 0 && r.per_us >= guess && r.per_us <= guess);
    rate_join(&r, 0, 3600 * SECOND);
    CU_ASSERT_TRUE(r.per_us <= 0);
    rate_spend(&r, 3600 * SECOND);
    rate_spend(&r, 2 * 3600 * SECOND); /* an hour's pause is no speed */
    rate_learn(&r, &nothing, true, 2 * 3600 * SECOND);
    CU_ASSERT_TRUE(r.per_us * SECOND > 0.5);
}

/* --- the bytes --- */

static void many_processes(void)
{
    enum { PROCESSES = 4, TURNS = 2000 };
    for (int p = 0; p < PROCESSES; p++)
        if (fork() == 0) {
            struct shared *s = shared_open(folder, "desk", sizeof(int64_t));
            for (int i = 0; i < TURNS; i++) {
                volatile int64_t *n = shared_lock(s);
                *n = *n + 1;
                shared_unlock(s);
            }
            shared_close(s);
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
    struct shared *s = shared_open(folder, "desk", sizeof(int64_t)),
                  *other = shared_open(folder, "code", sizeof(int64_t));
    CU_ASSERT_EQUAL(*(int64_t *)shared_lock(s), PROCESSES * TURNS);
    CU_ASSERT_EQUAL(*(int64_t *)shared_lock(other), 0);
    shared_close(s);
    shared_close(other);
}

/* Killed with the lock in its hand, it holds up nobody. */
static void killed_holder(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct shared *s = shared_open(folder, "killed", sizeof(int64_t));
        *(int64_t *)shared_lock(s) = 42;
        raise(SIGKILL);
    }
    waitpid(pid, NULL, 0);
    struct shared *s = shared_open(folder, "killed", sizeof(int64_t));
    CU_ASSERT_EQUAL(*(int64_t *)shared_lock(s), 42);
    shared_unlock(s);
    shared_close(s);
}

static void nowhere(void)
{
    struct stat st;
    struct shared *s = shared_open("/dev/null", "desk", sizeof(int64_t));
    CU_ASSERT_PTR_NULL(shared_lock(s));
    CU_ASSERT_PTR_NULL(shared_lock(s));
    shared_close(s);
    char path[100];
    snprintf(path, sizeof path, "%s/shared/desk", folder);
    CU_ASSERT_EQUAL(stat(path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
}

/* --- HTTP connections of one account --- */

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

/* One request on each of two services: both are in the one bucket; without a folder each keeps its own. */
static void two_services(void)
{
    static const struct http_world world = {NULL, now_ms, randomness, go_on, NULL};
    struct wire_peer peer = wire_start();
    struct arena a = {0};
    char base[100];
    snprintf(base, sizeof base, "http://127.0.0.1:%d/", peer.port);
    struct shared *look = shared_open(folder, "account", sizeof(struct rate));
    for (int i = 1; i <= 2; i++) {
        struct err e = {0};
        struct http *h = NULL;
        struct shared *s = shared_open(folder, "account", sizeof(struct rate));
        struct http_settings settings = {.connection = "desk",
                                         .base_url = base,
                                         .requests_per_minute = 6000000,
                                         .pace = {s, shared_lock, shared_unlock}};
        struct sl_http_request ask = {.size = sizeof ask, .method = "GET", .url = "/echo"};
        struct sl_http_response answer;
        CU_ASSERT_EQUAL_FATAL(http_open(&settings, NULL, &world, &h, &e), 0);
        const struct rate *r = shared_lock(look);
        int64_t before_us = r->at_us;
        shared_unlock(look);
        http_many(h, &ask, 1, sizeof ask, &a, &answer);
        CU_ASSERT_EQUAL(answer.status, 200);
        shared_lock(look);
        CU_ASSERT_TRUE(r->at_us > before_us && r->ceiling_per_us > 0);
        shared_unlock(look);
        http_close(h);
        shared_close(s);
    }
    shared_close(look);
    wire_stop(&peer);
    arena_fini(&a);
}

static const struct check tests[] = {
    {"two processes, 64 connections, a limit of the config: 98 to 101 percent", shared_by_config},
    {"two processes, 64 connections, a limit told in headers: 98 to 101 percent", shared_by_headers},
    {"two processes, 64 connections, a limit that is not told: half of it, a tenth refused", shared_by_guess},
    {"two buckets on one account are more than is permitted", apart},
    {"who joins finds what the others spent and were told", joining},
    {"bytes that are no bucket are none", no_bucket},
    {"a guess is kept for the next run, not for the next day", old_guesses},
    {"shared bytes: one process at a time", many_processes},
    {"shared bytes: a killed process lets go", killed_holder},
    {"shared bytes: without a place nothing is shared", nowhere},
    {"two services of one connection spend from one bucket", two_services},
};

int main(void)
{
    if (!mkdtemp(folder))
        return 2;
    int rc = check_run("rate", tests, sizeof tests / sizeof *tests);
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? rc : 2;
}
