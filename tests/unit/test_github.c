/* SPDX-License-Identifier: MIT */
/* test_github.c - issues on a simulated GitHub: listed, read, created, changed, found again, with every trap of its API. */
#include "github_kit.h"

#define HOME "/repos/acme/desk/issues"

static const struct sl_value *field(const struct sl_record *r, const char *name)
{
    const struct sl_value *v = r ? record_field(r, name) : NULL;
    static const struct sl_value none = {.type = SL_ABSENT};
    return v ? v : &none;
}

static void described(void)
{
    struct rig r = rig_start();
    struct object_info *all = NULL;
    CU_ASSERT_EQUAL(session_check(r.k->s, &r.k->e), SL_OK);
    CU_ASSERT_EQUAL_FATAL(session_describe(r.k->s, NULL, &r.k->a, &all, &r.k->e), SL_OK);
    CU_ASSERT_STRING_EQUAL(all->object.name, "issues");
    CU_ASSERT_STRING_EQUAL(all->object.model, "ticket");
    CU_ASSERT_EQUAL(all->object.caps & (SL_CAP_DELETE | SL_CAP_CONDITIONAL | SL_CAP_IDEMPOTENT), 0);
    CU_ASSERT_STRING_EQUAL(all->next->object.name, "comments");
    CU_ASSERT_STRING_EQUAL(all->next->object.parent_object, "issues");
    CU_ASSERT_EQUAL(session_describe(r.k->s, "labels", &r.k->a, &all, &r.k->e), SL_CONFIG);
    CU_ASSERT_TRUE(kit_says(r.k->e.text, "there is no object labels on GitHub; name issues or comments"));
    rig_stop(&r);
}

static void settings(void)
{
    static const struct {
        const char *owner, *repo;
    } bad[] = {{"https://github.com/acme", "desk"}, {"acme", "acme/desk"}, {"acme", ""}};
    struct rig r = rig_start();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CU_ASSERT_EQUAL(rig_open_as(&r, bad[i].owner, bad[i].repo), SL_CONFIG);
        CU_ASSERT_TRUE(kit_says(r.k->e.text, "owner and repo are names as in the address github.com/OWNER/REPO"));
    }
    struct sl_value wrong[] = {value_string("owner", "acme"),
                               value_string("repo", "desk"),
                               {.name = "write_pause_ms", .type = SL_INT, .number = 3600000}};
    CU_ASSERT_EQUAL(kit_open_in(r.k, "github", wrong, 3, NULL), SL_CONFIG);
    CU_ASSERT_TRUE(kit_says(r.k->e.text, "write_pause_ms: milliseconds between two writes, from 0 to 60000"));
    wrong[2] = (struct sl_value){.name = "late_s", .type = SL_INT, .number = -1};
    CU_ASSERT_EQUAL(kit_open_in(r.k, "github", wrong, 3, NULL), SL_CONFIG);
    CU_ASSERT_TRUE(kit_says(r.k->e.text, "late_s: seconds that a request may still take effect, from 0 to 3600"));
    rig_stop(&r);
}

static void created(void)
{
    struct rig r = rig_start();
    struct sl_value fields[] = {
        rig_value(&r, "title", SL_STRING, "Login loops"),
        rig_value(&r, "body", SL_STRING, "It loops.\nAlways."),
        rig_value(&r, "labels", SL_SET, "[\"bug\",\"a/b\"]"),
        rig_value(&r, "assignee", SL_REF, "users:ann-gh"),
        rig_value(&r, "status", SL_ENUM, "open"),
        rig_value(&r, "type", SL_ENUM, "bug"),
    };
    struct write_outcome o = kit_do(r.k, "issues", rig_write(&r, SL_CREATE, NULL, fields, 6));
    CU_ASSERT_EQUAL_FATAL(o.result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(o.record->id, "1");
    CU_ASSERT_STRING_EQUAL(o.record->correlation, KEY);
    CU_ASSERT_STRING_EQUAL(o.record->label, "Login loops");
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "body"), "It loops.\nAlways.");
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "status"), "open");
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "type"), "bug");
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "assignee"), "ann-gh");
    CU_ASSERT_STRING_EQUAL(field(o.record, "assignee")->object, "users");
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "reporter"), "octocat");
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "url"), "https://github.test/acme/desk/issues/1");
    CU_ASSERT_EQUAL(field(o.record, "labels")->n_items, 2);
    CU_ASSERT_EQUAL(field(o.record, "closed_at")->type, SL_NULL);
    CU_ASSERT_EQUAL(field(o.record, "created_at")->grain_ms, 1000);
    CU_ASSERT_PTR_NOT_NULL(strstr(rig_stored(&r, HOME "/1"), "It loops.\\nAlways.\\n\\n" MARK "\""));
    struct got got = kit_get(r.k, "issues", "1");
    CU_ASSERT_EQUAL_FATAL(got.kind, SL_ITEM_RECORD);
    CU_ASSERT_STRING_EQUAL(got.record->version, o.record->version);
    rig_stop(&r);
}

/* None, an empty one and a text are three things; what people do to the text leaves the key or takes it with them. */
static void bodies(void)
{
    static const struct {
        const char *stored, *body; /* NULL: none */
        bool key;
    } rows[] = {
        {"null", NULL, false},
        {"\"\"", "", false},
        {"\"" MARK "\"", NULL, true},
        {"\"\\n\\n" MARK "\"", "", true},
        {"\"a\\n\\n" MARK "\"", "a", true},
        {"\"a\\n\\n\\n" MARK "\\n\"", "a\n", true},
        {"\"a\\r\\nb\\r\\n\\r\\n" MARK "\\r\\n\"", "a\r\nb", true},
        {"\"a\\n" MARK "\"", "a", true},
        {"\"a\\n\\n" MARK "\\n\\nmore\"", "a\n\nmore", true},
        {"\"> a\\n> " MARK "\"", "> a\n> " MARK, false},
        {"\"a " MARK "\"", "a " MARK, false},
        {"\"<!-- syncline:0123 -->\"", "<!-- syncline:0123 -->", false},
        {"\"" MARK " b\"", MARK " b", false},
    };
    struct rig r = rig_start();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char id[8];
        snprintf(id, sizeof id, "%zu", i + 1);
        rig_put(&r, arena_printf(&r.k->a, "{\"title\": \"t\", \"body\": %s}", rows[i].stored));
        struct got got = kit_get(r.k, "issues", id);
        CU_ASSERT_EQUAL_FATAL(got.kind, SL_ITEM_RECORD);
        const struct sl_value *body = field(got.record, "body");
        CU_ASSERT_EQUAL(body->type, rows[i].body ? SL_STRING : SL_NULL);
        if (rows[i].body && body->type == SL_STRING)
            CU_ASSERT_STRING_EQUAL(body->text, rows[i].body);
        CU_ASSERT_EQUAL(got.record->correlation != NULL, rows[i].key);
    }
    rig_stop(&r);
}

static void body_round_trips(void)
{
    static const char *const bodies[] = {
        NULL, "", "a", "a\n", "\na", "a\n\n\n", MARK, "x\n\n" MARK, "é\xE2\x82\xAC \"q\" \\"};
    struct rig r = rig_start();
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct write_outcome o = rig_create(&r, "t", bodies[i]);
        CU_ASSERT_EQUAL_FATAL(o.result, SL_APPLIED);
        const struct sl_value *body = field(o.record, "body");
        CU_ASSERT_EQUAL(body->type, bodies[i] ? SL_STRING : SL_NULL);
        if (bodies[i] && body->type == SL_STRING)
            CU_ASSERT_STRING_EQUAL(body->text, bodies[i]);
        CU_ASSERT_STRING_EQUAL(o.record->correlation, KEY);
    }
    rig_stop(&r);
}

/* I33: the key stays when the body is changed, also where this session has not read it. */
static void keys_stay(void)
{
    struct rig r = rig_start();
    struct write_outcome o = rig_create(&r, "t", "old");
    CU_ASSERT_EQUAL(rig_open_as(&r, "acme", "desk"), SL_OK);
    o = rig_set(&r, "1", "body", SL_STRING, "new");
    CU_ASSERT_EQUAL_FATAL(o.result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "body"), "new");
    CU_ASSERT_PTR_NOT_NULL(strstr(rig_stored(&r, HOME "/1"), "\"new\\n\\n" MARK "\""));
    int64_t before = peer_count(&r.peer, "requests", NULL);
    o = rig_set(&r, "1", "body", SL_STRING, NULL);
    CU_ASSERT_EQUAL(field(o.record, "body")->type, SL_NULL);
    CU_ASSERT_STRING_EQUAL(o.record->correlation, KEY);
    CU_ASSERT_EQUAL(peer_count(&r.peer, "requests", NULL), before + 1); /* it is known by now */
    rig_put(&r, "{\"title\": \"theirs\", \"body\": \"x\"}");
    o = rig_set(&r, "2", "body", SL_STRING, "y");
    CU_ASSERT_PTR_NOT_NULL(strstr(rig_stored(&r, HOME "/2"), "\"body\":\"y\""));
    rig_stop(&r);
}

static void changed(void)
{
    struct rig r = rig_start();
    peer_order(&r.peer, "milestone", "{\"title\": \"1.0\"}");
    rig_create(&r, "t", "b");
    struct write_outcome o = rig_set(&r, "1", "labels", SL_SET, "[\"x\"]");
    CU_ASSERT_EQUAL(field(o.record, "labels")->n_items, 1);
    o = rig_set(&r, "1", "labels", SL_SET, NULL);
    CU_ASSERT_EQUAL(field(o.record, "labels")->n_items, 0);
    o = rig_set(&r, "1", "milestone", SL_STRING, "1.0");
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "milestone"), "1.0");
    o = rig_set(&r, "1", "milestone", SL_STRING, NULL);
    CU_ASSERT_EQUAL(field(o.record, "milestone")->type, SL_NULL);
    o = rig_set(&r, "1", "assignee", SL_REF, "users:bo-gh");
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "assignee_name"), "bo-gh");
    o = rig_set(&r, "1", "assignee", SL_REF, NULL);
    CU_ASSERT_EQUAL(field(o.record, "assignee")->type, SL_NULL);
    o = rig_set(&r, "1", "status", SL_ENUM, "closed");
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "state_reason"), "completed");
    CU_ASSERT_EQUAL(field(o.record, "closed_at")->type, SL_TIMESTAMP);
    o = rig_set(&r, "1", "state_reason", SL_ENUM,
                "duplicate"); /* taken only where the state changes: the answer tells */
    CU_ASSERT_EQUAL(o.result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "state_reason"), "completed");
    o = rig_set(&r, "1", "status", SL_ENUM, "open");
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "state_reason"), "reopened");
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "body"), "b");
    rig_stop(&r);
}

/* A new issue is open: it is closed in a second step, and if that step is lost, it is no whole create. */
static void created_closed(void)
{
    struct rig r = rig_start();
    struct sl_value fields[] = {rig_value(&r, "title", SL_STRING, "t"), rig_value(&r, "status", SL_ENUM, "closed"),
                                rig_value(&r, "state_reason", SL_ENUM, "not_planned")};
    struct write_outcome o = kit_do(r.k, "issues", rig_write(&r, SL_CREATE, NULL, fields, 3));
    CU_ASSERT_EQUAL_FATAL(o.result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "state_reason"), "not_planned");
    peer_order(&r.peer, "knobs", "{\"the reply is lost\": 2}");
    o = kit_do(r.k, "issues", rig_write(&r, SL_CREATE, NULL, fields, 3));
    CU_ASSERT_EQUAL(o.result, SL_UNCERTAIN);
    CU_ASSERT_TRUE(kit_says(o.message, "was created as 2 and not closed yet: it is looked up, and then closed"));
    rig_stop(&r);
}

/* Closed, and not listed any more until somebody opens it again; without its lines the body is what it was. */
static void put_away(void)
{
    static const char *const bodies[] = {NULL, "b\n"};
    struct rig r = rig_start();
    for (int i = 0; i < 2; i++) {
        const char *id = i ? "2" : "1";
        rig_create(&r, "t", bodies[i]);
        struct write_outcome o = kit_do(r.k, "issues", rig_write(&r, SL_ARCHIVE, id, NULL, 0));
        CU_ASSERT_EQUAL_FATAL(o.result, SL_APPLIED);
        CU_ASSERT_STRING_EQUAL(kit_field(o.record, "state_reason"), "not_planned");
        CU_ASSERT_STRING_EQUAL(kit_field(o.record, "body"), bodies[i] ? bodies[i] : "");
        CU_ASSERT_EQUAL(kit_get(r.k, "issues", id).kind, SL_ITEM_TOMBSTONE);
        CU_ASSERT_EQUAL(kit_do(r.k, "issues", rig_write(&r, SL_ARCHIVE, id, NULL, 0)).result, SL_APPLIED);
        CU_ASSERT_EQUAL(rig_pull_all(&r, "issues", NULL, NULL), SL_OK);
        CU_ASSERT_EQUAL(kit_find(r.k, id)->kind, SL_ITEM_TOMBSTONE);
        CU_ASSERT_EQUAL(rig_find(&r, "issues", KEY, NULL), SL_OK);
        CU_ASSERT_EQUAL(r.k->n_got, (size_t)i); /* the first one is open again by now */
        rig_put(&r, arena_printf(&r.k->a, "{\"number\": %s, \"state\": \"open\"}", id));
        struct got got = kit_get(r.k, "issues", id);
        CU_ASSERT_EQUAL_FATAL(got.kind, SL_ITEM_RECORD);
        CU_ASSERT_STRING_EQUAL(got.record->correlation, KEY);
        CU_ASSERT_EQUAL(field(got.record, "body")->type, bodies[i] ? SL_STRING : SL_NULL);
    }
    struct write_outcome o = kit_do(r.k, "issues", rig_write(&r, SL_DELETE, "1", NULL, 0));
    CU_ASSERT_EQUAL(o.result, SL_NOT_APPLIED);
    CU_ASSERT_EQUAL(o.error_class, SL_UNSUPPORTED);
    CU_ASSERT_TRUE(kit_says(o.message, "GitHub does not offer that: set deletes to unlink or archive"));
    o = kit_do(r.k, "issues", rig_write(&r, SL_ARCHIVE, "9", NULL, 0));
    CU_ASSERT_EQUAL(o.error_class, SL_GONE);
    rig_stop(&r);
}

/* --- listing --- */

static void listed(void)
{
    struct rig r = rig_start();
    for (int i = 0; i < 7; i++)
        rig_put(&r, arena_printf(&r.k->a, "{\"title\": \"t%d\", \"state\": \"%s\"}", i, i % 2 ? "closed" : "open"));
    rig_put(&r, "{\"title\": \"a pull request\", \"pull_request\": {\"url\": \"x\"}}");
    peer_order(&r.peer, "knobs", "{\"small pages\": 3}");
    CU_ASSERT_EQUAL(rig_pull_all(&r, "issues", NULL, NULL), SL_OK);
    CU_ASSERT_EQUAL(r.k->end.kind, SL_PAGE_COMPLETE);
    CU_ASSERT_EQUAL(r.k->n_got, 7); /* open and closed, and no pull request */
    CU_ASSERT_PTR_NULL(kit_find(r.k, "8"));
    CU_ASSERT_EQUAL(kit_get(r.k, "issues", "8").kind, SL_ITEM_TOMBSTONE);
    rig_stop(&r);
}

/* I22: the walk begins again at the newest change of its first page; a poll with nothing new costs one request and none of the limit. */
static void polled(void)
{
    struct rig r = rig_start();
    for (int i = 0; i < 5; i++)
        rig_put(&r, "{\"title\": \"t\"}");
    CU_ASSERT_EQUAL(rig_pull_all(&r, "issues", NULL, NULL), SL_OK);
    CU_ASSERT_EQUAL(rig_pull_all(&r, "issues", r.k->end.cursor, NULL), SL_OK);
    CU_ASSERT_EQUAL(r.k->end.kind, SL_PAGE_DONE);
    const char *cursor = r.k->end.cursor;
    int64_t calls = peer_count(&r.peer, "requests", NULL), spent = rig_limit(&r, "core");
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(rig_pull_all(&r, "issues", cursor, NULL), SL_OK);
        CU_ASSERT_EQUAL(r.k->n_got, 0);
        CU_ASSERT_EQUAL(r.k->end.kind, SL_PAGE_DONE);
        CU_ASSERT_STRING_EQUAL(r.k->end.cursor, cursor);
    }
    CU_ASSERT_EQUAL(peer_count(&r.peer, "requests", NULL), calls + 3);
    CU_ASSERT_EQUAL(rig_limit(&r, "core"), spent);
    CU_ASSERT_EQUAL(rig_limit(&r, "unchanged"), 3);
    peer_order(&r.peer, "clock", "{\"ahead_ms\": 86400000}");
    rig_put(&r, "{\"number\": 2, \"title\": \"new\"}");
    CU_ASSERT_EQUAL(rig_pull_all(&r, "issues", cursor, NULL), SL_OK);
    CU_ASSERT_STRING_EQUAL(kit_field(kit_find(r.k, "2")->record, "title"), "new");
    const char *later = r.k->end.cursor;
    CU_ASSERT_EQUAL(rig_pull_all(&r, "issues", later, NULL), SL_OK);
    CU_ASSERT_EQUAL(r.k->n_got, 1); /* what is a day old does not come again */
    rig_stop(&r);
}

static void polled_empty(void)
{
    struct rig r = rig_start();
    CU_ASSERT_EQUAL(rig_pull_all(&r, "issues", NULL, NULL), SL_OK);
    CU_ASSERT_EQUAL(r.k->end.kind, SL_PAGE_COMPLETE);
    CU_ASSERT_EQUAL(rig_pull_all(&r, "issues", r.k->end.cursor, NULL), SL_OK);
    CU_ASSERT_EQUAL(rig_limit(&r, "unchanged"), 1);
    rig_put(&r, "{\"title\": \"t\"}");
    CU_ASSERT_EQUAL(rig_pull_all(&r, "issues", r.k->end.cursor, NULL), SL_OK);
    CU_ASSERT_EQUAL(r.k->n_got, 1);
    rig_stop(&r);
}

/* A verify lists everything whatever the cursor says; what changes while it walks comes in the next walk. */
static void walked_while_it_changes(void)
{
    struct rig r = rig_start();
    for (int i = 0; i < 6; i++)
        rig_put(&r, "{\"title\": \"t\"}");
    peer_order(&r.peer, "knobs", "{\"small pages\": 2}");
    CU_ASSERT_EQUAL(rig_pull(&r, "issues", NULL, NULL), SL_OK);
    const char *cursor = r.k->end.cursor;
    peer_order(&r.peer, "clock", "{\"ahead_ms\": 5000}");
    rig_put(&r, "{\"number\": 1, \"title\": \"moved to the front\"}");
    rig_put(&r, "{\"title\": \"new\"}");
    CU_ASSERT_EQUAL(rig_pull_all(&r, "issues", cursor, NULL), SL_OK);
    CU_ASSERT_EQUAL(r.k->end.kind, SL_PAGE_COMPLETE);
    CU_ASSERT_EQUAL(rig_pull_all(&r, "issues", r.k->end.cursor, NULL), SL_OK);
    CU_ASSERT_PTR_NOT_NULL(kit_find(r.k, "7"));
    CU_ASSERT_STRING_EQUAL(kit_field(kit_find(r.k, "1")->record, "title"), "moved to the front");
    rig_stop(&r);
}

static void bad_lists(void)
{
    static const struct {
        const char *knobs;
        int rc;
        const char *says;
    } rows[] = {
        {"{\"an answer that is no JSON\": 1}", SL_RETRY, "the answer is no list of GitHub's: look at base_url, and at"},
        {"{\"an answer without content\": 1}", SL_RETRY, "the answer is no list of GitHub's"},
        {"{\"401\": 1}", SL_AUTH, "the token has expired, was revoked or is mistyped: give a new one"},
    };
    struct rig r = rig_start();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        peer_order(&r.peer, "knobs", rows[i].knobs);
        CU_ASSERT_EQUAL(rig_pull(&r, "issues", NULL, NULL), rows[i].rc);
        CU_ASSERT_TRUE(kit_says(r.k->e.text, rows[i].says));
    }
    peer_order(&r.peer, "calm", "{}");
    CU_ASSERT_EQUAL(rig_pull(&r, "issues", "{\"pages\": 1}", NULL), SL_GONE);
    CU_ASSERT_TRUE(kit_says(r.k->e.text, "issues: the place in the list is of another version of this connector"));
    for (int i = 0; i < 4; i++)
        rig_put(&r, "{\"title\": \"t\"}");
    peer_order(&r.peer, "knobs", "{\"small pages\": 2}");
    CU_ASSERT_EQUAL(rig_pull(&r, "issues", NULL, NULL), SL_OK);
    const char *cursor = r.k->end.cursor;
    peer_order(&r.peer, "knobs", "{\"the cursor expires\": {\"value\": 422}}");
    CU_ASSERT_EQUAL(rig_pull(&r, "issues", cursor, NULL), SL_GONE);
    CU_ASSERT_TRUE(kit_says(r.k->e.text, "GitHub does not know the place in the list any more"));
    rig_put(&r, "{\"number\": 77, \"title\": null}");
    CU_ASSERT_EQUAL(kit_get(r.k, "issues", "77").kind, SL_ITEM_UNREADABLE);
    rig_stop(&r);
}

static const struct check tests[] = {
    {"two objects, and no other", described},
    {"owner and repo are names, and the pause is one", settings},
    {"an issue is created with all its fields and the key at the end of its body", created},
    {"I35 bodies: none, an empty one, a text, and what people do to the key", bodies},
    {"I35 I13 a body is read back as it was written", body_round_trips},
    {"I33 the key stays when the body is changed", keys_stay},
    {"fields are changed, cleared, and answered as stored", changed},
    {"an issue created closed is closed in a second step", created_closed},
    {"an issue is closed as not planned, never deleted", put_away},
    {"all issues are listed, open and closed, and no pull requests", listed},
    {"I22 a poll with nothing new is a 304 and costs nothing of the limit", polled},
    {"an empty repository is polled the same way", polled_empty},
    {"I22 what changes while a list is walked comes in the next walk", walked_while_it_changes},
    {"lists that are none, and places that are lost", bad_lists},
};

CHECK_MAIN("github", tests)
