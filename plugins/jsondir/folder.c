/* SPDX-License-Identifier: MIT */
/* folder.c - the root, the object's folder below it, and the names that may be used there. */
#include "jsondir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

static bool control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

bool text_ok(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    while (*s && !control(*s))
        s++;
    return *text && !*s && sl_utf8_clean(text, strlen(text));
}

bool name_ok(const char *name, size_t max_bytes)
{
    return name && *name != '.' && strlen(name) <= max_bytes && text_ok(name) && !strchr(name, '/');
}

const char *name_shown(const char *name, char out[NAME_ROOM])
{
    size_t used = 0;
    const unsigned char *s = (const unsigned char *)name;
    while (*s && used + 5 < NAME_ROOM) {
        size_t n = sl_utf8_step(s, strlen((const char *)s));
        if (!n || control(*s)) {
            out[used++] = '?';
            s++;
            continue;
        }
        memcpy(out + used, s, n);
        used += n;
        s += n;
    }
    out[used] = 0;
    return out;
}

int open_below(int dir_fd, const char *name, int flags)
{
    flags |= O_NOFOLLOW | O_CLOEXEC;
    mode_t mode = flags & O_CREAT ? 0666 : 0;
    struct open_how how = {.flags = (unsigned)flags,
                           .mode = mode,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    long fd = syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
        return (int)fd;
    /* No openat2 (an old kernel, a system call filter): each name is one checked component, so O_NOFOLLOW says the same. */
    return openat(dir_fd, name, flags, mode);
}

/* Errors that have a story of their own; others are taken as passing. */
static const struct {
    int code;
    int sl_class;
    const char *advice;
} faults[] = {
    {ENOSPC, SL_RETRY, "the disk is full: free some space, the next run goes on"},
    {EDQUOT, SL_RETRY, "the disk quota is used up: free some space, the next run goes on"},
    {EROFS, SL_RETRY, "the file system is read-only: mount it writable, the next run goes on"},
    {EACCES, SL_RETRY, "permission denied: give this user read and write access to the folder"},
    {EPERM, SL_RETRY, "permission denied: give this user read and write access to the folder"},
    {EMFILE, SL_RETRY, "too many open files: raise the limit (ulimit -n) or run fewer pairs at once"},
    {ENFILE, SL_RETRY, "too many open files on this machine: the next run tries again"},
    {ENOMEM, SL_RETRY, "no memory: run again with more"},
    {ENAMETOOLONG, SL_REJECTED, "the file system takes no name as long as this: give the record a shorter id"},
    {EINVAL, SL_REJECTED, "the file system does not take this name: give the record another id"},
    {EILSEQ, SL_REJECTED, "the file system does not take this name: give the record another id"},
    {EFBIG, SL_REJECTED, "the file would be larger than the file system or the limit of this process allows"},
    {EIO, SL_RETRY, "the disk reports an error: look at the kernel's log before the next run"},
};

int errno_class(int code)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
        if (faults[i].code == code)
            return faults[i].sl_class;
    return SL_RETRY;
}

const char *errno_advice(int code)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
        if (faults[i].code == code)
            return faults[i].advice;
    return strerror(code);
}

static int open_root(struct jsondir *d, struct folder *f)
{
    /* The operator named this path: links in it are theirs. Below it none is followed. */
    f->root_fd = open(d->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->root_fd >= 0)
        return SL_OK;
    switch (errno) {
    case ENOENT:
        return refuse(d, SL_CONFIG, "folder %s is not there: create it, or correct \"root\"", d->root);
    case ENOTDIR:
        return refuse(d, SL_CONFIG, "%s is no folder: \"root\" must name the folder that holds the records", d->root);
    case EACCES:
        return refuse(d, SL_AUTH, "folder %s may not be read by this user: grant access, or correct \"root\"", d->root);
    default:
        return refuse(d, SL_RETRY, "folder %s: %s", d->root, errno_advice(errno));
    }
}

static int open_object(struct jsondir *d, struct folder *f)
{
    char shown[NAME_ROOM];
    f->fd = open_below(f->root_fd, f->name, O_RDONLY | O_DIRECTORY);
    if (f->fd >= 0 || errno == ENOENT)
        return SL_OK;
    name_shown(f->name, shown);
    if (errno == ENOTDIR || errno == ELOOP)
        return refuse(d, SL_CONFIG,
                      "%s/%s is a file or a symbolic link, not a folder: move it away, or name another object", d->root,
                      shown);
    if (errno == EACCES)
        return refuse(d, SL_AUTH, "folder %s/%s may not be read by this user: grant access to it", d->root, shown);
    return refuse(d, SL_RETRY, "folder %s/%s: %s", d->root, shown, errno_advice(errno));
}

/* A server's clock stamps the files there: it may be behind ours. */
static bool on_network(int fd)
{
    static const unsigned long kinds[] = {NFS_SUPER_MAGIC, SMB_SUPER_MAGIC,  CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC,
                                          V9FS_MAGIC,      FUSE_SUPER_MAGIC, CEPH_SUPER_MAGIC, AFS_SUPER_MAGIC};
    struct statfs fs;
    if (fstatfs(fd, &fs) != 0)
        return true;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if ((unsigned long)fs.f_type == kinds[i])
            return true;
    return false;
}

int folder_open(struct jsondir *d, const char *object, struct folder *f)
{
    char shown[NAME_ROOM];
    *f = (struct folder){.root_fd = -1, .fd = -1, .name = object};
    if (!object || (strcmp(object, ".") != 0 && !name_ok(object, ID_MAX_BYTES)))
        return refuse(d, SL_CONFIG,
                      "object \"%s\" is no folder below %s: name one subfolder (no slash, no leading dot), or \".\"",
                      name_shown(object ? object : "", shown), d->root);
    int rc = open_root(d, f);
    if (rc != SL_OK)
        return rc;
    f->coarse = on_network(f->root_fd);
    return open_object(d, f);
}

int folder_make(struct folder *f)
{
    if (f->fd >= 0)
        return 0;
    if (mkdirat(f->root_fd, f->name, 0777) != 0 && errno != EEXIST)
        return -1;
    f->fd = open_below(f->root_fd, f->name, O_RDONLY | O_DIRECTORY);
    return f->fd < 0 ? -1 : fsync(f->root_fd);
}

void folder_close(struct folder *f)
{
    if (f->fd >= 0)
        close(f->fd);
    if (f->root_fd >= 0)
        close(f->root_fd);
    f->fd = f->root_fd = -1;
}
