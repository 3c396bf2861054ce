/* SPDX-License-Identifier: MIT */
/* jsonio.c - the JSON services: a connector reads and writes JSON through the host's guarded door. */
#include <string.h>

#include "base/json.h"
#include "plugin/inside.h"
#include "record/value.h"

static int refuse(struct session *s, const char **message, const char *why)
{
    if (message)
        *message = arena_text(&s->json, why);
    return SL_REJECTED;
}

int services_json_read(void *ctx, const char *text, size_t text_bytes, const struct sl_value **fields,
                       uint32_t *n_fields, uint32_t *field_size, const char **message)
{
    struct session *s = ctx;
    struct err e = {0};
    *fields = NULL;
    *n_fields = 0;
    *field_size = sizeof(**fields);
    struct json_doc *doc = json_parse(text ? text : "", text ? text_bytes : 0, NULL, &e);
    if (!doc)
        return refuse(s, message, e.text);
    const struct json *root = json_root(doc);
    if (json_type(root) != JSON_OBJECT) {
        json_free(doc);
        return refuse(s, message, "line 1, column 1: a JSON object is expected here");
    }
    struct sl_value *values = arena_alloc(&s->json, json_count(root) * sizeof(*values));
    uint32_t n = 0;
    for (const struct json *node = json_first(root); node; node = json_next(node))
        values[n++] = value_from_json(&s->json, json_key(node), node);
    json_free(doc);
    *fields = values;
    *n_fields = n;
    return SL_OK;
}

static void put_indent(struct buf *out, int depth)
{
    buf_byte(out, '\n');
    for (int i = 0; i < depth; i++)
        buf_text(out, "  ");
}

/* Returns the end of the string that begins at i, after its closing quote. */
static size_t skip_string(const char *t, size_t i, size_t n)
{
    for (i++; i < n && t[i] != '"'; i++)
        if (t[i] == '\\')
            i++;
    return i < n ? i + 1 : n;
}

static bool blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Writes one mark of structure; depth is that of what follows. */
static int put_mark(struct buf *out, char mark, int depth)
{
    bool opens = mark == '{' || mark == '[';
    bool closes = mark == '}' || mark == ']';
    if (closes)
        put_indent(out, --depth);
    buf_byte(out, mark);
    if (mark == ':')
        buf_byte(out, ' ');
    depth += opens;
    if (mark == ',' || opens)
        put_indent(out, depth);
    return depth;
}

/* The text is valid JSON, so only strings need care. */
static void put_pretty(struct buf *out, const char *t, size_t n, int depth)
{
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        if (t[i] == '"')
            end = skip_string(t, i, n);
        else if (end < n && (t[i] == '{' || t[i] == '[') && (t[end] == '}' || t[end] == ']'))
            end++;
        if (end > i + 1 || !strchr("{}[]:, \n\t\r", t[i]))
            buf_add(out, t + i, end - i);
        else if (!blank(t[i]))
            depth = put_mark(out, t[i], depth);
        i = end;
    }
}

/* What has lines of its own when it is pretty. */
static void put_container(struct buf *out, const struct sl_value *v)
{
    struct buf text = {0};
    value_put_json(&text, v);
    put_pretty(out, text.data, text.size, 1);
    buf_fini(&text);
}

static void put_field(struct buf *out, const struct sl_value *v, bool pretty)
{
    if (pretty)
        put_indent(out, 1);
    json_put_string(out, v->name, strlen(v->name));
    buf_add(out, ": ", pretty ? 2 : 1);
    if (pretty && (v->type == SL_SET || v->type == SL_JSON))
        put_container(out, v);
    else
        value_put_json(out, v);
}

/* A field that is absent is not in the object; null is. */
static void put_object(struct buf *out, const struct sl_value *fields, uint32_t n_fields, bool pretty)
{
    uint32_t n = 0;
    buf_byte(out, '{');
    for (uint32_t i = 0; i < n_fields; i++) {
        if (fields[i].type == SL_ABSENT)
            continue;
        if (n++)
            buf_byte(out, ',');
        put_field(out, &fields[i], pretty);
    }
    if (pretty && n)
        put_indent(out, 0);
    buf_add(out, "}\n", pretty ? 2 : 1);
}

int services_json_write(void *ctx, const struct sl_value *fields, uint32_t n_fields, uint32_t field_size,
                        uint32_t pretty, const char **text, size_t *text_bytes)
{
    struct session *s = ctx;
    bool ok = false;
    *text = "";
    *text_bytes = 0;
    const struct sl_value *ours = items_fields(s, fields, n_fields, field_size, &ok);
    if (!ok)
        return SL_BROKEN;
    buf_clear(&s->text);
    put_object(&s->text, ours, n_fields, pretty != 0);
    *text = arena_dup(&s->json, s->text.data, s->text.size);
    *text_bytes = s->text.size;
    arena_reset(&s->scratch);
    return SL_OK;
}

void services_json_free(void *ctx)
{
    struct session *s = ctx;
    arena_reset(&s->json);
}
