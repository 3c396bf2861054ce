/* SPDX-License-Identifier: MIT */
/* sync.c - `sync`: one run of each pair; `verify`: a full compare. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"

static bool no_wait, repair;

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
    if (r->message[0])
        fprintf(stderr, "%s: %s\n", pair->name, r->message);
    fflush(stdout);
}

static int sync_one(struct cli *c, struct conf_pair *pair)
{
    struct pair_open open;
    struct run_report report;
    if (pair_open(c, pair, OPEN_WRITE | OPEN_SESSIONS | (no_wait ? OPEN_NO_WAIT : 0), &open))
        return err_exit(&c->err);
    run_pair(&open.env, &report, &c->err);
    pair_close(&open);
    tell(c, pair, &report);
    return run_exit(&report, &c->err);
}

int cmd_sync(struct cli *c)
{
    const struct option_row rows[] = {{"--no-wait", NULL, &no_wait}};
    cli_catch_signals();
    if (cli_options(c, rows, 1) || cli_conf(c))
        return 2;
    return cli_each(c, sync_one);
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

static int verify_one(struct cli *c, struct conf_pair *pair)
{
    struct pair_open open;
    struct run_report report;
    if (pair_open(c, pair, OPEN_WRITE | OPEN_SESSIONS, &open))
        return err_exit(&c->err);
    open.env.full = true;
    open.env.dry = !repair;
    open.env.sink.self = c;
    open.env.sink.progress = NULL;
    open.env.sink.item = repair ? NULL : print_difference;
    int rc = run_pair(&open.env, &report, &c->err);
    pair_close(&open);
    if (rc)
        return err_exit(&c->err);
    uint64_t equal = report.of[CLASS_UNCHANGED] + (repair ? report.of[CLASS_APPLIED] : 0);
    uint64_t differ = report.seen - equal - report.of[CLASS_FILTERED];
    if (c->json)
        printf("{\"pair\": \"%s\", \"equal\": %" PRIu64 ", \"differ\": %" PRIu64 ", \"excluded\": %" PRIu64
               ", \"repaired\": %" PRIu64 "}\n",
               pair->name, equal, differ, report.of[CLASS_FILTERED], repair ? report.of[CLASS_APPLIED] : 0);
    else
        printf("%s: %" PRIu64 " equal, %" PRIu64 " differ, %" PRIu64 " excluded%s\n", pair->name, equal, differ,
               report.of[CLASS_FILTERED],
               differ && !repair ? "; `syncline verify --repair` or `sync` brings them in step" : "");
    return differ ? 3 : 0;
}

int cmd_verify(struct cli *c)
{
    const struct option_row rows[] = {{"--repair", NULL, &repair}};
    cli_catch_signals();
    if (cli_options(c, rows, 1) || cli_conf(c))
        return 2;
    return cli_each(c, verify_one);
}
