/* SPDX-License-Identifier: MIT */
/* wire_peer.h - an HTTP server on loopback that misbehaves on the wire: what a path asks for is what happens. In a child process. */
#ifndef TESTS_WIRE_PEER_H
#define TESTS_WIRE_PEER_H

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Seen by both processes. */
struct wire_seen {
    int requests;
    int with_credentials; /* that carried an Authorization header */
    int writes; /* POSTs carried out */
    int at_once, most_at_once;
};

struct wire_peer {
    int port;
    pid_t pid;
    struct wire_seen *seen;
};

static inline void wire_say(int fd, const char *text)
{
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        return;
}

static inline void wire_answer(int fd, int status, const char *headers, const char *body)
{
    char head[8192];
    snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n", status, strlen(body), headers);
    wire_say(fd, head);
    wire_say(fd, body);
}

/* Gzip of 4 MiB of zeros: 4 KB of a thousandfold bomb, made by `head -c 4194304 /dev/zero | gzip -9`. */
static inline void wire_bomb(int fd)
{
    char line[200];
    FILE *f = popen("head -c 4194304 /dev/zero | gzip -9", "r");
    char packed[16384];
    size_t n = f ? fread(packed, 1, sizeof packed, f) : 0;
    if (f)
        pclose(f);
    snprintf(line, sizeof line, "HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", n);
    wire_say(fd, line);
    send(fd, packed, n, MSG_NOSIGNAL);
}

static inline void wire_endless(int fd, const char *head, const char *piece)
{
    wire_say(fd, head);
    while (send(fd, piece, strlen(piece), MSG_NOSIGNAL) > 0)
        ;
}

/* /again/N/S: S for the first N requests of this connection's path, then 200. Counted over all requests by the shared counter. */
static inline void wire_carry_out(struct wire_seen *seen, int fd, const char *method, const char *path,
                                  const char *request)
{
    int n = 0, status = 0, port = 0;
    char text[4096], to[2048];
    if (sscanf(path, "/status/%d", &status) == 1) {
        wire_answer(fd, status, "", "{}");
    } else if (sscanf(path, "/again/%d/%d", &n, &status) == 2) {
        wire_answer(fd, seen->requests <= n ? status : 200, "Retry-After: 0\r\n", "{}");
    } else if (sscanf(path, "/to/%2000s", to) == 1) { /* a redirect */
        snprintf(text, sizeof text, "Location: %s\r\n", to);
        wire_answer(fd, 302, text, "");
    } else if (sscanf(path, "/keep/%2000s", to) == 1) {
        snprintf(text, sizeof text, "Location: %s\r\n", to);
        wire_answer(fd, 307, text, "");
    } else if (sscanf(path, "/next/%2000s", to) == 1) {
        snprintf(text, sizeof text, "Link: <%s>; rel=\"next\", <http://x.test/>; rel=\"last\"\r\n", to);
        wire_answer(fd, 200, text, "[]");
    } else if (strncmp(path, "/echo", 5) == 0) {
        wire_answer(fd, 200, "X-Mixed-Case: Kept \r\n", request);
    } else if (strcmp(path, "/drop") == 0) { /* the effect, and no answer */
        seen->writes += strcmp(method, "POST") == 0;
    } else if (sscanf(path, "/drop-then/%d", &status) == 1) { /* and the second time that status */
        if (seen->writes++ > 0)
            wire_answer(fd, status, "Retry-After: 99999\r\n", "{}");
    } else if (strcmp(path, "/bomb") == 0) {
        wire_bomb(fd);
    } else if (strcmp(path, "/endless") == 0) {
        wire_endless(fd, "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n",
                     "400\r\n" /* 1024 bytes of it */
                     "................................................................................................"
                     "................................................................................................"
                     "................................................................................................"
                     "................................................................................................"
                     "................................................................................................"
                     "................................................................................................"
                     "................................................................................................"
                     "................................................................................................"
                     "................................................................................................"
                     "................................................................................................"
                     "................................................................\r\n");
    } else if (strcmp(path, "/headers") == 0) {
        wire_endless(fd, "HTTP/1.1 200 X\r\n", "X-More: and more and more and more and more and more and more\r\n");
    } else if (strcmp(path, "/slow") == 0) {
        sleep(5);
    } else if (strcmp(path, "/wait") == 0) {
        usleep(50000);
        wire_answer(fd, 200, "", "{}");
    } else if (sscanf(path, "/part/%d", &port) == 1) { /* says more than it sends */
        wire_say(fd, "HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n[1,2");
    } else {
        wire_answer(fd, 404, "", "{}");
    }
}

/* One request; false once the connection is to be closed. */
static inline int wire_one(struct wire_seen *seen, int fd)
{
    char request[65536] = "", method[16], path[4096];
    size_t n = 0;
    ssize_t got = 0;
    char *head = NULL;
    while (!head && n < sizeof request - 1 && (got = recv(fd, request + n, sizeof request - 1 - n, 0)) > 0) {
        n += (size_t)got;
        request[n] = '\0';
        head = strstr(request, "\r\n\r\n");
    }
    const char *length = strcasestr(request, "Content-Length: ");
    size_t want = head ? (size_t)(head + 4 - request) + (length ? strtoul(length + 16, NULL, 10) : 0) : 0;
    while (head && n < want && n < sizeof request - 1 && (got = recv(fd, request + n, sizeof request - 1 - n, 0)) > 0)
        request[n += (size_t)got] = '\0';
    if (head && sscanf(request, "%15s %4095s", method, path) == 2) {
        __atomic_add_fetch(&seen->requests, 1, __ATOMIC_SEQ_CST);
        if (strcasestr(request, "\nAuthorization:"))
            __atomic_add_fetch(&seen->with_credentials, 1, __ATOMIC_SEQ_CST);
        int now = __atomic_add_fetch(&seen->at_once, 1, __ATOMIC_SEQ_CST);
        if (now > seen->most_at_once)
            seen->most_at_once = now;
        wire_carry_out(seen, fd, method, path, request);
        __atomic_sub_fetch(&seen->at_once, 1, __ATOMIC_SEQ_CST);
        return strncmp(path, "/drop", 5) != 0 && strncmp(path, "/part", 5) != 0 && strcmp(path, "/slow") != 0;
    }
    return 0;
}

/* A process for each connection: one that hangs holds up no other. */
static inline struct wire_peer wire_start(void)
{
    struct wire_peer p = {0};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    p.seen = mmap(NULL, sizeof *p.seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (bind(listening, (struct sockaddr *)&at, sizeof at) || listen(listening, 64) ||
        getsockname(listening, (struct sockaddr *)&at, &size))
        abort();
    p.port = ntohs(at.sin_port);
    p.pid = fork();
    if (p.pid == 0) {
        setpgid(0, 0);
        signal(SIGCHLD, SIG_IGN);
        for (;;) {
            int fd = accept(listening, NULL, NULL);
            if (fd >= 0 && fork() == 0) {
                while (wire_one(p.seen, fd))
                    ;
                _exit(0);
            }
            close(fd);
        }
    }
    setpgid(p.pid, p.pid);
    close(listening);
    return p;
}

static inline void wire_forget(struct wire_peer *p)
{
    memset(p->seen, 0, sizeof *p->seen);
}

static inline void wire_stop(struct wire_peer *p)
{
    kill(-p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    munmap(p->seen, sizeof *p->seen);
}

#endif
