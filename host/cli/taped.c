/* SPDX-License-Identifier: MIT */
/* taped.c - `--record FILE` and `--replay FILE`: a command's exchanges, clock and randomness kept, or taken from what was kept. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/cli.h"

static const struct session_world taped_world = {NULL, tape_now_ms,  tape_random, tape_sleep_ms,
                                                 NULL, tape_mono_us, NULL};

static void turn_world(struct cli *c)
{
    int (*stopping)(void *) = c->world.stopping;
    c->world = taped_world;
    c->world.self = c->tape;
    c->world.stopping = stopping;
}

/* The command line, for whoever reads the file. */
static const char *about(struct cli *c, const char *command)
{
    struct buf b = {0}, line = {0};
    buf_text(&b, command);
    for (int i = 0; i < c->argc; i++)
        buf_printf(&b, " %s", c->argv[i]);
    buf_text(&line, "\"command\": ");
    json_put_string(&line, b.data, b.size);
    const char *text = arena_text(&c->arena, line.data);
    buf_fini(&b);
    buf_fini(&line);
    return text;
}

int cli_tape(struct cli *c, const char *command, const struct tape_options *o)
{
    if (o->record && o->replay)
        return err_set(&c->err, ERR_CONFIG, "--record and --replay exclude each other; give one of them");
    if (o->record && tape_record(o->record, about(c, command), &c->tape, &c->err))
        return c->err.code;
    if (o->replay && tape_replay(o->replay, &c->tape, &c->err))
        return c->err.code;
    if (c->tape)
        turn_world(c);
    return 0;
}

int cli_tape_end(struct cli *c, int rc)
{
    struct err e = {0};
    if (tape_close(c->tape, &e)) {
        fprintf(stderr, "syncline: %s\n", e.text);
        rc = cli_worse(rc, err_exit(&e));
    }
    c->tape = NULL;
    return rc;
}

/* Of a replay's tokens nothing is kept, for they are none; those that the recorded run found are read once, as it had its own after that. */
struct found_tokens {
    struct auth_tokens real;
    bool loaded;
};

static int load_once(void *self, struct arena *a, const char **text, struct err *e)
{
    struct found_tokens *f = self;
    bool first = !f->loaded;
    f->loaded = true;
    return first && f->real.load ? f->real.load(f->real.self, a, text, e) : 0;
}

struct auth_tokens cli_tape_tokens(struct cli *c, const struct auth_tokens *real)
{
    if (!tape_replays(c->tape))
        return *real;
    struct found_tokens *f = arena_alloc(&c->arena, sizeof *f);
    f->real = *real;
    return (struct auth_tokens){.self = f, .load = load_once};
}
