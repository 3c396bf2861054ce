/* SPDX-License-Identifier: MIT */
/* write.h - sending intents and taking in their outcomes; private to host/sync. */
#ifndef SYNC_WRITE_H
#define SYNC_WRITE_H

#include "sync/engine.h"

/* Sends the units' open intents of side t in batches; commits the outcomes of each batch. */
int engine_write(struct engine *g, struct unit *units, size_t n, int t);
/* The write is refused for good: the record is parked with that reason, and the other side as if it had not been tried. */
void write_reject(struct engine *g, struct unit *u, const char *message);
/* Until when a request for it may arrive that leaves now, or what it did may not show. An index only hides what is new. */
int64_t intent_settles_ms(const struct engine *g, const struct intent *i);
/* One history line for a decision without a write. */
void history_event(struct engine *g, const struct unit *u, int reason);
/* The line of the unit's intent; kind 0: decided and perhaps written, what was lost must not be forgotten. */
void history_intent(struct engine *g, const struct unit *u, int kind);
/* The id a record is created under where the host chooses it; former: the one it had before it was deleted, or NULL. */
const char *id_reserve(struct engine *g, struct unit *u, int t, const char *former);
/* The record of side t is made anew: the link forgets the former one and has another key. */
void unit_next_generation(struct engine *g, struct unit *u, int t);
/* Is the text an id that the object takes? */
bool id_valid(const struct sl_object *o, const char *id);
/* Is no record known under that id on side t? */
bool id_free(struct engine *g, int t, const char *id);

#endif
