/* SPDX-License-Identifier: MIT */
/* archive.c - keeps archived rows in <object>.archive.csv, beside the object's file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connector.h"

/* Rows on their way to the archive. */
struct archiving {
    struct csv *csv;
    struct sl_pool *pool;
    const struct rewrite *from;
    struct file file;
    const char **columns;
    bool *used;
    size_t n_columns;
    const struct cell *const *rows;
    struct kept *kept; /* sorted by hash */
    size_t n_rows;
};

/* A row by its hash in the archive's columns. */
struct kept {
    uint64_t hash;
    bool there;
};

static int by_hash(const void *x, const void *y)
{
    const struct kept *a = x, *b = y;
    return (a->hash > b->hash) - (a->hash < b->hash);
}

static struct kept *find_kept(const struct archiving *a, uint64_t hash)
{
    struct kept wanted = {hash, false};
    return bsearch(&wanted, a->kept, a->n_rows, sizeof(wanted), by_hash);
}

static size_t column_of(const struct archiving *a, const char *name)
{
    size_t i = 0;
    while (i < a->n_columns && strcmp(a->columns[i], name) != 0)
        i++;
    return i;
}

/* The archive's columns and, behind them, those it lacks. */
static void collect_columns(struct archiving *a)
{
    size_t most = a->file.n_columns + a->from->n_columns;
    a->columns = sl_pool_take(a->pool, (most + 1) * sizeof(*a->columns));
    a->used = sl_pool_take(a->pool, most + 1);
    for (; a->n_columns < a->file.n_columns; a->n_columns++)
        a->columns[a->n_columns] = a->file.columns[a->n_columns];
    for (size_t i = 0; i < a->from->n_columns; i++) {
        const char *name = a->from->columns[i];
        if (a->from->used[i] && *name && column_of(a, name) == a->n_columns)
            a->columns[a->n_columns++] = name;
    }
    memset(a->used, true, a->n_columns);
}

static const struct cell *row_for(const struct archiving *a, const struct cell *cells)
{
    struct cell *out = sl_pool_take(a->pool, (a->n_columns + 1) * sizeof(*out));
    for (size_t i = 0; i < a->n_columns; i++)
        out[i] = (struct cell){.null = true, .text = ""};
    for (size_t i = 0; i < a->from->n_columns; i++) {
        if (a->from->used[i] && *a->from->columns[i])
            out[column_of(a, a->from->columns[i])] = cells[i];
    }
    return out;
}

/* Marks the rows that are there already: a kill came between archiving them and taking them out of the file. */
static int look(struct archiving *a)
{
    struct reader r = {0};
    enum reader_end end;
    if (a->file.fd < 0)
        return SL_OK;
    reader_begin(&r, a->file.fd, a->csv->delimiter, a->file.body, a->file.body_line);
    while ((end = reader_next(&r)) == READER_ROW) {
        bool whole = r.n_cells == a->file.n_columns && !r.blank;
        struct kept *kept = whole ? find_kept(a, row_hash(a->columns, r.cells, r.n_cells)) : NULL;
        if (kept)
            kept->there = true;
    }
    int result = end == READER_END ? SL_OK : reader_fault(a->csv, &a->file, &r, end);
    reader_fini(&r);
    return result;
}

static const struct cell *keep_row(void *self, const struct reader *r, bool *drop)
{
    (void)self;
    (void)r;
    *drop = false;
    return NULL;
}

static int put(struct archiving *a)
{
    char temp[320];
    bool in_place = false;
    const struct cell **added = sl_pool_take(a->pool, (a->n_rows + 1) * sizeof(*added));
    struct rewrite w = {.file = &a->file, .columns = a->columns, .used = a->used, .n_columns = a->n_columns};
    for (size_t i = 0; i < a->n_rows; i++) {
        const struct cell *row = row_for(a, a->rows[i]);
        struct kept *kept = find_kept(a, row_hash(a->columns, row, a->n_columns));
        if (!kept->there)
            added[w.n_added++] = row;
        kept->there = true;
    }
    if (!w.n_added)
        return SL_OK;
    w.row = keep_row;
    w.added = added;
    w.delimiter = a->csv->delimiter;
    int result = rewrite_make(a->csv, &w, temp);
    return result ? result : rewrite_place(a->csv, &w, temp, &in_place);
}

int archive_rows(struct csv *c, struct sl_pool *p, const struct rewrite *from, const struct cell *const *rows,
                 size_t n_rows)
{
    struct archiving a = {.csv = c, .pool = p, .from = from, .rows = rows, .n_rows = n_rows};
    char name[320];
    snprintf(name, sizeof(name), "%.200s.archive.csv", from->file->object);
    int folder = fcntl(from->file->folder, F_DUPFD_CLOEXEC, 0);
    if (folder < 0)
        return csv_errno(c, errno, name);
    int result = file_open_named(c, p, folder, name, &a.file);
    if (!result) {
        collect_columns(&a);
        a.kept = sl_pool_take(p, (n_rows + 1) * sizeof(*a.kept));
        for (size_t i = 0; i < n_rows; i++)
            a.kept[i].hash = row_hash(a.columns, row_for(&a, rows[i]), a.n_columns);
        qsort(a.kept, n_rows, sizeof(*a.kept), by_hash);
        result = look(&a);
    }
    if (!result)
        result = put(&a);
    file_close(&a.file);
    return result;
}
