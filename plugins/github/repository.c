/* SPDX-License-Identifier: MIT */
/* repository.c - the repository itself: is it there, is it still called so, does it take issues; asked only when something is odd. */
#include <string.h>
#include <strings.h>

#include "github.h"

static void take(struct github *g, const struct node *o)
{
    struct repository *r = &g->repository;
    struct node may;
    const char *name = node_text(o, "full_name");
    *r = (struct repository){.known = true,
                             .archived = node_true(o, "archived", false),
                             .issues = node_true(o, "has_issues", true),
                             .push = true};
    if (node_in(g, o, "permissions", &may))
        r->push = node_true(&may, "push", true) || node_true(&may, "triage", false);
    snprintf(r->name, sizeof(r->name), "%s", name ? name : g->name);
}

int repository_learn(struct github *g, char out[SAID_ROOM])
{
    const struct sl_http_response *a = NULL;
    struct node o;
    int64_t wait_ms = 0;
    if (g->repository.known)
        return SL_OK;
    int rc = ask_get(g, g->home, &a);
    if (rc != SL_OK)
        return rc;
    if (answer_good(a) && node_read(g, a->body, a->body_bytes, &o)) {
        take(g, &o);
        return SL_OK;
    }
    if (a->end == SL_HTTP_ANSWERED && a->status == 404) {
        snprintf(out, SAID_ROOM,
                 "repository %s: it is not there, or the token may not see it: look at owner and repo, and give the "
                 "token this repository",
                 g->name);
        return SL_AUTH;
    }
    if (answer_good(a)) {
        snprintf(out, SAID_ROOM, "repository %s: the answer is not GitHub's: look at base_url, and at proxies between",
                 g->name);
        return SL_RETRY;
    }
    char what[NAME_ROOM + 20];
    snprintf(what, sizeof(what), "repository %s", g->name);
    return answer_class(g, a, what, out, &wait_ms);
}

int repository_holds(struct github *g, const struct told *t, char out[SAID_ROOM])
{
    if (!t->repository[0] || strcasecmp(t->repository, g->name) == 0)
        return SL_OK;
    int rc = repository_learn(g, out);
    if (rc != SL_OK)
        return rc;
    if (strcasecmp(t->repository, g->repository.name) != 0)
        return SL_GONE;
    if (!g->warned_renamed) {
        snprintf(out, SAID_ROOM,
                 "repository %s is called %s now: put that into owner and repo, it takes no writes under "
                 "the old name",
                 g->name, g->repository.name);
        g->host->log(g->host->ctx, SL_LOG_WARN, out);
    }
    g->warned_renamed = true;
    return SL_OK;
}

int repository_check(struct github *g)
{
    char said[SAID_ROOM];
    int rc = repository_learn(g, said);
    const struct repository *r = &g->repository;
    if (rc != SL_OK)
        return refuse(g, rc, "%s", said);
    if (strcasecmp(r->name, g->name) != 0)
        return refuse(g, SL_CONFIG, "repository %s is called %s now: put that into owner and repo", g->name, r->name);
    if (!r->issues)
        return refuse(g, SL_CONFIG, "repository %s has its issues switched off: switch them on in its settings",
                      g->name);
    if (r->archived)
        g->host->log(g->host->ctx, SL_LOG_WARN,
                     "the repository is archived: it can be read, and takes no writes until it is unarchived");
    else if (!r->push)
        g->host->log(g->host->ctx, SL_LOG_WARN,
                     "the token has no push access to the repository: GitHub will silently drop labels, assignees, "
                     "milestones and types; give it write access");
    return SL_OK;
}
