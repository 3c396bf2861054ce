/* SPDX-License-Identifier: MIT */
/* apply.c - `apply`: carries out exactly the items of a plan file; what no longer holds is left out and said. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/cli.h"

static const struct json *items; /* of the plan file */

static const char *text_of(const struct json *object, const char *key)
{
    const struct json *node = json_get(object, key);
    return node ? json_text(node, NULL) : NULL;
}

static bool of_pair(const struct json *item, const struct conf_pair *pair)
{
    return text_equal(text_of(item, "pair"), pair->name);
}

static void tell_left_out(const struct conf_pair *pair, const struct json *item)
{
    const char *a = text_of(item, "a"), *b = text_of(item, "b"), *op = text_of(item, "op");
    printf("%s: left out: %s of %s ↔ %s: it is done already or no longer as planned; plan again\n", pair->name,
           op ? op : "?", a ? a : "(new)", b ? b : "(new)");
}

static int apply_one(struct cli *c, struct conf_pair *pair)
{
    struct pair_open open;
    struct run_report report;
    size_t n = 0;
    uint64_t *only = arena_alloc(&c->arena, (json_count(items) + 1) * sizeof *only);
    bool *met = arena_alloc(&c->arena, (json_count(items) + 1) * sizeof *met);
    for (const struct json *item = json_first(items); item; item = json_next(item))
        if (of_pair(item, pair))
            only[n++] = strtoull(text_of(item, "digest") ? text_of(item, "digest") : "0", NULL, 16);
    if (n == 0)
        return 0;
    if (pair_open(c, pair, OPEN_WRITE | OPEN_SESSIONS, &open))
        return err_exit(&c->err);
    open.env.only = only;
    open.env.n_only = n;
    open.env.only_met = met;
    run_pair(&open.env, &report, &c->err);
    pair_close(&open);
    uint64_t written = 0;
    for (int s = 0; s < 2; s++)
        for (int k = 0; k < 3; k++)
            written += report.writes[s][k];
    size_t i = 0;
    for (const struct json *item = json_first(items); item && !c->json; item = json_next(item))
        if (of_pair(item, pair) && !met[i++])
            tell_left_out(pair, item);
    if (c->json) {
        struct buf b = {0};
        run_put_json(&b, pair->name, &report);
        puts(b.data);
        buf_fini(&b);
    } else {
        printf("%s: %zu planned, %" PRIu64 " written\n", pair->name, n, written);
    }
    return run_exit(&report, &c->err);
}

static int check_plan(struct cli *c, const struct json *root, const char *file)
{
    char now[20];
    snprintf(now, sizeof now, "%016" PRIx64, c->conf->digest);
    items = json_get(root, "items");
    if (!json_get(root, "syncline_plan") || json_type(items) != JSON_LIST)
        return err_set(&c->err, ERR_CONFIG, "%s: is no plan; write one with `syncline plan -o FILE`", file);
    if (!text_equal(text_of(root, "config"), now))
        return err_set(&c->err, ERR_CONFIG, "%s: was made under another config; plan again", file);
    return 0;
}

int cmd_apply(struct cli *c)
{
    struct buf text = {0};
    struct json_rules rules = {.max_nodes = 50000000};
    cli_catch_signals();
    if (cli_options(c, NULL, 0) || cli_operands(c, 1, 1, "apply FILE") || cli_conf(c))
        return 2;
    const char *file = c->argv[0];
    c->argc = 0;
    if (file_read(file, 1u << 30, &text, &c->err)) {
        c->err.code = ERR_CONFIG;
        return 2;
    }
    struct err why = {0};
    struct json_doc *doc = json_parse(text.data, text.size, &rules, &why);
    int rc = doc ? 0 : err_set(&c->err, ERR_CONFIG, "%s: %s", file, why.text);
    if (rc == 0)
        rc = check_plan(c, json_root(doc), file);
    rc = rc ? 2 : cli_each(c, apply_one);
    json_free(doc);
    buf_fini(&text);
    return rc;
}
