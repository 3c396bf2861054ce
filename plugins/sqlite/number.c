/* SPDX-License-Identifier: MIT */
/* number.c - exact numbers, times and text checks of the sqlite connector. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connector.h"

void real_text(double real, char out[32])
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, 32, "%.*g", digits, real);
        if (strtod(out, NULL) == real)
            break;
    }
    if (isfinite(real) && !strpbrk(out, ".e"))
        strcat(out, ".0");
}

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && isdigit((unsigned char)*at))
        at++;
    return at;
}

bool is_json_number(const char *text, size_t n_bytes)
{
    const char *at = text, *end = text + n_bytes;
    if (at < end && *at == '-')
        at++;
    const char *whole = at;
    at = skip_digits(at, end);
    if (at == whole || (*whole == '0' && at - whole > 1))
        return false;
    if (at < end && *at == '.') {
        const char *part = ++at;
        at = skip_digits(at, end);
        if (at == part)
            return false;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        const char *exponent = at;
        at = skip_digits(at, end);
        if (at == exponent)
            return false;
    }
    return at == end;
}

bool is_integer(const char *text, int64_t *out)
{
    const char *digits = text + (*text == '-');
    size_t n = strspn(digits, "0123456789");
    if (!n || digits[n] || (*digits == '0' && (n > 1 || digits != text)))
        return false;
    errno = 0;
    *out = strtoll(text, NULL, 10);
    return errno == 0;
}

void integer_text(int64_t number, char *out)
{
    char digits[20];
    size_t n = 0;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do
        digits[n++] = (char)('0' + left % 10);
    while (left /= 10);
    if (number < 0)
        *out++ = '-';
    while (n)
        *out++ = digits[--n];
    *out = 0;
}

/* A number as its significant digits and the power of ten behind them. */
struct amount {
    const char *digits; /* from the first that is not 0; may run across the point */
    size_t n_digits; /* the point not counted, trailing zeros neither */
    bool negative;
    long long exponent;
};

static struct amount amount_of(const char *text)
{
    struct amount a = {text, 0, *text == '-', 0};
    const char *at = text + (*text == '-');
    size_t after_point = 0, zeros = 0;
    bool point = false, begun = false;
    for (; *at && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        after_point += point;
        if (!begun && *at == '0')
            continue;
        if (!begun)
            a.digits = at;
        begun = true;
        zeros = *at == '0' ? zeros + 1 : 0;
        a.n_digits++;
    }
    long long written = *at ? strtoll(at + 1, NULL, 10) : 0;
    if (written > 1000000000 || written < -1000000000)
        written = written > 0 ? 1000000000 : -1000000000;
    a.exponent = written - (long long)after_point + (long long)zeros;
    a.n_digits -= zeros;
    return a;
}

bool same_amount(const char *x, const char *y)
{
    struct amount a = amount_of(x), b = amount_of(y);
    if (!a.n_digits || !b.n_digits)
        return a.n_digits == b.n_digits;
    if (a.n_digits != b.n_digits || a.negative != b.negative || a.exponent != b.exponent)
        return false;
    for (size_t left = a.n_digits; left; left--, a.digits++, b.digits++) {
        a.digits += *a.digits == '.';
        b.digits += *b.digits == '.';
        if (*a.digits != *b.digits)
            return false;
    }
    return true;
}

bool is_id(const char *text, size_t n_bytes)
{
    const unsigned char *at = (const unsigned char *)text;
    for (size_t i = 0; i < n_bytes; i++) {
        /* C1 controls are two bytes in UTF-8: C2 80 to C2 9F. */
        if (at[i] < 0x20 || at[i] == 0x7f || (at[i] == 0xc2 && i + 1 < n_bytes && at[i + 1] < 0xa0))
            return false;
    }
    return n_bytes && n_bytes < ID_BYTES && sl_utf8_clean(text, n_bytes);
}

/* Days since 1970-01-01 of a date of the Gregorian calendar, counting years from March. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void civil_of(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = y + era * 400 + (*month <= 2);
}

/* Reads exactly n digits; -1 if they are not there. */
static int digits(const char **at, const char *end, int n)
{
    int value = 0;
    for (; n; n--, (*at)++) {
        if (*at >= end || !isdigit((unsigned char)**at))
            return -1;
        value = value * 10 + (**at - '0');
    }
    return value;
}

static bool letter(const char **at, const char *end, const char *any_of)
{
    if (*at >= end || !strchr(any_of, **at))
        return false;
    (*at)++;
    return true;
}

/* The fraction of a second: what it adds and how fine it is. */
static bool fraction_parse(const char **at, const char *end, struct moment *out)
{
    const char *begin = *at;
    int64_t value = 0, unit = 100;
    bool beyond = false;
    for (; *at < end && isdigit((unsigned char)**at); (*at)++, unit /= 10) {
        value += (**at - '0') * unit;
        beyond |= unit == 0 && **at != '0';
    }
    ptrdiff_t n = *at - begin;
    if (n == 0 || n > 9)
        return false;
    static const uint32_t grains[] = {1000, 100, 10};
    out->grain_ms = beyond ? 0 : n < 3 ? grains[n] : 1;
    out->ms += value;
    return true;
}

/* The years 1 to 9999, as records know them. */
static const int64_t FIRST_MS = -719162 * (int64_t)DAY_MS, LAST_MS = 2932897 * (int64_t)DAY_MS - 1;

/* Z, +02:00, -0530 or nothing (UTC, as SQLite has it). */
static bool zone_parse(const char **at, const char *end, struct moment *out)
{
    if (*at == end)
        return true;
    out->zoned = true;
    if (letter(at, end, "Zz"))
        return *at == end;
    bool west = **at == '-';
    if (!letter(at, end, "+-"))
        return false;
    int hours = digits(at, end, 2);
    letter(at, end, ":");
    int minutes = digits(at, end, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    out->ms -= (west ? -1 : 1) * (hours * 60 + minutes) * (int64_t)60000;
    return *at == end && out->ms >= FIRST_MS && out->ms <= LAST_MS;
}

static bool date_parse(const char **at, const char *end, int64_t *days)
{
    int year = digits(at, end, 4);
    bool dashes = letter(at, end, "-");
    int month = digits(at, end, 2);
    dashes = letter(at, end, "-") && dashes;
    int day = digits(at, end, 2);
    if (!dashes || year < 1 || month < 1 || month > 12 || day < 1)
        return false;
    int64_t y;
    int m, again;
    *days = days_of(year, month, day);
    civil_of(*days, &y, &m, &again);
    return again == day && m == month;
}

bool moment_parse(const char *text, size_t n_bytes, struct moment *out)
{
    const char *at = text, *end = text + n_bytes;
    int64_t days;
    if (!date_parse(&at, end, &days))
        return false;
    *out = (struct moment){.ms = days * DAY_MS, .grain_ms = DAY_MS};
    if (at == end)
        return true;
    bool shape = letter(&at, end, " Tt");
    int hour = digits(&at, end, 2);
    shape = letter(&at, end, ":") && shape;
    int minute = digits(&at, end, 2);
    if (!shape || hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return false;
    out->grain_ms = 60000;
    out->ms += (hour * 60 + minute) * (int64_t)60000;
    if (letter(&at, end, ":")) {
        int second = digits(&at, end, 2);
        if (second < 0 || second > 59)
            return false;
        out->ms += second * (int64_t)1000;
        out->grain_ms = 1000;
        if (letter(&at, end, ".") && !fraction_parse(&at, end, out))
            return false;
    }
    return zone_parse(&at, end, out);
}

static int64_t floor_days(int64_t ms)
{
    return ms >= 0 ? ms / DAY_MS : -((-ms + DAY_MS - 1) / DAY_MS);
}

void date_format(int64_t days, char out[40])
{
    int64_t year;
    int month, day;
    civil_of(days, &year, &month, &day);
    snprintf(out, 40, "%04lld-%02d-%02d", (long long)year, month, day);
}

void moment_format(int64_t ms, bool with_t, bool with_z, char out[40])
{
    int64_t days = floor_days(ms);
    int64_t rest = ms - days * DAY_MS;
    char date[40], part[8] = "";
    date_format(days, date);
    if (rest % 1000)
        snprintf(part, sizeof(part), ".%03d", (int)(rest % 1000));
    snprintf(out, 40, "%.16s%c%02d:%02d:%02d%s%s", date, with_t ? 'T' : ' ', (int)(rest / 3600000),
             (int)(rest / 60000 % 60), (int)(rest / 1000 % 60), part, with_z ? "Z" : "");
}
