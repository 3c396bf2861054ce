/* SPDX-License-Identifier: MIT */
/* conf.h - the config file as structs, checked whole: every problem at once, with file, line and column. */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>

#include "map/map.h"
#include "plugin/loader.h"
#include "plugin/session.h"

enum mode { MODE_TWO_WAY = 1, MODE_ONE_WAY, MODE_APPEND /* of children */ };
enum create { CREATE_BOTH = 1, CREATE_A_TO_B, CREATE_B_TO_A, CREATE_NONE };
enum first_run { FIRST_UNSET = 1, FIRST_MATCH_OR_CREATE, FIRST_MATCH_ONLY, FIRST_CREATE_ONLY, FIRST_REVIEW };
enum on_leave { LEAVE_KEEP = 1, LEAVE_UNLINK, LEAVE_ARCHIVE };
enum delete_policy { DELETE_UNLINK = 1, DELETE_ARCHIVE, DELETE_DELETE, DELETE_RECREATE, DELETE_IGNORE };

struct conf_connection {
    const char *name;
    const char *plugin;
    struct plugin_lib *lib; /* loaded by conf_load */
    bool apart; /* its connector is in a runner */
    bool apart_in_run; /* in a daemon's workers it is */
    struct sl_value *settings; /* resolved: defaults filled in, paths absolute, secrets read */
    uint32_t n_settings;
    struct session_net net; /* without tokens and pace */
    const char
        *hook_token[2]; /* the end of the path that its webhooks come to, and the one before; [0] NULL: it takes none */
    int line, column;
};

struct conf_side {
    const char *connection; /* name */
    int connection_index;
    const char *object;
    const char *filter; /* jq source, or NULL */
    struct jq_expr *filter_expr;
};

/* A match rule: fields that together are a key. "external_key" is the correlation key. */
struct conf_match {
    const char **field[2]; /* field[s][i]; a name given alone stands for both sides, through the field rules */
    size_t n_fields;
};

struct conf_pair {
    const char *name; /* of children: the parent's, a dot, the object on side a */
    const struct conf_pair *parent; /* its records are children of that pair's; NULL: it stands alone */
    unsigned child; /* which of its parent's, from 0 */
    unsigned n_children; /* pairs that have this one for a parent; they follow it in conf.pairs */
    bool
        append; /* of children: what was created on the other side is left alone from then on; else edits of the original follow */
    const struct who *who; /* people whom both sides know */
    size_t n_who;
    struct conf_side side[2];
    int mode; /* enum mode */
    bool create[2]; /* create[s]: records may be created on side s */
    int first_run; /* enum first_run; FIRST_UNSET: review if both sides hold unlinked records, else match_or_create */
    int on_leave;
    int delete_policy;
    int64_t delete_max, delete_max_percent;
    int policy; /* the pair's conflict policy; default POLICY_MANUAL */
    int drift; /* the pair's drift policy; default DRIFT_ALERT */
    int64_t every_ms; /* 0: not scheduled */
    int64_t verify_every_ms;
    struct conf_match *match;
    size_t n_match;
    struct map map;
    bool fields_given; /* the config lists fields; else map.open_rule is the template of the rules there will be */
    uint64_t source[2], scope[2], digest; /* what conf_source, conf_scope and conf_pair_digest answer */
    int line, column;
};

/* A person, and what he is called in each connection. */
struct conf_user {
    const char **handle; /* by the connection's index; NULL: not known there */
};

struct conf {
    const char *file;
    const char *folder;
    const char *state; /* folder, absolute */
    const char *listen; /* HOST:PORT, for `run` */
    const char *api_token; /* who may use /api/v1; NULL: nobody */
    int64_t keep_ms; /* history */
    int64_t run_silence_ms; /* a daemon's run without a sign of life for so long is ended */
    const char *const *plugin_folders;
    size_t n_plugin_folders;
    struct plugin_path plugin_path;
    struct conf_connection *connections;
    size_t n_connections;
    struct conf_user *users;
    size_t n_users;
    struct conf_pair *pairs;
    size_t n_pairs;
    uint64_t digest; /* of everything that changes what a run would write */
    struct arena arena; /* owns everything above */
};

/*
 * Loads and checks a config, loading the plugins its connections name (their option tables check the settings). All problems are
 * appended to *problems, one a line: "file:line:column: path: what; what to do" (or "file: what; what to do" where there is no place).
 * Returns NULL and ERR_CONFIG if there are any; e then says how many, and which if it is one.
 */
struct conf *conf_load(const char *file, struct buf *problems, struct err *e);
/*
 * The same as a daemon's worker does it: what the file held is read at another path, and connectors go into processes of their own unless
 * their connection says none.
 */
struct conf *conf_load_apart(const char *file, const char *text_at, struct buf *problems, struct err *e);
void conf_free(struct conf *c); /* accepts NULL; unloads the plugins, frees expressions */
struct conf_pair *conf_pair(const struct conf *c, const char *name); /* or NULL */
/* Hash of what decides which records side s lists: connection, object, settings, filter. */
uint64_t conf_scope(const struct conf *c, const struct conf_pair *p, int s);
/* The same without the filter: where side s's records come from. Under another one an id need not mean the same record. */
uint64_t conf_source(const struct conf *c, const struct conf_pair *p, int s);
/* Hash of everything in the pair that changes what a run would write. */
uint64_t conf_pair_digest(const struct conf *c, const struct conf_pair *p);

#endif
