/* SPDX-License-Identifier: MIT */
/* outcome.c - what a finished write moves: ids, bases, history; and what puts a link back into the inbox. */
#include <string.h>

#include "sync/notes.h"
#include "sync/poison.h"
#include "sync/write.h"

static struct history_row history_of(struct engine *g, const struct unit *u, int reason)
{
    struct history_row h = {.number = g->next.history++,
                            .run = g->report->run,
                            .at_ms = g->now_ms,
                            .link = u->link.number,
                            .reason = (uint8_t)reason};
    for (int s = 0; s < 2; s++)
        h.id[s] = u->link.id[s];
    h.label = unit_label(g, u);
    return h;
}

void history_event(struct engine *g, const struct unit *u, int reason)
{
    struct history_row h = history_of(g, u, reason);
    put_history_row(&g->batch, &h);
}

/* Both bases of each change, side a first: what `why` shows. To be freed. */
static struct sl_value *bases_of(const struct unit *u)
{
    const struct intent *i = &u->intent;
    struct sl_value *out = mem_alloc((2 * i->n_changes + 1) * sizeof *out);
    for (size_t c = 0; c < i->n_changes; c++)
        for (int s = 0; s < 2; s++) {
            const char *name = s == i->side ? i->changes[c].name : i->changes[c].source;
            const struct sl_value *v = u->base[s] && name ? record_field(u->base[s], name) : NULL;
            out[2 * c + (size_t)s] = v ? *v : value_absent(NULL);
        }
    return out;
}

void history_intent(struct engine *g, const struct unit *u, int kind)
{
    const struct intent *i = &u->intent;
    struct history_row h = history_of(g, u, i->reason);
    h.side = i->side;
    h.kind = (uint8_t)kind;
    h.op = i->ulid;
    h.changes = i->changes;
    h.n_changes = i->n_changes;
    h.bases = bases_of(u);
    if (i->kind == SL_DELETE || i->kind == SL_ARCHIVE)
        h.kept = i->before;
    put_history_row(&g->batch, &h);
    mem_free(h.bases);
}

void outcome_again(struct engine *g, struct unit *u)
{
    del_number_row(&g->batch, DB_INTENTS, u->intent.number);
    u->link.open_op = 0;
    if (u->link.state == LINK_PENDING)
        u->link.state = u->link.id[0] && u->link.id[1] ? LINK_LIVE : LINK_HALF;
    put_link_row(&g->batch, &u->link);
    for (int s = 0; s < 2; s++)
        if (u->link.id[s])
            put_inbox_row(&g->batch, s, u->link.id[s], &(struct inbox_row){.kind = INBOX_HINT});
    g->more = true;
    engine_class(g, u->link.number, CLASS_PENDING); /* until the next round plans it again */
    u->done = true;
}

/* The link is over: both records are gone. */
static void finish_delete(struct engine *g, struct unit *u)
{
    del_base_rows(&g->batch, u->link.number);
    for (int s = 0; s < 2; s++) {
        if (!u->link.id[s])
            continue;
        struct row_key id = key_id(s, u->link.id[s]);
        batch_del(&g->batch, DB_IDS, key_slice(&id));
    }
    del_number_row(&g->batch, DB_LINKS, u->link.number);
    wait_close(g, u->link.number);
    engine_class(g, u->link.number, CLASS_APPLIED);
    u->done = true;
}

/* Where the record was read after the write, only what we sent is believed to be ours; the rest is somebody's edit. */
static const struct sl_record *honest_base(struct engine *g, struct unit *u, const struct sl_record *stored,
                                           bool read_back)
{
    const struct intent *i = &u->intent;
    if (!read_back)
        return plan_base(u->base[i->side], stored, i->changes, i->n_changes, true, &g->chunk);
    struct field_change *changes = arena_alloc(&g->chunk, (i->n_changes + 1) * sizeof *changes);
    struct sl_record *view = record_copy(&g->chunk, stored);
    for (size_t c = 0; c < i->n_changes; c++) {
        changes[c] = i->changes[c];
        const struct sl_value *now = record_field(stored, changes[c].name);
        if (!now || !value_equal(now, &changes[c].after))
            record_set(view, &g->chunk, &changes[c].after);
    }
    return plan_base(u->base[i->side], view, changes, i->n_changes, true, &g->chunk);
}

/* True if the stored record holds a mapped value that its new base does not: an edit that came in between. */
static bool edited_meanwhile(const struct unit *u, const struct sl_record *stored, const struct sl_record *base, int s)
{
    for (size_t r = 0; r < u->n_rules; r++) {
        const char *name = u->rules[r].field[s];
        const struct sl_value *now = name ? record_field(stored, name) : NULL;
        const struct sl_value *agreed = name ? record_field(base, name) : NULL;
        if (now && now->type != SL_ABSENT && !(agreed ? value_same(now, agreed) : now->type == SL_NULL))
            return true;
    }
    return false;
}

static bool waiting(const struct unit *u)
{
    return (u->link.marks & (MARK_CONFLICT | MARK_PARKED)) != 0;
}

/* Our own creation may have been listed, and taken for a new record, before its outcome was known. */
static void drop_stranger(struct engine *g, const struct unit *u, int t, const struct sl_record *stored)
{
    struct store_snap *own = NULL;
    struct id_row known;
    struct link other;
    if (u->intent.kind != SL_CREATE || (!g->view && store_snap(g->store, &own, g->e) != STORE_OK))
        return;
    struct store_snap *snap = g->view ? g->view : own;
    bool stranger = state_id(snap, t, stored->id, &known, g->e) == STORE_OK && known.link != u->link.number &&
                    state_link(snap, known.link, &g->chunk, &other, g->e) == STORE_OK && other.state == LINK_HALF;
    store_snap_end(own);
    if (!stranger)
        return;
    match_del_keys(g, &other, t, stored);
    del_number_row(&g->batch, DB_LINKS, other.number);
    engine_drop(g, other.number);
}

static void finish_write(struct engine *g, struct unit *u, const struct sl_record *stored, bool read_back)
{
    const struct intent *i = &u->intent;
    int t = i->side, s = 1 - t;
    const struct sl_record *base[2];
    base[t] = honest_base(g, u, stored, read_back);
    base[s] = i->source
                  ? plan_base(i->kind == SL_CREATE ? NULL : u->base[s], u->view[s].now ? u->view[s].now : i->source,
                              i->changes, i->n_changes, false, &g->chunk)
                  : u->base[s];
    drop_stranger(g, u, t, stored);
    u->link.id[t] = arena_text(&g->chunk, stored->id);
    u->link.state = LINK_LIVE;
    u->link.marks &= ~MARK_GONE(t);
    u->link.created_ms[t] = stored->created_ms;
    u->now[t] = stored;
    for (int x = 0; x < 2; x++)
        if (base[x])
            put_base_row(&g->batch, u->link.number, x, base[x]);
    u->base[0] = base[0];
    u->base[1] = base[1];
    bool recovered = !u->rules; /* the record may have been edited since we wrote it */
    bool more = u->plan.write[s].kind != 0 || recovered || g->computes_from[t] ||
                (edited_meanwhile(u, stored, base[t], t) && !waiting(u));
    u->has[0] = u->has[1] = false;
    u->born[t] = i->kind == SL_CREATE && !recovered && !read_back;
    unit_settled(g, u, waiting(u) ? CLASS_CONFLICT : CLASS_APPLIED);
    if (more) { /* the other side's fields, or an edit that came in between: planned again from what is now there */
        struct inbox_row known = {.kind = INBOX_RECORD, .record = stored}, ask = {.kind = INBOX_HINT};
        put_inbox_row(&g->batch, t, u->link.id[t], u->unanswered ? &ask : &known);
        if ((u->plan.write[s].kind || recovered) && u->link.id[s])
            put_inbox_row(&g->batch, s, u->link.id[s], &(struct inbox_row){.kind = INBOX_HINT});
        g->more = true;
    }
}

void outcome_applied(struct engine *g, struct unit *u, const struct sl_record *stored, bool read_back)
{
    const struct intent *i = &u->intent;
    poison_passed(g, i->side, u->link.number);
    del_number_row(&g->batch, DB_INTENTS, i->number);
    u->link.open_op = 0;
    if (i->kind == SL_UPDATE)
        notes_take(g, u, stored, read_back, u->link.settled_ms);
    u->link.settled_ms = g->now_ms;
    if (i->kind == SL_CREATE || i->kind == SL_UPDATE) {
        if (i->kind == SL_CREATE && stored->id && !u->link.id[i->side])
            u->link.id[i->side] = arena_text(&g->chunk, stored->id);
        history_intent(g, u, i->kind);
        finish_write(g, u, stored, read_back);
        return;
    }
    history_intent(g, u, i->kind);
    guard_spend(g);
    if (u->plan.write[i->side].reason == REASON_LEFT || i->reason == REASON_LEFT) {
        u->link.state = LINK_UNLINKED;
        u->has[0] = u->has[1] = false;
        unit_settled(g, u, CLASS_APPLIED);
        return;
    }
    finish_delete(g, u);
}
