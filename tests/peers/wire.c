/* SPDX-License-Identifier: MIT */
/* wire.c - the peer's one door to libmicrohttpd: a thread a connection, one request at a time. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include "peer.h"

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static const char *find(const struct pair *pairs, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(pairs[i].name, name) == 0)
            return pairs[i].value;
    return NULL;
}

const char *request_header(const struct request *q, const char *name)
{
    return find(q->headers, q->n_headers, name);
}

const char *request_query(const struct request *q, const char *name)
{
    return name ? find(q->query, q->n_query, name) : NULL;
}

void answer_header(struct answer *a, const char *name, const char *value)
{
    if (a->n_headers < ANSWER_HEADERS)
        a->headers[a->n_headers++] = (struct pair){name, value};
}

void answer_error(struct answer *a, int status, const char *word)
{
    a->status = status;
    buf_clear(&a->body);
    buf_printf(&a->body, "{\"error\":\"%s\"}", word);
}

static enum MHD_Result take_pair(void *self, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct request *q = self;
    struct pair *pairs = kind == MHD_HEADER_KIND ? q->headers : q->query;
    size_t *n = kind == MHD_HEADER_KIND ? &q->n_headers : &q->n_query;
    size_t room = kind == MHD_HEADER_KIND ? sizeof q->headers / sizeof *q->headers : sizeof q->query / sizeof *q->query;
    if (*n < room)
        pairs[(*n)++] = (struct pair){arena_text(&q->memory, name), arena_text(&q->memory, value ? value : "")};
    return MHD_YES;
}

static struct request *begin(struct MHD_Connection *connection, const char *path, const char *method)
{
    struct request *q = mem_alloc(sizeof *q);
    q->method = arena_text(&q->memory, method);
    q->path = arena_text(&q->memory, path);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, take_pair, q);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_pair, q);
    return q;
}

static void wait_ms(int64_t ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&t, &t) != 0)
        ;
}

/* So that a test kills whoever asked at this very request, however fast the machine is. */
static void wait_hang_up(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct pollfd end = {.fd = info->connect_fd, .events = POLLRDHUP};
    while (poll(&end, 1, -1) < 0)
        ;
}

static enum MHD_Result reply(struct MHD_Connection *connection, const struct answer *a)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(a->body.size, a->body.data, MHD_RESPMEM_MUST_COPY);
    if (a->body.size)
        MHD_add_response_header(r, "Content-Type", "application/json");
    for (size_t i = 0; i < a->n_headers; i++)
        MHD_add_response_header(r, a->headers[i].name, a->headers[i].value);
    enum MHD_Result done = MHD_queue_response(connection, (unsigned)a->status, r);
    MHD_destroy_response(r);
    return done;
}

static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *path, const char *method,
                                  const char *http, const char *data, size_t *n_data, void **at)
{
    struct peer *p = self;
    struct request *q = *at;
    (void)http;
    if (!q) {
        *at = begin(connection, path, method);
        return MHD_YES;
    }
    if (*n_data) {
        buf_add(&q->body, data, *n_data);
        *n_data = 0;
        return MHD_YES;
    }
    struct answer a = {.status = 200};
    pthread_mutex_lock(&one_at_a_time);
    peer_serve(p, q, &a);
    int64_t latency = strncmp(q->path, "/_peer/", 7) == 0 ? 0 : trait(p, KNOB_LATENCY);
    pthread_mutex_unlock(&one_at_a_time);
    wait_ms(latency);
    if (a.held)
        wait_hang_up(connection);
    enum MHD_Result done = a.dropped || a.held ? MHD_NO : reply(connection, &a);
    buf_fini(&a.body);
    return done;
}

static void on_end(void *self, struct MHD_Connection *connection, void **at, enum MHD_RequestTerminationCode how)
{
    struct request *q = *at;
    (void)self, (void)connection, (void)how;
    if (!q)
        return;
    buf_fini(&q->body);
    arena_fini(&q->memory);
    mem_free(q);
    *at = NULL;
}

int wire_run(struct peer *p, int port, int stop)
{
    struct sockaddr_in where = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct pollfd end = {.fd = stop, .events = POLLIN};
    char byte;
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL, on_request, p,
                         MHD_OPTION_SOCK_ADDR, &where, MHD_OPTION_NOTIFY_COMPLETED, on_end, p, MHD_OPTION_END);
    if (!daemon)
        return 1;
    printf("port %u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    while (poll(&end, 1, -1) < 0 || read(stop, &byte, 1) > 0)
        ;
    MHD_stop_daemon(daemon);
    return 0;
}
