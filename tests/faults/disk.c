/* SPDX-License-Identifier: MIT */
/* disk.c - a disk that fails under a process: stands before the C library's calls that open, write, flush and name files. */
#undef _FORTIFY_SOURCE /* it defines some of these functions itself */
#include "disk.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "unflushed.h"

#define STANDS __attribute__((visibility("default")))

enum deed { DEED_LOOK = 1, DEED_REMOVE = 2, DEED_WRITE = 3, DEED_NAME = 4, DEED_FLUSH = 5 };

static struct disk_plan plan;
static bool active;
static unsigned long n_calls;
static char refused[PATH_MAX + 64];
static bool refused_space;
/* What was flushed last in vain, and whether it was tried again. */
static struct stat in_vain;
static bool again;

long real_call(long number, ...)
{
    static long (*next)(long, ...);
    long a[6];
    va_list args;
    va_start(args, number);
    for (size_t i = 0; i < sizeof(a) / sizeof(*a); i++)
        a[i] = va_arg(args, long);
    va_end(args);
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "syscall");
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

void disk_begin(const struct disk_plan *p)
{
    plan = *p;
    n_calls = 0;
    refused[0] = '\0';
    again = refused_space = false;
    memset(&in_vain, 0, sizeof(in_vain));
    if (!plan.error)
        unflushed_begin(plan.spare);
    active = true;
}

unsigned long disk_calls(void)
{
    return n_calls;
}

void disk_trust_folders(void)
{
    plan.folders_lie = false;
}

const char *disk_refused(void)
{
    return refused;
}

bool disk_flushed_again(void)
{
    return again;
}

_Noreturn void disk_cut(void)
{
    unflushed_lose(plan.seed);
    for (;;)
        real_call(SYS_exit_group, (long)DISK_CUT_EXIT);
}

/* --- is it ours, and is it time --- */

static bool within(const char *path)
{
    for (size_t i = 0; i < plan.n_roots; i++) {
        size_t n = strlen(plan.roots[i]);
        if (strncmp(path, plan.roots[i], n) == 0 && (path[n] == '/' || path[n] == '\0'))
            return true;
    }
    return false;
}

static bool path_of(int fd, char path[PATH_MAX])
{
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    long n = real_call(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1L);
    path[n > 0 ? n : 0] = '\0';
    return n > 0;
}

static bool ours(int fd, char path[PATH_MAX])
{
    int was = errno;
    bool is = active && path_of(fd, path) && within(path);
    errno = was;
    return is;
}

/* True if a refusal with the plan's error can come from such a call. */
static bool may_refuse(enum deed deed)
{
    if (plan.error == ENOSPC || plan.error == EDQUOT)
        return deed != DEED_LOOK && deed != DEED_REMOVE;
    return true;
}

static bool due(void)
{
    return plan.at && (n_calls == plan.at || (plan.on && n_calls > plan.at));
}

/* Counts a call. True: it is refused, with errno. */
static bool refuses(enum deed deed, const char *name, const char *path)
{
    if (plan.error ? !may_refuse(deed) : deed == DEED_LOOK)
        return false;
    n_calls++;
    if (!plan.error || !due())
        return false;
    if (!refused[0])
        snprintf(refused, sizeof(refused), "%s %s", name, path);
    refused_space = plan.error == ENOSPC || plan.error == EDQUOT;
    errno = plan.error;
    return true;
}

/* After a call that took effect: the power may be cut now. */
static void maybe_cut(void)
{
    if (!plan.error && due())
        disk_cut();
}

/* --- writing --- */

/* Before a file is written to. 0: not ours, 1: ours, -1: refused. */
static int before_write(int fd, const char *name)
{
    char path[PATH_MAX];
    struct stat st;
    if (!ours(fd, path) || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return 0;
    if (refuses(DEED_WRITE, name, path))
        return -1;
    if (st.st_ino == in_vain.st_ino)
        memset(&in_vain, 0, sizeof(in_vain));
    if (!plan.error)
        unflushed_file(fd, false);
    return 1;
}

static void after_write(int fd, off_t offset, ssize_t n_bytes)
{
    int was = errno;
    maybe_cut();
    if (!plan.error && !plan.lies && n_bytes > 0 && (real_call(SYS_fcntl, fd, (long)F_GETFL, 0L) & O_DSYNC))
        unflushed_flush_range(fd, offset, (size_t)n_bytes);
    errno = was;
}

/* A disk that fills up takes part of a write first, and says no to the next one. */
static ssize_t written_half(int fd, const struct iovec *parts, off_t at)
{
    if (plan.error != ENOSPC || n_calls != plan.at || parts->iov_len < 2)
        return -1;
    return at >= 0 ? real_call(SYS_pwrite64, fd, parts->iov_base, parts->iov_len / 2, (long)at)
                   : real_call(SYS_write, fd, parts->iov_base, parts->iov_len / 2);
}

static ssize_t write_at(int fd, const struct iovec *parts, int n_parts, off_t at, const char *name)
{
    int mine = before_write(fd, name);
    if (mine < 0)
        return plan.on ? written_half(fd, parts, at) : -1;
    off_t offset = at >= 0 ? at : mine ? (off_t)real_call(SYS_lseek, fd, 0L, (long)SEEK_CUR) : 0;
    ssize_t n = at >= 0 ? real_call(SYS_pwritev, fd, parts, (long)n_parts, (long)at, 0L)
                        : real_call(SYS_writev, fd, parts, (long)n_parts);
    if (mine)
        after_write(fd, offset, n);
    return n;
}

STANDS ssize_t write(int fd, const void *data, size_t n_bytes)
{
    return write_at(fd, &(struct iovec){(void *)(uintptr_t)data, n_bytes}, 1, -1, "write");
}

STANDS ssize_t pwrite(int fd, const void *data, size_t n_bytes, off_t at)
{
    return write_at(fd, &(struct iovec){(void *)(uintptr_t)data, n_bytes}, 1, at, "pwrite");
}

STANDS ssize_t pwrite64(int fd, const void *data, size_t n_bytes, off_t at)
{
    return pwrite(fd, data, n_bytes, at);
}

STANDS ssize_t writev(int fd, const struct iovec *parts, int n_parts)
{
    return write_at(fd, parts, n_parts, -1, "writev");
}

STANDS ssize_t pwritev(int fd, const struct iovec *parts, int n_parts, off_t at)
{
    return write_at(fd, parts, n_parts, at, "pwritev");
}

STANDS int ftruncate(int fd, off_t size)
{
    int mine = before_write(fd, "ftruncate");
    int rc = mine < 0 ? -1 : (int)real_call(SYS_ftruncate, fd, (long)size);
    if (mine > 0)
        after_write(fd, 0, 0);
    return rc;
}

STANDS int ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}

STANDS int fallocate(int fd, int mode, off_t offset, off_t size)
{
    int mine = before_write(fd, "fallocate");
    int rc = mine < 0 ? -1 : (int)real_call(SYS_fallocate, fd, (long)mode, (long)offset, (long)size);
    if (mine > 0)
        after_write(fd, 0, 0);
    return rc;
}

STANDS int fallocate64(int fd, int mode, off_t offset, off_t size)
{
    return fallocate(fd, mode, offset, size);
}

/* A disk that refused for want of space has none. */
static void show_full(struct statvfs *out)
{
    if (active && refused_space)
        out->f_bavail = out->f_bfree = 0;
}

STANDS int fstatvfs(int fd, struct statvfs *out)
{
    static int (*next)(int, struct statvfs *);
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "fstatvfs");
    int rc = next(fd, out);
    show_full(out);
    return rc;
}

/* --- reading --- */

static bool read_refused(int fd, const char *name)
{
    char path[PATH_MAX];
    return plan.error && ours(fd, path) && refuses(DEED_LOOK, name, path);
}

STANDS ssize_t read(int fd, void *data, size_t n_bytes)
{
    return read_refused(fd, "read") ? -1 : real_call(SYS_read, fd, data, n_bytes);
}

STANDS ssize_t pread(int fd, void *data, size_t n_bytes, off_t at)
{
    return read_refused(fd, "pread") ? -1 : real_call(SYS_pread64, fd, data, n_bytes, (long)at);
}

STANDS ssize_t pread64(int fd, void *data, size_t n_bytes, off_t at)
{
    return pread(fd, data, n_bytes, at);
}

/* --- flushing: it succeeds by being noted --- */

static int flush(int fd, const char *name, bool everything)
{
    char path[PATH_MAX];
    struct stat st;
    if (!ours(fd, path) || fstat(fd, &st) != 0)
        return (int)real_call(everything ? SYS_syncfs : SYS_fsync, fd);
    again = again || (in_vain.st_ino && in_vain.st_ino == st.st_ino && in_vain.st_dev == st.st_dev);
    if (refuses(DEED_FLUSH, name, path)) {
        in_vain = st;
        return -1;
    }
    maybe_cut();
    if (plan.error || plan.lies || (plan.folders_lie && S_ISDIR(st.st_mode)))
        return 0;
    if (everything)
        unflushed_flush_all();
    else if (S_ISDIR(st.st_mode))
        unflushed_flush_folder(&st);
    else
        unflushed_flush_file(fd);
    return 0;
}

STANDS int fsync(int fd)
{
    return flush(fd, "fsync", false);
}

STANDS int fdatasync(int fd)
{
    return flush(fd, "fdatasync", false);
}

STANDS int syncfs(int fd)
{
    return flush(fd, "syncfs", true);
}

/* --- names --- */

/* A path's folder, opened, and its last name. */
struct place {
    int fd;
    const char *name;
    char shown[PATH_MAX];
    bool mine;
};

static struct place place_of(int at, const char *path)
{
    struct place p = {.fd = -1};
    char folder[PATH_MAX] = ".";
    int was = errno;
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    const char *slash = memrchr(path, '/', n);
    p.name = slash ? slash + 1 : path;
    if (slash)
        snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path) + 1, path);
    if (active && strlen(p.name) < FLUSH_NAME_ROOM)
        p.fd = (int)real_call(SYS_openat, at, folder, O_PATH | O_DIRECTORY | O_CLOEXEC, 0L);
    p.mine = p.fd >= 0 && ours(p.fd, p.shown);
    size_t n_shown = p.mine ? strlen(p.shown) : 0;
    if (p.mine)
        snprintf(p.shown + n_shown, sizeof(p.shown) - n_shown, "/%s", p.name);
    else if (p.fd >= 0)
        close(p.fd);
    errno = was;
    return p;
}

static bool place_refused(struct place *p, enum deed deed, const char *name)
{
    if (!p->mine || !refuses(deed, name, p->shown))
        return false;
    close(p->fd);
    errno = plan.error;
    return true;
}

/* The folder, kept if changes are noted; NULL if they are not. */
static struct folder_seen *folder_of(struct place *p)
{
    if (p->mine && !plan.error)
        return unflushed_folder(p->fd);
    if (p->mine)
        close(p->fd);
    return NULL;
}

static int done(long rc)
{
    int was = errno;
    maybe_cut();
    errno = was;
    return (int)rc;
}

static long open_real(int at, const char *path, struct open_how *how, size_t size, bool beneath)
{
    return beneath ? real_call(SYS_openat2, at, path, how, size)
                   : real_call(SYS_openat, at, path, (long)how->flags, (long)how->mode);
}

/* Noted before a file is cut to nothing; a name that was not there before is a new one. */
static int open_any(int at, const char *path, struct open_how *how, size_t size, bool beneath)
{
    struct stat st;
    struct place p = place_of(at, path);
    bool makes = how->flags & O_CREAT, empties = how->flags & O_TRUNC;
    bool new = p.mine &&makes &&fstatat(p.fd, p.name, &st, AT_SYMLINK_NOFOLLOW) != 0;
    if (place_refused(&p, new || empties ? DEED_NAME : DEED_LOOK, "open"))
        return -1;
    struct folder_seen *f = folder_of(&p);
    how->flags &= f && !new ? ~(uint64_t)O_TRUNC : ~(uint64_t)0;
    long fd = open_real(at, path, how, size, beneath);
    if (!f || fd < 0)
        return (int)fd;
    if (new) {
        unflushed_made(f, p.name);
        unflushed_file((int)fd, true);
        maybe_cut();
    } else if (empties && ftruncate((int)fd, 0) != 0) {
        return -1;
    }
    return (int)fd;
}

static int open_plain(int at, const char *path, int flags, va_list args)
{
    bool makes = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
    struct open_how how = {.flags = (uint64_t)(unsigned)flags, .mode = makes ? va_arg(args, mode_t) : 0};
    return open_any(at, path, &how, 0, false);
}

#define OPENS(name, params, at, path)                                                                                  \
    STANDS int name params                                                                                             \
    {                                                                                                                  \
        va_list args;                                                                                                  \
        va_start(args, flags);                                                                                         \
        int fd = open_plain(at, path, flags, args);                                                                    \
        va_end(args);                                                                                                  \
        return fd;                                                                                                     \
    }
OPENS(open, (const char *path, int flags, ...), AT_FDCWD, path)
OPENS(open64, (const char *path, int flags, ...), AT_FDCWD, path)
OPENS(openat, (int at, const char *path, int flags, ...), at, path)
OPENS(openat64, (int at, const char *path, int flags, ...), at, path)

/* What fortified callers use instead of open without a mode. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int at, const char *path, int flags);
STANDS int __open_2(const char *path, int flags)
{
    return open(path, flags, 0);
}

STANDS int __open64_2(const char *path, int flags)
{
    return open(path, flags, 0);
}

STANDS int __openat_2(int at, const char *path, int flags)
{
    return openat(at, path, flags, 0);
}

STANDS int mkostemp(char *template, int flags)
{
    size_t n = strlen(template);
    for (unsigned i = 0; i < 1000000; i++) {
        snprintf(template + n - 6, 7, "%06u", i);
        int fd = open(template, O_RDWR | O_CREAT | O_EXCL | flags, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

static int move(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    struct place a = place_of(from_at, from), b = place_of(to_at, to);
    if (a.mine && b.mine && place_refused(&a, DEED_NAME, "rename")) {
        close(b.fd);
        errno = plan.error;
        return -1;
    }
    struct folder_seen *f = folder_of(&a), *g = folder_of(&b);
    unsigned kept = f && g && !(flags & RENAME_NOREPLACE) ? unflushed_keep(g, b.name) : 0;
    long rc = real_call(SYS_renameat2, from_at, from, to_at, to, (long)flags);
    if (rc != 0 || !f || !g)
        return (int)rc;
    unflushed_moved(f, a.name, g, b.name, kept);
    return done(rc);
}

STANDS int rename(const char *from, const char *to)
{
    return move(AT_FDCWD, from, AT_FDCWD, to, 0);
}

STANDS int renameat(int from_at, const char *from, int to_at, const char *to)
{
    return move(from_at, from, to_at, to, 0);
}

STANDS int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    return move(from_at, from, to_at, to, flags);
}

STANDS int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
    struct place p = place_of(to_at, to);
    if (place_refused(&p, DEED_NAME, "link"))
        return -1;
    struct folder_seen *f = folder_of(&p);
    long rc = real_call(SYS_linkat, from_at, from, to_at, to, (long)flags);
    if (rc != 0 || !f)
        return (int)rc;
    unflushed_made(f, p.name);
    return done(rc);
}

STANDS int unlinkat(int at, const char *path, int flags)
{
    struct place p = place_of(at, path);
    struct stat st;
    /* Nothing there, nothing to fail at. */
    bool there = p.mine && fstatat(p.fd, p.name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && place_refused(&p, DEED_REMOVE, "unlink"))
        return -1;
    struct folder_seen *f = folder_of(&p);
    unsigned kept = f && there ? unflushed_keep(f, p.name) : 0;
    bool removed = kept && (flags & AT_REMOVEDIR); /* by being kept */
    long rc = removed ? 0 : real_call(SYS_unlinkat, at, path, (long)flags);
    if (rc != 0 || !f)
        return (int)rc;
    unflushed_gone(f, p.name, kept);
    return done(rc);
}

STANDS int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

STANDS int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

STANDS int mkdirat(int at, const char *path, mode_t mode)
{
    struct place p = place_of(at, path);
    struct stat st;
    bool new = p.mine &&fstatat(p.fd, p.name, &st, AT_SYMLINK_NOFOLLOW) != 0;
    if (new &&place_refused(&p, DEED_NAME, "mkdir"))
        return -1;
    struct folder_seen *f = folder_of(&p);
    long rc = real_call(SYS_mkdirat, at, path, (long)mode);
    if (rc != 0 || !f)
        return (int)rc;
    unflushed_made(f, p.name);
    return done(rc);
}

STANDS int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

/* Connectors reach openat2 this way: the C library has no function for it. */
STANDS long syscall(long number, ...)
{
    long a[6];
    va_list args;
    va_start(args, number);
    for (size_t i = 0; i < sizeof(a) / sizeof(*a); i++)
        a[i] = va_arg(args, long);
    va_end(args);
    if (number != SYS_openat2)
        return real_call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    struct open_how how = *(struct open_how *)a[2];
    return open_any((int)a[0], (const char *)a[1], &how, (size_t)a[3], true);
}
