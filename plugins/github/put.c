/* SPDX-License-Identifier: MIT */
/* put.c - a write's fields as GitHub takes them: the key in the body, logins, milestones by number. */
#include <ctype.h>
#include <string.h>

#include "github.h"

const struct sl_value *job_field(const struct job *j, const char *name)
{
    for (uint32_t i = 0; i < j->w->n_fields; i++) {
        const struct sl_value *v = sl_value_at(j->w->fields, j->w->field_size, i);
        if (strcmp(v->name, name) == 0)
            return v;
    }
    return NULL;
}

bool is_empty(const struct sl_value *v)
{
    return !v || v->type == SL_NULL || v->type == SL_ABSENT;
}

/* So much of a text as stands in a sentence. */
static int shown(const struct sl_value *v)
{
    return (int)(v->text_size < 80 ? v->text_size : 80);
}

/* Each sets *out, or tells the outcome and returns false where it cannot be. */

static bool put_plain(struct job *j, const struct sl_value *v, struct sl_value *out)
{
    (void)j;
    if (!is_empty(v))
        *out = *v;
    return true;
}

static bool put_title(struct job *j, const struct sl_value *v, struct sl_value *out)
{
    if (is_empty(v)) {
        job_refuse(j, SL_REJECTED, "%s: an issue cannot be without a title: give it one", j->what);
        return false;
    }
    return put_plain(j, v, out);
}

static bool put_labels(struct job *j, const struct sl_value *v, struct sl_value *out)
{
    (void)j;
    *out = is_empty(v) ? (struct sl_value){.type = SL_SET, .item_size = sizeof(*v)} : *v;
    return true;
}

/* As GitHub names its users. Letters, digits, hyphens; an underscore in managed accounts, [bot] behind an app's. */
static bool is_login(const struct sl_value *v)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_[]";
    return v->text_size > 0 && v->text_size <= 60 && strspn(v->text, allowed) == v->text_size;
}

static bool put_assignee(struct job *j, const struct sl_value *v, struct sl_value *out)
{
    struct sl_value *one = sl_pool_take(&j->g->call, sizeof(*one));
    *out = (struct sl_value){.type = SL_SET, .items = one, .n_items = !is_empty(v), .item_size = sizeof(*one)};
    if (is_empty(v))
        return true;
    if (!is_login(v)) {
        job_refuse(j, SL_REJECTED, "%s: \"%.*s\" is no login of GitHub: add the person to `users` with his login",
                   j->what, shown(v), v->text);
        return false;
    }
    *one = *v;
    one->name = NULL;
    one->type = SL_STRING;
    return true;
}

/* The repository's milestones, asked for once a call. */
static bool milestones_read(struct job *j)
{
    struct github *g = j->g;
    const struct sl_http_response *a = NULL;
    const char *list = NULL;
    if (g->milestones)
        return true;
    if (ask_get(g, sl_pool_print(&g->call, "%s/milestones?state=all&per_page=100", g->home), &a) != SL_OK)
        return false;
    if (answer_good(a) && list_read(g, a, &list, &g->milestones_bytes)) {
        g->milestones = list;
        return true;
    }
    job_refuse_answer(j, a);
    return false;
}

static bool put_milestone(struct job *j, const struct sl_value *v, struct sl_value *out)
{
    struct github *g = j->g;
    const char *item = NULL;
    size_t n_bytes = 0;
    struct node o;
    if (is_empty(v))
        return true;
    if (!milestones_read(j))
        return false;
    for (const char *at = g->milestones, *end = at + g->milestones_bytes; sl_list_next(&at, end, &item, &n_bytes);) {
        const char *title = node_read(g, item, n_bytes, &o) ? node_text(&o, "title") : NULL;
        if (title && strlen(title) == v->text_size && memcmp(title, v->text, v->text_size) == 0) {
            *out = (struct sl_value){.type = SL_INT, .number = node_number(&o, "number")};
            return true;
        }
    }
    job_refuse(j, SL_REJECTED, "%s: %s has no milestone \"%.*s\": create it there, or map it to one of its own",
               j->what, g->name, shown(v), v->text);
    return false;
}

/* The model's bug is "Bug". */
static bool put_type(struct job *j, const struct sl_value *v, struct sl_value *out)
{
    if (is_empty(v))
        return true;
    char *name = sl_pool_dup(&j->g->call, v->text, v->text_size);
    name[0] = (char)toupper((unsigned char)name[0]);
    *out = text_value(NULL, name);
    return true;
}

/* The key in the body of the record to be changed. False after telling the outcome. */
static bool old_key(struct job *j, const char **key)
{
    struct github *g = j->g;
    const struct sl_http_response *a = NULL;
    struct told t;
    *key = marker_of(g, j->t->name, j->w->id);
    if (*key)
        return true;
    if (ask_get(g, thing_path(g, j->t, j->w->id), &a) != SL_OK)
        return false;
    if (answer_good(a) && record_read(g, j->t, a->body, a->body_bytes, &t)) {
        *key = t.record.correlation ? t.record.correlation : "";
        return true;
    }
    job_refuse_answer(j, a);
    return false;
}

static bool put_body(struct job *j, const struct sl_value *v, struct sl_value *out)
{
    const char *key = j->w->correlation;
    if (j->t == &comments && is_empty(v)) {
        job_refuse(j, SL_REJECTED, "%s: a comment cannot be without a text: give it one", j->what);
        return false;
    }
    if (j->w->kind != SL_CREATE && !old_key(j, &key))
        return false;
    *out = marker_add(j->g, v, key);
    return true;
}

static const struct {
    const char *name, *member;
    bool (*put)(struct job *j, const struct sl_value *v, struct sl_value *out);
} rows[FIELDS_MOST] = {
    {"title", "title", put_title},
    {"body", "body", put_body},
    {"status", "state", put_plain},
    {"state_reason", "state_reason", put_plain},
    {"labels", "labels", put_labels},
    {"assignee", "assignees", put_assignee},
    {"milestone", "milestone", put_milestone},
    {"type", "type", put_type},
};

/* A new issue is open, whatever is said: it is closed in a second step. */
static bool of_step(const struct job *j, const char *name, bool closing)
{
    bool state = strcmp(name, "status") == 0 || strcmp(name, "state_reason") == 0;
    return j->w->kind != SL_CREATE || state == closing;
}

bool put_fields(struct job *j, bool closing, struct sl_value fields[FIELDS_MOST], uint32_t *n)
{
    bool new_one = j->w->kind == SL_CREATE && !closing;
    for (int i = 0; i < FIELDS_MOST; i++) {
        const struct sl_value *v = job_field(j, rows[i].name);
        bool mark = new_one && strcmp(rows[i].name, "body") == 0; /* the key is stored whether there is a text or not */
        if (!column_find(j->t, rows[i].name) || !of_step(j, rows[i].name, closing) || (!v && !mark))
            continue;
        fields[*n] = (struct sl_value){.type = SL_NULL};
        if (!rows[i].put(j, v, &fields[*n]))
            return false;
        fields[(*n)++].name = rows[i].member;
    }
    return true;
}
