/* SPDX-License-Identifier: MIT */
/* world.h - what the connector needs of a world beside what tests do to it. */
#ifndef MEMORY_WORLD_H
#define MEMORY_WORLD_H

#include "memory.h"

struct memory_world *world_named(const char *name, size_t n_bytes); /* NULL: not shared */
/* A new record of that id; one that was deleted under it is another one. */
struct memory_record *world_add(struct memory_world *w, const char *id);
void world_touch(struct memory_world *w, struct memory_record *r); /* a new version, now */
void world_remove(struct memory_world *w, struct memory_record *r);
void world_set(struct memory_content *c, const char *name, const char *text);

#endif
