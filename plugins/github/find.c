/* SPDX-License-Identifier: MIT */
/* find.c - the record that carries a correlation key: among the newest first, which are shown at once, then through the search. */
#include <string.h>

#include "github.h"

/* Pages of 100 that are looked through before the search, which lags. */
enum { NEWEST_PAGES = 3 };

struct look {
    struct github *g;
    const struct thing *t;
    const struct sl_find *find;
    uint32_t n_told;
};

static bool enough(const struct look *l)
{
    return l->find->max_items && l->n_told >= l->find->max_items;
}

static int tell_matches(struct look *l, const char *list, size_t list_bytes)
{
    const char *at = list, *item = NULL;
    size_t n_bytes = 0;
    int rc = SL_OK;
    while (rc == SL_OK && !enough(l) && sl_list_next(&at, list + list_bytes, &item, &n_bytes)) {
        struct told t;
        /* A key is found in the text before a record is made of it. */
        bool holds = memmem(item, n_bytes, l->find->correlation, KEY_CHARS) != NULL;
        if (!holds || !record_read(l->g, l->t, item, n_bytes, &t) || t.pull_request || t.away)
            continue;
        if (t.record.correlation && strcmp(t.record.correlation, l->find->correlation) == 0) {
            rc = emit(l->g, SL_ITEM_RECORD, t.id, &t.record, NULL);
            l->n_told++;
        }
    }
    l->g->host->json_free(l->g->host->ctx);
    return rc;
}

static int bad_answer(struct look *l)
{
    return refuse(l->g, SL_RETRY,
                  "looking for %s by key: the answer is not GitHub's: look at base_url, and at proxies "
                  "between",
                  l->t->name);
}

/* Out: *next, the address of the next page; NULL: this was the last one. */
static int look_page(struct look *l, const char *url, const char **next)
{
    const struct sl_http_response *a = NULL;
    const char *list = NULL;
    size_t n_bytes = 0;
    char what[80];
    int rc = ask_get(l->g, url, &a);
    snprintf(what, sizeof(what), "looking for %s by key", l->t->name);
    if (rc == SL_OK)
        rc = answer_check(l->g, a, what);
    if (rc != SL_OK)
        return rc;
    *next = a->next_url ? sl_pool_dup(&l->g->call, a->next_url, strlen(a->next_url)) : NULL;
    return list_read(l->g, a, &list, &n_bytes) ? tell_matches(l, list, n_bytes) : bad_answer(l);
}

static int search(struct look *l)
{
    struct github *g = l->g;
    const struct sl_http_response *a = NULL;
    struct node o;
    const char *query = sl_pool_print(&g->call, "repo:%s is:issue in:body %s", g->name, l->find->correlation);
    int rc = ask_get(g, sl_pool_print(&g->call, "/search/issues?per_page=100&q=%s", escaped(g, query)), &a);
    if (rc == SL_OK)
        rc = answer_check(g, a, "searching issues by key");
    if (rc != SL_OK)
        return rc;
    const struct sl_value *items = node_read(g, a->body, a->body_bytes, &o) ? node_at(&o, "items") : NULL;
    if (!items || items->type != SL_JSON || items->text[0] != '[')
        return bad_answer(l);
    bool whole = !node_true(&o, "incomplete_results", false);
    const char *list = sl_pool_dup(&g->call, items->text, items->text_size);
    rc = tell_matches(l, list, items->text_size);
    if (rc == SL_OK && l->n_told == 0 && !whole) /* not found is not not there */
        return refuse(g, SL_RETRY,
                      "searching issues by key: GitHub's search ran out of time before its end: it is "
                      "searched again in the next run");
    return rc;
}

int github_find(void *session, const struct sl_find *find)
{
    struct github *g = session;
    call_begin(g);
    struct look l = {.g = g, .t = thing_find(g, find->object), .find = find};
    const char *parent = find->size > offsetof(struct sl_find, parent_id) ? find->parent_id : NULL;
    int rc = SL_OK, pages = 0;
    if (!l.t)
        return SL_CONFIG;
    if (!marker_valid(find->correlation))
        return refuse(g, SL_UNSUPPORTED, "%s are found by the correlation key alone; match them by listing", l.t->name);
    bool whole = parent && thing_path(g, &issues, parent); /* an issue's comments are few */
    const char *next = whole
                           ? sl_pool_print(&g->call, "%s/issues/%s/comments?per_page=100", g->home, parent)
                           : sl_pool_print(&g->call, "%s/issues%s?%ssort=created&direction=desc&per_page=100", g->home,
                                           l.t == &comments ? "/comments" : "", l.t == &issues ? "state=all&" : "");
    while (rc == SL_OK && next && !enough(&l) && (whole || (l.n_told == 0 && pages < NEWEST_PAGES))) {
        rc = look_page(&l, next, &next);
        pages++;
    }
    if (rc == SL_OK && next && l.n_told == 0 && !whole && l.t == &issues)
        rc = search(&l);
    return rc;
}
