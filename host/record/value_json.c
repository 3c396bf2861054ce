/* SPDX-License-Identifier: MIT */
/* value_json.c - values as JSON, from JSON, and for a person to read. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "record/decimal.h"
#include "record/order.h"
#include "record/value.h"

static void put_quoted(struct buf *out, const char *text)
{
    buf_printf(out, "\"%s\"", text);
}

static void put_date(struct buf *out, const struct sl_value *v)
{
    char text[16];
    date_format(v->number, text);
    put_quoted(out, text);
}

static void put_timestamp(struct buf *out, const struct sl_value *v)
{
    char text[32];
    timestamp_format(v->number, v->grain_ms, text);
    put_quoted(out, text);
}

/* Sorted, so that one set always prints alike. */
static void put_set(struct buf *out, const struct sl_value *v)
{
    struct order o;
    order_items(&o, v, order_strict);
    buf_byte(out, '[');
    for (uint32_t i = 0; i < o.n; i++) {
        if (i)
            buf_byte(out, ',');
        value_put_json(out, o.at[i]);
    }
    buf_byte(out, ']');
    order_fini(&o);
}

static void put_int(struct buf *out, int64_t n)
{
    buf_took(out, int_format(n, buf_room(out, INT_TEXT_BYTES)));
}

void value_put_json(struct buf *out, const struct sl_value *v)
{
    switch (v->type) {
    case SL_BOOL:
        buf_text(out, v->number ? "true" : "false");
        break;
    case SL_INT:
        put_int(out, v->number);
        break;
    case SL_DECIMAL:
    case SL_JSON:
        buf_add(out, v->text, v->text_size);
        break;
    case SL_STRING:
    case SL_ENUM:
    case SL_REF:
        json_put_string(out, v->text, v->text_size);
        break;
    case SL_DATE:
        put_date(out, v);
        break;
    case SL_TIMESTAMP:
        put_timestamp(out, v);
        break;
    case SL_SET:
        put_set(out, v);
        break;
    default:
        buf_text(out, "null");
    }
}

/* A text that is no JSON after all stands for itself. */
void value_put_canonical(struct buf *out, const struct sl_value *v)
{
    struct err ignored = {0};
    struct json_doc *doc = json_parse(v->text ? v->text : "", v->text_size, NULL, &ignored);
    if (doc)
        json_put_sorted(out, json_root(doc));
    else
        buf_add(out, v->text, v->text_size);
    json_free(doc);
}

static struct sl_value from_text(struct arena *a, const char *name, uint32_t type, const char *text, size_t n_bytes)
{
    return (struct sl_value){.name = name, .type = type, .text = arena_dup(a, text, n_bytes), .text_size = n_bytes};
}

static struct sl_value from_number(struct arena *a, const char *name, const char *text)
{
    int64_t n = 0;
    size_t n_bytes = strlen(text);
    if (decimal_plain_integer(text, n_bytes, &n))
        return value_int(name, n);
    return from_text(a, name, SL_DECIMAL, text, n_bytes);
}

static struct sl_value from_container(struct arena *a, const char *name, const struct json *node)
{
    struct buf text = {0};
    json_put_node(&text, node);
    struct sl_value v = from_text(a, name, SL_JSON, text.data, text.size);
    buf_fini(&text);
    return v;
}

struct sl_value value_from_json(struct arena *a, const char *name, const struct json *node)
{
    const char *own_name = arena_text(a, name);
    size_t n_bytes = 0;
    switch (json_type(node)) {
    case JSON_BOOL:
        return value_bool(own_name, json_bool(node));
    case JSON_NUMBER:
        return from_number(a, own_name, json_text(node, NULL));
    case JSON_STRING: {
        const char *text = json_text(node, &n_bytes);
        return from_text(a, own_name, SL_STRING, text, n_bytes);
    }
    case JSON_LIST:
    case JSON_OBJECT:
        return from_container(a, own_name, node);
    default:
        return value_null(own_name);
    }
}

size_t value_cut(const char *text, size_t n)
{
    while (n && ((unsigned char)text[n] & 0xC0) == 0x80)
        n--;
    return n;
}

static bool quoted(uint32_t type)
{
    return type == SL_STRING || type == SL_ENUM || type == SL_REF;
}

/* Where JSON can be cut at or before n without splitting a character or an escape. */
static size_t cut(const char *json, size_t n)
{
    n = value_cut(json, n);
    for (size_t back = 1; back <= 5 && back <= n; back++) {
        size_t n_slashes = 0;
        while (n_slashes <= n - back && json[n - back - n_slashes] == '\\')
            n_slashes++;
        size_t escape_bytes = json[n - back + 1] == 'u' ? 6 : 2;
        if (n_slashes % 2 && escape_bytes > back)
            return n - back;
    }
    return n;
}

void value_put_brief(struct buf *out, const struct sl_value *v, size_t max_bytes)
{
    static const char ellipsis[] = "\xE2\x80\xA6\"";
    struct sl_value part = *v;
    /* of a text of megabytes only the beginning is escaped: every byte prints as at least one */
    if (quoted(v->type) && part.text_size > max_bytes)
        part.text_size = value_cut(part.text, max_bytes);
    struct buf text = {0};
    if (v->type == SL_ABSENT)
        buf_text(&text, "absent");
    else
        value_put_json(&text, &part);
    size_t mark_bytes = quoted(v->type) ? 4 : 3;
    if (text.size <= max_bytes && part.text_size == v->text_size)
        buf_add(out, text.data, text.size);
    else if (max_bytes > mark_bytes) {
        buf_add(out, text.data, cut(text.data, max_bytes - mark_bytes));
        buf_add(out, ellipsis, mark_bytes);
    }
    buf_fini(&text);
}
