/* SPDX-License-Identifier: MIT */
/* check_clean.c - checks that a connector leaves nothing behind in the process: files, memory, output, settings. */
#include <dirent.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "certify.h"

extern char **environ;

/* Connections that the host's HTTP keeps are no file of the connector's. */
static int n_files(const struct trial *t)
{
    bool host_connects = t->subject->plugin->needs & SL_NEED_HTTP;
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    struct dirent *entry = NULL;
    while (d && (entry = readdir(d))) {
        struct stat s;
        n += !(host_connects && fstatat(dirfd(d), entry->d_name, &s, 0) == 0 && S_ISSOCK(s.st_mode));
    }
    if (d)
        closedir(d);
    return n;
}

/* Every call once, as far as it is declared. */
static void every_call(struct trial *t, uint32_t k)
{
    struct object_info *list = NULL;
    struct listing l;
    struct sl_field f = main_field(t, 0);
    session_check(t->s, &t->e);
    session_describe(t->s, NULL, &t->a, &list, &t->e);
    list_all(t, &l);
    list_from(t, l.end.cursor, 0, 0, &l);
    const char *id = can(t, SL_CAP_CREATE) ? make_one(t, 1000 + k) : NULL;
    if (!id || done(t))
        return;
    read_record(t, id);
    if (can(t, SL_CAP_UPDATE) && f.name) {
        struct sl_write w = update_of(t, id, sample(t, &f, 2000 + k));
        write_one(t, &w);
    }
    if (can(t, SL_CAP_DELETE)) {
        struct sl_write w = plain(SL_DELETE, id);
        write_one(t, &w);
        write_one(t, &w);
        read_id(t, id);
    }
}

/* What a first round opens for good is no leak; what every further one opens is. */
static void files(struct trial *t)
{
    int first = 0;
    for (uint32_t k = 0; k < 6 && !done(t); k++) {
        every_call(t, k);
        int now = n_files(t);
        if (k == 1)
            first = now;
        if (k > 1 && now > first)
            wrong(t, "%d files are open after two rounds of calls, %d after %u", first, now, k + 1);
    }
}

static void files_of_sessions(struct trial *t)
{
    int first = 0;
    for (uint32_t k = 0; k < 5 && !done(t); k++) {
        struct trial one = {.subject = t->subject, .world = t->world};
        trial_open(&one);
        if (!done(&one))
            every_call(&one, k);
        trial_close(&one);
        if (done(&one))
            wrong(t, "%s", one.said);
        if (k == 1)
            first = n_files(t);
        if (k > 1 && n_files(t) > first)
            wrong(t, "%d files are open after two sessions, %d after %u", first, n_files(t), k + 1);
    }
}

/* What is kept for later is no leak, nor is what the allocator keeps: it must grow from session to session. */
static void memory(struct trial *t)
{
    enum { WINDOW = 8, WINDOWS = 4, NOISE = WINDOW * 256 };
    size_t held[WINDOWS] = {0};
    int grown = 0;
    for (int w = 0; w < WINDOWS && !done(t); w++) {
        for (int k = 0; k < WINDOW && !done(t); k++) {
            struct session *s = trial_session(t);
            struct object_info *list = NULL;
            struct arena a = {0};
            if (s && session_check(s, &t->e) == SL_OK)
                session_describe(s, NULL, &a, &list, &t->e);
            session_close(s);
            arena_fini(&a);
        }
        held[w] = mallinfo2().uordblks;
        grown += w > 0 && held[w] > held[w - 1] + NOISE;
    }
    if (!done(t) && grown == WINDOWS - 1)
        wrong(t, "%d sessions leave %zu bytes", WINDOW * (WINDOWS - 1), held[WINDOWS - 1] - held[0]);
}

/* Standard output belongs to the program: in this process it is an empty file. */
static void quiet(struct trial *t)
{
    struct stat s;
    every_call(t, 0);
    session_close(t->s);
    t->s = NULL;
    t->n_kept = 0;
    fflush(stdout);
    if (fstat(1, &s) == 0 && s.st_size)
        wrong(t, "it writes %lld bytes to standard output", (long long)s.st_size);
}

static uint64_t environment(void)
{
    uint64_t sum = 0;
    for (char **e = environ; e && *e; e++)
        sum += hash64(*e, strlen(*e));
    return sum;
}

/* The folder, the mask, the signals and the environment are the program's, too. */
static void process(struct trial *t)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGPIPE, SIGCHLD, SIGHUP, SIGALRM, SIGUSR1};
    enum { N = sizeof signals / sizeof *signals };
    struct sigaction before[N], after;
    char folder[4096], now[4096];
    mode_t mask = umask(022);
    uint64_t of_before = environment();
    umask(mask);
    for (int i = 0; i < N; i++)
        sigaction(signals[i], NULL, &before[i]);
    bool known = getcwd(folder, sizeof folder) != NULL;
    every_call(t, 0);
    mode_t mask_now = umask(mask);
    if (mask_now != mask)
        wrong(t, "the mask of files is %03o, and was %03o", (unsigned)mask_now, (unsigned)mask);
    if (known && getcwd(now, sizeof now) && strcmp(folder, now) != 0)
        wrong(t, "the working folder became %s", now);
    if (environment() != of_before)
        wrong(t, "the environment is another");
    for (int i = 0; i < N; i++)
        if (sigaction(signals[i], NULL, &after) == 0 && after.sa_handler != before[i].sa_handler)
            wrong(t, "the handling of signal %d is another", signals[i]);
}

const struct check checks_clean[] = {
    {"clean.files", "no file stays open after a call", 0, FOR_ALL, files},
    {"clean.sessions", "nor after a session", 0, FOR_ALL, files_of_sessions},
    {"clean.memory", "sessions give their memory back", 0, OFFLINE, memory},
    {"clean.stdout", "nothing is written to standard output", 0, FOR_ALL, quiet},
    {"clean.process", "folder, mask, signals and environment stay", 0, FOR_ALL, process},
    {0},
};
