/* SPDX-License-Identifier: MIT */
/* keys.h - reads a JSON object by a table of its keys: kinds, words, ranges, what is required, what is unknown. */
#ifndef CONF_KEYS_H
#define CONF_KEYS_H

#include "conf/problem.h"

/* What a key holds, and what is put at its offset. */
enum key_kind {
    KEY_STRING = 1, /* const char *, not empty */
    KEY_WORD, /* int: the word's value */
    KEY_INT, /* int64_t within [min, max] */
    KEY_BOOL, /* bool */
    KEY_DURATION, /* int64_t milliseconds, at least min */
    KEY_SCALAR, /* const char *: a string, or the JSON text of a number or bool */
    KEY_OBJECT, /* const struct json *; if table is set it is read by that, at the same target */
    KEY_LIST, /* const struct json * */
    KEY_NODE, /* const struct json *: anything */
    KEY_IGNORED,
    KEY_NOT_YET /* a key of the contract that this version refuses */
};

/* A word of a KEY_WORD; value 0: of the contract, but refused by this version. A list ends with a NULL text. */
struct word {
    const char *text;
    int value;
};

struct key_table;

struct key {
    const char *name;
    int kind; /* enum key_kind */
    size_t offset; /* in the target */
    bool required;
    bool schedule; /* says when, not what: no part of a pair's digest */
    const char *help; /* what a missing required key is */
    const struct word *words;
    int64_t min, max;
    const struct key_table *table;
};

struct key_table {
    const char *name; /* of the definition in the JSON Schema */
    const struct key *keys;
    size_t n_keys;
};

/*
 * Reads object by the table into target, texts copied into the arena; what is not there stays as it was. All problems are
 * added. Returns false if object is no object.
 */
bool keys_read(struct problems *p, struct arena *a, const struct key_table *table, const struct json *object,
               void *target);

/* True if the node is a string with something in it; else a problem is added. `what` may end the sentence. */
bool keys_string(struct problems *p, const struct json *node);
/* True if the node is of a JSON type; else a problem is added. */
bool keys_type(struct problems *p, const struct json *node, int json_type);
/* Adds the problem of an unknown key, with the nearest of the known ones or all of them. */
void keys_unknown(struct problems *p, const struct json *child, const char *const *known, size_t n_known);
/* "a number", "an object": a node's type, for a sentence. */
const char *keys_type_name(const struct json *node);
/* "a", "b" and "c" of a list, as `a, b, c`. Appends. */
void keys_list(struct buf *out, const char *const *words, size_t n_words);
/* True if the name is made of a-z, 0-9, _ and -, begins with a letter or digit and is no longer than 100; else a problem at place. */
bool keys_name(struct problems *p, const struct json *node, int place, const char *name);
/* A scalar node as the text it prints as, in the arena; NULL for a list or object. */
const char *keys_scalar(struct arena *a, const struct json *node);

#endif
