/* SPDX-License-Identifier: MIT */
/* cli.h - what the commands share: arguments, opening a pair, output. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "sync/act.h"
#include "sync/run.h"

/* One invocation. */
struct cli {
    const char *config; /* the config file */
    bool json;
    int argc; /* arguments after the command's name */
    char **argv;
    struct conf *conf; /* loaded by cli_conf */
    struct arena arena;
    struct err err;
};

struct command {
    const char *name;
    const char *args;
    const char *summary;
    const char *help; /* more lines for --help, or NULL */
    int (*run)(struct cli *c); /* returns the exit code; c->err is printed by main */
};

/* An option of a command: --name VALUE into *text, or --name into *flag. */
struct option_row {
    const char *name;
    const char **text;
    bool *flag;
};

/* Takes the options out of the arguments; what stays are operands. Refuses unknown ones with the nearest. 0 or 2. */
int cli_options(struct cli *c, const struct option_row *rows, size_t n);
/* Refuses fewer or more operands than that. 0 or 2. */
int cli_operands(struct cli *c, int least, int most, const char *usage);
/* Loads the config; prints every problem. 0 or 2. */
int cli_conf(struct cli *c);
/* The named pair, or the only one if name is NULL; NULL with err. */
struct conf_pair *cli_pair(struct cli *c, const char *name);
/* Calls f for each pair named in the operands, or for all; the exit code is the worst (1 over 3 over 0). */
int cli_each(struct cli *c, int (*f)(struct cli *c, struct conf_pair *pair));
int cli_worse(int x, int y);

/* What pair_open opens. */
enum { OPEN_READ = 1, OPEN_WRITE = 2, OPEN_SESSIONS = 4, OPEN_NO_WAIT = 8 };

struct pair_open {
    const struct conf_pair *pair;
    struct store *store; /* NULL: no state yet (OPEN_READ) */
    struct session *session[2];
    struct run_env env;
};
/* Opens a pair's state and connections; 0 or an err code with c->err. */
int pair_open(struct cli *c, const struct conf_pair *pair, unsigned what, struct pair_open *out);
void pair_close(struct pair_open *p);

/* Output: JSON members of one object a line, or text. */
void out_begin(struct buf *b);
void out_text(struct buf *b, const char *key, const char *text); /* NULL prints null */
void out_value(struct buf *b, const char *key, const struct sl_value *v);
void out_number(struct buf *b, const char *key, int64_t n);
void out_end(struct buf *b); /* closes, prints the line, clears */
const char *out_brief(struct arena *a, const struct sl_value *v); /* for a person, at most 48 bytes */
const char *out_time(struct arena *a, int64_t ms);

extern const struct session_world cli_world; /* real, and stopped by SIGTERM or SIGINT */
void cli_catch_signals(void);

int cmd_init(struct cli *c);
int cmd_check(struct cli *c);
int cmd_test_filter(struct cli *c);
int cmd_plan(struct cli *c);
int cmd_apply(struct cli *c);
int cmd_sync(struct cli *c);
int cmd_status(struct cli *c);
int cmd_conflicts(struct cli *c);
int cmd_parked(struct cli *c);
int cmd_approve(struct cli *c);
int cmd_history(struct cli *c);
int cmd_why(struct cli *c);
int cmd_undo(struct cli *c);
int cmd_verify(struct cli *c);
int cmd_link(struct cli *c);
int cmd_unlink(struct cli *c);
int cmd_links(struct cli *c);
int cmd_plugins(struct cli *c);

#endif
