/* SPDX-License-Identifier: MIT */
/* encode.c - records as canonical bytes and back, and the digest of their fields. */
#include <string.h>

#include "base/text.h"
#include "record/order.h"
#include "record/record.h"

enum { RECORD_VERSION = 1 };

static void put_head(struct buf *out, const struct sl_record *r)
{
    put_text(out, r->id);
    put_text(out, r->version);
    put_i64(out, r->modified_ms);
    put_u64(out, r->modified_grain_ms);
    put_i64(out, r->created_ms);
    put_text(out, r->label);
    put_text(out, r->parent_id);
    put_text(out, r->correlation);
}

static void put_whole(struct buf *out, const struct sl_record *r)
{
    struct order o;
    put_u8(out, RECORD_VERSION);
    put_head(out, r);
    order_fields(&o, r);
    put_u64(out, o.n);
    for (uint32_t i = 0; i < o.n; i++)
        put_value(out, o.at[i]);
    order_fini(&o);
}

void record_encode(struct buf *out, const struct sl_record *r)
{
    size_t from = out->size;
    put_whole(out, r);
    row_seal(out, from);
}

/* The version byte of a record is never 0: that stands for none. */
void put_record(struct buf *out, const struct sl_record *r)
{
    if (r)
        put_whole(out, r);
    else
        put_u8(out, 0);
}

static void get_head(struct reader *r, struct arena *a, struct sl_record *record)
{
    record->id = get_text(r, a);
    record->version = get_text(r, a);
    record->modified_ms = get_i64(r);
    uint64_t grain_ms = get_u64(r);
    r->bad = r->bad || grain_ms > UINT32_MAX;
    record->modified_grain_ms = (uint32_t)grain_ms;
    record->created_ms = get_i64(r);
    record->label = get_text(r, a);
    record->parent_id = get_text(r, a);
    record->correlation = get_text(r, a);
}

/* By name, none twice, none absent; a field takes two bytes at least, which bounds what a damaged count can cost. */
static void get_fields(struct reader *r, struct arena *a, struct sl_record *record)
{
    uint64_t n = get_u64(r);
    r->bad = r->bad || n > (size_t)(r->end - r->at) / 2 || n > UINT32_MAX;
    if (r->bad)
        return;
    struct sl_value *fields = arena_alloc(a, (size_t)n * sizeof(*fields));
    for (uint64_t i = 0; i < n && !r->bad; i++) {
        fields[i] = get_value(r, a);
        r->bad = r->bad || fields[i].type == SL_ABSENT || (i && order_name(&fields[i - 1], &fields[i]) >= 0);
    }
    record->fields = fields;
    record->n_fields = (uint32_t)n;
}

static struct sl_record *get_whole(struct reader *r, struct arena *a)
{
    struct sl_record *record = arena_alloc(a, sizeof(*record));
    record->size = sizeof(*record);
    record->field_size = sizeof(struct sl_value);
    get_head(r, a, record);
    get_fields(r, a, record);
    return record;
}

const struct sl_record *get_record(struct reader *r, struct arena *a)
{
    uint8_t version = get_u8(r);
    r->bad = r->bad || version > RECORD_VERSION;
    return r->bad || !version ? NULL : get_whole(r, a);
}

struct sl_record *record_decode(struct arena *a, struct slice bytes, struct err *e)
{
    struct reader r;
    uint8_t version = 0;
    if (row_open(bytes, RECORD_VERSION, &r, &version, "record", e))
        return NULL;
    struct sl_record *record = get_whole(&r, a);
    if (!r.bad && r.at == r.end && version == RECORD_VERSION)
        return record;
    err_set(e, ERR_STATE,
            "a record in the state is no record of encoding %d (%zu bytes); restore this pair's state from a backup",
            RECORD_VERSION, bytes.size);
    return NULL;
}

/* As put_value, but what value_same takes as one gets one digest: JSON whatever its order, a time whatever its source's granularity. */
static void put_digested(struct buf *out, const struct sl_value *v)
{
    if (v->type != SL_JSON && v->type != SL_TIMESTAMP) {
        put_value(out, v);
        return;
    }
    struct sl_value plain = *v;
    struct buf text = {0};
    plain.grain_ms = 0;
    if (v->type == SL_JSON) {
        value_put_canonical(&text, v);
        plain.text = text.data;
        plain.text_size = text.size;
    }
    put_value(out, &plain);
    buf_fini(&text);
}

uint64_t record_digest(const struct sl_record *r)
{
    struct buf bytes = {0};
    struct order o;
    order_fields(&o, r);
    for (uint32_t i = 0; i < o.n; i++)
        put_digested(&bytes, o.at[i]);
    order_fini(&o);
    uint64_t digest = hash64(bytes.data ? bytes.data : "", bytes.size);
    buf_fini(&bytes);
    return digest;
}
