/* SPDX-License-Identifier: MIT */
/* bytes.c - the little binary encoding of everything in the state: numbers, texts, values, sealed rows. */
#include <string.h>

#include "base/text.h"
#include "record/order.h"
#include "record/record.h"

enum { VARINT_MAX_BYTES = 10, CHECKSUM_BYTES = 8 };

void put_u8(struct buf *out, uint8_t v)
{
    buf_byte(out, v);
}

/* Number, blob and text go into room that is asked for once: rows are made of little else. */
static char *number_at(char *at, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *at++ = (char)(uint8_t)(v | 0x80);
    *at++ = (char)v;
    return at;
}

static uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static char *blob_at(char *at, const void *data, size_t size)
{
    at = number_at(at, size);
    if (size)
        memcpy(at, data, size);
    return at + size;
}

/* Length + 1 first, so that 0 is NULL. */
static char *text_at(char *at, const char *text, size_t size)
{
    at = number_at(at, text ? size + 1 : 0);
    if (size)
        memcpy(at, text, size);
    return at + size;
}

static void end_at(struct buf *out, const char *at)
{
    buf_took(out, (size_t)(at - (out->data + out->size)));
}

void put_u64(struct buf *out, uint64_t v)
{
    end_at(out, number_at(buf_room(out, VARINT_MAX_BYTES), v));
}

void put_i64(struct buf *out, int64_t v)
{
    put_u64(out, zigzag(v));
}

void put_blob(struct buf *out, const void *data, size_t size)
{
    end_at(out, blob_at(buf_room(out, VARINT_MAX_BYTES + size), data, size));
}

void put_text(struct buf *out, const char *text)
{
    size_t size = text ? strlen(text) : 0;
    end_at(out, text_at(buf_room(out, VARINT_MAX_BYTES + size), text, size));
}

/* The room a scalar takes at most. */
static size_t scalar_bytes(const struct sl_value *v)
{
    return 3 * VARINT_MAX_BYTES + v->text_size + (v->type == SL_REF && v->object ? strlen(v->object) : 0);
}

static char *scalar_at(char *at, const struct sl_value *v)
{
    switch (v->type) {
    case SL_BOOL:
        *at++ = v->number != 0;
        return at;
    case SL_TIMESTAMP:
        return number_at(number_at(at, zigzag(v->number)), v->grain_ms);
    case SL_INT:
    case SL_DATE:
        return number_at(at, zigzag(v->number));
    case SL_REF:
        at = blob_at(at, v->text, v->text_size);
        return text_at(at, v->object, v->object ? strlen(v->object) : 0);
    case SL_DECIMAL:
    case SL_STRING:
    case SL_ENUM:
    case SL_JSON:
        return blob_at(at, v->text, v->text_size);
    default:
        return at;
    }
}

static void put_items(struct buf *out, const struct sl_value *set)
{
    struct order o;
    order_items(&o, set, order_strict);
    put_u64(out, o.n);
    for (uint32_t i = 0; i < o.n; i++) {
        char *at = buf_room(out, 1 + scalar_bytes(o.at[i]));
        *at = (char)o.at[i]->type;
        end_at(out, scalar_at(at + 1, o.at[i]));
    }
    order_fini(&o);
}

/* A type this program does not know is stored as absent: it never causes a write. */
static void put_typed(struct buf *out, char *at, const struct sl_value *v)
{
    *at++ = (char)(v->type <= SL_JSON ? v->type : SL_ABSENT);
    if (v->type != SL_SET)
        at = scalar_at(at, v);
    end_at(out, at);
    if (v->type == SL_SET)
        put_items(out, v);
}

void put_value(struct buf *out, const struct sl_value *v)
{
    size_t name_bytes = v->name ? strlen(v->name) : 0;
    char *at = buf_room(out, VARINT_MAX_BYTES + name_bytes + 1 + scalar_bytes(v));
    put_typed(out, text_at(at, v->name, name_bytes), v);
}

void put_unnamed(struct buf *out, const struct sl_value *v)
{
    put_typed(out, buf_room(out, 1 + scalar_bytes(v)), v);
}

static size_t left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

/* The next n bytes, or NULL and bad. */
static const uint8_t *take(struct reader *r, uint64_t n)
{
    if (r->bad || n > left(r)) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *p = r->at;
    r->at += n;
    return p;
}

uint8_t get_u8(struct reader *r)
{
    const uint8_t *p = take(r, 1);
    return p ? *p : 0;
}

/* Only the shortest form is taken, so that a number has one encoding. */
uint64_t get_u64(struct reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = get_u8(r);
        v |= (uint64_t)(byte & 0x7F) << shift;
        if (byte & 0x80)
            continue;
        r->bad = r->bad || (shift && byte == 0) || (shift == 63 && byte > 1);
        return r->bad ? 0 : v;
    }
    r->bad = true;
    return 0;
}

int64_t get_i64(struct reader *r)
{
    uint64_t v = get_u64(r);
    return (int64_t)(v >> 1 ^ (v & 1 ? UINT64_MAX : 0));
}

struct slice get_blob(struct reader *r)
{
    uint64_t size = get_u64(r);
    const uint8_t *p = take(r, size);
    return p ? slice_of(p, (size_t)size) : slice_of("", 0);
}

const char *get_text(struct reader *r, struct arena *a)
{
    uint64_t size = get_u64(r);
    if (size == 0)
        return r->bad ? "" : NULL;
    const uint8_t *p = take(r, size - 1);
    if (!p || memchr(p, '\0', (size_t)size - 1)) {
        r->bad = true;
        return "";
    }
    return arena_dup(a, p, (size_t)size - 1);
}

static void get_value_text(struct reader *r, struct arena *a, struct sl_value *v)
{
    struct slice s = get_blob(r);
    v->text = arena_dup(a, s.data, s.size);
    v->text_size = s.size;
}

static uint32_t get_u32(struct reader *r)
{
    uint64_t v = get_u64(r);
    r->bad = r->bad || v > UINT32_MAX;
    return (uint32_t)v;
}

static void get_scalar(struct reader *r, struct arena *a, struct sl_value *v)
{
    switch (v->type) {
    case SL_BOOL:
        v->number = get_u8(r);
        r->bad = r->bad || v->number > 1;
        break;
    case SL_TIMESTAMP:
        v->number = get_i64(r);
        v->grain_ms = get_u32(r);
        break;
    case SL_INT:
    case SL_DATE:
        v->number = get_i64(r);
        break;
    case SL_REF:
        get_value_text(r, a, v);
        v->object = get_text(r, a);
        break;
    case SL_DECIMAL:
    case SL_STRING:
    case SL_ENUM:
    case SL_JSON:
        get_value_text(r, a, v);
        break;
    default:
        break;
    }
}

/* In canonical order, none twice; an item takes two bytes at least, which bounds what a damaged count can cost. */
static void get_items(struct reader *r, struct arena *a, struct sl_value *set)
{
    uint64_t n = get_u64(r);
    r->bad = r->bad || n > left(r) / 2 || n > UINT32_MAX;
    if (r->bad)
        return;
    struct sl_value *items = arena_alloc(a, (size_t)n * sizeof(*items));
    for (uint64_t i = 0; i < n && !r->bad; i++) {
        items[i].type = get_u8(r);
        r->bad = r->bad || !order_is_item(items[i].type);
        get_scalar(r, a, &items[i]);
        r->bad = r->bad || (i && order_strict(&items[i - 1], &items[i]) >= 0);
    }
    set->items = items;
    set->n_items = r->bad ? 0 : (uint32_t)n;
    set->item_size = sizeof(*items);
}

struct sl_value get_value(struct reader *r, struct arena *a)
{
    const char *name = get_text(r, a);
    return get_unnamed(r, a, name);
}

struct sl_value get_unnamed(struct reader *r, struct arena *a, const char *name)
{
    struct sl_value v = {.name = name};
    v.type = get_u8(r);
    r->bad = r->bad || v.type > SL_JSON;
    if (v.type == SL_SET)
        get_items(r, a, &v);
    else
        get_scalar(r, a, &v);
    return r->bad ? value_absent("") : v;
}

static void checksum(const void *data, size_t size, uint8_t out[CHECKSUM_BYTES])
{
    uint64_t h = hash64(data, size);
    for (int i = 0; i < CHECKSUM_BYTES; i++)
        out[i] = (uint8_t)(h >> 8 * i);
}

void row_seal(struct buf *out, size_t from)
{
    uint8_t sum[CHECKSUM_BYTES];
    checksum(out->data + from, out->size - from, sum);
    buf_add(out, sum, sizeof(sum));
}

static bool intact(struct slice bytes)
{
    uint8_t sum[CHECKSUM_BYTES];
    if (bytes.size < 1 + CHECKSUM_BYTES)
        return false;
    size_t size = bytes.size - CHECKSUM_BYTES;
    checksum(bytes.data, size, sum);
    return memcmp((const uint8_t *)bytes.data + size, sum, CHECKSUM_BYTES) == 0;
}

int row_open(struct slice bytes, uint8_t newest_version, struct reader *r, uint8_t *version, const char *what,
             struct err *e)
{
    *r = (struct reader){.bad = true};
    *version = 0;
    if (!intact(bytes))
        return err_set(e, ERR_STATE,
                       "the %s in the state is damaged (%zu bytes, the checksum does not hold); restore this pair's "
                       "state from a backup",
                       what, bytes.size);
    const uint8_t *p = bytes.data;
    *version = p[0];
    if (*version > newest_version)
        return err_set(
            e, ERR_STATE,
            "the %s in the state has encoding %u and this program knows up to %u; run the newer syncline that wrote it",
            what, *version, newest_version);
    *r = (struct reader){.at = p + 1, .end = p + bytes.size - CHECKSUM_BYTES};
    return ERR_NONE;
}
