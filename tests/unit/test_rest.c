/* SPDX-License-Identifier: MIT */
/* test_rest.c - the rest connector's config: what is wrong is named by its path, and what it offers is what can be done. */
#include "plugin_kit.h"

#define LIST "\"key\": \"/id\", \"list\": {\"path\": \"/t\"}"
#define GET ", \"get\": {\"path\": \"/t/{id}\"}"

static struct sl_value json(const char *name, const char *text)
{
    return (struct sl_value){.name = name, .type = SL_JSON, .text = text, .text_size = strlen(text)};
}

static int open_with(struct kit *k, const char *resources, const char *headers)
{
    struct sl_value settings[] = {value_string("base_url", "http://127.0.0.1:1"), json("resources", resources),
                                  json("headers", headers ? headers : "{}")};
    return kit_open_in(k, "rest", settings, 3, NULL);
}

static const char *of_resource(struct kit *k, const char *members)
{
    return arena_printf(&k->a, "{\"t\": {%s}}", members);
}

static void wrong_configs(void)
{
    static const struct {
        const char *members, *says;
    } bad[] = {
        {"", "resources.t.key: missing; add it"},
        {"\"key\": \"/id\"", "resources.t.list: missing; add it"},
        {"\"key\": \"id\"", "resources.t.key: a JSON pointer is expected"},
        {"\"kye\": \"/id\"", "resources.t.kye: this key is not known here; did you mean \"key\"?"},
        {"\"key\": \"/id\", \"list\": []", "resources.t.list: an object is expected"},
        {"\"key\": \"/id\", \"list\": {\"path\": \"t\"}", "resources.t.list.path: a path below base_url is expected"},
        {"\"key\": \"/id\", \"list\": {\"path\": \"/{team}\"}", "resources.t.list.path: only {id} can be put"},
        {LIST ", \"get\": {\"path\": \"/t\"}", "resources.t.get.path: it names no record"},
        {LIST ", \"update\": {\"path\": \"/t/{id}\"}", "resources.t.update: an update is read back"},
        {LIST GET ", \"update\": {\"path\": \"/t/{id}\", \"guard\": {\"type\": \"if_match\"}}",
         "resources.t.update.guard.type: if_match sends the version as an ETag"},
        {LIST ", \"delete\": {\"mode\": \"shred\"}",
         "resources.t.delete.mode: \"shred\" is not known here; use one of delete, none, close"},
        {LIST ", \"delete\": {\"mode\": \"delete\"}", "resources.t.delete.path: missing"},
        {LIST ", \"delete\": {\"mode\": \"delete\", \"path\": \"/t/{id}\", \"set\": {}}",
         "resources.t.delete.set: only the mode close"},
        {LIST ", \"delete\": {\"mode\": \"delete\", \"path\": \"/t/{id}\", \"wrap\": \"/t\"}",
         "resources.t.delete.wrap: only the mode close"},
        {LIST ", \"delete\": {\"mode\": \"delete\", \"path\": \"/t/{id}\", \"method\": \"PUT\"}",
         "resources.t.delete.method: a record is deleted with"},
        {LIST GET ", \"delete\": {\"mode\": \"close\", \"path\": \"/t/{id}\"}", "resources.t.delete.set: missing"},
        {LIST ", \"delete\": {\"mode\": \"close\", \"path\": \"/t/{id}\", \"set\": {}}",
         "resources.t.delete.mode: a record is read before it is closed"},
        {LIST GET ", \"delete\": {\"mode\": \"close\", \"path\": \"/t/{id}\", \"set\": {}}",
         "resources.t.delete.mode: a closed record is still listed"},
        {LIST GET ", \"delete\": {\"mode\": \"close\", \"path\": \"/t/{id}\", \"set\": {}, \"method\": \"DELETE\"}",
         "resources.t.delete.method: a record is closed with"},
        {LIST ", \"deleted\": {\"mode\": \"sweep\", \"field\": \"/d\"}",
         "resources.t.deleted.field: field and status need it"},
        {LIST ", \"deleted\": {\"mode\": \"feed\"}", "resources.t.deleted.mode: what a feed names is read"},
        {LIST GET ", \"deleted\": {\"mode\": \"feed\"}", "resources.t.deleted.list: missing"},
        {LIST GET ", \"deleted\": {\"mode\": \"sweep\", \"list\": {\"path\": \"/d\"}}",
         "resources.t.deleted.list: only"},
        {LIST GET ", \"deleted\": {\"mode\": \"sweep\", \"key\": \"/d\"}", "resources.t.deleted.key: only"},
        {LIST GET ", \"deleted\": {\"mode\": \"feed\", \"list\": {\"path\": \"/d\", \"page\": {\"type\": \"cursor\"}}}",
         "resources.t.deleted.list.page.token_from: missing"},
        {LIST ", \"deleted\": {\"mode\": \"status\", \"field\": \"/d\"}", "resources.t.deleted.eq: missing"},
        {LIST ", \"deleted\": {\"mode\": \"sweep\"}", "resources.t.deleted.mode: what a sweep does not find"},
        {LIST ", \"external_key\": {\"field\": \"/a/b\"}",
         "resources.t.external_key.field: it is a member of the record"},
        {LIST ", \"create\": {\"path\": \"/t\", \"find_before_retry\": \"external_key\"}",
         "resources.t.create.find_before_retry: there is no external_key"},
        {LIST ", \"create\": {\"path\": \"/t\", \"ok\": [500]}", "resources.t.create.ok: status codes from 200 to 299"},
        {LIST ", \"fields\": {\"n\": {\"type\": \"int\"}}", "resources.t.fields.n.type: \"int\" is not known here"},
        {LIST ", \"external_key\": {\"field\": \"/x\", \"filter\": \"x eq {key}\"}",
         "resources.t.external_key.filter: it is the text that `to` is given"},
        {"\"key\": \"/id\", \"list\": {\"path\": \"/t\", \"page\": {\"type\": \"link_header\", \"stop\": {\"total\": "
         "\"/n\"}}}",
         "resources.t.list.page.stop.total: only the types page and offset"},
        {"\"key\": \"/id\", \"list\": {\"path\": \"/t\", \"page\": {\"type\": \"link_header\", \"stop\": {}}}",
         "resources.t.list.page.stop: give one of field with eq, on, and total"},
        {LIST
         ", \"create\": {\"path\": \"/t\", \"set\": {\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,"
         "\"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"q\":1}}",
         "resources.t.create.set: at most 16 members can be sent"},
        {LIST ", \"late_s\": -1", "resources.t.late_s: a whole number from 0"},
        {"\"key\": \"/id\", \"list\": {\"path\": \"/t\", \"page\": {\"type\": \"page\", \"token_to\": {\"name\": "
         "\"p\"}},"
         " \"since\": {\"to\": {\"name\": \"s\"}, \"field\": \"/u\", \"order\": \"asc\"}}",
         "resources.t.list.since.order: ascending by time and numbered pages"},
        {"\"key\": \"/id\", \"list\": {\"path\": \"/t\", \"page\": {\"type\": \"next_url\", \"token_from\": \"/n\","
         " \"same_host_only\": false}}",
         "resources.t.list.page.same_host_only: a next page on another server"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct kit *k = kit_new();
        CU_ASSERT_EQUAL(open_with(k, of_resource(k, bad[i].members), NULL), SL_CONFIG);
        CU_ASSERT_TRUE(kit_says(k->e.text, bad[i].says));
        kit_close(k);
    }
}

static void secrets_in_headers(void)
{
    struct kit *k = kit_new();
    CU_ASSERT_EQUAL(open_with(k, of_resource(k, LIST), "{\"authorization\": \"Bearer canary\"}"), SL_CONFIG);
    CU_ASSERT_TRUE(kit_says(k->e.text, "headers.authorization: credentials do not stand here; use the setting auth"));
    CU_ASSERT_PTR_NULL(strstr(k->e.text, "canary"));
    kit_close(k);
}

static uint64_t caps_of(const char *members)
{
    struct kit *k = kit_new();
    struct object_info *o = NULL;
    uint64_t caps = 0;
    CU_ASSERT_EQUAL(open_with(k, of_resource(k, members), NULL), SL_OK);
    CU_ASSERT_EQUAL(session_describe(k->s, "t", &k->a, &o, &k->e), SL_OK);
    caps = o ? o->object.caps : 0;
    kit_close(k);
    return caps;
}

static void what_is_offered(void)
{
    static const struct {
        const char *members;
        uint64_t has, lacks;
    } rows[] = {
        {LIST, SL_CAP_COMPLETE | SL_CAP_OPEN_SCHEMA, SL_CAP_GET | SL_CAP_CREATE | SL_CAP_UPDATE | SL_CAP_DELETE},
        {LIST GET, SL_CAP_GET, SL_CAP_DELTA | SL_CAP_CONDITIONAL},
        {LIST ", \"delete\": {\"mode\": \"none\"}", SL_CAP_COMPLETE, SL_CAP_DELETE},
        {LIST ", \"create\": {\"path\": \"/t\"}", SL_CAP_CREATE, SL_CAP_IDEMPOTENT | SL_CAP_FIND_CORRELATION},
        {LIST ", \"create\": {\"path\": \"/t\", \"idempotency_header\": \"K\"}", SL_CAP_IDEMPOTENT, 0},
        {LIST ", \"external_key\": {\"field\": \"/x\"}, \"create\": {\"path\": \"/t\", \"idempotency_header\": \"K\","
              " \"find_before_retry\": \"external_key\"}",
         SL_CAP_FIND_CORRELATION, SL_CAP_IDEMPOTENT},
        {LIST GET ", \"version\": {\"kind\": \"etag\"}, \"update\": {\"path\": \"/t/{id}\", \"guard\": {\"type\": "
                  "\"if_match\"}}",
         SL_CAP_UPDATE | SL_CAP_CONDITIONAL, 0},
        /* pages by number shift while they are read: nothing is missing for certain without a read to confirm it */
        {"\"key\": \"/id\", \"list\": {\"path\": \"/t\", \"page\": {\"type\": \"offset\", \"token_to\": {\"name\": "
         "\"o\"}}}",
         SL_CAP_OPEN_SCHEMA, SL_CAP_COMPLETE},
        {LIST ", \"fields\": {\"n\": {\"type\": \"int64\"}}", SL_CAP_COMPLETE, SL_CAP_OPEN_SCHEMA},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint64_t caps = caps_of(rows[i].members);
        CU_ASSERT_EQUAL(caps & rows[i].has, rows[i].has);
        CU_ASSERT_EQUAL(caps & rows[i].lacks, 0);
    }
}

/* Without `fields` what the server fills in is told as such, once each: no write is to be measured by it. */
static void fields_of_the_server(void)
{
    static const char *const names[] = {"id", "updated_at", "x"};
    struct kit *k = kit_new();
    struct object_info *o = NULL;
    const char *members = "\"key\": \"/id\", \"version\": {\"kind\": \"timestamp\", \"field\": \"/updated_at\"},"
                          " \"external_key\": {\"field\": \"/x\", \"unique\": true}, \"list\": {\"path\": \"/t\","
                          " \"since\": {\"to\": {\"name\": \"s\"}, \"field\": \"/updated_at\"}}";
    CU_ASSERT_EQUAL(open_with(k, of_resource(k, members), NULL), SL_OK);
    CU_ASSERT_EQUAL(session_describe(k->s, "t", &k->a, &o, &k->e), SL_OK);
    CU_ASSERT_EQUAL_FATAL(o->object.n_fields, 3);
    for (uint32_t i = 0; i < 3; i++) {
        CU_ASSERT_STRING_EQUAL(o->object.fields[i].name, names[i]);
        CU_ASSERT_FALSE(o->object.fields[i].flags & SL_FIELD_WRITABLE);
    }
    CU_ASSERT_EQUAL(o->object.fields[0].flags, SL_FIELD_KEY);
    CU_ASSERT_EQUAL(o->object.fields[2].flags, SL_FIELD_UNIQUE);
    kit_close(k);
}

static const struct check tests[] = {
    {"without fields, what the server fills in is not offered for writing", fields_of_the_server},
    {"what is wrong in the config is named by its path", wrong_configs},
    {"credentials do not stand among the headers, and are not repeated", secrets_in_headers},
    {"what a resource can do is what its config offers", what_is_offered},
};

int main(void)
{
    return check_run("rest", tests, sizeof(tests) / sizeof(*tests));
}
