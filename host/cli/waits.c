/* SPDX-License-Identifier: MIT */
/* waits.c - `conflicts`, `parked` and `approve`: what waits for a person, and their answers. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/cli.h"

static const char *const kinds[] = {
    [WAIT_CONFLICT] = "conflict", [WAIT_DRIFT] = "drift",         [WAIT_AMBIGUOUS] = "ambiguous",
    [WAIT_PARKED] = "parked",     [WAIT_UNCERTAIN] = "uncertain", [WAIT_WITHHELD] = "withheld",
    [WAIT_REVIEW] = "review"};

static int listed_db = DB_CONFLICTS;
static const char *shown_id; /* NULL: all */
static bool found;

static void print_json(const struct conf_pair *pair, const struct wait_row *w)
{
    struct buf b = {0};
    char id[24];
    snprintf(id, sizeof id, "%" PRIu64, w->number);
    out_begin(&b);
    out_text(&b, "id", id);
    out_text(&b, "pair", pair->name);
    out_text(&b, "kind", kinds[w->kind]);
    out_text(&b, "a", w->id[0]);
    out_text(&b, "b", w->id[1]);
    out_text(&b, "label", w->label);
    if (w->field[0] || w->field[1]) {
        out_text(&b, "field", w->field[0] ? w->field[0] : w->field[1]);
        out_text(&b, "field_a", w->field[0]);
        out_text(&b, "field_b", w->field[1]);
        /* as in `plan`: what taking side a would do to side b */
        out_value(&b, "before", &w->value[1]);
        out_value(&b, "after", &w->value[0]);
        out_value(&b, "base", &w->base[0]);
        out_value(&b, "base_b", &w->base[1]);
        out_value(&b, "value_a", &w->value[0]);
        out_value(&b, "value_b", &w->value[1]);
    }
    out_text(&b, "reason", w->reason);
    out_text(&b, "since", "");
    b.size -= 2;
    buf_printf(&b, "\"");
    char since[32];
    timestamp_format(w->since_ms, 1000, since);
    buf_printf(&b, "%s\"", since);
    out_number(&b, "attempts", w->attempts);
    out_text(&b, "run", w->run);
    out_end(&b);
    buf_fini(&b);
}

static void print_text(struct cli *c, const struct conf_pair *pair, const struct wait_row *w)
{
    printf("%" PRIu64 "  %s  %s ↔ %s  %s\n", w->number, pair->name, w->id[0] ? w->id[0] : "-",
           w->id[1] ? w->id[1] : "-", w->label ? w->label : "");
    if (w->field[0] || w->field[1])
        printf("    %s: a %s (was %s), b %s (was %s)\n", w->field[0] ? w->field[0] : w->field[1],
               out_brief(&c->arena, &w->value[0]), out_brief(&c->arena, &w->base[0]),
               out_brief(&c->arena, &w->value[1]), out_brief(&c->arena, &w->base[1]));
    printf("    %s: %s\n    since %s, seen %u times\n", kinds[w->kind], w->reason ? w->reason : "",
           out_time(&c->arena, w->since_ms), w->attempts);
}

static bool wanted(const struct conf_pair *pair, const struct wait_row *w)
{
    if (!shown_id)
        return true;
    const char *slash = strrchr(shown_id, '/');
    if (slash &&
        ((size_t)(slash - shown_id) != strlen(pair->name) || strncmp(shown_id, pair->name, strlen(pair->name)) != 0))
        return false;
    return strtoull(slash ? slash + 1 : shown_id, NULL, 10) == w->number;
}

static int list_one(struct cli *c, struct conf_pair *pair)
{
    enum { PAGE = 100 };
    struct pair_open open;
    struct wait_row rows[PAGE];
    uint64_t after = 0;
    size_t n = PAGE;
    if (pair_open(c, pair, OPEN_READ, &open) || !open.store)
        return err_exit(&c->err);
    while (n == PAGE) {
        n = act_waits(open.store, listed_db, after, &c->arena, rows, PAGE, &c->err);
        for (size_t i = 0; i < n; i++) {
            after = rows[i].number;
            if (!wanted(pair, &rows[i]))
                continue;
            found = true;
            if (c->json)
                print_json(pair, &rows[i]);
            else
                print_text(c, pair, &rows[i]);
        }
    }
    pair_close(&open);
    return err_exit(&c->err);
}

/* The pair that holds the entry an ID names; the state stays open for writing. */
static struct conf_pair *pair_of(struct cli *c, const char *text, int db, unsigned what, uint64_t *id,
                                 struct pair_open *open)
{
    shown_id = text;
    for (size_t p = 0; p < c->conf->n_pairs; p++) {
        struct wait_row row;
        struct conf_pair *pair = &c->conf->pairs[p];
        const char *slash = strrchr(text, '/');
        *id = strtoull(slash ? slash + 1 : text, NULL, 10);
        if (*id == 0 || pair_open(c, pair, OPEN_READ, open) || !open->store)
            continue;
        size_t n = act_waits(open->store, db, *id - 1, &c->arena, &row, 1, &c->err);
        pair_close(open);
        if (n == 1 && row.number == *id && wanted(pair, &row) && !pair_open(c, pair, OPEN_WRITE | what, open))
            return pair;
    }
    err_set(&c->err, ERR_CONFIG, "there is no %s '%s'; list them with `syncline %s list`",
            db == DB_PARKED ? "parked record" : "conflict", text, db == DB_PARKED ? "parked" : "conflicts");
    return NULL;
}

static int resolve(struct cli *c, const char *text, const char *take, const char *value)
{
    struct pair_open open;
    uint64_t id = 0;
    struct json_doc *doc = NULL;
    struct err why = {0};
    if (!take == !value || (take && strcmp(take, "a") != 0 && strcmp(take, "b") != 0))
        return err_set(&c->err, ERR_CONFIG, "say --take a, --take b or --value JSON");
    if (value && !(doc = json_parse(value, strlen(value), NULL, &why)))
        return err_set(&c->err, ERR_CONFIG, "--value: %s; give it as JSON, a text in double quotes", why.text);
    if (pair_of(c, text, DB_CONFLICTS, value ? OPEN_SESSIONS : 0, &id, &open)) {
        if (take) {
            act_resolve(open.store, id, take[0] == 'b', clock_now_ms(), &c->err);
        } else {
            struct sl_value v = value_from_json(&c->arena, NULL, json_root(doc));
            act_resolve_value(&open.env, id, &v, &c->err);
        }
        pair_close(&open);
    }
    json_free(doc);
    if (!c->err.code && !c->json)
        printf("conflict %s resolved; the next sync carries it out\n", text);
    return err_exit(&c->err);
}

static int list(struct cli *c, int db, const char *id)
{
    listed_db = db;
    shown_id = id;
    c->argc = 0;
    int rc = cli_each(c, list_one);
    if (id && !found)
        err_set(&c->err, ERR_CONFIG, "there is no entry '%s'; list them with `syncline %s list`", id,
                db == DB_PARKED ? "parked" : "conflicts");
    else if (!found && !c->json)
        puts(db == DB_PARKED ? "nothing is parked" : "no conflicts");
    return rc;
}

int cmd_conflicts(struct cli *c)
{
    const char *take = NULL, *value = NULL;
    const struct option_row rows[] = {{"--take", &take, NULL}, {"--value", &value, NULL}};
    if (cli_options(c, rows, 2) || cli_conf(c))
        return 2;
    if (c->argc == 0 || (c->argc == 1 && strcmp(c->argv[0], "list") == 0))
        return list(c, DB_CONFLICTS, NULL);
    if (c->argc == 2 && strcmp(c->argv[0], "show") == 0)
        return list(c, DB_CONFLICTS, c->argv[1]);
    if (c->argc == 2 && strcmp(c->argv[0], "resolve") == 0)
        return resolve(c, c->argv[1], take, value);
    return err_set(&c->err, ERR_CONFIG,
                   "usage: syncline conflicts [list | show ID | resolve ID --take a|b | resolve ID --value JSON]");
}

static int retry_all(struct cli *c, struct conf_pair *pair)
{
    struct pair_open open;
    struct wait_row row;
    uint64_t after = 0, n = 0;
    if (pair_open(c, pair, OPEN_WRITE, &open))
        return err_exit(&c->err);
    while (act_waits(open.store, DB_PARKED, after, &c->arena, &row, 1, &c->err) == 1) {
        after = row.number;
        n += act_retry(open.store, row.number, &c->err) == 0;
    }
    pair_close(&open);
    if (!c->json)
        printf("%s: %" PRIu64 " will be tried again by the next sync\n", pair->name, n);
    return err_exit(&c->err);
}

static int leave(struct cli *c, const char *text, bool retry)
{
    struct pair_open open;
    uint64_t id = 0;
    if (!pair_of(c, text, DB_PARKED, 0, &id, &open))
        return 2;
    if (retry)
        act_retry(open.store, id, &c->err);
    else
        act_drop(open.store, id, &c->err);
    pair_close(&open);
    if (!c->err.code && !c->json)
        printf("%s %s\n", text,
               retry ? "will be tried again by the next sync" : "dropped; it comes back when its source changes");
    return err_exit(&c->err);
}

int cmd_parked(struct cli *c)
{
    bool all = false;
    const struct option_row rows[] = {{"--all", NULL, &all}};
    if (cli_options(c, rows, 1) || cli_conf(c))
        return 2;
    const char *verb = c->argc ? c->argv[0] : "list";
    if (strcmp(verb, "list") == 0 && c->argc <= 1)
        return list(c, DB_PARKED, NULL);
    if (strcmp(verb, "show") == 0 && c->argc == 2)
        return list(c, DB_PARKED, c->argv[1]);
    if (strcmp(verb, "retry") == 0 && c->argc == 1 && all) {
        c->argc = 0;
        return cli_each(c, retry_all);
    }
    if ((strcmp(verb, "retry") == 0 || strcmp(verb, "drop") == 0) && c->argc == 2)
        return leave(c, c->argv[1], verb[0] == 'r');
    return err_set(&c->err, ERR_CONFIG, "usage: syncline parked [list | show ID | retry ID | retry --all | drop ID]");
}

int cmd_approve(struct cli *c)
{
    const char *deletes = NULL;
    bool first = false;
    const struct option_row rows[] = {{"--deletes", &deletes, NULL}, {"--first-run", NULL, &first}};
    struct pair_open open;
    if (cli_options(c, rows, 2) || cli_operands(c, 1, 1, "approve PAIR --deletes N | approve PAIR --first-run") ||
        cli_conf(c))
        return 2;
    struct conf_pair *pair = cli_pair(c, c->argv[0]);
    char *end = NULL;
    long long n = deletes ? strtoll(deletes, &end, 10) : 0;
    if (!pair)
        return 2;
    if (!deletes == !first || (deletes && (*end || end == deletes || n < 0)))
        return err_set(&c->err, ERR_CONFIG, "say --deletes N (a whole number) or --first-run");
    if (pair_open(c, pair, OPEN_WRITE, &open))
        return err_exit(&c->err);
    if (first)
        act_approve_first(open.store, &c->err);
    else
        act_approve_deletes(open.store, n, &c->err);
    pair_close(&open);
    if (!c->err.code && !c->json)
        printf(first ? "%s: the first run may write\n" : "%s: the next run may carry out up to %lld deletes\n",
               pair->name, n);
    return err_exit(&c->err);
}
