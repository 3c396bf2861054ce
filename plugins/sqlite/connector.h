/* SPDX-License-Identifier: MIT */
/* connector.h - what the files of the sqlite connector share: the session, a table, a row. */
#ifndef SQLITE_CONNECTOR_H
#define SQLITE_CONNECTOR_H

#include <stdbool.h>
#include <sqlite3.h>
#include <sys/types.h>
#include <syncline/helpers.h>
#include <syncline/syncline.h>

/* One session. `reason` is the sentence that belongs to the last class other than SL_OK. */
struct db {
    const struct sl_host *host;
    sqlite3 *handle; /* NULL until first needed */
    dev_t dev; /* the file the handle has open: a path may come to name another one */
    ino_t ino;
    char *file;
    char *modified; /* the setting; NULL: none */
    int busy_ms;
    char reason[600];
};

/* Keeps the sentence (one line) and returns the class. */
int db_why(struct db *d, int sl_class, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The class and sentence of a SQLite result code; what: the thing that was being done it to. */
int db_error(struct db *d, int code, const char *what);
/* Opens the file, or opens it anew if the path names another file by now. */
int db_ready(struct db *d);
void db_shut(struct db *d);
int db_exec(struct db *d, const char *sql);
int db_prepare(struct db *d, const char *sql, sqlite3_stmt **out);
/* Steps a statement unless *c is an error already: true for a row; an error is left in *c. */
bool db_row(struct db *d, sqlite3_stmt *stmt, int *c);
/* Begins a transaction that holds one snapshot; db_end_read accepts that none is open. */
int db_begin_read(struct db *d);
void db_end_read(struct db *d);
/*
 * Begins a read and names the state of the whole database: equal names mean that nothing was committed between.
 * Waits a moment for a state that can be promised, then gives STATE_UNSETTLED, which equals no state.
 */
enum { STATE_BYTES = 320 };
#define STATE_UNSETTLED "-"
int db_begin_state(struct db *d, char out[STATE_BYTES]);

/* How SQLite converts what is stored in a column. */
enum affinity { AFFINITY_INTEGER = 1, AFFINITY_TEXT, AFFINITY_NONE, AFFINITY_REAL, AFFINITY_NUMERIC };

struct column {
    const char *name;
    uint32_t type; /* enum sl_type as described */
    int affinity;
    bool required;
    bool computed; /* a generated column: not writable */
    bool unique;
    bool stamp_t; /* its timestamps have a T between date and time */
    bool stamp_z; /* its timestamps end in Z */
    const char *const *values; /* ENUM */
    uint32_t n_values;
};

struct table {
    const char *name;
    bool view;
    bool integer_key;
    int key; /* index of the key column */
    int modified; /* index of the column of the last change; -1: none */
    bool versions; /* the setting `modified` names that column: its values are versions */
    struct column *columns;
    int n_columns;
    const char *key_name; /* quoted */
    const char *quoted; /* the table's name, quoted */
    const char *select; /* SELECT all columns FROM table */
    const char *by_key; /* the condition that finds one key */
};

/* Loads a table's description into the pool; SL_GONE, or SL_CONFIG if it cannot be synced. */
int table_load(struct db *d, struct sl_pool *p, const char *name, struct table *out);
int table_column(const struct table *t, const char *name); /* -1: none */
/* Describes the named object, or all that can be synced. */
int table_describe(struct db *d, const char *object);
const char *quote_name(struct sl_pool *p, const char *name);
const char *affinity_name(int affinity);
/* The values of a CHECK (column IN ('a', 'b')) in the table's SQL; 0 if there is none that is certain. */
uint32_t check_values(struct sl_pool *p, const char *sql, const char *column, const char *const **values);

enum { VERSION_BYTES = 80, ID_BYTES = 1025 };

/* Exact numbers and times (number.c). */
void real_text(double real, char out[32]); /* the shortest text that reads back as the same double */
bool is_json_number(const char *text, size_t n_bytes);
bool is_integer(const char *text, int64_t *out); /* canonical: no sign but -, no leading zeros */
void integer_text(int64_t number, char *out); /* up to 20 characters */
bool same_amount(const char *x, const char *y); /* two JSON numbers */
bool is_id(const char *text, size_t n_bytes); /* 1 to 1024 bytes of UTF-8 without control characters */
/* A date, or date and time, as SQLite and RFC 3339 write them. */
struct moment {
    int64_t ms;
    uint32_t grain_ms; /* 0: finer than a millisecond */
    bool zoned; /* it says its time zone; without one SQLite means UTC, but programs may have meant their own */
};
bool moment_parse(const char *text, size_t n_bytes, struct moment *out);
void moment_format(int64_t ms, bool with_t, bool with_z, char out[40]);
void date_format(int64_t days, char out[40]);
enum { DAY_MS = 86400000 };

/* What decides whether a row's `modified` may stand for its content. */
struct settle {
    int64_t now_ms;
    int64_t newest_ms; /* the largest value in the table; INT64_MIN: none */
};
int settle_read(struct db *d, const struct table *t, struct settle *out);
/* One cell as stored; text is borrowed from the statement. */
struct cell {
    int kind; /* SQLITE_INTEGER ... */
    int64_t number;
    double real;
    const char *text; /* TEXT and BLOB; never NULL */
    size_t size;
};
const char *cell_text(sqlite3_stmt *stmt, int i); /* of a cell that is not NULL */
struct cell cell_take(sqlite3_stmt *stmt, int i);
/* A row's hash is that of its cells in order, storage classes and sizes included; it begins with the seed. */
#define HASH_SEED 0xcbf29ce484222325u
uint64_t cell_hash(uint64_t h, const struct cell *c);
void hash_version(uint64_t hash, char out[VERSION_BYTES]);
bool cell_id(sqlite3_stmt *stmt, int i, char out[ID_BYTES]); /* false: it cannot be an id */
/* The version a `modified` cell stands for. */
void cell_version(sqlite3_stmt *stmt, int i, char out[VERSION_BYTES]);
/* A moment from a cell; false if it is none. */
bool cell_moment(sqlite3_stmt *stmt, int i, struct moment *out);
/* True if another change of the row would certainly give another value. */
bool moment_settled(const struct settle *s, const struct moment *m);

/* One row as read from a statement that begins with all columns; texts are borrowed from the statement. */
struct row {
    struct db *db;
    const struct table *table;
    struct settle settle;
    struct sl_record record; /* id and version point into the row */
    struct sl_value *values;
    char (*numbers)[32];
    char id[ID_BYTES];
    char version[VERSION_BYTES];
    uint64_t hash;
    bool has_key; /* the key cell can be an id */
    char trouble[400]; /* why the row cannot be read; "": it can */
};
int row_init(struct row *r, struct db *d, const struct table *t, struct sl_pool *p); /* reads what settles versions */
void row_read(struct row *r, sqlite3_stmt *stmt);
/* Reads no more than id, hash and the version the hash stands for. */
void row_skim(struct row *r, sqlite3_stmt *stmt);
/* Makes r stand for a row whose key cell (column i of stmt) cannot be an id. */
void row_keyless(struct row *r, sqlite3_stmt *stmt, int i);
/* Emits it as RECORD or UNREADABLE. Returns SL_OK or SL_BROKEN. */
int row_emit(struct row *r);
/* True if version is one this row has been given. */
bool row_has_version(const struct row *r, sqlite3_stmt *stmt, const char *version);
/* Binds an id to parameter 1, the key. */
void key_bind(const struct table *t, sqlite3_stmt *stmt, const char *id);
/* Looks one id up, exactly. *found: the row was read and stands in stmt until that is reset. stmt: SELECT ... WHERE by_key. */
int row_find(struct row *r, sqlite3_stmt *stmt, const char *id, bool *found);
/* Likewise, skimmed only. */
int row_seek(struct row *r, sqlite3_stmt *stmt, const char *id, bool *found);
/* Puts the record a readable row was read as by, in few bytes; and makes r->record of it again, its texts borrowed from there. */
struct kept;
const struct kept *row_keep(struct sl_pool *p, const struct row *r);
void row_recall(struct row *r, const struct kept *k);

/* Binds a value for a column, exactly or SL_REJECTED. */
int value_bind(struct db *d, const struct table *t, const struct column *c, sqlite3_stmt *stmt, int at,
               const struct sl_value *v);

int db_pull(struct db *d, const struct sl_pull *pull);
int db_write(struct db *d, const struct sl_batch *batch);

#endif
