/* SPDX-License-Identifier: MIT */
/* tables.c - every key of the config: its kind, its words, what is required, what this version refuses. */
#include "conf/tables.h"

#include <stddef.h>

#define AT(draft, member) offsetof(struct draft, member)
#define TABLE(table, keys) const struct key_table table_##table = {#table, keys, sizeof(keys) / sizeof(*(keys))}

static const struct word modes[] = {
    {"two_way", MODE_TWO_WAY}, {"one_way", MODE_ONE_WAY}, {"mirror", 0}, {"append", 0}, {"migrate", 0}, {0}};

static const struct word child_modes[] = {{"append", MODE_APPEND}, {"two_way", MODE_TWO_WAY}, {"one_way", 0}, {0}};

static const struct word creates[] = {
    {"both", CREATE_BOTH}, {"a_to_b", CREATE_A_TO_B}, {"b_to_a", CREATE_B_TO_A}, {"none", CREATE_NONE}, {0}};

static const struct word first_runs[] = {{"match_or_create", FIRST_MATCH_OR_CREATE},
                                         {"match_only", FIRST_MATCH_ONLY},
                                         {"create_only", FIRST_CREATE_ONLY},
                                         {"review", FIRST_REVIEW},
                                         {0}};

static const struct word leaves[] = {{"keep", LEAVE_KEEP}, {"unlink", LEAVE_UNLINK}, {"archive", LEAVE_ARCHIVE}, {0}};

static const struct word delete_policies[] = {{"unlink", DELETE_UNLINK}, {"archive", DELETE_ARCHIVE},
                                              {"delete", DELETE_DELETE}, {"recreate", DELETE_RECREATE},
                                              {"ignore", DELETE_IGNORE}, {0}};

static const struct word policies[] = {{"a", POLICY_A},
                                       {"b", POLICY_B},
                                       {"newest", POLICY_NEWEST},
                                       {"nonempty", POLICY_NONEMPTY},
                                       {"merge", POLICY_MERGE},
                                       {"min", POLICY_MIN},
                                       {"max", POLICY_MAX},
                                       {"manual", POLICY_MANUAL},
                                       {0}};

static const struct word drifts[] = {{"alert", DRIFT_ALERT}, {"revert", DRIFT_REVERT}, {"ignore", DRIFT_IGNORE}, {0}};

static const struct word directions[] = {
    {"both", DIRECTION_BOTH}, {"a_to_b", DIRECTION_A_TO_B}, {"b_to_a", DIRECTION_B_TO_A}, {0}};

static const struct word isolations[] = {{"none", ISOLATION_NONE}, {"runner", ISOLATION_RUNNER}, {0}};

static const struct key history_keys[] = {
    {.name = "keep", .kind = KEY_DURATION, .offset = AT(config_draft, keep_ms)},
};
TABLE(history, history_keys);

static const struct key api_keys[] = {
    {.name = "token",
     .kind = KEY_NODE,
     .offset = AT(config_draft, api_token),
     .required = true,
     .help = "a secret's place, like {\"file\": \"api-token\"}; `openssl rand -hex 32` makes one"},
};
TABLE(api, api_keys);

static const struct key config_keys[] = {
    {.name = "$schema", .kind = KEY_IGNORED},
    {.name = "state", .kind = KEY_NODE, .offset = AT(config_draft, state)},
    {.name = "listen", .kind = KEY_STRING, .offset = AT(config_draft, listen)},
    {.name = "history", .kind = KEY_OBJECT, .table = &table_history},
    {.name = "run_silence", .kind = KEY_DURATION, .offset = AT(config_draft, run_silence_ms), .min = 1000},
    {.name = "api", .kind = KEY_OBJECT, .table = &table_api},
    {.name = "plugins", .kind = KEY_LIST, .offset = AT(config_draft, plugins)},
    {.name = "connections",
     .kind = KEY_OBJECT,
     .offset = AT(config_draft, connections),
     .required = true,
     .help =
         "the systems to keep in step, like {\"desk\": {\"plugin\": \"jsondir\", \"settings\": {\"root\": \"desk\"}}}"},
    {.name = "users", .kind = KEY_LIST, .offset = AT(config_draft, users)},
    {.name = "pairs", .kind = KEY_OBJECT, .offset = AT(config_draft, pairs)},
};
TABLE(config, config_keys);

static const struct key limits_keys[] = {
    {.name = "requests_per_minute",
     .kind = KEY_INT,
     .offset = AT(connection_draft, requests_per_minute),
     .min = 1,
     .max = 10000000},
    {.name = "in_flight", .kind = KEY_INT, .offset = AT(connection_draft, in_flight), .min = 1, .max = 1000},
    {.name = "timeout", .kind = KEY_DURATION, .offset = AT(connection_draft, timeout_ms), .min = 100},
    {.name = "silence", .kind = KEY_DURATION, .offset = AT(connection_draft, silence_ms), .min = 100},
    {.name = "memory_mb", .kind = KEY_INT, .offset = AT(connection_draft, memory_mb), .min = 64, .max = 1048576},
};
TABLE(limits, limits_keys);

/* Nodes: each is a secret's reference. */
static const struct key hooks_keys[] = {
    {.name = "token",
     .kind = KEY_NODE,
     .offset = AT(connection_draft, hook_token[0]),
     .required = true,
     .help = "the secret end of its path, like {\"env\": \"DESK_HOOK\"}; 16 characters or more of A-Z a-z 0-9 . _ ~ -"},
    {.name = "token_before", .kind = KEY_NODE, .offset = AT(connection_draft, hook_token[1])},
};
TABLE(hooks, hooks_keys);

static const struct key connection_keys[] = {
    {.name = "plugin",
     .kind = KEY_STRING,
     .offset = AT(connection_draft, plugin),
     .required = true,
     .help = "the connector's name; `syncline plugins` lists them"},
    {.name = "plugin_sha256", .kind = KEY_STRING, .offset = AT(connection_draft, plugin_sha256)},
    {.name = "settings", .kind = KEY_OBJECT, .offset = AT(connection_draft, settings)},
    {.name = "limits", .kind = KEY_OBJECT, .table = &table_limits},
    {.name = "isolation", .kind = KEY_WORD, .offset = AT(connection_draft, isolation), .words = isolations},
    {.name = "allow_private", .kind = KEY_BOOL, .offset = AT(connection_draft, allow_private)},
    {.name = "allow_plain_http", .kind = KEY_BOOL, .offset = AT(connection_draft, allow_plain_http)},
    {.name = "ca_file", .kind = KEY_STRING, .offset = AT(connection_draft, ca_file)},
    {.name = "hooks", .kind = KEY_OBJECT, .table = &table_hooks},
};
TABLE(connection, connection_keys);

static const struct key side_keys[] = {
    {.name = "connection",
     .kind = KEY_STRING,
     .offset = AT(side_draft, connection),
     .required = true,
     .help = "the name of a connection"},
    {.name = "object",
     .kind = KEY_STRING,
     .offset = AT(side_draft, object),
     .required = true,
     .help = "the collection in that connection, like \"tickets\""},
    {.name = "filter", .kind = KEY_STRING, .offset = AT(side_draft, filter)},
};
TABLE(side, side_keys);

static const struct key deletes_keys[] = {
    {.name = "policy", .kind = KEY_WORD, .offset = AT(pair_draft, pair.delete_policy), .words = delete_policies},
    {.name = "max", .kind = KEY_INT, .offset = AT(pair_draft, pair.delete_max), .max = INT64_MAX},
    {.name = "max_percent", .kind = KEY_INT, .offset = AT(pair_draft, pair.delete_max_percent), .max = 100},
};
TABLE(deletes, deletes_keys);

/* The order is part of a pair's digest: add at the end only. */
static const struct key pair_keys[] = {
    {.name = "a",
     .kind = KEY_OBJECT,
     .offset = AT(pair_draft, side[0]),
     .required = true,
     .help = "one side, like {\"connection\": \"desk\", \"object\": \"tickets\"}"},
    {.name = "b",
     .kind = KEY_OBJECT,
     .offset = AT(pair_draft, side[1]),
     .required = true,
     .help = "the other side, like {\"connection\": \"code\", \"object\": \"issues\"}"},
    {.name = "mode", .kind = KEY_WORD, .offset = AT(pair_draft, pair.mode), .words = modes},
    {.name = "create", .kind = KEY_WORD, .offset = AT(pair_draft, create), .words = creates},
    {.name = "every", .kind = KEY_DURATION, .offset = AT(pair_draft, pair.every_ms), .schedule = true, .min = 1},
    {.name = "verify_every",
     .kind = KEY_DURATION,
     .offset = AT(pair_draft, pair.verify_every_ms),
     .schedule = true,
     .min = 1},
    {.name = "match", .kind = KEY_LIST, .offset = AT(pair_draft, match)},
    {.name = "first_run", .kind = KEY_WORD, .offset = AT(pair_draft, pair.first_run), .words = first_runs},
    {.name = "fields", .kind = KEY_LIST, .offset = AT(pair_draft, fields)},
    {.name = "conflict", .kind = KEY_WORD, .offset = AT(pair_draft, pair.policy), .words = policies},
    {.name = "drift", .kind = KEY_WORD, .offset = AT(pair_draft, pair.drift), .words = drifts},
    {.name = "on_leave", .kind = KEY_WORD, .offset = AT(pair_draft, pair.on_leave), .words = leaves},
    {.name = "deletes", .kind = KEY_OBJECT, .table = &table_deletes},
    {.name = "children", .kind = KEY_LIST, .offset = AT(pair_draft, children)},
    {.name = "expand", .kind = KEY_NOT_YET},
    {.name = "rollup", .kind = KEY_NOT_YET},
    {.name = "due", .kind = KEY_NOT_YET},
};
TABLE(pair, pair_keys);

/* The order is part of a pair's digest: add at the end only. */
static const struct key child_keys[] = {
    {.name = "a",
     .kind = KEY_NODE,
     .offset = AT(child_draft, side[0]),
     .required = true,
     .help = "the object whose records belong to those of side a, like \"comments\""},
    {.name = "b",
     .kind = KEY_NODE,
     .offset = AT(child_draft, side[1]),
     .required = true,
     .help = "the object whose records belong to those of side b, like \"comments\""},
    {.name = "mode", .kind = KEY_WORD, .offset = AT(child_draft, mode), .words = child_modes},
    {.name = "create", .kind = KEY_WORD, .offset = AT(child_draft, create), .words = creates},
    {.name = "fields", .kind = KEY_LIST, .offset = AT(child_draft, fields)},
};
TABLE(child, child_keys);

/* Where a child's side is more than a name. */
static const struct key child_side_keys[] = {
    {.name = "object",
     .kind = KEY_STRING,
     .offset = AT(side_draft, object),
     .required = true,
     .help = "the object whose records belong to the pair's, like \"comments\""},
    {.name = "filter", .kind = KEY_STRING, .offset = AT(side_draft, filter)},
};
TABLE(child_side, child_side_keys);

/* Named by the side they read: what is computed from a is written to b. */
static const struct key rule_keys[] = {
    {.name = "a", .kind = KEY_STRING, .offset = AT(rule_draft, field[0])},
    {.name = "b", .kind = KEY_STRING, .offset = AT(rule_draft, field[1])},
    {.name = "direction", .kind = KEY_WORD, .offset = AT(rule_draft, direction), .words = directions},
    {.name = "values", .kind = KEY_OBJECT, .offset = AT(rule_draft, values)},
    {.name = "otherwise", .kind = KEY_SCALAR, .offset = AT(rule_draft, otherwise[1])},
    {.name = "otherwise_a", .kind = KEY_SCALAR, .offset = AT(rule_draft, otherwise[0])},
    {.name = "from_a", .kind = KEY_STRING, .offset = AT(rule_draft, program[1])},
    {.name = "from_b", .kind = KEY_STRING, .offset = AT(rule_draft, program[0])},
    {.name = "value", .kind = KEY_NODE, .offset = AT(rule_draft, value)},
    {.name = "conflict", .kind = KEY_WORD, .offset = AT(rule_draft, policy), .words = policies},
    {.name = "drift", .kind = KEY_WORD, .offset = AT(rule_draft, drift), .words = drifts},
};
TABLE(rule, rule_keys);

static const struct key group_keys[] = {
    {.name = "group",
     .kind = KEY_STRING,
     .offset = AT(rule_draft, group),
     .required = true,
     .help = "the group's name, like \"money\""},
    {.name = "fields",
     .kind = KEY_LIST,
     .offset = AT(rule_draft, fields),
     .required = true,
     .help = "the fields that take one side whole, like [{\"a\": \"amount\", \"b\": \"total\"}]"},
    {.name = "conflict", .kind = KEY_WORD, .offset = AT(rule_draft, policy), .words = policies},
};
TABLE(group, group_keys);

const struct key_table *const tables_all[] = {
    &table_config, &table_history, &table_api,   &table_connection, &table_limits, &table_hooks, &table_pair,
    &table_side,   &table_deletes, &table_child, &table_child_side, &table_rule,   &table_group, NULL};
