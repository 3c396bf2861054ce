/* SPDX-License-Identifier: MIT */
/* test_interrupt.c - every row struck before and after every action of its host, and again while it recovers, ends as if it had not been. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/check.h"
#include "case.h"
#include "strike.h"
#include "sync/act.h"

enum { SEEN = 512, SHARDS = 2, SECOND_STRIKES = 3, MOST_BAD = 20 };

/* What all shards add up. */
struct counts {
    uint64_t cases, points, seconds, bad;
};

/* One row in one variant, and how it ends undisturbed. */
struct trial {
    const struct row *row;
    const struct variant *variant;
    struct kit *k;
    struct counts *counts;
    struct arena arena;
    struct kit_point start, struck;
    struct state end;
    uint64_t creates[2];
    char kind[STRIKE_POINTS + 1];
    uint64_t n_points;
    const char *seen[2][SEEN]; /* what records of a side looked like at some moment */
    size_t n_seen[2];
    uint64_t random;
    uint64_t n_seconds; /* second strikes for each first */
    char where[300];
};

static bool complain(const struct trial *t, const char *what)
{
    fprintf(stderr, "\n  %s: %s\n", t->where, what);
    return false;
}

static uint64_t roll(struct trial *t, uint64_t n)
{
    t->random = t->random * 6364136223846793005u + 1442695040888963407u;
    return (t->random >> 33) % n;
}

/* --- I18: two states --- */

static const char *shape(const struct kit *k, const struct memory_record *r, struct arena *a)
{
    struct buf b = {0};
    buf_printf(&b, "%s%s", kit_id(k, r->id), r->gone ? " gone" : "");
    for (uint32_t i = 0; i < r->now.n_fields && !r->gone; i++)
        buf_printf(&b, " %s=%s", r->now.fields[i].name, r->now.fields[i].text);
    const char *text = arena_text(a, b.data);
    buf_fini(&b);
    return text;
}

static bool seen_before(const struct trial *t, int s, const char *text)
{
    for (size_t i = 0; i < t->n_seen[s]; i++)
        if (strcmp(t->seen[s][i], text) == 0)
            return true;
    return false;
}

/* A moment of the undisturbed course. */
static void note(struct memory_world *w, void *self)
{
    struct trial *t = self;
    int s = w == &t->k->w[1];
    for (uint32_t i = 0; i < w->n_records; i++) {
        const char *text = shape(t->k, &w->records[i], &t->arena);
        if (!seen_before(t, s, text) && t->n_seen[s] < SEEN)
            t->seen[s][t->n_seen[s]++] = text;
    }
}

static bool two_states(struct trial *t)
{
    struct arena a = {0};
    bool ok = true;
    for (int s = 0; s < 2; s++)
        for (uint32_t i = 0; i < t->k->w[s].n_records; i++) {
            const char *text = shape(t->k, &t->k->w[s].records[i], &a);
            if (!seen_before(t, s, text)) {
                fprintf(stderr, "\n  I18 %s: side %c holds what never was: %s\n", t->where, s ? 'b' : 'a', text);
                ok = false;
            }
        }
    arena_fini(&a);
    return ok;
}

/* --- I18: what the state holds --- */

/* How much of what was written on each side the state knows of: acknowledged in the history, or open. */
static void known_writes(struct kit *k, int64_t known[2])
{
    struct store *store = NULL;
    struct store_snap *snap = NULL;
    struct store_row rows[64];
    struct arena a = {0};
    struct err e = {0};
    size_t n = 0;
    known[0] = known[1] = 0;
    bool dead = k->disk->dead;
    k->disk->dead = false;
    if (mem_store_open_read_only(k->disk, &store, &e) == STORE_OK) {
        struct history_row *history = arena_alloc(&a, 256 * sizeof *history);
        size_t n_history = act_history(store, 0, &a, history, 256, &e);
        for (size_t i = 0; i < n_history; i++)
            known[history[i].side] += history[i].kind != 0;
        store_snap(store, &snap, &e);
        store_scan(snap, DB_INTENTS, slice_of(NULL, 0), slice_of(NULL, 0), false, 64, rows, &n);
        for (size_t i = 0; i < n; i++) {
            struct intent open;
            if (intent_decode(rows[i].value, 0, &a, &open, &e) == 0)
                known[open.side]++;
        }
        store_snap_end(snap);
        store_close(store);
    }
    k->disk->dead = dead;
    arena_fini(&a);
}

/* Before a step: what was known and what the systems hold. */
struct tally {
    int64_t known[2];
    uint64_t sequence[2];
};

static void tally_begin(struct kit *k, struct tally *y)
{
    known_writes(k, y->known);
    for (int s = 0; s < 2; s++)
        y->sequence[s] = k->w[s].sequence;
}

static bool effects_known(struct trial *t, const struct tally *y)
{
    int64_t known[2];
    known_writes(t->k, known);
    for (int s = 0; s < 2; s++)
        if ((int64_t)(t->k->w[s].sequence - y->sequence[s]) > known[s] - y->known[s]) {
            fprintf(stderr, "\n  I18 %s: side %c was written and the state knows nothing of it\n", t->where,
                    s ? 'b' : 'a');
            return false;
        }
    return true;
}

/* --- the course of a row --- */

/* Runs until one writes and commits nothing. */
static bool come_to_rest(struct trial *t)
{
    struct kit *k = t->k;
    for (int i = 0; i < KIT_SETTLE; i++) {
        uint64_t before = k->w[0].n_writes + k->w[1].n_writes;
        int rc = kit_run(k);
        bool idle = rc == 0 && k->calm;
        if (rc == 0 && !case_accounted(&k->report))
            return complain(t, "I25: seen is not the sum of the classes");
        if (idle && k->w[0].n_writes + k->w[1].n_writes != before)
            return complain(t, "I11: an idle run writes");
        if (idle)
            return true;
    }
    return complain(t, k->e.code ? k->e.text : "does not come to rest");
}

/* Takes the steps from *at on until one is struck; that one is begun again by the next call. */
static bool take_steps(struct trial *t, size_t *at, bool again)
{
    for (; *at < case_steps(t->row); (*at)++) {
        int rc = case_step(t->k, t->row, *at, again);
        if (t->k->strike->struck)
            return true;
        if (rc)
            return complain(t, t->k->e.text);
        again = false;
    }
    return true;
}

static void come_back(struct trial *t, const struct strike *x)
{
    kit_revive(t->k);
    if (x->how == STRIKE_POWER) {
        kit_tick(t->k, 3600000);
        t->k->random ^= 0x9e3779b97f4a7c15u;
    }
}

/* The undisturbed course: where its points are, what is to be seen on the way, how it ends. */
static bool undisturbed(struct trial *t)
{
    struct strike none = {0};
    struct kit *k = t->k;
    size_t at = 0;
    snprintf(t->where, sizeof t->where, "%s [%s, undisturbed]", t->row->name, t->variant->name);
    k->strike = &none;
    for (int s = 0; s < 2; s++) {
        note(&k->w[s], t);
        k->w[s].step = note;
        k->w[s].step_self = t;
    }
    bool ok = take_steps(t, &at, false);
    t->n_points = none.n_points;
    memcpy(t->kind, none.kind, sizeof t->kind);
    ok = ok && come_to_rest(t);
    for (int s = 0; s < 2; s++) {
        note(&k->w[s], t);
        t->creates[s] = k->w[s].n_creates;
    }
    case_look(k, &t->arena, &t->end);
    return ok;
}

static bool ends_the_same(struct trial *t)
{
    struct arena a = {0};
    struct state now;
    char where[320];
    case_look(t->k, &a, &now);
    snprintf(where, sizeof where, "I20 %s", t->where);
    bool same = case_same(where, "side a", t->end.side[0], now.side[0]);
    same &= case_same(where, "side b", t->end.side[1], now.side[1]);
    same &= case_same(where, "waits", t->end.waits, now.waits);
    same &= case_same(where, "links", t->end.links, now.links);
    arena_fini(&a);
    for (int s = 0; s < 2; s++)
        if (t->k->w[s].n_creates != t->creates[s]) {
            fprintf(stderr, "\n  I19 %s: %llu creates on %c, undisturbed %llu\n", t->where,
                    (unsigned long long)t->k->w[s].n_creates, s ? 'b' : 'a', (unsigned long long)t->creates[s]);
            same = false;
        }
    return same;
}

/* --- strikes --- */

/* The first strike, from the start. Out: the step it hit. */
static bool strike_first(struct trial *t, struct strike *x, size_t *at)
{
    struct tally tally;
    struct kit *k = t->k;
    bool ok = true;
    *at = 0;
    kit_restore(k, &t->start);
    k->strike = x;
    uint64_t deaths = k->w[0].n_after_death + k->w[1].n_after_death;
    for (; *at < case_steps(t->row) && ok && !x->struck; (*at)++) {
        tally_begin(k, &tally);
        ok = case_step(k, t->row, *at, false) == 0 || x->struck;
    }
    --*at;
    if (!ok || !x->struck)
        return complain(t, "the point is never passed");
    const char *step = t->row->steps[*at] ? t->row->steps[*at] : "run";
    bool by_run = strcmp(step, "run") == 0 || strcmp(step, "apply") == 0 || strcmp(step, "repair") == 0;
    if (k->w[0].n_after_death + k->w[1].n_after_death != deaths)
        ok = complain(t, "I18: a call is made after the state was lost");
    if (x->how == STRIKE_KILL || x->how == STRIKE_POWER)
        ok = two_states(t) && (!by_run || effects_known(t, &tally)) && ok;
    return ok;
}

static bool recover(struct trial *t, size_t at, struct strike *counting)
{
    *counting = (struct strike){0};
    t->k->strike = counting;
    return take_steps(t, &at, true) && come_to_rest(t) && ends_the_same(t);
}

/* A second strike at point q of the recovery from the first. */
static bool strike_again(struct trial *t, const struct strike *x, size_t at, uint64_t q, int how)
{
    struct strike y = {.at = q, .how = how, .takes_batch = t->variant->local}, z;
    char first[300];
    snprintf(first, sizeof first, "%s", t->where);
    snprintf(t->where, sizeof t->where, "%.240s, then %s at %llu", first, strike_names[how], (unsigned long long)q);
    kit_restore(t->k, &t->struck);
    come_back(t, x);
    t->k->strike = &y;
    bool ok = take_steps(t, &at, true);
    for (int i = 0; ok && !y.struck && i < KIT_SETTLE; i++)
        kit_run(t->k);
    come_back(t, &y);
    ok = ok && recover(t, at, &z);
    t->counts->seconds++;
    snprintf(t->where, sizeof t->where, "%s", first);
    return ok;
}

static bool strike_at(struct trial *t, uint64_t p, int how)
{
    struct strike x = {.at = p, .how = how, .takes_batch = t->variant->local}, y;
    size_t at;
    snprintf(t->where, sizeof t->where, "%s [%s, %s at %llu%c]", t->row->name, t->variant->name, strike_names[how],
             (unsigned long long)p, t->kind[p]);
    bool ok = strike_first(t, &x, &at);
    t->counts->points++;
    kit_save(t->k, &t->struck);
    come_back(t, &x);
    ok = ok && recover(t, at, &y);
    for (uint64_t i = 0; ok && i < t->n_seconds; i++)
        ok = strike_again(t, &x, at, 1 + roll(t, y.n_points), 1 + (int)roll(t, STRIKE_DEAF));
    return ok;
}

static void strike_everywhere(struct trial *t)
{
    uint64_t share = check_scaled(100);
    for (uint64_t p = 1; p <= t->n_points && t->counts->bad < MOST_BAD; p++)
        for (int how = 1; how < STRIKE_END; how++)
            if ((how != STRIKE_DEAF || t->kind[p] == STRIKE_COMMIT) && roll(t, 100) < share)
                t->counts->bad += !strike_at(t, p, how);
}

static void try_row(const struct row *r, const struct variant *v, uint64_t seed, struct counts *c)
{
    struct trial *t = mem_alloc(sizeof *t);
    t->row = r;
    t->variant = v;
    t->counts = c;
    t->random = seed;
    t->n_seconds = check_scaled(100) > 100 ? check_scaled(SECOND_STRIKES) : SECOND_STRIKES;
    t->k = case_prepare(r, v, false);
    kit_save(t->k, &t->start);
    c->cases++;
    if (!undisturbed(t))
        c->bad++;
    else
        strike_everywhere(t);
    kit_point_fini(&t->start);
    kit_point_fini(&t->struck);
    kit_free(t->k);
    arena_fini(&t->arena);
    mem_free(t);
}

/* --- the tests --- */

static void run_shard(unsigned shard, struct counts *c)
{
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    const char *word = getenv("ROW"); /* those rows only */
    unsigned task = 0;
    for (size_t i = 0; case_row(i); i++)
        for (size_t v = 0; v < n_variants; v++, task++) {
            const struct row *r = case_row(i);
            bool fits = !(r->flags & NO_KILL) && (!word || strstr(r->name, word)) &&
                        !(variants[v].own_ids && (r->flags & PLAIN_IDS));
            if (fits && task % SHARDS == shard && c->bad < MOST_BAD)
                try_row(r, &variants[v], task + 1, c);
        }
}

/* One process a shard: as many cores as there are, and a crash is one shard's. */
static void test_struck(void)
{
    struct counts *shared =
        mmap(NULL, SHARDS * sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct counts all = {0};
    CU_ASSERT_PTR_NOT_EQUAL_FATAL(shared, MAP_FAILED);
    fflush(NULL);
    pid_t pids[SHARDS];
    for (unsigned i = 0; i < SHARDS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            run_shard(i, &shared[i]);
            fflush(NULL);
            _exit(0);
        }
    }
    for (unsigned i = 0; i < SHARDS; i++) {
        int status = 1;
        CU_ASSERT_EQUAL(waitpid(pids[i], &status, 0), pids[i]);
        CU_ASSERT_EQUAL(status, 0);
        CU_ASSERT_EQUAL(shared[i].bad, 0);
        all.cases += shared[i].cases;
        all.points += shared[i].points;
        all.seconds += shared[i].seconds;
    }
    check_cases(all.points + all.seconds);
    printf("counts: cases %llu, crash points %llu, second kills %llu\n", (unsigned long long)all.cases,
           (unsigned long long)all.points, (unsigned long long)all.seconds);
    munmap(shared, SHARDS * sizeof *shared);
}

/* Asked to stop before anything is written, and then to go on. */
static void test_asked_to_stop(void)
{
    struct arena a = {0};
    struct kit *k = kit_new("fields=title", false);
    kit_edit(k, 0, "1:title=x");
    k->stop_in = 1;
    CU_ASSERT_EQUAL(kit_run(k), ERR_FAILED);
    CU_ASSERT_STRING_EQUAL(k->e.text, "pairs.pair: stopped; what was begun is written down, run again to go on");
    CU_ASSERT_STRING_EQUAL(kit_records(k, 1, false, &a), "");
    k->stop_in = 0;
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    CU_ASSERT_STRING_EQUAL(kit_records(k, 1, false, &a), kit_records(k, 0, false, &a));
    arena_fini(&a);
    kit_free(k);
}

static const struct check tests[] = {
    {"I20: asked to stop, a run says so, and the next one goes on", test_asked_to_stop},
    {"I5 I11 I18 I19 I20 I25: every row, struck before and after every action and again while it recovers, ends as "
     "undisturbed",
     test_struck},
};
CHECK_MAIN("interrupt", tests)
