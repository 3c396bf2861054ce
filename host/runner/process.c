/* SPDX-License-Identifier: MIT */
/* process.c - starts the process of a runner, and ends it, saying how it died. */
#include "runner/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

enum { RUNNER_FD = 3, OPEN_FD = 4, TERM_GRACE_MS = 500 };

/* What a library needs to know of where it is; nothing that holds a secret. */
static const char *const passed[] = {"PATH",   "HOME",         "LANG",          "LC_ALL", "TZ",
                                     "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", NULL};

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

char **process_environment(struct arena *a)
{
    char **all = arena_alloc(a, sizeof passed), **out = all;
    for (size_t i = 0; passed[i]; i++) {
        const char *value = getenv(passed[i]);
        if (value)
            *out++ = arena_printf(a, "%s=%s", passed[i], value);
    }
    return all;
}

/* What a connector prints goes nowhere: it has log(). A sanitizer's report is for us. */
static void choose_files(posix_spawn_file_actions_t *files, int fd, int open_fd)
{
    for (int i = 0; i <= (SANITIZED ? 1 : 2); i++)
        posix_spawn_file_actions_addopen(files, i, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(files, fd, RUNNER_FD);
    posix_spawn_file_actions_adddup2(files, open_fd, OPEN_FD);
}

/* A session of its own: what a terminal sends to us does not reach it, and all that it starts can be ended at once. */
static int spawn(const char *program, const char *file, int open_fd, int fd, pid_t *pid)
{
    struct arena a = {0};
    char **environment = process_environment(&a);
    char *argv[] = {"syncline", "runner", "--fd", "3", "--plugin", arena_text(&a, file), "--open", "4", NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    choose_files(&files, fd, open_fd);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    int rc = posix_spawn(pid, program, &files, &attributes, argv, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    arena_fini(&a);
    return rc;
}

/* Set from here, and not to be raised from there. A sanitizer's shadow takes more than any limit. */
static void limit_memory(pid_t pid, long long bytes)
{
    struct rlimit limit = {(rlim_t)bytes, (rlim_t)bytes};
    if (!SANITIZED && bytes)
        prlimit(pid, RLIMIT_AS, &limit, NULL);
}

/* The one that runs, even if its file was replaced meanwhile; for certify the one beside it. */
static const char *own_program(struct arena *a)
{
    static const char name[] = "syncline";
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash || (strncmp(slash + 1, name, strlen(name)) == 0 && slash[1 + strlen(name)] != '-'))
        return "/proc/self/exe";
    slash[1] = '\0';
    return arena_printf(a, "%s%s", path, name);
}

int process_start(const char *program, const char *file, int open_fd, long long memory_bytes, pid_t *pid, int *fd,
                  struct err *e)
{
    struct arena a = {0};
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return err_set(e, ERR_FAILED, "no runner can be started: %s; raise the limit on open files", strerror(errno));
    program = program ? program : own_program(&a);
    int rc = spawn(program, file, open_fd, ends[1], pid);
    close(ends[1]);
    if (rc != 0) {
        close(ends[0]);
        err_set(e, ERR_FAILED, "no runner can be started: %s: %s; look at this user's limit on processes", program,
                strerror(rc));
    } else {
        limit_memory(*pid, memory_bytes);
        *fd = ends[0];
    }
    arena_fini(&a);
    return e->code;
}

long long process_resident(pid_t pid)
{
    char path[64];
    long long pages = 0, shared = 0;
    snprintf(path, sizeof path, "/proc/%ld/statm", (long)pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    if (fscanf(f, "%*d %lld %lld", &pages, &shared) != 2)
        pages = shared = 0;
    fclose(f);
    return (pages - shared) * sysconf(_SC_PAGESIZE);
}

/* True once it has ended. It is not taken off the list yet: until then its number is nobody else's. */
static bool ended_within(pid_t pid, int ms)
{
    const struct timespec nap = {.tv_nsec = 1000000};
    int64_t until = clock_mono_ms() + ms;
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ? info.si_pid == pid : errno != EINTR)
            return true;
        if (clock_mono_ms() >= until)
            return false;
        nanosleep(&nap, NULL);
    }
}

static void put_status(int status, const struct rusage *used, long long memory_bytes, char how[PROCESS_HOW_BYTES])
{
    int n = 0;
    if (WIFSIGNALED(status))
        n = snprintf(how, PROCESS_HOW_BYTES, "killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        n = snprintf(how, PROCESS_HOW_BYTES, "it exited with code %d", WEXITSTATUS(status));
    if (memory_bytes && used->ru_maxrss > memory_bytes / 1024 / 4 * 3)
        snprintf(how + n, (size_t)(PROCESS_HOW_BYTES - n), ", at its memory limit of %lld MB", memory_bytes >> 20);
}

void process_end(pid_t pid, int grace_ms, long long memory_bytes, char how[PROCESS_HOW_BYTES])
{
    struct rusage used = {0};
    int status = 0;
    if (!ended_within(pid, grace_ms)) {
        kill(pid, SIGTERM);
        ended_within(pid, TERM_GRACE_MS);
    }
    /* it, if it is still there, and what it has started, which stays in its process group */
    kill(-pid, SIGKILL);
    while (wait4(pid, &status, 0, &used) < 0 && errno == EINTR)
        continue;
    put_status(status, &used, memory_bytes, how);
}
