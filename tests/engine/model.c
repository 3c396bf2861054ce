/* SPDX-License-Identifier: MIT */
/* model.c - the write protocol as a small seeded model: links with a base per side, a journal, and a crash at any step. */
#include "model_world.h"

#include <stdlib.h>
#include <string.h>

enum { START = 100, QUIET_ROUND = 60 };
/* Of a thousand steps: somebody edits while the engine runs. */
enum { EDIT_BETWEEN = 10 };

/* --- the engine: what stands between two steps is one transaction --- */

static void step(struct world *w)
{
    w->now++;
    if (w->faulty && w->crash_in > 0 && --w->crash_in == 0)
        longjmp(w->crash, 1);
    if (model_chance(w, EDIT_BETWEEN))
        model_user_acts(w);
}

/* The engine believes what is declared, whether it is so or not. */
static int settled_at(const struct world *w)
{
    return w->now + LATE + INDEX_LAG + STALE + MARGIN;
}

static int max(int a, int b)
{
    return a > b ? a : b;
}

/* What the connector declares, not what its system does: an undeclared normalisation is the worst case. */
static bool same(const struct world *w, int side, int field, int sent, int value)
{
    return sent == value || (w->setup->declared && model_stored(w, side, field, sent) == value);
}

static struct link *link_of(struct state *st, int side, int id)
{
    for (int i = 0; i < st->n_links; i++)
        if (st->links[i].id[side] == id)
            return &st->links[i];
    return NULL;
}

static struct link *new_link(struct state *st)
{
    if (st->n_links == MAX_RECORDS)
        abort();
    return &st->links[st->n_links++];
}

static bool has_op(const struct state *st, int link)
{
    for (int i = 0; i < MAX_OPS; i++)
        if (st->ops[i].used && st->ops[i].link == link)
            return true;
    return false;
}

static struct op *new_op(struct state *st, int link)
{
    for (int i = 0; i < MAX_OPS; i++)
        if (!st->ops[i].used) {
            st->ops[i] = (struct op){.used = true, .link = link};
            st->ops[i].request.key = ++st->last_key;
            return &st->ops[i];
        }
    abort();
}

static void drop_op(struct world *w, struct op *op)
{
    op->used = false;
    w->state.links[op->link].dirty = true;
}

/* The base of the written side: the reply to the write itself says what is stored; a later read may hold another's edit. */
static int base_after(const struct world *w, const struct request *q, int f, int got, bool is_reply)
{
    if (!model_has(w, MODEL_BASE_PER_SIDE))
        return q->field[f];
    if (is_reply || !model_has(w, MODEL_UNEXPLAINED) || same(w, q->side, f, q->field[f], got))
        return got;
    return q->field[f];
}

static void finish(struct world *w, struct op *op, const struct record *got, bool is_reply)
{
    const struct request *q = &op->request;
    struct link *l = &w->state.links[op->link];
    int t = q->side;
    bool clean = true;
    l->id[t] = got->id;
    for (int f = 0; f < FIELDS; f++) {
        if (q->mask & 1 << f) {
            l->base[1 - t][f] = op->source[f];
            l->base[t][f] = base_after(w, q, f, got->now.field[f], is_reply);
        }
        clean = clean && got->now.field[f] == l->base[t][f];
    }
    l->seen_version[t] = max(l->seen_version[t], got->now.version);
    if (clean)
        l->base_version[t] = max(l->base_version[t], got->now.version);
    l->quiet_until[t] = w->now + STALE;
    drop_op(w, op);
    step(w);
}

static bool find_created(struct world *w, struct op *op)
{
    struct side *s = &w->sides[op->request.side];
    for (int i = 0; i < s->n_records; i++)
        if (s->records[i].link_id == op->request.link_id && w->now >= s->records[i].indexed_at) {
            step(w);
            struct record got = model_seen(w, &s->records[i]);
            finish(w, op, &got, false);
            return true;
        }
    return false;
}

/* The fields of an update that a read shows as written. */
static int landed(const struct world *w, const struct request *q, const struct record *got)
{
    int mask = 0;
    for (int f = 0; f < FIELDS; f++)
        if ((q->mask & 1 << f) && same(w, q->side, f, q->field[f], got->now.field[f]))
            mask |= 1 << f;
    return mask;
}

static void settle_fields(struct link *l, const struct op *op, const struct record *got, int mask)
{
    int t = op->request.side;
    for (int f = 0; f < FIELDS; f++)
        if (mask & 1 << f) {
            l->base[1 - t][f] = op->source[f];
            l->base[t][f] = got->now.field[f];
        }
}

/* Never sent again: what did not land is planned anew from what both sides say now. */
static void recover_update(struct world *w, struct op *op)
{
    const struct request *q = &op->request;
    struct link *l = &w->state.links[op->link];
    step(w);
    struct record got = model_seen(w, model_record(w, q->side, l->id[q->side]));
    if (got.now.version < l->seen_version[q->side])
        return;
    int mask = landed(w, q, &got);
    if (mask == q->mask) {
        finish(w, op, &got, false);
        return;
    }
    if (model_has(w, MODEL_PER_FIELD))
        settle_fields(l, op, &got, mask);
    l->seen_version[q->side] = max(l->seen_version[q->side], got.now.version);
    drop_op(w, op);
    step(w);
}

static void send_op(struct world *w, struct op *op)
{
    struct record got;
    step(w);
    int until = settled_at(w);
    enum reply reply = model_call(w, &op->request, &got);
    step(w);
    if (reply == DONE) {
        /* A create sent twice may answer with what others made of the record since. */
        bool is_reply = op->request.kind == UPDATE || !w->setup->idempotent || got.now.version == 1;
        finish(w, op, &got, is_reply);
        return;
    }
    if (reply == REFUSED) {
        drop_op(w, op);
    } else {
        op->unknown = true;
        op->until = until;
    }
    step(w);
}

static void carry_on(struct world *w, struct op *op)
{
    bool is_create = op->request.kind == CREATE;
    if (!op->unknown || (is_create && w->setup->idempotent)) {
        send_op(w, op);
        return;
    }
    /* What is found is believed at once. */
    if (is_create && find_created(w, op))
        return;
    if (model_has(w, MODEL_SETTLE) && w->now < op->until)
        return;
    if (is_create)
        send_op(w, op);
    else
        recover_update(w, op);
}

/* --- capture --- */

struct page {
    struct record records[MAX_RECORDS];
    int n_records, newest;
};

static void list(struct world *w, int side, struct page *page)
{
    int cursor = w->state.cursor[side];
    int from = model_has(w, MODEL_OVERLAP) ? cursor - 2 - (STALE + INDEX_LAG + CLOCK) / CLOCK : cursor + 1;
    page->n_records = 0;
    page->newest = cursor;
    for (int i = 0; i < w->sides[side].n_records; i++) {
        const struct record *r = &w->sides[side].records[i];
        if (w->now < r->indexed_at || r->modified < from)
            continue;
        page->newest = max(page->newest, r->modified);
        page->records[page->n_records++] = model_seen(w, r);
    }
}

static bool is_changed(const struct world *w, const struct link *l, int side, const struct record *r)
{
    if (w->setup->versions)
        return r->now.version > l->base_version[side];
    return l->id[1 - side] && memcmp(r->now.field, l->base[side], sizeof l->base[side]) != 0;
}

static struct request create_of(int side, int link_id, const struct record *r)
{
    struct request q = {.kind = CREATE, .side = 1 - side, .link_id = link_id, .mask = ALL_FIELDS};
    memcpy(q.field, r->now.field, sizeof q.field);
    return q;
}

static void intend_create(struct world *w, int side, const struct record *r)
{
    struct state *st = &w->state;
    struct link *l = new_link(st);
    l->id[side] = r->id;
    l->link_id = 1000 + st->n_links;
    l->seen_version[side] = r->now.version;
    struct op *op = new_op(st, st->n_links - 1);
    int key = op->request.key;
    op->request = create_of(side, l->link_id, r);
    op->request.key = key;
    memcpy(op->source, r->now.field, sizeof op->source);
}

/* Without a journal: asked up to three times, and noted when it answered. */
static void create_at_once(struct world *w, int side, const struct record *r)
{
    struct request q = create_of(side, 777000 + r->id, r);
    struct record got;
    enum reply reply = UNKNOWN;
    for (int i = 0; i < 3 && reply != DONE; i++) {
        step(w);
        reply = model_call(w, &q, &got);
    }
    step(w);
    if (reply != DONE)
        return;
    struct link *l = new_link(&w->state);
    l->id[side] = r->id;
    l->id[1 - side] = got.id;
    memcpy(l->base[side], r->now.field, sizeof l->base[side]);
    memcpy(l->base[1 - side], got.now.field, sizeof l->base[side]);
    step(w);
}

static void capture_record(struct world *w, int side, const struct record *r)
{
    struct link *l = link_of(&w->state, side, r->id);
    if (l)
        l->dirty = l->dirty || is_changed(w, l, side, r);
    else if (!model_has(w, MODEL_JOURNAL))
        create_at_once(w, side, r);
    else if (!r->link_id) /* else it is the engine's own, and its op will find it */
        intend_create(w, side, r);
}

static void capture(struct world *w, int side)
{
    struct page page;
    int *cursor = &w->state.cursor[side], started = w->now / CLOCK;
    list(w, side, &page);
    /* What changes within the clock in which the listing began may not be in it. */
    int next = model_has(w, MODEL_OVERLAP) && page.newest >= started ? started - 1 : page.newest;
    if (!model_has(w, MODEL_CAPTURE_BEFORE_CURSOR)) {
        *cursor = next;
        step(w);
    }
    step(w);
    for (int i = 0; i < page.n_records; i++)
        capture_record(w, side, &page.records[i]);
    *cursor = next;
    step(w);
}

/* --- plan --- */

struct plan {
    int adopted, conflicts, write[2]; /* masks of fields */
};

static void plan_field(const struct world *w, const struct link *l, const struct record *r, int f, struct plan *p)
{
    int a = r[0].now.field[f], b = r[1].now.field[f], bit = 1 << f;
    bool a_changed = a != l->base[0][f], b_changed = b != l->base[1][f];
    if (!a_changed && !b_changed)
        return;
    if (same(w, 1, f, a, b))
        p->adopted |= bit;
    else if (a_changed) /* both changed: side a wins */
        p->write[1] |= bit;
    else
        p->write[0] |= bit;
    if (a_changed && b_changed)
        p->conflicts |= bit;
}

/* Both sides as they are now; false: not to be trusted yet. */
static bool read_both(struct world *w, const struct link *l, struct record *out)
{
    for (int s = 0; s < 2; s++) {
        bool guarded = model_has(w, MODEL_STALE_GUARD);
        if (guarded && !w->setup->versions && w->now < l->quiet_until[s])
            return false;
        step(w);
        out[s] = model_seen(w, model_record(w, s, l->id[s]));
        if (guarded && w->setup->versions && out[s].now.version < l->seen_version[s])
            return false;
    }
    return true;
}

static void note_reads(struct link *l, const struct record *r, const struct plan *p)
{
    for (int s = 0; s < 2; s++) {
        l->seen_version[s] = max(l->seen_version[s], r[s].now.version);
        for (int f = 0; f < FIELDS; f++)
            if (p->adopted & 1 << f)
                l->base[s][f] = r[s].now.field[f];
    }
}

static void note_conflicts(const struct world *w, struct link *l, const struct plan *p)
{
    for (int f = 0; f < FIELDS; f++)
        if (p->conflicts & 1 << f)
            l->conflict_at[f] = w->now;
}

static void note_clean(struct world *w, struct link *l, const struct record *r)
{
    for (int s = 0; s < 2; s++)
        l->base_version[s] = max(l->base_version[s], r[s].now.version);
    l->dirty = false;
    step(w);
}

static struct request update_of(int side, const struct record *r, int mask)
{
    struct request q = {.kind = UPDATE, .side = side, .id = r[side].id, .mask = mask, .expected = r[side].now.version};
    memcpy(q.field, r[1 - side].now.field, sizeof q.field);
    return q;
}

static void update_at_once(struct world *w, struct link *l, const struct request *q)
{
    struct record got;
    step(w);
    if (model_call(w, q, &got) != DONE)
        return;
    for (int f = 0; f < FIELDS; f++)
        if (q->mask & 1 << f) {
            l->base[1 - q->side][f] = q->field[f];
            l->base[q->side][f] = got.now.field[f];
        }
    step(w);
}

static void plan_link(struct world *w, int link)
{
    struct link *l = &w->state.links[link];
    struct record r[2];
    struct plan p = {0};
    if (!l->dirty || !l->id[0] || !l->id[1] || has_op(&w->state, link) || !read_both(w, l, r))
        return;
    for (int f = 0; f < FIELDS; f++)
        plan_field(w, l, r, f, &p);
    note_reads(l, r, &p);
    note_conflicts(w, l, &p);
    if (!p.write[0] && !p.write[1]) {
        note_clean(w, l, r);
        return;
    }
    /* One direction at a time: a link has one op. */
    int side = p.write[1] ? 1 : 0;
    struct request q = update_of(side, r, p.write[side]);
    if (!model_has(w, MODEL_JOURNAL)) {
        update_at_once(w, l, &q);
        return;
    }
    struct op *op = new_op(&w->state, link);
    op->request = q;
    memcpy(op->source, q.field, sizeof op->source);
    step(w);
    send_op(w, op);
}

/* --- a life --- */

static void run_once(struct world *w)
{
    for (int i = 0; i < MAX_OPS; i++)
        if (w->state.ops[i].used)
            carry_on(w, &w->state.ops[i]);
    capture(w, 0);
    capture(w, 1);
    for (int i = 0; i < MAX_OPS; i++)
        if (w->state.ops[i].used && !w->state.ops[i].unknown)
            send_op(w, &w->state.ops[i]);
    for (int i = 0; i < w->state.n_links; i++)
        plan_link(w, i);
}

/* What was under way when the engine died may have left or not. */
static void open_after_crash(struct world *w)
{
    w->result.crashes++;
    w->now += model_draw(w, 30);
    for (int i = 0; i < MAX_OPS; i++) {
        struct op *op = &w->state.ops[i];
        op->unknown = true;
        op->until = max(op->until, settled_at(w));
    }
}

static void run_or_crash(struct world *w)
{
    w->crash_in = model_draw(w, 3) == 0 ? 1 + model_draw(w, 70) : 0;
    if (setjmp(w->crash))
        open_after_crash(w);
    else
        run_once(w);
}

static void live(struct world *w)
{
    int rounds = 6 + model_draw(w, 12);
    w->faulty = true;
    for (int i = 0; i < rounds; i++) {
        for (int edits = model_draw(w, 4); edits > 0; edits--)
            model_user_acts(w);
        run_or_crash(w);
        model_deliver_late(w);
        w->now += 1 + model_draw(w, 25);
        if (model_draw(w, 5) == 0)
            model_user_acts(w);
    }
    w->faulty = false;
}

/* The writes of so many undisturbed runs. */
static unsigned rest(struct world *w, int rounds)
{
    unsigned before = w->result.writes;
    for (int i = 0; i < rounds; i++) {
        w->now += QUIET_ROUND;
        model_deliver_late(w);
        run_once(w);
    }
    return w->result.writes - before;
}

/* --- what it came to --- */

static void judge_side(const struct world *w, const struct side *s, struct model_result *out)
{
    if (s->n_records > w->n_created)
        out->duplicates = 1;
    if (s->n_records < w->n_created)
        out->missing = 1;
    for (int i = 0; i < s->n_records; i++)
        for (int j = i + 1; j < s->n_records; j++)
            if (s->records[i].link_id && s->records[i].link_id == s->records[j].link_id)
                out->duplicates = 1;
}

/* Lost: both hold what is not the newest edit, and no conflict was noted since that was made. */
static bool is_lost(const struct world *w, const struct link *l, const struct record *const r[2], int f)
{
    int value = r[1]->now.field[f];
    bool holds[2];
    for (int s = 0; s < 2; s++)
        holds[s] = r[s]->last_edit[f] && model_stored(w, 1, f, r[s]->last_edit[f]) == value;
    int newest = r[1]->edited_at[f] > r[0]->edited_at[f];
    if (holds[newest] || (holds[1 - newest] && r[0]->edited_at[f] == r[1]->edited_at[f]))
        return false;
    return !holds[1 - newest] || l->conflict_at[f] < r[newest]->edited_at[f];
}

static void judge_link(struct world *w, const struct link *l, struct model_result *out)
{
    const struct record *const r[2] = {model_record(w, 0, l->id[0]), model_record(w, 1, l->id[1])};
    if (!r[0] || !r[1]) {
        out->unconverged = 1;
        return;
    }
    for (int f = 0; f < FIELDS; f++)
        if (model_stored(w, 1, f, r[0]->now.field[f]) != r[1]->now.field[f])
            out->unconverged = 1;
        else if (is_lost(w, l, r, f))
            out->lost = 1;
}

static void judge(struct world *w, struct model_result *out)
{
    judge_side(w, &w->sides[0], out);
    judge_side(w, &w->sides[1], out);
    for (int i = 0; i < w->state.n_links; i++)
        judge_link(w, &w->state.links[i], out);
}

struct model_result model_run(const struct model_setup *setup, uint64_t seed)
{
    static struct world w;
    memset(&w, 0, sizeof w);
    w.setup = setup;
    w.random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    w.now = START;
    for (int i = 0; i < 8; i++)
        model_draw(&w, 2);
    live(&w);
    rest(&w, 40);
    w.result.ping_pong = rest(&w, 6) != 0;
    judge(&w, &w.result);
    return w.result;
}

bool model_damaged(const struct model_result *r)
{
    return r->duplicates || r->missing || r->unconverged || r->ping_pong || r->lost;
}
