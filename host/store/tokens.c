/* SPDX-License-Identifier: MIT */
/* tokens.c - refresh tokens that a server has rotated, kept for the next process: a file a connection, one renewer at a time. */
#include "store/tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"

enum { TOKENS_BYTES_MAX = 256 << 10 };

struct tokens {
    struct arena memory;
    const char *folder, *path, *lock_path;
    int lock_fd; /* -1: not held */
};

struct tokens *tokens_open(const char *state_folder, const char *connection)
{
    struct tokens *t = mem_alloc(sizeof *t);
    t->folder = path_join(&t->memory, state_folder, "tokens");
    t->path = path_join(&t->memory, t->folder, connection);
    t->lock_path = arena_printf(&t->memory, "%s.lock", t->path);
    t->lock_fd = -1;
    return t;
}

void tokens_close(struct tokens *t)
{
    if (!t)
        return;
    tokens_unlock(t);
    arena_fini(&t->memory);
    mem_free(t);
}

/* The lock file stays: removing it would let two processes lock two files of one name. */
int tokens_lock(void *self, struct err *e)
{
    struct tokens *t = self;
    if (folder_make(t->folder, 0700, e))
        return e->code;
    t->lock_fd = open(t->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (t->lock_fd < 0)
        return err_set(e, ERR_FAILED, "%s: %s; make the state folder writable", t->lock_path, strerror(errno));
    while (flock(t->lock_fd, LOCK_EX) != 0)
        if (errno != EINTR)
            return err_set(e, ERR_FAILED, "%s: it cannot be locked: %s", t->lock_path, strerror(errno));
    return 0;
}

void tokens_unlock(void *self)
{
    struct tokens *t = self;
    if (t->lock_fd >= 0)
        close(t->lock_fd);
    t->lock_fd = -1;
}

int tokens_load(void *self, struct arena *a, const char **text, struct err *e)
{
    struct tokens *t = self;
    struct buf bytes = {0};
    struct err why = {0};
    int rc = file_read(t->path, TOKENS_BYTES_MAX, &bytes, &why);
    *text = rc == 0 && bytes.size ? arena_text(a, bytes.data) : NULL;
    if (rc && rc != ERR_NOTFOUND)
        err_set(e, ERR_FAILED, "%s", why.text);
    if (bytes.data)
        explicit_bzero(bytes.data, bytes.size);
    buf_fini(&bytes);
    return e->code;
}

int tokens_save(void *self, const char *text, struct err *e)
{
    struct tokens *t = self;
    if (folder_make(t->folder, 0700, e))
        return e->code;
    return file_write_atomic(t->path, 0600, text, strlen(text), e);
}
