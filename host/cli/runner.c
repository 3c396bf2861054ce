/* SPDX-License-Identifier: MIT */
/* runner.c - `runner`: one connector in a process of its own, started by a process that uses it. */
#include "runner/runner.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/cli.h"

/* The number of an open descriptor; -1 for anything else. */
static int number_of(const char *text)
{
    char *end = NULL;
    long fd = strtol(text, &end, 10);
    return *text && !*end && fd >= 0 && fd <= 1000000 && fcntl((int)fd, F_GETFD) >= 0 ? (int)fd : -1;
}

static bool is_socket(int fd)
{
    int kind = 0;
    socklen_t size = sizeof kind;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &size) == 0;
}

int cmd_runner(struct cli *c)
{
    bool asked = c->argc == 6 && strcmp(c->argv[0], "--fd") == 0 && strcmp(c->argv[2], "--plugin") == 0 &&
                 strcmp(c->argv[4], "--open") == 0;
    int fd = asked ? number_of(c->argv[1]) : -1, open_fd = asked ? number_of(c->argv[5]) : -1;
    if (fd < 0 || open_fd < 0 || !is_socket(fd))
        return err_set(
            &c->err, ERR_CONFIG,
            "runner is what syncline starts by itself, with a socket; set a connection's isolation to runner");
    return runner_serve(fd, c->argv[3], open_fd);
}
