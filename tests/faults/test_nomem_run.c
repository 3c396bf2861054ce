/* SPDX-License-Identifier: MIT */
/* test_nomem_run.c - each allocation of whole runs of the engine refused in turn: one sentence, and the next run ends as if nothing had been. */
#include <sys/mman.h>

#include "../engine/kit.h"
#include "disk_kit.h"
#include "nomem_kit.h"

#ifdef NOMEM_IMPOSSIBLE
int main(void)
{
    puts("SKIP: " NOMEM_IMPOSSIBLE "\n0 passed, 0 failed, 1 skipped");
    return 0;
}
#else

extern const struct sl_plugin syncline_plugin;

static const char sentence[] = "syncline: out of memory; nothing is lost: run again with more memory\n";
enum { NO_MEMORY = 1, ENDED = 3, CALLS_MOST = 100000 };

/* In memory that processes share: what a run did to both systems before its end stays done. */
static struct kit *kit;
static struct kit_point empty;
static uint64_t n_failures;

static int64_t now_ms(void *self)
{
    return ((struct kit *)self)->now_ms;
}

static void some_bytes(void *self, void *bytes, size_t n_bytes)
{
    struct kit *k = self;
    for (size_t i = 0; i < n_bytes; i++) {
        k->random = k->random * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)bytes)[i] = (uint8_t)(k->random >> 56);
    }
}

static void sleep_ms(void *self, uint32_t ms)
{
    kit_tick(self, ms);
}

static int stopping(void *self)
{
    (void)self;
    return 0;
}

/* One run on the store in files. Returns the err code. */
static int run_once(void)
{
    static const char *const names[2] = {"a", "b"};
    struct kit *k = kit;
    struct session_world world = {k, now_ms, some_bytes, sleep_ms, stopping, NULL, NULL};
    struct run_env env = {.conf = &k->conf, .pair = &k->pair, .world = &world, .identity = "pair"};
    err_clear(&k->e);
    memset(&k->report, 0, sizeof(k->report));
    bool ok = store_open(&store_lmdb, where, false, &env.store, &k->e) == STORE_OK &&
              store_acquire(env.store, false, &k->e) == STORE_OK;
    for (int s = 0; s < 2 && ok; s++) {
        struct sl_value name = value_string("name", names[s]);
        memory_share(names[s], &k->w[s]);
        ok = session_open(&syncline_plugin, names[s], &name, 1, &world, &env.session[s], &k->e) == SL_OK;
    }
    if (ok)
        run_pair(&env, &k->report, &k->e);
    for (int s = 0; s < 2; s++)
        session_close(env.session[s]);
    store_close(env.store);
    kit_tick(k, 1000);
    return k->e.code;
}

static int run_to_its_end(void)
{
    return run_once() == 0 ? GOOD : ENDED;
}

/* --- what is there when the run begins --- */

static void begin_new(struct kit *k)
{
    kit_edit(k, 0, "1:k=p;title=x;n=#1 | 2:k=q;title=y | 3:k=r");
    kit_edit(k, 1, "7:k=p;title=x | 8:k=s;n=#2");
}

/* Edited on one side, on the other, on both; deleted; and new. */
static void begin_changed(struct kit *k)
{
    begin_new(k);
    CU_ASSERT_EQUAL(run_once(), 0);
    kit_edit(k, 0, "1:title=z | 2:title=v | 3! | 4:k=t;title=new");
    kit_edit(k, 1, "7:n=#9 | 2:title=w | 9:k=u");
}

static void begin_again(void (*begin)(struct kit *))
{
    disk_new();
    kit_restore(kit, &empty);
    begin(kit);
}

/* --- each allocation --- */

static const char *both_sides(struct arena *a)
{
    return arena_printf(a, "%s || %s", kit_records(kit, 0, true, a), kit_records(kit, 1, true, a));
}

static bool wrong(unsigned long at, bool on, const char *what, const char *why)
{
    printf("\nallocation %lu%s: %s: %s", at, on ? " and all after it" : "", what, why);
    return false;
}

/* It ended with the sentence for no memory, or with another one, or could do without that allocation. */
static bool ended_well(int rc, const char *text)
{
    if (rc == ENDED)
        return kit->e.text[0] && !strchr(kit->e.text, '\n');
    return rc == GOOD || (rc == NO_MEMORY && strcmp(text, sentence) == 0);
}

/* The next run brings about what an undisturbed one would have, and the one after it has nothing to do. */
static bool recovers(unsigned long at, bool on, const char *want)
{
    struct arena a = {0};
    bool good = run_once() == 0 || wrong(at, on, "the next run", kit->e.text);
    const char *got = both_sides(&a);
    good = good && (strcmp(got, want) == 0 || wrong(at, on, "in the end", got));
    good = good && (run_once() == 0 || wrong(at, on, "the run after", kit->e.text));
    good = good && (strcmp(both_sides(&a), want) == 0 || wrong(at, on, "the run after", both_sides(&a)));
    for (int s = 0; s < 2 && good; s++)
        for (int kind = 0; kind < 3 && good; kind++)
            good = kit->report.writes[s][kind] == 0 || wrong(at, on, "the run after", "writes");
    arena_fini(&a);
    return good;
}

/* True to go on: there was a fault, and it was well survived. */
static bool survives(void (*begin)(struct kit *), unsigned long at, bool on, const char *want)
{
    char text[512];
    begin_again(begin);
    int rc = nomem_apart(run_to_its_end, at, on, text, sizeof(text));
    if (rc == NOT_REACHED)
        return false;
    bool good =
        (ended_well(rc, text) || wrong(at, on, rc < 0 ? "a signal" : "the run", text)) && recovers(at, on, want);
    CU_ASSERT_TRUE(good);
    n_failures += good;
    return good;
}

static void each_allocation(void (*begin)(struct kit *))
{
    struct arena a = {0};
    begin_again(begin);
    CU_ASSERT_EQUAL(run_once(), 0);
    const char *want = both_sides(&a);
    uint64_t before = n_failures;
    for (int on = 0; on < 2; on++) {
        unsigned long at = 1;
        while (at < CALLS_MOST && survives(begin, at, on, want))
            at++;
        CU_ASSERT_TRUE(at > 100);
    }
    check_cases(n_failures - before);
    arena_fini(&a);
    scratch_remove();
}

static void test_first(void)
{
    each_allocation(begin_new);
}

static void test_changed(void)
{
    each_allocation(begin_changed);
    printf("\ncounts: allocation failures in whole runs %llu\n", (unsigned long long)n_failures);
}

static const struct check tests[] = {
    {"I18 I20: a first run without memory, at every allocation", test_first},
    {"I18 I20: a run with changes on both sides without memory, at every allocation", test_changed},
};

int main(int n_args, char **args)
{
    kit = mmap(NULL, sizeof(*kit), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (kit == MAP_FAILED)
        return 2;
    *kit = *kit_new("match=k first=match_or_create deletes=delete fields=k,title/a,n", false);
    for (int s = 0; s < 2; s++)
        kit->w[s].conditional = kit->w[s].reserved_ids = 1;
    kit_save(kit, &empty);
    if (n_args == 3) {
        begin_again(strcmp(args[1], "first") == 0 ? begin_new : begin_changed);
        return nomem_within(run_to_its_end, strtoul(args[2], NULL, 10), false);
    }
    return check_run("no memory in a run", tests, sizeof(tests) / sizeof(*tests));
}
#endif
