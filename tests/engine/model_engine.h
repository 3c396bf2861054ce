/* SPDX-License-Identifier: MIT */
/* model_engine.h - inside the model: the engine's steps of one run; what stands between two steps is one transaction. */
#ifndef TESTS_ENGINE_MODEL_ENGINE_H
#define TESTS_ENGINE_MODEL_ENGINE_H

#include "model_world.h"

void model_run_once(struct world *w);
void model_open_after_crash(struct world *w);
void model_step(struct world *w); /* here it may be killed, and users may act */

void model_notes(struct world *w, enum model_event event);

/* --- links (model_links.c) --- */
struct link *model_link_of(struct world *w, int side, int id);
struct link *model_new_link(struct world *w, enum link_state state);
void model_bury(struct world *w, int side, int id); /* never seen as new again */
struct op *model_intend(struct world *w, struct link *l, const struct request *q, const int *source);
void model_intend_create(struct world *w, struct link *l, int side, const struct record *source);
void model_finish(struct world *w, struct link *l, const struct record *got, bool is_reply);
void model_drop_op(struct link *l);
/* Is this what the side makes of what was sent, as far as the connector tells? */
bool model_same(const struct world *w, int side, int field, int sent, int value);
bool model_may_be_own(const struct world *w, int side, const struct record *r);

/* --- the stages of a run --- */
void model_recover(struct world *w); /* model_recover.c */
void model_find_gone(struct world *w, int side); /* model_gone.c */
void model_release_held(struct world *w); /* model_pull.c */
void model_pull(struct world *w, int side);
void model_send(struct world *w, int first, int end); /* model_send.c: what is planned of these links */
void model_create_at_once(struct world *w, int side, const struct record *r);
void model_update_at_once(struct world *w, struct link *l, const struct request *q);
void model_plan(struct world *w); /* model_plan.c */
void model_take_template(struct world *w); /* model_fanout.c */
void model_plan_hire(struct world *w, struct link *l);
void model_plan_child(struct world *w, struct link *l);
/* One side as it is now; false: not to be trusted yet. */
bool model_read(struct world *w, const struct link *l, int side, struct record *out);

#endif
