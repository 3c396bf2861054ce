/* SPDX-License-Identifier: MIT */
/* test_api.c - /api/v1: which command a request is, who is let in, and what results are as HTTP; the processes that carry commands out. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "base/json.h"
#include "base/text.h"
#include "daemon/api.h"
#include "net/sign.h"

#define TOKEN "0123456789abcdef-TOKEN"
static struct api_door door;

static void open_door(void)
{
    door.open = true;
    sign_sha256(TOKEN, strlen(TOKEN), door.digest);
}

/* A request with its token, and the body said to be JSON. */
static struct request asking(const char *method, const char *path, const char *query, const char *body)
{
    static const struct request_header headers[] = {
        {"host", "127.0.0.1:8631"}, {"authorization", "Bearer " TOKEN}, {"content-type", "application/json"}};
    return (struct request){.number = 7,
                            .route = API_PATH,
                            .method = method,
                            .path = path,
                            .query = query,
                            .headers = headers,
                            .n_headers = 3,
                            .body = body,
                            .n_body = strlen(body)};
}

/* The words of a call, a bar between them; or the status and the sentence of the refusal. In the arena. */
static const char *made_of(const struct request *r, struct arena *a)
{
    struct api_call call;
    struct answer refusal;
    struct buf text = {0};
    struct err e = {0};
    if (!api_plan(&door, r, a, &call, &refusal)) {
        struct json_doc *doc = json_parse(refusal.text, refusal.n_text, NULL, &e);
        const struct json *error = doc ? json_get(json_root(doc), "error") : NULL;
        CU_ASSERT_PTR_NOT_NULL_FATAL(error);
        CU_ASSERT_EQUAL(refusal.number, 7);
        buf_printf(&text, "%u %s: %s", refusal.status, json_text(json_get(error, "code"), NULL),
                   json_text(json_get(error, "message"), NULL));
        json_free(doc);
    } else if (call.wake) {
        buf_printf(&text, "wake %s", call.wake);
    } else {
        for (size_t i = 0; i < call.n_words; i++)
            buf_printf(&text, "%s%s", i ? "|" : "", call.words[i]);
    }
    const char *kept = arena_text(a, text.data);
    buf_fini(&text);
    return kept;
}

static const struct row {
    const char *method, *path, *query, *body, *want;
} rows[] = {
    {"GET", "status", "", "", "status|--"},
    {"HEAD", "status", "", "", "status|--"},
    {"GET", "status", "pair=tickets", "", "status|--|tickets"},
    {"GET", "pairs", "", "", "pairs|--"},
    {"GET", "conflicts", "", "", "conflicts|list|--"},
    {"GET", "conflicts/tickets/12", "", "", "conflicts|show|--|tickets/12"},
    {"GET", "parked/12", "", "", "parked|show|--|12"},
    {"GET", "plugins", "", "", "plugins|--"},
    {"GET", "plugins/jsondir", "", "", "plugins|--|jsondir"},
    {"GET", "history", "pair=p&id=a%2Fb%20c%2b&since=7d", "", "history|--since|7d|--|p|a/b c+"},
    {"GET", "history", "since=--help", "",
     "history|--since|--help|--"}, /* the value of an option, whatever it looks like */
    {"GET", "why", "id=b:T-1&pair=p&field=title", "", "why|--|p|b:T-1|title"},
    {"GET", "links", "pair=p", "", "links|--|p"},
    {"POST", "sync", "", "{\"pair\": \"p\"}", "wake p"},
    {"POST", "resolve", "", "{\"id\": \"12\", \"take\": \"a\"}", "conflicts|resolve|--take|a|--|12"},
    {"POST", "resolve", "", "{\"id\": 12, \"value\": {\"x\": [1.50, null]}}",
     "conflicts|resolve|--value|{\"x\":[1.50,null]}|--|12"},
    {"POST", "resolve", "", "{\"id\": 12, \"value\": null}", "conflicts|resolve|--value|null|--|12"},
    {"POST", "retry", "", "{\"all\": true}", "parked|retry|--all|--"},
    {"POST", "retry", "", "{\"id\": \"9\", \"all\": false}", "parked|retry|--|9"},
    {"POST", "drop", "", "{\"id\": \"9\"}", "parked|drop|--|9"},
    {"POST", "approve", "", "{\"pair\": \"p\", \"deletes\": 12}", "approve|--deletes|12|--|p"},
    {"POST", "approve", "", "{\"first_run\": true, \"pair\": \"p\"}", "approve|--first-run|--|p"},
    {"POST", "link", "", "{\"pair\": \"p\", \"a\": \"1\", \"b\": \"2\"}", "link|--|p|1|2"},
    {"POST", "unlink", "", "{\"pair\": \"p\", \"id\": \"1\", \"forget\": true}", "unlink|--forget|--|p|1"},
    {"POST", "undo", "", "{\"run\": \"R\", \"dry_run\": true}", "undo|--dry-run|--|R"},
    {"POST", "plan", "", "{\"pair\": \"p\"}", "plan|--|p"},
    {"POST", "verify", "", "{\"pair\": \"p\", \"repair\": true}", "verify|--repair|--|p"},
    /* what an asker writes is never an option */
    {"POST", "unlink", "", "{\"pair\": \"p\", \"id\": \"--forget\"}", "unlink|--|p|--forget"},
    {"POST", "link", "", "{\"pair\": \"-c\", \"a\": \"--json\", \"b\": \"; rm -rf /\"}",
     "link|--|-c|--json|; rm -rf /"},
    {"POST", "resolve", "", "{\"id\": \"--value\", \"take\": \"--help\"}",
     "conflicts|resolve|--take|--help|--|--value"},
    {"GET", "parked/--all", "", "", "parked|show|--|--all"},
    {"GET", "conflicts/%2D%2Dtake", "", "", "conflicts|show|--|--take"},
    /* and what is none of these is refused with its sentence */
    {"GET", "", "", "", "404 not_found: no route of the API has this path; the manual syncline-api lists them"},
    {"GET", "status/p", "", "", "404 not_found: no route of the API has this path; the manual syncline-api lists them"},
    {"GET", "../../etc/passwd", "", "",
     "404 not_found: no route of the API has this path; the manual syncline-api lists them"},
    {"POST", "run", "", "{}", "404 not_found: no route of the API has this path; the manual syncline-api lists them"},
    {"POST", "status", "", "{}", "405 bad_method: status is asked by GET"},
    {"GET", "sync", "", "", "405 bad_method: sync is asked by POST"},
    {"GET", "why", "pair=p", "", "400 bad_request: id is missing; say which"},
    {"GET", "why", "pair=&id=1", "", "400 bad_request: pair is empty; say which"},
    {"GET", "conflicts/", "", "", "400 bad_request: what stands behind the slash is empty; say which"},
    {"GET", "history", "id=1", "", "400 bad_request: id says nothing without what stands before it"},
    {"GET", "status", "pairs=p", "", "400 bad_request: 'pairs' is nothing that status takes; did you mean pair"},
    {"GET", "status", "pair=p&pair=q", "", "400 bad_request: pair is there twice"},
    {"GET", "status", "pair=%zz", "", "400 bad_request: the query is not spelled as a URL's: %XX of UTF-8"},
    {"GET", "status", "pair=a%00b", "", "400 bad_request: the query is not spelled as a URL's: %XX of UTF-8"},
    {"GET", "status", "pair=%ff", "", "400 bad_request: the query is not spelled as a URL's: %XX of UTF-8"},
    {"GET", "status", "pair=%4", "", "400 bad_request: the query is not spelled as a URL's: %XX of UTF-8"},
    {"GET", "parked/%0", "", "", "400 bad_request: the path is not spelled as a URL's: %XX of UTF-8"},
    {"GET", "status", "a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q", "",
     "400 bad_request: the query has too many members; see the manual syncline-api"},
    {"POST", "drop", "", "[1]", "400 bad_request: the body is one JSON object, like {\"pair\": \"tickets\"}"},
    {"POST", "drop", "", "{", NULL},
    {"POST", "drop", "", "", NULL},
    {"POST", "drop", "", "{\"id\": \"1\", \"id\": \"2\"}", NULL},
    {"POST", "drop", "", "{\"id\": \"a\\u0000b\"}", NULL},
    {"POST", "drop", "", "{\"id\": [1]}", "400 bad_request: id is a text"},
    {"POST", "retry", "", "{\"all\": 1}", "400 bad_request: all is true or false"},
    {"POST", "approve", "", "{\"pair\": \"p\", \"deletes\": -1}",
     "400 bad_request: deletes is a whole number, not below 0"},
    {"POST", "approve", "", "{\"pair\": \"p\", \"deletes\": \"1\"}",
     "400 bad_request: deletes is a whole number, not below 0"},
    {"POST", "verify", "", "{\"pair\": \"p\", \"repare\": true}",
     "400 bad_request: 'repare' is nothing that verify takes; did you mean repair"},
    {"POST", "sync", "pair=p", "{}", "400 bad_request: what this takes stands in the body, not in the query"},
};

static void each_route(void)
{
    open_door();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena a = {0};
        const struct row *row = &rows[i];
        struct request r = asking(row->method, arena_printf(&a, API_PATH "%s", row->path), row->query, row->body);
        const char *got = made_of(&r, &a);
        bool right = row->want ? strcmp(got, row->want) == 0 : strncmp(got, "400 bad_request: the body: line", 31) == 0;
        CU_ASSERT_TRUE(right);
        if (!right)
            printf("    %s %s?%s %s: %s\n", row->method, row->path, row->query, row->body, got);
        arena_fini(&a);
    }
}

/* --- who is let in --- */

static void letting_in(void)
{
    static const char no_token[] = "401 unauthorized: this needs the API's token: Authorization: Bearer TOKEN",
                      elsewhere[] =
                          "403 forbidden: this comes from another site's page; ask from a page of this host, or "
                          "from a program",
                      kind[] = "415 bad_type: send Content-Type: application/json";
    static const struct {
        const char *name, *value, *want; /* a header more, or another one */
    } table[] = {
        {"authorization", "Bearer " TOKEN, "parked|drop|--|1"},
        {"authorization", "bearer " TOKEN, "parked|drop|--|1"},
        {"authorization", "", no_token},
        {"authorization", "Bearer", no_token},
        {"authorization", "Bearer ", no_token},
        {"authorization", "Bearer " TOKEN "x", no_token},
        {"authorization", "Bearer 0123456789abcdef-TOKE", no_token},
        {"authorization", "Basic " TOKEN, no_token},
        {"authorization", TOKEN, no_token},
        {"origin", "http://127.0.0.1:8631", "parked|drop|--|1"},
        {"origin", "https://127.0.0.1:8631", "parked|drop|--|1"}, /* a proxy in front */
        {"origin", "http://127.0.0.1:8632", elsewhere},
        {"origin", "http://evil.example", elsewhere},
        {"origin", "http://evil.example/127.0.0.1:8631", elsewhere},
        {"origin", "null", elsewhere},
        {"sec-fetch-site", "same-origin", "parked|drop|--|1"},
        {"sec-fetch-site", "none", "parked|drop|--|1"},
        {"sec-fetch-site", "same-site", elsewhere},
        {"sec-fetch-site", "cross-site", elsewhere},
        {"content-type", "application/json; charset=utf-8", "parked|drop|--|1"},
        {"content-type", "text/plain", kind},
        {"content-type", "application/jsonp", kind},
        {"content-type", "application/x-www-form-urlencoded", kind},
    };
    open_door();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct arena a = {0};
        struct request r = asking("POST", API_PATH "drop", "", "{\"id\": \"1\"}");
        struct request_header headers[4] = {{table[i].name, table[i].value}};
        for (size_t k = 0; k < r.n_headers; k++)
            headers[k + 1] = r.headers[k];
        r.headers = headers;
        r.n_headers = 4;
        CU_ASSERT_STRING_EQUAL(made_of(&r, &a), table[i].want);
        arena_fini(&a);
    }
}

static void shut(void)
{
    struct arena a = {0};
    struct request r = asking("GET", API_PATH "status", "", "");
    memset(&door, 0, sizeof door);
    CU_ASSERT_STRING_EQUAL(
        made_of(&r, &a),
        "403 forbidden: the API is off: give the config a token, \"api\": {\"token\": {\"file\": \"api-token\"}}");
    arena_fini(&a);
}

/* --- answers --- */

static bool answered(const struct errand_result *r, unsigned status, const char *holds)
{
    struct buf text = {0};
    struct err e = {0};
    struct answer a = api_answer(r, &text);
    struct json_doc *doc = json_parse(a.text, a.n_text, NULL, &e);
    bool right = doc && a.number == 7 && a.status == status && strstr(a.text, holds);
    if (!right)
        printf("    %u %.*s\n", a.status, (int)a.n_text, a.text);
    json_free(doc);
    buf_fini(&text);
    return right;
}

static struct errand_result ended(int code, const char *out, const char *err)
{
    return (struct errand_result){7, ERRAND_RAN, code, out, err, strlen(out), strlen(err)};
}

static void answers(void)
{
    struct errand_result r = ended(0, "{\"a\": 1}\n{\"b\": \"x\"}\n", "");
    CU_ASSERT_TRUE(
        answered(&r, 200, "{\"ok\":true,\"waits\":false,\"items\":[{\"a\": 1},\n{\"b\": \"x\"}],\"messages\":[]}"));
    r = ended(3, "", "tickets: look at \"this\"\n\n");
    CU_ASSERT_TRUE(answered(&r, 200, "\"waits\":true,\"items\":[],\"messages\":[\"tickets: look at \\\"this\\\"\"]"));
    r = ended(3, "not an object\n", "bytes \xff that are no text\n");
    CU_ASSERT_TRUE(answered(&r, 200, "\"items\":[],\"messages\":[]"));
    r = ended(2, "", "syncline: there is no pair 'q'\n");
    CU_ASSERT_TRUE(answered(&r, 400, "{\"error\":{\"code\":\"bad_request\",\"message\":\"there is no pair 'q'\"}}"));
    r = ended(1, "{\"half\": 1}", "syncline: one\nsyncline: two\n");
    CU_ASSERT_TRUE(answered(&r, 500, "\"code\":\"failed\",\"message\":\"one\\ntwo\""));
    r = ended(ERRAND_BUSY, "", "syncline: it is in use by process 1\n");
    CU_ASSERT_TRUE(answered(&r, 409, "\"code\":\"busy\""));
    r = ended(2, "", "");
    CU_ASSERT_TRUE(answered(&r, 400, "this request is not to be carried out"));
    r = ended(1, "", "");
    CU_ASSERT_TRUE(answered(&r, 500, "it could not be completed"));
    r = ended(ERRAND_BUSY, "", "");
    CU_ASSERT_TRUE(answered(&r, 409, "the pair is at work"));
    static const struct {
        int end;
        unsigned status;
        const char *holds;
    } ends[] = {{ERRAND_LATE, 504, "it took too long and was ended, at a point that loses nothing"},
                {ERRAND_LARGE, 413, "the answer is too large; ask for one pair, one id, or since a time"},
                {ERRAND_STOPPED, 503, "the daemon is stopping; ask again when it is back"},
                {ERRAND_DIED, 500, "the command's process died; the daemon's log may say why"}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        r = (struct errand_result){7, ends[i].end, -1, "", "", 0, 0};
        CU_ASSERT_TRUE(answered(&r, ends[i].status, ends[i].holds));
    }
}

static const struct check tests[] = {
    {"each route is its command, and what is asked never an option", each_route},
    {"the token, the page's origin and the type of the body decide who is let in", letting_in},
    {"without a token in the config nobody is let in", shut},
    {"a result is one JSON object whatever the command said", answers},
};
CHECK_MAIN("api", tests)
