/* SPDX-License-Identifier: MIT */
/* api_answer.c - /api/v1: what a command's result is as HTTP. Pure. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "daemon/api.h"

static const char json_type_name[] = "application/json; charset=utf-8";

/* What a status means, for a program. */
static const struct {
    unsigned status;
    const char *code;
} codes[] = {{400, "bad_request"}, {401, "unauthorized"}, {403, "forbidden"}, {404, "not_found"},
             {405, "bad_method"},  {409, "busy"},         {413, "too_large"}, {415, "bad_type"},
             {500, "failed"},      {503, "overloaded"},   {504, "late"}};

static struct answer answer(uint64_t number, unsigned status, const struct buf *out)
{
    return (struct answer){
        .number = number, .status = status, .type = json_type_name, .text = out->data, .n_text = out->size};
}

struct answer api_error(uint64_t number, unsigned status, const char *message, struct buf *out)
{
    const char *code = "failed";
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].status == status)
            code = codes[i].code;
    buf_text(out, "{\"error\":{");
    json_put_text(out, "code", code);
    json_put_text(out, "message", message);
    buf_text(out, "}}\n");
    return answer(number, status, out);
}

/* The lines of a text, one after the other. False: there are no more. */
static bool next_line(const char **at, const char *end, size_t *n)
{
    while (*at < end && **at == '\n')
        ++*at;
    const char *stop = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;
    *n = (size_t)((stop ? stop : end) - *at);
    return *at < end;
}

/* Remote texts in it are only as good as UTF-8 lets them be: what is none does not go into an answer. */
static void put_lines(struct buf *out, const char *text, size_t size, bool objects)
{
    size_t n = 0;
    bool first = true;
    for (const char *at = text; next_line(&at, text + size, &n); at += n) {
        bool object = at[0] == '{' && at[n - 1] == '}';
        if (object != objects || !utf8_valid(at, n, NULL))
            continue;
        buf_text(out, first ? "" : ",\n");
        first = false;
        if (objects)
            buf_add(out, at, n);
        else
            json_put_string(out, at, n);
    }
}

/* Its sentences, without the program's name before them. */
static void put_sentences(struct buf *out, const char *text, size_t size)
{
    static const char self[] = "syncline: ";
    size_t n = 0;
    for (const char *at = text; next_line(&at, text + size, &n); at += n) {
        size_t skip = n > sizeof self && strncmp(at, self, sizeof self - 1) == 0 ? sizeof self - 1 : 0;
        if (!utf8_valid(at, n, NULL))
            continue;
        buf_text(out, out->size ? "\n" : "");
        buf_add(out, at + skip, n - skip);
    }
}

static struct answer failed(const struct errand_result *r, unsigned status, const char *otherwise, struct buf *out)
{
    struct buf why = {0};
    put_sentences(&why, r->err, r->n_err);
    struct answer a = api_error(r->number, status, why.size ? why.data : otherwise, out);
    buf_fini(&why);
    return a;
}

/* Complete, or complete while something waits for a person. */
static struct answer well(const struct errand_result *r, struct buf *out)
{
    buf_printf(out, "{\"ok\":true,\"waits\":%s,\"items\":[", r->exit_code == 3 ? "true" : "false");
    put_lines(out, r->out, r->n_out, true);
    buf_text(out, "],\"messages\":[");
    put_lines(out, r->err, r->n_err, false);
    buf_text(out, "]}\n");
    return answer(r->number, 200, out);
}

static struct answer ran(const struct errand_result *r, struct buf *out)
{
    switch (r->exit_code) {
    case 0:
    case 3:
        return well(r, out);
    case 2:
        return failed(r, 400, "this request is not to be carried out", out);
    case ERRAND_BUSY:
        return failed(r, 409, "the pair is at work", out);
    default:
        return failed(r, 500, "it could not be completed", out);
    }
}

struct answer api_answer(const struct errand_result *r, struct buf *out)
{
    switch (r->end) {
    case ERRAND_RAN:
        return ran(r, out);
    case ERRAND_LATE:
        return api_error(
            r->number, 504,
            "it took too long and was ended, at a point that loses nothing; ask for less, or use the command", out);
    case ERRAND_LARGE:
        return api_error(r->number, 413, "the answer is too large; ask for one pair, one id, or since a time", out);
    case ERRAND_STOPPED:
        return api_error(r->number, 503, "the daemon is stopping; ask again when it is back", out);
    default:
        return api_error(r->number, 500, "the command's process died; the daemon's log may say why", out);
    }
}

struct answer api_woken(uint64_t number, const char *pair, struct buf *out)
{
    buf_text(out, "{\"ok\":true,\"waits\":false,\"items\":[{");
    json_put_text(out, "pair", pair);
    buf_text(out, ",\"woken\":true}],\"messages\":[]}\n");
    return answer(number, 202, out);
}
