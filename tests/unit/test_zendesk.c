/* SPDX-License-Identifier: MIT */
/* test_zendesk.c - the zendesk connector reads: who it is, fields found live, the export and its minute, tickets, users. */
#include "zendesk_kit.h"

#include "base/text.h"

/* --- who it is --- */

static void credentials(void)
{
    struct desk d = desk_new();
    struct err *e = &d.k->e;
    CU_ASSERT_EQUAL(session_check(d.k->s, e), SL_OK);
    struct sl_value basic[] = {value_string("email", "agent@acme.test"), value_string("api_token", "apitoken-1")};
    CU_ASSERT_EQUAL(desk_open_as(&d, basic, 2), SL_OK);
    CU_ASSERT_EQUAL(session_check(d.k->s, e), SL_OK);
    CU_ASSERT_EQUAL(kit_pull(d.k, "tickets", 0), SL_OK);
    CU_ASSERT_EQUAL(desk_open_as(&d, NULL, 0), SL_OK);
    CU_ASSERT_EQUAL(session_check(d.k->s, e), SL_AUTH);
    CU_ASSERT_TRUE(kit_says(e->text, "takes these credentials for nobody's; give `token`, or `email` and `api_token`"));
    struct sl_value wrong[] = {value_string("token", "canary")};
    CU_ASSERT_EQUAL(desk_open_as(&d, wrong, 1), SL_OK);
    CU_ASSERT_EQUAL(kit_pull(d.k, "tickets", 0), SL_AUTH);
    CU_ASSERT_TRUE(
        kit_says(e->text, "exporting tickets: Zendesk answers 401: Couldn't authenticate you; give another token"));
    CU_ASSERT_PTR_NULL(strstr(e->text, "canary"));
    desk_end(&d);
}

static void rights(void)
{
    struct desk d = desk_new();
    peer_order(&d.peer, "user", "{\"id\": 100, \"role\": \"agent\"}");
    CU_ASSERT_EQUAL(session_check(d.k->s, &d.k->e), SL_AUTH);
    CU_ASSERT_TRUE(
        kit_says(d.k->e.text, "agent@acme.test is agent, and only an admin may read the incremental export"));
    CU_ASSERT_EQUAL(kit_pull(d.k, "tickets", 0), SL_AUTH);
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "You do not have access to this page"));
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "needs the scopes tickets:read, tickets:write and users:read"));
    desk_end(&d);
}

static void wrong_address(void)
{
    struct desk d = desk_new();
    struct sl_value token = value_string("token", "oauth-1");
    strcat(d.peer.url, "/elsewhere");
    CU_ASSERT_EQUAL(desk_open_as(&d, &token, 1), SL_OK);
    CU_ASSERT_EQUAL(kit_pull(d.k, "tickets", 0), SL_CONFIG);
    CU_ASSERT_TRUE(
        kit_says(d.k->e.text, "this plan of Zendesk does not have it, or `subdomain` or `base_url` leads elsewhere"));
    desk_end(&d);
}

/* --- what there is --- */

static const struct sl_field *field_named(const struct object_info *o, const char *name)
{
    for (uint32_t i = 0; i < o->object.n_fields; i++)
        if (strcmp(o->object.fields[i].name, name) == 0)
            return &o->object.fields[i];
    return NULL;
}

static bool lists(const struct sl_field *f, const char *value)
{
    for (uint32_t i = 0; f && i < f->n_values; i++)
        if (strcmp(f->values[i], value) == 0)
            return true;
    return false;
}

static void described(void)
{
    struct desk d = desk_new();
    struct object_info *o = NULL;
    CU_ASSERT_EQUAL(session_describe(d.k->s, "tickets", &d.k->a, &o, &d.k->e), SL_OK);
    CU_ASSERT_EQUAL(desk_requests(&d), 0);
    CU_ASSERT_STRING_EQUAL(o->object.model, "ticket");
    CU_ASSERT_EQUAL(o->object.idempotency_ttl_s, 7200);
    CU_ASSERT_PTR_NULL(field_named(o, "custom.360002"));
    CU_ASSERT_EQUAL(session_describe(d.k->s, NULL, &d.k->a, &o, &d.k->e), SL_OK);
    CU_ASSERT_EQUAL(desk_requests(&d), 2);
    const struct sl_field *severity = field_named(o, "custom.360002");
    CU_ASSERT_PTR_NOT_NULL_FATAL(severity);
    CU_ASSERT_EQUAL(severity->type, SL_ENUM);
    CU_ASSERT_STRING_EQUAL(severity->label, "Severity");
    CU_ASSERT_TRUE(lists(severity, "sev1") && lists(severity, "sev2"));
    CU_ASSERT_EQUAL(field_named(o, "custom.360001")->type, SL_BOOL);
    CU_ASSERT_EQUAL(field_named(o, "custom.360003")->type, SL_SET);
    CU_ASSERT_EQUAL(field_named(o, "custom.360004")->type, SL_DECIMAL);
    CU_ASSERT_PTR_NULL(field_named(o, "custom.360008")); /* not active */
    CU_ASSERT_TRUE(lists(field_named(o, "custom_status"), "In engineering"));
    CU_ASSERT_STRING_EQUAL(o->next->object.name, "comments");
    CU_ASSERT_STRING_EQUAL(o->next->object.parent_object, "tickets");
    CU_ASSERT_STRING_EQUAL(o->next->next->object.name, "users");
    CU_ASSERT_EQUAL(session_describe(d.k->s, "tigers", &d.k->a, &o, &d.k->e), SL_CONFIG);
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "Zendesk knows nothing of tigers here; name tickets, comments or users"));
    desk_end(&d);
}

/* Who has checked the connection sees the live fields by name, too. */
static void described_after_a_check(void)
{
    struct desk d = desk_new();
    struct object_info *o = NULL;
    CU_ASSERT_EQUAL(session_check(d.k->s, &d.k->e), SL_OK);
    CU_ASSERT_EQUAL(session_describe(d.k->s, "tickets", &d.k->a, &o, &d.k->e), SL_OK);
    CU_ASSERT_PTR_NOT_NULL(field_named(o, "custom.360002"));
    desk_end(&d);
}

/* --- the export --- */

static void the_last_minute(void)
{
    struct desk d = desk_new();
    desk_put(&d, "{\"subject\": \"a\"}");
    CU_ASSERT_EQUAL(desk_pull(&d, "tickets", NULL, NULL), SL_OK);
    CU_ASSERT_EQUAL(d.k->n_got, 0);
    CU_ASSERT_EQUAL(d.k->end.kind, SL_PAGE_COMPLETE);
    peer_order(&d.peer, "clock", LATER);
    desk_put(&d, "{\"subject\": \"b\"}");
    CU_ASSERT_EQUAL(desk_pull(&d, "tickets", d.k->end.cursor, NULL), SL_OK);
    CU_ASSERT_EQUAL(d.k->n_got, 1);
    CU_ASSERT_EQUAL(d.k->end.kind, SL_PAGE_DONE);
    CU_ASSERT_STRING_EQUAL(kit_field(d.k->got[0].record, "title"), "a");
    peer_order(&d.peer, "clock", LATER);
    CU_ASSERT_EQUAL(desk_pull(&d, "tickets", d.k->end.cursor, NULL), SL_OK);
    CU_ASSERT_EQUAL(d.k->n_got, 1);
    CU_ASSERT_STRING_EQUAL(kit_field(d.k->got[0].record, "title"), "b");
    int64_t before = desk_requests(&d);
    CU_ASSERT_EQUAL(desk_pull(&d, "tickets", d.k->end.cursor, NULL), SL_OK);
    CU_ASSERT_EQUAL(d.k->n_got, 0);
    CU_ASSERT_EQUAL(d.k->end.kind, SL_PAGE_DONE);
    CU_ASSERT_EQUAL(desk_requests(&d), before + 1);
    desk_end(&d);
}

static void pages(void)
{
    struct desk d = desk_new();
    size_t n = 0;
    for (int i = 0; i < 5; i++)
        desk_put(&d, "{\"subject\": \"a\"}");
    peer_order(&d.peer, "clock", LATER);
    peer_order(&d.peer, "knobs", "{\"small pages\": 2}");
    CU_ASSERT_EQUAL(desk_pull(&d, "tickets", NULL, NULL), SL_OK);
    for (n = d.k->n_got; d.k->end.kind == SL_PAGE_MORE; n += d.k->n_got)
        CU_ASSERT_EQUAL_FATAL(desk_pull(&d, "tickets", d.k->end.cursor, NULL), SL_OK);
    CU_ASSERT_EQUAL(n, 5);
    CU_ASSERT_EQUAL(d.k->end.kind, SL_PAGE_COMPLETE);
    /* a verify lists all, whatever the cursor says */
    struct sl_pull full = {.size = sizeof full, .flags = SL_PULL_FULL, .object = "tickets", .cursor = d.k->end.cursor};
    CU_ASSERT_EQUAL(session_pull(d.k->s, &full, kit_sink(d.k), &d.k->a, &d.k->end, &d.k->e), SL_OK);
    CU_ASSERT_EQUAL(d.k->n_got, 2);
    CU_ASSERT_EQUAL(d.k->end.kind, SL_PAGE_MORE);
    CU_ASSERT_STRING_NOT_EQUAL(d.k->end.cursor, full.cursor);
    desk_end(&d);
}

/* A system update moves generated_timestamp alone: the row comes again, with its old version. */
static void the_systems_own_doing(void)
{
    struct desk d = desk_new();
    desk_put(&d, "{\"subject\": \"a\"}");
    peer_order(&d.peer, "clock", LATER);
    CU_ASSERT_EQUAL(desk_pull(&d, "tickets", NULL, NULL), SL_OK);
    CU_ASSERT_EQUAL_FATAL(d.k->n_got, 1);
    const char *version = arena_text(&d.k->a, d.k->got[0].record->version);
    peer_order(&d.peer, "touch", "{\"id\": 1}");
    peer_order(&d.peer, "clock", LATER);
    CU_ASSERT_EQUAL(desk_pull(&d, "tickets", d.k->end.cursor, NULL), SL_OK);
    CU_ASSERT_EQUAL_FATAL(d.k->n_got, 1);
    CU_ASSERT_STRING_EQUAL(d.k->got[0].record->version, version);
    desk_end(&d);
}

static void deletes_in_the_export(void)
{
    struct desk d = desk_new();
    desk_put(&d, "{\"subject\": \"a\"}");
    peer_order(&d.peer, "delete", "{\"id\": 1}");
    peer_order(&d.peer, "clock", LATER);
    CU_ASSERT_EQUAL(desk_pull(&d, "tickets", NULL, NULL), SL_OK);
    CU_ASSERT_EQUAL_FATAL(d.k->n_got, 1);
    CU_ASSERT_EQUAL(d.k->got[0].kind, SL_ITEM_TOMBSTONE);
    CU_ASSERT_STRING_EQUAL(d.k->got[0].id, "1");
    desk_end(&d);
}

/* Everything that could pass for the end of the list and is none. */
static void lists_that_are_none(void)
{
    static const struct {
        const char *knob;
        int sl_class;
        const char *says;
    } rows[] = {
        {"the cursor expires", SL_GONE, "Zendesk does not know the place in the export any more"},
        {"pages in a circle", SL_BROKEN,
         "the export of tickets says that there is more, but not where; try again later"},
        {"an answer that is no JSON", SL_BROKEN, "exporting tickets: the answer is no JSON object:"},
        {"an answer without content", SL_BROKEN, "is there a proxy between?"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct desk d = desk_new();
        char knob[100];
        desk_put(&d, "{\"subject\": \"a\"}");
        peer_order(&d.peer, "clock", LATER);
        CU_ASSERT_EQUAL(desk_pull(&d, "tickets", NULL, NULL), SL_OK);
        snprintf(knob, sizeof knob, "{\"%s\": 1}", rows[i].knob);
        peer_order(&d.peer, "knobs", knob);
        CU_ASSERT_EQUAL(desk_pull(&d, "tickets", d.k->end.cursor, NULL), rows[i].sl_class);
        CU_ASSERT_TRUE(kit_says(d.k->e.text, rows[i].says));
        desk_end(&d);
    }
    struct desk d = desk_new();
    CU_ASSERT_EQUAL(desk_pull(&d, "tickets", "{\"v\": 2}", NULL), SL_GONE);
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "this place in the export was kept by some other connector"));
    desk_end(&d);
}

/* 200, and JSON, and not what was asked for: never an empty list, never a record that is gone. */
static void hollow_answers(void)
{
    struct desk d = desk_new();
    const char *ids[] = {"1", "2"};
    static const char hollow[] = "{\"hollow\": 1}";
    peer_order(&d.peer, "limits", hollow);
    CU_ASSERT_EQUAL(desk_pull(&d, "tickets", NULL, NULL), SL_BROKEN);
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "the export of tickets holds no list, or does not say whether it ended"));
    peer_order(&d.peer, "limits", hollow);
    CU_ASSERT_EQUAL(kit_get(d.k, "tickets", "1").kind, 0);
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "ticket 1: the answer does not hold this ticket; is there a proxy between?"));
    peer_order(&d.peer, "limits", hollow);
    CU_ASSERT_EQUAL(session_get(d.k->s, "tickets", ids, 2, kit_sink(d.k), &d.k->e), SL_BROKEN);
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "reading tickets: the answer holds no list of them"));
    peer_order(&d.peer, "limits", hollow);
    CU_ASSERT_EQUAL(desk_find(&d, "tickets", "k", NULL), SL_BROKEN);
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "looking for a ticket by its key: the answer holds no list"));
    peer_order(&d.peer, "limits", hollow);
    CU_ASSERT_EQUAL(kit_get(d.k, "users", "101").kind, 0);
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "user 101: the answer does not hold this user; is there a proxy between?"));
    peer_order(&d.peer, "limits", hollow);
    CU_ASSERT_EQUAL(desk_pull(&d, "comments", NULL, "1"), SL_BROKEN);
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "ticket 1: the answer holds no list of comments; is there a proxy between?"));
    desk_end(&d);
}

/* Ten exports a minute: the eleventh waits as long as it is told. */
static void few_exports(void)
{
    struct desk d = desk_new();
    char order[60];
    int64_t now_ms = peer_count(&d.peer, "now_ms", NULL);
    snprintf(order, sizeof order, "{\"ahead_ms\": %d}", (int)(58500 - now_ms % 60000));
    peer_order(&d.peer, "clock", order);
    peer_order(&d.peer, "limits", "{\"exports_a_minute\": 2}");
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(desk_pull(&d, "tickets", NULL, NULL), SL_OK);
    CU_ASSERT_EQUAL(desk_requests(&d), 4);
    desk_end(&d);
}

/* --- a ticket --- */

#define FULL_TICKET                                                                                                    \
    "{\"subject\": \"Login loops\", \"description\": \"Since noon\", \"status\": \"hold\", \"priority\": \"urgent\","  \
    "\"type\": \"task\", \"due_at\": \"2026-12-24T23:30:00Z\", \"tags\": [\"vip\", \"escalated\", \"vip\"],"           \
    "\"requester_id\": 102, \"assignee_id\": 101, \"external_id\": \"k1\", \"group_id\": 7, \"custom_status_id\": 7,"  \
    "\"custom_fields\": [{\"id\": 360001, \"value\": true}, {\"id\": 360002, \"value\": \"sev1\"},"                    \
    "{\"id\": 360003, \"value\": [\"api\"]}, {\"id\": 360004, \"value\": \"12.50\"}, {\"id\": 360005, \"value\": 3},"  \
    "{\"id\": 360006, \"value\": \"2027-01-02\"}, {\"id\": 360007, \"value\": null}]}"

static void a_tickets_fields(void)
{
    struct desk d = desk_new();
    struct object_info *o = NULL;
    char date[16];
    desk_put(&d, FULL_TICKET);
    CU_ASSERT_EQUAL(session_describe(d.k->s, NULL, &d.k->a, &o, &d.k->e), SL_OK);
    struct got g = kit_get(d.k, "tickets", "1");
    CU_ASSERT_EQUAL_FATAL(g.kind, SL_ITEM_RECORD);
    const struct sl_record *r = g.record;
    static const char *const texts[][2] = {
        {"title", "Login loops"},
        {"body", "Since noon"},
        {"status", "on_hold"},
        {"priority", "urgent"},
        {"type", "task"},
        {"assignee", "Ann@acme.test"},
        {"reporter", "user:102"},
        {"assignee_name", "Ann Example"},
        {"reporter_name", "Bo Phone"},
        {"external_key", "k1"},
        {"custom.360002", "sev1"},
        {"custom.360004", "12.50"},
        {"custom_status", "In engineering"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CU_ASSERT_STRING_EQUAL(kit_field(r, texts[i][0]), texts[i][1]);
    }
    CU_ASSERT_STRING_EQUAL(r->correlation, "k1");
    CU_ASSERT_STRING_EQUAL(r->label, "Login loops");
    CU_ASSERT_TRUE(kit_says(kit_field(r, "url"), "/agent/tickets/1"));
    CU_ASSERT_EQUAL(record_field(r, "tags")->n_items, 2);
    CU_ASSERT_EQUAL(record_field(r, "reporter")->type, SL_REF);
    CU_ASSERT_STRING_EQUAL(record_field(r, "reporter")->object, "users");
    CU_ASSERT_EQUAL(record_field(r, "custom.360001")->type, SL_BOOL);
    CU_ASSERT_EQUAL(record_field(r, "custom.360003")->type, SL_SET);
    CU_ASSERT_EQUAL(record_field(r, "custom.360004")->type, SL_DECIMAL);
    CU_ASSERT_EQUAL(record_field(r, "custom.360005")->number, 3);
    CU_ASSERT_EQUAL(record_field(r, "custom.360006")->type, SL_DATE);
    CU_ASSERT_EQUAL(record_field(r, "custom.360007")->type, SL_NULL);
    CU_ASSERT_EQUAL(record_field(r, "native.group_id")->number, 7);
    CU_ASSERT_EQUAL(record_field(r, "native.organization_id")->type, SL_NULL);
    date_format(record_field(r, "due_date")->number, date);
    CU_ASSERT_STRING_EQUAL(date, "2026-12-24");
    CU_ASSERT_EQUAL(record_field(r, "updated_at")->number, r->modified_ms);
    CU_ASSERT_EQUAL(r->modified_grain_ms, 1000);
    desk_end(&d);
}

static void tickets_by_id(void)
{
    struct desk d = desk_new();
    const char *ids[] = {"1", "3", "99", "x/../2"};
    for (int i = 0; i < 3; i++)
        desk_put(&d, "{\"subject\": \"a\"}");
    peer_order(&d.peer, "delete", "{\"id\": 3}");
    CU_ASSERT_EQUAL(session_get(d.k->s, "tickets", ids, 4, kit_sink(d.k), &d.k->e), SL_OK);
    CU_ASSERT_EQUAL_FATAL(d.k->n_got, 4);
    CU_ASSERT_EQUAL(kit_find(d.k, "1")->kind, SL_ITEM_RECORD);
    for (int i = 1; i < 4; i++)
        CU_ASSERT_EQUAL(kit_find(d.k, ids[i])->kind, SL_ITEM_TOMBSTONE);
    CU_ASSERT_EQUAL(desk_requests(&d), 3); /* all at once, and the two that were not in the answer alone */
    peer_order(&d.peer, "knobs", "{\"403\": 1}");
    CU_ASSERT_EQUAL(kit_get(d.k, "tickets", "1").kind, 0);
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "reading ticket 1: Zendesk answers 403"));
    desk_end(&d);
}

/* Who is side-loaded is not asked for; who is not is asked for once. */
static void people_behind_ids(void)
{
    struct desk d = desk_new();
    desk_put(&d, "{\"subject\": \"a\", \"requester_id\": 101}");
    desk_put(&d, "{\"subject\": \"b\", \"requester_id\": 7777}");
    CU_ASSERT_STRING_EQUAL(kit_field(kit_get(d.k, "tickets", "1").record, "reporter"), "Ann@acme.test");
    CU_ASSERT_EQUAL(desk_requests(&d), 1);
    CU_ASSERT_STRING_EQUAL(kit_field(kit_get(d.k, "tickets", "2").record, "reporter"), "user:7777");
    CU_ASSERT_EQUAL(desk_requests(&d), 3);
    CU_ASSERT_STRING_EQUAL(kit_field(kit_get(d.k, "tickets", "2").record, "reporter"), "user:7777");
    CU_ASSERT_EQUAL(desk_requests(&d), 4);
    desk_end(&d);
}

static void users(void)
{
    struct desk d = desk_new();
    const char *ids[] = {"101", "9", "ann"};
    peer_order(&d.peer, "clock", LATER);
    CU_ASSERT_EQUAL(desk_pull(&d, "users", NULL, NULL), SL_OK);
    CU_ASSERT_EQUAL(d.k->n_got, 3);
    CU_ASSERT_STRING_EQUAL(kit_field(kit_find(d.k, "101")->record, "email"), "Ann@acme.test");
    CU_ASSERT_EQUAL(record_field(kit_find(d.k, "102")->record, "email")->type, SL_NULL);
    peer_order(&d.peer, "user", "{\"id\": 101, \"name\": \"Ann Other\", \"active\": false}");
    peer_order(&d.peer, "clock", LATER);
    CU_ASSERT_EQUAL(desk_pull(&d, "users", d.k->end.cursor, NULL), SL_OK);
    CU_ASSERT_EQUAL_FATAL(d.k->n_got, 1);
    CU_ASSERT_EQUAL(record_field(d.k->got[0].record, "active")->number, 0);
    CU_ASSERT_EQUAL(session_get(d.k->s, "users", ids, 3, kit_sink(d.k), &d.k->e), SL_OK);
    CU_ASSERT_STRING_EQUAL(kit_field(kit_find(d.k, "101")->record, "name"), "Ann Other");
    CU_ASSERT_EQUAL(kit_find(d.k, "9")->kind, SL_ITEM_TOMBSTONE);
    CU_ASSERT_EQUAL(kit_find(d.k, "ann")->kind, SL_ITEM_TOMBSTONE);
    CU_ASSERT_EQUAL(desk_find(&d, "users", "k", NULL), SL_UNSUPPORTED);
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "of Zendesk are found by the host's key alone"));
    desk_end(&d);
}

static const struct check tests[] = {
    {"an OAuth token and an API token open it; nobody's and wrong ones are told apart", credentials},
    {"who is no admin is told so, by the check and by the export", rights},
    {"an address that is no Zendesk's is told from a ticket that is gone", wrong_address},
    {"custom fields and statuses are found live by who asks for all, and cost a run nothing", described},
    {"after a check they are told by name, too", described_after_a_check},
    {"I22 the export's missing minute loses nothing; a poll without news is one request", the_last_minute},
    {"I26 the whole export is complete at its end only; a verify begins anew", pages},
    {"a system update brings the row again under its old version", the_systems_own_doing},
    {"a deleted ticket is told by the export", deletes_in_the_export},
    {"I22 I26 what is no list is never taken for the end of one", lists_that_are_none},
    {"I26 an answer of something else is neither an empty list nor a record that is gone", hollow_answers},
    {"an export over the rate is waited for", few_exports},
    {"every field of a ticket, of its type, people by their address", a_tickets_fields},
    {"tickets by id in one request; only a 404 of the record means gone", tickets_by_id},
    {"people are side-loaded, else asked for once", people_behind_ids},
    {"users are listed, followed and read", users},
};

CHECK_MAIN("zendesk", tests)
