/* SPDX-License-Identifier: MIT */
/* log.c - log lines on stderr: one JSON object a line, or readable on a terminal; secrets scrubbed. */
#include "base/log.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"

/* Shorter values would blank out innocent words, and are no secrets. */
enum { SECRET_MIN_BYTES = 4, CUT_MIN_BYTES = 8 };

static struct {
    bool readable;
    int level;
    char **secrets;
    size_t n_secrets;
} state = {.level = LOG_INFO};

void log_init(bool readable, int level)
{
    state.readable = readable;
    state.level = level;
}

static const char *const level_names[] = {
    [LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};

bool log_level(const char *name)
{
    if (!name || !*name)
        return true;
    for (int i = LOG_ERROR; i <= LOG_DEBUG; i++)
        if (strcmp(level_names[i], name) == 0) {
            state.level = i;
            return true;
        }
    return false;
}

/* Longest first: a secret that contains another is hidden whole. */
static void keep_secret(const char *value)
{
    size_t n = strlen(value);
    for (size_t i = 0; i < state.n_secrets; i++)
        if (strcmp(state.secrets[i], value) == 0)
            return;
    state.secrets = mem_grow(state.secrets, (state.n_secrets + 1) * sizeof(*state.secrets));
    size_t at = state.n_secrets++;
    for (; at && strlen(state.secrets[at - 1]) < n; at--)
        state.secrets[at] = state.secrets[at - 1];
    state.secrets[at] = mem_dup(value);
}

void log_secret(const char *value)
{
    if (value && strlen(value) >= SECRET_MIN_BYTES)
        keep_secret(value);
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

static size_t scrub(char *text, size_t n_bytes)
{
    for (size_t i = 0; i < state.n_secrets; i++)
        for (size_t at = 0; at < n_bytes; at++) {
            size_t n = found(text + at, text + n_bytes, state.secrets[i]);
            if (n == 0)
                continue;
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

/* One line's parts, already scrubbed; pair is empty if there is none. */
struct entry {
    char ts[32];
    const char *level;
    struct buf pair;
    struct buf msg;
};

static void put_json(struct buf *line, const struct entry *entry)
{
    buf_byte(line, '{');
    json_put_key(line, "ts");
    json_put_string(line, entry->ts, strlen(entry->ts));
    json_put_key(line, "level");
    json_put_string(line, entry->level, strlen(entry->level));
    if (entry->pair.size) {
        json_put_key(line, "pair");
        json_put_string(line, entry->pair.data, entry->pair.size);
    }
    json_put_key(line, "msg");
    json_put_string(line, entry->msg.data, entry->msg.size);
    buf_text(line, "}\n");
}

/* A message may quote a remote: control characters (those of UTF-8's C1 too) must not reach the terminal. */
static void blank_controls(char *text, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        unsigned char next = i + 1 < n_bytes ? (unsigned char)text[i + 1] : 0;
        if (c < 0x20 || c == 0x7F)
            text[i] = ' ';
        else if (c == 0xC2 && next >= 0x80 && next <= 0x9F)
            text[i] = text[i + 1] = ' ';
    }
}

static void put_readable(struct buf *line, const struct entry *entry)
{
    buf_printf(line, "%.8s %s: ", entry->ts + 11, entry->level);
    if (entry->pair.size) {
        buf_add(line, entry->pair.data, entry->pair.size);
        buf_text(line, ": ");
    }
    buf_add(line, entry->msg.data, entry->msg.size);
    blank_controls(line->data, line->size);
    buf_byte(line, '\n');
}

/* One write per line: the lines of several processes on one stderr do not mix. */
static void write_all(const char *data, size_t n_bytes)
{
    while (n_bytes) {
        ssize_t n = write(STDERR_FILENO, data, n_bytes);
        if (n <= 0)
            return;
        data += n;
        n_bytes -= (size_t)n;
    }
}

void log_line(int level, const char *pair, const char *format, ...)
{
    if (level > state.level)
        return;
    struct entry entry = {.level = level_names[level]};
    struct buf line = {0};
    va_list args;
    va_start(args, format);
    buf_vprintf(&entry.msg, format, args);
    va_end(args);
    buf_text(&entry.pair, pair);
    entry.msg.size = scrub(entry.msg.data, entry.msg.size);
    entry.pair.size = scrub(entry.pair.data, entry.pair.size);
    timestamp_format(clock_now_ms(), 1, entry.ts);
    (state.readable ? put_readable : put_json)(&line, &entry);
    write_all(line.data, line.size);
    buf_fini(&line);
    buf_fini(&entry.pair);
    buf_fini(&entry.msg);
}
