/* SPDX-License-Identifier: MIT */
/* test_session_http.c - a connector's requests: its server and credentials put in by the host, which it never sees, and what it may not ask. */
#include "plugin/web.h"
#include "scripted.h"
#include "wire_peer.h"

static struct wire_peer peer;
static char base[100];

static const struct sl_option options[] = {
    {.name = "base_url", .kind = SL_OPT_URL},       {.name = "user", .kind = SL_OPT_STRING},
    {.name = "token", .kind = SL_OPT_SECRET},       {.name = "auth", .kind = SL_OPT_AUTH},
    {.name = "hook_secret", .kind = SL_OPT_SECRET},
};
static const char *const auths[] = {"{\"type\": \"basic\", \"user\": \"{user}\", \"password\": \"{token}\"}",
                                    "{\"type\": \"bearer\", \"token\": \"{token}\"}"};
static const struct sl_http_rules rules = {.size = sizeof rules, .n_auths = 2, .auths = auths};

/* What open was given, and what the last request was answered. */
static char given[1000];
static struct sl_http_request request;
static int answered;
static struct sl_http_response got;
static char got_body[4000], got_message[400];

static int remember(const struct sl_host *h, const struct sl_settings *settings, void **session)
{
    host = h;
    *session = &script;
    given[0] = '\0';
    for (uint32_t i = 0; i < settings->n_values; i++)
        snprintf(given + strlen(given), sizeof given - strlen(given), "%s=%s ", settings->values[i].name,
                 settings->values[i].text);
    return SL_OK;
}

static void ask(void)
{
    const struct sl_http_response *r = NULL;
    answered = host->http(host->ctx, &request, &r);
    got = answered == SL_OK ? *r : (struct sl_http_response){0};
    snprintf(got_body, sizeof got_body, "%s", got.body ? got.body : "");
    snprintf(got_message, sizeof got_message, "%s", got.message ? got.message : "");
}

static struct sl_value text(const char *name, const char *value)
{
    return (struct sl_value){.name = name, .type = SL_STRING, .text = value, .text_size = strlen(value)};
}

/* Opens with these settings, makes one request in a check, and closes. */
static int go(const struct sl_value *settings, uint32_t n, struct sl_http_request what, struct err *e)
{
    struct sl_plugin plugin = scripted;
    struct session *s = NULL;
    plugin.needs = SL_NEED_HTTP | SL_NEED_SIGNATURE;
    plugin.options = options;
    plugin.n_options = sizeof options / sizeof *options;
    plugin.option_size = sizeof *options;
    plugin.http = &rules;
    plugin.open = remember;
    wire_forget(&peer);
    request = what;
    request.size = sizeof request;
    request.header_size = sizeof(struct sl_header);
    script = (struct script){.act = ask};
    CU_ASSERT_EQUAL(session_open(&plugin, "desk", settings, n, NULL, &s, e), SL_OK);
    int rc = session_check(s, e);
    CU_ASSERT_EQUAL(session_calls(s), answered == SL_OK ? (uint64_t)peer.seen->requests : 0);
    session_close(s);
    return rc;
}

static const struct sl_http_request echo = {.method = "GET", .url = "/echo"};

static void credentials_of_the_rules(void)
{
    struct err e = {0};
    struct sl_value both[] = {text("base_url", base), text("user", "ann"), text("token", "canary\"1")};
    struct sl_value token[] = {text("base_url", base), text("token", "canary\"1")};
    CU_ASSERT_EQUAL(go(both, 3, echo, &e), SL_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(got_body, "Authorization: Basic YW5uOmNhbmFyeSIx")); /* ann:canary"1 */
    CU_ASSERT_EQUAL(go(token, 2, echo, &e), SL_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(got_body, "Authorization: Bearer canary\"1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got_body, "User-Agent: syncline\r\n"));
    CU_ASSERT_EQUAL(go(token, 1, echo, &e), SL_OK);
    CU_ASSERT_EQUAL(peer.seen->with_credentials, 0);
}

static void credentials_of_the_config(void)
{
    struct err e = {0};
    struct sl_value own[] = {text("base_url", base), text("token", "canary-1"),
                             text("auth", "{\"type\": \"api_key\", \"name\": \"X-Key\", \"value\": \"canary-2\"}")};
    CU_ASSERT_EQUAL(go(own, 3, echo, &e), SL_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(got_body, "X-Key: canary-2"));
    CU_ASSERT_PTR_NULL(strstr(got_body, "canary-1"));
    struct sl_value query[] = {
        text("base_url", base),
        text("auth", "{\"type\": \"api_key\", \"name\": \"key\", \"value\": \"a&b\", \"in\": \"query\"}")};
    CU_ASSERT_EQUAL(go(query, 2, echo, &e), SL_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(got_body, "GET /echo?key=a%26b HTTP"));
}

static void nothing_secret_is_given(void)
{
    struct err e = {0};
    struct sl_value all[] = {text("base_url", base), text("user", "ann"), text("token", "canary-1"),
                             text("auth", "{\"type\": \"bearer\", \"token\": \"canary-2\"}")};
    CU_ASSERT_EQUAL(go(all, 4, echo, &e), SL_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(given, "user=ann"));
    CU_ASSERT_PTR_NULL(strstr(given, "canary"));
}

static void faults_of_the_config(void)
{
    struct err e = {0};
    struct sl_value none[] = {text("user", "ann")};
    CU_ASSERT_EQUAL(go(none, 1, echo, &e), SL_BROKEN);
    CU_ASSERT_STRING_EQUAL(e.text, "desk: connector scripted does not know its server; set base_url");
    static const struct {
        const char *auth, *says;
    } bad[] = {
        {"[]", "desk: auth: it is no JSON object; give {\"type\": ...}"},
        {"{}", "desk: auth: type (missing) is not known; use none, basic,"},
        {"{\"type\": \"magic\"}", "desk: auth: type magic is not known; use none, basic,"},
        {"{\"type\": \"bearer\"}", "desk: auth: bearer needs the text token"},
        {"{\"type\": \"bearer\", \"token\": \"canary\", \"tokne\": 1}", "desk: auth: bearer has no member tokne"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sl_value all[] = {text("base_url", base), text("auth", bad[i].auth)};
        err_clear(&e);
        CU_ASSERT_EQUAL(go(all, 2, echo, &e), SL_BROKEN);
        CU_ASSERT_EQUAL(strncmp(e.text, bad[i].says, strlen(bad[i].says)), 0);
        CU_ASSERT_PTR_NULL(strstr(e.text, "canary"));
        CU_ASSERT_EQUAL(e.code, ERR_CONFIG);
    }
}

static void requests_refused(void)
{
    static const struct sl_header split[] = {{"X", "a\r\nAuthorization: mine"}};
    static const struct sl_header named[] = {{"X: y\r\nZ", "a"}};
    static const struct sl_http_request bad[] = {
        {.method = "get", .url = "/x"},
        {.method = "GET /y", .url = "/x"},
        {.method = "GET", .url = "/x HTTP/1.1\r\nX: y"},
        {.method = "GET"},
        {.method = "POST", .url = "/x", .body_bytes = 7},
        {.method = "GET", .url = "/x", .headers = split, .n_headers = 1},
        {.method = "GET", .url = "/x", .headers = named, .n_headers = 1},
        {.method = "POST", .url = "/x", .idempotency_key = "a\nb"},
    };
    struct sl_value all[] = {text("base_url", base)};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = {0};
        CU_ASSERT_EQUAL(go(all, 1, bad[i], &e), SL_BROKEN);
        CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "an http request is refused: "));
        CU_ASSERT_EQUAL(peer.seen->requests, 0);
    }
}

static void none_of_many(void)
{
    const struct sl_http_response *r = NULL;
    uint32_t apart = 0;
    answered = host->http_many(host->ctx, NULL, 3, sizeof(struct sl_http_request), &r, &apart);
}

static void batches_refused(void)
{
    struct sl_plugin plugin = scripted;
    struct session *s = NULL;
    struct err e = {0};
    struct sl_value all[] = {text("base_url", base)};
    plugin.needs = SL_NEED_HTTP;
    plugin.http = &rules;
    plugin.open = remember;
    script = (struct script){.act = none_of_many};
    CU_ASSERT_EQUAL(session_open(&plugin, "desk", all, 1, NULL, &s, &e), SL_OK);
    CU_ASSERT_EQUAL(session_check(s, &e), SL_BROKEN);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "http_many was given 3 requests, "));
    session_close(s);
}

/* GitHub's published example. */
static void check_hook(void)
{
    static const uint8_t right[] = {0x75, 0x71, 0x07, 0xea, 0x0e, 0xb2, 0x50, 0x9f, 0xc2, 0x11, 0x22,
                                    0x1c, 0xce, 0x98, 0x4b, 0x8a, 0x37, 0x57, 0x0b, 0x6d, 0x75, 0x86,
                                    0xc2, 0x2c, 0x46, 0xf4, 0x37, 0x9c, 0x8b, 0x04, 0x3e, 0x17};
    const char *body = "Hello, World!";
    uint8_t wrong[sizeof right];
    const size_t n = strlen(body), n_right = sizeof right;
    CU_ASSERT_EQUAL(host->check_signature(host->ctx, SL_HMAC_SHA256, "hook_secret", body, n, right, n_right), 1);
    for (size_t bit = 0; bit < 8 * n_right; bit++) {
        memcpy(wrong, right, n_right);
        wrong[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_EQUAL(host->check_signature(host->ctx, SL_HMAC_SHA256, "hook_secret", body, n, wrong, n_right), 0);
    }
    CU_ASSERT_EQUAL(host->check_signature(host->ctx, SL_HMAC_SHA256, "hook_secret", body, n - 1, right, n_right), 0);
    CU_ASSERT_EQUAL(host->check_signature(host->ctx, SL_HMAC_SHA256, "hook_secret", body, n, right, n_right - 1), 0);
    CU_ASSERT_EQUAL(host->check_signature(host->ctx, SL_HMAC_SHA1, "hook_secret", body, n, right, n_right), 0);
    CU_ASSERT_EQUAL(host->check_signature(host->ctx, 99, "hook_secret", body, n, "", 0), 0);
    CU_ASSERT_EQUAL(host->check_signature(host->ctx, SL_HMAC_SHA256, "token", body, n, right, n_right), 0);
}

static void signatures(void)
{
    struct sl_plugin plugin = scripted;
    struct session *s = NULL;
    struct err e = {0};
    struct sl_value all[] = {text("hook_secret", "It's a Secret to Everybody")};
    plugin.needs = SL_NEED_SIGNATURE;
    CU_ASSERT_EQUAL(session_open(&plugin, "desk", all, 1, NULL, &s, &e), SL_OK);
    script = (struct script){.act = check_hook};
    CU_ASSERT_EQUAL(session_check(s, &e), SL_OK);
    session_close(s);
}

static void filling_in(void)
{
    struct arena a = {0};
    struct sl_value all[] = {text("sub_domain", "a/b"), text("quote", "x\"y"), text("empty", "")};
    CU_ASSERT_STRING_EQUAL(web_fill("https://{sub_domain}.test/{}/{ no }", all, 3, false, &a),
                           "https://a%2Fb.test/{}/{ no }");
    CU_ASSERT_STRING_EQUAL(web_fill("{\"a\": \"{quote}\"}", all, 3, true, &a), "{\"a\": \"x\\\"y\"}");
    CU_ASSERT_PTR_NULL(web_fill("{missing}", all, 3, true, &a));
    CU_ASSERT_PTR_NULL(web_fill("{empty}", all, 3, true, &a));
    CU_ASSERT_STRING_EQUAL(web_fill("", all, 3, true, &a), "");
    arena_fini(&a);
}

static const struct check tests[] = {
    {"credentials as the connector's rules say, by the options that are set", credentials_of_the_rules},
    {"credentials as the config says come first", credentials_of_the_config},
    {"a connector whose requests the host makes is given no secret", nothing_secret_is_given},
    {"a server or credentials that are not there: a sentence without a secret", faults_of_the_config},
    {"requests that would smuggle something are refused", requests_refused},
    {"a batch of requests that is none is refused", batches_refused},
    {"signatures: the published one, and each of its bits turned", signatures},
    {"texts of the rules with settings put in", filling_in},
};

int main(void)
{
    peer = wire_start();
    snprintf(base, sizeof base, "http://127.0.0.1:%d", peer.port);
    int rc = check_run("session http", tests, sizeof tests / sizeof *tests);
    wire_stop(&peer);
    return rc;
}
