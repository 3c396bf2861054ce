/* SPDX-License-Identifier: MIT */
/* test_time.c - dates, timestamps, durations, ULIDs. */
#include <string.h>

#include "base/text.h"
#include "check.h"

static void test_dates(void)
{
    static const struct {
        const char *text;
        int64_t days;
    } cases[] = {
        {"1970-01-01", 0},       {"1969-12-31", -1},      {"2000-02-29", 11016},  {"2026-11-23", 20780},
        {"0000-01-01", -719528}, {"9999-12-31", 2932896}, {"1900-03-01", -25508}, {"0000-02-29", -719469},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t days = 12345;
        char text[16];
        CU_ASSERT(date_parse(cases[i].text, &days));
        CU_ASSERT_EQUAL(days, cases[i].days);
        date_format(cases[i].days, text);
        CU_ASSERT_STRING_EQUAL(text, cases[i].text);
    }
}

static void test_every_day(void)
{
    int64_t wrong = 0;
    for (int64_t day = -719528; day <= 2932896; day++) {
        char text[16];
        int64_t back = 0;
        date_format(day, text);
        wrong += !date_parse(text, &back) || back != day;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_bad_dates(void)
{
    static const char *const bad[] = {
        "",           "2026",       "2026-1-01",   "2026-02-29",  "2026-13-01",  "2026-00-10",
        "2026-01-00", "2026-01-32", "1900-02-29",  "2026-11-23 ", " 2026-11-23", "2026/11/23",
        "+2026-1-01", "20261123",   "2026-11-23T", "2026-04-31",  "-001-01-01"};
    int64_t days = 0;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CU_ASSERT_FALSE(date_parse(bad[i], &days));
}

static void test_timestamps(void)
{
    static const struct {
        const char *text;
        int64_t ms;
        uint32_t grain_ms;
        const char *printed; /* NULL: the same */
    } cases[] = {
        {"1970-01-01T00:00:00.000Z", 0, 1, NULL},
        {"1970-01-01T00:00:00Z", 0, 1000, NULL},
        {"2026-11-23T09:00:00.000Z", 1795424400000, 1, NULL},
        {"2026-11-23T09:00:00Z", 1795424400000, 1000, NULL},
        {"2026-11-23T09:00:00.5Z", 1795424400500, 100, NULL},
        {"2026-11-23T09:00:00.05Z", 1795424400050, 10, NULL},
        {"2026-11-23t10:00:00+01:00", 1795424400000, 1000, "2026-11-23T09:00:00Z"},
        {"2026-11-23 03:30:00-05:30", 1795424400000, 1000, "2026-11-23T09:00:00Z"},
        {"2026-11-23T09:00:00.123456789z", 1795424400123, 1, "2026-11-23T09:00:00.123Z"},
        {"1969-12-31T23:59:59.999Z", -1, 1, NULL},
        {"2016-12-31T23:59:60Z", 1483228800000, 1000, "2017-01-01T00:00:00Z"},
        {"0000-01-01T00:00:00.000Z", -62167219200000, 1, NULL},
        {"9999-12-31T23:59:59.999Z", 253402300799999, 1, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t ms = 77;
        uint32_t grain_ms = 0;
        char text[32];
        CU_ASSERT(timestamp_parse(cases[i].text, &ms, &grain_ms));
        CU_ASSERT_EQUAL(ms, cases[i].ms);
        CU_ASSERT_EQUAL(grain_ms, cases[i].grain_ms);
        timestamp_format(ms, grain_ms, text);
        CU_ASSERT_STRING_EQUAL(text, cases[i].printed ? cases[i].printed : cases[i].text);
    }
}

static void test_bad_timestamps(void)
{
    static const char *const bad[] = {"",
                                      "2026-11-23",
                                      "2026-11-23T09:00Z",
                                      "2026-11-23T09:00:00",
                                      "2026-11-23T24:00:00Z",
                                      "2026-11-23T09:60:00Z",
                                      "2026-11-23T09:00:61Z",
                                      "2026-11-23T09:00:00.Z",
                                      "2026-11-23T09:00:00,5Z",
                                      "2026-11-23T09:00:00+1:00",
                                      "2026-11-23T09:00:00+0100",
                                      "2026-11-23T09:00:00+24:00",
                                      "2026-11-23T09:00:00ZZ",
                                      "2026-11-23X09:00:00Z",
                                      "2026-02-30T09:00:00Z",
                                      "0000-01-01T00:00:00+00:01",
                                      "9999-12-31T23:59:59-00:01",
                                      "9999-12-31T23:59:60Z"};
    int64_t ms = 0;
    uint32_t grain_ms = 0;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CU_ASSERT_FALSE(timestamp_parse(bad[i], &ms, &grain_ms));
}

static void test_format_limits(void)
{
    char text[32];
    timestamp_format(1795424400123, 1000, text); /* a grain never costs digits */
    CU_ASSERT_STRING_EQUAL(text, "2026-11-23T09:00:00.123Z");
    timestamp_format(0, 0, text);
    CU_ASSERT_STRING_EQUAL(text, "1970-01-01T00:00:00.000Z");
    timestamp_format(INT64_MAX, 1, text);
    CU_ASSERT_STRING_EQUAL(text, "9999-12-31T23:59:59.999Z");
    timestamp_format(INT64_MIN, 1, text);
    CU_ASSERT_STRING_EQUAL(text, "0000-01-01T00:00:00.000Z");
    char date[16];
    date_format(INT64_MAX, date);
    CU_ASSERT_STRING_EQUAL(date, "9999-12-31");
    date_format(INT64_MIN, date);
    CU_ASSERT_STRING_EQUAL(date, "0000-01-01");
}

static void test_durations(void)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"500ms", 500}, {"60s", 60000}, {"5m", 300000}, {"2h", 7200000}, {"90d", 7776000000}, {"0s", 0}};
    static const char *const bad[] = {"",
                                      "5",
                                      "ms",
                                      "-5s",
                                      "5 s",
                                      "5s ",
                                      "1.5h",
                                      "5w",
                                      "5M",
                                      "1h30m",
                                      "99999999999999999999s",
                                      "9223372036854775807s"};
    int64_t ms = 0;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        CU_ASSERT(duration_parse(good[i].text, &ms));
        CU_ASSERT_EQUAL(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CU_ASSERT_FALSE(duration_parse(bad[i], &ms));
}

static void test_ulid(void)
{
    uint8_t zeros[10] = {0};
    uint8_t ones[10];
    uint8_t one[10] = {[9] = 1};
    uint8_t high[10] = {[0] = 0x80};
    char x[27];
    char y[27];
    memset(ones, 0xFF, sizeof(ones));
    ulid_make(1469918176385, zeros, x);
    CU_ASSERT_STRING_EQUAL(x, "01ARYZ6S410000000000000000");
    ulid_make(1469918176385, ones, y);
    CU_ASSERT_STRING_EQUAL(y, "01ARYZ6S41ZZZZZZZZZZZZZZZZ");
    ulid_make(0, one, x);
    CU_ASSERT_STRING_EQUAL(x, "00000000000000000000000001");
    ulid_make(-5, high, x);
    CU_ASSERT_STRING_EQUAL(x, "0000000000G000000000000000");
    ulid_make(1469918176386, zeros, x);
    CU_ASSERT(strcmp(x, y) > 0);
}

static void test_clocks(void)
{
    int64_t mono = clock_mono_ms();
    CU_ASSERT(clock_now_ms() > 1600000000000);
    CU_ASSERT(clock_mono_ms() >= mono);
}

static const struct check tests[] = {
    {"dates are read and written", test_dates},
    {"every day of ten thousand years survives", test_every_day},
    {"what is no date is refused", test_bad_dates},
    {"timestamps are read with their granularity and written back", test_timestamps},
    {"what is no timestamp is refused", test_bad_timestamps},
    {"formatting never loses milliseconds and stays within four digits of a year", test_format_limits},
    {"durations", test_durations},
    {"ULIDs sort by time", test_ulid},
    {"the clocks run", test_clocks},
};
CHECK_MAIN("time", tests)
