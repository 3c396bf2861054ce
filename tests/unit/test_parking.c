/* SPDX-License-Identifier: MIT */
/* test_parking.c - which connections a daemon leaves alone, under a clock that also jumps. */
#include <string.h>

#include "check.h"
#include "daemon/parking.h"

enum { MINUTE = 60000 };

static bool die(struct parking *p, const char *who, int times, int64_t from_ms, int64_t gap_ms)
{
    bool parked = false;
    for (int i = 0; i < times; i++)
        parked = parking_died(p, who, "killed by signal 11", from_ms + i * gap_ms);
    return parked;
}

static void five_in_ten_minutes(void)
{
    struct parking p = {0};
    CU_ASSERT_FALSE(die(&p, "desk", 4, 0, 2 * MINUTE));
    CU_ASSERT_PTR_NULL(parking_of(&p, "desk", 8 * MINUTE));
    CU_ASSERT_TRUE(die(&p, "desk", 1, 9 * MINUTE, 0));
    CU_ASSERT_PTR_NOT_NULL(parking_of(&p, "desk", 9 * MINUTE));
    CU_ASSERT_PTR_NULL(parking_of(&p, "code", 9 * MINUTE));
    parking_clear(&p);
}

static void rarely_is_not_often(void)
{
    struct parking p = {0};
    CU_ASSERT_FALSE(die(&p, "desk", 100, 0, 3 * MINUTE));
    parking_clear(&p);
}

static void others_go_on(void)
{
    struct parking p = {0};
    die(&p, "desk", 5, 0, 1);
    CU_ASSERT_FALSE(die(&p, "code", 4, 0, 1));
    CU_ASSERT_PTR_NOT_NULL(parking_of(&p, "desk", 10));
    CU_ASSERT_PTR_NULL(parking_of(&p, "code", 10));
    parking_clear(&p);
}

/* Once for each time: what ends while it is parked was begun before. */
static void it_is_said_once(void)
{
    struct parking p = {0};
    CU_ASSERT_TRUE(die(&p, "desk", 5, 0, 1));
    CU_ASSERT_FALSE(die(&p, "desk", 20, 10, 1));
    parking_clear(&p);
}

static void it_ends_by_itself_or_with_a_config(void)
{
    struct parking p = {0};
    die(&p, "desk", 5, 0, 1);
    CU_ASSERT_PTR_NOT_NULL(parking_of(&p, "desk", PARKING_MS));
    CU_ASSERT_PTR_NULL(parking_of(&p, "desk", PARKING_MS + 4));
    CU_ASSERT_FALSE(die(&p, "desk", 4, PARKING_MS + 5, 1)); /* and then begins anew */
    CU_ASSERT_TRUE(die(&p, "desk", 1, PARKING_MS + 10, 1));
    parking_clear(&p);
    CU_ASSERT_PTR_NULL(parking_of(&p, "desk", PARKING_MS + 10));
}

/* A clock that went back by a day does not park for a day. */
static void a_clock_goes_back(void)
{
    struct parking p = {0};
    int64_t day = INT64_C(24) * 60 * MINUTE;
    die(&p, "desk", 5, day, 1);
    CU_ASSERT_PTR_NOT_NULL(parking_of(&p, "desk", 0));
    CU_ASSERT_PTR_NULL(parking_of(&p, "desk", PARKING_MS + 1));
    parking_clear(&p);
}

static void words(void)
{
    struct parking p = {0};
    struct buf text = {0};
    die(&p, "desk", 5, 0, 1);
    parking_put(&text, parking_of(&p, "desk", 5));
    CU_ASSERT(strncmp(text.data,
                      "connection desk is parked: its connector's process ended 5 runs within 10 minutes, the last one "
                      "like this: killed by signal 11; its pairs wait 30 minutes",
                      140) == 0);
    buf_fini(&text);
    parking_put_metrics(&p, 5, &text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "\nsyncline_connection_parked{connection=\"desk\"} 1\n"));
    buf_fini(&text);
    parking_clear(&p);
    parking_put_metrics(&p, 5, &text);
    CU_ASSERT_PTR_NULL(strstr(text.data, "desk"));
    buf_fini(&text);
}

static const struct check tests[] = {
    {"five deaths in ten minutes park a connection (I23)", five_in_ten_minutes},
    {"deaths that lie apart do not", rarely_is_not_often},
    {"another connection goes on (I23)", others_go_on},
    {"it is said once", it_is_said_once},
    {"it ends by itself, or with a config", it_ends_by_itself_or_with_a_config},
    {"a clock goes back", a_clock_goes_back},
    {"the words for it", words},
};

int main(void)
{
    return check_run("parking", tests, sizeof tests / sizeof *tests);
}
