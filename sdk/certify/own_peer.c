/* SPDX-License-Identifier: MIT */
/* own_peer.c - the simulated API that certify brings for connectors over HTTP: started beside it, given orders, ended. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "certify.h"

/* Beside this program: in the folder that it was built in, or installed. */
static const char *program(struct arena *a)
{
    static const char *const places[] = {"tests/peers/peer", "../lib/syncline/peer"};
    char me[4096] = "";
    ssize_t n = readlink("/proc/self/exe", me, sizeof me - 1);
    char *slash = n > 0 ? strrchr(me, '/') : NULL;
    if (!slash)
        return NULL;
    *slash = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *file = path_join(a, me, places[i]);
        if (access(file, X_OK) == 0)
            return file;
    }
    return NULL;
}

static void become(const char *file, const char *profile, const int in[2], const int out[2])
{
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    execl(file, file, profile, (char *)NULL);
    _exit(127);
}

/* It serves until its standard input ends, so it does not outlive this program, however that ends. */
int own_peer_start(struct own_peer *p, const char *profile, struct arena *a, struct err *e)
{
    const char *file = program(a);
    int in[2], out[2];
    if (!file)
        return err_set(e, ERR_CONFIG,
                       "the simulated API tests/peers/peer is not beside certify; run `make`, or give --config FILE");
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || (p->pid = fork()) < 0)
        return err_set(e, ERR_FAILED, "%s: no process can be started; try again", file);
    if (p->pid == 0)
        become(file, profile, in, out);
    close(in[0]);
    close(out[1]);
    p->stop = in[1];
    FILE *f = fdopen(out[0], "r");
    if (!f || fscanf(f, "port %d", &p->port) != 1)
        err_set(e, ERR_FAILED, "%s: it does not start; run it by hand to see why", file);
    if (f)
        fclose(f);
    return e->code;
}

void own_peer_stop(struct own_peer *p)
{
    if (p->pid <= 0)
        return;
    close(p->stop);
    kill(p->pid, SIGKILL); /* processes that a check left may hold its input open */
    waitpid(p->pid, NULL, 0);
    p->pid = 0;
}

static int connected(const struct own_peer *p)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)p->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

bool own_peer_order(const struct own_peer *p, const char *what, const char *json)
{
    char text[1024], answer[64] = "";
    int fd = connected(p), status = 0;
    int n = snprintf(text, sizeof text,
                     "POST /_peer/%s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
                     what, strlen(json), json);
    bool sent = fd >= 0 && n < (int)sizeof text && send(fd, text, (size_t)n, MSG_NOSIGNAL) == n;
    if (sent && recv(fd, answer, sizeof answer - 1, MSG_WAITALL) > 0)
        sscanf(answer, "HTTP/1.1 %d", &status);
    if (fd >= 0)
        close(fd);
    return status == 200;
}
