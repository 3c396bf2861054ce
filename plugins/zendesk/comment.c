/* SPDX-License-Identifier: MIT */
/* comment.c - comments: children of tickets, added in order and never changed; the first one is its ticket's body. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "zendesk.h"

#define MARK "syncline" /* the member of an audit's metadata that holds the host's key */

/* Their ids are TICKET-COMMENT, so that one is enough to find it. */
static bool split(struct desk *d, const char *id, const char **ticket, const char **comment)
{
    const char *dash = strchr(id, '-');
    if (!dash)
        return false;
    *ticket = sl_pool_dup(&d->call, id, (size_t)(dash - id));
    *comment = dash + 1;
    return number_good(*ticket) && number_good(*comment);
}

/* --- reading --- */

static const char *attachments_of(struct desk *d, const struct object *o)
{
    const char *at = NULL, *end = NULL, *text = NULL;
    struct object one;
    struct sl_bytes out = {0};
    size_t n = 0;
    sl_bytes_text(&out, "[");
    if (doc_list(o, "attachments", &at, &end))
        while (doc_next_object(d, &at, end, &one)) {
            const char *name = doc_text(&one, "file_name"), *url = doc_text(&one, "content_url");
            struct sl_value pair[2] = {
                {.name = "name", .type = SL_STRING, .text = name ? name : "", .text_size = name ? strlen(name) : 0},
                {.name = "url", .type = SL_STRING, .text = url ? url : "", .text_size = url ? strlen(url) : 0}};
            d->host->json_write(d->host->ctx, pair, 2, sizeof(*pair), 0, &text, &n);
            sl_bytes_text(&out, out.size > 1 ? "," : "");
            sl_bytes_add(&out, text, n);
        }
    sl_bytes_text(&out, "]");
    char *list = sl_pool_dup(&d->call, out.data, out.size);
    sl_bytes_free(&out);
    return list;
}

static const char *mark_of(struct desk *d, const struct object *o)
{
    struct object metadata, custom;
    if (!doc_inner(d, o, "metadata", &metadata) || !doc_inner(d, &metadata, "custom", &custom))
        return NULL;
    return doc_text(&custom, MARK);
}

static void put(struct told *t, struct sl_value *fields, const char *name, uint32_t type, const char *text)
{
    fields[t->record.n_fields++] = (struct sl_value){
        .name = name, .type = text ? type : SL_NULL, .text = text, .text_size = text ? strlen(text) : 0};
}

/* A comment stays as it is but for redaction and being made internal: its version is what can change. */
static void take_version(struct told *t, const char *body, bool public, const char *attachments)
{
    uint64_t h = doc_hash(doc_hash(0, body), public ? "p" : "i");
    snprintf(t->version, sizeof(t->version), "%016" PRIx64, doc_hash(h, attachments));
    t->record.version = t->version;
}

static bool comment_read(struct desk *d, const char *ticket, const struct object *o, const char *mark, struct told *t)
{
    int64_t id = 0, author = 0;
    const struct sl_value *public = doc_member(o, "public");
    const char *body = doc_text(o, "body"), *created = doc_text(o, "created_at"), *files = attachments_of(d, o);
    *t = (struct told){.record = {.size = sizeof(t->record)}};
    if (!doc_number(o, "id", &id) || !doc_number(o, "author_id", &author) || !body || !public)
        return false;
    const struct person *who = people_find(d, author);
    snprintf(t->id, sizeof(t->id), "%.20s-%" PRId64, ticket, id);
    struct sl_value *fields = sl_pool_take(&d->call, 6 * sizeof(*fields));
    put(t, fields, "body", SL_STRING, body);
    put(t, fields, "author", SL_REF, who->handle);
    fields[1].object = "users";
    put(t, fields, "author_name", SL_STRING, who->name);
    put(t, fields, "attachments", SL_JSON, files);
    fields[t->record.n_fields++] = (struct sl_value){.name = "public", .type = SL_BOOL, .number = public->number};
    if (created && stamp_read(created, &t->record.created_ms)) {
        t->record.modified_ms = t->record.created_ms;
        t->record.modified_grain_ms = 1000;
        fields[t->record.n_fields++] = (struct sl_value){
            .name = "created_at", .type = SL_TIMESTAMP, .number = t->record.created_ms, .grain_ms = 1000};
    }
    take_version(t, body, public->number != 0, files);
    t->record.id = t->id;
    t->record.parent_id = ticket;
    t->record.correlation = mark ? mark : mark_of(d, o);
    t->record.label = body;
    t->record.fields = fields;
    t->record.field_size = sizeof(*fields);
    return true;
}

/* --- a ticket's comments, page by page --- */

struct page {
    const char *at, *end; /* for doc_next_object */
    bool more;
    const char *after;
    bool gone; /* the ticket */
};

static int need_authors(struct desk *d, const struct page *p)
{
    struct object o;
    size_t n = 0;
    const char *at = p->at;
    int64_t *ids = sl_pool_take(&d->call, ((size_t)(p->end - p->at) / 8 + 1) * sizeof(*ids));
    while (doc_next_object(d, &at, p->end, &o))
        n += doc_number(&o, "author_id", &ids[n]);
    return people_need(d, ids, n);
}

static int page_read(struct desk *d, const char *ticket, const char *sort, const char *after, struct page *out)
{
    struct ask ask;
    struct object o, meta;
    const struct sl_http_response *a = NULL;
    char *url = sl_pool_print(&d->call, "/tickets/%s/comments?include=users", ticket);
    url = url_query(d, url_query(d, url, "page[size]", "100"), "sort", sort);
    *out = (struct page){.more = false};
    ask_init(d, &ask, "GET", after ? url_query(d, url, "page[after]", after) : url);
    int rc = d->host->http(d->host->ctx, &ask.request, &a);
    if (rc != SL_OK)
        return rc;
    out->gone = answer_not_found(d, a);
    if (out->gone)
        return SL_OK;
    rc = answer_object(d, a, sl_pool_print(&d->call, "listing the comments of ticket %.40s", ticket), &o);
    if (rc != SL_OK)
        return rc;
    if (!doc_list(&o, "comments", &out->at, &out->end))
        return refuse(d, SL_BROKEN, "ticket %.40s: the answer holds no list of comments; is there a proxy between?",
                      ticket);
    people_take(d, &o);
    const struct sl_value *more = doc_inner(d, &o, "meta", &meta) ? doc_member(&meta, "has_more") : NULL;
    out->more = more && more->number != 0;
    out->after = out->more ? doc_text(&meta, "after_cursor") : NULL;
    if (out->more && (!out->after || (after && strcmp(after, out->after) == 0)))
        return refuse(d, SL_BROKEN,
                      "ticket %.40s: the list of comments says that there is more, but not where; try again later",
                      ticket);
    return need_authors(d, out);
}

static int emit_comment(struct desk *d, const char *ticket, const struct object *o)
{
    struct told t;
    struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_RECORD, .record = &t.record};
    int64_t id = 0;
    if (comment_read(d, ticket, o, NULL, &t)) {
        item.id = t.id;
        return d->host->emit(d->host->ctx, &item) ? SL_BROKEN : SL_OK;
    }
    if (!doc_number(o, "id", &id))
        return refuse(d, SL_BROKEN, "ticket %.40s: a comment of it has no id; look at it in Zendesk", ticket);
    return emit_unreadable(d, sl_pool_print(&d->call, "%.20s-%" PRId64, ticket, id),
                           "the comment holds no text, author or visibility; look at it in Zendesk");
}

int comments_pull(struct desk *d, const struct sl_pull *pull)
{
    struct page p;
    struct object o;
    bool first = !pull->cursor || !*pull->cursor;
    bool known = pull->size > offsetof(struct sl_pull, parent_id);
    const char *ticket = known ? pull->parent_id : NULL;
    if (!ticket)
        return refuse(d, SL_UNSUPPORTED, "comments of Zendesk are listed by ticket; make them `children` of the pair");
    if (!number_good(ticket))
        return refuse(d, SL_GONE, "no ticket of Zendesk has the id %.100s", ticket);
    int rc = page_read(d, ticket, "created_at", first ? NULL : pull->cursor, &p);
    if (rc == SL_OK && p.gone)
        return refuse(d, SL_GONE, "ticket %s is not there any more, nor are its comments", ticket);
    for (const char *at = p.at; rc == SL_OK && doc_next_object(d, &at, p.end, &o); first = false)
        if (!first)
            rc = emit_comment(d, ticket, &o);
    if (rc != SL_OK)
        return rc;
    struct sl_page page = {.size = sizeof(page), .kind = p.more ? SL_PAGE_MORE : SL_PAGE_COMPLETE, .cursor = p.after};
    return d->host->page(d->host->ctx, &page) ? SL_BROKEN : SL_OK;
}

/* --- by id --- */

/* Tells all that are asked for of one ticket. */
static int get_of(struct desk *d, const char *ticket, const struct sl_get *get, bool *told)
{
    struct page p = {.more = true};
    struct object o;
    int64_t id = 0;
    bool first = true;
    int rc = SL_OK;
    while (rc == SL_OK && p.more && !p.gone) {
        rc = page_read(d, ticket, "created_at", p.after, &p);
        for (const char *at = p.at; rc == SL_OK && at && doc_next_object(d, &at, p.end, &o); first = false) {
            if (first || !doc_number(&o, "id", &id))
                continue;
            const char *name = sl_pool_print(&d->call, "%s-%" PRId64, ticket, id);
            for (uint32_t i = 0; i < get->n_ids && rc == SL_OK; i++)
                if (!told[i] && strcmp(get->ids[i], name) == 0) {
                    told[i] = true;
                    rc = emit_comment(d, ticket, &o);
                }
        }
    }
    for (uint32_t i = 0; i < get->n_ids && rc == SL_OK; i++)
        if (!told[i] && strncmp(get->ids[i], ticket, strlen(ticket)) == 0 && get->ids[i][strlen(ticket)] == '-') {
            told[i] = true;
            rc = emit_gone(d, get->ids[i]);
        }
    return rc;
}

int comments_get(struct desk *d, const struct sl_get *get)
{
    bool *told = sl_pool_take(&d->call, get->n_ids + 1);
    const char *ticket = NULL, *comment = NULL;
    int rc = SL_OK;
    for (uint32_t i = 0; i < get->n_ids && rc == SL_OK; i++) {
        if (told[i])
            continue;
        if (split(d, get->ids[i], &ticket, &comment)) {
            rc = get_of(d, ticket, get, told);
        } else {
            told[i] = true;
            rc = emit_gone(d, get->ids[i]); /* no comment of ours has such an id */
        }
        d->host->json_free(d->host->ctx);
    }
    return rc;
}

/* Newest first: a lost one is among the last. */
int comments_find(struct desk *d, const struct sl_find *find)
{
    struct page p = {.more = true};
    struct object o;
    const char *ticket = find->size > offsetof(struct sl_find, parent_id) ? find->parent_id : NULL;
    uint32_t n = 0;
    int rc = SL_OK;
    if (!ticket || !number_good(ticket))
        return refuse(d, SL_UNSUPPORTED, "comments of Zendesk are looked for in their ticket; name one");
    while (rc == SL_OK && p.more && (!find->max_items || n < find->max_items)) {
        rc = page_read(d, ticket, "-created_at", p.after, &p);
        for (const char *at = p.at; rc == SL_OK && at && doc_next_object(d, &at, p.end, &o);) {
            const char *mark = mark_of(d, &o);
            if (!mark || strcmp(mark, find->correlation) != 0 || (find->max_items && n == find->max_items))
                continue;
            rc = emit_comment(d, ticket, &o);
            n++;
        }
    }
    return rc;
}

/* --- adding --- */

static const struct sl_value *field_of(const struct sl_write *w, const char *name)
{
    for (uint32_t i = 0; i < w->n_fields; i++) {
        const struct sl_value *v = sl_value_at(w->fields, w->field_size, i);
        if (strcmp(v->name, name) == 0)
            return v->type == SL_NULL ? NULL : v;
    }
    return NULL;
}

/* The text of a request; NULL with the outcome told. */
static char *request_of(struct desk *d, const struct sl_write *w, uint32_t index)
{
    const struct sl_value *body = field_of(w, "body"), *author = field_of(w, "author"), *public = field_of(w, "public");
    struct sl_value out[3] = {{.name = "body", .type = SL_STRING},
                              {.name = "public", .type = SL_BOOL, .number = public && public->number}};
    const char *text = NULL;
    size_t n = 0;
    if (!body || !body->text_size) {
        outcome_refused(d, index, SL_REJECTED, "a comment of Zendesk cannot be empty; give it a text or leave it out");
        return NULL;
    }
    out[0].text = body->text;
    out[0].text_size = body->text_size;
    out[2] = (struct sl_value){.name = "author_id", .type = SL_INT};
    int rc = author ? people_id(d, author->text, &out[2].number) : SL_OK;
    if (rc != SL_OK || (author && !out[2].number)) {
        const char *who =
            sl_pool_print(&d->call,
                          "the author of a comment: nobody in Zendesk has the e-mail address %.200s; add the person "
                          "to `users`, or there",
                          author->text);
        outcome_refused(d, index, rc != SL_OK ? (uint32_t)rc : SL_REJECTED, rc != SL_OK ? d->said : who);
        return NULL;
    }
    if (d->host->json_write(d->host->ctx, out, author ? 3 : 2, sizeof(*out), 0, &text, &n) != SL_OK) {
        outcome_refused(d, index, SL_REJECTED, "the comment cannot be written as JSON; look at its text");
        return NULL;
    }
    return sl_pool_print(&d->call, "{\"ticket\":{\"comment\":%s%s%s%s}}", text,
                         w->correlation ? ",\"metadata\":{\"" MARK "\":\"" : "", w->correlation ? w->correlation : "",
                         w->correlation ? "\"}" : "");
}

/* The comment is one of the events of the update's audit. */
static bool tell_added(struct desk *d, const struct sl_write *w, uint32_t index, const struct object *answer)
{
    struct object audit, event;
    const char *at = NULL, *end = NULL, *type = NULL;
    struct told t;
    if (!doc_inner(d, answer, "audit", &audit) || !doc_list(&audit, "events", &at, &end))
        return false;
    while (doc_next_object(d, &at, end, &event)) {
        int64_t author = 0;
        type = doc_text(&event, "type");
        if (!type || strcmp(type, "Comment") != 0 || !doc_number(&event, "author_id", &author))
            continue;
        if (people_need(d, &author, 1) != SL_OK || !comment_read(d, w->parent_id, &event, w->correlation, &t))
            return false;
        const char *created = doc_text(&audit, "created_at");
        if (!t.record.created_ms && created && stamp_read(created, &t.record.created_ms))
            t.record.modified_ms = t.record.created_ms;
        struct sl_outcome o = {.size = sizeof(o), .index = index, .result = SL_APPLIED, .record = &t.record};
        d->host->outcome(d->host->ctx, &o);
        return true;
    }
    return false;
}

/* True: those that follow on the same ticket may go, too. */
static int add_one(struct desk *d, const struct sl_write *w, uint32_t index, bool *goes_on)
{
    struct ask ask;
    struct object o;
    const struct sl_http_response *a = NULL;
    char *body = request_of(d, w, index);
    *goes_on = true;
    if (!body)
        return SL_OK;
    ask_init(d, &ask, "PUT", sl_pool_print(&d->call, "/tickets/%s", w->parent_id));
    ask_body(&ask, body, strlen(body));
    int rc = d->host->http(d->host->ctx, &ask.request, &a);
    if (rc != SL_OK)
        return rc;
    if (!answer_good(a)) {
        *goes_on = !answer_doubtful(a) && a->advice == SL_REJECTED;
        outcome_failed(d, index, a, sl_pool_print(&d->call, "a comment on ticket %.40s", w->parent_id));
        return SL_OK;
    }
    if (!doc_object(d, a->body, a->body_bytes, &o, NULL) || !tell_added(d, w, index, &o)) {
        *goes_on = false;
        outcome_uncertain(d, index, "Zendesk took the comment and does not say under which id: it is looked for");
    }
    return SL_OK;
}

/* One after the other, so that they stand in this order; after one in doubt those behind it on its ticket wait. */
int comments_write(struct desk *d, const struct sl_batch *batch)
{
    bool *held = sl_pool_take(&d->call, batch->n_writes + 1);
    int rc = SL_OK;
    for (uint32_t i = 0; i < batch->n_writes && rc == SL_OK; i++) {
        const struct sl_write *w = sl_write_at(batch, i);
        bool goes_on = true;
        if (w->kind != SL_CREATE || !w->parent_id || !number_good(w->parent_id))
            outcome_refused(d, i, SL_UNSUPPORTED,
                            "comments of Zendesk are added to a ticket, and neither changed nor deleted");
        else if (held[i])
            outcome_refused(d, i, SL_RETRY,
                            "the comment before it on its ticket is not there yet: it waits, so that the order stays");
        else
            rc = add_one(d, w, i, &goes_on);
        for (uint32_t k = i + 1; k < batch->n_writes && (!goes_on || held[i]); k++) {
            const char *parent = sl_write_at(batch, k)->parent_id;
            held[k] |= parent && w->parent_id && strcmp(parent, w->parent_id) == 0;
        }
    }
    return rc;
}
