/* SPDX-License-Identifier: MIT */
/* whole.h - a small connector that is right, a file a record, with one fault for each of the others to choose. */
#ifndef TESTS_CERTIFY_WHOLE_H
#define TESTS_CERTIFY_WHOLE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <syncline/syncline.h>

/* What is wrong with it. A file beside this one sets one, names itself, and includes this. */
struct faults {
    bool forgets_last_field; /* of an update */
    bool complete_early; /* one record before the end */
    bool version_fixed, version_restless;
    bool errors_are_tombstones;
    bool repeat_doubles;
    bool stores_nothing; /* and answers applied */
    bool ignores_expected;
    bool batch_lies; /* one bad write, and all are told as refused */
    bool leaks_file;
    bool touches_unmapped;
    bool cursor_skips;
    bool tears; /* writes in place, a field at a time */
    bool chatters; /* on standard output */
};
static const struct faults faults;

enum { LINE = 70000, N_FIELDS = 3 };
static const char *const names[N_FIELDS] = {"title", "body", "note"};

struct whole {
    const struct sl_host *host;
    char root[512];
};

/* A record: its text fields, a line each; a field that is not there has none. */
struct content {
    char *text[N_FIELDS];
    char version[32];
};

static int fail(struct whole *w, int class, const char *message)
{
    w->host->fail(w->host->ctx, message);
    return class;
}

static bool good_id(const char *id)
{
    bool good = *id && *id != '.' && strlen(id) <= 200;
    for (; *id; id++)
        good &= *id != '/' && (unsigned char)*id >= 32 && *id != 127;
    return good;
}

static void path_of(const struct whole *w, const char *id, char out[1800])
{
    snprintf(out, 1800, "%s/%s.rec", w->root, id);
}

static void content_free(struct content *c)
{
    for (int i = 0; i < N_FIELDS; i++)
        free(c->text[i]);
    memset(c, 0, sizeof *c);
}

static void put_version(struct content *c)
{
    static unsigned long restless;
    unsigned long long h = 14695981039346656037ULL;
    for (int i = 0; i < N_FIELDS; i++)
        for (const char *s = c->text[i] ? c->text[i] : "\x01"; *s; s++)
            h = (h ^ (unsigned char)*s) * 1099511628211ULL;
    snprintf(c->version, sizeof c->version, "%016llx", h);
    if (faults.version_fixed)
        snprintf(c->version, sizeof c->version, "1");
    if (faults.version_restless)
        snprintf(c->version, sizeof c->version, "%lu", ++restless);
}

/* Lengths and texts: "5:hello" or "-:". Returns 1, 0: not there, -1: unreadable. */
static int load(const struct whole *w, const char *id, struct content *c)
{
    char path[1800];
    int found = 1;
    memset(c, 0, sizeof *c);
    if (!good_id(id))
        return 0;
    path_of(w, id, path);
    FILE *f = fopen(path, "re");
    if (!f)
        return errno == ENOENT ? 0 : -1;
    for (int i = 0; i < N_FIELDS && found == 1; i++) {
        long n = -1;
        int mark = fgetc(f);
        if (mark == '-') {
            found = fgetc(f) == ':' ? 1 : -1;
            continue;
        }
        ungetc(mark, f);
        if (fscanf(f, "%ld", &n) != 1 || fgetc(f) != ':' || n < 0 || n > LINE) {
            found = -1;
            break;
        }
        c->text[i] = calloc(1, (size_t)n + 1);
        found = c->text[i] && fread(c->text[i], 1, (size_t)n, f) == (size_t)n ? 1 : -1;
    }
    if (!faults.leaks_file)
        fclose(f);
    put_version(c);
    return found;
}

static bool put_fields(FILE *f, const struct content *c)
{
    for (int i = 0; i < N_FIELDS; i++) {
        if (c->text[i])
            fprintf(f, "%zu:%s", strlen(c->text[i]), c->text[i]);
        else
            fputs("-:", f);
        if (faults.tears) {
            fflush(f);
            usleep(2000);
        }
    }
    bool whole = !fflush(f) && !fsync(fileno(f));
    return !fclose(f) && whole;
}

/* Beside it, then in its place; a new one never over another. 0, or an errno. */
static int store(const struct whole *w, const char *id, struct content *c, bool is_new)
{
    char path[1800], beside[600];
    path_of(w, id, path);
    snprintf(beside, sizeof beside, "%s/.%d.tmp", w->root, (int)getpid());
    put_version(c);
    if (faults.stores_nothing)
        return 0;
    FILE *f = fopen(faults.tears ? path : beside, "we");
    if (!f)
        return errno;
    if (!put_fields(f, c)) {
        unlink(beside);
        return EIO;
    }
    if (faults.tears)
        return 0;
    int rc = is_new ? link(beside, path) : rename(beside, path);
    rc = rc ? errno : 0;
    unlink(beside);
    return rc;
}

static struct sl_record record_of(const char *id, const struct content *c, struct sl_value fields[N_FIELDS])
{
    struct sl_record r = {.size = sizeof r, .id = id, .version = c->version, .fields = fields};
    r.field_size = sizeof *fields;
    for (int i = 0; i < N_FIELDS; i++)
        if (c->text[i])
            fields[r.n_fields++] = (struct sl_value){
                .name = names[i], .type = SL_STRING, .text = c->text[i], .text_size = strlen(c->text[i])};
    return r;
}

static int emit(struct whole *w, const char *id)
{
    struct content c;
    struct sl_value fields[N_FIELDS];
    int found = load(w, id, &c);
    struct sl_record r = record_of(id, &c, fields);
    struct sl_item item = {.size = sizeof item, .kind = SL_ITEM_RECORD, .id = id, .record = &r};
    if (found == 0 || (found < 0 && faults.errors_are_tombstones))
        item.kind = SL_ITEM_TOMBSTONE;
    else if (found < 0) {
        item.kind = SL_ITEM_UNREADABLE;
        item.error_class = SL_REJECTED;
        item.message = "its file is not readable; look at it";
    }
    int rc = w->host->emit(w->host->ctx, &item);
    content_free(&c);
    return rc;
}

/* --- the calls --- */

static int whole_open(const struct sl_host *host, const struct sl_settings *settings, void **session)
{
    struct whole *w = calloc(1, sizeof *w);
    if (!w) {
        host->fail(host->ctx, "no memory; run it again");
        return SL_RETRY;
    }
    w->host = host;
    for (uint32_t i = 0; i < settings->n_values; i++) {
        const struct sl_value *v = sl_value_at(settings->values, settings->value_size, i);
        if (strcmp(v->name, "root") == 0)
            snprintf(w->root, sizeof w->root, "%.*s", (int)v->text_size, v->text);
    }
    *session = w;
    return SL_OK;
}

static void whole_close(void *session)
{
    free(session);
}

static int whole_check(void *session)
{
    struct whole *w = session;
    if (faults.chatters)
        puts("checking");
    return access(w->root, R_OK) ? fail(w, SL_CONFIG, "`root` is not there; make it") : SL_OK;
}

#define CAPS                                                                                                           \
    (SL_CAP_CREATE | SL_CAP_UPDATE | SL_CAP_DELETE | SL_CAP_COMPLETE | SL_CAP_GET | SL_CAP_RESERVED_ID |               \
     SL_CAP_CONDITIONAL)

static int whole_describe(void *session, const char *object)
{
    struct whole *w = session;
    struct sl_field fields[N_FIELDS];
    struct sl_object o = {.size = sizeof o, .id_rule = SL_ID_NAME, .name = "things", .caps = CAPS, .fields = fields};
    for (int i = 0; i < N_FIELDS; i++)
        fields[i] = (struct sl_field){.name = names[i], .type = SL_STRING, .flags = SL_FIELD_WRITABLE};
    o.n_fields = N_FIELDS;
    o.field_size = sizeof *fields;
    o.id_max_bytes = 200;
    if (object && strcmp(object, o.name) != 0)
        return fail(w, SL_GONE, "there is only the object things; name that");
    return w->host->object(w->host->ctx, &o) ? SL_BROKEN : SL_OK;
}

static int is_record(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return n > 4 && e->d_name[0] != '.' && strcmp(e->d_name + n - 4, ".rec") == 0;
}

/* The fault's cursor is the number of records there were: what is changed, and not added, is skipped. */
static bool skipped(const struct sl_pull *pull, int n, int i)
{
    int from = faults.cursor_skips && pull->cursor && !(pull->flags & SL_PULL_FULL) ? atoi(pull->cursor) : 0;
    return (faults.cursor_skips && from >= n && from) || (faults.complete_early && i == n - 1 && n > 1);
}

static int whole_pull(void *session, const struct sl_pull *pull)
{
    struct whole *w = session;
    struct dirent **list = NULL;
    char cursor[16] = "";
    int n = scandir(w->root, &list, is_record, alphasort), rc = 0;
    if (n < 0)
        return fail(w, SL_RETRY, "`root` is not readable; look at it");
    for (int i = 0; i < n; i++) {
        list[i]->d_name[strlen(list[i]->d_name) - 4] = '\0';
        if (rc == 0 && !skipped(pull, n, i))
            rc = emit(w, list[i]->d_name);
    }
    if (faults.cursor_skips)
        snprintf(cursor, sizeof cursor, "%d", n);
    struct sl_page page = {.size = sizeof page, .kind = SL_PAGE_COMPLETE, .cursor = cursor};
    if (faults.cursor_skips && pull->cursor && atoi(pull->cursor) >= n && !(pull->flags & SL_PULL_FULL))
        page.kind = SL_PAGE_DONE;
    while (n--)
        free(list[n]);
    free(list);
    return rc || w->host->page(w->host->ctx, &page) ? SL_BROKEN : SL_OK;
}

static int whole_get(void *session, const struct sl_get *get)
{
    for (uint32_t i = 0; i < get->n_ids; i++)
        if (emit(session, get->ids[i]))
            return SL_BROKEN;
    return SL_OK;
}

static bool set(struct content *c, const char *name, const struct sl_value *v)
{
    for (int i = 0; i < N_FIELDS; i++)
        if (strcmp(names[i], name) == 0) {
            free(c->text[i]);
            c->text[i] = v->type == SL_NULL ? NULL : strndup(v->text ? v->text : "", v->text_size);
            return true;
        }
    return false;
}

/* The class of a refusal, or SL_OK with the new content. */
static int change(struct content *c, const struct sl_write *write)
{
    uint32_t n = write->n_fields;
    if (faults.forgets_last_field && write->kind == SL_UPDATE && n > 1)
        n--;
    for (uint32_t i = 0; i < n; i++) {
        const struct sl_value *v = sl_value_at(write->fields, write->field_size, i);
        if (v->type != SL_NULL && v->type != SL_STRING)
            return SL_REJECTED;
        if (!set(c, v->name, v))
            return SL_REJECTED;
    }
    if (faults.touches_unmapped && write->kind == SL_UPDATE)
        set(c, "note", &(struct sl_value){.type = SL_STRING, .text = "synced", .text_size = 6});
    return SL_OK;
}

static int carry_out(struct whole *w, const struct sl_write *write, const char *id, struct content *c)
{
    char path[1800];
    int found = good_id(id) ? load(w, id, c) : 0;
    if (!good_id(id))
        return write->kind == SL_CREATE ? SL_REJECTED : SL_GONE;
    if (found < 0)
        return SL_RETRY;
    if (write->kind == SL_CREATE && found)
        return SL_EXISTS;
    if (write->kind != SL_CREATE && !found)
        return SL_GONE;
    if (write->expected_version && strcmp(write->expected_version, c->version) != 0 && !faults.ignores_expected)
        return SL_CONFLICT;
    path_of(w, id, path);
    if (write->kind == SL_DELETE)
        return unlink(path) ? SL_RETRY : SL_OK;
    if (write->kind > SL_UPDATE)
        return SL_UNSUPPORTED;
    int refused = change(c, write);
    int error = refused ? 0 : store(w, id, c, write->kind == SL_CREATE);
    return error ? SL_RETRY : refused;
}

static int write_one(struct whole *w, uint32_t index, const struct sl_write *write, bool lie)
{
    char id[1100];
    struct content c = {0};
    struct sl_value fields[N_FIELDS];
    snprintf(id, sizeof id, "%s", write->id ? write->id : "");
    int class = carry_out(w, write, id, &c);
    if (class == SL_EXISTS && faults.repeat_doubles && (write->flags & SL_WRITE_REPEAT)) {
        content_free(&c);
        strcat(id, "-2");
        class = carry_out(w, write, id, &c);
    }
    struct sl_record r = record_of(id, &c, fields);
    bool holds = class == SL_EXISTS || (class == SL_OK && write->kind != SL_DELETE);
    struct sl_outcome o = {.size = sizeof o, .index = index, .result = SL_APPLIED, .record = holds ? &r : NULL};
    if (class || lie) {
        o.result = SL_NOT_APPLIED;
        o.error_class = (uint32_t)(class ? class : SL_REJECTED);
        o.message = "not carried out; look at the record";
    }
    int rc = w->host->outcome(w->host->ctx, &o);
    content_free(&c);
    return rc;
}

static bool any_bad(struct whole *w, const struct sl_batch *batch)
{
    bool bad = false;
    for (uint32_t i = 0; i < batch->n_writes; i++) {
        const struct sl_write *write = sl_write_at(batch, i);
        struct content c;
        bad |= write->kind != SL_CREATE && load(w, write->id, &c) != 1;
        content_free(&c);
    }
    return bad;
}

static int whole_write(void *session, const struct sl_batch *batch)
{
    struct whole *w = session;
    bool lie = faults.batch_lies && batch->n_writes > 1 && any_bad(w, batch);
    for (uint32_t i = 0; i < batch->n_writes; i++)
        if (write_one(w, i, sl_write_at(batch, i), lie))
            return SL_BROKEN;
    return SL_OK;
}

static const struct sl_option options[] = {
    {.name = "root", .kind = SL_OPT_PATH, .required = 1, .help = "Where the records are."}};

SL_EXPORT const struct sl_plugin syncline_plugin = {
    .size = sizeof(struct sl_plugin),
    .abi_major = SL_ABI_MAJOR,
    .abi_minor = SL_ABI_MINOR,
    .name = NAME,
    .version = "1.0",
    .summary = "A file a record, for the tests of certify.",
    .caps = CAPS | SL_REACH_FILES,
    .options = options,
    .n_options = 1,
    .option_size = sizeof(*options),
    .open = whole_open,
    .close = whole_close,
    .check = whole_check,
    .describe = whole_describe,
    .pull = whole_pull,
    .get = whole_get,
    .write = whole_write,
};

#endif
