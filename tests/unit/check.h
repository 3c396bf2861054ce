/* SPDX-License-Identifier: MIT */
/* check.h - one CUnit program from a table of tests: CHECK_MAIN("room", tests) prints 'N passed, N failed' last. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <CUnit/Basic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* So much of n as TEST_SCALE says, in percent (unset: all), at least 1: sanitizers run a share, a soak many times as much. */
static inline uint64_t check_scaled(uint64_t n)
{
    const char *percent = getenv("TEST_SCALE");
    uint64_t scaled = percent ? n * strtoull(percent, NULL, 10) / 100 : n;
    return scaled ? scaled : 1;
}

struct check {
    const char *name;
    void (*run)(void);
};

static struct {
    const struct check *next;
    uint64_t cases;
} checking;

/* A test that goes through rows, seeds or kill points tells how many it ran; else its assertions are counted. */
static inline void check_cases(uint64_t n)
{
    checking.cases += n;
}

/* What `tests/invariants` reads. */
static inline void check_ran(uint64_t n_cases, const char *name)
{
    if (CU_get_number_of_failures())
        putchar('\n'); /* the library leaves its line open */
    printf("ran: %llu %s\n", (unsigned long long)n_cases, name);
}

static inline void check_next(void)
{
    const struct check *t = checking.next++;
    unsigned before = CU_get_number_of_asserts();
    checking.cases = 0;
    t->run();
    check_ran(checking.cases ? checking.cases : CU_get_number_of_asserts() - before, t->name);
}

static inline int check_run(const char *suite_name, const struct check *tests, size_t n_tests)
{
    checking.next = tests;
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (size_t i = 0; i < n_tests; i++)
        CU_add_test(suite, tests[i].name, check_next);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_tests_failed();
    unsigned run = CU_get_number_of_tests_run();
    CU_cleanup_registry();
    printf("%u passed, %u failed\n", run - failed, failed);
    return failed ? 1 : 0;
}

#define CHECK_MAIN(suite_name, tests)                                                                                  \
    int main(void)                                                                                                     \
    {                                                                                                                  \
        return check_run(suite_name, tests, sizeof(tests) / sizeof(*(tests)));                                         \
    }

#endif
