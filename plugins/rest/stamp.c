/* SPDX-License-Identifier: MIT */
/* stamp.c - times as APIs write them: RFC 3339 and seconds since 1970. */
#include <inttypes.h>
#include <string.h>

#include "rest.h"

static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = y / 400, year = y - era * 400;
    int64_t day = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + year * 365 + year / 4 - year / 100 + day - 719468;
}

static void date_of(int64_t days, int *y, int *m, int *d)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097, of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t day = of_era - (365 * year + year / 4 - year / 100), month = (5 * day + 2) / 153;
    *d = (int)(day - (153 * month + 2) / 5 + 1);
    *m = (int)(month < 10 ? month + 3 : month - 9);
    *y = (int)(year + era * 400 + (*m <= 2));
}

/* n digits at text; -1: there is something else. */
static int64_t digits(const char *text, int n)
{
    int64_t number = 0;
    for (int i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        number = number * 10 + text[i] - '0';
    }
    return number;
}

static bool day_at(const char *text, int64_t *days)
{
    if (strnlen(text, 10) < 10 || text[4] != '-' || text[7] != '-')
        return false;
    int64_t y = digits(text, 4), m = digits(text + 5, 2), d = digits(text + 8, 2);
    if (y < 1 || m < 1 || m > 12 || d < 1 || d > 31)
        return false;
    *days = days_of(y, m, d);
    int back[3];
    date_of(*days, &back[0], &back[1], &back[2]);
    return back[1] == m; /* there is no 30th of February */
}

bool date_read(const char *text, int64_t *days)
{
    return strlen(text) == 10 && day_at(text, days);
}

/* What is beyond milliseconds is cut. */
static const char *fraction(const char *at, int64_t *ms, uint32_t *grain_ms)
{
    int64_t worth = 100;
    *grain_ms = 1000;
    if (*at != '.')
        return at;
    for (at++; *at >= '0' && *at <= '9'; at++, worth /= 10)
        *ms += (*at - '0') * worth;
    *grain_ms = 1;
    return at;
}

static bool zone(const char *at, int64_t *ms)
{
    if (strcmp(at, "Z") == 0 || strcmp(at, "z") == 0)
        return true;
    if ((*at != '+' && *at != '-') || strlen(at) < 5)
        return false;
    const char *minutes = at[3] == ':' ? at + 4 : at + 3;
    int64_t h = digits(at + 1, 2), m = strlen(minutes) == 2 ? digits(minutes, 2) : -1;
    if (h < 0 || h > 23 || m < 0 || m > 59)
        return false;
    *ms -= (*at == '+' ? 1 : -1) * (h * 60 + m) * 60000;
    return true;
}

bool stamp_read(const char *text, int64_t *ms, uint32_t *grain_ms)
{
    int64_t days = 0;
    if (strlen(text) < 20 || !day_at(text, &days) || !strchr("Tt ", text[10]) || text[13] != ':' || text[16] != ':')
        return false;
    int64_t h = digits(text + 11, 2), m = digits(text + 14, 2), s = digits(text + 17, 2);
    if (h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60)
        return false;
    *ms = days * 86400000 + ((h * 60 + m) * 60 + s) * 1000;
    return zone(fraction(text + 19, ms, grain_ms), ms);
}

void stamp_text(int64_t ms, int64_t format, char out[STAMP_ROOM])
{
    int64_t s = ms / 1000, days = s / 86400, rest = s % 86400;
    int y, m, d;
    if (format == STAMP_EPOCH_S) {
        snprintf(out, STAMP_ROOM, "%" PRId64, s);
        return;
    }
    date_of(days, &y, &m, &d);
    int n = snprintf(out, STAMP_ROOM, "%04d-%02d-%02dT%02d:%02d:%02d", y, m, d, (int)(rest / 3600),
                     (int)(rest / 60 % 60), (int)(rest % 60));
    if (ms % 1000)
        n += snprintf(out + n, STAMP_ROOM - (size_t)n, ".%03d", (int)(ms % 1000));
    snprintf(out + n, STAMP_ROOM - (size_t)n, "Z");
}

bool stamp_of(const struct sl_value *v, int64_t *ms, uint32_t *grain_ms)
{
    *grain_ms = 1000;
    if (v->type == SL_INT && v->number >= 0 && v->number < INT64_MAX / 1000) {
        *ms = v->number * 1000;
        return true;
    }
    return v->type == SL_STRING && stamp_read(v->text, ms, grain_ms) && *ms >= 0;
}
