/* SPDX-License-Identifier: MIT */
/* test_conf.c - bad configs and the exact lines they are refused with. */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"

/* Texts are written with ' for ", which no config here needs. */
static void write_config(const char *text)
{
    FILE *f = fopen("syncline.json", "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    for (const char *c = text; *c; c++)
        fputc(*c == '\'' ? '"' : *c, f);
    fclose(f);
}

static char folder[] = "/tmp/test_conf.XXXXXX";

/* A folder of our own, with the plugins of the build beside the config. */
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

#define CONNECTIONS                                                                                                    \
    "{'plugins': ['plugins'], 'connections': {'x': {'plugin': 'jsondir', 'settings': {'root': 'x'}}, "                 \
    "'y': {'plugin': 'jsondir', 'settings': {'root': 'y'}}},\n"
#define PAIR                                                                                                           \
    CONNECTIONS "'pairs': {'p': {'a': {'connection': 'x', 'object': 't'}, 'b': {'connection': 'y', 'object': 't'},\n"
#define END "\n}}}"
#define FIELDS PAIR "'fields': ["
#define ONE_WAY PAIR "'mode': 'one_way', 'fields': ["
#define FIELDS_END "]" END

struct bad {
    const char *name;
    const char *text;
    const char *lines;
};

static const struct bad bads[] = {
    {"an empty file", "", "syncline.json:1:1: the text ends where a value should be; it may have been cut off\n"},
    {"a text cut off", "{'connections': {",
     "syncline.json:1:18: the text ends where a key in double quotes should be; it may have been cut off\n"},
    {"a duplicate key", "{'connections': {},\n 'connections': {}}",
     "syncline.json:2:2: this key occurs twice in its object; keep one\n"},
    {"a root that is a list", "[]", "syncline.json:1:1: a list where an object is expected; write it in { }\n"},
    {"an API without a token", "{'api': {},\n 'connections': {}}",
     "syncline.json:1:9: api.token: missing; add a secret's place, like {'file': 'api-token'}; `openssl rand -hex 32` "
     "makes one\n"},
    {"a token of the API in the open", "{'api': {'token': 'in the open'}, 'connections': {}}",
     "syncline.json:1:19: api.token: a secret does not stand in the config; write {'env': NAME}, {'file': PATH} or "
     "{'credential': NAME}\n"},
    {"a token of the API that is too short", "{'api': {'token': {'env': 'TEST_API_SHORT'}}, 'connections': {}}",
     "syncline.json:1:19: api.token: this secret is no token for the API; make it of 16 visible ASCII characters or "
     "more, like `openssl rand -hex 32` does\n"},
    {"a token of the API that no header takes", "{'api': {'token': {'env': 'TEST_API_BLANK'}}, 'connections': {}}",
     "syncline.json:1:19: api.token: this secret is no token for the API; make it of 16 visible ASCII characters or "
     "more, like `openssl rand -hex 32` does\n"},
    {"nothing at all", "{}",
     "syncline.json:1:1: connections: missing; add the systems to keep in step, like {'desk': {'plugin': 'jsondir', "
     "'settings': {'root': 'desk'}}}\n"},
    {"an unknown key near a known one", "{'conections': {}}",
     "syncline.json:1:1: connections: missing; add the systems to keep in step, like {'desk': {'plugin': 'jsondir', "
     "'settings': {'root': 'desk'}}}\n"
     "syncline.json:1:2: conections: unknown key; did you mean 'connections'?\n"},
    {"an unknown key near none", "{'connections': {}, 'zzzzzzzz': 1}",
     "syncline.json:1:21: zzzzzzzz: unknown key; remove it (the keys here are state, listen, history, run_silence, "
     "api, "
     "plugins, "
     "connections, users, pairs)\n"},
    {"the wrong type of each top key",
     "{'state': 1, 'listen': 2, 'history': [],\n'plugins': {}, 'connections': [],\n'pairs': true}",
     "syncline.json:1:11: state: a number where a string is expected; write it in double quotes\n"
     "syncline.json:1:24: listen: a number where a string is expected; write it in double quotes\n"
     "syncline.json:1:38: history: a list where an object is expected; write it in { }\n"
     "syncline.json:2:12: plugins: an object where a list is expected; write it in [ ]\n"
     "syncline.json:2:31: connections: a list where an object is expected; write it in { }\n"
     "syncline.json:3:10: pairs: a bool where an object is expected; write it in { }\n"},
    {"a state in a database", "{'connections': {}, 'state': {'postgres': {}}}",
     "syncline.json:1:30: state: a state in a database is not implemented in this version; remove it or name a "
     "folder\n"},
    {"an empty state", "{'connections': {}, 'state': ''}",
     "syncline.json:1:30: state: the text is empty; fill it in or remove the key\n"},
    {"users of no connection, without a name, and one name for two",
     "{'plugins': ['plugins'], 'connections': {'x': {'plugin': 'jsondir', 'settings': {'root': 'x'}}},\n"
     "'users': [{'x': 'ann'}, {'y': 'bob'},\n{'x': ''}, {'x': 'ANN'}, 7]}",
     "syncline.json:2:26: users[1].y: no connection is named 'y'; add it to `connections` (there: x)\n"
     "syncline.json:3:7: users[2].x: the text is empty; fill it in or remove the key\n"
     "syncline.json:3:18: users[3].x: 'ANN' of 'x' stands twice; put both lines into one\n"
     "syncline.json:3:26: users[4]: a number where an object is expected; write it in { }\n"},
    {"an address without a port", "{'connections': {}, 'listen': 'localhost'}",
     "syncline.json:1:31: listen: 'localhost' is no address; write HOST:PORT, like '127.0.0.1:8631'\n"},
    {"a port too high", "{'connections': {}, 'listen': 'localhost:65536'}",
     "syncline.json:1:31: listen: 'localhost:65536' is no address; write HOST:PORT, like '127.0.0.1:8631'\n"},
    {"history without a unit", "{'connections': {}, 'history': {'keep': '90'}}",
     "syncline.json:1:41: history.keep: '90' is no duration; write a whole number and one of ms, s, m, h, d in double "
     "quotes, like '60s'\n"},
    {"history kept by a number", "{'connections': {}, 'history': {'keep': 90}}",
     "syncline.json:1:41: history.keep: a number where a duration is expected; write a whole number and one of ms, s, "
     "m, h, d in double quotes, like '60s'\n"},
    {"an unknown key of history", "{'connections': {}, 'history': {'keeps': '90d'}}",
     "syncline.json:1:33: history.keeps: unknown key; did you mean 'keep'?\n"},
    {"a plugin folder that is a number", "{'connections': {}, 'plugins': ['p', 1]}",
     "syncline.json:1:38: plugins[1]: a number where a string is expected; write it in double quotes\n"},
    {"a connection that is a string", "{'connections': {'x': 'jsondir'}}",
     "syncline.json:1:23: connections.x: a string where an object is expected; write it in { }\n"},
    {"a connection without a plugin", "{'connections': {'x': {}}}",
     "syncline.json:1:23: connections.x.plugin: missing; add the connector's name; `syncline plugins` lists them\n"},
    {"a connection of a bad name",
     "{'plugins': ['plugins'], 'connections': {'My Desk': {'plugin': 'jsondir', 'settings': {'root': 'x'}}}}",
     "syncline.json:1:42: connections['My Desk']: not a name; use a to z, 0 to 9, _ and -, a letter or digit first, at "
     "most 100 characters\n"},
    {"limits",
     "{'plugins': ['plugins'], 'connections': {'x': {'plugin': 'jsondir', 'settings': {'root': 'x'},\n'limits': "
     "{'in_flight': 0}}}}",
     "syncline.json:2:25: connections.x.limits.in_flight: 0 is out of range; write a whole number from 1 to 1000\n"},
    {"allow_private",
     "{'plugins': ['plugins'], 'connections': {'x': {'plugin': 'jsondir', 'settings': {'root': 'x'},\n'allow_private': "
     "1}}}",
     "syncline.json:2:18: connections.x.allow_private: a number where a bool is expected; write true or false\n"},
    {"a SHA-256 that is none",
     "{'plugins': ['plugins'], 'connections': {'x': {'plugin': 'jsondir', 'settings': {'root': 'x'},\n'plugin_sha256': "
     "'abc'}}}",
     "syncline.json:2:18: connections.x.plugin_sha256: 'abc' is no SHA-256; write the 64 hex digits that `sha256sum "
     "FILE` prints\n"},
    {"webhooks of a connector that takes none",
     "{'plugins': ['plugins'], 'connections': {'x': {'plugin': 'jsondir', 'settings': {'root': 'x'},\n'hooks': "
     "{'token': {'env': 'TEST_HOOK'}}}}}",
     "syncline.json:2:1: connections.x.hooks: the connector jsondir takes no webhooks; remove it, the pair polls\n"},
    {"webhooks without a token",
     "{'plugins': ['plugins'], 'connections': {'x': {'plugin': 'rest', 'settings': {'base_url': 'http://127.0.0.1:1',\n"
     "'resources': {}}, 'hooks': {}}}}",
     "syncline.json:2:28: connections.x.hooks.token: missing; add the secret end of its path, like {'env': "
     "'DESK_HOOK'}; 16 characters or more of A-Z a-z 0-9 . _ ~ -\n"},
    {"webhooks without a secret, and a token that is none",
     "{'plugins': ['plugins'], 'connections': {'x': {'plugin': 'rest', 'settings': {'base_url': 'http://127.0.0.1:1',\n"
     "'resources': {}}, 'hooks': {'token': {'env': 'TEST_SHORT'}, 'token_before': 'in the open'}}}}",
     "syncline.json:2:19: connections.x.hooks: every webhook would count as forged; add the setting webhook_secret, "
     "which rest verifies them by\n"
     "syncline.json:2:38: connections.x.hooks.token: this secret is no end of a path; make it of 16 characters or more "
     "of A-Z a-z 0-9 . _ ~ -, like `openssl rand -hex 32` does\n"
     "syncline.json:2:77: connections.x.hooks.token_before: a secret does not stand in the config; write {'env': "
     "NAME}, "
     "{'file': PATH} or {'credential': NAME}\n"},
    {"isolation of no such word",
     "{'plugins': ['plugins'], 'connections': {'x': {'plugin': 'jsondir', 'settings': {'root': 'x'},\n'isolation': "
     "'process'}}}",
     "syncline.json:2:14: connections.x.isolation: 'process' is not one of the words here; use one of none, runner\n"},
    {"a plugin with a folder", "{'connections': {'x': {'plugin': '../jsondir'}}}",
     "syncline.json:1:34: connections.x.plugin: '../jsondir' is no connector's name; write it in lower case, without "
     "folder and .so\n"},
    {"settings that are a list",
     "{'plugins': ['plugins'], 'connections': {'x': {'plugin': 'jsondir',\n'settings': []}}}",
     "syncline.json:2:13: connections.x.settings: a list where an object is expected; write it in { }\n"},
    {"pairs that are a list", CONNECTIONS "'pairs': []}",
     "syncline.json:2:10: pairs: a list where an object is expected; write it in { }\n"},
    {"a pair that is a string", CONNECTIONS "'pairs': {'p': 'x'}}",
     "syncline.json:2:16: pairs.p: a string where an object is expected; write it in { }\n"},
    {"a pair of a bad name",
     CONNECTIONS
     "'pairs': {'../p': {'a': {'connection': 'x', 'object': 't'}, 'b': {'connection': 'y', 'object': 't'}}}}",
     "syncline.json:2:11: pairs['../p']: not a name; use a to z, 0 to 9, _ and -, a letter or digit first, at most 100 "
     "characters\n"},
    {"a pair without sides", CONNECTIONS "'pairs': {'p': {}}}",
     "syncline.json:2:16: pairs.p.a: missing; add one side, like {'connection': 'desk', 'object': 'tickets'}\n"
     "syncline.json:2:16: pairs.p.b: missing; add the other side, like {'connection': 'code', 'object': 'issues'}\n"},
    {"sides without their keys", CONNECTIONS "'pairs': {'p': {'a': {},\n'b': {'object': ''}}}}",
     "syncline.json:2:22: pairs.p.a.connection: missing; add the name of a connection\n"
     "syncline.json:2:22: pairs.p.a.object: missing; add the collection in that connection, like 'tickets'\n"
     "syncline.json:3:6: pairs.p.b.connection: missing; add the name of a connection\n"
     "syncline.json:3:17: pairs.p.b.object: the text is empty; fill it in or remove the key\n"},
    {"connections nobody has",
     CONNECTIONS
     "'pairs': {'p': {'a': {'connection': 'X1', 'object': 't'},\n'b': {'connection': 'zebra', 'object': 't'}}}}",
     "syncline.json:2:37: pairs.p.a.connection: no connection is named 'X1'; did you mean 'x'?\n"
     "syncline.json:3:21: pairs.p.b.connection: no connection is named 'zebra'; add it to `connections` (there: x, "
     "y)\n"},
    {"two sides that are one",
     CONNECTIONS "'pairs': {'p': {'a': {'connection': 'x', 'object': 't'},\n'b': {'connection': 'x', 'object': 't'}}}}",
     "syncline.json:3:6: pairs.p.b: both sides are 't' of 'x'; name another connection or object\n"},
    {"a filter with a word that is refused",
     CONNECTIONS "'pairs': {'p': {'a': {'connection': 'x', 'object': 't',\n'filter': 'env.HOME'}, 'b': {'connection': "
                 "'y', 'object': 't'}}}}",
     "syncline.json:3:11: pairs.p.a.filter: expression, line 1, column 1: `env` is not available; an expression sees "
     "only the record and $now\n"},
    {"a filter that is empty",
     CONNECTIONS "'pairs': {'p': {'a': {'connection': 'x', 'object': 't',\n'filter': ''}, 'b': {'connection': 'y', "
                 "'object': 't'}}}}",
     "syncline.json:3:11: pairs.p.a.filter: the text is empty; fill it in or remove the key\n"},
    {"mode mirror", PAIR "'mode': 'mirror'" END,
     "syncline.json:3:9: pairs.p.mode: 'mirror' is not implemented in this version; remove it or use one of two_way, "
     "one_way\n"},
    {"mode append", PAIR "'mode': 'append'" END,
     "syncline.json:3:9: pairs.p.mode: 'append' is not implemented in this version; remove it or use one of two_way, "
     "one_way\n"},
    {"mode migrate", PAIR "'mode': 'migrate'" END,
     "syncline.json:3:9: pairs.p.mode: 'migrate' is not implemented in this version; remove it or use one of two_way, "
     "one_way\n"},
    {"words that do not exist",
     PAIR "'mode': 'oneway',\n'create': 'a',\n'first_run': 'now',\n'conflict': 'latest',\n'drift': "
          "'keep',\n'on_leave': 'delete',\n'deletes': {'policy': 'keep'}" END,
     "syncline.json:3:9: pairs.p.mode: 'oneway' is not one of the words here; use one of two_way, one_way\n"
     "syncline.json:4:11: pairs.p.create: 'a' is not one of the words here; use one of both, a_to_b, b_to_a, none\n"
     "syncline.json:5:14: pairs.p.first_run: 'now' is not one of the words here; use one of match_or_create, "
     "match_only, create_only, review\n"
     "syncline.json:6:13: pairs.p.conflict: 'latest' is not one of the words here; use one of a, b, newest, nonempty, "
     "merge, min, max, manual\n"
     "syncline.json:7:10: pairs.p.drift: 'keep' is not one of the words here; use one of alert, revert, ignore\n"
     "syncline.json:8:13: pairs.p.on_leave: 'delete' is not one of the words here; use one of keep, unlink, archive\n"
     "syncline.json:9:23: pairs.p.deletes.policy: 'keep' is not one of the words here; use one of unlink, archive, "
     "delete, recreate, ignore\n"},
    {"words that are numbers", PAIR "'mode': 1" END,
     "syncline.json:3:9: pairs.p.mode: a number where a string is expected; write it in double quotes\n"},
    {"durations that are none", PAIR "'every': 'soon',\n'verify_every': '0s'" END,
     "syncline.json:3:10: pairs.p.every: 'soon' is no duration; write a whole number and one of ms, s, m, h, d in "
     "double quotes, like '60s'\n"
     "syncline.json:4:17: pairs.p.verify_every: '0s' is too short; write more than nothing or remove the key\n"},
    {"deletes as a word", PAIR "'deletes': 'unlink'" END,
     "syncline.json:3:12: pairs.p.deletes: a string where an object is expected; write it in { }\n"},
    {"ceilings out of range", PAIR "'deletes': {'max': -1,\n'max_percent': 101}" END,
     "syncline.json:3:20: pairs.p.deletes.max: -1 is out of range; write a whole number from 0 up\n"
     "syncline.json:4:16: pairs.p.deletes.max_percent: 101 is out of range; write a whole number from 0 to 100\n"},
    {"a ceiling that is a string", PAIR "'deletes': {'max': '10'}" END,
     "syncline.json:3:20: pairs.p.deletes.max: a string where a number is expected; write digits without quotes\n"},
    {"a ceiling that is no whole number", PAIR "'deletes': {'max': 1.5}" END,
     "syncline.json:3:20: pairs.p.deletes.max: 1.5 is out of range; write a whole number from 0 up\n"},
    {"children as an object", PAIR "'children': {}" END,
     "syncline.json:3:13: pairs.p.children: an object where a list is expected; write it in [ ]\n"},
    {"children without a side, of a wrong kind, twice, and kept in step",
     PAIR "'children': [{'a': 'c'},\n{'a': 7, 'b': {'filter': '.x'}},\n{'a': 'c', 'b': 'd', 'mode': 'one_way'}]" END,
     "syncline.json:3:14: pairs.p.children[0].b: missing; add the object whose records belong to those of side b, like "
     "'comments'\n"
     "syncline.json:4:7: pairs.p.children[1].a: a number where an object's name is expected; write it in double "
     "quotes, "
     "like 'comments'\n"
     "syncline.json:4:15: pairs.p.children[1].b.object: missing; add the object whose records belong to the pair's, "
     "like "
     "'comments'\n"
     "syncline.json:5:7: pairs.p.children[2].a: 'c' has its children already; put the fields of both into one of them\n"
     "syncline.json:5:30: pairs.p.children[2].mode: 'one_way' is not implemented in this version; remove it or use one "
     "of append, two_way\n"},
    {"expand", PAIR "'expand': {}" END,
     "syncline.json:3:1: pairs.p.expand: `expand` is not implemented in this version; remove it\n"},
    {"rollup", PAIR "'rollup': {}" END,
     "syncline.json:3:1: pairs.p.rollup: `rollup` is not implemented in this version; remove it\n"},
    {"due", PAIR "'due': {}" END,
     "syncline.json:3:1: pairs.p.due: `due` is not implemented in this version; remove it\n"},
    {"a one-way pair that creates both ways", PAIR "'mode': 'one_way', 'create': 'both'" END,
     "syncline.json:3:30: pairs.p.create: a one_way pair writes side b only; use 'a_to_b' or 'none', or make the mode "
     "two_way\n"},
    {"a one-way pair that creates backwards", PAIR "'mode': 'one_way', 'create': 'b_to_a'" END,
     "syncline.json:3:30: pairs.p.create: a one_way pair writes side b only; use 'a_to_b' or 'none', or make the mode "
     "two_way\n"},
    {"match keys of wrong types", PAIR "'match': [1, [], ['k', 2], '']" END,
     "syncline.json:3:11: pairs.p.match[0]: a number where a string is expected; write it in double quotes\n"
     "syncline.json:3:14: pairs.p.match[1]: an empty key; name the fields that are the same in both systems\n"
     "syncline.json:3:24: pairs.p.match[2][1]: a number where a string is expected; write it in double quotes\n"
     "syncline.json:3:28: pairs.p.match[3]: the text is empty; fill it in or remove the key\n"},
    {"fields as an object", PAIR "'fields': {}" END,
     "syncline.json:3:11: pairs.p.fields: an object where a list is expected; write it in [ ]\n"},
    {"no fields", FIELDS "" FIELDS_END,
     "syncline.json:3:11: pairs.p.fields: no fields; list some, or remove the key to keep every field both sides share "
     "in step\n"},
    {"a rule that is a string", FIELDS "'title'" FIELDS_END,
     "syncline.json:3:12: pairs.p.fields[0]: a string where an object is expected; write it in { }\n"},
    {"a rule that names nothing", FIELDS "{}" FIELDS_END,
     "syncline.json:3:12: pairs.p.fields[0]: no field is named; add 'a' and 'b'\n"},
    {"a rule of one side", FIELDS "{'a': 'x'},\n{'b': 'x'}" FIELDS_END,
     "syncline.json:3:12: pairs.p.fields[0]: the field of side a has nothing on side b; add 'b', 'from_b' or 'value'\n"
     "syncline.json:4:1: pairs.p.fields[1]: the field of side b has nothing on side a; add 'a', 'from_a' or 'value'\n"},
    {"a rule with an empty name", FIELDS "{'a': '', 'b': 'x'}" FIELDS_END,
     "syncline.json:3:18: pairs.p.fields[0].a: the text is empty; fill it in or remove the key\n"},
    {"an unknown key of a rule", FIELDS "{'a': 'x', 'b': 'x', 'dirction': 'a_to_b'}" FIELDS_END,
     "syncline.json:3:33: pairs.p.fields[0].dirction: unknown key; did you mean 'direction'?\n"},
    {"an unknown direction", FIELDS "{'a': 'x', 'b': 'x', 'direction': 'forth'}" FIELDS_END,
     "syncline.json:3:46: pairs.p.fields[0].direction: 'forth' is not one of the words here; use one of both, a_to_b, "
     "b_to_a\n"},
    {"a program without its field", FIELDS "{'a': 'x', 'from_a': '.y'},\n{'b': 'x', 'from_b': '.y'}" FIELDS_END,
     "syncline.json:3:23: pairs.p.fields[0].from_a: it computes a field of side b that has no name; name it with 'b'\n"
     "syncline.json:4:12: pairs.p.fields[1].from_b: it computes a field of side a that has no name; name it with "
     "'a'\n"},
    {"a program that does not compile", FIELDS "{'b': 'x', 'from_a': '.y |'}" FIELDS_END,
     "syncline.json:3:33: pairs.p.fields[0].from_a: expression: it ends before it is complete; correct it (the "
     "language is jq 1.6)\n"},
    {"a program that reads the clock", FIELDS "{'b': 'x', 'from_a': 'now'}" FIELDS_END,
     "syncline.json:3:33: pairs.p.fields[0].from_a: expression, line 1, column 1: `now` is not available; use $now, "
     "the time of the run in seconds\n"},
    {"a computed field against its direction",
     FIELDS
     "{'b': 'x', 'from_a': '.y', 'direction': 'both'},\n{'a': 'x', 'from_b': '.y', 'direction': 'a_to_b'}" FIELDS_END,
     "syncline.json:3:52: pairs.p.fields[0].direction: this rule has no field of side a to write; use 'a_to_b'\n"
     "syncline.json:4:41: pairs.p.fields[1].direction: this rule has no field of side b to write; use 'b_to_a'\n"},
    {"a way back that is not computed", FIELDS "{'a': 'x', 'b': 'y', 'from_a': '.x', 'direction': 'both'}" FIELDS_END,
     "syncline.json:3:62: pairs.p.fields[0].direction: the way back is not computed; add 'from_b' or use 'a_to_b'\n"},
    {"a program for the side that is not written",
     FIELDS "{'a': 'x', 'b': 'y', 'from_a': '.x', 'from_b': '.y', 'direction': 'a_to_b'}" FIELDS_END,
     "syncline.json:3:49: pairs.p.fields[0].from_b: it is for side a, which this rule does not write; remove it or "
     "change `direction`\n"},
    {"a constant for both sides", FIELDS "{'a': 'x', 'b': 'y', 'value': 1}" FIELDS_END,
     "syncline.json:3:33: pairs.p.fields[0].value: a constant is for the field of one side; remove 'a' or 'b'\n"},
    {"a constant that is mapped and computed",
     FIELDS "{'b': 'y', 'value': 1, 'values': {'a': 'b'}, 'from_a': '.x'}" FIELDS_END,
     "syncline.json:3:35: pairs.p.fields[0].values: a constant is neither mapped nor computed; remove it\n"
     "syncline.json:3:57: pairs.p.fields[0].from_a: a constant is neither mapped nor computed; remove it\n"},
    {"a constant against its direction", FIELDS "{'b': 'y', 'value': 1, 'direction': 'b_to_a'}" FIELDS_END,
     "syncline.json:3:48: pairs.p.fields[0].direction: this rule has no field of side a to write; use 'a_to_b'\n"},
    {"otherwise without values", FIELDS "{'a': 'x', 'b': 'y', 'otherwise': 'z'}" FIELDS_END,
     "syncline.json:3:33: pairs.p.fields[0].otherwise: there is no value map that it could end; add `values` or remove "
     "it\n"},
    {"otherwise for the side that is not written",
     FIELDS "{'a': 'x', 'b': 'y', 'values': {'p': 'q'}, 'otherwise_a': 'z', 'direction': 'a_to_b'}" FIELDS_END,
     "syncline.json:3:55: pairs.p.fields[0].otherwise_a: it is for side a, which this rule does not write; remove it "
     "or change `direction`\n"},
    {"otherwise of the wrong types",
     FIELDS "{'a': 'x', 'b': 'y', 'values': {'p': 'q'}, 'otherwise': null, 'otherwise_a': []}" FIELDS_END,
     "syncline.json:3:68: pairs.p.fields[0].otherwise: null where one value is expected; write a string, number or "
     "bool\n"
     "syncline.json:3:89: pairs.p.fields[0].otherwise_a: a list where one value is expected; write a string, number or "
     "bool\n"},
    {"a conflict policy for one way", FIELDS "{'a': 'x', 'b': 'y', 'direction': 'a_to_b', 'conflict': 'a'}" FIELDS_END,
     "syncline.json:3:56: pairs.p.fields[0].conflict: a field that goes one way has no conflicts; remove it or use "
     "`drift`\n"},
    {"a drift policy for both ways", FIELDS "{'a': 'x', 'b': 'y', 'drift': 'revert'}" FIELDS_END,
     "syncline.json:3:33: pairs.p.fields[0].drift: a field that goes both ways has no drift; remove it or add "
     "`direction`\n"},
    {"values that are a list", FIELDS "{'a': 'x', 'b': 'y', 'values': []}" FIELDS_END,
     "syncline.json:3:43: pairs.p.fields[0].values: a list where an object is expected; write it in { }\n"},
    {"no values", FIELDS "{'a': 'x', 'b': 'y', 'values': {}}" FIELDS_END,
     "syncline.json:3:43: pairs.p.fields[0].values: no values; write side a's value and side b's, like {'open': "
     "'new'}\n"},
    {"a value that is a list", FIELDS "{'a': 'x', 'b': 'y', 'values': {'in progress': []}}" FIELDS_END,
     "syncline.json:3:59: pairs.p.fields[0].values['in progress']: a list where one value is expected; write a string, "
     "number, bool or null\n"},
    {"I32: values without a way back", FIELDS "{'a': 'x', 'b': 'y', 'values': {'p': 'q', 'r': 'q'}}" FIELDS_END,
     "syncline.json:3:43: pairs.p.fields[0].values: 'p', 'r' on side a are all 'q' on side b, so the way back is not "
     "clear; map them apart, give `otherwise_a`, or make the rule one-way with `direction`\n"},
    {"a field written twice",
     FIELDS "{'a': 'x', 'b': 'y'},\n{'a': 'z', 'b': 'y'}, {'group': 'g', 'fields': [{'a': 'z', 'b': 'u', 'direction': "
            "'b_to_a'}]}" FIELDS_END,
     "syncline.json:4:17: pairs.p.fields[1].b: field 'y' of side b is already written by pairs.p.fields[0] (line 3, "
     "column 12); remove one of the two\n"
     "syncline.json:4:55: pairs.p.fields[2].fields[0].a: field 'z' of side a is already written by pairs.p.fields[1] "
     "(line 4, column 1); remove one of the two\n"},
    {"a group without its keys", FIELDS "{'group': 'g'},\n{'fields': [{'a': 'x', 'b': 'y'}]}" FIELDS_END,
     "syncline.json:3:12: pairs.p.fields[0].fields: missing; add the fields that take one side whole, like [{'a': "
     "'amount', 'b': 'total'}]\n"
     "syncline.json:4:1: pairs.p.fields[1].group: missing; add the group's name, like 'money'\n"},
    {"a group without fields", FIELDS "{'group': 'g', 'fields': []}" FIELDS_END,
     "syncline.json:3:37: pairs.p.fields[0].fields: the group has no fields; add some or remove it\n"},
    {"a group in a group", FIELDS "{'group': 'g', 'fields': [{'group': 'h', 'fields': []}]}" FIELDS_END,
     "syncline.json:3:38: pairs.p.fields[0].fields[0]: a group holds no group; list its fields here\n"},
    {"a group of two policies",
     FIELDS "{'group': 'g', 'conflict': 'a', 'fields': [{'a': 'x', 'b': 'x'}, {'a': 'y', 'b': 'y', 'conflict': "
            "'b'}]}" FIELDS_END,
     "syncline.json:3:54: pairs.p.fields[0].fields: the fields of a group are decided together; give them one "
     "`conflict`, beside `group`\n"},
    {"two groups of one name",
     FIELDS
     "{'group': 'g', 'fields': [{'a': 'x', 'b': 'x'}]},\n{'group': 'g', 'fields': [{'a': 'y', 'b': 'y'}]}" FIELDS_END,
     "syncline.json:4:11: pairs.p.fields[1].group: there is another group 'g' in this pair; put its fields together or "
     "name it otherwise\n"},
    {"I34: a one-way pair that writes side a",
     ONE_WAY "{'a': 'x', 'b': 'x', 'direction': 'both'},\n{'a': 'y', 'b': 'y', 'direction': 'b_to_a'},\n{'a': 'z', "
             "'from_b': '.z'},\n{'a': 'u', 'value': 1}" FIELDS_END,
     "syncline.json:3:52: pairs.p.fields[0].direction: a one_way pair writes side b only; remove it or make the mode "
     "two_way\n"
     "syncline.json:4:22: pairs.p.fields[1].direction: a one_way pair writes side b only; remove it or make the mode "
     "two_way\n"
     "syncline.json:5:12: pairs.p.fields[2].from_b: a one_way pair writes side b only; remove it or make the mode "
     "two_way\n"
     "syncline.json:6:12: pairs.p.fields[3].value: a one_way pair writes side b only; remove it or make the mode "
     "two_way\n"},
    {"I34: a one-way pair with a value for side a",
     ONE_WAY "{'a': 'x', 'b': 'x', 'values': {'p': 'q'}, 'otherwise_a': 'p'}" FIELDS_END,
     "syncline.json:3:74: pairs.p.fields[0].otherwise_a: it is for side a, which this rule does not write; remove it "
     "or change `direction`\n"},
    {"many at once, in the order of the file",
     "{'pairs': {'p': {'a': {'connection': 'z', 'object': 1},\n'b': {'connection': 'y'}, 'every': 60,\n'fields': [{}, "
     "{'a': 'x'}], 'colour': 1}},\n'plugins': ['plugins'], 'connections': {'y': {'plugin': 'jsondir', 'settings': "
     "{'root': 1}}},\n'users': {}, '$schema': 7, 'listen': ''}",
     "syncline.json:1:38: pairs.p.a.connection: no connection is named 'z'; add it to `connections` (there: y)\n"
     "syncline.json:1:53: pairs.p.a.object: a number where a string is expected; write it in double quotes\n"
     "syncline.json:2:6: pairs.p.b.object: missing; add the collection in that connection, like 'tickets'\n"
     "syncline.json:2:36: pairs.p.every: a number where a duration is expected; write a whole number and one of ms, s, "
     "m, h, d in double quotes, like '60s'\n"
     "syncline.json:3:12: pairs.p.fields[0]: no field is named; add 'a' and 'b'\n"
     "syncline.json:3:16: pairs.p.fields[1]: the field of side a has nothing on side b; add 'b', 'from_b' or 'value'\n"
     "syncline.json:3:29: pairs.p.colour: unknown key; remove it (the keys here are a, b, mode, create, every, "
     "verify_every, match, first_run, fields, conflict, drift, on_leave, deletes, children)\n"
     "syncline.json:4:89: connections.y.settings.root: a number where a string is expected; write it in double quotes\n"
     "syncline.json:5:10: users: an object where a list is expected; write it in [ ]\n"
     "syncline.json:5:38: listen: the text is empty; fill it in or remove the key\n"},
    {"a name with a line break stays one line", "{'connections': {}, 'a\\nb': 1}",
     "syncline.json:1:21: ['a\\nb']: unknown key; remove it (the keys here are state, listen, history, run_silence, "
     "api, "
     "plugins, "
     "connections, users, pairs)\n"},
};

/* The lines as written above: with ' for ". */
static void unquote(struct buf *lines)
{
    for (size_t i = 0; i < lines->size; i++)
        if (lines->data[i] == '"')
            lines->data[i] = '\'';
}

static void check_lines(const char *name, struct buf *problems, const char *lines)
{
    unquote(problems);
    bool same = problems->size && strcmp(problems->data, lines) == 0;
    if (!same)
        printf("%s:\n%swanted:\n%s", name, problems->size ? problems->data : "(nothing)\n", lines);
    CU_ASSERT_TRUE(same);
}

static void refuses_with_exact_lines(void)
{
    setenv("TEST_HOOK", "0123456789.abc_DEF~-", 1);
    setenv("TEST_SHORT", "0123456789abcde", 1);
    for (size_t i = 0; i < sizeof(bads) / sizeof(*bads); i++) {
        struct buf problems = {0};
        struct err e = {0};
        write_config(bads[i].text);
        struct conf *c = conf_load("syncline.json", &problems, &e);
        CU_ASSERT_PTR_NULL(c);
        CU_ASSERT_EQUAL(e.code, ERR_CONFIG);
        check_lines(bads[i].name, &problems, bads[i].lines);
        conf_free(c);
        buf_fini(&problems);
    }
}

static void sums_up_in_one_line(void)
{
    struct buf problems = {0};
    struct err one = {0};
    struct err two = {0};
    write_config("{'connections': {}, 'users': 1}");
    conf_load("./syncline.json", &problems, &one);
    CU_ASSERT_STRING_EQUAL(one.text, "./syncline.json:1:30: users: a number where a list is expected; write it in [ ]");
    write_config("{'connections': {}, 'users': 1, 'pears': {}}");
    conf_load("./syncline.json", &problems, &two);
    CU_ASSERT_STRING_EQUAL(two.text,
                           "./syncline.json: the config has 2 problems; mend them, `syncline check` lists them");
    buf_fini(&problems);
}

static void says_what_to_do_without_a_file(void)
{
    struct buf problems = {0};
    struct err e = {0};
    CU_ASSERT_PTR_NULL(conf_load("none.json", &problems, &e));
    CU_ASSERT_EQUAL(e.code, ERR_CONFIG);
    check_lines("no file", &problems,
                "none.json: no such file; write one with `syncline init` or name one with -c FILE\n");
    buf_clear(&problems);
    CU_ASSERT_PTR_NULL(conf_load("plugins", &problems, &e));
    check_lines("a folder", &problems, "plugins: Is a directory; name a config file that you may read with -c FILE\n");
    buf_fini(&problems);
}

/* The folders searched are in the sentence, and they are the machine's. */
static void places_a_missing_connector(void)
{
    static const char start[] =
        "syncline.json:1:61: connections.x.plugin: connector 'jsondri' is in none of the folders ";
    struct buf problems = {0};
    struct err e = {0};
    write_config("{'plugins': ['plugins'], 'connections': {'x':    {'plugin': 'jsondri', 'settings': {'root': 7}}}}");
    CU_ASSERT_PTR_NULL(conf_load("syncline.json", &problems, &e));
    CU_ASSERT_EQUAL(e.code, ERR_CONFIG);
    unquote(&problems);
    CU_ASSERT_EQUAL(strncmp(problems.data, start, strlen(start)), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(problems.data, "did you mean 'jsondir'?\n"));
    buf_fini(&problems);
}

static const struct check tests[] = {
    {"every refusal: all problems, exact, in the order of the file", refuses_with_exact_lines},
    {"one line for those who show one", sums_up_in_one_line},
    {"a file that is not there", says_what_to_do_without_a_file},
    {"a connector that is not there, at its name", places_a_missing_connector},
};

int main(void)
{
    setenv("TEST_API_SHORT", "0123456789abcde", 1);
    setenv("TEST_API_BLANK", "0123456789 abcdef", 1);
    go_to_folder();
    int rc = check_run("conf", tests, sizeof(tests) / sizeof(*tests));
    unlink("syncline.json");
    unlink("plugins");
    rmdir(folder);
    return rc;
}
