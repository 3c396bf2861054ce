/* SPDX-License-Identifier: MIT */
/* keys.c - reads a JSON object by a table of its keys: kinds, words, ranges, what is required, what is unknown. */
#include "conf/keys.h"

#include <string.h>

#include "base/text.h"

enum { NAME_BYTES_MAX = 100 };

/* One key being read. */
struct reading {
    struct problems *p;
    struct arena *a;
    const struct key *key;
    const struct json *node;
    void *target;
};

static const struct {
    const char *name, *advice;
} types[] = {[JSON_NULL] = {"null", ""},
             [JSON_BOOL] = {"a bool", "write true or false"},
             [JSON_NUMBER] = {"a number", "write digits without quotes"},
             [JSON_STRING] = {"a string", "write it in double quotes"},
             [JSON_LIST] = {"a list", "write it in [ ]"},
             [JSON_OBJECT] = {"an object", "write it in { }"}};

const char *keys_type_name(const struct json *node)
{
    return types[json_type(node)].name;
}

bool keys_type(struct problems *p, const struct json *node, int type)
{
    if (json_type(node) == type)
        return true;
    problem_at(p, node, AT_VALUE, "%s where %s is expected; %s", keys_type_name(node), types[type].name,
               types[type].advice);
    return false;
}

bool keys_string(struct problems *p, const struct json *node)
{
    if (!keys_type(p, node, JSON_STRING))
        return false;
    if (json_text(node, NULL)[0])
        return true;
    problem_at(p, node, AT_VALUE, "the text is empty; fill it in or remove the key");
    return false;
}

void keys_list(struct buf *out, const char *const *words, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++)
        buf_printf(out, "%s%s", i ? ", " : "", words[i]);
}

void keys_unknown(struct problems *p, const struct json *child, const char *const *known, size_t n_known)
{
    struct buf all = {0};
    const char *near = nearest_word(json_key(child), known, n_known);
    keys_list(&all, known, n_known);
    if (near)
        problem_at(p, child, AT_KEY, "unknown key; did you mean \"%s\"?", near);
    else if (n_known)
        problem_at(p, child, AT_KEY, "unknown key; remove it (the keys here are %s)", all.data);
    else
        problem_at(p, child, AT_KEY, "unknown key; remove it (there are no keys here)");
    buf_fini(&all);
}

bool keys_name(struct problems *p, const struct json *node, int place, const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    if (*name && *name != '_' && *name != '-' && !name[strspn(name, letters)] && strlen(name) <= NAME_BYTES_MAX)
        return true;
    problem_at(p, node, place,
               "not a name; use a to z, 0 to 9, _ and -, a letter or digit first, at most %d characters",
               NAME_BYTES_MAX);
    return false;
}

const char *keys_scalar(struct arena *a, const struct json *node)
{
    switch (json_type(node)) {
    case JSON_STRING:
    case JSON_NUMBER:
        return arena_text(a, json_text(node, NULL));
    case JSON_BOOL:
        return json_bool(node) ? "true" : "false";
    case JSON_NULL:
        return "null";
    default:
        return NULL;
    }
}

static void *place_of(const struct reading *r)
{
    return (char *)r->target + r->key->offset;
}

static void set_text(const struct reading *r, const char *text)
{
    *(const char **)place_of(r) = text;
}

static void set_number(const struct reading *r, int64_t n)
{
    *(int64_t *)place_of(r) = n;
}

static void set_node(const struct reading *r)
{
    *(const struct json **)place_of(r) = r->node;
}

static void read_string(const struct reading *r)
{
    if (keys_string(r->p, r->node))
        set_text(r, arena_text(r->a, json_text(r->node, NULL)));
}

/* The words this version takes, as a list. */
static void put_words(struct buf *out, const struct word *words)
{
    for (const struct word *w = words; w->text; w++)
        if (w->value)
            buf_printf(out, "%s%s", out->size ? ", " : "", w->text);
}

static void read_word(const struct reading *r)
{
    struct buf allowed = {0};
    const struct word *w = r->key->words;
    if (!keys_type(r->p, r->node, JSON_STRING))
        return;
    const char *text = json_text(r->node, NULL);
    put_words(&allowed, r->key->words);
    while (w->text && strcmp(w->text, text) != 0)
        w++;
    if (!w->text)
        problem_at(r->p, r->node, AT_VALUE, "\"%s\" is not one of the words here; use one of %s", text, allowed.data);
    else if (!w->value)
        problem_at(r->p, r->node, AT_VALUE, "\"%s\" is not implemented in this version; remove it or use one of %s",
                   text, allowed.data);
    else
        *(int *)place_of(r) = w->value;
    buf_fini(&allowed);
}

static void read_int(const struct reading *r)
{
    int64_t n = 0;
    if (!keys_type(r->p, r->node, JSON_NUMBER))
        return;
    if (json_int(r->node, &n) && n >= r->key->min && n <= r->key->max)
        set_number(r, n);
    else if (r->key->max == INT64_MAX)
        problem_at(r->p, r->node, AT_VALUE, "%s is out of range; write a whole number from %lld up",
                   json_text(r->node, NULL), (long long)r->key->min);
    else
        problem_at(r->p, r->node, AT_VALUE, "%s is out of range; write a whole number from %lld to %lld",
                   json_text(r->node, NULL), (long long)r->key->min, (long long)r->key->max);
}

static void read_bool(const struct reading *r)
{
    if (keys_type(r->p, r->node, JSON_BOOL))
        *(bool *)place_of(r) = json_bool(r->node);
}

static void read_duration(const struct reading *r)
{
    static const char advice[] = "write a whole number and one of ms, s, m, h, d in double quotes, like \"60s\"";
    int64_t ms = 0;
    const char *text = json_type(r->node) == JSON_STRING ? json_text(r->node, NULL) : NULL;
    if (!text)
        problem_at(r->p, r->node, AT_VALUE, "%s where a duration is expected; %s", keys_type_name(r->node), advice);
    else if (!duration_parse(text, &ms))
        problem_at(r->p, r->node, AT_VALUE, "\"%s\" is no duration; %s", text, advice);
    else if (ms < r->key->min)
        problem_at(r->p, r->node, AT_VALUE, "\"%s\" is too short; write more than nothing or remove the key", text);
    else
        set_number(r, ms);
}

static void read_scalar(const struct reading *r)
{
    const char *text = json_type(r->node) == JSON_NULL ? NULL : keys_scalar(r->a, r->node);
    if (text)
        set_text(r, text);
    else
        problem_at(r->p, r->node, AT_VALUE, "%s where one value is expected; write a string, number or bool",
                   keys_type_name(r->node));
}

static void read_object(const struct reading *r)
{
    if (!keys_type(r->p, r->node, JSON_OBJECT))
        return;
    if (r->key->table)
        keys_read(r->p, r->a, r->key->table, r->node, r->target);
    else
        set_node(r);
}

static void read_list(const struct reading *r)
{
    if (keys_type(r->p, r->node, JSON_LIST))
        set_node(r);
}

static void ignore(const struct reading *r)
{
    (void)r;
}

static void refuse(const struct reading *r)
{
    problem_at(r->p, r->node, AT_KEY, "`%s` is not implemented in this version; remove it", r->key->name);
}

static void (*const readers[])(const struct reading *r) = {
    [KEY_STRING] = read_string,     [KEY_WORD] = read_word,     [KEY_INT] = read_int,       [KEY_BOOL] = read_bool,
    [KEY_DURATION] = read_duration, [KEY_SCALAR] = read_scalar, [KEY_OBJECT] = read_object, [KEY_LIST] = read_list,
    [KEY_NODE] = set_node,          [KEY_IGNORED] = ignore,     [KEY_NOT_YET] = refuse,
};

static const struct key *find_key(const struct key_table *table, const char *name)
{
    for (size_t i = 0; i < table->n_keys; i++)
        if (strcmp(table->keys[i].name, name) == 0)
            return &table->keys[i];
    return NULL;
}

/* What this version does not take is no suggestion. */
static void unknown(struct problems *p, struct arena *a, const struct key_table *table, const struct json *child)
{
    const char **names = arena_alloc(a, table->n_keys * sizeof(*names));
    size_t n = 0;
    for (size_t i = 0; i < table->n_keys; i++)
        if (table->keys[i].kind != KEY_NOT_YET && table->keys[i].kind != KEY_IGNORED)
            names[n++] = table->keys[i].name;
    keys_unknown(p, child, names, n);
}

bool keys_read(struct problems *p, struct arena *a, const struct key_table *table, const struct json *object,
               void *target)
{
    if (!keys_type(p, object, JSON_OBJECT))
        return false;
    for (const struct json *child = json_first(object); child; child = json_next(child)) {
        struct reading r = {p, a, find_key(table, json_key(child)), child, target};
        if (r.key)
            readers[r.key->kind](&r);
        else
            unknown(p, a, table, child);
    }
    for (size_t i = 0; i < table->n_keys; i++)
        if (table->keys[i].required && !json_get(object, table->keys[i].name))
            problem_missing(p, object, table->keys[i].name, "missing; add %s", table->keys[i].help);
    return true;
}
