/* SPDX-License-Identifier: MIT */
/* time.c - RFC 3339 dates and timestamps, read and written. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { DAY_MS = 86400000 };
/* 0000-01-01 and 9999-12-31: what four digits of a year can say. */
static const int64_t first_day = -719528;
static const int64_t last_day = 2932896;

/* Days since 1970-01-01 of a civil date; the year begins in March so that a leap day is its last. */
static int64_t civil_days(int64_t year, int64_t month, int64_t day)
{
    int64_t y = year - (month <= 2) + 400; /* + 400: never negative */
    int64_t era = y / 400;
    int64_t year_of_era = y % 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468 - 146097;
}

static void civil_date(int64_t days, int *year, int *month, int *day)
{
    int64_t z = days + 719468 + 146097;
    int64_t era = z / 146097;
    int64_t day_of_era = z % 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t m = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(year_of_era + (era - 1) * 400 + (*month <= 2));
}

/* Reads exactly n digits. */
static bool digits(const char **at, int n, int *out)
{
    *out = 0;
    for (int i = 0; i < n; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *out = *out * 10 + (**at - '0');
    }
    return true;
}

static bool sign(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

static bool read_date(const char **at, int64_t *days)
{
    int year = 0;
    int month = 0;
    int day = 0;
    if (!digits(at, 4, &year) || !sign(at, '-') || !digits(at, 2, &month) || !sign(at, '-') || !digits(at, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > month_days(year, month))
        return false;
    *days = civil_days(year, month, day);
    return true;
}

/* A second of 60 is a leap second: it counts as the first of the next minute. */
static bool read_clock(const char **at, int64_t *ms)
{
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (!digits(at, 2, &hour) || !sign(at, ':') || !digits(at, 2, &minute) || !sign(at, ':') || !digits(at, 2, &second))
        return false;
    *ms = ((hour * 60 + minute) * 60 + second) * (int64_t)1000;
    return hour <= 23 && minute <= 59 && second <= 60;
}

/* Reads ".123"; digits behind milliseconds are dropped. */
static bool read_fraction(const char **at, int64_t *ms, uint32_t *grain_ms)
{
    *ms = 0;
    *grain_ms = 1000;
    if (!sign(at, '.'))
        return true;
    const char *start = *at;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        if (*grain_ms == 1)
            continue;
        *grain_ms /= 10;
        *ms += (**at - '0') * (int64_t)*grain_ms;
    }
    return *at != start;
}

static bool read_zone(const char **at, int64_t *offset_ms)
{
    int hour = 0;
    int minute = 0;
    *offset_ms = 0;
    if (sign(at, 'Z') || sign(at, 'z'))
        return true;
    bool west = **at == '-';
    if (!sign(at, '+') && !sign(at, '-'))
        return false;
    if (!digits(at, 2, &hour) || !sign(at, ':') || !digits(at, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *offset_ms = (hour * 60 + minute) * (west ? -60000 : 60000);
    return true;
}

bool date_parse(const char *text, int64_t *days)
{
    const char *at = text;
    return read_date(&at, days) && *at == '\0';
}

void date_format(int64_t days, char out[16])
{
    int year = 0;
    int month = 0;
    int day = 0;
    if (days < first_day)
        days = first_day;
    if (days > last_day)
        days = last_day;
    civil_date(days, &year, &month, &day);
    snprintf(out, 16, "%04u-%02u-%02u", (unsigned)year % 10000, (unsigned)month % 100, (unsigned)day % 100);
}

bool timestamp_parse(const char *text, int64_t *ms, uint32_t *grain_ms)
{
    const char *at = text;
    int64_t days = 0;
    int64_t clock_ms = 0;
    int64_t fraction_ms = 0;
    int64_t offset_ms = 0;
    uint32_t grain = 0;
    if (!read_date(&at, &days) || !(sign(&at, 'T') || sign(&at, 't') || sign(&at, ' ')) || !read_clock(&at, &clock_ms))
        return false;
    if (!read_fraction(&at, &fraction_ms, &grain) || !read_zone(&at, &offset_ms) || *at != '\0')
        return false;
    int64_t result = days * DAY_MS + clock_ms + fraction_ms - offset_ms;
    if (result < first_day * DAY_MS || result >= (last_day + 1) * DAY_MS)
        return false;
    *ms = result;
    *grain_ms = grain;
    return true;
}

/* The digits behind the point: as many as the grain says, and as many more as the time needs. */
static int fraction_digits(unsigned ms, uint32_t grain_ms)
{
    if (grain_ms >= 1000 && ms % 1000 == 0)
        return 0;
    if (grain_ms >= 100 && ms % 100 == 0)
        return 1;
    if (grain_ms >= 10 && ms % 10 == 0)
        return 2;
    return 3;
}

void timestamp_format(int64_t ms, uint32_t grain_ms, char out[32])
{
    static const unsigned scale[] = {1000, 100, 10, 1};
    if (ms < first_day * DAY_MS)
        ms = first_day * DAY_MS;
    if (ms >= (last_day + 1) * DAY_MS)
        ms = (last_day + 1) * DAY_MS - 1;
    int64_t days = ms / DAY_MS - (ms % DAY_MS < 0);
    unsigned rest = (unsigned)(ms - days * DAY_MS);
    date_format(days, out);
    size_t n = strlen(out);
    unsigned seconds = rest / 1000;
    n += (size_t)snprintf(out + n, 32 - n, "T%02u:%02u:%02u", seconds / 3600, seconds / 60 % 60, seconds % 60);
    int n_digits = fraction_digits(rest % 1000, grain_ms);
    if (n_digits)
        n += (size_t)snprintf(out + n, 32 - n, ".%0*u", n_digits, rest % 1000 / scale[n_digits]);
    snprintf(out + n, 32 - n, "Z");
}
