/* SPDX-License-Identifier: MIT */
/* value.c - JSON as the protocol uses it: objects and lists through the host's door, fields by name, a pool per line. */
#include "exec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool object_read(struct exec *x, const char *text, size_t n_bytes, struct fields *out, const char **message)
{
    *message = NULL;
    return x->host->json_read(x->host->ctx, text, n_bytes, &out->at, &out->n, &out->field_size, message) == SL_OK;
}

/* The host reads objects only: [a, b] becomes {"0": a, "1": b}. */
bool list_read(struct exec *x, const struct sl_value *v, struct fields *out)
{
    struct sl_bytes b = {0};
    char key[32];
    const char *message, *item;
    size_t n_bytes;
    *out = (struct fields){0};
    if (!v || v->type != SL_JSON || v->text_size < 2 || v->text[0] != '[')
        return false;
    const char *at = v->text, *end = v->text + v->text_size;
    sl_bytes_text(&b, "{");
    for (unsigned i = 0; sl_list_next(&at, end, &item, &n_bytes); i++) {
        snprintf(key, sizeof(key), "%s\"%u\":", i ? "," : "", i);
        sl_bytes_text(&b, key);
        sl_bytes_add(&b, item, n_bytes);
    }
    sl_bytes_text(&b, "}");
    bool ok = object_read(x, b.data, b.size, out, &message);
    sl_bytes_free(&b);
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
        return sl_pool_dup(&x->pool, digits, (size_t)n);
    }
    return v->text && v->type != SL_JSON ? sl_pool_dup(&x->pool, v->text, v->text_size) : NULL;
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

bool object_add(struct exec *x, struct sl_bytes *out, const struct sl_value *at, uint32_t n, uint32_t item_size)
{
    const char *text = NULL;
    size_t n_bytes = 0;
    if (x->host->json_write(x->host->ctx, at, n, item_size, 0, &text, &n_bytes) != SL_OK)
        return false;
    size_t from = out->size;
    sl_bytes_add(out, text, n_bytes);
    /* A request is one line; outside of strings, where JSON has no raw newline, one is only a blank. */
    for (size_t i = from; i < out->size; i++)
        if (out->data[i] == '\n' || out->data[i] == '\r')
            out->data[i] = ' ';
    return true;
}
