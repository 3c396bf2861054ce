/* SPDX-License-Identifier: MIT */
/* value.c - JSON as the protocol uses it: objects and lists through the host's door, fields by name, a pool per line. */
#include "exec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pool_block {
    struct pool_block *next;
    max_align_t data[];
};

/* As a kill: the host's next run settles what was under way. */
static _Noreturn void no_memory(void)
{
    static const char line[] =
        "syncline: no memory for the exec connector; nothing is lost: run again with more memory\n";
    ssize_t ignored = write(STDERR_FILENO, line, sizeof(line) - 1);
    (void)ignored;
    _exit(1);
}

void *checked(void *p)
{
    if (!p)
        no_memory();
    return p;
}

char *bytes_room(struct bytes *b, size_t more)
{
    if (b->room - b->size < more) {
        size_t room = b->room * 2 > b->size + more ? b->room * 2 : b->size + more;
        b->data = checked(realloc(b->data, room));
        b->room = room;
    }
    return b->data + b->size;
}

void bytes_add(struct bytes *b, const void *data, size_t n_bytes)
{
    memcpy(bytes_room(b, n_bytes + 1), data, n_bytes);
    b->size += n_bytes;
}

void bytes_text(struct bytes *b, const char *text)
{
    bytes_add(b, text, strlen(text));
}

void *pool_alloc(struct exec *x, size_t n_bytes)
{
    struct pool_block *b = checked(calloc(1, sizeof(*b) + n_bytes));
    b->next = x->pool;
    x->pool = b;
    return b->data;
}

char *pool_text(struct exec *x, const char *text, size_t n_bytes)
{
    char *copy = pool_alloc(x, n_bytes + 1);
    memcpy(copy, text, n_bytes);
    return copy;
}

void pool_free(struct exec *x)
{
    while (x->pool) {
        struct pool_block *b = x->pool;
        x->pool = b->next;
        free(b);
    }
}

bool object_read(struct exec *x, const char *text, size_t n_bytes, struct fields *out, const char **message)
{
    *message = NULL;
    return x->host->json_read(x->host->ctx, text, n_bytes, &out->at, &out->n, &out->field_size, message) == SL_OK;
}

/* End of the JSON value at s, in text the host has already found valid: at a comma or bracket outside of it. */
static const char *value_end(const char *s, const char *end)
{
    int depth = 0;
    bool quoted = false;
    for (; s < end; s++) {
        if (quoted) {
            s += *s == '\\';
            quoted = *s != '"';
        } else if (*s == '"') {
            quoted = true;
        } else if (*s == '[' || *s == '{') {
            depth++;
        } else if (*s == ']' || *s == '}') {
            if (depth-- == 0)
                return s;
        } else if (*s == ',' && depth == 0) {
            return s;
        }
    }
    return s;
}

/* The host reads objects only: [a, b] becomes {"0": a, "1": b}. */
bool list_read(struct exec *x, const struct sl_value *v, struct fields *out)
{
    struct bytes b = {0};
    char key[32];
    const char *message;
    *out = (struct fields){0};
    if (!v || v->type != SL_JSON || v->text_size < 2 || v->text[0] != '[')
        return false;
    const char *s = v->text + 1, *end = v->text + v->text_size;
    bytes_add(&b, "{", 1);
    for (unsigned i = 0; s < end && strspn(s, " \t\r\n]") != (size_t)(end - s); i++) {
        const char *stop = value_end(s, end);
        snprintf(key, sizeof(key), "%s\"%u\":", i ? "," : "", i);
        bytes_text(&b, key);
        bytes_add(&b, s, (size_t)(stop - s));
        s = stop + 1;
    }
    bytes_add(&b, "}", 1);
    bool ok = object_read(x, b.data, b.size, out, &message);
    free(b.data);
    return ok;
}

const struct sl_value *fields_at(const struct fields *f, uint32_t i)
{
    return sl_value_at(f->at, f->field_size, i);
}

const struct sl_value *field(const struct fields *f, const char *name)
{
    for (uint32_t i = 0; i < f->n; i++) {
        const struct sl_value *v = fields_at(f, i);
        if (strcmp(v->name, name) == 0)
            return v->type == SL_NULL || v->type == SL_ABSENT ? NULL : v;
    }
    return NULL;
}

const char *field_text(struct exec *x, const struct fields *f, const char *name)
{
    char digits[32];
    const struct sl_value *v = field(f, name);
    if (!v)
        return NULL;
    if (v->type == SL_INT) {
        int n = snprintf(digits, sizeof(digits), "%lld", (long long)v->number);
        return pool_text(x, digits, (size_t)n);
    }
    return v->text && v->type != SL_JSON ? pool_text(x, v->text, v->text_size) : NULL;
}

int64_t field_int(const struct fields *f, const char *name)
{
    const struct sl_value *v = field(f, name);
    return v && v->type == SL_INT ? v->number : 0;
}

bool field_true(const struct fields *f, const char *name)
{
    const struct sl_value *v = field(f, name);
    return v && v->type == SL_BOOL && v->number;
}

struct sl_value text_value(const char *name, const char *text)
{
    struct sl_value v = {.name = name, .type = text ? SL_STRING : SL_NULL, .text = text};
    v.text_size = text ? strlen(text) : 0;
    return v;
}

struct sl_value int_value(const char *name, int64_t n)
{
    return (struct sl_value){.name = name, .type = SL_INT, .number = n};
}

struct sl_value bool_value(const char *name, bool b)
{
    return (struct sl_value){.name = name, .type = SL_BOOL, .number = b};
}

struct sl_value json_value(const char *name, const char *text, size_t n_bytes)
{
    return (struct sl_value){.name = name, .type = SL_JSON, .text = text, .text_size = n_bytes};
}

bool object_add(struct exec *x, struct bytes *out, const struct sl_value *at, uint32_t n, uint32_t item_size)
{
    const char *text = NULL;
    size_t n_bytes = 0;
    if (x->host->json_write(x->host->ctx, at, n, item_size, 0, &text, &n_bytes) != SL_OK)
        return false;
    size_t from = out->size;
    bytes_add(out, text, n_bytes);
    /* A request is one line; outside of strings, where JSON has no raw newline, one is only a blank. */
    for (size_t i = from; i < out->size; i++)
        if (out->data[i] == '\n' || out->data[i] == '\r')
            out->data[i] = ' ';
    return true;
}
