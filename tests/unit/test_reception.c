/* SPDX-License-Identifier: MIT */
/* test_reception.c - what a receiver of webhooks may tell the supervisor, and what is made of one that tells nonsense. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "base/log.h"
#include "daemon/reception.h"

/* A supervisor with one receiver, whose end the test holds. */
struct rig {
    struct reception reception;
    struct reception_world world;
    struct receiver receiver;
    struct figures figures;
    struct buf to_gateway;
    struct channel there;
    char woken[200];
};

static void wake(void *self, const char *pair)
{
    struct rig *r = self;
    strncat(r->woken, pair, 50);
    strcat(r->woken, ";");
}

static struct rig *begin(void)
{
    static const char *const names[] = {"desk"};
    struct rig *r = mem_alloc(sizeof *r);
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    log_init(false, LOG_ERROR - 1);
    r->receiver.child.channel.fd = ends[0];
    r->there.fd = ends[1];
    r->receiver.config = 1;
    r->reception.all[r->reception.n++] = &r->receiver;
    figures_set_hooks(&r->figures, names, 1);
    reception_set(&r->reception, 1, true, 0);
    r->world = (struct reception_world){.self = r, .wake = wake, .to_gateway = &r->to_gateway, .figures = &r->figures};
    return r;
}

static void end(struct rig *r)
{
    channel_close(&r->receiver.child.channel);
    channel_close(&r->there);
    figures_fini(&r->figures);
    buf_fini(&r->to_gateway);
    mem_free(r);
}

static void tell(struct rig *r, int kind, const char *text, size_t n)
{
    CU_ASSERT_TRUE(channel_say(&r->there, kind, text, n));
    reception_hear(&r->reception, 0, &r->world);
}

static void deliver(struct rig *r, uint64_t number)
{
    struct request q = {.number = number, .route = DELIVERY_PATH, .path = "/hooks/desk/t"};
    struct buf bytes = {0};
    request_put(&bytes, &q);
    reception_take(&r->reception, &(struct message){MESSAGE_REQUEST, bytes.data, bytes.size}, 0, &r->world);
    buf_fini(&bytes);
}

static void answer(struct rig *r, uint64_t number)
{
    struct answer a = delivery_answer(number, DELIVERY_ACCEPTED);
    struct buf bytes = {0};
    answer_put(&bytes, &a);
    tell(r, MESSAGE_ANSWER, bytes.data, bytes.size);
    buf_fini(&bytes);
}

/* The status of the n-th answer that the gateway is to get; 0: there is none. */
static unsigned answered(const struct rig *r, size_t n, uint64_t *number)
{
    struct request_header headers[REQUEST_HEADERS_MAX];
    struct message m;
    struct answer a = {0};
    size_t at = 0;
    for (size_t i = 0; i <= n; i++)
        if (message_cut(&r->to_gateway, &at, &m) != 1 || !answer_read(m.text, m.n_bytes, headers, &a))
            return 0;
    *number = a.number;
    return a.status;
}

/* It answers what it has in hand, once, and nothing else. */
static void own_answers(void)
{
    struct rig *r = begin();
    uint64_t number = 0;
    deliver(r, 7);
    deliver(r, 8);
    answer(r, 9);
    CU_ASSERT_EQUAL(answered(r, 0, &number), 0);
    answer(r, 7);
    answer(r, 7);
    CU_ASSERT_EQUAL(answered(r, 0, &number), 202);
    CU_ASSERT_EQUAL(number, 7);
    CU_ASSERT_EQUAL(answered(r, 1, &number), 0);
    CU_ASSERT_EQUAL(r->receiver.n_in_hand, 1);
    end(r);
}

/* Without webhooks every path leads nowhere; without a receiver, or with too many in its hand, it is the sender's to repeat. */
static void no_receiver(void)
{
    struct rig *r = begin();
    uint64_t number = 0;
    for (uint64_t i = 1; i <= RECEPTION_ROOM + 1; i++) {
        struct message m;
        deliver(r, i);
        while (channel_fill(&r->there) && channel_next(&r->there, &m) > 0)
            ;
    }
    CU_ASSERT_EQUAL(answered(r, 0, &number), 503);
    CU_ASSERT_EQUAL(number, RECEPTION_ROOM + 1);
    channel_close(&r->receiver.child.channel);
    deliver(r, 5000);
    CU_ASSERT_EQUAL(answered(r, 1, &number), 503);
    reception_set(&r->reception, 2, false, 0);
    deliver(r, 5001);
    CU_ASSERT_EQUAL(answered(r, 2, &number), 404);
    CU_ASSERT_EQUAL(r->figures.stray_hooks, 1);
    end(r);
}

static void news(void)
{
    static const char text[] =
        "{\"wake\": [\"p\", 7, \"q\"], \"counts\": [{\"connection\": \"desk\", \"accepted\": 3, \"refused\": -1}, "
        "{\"connection\": \"other\", \"refused\": 2}, 7], \"trouble\": [{\"connection\": \"desk\", "
        "\"times\": 4, \"text\": \"it is forged\"}, []], \"more\": 1}";
    struct rig *r = begin();
    tell(r, MESSAGE_HOOKS, text, sizeof text - 1);
    CU_ASSERT_STRING_EQUAL(r->woken, "p;q;");
    CU_ASSERT_EQUAL(r->figures.hooks[0].counts[DELIVERY_ACCEPTED], 3);
    CU_ASSERT_EQUAL(r->figures.hooks[0].counts[DELIVERY_REFUSED], 0);
    CU_ASSERT_EQUAL(r->figures.stray_hooks, 2); /* a label is never another's than the config's */
    CU_ASSERT_TRUE(r->world.told);
    CU_ASSERT(r->receiver.child.channel.fd >= 0);
    tell(r, MESSAGE_LOADED, "", 0);
    CU_ASSERT_TRUE(r->receiver.ready);
    end(r);
}

static void nonsense(void)
{
    static const struct {
        int kind;
        const char *text;
    } rows[] = {{MESSAGE_HOOKS, ""},    {MESSAGE_HOOKS, "[]"},  {MESSAGE_HOOKS, "{\"wake\""},
                {MESSAGE_HOOKS, "7"},   {MESSAGE_RUN, "run p"}, {MESSAGE_DONE, "ok"},
                {MESSAGE_METRICS, "x"}, {MESSAGE_REQUEST, ""},  {MESSAGE_REPORT, "{}"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig *r = begin();
        tell(r, rows[i].kind, rows[i].text, strlen(rows[i].text));
        CU_ASSERT_EQUAL(r->receiver.child.channel.fd, -1);
        CU_ASSERT_EQUAL(r->to_gateway.size, 0);
        end(r);
    }
}

/* What is to be had of a new one first reaches the one before, which gets what was on its way to it before its end. */
static void takes_over(void)
{
    struct rig *r = begin();
    struct receiver next = {.child.channel.fd = -1, .config = 2};
    struct message m;
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    next.child.channel.fd = ends[0];
    tell(r, MESSAGE_LOADED, "", 0);
    reception_set(&r->reception, 2, true, 0);
    r->reception.all[r->reception.n++] = &next;
    deliver(r, 7);
    CU_ASSERT_EQUAL(r->receiver.n_in_hand, 1);
    struct channel there = {.fd = ends[1]};
    CU_ASSERT_TRUE(channel_say(&there, MESSAGE_LOADED, "", 0));
    reception_hear(&r->reception, 0, &r->world);
    deliver(r, 8);
    CU_ASSERT_EQUAL(next.n_in_hand, 1);
    CU_ASSERT_TRUE(r->receiver.leaving);
    CU_ASSERT_TRUE(channel_fill(&r->there) && channel_next(&r->there, &m) == 1);
    CU_ASSERT_EQUAL(request_number(m.text, m.n_bytes), 7);
    answer(r, 7);
    uint64_t number = 0;
    CU_ASSERT_EQUAL(answered(r, 0, &number), 202);
    channel_close(&there);
    channel_close(&next.child.channel);
    end(r);
}

static const struct check tests[] = {
    {"a receiver answers what it has in hand, and nothing else", own_answers},
    {"without a receiver it is the sender's to repeat", no_receiver},
    {"what it tells is counted, woken and said", news},
    {"one that tells nonsense is heard no more", nonsense},
    {"a new one takes over, and the one before ends its work", takes_over},
};
CHECK_MAIN("reception", tests)
