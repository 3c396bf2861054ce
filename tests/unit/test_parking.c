/* SPDX-License-Identifier: MIT */
/* test_parking.c - which connections a daemon leaves alone, under a clock that also jumps. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "base/file.h"
#include "daemon/death.h"
#include "daemon/parking.h"
#include "daemon/trouble.h"

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
    parking_fini(&p);
}

static void rarely_is_not_often(void)
{
    struct parking p = {0};
    CU_ASSERT_FALSE(die(&p, "desk", 100, 0, 3 * MINUTE));
    parking_fini(&p);
}

static void others_go_on(void)
{
    struct parking p = {0};
    die(&p, "desk", 5, 0, 1);
    CU_ASSERT_FALSE(die(&p, "code", 4, 0, 1));
    CU_ASSERT_PTR_NOT_NULL(parking_of(&p, "desk", 10));
    CU_ASSERT_PTR_NULL(parking_of(&p, "code", 10));
    parking_fini(&p);
}

/* Once for each time: what ends while it is parked was begun before. */
static void it_is_said_once(void)
{
    struct parking p = {0};
    CU_ASSERT_TRUE(die(&p, "desk", 5, 0, 1));
    CU_ASSERT_FALSE(die(&p, "desk", 20, 10, 1));
    parking_fini(&p);
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
    parking_fini(&p);
}

/* A clock that went back by a day does not park for a day. */
static void a_clock_goes_back(void)
{
    struct parking p = {0};
    int64_t day = INT64_C(24) * 60 * MINUTE;
    die(&p, "desk", 5, day, 1);
    CU_ASSERT_PTR_NOT_NULL(parking_of(&p, "desk", 0));
    CU_ASSERT_PTR_NULL(parking_of(&p, "desk", PARKING_MS + 1));
    parking_fini(&p);
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
    parking_fini(&p);
}

/* What metrics and `status` tell is no grudge: it stays when a config is taken in. */
static void every_death_is_counted(void)
{
    struct parking p = {0};
    CU_ASSERT_PTR_NULL(parking_look(&p, "desk"));
    parking_count(&p, "desk", 3);
    die(&p, "desk", 5, 0, 1);
    parking_count(&p, "desk", 5);
    CU_ASSERT_EQUAL(parking_look(&p, "desk")->total, 8);
    parking_clear(&p);
    CU_ASSERT_EQUAL(parking_look(&p, "desk")->total, 8);
    CU_ASSERT_PTR_NULL(parking_of(&p, "desk", 6));
    CU_ASSERT_PTR_NULL(parking_look(&p, "code"));
    parking_fini(&p);
}

/* What a worker tells of it is read whole or not at all. */
static void told_by_a_worker(void)
{
    static const char *const none[] = {"", "3", "3\ndesk", "0\ndesk\nhow", "x\ndesk\nhow", "\n\n", "-\na\nb"};
    struct death d = {.connection = "desk", .how = "killed by signal 11", .times = 3}, read;
    struct buf text = {0};
    death_put(&text, &d);
    CU_ASSERT_TRUE_FATAL(death_read(&read, text.data, text.size));
    CU_ASSERT_STRING_EQUAL(read.connection, "desk");
    CU_ASSERT_STRING_EQUAL(read.how, "killed by signal 11");
    CU_ASSERT_EQUAL(read.times, 3);
    death_fini(&read);
    buf_fini(&text);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        CU_ASSERT_FALSE(death_read(&read, none[i], strlen(none[i])));
}

/* `status` reads what the supervisor noted; a file that somebody else wrote is none. */
static void noted_for_status(void)
{
    char state[] = "/tmp/syncline-noted-XXXXXX";
    struct parking p = {0};
    struct arena a = {0};
    struct err ignored = {0};
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(state));
    struct roster r = {.state = state};
    const char *file = arena_printf(&a, "%s/daemon.runners", state);
    CU_ASSERT_PTR_NULL(trouble_read(state, &a));
    parking_count(&p, "with \"quotes\"\n", 2);
    parking_count(&p, "desk", 5);
    die(&p, "desk", 5, 0, 1);
    trouble_note(&p, &r);
    const struct trouble_row *row = trouble_read(state, &a);
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    CU_ASSERT_STRING_EQUAL(row->connection, "desk");
    CU_ASSERT_STRING_EQUAL(row->how, "killed by signal 11");
    CU_ASSERT_EQUAL(row->until_ms, PARKING_MS + 4);
    CU_ASSERT_PTR_NOT_NULL_FATAL(row->next);
    CU_ASSERT_STRING_EQUAL(row->next->connection, "with \"quotes\"\n");
    CU_ASSERT(row->next->deaths == 2 && row->next->until_ms == 0 && !row->next->next);
    static const char nonsense[] = "{\n[]\n\n{\"connection\": null, \"how\": \"x\"}\n{\"connection\": \"desk\"}\n";
    file_write_atomic(file, 0600, nonsense, sizeof nonsense - 1, &ignored);
    CU_ASSERT_PTR_NULL(trouble_read(state, &a));
    unlink(file);
    rmdir(state);
    parking_fini(&p);
    arena_fini(&a);
}

static const struct check tests[] = {
    {"five deaths in ten minutes park a connection (I23)", five_in_ten_minutes},
    {"deaths that lie apart do not", rarely_is_not_often},
    {"another connection goes on (I23)", others_go_on},
    {"it is said once", it_is_said_once},
    {"it ends by itself, or with a config", it_ends_by_itself_or_with_a_config},
    {"every death is counted, and stays so", every_death_is_counted},
    {"what a worker tells of deaths is read whole or not at all", told_by_a_worker},
    {"status reads what was noted", noted_for_status},
    {"a clock goes back", a_clock_goes_back},
    {"the words for it", words},
};

int main(void)
{
    return check_run("parking", tests, sizeof tests / sizeof *tests);
}
