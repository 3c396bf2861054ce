/* SPDX-License-Identifier: MIT */
/* measure.c - runs a command and prints its wall, user and system seconds and the peak of its anonymous memory in kB. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLE_NS = 5000000 };

static long anonymous_kb(int pid)
{
    char path[64], line[256];
    long kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *in = fopen(path, "r");
    while (in && fgets(line, sizeof line, in))
        if (sscanf(line, "RssAnon: %ld", &kb) == 1)
            break;
    if (in)
        fclose(in);
    return kb;
}

/* Of a process and all below it: a program that shares its work among children pays for them too. */
static long family_kb(int pid)
{
    char path[64];
    int child = 0;
    long kb = anonymous_kb(pid);
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    FILE *in = fopen(path, "r");
    while (in && fscanf(in, "%d", &child) == 1)
        kb += family_kb(child);
    if (in)
        fclose(in);
    return kb;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Sleeps until the child ends or the next sample is due. */
static int watch(int pid, const sigset_t *child_ends, struct rusage *used, long *peak_kb)
{
    const struct timespec nap = {.tv_nsec = SAMPLE_NS};
    int status = 0;
    while (wait4(pid, &status, WNOHANG, used) == 0) {
        long kb = family_kb(pid);
        if (kb > *peak_kb)
            *peak_kb = kb;
        sigtimedwait(child_ends, NULL, &nap);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* measure COMMAND...: its output goes to stderr, the four figures and the exit code to stdout. */
int main(int argc, char **argv)
{
    sigset_t child_ends;
    struct rusage used = {0};
    long peak_kb = 0;
    if (argc < 2)
        return 2;
    sigemptyset(&child_ends);
    sigaddset(&child_ends, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_ends, NULL);
    double start = now();
    int pid = fork();
    if (pid == 0) {
        sigprocmask(SIG_UNBLOCK, &child_ends, NULL);
        dup2(2, 1);
        execvp(argv[1], argv + 1);
        perror(argv[1]);
        _exit(127);
    }
    int rc = watch(pid, &child_ends, &used, &peak_kb);
    printf("%.4f\t%.4f\t%.4f\t%ld\t%d\n", now() - start, seconds(used.ru_utime), seconds(used.ru_stime), peak_kb, rc);
    return 0;
}
