/* SPDX-License-Identifier: MIT */
/* file.c - whole files: read with a limit, written so that a crash leaves the old one or the new one. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Says what cannot be done to path, and why, from errno. */
static int blame(struct err *e, const char *deed, const char *path)
{
    int code = errno == ENOENT ? ERR_NOTFOUND : ERR_FAILED;
    return err_set(e, code, "cannot %s %s: %s; check the path and its permissions", deed, path, strerror(errno));
}

static int blame_write(struct err *e, const char *deed, const char *path)
{
    return err_set(e, ERR_FAILED, "cannot %s %s: %s; check the folder, its permissions and the free space", deed, path,
                   strerror(errno));
}

static ssize_t read_some(int fd, void *data, size_t n_bytes)
{
    ssize_t n = 0;
    do
        n = read(fd, data, n_bytes);
    while (n < 0 && errno == EINTR);
    return n;
}

/* Reads until the end rather than by size: a pipe or a file of /proc has none. */
static int read_all(int fd, const char *path, size_t max_bytes, struct buf *out, struct err *e)
{
    size_t start = out->size;
    char chunk[16384];
    ssize_t n = 0;
    while ((n = read_some(fd, chunk, sizeof(chunk))) > 0) {
        if (max_bytes && out->size - start + (size_t)n > max_bytes)
            return err_set(e, ERR_INPUT, "%s is larger than %zu bytes; split it or raise the limit", path, max_bytes);
        buf_add(out, chunk, (size_t)n);
    }
    return n < 0 ? blame(e, "read", path) : 0;
}

int file_read(const char *path, size_t max_bytes, struct buf *out, struct err *e)
{
    size_t start = out->size;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return blame(e, "open", path);
    buf_add(out, "", 0); /* an empty file is an empty text, not none */
    int code = read_all(fd, path, max_bytes, out, e);
    close(fd);
    if (code) {
        out->size = start;
        out->data[start] = '\0';
    }
    return code;
}

static bool write_all(int fd, const char *data, size_t n_bytes)
{
    while (n_bytes) {
        ssize_t n = write(fd, data, n_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        data += n;
        n_bytes -= (size_t)n;
    }
    return true;
}

/* The folder of path, with its last slash; "./" if path has none. */
static char *folder_of(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? arena_dup(a, path, (size_t)(slash - path) + 1) : arena_text(a, "./");
}

/* A rename is durable only once its folder is. */
static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool good = fsync(fd) == 0;
    int why = errno;
    close(fd);
    errno = why;
    return good;
}

/* Writes and closes fd; errno is that of the step that went wrong. */
static bool write_synced(int fd, mode_t mode, const void *data, size_t n_bytes)
{
    bool good = fchmod(fd, mode) == 0 && write_all(fd, data, n_bytes) && fsync(fd) == 0;
    int why = errno;
    if (close(fd) != 0 && good)
        return false;
    errno = why;
    return good;
}

int file_write_atomic(const char *path, mode_t mode, const void *data, size_t n_bytes, struct err *e)
{
    struct arena a = {0};
    char *folder = folder_of(&a, path);
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    char *temp = arena_printf(&a, "%s.%.200s.XXXXXX", folder, name);
    int code = 0;
    int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0) {
        code = blame_write(e, "write", path);
    } else if (!write_synced(fd, mode, data, n_bytes) || rename(temp, path) != 0) {
        code = blame_write(e, "write", path);
        unlink(temp);
    } else if (!sync_folder(folder)) {
        code = blame_write(e, "sync the folder of", path);
    }
    arena_fini(&a);
    return code;
}

char *path_join(struct arena *a, const char *folder, const char *rel)
{
    size_t n = strlen(folder);
    if (*rel == '/' || n == 0)
        return arena_text(a, rel);
    return arena_printf(a, "%s%s%s", folder, folder[n - 1] == '/' ? "" : "/", rel);
}

static bool is_folder(const char *path)
{
    struct stat s;
    if (stat(path, &s) != 0)
        return false;
    errno = ENOTDIR;
    return S_ISDIR(s.st_mode);
}

/*
 * Makes one folder, durably. One that is there may just have been made by somebody else, who was killed before it was
 * durable: its name is flushed too, where that is possible at all.
 */
static bool make_one(const char *path, mode_t mode)
{
    bool made = mkdir(path, mode) == 0;
    if (!made && !(errno == EEXIST && is_folder(path)))
        return false;
    struct arena a = {0};
    bool durable = sync_folder(folder_of(&a, path));
    int why = errno;
    arena_fini(&a);
    errno = why;
    return durable || (!made && why != EIO);
}

int folder_make(const char *path, mode_t mode, struct err *e)
{
    char *part = mem_dup(path);
    bool good = true;
    for (char *c = part + (*part != '\0'); good && *c; c++) {
        if (*c != '/')
            continue;
        *c = '\0';
        good = make_one(part, mode);
        *c = '/';
    }
    good = good && make_one(part, mode);
    mem_free(part);
    return good ? 0 : blame_write(e, "make the folder", path);
}

uint64_t file_room(const char *path)
{
    struct statvfs fs;
    return statvfs(path, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize : UINT64_MAX;
}

uint64_t file_born_ns(const char *path)
{
    struct statx st;
    if (statx(AT_FDCWD, path, 0, STATX_BTIME, &st) != 0 || !(st.stx_mask & STATX_BTIME))
        return 0;
    return (uint64_t)st.stx_btime.tv_sec * 1000000000u + st.stx_btime.tv_nsec;
}
