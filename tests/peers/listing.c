/* SPDX-License-Identifier: MIT */
/* listing.c - lists: selected, sorted, paged by token, page or offset, and what goes wrong with pages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "net/transfer.h"
#include "peer.h"

/* One row of the whole list. */
struct row {
    struct record *r;
    const struct version *v;
    int64_t shown_ms;
    int64_t major, minor; /* its place in the order, whoever comes and goes */
};

struct list {
    struct row *rows;
    size_t n;
    size_t from, many; /* the page asked for */
    bool backwards, more;
};

static bool selected(const struct peer *p, const struct request *q, const struct row *row, bool since, int64_t since_ms)
{
    const struct profile *f = p->profile;
    const char *key = request_query(q, f->key), *filter = request_query(q, f->filter);
    if (record_hidden(p, row->r) || (row->v->gone && !(since && trait(p, KNOB_DELETE_FEED))))
        return false;
    if ((since && row->shown_ms < since_ms) || (key && !is(row->v->key, key)))
        return false;
    return !f->filter || row->v->gone || is(filter, "all") || is(row->v->filter, filter ? filter : f->filter_usual);
}

static int by_place(const void *x, const void *y)
{
    const struct row *a = x, *b = y;
    if (a->major != b->major)
        return a->major < b->major ? -1 : 1;
    return (a->minor > b->minor) - (a->minor < b->minor);
}

static void turn(struct list *l)
{
    for (size_t i = 0; i < l->n / 2; i++) {
        struct row keep = l->rows[i];
        l->rows[i] = l->rows[l->n - 1 - i];
        l->rows[l->n - 1 - i] = keep;
    }
}

static bool collect(struct peer *p, const struct request *q, struct list *l)
{
    const char *text = request_query(q, p->profile->since);
    int64_t since_ms = 0, at_ms = peer_now_ms(p) - trait(p, KNOB_INDEX_LAG);
    uint32_t grain = 0;
    bool timed = p->profile->sort ? is(request_query(q, p->profile->sort), "updated") : text != NULL;
    bool newest_first = p->profile->newest_first && !is(request_query(q, p->profile->direction), "asc");
    if (text && !timestamp_parse(text, &since_ms, &grain))
        return false;
    l->rows = mem_alloc((p->n_records + 1) * sizeof *l->rows);
    for (size_t i = 0; i < p->n_records; i++) {
        struct row row = {.r = p->records[i], .v = record_at(p->records[i], at_ms), .minor = (int64_t)i};
        row.shown_ms = row.v ? shown_ms(p, row.v->at_ms) : 0;
        row.major = timed ? row.shown_ms : 0;
        row.minor = timed && row.v ? (int64_t)row.v->serial : row.minor;
        if (row.v && selected(p, q, &row, text != NULL, since_ms))
            l->rows[l->n++] = row;
    }
    if (timed)
        qsort(l->rows, l->n, sizeof *l->rows, by_place);
    l->backwards = newest_first != (trait(p, KNOB_OTHER_ORDER) != 0);
    if (l->backwards)
        turn(l);
    return true;
}

static size_t number(const struct request *q, const char *name, size_t usual)
{
    const char *text = request_query(q, name);
    return text ? strtoul(text, NULL, 10) : usual;
}

/* A token is the place of the last row before the page: rows that come and go move no others. */
static bool find_token(const char *token, struct list *l)
{
    struct row last = {0};
    long long major = 0, minor = 0;
    if (sscanf(token, "%lld.%lld", &major, &minor) != 2)
        return false;
    last.major = major;
    last.minor = minor;
    l->from = 0;
    while (l->from < l->n && by_place(&l->rows[l->from], &last) * (l->backwards ? -1 : 1) <= 0)
        l->from++;
    return true;
}

static bool find_page(struct peer *p, const struct request *q, struct list *l)
{
    const struct profile *f = p->profile;
    size_t most = trait(p, KNOB_SMALL_PAGES) ? (size_t)trait(p, KNOB_SMALL_PAGES) : (size_t)f->page_most;
    const char *token = request_query(q, f->token);
    l->many = number(q, f->limit, (size_t)f->page_usual);
    if (l->many == 0 || l->many > most)
        l->many = most;
    l->from = number(q, f->offset, 0);
    if (number(q, f->page, 1) > 1)
        l->from = (number(q, f->page, 1) - 1) * l->many;
    return !token || find_token(token, l);
}

static const char *token_of(const struct list *l, size_t to, struct arena *a)
{
    const struct row none = {.major = -1, .minor = -1}, *last = to ? &l->rows[to - 1] : &none;
    return arena_printf(a, "%lld.%lld", (long long)last->major, (long long)last->minor);
}

/* The query again with another place in it. */
static const char *address(const struct peer *p, struct request *q, const char *name, const char *value)
{
    const char *host = request_header(q, "Host");
    struct buf url = {0};
    buf_printf(&url, "http://%s%s?", host ? host : "127.0.0.1", q->path);
    for (size_t i = 0; i < q->n_query; i++)
        if (!is(q->query[i].name, p->profile->token) && !is(q->query[i].name, p->profile->page) &&
            !is(q->query[i].name, p->profile->offset))
            buf_printf(&url, "%s=%s&", q->query[i].name,
                       url_escape(q->query[i].value, strlen(q->query[i].value), &q->memory));
    buf_printf(&url, "%s=%s", name, value);
    const char *text = arena_text(&q->memory, url.data);
    buf_fini(&url);
    return text;
}

/* The next page is named in the way this one was asked for; without any by token, or by page where there are none. */
static void put_next(struct peer *p, struct request *q, const struct list *l, bool circle, struct answer *a)
{
    const struct profile *f = p->profile;
    size_t to = circle ? l->from : l->from + l->many;
    bool by_offset = request_query(q, f->offset), by_page = !f->token || request_query(q, f->page);
    const char *name = by_offset ? f->offset : by_page ? f->page : f->token;
    const char *value = token_of(l, to, &q->memory);
    if (by_offset || by_page)
        value = arena_printf(&q->memory, "%zu", by_offset ? to : to / l->many + 1);
    else if (circle && request_query(q, f->token))
        value = request_query(q, f->token);
    const char *url = address(p, q, name, value);
    answer_header(a, "Link", arena_printf(&q->memory, "<%s>; rel=\"next\"", url));
    if (!f->list)
        return;
    json_put_key(&a->body, "next_url");
    json_put_string(&a->body, url, strlen(url));
    if (name == f->token) {
        json_put_key(&a->body, "next_token");
        json_put_string(&a->body, value, strlen(value));
    }
}

/* What goes wrong with this page. */
static void spoil(struct peer *p, struct list *l, bool *circle)
{
    bool again = struck(p, KNOB_PAGE_AGAIN), missing = struck(p, KNOB_PAGE_MISSING);
    if (struck(p, KNOB_SHIFTS))
        turn(l);
    if (again)
        l->from = 0;
    if (missing)
        l->from += l->many;
    if (l->from > l->n)
        l->from = l->n;
    l->more = l->from + l->many < l->n;
    *circle = struck(p, KNOB_CIRCLE);
}

static void put_page(struct peer *p, struct list *l, struct buf *out)
{
    size_t from = l->from, to = l->more ? l->from + l->many : l->n;
    bool repeats = struck(p, KNOB_REPEATS), skips = struck(p, KNOB_SKIPS);
    if (repeats && from)
        from--;
    if (skips && from < to)
        from++;
    if (struck(p, KNOB_HALF_LIST)) {
        to = from + (to - from) / 2;
        l->more = false;
    }
    if (struck(p, KNOB_EMPTY_LIST)) {
        to = from;
        l->more = false;
    }
    buf_byte(out, '[');
    for (size_t i = from; i < to; i++) {
        if (i > from)
            buf_byte(out, ',');
        put_record(p, l->rows[i].r, l->rows[i].v, out);
    }
    buf_byte(out, ']');
}

static void drift(struct peer *p, const struct list *l)
{
    if (struck(p, KNOB_DRIFT) && l->n && !record_now(l->rows[0].r)->gone)
        record_change(p, l->rows[0].r, record_now(l->rows[0].r)->body, true);
}

static bool later_page(const struct peer *p, const struct request *q)
{
    const char *page = request_query(q, p->profile->page);
    return request_query(q, p->profile->token) || (page && !is(page, "1")) || request_query(q, p->profile->offset);
}

void listing_serve(struct peer *p, struct request *q, struct answer *a)
{
    struct list l = {0};
    bool circle = false;
    p->counted.lists++;
    if (later_page(p, q) && struck(p, KNOB_CURSOR_EXPIRES)) {
        answer_error(a, (int)p->knobs[KNOB_CURSOR_EXPIRES].value, "the page token has expired");
        return;
    }
    if (!collect(p, q, &l) || !find_page(p, q, &l)) {
        answer_error(a, 400, "a parameter cannot be read");
        mem_free(l.rows);
        return;
    }
    spoil(p, &l, &circle);
    if (p->profile->list) {
        buf_byte(&a->body, '{');
        json_put_key(&a->body, p->profile->list);
    }
    put_page(p, &l, &a->body);
    if (l.more || circle)
        put_next(p, q, &l, circle, a);
    if (p->profile->list) {
        json_put_key(&a->body, "total");
        buf_printf(&a->body, "%zu}", l.n);
    }
    drift(p, &l);
    mem_free(l.rows);
}
