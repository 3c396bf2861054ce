/* SPDX-License-Identifier: MIT */
/* children.c - records that belong to a parent: when they are looked at, whose they become, and in which order they are created. */
#include <stdlib.h>
#include <string.h>

#include "sync/engine.h"

enum { PARENTS = 100, CAPTURED = 1000 /* children, about, of one group of parents: a group is planned in one chunk */ };

/* --- in the parent's run --- */

void children_due(struct engine *g, const struct unit *u, unsigned sides)
{
    bool linked = u->link.state == LINK_LIVE || u->link.state == LINK_PENDING;
    for (unsigned child = 0; linked && child < g->pair->n_children; child++)
        for (int s = 0; s < 2; s++) {
            struct row_key k = key_children(u->link.number, child, s);
            if (sides & (1u << s) && !u->born[s])
                batch_put(&g->batch, DB_CHILDREN, key_slice(&k), slice_of("", 1));
        }
}

/* --- in the children's own run: which parents --- */

struct parent {
    struct link link;
    bool due[2];
};

/* Under another config, in a verify and in a first run every parent's children are looked at. */
static bool everything(const struct engine *g)
{
    return g->env->full || g->reexamine || g->first;
}

/* Kept in step, and inside the filter: the others' marks stay for the day they come back. */
static bool takes_part(const struct link *l)
{
    return l->state == LINK_LIVE && l->id[0] && l->id[1] && !(l->marks & MARKS_OUTSIDE) &&
           !(l->marks & (MARK_GONE_A | MARK_GONE_B));
}

static void add_parent(const struct link *l, bool a, bool b, struct parent *list, size_t *n)
{
    if (*n == 0 || list[*n - 1].link.number != l->number)
        list[(*n)++] = (struct parent){.link = *l};
    list[*n - 1].due[0] |= a;
    list[*n - 1].due[1] |= b;
}

/* From one row of the parent's state: a link (everything), or a mark. */
static int take_row(struct engine *g, struct store_snap *snap, const struct store_row *row, struct parent *list,
                    size_t *n)
{
    const uint8_t *key = row->key.data;
    uint64_t number = key_to_number(slice_of(key, 8));
    struct link l;
    bool all = everything(g);
    if (!all && (row->key.size != 10 || key[8] != g->pair->child))
        return 0;
    int rc = state_link(snap, number, &g->chunk, &l, g->e);
    if (rc == STORE_OK && takes_part(&l))
        add_parent(&l, all || key[9] == 0, all || key[9] == 1, list, n);
    return engine_fail(g, rc);
}

static int next_parents(struct engine *g, struct parent *list, size_t *n, bool *more)
{
    enum { ROWS = 2 * PARENTS };
    struct store_row rows[ROWS];
    struct store_snap *snap = NULL;
    size_t n_rows = 0;
    struct row_key from = key_number(g->parent_from);
    int rc = engine_fail(g, store_snap(g->env->parent, &snap, g->e));
    if (rc == 0)
        rc = engine_fail(g, store_scan(snap, everything(g) ? DB_LINKS : DB_CHILDREN, key_slice(&from),
                                       slice_of(NULL, 0), false, ROWS, rows, &n_rows));
    *n = 0;
    size_t i = 0;
    for (; rc == 0 && i < n_rows; i++) {
        uint64_t number = key_to_number(slice_of(rows[i].key.data, 8));
        /* order is important: a parent whose rows may go on behind this scan is left to the next one */
        if (*n == PARENTS || (n_rows == ROWS && i > 0 && number == key_to_number(slice_of(rows[ROWS - 1].key.data, 8))))
            break;
        rc = take_row(g, snap, &rows[i], list, n);
        g->parent_from = number + (i + 1 == n_rows || key_to_number(slice_of(rows[i + 1].key.data, 8)) != number);
    }
    *more = i < n_rows || n_rows == ROWS;
    store_snap_end(snap);
    return rc;
}

/* What was captured is durable: the marks go. */
static int clear_due(struct engine *g, const struct parent *list, size_t n)
{
    struct store_batch done = {0};
    for (size_t i = 0; i < n; i++)
        for (int s = 0; s < 2; s++) {
            struct row_key k = key_children(list[i].link.number, g->pair->child, s);
            if (list[i].due[s])
                batch_del(&done, DB_CHILDREN, key_slice(&k));
        }
    int rc = n && !g->env->dry ? batch_commit(&done, g->env->parent, g->e) : STORE_OK;
    batch_fini(&done);
    return engine_fail(g, rc);
}

int children_pull(struct engine *g, bool *more)
{
    struct parent list[PARENTS];
    size_t n = 0, captured = 0, done = 0;
    uint64_t next = 0;
    *more = false;
    if (!g->env->parent || next_parents(g, list, &n, more))
        return g->e->code;
    for (; done < n && captured < CAPTURED; done++) {
        for (int s = 0; s < 2; s++)
            if (list[done].due[s] && engine_pull_parent(g, s, list[done].link.id[s], &captured))
                return g->e->code;
        next = list[done].link.number + 1;
    }
    if (done < n) { /* enough for one chunk */
        g->parent_from = next;
        *more = true;
    }
    return clear_due(g, list, done);
}

/* --- whose they become --- */

const char *children_parent(struct engine *g, int s, const char *parent_id)
{
    struct store_snap *snap = NULL;
    struct id_row seen;
    struct link l = {0};
    if (!parent_id || !g->env->parent || engine_fail(g, store_snap(g->env->parent, &snap, g->e)))
        return NULL;
    int rc = state_id(snap, s, parent_id, &seen, g->e);
    if (rc == STORE_OK)
        rc = state_link(snap, seen.link, &g->chunk, &l, g->e);
    store_snap_end(snap);
    engine_fail(g, rc);
    return rc == STORE_OK && l.state == LINK_LIVE ? l.id[1 - s] : NULL;
}

static uint64_t held_key(int t, const char *parent_id)
{
    return hash64(parent_id, strlen(parent_id)) ^ (uint64_t)t;
}

void children_hold(struct engine *g, const struct intent *i)
{
    const char *parent = g->pair->parent && i->kind == SL_CREATE && i->source ? i->source->parent_id : NULL;
    if (!parent)
        return;
    g->held = mem_grow(g->held, (g->n_held + 1) * sizeof *g->held);
    g->held[g->n_held++] = held_key(i->side, parent);
}

bool children_held(const struct engine *g, int t, const struct sl_record *source)
{
    const char *parent = source ? source->parent_id : NULL;
    for (size_t i = 0; parent && i < g->n_held; i++)
        if (g->held[i] == held_key(t, parent))
            return true;
    return false;
}

bool children_ready(struct engine *g, struct unit *u)
{
    int t = u->write_side;
    const struct sl_record *source = t >= 0 ? u->view[1 - t].now : NULL;
    if (!source || u->plan.write[t].kind != SL_CREATE)
        return true;
    if (children_held(g, t, source)) { /* the inbox keeps it */
        engine_class(g, u->link.number, CLASS_PENDING);
        u->done = true;
    } else if (!children_parent(g, 1 - t, source->parent_id)) {
        memset(&u->plan, 0, sizeof u->plan);
        u->plan.filtered = true;
        u->write_side = -1;
    }
    return !u->done;
}

const struct rule *children_rules(struct engine *g, const struct unit *u, size_t *n)
{
    int copy = 1 - u->link.origin;
    if (u->view[0].kind != VIEW_HERE || u->view[1].kind != VIEW_HERE)
        return u->rules;
    *n = g->caps[copy] & SL_CAP_UPDATE ? u->n_rules : 0;
    struct rule *rules = arena_dup(&g->chunk, u->rules, *n * sizeof *rules);
    for (size_t i = 0; i < *n; i++) {
        rules[i].to[u->link.origin] = false;
        rules[i].drift = DRIFT_IGNORE;
    }
    return rules;
}

/* --- in which order --- */

static const struct sl_record *record_of(const struct unit *u)
{
    return u->now[0] ? u->now[0] : u->now[1];
}

/* Ids that are numbers count as such: of two in one second the later one has the larger. */
static int by_id(const char *x, const char *y)
{
    size_t n = x ? strlen(x) : 0, m = y ? strlen(y) : 0;
    if (n != m)
        return n < m ? -1 : 1;
    return n ? strcmp(x, y) : 0;
}

static int by_birth(const void *x, const void *y)
{
    const struct unit *u = x, *v = y;
    const struct sl_record *r[2] = {record_of(u), record_of(v)};
    int64_t at[2] = {r[0] ? r[0]->created_ms : 0, r[1] ? r[1]->created_ms : 0};
    if (at[0] != at[1])
        return at[0] < at[1] ? -1 : 1;
    int order = by_id(u->link.id[0], v->link.id[0]);
    return order ? order : by_id(u->link.id[1], v->link.id[1]);
}

void children_sort(struct unit *units, size_t n)
{
    qsort(units, n, sizeof *units, by_birth);
}
