/* SPDX-License-Identifier: MIT */
/* recover.c - settles every intent an earlier run left open, before anything new is planned. */
#include <string.h>

#include "base/log.h"
#include "sync/poison.h"
#include "sync/write.h"

struct found {
    struct engine *g;
    const struct unit *keyed; /* whose create is looked for by its key; NULL: an id is */
    const struct sl_record *record;
    const char *second; /* the id of another one under the same key */
    bool gone;
};

/* A record that seemed deleted comes back as a new one, with the key its first counterpart was made under. */
static bool anothers(struct engine *g, const struct unit *u, const char *id)
{
    struct store_snap *snap = NULL;
    struct id_row known;
    struct link other;
    if (engine_fail(g, store_snap(g->store, &snap, g->e)))
        return true;
    bool taken = state_id(snap, u->intent.side, id, &known, g->e) == STORE_OK && known.link != u->link.number &&
                 state_link(snap, known.link, &g->chunk, &other, g->e) == STORE_OK && other.state != LINK_HALF;
    store_snap_end(snap);
    return taken;
}

static int take(void *self, const struct sl_item *item)
{
    struct found *f = self;
    f->gone |= item->kind == SL_ITEM_TOMBSTONE;
    if (item->kind != SL_ITEM_RECORD || (f->keyed && anothers(f->g, f->keyed, item->id)))
        return 0;
    if (f->keyed && f->record && !text_equal(f->record->id, item->id))
        f->second = arena_text(&f->g->chunk, item->id);
    else
        f->record = record_copy(&f->g->chunk, item->record);
    return 0;
}

int64_t intent_settles_ms(const struct engine *g, const struct intent *i)
{
    const struct sl_object *o = &g->object[i->side]->object;
    return g->now_ms + o->late_ms + (i->kind == SL_CREATE ? o->index_lag_ms : 0) + o->stale_ms;
}

/* A write whose run ended before its outcome may be under way from now on as long as any. */
static void begin_waiting(struct engine *g, struct unit *u)
{
    if (u->intent.state == OP_UNKNOWN)
        return;
    u->intent.state = OP_UNKNOWN;
    u->intent.settle_until_ms = intent_settles_ms(g, &u->intent);
    if (u->intent.settle_until_ms > g->now_ms)
        put_intent_row(&g->batch, &u->intent);
}

static int load_unit(struct engine *g, struct store_snap *snap, const struct store_row *row, struct unit *u)
{
    memset(u, 0, sizeof *u);
    if (intent_decode(row->value, key_to_number(row->key), &g->chunk, &u->intent, g->e))
        return g->e->code;
    int rc = state_link(snap, u->intent.link, &g->chunk, &u->link, g->e);
    for (int s = 0; s < 2 && rc == STORE_OK; s++) {
        struct sl_record *base = NULL;
        int found = state_base(snap, u->link.number, s, &g->chunk, &base, g->e);
        if (found != STORE_OK && found != STORE_NOTFOUND)
            rc = found;
        u->base[s] = base;
        if (u->link.id[s])
            state_id(snap, s, u->link.id[s], &u->seen[s], g->e);
    }
    u->write_side = u->intent.side;
    u->view[1 - u->intent.side].now = u->intent.source;
    begin_waiting(g, u);
    return engine_fail(g, rc);
}

static int get_one(struct engine *g, int t, const char *id, struct found *f)
{
    f->g = g;
    int rc = session_get(g->env->session[t], g->pair->side[t].object, &id, 1, (struct session_sink){f, take}, g->e);
    return rc ? class_err(rc) : 0;
}

int engine_look(struct engine *g, int t, const char *id, const struct sl_record **record)
{
    struct found f = {0};
    int rc = get_one(g, t, id, &f);
    *record = f.record;
    return rc;
}

/* Is any field not as it was before? Then the write may have landed in another form, and with it gone what was there. */
static bool moved(const struct intent *i, const struct sl_record *now)
{
    bool same = now != NULL;
    for (size_t c = 0; c < i->n_changes && same; c++) {
        const struct sl_value *v = record_field(now, i->changes[c].name);
        same = v ? value_same(v, &i->changes[c].before) : i->changes[c].before.type == SL_ABSENT;
    }
    return !same;
}

/* Alone it killed its connector, and now it is looked for and not there: it is set aside, and no other record waits for it. */
static bool poisonous(struct engine *g, struct unit *u)
{
    int t = u->intent.side;
    if (!poison_alone(g, t, u->link.number))
        return false;
    write_reject(
        g, u,
        arena_printf(&g->chunk,
                     "the connector of %s dies of this write, also when it is alone; correct the record, or put a "
                     "repaired connector in its place and let it be tried with `syncline parked retry`",
                     g->pair->side[t].connection));
    poison_parked(g, t, u->link.number);
    return true;
}

/* Did the write land? Each field that did is finished; the others are planned again from fresh reads. */
static int settle_update(struct engine *g, struct unit *u)
{
    struct found f = {0};
    const struct intent *i = &u->intent;
    if (get_one(g, i->side, i->id, &f))
        return g->e->code;
    size_t landed = 0;
    for (size_t c = 0; f.record && c < i->n_changes; c++) {
        const struct sl_value *now = record_field(f.record, i->changes[c].name);
        landed += now && value_equal(now, &i->changes[c].after);
    }
    if (f.record && landed == i->n_changes) {
        outcome_applied(g, u, f.record, true);
    } else if (f.record && landed > 0) { /* part of it: the landed fields' bases move, the rest is planned again */
        struct field_change *some = arena_alloc(&g->chunk, (landed + 1) * sizeof *some);
        size_t n = 0;
        for (size_t c = 0; c < i->n_changes; c++) {
            const struct sl_value *now = record_field(f.record, i->changes[c].name);
            if (now && value_equal(now, &i->changes[c].after))
                some[n++] = i->changes[c];
        }
        history_intent(g, u, 0); /* with what the others may have lost */
        u->intent.changes = some;
        u->intent.n_changes = n;
        u->plan.write[1 - i->side].kind = SL_UPDATE; /* look again at both sides */
        outcome_applied(g, u, f.record, true);
    } else if (g->now_ms < i->settle_until_ms) {
        engine_class(g, u->link.number, CLASS_PENDING); /* it may still arrive */
    } else {
        if (moved(i, f.record))
            history_intent(g, u, 0);
        if (!poisonous(g, u))
            outcome_again(g, u);
    }
    return 0;
}

static int settle_delete(struct engine *g, struct unit *u)
{
    struct found f = {0};
    if (get_one(g, u->intent.side, u->intent.id, &f))
        return g->e->code;
    if (f.gone)
        outcome_applied(g, u, NULL, true);
    else if (g->now_ms >= u->intent.settle_until_ms && !poisonous(g, u))
        outcome_again(g, u);
    return 0;
}

/* Only a person can tell. The intent stays open until one has: retry, drop and link close it. */
static void uncertain(struct engine *g, struct unit *u, const char *reason)
{
    if (u->link.marks & MARK_PARKED)
        return;
    u->link.marks |= MARK_PARKED;
    put_intent_row(&g->batch, &u->intent);
    wait_open(g, u, NULL, WAIT_UNCERTAIN, u->intent.side, reason, NULL);
    unit_settled(g, u, CLASS_PARKED);
}

static const char *why_either(struct engine *g, const struct unit *u, const struct found *f)
{
    int t = u->intent.side;
    return arena_printf(
        &g->chunk,
        "side %s holds both '%s' and '%s' with the key of this one; link the right one: `syncline link %s A B`",
        t ? "b" : "a", f->record->id, f->second, g->pair->name);
}

/* A remote that stores our key: one hit is believed at once, a miss only after the settle time. */
static int settle_by_key(struct engine *g, struct unit *u, bool *resend)
{
    struct found f = {.g = g, .keyed = u};
    char key[33];
    hex_encode(u->link.key.bytes, sizeof u->link.key.bytes, key);
    struct sl_find find = {.size = sizeof find, .object = g->pair->side[u->intent.side].object, .correlation = key};
    if (g->pair->parent && u->intent.source)
        find.parent_id = children_parent(g, 1 - u->intent.side, u->intent.source->parent_id);
    int rc = session_find(g->env->session[u->intent.side], &find, (struct session_sink){&f, take}, g->e);
    if (rc || g->e->code)
        return rc ? class_err(rc) : g->e->code;
    if (f.second)
        uncertain(g, u, why_either(g, u, &f));
    else if (f.record)
        outcome_applied(g, u, f.record, true);
    else if (g->now_ms >= u->intent.settle_until_ms)
        *resend = !poisonous(g, u);
    if (*resend) { /* from its leaving on it may be under way again: durable first */
        u->intent.settle_until_ms = intent_settles_ms(g, &u->intent);
        put_intent_row(&g->batch, &u->intent);
    }
    return 0;
}

/* Is a repeat of this create, arriving as late as it may, still known by its key? A clock that stepped back proves nothing. */
static bool key_remembered(const struct engine *g, const struct unit *u)
{
    const struct sl_object *o = &g->object[u->intent.side]->object;
    int64_t age_ms = g->now_ms - ulid_time_ms(u->intent.ulid);
    return (o->caps & SL_CAP_IDEMPOTENT) &&
           (o->idempotency_ttl_s == 0 ||
            (age_ms >= 0 && age_ms + o->late_ms < INT64_C(1000) * (int64_t)o->idempotency_ttl_s));
}

/* A create that killed its connector alone is not sent once more to see whether it is there: it is looked for. */
static int settle_poison(struct engine *g, struct unit *u)
{
    const struct sl_record *there = NULL;
    int t = u->intent.side;
    bool looks = u->intent.id && (g->caps[t] & SL_CAP_GET);
    if (looks && engine_look(g, t, u->intent.id, &there))
        return g->e->code;
    if (there)
        outcome_applied(g, u, there, true);
    else if (!looks)
        uncertain(
            g, u,
            "the connector dies of this create, also when it is alone, and nobody can tell whether it was carried "
            "out; look there, then link it or retry");
    else if (g->now_ms >= u->intent.settle_until_ms)
        poisonous(g, u);
    else
        engine_class(g, u->link.number, CLASS_PENDING);
    return 0;
}

static int settle_create(struct engine *g, struct unit *u, bool *resend)
{
    uint64_t caps = g->caps[u->intent.side];
    bool alone = poison_alone(g, u->intent.side, u->link.number);
    if (alone && !(caps & SL_CAP_FIND_CORRELATION))
        return settle_poison(g, u);
    if (!alone && ((caps & SL_CAP_RESERVED_ID) || key_remembered(g, u)))
        *resend = true;
    else if (caps & SL_CAP_FIND_CORRELATION)
        return settle_by_key(g, u, resend);
    else
        uncertain(g, u,
                  "a create may or may not have been carried out and the system cannot tell; look there, then link it "
                  "or retry");
    return 0;
}

static int settle_kind(struct engine *g, struct unit *u, bool *resend)
{
    switch (u->intent.kind) {
    case SL_CREATE:
        return settle_create(g, u, resend);
    case SL_UPDATE:
        return settle_update(g, u);
    default:
        return settle_delete(g, u);
    }
}

/* A look that kills the connector tells nothing, and no other record waits for it. */
static int settle_one(struct engine *g, struct unit *u, bool *resend)
{
    struct session *s = g->env->session[u->intent.side];
    uint64_t deaths = session_deaths(s);
    int rc = settle_kind(g, u, resend);
    if (!rc || session_deaths(s) == deaths)
        return rc;
    err_clear(g->e);
    session_forgive(s);
    uncertain(g, u,
              "the connector dies of looking whether this was carried out; look there yourself, then link it or retry");
    return 0;
}

static int settle_chunk(struct engine *g, uint64_t *from, bool *end)
{
    enum { ROWS = 500, LOAD_BYTES = 2 << 20 };
    struct store_snap *snap = NULL;
    struct store_row rows[ROWS];
    size_t n = 0, n_units = 0;
    struct unit *units = arena_alloc(&g->chunk, ROWS * sizeof *units);
    struct row_key key = key_number(*from);
    int rc = engine_fail(g, store_snap(g->store, &snap, g->e));
    if (rc == 0)
        rc = engine_fail(g, store_scan(snap, DB_INTENTS, key_slice(&key), slice_of(NULL, 0), false, ROWS, rows, &n));
    for (size_t i = 0; rc == 0 && i < n && (i == 0 || g->chunk.used_bytes < LOAD_BYTES); i++) {
        *from = key_to_number(rows[i].key) + 1;
        rc = load_unit(g, snap, &rows[i], &units[n_units++]);
    }
    store_snap_end(snap);
    *end = n < ROWS && n_units == n;
    struct unit *again = arena_alloc(&g->chunk, (n_units + 1) * sizeof *again);
    size_t n_again = 0;
    for (size_t i = 0; rc == 0 && i < n_units; i++) {
        bool resend = false;
        rc = settle_one(g, &units[i], &resend);
        if (resend)
            again[n_again++] = units[i];
        else if (!units[i].done && !(units[i].link.marks & MARK_PARKED))
            engine_earliest(&g->open_until_ms, units[i].intent.settle_until_ms);
    }
    if (rc == 0)
        rc = engine_commit(g);
    for (int t = 1; t >= 0 && rc == 0; t--)
        rc = engine_write(g, again, n_again, t);
    return rc;
}

static int count_open(struct engine *g, struct store_snap *snap, const struct store_row *row)
{
    struct intent in;
    struct link l;
    if (intent_decode(row->value, key_to_number(row->key), &g->chunk, &in, g->e) || in.kind != SL_CREATE)
        return g->e->code;
    int rc = state_link(snap, in.link, &g->chunk, &l, g->e);
    g->open_creates[in.side]++;
    bool parked = rc == STORE_OK && (l.marks & MARK_PARKED);
    g->parked_creates[in.side] += parked;
    if (!parked) /* which only a person settles: that is too long to wait for */
        children_hold(g, &in);
    return engine_fail(g, rc);
}

int engine_count_open(struct engine *g)
{
    enum { ROWS = 500 };
    struct store_row rows[ROWS];
    size_t n = ROWS;
    int rc = 0;
    for (uint64_t from = 0; rc == 0 && n == ROWS;) {
        struct store_snap *snap = NULL;
        struct row_key key = key_number(from);
        rc = engine_fail(g, store_snap(g->store, &snap, g->e));
        if (rc == 0)
            rc =
                engine_fail(g, store_scan(snap, DB_INTENTS, key_slice(&key), slice_of(NULL, 0), false, ROWS, rows, &n));
        for (size_t i = 0; rc == 0 && i < n; i++) {
            from = key_to_number(rows[i].key) + 1;
            rc = count_open(g, snap, &rows[i]);
        }
        store_snap_end(snap);
        engine_chunk_end(g);
    }
    return rc;
}

int engine_recover(struct engine *g)
{
    uint64_t from = 0;
    bool end = false;
    int rc = 0;
    g->open_until_ms = 0;
    g->n_held = 0; /* each is held by an elder one, not by itself */
    while (rc == 0 && !end) {
        rc = settle_chunk(g, &from, &end);
        engine_chunk_end(g);
    }
    return rc;
}
