/* SPDX-License-Identifier: MIT */
/* write.c - carries out a batch: what becomes of each row in memory, then one new file, then the outcomes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "connector.h"

/* A row that writes of the batch are meant for, before and after them. */
struct target {
    const char *id;
    uint32_t first; /* its first write */
    bool there; /* the row is in the file */
    const char *trouble; /* it cannot be read; NULL: it can */
    const struct cell *before, *now; /* NULL: no row */
};

struct reply {
    int sl_class; /* SL_OK: applied */
    const char *message;
    const struct cell *cells; /* the record to tell; NULL: none */
};

/* A batch under way. All cells are arrays of the file's columns and, behind them, the batch's new ones. */
struct job {
    struct csv *csv;
    const struct sl_batch *batch;
    struct sl_pool pool;
    struct file file;
    const char **columns;
    size_t n_columns; /* of the file and new */
    bool *used; /* of the file, or some applied write gives it a value */
    struct target *targets; /* sorted by id */
    size_t n_targets;
    struct reply *replies;
    const struct cell **archived;
    size_t n_archived;
};

static const struct sl_write *write_at(const struct job *j, uint32_t i)
{
    return sl_write_at(j->batch, i);
}

static int by_id(const void *x, const void *y)
{
    const struct target *a = x, *b = y;
    int order = strcmp(a->id, b->id);
    return order ? order : (a->first > b->first) - (a->first < b->first);
}

static struct target *find_target(const struct job *j, const char *id)
{
    size_t low = 0, high = j->n_targets;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(j->targets[middle].id, id);
        if (!order)
            return &j->targets[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static const char *write_id(const struct sl_write *w)
{
    return w->id ? w->id : "";
}

static void collect_targets(struct job *j)
{
    uint32_t n = j->batch->n_writes;
    j->targets = sl_pool_take(&j->pool, (n + (size_t)1) * sizeof(*j->targets));
    for (uint32_t i = 0; i < n; i++)
        j->targets[i] = (struct target){.id = write_id(write_at(j, i)), .first = i};
    qsort(j->targets, n, sizeof(*j->targets), by_id);
    j->n_targets = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!i || strcmp(j->targets[i].id, j->targets[j->n_targets - 1].id) != 0)
            j->targets[j->n_targets++] = j->targets[i];
    }
}

static size_t column_of(const struct job *j, const char *name)
{
    size_t i = 0;
    while (i < j->n_columns && strcmp(j->columns[i], name) != 0)
        i++;
    return i;
}

static void add_column(struct job *j, const char *name, size_t *room)
{
    if (j->n_columns == *room) {
        const char **wider = sl_pool_take(&j->pool, *room * 2 * sizeof(*wider));
        memcpy(wider, j->columns, *room * sizeof(*wider));
        j->columns = wider;
        *room *= 2;
    }
    j->columns[j->n_columns++] = name;
}

/* The file's columns and, behind them, the fields of the batch that are none yet. */
static void collect_columns(struct job *j)
{
    size_t room = j->file.n_columns + 16;
    j->columns = sl_pool_take(&j->pool, room * sizeof(*j->columns));
    memcpy(j->columns, j->file.columns, j->file.n_columns * sizeof(*j->columns));
    j->n_columns = j->file.n_columns;
    for (uint32_t i = 0; i < j->batch->n_writes; i++) {
        const struct sl_write *w = write_at(j, i);
        for (uint32_t k = 0; k < w->n_fields; k++) {
            const char *name = sl_value_at(w->fields, w->field_size, k)->name;
            if (*name && column_of(j, name) == j->n_columns)
                add_column(j, name, &room);
        }
    }
    j->used = sl_pool_take(&j->pool, j->n_columns * sizeof(*j->used) + 1);
    memset(j->used, true, j->file.n_columns);
}

static struct cell *keep_cells(struct job *j, const struct reader *r)
{
    struct cell *out = sl_pool_take(&j->pool, j->n_columns * sizeof(*out));
    for (size_t i = 0; i < j->n_columns; i++) {
        out[i] = (struct cell){.null = true, .text = ""};
        if (i >= j->file.n_columns)
            continue;
        out[i] = r->cells[i];
        out[i].text = sl_pool_dup(&j->pool, r->cells[i].text, r->cells[i].size);
        out[i].raw = sl_pool_dup(&j->pool, r->cells[i].raw, r->cells[i].raw_size);
    }
    return out;
}

/* The first pass: takes the rows that the batch is about out of the file. */
static int read_targets(struct job *j)
{
    struct reader r = {0};
    char id[ID_BYTES], why[WHY_BYTES];
    enum reader_end end;
    if (j->file.fd < 0)
        return SL_OK;
    reader_begin(&r, j->file.fd, j->csv->delimiter, j->file.body, j->file.body_line);
    while ((end = reader_next(&r)) == READER_ROW) {
        if (r.blank)
            continue;
        bool good = row_readable(j->csv, &j->file, &r, id, why);
        struct target *t = find_target(j, id);
        if (!t)
            continue;
        t->there = true;
        if (good)
            t->before = t->now = keep_cells(j, &r);
        else
            t->trouble = sl_pool_print(&j->pool, "%s", why);
    }
    int result = end == READER_END ? SL_OK : reader_fault(j->csv, &j->file, &r, end);
    reader_fini(&r);
    return result;
}

static int set_field(struct job *j, const struct sl_write *w, const struct sl_value *v, struct cell *cells)
{
    struct cell cell;
    if (v->type == SL_ABSENT)
        return SL_OK;
    int result = cell_from(j->csv, &j->pool, v, &cell);
    size_t i = column_of(j, v->name);
    if (result)
        return result;
    if (i == j->n_columns)
        return csv_why(j->csv, SL_REJECTED, "%s cannot have a column without a name; correct the mapping",
                       j->file.name);
    if (i != j->file.key) {
        if (!cell_same(&cells[i], &cell))
            cells[i] = cell;
        return SL_OK;
    }
    if (!cell.null && cell.size == strlen(w->id) && !memcmp(cell.text, w->id, cell.size))
        return SL_OK;
    return csv_why(j->csv, SL_REJECTED, "column %s of %s is the key and cannot be set; leave it out of the mapping",
                   v->name, j->file.name);
}

/* The row with the write's fields on top; target and columns take it only if every field is good. */
static int change(struct job *j, const struct sl_write *w, struct target *t, struct reply *reply)
{
    struct cell *cells = sl_pool_take(&j->pool, j->n_columns * sizeof(*cells));
    for (size_t i = 0; i < j->n_columns; i++)
        cells[i] = t->now ? t->now[i] : (struct cell){.null = true, .text = ""};
    if (!t->now)
        cells[j->file.key] = (struct cell){.text = t->id, .size = strlen(t->id)};
    for (uint32_t i = 0; i < w->n_fields; i++) {
        int result = set_field(j, w, sl_value_at(w->fields, w->field_size, i), cells);
        if (result)
            return result;
    }
    for (size_t i = j->file.n_columns; i < j->n_columns; i++)
        j->used[i] = j->used[i] || !cells[i].null;
    t->now = reply->cells = cells;
    return SL_OK;
}

static int create(struct job *j, const struct sl_write *w, struct target *t, struct reply *reply)
{
    size_t size = strlen(t->id);
    if (!is_id(t->id, size) || size > NEW_ID_BYTES)
        return csv_why(j->csv, SL_REJECTED,
                       "the id \"%.60s\" cannot be a key of %s (empty, with a control character, or over %d bytes)",
                       t->id, j->file.name, NEW_ID_BYTES);
    if (t->now) {
        reply->cells = t->now;
        return csv_why(j->csv, SL_EXISTS, "%s already has a row with the key %.100s", j->file.name, t->id);
    }
    return change(j, w, t, reply);
}

static int expect(struct job *j, const struct sl_write *w, const struct target *t)
{
    char version[VERSION_BYTES];
    if (!t->now)
        return csv_why(j->csv, SL_GONE, "%s has no row with the key %.100s", j->file.name, t->id);
    row_version(row_hash(j->columns, t->now, j->n_columns), version);
    if (w->expected_version && *w->expected_version && strcmp(version, w->expected_version) != 0)
        return csv_why(j->csv, SL_CONFLICT, "the row %.100s of %s was changed since it was read", t->id, j->file.name);
    return SL_OK;
}

static int update(struct job *j, const struct sl_write *w, struct target *t, struct reply *reply)
{
    int result = expect(j, w, t);
    return result ? result : change(j, w, t, reply);
}

static int take_away(struct job *j, const struct sl_write *w, struct target *t, struct reply *reply)
{
    (void)reply;
    int result = expect(j, w, t);
    if (result)
        return result;
    if (w->kind == SL_ARCHIVE)
        j->archived[j->n_archived++] = t->now;
    t->now = NULL;
    return SL_OK;
}

static void run_one(struct job *j, uint32_t i)
{
    static int (*const kinds[])(struct job *, const struct sl_write *, struct target *, struct reply *) = {
        [SL_CREATE] = create, [SL_UPDATE] = update, [SL_DELETE] = take_away, [SL_ARCHIVE] = take_away};
    const struct sl_write *w = write_at(j, i);
    struct target *t = find_target(j, write_id(w));
    struct reply *reply = &j->replies[i];
    *reply = (struct reply){0};
    if (t->trouble)
        reply->sl_class = csv_why(j->csv, SL_REJECTED, "%s", t->trouble);
    else if (w->kind >= SL_CREATE && w->kind <= SL_ARCHIVE)
        reply->sl_class = kinds[w->kind](j, w, t, reply);
    else
        reply->sl_class = csv_why(j->csv, SL_UNSUPPORTED, "a write of kind %u is newer than this connector; update it",
                                  (unsigned)w->kind);
    if (reply->sl_class)
        reply->message = sl_pool_print(&j->pool, "%s", j->csv->reason);
}

static const struct cell *row_now(void *self, const struct reader *r, bool *drop)
{
    const struct job *j = self;
    char id[ID_BYTES];
    const struct cell *key = j->file.key < r->n_cells ? &r->cells[j->file.key] : NULL;
    if (!key || key->size >= ID_BYTES)
        return NULL;
    memcpy(id, key->text, key->size);
    id[key->size] = 0;
    const struct target *t = find_target(j, id);
    if (!t || t->trouble || t->before == t->now)
        return NULL;
    *drop = !t->now;
    return t->now;
}

static bool same_row(const struct job *j, const struct target *t)
{
    bool same = t->before && t->now;
    for (size_t k = 0; same && k < j->n_columns; k++)
        same = cell_same(&t->before[k], &t->now[k]);
    return same;
}

/* Only what differs is written: a file that stays as it is keeps its stamps. New rows come in the order of the batch. */
static bool differs(struct job *j, const struct cell **added, size_t *n_added)
{
    bool any = false;
    for (uint32_t i = 0; i < j->batch->n_writes; i++) {
        struct target *t = find_target(j, write_id(write_at(j, i)));
        if (t->first != i)
            continue;
        if (same_row(j, t))
            t->now = t->before;
        if (!t->there && t->now)
            added[(*n_added)++] = t->now;
        any = any || t->before != t->now;
    }
    return any;
}

/* Order is important: the archive is durable before the rows leave the file. A kill between the two archives nothing twice. */
static int put_in_place(struct job *j, bool *in_place)
{
    char temp[320];
    const struct cell **added = sl_pool_take(&j->pool, (j->batch->n_writes + (size_t)1) * sizeof(*added));
    size_t n_added = 0;
    if (!differs(j, added, &n_added))
        return SL_OK;
    struct rewrite w = {.file = &j->file, .columns = j->columns, .used = j->used, .n_columns = j->n_columns};
    w.row = row_now;
    w.self = j;
    w.added = added;
    w.n_added = n_added;
    w.delimiter = j->csv->delimiter;
    int result = rewrite_make(j->csv, &w, temp);
    if (!result && j->n_archived)
        result = archive_rows(j->csv, &j->pool, &w, j->archived, j->n_archived);
    return result ? result : rewrite_place(j->csv, &w, temp, in_place);
}

static int attempt(struct job *j, bool *in_place)
{
    int result = file_open(j->csv, &j->pool, j->batch->object, &j->file);
    if (!result)
        result = doubles_load(j->csv, &j->file);
    if (!result) {
        collect_columns(j);
        collect_targets(j);
        result = read_targets(j);
    }
    for (uint32_t i = 0; !result && i < j->batch->n_writes; i++)
        run_one(j, i);
    if (!result)
        result = put_in_place(j, in_place);
    return result;
}

static void tell_one(struct job *j, uint32_t i)
{
    const struct reply *reply = &j->replies[i];
    char version[VERSION_BYTES];
    struct sl_outcome o = {.size = sizeof(o), .index = i, .result = reply->sl_class ? SL_NOT_APPLIED : SL_APPLIED};
    struct sl_record record = {.size = sizeof(record), .id = write_id(write_at(j, i)), .version = version};
    struct sl_pool pool = {0};
    struct sl_value *values = sl_pool_take(&pool, (j->n_columns + 1) * sizeof(*values));
    for (size_t k = 0; reply->cells && k < j->n_columns; k++) {
        const struct cell *cell = &reply->cells[k];
        if (!j->used[k] || !*j->columns[k])
            continue;
        values[record.n_fields++] = (struct sl_value){.name = j->columns[k],
                                                      .type = cell->null ? SL_NULL : SL_STRING,
                                                      .text = cell->text,
                                                      .text_size = cell->size};
    }
    if (reply->cells)
        row_version(row_hash(j->columns, reply->cells, j->n_columns), version);
    record.fields = values;
    record.field_size = sizeof(*values);
    o.record = reply->cells ? &record : NULL;
    o.error_class = (uint32_t)reply->sl_class;
    o.message = reply->message;
    j->csv->host->outcome(j->csv->host->ctx, &o);
    sl_pool_free(&pool);
}

static void tell_all(struct csv *c, const struct sl_batch *batch, uint32_t end, int sl_class)
{
    for (uint32_t i = 0; i < batch->n_writes; i++) {
        struct sl_outcome o = {.size = sizeof(o), .index = i, .result = end, .error_class = (uint32_t)sl_class};
        o.message = c->reason;
        c->host->outcome(c->host->ctx, &o);
    }
}

/* Between connectors; other programs are noticed by the file's stamps. */
static int lock(struct csv *c, int folder)
{
    enum { TRIES = 100, WAIT_MS = 50 };
    for (int i = 0; flock(folder, LOCK_EX | LOCK_NB); i++) {
        if (i == TRIES || c->host->stopping(c->host->ctx))
            return csv_why(c, SL_BUSY, "the folder %s is locked by another program; close it or run again", c->root);
        c->host->sleep_ms(c->host->ctx, WAIT_MS);
    }
    return SL_OK;
}

/* An earlier attempt may have been killed right before its file's name was durable; what is told now must be. */
static int flush_earlier(struct csv *c, const struct sl_batch *batch, int folder)
{
    uint32_t flags = 0;
    for (uint32_t i = 0; i < batch->n_writes; i++)
        flags |= sl_write_at(batch, i)->flags;
    return (flags & SL_WRITE_REPEAT) && fsync(folder) != 0 ? csv_errno(c, errno, batch->object) : SL_OK;
}

static int run_batch(struct csv *c, const struct sl_batch *batch, bool *in_place)
{
    struct job j = {.csv = c, .batch = batch, .file = {.fd = -1, .folder = -1}};
    j.replies = sl_pool_take(&j.pool, (batch->n_writes + (size_t)1) * sizeof(*j.replies));
    j.archived = sl_pool_take(&j.pool, (batch->n_writes + (size_t)1) * sizeof(*j.archived));
    int result = attempt(&j, in_place);
    for (uint32_t i = 0; !result && i < batch->n_writes; i++)
        tell_one(&j, i);
    file_close(&j.file);
    sl_pool_free(&j.pool);
    return result;
}

int csv_write(struct csv *c, const struct sl_batch *batch)
{
    enum { TRIES = 3 };
    int folder = -1;
    bool in_place = false;
    int result = folder_open(c, &folder);
    if (!result)
        result = lock(c, folder);
    if (!result)
        result = flush_earlier(c, batch, folder);
    if (!result)
        result = run_batch(c, batch, &in_place);
    for (int i = 1; result == SL_CONFLICT && i < TRIES; i++)
        result = run_batch(c, batch, &in_place);
    if (result == SL_CONFLICT)
        result = SL_BUSY;
    if (result)
        tell_all(c, batch, in_place ? SL_UNCERTAIN : SL_NOT_APPLIED, result);
    if (folder >= 0)
        close(folder);
    return result;
}
