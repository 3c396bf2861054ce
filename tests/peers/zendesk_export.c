/* SPDX-License-Identifier: MIT */
/* zendesk_export.c - the profile zendesk's incremental exports: by generated_timestamp, a minute late, for admins, few a minute. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zendesk.h"

enum { LAG_S = 60, PAGE_MOST = 1000 };

/* The newest second that is exported. */
static int64_t newest_s(const struct peer *p)
{
    return peer_now_ms(p) / 1000 - (is(p->profile->name, "zendesk") ? LAG_S : 0);
}

void zd_put_meta(struct buf *out, bool more, size_t to)
{
    json_put_key(out, "meta");
    buf_printf(out, "{\"has_more\":%s,\"after_cursor\":\"%zu\",\"before_cursor\":\"0\"}", more ? "true" : "false", to);
    json_put_key(out, "links");
    buf_text(out, "{\"next\":null}");
}

/* What is exported: a ticket's or a user's place in the order. */
struct row {
    const void *of;
    int64_t s, minor;
};

struct place {
    int64_t s, minor;
};

static bool admin(struct peer *p, struct answer *a)
{
    if (is(zd_find_user(p, 100)->role, "admin"))
        return true;
    zd_forbidden(a,
                 "You do not have access to this page. Please contact the account owner of this help desk for help.");
    return false;
}

static bool over(struct peer *p, struct request *q, struct answer *a)
{
    struct zendesk *z = zd(p);
    int64_t now_s = peer_now_ms(p) / 1000;
    if (!z->exports_a_minute)
        return false;
    if (z->minute != now_s / 60)
        z->in_minute = 0;
    z->minute = now_s / 60;
    if (++z->in_minute <= z->exports_a_minute)
        return false;
    zd_error(a, 429, "APIRateLimitExceeded", "Number of allowed incremental export API requests per minute exceeded");
    answer_header(a, "Retry-After", arena_printf(&q->memory, "%lld", (long long)(60 - now_s % 60)));
    return true;
}

/* Where to go on; false: refused. */
static bool begin(struct peer *p, struct request *q, struct place *at, struct answer *a)
{
    const char *cursor = request_query(q, "cursor"), *start = request_query(q, "start_time");
    long long s = 0, minor = 0;
    if (cursor && struck(p, KNOB_CURSOR_EXPIRES))
        zd_error(a, (int)p->knobs[KNOB_CURSOR_EXPIRES].value, "InvalidCursor", "This cursor has expired");
    else if (cursor && sscanf(cursor, "%lld.%lld|==", &s, &minor) != 2)
        zd_error(a, 400, "InvalidValue", "Invalid cursor");
    else if (!cursor && (!start || start[strspn(start, "0123456789")]))
        zd_error(a, 400, "InvalidValue", "Invalid start_time");
    else if (!cursor && (s = strtoll(start, NULL, 10)) > newest_s(p))
        zd_error(a, 422, "StartTimeTooRecent", "Too recent start_time. Use a start_time older than 1 minute");
    else
        goto good;
    return false;
good:
    *at = (struct place){s, cursor ? minor : -1};
    return true;
}

static int by_place(const void *x, const void *y)
{
    const struct row *a = x, *b = y;
    if (a->s != b->s)
        return a->s < b->s ? -1 : 1;
    return (a->minor > b->minor) - (a->minor < b->minor);
}

/* The rows behind a place, in order; nothing of the most recent minute. */
static void behind(struct peer *p, const struct place *at, const struct row *row, struct row *rows, size_t *n)
{
    bool later = row->s > at->s || (row->s == at->s && row->minor > at->minor);
    if (later && row->s <= newest_s(p))
        rows[(*n)++] = *row;
}

static size_t page_of(struct peer *p, const struct request *q, size_t n)
{
    const char *given = request_query(q, "per_page");
    size_t most = given ? strtoul(given, NULL, 10) : PAGE_MOST;
    if (trait(p, KNOB_SMALL_PAGES))
        most = (size_t)trait(p, KNOB_SMALL_PAGES);
    return most && most < n ? most : n;
}

static void put_end(struct peer *p, const struct row *rows, size_t to, size_t n, const struct place *at,
                    struct buf *out)
{
    struct place after = to ? (struct place){rows[to - 1].s, rows[to - 1].minor} : *at;
    bool circle = struck(p, KNOB_CIRCLE);
    if (circle)
        after = *at;
    buf_printf(out,
               ",\"after_cursor\":\"%lld.%lld|==\",\"after_url\":null,\"before_cursor\":null,\"before_url\":null,"
               "\"end_of_stream\":%s",
               (long long)after.s, (long long)after.minor, to < n || circle ? "false" : "true");
}

void zd_export_tickets(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    struct place at = {0};
    size_t n = 0, to = 0;
    (void)id;
    p->counted.lists++;
    if (!admin(p, a) || over(p, q, a) || !begin(p, q, &at, a))
        return;
    struct row *rows = arena_alloc(&q->memory, (p->n_records + 1) * sizeof *rows);
    for (size_t i = 0; i < p->n_records; i++) {
        const struct version *v = record_now(p->records[i]);
        struct row row = {p->records[i], v->at_ms / 1000, (int64_t)v->serial};
        if (!record_hidden(p, p->records[i]))
            behind(p, &at, &row, rows, &n);
    }
    qsort(rows, n, sizeof *rows, by_place);
    to = page_of(p, q, n);
    bool empty = struck(p, KNOB_EMPTY_LIST);
    if (struck(p, KNOB_HALF_LIST))
        to /= 2;
    buf_text(&a->body, "{\"tickets\":[");
    for (size_t i = 0; i < to && !empty; i++) {
        buf_text(&a->body, i ? "," : "");
        zd_put_ticket(p, q, rows[i].of, record_now(rows[i].of), &a->body);
    }
    buf_byte(&a->body, ']');
    put_end(p, rows, to, n, &at, &a->body);
    zd_put_users(p, q, &a->body);
    buf_byte(&a->body, '}');
}

void zd_export_users(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    struct zendesk *z = zd(p);
    struct place at = {0};
    size_t n = 0, to = 0;
    (void)id;
    p->counted.lists++;
    if (!admin(p, a) || over(p, q, a) || !begin(p, q, &at, a))
        return;
    struct row *rows = arena_alloc(&q->memory, (z->n_users + 1) * sizeof *rows);
    for (size_t i = 0; i < z->n_users; i++)
        behind(p, &at, &(struct row){&z->users[i], z->users[i].at_ms / 1000, z->users[i].id}, rows, &n);
    qsort(rows, n, sizeof *rows, by_place);
    to = page_of(p, q, n);
    buf_text(&a->body, "{\"users\":[");
    for (size_t i = 0; i < to; i++) {
        buf_text(&a->body, i ? "," : "");
        zd_put_user(p, rows[i].of, &a->body);
    }
    buf_byte(&a->body, ']');
    put_end(p, rows, to, n, &at, &a->body);
    buf_byte(&a->body, '}');
}
