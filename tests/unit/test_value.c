/* SPDX-License-Identifier: MIT */
/* test_value.c - values: same, equal, ordered, empty, merged, printed. */
#include "check.h"
#include "values.h"

enum { N_GENERATED = 20000 };

struct two {
    uint32_t x_type;
    const char *x;
    uint32_t y_type;
    const char *y;
    bool want;
};

static void check_two(const struct two *cases, size_t n, bool (*f)(const struct sl_value *, const struct sl_value *))
{
    struct arena a = {0};
    for (size_t i = 0; i < n; i++) {
        const struct two *c = &cases[i];
        struct sl_value x = values_make(&a, c->x_type, c->x);
        struct sl_value y = values_make(&a, c->y_type, c->y);
        if (f(&x, &y) != c->want || f(&y, &x) != c->want)
            printf("\n  %s %s and %s %s\n", value_type_name(c->x_type), c->x, value_type_name(c->y_type), c->y);
        CU_ASSERT_EQUAL(f(&x, &y), c->want);
        CU_ASSERT_EQUAL(f(&y, &x), c->want);
    }
    arena_fini(&a);
}

#define CHECK_TWO(cases, f) check_two(cases, sizeof(cases) / sizeof(*(cases)), f)

static void test_nothing(void)
{
    static const struct two cases[] = {
        {SL_ABSENT, NULL, SL_ABSENT, NULL, true}, {SL_NULL, NULL, SL_NULL, NULL, true},
        {SL_STRING, "", SL_STRING, "", true},     {SL_ABSENT, NULL, SL_NULL, NULL, false},
        {SL_NULL, NULL, SL_STRING, "", false},    {SL_ABSENT, NULL, SL_STRING, "", false},
        {SL_NULL, NULL, SL_SET, "[]", false},     {SL_NULL, NULL, SL_JSON, "[]", false},
        {SL_NULL, NULL, SL_INT, "0", false},      {SL_NULL, NULL, SL_BOOL, "false", false},
    };
    CHECK_TWO(cases, value_same);
    CHECK_TWO(cases, value_equal);
}

static void test_same(void)
{
    static const struct two cases[] = {
        {SL_INT, "1", SL_INT, "1", true},
        {SL_INT, "1", SL_INT, "2", false},
        {SL_INT, "1", SL_DECIMAL, "1", false},
        {SL_INT, "1", SL_DECIMAL, "1.0", false},
        {SL_DECIMAL, "0.10", SL_DECIMAL, "0.1", false},
        {SL_DECIMAL, "0.10", SL_DECIMAL, "0.10", true},
        {SL_STRING, "a", SL_STRING, "A", false},
        {SL_STRING, "a", SL_STRING, "a ", false},
        {SL_STRING, "a", SL_ENUM, "a", false},
        {SL_STRING, "é", SL_STRING, "e\xCC\x81", false},
        {SL_BOOL, "true", SL_BOOL, "true", true},
        {SL_BOOL, "true", SL_BOOL, "false", false},
        {SL_REF, "users:7", SL_REF, "users:7", true},
        {SL_REF, "users:7", SL_REF, "teams:7", false},
        {SL_REF, "users:7", SL_REF, "7", false},
        {SL_DATE, "2026-11-23", SL_DATE, "2026-11-23", true},
        {SL_DATE, "2026-11-23", SL_DATE, "2026-11-24", false},
        {SL_TIMESTAMP, "2026-11-23T09:00:00Z", SL_TIMESTAMP, "2026-11-23T10:00:00.000+01:00", true},
        {SL_TIMESTAMP, "2026-11-23T09:00:00Z", SL_TIMESTAMP, "2026-11-23T09:00:00.001Z", false},
        {SL_SET, "[\"a\",\"b\"]", SL_SET, "[\"b\",\"a\"]", true},
        {SL_SET, "[\"a\",\"b\",\"a\"]", SL_SET, "[\"b\",\"a\"]", true},
        {SL_SET, "[\"a\",\"b\"]", SL_SET, "[\"a\"]", false},
        {SL_SET, "[\"1\"]", SL_SET, "[1]", false},
        {SL_SET, "[]", SL_SET, "[]", true},
        {SL_SET, "[\"a\"]", SL_JSON, "[\"a\"]", false},
        {SL_JSON, "{\"a\":1,\"b\":{\"c\":2,\"d\":3}}", SL_JSON, "{\"b\":{\"d\":3,\"c\":2},\"a\":1}", true},
        {SL_JSON, "{\"a\":1}", SL_JSON, "{\"a\":1.0}", false},
        {SL_JSON, "{\"a\":null}", SL_JSON, "{}", false},
        {SL_JSON, "[1,2]", SL_JSON, "[2,1]", false},
        {SL_JSON, "[\"\\u00e9\"]", SL_JSON, "[\"é\"]", true},
    };
    CHECK_TWO(cases, value_same);
}

static void test_equal(void)
{
    static const struct two cases[] = {
        {SL_INT, "1", SL_DECIMAL, "1.0", true},
        {SL_INT, "-9223372036854775808", SL_DECIMAL, "-9223372036854775808.000", true},
        {SL_INT, "9007199254740993", SL_DECIMAL, "9007199254740992", false},
        {SL_DECIMAL, "0.10", SL_DECIMAL, "0.1", true},
        {SL_DECIMAL, "0.1", SL_DECIMAL, "0.10000000000000000001", false},
        {SL_INT, "1", SL_BOOL, "true", false},
        {SL_DECIMAL, "1", SL_STRING, "1", false},
        {SL_STRING, "open", SL_ENUM, "open", true},
        {SL_REF, "users:7", SL_REF, "people:7", true},
        {SL_REF, "users:7", SL_STRING, "7", true},
        {SL_DATE, "2026-11-23", SL_STRING, "2026-11-23", false},
        {SL_DATE, "2026-11-23", SL_TIMESTAMP, "2026-11-23T00:00:00Z", false},
        {SL_TIMESTAMP, "2026-11-23T09:00:00Z", SL_TIMESTAMP, "2026-11-23T09:00:00.999Z", true},
        {SL_TIMESTAMP, "2026-11-23T09:00:00Z", SL_TIMESTAMP, "2026-11-23T09:00:01.000Z", false},
        {SL_TIMESTAMP, "1969-12-31T23:59:59Z", SL_TIMESTAMP, "1969-12-31T23:59:59.999Z", true},
        {SL_TIMESTAMP, "1970-01-01T00:00:00Z", SL_TIMESTAMP, "1969-12-31T23:59:59.999Z", false},
        {SL_TIMESTAMP, "2026-11-23T09:00:00.5Z", SL_TIMESTAMP, "2026-11-23T09:00:00.499Z", false},
        {SL_SET, "[\"a\",\"b\"]", SL_JSON, "[\"b\",\"a\"]", true},
        {SL_SET, "[1,2]", SL_JSON, "[2.0,1]", true},
        {SL_SET, "[\"a\"]", SL_JSON, "[\"a\",\"a\"]", true},
        {SL_SET, "[\"a\"]", SL_JSON, "[[\"a\"]]", false},
        {SL_SET, "[\"a\"]", SL_JSON, "{\"a\":1}", false},
        {SL_SET, "[]", SL_JSON, "[]", true},
        {SL_SET, "[1]", SL_SET, "[1.00]", true},
        {SL_JSON, "[1,2]", SL_JSON, "[2,1]", false},
        {SL_JSON, "{\"a\":1.0,\"b\":[]}", SL_JSON, "{\"b\":[],\"a\":1}", true},
        {SL_JSON, "{\"a\":1}", SL_JSON, "{\"a\":1,\"b\":null}", false},
        {SL_JSON, "{\"a\":\"1\"}", SL_JSON, "{\"a\":1}", false},
    };
    CHECK_TWO(cases, value_equal);
}

/* Each row is less than the next. */
static void test_decimal_order(void)
{
    static const char *const rows[] = {
        "-2e999999999999999999999",
        "-1e999999999",
        "-1e400",
        "-10",
        "-9.99",
        "-1",
        "-1e-400",
        "0",
        "1e-999999999999999999999",
        "1e-999999999",
        "1e-400",
        "0.0999",
        "0.1",
        "0.1000000000000000000000000000000000001",
        "0.2",
        "1",
        "9.99",
        "10",
        "10.5",
        "99",
        "1e2",
        "9223372036854775807",
        "9223372036854775808",
        "1e400",
        "1.1e400",
        "9e400",
        "1e401",
        "1e999999999",
        "1e1000000000",
        "1e999999999999999999999",
    };
    struct arena a = {0};
    size_t n = sizeof(rows) / sizeof(*rows);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            struct sl_value x = values_make(&a, SL_DECIMAL, rows[i]);
            struct sl_value y = values_make(&a, SL_DECIMAL, rows[k]);
            int c = value_compare(&x, &y);
            int want = (i > k) - (i < k);
            if ((c > 0) - (c < 0) != want)
                printf("\n  %s and %s: %d\n", rows[i], rows[k], c);
            CU_ASSERT_EQUAL((c > 0) - (c < 0), want);
        }
    arena_fini(&a);
}

static void test_decimal_equal(void)
{
    static const char *const same[][2] = {
        {"0.10", "0.1"},
        {"1e400", "10e399"},
        {"1E+2", "100"},
        {"100", "1e2"},
        {"0", "-0"},
        {"0", "0e999999999"},
        {"0.000", "-0.0e-5"},
        {"12.50", "1.25e1"},
        {"0.001", "1e-3"},
        {"123e-2", "1.23"},
        {"1000e999999996", "1e999999999"},
        {"0.00012", "1.2e-4"},
    };
    struct arena a = {0};
    for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
        struct sl_value x = values_make(&a, SL_DECIMAL, same[i][0]);
        struct sl_value y = values_make(&a, SL_DECIMAL, same[i][1]);
        if (!value_equal(&x, &y))
            printf("\n  %s and %s\n", same[i][0], same[i][1]);
        CU_ASSERT_TRUE(value_equal(&x, &y));
        CU_ASSERT_EQUAL(value_compare(&x, &y), 0);
        CU_ASSERT_EQUAL(value_compare(&y, &x), 0);
    }
    arena_fini(&a);
}

static int sign(int c)
{
    return (c > 0) - (c < 0);
}

static void test_order_laws(void)
{
    struct arena a = {0};
    uint64_t seed = 11;
    for (int i = 0; i < N_GENERATED; i++) {
        struct sl_value v[3];
        for (int k = 0; k < 3; k++)
            v[k] = values_any(&seed, &a, "f");
        CU_ASSERT_EQUAL(value_compare(&v[0], &v[0]), 0);
        CU_ASSERT_EQUAL(sign(value_compare(&v[0], &v[1])), -sign(value_compare(&v[1], &v[0])));
        if (value_compare(&v[0], &v[1]) <= 0 && value_compare(&v[1], &v[2]) <= 0)
            CU_ASSERT_TRUE(value_compare(&v[0], &v[2]) <= 0);
        CU_ASSERT_TRUE(value_equal(&v[0], &v[0]) && value_same(&v[0], &v[0]));
        if (value_same(&v[0], &v[1]))
            CU_ASSERT_TRUE(value_equal(&v[0], &v[1]));
        arena_reset(&a);
    }
    arena_fini(&a);
}

/* Numbers of one type compare as doubles do where doubles are exact. */
static void test_order_against_doubles(void)
{
    struct arena a = {0};
    uint64_t seed = 12;
    for (int i = 0; i < N_GENERATED; i++) {
        char text[2][32];
        double number[2];
        struct sl_value v[2];
        for (int k = 0; k < 2; k++) {
            number[k] = ((double)values_below(&seed, 4001) - 2000) / 64; /* at most six decimals: exact */
            snprintf(text[k], sizeof(text[k]), i & 1 ? "%.6f" : "%.15e", number[k]);
            v[k] = values_make(&a, SL_DECIMAL, text[k]);
        }
        int want = (number[0] > number[1]) - (number[0] < number[1]);
        CU_ASSERT_EQUAL(sign(value_compare(&v[0], &v[1])), want);
        arena_reset(&a);
    }
    arena_fini(&a);
}

static void test_copy(void)
{
    struct arena from = {0};
    struct arena to = {0};
    uint64_t seed = 13;
    for (int i = 0; i < N_GENERATED; i++) {
        struct sl_value v = values_any(&seed, &from, "field");
        struct sl_value copy = value_copy(&to, &v);
        CU_ASSERT_TRUE(value_same(&v, &copy) && copy.grain_ms == v.grain_ms);
        CU_ASSERT_STRING_EQUAL(copy.name, "field");
        CU_ASSERT_TRUE(copy.name != v.name && (!v.text || copy.text != v.text));
        if (copy.text)
            CU_ASSERT_EQUAL(copy.text[copy.text_size], '\0');
        arena_reset(&from);
        arena_reset(&to);
    }
    arena_fini(&from);
    arena_fini(&to);
}

/* A connector's texts need no NUL, and its items may be larger than ours. */
static void test_copy_foreign(void)
{
    struct later {
        struct sl_value value;
        uint64_t more;
    } items[2] = {{{.type = SL_STRING, .text = "abc", .text_size = 2}, 7}, {{.type = SL_INT, .number = 5}, 8}};
    struct sl_value set = {.name = "tags", .type = SL_SET, .items = &items[0].value, .n_items = 2};
    set.item_size = sizeof(items[0]);
    struct arena a = {0};
    struct sl_value copy = value_copy(&a, &set);
    CU_ASSERT_EQUAL(copy.n_items, 2);
    CU_ASSERT_EQUAL(copy.item_size, sizeof(struct sl_value));
    CU_ASSERT_STRING_EQUAL(copy.items[0].text, "ab");
    CU_ASSERT_EQUAL(copy.items[1].number, 5);
    CU_ASSERT_TRUE(value_same(&copy, &set));
    arena_fini(&a);
}

static void test_empty(void)
{
    static const struct {
        uint32_t type;
        const char *text;
        bool want;
    } cases[] = {{SL_ABSENT, NULL, true},   {SL_NULL, NULL, true},     {SL_STRING, "", true},
                 {SL_SET, "[]", true},      {SL_JSON, "[]", true},     {SL_STRING, " ", false},
                 {SL_INT, "0", false},      {SL_BOOL, "false", false}, {SL_JSON, "[0]", false},
                 {SL_SET, "[\"\"]", false}, {SL_DECIMAL, "0", false},  {SL_ENUM, "", true}};
    struct arena a = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sl_value v = values_make(&a, cases[i].type, cases[i].text);
        CU_ASSERT_EQUAL(value_empty(&v), cases[i].want);
    }
    arena_fini(&a);
}

static void test_merge(void)
{
    /* NULL: not known (base), NULL value (x, y) */
    static const struct {
        const char *base_x, *base_y, *x, *y, *want;
    } cases[] = {
        {"[\"a\",\"b\"]", "[\"a\",\"b\"]", "[\"a\",\"b\",\"c\"]", "[\"a\",\"b\",\"d\"]", "[\"a\",\"b\",\"c\",\"d\"]"},
        {"[\"a\",\"b\"]", "[\"a\",\"b\"]", "[\"a\"]", "[\"b\",\"a\",\"d\"]", "[\"a\",\"d\"]"},
        {"[\"a\",\"b\"]", "[\"a\",\"b\"]", "[\"a\"]", "[\"b\"]", "[]"},
        {"[\"a\"]", "[\"a\"]", "[]", "[\"a\",\"b\"]", "[\"b\"]"},
        {"[]", "[]", "[\"b\",\"a\"]", "[\"c\",\"a\"]", "[\"b\",\"a\",\"c\"]"},
        {NULL, NULL, "[\"b\"]", "[\"c\",\"b\"]", "[\"b\",\"c\"]"},
        {"[\"a\"]", NULL, "[\"b\"]", "[\"a\",\"c\"]", "[\"b\",\"c\"]"},
        {"[1,2]", "[1,2]", "[1,2,3]", "[2]", "[2,3]"},
        {"[1]", "[1]", "[]", "[1.0]", "[]"},
        {"[\"a\",\"b\"]", "[\"a\",\"b\"]", "[\"b\",\"a\",\"a\"]", "[\"a\",\"b\"]", "[\"b\",\"a\"]"},
    };
    struct arena a = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct err e = {0};
        struct buf text = {0};
        struct sl_value base_x = values_make(&a, SL_JSON, cases[i].base_x ? cases[i].base_x : "[]");
        struct sl_value base_y = values_make(&a, SL_SET, cases[i].base_y ? cases[i].base_y : "[]");
        struct sl_value x = values_make(&a, SL_JSON, cases[i].x);
        struct sl_value y = values_make(&a, SL_SET, cases[i].y);
        struct sl_value out;
        int rc =
            value_merge_set(&a, cases[i].base_x ? &base_x : NULL, cases[i].base_y ? &base_y : NULL, &x, &y, &out, &e);
        CU_ASSERT_EQUAL(rc, 0);
        CU_ASSERT_EQUAL(out.type, SL_JSON);
        value_put_json(&text, &out);
        CU_ASSERT_STRING_EQUAL(text.data, cases[i].want);
        buf_fini(&text);
    }
    arena_fini(&a);
}

static void test_merge_nothing(void)
{
    struct arena a = {0};
    struct err e = {0};
    struct sl_value ab = values_make(&a, SL_SET, "[\"a\",\"b\"]");
    struct sl_value abc = values_make(&a, SL_SET, "[\"a\",\"b\",\"c\"]");
    struct sl_value null = value_null("f");
    struct sl_value absent = value_absent("f");
    struct sl_value out;
    CU_ASSERT_EQUAL(value_merge_set(&a, &ab, &ab, &null, &abc, &out, &e), 0); /* cleared: all it held are removed */
    CU_ASSERT_TRUE(out.type == SL_SET && out.n_items == 1);
    CU_ASSERT_EQUAL(value_merge_set(&a, &ab, &ab, &null, &ab, &out, &e), 0);
    CU_ASSERT_EQUAL(out.type, SL_NULL);
    CU_ASSERT_EQUAL(value_merge_set(&a, &ab, &ab, &absent, &abc, &out, &e), 0); /* not reported: nothing removed */
    CU_ASSERT_TRUE(value_same(&out, &abc));
    CU_ASSERT_EQUAL(value_merge_set(&a, &null, &null, &ab, &abc, &out, &e), 0);
    CU_ASSERT_TRUE(value_same(&out, &abc));
    CU_ASSERT_EQUAL(e.code, 0);
    arena_fini(&a);
}

static void test_merge_refused(void)
{
    static const struct two cases[] = {{SL_STRING, "a", SL_SET, "[]", false},
                                       {SL_SET, "[]", SL_INT, "1", false},
                                       {SL_JSON, "{\"a\":1}", SL_SET, "[]", false},
                                       {SL_SET, "[]", SL_JSON, "[[1]]", false},
                                       {SL_SET, "[]", SL_JSON, "[null]", false}};
    struct arena a = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct err e = {0};
        struct sl_value x = values_make(&a, cases[i].x_type, cases[i].x);
        struct sl_value y = values_make(&a, cases[i].y_type, cases[i].y);
        struct sl_value out;
        CU_ASSERT_EQUAL(value_merge_set(&a, NULL, NULL, &x, &y, &out, &e), ERR_INPUT);
        CU_ASSERT_TRUE(strncmp(e.text, "f: ", 3) == 0);
        CU_ASSERT_EQUAL(out.type, SL_ABSENT);
    }
    arena_fini(&a);
}

/* A set over eight letters as bits. */
static struct sl_value bits_set(struct arena *a, uint32_t bits, uint64_t *seed)
{
    struct sl_value *items = arena_alloc(a, 8 * sizeof(*items));
    struct sl_value set = {.name = "f", .type = SL_SET, .items = items, .item_size = sizeof(*items)};
    uint32_t turn = values_below(seed, 8);
    for (uint32_t i = 0; i < 8; i++) {
        uint32_t bit = (i + turn) % 8;
        if (bits >> bit & 1)
            items[set.n_items++] = value_string(NULL, &"a\0b\0c\0d\0e\0f\0g\0h"[bit * 2]);
    }
    return set;
}

static uint32_t set_bits(const struct sl_value *set)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < set->n_items; i++)
        bits |= 1u << (sl_value_at(set->items, set->item_size, i)->text[0] - 'a');
    return bits;
}

static void test_merge_law(void)
{
    struct arena a = {0};
    uint64_t seed = 14;
    for (int i = 0; i < N_GENERATED; i++) {
        uint32_t bits[4];
        struct sl_value v[4], out, swapped;
        struct err e = {0};
        for (int k = 0; k < 4; k++) {
            bits[k] = values_below(&seed, 256);
            v[k] = bits_set(&a, bits[k], &seed);
        }
        uint32_t removed = (bits[0] & ~bits[2]) | (bits[1] & ~bits[3]);
        uint32_t want = (bits[0] | bits[1] | bits[2] | bits[3]) & ~removed;
        CU_ASSERT_EQUAL(value_merge_set(&a, &v[0], &v[1], &v[2], &v[3], &out, &e), 0);
        CU_ASSERT_EQUAL(set_bits(&out), want);
        CU_ASSERT_EQUAL(value_merge_set(&a, &v[1], &v[0], &v[3], &v[2], &swapped, &e), 0);
        CU_ASSERT_TRUE(value_same(&out, &swapped));
        arena_reset(&a);
    }
    arena_fini(&a);
}

static void test_print(void)
{
    static const struct {
        uint32_t type;
        const char *text, *want;
    } cases[] = {{SL_ABSENT, NULL, "null"},
                 {SL_NULL, NULL, "null"},
                 {SL_BOOL, "true", "true"},
                 {SL_INT, "-9223372036854775808", "-9223372036854775808"},
                 {SL_DECIMAL, "0.10", "0.10"},
                 {SL_DECIMAL, "1e400", "1e400"},
                 {SL_STRING, "a\"\\\n\x01é", "\"a\\\"\\\\\\n\\u0001é\""},
                 {SL_DATE, "2026-11-23", "\"2026-11-23\""},
                 {SL_TIMESTAMP, "2026-11-23T09:00:00Z", "\"2026-11-23T09:00:00Z\""},
                 {SL_TIMESTAMP, "2026-11-23T09:00:00.000Z", "\"2026-11-23T09:00:00.000Z\""},
                 {SL_ENUM, "open", "\"open\""},
                 {SL_REF, "users:7", "\"7\""},
                 {SL_SET, "[\"b\",2,\"a\",2]", "[2,\"a\",\"b\"]"},
                 {SL_JSON, "{\"b\":1,\"a\":[]}", "{\"b\":1,\"a\":[]}"}};
    struct arena a = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buf text = {0};
        struct sl_value v = values_make(&a, cases[i].type, cases[i].text);
        value_put_json(&text, &v);
        CU_ASSERT_STRING_EQUAL(text.data, cases[i].want);
        buf_fini(&text);
    }
    arena_fini(&a);
}

static void test_from_json(void)
{
    static const struct {
        const char *json;
        uint32_t type;
    } cases[] = {{"null", SL_NULL},
                 {"true", SL_BOOL},
                 {"0", SL_INT},
                 {"-0", SL_DECIMAL},
                 {"123456789012345678", SL_INT},
                 {"9223372036854775807", SL_INT},
                 {"9223372036854775808", SL_DECIMAL},
                 {"1.0", SL_DECIMAL},
                 {"1e3", SL_DECIMAL},
                 {"1e400", SL_DECIMAL},
                 {"0.10", SL_DECIMAL},
                 {"\"\"", SL_STRING},
                 {"\"12\"", SL_STRING},
                 {"[]", SL_JSON},
                 {"{\"z\":1.50,\"a\":[1e400]}", SL_JSON}};
    struct arena a = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct err e = {0};
        struct buf text = {0};
        struct json_doc *doc = json_parse(cases[i].json, strlen(cases[i].json), NULL, &e);
        struct sl_value v = value_from_json(&a, "f", json_root(doc));
        json_free(doc);
        CU_ASSERT_EQUAL(v.type, cases[i].type);
        CU_ASSERT_STRING_EQUAL(v.name, "f");
        value_put_json(&text, &v);
        CU_ASSERT_STRING_EQUAL(text.data, cases[i].json);
        buf_fini(&text);
    }
    arena_fini(&a);
}

static void test_brief(void)
{
    static const struct {
        uint32_t type;
        const char *text;
        size_t max_bytes;
        const char *want;
    } cases[] = {{SL_ABSENT, NULL, 20, "absent"},
                 {SL_NULL, NULL, 20, "null"},
                 {SL_STRING, "", 20, "\"\""},
                 {SL_STRING, "two\nlines", 20, "\"two\\nlines\""},
                 {SL_STRING, "0123456789", 12, "\"0123456789\""},
                 {SL_STRING, "0123456789x", 12, "\"0123456…\""},
                 {SL_STRING, "012345é789x", 12, "\"012345…\""},
                 {SL_STRING, "012345\n789x", 12, "\"012345…\""},
                 {SL_STRING,
                  "01\x01"
                  "456789x",
                  12, "\"01…\""},
                 {SL_STRING, "\\\\\\\\\\\\\\\\", 12, "\"\\\\\\\\\\\\…\""},
                 {SL_JSON, "[1,2,3,4,5,6,7,8]", 12, "[1,2,3,4,…"},
                 {SL_INT, "123456", 12, "123456"},
                 {SL_STRING, "abc", 0, ""}};
    struct arena a = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buf text = {0};
        struct sl_value v = values_make(&a, cases[i].type, cases[i].text);
        value_put_brief(&text, &v, cases[i].max_bytes);
        CU_ASSERT_STRING_EQUAL(text.data ? text.data : "", cases[i].want);
        buf_fini(&text);
    }
    arena_fini(&a);
}

static void test_brief_law(void)
{
    struct arena a = {0};
    uint64_t seed = 15;
    for (int i = 0; i < N_GENERATED; i++) {
        struct buf text = {0};
        struct sl_value v = values_any(&seed, &a, "f");
        size_t max_bytes = values_below(&seed, 30);
        value_put_brief(&text, &v, max_bytes);
        CU_ASSERT_TRUE(text.size <= max_bytes);
        CU_ASSERT_TRUE(utf8_valid(text.data, text.size, NULL));
        CU_ASSERT_PTR_NULL(text.data ? strpbrk(text.data, "\n\r\t") : NULL);
        buf_fini(&text);
        arena_reset(&a);
    }
    arena_fini(&a);
}

static const struct check tests[] = {
    {"I35: absent, null and empty are three things", test_nothing},
    {"same: only this is no change (I13: a set in another order, JSON with other key order)", test_same},
    {"equal across systems", test_equal},
    {"decimals of any size in order", test_decimal_order},
    {"decimals equal by amount", test_decimal_equal},
    {"the order is total; the same is equal (generated)", test_order_laws},
    {"decimals against doubles (generated)", test_order_against_doubles},
    {"a copy is the same and shares nothing (generated)", test_copy},
    {"a copy of a later connector's items", test_copy_foreign},
    {"empty", test_empty},
    {"I9: sets merge element by element", test_merge},
    {"I9, I35: merging with null and absent", test_merge_nothing},
    {"what does not merge is refused by name", test_merge_refused},
    {"I9: the law of the merge, both ways around (generated)", test_merge_law},
    {"values print as JSON", test_print},
    {"JSON reads as values, numbers exact", test_from_json},
    {"brief texts for a person", test_brief},
    {"brief texts keep their bound (generated)", test_brief_law},
};
CHECK_MAIN("value", tests)
