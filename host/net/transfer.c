/* SPDX-License-Identifier: MIT */
/* transfer.c - the one door to libcurl: transfers in flight together, and the parts of URLs. */
#include "net/transfer.h"

#include <ctype.h>
#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>
#include <unistd.h>

#include "net/address.h"
#include "net/policy.h"
#include "net/tape.h"

enum {
    BODY_BYTES = 16 * 1024 * 1024,
    HEADER_BYTES = 64 * 1024,
    BOMB_BYTES = 1024 * 1024, /* from here on a body may be a hundred times what was sent, no more */
    BOMB_RATIO = 100,
    TIMEOUT_MS = 30000,
    CONNECT_MS = 10000,
    SLOW_BYTES_A_SECOND = 100,
    SLOW_SECONDS = 30,
    KEPT_CONNECTIONS = 64
};

struct transfer_pool {
    CURLM *multi;
    struct transfer_limits limits;
    struct transfer *refused; /* could not be started; linked through their hands */
    struct transfer *played; /* answered by a tape; likewise */
    CURL *spares[KEPT_CONNECTIONS]; /* handles to use again, with what is the same for all transfers set */
    size_t n_spares;
};

struct transfer_hand {
    CURL *easy;
    struct curl_slist *headers;
    struct transfer_pool *pool;
    struct transfer *next; /* of those that could not be started, or are played */
    const struct tape_exchange *tape; /* a replay's answer */
    struct tape_mark left; /* for a recording */
    char error[CURL_ERROR_SIZE];
};

/* --- what libcurl calls --- */

static void refuse(struct transfer *t, const char *why)
{
    t->end = NET_REFUSED;
    t->why = t->why ? t->why : arena_text(&t->memory, why);
}

static size_t on_body(char *data, size_t one, size_t n, void *self)
{
    struct transfer *t = self;
    curl_off_t sent = 0;
    (void)one;
    buf_add(&t->answer, data, n);
    if (t->answer.size > t->hand->pool->limits.most_body_bytes) {
        refuse(t,
               arena_printf(&t->memory, "the answer is larger than %zu bytes", t->hand->pool->limits.most_body_bytes));
        return CURL_WRITEFUNC_ERROR;
    }
    curl_easy_getinfo(t->hand->easy, CURLINFO_SIZE_DOWNLOAD_T, &sent);
    if (t->answer.size > BOMB_BYTES && (curl_off_t)t->answer.size / BOMB_RATIO > sent) {
        refuse(t, "the answer unpacks to more than a hundred times its size");
        return CURL_WRITEFUNC_ERROR;
    }
    return n;
}

static size_t on_send(char *to, size_t one, size_t room, void *self)
{
    struct transfer *t = self;
    size_t left = t->body_bytes - t->body_sent, n = left < one * room ? left : one * room;
    if (n)
        memcpy(to, t->body + t->body_sent, n);
    t->body_sent += n;
    return n;
}

static void add_header(struct transfer *t, const char *line, size_t n)
{
    const char *colon = memchr(line, ':', n);
    if (!colon)
        return;
    size_t n_name = (size_t)(colon - line), at = n_name + 1;
    while (at < n && (line[at] == ' ' || line[at] == '\t'))
        at++;
    while (n > at && isspace((unsigned char)line[n - 1]))
        n--;
    if (t->n_got == t->got_room) {
        size_t room = t->got_room ? t->got_room * 2 : 16;
        struct sl_header *more = arena_alloc(&t->memory, room * sizeof *more);
        if (t->n_got)
            memcpy(more, t->got, t->n_got * sizeof *more);
        t->got = more;
        t->got_room = room;
    }
    char *name = arena_dup(&t->memory, line, n_name);
    for (char *c = name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    t->got[t->n_got++] = (struct sl_header){.name = name, .value = arena_dup(&t->memory, line + at, n - at)};
}

static size_t on_header(char *line, size_t one, size_t n, void *self)
{
    struct transfer *t = self;
    (void)one;
    t->header_bytes += n;
    if (t->header_bytes > t->hand->pool->limits.most_header_bytes) {
        refuse(t, arena_printf(&t->memory, "the answer's headers are larger than %zu bytes",
                               t->hand->pool->limits.most_header_bytes));
        return 0;
    }
    if (n > 5 && strncmp(line, "HTTP/", 5) == 0) /* an interim answer came before */
        t->n_got = 0;
    else
        add_header(t, line, n);
    return n;
}

/* Called with the address that the name resolved to: no later answer of a name server changes what is reached. */
static curl_socket_t on_socket(void *self, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *t = self;
    int kind = address_kind(&address->addr);
    (void)purpose;
    if (kind != ADDRESS_PUBLIC && !t->near) {
        refuse(t, arena_printf(&t->memory, "it leads to a %s address", address_word(kind)));
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* --- one transfer --- */

static void set_headers(struct transfer *t)
{
    struct buf line = {0};
    for (size_t i = 0; i < t->n_headers; i++) {
        buf_clear(&line);
        buf_printf(&line, "%s%s %s", t->headers[i].name, *t->headers[i].value ? ":" : ";", t->headers[i].value);
        t->hand->headers = curl_slist_append(t->hand->headers, line.data);
    }
    if (t->body)
        t->hand->headers = curl_slist_append(t->hand->headers, "Expect:");
    buf_fini(&line);
    curl_easy_setopt(t->hand->easy, CURLOPT_HTTPHEADER, t->hand->headers);
}

/*
 * The body by piece, and no way to begin anew: libcurl sends a request again by itself when a kept connection dies without an answer, which
 * would double a create. It cannot once a byte of a body has left that it cannot rewind; without a body a connection of its own is as good.
 */
static void set_body(CURL *h, struct transfer *t)
{
    if (t->once && t->body_bytes == 0)
        curl_easy_setopt(h, CURLOPT_FRESH_CONNECT, 1L);
    if (strcmp(t->method, "GET") == 0 && !t->body)
        return;
    if (strcmp(t->method, "HEAD") == 0) {
        curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
        return;
    }
    if (t->body || strcmp(t->method, "DELETE") != 0)
        curl_easy_setopt(h, CURLOPT_POST, 1L);
    curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, t->method);
    curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body_bytes);
    curl_easy_setopt(h, CURLOPT_READFUNCTION, on_send);
    curl_easy_setopt(h, CURLOPT_READDATA, t);
}

/* What is the same for every transfer of a pool. */
static void set_rules(CURL *h, const struct transfer_limits *l)
{
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "https,http");
    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(h, CURLOPT_ACCEPT_ENCODING, "");
    /* GitHub refuses who gives no name; a connector's header comes first */
    curl_easy_setopt(h, CURLOPT_USERAGENT, "syncline");
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)l->connect_ms);
    curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES_A_SECOND);
    curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_PROXY, ""); /* the environment decides nothing */
    if (l->ca_file)
        curl_easy_setopt(h, CURLOPT_CAINFO, l->ca_file);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, on_socket);
}

static void set_own(struct transfer *t)
{
    CURL *h = t->hand->easy;
    curl_easy_setopt(h, CURLOPT_URL, t->url);
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)(t->timeout_ms ? t->timeout_ms : t->hand->pool->limits.timeout_ms));
    curl_easy_setopt(h, CURLOPT_PRIVATE, t);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, t->hand->error);
}

/* http:// shows credentials to everyone on the way. */
static bool plain_refused(const struct transfer_limits *l, const char *url)
{
    static const char *const loopback[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    if (l->plain_http || strncasecmp(url, "http://", 7) != 0)
        return false;
    for (size_t i = 0; i < sizeof loopback / sizeof *loopback; i++) {
        size_t n = strlen(loopback[i]);
        if (strncasecmp(url, loopback[i], n) == 0 && strchr(":/?#", url[n]))
            return false;
    }
    return true;
}

static CURL *take_easy(struct transfer_pool *pool)
{
    if (pool->n_spares)
        return pool->spares[--pool->n_spares];
    CURL *h = curl_easy_init();
    if (h)
        set_rules(h, &pool->limits);
    return h;
}

/* To set all anew costs a small GET a third of its time: only what set_body() changed is worth that. */
static void keep_easy(struct transfer_pool *pool, CURL *h, const struct transfer *t)
{
    bool plain = !t->body && !t->once && strcmp(t->method, "GET") == 0;
    if (pool->n_spares == sizeof pool->spares / sizeof *pool->spares) {
        curl_easy_cleanup(h);
        return;
    }
    if (!plain) {
        curl_easy_reset(h);
        set_rules(h, &pool->limits);
    }
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, NULL);
    pool->spares[pool->n_spares++] = h;
}

/* Without a network: what is not on the tape is refused. True if it is. */
static bool start_played(struct transfer_pool *pool, struct transfer *t)
{
    t->hand->tape = tape_find(pool->limits.tape, pool->limits.connection, t);
    if (!t->hand->tape) {
        t->end = NET_REFUSED;
        return false;
    }
    t->hand->next = pool->played;
    pool->played = t;
    return true;
}

void transfer_start(struct transfer_pool *pool, struct transfer *t)
{
    t->hand = mem_alloc(sizeof *t->hand);
    t->hand->pool = pool;
    t->end = 0;
    t->status = 0;
    t->n_got = t->got_room = t->header_bytes = t->body_sent = 0;
    t->why = NULL;
    buf_clear(&t->answer);
    if (plain_refused(&pool->limits, t->url))
        refuse(t, "http:// is for loopback only; use https:// or allow_plain_http");
    if (!t->why && tape_replays(pool->limits.tape) && start_played(pool, t))
        return;
    t->hand->easy = t->why ? NULL : take_easy(pool);
    if (t->hand->easy) {
        if (pool->limits.tape)
            t->hand->left = tape_leave(pool->limits.tape);
        set_own(t);
        set_headers(t);
        set_body(t->hand->easy, t);
        if (curl_multi_add_handle(pool->multi, t->hand->easy) == CURLM_OK)
            return;
    }
    t->end = t->end ? t->end : NET_NOT_SENT;
    t->why = t->why ? t->why : "out of handles";
    t->hand->next = pool->refused;
    pool->refused = t;
}

/* Certainly nothing of it reached the server. */
static bool never_left(CURL *h, CURLcode code)
{
    static const CURLcode before[] = {
        CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT,          CURLE_URL_MALFORMAT,     CURLE_UNSUPPORTED_PROTOCOL,
        CURLE_SSL_CONNECT_ERROR,    CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE};
    long sent = 0;
    curl_easy_getinfo(h, CURLINFO_REQUEST_SIZE, &sent);
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        if (code == before[i])
            return true;
    return code == CURLE_OPERATION_TIMEDOUT && sent == 0;
}

static void give_back(struct transfer *t)
{
    struct transfer_hand *hand = t->hand;
    if (hand->easy)
        keep_easy(hand->pool, hand->easy, t);
    curl_slist_free_all(hand->headers);
    mem_free(hand);
    t->hand = NULL;
}

/* libcurl's words, but for what comes of our not letting it send a request twice: to a person that is a lost answer. */
static const char *say(const struct transfer *t, CURLcode code)
{
    if (code == CURLE_SEND_FAIL_REWIND)
        return "the connection ended without an answer";
    return t->hand->error[0] ? t->hand->error : curl_easy_strerror(code);
}

static void conclude(struct transfer *t, CURLcode code)
{
    CURL *h = t->hand->easy;
    long status = 0;
    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
    t->status = (uint32_t)status;
    if (t->end == 0 && code == CURLE_OK) {
        t->end = NET_ANSWERED;
    } else if (t->end == 0) {
        t->end = never_left(h, code) ? NET_NOT_SENT : NET_NO_ANSWER;
        t->why = arena_text(&t->memory, say(t, code));
    }
    curl_multi_remove_handle(t->hand->pool->multi, h);
    const struct transfer_limits *l = &t->hand->pool->limits;
    if (l->tape)
        tape_keep(l->tape, l->connection, t, t->hand->left);
    give_back(t);
}

static void play(struct transfer *t, const struct tape_exchange *x)
{
    t->end = x->end;
    t->status = x->status;
    t->why = x->why;
    t->n_got = x->answer.n_headers;
    t->got = arena_dup(&t->memory, x->answer.headers, t->n_got * sizeof *t->got);
    buf_add(&t->answer, x->answer.body, x->answer.n_body);
}

static struct transfer *take_played(struct transfer_pool *pool, int64_t wait_ms)
{
    for (struct transfer **at = &pool->played; *at; at = &(*at)->hand->next) {
        struct transfer *t = *at;
        if (!tape_turn(pool->limits.tape, t->hand->tape))
            continue;
        *at = t->hand->next;
        play(t, t->hand->tape);
        give_back(t);
        return t;
    }
    tape_wait(pool->limits.tape, wait_ms);
    return NULL;
}

static struct transfer *take_refused(struct transfer_pool *pool)
{
    struct transfer *t = pool->refused;
    if (t) {
        pool->refused = t->hand->next;
        give_back(t);
    }
    return t;
}

static struct transfer *take_done(struct transfer_pool *pool)
{
    int left = 0;
    CURLMsg *m = NULL;
    while ((m = curl_multi_info_read(pool->multi, &left)))
        if (m->msg == CURLMSG_DONE) {
            char *self = NULL;
            CURLcode code = m->data.result;
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &self);
            struct transfer *t = (struct transfer *)(void *)self;
            conclude(t, code);
            return t;
        }
    return NULL;
}

struct transfer *transfer_next(struct transfer_pool *pool, int64_t wait_ms)
{
    int running = 0;
    struct transfer *t = take_refused(pool);
    if (!t && tape_replays(pool->limits.tape))
        return take_played(pool, wait_ms);
    if (t || (t = take_done(pool)))
        return t;
    curl_multi_perform(pool->multi, &running);
    if ((t = take_done(pool)) || wait_ms <= 0)
        return t;
    curl_multi_poll(pool->multi, NULL, 0, wait_ms > 1000 ? 1000 : (int)wait_ms, NULL);
    curl_multi_perform(pool->multi, &running);
    return take_done(pool);
}

void transfer_fini(struct transfer *t)
{
    buf_fini(&t->answer);
    arena_fini(&t->memory);
}

struct transfer_pool *transfer_open(const struct transfer_limits *limits)
{
    struct transfer_pool *pool = mem_alloc(sizeof *pool);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    pool->limits = *limits;
    struct transfer_limits *l = &pool->limits;
    l->most_body_bytes = l->most_body_bytes ? l->most_body_bytes : BODY_BYTES;
    l->most_header_bytes = l->most_header_bytes ? l->most_header_bytes : HEADER_BYTES;
    l->timeout_ms = l->timeout_ms ? l->timeout_ms : TIMEOUT_MS;
    l->connect_ms = l->connect_ms ? l->connect_ms : CONNECT_MS;
    pool->multi = curl_multi_init();
    curl_multi_setopt(pool->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
    return pool;
}

void transfer_close(struct transfer_pool *pool)
{
    if (!pool)
        return;
    while (pool->n_spares)
        curl_easy_cleanup(pool->spares[--pool->n_spares]);
    curl_multi_cleanup(pool->multi);
    curl_global_cleanup();
    mem_free(pool);
}

/* --- URLs --- */

static int bad_url(struct err *e, const char *url, const char *what)
{
    struct arena a = {0};
    int rc = err_set(e, ERR_INPUT, "the URL %.200s %s", url_shown(url, &a), what);
    arena_fini(&a);
    return rc;
}

static char *part(CURLU *u, CURLUPart what, unsigned flags)
{
    char *text = NULL;
    return curl_url_get(u, what, &text, flags) == CURLUE_OK ? text : NULL;
}

int url_origin(const char *url, struct arena *a, const char **origin, struct err *e)
{
    CURLU *u = curl_url();
    int rc = 0;
    if (!u || curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME)) {
        curl_url_cleanup(u);
        return bad_url(e, url, "is not an absolute URL");
    }
    char *scheme = part(u, CURLUPART_SCHEME, 0), *host = part(u, CURLUPART_HOST, 0);
    char *port = part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    char *user = part(u, CURLUPART_USER, 0), *password = part(u, CURLUPART_PASSWORD, 0);
    if (user || password)
        rc = err_set(e, ERR_INPUT, "a URL with a user or password in it is refused; put credentials into `auth`");
    else if (!scheme || !host || !port || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        rc = bad_url(e, url, "is neither http nor https");
    else {
        char *text = arena_printf(a, "%s://%s:%s", scheme, host, port);
        for (char *c = text; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        *origin = text;
    }
    char *all[] = {scheme, host, port, user, password};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        curl_free(all[i]);
    curl_url_cleanup(u);
    return rc;
}

bool url_near(const char *url)
{
    CURLU *u = curl_url();
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    bool near = false;
    char *host = u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK ? part(u, CURLUPART_HOST, 0) : NULL;
    if (host && host[0] == '[') { /* [::1] */
        host[strcspn(host, "]%")] = '\0';
        near = inet_pton(AF_INET6, host + 1, &six.sin6_addr) == 1 &&
               address_kind((struct sockaddr *)&six) != ADDRESS_PUBLIC;
    } else if (host) {
        near = strcmp(host, "localhost") == 0 || (inet_pton(AF_INET, host, &four.sin_addr) == 1 &&
                                                  address_kind((struct sockaddr *)&four) != ADDRESS_PUBLIC);
    }
    curl_free(host);
    curl_url_cleanup(u);
    return near;
}

int url_resolve(const char *base, const char *reference, struct arena *a, const char **url, struct err *e)
{
    CURLU *u = curl_url();
    char *text = NULL;
    int rc = 0;
    if (!u || curl_url_set(u, CURLUPART_URL, base, 0) || curl_url_set(u, CURLUPART_URL, reference, 0) ||
        !(text = part(u, CURLUPART_URL, 0)))
        rc = bad_url(e, reference, "is no URL");
    else
        *url = arena_text(a, text);
    curl_free(text);
    curl_url_cleanup(u);
    return rc;
}

static const char *taken(char *text, size_t n, struct arena *a)
{
    const char *copy = arena_dup(a, text ? text : "", text ? n : 0);
    curl_free(text);
    return copy;
}

const char *url_escape(const char *text, size_t n, struct arena *a)
{
    char *out = n ? curl_easy_escape(NULL, text, (int)n) : NULL; /* a length of 0 would mean: measure it */
    return taken(out, out ? strlen(out) : 0, a);
}

const char *url_unescape(const char *text, size_t n, size_t *n_out, struct arena *a)
{
    int size = 0;
    char *out = n ? curl_easy_unescape(NULL, text, (int)n, &size) : NULL;
    *n_out = (size_t)size;
    return taken(out, (size_t)size, a);
}

const char *url_shown(const char *url, struct arena *a)
{
    size_t n = strcspn(url, "?#"), from = 0, scheme = 0;
    const char *slashes = strstr(url, "://");
    if (slashes && (size_t)(slashes - url) < n)
        from = scheme = (size_t)(slashes - url) + 3;
    size_t host_end = from + strcspn(url + from, "/?#");
    for (size_t i = from; i < host_end; i++) /* a user and a password stand before the last @ */
        if (url[i] == '@')
            from = i + 1;
    return arena_printf(a, "%.*s%.*s", (int)scheme, url, (int)(n - from), url + from);
}
