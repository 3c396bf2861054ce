/* SPDX-License-Identifier: MIT */
/* status.c - `status`: what is in step, what is not and why, pair by pair. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/cli.h"
#include "daemon/claim.h"

static long daemon_pid; /* of `run` on this state; 0: none is at work */
static const char *refused; /* why it does not take the config in as it is now; NULL: it does */

static const char *next_run(struct cli *c, const struct conf_pair *pair, const struct status_counts *n)
{
    if (pair->every_ms <= 0)
        return NULL;
    return n->last.at_ms ? out_time(&c->arena, n->last.at_ms + pair->every_ms) : "now";
}

static const char *last_text(const struct status_counts *n, const char *key, struct arena *a)
{
    struct err ignored = {0};
    if (!n->last.json)
        return NULL;
    struct json_doc *doc = json_parse(n->last.json, strlen(n->last.json), NULL, &ignored);
    const struct json *node = doc ? json_get(json_root(doc), key) : NULL;
    const char *text = node ? arena_text(a, json_text(node, NULL)) : NULL;
    json_free(doc);
    return text;
}

static void print_json(struct cli *c, const struct conf_pair *pair, const struct status_counts *n, const char *run)
{
    struct buf b = {0};
    out_begin(&b);
    out_text(&b, "pair", pair->name);
    out_number(&b, "in_step", (int64_t)n->in_step);
    out_number(&b, "excluded", (int64_t)n->excluded);
    out_number(&b, "conflicts", (int64_t)n->conflicts);
    out_number(&b, "parked", (int64_t)n->parked);
    out_number(&b, "withheld", (int64_t)n->withheld);
    out_number(&b, "pending", (int64_t)n->pending);
    out_number(&b, "unlinked", (int64_t)n->unlinked);
    out_bool(&b, "review", run && n->undecided);
    out_text(&b, "last_run", run);
    out_text(&b, "last_run_at", run ? out_time(&c->arena, n->last.at_ms) : NULL);
    out_text(&b, "next_run", next_run(c, pair, n));
    out_text(&b, "last_error", pair_last_error(c, pair));
    if (daemon_pid)
        out_number(&b, "daemon", daemon_pid);
    else
        out_text(&b, "daemon", NULL);
    out_text(&b, "config_refused", refused);
    out_end(&b);
    buf_fini(&b);
}

static void print_error(const char *error)
{
    if (error)
        printf("    its last run did not come to its end: %s\n", error);
}

static void print_text(struct cli *c, const struct conf_pair *pair, const struct status_counts *n, const char *change,
                       const char *run)
{
    printf("%s: %" PRIu64 " in step", pair->name, n->in_step);
    const struct {
        uint64_t count;
        const char *word;
    } rest[] = {{n->excluded, "excluded"},         {n->conflicts, "in conflict"}, {n->parked, "parked"},
                {n->withheld, "deletes withheld"}, {n->pending, "pending"},       {n->unlinked, "unlinked"}};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        if (rest[i].count)
            printf(", %" PRIu64 " %s", rest[i].count, rest[i].word);
    printf("\n");
    if (change)
        printf("    last change %s (run %s)\n", out_time(&c->arena, ulid_time_ms(change)), change);
    if (run && !text_equal(run, change))
        printf("    last run %s (run %s)\n", out_time(&c->arena, n->last.at_ms), run);
    if (run && n->undecided)
        printf("    its first run waits for you: look at `syncline plan %s`, then `syncline approve %s --first-run`\n",
               pair->name, pair->name);
    if (n->conflicts)
        printf("    see `syncline conflicts list`\n");
    if (n->parked)
        printf("    see `syncline parked list`\n");
    if (n->withheld)
        printf("    look at the other side, then `syncline approve %s --deletes %" PRIu64 "`\n", pair->name,
               n->withheld);
}

static int status_one(struct cli *c, struct conf_pair *pair)
{
    struct pair_open open;
    struct status_counts n = {0};
    if (pair_open(c, pair, OPEN_READ, &open))
        return err_exit(&c->err);
    if (!open.store && !c->json) {
        printf("%s: never ran; `syncline plan %s` shows what a first run would do\n", pair->name, pair->name);
        print_error(pair_last_error(c, pair));
        return 0;
    }
    if (open.store && act_status(open.store, &c->arena, &n, &c->err)) {
        pair_close(&open);
        return err_exit(&c->err);
    }
    const char *change = last_text(&n, "run", &c->arena), *run = pair_last_run(c, pair);
    if (!run || (change && strcmp(change, run) > 0)) /* ULIDs stand in the order of time */
        run = change;
    n.last.at_ms = ulid_time_ms(run);
    if (c->json)
        print_json(c, pair, &n, run);
    else
        print_text(c, pair, &n, change, run);
    if (!c->json)
        print_error(pair_last_error(c, pair));
    pair_close(&open);
    return n.conflicts || n.parked || n.withheld || (run && n.undecided) ? 3 : 0;
}

int cmd_status(struct cli *c)
{
    if (cli_options(c, NULL, 0) || cli_conf(c))
        return 2;
    daemon_pid = claim_look(c->conf->state, &c->conf->arena, &refused);
    int rc = cli_each(c, status_one);
    if (daemon_pid && !c->json)
        printf("`syncline run` is at work (process %ld)\n", daemon_pid);
    if (refused && !c->json)
        printf("    it works by the config as it was; the edited one is refused:\n%s%s", refused,
               refused[strlen(refused) - 1] == '\n' ? "" : "\n");
    return rc;
}
