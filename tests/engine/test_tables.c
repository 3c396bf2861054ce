/* SPDX-License-Identifier: MIT */
/* test_tables.c - before and after: each policy as a row, run plainly, twice, mirrored, reordered, and killed at every step. */
#include <stdio.h>
#include <string.h>

#include "../unit/check.h"
#include "kit.h"

/* One row. Base state, brought to rest; edits; what both sides hold then, what waits, how many writes that took. */
struct row {
    const char *name, *pair;
    const char *a0, *b0, *a1, *b1, *a2, *b2, *waits;
    int writes[2];
    unsigned flags;
};
enum { FRESH = 1 /* no base state: the edits are what the first run finds */, NO_MIRROR = 2, NO_KILL = 4 };

#include "rows.h"

static struct {
    unsigned cases, kills;
} counts;

struct variant {
    const char *name;
    void (*set)(struct memory_world *w);
};

static void plain(struct memory_world *w)
{
    w->reserved_ids = w->conditional = 1;
}

static void stubs(struct memory_world *w)
{
    plain(w);
    w->stubs = 1;
}

static void delta(struct memory_world *w)
{
    plain(w);
    w->delta = w->delete_feed = w->stubs = 1;
}

static void paged(struct memory_world *w)
{
    plain(w);
    w->page_size = 1;
    w->shuffle = 7;
}

static void unguarded(struct memory_world *w)
{
    w->reserved_ids = w->versionless = 1;
    w->page_size = 2;
    w->shuffle = 3;
}

static const struct variant variants[] = {
    {"plain", plain}, {"stubs", stubs}, {"delta", delta}, {"paged", paged}, {"unguarded", unguarded}};
enum { N_VARIANTS = sizeof variants / sizeof *variants };

/* --- one case --- */

struct state {
    const char *side[2], *waits;
};

static void look(struct kit *k, struct arena *a, struct state *s)
{
    for (int side = 0; side < 2; side++)
        s->side[side] = kit_records(k, side, true, a);
    s->waits = kit_waits(k, a);
}

static bool differs(const char *where, const struct row *r, const char *what, const char *want, const char *got)
{
    if (strcmp(want ? want : "", got) == 0)
        return false;
    fprintf(stderr, "\n  %s [%s] %s\n    want %s\n    got  %s\n", r->name, where, what, want ? want : "", got);
    return true;
}

/* Sides as the row names them, whatever the kit calls them. */
static int side_of(const struct kit *k, int s)
{
    return k->flip ? 1 - s : s;
}

static bool expect(struct kit *k, const struct row *r, const char *where, const struct state *s)
{
    bool bad = differs(where, r, "side a", r->a2, s->side[side_of(k, 0)]);
    bad |= differs(where, r, "side b", r->b2, s->side[side_of(k, 1)]);
    return !(bad | differs(where, r, "waits", r->waits, s->waits));
}

static bool complain(const struct row *r, const char *where, const char *what)
{
    fprintf(stderr, "\n  %s [%s] %s\n", r->name, where, what);
    return false;
}

static struct kit *prepare(const struct row *r, const struct variant *v, bool flip)
{
    struct kit *k = kit_new(r->pair, flip);
    for (int s = 0; s < 2; s++)
        v->set(&k->w[s]);
    if (!(r->flags & FRESH)) {
        kit_edit(k, side_of(k, 0), r->a0);
        kit_edit(k, side_of(k, 1), r->b0);
        if (!kit_settle(k))
            fprintf(stderr, "\n  %s [%s] the base state does not come to rest: %s\n", r->name, v->name, k->e.text);
        kit_tick(k, 5000);
    }
    kit_edit(k, side_of(k, 0), r->a1);
    kit_tick(k, 5000);
    kit_edit(k, side_of(k, 1), r->b1);
    kit_tick(k, 5000);
    return k;
}

static bool accounted(const struct run_report *r)
{
    uint64_t sum = 0;
    for (int c = 1; c < CLASS_END; c++)
        sum += r->of[c];
    return sum == r->seen;
}

static uint64_t total(const struct run_report *r, int s)
{
    return r->writes[s][0] + r->writes[s][1] + r->writes[s][2];
}

/* The run itself, its writes counted, then runs that must find nothing to do. */
static bool play(struct kit *k, const struct row *r, const char *where)
{
    if (kit_run(k))
        return complain(r, where, k->e.text);
    if (!accounted(&k->report))
        return complain(r, where, "I25: seen is not the sum of the classes");
    for (int s = 0; s < 2; s++)
        if ((int)total(&k->report, side_of(k, s)) != r->writes[s]) {
            fprintf(stderr, "\n  %s [%s] side %c: %d writes wanted, %d made\n", r->name, where, s ? 'b' : 'a',
                    r->writes[s], (int)total(&k->report, side_of(k, s)));
            return false;
        }
    for (int again = 0; again < 2; again++) {
        if (kit_run(k))
            return complain(r, where, k->e.text);
        if (total(&k->report, 0) + total(&k->report, 1) != 0)
            return complain(r, where, "I11: the next run writes");
    }
    return k->calm ? true : complain(r, where, "I11: the third run changes the state");
}

static bool run_case(const struct row *r, const struct variant *v, bool flip)
{
    struct arena a = {0};
    struct state s;
    char where[64];
    snprintf(where, sizeof where, "%s%s", v->name, flip ? ", mirrored" : "");
    struct kit *k = prepare(r, v, flip);
    bool ok = play(k, r, where);
    look(k, &a, &s);
    ok = expect(k, r, where, &s) && ok;
    counts.cases++;
    kit_free(k);
    arena_fini(&a);
    return ok;
}

/* --- kills --- */

struct cut_at {
    const char *what;
    int side; /* -1: the store */
    int fault;
};

static const struct cut_at cuts[] = {{"step on a", 0, 0},
                                     {"step on b", 1, 0},
                                     {"before commit", -1, MEM_KILLED_BEFORE},
                                     {"after commit", -1, MEM_KILLED_AFTER},
                                     {"commit unknown, made", -1, MEM_UNKNOWN_APPLIED},
                                     {"commit unknown, lost", -1, MEM_UNKNOWN_LOST},
                                     {"disk full", -1, MEM_FULL}};

/* Kills at step n of this kind; false when the run ended before it came to that. */
static bool killed_at(struct kit *k, const struct cut_at *c, int n)
{
    if (c->side >= 0)
        k->w[c->side].die_in = n;
    else
        k->disk->fail_in = (uint64_t)n;
    k->disk->fault = c->fault;
    kit_run(k);
    return c->side >= 0 ? k->w[c->side].die_in == 0 : k->disk->fail_in == 0;
}

static bool after_kill(struct kit *k, const struct row *r, const struct cut_at *c, int n)
{
    struct arena a = {0};
    struct state s;
    char where[64];
    bool ok = true;
    snprintf(where, sizeof where, "I18-I20: %s, %d", c->what, n);
    if (c->side < 0 && k->w[0].n_after_death + k->w[1].n_after_death > 0)
        ok = complain(r, where, "a call is made after the state was lost");
    kit_revive(k);
    if (!kit_settle(k))
        ok = complain(r, where, k->e.code ? k->e.text : "does not come to rest");
    look(k, &a, &s);
    ok = expect(k, r, where, &s) && ok;
    arena_fini(&a);
    return ok;
}

static bool kill_everywhere(const struct row *r, const struct variant *v)
{
    struct kit *k = prepare(r, v, false);
    struct kit_point *start = mem_alloc(sizeof *start);
    bool ok = true;
    kit_save(k, start);
    for (size_t c = 0; c < sizeof cuts / sizeof *cuts && ok; c++)
        for (int n = 1; ok; n++) {
            kit_restore(k, start);
            if (!killed_at(k, &cuts[c], n))
                break;
            counts.kills++;
            ok = after_kill(k, r, &cuts[c], n);
        }
    kit_point_fini(start);
    mem_free(start);
    kit_free(k);
    return ok;
}

/* --- the tests --- */

enum { N_ROWS = sizeof rows / sizeof *rows };

static void test_rows(void)
{
    for (size_t i = 0; i < N_ROWS; i++)
        for (size_t v = 0; v < N_VARIANTS; v++)
            CU_ASSERT(run_case(&rows[i], &variants[v], false));
}

static void test_mirrored(void)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (!(rows[i].flags & NO_MIRROR))
            CU_ASSERT(run_case(&rows[i], &variants[0], true));
}

static void test_killed(void)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (!(rows[i].flags & NO_KILL)) {
            CU_ASSERT(kill_everywhere(&rows[i], &variants[0]));
            CU_ASSERT(kill_everywhere(&rows[i], &variants[4]));
        }
    printf("counts: cases %u, kill points %u\n", counts.cases, counts.kills);
}

static const struct check tests[] = {
    {"I2-I11 I16 I25-I36: every row, in every order and form of listing, ends as written, and again changes nothing",
     test_rows},
    {"I15: every row mirrored ends as its mirror image", test_mirrored},
    {"I18 I19 I20: every row, killed at every call, write and commit, ends as if it had not been", test_killed},
};
CHECK_MAIN("tables", tests)
