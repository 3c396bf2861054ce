/* SPDX-License-Identifier: MIT */
/* run.c - `run`: the daemon; and the hidden commands of its processes, `worker` and `gateway`. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "daemon/death.h"
#include "daemon/child.h"
#include "daemon/figures.h"
#include "daemon/gateway.h"
#include "daemon/roster.h"
#include "daemon/supervisor.h"
#include "runner/runner.h"

int cmd_run(struct cli *c)
{
    if (cli_options(c, NULL, 0) || cli_operands(c, 0, 0, "run"))
        return 2;
    return supervisor_run(c->config, &c->err);
}

int cmd_gateway(struct cli *c)
{
    return gateway_run(&c->err);
}

/* --- a worker --- */

enum { DEATHS_MAX = 8 };

struct work {
    struct cli *c;
    struct channel channel;
    bool *counted; /* by pair: what waits was told once */
    bool runs; /* a run is under way */
    int64_t beat_ms; /* when the last sign of life was given */
    struct death deaths[DEATHS_MAX];
    size_t n_deaths;
};

/* Only what a person may see leaves: the supervisor knows no secret that it could hide. */
static bool say(struct work *w, int kind, struct buf *text)
{
    text->size = log_scrub(text->data, text->size);
    bool said = channel_say(&w->channel, kind, text->data, text->size);
    buf_fini(text);
    return said;
}

/* --- signs of life: whatever a run asks of its world is one --- */

enum { BEATS = 4, BEAT_MOST_MS = 5000, NAP_MS = 1000 };

static void beat(struct work *w)
{
    int64_t now_ms = clock_mono_ms(), gap_ms = w->c->conf->run_silence_ms / BEATS;
    if (!w->runs || now_ms - w->beat_ms < (gap_ms < BEAT_MOST_MS ? gap_ms : BEAT_MOST_MS))
        return;
    w->beat_ms = now_ms;
    channel_say(&w->channel, MESSAGE_ALIVE, "", 0);
}

static int64_t beat_now_ms(void *self)
{
    beat(self);
    return cli_world.now_ms(cli_world.self);
}

static int beat_stopping(void *self)
{
    beat(self);
    return cli_world.stopping(cli_world.self);
}

/* Who waits for a server that asked for patience is alive. */
static void beat_sleep_ms(void *self, uint32_t ms)
{
    for (uint32_t nap = 0; ms && !beat_stopping(self); ms -= nap) {
        nap = ms < NAP_MS ? ms : NAP_MS;
        cli_world.sleep_ms(cli_world.self, nap);
    }
}

static void live(struct work *w)
{
    w->c->world = cli_world;
    w->c->world.self = w;
    w->c->world.now_ms = beat_now_ms;
    w->c->world.stopping = beat_stopping;
    w->c->world.sleep_ms = beat_sleep_ms;
}

/* --- runners that die: what one run saw --- */

static void note_death(void *self, const char *connection, const char *how)
{
    struct work *w = self;
    for (size_t i = 0; i < w->n_deaths; i++)
        if (strcmp(w->deaths[i].connection, connection) == 0) {
            w->deaths[i].times++;
            return;
        }
    if (w->runs && w->n_deaths < DEATHS_MAX)
        w->deaths[w->n_deaths++] = (struct death){mem_dup(connection), mem_dup(how), 1};
}

/* A run that came to its end in spite of them has put aside what they died of: they are counted, and not held against the connection. */
static bool tell_deaths(struct work *w, bool failed)
{
    bool said = true;
    for (size_t i = 0; i < w->n_deaths; i++) {
        struct buf text = {0};
        if (!failed)
            *w->deaths[i].how = '\0';
        death_put(&text, &w->deaths[i]);
        said = said && say(w, MESSAGE_DIED, &text);
        buf_fini(&text);
        death_fini(&w->deaths[i]);
    }
    w->n_deaths = 0;
    return said;
}

static int64_t ago_ms(int64_t at_ms, int64_t now_ms)
{
    return at_ms < 0 ? -1 : at_ms < now_ms ? now_ms - at_ms : 0;
}

static struct roster_ago *how_long_ago(struct cli *c)
{
    struct roster_ago *ago = arena_alloc(&c->arena, (c->conf->n_pairs + 1) * sizeof *ago);
    int64_t now = clock_now_ms();
    for (size_t i = 0; i < c->conf->n_pairs; i++) {
        const char *run = pair_last_run(c, &c->conf->pairs[i]);
        ago[i].verified_ms = ago_ms(pair_verified_ms(c, &c->conf->pairs[i]), now);
        ago[i].ran_ms = ago_ms(run ? ulid_time_ms(run) : -1, now);
    }
    return ago;
}

static bool load(struct work *w)
{
    struct cli *c = w->c;
    struct buf problems = {0}, answer = {0};
    cli_conf_given(c, &problems);
    if (c->conf)
        roster_put(&answer, c->conf, how_long_ago(c));
    else
        buf_text(&answer, problems.size ? problems.data : c->err.text);
    buf_fini(&problems);
    err_clear(&c->err);
    return say(w, c->conf ? MESSAGE_LOADED : MESSAGE_REFUSED, &answer) && c->conf;
}

static bool report(struct work *w, const struct conf_pair *pair, const struct pair_sync *how)
{
    struct buf text = {0};
    struct figures_report r = {pair->name, &how->report, how->counted ? &how->counts : NULL,
                               w->c->err.code ? w->c->err.text : NULL};
    figures_put_report(&text, &r);
    return say(w, MESSAGE_REPORT, &text);
}

/* What became of a job. */
struct job {
    const char *worst; /* "ok", "busy", "failed" */
    bool undone; /* a write could not be carried out now */
    int64_t again_ms; /* so long after it a further one can go on with what this one left; -1: nothing */
};

static void add(struct job *j, const struct pair_sync *how)
{
    const struct run_report *r = &how->report;
    j->undone |= !r->ok;
    if (r->again_ms >= 0 && (j->again_ms < 0 || r->again_ms < j->again_ms))
        j->again_ms = r->again_ms;
}

/* False: the supervisor is gone. The job is made worse by what became of it. */
static bool run_one(struct work *w, const struct conf_pair *pair, bool full, struct job *j)
{
    struct cli *c = w->c;
    size_t i = (size_t)(pair - c->conf->pairs);
    struct pair_sync how = {.no_wait = true, .full = full, .for_counts = true, .count = !w->counted[i]};
    pair_sync(c, pair, &how);
    w->counted[i] |= how.counted;
    bool busy = c->err.code == ERR_BUSY && !how.opened;
    if (busy)
        j->worst = "busy";
    else if (c->err.code)
        j->worst = "failed";
    else
        add(j, &how);
    bool said = (busy || report(w, pair, &how)) && tell_deaths(w, c->err.code && !busy);
    err_clear(&c->err);
    arena_reset(&c->arena);
    return said;
}

/* The pair, then its children, which stand behind it: none is begun after its parent failed, or when an end is wanted. */
static bool run_job(struct work *w, const struct message *m)
{
    char *job = mem_alloc(m->n_bytes + 1);
    memcpy(job, m->text, m->n_bytes);
    char *name = strchr(job, ' ');
    const struct conf_pair *pair = name ? conf_pair(w->c->conf, name + 1) : NULL;
    bool full = strncmp(job, "full ", 5) == 0, said = true;
    struct job j = {.worst = pair ? "ok" : "failed", .again_ms = -1};
    char done[32];
    w->runs = true;
    for (unsigned i = 0; pair && i <= pair->n_children && said && strcmp(j.worst, "ok") == 0; i++)
        if (i == 0 || !cli_world.stopping(NULL))
            said = run_one(w, pair + i, full, &j);
    w->runs = false;
    mem_free(job);
    if (j.undone && strcmp(j.worst, "ok") == 0)
        j.worst = "failed";
    if (j.again_ms >= 0 && strcmp(j.worst, "ok") == 0)
        snprintf(done, sizeof done, "ok %" PRId64, j.again_ms);
    else
        snprintf(done, sizeof done, "%s", j.worst);
    return said && channel_say(&w->channel, MESSAGE_DONE, done, strlen(done));
}

/* Meanwhile what has been idle for long is closed. */
static bool next_message(struct work *w, struct message *m)
{
    while (!channel_wait(&w->channel, warm_reap(w->c->warm, clock_mono_ms())))
        continue;
    return channel_hear(&w->channel, m);
}

int cmd_worker(struct cli *c)
{
    struct work w = {.c = c};
    struct message m;
    if (!child_begin(&w.channel))
        return err_set(&c->err, ERR_CONFIG, "a worker is started by `syncline run`; use that");
    c->quiet = true;
    cli_catch_signals();
    bool on = load(&w);
    w.counted = mem_alloc((on ? c->conf->n_pairs : 0) + 1);
    c->warm = warm_new();
    live(&w);
    runner_on_death(note_death, &w);
    while (on && !cli_world.stopping(NULL) && next_message(&w, &m))
        on = m.kind == MESSAGE_RUN && run_job(&w, &m);
    warm_free(c->warm);
    c->warm = NULL;
    mem_free(w.counted);
    channel_close(&w.channel);
    return 0;
}
