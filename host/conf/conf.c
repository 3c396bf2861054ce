/* SPDX-License-Identifier: MIT */
/* conf.c - loads the config file: reads it, has every part checked, tells all problems at once. */
#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "conf/load.h"

enum { FILE_BYTES_MAX = 8 << 20 };
static const int64_t keep_default_ms = INT64_C(90) * 86400000, run_silence_default_ms = 15 * 60 * 1000;

const char *const load_side_name[2] = {"a", "b"};

const char *load_path(struct load *l, const char *path)
{
    while (strncmp(path, "./", 2) == 0 && path[2])
        path += 2;
    if (path[0] == '/')
        return arena_text(&l->conf->arena, path);
    if (strcmp(path, ".") == 0 || strcmp(path, "./") == 0)
        return l->conf->folder;
    return arena_printf(&l->conf->arena, "%s/%s", strcmp(l->conf->folder, "/") == 0 ? "" : l->conf->folder, path);
}

/* Reads the whole file; false with a problem. */
static bool read_file(struct load *l, const char *file, struct buf *text)
{
    char chunk[8192];
    ssize_t n = 0;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        while ((n = read(fd, chunk, sizeof(chunk))) > 0 && text->size <= FILE_BYTES_MAX)
            buf_add(text, chunk, (size_t)n);
    int why = fd < 0 || n < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (why == ENOENT)
        problem_file(&l->problems, "no such file; write one with `syncline init` or name one with -c FILE");
    else if (why)
        problem_file(&l->problems, "%s; name a config file that you may read with -c FILE", strerror(why));
    else if (text->size > FILE_BYTES_MAX)
        problem_file(&l->problems, "more than %d MiB; name a config file with -c FILE", FILE_BYTES_MAX >> 20);
    return l->problems.n == 0;
}

static void set_folder(struct load *l, const char *file)
{
    char *copy = mem_dup(file);
    char *real = realpath(dirname(copy), NULL);
    l->conf->folder = arena_text(&l->conf->arena, real ? real : ".");
    free(real);
    mem_free(copy);
}

static struct json_doc *parse(struct load *l, const struct buf *text)
{
    static const struct json_rules rules = {.comments = true, .positions = true, .max_nodes = 200000};
    struct err e = {0};
    struct json_doc *doc = json_parse(text->size ? text->data : "", text->size, &rules, &e);
    if (!doc)
        problem_syntax(&l->problems, e.text);
    l->problems.doc = doc;
    return doc;
}

static void read_state(struct load *l, const struct json *node)
{
    const char *state = "state";
    if (node && json_type(node) == JSON_OBJECT)
        problem_at(&l->problems, node, AT_VALUE,
                   "a state in a database is not implemented in this version; remove it or name a folder");
    else if (node && keys_string(&l->problems, node))
        state = json_text(node, NULL);
    l->conf->state = load_path(l, state);
}

static void read_plugins(struct load *l, const struct json *list)
{
    struct conf *c = l->conf;
    const char **folders = arena_alloc(&c->arena, (json_count(list) + 1) * sizeof(*folders));
    for (const struct json *child = json_first(list); child; child = json_next(child))
        if (keys_string(&l->problems, child))
            folders[c->n_plugin_folders++] = load_path(l, json_text(child, NULL));
    c->plugin_folders = folders;
    plugin_path_init(&c->plugin_path, &c->arena, folders, c->n_plugin_folders);
}

/* HOST:PORT; the host's name is the system's to judge. */
static void read_listen(struct load *l, const struct json *root, const char *listen)
{
    l->conf->listen = listen;
    const char *colon = strrchr(listen, ':');
    const char *port = colon ? colon + 1 : "";
    size_t n = strlen(port);
    if (n < 1 || n > 5 || port[strspn(port, "0123456789")] || atoi(port) > 65535 || colon == listen)
        problem_at(&l->problems, json_get(root, "listen"), AT_VALUE,
                   "\"%s\" is no address; write HOST:PORT, like \"127.0.0.1:8631\"", listen);
}

/* What goes into a header as it is, and is not guessed. */
static void read_api(struct load *l, const struct json *node)
{
    enum { LEAST = 16 };
    const char *token = node ? secret_read(l, node) : NULL;
    size_t n = token ? strlen(token) : 0, good = 0;
    while (good < n && token[good] > ' ' && token[good] < 0x7F)
        good++;
    if (token && (n < LEAST || good < n))
        problem_at(&l->problems, node, AT_VALUE,
                   "this secret is no token for the API; make it of %d visible ASCII characters or more, like `openssl "
                   "rand -hex 32` does",
                   LEAST);
    l->conf->api_token = token;
}

/* A pair's children stand behind it, in the order of their list. */
static void digest_pairs(struct load *l, const struct config_draft *draft)
{
    const struct json *child = NULL;
    for (size_t i = 0; i < l->conf->n_pairs; i++) {
        struct conf_pair *p = &l->conf->pairs[i];
        const struct json *pair = json_get(draft->pairs, p->parent ? p->parent->name : p->name);
        if (!p->parent) {
            child = json_first(json_get(pair, "children"));
            digest_pair(l->conf, draft->connections, pair, p);
        } else {
            digest_child(l->conf, draft->connections, child, p);
            child = json_next(child);
        }
    }
}

static void read_root(struct load *l, const struct json *root)
{
    struct config_draft draft = {
        .listen = "127.0.0.1:8631", .keep_ms = keep_default_ms, .run_silence_ms = run_silence_default_ms};
    if (!keys_read(&l->problems, &l->conf->arena, &table_config, root, &draft))
        return;
    l->conf->keep_ms = draft.keep_ms;
    l->conf->run_silence_ms = draft.run_silence_ms;
    read_listen(l, root, draft.listen);
    read_api(l, draft.api_token);
    read_state(l, draft.state);
    read_plugins(l, draft.plugins);
    connections_read(l, draft.connections);
    users_read(l, draft.users);
    pairs_read(l, draft.pairs, draft.connections != NULL);
    if (l->problems.n)
        return;
    digest_pairs(l, &draft);
    l->conf->digest = digest_all(l->conf);
}

/* What the caller shows when it shows one line. */
static void sum_up(struct load *l, struct buf *problems, struct err *e)
{
    size_t from = problems->size;
    problem_tell(&l->problems, problems);
    if (l->problems.n == 1)
        err_set(e, ERR_CONFIG, "%.*s", (int)(problems->size - from - 1), problems->data + from);
    else
        err_set(e, ERR_CONFIG, "%s: the config has %zu problems; mend them, `syncline check` lists them", l->conf->file,
                l->problems.n);
}

static struct conf *load(const char *file, const char *text_at, bool apart, struct buf *problems, struct err *e)
{
    struct buf text = {0};
    struct json_doc *doc = NULL;
    struct conf *conf = mem_alloc(sizeof(*conf));
    struct load l = {.conf = conf, .apart = apart, .problems = {.file = file}};
    conf->file = arena_text(&conf->arena, file);
    set_folder(&l, file);
    if (read_file(&l, text_at, &text))
        doc = parse(&l, &text);
    if (doc)
        read_root(&l, json_root(doc));
    if (l.problems.n) {
        sum_up(&l, problems, e);
        conf_free(conf);
        conf = NULL;
    }
    problem_fini(&l.problems);
    json_free(doc);
    buf_fini(&text);
    return conf;
}

struct conf *conf_load(const char *file, struct buf *problems, struct err *e)
{
    return load(file, file, false, problems, e);
}

struct conf *conf_load_apart(const char *file, const char *text_at, struct buf *problems, struct err *e)
{
    return load(file, text_at, true, problems, e);
}

static void free_pair(struct conf_pair *p)
{
    for (int s = 0; s < 2; s++)
        jq_free(p->side[s].filter_expr);
    /* where no fields are given the engine lends the map rules of its own */
    for (size_t i = 0; p->fields_given && i < p->map.n_rules; i++)
        for (int s = 0; s < 2; s++)
            jq_free(p->map.rules[i].expr[s]);
}

void conf_free(struct conf *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_pairs; i++)
        free_pair(&c->pairs[i]);
    for (size_t i = 0; i < c->n_connections; i++)
        plugin_unload(c->connections[i].lib);
    struct arena arena = c->arena;
    mem_free(c);
    arena_fini(&arena);
}

struct conf_pair *conf_pair(const struct conf *c, const char *name)
{
    for (size_t i = 0; i < c->n_pairs; i++)
        if (text_equal(c->pairs[i].name, name))
            return &c->pairs[i];
    return NULL;
}
