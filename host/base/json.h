/* SPDX-License-Identifier: MIT */
/* json.h - the one JSON door: guarded reading with exact numbers and positions, and writing. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

enum json_type { JSON_NULL = 1, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_LIST, JSON_OBJECT };

/* A parsed document; owns its nodes. */
struct json_doc;
/* A node; borrowed from its document. */
struct json;

/* Reading rules. Zero means strict JSON with the default limits. */
struct json_rules {
    bool comments; /* allow // and block comments and trailing commas (config files) */
    bool positions; /* keep line and column of every node (config files) */
    size_t max_bytes; /* 0: 64 MiB */
    size_t max_nodes; /* 0: 1,000,000 */
    size_t max_depth; /* 0: 64 */
};

/*
 * Parses text behind the guard: valid UTF-8, no NUL, no lone surrogates, depth, node budget, no duplicate keys,
 * one value. Numbers keep their text. Returns NULL with e (ERR_INPUT; text begins "line L, column C: ").
 */
struct json_doc *json_parse(const char *text, size_t n_bytes, const struct json_rules *rules, struct err *e);
void json_free(struct json_doc *doc); /* accepts NULL */
const struct json *json_root(const struct json_doc *doc);

int json_type(const struct json *node);
const char *json_key(const struct json *node); /* the node's key in its object, or NULL */
bool json_bool(const struct json *node);
/* STRING: the text (size in *n_bytes if not NULL). NUMBER: its exact source text. Else NULL. */
const char *json_text(const struct json *node, size_t *n_bytes);
bool json_int(const struct json *node, int64_t *out); /* true if the number is an integer of 64 bits */
const struct json *json_get(const struct json *object, const char *key); /* NULL if absent */
const struct json *json_first(const struct json *container); /* children in document order */
const struct json *json_next(const struct json *node);
size_t json_count(const struct json *container);
/* 1-based line and column of a node's value (of its key if key is true); needs rules.positions. */
void json_where(const struct json_doc *doc, const struct json *node, bool key, int *line, int *column);

/* Writing straight into a buffer. */
void json_put_string(struct buf *out, const char *text, size_t n_bytes); /* with quotes */
void json_put_key(struct buf *out, const char *key); /* a comma if one is needed, then "key": */
void json_put_text(struct buf *out, const char *key, const char *text); /* both of them */
void json_put_node(struct buf *out, const struct json *node); /* compact, numbers exact, keys in source order */
void json_put_sorted(struct buf *out, const struct json *node); /* likewise with keys sorted: canonical */

#endif
