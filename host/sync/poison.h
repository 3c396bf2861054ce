/* SPDX-License-Identifier: MIT */
/* poison.h - writes and reads that killed their connector: they go on in smaller and smaller company, until the one that does it is alone. */
#ifndef SYNC_POISON_H
#define SYNC_POISON_H

#include "sync/engine.h"

/*
 * A death says that one of the operations that were under way is deadly, not which. What is known of each is a durable note, so that it
 * holds in the next run and in every process: how many may travel together. Pure: n of them were without an answer when it died.
 */
uint32_t poison_next(uint32_t n); /* so many together, next time */

/* Takes up the notes of earlier runs. */
int poison_load(struct engine *g, struct store_snap *snap);
/* How many writes may travel together with that link's on side t; 0: as many as the system takes. */
uint32_t poison_most(const struct engine *g, int t, uint64_t link);
/* Has it killed alone? Then it is not sent again before somebody looked whether it landed. */
bool poison_alone(const struct engine *g, int t, uint64_t link);
/* In the batch: the write was without an answer when its connector died, one of n_untold; sent: of how many in all. */
void poison_note(struct engine *g, int t, uint64_t link, uint32_t n_untold, uint32_t sent);
/* In the batch: it was looked for and is not there: parked, and alone if it is tried again. */
void poison_parked(struct engine *g, int t, uint64_t link);
/* In the batch: it was carried out, or refused in words. */
void poison_passed(struct engine *g, int t, uint64_t link);

#endif
