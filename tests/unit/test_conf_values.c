/* SPDX-License-Identifier: MIT */
/* test_conf_values.c - what a good config becomes: defaults, paths, rules, match keys, scopes and digests. */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "conf/conf.h"
#include "record/value.h"

static char folder[] = "/tmp/test_conf_values.XXXXXX";

static void go_to_folder(void)
{
    char *plugins = NULL;
    const char *build = getenv("BUILD");
    char *root = realpath(build ? build : "build", NULL);
    if (!root || asprintf(&plugins, "%s/plugins", root) < 0 || !mkdtemp(folder) || chdir(folder) != 0 ||
        symlink(plugins, "plugins") != 0 || access("plugins/jsondir.so", R_OK) != 0) {
        fprintf(stderr, "no plugins/jsondir.so in the build folder; run make plugins, or set BUILD\n");
        exit(2);
    }
    free(root);
    free(plugins);
}

/* Loads a text with ' for "; problems are printed. */
static struct conf *load(const char *text)
{
    struct buf problems = {0};
    struct err e = {0};
    FILE *f = fopen("syncline.json", "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    for (const char *c = text; *c; c++)
        fputc(*c == '\'' ? '"' : *c, f);
    fclose(f);
    struct conf *c = conf_load("syncline.json", &problems, &e);
    if (!c)
        printf("%s\n", problems.data);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    buf_fini(&problems);
    return c;
}

#define CONNECTIONS                                                                                                    \
    "{'plugins': ['plugins'], 'connections': {'x': {'plugin': 'jsondir', 'settings': {'root': 'x'}}, "                 \
    "'y': {'plugin': 'jsondir', 'settings': {'root': '/y'}, 'isolation': 'none'}}, "
#define A "'a': {'connection': 'x', 'object': 't'}"
#define B "'b': {'connection': 'y', 'object': 'u'}"
#define PAIR CONNECTIONS "'pairs': {'p': {" A ", " B
#define END "}}}"

/* Loads a pair with these keys more, and gives it; *c is to be freed. */
static const struct conf_pair *load_pair(const char *keys, struct conf **c)
{
    struct buf text = {0};
    buf_printf(&text, PAIR "%s%s" END, *keys ? ", " : "", keys);
    *c = load(text.data);
    buf_fini(&text);
    return conf_pair(*c, "p");
}

static void has_defaults(void)
{
    struct conf *c = NULL;
    const struct conf_pair *p = load_pair("", &c);
    CU_ASSERT_STRING_EQUAL(c->listen, "127.0.0.1:8631");
    CU_ASSERT_EQUAL(c->keep_ms, INT64_C(90) * 86400000);
    CU_ASSERT_EQUAL(c->n_connections, 2);
    CU_ASSERT_EQUAL(p->mode, MODE_TWO_WAY);
    CU_ASSERT_TRUE(p->create[0] && p->create[1]);
    CU_ASSERT_EQUAL(p->first_run, FIRST_UNSET);
    CU_ASSERT_EQUAL(p->on_leave, LEAVE_KEEP);
    CU_ASSERT_EQUAL(p->delete_policy, DELETE_UNLINK);
    CU_ASSERT_EQUAL(p->delete_max, 10);
    CU_ASSERT_EQUAL(p->delete_max_percent, 10);
    CU_ASSERT_EQUAL(p->policy, POLICY_MANUAL);
    CU_ASSERT_EQUAL(p->drift, DRIFT_ALERT);
    CU_ASSERT_EQUAL(p->every_ms, 0);
    CU_ASSERT_EQUAL(p->n_match, 0);
    CU_ASSERT_FALSE(p->fields_given);
    CU_ASSERT_TRUE(p->map.open_rule.to[0] && p->map.open_rule.to[1]);
    CU_ASSERT_EQUAL(p->side[1].connection_index, 1);
    CU_ASSERT_STRING_EQUAL(p->side[1].object, "u");
    CU_ASSERT_PTR_NULL(conf_pair(c, "q"));
    conf_free(c);
}

static void reads_every_key(void)
{
    struct conf *c = NULL;
    const struct conf_pair *p =
        load_pair("'mode': 'two_way', 'create': 'b_to_a', 'every': '60s', 'verify_every': '1d', 'first_run': 'review', "
                  "'on_leave': 'archive', 'deletes': {'policy': 'recreate', 'max': 0, 'max_percent': 100}, "
                  "'conflict': 'newest', 'drift': 'revert', /* a comment */ ",
                  &c);
    CU_ASSERT_TRUE(p->create[0] && !p->create[1]);
    CU_ASSERT_EQUAL(p->every_ms, 60000);
    CU_ASSERT_EQUAL(p->verify_every_ms, 86400000);
    CU_ASSERT_EQUAL(p->first_run, FIRST_REVIEW);
    CU_ASSERT_EQUAL(p->on_leave, LEAVE_ARCHIVE);
    CU_ASSERT_EQUAL(p->delete_policy, DELETE_RECREATE);
    CU_ASSERT_EQUAL(p->delete_max, 0);
    CU_ASSERT_EQUAL(p->delete_max_percent, 100);
    CU_ASSERT_EQUAL(p->policy, POLICY_NEWEST);
    CU_ASSERT_EQUAL(p->drift, DRIFT_REVERT);
    CU_ASSERT_EQUAL(p->map.open_rule.policy, POLICY_NEWEST);
    conf_free(c);
}

static const char *setting(const struct conf *c, size_t connection, const char *name)
{
    for (uint32_t i = 0; i < c->connections[connection].n_settings; i++)
        if (text_equal(c->connections[connection].settings[i].name, name))
            return c->connections[connection].settings[i].text;
    return NULL;
}

static bool in_folder(const char *path, const char *name)
{
    size_t n = strlen(path);
    size_t n_name = strlen(name);
    return path[0] == '/' && n > n_name && path[n - n_name - 1] == '/' && strcmp(path + n - n_name, name) == 0 &&
           strstr(path, folder + strlen("/tmp"));
}

static void makes_paths_absolute(void)
{
    struct conf *c = load(CONNECTIONS "'state': './deep/er', 'listen': '[::1]:0', 'history': {'keep': '2h'}, "
                                      "'$schema': 'syncline.schema.json'}");
    CU_ASSERT_TRUE(in_folder(c->state, "deep/er"));
    CU_ASSERT_TRUE(in_folder(setting(c, 0, "root"), "x"));
    CU_ASSERT_STRING_EQUAL(setting(c, 1, "root"), "/y");
    CU_ASSERT_TRUE(in_folder(c->plugin_folders[0], "plugins"));
    CU_ASSERT_EQUAL(c->keep_ms, 7200000);
    CU_ASSERT_EQUAL(c->n_pairs, 0);
    conf_free(c);
}

struct creates {
    const char *a, *b, *keys;
    bool create[2];
};

/* A filter on one side alone says which side's records are meant. */
static void creates_by_filter_and_mode(void)
{
    static const struct creates table[] = {
        {"", "", "", {true, true}},
        {", 'filter': '.x'", "", "", {false, true}},
        {"", ", 'filter': '.x'", "", {true, false}},
        {", 'filter': '.x'", ", 'filter': '.x'", "", {true, true}},
        {", 'filter': '.x'", "", ", 'create': 'both'", {true, true}},
        {"", "", ", 'create': 'none'", {false, false}},
        {"", "", ", 'mode': 'one_way'", {false, true}},
        {"", ", 'filter': '.x'", ", 'mode': 'one_way'", {false, true}},
        {"", "", ", 'mode': 'one_way', 'create': 'none'", {false, false}},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct buf text = {0};
        buf_printf(&text,
                   CONNECTIONS "'pairs': {'p': {'a': {'connection': 'x', 'object': 't'%s}, "
                               "'b': {'connection': 'y', 'object': 't'%s}%s" END,
                   table[i].a, table[i].b, table[i].keys);
        struct conf *c = load(text.data);
        for (int s = 0; s < 2; s++)
            CU_ASSERT_EQUAL(conf_pair(c, "p")->create[s], table[i].create[s]);
        CU_ASSERT_EQUAL(conf_pair(c, "p")->side[0].filter_expr != NULL, *table[i].a != '\0');
        conf_free(c);
        buf_fini(&text);
    }
}

struct ways {
    const char *rule;
    const char *mode;
    bool to[2];
    bool computed[2];
    bool constant[2];
};

static void gives_rules_their_direction(void)
{
    static const struct ways table[] = {
        {"{'a': 'f', 'b': 'g'}", "two_way", {true, true}, {0}, {0}},
        {"{'a': 'f', 'b': 'g'}", "one_way", {false, true}, {0}, {0}},
        {"{'a': 'f', 'b': 'g', 'direction': 'b_to_a'}", "two_way", {true, false}, {0}, {0}},
        {"{'a': 'f', 'b': 'g', 'direction': 'a_to_b', 'drift': 'ignore'}", "two_way", {false, true}, {0}, {0}},
        {"{'b': 'g', 'from_a': '.f'}", "two_way", {false, true}, {false, true}, {0}},
        {"{'b': 'g', 'from_a': '.f', 'direction': 'a_to_b'}", "one_way", {false, true}, {false, true}, {0}},
        {"{'a': 'f', 'from_b': '.g'}", "two_way", {true, false}, {true, false}, {0}},
        {"{'a': 'f', 'b': 'g', 'from_a': '.f', 'from_b': '.g'}", "two_way", {true, true}, {true, true}, {0}},
        {"{'a': 'f', 'b': 'g', 'from_a': '.f'}", "two_way", {false, true}, {false, true}, {0}},
        {"{'b': 'g', 'value': null}", "two_way", {false, true}, {0}, {false, true}},
        {"{'a': 'f', 'value': ['x']}", "two_way", {true, false}, {0}, {true, false}},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct buf keys = {0};
        struct conf *c = NULL;
        buf_printf(&keys, "'mode': '%s', 'fields': [%s]", table[i].mode, table[i].rule);
        const struct conf_pair *p = load_pair(keys.data, &c);
        CU_ASSERT_EQUAL(p->map.n_rules, 1);
        for (int s = 0; s < 2; s++) {
            CU_ASSERT_EQUAL(p->map.rules[0].to[s], table[i].to[s]);
            CU_ASSERT_EQUAL(p->map.rules[0].expr[s] != NULL, table[i].computed[s]);
            CU_ASSERT_EQUAL(p->map.rules[0].constant[s] != NULL, table[i].constant[s]);
        }
        conf_free(c);
        buf_fini(&keys);
    }
}

static void fills_rules(void)
{
    struct conf *c = NULL;
    const struct conf_pair *p = load_pair(
        "'conflict': 'a', 'fields': [{'a': 's', 'b': 't', 'values': {'open': 1, 'done': 'null', 'off': null}, "
        "'otherwise': 2, 'otherwise_a': 'open', 'conflict': 'max'}, "
        "{'group': 'money', 'conflict': 'b', 'fields': [{'a': 'amount', 'b': 'total'}, {'a': 'cur', 'b': 'cur'}]}, "
        "{'a': 'k', 'b': 'k'}, {'group': 'place', 'fields': [{'a': 'zip', 'b': 'zip'}]}, {'b': 'n', 'value': 1.50}]",
        &c);
    const struct rule *r = p->map.rules;
    CU_ASSERT_EQUAL_FATAL(p->map.n_rules, 6);
    CU_ASSERT_TRUE(p->fields_given);
    CU_ASSERT_EQUAL(r[0].n_values, 3);
    CU_ASSERT_STRING_EQUAL(r[0].values[0].side[0], "open");
    CU_ASSERT_STRING_EQUAL(r[0].values[0].side[1], "1");
    CU_ASSERT_EQUAL(r[0].values[0].type[1], SL_INT);
    CU_ASSERT_EQUAL(r[0].values[1].type[1], SL_STRING);
    CU_ASSERT_EQUAL(r[0].values[2].type[1], SL_NULL);
    CU_ASSERT_STRING_EQUAL(r[0].otherwise[1], "2");
    CU_ASSERT_STRING_EQUAL(r[0].otherwise[0], "open");
    CU_ASSERT_EQUAL(r[0].otherwise_type[1], SL_INT);
    CU_ASSERT_EQUAL(r[0].otherwise_type[0], SL_STRING);
    CU_ASSERT_EQUAL(r[0].policy, POLICY_MAX);
    CU_ASSERT_EQUAL(r[0].group, 0);
    CU_ASSERT_EQUAL(r[1].group, 1);
    CU_ASSERT_EQUAL(r[2].group, 1);
    CU_ASSERT_EQUAL(r[1].policy, POLICY_B);
    CU_ASSERT_STRING_EQUAL(r[2].group_name, "money");
    CU_ASSERT_EQUAL(r[3].group, 0);
    CU_ASSERT_EQUAL(r[3].policy, POLICY_A);
    CU_ASSERT_EQUAL(r[4].group, 2);
    CU_ASSERT_EQUAL(r[5].constant[1]->type, SL_DECIMAL);
    CU_ASSERT_STRING_EQUAL(r[5].constant[1]->text, "1.50");
    CU_ASSERT_STRING_EQUAL(r[5].constant[1]->name, "n");
    conf_free(c);
}

static void takes_match_keys_across(void)
{
    static const struct {
        size_t n;
        const char *a[2], *b[2];
    } wanted[] = {{1, {"external_key"}, {"external_key"}},
                  {2, {"title", "mail"}, {"name", "mail"}},
                  {1, {"title"}, {"name"}},
                  {1, {"other"}, {"other"}},
                  {1, {"made"}, {"made"}}};
    struct conf *c = NULL;
    const struct conf_pair *p = load_pair(
        "'match': ['external_key', ['title', 'mail'], 'name', 'other', 'made'], "
        "'fields': [{'a': 'title', 'b': 'name'}, {'a': 'mail', 'b': 'mail'}, {'b': 'made', 'from_a': '.title'}]",
        &c);
    CU_ASSERT_EQUAL_FATAL(p->n_match, sizeof(wanted) / sizeof(*wanted));
    for (size_t i = 0; i < p->n_match; i++) {
        CU_ASSERT_EQUAL_FATAL(p->match[i].n_fields, wanted[i].n);
        for (size_t k = 0; k < wanted[i].n; k++) {
            CU_ASSERT_STRING_EQUAL(p->match[i].field[0][k], wanted[i].a[k]);
            CU_ASSERT_STRING_EQUAL(p->match[i].field[1][k], wanted[i].b[k]);
        }
    }
    conf_free(c);
}

struct sums {
    const char *name;
    const char *text;
    bool source_a, scope_a, scope_b, digest, all; /* what differs from the first; side b's source is the first's */
};

#define JSONDIR_X "'x': {'plugin': 'jsondir', 'settings': {'root': 'x'}}"
#define JSONDIR_Y "'y': {'plugin': 'jsondir', 'settings': {'root': '/y'}}"
#define LIKE(connections, top, pair)                                                                                   \
    "{'plugins': ['plugins'], 'connections': {" connections "}, " top "'pairs': {'p': {" pair "}}}"

/* I29: a changed filter is another scope; what only says when a run is due changes nothing. */
static void hashes_what_counts(void)
{
    static const struct sums table[] = {
        {"first", LIKE(JSONDIR_X ", " JSONDIR_Y, "", A ", " B), 0, 0, 0, 0, 0},
        {"order and comments", LIKE(JSONDIR_Y ", " JSONDIR_X, "'listen': 'h:1', /* c */ ", B ", " A), 0, 0, 0, 0, 0},
        {"schedule", LIKE(JSONDIR_X ", " JSONDIR_Y, "", A ", " B ", 'every': '5s', 'verify_every': '1d'"), 0, 0, 0, 0,
         0},
        {"filter", LIKE(JSONDIR_X ", " JSONDIR_Y, "", A ", 'b': {'connection': 'y', 'object': 'u', 'filter': '.z'}"), 0,
         0, 1, 1, 1},
        {"object", LIKE(JSONDIR_X ", " JSONDIR_Y, "", "'a': {'connection': 'x', 'object': 'v'}, " B), 1, 1, 0, 1, 1},
        {"settings", LIKE("'x': {'plugin': 'jsondir', 'settings': {'root': 'z'}}, " JSONDIR_Y, "", A ", " B), 1, 1, 0,
         1, 1},
        {"policy", LIKE(JSONDIR_X ", " JSONDIR_Y, "", A ", " B ", 'conflict': 'a'"), 0, 0, 0, 1, 1},
        {"fields", LIKE(JSONDIR_X ", " JSONDIR_Y, "", A ", " B ", 'fields': [{'a': 'f', 'b': 'f'}]"), 0, 0, 0, 1, 1},
        {"another pair", LIKE(JSONDIR_X ", " JSONDIR_Y, "", A ", " B "}, 'q': {" A ", " B), 0, 0, 0, 0, 1},
    };
    struct conf *first = load(table[0].text);
    const struct conf_pair *p = conf_pair(first, "p");
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct conf *c = load(table[i].text);
        const struct conf_pair *q = conf_pair(c, "p");
        CU_ASSERT_EQUAL(conf_source(first, p, 0) != conf_source(c, q, 0), table[i].source_a);
        CU_ASSERT_EQUAL(conf_source(first, p, 1), conf_source(c, q, 1));
        CU_ASSERT_EQUAL(conf_scope(first, p, 0) != conf_scope(c, q, 0), table[i].scope_a);
        CU_ASSERT_EQUAL(conf_scope(first, p, 1) != conf_scope(c, q, 1), table[i].scope_b);
        CU_ASSERT_EQUAL(conf_pair_digest(first, p) != conf_pair_digest(c, q), table[i].digest);
        CU_ASSERT_EQUAL(first->digest != c->digest, table[i].all);
        conf_free(c);
    }
    conf_free(first);
}

static const struct check tests[] = {
    {"defaults", has_defaults},
    {"every key of a pair", reads_every_key},
    {"paths are the file's folder's", makes_paths_absolute},
    {"who may be created: filter, mode, create", creates_by_filter_and_mode},
    {"I34: the direction of each form of a rule", gives_rules_their_direction},
    {"values, groups and constants", fills_rules},
    {"match keys go through the rules", takes_match_keys_across},
    {"I29: scopes and digests change with what counts, and only then", hashes_what_counts},
};

int main(void)
{
    go_to_folder();
    int rc = check_run("conf values", tests, sizeof(tests) / sizeof(*tests));
    unlink("syncline.json");
    unlink("plugins");
    rmdir(folder);
    return rc;
}
