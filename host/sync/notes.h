/* SPDX-License-Identifier: MIT */
/* notes.h - decides from what a field did lately whether it may be written again; private to host/sync. */
#ifndef SYNC_NOTES_H
#define SYNC_NOTES_H

#include "sync/engine.h"

/* Pure. Would writing this value return to an earlier one for the fifth time within a day? */
bool note_flips(const struct note *n, uint64_t value, int64_t now_ms);
/* Pure. The value was written. */
void note_value(struct note *n, uint64_t value, int64_t now_ms);
/* Pure. Sent `after` over `before`, and the answer shows that nothing came of it; stored NULL: the answer lacks the field. */
bool note_ignored(const struct sl_value *before, const struct sl_value *after, const struct sl_value *stored);

/* Takes out of the unit's updates what must not be written again; it waits, parked. */
void notes_hold(struct engine *g, struct unit *u);
/* The unit's update was carried out. written_ms: our last write of the link before, 0: none. */
void notes_take(struct engine *g, const struct unit *u, const struct sl_record *stored, bool read_back,
                int64_t written_ms);

#endif
