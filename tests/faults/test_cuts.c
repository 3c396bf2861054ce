/* SPDX-License-Identifier: MIT */
/* test_cuts.c - the embedded store under power cuts: a process commits, the power is cut, the next one finds all that was acknowledged. */
#include <stdatomic.h>
#include <sys/mman.h>

#include "disk_kit.h"

/* A life is one process, from opening the pair's state to a cut. An episode is lives one after the other on one state. */
enum { LIVES = 10, COMMITS_MOST = 12, CALLS_MOST = 70, N_KEYS = 150, OPS_MOST = 10, FAULTY = 1, CUTS = 5000 };

static const int dbs[] = {DB_LINKS, DB_BASES, DB_INTENTS, DB_HISTORY};
enum { N_DBS = sizeof(dbs) / sizeof(*dbs) };

/* What one process says to the next, outside the files. */
static struct said {
    _Atomic uint64_t acked; /* commits that answered OK, or were found durable */
    _Atomic uint64_t unacked; /* found durable without an answer */
    _Atomic uint64_t before_first; /* lives cut before the first answer there ever was */
} * said;

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t both[2] = {a, b};
    return hash64(both, sizeof(both));
}

/* What should be there: of each row the number its bytes come from, 0 if there is none. */
struct model {
    uint64_t rows[N_DBS][N_KEYS];
};

static size_t value_size(uint64_t number)
{
    static const size_t most[] = {40, 200, 900, 6000, 20000};
    return mix(number, 1) % most[mix(number, 2) % (sizeof(most) / sizeof(*most))];
}

static struct slice value_of(uint64_t number, uint8_t *room)
{
    size_t n = value_size(number);
    for (size_t i = 0; i < n; i++)
        room[i] = (uint8_t)(number >> (i % 8 * 8)) ^ (uint8_t)i;
    return slice_of(room, n);
}

/* Operations of the n-th commit of an episode, for a batch or for the model. */
static void commit_ops(uint64_t episode, uint64_t n, struct store_batch *b, struct model *m)
{
    static uint8_t room[20000];
    uint64_t seed = mix(episode, n), n_ops = 1 + mix(seed, 0) % OPS_MOST;
    for (uint64_t i = 1; i <= n_ops; i++) {
        uint64_t r = mix(seed, i);
        uint64_t db = r % N_DBS, key = (r >> 8) % N_KEYS, number = (r >> 32) % 4 ? r | 1 : 0;
        struct slice k = slice_of(&key, sizeof(key));
        if (m)
            m->rows[db][key] = number;
        else if (number)
            batch_put(b, dbs[db], k, value_of(number, room));
        else
            batch_del(b, dbs[db], k);
    }
    if (b)
        batch_put(b, DB_META, text("n"), slice_of(&n, sizeof(n)));
}

static int wrong(const char *what, uint64_t got, uint64_t want)
{
    fprintf(stderr, "%s: %llu, not %llu\n", what, (unsigned long long)got, (unsigned long long)want);
    return FAULTY;
}

static int check_db(struct store_snap *snap, size_t db, const struct model *m)
{
    static uint8_t room[20000];
    static struct store_row rows[N_KEYS + 2];
    size_t n_rows = 0, n_found = 0;
    int rc = store_scan(snap, dbs[db], slice_of(NULL, 0), slice_of(NULL, 0), false, N_KEYS + 1, rows, &n_rows);
    if (rc != STORE_OK)
        return wrong("scan", (uint64_t)rc, STORE_OK);
    for (uint64_t key = 0; key < N_KEYS; key++) {
        struct slice v = {0};
        uint64_t number = m->rows[db][key];
        rc = store_get(snap, dbs[db], slice_of(&key, sizeof(key)), &v);
        n_found += rc == STORE_OK;
        if (rc != (number ? STORE_OK : STORE_NOTFOUND))
            return wrong("a row's presence", (uint64_t)rc, key);
        if (number && key_order(v, value_of(number, room)) != 0)
            return wrong("a row's bytes", v.size, value_size(number));
    }
    return n_rows == n_found ? 0 : wrong("rows", n_rows, n_found);
}

static uint64_t commit_found(struct store_snap *snap)
{
    struct slice v = {0};
    uint64_t n = 0;
    if (store_get(snap, DB_META, text("n"), &v) == STORE_OK && v.size == sizeof(n))
        memcpy(&n, v.data, sizeof(n));
    return n;
}

/* Everything acknowledged is there, and at most the one commit after it; nothing in halves (I18, F44). */
static int check_state(struct store *s, uint64_t episode)
{
    struct err e = {0};
    struct model m = {0};
    struct store_snap *snap = NULL;
    if (store_snap(s, &snap, &e) != STORE_OK)
        return wrong(e.text, 0, 0);
    uint64_t found = commit_found(snap), acked = said->acked;
    if (found != acked && found != acked + 1)
        return wrong("the last commit found", found, acked);
    for (uint64_t n = 1; n <= found; n++)
        commit_ops(episode, n, NULL, &m);
    int rc = 0;
    for (size_t db = 0; db < N_DBS && !rc; db++)
        rc = check_db(snap, db, &m);
    store_snap_end(snap);
    said->unacked += found - acked;
    said->acked = found;
    return rc;
}

static int commit_some(struct store *s, uint64_t episode)
{
    struct err e = {0};
    for (int i = 0; i < COMMITS_MOST; i++) {
        struct store_batch b = {0};
        commit_ops(episode, said->acked + 1, &b, NULL);
        if (batch_commit(&b, s, &e) != STORE_OK)
            return wrong(e.text, 0, 0);
        said->acked++;
        batch_fini(&b);
    }
    return 0;
}

/* The process of one life. It ends in a cut, or with what is wrong. */
static int live(uint64_t episode)
{
    struct err e = {0};
    struct store *s = NULL;
    if (store_open(&store_lmdb, where, false, &s, &e) != STORE_OK || store_acquire(s, false, &e) != STORE_OK)
        return wrong(e.text, 0, 0);
    if (check_state(s, episode) || commit_some(s, episode))
        return FAULTY;
    store_close(s);
    disk_cut();
}

static int status_of_life(uint64_t episode, const struct disk_plan *plan)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        disk_begin(plan);
        _exit(live(episode));
    }
    waitpid(pid, &status, 0);
    return status;
}

/* Returns the life after which the state was wrong, from 1; 0: none was. */
static int run_episode(uint64_t episode, bool lies)
{
    disk_new();
    said->acked = 0;
    for (int life = 1; life <= LIVES; life++) {
        uint64_t r = mix(episode, (uint64_t)life << 32);
        struct disk_plan plan = {
            .roots = {root}, .n_roots = 1, .spare = spare, .at = 1 + r % CALLS_MOST, .seed = r, .lies = lies};
        int status = status_of_life(episode, &plan);
        said->before_first += said->acked == 0;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != DISK_CUT_EXIT)
            return life;
    }
    return 0;
}

static uint64_t wanted(const char *name, uint64_t usual)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : usual;
}

static void cuts_lose_nothing(void)
{
    uint64_t first = wanted("SEED", 1), n_episodes = wanted("CUTS", check_scaled(CUTS)) / LIVES, n_wrong = 0;
    for (uint64_t episode = first; episode < first + n_episodes && n_wrong < 3; episode++) {
        int life = run_episode(episode, false);
        n_wrong += life != 0;
        if (life)
            printf("\nI18: life %d of episode %llu; replay: %s %llu\n", life, (unsigned long long)episode,
                   "build/tests/faults/test_cuts", (unsigned long long)episode);
    }
    scratch_remove();
    check_cases(n_episodes * LIVES);
    CU_ASSERT_EQUAL(n_wrong, 0);
    printf("\ncounts: cuts %llu, unacknowledged but durable %llu, before the first acknowledgement %llu\n",
           (unsigned long long)(n_episodes * LIVES), (unsigned long long)said->unacked,
           (unsigned long long)said->before_first);
}

static void new_folders_are_durable(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        disk_new();
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            struct err e = {0};
            struct store *s = NULL;
            disk_begin(&(struct disk_plan){.roots = {root}, .n_roots = 1, .spare = spare, .seed = seed});
            if (store_open(&store_lmdb, where, false, &s, &e) == STORE_OK && !store_acquire(s, false, &e) &&
                put(s, DB_LINKS, "k", "v") == STORE_OK)
                disk_cut();
            _exit(1);
        }
        waitpid(pid, NULL, 0);
        CU_ASSERT_TRUE(access(where, F_OK) == 0);
    }
    scratch_remove();
}

/* That the cuts have teeth. */
static void lying_disk_is_noticed(void)
{
    int n_noticed = 0;
    int err = dup(2);
    if (!freopen("/dev/null", "w", stderr))
        abort();
    for (uint64_t episode = 1; episode <= 20; episode++)
        n_noticed += run_episode(episode, true) != 0;
    dup2(err, 2);
    close(err);
    scratch_remove();
    CU_ASSERT_TRUE(n_noticed > 15);
}

static const struct check tests[] = {
    {"power cuts lose nothing acknowledged and leave nothing in halves (I18, F39, F44)", cuts_lose_nothing},
    {"the folders above a pair's state are durable before its first commit (F39)", new_folders_are_durable},
    {"a disk whose flushes do nothing is noticed", lying_disk_is_noticed},
};

int main(int argc, char **argv)
{
    said = mmap(NULL, sizeof(*said), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (said == MAP_FAILED)
        return 2;
    if (argc == 2)
        return run_episode(strtoull(argv[1], NULL, 10), false);
    return check_run("power cuts", tests, sizeof(tests) / sizeof(*tests));
}
