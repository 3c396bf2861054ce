/* SPDX-License-Identifier: MIT */
/* check.c - `check` and `test-filter`: the config in plain words, and one record through it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "runner/sandbox.h"
#include "sync/engine.h"

static bool online;

static const char *tier(uint64_t caps)
{
    if (caps & (SL_CAP_RESERVED_ID | SL_CAP_IDEMPOTENT))
        return "T1: a create is carried out exactly once, whatever fails";
    if (caps & SL_CAP_FIND_CORRELATION)
        return "T2: a create whose reply was lost is found again by its key";
    return "T3: a create whose reply was lost waits for a person";
}

static void say_side(struct cli *c, const struct conf_pair *p, int s, const struct sl_object *live)
{
    const struct conf_connection *k = &c->conf->connections[p->side[s].connection_index];
    const struct sl_plugin *plugin = plugin_table(k->lib);
    struct proof proof = plugin_proof(k->lib);
    uint64_t caps = live ? live->caps : plugin->caps;
    printf("  %s: %s of %s (%s)\n     %s\n     %s\n", s ? "b" : "a", p->side[s].object, k->name, plugin->name,
           tier(caps),
           caps & SL_CAP_CONDITIONAL
               ? "an edit made while we write is never overwritten"
               : "an edit made between our read and our write may be overwritten; the loser stays in history");
    printf("     %s\n", out_proof(&c->arena, &proof, plugin_file(k->lib)));
    if (k->apart_in_run)
        printf("     %s%s\n", k->apart ? "" : "under `syncline run` ", sandbox_tells(plugin->caps));
    if (k->apart_in_run && sandbox_lacks())
        printf("     %s\n", sandbox_lacks());
    if (live)
        printf("     %u fields described\n", live->n_fields);
}

static void say_children(const struct conf_pair *p)
{
    printf("  each is created on the other side once, below its parent's partner, oldest first; %s\n",
           p->append ? "it is left alone from then on"
                     : "edits of the original follow where the other system takes them");
    if (!p->create[0] || !p->create[1])
        printf("  created on side %s only\n", p->create[0] ? "a" : p->create[1] ? "b" : "none");
}

static void say_policies(const struct conf_pair *p)
{
    if (p->parent) {
        say_children(p);
        return;
    }
    static const char *const deletes[] = {[DELETE_UNLINK] = "the link is cut, the other record stays",
                                          [DELETE_ARCHIVE] = "the other record is archived",
                                          [DELETE_DELETE] = "the other record is deleted",
                                          [DELETE_RECREATE] = "the record is created again",
                                          [DELETE_IGNORE] = "nothing happens"};
    printf("  after a delete: %s; over %lld deletes or %lld %% of the links, all wait for approval\n",
           deletes[p->delete_policy], (long long)p->delete_max, (long long)p->delete_max_percent);
    if (p->policy == POLICY_NEWEST)
        printf("  conflict newest: where a side tells no time, or both are equal, the conflict waits for a person\n");
    if (p->policy == POLICY_MANUAL)
        printf("  when both sides change a field, it waits for a person; every other field flows\n");
}

/* --- would the first run double? --- */

static int count(void *self, const struct sl_item *item)
{
    uint64_t *n = self;
    *n += item->kind != SL_ITEM_TOMBSTONE;
    return 0;
}

static uint64_t count_records(struct cli *c, const struct pair_open *open, int s)
{
    struct arena a = {0};
    struct page_end end = {.kind = SL_PAGE_MORE};
    char *cursor = NULL;
    uint64_t n = 0;
    while (end.kind == SL_PAGE_MORE && !c->err.code) {
        struct sl_pull pull = {.size = sizeof pull, .object = open->pair->side[s].object, .cursor = cursor};
        int rc = session_pull(open->session[s], &pull, (struct session_sink){&n, count}, &a, &end, &c->err);
        if (rc)
            err_set(&c->err, class_err(rc), "%s: cannot be listed", open->pair->side[s].connection);
        mem_free(cursor);
        cursor = !rc && end.cursor ? mem_dup(end.cursor) : NULL;
        arena_reset(&a);
    }
    mem_free(cursor);
    arena_fini(&a);
    return n;
}

static bool could_double(const struct conf_pair *p)
{
    return p->first_run == FIRST_MATCH_OR_CREATE && p->n_match == 0 && (p->create[0] || p->create[1]);
}

/* Before the first run every record is unlinked. */
static int check_doubling(struct cli *c, const struct pair_open *open)
{
    const struct conf_pair *p = open->pair;
    if (!could_double(p) || open->store)
        return 0;
    uint64_t n[2] = {count_records(c, open, 0), count_records(c, open, 1)};
    if (c->err.code || n[0] == 0 || n[1] == 0)
        return c->err.code;
    return err_set(&c->err, ERR_CONFIG,
                   "pairs.%s: both sides hold unlinked records (%" PRIu64 " and %" PRIu64
                   ") and there is no `match`: the first run would double %" PRIu64
                   " records; add `match`, or set first_run to match_only, create_only or review",
                   p->name, n[0], n[1], n[0] + n[1]);
}

/* A look into files and databases of this machine's reach needs no `--online`. */
static bool reaches_locally(const struct cli *c, const struct conf_pair *p)
{
    for (int s = 0; s < 2; s++)
        if (plugin_table(c->conf->connections[p->side[s].connection_index].lib)->needs & SL_NEED_HTTP)
            return false;
    return true;
}

static int check_online(struct cli *c, const struct conf_pair *pair, struct pair_open *open)
{
    struct run_report report = {0};
    struct engine g = {.env = &open->env, .pair = pair, .e = &c->err, .report = &report};
    for (int s = 0; s < 2 && !c->err.code; s++) {
        int rc = session_check(open->session[s], &c->err);
        if (rc)
            err_set(&c->err, class_err(rc), "%s: check failed", pair->side[s].connection);
    }
    if (!c->err.code)
        engine_bind(&g);
    if (!c->err.code)
        check_doubling(c, open);
    if (!c->err.code && !c->json)
        for (int s = 0; s < 2; s++)
            say_side(c, pair, s, &g.object[s]->object);
    arena_fini(&g.lasting);
    return c->err.code;
}

/* match_or_create without a match is only right while one side is empty: that needs a look at both. */
static int check_first_run(struct cli *c, const struct conf_pair *pair)
{
    struct pair_open open;
    struct run_report report;
    if (pair->first_run != FIRST_MATCH_OR_CREATE || pair->n_match || (!pair->create[0] && !pair->create[1]))
        return 0;
    if (pair_open(c, pair, OPEN_WRITE | OPEN_SESSIONS, &open))
        return c->err.code;
    open.env.dry = true;
    open.env.sink = (struct run_sink){0};
    run_pair(&open.env, &report, &c->err);
    pair_close(&open);
    return c->err.code;
}

static int check_one(struct cli *c, struct conf_pair *pair)
{
    struct pair_open open;
    if (!c->json)
        printf("%s: %s\n", pair->name,
               pair->parent                 ? "children"
               : pair->mode == MODE_ONE_WAY ? "one way, a to b"
                                            : "two way");
    if (!online && !c->json) {
        say_side(c, pair, 0, NULL);
        say_side(c, pair, 1, NULL);
    }
    if (online || (could_double(pair) && reaches_locally(c, pair))) {
        if (pair_open(c, pair, OPEN_READ | OPEN_SESSIONS, &open))
            return err_exit(&c->err);
        if (online)
            check_online(c, pair, &open);
        else
            check_doubling(c, &open);
        pair_close(&open);
    }
    if (c->err.code || check_first_run(c, pair))
        return err_exit(&c->err);
    if (c->json)
        printf("{\"pair\": \"%s\", \"ok\": true}\n", pair->name);
    else
        say_policies(pair);
    return 0;
}

/* Where a sender delivers; the token is the sender's to know, not the screen's. */
static void say_hooks(const struct cli *c)
{
    for (size_t i = 0; i < c->conf->n_connections; i++) {
        const struct conf_connection *k = &c->conf->connections[i];
        if (k->hook_token[0])
            printf("%s: webhooks come to /hooks/%s/TOKEN%s, and %s verifies who sent them\n", k->name, k->name,
                   k->hook_token[1] ? " (two tokens are taken)" : "", k->plugin);
    }
}

int cmd_check(struct cli *c)
{
    const struct option_row rows[] = {{"--online", NULL, &online}};
    if (cli_options(c, rows, 1) || cli_conf(c))
        return 2;
    int rc = cli_each(c, check_one);
    if (rc == 0 && !c->json) {
        say_hooks(c);
        printf("%s: no problems\n", c->config);
    }
    return rc;
}

/* --- test-filter --- */

struct got {
    struct arena *arena;
    const struct sl_record *record;
    const char *message;
};

static int take(void *self, const struct sl_item *item)
{
    struct got *g = self;
    if (item->kind == SL_ITEM_RECORD)
        g->record = record_copy(g->arena, item->record);
    else if (item->kind == SL_ITEM_UNREADABLE)
        g->message = arena_text(g->arena, item->message);
    return 0;
}

static int show_mapping(struct cli *c, const struct engine *g, const struct conf_pair *pair, int side,
                        const struct sl_record *r)
{
    const struct sl_record *both[2] = {side == 0 ? r : NULL, side == 1 ? r : NULL};
    const struct rule *rules = pair->map.rules;
    size_t n = pair->map.n_rules;
    int t = 1 - side;
    if (pair->map.open)
        rules = map_open_rules(&pair->map, both, &c->arena, &n);
    for (size_t i = 0; i < n; i++) {
        struct sl_value v;
        struct err e = {0};
        if (!rules[i].to[t])
            continue;
        if (map_value(&rules[i], t, r, NULL, g->now_ms, &c->arena, &v, &e))
            printf("  %s: %s\n", rules[i].field[t], e.text);
        else if (v.type != SL_ABSENT)
            printf("  %s: %s\n", rules[i].field[t], out_brief(&c->arena, &v));
    }
    return 0;
}

static int show_record(struct cli *c, struct engine *g, const struct conf_pair *pair, int side,
                       const struct sl_record *r)
{
    bool in = true;
    struct buf b = {0};
    g->now_ms = clock_now_ms();
    if (pair->side[side].filter_expr && jq_true(pair->side[side].filter_expr, r, g->now_ms, &in, &c->err))
        return c->err.code;
    record_put_json(&b, r);
    if (c->json)
        printf("{\"pair\": \"%s\", \"%s\": \"%s\", \"passes\": %s, \"record\": %s}\n", pair->name, side ? "b" : "a",
               r->id, in ? "true" : "false", b.data);
    else
        printf("%s as side %s holds it:\n  %s\nfilter: %s\nas side %s would get it:\n", r->id, side ? "b" : "a", b.data,
               !pair->side[side].filter ? "none"
               : in                     ? "passes"
                                        : "does not pass",
               side ? "a" : "b");
    buf_fini(&b);
    return c->json ? 0 : show_mapping(c, g, pair, side, r);
}

int cmd_test_filter(struct cli *c)
{
    struct pair_open open;
    const char *id;
    if (cli_options(c, NULL, 0) || cli_operands(c, 2, 2, "test-filter PAIR ID") || cli_conf(c))
        return 2;
    struct conf_pair *pair = cli_pair(c, c->argv[0]);
    if (!pair || pair_open(c, pair, OPEN_SESSIONS, &open))
        return err_exit(&c->err);
    int side = act_side(c->argv[1], &id);
    struct got got = {.arena = &c->arena};
    struct engine g = {.env = &open.env, .pair = pair, .e = &c->err};
    if (!engine_bind(&g)) {
        int rc = session_get(open.session[side], pair->side[side].object, &id, 1, (struct session_sink){&got, take},
                             &c->err);
        if (rc)
            err_set(&c->err, class_err(rc), "%s: cannot be read", id);
        else if (!got.record)
            err_set(&c->err, ERR_CONFIG, "side %s has no record '%s'%s%s; write b:ID for side b", side ? "b" : "a", id,
                    got.message ? ": " : "", got.message ? got.message : "");
        else
            show_record(c, &g, pair, side, got.record);
    }
    arena_fini(&g.lasting);
    pair_close(&open);
    return err_exit(&c->err);
}
