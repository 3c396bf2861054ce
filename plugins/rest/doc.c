/* SPDX-License-Identifier: MIT */
/* doc.c - JSON pointers, lists and wrapping over the host's JSON door. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rest.h"

bool doc_read(struct rest *r, const char *text, size_t n_bytes, struct sl_value *out, const char **why)
{
    /* The door reads objects: any value is one as the member of an object. */
    static const char before[] = "{\"v\":";
    const struct sl_value *fields = NULL;
    const char *message = NULL;
    uint32_t n = 0, size = 0;
    struct sl_bytes whole = {0};
    sl_bytes_add(&whole, before, sizeof(before) - 1);
    sl_bytes_add(&whole, text, n_bytes);
    sl_bytes_text(&whole, "}");
    int rc = r->host->json_read(r->host->ctx, whole.data, whole.size, &fields, &n, &size, &message);
    free(whole.data);
    if (why)
        *why = message ? message : "it is more than one value";
    if (rc != SL_OK || n != 1)
        return false;
    *out = *fields;
    return true;
}

static bool unescaped(const char *token, size_t n, const char *name)
{
    size_t i = 0;
    for (; i < n && *name; i++, name++) {
        char c = token[i];
        if (c == '~' && i + 1 < n)
            c = token[++i] == '1' ? '/' : '~';
        if (c != *name)
            return false;
    }
    return i == n && !*name;
}

static struct sl_value item_at(struct rest *r, const struct sl_value *list, const char *token, size_t n)
{
    const char *at = list->text, *end = list->text + list->text_size, *item = NULL;
    struct sl_value v = {.type = SL_ABSENT};
    size_t n_item = 0;
    unsigned long index = strtoul(token, NULL, 10);
    if (!n || strspn(token, "0123456789") < n || n > 9)
        return v;
    for (unsigned long i = 0; sl_list_next(&at, end, &item, &n_item); i++)
        if (i == index && doc_read(r, item, n_item, &v, NULL))
            return v;
    return (struct sl_value){.type = SL_ABSENT};
}

struct sl_value doc_in(struct rest *r, const struct sl_value *fields, uint32_t n, uint32_t size, const char *pointer)
{
    size_t n_token = strcspn(pointer + 1, "/");
    for (uint32_t i = 0; i < n; i++) {
        const struct sl_value *v = sl_value_at(fields, size, i);
        if (unescaped(pointer + 1, n_token, v->name))
            return doc_at(r, v, pointer[1 + n_token] ? pointer + 1 + n_token : NULL);
    }
    return (struct sl_value){.type = SL_ABSENT};
}

struct sl_value doc_at(struct rest *r, const struct sl_value *root, const char *pointer)
{
    struct sl_value v = *root;
    while (pointer && *pointer) {
        const struct sl_value *fields = NULL;
        const char *why = NULL;
        uint32_t n = 0, size = 0;
        size_t n_token = strcspn(pointer + 1, "/");
        if (v.type != SL_JSON)
            return (struct sl_value){.type = SL_ABSENT};
        if (v.text[0] == '{') {
            if (r->host->json_read(r->host->ctx, v.text, v.text_size, &fields, &n, &size, &why) != SL_OK)
                return (struct sl_value){.type = SL_ABSENT};
            return doc_in(r, fields, n, size, pointer);
        }
        v = item_at(r, &v, pointer + 1, n_token);
        pointer += 1 + n_token;
    }
    return v;
}

const char *doc_text(const struct sl_value *v, char room[STAMP_ROOM])
{
    switch (v->type) {
    case SL_STRING:
    case SL_ENUM:
    case SL_DECIMAL:
        return v->text;
    case SL_INT:
        snprintf(room, STAMP_ROOM, "%" PRId64, v->number);
        return room;
    case SL_BOOL:
        return v->number ? "true" : "false";
    default:
        return NULL;
    }
}

bool doc_same(const struct sl_value *x, const struct sl_value *y)
{
    char of_x[STAMP_ROOM], of_y[STAMP_ROOM];
    const char *a = doc_text(x, of_x), *b = doc_text(y, of_y);
    if (!a || !b)
        return x->type == y->type;
    return x->type == y->type && strcmp(a, b) == 0;
}

const char *doc_wrap(struct rest *r, const char *pointer, const char *text, size_t *n_bytes)
{
    pointer = pointer ? pointer : "";
    const char *end = pointer + strlen(pointer);
    while (end > pointer) {
        const char *begin = end - 1;
        while (*begin != '/')
            begin--;
        struct sl_value v = {.name = sl_pool_dup(&r->call, begin + 1, (size_t)(end - begin - 1)),
                             .type = SL_JSON,
                             .text = text,
                             .text_size = *n_bytes};
        r->host->json_write(r->host->ctx, &v, 1, sizeof(v), 0, &text, n_bytes);
        end = begin;
    }
    return text;
}

uint64_t doc_hash(const char *text, size_t n_bytes)
{
    uint64_t h = 14695981039346656037ULL;
    for (size_t i = 0; i < n_bytes; i++)
        h = (h ^ (unsigned char)text[i]) * 1099511628211ULL;
    return h;
}
