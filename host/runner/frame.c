/* SPDX-License-Identifier: MIT */
/* frame.c - the SDK's structs as bytes and back, by one table of members for both ways. */
#include "runner/frame.h"

#include <string.h>

/* Sets hold scalars, a find holds a value: nothing that is meant lies deeper. */
enum { DEPTH_MAX = 8 };

enum member_kind {
    MEMBER_U32 = 1,
    MEMBER_U64,
    MEMBER_I64,
    MEMBER_VERSION, /* uint16_t */
    MEMBER_SIZE, /* uint32_t, sizeof the struct: not in the bytes */
    MEMBER_TEXT,
    MEMBER_BYTES, /* a pointer and a size_t */
    MEMBER_ONE, /* a pointer to a struct */
    MEMBER_MANY, /* a pointer to structs, their number, and their stride or none */
    MEMBER_TEXTS /* a pointer to texts, and their number */
};

struct member {
    uint8_t kind;
    uint8_t shape;
    uint16_t at, count_at, stride_at; /* stride_at 0: they are as large as ours, for no struct begins with its stride */
};

struct shape {
    uint16_t size;
    uint8_t n_members;
    uint8_t sized; /* it begins with its size */
    const struct member *members;
};

#define AT(type, member) offsetof(struct type, member)
#define PLAIN(kind, type, member)                                                                                      \
    {                                                                                                                  \
        MEMBER_##kind, 0, AT(type, member), 0, 0                                                                       \
    }
#define SIZED(type) PLAIN(SIZE, type, size)
#define U32(type, member) PLAIN(U32, type, member)
#define U64(type, member) PLAIN(U64, type, member)
#define I64(type, member) PLAIN(I64, type, member)
#define TEXT(type, member) PLAIN(TEXT, type, member)
#define BYTES(type, member, size)                                                                                      \
    {                                                                                                                  \
        MEMBER_BYTES, 0, AT(type, member), AT(type, size), 0                                                           \
    }
#define TEXTS(type, member, n)                                                                                         \
    {                                                                                                                  \
        MEMBER_TEXTS, 0, AT(type, member), AT(type, n), 0                                                              \
    }
#define ONE(shape, type, member)                                                                                       \
    {                                                                                                                  \
        MEMBER_ONE, SHAPE_##shape, AT(type, member), 0, 0                                                              \
    }
#define MANY(shape, type, member, n, stride)                                                                           \
    {                                                                                                                  \
        MEMBER_MANY, SHAPE_##shape, AT(type, member), AT(type, n), AT(type, stride)                                    \
    }

static const struct member value_members[] = {
    TEXT(sl_value, name),
    U32(sl_value, type),
    U32(sl_value, grain_ms),
    I64(sl_value, number),
    BYTES(sl_value, text, text_size),
    TEXT(sl_value, object),
    MANY(VALUE, sl_value, items, n_items, item_size),
};
static const struct member record_members[] = {
    SIZED(sl_record),
    U32(sl_record, modified_grain_ms),
    TEXT(sl_record, id),
    TEXT(sl_record, version),
    I64(sl_record, modified_ms),
    I64(sl_record, created_ms),
    TEXT(sl_record, label),
    TEXT(sl_record, parent_id),
    TEXT(sl_record, correlation),
    MANY(VALUE, sl_record, fields, n_fields, field_size),
};
static const struct member item_members[] = {
    SIZED(sl_item),
    U32(sl_item, kind),
    TEXT(sl_item, id),
    TEXT(sl_item, version),
    ONE(RECORD, sl_item, record),
    TEXT(sl_item, successor_id),
    U32(sl_item, error_class),
    TEXT(sl_item, message),
    TEXT(sl_item, object),
};
static const struct member page_members[] = {
    SIZED(sl_page),
    U32(sl_page, kind),
    TEXT(sl_page, cursor),
    TEXT(sl_page, epoch),
};
static const struct member outcome_members[] = {
    SIZED(sl_outcome),
    U32(sl_outcome, index),
    U32(sl_outcome, result),
    U32(sl_outcome, error_class),
    ONE(RECORD, sl_outcome, record),
    TEXT(sl_outcome, message),
    U32(sl_outcome, read_back),
    I64(sl_outcome, retry_after_ms),
};
static const struct member field_members[] = {
    TEXT(sl_field, name),
    U32(sl_field, type),
    U32(sl_field, flags),
    TEXT(sl_field, label),
    TEXTS(sl_field, values, n_values),
    U32(sl_field, max_bytes),
    TEXT(sl_field, ref_object),
};
static const struct member object_members[] = {
    SIZED(sl_object),
    U32(sl_object, id_rule),
    TEXT(sl_object, name),
    TEXT(sl_object, model),
    U64(sl_object, caps),
    MANY(FIELD, sl_object, fields, n_fields, field_size),
    U32(sl_object, id_max_bytes),
    U32(sl_object, batch_max),
    I64(sl_object, next_id),
    U32(sl_object, late_ms),
    U32(sl_object, index_lag_ms),
    U32(sl_object, stale_ms),
    U32(sl_object, idempotency_ttl_s),
    TEXT(sl_object, parent_object),
};
static const struct member header_members[] = {TEXT(sl_header, name), TEXT(sl_header, value)};
static const struct member request_members[] = {
    SIZED(sl_http_request),
    U32(sl_http_request, timeout_ms),
    TEXT(sl_http_request, method),
    TEXT(sl_http_request, url),
    MANY(HEADER, sl_http_request, headers, n_headers, header_size),
    BYTES(sl_http_request, body, body_bytes),
    TEXT(sl_http_request, idempotency_key),
    U32(sl_http_request, repeatable),
};
static const struct member response_members[] = {
    SIZED(sl_http_response),
    U32(sl_http_response, end),
    U32(sl_http_response, status),
    U32(sl_http_response, advice),
    MANY(HEADER, sl_http_response, headers, n_headers, header_size),
    BYTES(sl_http_response, body, body_bytes),
    I64(sl_http_response, retry_after_ms),
    TEXT(sl_http_response, next_url),
    TEXT(sl_http_response, message),
};
static const struct member pull_members[] = {
    SIZED(sl_pull),        U32(sl_pull, flags),    TEXT(sl_pull, object),
    TEXT(sl_pull, cursor), U32(sl_pull, page_max), TEXT(sl_pull, parent_id),
};
static const struct member get_members[] = {
    SIZED(sl_get),
    TEXT(sl_get, object),
    TEXTS(sl_get, ids, n_ids),
};
static const struct member find_members[] = {
    SIZED(sl_find),
    U32(sl_find, max_items),
    TEXT(sl_find, object),
    TEXT(sl_find, correlation),
    ONE(VALUE, sl_find, value),
    TEXT(sl_find, parent_id),
};
static const struct member write_members[] = {
    U32(sl_write, kind),
    U32(sl_write, flags),
    TEXT(sl_write, id),
    TEXT(sl_write, parent_id),
    TEXT(sl_write, correlation),
    TEXT(sl_write, idempotency_key),
    TEXT(sl_write, expected_version),
    MANY(VALUE, sl_write, fields, n_fields, field_size),
};
static const struct member batch_members[] = {
    SIZED(sl_batch),
    TEXT(sl_batch, object),
    MANY(WRITE, sl_batch, writes, n_writes, write_size),
};
static const struct member hook_members[] = {
    SIZED(sl_hook),
    MANY(HEADER, sl_hook, headers, n_headers, header_size),
    BYTES(sl_hook, body, body_bytes),
    I64(sl_hook, received_ms),
};
static const struct member settings_members[] = {
    SIZED(sl_settings),
    MANY(VALUE, sl_settings, values, n_values, value_size),
    TEXT(sl_settings, connection),
};
static const struct member option_members[] = {
    TEXT(sl_option, name),     U32(sl_option, kind),    U32(sl_option, required),
    TEXT(sl_option, fallback), TEXT(sl_option, values), TEXT(sl_option, help),
};
static const struct member rules_members[] = {
    SIZED(sl_http_rules),
    TEXT(sl_http_rules, base_url),
    TEXTS(sl_http_rules, auths, n_auths),
    TEXTS(sl_http_rules, origins, n_origins),
    TEXT(sl_http_rules, idempotency_header),
};
/* Its calls do not cross: frame_hello says which there are. */
static const struct member plugin_members[] = {
    SIZED(sl_plugin),
    PLAIN(VERSION, sl_plugin, abi_major),
    PLAIN(VERSION, sl_plugin, abi_minor),
    TEXT(sl_plugin, name),
    TEXT(sl_plugin, version),
    TEXT(sl_plugin, summary),
    U64(sl_plugin, caps),
    U64(sl_plugin, needs),
    MANY(OPTION, sl_plugin, options, n_options, option_size),
    ONE(RULES, sl_plugin, http),
};
static const struct member start_members[] = {
    U64(frame_start, reach),
    TEXTS(frame_start, paths, n_paths),
    TEXT(frame_start, sha256),
};
static const struct member hello_members[] = {
    TEXT(frame_hello, refused),
    U32(frame_hello, calls),
    ONE(PLUGIN, frame_hello, plugin),
};
static const struct member return_members[] = {
    U32(frame_return, error_class),
    TEXT(frame_return, why),
    ONE(PAGE, frame_return, page),
    {MEMBER_MANY, SHAPE_OBJECT, AT(frame_return, objects), AT(frame_return, n_objects), 0},
};

#define SHAPE(type, members, sized)                                                                                    \
    {                                                                                                                  \
        sizeof(struct type), sizeof(members) / sizeof(*(members)), sized, members                                      \
    }
static const struct shape shapes[N_SHAPES] = {
    [SHAPE_VALUE] = SHAPE(sl_value, value_members, 0),
    [SHAPE_RECORD] = SHAPE(sl_record, record_members, 1),
    [SHAPE_ITEM] = SHAPE(sl_item, item_members, 1),
    [SHAPE_PAGE] = SHAPE(sl_page, page_members, 1),
    [SHAPE_OUTCOME] = SHAPE(sl_outcome, outcome_members, 1),
    [SHAPE_FIELD] = SHAPE(sl_field, field_members, 0),
    [SHAPE_OBJECT] = SHAPE(sl_object, object_members, 1),
    [SHAPE_HEADER] = SHAPE(sl_header, header_members, 0),
    [SHAPE_REQUEST] = SHAPE(sl_http_request, request_members, 1),
    [SHAPE_RESPONSE] = SHAPE(sl_http_response, response_members, 1),
    [SHAPE_PULL] = SHAPE(sl_pull, pull_members, 1),
    [SHAPE_GET] = SHAPE(sl_get, get_members, 1),
    [SHAPE_FIND] = SHAPE(sl_find, find_members, 1),
    [SHAPE_WRITE] = SHAPE(sl_write, write_members, 0),
    [SHAPE_BATCH] = SHAPE(sl_batch, batch_members, 1),
    [SHAPE_HOOK] = SHAPE(sl_hook, hook_members, 1),
    [SHAPE_SETTINGS] = SHAPE(sl_settings, settings_members, 1),
    [SHAPE_OPTION] = SHAPE(sl_option, option_members, 0),
    [SHAPE_RULES] = SHAPE(sl_http_rules, rules_members, 1),
    [SHAPE_PLUGIN] = SHAPE(sl_plugin, plugin_members, 1),
    [SHAPE_START] = SHAPE(frame_start, start_members, 0),
    [SHAPE_HELLO] = SHAPE(frame_hello, hello_members, 0),
    [SHAPE_RETURN] = SHAPE(frame_return, return_members, 0),
};

/* --- frames --- */

size_t frame_begin(struct buf *out, int kind)
{
    size_t from = out->size;
    buf_add(out, "\0\0\0\0", FRAME_HEAD);
    put_u8(out, (uint8_t)kind);
    return from;
}

bool frame_end(struct buf *out, size_t from)
{
    size_t n = out->size - from - FRAME_HEAD;
    if (n > FRAME_MAX) {
        out->size = from;
        return false;
    }
    for (int i = 0; i < FRAME_HEAD; i++)
        out->data[from + (size_t)i] = (char)(uint8_t)(n >> 8 * i);
    return true;
}

int64_t frame_find(struct slice bytes, int *kind, struct reader *body)
{
    const uint8_t *p = bytes.data;
    if (bytes.size < FRAME_HEAD)
        return 0;
    size_t n = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
    if (n < 1 || n > FRAME_MAX)
        return -1;
    if (bytes.size - FRAME_HEAD < n)
        return 0;
    *kind = p[FRAME_HEAD];
    *body = (struct reader){.at = p + FRAME_HEAD + 1, .end = p + FRAME_HEAD + n};
    return *kind > 0 && *kind < FRAME_KINDS ? (int64_t)(FRAME_HEAD + n) : -1;
}

/* --- putting --- */

/* A member wherever it lies: the structs are read and written as bytes, so that one table serves all of them. */
#define MEMBER(type, at) (*(type *)(void *)((char *)(at)))
#define CONST_MEMBER(type, at) (*(type const *)(const void *)((const char *)(at)))

static void put_struct(struct buf *out, int shape, const char *item, int depth);

static void put_array(struct buf *out, int shape, const char *items, uint32_t n, uint32_t stride, int depth)
{
    size_t ours = shapes[shape].size;
    char room[256] = {0};
    _Static_assert(sizeof(struct sl_plugin) <= sizeof(room), "the largest struct that crosses");
    n = items && depth < DEPTH_MAX ? n : 0;
    stride = stride ? stride : (uint32_t)ours;
    put_u64(out, n);
    for (uint32_t i = 0; i < n; i++) {
        const char *at = items + (size_t)stride * i;
        if (stride < ours)
            at = memcpy(room, at, stride); /* an older, smaller one: what it does not have stays zero */
        put_struct(out, shape, at, depth + 1);
    }
}

static void put_texts(struct buf *out, const char *const *texts, uint32_t n)
{
    n = texts ? n : 0;
    put_u64(out, n);
    for (uint32_t i = 0; i < n; i++)
        put_text(out, texts[i]);
}

/* The size first and one more, so that 0 is NULL. */
static void put_bytes(struct buf *out, const char *bytes, size_t size)
{
    put_u64(out, bytes ? (uint64_t)size + 1 : 0);
    if (bytes)
        buf_add(out, bytes, size);
}

static void put_one(struct buf *out, int shape, const char *item, int depth)
{
    item = depth < DEPTH_MAX ? item : NULL;
    put_u8(out, item != NULL);
    if (item)
        put_struct(out, shape, item, depth + 1);
}

static void put_member(struct buf *out, const struct member *m, const char *item, int depth)
{
    const char *at = item + m->at;
    uint32_t n = m->count_at ? CONST_MEMBER(uint32_t, item + m->count_at) : 0;
    switch (m->kind) {
    case MEMBER_U32:
        put_u64(out, CONST_MEMBER(uint32_t, at));
        break;
    case MEMBER_U64:
        put_u64(out, CONST_MEMBER(uint64_t, at));
        break;
    case MEMBER_I64:
        put_i64(out, CONST_MEMBER(int64_t, at));
        break;
    case MEMBER_VERSION:
        put_u64(out, CONST_MEMBER(uint16_t, at));
        break;
    case MEMBER_TEXT:
        put_text(out, CONST_MEMBER(const char *, at));
        break;
    case MEMBER_BYTES:
        put_bytes(out, CONST_MEMBER(const char *, at), CONST_MEMBER(size_t, item + m->count_at));
        break;
    case MEMBER_ONE:
        put_one(out, m->shape, CONST_MEMBER(const char *, at), depth);
        break;
    case MEMBER_MANY:
        put_array(out, m->shape, CONST_MEMBER(const char *, at), n,
                  m->stride_at ? CONST_MEMBER(uint32_t, item + m->stride_at) : 0, depth);
        break;
    case MEMBER_TEXTS:
        put_texts(out, CONST_MEMBER(const char *const *, at), n);
        break;
    default:
        break;
    }
}

static void put_struct(struct buf *out, int shape, const char *item, int depth)
{
    const struct shape *s = &shapes[shape];
    char room[256] = {0};
    uint32_t size = s->sized ? CONST_MEMBER(uint32_t, item) : s->size;
    if (size < s->size)
        item = memcpy(room, item, size);
    for (int i = 0; i < s->n_members; i++)
        put_member(out, &s->members[i], item, depth);
}

void frame_put(struct buf *out, int shape, const void *item)
{
    put_one(out, shape, item, 0);
}

void frame_put_many(struct buf *out, int shape, const void *items, uint32_t n, uint32_t stride)
{
    put_array(out, shape, items, n, stride, 0);
}

/* --- getting --- */

static size_t left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

static uint64_t get_at_most(struct reader *r, uint64_t most)
{
    uint64_t v = get_u64(r);
    r->bad = r->bad || v > most;
    return r->bad ? 0 : v;
}

/* Each thing counted takes so many bytes at least, which bounds what a count that lies can cost. */
static uint32_t get_count(struct reader *r, size_t least_bytes)
{
    uint64_t most = left(r) / least_bytes;
    return (uint32_t)get_at_most(r, most < FRAME_ITEMS_MAX ? most : FRAME_ITEMS_MAX);
}

static void get_struct(struct reader *r, struct arena *a, int shape, char *item, int depth);

/* A struct takes a byte for each of its members, but for its size. */
static void *get_array(struct reader *r, struct arena *a, int shape, uint32_t *n, int depth)
{
    const struct shape *s = &shapes[shape];
    *n = get_count(r, s->n_members - s->sized);
    r->bad = r->bad || (*n && depth >= DEPTH_MAX);
    if (r->bad || !*n) {
        *n = 0;
        return NULL;
    }
    char *items = arena_alloc(a, (size_t)*n * s->size);
    for (uint32_t i = 0; i < *n && !r->bad; i++)
        get_struct(r, a, shape, items + (size_t)s->size * i, depth + 1);
    return items;
}

static const char *const *get_texts(struct reader *r, struct arena *a, uint32_t *n)
{
    *n = get_count(r, 1);
    const char **texts = arena_alloc(a, ((size_t)*n + 1) * sizeof *texts);
    for (uint32_t i = 0; i < *n && !r->bad; i++) {
        texts[i] = get_text(r, a);
        r->bad = r->bad || !texts[i];
    }
    return *n ? texts : NULL;
}

static const char *get_bytes(struct reader *r, struct arena *a, size_t *size)
{
    uint64_t n = get_at_most(r, (uint64_t)left(r) + 1);
    *size = 0;
    if (!n)
        return NULL;
    r->bad = r->bad || n - 1 > left(r); /* the number itself took some of them */
    if (r->bad)
        return NULL;
    const uint8_t *at = r->at;
    *size = (size_t)n - 1;
    r->at += *size;
    return arena_dup(a, at, *size);
}

static void *get_one(struct reader *r, struct arena *a, int shape, int depth)
{
    uint8_t there = get_u8(r);
    r->bad = r->bad || there > 1 || (there && depth >= DEPTH_MAX);
    if (r->bad || !there)
        return NULL;
    char *item = arena_alloc(a, shapes[shape].size);
    get_struct(r, a, shape, item, depth + 1);
    return item;
}

static void get_member(struct reader *r, struct arena *a, const struct member *m, int shape, char *item, int depth)
{
    char *at = item + m->at;
    uint32_t n = 0;
    switch (m->kind) {
    case MEMBER_U32:
        MEMBER(uint32_t, at) = (uint32_t)get_at_most(r, UINT32_MAX);
        break;
    case MEMBER_U64:
        MEMBER(uint64_t, at) = get_u64(r);
        break;
    case MEMBER_I64:
        MEMBER(int64_t, at) = get_i64(r);
        break;
    case MEMBER_VERSION:
        MEMBER(uint16_t, at) = (uint16_t)get_at_most(r, UINT16_MAX);
        break;
    case MEMBER_SIZE:
        MEMBER(uint32_t, at) = shapes[shape].size;
        break;
    case MEMBER_TEXT:
        MEMBER(const char *, at) = get_text(r, a);
        break;
    case MEMBER_BYTES:
        MEMBER(const char *, at) = get_bytes(r, a, &MEMBER(size_t, item + m->count_at));
        break;
    case MEMBER_ONE:
        MEMBER(void *, at) = get_one(r, a, m->shape, depth);
        break;
    case MEMBER_MANY:
        MEMBER(void *, at) = get_array(r, a, m->shape, &n, depth);
        MEMBER(uint32_t, item + m->count_at) = n;
        if (m->stride_at)
            MEMBER(uint32_t, item + m->stride_at) = shapes[m->shape].size;
        break;
    case MEMBER_TEXTS:
        MEMBER(const char *const *, at) = get_texts(r, a, &n);
        MEMBER(uint32_t, item + m->count_at) = n;
        break;
    default:
        break;
    }
}

static void get_struct(struct reader *r, struct arena *a, int shape, char *item, int depth)
{
    const struct shape *s = &shapes[shape];
    for (int i = 0; i < s->n_members && !r->bad; i++)
        get_member(r, a, &s->members[i], shape, item, depth);
}

void *frame_get(struct reader *r, struct arena *a, int shape)
{
    void *item = get_one(r, a, shape, 0);
    return r->bad ? NULL : item;
}

void *frame_get_many(struct reader *r, struct arena *a, int shape, uint32_t *n)
{
    void *items = get_array(r, a, shape, n, 0);
    if (r->bad)
        *n = 0;
    return r->bad ? NULL : items;
}
