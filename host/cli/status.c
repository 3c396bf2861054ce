/* SPDX-License-Identifier: MIT */
/* status.c - `status`: what is in step, what is not and why, pair by pair. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/cli.h"

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

/* A ULID's first ten letters are its time. */
static int64_t ulid_time(const char *ulid)
{
    static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    int64_t ms = 0;
    for (int i = 0; ulid && i < 10 && ulid[i]; i++) {
        const char *at = strchr(letters, ulid[i]);
        ms = ms * 32 + (at ? at - letters : 0);
    }
    return ms;
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
    out_text(&b, "last_run", run);
    out_text(&b, "last_run_at", run ? out_time(&c->arena, n->last.at_ms) : NULL);
    out_text(&b, "next_run", next_run(c, pair, n));
    out_end(&b);
    buf_fini(&b);
}

static void print_text(struct cli *c, const struct conf_pair *pair, const struct status_counts *n, const char *run)
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
    if (run)
        printf("    last change %s (run %s)\n", out_time(&c->arena, n->last.at_ms), run);
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
        return 0;
    }
    if (open.store && act_status(open.store, &c->arena, &n, &c->err)) {
        pair_close(&open);
        return err_exit(&c->err);
    }
    const char *run = last_text(&n, "run", &c->arena);
    n.last.at_ms = ulid_time(run);
    if (c->json)
        print_json(c, pair, &n, run);
    else
        print_text(c, pair, &n, run);
    pair_close(&open);
    return n.conflicts || n.parked || n.withheld ? 3 : 0;
}

int cmd_status(struct cli *c)
{
    if (cli_options(c, NULL, 0) || cli_conf(c))
        return 2;
    return cli_each(c, status_one);
}
