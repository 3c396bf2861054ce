/* SPDX-License-Identifier: MIT */
/* fields.c - the fields of issues and comments as tables: each with its place in GitHub's JSON and how it is read. */
#include <ctype.h>
#include <string.h>

#include "github.h"

/* Bytes for GitHub's characters: 65,536 of a body and 256 of a title, at most four each. */
#define BODY_MAX (4u * 65536u)
#define TITLE_MAX (4u * 256u)

static void set_text(struct sl_value *v, const char *text)
{
    v->text = text;
    v->text_size = strlen(text);
}

static bool as_text(struct github *g, const struct node *o, const struct column *c, struct sl_value *v)
{
    const char *text = node_text(o, c->member);
    (void)g;
    if (text)
        set_text(v, text);
    return text != NULL;
}

static bool as_body(struct github *g, const struct node *o, const struct column *c, struct sl_value *v)
{
    const struct sl_value *text = node_at(o, c->member);
    struct body b;
    if (!text || text->type != SL_STRING)
        return false;
    marker_cut(g, text->text, text->text_size, &b);
    v->text = b.text;
    v->text_size = b.n_bytes;
    return b.text != NULL;
}

static bool as_number(struct github *g, const struct node *o, const struct column *c, struct sl_value *v)
{
    const struct sl_value *n = node_at(o, c->member);
    (void)g;
    if (n)
        v->number = n->number;
    return n && n->type == SL_INT;
}

static bool as_bool(struct github *g, const struct node *o, const struct column *c, struct sl_value *v)
{
    (void)g;
    v->number = node_true(o, c->member, false);
    return node_at(o, c->member) != NULL;
}

static bool as_true(struct github *g, const struct node *o, const struct column *c, struct sl_value *v)
{
    (void)g, (void)o, (void)c;
    v->number = 1;
    return true;
}

static bool as_time(struct github *g, const struct node *o, const struct column *c, struct sl_value *v)
{
    const char *text = node_text(o, c->member);
    (void)g;
    v->grain_ms = 1000;
    return text && time_read(text, &v->number);
}

/* A user whose account is gone is null there. */
static bool as_login(struct github *g, const struct node *o, const struct column *c, struct sl_value *v)
{
    struct node user;
    const char *login = node_in(g, o, c->member, &user) ? node_text(&user, "login") : NULL;
    v->object = v->type == SL_REF ? "users" : NULL;
    if (login)
        set_text(v, login);
    return login != NULL;
}

/* The members of a list: objects with that member, or texts themselves. */
static uint32_t texts_in(struct github *g, const struct node *o, const char *member, const char *inner,
                         struct sl_value **out)
{
    const struct sl_value *v = node_at(o, member);
    const char *at = v && v->type == SL_JSON && v->text[0] == '[' ? v->text : "[]", *item = NULL;
    const char *end = at + (at[1] == ']' || !v ? 2 : v->text_size);
    size_t n_bytes = 0;
    uint32_t n = 0;
    *out = sl_pool_take(&g->call, (size_t)(end - at) / 2 * sizeof(**out));
    while (sl_list_next(&at, end, &item, &n_bytes)) {
        struct node one;
        const char *whole = sl_pool_print(&g->call, "{\"%s\":%.*s}", inner, (int)n_bytes, item);
        bool read = *item == '{' ? node_read(g, item, n_bytes, &one) : node_read(g, whole, strlen(whole), &one);
        const char *text = read ? node_text(&one, inner) : NULL;
        if (text)
            (*out)[n++] = text_value(NULL, text);
    }
    return n;
}

static bool as_labels(struct github *g, const struct node *o, const struct column *c, struct sl_value *v)
{
    struct sl_value *items = NULL;
    v->n_items = texts_in(g, o, c->member, "name", &items);
    v->items = items;
    v->item_size = sizeof(*items);
    return true;
}

static bool as_logins(struct github *g, const struct node *o, const struct column *c, struct sl_value *v)
{
    struct sl_value *items = NULL;
    v->n_items = texts_in(g, o, c->member, "login", &items);
    v->items = items;
    v->item_size = sizeof(*items);
    return true;
}

/* The first one: the newer version of the API has no member `assignee`. */
static bool as_assignee(struct github *g, const struct node *o, const struct column *c, struct sl_value *v)
{
    struct sl_value *items = NULL;
    v->object = v->type == SL_REF ? "users" : NULL;
    if (texts_in(g, o, c->member, "login", &items) == 0)
        return false;
    v->text = items[0].text;
    v->text_size = items[0].text_size;
    return true;
}

static bool as_milestone(struct github *g, const struct node *o, const struct column *c, struct sl_value *v)
{
    struct node milestone;
    const char *title = node_in(g, o, c->member, &milestone) ? node_text(&milestone, "title") : NULL;
    if (title)
        set_text(v, title);
    return title != NULL;
}

/* "Bug" is the model's bug. */
static bool as_type(struct github *g, const struct node *o, const struct column *c, struct sl_value *v)
{
    struct node type;
    const char *name = node_in(g, o, c->member, &type) ? node_text(&type, "name") : NULL;
    if (!name)
        return false;
    char *lower = sl_pool_dup(&g->call, name, strlen(name));
    for (char *at = lower; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    set_text(v, lower);
    return true;
}

/* Files are links in the text, to where GitHub keeps what was dropped into it: [name](url) or ![name](url). */
static const char *file_link(const char *at, const char *end, const char **name, size_t *n_name, size_t *n_url)
{
    static const char *const homes[] = {"/user-attachments/", "user-images.githubusercontent.com/"};
    for (const char *mid = at; (mid = memmem(mid, (size_t)(end - mid), "](http", 6)); mid += 2) {
        const char *open = mid, *url = mid + 2, *close = memchr(url, ')', (size_t)(end - url));
        while (open > at && *open != '[')
            open--;
        for (size_t i = 0; close && *open == '[' && i < sizeof(homes) / sizeof(*homes); i++)
            if (memmem(url, (size_t)(close - url), homes[i], strlen(homes[i]))) {
                *name = open + 1;
                *n_name = (size_t)(mid - open - 1);
                *n_url = (size_t)(close - url);
                return url;
            }
    }
    return NULL;
}

static bool as_files(struct github *g, const struct node *o, const struct column *c, struct sl_value *v)
{
    const struct sl_value *body = node_at(o, c->member);
    const char *at = body && body->type == SL_STRING ? body->text : "", *name = NULL, *url = NULL;
    const char *end = at + (*at ? body->text_size : 0), *list = "[";
    size_t n_name = 0, n_url = 0, n = 0;
    while ((url = file_link(at, end, &name, &n_name, &n_url))) {
        struct sl_value link[] = {{.name = "name", .type = SL_STRING, .text = name, .text_size = n_name},
                                  {.name = "url", .type = SL_STRING, .text = url, .text_size = n_url}};
        const char *one = json_text(g, link, 2, &n);
        list = sl_pool_print(&g->call, "%s%s%s", list, list[1] ? "," : "", one ? one : "null");
        at = url + n_url;
    }
    set_text(v, sl_pool_print(&g->call, "%s]", list));
    return true;
}

static const char *const states[] = {"open", "closed"};

#define WRITABLE SL_FIELD_WRITABLE
#define LISTED(l) .values = l, .n_values = sizeof(l) / sizeof(*(l))

static const struct column issue_columns[] = {
    {"title", SL_STRING, WRITABLE | SL_FIELD_REQUIRED, TITLE_MAX, .member = "title", .read = as_text},
    {"body", SL_STRING, WRITABLE, BODY_MAX, .member = "body", .read = as_body},
    {"status", SL_ENUM, WRITABLE, LISTED(states), .member = "state", .read = as_text},
    {"state_reason", SL_ENUM, WRITABLE, .member = "state_reason", .read = as_text},
    {"labels", SL_SET, WRITABLE, .member = "labels", .read = as_labels},
    {"assignee", SL_REF, WRITABLE, .member = "assignees", .read = as_assignee},
    {"milestone", SL_STRING, WRITABLE, .member = "milestone", .read = as_milestone},
    {"type", SL_ENUM, WRITABLE, .member = "type", .read = as_type},
    {"assignee_name", SL_STRING, .member = "assignees", .read = as_assignee},
    {"reporter", SL_REF, .member = "user", .read = as_login},
    {"reporter_name", SL_STRING, .member = "user", .read = as_login},
    {"created_at", SL_TIMESTAMP, .member = "created_at", .read = as_time},
    {"updated_at", SL_TIMESTAMP, .member = "updated_at", .read = as_time},
    {"closed_at", SL_TIMESTAMP, .member = "closed_at", .read = as_time},
    {"url", SL_STRING, .member = "html_url", .read = as_text},
    {"native.id", SL_INT, .member = "id", .read = as_number},
    {"native.assignees", SL_SET, .member = "assignees", .read = as_logins},
    {"native.comments", SL_INT, .member = "comments", .read = as_number},
    {"native.locked", SL_BOOL, .member = "locked", .read = as_bool},
    {"native.closed_by", SL_REF, .member = "closed_by", .read = as_login},
    {"native.author_association", SL_STRING, .member = "author_association", .read = as_text},
};

static const struct column comment_columns[] = {
    {"body", SL_STRING, WRITABLE | SL_FIELD_REQUIRED, BODY_MAX, .member = "body", .read = as_body},
    {"author", SL_REF, .member = "user", .read = as_login},
    {"author_name", SL_STRING, .member = "user", .read = as_login},
    {"public", SL_BOOL, .member = "id", .read = as_true},
    {"created_at", SL_TIMESTAMP, .member = "created_at", .read = as_time},
    {"updated_at", SL_TIMESTAMP, .member = "updated_at", .read = as_time},
    {"attachments", SL_JSON, .member = "body", .read = as_files},
    {"native.url", SL_STRING, .member = "html_url", .read = as_text},
    {"native.author_association", SL_STRING, .member = "author_association", .read = as_text},
};

#define BOTH (SL_CAP_CREATE | SL_CAP_UPDATE | SL_CAP_COMPLETE | SL_CAP_GET | SL_CAP_FIND_CORRELATION | SL_CAP_WEBHOOK)

const struct thing issues = {.name = "issues",
                             .one = "issue",
                             .id = "number",
                             .model = "ticket",
                             .caps = BOTH | SL_CAP_ARCHIVE | SL_CAP_DELTA,
                             .columns = issue_columns,
                             .n_columns = sizeof(issue_columns) / sizeof(*issue_columns)};
const struct thing comments = {.name = "comments",
                               .one = "comment",
                               .id = "id",
                               .model = "comment",
                               .parent_object = "issues",
                               .caps = BOTH | SL_CAP_DELETE,
                               .columns = comment_columns,
                               .n_columns = sizeof(comment_columns) / sizeof(*comment_columns)};

const struct column *column_find(const struct thing *t, const char *name)
{
    for (uint32_t i = 0; i < t->n_columns; i++)
        if (strcmp(t->columns[i].name, name) == 0)
            return &t->columns[i];
    return NULL;
}

const struct thing *thing_find(struct github *g, const char *object)
{
    if (strcmp(object, issues.name) == 0)
        return &issues;
    if (strcmp(object, comments.name) == 0)
        return &comments;
    refuse(g, SL_CONFIG, "there is no object %s on GitHub; name issues or comments", object);
    return NULL;
}

char *thing_path(struct github *g, const struct thing *t, const char *id)
{
    size_t n = strlen(id);
    if (n == 0 || n >= ID_ROOM - 1 || strspn(id, "0123456789") != n || *id == '0')
        return NULL;
    return sl_pool_print(&g->call, "%s/issues/%s%s", g->home, t == &comments ? "comments/" : "", id);
}
