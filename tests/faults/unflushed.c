/* SPDX-License-Identifier: MIT */
/* unflushed.c - what a power cut may take: bytes and names that no flush has made durable. */
#include "unflushed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "disk.h"

/*
 * A file by its inode. The descriptor keeps the inode from being used again and is never closed: closing it would drop the
 * process's own locks on the file.
 */
struct file_seen {
    dev_t device;
    ino_t inode;
    int fd;
    uint8_t *durable;
    size_t n_durable;
    bool clean; /* nothing happened since the last flush */
    struct file_seen *next;
};

enum change_kind { CHANGE_MADE = 1, CHANGE_GONE = 2, CHANGE_MOVED = 3 };

/* A change of names, not yet flushed. */
struct change {
    enum change_kind kind;
    struct folder_seen *from, *to; /* to: of a move */
    char name[FLUSH_NAME_ROOM], to_name[FLUSH_NAME_ROOM];
    unsigned kept; /* what was removed or replaced lies in the spare folder under this number; 0: nothing was */
    bool lost;
};

static struct file_seen *files;
static struct folder_seen *folders;
static struct change *changes;
static size_t n_changes, room;
static int spare_fd = -1;
static unsigned n_kept;
static uint64_t state;

/* A name in the spare folder: also later processes use it. */
static void spare_name(unsigned number, char out[32])
{
    snprintf(out, 32, "%ld.%u", (long)getpid(), number);
}

/* splitmix64 */
static uint64_t rnd(void)
{
    uint64_t z = (state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "the disk of the test itself: %s: %s\n", what, strerror(errno));
    abort();
}

void unflushed_begin(const char *spare)
{
    files = NULL;
    folders = NULL;
    n_changes = 0;
    spare_fd = (int)real_call(SYS_openat, AT_FDCWD, spare, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    must(spare_fd >= 0, spare);
}

/* --- content --- */

static struct file_seen *find(const struct stat *st)
{
    struct file_seen *f = files;
    while (f && !(f->inode == st->st_ino && f->device == st->st_dev))
        f = f->next;
    return f;
}

/* All that the file holds now. */
static uint8_t *content(const struct file_seen *f, size_t *n_bytes)
{
    struct stat st;
    must(fstat(f->fd, &st) == 0, "fstat");
    *n_bytes = (size_t)st.st_size;
    uint8_t *bytes = calloc(1, *n_bytes + 1);
    must(bytes && real_call(SYS_pread64, f->fd, bytes, *n_bytes, 0L) == (long)*n_bytes, "reading back");
    return bytes;
}

static void make_durable(struct file_seen *f)
{
    if (f->clean)
        return;
    free(f->durable);
    f->durable = content(f, &f->n_durable);
    f->clean = true;
}

void unflushed_file(int fd, bool fresh)
{
    char path[64];
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    struct file_seen *f = find(&st);
    if (!f) {
        f = calloc(1, sizeof(*f));
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        f->fd = (int)real_call(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
        must(f->fd >= 0, "opening a file once more");
        f->device = st.st_dev;
        f->inode = st.st_ino;
        f->next = files;
        files = f;
        if (!fresh)
            make_durable(f);
    }
    f->clean = false;
}

void unflushed_flush_file(int fd)
{
    struct stat st;
    struct file_seen *f = fstat(fd, &st) == 0 ? find(&st) : NULL;
    if (f)
        make_durable(f);
}

void unflushed_flush_range(int fd, off_t offset, size_t n_bytes)
{
    struct stat st;
    struct file_seen *f = fstat(fd, &st) == 0 ? find(&st) : NULL;
    size_t end = (size_t)offset + n_bytes;
    if (!f)
        return;
    if (end > f->n_durable) {
        f->durable = realloc(f->durable, end);
        must(f->durable != NULL, "memory");
        memset(f->durable + f->n_durable, 0, end - f->n_durable);
        f->n_durable = end;
    }
    must(real_call(SYS_pread64, f->fd, f->durable + offset, n_bytes, (long)offset) == (long)n_bytes, "reading back");
}

/* How much of what was written survives: everything, nothing, or a part of this many of 8. */
static unsigned survivors(void)
{
    static const unsigned of_8[] = {8, 0, 1, 4, 4, 7};
    return of_8[rnd() % (sizeof(of_8) / sizeof(*of_8))];
}

/* Puts the durable bytes of one sector back, zeros beyond their end. */
static void revert(const struct file_seen *f, const uint8_t *now, size_t at, size_t n_bytes)
{
    uint8_t sector[DISK_SECTOR_BYTES] = {0};
    size_t n = at >= f->n_durable ? 0 : f->n_durable - at < n_bytes ? f->n_durable - at : n_bytes;
    if (n)
        memcpy(sector, f->durable + at, n);
    if (memcmp(sector, now + at, n_bytes) != 0)
        must(real_call(SYS_pwrite64, f->fd, sector, n_bytes, (long)at) == (long)n_bytes, "tearing");
}

/* Sector by sector the new bytes or those that were durable, and one of the two sizes or one between them. */
static void tear(const struct file_seen *f)
{
    size_t n_now = 0;
    uint8_t *now = content(f, &n_now);
    unsigned of_8 = survivors();
    size_t least = n_now < f->n_durable ? n_now : f->n_durable;
    size_t most = n_now < f->n_durable ? f->n_durable : n_now;
    size_t end = rnd() % 8 < of_8 ? n_now : rnd() % 2 ? f->n_durable : least + rnd() % (most - least + 1);
    if (end != n_now)
        must(real_call(SYS_ftruncate, f->fd, (long)end) == 0, "tearing");
    now = realloc(now, most + 1);
    must(now != NULL, "memory");
    memset(now + n_now, 0, most - n_now);
    for (size_t at = 0; at < end; at += DISK_SECTOR_BYTES)
        if (rnd() % 8 >= of_8)
            revert(f, now, at, end - at < DISK_SECTOR_BYTES ? end - at : DISK_SECTOR_BYTES);
    free(now);
}

/* --- names --- */

struct folder_seen *unflushed_folder(int fd)
{
    struct stat st;
    must(fstat(fd, &st) == 0, "fstat");
    for (struct folder_seen *f = folders; f; f = f->next) {
        if (f->inode == st.st_ino && f->device == st.st_dev) {
            close(fd);
            return f;
        }
    }
    struct folder_seen *f = calloc(1, sizeof(*f));
    *f = (struct folder_seen){st.st_dev, st.st_ino, fd, folders};
    folders = f;
    return f;
}

static struct change *change_add(enum change_kind kind, struct folder_seen *from, const char *name, unsigned kept)
{
    if (n_changes == room) {
        room = room ? room * 2 : 64;
        changes = realloc(changes, room * sizeof(*changes));
        must(changes != NULL, "memory");
    }
    struct change *c = &changes[n_changes++];
    *c = (struct change){.kind = kind, .from = from, .kept = kept};
    snprintf(c->name, sizeof(c->name), "%s", name);
    return c;
}

void unflushed_made(struct folder_seen *f, const char *name)
{
    change_add(CHANGE_MADE, f, name, 0);
}

static bool is_empty(int fd, const char *name)
{
    int n = 0;
    DIR *d = fdopendir((int)real_call(SYS_openat, fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
    must(d != NULL, "looking into a folder");
    while (n < 3 && readdir(d))
        n++;
    closedir(d);
    return n < 3;
}

unsigned unflushed_keep(struct folder_seen *f, const char *name)
{
    char number[32];
    struct stat st;
    if (fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || (S_ISDIR(st.st_mode) && !is_empty(f->fd, name)))
        return 0;
    spare_name(++n_kept, number);
    real_call(SYS_unlinkat, spare_fd, number, 0);
    /* A folder has one name only: it is moved away, as which it looks removed. */
    long rc = S_ISDIR(st.st_mode) ? real_call(SYS_renameat2, f->fd, name, spare_fd, number, 0)
                                  : real_call(SYS_linkat, f->fd, name, spare_fd, number, 0);
    must(rc == 0, "keeping what goes");
    return n_kept;
}

void unflushed_gone(struct folder_seen *f, const char *name, unsigned kept)
{
    change_add(CHANGE_GONE, f, name, kept);
}

void unflushed_moved(struct folder_seen *from, const char *name, struct folder_seen *to, const char *to_name,
                     unsigned kept)
{
    struct change *c = change_add(CHANGE_MOVED, from, name, kept);
    c->to = to;
    snprintf(c->to_name, sizeof(c->to_name), "%s", to_name);
}

void unflushed_flush_folder(const struct stat *st)
{
    size_t n_left = 0;
    struct folder_seen *f = folders;
    while (f && !(f->inode == st->st_ino && f->device == st->st_dev))
        f = f->next;
    for (size_t i = 0; f && i < n_changes; i++)
        if (changes[i].from != f && changes[i].to != f)
            changes[n_left++] = changes[i];
    n_changes = f ? n_left : n_changes;
}

void unflushed_flush_all(void)
{
    for (struct file_seen *f = files; f; f = f->next)
        make_durable(f);
    n_changes = 0;
}

static bool names(const struct change *c, const struct folder_seen *f, const char *name)
{
    return (c->from == f && strcmp(c->name, name) == 0) || (c->to && c->to == f && strcmp(c->to_name, name) == 0);
}

/* A later change of a name rests on the earlier ones of that name. */
static bool rests_on_lost(const struct change *c)
{
    for (const struct change *d = changes; d < c; d++)
        if (d->lost && (names(d, c->from, c->name) || (c->to && names(d, c->to, c->to_name))))
            return true;
    return false;
}

/* A journal loses the newest changes, all from one on; other file systems may lose any. */
static void choose_lost(void)
{
    bool in_order = rnd() % 2;
    size_t first = n_changes ? rnd() % (n_changes + 1) : 0;
    for (size_t i = 0; i < n_changes; i++)
        changes[i].lost = in_order ? i >= first : rnd() % 2 || rests_on_lost(&changes[i]);
}

static void bring_back(const struct change *c, struct folder_seen *f, const char *name)
{
    char number[32];
    spare_name(c->kept, number);
    if (c->kept)
        must(real_call(SYS_renameat2, spare_fd, number, f->fd, name, 0) == 0, "bringing back what went");
}

static void undo(const struct change *c)
{
    char number[32];
    spare_name(++n_kept, number);
    if (c->kind == CHANGE_MADE)
        must(real_call(SYS_renameat2, c->from->fd, c->name, spare_fd, number, 0) == 0, "undoing a new name");
    else if (c->kind == CHANGE_MOVED)
        must(real_call(SYS_renameat2, c->to->fd, c->to_name, c->from->fd, c->name, 0) == 0, "undoing a rename");
    bring_back(c, c->to ? c->to : c->from, c->to ? c->to_name : c->name);
}

void unflushed_lose(uint64_t seed)
{
    state = seed;
    for (const struct file_seen *f = files; f; f = f->next)
        if (!f->clean)
            tear(f);
    choose_lost();
    for (size_t i = n_changes; i-- > 0;)
        if (changes[i].lost)
            undo(&changes[i]);
}
