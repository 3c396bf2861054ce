/* SPDX-License-Identifier: MIT */
/* test_abi.c - connectors built against the frozen headers of 1.0 and against those of a later minor run in this host. */
#include "built.h"
#include "plugin/session.h"
#include "record/record.h"

static struct arena arena;
static struct sl_item items[4];
static uint32_t n_items;

static int keep(void *self, const struct sl_item *item)
{
    (void)self;
    struct sl_item *copy = &items[n_items++ % 4];
    CU_ASSERT_EQUAL(item->size, sizeof(*item));
    *copy = *item;
    copy->id = arena_text(&arena, item->id);
    copy->message = arena_text(&arena, item->message);
    copy->record = item->record ? record_copy(&arena, item->record) : NULL;
    return 0;
}

static const struct session_sink sink = {NULL, keep};

static bool text_is(const struct sl_record *r, const char *name, const char *text)
{
    const struct sl_value *v = r ? record_field(r, name) : NULL;
    return v && v->type == SL_STRING && strcmp(v->text, text) == 0;
}

static void check_record(const struct sl_record *r, const char *id)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    const struct sl_value *tags = record_field(r, "tags");
    CU_ASSERT(strcmp(r->id, id) == 0 && r->n_fields == 3 && text_is(r, "title", "hello") &&
              record_field(r, "n")->number == 42);
    CU_ASSERT(tags && tags->type == SL_SET && tags->n_items == 2 && strcmp(tags->items[1].text, "yy") == 0);
}

/* What the connector read with json_read, in the host's own sizes. */
static void check_read(const struct sl_record *r)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    const struct sl_value *list = record_field(r, "list");
    CU_ASSERT(strcmp(r->id, "d") == 0 && strcmp(r->version, "end") == 0 && r->n_fields == 4);
    CU_ASSERT(text_is(r, "title", "read") && text_is(r, "last", "end") && record_field(r, "n")->number == 7);
    CU_ASSERT(list && list->type == SL_JSON && strcmp(list->text, "[1,2]") == 0);
    CU_ASSERT_STRING_EQUAL(r->label, "{\"title\":\"read\",\"n\":7,\"list\":[1,2],\"last\":\"end\"}");
}

static void check_describe(struct session *s)
{
    struct object_info *o = NULL;
    struct err e = {0};
    CU_ASSERT_EQUAL(session_describe(s, NULL, &arena, &o, &e), SL_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    CU_ASSERT(o->object.size == sizeof(o->object) && o->object.n_fields == 2 &&
              o->object.field_size == sizeof(struct sl_field));
    CU_ASSERT(o->object.caps == (SL_CAP_UPDATE | SL_CAP_GET | SL_CAP_WEBHOOK) && o->object.idempotency_ttl_s == 5);
    CU_ASSERT_STRING_EQUAL(o->object.fields[1].name, "status");
    CU_ASSERT_STRING_EQUAL(o->object.fields[1].values[1], "closed");
}

static void check_pull(struct session *s)
{
    const struct sl_pull pull = {.size = sizeof(pull), .object = "things"};
    struct page_end end;
    struct err e = {0};
    n_items = 0;
    CU_ASSERT_EQUAL(session_pull(s, &pull, sink, &arena, &end, &e), SL_OK);
    CU_ASSERT_EQUAL_FATAL(n_items, 4);
    check_record(items[0].record, "a");
    CU_ASSERT(items[1].kind == SL_ITEM_STUB && strcmp(items[1].id, "b") == 0);
    CU_ASSERT(items[2].kind == SL_ITEM_UNREADABLE && strcmp(items[2].message, "torn; mend it") == 0);
    check_read(items[3].record);
    CU_ASSERT(end.kind == SL_PAGE_DONE && strcmp(end.cursor, "next") == 0 && strcmp(end.epoch, "things") == 0);
}

static void check_reads(struct session *s)
{
    const char *const ids[] = {"x", "y"};
    const struct sl_value wanted = value_string("key", "z");
    const struct sl_find find = {.size = sizeof(find), .object = "things", .value = &wanted};
    const struct sl_header headers[] = {{.name = "a", .value = "1"}, {.name = "b", .value = "hinted"}};
    const struct sl_hook hook = {
        .size = sizeof(hook), .headers = headers, .n_headers = 2, .header_size = sizeof(*headers)};
    struct err e = {0};
    n_items = 0;
    CU_ASSERT_EQUAL(session_get(s, "things", ids, 2, sink, &e), SL_OK);
    CU_ASSERT_EQUAL(session_find(s, &find, sink, &e), SL_OK);
    CU_ASSERT_EQUAL(session_webhook(s, &hook, sink, &e), SL_OK);
    CU_ASSERT_EQUAL_FATAL(n_items, 4);
    check_record(items[0].record, "x");
    CU_ASSERT(items[1].kind == SL_ITEM_TOMBSTONE && strcmp(items[1].id, "y") == 0);
    check_record(items[2].record, "z");
    CU_ASSERT(items[3].kind == SL_ITEM_HINT && strcmp(items[3].id, "hinted") == 0);
}

static void check_write(struct session *s)
{
    const struct sl_value fields[] = {value_int("n", 1), value_string("title", "new")};
    const struct sl_value other[] = {value_string("title", "other")};
    const struct sl_write writes[] = {
        {.kind = SL_UPDATE, .id = "a", .fields = fields, .n_fields = 2, .field_size = sizeof(*fields)},
        {.kind = SL_UPDATE, .id = "b", .fields = other, .n_fields = 1, .field_size = sizeof(*other)},
    };
    const struct sl_batch batch = {
        .size = sizeof(batch), .n_writes = 2, .write_size = sizeof(*writes), .object = "things", .writes = writes};
    struct write_outcome outcomes[2];
    struct err e = {0};
    CU_ASSERT_EQUAL(session_write(s, &batch, &arena, outcomes, &e), SL_OK);
    CU_ASSERT(outcomes[0].result == SL_APPLIED && text_is(outcomes[0].record, "title", "new") &&
              outcomes[0].retry_after_ms == 7);
    CU_ASSERT(outcomes[1].result == SL_APPLIED && text_is(outcomes[1].record, "title", "other"));
}

/* Every call, with every struct that crosses. */
static void run_all(const char *file)
{
    struct plugin_lib *lib = loaded(file);
    const struct sl_plugin *p = plugin_table(lib);
    const struct sl_value settings[] = {value_int("size", 3), value_string("title", "hello")};
    struct session *s = NULL;
    struct err e = {0};
    CU_ASSERT(p->size == sizeof(*p) && p->n_options == 2);
    CU_ASSERT_STRING_EQUAL(plugin_option(p, 1).name, "size");
    CU_ASSERT_STRING_EQUAL(plugin_option(p, 1).fallback, "3");
    CU_ASSERT_EQUAL_FATAL(session_open(p, "desk", settings, 2, NULL, &s, &e), SL_OK);
    CU_ASSERT_EQUAL(session_check(s, &e), SL_AUTH);
    CU_ASSERT_STRING_EQUAL(e.text, "desk: no key; give one");
    check_describe(s);
    check_pull(s);
    check_reads(s);
    check_write(s);
    CU_ASSERT_EQUAL(session_calls(s), 7);
    session_close(s);
    plugin_unload(lib);
    arena_fini(&arena);
}

static void test_old(void)
{
    run_all(build("old.c", "old", "-Itests/abi/frozen-1.0"));
}

static void test_newer(void)
{
    char command[200];
    char flags[100];
    snprintf(command, sizeof(command), "tests/abi/grow sdk/include '%s/grown'", folder);
    snprintf(flags, sizeof(flags), "-I%s/grown", folder);
    CU_ASSERT_EQUAL_FATAL(system(command), 0);
    run_all(build("newer.c", "newer", flags));
}

static const struct check tests[] = {
    {"a connector built against the frozen 1.0", test_old},
    {"a connector of a later minor, each of its structs longer", test_newer},
};

int main(void)
{
    built_init();
    int code = check_run("abi", tests, COUNT(tests));
    built_fini();
    return code;
}
