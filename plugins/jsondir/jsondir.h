/* SPDX-License-Identifier: MIT */
/* jsondir.h - what the files of this connector share: the session, a folder below the root, one look at a file. */
#ifndef JSONDIR_H
#define JSONDIR_H

#include <stdbool.h>
#include <sys/stat.h>
#include <syncline/helpers.h>
#include <syncline/syncline.h>

#define SUFFIX ".json"
#define ID_MAX_BYTES 240u /* with suffix, number and dots a name stays below 255 */
#define NAME_ROOM 256u /* a file name and its NUL */
#define SAID_ROOM 700u /* one sentence */
#define VERSION_ROOM 80u /* four numbers in hex, dots, NUL */
#define FILE_MAX_BYTES ((size_t)32 * 1024 * 1024) /* a record larger than this is not read */

struct jsondir {
    const struct sl_host *host;
    char *root;
    char said[SAID_ROOM]; /* the last refusal */
    struct sl_bytes file; /* the file last looked at */
    struct sl_value *fields; /* the merged fields of the record being written */
    uint32_t fields_room;
    dev_t swept_dev; /* the folder whose stale temporary files this session has removed */
    ino_t swept_ino;
};

/* Tells the host why a call ends (and keeps it in said); returns the class. */
int refuse(struct jsondir *d, int sl_class, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* --- folder.c: nothing outside the root can be named or reached --- */

struct folder {
    int root_fd;
    int fd; /* -1: the object's folder is not there yet */
    bool coarse; /* a file system whose clock is not ours (network): times are good to two seconds only */
    const char *name; /* the object */
};

/* At least one character, UTF-8, no control character: what may be an id at all. */
bool text_ok(const char *text);
/* Is it one harmless file name of at most max_bytes: UTF-8, no slash, no leading dot, no control character? */
bool name_ok(const char *name, size_t max_bytes);
/* A name for a message: what a terminal should not see is replaced. Returns out. */
const char *name_shown(const char *name, char out[NAME_ROOM]);
/* Opens one name below a folder; no link is followed. Returns the fd, or -1 with errno. */
int open_below(int dir_fd, const char *name, int flags);
/* Opens the root, and the object's folder if it is there. SL_OK, or a class already told. folder_close always. */
int folder_open(struct jsondir *d, const char *object, struct folder *f);
/* Makes and opens the object's folder if it is missing. Returns 0, or -1 with errno. */
int folder_make(struct folder *f);
void folder_close(struct folder *f);
/* What an errno means for the next move and for a person. */
int errno_class(int code);
const char *errno_advice(int code);

/* --- file.c: one look at one file --- */

enum look_end {
    LOOK_OK = 1,
    LOOK_GONE = 2,
    LOOK_BAD = 3, /* it is there and cannot be read: why says so */
    LOOK_FAULT = 4, /* not the file's fault (no descriptors left): why says so, the call must end */
    LOOK_UNREAD = 5 /* it is there and the disk did not give it, but may next time: why says so, there is no version */
};
struct look {
    struct stat st;
    char version[VERSION_ROOM]; /* "" while an edit could still leave the same stamp */
    size_t size; /* bytes in d->file */
    const struct sl_value *fields;
    uint32_t n_fields;
    uint32_t field_size; /* the host's: its values may be larger than ours */
    char why[SAID_ROOM];
};

/* The file system's clock, as far as this machine knows it; nothing of it reaches a record. */
int64_t clock_ns(void);
/* No earlier than the stamp of anything touched before the call. */
int64_t clock_touch_ns(void);
int64_t stat_time_ns(const struct timespec *t);
/* Sleeps until the file system's clock is past the given time, at most `most_ns`. */
void clock_wait(int64_t until_ns, int64_t most_ns);
/* The last touch of the file, and how long after it an edit could still carry the same times. */
int64_t stat_touched_ns(const struct stat *st);
int64_t stat_grain_ns(const struct folder *f, const struct stat *st);
#define GRAIN_FINE_NS 20000000LL
/*
 * Likewise for content that is known because we wrote it. A stranger's write is stamped before its bytes arrive, so a look at it
 * needs the margin above; of ours it is enough that the clock has moved on.
 */
int64_t stat_own_grain_ns(const struct stat *st);
/* mtime.ctime.inode.size: changes with every edit, once the file is settled. */
void version_full(const struct stat *st, char out[VERSION_ROOM]);
/* The same, or "" if the file was touched so close to `now_ns` that a later edit could look the same. */
void version_settled(const struct folder *f, const struct stat *st, int64_t now_ns, char out[VERSION_ROOM]);
/* Same file, same size, same times. */
bool stat_same(const struct stat *x, const struct stat *y);
/* Why a directory entry that is no readable record file cannot be read; NULL: it is fine. */
const char *stat_fault(const struct stat *st);
/* Reads the bytes of ID.json into d->file. */
enum look_end file_read(struct jsondir *d, const struct folder *f, const char *id, struct look *l);
/* Likewise, and its fields through the host's JSON door. */
enum look_end file_look(struct jsondir *d, const struct folder *f, const char *id, struct look *l);
void file_name(const char *id, char out[NAME_ROOM]);
/* A look as a record for emit and outcome. Borrowed from id and look. */
struct sl_record look_record(const struct folder *f, const char *id, const struct look *l);

/* --- content.c: the text of a record to be written --- */

/*
 * The fields to write: those of `old` (NULL: none) in their order, with the write's laid over them, new ones behind.
 * Unknown keys stay; ABSENT ones are not listed. Out: *text, borrowed until the next look or json_free.
 */
int content_make(struct jsondir *d, const struct look *old, const struct sl_write *w, const char **text,
                 size_t *n_bytes);
/* Does the file of a create, read again, hold the very values it was given? Not a date, for one: it comes back as text. */
bool content_exact(const struct sl_write *w);

/* --- the calls --- */

int jsondir_pull(void *session, const struct sl_pull *pull);
int jsondir_get(void *session, const struct sl_get *get);
int jsondir_write(void *session, const struct sl_batch *batch);

#endif
