/* SPDX-License-Identifier: MIT */
/* write.c - carries out batches, and lets happen to each write what it was told. */
#include "world.h"

#include <stdio.h>
#include <string.h>

/* How one write ends: the class of its refusal, or SL_OK with the record it left (NULL: deleted). */
struct end {
    int refused;
    const struct memory_record *record;
};

static const struct memory_record *by_key(const struct memory_world *w, const char *key)
{
    for (uint32_t i = 0; w->idempotent && key && *key && i < w->n_records; i++)
        if (strcmp(w->records[i].idempotency, key) == 0 &&
            w->records[i].created_ms + INT64_C(1000) * memory_key_life_s(w) > w->now_ms)
            return &w->records[i];
    return NULL;
}

static struct end create(struct memory_world *w, const struct sl_write *write)
{
    char id[MEMORY_ID];
    const struct memory_record *again = by_key(w, write->idempotency_key);
    if (again)
        return (struct end){SL_OK, again};
    if (write->id)
        snprintf(id, sizeof(id), "%s", write->id);
    else
        snprintf(id, sizeof(id), "new-%llu", (unsigned long long)++w->n_created);
    if (memory_find(w, id))
        return (struct end){SL_EXISTS, memory_find(w, id)};
    struct memory_record *parent =
        w->parents ? memory_find(w->parents, write->parent_id ? write->parent_id : "") : NULL;
    if (w->parents && !parent)
        return (struct end){SL_REJECTED, NULL};
    struct memory_record *r = world_add(w, id);
    if (parent)
        snprintf(r->parent, sizeof(r->parent), "%s", parent->id);
    if (w->correlates && write->correlation)
        snprintf(r->correlation, sizeof(r->correlation), "%s", write->correlation);
    if (w->idempotent && write->idempotency_key)
        snprintf(r->idempotency, sizeof(r->idempotency), "%s", write->idempotency_key);
    stored_fields(w, &r->now, write);
    world_touch(w, r);
    if (parent) /* a comment is news of what it is on */
        world_touch(w->parents, parent);
    w->n_creates++;
    return (struct end){SL_OK, r};
}

static struct end change(struct memory_world *w, const struct sl_write *write)
{
    struct memory_record *r = memory_find(w, write->id);
    char version[24];
    if (!r || world_hidden(w, r))
        return (struct end){SL_GONE, NULL};
    stored_version(w, &r->now, version);
    if (w->conditional && write->expected_version && strcmp(write->expected_version, version) != 0)
        return (struct end){SL_CONFLICT, NULL};
    if (write->kind != SL_UPDATE) {
        world_remove(w, r);
        w->n_deletes++;
        return (struct end){SL_OK, NULL};
    }
    r->before = r->now;
    stored_fields(w, &r->now, write);
    world_touch(w, r);
    return (struct end){SL_OK, r};
}

static struct end carry_out(struct memory_world *w, const struct sl_write *write)
{
    if (write->id && strcmp(write->id, w->reject) == 0)
        return (struct end){SL_REJECTED, NULL};
    if (write->kind < SL_CREATE || write->kind > SL_ARCHIVE)
        return (struct end){SL_UNSUPPORTED, NULL};
    w->n_writes++;
    return write->kind == SL_CREATE ? create(w, write) : change(w, write);
}

/* Keeps the request until its time. */
static void delay(struct memory_world *w, const struct sl_write *write)
{
    for (size_t i = 0; i < MEMORY_LATE; i++) {
        struct memory_late *l = &w->late[i];
        if (l->used)
            continue;
        *l = (struct memory_late){.used = true, .at_ms = w->now_ms + w->late_ms, .kind = write->kind};
        snprintf(l->id, sizeof(l->id), "%s", write->id ? write->id : "");
        snprintf(l->parent, sizeof(l->parent), "%s", write->parent_id ? write->parent_id : "");
        snprintf(l->correlation, sizeof(l->correlation), "%s", write->correlation ? write->correlation : "");
        snprintf(l->idempotency, sizeof(l->idempotency), "%s", write->idempotency_key ? write->idempotency_key : "");
        snprintf(l->version, sizeof(l->version), "%s", write->expected_version ? write->expected_version : "");
        stored_fields(w, &l->content, write);
        return;
    }
}

static void arrive(struct memory_world *w, const struct memory_late *l)
{
    struct sl_value fields[MEMORY_FIELDS];
    for (uint32_t i = 0; i < l->content.n_fields; i++)
        fields[i] = stored_value(&l->content.fields[i]);
    struct sl_write write = {.kind = l->kind,
                             .id = *l->id ? l->id : NULL,
                             .parent_id = *l->parent ? l->parent : NULL,
                             .correlation = l->correlation,
                             .idempotency_key = l->idempotency,
                             .expected_version = *l->version ? l->version : NULL,
                             .fields = fields,
                             .n_fields = l->content.n_fields,
                             .field_size = sizeof(*fields)};
    carry_out(w, &write);
}

void memory_clock(struct memory_world *w, int64_t now_ms)
{
    for (size_t i = 0; i < MEMORY_LATE; i++)
        if (w->late[i].used && w->late[i].at_ms <= now_ms) {
            struct memory_late l = w->late[i];
            w->late[i].used = false;
            w->now_ms = l.at_ms;
            arrive(w, &l);
        }
    w->now_ms = now_ms;
}

/* Tells the outcome. Returns false when no more is to be done. */
static bool tell(struct memory *m, uint32_t index, const struct sl_write *write, const struct end *e)
{
    struct shown s;
    struct sl_outcome o = {
        .size = sizeof(o), .index = index, .result = SL_APPLIED, .read_back = (uint32_t)m->w->reads_back};
    if (e->record)
        o.record = stored_show(m->w, e->record, false, &s);
    if (e->refused) {
        o.result = SL_NOT_APPLIED;
        o.error_class = (uint32_t)e->refused;
        o.message = e->refused == SL_REJECTED ? "refused, as it was told; correct the record" : NULL;
        if (!(write->flags & SL_WRITE_REPEAT))
            o.record = NULL;
    } else if (m->w->answers_nothing && write->id) {
        o.record = NULL;
    }
    return m->host->outcome(m->host->ctx, &o) == 0;
}

/* Behind a comment that may not be there the later ones on the same record are not begun. */
struct line {
    const char *stopped[MEMORY_LATE];
    size_t n;
};

static bool stopped(const struct line *line, const struct sl_write *write)
{
    for (size_t i = 0; write->parent_id && i < line->n; i++)
        if (strcmp(line->stopped[i], write->parent_id) == 0)
            return true;
    return false;
}

static void stop_line(struct line *line, const struct sl_write *write)
{
    if (write->parent_id && line->n < MEMORY_LATE)
        line->stopped[line->n++] = write->parent_id;
}

/* One write of a batch with whatever befalls it. False: the batch ends here. */
static bool write_one(struct memory *m, uint32_t index, const struct sl_write *write, bool untold, struct line *line)
{
    struct memory_world *w = m->w;
    struct sl_outcome lost = {.size = sizeof(lost), .index = index, .result = SL_UNCERTAIN, .message = "no answer"};
    if (stopped(line, write)) {
        struct end later = {SL_RETRY, NULL};
        return tell(m, index, write, &later);
    }
    if (w->kills_late && *w->kills && write->id && strcmp(write->id, w->kills) == 0)
        carry_out(w, write);
    if (memory_killed(m, w->kills, write->id))
        return false;
    bool rated = memory_strikes(&w->rate_in), refused = memory_strikes(&w->reject_in);
    if (refused && write->kind == SL_CREATE && by_key(w, write->idempotency_key))
        refused = false; /* known by its key, it has the answer it had */
    if (rated)
        stop_line(line, write);
    if (rated || refused) {
        struct end not_now = {rated ? SL_RATE : SL_REJECTED, NULL};
        return tell(m, index, write, &not_now);
    }
    bool unsent = memory_strikes(&w->lose_request_in), late = memory_strikes(&w->delay_in);
    if (late)
        delay(w, write);
    if (unsent || late || w->lose_reply_in == 1)
        stop_line(line, write);
    if (unsent || late)
        return m->host->outcome(m->host->ctx, &lost) == 0;
    struct end e = carry_out(w, write);
    struct memory_record stored;
    if (e.record) { /* the answer is of this very moment, whatever comes next */
        stored = *e.record;
        e.record = &stored;
    }
    if (memory_step(w))
        return false;
    if (memory_strikes(&w->omit_in) || untold)
        return true;
    if (memory_strikes(&w->lose_reply_in))
        return m->host->outcome(m->host->ctx, &lost) == 0;
    return tell(m, index, write, &e);
}

int memory_write(void *session, const struct sl_batch *batch)
{
    struct memory *m = session;
    struct memory_world *w = m->w;
    int begun = memory_begin(m);
    if (begun || memory_garbled(m))
        return begun;
    bool half = memory_strikes(&w->half_in);
    bool untold = memory_strikes(&w->break_in);
    struct line line = {.n = 0};
    uint32_t n = half ? (batch->n_writes + 1) / 2 : batch->n_writes;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = w->reorders ? n - 1 - i : i;
        if (!write_one(m, at, sl_write_at(batch, at), untold, &line))
            return memory_fail(m, SL_RETRY, "the connection broke; the next run looks what arrived");
    }
    bool broken = half || untold;
    return broken ? memory_fail(m, SL_RETRY, "the connection broke in the middle; the next run goes on") : SL_OK;
}
