/* SPDX-License-Identifier: MIT */
/* test_rest_calls.c - what the rest connector asks an API: where next pages lead, when lists end, feeds of deleted ids, what writes carry. */
#include "plugin_kit.h"
#include "table_peer.h"

/* Seconds, an overlap of 60 and a bound that excludes: 61 before the newest. */
#define SINCE(field) "\"since\": {\"to\": {\"name\": \"since\"}, \"field\": \"" field "\", \"format\": \"epoch_s\"}"

static struct sl_value json(const char *name, const char *text)
{
    return (struct sl_value){.name = name, .type = SL_JSON, .text = text, .text_size = strlen(text)};
}

/* A session on an API below /v2, whose resource t has these members. */
static struct kit *open_on(const struct table_peer *p, const char *members)
{
    struct kit *k = kit_new();
    struct sl_value settings[] = {value_string("base_url", arena_printf(&k->a, "http://127.0.0.1:%d/v2", p->port)),
                                  json("resources", arena_printf(&k->a, "{\"t\": {\"key\": \"/id\", %s}}", members))};
    CU_ASSERT_EQUAL_FATAL(kit_open_in(k, "rest", settings, 2, NULL), SL_OK);
    return k;
}

/* Pages from a cursor to the end, the ids one after the other; "!" stands for a failed call. */
static const char *walk(struct kit *k, const char *cursor, int *end)
{
    const char *ids = "";
    static const char *const marks[] = {"", "", "~", "-", "?", "#"};
    struct sl_pull pull = {.size = sizeof(pull), .object = "t", .cursor = cursor};
    do {
        if (session_pull(k->s, &pull, kit_sink(k), &k->a, &k->end, &k->e) != SL_OK)
            return arena_printf(&k->a, "%s!", ids);
        for (size_t i = 0; i < k->n_got; i++)
            ids = arena_printf(&k->a, "%s%s%s", ids, marks[k->got[i].kind], k->got[i].id);
        pull.cursor = k->end.cursor;
    } while (k->end.kind == SL_PAGE_MORE);
    *end = k->end.kind;
    return ids;
}

static void where_next_pages_lead(void)
{
    static const struct table_row rows[] = {
        {"GET /v2/t", "{\"items\": [{\"id\": \"a\"}], \"next\": \"/v2/t?page=2\"}"},
        {"GET /v2/t?page=2", "{\"items\": [{\"id\": \"b\"}], \"next\": \"@/v2/t?page=3\"}"},
        {"GET /v2/t?page=3", "{\"items\": [{\"id\": \"c\"}], \"next\": \"?page=4\"}"},
        {"GET /v2/t?page=4", "{\"items\": [{\"id\": \"d\"}], \"next\": null}"},
        {0}};
    struct table_peer p = table_start(rows);
    int end = 0;
    struct kit *k = open_on(&p, "\"list\": {\"path\": \"/t\", \"records\": \"/items\","
                                " \"page\": {\"type\": \"next_url\", \"token_from\": \"/next\"}}");
    CU_ASSERT_STRING_EQUAL(walk(k, NULL, &end), "abcd");
    CU_ASSERT_EQUAL(end, SL_PAGE_COMPLETE);
    kit_close(k);
    table_stop(&p);
}

/* A server may begin again behind its last page: its own number of records says where that is. */
static void ends_by_total(void)
{
    static const struct table_row rows[] = {{"GET /v2/t?count=1&start=1", "{\"r\": [{\"id\": \"a\"}], \"total\": 2}"},
                                            {"GET /v2/t?count=1&start=2", "{\"r\": [{\"id\": \"b\"}], \"total\": 2}"},
                                            {"GET /v2/t?count=1&start=3", "{\"r\": [{\"id\": \"a\"}], \"total\": 2}"},
                                            {"GET /v2/t?count=1&start=4", "{\"r\": [{\"id\": \"b\"}], \"total\": 2}"},
                                            {0}};
    static const char *const stops[] = {", \"stop\": {\"total\": \"/total\"}", ""};
    struct table_peer p = table_start(rows);
    struct arena a = {0};
    for (int i = 0; i < 2; i++) {
        int end = 0;
        struct kit *k = open_on(
            &p, arena_printf(&a,
                             "\"get\": {\"path\": \"/t/{id}\"}, \"list\": {\"path\": \"/t\", \"records\": \"/r\","
                             " \"page\": {\"type\": \"offset\", \"first\": 1, \"token_to\": {\"name\": \"start\"},"
                             " \"size_to\": {\"name\": \"count\", \"value\": 1}%s}}",
                             stops[i]));
        CU_ASSERT_STRING_EQUAL(walk(k, NULL, &end), i ? "aba!" : "ab");
        CU_ASSERT_TRUE(i ? kit_says(k->e.text, "t: the list did not come to its end: a page comes again")
                         : end == SL_PAGE_COMPLETE);
        kit_close(k);
    }
    arena_fini(&a);
    table_stop(&p);
}

/* What a config gets wrong, and what a server forgot, is said in their words. */
static void said_in_their_words(void)
{
    static const struct table_row rows[] = {{"GET /v2/t/a", "{\"record\": {\"id\": \"a\"}}"},
                                            {"GET /v2/t", "{\"items\": [{\"id\": \"a\"}], \"next\": \"/v2/old\"}"},
                                            {0}};
    struct table_peer p = table_start(rows);
    struct kit *k =
        open_on(&p, "\"list\": {\"path\": \"/t\", \"records\": \"/items\", \"page\": {\"type\": \"next_url\","
                    " \"token_from\": \"/next\"}}, \"get\": {\"path\": \"/t/{id}\", \"record\": \"/item\"}");
    int end = 0;
    kit_get(k, "t", "a");
    CU_ASSERT_TRUE(kit_says(k->e.text, "t a: the answer holds no record at \"/item\"; correct resources.t.get.record"));
    err_clear(&k->e);
    CU_ASSERT_STRING_EQUAL(walk(k, NULL, &end), "a!");
    CU_ASSERT_TRUE(kit_says(k->e.text, "listing t: the server does not know the place in the list any more"));
    kit_close(k);
    table_stop(&p);
}

static void looked_up_in_their_words(void)
{
    static const struct table_row rows[] = {{"GET /v2/t?filter=ext%20eq%20%22k1%22",
                                             "[{\"id\": \"a\", \"ext\": \"k1\"}, {\"id\": \"b\", \"ext\": \"k2\"}]"},
                                            {0}};
    struct table_peer p = table_start(rows);
    struct kit *k = open_on(&p, "\"list\": {\"path\": \"/t\"}, \"external_key\": {\"field\": \"/ext\","
                                " \"to\": {\"name\": \"filter\"}, \"filter\": \"ext eq \\\"{key}\\\"\"}");
    struct sl_find find = {.size = sizeof(find), .object = "t", .correlation = "k1"};
    CU_ASSERT_EQUAL(session_find(k->s, &find, kit_sink(k), &k->e), SL_OK);
    CU_ASSERT_EQUAL_FATAL(k->n_got, 1);
    CU_ASSERT_STRING_EQUAL(k->got[0].id, "a");
    kit_close(k);
    table_stop(&p);
}

/* What every create must carry stands in the config; a field of the record comes before it. */
static void set_in_creates(void)
{
    static const struct table_row rows[] = {{"POST /v2/t", "{\"id\": \"a\", \"n\": 1, \"project\": \"x\"}"}, {0}};
    struct table_peer p = table_start(rows);
    struct kit *k = open_on(&p, "\"list\": {\"path\": \"/t\"}, \"create\": {\"path\": \"/t\", \"wrap\": \"/t\","
                                " \"set\": {\"project\": \"x\", \"n\": 0, \"tags\": [1]}}");
    struct sl_value field = {.name = "n", .type = SL_INT, .number = 1};
    struct write_outcome o = kit_create(k, "t", NULL, &field, 1);
    CU_ASSERT_EQUAL(o.result, SL_APPLIED);
    CU_ASSERT_TRUE(kit_says(p.seen, "POST /v2/t {\"t\":{\"project\":\"x\",\"n\":1,\"tags\":[1]}}"));
    kit_close(k);
    table_stop(&p);
}

/* What a feed names is read, never taken as gone: an id may be there again. Before the first listing there is nothing to look after. */
static void deleted_by_feed(void)
{
    static const struct table_row rows[] = {
        {"GET /v2/gone", "{\"ids\": [{\"t\": \"x\", \"at\": 100}], \"next\": \"/v2/gone?p=2\"}"},
        {"GET /v2/gone?p=2", "{\"ids\": [{\"t\": \"y\", \"at\": 200}], \"next\": null}"},
        {"GET /v2/gone?since=139", "{\"ids\": [{\"t\": \"y\", \"at\": 200}, {\"t\": 7, \"at\": 260}], \"next\": null}"},
        {"GET /v2/gone?since=199", "{\"ids\": [], \"next\": null}"},
        {"GET /v2/t", "[{\"id\": \"a\", \"u\": 300}]"},
        {"GET /v2/t?since=239", "[{\"id\": \"b\", \"u\": 400}]"},
        {"GET /v2/t?since=339", "[]"},
        {0}};
    static const char *const walks[] = {"a", "?y?7b", ""};
    struct table_peer p = table_start(rows);
    int end = 0;
    struct kit *k = open_on(
        &p, "\"get\": {\"path\": \"/t/{id}\"}, \"list\": {\"path\": \"/t\", " SINCE(
                "/u") "},"
                      " \"deleted\": {\"mode\": \"feed\", \"key\": \"/t\", \"list\": {\"path\": \"/gone\","
                      " \"records\": \"/ids\", \"page\": {\"type\": \"next_url\", \"token_from\": \"/next\"}, " SINCE(
                          "/at") "}}");
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_STRING_EQUAL(walk(k, i ? k->end.cursor : NULL, &end), walks[i]);
        CU_ASSERT_EQUAL(end, i ? SL_PAGE_DONE : SL_PAGE_COMPLETE);
    }
    kit_close(k);
    table_stop(&p);
}

/* Bare ids, all in each run; and a feed that cannot be read ends the run: a delete would be missed for ever. */
static void feeds_of_other_shapes(void)
{
    static const struct table_row rows[] = {{"GET /v2/gone", "[\"p\", 8]"},
                                            {"GET /v2/odd", "[{\"t\": null}]"},
                                            {"GET /v2/t", "[{\"id\": \"a\", \"u\": 300}]"},
                                            {"GET /v2/t?since=239", "[]"},
                                            {0}};
    static const struct {
        const char *feed, *second, *says;
    } feeds[] = {
        {"\"list\": {\"path\": \"/gone\"}", "?p?8", NULL},
        {"\"key\": \"/t\", \"list\": {\"path\": \"/odd\"}", NULL, "t.deleted: an entry of the feed has no id"},
        {"\"list\": {\"path\": \"/odd\", \"records\": \"/ids\"}", NULL, "correct resources.t.deleted.list.records"},
        {"\"list\": {\"path\": \"/nowhere\"}", NULL, "listing what is deleted of t"}};
    struct table_peer p = table_start(rows);
    struct arena a = {0};
    int end = 0;
    for (size_t i = 0; i < sizeof(feeds) / sizeof(*feeds); i++) {
        struct kit *k =
            open_on(&p, arena_printf(&a,
                                     "\"get\": {\"path\": \"/t/{id}\"}, \"list\": {\"path\": \"/t\", " SINCE(
                                         "/u") "}, \"deleted\": {\"mode\": \"feed\", %s}",
                                     feeds[i].feed));
        CU_ASSERT_STRING_EQUAL(walk(k, NULL, &end), feeds[i].second ? "a" : "!");
        CU_ASSERT_TRUE(feeds[i].second || kit_says(k->e.text, feeds[i].says));
        if (feeds[i].second)
            CU_ASSERT_STRING_EQUAL(walk(k, k->end.cursor, &end), feeds[i].second);
        kit_close(k);
    }
    arena_fini(&a);
    table_stop(&p);
}

/* A record is closed once: read first, so that a second time, or an update behind it, is told as gone. */
static void closed(void)
{
    static const struct table_row rows[] = {{"GET /v2/t/1", "{\"id\": \"1\", \"status\": \"open\", \"n\": 5}"},
                                            {"GET /v2/t/2", "{\"id\": \"2\", \"status\": \"closed\"}"},
                                            {"PATCH /v2/t/1", "{}"},
                                            {"PUT /v2/t/1", "{}"},
                                            {0}};
    static const struct {
        const char *method;
        uint32_t kind;
        const char *id;
        int result, error_class;
        const char *sent;
    } tries[] = {
        {"PATCH", SL_DELETE, "1", SL_APPLIED, SL_OK, "PATCH /v2/t/1 {\"t\":{\"status\":\"closed\"}}"},
        {"PUT", SL_ARCHIVE, "1", SL_APPLIED, SL_OK, "PUT /v2/t/1 {\"t\":{\"id\":\"1\",\"status\":\"closed\",\"n\":5}}"},
        {"PATCH", SL_DELETE, "2", SL_NOT_APPLIED, SL_GONE, "GET /v2/t/2"},
        {"PATCH", SL_UPDATE, "2", SL_NOT_APPLIED, SL_GONE, "GET /v2/t/2"},
        {"PATCH", SL_DELETE, "3", SL_NOT_APPLIED, SL_GONE, "GET /v2/t/3"},
    };
    for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
        struct table_peer p = table_start(rows);
        struct arena a = {0};
        struct kit *k = open_on(
            &p, arena_printf(&a,
                             "\"list\": {\"path\": \"/t\"}, \"get\": {\"path\": \"/t/{id}\"},"
                             " \"update\": {\"path\": \"/t/{id}\"}, \"delete\": {\"mode\": \"close\","
                             " \"path\": \"/t/{id}\", \"method\": \"%s\", \"wrap\": \"/t\", \"set\": {\"status\":"
                             " \"closed\"}},"
                             " \"deleted\": {\"mode\": \"status\", \"field\": \"/status\", \"eq\": \"closed\"}",
                             tries[i].method));
        struct sl_value field = {.name = "n", .type = SL_INT, .number = 1};
        struct write_outcome o =
            kit_do(k, "t", kit_make(k, tries[i].kind, tries[i].id, &field, tries[i].kind == SL_UPDATE));
        CU_ASSERT_EQUAL(o.result, tries[i].result);
        CU_ASSERT_EQUAL(o.error_class, tries[i].error_class);
        CU_ASSERT_TRUE(kit_says(p.seen, tries[i].sent));
        CU_ASSERT_EQUAL(strstr(p.seen, "PATCH") != NULL, i == 0);
        kit_close(k);
        arena_fini(&a);
        table_stop(&p);
    }
}

static const struct check tests[] = {
    {"a next page may be told whole, as a path, or as another query", where_next_pages_lead},
    {"a list ends at the total that the server tells", ends_by_total},
    {"a wrong config and a lost place are told", said_in_their_words},
    {"a key is looked up in the server's own words", looked_up_in_their_words},
    {"a create carries what the config sets", set_in_creates},
    {"I26: a feed of deleted ids names what is to be read, from where it was left", deleted_by_feed},
    {"a feed may be bare ids; one that cannot be read ends the run", feeds_of_other_shapes},
    {"a record that is closed instead of deleted is closed once", closed},
};

int main(void)
{
    return check_run("rest calls", tests, sizeof(tests) / sizeof(*tests));
}
