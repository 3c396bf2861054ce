/* SPDX-License-Identifier: MIT */
/* home.c - a pair's folder on disk: made whole or not at all, owned by one process, with a reserve for a full disk. */
#include "store/home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/inside.h"

#define OWNER_NAME "owner"
#define RESERVE_NAME "ballast"
/* Of one width, so that a note replaces the last one in place and needs no new space. */
#define OWNER_FORMAT "pid %-10ld fence %-20" PRIu64 "\n"
enum { OWNER_BYTES = 42, RESERVE_BYTES = 4 << 20, FOLDER_MODE = 0700, FILE_MODE = 0600 };

/* The system's refusal of a step. */
static int refuse(struct err *e, const char *path, const char *step)
{
    char detail[128];
    int rc = errno == ENOSPC || errno == EDQUOT ? STORE_FULL : STORE_IO;
    snprintf(detail, sizeof(detail), "%s: %s", step, strerror(errno));
    return store_refuse(rc, path, detail, e);
}

static bool join(char out[PATH_MAX], const char *folder, const char *name)
{
    int n = snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return n > 0 && n < PATH_MAX;
}

bool home_holds_data(const char *path)
{
    char data[PATH_MAX];
    struct stat st;
    return join(data, path, HOME_DATA) && stat(data, &st) == 0;
}

/* path without slashes at its end, split; a bare name stands in "." */
static bool split(const char *path, char parent[PATH_MAX], char name[NAME_MAX])
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    if (!n || n >= PATH_MAX)
        return false;
    memcpy(parent, path, n);
    parent[n] = '\0';
    char *slash = strrchr(parent, '/');
    int length = snprintf(name, NAME_MAX, "%s", slash ? slash + 1 : parent);
    if (!slash)
        strcpy(parent, ".");
    else
        slash[slash == parent] = '\0';
    return length > 0 && length < NAME_MAX && strcmp(name, "..") != 0 && strcmp(name, ".") != 0;
}

static bool sync_at(int dir, const char *name, int flags)
{
    int fd = openat(dir, name, flags | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = fsync(fd) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return ok;
}

/* Removes what a making that was cut short has left. Only the files that a making makes. */
static void remove_leftover(int parent, const char *name)
{
    static const char *const files[] = {HOME_DATA, HOME_LOCK, OWNER_NAME, RESERVE_NAME};
    int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    for (size_t i = 0; dir >= 0 && i < sizeof(files) / sizeof(*files); i++)
        unlinkat(dir, files[i], 0);
    if (dir >= 0)
        close(dir);
    unlinkat(parent, name, AT_REMOVEDIR);
}

/* Order is important: contents, then the folder that names them, then the rename, then the folder that names it. */
static int make_durable(int parent, const char *temp, const char *name, const char *path, struct err *e)
{
    int rc = STORE_OK;
    int dir = openat(parent, temp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || !sync_at(dir, HOME_DATA, O_RDONLY) || fsync(dir) != 0)
        rc = refuse(e, path, "bringing the new folder to disk");
    else if (renameat(parent, temp, parent, name) == 0)
        rc = fsync(parent) == 0 ? STORE_OK : refuse(e, path, "bringing the new folder's name to disk");
    else if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
        rc = STORE_EXISTS;
    else
        rc = refuse(e, path, "giving the new folder its name");
    if (dir >= 0)
        close(dir);
    if (rc == STORE_EXISTS) {
        err_set(e, ERR_STATE, "%s is there but holds no " HOME_DATA ": restore that file or move the folder away",
                path);
        rc = STORE_CORRUPT;
    }
    return rc;
}

static int make_locked(int parent, const char *path, const char *parent_path, const char *name, home_fill *fill,
                       void *context, struct err *e)
{
    char hidden[NAME_MAX + 8], temp[PATH_MAX];
    snprintf(hidden, sizeof(hidden), ".%s.new", name);
    if (home_holds_data(path))
        return STORE_OK;
    remove_leftover(parent, hidden);
    if (!join(temp, parent_path, hidden) || mkdirat(parent, hidden, FOLDER_MODE) != 0)
        return refuse(e, path, "making a folder beside it");
    int rc = fill(temp, context, e);
    if (rc == STORE_OK)
        rc = make_durable(parent, hidden, name, path, e);
    if (rc != STORE_OK)
        remove_leftover(parent, hidden);
    return rc;
}

/* The lock on the parent folder makes makers take turns, so that one temporary name is enough and leftovers are known as such. */
int home_make(const char *path, home_fill *fill, void *context, struct err *e)
{
    char parent_path[PATH_MAX], name[NAME_MAX];
    errno = EINVAL;
    if (!split(path, parent_path, name))
        return refuse(e, path, "no name for a folder");
    if (folder_make(parent_path, FOLDER_MODE, e) != 0)
        return STORE_IO;
    int parent = open(parent_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return refuse(e, path, "opening the folder above it");
    int rc = flock(parent, LOCK_EX) == 0 ? make_locked(parent, path, parent_path, name, fill, context, e)
                                         : refuse(e, path, "locking the folder above it");
    close(parent);
    return rc;
}

void home_init(struct home *f, const char *path)
{
    *f = (struct home){.path = mem_dup(path), .dir = -1, .owner = -1};
}

int home_open(struct home *f, struct err *e)
{
    unread_catch();
    f->dir = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return f->dir >= 0 ? STORE_OK : refuse(e, f->path, "opening the folder");
}

/* LMDB's locks belong to the process: opening a file twice and closing one would drop the other's. */
static pthread_mutex_t admitted_lock = PTHREAD_MUTEX_INITIALIZER;
static struct home *admitted;

/* A child of a fork inherits the list; what its parent has open does not bar it. */
static bool enter(struct home *f)
{
    pthread_mutex_lock(&admitted_lock);
    const struct home *other = admitted;
    while (other && !(other->device == f->device && other->inode == f->inode && other->pid == f->pid))
        other = other->next;
    f->admitted = !other;
    if (f->admitted) {
        f->next = admitted;
        admitted = f;
    }
    pthread_mutex_unlock(&admitted_lock);
    return f->admitted;
}

static void leave(struct home *f)
{
    pthread_mutex_lock(&admitted_lock);
    struct home **at = &admitted;
    while (*at && *at != f)
        at = &(*at)->next;
    if (*at)
        *at = f->next;
    pthread_mutex_unlock(&admitted_lock);
}

void home_close(struct home *f)
{
    if (f->admitted)
        leave(f);
    if (f->owner >= 0)
        close(f->owner);
    if (f->dir >= 0)
        close(f->dir);
    mem_free(f->path);
    *f = (struct home){.dir = -1, .owner = -1};
}

bool home_holds(const struct home *f, const char *name)
{
    return faccessat(f->dir, name, F_OK, 0) == 0;
}

int home_admit(struct home *f, struct header *header, struct err *e)
{
    struct stat st;
    int fd = openat(f->dir, HOME_DATA, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return refuse(e, f->path, "opening its file '" HOME_DATA "'");
    const char *fault = fstat(fd, &st) == 0 ? header_read(fd, header) : "it cannot be read";
    close(fd);
    if (fault)
        return store_refuse(STORE_CORRUPT, f->path, fault, e);
    f->device = st.st_dev;
    f->inode = st.st_ino;
    f->pid = getpid();
    if (enter(f))
        return STORE_OK;
    return store_refuse(STORE_BUSY, f->path, "this very process has it open", e);
}

int home_still_there(const struct home *f, struct err *e)
{
    char data[PATH_MAX];
    struct stat st;
    if (join(data, f->path, HOME_DATA) && stat(data, &st) == 0 && st.st_dev == f->device && st.st_ino == f->inode)
        return STORE_OK;
    return store_refuse(STORE_IO, f->path, "it was replaced while it was open", e);
}

/* What the last owner noted; zeros if nothing readable. */
static void read_note(const struct home *f, long *pid, uint64_t *fence)
{
    char note[OWNER_BYTES + 1] = {0};
    *pid = 0;
    *fence = 0;
    if (pread(f->owner, note, OWNER_BYTES, 0) == OWNER_BYTES)
        sscanf(note, "pid %ld fence %" SCNu64, pid, fence);
}

static void write_note(struct home *f, long pid, uint64_t fence)
{
    char note[64];
    int n = snprintf(note, sizeof(note), OWNER_FORMAT, pid, fence);
    ssize_t written = pwrite(f->owner, note, (size_t)n, 0);
    (void)written; /* the note is a courtesy: the lock is what counts, and the store's own fence row */
}

static int refuse_busy(struct home *f, struct err *e)
{
    long pid = 0;
    uint64_t fence = 0;
    read_note(f, &pid, &fence);
    if (pid > 0)
        err_set(e, ERR_BUSY, "%s is in use by process %ld: wait for it to end, or stop it", f->path, pid);
    else
        err_set(e, ERR_BUSY, "%s is in use by another process: wait for it to end, or stop it", f->path);
    return STORE_BUSY;
}

int home_own(struct home *f, bool wait, uint64_t *last_fence, struct err *e)
{
    long pid = 0;
    if (f->owner < 0)
        f->owner = openat(f->dir, OWNER_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (f->owner < 0)
        return refuse(e, f->path, "opening its file '" OWNER_NAME "'");
    if (flock(f->owner, LOCK_EX | (wait ? 0 : LOCK_NB)) != 0)
        return errno == EWOULDBLOCK || errno == EINTR ? refuse_busy(f, e)
                                                      : refuse(e, f->path, "locking its file '" OWNER_NAME "'");
    f->locked = true;
    read_note(f, &pid, last_fence);
    return STORE_OK;
}

void home_note(struct home *f, uint64_t fence)
{
    write_note(f, (long)getpid(), fence);
}

void home_disown(struct home *f)
{
    long pid = 0;
    uint64_t fence = 0;
    if (!f->locked)
        return;
    read_note(f, &pid, &fence);
    write_note(f, 0, fence);
    flock(f->owner, LOCK_UN);
    f->locked = false;
}

bool home_share(struct home *f)
{
    if (f->owner < 0)
        f->owner = openat(f->dir, OWNER_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return f->owner < 0 || flock(f->owner, LOCK_SH | LOCK_NB) == 0;
}

int home_lock_room(const char *path, size_t n_bytes)
{
    char lock[PATH_MAX];
    int fd = join(lock, path, HOME_LOCK) ? open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE) : -1;
    int rc = fd >= 0 && fallocate(fd, 0, 0, (off_t)n_bytes) == 0 ? 0 : errno;
    if (fd >= 0)
        close(fd);
    return rc == ENOSPC || rc == EDQUOT || rc == EFBIG || (rc == EIO && fd >= 0) ? rc : 0;
}

/* Not posix_fallocate: where the file system has no fallocate, that writes every byte, and a reserve is not worth it. */
void home_reserve(const struct home *f)
{
    struct stat st;
    int fd = openat(f->dir, RESERVE_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_size < RESERVE_BYTES && fallocate(fd, 0, 0, RESERVE_BYTES) != 0 &&
        ftruncate(fd, 0) != 0)
        unlinkat(f->dir, RESERVE_NAME, 0);
    close(fd);
}

bool home_reserve_free(const struct home *f)
{
    struct stat st;
    bool had = fstatat(f->dir, RESERVE_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0;
    return had && unlinkat(f->dir, RESERVE_NAME, 0) == 0;
}

bool home_full(const struct home *f)
{
    struct statvfs fs;
    return fstatvfs(f->dir, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < DISK_FULL_BYTES;
}
