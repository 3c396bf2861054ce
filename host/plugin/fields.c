/* SPDX-License-Identifier: MIT */
/* fields.c - values a connector gives, taken from structs of other sizes and checked by type. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "plugin/inside.h"
#include "record/value.h"

/* 0001-01-01 to 9999-12-31: what the text forms of dates can say. */
static const int64_t first_day = -719162;
static const int64_t last_day = 2932896;
static const int64_t day_ms = 86400000;

void seen_begin(struct seen *seen, uint32_t n)
{
    uint32_t want = 16;
    while (want < n * 2)
        want *= 2;
    if (want > seen->n_slots) {
        mem_free(seen->slots);
        seen->slots = mem_alloc(want * sizeof(*seen->slots));
        seen->n_slots = want;
        seen->round = 0;
    }
    if (++seen->round == 0) {
        memset(seen->slots, 0, seen->n_slots * sizeof(*seen->slots));
        seen->round = 1;
    }
}

bool seen_again(struct seen *seen, uint64_t hash)
{
    uint32_t mask = seen->n_slots - 1;
    for (uint32_t i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
        struct seen_slot *slot = &seen->slots[i];
        if (slot->round != seen->round) {
            *slot = (struct seen_slot){hash, seen->round};
            return false;
        }
        if (slot->hash == hash)
            return true;
    }
}

static bool refuse(struct session *s, const struct sl_value *v, const char *why)
{
    const char *name = v->name ? v->name : "";
    session_break(s, "field '%.*s' %s", clean_cut(name, 80), name, why);
    return false;
}

static bool check_nothing(struct session *s, const struct sl_value *v)
{
    (void)s;
    (void)v;
    return true;
}

static bool check_bool(struct session *s, const struct sl_value *v)
{
    return v->number == 0 || v->number == 1 || refuse(s, v, "is a bool that is neither 0 nor 1");
}

static bool check_text(struct session *s, const struct sl_value *v)
{
    if (!v->text)
        return refuse(s, v, "has no text: NULL is a type of its own, the empty string a text");
    if (v->text_size > TEXT_MAX)
        return refuse(s, v, "is longer than 64 MiB");
    return utf8_valid(v->text, v->text_size, NULL) || refuse(s, v, "is not valid UTF-8, or has a NUL in it");
}

static size_t digits(const char *text, size_t at, size_t end)
{
    while (at < end && text[at] >= '0' && text[at] <= '9')
        at++;
    return at;
}

/* JSON's grammar of numbers. */
static bool number_valid(const char *t, size_t n)
{
    size_t from = n && t[0] == '-';
    size_t at = digits(t, from, n);
    if (at == from || (t[from] == '0' && at > from + 1))
        return false;
    if (at < n && t[at] == '.') {
        from = at + 1;
        at = digits(t, from, n);
        if (at == from)
            return false;
    }
    if (at < n && (t[at] == 'e' || t[at] == 'E')) {
        from = at + 1;
        from += from < n && (t[from] == '+' || t[from] == '-');
        at = digits(t, from, n);
        if (at == from)
            return false;
    }
    return at == n;
}

static bool check_decimal(struct session *s, const struct sl_value *v)
{
    return check_text(s, v) &&
           (number_valid(v->text, v->text_size) || refuse(s, v, "is a decimal that is no JSON number"));
}

static bool check_date(struct session *s, const struct sl_value *v)
{
    return (v->number >= first_day && v->number <= last_day) || refuse(s, v, "is a date outside the years 1 to 9999");
}

static bool check_timestamp(struct session *s, const struct sl_value *v)
{
    return (v->number >= first_day * day_ms && v->number < (last_day + 1) * day_ms) ||
           refuse(s, v, "is a timestamp outside the years 1 to 9999");
}

static bool check_ref(struct session *s, const struct sl_value *v)
{
    return check_text(s, v) && items_text(s, "a reference's object", v->object, ID_MAX);
}

static bool check_json(struct session *s, const struct sl_value *v)
{
    struct err ignored = {0};
    if (!check_text(s, v))
        return false;
    if (!v->text_size || !strchr("[{", v->text[0]))
        return refuse(s, v, "is of type JSON and neither a list nor an object");
    struct json_doc *doc = json_parse(v->text, v->text_size, NULL, &ignored);
    if (!doc)
        return refuse(s, v, "is of type JSON and its text is no valid JSON");
    json_free(doc);
    return true;
}

static bool check_set(struct session *s, const struct sl_value *v);

static bool (*const checks[])(struct session *s, const struct sl_value *v) = {
    [SL_ABSENT] = check_nothing,  [SL_NULL] = check_nothing, [SL_BOOL] = check_bool, [SL_INT] = check_nothing,
    [SL_DECIMAL] = check_decimal, [SL_STRING] = check_text,  [SL_DATE] = check_date, [SL_TIMESTAMP] = check_timestamp,
    [SL_ENUM] = check_text,       [SL_REF] = check_ref,      [SL_SET] = check_set,   [SL_JSON] = check_json,
};

static bool check_value(struct session *s, const struct sl_value *v)
{
    if (v->type < sizeof(checks) / sizeof(*checks))
        return checks[v->type](s, v);
    const char *name = v->name ? v->name : "";
    session_break(s, "field '%.*s' is of type %u, which this host (ABI %d.%d) does not know; a newer one may",
                  clean_cut(name, 80), name, v->type, SL_ABI_MAJOR, SL_ABI_MINOR);
    return false;
}

static bool scalar(uint32_t type)
{
    return type != SL_ABSENT && type != SL_NULL && type != SL_SET && type != SL_JSON;
}

static uint64_t item_hash(const struct sl_value *item)
{
    bool text = item->type == SL_DECIMAL || item->type == SL_STRING || item->type == SL_ENUM || item->type == SL_REF;
    return (text ? hash64(item->text, item->text_size) : hash64(&item->number, sizeof(item->number))) ^ item->type;
}

static bool check_set(struct session *s, const struct sl_value *v)
{
    if (!v->n_items)
        return true;
    for (uint32_t i = 0; i < v->n_items; i++) {
        struct sl_value named = v->items[i];
        if (!scalar(named.type) || named.name)
            return refuse(s, v, "is a set with an item that is no scalar, or has a name");
        named.name = v->name;
        if (!check_value(s, &named))
            return false;
    }
    seen_begin(&s->seen, v->n_items);
    for (uint32_t i = 0; i < v->n_items; i++)
        if (seen_again(&s->seen, item_hash(&v->items[i])))
            return refuse(s, v, "is a set with an item in it twice");
    return true;
}

/* Names first: the sentences about values name their field. */
static bool check_names(struct session *s, const struct sl_value *fields, uint32_t n)
{
    seen_begin(&s->seen, n);
    for (uint32_t i = 0; i < n; i++) {
        const char *name = fields[i].name;
        if (!name) {
            session_break(s, "field %u has no name", i);
            return false;
        }
        size_t n_bytes = strlen(name);
        if (!utf8_valid(name, n_bytes, NULL)) {
            session_break(s, "the name of field %u is not valid UTF-8", i);
            return false;
        }
        if (seen_again(&s->seen, hash64(name, n_bytes)))
            return refuse(s, &fields[i], "is there twice");
    }
    return true;
}

/* n values of another size as ours, in scratch. */
static struct sl_value *resize(struct session *s, const struct sl_value *theirs, uint32_t n, uint32_t size)
{
    struct sl_value *ours = arena_alloc(&s->scratch, n * sizeof(*ours));
    size_t kept = size < sizeof(*ours) ? size : sizeof(*ours);
    for (uint32_t i = 0; i < n; i++)
        memcpy(&ours[i], sl_value_at(theirs, size, i), kept);
    return ours;
}

/* The items of sets come in our size, too. What is inside an item is refused later, so one level is enough. */
static void resize_sets(struct session *s, struct sl_value *fields, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct sl_value *v = &fields[i];
        if (v->type != SL_SET || !v->n_items || v->item_size == sizeof(*v))
            continue;
        v->items = resize(s, v->items, v->n_items, v->item_size);
        v->item_size = sizeof(*v);
    }
}

/* True if some set has items of another size; *ok is false if it cannot be walked at all. */
static bool sets_differ(struct session *s, const struct sl_value *theirs, uint32_t n, uint32_t size, bool *ok)
{
    bool differ = false;
    for (uint32_t i = 0; i < n && *ok; i++) {
        const struct sl_value *v = sl_value_at(theirs, size, i);
        if (v->type != SL_SET)
            continue;
        *ok =
            items_stride(s, "a set's items", v->items, v->n_items, v->item_size, SIZE_1_0(struct sl_value, item_size));
        differ |= v->n_items && v->item_size != sizeof(*v);
    }
    return differ;
}

const struct sl_value *items_fields(struct session *s, const struct sl_value *theirs, uint32_t n, uint32_t size,
                                    bool *ok)
{
    const struct sl_value *ours = theirs;
    *ok = items_stride(s, "fields", theirs, n, size, SIZE_1_0(struct sl_value, item_size));
    if (!*ok || !n)
        return theirs;
    bool differ = sets_differ(s, theirs, n, size, ok);
    if (*ok && (differ || size != sizeof(*ours))) {
        struct sl_value *copy = resize(s, theirs, n, size);
        resize_sets(s, copy, n);
        ours = copy;
    }
    *ok = *ok && check_names(s, ours, n);
    for (uint32_t i = 0; i < n && *ok; i++)
        *ok = check_value(s, &ours[i]);
    return ours;
}
