/* SPDX-License-Identifier: MIT */
/* cli.h - what the commands share: arguments, opening a pair, output. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "net/tape.h"
#include "store/hooks.h"
#include "sync/act.h"
#include "sync/run.h"

/* One invocation. */
struct cli {
    const char *config; /* the config file */
    bool json;
    bool given; /* --given: started by the daemon, which gave the config's text and takes no long wait for an answer */
    bool busy; /* somebody else held what was wanted */
    bool quiet; /* no progress on the terminal: it is the daemon's log */
    int argc; /* arguments after the command's name */
    char **argv;
    struct conf *conf; /* loaded by cli_conf */
    struct session_world world; /* clock, randomness, sleep, SIGTERM */
    struct hooks *hooks; /* what webhooks told; opened by the first run that takes it in */
    struct tape *tape; /* --record and --replay; NULL: neither */
    struct warm *warm; /* a worker's sessions between runs (warm.c); NULL: none are kept */
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

/* Takes the options out of the arguments; what stays are operands, and so is all behind `--`. Refuses unknown ones with the nearest. 0 or 2. */
int cli_options(struct cli *c, const struct option_row *rows, size_t n);
/* Refuses fewer or more operands than that. 0 or 2. */
int cli_operands(struct cli *c, int least, int most, const char *usage);
/* Loads the config; prints every problem. 0 or 2. */
int cli_conf(struct cli *c);
/* The same of the text that the supervisor tried and gave to this process, whatever the file may hold by now; the problems are the caller's. */
void cli_conf_given(struct cli *c, struct buf *problems);
/* The named pair, or the only one if name is NULL; NULL with err. */
struct conf_pair *cli_pair(struct cli *c, const char *name);
/* Calls f for each pair named in the operands, or for all; the exit code is the worst (1 over 3 over 0). */
int cli_each(struct cli *c, int (*f)(struct cli *c, struct conf_pair *pair));
int cli_worse(int x, int y);
/* c->err as main prints it, and cleared. */
void cli_say_error(struct cli *c);
/* given.c: the end of a command that the daemon started: no secret in what it said. The exit code, ERRAND_BUSY if it met somebody else. */
int given_end(struct cli *c, int rc);

/* What pair_open opens. */
enum { OPEN_READ = 1, OPEN_WRITE = 2, OPEN_SESSIONS = 4, OPEN_NO_WAIT = 8 };

struct pair_open {
    const struct conf_pair *pair;
    struct store *store; /* NULL: no state yet (OPEN_READ) */
    struct store *parent; /* of children: their parent's; NULL: none, or no state yet */
    struct session *session[2];
    struct tokens *tokens[2];
    struct shared *pace[2];
    struct run_env env;
};
/* Opens a session on a connection of the config; *tokens and *pace are to be closed after it. 0 or an err code with c->err. */
int cli_connect(struct cli *c, const struct conf_connection *k, struct session **out, struct tokens **tokens,
                struct shared **pace);
/* warm.c: sessions that a worker keeps open between its runs, a bounded number, none for long. */
struct warm *warm_new(void);
void warm_free(struct warm *w); /* closes them; accepts NULL */
/* One that is open on k: true, and all three are the caller's. */
bool warm_take(struct warm *w, const struct conf_connection *k, struct session **s, struct tokens **tokens,
               struct shared **pace);
/* Gives one back after a run that came to its end. False: it is not kept, and to be closed. */
bool warm_give(struct warm *w, const struct conf_connection *k, struct session *s, struct tokens *tokens,
               struct shared *pace);
/* Closes those that have been idle for long. Returns ms until there is something to close, -1: there is none. */
int warm_reap(struct warm *w, int64_t now_ms);

/* Opens a pair's state and connections; 0 or an err code with c->err. */
int pair_open(struct cli *c, const struct conf_pair *pair, unsigned what, struct pair_open *out);
void pair_keep(struct cli *c,
               struct pair_open *p); /* after a run that came to its end: its sessions may serve another */
void pair_close(struct pair_open *p);
/* The last run that came to its end, whether it changed anything or not; NULL: none is known. */
void pair_ran(struct cli *c, const struct conf_pair *p, const struct run_report *r);
const char *pair_last_run(struct cli *c, const struct conf_pair *p);
/* Why the last run did not come to its end, as c->err says it (no error: nothing is left to say); a pair that is busy did not run. */
void pair_failed(struct cli *c, const struct conf_pair *p);
const char *pair_last_error(struct cli *c, const struct conf_pair *p); /* NULL: it did */
/* The last one that compared everything; when it was, in ms since 1970, or -1. */
void pair_verified(struct cli *c, const struct conf_pair *p, const struct run_report *r);
int64_t pair_verified_ms(struct cli *c, const struct conf_pair *p);

/* One run of a pair, as `sync` and the daemon's workers make it. */
struct pair_sync {
    bool no_wait; /* a pair that another process holds is refused: ERR_BUSY */
    bool full; /* compare everything */
    bool for_counts; /* count what waits, where the run changed something */
    bool count; /* also where it did not */
    bool opened, counted; /* out: it came to run; counts is filled */
    struct run_report report; /* out */
    struct status_counts counts; /* out; its texts are in the arena */
};
/* The exit code; c->err is set where it did not come to its end. */
int pair_sync(struct cli *c, const struct conf_pair *pair, struct pair_sync *how);

/* Output: JSON members of one object a line, or text. */
void out_begin(struct buf *b);
void out_text(struct buf *b, const char *key, const char *text); /* NULL prints null */
void out_value(struct buf *b, const char *key, const struct sl_value *v);
void out_number(struct buf *b, const char *key, int64_t n);
void out_count(struct buf *b, const char *key, int64_t n); /* below zero prints null */
void out_bool(struct buf *b, const char *key, bool yes);
void out_end(struct buf *b); /* closes, prints the line, clears */
void out_message(const char *pair, const char *message); /* a run's sentences, each a line on stderr */
const char *out_brief(struct arena *a, const struct sl_value *v); /* for a person, at most 48 bytes */
const char *out_time(struct arena *a, int64_t ms);
/* What certify has proven of a connector's file, in one sentence. */
const char *out_proof(struct arena *a, const struct proof *p, const char *file);

/* The options --record FILE and --replay FILE of a command that runs pairs. */
struct tape_options {
    const char *record, *replay;
};
#define TAPE_ROWS(o)                                                                                                   \
    {"--record", &(o).record, NULL},                                                                                   \
    {                                                                                                                  \
        "--replay", &(o).replay, NULL                                                                                  \
    }
/* Opens what they name, and sets the world to it. 0 or an err code with c->err. */
int cli_tape(struct cli *c, const char *command, const struct tape_options *o);
/* Closes it; the exit code, made worse by what is wrong with it. Without one: rc. */
int cli_tape_end(struct cli *c, int rc);
/* Where the tokens of a connection are kept: in a replay nowhere. */
struct auth_tokens cli_tape_tokens(struct cli *c, const struct auth_tokens *real);

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
int cmd_run(struct cli *c);
int cmd_worker(struct cli *c); /* this and the next two: processes that `run` starts */
int cmd_gateway(struct cli *c);
int cmd_receiver(struct cli *c);
int cmd_pairs(struct cli *c);
int cmd_plugins(struct cli *c);
int cmd_certify(struct cli *c);
int cmd_runner(struct cli *c);

#endif
