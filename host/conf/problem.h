/* SPDX-License-Identifier: MIT */
/* problem.h - what is wrong with a config, each problem with its place, told in the order of the file. */
#ifndef CONF_PROBLEM_H
#define CONF_PROBLEM_H

#include "base/json.h"

struct problem;

/* The list of a file. Zero-initialise with file and doc; problem_fini frees it. */
struct problems {
    const char *file;
    const struct json_doc *doc;
    struct problem *list;
    size_t n;
};

/* Which place of a node a problem is at. */
enum problem_place { AT_VALUE = 1, AT_KEY };

/* Adds a problem; the sentence is "what; what to do", without path and place. */
void problem_at(struct problems *p, const struct json *node, int place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Likewise for a key that object should have: the place is the object's, the path the key's ("settings.root" is one, too). */
void problem_missing(struct problems *p, const struct json *object, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Adds one that belongs to the whole file: told first, as "file: sentence". */
void problem_file(struct problems *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds a refusal of the JSON reader, whose text begins "line L, column C: ". */
void problem_syntax(struct problems *p, const char *text);
/* Appends all of them to out, sorted by place, one a line. */
void problem_tell(struct problems *p, struct buf *out);
void problem_fini(struct problems *p);
/* Where a node is, as a person would say it: its path. Appends. */
void problem_path(const struct problems *p, const struct json *node, struct buf *out);

#endif
