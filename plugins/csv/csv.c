/* SPDX-License-Identifier: MIT */
/* csv.c - the csv connector's table: options, sessions, check, describe, get and find. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connector.h"

static const struct sl_option options[] = {
    {"root", SL_OPT_PATH, 1, NULL, NULL, "The folder of the .csv files; it must exist."},
    {"key", SL_OPT_STRING, 1, NULL, NULL, "The column that holds each row's id."},
    {"delimiter", SL_OPT_STRING, 0, ",", NULL, "The character between cells: one byte, such as , ; | or a tab."},
};

static void close_session(void *session)
{
    struct csv *c = session;
    if (!c)
        return;
    free(c->doubles.hashes);
    free(c->doubles.told);
    free(c->root);
    free(c->key);
    free(c);
}

static char *keep(const struct sl_value *v)
{
    return sl_checked(strndup(v->text, v->text_size));
}

/* Ends a call: what went wrong is said where the host looks for it. */
static int told(struct csv *c, int result)
{
    if (result)
        c->host->fail(c->host->ctx, c->reason);
    return result;
}

static int set_delimiter(struct csv *c, const struct sl_value *v)
{
    if (v->text_size != 1 || strchr("\"\r\n", v->text[0]) || (v->text[0] & 0x80))
        return csv_why(c, SL_CONFIG, "`delimiter` is one character and no quote or line end; use , ; | or a tab");
    c->delimiter = v->text[0];
    return SL_OK;
}

static int open_session(const struct sl_host *host, const struct sl_settings *settings, void **session)
{
    struct csv *c = sl_checked(calloc(1, sizeof(*c)));
    int result = SL_OK;
    c->host = host;
    c->delimiter = ',';
    for (uint32_t i = 0; !result && i < settings->n_values; i++) {
        const struct sl_value *v = sl_value_at(settings->values, settings->value_size, i);
        if (!strcmp(v->name, "root") && v->text && !c->root)
            c->root = keep(v);
        else if (!strcmp(v->name, "key") && v->text_size && !c->key)
            c->key = keep(v);
        else if (!strcmp(v->name, "delimiter") && v->text)
            result = set_delimiter(c, v);
    }
    if (!result && (!c->root || !c->key))
        result = csv_why(c, SL_CONFIG, "the setting `%s` is missing; name %s", c->root ? "key" : "root",
                         c->root ? "the column that holds the ids" : "the folder of the .csv files");
    *session = c;
    if (!result)
        return SL_OK;
    told(c, result);
    close_session(c);
    *session = NULL;
    return result;
}

static int check(void *session)
{
    struct csv *c = session;
    int folder = -1;
    int result = folder_open(c, &folder);
    if (!result && faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) && errno != EROFS)
        result =
            csv_why(c, SL_CONFIG, "the folder %s may not be written by this user; let this user write it", c->root);
    if (folder >= 0)
        close(folder);
    return told(c, result);
}

#define CAPS                                                                                                           \
    (SL_CAP_CREATE | SL_CAP_UPDATE | SL_CAP_DELETE | SL_CAP_ARCHIVE | SL_CAP_COMPLETE | SL_CAP_DELTA | SL_CAP_GET |    \
     SL_CAP_RESERVED_ID | SL_CAP_CONDITIONAL | SL_CAP_FIND_KEY | SL_CAP_OPEN_SCHEMA)

static int describe_one(struct csv *c, const char *object)
{
    struct sl_pool pool = {0};
    struct file f;
    int result = file_open(c, &pool, object, &f);
    if (!result) {
        struct sl_field *fields = sl_pool_take(&pool, f.n_columns * sizeof(*fields));
        struct sl_object o = {.size = sizeof(o), .id_rule = SL_ID_TEXT, .name = object, .caps = CAPS, .fields = fields};
        for (size_t i = 0; i < f.n_columns; i++) {
            if (!*f.columns[i])
                continue;
            fields[o.n_fields++] =
                (struct sl_field){.name = f.columns[i],
                                  .type = SL_STRING,
                                  .flags = i == f.key ? SL_FIELD_KEY | SL_FIELD_UNIQUE : SL_FIELD_WRITABLE};
        }
        o.field_size = sizeof(*fields);
        o.id_max_bytes = NEW_ID_BYTES;
        o.batch_max = 10000;
        if (c->host->object(c->host->ctx, &o))
            result = csv_why(c, SL_BROKEN, "%s: the host took no more", f.name);
    }
    file_close(&f);
    sl_pool_free(&pool);
    return result;
}

/* The object of a file's name; false if it is none: archives are no objects until one is named. */
static bool object_of(const char *name, char object[256])
{
    static const char archive[] = ".archive";
    size_t size = strlen(name);
    if (*name == '.' || size < 5 || size > 204 || strcmp(name + size - 4, ".csv") != 0 || !is_id(name, size))
        return false;
    memcpy(object, name, size - 4);
    object[size - 4] = 0;
    size_t n = sizeof(archive) - 1;
    return size - 4 <= n || strcmp(object + size - 4 - n, archive) != 0;
}

static int describe_all(struct csv *c)
{
    char object[256];
    int folder = -1;
    int result = folder_open(c, &folder);
    if (result)
        return result;
    DIR *dir = sl_checked(fdopendir(folder));
    for (struct dirent *entry; !result && (entry = readdir(dir));) {
        if (!object_of(entry->d_name, object))
            continue;
        result = describe_one(c, object);
        if (result && result != SL_BROKEN) {
            c->host->log(c->host->ctx, SL_LOG_WARN, c->reason);
            result = SL_OK;
        }
    }
    closedir(dir);
    return result;
}

static int describe(void *session, const char *object)
{
    return told(session, object ? describe_one(session, object) : describe_all(session));
}

static int pull(void *session, const struct sl_pull *ask)
{
    return told(session, csv_pull(session, ask));
}

/* One pass over the file: take is asked for each row, and says whether it was the last one wanted. */
static int scan(struct csv *c, const struct file *f, bool (*take)(void *self, const struct reader *r, int *result),
                void *self)
{
    struct reader r = {0};
    enum reader_end end = READER_END;
    bool enough = false;
    int result = doubles_load(c, f);
    if (result || f->fd < 0)
        return result;
    reader_begin(&r, f->fd, c->delimiter, f->body, f->body_line);
    while (!result && !enough && (end = reader_next(&r)) == READER_ROW) {
        if (!r.blank)
            enough = take(self, &r, &result);
    }
    if (!result && end != READER_ROW && end != READER_END)
        result = reader_fault(c, f, &r, end);
    reader_fini(&r);
    return result ? result : file_unchanged(c, f);
}

/* A get under way: the ids sorted, and which were seen. */
struct getting {
    struct csv *csv;
    const struct file *file;
    const char **ids;
    bool *seen;
    size_t n;
};

static int by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static bool take_id(void *self, const struct reader *r, int *result)
{
    struct getting *g = self;
    char id[ID_BYTES], why[WHY_BYTES];
    const char *text = id;
    row_readable(g->csv, g->file, r, id, why);
    const char **hit = bsearch(&text, g->ids, g->n, sizeof(*g->ids), by_text);
    if (!hit)
        return false;
    g->seen[hit - g->ids] = true;
    *result = row_emit(g->csv, g->file, r);
    return false;
}

static int get_all(struct getting *g)
{
    int result = scan(g->csv, g->file, take_id, g);
    for (size_t i = 0; !result && i < g->n; i++) {
        struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_TOMBSTONE, .id = g->ids[i]};
        bool again = i && !strcmp(g->ids[i], g->ids[i - 1]);
        if (!g->seen[i] && !again && g->csv->host->emit(g->csv->host->ctx, &item))
            result = csv_why(g->csv, SL_BROKEN, "the host took no more records");
    }
    return result;
}

static int get(void *session, const struct sl_get *ask)
{
    struct csv *c = session;
    struct sl_pool pool = {0};
    struct file f;
    struct getting g = {.csv = c, .file = &f};
    int result = file_open(c, &pool, ask->object, &f);
    g.ids = sl_pool_take(&pool, (ask->n_ids + (size_t)1) * sizeof(*g.ids));
    g.seen = sl_pool_take(&pool, ask->n_ids + (size_t)1);
    for (uint32_t i = 0; i < ask->n_ids; i++)
        g.ids[i] = ask->ids[i];
    if (ask->n_ids)
        qsort(g.ids, ask->n_ids, sizeof(*g.ids), by_text);
    for (uint32_t i = 0; i < ask->n_ids; i++) {
        if (!i || strcmp(g.ids[i], g.ids[g.n - 1]) != 0)
            g.ids[g.n++] = g.ids[i];
    }
    if (!result)
        result = get_all(&g);
    file_close(&f);
    sl_pool_free(&pool);
    return told(c, result);
}

/* A find under way. */
struct finding {
    struct csv *csv;
    const struct file *file;
    size_t column;
    struct cell wanted;
    uint32_t n, max;
};

static bool take_match(void *self, const struct reader *r, int *result)
{
    struct finding *x = self;
    char id[ID_BYTES], why[WHY_BYTES];
    if (x->column >= r->n_cells || !cell_same(&r->cells[x->column], &x->wanted) ||
        !row_readable(x->csv, x->file, r, id, why))
        return false;
    *result = row_emit(x->csv, x->file, r);
    return ++x->n == x->max;
}

static int find(void *session, const struct sl_find *ask)
{
    struct csv *c = session;
    struct sl_pool pool = {0};
    struct file f;
    struct finding x = {.csv = c, .file = &f, .max = ask->max_items};
    if (!ask->value)
        return told(c, csv_why(c, SL_UNSUPPORTED, "csv files keep no correlation keys; look a record up by a column"));
    int result = file_open(c, &pool, ask->object, &f);
    if (!result)
        result = cell_from(c, &pool, ask->value, &x.wanted);
    x.column = result ? 0 : file_column(&f, ask->value->name);
    if (!result && x.column < f.n_columns)
        result = scan(c, &f, take_match, &x);
    file_close(&f);
    sl_pool_free(&pool);
    return told(c, result);
}

static int write_batch(void *session, const struct sl_batch *batch)
{
    return told(session, csv_write(session, batch));
}

static int webhook(void *session, const struct sl_hook *hook)
{
    (void)hook;
    return told(session, csv_why(session, SL_UNSUPPORTED, "a file sends no webhooks; let the pair poll with `every`"));
}

SL_EXPORT const struct sl_plugin syncline_plugin = {
    .size = sizeof(struct sl_plugin),
    .abi_major = SL_ABI_MAJOR,
    .abi_minor = SL_ABI_MINOR,
    .name = "csv",
    .version = "1.0.0",
    .summary = "A folder of CSV files, one record per row.",
    .caps = CAPS | SL_REACH_FILES,
    .needs = SL_NEED_JSON,
    .options = options,
    .n_options = sizeof(options) / sizeof(*options),
    .option_size = sizeof(struct sl_option),
    .open = open_session,
    .close = close_session,
    .check = check,
    .describe = describe,
    .pull = pull,
    .get = get,
    .find = find,
    .write = write_batch,
    .webhook = webhook,
};
