/* SPDX-License-Identifier: MIT */
/* supervisor.c - the daemon's first process: runs what is due in workers, restarts what dies, takes in edited configs. */
#include "daemon/supervisor.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/board.h"
#include "daemon/claim.h"
#include "daemon/death.h"
#include "daemon/listen.h"
#include "daemon/notify.h"
#include "daemon/office.h"
#include "daemon/trouble.h"

/* Longest wait: a machine that wakes from sleep finds out soon that much is overdue. */
static const int64_t wait_most_ms = 5000, settle_ms = 100, check_ms = 60000;

/* --- the config --- */

static void refuse(struct supervisor *s, const char *why)
{
    if (!s->roster.state) { /* the first one: as every command says it */
        fprintf(stderr, "%s%s", why, *why && why[strlen(why) - 1] == '\n' ? "" : "\n");
        s->rc = 2;
        s->stopping = true;
        return;
    }
    for (const char *line = why; *line; line += strcspn(line, "\n"), line += *line == '\n')
        log_line(LOG_ERROR, NULL, "the edited config is refused, the old one stays: %.*s", (int)strcspn(line, "\n"),
                 line);
    s->host.refused = true;
    office_note(s, why);
}

/* The text goes to workers as it was tried: what the file holds later is the next config. */
static int keep_text(const struct buf *text)
{
    int fd = memfd_create("syncline-config", MFD_CLOEXEC);
    if (fd >= 0 && write(fd, text->data, text->size) == (ssize_t)text->size)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool tries(const struct pool *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->workers[i].candidate)
            return true;
    return false;
}

/* Starts a worker on the file as it is now. A file that cannot be read is the worker's to name. */
static void try_config(struct supervisor *s, int64_t now_ms)
{
    struct buf text = {0};
    struct err ignored = {0}, e = {0};
    bool read = file_read(s->config, 0, &text, &ignored) == 0 && text.size;
    uint64_t hash = hash64(text.data, text.size);
    bool same = s->newest && hash == s->tried_hash && !s->reload_forced;
    s->reload_at_ms = 0;
    s->reload_forced = false;
    s->tried_hash = hash;
    if (!same) {
        s->tried_fd = read ? keep_text(&text) : -1;
        struct worker *w = pool_start(&s->pool, s->config, s->tried_fd, ++s->newest, now_ms, &e);
        if (w)
            w->candidate = true;
        else
            refuse(s, e.text);
    }
    buf_fini(&text);
}

static void want_config(struct supervisor *s, bool forced, int64_t at_ms)
{
    s->reload_at_ms = at_ms;
    s->reload_forced |= forced;
}

static void drop_tried(struct supervisor *s)
{
    if (s->tried_fd >= 0)
        close(s->tried_fd);
    s->tried_fd = -1;
}

/* Listens where the config says, if that is not where it listens. */
static int listen_anew(struct supervisor *s, const struct roster *r, struct err *e)
{
    char bound[80];
    int fd = -1;
    if (s->roster.listen && strcmp(s->roster.listen, r->listen) == 0)
        return 0;
    if (listen_bind(r->listen, &fd, bound, e))
        return e->code;
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    s->listen_fd = fd;
    if (s->gateway.pid) /* it listens on the old one */
        kill(s->gateway.pid, SIGTERM);
    log_line(LOG_INFO, NULL, "listening on http://%s", bound);
    return 0;
}

static int settle_in(struct supervisor *s, const struct roster *r, struct err *e)
{
    if (s->roster.state && strcmp(s->roster.state, r->state) != 0)
        return err_set(e, ERR_CONFIG,
                       "state: another folder (%s) needs a daemon of its own; stop this one and start it", r->state);
    if (!s->roster.state && claim_take(r->state, &s->claim, e))
        return e->code;
    return listen_anew(s, r, e);
}

static void say_taken(const struct supervisor *s, const struct roster *r)
{
    log_line(LOG_INFO, NULL, "config %s is in force: %zu pairs", s->config, r->n_pairs);
    for (size_t i = 0; i < r->n_wants; i++)
        if (r->wants[i].every_ms <= 0)
            log_line(LOG_WARN, r->wants[i].name,
                     "has no `every` and does not run by itself; give it one, like \"60s\"");
}

/* The candidate has taken it: from now on it is what the daemon works by, and the candidate is a worker like others. */
static void adopt(struct supervisor *s, struct worker *w, struct roster *r, int64_t now_ms)
{
    w->candidate = false;
    w->ready = true;
    w->since_ms = now_ms;
    if (s->conf_fd >= 0)
        close(s->conf_fd);
    s->conf_fd = s->tried_fd;
    s->tried_fd = -1;
    s->number = w->config;
    s->pool.failures = 0;
    s->pool.not_before_ms = now_ms;
    parking_clear(&s->parking);
    schedule_set(s->schedule, r->wants, r->n_wants, now_ms);
    board_set(&s->board, r->state, s->schedule, r->wants, r->n_wants);
    figures_set(&s->figures, r->pairs, r->ran_ago_ms, r->n_pairs, now_ms);
    clerk_set(&s->clerk, r->api);
    figures_set_hooks(&s->figures, r->hooks, r->n_hooks);
    reception_set(&s->reception, s->number, r->n_hooks != 0, now_ms);
    watch_plugins(&s->watch, r->plugin_folders, r->n_plugin_folders);
    say_taken(s, r);
    roster_fini(&s->roster);
    s->roster = *r;
    trouble_note(&s->parking, &s->roster);
    s->host.refused = false;
    office_note(s, NULL);
    if (s->host.reloads++ == 0)
        notify_say("READY=1");
}

static void take_config(struct supervisor *s, struct worker *w, const struct message *m, int64_t now_ms)
{
    struct roster r;
    struct err e = {0};
    if (roster_read(&r, m->text, m->n_bytes, &e) == 0 && settle_in(s, &r, &e) == 0) {
        adopt(s, w, &r, now_ms);
        return;
    }
    roster_fini(&r);
    if (s->roster.state) {
        refuse(s, e.text);
    } else { /* that ends it: one sentence, as of any command */
        *s->e = e;
        s->stopping = true;
    }
    drop_tried(s);
    pool_dismiss(w);
}

static void take_refusal(struct supervisor *s, struct worker *w, const struct message *m)
{
    struct buf why = {0};
    buf_add(&why, m->text, m->n_bytes);
    if (w->candidate) {
        refuse(s, why.data);
        drop_tried(s);
    } else {
        log_line(s->pool.failures ? LOG_DEBUG : LOG_ERROR, NULL,
                 "a new worker refuses the config that is in force, others go on: %s", why.data);
    }
    pool_dismiss(w);
    buf_fini(&why);
}

/* --- workers --- */

/* A run that was told to end has an error, too. */
static void tell(const struct figures_news *n, bool stopping)
{
    const struct log_about about = {.pair = n->pair, .run = n->run};
    struct run_sentence one;
    if (n->error)
        log_about(stopping ? LOG_INFO : LOG_ERROR, &about, "%s", n->error);
    else if (n->mended)
        log_about(LOG_INFO, &about, "runs again");
    for (const char *at = n->message; (at = run_sentence(at, &one)) != NULL;)
        log_about(LOG_WARN, &(struct log_about){n->pair, n->run, {one.id[0], one.id[1]}}, "%.*s", (int)one.n_bytes,
                  one.text);
    if (n->written)
        log_about(LOG_INFO, &about, "%" PRIu64 " seen, %" PRIu64 " written (run %s, %" PRId64 " ms)", n->seen,
                  n->written, n->run, n->ms);
}

static int take_report(struct supervisor *s, const struct message *m, int64_t now_ms)
{
    struct figures_news news;
    struct err e = {0};
    if (figures_take(&s->figures, m->text, m->n_bytes, now_ms, &news, &e)) {
        log_line(LOG_ERROR, NULL, "%s", e.text);
        return -1;
    }
    if (news.pair)
        tell(&news, s->stopping);
    return 0;
}

static void end_run(struct supervisor *s, struct worker *w, int outcome, int64_t now_ms)
{
    struct schedule_unit *unit = w->unit;
    bool stays = !unit->gone; /* else it is freed */
    schedule_done(s->schedule, unit, outcome, now_ms);
    if (stays)
        board_put(&s->board, unit);
    w->unit = NULL;
}

static int take_done(struct supervisor *s, struct worker *w, const struct message *m, int64_t now_ms)
{
    if (!w->unit)
        return -1;
    int outcome = pool_outcome(w, m);
    end_run(s, w, outcome, now_ms);
    w->since_ms = now_ms;
    return 0;
}

static int take_death(struct supervisor *s, const struct worker *w, const struct message *m, int64_t now_ms)
{
    struct death d;
    bool read = death_read(&d, m->text, m->n_bytes);
    if (read)
        parking_count(&s->parking, d.connection, d.times);
    /* one that works by an older config says nothing about this one */
    if (read && *d.how && w->config == s->number && parking_died(&s->parking, d.connection, d.how, now_ms))
        trouble_parked(parking_of(&s->parking, d.connection, now_ms), &s->roster);
    if (read)
        trouble_note(&s->parking, &s->roster);
    death_fini(&d);
    return read ? 0 : -1;
}

static int take_loaded(struct supervisor *s, struct worker *w, const struct message *m, int64_t now_ms)
{
    if (w->ready)
        return -1;
    if (w->candidate) {
        take_config(s, w, m, now_ms);
        return 0;
    }
    w->ready = true;
    w->since_ms = now_ms;
    s->pool.failures = 0;
    return 0;
}

/* -1: no worker says that. */
static int take_message(struct supervisor *s, struct worker *w, const struct message *m, int64_t now_ms)
{
    w->heard_ms = now_ms;
    switch (m->kind) {
    case MESSAGE_LOADED:
        return take_loaded(s, w, m, now_ms);
    case MESSAGE_REFUSED:
        take_refusal(s, w, m);
        return 0;
    case MESSAGE_REPORT:
        return take_report(s, m, now_ms);
    case MESSAGE_DONE:
        return take_done(s, w, m, now_ms);
    case MESSAGE_DIED:
        return take_death(s, w, m, now_ms);
    case MESSAGE_ALIVE:
        return 0;
    default:
        return -1;
    }
}

/* A worker whose words are none cannot be trusted with a run either. */
static void hear_worker(struct supervisor *s, struct worker *w, int64_t now_ms)
{
    struct message m;
    int got = 0;
    if (w->child.channel.fd < 0)
        return;
    bool well = channel_fill(&w->child.channel);
    while ((got = channel_next(&w->child.channel, &m)) > 0)
        if (take_message(s, w, &m, now_ms))
            break;
    if (got == 0 && well && channel_flush(&w->child.channel))
        return;
    channel_close(&w->child.channel);
    if (w->child.pid && !(w->leaving && !w->unit))
        kill(w->child.pid, SIGKILL);
}

/* A worker that loads no config, or runs without a sign of life, is of no use. */
static void end_silent(const struct supervisor *s, struct worker *w, int64_t now_ms)
{
    int64_t most_ms = w->ready ? s->roster.run_silence_ms : check_ms;
    bool waits = w->ready && !w->unit;
    if (!w->child.pid || waits || w->silent || now_ms - w->heard_ms <= most_ms)
        return;
    w->silent = true;
    kill(w->child.pid, SIGKILL);
}

static void bury(struct supervisor *s, struct worker *w, const char *how, int64_t now_ms)
{
    char why[160];
    if (w->candidate && !w->leaving) {
        snprintf(why, sizeof why, "the worker that tried it %s; run `syncline check`", how);
        refuse(s, why);
        drop_tried(s);
    } else if (!w->leaving) {
        s->host.worker_restarts++;
        log_line(LOG_WARN, w->unit ? w->unit->name : NULL, "worker %" PRIu64 " %s%s; another takes over", w->serial,
                 how, w->unit ? " in a run, which begins again" : "");
    }
    if (w->unit && w->silent)
        trouble_silent(w->unit->name, &s->roster);
    if (w->unit)
        end_run(s, w, SCHEDULE_FAILED, now_ms);
    pool_forget(&s->pool, w, now_ms);
}

/* Who has slept, or was stopped himself, has heard nothing in that time. */
static void excuse(struct supervisor *s, int64_t now_ms)
{
    bool slept = now_ms - s->turn_ms > 2 * wait_most_ms;
    for (size_t i = 0; i < s->pool.n && slept; i++)
        s->pool.workers[i].heard_ms = now_ms;
    s->turn_ms = now_ms;
}

static void tend_workers(struct supervisor *s, int64_t now_ms)
{
    char how[64];
    excuse(s, now_ms);
    for (size_t i = s->pool.n; i-- > 0;) {
        struct worker *w = &s->pool.workers[i];
        hear_worker(s, w, now_ms);
        end_silent(s, w, now_ms);
        if (child_ended(&w->child, how)) {
            hear_worker(s, w, now_ms); /* its last words */
            bury(s, w, how, now_ms);
        }
    }
}

static void start_worker(struct supervisor *s, int64_t now_ms)
{
    struct err e = {0};
    s->pool.lost -= s->pool.lost > 0;
    if (pool_start(&s->pool, s->config, s->conf_fd, s->number, now_ms, &e))
        return;
    log_line(LOG_ERROR, NULL, "%s", e.text);
    s->pool.not_before_ms = now_ms + 1000;
}

static void give(struct supervisor *s, struct worker *w, struct schedule_unit *unit, int64_t now_ms)
{
    w->heard_ms = now_ms;
    pool_give(w, unit);
    board_put(&s->board, unit);
}

/* The next pair that is due and may run: those of a parked connection are put off. */
static const struct schedule_unit *peek(struct supervisor *s, int64_t now_ms)
{
    const struct schedule_unit *due = NULL;
    while ((due = schedule_peek(s->schedule, now_ms)) != NULL) {
        const struct parking_spot *parked = NULL;
        for (int side = 0; side < 2 && !parked; side++)
            parked = parking_of(&s->parking, s->roster.sides[due->order][side], now_ms);
        if (!parked)
            break;
        schedule_put_off(s->schedule, parked->until_ms);
        board_put(&s->board, due);
    }
    return due;
}

/* Gives out what is due. True: work waits for a worker. */
static bool dispatch(struct supervisor *s, int64_t now_ms)
{
    const struct schedule_unit *due = NULL;
    struct worker *w = NULL;
    if (s->stopping || !s->roster.state)
        return false;
    while ((due = peek(s, now_ms)) != NULL && (w = pool_idle(&s->pool, due)) != NULL)
        give(s, w, schedule_take(s->schedule, now_ms), now_ms);
    if ((due || s->pool.lost || s->pool.n == 0) && pool_may_start(&s->pool, now_ms))
        start_worker(s, now_ms);
    return due != NULL;
}

/* --- signals, and the loop --- */

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    const int wanted[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        sigaddset(&set, wanted[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void stop(struct supervisor *s)
{
    if (s->stopping) { /* the second time; the protocol makes that safe */
        pool_kill(&s->pool);
        _exit(1);
    }
    s->stopping = true;
    notify_say("STOPPING=1");
    log_line(LOG_INFO, NULL, "stopping: %zu runs in flight", pool_running(&s->pool));
}

static void take_signals(struct supervisor *s, int64_t now_ms)
{
    struct signalfd_siginfo info;
    while (read(s->signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            stop(s);
        else if (info.ssi_signo == SIGHUP)
            want_config(s, true, now_ms);
    }
}

static void take_changes(struct supervisor *s, int64_t now_ms)
{
    unsigned change = watch_read(&s->watch);
    if (change) /* an editor may write more than once */
        want_config(s, (change & WATCH_PLUGINS) != 0, now_ms + settle_ms);
    if (s->reload_at_ms && now_ms >= s->reload_at_ms && !s->stopping && !tries(&s->pool))
        try_config(s, now_ms);
}

static void tend_watchdog(struct supervisor *s, int64_t now_ms)
{
    if (!s->watchdog_ms || !s->host.reloads || now_ms - s->watchdog_at_ms < s->watchdog_ms)
        return;
    s->watchdog_at_ms = now_ms;
    notify_say("WATCHDOG=1");
}

static int64_t sooner(int64_t wait_ms, int64_t at_ms, int64_t now_ms)
{
    int64_t left = at_ms > now_ms ? at_ms - now_ms : 0;
    return left < wait_ms ? left : wait_ms;
}

/* work: some waits for a worker, whose words end the wait. */
static int wait_ms(struct supervisor *s, bool work, int64_t now_ms)
{
    int64_t errand = errands_wait(s->clerk.errands, now_ms);
    int64_t wait = errand >= 0 ? errand : wait_most_ms,
            due = work || s->stopping ? -1 : schedule_wait(s->schedule, now_ms);
    if (due >= 0 && due < wait && s->roster.state)
        wait = due;
    if (work && s->pool.not_before_ms > now_ms)
        wait = sooner(wait, s->pool.not_before_ms, now_ms);
    if (s->reload_at_ms && !tries(&s->pool))
        wait = sooner(wait, s->reload_at_ms, now_ms);
    if (s->watchdog_ms && s->host.reloads)
        wait = sooner(wait, s->watchdog_at_ms + s->watchdog_ms, now_ms);
    if (!s->gateway.pid && s->listen_fd >= 0 && !s->stopping)
        wait = sooner(wait, s->gateway_at_ms, now_ms);
    return (int)reception_wait_ms(&s->reception, wait, now_ms);
}

static void wait_for_something(struct supervisor *s, int ms)
{
    struct pollfd fds[POOL_MAX + RECEPTION_MAX + 3] = {{s->signals, POLLIN, 0}, {s->watch.fd, POLLIN, 0}};
    nfds_t n = 2;
    const struct channel *gateway = &s->gateway.channel;
    if (s->gateway.pid && gateway->fd >= 0)
        fds[n++] = (struct pollfd){gateway->fd, (short)(gateway->out.size ? POLLIN | POLLOUT : POLLIN), 0};
    n += reception_fds(&s->reception, fds + n);
    for (size_t i = 0; i < s->pool.n; i++) {
        const struct channel *c = &s->pool.workers[i].child.channel;
        if (c->fd >= 0)
            fds[n++] = (struct pollfd){c->fd, (short)(c->out.size ? POLLIN | POLLOUT : POLLIN), 0};
    }
    poll(fds, n, ms);
}

/* One turn. False: all has ended. */
static bool turn(struct supervisor *s)
{
    int64_t now_ms = clock_boot_ms();
    bool stopped = s->stopping;
    take_signals(s, now_ms);
    tend_workers(s, now_ms);
    office_tend(s, now_ms);
    office_hear(s, now_ms);
    take_changes(s, now_ms);
    tend_watchdog(s, now_ms);
    bool work = dispatch(s, now_ms);
    pool_trim(&s->pool, s->number, now_ms);
    if (s->stopping && !stopped) {
        pool_stop(&s->pool);
        office_stop(s);
    }
    if (s->stopping && s->pool.n == 0 && office_closed(s))
        return false;
    wait_for_something(s, wait_ms(s, work, clock_boot_ms()));
    return true;
}

static void open_all(struct supervisor *s)
{
    uint64_t seed = 0;
    random_bytes(&seed, sizeof seed);
    s->host.started_s = clock_now_ms() / 1000;
    pool_init(&s->pool);
    s->schedule = schedule_new(seed);
    office_open(s);
    s->signals = open_signals();
    s->watchdog_ms = notify_watchdog_ms();
    watch_open(&s->watch, s->config);
}

static void close_all(struct supervisor *s)
{
    const int fds[] = {s->conf_fd, s->tried_fd, s->listen_fd, s->signals, s->claim};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    office_shut(s);
    watch_close(&s->watch);
    schedule_free(s->schedule);
    board_close(&s->board);
    figures_fini(&s->figures);
    parking_fini(&s->parking);
    roster_fini(&s->roster);
}

int supervisor_run(const char *config, struct err *e)
{
    struct supervisor s = {.config = config, .conf_fd = -1, .tried_fd = -1, .listen_fd = -1, .claim = -1, .e = e};
    s.gateway.channel.fd = s.board.fd = -1;
    open_all(&s);
    try_config(&s, clock_boot_ms());
    while (turn(&s))
        ;
    close_all(&s);
    return s.rc;
}
