/* SPDX-License-Identifier: MIT */
/* test_map.c - field rules: rename, value maps both ways, otherwise, constants, conversions, the three kinds of nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "check.h"
#include "map/map.h"

#define N(array) (sizeof(array) / sizeof(*(array)))
#define A 0
#define B 1

/* A value of a type, written as its JSON text. "-" is ABSENT, "!" is NULL. */
static struct sl_value value(struct arena *a, const char *name, uint32_t type, const char *text)
{
    struct sl_value v = value_string(name, text), out;
    struct err e = {0};
    if (strcmp(text, "-") == 0)
        return value_absent(name);
    if (strcmp(text, "!") == 0)
        return value_null(name);
    if (type == SL_STRING)
        return v;
    CU_ASSERT_EQUAL(value_convert(a, &v, type, &out, &e), 0);
    return out;
}

/* Maps one field to side `to` and prints "name type text", or the error's sentence; prior_type 0: no prior. */
static char *mapped(const struct rule *r, int to, struct sl_value v, const struct sl_value *prior)
{
    struct arena a = {0};
    struct err e = {0};
    struct buf text = {0};
    struct sl_value out;
    struct sl_record from = {.size = sizeof(from), .id = "7", .fields = &v, .n_fields = 1, .field_size = sizeof(v)};
    int rc = map_value(r, to, &from, prior, 0, &a, &out, &e);
    CU_ASSERT_EQUAL(rc, e.code);
    if (rc == 0) {
        buf_printf(&text, "%s %s ", out.name ? out.name : "-", value_type_name(out.type));
        value_put_json(&text, &out);
    } else {
        CU_ASSERT_EQUAL(rc, ERR_INPUT);
        CU_ASSERT_PTR_NULL(strchr(e.text, '\n'));
        buf_text(&text, e.text);
    }
    arena_fini(&a);
    return text.data;
}

static void expect(const struct rule *r, int to, struct sl_value v, const struct sl_value *prior, const char *wanted)
{
    char *got = mapped(r, to, v, prior);
    if (strcmp(got, wanted) != 0)
        printf("\n  gave   %s\n  wanted %s\n", got, wanted);
    CU_ASSERT_STRING_EQUAL(got, wanted);
    mem_free(got);
}

static void expect_refusal(const struct rule *r, int to, struct sl_value v, const char *const parts[], size_t n_parts)
{
    char *got = mapped(r, to, v, NULL);
    for (size_t i = 0; i < n_parts; i++) {
        if (!strstr(got, parts[i]))
            printf("\n  gave     %s\n  lacks    %s\n", got, parts[i]);
        CU_ASSERT_PTR_NOT_NULL(strstr(got, parts[i]));
    }
    mem_free(got);
}

static const struct rule copy_rule = {.field = {"status", "state"}, .to = {true, true}};

static const struct value_pair status_pairs[] = {
    {.side = {"new", "open"}},
    {.side = {"open", "open"}},
    {.side = {"resolved", "closed"}},
    {.side = {"none", "null"}},
};

static struct rule status_rule(void)
{
    struct rule r = copy_rule;
    r.values = status_pairs;
    r.n_values = N(status_pairs);
    return r;
}

static void renames_and_nothing_else(void)
{
    static const struct {
        uint32_t type;
        const char *text, *to_b, *to_a;
    } table[] = {
        {SL_STRING, "x", "state string \"x\"", "status string \"x\""},
        {SL_STRING, "", "state string \"\"", "status string \"\""},
        {SL_INT, "42", "state int 42", "status int 42"},
        {SL_DECIMAL, "0.10", "state decimal 0.10", "status decimal 0.10"},
        {SL_DECIMAL, "1e400", "state decimal 1e400", "status decimal 1e400"},
        {SL_BOOL, "true", "state bool true", "status bool true"},
        {SL_DATE, "2026-11-23", "state date \"2026-11-23\"", "status date \"2026-11-23\""},
        {SL_JSON, "{\"a\":1.0}", "state json {\"a\":1.0}", "status json {\"a\":1.0}"},
        {SL_STRING, "!", "state null null", "status null null"},
        {SL_STRING, "-", "state absent null", "status absent null"},
    };
    struct arena a = {0};
    for (size_t i = 0; i < N(table); i++) {
        expect(&copy_rule, B, value(&a, "status", table[i].type, table[i].text), NULL, table[i].to_b);
        expect(&copy_rule, A, value(&a, "state", table[i].type, table[i].text), NULL, table[i].to_a);
    }
    expect(&copy_rule, B, value(&a, "other", SL_STRING, "x"), NULL, "state absent null");
    expect(&copy_rule, B, value(&a, "state", SL_STRING, "x"), NULL, "state absent null");
    arena_fini(&a);
}

static void value_maps_both_ways(void)
{
    struct rule r = status_rule();
    struct arena a = {0};
    expect(&r, B, value(&a, "status", SL_ENUM, "new"), NULL, "state string \"open\"");
    expect(&r, B, value(&a, "status", SL_STRING, "resolved"), NULL, "state string \"closed\"");
    expect(&r, A, value(&a, "state", SL_STRING, "open"), NULL, "status string \"new\""); /* the first pair counts */
    expect(&r, A, value(&a, "state", SL_STRING, "closed"), NULL, "status string \"resolved\"");
    expect(&r, B, value(&a, "status", SL_STRING, "none"), NULL, "state null null");
    expect(&r, A, value(&a, "state", SL_STRING, "!"), NULL, "status string \"none\"");
    expect(&r, A, value(&a, "state", SL_STRING, "null"), NULL,
           "status string \"none\""); /* untyped: the word is both */
    r.type[B] = SL_ENUM;
    expect(&r, B, value(&a, "status", SL_ENUM, "new"), NULL, "state enum \"open\"");
    arena_fini(&a);
}

static void listed_values_match_by_their_text(void)
{
    static const struct value_pair pairs[] = {{.side = {"1", "high"}, .type = {SL_INT}},
                                              {.side = {"true", "yes"}},
                                              {.side = {"2.50", "half"}},
                                              {.side = {"2026-11-23", "today"}},
                                              {.side = {"2026-11-23T09:00:00.000Z", "this hour"}},
                                              {.side = {"off", "false"}, .type = {0, SL_BOOL}},
                                              {.side = {"many", "12"}, .type = {0, SL_INT}},
                                              {.side = {"some", "0.50"}, .type = {0, SL_DECIMAL}},
                                              {.side = {"nil", "null"}, .type = {0, SL_STRING}}};
    static const struct {
        int to;
        uint32_t type;
        const char *text, *result;
    } table[] = {
        {B, SL_INT, "1", "state string \"high\""},
        {B, SL_STRING, "1", "state string \"high\""},
        {B, SL_BOOL, "true", "state string \"yes\""},
        {B, SL_DECIMAL, "2.50", "state string \"half\""},
        {B, SL_DATE, "2026-11-23", "state string \"today\""},
        {B, SL_TIMESTAMP, "2026-11-23T09:00:00.000Z", "state string \"this hour\""},
        {B, SL_STRING, "off", "state bool false"},
        {B, SL_STRING, "many", "state int 12"},
        {B, SL_STRING, "some", "state decimal 0.50"},
        {B, SL_STRING, "nil", "state string \"null\""},
        {A, SL_STRING, "high", "status int 1"},
        {A, SL_BOOL, "false", "status string \"off\""},
    };
    struct rule r = copy_rule;
    struct arena a = {0};
    r.values = pairs;
    r.n_values = N(pairs);
    for (size_t i = 0; i < N(table); i++)
        expect(&r, table[i].to, value(&a, table[i].to == B ? "status" : "state", table[i].type, table[i].text), NULL,
               table[i].result);
    arena_fini(&a);
}

static void unlisted_values_are_refused_or_otherwise(void)
{
    struct rule r = status_rule();
    struct arena a = {0};
    expect_refusal(&r, B, value(&a, "status", SL_STRING, "weird"),
                   (const char *[]){"field status", "\"weird\"", "add it to `values` or give `otherwise`"}, 3);
    expect_refusal(&r, A, value(&a, "state", SL_STRING, "weird"),
                   (const char *[]){"field state", "\"weird\"", "give `otherwise_a`"}, 3);
    r.otherwise[B] = "open";
    expect(&r, B, value(&a, "status", SL_STRING, "weird"), NULL, "state string \"open\"");
    expect_refusal(&r, A, value(&a, "state", SL_STRING, "weird"), (const char *[]){"`otherwise_a`"}, 1);
    r.otherwise[A] = "new";
    expect(&r, A, value(&a, "state", SL_STRING, "weird"), NULL, "status string \"new\"");
    arena_fini(&a);
}

/* A number stays one: by how it is written, by the listed values it stands among, by the schema, by what was there before. */
static void otherwise_has_a_type(void)
{
    static const struct value_pair numbers[] = {{.side = {"low", "1"}, .type = {0, SL_INT}},
                                                {.side = {"high", "2"}, .type = {0, SL_INT}}};
    static const struct value_pair words[] = {{.side = {"low", "l"}}};
    struct arena a = {0};
    struct sl_value other = value(&a, "status", SL_STRING, "other"), seven = value_int("state", 7);
    struct rule r = copy_rule;
    r.values = words;
    r.n_values = N(words);
    r.otherwise[B] = "0";
    expect(&r, B, other, NULL, "state string \"0\"");
    expect(&r, B, other, &seven, "state int 0");
    r.otherwise_type[B] = SL_INT;
    expect(&r, B, other, NULL, "state int 0");
    r.otherwise_type[B] = SL_STRING;
    r.type[B] = SL_INT;
    expect(&r, B, other, NULL, "state int 0");
    r.type[B] = SL_ABSENT;
    r.values = numbers;
    r.n_values = N(numbers);
    expect(&r, B, other, NULL, "state int 0");
    r.otherwise[B] = "none";
    expect(&r, B, other, NULL, "state string \"none\"");
    r.otherwise[B] = "true";
    r.otherwise_type[B] = SL_BOOL;
    expect(&r, B, other, NULL, "state bool true");
    arena_fini(&a);
}

static void three_kinds_of_nothing(void)
{
    static const struct value_pair pairs[] = {{.side = {"x", "y"}}};
    static const struct value_pair with_null[] = {{.side = {"x", "y"}}, {.side = {"null", "unset"}, .type = {SL_NULL}}};
    struct rule r = copy_rule;
    struct arena a = {0};
    r.values = pairs;
    r.n_values = N(pairs);
    r.otherwise[B] = "other";
    expect(&r, B, value_absent("status"), NULL, "state absent null");
    expect(&r, B, value_null("status"), NULL, "state null null");
    expect(&r, B, value(&a, "status", SL_STRING, ""), NULL, "state string \"other\"");
    r.values = with_null;
    r.n_values = N(with_null);
    expect(&r, B, value_null("status"), NULL, "state string \"unset\"");
    expect(&r, A, value(&a, "state", SL_STRING, "unset"), NULL, "status null null");
    expect(&r, B, value(&a, "status", SL_STRING, "null"), NULL, "state string \"other\"");
    r = copy_rule;
    r.type[B] = SL_INT;
    expect(&r, B, value_null("status"), NULL, "state null null");
    expect(&r, B, value_absent("status"), NULL, "state absent null");
    arena_fini(&a);
}

static void constants_need_no_source(void)
{
    struct sl_value three = value_int(NULL, 3);
    struct sl_value day = value_string(NULL, "2026-11-23");
    struct rule r = {.field = {NULL, "origin"}, .to = {false, true}, .constant = {NULL, &three}};
    expect(&r, B, value_absent("x"), NULL, "origin int 3");
    r.type[B] = SL_STRING;
    expect(&r, B, value_absent("x"), NULL, "origin string \"3\"");
    r.constant[B] = &day;
    r.type[B] = SL_DATE;
    expect(&r, B, value_absent("x"), NULL, "origin date \"2026-11-23\"");
}

static void expressions_compute_from_the_other_record(void)
{
    struct err e = {0};
    struct rule r = {.field = {NULL, "title"}, .to = {false, true}, .program = {NULL, "\"[\\(.id)] \" + .name"}};
    struct arena a = {0};
    CU_ASSERT_EQUAL(jq_compile(r.program[B], &r.expr[B], &e), 0);
    expect(&r, B, value(&a, "name", SL_STRING, "Ann"), NULL, "title string \"[7] Ann\"");
    expect_refusal(&r, B, value(&a, "name", SL_INT, "3"),
                   (const char *[]){"field title: expression: ", "cannot be added"}, 2);
    jq_free(r.expr[B]);
    CU_ASSERT_EQUAL(jq_compile(".name | select(. != \"skip\")", &r.expr[B], &e), 0);
    expect(&r, B, value(&a, "name", SL_STRING, "skip"), NULL, "title absent null");
    r.type[B] = SL_INT;
    expect(&r, B, value(&a, "name", SL_STRING, "12"), NULL, "title int 12");
    jq_free(r.expr[B]);
    arena_fini(&a);
}

static void the_schema_converts_or_refuses(void)
{
    static const struct {
        uint32_t from, want;
        const char *text, *result;
    } table[] = {
        {SL_STRING, SL_INT, "42", "state int 42"},
        {SL_INT, SL_STRING, "42", "state string \"42\""},
        {SL_STRING, SL_DATE, "2026-11-23", "state date \"2026-11-23\""},
        {SL_STRING, SL_BOOL, "true", "state bool true"},
        {SL_STRING, SL_ENUM, "open", "state enum \"open\""},
        {SL_STRING, SL_DECIMAL, "0.10", "state decimal 0.10"},
        {SL_JSON, SL_SET, "[\"x\"]", "state set [\"x\"]"},
    };
    struct arena a = {0};
    for (size_t i = 0; i < N(table); i++) {
        struct rule r = copy_rule;
        r.type[B] = table[i].want;
        expect(&r, B, value(&a, "status", table[i].from, table[i].text), NULL, table[i].result);
    }
    struct rule r = copy_rule;
    r.type[B] = SL_INT;
    expect_refusal(&r, B, value(&a, "status", SL_STRING, "four"),
                   (const char *[]){"field status", "\"four\"", "int", "correct it"}, 4);
    struct sl_value held = value_int("state", 3); /* what the schema refuses, no prior value lets in */
    char *got = mapped(&r, B, value(&a, "status", SL_STRING, "four"), &held);
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "field status"));
    mem_free(got);
    arena_fini(&a);
}

static void the_type_a_side_held_is_restored(void)
{
    static const struct {
        uint32_t held;
        const char *held_text;
        uint32_t from;
        const char *text, *result;
    } table[] = {
        {SL_INT, "41", SL_STRING, "42", "state int 42"},
        {SL_INT, "41", SL_STRING, "forty", "state string \"forty\""},
        {SL_INT, "41", SL_STRING, "042", "state string \"042\""},
        {SL_BOOL, "true", SL_STRING, "false", "state bool false"},
        {SL_BOOL, "true", SL_STRING, "no", "state string \"no\""},
        {SL_DECIMAL, "1.5", SL_STRING, "0.10", "state decimal 0.10"},
        {SL_STRING, "41", SL_INT, "42", "state string \"42\""},
        {SL_JSON, "[1]", SL_STRING, "[1,2]", "state json [1,2]"},
        {SL_JSON, "[1]", SL_STRING, "none", "state string \"none\""},
        {SL_STRING, "[1]", SL_JSON, "[1,2]", "state string \"[1,2]\""},
        {SL_STRING, "one", SL_JSON, "[1,2]", "state json [1,2]"},
        {SL_STRING, "!", SL_INT, "42", "state int 42"},
        {SL_STRING, "-", SL_INT, "42", "state int 42"},
        {SL_INT, "41", SL_STRING, "!", "state null null"},
        {SL_INT, "41", SL_STRING, "-", "state absent null"},
        {SL_INT, "41", SL_STRING, "", "state string \"\""},
    };
    struct arena a = {0};
    for (size_t i = 0; i < N(table); i++) {
        struct sl_value held = value(&a, "state", table[i].held, table[i].held_text);
        expect(&copy_rule, B, value(&a, "status", table[i].from, table[i].text), &held, table[i].result);
    }
    arena_fini(&a);
}

/* There and back gives the same value, up to the amount of a number. */
static void round_trip(void)
{
    static const struct {
        uint32_t a, b; /* the types by schema */
        const char *text;
    } table[] = {
        {SL_STRING, SL_STRING, "x"},
        {SL_STRING, SL_STRING, ""},
        {SL_INT, SL_STRING, "-42"},
        {SL_BOOL, SL_STRING, "false"},
        {SL_BOOL, SL_INT, "true"},
        {SL_INT, SL_DECIMAL, "7"},
        {SL_DECIMAL, SL_STRING, "0.10"},
        {SL_DATE, SL_STRING, "2026-11-23"},
        {SL_JSON, SL_STRING, "[1,{\"a\":0.10}]"},
        {SL_SET, SL_JSON, "[\"x\",\"y\"]"},
        {SL_TIMESTAMP, SL_STRING, "2026-11-23T09:00:00.000Z"},
        {SL_ENUM, SL_STRING, "open"},
        {SL_INT, SL_STRING, "!"},
        {SL_INT, SL_STRING, "9223372036854775807"},
    };
    for (size_t i = 0; i < N(table); i++) {
        struct arena a = {0};
        struct err e = {0};
        struct rule r = copy_rule;
        struct sl_value out = {0}, back = {0}, v = value(&a, "status", table[i].a, table[i].text);
        struct sl_record from = {.size = sizeof(from), .fields = &v, .n_fields = 1, .field_size = sizeof(v)};
        struct sl_record to = {.size = sizeof(to), .fields = &out, .n_fields = 1, .field_size = sizeof(out)};
        r.type[A] = table[i].a;
        r.type[B] = table[i].b;
        CU_ASSERT_EQUAL(map_value(&r, B, &from, NULL, 0, &a, &out, &e), 0);
        CU_ASSERT_EQUAL(map_value(&r, A, &to, NULL, 0, &a, &back, &e), 0);
        CU_ASSERT_EQUAL(back.type, v.type);
        CU_ASSERT_TRUE(value_equal(&back, &v));
        CU_ASSERT_STRING_EQUAL(back.name, "status");
        arena_fini(&a);
    }
}

/* Whatever comes in, what goes out is it, one of the listed texts, or otherwise. */
static void nothing_is_invented(void)
{
    static const char *const words[] = {"new", "open", "resolved", "closed", "none", "null",
                                        "",    "OPEN", "open ",    "[]",     "0"};
    static const char *const allowed = " open closed null other new resolved none other_a ";
    struct rule r = status_rule();
    r.otherwise[A] = "other_a";
    r.otherwise[B] = "other";
    for (size_t i = 0; i < N(words); i++) {
        for (int to = 0; to < 2; to++) {
            struct arena a = {0};
            struct err e = {0};
            struct sl_value out, v = value_string(r.field[1 - to], words[i]);
            struct sl_record from = {.size = sizeof(from), .fields = &v, .n_fields = 1, .field_size = sizeof(v)};
            CU_ASSERT_EQUAL(map_value(&r, to, &from, NULL, 0, &a, &out, &e), 0);
            const char *padded = arena_printf(&a, " %s ", out.type == SL_NULL ? "null" : out.text);
            CU_ASSERT_PTR_NOT_NULL(strstr(allowed, padded));
            arena_fini(&a);
        }
    }
}

static void open_rules_are_the_union_of_names(void)
{
    struct sl_value fa[] = {value_string("zeta", "1"), value_string("id", "7"), value_string("alpha", "2")};
    struct sl_value fb[] = {value_string("mid", "1"), value_string("alpha", "7"), value_string("key", "2")};
    struct sl_record ra = {.size = sizeof(ra), .fields = fa, .n_fields = 3, .field_size = sizeof(*fa)};
    struct sl_record rb = {.size = sizeof(rb), .fields = fb, .n_fields = 3, .field_size = sizeof(*fb)};
    struct map m = {.open = true, .open_skip = {"id", "key"}};
    m.open_rule = (struct rule){.to = {true, true}, .policy = POLICY_NEWEST, .drift = DRIFT_ALERT};
    static const char *const wanted[3][4] = {{"alpha", "mid", "zeta"}, {"alpha", "zeta"}, {"alpha", "mid"}};
    const struct sl_record *const sides[3][2] = {{&ra, &rb}, {&ra, NULL}, {NULL, &rb}};
    static const size_t n_wanted[3] = {3, 2, 2};
    for (size_t i = 0; i < 3; i++) {
        struct arena a = {0};
        size_t n = 0;
        struct rule *rules = map_open_rules(&m, sides[i], &a, &n);
        CU_ASSERT_EQUAL_FATAL(n, n_wanted[i]);
        for (size_t k = 0; k < n; k++) {
            CU_ASSERT_STRING_EQUAL(rules[k].field[A], wanted[i][k]);
            CU_ASSERT_STRING_EQUAL(rules[k].field[B], wanted[i][k]);
            CU_ASSERT_TRUE(rules[k].to[A] && rules[k].to[B]);
            CU_ASSERT_EQUAL(rules[k].policy, POLICY_NEWEST);
        }
        arena_fini(&a);
    }
    struct arena a = {0};
    size_t n = 9;
    const struct sl_record *const none[2] = {NULL, NULL};
    (void)map_open_rules(&m, none, &a, &n);
    CU_ASSERT_EQUAL(n, 0);
    m.open_rule.to[A] = false; /* a one-way pair's open rules write one way */
    struct rule *rules = map_open_rules(&m, sides[0], &a, &n);
    CU_ASSERT_FALSE(rules[0].to[A]);
    arena_fini(&a);
}

static size_t problems_of(const struct rule *r, struct buf *text)
{
    static const char *const of_a[] = {"new", "open", "pending", "resolved", "none"};
    static const char *const of_b[] = {"open", "closed", "null"};
    const char *const *const enums[2] = {of_a, of_b};
    const uint32_t n_enums[2] = {N(of_a), N(of_b)};
    buf_clear(text);
    return map_check_values(r, enums, n_enums, text);
}

static void value_maps_are_checked(void)
{
    struct rule r = status_rule();
    struct buf text = {0};
    CU_ASSERT_EQUAL(problems_of(&r, &text), 2);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text.data, "`status` on side a may hold \"pending\", which `values` does not map to side b; add it"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "\"new\", \"open\" on side a are all \"open\" on side b"));
    CU_ASSERT_PTR_NOT_NULL(strchr(text.data, '\n'));
    r.to[A] = false; /* one way: nothing has to come back */
    CU_ASSERT_EQUAL(problems_of(&r, &text), 1);
    r.otherwise[B] = "open";
    CU_ASSERT_EQUAL(problems_of(&r, &text), 0);
    r.to[A] = true;
    CU_ASSERT_EQUAL(problems_of(&r, &text), 1);
    r.otherwise[A] = "new";
    CU_ASSERT_EQUAL(problems_of(&r, &text), 0);
    buf_clear(&text);
    struct rule unknown = status_rule();
    const char *const *const enums[2] = {NULL, NULL};
    const uint32_t n_enums[2] = {0, 0};
    CU_ASSERT_EQUAL(map_check_values(&unknown, enums, n_enums, &text), 1); /* total cannot be told, reversible can */
    CU_ASSERT_EQUAL(map_check_values(&copy_rule, enums, n_enums, &text), 0);
    buf_fini(&text);
}

static struct rule of_user(const struct who *who, size_t n_who)
{
    return (struct rule){
        .field = {"assignee", "assignee"}, .to = {true, true}, .names_user = true, .who = who, .n_who = n_who};
}

/* What side `to` gets for that user; the error's text where it gets none. */
static const char *told(struct rule *r, int to, const char *user, struct arena *a)
{
    struct sl_value v = value_string("assignee", user), out;
    struct sl_record one = {.size = sizeof one, .id = "1", .fields = &v, .n_fields = 1, .field_size = sizeof v};
    struct err e = {0};
    if (map_value(r, to, &one, NULL, 0, a, &out, &e))
        return arena_text(a, e.text);
    return out.type == SL_ABSENT ? "(nothing)" : arena_dup(a, out.text, out.text_size);
}

static void users(void)
{
    static const struct who who[] = {{{"ann@acme.test", "ann-gh"}}};
    struct arena a = {0};
    struct rule r = of_user(who, 1);
    CU_ASSERT_STRING_EQUAL(told(&r, 1, "ann@acme.test", &a), "ann-gh");
    CU_ASSERT_STRING_EQUAL(told(&r, 1, "Ann@ACME.test", &a), "ann-gh");
    CU_ASSERT_STRING_EQUAL(told(&r, 0, "ann-gh", &a), "ann@acme.test");
    CU_ASSERT_STRING_EQUAL(told(&r, 1, "", &a), "");
    CU_ASSERT_STRING_EQUAL(
        told(&r, 1, "bob@acme.test", &a),
        "field assignee: nobody is known to be 'bob@acme.test' on side b; add a line with both names to "
        "`users`, or give `otherwise`");
    CU_ASSERT_STRING_EQUAL(
        told(&r, 0, "bob", &a),
        "field assignee: nobody is known to be 'bob' on side a; add a line with both names to `users`, or "
        "give `otherwise_a`");
    r.takes_user[1] = USER_EMAIL;
    CU_ASSERT_STRING_EQUAL(told(&r, 1, "bob@acme.test", &a), "bob@acme.test");
    CU_ASSERT_PTR_NOT_NULL(strstr(told(&r, 1, "bob", &a), "nobody is known to be 'bob'"));
    r.otherwise[1] = "triage";
    CU_ASSERT_STRING_EQUAL(told(&r, 1, "bob", &a), "triage");
    r.otherwise[1] = NULL;
    r.signed_elsewhere = true;
    CU_ASSERT_STRING_EQUAL(told(&r, 1, "bob", &a), "(nothing)");
    arena_fini(&a);
}

static void bylines(void)
{
    struct arena a = {0};
    struct rule r = {.field = {"body", "body"}, .to = {true, true}, .byline = {"code", "desk"}};
    struct sl_value fields[] = {value_string("body", "See this."), value_string("author", "bob@acme.test"),
                                value_string("author_name", "Bob"), value_string("attachments", "")};
    struct sl_record one = {
        .size = sizeof one, .id = "1", .fields = fields, .n_fields = 4, .field_size = sizeof *fields};
    struct sl_value out;
    struct err e = {0};
    CU_ASSERT_EQUAL(map_value(&r, 1, &one, NULL, 0, &a, &out, &e), 0);
    CU_ASSERT_STRING_EQUAL(out.text, "Bob (desk):\n\nSee this.");
    one.created_ms = 1700000000000;
    static const char files[] = "[{\"name\":\"log.txt\",\"url\":\"https://desk.test/1\"},{\"name\":\"no url\"}]";
    fields[3] = (struct sl_value){.name = "attachments", .type = SL_JSON, .text = files, .text_size = strlen(files)};
    CU_ASSERT_EQUAL(map_value(&r, 1, &one, NULL, 0, &a, &out, &e), 0);
    CU_ASSERT_STRING_EQUAL(out.text,
                           "Bob (desk, 2023-11-14 22:13 UTC):\n\nSee this.\n\nAttachment: log.txt https://desk.test/1");
    fields[1] = fields[2] = value_absent("none");
    CU_ASSERT_EQUAL(map_value(&r, 0, &one, NULL, 0, &a, &out, &e), 0);
    CU_ASSERT_EQUAL(strncmp(out.text, "Somebody (code, ", 16), 0);
    arena_fini(&a);
}

static const struct check tests[] = {
    {"renames, and keeps the value as it is (I7)", renames_and_nothing_else},
    {"value maps both ways, the first pair counts", value_maps_both_ways},
    {"listed values match by their text and come back with their type", listed_values_match_by_their_text},
    {"unlisted values are refused by name, or otherwise", unlisted_values_are_refused_or_otherwise},
    {"I32: otherwise takes the type of the field it goes into", otherwise_has_a_type},
    {"ABSENT, NULL and \"\" are kept apart (I35)", three_kinds_of_nothing},
    {"constants need no source", constants_need_no_source},
    {"expressions compute from the other record", expressions_compute_from_the_other_record},
    {"the schema's type converts or refuses", the_schema_converts_or_refuses},
    {"the type a side held is restored where it fits", the_type_a_side_held_is_restored},
    {"there and back is the same value (I32)", round_trip},
    {"nothing is invented (I7)", nothing_is_invented},
    {"open rules are the union of names, in the template's direction (I34)", open_rules_are_the_union_of_names},
    {"value maps are checked for being total and reversible", value_maps_are_checked},
    {"users go by the config's table, by e-mail where that is taken, else they are asked for", users},
    {"words are signed, with links to what was attached", bylines},
};

CHECK_MAIN("map", tests)
