/* SPDX-License-Identifier: MIT */
/* check.h - one CUnit program from a table of tests: CHECK_MAIN("room", tests) prints 'N passed, N failed' last. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <CUnit/Basic.h>
#include <stdio.h>

struct check {
    const char *name;
    void (*run)(void);
};

static inline int check_run(const char *suite_name, const struct check *tests, size_t n_tests)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (size_t i = 0; i < n_tests; i++)
        CU_add_test(suite, tests[i].name, tests[i].run);
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
