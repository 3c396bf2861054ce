/* SPDX-License-Identifier: MIT */
/* world.c - the records of a system in memory and what people do to them. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    char name[24];
    struct memory_world *w;
} shared[8];

void memory_share(const char *name, struct memory_world *w)
{
    for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++)
        if (!shared[i].name[0] || strcmp(shared[i].name, name) == 0) {
            snprintf(shared[i].name, sizeof(shared[i].name), "%s", name);
            shared[i].w = w;
            return;
        }
}

struct memory_world *world_named(const char *name, size_t n_bytes)
{
    for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++)
        if (shared[i].w && strlen(shared[i].name) == n_bytes && memcmp(shared[i].name, name, n_bytes) == 0)
            return shared[i].w;
    return NULL;
}

static struct memory_record *any_record(struct memory_world *w, const char *id)
{
    for (uint32_t i = 0; i < w->n_records; i++)
        if (strcmp(w->records[i].id, id) == 0)
            return &w->records[i];
    return NULL;
}

/* Whom a withdrawn permission hides is told by its id, so that it stays hidden. */
bool world_hidden(const struct memory_world *w, const struct memory_record *r)
{
    uint32_t x = 2166136261u;
    for (const char *c = r->id; *c; c++)
        x = (x ^ (unsigned char)*c) * 16777619u;
    return (int)(x % 100) < w->hides;
}

struct memory_record *memory_find(struct memory_world *w, const char *id)
{
    struct memory_record *r = any_record(w, id);
    return r && !r->gone ? r : NULL;
}

static struct memory_field *field_of(struct memory_content *c, const char *name)
{
    for (uint32_t i = 0; i < c->n_fields; i++)
        if (strcmp(c->fields[i].name, name) == 0)
            return &c->fields[i];
    return NULL;
}

const char *memory_field(const struct memory_record *r, const char *name)
{
    for (uint32_t i = 0; i < r->now.n_fields; i++)
        if (strcmp(r->now.fields[i].name, name) == 0)
            return r->now.fields[i].text;
    return NULL;
}

static void drop_field(struct memory_content *c, const char *name)
{
    struct memory_field *f = field_of(c, name);
    if (f)
        memmove(f, f + 1, (size_t)((char *)&c->fields[c->n_fields--] - (char *)(f + 1)));
}

/* Fields stay in the order of their names. */
void world_set(struct memory_content *c, const char *name, const char *text)
{
    struct memory_field *f = field_of(c, name);
    if (!f) {
        uint32_t at = c->n_fields;
        if (at == MEMORY_FIELDS)
            abort();
        for (; at > 0 && strcmp(c->fields[at - 1].name, name) > 0; at--)
            c->fields[at] = c->fields[at - 1];
        f = &c->fields[at];
        c->n_fields++;
        snprintf(f->name, sizeof(f->name), "%s", name);
    }
    snprintf(f->text, sizeof(f->text), "%s", text);
}

/* A new record; one that was deleted under that id is another one. */
struct memory_record *world_add(struct memory_world *w, const char *id)
{
    struct memory_record *r = any_record(w, id);
    if (!r) {
        if (w->n_records == MEMORY_RECORDS)
            abort();
        r = &w->records[w->n_records++];
    }
    uint64_t version = r->now.version;
    *r = (struct memory_record){.created_ms = w->now_ms};
    r->now.version = version;
    snprintf(r->id, sizeof(r->id), "%s", id);
    return r;
}

void world_touch(struct memory_world *w, struct memory_record *r)
{
    r->now.version++;
    r->now.modified_ms = w->now_ms;
    r->sequence = ++w->sequence;
}

static void put_each(struct memory_content *c, const char *fields)
{
    char text[1024];
    char *rest = NULL;
    snprintf(text, sizeof(text), "%s", fields);
    for (char *word = strtok_r(text, ";", &rest); word; word = strtok_r(NULL, ";", &rest)) {
        char *equal = strchr(word, '=');
        if (equal) {
            *equal = '\0';
            world_set(c, word, equal + 1);
        } else if (*word == '-') {
            drop_field(c, word + 1);
        }
    }
}

void memory_put(struct memory_world *w, const char *id, const char *fields)
{
    struct memory_record *r = memory_find(w, id);
    if (!r)
        r = world_add(w, id);
    r->before = r->now;
    put_each(&r->now, fields);
    world_touch(w, r);
}

void memory_comment(struct memory_world *w, const char *id, const char *parent, const char *fields)
{
    memory_put(w, id, fields);
    snprintf(memory_find(w, id)->parent, MEMORY_ID, "%s", parent);
    world_touch(w->parents, memory_find(w->parents, parent));
}

void world_remove(struct memory_world *w, struct memory_record *r)
{
    r->before = r->now;
    r->gone = true;
    world_touch(w, r);
}

void memory_remove(struct memory_world *w, const char *id)
{
    struct memory_record *r = memory_find(w, id);
    if (r)
        world_remove(w, r);
}

void memory_merge(struct memory_world *w, const char *id, const char *into)
{
    struct memory_record *r = memory_find(w, id);
    if (!r)
        return;
    world_remove(w, r);
    snprintf(r->successor, sizeof(r->successor), "%s", into);
}

void memory_heal(struct memory_world *w)
{
    w->dead = false;
    w->die_in = w->lose_reply_in = w->lose_request_in = w->delay_in = w->rate_in = w->half_in = 0;
    w->break_in = w->omit_in = w->reject_in = w->fail_in = w->garble_in = w->expire_in = w->loop_in = 0;
    w->list_empty = w->list_half = w->repeats = w->skips = w->shifts = 0;
}
