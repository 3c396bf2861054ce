/* SPDX-License-Identifier: MIT */
/* clerk.c - the supervisor's end of the API: a request becomes an errand, or wakes a pair; what comes of it becomes an answer. */
#include "daemon/clerk.h"

#include "base/text.h"

/* A gateway that takes nothing gets no more: its callers have given up. */
static void say(struct clerk *c, const struct answer *a)
{
    struct buf bytes = {0};
    answer_put(&bytes, a);
    if (c->to_gateway->size < MESSAGE_MAX_BYTES)
        message_put(c->to_gateway, MESSAGE_ANSWER, bytes.data, bytes.size);
    buf_fini(&bytes);
}

static void say_error(struct clerk *c, uint64_t number, unsigned status, const char *why)
{
    struct buf text = {0};
    struct answer a = api_error(number, status, why, &text);
    say(c, &a);
    buf_fini(&text);
}

static void tell(void *self, const struct errand_result *r)
{
    struct buf text = {0};
    struct answer a = api_answer(r, &text);
    say(self, &a);
    buf_fini(&text);
}

void clerk_open(struct clerk *c)
{
    c->errands = errands_new(tell, c);
}

void clerk_close(struct clerk *c)
{
    errands_free(c->errands);
    c->errands = NULL;
}

void clerk_set(struct clerk *c, const char *token_digest)
{
    c->door.open = token_digest && hex_decode(token_digest, c->door.digest, sizeof c->door.digest);
}

static void wake(struct clerk *c, uint64_t number, const char *pair)
{
    struct buf text = {0};
    if (!c->wake(c->self, pair)) {
        say_error(c, number, 404, "the config in force has no such pair");
        return;
    }
    struct answer a = api_woken(number, pair, &text);
    say(c, &a);
    buf_fini(&text);
}

void clerk_take(struct clerk *c, const struct request *r)
{
    struct arena arena = {0};
    struct api_call call;
    struct answer refusal;
    if (!api_plan(&c->door, r, &arena, &call, &refusal)) {
        say(c, &refusal);
    } else if (call.wake) {
        wake(c, r->number, call.wake);
    } else {
        struct errand_order o = {r->number, call.words, call.n_words, call.deadline_ms, call.lengthy};
        if (!errands_ask(c->errands, &o))
            say_error(c, r->number, 503, "too many requests wait already; ask again later");
    }
    arena_fini(&arena);
}
