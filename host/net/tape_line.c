/* SPDX-License-Identifier: MIT */
/* tape_line.c - an exchange as a line of a recording: written, read, compared. Pure. */
#include "net/tape_line.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "net/policy.h"
#include "net/sign.h"

enum { SHOWN_BYTES = 60, BEFORE_BYTES = 20 };

static const char *const ends[] = {
    [NET_ANSWERED] = "answered", [NET_NOT_SENT] = "not sent", [NET_NO_ANSWER] = "no answer", [NET_REFUSED] = "refused"};
enum { N_ENDS = sizeof ends / sizeof *ends };

void line_put_text(struct buf *out, const char *key, const char *text)
{
    json_put_key(out, key);
    json_put_string(out, text, strlen(text));
}

void line_put_number(struct buf *out, const char *key, int64_t n)
{
    json_put_key(out, key);
    buf_printf(out, "%" PRId64, n);
}

static void put_message(struct buf *out, const struct tape_message *m)
{
    struct arena a = {0};
    json_put_key(out, "headers");
    buf_byte(out, '[');
    for (size_t i = 0; i < m->n_headers; i++) {
        buf_text(out, i ? ",[" : "[");
        json_put_string(out, m->headers[i].name, strlen(m->headers[i].name));
        buf_byte(out, ',');
        json_put_string(out, m->headers[i].value, strlen(m->headers[i].value));
        buf_byte(out, ']');
    }
    buf_byte(out, ']');
    json_put_key(out, utf8_valid(m->body, m->n_body, NULL) ? "body" : "body64");
    if (utf8_valid(m->body, m->n_body, NULL))
        json_put_string(out, m->body, m->n_body);
    else
        buf_printf(out, "\"%s\"", sign_base64(m->body, m->n_body, &a));
    arena_fini(&a);
}

void tape_put(struct buf *line, const struct tape_exchange *x)
{
    buf_byte(line, '{');
    line_put_text(line, "connection", x->connection);
    line_put_number(line, "n", x->left.n);
    line_put_number(line, "at_us", x->left.us);
    line_put_number(line, "us", x->took_us);
    json_put_key(line, "request");
    buf_byte(line, '{');
    line_put_text(line, "method", x->method);
    line_put_text(line, "url", x->url);
    put_message(line, &x->request);
    buf_byte(line, '}');
    json_put_key(line, "answer");
    buf_byte(line, '{');
    line_put_text(line, "end", ends[x->end]);
    line_put_number(line, "status", x->status);
    if (x->why)
        line_put_text(line, "why", x->why);
    put_message(line, &x->answer);
    buf_text(line, "}}");
}

const char *line_get_text(const struct json *from, const char *key, struct arena *a)
{
    const struct json *n = from && json_type(from) == JSON_OBJECT ? json_get(from, key) : NULL;
    return n && json_type(n) == JSON_STRING ? arena_text(a, json_text(n, NULL)) : NULL;
}

int64_t line_get_number(const struct json *from, const char *key)
{
    const struct json *n = from && json_type(from) == JSON_OBJECT ? json_get(from, key) : NULL;
    int64_t number = -1;
    return n && json_int(n, &number) ? number : -1;
}

static bool get_header(const struct json *pair, struct arena *a, struct sl_header *out)
{
    const struct json *name = json_type(pair) == JSON_LIST ? json_first(pair) : NULL;
    const struct json *value = name ? json_next(name) : NULL;
    if (!value || json_type(name) != JSON_STRING || json_type(value) != JSON_STRING)
        return false;
    *out = (struct sl_header){.name = arena_text(a, json_text(name, NULL)),
                              .value = arena_text(a, json_text(value, NULL))};
    return true;
}

static bool get_message(const struct json *from, struct arena *a, struct tape_message *m)
{
    if (!from || json_type(from) != JSON_OBJECT)
        return false;
    const struct json *headers = json_get(from, "headers"), *body = json_get(from, "body");
    const char *coded = body ? NULL : line_get_text(from, "body64", a);
    if (!headers || json_type(headers) != JSON_LIST || (body ? json_type(body) != JSON_STRING : !coded))
        return false;
    struct sl_header *list = arena_alloc(a, (json_count(headers) + 1) * sizeof *list);
    for (const struct json *n = json_first(headers); n; n = json_next(n))
        if (!get_header(n, a, &list[m->n_headers++]))
            return false;
    m->headers = list;
    if (coded)
        return sign_unbase64(coded, a, &m->body, &m->n_body);
    const char *text = json_text(body, &m->n_body);
    m->body = arena_dup(a, text, m->n_body);
    return true;
}

bool tape_get(const struct json *line, struct arena *a, struct tape_exchange *x)
{
    *x = (struct tape_exchange){0};
    if (json_type(line) != JSON_OBJECT)
        return false;
    const struct json *request = json_get(line, "request"), *answer = json_get(line, "answer");
    const char *end = line_get_text(answer, "end", a);
    x->connection = line_get_text(line, "connection", a);
    x->method = line_get_text(request, "method", a);
    x->url = line_get_text(request, "url", a);
    x->why = line_get_text(answer, "why", a);
    x->left = (struct tape_mark){line_get_number(line, "n"), line_get_number(line, "at_us")};
    x->took_us = line_get_number(line, "us");
    x->status = (uint32_t)line_get_number(answer, "status");
    for (int i = 1; end && i < N_ENDS; i++)
        if (strcmp(ends[i], end) == 0)
            x->end = i;
    return x->connection && x->method && x->url && x->end && get_message(request, a, &x->request) &&
           get_message(answer, a, &x->answer);
}

/* What stands around byte `at`, short enough for a sentence. */
static const char *around(const char *text, size_t n, size_t at, struct arena *a)
{
    size_t from = at > BEFORE_BYTES ? at - BEFORE_BYTES : 0;
    while (from && from < n && ((unsigned char)text[from] & 0xC0) == 0x80)
        from--;
    size_t most = n - from < SHOWN_BYTES ? n - from : SHOWN_BYTES;
    while (from + most < n && most && ((unsigned char)text[from + most] & 0xC0) == 0x80)
        most--;
    return arena_printf(a, "%s%.*s%s", from ? "…" : "", (int)most, text + from, from + most < n ? "…" : "");
}

static const char *other(const char *what, const char *asked, size_t n_asked, const char *was, size_t n_was,
                         struct arena *a)
{
    size_t at = 0;
    while (at < n_asked && at < n_was && asked[at] == was[at])
        at++;
    if (at == n_asked && at == n_was)
        return NULL;
    return arena_printf(a, "its %s is `%s`, recorded was `%s`", what, around(asked, n_asked, at, a),
                        around(was, n_was, at, a));
}

static const char *differs(const char *what, const char *asked, const char *was, struct arena *a)
{
    return other(what, asked, strlen(asked), was, strlen(was), a);
}

const char *tape_differs(const struct tape_exchange *asked, const struct tape_exchange *recorded, struct arena *a)
{
    const struct tape_message *q = &asked->request, *r = &recorded->request;
    const char *why = differs("method", asked->method, recorded->method, a);
    why = why ? why : differs("URL", asked->url, recorded->url, a);
    for (size_t i = 0; !why && i < q->n_headers && i < r->n_headers; i++) {
        why = differs("header", q->headers[i].name, r->headers[i].name, a);
        if (!why)
            why =
                differs(arena_printf(a, "header %s", q->headers[i].name), q->headers[i].value, r->headers[i].value, a);
    }
    if (!why && q->n_headers != r->n_headers)
        why = arena_printf(a, "it has %zu headers, recorded were %zu", q->n_headers, r->n_headers);
    return why ? why : other("body", q->body, q->n_body, r->body, r->n_body, a);
}
