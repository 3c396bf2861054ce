/* SPDX-License-Identifier: MIT */
/* test_settings.c - a connection's settings against an option table of every kind, and where secrets may come from. */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "conf/load.h"

static const struct sl_option options[] = {
    {"name", SL_OPT_STRING, 1, NULL, NULL, "What it is called."},
    {"root", SL_OPT_PATH, 0, "data", NULL, NULL},
    {"size", SL_OPT_INT, 0, "7", NULL, NULL},
    {"fast", SL_OPT_BOOL, 0, "true", NULL, NULL},
    {"token", SL_OPT_SECRET, 0, NULL, NULL, NULL},
    {"level", SL_OPT_ENUM, 0, "low", "low|high", NULL},
    {"base_url", SL_OPT_URL, 0, NULL, NULL, NULL},
    {"auth", SL_OPT_JSON, 0, NULL, NULL, NULL},
    {"login", SL_OPT_AUTH, 0, NULL, NULL, NULL},
    {"command", SL_OPT_LIST, 0, NULL, NULL, NULL},
    {"later", 99, 0, NULL, NULL, NULL},
};
static const struct sl_plugin plugin = {.size = sizeof(struct sl_plugin),
                                        .abi_major = SL_ABI_MAJOR,
                                        .name = "fake",
                                        .version = "1",
                                        .options = options,
                                        .n_options = sizeof(options) / sizeof(*options),
                                        .option_size = sizeof(*options)};

static char folder[] = "/tmp/test_settings.XXXXXX";

struct result {
    struct conf conf;
    struct conf_connection connection;
    struct buf lines;
};

/* Reads {"settings": TEXT} (or no settings) with ' for " in a config of our folder. */
static struct result read_settings(const char *settings)
{
    static const struct json_rules rules = {.positions = true};
    struct result r = {.conf = {.folder = folder}};
    struct load l = {.conf = &r.conf, .problems = {.file = "c"}};
    struct err e = {0};
    struct buf text = {0};
    buf_printf(&text, *settings ? "{'settings': %s}" : "{%s}", settings);
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '\'')
            text.data[i] = '"';
    struct json_doc *doc = json_parse(text.data, text.size, &rules, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    l.problems.doc = doc;
    settings_read(&l, json_root(doc), json_get(json_root(doc), "settings"), &plugin, &r.connection);
    problem_tell(&l.problems, &r.lines);
    problem_fini(&l.problems);
    json_free(doc);
    buf_fini(&text);
    return r;
}

static void result_fini(struct result *r)
{
    arena_fini(&r->conf.arena);
    buf_fini(&r->lines);
}

static const struct sl_value *value(const struct result *r, const char *name)
{
    for (uint32_t i = 0; i < r->connection.n_settings; i++)
        if (strcmp(r->connection.settings[i].name, name) == 0)
            return &r->connection.settings[i];
    return NULL;
}

static const char *text(const struct result *r, const char *name)
{
    const struct sl_value *v = value(r, name);
    return v && v->text ? v->text : "(none)";
}

static void fills_in_defaults(void)
{
    struct result r = read_settings("{'name': 'n'}");
    char root[64];
    snprintf(root, sizeof(root), "%s/data", folder);
    CU_ASSERT_EQUAL(r.lines.size, 0);
    CU_ASSERT_EQUAL(r.connection.n_settings, 5);
    CU_ASSERT_STRING_EQUAL(text(&r, "root"), root);
    CU_ASSERT_EQUAL(value(&r, "size")->number, 7);
    CU_ASSERT_EQUAL(value(&r, "size")->type, SL_INT);
    CU_ASSERT_EQUAL(value(&r, "fast")->number, 1);
    CU_ASSERT_EQUAL(value(&r, "fast")->type, SL_BOOL);
    CU_ASSERT_STRING_EQUAL(text(&r, "level"), "low");
    CU_ASSERT_PTR_NULL(value(&r, "token"));
    result_fini(&r);
}

static void reads_every_kind(void)
{
    setenv("TEST_SETTINGS_TOKEN", "s3cret-of-env", 1);
    struct result r =
        read_settings("{'name': 'n', 'root': '/r', 'size': -9223372036854775808, 'fast': false, "
                      "'token': {'env': 'TEST_SETTINGS_TOKEN'}, 'level': 'high', "
                      "'base_url': 'http://127.0.0.1:1/x@y', 'auth': {'bearer': {'env': 'T'}, 'n': 0.10}, "
                      "'command': ['cat', '-u']}");
    CU_ASSERT_EQUAL(r.lines.size, 0);
    CU_ASSERT_EQUAL(r.connection.n_settings, 9);
    CU_ASSERT_STRING_EQUAL(text(&r, "root"), "/r");
    CU_ASSERT_EQUAL(value(&r, "size")->number, INT64_MIN);
    CU_ASSERT_EQUAL(value(&r, "fast")->number, 0);
    CU_ASSERT_STRING_EQUAL(text(&r, "token"), "s3cret-of-env");
    CU_ASSERT_EQUAL(value(&r, "token")->text_size, strlen("s3cret-of-env"));
    CU_ASSERT_STRING_EQUAL(text(&r, "level"), "high");
    CU_ASSERT_STRING_EQUAL(text(&r, "base_url"), "http://127.0.0.1:1/x@y");
    CU_ASSERT_STRING_EQUAL(text(&r, "auth"), "{\"bearer\":{\"env\":\"T\"},\"n\":0.10}");
    CU_ASSERT_STRING_EQUAL(text(&r, "command"), "[\"cat\",\"-u\"]");
    CU_ASSERT_EQUAL(value(&r, "command")->type, SL_JSON);
    result_fini(&r);
}

static void hides_a_secret_in_the_log(void)
{
    char line[] = "sent s3cret-of-log twice";
    setenv("TEST_SETTINGS_TOKEN", "s3cret-of-log", 1);
    struct result r = read_settings("{'name': 'n', 'token': {'env': 'TEST_SETTINGS_TOKEN'}}");
    log_scrub(line, strlen(line));
    CU_ASSERT_STRING_EQUAL(line, "sent *** twice");
    result_fini(&r);
}

struct bad {
    const char *settings;
    const char *lines;
};

/* FOLDER stands for our folder. */
static void check_bad(const struct bad *bad)
{
    struct result r = read_settings(bad->settings);
    struct buf wanted = {0};
    for (const char *c = bad->lines; *c; c++) {
        bool here = strncmp(c, "FOLDER", 6) == 0;
        buf_text(&wanted, here ? folder : (char[]){*c == '\'' ? '"' : *c, '\0'});
        c += here ? 5 : 0;
    }
    bool same = r.lines.size && strcmp(r.lines.data, wanted.data) == 0;
    if (!same)
        printf("%s:\n%swanted:\n%s", bad->settings, r.lines.size ? r.lines.data : "(nothing)\n", wanted.data);
    CU_ASSERT_TRUE(same);
    buf_fini(&wanted);
    result_fini(&r);
}

#define REFERENCE "a secret does not stand in the config; write {'env': NAME}, {'file': PATH} or {'credential': NAME}\n"

static const struct bad kinds[] = {
    {"", "c:1:1: settings.name: missing; add it: What it is called.\n"},
    {"{}", "c:1:14: settings.name: missing; add it: What it is called.\n"},
    {"{'name': ''}", "c:1:23: settings.name: the text is empty; fill it in or remove the key\n"},
    {"{'name': null}", "c:1:23: settings.name: null where a string is expected; write it in double quotes\n"},
    {"{'name': {'env': 'X'}}",
     "c:1:23: settings.name: an object where a string is expected; write it in double quotes\n"},
    {"{'name': 'n', 'tokne': 'hunter2'}", "c:1:28: settings.tokne: unknown key; did you mean 'token'?\n"},
    {"{'name': 'n', 'zzzzzzzzz': 'hunter2'}",
     "c:1:28: settings.zzzzzzzzz: unknown key; remove it (the keys here are name, root, size, fast, token, level, "
     "base_url, auth, login, command, later)\n"},
    {"{'name': 'n', 'root': 1}",
     "c:1:36: settings.root: a number where a string is expected; write it in double quotes\n"},
    {"{'name': 'n', 'size': '1'}",
     "c:1:36: settings.size: a string where a number is expected; write digits without quotes\n"},
    {"{'name': 'n', 'size': 9223372036854775808}",
     "c:1:36: settings.size: 9223372036854775808 is no whole number of 64 bits; write one\n"},
    {"{'name': 'n', 'fast': 1}", "c:1:36: settings.fast: a number where a bool is expected; write true or false\n"},
    {"{'name': 'n', 'level': 'lo'}",
     "c:1:37: settings.level: 'lo' is not one of the words here; use one of low, high\n"},
    {"{'name': 'n', 'command': 'cat'}",
     "c:1:39: settings.command: a string where a list is expected; write it in [ ]\n"},
    {"{'name': 'n', 'command': ['cat', 1]}",
     "c:1:47: settings.command[1]: a number where a string is expected; write it in double quotes\n"},
    {"{'name': 'n', 'later': 1}",
     "c:1:37: settings.later: an option of a kind this version does not know; use a newer syncline\n"},
    {"{'name': 'n', 'base_url': 'example.com'}",
     "c:1:40: settings.base_url: this is no URL; write one like 'https://example.com/api'\n"},
    {"{'name': 'n', 'base_url': 'https://'}",
     "c:1:40: settings.base_url: this is no URL; write one like 'https://example.com/api'\n"},
    {"{'name': 'n', 'base_url': 'https://ann:hunter2@h/x'}",
     "c:1:40: settings.base_url: a user or password does not stand in a URL; remove what is before the @ and use the "
     "settings for it\n"},
};

static void refuses_wrong_kinds(void)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        check_bad(&kinds[i]);
}

static const struct bad secrets[] = {
    {"{'name': 'n', 'token': 'hunter2'}", "c:1:37: settings.token: " REFERENCE},
    {"{'name': 'n', 'token': 7}", "c:1:37: settings.token: " REFERENCE},
    {"{'name': 'n', 'token': {'envv': 'hunter2'}}", "c:1:37: settings.token: " REFERENCE},
    {"{'name': 'n', 'token': {'env': 'A', 'file': 'b'}}", "c:1:37: settings.token: " REFERENCE},
    {"{'name': 'n', 'token': {'env': 7}}",
     "c:1:45: settings.token.env: a number where a string is expected; write it in double quotes\n"},
    {"{'name': 'n', 'token': {'env': 'TEST_SETTINGS_NONE'}}",
     "c:1:45: settings.token.env: the environment variable TEST_SETTINGS_NONE is not set; set it for this command\n"},
    {"{'name': 'n', 'token': {'env': 'TEST_SETTINGS_EMPTY'}}",
     "c:1:45: settings.token.env: the environment variable TEST_SETTINGS_EMPTY is empty; set it for this command\n"},
    {"{'name': 'n', 'token': {'file': 'none'}}",
     "c:1:46: settings.token.file: FOLDER/none: No such file or directory; name the file that holds the secret\n"},
    {"{'name': 'n', 'token': {'file': 'open'}}",
     "c:1:46: settings.token.file: FOLDER/open may be used by others (its mode is 0644); chmod 600 it\n"},
    {"{'name': 'n', 'token': {'file': 'link'}}",
     "c:1:46: settings.token.file: FOLDER/link is a symbolic link; name the file itself\n"},
    {"{'name': 'n', 'token': {'file': '.'}}",
     "c:1:46: settings.token.file: FOLDER is no regular file; name the file that holds the secret\n"},
    {"{'name': 'n', 'token': {'file': 'empty'}}",
     "c:1:46: settings.token.file: FOLDER/empty holds no text; write the secret into it\n"},
    {"{'name': 'n', 'token': {'credential': '../x'}}",
     "c:1:52: settings.token.credential: the name of a credential has no folder; write it as in LoadCredential=\n"},
};

static void refuses_unsafe_secrets(void)
{
    setenv("TEST_SETTINGS_EMPTY", "", 1);
    for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
        check_bad(&secrets[i]);
}

/* Only root can give a file away. */
static void refuses_a_strangers_file(void)
{
    static const struct bad stranger = {
        "{'name': 'n', 'token': {'file': 'strange'}}",
        "c:1:46: settings.token.file: FOLDER/strange belongs to user 12345, neither root nor you; chown it\n"};
    char path[64];
    snprintf(path, sizeof(path), "%s/strange", folder);
    if (chown(path, 12345, (gid_t)-1) == 0)
        check_bad(&stranger);
}

static void refuses_a_long_secret(void)
{
    static const struct bad lengthy = {
        "{'name': 'n', 'token': {'file': 'long'}}",
        "c:1:46: settings.token.file: FOLDER/long is longer than 64 KiB; name the file that holds only the secret\n"};
    char path[64];
    snprintf(path, sizeof(path), "%s/long", folder);
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(fchmod(fileno(f), 0600), 0);
    CU_ASSERT_EQUAL(ftruncate(fileno(f), (64 << 10) + 1), 0);
    fclose(f);
    check_bad(&lengthy);
}

static void reads_files_and_credentials(void)
{
    static const struct bad outside = {
        "{'name': 'n', 'token': {'credential': 'closed'}}",
        "c:1:52: settings.token.credential: there are no systemd credentials here (CREDENTIALS_DIRECTORY is not set); "
        "start it as a service with LoadCredential=closed:PATH, or use 'file'\n"};
    struct result file = read_settings("{'name': 'n', 'token': {'file': 'closed'}}");
    CU_ASSERT_STRING_EQUAL(text(&file, "token"), "s3cret of file");
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    struct result credential = read_settings("{'name': 'n', 'token': {'credential': 'closed'}}");
    CU_ASSERT_STRING_EQUAL(text(&credential, "token"), "s3cret of file");
    unsetenv("CREDENTIALS_DIRECTORY");
    check_bad(&outside);
    result_fini(&file);
    result_fini(&credential);
}

static const struct bad logins[] = {
    {"{'name': 'n', 'login': 'hunter2'}",
     "c:1:37: settings.login: a string where an object is expected; write it in { }\n"},
    {"{'name': 'n', 'login': {}}", "c:1:37: settings.login: the type of auth is one of none, basic, bearer, api_key, "
                                   "client_credentials, refresh_token, "
                                   "jwt, github_app or oauth1\n"},
    {"{'name': 'n', 'login': {'type': 'beare'}}",
     "c:1:46: settings.login.type: the type of auth is one of none, basic, bearer, api_key, client_credentials, "
     "refresh_token, jwt, github_app or oauth1\n"},
    {"{'name': 'n', 'login': {'type': 'bearer', 'token': 'hunter2'}}", "c:1:65: settings.login.token: " REFERENCE},
    {"{'name': 'n', 'login': {'type': 'none', 'token': 'hunter2'}}",
     "c:1:54: settings.login.token: auth of type none has no such member; remove it\n"},
};

/* The host's HTTP gets the secrets in their places; one that stands in the config is refused, unsaid. */
static void reads_auth(void)
{
    setenv("TEST_SETTINGS_TOKEN", "s3cret\"of-auth", 1);
    struct result r = read_settings("{'name': 'n', 'login': {'type': 'basic', 'user': 'ann', 'password': "
                                    "{'env': 'TEST_SETTINGS_TOKEN'}}}");
    CU_ASSERT_STRING_EQUAL(text(&r, "login"),
                           "{\"type\":\"basic\",\"user\":\"ann\",\"password\":\"s3cret\\\"of-auth\"}");
    result_fini(&r);
    for (size_t i = 0; i < sizeof(logins) / sizeof(*logins); i++)
        check_bad(&logins[i]);
}

static const struct check tests[] = {
    {"credentials of the host's HTTP", reads_auth},
    {"defaults of the options", fills_in_defaults},
    {"every kind of option", reads_every_kind},
    {"a secret that was read is hidden in the log", hides_a_secret_in_the_log},
    {"wrong kinds, unknown and missing settings", refuses_wrong_kinds},
    {"literal, unset, open, linked and empty secrets, none of them repeated", refuses_unsafe_secrets},
    {"a secret file of another user", refuses_a_strangers_file},
    {"a secret too long is refused", refuses_a_long_secret},
    {"secrets from files and systemd", reads_files_and_credentials},
};

static const struct {
    const char *name, *text;
    mode_t mode;
} files[] = {{"open", "hunter2", 0644},
             {"closed", "s3cret of file\r\n", 0600},
             {"empty", "\n", 0400},
             {"strange", "hunter2", 0600}};

static void make_files(void)
{
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        FILE *f = fopen(files[i].name, "w");
        if (!f || fputs(files[i].text, f) < 0 || fclose(f) != 0 || chmod(files[i].name, files[i].mode) != 0)
            exit(2);
    }
    if (symlink("closed", "link") != 0)
        exit(2);
}

int main(void)
{
    if (!mkdtemp(folder) || chdir(folder) != 0)
        return 2;
    make_files();
    int rc = check_run("settings", tests, sizeof(tests) / sizeof(*tests));
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
        unlink(files[i].name);
    unlink("link");
    rmdir(folder);
    return rc;
}
