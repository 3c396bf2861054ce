/* SPDX-License-Identifier: MIT */
/* test_record.c - records: bytes there and back, digests, rows, labels, JSON. */
#include "check.h"
#include "values.h"

enum { N_GENERATED = 20000 };

static const char *const field_names[] = {"title", "body", "status",     "tags", "amount",
                                          "due",   "a",    "custom.x y", "é",    "zz"};
enum { N_NAMES = sizeof(field_names) / sizeof(*field_names) };

/* Up to ten fields with names in a random order, some absent. */
static struct sl_record generate(uint64_t *seed, struct arena *a)
{
    struct sl_value *fields = arena_alloc(a, N_NAMES * sizeof(*fields));
    struct sl_record r = {.size = sizeof(r), .field_size = sizeof(*fields), .fields = fields};
    uint32_t first = values_below(seed, N_NAMES);
    for (uint32_t i = 0; i < N_NAMES; i++)
        if (values_below(seed, 4))
            fields[r.n_fields++] = values_any(seed, a, field_names[(first + i * 3) % N_NAMES]);
    r.id = arena_printf(a, "%u", values_below(seed, 1000));
    r.version = values_below(seed, 2) ? values_text(seed, a) : NULL;
    r.label = values_below(seed, 2) ? values_text(seed, a) : NULL;
    r.parent_id = values_below(seed, 4) ? NULL : "p";
    r.correlation = values_below(seed, 4) ? NULL : "";
    r.modified_ms = values_number(seed);
    r.created_ms = values_number(seed);
    r.modified_grain_ms = values_below(seed, 2) ? 1000 : 0;
    return r;
}

static bool same_head(const struct sl_record *x, const struct sl_record *y)
{
    return text_equal(x->id, y->id) && text_equal(x->version, y->version) && text_equal(x->label, y->label) &&
           text_equal(x->parent_id, y->parent_id) && text_equal(x->correlation, y->correlation) &&
           x->modified_ms == y->modified_ms && x->created_ms == y->created_ms &&
           x->modified_grain_ms == y->modified_grain_ms;
}

/* Every field of x is the same in y; absent and not there are one. */
static bool fields_within(const struct sl_record *x, const struct sl_record *y)
{
    for (uint32_t i = 0; i < x->n_fields; i++) {
        const struct sl_value *v = sl_value_at(x->fields, x->field_size, i);
        const struct sl_value *w = record_field(y, v->name);
        if (v->type != SL_ABSENT && (!w || !value_same(v, w) || v->grain_ms != w->grain_ms))
            return false;
    }
    return true;
}

static bool same_record(const struct sl_record *x, const struct sl_record *y)
{
    return same_head(x, y) && fields_within(x, y) && fields_within(y, x);
}

static bool same_bytes(const struct buf *x, const struct buf *y)
{
    return x->size == y->size && memcmp(x->data, y->data, x->size) == 0;
}

static void test_round_trip(void)
{
    struct arena a = {0};
    uint64_t seed = 31;
    for (int i = 0; i < N_GENERATED; i++) {
        struct buf bytes = {0};
        struct buf again = {0};
        struct err e = {0};
        struct sl_record r = generate(&seed, &a);
        record_encode(&bytes, &r);
        struct sl_record *back = record_decode(&a, slice_of(bytes.data, bytes.size), &e);
        CU_ASSERT_TRUE(back && same_record(&r, back));
        CU_ASSERT_EQUAL(record_digest(back), record_digest(&r));
        record_encode(&again, back);
        CU_ASSERT_TRUE(same_bytes(&bytes, &again));
        CU_ASSERT_TRUE(same_record(&r, record_copy(&a, &r)));
        buf_fini(&bytes);
        buf_fini(&again);
        arena_reset(&a);
    }
    arena_fini(&a);
}

static void reverse(struct sl_value *values, uint32_t n)
{
    for (uint32_t i = 0; i < n / 2; i++) {
        struct sl_value v = values[i];
        values[i] = values[n - 1 - i];
        values[n - 1 - i] = v;
    }
}

/* The record with its fields, and the items of its sets, the other way around. */
static struct sl_record *turned(struct arena *a, const struct sl_record *r)
{
    struct sl_record *copy = record_copy(a, r);
    struct sl_value *fields = arena_dup(a, copy->fields, copy->n_fields * sizeof(*fields));
    for (uint32_t i = 0; i < copy->n_fields; i++) {
        struct sl_value *items = arena_dup(a, fields[i].items, fields[i].n_items * sizeof(*items));
        reverse(items, fields[i].n_items);
        fields[i].items = items;
    }
    reverse(fields, copy->n_fields);
    copy->fields = fields;
    return copy;
}

static void test_order(void)
{
    struct arena a = {0};
    uint64_t seed = 32;
    for (int i = 0; i < N_GENERATED / 4; i++) {
        struct buf bytes = {0};
        struct buf other = {0};
        struct err e = {0};
        struct sl_record r = generate(&seed, &a);
        struct sl_record *t = turned(&a, &r);
        record_encode(&bytes, &r);
        record_encode(&other, t);
        struct sl_record *x = record_decode(&a, slice_of(bytes.data, bytes.size), &e);
        struct sl_record *y = record_decode(&a, slice_of(other.data, other.size), &e);
        CU_ASSERT_TRUE(x && y && record_digest(x) == record_digest(y));
        CU_ASSERT_EQUAL(record_digest(&r), record_digest(t));
        buf_fini(&bytes);
        buf_fini(&other);
        arena_reset(&a);
    }
    arena_fini(&a);
}

static struct sl_record one_field(struct sl_value *v)
{
    return (struct sl_record){
        .size = sizeof(struct sl_record), .id = "1", .fields = v, .n_fields = 1, .field_size = sizeof(*v)};
}

static void test_canonical(void)
{
    struct sl_value v[3] = {value_string("b", "x"), value_int("a", 5), value_absent("c")};
    struct sl_value w[2] = {value_int("a", 5), value_string("b", "x")};
    struct sl_record x = {.id = "1", .fields = v, .n_fields = 3, .field_size = sizeof(*v)};
    struct sl_record y = {.id = "1", .fields = w, .n_fields = 2, .field_size = sizeof(*w)};
    struct buf p = {0};
    struct buf q = {0};
    record_encode(&p, &x);
    record_encode(&q, &y);
    CU_ASSERT_TRUE(same_bytes(&p, &q));
    CU_ASSERT_EQUAL(record_digest(&x), record_digest(&y));
    buf_fini(&p);
    buf_fini(&q);
}

/* The bytes are on disk: a change here needs a new version and a reader of the old one. */
static void test_golden(void)
{
    struct sl_value tags[2] = {value_string(NULL, "b"), value_string(NULL, "a")};
    struct sl_value v[4] = {value_string("title", "Hé"),
                            value_int("n", -3),
                            value_null("due"),
                            {.name = "tags", .type = SL_SET, .items = tags, .n_items = 2, .item_size = sizeof(*tags)}};
    struct sl_record r = {
        .id = "42", .version = "v1", .modified_ms = 1000, .modified_grain_ms = 1000, .fields = v, .n_fields = 4};
    r.field_size = sizeof(*v);
    struct buf bytes = {0};
    record_encode(&bytes, &r);
    char hex[256];
    CU_ASSERT_TRUE_FATAL(bytes.size < 100);
    hex_encode(bytes.data, bytes.size, hex);
    CU_ASSERT_STRING_EQUAL(hex, "01033432037631d00fe80700000000040464756501026e030505746167730a020501610501620674"
                                "69746c65050348c3a999c0b198f106c5c5");
    CU_ASSERT_EQUAL(record_digest(&r), 0xade1d377995307f9u);
    buf_fini(&bytes);
}

static void test_digest(void)
{
    struct arena a = {0};
    static const struct {
        uint32_t x_type;
        const char *x;
        uint32_t y_type;
        const char *y;
    } pairs[] = {{SL_STRING, "", SL_NULL, NULL},
                 {SL_NULL, NULL, SL_ABSENT, NULL},
                 {SL_STRING, "1", SL_INT, "1"},
                 {SL_DECIMAL, "1", SL_INT, "1"},
                 {SL_DECIMAL, "0.1", SL_DECIMAL, "0.10"},
                 {SL_STRING, "a", SL_ENUM, "a"},
                 {SL_SET, "[\"a\"]", SL_SET, "[\"b\"]"},
                 {SL_SET, "[\"a\",\"b\"]", SL_SET, "[\"b\",\"a\",\"a\"]"},
                 {SL_REF, "users:1", SL_REF, "teams:1"},
                 {SL_JSON, "{\"a\":1,\"b\":2}", SL_JSON, "{\"b\":2,\"a\":1}"},
                 {SL_JSON, "[1,2]", SL_JSON, "[2,1]"},
                 {SL_TIMESTAMP, "2026-11-23T09:00:00Z", SL_TIMESTAMP, "2026-11-23T09:00:00.000Z"}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        struct sl_value x = values_make(&a, pairs[i].x_type, pairs[i].x);
        struct sl_value y = values_make(&a, pairs[i].y_type, pairs[i].y);
        struct sl_record r = one_field(&x);
        struct sl_record s = one_field(&y);
        CU_ASSERT_EQUAL(record_digest(&r) == record_digest(&s), value_same(&x, &y));
        s = r;
        s.version = "other";
        s.modified_ms = 5;
        CU_ASSERT_EQUAL(record_digest(&r), record_digest(&s));
    }
    arena_fini(&a);
}

static void test_damage(void)
{
    struct arena a = {0};
    struct buf bytes = {0};
    uint64_t seed = 33;
    struct sl_record r = generate(&seed, &a);
    record_encode(&bytes, &r);
    for (size_t i = 0; i < bytes.size; i++) {
        struct err e = {0};
        bytes.data[i] ^= 4;
        CU_ASSERT_PTR_NULL(record_decode(&a, slice_of(bytes.data, bytes.size), &e));
        CU_ASSERT_EQUAL(e.code, ERR_STATE);
        bytes.data[i] ^= 4;
        struct err cut = {0};
        CU_ASSERT_PTR_NULL(record_decode(&a, slice_of(bytes.data, i), &cut));
        CU_ASSERT_EQUAL(cut.code, ERR_STATE);
    }
    buf_fini(&bytes);
    arena_fini(&a);
}

/* Payloads that a checksum vouches for and that no encoder writes. */
static void test_malformed(void)
{
    static const struct {
        const char *what;
        const char *
            payload; /* hex, without version and checksum; the head of a record with id "" is 01 00 00 00 00 00 00 00 */
    } cases[] = {
        {"nothing", ""},
        {"fields missing", "0100000000000000"
                           "01"},
        {"bytes behind the end", "0100000000000000"
                                 "0000"},
        {"a longer number than needed", "0100000000000000"
                                        "8000"},
        {"a number beyond 64 bits", "0100000000000000"
                                    "ffffffffffffffffff7f"},
        {"more fields than bytes", "0100000000000000"
                                   "ffffffff0f"},
        {"an unknown type", "0100000000000000"
                            "01"
                            "02610c"},
        {"an absent field", "0100000000000000"
                            "01"
                            "026100"},
        {"a bool of 2", "0100000000000000"
                        "01"
                        "02610202"},
        {"fields out of order", "0100000000000000"
                                "02"
                                "026201"
                                "026101"},
        {"a field twice", "0100000000000000"
                          "02"
                          "026101"
                          "026101"},
        {"a set out of order", "0100000000000000"
                               "01"
                               "02610a02"
                               "050162"
                               "050161"},
        {"a set in a set", "0100000000000000"
                           "01"
                           "02610a01"
                           "0a00"},
        {"more items than bytes", "0100000000000000"
                                  "01"
                                  "02610affffffff0f"},
        {"a text that runs out", "0100000000000000"
                                 "01"
                                 "0261050561"},
        {"a NUL in an id", "020000000000000000"
                           "00"},
        {"a granularity beyond 32 bits", "0100000000000000"
                                         "01"
                                         "0261070080808080"
                                         "10"},
    };
    struct arena a = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buf bytes = {0};
        struct err e = {0};
        uint8_t payload[64];
        size_t n = strlen(cases[i].payload) / 2;
        CU_ASSERT_TRUE_FATAL(hex_decode(cases[i].payload, payload, n));
        put_u8(&bytes, 1);
        buf_add(&bytes, payload, n);
        row_seal(&bytes, 0);
        struct sl_record *r = record_decode(&a, slice_of(bytes.data, bytes.size), &e);
        if (r)
            printf("\n  accepted: %s\n", cases[i].what);
        CU_ASSERT_PTR_NULL(r);
        CU_ASSERT_EQUAL(e.code, ERR_STATE);
        CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "a record in the state is no record of encoding 1 ("));
        buf_fini(&bytes);
    }
    arena_fini(&a);
}

static void test_rows(void)
{
    struct arena a = {0};
    struct buf out = {0};
    struct err e = {0};
    struct reader r;
    uint8_t version = 0;
    static const int64_t numbers[] = {0, 1, -1, 63, 64, -64, -65, 127, 128, INT64_MAX, INT64_MIN};
    enum { N = sizeof(numbers) / sizeof(*numbers) };
    buf_text(&out, "before");
    size_t from = out.size;
    put_u8(&out, 3);
    for (int i = 0; i < N; i++) {
        put_i64(&out, numbers[i]);
        put_u64(&out, (uint64_t)numbers[i]);
    }
    put_text(&out, NULL);
    put_text(&out, "");
    put_text(&out, "é");
    put_blob(&out, "\0\1", 2);
    row_seal(&out, from);
    CU_ASSERT_EQUAL(row_open(slice_of(out.data + from, out.size - from), 3, &r, &version, "link", &e), 0);
    CU_ASSERT_EQUAL(version, 3);
    for (int i = 0; i < N; i++) {
        CU_ASSERT_EQUAL(get_i64(&r), numbers[i]);
        CU_ASSERT_EQUAL(get_u64(&r), (uint64_t)numbers[i]);
    }
    CU_ASSERT_PTR_NULL(get_text(&r, &a));
    CU_ASSERT_STRING_EQUAL(get_text(&r, &a), "");
    CU_ASSERT_STRING_EQUAL(get_text(&r, &a), "é");
    struct slice blob = get_blob(&r);
    CU_ASSERT_TRUE(blob.size == 2 && memcmp(blob.data, "\0\1", 2) == 0);
    CU_ASSERT_TRUE(!r.bad && r.at == r.end);
    CU_ASSERT_EQUAL(get_u64(&r), 0); /* sticky */
    CU_ASSERT_TRUE(r.bad && get_text(&r, &a)[0] == '\0' && get_blob(&r).size == 0);
    CU_ASSERT_EQUAL(row_open(slice_of(out.data + from, out.size - from), 2, &r, &version, "link", &e), ERR_STATE);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "the link in the state has encoding 3 and this program knows up to 2"));
    buf_fini(&out);
    arena_fini(&a);
}

static void test_label(void)
{
    static const char long_text[] = "0123456789012345678901234567890123456789012345678901234567é€rest";
    struct arena a = {0};
    struct sl_value v[4] = {value_string("subject", "the subject"), value_string("title", ""), value_int("name", 5),
                            value_string("number", "INV-1")};
    struct sl_record r = {.id = "id-1", .label = "the label", .fields = v, .n_fields = 4, .field_size = sizeof(*v)};
    CU_ASSERT_STRING_EQUAL(record_label(&a, &r), "the label");
    r.label = "";
    CU_ASSERT_STRING_EQUAL(record_label(&a, &r), "the subject");
    v[0] = value_string("other", "x");
    CU_ASSERT_STRING_EQUAL(record_label(&a, &r), "INV-1");
    v[3].text_size = 3;
    CU_ASSERT_STRING_EQUAL(record_label(&a, &r), "INV");
    v[3] = value_null("number");
    CU_ASSERT_STRING_EQUAL(record_label(&a, &r), "id-1");
    v[1] = value_string("title", long_text);
    CU_ASSERT_EQUAL(strlen(record_label(&a, &r)), 60);
    v[1] = value_string("title", long_text + 1);
    CU_ASSERT_EQUAL(strlen(record_label(&a, &r)), 59);
    v[1] = value_string("title", "two\nlines");
    CU_ASSERT_STRING_EQUAL(record_label(&a, &r), "two lines");
    arena_fini(&a);
}

static void test_json(void)
{
    static const char text[] = "{\"id\":123456789012345678,\"amount\":0.10,\"big\":1e400,\"s\":\"\",\"n\":null,"
                               "\"b\":false,\"l\":[1,\"a\"],\"o\":{\"z\":1,\"a\":2.0},\"\":1}";
    struct arena a = {0};
    struct err e = {0};
    struct buf out = {0};
    struct json_doc *doc = json_parse(text, strlen(text), NULL, &e);
    struct sl_record *r = record_from_json(&a, "7", json_root(doc));
    json_free(doc);
    CU_ASSERT_STRING_EQUAL(r->id, "7");
    record_put_json(&out, r);
    CU_ASSERT_STRING_EQUAL(out.data, text);
    struct sl_value *fields = arena_dup(&a, r->fields, r->n_fields * sizeof(*fields));
    fields[0] = value_absent("id");
    r->fields = fields;
    buf_clear(&out);
    record_put_json(&out, r);
    CU_ASSERT_PTR_NULL(strstr(out.data, "\"id\""));
    CU_ASSERT_PTR_NULL(record_field(r, "missing"));
    CU_ASSERT_EQUAL(record_field(r, "b")->type, SL_BOOL);
    buf_fini(&out);
    arena_fini(&a);
}

static const struct check tests[] = {
    {"bytes there and back, exactly (generated)", test_round_trip},
    {"I13: the order of fields and items is no change (generated)", test_order},
    {"equal records have equal bytes", test_canonical},
    {"the bytes of encoding 1", test_golden},
    {"I13, I35: the digest tells what value_same tells", test_digest},
    {"every damaged byte and every cut is seen", test_damage},
    {"what no encoder writes is refused", test_malformed},
    {"rows: numbers, texts, versions", test_rows},
    {"labels", test_label},
    {"records as JSON", test_json},
};
CHECK_MAIN("record", tests)
