/* SPDX-License-Identifier: MIT */
/* test_convert.c - conversions: lossless there and back, or refused with a sentence. */
#include "check.h"
#include "values.h"

enum { N_GENERATED = 30000 };

struct conversion {
    uint32_t from;
    const char *text;
    uint32_t to;
    const char *want; /* NULL: refused */
};

static void check_conversion(const struct conversion *c)
{
    struct arena a = {0};
    struct err e = {0};
    struct sl_value v = values_make(&a, c->from, c->text);
    struct sl_value out;
    int rc = value_convert(&a, &v, c->to, &out, &e);
    bool right = rc == (c->want ? ERR_NONE : ERR_INPUT) && text_equal(out.name, "f");
    if (right && c->want) {
        struct sl_value want = values_make(&a, c->to, c->want);
        right = value_same(&out, &want) && out.grain_ms == want.grain_ms && e.code == 0;
    } else if (right) {
        right = out.type == SL_ABSENT && strncmp(e.text, "f: ", 3) == 0 && strstr(e.text, value_type_name(c->to));
    }
    if (!right)
        printf("\n  %s %s to %s: %d %s\n", value_type_name(c->from), c->text, value_type_name(c->to), rc, e.text);
    CU_ASSERT_TRUE(right);
    arena_fini(&a);
}

static void check_all(const struct conversion *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_conversion(&cases[i]);
}

static void test_scalars(void)
{
    static const struct conversion cases[] = {
        {SL_BOOL, "true", SL_INT, "1"},
        {SL_BOOL, "false", SL_INT, "0"},
        {SL_INT, "1", SL_BOOL, "true"},
        {SL_INT, "0", SL_BOOL, "false"},
        {SL_INT, "2", SL_BOOL, NULL},
        {SL_INT, "-1", SL_BOOL, NULL},
        {SL_BOOL, "true", SL_STRING, "true"},
        {SL_STRING, "true", SL_BOOL, "true"},
        {SL_STRING, "false", SL_BOOL, "false"},
        {SL_STRING, "True", SL_BOOL, NULL},
        {SL_STRING, "1", SL_BOOL, NULL},
        {SL_STRING, "", SL_BOOL, NULL},
        {SL_INT, "-9223372036854775808", SL_STRING, "-9223372036854775808"},
        {SL_INT, "7", SL_DECIMAL, "7"},
        {SL_DECIMAL, "7.00", SL_INT, "7"},
        {SL_DECIMAL, "1e3", SL_INT, "1000"},
        {SL_DECIMAL, "-9223372036854775808.0", SL_INT, "-9223372036854775808"},
        {SL_DECIMAL, "9223372036854775808", SL_INT, NULL},
        {SL_DECIMAL, "7.5", SL_INT, NULL},
        {SL_DECIMAL, "1e400", SL_INT, NULL},
        {SL_DECIMAL, "1e999999999", SL_INT, NULL},
        {SL_DECIMAL, "1e-999999999", SL_INT, NULL},
        {SL_DECIMAL, "0e999999999", SL_INT, "0"},
        {SL_DECIMAL, "0.10", SL_STRING, "0.10"},
        {SL_DECIMAL, "1e400", SL_STRING, "1e400"},
        {SL_DECIMAL, "1", SL_BOOL, NULL},
        {SL_BOOL, "true", SL_DECIMAL, NULL},
    };
    check_all(cases, sizeof(cases) / sizeof(*cases));
}

static void test_numbers_from_text(void)
{
    static const struct conversion cases[] = {
        {SL_STRING, "42", SL_INT, "42"},
        {SL_STRING, "-9223372036854775808", SL_INT, "-9223372036854775808"},
        {SL_STRING, "9223372036854775808", SL_INT, NULL},
        {SL_STRING, "9223372036854775808", SL_DECIMAL, "9223372036854775808"},
        {SL_STRING, "0.10", SL_DECIMAL, "0.10"},
        {SL_STRING, "1e400", SL_DECIMAL, "1e400"},
        {SL_STRING, "1E+5", SL_DECIMAL, "1E+5"},
        {SL_STRING, "1.0", SL_INT, NULL},
        {SL_STRING, "-0", SL_INT, NULL},
        {SL_STRING, "007", SL_INT, NULL},
        {SL_STRING, "", SL_INT, NULL},
        {SL_STRING, "", SL_DECIMAL, NULL},
        {SL_STRING, " 1", SL_DECIMAL, NULL},
        {SL_STRING, "1 ", SL_DECIMAL, NULL},
        {SL_STRING, "+1", SL_DECIMAL, NULL},
        {SL_STRING, "01", SL_DECIMAL, NULL},
        {SL_STRING, "-01", SL_DECIMAL, NULL},
        {SL_STRING, ".5", SL_DECIMAL, NULL},
        {SL_STRING, "5.", SL_DECIMAL, NULL},
        {SL_STRING, "1e", SL_DECIMAL, NULL},
        {SL_STRING, "1e+", SL_DECIMAL, NULL},
        {SL_STRING, "-", SL_DECIMAL, NULL},
        {SL_STRING, "1,50", SL_DECIMAL, NULL},
        {SL_STRING, "0x10", SL_DECIMAL, NULL},
        {SL_STRING, "NaN", SL_DECIMAL, NULL},
        {SL_STRING, "1.5.2", SL_DECIMAL, NULL},
        {SL_ENUM, "3", SL_INT, "3"},
        {SL_REF, "users:42", SL_INT, "42"},
        {SL_INT, "42", SL_REF, "42"},
        {SL_INT, "3", SL_ENUM, "3"},
    };
    check_all(cases, sizeof(cases) / sizeof(*cases));
}

static void test_times(void)
{
    static const struct conversion cases[] = {
        {SL_STRING, "2026-11-23", SL_DATE, "2026-11-23"},
        {SL_STRING, "2024-02-29", SL_DATE, "2024-02-29"},
        {SL_STRING, "2026-02-29", SL_DATE, NULL},
        {SL_STRING, "2026-11-23T00:00:00Z", SL_DATE, NULL},
        {SL_STRING, "23.11.2026", SL_DATE, NULL},
        {SL_STRING, "", SL_DATE, NULL},
        {SL_DATE, "2026-11-23", SL_STRING, "2026-11-23"},
        {SL_STRING, "2026-11-23T10:00:00+01:00", SL_TIMESTAMP, "2026-11-23T09:00:00Z"},
        {SL_STRING, "2026-11-23T09:00:00.120Z", SL_TIMESTAMP, "2026-11-23T09:00:00.120Z"},
        {SL_STRING, "2026-11-23T09:00:00.123000Z", SL_TIMESTAMP, "2026-11-23T09:00:00.123Z"},
        {SL_STRING, "2026-11-23T09:00:00.123456Z", SL_TIMESTAMP, NULL},
        {SL_STRING, "2026-11-23T09:00:00", SL_TIMESTAMP, NULL},
        {SL_STRING, "2026-11-23", SL_TIMESTAMP, NULL},
        {SL_TIMESTAMP, "2026-11-23T09:00:00Z", SL_STRING, "2026-11-23T09:00:00Z"},
        {SL_TIMESTAMP, "2026-11-23T09:00:00.000Z", SL_STRING, "2026-11-23T09:00:00.000Z"},
        {SL_DATE, "2026-11-23", SL_TIMESTAMP, NULL},
        {SL_TIMESTAMP, "2026-11-23T00:00:00Z", SL_DATE, NULL},
        {SL_DATE, "2026-11-23", SL_INT, NULL},
        {SL_TIMESTAMP, "2026-11-23T00:00:00Z", SL_INT, NULL},
        {SL_INT, "20000", SL_DATE, NULL},
    };
    check_all(cases, sizeof(cases) / sizeof(*cases));
    struct arena a = {0};
    struct err e = {0};
    struct sl_value far = {.name = "f", .type = SL_DATE, .number = INT64_MAX};
    struct sl_value out;
    CU_ASSERT_EQUAL(value_convert(&a, &far, SL_STRING, &out, &e), ERR_INPUT);
    far.type = SL_TIMESTAMP;
    far.number = INT64_MIN;
    err_clear(&e);
    CU_ASSERT_EQUAL(value_convert(&a, &far, SL_STRING, &out, &e), ERR_INPUT);
    arena_fini(&a);
}

static void test_containers(void)
{
    static const struct conversion cases[] = {
        {SL_SET, "[\"b\",\"a\"]", SL_JSON, "[\"a\",\"b\"]"},
        {SL_SET, "[]", SL_JSON, "[]"},
        {SL_SET, "[\"b\",1]", SL_STRING, "[1,\"b\"]"},
        {SL_JSON, "[\"b\",\"a\",\"b\"]", SL_SET, "[\"a\",\"b\"]"},
        {SL_JSON, "[1,1.50,true]", SL_SET, "[1,1.50,true]"},
        {SL_JSON, "[[1]]", SL_SET, NULL},
        {SL_JSON, "[null]", SL_SET, NULL},
        {SL_JSON, "{\"a\":1}", SL_SET, NULL},
        {SL_JSON, "{\"b\":1,\"a\":1e400}", SL_STRING, "{\"b\":1,\"a\":1e400}"},
        {SL_STRING, "{\"b\": 1, \"a\": 0.10}", SL_JSON, "{\"b\":1,\"a\":0.10}"},
        {SL_STRING, "[\"a\", \"b\"]", SL_SET, "[\"a\",\"b\"]"},
        {SL_STRING, "[]", SL_JSON, "[]"},
        {SL_STRING, "12", SL_JSON, NULL},
        {SL_STRING, "\"a\"", SL_JSON, NULL},
        {SL_STRING, "null", SL_JSON, NULL},
        {SL_STRING, "a,b", SL_JSON, NULL},
        {SL_STRING, "a,b", SL_SET, NULL},
        {SL_STRING, "", SL_SET, NULL},
        {SL_STRING, "[1] x", SL_JSON, NULL},
        {SL_INT, "1", SL_JSON, NULL},
        {SL_INT, "1", SL_SET, NULL},
        {SL_JSON, "[1]", SL_INT, NULL},
        {SL_JSON, "[1]", SL_ENUM, NULL},
        {SL_SET, "[1]", SL_REF, NULL},
        {SL_ENUM, "[1]", SL_SET, NULL},
    };
    check_all(cases, sizeof(cases) / sizeof(*cases));
}

static void test_nothing(void)
{
    struct arena a = {0};
    for (uint32_t want = SL_ABSENT; want <= SL_JSON; want++) {
        struct err e = {0};
        struct sl_value absent = value_absent("f");
        struct sl_value null = value_null("f");
        struct sl_value out;
        CU_ASSERT_EQUAL(value_convert(&a, &absent, want, &out, &e), 0);
        CU_ASSERT_EQUAL(out.type, SL_ABSENT);
        CU_ASSERT_EQUAL(value_convert(&a, &null, want, &out, &e), 0);
        CU_ASSERT_EQUAL(out.type, SL_NULL);
    }
    static const struct conversion cases[] = {
        {SL_STRING, "", SL_ENUM, ""},
        {SL_ENUM, "", SL_STRING, ""},
        {SL_STRING, "", SL_NULL, NULL},
    };
    check_all(cases, sizeof(cases) / sizeof(*cases));
    struct err e = {0};
    struct sl_value v = value_string("f", "x");
    struct sl_value out;
    CU_ASSERT_EQUAL(value_convert(&a, &v, SL_JSON + 1, &out, &e), ERR_INPUT);
    arena_fini(&a);
}

/* There, back and there again: equal as type `as`. */
static bool stays(struct arena *a, const struct sl_value *back, const struct sl_value *there, uint32_t as,
                  struct err *e)
{
    struct sl_value again;
    struct sl_value x;
    struct sl_value y;
    return value_convert(a, back, there->type, &again, e) == 0 && value_convert(a, &again, as, &x, e) == 0 &&
           value_convert(a, there, as, &y, e) == 0 && value_equal(&x, &y);
}

/* What converts comes back the same, or as its documented equivalent: numbers by amount, times by instant. */
static void test_round_trip(void)
{
    struct arena a = {0};
    uint64_t seed = 21;
    unsigned n_there = 0;
    for (int i = 0; i < N_GENERATED; i++) {
        struct sl_value v = values_any(&seed, &a, "f");
        uint32_t want = SL_BOOL + values_below(&seed, SL_JSON - SL_BOOL + 1);
        struct err e = {0};
        struct sl_value there;
        struct sl_value back;
        if (value_convert(&a, &v, want, &there, &e)) {
            CU_ASSERT_TRUE(e.code == ERR_INPUT && !strpbrk(e.text, "\n\r"));
            arena_reset(&a);
            continue;
        }
        n_there++;
        bool right = value_convert(&a, &there, v.type, &back, &e) == 0 && value_equal(&back, &v);
        /* between texts, lists and sets the way back may print differently, and then stays: order, blanks, times in a set */
        if (!right && (there.type == SL_SET || there.type == SL_JSON || v.type == SL_SET))
            right = stays(&a, &back, &there, v.type == SL_SET ? SL_SET : want, &e);
        if (!right) {
            struct buf text = {0};
            value_put_json(&text, &v);
            printf("\n  %s %s to %s: %s\n", value_type_name(v.type), text.data, value_type_name(want), e.text);
            buf_fini(&text);
        }
        CU_ASSERT_TRUE(right);
        arena_reset(&a);
    }
    CU_ASSERT_TRUE(n_there > N_GENERATED / 4);
    arena_fini(&a);
}

/* Each way to refuse has its reason, and where there is one an example of what is taken. */
static void test_reasons(void)
{
    static const struct {
        uint32_t from;
        const char *text;
        uint32_t to;
        const char *reason;
    } rows[] = {
        {SL_INT, "2", SL_BOOL, "only 1 is true and 0 is false"},
        {SL_DECIMAL, "0.5", SL_INT, "it is no whole number of 64 bits"},
        {SL_STRING, "yes", SL_BOOL, "only \"true\" and \"false\" are bools"},
        {SL_STRING, "four", SL_INT, "it is not written as a whole number of 64 bits, such as 42"},
        {SL_STRING, "1,5", SL_DECIMAL, "it is not written as a number, such as 1234.50"},
        {SL_STRING, "23.11.2026", SL_DATE, "it is not written as a date, such as 2026-11-23"},
        {SL_STRING, "2026-11-23", SL_TIMESTAMP, "it is not written as a time with zone, such as 2026-11-23T09:00:00Z"},
        {SL_STRING, "2026-11-23T09:00:00.0001Z", SL_TIMESTAMP, "it is finer than milliseconds"},
        {SL_STRING, "a,b", SL_SET, "it is not a JSON list of texts, numbers and bools"},
        {SL_STRING, "a,b", SL_JSON, "it is not the text of a JSON list or object"},
        {SL_DATE, "2026-11-23", SL_BOOL, "one type has no meaning in the other"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct arena a = {0};
        struct err e = {0};
        struct sl_value v = values_make(&a, rows[i].from, rows[i].text), out;
        char want[200];
        snprintf(want, sizeof(want), " of type %s and cannot become %s: %s;", value_type_name(rows[i].from),
                 value_type_name(rows[i].to), rows[i].reason);
        CU_ASSERT_EQUAL(value_convert(&a, &v, rows[i].to, &out, &e), ERR_INPUT);
        if (!strstr(e.text, want))
            printf("\n  want %s\n  got  %s\n", want, e.text);
        CU_ASSERT_PTR_NOT_NULL(strstr(e.text, want));
        arena_fini(&a);
    }
}

static void test_sentence(void)
{
    struct arena a = {0};
    struct err e = {0};
    struct sl_value v = value_string("amount", "1,50");
    struct sl_value out;
    CU_ASSERT_EQUAL(value_convert(&a, &v, SL_DECIMAL, &out, &e), ERR_INPUT);
    CU_ASSERT_STRING_EQUAL(
        e.text, "amount: \"1,50\" is of type string and cannot become decimal: it is not written as a number, "
                "such as 1234.50; correct it at its source, or compute the field with an expression");
    arena_fini(&a);
}

static const struct check tests[] = {
    {"bools, integers, decimals, texts", test_scalars},
    {"numbers from texts: JSON's grammar and nothing else", test_numbers_from_text},
    {"dates and times", test_times},
    {"sets, lists, objects", test_containers},
    {"I35: null and absent stay what they are", test_nothing},
    {"I32: there and back (generated)", test_round_trip},
    {"each refusal has its reason", test_reasons},
    {"a refusal names field, value and what to do", test_sentence},
};
CHECK_MAIN("convert", tests)
