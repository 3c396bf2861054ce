/* SPDX-License-Identifier: MIT */
/* table_peer.h - an HTTP server on loopback that answers by a table of requests and bodies, and says what it was asked. In a child process. */
#ifndef TESTS_TABLE_PEER_H
#define TESTS_TABLE_PEER_H

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* `asked` is "GET /path?query"; @ in a body stands for "http://127.0.0.1:PORT"; one that begins with "!503 " has that status. What is in no row is answered 404. Ends by {0}. */
struct table_row {
    const char *asked, *body;
};

struct table_peer {
    int port;
    pid_t pid;
    char *seen; /* what it was asked, with the body, a line each; both processes see it */
};

enum { TABLE_SEEN = 65536 };

static inline void table_reply(int fd, int port, const char *body)
{
    char text[16384] = "", whole[17000], here[64];
    int status = !body ? 404 : *body == '!' ? atoi(body + 1) : 200;
    body += body && *body == '!' ? 5 : 0;
    snprintf(here, sizeof here, "http://127.0.0.1:%d", port);
    for (size_t n = 0; body && *body && n < sizeof text - 64; body++)
        n += (size_t)(*body == '@' ? snprintf(text + n, 64, "%s", here) : snprintf(text + n, 2, "%c", *body));
    int n = snprintf(
        whole, sizeof whole,
        "HTTP/1.1 %d As told\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
        status, strlen(text), text);
    if (send(fd, whole, (size_t)n, MSG_NOSIGNAL) != n)
        fprintf(stderr, "an answer was not taken\n");
}

/* One request, with its whole body. */
static inline void table_serve(int fd, const struct table_row *rows, const struct table_peer *p)
{
    char in[16384] = "", asked[2000] = "";
    size_t n = 0, due = 0;
    ssize_t got = 0;
    char *end = NULL;
    while ((!end || n < due) && n < sizeof in - 1 && (got = recv(fd, in + n, sizeof in - 1 - n, 0)) > 0) {
        n += (size_t)got;
        end = strstr(in, "\r\n\r\n");
        const char *length = end ? strstr(in, "Content-Length: ") : NULL;
        due = end ? (size_t)(end + 4 - in) + (length && length < end ? strtoul(length + 16, NULL, 10) : 0) : 0;
    }
    if (!end)
        return;
    snprintf(asked, sizeof asked, "%.*s", (int)(strstr(in, " HTTP/") - in), in);
    size_t seen = strlen(p->seen);
    snprintf(p->seen + seen, TABLE_SEEN - seen, "%s %s\n", asked, end + 4);
    while (rows->asked && strcmp(rows->asked, asked) != 0)
        rows++;
    table_reply(fd, p->port, rows->body);
}

static inline struct table_peer table_start(const struct table_row *rows)
{
    struct table_peer p = {.seen = mmap(NULL, TABLE_SEEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p.seen == MAP_FAILED || bind(fd, (struct sockaddr *)&at, n) || listen(fd, 16) ||
        getsockname(fd, (struct sockaddr *)&at, &n))
        abort();
    p.port = ntohs(at.sin_port);
    p.pid = fork();
    for (int one; p.pid == 0 && (one = accept(fd, NULL, NULL)) >= 0; close(one))
        table_serve(one, rows, &p);
    close(fd);
    return p;
}

static inline void table_stop(struct table_peer *p)
{
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    munmap(p->seen, TABLE_SEEN);
}

#endif
