/* SPDX-License-Identifier: MIT */
/* cli.c - options, operands, config and output: what all commands share. */
#include "cli/cli.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "daemon/child.h"

static const struct option_row *find_option(const char *arg, const struct option_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].name, arg) == 0)
            return &rows[i];
    return NULL;
}

static int unknown_option(struct cli *c, const char *arg, const struct option_row *rows, size_t n)
{
    const char *names[16];
    for (size_t i = 0; i < n && i < 16; i++)
        names[i] = rows[i].name;
    const char *near = nearest_word(arg, names, n < 16 ? n : 16);
    return err_set(&c->err, ERR_CONFIG, "'%s' is no option of this command%s%s", arg,
                   near ? "; did you mean " : "; see --help", near ? near : "");
}

int cli_options(struct cli *c, const struct option_row *rows, size_t n)
{
    int kept = 0;
    bool operands = false;
    for (int i = 0; i < c->argc; i++) {
        char *arg = c->argv[i];
        if (!operands && strcmp(arg, "--") == 0) {
            operands = true;
            continue;
        }
        if (!operands && strcmp(arg, "--json") == 0) {
            c->json = true;
            continue;
        }
        if (operands || arg[0] != '-' || !arg[1]) {
            c->argv[kept++] = arg;
            continue;
        }
        const struct option_row *row = find_option(arg, rows, n);
        if (!row)
            return unknown_option(c, arg, rows, n);
        if (row->flag)
            *row->flag = true;
        else if (i + 1 < c->argc)
            *row->text = c->argv[++i];
        else
            return err_set(&c->err, ERR_CONFIG, "%s needs a value", arg);
    }
    c->argc = kept;
    return 0;
}

int cli_operands(struct cli *c, int least, int most, const char *usage)
{
    if (c->argc >= least && (most < 0 || c->argc <= most))
        return 0;
    return err_set(&c->err, ERR_CONFIG, "usage: syncline %s", usage);
}

void cli_conf_given(struct cli *c, struct buf *problems)
{
    bool kept = fcntl(CHILD_GIVEN_FD, F_SETFD, FD_CLOEXEC) == 0;
    c->conf = conf_load_apart(c->config, kept ? CHILD_GIVEN : c->config, problems, &c->err);
}

int cli_conf(struct cli *c)
{
    struct buf problems = {0};
    if (c->given)
        cli_conf_given(c, &problems);
    else
        c->conf = conf_load(c->config, &problems, &c->err);
    if (!c->conf && problems.size) {
        fputs(problems.data, stderr);
        err_clear(&c->err);
        buf_fini(&problems);
        return 2;
    }
    buf_fini(&problems);
    return c->conf ? 0 : 2;
}

struct conf_pair *cli_pair(struct cli *c, const char *name)
{
    const char *names[64];
    size_t n = c->conf->n_pairs < 64 ? c->conf->n_pairs : 64;
    if (!name && c->conf->n_pairs == 1)
        return &c->conf->pairs[0];
    struct conf_pair *pair = name ? conf_pair(c->conf, name) : NULL;
    if (pair)
        return pair;
    for (size_t i = 0; i < n; i++)
        names[i] = c->conf->pairs[i].name;
    const char *near = name ? nearest_word(name, names, n) : NULL;
    if (!name)
        err_set(&c->err, ERR_CONFIG, "there are %zu pairs: name one", c->conf->n_pairs);
    else
        err_set(&c->err, ERR_CONFIG, "there is no pair '%s'%s%s%s", name,
                near ? "; did you mean '" : "; see the config's `pairs`", near ? near : "", near ? "'?" : "");
    return NULL;
}

void cli_say_error(struct cli *c)
{
    fprintf(stderr, "syncline: %s\n", c->err.text);
    c->busy |= c->err.code == ERR_BUSY;
    err_clear(&c->err);
}

int cli_worse(int x, int y)
{
    static const int rank[] = {[0] = 0, [3] = 1, [4] = 1, [1] = 2, [2] = 3};
    return rank[x] >= rank[y] ? x : y;
}

int cli_each(struct cli *c, int (*f)(struct cli *c, struct conf_pair *pair))
{
    int worst = 0;
    for (int i = 0; i < c->argc; i++)
        if (!cli_pair(c, c->argv[i]))
            return 2;
    for (size_t p = 0; p < c->conf->n_pairs; p++) {
        struct conf_pair *pair = &c->conf->pairs[p];
        bool named = c->argc == 0;
        for (int i = 0; i < c->argc; i++)
            named |= strcmp(c->argv[i], pair->name) == 0 ||
                     (pair->parent && strcmp(c->argv[i], pair->parent->name) == 0); /* its children come with it */
        if (!named)
            continue;
        worst = cli_worse(worst, f(c, pair));
        if (c->err.code) { /* one pair's trouble is not the others' */
            worst = cli_worse(worst, err_exit(&c->err));
            cli_say_error(c);
        }
    }
    return worst;
}

/* --- the world --- */

static volatile sig_atomic_t stop_requested;

static void on_signal(int number)
{
    (void)number;
    if (stop_requested)
        _Exit(1); /* a second one ends at once; the protocol makes that safe */
    stop_requested = 1;
}

void cli_catch_signals(void)
{
    struct sigaction act = {.sa_handler = on_signal};
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGINT, &act, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int stopping(void *self)
{
    (void)self;
    return stop_requested != 0;
}

static int64_t now_ms(void *self)
{
    (void)self;
    return clock_now_ms();
}

static void world_random(void *self, void *bytes, size_t n)
{
    (void)self;
    random_bytes(bytes, n);
}

static void world_sleep(void *self, uint32_t ms)
{
    session_real_world.sleep_ms(self, ms);
}

const struct session_world cli_world = {NULL, now_ms, world_random, world_sleep, stopping, NULL, NULL};

/* --- output --- */

void out_begin(struct buf *b)
{
    buf_clear(b);
    buf_byte(b, '{');
}

static void out_key(struct buf *b, const char *key)
{
    if (b->size > 1)
        buf_text(b, ", ");
    json_put_string(b, key, strlen(key));
    buf_text(b, ": ");
}

void out_text(struct buf *b, const char *key, const char *text)
{
    out_key(b, key);
    if (text)
        json_put_string(b, text, strlen(text));
    else
        buf_text(b, "null");
}

void out_value(struct buf *b, const char *key, const struct sl_value *v)
{
    out_key(b, key);
    value_put_json(b, v);
}

void out_number(struct buf *b, const char *key, int64_t n)
{
    out_key(b, key);
    buf_printf(b, "%" PRId64, n);
}

void out_count(struct buf *b, const char *key, int64_t n)
{
    if (n < 0)
        out_text(b, key, NULL);
    else
        out_number(b, key, n);
}

void out_bool(struct buf *b, const char *key, bool yes)
{
    out_key(b, key);
    buf_text(b, yes ? "true" : "false");
}

void out_end(struct buf *b)
{
    buf_byte(b, '}');
    puts(b->data);
    buf_clear(b);
}

void out_message(const char *pair, const char *message)
{
    struct run_sentence one;
    while ((message = run_sentence(message, &one)) != NULL)
        fprintf(stderr, "%s: %.*s\n", pair, (int)one.n_bytes, one.text);
}

const char *out_brief(struct arena *a, const struct sl_value *v)
{
    struct buf b = {0};
    if (v->type == SL_ABSENT)
        return "(none)";
    value_put_brief(&b, v, 48);
    const char *text = arena_text(a, b.data);
    buf_fini(&b);
    return text;
}

const char *out_proof(struct arena *a, const struct proof *p, const char *file)
{
    struct buf b = {0};
    caps_put(&b, p->judged & ~p->proven, "");
    const char *text =
        p->state == PROOF_NONE ? arena_printf(a, "declared, not proven here; `syncline certify %s` proves it", file)
        : p->state == PROOF_STALE
            ? arena_printf(a, "declared; what was proven here was another build: `syncline certify %s` proves this one",
                           file)
        : b.size ? arena_printf(a, "certify did not prove %s: not relied on; the rest is proven", b.data)
                 : "proven by certify";
    buf_fini(&b);
    return text;
}

const char *out_time(struct arena *a, int64_t ms)
{
    char text[32];
    timestamp_format(ms, 1000, text);
    return arena_text(a, text);
}
