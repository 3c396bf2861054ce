/* SPDX-License-Identifier: MIT */
/* zendesk_kit.h - the zendesk connector in a session against the simulated API. */
#ifndef TESTS_ZENDESK_KIT_H
#define TESTS_ZENDESK_KIT_H

#include "../peers/kit.h"
#include "plugin_kit.h"
#include "values.h"

#define LATER "{\"ahead_ms\": 120000}" /* past the minute that the export leaves out */

struct desk {
    struct kit *k;
    struct peer_kit peer;
};

static inline int desk_open_as(struct desk *d, const struct sl_value *settings, uint32_t n)
{
    struct sl_value all[8] = {value_string("base_url", d->peer.url)};
    for (uint32_t i = 0; i < n; i++)
        all[i + 1] = settings[i];
    session_close(d->k->s);
    d->k->s = NULL;
    return kit_open_in(d->k, "zendesk", all, n + 1, NULL);
}

static inline struct desk desk_new(void)
{
    struct desk d = {.k = kit_new(), .peer = peer_start("zendesk")};
    struct sl_value settings[] = {value_string("token", "oauth-1"), value_string("webhook_secret", "secret")};
    CU_ASSERT_EQUAL_FATAL(desk_open_as(&d, settings, 2), SL_OK);
    return d;
}

static inline void desk_end(struct desk *d)
{
    kit_close(d->k);
    peer_stop(&d->peer);
}

/* Somebody writes a ticket there; its id, which begins at 1. */
static inline void desk_put(struct desk *d, const char *json)
{
    peer_order(&d->peer, "put", json);
}

static inline int64_t desk_requests(struct desk *d)
{
    return peer_count(&d->peer, "requests", NULL);
}

/* One page; the cursor of the last one where there is one. */
static inline int desk_pull(struct desk *d, const char *object, const char *cursor, const char *parent)
{
    struct sl_pull pull = {.size = sizeof(pull), .object = object, .cursor = cursor, .parent_id = parent};
    return session_pull(d->k->s, &pull, kit_sink(d->k), &d->k->a, &d->k->end, &d->k->e);
}

static inline int desk_find(struct desk *d, const char *object, const char *key, const char *parent)
{
    struct sl_find find = {.size = sizeof(find), .object = object, .correlation = key, .parent_id = parent};
    return session_find(d->k->s, &find, kit_sink(d->k), &d->k->e);
}

static inline struct sl_value value_as(const char *name, uint32_t type, const char *text)
{
    return (struct sl_value){.name = name, .type = type, .text = text, .text_size = strlen(text)};
}

/* Did the peer get this? The whole state as text. */
static inline bool desk_holds(struct desk *d, const char *path, const char *part)
{
    struct buf out = {0};
    peer_talk(&d->peer, "GET", path, "Authorization: Bearer oauth-1\r\n", "", &out);
    bool there = out.size && strstr(out.data, part);
    if (!there)
        fprintf(stderr, "\n  %s does not hold %s but %s\n", path, part, out.size ? out.data : "nothing");
    buf_fini(&out);
    return there;
}

static inline bool applied(const struct write_outcome *o)
{
    if (o->result == SL_APPLIED)
        return true;
    fprintf(stderr, "\n  not applied: %d %d %s\n", o->result, o->error_class, o->message ? o->message : "");
    return false;
}

/* Not applied, of that class, and says why. */
static inline bool refused(const struct write_outcome *o, int error_class, const char *part)
{
    if (o->result != SL_NOT_APPLIED || o->error_class != error_class)
        fprintf(stderr, "\n  result %d class %d: %s\n", o->result, o->error_class, o->message ? o->message : "");
    return kit_says(o->message, part) && o->result == SL_NOT_APPLIED && o->error_class == error_class;
}

#endif
