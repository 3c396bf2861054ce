/* SPDX-License-Identifier: MIT */
/* runner.c - `runner`: one connector in a process of its own, started by a process that uses it. */
#include "runner/runner.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/cli.h"

/* The number of a socket that is open; -1 for anything else. */
static int socket_of(const char *text)
{
    char *end = NULL;
    int kind = 0;
    socklen_t size = sizeof kind;
    long fd = text ? strtol(text, &end, 10) : -1;
    if (!text || !*text || *end || fd < 0 || fd > 1000000)
        return -1;
    return getsockopt((int)fd, SOL_SOCKET, SO_TYPE, &kind, &size) == 0 ? (int)fd : -1;
}

int cmd_runner(struct cli *c)
{
    bool asked = c->argc == 4 && strcmp(c->argv[0], "--fd") == 0 && strcmp(c->argv[2], "--plugin") == 0;
    int fd = asked ? socket_of(c->argv[1]) : -1;
    if (fd < 0)
        return err_set(
            &c->err, ERR_CONFIG,
            "runner is what syncline starts by itself, with a socket; set a connection's isolation to runner");
    return runner_serve(fd, c->argv[3]);
}
