/* SPDX-License-Identifier: MIT */
/* rows.c - the binary form of each row of a pair's state: version byte, fields, checksum. */
#include <string.h>

#include "sync/state.h"

enum { ROW_VERSION = 1 };

static size_t row_begin(struct buf *out)
{
    size_t from = out->size;
    put_u8(out, ROW_VERSION);
    return from;
}

/* Opens a row; at the end row_end tells whether everything was there. */
static int row_begin_read(struct slice row, const char *what, struct reader *r, struct err *e)
{
    uint8_t version = 0;
    return row_open(row, ROW_VERSION, r, &version, what, e);
}

static int row_end(const struct reader *r, const char *what, struct err *e)
{
    if (r->bad)
        return err_set(e, ERR_STATE, "state: a row of %s is malformed; restore the pair's folder from a backup", what);
    return 0;
}

void link_encode(struct buf *out, const struct link *l)
{
    size_t from = row_begin(out);
    buf_add(out, l->key.bytes, sizeof l->key.bytes);
    put_u64(out, l->generation);
    put_u8(out, l->origin);
    put_u8(out, l->state);
    put_u64(out, l->marks);
    for (int s = 0; s < 2; s++) {
        put_text(out, l->id[s]);
        put_i64(out, l->created_ms[s]);
    }
    put_u64(out, l->open_op);
    put_i64(out, l->settled_ms);
    row_seal(out, from);
}

int link_decode(struct slice row, uint64_t number, struct arena *a, struct link *out, struct err *e)
{
    struct reader r;
    memset(out, 0, sizeof *out);
    if (row_begin_read(row, "links", &r, e))
        return e->code;
    for (size_t i = 0; i < sizeof out->key.bytes; i++)
        out->key.bytes[i] = get_u8(&r);
    out->number = number;
    out->generation = (uint32_t)get_u64(&r);
    out->origin = get_u8(&r);
    out->state = get_u8(&r);
    out->marks = (uint32_t)get_u64(&r);
    for (int s = 0; s < 2; s++) {
        out->id[s] = get_text(&r, a);
        out->created_ms[s] = get_i64(&r);
    }
    out->open_op = get_u64(&r);
    out->settled_ms = get_i64(&r);
    return row_end(&r, "links", e);
}

void id_encode(struct buf *out, const struct id_row *r)
{
    size_t from = row_begin(out);
    put_u64(out, r->link);
    put_u64(out, r->version);
    put_u64(out, r->content);
    put_u64(out, r->marks);
    row_seal(out, from);
}

int id_decode(struct slice row, struct id_row *out, struct err *e)
{
    struct reader r;
    memset(out, 0, sizeof *out);
    if (row_begin_read(row, "ids", &r, e))
        return e->code;
    out->link = get_u64(&r);
    out->version = get_u64(&r);
    out->content = get_u64(&r);
    out->marks = (uint32_t)get_u64(&r);
    return row_end(&r, "ids", e);
}

void inbox_encode(struct buf *out, const char *id, const struct inbox_row *r)
{
    size_t from = row_begin(out);
    put_text(out, id);
    put_u8(out, r->kind);
    put_u8(out, r->error_class);
    put_text(out, r->version);
    put_text(out, r->message);
    put_text(out, r->successor);
    put_record(out, r->record);
    row_seal(out, from);
}

int inbox_decode(struct slice row, struct arena *a, struct inbox_row *out, const char **id, struct err *e)
{
    struct reader r;
    memset(out, 0, sizeof *out);
    if (row_begin_read(row, "the inbox", &r, e))
        return e->code;
    const char *own_id = get_text(&r, a);
    if (id)
        *id = own_id;
    out->kind = get_u8(&r);
    out->error_class = get_u8(&r);
    out->version = get_text(&r, a);
    out->message = get_text(&r, a);
    out->successor = get_text(&r, a);
    out->record = get_record(&r, a);
    return row_end(&r, "the inbox", e);
}

int inbox_decode_id(struct slice row, struct arena *a, const char **id, struct err *e)
{
    struct reader r;
    if (row_begin_read(row, "the inbox", &r, e))
        return e->code;
    *id = get_text(&r, a);
    return row_end(&r, "the inbox", e);
}

/* What most changes need not spell out: one field's name and value on both sides, and nothing before them. */
enum change_form {
    FORM_ONE_NAME = 1 << 0, /* source is name */
    FORM_ONE_VALUE = 1 << 1, /* origin is after */
    FORM_NEW = 1 << 2, /* before is absent */
    FORM_LOST_NONE = 1 << 3, /* lost is absent */
    FORM_LOST_BEFORE = 1 << 4, /* lost is before */
    FORM_KEEPS_BASES = 1 << 5
};

/* One value in two places, that is with the same memory: what is merely equal is written twice. */
static bool one_value(const struct sl_value *x, const struct sl_value *y)
{
    return x->type == y->type && x->number == y->number && x->grain_ms == y->grain_ms && x->text == y->text &&
           x->text_size == y->text_size && x->object == y->object && x->items == y->items && x->n_items == y->n_items;
}

static int form_of(const struct field_change *c)
{
    int lost = c->lost.type == SL_ABSENT ? FORM_LOST_NONE : one_value(&c->lost, &c->before) ? FORM_LOST_BEFORE : 0;
    return lost | (text_equal(c->source, c->name) ? FORM_ONE_NAME : 0) |
           (one_value(&c->origin, &c->after) ? FORM_ONE_VALUE : 0) | (c->before.type == SL_ABSENT ? FORM_NEW : 0) |
           (c->keeps_bases ? FORM_KEEPS_BASES : 0);
}

static void put_change(struct buf *out, const struct field_change *c)
{
    int form = form_of(c);
    put_u8(out, (uint8_t)form);
    put_u8(out, c->reason);
    put_text(out, c->name);
    if (!(form & FORM_ONE_NAME))
        put_text(out, c->source);
    put_unnamed(out, &c->after);
    if (!(form & FORM_ONE_VALUE))
        put_unnamed(out, &c->origin);
    if (!(form & FORM_NEW))
        put_unnamed(out, &c->before);
    if (!(form & (FORM_LOST_NONE | FORM_LOST_BEFORE)))
        put_unnamed(out, &c->lost);
}

static struct sl_value named(struct sl_value v, const char *name)
{
    v.name = name;
    return v;
}

static void get_change(struct reader *r, struct arena *a, struct field_change *c)
{
    int form = get_u8(r);
    c->reason = get_u8(r);
    c->keeps_bases = (form & FORM_KEEPS_BASES) != 0;
    c->name = get_text(r, a);
    const struct sl_value none = {.name = c->name};
    c->source = form & FORM_ONE_NAME ? c->name : get_text(r, a);
    c->after = get_unnamed(r, a, c->name);
    c->origin = form & FORM_ONE_VALUE ? named(c->after, c->source) : get_unnamed(r, a, c->source);
    c->before = form & FORM_NEW ? none : get_unnamed(r, a, c->name);
    if (form & FORM_LOST_BEFORE)
        c->lost = c->before;
    else
        c->lost = form & FORM_LOST_NONE ? none : get_unnamed(r, a, c->name);
}

static void put_changes(struct buf *out, const struct field_change *changes, size_t n)
{
    put_u64(out, n);
    for (size_t i = 0; i < n; i++)
        put_change(out, &changes[i]);
}

static struct field_change *get_changes(struct reader *r, struct arena *a, size_t *n)
{
    uint64_t count = get_u64(r);
    if (r->bad || count > (uint64_t)(r->end - r->at)) {
        r->bad = true;
        *n = 0;
        return NULL;
    }
    *n = (size_t)count;
    struct field_change *changes = arena_alloc(a, (*n + 1) * sizeof *changes);
    for (size_t i = 0; i < *n; i++)
        get_change(r, a, &changes[i]);
    return changes;
}

void intent_encode(struct buf *out, const struct intent *i)
{
    size_t from = row_begin(out);
    put_text(out, i->ulid);
    put_u64(out, i->link);
    put_u8(out, i->side);
    put_u8(out, i->kind);
    put_u8(out, i->state);
    put_u8(out, i->reason);
    put_u64(out, i->attempts);
    put_text(out, i->id);
    put_text(out, i->expected_version);
    put_text(out, i->run);
    put_i64(out, i->settle_until_ms);
    put_record(out, i->before);
    put_record(out, i->source);
    put_changes(out, i->changes, i->n_changes);
    row_seal(out, from);
}

int intent_decode(struct slice row, uint64_t number, struct arena *a, struct intent *out, struct err *e)
{
    struct reader r;
    memset(out, 0, sizeof *out);
    if (row_begin_read(row, "intents", &r, e))
        return e->code;
    out->number = number;
    const char *ulid = get_text(&r, a);
    if (ulid && strlen(ulid) < sizeof out->ulid)
        memcpy(out->ulid, ulid, strlen(ulid) + 1);
    out->link = get_u64(&r);
    out->side = get_u8(&r);
    out->kind = get_u8(&r);
    out->state = get_u8(&r);
    out->reason = get_u8(&r);
    out->attempts = (uint32_t)get_u64(&r);
    out->id = get_text(&r, a);
    out->expected_version = get_text(&r, a);
    out->run = get_text(&r, a);
    out->settle_until_ms = get_i64(&r);
    out->before = get_record(&r, a);
    out->source = get_record(&r, a);
    out->changes = get_changes(&r, a, &out->n_changes);
    return row_end(&r, "intents", e);
}

void wait_encode(struct buf *out, const struct wait_row *w)
{
    size_t from = row_begin(out);
    put_u8(out, w->kind);
    put_u64(out, w->link);
    put_u8(out, w->side);
    for (int s = 0; s < 2; s++) {
        put_text(out, w->id[s]);
        put_text(out, w->field[s]);
        put_value(out, &w->base[s]);
        put_value(out, &w->value[s]);
    }
    put_text(out, w->label);
    put_text(out, w->reason);
    put_i64(out, w->since_ms);
    put_u64(out, w->attempts);
    put_text(out, w->run);
    put_text(out, w->version);
    row_seal(out, from);
}

int wait_decode(struct slice row, uint64_t number, struct arena *a, struct wait_row *out, struct err *e)
{
    struct reader r;
    memset(out, 0, sizeof *out);
    if (row_begin_read(row, "what waits", &r, e))
        return e->code;
    out->number = number;
    out->kind = get_u8(&r);
    out->link = get_u64(&r);
    out->side = get_u8(&r);
    for (int s = 0; s < 2; s++) {
        out->id[s] = get_text(&r, a);
        out->field[s] = get_text(&r, a);
        out->base[s] = get_value(&r, a);
        out->value[s] = get_value(&r, a);
    }
    out->label = get_text(&r, a);
    out->reason = get_text(&r, a);
    out->since_ms = get_i64(&r);
    out->attempts = (uint32_t)get_u64(&r);
    out->run = get_text(&r, a);
    out->version = get_text(&r, a);
    return row_end(&r, "what waits", e);
}

void history_encode(struct buf *out, const struct history_row *h)
{
    size_t from = row_begin(out);
    put_text(out, h->run);
    put_i64(out, h->at_ms);
    put_u64(out, h->link);
    put_u8(out, h->side);
    put_u8(out, h->kind);
    put_u8(out, h->reason);
    for (int s = 0; s < 2; s++)
        put_text(out, h->id[s]);
    put_text(out, h->label);
    put_text(out, h->op);
    put_changes(out, h->changes, h->n_changes);
    put_u8(out, h->bases != NULL);
    for (size_t i = 0; h->bases && i < 2 * h->n_changes; i++)
        put_unnamed(out, &h->bases[i]);
    put_record(out, h->kept);
    row_seal(out, from);
}

int history_decode(struct slice row, uint64_t number, struct arena *a, struct history_row *out, struct err *e)
{
    struct reader r;
    memset(out, 0, sizeof *out);
    if (row_begin_read(row, "the history", &r, e))
        return e->code;
    out->number = number;
    out->run = get_text(&r, a);
    out->at_ms = get_i64(&r);
    out->link = get_u64(&r);
    out->side = get_u8(&r);
    out->kind = get_u8(&r);
    out->reason = get_u8(&r);
    for (int s = 0; s < 2; s++)
        out->id[s] = get_text(&r, a);
    out->label = get_text(&r, a);
    out->op = get_text(&r, a);
    out->changes = get_changes(&r, a, &out->n_changes);
    if (get_u8(&r) && !r.bad) {
        out->bases = arena_alloc(a, (2 * out->n_changes + 1) * sizeof *out->bases);
        for (size_t i = 0; i < 2 * out->n_changes; i++)
            out->bases[i] = get_unnamed(&r, a, NULL);
    }
    out->kept = get_record(&r, a);
    return row_end(&r, "the history", e);
}

void notes_encode(struct buf *out, const struct notes *n)
{
    size_t from = row_begin(out);
    put_u64(out, n->config);
    put_u64(out, n->n);
    for (size_t i = 0; i < n->n; i++) {
        const struct note *note = &n->list[i];
        put_u64(out, note->field);
        put_u8(out, note->returns);
        for (int s = 0; s < 2; s++)
            put_u8(out, note->ignored[s]);
        put_i64(out, note->since_ms);
        for (size_t v = 0; v < NOTE_VALUES; v++)
            put_u64(out, note->values[v]);
    }
    row_seal(out, from);
}

int notes_decode(struct slice row, struct arena *a, struct notes *out, struct err *e)
{
    struct reader r;
    memset(out, 0, sizeof *out);
    if (row_begin_read(row, "the notes on links", &r, e))
        return e->code;
    out->config = get_u64(&r);
    uint64_t count = get_u64(&r);
    r.bad |= count > (uint64_t)(r.end - r.at);
    out->n = r.bad ? 0 : (size_t)count;
    out->list = arena_alloc(a, (out->n + 1) * sizeof *out->list);
    for (size_t i = 0; i < out->n; i++) {
        struct note *note = &out->list[i];
        note->field = (uint32_t)get_u64(&r);
        note->returns = get_u8(&r);
        for (int s = 0; s < 2; s++)
            note->ignored[s] = get_u8(&r);
        note->since_ms = get_i64(&r);
        for (size_t v = 0; v < NOTE_VALUES; v++)
            note->values[v] = get_u64(&r);
    }
    return row_end(&r, "the notes on links", e);
}
