/* SPDX-License-Identifier: MIT */
/* listen.c - the socket that the daemon listens on. */
#include "daemon/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_on(const struct addrinfo *to)
{
    int on = 1;
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, to->ai_addr, to->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static void tell_bound(int fd, char bound[80])
{
    struct sockaddr_storage at;
    socklen_t size = sizeof at;
    char host[64] = "?", port[8] = "?";
    if (getsockname(fd, (struct sockaddr *)&at, &size) == 0)
        getnameinfo((struct sockaddr *)&at, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(bound, 80, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

/* HOST:PORT, [::1]:PORT. */
static void split(const char *listen, char host[256], const char **port)
{
    const char *colon = strrchr(listen, ':');
    size_t n = colon ? (size_t)(colon - listen) : 0;
    if (n >= 2 && listen[0] == '[' && listen[n - 1] == ']') {
        listen++;
        n -= 2;
    }
    snprintf(host, 256, "%.*s", (int)n, listen);
    *port = colon ? colon + 1 : "";
}

int listen_bind(const char *listen, int *fd, char bound[80], struct err *e)
{
    char host[256];
    const char *port = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *list = NULL;
    split(listen, host, &port);
    int rc = getaddrinfo(host, port, &hints, &list);
    if (rc)
        return err_set(e, ERR_FAILED, "listen: %s is no address of this machine (%s); correct \"listen\" in the config",
                       listen, gai_strerror(rc));
    *fd = -1;
    for (const struct addrinfo *to = list; to && *fd < 0; to = to->ai_next)
        *fd = listen_on(to);
    int why = errno;
    freeaddrinfo(list);
    if (*fd >= 0)
        tell_bound(*fd, bound);
    else if (why == EADDRINUSE)
        err_set(e, ERR_FAILED,
                "listen: %s is in use by another program; stop that, or give \"listen\" another port in the config",
                listen);
    else
        err_set(e, ERR_FAILED, "listen: %s is not to be had (%s); correct \"listen\" in the config", listen,
                strerror(why));
    return e->code;
}
