/* SPDX-License-Identifier: MIT */
/* log.h - log lines on stderr: one JSON object a line, or readable on a terminal; secrets scrubbed. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level { LOG_ERROR = 1, LOG_WARN = 2, LOG_INFO = 3, LOG_DEBUG = 4 };

/* readable: for a person at a terminal. Lines above level are dropped. */
void log_init(bool readable, int level);
/* Sets the level by its name; NULL and "" leave it. False if it is no level. */
bool log_level(const char *name);
/* Registers a secret value: it is replaced by *** in every later line (and by log_scrub), however JSON, a URL or base64 may spell it there. */
void log_secret(const char *value);
/* Replaces registered secrets in place; how many bytes are left. */
size_t log_scrub(char *text, size_t n_bytes);
/* What a line is about, each a member of its own in JSON; NULL: it is about none. */
struct log_about {
    const char *pair, *run, *record[2]; /* the record's id on each side: members a and b */
};
void log_about(int level, const struct log_about *about, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* pair may be NULL. */
void log_line(int level, const char *pair, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
