/* SPDX-License-Identifier: MIT */
/* shared.c - a few bytes that all processes on one connection have in common, one at a time. */
#include "store/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

struct shared {
    struct arena memory;
    const char *folder, *path;
    size_t n_bytes;
    void *bytes; /* NULL: not mapped */
    int fd; /* -1: not open */
    bool tried; /* what cannot be opened once is not asked for with each request */
};

struct shared *shared_open(const char *state_folder, const char *connection, size_t n_bytes)
{
    struct shared *s = mem_alloc(sizeof *s);
    s->folder = path_join(&s->memory, state_folder, "shared");
    s->path = path_join(&s->memory, s->folder, connection);
    s->n_bytes = n_bytes;
    s->fd = -1;
    return s;
}

void shared_close(struct shared *s)
{
    if (!s)
        return;
    if (s->bytes)
        munmap(s->bytes, s->n_bytes);
    if (s->fd >= 0)
        close(s->fd);
    arena_fini(&s->memory);
    mem_free(s);
}

static bool lock(int fd)
{
    int rc = 0;
    while ((rc = flock(fd, LOCK_EX)) != 0 && errno == EINTR)
        ;
    return rc == 0;
}

/* Its place on the disk is taken now: a mapped page that the disk has no room for would end the process when it is first written. */
static bool fit(int fd, size_t n_bytes)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    return (size_t)st.st_size >= n_bytes || posix_fallocate(fd, 0, (off_t)n_bytes) == 0;
}

static void map(struct shared *s)
{
    struct err why = {0};
    s->tried = true;
    if (folder_make(s->folder, 0700, &why))
        return;
    s->fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->fd < 0 || !lock(s->fd))
        return;
    if (fit(s->fd, s->n_bytes)) {
        void *at = mmap(NULL, s->n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
        s->bytes = at == MAP_FAILED ? NULL : at;
    }
    flock(s->fd, LOCK_UN);
}

void *shared_lock(void *self)
{
    struct shared *s = self;
    if (!s->tried)
        map(s);
    return s->bytes && lock(s->fd) ? s->bytes : NULL;
}

void shared_unlock(void *self)
{
    struct shared *s = self;
    flock(s->fd, LOCK_UN);
}

bool shared_look(const char *state_folder, const char *connection, void *out, size_t n_bytes)
{
    struct arena memory = {0};
    const char *folder = path_join(&memory, state_folder, "shared");
    int fd = open(path_join(&memory, folder, connection), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool whole = fd >= 0 && pread(fd, out, n_bytes, 0) == (ssize_t)n_bytes;
    if (fd >= 0)
        close(fd);
    arena_fini(&memory);
    return whole;
}
