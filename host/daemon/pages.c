/* SPDX-License-Identifier: MIT */
/* pages.c - health, readiness and metrics: one question to the supervisor for all that wait. */
#include <string.h>

#include "daemon/gateway.h"

/* Alive: the supervisor answers. Ready: it has a config, and works by it. */
enum { PAGES_MAX_WAITING = 1024 };
enum ask_kind { ASK_METRICS, ASK_READY, N_ASKS };
static const struct {
    const char *path;
    enum ask_kind ask;
    bool health; /* whatever it says, it says something */
} pages[] = {{"/metrics", ASK_METRICS, false}, {"/healthz", ASK_READY, true}, {"/readyz", ASK_READY, false}};

struct waiting {
    uint64_t number;
    size_t page;
};
/* The gateway is one process with one of these. */
static struct ask {
    const char *question;
    int answer; /* enum message_kind */
    struct waiting waiting[PAGES_MAX_WAITING];
    size_t n;
} asks[N_ASKS] = {[ASK_METRICS] = {.question = "metrics", .answer = MESSAGE_METRICS},
                  [ASK_READY] = {.question = "ready", .answer = MESSAGE_READY}};

void pages_take(struct gateway *g, const struct request *r)
{
    size_t i = 0;
    while (strcmp(pages[i].path, r->path) != 0)
        i++;
    struct ask *ask = &asks[pages[i].ask];
    if (ask->n == PAGES_MAX_WAITING) /* of askers who were told that nobody answers: they wait no more */
        ask->n = 0;
    if (ask->n == 0)
        route_say(g, MESSAGE_ASK, ask->question);
    ask->waiting[ask->n++] = (struct waiting){r->number, i};
}

static struct answer page_of(const struct waiting *w, const struct message *m)
{
    struct answer a = {
        .number = w->number, .status = 200, .type = "text/plain; charset=utf-8", .text = m->text, .n_text = m->n_bytes};
    if (m->kind == MESSAGE_METRICS)
        a.type = "text/plain; version=0.0.4; charset=utf-8";
    else if (m->n_bytes == 0 || pages[w->page].health)
        a = answer_text(w->number, 200, pages[w->page].health ? "ok\n" : "ready\n");
    else
        a.status = 503;
    return a;
}

void pages_hear(struct gateway *g, const struct message *m)
{
    for (int i = 0; i < N_ASKS; i++) {
        for (size_t k = 0; asks[i].answer == m->kind && k < asks[i].n; k++) {
            struct answer a = page_of(&asks[i].waiting[k], m);
            route_answer(g, &a);
        }
        asks[i].n = asks[i].answer == m->kind ? 0 : asks[i].n;
    }
}
