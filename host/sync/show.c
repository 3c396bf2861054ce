/* SPDX-License-Identifier: MIT */
/* show.c - tells whoever asked for a plan what a run would do with one link. */
#include <string.h>

#include "sync/engine.h"

static const char *const ops[] = {
    [SL_CREATE] = "create", [SL_UPDATE] = "update", [SL_DELETE] = "delete", [SL_ARCHIVE] = "archive"};

static void fill(struct engine *g, const struct unit *u, struct plan_item *item)
{
    char *key = arena_alloc(&g->chunk, 33);
    hex_encode(u->link.key.bytes, sizeof u->link.key.bytes, key);
    item->pair = g->pair;
    item->side = -1;
    item->link = key;
    for (int s = 0; s < 2; s++)
        item->id[s] = u->link.id[s];
    item->label = unit_label(g, u);
}

static void tell(struct engine *g, const struct plan_item *item)
{
    if (g->env->sink.item)
        g->env->sink.item(g->env->sink.self, item);
}

/* Link key, side, kind, and every field's before and after: what must be the same when the plan is carried out. */
uint64_t write_digest(const struct engine *g, const struct unit *u, int t)
{
    const struct plan_write *w = &u->plan.write[t];
    struct buf b = {0};
    put_text(&b, g->pair->name);
    buf_add(&b, u->link.key.bytes, sizeof u->link.key.bytes);
    put_u8(&b, (uint8_t)t);
    put_u8(&b, (uint8_t)w->kind);
    for (size_t i = 0; i < w->n_changes; i++) {
        put_text(&b, w->changes[i].name);
        put_value(&b, &w->changes[i].before);
        put_value(&b, &w->changes[i].after);
    }
    uint64_t digest = hash64(b.data, b.size);
    buf_fini(&b);
    return digest;
}

static void show_write(struct engine *g, struct unit *u, int t)
{
    const struct plan_write *w = &u->plan.write[t];
    struct plan_item item = {.op = ops[w->kind], .changes = w->changes, .n_changes = w->n_changes};
    struct sl_value *base = arena_alloc(&g->chunk, (w->n_changes + 1) * sizeof *base);
    fill(g, u, &item);
    item.side = t;
    item.reason = reason_text(w->reason);
    for (size_t i = 0; i < w->n_changes; i++) {
        const struct sl_value *v = u->base[t] ? record_field(u->base[t], w->changes[i].name) : NULL;
        base[i] = v ? *v : value_absent(NULL);
    }
    item.base = base;
    item.digest = write_digest(g, u, t);
    g->report->planned++;
    tell(g, &item);
}

void show_wait(struct engine *g, struct unit *u, const char *op, const char *reason)
{
    struct plan_item item = {.op = op, .reason = reason};
    fill(g, u, &item);
    tell(g, &item);
    engine_class(g, u->link.number, strcmp(op, "parked") == 0 ? CLASS_PARKED : CLASS_CONFLICT);
    g->report->waits = true;
}

static void show_field_wait(struct engine *g, struct unit *u, const struct plan_wait *w)
{
    struct field_change c = {
        .name = w->rule->field[1] ? w->rule->field[1] : w->rule->field[0], .before = w->value[1], .after = w->value[0]};
    struct plan_item item = {.op = w->kind == WAIT_DRIFT    ? "drift"
                                   : w->kind == WAIT_PARKED ? "parked"
                                                            : "conflict",
                             .reason = w->reason,
                             .changes = &c,
                             .n_changes = 1,
                             .base = &w->base[1]};
    fill(g, u, &item);
    tell(g, &item);
    engine_class(g, u->link.number, w->kind == WAIT_PARKED ? CLASS_PARKED : CLASS_CONFLICT);
    g->report->waits = true;
}

static void show_whole(struct engine *g, struct unit *u, const char *op, int reason)
{
    struct plan_item item = {.op = op, .reason = reason_text(reason)};
    fill(g, u, &item);
    tell(g, &item);
}

void show_plan(struct engine *g, struct unit *u)
{
    const struct plan_out *p = &u->plan;
    g->report->matched += u->partner != 0;
    engine_wait_over(g, u->link.number, u->link.marks, p->n_waits > 0);
    if (u->partner)
        show_whole(g, u, "link", REASON_LINKED);
    if (p->unlink)
        show_whole(g, u, "unlink", REASON_UNLINKED);
    for (size_t i = 0; i < p->n_waits; i++)
        show_field_wait(g, u, &p->waits[i]);
    int klass = p->filtered ? CLASS_FILTERED : p->unlink ? CLASS_APPLIED : CLASS_UNCHANGED;
    for (int t = 1; t >= 0; t--)
        if (p->write[t].kind) {
            show_write(g, u, t);
            klass = g->review ? CLASS_PENDING : CLASS_APPLIED;
        }
    if (g->review && u->partner)
        klass = CLASS_PENDING;
    engine_class(g, u->link.number, klass);
    u->done = true;
}
