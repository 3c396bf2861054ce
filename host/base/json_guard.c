/* SPDX-License-Identifier: MIT */
/* json_guard.c - the strict scanner before the JSON parser: refuses what is not JSON, keeps numbers as their text. */
#include "base/json_guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Editors on Windows put it before UTF-8. */
#define BOM "\xEF\xBB\xBF"

/* One pass over the text. What needs no change is copied in runs: text[copied..at] is still to be copied. */
struct guard {
    const char *text;
    size_t size;
    size_t at;
    size_t copied;
    size_t nodes_left;
    size_t depth_left;
    const struct json_rules *rules;
    struct buf *out;
    struct buf *places;
    struct buf keys; /* struct seen_key: of every object that is open, the innermost last */
    struct buf unescaped; /* the key at hand, if it has escapes */
    struct err *e;
};

/* Keys are compared by a 64-bit hash: a collision by accident is not to be expected, one by design only gets a refusal. */
struct seen_key {
    uint64_t hash;
    size_t at;
};

void json_locate(const char *text, size_t offset, struct json_spot *spot)
{
    if (!spot->line || offset < spot->offset)
        *spot = (struct json_spot){offset >= 3 && memcmp(text, BOM, 3) == 0 ? 3 : 0, 1, 1};
    for (; spot->offset < offset; spot->offset++) {
        unsigned char byte = (unsigned char)text[spot->offset];
        if (byte == '\n') {
            ++spot->line;
            spot->column = 1;
        } else if ((byte & 0xC0) != 0x80) {
            ++spot->column;
        }
    }
}

static bool refuse(struct guard *g, size_t at, const char *what)
{
    struct json_spot spot = {0};
    json_locate(g->text, at, &spot);
    err_set(g->e, ERR_INPUT, "line %d, column %d: %s", spot.line, spot.column, what);
    return false;
}

/* The byte at hand; 0, which valid text does not hold, at its end. */
static char peek(const struct guard *g)
{
    return g->at < g->size ? g->text[g->at] : '\0';
}

static bool refuse_found(struct guard *g, const char *wanted)
{
    char what[160];
    char c = peek(g);
    if (!c)
        snprintf(what, sizeof(what), "the text ends where %s should be; it may have been cut off", wanted);
    else if (c == '/' && !g->rules->comments)
        snprintf(what, sizeof(what), "expected %s, found '/'; comments are not allowed here", wanted);
    else if ((unsigned char)c > 0x20 && (unsigned char)c < 0x7F)
        snprintf(what, sizeof(what), "expected %s, found '%c'", wanted, c);
    else
        snprintf(what, sizeof(what), "expected %s, found a character that does not belong here", wanted);
    return refuse(g, g->at, what);
}

static void flush(struct guard *g)
{
    buf_add(g->out, g->text + g->copied, g->at - g->copied);
    g->copied = g->at;
}

/* Takes text[from..to] out: what the parser gets is a blank less. */
static void leave_out(struct guard *g, size_t from, size_t to)
{
    g->at = from;
    flush(g);
    g->at = to;
    g->copied = to;
}

/* Skips the comment at hand. */
static bool skip_comment(struct guard *g)
{
    size_t from = g->at;
    const char *start = g->text + from;
    bool block = g->size - from > 1 && start[1] == '*';
    if (!block && !(g->size - from > 1 && start[1] == '/'))
        return refuse(g, from, "a lone '/'; a comment begins with // or /*");
    const char *end = block ? memmem(start + 2, g->size - from - 2, "*/", 2) : memchr(start, '\n', g->size - from);
    if (!end && block)
        return refuse(g, from, "this comment does not end; add */");
    size_t to = end ? (size_t)(end - g->text) + (block ? 2 : 1) : g->size;
    leave_out(g, from, to);
    return true;
}

static bool skip_blank(struct guard *g)
{
    for (;;) {
        char c = peek(g);
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
            g->at++;
        else if (c != '/' || !g->rules->comments)
            return true;
        else if (!skip_comment(g))
            return false;
    }
}

/* Reads the four digits of a \u escape at text[at]. */
static bool hex4(const struct guard *g, size_t at, unsigned *out)
{
    char digits[5] = {0};
    unsigned char bytes[2] = {0};
    if (g->size < 4 || at > g->size - 4)
        return false;
    memcpy(digits, g->text + at, 4);
    if (!hex_decode(digits, bytes, 2))
        return false;
    *out = (unsigned)bytes[0] << 8 | bytes[1];
    return true;
}

/* Reads the \u escape whose backslash is at hand, with its second half if it is a surrogate pair. */
static bool unicode_escape(struct guard *g, unsigned *out)
{
    unsigned low = 0;
    size_t at = g->at;
    if (!hex4(g, at + 2, out))
        return refuse(g, at, "\\u needs four hexadecimal digits");
    g->at = at + 6;
    if (*out == 0)
        return refuse(g, at, "\\u0000 cannot be kept in a text; remove it at its source");
    if (*out < 0xD800 || *out > 0xDFFF)
        return true;
    bool pair = *out < 0xDC00 && g->size - g->at >= 6 && g->text[g->at] == '\\' && g->text[g->at + 1] == 'u' &&
                hex4(g, g->at + 2, &low) && low >= 0xDC00 && low <= 0xDFFF;
    if (!pair)
        return refuse(g, at, "half a surrogate pair; it is no character by itself");
    *out = 0x10000 + ((*out - 0xD800) << 10) + (low - 0xDC00);
    g->at += 6;
    return true;
}

/* Reads the escape at hand. */
static bool escape(struct guard *g, unsigned *out)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    char letter = g->size - g->at > 1 ? g->text[g->at + 1] : '\0';
    if (letter == 'u')
        return unicode_escape(g, out);
    const char *hit = letter ? strchr(letters, letter) : NULL;
    if (!hit)
        return refuse(g, g->at, "JSON has no such escape; write a backslash as \\\\");
    *out = (unsigned char)meanings[hit - letters];
    g->at += 2;
    return true;
}

static void put_character(struct buf *out, unsigned c)
{
    if (c < 0x80) {
        buf_byte(out, (int)c);
    } else if (c < 0x800) {
        buf_byte(out, (int)(0xC0 | c >> 6));
        buf_byte(out, (int)(0x80 | (c & 63)));
    } else if (c < 0x10000) {
        buf_byte(out, (int)(0xE0 | c >> 12));
        buf_byte(out, (int)(0x80 | (c >> 6 & 63)));
        buf_byte(out, (int)(0x80 | (c & 63)));
    } else {
        buf_byte(out, (int)(0xF0 | c >> 18));
        buf_byte(out, (int)(0x80 | (c >> 12 & 63)));
        buf_byte(out, (int)(0x80 | (c >> 6 & 63)));
        buf_byte(out, (int)(0x80 | (c & 63)));
    }
}

/* Bytes a string holds as they are: all but the quote, the backslash and control characters. */
static bool plain(char c)
{
    return c != '"' && c != '\\' && (unsigned char)c >= 0x20;
}

/* Skips the string at hand; if text is not NULL the string without its escapes is appended to it. */
static bool skip_string(struct guard *g, struct buf *text)
{
    size_t start = g->at++;
    for (;;) {
        size_t from = g->at;
        unsigned c = 0;
        while (g->at < g->size && plain(g->text[g->at]))
            g->at++;
        if (text)
            buf_add(text, g->text + from, g->at - from);
        if (g->at == g->size)
            return refuse(g, start, "this string does not end; add the closing quote");
        if (g->text[g->at] == '"')
            break;
        if (g->text[g->at] != '\\')
            return refuse(g, g->at, "a control character in a string; write it as an escape such as \\n or \\u0009");
        if (!escape(g, &c))
            return false;
        if (text)
            put_character(text, c);
    }
    g->at++;
    return true;
}

/* A string value that begins with the mark gets another before it. */
static bool string_value(struct guard *g)
{
    static const char mark[JSON_MARK_BYTES] = {JSON_MARK, JSON_MARK_STRING};
    if (g->size - g->at > 6 && memcmp(g->text + g->at, "\"\\u0001", 7) == 0) {
        g->at++;
        flush(g);
        buf_add(g->out, mark, sizeof(mark));
        g->at--;
    }
    return skip_string(g, NULL);
}

static bool skip_digits(struct guard *g)
{
    size_t start = g->at;
    while (peek(g) >= '0' && peek(g) <= '9')
        g->at++;
    return g->at > start;
}

/* -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool skip_number(struct guard *g)
{
    if (peek(g) == '-')
        g->at++;
    if (peek(g) == '0')
        g->at++;
    else if (!skip_digits(g))
        return false;
    if (peek(g) == '.') {
        g->at++;
        if (!skip_digits(g))
            return false;
    }
    if (peek(g) == 'e' || peek(g) == 'E') {
        g->at++;
        if (peek(g) == '+' || peek(g) == '-')
            g->at++;
        if (!skip_digits(g))
            return false;
    }
    char next = peek(g);
    return !next || !strchr("0123456789+-.eE", next);
}

static bool number_value(struct guard *g)
{
    static const char before[] = {'"', JSON_MARK, JSON_MARK_NUMBER};
    size_t start = g->at;
    flush(g);
    if (!skip_number(g))
        return refuse(g, start, "this is not a number as JSON writes it; put it in quotes or write it like -12.5e3");
    buf_add(g->out, before, sizeof(before));
    flush(g);
    buf_byte(g->out, '"');
    return true;
}

static bool literal_value(struct guard *g)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        size_t n = strlen(words[i]);
        if (g->size - g->at >= n && memcmp(g->text + g->at, words[i], n) == 0) {
            g->at += n;
            return true;
        }
    }
    return refuse_found(g, "a value");
}

static bool read_key(struct guard *g)
{
    if (peek(g) != '"')
        return refuse_found(g, "a key in double quotes");
    struct seen_key key = {0, g->at};
    if (!skip_string(g, NULL))
        return false;
    const char *text = g->text + key.at + 1;
    size_t n_bytes = g->at - key.at - 2;
    if (memchr(text, '\\', n_bytes)) {
        buf_clear(&g->unescaped);
        g->at = key.at;
        skip_string(g, &g->unescaped);
        text = g->unescaped.data;
        n_bytes = g->unescaped.size;
    }
    key.hash = hash64(text, n_bytes);
    buf_add(&g->keys, &key, sizeof(key));
    return true;
}

static int by_hash(const void *x, const void *y)
{
    const struct seen_key *a = x;
    const struct seen_key *b = y;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return a->at < b->at ? -1 : 1;
}

/* Sorted: a remote may send an object of a million keys. */
static void sort_keys(struct seen_key *keys, size_t n)
{
    enum { FEW = 12 };
    if (n > FEW) {
        qsort(keys, n, sizeof(*keys), by_hash);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        struct seen_key key = keys[i];
        size_t k = i;
        for (; k && keys[k - 1].hash > key.hash; k--)
            keys[k] = keys[k - 1];
        keys[k] = key;
    }
}

/* Ends an object whose keys begin at base: none may occur twice. */
static bool end_keys(struct guard *g, size_t base)
{
    size_t n = (g->keys.size - base) / sizeof(struct seen_key);
    size_t twice = g->size;
    if (n > 1) {
        struct seen_key *keys = (struct seen_key *)(void *)(g->keys.data + base);
        sort_keys(keys, n);
        for (size_t i = 1; i < n; i++)
            if (keys[i].hash == keys[i - 1].hash && keys[i].at < twice)
                twice = keys[i].at;
    }
    g->keys.size = base;
    return twice == g->size || refuse(g, twice, "this key occurs twice in its object; keep one");
}

static bool read_value(struct guard *g, size_t key_at);

static bool read_member(struct guard *g)
{
    size_t key_at = g->at;
    if (!read_key(g) || !skip_blank(g))
        return false;
    if (peek(g) != ':')
        return refuse_found(g, "':' after the key");
    g->at++;
    return skip_blank(g) && read_value(g, key_at);
}

/* Reads what stands behind an item: the closing bracket stays, a comma goes. */
static bool read_separator(struct guard *g, char close)
{
    if (!skip_blank(g))
        return false;
    if (peek(g) == close)
        return true;
    if (peek(g) != ',')
        return refuse_found(g, close == '}' ? "',' or '}'" : "',' or ']'");
    size_t comma = g->at++;
    size_t copied = g->copied;
    size_t out_size = g->out->size;
    if (!skip_blank(g))
        return false;
    if (peek(g) != close)
        return true;
    if (!g->rules->comments)
        return refuse(g, comma, "a comma after the last item; remove it");
    /* comments behind the comma may have been left out already: go back and leave out the comma with them */
    g->out->size = out_size;
    g->copied = copied;
    leave_out(g, comma, g->at);
    return true;
}

static bool read_container(struct guard *g, bool object)
{
    char close = object ? '}' : ']';
    size_t base = g->keys.size;
    if (g->depth_left == 0)
        return refuse(g, g->at, "nested too deep; flatten the data");
    g->depth_left--;
    g->at++;
    if (!skip_blank(g))
        return false;
    while (peek(g) != close)
        if (!(object ? read_member(g) : read_value(g, g->at)) || !read_separator(g, close))
            return false;
    g->at++;
    g->depth_left++;
    return !object || end_keys(g, base);
}

static bool read_value(struct guard *g, size_t key_at)
{
    if (g->nodes_left == 0)
        return refuse(g, g->at, "more values than allowed; split the text into smaller parts");
    g->nodes_left--;
    if (g->places) {
        struct json_place place = {g->at, key_at};
        buf_add(g->places, &place, sizeof(place));
    }
    char c = peek(g);
    if (c == '"')
        return string_value(g);
    if (c == '{' || c == '[')
        return read_container(g, c == '{');
    if (c == '-' || (c >= '0' && c <= '9'))
        return number_value(g);
    return literal_value(g);
}

static bool read_text(struct guard *g)
{
    size_t bad = 0;
    if (g->size > g->rules->max_bytes)
        return refuse(g, 0, "the text is larger than allowed; split it into smaller parts");
    if (!utf8_valid(g->text, g->size, &bad))
        return refuse(g, bad, g->text[bad] ? "this is not UTF-8; save the text as UTF-8" : "a NUL byte; remove it");
    if (g->size >= 3 && memcmp(g->text, BOM, 3) == 0)
        g->at = g->copied = 3;
    if (!skip_blank(g) || !read_value(g, g->at) || !skip_blank(g))
        return false;
    if (g->at < g->size)
        return refuse_found(g, "the end of the text");
    flush(g);
    return true;
}

bool json_guard(const char *text, size_t n_bytes, const struct json_rules *rules, struct buf *out, struct buf *places,
                struct err *e)
{
    struct guard g = {.text = text,
                      .size = n_bytes,
                      .nodes_left = rules->max_nodes,
                      .depth_left = rules->max_depth,
                      .rules = rules,
                      .out = out,
                      .places = places,
                      .e = e};
    bool good = read_text(&g);
    buf_fini(&g.keys);
    buf_fini(&g.unescaped);
    return good;
}
