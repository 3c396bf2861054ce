/* SPDX-License-Identifier: MIT */
/* units.c - gathers one link's rows into a unit, reads the records it needs, builds what the planner sees. */
#include <stdlib.h>
#include <string.h>

#include "sync/poison.h"

static int load_bases(struct engine *g, struct store_snap *snap, struct unit *u)
{
    for (int s = 0; s < 2; s++) {
        struct sl_record *base = NULL;
        int rc = state_base(snap, u->link.number, s, &g->chunk, &base, g->e);
        if (rc != STORE_OK && rc != STORE_NOTFOUND)
            return engine_fail(g, rc);
        u->base[s] = base;
    }
    return 0;
}

/* The row of the other side, if there is one, so that both are planned together. */
static int load_partner_row(struct engine *g, struct store_snap *snap, struct unit *u, int s)
{
    if (!u->link.id[s] || u->has[s])
        return 0;
    int rc = state_inbox(snap, s, u->link.id[s], &g->chunk, &u->row[s], g->e);
    u->has[s] = rc == STORE_OK;
    if (rc == STORE_OK || rc == STORE_NOTFOUND) {
        rc = state_id(snap, s, u->link.id[s], &u->seen[s], g->e);
    }
    return engine_fail(g, rc);
}

static void new_half(struct engine *g, int side, const char *id, struct unit *u)
{
    u->new_link = true;
    u->link = (struct link){.number = g->next.link++, .generation = 1, .origin = (uint8_t)side, .state = LINK_HALF};
    u->link.id[side] = arena_text(&g->chunk, id);
    u->link.key = link_key(g->env->identity, side, id, 1);
    u->seen[side].link = u->link.number;
    engine_room(g, u->link.number);
}

int unit_gather(struct engine *g, struct store_snap *snap, int side, const char *id, const struct inbox_row *row,
                struct unit *u)
{
    memset(u, 0, sizeof *u);
    u->write_side = -1;
    u->has[side] = true;
    u->row[side] = *row;
    int rc = state_id(snap, side, id, &u->seen[side], g->e);
    if (rc == STORE_NOTFOUND) {
        new_half(g, side, id, u);
        return 0;
    }
    if (rc == STORE_OK)
        rc = state_link(snap, u->seen[side].link, &g->chunk, &u->link, g->e);
    if (rc == STORE_NOTFOUND)
        return err_set(g->e, ERR_STATE, "state: id '%s' points to a link that is not there; run `syncline verify %s`",
                       id, g->pair->name);
    if (rc != STORE_OK)
        return engine_fail(g, rc);
    if (load_bases(g, snap, u) || load_partner_row(g, snap, u, 1 - side))
        return g->e->code;
    return 0;
}

/* --- reading --- */

struct reading {
    struct engine *g;
    int side;
    struct unit **units; /* sorted by id */
    size_t n;
};

static int by_id(const void *x, const void *y, void *side)
{
    int s = *(int *)side;
    return strcmp((*(struct unit *const *)x)->link.id[s], (*(struct unit *const *)y)->link.id[s]);
}

static struct unit *unit_of(const struct reading *r, const char *id)
{
    size_t low = 0, high = r->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = strcmp(r->units[mid]->link.id[r->side], id);
        if (order == 0)
            return r->units[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static int take(void *self, const struct sl_item *item)
{
    struct reading *r = self;
    struct unit *u = unit_of(r, item->id);
    if (!u)
        return 0; /* not asked for */
    struct inbox_row *row = &u->row[r->side];
    struct arena *a = &r->g->chunk;
    u->read_failed[r->side] = false;
    if (item->kind == SL_ITEM_RECORD) {
        bool unlisted = u->has[r->side] && row->kind == INBOX_ABSENT;
        u->now[r->side] = record_copy(a, item->record);
        row->kind = unlisted ? INBOX_ABSENT : INBOX_RECORD;
        row->record = u->now[r->side];
    } else if (item->kind == SL_ITEM_TOMBSTONE) {
        *row = (struct inbox_row){.kind = INBOX_GONE, .successor = arena_text(a, item->successor_id)};
        u->now[r->side] = NULL;
    } else if (item->kind == SL_ITEM_UNREADABLE) {
        *row = (struct inbox_row){.kind = INBOX_UNREADABLE,
                                  .error_class = (uint8_t)item->error_class,
                                  .message = arena_text(a, item->message),
                                  .version = arena_text(a, item->version)};
    }
    u->has[r->side] = true;
    return 0;
}

static int read_side(struct engine *g, int s, struct unit **units, size_t n);

/* Its connector died of reading this one alone: it is there, and cannot be read. */
static void unreadable(struct engine *g, struct unit *u, int s)
{
    const char *version = u->has[s] ? u->row[s].version : NULL;
    u->row[s] = (struct inbox_row){
        .kind = INBOX_UNREADABLE,
        .error_class = SL_REJECTED,
        .version = version,
        .message =
            arena_printf(&g->chunk,
                         "the connector of %s dies of reading it, also when it is alone; correct the record, or put "
                         "a repaired connector in its place and let it be tried with `syncline parked retry`",
                         g->pair->side[s].connection)};
    u->has[s] = true;
    u->read_failed[s] = false;
    session_forgive(g->env->session[s]);
}

/* Reads harm nothing: what died in company is read again at once, in smaller companies. */
static int read_parts(struct engine *g, int s, struct unit **units, size_t n)
{
    size_t most = poison_next((uint32_t)n);
    err_clear(g->e);
    for (size_t at = 0; at < n; at += most)
        if (read_side(g, s, units + at, n - at < most ? n - at : most))
            return g->e->code;
    return 0;
}

/* Reads the given units' records of one side in one call. */
static int read_side(struct engine *g, int s, struct unit **units, size_t n)
{
    if (n == 0)
        return 0;
    uint64_t deaths = session_deaths(g->env->session[s]);
    qsort_r(units, n, sizeof *units, by_id, &s);
    const char **ids = arena_alloc(&g->chunk, n * sizeof *ids);
    for (size_t i = 0; i < n; i++) {
        ids[i] = units[i]->link.id[s];
        units[i]->read_failed[s] = true;
    }
    struct reading r = {g, s, units, n};
    int rc = session_get(g->env->session[s], g->pair->side[s].object, ids, (uint32_t)n, (struct session_sink){&r, take},
                         g->e);
    bool died = rc && session_deaths(g->env->session[s]) != deaths;
    if (died && n > 1)
        return read_parts(g, s, units, n);
    if (died) {
        err_clear(g->e);
        unreadable(g, units[0], s);
    }
    return rc && !died ? class_err(rc) : 0;
}

/* A changed row without its record, or a first agreement that lacks a side. */
static bool must_read(const struct engine *g, const struct unit *u, int s)
{
    bool over = u->link.state == LINK_UNLINKED || u->link.state == LINK_UNDONE;
    if (!u->link.id[s] || u->now[s])
        return false;
    if (u->has[s] && u->row[s].kind == INBOX_HINT)
        return true; /* if only to know it again */
    if (over)
        return false;
    if (u->has[s])
        return u->row[s].kind == INBOX_ABSENT && (g->caps[s] & SL_CAP_GET);
    /* the base is not what the side holds where an edit was taken in and left; a program may use fields no base has */
    uint32_t unsure = MARK_CONFLICT | MARK_PARKED | MARK_OUT_A | MARK_OUT_B | MARK_GONE_A | MARK_GONE_B | MARK_ASIDE |
                      MARK_LEFT_A | MARK_LEFT_B;
    return !u->base[s] || g->reexamine || g->computes_from[s] || (u->link.marks & unsure);
}

int units_read(struct engine *g, struct unit *units, size_t n)
{
    struct unit **ask = arena_alloc(&g->chunk, (n + 1) * sizeof *ask);
    for (int s = 0; s < 2; s++) {
        size_t n_ask = 0;
        for (size_t i = 0; i < n; i++) {
            struct unit *u = &units[i];
            if (u->has[s] && u->row[s].kind == INBOX_RECORD && !u->now[s])
                u->now[s] = u->row[s].record;
            if (must_read(g, u, s))
                ask[n_ask++] = u;
        }
        if (read_side(g, s, ask, n_ask))
            return g->e->code;
    }
    return 0;
}

/* Before a write on side t: what was not read, or cannot be guarded by a version, is read again now. */
int units_refresh(struct engine *g, struct unit *units, size_t n, int t)
{
    struct unit **ask = arena_alloc(&g->chunk, (n + 1) * sizeof *ask);
    size_t n_ask = 0;
    for (size_t i = 0; i < n; i++) {
        struct unit *u = &units[i];
        if (u->done || u->write_side != t || !u->link.id[t] || u->plan.write[t].kind == SL_CREATE)
            continue;
        const struct sl_record *known = u->now[t] ? u->now[t] : u->base[t];
        bool guarded = (g->caps[t] & SL_CAP_CONDITIONAL) && known && known->version && *known->version;
        bool goes = u->plan.write[t].kind != SL_UPDATE && (g->caps[t] & SL_CAP_GET); /* what goes is kept whole */
        if (!guarded || (goes && !u->now[t]))
            ask[n_ask++] = u;
    }
    return read_side(g, t, ask, n_ask);
}

/* --- views --- */

static int outside(struct engine *g, const struct unit *u, int s, bool *out)
{
    struct jq_expr *filter = g->pair->side[s].filter_expr;
    bool in = true;
    struct err e = {0};
    *out = u->now[s] ? false : (u->link.marks & MARK_OUT(s)) != 0;
    if (!filter || !u->now[s])
        return 0;
    if (jq_true(filter, u->now[s], g->now_ms, &in, &e))
        return err_set(g->e, ERR_CONFIG, "pairs.%s.%s.filter: on record '%s': %s", g->pair->name, s ? "b" : "a",
                       u->now[s]->id, e.text);
    *out = !in;
    return 0;
}

static int view_side(struct engine *g, struct unit *u, int s)
{
    struct view *v = &u->view[s];
    *v = (struct view){.kind = VIEW_NONE, .base = u->base[s]};
    if (!u->link.id[s])
        return 0;
    bool gone = u->has[s] && (u->row[s].kind == INBOX_GONE || (u->row[s].kind == INBOX_ABSENT && !u->now[s]));
    v->left = !u->now[s] && ((u->link.marks & MARK_LEFT(s)) || (gone && g->source_changed[s]));
    if (v->left) { /* no answer of another place says that a record was deleted */
        *v = (struct view){.kind = VIEW_HERE, .now = u->base[s], .base = u->base[s], .out = true, .left = true};
        return 0;
    }
    if (gone || (!u->has[s] && !u->now[s] && (u->link.marks & MARK_GONE(s)))) {
        v->kind = VIEW_GONE;
        return 0;
    }
    v->kind = VIEW_HERE;
    v->now = u->now[s] ? u->now[s] : u->base[s];
    if (outside(g, u, s, &v->out))
        return g->e->code;
    if (u->has[s] && u->row[s].kind == INBOX_ABSENT && u->now[s])
        v->out = true; /* there, but the system does not list it: outside its scope, not deleted */
    return 0;
}

uint64_t unit_digest(struct unit *u, int s)
{
    if (u->digested[s] != u->now[s])
        u->digest[s] = record_digest(u->now[s]);
    u->digested[s] = u->now[s];
    return u->digest[s];
}

static bool same_names(const struct sl_record *x, const struct sl_record *y)
{
    if (!x || !y || x->n_fields != y->n_fields)
        return x == y;
    bool same = true;
    for (uint32_t i = 0; i < x->n_fields && same; i++)
        same =
            strcmp(sl_value_at(x->fields, x->field_size, i)->name, sl_value_at(y->fields, y->field_size, i)->name) == 0;
    return same;
}

/* Records of one object mostly have the same fields: the rules of the last one are good for the next. */
static void open_rules(struct engine *g, struct unit *u)
{
    const struct sl_record *both[2];
    for (int s = 0; s < 2; s++)
        both[s] = u->view[s].now ? u->view[s].now : u->base[s];
    if (!g->open_rules || !same_names(both[0], g->shape[0]) || !same_names(both[1], g->shape[1]))
        g->open_rules = map_open_rules(&g->pair->map, both, &g->chunk, &g->n_open_rules);
    g->shape[0] = both[0];
    g->shape[1] = both[1];
    u->rules = g->open_rules;
    u->n_rules = g->n_open_rules;
}

int unit_views(struct engine *g, struct unit *u)
{
    for (int s = 0; s < 2; s++)
        if (view_side(g, u, s))
            return g->e->code;
    u->rules = g->rules;
    u->n_rules = g->pair->map.n_rules;
    if (g->pair->map.open)
        open_rules(g, u);
    return 0;
}
