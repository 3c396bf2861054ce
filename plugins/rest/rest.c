/* SPDX-License-Identifier: MIT */
/* rest.c - a REST API as a connector that is only config: what its resources are, and what can be done with them. */
#include "rest.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Some hundred, in whole rounds of 4, 8, 16 or 32 at once: the last round of a hundred would be nearly empty. A kill loses the outcomes of
 * a whole batch; where a create cannot be looked up, each of them is a person's work.
 */
#define BATCH_MAX 96u
#define BATCH_MAX_BLIND 8u
#define CAPS                                                                                                           \
    (SL_CAP_CREATE | SL_CAP_UPDATE | SL_CAP_DELETE | SL_CAP_DELTA | SL_CAP_COMPLETE | SL_CAP_GET |                     \
     SL_CAP_FIND_CORRELATION | SL_CAP_IDEMPOTENT | SL_CAP_CONDITIONAL | SL_CAP_OPEN_SCHEMA | SL_CAP_WEBHOOK |          \
     SL_CAP_ARCHIVE | SL_CAP_DELETE_FEED)

int refuse(struct rest *r, int sl_class, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(r->said, sizeof(r->said), format, args);
    va_end(args);
    r->host->fail(r->host->ctx, r->said);
    return sl_class;
}

const struct resource *resource_find(struct rest *r, const char *name)
{
    for (uint32_t i = 0; i < r->n_resources; i++)
        if (strcmp(r->resources[i].name, name) == 0)
            return &r->resources[i];
    refuse(r, SL_CONFIG, "there is no resource %s; add it to resources or name one that is there", name);
    return NULL;
}

static void rest_close(void *session)
{
    struct rest *r = session;
    if (!r)
        return;
    sl_pool_free(&r->config);
    sl_pool_free(&r->call);
    free(r->values);
    free(r);
}

/* As far as the slash behind "https://host". */
static const char *origin_of(struct rest *r, const struct sl_value *base_url)
{
    const char *text = base_url ? base_url->text : "", *host = strstr(text, "://");
    host = host ? host + strlen("://") : text;
    return sl_pool_dup(&r->config, text, (size_t)(host - text) + strcspn(host, "/?#"));
}

static int rest_open(const struct sl_host *host, const struct sl_settings *settings, void **session)
{
    struct given g = {0};
    for (uint32_t i = 0; i < settings->n_values; i++) {
        const struct sl_value *v = sl_value_at(settings->values, settings->value_size, i);
        const struct sl_value **at = strcmp(v->name, "resources") == 0  ? &g.resources
                                     : strcmp(v->name, "headers") == 0  ? &g.headers
                                     : strcmp(v->name, "webhook") == 0  ? &g.webhook
                                     : strcmp(v->name, "base_url") == 0 ? &g.base_url
                                                                        : NULL;
        if (at)
            *at = v;
    }
    if (!g.resources) {
        host->fail(host->ctx, "\"resources\" is missing: say what the API holds");
        return SL_CONFIG;
    }
    struct rest *r = sl_checked(calloc(1, sizeof(*r)));
    r->host = host;
    r->origin = origin_of(r, g.base_url);
    int rc = config_read(r, &g);
    host->json_free(host->ctx);
    if (rc == SL_OK)
        *session = r;
    else
        rest_close(r);
    return rc;
}

/* The first resource's list is asked for: server and credentials are good if it answers. */
static int rest_check(void *session)
{
    struct rest *r = session;
    struct ask ask;
    struct place at = {.until = 1};
    const struct sl_http_response *a = NULL;
    sl_pool_free(&r->call);
    const struct resource *res = &r->resources[0];
    ask_init(r, &ask, "GET", NULL);
    ask.request.url = page_url(r, &res->list.page, &at, url_path(r, res->list.path, NULL), &ask);
    int rc = r->host->http(r->host->ctx, &ask.request, &a);
    return rc == SL_OK ? answer_check(r, a, res->name) : rc;
}

static bool is_member(const char *pointer, const char *name)
{
    return pointer && strcmp(pointer + 1, name) == 0;
}

static void describe_field(const struct resource *res, const struct field *f, struct sl_field *out)
{
    bool own = is_member(res->key, f->name) || is_member(res->external_key.field, f->name);
    *out = (struct sl_field){
        .name = f->name, .type = f->type, .values = f->values, .n_values = f->n_values, .max_bytes = (uint32_t)f->max};
    out->flags |= f->write && !own ? SL_FIELD_WRITABLE : 0;
    out->flags |= f->required ? SL_FIELD_REQUIRED : 0;
    out->flags |= f->create_only ? SL_FIELD_CREATE_ONLY : 0;
    out->flags |= is_member(res->key, f->name) ? SL_FIELD_KEY : 0;
    out->flags |= res->external_key.unique && is_member(res->external_key.field, f->name) ? SL_FIELD_UNIQUE : 0;
}

enum { OWN_FIELDS = 4 };

/* Without `fields` all is taken as it comes, but for what the server or this host fills in. */
static uint32_t describe_open(const struct resource *res, struct sl_field out[OWN_FIELDS])
{
    const char *const own[OWN_FIELDS] = {res->key, res->version.field, res->list.since.field, res->external_key.field};
    const uint32_t flags[OWN_FIELDS] = {SL_FIELD_KEY, 0, 0, res->external_key.unique ? SL_FIELD_UNIQUE : 0};
    uint32_t n = 0;
    for (uint32_t i = 0; i < OWN_FIELDS; i++) {
        uint32_t at = 0;
        if (!own[i] || strchr(own[i] + 1, '/'))
            continue;
        while (at < n && strcmp(out[at].name, own[i] + 1) != 0)
            at++;
        if (at == n)
            out[n++] = (struct sl_field){.name = own[i] + 1};
        out[at].flags |= flags[i];
    }
    return n;
}

static uint64_t caps_of(const struct resource *res)
{
    bool shifts = res->list.page.type == PAGE_NUMBER || res->list.page.type == PAGE_OFFSET;
    bool guarded = res->update.guard.type == GUARD_IF_MATCH ||
                   (res->update.guard.type == GUARD_BODY_STAMP && res->del.mode != DELETE_DELETE);
    uint64_t caps = res->n_fields ? 0 : SL_CAP_OPEN_SCHEMA;
    caps |= res->get.given ? SL_CAP_GET : 0;
    caps |= !shifts || res->get.given ? SL_CAP_COMPLETE : 0;
    caps |= res->list.since.given && res->deleted.mode != DELETED_SWEEP ? SL_CAP_DELTA : 0;
    caps |= res->create.given ? SL_CAP_CREATE : 0;
    caps |= res->update.given ? SL_CAP_UPDATE : 0;
    caps |= res->del.mode == DELETE_DELETE ? SL_CAP_DELETE : 0;
    caps |= res->del.mode == DELETE_CLOSE ? SL_CAP_DELETE | SL_CAP_ARCHIVE : 0;
    caps |= res->deleted.mode == DELETED_FEED && res->list.since.given ? SL_CAP_DELETE_FEED : 0;
    caps |= guarded ? SL_CAP_CONDITIONAL : 0;
    caps |= res->external_key.given ? SL_CAP_FIND_CORRELATION : 0;
    /* Found first, repeated only if it is not there: the key's life need not be as long as the outage. */
    caps |= res->create.idempotency_header && !res->create.find_before_retry ? SL_CAP_IDEMPOTENT : 0;
    return caps;
}

static int tell_object(struct rest *r, const struct resource *res)
{
    struct sl_field *fields = sl_pool_take(&r->call, (res->n_fields + OWN_FIELDS) * sizeof(*fields));
    uint32_t n = res->n_fields;
    for (uint32_t i = 0; i < n; i++)
        describe_field(res, &res->fields[i], &fields[i]);
    if (n == 0)
        n = describe_open(res, fields);
    struct sl_object o = {.size = sizeof(o),
                          .id_rule = SL_ID_SERVER,
                          .name = res->name,
                          .caps = caps_of(res) | (about_resource(r, res->name) ? SL_CAP_WEBHOOK : 0),
                          .fields = fields,
                          .n_fields = n,
                          .field_size = sizeof(*fields),
                          .late_ms = (uint32_t)(res->late_s > 86400 ? 86400 : res->late_s) * 1000,
                          .index_lag_ms = (uint32_t)(res->index_lag_s > 86400 ? 86400 : res->index_lag_s) * 1000,
                          .stale_ms = (uint32_t)(res->stale_s > 86400 ? 86400 : res->stale_s) * 1000,
                          .idempotency_ttl_s = (uint32_t)res->create.idempotency_ttl_s};
    o.batch_max = o.caps & (SL_CAP_IDEMPOTENT | SL_CAP_FIND_CORRELATION) ? BATCH_MAX : BATCH_MAX_BLIND;
    return r->host->object(r->host->ctx, &o) ? SL_BROKEN : SL_OK;
}

static int rest_describe(void *session, const char *object)
{
    struct rest *r = session;
    sl_pool_free(&r->call);
    if (object) {
        const struct resource *res = resource_find(r, object);
        return res ? tell_object(r, res) : SL_CONFIG;
    }
    int rc = SL_OK;
    for (uint32_t i = 0; i < r->n_resources && rc == SL_OK; i++)
        rc = tell_object(r, &r->resources[i]);
    return rc;
}

static const struct sl_option options[] = {
    {.name = "base_url",
     .kind = SL_OPT_URL,
     .required = 1,
     .help = "The URL that the paths of the resources are below."},
    {.name = "auth",
     .kind = SL_OPT_AUTH,
     .help = "Credentials: {\"type\": \"bearer\", \"token\": {\"env\": \"TOKEN\"}} and other types."},
    {.name = "headers",
     .kind = SL_OPT_JSON,
     .help = "Headers sent with every request, names and values; no credentials."},
    {.name = "resources",
     .kind = SL_OPT_JSON,
     .required = 1,
     .help = "The objects, each by its name: how it is listed, read and written."},
    {.name = "webhook",
     .kind = SL_OPT_JSON,
     .help = "How a webhook of the API is signed, and which record it is about."},
    {.name = "webhook_secret", .kind = SL_OPT_SECRET, .help = "What webhooks are signed with."},
    {.name = "webhook_secret_before",
     .kind = SL_OPT_SECRET,
     .help = "The secret before, taken too while the sender changes to a new one."},
};

static const struct sl_http_rules rules = {.size = sizeof(rules)};

SL_EXPORT const struct sl_plugin syncline_plugin = {
    .size = sizeof(struct sl_plugin),
    .abi_major = SL_ABI_MAJOR,
    .abi_minor = SL_ABI_MINOR,
    .name = "rest",
    .version = "1.0.0",
    .summary = "A REST API described by config alone: resources, paging, times, writes.",
    .caps = CAPS,
    .needs = SL_NEED_JSON | SL_NEED_HTTP | SL_NEED_SIGNATURE,
    .options = options,
    .n_options = sizeof(options) / sizeof(*options),
    .option_size = sizeof(struct sl_option),
    .open = rest_open,
    .close = rest_close,
    .check = rest_check,
    .describe = rest_describe,
    .pull = rest_pull,
    .get = rest_get,
    .find = rest_find,
    .write = rest_write,
    .webhook = rest_webhook,
    .http = &rules,
};
