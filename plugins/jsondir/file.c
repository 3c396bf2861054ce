/* SPDX-License-Identifier: MIT */
/* file.c - one look at one file: its version, its bytes, its fields, or why it cannot be read. */
#include "jsondir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS 1000000000LL
#define MILLISECOND_NS 1000000LL
#define GRAIN_COARSE_NS (2 * SECOND_NS)
#define NAP_MIN_NS 200000LL /* the clock waited for moves in steps */
#define TRIES 3

static int64_t clock_read(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return stat_time_ns(&t);
}

/*
 * Times of files are the file system's, stamped from this clock, which moves in ticks: nothing touched from now on is stamped
 * earlier. The host's clock, which tests may move, cannot tell.
 */
int64_t clock_ns(void)
{
    return clock_read(CLOCK_REALTIME_COARSE);
}

/* Some kernels stamp finer than the tick, from the clock below it. */
int64_t clock_touch_ns(void)
{
    return clock_read(CLOCK_REALTIME);
}

int64_t stat_time_ns(const struct timespec *t)
{
    return (int64_t)t->tv_sec * SECOND_NS + t->tv_nsec;
}

void clock_wait(int64_t until_ns, int64_t most_ns)
{
    int64_t rest = until_ns - clock_ns();
    while (rest > 0 && most_ns > 0) {
        int64_t nap = rest > NAP_MIN_NS ? rest : NAP_MIN_NS;
        struct timespec t = {.tv_sec = (time_t)(nap / SECOND_NS), .tv_nsec = (long)(nap % SECOND_NS)};
        nanosleep(&t, NULL);
        most_ns -= nap;
        rest = until_ns - clock_ns();
    }
}

int64_t stat_touched_ns(const struct stat *st)
{
    int64_t m = stat_time_ns(&st->st_mtim), c = stat_time_ns(&st->st_ctim);
    return m > c ? m : c;
}

int64_t stat_grain_ns(const struct folder *f, const struct stat *st)
{
    bool coarse = f->coarse || st->st_mtim.tv_nsec == 0 || st->st_ctim.tv_nsec == 0;
    return coarse ? GRAIN_COARSE_NS : GRAIN_FINE_NS;
}

/* The clock must move in ticks as the kernel's does, and the stamp be finer than them: else the old margin holds. */
int64_t stat_own_grain_ns(const struct stat *st)
{
    struct timespec tick = {0};
    bool ticks = clock_getres(CLOCK_REALTIME_COARSE, &tick) == 0 && stat_time_ns(&tick) >= MILLISECOND_NS;
    return ticks && st->st_mtim.tv_nsec % MILLISECOND_NS != 0 ? 0 : GRAIN_FINE_NS;
}

static char *put_hex(char *out, uint64_t n)
{
    char digits[16];
    int i = 0;
    do {
        digits[i++] = "0123456789abcdef"[n & 15];
        n >>= 4;
    } while (n);
    while (i)
        *out++ = digits[--i];
    return out;
}

void version_full(const struct stat *st, char out[VERSION_ROOM])
{
    char *at = put_hex(out, (uint64_t)stat_time_ns(&st->st_mtim));
    *at++ = '.';
    at = put_hex(at, (uint64_t)stat_time_ns(&st->st_ctim));
    *at++ = '.';
    at = put_hex(at, (uint64_t)st->st_ino);
    *at++ = '.';
    *put_hex(at, (uint64_t)st->st_size) = 0;
}

void version_settled(const struct folder *f, const struct stat *st, int64_t now_ns, char out[VERSION_ROOM])
{
    if (stat_touched_ns(st) + stat_grain_ns(f, st) < now_ns)
        version_full(st, out);
    else
        out[0] = 0;
}

const char *stat_fault(const struct stat *st)
{
    if (S_ISLNK(st->st_mode))
        return "is a symbolic link, which is never followed: put the file itself here";
    if (S_ISDIR(st->st_mode))
        return "is a folder, not a record: rename it or move it away";
    if (!S_ISREG(st->st_mode))
        return "is no regular file: move it away";
    return NULL;
}

void file_name(const char *id, char out[NAME_ROOM])
{
    size_t n = strnlen(id, NAME_ROOM - sizeof(SUFFIX));
    memcpy(out, id, n);
    memcpy(out + n, SUFFIX, sizeof(SUFFIX));
}

static enum look_end bad(const struct folder *f, const char *name, struct look *l, const char *why)
{
    char shown[NAME_ROOM];
    snprintf(l->why, sizeof(l->why), "%s/%s %s", f->name, name_shown(name, shown), why);
    return LOOK_BAD;
}

/* When the disk gives it, nothing at the file will show that: without a version it is read again. */
static enum look_end unread(const struct folder *f, const char *name, struct look *l)
{
    l->version[0] = 0;
    bad(f, name, l, "cannot be read (input/output error): look at the disk and the kernel's log");
    return LOOK_UNREAD;
}

static enum look_end too_large(const struct folder *f, const char *name, struct look *l)
{
    char why[160];
    snprintf(why, sizeof(why), "has %lld bytes, over the limit of %zu MiB for one record: split it or move it away",
             (long long)l->st.st_size, FILE_MAX_BYTES >> 20);
    return bad(f, name, l, why);
}

/* The file could not be opened: what there is to say about it. */
static enum look_end not_opened(const struct folder *f, const char *name, int code, struct look *l)
{
    char why[160];
    if (code == EMFILE || code == ENFILE || code == ENOMEM) {
        snprintf(l->why, sizeof(l->why), "%s/%s: %s", f->name, name, errno_advice(code));
        return LOOK_FAULT;
    }
    if (code == ENOENT || fstatat(f->fd, name, &l->st, AT_SYMLINK_NOFOLLOW) != 0)
        return LOOK_GONE;
    const char *fault = stat_fault(&l->st);
    version_settled(f, &l->st, clock_ns(), l->version);
    if (fault)
        return bad(f, name, l, fault);
    if (code == EIO)
        return unread(f, name, l);
    snprintf(why, sizeof(why), "cannot be opened (%s): give this user read access", strerror(code));
    return bad(f, name, l, why);
}

bool stat_same(const struct stat *x, const struct stat *y)
{
    return x->st_ino == y->st_ino && x->st_size == y->st_size &&
           stat_time_ns(&x->st_mtim) == stat_time_ns(&y->st_mtim) &&
           stat_time_ns(&x->st_ctim) == stat_time_ns(&y->st_ctim);
}

/* Reads to the end of the file; false: an error, or more bytes than the limit. */
static bool slurp(struct jsondir *d, int fd, size_t expect)
{
    d->file.size = 0;
    for (;;) {
        size_t want = expect > d->file.size ? expect - d->file.size + 1 : 65536;
        ssize_t n = read(fd, sl_bytes_room(&d->file, want), want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || (d->file.size += (size_t)n) > FILE_MAX_BYTES)
            return false;
        /* A regular file gives less than asked for only at its end; that the end was where it should be is seen after. */
        if (n == 0 || d->file.size == expect)
            return true;
    }
}

/* One pass over an open file. LOOK_OK with *stable unset: it changed meanwhile. */
static enum look_end read_once(struct jsondir *d, const struct folder *f, const char *name, int fd, struct look *l,
                               bool *stable)
{
    struct stat after;
    int64_t now = clock_ns(); /* before the look: an edit after it is stamped later than this, less one tick */
    if (fstat(fd, &l->st) != 0)
        return bad(f, name, l, strerror(errno));
    version_settled(f, &l->st, now, l->version);
    if (stat_fault(&l->st))
        return bad(f, name, l, stat_fault(&l->st));
    if ((uint64_t)l->st.st_size > FILE_MAX_BYTES)
        return too_large(f, name, l);
    if (!slurp(d, fd, (size_t)l->st.st_size) && d->file.size <= FILE_MAX_BYTES)
        return unread(f, name, l);
    *stable = fstat(fd, &after) == 0 && stat_same(&l->st, &after) && d->file.size == (size_t)after.st_size;
    l->size = d->file.size;
    return LOOK_OK;
}

enum look_end file_read(struct jsondir *d, const struct folder *f, const char *id, struct look *l)
{
    char name[NAME_ROOM];
    enum look_end end = LOOK_OK;
    bool stable = false;
    memset(l, 0, sizeof(*l));
    file_name(id, name);
    if (f->fd < 0)
        return LOOK_GONE;
    /* Opened anew for each try: what replaced the file meanwhile is what should be read. Not blocking: it may be a pipe. */
    for (int i = 0; i < TRIES && end == LOOK_OK && !stable; i++) {
        int fd = open_below(f->fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
            return not_opened(f, name, errno, l);
        end = read_once(d, f, name, fd, l, &stable);
        close(fd);
    }
    if (end == LOOK_OK && !stable) {
        l->version[0] = 0;
        return bad(f, name, l, "is being written to again and again: it is read once it is quiet");
    }
    return end;
}

enum look_end file_look(struct jsondir *d, const struct folder *f, const char *id, struct look *l)
{
    enum look_end end = file_read(d, f, id, l);
    if (end != LOOK_OK)
        return end;
    const char *message = NULL;
    int rc = d->host->json_read(d->host->ctx, l->size ? d->file.data : "", l->size, &l->fields, &l->n_fields,
                                &l->field_size, &message);
    if (rc == SL_OK)
        return LOOK_OK;
    char shown[NAME_ROOM];
    snprintf(l->why, sizeof(l->why), "%s/%s" SUFFIX ": %.400s; correct the file, it is read again once it changes",
             f->name, name_shown(id, shown), message ? message : "not a JSON object");
    return LOOK_BAD;
}

struct sl_record look_record(const struct folder *f, const char *id, const struct look *l)
{
    int64_t mtime_ns = stat_time_ns(&l->st.st_mtim);
    return (struct sl_record){.size = sizeof(struct sl_record),
                              .modified_grain_ms = (uint32_t)(stat_grain_ns(f, &l->st) / 1000000),
                              .id = id,
                              .version = l->version,
                              .modified_ms = mtime_ns > 0 ? mtime_ns / 1000000 : 0,
                              .fields = l->fields,
                              .n_fields = l->n_fields,
                              .field_size = l->field_size};
}
