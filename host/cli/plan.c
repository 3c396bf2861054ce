/* SPDX-License-Identifier: MIT */
/* plan.c - `plan`: what a run would write, and the file that `apply` carries out exactly. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/cli.h"

static struct tape_options tape;
static const char *plan_file;
static bool exit_code;
static uint64_t total_planned;
static struct buf saved; /* the plan file as it grows */

static void item_head(struct buf *b, const struct plan_item *item)
{
    out_text(b, "pair", item->pair->name);
    out_text(b, "op", item->op);
    out_text(b, "side", item->side < 0 ? NULL : item->side ? "b" : "a");
    out_text(b, "a", item->id[0]);
    out_text(b, "b", item->id[1]);
    out_text(b, "link", item->link);
}

static void print_json(const struct plan_item *item)
{
    struct buf b = {0};
    for (size_t i = 0; i < item->n_changes || (i == 0 && item->n_changes == 0); i++) {
        out_begin(&b);
        item_head(&b, item);
        if (item->n_changes) {
            out_text(&b, "field", item->changes[i].name);
            out_value(&b, "before", &item->changes[i].before);
            out_value(&b, "after", &item->changes[i].after);
            struct sl_value none = value_absent(NULL);
            out_value(&b, "base", item->base ? &item->base[i] : &none);
        }
        bool own = item->n_changes && item->changes[i].reason;
        out_text(&b, "reason", own ? reason_text(item->changes[i].reason) : item->reason);
        out_end(&b);
    }
    buf_fini(&b);
}

static void print_text(struct cli *c, const struct plan_item *item)
{
    static const char *const marks[][2] = {{"create", "+"}, {"update", "~"},   {"delete", "-"}, {"archive", "-"},
                                           {"link", "="},   {"conflict", "!"}, {"drift", "!"},  {"ambiguous", "?"}};
    const char *mark = " ";
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strcmp(marks[i][0], item->op) == 0)
            mark = marks[i][1];
    printf("%s %s %s%s  %s ↔ %s  %s\n    %s\n", mark, item->pair->name, item->op,
           item->side < 0 ? ""
           : item->side   ? " b"
                          : " a",
           item->id[0] ? item->id[0] : "(new)", item->id[1] ? item->id[1] : "(new)", item->label ? item->label : "",
           item->reason ? item->reason : "");
    for (size_t i = 0; i < item->n_changes; i++)
        printf("    %s: %s → %s\n", item->changes[i].name, out_brief(&c->arena, &item->changes[i].before),
               out_brief(&c->arena, &item->changes[i].after));
}

/* One line an item; the digest is what apply looks for. */
static void save_item(const struct plan_item *item)
{
    struct buf b = {0};
    if (item->side < 0)
        return;
    out_begin(&b);
    item_head(&b, item);
    char digest[20];
    snprintf(digest, sizeof digest, "%016" PRIx64, item->digest);
    out_text(&b, "digest", digest);
    buf_text(&b, ", \"fields\": [");
    for (size_t i = 0; i < item->n_changes; i++) {
        buf_text(&b, i ? ", {\"field\": " : "{\"field\": ");
        json_put_string(&b, item->changes[i].name, strlen(item->changes[i].name));
        buf_text(&b, ", \"before\": ");
        value_put_json(&b, &item->changes[i].before);
        buf_text(&b, ", \"after\": ");
        value_put_json(&b, &item->changes[i].after);
        buf_byte(&b, '}');
    }
    buf_text(&b, "]}");
    buf_printf(&saved, "%s\n    %s", saved.size && saved.data[saved.size - 1] == '}' ? "," : "", b.data);
    buf_fini(&b);
}

static void take_item(void *self, const struct plan_item *item)
{
    struct cli *c = self;
    if (c->json)
        print_json(item);
    else
        print_text(c, item);
    if (plan_file)
        save_item(item);
}

static int plan_one(struct cli *c, struct conf_pair *pair)
{
    struct pair_open open;
    struct run_report report;
    if (pair_open(c, pair, OPEN_WRITE | OPEN_SESSIONS, &open))
        return err_exit(&c->err);
    open.env.dry = true;
    open.env.sink = (struct run_sink){c, take_item, NULL};
    run_pair(&open.env, &report, &c->err);
    pair_close(&open);
    total_planned += report.planned;
    if (!c->json && !c->err.code)
        printf("%s: %" PRIu64 " to write\n", pair->name, report.planned);
    out_message(pair->name, report.message);
    return run_exit(&report, &c->err);
}

static int save(struct cli *c)
{
    struct buf whole = {0};
    buf_printf(&whole, "{\"syncline_plan\": 1, \"config\": \"%016" PRIx64 "\", \"items\": [%s\n]}\n", c->conf->digest,
               saved.data ? saved.data : "");
    int rc = file_write_atomic(plan_file, 0600, whole.data, whole.size, &c->err);
    buf_fini(&whole);
    return rc;
}

int cmd_plan(struct cli *c)
{
    const struct option_row rows[] = {{"-o", &plan_file, NULL}, {"--exit-code", NULL, &exit_code}, TAPE_ROWS(tape)};
    cli_catch_signals();
    if (cli_options(c, rows, sizeof rows / sizeof *rows) || cli_conf(c) || cli_tape(c, "plan", &tape))
        return 2;
    int rc = cli_tape_end(c, cli_each(c, plan_one));
    if (plan_file && rc != 1 && rc != 2 && save(c))
        rc = 1;
    buf_fini(&saved);
    if (exit_code && total_planned && (rc == 0 || rc == 3))
        return 4;
    return rc;
}
