/* SPDX-License-Identifier: MIT */
/* test_github_talk.c - comments of issues on a simulated GitHub, and its webhooks: real deliveries, cut to what is read. */
#include "base/text.h"
#include "github_kit.h"
#include "net/sign.h"

/* --- comments --- */

static void written(void)
{
    struct rig r = rig_start();
    rig_create(&r, "t", "b");
    struct got before = kit_get(r.k, "issues", "1");
    struct write_outcome o = rig_comment(&r, "1", "It is back.");
    CU_ASSERT_EQUAL_FATAL(o.result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(o.record->parent_id, "1");
    CU_ASSERT_STRING_EQUAL(o.record->correlation, KEY);
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "body"), "It is back.");
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "author"), "octocat");
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "author_name"), "octocat");
    CU_ASSERT_EQUAL(record_field(o.record, "public")->number, 1);
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "attachments"), "[]");
    /* In the same second, too: an issue's version tells that a comment came. */
    CU_ASSERT_STRING_NOT_EQUAL(kit_get(r.k, "issues", "1").record->version, before.record->version);
    const char *id = arena_text(&r.k->a, o.record->id);
    struct sl_value body = rig_value(&r, "body", SL_STRING, "It is gone.");
    o = kit_do(r.k, "comments", rig_write(&r, SL_UPDATE, id, &body, 1));
    CU_ASSERT_EQUAL(o.result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(o.record->correlation, KEY);
    CU_ASSERT_STRING_EQUAL(kit_field(kit_get(r.k, "comments", id).record, "body"), "It is gone.");
    body = rig_value(&r, "body", SL_STRING, NULL);
    o = kit_do(r.k, "comments", rig_write(&r, SL_UPDATE, id, &body, 1));
    CU_ASSERT_EQUAL(o.error_class, SL_REJECTED);
    CU_ASSERT_TRUE(kit_says(o.message, "a comment cannot be without a text: give it one"));
    CU_ASSERT_EQUAL(kit_do(r.k, "comments", rig_write(&r, SL_DELETE, id, NULL, 0)).result, SL_APPLIED);
    CU_ASSERT_EQUAL(kit_get(r.k, "comments", id).kind, SL_ITEM_TOMBSTONE);
    CU_ASSERT_EQUAL(kit_do(r.k, "comments", rig_write(&r, SL_DELETE, id, NULL, 0)).error_class, SL_GONE);
    rig_stop(&r);
}

/* Those of one issue, all pages of them; a file dropped into the text is a link. */
static void listed(void)
{
    struct rig r = rig_start();
    rig_create(&r, "t", "b");
    rig_create(&r, "u", "b");
    for (int i = 0; i < 5; i++)
        peer_order(&r.peer, "comment", arena_printf(&r.k->a, "{\"issue\": 1, \"body\": \"c%d\"}", i));
    peer_order(&r.peer, "comment",
               "{\"issue\": 2, \"body\": \"see [log.txt](https://github.com/user-attachments/files/1/log.txt) and "
               "[this](https://acme.test/x)\"}");
    peer_order(&r.peer, "knobs", "{\"small pages\": 2}");
    CU_ASSERT_EQUAL(rig_pull_all(&r, "comments", NULL, "1"), SL_OK);
    CU_ASSERT_EQUAL(r.k->end.kind, SL_PAGE_COMPLETE);
    CU_ASSERT_PTR_NULL(r.k->end.cursor);
    CU_ASSERT_EQUAL_FATAL(r.k->n_got, 5);
    for (size_t i = 0; i < 5; i++) {
        CU_ASSERT_STRING_EQUAL(r.k->got[i].record->parent_id, "1");
        CU_ASSERT_STRING_EQUAL(kit_field(r.k->got[i].record, "author"), "ann-gh");
    }
    CU_ASSERT_STRING_EQUAL(kit_field(r.k->got[0].record, "body"), "c0"); /* oldest first */
    CU_ASSERT_EQUAL(rig_pull_all(&r, "comments", NULL, "2"), SL_OK);
    CU_ASSERT_STRING_EQUAL(kit_field(r.k->got[0].record, "attachments"),
                           "[{\"name\":\"log.txt\",\"url\":\"https://github.com/user-attachments/files/1/log.txt\"}]");
    CU_ASSERT_EQUAL(rig_pull_all(&r, "comments", NULL, NULL), SL_OK); /* without a parent: the whole repository's */
    CU_ASSERT_EQUAL(r.k->n_got, 6);
    rig_put(&r, "{\"number\": 1, \"pull_request\": {\"url\": \"x\"}}");
    CU_ASSERT_EQUAL(rig_pull_all(&r, "comments", NULL, NULL), SL_OK);
    CU_ASSERT_EQUAL(r.k->n_got, 1);
    rig_stop(&r);
}

static void of_no_issue(void)
{
    struct rig r = rig_start();
    rig_create(&r, "t", "b");
    CU_ASSERT_EQUAL(rig_pull(&r, "comments", NULL, "7"), SL_GONE);
    CU_ASSERT_EQUAL(rig_pull(&r, "comments", NULL, "x"), SL_GONE);
    CU_ASSERT_TRUE(kit_says(r.k->e.text, "listing comments: \"x\" is no number of an issue"));
    struct write_outcome o = rig_comment(&r, "7", "c");
    CU_ASSERT_EQUAL(o.error_class, SL_REJECTED);
    CU_ASSERT_TRUE(kit_says(o.message, "new comment on issue 7: Not Found"));
    o = rig_comment(&r, NULL, "c");
    CU_ASSERT_EQUAL(o.error_class, SL_REJECTED);
    CU_ASSERT_TRUE(kit_says(o.message, "it names no issue that it belongs to: one is created first"));
    rig_put(&r, "{\"number\": 1, \"locked\": true}");
    o = rig_comment(&r, "1", "c");
    CU_ASSERT_EQUAL(o.error_class, SL_REJECTED);
    CU_ASSERT_TRUE(
        kit_says(o.message, "new comment on issue 1: Unable to create comment because issue is locked.; unlock"));
    peer_order(&r.peer, "delete", "{\"number\": 1}");
    CU_ASSERT_EQUAL(rig_pull(&r, "comments", NULL, "1"), SL_GONE);
    rig_stop(&r);
}

/* I19: fifty, one after the other, some of whose replies are lost: each is found by its key, none is doubled. */
static void in_order(void)
{
    enum { N = 50 };
    struct rig r = rig_start();
    struct sl_value body[N];
    struct sl_write w[N];
    struct write_outcome o[N];
    rig_create(&r, "t", "b");
    peer_order(&r.peer, "knobs", "{\"the reply is lost\": {\"of_1000\": 200}, \"seed\": 3}");
    for (int i = 0; i < N; i++) {
        body[i] = rig_value(&r, "body", SL_STRING, arena_printf(&r.k->a, "c%d", i));
        w[i] = rig_write(&r, SL_CREATE, NULL, &body[i], 1);
        w[i].correlation = arena_printf(&r.k->a, "%032x", i);
        w[i].parent_id = "1";
    }
    kit_write(r.k, "comments", w, N, o);
    peer_order(&r.peer, "calm", "{}");
    int lost = 0;
    for (int i = 0; i < N; i++) {
        lost += o[i].result == SL_UNCERTAIN;
        CU_ASSERT_EQUAL(rig_find(&r, "comments", w[i].correlation, "1"), SL_OK);
        CU_ASSERT_EQUAL(r.k->n_got, 1);
        CU_ASSERT_STRING_EQUAL(kit_field(r.k->got[0].record, "body"), body[i].text);
    }
    CU_ASSERT_TRUE(lost > 0);
    CU_ASSERT_EQUAL(rig_pull_all(&r, "comments", NULL, "1"), SL_OK);
    CU_ASSERT_EQUAL_FATAL(r.k->n_got, N);
    for (size_t i = 0; i < N; i++)
        CU_ASSERT_STRING_EQUAL(kit_field(r.k->got[i].record, "body"), body[i].text);
    CU_ASSERT_EQUAL(rig_find(&r, "comments", w[7].correlation, NULL), SL_OK); /* also where the issue is not told */
    CU_ASSERT_EQUAL(r.k->n_got, 1);
    rig_stop(&r);
}

/* --- webhooks --- */

/* Deliveries as GitHub recorded them (@octokit/webhooks-examples, MIT), cut to the members that are read and a few more. */
#define REPOSITORY "\"repository\":{\"id\":186853002,\"name\":\"Hello-World\",\"full_name\":\"Codertocat/Hello-World\"}"
#define ISSUE                                                                                                          \
    "\"issue\":{\"url\":\"https://api.github.com/repos/Codertocat/Hello-World/issues/1\",\"id\":444500041,"            \
    "\"number\":1,\"title\":\"Spelling error in the README file\",\"state\":\"open\",\"comments\":0,"                  \
    "\"updated_at\":\"2019-05-15T15:20:21Z\"}"
#define COMMENT "\"comment\":{\"id\":492700400,\"body\":\"You are totally right!\"}"

static const struct delivery {
    const char *event, *body;
    int n_hints;
} deliveries[] = {
    {"issues", "{\"action\":\"edited\"," ISSUE ",\"changes\":{}," REPOSITORY "}", 1},
    {"issues", "{\"action\":\"deleted\"," ISSUE "," REPOSITORY "}", 1},
    {"issues", "{\"action\":\"transferred\"," ISSUE ",\"changes\":{\"new_issue\":{\"number\":2}}," REPOSITORY "}", 1},
    {"issue_comment", "{\"action\":\"created\"," ISSUE "," COMMENT "," REPOSITORY "}", 2},
    {"issue_comment", "{\"action\":\"deleted\"," ISSUE "," COMMENT "," REPOSITORY "}", 2},
    {"issue_comment",
     "{\"action\":\"created\",\"issue\":{\"number\":2,\"pull_request\":{\"url\":\"x\"}}," COMMENT "," REPOSITORY "}",
     0},
    {"label", "{\"action\":\"created\",\"label\":{\"name\":\"bug\"}," REPOSITORY "}", 0},
    {"ping", "{\"zen\":\"Keep it logically awesome.\",\"hook_id\":109948940," REPOSITORY "}", 0},
    {"issues", "{\"action\":\"opened\"," ISSUE ",\"repository\":{\"full_name\":\"Codertocat/Other\"}}", 0},
    {"issues", "{\"action\":\"opened\"," ISSUE "}", 0},
};

static const char *signature_of(struct rig *r, const char *secret, const char *body)
{
    uint8_t mac[SIGN_MAX];
    char digits[2 * SIGN_MAX + 1];
    size_t n = sign_hmac(SL_HMAC_SHA256, secret, strlen(secret), body, strlen(body), mac);
    hex_encode(mac, n, digits);
    return arena_printf(&r->k->a, "sha256=%s", digits);
}

static int deliver(struct rig *r, const char *event, const char *signature, const char *body)
{
    struct sl_header headers[] = {{"x-github-event", event}, {"x-hub-signature-256", signature}};
    struct sl_hook hook = {.size = sizeof hook,
                           .n_headers = signature ? 2 : 1,
                           .header_size = sizeof *headers,
                           .headers = headers,
                           .body = body,
                           .body_bytes = strlen(body)};
    return session_webhook(r->k->s, &hook, kit_sink(r->k), &r->k->e);
}

#define SECRET "It's a Secret to Everybody"

static void hinted(void)
{
    struct rig r = rig_start();
    CU_ASSERT_EQUAL(rig_open_as(&r, "codertocat", "hello-world"), SL_OK);
    for (size_t i = 0; i < sizeof deliveries / sizeof *deliveries; i++) {
        const struct delivery *d = &deliveries[i];
        CU_ASSERT_EQUAL(deliver(&r, d->event, signature_of(&r, SECRET, d->body), d->body), SL_OK);
        CU_ASSERT_EQUAL_FATAL(r.k->n_got, (size_t)d->n_hints);
        for (size_t n = 0; n < r.k->n_got; n++) {
            CU_ASSERT_EQUAL(r.k->got[n].kind, SL_ITEM_HINT);
            CU_ASSERT_STRING_EQUAL(r.k->got[n].id, n ? "492700400" : "1");
        }
    }
    rig_stop(&r);
}

static void forged(void)
{
    struct rig r = rig_start();
    const char *body = deliveries[0].body, *right = signature_of(&r, SECRET, body);
    const char *cut = arena_printf(&r.k->a, "%.*s", (int)strlen(right) - 2, right);
    const char *upper = arena_printf(&r.k->a, "SHA256=%s", right + 7);
    const char *const bad[] = {
        NULL, "", "sha256=", signature_of(&r, "a guess", body), cut, upper, signature_of(&r, SECRET, "another body")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CU_ASSERT_EQUAL(deliver(&r, "issues", bad[i], body), SL_AUTH);
        CU_ASSERT_TRUE(
            kit_says(r.k->e.text, "a webhook is not signed with webhook_secret: it is forged, or the secret"));
        CU_ASSERT_PTR_NULL(strstr(r.k->e.text, SECRET));
    }
    const char *form = "payload=%7B%7D";
    CU_ASSERT_EQUAL(deliver(&r, "issues", signature_of(&r, SECRET, form), form), SL_REJECTED);
    CU_ASSERT_TRUE(kit_says(r.k->e.text, "a webhook's body is no JSON: set its content type to application/json"));
    rig_stop(&r);
}

/* One digit of a signature another, in whatever spelling, or one bit of the body: it is nobody's. */
static void flipped(void)
{
    struct rig r = rig_start();
    const char *body = deliveries[0].body, *right = signature_of(&r, SECRET, body);
    size_t n = strlen(right), n_body = strlen(body);
    char *text = arena_text(&r.k->a, right), *other = arena_text(&r.k->a, body);
    uint64_t cases = 0;
    CU_ASSERT_EQUAL(deliver(&r, "issues", text, other), SL_OK);
    for (size_t i = 0; i < n; i++)
        for (int c = 1; c < 256; c++) {
            text[i] = (char)c;
            if (right[i] != (char)c)
                CU_ASSERT_EQUAL(deliver(&r, "issues", text, other), SL_AUTH);
            text[i] = right[i];
            cases++;
        }
    for (size_t bit = 0; bit < 8 * n_body; bit++) {
        other[bit / 8] ^= (char)(1 << bit % 8);
        if (other[bit / 8])
            CU_ASSERT_EQUAL(deliver(&r, "issues", text, other), SL_AUTH);
        other[bit / 8] = body[bit / 8];
        cases++;
    }
    CU_ASSERT_EQUAL(deliver(&r, "issues", arena_printf(&r.k->a, "%s ", right), body), SL_AUTH);
    CU_ASSERT_EQUAL(deliver(&r, "issues", right, body), SL_OK);
    check_cases(cases);
    rig_stop(&r);
}

static const struct check tests[] = {
    {"comments are written, changed and taken away", written},
    {"an issue's comments are listed, oldest first, with their files", listed},
    {"comments of an issue that is not there, or locked", of_no_issue},
    {"I19 fifty comments with lost replies: each once and in order", in_order},
    {"a webhook hints at its issue and its comment, and at nothing else", hinted},
    {"a forged webhook is refused", forged},
    {"no bit of a signed webhook may be another, and a signature has one spelling", flipped},
};

CHECK_MAIN("github talk", tests)
