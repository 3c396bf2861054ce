/* SPDX-License-Identifier: MIT */
/* claim.c - one daemon a state folder: a lock that says whose it is, and what the daemon has to say to `status`. */
#include "daemon/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"

enum { NOTE_BYTES = 4096 };

/* "pid 123\n", the notes, each ended by a \f. Returns the pid; *rest is what stands behind the line. */
static long read_note(int fd, char note[NOTE_BYTES], char **rest)
{
    ssize_t n = pread(fd, note, NOTE_BYTES - 1, 0);
    note[n > 0 ? n : 0] = '\0';
    *rest = strchr(note, '\n');
    if (strncmp(note, "pid ", 4) != 0 || !*rest)
        return 0;
    ++*rest;
    return strtol(note + 4, NULL, 10);
}

/* The new one in one write, then the length: who reads between the two sees the end of the old one behind it, at worst. */
void claim_note(int fd, const char *refused, const char *hooks)
{
    struct buf b = {0};
    buf_printf(&b, "pid %ld\n%.*s\f%.*s\f", (long)getpid(), NOTE_BYTES / 2, refused ? refused : "", NOTE_BYTES / 4,
               hooks ? hooks : "");
    ssize_t n = pwrite(fd, b.data, b.size, 0);
    if (n == (ssize_t)b.size && ftruncate(fd, n) != 0)
        n = 0; /* the note is a courtesy: the lock is what counts */
    buf_fini(&b);
}

int claim_take(const char *state, int *fd, struct err *e)
{
    char note[NOTE_BYTES], *rest = NULL;
    struct arena a = {0};
    *fd = -1;
    if (folder_make(state, 0700, e) == 0) {
        const char *path = path_join(&a, state, "daemon.lock");
        *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (*fd < 0)
            err_set(e, ERR_FAILED, "%s: %s; give this user the right to write it", path, strerror(errno));
        else if (flock(*fd, LOCK_EX | LOCK_NB) != 0)
            err_set(e, ERR_BUSY, "a daemon runs on the state %s already, as process %ld: stop that one first", state,
                    read_note(*fd, note, &rest));
        else
            claim_note(*fd, NULL, NULL);
    }
    arena_fini(&a);
    if (e->code && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    return e->code;
}

/* One note off the rest; NULL: it is empty, or cut off in the middle of being written. */
static const char *take_note(char **rest, struct arena *a)
{
    char *note = *rest, *end = note ? strchr(note, '\f') : NULL;
    if (end)
        *end = '\0';
    *rest = end ? end + 1 : NULL;
    return end && *note ? arena_text(a, note) : NULL;
}

long claim_look(const char *state, struct arena *a, const char **refused, const char **hooks)
{
    char note[NOTE_BYTES], *rest = NULL;
    long pid = 0;
    *refused = *hooks = NULL;
    int fd = open(path_join(a, state, "daemon.lock"), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return 0;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0)
        pid = read_note(fd, note, &rest);
    if (pid) {
        *refused = take_note(&rest, a);
        *hooks = take_note(&rest, a);
    }
    close(fd);
    return pid;
}
