/* SPDX-License-Identifier: MIT */
/* memory.c - records in memory as a connector, with a knob for everything that goes wrong in real systems. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPS (SL_CAP_CREATE | SL_CAP_UPDATE | SL_CAP_DELETE | SL_CAP_ARCHIVE | SL_CAP_COMPLETE)
#define CAPS_KNOBS                                                                                                     \
    (SL_CAP_GET | SL_CAP_DELTA | SL_CAP_DELETE_FEED | SL_CAP_FIND_CORRELATION | SL_CAP_IDEMPOTENT |                    \
     SL_CAP_RESERVED_ID | SL_CAP_CONDITIONAL | SL_CAP_VERSION_ORDER | SL_CAP_OPEN_SCHEMA)

/* --- dying and saying so --- */

bool memory_step(struct memory_world *w)
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

int memory_fail(struct memory *m, int sl_class, const char *message)
{
    m->host->fail(m->host->ctx, message);
    return sl_class;
}

bool memory_strikes(int *countdown)
{
    return *countdown && --*countdown == 0;
}

bool memory_killed(struct memory *m, const char *deadly, const char *id)
{
    if (!*deadly || !id || strcmp(deadly, id) != 0)
        return false;
    m->w->killed(m->host->ctx);
    return true;
}

int memory_begin(struct memory *m)
{
    struct memory_world *w = m->w;
    w->n_calls++;
    if (w->off && *w->off) {
        w->n_after_death++;
        w->dead = true;
    }
    if (w->dead || memory_step(w))
        return memory_fail(m, SL_RETRY, "the system in memory is dead, as it was told; start it again");
    if (memory_strikes(&w->fail_in))
        return memory_fail(m, w->fail_class, "refused, as it was told; try again");
    return SL_OK;
}

bool memory_garbled(struct memory *m)
{
    return memory_strikes(&m->w->garble_in);
}

/* --- the calls --- */

static int no_memory(const struct sl_host *host)
{
    host->fail(host->ctx, "no memory; run it again");
    return SL_RETRY;
}

static int memory_open(const struct sl_host *host, const struct sl_settings *settings, void **session)
{
    struct memory *m = calloc(1, sizeof(*m));
    if (!m)
        return no_memory(host);
    m->host = host;
    for (uint32_t i = 0; i < settings->n_values; i++) {
        const struct sl_value *v = sl_value_at(settings->values, settings->value_size, i);
        if (strcmp(v->name, "name") == 0 && v->text)
            m->w = world_named(v->text, v->text_size);
    }
    m->own = !m->w;
    if (m->own && !(m->w = calloc(1, sizeof(*m->w)))) {
        free(m);
        return no_memory(host);
    }
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
    return memory_begin(session);
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
                 {!w->versionless, SL_CAP_VERSION_ORDER},
                 {!*w->schema, SL_CAP_OPEN_SCHEMA}};
    uint64_t caps = w->fixed ? CAPS & ~SL_CAP_UPDATE : CAPS;
    for (size_t i = 0; i < sizeof(knobs) / sizeof(*knobs); i++)
        caps |= knobs[i].on ? knobs[i].cap : 0;
    return caps;
}

static int64_t free_id(const struct memory_world *w)
{
    int64_t highest = 0;
    for (uint32_t i = 0; i < w->n_records; i++)
        if (atoll(w->records[i].id) > highest)
            highest = atoll(w->records[i].id);
    return highest + 1;
}

/* The schema's fields; names live in the text, which is cut for it. */
static uint32_t fields_of(char *schema, struct sl_field fields[MEMORY_FIELDS])
{
    char *rest = NULL;
    uint32_t n = 0;
    for (char *name = strtok_r(schema, ",", &rest); name && n < MEMORY_FIELDS; name = strtok_r(NULL, ",", &rest)) {
        char *fixed = strchr(name, '!');
        if (fixed)
            *fixed = '\0';
        fields[n++] = (struct sl_field){.name = name, .flags = fixed ? 0 : SL_FIELD_WRITABLE};
    }
    return n;
}

static const struct sl_field comment_fields[] = {
    {.name = "author", .type = SL_REF, .flags = SL_FIELD_WRITABLE | SL_FIELD_EMAIL, .ref_object = "users"},
    {.name = "body", .type = SL_STRING, .flags = SL_FIELD_WRITABLE},
    {.name = "author_name", .type = SL_STRING},
    {.name = "author",
     .type = SL_REF,
     .ref_object = "users"}, /* where it cannot be set: the table from its second row */
};

static void describe_comments(const struct memory_world *w, struct sl_object *o)
{
    o->model = "comment";
    o->parent_object = "records";
    o->caps &= ~SL_CAP_OPEN_SCHEMA;
    o->fields = w->no_author ? comment_fields + 1 : comment_fields;
    o->n_fields = 3;
}

static int memory_describe(void *session, const char *object)
{
    struct memory *m = session;
    const struct memory_world *w = m->w;
    int begun = memory_begin(m);
    if (begun || memory_garbled(m))
        return begun;
    struct sl_field fields[MEMORY_FIELDS];
    char schema[sizeof(w->schema)];
    memcpy(schema, w->schema, sizeof(schema));
    struct sl_object o = {.size = sizeof(o),
                          .id_rule = !w->reserved_ids ? SL_ID_SERVER
                                     : w->integer_ids ? SL_ID_INTEGER
                                                      : SL_ID_TEXT,
                          .fields = fields,
                          .n_fields = fields_of(schema, fields),
                          .next_id = free_id(w),
                          .name = object ? object : "records",
                          .caps = caps_of(w),
                          .field_size = sizeof(struct sl_field),
                          .id_max_bytes = MEMORY_ID - 1,
                          .batch_max = w->batch_max,
                          .late_ms = w->late_ms,
                          .index_lag_ms = w->index_lag_ms,
                          .stale_ms = w->stale_ms,
                          .idempotency_ttl_s = w->idempotent ? (uint32_t)memory_key_life_s(w) : 0};
    if (w->parents)
        describe_comments(w, &o);
    return m->host->object(m->host->ctx, &o) == 0 ? SL_OK : SL_BROKEN;
}

int memory_emit(struct memory *m, uint32_t kind, const struct memory_record *r)
{
    struct shown s;
    struct sl_item item = {.size = sizeof(item), .kind = kind, .id = r->id};
    if (strcmp(r->id, m->w->unreadable) == 0 && kind != SL_ITEM_TOMBSTONE) {
        item.kind = SL_ITEM_UNREADABLE;
        item.error_class = SL_REJECTED;
        item.message = "cannot be read, as it was told; mend it";
    }
    const struct sl_record *record = stored_show(m->w, r, true, &s);
    item.version = record->version;
    item.successor_id = kind == SL_ITEM_TOMBSTONE && *r->successor ? r->successor : NULL;
    if (item.kind == SL_ITEM_RECORD)
        item.record = record;
    return m->host->emit(m->host->ctx, &item);
}

static int memory_get(void *session, const struct sl_get *get)
{
    struct memory *m = session;
    int begun = memory_begin(m);
    if (begun || memory_garbled(m))
        return begun;
    for (uint32_t i = 0; i < get->n_ids; i++) {
        if (memory_killed(m, m->w->kills_reader, get->ids[i]))
            return memory_fail(m, SL_RETRY, "the connection broke; the next run looks what arrived");
        struct memory_record *r = memory_find(m->w, get->ids[i]);
        if (r && world_hidden(m->w, r))
            r = NULL;
        struct sl_item gone = {.size = sizeof(gone), .kind = SL_ITEM_TOMBSTONE, .id = get->ids[i]};
        if (r ? memory_emit(m, SL_ITEM_RECORD, r) : m->host->emit(m->host->ctx, &gone))
            return SL_BROKEN;
    }
    return SL_OK;
}

static int memory_find_call(void *session, const struct sl_find *find)
{
    struct memory *m = session;
    struct memory_world *w = m->w;
    int begun = memory_begin(m);
    if (begun)
        return begun;
    for (uint32_t i = 0, n = 0; find->correlation && i < w->n_records && (!find->max_items || n < find->max_items);
         i++) {
        const struct memory_record *r = &w->records[i];
        if (strcmp(r->correlation, find->correlation) != 0 || !listing_finds(w, r) ||
            (find->parent_id && strcmp(r->parent, find->parent_id) != 0))
            continue;
        n++;
        if (memory_emit(m, SL_ITEM_RECORD, r))
            return SL_BROKEN;
    }
    return SL_OK;
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
