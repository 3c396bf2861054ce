/* SPDX-License-Identifier: MIT */
/* child.c - a process of the family: the same program with a hidden command, a channel to it, and its end with the supervisor's. */
#include "daemon/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/process.h"

/* Order is important: a supervisor that died before the prctl has sent nothing. */
static bool bind_to(pid_t parent)
{
    return prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent;
}

/* Both away from the places they go to, before one of them takes the other's. */
static bool place(int channel, int given)
{
    int from[2] = {fcntl(channel, F_DUPFD_CLOEXEC, 10), given >= 0 ? fcntl(given, F_DUPFD_CLOEXEC, 10) : -1};
    if (from[0] < 0 || (given >= 0 && from[1] < 0))
        return false;
    if (given < 0)
        close(CHILD_GIVEN_FD);
    return dup2(from[0], CHILD_CHANNEL_FD) >= 0 && (given < 0 || dup2(from[1], CHILD_GIVEN_FD) >= 0);
}

static _Noreturn void become(char *const *argv, char *const *environment, int channel, int given, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    if (bind_to(parent) && place(channel, given))
        execve("/proc/self/exe", argv, environment);
    _exit(127);
}

/* All words stand behind the options that this program chose. */
static _Noreturn void become_command(const struct child_order *o, pid_t parent)
{
    enum { WORDS_MAX = 40 };
    const char *argv[WORDS_MAX + 1] = {"syncline", "-c", o->config, "--json", "--given"};
    int n = 5, null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    for (size_t i = 0; o->words[i] && n < WORDS_MAX; i++)
        argv[n++] = o->words[i];
    argv[n] = NULL;
    int given = o->given >= 0 ? fcntl(o->given, F_DUPFD_CLOEXEC, 10) : -1;
    bool placed = null >= 0 && dup2(null, 0) >= 0 && dup2(o->out, 1) >= 0 && dup2(o->err, 2) >= 0 &&
                  (given < 0 || dup2(given, CHILD_GIVEN_FD) >= 0);
    if (placed && bind_to(parent))
        execv("/proc/self/exe", (char *const *)(uintptr_t)argv);
    _exit(127);
}

pid_t child_command(const struct child_order *o)
{
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        become_command(o, parent);
    return pid > 0 ? pid : 0;
}

bool child_command_ended(pid_t *pid, int *exit_code)
{
    int status = 0;
    if (!*pid || waitpid(*pid, &status, WNOHANG) != *pid)
        return false;
    *exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    *pid = 0;
    return true;
}

static int no_process(const char *command, struct err *e)
{
    return err_set(e, ERR_FAILED, "no process for the %s: %s; allow it more open files and processes", command,
                   strerror(errno));
}

static int start(struct child *c, char *const *argv, char *const *environment, int given, struct err *e)
{
    const char *command = argv[3];
    int ends[2];
    pid_t parent = getpid();
    memset(c, 0, sizeof *c);
    c->channel.fd = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return no_process(command, e);
    c->pid = fork();
    if (c->pid == 0)
        become(argv, environment, ends[1], given, parent);
    close(ends[1]);
    if (c->pid < 0) {
        c->pid = 0;
        no_process(command, e);
        close(ends[0]);
        return e->code;
    }
    c->channel.fd = ends[0];
    fcntl(c->channel.fd, F_SETFL, O_NONBLOCK);
    return 0;
}

extern char **environ;

static int start_as(struct child *c, const char *config, const char *command, bool bare, int given, struct err *e)
{
    struct arena a = {0};
    char *argv[] = {"syncline", "-c", arena_text(&a, config), arena_text(&a, command), NULL};
    int code = start(c, argv, bare ? process_environment(&a) : environ, given, e);
    arena_fini(&a);
    return code;
}

int child_start(struct child *c, const char *config, const char *command, int given, struct err *e)
{
    return start_as(c, config, command, false, given, e);
}

int child_start_bare(struct child *c, const char *config, const char *command, int given, struct err *e)
{
    return start_as(c, config, command, true, given, e);
}

bool child_ended(struct child *c, char how[64])
{
    int status = 0;
    if (!c->pid || waitpid(c->pid, &status, WNOHANG) != c->pid)
        return false;
    if (WIFSIGNALED(status))
        snprintf(how, 64, "was killed by signal %d", WTERMSIG(status));
    else
        snprintf(how, 64, "ended with exit code %d", WEXITSTATUS(status));
    c->pid = 0;
    return true;
}

bool child_begin(struct channel *c)
{
    int kind = 0;
    socklen_t size = sizeof kind;
    memset(c, 0, sizeof *c);
    c->fd = CHILD_CHANNEL_FD;
    return getsockopt(c->fd, SOL_SOCKET, SO_TYPE, &kind, &size) == 0 && fcntl(c->fd, F_SETFD, FD_CLOEXEC) == 0;
}
