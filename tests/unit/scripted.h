/* SPDX-License-Identifier: MIT */
/* scripted.h - a connector in this process that plays a script in its next call, and a sink that keeps what comes. */
#ifndef TESTS_SCRIPTED_H
#define TESTS_SCRIPTED_H

#include <string.h>

#include "base/text.h"
#include "check.h"
#include "plugin/session.h"
#include "record/record.h"

/* What the connector does in the next call, whichever it is: objects, items, pages, outcomes, fail, answer. */
struct script {
    const struct sl_object *object;
    const struct sl_item *items;
    uint32_t n_items;
    const struct sl_page *pages;
    uint32_t n_pages;
    const struct sl_item *late; /* an item after the page */
    const struct sl_outcome *outcomes;
    uint32_t n_outcomes;
    void (*act)(void); /* what no table says */
    const char *said;
    int answer;
};

static struct script script;
static const struct sl_host *host;
static int emitted; /* what the last emit returned */

static int play(void)
{
    if (script.object)
        host->object(host->ctx, script.object);
    for (uint32_t i = 0; i < script.n_items; i++)
        emitted = host->emit(host->ctx, &script.items[i]);
    for (uint32_t i = 0; i < script.n_pages; i++)
        host->page(host->ctx, &script.pages[i]);
    if (script.late)
        host->emit(host->ctx, script.late);
    for (uint32_t i = 0; i < script.n_outcomes; i++)
        host->outcome(host->ctx, &script.outcomes[i]);
    if (script.act)
        script.act();
    if (script.said)
        host->fail(host->ctx, script.said);
    return script.answer;
}

static int opened_answer;
static int closed;

static int do_open(const struct sl_host *h, const struct sl_settings *settings, void **session)
{
    host = h;
    *session = &script;
    if (opened_answer)
        h->fail(h->ctx, "no such folder; create it");
    return settings->size == sizeof(*settings) ? opened_answer : SL_BROKEN;
}

static void do_close(void *session)
{
    closed += session == &script;
}

static int do_check(void *session)
{
    (void)session;
    return play();
}

static int do_describe(void *session, const char *object)
{
    (void)session;
    (void)object;
    return play();
}

static int do_pull(void *session, const struct sl_pull *pull)
{
    (void)session;
    return pull->size == sizeof(*pull) ? play() : SL_BROKEN;
}

static int do_get(void *session, const struct sl_get *get)
{
    (void)session;
    return get->size == sizeof(*get) ? play() : SL_BROKEN;
}

static int do_find(void *session, const struct sl_find *find)
{
    (void)session;
    return find->size == sizeof(*find) ? play() : SL_BROKEN;
}

static int do_write(void *session, const struct sl_batch *batch)
{
    (void)session;
    return batch->size == sizeof(*batch) ? play() : SL_BROKEN;
}

static int do_webhook(void *session, const struct sl_hook *hook)
{
    (void)session;
    return hook->size == sizeof(*hook) ? play() : SL_BROKEN;
}

static const struct sl_plugin scripted = {
    .size = sizeof(scripted),
    .abi_major = SL_ABI_MAJOR,
    .abi_minor = SL_ABI_MINOR,
    .name = "scripted",
    .version = "1",
    .summary = "plays a script",
    .caps = SL_CAP_UPDATE | SL_CAP_GET,
    .open = do_open,
    .close = do_close,
    .check = do_check,
    .describe = do_describe,
    .pull = do_pull,
    .get = do_get,
    .find = do_find,
    .write = do_write,
    .webhook = do_webhook,
};

static inline struct session *open_session(const struct sl_plugin *plugin, const struct session_world *world)
{
    struct session *s = NULL;
    struct err e = {0};
    CU_ASSERT_EQUAL_FATAL(session_open(plugin, "desk", NULL, 0, world, &s, &e), SL_OK);
    return s;
}

enum { KEPT = 8 };

/* What the sink was given. */
static struct {
    struct arena arena;
    struct sl_item items[KEPT];
    uint32_t n;
    int answer;
} kept;

static int keep(void *self, const struct sl_item *item)
{
    CU_ASSERT_PTR_EQUAL(self, &kept);
    CU_ASSERT_EQUAL(item->size, sizeof(*item));
    if (kept.answer)
        return kept.answer;
    struct sl_item *copy = &kept.items[kept.n++ % KEPT];
    *copy = *item;
    copy->id = arena_text(&kept.arena, item->id);
    copy->version = arena_text(&kept.arena, item->version);
    copy->message = arena_text(&kept.arena, item->message);
    copy->record = item->record ? record_copy(&kept.arena, item->record) : NULL;
    return 0;
}

static const struct session_sink sink = {&kept, keep};

static inline void forget(void)
{
    arena_fini(&kept.arena);
    memset(&kept, 0, sizeof(kept));
}

enum call { CHECK = 1, DESCRIBE, PULL, GET, FIND, WRITE, WEBHOOK };

static const char *const asked_ids[] = {"a", "b"};
static const struct sl_write writes[] = {{.kind = SL_UPDATE, .id = "a"}, {.kind = SL_DELETE, .id = "b"}};
static const struct sl_batch batch = {
    .n_writes = 2, .write_size = sizeof(struct sl_write), .object = "t", .writes = writes};
static struct write_outcome outcomes[2];
static struct page_end end;
static struct object_info *described;

static inline int call(struct session *s, int which, struct arena *a, struct err *e)
{
    struct sl_pull pull = {.object = "t", .cursor = "c1"};
    struct sl_find find = {.object = "t", .correlation = "k"};
    struct sl_hook hook = {.header_size = sizeof(struct sl_header)};
    switch (which) {
    case CHECK:
        return session_check(s, e);
    case DESCRIBE:
        return session_describe(s, "t", a, &described, e);
    case PULL:
        return session_pull(s, &pull, sink, a, &end, e);
    case GET:
        return session_get(s, "t", asked_ids, 2, sink, e);
    case FIND:
        return session_find(s, &find, sink, e);
    case WRITE:
        return session_write(s, &batch, a, outcomes, e);
    default:
        return session_webhook(s, &hook, sink, e);
    }
}

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof(*(array))))
#define ITEM .size = sizeof(struct sl_item)
#define ITEMS(...)                                                                                                     \
    .items = (const struct sl_item[]){__VA_ARGS__}, .n_items = COUNT(((const struct sl_item[]){__VA_ARGS__}))
#define PAGES(...)                                                                                                     \
    .pages = (const struct sl_page[]){__VA_ARGS__}, .n_pages = COUNT(((const struct sl_page[]){__VA_ARGS__}))
#define OUTCOMES(...)                                                                                                  \
    .outcomes = (const struct sl_outcome[]){__VA_ARGS__},                                                              \
    .n_outcomes = COUNT(((const struct sl_outcome[]){__VA_ARGS__}))
#define STUB(name)                                                                                                     \
    {                                                                                                                  \
        ITEM, .kind = SL_ITEM_STUB, .id = name, .version = "1"                                                         \
    }
#define DONE                                                                                                           \
    {                                                                                                                  \
        sizeof(struct sl_page), SL_PAGE_DONE, "c2", "e1"                                                               \
    }
#define OUT .size = sizeof(struct sl_outcome)
#define FIELDS(...)                                                                                                    \
    .fields = (const struct sl_value[]){__VA_ARGS__}, .field_size = sizeof(struct sl_value),                           \
    .n_fields = COUNT(((const struct sl_value[]){__VA_ARGS__}))
#define RECORD(name, ...) (&(const struct sl_record){.size = sizeof(struct sl_record), .id = name, FIELDS(__VA_ARGS__)})
#define TEXT(label, kind, bytes)                                                                                       \
    {                                                                                                                  \
        .name = label, .type = kind, .text = bytes, .text_size = sizeof(bytes) - 1                                     \
    }
/* One record with these fields, then a page. */
#define WITH(...)                                                                                                      \
    {                                                                                                                  \
        ITEMS({ITEM, .kind = SL_ITEM_RECORD, .record = RECORD("a", __VA_ARGS__)}), PAGES(DONE)                         \
    }
#define SET(...)                                                                                                       \
    {                                                                                                                  \
        .name = "s", .type = SL_SET, .items = (const struct sl_value[]){__VA_ARGS__},                                  \
        .n_items = COUNT(((const struct sl_value[]){__VA_ARGS__})), .item_size = sizeof(struct sl_value)               \
    }

#endif
