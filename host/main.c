/* SPDX-License-Identifier: MIT */
/* main.c - a table of commands, no logic. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/core.h"
#include "base/log.h"
#include "cli/cli.h"

#ifndef SYNCLINE_VERSION
#define SYNCLINE_VERSION "0.1.0"
#endif

#define TAPE_HELP                                                                                                      \
    "  --record FILE   write every HTTP exchange, the clock and the randomness to FILE, without secrets: a bug "       \
    "report\n"                                                                                                         \
    "  --replay FILE   the same run from FILE, without a network, on a copy of the state made before it\n"

#define RUN_HELP                                                                                                       \
    "Listens on the config's `listen` with /healthz, /readyz and /metrics. SIGHUP or an edited config: taken in "      \
    "while "                                                                                                           \
    "it\nruns. SIGTERM: the runs in flight end first; a second one ends at once.\n"

static const struct command commands[] = {
    {"init", "[--a PLUGIN:OBJECT --b PLUGIN:OBJECT]", "write a commented config for two connections", NULL, cmd_init},
    {"check", "[--online]", "check the config and say what each side guarantees",
     "  --online   also reach both systems: credentials, objects, fields\n", cmd_check},
    {"test-filter", "PAIR ID", "show what the filter and the mapping make of one record",
     "ID is a record of side a, or b:ID.\n", cmd_test_filter},
    {"plan", "[PAIR...] [-o FILE] [--record FILE | --replay FILE]", "show what a run would write; writes nothing",
     "  -o FILE         write the plan to FILE, for `apply`\n  --exit-code     exit 4 when there is something to "
     "write\n" TAPE_HELP,
     cmd_plan},
    {"apply", "FILE", "carry out exactly that plan", NULL, cmd_apply},
    {"sync", "[PAIR...] [--record FILE | --replay FILE]", "one run of each pair",
     "  --no-wait       exit 1 instead of waiting for another run of the pair\n" TAPE_HELP, cmd_sync},
    {"run", "", "the daemon: runs each pair every so often, as the config says", RUN_HELP, cmd_run},
    {"status", "[PAIR...]", "what is in step, what waits and why", NULL, cmd_status},
    {"conflicts", "[list | show ID | resolve ID --take a|b | resolve ID --value JSON]", "what waits for a person",
     "An ID is as `conflicts list` prints it; with several pairs, PAIR/ID.\n", cmd_conflicts},
    {"parked", "[list | show ID | retry ID | retry --all | drop ID]", "records set aside and why", NULL, cmd_parked},
    {"approve", "PAIR --deletes N | PAIR --first-run", "let withheld deletes or a reviewed first run through", NULL,
     cmd_approve},
    {"history", "[PAIR [ID]] [--since T]", "what was written, when and why",
     "  --since T   a time (2026-11-23 or 2026-11-23T09:00:00Z) or an age (2h, 7d)\n", cmd_history},
    {"why", "PAIR ID [FIELD]", "why a record's fields have the values they have", NULL, cmd_why},
    {"undo", "RUN [--dry-run]", "take one run's writes back", NULL, cmd_undo},
    {"verify", "[PAIR...] [--repair] [--record FILE | --replay FILE]", "compare both sides in full", TAPE_HELP,
     cmd_verify},
    {"link", "PAIR A B", "link two records by hand", NULL, cmd_link},
    {"unlink", "PAIR A [--forget]", "cut a link; both records stay",
     "  --forget   forget the link entirely: the records may be matched or created again\n", cmd_unlink},
    {"links", "PAIR", "list a pair's links", NULL, cmd_links},
    {"plugins", "[NAME]", "connectors found, or why one was refused", NULL, cmd_plugins},
    {"certify", "PLUGIN.so [--config FILE]", "prove what a connector does, on data of its own or a connection",
     "  --config FILE   work on that config's connection of the connector, and on records made there;\n"
     "                  without it, on data made for the purpose (jsondir, csv, sqlite, exec, memory)\n",
     cmd_certify},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

/* What the program starts of itself, in processes of their own; nobody else does. */
static const struct command inner[] = {
    {"worker", "", "carries out runs for `run`", NULL, cmd_worker},
    {"gateway", "", "listens for `run`", NULL, cmd_gateway},
    {"receiver", "", "takes webhooks for `run`", NULL, cmd_receiver},
    {"pairs", "", "the config's pairs, for the API", NULL, cmd_pairs},
    {"runner", "--fd N --plugin FILE", "holds one connector for the process that uses it", NULL, cmd_runner},
};

static void print_usage(FILE *to)
{
    fputs("usage: syncline [-c FILE] [--json] COMMAND [ARGUMENTS]\n\n", to);
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(to, "  %-12s %s\n", commands[i].name, commands[i].summary);
    fputs("\n`syncline COMMAND --help` tells more; the config is syncline.json unless -c names another.\n", to);
}

static const struct command *find_command(const char *name, struct err *e)
{
    const char *names[N_COMMANDS];
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
        names[i] = commands[i].name;
    }
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
        if (strcmp(inner[i].name, name) == 0)
            return &inner[i];
    const char *near = nearest_word(name, names, N_COMMANDS);
    err_set(e, ERR_CONFIG, "'%s' is no command%s%s%s; `syncline --help` lists them", name,
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}

static int print_help(const struct command *cmd)
{
    printf("usage: syncline [-c FILE] [--json] %s %s\n\n%s\n", cmd->name, cmd->args, cmd->summary);
    if (cmd->help)
        printf("\n%s", cmd->help);
    return 0;
}

/* Options before the command; --json may stand anywhere. Returns the index of the command's name. */
static int parse_global(struct cli *c, int argc, char **argv, bool *help, bool *version)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "-c") == 0 && i + 1 < argc)
            c->config = argv[++i];
        else if (strcmp(argv[i], "--json") == 0)
            c->json = true;
        else if (strcmp(argv[i], "--given") == 0)
            c->given = true;
        else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            *help = true;
        else if (strcmp(argv[i], "--version") == 0)
            *version = true;
        else
            err_set(&c->err, ERR_CONFIG, "'%s' is no option; `syncline --help` lists them", argv[i]);
    }
    return i;
}

static int finish(struct cli *c, int rc)
{
    if (c->err.code) {
        rc = rc ? rc : err_exit(&c->err);
        cli_say_error(c);
    }
    if (c->given)
        rc = given_end(c, rc);
    hooks_close(c->hooks);
    conf_free(c->conf);
    arena_fini(&c->arena);
    return rc;
}

int main(int argc, char **argv)
{
    struct cli c = {.config = "syncline.json", .world = cli_world};
    bool help = false, version = false;
    core_refuse();
    log_init(isatty(2) != 0, LOG_INFO);
    if (!log_level(getenv("SYNCLINE_LOG")))
        err_set(&c.err, ERR_CONFIG,
                "SYNCLINE_LOG is none of error, warn, info and debug; set it to one of them, or to nothing");
    int at = parse_global(&c, argc, argv, &help, &version);
    if (c.err.code)
        return finish(&c, 2);
    if (version) {
        puts("syncline " SYNCLINE_VERSION);
        return 0;
    }
    if (help || at >= argc) {
        print_usage(help ? stdout : stderr);
        return help ? 0 : 2;
    }
    const struct command *cmd = find_command(argv[at], &c.err);
    if (!cmd)
        return finish(&c, 2);
    c.argc = argc - at - 1;
    c.argv = argv + at + 1;
    for (int i = 0; i < c.argc && strcmp(c.argv[i], "--") != 0; i++)
        if (strcmp(c.argv[i], "--help") == 0)
            return print_help(cmd);
    return finish(&c, cmd->run(&c));
}
