/* SPDX-License-Identifier: MIT */
/* world.h - what the connector's parts share: a session, its world, and the record as others see it. */
#ifndef MEMORY_WORLD_H
#define MEMORY_WORLD_H

#include "memory.h"

struct memory {
    const struct sl_host *host;
    struct memory_world *w;
    bool own;
};

/* world.c */
struct memory_world *world_named(const char *name, size_t n_bytes); /* NULL: not shared */
/* A new record of that id; one that was deleted under it is another one. */
struct memory_record *world_add(struct memory_world *w, const char *id);
void world_touch(struct memory_world *w, struct memory_record *r); /* a new version, now */
void world_remove(struct memory_world *w, struct memory_record *r);
void world_set(struct memory_content *c, const char *name, const char *text);
bool world_hidden(const struct memory_world *w, const struct memory_record *r);

static inline int memory_key_life_s(const struct memory_world *w)
{
    return w->key_life_s ? w->key_life_s : 86400;
}

/* memory.c: a step at which the world may change or end. True: it is over. */
bool memory_step(struct memory_world *w);
int memory_fail(struct memory *m, int sl_class, const char *message);
/* Begins a call. SL_OK, or what it ends with. */
int memory_begin(struct memory *m);
bool memory_strikes(int *countdown);
/* Does this id kill? Then the host is told that the connector's process has died. */
bool memory_killed(struct memory *m, const char *deadly, const char *id);
/* True: the call is to end well, having told nothing. */
bool memory_garbled(struct memory *m);
int memory_emit(struct memory *m, uint32_t kind, const struct memory_record *r);

/* stored.c: values between the world and the host; what the system does to them on the way. */
struct shown {
    struct sl_record record;
    struct sl_value fields[MEMORY_FIELDS];
    char version[24];
};
struct sl_value stored_value(const struct memory_field *f);
void stored_fields(const struct memory_world *w, struct memory_content *c, const struct sl_write *write);
void stored_version(const struct memory_world *w, const struct memory_content *c, char out[24]);
int64_t stored_time(const struct memory_world *w, int64_t ms);
/* The record as a reader gets it; a stale one shows what was there before. */
const struct sl_record *stored_show(const struct memory_world *w, const struct memory_record *r, bool stale,
                                    struct shown *s);

/* listing.c, write.c: calls of the table. */
bool listing_finds(const struct memory_world *w, const struct memory_record *r); /* the index knows it */
int memory_pull(void *session, const struct sl_pull *pull);
int memory_write(void *session, const struct sl_batch *batch);

#endif
