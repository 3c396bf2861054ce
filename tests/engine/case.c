/* SPDX-License-Identifier: MIT */
/* case.c - brings a row to its start, takes it through its steps, and tells what became of it. */
#include "case.h"

#include <stdio.h>
#include <string.h>

#include "record/value.h"
#include "steps.h"
#include "sync/act.h"

/* --- forms of listing, and who chooses the ids --- */

static void plain(struct memory_world *w)
{
    w->reserved_ids = w->conditional = 1;
}

static void stubs(struct memory_world *w)
{
    plain(w);
    w->stubs = 1;
}

static void delta(struct memory_world *w)
{
    plain(w);
    w->delta = w->delete_feed = w->stubs = 1;
}

static void paged(struct memory_world *w)
{
    plain(w);
    w->page_size = 1;
    w->shuffle = 7;
}

static void unguarded(struct memory_world *w)
{
    w->reserved_ids = w->versionless = 1;
    w->page_size = 2;
    w->shuffle = 3;
}

static void idempotent(struct memory_world *w)
{
    w->idempotent = w->conditional = 1;
}

static void correlates(struct memory_world *w)
{
    w->correlates = w->conditional = 1;
}

const struct variant variants[] = {{"plain", plain, false, false},         {"stubs", stubs, false, false},
                                   {"delta", delta, false, false},         {"paged", paged, true, false},
                                   {"unguarded", unguarded, true, false},  {"idempotent", idempotent, false, true},
                                   {"correlates", correlates, false, true}};
const size_t n_variants = sizeof variants / sizeof *variants;

const struct row *case_row(size_t i)
{
    if (i < n_policy_rows)
        return &policy_rows[i];
    i -= n_policy_rows;
    return i < n_people_rows ? &people_rows[i] : NULL;
}

/* --- from the start to the end --- */

static uint64_t last_history(struct kit *k)
{
    struct store *store = NULL;
    struct arena a = {0};
    struct history_row *rows = arena_alloc(&a, 256 * sizeof *rows);
    size_t n = 0;
    if (mem_store_open_read_only(k->disk, &store, &k->e) == STORE_OK)
        n = act_history(store, 0, &a, rows, 256, &k->e);
    uint64_t last = n ? rows[n - 1].number : 0;
    store_close(store);
    arena_fini(&a);
    return last;
}

struct kit *case_prepare(const struct row *r, const struct variant *v, bool flip)
{
    struct kit *k = kit_new(r->pair, flip);
    k->blur = v->own_ids || k->no_tier;
    for (int s = 0; s < 2; s++) {
        v->set(&k->w[s]);
        if (k->no_tier)
            k->w[s].reserved_ids = k->w[s].idempotent = k->w[s].correlates = 0;
    }
    if (!(r->flags & FRESH)) {
        step_do(k, arena_printf(&k->a, "a %s", r->a0 ? r->a0 : ""));
        step_do(k, arena_printf(&k->a, "b %s", r->b0 ? r->b0 : ""));
        if (!kit_settle(k))
            fprintf(stderr, "\n  %s [%s] the base state does not come to rest: %s\n", r->name, v->name, k->e.text);
        k->base_history = last_history(k);
    }
    step_do(k, arena_printf(&k->a, "a %s", r->a1 ? r->a1 : ""));
    step_do(k, arena_printf(&k->a, "b %s", r->b1 ? r->b1 : ""));
    k->written[0] = k->written[1] = 0;
    return k;
}

size_t case_steps(const struct row *r)
{
    size_t n = 0;
    while (n < CASE_STEPS && r->steps[n])
        n++;
    return n ? n : 1;
}

int case_step(struct kit *k, const struct row *r, size_t i, bool again)
{
    int rc = step_do(k, r->steps[i] ? r->steps[i] : "run");
    bool done = again && (rc == ERR_CONFIG || rc == ERR_NOTFOUND);
    return done ? 0 : rc;
}

bool case_accounted(const struct run_report *r)
{
    uint64_t sum = 0;
    for (int c = 1; c < CLASS_END; c++)
        sum += r->of[c];
    return sum == r->seen;
}

/* --- what became of it --- */

enum { LINES = 128 };

static const char *base_text(struct kit *k, struct store_snap *snap, const struct link *l, int s, struct arena *a)
{
    struct sl_record *base = NULL;
    struct buf b = {0};
    const char *lines[MEMORY_FIELDS];
    size_t n = 0;
    if (state_base(snap, l->number, s, a, &base, &k->e) != STORE_OK)
        return "-";
    for (uint32_t i = 0; i < base->n_fields && n < MEMORY_FIELDS; i++) {
        const struct sl_value *v = sl_value_at(base->fields, base->field_size, i);
        b.size = 0;
        value_put_json(&b, v);
        lines[n++] = arena_printf(a, "%s=%.*s", v->name, (int)b.size, b.data);
    }
    buf_fini(&b);
    return kit_join(a, lines, n);
}

static size_t count_rows(struct store_snap *snap, int db)
{
    struct store_row rows[64];
    size_t n = 0;
    store_scan(snap, db, slice_of(NULL, 0), slice_of(NULL, 0), false, 64, rows, &n);
    return n;
}

/* What conflicts have cost, each once: it may be told more than once where a write was begun more than once. */
static size_t lost_lines(struct kit *k, struct store *store, struct arena *a, const char **lines, size_t n)
{
    struct history_row *rows = arena_alloc(a, 256 * sizeof *rows);
    size_t n_rows = act_history(store, k->base_history, a, rows, 256, &k->e), first = n;
    struct buf b = {0};
    for (size_t i = 0; i < n_rows; i++)
        for (size_t c = 0; c < rows[i].n_changes && n < LINES; c++) {
            const struct field_change *f = &rows[i].changes[c];
            if (f->lost.type == SL_ABSENT)
                continue;
            b.size = 0;
            value_put_json(&b, &f->lost);
            const char *line = arena_printf(a, "~ lost %s %.*s", f->name, (int)b.size, b.data);
            bool told = false;
            for (size_t at = first; at < n && !told; at++)
                told = strcmp(lines[at], line) == 0;
            if (!told)
                lines[n++] = line;
        }
    buf_fini(&b);
    return n;
}

/* Every link with its state, marks and both bases, how much is open, and what was lost. */
static const char *links_text(struct kit *k, struct arena *a)
{
    struct store *store = NULL;
    struct store_snap *snap = NULL;
    const char *lines[LINES + 1];
    if (mem_store_open_read_only(k->disk, &store, &k->e) != STORE_OK)
        return "";
    struct link *links = arena_alloc(a, 64 * sizeof *links);
    size_t n = act_links(store, 0, a, links, 64, &k->e);
    store_snap(store, &snap, &k->e);
    for (size_t i = 0; i < n; i++)
        lines[i] = arena_printf(a, "%s=%s state %d marks %x gen %u {%s} {%s}", kit_id(k, links[i].id[0]),
                                kit_id(k, links[i].id[1]), links[i].state, links[i].marks, links[i].generation,
                                base_text(k, snap, &links[i], 0, a), base_text(k, snap, &links[i], 1, a));
    lines[n++] = arena_printf(a, "~ inbox %zu intents %zu keys %zu ids %zu", count_rows(snap, DB_INBOX),
                              count_rows(snap, DB_INTENTS), count_rows(snap, DB_KEYS), count_rows(snap, DB_IDS));
    store_snap_end(snap);
    n = lost_lines(k, store, a, lines, n);
    store_close(store);
    return kit_join(a, lines, n);
}

void case_look(struct kit *k, struct arena *a, struct state *s)
{
    for (int side = 0; side < 2; side++)
        s->side[side] = kit_records(k, k->flip ? 1 - side : side, true, a);
    s->waits = kit_waits(k, a);
    s->links = links_text(k, a);
}

/* The first numbers in a line of failure are the invariants that broke. */
bool case_same(const char *where, const char *what, const char *want, const char *got)
{
    if (strcmp(want ? want : "", got) == 0)
        return true;
    fprintf(stderr, "\n  %s, %s\n    want %s\n    got  %s\n", where, what, want ? want : "", got);
    return false;
}
