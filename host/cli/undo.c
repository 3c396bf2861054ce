/* SPDX-License-Identifier: MIT */
/* undo.c - `undo`: one run's writes taken back where they still stand. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"

static const char *run;
static bool dry, found;

static void tell(void *self, const struct undo_item *item)
{
    struct cli *c = self;
    struct buf b = {0};
    if (c->json) {
        out_begin(&b);
        out_text(&b, "what", item->what);
        out_text(&b, "side", item->side ? "b" : "a");
        out_text(&b, "id", item->id);
        out_text(&b, "field", item->field);
        out_text(&b, "why", item->why);
        if (item->before) {
            out_value(&b, "before", item->before);
            out_value(&b, "after", item->after);
        }
        out_end(&b);
        buf_fini(&b);
        return;
    }
    printf("  %s%s: %s on %s%s%s%s%s", dry ? "would be " : "", item->what, item->id ? item->id : "?",
           item->side ? "b" : "a", item->field ? ", " : "", item->field ? item->field : "", item->why ? ": " : "",
           item->why ? item->why : "");
    if (item->before)
        printf(": %s → %s", out_brief(&c->arena, item->before), out_brief(&c->arena, item->after));
    putchar('\n');
}

static int undo_one(struct cli *c, struct conf_pair *pair)
{
    struct pair_open open;
    struct undo_report report;
    if (pair_open(c, pair, OPEN_READ, &open) || !open.store)
        return err_exit(&c->err);
    pair_close(&open);
    if (pair_open(c, pair, OPEN_WRITE | OPEN_SESSIONS, &open))
        return err_exit(&c->err);
    int rc = act_undo(&open.env, run, dry, tell, c, &report, &c->err);
    pair_close(&open);
    if (rc == ERR_NOTFOUND) { /* another pair's run */
        err_clear(&c->err);
        return 0;
    }
    found = true;
    if (rc == 0 && !c->json)
        printf("%s: %" PRIu64 " %s, %" PRIu64 " left as they are%s\n", pair->name, report.done,
               dry ? "would be taken back" : "taken back", report.left,
               dry || !report.done ? "" : "; the next sync takes restored values across");
    return err_exit(&c->err);
}

int cmd_undo(struct cli *c)
{
    const struct option_row rows[] = {{"--dry-run", NULL, &dry}};
    if (cli_options(c, rows, 1) || cli_operands(c, 1, 1, "undo RUN [--dry-run]") || cli_conf(c))
        return 2;
    run = c->argv[0];
    c->argc = 0;
    int rc = cli_each(c, undo_one);
    if (rc == 0 && !found)
        return err_set(&c->err, ERR_CONFIG, "no run '%s' has written anything; see `syncline history`", run);
    return rc;
}
