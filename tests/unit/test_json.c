/* SPDX-License-Identifier: MIT */
/* test_json.c - the JSON door: what it lets in unchanged, what it refuses and where. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "check.h"

static struct json_doc *parse(const char *text, const struct json_rules *rules, struct err *e)
{
    /* a copy of exactly the text's size: reading past it shows under AddressSanitizer */
    size_t n = strlen(text);
    char *copy = malloc(n ? n : 1);
    memcpy(copy, text, n);
    struct json_doc *doc = json_parse(copy, n, rules, e);
    free(copy);
    return doc;
}

static void check_print(const char *text, const char *want, bool sorted, const struct json_rules *rules)
{
    struct err e = {0};
    struct buf out = {0};
    struct json_doc *doc = parse(text, rules, &e);
    if (!doc) {
        printf("\n  refused: %s: %s\n", text, e.text);
        CU_FAIL("refused");
        return;
    }
    (sorted ? json_put_sorted : json_put_node)(&out, json_root(doc));
    if (strcmp(out.data, want) != 0)
        printf("\n  got  %s\n  want %s\n", out.data, want);
    CU_ASSERT_STRING_EQUAL(out.data, want);
    json_free(doc);
    buf_fini(&out);
}

static void test_exact(void)
{
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "123456789012345678",
        "18446744073709551616",
        "0.10",
        "1e400",
        "1E5",
        "1E+05",
        "-1.50e-0",
        "0.1000000000000000055511151231257827",
        "\"\"",
        "\"plain\"",
        "[]",
        "{}",
        "[[],{}]",
        "[0,1,[2,[3]]]",
        "{\"\":\"\"}",
        "{\"b\":1,\"a\":{\"d\":[true,null],\"c\":2.0}}",
        "\"\\\"\\\\\\b\\f\\n\\r\\t\"",
        "\"\\u0001\\u001f\"",
        "\"\\u0001n1\"",
        "\"\\u0001s\"",
        "[\"\\u0001\",\"x\\u0001n\",\"\\u0002\"]",
        "{\"\\u0001n\":1}",
        "\"a / b\"",
        "\"\x7F\"",
        "\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \xE2\x80\xA8\"",
        "\" \\r\\n\\t \"",
        "[\"1\",1,\"1.0\",1.0]",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        check_print(texts[i], texts[i], false, NULL);
}

static void test_rewritten(void)
{
    static const char *const cases[][2] = {
        {" [ 1 ,\r\n\t2 ] ", "[1,2]"},
        {"\"\\u0041\\/\\u00e9\\u20AC\"", "\"A/\xC3\xA9\xE2\x82\xAC\""},
        {"\"\\ud83d\\ude00\"", "\"\xF0\x9F\x98\x80\""},
        {"\"\\uDBFF\\uDFFF\"", "\"\xF4\x8F\xBF\xBF\""},
        {"\xEF\xBB\xBF{\"a\":1}", "{\"a\":1}"},
        {"{\"\\u0061\":1,\"b\":2}", "{\"a\":1,\"b\":2}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        check_print(cases[i][0], cases[i][1], false, NULL);
}

static void test_sorted(void)
{
    check_print("{\"b\":{\"z\":1.0,\"y\":[{\"q\":1,\"p\":2}]},\"a\":3,\"\":0,\"aa\":4,\"\xC3\xA9\":5,\"Z\":6}",
                "{\"\":0,\"Z\":6,\"a\":3,\"aa\":4,\"b\":{\"y\":[{\"p\":2,\"q\":1}],\"z\":1.0},\"\xC3\xA9\":5}", true,
                NULL);
    check_print("[3,1,2]", "[3,1,2]", true, NULL);
}

static void test_comments(void)
{
    static const struct json_rules rules = {.comments = true};
    static const char *const cases[][2] = {
        {"// head\n{ /* in */ \"a\" /**/ : 1 /* \" */ , // tail\n } // end", "{\"a\":1}"},
        {"[1,2,]", "[1,2]"},
        {"[1,/* x */]", "[1]"},
        {"[\"a\" /* x */, // y\n /* z */ ]", "[\"a\"]"},
        {"{\"a\":[1,],}", "{\"a\":[1]}"},
        {"[\"// no comment\",\"/* nor this */\",\",]\"]", "[\"// no comment\",\"/* nor this */\",\",]\"]"},
        {"[1/**/,/***/2]", "[1,2]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        check_print(cases[i][0], cases[i][1], false, &rules);
}

struct refusal {
    const char *text;
    const char *begins; /* of the sentence */
};

static void check_refusals(const struct refusal *cases, size_t n, const struct json_rules *rules)
{
    for (size_t i = 0; i < n; i++) {
        struct err e = {0};
        struct json_doc *doc = parse(cases[i].text, rules, &e);
        CU_ASSERT_PTR_NULL(doc);
        CU_ASSERT_EQUAL(e.code, ERR_INPUT);
        if (strncmp(e.text, cases[i].begins, strlen(cases[i].begins)) != 0) {
            printf("\n  %s\n  got  %s\n  want %s\n", cases[i].text, e.text, cases[i].begins);
            CU_FAIL("another refusal");
        }
        json_free(doc);
    }
}

static void test_refused(void)
{
    static const struct refusal cases[] = {
        {"", "line 1, column 1: the text ends where a value"},
        {"  \n ", "line 2, column 2: the text ends where a value"},
        {"[1,2", "line 1, column 5: the text ends where ',' or ']'"},
        {"{\"a\":", "line 1, column 6: the text ends where a value"},
        {"{\"a\"", "line 1, column 5: the text ends where ':'"},
        {"{", "line 1, column 2: the text ends where a key"},
        {"1 2", "line 1, column 3: expected the end of the text, found '2'"},
        {"{}}", "line 1, column 3: expected the end of the text, found '}'"},
        {"[1}", "line 1, column 3: expected ',' or ']', found '}'"},
        {"{\"a\":1]", "line 1, column 7: expected ',' or '}', found ']'"},
        {"[1 2]", "line 1, column 4: expected ',' or ']', found '2'"},
        {"{\"a\" 1}", "line 1, column 6: expected ':' after the key, found '1'"},
        {"{a:1}", "line 1, column 2: expected a key in double quotes, found 'a'"},
        {"{'a':1}", "line 1, column 2: expected a key in double quotes, found '''"},
        {"{1:1}", "line 1, column 2: expected a key"},
        {"[,]", "line 1, column 2: expected a value, found ','"},
        {"[1,]", "line 1, column 3: a comma after the last item"},
        {"[1,,2]", "line 1, column 4: expected a value, found ','"},
        {"{\"a\":1,}", "line 1, column 7: a comma after the last item"},
        {"tru", "line 1, column 1: expected a value, found 't'"},
        {"TRUE", "line 1, column 1: expected a value, found 'T'"},
        {"nulls", "line 1, column 5: expected the end of the text"},
        {"NaN", "line 1, column 1: expected a value"},
        {"-", "line 1, column 1: this is not a number"},
        {"-Infinity", "line 1, column 1: this is not a number"},
        {"[01]", "line 1, column 2: this is not a number"},
        {"-01", "line 1, column 1: this is not a number"},
        {"1.", "line 1, column 1: this is not a number"},
        {".5", "line 1, column 1: expected a value, found '.'"},
        {"1.e5", "line 1, column 1: this is not a number"},
        {"1e", "line 1, column 1: this is not a number"},
        {"1e+", "line 1, column 1: this is not a number"},
        {"+1", "line 1, column 1: expected a value, found '+'"},
        {"1-2", "line 1, column 1: this is not a number"},
        {"1.2.3", "line 1, column 1: this is not a number"},
        {"0x10", "line 1, column 2: expected the end of the text, found 'x'"},
        {"\"abc", "line 1, column 1: this string does not end"},
        {"\"abc\\\"", "line 1, column 1: this string does not end"},
        {"\"a\nb\"", "line 1, column 3: a control character in a string"},
        {"\"a\tb\"", "line 1, column 3: a control character in a string"},
        {"\"\x01n1\"", "line 1, column 2: a control character in a string"},
        {"\"\\x41\"", "line 1, column 2: JSON has no such escape"},
        {"\"\\", "line 1, column 2: JSON has no such escape"},
        {"\"\\u12\"", "line 1, column 2: \\u needs four"},
        {"\"\\u12", "line 1, column 2: \\u needs four"},
        {"\"\\u12g4\"", "line 1, column 2: \\u needs four"},
        {"\"a\\u0000\"", "line 1, column 3: \\u0000 cannot be kept"},
        {"\"\\ud800\"", "line 1, column 2: half a surrogate pair"},
        {"\"\\udc00\"", "line 1, column 2: half a surrogate pair"},
        {"\"\\ud800\\u0041\"", "line 1, column 2: half a surrogate pair"},
        {"\"\\ud800x\"", "line 1, column 2: half a surrogate pair"},
        {"\"\\ud83d\\ud83d\"", "line 1, column 2: half a surrogate pair"},
        {"\"\xC3\xA9\xFF\"", "line 1, column 3: this is not UTF-8"},
        {"\"\xED\xA0\x80\"", "line 1, column 2: this is not UTF-8"},
        {"[\n\"\xE2\x82\xAC\", 01]", "line 2, column 6: this is not a number"},
        {"\xEF\xBB\xBF 01", "line 1, column 2: this is not a number"},
        {"[1,\r\n x]", "line 2, column 2: expected a value, found 'x'"},
        {"[1]// c", "line 1, column 4: expected the end of the text, found '/'; comments are not allowed"},
        {"[\xC2\xA0"
         "1]",
         "line 1, column 2: expected a value, found a character that does not belong"},
    };
    check_refusals(cases, sizeof(cases) / sizeof(*cases), NULL);
}

static void test_refused_comments(void)
{
    static const struct json_rules rules = {.comments = true};
    static const struct refusal cases[] = {
        {"[1 /* never ends ]", "line 1, column 4: this comment does not end"},
        {"/*/", "line 1, column 1: this comment does not end"},
        {"[1 / 2]", "line 1, column 4: a lone '/'"},
        {"[1] /", "line 1, column 5: a lone '/'"},
        {"[,]", "line 1, column 2: expected a value"},
        {"[1,,]", "line 1, column 4: expected a value"},
        {"// only", "line 1, column 8: the text ends where a value"},
        {"{\"a\":/* x */,}", "line 1, column 13: expected a value"},
        {"1,", "line 1, column 2: expected the end of the text"},
    };
    check_refusals(cases, sizeof(cases) / sizeof(*cases), &rules);
}

static void test_duplicates(void)
{
    static const struct refusal cases[] = {
        {"{\"a\":1,\"a\":2}", "line 1, column 8: this key occurs twice"},
        {"{\"a\":1,\"\\u0061\":2}", "line 1, column 8: this key occurs twice"},
        {"{\"\\ud83d\\ude00\":1,\n \"\xF0\x9F\x98\x80\":2}", "line 2, column 2: this key occurs twice"},
        {"{\"b\":1,\"a\":{\"b\":1},\"c\":2,\"b\":3}", "line 1, column 26: this key occurs twice"},
        {"{\"\":1,\"\":2}", "line 1, column 7: this key occurs twice"},
        {"[{\"x\":[{\"y\":1,\"y\":2}]}]", "line 1, column 15: this key occurs twice"},
        {"{\"\\u00e9\\u20ac\\n\":1,\"\xC3\xA9\xE2\x82\xAC\\u000A\":1}", "line 1, column 21: this key occurs twice"},
    };
    check_refusals(cases, sizeof(cases) / sizeof(*cases), NULL);
    check_print("{\"a\":{\"a\":{\"a\":1}},\"A\":[{\"a\":1},{\"a\":2}]}",
                "{\"a\":{\"a\":{\"a\":1}},\"A\":[{\"a\":1},{\"a\":2}]}", false, NULL);
}

static void test_many_keys(void)
{
    enum { MANY = 200000 };
    struct buf text = {0};
    struct err e = {0};
    buf_byte(&text, '{');
    for (int i = 0; i < MANY; i++)
        buf_printf(&text, "\"key%d\":%d,\n", i, i);
    size_t before = text.size;
    buf_text(&text, "\"last\":0}");
    struct json_doc *doc = json_parse(text.data, text.size, NULL, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    CU_ASSERT_EQUAL(json_count(json_root(doc)), MANY + 1);
    json_free(doc);
    text.size = before;
    buf_text(&text, "\"key77\":0}");
    CU_ASSERT_PTR_NULL(json_parse(text.data, text.size, NULL, &e));
    CU_ASSERT_STRING_EQUAL(e.text, "line 200001, column 1: this key occurs twice in its object; keep one");
    buf_fini(&text);
}

static void test_budgets(void)
{
    static const struct json_rules few = {.max_nodes = 3, .max_depth = 2, .max_bytes = 20};
    static const struct refusal cases[] = {
        {"[1,2,3]", "line 1, column 6: more values than allowed"},
        {"[[[]]]", "line 1, column 3: nested too deep"},
        {"{\"a\":{\"b\":{}}}", "line 1, column 11: nested too deep"},
        {"\"12345678901234567890\"", "line 1, column 1: the text is larger than allowed"},
    };
    check_refusals(cases, sizeof(cases) / sizeof(*cases), &few);
    check_print("[[1]]", "[[1]]", false, &few);
    check_print("[[],[]]", "[[],[]]", false, &few);
}

static void nest(struct buf *text, int depth)
{
    buf_clear(text);
    for (int i = 0; i < depth; i++)
        buf_byte(text, '[');
    for (int i = 0; i < depth; i++)
        buf_byte(text, ']');
}

static void test_defaults(void)
{
    static const struct json_rules deepest = {.max_depth = SIZE_MAX};
    struct buf text = {0};
    struct err e = {0};
    nest(&text, 64);
    check_print(text.data, text.data, false, NULL);
    nest(&text, 65);
    CU_ASSERT_PTR_NULL(json_parse(text.data, text.size, NULL, &e));
    nest(&text, 900);
    check_print(text.data, text.data, false, &deepest);
    nest(&text, 100000);
    err_clear(&e);
    CU_ASSERT_PTR_NULL(json_parse(text.data, text.size, &deepest, &e));
    buf_clear(&text);
    buf_text(&text, "[0");
    for (int i = 0; i < 1000000; i++)
        buf_text(&text, ",0");
    buf_byte(&text, ']');
    err_clear(&e);
    CU_ASSERT_PTR_NULL(json_parse(text.data, text.size, NULL, &e));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "more values than allowed"));
    buf_fini(&text);
}

static void test_nul(void)
{
    struct err e = {0};
    CU_ASSERT_PTR_NULL(json_parse("[1,\n \"a\0b\"]", 11, NULL, &e));
    CU_ASSERT_STRING_EQUAL(e.text, "line 2, column 4: a NUL byte; remove it");
    err_clear(&e);
    CU_ASSERT_PTR_NULL(json_parse("1\0", 2, NULL, &e));
    CU_ASSERT_PTR_NULL(json_parse("1", 0, NULL, NULL));
}

static void test_nodes(void)
{
    struct err e = {0};
    size_t n = 0;
    struct json_doc *doc = parse(
        "{\"s\":\"\\u0001nope\",\"n\":0.10,\"t\":true,\"f\":false,\"z\":null,\"l\":[1,\"x\"],\"o\":{}}", NULL, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    const struct json *root = json_root(doc);
    CU_ASSERT_EQUAL(json_type(root), JSON_OBJECT);
    CU_ASSERT_PTR_NULL(json_key(root));
    CU_ASSERT_EQUAL(json_count(root), 7);
    CU_ASSERT_EQUAL(json_type(json_get(root, "s")), JSON_STRING);
    CU_ASSERT_STRING_EQUAL(json_text(json_get(root, "s"), &n), "\001nope");
    CU_ASSERT_EQUAL(n, 5);
    CU_ASSERT_EQUAL(json_type(json_get(root, "n")), JSON_NUMBER);
    CU_ASSERT_STRING_EQUAL(json_text(json_get(root, "n"), &n), "0.10");
    CU_ASSERT_EQUAL(n, 4);
    CU_ASSERT(json_type(json_get(root, "t")) == JSON_BOOL && json_bool(json_get(root, "t")));
    CU_ASSERT(json_type(json_get(root, "f")) == JSON_BOOL && !json_bool(json_get(root, "f")));
    CU_ASSERT_EQUAL(json_type(json_get(root, "z")), JSON_NULL);
    CU_ASSERT_PTR_NULL(json_text(json_get(root, "z"), NULL));
    CU_ASSERT_EQUAL(json_type(json_get(root, "o")), JSON_OBJECT);
    CU_ASSERT_PTR_NULL(json_first(json_get(root, "o")));
    CU_ASSERT_PTR_NULL(json_get(root, "S"));
    const struct json *list = json_get(root, "l");
    CU_ASSERT_EQUAL(json_type(list), JSON_LIST);
    CU_ASSERT_STRING_EQUAL(json_text(json_next(json_first(list)), NULL), "x");
    CU_ASSERT_PTR_NULL(json_next(json_next(json_first(list))));
    CU_ASSERT_PTR_NULL(json_get(list, "x"));
    CU_ASSERT_STRING_EQUAL(json_key(json_first(root)), "s");
    json_free(doc);
    json_free(NULL);
}

static void test_ints(void)
{
    static const struct {
        const char *text;
        bool good;
        int64_t n;
    } cases[] = {
        {"0", true, 0},
        {"-1", true, -1},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"-0", false, 0},
        {"1.0", false, 0},
        {"1e3", false, 0},
        {"\"1\"", false, 0},
        {"true", false, 0},
        {"[1]", false, 0},
        {"123456789012345678", true, 123456789012345678},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t n = 0;
        struct json_doc *doc = parse(cases[i].text, NULL, NULL);
        CU_ASSERT_EQUAL(json_int(json_root(doc), &n), cases[i].good);
        CU_ASSERT_EQUAL(n, cases[i].n);
        json_free(doc);
    }
}

static void check_where(const struct json_doc *doc, const struct json *node, bool key, int line, int column)
{
    int l = 0;
    int c = 0;
    json_where(doc, node, key, &l, &c);
    CU_ASSERT_EQUAL(l, line);
    CU_ASSERT_EQUAL(c, column);
}

static void test_where(void)
{
    static const struct json_rules rules = {.comments = true, .positions = true};
    struct err e = {0};
    struct json_doc *doc =
        parse("\xEF\xBB\xBF// \xC3\xA9\r\n{ \"\xE2\x82\xAC\": [1,\n  2, /* x\n */ {\"in\" : true,},],\n \"z\":\"\"}",
              &rules, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    const struct json *root = json_root(doc);
    const struct json *list = json_get(root, "\xE2\x82\xAC");
    const struct json *inner = json_next(json_next(json_first(list)));
    check_where(doc, root, false, 2, 1);
    check_where(doc, root, true, 2, 1);
    check_where(doc, list, true, 2, 3);
    check_where(doc, list, false, 2, 8);
    check_where(doc, json_first(list), false, 2, 9);
    check_where(doc, json_next(json_first(list)), false, 3, 3);
    check_where(doc, inner, false, 4, 5);
    check_where(doc, json_get(inner, "in"), true, 4, 6);
    check_where(doc, json_get(inner, "in"), false, 4, 13);
    check_where(doc, json_get(root, "z"), true, 5, 2);
    check_where(doc, json_get(root, "z"), false, 5, 6);
    json_free(doc);
}

static void test_writing(void)
{
    struct buf out = {0};
    buf_byte(&out, '{');
    json_put_key(&out, "a\"");
    json_put_string(&out, "x\0y", 3);
    json_put_key(&out, "b");
    buf_byte(&out, '{');
    json_put_key(&out, "");
    json_put_string(&out, NULL, 0);
    buf_text(&out, "}}");
    CU_ASSERT_STRING_EQUAL(out.data, "{\"a\\\"\":\"x\\u0000y\",\"b\":{\"\":\"\"}}");
    buf_clear(&out);
    json_put_string(&out,
                    "\xFF"
                    "a\xE2\x82",
                    4);
    CU_ASSERT_STRING_EQUAL(out.data, "\"\xEF\xBF\xBD"
                                     "a\xEF\xBF\xBD\xEF\xBF\xBD\"");
    buf_clear(&out);
    for (int byte = 1; byte < 0x80; byte++) {
        char text[2] = {(char)byte, '\0'};
        json_put_string(&out, text, 1);
        check_print(out.data, out.data, false, NULL);
        buf_clear(&out);
    }
    buf_fini(&out);
}

static const struct check tests[] = {
    {"JSON comes out as it went in, numbers exactly", test_exact},
    {"blanks, escapes and a byte order mark are normalised", test_rewritten},
    {"sorted printing is canonical at every level", test_sorted},
    {"config files may hold comments and trailing commas", test_comments},
    {"what is not strict JSON is refused with its line and column", test_refused},
    {"bad comments are refused with their line and column", test_refused_comments},
    {"duplicate keys are refused however they are escaped", test_duplicates},
    {"objects of many keys", test_many_keys},
    {"depth, number of values and size are bounded", test_budgets},
    {"the default bounds", test_defaults},
    {"NUL bytes are refused", test_nul},
    {"nodes say what they are", test_nodes},
    {"integers of 64 bits are told from other numbers", test_ints},
    {"every node knows its line and column", test_where},
    {"writing escapes what must be and never makes bad JSON", test_writing},
};
CHECK_MAIN("json", tests)
