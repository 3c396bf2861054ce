/* SPDX-License-Identifier: MIT */
/* convert.c - values from one type to another: lossless, or refused with a sentence. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "record/decimal.h"
#include "record/set.h"
#include "record/value.h"

/* 0000-01-01 and 9999-12-31: what RFC 3339 can say. */
static const int64_t first_day = -719528;
static const int64_t last_day = 2932896;
static const int64_t day_ms = 86400000;

/* A way from one type to another: fills *out (name and type aside) and returns NULL, or why it is refused. */
typedef const char *way(struct arena *a, const struct sl_value *v, struct sl_value *out);

static void set_text(struct sl_value *out, const char *text, size_t n_bytes)
{
    out->text = text;
    out->text_size = n_bytes;
}

static const char *print_json(struct arena *a, const struct sl_value *v, struct sl_value *out)
{
    struct buf text = {0};
    value_put_json(&text, v);
    set_text(out, arena_dup(a, text.data, text.size), text.size);
    buf_fini(&text);
    return NULL;
}

static const char *keep_text(struct arena *a, const struct sl_value *v, struct sl_value *out)
{
    (void)a;
    set_text(out, v->text, v->text_size);
    return NULL;
}

static const char *bool_to_int(struct arena *a, const struct sl_value *v, struct sl_value *out)
{
    (void)a;
    out->number = v->number != 0;
    return NULL;
}

static const char *int_to_bool(struct arena *a, const struct sl_value *v, struct sl_value *out)
{
    (void)a;
    out->number = v->number;
    return v->number == 0 || v->number == 1 ? NULL : "only 1 is true and 0 is false";
}

static const char *decimal_to_int(struct arena *a, const struct sl_value *v, struct sl_value *out)
{
    (void)a;
    return decimal_integer(v->text, v->text_size, &out->number) ? NULL : "it is no whole number of 64 bits";
}

static bool text_is(const struct sl_value *v, const char *word)
{
    return v->text_size == strlen(word) && memcmp(v->text, word, v->text_size) == 0;
}

static const char *string_to_bool(struct arena *a, const struct sl_value *v, struct sl_value *out)
{
    (void)a;
    out->number = text_is(v, "true");
    return out->number || text_is(v, "false") ? NULL : "only \"true\" and \"false\" are bools";
}

/* Only texts that the integer prints as again: 1.0 or 007 would come back as something else. */
static const char *string_to_int(struct arena *a, const struct sl_value *v, struct sl_value *out)
{
    (void)a;
    return decimal_plain_integer(v->text, v->text_size, &out->number)
               ? NULL
               : "it is not written as a whole number of 64 bits, such as 42";
}

static const char *string_to_decimal(struct arena *a, const struct sl_value *v, struct sl_value *out)
{
    keep_text(a, v, out);
    return decimal_valid(v->text, v->text_size) ? NULL : "it is not written as a number, such as 1234.50";
}

/* The text with a NUL behind it, if it is short enough to be a date or a time. */
static bool short_text(const struct sl_value *v, char out[64])
{
    if (v->text_size == 0 || v->text_size >= 64 || memchr(v->text, '\0', v->text_size))
        return false;
    memcpy(out, v->text, v->text_size);
    out[v->text_size] = '\0';
    return true;
}

static const char *string_to_date(struct arena *a, const struct sl_value *v, struct sl_value *out)
{
    char text[64];
    (void)a;
    return short_text(v, text) && date_parse(text, &out->number) ? NULL
                                                                 : "it is not written as a date, such as 2026-11-23";
}

/* The parser drops what milliseconds cannot hold. */
static bool finer_than_ms(const char *text)
{
    const char *point = strchr(text, '.');
    size_t n_digits = point ? strspn(point + 1, "0123456789") : 0;
    for (size_t i = 3; i < n_digits; i++)
        if (point[1 + i] != '0')
            return true;
    return false;
}

static const char *string_to_timestamp(struct arena *a, const struct sl_value *v, struct sl_value *out)
{
    char text[64];
    (void)a;
    if (!short_text(v, text) || !timestamp_parse(text, &out->number, &out->grain_ms))
        return "it is not written as a time with zone, such as 2026-11-23T09:00:00Z";
    return finer_than_ms(text) ? "it is finer than milliseconds" : NULL;
}

static const char *date_to_string(struct arena *a, const struct sl_value *v, struct sl_value *out)
{
    char text[16];
    if (v->number < first_day || v->number > last_day)
        return "its year does not have four digits";
    date_format(v->number, text);
    set_text(out, arena_text(a, text), strlen(text));
    return NULL;
}

static const char *timestamp_to_string(struct arena *a, const struct sl_value *v, struct sl_value *out)
{
    char text[32];
    if (v->number < first_day * day_ms || v->number >= (last_day + 1) * day_ms)
        return "its year does not have four digits";
    timestamp_format(v->number, v->grain_ms, text);
    set_text(out, arena_text(a, text), strlen(text));
    return NULL;
}

static const char *string_to_set(struct arena *a, const struct sl_value *v, struct sl_value *out)
{
    struct sl_value set;
    if (!set_parse(a, v->text, v->text_size, &set))
        return "it is not a JSON list of texts, numbers and bools";
    out->items = set.items;
    out->n_items = set.n_items;
    out->item_size = set.item_size;
    return NULL;
}

static const char *string_to_json(struct arena *a, const struct sl_value *v, struct sl_value *out)
{
    struct err ignored = {0};
    struct json_doc *doc = json_parse(v->text ? v->text : "", v->text_size, NULL, &ignored);
    int type = doc ? json_type(json_root(doc)) : JSON_NULL;
    bool whole = type == JSON_LIST || type == JSON_OBJECT;
    if (whole) {
        struct buf text = {0};
        json_put_node(&text, json_root(doc));
        set_text(out, arena_dup(a, text.data, text.size), text.size);
        buf_fini(&text);
    }
    json_free(doc);
    return whole ? NULL : "it is not the text of a JSON list or object";
}

/* Rows: from; columns: to. Enums and references are texts here. What is not listed is refused. */
static way *const ways[SL_JSON + 1][SL_JSON + 1] = {
    [SL_BOOL] = {[SL_INT] = bool_to_int, [SL_STRING] = print_json},
    [SL_INT] = {[SL_BOOL] = int_to_bool, [SL_DECIMAL] = print_json, [SL_STRING] = print_json},
    [SL_DECIMAL] = {[SL_INT] = decimal_to_int, [SL_STRING] = keep_text},
    [SL_STRING] = {[SL_BOOL] = string_to_bool,
                   [SL_INT] = string_to_int,
                   [SL_DECIMAL] = string_to_decimal,
                   [SL_STRING] = keep_text,
                   [SL_DATE] = string_to_date,
                   [SL_TIMESTAMP] = string_to_timestamp,
                   [SL_SET] = string_to_set,
                   [SL_JSON] = string_to_json},
    [SL_DATE] = {[SL_STRING] = date_to_string},
    [SL_TIMESTAMP] = {[SL_STRING] = timestamp_to_string},
    [SL_SET] = {[SL_STRING] = print_json, [SL_JSON] = print_json},
    [SL_JSON] = {[SL_STRING] = keep_text, [SL_SET] = string_to_set},
};

static uint32_t as_text(uint32_t type)
{
    return type == SL_ENUM || type == SL_REF ? SL_STRING : type;
}

static bool container(uint32_t type)
{
    return type == SL_SET || type == SL_JSON;
}

/* A list or an object is no listed value and no id, though it has a text. */
static way *find_way(uint32_t from, uint32_t to)
{
    if (from > SL_JSON || to > SL_JSON)
        return NULL;
    if ((container(from) && as_text(to) != to) || (container(to) && as_text(from) != from))
        return NULL;
    return ways[as_text(from)][as_text(to)];
}

static int refuse(const struct sl_value *v, uint32_t want, const char *reason, struct err *e)
{
    struct buf brief = {0};
    value_put_brief(&brief, v, 80);
    err_set(e, ERR_INPUT,
            "%s: %s is of type %s and cannot become %s: %s; correct it at its source, or compute the field with an "
            "expression",
            v->name ? v->name : "value", brief.data, value_type_name(v->type), value_type_name(want), reason);
    buf_fini(&brief);
    return ERR_INPUT;
}

int value_convert(struct arena *a, const struct sl_value *v, uint32_t want, struct sl_value *out, struct err *e)
{
    if (want == SL_ABSENT || v->type == want || v->type == SL_ABSENT || v->type == SL_NULL) {
        *out = *v;
        return ERR_NONE;
    }
    struct sl_value made = {.name = v->name, .type = want};
    way *convert = find_way(v->type, want);
    const char *reason = convert ? convert(a, v, &made) : "one type has no meaning in the other";
    *out = reason ? value_absent(v->name) : made;
    return reason ? refuse(v, want, reason, e) : ERR_NONE;
}
