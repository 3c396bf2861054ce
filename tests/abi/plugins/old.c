/* SPDX-License-Identifier: MIT */
/* old.c - a connector of ABI 1.0, built against the frozen headers for good: it walks and emits every struct that crosses. */
#include <string.h>
#include <syncline/syncline.h>

#ifndef NAME
#define NAME "old"
#endif
/* newer.c fills the members its headers have more with what must never be looked at. */
#ifndef MORE
#define MORE
#endif

static struct session {
    const struct sl_host *host;
    char title[64];
    uint32_t title_size;
} the_session;

static int fail(const struct sl_host *host, int answer, const char *why)
{
    host->fail(host->ctx, why);
    return answer;
}

static const struct sl_value *setting(const struct sl_settings *settings, const char *name)
{
    for (uint32_t i = 0; i < settings->n_values; i++)
        if (strcmp(sl_value_at(settings->values, settings->value_size, i)->name, name) == 0)
            return sl_value_at(settings->values, settings->value_size, i);
    return NULL;
}

static void keep_title(struct session *s, const struct sl_value *v)
{
    s->title_size = v->text_size < sizeof(s->title) ? (uint32_t)v->text_size : (uint32_t)sizeof(s->title);
    memcpy(s->title, v->text, s->title_size);
}

static int do_open(const struct sl_host *host, const struct sl_settings *settings, void **session)
{
    if (host->size < offsetof(struct sl_host, check_signature) + sizeof(host->check_signature))
        return fail(host, SL_BROKEN, "the host's table is smaller than that of 1.0");
    if (settings->n_values != 2 || !setting(settings, "title"))
        return fail(host, SL_CONFIG, "the settings are not as they were given");
    the_session.host = host;
    keep_title(&the_session, setting(settings, "title"));
    *session = &the_session;
    return SL_OK;
}

static void do_close(void *session)
{
    (void)session;
}

/* Whether it is answered is the host's affair; what comes is as far apart as it says. */
static int ask_two(struct session *s)
{
    const struct sl_http_request requests[] = {{.size = sizeof(*requests), .method = "GET", .url = "/1" MORE},
                                               {.size = sizeof(*requests), .method = "GET", .url = "/2" MORE}};
    const struct sl_http_response *responses = NULL;
    uint32_t size = 0;
    s->host->http_many(s->host->ctx, requests, 2, sizeof(*requests), &responses, &size);
    const char *second = (const char *)responses + size;
    if (!responses || ((const struct sl_http_response *)(const void *)second)->size != size)
        return fail(s->host, SL_BROKEN, "the responses are not as far apart as the host says");
    return SL_OK;
}

static int do_check(void *session)
{
    struct session *s = session;
    if (ask_two(s) != SL_OK)
        return SL_BROKEN;
    return fail(s->host, SL_AUTH, "no key; give one");
}

static int do_describe(void *session, const char *object)
{
    struct session *s = session;
    static const char *const words[] = {"open", "closed"};
    const struct sl_field fields[] = {
        {.name = "title", .type = SL_STRING, .flags = SL_FIELD_WRITABLE MORE},
        {.name = "status", .type = SL_ENUM, .values = words, .n_values = 2 MORE},
    };
    const struct sl_object o = {.size = sizeof(o),
                                .id_rule = SL_ID_NAME,
                                .name = "things",
                                .caps = SL_CAP_UPDATE | SL_CAP_GET | SL_CAP_WEBHOOK,
                                .fields = fields,
                                .n_fields = 2,
                                .field_size = sizeof(*fields),
                                .id_max_bytes = 99,
                                .idempotency_ttl_s = 5 MORE};
    (void)object;
    return s->host->object(s->host->ctx, &o);
}

static int emit_record(struct session *s, const char *id)
{
    const struct sl_value tags[] = {{.type = SL_STRING, .text = "x", .text_size = 1 MORE},
                                    {.type = SL_STRING, .text = "yy", .text_size = 2 MORE}};
    const struct sl_value fields[] = {
        {.name = "title", .type = SL_STRING, .text = s->title, .text_size = s->title_size MORE},
        {.name = "tags", .type = SL_SET, .items = tags, .n_items = 2, .item_size = sizeof(*tags) MORE},
        {.name = "n", .type = SL_INT, .number = 42 MORE},
    };
    const struct sl_record record = {.size = sizeof(record),
                                     .id = id,
                                     .version = "v1",
                                     .fields = fields,
                                     .n_fields = 3,
                                     .field_size = sizeof(*fields) MORE};
    const struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_RECORD, .id = id, .record = &record MORE};
    return s->host->emit(s->host->ctx, &item);
}

/* The host's own values, as far apart as it says: walked, written and handed back. */
static int emit_read(struct session *s, const char *id)
{
    static const char json[] = "{\"title\":\"read\",\"n\":7,\"list\":[1,2],\"last\":\"end\"}";
    const struct sl_value *fields;
    const char *text;
    uint32_t n, size;
    size_t n_bytes;
    if (s->host->json_read(s->host->ctx, json, sizeof(json) - 1, &fields, &n, &size, &text) != SL_OK)
        return fail(s->host, SL_BROKEN, text);
    if (n != 4 || strcmp(sl_value_at(fields, size, 1)->name, "n") != 0 || sl_value_at(fields, size, 1)->number != 7)
        return fail(s->host, SL_BROKEN, "the fields read are not as far apart as the host says");
    if (s->host->json_write(s->host->ctx, fields, n, size, 0, &text, &n_bytes) != SL_OK)
        return SL_BROKEN;
    const struct sl_record record = {.size = sizeof(record),
                                     .id = id,
                                     .version = sl_value_at(fields, size, n - 1)->text,
                                     .label = text,
                                     .fields = fields,
                                     .n_fields = n,
                                     .field_size = size MORE};
    const struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_RECORD, .id = id, .record = &record MORE};
    return s->host->emit(s->host->ctx, &item);
}

static int emit_bare(struct session *s, uint32_t kind, const char *id)
{
    const struct sl_item item = {.size = sizeof(item),
                                 .kind = kind,
                                 .id = id,
                                 .version = "v2",
                                 .error_class = SL_REJECTED,
                                 .message = "torn; mend it" MORE};
    return s->host->emit(s->host->ctx, &item);
}

static int do_pull(void *session, const struct sl_pull *pull)
{
    struct session *s = session;
    const struct sl_page page = {
        .size = sizeof(page), .kind = SL_PAGE_DONE, .cursor = "next", .epoch = pull->object MORE};
    int ended = emit_record(s, "a") || emit_bare(s, SL_ITEM_STUB, "b") || emit_bare(s, SL_ITEM_UNREADABLE, "c") ||
                emit_read(s, "d");
    return ended ? SL_BROKEN : s->host->page(s->host->ctx, &page);
}

static int do_get(void *session, const struct sl_get *get)
{
    struct session *s = session;
    for (uint32_t i = 0; i < get->n_ids; i++)
        if (i ? emit_bare(s, SL_ITEM_TOMBSTONE, get->ids[i]) : emit_record(s, get->ids[i]))
            return SL_BROKEN;
    return SL_OK;
}

static int do_find(void *session, const struct sl_find *find)
{
    struct session *s = session;
    return emit_record(s, find->value->text);
}

static int write_one(struct session *s, const struct sl_write *w, uint32_t index)
{
    const struct sl_value *last = sl_value_at(w->fields, w->field_size, w->n_fields - 1);
    struct sl_value field = {.name = "title", .type = SL_STRING, .text = last->text, .text_size = last->text_size MORE};
    const struct sl_record record = {
        .size = sizeof(record), .id = w->id, .fields = &field, .n_fields = 1, .field_size = sizeof(field) MORE};
    const struct sl_outcome o = {
        .size = sizeof(o), .index = index, .result = SL_APPLIED, .record = &record, .retry_after_ms = 7 MORE};
    return s->host->outcome(s->host->ctx, &o);
}

static int do_write(void *session, const struct sl_batch *batch)
{
    struct session *s = session;
    for (uint32_t i = 0; i < batch->n_writes; i++)
        if (write_one(s, sl_write_at(batch, i), i))
            return SL_BROKEN;
    return SL_OK;
}

static int do_webhook(void *session, const struct sl_hook *hook)
{
    struct session *s = session;
    const char *at = (const char *)hook->headers + (size_t)hook->header_size * (hook->n_headers - 1);
    return emit_bare(s, SL_ITEM_HINT, ((const struct sl_header *)(const void *)at)->value);
}

static const struct sl_option options[] = {
    {.name = "title", .kind = SL_OPT_STRING, .required = 1, .help = "What every record is called." MORE},
    {.name = "size", .kind = SL_OPT_INT, .fallback = "3", .help = "Not used." MORE},
};

SL_EXPORT const struct sl_plugin syncline_plugin = {
    .size = sizeof(syncline_plugin),
    .abi_major = SL_ABI_MAJOR,
    .abi_minor = SL_ABI_MINOR,
    .name = NAME,
    .version = "0.1",
    .summary = "Shows every struct of the ABI.",
    .caps = SL_CAP_UPDATE | SL_CAP_GET | SL_CAP_FIND_KEY | SL_CAP_WEBHOOK,
    .needs = SL_NEED_JSON,
    .options = options,
    .n_options = 2,
    .option_size = sizeof(*options),
    .open = do_open,
    .close = do_close,
    .check = do_check,
    .describe = do_describe,
    .pull = do_pull,
    .get = do_get,
    .find = do_find,
    .write = do_write,
    .webhook = do_webhook MORE,
};
