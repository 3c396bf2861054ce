/* SPDX-License-Identifier: MIT */
/* connector.h - what the files of the csv connector share: the session, a file, its rows. */
#ifndef CSV_CONNECTOR_H
#define CSV_CONNECTOR_H

#include <stdbool.h>
#include <sys/stat.h>
#include <syncline/helpers.h>
#include <syncline/syncline.h>

enum { ID_BYTES = 1025, WHY_BYTES = 600, NEW_ID_BYTES = 512, STATE_BYTES = 120, ROW_BYTES_MAX = 16 << 20 };

/* The keys that stand in more than one row of a file in one state: a cache, worked out again whenever that changed. */
struct doubles {
    char object[256];
    char state[STATE_BYTES];
    uint64_t *hashes; /* sorted */
    bool *told; /* this call said so already */
    size_t n;
};

/* One session. `reason` is the sentence that belongs to the last class other than SL_OK. */
struct csv {
    const struct sl_host *host;
    char *root;
    char *key;
    char delimiter;
    struct doubles doubles;
    char reason[600];
};

/* Keeps the sentence (one line) and returns the class. */
int csv_why(struct csv *c, int sl_class, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The class and sentence of errno, met while doing something to a file. */
int csv_errno(struct csv *c, int code, const char *file);

/* One cell. */
struct cell {
    const char *text;
    size_t size;
    bool null; /* bare and empty; "" is a text */
    const char *raw; /* as it stands in the file, quotes and all; NULL: it does not stand there */
    size_t raw_size;
};

/* Reads rows one by one; a row's pointers are valid until the next. Zero-initialise, then reader_begin. */
struct reader {
    int fd;
    char delimiter;
    char *data;
    size_t room, have, at; /* bytes in data; where the next row begins */
    off_t offset; /* of data[0] in the file */
    bool end; /* the file ends with data */
    char *plain; /* cells without their doubled quotes; as much room as data */
    size_t plain_used;

    struct cell *cells;
    size_t n_cells, cells_room;
    const char *raw; /* the whole row */
    size_t raw_size;
    size_t eol_size; /* of its line end; 0: the last line has none */
    uint64_t line; /* its first line, from 1 */
    uint64_t next_line;
    bool blank; /* an empty line: no row */
    bool malformed; /* text behind a closing quote */
};
enum reader_end { READER_ROW = 1, READER_END, READER_UNCLOSED, READER_LARGE, READER_ERRNO };
void reader_begin(struct reader *r, int fd, char delimiter, off_t offset, uint64_t line);
enum reader_end reader_next(struct reader *r);
off_t reader_offset(const struct reader *r); /* of the next row */
void reader_fini(struct reader *r);

/* An object's file. */
struct file {
    const char *object;
    char name[300]; /* <object>.csv */
    int folder; /* the root */
    int fd; /* -1: there is no such file */
    struct stat st;
    char state[STATE_BYTES]; /* names what the stamps say: equal names, same content */
    bool settled; /* a later edit would certainly give another state */
    const char **columns;
    size_t n_columns;
    size_t key;
    bool bom;
    bool crlf;
    off_t body; /* where the first row begins */
    uint64_t body_line;
    const char *header; /* the header row as it stands, without its line end */
    size_t header_size;
    bool header_open; /* no line end behind it: the file ends there */
};
/* Opens the object's file and reads its header; a missing file is no error. Waits a moment for it to settle. */
int file_open(struct csv *c, struct sl_pool *p, const char *object, struct file *f);
/* The same for a file by name, in an open folder, whose key column need not be there. */
int file_open_named(struct csv *c, struct sl_pool *p, int folder, const char *name, struct file *f);
void file_close(struct file *f);
/* SL_RETRY if the file was written to since it was opened. */
int file_unchanged(struct csv *c, const struct file *f);
int file_names(struct csv *c, const char *object, char name[300]);
int folder_open(struct csv *c, int *fd);
bool same_stamps(const struct stat *a, const struct stat *b);
size_t file_column(const struct file *f, const char *name); /* n_columns: none */
int reader_fault(struct csv *c, const struct file *f, const struct reader *r, enum reader_end end);
/* Finds the keys that stand in more than one row. */
int doubles_load(struct csv *c, const struct file *f);
bool doubles_has(const struct csv *c, const char *key, size_t size, size_t *at);

/* Rows (row.c). */
uint64_t text_hash(const char *text, size_t n_bytes);
/* The hash of a row's cells by column name: neither the order of columns nor an empty one matters. */
uint64_t row_hash(const char *const *columns, const struct cell *cells, size_t n);
enum { VERSION_BYTES = 24 };
void row_version(uint64_t hash, char out[VERSION_BYTES]);
/* The id a row stands for, or a stand-in; false: it cannot be read, why says so. */
bool row_readable(struct csv *c, const struct file *f, const struct reader *r, char id[ID_BYTES], char why[WHY_BYTES]);
/* Emits the reader's row as RECORD or UNREADABLE; a key in several rows once. */
int row_emit(struct csv *c, const struct file *f, const struct reader *r);
bool is_id(const char *text, size_t n_bytes);
/* A value as the text of a cell, or SL_REJECTED. */
int cell_from(struct csv *c, struct sl_pool *p, const struct sl_value *v, struct cell *out);
bool cell_same(const struct cell *x, const struct cell *y);

int csv_pull(struct csv *c, const struct sl_pull *pull);
int csv_write(struct csv *c, const struct sl_batch *batch);

/* Rewriting (rewrite.c). A plan says what becomes of each row. */
struct rewrite {
    const struct file *file;
    const char *const *columns; /* the file's, and new ones behind them */
    const bool *used; /* which of them are written; those of the file always */
    size_t n_columns;
    /* What becomes of a row of the file. Returns NULL: copied as it is; *drop: left out; else its n_columns cells. */
    const struct cell *(*row)(void *self, const struct reader *r, bool *drop);
    void *self;
    const struct cell *const *added; /* rows to put at the end */
    size_t n_added;
    char delimiter;
};
/* Writes the file anew beside itself, durably. The name of the new file goes to temp. */
int rewrite_make(struct csv *c, const struct rewrite *w, char temp[320]);
/* Puts the new file in the place of the old one. *in_place: it is there, whatever is returned. SL_CONFLICT: the old one was changed. */
int rewrite_place(struct csv *c, const struct rewrite *w, const char *temp, bool *in_place);
/* Adds rows of the file being rewritten to <object>.archive.csv, each only if the very same row is not there yet. */
int archive_rows(struct csv *c, struct sl_pool *p, const struct rewrite *from, const struct cell *const *rows,
                 size_t n_rows);

#endif
