/* SPDX-License-Identifier: MIT */
/* tables.h - every key of the config as const tables, and the drafts they are read into. */
#ifndef CONF_TABLES_H
#define CONF_TABLES_H

#include "conf/conf.h"
#include "conf/keys.h"

/* Which way a field goes. */
enum direction { DIRECTION_BOTH = 1, DIRECTION_A_TO_B, DIRECTION_B_TO_A };
enum isolation { ISOLATION_NONE = 1, ISOLATION_RUNNER };

/* What the tables fill before it is made whole: nodes are looked into by the file that knows them. */
struct config_draft {
    const char *listen;
    int64_t keep_ms, run_silence_ms;
    const struct json *api_token; /* a secret's reference */
    const struct json *state, *plugins, *connections, *users, *pairs;
};

struct connection_draft {
    const char *plugin, *plugin_sha256;
    const struct json *settings;
    int64_t requests_per_minute, in_flight, timeout_ms, silence_ms, memory_mb;
    const char *ca_file;
    bool allow_private, allow_plain_http;
    int isolation; /* 0: not said */
    const struct json *hook_token[2]; /* the present one, the one before */
};

struct side_draft {
    const char *connection, *object, *filter;
};

struct pair_draft {
    struct conf_pair pair;
    const struct json *side[2], *match, *fields, *children;
    int create;
};

struct child_draft {
    const struct json *side[2], *fields;
    int mode, create;
};

/* A rule, or the shared words of a group of rules. */
struct rule_draft {
    const char *group;
    const char *field[2], *program[2], *otherwise[2];
    const struct json *values, *value, *fields;
    int direction, policy, drift;
};

extern const struct key_table table_config, table_history, table_api, table_connection, table_limits, table_hooks,
    table_pair, table_side, table_deletes, table_child, table_child_side, table_rule, table_group;
/* All of them, ended by NULL. */
extern const struct key_table *const tables_all[];

#endif
