/* SPDX-License-Identifier: MIT */
/* file.c - the folder and the file of an object: names, stamps, the header row, keys that stand there twice. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "connector.h"

int csv_why(struct csv *c, int sl_class, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->reason, sizeof(c->reason), format, args);
    va_end(args);
    for (char *at = c->reason; *at; at++) {
        if ((unsigned char)*at < ' ')
            *at = ' ';
    }
    return sl_class;
}

int csv_errno(struct csv *c, int code, const char *file)
{
    static const struct {
        int code;
        int sl_class;
        const char *next;
    } faults[] = {
        {ENOSPC, SL_RETRY, "the disk is full: free some space and run again"},
        {EDQUOT, SL_RETRY, "the disk quota is used up: free some space and run again"},
        {EROFS, SL_CONFIG, "the file system is read-only: mount it writable"},
        {EACCES, SL_CONFIG, "permission denied: let this user read and write the folder"},
        {EPERM, SL_CONFIG, "permission denied: let this user read and write the folder"},
        {ELOOP, SL_CONFIG, "a symbolic link, which is never followed: put the file itself here"},
        {EIO, SL_RETRY, "the disk reports an error: look at the kernel's log before the next run"},
    };
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        if (faults[i].code == code)
            return csv_why(c, faults[i].sl_class, "%s/%s: %s", c->root, file, faults[i].next);
    }
    return csv_why(c, SL_RETRY, "%s/%s: %s; run again", c->root, file, strerror(code));
}

int folder_open(struct csv *c, int *fd)
{
    /* The operator named this path: links in it are theirs. Below it none is followed. */
    *fd = open(c->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd >= 0)
        return SL_OK;
    if (errno == ENOENT)
        return csv_why(c, SL_CONFIG, "the folder %s is not there; create it or correct `root`", c->root);
    if (errno == ENOTDIR)
        return csv_why(c, SL_CONFIG, "%s is no folder; name the folder of the .csv files in `root`", c->root);
    return csv_why(c, SL_CONFIG, "the folder %s cannot be opened (%s); let this user read and write it", c->root,
                   strerror(errno));
}

int file_names(struct csv *c, const char *object, char name[300])
{
    size_t size = object ? strlen(object) : 0;
    if (!size || size > 200 || *object == '.' || strchr(object, '/') || !is_id(object, size))
        return csv_why(c, SL_CONFIG, "the object \"%.80s\" is no name of a file in %s; name it without folder and .csv",
                       object ? object : "", c->root);
    snprintf(name, 300, "%s.csv", object);
    return SL_OK;
}

/* Without openat2 (an old kernel, a system call filter) O_NOFOLLOW says the same of a single checked name. */
static int open_beneath(int folder, const char *name)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    long fd = syscall(SYS_openat2, folder, name, &how, sizeof(how));
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
        return (int)fd;
    return openat(folder, name, (int)how.flags);
}

enum { TICK_MS = 20, COARSE_MS = 2000, WAITS = 4 };

/* The kernel's own clock, because it is compared with the kernel's own stamps. */
static int64_t age_ms(const struct timespec *t)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (now.tv_sec - t->tv_sec) * (int64_t)1000 + (now.tv_nsec - t->tv_nsec) / 1000000;
}

static bool settled(const struct stat *st)
{
    bool coarse = !st->st_mtim.tv_nsec && !st->st_ctim.tv_nsec;
    int64_t need = coarse ? COARSE_MS : TICK_MS;
    return age_ms(&st->st_mtim) > need && age_ms(&st->st_ctim) > need;
}

bool same_stamps(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           !memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim)) &&
           !memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim));
}

static void read_state(struct file *f)
{
    snprintf(f->state, sizeof(f->state), "%llx.%llx.%llx.%lx.%llx.%lx", (unsigned long long)f->st.st_ino,
             (unsigned long long)f->st.st_size, (unsigned long long)f->st.st_mtim.tv_sec,
             (unsigned long)f->st.st_mtim.tv_nsec, (unsigned long long)f->st.st_ctim.tv_sec,
             (unsigned long)f->st.st_ctim.tv_nsec);
    f->settled = settled(&f->st);
}

/* An editor may still be writing, or replace the file by another: the path is opened anew after each wait. */
static int open_settled(struct csv *c, struct file *f)
{
    for (int waits = 0;; waits++) {
        f->fd = open_beneath(f->folder, f->name);
        if (f->fd < 0)
            return errno == ENOENT ? SL_OK : csv_errno(c, errno, f->name);
        if (fstat(f->fd, &f->st))
            return csv_errno(c, errno, f->name);
        if (!S_ISREG(f->st.st_mode))
            return csv_why(c, SL_CONFIG, "%s/%s is no file; move it away or name another object", c->root, f->name);
        read_state(f);
        if (f->settled || waits == WAITS)
            return SL_OK;
        close(f->fd);
        c->host->sleep_ms(c->host->ctx, TICK_MS + 5);
    }
}

int reader_fault(struct csv *c, const struct file *f, const struct reader *r, enum reader_end end)
{
    unsigned long long line = (unsigned long long)r->line;
    if (end == READER_ERRNO)
        return csv_errno(c, errno, f->name);
    if (end == READER_UNCLOSED)
        return csv_why(c, SL_BROKEN,
                       "%s/%s: the row that begins on line %llu has a quote that is never closed; close it", c->root,
                       f->name, line);
    return csv_why(c, SL_BROKEN,
                   "%s/%s: the row that begins on line %llu is over 16 MiB; look for a quote that is not closed",
                   c->root, f->name, line);
}

static int check_columns(struct csv *c, const struct file *f)
{
    for (size_t i = 0; i < f->n_columns; i++) {
        if (!sl_utf8_clean(f->columns[i], strlen(f->columns[i])))
            return csv_why(c, SL_CONFIG, "%s/%s is not UTF-8: column %zu of its header is no text; save it as UTF-8",
                           c->root, f->name, i + 1);
        if (*f->columns[i] && file_column(f, f->columns[i]) != i)
            return csv_why(c, SL_CONFIG, "%s/%s has two columns named %.100s; rename one of them", c->root, f->name,
                           f->columns[i]);
    }
    return SL_OK;
}

static void take_header(struct sl_pool *p, struct file *f, const struct reader *r)
{
    f->columns = sl_pool_take(p, (r->n_cells + 1) * sizeof(*f->columns));
    f->n_columns = r->n_cells;
    for (size_t i = 0; i < r->n_cells; i++) {
        /* A NUL would cut the name: make it no text instead. */
        bool nul = memchr(r->cells[i].text, 0, r->cells[i].size) != NULL;
        f->columns[i] = nul ? "\xff" : sl_pool_dup(p, r->cells[i].text, r->cells[i].size);
    }
    f->crlf = r->eol_size == 2;
    f->header_open = r->eol_size == 0;
    f->header = sl_pool_dup(p, r->raw, r->raw_size - r->eol_size);
    f->header_size = r->raw_size - r->eol_size;
    f->body = reader_offset(r);
    f->body_line = r->next_line;
}

static int read_header(struct csv *c, struct sl_pool *p, struct file *f)
{
    unsigned char mark[3] = {0};
    struct reader r = {0};
    int result = SL_OK;
    if (pread(f->fd, mark, 3, 0) < 0)
        return csv_errno(c, errno, f->name);
    f->bom = mark[0] == 0xef && mark[1] == 0xbb && mark[2] == 0xbf;
    if ((mark[0] == 0xff && mark[1] == 0xfe) || (mark[0] == 0xfe && mark[1] == 0xff))
        return csv_why(c, SL_CONFIG, "%s/%s is UTF-16; save it as UTF-8", c->root, f->name);
    reader_begin(&r, f->fd, c->delimiter, f->bom ? 3 : 0, 1);
    enum reader_end end = reader_next(&r);
    if (end == READER_END || (end == READER_ROW && r.blank))
        result = csv_why(c, SL_CONFIG, "%s/%s has no header row; give it one with the column %s, or remove the file",
                         c->root, f->name, c->key);
    else if (end != READER_ROW)
        result = reader_fault(c, f, &r, end);
    else if (r.malformed)
        result =
            csv_why(c, SL_CONFIG, "%s/%s: its header has text behind a closing quote; correct it", c->root, f->name);
    else
        take_header(p, f, &r);
    reader_fini(&r);
    return result ? result : check_columns(c, f);
}

size_t file_column(const struct file *f, const char *name)
{
    size_t i = 0;
    while (i < f->n_columns && strcmp(f->columns[i], name) != 0)
        i++;
    return i;
}

static int missing_key(struct csv *c, const struct file *f)
{
    char list[300] = "";
    for (size_t i = 0; i < f->n_columns; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", f->columns[i]);
    }
    return csv_why(c, SL_CONFIG, "%s/%s has no column %s, the `key`; there are: %s", c->root, f->name, c->key, list);
}

int file_open_named(struct csv *c, struct sl_pool *p, int folder, const char *name, struct file *f)
{
    *f = (struct file){.folder = folder, .fd = -1};
    snprintf(f->name, sizeof(f->name), "%s", name);
    int result = open_settled(c, f);
    if (!result && f->fd >= 0)
        result = read_header(c, p, f);
    return result;
}

/* A missing file has the key column alone. */
int file_open(struct csv *c, struct sl_pool *p, const char *object, struct file *f)
{
    char name[300];
    int folder = -1;
    *f = (struct file){.folder = -1, .fd = -1};
    int result = file_names(c, object, name);
    if (!result)
        result = folder_open(c, &folder);
    if (!result)
        result = file_open_named(c, p, folder, name, f);
    f->object = object;
    if (!result && f->fd < 0) {
        f->columns = sl_pool_take(p, sizeof(*f->columns));
        f->columns[0] = c->key;
        f->n_columns = 1;
    }
    f->key = file_column(f, c->key);
    if (!result && f->key == f->n_columns)
        result = missing_key(c, f);
    return result;
}

void file_close(struct file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    if (f->folder >= 0)
        close(f->folder);
    f->fd = f->folder = -1;
}

int file_unchanged(struct csv *c, const struct file *f)
{
    struct stat now;
    if (f->fd < 0 || (!fstat(f->fd, &now) && same_stamps(&now, &f->st)))
        return SL_OK;
    /* Being replaced or removed is no harm: what was read is one whole state. Only a link count may differ. */
    if (now.st_size == f->st.st_size && !memcmp(&now.st_mtim, &f->st.st_mtim, sizeof(now.st_mtim)) && now.st_nlink == 0)
        return SL_OK;
    return csv_why(c, SL_RETRY, "%s/%s was written to while it was read; run again", c->root, f->name);
}

static int by_number(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return (a > b) - (a < b);
}

/* Eight bytes a row, sorted: what stands side by side stands in two rows. */
static size_t keep_doubles(uint64_t *hashes, size_t n)
{
    size_t kept = 0;
    if (n)
        qsort(hashes, n, sizeof(*hashes), by_number);
    for (size_t i = 1; i < n; i++) {
        if (hashes[i] == hashes[i - 1] && (!kept || hashes[kept - 1] != hashes[i]))
            hashes[kept++] = hashes[i];
    }
    return kept;
}

static int collect(struct csv *c, const struct file *f, uint64_t **hashes, size_t *n)
{
    struct reader r = {0};
    size_t room = 0;
    enum reader_end end;
    reader_begin(&r, f->fd, c->delimiter, f->body, f->body_line);
    while ((end = reader_next(&r)) == READER_ROW) {
        if (r.blank || f->key >= r.n_cells)
            continue;
        if (*n == room) {
            room = room ? room * 2 : 4096;
            *hashes = sl_checked(realloc(*hashes, room * sizeof(**hashes)));
        }
        const struct cell *key = &r.cells[f->key];
        if (is_id(key->text, key->size))
            (*hashes)[(*n)++] = text_hash(key->text, key->size);
    }
    int result = end == READER_END ? file_unchanged(c, f) : reader_fault(c, f, &r, end);
    reader_fini(&r);
    return result;
}

int doubles_load(struct csv *c, const struct file *f)
{
    struct doubles *d = &c->doubles;
    size_t n = 0;
    if (d->n)
        memset(d->told, 0, d->n * sizeof(*d->told));
    if (f->settled && !strcmp(d->object, f->object) && !strcmp(d->state, f->state))
        return SL_OK;
    free(d->hashes);
    free(d->told);
    *d = (struct doubles){0};
    int result = f->fd < 0 ? SL_OK : collect(c, f, &d->hashes, &n);
    d->n = keep_doubles(d->hashes, n);
    d->told = sl_checked(calloc(d->n + 1, sizeof(*d->told)));
    if (!result && f->settled) {
        snprintf(d->object, sizeof(d->object), "%s", f->object);
        snprintf(d->state, sizeof(d->state), "%s", f->state);
    }
    return result;
}

bool doubles_has(const struct csv *c, const char *key, size_t size, size_t *at)
{
    const struct doubles *d = &c->doubles;
    uint64_t hash = text_hash(key, size);
    const uint64_t *hit = d->n ? bsearch(&hash, d->hashes, d->n, sizeof(hash), by_number) : NULL;
    *at = hit ? (size_t)(hit - d->hashes) : 0;
    return hit != NULL;
}
