/* SPDX-License-Identifier: MIT */
/* warm.c - a worker's sessions between its runs: kept open for the next run on the connection, closed when idle, worn or too many. */
#include "cli/cli.h"
#include "runner/runner.h"
#include "store/shared.h"
#include "store/tokens.h"

enum { WARM_MAX = 32, IDLE_MS = 60000 };

struct kept {
    const struct conf_connection *k;
    struct session *s;
    struct tokens *tokens;
    struct shared *pace;
    int64_t since_ms; /* idle */
};

struct warm {
    struct kept list[WARM_MAX]; /* the longest idle first */
    size_t n;
};

struct warm *warm_new(void)
{
    return mem_alloc(sizeof(struct warm));
}

static void take_out(struct warm *w, size_t i)
{
    for (w->n--; i < w->n; i++)
        w->list[i] = w->list[i + 1];
}

static void close_first(struct warm *w)
{
    struct kept first = w->list[0];
    take_out(w, 0);
    session_close(first.s);
    tokens_close(first.tokens);
    shared_close(first.pace);
}

void warm_free(struct warm *w)
{
    while (w && w->n)
        close_first(w);
    mem_free(w);
}

bool warm_take(struct warm *w, const struct conf_connection *k, struct session **s, struct tokens **tokens,
               struct shared **pace)
{
    for (size_t i = w ? w->n : 0; i-- > 0;)
        if (w->list[i].k == k) {
            *s = w->list[i].s;
            *tokens = w->list[i].tokens;
            *pace = w->list[i].pace;
            take_out(w, i);
            return true;
        }
    return false;
}

/*
 * What a connector of files or commands has open may be another's by the next run: a file that was replaced, a script that was edited.
 * Only what leads to a server is worth keeping, and there it is.
 */
bool warm_give(struct warm *w, const struct conf_connection *k, struct session *s, struct tokens *tokens,
               struct shared *pace)
{
    int64_t now_ms = clock_mono_ms();
    uint64_t caps = w ? session_plugin(s)->caps : 0;
    if (!w || !k->apart || (caps & (SL_REACH_FILES | SL_REACH_PROCESS)) || runner_worn(s))
        return false;
    if (w->n == WARM_MAX)
        close_first(w);
    w->list[w->n++] = (struct kept){k, s, tokens, pace, now_ms};
    return true;
}

int warm_reap(struct warm *w, int64_t now_ms)
{
    while (w->n && now_ms - w->list[0].since_ms >= IDLE_MS)
        close_first(w);
    return w->n ? (int)(w->list[0].since_ms + IDLE_MS - now_ms) : -1;
}
