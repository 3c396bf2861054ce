/* SPDX-License-Identifier: MIT */
/* db.c - the database file: opening, errors as sentences, transactions, and the name of its state. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "connector.h"

int db_why(struct db *d, int sl_class, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(d->reason, sizeof(d->reason), format, args);
    va_end(args);
    for (char *at = d->reason; *at; at++) {
        if ((unsigned char)*at < ' ')
            *at = ' ';
    }
    return sl_class;
}

/* Formats: the file first, SQLite's own message second. */
static const struct {
    int code;
    int sl_class;
    const char *format;
} errors[] = {
    {SQLITE_BUSY, SL_BUSY, "%s is locked by another program; close it or run again"},
    {SQLITE_LOCKED, SL_BUSY, "%s is locked by another program; close it or run again"},
    {SQLITE_NOTADB, SL_CONFIG, "%s is not a SQLite database; name the right file in `file`"},
    {SQLITE_CANTOPEN, SL_CONFIG, "%s cannot be opened; let this user read and write it and its folder"},
    {SQLITE_PERM, SL_CONFIG, "%s may not be used by this user; let this user read and write it and its folder"},
    {SQLITE_READONLY, SL_CONFIG, "%s is read-only for this user; let this user write it and its folder"},
    {SQLITE_FULL, SL_RETRY, "the disk that holds %s is full; free some space and run again"},
    {SQLITE_IOERR, SL_RETRY, "%s cannot be read or written (%s); look at the disk and run again"},
    {SQLITE_CORRUPT, SL_BROKEN, "%s is damaged (%s); restore it from a backup or use sqlite3's .recover"},
    {SQLITE_CONSTRAINT, SL_REJECTED, "%s: %s; change the record or the table"},
    {SQLITE_MISMATCH, SL_REJECTED, "%s: %s; change the record or the table"},
    {SQLITE_TOOBIG, SL_REJECTED, "%s: %s; make the value smaller"},
    {SQLITE_ERROR, SL_CONFIG, "%s: %s; look at the table's triggers and views"},
};

/* The errno of a file that could not be opened, if no change of the config or of permissions would mend it; else 0. */
static int open_fault(const struct db *d, int code)
{
    static const int theirs[] = {0, EACCES, EPERM, EROFS, ENOTDIR, EISDIR, ELOOP};
    int why = d->handle && (code & 0xff) == SQLITE_CANTOPEN ? sqlite3_system_errno(d->handle) : 0;
    for (size_t i = 0; i < sizeof(theirs) / sizeof(*theirs); i++)
        if (theirs[i] == why)
            return 0;
    return why;
}

int db_error(struct db *d, int code, const char *what)
{
    if ((code & 0xff) == SQLITE_NOMEM || code == SQLITE_IOERR_NOMEM)
        sl_no_memory();
    int why = open_fault(d, code);
    if (why)
        return db_why(d, SL_RETRY, "%s cannot be opened (%s); look at the disk and run again", d->file, strerror(why));
    const char *said = d->handle ? sqlite3_errmsg(d->handle) : sqlite3_errstr(code);
    for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
        if (errors[i].code != (code & 0xff))
            continue;
        bool data = errors[i].sl_class == SL_REJECTED || errors[i].code == SQLITE_ERROR;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        return db_why(d, errors[i].sl_class, errors[i].format, data ? what : d->file, said);
#pragma GCC diagnostic pop
    }
    return db_why(d, SL_BROKEN, "%s: SQLite says: %s", d->file, said);
}

void db_shut(struct db *d)
{
    sqlite3_close(d->handle);
    d->handle = NULL;
}

/*
 * NOMUTEX: a session's calls come one at a time. EXTRA: with FULL a power cut right after a commit may bring the journal back and undo it.
 * The schema is not trusted: a file from elsewhere must not call functions with effects.
 */
static int open_file(struct db *d)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(d->file, &d->handle, flags, NULL);
    if (code) {
        int c = db_error(d, code, d->file);
        db_shut(d);
        return c;
    }
    /* SQLite opens a file it cannot open for writing to read it only, also where the disk was the reason. */
    if (sqlite3_db_readonly(d->handle, "main") == 1 && access(d->file, W_OK) == 0) {
        db_shut(d);
        return db_why(d, SL_RETRY, "%s cannot be opened for writing; look at the disk and run again", d->file);
    }
    sqlite3_busy_timeout(d->handle, d->busy_ms);
    int c = db_exec(d, "PRAGMA foreign_keys=ON; PRAGMA synchronous=EXTRA; PRAGMA trusted_schema=OFF;"
                       "SELECT count(*) FROM sqlite_schema");
    if (c)
        db_shut(d);
    return c;
}

int db_ready(struct db *d)
{
    struct stat st;
    if (stat(d->file, &st))
        return db_why(d, SL_CONFIG, "%s is not there (%s); create the database or correct `file`", d->file,
                      strerror(errno));
    if (!S_ISREG(st.st_mode))
        return db_why(d, SL_CONFIG, "%s is not a file; name a SQLite database in `file`", d->file);
    if (d->handle && (st.st_dev != d->dev || st.st_ino != d->ino))
        db_shut(d);
    if (d->handle)
        return SL_OK;
    d->dev = st.st_dev;
    d->ino = st.st_ino;
    return open_file(d);
}

int db_exec(struct db *d, const char *sql)
{
    int code = sqlite3_exec(d->handle, sql, NULL, NULL, NULL);
    return code ? db_error(d, code, d->file) : SL_OK;
}

int db_prepare(struct db *d, const char *sql, sqlite3_stmt **out)
{
    int code = sqlite3_prepare_v2(d->handle, sql, -1, out, NULL);
    return code ? db_error(d, code, d->file) : SL_OK;
}

bool db_row(struct db *d, sqlite3_stmt *stmt, int *c)
{
    int code = *c ? SQLITE_DONE : sqlite3_step(stmt);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        *c = db_error(d, code, d->file);
    return code == SQLITE_ROW;
}

/* BEGIN alone takes no lock and no snapshot; the first read does. */
int db_begin_read(struct db *d)
{
    int c = db_exec(d, "BEGIN; SELECT count(*) FROM sqlite_schema");
    if (c)
        db_end_read(d);
    return c;
}

void db_end_read(struct db *d)
{
    if (d->handle && !sqlite3_get_autocommit(d->handle) &&
        sqlite3_exec(d->handle, "ROLLBACK", NULL, NULL, NULL) == SQLITE_NOMEM)
        sl_no_memory();
}

enum { TICK_MS = 20, COARSE_MS = 2000 };

static int64_t age_ms(const struct timespec *t)
{
    /* The kernel's own clock, because it is compared with the kernel's own stamps. */
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (now.tv_sec - t->tv_sec) * (int64_t)1000 + (now.tv_nsec - t->tv_nsec) / 1000000;
}

/* True if a later write of the file would certainly get other stamps. */
static bool file_settled(const struct stat *st)
{
    bool coarse = !st->st_mtim.tv_nsec && !st->st_ctim.tv_nsec;
    int64_t need = coarse ? COARSE_MS : TICK_MS;
    return age_ms(&st->st_mtim) > need && age_ms(&st->st_ctim) > need;
}

static void stamp_put(const struct stat *st, char *out, size_t room)
{
    snprintf(out, room, "%llx.%llx.%llx.%lx.%llx.%lx", (unsigned long long)st->st_ino, (unsigned long long)st->st_size,
             (unsigned long long)st->st_mtim.tv_sec, (unsigned long)st->st_mtim.tv_nsec,
             (unsigned long long)st->st_ctim.tv_sec, (unsigned long)st->st_ctim.tv_nsec);
}

/* Through SQLite's own descriptor: closing another one of the same file would drop this process's locks. */
static int header_read(struct db *d, unsigned char out[100])
{
    sqlite3_file *file = NULL;
    memset(out, 0, 100);
    int code = sqlite3_file_control(d->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (!code)
        code = file->pMethods->xRead(file, out, 100, 0);
    return code == SQLITE_OK || code == SQLITE_IOERR_SHORT_READ ? SL_OK : db_error(d, code, d->file);
}

/* The stamps of the database and its -wal file, and whether each later write would change them. */
struct stamps {
    char text[240];
    bool here; /* the path still names the file the handle has open */
    bool settled;
};

static void stamps_read(const struct db *d, struct stamps *out)
{
    struct stat main_file, wal;
    char path[4096], one[120], two[120] = "0";
    out->here = stat(d->file, &main_file) == 0 && main_file.st_ino == d->ino && main_file.st_dev == d->dev;
    if (!out->here)
        return;
    out->settled = file_settled(&main_file);
    snprintf(path, sizeof(path), "%s-wal", d->file);
    if (!stat(path, &wal) && wal.st_size) {
        out->settled = out->settled && file_settled(&wal);
        stamp_put(&wal, two, sizeof(two));
    }
    stamp_put(&main_file, one, sizeof(one));
    snprintf(out->text, sizeof(out->text), "%s.%s", one, two);
}

/*
 * With a rollback journal every transaction raises the change counter in the file's header, which is read inside our
 * transaction: its shared lock keeps writers out and a crashed writer's journal was rolled back before. In WAL mode the
 * counter may stand still, but every commit writes to the -wal file and every checkpoint to the database: both
 * files' stamps name the state once they are older than the clock's tick. Order is important: stamps first, then the
 * snapshot, so that a commit between the two makes the name too old and never too new.
 */
static int state_read(struct db *d, char out[STATE_BYTES])
{
    struct stamps stamps = {0};
    unsigned char head[100];
    snprintf(out, STATE_BYTES, STATE_UNSETTLED);
    stamps_read(d, &stamps);
    int c = db_begin_read(d);
    if (!c)
        c = header_read(d, head);
    if (c || !stamps.here)
        return c;
    bool wal_mode = head[18] == 2;
    if (!wal_mode || stamps.settled)
        snprintf(out, STATE_BYTES, "%02x%02x%02x%02x.%s", head[24], head[25], head[26], head[27], stamps.text);
    return SL_OK;
}

int db_begin_state(struct db *d, char out[STATE_BYTES])
{
    for (int tries = 0;; tries++) {
        int c = state_read(d, out);
        if (c || strcmp(out, STATE_UNSETTLED) != 0 || tries == 3)
            return c;
        db_end_read(d);
        d->host->sleep_ms(d->host->ctx, TICK_MS + 5);
    }
}
