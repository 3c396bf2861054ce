/* SPDX-License-Identifier: MIT */
/* write.c - sends a side's intents in batches and takes in each outcome. */
#include "sync/write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sync/poison.h"

bool id_valid(const struct sl_object *o, const char *id)
{
    size_t size = strlen(id);
    if (size == 0 || (o->id_max_bytes && size > o->id_max_bytes))
        return false;
    if (o->id_rule == SL_ID_TEXT)
        return true;
    if (o->id_rule != SL_ID_NAME || id[0] == '.')
        return false;
    for (const unsigned char *c = (const unsigned char *)id; *c; c++)
        if (*c < 0x20 || *c == '/' || *c == 0x7f)
            return false;
    return true;
}

bool id_free(struct engine *g, int t, const char *id)
{
    struct id_row known;
    struct inbox_row seen;
    if (state_id(g->view, t, id, &known, g->e) != STORE_NOTFOUND)
        return false;
    /* seen by this run, and perhaps about to be known */
    return state_inbox(g->view, t, id, &g->chunk, &seen, g->e) == STORE_NOTFOUND || seen.kind == INBOX_ABSENT ||
           seen.kind == INBOX_GONE;
}

const char *id_reserve(struct engine *g, struct unit *u, int t, const char *former)
{
    const struct sl_object *o = &g->object[t]->object;
    const char *source = u->link.id[1 - t];
    bool taken = (u->link.marks & MARK_TAKEN) != 0;
    if (!(o->caps & SL_CAP_RESERVED_ID))
        return NULL;
    if (o->id_rule == SL_ID_INTEGER)
        return arena_printf(&g->chunk, "%" PRId64, g->next.id[t]++);
    if (!taken && source && id_valid(o, source) && (text_equal(source, former) || id_free(g, t, source)))
        return source;
    char hex[33];
    hex_encode(u->link.key.bytes, sizeof u->link.key.bytes, hex);
    return arena_printf(&g->chunk, "sl-%.20s%s%s", hex, taken ? "-" : "", taken ? "2" : "");
}

void unit_next_generation(struct engine *g, struct unit *u, int t)
{
    u->link.generation++;
    u->link.origin = (uint8_t)(1 - t);
    u->link.key = link_key(g->env->identity, 1 - t, u->link.id[1 - t], u->link.generation);
    if (u->link.id[t]) {
        struct row_key id = key_id(t, u->link.id[t]);
        struct row_key base = key_base(u->link.number, t);
        batch_del(&g->batch, DB_IDS, key_slice(&id));
        batch_del(&g->batch, DB_BASES, key_slice(&base));
        if (u->has[t])
            del_inbox_row(&g->batch, t, u->link.id[t]);
        u->has[t] = false;
        u->link.id[t] = NULL;
        u->base[t] = NULL;
        u->seen[t] = (struct id_row){0};
    }
}

/* The sl_write of an intent. */
static void fill_write(struct engine *g, const struct unit *u, struct sl_write *w)
{
    const struct intent *i = &u->intent;
    struct sl_value *fields = arena_alloc(&g->chunk, (i->n_changes + 1) * sizeof *fields);
    char *key = arena_alloc(&g->chunk, 33);
    for (size_t c = 0; c < i->n_changes; c++)
        fields[c] = i->changes[c].after;
    hex_encode(u->link.key.bytes, sizeof u->link.key.bytes, key);
    *w = (struct sl_write){.kind = i->kind,
                           .id = i->id,
                           .parent_id = g->pair->parent && i->kind == SL_CREATE && i->source
                                            ? children_parent(g, 1 - i->side, i->source->parent_id)
                                            : NULL,
                           .correlation = i->kind == SL_CREATE ? key : NULL,
                           .idempotency_key = i->ulid,
                           .expected_version = i->expected_version,
                           .fields = fields,
                           .n_fields = (uint32_t)i->n_changes,
                           .field_size = sizeof *fields};
    if (i->state == OP_UNKNOWN)
        w->flags |= SL_WRITE_REPEAT;
}

static void count_write(struct engine *g, const struct intent *i)
{
    int column = i->kind == SL_CREATE ? 0 : i->kind == SL_UPDATE ? 1 : 2;
    g->report->writes[i->side][column]++;
}

/* A record made of what was sent, where the system does not answer with what it stored. */
static const struct sl_record *as_sent(struct engine *g, const struct unit *u)
{
    const struct intent *i = &u->intent;
    struct sl_record *r = arena_alloc(&g->chunk, sizeof *r);
    struct sl_value *fields = arena_alloc(&g->chunk, (i->n_changes + 1) * sizeof *fields);
    for (size_t c = 0; c < i->n_changes; c++)
        fields[c] = i->changes[c].after;
    *r = (struct sl_record){.size = sizeof *r,
                            .id = i->id,
                            .fields = fields,
                            .n_fields = (uint32_t)i->n_changes,
                            .field_size = sizeof *fields};
    return r;
}

void write_reject(struct engine *g, struct unit *u, const char *message)
{
    del_number_row(&g->batch, DB_INTENTS, u->intent.number);
    u->link.open_op = 0;
    if (u->link.state == LINK_PENDING)
        u->link.state = u->link.id[0] && u->link.id[1] ? LINK_LIVE : LINK_HALF;
    wait_open(g, u, NULL, WAIT_PARKED, u->intent.side, message, NULL);
    u->link.marks |= MARK_PARKED;
    u->has[0] = u->has[1] = false; /* already taken from the inbox with the intent */
    unit_settled(g, u, CLASS_PARKED);
    if (u->link.state == LINK_HALF)
        match_put_keys(g, u, 1 - u->intent.side);
}

static void uncertain(struct engine *g, struct unit *u, int t)
{
    u->intent.state = OP_UNKNOWN;
    u->intent.attempts++;
    u->intent.settle_until_ms = intent_settles_ms(g, &u->intent);
    engine_earliest(&g->open_until_ms, u->intent.settle_until_ms);
    put_intent_row(&g->batch, &u->intent);
    g->open_creates[t] += u->intent.kind == SL_CREATE;
    children_hold(g, &u->intent);
    engine_class(g, u->link.number, CLASS_PENDING);
    u->done = true;
}

static void say_doubt(struct engine *g, const struct unit *u, const char *why)
{
    if (why && !g->told_doubt)
        engine_say_of(g, u,
                      arena_printf(&g->chunk,
                                   "%s: it is not known whether this was carried out: %s; the next run looks",
                                   u->intent.id ? u->intent.id : "create", why));
    g->told_doubt = true;
}

static void say_failure(struct engine *g, const struct unit *u, const struct write_outcome *o)
{
    if (!g->last_failure) /* one sentence a run: a full disk refuses thousands */
        engine_say_of(g, u,
                      arena_printf(&g->chunk, "%s: %s", u->intent.id ? u->intent.id : "create",
                                   o->message ? o->message : class_name(o->error_class)));
    g->last_failure = o->error_class;
}

/* A create sent again and refused: the first time it may have been carried out, under the id reserved for it. True: dealt with. */
static bool landed_before(struct engine *g, struct unit *u, int t)
{
    const struct sl_record *there = NULL;
    bool reserved = u->intent.kind == SL_CREATE && u->intent.id && (g->caps[t] & SL_CAP_GET);
    if (!reserved || u->intent.state != OP_UNKNOWN)
        return false;
    if (engine_look(g, t, u->intent.id, &there))
        uncertain(g, u, t);
    else if (there)
        outcome_applied(g, u, there, true);
    return u->done;
}

static void not_applied(struct engine *g, struct unit *u, const struct write_outcome *o)
{
    switch (o->error_class) {
    case SL_CONFLICT:
    case SL_GONE:
    case SL_EXISTS:
        if (o->error_class == SL_EXISTS)
            u->link.marks |= MARK_TAKEN;
        children_hold(g, &u->intent);
        outcome_again(g, u);
        break;
    case SL_REJECTED:
    case SL_UNSUPPORTED:
        if (!landed_before(g, u, u->intent.side))
            write_reject(g, u, o->message ? o->message : "refused by the system; correct the record");
        break;
    default:
        say_failure(g, u, o);
        children_hold(g, &u->intent);
        /* of a repeat this says nothing about the first attempt, which may have been carried out */
        if (u->intent.state == OP_UNKNOWN)
            uncertain(g, u, u->intent.side);
        else
            outcome_again(g, u);
    }
}

static void take_outcome(struct engine *g, struct unit *u, const struct write_outcome *o, int t)
{
    bool repeat = u->intent.state == OP_UNKNOWN;
    if (o->result == SL_APPLIED) {
        count_write(g, &u->intent);
        u->unanswered = !o->record;
        /* the answer to a repeat may show the record with edits made since */
        outcome_applied(g, u, o->record ? o->record : as_sent(g, u), o->read_back || !o->record || repeat);
    } else if (o->result == SL_NOT_APPLIED && o->error_class == SL_EXISTS && repeat && o->record) {
        count_write(g, &u->intent);
        outcome_applied(g, u, o->record, true); /* ours: the id was reserved for this very operation */
    } else if (o->result == SL_NOT_APPLIED) {
        not_applied(g, u, o);
    } else {
        say_doubt(g, u, o->message);
        uncertain(g, u, t);
    }
}

/* A side's writes on their way. */
struct sending {
    struct engine *g;
    int side;
    struct unit **open;
    size_t n, from; /* from: the first that no batch has taken */
};

/*
 * Behind a child that may not be there yet its younger siblings wait: written down as not begun in the commit that tells of the elder one,
 * so that a kill leaves none of them to be sent before it; or, if they may have been begun, as they are.
 */
static void hold_siblings(struct sending *w)
{
    for (size_t i = w->from; i < w->n && w->g->n_held; i++) {
        struct unit *u = w->open[i];
        if (u->done || u->intent.kind != SL_CREATE || !children_held(w->g, w->side, u->intent.source))
            continue;
        if (u->intent.state == OP_PLANNED)
            outcome_again(w->g, u);
        else
            engine_earliest(&w->g->open_until_ms, u->intent.settle_until_ms);
        engine_class(w->g, u->link.number, CLASS_PENDING);
        u->done = true;
    }
}

/* What was without an answer when its connector died. The death of one that was alone is that one's, and nobody else's. */
static void take_death(struct sending *w, struct unit **units, const struct write_outcome *outcomes, uint32_t n)
{
    uint32_t n_untold = 0;
    for (uint32_t i = 0; i < n; i++)
        n_untold += outcomes[i].result == SL_UNCERTAIN;
    for (uint32_t i = 0; i < n; i++)
        if (outcomes[i].result == SL_UNCERTAIN)
            poison_note(w->g, w->side, units[i]->link.number, n_untold, n);
    if (n == 1)
        session_forgive(w->g->env->session[w->side]);
}

static int send(struct sending *w, struct unit **units, uint32_t n)
{
    struct engine *g = w->g;
    uint64_t deaths = session_deaths(g->env->session[w->side]);
    struct sl_write *writes = arena_alloc(&g->chunk, n * sizeof *writes);
    struct write_outcome *outcomes = arena_alloc(&g->chunk, n * sizeof *outcomes);
    struct sl_batch batch = {.size = sizeof batch,
                             .n_writes = n,
                             .write_size = sizeof *writes,
                             .object = g->pair->side[w->side].object,
                             .writes = writes};
    for (uint32_t i = 0; i < n; i++)
        fill_write(g, units[i], &writes[i]);
    struct err call = {0};
    int rc = session_write(g->env->session[w->side], &batch, &g->chunk, outcomes, &call);
    if (engine_view_begin(g))
        return g->e->code;
    bool died = session_deaths(g->env->session[w->side]) != deaths;
    for (uint32_t i = 0; i < n; i++) {
        if (outcomes[i].result != SL_UNCERTAIN)
            poison_passed(g, w->side, units[i]->link.number);
        take_outcome(g, units[i], &outcomes[i], w->side);
    }
    if (died)
        take_death(w, units, outcomes, n);
    hold_siblings(w);
    engine_view_end(g);
    if (engine_commit(g))
        return g->e->code;
    return rc && !(died && n == 1) ? err_set(g->e, class_err(rc), "%s", call.text) : 0;
}

/* The next batch, those that wait left out. */
static size_t next_batch(struct sending *w, size_t most, struct unit **batch)
{
    size_t size = 0;
    for (; w->from < w->n && size < most; w->from++) {
        struct unit *u = w->open[w->from];
        uint32_t together = u->done ? 0 : poison_most(w->g, w->side, u->link.number);
        if (together && size >= together)
            break;
        most = together && together < most ? together : most;
        if (!u->done)
            batch[size++] = u;
    }
    return size;
}

/* The run is told to end: what it has not begun is written down as that. The error that says so stays. */
static int leave(struct engine *g, struct unit *units, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!units[i].done && units[i].write_side >= 0 && units[i].intent.state == OP_PLANNED)
            outcome_again(g, &units[i]);
    return engine_commit(g);
}

int engine_write(struct engine *g, struct unit *units, size_t n, int t)
{
    uint32_t most = g->object[t]->object.batch_max ? g->object[t]->object.batch_max : 100;
    struct sending w = {.g = g, .side = t, .open = arena_alloc(&g->chunk, (n + 1) * sizeof *w.open)};
    for (size_t i = 0; i < n; i++)
        if (!units[i].done && units[i].write_side == t)
            w.open[w.n++] = &units[i];
    struct unit **batch = arena_alloc(&g->chunk, (w.n + 1) * sizeof *batch);
    if (g->n_held) { /* since an earlier run */
        hold_siblings(&w);
        if (engine_commit(g))
            return g->e->code;
    }
    while (w.from < w.n) {
        size_t size = next_batch(&w, most, batch);
        if (size && send(&w, batch, (uint32_t)size))
            return g->e->code;
        if (w.from < w.n && engine_stopping(g))
            return leave(g, units, n);
    }
    return 0;
}
