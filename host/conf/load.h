/* SPDX-License-Identifier: MIT */
/* load.h - what the readers of the config's parts share while it is loaded. */
#ifndef CONF_LOAD_H
#define CONF_LOAD_H

#include "conf/tables.h"

struct load {
    struct conf *conf;
    bool apart; /* where a connection does not say it: its connector goes into a process of its own */
    struct problems problems;
};

/* "a", "b": a side's name in the config. */
extern const char *const load_side_name[2];

/* A path of the config, absolute, in the arena. */
const char *load_path(struct load *l, const char *path);

/* connect.c: the connections, each with its plugin and settings. */
void connections_read(struct load *l, const struct json *object);
/* settings.c: checks settings (NULL: none) of the connection node against a plugin's options. */
void settings_read(struct load *l, const struct json *connection, const struct json *settings,
                   const struct sl_plugin *plugin, struct conf_connection *c);
/* secret.c: the secret behind a reference, in the arena and registered with the log; NULL if a problem was added. */
const char *secret_read(struct load *l, const struct json *node);
/* users.c: who is who across connections (which are read), and who of them both sides of a pair know. */
void users_read(struct load *l, const struct json *list);
void users_of(struct load *l, struct conf_pair *pair);
/* pair.c: the pairs, each with its children behind it. connections: they were readable, so that a name can be unknown. */
void pairs_read(struct load *l, const struct json *object, bool connections);
void pair_unknown_connection(struct load *l, const struct json *node, int place, const char *name);
int pair_connection(const struct conf *c, const char *name); /* its index, or -1 */
void pair_filter(struct load *l, const struct json *node, struct conf_side *side);
extern const struct pair_draft pair_defaults;
/* child.c: the pairs of a pair's children, into out. */
void children_read(struct load *l, const struct json *list, struct conf_pair *parent, struct conf_pair *out);
/* fields.c: the rules of a pair's fields (NULL: omitted). */
void fields_read(struct load *l, const struct json *list, struct conf_pair *pair);
/* values.c: the value map of a rule, checked for reversibility. */
void values_read(struct load *l, const struct json *object, struct rule *rule);
/* match.c: the match keys of a pair, whose rules are read. */
void match_read(struct load *l, const struct json *list, struct conf_pair *pair);
/* digest.c: scopes and digests of a pair without problems. */
void digest_pair(const struct conf *c, const struct json *connections, const struct json *node, struct conf_pair *pair);
void digest_child(const struct conf *c, const struct json *connections, const struct json *node,
                  struct conf_pair *pair);
uint64_t digest_all(const struct conf *c);

#endif
