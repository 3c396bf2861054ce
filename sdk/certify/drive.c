/* SPDX-License-Identifier: MIT */
/* drive.c - calls of a connector as checks make them: listings page by page, reads, finds, writes. */
#include <string.h>

#include "certify.h"

enum { PAGES_MAX = 20000 };

struct collect {
    struct trial *t;
    struct listing *out;
};

bool keep_item(struct trial *t, struct listing *out, const struct sl_item *item)
{
    if (out->n == out->room) {
        struct told *old = out->items;
        out->room = out->room ? 2 * out->room : 64;
        out->items = arena_alloc(&t->a, out->room * sizeof *out->items);
        if (out->n)
            memcpy(out->items, old, out->n * sizeof *old);
    }
    struct told *k = &out->items[out->n++];
    const char *version = item->kind == SL_ITEM_RECORD ? item->record->version : item->version;
    *k = (struct told){.kind = (int)item->kind, .id = arena_text(&t->a, item->id)};
    k->version = version && *version ? arena_text(&t->a, version) : NULL;
    if (item->kind == SL_ITEM_RECORD)
        k->record = record_copy(&t->a, item->record);
    return true;
}

static int take(void *self, const struct sl_item *item)
{
    struct collect *c = self;
    return keep_item(c->t, c->out, item) ? 0 : 1;
}

static struct session_sink into(struct collect *c)
{
    return (struct session_sink){c, take};
}

void list_from(struct trial *t, const char *cursor, uint32_t flags, uint32_t page_max, struct listing *out)
{
    *out = (struct listing){0};
    struct collect c = {t, out};
    struct sl_pull pull = {.flags = flags, .object = t->o.name, .cursor = cursor, .page_max = page_max};
    while (!done(t)) {
        err_clear(&t->e);
        if (session_pull(t->s, &pull, into(&c), &t->a, &out->end, &t->e))
            wrong(t, "pull: %s", t->e.text);
        else if (++out->n_pages > PAGES_MAX)
            wrong(t, "a listing of %u items has not ended after %u pages", out->n, out->n_pages);
        if (out->end.kind != SL_PAGE_MORE)
            break;
        pull.cursor = out->end.cursor;
    }
}

void list_all(struct trial *t, struct listing *out)
{
    list_from(t, NULL, SL_PULL_RECORDS, 0, out);
}

const struct told *listed(const struct listing *l, const char *id)
{
    const struct told *last = NULL;
    for (uint32_t i = 0; id && i < l->n; i++)
        if (strcmp(l->items[i].id, id) == 0)
            last = &l->items[i];
    return last;
}

struct listing get_ids(struct trial *t, const char *const *ids, uint32_t n)
{
    struct listing l = {0};
    struct collect c = {t, &l};
    err_clear(&t->e);
    if (session_get(t->s, t->o.name, ids, n, into(&c), &t->e))
        wrong(t, "get: %s", t->e.text);
    return l;
}

struct told read_id(struct trial *t, const char *id)
{
    struct listing l = {0};
    if (can(t, SL_CAP_GET))
        l = get_ids(t, &id, 1);
    else
        list_all(t, &l);
    const struct told *k = listed(&l, id);
    return k ? *k : (struct told){.kind = done(t) ? 0 : SL_ITEM_TOMBSTONE, .id = id};
}

const struct sl_record *read_record(struct trial *t, const char *id)
{
    static const char *const what[] = {"nothing", "a record", "a stub", "a tombstone", "a hint", "unreadable"};
    if (done(t))
        return NULL;
    struct told k = read_id(t, id);
    if (k.kind != SL_ITEM_RECORD)
        wrong(t, "reading '%s' tells %s, not the record", id, what[k.kind <= SL_ITEM_UNREADABLE ? k.kind : 0]);
    return done(t) ? NULL : k.record;
}

int find_by(struct trial *t, const struct sl_find *find, struct listing *out)
{
    *out = (struct listing){0};
    struct collect c = {t, out};
    err_clear(&t->e);
    return session_find(t->s, find, into(&c), &t->e);
}

struct write_outcome *write_many(struct trial *t, const struct sl_write *writes, uint32_t n)
{
    struct write_outcome *outcomes = arena_alloc(&t->a, (n + 1) * sizeof *outcomes);
    struct sl_batch batch = {.n_writes = n, .write_size = sizeof *writes, .object = t->o.name, .writes = writes};
    err_clear(&t->e);
    session_write(t->s, &batch, &t->a, outcomes, &t->e);
    for (uint32_t i = 0; i < n; i++)
        if (writes[i].kind == SL_CREATE && outcomes[i].record && outcomes[i].result == SL_APPLIED)
            made(t, outcomes[i].record->id);
    return outcomes;
}

struct write_outcome write_one(struct trial *t, const struct sl_write *write)
{
    return *write_many(t, write, 1);
}

void settle(struct trial *t)
{
    uint32_t ms = t->o.index_lag_ms > t->o.stale_ms ? t->o.index_lag_ms : t->o.stale_ms;
    if (ms)
        session_real_world.sleep_ms(NULL, ms);
}
