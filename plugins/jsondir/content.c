/* SPDX-License-Identifier: MIT */
/* content.c - the text of a record to be written: its old fields in their order with the new ones laid over. */
#include "jsondir.h"

#include <stdlib.h>
#include <string.h>

static uint32_t add(struct jsondir *d, uint32_t n, const struct sl_value *v)
{
    if (n == d->fields_room) {
        d->fields_room = d->fields_room ? d->fields_room * 2 : 64;
        d->fields = sl_checked(realloc(d->fields, d->fields_room * sizeof(*d->fields)));
    }
    d->fields[n] = *v;
    return n + 1;
}

/* The field's place among the first n, looked for from `from` on: patches mostly come in the file's own order. */
static uint32_t find(const struct jsondir *d, uint32_t n, uint32_t from, const char *name)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = from + i < n ? from + i : from + i - n;
        if (strcmp(d->fields[at].name, name) == 0)
            return at;
    }
    return n;
}

static uint32_t merge(struct jsondir *d, const struct look *old, const struct sl_write *w)
{
    uint32_t n = 0, next = 0;
    for (uint32_t i = 0; old && i < old->n_fields; i++)
        n = add(d, n, sl_value_at(old->fields, old->field_size, i));
    uint32_t n_old = n;
    for (uint32_t i = 0; i < w->n_fields; i++) {
        const struct sl_value *v = sl_value_at(w->fields, w->field_size, i);
        if (v->type == SL_ABSENT)
            continue;
        uint32_t at = find(d, n_old, next, v->name);
        if (at == n_old) {
            n = add(d, n, v);
            continue;
        }
        d->fields[at] = *v;
        next = at + 1 < n_old ? at + 1 : 0;
    }
    return n;
}

/* A file on one line stays on one line. */
static bool on_one_line(const struct jsondir *d, const struct look *old)
{
    const char *at = memchr(d->file.data, '\n', old->size);
    for (; at && at < d->file.data + old->size; at++)
        if (!strchr(" \t\r\n", *at))
            return false;
    return true;
}

int content_make(struct jsondir *d, const struct look *old, const struct sl_write *w, const char **text,
                 size_t *n_bytes)
{
    bool compact = old && on_one_line(d, old);
    uint32_t n = merge(d, old, w);
    int rc = d->host->json_write(d->host->ctx, d->fields, n, sizeof(*d->fields), compact ? 0 : 1, text, n_bytes);
    if (rc == SL_OK && compact && d->file.data[old->size - 1] == '\n') {
        d->file.size = 0;
        sl_bytes_add(&d->file, *text, *n_bytes);
        sl_bytes_add(&d->file, "\n", 1);
        *text = d->file.data;
        *n_bytes = d->file.size;
    }
    return rc;
}

/* A decimal without a point is read as an integer. */
static bool exact(const struct sl_value *v)
{
    bool plain = v->type == SL_NULL || v->type == SL_BOOL || v->type == SL_INT || v->type == SL_STRING;
    return plain || (v->type == SL_DECIMAL && memchr(v->text, '.', v->text_size));
}

bool content_exact(const struct sl_write *w)
{
    bool all = true;
    for (uint32_t i = 0; i < w->n_fields && all; i++)
        all = exact(sl_value_at(w->fields, w->field_size, i));
    return all;
}
