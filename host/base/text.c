/* SPDX-License-Identifier: MIT */
/* text.c - small text tools: UTF-8, hex, nearest word, durations. */
#include "base/text.h"

#include <string.h>

/* The bytes of the character that starts at p, or 0 if it is no valid UTF-8 or NUL (Unicode table 3-7). */
static size_t character(const unsigned char *p, size_t n)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high, size;
    } shapes[] = {{0x01, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
                  {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
                  {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4}};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
        if (p[0] < shapes[i].first_low || p[0] > shapes[i].first_high)
            continue;
        size_t size = shapes[i].size;
        if (size > n || (size > 1 && (p[1] < shapes[i].second_low || p[1] > shapes[i].second_high)))
            return 0;
        for (size_t k = 2; k < size; k++)
            if ((p[k] & 0xC0) != 0x80)
                return 0;
        return size;
    }
    return 0;
}

/* True if none of 8 bytes is NUL or beyond ASCII. */
static bool plain8(const unsigned char *p)
{
    uint64_t w = 0;
    memcpy(&w, p, sizeof(w));
    const uint64_t high = 0x8080808080808080u;
    return ((w - 0x0101010101010101u) & high) == 0 && (w & high) == 0;
}

bool utf8_valid(const void *data, size_t n_bytes, size_t *bad)
{
    const unsigned char *p = data;
    size_t i = 0;
    for (;;) {
        while (n_bytes - i >= 8 && plain8(p + i))
            i += 8;
        while (i < n_bytes && (signed char)p[i] > 0)
            i++;
        if (i == n_bytes)
            return true;
        size_t size = character(p + i, n_bytes - i);
        if (!size)
            break;
        i += size;
    }
    if (bad)
        *bad = i;
    return false;
}

size_t int_format(int64_t n, char out[INT_TEXT_BYTES])
{
    char digits[INT_TEXT_BYTES];
    size_t n_digits = 0, at = 0;
    uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    do {
        digits[n_digits++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (n < 0)
        out[at++] = '-';
    while (n_digits)
        out[at++] = digits[--n_digits];
    out[at] = '\0';
    return at;
}

bool text_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

void hex_encode(const void *data, size_t n_bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = data;
    for (size_t i = 0; i < n_bytes; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * n_bytes] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_decode(const char *hex, void *out, size_t n_bytes)
{
    unsigned char *p = out;
    if (strlen(hex) != 2 * n_bytes)
        return false;
    for (size_t i = 0; i < n_bytes; i++) {
        int high = hex_digit(hex[2 * i]);
        int low = hex_digit(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        p[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}

enum { WORD_MAX = 64 };

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static size_t smaller(size_t x, size_t y)
{
    return x < y ? x : y;
}

/* Edits between two words of at most WORD_MAX bytes: insert, delete, replace, swap of neighbours; case does not count. */
static size_t distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
    size_t rows[3][WORD_MAX + 1];
    for (size_t k = 0; k <= n_b; k++)
        rows[0][k] = k;
    for (size_t i = 1; i <= n_a; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        row[0] = i;
        for (size_t k = 1; k <= n_b; k++) {
            size_t replaced = above[k - 1] + (lower(a[i - 1]) != lower(b[k - 1]));
            row[k] = smaller(replaced, smaller(above[k], row[k - 1]) + 1);
            if (i > 1 && k > 1 && lower(a[i - 1]) == lower(b[k - 2]) && lower(a[i - 2]) == lower(b[k - 1]))
                row[k] = smaller(row[k], rows[(i + 1) % 3][k - 2] + 1);
        }
    }
    return rows[n_a % 3][n_b];
}

const char *nearest_word(const char *text, const char *const *words, size_t n_words)
{
    size_t n = strlen(text);
    size_t best = n / 3 > 1 ? n / 3 : 1;
    const char *found = NULL;
    if (n > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < n_words; i++) {
        size_t n_word = strlen(words[i]);
        if (n_word > WORD_MAX)
            continue;
        size_t d = distance(text, n, words[i], n_word);
        /* a word of which nothing is left after the edits is no suggestion */
        if (d < n && (found ? d < best : d <= best)) {
            best = d;
            found = words[i];
        }
    }
    return found;
}

bool duration_parse(const char *text, int64_t *ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    int64_t n = 0;
    const char *c = text;
    for (; *c >= '0' && *c <= '9'; c++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *c - '0', &n))
            return false;
    if (c == text)
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
        if (strcmp(c, units[i].name) == 0)
            return !__builtin_mul_overflow(n, units[i].ms, ms);
    return false;
}
