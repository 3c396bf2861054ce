/* SPDX-License-Identifier: MIT */
/* act.c - what a person does to a pair's state: resolve, retry, drop, approve, link, unlink. */
#include "sync/act.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One small change to the state: reads under a snapshot, writes one batch. */
struct act {
    struct store *store;
    struct store_snap *snap;
    struct store_batch batch;
    struct arena arena;
    struct err *e;
};

static int begin(struct act *t, struct store *s, struct err *e)
{
    memset(t, 0, sizeof *t);
    t->store = s;
    t->e = e;
    if (store_snap(s, &t->snap, e) != STORE_OK)
        return err_set(e, ERR_STATE, "state: cannot be read");
    return 0;
}

/* Commits if nothing went wrong. */
static int end(struct act *t)
{
    store_snap_end(t->snap);
    if (!t->e->code) {
        int rc = batch_commit(&t->batch, t->store, t->e);
        if (rc != STORE_OK)
            err_set(t->e, ERR_FAILED, "state: %s", store_rc_name(rc));
    }
    batch_fini(&t->batch);
    arena_fini(&t->arena);
    return t->e->code;
}

int act_side(const char *text, const char **id)
{
    int side = strncmp(text, "b:", 2) == 0;
    *id = side || strncmp(text, "a:", 2) == 0 ? text + 2 : text;
    return side;
}

static int get_wait(struct act *t, int db, uint64_t id, const char *what, struct wait_row *out)
{
    struct row_key k = key_number(id);
    struct slice row;
    if (store_get(t->snap, db, key_slice(&k), &row) != STORE_OK)
        return err_set(t->e, ERR_CONFIG, "%s %" PRIu64 ": there is none; list them with `syncline %s list`", what, id,
                       db == DB_PARKED ? "parked" : "conflicts");
    return wait_decode(row, id, &t->arena, out, t->e);
}

/* Both records are looked at again by the next run. */
static void look_again(struct act *t, const struct link *l)
{
    for (int s = 0; s < 2; s++)
        if (l->id[s])
            put_inbox_row(&t->batch, s, l->id[s], &(struct inbox_row){.kind = INBOX_HINT});
}

static void set_base(struct act *t, uint64_t link, int s, const char *name, const struct sl_value *v)
{
    struct sl_record *base = NULL;
    if (state_base(t->snap, link, s, &t->arena, &base, t->e) != STORE_OK || !name)
        return;
    struct sl_value named = *v;
    named.name = name;
    record_set(base, &t->arena, &named);
    put_base_row(&t->batch, link, s, base);
}

/* Side s counts as unchanged: its base is what it holds. */
static void accept(struct act *t, const struct wait_row *w, const struct rule *r, int s)
{
    struct sl_value none = value_null(NULL);
    const struct sl_value *held = w->value[s].type == SL_ABSENT ? &none : &w->value[s];
    set_base(t, w->link, s, rule_base_name(r, s, &t->arena), held);
}

/*
 * The loser counts as unchanged; the winner's base is forgotten, so that it counts as changed. What drifted and is to stay has
 * nowhere to go: the side that owns the field is not written.
 */
static void tilt(struct act *t, const struct wait_row *w, int winner)
{
    struct rule r = {.field = {w->field[0], w->field[1]}};
    struct sl_value forget = value_absent(NULL);
    if (w->kind == WAIT_DRIFT && winner != w->side) {
        accept(t, w, &r, winner);
        return;
    }
    accept(t, w, &r, 1 - winner);
    set_base(t, w->link, winner, rule_base_name(&r, winner, &t->arena), &forget);
}

/* The person's decision is history too: what was taken, what was lost. */
static void put_decision(struct act *t, const struct wait_row *w, int take, int64_t now_ms)
{
    struct counters next = state_counters(t->snap);
    struct field_change c = {.name = w->field[1 - take] ? w->field[1 - take] : w->field[take],
                             .source = w->field[take],
                             .before = w->value[1 - take],
                             .after = w->value[take],
                             .origin = w->value[take],
                             .lost = w->value[1 - take],
                             .reason = REASON_RESOLVED};
    struct sl_value bases[2] = {w->base[0], w->base[1]};
    struct history_row h = {.number = next.history++,
                            .run = w->run,
                            .at_ms = now_ms,
                            .link = w->link,
                            .side = (uint8_t)(1 - take),
                            .reason = REASON_RESOLVED,
                            .id = {w->id[0], w->id[1]},
                            .label = w->label,
                            .changes = &c,
                            .n_changes = 1,
                            .bases = bases};
    put_history_row(&t->batch, &h);
    put_counters_row(&t->batch, &next);
}

static void clear_mark(struct act *t, struct link *l, uint32_t mark)
{
    l->marks &= ~mark;
    put_link_row(&t->batch, l);
    for (int s = 0; s < 2; s++) {
        struct id_row row;
        if (!l->id[s] || state_id(t->snap, s, l->id[s], &row, t->e) != STORE_OK)
            continue;
        row.marks = l->marks;
        put_id_row(&t->batch, s, l->id[s], &row);
    }
}

int act_resolve(struct store *s, uint64_t id, int take, int64_t now_ms, struct err *e)
{
    struct act t;
    struct wait_row w;
    struct link l;
    if (begin(&t, s, e))
        return e->code;
    if (get_wait(&t, DB_CONFLICTS, id, "conflict", &w))
        return end(&t);
    if (w.kind != WAIT_CONFLICT && w.kind != WAIT_DRIFT)
        err_set(e, ERR_CONFIG, "conflict %" PRIu64 ": %s", id, w.reason);
    else if (state_link(t.snap, w.link, &t.arena, &l, e) == STORE_OK) {
        tilt(&t, &w, take);
        put_decision(&t, &w, take, now_ms);
        del_number_row(&t.batch, DB_CONFLICTS, id);
        look_again(&t, &l);
        clear_mark(&t, &l, MARK_CONFLICT);
    }
    return end(&t);
}

/* --- a value given by the person: written to side a first, which then counts as the one that changed --- */

static int take_version(void *self, const struct sl_item *item)
{
    char *version = self;
    if (item->kind == SL_ITEM_RECORD && item->record->version)
        snprintf(version, 1100, "%s", item->record->version);
    return 0;
}

static int write_value(const struct run_env *env, const char *id, const struct sl_value *value, struct arena *a,
                       struct err *e)
{
    char ulid[27], version[1100] = "";
    uint8_t entropy[10];
    struct write_outcome outcome = {0};
    struct sl_write w = {.kind = SL_UPDATE,
                         .id = id,
                         .idempotency_key = ulid,
                         .fields = value,
                         .n_fields = 1,
                         .field_size = sizeof *value};
    struct sl_batch batch = {
        .size = sizeof batch, .n_writes = 1, .write_size = sizeof w, .object = env->pair->side[0].object, .writes = &w};
    env->world->random(env->world->self, entropy, sizeof entropy);
    ulid_make(env->world->now_ms(env->world->self), entropy, ulid);
    int rc = session_get(env->session[0], batch.object, &id, 1, (struct session_sink){version, take_version}, e);
    if (rc)
        return class_err(rc);
    if (version[0] && (session_plugin(env->session[0])->caps & SL_CAP_CONDITIONAL))
        w.expected_version = version;
    rc = session_write(env->session[0], &batch, a, &outcome, e);
    if (rc)
        return class_err(rc);
    if (outcome.result != SL_APPLIED)
        return err_set(e, ERR_FAILED, "'%s' on side a did not take the value: %s", id,
                       outcome.message ? outcome.message : "try again");
    return 0;
}

int act_resolve_value(const struct run_env *env, uint64_t id, const struct sl_value *value, struct err *e)
{
    struct act t;
    struct wait_row w;
    if (begin(&t, env->store, e))
        return e->code;
    if (!get_wait(&t, DB_CONFLICTS, id, "conflict", &w)) {
        if ((w.kind != WAIT_CONFLICT && w.kind != WAIT_DRIFT) || !w.field[0] || !w.field[1] || !w.id[0])
            err_set(e, ERR_CONFIG, "conflict %" PRIu64 ": takes no value; use --take a or --take b", id);
    }
    store_snap_end(t.snap);
    t.snap = NULL;
    struct sl_value named = *value;
    named.name = w.field[0];
    if (!e->code)
        write_value(env, w.id[0], &named, &t.arena, e);
    end(&t);
    return e->code ? e->code : act_resolve(env->store, id, 0, env->world->now_ms(env->world->self), e);
}

/* A person has decided what became of the create that was open. */
static void close_intent(struct act *t, struct link *l)
{
    if (l->open_op == 0)
        return;
    del_number_row(&t->batch, DB_INTENTS, l->open_op);
    l->open_op = 0;
    l->state = LINK_HALF;
}

static int leave_parked(struct store *s, uint64_t id, bool retry, struct err *e)
{
    struct act t;
    struct wait_row w;
    struct link l;
    if (begin(&t, s, e))
        return e->code;
    if (get_wait(&t, DB_PARKED, id, "parked", &w))
        return end(&t);
    del_number_row(&t.batch, DB_PARKED, id);
    if (state_link(t.snap, w.link, &t.arena, &l, e) == STORE_OK) {
        if (retry) { /* whatever was learned of its fields is to be learned anew */
            struct row_key notes = key_notes(l.number);
            batch_del(&t.batch, DB_BASES, key_slice(&notes));
            look_again(&t, &l);
        }
        close_intent(&t, &l);
        clear_mark(&t, &l, MARK_PARKED | (retry ? MARK_DOUBT : 0));
    }
    return end(&t);
}

int act_retry(struct store *s, uint64_t id, struct err *e)
{
    return leave_parked(s, id, true, e);
}

int act_drop(struct store *s, uint64_t id, struct err *e)
{
    return leave_parked(s, id, false, e);
}

static int set_number(struct store *s, const char *key, int64_t n, struct err *e)
{
    struct act t;
    if (begin(&t, s, e))
        return e->code;
    put_meta_number(&t.batch, key, n);
    return end(&t);
}

int act_approve_deletes(struct store *s, int64_t n, struct err *e)
{
    return set_number(s, "approved", n, e);
}

int act_approve_first(struct store *s, struct err *e)
{
    return set_number(s, "first_run", FIRST_MATCH_OR_CREATE, e);
}

/* --- links by hand --- */

int act_find_link(struct store *s, int side, const char *id, struct arena *a, struct link *out, struct err *e)
{
    struct store_snap *snap = NULL;
    struct id_row row;
    if (store_snap(s, &snap, e) != STORE_OK)
        return err_set(e, ERR_STATE, "state: cannot be read");
    int rc = state_id(snap, side, id, &row, e);
    if (rc == STORE_OK)
        rc = state_link(snap, row.link, a, out, e);
    store_snap_end(snap);
    if (rc == STORE_NOTFOUND)
        return err_set(e, ERR_CONFIG,
                       "no record '%s' is known on side %s; run `syncline sync` first, or write b:ID for side b", id,
                       side ? "b" : "a");
    return e->code;
}

/* Whatever waits for a person on this link waits no longer. */
static void close_waits(struct act *t, uint64_t link)
{
    static const int dbs[] = {DB_CONFLICTS, DB_PARKED};
    struct row_key from = key_number(link << 16), below = key_number((link + 1) << 16);
    for (size_t d = 0; d < 2; d++) {
        struct store_row rows[64];
        size_t n = 0;
        store_scan(t->snap, dbs[d], key_slice(&from), key_slice(&below), false, 64, rows, &n);
        for (size_t i = 0; i < n; i++)
            batch_del(&t->batch, dbs[d], rows[i].key);
    }
}

/* A record that was ambiguous leaves: the next run looks at the others again. */
static void look_at_ambiguous(struct act *t, const struct link *l)
{
    struct store_row rows[200];
    struct row_key from = key_number(0);
    size_t n = (l->marks & MARK_CONFLICT) && l->state == LINK_HALF ? 200 : 0;
    while (n == 200 && !t->e->code) {
        store_scan(t->snap, DB_CONFLICTS, key_slice(&from), slice_of(NULL, 0), false, 200, rows, &n);
        for (size_t i = 0; i < n; i++) {
            struct wait_row w;
            uint64_t number = key_to_number(rows[i].key);
            from = key_number(number + 1);
            if (!wait_decode(rows[i].value, number, &t->arena, &w, t->e) && w.kind == WAIT_AMBIGUOUS && w.id[w.side])
                put_inbox_row(&t->batch, w.side, w.id[w.side], &(struct inbox_row){.kind = INBOX_HINT});
        }
    }
}

static void forget_half(struct act *t, const struct link *l)
{
    del_base_rows(&t->batch, l->number);
    if (l->open_op)
        del_number_row(&t->batch, DB_INTENTS, l->open_op);
    del_number_row(&t->batch, DB_LINKS, l->number);
    close_waits(t, l->number);
}

/* May this record be linked by hand? It must stand alone, or be linked to nobody any more. */
static bool standing_alone(const struct link *l, int s)
{
    bool open = l->state == LINK_PENDING && (l->marks & MARK_PARKED) && l->id[s] && !l->id[1 - s];
    return open || l->state == LINK_HALF || ((l->state == LINK_UNLINKED || l->state == LINK_UNDONE) && l->id[s]);
}

int act_link(struct store *s, const char *identity, const char *a, const char *b, struct err *e)
{
    const char *id[2] = {a, b};
    struct link l[2];
    struct act t;
    if (begin(&t, s, e))
        return e->code;
    for (int x = 0; x < 2 && !e->code; x++)
        if (!act_find_link(s, x, id[x], &t.arena, &l[x], e) && !standing_alone(&l[x], x))
            err_set(e, ERR_CONFIG, "'%s' on side %s is linked already; `unlink` it first", id[x], x ? "b" : "a");
    if (!e->code) {
        uint32_t generation = l[0].generation > l[1].generation ? l[0].generation : l[1].generation;
        struct link joined = {
            .number = l[0].number, .generation = generation, .state = LINK_LIVE, .id = {id[0], id[1]}};
        joined.key = link_key(identity, 0, id[0], generation);
        look_at_ambiguous(&t, l[0].marks & MARK_CONFLICT ? &l[0] : &l[1]);
        forget_half(&t, &l[0]);
        if (l[1].number != l[0].number)
            forget_half(&t, &l[1]);
        for (int x = 0; x < 2; x++) {
            int other = 1 - x; /* a former partner stands alone from now on */
            if (l[x].id[other] && !text_equal(l[x].id[other], id[other])) {
                struct row_key k = key_id(other, l[x].id[other]);
                batch_del(&t.batch, DB_IDS, key_slice(&k));
            }
            put_id_row(&t.batch, x, id[x], &(struct id_row){.link = joined.number});
        }
        put_link_row(&t.batch, &joined);
        look_again(&t, &joined);
    }
    return end(&t);
}

int act_unlink(struct store *s, int side, const char *id, bool forget, const struct session_world *world, struct err *e)
{
    struct act t;
    struct link l;
    if (begin(&t, s, e))
        return e->code;
    if (act_find_link(s, side, id, &t.arena, &l, e))
        return end(&t);
    if (!e->code)
        look_at_ambiguous(&t, &l);
    if (forget) {
        forget_half(&t, &l);
        for (int x = 0; x < 2; x++)
            if (l.id[x]) {
                struct row_key k = key_id(x, l.id[x]);
                batch_del(&t.batch, DB_IDS, key_slice(&k));
            }
        look_again(&t, &l); /* a feed of changes would not name them again */
    } else if (l.state == LINK_LIVE || l.state == LINK_HALF) {
        l.state = LINK_UNLINKED;
        l.settled_ms = world->now_ms(world->self);
        clear_mark(&t, &l, MARK_CONFLICT | MARK_PARKED | MARK_WITHHELD);
        close_waits(&t, l.number);
    } else {
        err_set(e, ERR_CONFIG, "'%s' is not linked", id);
    }
    return end(&t);
}
