/* SPDX-License-Identifier: MIT */
/* open.c - opens a pair: its state, its two connections, and what a run is given. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

/* The same text as long as the pair joins the same two collections: link keys survive lost state by it. */
static const char *identity(struct cli *c, const struct conf_pair *p)
{
    return arena_printf(&c->arena, "%s|%s|%s|%s|%s", p->name, p->side[0].connection, p->side[0].object,
                        p->side[1].connection, p->side[1].object);
}

static int open_store(struct cli *c, const struct conf_pair *p, unsigned what, struct pair_open *out)
{
    const char *folder = arena_printf(&c->arena, "%s/pairs/%s", c->conf->state, p->name);
    bool write = (what & OPEN_WRITE) != 0;
    int rc = store_open(&store_lmdb, folder, !write, &out->store, &c->err);
    if (rc == STORE_NOTFOUND && !write) {
        err_clear(&c->err);
        return 0;
    }
    if (rc == STORE_OK && write)
        rc = store_acquire(out->store, !(what & OPEN_NO_WAIT), &c->err);
    if (rc != STORE_OK && !c->err.code)
        err_set(&c->err, ERR_STATE, "pairs.%s: state %s: %s", p->name, folder, store_rc_name(rc));
    return c->err.code;
}

static int open_side(struct cli *c, const struct conf_pair *p, int s, struct pair_open *out)
{
    const struct conf_connection *k = &c->conf->connections[p->side[s].connection_index];
    int rc =
        session_open(plugin_table(k->lib), k->name, k->settings, k->n_settings, &cli_world, &out->session[s], &c->err);
    return rc ? err_set(&c->err, class_err(rc), "%s: cannot be opened", k->name) : 0;
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

int pair_open(struct cli *c, const struct conf_pair *pair, unsigned what, struct pair_open *out)
{
    memset(out, 0, sizeof *out);
    out->pair = pair;
    int rc = what & (OPEN_READ | OPEN_WRITE) ? open_store(c, pair, what, out) : 0;
    for (int s = 0; s < 2 && rc == 0 && (what & OPEN_SESSIONS); s++)
        rc = open_side(c, pair, s, out);
    out->env = (struct run_env){
        .conf = c->conf, .pair = pair, .store = out->store, .world = &cli_world, .identity = identity(c, pair)};
    out->env.session[0] = out->session[0];
    out->env.session[1] = out->session[1];
    out->env.sink.self = (void *)(uintptr_t)pair;
    if (isatty(2))
        out->env.sink.progress = show_progress;
    if (rc)
        pair_close(out);
    return rc;
}

void pair_close(struct pair_open *p)
{
    if (isatty(2) && p->session[0])
        fputs("\r\033[K", stderr);
    session_close(p->session[0]);
    session_close(p->session[1]);
    store_close(p->store);
    p->session[0] = p->session[1] = NULL;
    p->store = NULL;
}
