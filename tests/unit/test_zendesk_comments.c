/* SPDX-License-Identifier: MIT */
/* test_zendesk_comments.c - comments: listed by ticket without its first one, added in order, found by their key, never sent to customers unasked. */
#include "zendesk_kit.h"

#define KEY "0123456789abcdef0123456789abcdef"

static void say(struct desk *d, const char *members)
{
    peer_order(&d->peer, "comment", arena_printf(&d->k->a, "{\"ticket\": 1, %s}", members));
}

static struct desk desk_with_ticket(void)
{
    struct desk d = desk_new();
    desk_put(&d, "{\"subject\": \"a\", \"description\": \"the first one\"}");
    desk_put(&d, "{\"subject\": \"b\"}");
    return d;
}

static struct sl_write comment(struct desk *d, const char *ticket, const struct sl_value *fields, uint32_t n,
                               const char *key)
{
    struct sl_write w = kit_make(d->k, SL_CREATE, NULL, fields, n);
    w.parent_id = ticket;
    w.correlation = key;
    return w;
}

static void listed(void)
{
    struct desk d = desk_with_ticket();
    say(&d, "\"author\": 101, \"body\": \"one\", \"public\": false");
    say(&d, "\"author\": 102, \"body\": \"two\", \"public\": true, "
            "\"attachments\": [{\"file_name\": \"log.txt\", \"content_url\": \"https://x/1\", \"size\": 3}]");
    CU_ASSERT_EQUAL(desk_pull(&d, "comments", NULL, "1"), SL_OK);
    CU_ASSERT_EQUAL(d.k->end.kind, SL_PAGE_COMPLETE);
    CU_ASSERT_EQUAL_FATAL(d.k->n_got, 2); /* the first one is the ticket's body */
    const struct sl_record *one = d.k->got[0].record, *two = d.k->got[1].record;
    CU_ASSERT_STRING_EQUAL(kit_field(one, "body"), "one");
    CU_ASSERT_STRING_EQUAL(kit_field(one, "author"), "Ann@acme.test");
    CU_ASSERT_STRING_EQUAL(kit_field(one, "author_name"), "Ann Example");
    CU_ASSERT_EQUAL(record_field(one, "public")->number, 0);
    CU_ASSERT_STRING_EQUAL(one->parent_id, "1");
    CU_ASSERT_STRING_EQUAL(one->id, "1-900001");
    CU_ASSERT_STRING_EQUAL(kit_field(two, "author"), "user:102");
    CU_ASSERT_EQUAL(record_field(two, "public")->number, 1);
    CU_ASSERT_STRING_EQUAL(kit_field(two, "attachments"), "[{\"name\":\"log.txt\",\"url\":\"https://x/1\"}]");
    CU_ASSERT_EQUAL(record_field(two, "created_at")->number, two->created_ms);
    CU_ASSERT_EQUAL(desk_requests(&d), 1);
    desk_end(&d);
}

static void page_by_page(void)
{
    struct desk d = desk_with_ticket();
    size_t n = 0;
    for (int i = 0; i < 5; i++)
        say(&d, "\"body\": \"x\"");
    peer_order(&d.peer, "knobs", "{\"small pages\": 2}");
    CU_ASSERT_EQUAL(desk_pull(&d, "comments", NULL, "1"), SL_OK);
    for (n = d.k->n_got; d.k->end.kind == SL_PAGE_MORE; n += d.k->n_got)
        CU_ASSERT_EQUAL_FATAL(desk_pull(&d, "comments", d.k->end.cursor, "1"), SL_OK);
    CU_ASSERT_EQUAL(n, 5);
    CU_ASSERT_EQUAL(d.k->end.kind, SL_PAGE_COMPLETE);
    CU_ASSERT_EQUAL(kit_get(d.k, "comments", "1-900009").kind, SL_ITEM_RECORD); /* on its last page */
    desk_end(&d);
}

/* A list without an end is no shorter list. */
static void in_a_circle(void)
{
    struct desk d = desk_with_ticket();
    peer_order(&d.peer, "knobs", "{\"pages in a circle\": {\"nth\": 1, \"times\": 2}}");
    CU_ASSERT_EQUAL(desk_pull(&d, "comments", NULL, "1"), SL_OK);
    CU_ASSERT_EQUAL(d.k->end.kind, SL_PAGE_MORE);
    CU_ASSERT_EQUAL(desk_pull(&d, "comments", d.k->end.cursor, "1"), SL_BROKEN);
    CU_ASSERT_TRUE(
        kit_says(d.k->e.text, "the list of comments says that there is more, but not where; try again later"));
    desk_end(&d);
}

static void by_id(void)
{
    struct desk d = desk_with_ticket();
    const char *ids[] = {"1-900001", "1-5", "1-500001", "9-900001", "rubbish"};
    say(&d, "\"body\": \"one\"");
    CU_ASSERT_EQUAL(session_get(d.k->s, "comments", ids, 5, kit_sink(d.k), &d.k->e), SL_OK);
    CU_ASSERT_EQUAL_FATAL(d.k->n_got, 5);
    CU_ASSERT_EQUAL(kit_find(d.k, "1-900001")->kind, SL_ITEM_RECORD);
    for (int i = 1; i < 5; i++)
        CU_ASSERT_EQUAL(kit_find(d.k, ids[i])->kind, SL_ITEM_TOMBSTONE);
    CU_ASSERT_EQUAL(desk_requests(&d), 2); /* one a ticket */
    desk_end(&d);
}

/* A redacted comment is another version, and its ticket's. */
static void redacted(void)
{
    struct desk d = desk_with_ticket();
    say(&d, "\"body\": \"a secret\"");
    const char *before = arena_text(&d.k->a, kit_get(d.k, "comments", "1-900001").version);
    const struct got seen = kit_get(d.k, "comments", "1-900001");
    before = arena_text(&d.k->a, seen.record->version);
    peer_order(&d.peer, "redact", "{\"comment\": 900001, \"body\": \"a ######\"}");
    const struct got now = kit_get(d.k, "comments", "1-900001");
    CU_ASSERT_STRING_EQUAL(kit_field(now.record, "body"), "a ######");
    CU_ASSERT_STRING_NOT_EQUAL(now.record->version, before);
    desk_end(&d);
}

/* Two comments within one second: the ticket's time is the same, its version is not. */
static void within_a_second(void)
{
    struct desk d = desk_with_ticket();
    say(&d, "\"body\": \"one\"");
    const char *before = arena_text(&d.k->a, kit_get(d.k, "tickets", "1").record->version);
    say(&d, "\"body\": \"two\"");
    CU_ASSERT_STRING_NOT_EQUAL(kit_get(d.k, "tickets", "1").record->version, before);
    desk_end(&d);
}

static void added(void)
{
    struct desk d = desk_with_ticket();
    const struct sl_value plain[] = {value_string("body", "hello \"there\"")};
    const struct sl_value full[] = {value_string("body", "to the customer"),
                                    value_as("author", SL_REF, "ann@acme.test"),
                                    {.name = "public", .type = SL_BOOL, .number = 1}};
    struct write_outcome o = kit_do(d.k, "comments", comment(&d, "1", plain, 1, KEY));
    CU_ASSERT_TRUE_FATAL(applied(&o) && o.record != NULL);
    CU_ASSERT_STRING_EQUAL(o.record->id, "1-900001");
    CU_ASSERT_STRING_EQUAL(o.record->parent_id, "1");
    CU_ASSERT_STRING_EQUAL(o.record->correlation, KEY);
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "body"), "hello \"there\"");
    CU_ASSERT_EQUAL(record_field(o.record, "public")->number, 0);
    const char *version = arena_text(&d.k->a, o.record->version);
    const struct got seen = kit_get(d.k, "comments", "1-900001");
    CU_ASSERT_STRING_EQUAL_FATAL(kit_field(seen.record, "body"), "hello \"there\"");
    CU_ASSERT_STRING_EQUAL(seen.record->version, version); /* read again it is no change */
    CU_ASSERT_STRING_EQUAL(seen.record->correlation, KEY);
    o = kit_do(d.k, "comments", comment(&d, "1", full, 3, NULL));
    CU_ASSERT_TRUE_FATAL(applied(&o) && o.record != NULL);
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "author"), "Ann@acme.test");
    CU_ASSERT_EQUAL(record_field(o.record, "public")->number, 1);
    struct buf out = {0};
    peer_ask(&d.peer, "POST", "/_peer/limits", "{}", &out);
    CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "\"without_public\":0")); /* left out, customers would get a mail */
    buf_fini(&out);
    desk_end(&d);
}

/* Its answer lost, it is there: found by its key, in its ticket, whatever was said since. */
static void a_lost_one(void)
{
    struct desk d = desk_with_ticket();
    const struct sl_value body[] = {value_string("body", "hello")};
    peer_order(&d.peer, "knobs", "{\"the reply is lost\": 1}");
    struct write_outcome o = kit_do(d.k, "comments", comment(&d, "1", body, 1, KEY));
    CU_ASSERT_EQUAL(o.result, SL_UNCERTAIN);
    CU_ASSERT_EQUAL(peer_count(&d.peer, "writes", NULL), 1);
    say(&d, "\"body\": \"hello\"");
    CU_ASSERT_EQUAL(desk_find(&d, "comments", KEY, "1"), SL_OK);
    CU_ASSERT_EQUAL_FATAL(d.k->n_got, 1);
    CU_ASSERT_STRING_EQUAL(d.k->got[0].id, "1-900001");
    CU_ASSERT_EQUAL(desk_find(&d, "comments", "ffffffffffffffffffffffffffffffff", "1"), SL_OK);
    CU_ASSERT_EQUAL(d.k->n_got, 0);
    peer_order(&d.peer, "knobs", "{\"an answer that is no JSON\": 1}");
    o = kit_do(d.k, "comments", comment(&d, "1", body, 1, KEY));
    CU_ASSERT_EQUAL(o.result, SL_UNCERTAIN);
    CU_ASSERT_TRUE(kit_says(o.message, "Zendesk took the comment and does not say under which id: it is looked for"));
    desk_end(&d);
}

/* After one in doubt those behind it on the same ticket wait; on another they go on. */
static void in_order(void)
{
    struct desk d = desk_with_ticket();
    const struct sl_value body[] = {value_string("body", "hello")};
    struct sl_write writes[] = {comment(&d, "1", body, 1, KEY), comment(&d, "1", body, 1, NULL),
                                comment(&d, "2", body, 1, NULL), comment(&d, "1", body, 1, NULL)};
    struct write_outcome o[4];
    peer_order(&d.peer, "knobs", "{\"the request is lost\": 1}");
    kit_write(d.k, "comments", writes, 4, o);
    CU_ASSERT_EQUAL(o[0].result, SL_UNCERTAIN);
    CU_ASSERT_TRUE(refused(&o[1], SL_RETRY,
                           "the comment before it on its ticket is not there yet: it waits, so that the order stays"));
    CU_ASSERT_TRUE(applied(&o[2]));
    CU_ASSERT_TRUE(refused(&o[3], SL_RETRY, "it waits, so that the order stays"));
    desk_end(&d);
}

static void refusals(void)
{
    struct desk d = desk_with_ticket();
    const struct sl_value empty[] = {value_string("body", "")};
    const struct sl_value nobody[] = {value_string("body", "x"), value_as("author", SL_REF, "nobody@acme.test")};
    const struct sl_value body[] = {value_string("body", "x")};
    struct write_outcome o = kit_do(d.k, "comments", comment(&d, "1", empty, 1, KEY));
    CU_ASSERT_TRUE(refused(&o, SL_REJECTED, "a comment of Zendesk cannot be empty; give it a text or leave it out"));
    o = kit_do(d.k, "comments", comment(&d, "1", nobody, 2, KEY));
    CU_ASSERT_TRUE(
        refused(&o, SL_REJECTED, "the author of a comment: nobody in Zendesk has the e-mail address nobody@acme.test"));
    o = kit_do(d.k, "comments", comment(&d, "77", body, 1, KEY));
    CU_ASSERT_TRUE(refused(&o, SL_GONE, "a comment on ticket 77: Zendesk answers 404"));
    o = kit_do(d.k, "comments", kit_make(d.k, SL_UPDATE, "1-900001", body, 1));
    CU_ASSERT_TRUE(
        refused(&o, SL_UNSUPPORTED, "comments of Zendesk are added to a ticket, and neither changed nor deleted"));
    desk_put(&d, "{\"id\": 2, \"status\": \"closed\"}");
    o = kit_do(d.k, "comments", comment(&d, "2", body, 1, KEY));
    CU_ASSERT_TRUE(refused(&o, SL_REJECTED, "closed prevents ticket update; it is closed for ever"));
    CU_ASSERT_EQUAL(desk_pull(&d, "comments", NULL, NULL), SL_UNSUPPORTED);
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "comments of Zendesk are listed by ticket; make them `children` of the pair"));
    CU_ASSERT_EQUAL(desk_pull(&d, "comments", NULL, "x"), SL_GONE);
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "no ticket of Zendesk has the id x"));
    CU_ASSERT_EQUAL(desk_pull(&d, "comments", NULL, "77"), SL_GONE);
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "ticket 77 is not there any more, nor are its comments"));
    CU_ASSERT_EQUAL(desk_find(&d, "comments", KEY, NULL), SL_UNSUPPORTED);
    CU_ASSERT_TRUE(kit_says(d.k->e.text, "comments of Zendesk are looked for in their ticket; name one"));
    desk_end(&d);
}

static const struct check tests[] = {
    {"comments are listed by ticket, oldest first, without its body", listed},
    {"page by page, complete at the end", page_by_page},
    {"I26 pages in a circle are no end", in_a_circle},
    {"by id, one request a ticket; what is not there is told", by_id},
    {"a redacted comment is another version", redacted},
    {"I22 two comments within one second are two versions of their ticket", within_a_second},
    {"I13 an added comment is internal unless said, and read again it is the same", added},
    {"I19 a lost one is found by its key in its ticket", a_lost_one},
    {"comments stay in order: behind one in doubt the next ones wait", in_order},
    {"I23 what cannot be added is refused in words", refusals},
};

CHECK_MAIN("zendesk comments", tests)
