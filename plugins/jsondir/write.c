/* SPDX-License-Identifier: MIT */
/* write.c - a batch in phases, so that one flush makes all of it durable: prepare, sync, publish, sync, tell. */
#include "write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SYNC_EACH_MAX 8u
#define CHUNK_BYTES ((size_t)16 * 1024 * 1024) /* contents held at once */
#define LOCK_TRIES 1500
#define LOCK_NAP_MS 20u
#define ARCHIVE_TRIES 9999

static bool has_text(const struct job *j)
{
    return j->w->kind == SL_CREATE || j->w->kind == SL_UPDATE;
}

static void drop_temp(struct chunk *c, struct job *j)
{
    char temp[NAME_ROOM];
    if (!j->has_temp)
        return;
    temp_name(j, temp);
    unlinkat(c->f->fd, temp, 0);
    j->has_temp = false;
}

void job_tell(struct chunk *c, struct job *j, const struct sl_outcome *outcome)
{
    struct sl_outcome o = *outcome;
    o.size = sizeof(o);
    o.index = j->index;
    j->state = JOB_TOLD;
    if (c->d->host->outcome(c->d->host->ctx, &o) != 0)
        c->enough = true;
}

void job_refuse(struct chunk *c, struct job *j, int sl_class, const char *format, ...)
{
    char text[SAID_ROOM];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    drop_temp(c, j);
    struct sl_outcome o = {.result = SL_NOT_APPLIED, .error_class = (uint32_t)sl_class, .message = text};
    job_tell(c, j, &o);
}

void job_fault(struct chunk *c, struct job *j, const char *what, int code)
{
    job_refuse(c, j, errno_class(code), "%s/%s" SUFFIX " %s: %s", c->f->name, j->w->id, what, errno_advice(code));
}

void job_exists(struct chunk *c, struct job *j)
{
    struct look l;
    char text[SAID_ROOM];
    enum look_end end = file_look(c->d, c->f, j->w->id, &l);
    if (end == LOOK_GONE) {
        job_refuse(c, j, SL_RETRY, "%s/%s" SUFFIX " came and went while it was to be created: the next run tries again",
                   c->f->name, j->w->id);
        return;
    }
    drop_temp(c, j);
    struct sl_record record = look_record(c->f, j->w->id, &l);
    snprintf(text, sizeof(text), "%s/%s" SUFFIX " is there already: link the two records, or move the file away",
             c->f->name, j->w->id);
    struct sl_outcome o = {.result = SL_NOT_APPLIED,
                           .error_class = SL_EXISTS,
                           .record = end == LOOK_OK ? &record : NULL,
                           .message = text,
                           .read_back = 1};
    job_tell(c, j, &o);
    c->d->host->json_free(c->d->host->ctx);
}

/* Gives a file a name that must be free. Nothing is replaced, whatever happens meanwhile. Returns 0 or -1 with errno. */
static int move_new(int from_fd, const char *from, int to_fd, const char *to)
{
    if (renameat2(from_fd, from, to_fd, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    /* A file system without that flag (NFS): a hard link never replaces either. */
    if (linkat(from_fd, from, to_fd, to, 0) != 0)
        return -1;
    if (unlinkat(from_fd, from, 0) == 0)
        return 0;
    int code = errno;
    unlinkat(to_fd, to, 0);
    errno = code;
    return -1;
}

static void publish_create(struct chunk *c, struct job *j, const char *name, const char *temp)
{
    if (move_new(c->f->fd, temp, c->f->fd, name) == 0)
        j->state = JOB_PUBLISHED;
    else if (errno == EEXIST)
        job_exists(c, j);
    else
        job_fault(c, j, "cannot be created", errno);
}

/* Looks once more, right before the file is touched: an editor that ignores locks may have been here meanwhile. */
static bool untouched(struct chunk *c, struct job *j, const char *name)
{
    struct stat st;
    if (fstatat(c->f->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && stat_same(&st, &j->seen))
        return true;
    job_refuse(c, j, SL_CONFLICT, "%s/%s was changed while it was being written: it is read and planned again",
               c->f->name, name);
    return false;
}

static void publish_update(struct chunk *c, struct job *j, const char *name, const char *temp)
{
    if (!untouched(c, j, name))
        return;
    if (renameat(c->f->fd, temp, c->f->fd, name) == 0)
        j->state = JOB_PUBLISHED;
    else
        job_fault(c, j, "cannot be replaced", errno);
}

static void publish_delete(struct chunk *c, struct job *j, const char *name, const char *temp)
{
    (void)temp;
    if (!untouched(c, j, name))
        return;
    if (unlinkat(c->f->fd, name, 0) == 0)
        j->state = JOB_PUBLISHED;
    else
        job_fault(c, j, "cannot be deleted", errno);
}

static bool archive_open(struct chunk *c)
{
    if (c->archive_fd >= 0)
        return true;
    if (mkdirat(c->f->fd, ARCHIVE, 0777) != 0 && errno != EEXIST)
        return false;
    c->archive_fd = open_below(c->f->fd, ARCHIVE, O_RDONLY | O_DIRECTORY);
    return c->archive_fd >= 0;
}

/* Moves the file into the archive, under a number if its name is taken there. */
static int archive_move(struct chunk *c, struct job *j, const char *name)
{
    char to[NAME_ROOM + 16];
    int rc = move_new(c->f->fd, name, c->archive_fd, name);
    for (int i = 2; rc != 0 && errno == EEXIST && i <= ARCHIVE_TRIES; i++) {
        snprintf(to, sizeof(to), "%s.%d" SUFFIX, j->w->id, i);
        rc = move_new(c->f->fd, name, c->archive_fd, to);
    }
    return rc;
}

static void publish_archive(struct chunk *c, struct job *j, const char *name, const char *temp)
{
    (void)temp;
    if (!untouched(c, j, name))
        return;
    if (archive_open(c) && archive_move(c, j, name) == 0)
        j->state = JOB_PUBLISHED;
    else if (errno == ENOTDIR || errno == ELOOP)
        job_refuse(c, j, SL_RETRY, "%s/" ARCHIVE " is no folder: move it away, the next run archives there",
                   c->f->name);
    else
        job_fault(c, j, "cannot be archived", errno);
}

static void (*const publishes[])(struct chunk *, struct job *, const char *,
                                 const char *) = {[SL_CREATE] = publish_create,
                                                  [SL_UPDATE] = publish_update,
                                                  [SL_DELETE] = publish_delete,
                                                  [SL_ARCHIVE] = publish_archive};

static void publish_all(struct chunk *c)
{
    char name[NAME_ROOM], temp[NAME_ROOM];
    for (uint32_t i = 0; i < c->n_jobs; i++) {
        struct job *j = &c->jobs[i];
        if (j->state != JOB_READY)
            continue;
        file_name(j->w->id, name);
        temp_name(j, temp);
        publishes[j->w->kind](c, j, name, temp);
    }
}

/* The contents must be on the disk before any name points at them. On failure every job is told. */
static bool sync_contents(struct chunk *c)
{
    if (c->n_temps == 0 || c->sync_each || syncfs(c->f->fd) == 0)
        return true;
    int code = errno;
    for (uint32_t i = 0; i < c->n_jobs; i++)
        if (c->jobs[i].state == JOB_READY)
            job_fault(c, &c->jobs[i], "cannot be written", code);
    return false;
}

/* Lets the clock move on, so that no later edit can carry the times of what was just done. */
static void outwait(const struct chunk *c)
{
    if (c->n_temps > 0 && !c->coarse)
        clock_wait(c->touched_ns + c->grain_ns + 1, 2 * GRAIN_FINE_NS);
}

static bool sync_names(struct chunk *c)
{
    return fsync(c->f->fd) == 0 && (c->archive_fd < 0 || fsync(c->archive_fd) == 0);
}

/* The file's version, only if under its name there still is our content. */
static void version_written(const struct chunk *c, const struct job *j, char out[VERSION_ROOM])
{
    struct stat st;
    char name[NAME_ROOM];
    file_name(j->w->id, name);
    int64_t now = clock_ns();
    bool ours = fstatat(c->f->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == j->ours.st_ino &&
                st.st_size == j->ours.st_size && stat_time_ns(&st.st_mtim) == stat_time_ns(&j->ours.st_mtim);
    if (ours && !c->coarse && stat_touched_ns(&st) + c->grain_ns < now)
        version_full(&st, out);
}

/* What the file holds: what was given, where that is all and comes back as it was; else read from the text written. */
static bool fields_written(struct chunk *c, struct job *j, struct look *l)
{
    const struct sl_host *h = c->d->host;
    const char *message = NULL;
    if (j->w->kind != SL_CREATE || !content_exact(j->w))
        return h->json_read(h->ctx, c->text.data + j->text_at, j->text_bytes, &l->fields, &l->n_fields, &l->field_size,
                            &message) == SL_OK;
    l->fields = j->w->fields;
    l->n_fields = j->w->n_fields;
    l->field_size = j->w->field_size;
    return true;
}

static void tell_applied(struct chunk *c, struct job *j)
{
    struct sl_outcome o = {.result = SL_APPLIED};
    struct sl_record record;
    struct look l = {.st = j->ours, .version = ""};
    if (has_text(j)) {
        version_written(c, j, l.version);
        if (fields_written(c, j, &l)) {
            record = look_record(c->f, j->w->id, &l);
            o.record = &record;
        }
    }
    job_tell(c, j, &o);
    c->d->host->json_free(c->d->host->ctx);
}

static void tell_all(struct chunk *c, bool durable)
{
    for (uint32_t i = 0; i < c->n_jobs; i++) {
        struct job *j = &c->jobs[i];
        struct sl_outcome lost = {.result = SL_UNCERTAIN,
                                  .message = "the folder could not be flushed to the disk: it is looked at again"};
        if (j->state != JOB_PUBLISHED)
            continue;
        if (durable)
            tell_applied(c, j);
        else
            job_tell(c, j, &lost);
    }
}

/* Carries out writes from `first` on, as many as fit; returns how many. */
static uint32_t write_chunk(struct chunk *c, const struct sl_batch *batch, uint32_t first)
{
    c->n_jobs = c->n_temps = 0;
    c->grain_ns = 0;
    c->text.size = 0;
    c->coarse = c->f->coarse;
    while (first + c->n_jobs < batch->n_writes && c->text.size < CHUNK_BYTES) {
        struct job *j = &c->jobs[c->n_jobs++];
        uint32_t index = first + c->n_jobs - 1;
        *j = (struct job){.w = sl_write_at(batch, index), .index = index};
        job_prepare(c, j);
    }
    c->touched_ns = clock_touch_ns();
    if (sync_contents(c)) {
        outwait(c); /* an edit after publication then has another mtime than our content */
        publish_all(c);
        c->touched_ns = clock_touch_ns();
        bool durable = c->f->fd < 0 || sync_names(c);
        outwait(c); /* and another ctime than the version that is told */
        tell_all(c, durable);
    }
    return c->n_jobs;
}

/* Ends the writes from `first` on with one sentence. */
static void refuse_rest(struct chunk *c, const struct sl_batch *batch, uint32_t first, int sl_class, const char *why)
{
    for (uint32_t i = first; i < batch->n_writes; i++) {
        struct job j = {.w = sl_write_at(batch, i), .index = i};
        struct sl_outcome o = {.result = SL_NOT_APPLIED, .error_class = (uint32_t)sl_class, .message = why};
        job_tell(c, &j, &o);
    }
}

static bool has_create(const struct sl_batch *batch)
{
    for (uint32_t i = 0; i < batch->n_writes; i++)
        if (sl_write_at(batch, i)->kind == SL_CREATE)
            return true;
    return false;
}

/* Our own processes write to one folder one after the other. A file system that cannot lock is used without. */
static int lock(struct jsondir *d, const struct folder *f)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(f->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
            return SL_OK;
        if (d->host->stopping(d->host->ctx))
            break;
        d->host->sleep_ms(d->host->ctx, LOCK_NAP_MS);
    }
    return refuse(d, SL_BUSY, "%s/%s is being written to by another run: the next run tries again", d->root, f->name);
}

/* The folder, there and locked. */
static int begin(struct jsondir *d, const struct sl_batch *batch, struct folder *f)
{
    int rc = folder_open(d, batch->object, f);
    if (rc == SL_OK && has_create(batch) && folder_make(f) != 0)
        rc = refuse(d, errno_class(errno), "folder %s/%s cannot be made: %s", d->root, f->name, errno_advice(errno));
    if (rc == SL_OK && f->fd >= 0)
        rc = lock(d, f);
    if (rc == SL_OK && f->fd >= 0)
        sweep(d, f, batch);
    return rc;
}

int jsondir_write(void *session, const struct sl_batch *batch)
{
    struct jsondir *d = session;
    const struct sl_host *h = d->host;
    struct folder f;
    struct chunk c = {.d = d, .f = &f, .sync_each = batch->n_writes <= SYNC_EACH_MAX, .archive_fd = -1};
    uint32_t next = 0;
    int rc = begin(d, batch, &f);
    if (rc == SL_OK)
        c.jobs = sl_checked(calloc(batch->n_writes + 1u, sizeof(*c.jobs)));
    else
        refuse_rest(&c, batch, 0, rc, d->said);
    while (rc == SL_OK && next < batch->n_writes && !c.enough && !h->stopping(h->ctx))
        next += write_chunk(&c, batch, next);
    if (rc == SL_OK)
        refuse_rest(&c, batch, next, SL_RETRY, "the run is being stopped: the next one goes on here");
    if (c.archive_fd >= 0)
        close(c.archive_fd);
    folder_close(&f); /* and the lock with it */
    free(c.text.data);
    free(c.jobs);
    return rc;
}
