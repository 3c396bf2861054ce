/* SPDX-License-Identifier: MIT */
/* json_write.c - writing JSON: strings, keys, and nodes in source order or sorted. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

/* How a byte is written: 0 as it is, 'u' as \u00XX, else the letter behind the backslash. */
static const char escapes[256] = {
    ['"'] = '"', ['\\'] = '\\', [0] = 'u',  [1] = 'u',  [2] = 'u',  [3] = 'u',  [4] = 'u',  [5] = 'u',  [6] = 'u',
    [7] = 'u',   [8] = 'b',     [9] = 't',  [10] = 'n', [11] = 'u', [12] = 'f', [13] = 'r', [14] = 'u', [15] = 'u',
    [16] = 'u',  [17] = 'u',    [18] = 'u', [19] = 'u', [20] = 'u', [21] = 'u', [22] = 'u', [23] = 'u', [24] = 'u',
    [25] = 'u',  [26] = 'u',    [27] = 'u', [28] = 'u', [29] = 'u', [30] = 'u', [31] = 'u'};

static void put_escape(struct buf *out, unsigned char byte)
{
    char text[6] = {'\\', escapes[byte], '0', '0', '0', '0'};
    if (text[1] != 'u') {
        buf_add(out, text, 2);
        return;
    }
    char hex[3];
    hex_encode(&byte, 1, hex);
    memcpy(text + 4, hex, 2);
    buf_add(out, text, 6);
}

static void put_valid(struct buf *out, const char *text, size_t n_bytes)
{
    size_t start = 0;
    for (size_t i = 0; i < n_bytes; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (!escapes[byte])
            continue;
        buf_add(out, text + start, i - start);
        put_escape(out, byte);
        start = i + 1;
    }
    buf_add(out, text + start, n_bytes - start);
}

/* True if each of 8 bytes is printable ASCII and stands for itself. */
static bool plain8(const char *p)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    uint64_t w = 0;
    memcpy(&w, p, sizeof(w));
    uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\';
    return ((w | (w - ones * 0x20) | (quote - ones) | (slash - ones)) & high) == 0;
}

/* Most texts are of such bytes from end to end. */
static bool plain(const char *text, size_t n_bytes)
{
    size_t i = 0;
    while (n_bytes - i >= 8 && plain8(text + i))
        i += 8;
    while (i < n_bytes && (signed char)text[i] > 0 && !escapes[(unsigned char)text[i]])
        i++;
    return i == n_bytes;
}

/* What is not UTF-8 (a remote's bytes in a log line) becomes U+FFFD, so that the output always is JSON. */
void json_put_string(struct buf *out, const char *text, size_t n_bytes)
{
    size_t bad = 0;
    if (plain(text, n_bytes)) {
        char *at = buf_room(out, n_bytes + 2);
        at[0] = at[n_bytes + 1] = '"';
        if (n_bytes)
            memcpy(at + 1, text, n_bytes);
        buf_took(out, n_bytes + 2);
        return;
    }
    buf_byte(out, '"');
    while (n_bytes && !utf8_valid(text, n_bytes, &bad)) {
        put_valid(out, text, bad);
        buf_text(out, text[bad] ? "\xEF\xBF\xBD" : "\\u0000");
        text += bad + 1;
        n_bytes -= bad + 1;
    }
    if (n_bytes)
        put_valid(out, text, n_bytes);
    buf_byte(out, '"');
}

static void put_comma(struct buf *out)
{
    char last = out->size ? out->data[out->size - 1] : '{';
    if (last != '{' && last != '[')
        buf_byte(out, ',');
}

void json_put_key(struct buf *out, const char *key)
{
    put_comma(out);
    json_put_string(out, key, strlen(key));
    buf_byte(out, ':');
}

void json_put_text(struct buf *out, const char *key, const char *text)
{
    json_put_key(out, key);
    json_put_string(out, text, strlen(text));
}

static int by_key(const void *x, const void *y)
{
    const struct json *const *a = x;
    const struct json *const *b = y;
    return strcmp(json_key(*a), json_key(*b));
}

static void put_node(struct buf *out, const struct json *node, bool sorted);

static void put_child(struct buf *out, const struct json *child, bool sorted)
{
    if (json_key(child))
        json_put_key(out, json_key(child));
    else
        put_comma(out);
    put_node(out, child, sorted);
}

static void put_sorted_children(struct buf *out, const struct json *object)
{
    size_t n = json_count(object);
    const struct json **children = mem_grow(NULL, n * sizeof(*children));
    size_t i = 0;
    for (const struct json *c = json_first(object); c; c = json_next(c))
        children[i++] = c;
    qsort(children, n, sizeof(*children), by_key);
    for (i = 0; i < n; i++)
        put_child(out, children[i], true);
    mem_free(children);
}

static void put_container(struct buf *out, const struct json *node, bool sorted)
{
    bool object = json_type(node) == JSON_OBJECT;
    buf_byte(out, object ? '{' : '[');
    if (object && sorted) {
        put_sorted_children(out, node);
    } else {
        for (const struct json *c = json_first(node); c; c = json_next(c))
            put_child(out, c, sorted);
    }
    buf_byte(out, object ? '}' : ']');
}

/* Recursion is as deep as the document, which the guard bounds. */
static void put_node(struct buf *out, const struct json *node, bool sorted)
{
    size_t n_bytes = 0;
    switch (json_type(node)) {
    case JSON_LIST:
    case JSON_OBJECT:
        put_container(out, node, sorted);
        break;
    case JSON_STRING: {
        const char *text = json_text(node, &n_bytes);
        json_put_string(out, text, n_bytes);
        break;
    }
    case JSON_NUMBER:
        buf_text(out, json_text(node, NULL));
        break;
    case JSON_BOOL:
        buf_text(out, json_bool(node) ? "true" : "false");
        break;
    default:
        buf_text(out, "null");
    }
}

void json_put_node(struct buf *out, const struct json *node)
{
    put_node(out, node, false);
}

void json_put_sorted(struct buf *out, const struct json *node)
{
    put_node(out, node, true);
}
