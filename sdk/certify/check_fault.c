/* SPDX-License-Identifier: MIT */
/* check_fault.c - checks under faults: killed in a batch, no files to open, no room to write, a host that has had enough. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "certify.h"

enum { BATCH = 12, KILLS = 8, MOST_FILES = 8, BYTES = 40 };

/* The limit under which so many more files may be opened: free numbers lie between those in use. */
static rlim_t files_limit(rlim_t more)
{
    int fd = 0;
    while (fd < 4096 && (fcntl(fd, F_GETFD) >= 0 || more-- > 0))
        fd++;
    return (rlim_t)fd;
}

/* --- killed --- */

static void write_and_die(struct trial *t, const struct sl_write *writes, uint32_t n, int64_t after_us)
{
    pid_t child = fork();
    if (child == 0) {
        session_close(t->s);
        t->s = trial_session(t);
        if (t->s)
            write_many(t, writes, n);
        _exit(0);
    }
    struct timespec wait = {.tv_sec = after_us / 1000000, .tv_nsec = after_us % 1000000 * 1000};
    nanosleep(&wait, NULL);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    if (t->o.late_ms && t->subject->peer.pid == 0) /* the simulated API is late only when it is told to be */
        session_real_world.sleep_ms(NULL, t->o.late_ms);
}

static void open_again(struct trial *t)
{
    session_close(t->s);
    t->s = trial_session(t);
    settle(t);
}

/* How long such a batch takes here, so that the kills fall into it. */
static int64_t batch_us(struct trial *t, const struct sl_write *writes, uint32_t n)
{
    int64_t from = clock_mono_us();
    struct session *mine = t->s;
    t->s = trial_session(t);
    if (t->s)
        write_many(t, writes, n);
    session_close(t->s);
    t->s = mine;
    return clock_mono_us() - from;
}

static uint32_t batch_size(const struct trial *t)
{
    return t->o.batch_max && t->o.batch_max < BATCH ? t->o.batch_max : BATCH;
}

static void fill_creates(struct trial *t, struct sl_write *writes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        writes[i] = create_of(t, 1000 + i);
}

/* Whole or not there; and in the end, repeated, there once. */
static void judge_creates(struct trial *t, const struct sl_write *writes, uint32_t n, uint32_t *n_there)
{
    for (uint32_t i = 0; i < n && !done(t); i++) {
        struct told k = read_id(t, writes[i].id);
        *n_there += k.kind == SL_ITEM_RECORD;
        if (k.kind == SL_ITEM_UNREADABLE)
            wrong(t, "killed in a batch of creates, and '%s' cannot be read", writes[i].id);
        for (uint32_t f = 0; k.kind == SL_ITEM_RECORD && f < writes[i].n_fields; f++)
            if (!value_kept(&t->a, &writes[i].fields[f], record_field(k.record, writes[i].fields[f].name)))
                wrong(t, "killed in a batch of creates, and '%s' is there without its %s", writes[i].id,
                      writes[i].fields[f].name);
    }
}

static void repeat_creates(struct trial *t, struct sl_write *writes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        writes[i].flags = SL_WRITE_REPEAT;
    struct write_outcome *o = done(t) ? NULL : write_many(t, writes, n);
    for (uint32_t i = 0; o && i < n && !done(t); i++) {
        bool exists = o[i].result == SL_NOT_APPLIED && o[i].error_class == SL_EXISTS;
        if (!exists && applied(t, &o[i], "a create repeated after a kill"))
            read_record(t, writes[i].id);
        made(t, writes[i].id);
    }
}

static void killed_creating(struct trial *t)
{
    struct sl_write writes[BATCH];
    uint32_t n = batch_size(t), n_there = 0;
    fill_creates(t, writes, n);
    int64_t us = batch_us(t, writes, n);
    for (int k = 0; k <= KILLS && !done(t); k++) {
        fill_creates(t, writes, n);
        write_and_die(t, writes, n, us * k / KILLS);
        open_again(t);
        if (!done(t))
            judge_creates(t, writes, n, &n_there);
        repeat_creates(t, writes, n);
    }
    note(t, "%d kills in batches of %u, %u of %u creates were carried out", KILLS + 1, n, n_there, n * (KILLS + 1));
}

static void fill_updates(struct trial *t, struct sl_write *writes, const char *const *ids, uint32_t n, uint32_t k)
{
    struct sl_field f = main_field(t, 0), g = main_field(t, 1);
    for (uint32_t i = 0; i < n; i++) {
        struct sl_value *fields = arena_alloc(&t->a, 2 * sizeof *fields);
        writes[i] = plain(SL_UPDATE, ids[i]);
        fields[writes[i].n_fields++] = sample(t, &f, k);
        if (g.name)
            fields[writes[i].n_fields++] = sample(t, &g, k);
        writes[i].fields = fields;
    }
}

/* All its fields as before, or all as after. */
static int which(struct trial *t, const struct sl_record *r, const struct sl_write *w)
{
    uint32_t n = 0;
    for (uint32_t f = 0; f < w->n_fields; f++)
        n += value_kept(&t->a, &w->fields[f], record_field(r, w->fields[f].name));
    return n == w->n_fields ? 1 : n == 0 ? 0 : -1;
}

static void killed_updating(struct trial *t)
{
    struct sl_write before[BATCH], after[BATCH];
    const char *ids[BATCH] = {0};
    uint32_t n = batch_size(t), n_done = 0;
    if (!main_field(t, 0).name) {
        left_out(t, "no field can be written");
        return;
    }
    make_many(t, n, ids);
    fill_updates(t, before, ids, n, 2000);
    int64_t us = done(t) ? 0 : batch_us(t, before, n);
    for (int k = 0; k <= KILLS && !done(t); k++) {
        fill_updates(t, after, ids, n, 3000 + 10 * (uint32_t)k);
        write_and_die(t, after, n, us * k / KILLS);
        open_again(t);
        for (uint32_t i = 0; i < n && !done(t); i++) {
            const struct sl_record *r = read_record(t, ids[i]);
            int now = r ? which(t, r, &after[i]) : 0;
            n_done += now == 1;
            if (r && now != 1 && (now < 0 || which(t, r, &before[i]) != 1))
                wrong(t, "killed in a batch of updates, and '%s' is neither as before nor as after", ids[i]);
        }
        struct write_outcome *o = done(t) ? NULL : write_many(t, after, n);
        for (uint32_t i = 0; o && i < n; i++)
            applied(t, &o[i], "an update repeated after a kill");
        memcpy(before, after, sizeof before);
    }
    note(t, "%d kills in batches of %u, %u of %u updates were carried out", KILLS + 1, n, n_done, n * (KILLS + 1));
}

static void outlives(struct trial *t)
{
    const char *id = make_one(t, 1000);
    open_again(t);
    read_record(t, id);
}

/* --- no more files, no room --- */

static rlim_t limit(__rlimit_resource_t what, rlim_t n)
{
    struct rlimit l;
    getrlimit(what, &l);
    rlim_t was = l.rlim_cur;
    l.rlim_cur = n;
    setrlimit(what, &l);
    return was;
}

/* A refusal is right under a fault; only what is said of a record must be true. */
static void forgive(struct trial *t)
{
    t->wrong = false;
    t->said[0] = '\0';
}

static void reads_starved(struct trial *t)
{
    const char *ids[3] = {0};
    bool lied = false;
    make_many(t, 3, ids);
    for (rlim_t k = 0; k < MOST_FILES && !done(t); k++) {
        rlim_t was = limit(RLIMIT_NOFILE, files_limit(k));
        struct listing l = get_ids(t, ids, 3);
        limit(RLIMIT_NOFILE, was);
        forgive(t);
        for (uint32_t i = 0; i < l.n; i++)
            lied |= l.items[i].kind == SL_ITEM_TOMBSTONE;
        if (lied)
            wrong(t, "no file could be opened, and get says that a record is not there");
    }
    read_record(t, ids[0]);
}

static void lists_starved(struct trial *t)
{
    const char *ids[3] = {0};
    make_many(t, 3, ids);
    for (rlim_t k = 0; k < MOST_FILES && !done(t); k++) {
        struct listing l;
        rlim_t was = limit(RLIMIT_NOFILE, files_limit(k));
        list_all(t, &l);
        limit(RLIMIT_NOFILE, was);
        bool refused = t->wrong;
        forgive(t);
        for (uint32_t i = 0; !refused && l.end.kind == SL_PAGE_COMPLETE && i < 3; i++)
            if (!listed(&l, ids[i]))
                wrong(t, "no file could be opened, and a listing is COMPLETE without '%s'", ids[i]);
    }
    read_record(t, ids[0]);
}

static void writes_starved(struct trial *t, __rlimit_resource_t what)
{
    for (rlim_t k = 0; k < MOST_FILES && !done(t); k++) {
        struct sl_write w = create_of(t, 1000 + (uint32_t)k);
        rlim_t was = limit(what, what == RLIMIT_NOFILE ? files_limit(k) : k * BYTES);
        struct write_outcome o = write_one(t, &w);
        limit(what, was);
        const char *id = o.record ? o.record->id : w.id;
        struct told now = id ? read_id(t, id) : (struct told){0};
        if (id && !done(t) && o.result == SL_APPLIED && now.kind != SL_ITEM_RECORD)
            wrong(t, "a create is told as applied, and '%s' is not there", id);
        else if (id && !done(t) && o.result == SL_NOT_APPLIED && o.error_class != SL_EXISTS &&
                 now.kind == SL_ITEM_RECORD)
            wrong(t, "a create is told as not applied, and '%s' is there", id);
        if (id && now.kind == SL_ITEM_RECORD)
            made(t, id);
    }
    make_one(t, 3000);
}

static void writes_no_files(struct trial *t)
{
    writes_starved(t, RLIMIT_NOFILE);
}

static void writes_no_room(struct trial *t)
{
    signal(SIGXFSZ, SIG_IGN);
    writes_starved(t, RLIMIT_FSIZE);
}

/* --- a host that ends the call --- */

static int enough(void *self, const struct sl_item *item)
{
    int *left = self;
    (void)item;
    return --*left < 0;
}

static void host_has_enough(struct trial *t)
{
    const char *ids[4];
    struct sl_pull pull = {.flags = SL_PULL_RECORDS, .object = t->o.name};
    struct listing l;
    if (can(t, SL_CAP_CREATE))
        make_many(t, 4, ids);
    for (int n = 0; n < 4 && !done(t); n++) {
        int left = n;
        struct page_end end;
        err_clear(&t->e);
        session_pull(t->s, &pull, (struct session_sink){&left, enough}, &t->a, &end, &t->e);
        if (left < -1)
            wrong(t, "it emits %d more after the host had enough", -1 - left);
    }
    list_all(t, &l);
}

static int always(void *self)
{
    (void)self;
    return 1;
}

static void stopping(struct trial *t)
{
    struct session_world world = *t->world;
    struct session *mine = t->s;
    const struct session_world *was = t->world;
    const char *id = some_id(t);
    struct listing l = {0};
    world.stopping = always;
    t->world = &world;
    t->s = done(t) ? NULL : trial_session(t);
    if (t->s) {
        list_all(t, &l);
        bool ended = t->wrong;
        forgive(t);
        if (!ended && l.end.kind == SL_PAGE_COMPLETE && !listed(&l, id) && !t->subject->own)
            wrong(t, "stopped, and a listing is COMPLETE without '%s'", id);
        session_close(t->s);
    }
    t->s = mine;
    t->world = was;
}

/* --- records that cannot be read --- */

static void unreadable(struct trial *t)
{
    const struct own *own = t->subject->own;
    const char *id = make_one(t, 1000);
    struct listing l;
    if (!own || !own->broken_file) {
        left_out(t, "none can be put there from outside");
        return;
    }
    char *path = path_join(&t->a, t->subject->folder, own->broken_file);
    struct buf before = {0};
    file_read(path, 0, &before, &t->e);
    err_clear(&t->e);
    FILE *f = fopen(path, own->broken_append ? "ae" : "we");
    if (f) {
        fputs(own->broken_text, f);
        fclose(f);
    }
    list_all(t, &l);
    const struct told *k = listed(&l, own->broken_id);
    if (!done(t) && (!k || k->kind != SL_ITEM_UNREADABLE))
        wrong(t, "a record that cannot be read is %s", k ? "told as if it were whole" : "left out of a listing");
    read_record(t, id);
    struct told one = done(t) ? (struct told){0} : read_id(t, own->broken_id);
    if (!done(t) && one.kind == SL_ITEM_TOMBSTONE && !own->broken_append)
        wrong(t, "a record that cannot be read is told as not there");
    if (!before.size)
        unlink(path);
    else
        file_write_atomic(path, 0600, before.data, before.size, &t->e);
    buf_fini(&before);
}

const struct check checks_fault[] = {
    {"fault.outlives", "what is applied outlives the session", SL_CAP_CREATE, KEEPS, outlives},
    {"fault.kill-create", "killed in a batch of creates, each is whole or not there, and is repeated safely",
     SL_CAP_CREATE | SL_CAP_RESERVED_ID, KEEPS, killed_creating},
    {"fault.kill-update", "killed in a batch of updates, each record is as before or as after",
     SL_CAP_CREATE | SL_CAP_UPDATE, KEEPS, killed_updating},
    {"fault.get-starved", "without files to open, no record is told as gone", SL_CAP_CREATE | SL_CAP_GET, FOR_ALL,
     reads_starved},
    {"fault.list-starved", "nor left out of a whole listing", SL_CAP_CREATE | SL_CAP_COMPLETE, FOR_ALL, lists_starved},
    {"fault.write-starved", "nor is a write told wrongly", SL_CAP_CREATE, KEEPS, writes_no_files},
    {"fault.no-room", "nor where there is no room for it", SL_CAP_CREATE, KEEPS, writes_no_room},
    {"fault.enough", "a host that has had enough of a listing is obeyed", 0, FOR_ALL, host_has_enough},
    {"fault.stopping", "a run that is stopped leaves out no record", SL_CAP_COMPLETE, KEEPS, stopping},
    {"fault.unreadable", "a record that cannot be read is told as that, and hurts no other",
     SL_CAP_CREATE | SL_CAP_COMPLETE, FOR_ALL, unreadable},
    {0},
};
