/* SPDX-License-Identifier: MIT */
/* test_tables.c - before and after: each policy as a row, run plainly, twice, mirrored, reordered. */
#include <stdio.h>
#include <string.h>

#include "../unit/check.h"
#include "case.h"

static unsigned n_cases;

/* So many times each row is gone through. */
static unsigned n_of_row(const struct row *r)
{
    unsigned n = r->flags & NO_MIRROR ? 0 : 1;
    for (size_t v = 0; v < n_variants; v++)
        n += !variants[v].own_ids;
    return n;
}

static bool complain(const char *where, const char *what)
{
    fprintf(stderr, "\n  %s: %s\n", what, where);
    return false;
}

static bool ends_as_written(struct kit *k, const struct row *r, const char *where)
{
    struct arena a = {0};
    struct state s;
    case_look(k, &a, &s);
    bool same = case_same(where, "side a", r->a2, s.side[0]);
    same &= case_same(where, "side b", r->b2, s.side[1]);
    same &= case_same(where, "waits", r->waits, s.waits);
    arena_fini(&a);
    return same;
}

/* The steps, their writes counted, then runs that must find nothing to do. */
static bool play(struct kit *k, const struct row *r, const char *where)
{
    for (size_t i = 0; i < case_steps(r); i++) {
        if (case_step(k, r, i, false))
            return complain(where, k->e.text);
        if (!case_accounted(&k->report))
            return complain(where, "I25: seen is not the sum of the classes");
    }
    for (int s = 0; s < 2; s++) {
        int made = (int)k->written[k->flip ? 1 - s : s];
        if (made != r->writes[s]) {
            fprintf(stderr, "\n  %s, side %c: %d writes wanted, %d made\n", where, s ? 'b' : 'a', r->writes[s], made);
            return false;
        }
    }
    uint64_t before = k->w[0].n_writes + k->w[1].n_writes;
    for (int again = 0; again < 2; again++) {
        if (kit_run(k))
            return complain(where, k->e.text);
        if (k->w[0].n_writes + k->w[1].n_writes != before)
            return complain(where, "I11: the next run writes");
    }
    return k->calm ? true : complain(where, "I11: the third run changes the state");
}

static bool run_case(const struct row *r, const struct variant *v, bool flip)
{
    char where[200];
    snprintf(where, sizeof where, "%s%s [%s]", flip ? "I15 mirrored: " : "", r->name, v->name);
    struct kit *k = case_prepare(r, v, flip);
    bool ok = play(k, r, where);
    ok = ends_as_written(k, r, where) && ok;
    n_cases++;
    kit_free(k);
    return ok;
}

static void test_rows(void)
{
    for (size_t i = 0; case_row(i); i++)
        for (size_t v = 0; v < n_variants; v++)
            if (!variants[v].own_ids)
                CU_ASSERT(run_case(case_row(i), &variants[v], false));
    check_cases(n_cases);
}

static void test_mirrored(void)
{
    unsigned before = n_cases;
    for (size_t i = 0; case_row(i); i++)
        if (!(case_row(i)->flags & NO_MIRROR))
            CU_ASSERT(run_case(case_row(i), &variants[0], true));
    check_cases(n_cases - before);
    for (size_t i = 0; case_row(i); i++)
        check_ran(n_of_row(case_row(i)), case_row(i)->name);
    printf("counts: cases %u\n", n_cases);
}

static const struct check tests[] = {
    {"I11 I16 I25: every row, in every order and form of listing, ends as written, and again changes nothing",
     test_rows},
    {"I15: every row mirrored ends as its mirror image", test_mirrored},
};
CHECK_MAIN("tables", tests)
