/* SPDX-License-Identifier: MIT */
/* people.c - who is who on the two sides, and how the words of somebody who has no account there are signed. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/text.h"
#include "map/map.h"

static bool is(const struct sl_value *v, const char *handle)
{
    return handle && strlen(handle) == v->text_size && strncasecmp(v->text, handle, v->text_size) == 0;
}

static bool is_address(const struct sl_value *v)
{
    return memchr(v->text, '@', v->text_size) != NULL;
}

static bool has_text(const struct sl_value *v)
{
    return v && (v->type == SL_REF || v->type == SL_STRING) && v->text_size > 0;
}

/* NULL: nobody is known to be that one there. */
static const char *known(const struct rule *r, int to, const struct sl_value *v)
{
    for (size_t i = 0; i < r->n_who; i++)
        if (is(v, r->who[i].side[1 - to]))
            return r->who[i].side[to];
    bool taken = r->takes_user[to] == USER_ANY || (r->takes_user[to] == USER_EMAIL && is_address(v));
    return taken ? v->text : NULL;
}

int map_user(const struct rule *r, int to, struct sl_value *v, struct err *e)
{
    if (!has_text(v))
        return 0;
    const char *there = known(r, to, v);
    there = there ? there : r->otherwise[to];
    if (!there && r->signed_elsewhere) {
        *v = value_absent(NULL);
        return 0;
    }
    if (!there)
        return err_set(e, ERR_INPUT,
                       "field %s: nobody is known to be '%.*s' on side %s; add a line with both names to `users`, or "
                       "give `%s`",
                       r->field[1 - to], v->text_size < 80 ? (int)v->text_size : 80, v->text, to ? "b" : "a",
                       to ? "otherwise" : "otherwise_a");
    v->text_size = there == v->text ? v->text_size : strlen(there);
    v->text = there;
    v->object = NULL;
    return 0;
}

static void put_words(struct buf *out, const struct sl_value *v)
{
    buf_add(out, v->text, v->text_size);
}

/* "Ann Smith (desk, 2026-11-30 12:00 UTC):" */
static void put_byline(const struct rule *r, int to, const struct sl_record *from, struct buf *out)
{
    const struct sl_value *name = record_field(from, "author_name"), *author = record_field(from, "author");
    const struct sl_value *at = record_field(from, "created_at");
    int64_t ms = at && at->type == SL_TIMESTAMP ? at->number : from->created_ms;
    char time[32] = "";
    if (has_text(name) || has_text(author))
        put_words(out, has_text(name) ? name : author);
    else
        buf_text(out, "Somebody");
    buf_printf(out, " (%s", r->byline[to]);
    if (ms > 0) {
        timestamp_format(ms, 60000, time);
        buf_printf(out, ", %.10s %.5s UTC", time, time + 11);
    }
    buf_text(out, "):\n\n");
}

/* Files stay where they are: a reader finds the links. */
static void put_attachments(const struct sl_record *from, struct buf *out)
{
    const struct sl_value *list = record_field(from, "attachments");
    struct err ignored = {0};
    struct json_doc *doc =
        list && list->type == SL_JSON ? json_parse(list->text, list->text_size, NULL, &ignored) : NULL;
    for (const struct json *one = doc ? json_first(json_root(doc)) : NULL; one; one = json_next(one)) {
        const struct json *name = json_get(one, "name"), *url = json_get(one, "url");
        if (!url || json_type(url) != JSON_STRING)
            continue;
        buf_printf(out, "\n\nAttachment: %s%s%s", name && json_type(name) == JSON_STRING ? json_text(name, NULL) : "",
                   name ? " " : "", json_text(url, NULL));
    }
    json_free(doc);
}

void map_byline(const struct rule *r, int to, const struct sl_record *from, struct arena *a, struct sl_value *v)
{
    const struct sl_value *author = record_field(from, "author");
    bool himself = r->takes_author[to] && has_text(author) && known(r, to, author);
    struct buf text = {0};
    if (v->type != SL_STRING)
        return;
    if (!himself)
        put_byline(r, to, from, &text);
    put_words(&text, v);
    put_attachments(from, &text);
    v->text = arena_dup(a, text.data ? text.data : "", text.size);
    v->text_size = text.size;
    buf_fini(&text);
}
