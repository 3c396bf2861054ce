/* SPDX-License-Identifier: MIT */
/* get.c - reading issues and comments by number, where deleted, transferred, hidden and switched off are told apart. */
#include <string.h>

#include "github.h"

static int tell_transferred(struct github *g, const struct thing *t, const char *id, const struct told *told)
{
    char said[SAID_ROOM];
    snprintf(
        said, sizeof(said),
        "%s %s: was transferred to %.150s; its link ends here: to go on there, make a connection to that repository",
        t->one, id, told->url ? told->url : told->repository);
    g->host->log(g->host->ctx, SL_LOG_WARN, said);
    return emit(g, SL_ITEM_TOMBSTONE, id, NULL, NULL);
}

/* GitHub's redirect of an issue that was transferred has been followed: it is another repository's record then. */
static int tell_record(struct github *g, const struct thing *t, const char *id, const struct sl_http_response *a)
{
    struct told told;
    char said[SAID_ROOM];
    if (!record_read(g, t, a->body, a->body_bytes, &told))
        return emit(g, SL_ITEM_UNREADABLE, id, NULL, told.why);
    int rc = repository_holds(g, &told, said);
    if (rc == SL_GONE || (rc == SL_OK && strcmp(told.id, id) != 0))
        return tell_transferred(g, t, id, &told);
    if (rc != SL_OK)
        return refuse(g, rc, "%s", said);
    bool is_one = !told.pull_request && !told.away;
    return emit(g, is_one ? SL_ITEM_RECORD : SL_ITEM_TOMBSTONE, id, is_one ? &told.record : NULL, NULL);
}

/* 404 is also the answer to a token that may not see the repository: nothing is deleted then. */
static int tell_missing(struct github *g, const char *id, const struct sl_http_response *a, const char *what)
{
    char said[SAID_ROOM];
    int64_t wait_ms = 0;
    int rc = answer_class(g, a, what, said, &wait_ms);
    if (rc == SL_GONE)
        rc = repository_learn(g, said);
    if (rc == SL_OK && !g->repository.issues)
        return refuse(g, SL_CONFIG,
                      "%s: the repository has its issues switched off: nothing of it is deleted; switch "
                      "them on in its settings",
                      what);
    return rc == SL_OK ? emit(g, SL_ITEM_TOMBSTONE, id, NULL, NULL) : refuse(g, rc, "%s", said);
}

static int tell_answer(struct github *g, const struct thing *t, const char *id, const struct sl_http_response *a)
{
    char what[SAID_ROOM], said[SAID_ROOM];
    int64_t wait_ms = 0;
    snprintf(what, sizeof(what), "%s %.40s", t->one, id);
    if (answer_good(a))
        return tell_record(g, t, id, a);
    if (a->end == SL_HTTP_ANSWERED && (a->status == 404 || a->status == 410))
        return tell_missing(g, id, a, what);
    int rc = answer_class(g, a, what, said, &wait_ms);
    return rc == SL_REJECTED ? emit(g, SL_ITEM_UNREADABLE, id, NULL, said) : refuse(g, rc, "%s", said);
}

static const struct sl_http_response *answer_at(const struct sl_http_response *answers, uint32_t size, uint32_t i)
{
    return (const void *)((const char *)(const void *)answers + (size_t)size * i);
}

/* What was answered lives until the next request: a copy of what is looked at, should the repository be asked meanwhile. */
static struct sl_http_response *keep(struct github *g, const struct sl_http_response *answers, uint32_t size,
                                     uint32_t n)
{
    struct sl_http_response *kept = sl_pool_take(&g->call, n * sizeof(*kept));
    for (uint32_t i = 0; i < n; i++) {
        kept[i] = *answer_at(answers, size, i);
        kept[i].body = sl_pool_dup(&g->call, kept[i].body, kept[i].body_bytes);
        kept[i].message = kept[i].message ? sl_pool_dup(&g->call, kept[i].message, strlen(kept[i].message)) : NULL;
        const char *lacks =
            kept[i].end == SL_HTTP_ANSWERED ? answer_header(&kept[i], "x-accepted-github-permissions") : NULL;
        struct sl_header *one = lacks ? sl_pool_take(&g->call, sizeof(*one)) : NULL;
        if (one)
            *one = (struct sl_header){"x-accepted-github-permissions", sl_pool_dup(&g->call, lacks, strlen(lacks))};
        kept[i].headers = one;
        kept[i].n_headers = one != NULL;
        kept[i].header_size = sizeof(*one);
    }
    return kept;
}

int github_get(void *session, const struct sl_get *get)
{
    struct github *g = session;
    call_begin(g);
    const struct thing *t = thing_find(g, get->object);
    const struct sl_http_response *answers = NULL;
    uint32_t size = 0, n = 0;
    int rc = SL_OK;
    if (!t || get->n_ids == 0)
        return t ? SL_OK : SL_CONFIG;
    struct ask *asks = sl_pool_take(&g->call, get->n_ids * sizeof(*asks));
    const char **ids = sl_pool_take(&g->call, get->n_ids * sizeof(*ids));
    for (uint32_t i = 0; i < get->n_ids && rc == SL_OK; i++) {
        const char *url = thing_path(g, t, get->ids[i]);
        if (!url) { /* no number was ever given out like that */
            rc = emit(g, SL_ITEM_TOMBSTONE, get->ids[i], NULL, NULL);
            continue;
        }
        ask_init(g, &asks[n], "GET", url);
        ids[n++] = get->ids[i];
    }
    for (uint32_t i = 0; i < n; i++)
        asks[i].request.headers = asks[i].headers;
    if (rc == SL_OK && n)
        rc = g->host->http_many(g->host->ctx, &asks->request, n, sizeof(*asks), &answers, &size);
    const struct sl_http_response *kept = rc == SL_OK && n ? keep(g, answers, size, n) : NULL;
    for (uint32_t i = 0; i < n && rc == SL_OK; i++) {
        rc = tell_answer(g, t, ids[i], &kept[i]);
        g->host->json_free(g->host->ctx);
    }
    return rc;
}
