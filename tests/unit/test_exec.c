/* SPDX-License-Identifier: MIT */
/* test_exec.c - the connector for any language: the protocol, its examples, and children that die, hang, flood or lie. */
#include "plugin_kit.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#define DESCRIBE "echo '{\"object\":{\"name\":\"o\",\"caps\":[\"complete\",\"get\"]}}'; echo '{\"done\":true}'"
#define DONE "echo '{\"done\":true}'"
#define PAGE "echo '{\"page\":{\"kind\":\"complete\"}}'"

/* Opens a session on a command; argument texts are quoted as JSON strings here. */
static int open_command(struct kit *k, const char *const *argv, size_t n, int64_t timeout_ms)
{
    struct buf list = {0};
    for (size_t i = 0; i < n; i++) {
        buf_byte(&list, i ? ',' : '[');
        struct sl_value v = value_string("x", argv[i]);
        value_put_json(&list, &v);
    }
    buf_text(&list, n ? "]" : "[]");
    struct sl_value settings[] = {
        {.name = "command", .type = SL_JSON, .text = list.data, .text_size = list.size},
        value_int("timeout_ms", timeout_ms),
    };
    int rc = kit_open_in(k, "exec", settings, 2, NULL);
    buf_fini(&list);
    return rc;
}

/* A child that answers describe as it should, and every other request (in $r) as the script says. */
static struct kit *begin(const char *script, int64_t timeout_ms)
{
    struct kit *k = kit_new();
    const char *whole = arena_printf(
        &k->a, "while read -r r; do case $r in *'\"call\":\"describe\"'*) " DESCRIBE ";; *) %s ;; esac; done", script);
    const char *argv[] = {"sh", "-c", whole};
    CU_ASSERT_EQUAL_FATAL(open_command(k, argv, 3, timeout_ms), SL_OK);
    return k;
}

static struct write_outcome *three_writes(struct kit *k)
{
    struct sl_value v = value_string("v", "x");
    struct sl_write w[] = {kit_make(k, SL_CREATE, "a", &v, 1), kit_make(k, SL_CREATE, "b", &v, 1),
                           kit_make(k, SL_CREATE, "c", &v, 1)};
    struct write_outcome *o = arena_alloc(&k->a, 3 * sizeof(*o));
    kit_write(k, "o", w, 3, o);
    return o;
}

/* --- starting --- */

static void commands_that_cannot_be(void)
{
    struct kit *k = kit_new();
    const char *none[] = {""}, *absent[] = {"no-such-program-here"}, *file[] = {"/etc/passwd"};
    CU_ASSERT_EQUAL(open_command(k, none, 0, 1000), SL_CONFIG);
    CU_ASSERT(kit_says(k->e.text, "\"command\" must be a list"));
    CU_ASSERT_EQUAL(open_command(k, none, 1, 1000), SL_CONFIG);
    CU_ASSERT_EQUAL(open_command(k, absent, 1, 1000), SL_OK);
    CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_CONFIG);
    CU_ASSERT(kit_says(k->e.text, "no-such-program-here") && kit_says(k->e.text, "install the program"));
    struct write_outcome *o = three_writes(k);
    CU_ASSERT(o[0].result == SL_NOT_APPLIED && o[2].result == SL_NOT_APPLIED && o[0].error_class == SL_CONFIG);
    session_close(k->s);
    CU_ASSERT_EQUAL(open_command(k, file, 1, 1000), SL_OK);
    CU_ASSERT_EQUAL(kit_pull(k, "o", 0), SL_CONFIG);
    kit_close(k);
}

static void arguments_arrive_as_they_are(void)
{
    struct kit *k = kit_new();
    const char *out = kit_path(k, "args"), *odd = " a \"b\" $HOME \\ \n [,]{ \303\244";
    const char *argv[] = {"sh", "-c", "printf '%s|%s' \"$1\" \"$2\" > \"$0\"; read -r r; " DONE, out, odd, ""};
    CU_ASSERT_EQUAL_FATAL(open_command(k, argv, 6, 10000), SL_OK);
    CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_OK);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "args"), arena_printf(&k->a, "%s|", odd));
    kit_close(k);
}

/* As many files are open as this process may open. */
static void no_room_to_start(void)
{
    struct kit *k = kit_new();
    const char *argv[] = {"true"};
    struct rlimit was, few = {.rlim_cur = 3};
    CU_ASSERT_EQUAL_FATAL(open_command(k, argv, 1, 1000), SL_OK);
    getrlimit(RLIMIT_NOFILE, &was);
    few.rlim_max = was.rlim_max;
    setrlimit(RLIMIT_NOFILE, &few);
    CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_RETRY);
    setrlimit(RLIMIT_NOFILE, &was);
    CU_ASSERT(kit_says(k->e.text, "desk: command \"true\": cannot be started: Too many open files"));
    kit_close(k);
}

/* --- requests as the child sees them --- */

static void requests_are_exact(void)
{
    struct kit *k = begin("printf '%s\\n' \"$r\" >> \"$LOG\"; case $r in *pull*) " PAGE ";; esac; " DONE, 10000);
    setenv("LOG", kit_path(k, "log"), 1);
    struct sl_pull pull = {.size = sizeof(pull), .flags = SL_PULL_FULL, .object = "o", .cursor = "c\n1", .page_max = 7};
    CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_OK);
    CU_ASSERT_EQUAL(session_pull(k->s, &pull, kit_sink(k), &k->a, &k->end, &k->e), SL_OK);
    struct sl_value who = {.name = "total", .type = SL_DECIMAL, .text = "0.10", .text_size = 4};
    struct sl_find by_key = {.size = sizeof(by_key), .max_items = 2, .object = "o", .value = &who};
    struct sl_find by_mark = {.size = sizeof(by_mark), .object = "o", .correlation = "00ff"};
    CU_ASSERT_EQUAL(session_find(k->s, &by_key, kit_sink(k), &k->e), SL_OK);
    CU_ASSERT_EQUAL(session_find(k->s, &by_mark, kit_sink(k), &k->e), SL_OK);
    struct sl_value f[] = {value_int("big", 175928847299117063),
                           {.name = "huge", .type = SL_DECIMAL, .text = "1e400", .text_size = 5},
                           value_string("text", "a\r\n\"\303\244\""),
                           value_null("none"),
                           value_absent("absent"),
                           {.name = "day", .type = SL_DATE, .number = 1}};
    struct sl_write w = kit_make(k, SL_UPDATE, "7", f, 6);
    w.idempotency_key = "KEY";
    w.expected_version = "v1";
    w.flags = SL_WRITE_REPEAT;
    CU_ASSERT_EQUAL(kit_do(k, "o", w).result, SL_UNCERTAIN);
    CU_ASSERT_STRING_EQUAL(
        kit_text(k, "log"),
        "{\"protocol\":1,\"call\":\"check\",\"connection\":\"desk\"}\n"
        "{\"protocol\":1,\"call\":\"pull\",\"object\":\"o\",\"cursor\":\"c\\n1\",\"page_max\":7,\"records\":false,"
        "\"full\":true}\n"
        "{\"protocol\":1,\"call\":\"find\",\"object\":\"o\",\"max_items\":2,\"correlation\":null,\"field\":\"total\","
        "\"value\":0.10}\n"
        "{\"protocol\":1,\"call\":\"find\",\"object\":\"o\",\"max_items\":0,\"correlation\":\"00ff\",\"field\":null,"
        "\"value\":null}\n"
        "{\"protocol\":1,\"call\":\"write\",\"object\":\"o\",\"writes\":[{\"index\":0,\"kind\":\"update\",\"id\":\"7\","
        "\"parent_id\":null,\"correlation\":null,\"idempotency_key\":\"KEY\",\"expected_version\":\"v1\",\"repeat\":"
        "true,"
        "\"fields\":{\"big\":175928847299117063,\"huge\":1e400,\"text\":\"a\\r\\n\\\"\303\244\\\"\",\"none\":null,"
        "\"day\":\"1970-01-02\"}}]}\n");
    kit_close(k);
}

static void ids_arrive_as_a_list(void)
{
    struct kit *k =
        begin("printf '%s\\n' \"$r\" > \"$LOG\"; echo '{\"error\":{\"class\":\"rate\",\"message\":\"slow\"}}'", 10000);
    setenv("LOG", kit_path(k, "log"), 1);
    const char *ids[] = {"1", "a\"b", "\303\244", "[,]"};
    CU_ASSERT_EQUAL(session_get(k->s, "o", ids, 4, kit_sink(k), &k->e), SL_RATE);
    CU_ASSERT_STRING_EQUAL(
        kit_text(k, "log"),
        "{\"protocol\":1,\"call\":\"get\",\"object\":\"o\",\"ids\":[\"1\",\"a\\\"b\",\"\303\244\",\"[,]\"]}\n");
    kit_close(k);
}

/* --- answers --- */

static void answers_are_exact(void)
{
    struct kit *k = begin("cat \"$ANSWER\"", 10000);
    setenv("ANSWER", kit_path(k, "answer"), 1);
    kit_put(
        k, "answer",
        "{\"record\":{\"id\":175928847299117063,\"version\":3,\"modified_ms\":1700000000000,\"label\":\"L\","
        "\"fields\":{\"n\":0.10,\"h\":1e400,\"t\":\" a\\r\\n\\u00e4\",\"e\":\"\",\"z\":null,\"l\":[1,{\"a\":[]}]}}}\n"
        "{\"stub\":{\"id\":\"s\",\"version\":\"v\"}}\n"
        "{\"tombstone\":{\"id\":\"t\",\"successor_id\":\"s\"}}\n"
        "{\"hint\":{\"id\":\"h\"}}\n"
        "{\"unreadable\":{\"id\":\"u\",\"message\":\"torn; mend it\"}}\n"
        "{\"page\":{\"kind\":\"more\",\"cursor\":\"c2\",\"epoch\":\"e\"}}\n"
        "{\"done\":true}\n");
    CU_ASSERT_EQUAL(kit_pull(k, "o", 0), SL_OK);
    CU_ASSERT_EQUAL_FATAL(k->n_got, 5);
    const struct sl_record *r = k->got[0].record;
    CU_ASSERT_STRING_EQUAL(r->id, "175928847299117063");
    CU_ASSERT_STRING_EQUAL(r->version, "3");
    CU_ASSERT(r->modified_ms == 1700000000000 && strcmp(r->label, "L") == 0 && r->n_fields == 6);
    CU_ASSERT_STRING_EQUAL(kit_field(r, "n"), "0.10");
    CU_ASSERT_STRING_EQUAL(kit_field(r, "h"), "1e400");
    CU_ASSERT_STRING_EQUAL(kit_field(r, "t"), " a\r\n\303\244");
    CU_ASSERT(record_field(r, "e")->type == SL_STRING && record_field(r, "z")->type == SL_NULL);
    CU_ASSERT_STRING_EQUAL(kit_field(r, "l"), "[1,{\"a\":[]}]");
    CU_ASSERT(k->got[1].kind == SL_ITEM_STUB && k->got[2].kind == SL_ITEM_TOMBSTONE && k->got[3].kind == SL_ITEM_HINT);
    CU_ASSERT(k->got[4].kind == SL_ITEM_UNREADABLE && kit_says(k->got[4].message, "mend it"));
    CU_ASSERT(k->end.kind == SL_PAGE_MORE && !strcmp(k->end.cursor, "c2") && !strcmp(k->end.epoch, "e"));
    kit_close(k);
}

static void described_types_are_given(void)
{
    struct kit *k = kit_new();
    setenv("ANSWER", kit_path(k, "answer"), 1);
    setenv("OBJECT", kit_path(k, "object"), 1);
    kit_put(k, "object",
            "{\"object\":{\"name\":\"o\",\"model\":\"ticket\",\"id_rule\":\"text\",\"id_max_bytes\":9,\"batch_max\":5,"
            "\"late_ms\":7,"
            "\"caps\":[\"create\",\"get\"],\"fields\":[{\"name\":\"d\",\"type\":\"date\"},{\"name\":\"t\",\"type\":"
            "\"timestamp\"},"
            "{\"name\":\"s\",\"type\":\"set\",\"flags\":[\"writable\",\"required\"]},{\"name\":\"r\",\"type\":\"ref\","
            "\"ref_object\":\"u\"},"
            "{\"name\":\"e\",\"type\":\"enum\",\"values\":[\"x\",\"y\"]},{\"name\":\"m\",\"type\":\"decimal\"}]}}\n{"
            "\"done\":true}\n");
    const char *argv[] = {
        "sh", "-c", "while read -r r; do case $r in *describe*) cat \"$OBJECT\";; *) cat \"$ANSWER\";; esac; done"};
    CU_ASSERT_EQUAL_FATAL(open_command(k, argv, 3, 10000), SL_OK);
    kit_put(k, "answer",
            "{\"record\":{\"id\":\"1\",\"fields\":{\"d\":\"2024-02-29\",\"t\":\"2026-11-23T09:00:00.5+01:00\",\"s\":["
            "\"a,]\",2],\"r\":42,"
            "\"e\":\"x\",\"m\":5,\"free\":true}}}\n"
            "{\"record\":{\"id\":\"2\",\"fields\":{\"d\":\"2023-02-29\"}}}\n"
            "{\"record\":{\"id\":\"3\",\"fields\":{\"s\":[[1]]}}}\n"
            "{\"record\":{\"id\":\"4\",\"fields\":{\"t\":\"yesterday\"}}}\n"
            "{\"record\":{\"id\":\"5\",\"fields\":{\"d\":null,\"t\":\"1969-12-31T23:59:59Z\"}}}\n"
            "{\"page\":{\"kind\":\"complete\"}}\n{\"done\":true}\n");
    CU_ASSERT_EQUAL(kit_pull(k, "o", 0), SL_OK);
    CU_ASSERT_EQUAL_FATAL(k->n_got, 5);
    const struct sl_record *r = k->got[0].record;
    CU_ASSERT(record_field(r, "d")->type == SL_DATE && record_field(r, "d")->number == 19782);
    CU_ASSERT(record_field(r, "t")->type == SL_TIMESTAMP && record_field(r, "t")->number == 1795420800500);
    CU_ASSERT_EQUAL(record_field(r, "t")->grain_ms, 100);
    CU_ASSERT(record_field(r, "s")->type == SL_SET && record_field(r, "s")->n_items == 2);
    CU_ASSERT(record_field(r, "r")->type == SL_REF && !strcmp(record_field(r, "r")->object, "u"));
    CU_ASSERT_STRING_EQUAL(kit_field(r, "r"), "42");
    CU_ASSERT(record_field(r, "e")->type == SL_ENUM && record_field(r, "m")->type == SL_DECIMAL);
    CU_ASSERT_EQUAL(record_field(r, "free")->type, SL_BOOL);
    for (int i = 1; i <= 3; i++)
        CU_ASSERT(k->got[i].kind == SL_ITEM_UNREADABLE && kit_says(k->got[i].message, "is declared as"));
    r = k->got[4].record;
    CU_ASSERT(r && record_field(r, "d")->type == SL_NULL && record_field(r, "t")->number == -1000);
    struct object_info *list;
    CU_ASSERT_EQUAL_FATAL(session_describe(k->s, "o", &k->a, &list, &k->e), SL_OK);
    CU_ASSERT(list->object.caps == (SL_CAP_CREATE | SL_CAP_GET) && list->object.id_rule == SL_ID_TEXT);
    CU_ASSERT(list->object.n_fields == 6 && list->object.batch_max == 5 && list->object.late_ms == 7);
    CU_ASSERT(list->object.fields[2].flags == (SL_FIELD_WRITABLE | SL_FIELD_REQUIRED));
    CU_ASSERT(list->object.fields[4].n_values == 2 && !strcmp(list->object.fields[4].values[1], "y"));
    kit_close(k);
}

static void errors_carry_their_class(void)
{
    static const struct {
        const char *word;
        int sl_class;
    } classes[] = {{"auth", SL_AUTH}, {"config", SL_CONFIG}, {"retry", SL_RETRY}, {"gone", SL_GONE}, {"busy", SL_BUSY}};
    struct kit *k =
        begin("echo \"{\\\"error\\\":{\\\"class\\\":\\\"$(cat \"$ANSWER\")\\\",\\\"message\\\":\\\"the reason\\\"}}\"",
              10000);
    setenv("ANSWER", kit_path(k, "answer"), 1);
    for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
        kit_put(k, "answer", classes[i].word);
        CU_ASSERT_EQUAL(kit_pull(k, "o", 0), classes[i].sl_class);
        CU_ASSERT(kit_says(k->e.text, "the reason"));
    }
    kit_put(k, "answer", "unsupported");
    err_clear(&k->e);
    CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_OK);
    kit_close(k);
}

/* --- children that break the protocol --- */

static void lies_are_named(void)
{
    static const struct {
        const char *answer, *says;
    } lies[] = {
        {"hello\n", "no JSON object"},
        {"{\"a\":1,\"a\":2}\n", "no JSON object"},
        {"{\"record\":\xff}\n", "no JSON object"},
        {"[1]\n", "no JSON object"},
        {"\n", "no JSON object"},
        {"{\"wat\":{}}\n", "none of the answers"},
        {"{\"done\":true}\n", "no page before it"},
        {"{\"record\":1}\n", "holds no JSON object"},
        {"{\"record\":{\"fields\":{}}}\n", "a record without an \"id\""},
        {"{\"outcome\":{\"index\":0,\"result\":\"applied\"}}\n", "no place there"},
        {"{\"object\":{\"name\":\"x\"}}\n", "no place there"},
        {"{\"page\":{\"kind\":\"last\"}}\n", "none of more, done, complete"},
        {"{\"page\":{\"kind\":\"done\"}}\n{\"stub\":{\"id\":\"s\"}}\n", "no place there"},
        {"{\"error\":{\"class\":\"sad\",\"message\":\"x\"}}\n",
         "an error without a known \"class\", or without a \"message\""},
        {"{\"unreadable\":{\"id\":\"s\"}}\n", "an unreadable record without \"id\" or \"message\""},
        {"{\"stub\":{\"id\":\"\"}}\n", "id"},
        {"{\"stub\":{}}\n", "an item without an \"id\""},
    };
    struct kit *k = begin("cat \"$ANSWER\"", 10000);
    setenv("ANSWER", kit_path(k, "answer"), 1);
    for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
        kit_put(k, "answer", lies[i].answer);
        CU_ASSERT_EQUAL(kit_pull(k, "o", 0), SL_BROKEN);
        CU_ASSERT(kit_says(k->e.text, lies[i].says) && kit_says(k->e.text, "desk"));
    }
    kit_put(k, "answer", "{\"page\":{\"kind\":\"complete\"}}\n{\"done\":true}\n");
    CU_ASSERT_EQUAL(kit_pull(k, "o", 0), SL_OK);
    kit_close(k);
}

static void bad_descriptions_are_named(void)
{
    static const struct {
        const char *object, *says;
    } bad[] = {
        {"{\"caps\":[]}", "without a \"name\""},
        {"{\"name\":\"o\",\"caps\":[\"fly\"]}", "fly"},
        {"{\"name\":\"o\",\"caps\":\"get\"}", "\"caps\""},
        {"{\"name\":\"o\",\"id_rule\":\"free\"}", "free"},
        {"{\"name\":\"o\",\"fields\":7}", "\"fields\" of an object that are no list"},
        {"{\"name\":\"o\",\"fields\":[{\"name\":\"f\",\"type\":\"money\"}]}", "money"},
        {"{\"name\":\"o\",\"fields\":[{\"type\":\"int\"}]}", "without a \"name\""},
        {"{\"name\":\"o\",\"fields\":[{\"name\":\"f\",\"flags\":[1]}]}", "no text"},
        {"{\"name\":\"o\",\"fields\":[{\"name\":\"f\",\"values\":[1]}]}", "\"values\""},
    };
    struct kit *k = kit_new();
    const char *argv[] = {"sh", "-c",
                          "while read -r r; do echo \"{\\\"object\\\":$(cat \"$ANSWER\")}\"; " DONE "; done"};
    struct object_info *list;
    setenv("ANSWER", kit_path(k, "answer"), 1);
    CU_ASSERT_EQUAL_FATAL(open_command(k, argv, 3, 10000), SL_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        kit_put(k, "answer", bad[i].object);
        err_clear(&k->e);
        CU_ASSERT_EQUAL(session_describe(k->s, NULL, &k->a, &list, &k->e), SL_BROKEN);
        CU_ASSERT(kit_says(k->e.text, bad[i].says));
    }
    kit_close(k);
}

static void talk_after_done_is_named(void)
{
    struct kit *k = begin(PAGE "; " DONE "; echo '{\"hint\":{\"id\":\"x\"}}'; : > \"$LOG\"", 10000);
    setenv("LOG", kit_path(k, "said"), 1);
    CU_ASSERT_EQUAL(kit_pull(k, "o", 0), SL_OK);
    while (access(kit_path(k, "said"), F_OK) != 0)
        kit_sleep_ms(5);
    /* Seen with the done before it, or taken for the answer to the next request: there is no place for it either way. */
    err_clear(&k->e);
    CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_BROKEN);
    kit_close(k);
}

/* One write of two lines: both are there when the first is read. */
static void more_than_was_asked(void)
{
    struct kit *k = begin("printf '{\"done\":true}\\n{\"done\":true}\\n'", 10000);
    CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_OK);
    CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_BROKEN);
    CU_ASSERT(kit_says(k->e.text, "it had said more after the call before was done"));
    kit_close(k);
}

/* --- children that die or hang --- */

static void death_in_a_call(void)
{
    struct kit *k = begin("echo '{\"stub\":{\"id\":\"s\"}}'; exit 3", 10000);
    CU_ASSERT_EQUAL(kit_pull(k, "o", 0), SL_RETRY);
    CU_ASSERT(kit_says(k->e.text, "ended with status 3"));
    CU_ASSERT_EQUAL(kit_pull(k, "o", 0), SL_RETRY);
    kit_close(k);
    k = begin("kill -9 $$", 10000);
    CU_ASSERT_EQUAL(kit_pull(k, "o", 0), SL_RETRY);
    CU_ASSERT(kit_says(k->e.text, "killed by signal 9"));
    kit_close(k);
    k = begin("exec >&-; sleep 100", 10000);
    CU_ASSERT_EQUAL(kit_pull(k, "o", 0), SL_RETRY);
    CU_ASSERT(kit_says(k->e.text, "closed its output"));
    kit_close(k);
}

/* Running, not merely waiting to be collected by whoever inherited it. */
static bool alive(pid_t pid)
{
    char path[64], line[256] = "";
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return false;
    bool read = fgets(line, sizeof(line), f) != NULL;
    fclose(f);
    const char *state = strrchr(line, ')');
    return read && state && state[2] != 'Z' && state[2] != 'X';
}

static void one_answer_a_life(void)
{
    struct kit *k = kit_new();
    const char *argv[] = {"sh", "-c", ("read -r r; echo $$ > \"$LOG\"; " DONE)};
    setenv("LOG", kit_path(k, "pid"), 1);
    CU_ASSERT_EQUAL_FATAL(open_command(k, argv, 3, 10000), SL_OK);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_OK);
        while (alive((pid_t)atoi(kit_text(k, "pid"))))
            kit_sleep_ms(5);
    }
    kit_close(k);
}

static void silence_ends(void)
{
    struct kit *k = begin("echo '{\"stub\":{\"id\":\"s\"}}'; sleep 100", 1500);
    CU_ASSERT_EQUAL(kit_pull(k, "o", 0), SL_RETRY);
    CU_ASSERT(kit_says(k->e.text, "said nothing for 1500 ms") && kit_says(k->e.text, "timeout_ms"));
    struct write_outcome *o = three_writes(k);
    CU_ASSERT(o[0].result == SL_UNCERTAIN && o[2].result == SL_UNCERTAIN);
    kit_close(k);
}

static void told_outcomes_stand(void)
{
    struct kit *k = begin(
        "echo "
        "'{\"outcome\":{\"index\":1,\"result\":\"applied\",\"record\":{\"id\":\"b\",\"version\":\"9\",\"fields\":{"
        "\"v\":1}}}}'; "
        "echo '{\"outcome\":{\"index\":0,\"result\":\"not_applied\",\"class\":\"conflict\",\"message\":\"changed\"}}'; "
        "exit 1",
        10000);
    struct write_outcome *o = three_writes(k);
    CU_ASSERT(o[0].result == SL_NOT_APPLIED && o[0].error_class == SL_CONFLICT && kit_says(o[0].message, "changed"));
    CU_ASSERT(o[1].result == SL_APPLIED && o[1].record && !strcmp(o[1].record->version, "9"));
    CU_ASSERT_EQUAL(o[2].result, SL_UNCERTAIN);
    CU_ASSERT(kit_says(k->e.text, "ended with status 1"));
    kit_close(k);
}

static void bad_outcomes_are_uncertain(void)
{
    static const char no_index[] = "\"index\" is no write of the batch";
    static const char no_result[] = "an outcome without a known \"result\", or not_applied without a known \"class\"";
    static const struct {
        const char *outcome, *says;
    } bad[] = {
        {"{\"index\":3,\"result\":\"applied\"}", no_index},
        {"{\"index\":-1,\"result\":\"applied\"}", no_index},
        {"{\"result\":\"applied\"}", no_index},
        {"{\"index\":0}", no_result},
        {"{\"index\":0,\"result\":\"not_applied\"}", no_result},
        {"{\"index\":0,\"result\":\"maybe\"}", no_result},
        {"{\"index\":0,\"result\":\"applied\",\"record\":7}", "an outcome whose \"record\" is no JSON object"},
    };
    struct kit *k = begin("echo \"{\\\"outcome\\\":$(cat \"$ANSWER\")}\"; " DONE, 10000);
    setenv("ANSWER", kit_path(k, "answer"), 1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        kit_put(k, "answer", bad[i].outcome);
        struct write_outcome *o = three_writes(k);
        CU_ASSERT(k->e.code == ERR_FAILED && kit_says(k->e.text, bad[i].says));
        CU_ASSERT(o[0].result == SL_UNCERTAIN && o[1].result == SL_UNCERTAIN && o[2].result == SL_UNCERTAIN);
    }
    kit_close(k);
}

/* The request does not fit into the pipe and the child is gone: SIGPIPE would end this test. */
static void a_closed_input_kills_nobody(void)
{
    struct kit *k = kit_new();
    const char *argv[] = {"sh", "-c",
                          "read -r r; case $r in *'\"call\":\"describe\"'*) " DESCRIBE
                          "; exec <&-; sleep 0.5;; esac; exit 4"};
    CU_ASSERT_EQUAL_FATAL(open_command(k, argv, 3, 10000), SL_OK);
    char *big = arena_alloc(&k->a, 1 << 20);
    memset(big, 'x', (1 << 20) - 1);
    struct sl_value v = value_string("v", big);
    signal(SIGPIPE, SIG_DFL);
    CU_ASSERT_EQUAL(kit_create(k, "o", "a", &v, 1).result, SL_UNCERTAIN);
    CU_ASSERT(kit_says(k->e.text, "ended with status 4"));
    sigset_t pending;
    sigpending(&pending);
    CU_ASSERT_EQUAL(sigismember(&pending, SIGPIPE), 0);
    kit_close(k);
}

/* More on stderr than a pipe holds, and a large request not read before it: neither side may wait for the other. */
static void floods_do_not_block(void)
{
    struct kit *k = kit_new();
    const char *argv[] = {
        "sh", "-c",
        "while read -r r; do case $r in *'\"call\":\"describe\"'*) " DESCRIBE ";; "
        "*) head -c 300000 /dev/zero | tr '\\0' ' ' >&2; head -c 200000 /dev/zero | tr '\\0' ' '; " DONE
        ";; esac; done"};
    CU_ASSERT_EQUAL_FATAL(open_command(k, argv, 3, 20000), SL_OK);
    char *big = arena_alloc(&k->a, 200000);
    memset(big, 'x', 199999);
    struct sl_value v = value_string("v", big);
    CU_ASSERT_EQUAL(kit_create(k, "o", "a", &v, 1).result, SL_UNCERTAIN);
    CU_ASSERT_EQUAL(k->e.code, ERR_NONE);
    kit_close(k);
}

static void close_ends_the_whole_group(void)
{
    struct kit *k = begin("sleep 1000 & echo $! > \"$LOG\"; trap '' TERM HUP; " PAGE "; " DONE, 10000);
    setenv("LOG", kit_path(k, "pid"), 1);
    CU_ASSERT_EQUAL(kit_pull(k, "o", 0), SL_OK);
    pid_t pid = (pid_t)atoi(kit_text(k, "pid"));
    CU_ASSERT_FATAL(pid > 1 && alive(pid));
    session_close(k->s);
    k->s = NULL;
    for (int i = 0; i < 400 && alive(pid); i++)
        kit_sleep_ms(5);
    CU_ASSERT_FALSE(alive(pid));
    kit_close(k);
}

/* --- the examples --- */

static struct kit *begin_notes(void)
{
    struct kit *k = kit_new();
    const char *argv[] = {"python3", "plugins/exec/examples/notes.py", k->folder};
    CU_ASSERT_EQUAL_FATAL(open_command(k, argv, 3, 30000), SL_OK);
    return k;
}

static void notes_list_and_read(void)
{
    struct kit *k = begin_notes();
    struct object_info *list;
    kit_put(k, "a.txt", "Title\nline 1\r\nline 2");
    kit_put_bytes(k, "bad.txt", "\xff", 1);
    kit_put(k, ".hidden.txt", "");
    CU_ASSERT_EQUAL(symlink("/etc/passwd", kit_path(k, "link.txt")), 0);
    CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_OK);
    CU_ASSERT_EQUAL_FATAL(session_describe(k->s, NULL, &k->a, &list, &k->e), SL_OK);
    CU_ASSERT_STRING_EQUAL(list->object.name, "notes");
    CU_ASSERT_EQUAL(kit_pull(k, "notes", 0), SL_OK);
    CU_ASSERT(k->n_got == 3 && k->end.kind == SL_PAGE_COMPLETE);
    CU_ASSERT_EQUAL(kit_find(k, "link")->kind, SL_ITEM_UNREADABLE);
    const char *version = kit_find(k, "a")->version;
    CU_ASSERT_EQUAL(kit_get(k, "notes", "bad").kind, SL_ITEM_UNREADABLE);
    CU_ASSERT_EQUAL(kit_get(k, "notes", "absent").kind, SL_ITEM_TOMBSTONE);
    CU_ASSERT_EQUAL(kit_get(k, "notes", "../a").kind, SL_ITEM_UNREADABLE);
    struct got g = kit_get(k, "notes", "a");
    CU_ASSERT_STRING_EQUAL(g.record->version, version);
    CU_ASSERT_STRING_EQUAL(kit_field(g.record, "body"), "line 1\r\nline 2");
    CU_ASSERT_EQUAL(session_describe(k->s, "other", &k->a, &list, &k->e), SL_GONE);
    kit_close(k);
}

static void notes_are_written(void)
{
    struct kit *k = begin_notes();
    struct sl_value f[] = {value_string("title", "\303\244 \360\237\230\200"), value_string("body", "x\n\n")};
    struct write_outcome o = kit_create(k, "notes", "n", f, 2);
    CU_ASSERT_FATAL(o.result == SL_APPLIED && o.record);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "n.txt"), "\303\244 \360\237\230\200\nx\n\n");
    const char *first = o.record->version;
    o = kit_create(k, "notes", "n", f, 1);
    CU_ASSERT(o.error_class == SL_EXISTS && o.record);
    struct sl_write w = kit_make(k, SL_UPDATE, "n", &f[1], 1);
    f[1] = value_string("body", "new");
    w.expected_version = first;
    o = kit_do(k, "notes", w);
    CU_ASSERT_EQUAL(o.result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "n.txt"), "\303\244 \360\237\230\200\nnew");
    CU_ASSERT_EQUAL(kit_do(k, "notes", w).error_class, SL_CONFLICT);
    CU_ASSERT_EQUAL(kit_create(k, "notes", "../evil", f, 2).error_class, SL_REJECTED);
    w = kit_make(k, SL_DELETE, "n", NULL, 0);
    CU_ASSERT_EQUAL(kit_do(k, "notes", w).result, SL_APPLIED);
    CU_ASSERT_EQUAL(kit_do(k, "notes", w).error_class, SL_GONE);
    CU_ASSERT_EQUAL(kit_count(k, ".", ".notes"), 0);
    kit_close(k);
}

static void lines_are_listed(void)
{
    struct kit *k = kit_new();
    const char *file = kit_path(k, "orders.jsonl");
    const char *argv[] = {"sh", "plugins/exec/examples/lines.sh", file};
    CU_ASSERT_EQUAL_FATAL(open_command(k, argv, 3, 10000), SL_OK);
    CU_ASSERT_EQUAL(session_check(k->s, &k->e), SL_CONFIG);
    kit_put(k, "orders.jsonl",
            "{\"id\": \"o-1\", \"n\": 175928847299117063, \"t\": 0.10, \"s\": \"a\\n\303\244\"}\n\n{\"x\": 1}\n");
    CU_ASSERT_EQUAL(session_check(k->s, (err_clear(&k->e), &k->e)), SL_OK);
    CU_ASSERT_EQUAL(kit_pull(k, "lines", 0), SL_OK);
    CU_ASSERT_EQUAL_FATAL(k->n_got, 2);
    CU_ASSERT_EQUAL(record_field(k->got[0].record, "n")->number, 175928847299117063);
    CU_ASSERT_STRING_EQUAL(kit_field(k->got[0].record, "t"), "0.10");
    CU_ASSERT_STRING_EQUAL(kit_field(k->got[0].record, "s"), "a\n\303\244");
    CU_ASSERT(k->got[1].kind == SL_ITEM_UNREADABLE && kit_says(k->got[1].message, "line 3"));
    CU_ASSERT_EQUAL(kit_create(k, "lines", "x", NULL, 0).result, SL_UNCERTAIN);
    CU_ASSERT_EQUAL(k->e.code, ERR_CONFIG);
    kit_close(k);
}

static const struct check tests[] = {
    {"commands that cannot be are refused", commands_that_cannot_be},
    {"arguments arrive as they are, without a shell", arguments_arrive_as_they_are},
    {"requests are exact", requests_are_exact},
    {"ids arrive as a list", ids_arrive_as_a_list},
    {"answers are exact", answers_are_exact},
    {"described types are given to values (I32)", described_types_are_given},
    {"errors carry their class", errors_carry_their_class},
    {"a broken protocol is named, and the next call is clean", lies_are_named},
    {"bad descriptions are named", bad_descriptions_are_named},
    {"talk after done is named", talk_after_done_is_named},
    {"an answer to nothing is named", more_than_was_asked},
    {"a host without room for pipes", no_room_to_start},
    {"a death in a call says how", death_in_a_call},
    {"a program may live for one answer", one_answer_a_life},
    {"silence ends, writes are uncertain", silence_ends},
    {"told outcomes stand, the others are uncertain (I19)", told_outcomes_stand},
    {"bad outcomes are uncertain (I19)", bad_outcomes_are_uncertain},
    {"a closed input kills nobody", a_closed_input_kills_nobody},
    {"floods do not block", floods_do_not_block},
    {"close ends the whole group", close_ends_the_whole_group},
    {"notes.py lists and reads", notes_list_and_read},
    {"notes.py writes", notes_are_written},
    {"lines.sh lists", lines_are_listed},
};

CHECK_MAIN("exec", tests)
