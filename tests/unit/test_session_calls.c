/* SPDX-License-Identifier: MIT */
/* test_session_calls.c - what goes through a session unbroken: items, outcomes, failures, services and states. */
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "scripted.h"

/* Every type, as it should be. */
static const struct script good_pull = {
    ITEMS({ITEM, .kind = SL_ITEM_RECORD,
           .record = RECORD("a", {.name = "n", .type = SL_NULL}, {.name = "", .type = SL_ABSENT},
                            TEXT("d", SL_DECIMAL, "-0.10e+400"),
                            {.name = "t", .type = SL_STRING, .text = "abcXX", .text_size = 3}, TEXT("e", SL_STRING, ""),
                            TEXT("j", SL_JSON, "{\"a\":[1]}"),
                            SET(TEXT(NULL, SL_STRING, "x"), TEXT(NULL, SL_ENUM, "x"), {.type = SL_INT}))},
          STUB("\xc3\xa9"), {ITEM, .kind = SL_ITEM_UNREADABLE, .id = "u", .error_class = 99},
          {ITEM, .kind = SL_ITEM_UNREADABLE, .id = "v", .error_class = SL_REJECTED, .message = "line\none"}),
    PAGES(DONE)};

static void test_good_pull(void)
{
    struct session *s = open_session(&scripted, NULL);
    struct arena a = {0};
    struct err e = {0};
    script = good_pull;
    CU_ASSERT_EQUAL(call(s, PULL, &a, &e), SL_OK);
    CU_ASSERT_EQUAL(e.code, 0);
    CU_ASSERT_EQUAL_FATAL(kept.n, 4);
    CU_ASSERT_STRING_EQUAL(kept.items[0].id, "a");
    CU_ASSERT_EQUAL(kept.items[0].record->n_fields, 7);
    CU_ASSERT_STRING_EQUAL(record_field(kept.items[0].record, "t")->text, "abc");
    CU_ASSERT_EQUAL(kept.items[2].error_class, SL_RETRY);
    CU_ASSERT_STRING_EQUAL(kept.items[2].message, "the connector did not say why");
    CU_ASSERT_STRING_EQUAL(kept.items[3].message, "line one");
    CU_ASSERT_EQUAL(end.kind, SL_PAGE_DONE);
    CU_ASSERT_STRING_EQUAL(end.cursor, "c2");
    CU_ASSERT_STRING_EQUAL(end.epoch, "e1");
    session_close(s);
    forget();
    arena_fini(&a);
}

/* Structs of a newer connector: more at the end, at the top and in both arrays. */
struct newer_value {
    struct sl_value value;
    uint64_t more;
};
struct newer_record {
    struct sl_record record;
    uint64_t more[3];
};

static void test_newer_sizes(void)
{
    const struct newer_value set[] = {{{.type = SL_INT, .number = 1}, 7}, {{.type = SL_INT, .number = 2}, 7}};
    const struct newer_value fields[] = {
        {{.name = "s", .type = SL_SET, .items = &set[0].value, .n_items = 2, .item_size = sizeof(*set)}, 7},
        {{.name = "i", .type = SL_INT, .number = 5}, 7}};
    const struct newer_record record = {
        {.size = sizeof(record), .id = "a", .fields = &fields[0].value, .n_fields = 2, .field_size = sizeof(*fields)},
        {7, 7, 7}};
    const struct sl_item items[] = {{.size = sizeof(struct sl_item), .kind = SL_ITEM_RECORD, .record = &record.record}};
    struct session *s = open_session(&scripted, NULL);
    struct arena a = {0};
    struct err e = {0};
    script = (struct script){.items = items, .n_items = 1, PAGES(DONE)};
    CU_ASSERT_EQUAL(call(s, PULL, &a, &e), SL_OK);
    CU_ASSERT_EQUAL_FATAL(kept.n, 1);
    const struct sl_record *r = kept.items[0].record;
    CU_ASSERT_EQUAL(r->size, sizeof(*r));
    CU_ASSERT_EQUAL(record_field(r, "i")->number, 5);
    CU_ASSERT_EQUAL(record_field(r, "s")->items[1].number, 2);
    session_close(s);
    forget();
    arena_fini(&a);
}

static void test_sink_ends(void)
{
    struct session *s = open_session(&scripted, NULL);
    struct arena a = {0};
    struct err e = {0};
    script = (struct script){ITEMS(STUB("a"), STUB("b")), PAGES(DONE)};
    kept.answer = 1;
    CU_ASSERT_EQUAL(call(s, PULL, &a, &e), SL_BROKEN);
    CU_ASSERT_EQUAL(emitted, SL_BROKEN);
    CU_ASSERT_STRING_EQUAL(e.text, "desk: pull ended after 1 items: the host could take no more");
    forget();
    session_close(s);
    arena_fini(&a);
}

static void test_outcomes(void)
{
    struct session *s = open_session(&scripted, NULL);
    struct arena a = {0};
    struct err e = {0};
    script = (struct script){OUTCOMES({OUT, .result = SL_APPLIED, .read_back = 1, .retry_after_ms = -5,
                                       .message = "all\twell", .record = RECORD("a", TEXT("f", SL_STRING, "v"))},
                                      {OUT, .index = 1, .result = SL_NOT_APPLIED, .error_class = 42})};
    CU_ASSERT_EQUAL(call(s, WRITE, &a, &e), SL_OK);
    CU_ASSERT(outcomes[0].result == SL_APPLIED && outcomes[0].read_back && outcomes[0].retry_after_ms == 0);
    CU_ASSERT_STRING_EQUAL(outcomes[0].message, "all well");
    CU_ASSERT_STRING_EQUAL(record_field(outcomes[0].record, "f")->text, "v");
    CU_ASSERT(outcomes[1].result == SL_NOT_APPLIED && outcomes[1].error_class == SL_RETRY);
    session_close(s);
    arena_fini(&a);
}

/* I19: what was not told is never taken for done, nor for not done. */
static void test_untold(void)
{
    struct session *s = open_session(&scripted, NULL);
    struct arena a = {0};
    struct err e = {0};
    script = (struct script){OUTCOMES({OUT, .index = 1, .result = SL_APPLIED})};
    CU_ASSERT_EQUAL(call(s, WRITE, &a, &e), SL_OK);
    CU_ASSERT(outcomes[0].result == SL_UNCERTAIN && outcomes[1].result == SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(outcomes[0].message, "the connector told no outcome");
    script = (struct script){OUTCOMES({OUT, .result = SL_APPLIED}), .said = "the disk is full; make room",
                             .answer = SL_RETRY};
    CU_ASSERT_EQUAL(call(s, WRITE, &a, &e), SL_RETRY);
    CU_ASSERT(outcomes[0].result == SL_APPLIED && outcomes[1].result == SL_UNCERTAIN);
    CU_ASSERT_STRING_EQUAL(outcomes[1].message, "desk: the disk is full; make room");
    session_close(s);
    arena_fini(&a);
}

static const struct {
    const char *said;
    int answer;
    int want;
    int code;
    const char *text;
} failures[] = {
    {"host is\ndown\x01; wait", SL_RETRY, SL_RETRY, ERR_FAILED, "desk: host is down ; wait"},
    {"desk: already named", SL_AUTH, SL_AUTH, ERR_CONFIG, "desk: already named"},
    {"key hunter2hunter2 is \xff wrong  ", SL_AUTH, SL_AUTH, ERR_CONFIG, "desk: key *** is ? wrong"},
    {NULL, SL_RATE, SL_RATE, ERR_FAILED,
     "desk: check ended with 'rate' and no reason: too many requests; the next run tries again"},
    {NULL, SL_REJECTED, SL_REJECTED, ERR_INPUT,
     "desk: check ended with 'rejected' and no reason: the data was refused; look at the record"},
    {NULL, SL_CONFLICT, SL_CONFLICT, ERR_INPUT,
     "desk: check ended with 'conflict' and no reason: the record has changed; the next run plans it again"},
    {NULL, SL_GONE, SL_GONE, ERR_INPUT,
     "desk: check ended with 'gone' and no reason: what was asked for is not there; look for it in that system"},
    {NULL, SL_AUTH, SL_AUTH, ERR_CONFIG,
     "desk: check ended with 'auth' and no reason: the credentials were refused; renew them or their permissions"},
    {NULL, SL_RETRY, SL_RETRY, ERR_FAILED,
     "desk: check ended with 'retry' and no reason: a passing fault; the next run tries again"},
    {NULL, SL_CONFIG, SL_CONFIG, ERR_CONFIG,
     "desk: check ended with 'config' and no reason: the settings are at fault; change the connection in the config"},
    {NULL, SL_UNSUPPORTED, SL_UNSUPPORTED, ERR_CONFIG,
     "desk: check ended with 'unsupported' and no reason: the connector cannot do that; change the config"},
    {NULL, SL_EXISTS, SL_EXISTS, ERR_INPUT,
     "desk: check ended with 'exists' and no reason: another record holds that id"},
    {NULL, SL_BUSY, SL_BUSY, ERR_FAILED,
     "desk: check ended with 'busy' and no reason: another program holds a lock; the next run tries again"},
    {NULL, SL_BROKEN, SL_BROKEN, ERR_FAILED,
     "desk: check ended with 'broken' and no reason: the connector or its system broke its rules; tell the connector's "
     "author"},
    {"odd", 77, SL_RETRY, ERR_FAILED, "desk: odd"},
    {"odd", -1, SL_RETRY, ERR_FAILED, "desk: odd"},
    {"not heard", SL_OK, SL_OK, 0, ""},
};

static void test_failures(void)
{
    struct session *s = open_session(&scripted, NULL);
    log_secret("hunter2hunter2");
    for (size_t i = 0; i < COUNT(failures); i++) {
        struct err e = {0};
        script = (struct script){.said = failures[i].said, .answer = failures[i].answer};
        CU_ASSERT_EQUAL(call(s, CHECK, NULL, &e), failures[i].want);
        CU_ASSERT_EQUAL(e.code, failures[i].code);
        CU_ASSERT_STRING_EQUAL(e.text, failures[i].text);
    }
    session_close(s);
}

static void test_long_failure(void)
{
    struct session *s = open_session(&scripted, NULL);
    struct err e = {0};
    char text[2000];
    memset(text, 'x', sizeof(text));
    for (size_t i = 1; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    memcpy(text + 590, " hunter2hunter2 ", 16); /* the cut at 600 must not leave half a secret */
    text[sizeof(text) - 1] = '\0';
    script = (struct script){.said = text, .answer = SL_RETRY};
    CU_ASSERT_EQUAL(call(s, CHECK, NULL, &e), SL_RETRY);
    CU_ASSERT(strlen(e.text) <= 606 && utf8_valid(e.text, strlen(e.text), NULL));
    CU_ASSERT_PTR_NULL(strstr(e.text, "hunter"));
    session_close(s);
}

static void test_describe(void)
{
    const char *const open_closed[] = {"open", "closed"};
    const struct sl_field fields[] = {{.name = "status", .type = SL_ENUM, .values = open_closed, .n_values = 2},
                                      {.name = "x", .type = 40}};
    const struct sl_object object = {.size = sizeof(object),
                                     .id_rule = 9,
                                     .name = "t",
                                     .fields = fields,
                                     .n_fields = 2,
                                     .field_size = sizeof(*fields),
                                     .caps = SL_CAP_UPDATE | SL_CAP_DELETE | SL_CAP_RESERVED_ID};
    struct session *s = open_session(&scripted, NULL);
    struct arena a = {0};
    struct err e = {0};
    script = (struct script){.object = &object};
    CU_ASSERT_EQUAL(call(s, DESCRIBE, &a, &e), SL_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(described);
    CU_ASSERT_EQUAL(described->object.caps, SL_CAP_UPDATE);
    CU_ASSERT_EQUAL(described->object.id_rule, SL_ID_SERVER);
    CU_ASSERT_PTR_NOT_EQUAL(described->object.fields, fields);
    CU_ASSERT_STRING_EQUAL(described->object.fields[0].values[1], "closed");
    CU_ASSERT_EQUAL(described->object.fields[1].type, SL_ABSENT);
    CU_ASSERT_PTR_NULL(described->next);
    session_close(s);
    arena_fini(&a);
}

static void test_open(void)
{
    struct session *s = NULL;
    struct err e = {0};
    int before = closed;
    opened_answer = SL_CONFIG;
    CU_ASSERT_EQUAL(session_open(&scripted, "desk", NULL, 0, NULL, &s, &e), SL_CONFIG);
    CU_ASSERT(!s && e.code == ERR_CONFIG && closed == before);
    CU_ASSERT_STRING_EQUAL(e.text, "desk: no such folder; create it");
    opened_answer = SL_OK;
    session_close(open_session(&scripted, NULL));
    CU_ASSERT_EQUAL(closed, before + 1);
    session_close(NULL);
}

static void test_missing_call(void)
{
    struct sl_plugin less = scripted;
    struct arena a = {0};
    struct err e = {0};
    less.write = NULL;
    struct session *s = open_session(&less, NULL);
    CU_ASSERT_EQUAL(call(s, WRITE, &a, &e), SL_UNSUPPORTED);
    CU_ASSERT(e.code == ERR_CONFIG && outcomes[0].result == SL_UNCERTAIN);
    CU_ASSERT_STRING_EQUAL(e.text, "desk: connector scripted has no write; change what the config asks of it");
    CU_ASSERT_EQUAL(session_calls(s), 0);
    session_close(s);
    arena_fini(&a);
}

static struct session *outer;
static int inner_answer;
static struct err inner_err;

static int call_again(void *self, const struct sl_item *item)
{
    (void)self;
    (void)item;
    inner_answer = session_check(outer, &inner_err);
    return 0;
}

/* One call at a time; and a service used between calls is told by the next call. */
static void test_state(void)
{
    struct arena a = {0};
    struct err e = {0};
    struct sl_pull pull = {.object = "t"};
    outer = open_session(&scripted, NULL);
    script = (struct script){ITEMS(STUB("a")), PAGES(DONE)};
    CU_ASSERT_EQUAL(session_pull(outer, &pull, (struct session_sink){NULL, call_again}, &a, &end, &e), SL_OK);
    CU_ASSERT_EQUAL(inner_answer, SL_BROKEN);
    CU_ASSERT_PTR_NOT_NULL(strstr(inner_err.text, "desk: check was begun inside pull"));
    CU_ASSERT_EQUAL(host->emit(host->ctx, script.items), SL_BROKEN);
    script = (struct script){0};
    CU_ASSERT_EQUAL(call(outer, CHECK, &a, &e), SL_BROKEN);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "between calls: emit is for pull"));
    session_close(outer);
    arena_fini(&a);
}

static void test_json(void)
{
    static const char text[] =
        "{\"id\":123456789012345678,\"amount\":0.10,\"big\":1e400,\"s\":\"\\u00e9\",\"l\":[1, 2],\"n\":null,\"e\":{}}";
    struct session *s = open_session(&scripted, NULL);
    const struct sl_value *fields = NULL;
    uint32_t n = 0;
    uint32_t size = 0;
    const char *message = NULL;
    const char *out = NULL;
    size_t n_bytes = 0;
    CU_ASSERT_EQUAL_FATAL(host->json_read(host->ctx, text, strlen(text), &fields, &n, &size, &message), SL_OK);
    CU_ASSERT_EQUAL_FATAL(n, 7);
    CU_ASSERT_EQUAL(size, sizeof(*fields));
    CU_ASSERT(fields[0].type == SL_INT && fields[0].number == 123456789012345678);
    CU_ASSERT(fields[2].type == SL_DECIMAL && strcmp(fields[2].text, "1e400") == 0);
    CU_ASSERT_EQUAL(host->json_write(host->ctx, fields, n, sizeof(*fields), 0, &out, &n_bytes), SL_OK);
    CU_ASSERT_STRING_EQUAL(
        out,
        "{\"id\":123456789012345678,\"amount\":0.10,\"big\":1e400,\"s\":\"\xc3\xa9\",\"l\":[1,2],\"n\":null,\"e\":{}}");
    CU_ASSERT_EQUAL(n_bytes, strlen(out));
    CU_ASSERT_EQUAL(host->json_write(host->ctx, fields + 3, 4, sizeof(*fields), 1, &out, &n_bytes), SL_OK);
    CU_ASSERT_STRING_EQUAL(
        out, "{\n  \"s\": \"\xc3\xa9\",\n  \"l\": [\n    1,\n    2\n  ],\n  \"n\": null,\n  \"e\": {}\n}\n");
    CU_ASSERT_EQUAL(host->json_read(host->ctx, "{\"a\":1,\"a\":2}", 13, &fields, &n, &size, &message), SL_REJECTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "line 1, column 8"));
    CU_ASSERT_EQUAL(host->json_read(host->ctx, "[1]", 3, &fields, &n, &size, &message), SL_REJECTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "a JSON object is expected"));
    host->json_free(host->ctx);
    CU_ASSERT_EQUAL(host->json_write(host->ctx, NULL, 0, 0, 1, &out, &n_bytes), SL_OK);
    CU_ASSERT_STRING_EQUAL(out, "{}\n");
    session_close(s);
}

static void test_json_odd(void)
{
    const struct sl_value odd[] = {
        TEXT("q\"", SL_STRING, "{[,:]}\\\""), {.name = "gone", .type = SL_ABSENT}, {.name = "d", .type = SL_DATE}};
    struct session *s = open_session(&scripted, NULL);
    struct err e = {0};
    const char *out = NULL;
    size_t n_bytes = 0;
    CU_ASSERT_EQUAL(host->json_write(host->ctx, odd, 3, sizeof(*odd), 1, &out, &n_bytes), SL_OK);
    CU_ASSERT_STRING_EQUAL(out, "{\n  \"q\\\"\": \"{[,:]}\\\\\\\"\",\n  \"d\": \"1970-01-01\"\n}\n");
    CU_ASSERT_EQUAL(host->json_write(host->ctx, &(const struct sl_value){.name = "x", .type = SL_STRING}, 1,
                                     sizeof(*odd), 0, &out, &n_bytes),
                    SL_BROKEN);
    script = (struct script){0};
    CU_ASSERT_EQUAL(call(s, CHECK, NULL, &e), SL_BROKEN);
    session_close(s);
}

/* A connector that did not ask for HTTP is refused in words, and no signature is right without its secret. */
static void test_not_asked_for(void)
{
    struct session *s = open_session(&scripted, NULL);
    const struct sl_http_request request = {.size = sizeof(request), .method = "GET", .url = "/x"};
    const struct sl_http_request two[] = {request, request};
    const struct sl_http_response *response = NULL;
    uint32_t size = 0;
    CU_ASSERT_EQUAL(host->http(host->ctx, &request, &response), SL_UNSUPPORTED);
    CU_ASSERT(response && response->end == SL_HTTP_REFUSED && strstr(response->message, "SL_NEED_HTTP"));
    CU_ASSERT_EQUAL(host->http_many(host->ctx, two, 2, sizeof(request), &response, &size), SL_UNSUPPORTED);
    CU_ASSERT_EQUAL(size, sizeof(*response));
    CU_ASSERT(response && response[1].end == SL_HTTP_REFUSED && response[1].size == sizeof(*response));
    CU_ASSERT_EQUAL(host->check_signature(host->ctx, SL_HMAC_SHA256, "secret", "", 0, "", 0), 0);
    session_close(s);
}

static int64_t fake_now(void *self)
{
    return *(int64_t *)self;
}

static void fake_random(void *self, void *bytes, size_t n_bytes)
{
    (void)self;
    memset(bytes, 0x5a, n_bytes);
}

static void fake_sleep(void *self, uint32_t ms)
{
    *(int64_t *)self += ms;
}

static int fake_stopping(void *self)
{
    return *(int64_t *)self > 1000;
}

static void test_world(void)
{
    int64_t now = 1000;
    struct session_world world = {&now, fake_now, fake_random, fake_sleep, fake_stopping, NULL, NULL};
    struct session *s = open_session(&scripted, &world);
    uint8_t byte = 0;
    CU_ASSERT(host->size == sizeof(*host) && host->abi_major == SL_ABI_MAJOR);
    CU_ASSERT(host->now_ms(host->ctx) == 1000 && !host->stopping(host->ctx));
    host->sleep_ms(host->ctx, 5);
    CU_ASSERT(host->now_ms(host->ctx) == 1005 && host->stopping(host->ctx));
    host->random(host->ctx, &byte, 1);
    CU_ASSERT_EQUAL(byte, 0x5a);
    session_close(s);
}

static const struct check tests[] = {
    {"a good pull comes through as it was emitted", test_good_pull},
    {"structs of a newer connector come in our sizes", test_newer_sizes},
    {"a sink that refuses ends the call", test_sink_ends},
    {"outcomes are copied, newer classes are retry", test_outcomes},
    {"I19: a write without an outcome is uncertain", test_untold},
    {"failures: one line, named, scrubbed, never without a reason", test_failures},
    {"a long failure is cut at a character, with no half secret", test_long_failure},
    {"describe: copied, caps narrowed, newer types are any", test_describe},
    {"open: a refusal is told, and close follows success only", test_open},
    {"a call the connector does not have is unsupported", test_missing_call},
    {"one call at a time, services only during a call", test_state},
    {"JSON there and back is exact", test_json},
    {"JSON: quotes, absent fields, garbage", test_json_odd},
    {"services not offered refuse in words", test_not_asked_for},
    {"clock, randomness and sleep are the world's", test_world},
};

CHECK_MAIN("session calls", tests)
