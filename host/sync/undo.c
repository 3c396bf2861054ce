/* SPDX-License-Identifier: MIT */
/* undo.c - takes one run's writes back where they still stand; each step may be repeated after a kill. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sync/act.h"

struct undo {
    const struct run_env *env;
    const struct conf_pair *pair;
    struct err *e;
    struct arena arena;
    struct store_batch batch;
    const struct object_info *object[2];
    char run[27]; /* of the undo itself */
    int64_t now_ms;
    uint64_t next_history;
    bool dry;
    void (*tell)(void *self, const struct undo_item *);
    void *self;
    struct undo_report *report;
    const struct sl_record *now; /* the record just read */
};

static int take(void *self, const struct sl_item *item)
{
    struct undo *u = self;
    if (item->kind == SL_ITEM_RECORD)
        u->now = record_copy(&u->arena, item->record);
    return 0;
}

static int read_now(struct undo *u, int side, const char *id)
{
    u->now = NULL;
    int rc =
        session_get(u->env->session[side], u->pair->side[side].object, &id, 1, (struct session_sink){u, take}, u->e);
    return rc ? class_err(rc) : 0;
}

static void say(struct undo *u, const struct history_row *h, const char *what, const char *field, const char *why)
{
    struct undo_item item = {.what = what, .side = h->side, .id = h->id[h->side], .field = field, .why = why};
    if (strcmp(what, "left") == 0)
        u->report->left++;
    else
        u->report->done++;
    u->tell(u->self, &item);
}

static void say_restored(struct undo *u, const struct history_row *h, const struct field_change *c)
{
    struct undo_item item = {.what = "restored",
                             .side = h->side,
                             .id = h->id[h->side],
                             .field = c->name,
                             .before = &c->before,
                             .after = &c->after};
    u->report->done++;
    u->tell(u->self, &item);
}

static void put_history(struct undo *u, const struct history_row *h, int kind, struct field_change *changes, size_t n)
{
    struct history_row row = {.number = u->next_history++,
                              .run = u->run,
                              .at_ms = u->now_ms,
                              .link = h->link,
                              .side = h->side,
                              .kind = (uint8_t)kind,
                              .reason = REASON_UNDO,
                              .id = {h->id[0], h->id[1]},
                              .label = h->label,
                              .changes = changes,
                              .n_changes = n};
    put_history_row(&u->batch, &row);
}

/* The counters of the run's own numbering live in one row; only the history's moves here. */
static int commit(struct undo *u)
{
    struct store_snap *snap = NULL;
    if (store_snap(u->env->store, &snap, u->e) != STORE_OK)
        return u->e->code;
    struct counters next = state_counters(snap);
    store_snap_end(snap);
    next.history = u->next_history;
    put_counters_row(&u->batch, &next);
    int rc = batch_commit(&u->batch, u->env->store, u->e);
    return rc == STORE_OK ? 0 : err_set(u->e, ERR_FAILED, "state: %s", store_rc_name(rc));
}

/* The same for the same step of the same run, however often it is begun: a create under it is made once. */
static struct hash128 step_key(struct undo *u, const struct history_row *h)
{
    const char *text = arena_printf(&u->arena, "undo %s %" PRIu64, h->op, h->number);
    return hash128(text, strlen(text));
}

/* One write; true if the system carried it out. */
static bool write_one(struct undo *u, const struct history_row *h, struct sl_write *w)
{
    char ulid[27], correlation[33];
    struct hash128 key = step_key(u, h);
    struct write_outcome outcome;
    struct err call = {0};
    ulid_make(h->at_ms, key.bytes, ulid);
    hex_encode(key.bytes, sizeof key.bytes, correlation);
    w->idempotency_key = ulid;
    w->correlation = w->kind == SL_CREATE ? correlation : NULL;
    w->field_size = sizeof(struct sl_value);
    if (u->now && u->now->version && *u->now->version && (u->object[h->side]->object.caps & SL_CAP_CONDITIONAL))
        w->expected_version = u->now->version;
    struct sl_batch batch = {.size = sizeof batch,
                             .n_writes = 1,
                             .write_size = sizeof *w,
                             .object = u->pair->side[h->side].object,
                             .writes = w};
    session_write(u->env->session[h->side], &batch, &u->arena, &outcome, &call);
    if (outcome.result == SL_APPLIED)
        return true;
    say(u, h, "left", NULL,
        outcome.message ? outcome.message
        : call.code     ? call.text
                        : "the write was not carried out; undo again");
    return false;
}

/* Fields that still hold what the run wrote get back what they held before. */
static int undo_update(struct undo *u, const struct history_row *h)
{
    struct sl_value *fields = arena_alloc(&u->arena, (h->n_changes + 1) * sizeof *fields);
    struct field_change *changes = arena_alloc(&u->arena, (h->n_changes + 1) * sizeof *changes);
    size_t n = 0;
    if (read_now(u, h->side, h->id[h->side]))
        return u->e->code;
    for (size_t i = 0; i < h->n_changes; i++) {
        const struct field_change *c = &h->changes[i];
        const struct sl_value *now = u->now ? record_field(u->now, c->name) : NULL;
        if (!now || !value_equal(now, &c->after)) {
            say(u, h, "left", c->name, u->now ? "changed since" : "the record is gone");
            continue;
        }
        fields[n] = c->before.type == SL_ABSENT ? value_null(c->name) : c->before;
        fields[n].name = c->name;
        changes[n] = (struct field_change){
            .name = c->name, .source = c->source, .before = *now, .after = fields[n], .reason = REASON_UNDO};
        n++;
    }
    struct sl_write w = {.kind = SL_UPDATE, .id = h->id[h->side], .fields = fields, .n_fields = (uint32_t)n};
    if (n == 0 || (!u->dry && !write_one(u, h, &w)))
        return 0;
    for (size_t i = 0; i < n; i++)
        say_restored(u, h, &changes[i]);
    if (u->dry)
        return 0;
    put_history(u, h, SL_UPDATE, changes, n);
    return commit(u);
}

static bool untouched(const struct undo *u, const struct history_row *h)
{
    for (size_t i = 0; i < h->n_changes; i++) {
        const struct sl_value *now = record_field(u->now, h->changes[i].name);
        if (!now || !value_equal(now, &h->changes[i].after))
            return false;
    }
    return true;
}

/* The link is marked first: a kill before the delete leaves a record that the next undo removes, never a delete to pass on. */
static int mark_undone(struct undo *u, const struct history_row *h)
{
    struct store_snap *snap = NULL;
    struct link l;
    if (store_snap(u->env->store, &snap, u->e) != STORE_OK)
        return u->e->code;
    int rc = state_link(snap, h->link, &u->arena, &l, u->e);
    store_snap_end(snap);
    if (rc != STORE_OK)
        return u->e->code;
    l.state = LINK_UNDONE;
    l.marks = 0;
    put_link_row(&u->batch, &l);
    return commit(u);
}

static int undo_create(struct undo *u, const struct history_row *h)
{
    if (read_now(u, h->side, h->id[h->side]))
        return u->e->code;
    if (!u->now || !untouched(u, h)) {
        say(u, h, "left", NULL, u->now ? "changed since it was created" : "gone already");
        return 0;
    }
    if (!u->dry && mark_undone(u, h))
        return u->e->code;
    struct sl_write w = {.kind = SL_DELETE, .id = h->id[h->side]};
    if (!u->dry && !write_one(u, h, &w))
        return 0;
    say(u, h, "removed", NULL, NULL);
    if (u->dry)
        return 0;
    put_history(u, h, SL_DELETE, NULL, 0);
    return commit(u);
}

/* Was it created again by an undo that was killed before it could say so? */
static int find_again(struct undo *u, const struct history_row *h)
{
    char correlation[33];
    struct hash128 key = step_key(u, h);
    const struct sl_object *o = &u->object[h->side]->object;
    if (u->now || !(o->caps & SL_CAP_FIND_CORRELATION))
        return 0;
    hex_encode(key.bytes, sizeof key.bytes, correlation);
    struct sl_find find = {
        .size = sizeof find, .object = u->pair->side[h->side].object, .correlation = correlation, .max_items = 1};
    int rc = session_find(u->env->session[h->side], &find, (struct session_sink){u, take}, u->e);
    return rc ? class_err(rc) : 0;
}

static int undo_delete(struct undo *u, const struct history_row *h)
{
    if (!h->kept)
        return 0;
    if (read_now(u, h->side, h->id[h->side]) || find_again(u, h))
        return u->e->code;
    if (u->now) {
        say(u, h, "left", NULL, "it is there again");
        return 0;
    }
    const struct sl_object *o = &u->object[h->side]->object;
    struct sl_write w = {.kind = SL_CREATE,
                         .id = o->caps & SL_CAP_RESERVED_ID ? h->id[h->side] : NULL,
                         .fields = h->kept->fields,
                         .n_fields = h->kept->n_fields};
    struct sl_value *fields = arena_alloc(&u->arena, (w.n_fields + 1) * sizeof *fields);
    uint32_t n = 0;
    for (uint32_t i = 0; i < o->n_fields || i < w.n_fields; i++) {
        if (i >= w.n_fields)
            break;
        const struct sl_value *v = sl_value_at(h->kept->fields, h->kept->field_size, i);
        bool writable = true;
        for (uint32_t f = 0; f < o->n_fields; f++) {
            const struct sl_field *info =
                (const struct sl_field *)(const void *)((const char *)o->fields + (size_t)o->field_size * f);
            if (strcmp(info->name, v->name) == 0)
                writable = (info->flags & SL_FIELD_WRITABLE) != 0;
        }
        if (writable)
            fields[n++] = *v;
    }
    w.fields = fields;
    w.n_fields = n;
    if (!u->dry && !write_one(u, h, &w))
        return 0;
    say(u, h, "created again", NULL, NULL);
    if (u->dry)
        return 0;
    put_history(u, h, SL_CREATE, NULL, 0);
    return commit(u);
}

static int undo_row(struct undo *u, const struct history_row *h)
{
    switch (h->kind) {
    case SL_CREATE:
        return undo_create(u, h);
    case SL_UPDATE:
        return undo_update(u, h);
    case SL_DELETE:
    case SL_ARCHIVE:
        return undo_delete(u, h);
    default:
        return 0;
    }
}

/* The numbers of the run's history rows, newest last. */
static size_t find_rows(struct undo *u, const char *run, uint64_t **numbers)
{
    enum { PAGE = 200 };
    struct history_row *rows = mem_alloc(PAGE * sizeof *rows);
    struct arena page = {0};
    uint64_t after = 0;
    size_t n = PAGE, total = 0;
    while (n == PAGE) {
        n = act_history(u->env->store, after, &page, rows, PAGE, u->e);
        for (size_t i = 0; i < n; i++) {
            after = rows[i].number;
            if (rows[i].kind && strcmp(rows[i].run, run) == 0) {
                *numbers = mem_grow(*numbers, (total + 1) * sizeof **numbers);
                (*numbers)[total++] = after;
            }
        }
        arena_reset(&page);
    }
    u->next_history = after + 1;
    arena_fini(&page);
    mem_free(rows);
    return total;
}

int act_undo(const struct run_env *env, const char *run, bool dry, void (*tell)(void *self, const struct undo_item *),
             void *self, struct undo_report *out, struct err *e)
{
    struct undo u = {.env = env, .pair = env->pair, .e = e, .dry = dry, .tell = tell, .self = self, .report = out};
    uint8_t entropy[10];
    uint64_t *numbers = NULL;
    struct object_info *list[2] = {NULL, NULL};
    struct arena described = {0};
    memset(out, 0, sizeof *out);
    u.now_ms = env->world->now_ms(env->world->self);
    env->world->random(env->world->self, entropy, sizeof entropy);
    ulid_make(u.now_ms, entropy, u.run);
    for (int s = 0; s < 2 && !e->code; s++) {
        int rc = session_describe(env->session[s], env->pair->side[s].object, &described, &list[s], e);
        if (rc || !list[s])
            err_set(e, rc ? class_err(rc) : ERR_CONFIG, "%s: has no object '%s'", env->pair->side[s].connection,
                    env->pair->side[s].object);
        u.object[s] = list[s];
    }
    size_t n = e->code ? 0 : find_rows(&u, run, &numbers);
    if (!e->code && n == 0)
        err_set(e, ERR_NOTFOUND, "run %s wrote nothing in pair %s; see `syncline history`", run, env->pair->name);
    for (size_t i = n; i-- > 0 && !e->code;) { /* newest first: the way back goes through every step */
        struct history_row row;
        if (act_history(env->store, numbers[i] - 1, &u.arena, &row, 1, e) == 1)
            undo_row(&u, &row);
        arena_reset(&u.arena);
    }
    mem_free(numbers);
    batch_fini(&u.batch);
    arena_fini(&u.arena);
    arena_fini(&described);
    return e->code;
}
