/* SPDX-License-Identifier: MIT */
/* exec.c - a program of any language as a connector: requests and answers are JSON lines on its stdin and stdout. */
#include "exec.h"
#include "words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROTOCOL 1
#define TIMEOUT_MS 60000
#define COUNT(a) ((uint32_t)(sizeof(a) / sizeof(*(a))))
#define CAPS                                                                                                           \
    (SL_CAP_CREATE | SL_CAP_UPDATE | SL_CAP_DELETE | SL_CAP_ARCHIVE | SL_CAP_DELTA | SL_CAP_COMPLETE |                 \
     SL_CAP_DELETE_FEED | SL_CAP_GET | SL_CAP_FIND_CORRELATION | SL_CAP_FIND_KEY | SL_CAP_IDEMPOTENT |                 \
     SL_CAP_RESERVED_ID | SL_CAP_CONDITIONAL | SL_CAP_VERSION_ORDER | SL_CAP_OPEN_SCHEMA)

int refuse(struct exec *x, int sl_class, const char *format, ...)
{
    char said[SAID_ROOM];
    int n = snprintf(said, sizeof(said), "command \"%.200s\": ", x->argv[0]);
    va_list args;
    va_start(args, format);
    vsnprintf(said + n, sizeof(said) - (size_t)n, format, args);
    va_end(args);
    x->host->fail(x->host->ctx, said);
    return sl_class;
}

static void argv_free(char **argv)
{
    for (size_t i = 0; argv && argv[i]; i++)
        free(argv[i]);
    free(argv);
}

/* The command's words; NULL: it is no list of texts with something in it. */
static char **argv_read(struct exec *x, const struct sl_value *command)
{
    struct fields list;
    if (!list_read(x, command, &list) || list.n == 0)
        return NULL;
    char **argv = sl_checked(calloc(list.n + 1u, sizeof(*argv)));
    for (uint32_t i = 0; i < list.n; i++) {
        const struct sl_value *word = fields_at(&list, i);
        if (word->type != SL_STRING || (i == 0 && word->text_size == 0)) {
            argv_free(argv);
            return NULL;
        }
        argv[i] = sl_checked(strndup(word->text, word->text_size));
    }
    return argv;
}

static void exec_close(void *session)
{
    struct exec *x = session;
    if (!x)
        return;
    child_stop(x, true);
    schemas_free(x);
    sl_pool_free(&x->pool);
    argv_free(x->argv);
    free(x->connection);
    free(x->out.data);
    free(x->in.data);
    free(x->said.data);
    free(x);
}

static int exec_open(const struct sl_host *host, const struct sl_settings *settings, void **session)
{
    struct exec *x = sl_checked(calloc(1, sizeof(*x)));
    x->host = host;
    x->to = x->from = x->err = -1;
    x->timeout_ms = TIMEOUT_MS;
    x->connection = sl_checked(strdup(settings->connection ? settings->connection : ""));
    for (uint32_t i = 0; i < settings->n_values; i++) {
        const struct sl_value *v = sl_value_at(settings->values, settings->value_size, i);
        if (strcmp(v->name, "timeout_ms") == 0 && v->type == SL_INT && v->number > 0)
            x->timeout_ms = v->number;
        else if (strcmp(v->name, "command") == 0 && !x->argv)
            x->argv = argv_read(x, v);
    }
    host->json_free(host->ctx);
    if (x->argv) {
        *session = x;
        return SL_OK;
    }
    exec_close(x);
    host->fail(host->ctx, "\"command\" must be a list of texts, the program first: [\"python3\", \"notes.py\"]");
    return SL_CONFIG;
}

/* --- requests: one line each, ready in x->out --- */

static int request(struct exec *x, const struct sl_value *at, uint32_t n)
{
    x->out.size = x->out_at = 0;
    bool ok = object_add(x, &x->out, at, n, sizeof(*at));
    x->host->json_free(x->host->ctx);
    if (!ok)
        return refuse(x, SL_REJECTED, "the request cannot be written as JSON: look at the values of this call");
    sl_bytes_add(&x->out, "\n", 1);
    return SL_OK;
}

static int ask(struct exec *x, struct call *c, const struct sl_value *at, uint32_t n)
{
    int rc = request(x, at, n);
    return rc == SL_OK ? call_run(x, c) : rc;
}

static int exec_check(void *session)
{
    struct exec *x = session;
    struct call c = {.name = "check", .optional = true};
    const struct sl_value at[] = {int_value("protocol", PROTOCOL), text_value("call", c.name),
                                  text_value("connection", x->connection)};
    return ask(x, &c, at, COUNT(at));
}

static int describe(struct exec *x, const char *object, bool quiet)
{
    struct call c = {.name = "describe", .object = object, .quiet = quiet};
    const struct sl_value at[] = {int_value("protocol", PROTOCOL), text_value("call", c.name),
                                  text_value("object", object)};
    return ask(x, &c, at, COUNT(at));
}

static int exec_describe(void *session, const char *object)
{
    return describe(session, object, false);
}

/* Values are typed as the object was described; a session that has not asked yet asks now. */
static int know(struct exec *x, struct call *c)
{
    c->schema = schema_of(x, c->object);
    if (c->schema)
        return SL_OK;
    int rc = describe(x, c->object, true);
    c->schema = schema_of(x, c->object);
    if (!c->schema && rc == SL_OK)
        c->schema = schema_new(x, c->object); /* nothing was said of it: nothing is typed, and it is not asked again */
    return rc;
}

static int exec_pull(void *session, const struct sl_pull *pull)
{
    struct exec *x = session;
    struct call c = {.name = "pull", .object = pull->object};
    const struct sl_value at[] = {int_value("protocol", PROTOCOL),
                                  text_value("call", c.name),
                                  text_value("object", pull->object),
                                  text_value("cursor", pull->cursor),
                                  int_value("page_max", pull->page_max),
                                  bool_value("records", pull->flags & SL_PULL_RECORDS),
                                  bool_value("full", pull->flags & SL_PULL_FULL)};
    int rc = know(x, &c);
    return rc == SL_OK ? ask(x, &c, at, COUNT(at)) : rc;
}

/* Texts as a JSON list; through an object, since objects are what the host writes. False: one is no valid text. */
static bool list_add(struct exec *x, struct sl_bytes *out, const char *const *texts, uint32_t n)
{
    sl_bytes_text(out, "[");
    for (uint32_t i = 0; i < n; i++) {
        struct sl_bytes one = {0};
        struct sl_value v = text_value("", texts[i]);
        bool ok = object_add(x, &one, &v, 1, sizeof(v)); /* {"":"text"} */
        if (i > 0)
            sl_bytes_text(out, ",");
        if (ok)
            sl_bytes_add(out, one.data + 4, one.size - 5);
        free(one.data);
        x->host->json_free(x->host->ctx);
        if (!ok)
            return false;
    }
    sl_bytes_text(out, "]");
    return true;
}

static int exec_get(void *session, const struct sl_get *get)
{
    struct exec *x = session;
    struct sl_bytes ids = {0};
    struct call c = {.name = "get", .object = get->object};
    int rc = know(x, &c);
    if (rc == SL_OK && !list_add(x, &ids, get->ids, get->n_ids))
        rc = refuse(x, SL_REJECTED, "an id cannot be written as JSON: ids are UTF-8 text");
    if (rc == SL_OK) {
        const struct sl_value at[] = {int_value("protocol", PROTOCOL), text_value("call", c.name),
                                      text_value("object", get->object), json_value("ids", ids.data, ids.size)};
        rc = ask(x, &c, at, COUNT(at));
    }
    free(ids.data);
    return rc;
}

static int exec_find(void *session, const struct sl_find *find)
{
    struct exec *x = session;
    struct call c = {.name = "find", .object = find->object};
    struct sl_value at[] = {int_value("protocol", PROTOCOL),
                            text_value("call", c.name),
                            text_value("object", find->object),
                            int_value("max_items", find->max_items),
                            text_value("correlation", find->correlation),
                            text_value("field", find->value ? find->value->name : NULL),
                            text_value("value", NULL)};
    int rc = know(x, &c);
    if (find->value) {
        at[COUNT(at) - 1] = *find->value;
        at[COUNT(at) - 1].name = "value";
    }
    return rc == SL_OK ? ask(x, &c, at, COUNT(at)) : rc;
}

/* One write as a JSON object. */
static bool write_add(struct exec *x, struct sl_bytes *out, const struct sl_write *w, uint32_t index)
{
    struct sl_bytes fields = {0};
    bool known = w->kind >= SL_CREATE && w->kind <= SL_ARCHIVE;
    bool ok = known && object_add(x, &fields, w->fields, w->n_fields, w->field_size);
    if (ok) {
        const struct sl_value at[] = {int_value("index", index),
                                      text_value("kind", kind_words[w->kind]),
                                      text_value("id", w->id),
                                      text_value("parent_id", w->parent_id),
                                      text_value("correlation", w->correlation),
                                      text_value("idempotency_key", w->idempotency_key),
                                      text_value("expected_version", w->expected_version),
                                      bool_value("repeat", w->flags & SL_WRITE_REPEAT),
                                      json_value("fields", fields.data, fields.size)};
        ok = object_add(x, out, at, COUNT(at), sizeof(*at));
    }
    free(fields.data);
    x->host->json_free(x->host->ctx);
    return ok;
}

/* Says of every write that it was not attempted. */
static int not_sent(struct exec *x, const struct sl_batch *batch, int rc)
{
    /* Classes that speak of one record (gone, exists, ...) would be taken for the record's own fate. */
    bool ours = rc == SL_AUTH || rc == SL_CONFIG || rc == SL_BUSY || rc == SL_RATE;
    for (uint32_t i = 0; i < batch->n_writes; i++) {
        struct sl_outcome o = {.size = sizeof(o),
                               .index = i,
                               .result = SL_NOT_APPLIED,
                               .error_class = (uint32_t)(ours ? rc : SL_RETRY),
                               .message = "the command was not asked: the call's message says why"};
        x->host->outcome(x->host->ctx, &o);
    }
    return rc;
}

static int write_request(struct exec *x, const struct call *c, const struct sl_batch *batch)
{
    struct sl_bytes writes = {0};
    bool ok = true;
    sl_bytes_text(&writes, "[");
    for (uint32_t i = 0; i < batch->n_writes && ok; i++) {
        if (i > 0)
            sl_bytes_text(&writes, ",");
        ok = write_add(x, &writes, sl_write_at(batch, i), i);
    }
    sl_bytes_text(&writes, "]");
    const struct sl_value at[] = {int_value("protocol", PROTOCOL), text_value("call", c->name),
                                  text_value("object", batch->object), json_value("writes", writes.data, writes.size)};
    int rc = ok ? request(x, at, COUNT(at))
                : refuse(x, SL_REJECTED, "a write cannot be written as JSON: look at its values");
    free(writes.data);
    return rc;
}

static int exec_write(void *session, const struct sl_batch *batch)
{
    struct exec *x = session;
    struct call c = {.name = "write", .object = batch->object, .n_writes = batch->n_writes};
    int rc = know(x, &c);
    if (rc == SL_OK)
        rc = write_request(x, &c, batch);
    if (rc == SL_OK)
        rc = child_start(x);
    /* Up to here nothing was sent; from here on a write without an outcome is uncertain. */
    return rc == SL_OK ? call_run(x, &c) : not_sent(x, batch, rc);
}

static const struct sl_option options[] = {
    {.name = "command",
     .kind = SL_OPT_LIST,
     .required = 1,
     .help = "The program (looked for in PATH if it has no slash) and its arguments."},
    {.name = "timeout_ms",
     .kind = SL_OPT_INT,
     .fallback = "60000",
     .help = "How long the program may be silent during a call before it is ended."},
};

SL_EXPORT const struct sl_plugin syncline_plugin = {
    .size = sizeof(struct sl_plugin),
    .abi_major = SL_ABI_MAJOR,
    .abi_minor = SL_ABI_MINOR,
    .name = "exec",
    .version = "1.0.0",
    .summary = "A program of your own, in any language: JSON lines on stdin and stdout.",
    .caps = CAPS | SL_REACH_PROCESS,
    .needs = SL_NEED_JSON,
    .options = options,
    .n_options = COUNT(options),
    .option_size = sizeof(struct sl_option),
    .open = exec_open,
    .close = exec_close,
    .check = exec_check,
    .describe = exec_describe,
    .pull = exec_pull,
    .get = exec_get,
    .find = exec_find,
    .write = exec_write,
};
