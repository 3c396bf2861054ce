/* SPDX-License-Identifier: MIT */
/* keep.c - puts a row's record by in few bytes until its batch is committed: a batch of wide rows would else fill memory. */
#include <string.h>

#include "connector.h"

/* Behind it: id and version, each with its NUL; then a value a column, as its head and, in text, its bytes. */
struct kept {
    int64_t modified_ms;
    uint32_t modified_grain_ms;
    char data[];
};

struct head {
    int64_t number; /* in text: its size */
    uint32_t grain_ms;
    uint8_t type;
};

static bool is_text(uint32_t type)
{
    return type != SL_NULL && type != SL_BOOL && type != SL_INT && type != SL_DATE && type != SL_TIMESTAMP;
}

static char *put(char *at, const void *data, size_t n_bytes)
{
    memcpy(at, data, n_bytes);
    return at + n_bytes;
}

static size_t bytes_of(const struct row *r)
{
    size_t n = sizeof(struct kept) + strlen(r->id) + strlen(r->version) + 2;
    for (int i = 0; i < r->table->n_columns; i++)
        n += sizeof(struct head) + (is_text(r->values[i].type) ? r->values[i].text_size : 0);
    return n;
}

const struct kept *row_keep(struct sl_pool *p, const struct row *r)
{
    struct kept *k = sl_pool_take(p, bytes_of(r));
    k->modified_ms = r->record.modified_ms;
    k->modified_grain_ms = r->record.modified_grain_ms;
    char *at = put(k->data, r->id, strlen(r->id) + 1);
    at = put(at, r->version, strlen(r->version) + 1);
    for (int i = 0; i < r->table->n_columns; i++) {
        const struct sl_value *v = &r->values[i];
        bool text = is_text(v->type);
        struct head h = {text ? (int64_t)v->text_size : v->number, v->grain_ms, (uint8_t)v->type};
        at = put(at, &h, sizeof(h));
        if (text)
            at = put(at, v->text, v->text_size);
    }
    return k;
}

void row_recall(struct row *r, const struct kept *k)
{
    const char *version = k->data + strlen(k->data) + 1, *at = version + strlen(version) + 1;
    for (int i = 0; i < r->table->n_columns; i++) {
        struct head h;
        memcpy(&h, at, sizeof(h));
        at += sizeof(h);
        struct sl_value *v = &r->values[i];
        *v = (struct sl_value){.name = r->table->columns[i].name, .type = h.type, .grain_ms = h.grain_ms};
        if (is_text(h.type)) {
            v->text = at;
            v->text_size = (size_t)h.number;
            at += v->text_size;
        } else {
            v->number = h.number;
        }
    }
    r->record = (struct sl_record){.size = sizeof(r->record), .id = k->data, .version = version, .fields = r->values};
    r->record.n_fields = (uint32_t)r->table->n_columns;
    r->record.field_size = sizeof(struct sl_value);
    r->record.modified_ms = k->modified_ms;
    r->record.modified_grain_ms = k->modified_grain_ms;
}
