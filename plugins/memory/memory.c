/* SPDX-License-Identifier: MIT */
/* memory.c - records in memory as a connector, with a knob for everything that goes wrong in real systems. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPS (SL_CAP_CREATE | SL_CAP_UPDATE | SL_CAP_DELETE | SL_CAP_ARCHIVE | SL_CAP_COMPLETE | SL_CAP_OPEN_SCHEMA)
#define CAPS_KNOBS                                                                                                     \
    (SL_CAP_GET | SL_CAP_DELTA | SL_CAP_DELETE_FEED | SL_CAP_FIND_CORRELATION | SL_CAP_IDEMPOTENT |                    \
     SL_CAP_RESERVED_ID | SL_CAP_CONDITIONAL | SL_CAP_VERSION_ORDER)

struct memory {
    const struct sl_host *host;
    struct memory_world *w;
    bool own;
};

/* --- dying and saying so --- */

/* A step at which the world may change or end. True: it is over. */
static bool step(struct memory_world *w)
{
    w->n_steps++;
    if (w->step)
        w->step(w, w->step_self);
    if (w->die_in && --w->die_in == 0) {
        w->dead = true;
        if (w->off)
            *w->off = true;
    }
    return w->dead;
}

static int fail(struct memory *m, int sl_class, const char *message)
{
    m->host->fail(m->host->ctx, message);
    return sl_class;
}

/* Begins a call; false: the system is dead. */
static bool begin(struct memory *m)
{
    struct memory_world *w = m->w;
    w->n_calls++;
    if (w->off && *w->off) {
        w->n_after_death++;
        w->dead = true;
    }
    if (!w->dead && !step(w))
        return true;
    fail(m, SL_RETRY, "the system in memory is dead, as it was told; start it again");
    return false;
}

static bool strikes(int *countdown)
{
    return *countdown && --*countdown == 0;
}

/* --- values --- */

static bool is_set(const char *text)
{
    return *text == '[' || *text == '{';
}

static struct sl_value value_of(const struct memory_field *f)
{
    struct sl_value v = {.name = f->name, .type = SL_STRING, .text = f->text, .text_size = strlen(f->text)};
    if (strcmp(f->text, "~") == 0)
        v = (struct sl_value){.name = f->name, .type = SL_NULL};
    else if (*f->text == '#')
        v = (struct sl_value){.name = f->name, .type = SL_INT, .number = strtoll(f->text + 1, NULL, 10)};
    else if (is_set(f->text))
        v.type = SL_JSON;
    return v;
}

static void trim(char *text)
{
    size_t n = strlen(text), from = strspn(text, " ");
    while (n > from && text[n - 1] == ' ')
        n--;
    memmove(text, text + from, n - from);
    text[n - from] = '\0';
}

/* The text of a value as this system stores it. */
static void text_of(const struct memory_world *w, const struct sl_value *v, char out[MEMORY_TEXT])
{
    bool text = v->type == SL_STRING || v->type == SL_ENUM || v->type == SL_REF;
    if (v->type == SL_NULL)
        snprintf(out, MEMORY_TEXT, "~");
    else if (v->type == SL_INT || v->type == SL_BOOL)
        snprintf(out, MEMORY_TEXT, "#%lld", (long long)v->number);
    else
        snprintf(out, MEMORY_TEXT, "%s%.*s", v->type == SL_DECIMAL ? "#" : "", (int)v->text_size,
                 v->text ? v->text : "");
    if (!text)
        return;
    if (w->trims)
        trim(out);
    for (char *c = out; w->lowers && *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    if (w->truncates && strlen(out) > (size_t)w->truncates)
        out[w->truncates] = '\0';
}

static void store_fields(const struct memory_world *w, struct memory_content *c, const struct sl_write *write)
{
    char text[MEMORY_TEXT];
    for (uint32_t i = 0; i < write->n_fields; i++) {
        const struct sl_value *v = sl_value_at(write->fields, write->field_size, i);
        if (v->type == SL_ABSENT || strcmp(v->name, w->drops) == 0)
            continue;
        text_of(w, v, text);
        world_set(c, v->name, text);
    }
}

struct shown {
    struct sl_record record;
    struct sl_value fields[MEMORY_FIELDS];
    char version[24];
};

static void version_text(const struct memory_world *w, const struct memory_content *c, char out[24])
{
    out[0] = '\0';
    if (!w->versionless)
        snprintf(out, 24, "%08llu", (unsigned long long)c->version);
}

/* The record as a reader gets it; a stale one shows what was there before. */
static const struct sl_record *show(const struct memory_world *w, const struct memory_record *r, bool stale,
                                    struct shown *s)
{
    const struct memory_content *c = &r->now;
    if (stale && w->stale_ms && r->before.version && w->now_ms < r->now.modified_ms + w->stale_ms)
        c = &r->before;
    version_text(w, c, s->version);
    for (uint32_t i = 0; i < c->n_fields; i++)
        s->fields[i] = value_of(&c->fields[i]);
    s->record = (struct sl_record){.size = sizeof(s->record),
                                   .id = r->id,
                                   .version = *s->version ? s->version : NULL,
                                   .modified_ms = w->timeless ? 0 : c->modified_ms,
                                   .created_ms = r->created_ms,
                                   .correlation = *r->correlation ? r->correlation : NULL,
                                   .fields = s->fields,
                                   .n_fields = c->n_fields,
                                   .field_size = sizeof(*s->fields)};
    return &s->record;
}

/* --- the calls --- */

static int memory_open(const struct sl_host *host, const struct sl_settings *settings, void **session)
{
    struct memory *m = calloc(1, sizeof(*m));
    if (!m)
        abort();
    m->host = host;
    for (uint32_t i = 0; i < settings->n_values; i++) {
        const struct sl_value *v = sl_value_at(settings->values, settings->value_size, i);
        if (strcmp(v->name, "name") == 0 && v->text)
            m->w = world_named(v->text, v->text_size);
    }
    m->own = !m->w;
    if (m->own && !(m->w = calloc(1, sizeof(*m->w))))
        abort();
    *session = m;
    return SL_OK;
}

static void memory_close(void *session)
{
    struct memory *m = session;
    if (m && m->own)
        free(m->w);
    free(m);
}

static int memory_check(void *session)
{
    return begin(session) ? SL_OK : SL_RETRY;
}

static uint64_t caps_of(const struct memory_world *w)
{
    const struct {
        int on;
        uint64_t cap;
    } knobs[] = {{!w->no_get, SL_CAP_GET},
                 {w->delta, SL_CAP_DELTA},
                 {w->delete_feed, SL_CAP_DELETE_FEED},
                 {w->correlates, SL_CAP_FIND_CORRELATION},
                 {w->idempotent, SL_CAP_IDEMPOTENT},
                 {w->reserved_ids, SL_CAP_RESERVED_ID},
                 {w->conditional, SL_CAP_CONDITIONAL},
                 {!w->versionless, SL_CAP_VERSION_ORDER}};
    uint64_t caps = CAPS;
    for (size_t i = 0; i < sizeof(knobs) / sizeof(*knobs); i++)
        caps |= knobs[i].on ? knobs[i].cap : 0;
    return caps;
}

static int memory_describe(void *session, const char *object)
{
    struct memory *m = session;
    const struct memory_world *w = m->w;
    if (!begin(m))
        return SL_RETRY;
    struct sl_object o = {.size = sizeof(o),
                          .id_rule = w->reserved_ids ? SL_ID_TEXT : SL_ID_SERVER,
                          .name = object ? object : "records",
                          .caps = caps_of(w),
                          .field_size = sizeof(struct sl_field),
                          .id_max_bytes = MEMORY_ID - 1,
                          .batch_max = w->batch_max,
                          .late_ms = w->late_ms,
                          .index_lag_ms = w->index_lag_ms,
                          .stale_ms = w->stale_ms,
                          .idempotency_ttl_s = w->idempotent ? 86400 : 0};
    return m->host->object(m->host->ctx, &o) == 0 ? SL_OK : SL_BROKEN;
}

static int emit(struct memory *m, uint32_t kind, const struct memory_record *r)
{
    struct shown s;
    struct sl_item item = {.size = sizeof(item), .kind = kind, .id = r->id};
    if (strcmp(r->id, m->w->unreadable) == 0 && kind != SL_ITEM_TOMBSTONE) {
        item.kind = SL_ITEM_UNREADABLE;
        item.error_class = SL_REJECTED;
        item.message = "cannot be read, as it was told; mend it";
    }
    const struct sl_record *record = show(m->w, r, true, &s);
    item.version = record->version;
    if (item.kind == SL_ITEM_RECORD)
        item.record = record;
    return m->host->emit(m->host->ctx, &item);
}

static uint32_t mix(uint32_t seed, uint32_t n)
{
    uint32_t x = (n + 1) * 2654435761u ^ seed * 40503u;
    return x ^ x >> 15;
}

/* The order in which a listing goes through the records. */
static void order(const struct memory_world *w, uint32_t at[MEMORY_RECORDS])
{
    for (uint32_t i = 0; i < w->n_records; i++) {
        uint32_t to = i;
        for (; w->shuffle && to > 0 && mix(w->shuffle, at[to - 1]) > mix(w->shuffle, i); to--)
            at[to] = at[to - 1];
        at[to] = i;
    }
}

static bool lagging(const struct memory_world *w, const struct memory_record *r)
{
    return w->index_lag_ms && w->now_ms < r->created_ms + w->index_lag_ms;
}

/* Where the next delta begins: before whatever is not to be seen yet. */
static unsigned long long cursor_now(const struct memory_world *w)
{
    unsigned long long at = w->sequence;
    for (uint32_t i = 0; i < w->n_records; i++) {
        const struct memory_record *r = &w->records[i];
        bool hidden = lagging(w, r) || w->now_ms < r->now.modified_ms + w->stale_ms;
        if (hidden && r->sequence <= at)
            at = r->sequence - 1;
    }
    return at;
}

static bool lists(const struct memory_world *w, const struct memory_record *r, uint64_t since, bool delta)
{
    if (lagging(w, r) || w->list_empty || (delta && r->sequence <= since))
        return false;
    return r->gone ? delta && w->delete_feed : true;
}

/* "list FROM SEQUENCE": in the middle of a listing begun at that sequence. "since SEQUENCE": a delta. */
static int memory_pull(void *session, const struct sl_pull *pull)
{
    struct memory *m = session;
    struct memory_world *w = m->w;
    uint32_t at[MEMORY_RECORDS], from = 0, n = 0, i = 0;
    unsigned long long since = 0, first = cursor_now(w);
    if (!begin(m))
        return SL_RETRY;
    bool paging = pull->cursor && sscanf(pull->cursor, "list %u %llu", &from, &first) == 2;
    bool delta = !paging && w->delta && pull->cursor && !(pull->flags & SL_PULL_FULL) &&
                 sscanf(pull->cursor, "since %llu", &since) == 1;
    uint32_t kind = w->stubs && !(pull->flags & SL_PULL_RECORDS) ? SL_ITEM_STUB : SL_ITEM_RECORD;
    uint32_t end = w->list_half ? (w->n_records + 1) / 2 : w->n_records;
    order(w, at);
    for (i = from; i < end && (!w->page_size || delta || n < (uint32_t)w->page_size); i++) {
        const struct memory_record *r = &w->records[at[i]];
        if (!lists(w, r, since, delta))
            continue;
        n++;
        if (emit(m, r->gone ? SL_ITEM_TOMBSTONE : kind, r))
            return SL_BROKEN;
    }
    char cursor[48] = "";
    if (i < end)
        snprintf(cursor, sizeof(cursor), "list %u %llu", i, first);
    else if (w->delta)
        snprintf(cursor, sizeof(cursor), "since %llu", first);
    struct sl_page page = {.size = sizeof(page),
                           .cursor = cursor,
                           .epoch = *w->epoch ? w->epoch : NULL,
                           .kind = i < end ? SL_PAGE_MORE
                                   : delta ? SL_PAGE_DONE
                                           : SL_PAGE_COMPLETE};
    return m->host->page(m->host->ctx, &page) ? SL_BROKEN : SL_OK;
}

static int memory_get(void *session, const struct sl_get *get)
{
    struct memory *m = session;
    if (!begin(m))
        return SL_RETRY;
    for (uint32_t i = 0; i < get->n_ids; i++) {
        struct memory_record *r = memory_find(m->w, get->ids[i]);
        struct sl_item gone = {.size = sizeof(gone), .kind = SL_ITEM_TOMBSTONE, .id = get->ids[i]};
        if (r ? emit(m, SL_ITEM_RECORD, r) : m->host->emit(m->host->ctx, &gone))
            return SL_BROKEN;
    }
    return SL_OK;
}

static int memory_find_call(void *session, const struct sl_find *find)
{
    struct memory *m = session;
    struct memory_world *w = m->w;
    if (!begin(m))
        return SL_RETRY;
    for (uint32_t i = 0, n = 0; find->correlation && i < w->n_records && (!find->max_items || n < find->max_items);
         i++) {
        const struct memory_record *r = &w->records[i];
        if (strcmp(r->correlation, find->correlation) != 0 || !lists(w, r, 0, false))
            continue;
        n++;
        if (emit(m, SL_ITEM_RECORD, r))
            return SL_BROKEN;
    }
    return SL_OK;
}

/* --- writing --- */

/* How one write ends: the class of its refusal, or SL_OK with the record it left (NULL: deleted). */
struct end {
    int refused;
    const struct memory_record *record;
};

static const struct memory_record *by_key(const struct memory_world *w, const char *key)
{
    for (uint32_t i = 0; w->idempotent && key && *key && i < w->n_records; i++)
        if (strcmp(w->records[i].idempotency, key) == 0)
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
    struct memory_record *r = world_add(w, id);
    if (w->correlates && write->correlation)
        snprintf(r->correlation, sizeof(r->correlation), "%s", write->correlation);
    if (w->idempotent && write->idempotency_key)
        snprintf(r->idempotency, sizeof(r->idempotency), "%s", write->idempotency_key);
    store_fields(w, &r->now, write);
    world_touch(w, r);
    w->n_creates++;
    return (struct end){SL_OK, r};
}

static struct end change(struct memory_world *w, const struct sl_write *write)
{
    struct memory_record *r = memory_find(w, write->id);
    char version[24];
    if (!r)
        return (struct end){SL_GONE, NULL};
    version_text(w, &r->now, version);
    if (w->conditional && write->expected_version && strcmp(write->expected_version, version) != 0)
        return (struct end){SL_CONFLICT, NULL};
    if (write->kind != SL_UPDATE) {
        world_remove(w, r);
        return (struct end){SL_OK, NULL};
    }
    r->before = r->now;
    store_fields(w, &r->now, write);
    world_touch(w, r);
    return (struct end){SL_OK, r};
}

static struct end carry_out(struct memory_world *w, const struct sl_write *write)
{
    if (write->id && strcmp(write->id, w->reject) == 0)
        return (struct end){SL_REJECTED, NULL};
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
        snprintf(l->correlation, sizeof(l->correlation), "%s", write->correlation ? write->correlation : "");
        snprintf(l->idempotency, sizeof(l->idempotency), "%s", write->idempotency_key ? write->idempotency_key : "");
        snprintf(l->version, sizeof(l->version), "%s", write->expected_version ? write->expected_version : "");
        store_fields(w, &l->content, write);
        return;
    }
}

static void arrive(struct memory_world *w, const struct memory_late *l)
{
    struct sl_value fields[MEMORY_FIELDS];
    for (uint32_t i = 0; i < l->content.n_fields; i++)
        fields[i] = value_of(&l->content.fields[i]);
    struct sl_write write = {.kind = l->kind,
                             .id = *l->id ? l->id : NULL,
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
    struct sl_outcome o = {.size = sizeof(o), .index = index, .result = SL_APPLIED};
    if (e->record)
        o.record = show(m->w, e->record, false, &s);
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

/* One write of a batch with whatever befalls it. False: the batch ends here. */
static bool write_one(struct memory *m, uint32_t index, const struct sl_write *write)
{
    struct memory_world *w = m->w;
    struct sl_outcome lost = {.size = sizeof(lost), .index = index, .result = SL_UNCERTAIN, .message = "no answer"};
    if (strikes(&w->rate_in)) {
        struct end later = {SL_RATE, NULL};
        return tell(m, index, write, &later);
    }
    bool unsent = strikes(&w->lose_request_in), late = strikes(&w->delay_in);
    if (late)
        delay(w, write);
    if (unsent || late)
        return m->host->outcome(m->host->ctx, &lost) == 0;
    struct end e = carry_out(w, write);
    struct memory_record stored;
    if (e.record) { /* the answer is of this very moment, whatever comes next */
        stored = *e.record;
        e.record = &stored;
    }
    if (step(w))
        return false;
    if (strikes(&w->lose_reply_in))
        return m->host->outcome(m->host->ctx, &lost) == 0;
    return tell(m, index, write, &e);
}

static int memory_write(void *session, const struct sl_batch *batch)
{
    struct memory *m = session;
    if (!begin(m))
        return SL_RETRY;
    bool half = strikes(&m->w->half_in);
    uint32_t n = half ? (batch->n_writes + 1) / 2 : batch->n_writes;
    for (uint32_t i = 0; i < n; i++)
        if (!write_one(m, i, sl_write_at(batch, i)))
            return fail(m, SL_RETRY, "the connection broke; the next run looks what arrived");
    return half ? fail(m, SL_RETRY, "the connection broke in the middle; the next run goes on") : SL_OK;
}

static const struct sl_option options[] = {
    {.name = "name",
     .kind = SL_OPT_STRING,
     .help = "The world to work on, where a test shares one; else an empty one."},
};

SL_EXPORT const struct sl_plugin syncline_plugin = {
    .size = sizeof(syncline_plugin),
    .abi_major = SL_ABI_MAJOR,
    .abi_minor = SL_ABI_MINOR,
    .name = "memory",
    .version = "1.0",
    .summary = "Records in memory, for tests: empty at the start, forgotten at the end.",
    .caps = CAPS | CAPS_KNOBS,
    .options = options,
    .n_options = sizeof(options) / sizeof(*options),
    .option_size = sizeof(*options),
    .open = memory_open,
    .close = memory_close,
    .check = memory_check,
    .describe = memory_describe,
    .pull = memory_pull,
    .get = memory_get,
    .find = memory_find_call,
    .write = memory_write,
};
