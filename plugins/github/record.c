/* SPDX-License-Identifier: MIT */
/* record.c - the JSON of one issue or comment made into a record: its id, version, times, key and fields. */
#include <inttypes.h>
#include <string.h>

#include "github.h"

/* The number at the end of an address; "" where there is none. */
static void last_number(const char *url, char out[ID_ROOM])
{
    const char *slash = url ? strrchr(url, '/') : NULL;
    bool number = slash && slash[1] && strspn(slash + 1, "0123456789") == strlen(slash + 1);
    snprintf(out, ID_ROOM, "%s", number && strlen(slash + 1) < ID_ROOM ? slash + 1 : "");
}

/* owner/repo of .../repos/owner/repo[/issues/12]. */
static void repository_in(const char *url, char out[NAME_ROOM])
{
    const char *at = url ? strstr(url, "/repos/") : NULL;
    const char *slash = at ? strchr(at + 7, '/') : NULL;
    size_t n = slash ? (size_t)(slash - at - 7) + 1 + strcspn(slash + 1, "/") : 0;
    snprintf(out, NAME_ROOM, "%.*s", (int)(n < NAME_ROOM ? n : 0), at ? at + 7 : "");
}

static uint64_t mixed(uint64_t h, const void *data, size_t n_bytes)
{
    const unsigned char *at = data;
    for (size_t i = 0; i < n_bytes; i++)
        h = (h ^ at[i]) * 1099511628211ULL;
    return h;
}

/* Of what people write; the number of comments, so that one more is a change of its issue. */
static uint64_t content(const struct thing *t, const struct node *o)
{
    static const char *const members[] = {"title",     "body", "state",  "state_reason", "labels",
                                          "assignees", "type", "locked", "comments"};
    uint64_t h = 14695981039346656037ULL;
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
        const struct sl_value *v = t == &issues || strcmp(members[i], "body") == 0 ? node_at(o, members[i]) : NULL;
        h = mixed(h, &i, sizeof(i));
        if (v)
            h = v->text ? mixed(h, v->text, v->text_size) : mixed(h, &v->number, sizeof(v->number));
    }
    return h;
}

/* updated_at has the grain of a second: two changes within one are told apart by what they changed. */
static void take_version(const struct thing *t, const struct node *o, struct told *out)
{
    const char *updated = node_text(o, "updated_at");
    if (!updated)
        return;
    snprintf(out->version, sizeof(out->version), "%.32s/%016" PRIx64, updated, content(t, o));
    if (time_read(updated, &out->record.modified_ms))
        out->record.modified_grain_ms = 1000;
}

static void take_place(const struct thing *t, const struct node *o, struct told *out)
{
    const char *html = node_text(o, "html_url"), *issue = node_text(o, "issue_url");
    out->url = html;
    if (t == &issues) {
        out->pull_request = node_at(o, "pull_request") != NULL;
        repository_in(node_text(o, "repository_url"), out->repository);
        return;
    }
    out->pull_request = html && strstr(html, "/pull/");
    repository_in(issue, out->repository);
    last_number(issue, out->parent);
}

static void take_key(struct github *g, const struct thing *t, const struct node *o, struct told *out)
{
    const struct sl_value *body = node_at(o, "body");
    struct body b = {0};
    if (body && body->type == SL_STRING)
        marker_cut(g, body->text, body->text_size, &b);
    marker_note(g, t->name, out->id, b.key);
    const char *state = node_text(o, "state");
    out->away = b.away && state && strcmp(state, "closed") == 0;
    out->record.correlation = b.key[0] ? sl_pool_dup(&g->call, b.key, strlen(b.key)) : NULL;
}

static void take_fields(struct github *g, const struct thing *t, const struct node *o, struct told *out)
{
    struct sl_value *fields = sl_pool_take(&g->call, t->n_columns * sizeof(*fields));
    for (uint32_t i = 0; i < t->n_columns; i++) {
        const struct column *c = &t->columns[i];
        struct sl_value *v = &fields[i];
        *v = (struct sl_value){.name = c->name, .type = c->type};
        if (!c->read(g, o, c, v))
            *v = (struct sl_value){.name = c->name, .type = SL_NULL};
    }
    out->record.fields = fields;
    out->record.n_fields = t->n_columns;
    out->record.field_size = sizeof(*fields);
}

bool record_read(struct github *g, const struct thing *t, const char *text, size_t n_bytes, struct told *out)
{
    struct node o;
    *out = (struct told){.record = {.size = sizeof(out->record)}};
    if (!node_read(g, text, n_bytes, &o) || node_number(&o, t->id) <= 0) {
        snprintf(out->why, sizeof(out->why), "the answer holds something that is no %s: %.*s", t->one,
                 (int)(n_bytes < 200 ? n_bytes : 200), text);
        return false;
    }
    snprintf(out->id, sizeof(out->id), "%" PRId64, node_number(&o, t->id));
    take_place(t, &o, out);
    if (!node_text(&o, t == &issues ? "title" : "issue_url") || !node_text(&o, "updated_at")) {
        snprintf(out->why, sizeof(out->why),
                 "%s %s came without its title, place or time; look at it on GitHub, and at the API version", t->one,
                 out->id);
        return false;
    }
    take_version(t, &o, out);
    take_key(g, t, &o, out);
    take_fields(g, t, &o, out);
    int64_t created = 0;
    const char *created_at = node_text(&o, "created_at");
    out->record.created_ms = created_at && time_read(created_at, &created) ? created : 0;
    out->record.id = out->id;
    out->record.version = out->version;
    out->record.label = node_text(&o, t == &issues ? "title" : "body");
    out->record.parent_id = t == &comments && out->parent[0] ? out->parent : NULL;
    return true;
}

const struct sl_value *record_field(const struct sl_record *r, const char *name)
{
    for (uint32_t i = 0; i < r->n_fields; i++) {
        const struct sl_value *v = sl_value_at(r->fields, r->field_size, i);
        if (strcmp(v->name, name) == 0)
            return v;
    }
    return NULL;
}

int emit(struct github *g, uint32_t kind, const char *id, const struct sl_record *record, const char *why)
{
    struct sl_item item = {.size = sizeof(item),
                           .kind = kind,
                           .id = id,
                           .record = record,
                           .error_class = kind == SL_ITEM_UNREADABLE ? SL_REJECTED : 0,
                           .message = why};
    return g->host->emit(g->host->ctx, &item) ? SL_BROKEN : SL_OK;
}
