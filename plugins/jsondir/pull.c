/* SPDX-License-Identifier: MIT */
/* pull.c - listing a folder in one pass, and reading records by id. */
#include "jsondir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FREE_EVERY 64u /* records between two json_free: memory stays flat however many there are */
#define STOP_EVERY 1024u /* entries between two looks at stopping() */
#define WAITS_MAX 5 /* a get waits this often for files touched just now, 20 ms each at most */

/* What one pull or get goes along with. */
struct pass {
    struct jsondir *d;
    const struct folder *f;
    bool whole; /* records, not stubs */
    uint32_t n;
    uint32_t skipped; /* names that can be nobody's id */
};

static int emit(struct pass *p, const struct sl_item *item)
{
    const struct sl_host *h = p->d->host;
    int rc = h->emit(h->ctx, item);
    if (++p->n % FREE_EVERY == 0)
        h->json_free(h->ctx);
    return rc == 0 ? SL_OK : SL_BROKEN;
}

static int emit_bad(struct pass *p, const char *id, const struct look *l)
{
    struct sl_item item = {.size = sizeof(item),
                           .kind = SL_ITEM_UNREADABLE,
                           .id = id,
                           .version = l->version,
                           .error_class = SL_REJECTED,
                           .message = l->why};
    return emit(p, &item);
}

static int emit_look(struct pass *p, const char *id, enum look_end end, const struct look *l)
{
    if (end == LOOK_FAULT)
        return refuse(p->d, SL_RETRY, "%s", l->why);
    if (end == LOOK_BAD || end == LOOK_UNREAD)
        return emit_bad(p, id, l);
    struct sl_record record = look_record(p->f, id, l);
    struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_RECORD, .id = id, .record = &record};
    return emit(p, &item);
}

/* Lists one file by its stamp; what is no record is said so at once. */
static int list_stub(struct pass *p, const char *name, const char *id)
{
    struct look l = {.version = ""};
    int64_t now = clock_ns();
    if (fstatat(p->f->fd, name, &l.st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? SL_OK : refuse(p->d, SL_RETRY, "%s/%s: %s", p->f->name, name, errno_advice(errno));
    version_settled(p->f, &l.st, now, l.version);
    const char *fault = stat_fault(&l.st);
    if (fault) {
        snprintf(l.why, sizeof(l.why), "%s/%s %s", p->f->name, name, fault);
        return emit_bad(p, id, &l);
    }
    struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_STUB, .id = id, .version = l.version};
    return emit(p, &item);
}

static int list_record(struct pass *p, const char *id)
{
    struct look l;
    enum look_end end = file_look(p->d, p->f, id, &l);
    return end == LOOK_GONE ? SL_OK : emit_look(p, id, end, &l);
}

/* True if the entry names a record; its id is then in id. */
static bool entry_id(struct pass *p, const struct dirent *entry, char id[NAME_ROOM])
{
    size_t n = strlen(entry->d_name), suffix = sizeof(SUFFIX) - 1;
    if (entry->d_name[0] == '.' || n <= suffix || strcmp(entry->d_name + n - suffix, SUFFIX) != 0)
        return false;
    memcpy(id, entry->d_name, n - suffix);
    id[n - suffix] = 0;
    if (name_ok(id, NAME_ROOM))
        return true;
    if (p->skipped++ == 0) {
        char shown[NAME_ROOM], text[SAID_ROOM];
        snprintf(text, sizeof(text), "%s/%s is left out: its name is not plain UTF-8 text; rename it", p->f->name,
                 name_shown(entry->d_name, shown));
        p->d->host->log(p->d->host->ctx, SL_LOG_WARN, text);
    }
    return false;
}

static int list_entries(struct pass *p, DIR *dir)
{
    const struct sl_host *h = p->d->host;
    struct dirent *entry;
    char id[NAME_ROOM];
    int rc = SL_OK;
    for (uint32_t i = 1; rc == SL_OK && (errno = 0, entry = readdir(dir)); i++) {
        if (i % STOP_EVERY == 0 && h->stopping(h->ctx))
            return refuse(p->d, SL_RETRY, "listing %s: the run is being stopped", p->f->name);
        if (entry_id(p, entry, id))
            rc = p->whole ? list_record(p, id) : list_stub(p, entry->d_name, id);
    }
    if (rc == SL_OK && errno != 0)
        return refuse(p->d, SL_RETRY, "listing %s: %s", p->f->name, errno_advice(errno));
    return rc;
}

static int list(struct pass *p)
{
    int fd = open_below(p->f->fd, ".", O_RDONLY | O_DIRECTORY);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        int code = errno;
        if (fd >= 0)
            close(fd);
        return refuse(p->d, SL_RETRY, "listing %s: %s", p->f->name, errno_advice(code));
    }
    int rc = list_entries(p, dir);
    closedir(dir);
    return rc;
}

int jsondir_pull(void *session, const struct sl_pull *pull)
{
    struct jsondir *d = session;
    struct folder f;
    struct pass p = {.d = d, .f = &f, .whole = (pull->flags & SL_PULL_RECORDS) != 0};
    /* No epoch: the inode of a folder changes with every copy or restore of the same records. */
    struct sl_page page = {.size = sizeof(page), .kind = SL_PAGE_COMPLETE};
    int rc = folder_open(d, pull->object, &f);
    if (rc == SL_OK && f.fd >= 0)
        rc = list(&p);
    folder_close(&f);
    d->host->json_free(d->host->ctx);
    if (rc != SL_OK)
        return rc;
    return d->host->page(d->host->ctx, &page) == 0 ? SL_OK : SL_BROKEN;
}

/* How long until the file's stamp tells every later edit apart; 0: it does, or waiting is no use. */
static int64_t unsettled_ns(const struct folder *f, const struct look *l)
{
    int64_t now = clock_ns(), touched = stat_touched_ns(&l->st), grain = stat_grain_ns(f, &l->st);
    if (l->version[0] || touched > now || grain > GRAIN_FINE_NS)
        return 0;
    return touched + grain - now + 1;
}

/* An id that names no file here is no reason to believe that a record was deleted. */
static int get_refused(struct pass *p, const char *id)
{
    struct look l = {.version = ""};
    char shown[NAME_ROOM];
    snprintf(l.why, sizeof(l.why), "id \"%s\" is no file name below %s: no slash, no leading dot, no control character",
             name_shown(id, shown), p->f->name);
    return text_ok(id) ? emit_bad(p, id, &l) : refuse(p->d, SL_REJECTED, "%s", l.why);
}

static int get_one(struct pass *p, const char *id, int *waits)
{
    struct look l;
    if (!name_ok(id, NAME_ROOM - sizeof(SUFFIX)))
        return get_refused(p, id);
    enum look_end end = file_look(p->d, p->f, id, &l);
    /* Worth 20 ms: with a settled version the record need not be read again, and a write of it can be conditional. */
    int64_t wait = end == LOOK_OK && *waits < WAITS_MAX ? unsettled_ns(p->f, &l) : 0;
    if (wait > 0) {
        (*waits)++;
        clock_wait(clock_ns() + wait, 2 * GRAIN_FINE_NS);
        end = file_look(p->d, p->f, id, &l);
    }
    if (end != LOOK_GONE)
        return emit_look(p, id, end, &l);
    struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_TOMBSTONE, .id = id};
    return emit(p, &item);
}

int jsondir_get(void *session, const struct sl_get *get)
{
    struct jsondir *d = session;
    struct folder f;
    struct pass p = {.d = d, .f = &f, .whole = true};
    int waits = 0;
    int rc = folder_open(d, get->object, &f);
    for (uint32_t i = 0; i < get->n_ids && rc == SL_OK; i++)
        rc = get_one(&p, get->ids[i], &waits);
    folder_close(&f);
    d->host->json_free(d->host->ctx);
    return rc;
}
