/* SPDX-License-Identifier: MIT */
/* open.c - opens a pair: its state, its two connections, and what a run is given. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/cli.h"
#include "store/home.h"
#include "store/shared.h"
#include "store/tokens.h"

/* The same text as long as the pair joins the same two collections: link keys survive lost state by it. */
static const char *identity(struct cli *c, const struct conf_pair *p)
{
    return arena_printf(&c->arena, "%s|%s|%s|%s|%s", p->name, p->side[0].connection, p->side[0].object,
                        p->side[1].connection, p->side[1].object);
}

/* Who waits for an answer over HTTP hears after a while that the pair is at work. */
static int acquire_soon(struct cli *c, struct store *s)
{
    enum { WAIT_MS = 20000, STEP_MS = 20 };
    int64_t until = clock_mono_ms() + WAIT_MS;
    int rc = 0;
    while ((rc = store_acquire(s, false, &c->err)) == STORE_BUSY && clock_mono_ms() < until &&
           !c->world.stopping(c->world.self)) {
        err_clear(&c->err);
        c->world.sleep_ms(c->world.self, STEP_MS);
    }
    return rc;
}

static int open_store(struct cli *c, const struct conf_pair *p, unsigned what, struct store **out)
{
    const char *folder = arena_printf(&c->arena, "%s/pairs/%s", c->conf->state, p->name);
    bool write = (what & OPEN_WRITE) != 0;
    int rc = store_open(&store_lmdb, folder, !write, out, &c->err);
    if (rc == STORE_NOTFOUND && !write) {
        err_clear(&c->err);
        return 0;
    }
    if (rc == STORE_OK && write)
        rc = c->given ? acquire_soon(c, *out) : store_acquire(*out, !(what & OPEN_NO_WAIT), &c->err);
    if (rc != STORE_OK && !c->err.code)
        err_set(&c->err, ERR_STATE, "pairs.%s: state %s: %s", p->name, folder, store_rc_name(rc));
    return c->err.code;
}

int cli_connect(struct cli *c, const struct conf_connection *k, struct session **out, struct tokens **tokens,
                struct shared **pace)
{
    struct session_net net = k->net;
    if (warm_take(c->warm, k, out, tokens, pace))
        return 0;
    int rc = session_open(plugin_table(k->lib), k->name, k->settings, k->n_settings, &c->world, out, &c->err);
    if (rc)
        return err_set(&c->err, class_err(rc), "%s: cannot be opened", k->name);
    *tokens = tokens_open(c->conf->state, k->name);
    const struct auth_tokens real = {*tokens, tokens_lock, tokens_unlock, tokens_load, tokens_save};
    net.tokens = cli_tape_tokens(c, &real);
    net.tape = c->tape;
    *pace = shared_open(c->conf->state, k->name, sizeof(struct rate));
    if (!tape_replays(c->tape)) /* whose time is not that of other processes */
        net.pace = (struct rate_home){*pace, shared_lock, shared_unlock};
    session_set_net(*out, &net);
    return 0;
}

static void show_progress(void *self, const char *phase, uint64_t done, uint64_t of)
{
    static int64_t last;
    int64_t now = clock_mono_ms();
    const struct conf_pair *pair = self;
    (void)of;
    if (now - last < 200)
        return;
    last = now;
    fprintf(stderr, "\r\033[K%s: %s, %llu records", pair->name, phase, (unsigned long long)done);
    fflush(stderr);
}

#define CHANGED "changed-"

static const char *in_folder(struct cli *c, const struct conf_pair *p, const char *name)
{
    return arena_printf(&c->arena, "%s/pairs/%s/%s", c->conf->state, p->name, name);
}

/* The newest mark of a run that changed the state; the others go if that is wanted. */
static const char *newest_change(struct cli *c, const struct conf_pair *p, bool clear)
{
    const char *newest = NULL;
    DIR *d = opendir(in_folder(c, p, ""));
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        if (strncmp(e->d_name, CHANGED, strlen(CHANGED)) != 0)
            continue;
        const char *run = arena_text(&c->arena, e->d_name + strlen(CHANGED));
        const char *older = newest && strcmp(run, newest) < 0 ? run : newest;
        newest = older == run ? newest : run;
        if (clear && older)
            unlink(in_folder(c, p, arena_printf(&c->arena, CHANGED "%s", older)));
    }
    if (d)
        closedir(d);
    return newest;
}

static void put_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    if (!f)
        return;
    fputs(text, f);
    fclose(f);
}

/*
 * Beside the state, whose commits are dear: what does not get there is only not known. A run that changed the state leaves its mark
 * in the name of a file: an older state that is copied over this one does not take it away.
 */
void pair_ran(struct cli *c, const struct conf_pair *p, const struct run_report *r)
{
    put_file(in_folder(c, p, "last-run"), r->run);
    if (!r->recorded)
        return;
    put_file(in_folder(c, p, arena_printf(&c->arena, CHANGED "%s", r->run)), "");
    newest_change(c, p, true);
}

static const char *run_in(struct cli *c, const char *path)
{
    enum { ULID_SIZE = 26 };
    struct buf text = {0};
    struct err ignored = {0};
    bool whole = file_read(path, 64, &text, &ignored) == 0 && text.size == ULID_SIZE;
    const char *run = whole ? arena_text(&c->arena, text.data) : NULL;
    buf_fini(&text);
    return run;
}

const char *pair_last_run(struct cli *c, const struct conf_pair *p)
{
    return run_in(c, in_folder(c, p, "last-run"));
}

void pair_failed(struct cli *c, const struct conf_pair *p)
{
    char text[sizeof c->err.text];
    const char *path = in_folder(c, p, "last-error");
    if (!c->err.code) {
        unlink(path);
    } else if (c->err.code != ERR_BUSY && !c->world.stopping(c->world.self)) {
        memcpy(text, c->err.text, sizeof text);
        log_scrub(text, strlen(text));
        put_file(path, text);
    }
}

const char *pair_last_error(struct cli *c, const struct conf_pair *p)
{
    struct buf text = {0};
    struct err ignored = {0};
    bool there = file_read(in_folder(c, p, "last-error"), 4096, &text, &ignored) == 0 && text.size;
    const char *error = there ? arena_text(&c->arena, text.data) : NULL;
    buf_fini(&text);
    return error;
}

void pair_verified(struct cli *c, const struct conf_pair *p, const struct run_report *r)
{
    put_file(in_folder(c, p, "last-verify"), r->run);
}

int64_t pair_verified_ms(struct cli *c, const struct conf_pair *p)
{
    const char *run = run_in(c, in_folder(c, p, "last-verify"));
    return run ? ulid_time_ms(run) : -1;
}

int pair_open(struct cli *c, const struct conf_pair *pair, unsigned what, struct pair_open *out)
{
    memset(out, 0, sizeof *out);
    out->pair = pair;
    int rc = 0;
    /* order is important: the parent's first, in every process, so that no two wait for each other */
    if (pair->parent && (what & (OPEN_READ | OPEN_WRITE)))
        rc = open_store(c, pair->parent, what, &out->parent);
    if (rc == 0 && (what & (OPEN_READ | OPEN_WRITE)))
        rc = open_store(c, pair, what, &out->store);
    for (int s = 0; s < 2 && rc == 0 && (what & OPEN_SESSIONS); s++)
        rc = cli_connect(c, &c->conf->connections[pair->side[s].connection_index], &out->session[s], &out->tokens[s],
                         &out->pace[s]);
    out->env = (struct run_env){
        .conf = c->conf, .pair = pair, .store = out->store, .world = &c->world, .identity = identity(c, pair)};
    out->env.parent = out->parent;
    out->env.born = file_born_ns(in_folder(c, pair, HOME_DATA));
    out->env.last_change = newest_change(c, pair, false);
    out->env.session[0] = out->session[0];
    out->env.session[1] = out->session[1];
    out->env.sink.self = (void *)(uintptr_t)pair;
    if (isatty(2) && !c->quiet)
        out->env.sink.progress = show_progress;
    if (rc == 0 && c->tape)
        rc = tape_state(c->tape, pair->name, out->env.last_change, &out->env.born, &c->err);
    if (rc)
        pair_close(out);
    return rc;
}

void pair_keep(struct cli *c, struct pair_open *p)
{
    for (int s = 0; s < 2; s++) {
        const struct conf_connection *k = &c->conf->connections[p->pair->side[s].connection_index];
        if (!warm_give(c->warm, k, p->session[s], p->tokens[s], p->pace[s]))
            continue;
        p->session[s] = NULL;
        p->tokens[s] = NULL;
        p->pace[s] = NULL;
    }
}

void pair_close(struct pair_open *p)
{
    if (p->env.sink.progress && p->session[0])
        fputs("\r\033[K", stderr);
    for (int s = 0; s < 2; s++) {
        session_close(p->session[s]);
        tokens_close(p->tokens[s]);
        shared_close(p->pace[s]);
    }
    store_close(p->store);
    store_close(p->parent);
    p->parent = NULL;
    p->session[0] = p->session[1] = NULL;
    p->tokens[0] = p->tokens[1] = NULL;
    p->pace[0] = p->pace[1] = NULL;
    p->store = NULL;
}
