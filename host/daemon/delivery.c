/* SPDX-License-Identifier: MIT */
/* delivery.c - a webhook on its way: what a path names, what becomes of a delivery, and how many a connection may send; pure. */
#include "daemon/delivery.h"

#include <string.h>

const char *const delivery_outcome_names[DELIVERY_OUTCOMES] = {
    [DELIVERY_ACCEPTED] = "accepted", [DELIVERY_AGAIN] = "seen_again", [DELIVERY_REFUSED] = "refused",
    [DELIVERY_LIMITED] = "limited",   [DELIVERY_FAILED] = "failed",    [DELIVERY_FULL] = "queue_full"};

static const struct {
    unsigned status;
    const char *text;
    bool later; /* the sender is to try it again */
} answers[DELIVERY_OUTCOMES] = {[DELIVERY_ACCEPTED] = {202, "taken\n", false},
                                [DELIVERY_AGAIN] = {202, "taken\n", false},
                                [DELIVERY_REFUSED] = {404, "there is nothing here\n", false},
                                [DELIVERY_LIMITED] = {429, "too many\n", true},
                                [DELIVERY_FAILED] = {503, "not now\n", true},
                                [DELIVERY_FULL] = {503, "not now\n", true}};

struct answer delivery_answer(uint64_t number, int outcome)
{
    static const struct request_header later = {"Retry-After", "1"};
    struct answer a = answer_text(number, answers[outcome].status, answers[outcome].text);
    a.headers = &later;
    a.n_headers = answers[outcome].later;
    return a;
}

struct delivery_path delivery_path_read(const char *path)
{
    static const char prefix[] = DELIVERY_PATH;
    struct delivery_path p = {.token = ""};
    const char *name = strncmp(path, prefix, sizeof prefix - 1) == 0 ? path + sizeof prefix - 1 : "";
    size_t n = strcspn(name, "/");
    if (!name[n] || n > DELIVERY_NAME_MAX)
        return p;
    memcpy(p.connection, name, n);
    p.token = name + n + 1;
    return p;
}

bool delivery_bucket_take(struct delivery_bucket *b, int64_t per_second, int64_t at_most, int64_t now_ms)
{
    int64_t passed = now_ms > b->at_ms ? now_ms - b->at_ms : 0, one_us = 1000 * 1000 / per_second;
    b->at_ms += passed;
    b->missing_us = passed * 1000 < b->missing_us ? b->missing_us - passed * 1000 : 0;
    if (b->missing_us + one_us > at_most * one_us)
        return false;
    b->missing_us += one_us;
    return true;
}

void delivery_full(struct gateway *g, const char *path)
{
    struct delivery_path p = delivery_path_read(path);
    route_say(g, MESSAGE_FULL, p.connection);
}
