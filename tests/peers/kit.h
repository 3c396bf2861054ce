/* SPDX-License-Identifier: MIT */
/* kit.h - a C test's hold on a simulated peer: start it, order faults, ask what it saw. */
#ifndef TESTS_PEER_KIT_H
#define TESTS_PEER_KIT_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"

struct peer_kit {
    int port, stop;
    pid_t pid;
    char url[64]; /* http://127.0.0.1:PORT */
};

/* Ends the test program where there is no peer: build it with `make tests-bin`. */
static inline struct peer_kit peer_start(const char *profile)
{
    struct peer_kit k = {0};
    int in[2], out[2];
    char path[4096];
    const char *build = getenv("BUILD");
    snprintf(path, sizeof path, "%s/tests/peers/peer", build ? build : "build");
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || (k.pid = fork()) < 0)
        abort();
    if (k.pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execl(path, path, profile, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    k.stop = in[1];
    FILE *f = fdopen(out[0], "r");
    if (!f || fscanf(f, "port %d", &k.port) != 1) {
        fprintf(stderr, "%s: no peer answers; build it with `make tests-bin`\n", path);
        exit(2);
    }
    fclose(f);
    snprintf(k.url, sizeof k.url, "http://127.0.0.1:%d", k.port);
    return k;
}

static inline void peer_stop(struct peer_kit *k)
{
    close(k->stop);
    waitpid(k->pid, NULL, 0);
}

/* Sends a request of its own, by none of the host's code; headers: whole lines. Returns the connection. */
static inline int peer_say(const struct peer_kit *k, const char *method, const char *path, const char *headers,
                           const char *body)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)k->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct buf text = {0};
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to))
        abort();
    buf_printf(&text, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n%s",
               method, path, k->port, headers, strlen(body), body);
    if (send(fd, text.data, text.size, MSG_NOSIGNAL) != (ssize_t)text.size)
        abort();
    buf_fini(&text);
    return fd;
}

/* Likewise, with the answer. Out: head and body. Returns the status, 0 without an answer. */
static inline int peer_talk(const struct peer_kit *k, const char *method, const char *path, const char *headers,
                            const char *body, struct buf *out)
{
    int fd = peer_say(k, method, path, headers, body), status = 0;
    ssize_t got = 0;
    while ((got = recv(fd, buf_room(out, 65536), 65536, 0)) > 0)
        buf_took(out, (size_t)got);
    close(fd);
    return out->size && sscanf(out->data, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

/* Likewise without headers. Out: the body. */
static inline int peer_ask(const struct peer_kit *k, const char *method, const char *path, const char *body,
                           struct buf *out)
{
    struct buf whole = {0};
    int status = peer_talk(k, method, path, "", body, &whole);
    const char *head = status ? strstr(whole.data, "\r\n\r\n") : NULL;
    if (head)
        buf_text(out, head + 4);
    buf_fini(&whole);
    return status;
}

/* An order to the peer: "knobs", "put", "credentials", ... Ends the test program where it is refused. */
static inline void peer_order(const struct peer_kit *k, const char *what, const char *json)
{
    struct buf out = {0};
    char path[64];
    snprintf(path, sizeof path, "/_peer/%s", what);
    int status = peer_ask(k, "POST", path, json, &out);
    if (status != 200) {
        fprintf(stderr, "the peer answers %d to %s %s: %s\n", status, path, json, out.size ? out.data : "");
        exit(2);
    }
    buf_fini(&out);
}

/* A number of /_peer/state; `struck` and a fault's name count what befell. -1: there is none. */
static inline int64_t peer_count(const struct peer_kit *k, const char *member, const char *within)
{
    struct buf out = {0};
    struct err e = {0};
    int64_t n = -1;
    peer_ask(k, "GET", "/_peer/state", "", &out);
    struct json_doc *doc = json_parse(out.data, out.size, NULL, &e);
    const struct json *node = doc ? json_get(json_root(doc), member) : NULL;
    if (node && within)
        node = json_get(node, within);
    if (node && !json_int(node, &n))
        n = (int64_t)json_count(node);
    json_free(doc);
    buf_fini(&out);
    return n;
}

#endif
