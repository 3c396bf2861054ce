/* SPDX-License-Identifier: MIT */
/* write.c - carries out a batch in one transaction and tells the outcomes after its commit. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "connector.h"

/* What one write came to; kept until the commit says whether it is true. */
struct reply {
    int sl_class; /* SL_OK: applied */
    const char *message;
    const struct kept *row; /* as the server now holds it; NULL: not known */
};

/* A statement that sets certain columns: most of a batch set the same ones. */
struct change {
    sqlite3_stmt *stmt;
    int *columns; /* by field; -1: not set */
    uint32_t n, room;
};

/* A batch under way. */
struct job {
    struct db *db;
    const struct sl_batch *batch;
    struct sl_pool pool;
    struct table table;
    struct row row;
    sqlite3_stmt *lookup;
    struct change changes[SL_UPDATE + 1]; /* by kind */
    struct change wanted; /* scratch: the columns of the write at hand */
    bool careful; /* each write in a savepoint */
    bool touched; /* the write at hand may have changed something */
    sqlite3_stmt *remove;
    const char *archive_sql; /* copies one row to the archive */
    struct reply *replies;
};

enum { AGAIN = -1 }; /* no class: the transaction is to be begun again, carefully */

static int step(struct job *j, sqlite3_stmt *stmt)
{
    j->touched = true;
    int code = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SL_OK : db_error(j->db, code, j->table.name);
}

static int keep_row(struct job *j, struct reply *reply)
{
    if (!*j->row.trouble)
        reply->row = row_keep(&j->pool, &j->row);
    j->db->host->json_free(j->db->host->ctx);
    sqlite3_reset(j->lookup);
    return SL_OK;
}

/* The row as it is now, after the triggers. */
static int read_back(struct job *j, const struct sl_write *w, struct reply *reply)
{
    bool found = false;
    int c = row_find(&j->row, j->lookup, w->id, &found);
    if (c)
        return c;
    if (found)
        return keep_row(j, reply);
    sqlite3_reset(j->lookup);
    return db_why(j->db, SL_REJECTED,
                  "table %s would not keep the row under the id %.100s; look at its triggers and its key's type",
                  j->table.name, w->id);
}

/* Is the field one that may be written? *column is a guess; then -1: it is the key, rightly given. */
static int field_column(struct job *j, const struct sl_write *w, const struct sl_value *v, int *column)
{
    const struct table *t = &j->table;
    char number[32];
    bool guessed = *column >= 0 && !strcmp(t->columns[*column].name, v->name);
    int i = guessed ? *column : table_column(t, v->name);
    *column = -1;
    if (i < 0)
        return db_why(j->db, SL_REJECTED, "table %s has no column %s; correct the mapping or add the column", t->name,
                      v->name);
    if (t->columns[i].computed)
        return db_why(j->db, SL_REJECTED,
                      "column %s of table %s is computed and cannot be written; leave it out of the mapping", v->name,
                      t->name);
    if (i != t->key) {
        *column = i;
        return SL_OK;
    }
    snprintf(number, sizeof(number), "%lld", (long long)v->number);
    const char *text = v->text ? v->text : v->type == SL_INT ? number : "";
    size_t size = v->text ? v->text_size : strlen(text);
    if (strlen(w->id) == size && !memcmp(w->id, text, size))
        return SL_OK;
    return db_why(j->db, SL_REJECTED, "column %s of table %s is the key and cannot be set; leave it out of the mapping",
                  v->name, t->name);
}

/* Notes the columns of a write in j->wanted; the last write of its kind tells where to look first. */
static int plan_columns(struct job *j, const struct sl_write *w, const struct change *last, uint32_t *n_set)
{
    struct change *want = &j->wanted;
    *n_set = 0;
    if (w->n_fields > want->room) {
        want->room = w->n_fields;
        want->columns = sl_pool_take(&j->pool, want->room * sizeof(*want->columns));
    }
    want->n = w->n_fields;
    for (uint32_t i = 0; i < w->n_fields; i++) {
        const struct sl_value *v = sl_value_at(w->fields, w->field_size, i);
        want->columns[i] = i < last->n ? last->columns[i] : -1;
        int c = SL_OK;
        if (v->type == SL_ABSENT)
            want->columns[i] = -1;
        else
            c = field_column(j, w, v, &want->columns[i]);
        if (c)
            return c;
        *n_set += want->columns[i] >= 0;
    }
    return SL_OK;
}

/* Parameter 1 is the key. OR ABORT: a clause in the table (ON CONFLICT REPLACE) must not delete other rows. */
static const char *change_sql(struct job *j, const struct sl_write *w, const int *columns)
{
    const struct table *t = &j->table;
    bool create = w->kind == SL_CREATE;
    const char *names = create ? t->key_name : "";
    const char *marks = "?1";
    int at = 2;
    for (uint32_t i = 0; i < w->n_fields; i++) {
        if (columns[i] < 0)
            continue;
        const char *name = quote_name(&j->pool, t->columns[columns[i]].name);
        if (create)
            names = sl_pool_print(&j->pool, "%s, %s", names, name);
        else
            names = sl_pool_print(&j->pool, "%s%s%s=?%d", names, *names ? ", " : "", name, at);
        marks = create ? sl_pool_print(&j->pool, "%s, ?%d", marks, at) : marks;
        at++;
    }
    if (create)
        return sl_pool_print(&j->pool, "INSERT OR ABORT INTO %s (%s) VALUES (%s)", t->quoted, names, marks);
    return sl_pool_print(&j->pool, "UPDATE OR ABORT %s SET %s WHERE %s", t->quoted, names, t->by_key);
}

/* Makes *change the statement that sets the columns wanted. */
static int prepare_change(struct job *j, const struct sl_write *w, struct change *change)
{
    const struct change *want = &j->wanted;
    bool same =
        change->n == want->n && (want->n == 0 || !memcmp(change->columns, want->columns, want->n * sizeof(int)));
    if (change->stmt && same)
        return SL_OK;
    sqlite3_finalize(change->stmt);
    *change = (struct change){.columns = sl_pool_take(&j->pool, (want->n + (size_t)1) * sizeof(int)), .n = want->n};
    if (want->n)
        memcpy(change->columns, want->columns, want->n * sizeof(int));
    return db_prepare(j->db, change_sql(j, w, change->columns), &change->stmt);
}

static int run_change(struct job *j, const struct sl_write *w)
{
    struct change *change = &j->changes[w->kind];
    uint32_t n_set = 0;
    int c = plan_columns(j, w, change, &n_set);
    if (c || (w->kind == SL_UPDATE && !n_set))
        return c;
    c = prepare_change(j, w, change);
    if (c)
        return c;
    key_bind(&j->table, change->stmt, w->id);
    int at = 2;
    for (uint32_t i = 0; !c && i < w->n_fields; i++) {
        int column = change->columns[i];
        if (column >= 0)
            c = value_bind(j->db, &j->table, &j->table.columns[column], change->stmt, at++,
                           sl_value_at(w->fields, w->field_size, i));
    }
    return c ? c : step(j, change->stmt);
}

static int create(struct job *j, const struct sl_write *w, struct reply *reply)
{
    bool found = false;
    int64_t number;
    if (!w->id || !*w->id)
        return db_why(j->db, SL_REJECTED, "table %s takes new rows only under an id; give one", j->table.name);
    if (j->table.integer_key && !is_integer(w->id, &number))
        return db_why(j->db, SL_REJECTED, "the id %.100s is no integer, as the key of table %s must be; give another",
                      w->id, j->table.name);
    /* A taken key makes the INSERT fail, or a trigger swallows it: both are looked into on the careful way. */
    int c = j->careful ? row_find(&j->row, j->lookup, w->id, &found) : SL_OK;
    if (!c && found) {
        keep_row(j, reply);
        return db_why(j->db, SL_EXISTS, "table %s already has a row with the id %.100s", j->table.name, w->id);
    }
    if (!c)
        c = run_change(j, w);
    if (!c && !j->careful && sqlite3_changes(j->db->handle) != 1)
        return AGAIN;
    return c ? c : read_back(j, w, reply);
}

/* Finds the row a write is meant for, as it was expected to be. */
static int expect(struct job *j, const struct sl_write *w)
{
    bool found = false;
    int c = w->id ? row_seek(&j->row, j->lookup, w->id, &found) : SL_OK;
    if (!c && !found)
        c = db_why(j->db, SL_GONE, "table %s has no row with the id %.100s", j->table.name, w->id ? w->id : "");
    if (!c && !row_has_version(&j->row, j->lookup, w->expected_version))
        c = db_why(j->db, SL_CONFLICT, "the row %.100s of table %s was changed since it was read", w->id,
                   j->table.name);
    sqlite3_reset(j->lookup);
    return c;
}

static int update(struct job *j, const struct sl_write *w, struct reply *reply)
{
    int c = expect(j, w);
    if (!c)
        c = run_change(j, w);
    return c ? c : read_back(j, w, reply);
}

static int copy_to_archive(struct job *j, const struct sl_write *w)
{
    sqlite3_stmt *stmt = NULL;
    int c = db_prepare(j->db, j->archive_sql, &stmt);
    if (c)
        return c;
    key_bind(&j->table, stmt, w->id);
    c = step(j, stmt);
    sqlite3_finalize(stmt);
    return c;
}

static int take_away(struct job *j, const struct sl_write *w, struct reply *reply)
{
    (void)reply;
    int c = expect(j, w);
    if (!c && w->kind == SL_ARCHIVE)
        c = copy_to_archive(j, w);
    if (!c && !j->remove)
        c = db_prepare(j->db, sl_pool_print(&j->pool, "DELETE FROM %s WHERE %s", j->table.quoted, j->table.by_key),
                       &j->remove);
    if (c)
        return c;
    key_bind(&j->table, j->remove, w->id);
    return step(j, j->remove);
}

/* Classes that are about one record; all others are about the database and end the transaction. */
static bool of_record(int sl_class)
{
    return sl_class == SL_REJECTED || sl_class == SL_CONFLICT || sl_class == SL_GONE || sl_class == SL_EXISTS ||
           sl_class == SL_UNSUPPORTED;
}

static int carry_out(struct job *j, const struct sl_write *w, struct reply *reply)
{
    static int (*const kinds[])(struct job *, const struct sl_write *, struct reply *) = {
        [SL_CREATE] = create, [SL_UPDATE] = update, [SL_DELETE] = take_away, [SL_ARCHIVE] = take_away};
    if (w->kind < SL_CREATE || w->kind > SL_ARCHIVE)
        return db_why(j->db, SL_UNSUPPORTED, "a write of kind %u is newer than this connector; update it",
                      (unsigned)w->kind);
    int c = kinds[w->kind](j, w, reply);
    if (c == SL_CONFIG && (sqlite3_errcode(j->db->handle) & 0xff) == SQLITE_ERROR)
        return SL_REJECTED; /* a trigger that cannot run: other rows may not need it */
    return c;
}

/*
 * Returns SL_OK, the class that ends the transaction, or AGAIN. A savepoint makes SQLite copy every page it touches, and
 * hardly any write is refused halfway: the first that is sends the whole batch through once more, carefully.
 */
static int run_one(struct job *j, uint32_t i)
{
    const struct sl_write *w = sl_write_at(j->batch, i);
    struct reply *reply = &j->replies[i];
    *reply = (struct reply){0};
    int c = j->careful ? db_exec(j->db, "SAVEPOINT one") : SL_OK;
    if (c)
        return c;
    j->touched = false;
    c = carry_out(j, w, reply);
    if (c && (!of_record(c) || sqlite3_get_autocommit(j->db->handle)))
        return c;
    if (c && !j->careful && j->touched)
        return AGAIN;
    reply->sl_class = c;
    reply->message = c ? sl_pool_print(&j->pool, "%s", j->db->reason) : NULL;
    if (!j->careful)
        return SL_OK;
    return db_exec(j->db, c ? "ROLLBACK TO one; RELEASE one" : "RELEASE one");
}

/* The archive has the table's columns and no constraints: one id may be archived twice. */
static int prepare_archive(struct job *j)
{
    const struct table *t = &j->table;
    const char *name = quote_name(&j->pool, sl_pool_print(&j->pool, "%s_archive", t->name));
    const char *columns = "", *list = "";
    sqlite3_stmt *stmt = NULL;
    for (int i = 0; i < t->n_columns; i++) {
        const char *quoted = quote_name(&j->pool, t->columns[i].name);
        columns =
            sl_pool_print(&j->pool, "%s%s%s %s", columns, i ? ", " : "", quoted, affinity_name(t->columns[i].affinity));
        list = sl_pool_print(&j->pool, "%s%s%s", list, i ? ", " : "", quoted);
    }
    int c = db_exec(j->db, sl_pool_print(&j->pool, "CREATE TABLE IF NOT EXISTS %s (%s)", name, columns));
    for (int i = 0; !c && i < t->n_columns; i++) {
        c = db_prepare(j->db, "SELECT 1 FROM pragma_table_xinfo(?1 || '_archive') WHERE name=?2", &stmt);
        if (c)
            break;
        sqlite3_bind_text(stmt, 1, t->name, -1, SQLITE_STATIC);
        sqlite3_bind_text(stmt, 2, t->columns[i].name, -1, SQLITE_STATIC);
        bool there = db_row(j->db, stmt, &c);
        sqlite3_finalize(stmt);
        if (!there && !c)
            c = db_exec(j->db,
                        sl_pool_print(&j->pool, "ALTER TABLE %s ADD COLUMN %s %s", name,
                                      quote_name(&j->pool, t->columns[i].name), affinity_name(t->columns[i].affinity)));
    }
    j->archive_sql = sl_pool_print(&j->pool, "INSERT INTO %s (%s) SELECT %s FROM %s WHERE %s", name, list, list,
                                   t->quoted, t->by_key);
    return c;
}

static bool archives(const struct job *j, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        if (sl_write_at(j->batch, i)->kind == SL_ARCHIVE)
            return true;
    }
    return false;
}

static void tell(struct job *j, uint32_t from, uint32_t to, uint32_t all, int sl_class)
{
    const struct sl_host *host = j->db->host;
    for (uint32_t i = from; i < to; i++) {
        const struct reply *r = &j->replies[i];
        struct sl_outcome o = {.size = sizeof(o), .index = i, .result = all, .error_class = (uint32_t)sl_class};
        o.message = j->db->reason;
        if (!all) {
            o.result = r->sl_class ? SL_NOT_APPLIED : SL_APPLIED;
            o.error_class = (uint32_t)r->sl_class;
            o.message = r->message;
            if (r->row)
                row_recall(&j->row, r->row);
            o.record = r->row ? &j->row.record : NULL;
        }
        host->outcome(host->ctx, &o);
    }
}

static int try_transaction(struct job *j, uint32_t from, uint32_t to, bool careful, int *code)
{
    *code = SQLITE_OK;
    j->careful = careful;
    int c = db_exec(j->db, "BEGIN IMMEDIATE");
    if (!c && archives(j, from, to))
        c = prepare_archive(j);
    for (uint32_t i = from; !c && i < to; i++)
        c = run_one(j, i);
    if (!c) {
        *code = sqlite3_exec(j->db->handle, "COMMIT", NULL, NULL, NULL);
        c = *code ? db_error(j->db, *code, j->table.name) : SL_OK;
    }
    db_end_read(j->db);
    return c;
}

/* The writes [from, to) in one transaction. Returns SL_OK, or the class that undid it all; *code: SQLite's, from the commit. */
static int run_transaction(struct job *j, uint32_t from, uint32_t to, int *code)
{
    int c = try_transaction(j, from, to, false, code);
    return c == AGAIN ? try_transaction(j, from, to, true, code) : c;
}

/*
 * A constraint that is only checked at the commit, or that rolls the whole transaction back, undoes its neighbours' writes too:
 * halving finds the one that is at fault. An I/O error of the commit itself leaves open whether it took place.
 */
static int run_range(struct job *j, uint32_t from, uint32_t to)
{
    int code = SQLITE_OK;
    int c = run_transaction(j, from, to, &code);
    if (!c) {
        tell(j, from, to, 0, SL_OK);
        return SL_OK;
    }
    if (c == SL_REJECTED && to - from > 1) {
        uint32_t middle = from + (to - from) / 2;
        c = run_range(j, from, middle);
        int d = run_range(j, middle, to);
        return c ? c : d;
    }
    bool open_end = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CORRUPT;
    tell(j, from, to, open_end ? SL_UNCERTAIN : SL_NOT_APPLIED, c);
    return of_record(c) ? SL_OK : c;
}

/* An earlier attempt may have been killed right before its journal's end was durable; what is told now must be. */
static int flush_earlier(struct job *j)
{
    uint32_t flags = 0;
    for (uint32_t i = 0; i < j->batch->n_writes; i++)
        flags |= sl_write_at(j->batch, i)->flags;
    if (!(flags & SL_WRITE_REPEAT))
        return SL_OK;
    const char *slash = strrchr(j->db->file, '/');
    const char *folder = slash ? sl_pool_dup(&j->pool, j->db->file, (size_t)(slash - j->db->file) + 1) : ".";
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int failed = fd < 0 || fsync(fd) != 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return failed ? db_why(j->db, SL_RETRY, "the folder of %s cannot be flushed (%s); look at the disk and run again",
                           j->db->file, strerror(failed))
                  : SL_OK;
}

static int prepare(struct job *j)
{
    struct db *d = j->db;
    int c = db_ready(d);
    if (!c)
        c = flush_earlier(j);
    if (!c)
        c = db_begin_read(d);
    if (!c)
        c = table_load(d, &j->pool, j->batch->object, &j->table);
    if (!c && j->table.view)
        c = db_why(d, SL_UNSUPPORTED, "%s of %s is a view and cannot be written; sync the table behind it",
                   j->batch->object, d->file);
    if (!c)
        c = row_init(&j->row, d, &j->table, &j->pool);
    if (!c)
        c = db_prepare(d, sl_pool_print(&j->pool, "%s WHERE %s", j->table.select, j->table.by_key), &j->lookup);
    db_end_read(d);
    return c;
}

int db_write(struct db *d, const struct sl_batch *batch)
{
    struct job j = {.db = d, .batch = batch};
    j.replies = sl_pool_take(&j.pool, (batch->n_writes + (size_t)1) * sizeof(*j.replies));
    int c = prepare(&j);
    if (c)
        tell(&j, 0, batch->n_writes, SL_NOT_APPLIED, c);
    else if (batch->n_writes)
        c = run_range(&j, 0, batch->n_writes);
    sqlite3_finalize(j.lookup);
    sqlite3_finalize(j.changes[SL_CREATE].stmt);
    sqlite3_finalize(j.changes[SL_UPDATE].stmt);
    sqlite3_finalize(j.remove);
    sl_pool_free(&j.pool);
    return c;
}
