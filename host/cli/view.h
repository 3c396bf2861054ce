/* SPDX-License-Identifier: MIT */
/* view.h - how the connections stand, as `status` tells it: pace, budget, pauses, and whether they answer. */
#ifndef CLI_VIEW_H
#define CLI_VIEW_H

#include "conf/conf.h"
#include "cli/cli.h"
#include "daemon/trouble.h"

/* The member "connections" of a pair's object: {"a": {…}, "b": {…}}. rows: what the daemon at work has noted; NULL: none is. */
void view_json(struct buf *out, const struct conf *conf, const struct conf_pair *pair, const struct trouble_row *rows);
/* A line for each connection of the config of which something is known. */
void view_print(struct cli *c, const struct conf *conf, const struct trouble_row *rows);

#endif
