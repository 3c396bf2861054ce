/* SPDX-License-Identifier: MIT */
/* history.c - `history` and `why`: what was written, when, from where, which rule decided, what was lost. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const char *only_id, *only_field;
static int only_side;
static int64_t since_ms;
static uint64_t shown;
static bool detailed; /* why */

static const char *const verbs[] = {[0] = "decided",
                                    [SL_CREATE] = "created",
                                    [SL_UPDATE] = "updated",
                                    [SL_DELETE] = "deleted",
                                    [SL_ARCHIVE] = "archived"};

/* Who had what when it was decided: of one field, both sides by letter. */
struct verdict {
    const char *name[2]; /* NULL: none, it was computed or a constant */
    const struct sl_value *value[2], *base[2]; /* base NULL: not kept */
    const char *winner; /* a, b, both; NULL: nobody, it was taken back */
    const char *rule;
};

static struct verdict verdict_of(struct arena *a, const struct history_row *h, size_t i)
{
    const struct field_change *c = &h->changes[i];
    int t = h->side, reason = c->reason ? c->reason : h->reason;
    const char *source = c->source && c->source[0] != '=' ? c->source : NULL;
    struct verdict v = {.winner = reason == REASON_UNDO ? NULL : reason == REASON_MERGE ? "both" : t ? "a" : "b"};
    v.name[t] = c->name;
    v.name[1 - t] = source;
    v.value[t] = &c->before;
    v.value[1 - t] = &c->origin;
    for (int s = 0; s < 2; s++)
        v.base[s] = h->bases ? &h->bases[2 * i + (size_t)s] : NULL;
    v.rule = v.name[0] && v.name[1] ? arena_printf(a, "a.%s ↔ b.%s", v.name[0], v.name[1])
                                    : arena_printf(a, "computed → %s.%s", t ? "b" : "a", c->name ? c->name : "?");
    return v;
}

/* One line a field, so that `jq` and `grep` find it. */
static void print_json(struct cli *cli, const struct conf_pair *pair, const struct history_row *h, size_t i)
{
    struct buf b = {0};
    char at[32];
    const struct field_change *c = h->n_changes ? &h->changes[i] : NULL;
    timestamp_format(h->at_ms, 1, at);
    out_begin(&b);
    out_text(&b, "pair", pair->name);
    out_text(&b, "run", h->run);
    out_text(&b, "at", at);
    out_text(&b, "op", verbs[h->kind]);
    out_text(&b, "side", h->kind ? (h->side ? "b" : "a") : NULL);
    out_text(&b, "a", h->id[0]);
    out_text(&b, "b", h->id[1]);
    out_text(&b, "label", h->label);
    if (c) {
        out_text(&b, "field", c->name);
        out_text(&b, "from", c->source);
        out_value(&b, "before", &c->before);
        out_value(&b, "after", &c->after);
        out_value(&b, "value", &c->origin);
        out_value(&b, "base", h->bases ? &h->bases[2 * i + h->side] : &c->before);
        if (h->bases) {
            out_value(&b, "base_a", &h->bases[2 * i]);
            out_value(&b, "base_b", &h->bases[2 * i + 1]);
        }
        struct verdict v = verdict_of(&cli->arena, h, i);
        out_value(&b, "value_a", v.value[0]);
        out_value(&b, "value_b", v.value[1]);
        out_text(&b, "rule", v.rule);
        out_text(&b, "winner", v.winner);
        if (c->lost.type != SL_ABSENT)
            out_value(&b, "lost", &c->lost);
    }
    out_text(&b, "reason", reason_text(c && c->reason ? c->reason : h->reason));
    if (h->kept) {
        buf_text(&b, ", \"kept\": ");
        record_put_json(&b, h->kept);
    }
    out_end(&b);
    buf_fini(&b);
}

/* What `why` says beyond `history`: both values and both bases as they were, the rule, and who won. */
static void print_verdict(struct cli *c, const struct history_row *h, size_t i)
{
    struct verdict v = verdict_of(&c->arena, h, i);
    printf("        %s:", v.rule);
    for (int s = 0; s < 2; s++) {
        printf("%s %s %s", s ? "," : "", s ? "b" : "a", out_brief(&c->arena, v.value[s]));
        if (v.base[s])
            printf(" (base %s)", out_brief(&c->arena, v.base[s]));
    }
    if (v.winner)
        printf("; %s won", v.winner);
    putchar('\n');
}

static bool field_wanted(const struct history_row *h, size_t i)
{
    return !only_field || strcmp(only_field, h->changes[i].name) == 0 || text_equal(only_field, h->changes[i].source);
}

static void print_text(struct cli *c, const struct conf_pair *pair, const struct history_row *h)
{
    printf("%s  %s  %s%s  %s ↔ %s  %s\n    %s (run %s)\n", out_time(&c->arena, h->at_ms), pair->name, verbs[h->kind],
           h->kind ? (h->side ? " on b" : " on a") : "", h->id[0] ? h->id[0] : "-", h->id[1] ? h->id[1] : "-",
           h->label ? h->label : "", reason_text(h->reason), h->run);
    for (size_t i = 0; i < h->n_changes; i++) {
        const struct field_change *f = &h->changes[i];
        if (!field_wanted(h, i))
            continue;
        printf("    %s: %s → %s", f->name, out_brief(&c->arena, &f->before), out_brief(&c->arena, &f->after));
        if (f->lost.type != SL_ABSENT)
            printf("; lost %s", out_brief(&c->arena, &f->lost));
        printf("  (%s)\n", reason_text(f->reason));
        if (detailed)
            print_verdict(c, h, i);
    }
}

static bool wanted(const struct history_row *h)
{
    bool touches = h->n_changes == 0;
    for (size_t i = 0; i < h->n_changes && !touches; i++)
        touches = field_wanted(h, i);
    return touches && h->at_ms >= since_ms && (!only_id || text_equal(h->id[only_side], only_id));
}

static void print_row(struct cli *c, const struct conf_pair *pair, const struct history_row *h)
{
    shown++;
    if (!c->json) {
        print_text(c, pair, h);
        return;
    }
    if (h->n_changes == 0)
        print_json(c, pair, h, 0);
    for (size_t i = 0; i < h->n_changes; i++)
        if (field_wanted(h, i))
            print_json(c, pair, h, i);
}

static int history_one(struct cli *c, struct conf_pair *pair)
{
    enum { PAGE = 200 };
    struct pair_open open;
    struct arena page = {0};
    uint64_t after = 0;
    size_t n = PAGE;
    if (pair_open(c, pair, OPEN_READ, &open) || !open.store)
        return err_exit(&c->err);
    struct history_row *rows = mem_alloc(PAGE * sizeof *rows);
    while (n == PAGE) {
        n = act_history(open.store, after, &page, rows, PAGE, &c->err);
        for (size_t i = 0; i < n; i++) {
            after = rows[i].number;
            if (wanted(&rows[i]))
                print_row(c, pair, &rows[i]);
        }
        arena_reset(&page);
    }
    mem_free(rows);
    arena_fini(&page);
    pair_close(&open);
    return err_exit(&c->err);
}

static int parse_since(struct cli *c, const char *text)
{
    int64_t span, days;
    uint32_t grain;
    if (duration_parse(text, &span))
        since_ms = clock_now_ms() - span;
    else if (date_parse(text, &days))
        since_ms = days * 86400000;
    else if (!timestamp_parse(text, &since_ms, &grain))
        return err_set(&c->err, ERR_CONFIG, "--since '%s': a date, a time or an age such as 2h or 7d", text);
    return 0;
}

int cmd_history(struct cli *c)
{
    const char *since = NULL;
    const struct option_row rows[] = {{"--since", &since, NULL}};
    if (cli_options(c, rows, 1) || cli_operands(c, 0, 2, "history [PAIR [ID]] [--since T]") || cli_conf(c))
        return 2;
    if (since && parse_since(c, since))
        return 2;
    if (c->argc == 2) {
        only_side = act_side(c->argv[1], &only_id);
        c->argc = 1;
    }
    int rc = cli_each(c, history_one);
    if (!shown && !c->json && rc == 0)
        puts("nothing was written yet");
    return rc;
}

/* --- why --- */

static void print_now(struct cli *c, const struct link *l, struct pair_open *open, const char *pair)
{
    static const char *const states[] = {[LINK_HALF] = "not linked",
                                         [LINK_LIVE] = "linked",
                                         [LINK_UNLINKED] = "unlinked by policy or command",
                                         [LINK_UNDONE] = "undone",
                                         [LINK_PENDING] = "being created on the other side"};
    struct store_snap *snap = NULL;
    printf("%s  %s ↔ %s: %s\n", pair, l->id[0] ? l->id[0] : "-", l->id[1] ? l->id[1] : "-", states[l->state]);
    if (store_snap(open->store, &snap, &c->err) != STORE_OK)
        return;
    for (int s = 0; s < 2; s++) {
        struct sl_record *base = NULL;
        state_base(snap, l->number, s, &c->arena, &base, &c->err);
        for (uint32_t i = 0; base && i < base->n_fields; i++) {
            const struct sl_value *v = sl_value_at(base->fields, base->field_size, i);
            if (!only_field || strcmp(only_field, v->name) == 0)
                printf("    base of %s, %s%s: %s\n", s ? "b" : "a", v->name[0] == '=' ? "computed for " : "",
                       v->name + (v->name[0] == '='), out_brief(&c->arena, v));
        }
    }
    store_snap_end(snap);
}

int cmd_why(struct cli *c)
{
    struct pair_open open;
    struct link l;
    if (cli_options(c, NULL, 0) || cli_operands(c, 2, 3, "why PAIR ID [FIELD]") || cli_conf(c))
        return 2;
    struct conf_pair *pair = cli_pair(c, c->argv[0]);
    if (!pair || pair_open(c, pair, OPEN_READ, &open))
        return err_exit(&c->err);
    only_side = act_side(c->argv[1], &only_id);
    only_field = c->argc == 3 ? c->argv[2] : NULL;
    detailed = true;
    if (!open.store)
        return err_set(&c->err, ERR_CONFIG, "pairs.%s: there is no state yet; run `syncline sync %s` first", pair->name,
                       pair->name);
    int rc = act_find_link(open.store, only_side, only_id, &c->arena, &l, &c->err);
    if (rc == 0 && !c->json)
        print_now(c, &l, &open, pair->name);
    pair_close(&open);
    if (rc)
        return err_exit(&c->err);
    c->argc = 1;
    rc = history_one(c, pair);
    if (!shown && !c->json && rc == 0)
        puts("    nothing was ever written for it: both sides agreed from the start, or it waits");
    return rc;
}
