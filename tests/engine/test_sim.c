/* SPDX-License-Identifier: MIT */
/* test_sim.c - the real engine under every fault of a table: one seed is one history; what breaks is shrunk and printed. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../unit/check.h"
#include "sim.h"

enum { SEEDS = 20000, MAX_SHARDS = 16, PROGRESS_SECONDS = 10, TOO_MANY = 10 };

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

/* In one piece: two shards may find something at once. */
static void report(struct sim_script *s, const char *invariant, const char *about)
{
    struct sim_stats none = {0};
    char last[240], *text = NULL;
    size_t n_steps = s->n_steps, n_bytes = 0;
    FILE *out = open_memstream(&text, &n_bytes);
    if (!out)
        abort();
    fprintf(out, "\nSIM_SEED=%llu breaks %s: %s\n", (unsigned long long)s->seed, invariant, about);
    sim_shrink(s, invariant);
    sim_play(s, false, &none, last);
    fprintf(out, "%zu of %zu steps are enough (%s):\n", s->n_steps, n_steps, last);
    sim_print(s, out);
    fclose(out);
    fputs(text, stderr);
    free(text);
}

static bool play_seed(uint64_t seed, struct sim_stats *stats)
{
    struct sim_script *s = mem_alloc(sizeof *s);
    char about[240];
    sim_make(seed, s);
    const char *broken = sim_play(s, false, stats, about);
    stats->violations += broken != NULL;
    if (broken)
        report(s, broken, about);
    mem_free(s);
    return !broken;
}

/* The history of one seed, shrunk if it breaks anything, played once more with all that happens. */
static int show_seed(uint64_t seed)
{
    struct sim_script *s = mem_alloc(sizeof *s);
    struct sim_stats stats = {0};
    char about[240];
    sim_make(seed, s);
    const char *broken = sim_play(s, false, &stats, about);
    if (broken && !getenv("SIM_WHOLE"))
        sim_shrink(s, broken);
    sim_print(s, stderr);
    fprintf(stderr, "played:\n");
    broken = sim_play(s, true, &stats, about);
    fprintf(stderr, "%s %s\n", broken ? broken : "all invariants hold", broken ? about : "");
    mem_free(s);
    return broken != NULL;
}

/* --- shards --- */

struct shards {
    struct sim_stats stats[MAX_SHARDS];
    uint64_t at[MAX_SHARDS]; /* the seed each plays */
    pid_t pid[MAX_SHARDS];
};

static void shard(struct shards *all, unsigned i, uint64_t from, uint64_t step, uint64_t end)
{
    struct sim_stats *stats = &all->stats[i];
    for (uint64_t seed = from; seed < end && stats->violations < TOO_MANY; seed += step) {
        all->at[i] = seed;
        play_seed(seed, stats);
    }
}

static struct sim_stats total(const struct shards *all, unsigned n)
{
    struct sim_stats sum = {0};
    const size_t n_numbers = sizeof sum / sizeof(uint64_t);
    for (unsigned i = 0; i < n; i++)
        for (size_t x = 0; x < n_numbers; x++)
            ((uint64_t *)&sum)[x] += ((const volatile uint64_t *)&all->stats[i])[x];
    return sum;
}

static void say(const struct sim_stats *t, const char *what, time_t since)
{
    double seconds = difftime(time(NULL), since);
    printf("%s seeds %llu, runs %llu, kills %llu, edits %llu, writes %llu, on LMDB %llu, violations %llu", what,
           (unsigned long long)t->seeds, (unsigned long long)t->runs, (unsigned long long)t->kills,
           (unsigned long long)t->edits, (unsigned long long)t->writes, (unsigned long long)t->lmdb,
           (unsigned long long)t->violations);
    if (since)
        printf(" (%.0f s, %.0f seeds/s)", seconds, seconds > 0 ? (double)t->seeds / seconds : 0.0);
    printf("\n");
    fflush(stdout);
}

static bool one_ended(const struct shards *all, unsigned *n_running, bool *all_well, int wait_flags)
{
    int status = 0;
    pid_t pid = waitpid(-1, &status, wait_flags);
    if (pid <= 0)
        return false;
    *all_well &= WIFEXITED(status) && WEXITSTATUS(status) == 0;
    for (unsigned i = 0; i < MAX_SHARDS; i++)
        if (WIFSIGNALED(status) && all->pid[i] == pid)
            fprintf(stderr, "SIM_SEED=%llu ends the process: %s\n", (unsigned long long)all->at[i],
                    strsignal(WTERMSIG(status)));
    --*n_running;
    return true;
}

/* Both cores, or as many as SIM_SHARDS says. False: something broke, or a shard died of it. */
static bool run_shards(uint64_t from, uint64_t n, bool progress, struct sim_stats *sum)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t wanted = number("SIM_SHARDS", cores > 1 ? (uint64_t)cores : 1);
    unsigned n_shards = wanted < MAX_SHARDS ? (unsigned)wanted : MAX_SHARDS, n_running = 0;
    struct shards *all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool well = all != MAP_FAILED;
    time_t since = time(NULL), said = since;
    fflush(NULL);
    for (unsigned i = 0; well && i < n_shards; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            shard(all, i, from + i, n_shards, n ? from + n : UINT64_MAX);
            _exit(all->stats[i].violations != 0);
        }
        well &= pid > 0;
        all->pid[i] = pid;
        n_running += pid > 0;
    }
    while (n_running)
        if (!one_ended(all, &n_running, &well, progress ? WNOHANG : 0)) {
            usleep(200000);
            if (time(NULL) - said >= PROGRESS_SECONDS) {
                said = time(NULL);
                *sum = total(all, n_shards);
                say(sum, "soak:", since);
            }
        }
    *sum = total(all, n_shards);
    if (progress)
        say(sum, "soak ended:", since);
    munmap(all, sizeof *all);
    return well && sum->violations == 0;
}

static void say_knobs(const struct sim_stats *t)
{
    for (size_t i = 0; i < sim_n_knobs; i++)
        printf("  %10llu  %-45s %-8s %s\n", (unsigned long long)t->knobs[i], sim_knobs[i].name, sim_knobs[i].fault,
               sim_knobs[i].threatens);
}

static int soak(void)
{
    struct sim_stats sum;
    bool well = run_shards(number("SIM_FROM", 1), number("SEEDS", 0), true, &sum);
    say_knobs(&sum);
    printf("%llu violations\n", (unsigned long long)sum.violations);
    return well ? 0 : 1;
}

static void test_seeds(void)
{
    struct sim_stats sum;
    CU_ASSERT(run_shards(1, check_scaled(SEEDS), false, &sum));
    check_cases(sum.seeds);
    say(&sum, "counts:", 0);
    for (size_t i = 0; i < sim_n_knobs && sum.seeds >= SEEDS; i++) {
        if (!sum.knobs[i])
            fprintf(stderr, "never turned: %s\n", sim_knobs[i].name);
        CU_ASSERT(sum.knobs[i] > 0);
    }
}

/* A history is the same however often it is played: else no failure could be shown again. */
static void test_again(void)
{
    struct sim_script *s = mem_alloc(sizeof *s);
    for (uint64_t seed = 1; seed <= check_scaled(200); seed++) {
        struct sim_stats stats[2] = {{0}, {0}};
        char about[240];
        sim_make(seed, s);
        for (int i = 0; i < 2; i++)
            sim_play(s, false, &stats[i], about);
        CU_ASSERT(memcmp(&stats[0], &stats[1], sizeof stats[0]) == 0);
    }
    check_cases(check_scaled(200));
    mem_free(s);
}

static const struct check tests[] = {
    {"I17: a history played twice is the same", test_again},
    {"I5 I6 I11 I12 I14 I18 I19 I20 I21 I22 I25 I26 I28 I30 I33 I34: every fault of the table, from seeds", test_seeds},
};

int main(int argc, char **argv)
{
    const char *one = getenv("SIM_SEED");
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    if (one)
        return show_seed(strtoull(one, NULL, 10));
    if (argc > 1 && strcmp(argv[1], "soak") == 0)
        return soak();
    return check_run("simulation", tests, sizeof tests / sizeof *tests);
}
