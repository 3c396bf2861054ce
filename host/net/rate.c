/* SPDX-License-Identifier: MIT */
/* rate.c - pacing: reading the server's signs, and the token bucket they steer. */
#include "net/rate.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SECOND_MS = 1000,
    SHORT_WINDOW_MS = 2000,
    PAUSE_MS = 1000,
    DAY_MS = 86400000,
    SECOND_US = 1000000,
    SETTLES_US = 2 * SECOND_US, /* a pause, and the answers to what was sent before it */
    GUESS_LASTS_US = 600 * SECOND_US /* unused for so long, a guess is no better than none */
};

/* Where an epoch begins rather than a number of seconds from now. */
static const int64_t epoch_begins_s = 1000000000;

/* --- the server's signs --- */

static bool whole_number(const char *text, int64_t *out)
{
    char *end = NULL;
    double d = strtod(text, &end); /* some send 59.4 */
    if (end == text || d < 0 || d > 1e15)
        return false;
    while (*end == ' ')
        end++;
    if (*end && *end != ';' && *end != ',') /* "100, 100;w=60" says 100 */
        return false;
    *out = (int64_t)d;
    return true;
}

/* IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT. */
static bool http_date_ms(const char *text, int64_t *out)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    if (!end || *end)
        return false;
    *out = (int64_t)timegm(&tm) * SECOND_MS;
    return true;
}

static int64_t not_below_zero(int64_t ms)
{
    return ms < 0 ? 0 : ms;
}

static void read_wait(const char *text, int64_t now_ms, int64_t *out)
{
    int64_t n = 0;
    if (whole_number(text, &n))
        *out = n * SECOND_MS;
    else if (http_date_ms(text, &n))
        *out = not_below_zero(n - now_ms);
}

static void read_wait_ms(const char *text, int64_t now_ms, int64_t *out)
{
    (void)now_ms;
    whole_number(text, out);
}

static void read_count(const char *text, int64_t now_ms, int64_t *out)
{
    (void)now_ms;
    whole_number(text, out);
}

/* Seconds from now, seconds or milliseconds since 1970, or a date. */
static void read_reset(const char *text, int64_t now_ms, int64_t *out)
{
    int64_t n = 0;
    if (http_date_ms(text, &n))
        *out = not_below_zero(n - now_ms);
    else if (!whole_number(text, &n))
        return;
    else if (n < epoch_begins_s)
        *out = n * SECOND_MS;
    else
        *out = not_below_zero((n > epoch_begins_s * SECOND_MS ? n : n * SECOND_MS) - now_ms);
}

#define AT(member) offsetof(struct rate_signs, member)
static const struct sign {
    const char *header;
    size_t offset;
    void (*read)(const char *text, int64_t now_ms, int64_t *out);
} signs_known[] = {
    {"retry-after", AT(wait_ms), read_wait},
    {"retry-after-ms", AT(wait_ms), read_wait_ms},
    {"x-ratelimit-limit", AT(limit), read_count},
    {"x-ratelimit-remaining", AT(remaining), read_count},
    {"x-ratelimit-reset", AT(reset_ms), read_reset},
    {"x-rate-limit-limit", AT(limit), read_count},
    {"x-rate-limit-remaining", AT(remaining), read_count},
    {"x-rate-limit-reset", AT(reset_ms), read_reset},
    {"ratelimit-limit", AT(limit), read_count},
    {"ratelimit-remaining", AT(remaining), read_count},
    {"ratelimit-reset", AT(reset_ms), read_reset},
};

struct rate_signs rate_read(const struct sl_header *headers, size_t n, int64_t now_ms)
{
    struct rate_signs out = {-1, -1, -1, -1};
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < sizeof signs_known / sizeof *signs_known; k++)
            if (strcmp(headers[i].name, signs_known[k].header) == 0)
                signs_known[k].read(headers[i].value, now_ms,
                                    (int64_t *)(void *)((char *)&out + signs_known[k].offset));
    if (out.wait_ms > DAY_MS)
        out.wait_ms = DAY_MS;
    return out;
}

/* --- the bucket --- */

/* Half a percent below the limit: neither clock is exact, and going over costs more than it brings. */
static const double margin = 0.995;

/* One request, and what a timer that fires late may catch up with: one more, or ten milliseconds' worth. */
static void set_speed(struct rate *r, double per_us)
{
    double late = per_us * 10000;
    if (r->ceiling_per_us > 0 && per_us > r->ceiling_per_us)
        per_us = r->ceiling_per_us;
    r->per_us = per_us;
    r->room = 1 + (late > 1 ? late : 1);
    if (r->tokens > r->room)
        r->tokens = r->room;
}

void rate_init(struct rate *r, int64_t per_minute, int64_t now_us)
{
    *r = (struct rate){.layout = sizeof *r, .tokens = 1, .at_us = now_us, .tally = {.limit = -1, .left = -1}};
    r->ceiling_per_us = (double)per_minute / 60e6 * margin;
    set_speed(r, r->ceiling_per_us);
}

/* The clock begins anew with the machine: what was right later than now was right before. */
static bool is_bucket(const struct rate *r, int64_t now_us)
{
    bool whole = r->layout == sizeof *r && r->at_us >= 0 && r->at_us <= now_us;
    bool speeds = r->per_us >= 0 && r->per_us < 1 && r->seen_per_us >= 0 && r->room >= 1 && r->tokens <= r->room;
    return whole && speeds && r->blocked_until_us <= now_us + DAY_MS * 1000LL;
}

void rate_join(struct rate *r, int64_t per_minute, int64_t now_us)
{
    struct rate fresh;
    rate_init(&fresh, per_minute, now_us);
    bool other_limit = fresh.ceiling_per_us < r->ceiling_per_us || fresh.ceiling_per_us > r->ceiling_per_us;
    if (!is_bucket(r, now_us)) {
        *r = fresh;
    } else if (other_limit || (r->guessed && now_us - r->at_us > GUESS_LASTS_US)) { /* what was spent stays spent */
        fresh.tokens = r->tokens < 1 ? r->tokens : 1;
        fresh.at_us = r->at_us;
        fresh.blocked_until_us = r->blocked_until_us;
        fresh.tally = r->tally;
        *r = fresh;
    }
}

static double tokens_at(const struct rate *r, int64_t now_us)
{
    double t = r->tokens + r->per_us * (double)(now_us - r->at_us);
    return t > r->room ? r->room : t;
}

int64_t rate_wait_us(const struct rate *r, int64_t now_us)
{
    int64_t blocked = r->blocked_until_us > now_us ? r->blocked_until_us - now_us : 0;
    double t = tokens_at(r, now_us);
    if (r->per_us <= 0 || t >= 1)
        return blocked;
    int64_t wait = (int64_t)((1 - t) / r->per_us) + 1;
    return wait > blocked ? wait : blocked;
}

void rate_spend(struct rate *r, int64_t now_us)
{
    double gap = now_us > r->at_us ? (double)(now_us - r->at_us) : 1;
    gap = gap < SECOND_US ? gap : SECOND_US; /* a pause is no speed */
    r->seen_per_us = r->seen_per_us <= 0 ? 1 / gap : 1 / (0.95 / r->seen_per_us + 0.05 * gap);
    r->tokens = r->per_us > 0 ? tokens_at(r, now_us) - 1 : 0;
    r->at_us = now_us;
    r->tally.sent++;
}

static void change_speed(struct rate *r, double per_us, int64_t now_us)
{
    r->tokens = tokens_at(r, now_us);
    r->at_us = now_us;
    set_speed(r, per_us);
}

static void block(struct rate *r, int64_t ms, int64_t now_us)
{
    int64_t until = now_us + ms * 1000;
    if (until > r->blocked_until_us)
        r->blocked_until_us = until;
}

/*
 * The rest of the budget over the rest of the window. A long window that is hardly begun may be used faster: two hundred calls of an hourly
 * five thousand need not take minutes. A short one is used evenly.
 */
static double even_speed(const struct rate_signs *s)
{
    double window_us = s->reset_ms > SECOND_MS ? (double)s->reset_ms * 1000 : 1e6;
    if (s->reset_ms <= SHORT_WINDOW_MS)
        return (double)(s->limit > 0 ? s->limit : s->remaining) / window_us * margin;
    double used = s->limit > 0 ? 1 - (double)s->remaining / (double)s->limit : 1;
    return (double)s->remaining / window_us * margin / (used > 0.01 ? used : 0.01);
}

/* Slower than it was, once for all that was in flight: their refusals tell of the speed before. */
static void guess_slower(struct rate *r, int64_t now_us)
{
    double was = r->per_us > 0 && r->per_us < r->seen_per_us ? r->per_us : r->seen_per_us;
    if (r->guessed && now_us - r->slowed_us < SETTLES_US)
        return;
    change_speed(r, was * 0.7, now_us);
    r->slowed_us = r->raised_us = now_us;
    r->guessed = true;
}

/* Five percent a second, however many answers come in it. */
static void guess_faster(struct rate *r, int64_t now_us)
{
    double seconds = (double)(now_us - r->raised_us) / SECOND_US;
    change_speed(r, r->per_us * (1 + 0.05 * (seconds < 1 ? seconds : 1)), now_us);
    r->raised_us = now_us;
}

void rate_learn(struct rate *r, const struct rate_signs *signs, bool refused, int64_t now_us)
{
    bool told = signs->remaining >= 0 && signs->reset_ms >= 0;
    if (refused)
        block(r,
              signs->wait_ms >= 0             ? signs->wait_ms
              : told && signs->remaining == 0 ? signs->reset_ms
                                              : PAUSE_MS,
              now_us);
    else if (told && signs->remaining == 0)
        block(r, signs->reset_ms, now_us);
    if (told && signs->remaining > 0) {
        change_speed(r, even_speed(signs), now_us);
        r->guessed = false;
    } else if (refused && !told) { /* it refuses without a word of its limit: slower than it was, then slowly faster */
        guess_slower(r, now_us);
    } else if (r->guessed && !refused && now_us > r->raised_us) {
        guess_faster(r, now_us);
    }
}

/* --- for those who look --- */

void rate_count(struct rate *r, int outcome, const struct rate_signs *signs, int64_t down_us, int64_t now_us)
{
    struct rate_tally *t = &r->tally;
    t->outcomes[outcome]++;
    t->down_until_us = down_us ? now_us + down_us : 0;
    if (signs->remaining < 0)
        return;
    t->limit = signs->limit;
    t->left = signs->remaining;
    t->left_until_us = signs->reset_ms >= 0 ? now_us + signs->reset_ms * 1000 : 0;
    t->left_sent = t->sent;
}

static int64_t until_ms(int64_t at_us, int64_t now_us)
{
    return at_us > now_us ? (at_us - now_us + 999) / 1000 : 0;
}

/* When the window is over the whole of it is there again. */
static void look_at_window(const struct rate_tally *t, int64_t now_us, struct rate_view *out)
{
    int64_t since = t->sent > t->left_sent ? (int64_t)(t->sent - t->left_sent) : 0;
    bool over = t->left_until_us && now_us >= t->left_until_us;
    out->limit = t->limit;
    out->left = t->left < 0 ? -1 : over ? t->limit : t->left > since ? t->left - since : 0;
    out->resets_ms = t->left_until_us && !over ? until_ms(t->left_until_us, now_us) : -1;
}

bool rate_look(const struct rate *r, int64_t now_us, struct rate_view *out)
{
    *out = (struct rate_view){.limit = -1, .left = -1, .resets_ms = -1};
    if (!is_bucket(r, now_us))
        return false;
    out->per_minute = (int64_t)(r->per_us * 60e6 + 0.5);
    out->waits_ms = until_ms(r->blocked_until_us, now_us);
    out->down_ms = until_ms(r->tally.down_until_us, now_us);
    out->sent = r->tally.sent;
    memcpy(out->outcomes, r->tally.outcomes, sizeof out->outcomes);
    look_at_window(&r->tally, now_us, out);
    return true;
}
