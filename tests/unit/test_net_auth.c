/* SPDX-License-Identifier: MIT */
/* test_net_auth.c - tokens got, kept, rotated and renewed, against a simulated token server. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../peers/keys.h"
#include "../peers/kit.h"
#include "base/file.h"
#include "base/text.h"
#include "check.h"
#include "net/http.h"
#include "store/tokens.h"
#include "table_peer.h"

enum { PROCESSES = 4, BATCH = 20, HOURS_MS = 2 * 3600 * 1000 };

#define CLIENT "\"token_url\":\"/oauth/token\",\"client_id\":\"desk\",\"client_secret\":\"canary-secret\""
static const char by_client[] = "{\"type\":\"client_credentials\"," CLIENT "}";
static const char by_refresh[] = "{\"type\":\"refresh_token\"," CLIENT ",\"refresh_token\":\"canary-r0\"}";
static const char asked_for[] =
    "{\"client_id\":\"desk\",\"client_secret\":\"canary-secret\",\"refresh_token\":\"canary-r0\"}";

static struct peer_kit peer;
static char folder[] = "/tmp/syncline-auth-XXXXXX";
static int64_t ahead_ms;

static int64_t now_ms(void *self)
{
    (void)self;
    return clock_now_ms() + ahead_ms;
}

static void randomness(void *self, void *bytes, size_t n)
{
    (void)self;
    random_bytes(bytes, n);
}

static int going_on(void *self)
{
    (void)self;
    return 0;
}

static const struct http_world world = {NULL, now_ms, randomness, going_on, NULL};

/* One process's connection to the peer. */
struct rig {
    struct arena a;
    struct tokens *kept;
    struct auth *auth;
    struct http *http;
    struct err e;
};

static void rig_open(struct rig *r, const char *auth, const struct auth_tokens *tokens)
{
    memset(r, 0, sizeof *r);
    r->kept = tokens_open(folder, "desk");
    struct http_settings s = {.connection = "desk", .base_url = peer.url, .patience = {4, 1, 5, 2000}};
    struct auth_settings settings = {
        .json = auth, .base_url = peer.url, .allow_private = true, .limits = {.timeout_ms = 3000}};
    settings.tokens = (struct auth_tokens){r->kept, tokens_lock, tokens_unlock, tokens_load, tokens_save};
    if (tokens)
        settings.tokens = *tokens;
    CU_ASSERT_EQUAL_FATAL(auth_open(&settings, &r->auth, &r->e), 0);
    CU_ASSERT_EQUAL_FATAL(http_open(&s, r->auth, &world, &r->http, &r->e), 0);
}

static void rig_close(struct rig *r)
{
    http_close(r->http);
    auth_close(r->auth);
    tokens_close(r->kept);
    arena_fini(&r->a);
}

/* A peer that asks for tokens, and a state folder with none. */
static void begin(void)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    ahead_ms = 0;
    peer = peer_start("generic");
    peer_order(&peer, "knobs", "{\"credentials are needed\": true}");
    peer_order(&peer, "credentials", asked_for);
}

static void end(void)
{
    char command[100];
    peer_stop(&peer);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CU_ASSERT_EQUAL(system(command), 0);
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
}

static struct sl_http_response get(struct rig *r)
{
    struct sl_http_request q = {
        .size = sizeof q, .method = "GET", .url = "/items", .header_size = sizeof(struct sl_header)};
    struct sl_http_response got;
    http_many(r->http, &q, 1, sizeof q, &r->a, &got);
    return got;
}

/* Of a batch: how many were answered 200. */
static int get_many(struct rig *r, int n)
{
    struct sl_http_request *q = arena_alloc(&r->a, (size_t)n * sizeof *q);
    struct sl_http_response *got = arena_alloc(&r->a, (size_t)n * sizeof *got);
    int good = 0;
    for (int i = 0; i < n; i++)
        q[i] = (struct sl_http_request){
            .size = sizeof *q, .method = "GET", .url = "/items", .header_size = sizeof(struct sl_header)};
    http_many(r->http, q, (uint32_t)n, sizeof *q, &r->a, got);
    for (int i = 0; i < n; i++)
        good += got[i].status == 200;
    return good;
}

/* In a process of its own: what went wrong there, 0 for nothing. */
static pid_t process(const char *auth, const struct auth_tokens *tokens)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct rig r;
        rig_open(&r, auth, tokens);
        int status = (int)get(&r).status;
        rig_close(&r);
        _exit(status == 200 ? 0 : 1);
    }
    return pid;
}

static int ended(pid_t pid)
{
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int64_t tokens_given(void)
{
    return peer_count(&peer, "tokens", NULL);
}

static bool says(const struct sl_http_response *got, const char *part)
{
    return got->message && strstr(got->message, part) && !strstr(got->message, "canary");
}

/* --- getting in --- */

static void client_credentials(void)
{
    static const char *const ways[] = {by_client,
                                       "{\"type\":\"client_credentials\"," CLIENT ",\"client_auth\":\"body\"}"};
    begin();
    for (int i = 0; i < 2; i++) {
        struct rig r;
        rig_open(&r, ways[i], NULL);
        CU_ASSERT_EQUAL(get_many(&r, BATCH), BATCH);
        CU_ASSERT_EQUAL(tokens_given(), i + 1);
        rig_close(&r);
    }
    end();
}

static void wrong_secret(void)
{
    struct rig r;
    begin();
    rig_open(&r,
             "{\"type\":\"client_credentials\",\"token_url\":\"/oauth/token\",\"client_id\":\"desk\","
             "\"client_secret\":\"canary-wrong\"}",
             NULL);
    struct sl_http_response got = get(&r);
    CU_ASSERT_EQUAL(got.advice, SL_AUTH);
    CU_ASSERT_TRUE(says(&got, "answered 401 invalid_client; check the credentials"));
    rig_close(&r);
    end();
}

static void assertions(void)
{
    static const char *const algs[] = {"RS256", "PS256", "ES256"};
    static const char *const grants[] = {"", ",\"grant\":\"client_credentials\""};
    begin();
    for (int i = 0; i < 6; i++) {
        const char *secret, *open, *other;
        struct rig r;
        struct arena a = {0};
        keys_make(algs[i / 2], &a, &secret, &open);
        const char *auth =
            arena_printf(&a,
                         "{\"type\":\"jwt\",\"token_url\":\"/oauth/token\",\"alg\":\"%s\",\"iss\":\"desk\","
                         "\"private_key\":%s%s}",
                         algs[i / 2], secret, grants[i % 2]);
        peer_order(&peer, "credentials", arena_printf(&a, "{\"issuer\":\"desk\",\"public_key\":%s}", open));
        rig_open(&r, auth, NULL);
        CU_ASSERT_EQUAL(get(&r).status, 200);
        rig_close(&r);
        keys_make(algs[i / 2], &a, &secret, &other);
        peer_order(&peer, "credentials", arena_printf(&a, "{\"public_key\":%s}", other));
        rig_open(&r, auth, NULL);
        struct sl_http_response got = get(&r);
        CU_ASSERT_TRUE(says(&got, i % 2 ? "invalid_client" : "invalid_grant"));
        CU_ASSERT_PTR_NULL(strstr(got.message, "PRIVATE KEY"));
        rig_close(&r);
        arena_fini(&a);
    }
    end();
}

static void github_app(void)
{
    const char *secret, *open;
    struct rig r;
    struct arena a = {0};
    begin();
    keys_make("RS256", &a, &secret, &open);
    peer_order(&peer, "credentials", arena_printf(&a, "{\"issuer\":\"12\",\"public_key\":%s}", open));
    rig_open(&r,
             arena_printf(&a,
                          "{\"type\":\"github_app\",\"app_id\":\"12\",\"installation_id\":\"7\",\"private_key\":%s}",
                          secret),
             NULL);
    CU_ASSERT_EQUAL(get_many(&r, BATCH), BATCH);
    CU_ASSERT_EQUAL(tokens_given(), 1);
    ahead_ms = HOURS_MS;
    CU_ASSERT_EQUAL(get(&r).advice, SL_AUTH); /* signed two hours ahead of the server's clock */
    peer_order(&peer, "clock", "{\"ahead_ms\": 7200000}");
    CU_ASSERT_EQUAL(get(&r).status, 200);
    CU_ASSERT_EQUAL(tokens_given(), 2);
    rig_close(&r);
    arena_fini(&a);
    end();
}

/* --- rotation --- */

/* A store that sees what was used before it was told. */
struct watch {
    struct tokens *kept;
    int64_t used_before_save;
    int fail, kill; /* at the n-th save */
};

static int watch_load(void *self, struct arena *a, const char **text, struct err *e)
{
    return tokens_load(((struct watch *)self)->kept, a, text, e);
}

static int watch_save(void *self, const char *text, struct err *e)
{
    struct watch *w = self;
    w->used_before_save += peer_count(&peer, "reads", NULL);
    if (w->kill && --w->kill == 0)
        _exit(9);
    if (w->fail && --w->fail == 0)
        return err_set(e, ERR_FAILED, "tokens/desk: No space left on device; free some");
    return tokens_save(w->kept, text, e);
}

static struct auth_tokens watch_tokens(struct watch *w)
{
    return (struct auth_tokens){w, NULL, NULL, watch_load, watch_save};
}

static void saved_before_use(void)
{
    struct rig r;
    begin();
    struct watch w = {.kept = tokens_open(folder, "desk")};
    struct auth_tokens tokens = watch_tokens(&w);
    rig_open(&r, by_refresh, &tokens);
    CU_ASSERT_EQUAL(get_many(&r, 3), 3);
    CU_ASSERT_EQUAL(w.used_before_save, 0);
    CU_ASSERT_EQUAL(tokens_given(), 1);
    rig_close(&r);
    rig_open(&r, by_refresh, NULL); /* the next process has what the first one kept */
    CU_ASSERT_EQUAL(get(&r).status, 200);
    CU_ASSERT_EQUAL(tokens_given(), 1);
    rig_close(&r);
    tokens_close(w.kept);
    end();
}

static void not_used_unsaved(void)
{
    struct rig r;
    begin();
    struct watch w = {.kept = tokens_open(folder, "desk"), .fail = 1};
    struct auth_tokens tokens = watch_tokens(&w);
    rig_open(&r, by_refresh, &tokens);
    struct sl_http_response got = get(&r);
    CU_ASSERT_EQUAL(got.end, SL_HTTP_NOT_SENT);
    CU_ASSERT_TRUE(says(&got, "No space left on device"));
    CU_ASSERT_EQUAL(get(&r).status, 200);
    CU_ASSERT_EQUAL(w.used_before_save, 0);
    CU_ASSERT_EQUAL(tokens_given(), 1); /* what was got is kept at last, not got again */
    rig_close(&r);
    ahead_ms = HOURS_MS;
    rig_open(&r, by_refresh, NULL);
    CU_ASSERT_EQUAL(get(&r).status, 200);
    rig_close(&r);
    tokens_close(w.kept);
    end();
}

static void killed_before_save(void)
{
    for (int grace = 0; grace < 2; grace++) {
        struct rig r;
        begin();
        peer_order(&peer, "credentials", grace ? "{\"grace\": true}" : "{\"grace\": false}");
        struct watch w = {.kept = tokens_open(folder, "desk"), .kill = 1};
        struct auth_tokens tokens = watch_tokens(&w);
        CU_ASSERT_EQUAL(ended(process(by_refresh, &tokens)), 9);
        rig_open(&r, by_refresh, NULL);
        struct sl_http_response got = get(&r);
        if (grace) {
            CU_ASSERT_EQUAL(got.status, 200);
        } else {
            CU_ASSERT_EQUAL(got.advice, SL_AUTH);
            CU_ASSERT_TRUE(says(&got, "answered 400 invalid_grant; "));
        }
        rig_close(&r);
        tokens_close(w.kept);
        end();
    }
}

/* Rotated tokens are the one secret kept, for their owner only; what the config has is nowhere. */
static void kept_for_its_owner(void)
{
    struct buf text = {0};
    struct err e = {0};
    struct stat folder_is = {0}, file_is = {0};
    char path[100];
    begin();
    CU_ASSERT_EQUAL(ended(process(by_client, NULL)), 0);
    snprintf(path, sizeof path, "%s/tokens/desk", folder);
    CU_ASSERT_NOT_EQUAL(stat(path, &file_is), 0);
    CU_ASSERT_EQUAL(ended(process(by_refresh, NULL)), 0);
    CU_ASSERT_EQUAL(stat(path, &file_is), 0);
    CU_ASSERT_EQUAL(file_is.st_mode & 0777, 0600);
    CU_ASSERT_EQUAL(file_read(path, 1 << 16, &text, &e), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "\"refresh_token\":\"refresh-"));
    CU_ASSERT_PTR_NULL(strstr(text.data, "canary"));
    *strrchr(path, '/') = '\0';
    CU_ASSERT_EQUAL(stat(path, &folder_is), 0);
    CU_ASSERT_EQUAL(folder_is.st_mode & 0777, 0700);
    buf_fini(&text);
    end();
}

/* The kept one was revoked; a person put a new one into the config. */
static void config_is_newer(void)
{
    struct rig r;
    begin();
    CU_ASSERT_EQUAL(ended(process(by_refresh, NULL)), 0);
    peer_order(&peer, "credentials", "{\"refresh_token\":\"canary-r9\"}");
    ahead_ms = HOURS_MS;
    rig_open(&r, by_refresh, NULL);
    struct sl_http_response got = get(&r);
    CU_ASSERT_TRUE(says(&got, "invalid_grant"));
    rig_close(&r);
    rig_open(&r, "{\"type\":\"refresh_token\"," CLIENT ",\"refresh_token\":\"canary-r9\"}", NULL);
    CU_ASSERT_EQUAL(get(&r).status, 200);
    rig_close(&r);
    end();
}

static void one_of_many_processes(void)
{
    begin();
    for (int round = 1; round <= 3; round++) {
        pid_t pids[PROCESSES];
        for (int i = 0; i < PROCESSES; i++)
            pids[i] = process(by_refresh, NULL);
        for (int i = 0; i < PROCESSES; i++)
            CU_ASSERT_EQUAL(ended(pids[i]), 0);
        CU_ASSERT_EQUAL(tokens_given(), round);
        ahead_ms += HOURS_MS;
    }
    end();
}

/* What is kept is no good any more, and none of them knows. */
static void one_of_many_is_told(void)
{
    begin();
    CU_ASSERT_EQUAL(ended(process(by_refresh, NULL)), 0);
    for (int round = 2; round <= 4; round++) {
        pid_t pids[PROCESSES];
        peer_order(&peer, "knobs", "{\"the token expires\": 1, \"answers take their time\": 20}");
        for (int i = 0; i < PROCESSES; i++)
            pids[i] = process(by_refresh, NULL);
        for (int i = 0; i < PROCESSES; i++)
            CU_ASSERT_EQUAL(ended(pids[i]), 0);
        CU_ASSERT_EQUAL(tokens_given(), round);
    }
    CU_ASSERT_TRUE(peer_count(&peer, "unauthorized", NULL) >= 3);
    end();
}

/* --- the end of a token --- */

static void renewed_once(void)
{
    struct rig r;
    begin();
    rig_open(&r, by_client, NULL);
    CU_ASSERT_EQUAL(get(&r).status, 200);
    peer_order(&peer, "knobs", "{\"the token expires\": 1}");
    CU_ASSERT_EQUAL(get(&r).status, 200);
    CU_ASSERT_EQUAL(tokens_given(), 2);
    CU_ASSERT_EQUAL(peer_count(&peer, "unauthorized", NULL), 1);
    rig_close(&r);
    end();
}

/* All that were under way are told 401; the token is renewed for all of them at once. */
static void ends_within_a_batch(void)
{
    begin();
    for (int nth = 1; nth <= BATCH; nth++) {
        struct rig r;
        int64_t before = tokens_given();
        rig_open(&r, by_client, NULL);
        peer_order(&peer, "knobs", "{\"answers take their time\": 5}");
        char knob[60];
        snprintf(knob, sizeof knob, "{\"the token expires\": %d}", nth);
        peer_order(&peer, "knobs", knob);
        CU_ASSERT_EQUAL(get_many(&r, BATCH), BATCH);
        CU_ASSERT_EQUAL(tokens_given() - before, 2);
        rig_close(&r);
    }
    end();
}

static void short_lives(void)
{
    struct rig r;
    begin();
    peer_order(&peer, "credentials", "{\"lifetime_s\": 30}");
    rig_open(&r, by_client, NULL);
    for (int i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(get(&r).status, 200);
    CU_ASSERT_EQUAL(tokens_given(), 1);
    rig_close(&r);
    end();
}

static void refused_for_ever(void)
{
    struct rig r;
    begin();
    rig_open(&r, by_client, NULL);
    peer_order(&peer, "knobs", "{\"401\": {\"nth\": 1, \"times\": 1000}}");
    struct sl_http_response got = get(&r);
    CU_ASSERT_EQUAL(got.status, 401);
    CU_ASSERT_EQUAL(got.advice, SL_AUTH);
    CU_ASSERT_EQUAL(peer_count(&peer, "reads", NULL), 2);
    CU_ASSERT_EQUAL(tokens_given(), 2);
    rig_close(&r);
    end();
}

static void lost_answer(void)
{
    struct rig r;
    begin();
    peer_order(&peer, "knobs", "{\"the token answer is lost\": 1}");
    rig_open(&r, by_client, NULL);
    struct sl_http_response got = get(&r);
    CU_ASSERT_EQUAL(got.advice, SL_RETRY);
    CU_ASSERT_TRUE(says(&got, "/oauth/token gave no answer"));
    CU_ASSERT_EQUAL(get(&r).status, 200);
    rig_close(&r);
    end();
}

static void token_servers_in_trouble(void)
{
    static const struct {
        struct table_row rows[2];
        const char *says;
    } servers[] = {
        {{{"POST /oauth/token", "!503 {}"}}, "/oauth/token answered 503; run again later"},
        {{{"POST /oauth/token", "{\"token\": 1}"}}, "/oauth/token answered without access_token"},
    };
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        struct rig r;
        begin();
        struct table_peer server = table_start(servers[i].rows);
        struct peer_kit other = peer;
        snprintf(peer.url, sizeof peer.url, "http://127.0.0.1:%d", server.port);
        rig_open(&r, by_client, NULL);
        struct sl_http_response got = get(&r);
        CU_ASSERT_EQUAL(got.advice, SL_RETRY);
        CU_ASSERT_TRUE(says(&got, servers[i].says));
        rig_close(&r);
        table_stop(&server);
        peer = other;
        end();
    }
}

static const struct check tests[] = {
    {"client credentials by Basic and in the body; one token for a batch", client_credentials},
    {"a refused secret is named by nobody, not even where the server repeats it", wrong_secret},
    {"assertions of RS256, PS256 and ES256 are good to a verifier of their own", assertions},
    {"a GitHub app's token is got with an assertion and renewed after its hour", github_app},
    {"F19: a rotated refresh token is kept before its access token is used", saved_before_use},
    {"F19: a token that could not be kept is not used until it is", not_used_unsaved},
    {"F19: killed between the answer and the save: the next process gets in or says why not", killed_before_save},
    {"F19: a new refresh token in the config counts where the kept one is refused", config_is_newer},
    {"rotated tokens are kept for their owner only, the config's secrets nowhere", kept_for_its_owner},
    {"F19: of many processes one renews", one_of_many_processes},
    {"F19: of many processes told 401 one renews", one_of_many_is_told},
    {"F19: 401, one renewal, and again", renewed_once},
    {"F19: a token that ends within a batch is renewed once for all of it", ends_within_a_batch},
    {"tokens of half a minute are used more than once", short_lives},
    {"F20: 401 for ever ends after one renewal", refused_for_ever},
    {"F22: what a token server answers otherwise is told", token_servers_in_trouble},
    {"F2: a token server's lost answer is asked for again", lost_answer},
};

CHECK_MAIN("net_auth", tests)
