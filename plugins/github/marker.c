/* SPDX-License-Identifier: MIT */
/* marker.c - the correlation key in a body: an HTML comment on a line of its own, which GitHub shows to nobody. */
#include <string.h>

#include "github.h"

const char marker_away[] = "<!-- syncline:archived -->";
static const char opens[] = "<!-- syncline:", closes[] = " -->";
enum {
    OPENS = sizeof(opens) - 1,
    CLOSES = sizeof(closes) - 1,
    WHOLE = OPENS + KEY_CHARS + CLOSES,
    AWAY = sizeof(marker_away) - 1
};

bool marker_valid(const char *key)
{
    return key && strspn(key, "0123456789abcdef") == KEY_CHARS && key[KEY_CHARS] == '\0';
}

/* A quoted copy ("> <!-- ...") of another's text begins no line, so it is none. */
static bool is_marker(const char *text, const char *at, const char *end)
{
    const char *after = at + WHOLE;
    return after <= end && (at == text || at[-1] == '\n') && memcmp(at, opens, OPENS) == 0 &&
           strspn(at + OPENS, "0123456789abcdef") == KEY_CHARS && memcmp(after - CLOSES, closes, CLOSES) == 0 &&
           (after == end || *after == '\n' || *after == '\r');
}

static const char *last_marker(const char *text, const char *end)
{
    for (const char *at = end - WHOLE; at >= text; at--)
        if (*at == '<' && is_marker(text, at, end))
            return at;
    return NULL;
}

/* The end of the text before the marker: up to two ends of line are the marker's. */
static const char *head_end(const char *text, const char *at)
{
    for (int lines = 0; lines < 2 && at > text && at[-1] == '\n'; lines++) {
        at--;
        if (at > text && at[-1] == '\r')
            at--;
    }
    return at;
}

/* Takes n_marker bytes at `at` out of the body, and the line before them. */
static void take_out(struct github *g, struct body *b, const char *at, size_t n_marker)
{
    const char *text = b->text, *end = text + b->n_bytes, *head = head_end(text, at), *tail = at + n_marker;
    while (tail < end && strchr(" \r\n", *tail))
        tail++;
    /* What somebody wrote behind it is text as well; the line before it stays one of its own. */
    const char *rest = tail < end ? at + n_marker : end;
    char *joined = sl_pool_take(&g->call, b->n_bytes + 1);
    memcpy(joined, text, (size_t)(head - text));
    memcpy(joined + (head - text), rest, (size_t)(end - rest));
    b->n_bytes = (size_t)(head - text + end - rest);
    b->text = at == text && tail == end ? NULL : joined;
}

void marker_cut(struct github *g, const char *text, size_t n_bytes, struct body *out)
{
    *out = (struct body){.text = text, .n_bytes = n_bytes};
    const char *away = memmem(text, n_bytes, marker_away, AWAY);
    if (away && (away == text || away[-1] == '\n')) {
        take_out(g, out, away, AWAY);
        out->away = true;
    }
    const char *end = out->text + out->n_bytes;
    const char *at = out->text && out->n_bytes >= WHOLE ? last_marker(out->text, end) : NULL;
    if (!at)
        return;
    memcpy(out->key, at + OPENS, KEY_CHARS);
    take_out(g, out, at, WHOLE);
}

/* No body at all and an empty one are told apart by the line before the marker. */
struct sl_value marker_add(struct github *g, const struct sl_value *body, const char *key)
{
    struct sl_value v = {.name = "body", .type = SL_STRING};
    bool given = body && body->type != SL_NULL && body->type != SL_ABSENT;
    if (!key || !*key) {
        v = given ? *body : (struct sl_value){.type = SL_NULL};
        v.name = "body";
        return v;
    }
    v.text = given ? sl_pool_print(&g->call, "%.*s\n\n%s%s%s", (int)body->text_size, body->text, opens, key, closes)
                   : sl_pool_print(&g->call, "%s%s%s", opens, key, closes);
    v.text_size = strlen(v.text);
    return v;
}

/* --- keys of records that were read in this session --- */

static size_t slot(const char *object, const char *id)
{
    uint64_t h = (unsigned char)object[0];
    for (; *id; id++)
        h = h * 31 + (unsigned char)*id;
    return h % MARKS;
}

static void full_id(char out[ID_ROOM], const char *object, const char *id)
{
    snprintf(out, ID_ROOM, "%c%s", object[0], id);
}

void marker_note(struct github *g, const char *object, const char *id, const char *key)
{
    struct mark *m = &g->marks[slot(object, id)];
    full_id(m->id, object, id);
    snprintf(m->key, sizeof(m->key), "%s", key);
}

const char *marker_of(const struct github *g, const char *object, const char *id)
{
    char whole[ID_ROOM];
    const struct mark *m = &g->marks[slot(object, id)];
    full_id(whole, object, id);
    return strcmp(m->id, whole) == 0 ? m->key : NULL;
}
