/* SPDX-License-Identifier: MIT */
/* given.c - the connection to work on: a config's, or data of our own for a connector that comes with syncline. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "certify.h"

static const struct own owns[] = {
    {.plugin = "jsondir",
     .settings = "{\"root\": \"@\"}",
     .object = "things",
     .broken_file = "things/broken.json",
     .broken_text = "{\"title\": \"cut sho",
     .broken_id = "broken"},
    {.plugin = "csv",
     .settings = "{\"root\": \"@\", \"key\": \"id\"}",
     .file = "things.csv",
     .text = "id,title,body,note\r\n",
     .object = "things",
     .broken_file = "things.csv",
     .broken_text = "broken,1,2,3,4,5,6,7,8,9,10,11,12\r\n",
     .broken_id = "broken",
     .broken_append = true},
    {.plugin = "sqlite",
     .settings = "{\"file\": \"@/things.db\"}",
     .file = "things.db",
     .text = "CREATE TABLE things (id INTEGER PRIMARY KEY, title TEXT, body TEXT, n INTEGER, price NUMERIC, "
             "done BOOLEAN, due DATE, at TIMESTAMP, state TEXT CHECK (state IN ('open', 'closed')), extra JSON, free)",
     .object = "things"},
    {.plugin = "exec",
     .settings = "{\"command\": [\"python3\", \"%\", \"@\"]}",
     .object = "notes",
     .broken_file = "broken.txt",
     .broken_text = "not UTF-8: \xff\xfe",
     .broken_id = "broken"},
    {.plugin = "rest",
     .settings =
         "{\"base_url\": \"http://127.0.0.1:#\", \"resources\": {\"items\": {"
         "\"key\": \"/id\", \"version\": {\"kind\": \"etag\"}, \"external_key\": {\"field\": \"/external_id\"},"
         "\"list\": {\"path\": \"/items\", \"records\": \"/items\","
         "  \"page\": {\"type\": \"cursor\", \"token_from\": \"/next_token\", \"token_to\": {\"name\": \"page_token\"},"
         "    \"size_to\": {\"name\": \"limit\", \"value\": 100}},"
         "  \"since\": {\"to\": {\"name\": \"updated_since\"}, \"field\": \"/updated_at\"}},"
         "\"get\": {\"path\": \"/items/{id}\"},"
         "\"create\": {\"path\": \"/items\", \"idempotency_header\": \"Idempotency-Key\", \"idempotency_ttl_s\": "
         "86400},"
         "\"update\": {\"path\": \"/items/{id}\", \"guard\": {\"type\": \"if_match\"}},"
         "\"delete\": {\"mode\": \"delete\", \"path\": \"/items/{id}\"}, \"late_s\": 0}}}",
     .peer = "generic",
     .object = "items"},
    {.plugin = "github",
     .settings =
         "{\"base_url\": \"http://127.0.0.1:#\", \"owner\": \"acme\", \"repo\": \"desk\", \"write_pause_ms\": 0}",
     .peer = "github",
     .object = "issues"},
    {.plugin = "zendesk",
     .settings = "{\"base_url\": \"http://127.0.0.1:#\", \"token\": {\"file\": \"@/token\"}, \"late_s\": 0, "
                 "\"index_lag_s\": 0}",
     .file = "token",
     .text = "oauth-1",
     .peer = "zendesk-at-once",
     .object = "tickets"},
    {.plugin = "memory", .settings = "{}", .object = "records", .forgets = true, .most = 60},
};

static const struct own *own_of(const char *plugin)
{
    for (size_t i = 0; i < sizeof owns / sizeof *owns; i++)
        if (strcmp(owns[i].plugin, plugin) == 0)
            return &owns[i];
    return NULL;
}

static const char *folder_of(struct arena *a, const char *file)
{
    char real[4096];
    char *text = arena_text(a, realpath(file, real) ? real : file), *slash = strrchr(text, '/');
    if (!slash)
        return ".";
    *slash = '\0';
    return text;
}

/* The program for the connector that starts one: beside the sources that it was built from. */
static const char *example(struct arena *a, const char *so)
{
    static const char *const places[] = {"../../plugins/exec/examples/notes.py", "examples/notes.py"};
    const char *folder = folder_of(a, so);
    char real[4096];
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (realpath(path_join(a, folder, places[i]), real))
            return arena_text(a, real);
    return realpath("plugins/exec/examples/notes.py", real) ? arena_text(a, real) : NULL;
}

static void put_settings(struct buf *out, const char *text, const char *folder, const char *program, int port)
{
    for (; *text; text++)
        if (*text == '#')
            buf_printf(out, "%d", port);
        else if (*text == '@')
            buf_text(out, folder);
        else if (*text == '%')
            buf_text(out, program);
        else
            buf_byte(out, *text);
}

static int put_file(const char *path, const struct buf *b, struct err *e)
{
    return file_write_atomic(path, 0600, b->data ? b->data : "", b->size, e);
}

static int put_data(struct arena *a, const struct own *own, const char *folder, struct err *e)
{
    struct buf data = {0};
    int rc = 0;
    if (!own->file)
        return 0;
    if (strncmp(own->text, "CREATE", 6) == 0)
        sqlite_file(&data, own->text);
    else
        buf_text(&data, own->text);
    rc = put_file(path_join(a, folder, own->file), &data, e);
    buf_fini(&data);
    return rc;
}

/* A folder with data, and beside it a config like anybody's: it is read and checked like one. */
static const char *own_config(const char *so, const struct own *own, struct arena *a, struct subject *out,
                              struct err *e)
{
    const char *tmp = getenv("TMPDIR") && *getenv("TMPDIR") == '/' ? getenv("TMPDIR") : "/tmp";
    const char *top = mkdtemp(arena_printf(a, "%s/certify-XXXXXX", tmp)),
               *program = strchr(own->settings, '%') ? example(a, so) : "";
    struct buf text = {0};
    if (!top) {
        err_set(e, ERR_FAILED, "%s: no folder can be made in it; make room there", tmp);
        return NULL;
    }
    out->folder = path_join(a, top, "data");
    out->own = own;
    if (!program) {
        err_set(e, ERR_CONFIG, "%s: the example plugins/exec/examples/notes.py is not there; give --config FILE", so);
        return NULL;
    }
    if (own->peer && own_peer_start(&out->peer, own->peer, a, e))
        return NULL;
    const char *file = path_join(a, top, "certify.json");
    buf_printf(&text, "{\"plugins\": [\"%s\"], \"connections\": {\"certify\": {\"plugin\": \"%s\", \"settings\": ",
               folder_of(a, so), own->plugin);
    put_settings(&text, own->settings, out->folder, program, out->peer.port);
    buf_text(&text, "}}, \"pairs\": {}}\n");
    bool put = folder_make(out->folder, 0700, e) == 0 && put_data(a, own, out->folder, e) == 0 &&
               put_file(file, &text, e) == 0;
    buf_fini(&text);
    return put ? file : NULL;
}

static const char *object_of(const struct conf *c, const char *connection)
{
    for (size_t i = 0; i < c->n_pairs; i++)
        for (int s = 0; s < 2; s++)
            if (strcmp(c->pairs[i].side[s].connection, connection) == 0)
                return c->pairs[i].side[s].object;
    return NULL;
}

static int take(const struct conf *c, const struct sl_plugin *p, struct subject *out, struct err *e)
{
    for (size_t i = 0; i < c->n_connections; i++) {
        const struct conf_connection *k = &c->connections[i];
        if (strcmp(k->plugin, p->name) != 0)
            continue;
        out->settings = k->settings;
        out->n_settings = k->n_settings;
        out->net = k->net;
        out->object = out->own ? out->own->object : object_of(c, k->name);
        return 0;
    }
    return err_set(e, ERR_CONFIG, "%s: no connection of connector %s; add one", c->file, p->name);
}

struct conf *given_conf(const char *so, const char *config, const struct sl_plugin *p, struct arena *a,
                        struct subject *out, struct err *e)
{
    struct buf problems = {0};
    const struct own *own = config ? NULL : own_of(p->name);
    if (!config && !own)
        err_set(e, ERR_CONFIG, "%s: there is no data for connector %s here; give --config FILE with a connection of it",
                so, p->name);
    if (own)
        config = own_config(so, own, a, out, e);
    struct conf *c = e->code ? NULL : conf_load(config, &problems, e);
    if (problems.size && !strstr(problems.data, e->text)) /* a single one is the error itself */
        fputs(problems.data, stderr);
    buf_fini(&problems);
    out->plugin = p;
    if (c && take(c, p, out, e)) {
        conf_free(c);
        c = NULL;
    }
    return c;
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s, (void)kind, (void)at;
    return remove(path);
}

void given_fini(struct subject *s)
{
    char top[4096];
    own_peer_stop(&s->peer);
    if (!s->folder)
        return;
    snprintf(top, sizeof top, "%s", s->folder);
    *strrchr(top, '/') = '\0';
    nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
