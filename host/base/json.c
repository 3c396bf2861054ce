/* SPDX-License-Identifier: MIT */
/* json.c - the one JSON door: guarded reading with exact numbers and positions (the only cJSON user). */
#include "base/json.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_guard.h"

/* cJSON itself stops at 1000 levels. */
enum { DEFAULT_BYTES = 64 << 20, DEFAULT_NODES = 1000000, DEFAULT_DEPTH = 64, DEPTH_MAX = 900 };

struct json_doc {
    cJSON *root;
    char *text; /* the source, if positions are kept */
    struct buf places; /* struct json_place of every node; a node's valueint is its index */
    struct json_spot *last; /* where json_where was last */
};

static const cJSON *inside(const struct json *node)
{
    return (const cJSON *)(const void *)node;
}

static const struct json *outside(const cJSON *item)
{
    return (const struct json *)(const void *)item;
}

static void *allocate(size_t n_bytes)
{
    return mem_grow(NULL, n_bytes);
}

static struct json_rules complete(const struct json_rules *rules)
{
    struct json_rules r = rules ? *rules : (struct json_rules){0};
    r.max_bytes = r.max_bytes ? r.max_bytes : DEFAULT_BYTES;
    r.max_nodes = r.max_nodes ? r.max_nodes : DEFAULT_NODES;
    r.max_depth = r.max_depth ? r.max_depth : DEFAULT_DEPTH;
    if (r.max_depth > DEPTH_MAX)
        r.max_depth = DEPTH_MAX;
    return r;
}

static void number_nodes(cJSON *item, int *next)
{
    item->valueint = (*next)++;
    for (cJSON *child = item->child; child; child = child->next)
        number_nodes(child, next);
}

static void keep_places(struct json_doc *doc, const char *text, size_t n_bytes)
{
    int next = 0;
    number_nodes(doc->root, &next);
    doc->last = mem_alloc(sizeof *doc->last);
    doc->text = mem_alloc(n_bytes + 1);
    memcpy(doc->text, text, n_bytes);
}

struct json_doc *json_parse(const char *text, size_t n_bytes, const struct json_rules *rules, struct err *e)
{
    cJSON_Hooks hooks = {allocate, mem_free};
    struct json_rules r = complete(rules);
    struct err why = {0};
    struct buf guarded = {0};
    struct json_doc *doc = mem_alloc(sizeof(*doc));
    if (!json_guard(text, n_bytes, &r, &guarded, r.positions ? &doc->places : NULL, &why))
        goto out;
    cJSON_InitHooks(&hooks);
    doc->root = cJSON_ParseWithLength(guarded.data, guarded.size + 1);
    if (!doc->root)
        err_set(&why, ERR_INPUT, "line 1, column 1: the JSON parser refuses this text; please report it");
    else if (r.positions)
        keep_places(doc, text, n_bytes);
out:
    buf_fini(&guarded);
    if (why.code == ERR_NONE)
        return doc;
    json_free(doc);
    err_set(e, why.code, "%s", why.text);
    return NULL;
}

void json_free(struct json_doc *doc)
{
    if (!doc)
        return;
    cJSON_Delete(doc->root);
    buf_fini(&doc->places);
    mem_free(doc->text);
    mem_free(doc->last);
    mem_free(doc);
}

const struct json *json_root(const struct json_doc *doc)
{
    return outside(doc->root);
}

static bool marked(const cJSON *item)
{
    return item->valuestring && item->valuestring[0] == JSON_MARK;
}

int json_type(const struct json *node)
{
    const cJSON *item = inside(node);
    switch (item ? item->type & 0xFF : cJSON_Invalid) {
    case cJSON_NULL:
        return JSON_NULL;
    case cJSON_False:
    case cJSON_True:
        return JSON_BOOL;
    case cJSON_String:
        return marked(item) && item->valuestring[1] == JSON_MARK_NUMBER ? JSON_NUMBER : JSON_STRING;
    case cJSON_Array:
        return JSON_LIST;
    case cJSON_Object:
        return JSON_OBJECT;
    default:
        return 0;
    }
}

const char *json_key(const struct json *node)
{
    return inside(node)->string;
}

bool json_bool(const struct json *node)
{
    return cJSON_IsTrue(inside(node));
}

const char *json_text(const struct json *node, size_t *n_bytes)
{
    const cJSON *item = inside(node);
    if (n_bytes)
        *n_bytes = 0;
    if (!item || !item->valuestring)
        return NULL;
    const char *text = item->valuestring + (marked(item) ? JSON_MARK_BYTES : 0);
    if (n_bytes)
        *n_bytes = strlen(text);
    return text;
}

/* -0 is no integer here: it would come back as 0. */
bool json_int(const struct json *node, int64_t *out)
{
    const char *text = json_type(node) == JSON_NUMBER ? json_text(node, NULL) : NULL;
    if (!text || strcmp(text, "-0") == 0 || text[strspn(text, "-0123456789")])
        return false;
    errno = 0;
    long long n = strtoll(text, NULL, 10);
    if (errno == ERANGE)
        return false;
    *out = n;
    return true;
}

const struct json *json_get(const struct json *object, const char *key)
{
    return outside(cJSON_GetObjectItemCaseSensitive(inside(object), key));
}

const struct json *json_first(const struct json *container)
{
    return container ? outside(inside(container)->child) : NULL;
}

const struct json *json_next(const struct json *node)
{
    return outside(inside(node)->next);
}

size_t json_count(const struct json *container)
{
    size_t n = 0;
    for (const struct json *c = json_first(container); c; c = json_next(c))
        n++;
    return n;
}

void json_where(const struct json_doc *doc, const struct json *node, bool key, int *line, int *column)
{
    const struct json_place *places = (const struct json_place *)(const void *)doc->places.data;
    *line = 1;
    *column = 1;
    if (!places)
        return;
    const struct json_place *place = &places[inside(node)->valueint];
    json_locate(doc->text, key ? place->key : place->value, doc->last);
    *line = doc->last->line;
    *column = doc->last->column;
}
