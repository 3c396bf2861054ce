/* SPDX-License-Identifier: MIT */
/* items.c - what a connector emits, taken from structs of other sizes and checked. */
#include <string.h>

#include "base/text.h"
#include "plugin/inside.h"

enum {
    SIZE_MAX_BYTES = 4096, /* a struct larger than this is no newer struct but garbage */
    VERSION_MAX = 1024
};

bool items_take(struct session *s, const char *what, const void *theirs, uint32_t size, size_t size_1_0, void *ours,
                size_t our_size)
{
    if (size < size_1_0 || size > SIZE_MAX_BYTES) {
        session_break(s, "%s says its size is %u bytes; ABI 1.0 has %zu", what, size, size_1_0);
        return false;
    }
    size_t n = size < our_size ? size : our_size;
    memcpy(ours, theirs, n);
    memset((char *)ours + n, 0, our_size - n);
    return true;
}

bool items_stride(struct session *s, const char *what, const void *array, uint32_t n, uint32_t size, size_t size_1_0)
{
    if (!n)
        return true;
    if (!array)
        session_break(s, "%s are %u, but their array is NULL", what, n);
    else if (n > ITEMS_MAX)
        session_break(s, "%s are %u; the most is %d", what, n, ITEMS_MAX);
    else if (size < size_1_0 || size > SIZE_MAX_BYTES || size % _Alignof(void *) != 0)
        session_break(s, "%s say they are %u bytes apart; ABI 1.0 has %zu", what, size, size_1_0);
    else
        return true;
    return false;
}

bool items_text(struct session *s, const char *what, const char *text, size_t max)
{
    if (!text)
        return true;
    size_t n = strnlen(text, max + 1);
    if (n > max)
        session_break(s, "%s is longer than %zu bytes", what, max);
    else if (!utf8_valid(text, n, NULL))
        session_break(s, "%s is not valid UTF-8", what);
    else
        return true;
    return false;
}

/* C1 controls are two bytes in UTF-8: C2 80 to C2 9F. */
static bool controls(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c < 0x20 || *c == 0x7F || (*c == 0xC2 && c[1] <= 0x9F))
            return true;
    return false;
}

/* Most ids are printable ASCII: one pass, no call. */
static bool plain_id(const char *id)
{
    size_t n = 0;
    while (n <= ID_MAX && id[n] >= 0x20 && id[n] < 0x7F)
        n++;
    return n && n <= ID_MAX && !id[n];
}

bool items_id(struct session *s, const char *what, const char *id)
{
    if (id && plain_id(id))
        return true;
    if (!id || !*id)
        session_break(s, "%s is empty", what);
    else if (items_text(s, what, id, ID_MAX)) {
        if (!controls(id))
            return true;
        session_break(s, "%s has a control character in it", what);
    }
    return false;
}

static bool record_texts(struct session *s, const struct sl_record *r)
{
    return items_id(s, "a record's id", r->id) && items_text(s, "a record's version", r->version, VERSION_MAX) &&
           items_text(s, "a record's label", r->label, TEXT_MAX) &&
           (!r->parent_id || items_id(s, "a record's parent_id", r->parent_id)) &&
           items_text(s, "a record's correlation key", r->correlation, TEXT_MAX);
}

const struct sl_record *items_record(struct session *s, const struct sl_record *theirs)
{
    struct sl_record taken;
    const struct sl_record *r = theirs;
    bool ok = false;
    if (r->size != sizeof(taken)) {
        if (!items_take(s, "a record", theirs, theirs->size, SIZE_1_0(struct sl_record, field_size), &taken,
                        sizeof(taken)))
            return NULL;
        taken.size = sizeof(taken);
        r = arena_dup(&s->scratch, &taken, sizeof(taken));
    }
    if (!record_texts(s, r))
        return NULL;
    const struct sl_value *fields = items_fields(s, r->fields, r->n_fields, r->field_size, &ok);
    if (!ok || fields == r->fields)
        return ok ? r : NULL;
    taken = *r;
    taken.fields = fields;
    taken.field_size = sizeof(*fields);
    return arena_dup(&s->scratch, &taken, sizeof(taken));
}

static bool with_record(struct session *s, struct sl_item *item)
{
    if (!item->record) {
        session_break(s, "an item of kind RECORD has no record");
        return false;
    }
    item->record = items_record(s, item->record);
    if (!item->record)
        return false;
    if (!item->id)
        item->id = item->record->id;
    if (strcmp(item->id, item->record->id) != 0) {
        session_break(s, "the item's id is '%.*s', its record's '%.*s'", clean_cut(item->id, 60), item->id,
                      clean_cut(item->record->id, 60), item->record->id);
        return false;
    }
    return true;
}

static bool with_version(struct session *s, struct sl_item *item)
{
    return items_text(s, "a stub's version", item->version, VERSION_MAX);
}

static bool with_successor(struct session *s, struct sl_item *item)
{
    return !item->successor_id || items_id(s, "a tombstone's successor_id", item->successor_id);
}

static bool with_reason(struct session *s, struct sl_item *item)
{
    char message[MESSAGE_MAX + 1];
    if (!item->error_class) {
        session_break(s, "an unreadable record has no error class");
        return false;
    }
    if (item->error_class > SL_BROKEN)
        item->error_class = SL_RETRY;
    clean_message(item->message, message);
    item->message = arena_text(&s->scratch, *message ? message : "the connector did not say why");
    return items_text(s, "an unreadable record's version", item->version, VERSION_MAX);
}

static bool with_object(struct session *s, struct sl_item *item)
{
    return !item->object || items_id(s, "a hint's object", item->object);
}

static bool (*const kinds[])(struct session *s, struct sl_item *item) = {
    [SL_ITEM_RECORD] = with_record, [SL_ITEM_STUB] = with_version,      [SL_ITEM_TOMBSTONE] = with_successor,
    [SL_ITEM_HINT] = with_object,   [SL_ITEM_UNREADABLE] = with_reason,
};

const struct sl_item *items_item(struct session *s, const struct sl_item *theirs, struct sl_item *room)
{
    if (!items_take(s, "an item", theirs, theirs->size, SIZE_1_0(struct sl_item, message), room, sizeof(*room)))
        return NULL;
    room->size = sizeof(*room);
    if (room->kind == 0 || room->kind >= sizeof(kinds) / sizeof(*kinds)) {
        session_break(s, "an item is of kind %u, which this host (ABI %d.%d) does not know", room->kind, SL_ABI_MAJOR,
                      SL_ABI_MINOR);
        return NULL;
    }
    if ((room->id || room->kind != SL_ITEM_RECORD) && !items_id(s, "an item's id", room->id))
        return NULL;
    s->item_id = room->id;
    return kinds[room->kind](s, room) ? room : NULL;
}
