/* SPDX-License-Identifier: MIT */
/* view.h - how the connections stand, as `status` tells it: pace, budget, pauses, and whether they answer. */
#ifndef CLI_VIEW_H
#define CLI_VIEW_H

#include "conf/conf.h"
#include "cli/cli.h"

/* The member "connections" of a pair's object: {"a": {…}, "b": {…}}. */
void view_json(struct buf *out, const struct conf *conf, const struct conf_pair *pair);
/* A line for each connection of the config of which something is known. */
void view_print(struct cli *c, const struct conf *conf);

#endif
