/* SPDX-License-Identifier: MIT */
/* nomem_kit.h - something is done in a process of its own, whose memory ends. */
#ifndef TESTS_NOMEM_KIT_H
#define TESTS_NOMEM_KIT_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nomem.h"

enum { GOOD = 0, NOT_REACHED = 4 };

static inline int nomem_within(int (*path)(void), unsigned long at, bool on)
{
    nomem_begin(at, on);
    int rc = path();
    return rc != GOOD ? rc : at <= nomem_count() ? GOOD : NOT_REACHED;
}

/*
 * Does it in a process of its own whose memory ends; what it says on stderr is in text. Returns what it returned (GOOD, or a code of the
 * caller's), NOT_REACHED if it came to its end before its memory did, its exit code, or -1 if a signal ended it.
 */
static inline int nomem_apart(int (*path)(void), unsigned long at, bool on, char *text, size_t room)
{
    int ends[2], status = 0;
    size_t n = 0;
    ssize_t got = 0;
    fflush(NULL);
    if (pipe(ends) != 0)
        abort();
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        _exit(nomem_within(path, at, on));
    }
    close(ends[1]);
    while (n + 1 < room && (got = read(ends[0], text + n, room - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    close(ends[0]);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
