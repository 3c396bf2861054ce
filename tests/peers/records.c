/* SPDX-License-Identifier: MIT */
/* records.c - the peer's records, each with all it ever was: what a lagging index and a stale read answer from. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

bool is(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

struct record *record_find(struct peer *p, const char *id)
{
    size_t likely = strtoul(id, NULL, 10); /* where nobody else made records their ids are in order */
    if (likely && likely <= p->n_records && strcmp(p->records[likely - 1]->id, id) == 0)
        return p->records[likely - 1];
    for (size_t i = 0; i < p->n_records; i++)
        if (strcmp(p->records[i]->id, id) == 0)
            return p->records[i];
    return NULL;
}

const struct version *record_now(const struct record *r)
{
    return &r->versions[r->n_versions - 1];
}

const struct version *record_at(const struct record *r, int64_t at_ms)
{
    for (size_t i = r->n_versions; i-- > 0;)
        if (r->versions[i].at_ms <= at_ms)
            return &r->versions[i];
    return NULL;
}

const char *body_text(const char *body, const char *member, struct arena *a)
{
    struct err e = {0};
    struct json_doc *doc = json_parse(body, strlen(body), NULL, &e);
    const struct json *node = doc && json_type(json_root(doc)) == JSON_OBJECT ? json_get(json_root(doc), member) : NULL;
    const char *text = node ? arena_text(a, json_text(node, NULL)) : NULL;
    json_free(doc);
    return text;
}

struct record *record_by_key(struct peer *p, const char *key)
{
    for (size_t i = 0; i < p->n_records; i++) {
        const struct version *v = record_now(p->records[i]);
        if (!v->gone && is(v->key, key))
            return p->records[i];
    }
    return NULL;
}

struct record *record_new(struct peer *p, const char *id)
{
    struct record *r = mem_alloc(sizeof *r);
    if (id)
        snprintf(r->id, sizeof r->id, "%s", id);
    else
        snprintf(r->id, sizeof r->id, "%llu", (unsigned long long)p->next_id++);
    r->created_ms = peer_now_ms(p);
    p->records = mem_grow(p->records, (p->n_records + 1) * sizeof(struct record *));
    p->records[p->n_records++] = r;
    return r;
}

static char *member(const char *body, const char *name)
{
    struct arena a = {0};
    const char *text = name ? body_text(body, name, &a) : NULL;
    char *kept = text ? mem_dup(text) : NULL;
    arena_fini(&a);
    return kept;
}

static void add_version(struct peer *p, struct record *r, const char *body, struct version v)
{
    v.at_ms = peer_now_ms(p);
    v.serial = ++p->serial;
    v.body = mem_dup(body);
    v.key = member(body, p->profile->key);
    v.filter = member(body, p->profile->filter);
    r->versions = mem_grow(r->versions, (r->n_versions + 1) * sizeof *r->versions);
    r->versions[r->n_versions++] = v;
}

void record_change(struct peer *p, struct record *r, const char *body, bool gone)
{
    add_version(p, r, body, (struct version){.gone = gone});
    hooks_send(p, r);
}

void record_touch(struct peer *p, struct record *r)
{
    add_version(p, r, record_now(r)->body, (struct version){.gone = record_now(r)->gone, .unseen = true});
}

/* A share of the records, the same ones each time: multiplied by a large odd number their serials are spread evenly. */
bool record_hidden(const struct peer *p, const struct record *r)
{
    uint64_t spread = r->versions[0].serial * 2654435761U % 4294967296U;
    return (int64_t)(spread * 100 / 4294967296U) < trait(p, KNOB_HIDDEN);
}
