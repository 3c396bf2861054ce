/* SPDX-License-Identifier: MIT */
/* test_holds.c - the decisions of the safety nets alone, with the clock as an argument: what is held, what flips, what is ignored. */
#include <string.h>

#include "../unit/check.h"
#include "sync/notes.h"

static void test_holds(void)
{
    static const struct {
        int hold;
        bool whole;
        uint64_t due;
        int64_t approved;
        bool held;
        int next;
    } table[] = {
        {0, true, 0, -1, false, 0},
        {0, true, 9, -1, false, 0},
        {HOLD_COMPARE, false, 0, -1, true, HOLD_COMPARE},
        {HOLD_COMPARE, false, 3, 3, true, HOLD_COMPARE},
        {HOLD_COMPARE, true, 0, -1, true, 0},
        {HOLD_COMPARE, true, 3, 3, true, HOLD_RESTORED}, /* approved before anybody knew: not for this */
        {HOLD_RESTORED, true, 3, -1, true, HOLD_RESTORED},
        {HOLD_RESTORED, true, 3, 2, true, HOLD_RESTORED},
        {HOLD_RESTORED, true, 3, 3, false, 0},
        {HOLD_RESTORED, true, 0, -1, true, 0},
        {HOLD_EPOCH, true, 1, 0, true, HOLD_EPOCH},
        {HOLD_EPOCH, true, 1, 8, false, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        CU_ASSERT_EQUAL(hold_deletes(table[i].hold, table[i].due, table[i].approved), table[i].held);
        CU_ASSERT_EQUAL(hold_next(table[i].hold, table[i].whole, table[i].due, table[i].approved), table[i].next);
    }
}

/* Writes these values one a minute; how many went through before one was held? */
static size_t written(const char *values, int64_t step_ms)
{
    struct note n = {0};
    int64_t now_ms = 1700000000000;
    size_t i = 0;
    for (; values[i]; i++, now_ms += step_ms) {
        if (note_flips(&n, (uint64_t)values[i], now_ms))
            break;
        note_value(&n, (uint64_t)values[i], now_ms);
    }
    return i;
}

static void test_flips(void)
{
    enum { MINUTE = 60000, HOUR = 60 * MINUTE };
    CU_ASSERT_EQUAL(written("abcdefghijklmnop", MINUTE), 16);
    CU_ASSERT_EQUAL(written("xyxyxyxyxyxy", MINUTE), 6);
    CU_ASSERT_EQUAL(written("xxxxxxxxxxxx", MINUTE), 5);
    CU_ASSERT_EQUAL(written("xyzxyzxyzxyz", MINUTE), 7);
    CU_ASSERT_EQUAL(written("xyxyxyabcdef", MINUTE), 12); /* what is new is no return */
    CU_ASSERT_EQUAL(written("xyxyxyabab", MINUTE), 8);
    CU_ASSERT_EQUAL(written("xyxyxyxyxyxy", 7 * HOUR), 12);
    CU_ASSERT_EQUAL(written("xyxyxyxyxyxy", 4 * HOUR), 6);
}

static void test_ignored(void)
{
    struct sl_value text[] = {value_string("f", "old"),   value_string("f", "new"), value_string("f", "NEW "),
                              value_string("f", "older"), value_string("f", ""),    value_null("f"),
                              value_int("f", 1),          value_int("f", 2)};
    static const struct {
        int before, after, stored; /* -1: the answer lacks it */
        bool ignored;
    } table[] = {{0, 1, 0, true}, {0, 1, 1, false}, {0, 1, 2, false},  {0, 1, -1, true},
                 {0, 1, 5, true}, {0, 3, 0, false}, /* cut where it was cut before */
                 {0, 4, 0, true}, {0, 4, 5, false}, {0, 5, -1, false}, {0, 5, 0, true},
                 {6, 7, 6, true}, {6, 7, 7, false}, {5, 7, 5, true},   {0, 0, 0, false}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct sl_value *stored = table[i].stored < 0 ? NULL : &text[table[i].stored];
        bool ignored = note_ignored(&text[table[i].before], &text[table[i].after], stored);
        if (ignored != table[i].ignored)
            printf("  row %zu\n", i);
        CU_ASSERT_EQUAL(ignored, table[i].ignored);
    }
}

static const struct check tests[] = {
    {"I21 I26 I28: what is held, and until when", test_holds},
    {"I14: what flips", test_flips},
    {"I14: what is taken and not stored", test_ignored},
};
CHECK_MAIN("holds", tests)
