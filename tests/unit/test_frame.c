/* SPDX-License-Identifier: MIT */
/* test_frame.c - frames: every struct there and back, of other ABIs too; cut or flipped anywhere they are refused or harmless. */
#include <string.h>

#include "check.h"
#include "frame_kit.h"

static struct reader over(struct slice s)
{
    return (struct reader){.at = s.data, .end = (const uint8_t *)s.data + s.size};
}

static void every_struct_there_and_back(void)
{
    for (int shape = 1; shape < N_SHAPES; shape++) {
        struct arena a = {0};
        struct buf once = {0}, again = {0};
        frame_put(&once, shape, kit_all[shape]);
        struct reader r = over(slice_of(once.data, once.size));
        const void *got = frame_get(&r, &a, shape);
        CU_ASSERT_PTR_NOT_NULL_FATAL(got);
        CU_ASSERT(!r.bad && r.at == r.end);
        frame_put(&again, shape, got);
        CU_ASSERT(once.size == again.size && memcmp(once.data, again.data, once.size) == 0);
        buf_fini(&once);
        buf_fini(&again);
        arena_fini(&a);
    }
}

static const void *cross(struct arena *a, int shape, const void *item)
{
    struct buf b = {0};
    frame_put(&b, shape, item);
    struct reader r = over(slice_of(b.data, b.size));
    const void *got = frame_get(&r, a, shape);
    CU_ASSERT(!r.bad);
    buf_fini(&b);
    return got;
}

/* Bytes that come back alike could both be wrong. */
static void members_arrive(void)
{
    struct arena a = {0};
    const struct sl_item *i = cross(&a, SHAPE_ITEM, &kit_item);
    CU_ASSERT(i->size == sizeof *i && i->kind == SL_ITEM_RECORD && i->error_class == SL_GONE);
    CU_ASSERT_STRING_EQUAL(i->object, "tickets");
    const struct sl_record *r = i->record;
    CU_ASSERT(r->modified_ms == -5 && r->created_ms == 1700000000000 && r->modified_grain_ms == 1);
    CU_ASSERT_STRING_EQUAL(r->version, "");
    CU_ASSERT(r->n_fields == 8 && r->field_size == sizeof(struct sl_value));
    CU_ASSERT(r->fields[2].type == SL_ABSENT && r->fields[1].text == NULL && r->fields[3].text != NULL);
    CU_ASSERT(r->fields[4].number == INT64_MIN && r->fields[5].grain_ms == 1000);
    CU_ASSERT_STRING_EQUAL(r->fields[6].object, "users");
    CU_ASSERT(r->fields[7].n_items == 2 && r->fields[7].items[1].number == -9 && r->fields[7].items[0].name == NULL);
    const struct sl_http_request *q = cross(&a, SHAPE_REQUEST, &kit_request);
    CU_ASSERT(q->body_bytes == 3 && memcmp(q->body, "a\0b", 4) == 0);
    const struct frame_return *ret = cross(&a, SHAPE_RETURN, &kit_return);
    CU_ASSERT(ret->n_objects == 1 && ret->objects->caps == UINT64_MAX && ret->objects->fields[0].n_values == 3);
    CU_ASSERT_PTR_NULL(cross(&a, SHAPE_PAGE, NULL));
    arena_fini(&a);
}

/* ABI 1.0's structs are smaller than ours, a later ABI's are larger. */
static void other_abis_cross(void)
{
    struct arena a = {0};
    struct sl_item item = kit_item;
    struct sl_object object = kit_object;
    struct sl_pull pull = kit_pull;
    item.size = offsetof(struct sl_item, object);
    object.size = offsetof(struct sl_object, parent_object);
    pull.size = offsetof(struct sl_pull, parent_id);
    const struct sl_item *i = cross(&a, SHAPE_ITEM, &item);
    const struct sl_object *o = cross(&a, SHAPE_OBJECT, &object);
    const struct sl_pull *p = cross(&a, SHAPE_PULL, &pull);
    CU_ASSERT(i->object == NULL && i->size == sizeof *i && strcmp(i->message, "why") == 0);
    CU_ASSERT(o->parent_object == NULL && o->idempotency_ttl_s == 7);
    CU_ASSERT(p->parent_id == NULL && p->page_max == 7);

    struct {
        struct sl_value v;
        uint64_t newer;
    } later[2] = {{kit_fields[0], 1}, {kit_fields[4], 2}};
    struct sl_record r = kit_record;
    r.fields = &later[0].v;
    r.n_fields = 2;
    r.field_size = sizeof later[0];
    const struct sl_record *got = cross(&a, SHAPE_RECORD, &r);
    CU_ASSERT(got->n_fields == 2 && got->field_size == sizeof(struct sl_value));
    CU_ASSERT_STRING_EQUAL(got->fields[1].name, "n");

    char smaller[2][offsetof(struct sl_field, ref_object)];
    memcpy(smaller[0], &kit_described[0], sizeof smaller[0]);
    memcpy(smaller[1], &kit_described[1], sizeof smaller[1]);
    object.fields = (const void *)smaller;
    object.field_size = sizeof smaller[0];
    o = cross(&a, SHAPE_OBJECT, &object);
    CU_ASSERT(o->n_fields == 2 && o->fields[0].ref_object == NULL && o->fields[0].max_bytes == 9);
    CU_ASSERT_STRING_EQUAL(o->fields[1].name, "plain");
    arena_fini(&a);
}

/* In memory of just that size, so that a sanitizer sees a read beyond it. */
static bool taken(const void *bytes, size_t n, int shape)
{
    struct arena a = {0};
    uint8_t *copy = mem_alloc(n + 1);
    memcpy(copy, bytes, n);
    uint8_t *exact = mem_grow(NULL, n ? n : 1);
    memcpy(exact, copy, n);
    struct reader r = over(slice_of(exact, n));
    bool good = frame_get(&r, &a, shape) != NULL;
    mem_free(copy);
    mem_free(exact);
    arena_fini(&a);
    return good;
}

static void cut_anywhere_it_is_refused(void)
{
    for (int shape = 1; shape < N_SHAPES; shape++) {
        struct buf b = {0};
        frame_put(&b, shape, kit_all[shape]);
        for (size_t n = 0; n < b.size; n++)
            CU_ASSERT(!taken(b.data, n, shape));
        CU_ASSERT(taken(b.data, b.size, shape));
        buf_fini(&b);
    }
}

static void flipped_anywhere_it_is_harmless(void)
{
    uint64_t n = 0, refused = 0;
    for (int shape = 1; shape < N_SHAPES; shape++) {
        struct buf b = {0};
        frame_put(&b, shape, kit_all[shape]);
        for (size_t i = 0; i < b.size * 8; i++, n++) {
            b.data[i / 8] = (char)(b.data[i / 8] ^ 1 << i % 8);
            refused += !taken(b.data, b.size, shape);
            b.data[i / 8] = (char)(b.data[i / 8] ^ 1 << i % 8);
        }
        buf_fini(&b);
    }
    CU_ASSERT(refused > n / 20);
    check_cases(n);
}

/* Counts, sizes, depth and NULLs that lie. */
static void lies_are_refused(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        int shape;
    } lies[] = {
        {"\x02", 1, SHAPE_PAGE}, /* neither there nor not */
        {"\x01\x01\xff\xff\xff\xff\x0f\0\0", 9, SHAPE_PAGE}, /* a text of 4 GB */
        {"\x01\x80\x80\x80\x80\x10\0\0", 8, SHAPE_PAGE}, /* a kind over 32 bits */
        {"\x01\x01\x03\x61\0\0", 6, SHAPE_PAGE}, /* a NUL in a text */
        {"\x01\0\x02\x02\x61\0", 6, SHAPE_GET}, /* one of the ids is NULL */
        {"\x01\x00\xff\xff\xff\xff\x7f", 7, SHAPE_START}, /* more paths than bytes */
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        CU_ASSERT(!taken(lies[i].bytes, lies[i].n, lies[i].shape));
}

/* A set in a set in a set: none is put deeper than a fixed depth, and none is taken. */
static void depth_is_bounded(void)
{
    struct sl_value nest[64] = {0};
    struct buf deep = {0};
    struct arena a = {0};
    for (int i = 0; i < 64; i++)
        nest[i] =
            (struct sl_value){.type = SL_SET, .items = &nest[(i + 1) % 64], .n_items = 1, .item_size = sizeof *nest};
    CU_ASSERT_PTR_NOT_NULL(cross(&a, SHAPE_VALUE, nest));
    put_u8(&deep, 1);
    for (int i = 0; i < 5000; i++)
        buf_add(&deep, "\0\x0a\0\0\0\0\x01", 7);
    buf_add(&deep, "\0\0\0\0\0\0\0", 7);
    CU_ASSERT(!taken(deep.data, deep.size, SHAPE_VALUE));
    buf_fini(&deep);
    arena_fini(&a);
}

static void frames_are_found_whole(void)
{
    struct buf b = {0};
    struct reader body;
    int kind = 0;
    size_t from = frame_begin(&b, FRAME_LOG);
    put_u64(&b, 3);
    CU_ASSERT(frame_end(&b, from));
    size_t one = b.size;
    CU_ASSERT(frame_end(&b, frame_begin(&b, FRAME_CLOSE)));
    for (size_t n = 0; n < one; n++)
        CU_ASSERT_EQUAL(frame_find(slice_of(b.data, n), &kind, &body), 0);
    CU_ASSERT_EQUAL(frame_find(slice_of(b.data, b.size), &kind, &body), (int64_t)one);
    CU_ASSERT(kind == FRAME_LOG && get_u64(&body) == 3 && body.at == body.end);
    CU_ASSERT_EQUAL(frame_find(slice_of(b.data + one, b.size - one), &kind, &body), FRAME_HEAD + 1);
    CU_ASSERT(kind == FRAME_CLOSE && body.at == body.end);
    CU_ASSERT_EQUAL(frame_find(slice_of("\0\0\0\0x", 5), &kind, &body), -1);
    CU_ASSERT_EQUAL(frame_find(slice_of("\xff\xff\xff\xffx", 5), &kind, &body), -1);
    CU_ASSERT_EQUAL(frame_find(slice_of("\1\0\0\0\0", 5), &kind, &body), -1);
    CU_ASSERT_EQUAL(frame_find(slice_of("\1\0\0\0\xfe", 5), &kind, &body), -1);
    buf_fini(&b);
}

static void too_large_is_taken_out_again(void)
{
    struct buf b = {0};
    buf_text(&b, "before");
    size_t from = frame_begin(&b, FRAME_LOG);
    buf_room(&b, FRAME_MAX);
    memset(b.data + b.size, 'x', FRAME_MAX);
    buf_took(&b, FRAME_MAX - 1);
    CU_ASSERT(frame_end(&b, from));
    buf_byte(&b, 'x');
    CU_ASSERT(!frame_end(&b, from));
    CU_ASSERT_EQUAL(b.size, 6);
    buf_fini(&b);
}

static const struct check tests[] = {
    {"every struct there and back", every_struct_there_and_back},
    {"members arrive", members_arrive},
    {"structs of other ABIs cross", other_abis_cross},
    {"cut anywhere it is refused", cut_anywhere_it_is_refused},
    {"flipped anywhere it is harmless", flipped_anywhere_it_is_harmless},
    {"lies are refused", lies_are_refused},
    {"depth is bounded", depth_is_bounded},
    {"frames are found whole", frames_are_found_whole},
    {"what is too large is taken out again", too_large_is_taken_out_again},
};

CHECK_MAIN("frame", tests)
