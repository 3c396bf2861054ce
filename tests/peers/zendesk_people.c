/* SPDX-License-Identifier: MIT */
/* zendesk_people.c - the profile zendesk's users, custom ticket fields and custom statuses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "zendesk.h"

struct zd_user *zd_find_user(struct peer *p, int64_t id)
{
    struct zendesk *z = zd(p);
    for (size_t i = 0; i < z->n_users; i++)
        if (z->users[i].id == id)
            return &z->users[i];
    return NULL;
}

struct zd_user *zd_add_user(struct peer *p, int64_t id)
{
    struct zendesk *z = zd(p);
    z->users = mem_grow(z->users, (z->n_users + 1) * sizeof *z->users);
    struct zd_user *u = &z->users[z->n_users++];
    *u = (struct zd_user){.id = id ? id : 100 + (int64_t)z->n_users};
    return u;
}

static void put_text(struct buf *out, const char *name, const char *text)
{
    json_put_key(out, name);
    if (text)
        json_put_string(out, text, strlen(text));
    else
        buf_text(out, "null");
}

void zd_put_user(struct peer *p, const struct zd_user *u, struct buf *out)
{
    buf_printf(out, "{\"id\":%lld", (long long)u->id);
    put_text(out, "name", u->name);
    put_text(out, "email", u->email);
    put_text(out, "role", u->role);
    put_text(out, "external_id", u->external_id);
    buf_printf(out, ",\"active\":%s", u->active ? "true" : "false");
    json_put_key(out, "created_at");
    put_time(p, u->at_ms, out);
    json_put_key(out, "updated_at");
    put_time(p, u->at_ms, out);
    buf_byte(out, '}');
}

static bool named(const char *text, int64_t id)
{
    char needle[40];
    size_t n = (size_t)snprintf(needle, sizeof needle, "_id\":%lld", (long long)id);
    for (const char *at = text; (at = strstr(at, needle)); at += n)
        if (!strchr("0123456789", at[n]))
            return true;
    return false;
}

void zd_put_users(struct peer *p, struct request *q, struct buf *out)
{
    struct zendesk *z = zd(p);
    const char *include = request_query(q, "include");
    if (!include || !strstr(include, "users"))
        return;
    const char *text = arena_text(&q->memory, out->data);
    json_put_key(out, "users");
    buf_byte(out, '[');
    for (size_t i = 0, n = 0; i < z->n_users; i++)
        if (named(text, z->users[i].id)) {
            buf_text(out, n++ ? "," : "");
            zd_put_user(p, &z->users[i], out);
        }
    buf_byte(out, ']');
}

void zd_me(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    (void)id;
    buf_text(&a->body, "{\"user\":");
    if (request_header(q, "Authorization"))
        zd_put_user(p, zd_find_user(p, 100), &a->body);
    else
        buf_text(&a->body, "{\"id\":null,\"name\":\"Anonymous user\",\"email\":\"invalid@example.com\","
                           "\"role\":\"end-user\",\"active\":false}");
    buf_byte(&a->body, '}');
}

void zd_user(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    struct zd_user *u = zd_find_user(p, strtoll(id, NULL, 10));
    (void)q;
    if (!u) {
        zd_error(a, 404, "RecordNotFound", "Not found");
        return;
    }
    buf_text(&a->body, "{\"user\":");
    zd_put_user(p, u, &a->body);
    buf_byte(&a->body, '}');
}

static void list_users(struct peer *p, struct answer *a, bool (*wanted)(const struct zd_user *u, const char *what),
                       const char *what)
{
    struct zendesk *z = zd(p);
    size_t n = 0;
    buf_text(&a->body, "{\"users\":[");
    for (size_t i = 0; i < z->n_users; i++)
        if (wanted(&z->users[i], what)) {
            buf_text(&a->body, n++ ? "," : "");
            zd_put_user(p, &z->users[i], &a->body);
        }
    buf_printf(&a->body, "],\"count\":%zu,\"next_page\":null}", n);
}

static bool among(const struct zd_user *u, const char *ids)
{
    char *end = NULL;
    for (const char *at = ids; *at; at = *end ? end + 1 : end)
        if (strtoll(at, &end, 10) == u->id)
            return true;
    return false;
}

void zd_users(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    const char *ids = request_query(q, "ids");
    (void)id;
    list_users(p, a, among, ids ? ids : "");
}

/* As an index of words does, it also finds addresses that only begin like it. */
static bool begins(const struct zd_user *u, const char *what)
{
    return u->email && strncasecmp(u->email, what, strlen(what)) == 0;
}

void zd_users_search(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    const char *query = request_query(q, "query");
    char *what = arena_text(&q->memory, query && strncmp(query, "email:", 6) == 0 ? query + 6 : "-");
    (void)id;
    what += *what == '"';
    what[strcspn(what, "\"")] = '\0';
    list_users(p, a, begins, what);
}

/* --- custom fields --- */

static const struct custom {
    int64_t id;
    const char *title, *type, *options; /* options: JSON, of dropdowns */
    bool inactive;
} customs[] = {
    {360001, "Escalate", "checkbox", NULL, false},
    {360002, "Severity", "tagger",
     "[{\"id\":1,\"name\":\"Severe\",\"value\":\"sev1\"},{\"id\":2,\"name\":\"Mild\",\"value\":\"sev2\"}]", false},
    {360003, "Components", "multiselect",
     "[{\"id\":3,\"name\":\"API\",\"value\":\"api\"},{\"id\":4,\"name\":\"UI\",\"value\":\"ui\"}]", false},
    {360004, "Cost", "decimal", NULL, false},
    {360005, "Affected", "integer", NULL, false},
    {360006, "Go live", "date", NULL, false},
    {360007, "Issue link", "text", NULL, false},
    {360008, "Long gone", "text", NULL, true},
};
enum { N_CUSTOMS = sizeof customs / sizeof *customs };

void zd_fields(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    (void)p, (void)q, (void)id;
    buf_text(&a->body, "{\"ticket_fields\":[{\"id\":1,\"title\":\"Subject\",\"type\":\"subject\",\"active\":true}");
    for (size_t i = 0; i < N_CUSTOMS; i++) {
        const struct custom *c = &customs[i];
        buf_printf(&a->body, ",{\"id\":%lld,\"title\":\"%s\",\"type\":\"%s\",\"active\":%s", (long long)c->id, c->title,
                   c->type, c->inactive ? "false" : "true");
        if (c->options)
            buf_printf(&a->body, ",\"custom_field_options\":%s", c->options);
        buf_byte(&a->body, '}');
    }
    buf_printf(&a->body, "],\"count\":%d,\"next_page\":null}", N_CUSTOMS + 1);
}

static const struct json *item_of(const struct json *list, int64_t id)
{
    for (const struct json *n = list ? json_first(list) : NULL; n; n = json_next(n)) {
        int64_t is_id = 0;
        if (json_get(n, "id") && json_int(json_get(n, "id"), &is_id) && is_id == id)
            return n;
    }
    return NULL;
}

/* A dropdown takes its options, by their tags. */
static bool refused(const struct custom *c, const struct json *value, struct answer *a)
{
    char quoted[100];
    if (!c->options || !value || json_type(value) != JSON_STRING)
        return false;
    snprintf(quoted, sizeof quoted, "\"value\":\"%.60s\"", json_text(value, NULL));
    if (strstr(c->options, quoted))
        return false;
    zd_invalid(a, "base", "Severity: is not one of the options of the field");
    return true;
}

/* An id that is no field of theirs is silently passed over. */
const char *zd_merge_custom(const struct json *old, const struct json *given, struct arena *m, struct answer *a)
{
    struct buf out = {0};
    const char *text = NULL;
    buf_byte(&out, '[');
    for (size_t i = 0; i < N_CUSTOMS; i++) {
        const struct json *now = item_of(given, customs[i].id), *was = item_of(old, customs[i].id);
        const struct json *from = now ? now : was, *value = from ? json_get(from, "value") : NULL;
        if (customs[i].inactive || (now && refused(&customs[i], value, a)))
            continue;
        buf_printf(&out, "%s{\"id\":%lld,\"value\":", out.size > 1 ? "," : "", (long long)customs[i].id);
        if (value)
            json_put_node(&out, value);
        else
            buf_text(&out, "null");
        buf_byte(&out, '}');
    }
    buf_byte(&out, ']');
    text = a->status >= 400 ? NULL : arena_text(m, out.data);
    buf_fini(&out);
    return text;
}

/* --- custom statuses --- */

static const struct {
    int64_t id;
    const char *category, *label;
    bool first; /* of its category */
} statuses[] = {
    {1, "new", "New", true},
    {2, "open", "Open", true},
    {3, "pending", "Pending", true},
    {4, "hold", "On-hold", true},
    {5, "solved", "Solved", true},
    {6, "pending", "Waiting for parts", false},
    {7, "open", "In engineering", false},
};
enum { N_STATUSES = sizeof statuses / sizeof *statuses };

const char *zd_category(int64_t status)
{
    for (size_t i = 0; i < N_STATUSES; i++)
        if (statuses[i].id == status)
            return statuses[i].category;
    return NULL;
}

int64_t zd_default_status(const char *category)
{
    for (size_t i = 0; i < N_STATUSES; i++)
        if (is(statuses[i].category, category))
            return statuses[i].id;
    return is(category, "closed") ? 5 : 0;
}

void zd_statuses(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    (void)p, (void)q, (void)id;
    buf_text(&a->body, "{\"custom_statuses\":[");
    for (size_t i = 0; i < N_STATUSES; i++)
        buf_printf(&a->body,
                   "%s{\"id\":%lld,\"status_category\":\"%s\",\"agent_label\":\"%s\",\"active\":true,\"default\":%s}",
                   i ? "," : "", (long long)statuses[i].id, statuses[i].category, statuses[i].label,
                   statuses[i].first ? "true" : "false");
    buf_text(&a->body, "]}");
}
