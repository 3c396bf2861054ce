/* SPDX-License-Identifier: MIT */
/* test_peers.c - the simulated APIs are what their README says: each profile, and each fault by its effect. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../peers/kit.h"
#include "base/file.h"
#include "base/text.h"
#include "check.h"
#include "net/sign.h"
#include "syncline/syncline.h"

enum { STEPS = 5 };

struct step {
    const char *request; /* method, path, and a body or nothing */
    const char *headers;
    int status; /* 0: no answer */
    const char *has, *lacks; /* in headers or body */
};

struct row {
    const char *knob; /* its name; NULL: none */
    const char *value;
    struct step steps[STEPS];
};

#define NEW "POST /items {\"title\":\" A<b \",\"n\":123,\"external_id\":\"k9\"}"
#define ALL "GET /items"
#define EDIT "PATCH /items/1 {\"title\":\"new\"}"
#define BATCH_OF_3 "POST /items/batch [{\"title\":\"x\"},{\"id\":\"1\",\"title\":\"y\"},{\"id\":\"99\"}]"
#define HOOKS "POST /_peer/knobs {\"webhooks\":true}"
#define TOKEN "POST /oauth/token grant_type=refresh_token&refresh_token=r0&client_id=desk"

/* clang-format off */
/* Each against a peer of its own with records 1 to 5, of the keys k1 to k5. */
static const struct row rows[] = {
    {NULL, NULL, {{NEW, "", 201, "\"id\":\"6\"", NULL}, {NEW, "", 409, NULL, NULL}, {ALL, "", 200, "\"total\":6", "next"}}},
    {NULL, NULL, {{NEW, "Idempotency-Key: a\r\n", 201, "\"id\":\"6\"", NULL},
                  {NEW, "Idempotency-Key: a\r\n", 201, "\"id\":\"6\"", NULL},
                  {"GET /_peer/state", "", 200, "\"creates\":1,\"repeats\":1", NULL}}},
    {NULL, NULL, {{"GET /items/1", "", 200, "ETag: \"v1\"", NULL},
                  {EDIT, "If-Match: \"v1\"\r\n", 200, "ETag: \"v6\"", NULL},
                  {EDIT, "If-Match: \"v1\"\r\n", 412, NULL, NULL},
                  {"PUT /items/1 {\"m\":1}", "", 200, "\"m\":1", "title"},
                  {"DELETE /items/1", "If-Match: \"v1\"\r\n", 412, NULL, NULL}}},
    {NULL, NULL, {{"DELETE /items/1", "", 204, NULL, NULL}, {"GET /items/1", "", 404, NULL, NULL}, {EDIT, "", 404, NULL, NULL},
                  {ALL, "", 200, "\"total\":4", NULL}, {"DELETE /items/1", "", 404, NULL, NULL}}},
    {NULL, NULL, {{"GET /items?limit=2", "", 200, "next_token\":\"0.1\"", "\"k3\""},
                  {"GET /items?limit=2&page_token=0.1", "", 200, "Link: <http", "\"k2\""},
                  {"GET /items?limit=2&page_token=0.3", "", 200, "\"k5\"", "next"},
                  {"GET /items?limit=2&page=3", "", 200, "\"k5\"", "next"},
                  {"GET /items?limit=2&offset=2", "", 200, "offset=4>; rel=\"next\"", "\"k2\""}}},
    {NULL, NULL, {{"GET /items?external_id=k4", "", 200, "\"id\":\"4\"", "\"id\":\"3\""},
                  {"GET /items?updated_since=2099-01-01T00:00:00Z", "", 200, "\"total\":0", NULL},
                  {"GET /items?updated_since=2000-01-01T00:00:00Z", "", 200, "\"total\":5", NULL},
                  {"GET /items?updated_since=yesterday", "", 400, NULL, NULL},
                  {BATCH_OF_3, "", 200, "[{\"status\":201,\"id\":\"6\"},{\"status\":200,\"id\":\"1\"},{\"status\":404}]", NULL}}},
    {NULL, NULL, {{"GET /nowhere", "", 404, NULL, NULL}, {"POST /items {", "", 400, NULL, NULL}, {"POST /items/1 {}", "", 405, NULL, NULL},
                  {"POST /_peer/knobs {\"nix\":1}", "", 400, "nix", NULL}, {"POST /_peer/nix {}", "", 404, NULL, NULL}}},

    {"credentials are needed", "true", {{ALL, "", 401, "invalid_token", NULL},
                                        {"POST /_peer/credentials {\"token\":\"t\"}", "", 200, NULL, NULL},
                                        {ALL, "Authorization: Bearer t\r\n", 200, NULL, NULL},
                                        {"POST /_peer/clock {\"ahead_ms\":4000000}", "", 200, NULL, NULL},
                                        {ALL, "Authorization: Bearer t\r\n", 401, NULL, NULL}}},
    {"answers take their time", "1", {{ALL, "", 200, NULL, NULL}}},
    {"small pages", "2", {{"GET /items?limit=4", "", 200, "\"k2\"", "\"k3\""}}},
    {"small batches", "2", {{BATCH_OF_3, "", 413, NULL, NULL}, {"GET /items/1", "", 200, "t1", NULL}}},
    {"times of one second", "true", {{"GET /items/1", "", 200, "updated_at\":\"20", "."}}},
    {"times of one minute", "true", {{"GET /items/1", "", 200, ":00Z\"", NULL}}},
    {"its clock is ahead or behind", "3155760000000", {{"GET /items/1", "", 200, "updated_at\":\"21", "updated_at\":\"20"}}},
    {"times in another zone", "true", {{"GET /items/1", "", 200, "+02:00\"", "Z\""}}},
    {"no versions", "true", {{"GET /items/1", "", 200, NULL, "ETag"}, {EDIT, "If-Match: \"v77\"\r\n", 200, NULL, "ETag"}}},
    {"no times", "true", {{"GET /items/1", "", 200, "t1", "_at"}}},
    {"another order", "true", {{"GET /items?limit=2", "", 200, "\"k5\"", "\"k3\""},
                               {"GET /items?limit=2&page_token=0.3", "", 200, "\"k3\"", "\"k4\""}}},
    {"deletes told in the feed", "true", {{"DELETE /items/2", "", 204, NULL, NULL},
                                          {"GET /items?updated_since=2000-01-01T00:00:00Z", "", 200, "\"id\":\"2\",\"deleted\":true", NULL},
                                          {ALL, "", 200, NULL, "deleted"}}},
    {"the index lags", "3600000", {{ALL, "", 200, "\"total\":0", NULL}, {"GET /items/1", "", 200, "t1", NULL},
                                   {"POST /_peer/clock {\"ahead_ms\":4000000}", "", 200, NULL, NULL}, {ALL, "", 200, "\"total\":5", NULL}}},
    {"stale reads", "3600000", {{"POST /_peer/clock {\"ahead_ms\":4000000}", "", 200, NULL, NULL}, {EDIT, "", 200, "new", NULL},
                                {"GET /items/1", "", 200, "t1", "new"}, {EDIT, "If-Match: \"v1\"\r\n", 412, NULL, NULL}}},
    {"trims", "true", {{NEW, "", 201, "\"A<b\"", NULL}}},
    {"lower case", "true", {{NEW, "", 201, "\" a<b \"", NULL}}},
    {"truncates", "2", {{NEW, "", 201, "\" A\"", NULL}}},
    {"escapes", "true", {{NEW, "", 201, "\" A&lt;b \"", NULL}}},
    {"rounds", "100", {{NEW, "", 201, "\"n\":100", NULL}}},
    {"answers without the record", "true", {{NEW, "", 201, "{\"id\":\"6\"}", "title"}, {"GET /items/6", "", 200, "title", NULL}}},
    {"a field is not stored", "\"title\"", {{NEW, "", 201, "\"n\":123", "title"}, {EDIT, "", 200, "t1", "new"}}},
    {"a workflow rewrites a field", "\"title\"", {{EDIT, "", 200, "kept by a workflow", "new"}}},
    {"idempotency keys are forgotten", "1000", {{"POST /items {}", "Idempotency-Key: a\r\n", 201, "\"id\":\"6\"", NULL},
                                                {"POST /_peer/clock {\"ahead_ms\":2000}", "", 200, NULL, NULL},
                                                {"POST /items {}", "Idempotency-Key: a\r\n", 201, "\"id\":\"7\"", NULL}}},
    {"the permission is withdrawn", "100", {{ALL, "", 200, "\"total\":0", NULL}, {"GET /items/1", "", 404, NULL, NULL}, {EDIT, "", 404, NULL, NULL}}},
    {"outcomes in another order", "true", {{BATCH_OF_3, "", 200, "[{\"status\":404},{\"status\":200,\"id\":\"1\"},{\"status\":201,\"id\":\"6\"}]", NULL}}},

    {"the reply is lost", "2", {{EDIT, "", 200, NULL, NULL}, {NEW, "", 0, NULL, NULL}, {"GET /items/6", "", 200, "\"k9\"", NULL}, {EDIT, "", 200, NULL, NULL}}},
    {"the request is lost", "1", {{NEW, "", 0, NULL, NULL}, {ALL, "", 200, "\"total\":5", NULL}}},
    {"the request arrives late", "1", {{NEW, "", 0, NULL, NULL}, {ALL, "", 200, "\"total\":5", NULL},
                                       {"POST /_peer/clock {\"ahead_ms\":2000}", "", 200, NULL, NULL}, {ALL, "", 200, "\"total\":6", NULL}}},
    {"half a batch", "1", {{BATCH_OF_3, "", 0, NULL, NULL}, {ALL, "", 200, "\"total\":6", "\"y\""}}},
    {"an outcome is left out", "1", {{BATCH_OF_3, "", 200, "\"id\":\"1\"}]", "404"}}},
    {"5xx after the effect", "1", {{NEW, "", 500, NULL, NULL}, {ALL, "", 200, "\"total\":6", NULL}}},
    {"429 for a write", "1", {{ALL, "", 200, NULL, NULL}, {NEW, "", 429, "Retry-After: 1", NULL}, {ALL, "", 200, "\"total\":5", NULL}}},
    {"a write is refused", "{\"value\": 400}", {{ALL, "", 200, NULL, NULL}, {NEW, "", 400, NULL, NULL}, {ALL, "", 200, "\"total\":5", NULL}}},
    {"5xx", "{\"nth\": 2, \"times\": 2}", {{ALL, "", 200, NULL, NULL}, {NEW, "", 503, NULL, NULL}, {ALL, "", 503, NULL, NULL}, {ALL, "", 200, "\"total\":5", NULL}}},
    {"429", "1", {{ALL, "", 429, "Retry-After: 1", NULL}, {ALL, "", 200, NULL, NULL}}},
    {"429 without a header", "1", {{ALL, "", 429, NULL, "Retry-After"}, {ALL, "", 200, NULL, NULL}}},
    {"401", "1", {{ALL, "", 401, NULL, NULL}, {ALL, "", 200, NULL, NULL}}},
    {"403", "1", {{ALL, "", 403, NULL, NULL}, {ALL, "", 200, NULL, NULL}}},
    {"an answer without content", "1", {{ALL, "", 200, "Content-Length: 0", NULL}, {ALL, "", 200, "k1", NULL}}},
    {"an answer that is no JSON", "1", {{ALL, "", 200, "<html>", NULL}, {ALL, "", 200, "k1", NULL}}},
    {"an empty listing", "1", {{"GET /items?limit=2", "", 200, "\"items\":[]", "next"}, {ALL, "", 200, "k1", NULL}}},
    {"half a listing", "1", {{"GET /items?limit=4", "", 200, "\"k2\"", "\"k3\""}, {ALL, "", 200, "\"k5\"", NULL}}},
    {"rows repeated between pages", "2", {{"GET /items?limit=2", "", 200, "\"k2\"", NULL}, {"GET /items?limit=2&page_token=0.1", "", 200, "\"k2\"", NULL}}},
    {"rows skipped between pages", "1", {{"GET /items?limit=2&page_token=0.1", "", 200, "\"k4\"", "\"k3\""}}},
    {"pages of different orders", "1", {{"GET /items?limit=2", "", 200, "\"k5\"", "\"k1\""}, {"GET /items?limit=2", "", 200, "\"k1\"", NULL}}},
    {"a page comes again", "1", {{"GET /items?limit=2&page_token=0.1", "", 200, "\"k1\"", "\"k3\""}}},
    {"a page is missing", "1", {{"GET /items?limit=2&page_token=0.1", "", 200, "\"k5\"", "\"k3\""}}},
    {"the cursor expires", "{\"value\": 410}", {{"GET /items?limit=2", "", 200, NULL, NULL}, {"GET /items?limit=2&page_token=0.1", "", 410, NULL, NULL}}},
    {"pages in a circle", "2", {{"GET /items?limit=2", "", 200, "0.1", NULL}, {"GET /items?limit=2&page_token=0.1", "", 200, "next_token\":\"0.1\"", NULL}}},
    {"drift between pages", "1", {{"GET /items?limit=2&page=1", "", 200, "\"k1\"", NULL}, {"GET /items?limit=2&page=2", "", 200, "\"k4\"", "\"k3\""}}},
    {"the token expires", "2", {{"POST /_peer/credentials {\"token\":\"t\"}", "", 200, NULL, NULL},
                                {"POST /_peer/knobs {\"credentials are needed\":true}", "", 200, NULL, NULL},
                                {ALL, "Authorization: Bearer t\r\n", 200, NULL, NULL},
                                {ALL, "Authorization: Bearer t\r\n", 401, NULL, NULL}}},
    {"webhooks", "true", {{EDIT, "", 200, NULL, NULL}, {"DELETE /items/2", "", 204, NULL, NULL},
                          {"GET /_peer/hooks", "", 200, "\"edited\\\"", NULL}, {"GET /_peer/hooks", "", 200, "\r\n[]", NULL}}},
    {"a webhook comes twice", "1", {{HOOKS, "", 200, NULL, NULL}, {EDIT, "", 200, NULL, NULL}, {"GET /_peer/hooks", "", 200, "},{\"X-Delivery\":\"6\"", NULL}}},
    {"webhooks in another order", "2", {{HOOKS, "", 200, NULL, NULL}, {EDIT, "", 200, NULL, NULL}, {EDIT, "", 200, NULL, NULL},
                                        {"GET /_peer/hooks", "", 200, "},{\"X-Delivery\":\"6\"", NULL}}},
    {"an old webhook comes again", "2", {{HOOKS, "", 200, NULL, NULL}, {EDIT, "", 200, NULL, NULL}, {EDIT, "", 200, NULL, NULL},
                                         {"GET /_peer/hooks", "", 200, "},{\"X-Delivery\":\"6\"", NULL}}},
    {"a webhook is forged", "1", {{HOOKS, "", 200, NULL, NULL}, {EDIT, "", 200, NULL, NULL}, {"GET /_peer/hooks", "", 200, "\"forged\"", NULL}}},
    {"a webhook is lost", "1", {{HOOKS, "", 200, NULL, NULL}, {EDIT, "", 200, NULL, NULL}, {"GET /_peer/hooks", "", 200, "\r\n[]", NULL}}},
    {"the token answer is lost", "1", {{TOKEN, "", 0, NULL, NULL}, {TOKEN, "", 400, "invalid_grant", NULL}}},
    {"the refresh token is revoked", "2", {{"POST /_peer/credentials {\"rotates\":false}", "", 200, NULL, NULL}, {TOKEN, "", 200, "access_token", NULL}, {TOKEN, "", 400, "invalid_grant", NULL}}},
};
/* clang-format on */

static bool step_holds(const struct peer_kit *k, const struct step *s)
{
    char method[8] = "", path[200] = "";
    int n = 0;
    struct buf out = {0};
    sscanf(s->request, "%7s %199s %n", method, path, &n);
    int status = peer_talk(k, method, path, s->headers, s->request + n, &out);
    const char *text = out.size ? strchr(out.data, '\n') : "";
    bool good = status == s->status && (!s->has || strstr(text, s->has)) && (!s->lacks || !strstr(text, s->lacks));
    if (!good)
        printf("  %s: %s\n", s->request, text);
    buf_fini(&out);
    return good;
}

static struct peer_kit peer_with_records(void)
{
    struct peer_kit k = peer_start("generic");
    char json[100];
    for (int i = 1; i <= 5; i++) {
        snprintf(json, sizeof json, "{\"title\":\"t%d\",\"external_id\":\"k%d\"}", i, i);
        peer_order(&k, "put", json);
    }
    peer_order(&k, "credentials", "{\"client_id\":\"desk\",\"refresh_token\":\"r0\"}");
    return k;
}

static void each_row(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct peer_kit k = peer_with_records();
        char json[200];
        bool good = true;
        snprintf(json, sizeof json, "{\"%s\": %s}", row->knob ? row->knob : "seed", row->knob ? row->value : "1");
        peer_order(&k, "knobs", json);
        for (int s = 0; s < STEPS && row->steps[s].request; s++)
            good = step_holds(&k, &row->steps[s]) && good;
        if (!good)
            printf("  row %zu: %s\n", i, row->knob ? row->knob : "no fault");
        CU_ASSERT_TRUE(good);
        peer_stop(&k);
    }
    check_cases(sizeof rows / sizeof *rows);
}

/* What is asked takes effect or not, as the value says, and nothing is heard of it. */
static void held(void)
{
    for (int value = 0; value < 2; value++) {
        struct peer_kit k = peer_with_records();
        char json[100], byte;
        snprintf(json, sizeof json, "{\"no answer comes\": {\"nth\": 1, \"value\": %d}}", value);
        peer_order(&k, "knobs", json);
        int fd = peer_say(&k, "POST", "/items", "", "{\"title\":\"x\"}");
        while (peer_count(&k, "struck", NULL) == 0)
            ;
        CU_ASSERT_EQUAL(peer_count(&k, "records", NULL), 6 - value);
        CU_ASSERT_TRUE(recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
        shutdown(fd, SHUT_WR);
        CU_ASSERT_EQUAL(recv(fd, &byte, 1, 0), 0);
        close(fd);
        peer_stop(&k);
    }
    check_cases(2);
}

/* A window is a second of the clock: soon one has had its 10. */
static void rate_limit(void)
{
    struct peer_kit k = peer_with_records();
    int good = 0, refused = 0;
    peer_order(&k, "knobs", "{\"requests a second\": 10}");
    for (int i = 0; i < 1000 && !refused; i++) {
        struct buf out = {0};
        int status = peer_talk(&k, "GET", "/items/1", "", "", &out);
        good += status == 200 && strstr(out.data, "x-ratelimit-remaining: ");
        refused += status == 429 && strstr(out.data, "Retry-After: 1") && strstr(out.data, "x-ratelimit-remaining: 0");
        buf_fini(&out);
    }
    CU_ASSERT_TRUE(good >= 10);
    CU_ASSERT_EQUAL(refused, 1);
    peer_stop(&k);
}

static int struck_by_chance(int seed)
{
    struct peer_kit k = peer_start("generic");
    char json[100];
    int which = 0;
    snprintf(json, sizeof json, "{\"seed\": %d, \"5xx\": {\"of_1000\": 500}}", seed);
    peer_order(&k, "knobs", json);
    for (int i = 0; i < 20; i++) {
        struct buf out = {0};
        which = which << 1 | (peer_ask(&k, "GET", "/items", "", &out) == 503);
        buf_fini(&out);
    }
    peer_stop(&k);
    return which;
}

static void by_chance(void)
{
    int first = struck_by_chance(7);
    CU_ASSERT_TRUE(first != 0 && first != 0xfffff);
    CU_ASSERT_EQUAL(struck_by_chance(7), first);
    CU_ASSERT_NOT_EQUAL(struck_by_chance(8), first);
}

#define ISSUES "/repos/acme/desk/issues"

#define AGENT "User-Agent: t\r\n"
#define STATES "POST /_peer/repository "

/* A profile with paths of its own. */
static void steps_hold(const char *profile, const struct step *steps, size_t n)
{
    struct peer_kit k = peer_start(profile);
    for (size_t i = 0; i < n; i++)
        CU_ASSERT_TRUE(step_holds(&k, &steps[i]));
    peer_stop(&k);
}

static void github(void)
{
    static const struct step steps[] = {
        {"GET " ISSUES, "", 403, "User-Agent", NULL},
        {"GET " ISSUES, AGENT "X-GitHub-Api-Version: 2020-01-01\r\n", 400, "API version", NULL},
        {"GET " ISSUES "/", AGENT, 404, NULL, NULL},
        {"POST " ISSUES " {\"title\":\"a\"}", AGENT, 201, "{\"number\":1,\"title\":\"a\",\"body\":null", "ETag"},
        {"POST " ISSUES " {\"title\":\"b\"}", AGENT "Idempotency-Key: x\r\n", 201, "\"number\":2", NULL},
        {"POST " ISSUES " {\"title\":\"b\"}", AGENT "Idempotency-Key: x\r\n", 201, "\"number\":3", NULL},
        {"GET " ISSUES "?per_page=2", AGENT, 200, "[{\"number\":3", "\"number\":1"},
        {"GET " ISSUES "?per_page=2", AGENT, 200, "/repositories/1/issues?per_page=2&after=0.1>; rel=\"next\"", NULL},
        {"GET /repositories/1/issues?per_page=2&page=2", AGENT, 200, "[{\"number\":1", "rel=\"next\""},
        {"GET " ISSUES "?page=11", AGENT, 422, "cursor", NULL},
        {"PATCH " ISSUES "/1 {\"state\":\"closed\"}", AGENT "If-Match: \"v9\"\r\n", 200, "\"completed\"", NULL},
        {"PATCH " ISSUES "/1 {\"state_reason\":\"duplicate\"}", AGENT, 200, "\"completed\"", "duplicate"},
        {"GET " ISSUES, AGENT, 200, NULL, "\"number\":1"},
        {"GET " ISSUES "?state=closed&since=2000-01-01T00:00:00Z", AGENT, 200, "\"number\":1", "\"number\":2"},
        {"GET " ISSUES "?state=all&sort=updated&direction=asc&per_page=2", AGENT, 200, "[{\"number\":2",
         "\"number\":1"},
        {"GET " ISSUES "?state=all&sort=updated&per_page=1", AGENT, 200, "[{\"number\":1", NULL},
        {"DELETE " ISSUES "/1", AGENT, 405, NULL, NULL},
        {"PUT " ISSUES "/1 {}", AGENT, 405, NULL, NULL},
        {"POST " ISSUES " [1]", AGENT, 400, "Body should be a JSON object", NULL},
        {"POST " ISSUES " {", AGENT, 400, "Problems parsing JSON", NULL},
        {"GET /search/issues?q=repo:acme/other%20x", AGENT, 422, NULL, NULL},
    };
    static const struct step noes[] = {
        {"POST " ISSUES " {\"title\":\"a\"}", AGENT, 201, NULL, NULL},
        {"POST " ISSUES "/1/comments {\"body\":\"c\"}", AGENT, 201, "\"id\":5000001", NULL},
        {"GET " ISSUES "/1", AGENT, 200, "\"comments\":1", NULL},
        {STATES "{\"push\":false}", "", 200, NULL, NULL},
        {"PATCH " ISSUES "/1 {\"labels\":[\"x\"]}", AGENT, 200, "\"labels\":[]", NULL},
        {STATES "{\"archived\":true}", "", 200, NULL, NULL},
        {"PATCH " ISSUES "/1 {\"title\":\"x\"}", AGENT, 403, "archived", NULL},
        {STATES "{\"archived\":false,\"issues\":false}", "", 200, NULL, NULL},
        {"GET " ISSUES "/1", AGENT, 410, "disabled", NULL},
        {STATES "{\"issues\":true,\"name\":\"acme/new\"}", "", 200, NULL, NULL},
        {"GET " ISSUES "/1", AGENT, 301, "/repositories/1/issues/1", NULL},
        {"GET /repos/acme/new/issues/1", AGENT, 200, "repos/acme/new", NULL},
        {STATES "{\"visible\":false,\"name\":false}", "", 200, NULL, NULL},
        {"GET " ISSUES "/1", AGENT, 404, NULL, NULL},
        {STATES "{\"visible\":true,\"core_limit\":1}", "", 200, NULL, NULL},
        {"GET " ISSUES "/1", AGENT, 403, "x-ratelimit-resource: core", NULL},
    };
    steps_hold("github", steps, sizeof steps / sizeof *steps);
    steps_hold("github", noes, sizeof noes / sizeof *noes);
}

/* By the host's own HMAC, which published vectors have tried. */
static void signed_hooks(void)
{
    struct peer_kit k = peer_start("generic");
    struct buf out = {0};
    struct arena a = {0};
    struct err e = {0};
    uint8_t mac[SIGN_MAX];
    char digits[2 * SIGN_MAX + 1];
    peer_order(&k, "credentials", "{\"webhook_secret\": \"s3\"}");
    peer_order(&k, "knobs", "{\"webhooks\": true, \"a webhook is forged\": 1}");
    peer_order(&k, "put", "{\"title\": \"x\"}");
    peer_ask(&k, "GET", "/_peer/hooks", "", &out);
    struct json_doc *doc = json_parse(out.data, out.size, NULL, &e);
    CU_ASSERT_EQUAL_FATAL(json_count(json_root(doc)), 2);
    for (const struct json *n = json_first(json_root(doc)); n; n = json_next(n)) {
        const char *body = json_text(json_get(n, "body"), NULL),
                   *given = json_text(json_get(n, "X-Signature-256"), NULL);
        size_t n_mac = sign_hmac(SL_HMAC_SHA256, "s3", 2, body, strlen(body), mac);
        hex_encode(mac, n_mac, digits);
        bool good = strcmp(given, arena_printf(&a, "sha256=%s", digits)) == 0;
        CU_ASSERT_EQUAL(good, n == json_first(json_root(doc)));
    }
    json_free(doc);
    arena_fini(&a);
    buf_fini(&out);
    peer_stop(&k);
}

static void told(struct buf *knobs, struct buf *readme)
{
    char command[4200], line[400];
    const char *build = getenv("BUILD");
    struct err e = {0};
    snprintf(command, sizeof command, "%s/tests/peers/peer --knobs", build ? build : "build");
    FILE *f = popen(command, "r");
    while (f && fgets(line, sizeof line, f))
        buf_text(knobs, line);
    CU_ASSERT_EQUAL(f ? pclose(f) : -1, 0);
    CU_ASSERT_EQUAL(file_read("tests/peers/README.md", 1 << 20, readme, &e), 0);
}

/* The table of the README is the program's, and each row of it has been seen at work above. */
static void none_untold_or_untried(void)
{
    struct buf knobs = {0}, readme = {0};
    size_t n = 0;
    told(&knobs, &readme);
    CU_ASSERT_TRUE(knobs.size > 0 && strstr(readme.data, knobs.data));
    for (char *line = strtok(knobs.data, "\n"); line; line = strtok(NULL, "\n")) {
        bool tried = strncmp(line, "| requests a second |", 21) == 0 || strncmp(line, "| no answer comes |", 19) == 0;
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            size_t size = rows[i].knob ? strlen(rows[i].knob) : 0;
            tried = tried || (size && strncmp(line + 2, rows[i].knob, size) == 0 && line[2 + size] == ' ' &&
                              line[3 + size] == '|');
        }
        if (!tried)
            printf("  no row tries %s\n", line);
        CU_ASSERT_TRUE(tried);
        n++;
    }
    printf("counts: %zu faults\n", n);
    buf_fini(&knobs);
    buf_fini(&readme);
}

static const struct check tests[] = {
    {"generic: calm, and struck by each fault", each_row},
    {"no answer comes, and the effect does or not", held},
    {"a rate limit refuses what is too much, and tells", rate_limit},
    {"by chance: the same for the same seed", by_chance},
    {"github: its paths, tags, limits and refusals", github},
    {"webhooks are signed, forged ones otherwise", signed_hooks},
    {"every fault is in the README and has been tried", none_untold_or_untried},
};

CHECK_MAIN("peers", tests)
