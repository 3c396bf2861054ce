/* SPDX-License-Identifier: MIT */
/* links.c - `links`, `link`, `unlink`: who is whom, and identity by hand. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const char *const states[] = {[LINK_HALF] = "unlinked-yet",
                                     [LINK_LIVE] = "linked",
                                     [LINK_UNLINKED] = "unlinked",
                                     [LINK_UNDONE] = "undone",
                                     [LINK_PENDING] = "pending"};

static void print_link(struct cli *c, const struct conf_pair *pair, const struct link *l)
{
    struct buf b = {0};
    char key[33];
    hex_encode(l->key.bytes, sizeof l->key.bytes, key);
    if (!c->json) {
        printf("%s  %s ↔ %s  %s\n", key, l->id[0] ? l->id[0] : "-", l->id[1] ? l->id[1] : "-", states[l->state]);
        return;
    }
    out_begin(&b);
    out_text(&b, "pair", pair->name);
    out_text(&b, "a", l->id[0]);
    out_text(&b, "b", l->id[1]);
    out_text(&b, "state", states[l->state]);
    out_text(&b, "link", key);
    out_number(&b, "generation", l->generation);
    out_end(&b);
    buf_fini(&b);
}

int cmd_links(struct cli *c)
{
    enum { PAGE = 500 };
    struct pair_open open;
    uint64_t after = 0;
    size_t n = PAGE;
    if (cli_options(c, NULL, 0) || cli_operands(c, 0, 1, "links PAIR") || cli_conf(c))
        return 2;
    struct conf_pair *pair = cli_pair(c, c->argc ? c->argv[0] : NULL);
    if (!pair || pair_open(c, pair, OPEN_READ, &open))
        return err_exit(&c->err);
    struct link *rows = mem_alloc(PAGE * sizeof *rows);
    struct arena page = {0};
    while (n == PAGE && open.store) {
        n = act_links(open.store, after, &page, rows, PAGE, &c->err);
        for (size_t i = 0; i < n; i++)
            print_link(c, pair, &rows[i]);
        if (n)
            after = rows[n - 1].number;
        arena_reset(&page);
    }
    arena_fini(&page);
    mem_free(rows);
    pair_close(&open);
    return err_exit(&c->err);
}

int cmd_link(struct cli *c)
{
    struct pair_open open;
    const char *a, *b;
    if (cli_options(c, NULL, 0) || cli_operands(c, 3, 3, "link PAIR A B") || cli_conf(c))
        return 2;
    struct conf_pair *pair = cli_pair(c, c->argv[0]);
    if (!pair || pair_open(c, pair, OPEN_WRITE, &open))
        return err_exit(&c->err);
    act_side(c->argv[1], &a);
    act_side(c->argv[2], &b);
    act_link(open.store, open.env.identity, a, b, &c->err);
    pair_close(&open);
    if (!c->err.code && !c->json)
        printf("%s: %s ↔ %s linked; the next sync brings them in step\n", pair->name, a, b);
    return err_exit(&c->err);
}

int cmd_unlink(struct cli *c)
{
    bool forget = false;
    const struct option_row rows[] = {{"--forget", NULL, &forget}};
    struct pair_open open;
    const char *id;
    if (cli_options(c, rows, 1) || cli_operands(c, 2, 2, "unlink PAIR A [--forget]") || cli_conf(c))
        return 2;
    struct conf_pair *pair = cli_pair(c, c->argv[0]);
    if (!pair || pair_open(c, pair, OPEN_WRITE, &open))
        return err_exit(&c->err);
    int side = act_side(c->argv[1], &id);
    act_unlink(open.store, side, id, forget, &c->world, &c->err);
    pair_close(&open);
    if (!c->err.code && !c->json)
        printf("%s: %s %s\n", pair->name, id,
               forget ? "forgotten; the next sync may match or create it again" : "unlinked; both records stay");
    return err_exit(&c->err);
}
