/* SPDX-License-Identifier: MIT */
/* prepare.c - the first half of a write: preconditions, merged content, temporary file, and what killed runs left. */
#include "write.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STALE_NS (3600LL * 1000000000LL)

static bool has_key(const struct sl_write *w)
{
    return w->idempotency_key && name_ok(w->idempotency_key, 64);
}

void temp_name(const struct job *j, char out[NAME_ROOM])
{
    if (!has_key(j->w)) {
        snprintf(out, NAME_ROOM, TEMP_PREFIX "p%ld-%u" TEMP_SUFFIX, (long)getpid(), j->index);
        return;
    }
    size_t n = strlen(j->w->idempotency_key), prefix = sizeof(TEMP_PREFIX) - 1;
    memcpy(out, TEMP_PREFIX, prefix);
    memcpy(out + prefix, j->w->idempotency_key, n);
    memcpy(out + prefix + n, TEMP_SUFFIX, sizeof(TEMP_SUFFIX));
}

static bool write_all(int fd, const char *data, size_t n_bytes)
{
    while (n_bytes > 0) {
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

/* Owner, group and mode of the file that is replaced. A group we may not give away gets no more than others have. */
static bool keep_owner(int fd, const struct stat *old)
{
    mode_t mode = old->st_mode & 07777;
    struct stat st;
    if (fstat(fd, &st) != 0)
        return false;
    if ((st.st_uid != old->st_uid || st.st_gid != old->st_gid) && fchown(fd, old->st_uid, old->st_gid) != 0)
        mode = (mode & 0707) | ((mode & 07) << 3);
    return fchmod(fd, mode) == 0;
}

/* Fills and closes the temporary file. Returns 0 or the errno. */
static int fill(struct chunk *c, struct job *j, int fd, const char *text, size_t n_bytes)
{
    bool ok = write_all(fd, text, n_bytes) && (j->w->kind != SL_UPDATE || keep_owner(fd, &j->seen)) &&
              (!c->sync_each || fdatasync(fd) == 0) && fstat(fd, &j->ours) == 0;
    int code = ok ? 0 : errno;
    if (close(fd) != 0 && ok)
        code = errno;
    return code;
}

/* Is that file the temporary file of another write of this batch? */
static bool of_batch(const struct chunk *c, const char *temp)
{
    struct stat st;
    if (fstatat(c->f->fd, temp, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    for (uint32_t i = 0; i < c->n_jobs; i++)
        if (c->jobs[i].has_temp && c->jobs[i].ours.st_ino == st.st_ino)
            return true;
    return false;
}

/* What a killed attempt left under the name goes; what another write of the batch put there stays: EEXIST. */
static int open_temp(const struct chunk *c, const char *temp)
{
    int fd = open_below(c->f->fd, temp, O_WRONLY | O_CREAT | O_EXCL);
    if (fd >= 0 || errno != EEXIST)
        return fd;
    if (!of_batch(c, temp) && unlinkat(c->f->fd, temp, 0) == 0)
        return open_below(c->f->fd, temp, O_WRONLY | O_CREAT | O_EXCL);
    errno = EEXIST;
    return -1;
}

static void write_temp(struct chunk *c, struct job *j, const char *text, size_t n_bytes)
{
    char temp[NAME_ROOM];
    temp_name(j, temp);
    if (n_bytes > FILE_MAX_BYTES) {
        job_refuse(c, j, SL_REJECTED,
                   "%s/%s" SUFFIX " would have %zu bytes, over the limit of %zu MiB: shorten the record", c->f->name,
                   j->w->id, n_bytes, FILE_MAX_BYTES >> 20);
        return;
    }
    int fd = open_temp(c, temp);
    if (fd < 0 && errno == EEXIST) {
        job_refuse(c, j, SL_BROKEN, "two writes of one batch carry the operation key %s: give each its own",
                   j->w->idempotency_key ? j->w->idempotency_key : "(none)");
        return;
    }
    j->has_temp = fd >= 0;
    int code = fd < 0 ? errno : fill(c, j, fd, text, n_bytes);
    if (code) {
        job_fault(c, j, "cannot be written", code);
        return;
    }
    int64_t grain_ns = stat_own_grain_ns(&j->ours);
    c->coarse |= stat_grain_ns(c->f, &j->ours) > GRAIN_FINE_NS;
    c->grain_ns = grain_ns > c->grain_ns ? grain_ns : c->grain_ns;
    c->n_temps++;
    j->text_at = c->text.size;
    j->text_bytes = n_bytes;
    sl_bytes_add(&c->text, text, n_bytes);
    j->state = JOB_READY;
}

static void write_content(struct chunk *c, struct job *j, const struct look *old)
{
    const char *text = NULL;
    size_t n_bytes = 0;
    int rc = content_make(c->d, old, j->w, &text, &n_bytes);
    if (rc == SL_OK)
        write_temp(c, j, text, n_bytes);
    else
        job_refuse(c, j, SL_REJECTED, "%s/%s" SUFFIX ": its fields cannot be written as JSON; look at their values",
                   c->f->name, j->w->id);
    c->d->host->json_free(c->d->host->ctx);
}

static void prepare_create(struct chunk *c, struct job *j)
{
    char name[NAME_ROOM];
    struct stat st;
    file_name(j->w->id, name);
    /* Publishing finds a taken id anyway; only where it is likely is it worth a look before. */
    bool there = (j->w->flags & SL_WRITE_REPEAT) && fstatat(c->f->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (!there)
        write_content(c, j, NULL);
    else if (fsync(c->f->fd) == 0) /* the earlier attempt may have been killed right before */
        job_exists(c, j);
    else
        job_fault(c, j, "cannot be flushed", errno);
}

/* True if the file still is what the host planned on; else the job is told. */
static bool expected(struct chunk *c, struct job *j)
{
    char version[VERSION_ROOM];
    const char *want = j->w->expected_version;
    /* Compared in full: whoever gives a version has one that was settled when it was emitted. */
    version_full(&j->seen, version);
    if (!want || !*want || strcmp(want, version) == 0)
        return true;
    job_refuse(c, j, SL_CONFLICT, "%s/%s" SUFFIX " was changed since it was read: it is read and planned again",
               c->f->name, j->w->id);
    return false;
}

static void gone(struct chunk *c, struct job *j)
{
    job_refuse(c, j, SL_GONE, "%s/%s" SUFFIX " is not there any more", c->f->name, j->w->id);
}

static void prepare_update(struct chunk *c, struct job *j)
{
    struct look old;
    enum look_end end = file_look(c->d, c->f, j->w->id, &old);
    j->seen = old.st;
    if (end == LOOK_GONE)
        gone(c, j);
    else if (end != LOOK_OK)
        job_refuse(c, j, end == LOOK_BAD ? SL_REJECTED : SL_RETRY, "%s", old.why);
    else if (expected(c, j))
        write_content(c, j, &old);
    c->d->host->json_free(c->d->host->ctx);
}

static void prepare_remove(struct chunk *c, struct job *j)
{
    char name[NAME_ROOM];
    file_name(j->w->id, name);
    if (c->f->fd < 0 || (fstatat(c->f->fd, name, &j->seen, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)) {
        gone(c, j);
        return;
    }
    const char *fault = stat_fault(&j->seen);
    if (fault)
        job_refuse(c, j, SL_REJECTED, "%s/%s %s", c->f->name, name, fault);
    else if (expected(c, j))
        j->state = JOB_READY;
}

static void (*const prepares[])(struct chunk *, struct job *) = {[SL_CREATE] = prepare_create,
                                                                 [SL_UPDATE] = prepare_update,
                                                                 [SL_DELETE] = prepare_remove,
                                                                 [SL_ARCHIVE] = prepare_remove};

void job_prepare(struct chunk *c, struct job *j)
{
    char shown[NAME_ROOM];
    const struct sl_write *w = j->w;
    size_t id_max = w->kind == SL_CREATE ? ID_MAX_BYTES : NAME_ROOM - sizeof(SUFFIX);
    if (w->kind < SL_CREATE || w->kind > SL_ARCHIVE) {
        job_refuse(c, j, SL_UNSUPPORTED, "a write of kind %u is not known to jsondir", w->kind);
        return;
    }
    if (!name_ok(w->id, id_max)) {
        job_refuse(c, j, SL_REJECTED,
                   "id \"%s\" is no file name below %s: 1 to %zu bytes of UTF-8, no slash, no leading dot, no control "
                   "character",
                   name_shown(w->id ? w->id : "", shown), c->f->name, id_max);
        return;
    }
    if (w->parent_id) {
        job_refuse(c, j, SL_UNSUPPORTED,
                   "%s/%s" SUFFIX ": jsondir keeps no child records; sync them as an object of their own", c->f->name,
                   w->id);
        return;
    }
    prepares[w->kind](c, j);
}

static bool is_temp(const char *name)
{
    size_t n = strlen(name), prefix = sizeof(TEMP_PREFIX) - 1, suffix = sizeof(TEMP_SUFFIX) - 1;
    return n > prefix + suffix && strncmp(name, TEMP_PREFIX, prefix) == 0 &&
           strcmp(name + n - suffix, TEMP_SUFFIX) == 0;
}

static void sweep_entries(const struct folder *f, DIR *dir)
{
    struct dirent *entry;
    struct stat st;
    int64_t now = clock_ns();
    while ((entry = readdir(dir))) {
        if (!is_temp(entry->d_name) || fstatat(f->fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (now - stat_time_ns(&st.st_mtim) > STALE_NS)
            unlinkat(f->fd, entry->d_name, 0);
    }
}

/* Once a session and folder: a pass over a large folder costs as much as many writes. */
static void sweep_old(struct jsondir *d, const struct folder *f)
{
    struct stat st;
    if (fstat(f->fd, &st) != 0 || (st.st_dev == d->swept_dev && st.st_ino == d->swept_ino))
        return;
    int fd = open_below(f->fd, ".", O_RDONLY | O_DIRECTORY);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    sweep_entries(f, dir);
    closedir(dir);
    d->swept_dev = st.st_dev;
    d->swept_ino = st.st_ino;
}

void sweep(struct jsondir *d, const struct folder *f, const struct sl_batch *batch)
{
    char temp[NAME_ROOM];
    sweep_old(d, f);
    for (uint32_t i = 0; i < batch->n_writes; i++) {
        struct job j = {.w = sl_write_at(batch, i), .index = i};
        if (!(j.w->flags & SL_WRITE_REPEAT))
            continue;
        temp_name(&j, temp);
        unlinkat(f->fd, temp, 0);
    }
}
