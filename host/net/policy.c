/* SPDX-License-Identifier: MIT */
/* policy.c - what an HTTP answer means and what to do next. */
#include "net/policy.h"

#include <string.h>
#include <strings.h>

#include "syncline/syncline.h"

/* One span of statuses; the first that holds it decides. `repeatable` stands where a second sending does no harm. */
struct meaning {
    uint32_t from, to;
    struct net_verdict once, repeatable;
};

#define SAME(step, fate, advice)                                                                                       \
    {step, fate, advice},                                                                                              \
    {                                                                                                                  \
        step, fate, advice                                                                                             \
    }
static const struct meaning meanings[] = {
    {200, 299, SAME(STEP_DONE, FATE_DONE, SL_OK)},
    {304, 304, SAME(STEP_DONE, FATE_DONE, SL_OK)},
    {300, 399, SAME(STEP_DONE, FATE_NOT_DONE, SL_CONFIG)}, /* a redirect that was not followed */
    {401, 401, SAME(STEP_REFRESH, FATE_NOT_DONE, SL_AUTH)},
    {403, 403, SAME(STEP_DONE, FATE_NOT_DONE, SL_AUTH)},
    {404, 404, SAME(STEP_DONE, FATE_NOT_DONE, SL_GONE)},
    {410, 410, SAME(STEP_DONE, FATE_NOT_DONE, SL_GONE)},
    {408, 408, {STEP_DONE, FATE_UNKNOWN, SL_RETRY}, {STEP_AGAIN, FATE_UNKNOWN, SL_RETRY}},
    {409, 409, SAME(STEP_DONE, FATE_NOT_DONE, SL_CONFLICT)},
    {412, 412, SAME(STEP_DONE, FATE_NOT_DONE, SL_CONFLICT)},
    {423, 423, SAME(STEP_AGAIN, FATE_NOT_DONE, SL_RETRY)}, /* locked */
    {425, 425, SAME(STEP_AGAIN, FATE_NOT_DONE, SL_RETRY)}, /* too early */
    {428, 428, SAME(STEP_DONE, FATE_NOT_DONE, SL_CONFLICT)},
    {429, 429, SAME(STEP_PAUSE, FATE_NOT_DONE, SL_RATE)},
    {400, 499, SAME(STEP_DONE, FATE_NOT_DONE, SL_REJECTED)},
    {501, 501, SAME(STEP_DONE, FATE_NOT_DONE, SL_UNSUPPORTED)},
    {505, 505, SAME(STEP_DONE, FATE_NOT_DONE, SL_UNSUPPORTED)},
    {500, 599, {STEP_DONE, FATE_UNKNOWN, SL_RETRY}, {STEP_AGAIN, FATE_UNKNOWN, SL_RETRY}},
};
static const struct net_verdict broken = {STEP_DONE, FATE_UNKNOWN, SL_BROKEN};
static const struct net_verdict used_up = {STEP_PAUSE, FATE_NOT_DONE, SL_RATE};

static struct net_verdict of_status(uint32_t status, bool repeatable)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (status >= meanings[i].from && status <= meanings[i].to)
            return repeatable ? meanings[i].repeatable : meanings[i].once;
    return broken;
}

struct net_verdict policy_decide(const struct net_answer *answer, bool repeatable)
{
    switch (answer->end) {
    case NET_NOT_SENT:
        return (struct net_verdict){STEP_AGAIN, FATE_NOT_DONE, SL_RETRY};
    case NET_NO_ANSWER:
        return (struct net_verdict){repeatable ? STEP_AGAIN : STEP_DONE, FATE_UNKNOWN, SL_RETRY};
    case NET_REFUSED:
        return (struct net_verdict){STEP_DONE, FATE_UNKNOWN, SL_BROKEN};
    default:
        break;
    }
    /* GitHub and others answer 403 when the budget is used up. */
    if (answer->status == 403 && (answer->exhausted || answer->wait_ms >= 0))
        return used_up;
    return of_status(answer->status, repeatable);
}

bool policy_safe_method(const char *method)
{
    static const char *const safe[] = {"GET", "HEAD", "OPTIONS"};
    for (size_t i = 0; i < sizeof safe / sizeof *safe; i++)
        if (strcmp(method, safe[i]) == 0)
            return true;
    return false;
}

const struct net_patience policy_patience = {
    .most_tries = 5, .base_ms = 500, .cap_ms = 30000, .most_pause_ms = 15 * 60 * 1000};

int64_t policy_backoff_ms(const struct net_patience *p, uint32_t tries, uint64_t random)
{
    int64_t most = p->base_ms;
    for (uint32_t i = 0; i < tries && most < p->cap_ms; i++)
        most *= 2;
    if (most > p->cap_ms)
        most = p->cap_ms;
    return most <= 0 ? 0 : (int64_t)(random % ((uint64_t)most + 1));
}

int64_t breaker_wait_ms(struct breaker *b, int64_t now_ms)
{
    if (b->open_until_ms == 0)
        return 0;
    if (now_ms < b->open_until_ms)
        return b->open_until_ms - now_ms;
    if (b->probing) /* one at a time finds out */
        return BREAKER_BASE_MS;
    b->probing = true;
    return 0;
}

int64_t breaker_refuses_ms(const struct breaker *b, int64_t now_ms)
{
    return b->pause_ms > BREAKER_BASE_MS && now_ms < b->open_until_ms ? b->open_until_ms - now_ms : 0;
}

void breaker_tell(struct breaker *b, bool fault, int64_t now_ms)
{
    bool was_open = b->open_until_ms != 0;
    if (!fault) {
        *b = (struct breaker){0};
        return;
    }
    b->probing = false;
    b->falls++;
    if (b->falls < BREAKER_FALLS)
        return;
    b->pause_ms = was_open ? b->pause_ms * 2 : BREAKER_BASE_MS;
    if (b->pause_ms > BREAKER_CAP_MS)
        b->pause_ms = BREAKER_CAP_MS;
    b->open_until_ms = now_ms + b->pause_ms;
}
