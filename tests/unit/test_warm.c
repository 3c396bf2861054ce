/* SPDX-License-Identifier: MIT */
/* test_warm.c - the sessions that a worker keeps between its runs: which, how many, for how long. */
#include <limits.h>

#include "store_kit.h"
#include "cli/cli.h"
#include "conf/conf.h"
#include "runner/runner.h"
#include "store/shared.h"
#include "store/tokens.h"

enum { N_CONNECTIONS = 40, MINUTE_MS = 60000 };

static struct cli cli;

/* Connections c0, c1, … that reach no file, one of files, and one whose connector is in this process. */
static bool load(const char *built)
{
    struct buf text = {0}, problems = {0};
    char path[96];
    FILE *f = NULL;
    buf_printf(&text, "{\"plugins\": [\"%s/plugins\"], \"pairs\": {}, \"connections\": {", built);
    for (int i = 0; i < N_CONNECTIONS; i++)
        buf_printf(&text, "\"c%d\": {\"plugin\": \"memory\"}, ", i);
    buf_text(&text, "\"files\": {\"plugin\": \"jsondir\", \"settings\": {\"root\": \".\"}},"
                    "\"inside\": {\"plugin\": \"memory\", \"isolation\": \"none\"}}}");
    snprintf(path, sizeof path, "%s/c.json", scratch);
    f = fopen(path, "w");
    if (!f || fputs(text.data, f) < 0 || fclose(f) != 0)
        return false;
    cli.world = cli_world;
    cli.conf = conf_load_apart(path, path, &problems, &cli.err);
    if (!cli.conf)
        fprintf(stderr, "%s%s\n", problems.data ? problems.data : "", cli.err.text);
    buf_fini(&text);
    buf_fini(&problems);
    return cli.conf != NULL;
}

/* A session as a run opens it. */
struct seat {
    struct session *s;
    struct tokens *tokens;
    struct shared *pace;
};

static const struct conf_connection *named(const char *name)
{
    for (size_t i = 0; i < cli.conf->n_connections; i++)
        if (strcmp(cli.conf->connections[i].name, name) == 0)
            return &cli.conf->connections[i];
    return NULL;
}

static struct seat sit(const char *name)
{
    struct seat seat = {0};
    CU_ASSERT_EQUAL_FATAL(cli_connect(&cli, named(name), &seat.s, &seat.tokens, &seat.pace), 0);
    return seat;
}

static bool give(const char *name, struct seat seat)
{
    return warm_give(cli.warm, named(name), seat.s, seat.tokens, seat.pace);
}

static void leave(struct seat seat)
{
    session_close(seat.s);
    tokens_close(seat.tokens);
    shared_close(seat.pace);
}

static void next_run_has_it(void)
{
    cli.warm = warm_new();
    struct seat first = sit("c0"), other = sit("c1");
    CU_ASSERT_TRUE(give("c0", first));
    struct seat again = sit("c0");
    CU_ASSERT_PTR_EQUAL(again.s, first.s);
    struct seat second = sit("c0"); /* it is taken: this is another */
    CU_ASSERT_PTR_NOT_EQUAL(second.s, first.s);
    CU_ASSERT_PTR_NOT_EQUAL(other.s, first.s);
    leave(again);
    leave(second);
    leave(other);
    warm_free(cli.warm);
}

static void not_kept(void)
{
    cli.warm = warm_new();
    struct seat files = sit("files"), inside = sit("inside"), c0 = sit("c0");
    CU_ASSERT_FALSE(give("files", files));
    CU_ASSERT_FALSE(give("inside", inside));
    leave(files);
    leave(inside);
    CU_ASSERT_FALSE(warm_give(NULL, named("c0"), c0.s, c0.tokens, c0.pace)); /* a command that keeps none */
    leave(c0);
    warm_free(cli.warm);
}

static void idle_go(void)
{
    cli.warm = warm_new();
    int64_t now_ms = clock_mono_ms();
    CU_ASSERT_EQUAL(warm_reap(cli.warm, now_ms), -1);
    CU_ASSERT_TRUE(give("c0", sit("c0")));
    int64_t given_ms = clock_mono_ms();
    int left = warm_reap(cli.warm, now_ms);
    CU_ASSERT_TRUE(left > 0 && left <= MINUTE_MS + (int)(given_ms - now_ms));
    CU_ASSERT_EQUAL(warm_reap(cli.warm, given_ms + MINUTE_MS), -1);
    struct session *s = NULL;
    struct tokens *tokens = NULL;
    struct shared *pace = NULL;
    CU_ASSERT_FALSE(warm_take(cli.warm, named("c0"), &s, &tokens, &pace));
    warm_free(cli.warm);
}

/* The one that has been idle for longest makes room. */
static void bounded(void)
{
    char name[16];
    unsigned kept = 0;
    cli.warm = warm_new();
    for (int i = 0; i < N_CONNECTIONS; i++) {
        snprintf(name, sizeof name, "c%d", i);
        CU_ASSERT_TRUE(give(name, sit(name)));
    }
    for (int i = 0; i < N_CONNECTIONS; i++) {
        struct seat seat = {0};
        snprintf(name, sizeof name, "c%d", i);
        bool there = warm_take(cli.warm, named(name), &seat.s, &seat.tokens, &seat.pace);
        CU_ASSERT_EQUAL(there, i >= N_CONNECTIONS - 32);
        kept += there;
        if (there)
            leave(seat);
    }
    CU_ASSERT_EQUAL(kept, 32);
    warm_free(cli.warm);
}

static const struct check tests[] = {
    {"what a run gives back the next one on that connection has, and nobody else", next_run_has_it},
    {"what reaches files, or is in this process, is not kept", not_kept},
    {"what has been idle for a minute is closed", idle_go},
    {"there are thirty-two at most; the longest idle makes room", bounded},
};

int main(void)
{
    char built[PATH_MAX], program[PATH_MAX + 16];
    if (!realpath(getenv("BUILD") ? getenv("BUILD") : "build", built))
        return 2;
    snprintf(program, sizeof program, "%s/syncline", built);
    runner_program(program);
    scratch_new();
    int rc = load(built) ? check_run("warm sessions", tests, sizeof tests / sizeof *tests) : 2;
    conf_free(cli.conf);
    scratch_remove();
    return rc;
}
