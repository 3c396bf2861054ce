/* SPDX-License-Identifier: MIT */
/* opened.c - the connectors' files that runners are started with: each is open once in a process, for all its connections. */
#include "runner/opened.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static struct opened *all;

static bool same_file(const struct stat *x, const struct stat *y)
{
    return x->st_dev == y->st_dev && x->st_ino == y->st_ino && x->st_size == y->st_size &&
           memcmp(&x->st_mtim, &y->st_mtim, sizeof x->st_mtim) == 0 &&
           memcmp(&x->st_ctim, &y->st_ctim, sizeof x->st_ctim) == 0;
}

struct opened *opened_take(const char *file, int fd)
{
    struct stat is;
    struct opened *o = all;
    if (fstat(fd, &is) != 0)
        memset(&is, 0, sizeof is);
    while (o && !(strcmp(o->file, file) == 0 && same_file(&o->is, &is)))
        o = o->next;
    if (o) {
        close(fd);
    } else {
        o = mem_alloc(sizeof *o);
        *o = (struct opened){.next = all, .file = mem_dup(file), .fd = fd, .is = is};
        all = o;
    }
    o->n_users++;
    return o;
}

void opened_drop(struct opened *o)
{
    struct opened **at = &all;
    if (!o || --o->n_users)
        return;
    while (*at != o)
        at = &(*at)->next;
    *at = o->next;
    close(o->fd);
    buf_fini(&o->hello);
    mem_free(o->file);
    mem_free(o);
}
