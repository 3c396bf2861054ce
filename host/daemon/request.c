/* SPDX-License-Identifier: MIT */
/* request.c - an HTTP request and its answer, and both as bytes that the daemon's processes hand on. */
#include "daemon/request.h"

#include <string.h>

const char *request_header(const struct request *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (strcmp(r->headers[i].name, name) == 0)
            return r->headers[i].value;
    return NULL;
}

struct answer answer_text(uint64_t number, unsigned status, const char *text)
{
    return (struct answer){
        .number = number, .status = status, .type = "text/plain; charset=utf-8", .text = text, .n_text = strlen(text)};
}

/* --- writing: numbers are 8 bytes, the low one first; bytes have their number before and a NUL behind --- */

static void put_number(struct buf *out, uint64_t n)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(n >> 8 * i);
    buf_add(out, bytes, sizeof bytes);
}

static void put_bytes(struct buf *out, const char *bytes, size_t n)
{
    put_number(out, n);
    buf_add(out, bytes, n);
    buf_byte(out, 0);
}

static void put_text(struct buf *out, const char *text)
{
    put_bytes(out, text ? text : "", text ? strlen(text) : 0);
}

static void put_headers(struct buf *out, const struct request_header *headers, size_t n)
{
    put_number(out, n);
    for (size_t i = 0; i < n; i++) {
        put_text(out, headers[i].name);
        put_text(out, headers[i].value);
    }
}

void request_put(struct buf *out, const struct request *r)
{
    put_number(out, r->number);
    put_text(out, r->route);
    put_text(out, r->method);
    put_text(out, r->path);
    put_text(out, r->query);
    put_text(out, r->peer);
    put_number(out, (uint64_t)r->received_ms);
    put_headers(out, r->headers, r->n_headers < REQUEST_HEADERS_MAX ? r->n_headers : REQUEST_HEADERS_MAX);
    put_bytes(out, r->body, r->n_body);
}

void answer_put(struct buf *out, const struct answer *a)
{
    put_number(out, a->number);
    put_number(out, a->status);
    put_text(out, a->type);
    put_headers(out, a->headers, a->n_headers < REQUEST_HEADERS_MAX ? a->n_headers : REQUEST_HEADERS_MAX);
    put_bytes(out, a->text, a->n_text);
}

/* --- reading: what is wrong once stays wrong, and is asked for at the end --- */

struct reader {
    const char *at;
    size_t left;
    bool bad;
};

static uint64_t take_number(struct reader *r)
{
    uint64_t n = 0;
    r->bad |= r->left < 8;
    if (r->bad)
        return 0;
    for (size_t i = 0; i < 8; i++)
        n |= (uint64_t)(unsigned char)r->at[i] << 8 * i;
    r->at += 8;
    r->left -= 8;
    return n;
}

static const char *take_bytes(struct reader *r, size_t *n)
{
    uint64_t size = take_number(r);
    const char *bytes = r->at;
    r->bad |= size >= r->left || bytes[size] != '\0';
    *n = r->bad ? 0 : size;
    if (r->bad)
        return "";
    r->at += size + 1;
    r->left -= size + 1;
    return bytes;
}

static const char *take_text(struct reader *r)
{
    size_t n = 0;
    const char *text = take_bytes(r, &n);
    r->bad |= strlen(text) != n;
    return r->bad ? "" : text;
}

static size_t take_headers(struct reader *r, struct request_header headers[REQUEST_HEADERS_MAX])
{
    uint64_t n = take_number(r);
    r->bad |= n > REQUEST_HEADERS_MAX;
    for (size_t i = 0; i < n && !r->bad; i++) {
        headers[i].name = take_text(r);
        headers[i].value = take_text(r);
    }
    return r->bad ? 0 : (size_t)n;
}

bool request_read(const char *bytes, size_t n_bytes, struct request_header headers[REQUEST_HEADERS_MAX],
                  struct request *r)
{
    struct reader in = {bytes, n_bytes, false};
    memset(r, 0, sizeof *r);
    r->number = take_number(&in);
    r->route = take_text(&in);
    r->method = take_text(&in);
    r->path = take_text(&in);
    r->query = take_text(&in);
    r->peer = take_text(&in);
    r->received_ms = (int64_t)take_number(&in);
    r->headers = headers;
    r->n_headers = take_headers(&in, headers);
    r->body = take_bytes(&in, &r->n_body);
    return !in.bad && in.left == 0 && r->number != 0;
}

bool answer_read(const char *bytes, size_t n_bytes, struct request_header headers[REQUEST_HEADERS_MAX],
                 struct answer *a)
{
    struct reader in = {bytes, n_bytes, false};
    memset(a, 0, sizeof *a);
    a->number = take_number(&in);
    uint64_t status = take_number(&in);
    a->status = (unsigned)status;
    a->type = take_text(&in);
    a->headers = headers;
    a->n_headers = take_headers(&in, headers);
    a->text = take_bytes(&in, &a->n_text);
    return !in.bad && in.left == 0 && a->number != 0 && status >= 200 && status <= 599;
}

uint64_t request_number(const char *bytes, size_t n_bytes)
{
    struct reader in = {bytes, n_bytes, false};
    return take_number(&in);
}

const char *request_route(const char *bytes, size_t n_bytes)
{
    struct reader in = {bytes, n_bytes, false};
    take_number(&in);
    return take_text(&in);
}
