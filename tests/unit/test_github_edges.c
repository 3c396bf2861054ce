/* SPDX-License-Identifier: MIT */
/* test_github_edges.c - a simulated GitHub that says no: gone, moved, hidden, renamed, archived, limited, unfit; and lost replies. */
#include "github_kit.h"

/* Reads issue 1 and says what came of it. */
static struct got read_one(struct rig *r, int rc)
{
    const char *ids[] = {"1"};
    CU_ASSERT_EQUAL(session_get(r->k->s, "issues", ids, 1, kit_sink(r->k), &r->k->e), rc);
    return rc == SL_OK && r->k->n_got == 1 ? r->k->got[0] : (struct got){0};
}

static int check_anew(struct rig *r)
{
    err_clear(&r->k->e);
    return session_check(r->k->s, &r->k->e);
}

/* I26: four kinds of not being there, of which two are deletes. */
static void not_there(void)
{
    struct rig r = rig_start();
    for (int i = 0; i < 4; i++)
        rig_put(&r, "{\"title\": \"t\"}");
    const char *ids[] = {"1", "2", "3", "4", "5", "x", "007", "99999999999999999999999999"};
    peer_order(&r.peer, "delete", "{\"number\": 2}");
    peer_order(&r.peer, "transfer", "{\"number\": 3, \"to\": \"acme/other\"}");
    CU_ASSERT_EQUAL(session_get(r.k->s, "issues", ids, 8, kit_sink(r.k), &r.k->e), SL_OK);
    CU_ASSERT_EQUAL_FATAL(r.k->n_got, 8);
    for (size_t i = 0; i < 8; i++) {
        const struct got *got = kit_find(r.k, ids[i]);
        CU_ASSERT_EQUAL(got->kind, i == 0 || i == 3 ? SL_ITEM_RECORD : SL_ITEM_TOMBSTONE);
    }
    /* The token may not see the repository any more: nothing of it is deleted. */
    peer_order(&r.peer, "repository", "{\"visible\": false}");
    read_one(&r, SL_AUTH);
    CU_ASSERT_TRUE(
        kit_says(r.k->e.text, "repository acme/desk: it is not there, or the token may not see it: look at"));
    CU_ASSERT_EQUAL(rig_pull(&r, "issues", NULL, NULL), SL_AUTH);
    CU_ASSERT_EQUAL(check_anew(&r), SL_AUTH);
    peer_order(&r.peer, "repository", "{\"visible\": true, \"issues\": false}");
    read_one(&r, SL_CONFIG);
    CU_ASSERT_TRUE(kit_says(r.k->e.text, "Issues are disabled for this repo; switch issues on in the repository's"));
    CU_ASSERT_EQUAL(rig_pull(&r, "issues", NULL, NULL), SL_CONFIG);
    CU_ASSERT_EQUAL(check_anew(&r), SL_CONFIG);
    CU_ASSERT_TRUE(kit_says(r.k->e.text, "repository acme/desk has its issues switched off: switch them on in its"));
    CU_ASSERT_EQUAL(rig_create(&r, "t", NULL).error_class, SL_CONFIG);
    rig_stop(&r);
}

/* Reads follow GitHub's redirects, writes are never sent elsewhere than they were meant for. */
static void renamed(void)
{
    struct rig r = rig_start();
    rig_create(&r, "t", "b");
    rig_comment(&r, "1", "c");
    peer_order(&r.peer, "repository", "{\"name\": \"acme/renamed\"}");
    CU_ASSERT_EQUAL(rig_pull_all(&r, "issues", NULL, NULL), SL_OK);
    CU_ASSERT_EQUAL(r.k->n_got, 1);
    CU_ASSERT_EQUAL(rig_pull_all(&r, "comments", NULL, "1"), SL_OK);
    CU_ASSERT_EQUAL(r.k->n_got, 1);
    CU_ASSERT_EQUAL(read_one(&r, SL_OK).kind, SL_ITEM_RECORD);
    CU_ASSERT_EQUAL(check_anew(&r), SL_CONFIG);
    CU_ASSERT_TRUE(
        kit_says(r.k->e.text, "repository acme/desk is called acme/renamed now: put that into owner and repo"));
    struct write_outcome o = rig_create(&r, "t2", NULL);
    CU_ASSERT_EQUAL(o.result, SL_NOT_APPLIED);
    CU_ASSERT_EQUAL(o.error_class, SL_CONFIG);
    CU_ASSERT_TRUE(kit_says(o.message, "new issue \"t2\": repository acme/desk is called acme/renamed now"));
    CU_ASSERT_EQUAL(peer_count(&r.peer, "creates", NULL), 2);
    rig_stop(&r);
}

static void transferred(void)
{
    struct rig r = rig_start();
    rig_create(&r, "t", "b");
    rig_comment(&r, "1", "c");
    peer_order(&r.peer, "transfer", "{\"number\": 1, \"to\": \"acme/other\"}");
    struct write_outcome o = rig_set(&r, "1", "title", SL_STRING, "new");
    CU_ASSERT_EQUAL(o.result, SL_NOT_APPLIED);
    CU_ASSERT_EQUAL(o.error_class, SL_CONFLICT);
    CU_ASSERT_TRUE(kit_says(o.message, "issue 1: was transferred to another repository: it is read again"));
    rig_stop(&r);
}

/* --- writes that are refused: what, and what then --- */

struct no {
    const char *order; /* of the repository */
    const char *field, *text;
    uint32_t type;
    int sl_class;
    const char *says;
};

static const struct no noes[] = {
    {"{\"archived\": true}", "title", "x", SL_STRING, SL_CONFIG,
     "issue 1: Repository was archived so is read-only.; an archived repository takes no writes: unarchive it"},
    {"{\"permission\": false}", "title", "x", SL_STRING, SL_AUTH,
     "issue 1: Resource not accessible by personal access token; give the token the permission issues=write"},
    {"{}", "title", NULL, SL_STRING, SL_REJECTED, "issue 1: an issue cannot be without a title: give it one"},
    {"{}", "title", "", SL_STRING, SL_REJECTED,
     "issue 1: Validation Failed: title is missing_field; correct the record"},
    {"{}", "status", "on_hold", SL_ENUM, SL_REJECTED, "issue 1: Validation Failed: state is invalid: on_hold"},
    {"{}", "assignee", "users:nobody", SL_REF, SL_REJECTED,
     "issue 1: Validation Failed: nobody called nobody can be assigned there: correct his login in `users`"},
    {"{}", "assignee", "users:ann@acme.test", SL_REF, SL_REJECTED,
     "issue 1: \"ann@acme.test\" is no login of GitHub: add the person to `users` with his login"},
    {"{}", "milestone", "2.0", SL_STRING, SL_REJECTED,
     "issue 1: acme/desk has no milestone \"2.0\": create it there, or map it to one of its own"},
};

static void refused(void)
{
    struct rig r = rig_start();
    rig_put(&r, "{\"title\": \"t\"}");
    for (size_t i = 0; i < sizeof noes / sizeof *noes; i++) {
        peer_order(&r.peer, "repository", noes[i].order);
        struct write_outcome o = rig_set(&r, "1", noes[i].field, noes[i].type, noes[i].text);
        CU_ASSERT_EQUAL(o.result, SL_NOT_APPLIED);
        CU_ASSERT_EQUAL(o.error_class, noes[i].sl_class);
        CU_ASSERT_TRUE(kit_says(o.message, noes[i].says));
        peer_order(&r.peer, "repository", "{\"archived\": false, \"permission\": true}");
    }
    struct write_outcome o = rig_set(&r, "77", "title", SL_STRING, "x");
    CU_ASSERT_EQUAL(o.error_class, SL_GONE);
    CU_ASSERT_TRUE(kit_says(o.message, "issue 77: Not Found; it is not there, or the token may not see it"));
    o = rig_set(&r, "x", "title", SL_STRING, "x");
    CU_ASSERT_EQUAL(o.error_class, SL_GONE);
    CU_ASSERT_TRUE(kit_says(o.message, "issue x: is no number that GitHub gives out"));
    peer_order(&r.peer, "delete", "{\"number\": 1}");
    o = rig_set(&r, "1", "title", SL_STRING, "x");
    CU_ASSERT_EQUAL(o.error_class, SL_GONE);
    CU_ASSERT_TRUE(kit_says(o.message, "issue 1: This issue was deleted; it was deleted"));
    rig_stop(&r);
}

/* 65,536 characters, the key's among them; the text of the record is never cut. */
static void too_long(void)
{
    struct rig r = rig_start();
    enum { MOST = 65536, MARKED = MOST - (int)sizeof MARK - 1 };
    char *body = mem_alloc(MOST + 2);
    memset(body, 'a', MARKED);
    CU_ASSERT_EQUAL(rig_create(&r, "fits", body).result, SL_APPLIED);
    body[MARKED] = 'a';
    struct write_outcome o = rig_create(&r, "does not fit", body);
    CU_ASSERT_EQUAL(o.result, SL_NOT_APPLIED);
    CU_ASSERT_EQUAL(o.error_class, SL_REJECTED);
    CU_ASSERT_TRUE(kit_says(o.message, "new issue \"does not fit\": Validation Failed: body is too long (maximum is "
                                       "65536 characters); correct the record"));
    rig_comment(&r, "1", "c");
    o = rig_comment(&r, "1", body);
    CU_ASSERT_TRUE(kit_says(o.message, "new comment on issue 1: Validation Failed: body is too long"));
    mem_free(body);
    rig_stop(&r);
}

/* 2xx is not applied: without push access GitHub drops labels and people and says nothing. */
static void dropped(void)
{
    struct rig r = rig_start();
    rig_put(&r, "{\"title\": \"t\"}");
    peer_order(&r.peer, "repository", "{\"push\": false}");
    CU_ASSERT_EQUAL(check_anew(&r), SL_OK);
    struct sl_value fields[] = {rig_value(&r, "title", SL_STRING, "new"), rig_value(&r, "labels", SL_SET, "[\"x\"]")};
    struct write_outcome o = kit_do(r.k, "issues", rig_write(&r, SL_UPDATE, "1", fields, 2));
    CU_ASSERT_EQUAL(o.result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_field(o.record, "title"), "new");
    CU_ASSERT_EQUAL(record_field(o.record, "labels")->n_items, 0);
    rig_stop(&r);
}

/* --- limits --- */

/* The rest of a batch is not sent once GitHub asks for a pause, or once the connection is at fault. */
static void halted(void)
{
    static const struct {
        const char *order;
        int sl_class;
        int64_t wait_ms;
    } rows[] = {{"{\"secondary\": 1}", SL_RATE, 60000}, {"{\"permission\": false}", SL_AUTH, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig r = rig_start();
        struct sl_value title = rig_value(&r, "title", SL_STRING, "t");
        struct sl_write w[3];
        struct write_outcome o[3];
        for (int n = 0; n < 3; n++)
            w[n] = rig_write(&r, SL_CREATE, NULL, &title, 1);
        peer_order(&r.peer, "repository", rows[i].order);
        kit_write(r.k, "issues", w, 3, o);
        for (int n = 0; n < 3; n++) {
            CU_ASSERT_EQUAL(o[n].result, SL_NOT_APPLIED);
            CU_ASSERT_EQUAL(o[n].error_class, rows[i].sl_class);
            CU_ASSERT_EQUAL(o[n].retry_after_ms, rows[i].wait_ms);
        }
        CU_ASSERT_EQUAL(peer_count(&r.peer, "writes", NULL), 1);
        rig_stop(&r);
    }
}

/* With a time to wait the host waits for it, and the write goes through; so does a read when the hour's requests are used up. */
static void waited_out(void)
{
    struct rig r = rig_start();
    peer_order(&r.peer, "repository", "{\"secondary\": 1, \"secondary_wait_s\": 1}");
    CU_ASSERT_EQUAL(rig_create(&r, "t", NULL).result, SL_APPLIED);
    CU_ASSERT_EQUAL(peer_count(&r.peer, "writes", NULL), 2);
    CU_ASSERT_EQUAL(peer_count(&r.peer, "creates", NULL), 1);
    peer_order(&r.peer, "repository", "{\"core_limit\": 4, \"core_window_s\": 2}");
    for (int i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(rig_pull(&r, "issues", NULL, NULL), SL_OK);
    rig_stop(&r);
}

/* A pause between two writes, as GitHub asks for: by the session's clock. */
static int64_t clock_ms, slept_ms;
static int64_t fake_now(void *self)
{
    (void)self;
    return clock_ms;
}
static void fake_sleep(void *self, uint32_t ms)
{
    (void)self;
    clock_ms += ms;
    slept_ms += ms;
}
static int stop_after;
static int fake_stopping(void *self)
{
    (void)self;
    return stop_after >= 0 && stop_after-- <= 0;
}

static void paused(void)
{
    struct session_world world = session_real_world;
    struct rig r = rig_start();
    struct sl_value title = rig_value(&r, "title", SL_STRING, "t");
    struct sl_value all[] = {value_string("base_url", r.peer.url), value_string("owner", "acme"),
                             value_string("repo", "desk")};
    struct sl_write w[3];
    struct write_outcome o[3];
    clock_ms = session_real_world.now_ms(session_real_world.self); /* and from here on it stands still */
    world.now_ms = fake_now;
    world.sleep_ms = fake_sleep;
    world.stopping = fake_stopping;
    stop_after = -1;
    session_close(r.k->s);
    CU_ASSERT_EQUAL_FATAL(kit_open_in(r.k, "github", all, 3, &world), SL_OK);
    for (int i = 0; i < 3; i++)
        w[i] = rig_write(&r, SL_CREATE, NULL, &title, 1);
    kit_write(r.k, "issues", w, 3, o);
    CU_ASSERT_EQUAL(o[2].result, SL_APPLIED);
    CU_ASSERT_EQUAL(slept_ms, 2000);
    stop_after = 0;
    kit_write(r.k, "issues", w, 1, o);
    CU_ASSERT_EQUAL(o[0].result, SL_NOT_APPLIED);
    CU_ASSERT_EQUAL(o[0].error_class, SL_RETRY);
    CU_ASSERT_TRUE(kit_says(o[0].message, "new issue \"t\": not sent, for this run ends here: a later run sends it"));
    rig_stop(&r);
}

/* --- lost replies, and finding again --- */

/* I19: an answer that is lost or worthless is no answer; the record is found by its key. */
static void lost(void)
{
    static const struct {
        const char *knobs;
        bool made;
    } rows[] = {
        {"{\"the reply is lost\": 1}", true},          {"{\"the request is lost\": 1}", false},
        {"{\"5xx after the effect\": 1}", true},       {"{\"5xx\": 1}", false},
        {"{\"answers without the record\": 1}", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig r = rig_start();
        rig_put(&r, "{\"title\": \"another\", \"body\": \"<!-- syncline:ffffffffffffffffffffffffffffffff -->\"}");
        peer_order(&r.peer, "knobs", rows[i].knobs);
        CU_ASSERT_EQUAL(rig_create(&r, "t", "b").result, SL_UNCERTAIN);
        peer_order(&r.peer, "calm", "{}");
        CU_ASSERT_EQUAL(rig_find(&r, "issues", KEY, NULL), SL_OK);
        CU_ASSERT_EQUAL(r.k->n_got, rows[i].made);
        if (rows[i].made)
            CU_ASSERT_STRING_EQUAL(r.k->got[0].record->correlation, KEY);
        rig_stop(&r);
    }
}

/* Among the newest 300 at once, whatever the search lags; behind them by the search. */
static void found(void)
{
    struct rig r = rig_start();
    rig_create(&r, "t", "b");
    peer_order(&r.peer, "repository", "{\"search_lag_ms\": 30000}");
    CU_ASSERT_EQUAL(rig_find(&r, "issues", KEY, NULL), SL_OK);
    CU_ASSERT_EQUAL(r.k->n_got, 1);
    CU_ASSERT_EQUAL(rig_limit(&r, "search"), 0);
    rig_set(&r, "1", "status", SL_ENUM, "closed");
    CU_ASSERT_EQUAL(rig_find(&r, "issues", KEY, NULL), SL_OK);
    CU_ASSERT_EQUAL(r.k->n_got, 1);
    for (int i = 0; i < 4; i++)
        rig_put(&r, "{\"title\": \"newer\"}");
    peer_order(&r.peer, "knobs", "{\"small pages\": 1}");
    CU_ASSERT_EQUAL(rig_find(&r, "issues", KEY, NULL), SL_OK);
    CU_ASSERT_EQUAL(r.k->n_got, 0);
    peer_order(&r.peer, "clock", "{\"ahead_ms\": 60000}");
    CU_ASSERT_EQUAL(rig_find(&r, "issues", KEY, NULL), SL_OK);
    CU_ASSERT_EQUAL(r.k->n_got, 1);
    peer_order(&r.peer, "repository", "{\"search_ends_early\": true}");
    CU_ASSERT_EQUAL(rig_find(&r, "issues", KEY, NULL), SL_RETRY);
    CU_ASSERT_TRUE(kit_says(r.k->e.text, "searching issues by key: GitHub's search ran out of time before its end"));
    peer_order(&r.peer, "calm", "{}");
    struct sl_value title = value_string("title", "t");
    struct sl_find by_title = {.size = sizeof by_title, .object = "issues", .value = &title};
    CU_ASSERT_EQUAL(session_find(r.k->s, &by_title, kit_sink(r.k), &r.k->e), SL_UNSUPPORTED);
    peer_order(&r.peer, "knobs", "{\"an answer that is no JSON\": 1}");
    CU_ASSERT_EQUAL(rig_find(&r, "issues", KEY, NULL), SL_RETRY);
    CU_ASSERT_TRUE(kit_says(r.k->e.text, "looking for issues by key: the answer is not GitHub's: look at base_url"));
    rig_stop(&r);
}

static const struct check tests[] = {
    {"I26 deleted, transferred, hidden and switched off are told apart", not_there},
    {"a renamed repository is read under its old name, and not written to", renamed},
    {"a transferred issue is not written to", transferred},
    {"a write that is refused names the record and the next step", refused},
    {"a body over the limit is refused, never cut", too_long},
    {"labels dropped without a word are not taken for stored", dropped},
    {"a batch ends where GitHub asks for a pause", halted},
    {"a pause with an end is waited out", waited_out},
    {"a second between two writes, and none after a stop", paused},
    {"I19 what was created and not answered is found by its key", lost},
    {"found among the newest at once, and behind them by the search", found},
};

CHECK_MAIN("github edges", tests)
