/* SPDX-License-Identifier: MIT */
/* log.c - log lines on stderr: one JSON object a line, or readable on a terminal. */
#include "base/log.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"

static struct {
    bool readable;
    int level;
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

enum { PAIR, RUN, RECORD, MEMBERS = RECORD + 2 };
static const char *const member_names[MEMBERS] = {"pair", "run", "a", "b"};

/* One line's parts, already scrubbed; a member is empty if there is none. */
struct entry {
    char ts[32];
    const char *level;
    struct buf members[MEMBERS];
    struct buf msg;
};

static void put_json(struct buf *line, const struct entry *entry)
{
    buf_byte(line, '{');
    json_put_text(line, "ts", entry->ts);
    json_put_text(line, "level", entry->level);
    for (int i = 0; i < MEMBERS; i++) {
        if (entry->members[i].size == 0)
            continue;
        json_put_key(line, member_names[i]);
        json_put_string(line, entry->members[i].data, entry->members[i].size);
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
    if (entry->members[PAIR].size) {
        buf_add(line, entry->members[PAIR].data, entry->members[PAIR].size);
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

static void put_member(struct buf *out, const char *text)
{
    buf_text(out, text);
    out->size = log_scrub(out->data, out->size);
}

__attribute__((format(printf, 3, 0))) static void put_line(int level, const struct log_about *about, const char *format,
                                                           va_list args)
{
    struct entry entry = {.level = level_names[level]};
    struct buf line = {0};
    const char *const members[MEMBERS] = {about->pair, about->run, about->record[0], about->record[1]};
    buf_vprintf(&entry.msg, format, args);
    entry.msg.size = log_scrub(entry.msg.data, entry.msg.size);
    for (int i = 0; i < MEMBERS; i++)
        put_member(&entry.members[i], members[i]);
    timestamp_format(clock_now_ms(), 1, entry.ts);
    (state.readable ? put_readable : put_json)(&line, &entry);
    write_all(line.data, line.size);
    buf_fini(&line);
    for (int i = 0; i < MEMBERS; i++)
        buf_fini(&entry.members[i]);
    buf_fini(&entry.msg);
}

void log_about(int level, const struct log_about *about, const char *format, ...)
{
    va_list args;
    if (level > state.level)
        return;
    va_start(args, format);
    put_line(level, about, format, args);
    va_end(args);
}

void log_line(int level, const char *pair, const char *format, ...)
{
    va_list args;
    if (level > state.level)
        return;
    va_start(args, format);
    put_line(level, &(struct log_about){.pair = pair}, format, args);
    va_end(args);
}
