/* SPDX-License-Identifier: MIT */
/* github_kit.h - the github connector on a simulated GitHub: a session, orders to the other side, records read and written. */
#ifndef TESTS_GITHUB_KIT_H
#define TESTS_GITHUB_KIT_H

#include "../peers/kit.h"
#include "plugin_kit.h"
#include "values.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define MARK "<!-- syncline:" KEY " -->"

struct rig {
    struct kit *k;
    struct peer_kit peer;
};

static inline int rig_open_as(struct rig *r, const char *owner, const char *repo)
{
    static const struct sl_value pause = {.name = "write_pause_ms", .type = SL_INT, .number = 0};
    struct sl_value settings[] = {value_string("base_url", r->peer.url),
                                  value_string("owner", owner),
                                  value_string("repo", repo),
                                  value_string("token", "t-canary"),
                                  value_string("webhook_secret", "It's a Secret to Everybody"),
                                  pause};
    session_close(r->k->s);
    r->k->s = NULL;
    return kit_open_in(r->k, "github", settings, sizeof settings / sizeof *settings, NULL);
}

static inline struct rig rig_start(void)
{
    struct rig r = {kit_new(), peer_start("github")};
    CU_ASSERT_EQUAL_FATAL(rig_open_as(&r, "acme", "desk"), SL_OK);
    return r;
}

static inline void rig_stop(struct rig *r)
{
    kit_close(r->k);
    peer_stop(&r->peer);
}

/* An issue that somebody else makes or changes. */
static inline void rig_put(struct rig *r, const char *json)
{
    peer_order(&r->peer, "put", json);
}

/* One field of a write, from a text as values_make takes it. */
static inline struct sl_value rig_value(struct rig *r, const char *name, uint32_t type, const char *text)
{
    struct sl_value v = text ? values_make(&r->k->a, type, text) : (struct sl_value){.type = SL_NULL};
    v.name = name;
    return v;
}

static inline struct sl_write rig_write(struct rig *r, uint32_t kind, const char *id, const struct sl_value *fields,
                                        uint32_t n)
{
    struct sl_write w = kit_make(r->k, kind, id, fields, n);
    w.correlation = kind == SL_CREATE ? KEY : NULL;
    return w;
}

/* An issue with that title and body (NULL: none), created by the connector. */
static inline struct write_outcome rig_create(struct rig *r, const char *title, const char *body)
{
    struct sl_value fields[] = {rig_value(r, "title", SL_STRING, title), rig_value(r, "body", SL_STRING, body)};
    return kit_do(r->k, "issues", rig_write(r, SL_CREATE, NULL, fields, 2));
}

static inline struct write_outcome rig_comment(struct rig *r, const char *issue, const char *body)
{
    struct sl_value field = rig_value(r, "body", SL_STRING, body);
    struct sl_write w = rig_write(r, SL_CREATE, NULL, &field, 1);
    w.parent_id = issue;
    return kit_do(r->k, "comments", w);
}

/* A change of one field. */
static inline struct write_outcome rig_set(struct rig *r, const char *id, const char *name, uint32_t type,
                                           const char *text)
{
    struct sl_value v = rig_value(r, name, type, text);
    return kit_do(r->k, "issues", rig_write(r, SL_UPDATE, id, &v, 1));
}

static inline int rig_pull(struct rig *r, const char *object, const char *cursor, const char *parent)
{
    struct sl_pull pull = {.size = sizeof pull, .object = object, .cursor = cursor, .parent_id = parent};
    return session_pull(r->k->s, &pull, kit_sink(r->k), &r->k->a, &r->k->end, &r->k->e);
}

/* All pages from a cursor on; the items of all of them are then in k->got. */
static inline int rig_pull_all(struct rig *r, const char *object, const char *cursor, const char *parent)
{
    int rc = rig_pull(r, object, cursor, parent);
    while (rc == SL_OK && r->k->end.kind == SL_PAGE_MORE) {
        size_t before = r->k->n_got;
        struct sl_pull pull = {.size = sizeof pull, .object = object, .cursor = r->k->end.cursor, .parent_id = parent};
        struct session_sink sink = kit_sink(r->k);
        r->k->n_got = before;
        rc = session_pull(r->k->s, &pull, sink, &r->k->a, &r->k->end, &r->k->e);
    }
    return rc;
}

static inline int rig_find(struct rig *r, const char *object, const char *key, const char *parent)
{
    struct sl_find find = {.size = sizeof find, .object = object, .correlation = key, .parent_id = parent};
    return session_find(r->k->s, &find, kit_sink(r->k), &r->k->e);
}

static inline int64_t rig_limit(struct rig *r, const char *name)
{
    struct buf out = {0};
    struct err e = {0};
    int64_t n = -1;
    peer_ask(&r->peer, "POST", "/_peer/limits", "{}", &out);
    struct json_doc *doc = json_parse(out.data, out.size, NULL, &e);
    json_int(json_get(json_root(doc), name), &n);
    json_free(doc);
    buf_fini(&out);
    return n;
}

/* What the API itself holds at a path. */
static inline const char *rig_stored(struct rig *r, const char *path)
{
    struct buf out = {0};
    peer_talk(&r->peer, "GET", path, "User-Agent: test\r\n", "", &out);
    const char *text = arena_text(&r->k->a, out.data ? out.data : "");
    buf_fini(&out);
    return text;
}

#endif
