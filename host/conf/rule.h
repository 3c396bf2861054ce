/* SPDX-License-Identifier: MIT */
/* rule.h - one field rule of the config. */
#ifndef CONF_RULE_H
#define CONF_RULE_H

#include "conf/load.h"

/*
 * Reads a rule; it comes filled with what it takes from its pair and group. Returns false, with problems, if it names no
 * field that could be kept.
 */
bool rule_read(struct load *l, const struct conf_pair *pair, const struct json *node, struct rule *rule);

#endif
