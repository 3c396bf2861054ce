/* SPDX-License-Identifier: MIT */
/* services.c - the table of services a connector is given, each checked against the call it belongs to. */
#include <string.h>

#include "base/log.h"
#include "plugin/inside.h"
#include "record/record.h"

enum { CURSOR_MAX = 65536, EPOCH_MAX = 1024 };

#define BIT(n) (1u << (n))

/* What each call may emit. */
static const unsigned emits[] = {
    [CALL_PULL] =
        BIT(SL_ITEM_RECORD) | BIT(SL_ITEM_STUB) | BIT(SL_ITEM_TOMBSTONE) | BIT(SL_ITEM_HINT) | BIT(SL_ITEM_UNREADABLE),
    [CALL_GET] = BIT(SL_ITEM_RECORD) | BIT(SL_ITEM_TOMBSTONE) | BIT(SL_ITEM_UNREADABLE),
    [CALL_FIND] = BIT(SL_ITEM_RECORD),
    [CALL_WRITE] = 0,
    [CALL_WEBHOOK] = BIT(SL_ITEM_HINT),
};

/* Each id asked for is answered once, by nothing else; connectors mostly answer in the order they were asked. */
static bool answers(struct session *s, const char *id)
{
    for (uint32_t i = 0; i < s->get->n_ids; i++) {
        uint32_t at = (s->next + i) % s->get->n_ids;
        if (strcmp(s->get->ids[at], id) != 0 || s->told[at])
            continue;
        s->told[at] = 1;
        s->n_told++;
        s->next = at + 1;
        return true;
    }
    session_break(s, "id '%.*s' was not asked for, or is answered twice", clean_cut(id, 80), id);
    return false;
}

static bool fits_call(struct session *s, const struct sl_item *item)
{
    if (!(emits[s->call] & BIT(item->kind)))
        session_break(s, "this call emits no items of kind %u", item->kind);
    else if (s->call == CALL_PULL && s->page->kind)
        session_break(s, "an item came after the page had ended");
    else
        return s->call != CALL_GET || answers(s, item->id);
    return false;
}

static int emit(void *ctx, const struct sl_item *theirs)
{
    struct session *s = ctx;
    struct sl_item room;
    if (s->fault.code)
        return SL_BROKEN;
    if (s->call < CALL_PULL || s->call == CALL_WRITE)
        return session_break(s, "emit is for pull, get, find and webhook");
    if (s->scratch.used_bytes)
        arena_reset(&s->scratch);
    s->n_items++;
    s->at_item = true;
    const struct sl_item *item = items_item(s, theirs, &room);
    if (item && fits_call(s, item) && s->sink.take(s->sink.self, item) != 0)
        session_end(s, "the host could take no more");
    s->at_item = false;
    s->item_id = NULL;
    return s->fault.code ? SL_BROKEN : 0;
}

static bool page_valid(struct session *s, const struct sl_page *page)
{
    bool cursor = page->cursor && *page->cursor;
    if (s->page->kind)
        session_break(s, "the page was ended twice");
    else if (page->kind < SL_PAGE_MORE || page->kind > SL_PAGE_COMPLETE)
        session_break(s, "the page's kind is %u, which this host does not know", page->kind);
    else if (page->kind == SL_PAGE_MORE && !cursor)
        session_break(s, "the page says there is more, but gives no cursor");
    else if (page->kind == SL_PAGE_MORE && s->pull->cursor && strcmp(page->cursor, s->pull->cursor) == 0)
        session_break(s, "the page says there is more, but gives back the cursor it was given: that would never end");
    else
        return items_text(s, "the page's cursor", page->cursor, CURSOR_MAX) &&
               items_text(s, "the page's epoch", page->epoch, EPOCH_MAX);
    return false;
}

static int end_page(void *ctx, const struct sl_page *theirs)
{
    struct session *s = ctx;
    struct sl_page page;
    if (s->fault.code)
        return SL_BROKEN;
    if (s->call != CALL_PULL)
        return session_break(s, "page is for pull");
    if (!items_take(s, "a page", theirs, theirs->size, SIZE_1_0(struct sl_page, epoch), &page, sizeof(page)) ||
        !page_valid(s, &page))
        return SL_BROKEN;
    s->page->kind = (int)page.kind;
    s->page->cursor = arena_text(s->out, page.cursor);
    s->page->epoch = arena_text(s->out, page.epoch);
    return 0;
}

/* The record in an answer is the one that was written. */
static bool same_record(struct session *s, const struct sl_write *w, const struct sl_outcome *o)
{
    if (w->kind == SL_DELETE && o->result == SL_APPLIED)
        session_break(s, "write %u is a delete, and its outcome has a record", o->index);
    else if (w->id && strcmp(w->id, o->record->id) != 0)
        session_break(s, "write %u was for id '%.*s', its outcome is about '%.*s'", o->index, clean_cut(w->id, 80),
                      w->id, clean_cut(o->record->id, 80), o->record->id);
    else
        return true;
    return false;
}

static bool outcome_valid(struct session *s, struct sl_outcome *o)
{
    if (o->index >= s->batch->n_writes)
        session_break(s, "an outcome is of write %u, the batch has %u", o->index, s->batch->n_writes);
    else if (s->told[o->index])
        session_break(s, "write %u was told two outcomes", o->index);
    else if (o->result < SL_APPLIED || o->result > SL_UNCERTAIN)
        session_break(s, "write %u has the result %u, which this host does not know", o->index, o->result);
    else if (o->result == SL_NOT_APPLIED && o->error_class == SL_OK)
        session_break(s, "write %u was not applied, but has no error class", o->index);
    else if (!o->record)
        return true;
    else
        return (o->record = items_record(s, o->record)) && same_record(s, sl_write_at(s->batch, o->index), o);
    return false;
}

/* A class newer than this host is one it may try again. */
static int outcome_class(const struct sl_outcome *o)
{
    if (o->result != SL_NOT_APPLIED)
        return SL_OK;
    return o->error_class <= SL_BROKEN ? (int)o->error_class : SL_RETRY;
}

static int outcome(void *ctx, const struct sl_outcome *theirs)
{
    struct session *s = ctx;
    struct sl_outcome o;
    char message[MESSAGE_MAX + 1];
    if (s->fault.code)
        return SL_BROKEN;
    if (s->call != CALL_WRITE)
        return session_break(s, "outcome is for write");
    if (s->scratch.used_bytes)
        arena_reset(&s->scratch);
    size_t size_1_0 = SIZE_1_0(struct sl_outcome, retry_after_ms);
    if (!items_take(s, "an outcome", theirs, theirs->size, size_1_0, &o, sizeof(o)) || !outcome_valid(s, &o))
        return SL_BROKEN;
    clean_message(o.message, message);
    s->outcomes[o.index] = (struct write_outcome){
        .result = (int)o.result,
        .error_class = outcome_class(&o),
        .read_back = o.read_back != 0,
        .record = o.record ? record_copy(s->out, o.record) : NULL,
        .message = *message ? arena_text(s->out, message) : NULL,
        .retry_after_ms = o.retry_after_ms > 0 ? o.retry_after_ms : 0,
    };
    s->told[o.index] = 1;
    s->n_told++;
    o.message = s->outcomes[o.index].message;
    if (s->world->parent)
        s->world->parent->outcome(s->world->self, &o);
    return 0;
}

static int object(void *ctx, const struct sl_object *theirs)
{
    struct session *s = ctx;
    if (s->fault.code)
        return SL_BROKEN;
    if (s->call != CALL_DESCRIBE)
        return session_break(s, "object is for describe");
    struct object_info *info = objects_copy(s, theirs);
    if (!info)
        return SL_BROKEN;
    *s->last_object = info;
    s->last_object = &info->next;
    return 0;
}

static void fail(void *ctx, const char *message)
{
    struct session *s = ctx;
    clean_message(message, s->said);
}

static void say(void *ctx, uint32_t level, const char *message)
{
    const struct session *s = ctx;
    char line[MESSAGE_MAX + 1];
    clean_message(message, line);
    if (level < SL_LOG_ERROR || level > SL_LOG_DEBUG)
        level = SL_LOG_DEBUG;
    if (s->world->parent)
        s->world->parent->log(s->world->self, level, line);
    else
        log_line((int)level, NULL, "%s: %s", s->connection, line);
}

static int64_t now_ms(void *ctx)
{
    const struct session *s = ctx;
    return s->world->now_ms(s->world->self);
}

static void fill_random(void *ctx, void *bytes, size_t n_bytes)
{
    const struct session *s = ctx;
    s->world->random(s->world->self, bytes, n_bytes);
}

static void sleep_for(void *ctx, uint32_t ms)
{
    const struct session *s = ctx;
    s->world->sleep_ms(s->world->self, ms);
}

static int stopping(void *ctx)
{
    const struct session *s = ctx;
    return s->world->stopping(s->world->self);
}

void services_init(struct session *s)
{
    s->host = (struct sl_host){
        .size = sizeof(s->host),
        .abi_major = SL_ABI_MAJOR,
        .abi_minor = SL_ABI_MINOR,
        .ctx = s,
        .emit = emit,
        .page = end_page,
        .outcome = outcome,
        .object = object,
        .fail = fail,
        .log = say,
        .now_ms = now_ms,
        .random = fill_random,
        .sleep_ms = sleep_for,
        .stopping = stopping,
        .json_read = services_json_read,
        .json_write = services_json_write,
        .json_free = services_json_free,
        .http = online_http,
        .http_many = online_http_many,
        .check_signature = online_check_signature,
    };
}
