/* SPDX-License-Identifier: MIT */
/* log.c - log lines on stderr: one JSON object a line, or readable on a terminal; secrets scrubbed. */
#include "base/log.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"

/* Shorter values would blank out innocent words, and are no secrets. */
enum { SECRET_MIN_BYTES = 4 };

static struct {
    bool readable;
    int level;
    char **secrets; /* each as it is and, where that differs, as JSON writes it */
    size_t n_secrets;
} state = {.level = LOG_INFO};

void log_init(bool readable, int level)
{
    state.readable = readable;
    state.level = level;
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
    if (!value || strlen(value) < SECRET_MIN_BYTES)
        return;
    struct buf escaped = {0};
    json_put_string(&escaped, value, strlen(value));
    escaped.data[escaped.size - 1] = '\0';
    keep_secret(value);
    keep_secret(escaped.data + 1);
    buf_fini(&escaped);
}

/* Cuts the secret at `at` out of text: *** and the rest moved up. Returns the new size. */
static size_t blank(char *text, size_t n_bytes, char *at, size_t n_secret)
{
    char *rest = at + n_secret;
    memcpy(at, "***", 3);
    memmove(at + 3, rest, n_bytes - (size_t)(rest - text));
    return n_bytes - n_secret + 3;
}

static size_t scrub(char *text, size_t n_bytes)
{
    for (size_t i = 0; i < state.n_secrets; i++) {
        size_t n_secret = strlen(state.secrets[i]);
        char *from = text;
        char *hit = NULL;
        while ((hit = memmem(from, n_bytes - (size_t)(from - text), state.secrets[i], n_secret)) != NULL) {
            n_bytes = blank(text, n_bytes, hit, n_secret);
            from = hit + 3;
        }
    }
    return n_bytes;
}

/* The text gets shorter: what is left over behind it is zeroed. */
void log_scrub(char *text, size_t n_bytes)
{
    size_t left = scrub(text, n_bytes);
    memset(text + left, 0, n_bytes - left);
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
    static const char *const names[] = {
        [LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};
    if (level > state.level)
        return;
    struct entry entry = {.level = names[level]};
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
