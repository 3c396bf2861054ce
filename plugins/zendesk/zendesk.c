/* SPDX-License-Identifier: MIT */
/* zendesk.c - Zendesk Support as a connector: tickets, their comments, and users. */
#include "zendesk.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LATE_S 60u
#define EXPORT_LAG_S 70u /* the export leaves out the last minute */

int refuse(struct desk *d, int sl_class, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(d->said, sizeof(d->said), format, args);
    va_end(args);
    d->host->fail(d->host->ctx, d->said);
    return sl_class;
}

enum object_kind object_kind(struct desk *d, const char *name)
{
    static const char *const names[] = {[TICKETS] = "tickets", [COMMENTS] = "comments", [USERS] = "users"};
    for (int i = TICKETS; i <= USERS; i++)
        if (strcmp(names[i], name) == 0)
            return (enum object_kind)i;
    refuse(d, SL_CONFIG, "Zendesk knows nothing of %s here; name tickets, comments or users", name);
    return 0;
}

static void zendesk_close(void *session)
{
    struct desk *d = session;
    if (!d)
        return;
    sl_pool_free(&d->lasting);
    sl_pool_free(&d->call);
    free(d);
}

/* What every path is put behind. A base URL may name the API's folder or leave it out. */
static char *prefix_of(struct desk *d, const char *base)
{
    static const char folder[] = "/api/v2";
    size_t n = strlen(base), n_folder = sizeof(folder) - 1;
    while (n && base[n - 1] == '/')
        n--;
    size_t before = n > n_folder ? n - n_folder : 0;
    bool named = strncmp(base + before, folder, n_folder) == 0;
    return sl_pool_print(&d->lasting, "%.*s%s", (int)n, base, named ? "" : folder);
}

/* In milliseconds, a day at most. */
static uint32_t seconds_of(const struct sl_value *v)
{
    enum { DAY_S = 86400 };
    int64_t s = v->number < 0 ? 0 : v->number > DAY_S ? DAY_S : v->number;
    return (uint32_t)s * 1000;
}

static int zendesk_open(const struct sl_host *host, const struct sl_settings *settings, void **session)
{
    struct desk *d = calloc(1, sizeof(*d));
    if (!d) {
        host->fail(host->ctx, "no memory; run it again");
        return SL_RETRY;
    }
    d->host = host;
    d->prefix = prefix_of(d, "");
    d->late_ms = LATE_S * 1000;
    d->index_lag_ms = EXPORT_LAG_S * 1000;
    for (uint32_t i = 0; i < settings->n_values; i++) {
        const struct sl_value *v = sl_value_at(settings->values, settings->value_size, i);
        if (strcmp(v->name, "base_url") == 0)
            d->prefix = prefix_of(d, v->text);
        if (strcmp(v->name, "late_s") == 0)
            d->late_ms = seconds_of(v);
        if (strcmp(v->name, "index_lag_s") == 0)
            d->index_lag_ms = seconds_of(v);
    }
    *session = d;
    return SL_OK;
}

/* Without credentials, or with forgotten ones, the API answers 200 all the same: as nobody. */
static int zendesk_check(void *session)
{
    struct desk *d = session;
    struct object o, user;
    int64_t id = 0;
    sl_pool_free(&d->call);
    int rc = ask_get(d, "/users/me", "asking whose credentials these are", &o);
    if (rc != SL_OK)
        return rc;
    if (!doc_inner(d, &o, "user", &user) || !doc_number(&user, "id", &id))
        return refuse(d, SL_AUTH,
                      "Zendesk takes these credentials for nobody's; give `token`, or `email` and `api_token`");
    const char *role = doc_text(&user, "role"), *email = doc_text(&user, "email");
    if (!role || strcmp(role, "admin") != 0)
        return refuse(d, SL_AUTH,
                      "%s is %s, and only an admin may read the incremental export; give an admin's credentials",
                      email ? email : "the token's user", role ? role : "of no role");
    d->checked = true;
    return SL_OK;
}

/* --- calls by object --- */

static int zendesk_pull(void *session, const struct sl_pull *pull)
{
    struct desk *d = session;
    sl_pool_free(&d->call);
    enum object_kind kind = object_kind(d, pull->object);
    if (!kind)
        return SL_CONFIG;
    return kind == COMMENTS ? comments_pull(d, pull) : export_pull(d, pull, kind);
}

static int zendesk_get(void *session, const struct sl_get *get)
{
    static int (*const gets[])(struct desk * d, const struct sl_get *get) = {
        [TICKETS] = tickets_get, [COMMENTS] = comments_get, [USERS] = users_get};
    struct desk *d = session;
    sl_pool_free(&d->call);
    enum object_kind kind = object_kind(d, get->object);
    return kind ? gets[kind](d, get) : SL_CONFIG;
}

static int zendesk_find(void *session, const struct sl_find *find)
{
    struct desk *d = session;
    sl_pool_free(&d->call);
    enum object_kind kind = object_kind(d, find->object);
    if (!kind)
        return SL_CONFIG;
    if (kind == USERS || !find->correlation)
        return refuse(d, SL_UNSUPPORTED, "%s of Zendesk are found by the host's key alone", find->object);
    return kind == TICKETS ? tickets_find(d, find) : comments_find(d, find);
}

static int zendesk_write(void *session, const struct sl_batch *batch)
{
    struct desk *d = session;
    sl_pool_free(&d->call);
    enum object_kind kind = object_kind(d, batch->object);
    if (!kind)
        return SL_CONFIG;
    if (kind == USERS)
        return refuse(d, SL_UNSUPPORTED, "users of Zendesk are not written; add or change them in its admin centre");
    return kind == TICKETS ? tickets_write(d, batch) : comments_write(d, batch);
}

static const struct sl_option options[] = {
    {.name = "subdomain", .kind = SL_OPT_STRING, .help = "The ACME of https://ACME.zendesk.com."},
    {.name = "base_url", .kind = SL_OPT_URL, .help = "The server, instead of subdomain."},
    {.name = "token", .kind = SL_OPT_SECRET, .help = "An OAuth access token."},
    {.name = "email", .kind = SL_OPT_STRING, .help = "Whose api_token it is."},
    {.name = "api_token", .kind = SL_OPT_SECRET, .help = "An API token; Zendesk ends them on 2027-04-30."},
    {.name = "auth",
     .kind = SL_OPT_AUTH,
     .help = "Other credentials, as {\"type\": \"client_credentials\", ...} or \"refresh_token\"."},
    {.name = "late_s",
     .kind = SL_OPT_INT,
     .help = "A request may still take effect so many seconds after its reply was lost; 60 unless set."},
    {.name = "index_lag_s",
     .kind = SL_OPT_INT,
     .help = "A new record may be missing from the export so many seconds; 70 unless set."},
    {.name = "webhook_secret", .kind = SL_OPT_SECRET, .help = "The signing secret of the webhook."},
    {.name = "webhook_secret_before",
     .kind = SL_OPT_SECRET,
     .help = "The secret before, taken as well while it is being changed."},
};

static const char *const auths[] = {
    "{\"type\": \"bearer\", \"token\": \"{token}\"}",
    "{\"type\": \"basic\", \"user\": \"{email}/token\", \"password\": \"{api_token}\"}",
};

static const struct sl_http_rules rules = {
    .size = sizeof(rules), .base_url = "https://{subdomain}.zendesk.com", .n_auths = 2, .auths = auths};

SL_EXPORT const struct sl_plugin syncline_plugin = {
    .size = sizeof(struct sl_plugin),
    .abi_major = SL_ABI_MAJOR,
    .abi_minor = SL_ABI_MINOR,
    .name = "zendesk",
    .version = "1.0.0",
    .summary = "Zendesk Support: tickets, their comments, users.",
    .caps = SL_CAP_CREATE | SL_CAP_UPDATE | SL_CAP_DELETE | SL_CAP_DELTA | SL_CAP_COMPLETE | SL_CAP_DELETE_FEED |
            SL_CAP_GET | SL_CAP_FIND_CORRELATION | SL_CAP_IDEMPOTENT | SL_CAP_CONDITIONAL | SL_CAP_WEBHOOK,
    .needs = SL_NEED_JSON | SL_NEED_HTTP | SL_NEED_SIGNATURE,
    .options = options,
    .n_options = sizeof(options) / sizeof(*options),
    .option_size = sizeof(struct sl_option),
    .open = zendesk_open,
    .close = zendesk_close,
    .check = zendesk_check,
    .describe = zendesk_describe,
    .pull = zendesk_pull,
    .get = zendesk_get,
    .find = zendesk_find,
    .write = zendesk_write,
    .webhook = zendesk_webhook,
    .http = &rules,
};
