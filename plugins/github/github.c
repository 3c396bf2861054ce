/* SPDX-License-Identifier: MIT */
/* github.c - issues of one GitHub repository and their comments: the connector's table, its settings and what it describes. */
#include "github.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Outcomes are told one by one, but kept a batch at a time: what a kill leaves open is looked up. */
#define BATCH_MAX 20u
/* GitHub cuts a request off after ten seconds. */
#define LATE_S 10
#define PAUSE_MOST_MS 60000
#define LATE_MOST_S 3600

int refuse(struct github *g, int sl_class, const char *format, ...)
{
    char said[SAID_ROOM]; /* an argument may be what was said before */
    va_list args;
    va_start(args, format);
    vsnprintf(said, sizeof(said), format, args);
    va_end(args);
    memcpy(g->said, said, sizeof(said));
    g->host->fail(g->host->ctx, g->said);
    return sl_class;
}

void call_begin(struct github *g)
{
    sl_pool_free(&g->call);
    g->repository.known = false;
    g->milestones = NULL;
}

static void github_close(void *session)
{
    struct github *g = session;
    if (!g)
        return;
    sl_pool_free(&g->kept);
    sl_pool_free(&g->call);
    free(g);
}

static const struct sl_value *setting(const struct sl_settings *s, const char *name)
{
    for (uint32_t i = 0; i < s->n_values; i++) {
        const struct sl_value *v = sl_value_at(s->values, s->value_size, i);
        if (strcmp(v->name, name) == 0)
            return v;
    }
    return NULL;
}

/* As GitHub names owners and repositories; an address put there is a mistake that would be answered 404. */
static bool is_name(const struct sl_value *v)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    return v && v->text_size > 0 && v->text_size < 100 && strspn(v->text, allowed) == v->text_size;
}

static int github_open(const struct sl_host *host, const struct sl_settings *settings, void **session)
{
    const struct sl_value *owner = setting(settings, "owner"), *repo = setting(settings, "repo");
    const struct sl_value *pause = setting(settings, "write_pause_ms"), *late = setting(settings, "late_s");
    struct github *g = sl_checked(calloc(1, sizeof(*g)));
    g->host = host;
    g->pause_ms = pause && pause->type == SL_INT ? pause->number : 1000;
    if (!is_name(owner) || !is_name(repo)) {
        refuse(g, SL_CONFIG, "owner and repo are names as in the address github.com/OWNER/REPO: give each alone");
        free(g);
        return SL_CONFIG;
    }
    g->late_s = late && late->type == SL_INT ? late->number : LATE_S;
    if (g->late_s < 0 || g->late_s > LATE_MOST_S) {
        refuse(g, SL_CONFIG, "late_s: seconds that a request may still take effect, from 0 to %d", LATE_MOST_S);
        free(g);
        return SL_CONFIG;
    }
    if (g->pause_ms < 0 || g->pause_ms > PAUSE_MOST_MS) {
        refuse(g, SL_CONFIG, "write_pause_ms: milliseconds between two writes, from 0 to %d", PAUSE_MOST_MS);
        free(g);
        return SL_CONFIG;
    }
    g->name = sl_pool_print(&g->kept, "%s/%s", owner->text, repo->text);
    g->home = sl_pool_print(&g->kept, "/repos/%s", g->name);
    *session = g;
    return SL_OK;
}

static int github_check(void *session)
{
    struct github *g = session;
    call_begin(g);
    return repository_check(g);
}

static int tell(struct github *g, const struct thing *t)
{
    struct sl_field *fields = sl_pool_take(&g->call, t->n_columns * sizeof(*fields));
    for (uint32_t i = 0; i < t->n_columns; i++) {
        const struct column *c = &t->columns[i];
        fields[i] = (struct sl_field){.name = c->name,
                                      .type = c->type,
                                      .flags = c->flags,
                                      .values = c->values,
                                      .n_values = c->n_values,
                                      .max_bytes = c->max_bytes,
                                      .ref_object = c->type == SL_REF ? "users" : NULL};
    }
    struct sl_object o = {.size = sizeof(o),
                          .id_rule = SL_ID_SERVER,
                          .name = t->name,
                          .model = t->model,
                          .caps = t->caps,
                          .fields = fields,
                          .n_fields = t->n_columns,
                          .field_size = sizeof(*fields),
                          .id_max_bytes = ID_ROOM - 1,
                          .batch_max = BATCH_MAX,
                          .late_ms = (uint32_t)g->late_s * 1000,
                          .parent_object = t->parent_object};
    return g->host->object(g->host->ctx, &o) ? SL_BROKEN : SL_OK;
}

static int github_describe(void *session, const char *object)
{
    struct github *g = session;
    call_begin(g);
    if (object) {
        const struct thing *t = thing_find(g, object);
        return t ? tell(g, t) : SL_CONFIG;
    }
    int rc = tell(g, &issues);
    return rc == SL_OK ? tell(g, &comments) : rc;
}

static const struct sl_option options[] = {
    {.name = "owner",
     .kind = SL_OPT_STRING,
     .required = 1,
     .help = "The user or organisation the repository belongs to."},
    {.name = "repo", .kind = SL_OPT_STRING, .required = 1, .help = "The repository whose issues these are."},
    {.name = "token", .kind = SL_OPT_SECRET, .help = "A personal access token with write access to issues."},
    {.name = "auth",
     .kind = SL_OPT_AUTH,
     .help = "Instead of a token: {\"type\": \"github_app\", \"app_id\", \"installation_id\", \"private_key\"}."},
    {.name = "base_url",
     .kind = SL_OPT_URL,
     .help = "The API of an Enterprise Server: https://HOST/api/v3; unset: https://api.github.com."},
    {.name = "webhook_secret", .kind = SL_OPT_SECRET, .help = "The secret that GitHub signs its webhooks with."},
    {.name = "webhook_secret_before",
     .kind = SL_OPT_SECRET,
     .help = "The secret before, taken as well while it is being changed."},
    {.name = "write_pause_ms",
     .kind = SL_OPT_INT,
     .fallback = "1000",
     .help = "Milliseconds between two writes; GitHub asks for a second."},
    {.name = "late_s",
     .kind = SL_OPT_INT,
     .fallback = "10",
     .help = "Seconds that a request may still take effect after its answer was lost."},
};

static const char *const auths[] = {"{\"type\": \"bearer\", \"token\": \"{token}\"}"};
static const struct sl_http_rules rules = {
    .size = sizeof(rules), .n_auths = 1, .auths = auths, .base_url = "https://api.github.com"};

SL_EXPORT const struct sl_plugin syncline_plugin = {
    .size = sizeof(struct sl_plugin),
    .abi_major = SL_ABI_MAJOR,
    .abi_minor = SL_ABI_MINOR,
    .name = "github",
    .version = "1.0.0",
    .summary = "Issues of a GitHub repository and their comments.",
    .caps = SL_CAP_CREATE | SL_CAP_UPDATE | SL_CAP_DELETE | SL_CAP_ARCHIVE | SL_CAP_DELTA | SL_CAP_COMPLETE |
            SL_CAP_GET | SL_CAP_FIND_CORRELATION | SL_CAP_WEBHOOK,
    .needs = SL_NEED_JSON | SL_NEED_HTTP | SL_NEED_SIGNATURE,
    .options = options,
    .n_options = sizeof(options) / sizeof(*options),
    .option_size = sizeof(struct sl_option),
    .open = github_open,
    .close = github_close,
    .check = github_check,
    .describe = github_describe,
    .pull = github_pull,
    .get = github_get,
    .find = github_find,
    .write = github_write,
    .webhook = github_webhook,
    .http = &rules,
};
