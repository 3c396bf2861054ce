/* SPDX-License-Identifier: MIT */
/* test_zendesk_write.c - the zendesk connector writes tickets: one create a key, guarded updates, jobs row by row, deletes, refusals in words. */
#include "zendesk_kit.h"

#define KEY "0123456789abcdef0123456789abcdef"

static struct sl_write create(struct desk *d, const struct sl_value *fields, uint32_t n)
{
    struct sl_write w = kit_make(d->k, SL_CREATE, NULL, fields, n);
    w.correlation = KEY;
    return w;
}

static struct write_outcome change(struct desk *d, const char *id, struct sl_value v, const char *version)
{
    struct sl_value *kept = arena_dup(&d->k->a, &v, sizeof v);
    struct sl_write w = kit_make(d->k, SL_UPDATE, id, kept, 1);
    w.expected_version = version;
    return kit_do(d->k, "tickets", w);
}

static const char *version_of(struct desk *d, const char *id)
{
    struct got g = kit_get(d->k, "tickets", id);
    return g.record ? arena_text(&d->k->a, g.record->version) : "";
}

/* --- creates --- */

static void a_create(void)
{
    struct desk d = desk_new();
    const struct sl_value tags[] = {{.type = SL_STRING, .text = "VIP", .text_size = 3}};
    const struct sl_value components[] = {{.type = SL_STRING, .text = "api", .text_size = 3}};
    const struct sl_value fields[] = {
        value_string("title", "Login loops"),
        value_string("body", "Since noon"),
        value_as("status", SL_ENUM, "on_hold"),
        value_as("priority", SL_ENUM, "high"),
        value_as("type", SL_ENUM, "task"),
        value_as("assignee", SL_REF, "ANN@acme.test"),
        value_as("reporter", SL_REF, "user:102"),
        {.name = "tags", .type = SL_SET, .items = tags, .n_items = 1, .item_size = sizeof *tags},
        {.name = "due_date", .type = SL_DATE, .number = 20811},
        {.name = "custom.360001", .type = SL_BOOL, .number = 1},
        value_as("custom.360002", SL_ENUM, "sev2"),
        {.name = "custom.360003", .type = SL_SET, .items = components, .n_items = 1, .item_size = sizeof *components},
        value_as("custom.360004", SL_DECIMAL, "0.10"),
    };
    struct write_outcome o = kit_do(d.k, "tickets", create(&d, fields, sizeof fields / sizeof *fields));
    CU_ASSERT_TRUE_FATAL(applied(&o) && o.record != NULL);
    CU_ASSERT_STRING_EQUAL(o.record->id, "1");
    CU_ASSERT_STRING_EQUAL(o.record->correlation, KEY);
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "status"), "on_hold");
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "body"), "Since noon");
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "assignee"), "Ann@acme.test");
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "reporter"), "user:102");
    CU_ASSERT_STRING_EQUAL(record_field(o.record, "tags")->items[0].text, "vip"); /* as it is stored */
    CU_ASSERT_EQUAL(record_field(o.record, "due_date")->number, 20811);
    static const char *const stored[] = {"\"assignee_id\":101",
                                         "\"status\":\"hold\"",
                                         "\"due_at\":\"2026-12-24T12:00:00Z\"",
                                         "{\"id\":360001,\"value\":true}",
                                         "{\"id\":360002,\"value\":\"sev2\"}",
                                         "{\"id\":360003,\"value\":[\"api\"]}",
                                         "{\"id\":360004,\"value\":0.10}"};
    for (size_t i = 0; i < sizeof stored / sizeof *stored; i++)
        CU_ASSERT_TRUE(desk_holds(&d, "/api/v2/tickets/1", stored[i]));
    desk_end(&d);
}

/* The answer is lost after the effect: the same key, the same ticket. */
static void a_lost_answer(void)
{
    struct desk d = desk_new();
    const struct sl_value title[] = {value_string("title", "once")};
    peer_order(&d.peer, "knobs", "{\"the reply is lost\": 1}");
    struct write_outcome o = kit_do(d.k, "tickets", create(&d, title, 1));
    CU_ASSERT_TRUE(applied(&o));
    CU_ASSERT_EQUAL(peer_count(&d.peer, "creates", NULL), 1);
    CU_ASSERT_EQUAL(peer_count(&d.peer, "repeats", NULL), 1);
    desk_end(&d);
}

/* The server forgets a key after two hours; the ticket's external_id stays. */
static void a_repeat_after_hours(void)
{
    struct desk d = desk_new();
    const struct sl_value title[] = {value_string("title", "once")};
    struct sl_write w = create(&d, title, 1);
    struct write_outcome o = kit_do(d.k, "tickets", w);
    CU_ASSERT_TRUE(applied(&o));
    peer_order(&d.peer, "clock", "{\"ahead_ms\": 10800000}");
    w.flags = SL_WRITE_REPEAT;
    o = kit_do(d.k, "tickets", w);
    CU_ASSERT_TRUE_FATAL(applied(&o) && o.record != NULL);
    CU_ASSERT_STRING_EQUAL(o.record->id, "1");
    CU_ASSERT_TRUE(o.read_back);
    CU_ASSERT_EQUAL(peer_count(&d.peer, "creates", NULL), 1);
    desk_end(&d);
}

/* Another content under a key that was used: the ticket of then is the one, or nobody knows. */
static void another_content(void)
{
    struct desk d = desk_new();
    const struct sl_value one[] = {value_string("title", "one")}, two[] = {value_string("title", "two")};
    struct sl_write w = create(&d, one, 1), again = create(&d, two, 1), other = again;
    struct write_outcome o = kit_do(d.k, "tickets", w);
    CU_ASSERT_TRUE(applied(&o));
    again.idempotency_key = other.idempotency_key = w.idempotency_key;
    o = kit_do(d.k, "tickets", again);
    CU_ASSERT_TRUE_FATAL(applied(&o) && o.record != NULL);
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "title"), "one");
    other.correlation = "ffffffffffffffffffffffffffffffff";
    o = kit_do(d.k, "tickets", other);
    CU_ASSERT_EQUAL(o.result, SL_UNCERTAIN);
    CU_ASSERT_TRUE(kit_says(o.message, "Zendesk knows this create by another content"));
    CU_ASSERT_EQUAL(peer_count(&d.peer, "creates", NULL), 1);
    desk_end(&d);
}

static void found_by_key(void)
{
    struct desk d = desk_new();
    desk_put(&d, "{\"subject\": \"a\", \"external_id\": \"" KEY "\"}");
    desk_put(&d, "{\"subject\": \"b\", \"external_id\": \"other\"}");
    CU_ASSERT_EQUAL(desk_find(&d, "tickets", KEY, NULL), SL_OK);
    CU_ASSERT_EQUAL(d.k->n_got, 1);
    CU_ASSERT_STRING_EQUAL(d.k->got[0].id, "1");
    /* an external_id is not unique: all are told, none is guessed */
    desk_put(&d, "{\"subject\": \"c\", \"external_id\": \"" KEY "\"}");
    CU_ASSERT_EQUAL(desk_find(&d, "tickets", KEY, NULL), SL_OK);
    CU_ASSERT_EQUAL(d.k->n_got, 2);
    /* archived ones are in no list, but found by the search */
    desk_put(&d, "{\"subject\": \"d\", \"external_id\": \"old\", \"archived\": true}");
    CU_ASSERT_EQUAL(desk_find(&d, "tickets", "old", NULL), SL_OK);
    CU_ASSERT_EQUAL(d.k->n_got, 1);
    CU_ASSERT_EQUAL(desk_find(&d, "tickets", "none", NULL), SL_OK);
    CU_ASSERT_EQUAL(d.k->n_got, 0);
    desk_end(&d);
}

/* --- updates --- */

/* Two edits within one second have one updated_at, which is all that Zendesk compares: the content tells them apart. */
static void within_a_second(void)
{
    struct desk d = desk_new();
    desk_put(&d, "{\"subject\": \"a\"}");
    const char *version = version_of(&d, "1");
    desk_put(&d, "{\"id\": 1, \"subject\": \"theirs\"}");
    CU_ASSERT_STRING_NOT_EQUAL(version_of(&d, "1"), version);
    struct write_outcome o = change(&d, "1", value_string("title", "ours"), version);
    CU_ASSERT_TRUE(refused(&o, SL_CONFLICT, "the ticket was changed since it was read"));
    desk_end(&d);
}

static void a_guarded_update(void)
{
    struct desk d = desk_new();
    desk_put(&d, "{\"subject\": \"a\", \"tags\": [\"x\", \"y\"]}");
    const char *version = version_of(&d, "1");
    struct write_outcome o = change(&d, "1", value_string("title", "ours"), version);
    CU_ASSERT_TRUE_FATAL(applied(&o) && o.record != NULL);
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "title"), "ours");
    peer_order(&d.peer, "clock", "{\"ahead_ms\": 5000}");
    version = arena_text(&d.k->a, o.record->version);
    desk_put(&d, "{\"id\": 1, \"priority\": \"low\"}");
    o = change(&d, "1", value_string("title", "late"), version);
    CU_ASSERT_TRUE(refused(&o, SL_CONFLICT, "the ticket was changed since it was read: it is read and planned again"));
    peer_order(&d.peer, "knobs",
               "{\"the index lags\": 3000}"); /* as if it were changed between our read and our write */
    o = change(&d, "1", value_string("title", "late"), version);
    CU_ASSERT_TRUE(refused(&o, SL_CONFLICT, "ticket 1: Zendesk answers 409: Safe Update prevented the update"));
    peer_order(&d.peer, "calm", "{}");
    CU_ASSERT_TRUE(desk_holds(&d, "/api/v2/tickets/1", "\"subject\":\"ours\""));
    o = change(&d, "1", value_string("title", "forced"), NULL);
    CU_ASSERT_TRUE(applied(&o));
    o = change(&d, "1", (struct sl_value){.name = "tags", .type = SL_NULL}, NULL);
    CU_ASSERT_TRUE(applied(&o));
    CU_ASSERT_TRUE(desk_holds(&d, "/api/v2/tickets/1", "\"tags\":[]"));
    o = change(&d, "99", value_string("title", "x"), NULL);
    CU_ASSERT_TRUE(refused(&o, SL_GONE, "ticket 99: Zendesk answers 404: Not found"));
    desk_end(&d);
}

static void a_lost_update(void)
{
    struct desk d = desk_new();
    desk_put(&d, "{\"subject\": \"a\"}");
    static const char *const faults[] = {"{\"the reply is lost\": 1}", "{\"5xx after the effect\": 1}",
                                         "{\"an answer that is no JSON\": 1}"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        int64_t before = desk_requests(&d);
        peer_order(&d.peer, "knobs", faults[i]);
        struct write_outcome o = change(&d, "1", value_string("title", "b"), NULL);
        CU_ASSERT_EQUAL(o.result, SL_UNCERTAIN);
        CU_ASSERT_EQUAL(desk_requests(&d), before + 1);
    }
    peer_order(&d.peer, "knobs", "{\"an answer without content\": 1}");
    struct write_outcome o = change(&d, "1", value_string("title", "b"), NULL);
    CU_ASSERT_EQUAL(o.result, SL_UNCERTAIN);
    CU_ASSERT_TRUE(kit_says(o.message, "the answer does not hold the ticket, as if it were not Zendesk's"));
    peer_order(&d.peer, "knobs", "{\"an answer without content\": 1}");
    o = kit_do(d.k, "tickets", kit_make(d.k, SL_DELETE, "1", NULL, 0));
    CU_ASSERT_EQUAL(o.result, SL_UNCERTAIN);
    desk_end(&d);
}

/* An answer that does not hold the ticket: it is read. */
static void short_answers(void)
{
    struct desk d = desk_new();
    const struct sl_value title[] = {value_string("title", "a")};
    peer_order(&d.peer, "knobs", "{\"answers without the record\": true}");
    struct write_outcome o = kit_do(d.k, "tickets", create(&d, title, 1));
    CU_ASSERT_TRUE_FATAL(applied(&o) && o.record != NULL);
    CU_ASSERT_TRUE(o.read_back);
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "title"), "a");
    o = change(&d, "1", value_string("title", "b"), NULL);
    CU_ASSERT_TRUE_FATAL(applied(&o) && o.record != NULL);
    CU_ASSERT_TRUE(o.read_back);
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "title"), "b");
    desk_end(&d);
}

/* What a person reads, and whether the record alone waits. */
static void refusals(void)
{
    static const struct {
        struct sl_value field;
        int error_class;
        const char *says;
    } rows[] = {
        {{.name = "status", .type = SL_ENUM, .text = "in_progress", .text_size = 11},
         SL_REJECTED,
         "ticket 1: status \"in_progress\" is none of Zendesk's; give the rule `values`, or an `otherwise`"},
        {{.name = "assignee", .type = SL_REF, .text = "nobody@acme.test", .text_size = 16},
         SL_REJECTED,
         "ticket 1: assignee: nobody in Zendesk has the e-mail address nobody@acme.test; add the person to `users`, or "
         "there"},
        {{.name = "assignee", .type = SL_REF, .text = "ann", .text_size = 3},
         SL_REJECTED,
         "assignee: nobody in Zendesk has"},
        {{.name = "assignee", .type = SL_REF, .text = "user:102", .text_size = 8},
         SL_REJECTED,
         "ticket 1: Zendesk answers 422: Assignee: is not an agent"},
        {{.name = "custom.360002", .type = SL_STRING, .text = "sev9", .text_size = 4},
         SL_REJECTED,
         "Severity: is not one of the options of the field"},
        {{.name = "custom.severity", .type = SL_STRING, .text = "x", .text_size = 1},
         SL_REJECTED,
         "custom fields of Zendesk are named by their number: custom.360001, not custom.severity"},
        {{.name = "custom_status", .type = SL_ENUM, .text = "Asleep", .text_size = 6},
         SL_REJECTED,
         "custom_status \"Asleep\" is none of this account's; add it there, or map it"},
        {{.name = "titel", .type = SL_STRING, .text = "x", .text_size = 1},
         SL_REJECTED,
         "tickets of Zendesk have no field titel; take it out of `fields`"},
        {{.name = "created_at", .type = SL_TIMESTAMP},
         SL_REJECTED,
         "created_at cannot be changed in Zendesk; give the rule a direction"},
        {{.name = "body", .type = SL_STRING, .text = "x", .text_size = 1},
         SL_REJECTED,
         "body cannot be changed in Zendesk"},
    };
    struct desk d = desk_new();
    desk_put(&d, "{\"subject\": \"a\"}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct write_outcome o = change(&d, "1", rows[i].field, NULL);
        CU_ASSERT_TRUE(refused(&o, rows[i].error_class, rows[i].says));
    }
    struct write_outcome o = change(&d, "x", value_string("title", "x"), NULL);
    CU_ASSERT_TRUE(refused(&o, SL_GONE, "no ticket of Zendesk has such an id: unlink it"));
    o = kit_do(d.k, "tickets", create(&d, NULL, 0));
    CU_ASSERT_TRUE(
        refused(&o, SL_REJECTED, "a new ticket: a ticket of Zendesk begins with a text; map `body` or `title`"));
    o = kit_do(d.k, "users", create(&d, NULL, 0));
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "users of Zendesk are not written; add or change them in its admin centre"));
    desk_end(&d);
}

static void closed_for_ever(void)
{
    struct desk d = desk_new();
    desk_put(&d, "{\"subject\": \"a\", \"status\": \"closed\"}");
    struct write_outcome o = change(&d, "1", value_string("title", "x"), NULL);
    CU_ASSERT_TRUE(refused(&o, SL_REJECTED,
                           "Status: closed prevents ticket update; it is closed for ever: unlink it, and go on in a "
                           "follow-up ticket"));
    desk_end(&d);
}

/* A status of the account's own, by the label that agents see; the category goes with it. */
static void own_statuses(void)
{
    struct desk d = desk_new();
    desk_put(&d, "{\"subject\": \"a\"}");
    struct write_outcome o = change(&d, "1", value_as("custom_status", SL_ENUM, "Waiting for parts"), NULL);
    CU_ASSERT_TRUE_FATAL(applied(&o) && o.record != NULL);
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "status"), "pending");
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "custom_status"), "Waiting for parts");
    const struct sl_value both[] = {value_as("custom_status", SL_ENUM, "In engineering"),
                                    value_as("status", SL_ENUM, "resolved")};
    o = kit_do(d.k, "tickets", kit_make(d.k, SL_UPDATE, "1", both, 2));
    CU_ASSERT_TRUE(refused(&o, SL_REJECTED, "is invalid for the given status"));
    desk_end(&d);
}

/* The four envelopes of an error, each by what it says. */
static void envelopes(void)
{
    struct desk d = desk_new();
    desk_put(&d, "{\"subject\": \"a\"}");
    peer_order(&d.peer, "knobs", "{\"a write is refused\": {\"value\": 422}}");
    struct write_outcome o = change(&d, "1", value_string("title", "x"), NULL);
    CU_ASSERT_TRUE(refused(&o, SL_REJECTED, "ticket 1: Zendesk answers 422: a write is refused"));
    peer_order(&d.peer, "knobs", "{\"403\": 1}");
    o = change(&d, "1", value_string("title", "x"), NULL);
    CU_ASSERT_TRUE(refused(&o, SL_AUTH, "the token's user must be an admin, and an OAuth token needs the scopes"));
    peer_order(&d.peer, "knobs", "{\"429 for a write\": 1}");
    o = change(&d, "1", value_string("title", "x"), NULL); /* waited for */
    CU_ASSERT_TRUE(applied(&o));
    desk_end(&d);
}

/* --- jobs --- */

enum { MANY = 10 };

static void write_many(struct desk *d, struct write_outcome out[MANY], const char *stale)
{
    static struct sl_value title;
    struct sl_write writes[MANY];
    title = value_string("title", "new");
    for (int i = 0; i < MANY; i++) {
        writes[i] = kit_make(d->k, SL_UPDATE, arena_printf(&d->k->a, "%d", i + 1), &title, 1);
        writes[i].expected_version = i == 4 ? stale : NULL;
    }
    kit_write(d->k, "tickets", writes, MANY, out);
}

static struct desk desk_of_many(void)
{
    struct desk d = desk_new();
    for (int i = 0; i < MANY; i++)
        desk_put(&d, i == 2 ? "{\"subject\": \"a\", \"status\": \"closed\"}" : "{\"subject\": \"a\"}");
    peer_order(&d.peer, "delete", "{\"id\": 7}");
    return d;
}

/* A completed job whose rows have each their own end, told in another order. */
static void a_job(void)
{
    struct desk d = desk_of_many();
    struct write_outcome o[MANY];
    write_many(&d, o, "2001-01-01T00:00:00Z");
    for (int i = 0; i < MANY; i++)
        if (i != 2 && i != 4 && i != 6) {
            CU_ASSERT_TRUE_FATAL(applied(&o[i]) && o[i].record != NULL);
            CU_ASSERT_TRUE(o[i].read_back);
            CU_ASSERT_STRING_EQUAL(kit_field(o[i].record, "title"), "new");
        }
    CU_ASSERT_TRUE(refused(&o[2], SL_REJECTED, "ticket 3: Status: closed prevents ticket update"));
    CU_ASSERT_TRUE(refused(&o[4], SL_CONFLICT, "the ticket was changed since it was read"));
    CU_ASSERT_TRUE(refused(&o[6], SL_GONE, "ticket 7: Not found"));
    CU_ASSERT_EQUAL(peer_count(&d.peer, "writes", NULL), 1);
    desk_end(&d);
}

/* Of a row that the job does not tell of, and of all where its answer was lost, nobody knows. */
static void jobs_in_doubt(void)
{
    struct write_outcome o[MANY];
    struct desk d = desk_of_many();
    peer_order(&d.peer, "knobs", "{\"an outcome is left out\": 1}");
    write_many(&d, o, NULL);
    CU_ASSERT_EQUAL(o[MANY - 1].result, SL_UNCERTAIN);
    CU_ASSERT_TRUE(kit_says(o[MANY - 1].message, "the job ended and says nothing of this ticket: it is read again"));
    CU_ASSERT_TRUE(applied(&o[0]));
    peer_order(&d.peer, "knobs", "{\"half a batch\": 1}");
    write_many(&d, o, NULL);
    for (int i = 0; i < MANY; i++)
        CU_ASSERT_EQUAL(o[i].result, SL_UNCERTAIN);
    CU_ASSERT_TRUE(kit_says(o[0].message, "the answer to a job was lost: the ticket is read again"));
    desk_end(&d);
}

static void too_many_jobs(void)
{
    struct write_outcome o[MANY];
    struct desk d = desk_of_many();
    peer_order(&d.peer, "limits", "{\"jobs\": -1}");
    write_many(&d, o, NULL);
    for (int i = 0; i < MANY; i++)
        if (i != 2 && i != 6)
            CU_ASSERT_TRUE(applied(&o[i]));
    CU_ASSERT_EQUAL(peer_count(&d.peer, "writes", NULL), 1 + MANY);
    desk_end(&d);
}

/* --- deletes --- */

static void deletes(void)
{
    struct desk d = desk_new();
    for (int i = 0; i < 3; i++)
        desk_put(&d, "{\"subject\": \"a\"}");
    struct sl_write w = kit_make(d.k, SL_DELETE, "1", NULL, 0);
    w.expected_version = version_of(&d, "1");
    struct write_outcome o = kit_do(d.k, "tickets", w);
    CU_ASSERT_TRUE(applied(&o));
    CU_ASSERT_EQUAL(kit_get(d.k, "tickets", "1").kind, SL_ITEM_TOMBSTONE);
    o = kit_do(d.k, "tickets", kit_make(d.k, SL_DELETE, "1", NULL, 0));
    CU_ASSERT_TRUE(refused(&o, SL_GONE, "ticket 1: Zendesk answers 404"));
    w = kit_make(d.k, SL_DELETE, "2", NULL, 0);
    w.expected_version = "2001-01-01T00:00:00Z";
    o = kit_do(d.k, "tickets", w);
    CU_ASSERT_TRUE(refused(&o, SL_CONFLICT, "the ticket was changed since it was read: it is read and planned again"));
    CU_ASSERT_EQUAL(kit_get(d.k, "tickets", "2").kind, SL_ITEM_RECORD);
    o = kit_do(d.k, "tickets", kit_make(d.k, SL_ARCHIVE, "3", NULL, 0));
    CU_ASSERT_TRUE(refused(&o, SL_UNSUPPORTED, "tickets of Zendesk are created, updated and deleted; nothing else"));
    desk_end(&d);
}

static const struct check tests[] = {
    {"a create stores every kind of field, and begins internal", a_create},
    {"I19 a create whose answer is lost is one ticket", a_lost_answer},
    {"I19 a repeat after the server forgot the key finds the ticket", a_repeat_after_hours},
    {"I19 another content under one key makes no second ticket", another_content},
    {"I19 I30 tickets are found by the host's key, archived ones too, and all of them", found_by_key},
    {"I24 an update under an older version is refused; without one it is forced", a_guarded_update},
    {"I24 two edits within one second are two versions", within_a_second},
    {"an update whose answer is lost is uncertain, and sent once", a_lost_update},
    {"an answer without the ticket is read back", short_answers},
    {"I23 what Zendesk refuses is told in words", refusals},
    {"a closed ticket says that it is closed for ever", closed_for_ever},
    {"the account's own statuses by their labels", own_statuses},
    {"errors say what Zendesk says", envelopes},
    {"a job ends row by row", a_job},
    {"rows of a job that nobody tells of are uncertain", jobs_in_doubt},
    {"too many jobs: one by one", too_many_jobs},
    {"I24 I27 deletes are soft, and only of what was read", deletes},
};

CHECK_MAIN("zendesk writes", tests)
