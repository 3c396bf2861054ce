/* SPDX-License-Identifier: MIT */
/* gateway.c - the one process that listens: connections, whole requests in, answers out (the only microhttpd user). */
#include "daemon/gateway.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "daemon/child.h"
#include "runner/sandbox.h"

enum {
    ANSWER_MS = 5000, /* a request that has no answer by then gets one */
    WHOLE_MS = 10000, /* from the last answer, or the connection's begin, to the end of the next request */
    SILENT_S = 10,
    HEADER_BYTES = 16 << 10,
    HELD_BYTES = 32 << 20, /* bodies that wait, all together */
    /*
     * A proxy in front makes all callers one address, so none is refused for what its address has open. But whoever is slow to say what it
     * wants makes room for others: the oldest such connection of all once it gets crowded, of an address that has very many of them at once.
     */
    CONNECTIONS_MAX = 960,
    CROWDED = 720,
    UNFINISHED_OF_ONE = 480
};

/* A connection. Those that have not said all that they want stand in the list in the order in which they began. */
struct guest {
    int fd;
    unsigned char address[16];
    int64_t begun_ms;
    bool unfinished; /* in the list */
    bool shown_out;
    struct guest *before, *after;
};

/* A request. */
struct visit {
    struct MHD_Connection *connection;
    const struct route *route;
    struct guest *guest;
    struct buf body;
    uint64_t number; /* 0: it is not whole yet */
    int64_t whole_ms;
    size_t thrown; /* of the body, which is too large */
    bool suspended, answered;
    struct MHD_Response *response; /* once answered */
    unsigned status;
    int64_t release_ms; /* no sooner; while unanswered: then it is given up */
    struct visit *before, *after;
};

struct gateway {
    struct channel channel;
    struct MHD_Daemon *http;
    struct visit *visits; /* those that are whole */
    struct guest *oldest, *newest; /* unfinished */
    unsigned n_guests;
    size_t held_bytes;
    uint64_t numbers;
    int64_t due_ms; /* nothing of time is to be done before */
};

/* --- guests --- */

static void unlist_guest(struct gateway *g, struct guest *t)
{
    if (!t->unfinished)
        return;
    *(t->before ? &t->before->after : &g->oldest) = t->after;
    *(t->after ? &t->after->before : &g->newest) = t->before;
    t->before = t->after = NULL;
    t->unfinished = false;
}

static void list_guest(struct gateway *g, struct guest *t)
{
    unlist_guest(g, t);
    t->begun_ms = clock_mono_ms();
    t->before = g->newest;
    *(g->newest ? &g->newest->after : &g->oldest) = t;
    g->newest = t;
    t->unfinished = true;
}

/* The door finds its connection ended, and lets it go. */
static void show_out(struct gateway *g, struct guest *t)
{
    unlist_guest(g, t);
    t->shown_out = true;
    shutdown(t->fd, SHUT_RDWR);
}

/* Of an IPv6 address its network: one caller has all of that. */
static void keep_address(struct guest *t, const struct sockaddr *at)
{
    if (at && at->sa_family == AF_INET)
        memcpy(t->address, &((const struct sockaddr_in *)(const void *)at)->sin_addr, 4);
    else if (at && at->sa_family == AF_INET6)
        memcpy(t->address, &((const struct sockaddr_in6 *)(const void *)at)->sin6_addr, 8);
}

static void make_room(struct gateway *g, const struct guest *newcomer)
{
    unsigned same = 0;
    struct guest *first = NULL;
    for (struct guest *t = g->oldest; t; t = t->after)
        if (memcmp(t->address, newcomer->address, sizeof t->address) == 0) {
            first = first ? first : t;
            same++;
        }
    if (same > UNFINISHED_OF_ONE)
        show_out(g, first);
    else if (g->n_guests > CROWDED && g->oldest && g->oldest != newcomer)
        show_out(g, g->oldest);
}

static void on_connection(void *self, struct MHD_Connection *c, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct gateway *g = self;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        struct guest *t = mem_alloc(sizeof *t);
        const union MHD_ConnectionInfo *fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
        const union MHD_ConnectionInfo *at = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        t->fd = fd ? fd->connect_fd : -1;
        keep_address(t, at ? at->client_addr : NULL);
        g->n_guests++;
        list_guest(g, t);
        make_room(g, t);
        *context = t;
    } else if (*context) {
        unlist_guest(g, *context);
        mem_free(*context);
        *context = NULL;
        g->n_guests--;
    }
}

/* --- answers --- */

/* What is there of time to do comes no later than at_ms. */
static void no_later(struct gateway *g, int64_t at_ms)
{
    g->due_ms = at_ms < g->due_ms ? at_ms : g->due_ms;
}

static struct MHD_Response *response_of(const struct answer *a)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(a->n_text, (void *)(uintptr_t)(a->n_text ? a->text : ""),
                                                             MHD_RESPMEM_MUST_COPY);
    if (!r)
        mem_exhausted();
    MHD_add_response_header(r, "Content-Type", a->type);
    MHD_add_response_header(r, "Cache-Control", "no-store");
    MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    for (size_t i = 0; i < a->n_headers; i++)
        MHD_add_response_header(r, a->headers[i].name, a->headers[i].value);
    return r;
}

/* Without a number; before its body, that is not read and the connection ends. */
static enum MHD_Result refuse(struct visit *v, unsigned status, const char *text, const char *header, const char *value)
{
    const struct request_header more = {header, value};
    struct answer a = answer_text(0, status, text);
    a.headers = &more;
    a.n_headers = header != NULL;
    struct MHD_Response *r = response_of(&a);
    enum MHD_Result rc = MHD_queue_response(v->connection, status, r);
    MHD_destroy_response(r);
    return rc;
}

/* The first whole multiple of the route's time that is still to come. */
static int64_t held_until(const struct visit *v, int64_t now_ms)
{
    int64_t step = v->route->hold_ms;
    return step ? v->whole_ms + ((now_ms - v->whole_ms) / step + 1) * step : now_ms;
}

void route_answer(struct gateway *g, const struct answer *a)
{
    int64_t now_ms = clock_mono_ms();
    struct visit *v = g->visits;
    while (v && v->number != a->number)
        v = v->after;
    if (!v || v->answered)
        return;
    v->answered = true;
    v->response = response_of(a);
    v->status = a->status;
    v->release_ms = a->status == MHD_HTTP_NOT_FOUND ? held_until(v, now_ms) : now_ms;
    no_later(g, v->release_ms);
}

/* Those whose moment has come go on. */
static void tend_visits(struct gateway *g, int64_t now_ms)
{
    for (struct visit *v = g->visits; v; v = v->after) {
        if (!v->answered && now_ms >= v->release_ms) {
            struct answer late =
                answer_text(v->number, MHD_HTTP_SERVICE_UNAVAILABLE, "the supervisor does not answer\n");
            route_answer(g, &late);
        }
        if (v->suspended && v->answered && now_ms >= v->release_ms) {
            v->suspended = false;
            MHD_resume_connection(v->connection);
        } else if (v->suspended) {
            no_later(g, v->release_ms);
        }
    }
}

static void tend(struct gateway *g)
{
    int64_t now_ms = clock_mono_ms();
    if (now_ms < g->due_ms)
        return;
    g->due_ms = INT64_MAX;
    tend_visits(g, now_ms);
    while (g->oldest && now_ms - g->oldest->begun_ms >= WHOLE_MS)
        show_out(g, g->oldest);
    if (g->oldest)
        no_later(g, g->oldest->begun_ms + WHOLE_MS);
}

/* --- what a route may ask of the door --- */

static void say(struct gateway *g, int kind, const void *bytes, size_t n)
{
    message_put(&g->channel.out, kind, bytes, n);
}

void route_say(struct gateway *g, int kind, const char *text)
{
    say(g, kind, text, strlen(text));
}

void route_forward(struct gateway *g, const struct request *r)
{
    struct buf bytes = {0};
    request_put(&bytes, r);
    say(g, MESSAGE_REQUEST, bytes.data, bytes.size);
    buf_fini(&bytes);
}

/* --- requests --- */

static unsigned waiting_of(const struct gateway *g, const struct route *route)
{
    unsigned n = 0;
    for (const struct visit *v = g->visits; v; v = v->after)
        n += v->route == route && !v->answered;
    return n;
}

static uint64_t announced(struct MHD_Connection *c)
{
    const char *text = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Length");
    return text ? strtoull(text, NULL, 10) : 0;
}

static struct visit *begin_visit(struct MHD_Connection *c, const char *path)
{
    struct visit *v = mem_alloc(sizeof *v);
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    v->connection = c;
    v->guest = info ? info->socket_context : NULL;
    v->route = route_find(routes, n_routes, path);
    return v;
}

static bool takes(const struct route *route, const char *method)
{
    size_t n = strlen(method);
    for (const char *at = strstr(route->methods, method); n && at; at = strstr(at + n, method))
        if ((at == route->methods || at[-1] == ' ') && (at[n] == ',' || !at[n]))
            return true;
    return false;
}

/* Only the headers are there. What is wrong with them is not asked of anybody, so it tells nothing. */
static enum MHD_Result look(struct gateway *g, struct visit *v, const char *path, const char *method)
{
    const struct route *route = v->route;
    if (!route)
        return refuse(v, MHD_HTTP_NOT_FOUND, "there is nothing here\n", NULL, NULL);
    if (!takes(route, method))
        return refuse(v, MHD_HTTP_METHOD_NOT_ALLOWED, "not by this method\n", "Allow", route->methods);
    if (announced(v->connection) > route->body_max)
        return refuse(v, MHD_HTTP_CONTENT_TOO_LARGE, "too large\n", NULL, NULL);
    if ((!route->room || waiting_of(g, route) < route->room) && g->held_bytes < HELD_BYTES)
        return MHD_YES;
    if (route->full)
        route->full(g, path);
    return refuse(v, MHD_HTTP_SERVICE_UNAVAILABLE, "too many at once\n", "Retry-After", "1");
}

/* Too much, of a length that was not announced, is thrown away: in the middle of it nothing can be answered. For far too much nobody waits. */
static enum MHD_Result collect(struct gateway *g, struct visit *v, const char *bytes, size_t n)
{
    if (n > v->route->body_max - v->body.size || v->thrown) {
        g->held_bytes -= v->body.size;
        v->thrown += v->body.size + n;
        buf_fini(&v->body);
        return v->thrown <= 2 * v->route->body_max ? MHD_YES : MHD_NO;
    }
    buf_add(&v->body, bytes, n);
    g->held_bytes += n;
    return MHD_YES;
}

struct gathered {
    struct request_header at[REQUEST_HEADERS_MAX];
    size_t n;
    struct arena arena;
    struct buf query;
};

static enum MHD_Result gather_header(void *self, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct gathered *all = self;
    (void)kind;
    if (all->n == REQUEST_HEADERS_MAX)
        return MHD_NO;
    char *lower = arena_text(&all->arena, name);
    for (char *p = lower; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    all->at[all->n++] = (struct request_header){lower, value ? value : ""};
    return MHD_YES;
}

static enum MHD_Result gather_query(void *self, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct gathered *all = self;
    (void)kind;
    buf_text(&all->query, all->query.size ? "&" : "");
    buf_text(&all->query, name);
    buf_text(&all->query, value ? "=" : "");
    buf_text(&all->query, value ? value : "");
    return MHD_YES;
}

static void peer_of(struct MHD_Connection *c, char peer[INET6_ADDRSTRLEN])
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *at = info ? info->client_addr : NULL;
    const void *bytes = !at ? NULL
                        : at->sa_family == AF_INET
                            ? (const void *)&((const struct sockaddr_in *)(const void *)at)->sin_addr
                            : &((const struct sockaddr_in6 *)(const void *)at)->sin6_addr;
    if (!bytes || !inet_ntop(at->sa_family, bytes, peer, INET6_ADDRSTRLEN))
        strcpy(peer, "?");
}

/* The route may answer before it returns. */
static void hand_on(struct gateway *g, struct visit *v, const char *path, const char *method)
{
    struct gathered all = {.n = 0};
    char peer[INET6_ADDRSTRLEN];
    MHD_get_connection_values(v->connection, MHD_HEADER_KIND, gather_header, &all);
    MHD_get_connection_values(v->connection, MHD_GET_ARGUMENT_KIND, gather_query, &all);
    peer_of(v->connection, peer);
    struct request r = {.number = v->number,
                        .route = v->route->path,
                        .method = method,
                        .path = path,
                        .query = all.query.size ? all.query.data : "",
                        .peer = peer,
                        .received_ms = clock_now_ms(),
                        .headers = all.at,
                        .n_headers = all.n,
                        .body = v->body.size ? v->body.data : "",
                        .n_body = v->body.size};
    v->route->take(g, &r);
    arena_fini(&all.arena);
    buf_fini(&all.query);
}

static enum MHD_Result take_whole(struct gateway *g, struct visit *v, const char *path, const char *method)
{
    v->number = ++g->numbers;
    v->whole_ms = clock_mono_ms();
    v->release_ms = v->whole_ms + (v->route->answer_ms ? v->route->answer_ms : ANSWER_MS);
    if (v->guest)
        unlist_guest(g, v->guest);
    v->after = g->visits;
    if (v->after)
        v->after->before = v;
    g->visits = v;
    no_later(g, v->release_ms);
    v->suspended = true;
    MHD_suspend_connection(v->connection);
    hand_on(g, v, path, method);
    return MHD_YES;
}

/* Called with the headers, with each part of the body, with its end, and again when its connection was woken: *state says which. */
static enum MHD_Result on_request(void *self, struct MHD_Connection *c, const char *path, const char *method,
                                  const char *version, const char *body, size_t *n_body, void **state)
{
    struct gateway *g = self;
    struct visit *v = *state;
    (void)version;
    if (!v) {
        *state = v = begin_visit(c, path);
        return look(g, v, path, method);
    }
    if (*n_body) {
        size_t n = *n_body;
        *n_body = 0;
        return collect(g, v, body, n);
    }
    if (v->thrown)
        return refuse(v, MHD_HTTP_CONTENT_TOO_LARGE, "too large\n", NULL, NULL);
    if (!v->number)
        return take_whole(g, v, path, method);
    return v->answered ? MHD_queue_response(c, v->status, v->response) : MHD_NO;
}

static void on_completed(void *self, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode how)
{
    struct gateway *g = self;
    struct visit *v = *state;
    (void)c, (void)how;
    if (!v)
        return;
    if (v->number) {
        *(v->before ? &v->before->after : &g->visits) = v->after;
        if (v->after)
            v->after->before = v->before;
    }
    if (v->guest && !v->guest->shown_out)
        list_guest(g, v->guest);
    if (v->response)
        MHD_destroy_response(v->response);
    g->held_bytes -= v->body.size;
    buf_fini(&v->body);
    mem_free(v);
    *state = NULL;
}

/* Paths have one spelling: nothing is unescaped, so that no NUL and no slash comes of it. */
static size_t leave_escaped(void *self, struct MHD_Connection *c, char *text)
{
    (void)self, (void)c;
    return strlen(text);
}

/* --- the loop --- */

static void take_message(struct gateway *g, const struct message *m)
{
    struct request_header headers[REQUEST_HEADERS_MAX];
    struct answer a;
    if (m->kind != MESSAGE_ANSWER)
        pages_hear(g, m);
    else if (answer_read(m->text, m->n_bytes, headers, &a))
        route_answer(g, &a);
}

/* False: the supervisor is gone, or wants an end. */
static bool hear(struct gateway *g)
{
    struct message m;
    int got = 0;
    if (!channel_fill(&g->channel))
        return false;
    while ((got = channel_next(&g->channel, &m)) > 0)
        take_message(g, &m);
    return got == 0;
}

static int wait_ms(struct gateway *g)
{
    MHD_UNSIGNED_LONG_LONG ms = 0;
    int64_t left = g->due_ms == INT64_MAX ? 5000 : g->due_ms - clock_mono_ms();
    int most = left < 0 ? 0 : left > 5000 ? 5000 : (int)left;
    return MHD_get_timeout(g->http, &ms) == MHD_YES && ms < (unsigned)most ? (int)ms : most;
}

static void serve(struct gateway *g)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(g->http, MHD_DAEMON_INFO_EPOLL_FD);
    struct pollfd fds[2] = {{g->channel.fd, POLLIN, 0}, {info ? info->epoll_fd : -1, POLLIN, 0}};
    for (bool on = true; on;) {
        fds[0].events = (short)(g->channel.out.size ? POLLIN | POLLOUT : POLLIN);
        poll(fds, 2, wait_ms(g));
        if (fds[0].revents & ~POLLOUT)
            on = hear(g);
        tend(g);
        MHD_run(g->http);
        on = channel_flush(&g->channel) && on;
    }
}

static struct MHD_Daemon *open_door(struct gateway *g)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, g, MHD_OPTION_LISTEN_SOCKET,
        CHILD_GIVEN_FD, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)SILENT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_BYTES, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, g, MHD_OPTION_NOTIFY_COMPLETED, on_completed, g, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped,
        NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

/* A sanitizer needs files and processes of its own at the end. */
static int close_in(struct err *e)
{
#ifdef __SANITIZE_ADDRESS__
    (void)e;
    return 0;
#else
    return sandbox_serve_only(e);
#endif
}

/* The numbers begin anywhere: an answer that was meant for a gateway before this one finds nobody. */
int gateway_run(struct err *e)
{
    struct gateway g = {.due_ms = INT64_MAX};
    if (!child_begin(&g.channel))
        return err_set(e, ERR_CONFIG, "the gateway is started by `syncline run`; use that");
    signal(SIGPIPE, SIG_IGN);
    fcntl(CHILD_GIVEN_FD, F_SETFD, FD_CLOEXEC);
    fcntl(g.channel.fd, F_SETFL, O_NONBLOCK);
    random_bytes(&g.numbers, sizeof g.numbers);
    g.numbers >>= 1;
    g.http = open_door(&g);
    if (!g.http || close_in(e))
        return 1;
    serve(&g);
    for (struct visit *v = g.visits; v; v = v->after)
        if (v->suspended) {
            v->suspended = false;
            MHD_resume_connection(v->connection);
        }
    MHD_stop_daemon(g.http);
    channel_close(&g.channel);
    return 0;
}
