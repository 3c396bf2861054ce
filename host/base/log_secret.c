/* SPDX-License-Identifier: MIT */
/* log_secret.c - no secret reaches a log: each registered one is replaced by ***, in whichever spelling it stands there. */
#include <ctype.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

/* Shorter values would blank out innocent words, and are no secrets. */
enum { SECRET_MIN_BYTES = 4, CUT_MIN_BYTES = 8 };

struct secret {
    char *text;
    bool base64; /* a piece of what a secret becomes in base64: the word it stands in is hidden whole */
};
static struct {
    struct secret *secrets;
    size_t n_secrets;
} state;

/* Longest first: a secret that contains another is hidden whole. */
static void keep_secret(const char *value, bool base64)
{
    size_t n = strlen(value);
    for (size_t i = 0; i < state.n_secrets; i++)
        if (strcmp(state.secrets[i].text, value) == 0)
            return;
    state.secrets = mem_grow(state.secrets, (state.n_secrets + 1) * sizeof(*state.secrets));
    size_t at = state.n_secrets++;
    for (; at && strlen(state.secrets[at - 1].text) < n; at--)
        state.secrets[at] = state.secrets[at - 1];
    state.secrets[at] = (struct secret){mem_dup(value), base64};
}

/* Six bits of the secret from that bit on. */
static unsigned six_bits(const char *secret, size_t bit)
{
    unsigned two = (unsigned)(unsigned char)secret[bit / 8] << 8 | (unsigned char)secret[bit / 8 + 1];
    return two >> (10 - bit % 8) & 63;
}

/*
 * What the secret becomes within base64 or base64url, as in `user:secret` that Basic auth sends: it depends on how many bytes stand before it, modulo
 * three, and the letters at both ends also on its neighbours.
 */
static void keep_base64(const char *secret)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    static const char ends[2][3] = {"+/", "-_"};
    size_t n_bits = 8 * strlen(secret);
    for (size_t before = 0; before < 3; before++)
        for (int alphabet = 0; alphabet < 2; alphabet++) {
            struct buf word = {0};
            for (size_t bit = (6 - 8 * before % 6) % 6; bit + 6 <= n_bits; bit += 6) {
                unsigned six = six_bits(secret, bit);
                buf_byte(&word, six < 62 ? letters[six] : ends[alphabet][six - 62]);
            }
            if (word.size >= SECRET_MIN_BYTES)
                keep_secret(word.data, true);
            buf_fini(&word);
        }
}

void log_secret(const char *value)
{
    if (!value || strlen(value) < SECRET_MIN_BYTES)
        return;
    keep_secret(value, false);
    keep_base64(value);
}

/* Cuts the secret at `at` out of text: *** and the rest moved up. Returns the new size. */
static size_t blank(char *text, size_t n_bytes, char *at, size_t n_secret)
{
    char *rest = at + n_secret;
    memcpy(at, "***", 3);
    memmove(at + 3, rest, n_bytes - (size_t)(rest - text));
    return n_bytes - n_secret + 3;
}

/* One character as a text holds it: its bytes, and how many of the text's bytes it takes up; 0: it is not spelled in this way. */
static size_t plain_char(const char *at, const char *end, char out[4], size_t *n_out)
{
    (void)end;
    *out = *at;
    *n_out = 1;
    return 1;
}

/* The number that n hex digits are, or -1. */
static int hex_number(const char *at, const char *end, int n)
{
    int number = 0;
    for (; n > 0 && at < end && isxdigit((unsigned char)*at); n--, at++)
        number = number * 16 + (*at <= '9' ? *at - '0' : (*at | 0x20) - 'a' + 10);
    return n ? -1 : number;
}

static int json_unit(const char *at, const char *end)
{
    return end - at >= 6 && at[0] == '\\' && at[1] == 'u' ? hex_number(at + 2, end, 4) : -1;
}

static size_t put_utf8(unsigned point, char out[4])
{
    size_t n = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n; i-- > 1; point >>= 6)
        out[i] = (char)(0x80 | (point & 0x3F));
    out[0] = (char)(lead[n] | point);
    return n;
}

static size_t json_char(const char *at, const char *end, char out[4], size_t *n_out)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (*at != '\\')
        return plain_char(at, end, out, n_out);
    const char *letter = end - at >= 2 && at[1] ? strchr(letters, at[1]) : NULL;
    if (letter)
        return plain_char(&meant[letter - letters], end, out, n_out) + 1;
    int high = json_unit(at, end), low = high >= 0xD800 && high < 0xDC00 ? json_unit(at + 6, end) : -1;
    if (high < 0)
        return 0;
    *n_out = put_utf8(
        low >= 0xDC00 ? 0x10000u + (((unsigned)high - 0xD800) << 10) + ((unsigned)low - 0xDC00) : (unsigned)high, out);
    return low >= 0xDC00 ? 12 : 6;
}

/* As queries and forms hold it. */
static size_t url_char(const char *at, const char *end, char out[4], size_t *n_out)
{
    int coded = *at == '%' ? hex_number(at + 1, end, 2) : -1;
    *n_out = 1;
    *out = (char)(coded >= 0 ? coded : *at == '+' ? ' ' : *at);
    return coded >= 0 ? 3 : *at != '%';
}

typedef size_t spelling(const char *at, const char *end, char out[4], size_t *n_out);
static spelling *const spellings[] = {plain_char, json_char, url_char};

/* How many bytes of the text are the secret, spelled in this way; 0: it is not there. A text may have been cut within it. */
static size_t spelled(spelling *next, const char *text, const char *end, const char *secret)
{
    const char *at = text, *whole = secret;
    while (*secret && at < end) {
        char one[4];
        size_t n_one = 0, n = next(at, end, one, &n_one);
        if (n == 0 || strncmp(secret, one, n_one) != 0)
            return 0;
        secret += n_one;
        at += n;
    }
    return !*secret || secret - whole >= CUT_MIN_BYTES ? (size_t)(at - text) : 0;
}

static size_t found(const char *text, const char *end, const char *secret)
{
    size_t n = 0;
    if (*text != *secret && !strchr("\\%+", *text)) /* most of a text is passed over here */
        return 0;
    for (size_t i = 0; n == 0 && i < sizeof spellings / sizeof *spellings; i++)
        n = spelled(spellings[i], text, end, secret);
    return n;
}

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("+/-_=%", c));
}

/* The letters beside it hold what is left of the secret, and who it belongs to. */
static void widen(const char *text, size_t n_bytes, size_t *at, size_t *n)
{
    while (*at && text[*at - 1] != '=' && in_word(text[*at - 1]))
        (*at)--, (*n)++;
    while (*at + *n < n_bytes && in_word(text[*at + *n]))
        (*n)++;
}

static size_t scrub(char *text, size_t n_bytes)
{
    for (size_t i = 0; i < state.n_secrets; i++)
        for (size_t at = 0; at < n_bytes; at++) {
            size_t n = found(text + at, text + n_bytes, state.secrets[i].text);
            if (n == 0)
                continue;
            if (state.secrets[i].base64)
                widen(text, n_bytes, &at, &n);
            n_bytes = blank(text, n_bytes, text + at, n);
            at += 2;
        }
    return n_bytes;
}

/* The text gets shorter: what is left over behind it is zeroed. */
size_t log_scrub(char *text, size_t n_bytes)
{
    size_t left = scrub(text, n_bytes);
    memset(text + left, 0, n_bytes - left);
    return left;
}
