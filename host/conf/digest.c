/* SPDX-License-Identifier: MIT */
/* digest.c - hashes of what decides which records are seen and what a run would write; of references, never of secrets. */
#include <string.h>

#include "base/text.h"
#include "conf/load.h"

static void add_text(struct buf *out, const char *text)
{
    json_put_string(out, text ? text : "", text ? strlen(text) : 0);
    buf_byte(out, ',');
}

static void add_number(struct buf *out, uint64_t n)
{
    buf_printf(out, "%llx,", (unsigned long long)n);
}

static uint64_t finish(struct buf *text)
{
    uint64_t hash = hash64(text->data, text->size);
    buf_fini(text);
    return hash;
}

/* The settings as written: a path counts as it stands in the file, so that a moved folder keeps its source. */
static uint64_t source_of(const struct conf *c, const struct json *connections, const struct conf_side *side)
{
    struct buf text = {0};
    const struct json *settings = json_get(json_get(connections, side->connection), "settings");
    add_text(&text, side->connection);
    add_text(&text, c->connections[side->connection_index].plugin);
    add_text(&text, side->object);
    if (settings)
        json_put_sorted(&text, settings);
    return finish(&text);
}

static uint64_t scope_of(uint64_t source, const struct conf_side *side)
{
    struct buf text = {0};
    add_number(&text, source);
    add_text(&text, side->filter);
    return finish(&text);
}

/* Order is important: the keys come in the table's order, which only grows at its end. */
static void add_keys(struct buf *out, const struct key_table *table, const struct json *node)
{
    for (size_t i = 0; i < table->n_keys; i++) {
        const struct json *child = json_get(node, table->keys[i].name);
        if (!child || table->keys[i].schedule)
            continue;
        add_text(out, table->keys[i].name);
        json_put_sorted(out, child);
    }
}

static void digest_by(const struct conf *c, const struct json *connections, const struct key_table *table,
                      const struct json *node, struct conf_pair *pair)
{
    struct buf text = {0};
    add_keys(&text, table, node);
    for (size_t i = 0; i < pair->n_who; i++)
        for (int s = 0; s < 2; s++)
            add_text(&text, pair->who[i].side[s]);
    for (int s = 0; s < 2; s++) {
        pair->source[s] = source_of(c, connections, &pair->side[s]);
        pair->scope[s] = scope_of(pair->source[s], &pair->side[s]);
        add_number(&text, pair->scope[s]);
    }
    pair->digest = finish(&text);
}

void digest_pair(const struct conf *c, const struct json *connections, const struct json *node, struct conf_pair *pair)
{
    digest_by(c, connections, &table_pair, node, pair);
}

void digest_child(const struct conf *c, const struct json *connections, const struct json *node, struct conf_pair *pair)
{
    digest_by(c, connections, &table_child, node, pair);
}

/* The order of the pairs is nobody's business. */
uint64_t digest_all(const struct conf *c)
{
    uint64_t all = 0;
    for (size_t i = 0; i < c->n_pairs; i++) {
        struct buf text = {0};
        add_text(&text, c->pairs[i].name);
        add_number(&text, c->pairs[i].digest);
        all ^= finish(&text);
    }
    return all;
}

uint64_t conf_scope(const struct conf *c, const struct conf_pair *p, int s)
{
    (void)c;
    return p->scope[s];
}

uint64_t conf_source(const struct conf *c, const struct conf_pair *p, int s)
{
    (void)c;
    return p->source[s];
}

uint64_t conf_pair_digest(const struct conf *c, const struct conf_pair *p)
{
    (void)c;
    return p->digest;
}
