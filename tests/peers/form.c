/* SPDX-License-Identifier: MIT */
/* form.c - what a system makes of the values it is given, and how it shows a record. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "peer.h"

enum { MINUTE_MS = 60000, SECOND_MS = 1000, ZONE_MS = 2 * 3600 * 1000 };

static void trim(struct buf *text)
{
    size_t from = 0;
    while (text->size && isspace((unsigned char)text->data[text->size - 1]))
        text->size--;
    while (from < text->size && isspace((unsigned char)text->data[from]))
        from++;
    if (from)
        memmove(text->data, text->data + from, text->size - from);
    text->size -= from;
}

/* Never within a character. */
static void truncate_to(struct buf *text, size_t most)
{
    if (text->size <= most)
        return;
    while (most && ((unsigned char)text->data[most] & 0xc0) == 0x80)
        most--;
    text->size = most;
}

static void escape(struct buf *text)
{
    struct buf out = {0};
    for (size_t i = 0; i < text->size; i++) {
        char c = text->data[i];
        if (c == '&')
            buf_text(&out, "&amp;");
        else if (c == '<')
            buf_text(&out, "&lt;");
        else if (c == '>')
            buf_text(&out, "&gt;");
        else
            buf_byte(&out, c);
    }
    buf_fini(text);
    *text = out;
}

static void store_text(const struct peer *p, const struct json *node, struct buf *out)
{
    struct buf text = {0};
    size_t n = 0;
    const char *given = json_text(node, &n);
    buf_add(&text, given, n);
    if (trait(p, KNOB_TRIMS))
        trim(&text);
    for (size_t i = 0; trait(p, KNOB_LOWERS) && i < text.size; i++)
        text.data[i] = (char)tolower((unsigned char)text.data[i]);
    if (trait(p, KNOB_ESCAPES))
        escape(&text);
    if (trait(p, KNOB_TRUNCATES))
        truncate_to(&text, (size_t)trait(p, KNOB_TRUNCATES));
    json_put_string(out, text.size ? text.data : "", text.size);
    buf_fini(&text);
}

static void store_value(const struct peer *p, const struct json *node, struct buf *out)
{
    int64_t n = 0, grain = trait(p, KNOB_ROUNDS);
    bool key = is(json_key(node), p->profile->key); /* a key is compared by its bytes everywhere */
    if (json_type(node) == JSON_STRING && !key)
        store_text(p, node, out);
    else if (grain && json_type(node) == JSON_NUMBER && json_int(node, &n))
        buf_printf(out, "%lld", (long long)(n - n % grain));
    else
        json_put_node(out, node);
}

/* What the system sets itself is not taken from anybody. */
static bool kept_out(const struct peer *p, const char *member)
{
    const struct profile *f = p->profile;
    return is(member, f->id) || is(member, f->created) || is(member, f->updated) ||
           is(member, trait_text(p, KNOB_NOT_STORED));
}

static void put_member(const struct peer *p, const struct json *node, bool given, struct buf *out)
{
    json_put_key(out, json_key(node));
    if (is(json_key(node), trait_text(p, KNOB_REWRITES)))
        buf_text(out, "\"kept by a workflow\"");
    else if (given)
        store_value(p, node, out);
    else
        json_put_node(out, node);
}

char *store_form(const struct peer *p, const char *old, const struct json *changed)
{
    struct err e = {0};
    struct buf out = {0};
    struct json_doc *doc = json_parse(old, strlen(old), NULL, &e);
    buf_byte(&out, '{');
    for (const struct json *n = json_first(json_root(doc)); n; n = json_next(n)) {
        const struct json *now = kept_out(p, json_key(n)) ? NULL : json_get(changed, json_key(n));
        put_member(p, now ? now : n, now != NULL, &out);
    }
    for (const struct json *n = json_first(changed); n; n = json_next(n))
        if (!json_get(json_root(doc), json_key(n)) && !kept_out(p, json_key(n)))
            put_member(p, n, true, &out);
    buf_byte(&out, '}');
    json_free(doc);
    return out.data;
}

int64_t shown_ms(const struct peer *p, int64_t at_ms)
{
    int64_t grain = p->profile->granular_ms;
    if (trait(p, KNOB_SECONDS) && grain < SECOND_MS)
        grain = SECOND_MS;
    if (trait(p, KNOB_MINUTES))
        grain = MINUTE_MS;
    at_ms += trait(p, KNOB_SKEW);
    return at_ms - at_ms % grain;
}

void put_time(const struct peer *p, int64_t at_ms, struct buf *out)
{
    char text[40];
    int64_t ms = shown_ms(p, at_ms);
    uint32_t grain =
        p->profile->granular_ms >= SECOND_MS || trait(p, KNOB_SECONDS) || trait(p, KNOB_MINUTES) ? 1000 : 1;
    timestamp_format(trait(p, KNOB_ZONE) ? ms + ZONE_MS : ms, grain, text);
    if (trait(p, KNOB_ZONE) && strchr(text, 'Z'))
        snprintf(strchr(text, 'Z'), 7, "+02:00");
    json_put_string(out, text, strlen(text));
}

void put_record(const struct peer *p, const struct record *r, const struct version *v, struct buf *out)
{
    const struct profile *f = p->profile;
    buf_byte(out, '{');
    json_put_key(out, f->id);
    if (f->numbers)
        buf_text(out, r->id);
    else
        json_put_string(out, r->id, strlen(r->id));
    if (v->gone) {
        buf_text(out, ",\"deleted\":true");
    } else if (strlen(v->body) > 2) {
        buf_byte(out, ',');
        buf_add(out, v->body + 1, strlen(v->body) - 2);
    }
    if (!trait(p, KNOB_NO_TIMES)) {
        json_put_key(out, f->created);
        put_time(p, r->created_ms, out);
        json_put_key(out, f->updated);
        put_time(p, v->at_ms, out);
    }
    if (f->show && !v->gone)
        f->show(p, r, v, out);
    buf_byte(out, '}');
}
