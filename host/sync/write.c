/* SPDX-License-Identifier: MIT */
/* write.c - sends a side's intents in batches and takes in each outcome. */
#include "sync/write.h"

#include <stdio.h>
#include <string.h>

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
    struct store_snap *snap = NULL;
    struct id_row row;
    if (store_snap(g->store, &snap, g->e) != STORE_OK)
        return false;
    int rc = state_id(snap, t, id, &row, g->e);
    store_snap_end(snap);
    return rc == STORE_NOTFOUND;
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

static void reject(struct engine *g, struct unit *u, const char *message)
{
    del_number_row(&g->batch, DB_INTENTS, u->intent.number);
    u->link.open_op = 0;
    if (u->link.state == LINK_PENDING)
        u->link.state = u->link.id[0] && u->link.id[1] ? LINK_LIVE : LINK_HALF;
    wait_open(g, u, NULL, WAIT_PARKED, u->intent.side, message, NULL);
    u->link.marks |= MARK_PARKED;
    u->has[0] = u->has[1] = false; /* already taken from the inbox with the intent */
    unit_settled(g, u, CLASS_PARKED);
}

static void uncertain(struct engine *g, struct unit *u, int t)
{
    const struct sl_object *o = &g->object[t]->object;
    u->intent.state = OP_UNKNOWN;
    u->intent.attempts++;
    u->intent.settle_until_ms = g->now_ms + o->late_ms + o->index_lag_ms + o->stale_ms;
    put_intent_row(&g->batch, &u->intent);
    g->open_creates[t] += u->intent.kind == SL_CREATE;
    engine_class(g, u->link.number, CLASS_PENDING);
    u->done = true;
}

static void not_applied(struct engine *g, struct unit *u, const struct write_outcome *o)
{
    switch (o->error_class) {
    case SL_CONFLICT:
    case SL_GONE:
        outcome_again(g, u);
        break;
    case SL_EXISTS:
        u->link.marks |= MARK_TAKEN;
        outcome_again(g, u);
        break;
    case SL_REJECTED:
    case SL_UNSUPPORTED:
        reject(g, u, o->message ? o->message : "refused by the system; correct the record");
        break;
    default:
        if (!g->last_failure) /* one sentence a run: a full disk refuses thousands */
            snprintf(g->report->message, sizeof g->report->message, "%s: %s", u->intent.id ? u->intent.id : "create",
                     o->message ? o->message : class_name(o->error_class));
        g->last_failure = o->error_class;
        outcome_again(g, u);
    }
}

static void take_outcome(struct engine *g, struct unit *u, const struct write_outcome *o, int t)
{
    bool repeat = u->intent.state == OP_UNKNOWN;
    if (o->result == SL_APPLIED) {
        count_write(g, &u->intent);
        /* the answer to a repeat may show the record with edits made since */
        outcome_applied(g, u, o->record ? o->record : as_sent(g, u), o->read_back || !o->record || repeat);
    } else if (o->result == SL_NOT_APPLIED && o->error_class == SL_EXISTS && repeat && o->record) {
        count_write(g, &u->intent);
        outcome_applied(g, u, o->record, true); /* ours: the id was reserved for this very operation */
    } else if (o->result == SL_NOT_APPLIED) {
        not_applied(g, u, o);
    } else {
        uncertain(g, u, t);
    }
}

static int send(struct engine *g, struct unit **units, uint32_t n, int t)
{
    struct sl_write *writes = arena_alloc(&g->chunk, n * sizeof *writes);
    struct write_outcome *outcomes = arena_alloc(&g->chunk, n * sizeof *outcomes);
    struct sl_batch batch = {.size = sizeof batch,
                             .n_writes = n,
                             .write_size = sizeof *writes,
                             .object = g->pair->side[t].object,
                             .writes = writes};
    for (uint32_t i = 0; i < n; i++)
        fill_write(g, units[i], &writes[i]);
    struct err call = {0};
    int rc = session_write(g->env->session[t], &batch, &g->chunk, outcomes, &call);
    for (uint32_t i = 0; i < n; i++)
        take_outcome(g, units[i], &outcomes[i], t);
    if (engine_commit(g))
        return g->e->code;
    return rc ? err_set(g->e, class_err(rc), "%s", call.text) : 0;
}

int engine_write(struct engine *g, struct unit *units, size_t n, int t)
{
    uint32_t most = g->object[t]->object.batch_max ? g->object[t]->object.batch_max : 100;
    struct unit **open = arena_alloc(&g->chunk, (n + 1) * sizeof *open);
    size_t n_open = 0;
    for (size_t i = 0; i < n; i++)
        if (!units[i].done && units[i].write_side == t)
            open[n_open++] = &units[i];
    for (size_t from = 0; from < n_open;) {
        size_t take = n_open - from < most ? n_open - from : most;
        if (send(g, open + from, (uint32_t)take, t))
            return g->e->code;
        from += take;
        if (from < n_open && engine_stopping(g))
            return g->e->code;
    }
    return 0;
}
