/* SPDX-License-Identifier: MIT */
/* test_session.c - a scripted connector breaks each rule of the contract in turn; each gets its sentence. */
#include <string.h>

#include "scripted.h"

static char long_text[70000]; /* filled with 'x' by main */

static const struct rule {
    int call;
    struct script script;
    const char *sentence;
} broken_rules[] = {
    /* ids */
    {PULL, {ITEMS(STUB(NULL)), PAGES(DONE)}, "an item's id is empty"},
    {PULL, {ITEMS(STUB("")), PAGES(DONE)}, "an item's id is empty"},
    {PULL, {ITEMS(STUB(long_text)), PAGES(DONE)}, "an item's id is longer than 1024 bytes"},
    {PULL, {ITEMS(STUB("a\xff")), PAGES(DONE)}, "an item's id is not valid UTF-8"},
    {PULL, {ITEMS(STUB("a\nb")), PAGES(DONE)}, "an item's id has a control character"},
    {PULL, {ITEMS(STUB("\xc3\xa9\x7f")), PAGES(DONE)}, "an item's id has a control character"},
    {PULL, {ITEMS(STUB("\xc2\x85")), PAGES(DONE)}, "an item's id has a control character"},
    /* items */
    {PULL, {ITEMS({ITEM, .kind = 77, .id = "a"}), PAGES(DONE)}, "of kind 77"},
    {PULL, {ITEMS({ITEM, .id = "a"}), PAGES(DONE)}, "of kind 0"},
    {PULL,
     {ITEMS({.size = 8, .kind = SL_ITEM_STUB, .id = "a"}), PAGES(DONE)},
     "an item says its size is 8 bytes; ABI 1.0 has 56"},
    {PULL, {ITEMS({.size = 1u << 30, .kind = SL_ITEM_STUB, .id = "a"}), PAGES(DONE)}, "an item says its size is"},
    {PULL,
     {ITEMS({ITEM, .kind = SL_ITEM_STUB, .id = "a", .version = long_text}), PAGES(DONE)},
     "version is longer than 1024"},
    {PULL, {ITEMS({ITEM, .kind = SL_ITEM_RECORD, .id = "a"}), PAGES(DONE)}, "an item of kind RECORD has no record"},
    {PULL, {ITEMS({ITEM, .kind = 99, .id = "a"}), PAGES(DONE)}, "an item is of kind 99, which this host (ABI "},
    {PULL,
     {ITEMS({ITEM, .kind = SL_ITEM_RECORD, .id = "a", .record = RECORD("b", {.name = "f", .type = SL_NULL})}),
      PAGES(DONE)},
     "the item's id is 'a', its record's 'b'"},
    {PULL, {ITEMS({ITEM, .kind = SL_ITEM_UNREADABLE, .id = "a"}), PAGES(DONE)}, "has no error class"},
    {PULL,
     {ITEMS({ITEM, .kind = SL_ITEM_TOMBSTONE, .id = "a", .successor_id = "\t"}), PAGES(DONE)},
     "successor_id has a control"},
    {GET, {ITEMS(STUB("a"))}, "emits no items of kind 2"},
    {FIND, {ITEMS({ITEM, .kind = SL_ITEM_TOMBSTONE, .id = "a"})}, "emits no items of kind 3"},
    {WEBHOOK, {ITEMS({ITEM, .kind = SL_ITEM_TOMBSTONE, .id = "a"})}, "emits no items of kind 3"},
    {CHECK, {ITEMS(STUB("a"))}, "emit is for pull, get, find and webhook"},
    {WRITE, {ITEMS(STUB("a"))}, "emit is for pull, get, find and webhook"},
    /* records */
    {PULL,
     {ITEMS({ITEM, .kind = SL_ITEM_RECORD, .record = &(const struct sl_record){.size = 3}}), PAGES(DONE)},
     "a record says its size is 3"},
    {PULL,
     {ITEMS({ITEM, .kind = SL_ITEM_RECORD,
             .record = &(const struct sl_record){.size = sizeof(struct sl_record), .id = "a", .version = long_text}}),
      PAGES(DONE)},
     "a record's version is longer than 1024"},
    {PULL,
     {ITEMS({ITEM, .kind = SL_ITEM_RECORD,
             .record = &(const struct sl_record){.size = sizeof(struct sl_record), .id = "a", .n_fields = 2}}),
      PAGES(DONE)},
     "their array is NULL"},
    {PULL,
     {ITEMS({ITEM, .kind = SL_ITEM_RECORD,
             .record = &(const struct sl_record){.size = sizeof(struct sl_record),
                                                 .id = "a",
                                                 .n_fields = 1,
                                                 .field_size = 9,
                                                 .fields = (const struct sl_value[]){{.name = "f"}}}}),
      PAGES(DONE)},
     "fields say they are 9 bytes apart"},
    {PULL, WITH({.type = SL_NULL}), "field 0 has no name"},
    {PULL, WITH({.name = "\xff", .type = SL_NULL}), "the name of field 0 is not valid UTF-8"},
    {PULL, WITH({.name = "f", .type = SL_NULL}, {.name = "g", .type = SL_NULL}, {.name = "f", .type = SL_NULL}),
     "field 'f' is there twice"},
    {PULL, WITH({.name = "f", .type = 12}), "field 'f' is of type 12, which this host (ABI 1."},
    {PULL, WITH({.name = "f", .type = SL_BOOL, .number = 2}), "neither 0 nor 1"},
    {PULL, WITH({.name = "f", .type = SL_STRING}), "field 'f' has no text"},
    {PULL, WITH({.name = "f", .type = SL_STRING, .text = "x", .text_size = (size_t)-1}), "longer than 64 MiB"},
    {PULL, WITH(TEXT("f", SL_STRING, "a\xc3")), "field 'f' is not valid UTF-8"},
    {PULL, WITH(TEXT("f", SL_STRING, "a\0b")), "has a NUL in it"},
    {PULL, WITH(TEXT("f", SL_DECIMAL, "1.")), "is a decimal that is no JSON number"},
    {PULL, WITH(TEXT("f", SL_DECIMAL, "01")), "is a decimal that is no JSON number"},
    {PULL, WITH(TEXT("f", SL_DECIMAL, "1e")), "is a decimal that is no JSON number"},
    {PULL, WITH(TEXT("f", SL_DECIMAL, "NaN")), "is a decimal that is no JSON number"},
    {PULL, WITH(TEXT("f", SL_DECIMAL, "")), "is a decimal that is no JSON number"},
    {PULL, WITH({.name = "f", .type = SL_DATE, .number = 99999999}), "a date outside the years 1 to 9999"},
    {PULL, WITH({.name = "f", .type = SL_TIMESTAMP, .number = INT64_MIN}), "a timestamp outside the years 1 to 9999"},
    {PULL, WITH(TEXT("f", SL_JSON, "12")), "neither a list nor an object"},
    {PULL, WITH(TEXT("f", SL_JSON, "[1,}")), "its text is no valid JSON"},
    {PULL, WITH(SET({.type = SL_INT, .number = 1}, {.type = SL_INT, .number = 1})), "an item in it twice"},
    {PULL, WITH(SET(TEXT(NULL, SL_STRING, "x"), TEXT(NULL, SL_STRING, "x"))), "an item in it twice"},
    {PULL, WITH(SET(TEXT("n", SL_STRING, "x"))), "no scalar, or has a name"},
    {PULL, WITH(SET({.type = SL_NULL})), "no scalar, or has a name"},
    {PULL, WITH(SET(SET({.type = SL_INT}))), "no scalar, or has a name"},
    {PULL, WITH(SET(TEXT(NULL, SL_STRING, "\xff"))), "field 's' is not valid UTF-8"},
    {PULL, WITH({.name = "s", .type = SL_SET, .n_items = 1, .item_size = sizeof(struct sl_value)}),
     "their array is NULL"},
    {PULL,
     WITH({.name = "s",
           .type = SL_SET,
           .n_items = 3000000,
           .item_size = sizeof(struct sl_value),
           .items = (const struct sl_value[]){{.type = SL_INT}}}),
     "a set's items are 3000000; the most is 100000"},
    /* pages */
    {PULL, {ITEMS(STUB("a"))}, "without ending the page"},
    {PULL, {PAGES(DONE, DONE)}, "the page was ended twice"},
    {PULL, {PAGES(DONE), .late = &(const struct sl_item)STUB("z")}, "an item came after the page had ended"},
    {PULL, {PAGES({sizeof(struct sl_page), 9, "c2", NULL})}, "the page's kind is 9"},
    {PULL, {PAGES({16, SL_PAGE_DONE, "c2", NULL})}, "a page says its size is 16"},
    {PULL, {PAGES({sizeof(struct sl_page), SL_PAGE_MORE, "", NULL})}, "there is more, but gives no cursor"},
    {PULL, {PAGES({sizeof(struct sl_page), SL_PAGE_MORE, "c1", NULL})}, "that would never end"},
    {PULL, {PAGES({sizeof(struct sl_page), SL_PAGE_DONE, long_text, NULL})}, "the page's cursor is longer than 65536"},
    {PULL, {PAGES({sizeof(struct sl_page), SL_PAGE_DONE, "c", long_text})}, "the page's epoch is longer"},
    {GET, {PAGES(DONE)}, "page is for pull"},
    /* get */
    {GET,
     {ITEMS({ITEM, .kind = SL_ITEM_TOMBSTONE, .id = "a"}, {ITEM, .kind = SL_ITEM_TOMBSTONE, .id = "c"})},
     "id 'c' was not asked for"},
    {GET,
     {ITEMS({ITEM, .kind = SL_ITEM_TOMBSTONE, .id = "a"}, {ITEM, .kind = SL_ITEM_TOMBSTONE, .id = "a"})},
     "or is answered twice"},
    {GET, {ITEMS({ITEM, .kind = SL_ITEM_TOMBSTONE, .id = "a"})}, "without an answer for id 'b'"},
    /* outcomes */
    {WRITE, {OUTCOMES({OUT, .index = 2, .result = SL_APPLIED})}, "an outcome is of write 2, the batch has 2"},
    {WRITE, {OUTCOMES({OUT, .result = SL_APPLIED}, {OUT, .result = SL_APPLIED})}, "write 0 was told two outcomes"},
    {WRITE, {OUTCOMES({OUT, .result = 4})}, "has the result 4"},
    {WRITE, {OUTCOMES({OUT, .result = SL_NOT_APPLIED})}, "not applied, but has no error class"},
    {WRITE, {OUTCOMES({.size = 1, .result = SL_APPLIED})}, "an outcome says its size is 1"},
    {WRITE,
     {OUTCOMES({OUT, .result = SL_APPLIED, .record = RECORD("z", {.name = "f", .type = SL_NULL})})},
     "was for id 'a', its outcome is about 'z'"},
    {WRITE,
     {OUTCOMES({OUT, .index = 1, .result = SL_APPLIED, .record = RECORD("b", {.name = "f", .type = SL_NULL})})},
     "is a delete, and its outcome has a record"},
    {WRITE, {OUTCOMES({OUT, .result = SL_APPLIED, .record = RECORD("a", {.name = "f", .type = 99})})}, "of type 99"},
    {CHECK, {OUTCOMES({OUT, .result = SL_APPLIED})}, "outcome is for write"},
    /* describe */
    {DESCRIBE, {0}, "object 't' was asked for, and none described"},
    {DESCRIBE, {.object = &(const struct sl_object){.size = 10, .name = "t"}}, "an object says its size is 10"},
    {DESCRIBE,
     {.object = &(const struct sl_object){.size = sizeof(struct sl_object), .name = "u"}},
     "'t' was asked for, 'u' described"},
    {DESCRIBE,
     {.object = &(const struct sl_object){.size = sizeof(struct sl_object),
                                          .name = "t",
                                          .n_fields = 1,
                                          .field_size = sizeof(struct sl_field),
                                          .fields = (const struct sl_field[]){{.type = SL_INT}}}},
     "a described field has no name"},
    {DESCRIBE,
     {.object = &(const struct sl_object){.size = sizeof(struct sl_object),
                                          .name = "t",
                                          .n_fields = 2,
                                          .field_size = sizeof(struct sl_field),
                                          .fields = (const struct sl_field[]){{.name = "f"}, {.name = "f"}}}},
     "field 'f' is described twice"},
    {DESCRIBE,
     {.object =
          &(const struct sl_object){.size = sizeof(struct sl_object), .name = "t", .n_fields = 2, .field_size = 4}},
     "their array is NULL"},
    {PULL,
     {.object = &(const struct sl_object){.size = sizeof(struct sl_object), .name = "t"}},
     "object is for describe"},
};

static void check_rule(struct session *s, const struct rule *rule)
{
    struct arena a = {0};
    struct err e = {0};
    script = rule->script;
    int got = call(s, rule->call, &a, &e);
    bool told = strncmp(e.text, "desk: connector scripted broke its contract in ", 47) == 0 &&
                strstr(e.text, rule->sentence) && strstr(e.text, "; tell its author");
    if (got != SL_BROKEN || e.code != ERR_FAILED || !told)
        printf("\nwanted \"%s\", got %s: %s\n", rule->sentence, class_name(got), e.text);
    CU_ASSERT(got == SL_BROKEN && e.code == ERR_FAILED && told);
    if (rule->call == WRITE)
        CU_ASSERT_EQUAL(outcomes[1].result, SL_UNCERTAIN);
    CU_ASSERT(rule->call != PULL || (!end.kind && !end.cursor));
    forget();
    arena_fini(&a);
}

static void test_rules(void)
{
    struct session *s = open_session(&scripted, NULL);
    for (size_t i = 0; i < COUNT(broken_rules); i++)
        check_rule(s, &broken_rules[i]);
    CU_ASSERT_EQUAL(session_calls(s), COUNT(broken_rules));
    session_close(s);
}

static const struct check tests[] = {
    {"every broken rule is SL_BROKEN with its sentence (I26: no answer is not absence)", test_rules},
};

int main(void)
{
    memset(long_text, 'x', sizeof(long_text) - 1);
    return check_run("session", tests, COUNT(tests));
}
