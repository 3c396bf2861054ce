/* SPDX-License-Identifier: MIT */
/* model_pull.c - captures what each side lists as changed; the page and its cursor are one transaction. */
#include "model_engine.h"

#include <stddef.h>
#include <string.h>

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
        if (!model_listed(w, side, r) || r->modified < from)
            continue;
        page->newest = model_max(page->newest, r->modified);
        page->records[page->n_records++] = model_seen(w, r);
    }
}

static bool is_changed(const struct world *w, const struct link *l, int side, const struct record *r)
{
    if (l->sort == HIRE)
        return true; /* every sighting is a trigger */
    if (!w->setup->no_versions)
        return r->now.version > l->base_version[side];
    bool is_whole = l->sort == CHILD || l->id[1 - side];
    return is_whole && memcmp(r->now.field, l->base[side], TWO_WAY * sizeof *l->base[side]) != 0;
}

/* A new record: its link and the intent to create its partner. */
static void begin_link(struct world *w, struct link *l, int side, const struct record *r)
{
    l->state = ACTIVE;
    l->sort = r->sort;
    l->id[side] = r->id;
    l->seen_version[side] = r->now.version;
    if (r->sort == HIRE)
        l->dirty = true;
    else
        model_intend_create(w, l, 1 - side, r);
}

static void capture_new(struct world *w, int side, const struct record *r)
{
    if (!model_has(w, MODEL_JOURNAL)) {
        model_create_at_once(w, side, r);
    } else if (!model_may_be_own(w, side, r)) {
        begin_link(w, model_new_link(w, ACTIVE), side, r);
    } else if (w->setup->tier == MODEL_T3) {
        model_notes(w, MODEL_HELD_BACK);
        model_new_link(w, HELD)->id[side] = r->id;
    } /* else it is the engine's own, and its op will find it */
}

static void capture(struct world *w, int side, const struct record *r)
{
    struct link *l = model_link_of(w, side, r->id);
    if (l)
        l->dirty = l->dirty || is_changed(w, l, side, r);
    else if (r->sort != CHILD) /* children flow from their hire */
        capture_new(w, side, r);
}

void model_pull(struct world *w, int side)
{
    struct page page;
    int *cursor = &w->state.cursor[side], started = w->now / CLOCK;
    list(w, side, &page);
    /* What changes within the clock in which the listing began may not be in it. */
    int next = model_has(w, MODEL_OVERLAP) && page.newest >= started ? started - 1 : page.newest;
    if (!model_has(w, MODEL_CAPTURE_BEFORE_CURSOR)) {
        *cursor = next;
        model_step(w);
    }
    model_step(w);
    for (int i = 0; i < page.n_records; i++)
        capture(w, side, &page.records[i]);
    *cursor = next;
    model_step(w);
}

void model_release_held(struct world *w)
{
    for (int i = 0; i < w->state.n_links; i++) {
        struct link *l = &w->state.links[i];
        struct record r;
        int side = l->id[0] ? 0 : 1;
        if (l->state != HELD || !model_get(w, side, l->id[side], &r) || model_may_be_own(w, side, &r))
            continue;
        begin_link(w, l, side, &r);
        model_step(w);
    }
}
