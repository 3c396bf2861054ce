/* SPDX-License-Identifier: MIT */
/* sync.c - `sync`: one run of each pair; `verify`: a full compare. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static bool no_wait, repair;
static struct tape_options tape;

static void print_report(const struct conf_pair *pair, const struct run_report *r)
{
    printf("%s: %" PRIu64 " seen, %" PRIu64 " applied, %" PRIu64 " unchanged", pair->name, r->seen,
           r->of[CLASS_APPLIED], r->of[CLASS_UNCHANGED]);
    static const struct {
        int klass;
        const char *word;
    } rest[] = {{CLASS_FILTERED, "filtered"},
                {CLASS_CONFLICT, "in conflict"},
                {CLASS_PARKED, "parked"},
                {CLASS_PENDING, "pending"},
                {CLASS_WITHHELD, "withheld"}};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        if (r->of[rest[i].klass])
            printf(", %" PRIu64 " %s", r->of[rest[i].klass], rest[i].word);
    for (int s = 0; s < 2; s++)
        if (r->writes[s][0] || r->writes[s][1] || r->writes[s][2])
            printf("; %s: %" PRIu64 " created, %" PRIu64 " updated, %" PRIu64 " deleted", s ? "b" : "a",
                   r->writes[s][0], r->writes[s][1], r->writes[s][2]);
    printf(" (run %s, %" PRId64 " ms)\n", r->run, r->ms);
}

static void tell(struct cli *c, const struct conf_pair *pair, const struct run_report *r)
{
    if (c->json) {
        struct buf b = {0};
        run_put_json(&b, pair->name, r);
        puts(b.data);
        buf_fini(&b);
    } else if (!c->err.code) {
        print_report(pair, r);
    }
    if (!c->err.code) /* else the error says it */
        out_message(pair->name, r->message);
    fflush(stdout);
}

static void count(struct cli *c, const struct pair_open *open, struct pair_sync *how)
{
    if (how->report.recorded || how->count)
        how->counted = act_status(open->store, &c->arena, &how->counts, &c->err) == 0;
}

struct told {
    struct cli *c;
    const struct conf_pair *pair;
};

static int told_waiting(void *self, struct arena *a, struct hook_waiting *rows, size_t room, size_t *n, struct err *e)
{
    struct told *t = self;
    return hooks_waiting(t->c->hooks, t->pair->name, a, rows, room, n, e);
}

static int told_taken(void *self, const struct hook_waiting *rows, size_t n, struct err *e)
{
    struct told *t = self;
    return hooks_taken(t->c->hooks, t->pair->name, rows, n, e);
}

int pair_sync(struct cli *c, const struct conf_pair *pair, struct pair_sync *how)
{
    struct told told = {c, pair};
    const struct run_hints hints = {&told, told_waiting, told_taken};
    struct pair_open open;
    memset(&how->report, 0, sizeof how->report);
    how->opened = how->counted = false;
    if (pair_open(c, pair, OPEN_WRITE | OPEN_SESSIONS | (how->no_wait ? OPEN_NO_WAIT : 0), &open)) {
        pair_failed(c, pair);
        return err_exit(&c->err);
    }
    how->opened = true;
    open.env.full = how->full;
    if (!c->hooks)
        c->hooks = hooks_open(c->conf->state);
    if (!c->tape) /* a replay could not have them */
        open.env.hints = &hints;
    if (run_pair(&open.env, &how->report, &c->err) == 0) {
        pair_ran(c, pair, &how->report);
        if (how->full)
            pair_verified(c, pair, &how->report);
        if (how->for_counts)
            count(c, &open, how);
    }
    pair_failed(c, pair);
    if (!c->err.code)
        pair_keep(c, &open);
    pair_close(&open);
    return run_exit(&how->report, &c->err);
}

static int sync_one(struct cli *c, struct conf_pair *pair)
{
    struct pair_sync how = {.no_wait = no_wait};
    int rc = pair_sync(c, pair, &how);
    if (how.opened)
        tell(c, pair, &how.report);
    return rc;
}

int cmd_sync(struct cli *c)
{
    const struct option_row rows[] = {{"--no-wait", NULL, &no_wait}, TAPE_ROWS(tape)};
    cli_catch_signals();
    if (cli_options(c, rows, sizeof rows / sizeof *rows) || cli_conf(c) || cli_tape(c, "sync", &tape))
        return 2;
    return cli_tape_end(c, cli_each(c, sync_one));
}

static void print_difference(void *self, const struct plan_item *item)
{
    struct cli *c = self;
    struct buf b = {0};
    for (size_t i = 0; i < item->n_changes; i++) {
        if (c->json) {
            out_begin(&b);
            out_text(&b, "pair", item->pair->name);
            out_text(&b, "a", item->id[0]);
            out_text(&b, "b", item->id[1]);
            out_text(&b, "field", item->changes[i].name);
            out_value(&b, "before", &item->changes[i].before);
            out_value(&b, "after", &item->changes[i].after);
            out_text(&b, "reason", item->reason);
            out_end(&b);
        } else {
            printf("  %s %s %s: %s, would be %s (%s)\n", item->id[0] ? item->id[0] : "-",
                   item->id[1] ? item->id[1] : "-", item->changes[i].name,
                   out_brief(&c->arena, &item->changes[i].before), out_brief(&c->arena, &item->changes[i].after),
                   item->reason);
        }
    }
    if (item->n_changes == 0 && !c->json)
        printf("  %s %s: %s (%s)\n", item->id[0] ? item->id[0] : "-", item->id[1] ? item->id[1] : "-", item->op,
               item->reason);
    buf_fini(&b);
}

/* What both sides hold after a repair is looked at once more. */
static int compare(struct cli *c, struct pair_open *open, struct run_report *report, struct hash128 digest[2])
{
    struct run_report after;
    open->env.full = true;
    open->env.dry = !repair;
    open->env.sink.self = c;
    open->env.sink.progress = NULL;
    open->env.sink.item = repair ? NULL : print_difference;
    int rc = run_pair(&open->env, report, &c->err);
    memcpy(digest, report->digest, sizeof report->digest);
    if (rc || !repair)
        return rc;
    open->env.dry = true;
    rc = run_pair(&open->env, &after, &c->err);
    memcpy(digest, after.digest, sizeof after.digest);
    return rc;
}

static int verify_one(struct cli *c, struct conf_pair *pair)
{
    struct pair_open open;
    struct run_report report;
    struct hash128 digest[2];
    char hex[2][33];
    if (pair_open(c, pair, OPEN_WRITE | OPEN_SESSIONS, &open))
        return err_exit(&c->err);
    int rc = compare(c, &open, &report, digest);
    pair_close(&open);
    if (rc)
        return err_exit(&c->err);
    for (int s = 0; s < 2; s++)
        hex_encode(digest[s].bytes, sizeof digest[s].bytes, hex[s]);
    uint64_t equal = report.of[CLASS_UNCHANGED] + (repair ? report.of[CLASS_APPLIED] : 0);
    uint64_t differ = report.seen - equal - report.of[CLASS_FILTERED];
    if (c->json)
        printf("{\"pair\": \"%s\", \"equal\": %" PRIu64 ", \"differ\": %" PRIu64 ", \"excluded\": %" PRIu64
               ", \"repaired\": %" PRIu64 ", \"digest\": {\"a\": \"%s\", \"b\": \"%s\"}}\n",
               pair->name, equal, differ, report.of[CLASS_FILTERED], repair ? report.of[CLASS_APPLIED] : 0, hex[0],
               hex[1]);
    else
        printf("%s: %" PRIu64 " equal, %" PRIu64 " differ, %" PRIu64 " excluded%s\n", pair->name, equal, differ,
               report.of[CLASS_FILTERED],
               differ && !repair ? "; `syncline verify --repair` or `sync` brings them in step" : "");
    if (!c->json && !pair->append) /* what is signed on one side has no digest in common */
        printf("    digest of a %s, of b %s\n", hex[0], hex[1]);
    return differ ? 3 : 0;
}

int cmd_verify(struct cli *c)
{
    const struct option_row rows[] = {{"--repair", NULL, &repair}, TAPE_ROWS(tape)};
    cli_catch_signals();
    if (cli_options(c, rows, sizeof rows / sizeof *rows) || cli_conf(c) || cli_tape(c, "verify", &tape))
        return 2;
    return cli_tape_end(c, cli_each(c, verify_one));
}
