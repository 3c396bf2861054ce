/* SPDX-License-Identifier: MIT */
/* zendesk_comments.c - the profile zendesk's comments: added by updates of their tickets, never changed but by redaction. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zendesk.h"

static char *node_text(const struct json *node, const char *usual)
{
    struct buf out = {0};
    if (!node || json_type(node) < JSON_LIST)
        return mem_dup(usual);
    json_put_node(&out, node);
    return out.data;
}

struct zd_comment *zd_add_comment(struct peer *p, const char *ticket, const struct json *comment,
                                  const struct json *metadata)
{
    struct zendesk *z = zd(p);
    const struct json *body = json_get(comment, "body"), *public = json_get(comment, "public");
    const struct json *author = json_get(comment, "author_id");
    z->comments = mem_grow(z->comments, (z->n_comments + 1) * sizeof *z->comments);
    struct zd_comment *c = &z->comments[z->n_comments++];
    *c = (struct zd_comment){.id = z->next_id++, .audit = z->next_id++, .author = 100, .at_ms = peer_now_ms(p)};
    snprintf(c->ticket, sizeof c->ticket, "%s", ticket);
    author = author ? author : json_get(comment, "author");
    if (author && !json_int(author, &c->author))
        c->author = 100;
    c->public = !public || json_bool(public); /* without a word it is as public as its ticket: a customer gets mail */
    z->without_public += public == NULL;
    c->body = mem_dup(body ? json_text(body, NULL) : "");
    c->custom = node_text(metadata, "{}");
    c->attachments = node_text(json_get(comment, "attachments"), "[]");
    return c;
}

void zd_put_comment(struct peer *p, const struct zd_comment *c, struct buf *out)
{
    buf_printf(out, "{\"id\":%lld,\"type\":\"Comment\",\"author_id\":%lld,\"audit_id\":%lld,\"public\":%s",
               (long long)c->id, (long long)c->author, (long long)c->audit, c->public ? "true" : "false");
    json_put_key(out, "body");
    json_put_string(out, c->body, strlen(c->body));
    json_put_key(out, "plain_body");
    json_put_string(out, c->body, strlen(c->body));
    buf_printf(out, ",\"attachments\":%s,\"metadata\":{\"system\":{},\"custom\":%s},\"via\":{\"channel\":\"api\"}",
               c->attachments, c->custom);
    json_put_key(out, "created_at");
    put_time(p, c->at_ms, out);
    buf_byte(out, '}');
}

void zd_put_audit(struct peer *p, const char *ticket, const struct zd_comment *c, struct buf *out)
{
    buf_printf(out, "\"audit\":{\"id\":%lld,\"ticket_id\":%s,\"metadata\":{\"system\":{},\"custom\":%s},\"events\":[",
               c ? (long long)c->audit : (long long)zd(p)->next_id++, ticket, c ? c->custom : "{}");
    if (c)
        zd_put_comment(p, c, out);
    else
        buf_text(out, "{\"id\":1,\"type\":\"Change\",\"field_name\":\"status\"}");
    buf_printf(out, "],\"author_id\":%lld,\"created_at\":", c ? (long long)c->author : 100LL);
    put_time(p, c ? c->at_ms : peer_now_ms(p), out);
    buf_byte(out, '}');
}

bool zd_redact(struct peer *p, int64_t id, const char *body)
{
    struct zendesk *z = zd(p);
    for (size_t i = 0; i < z->n_comments; i++)
        if (z->comments[i].id == id) {
            struct record *r = record_find(p, z->comments[i].ticket);
            mem_free(z->comments[i].body);
            z->comments[i].body = mem_dup(body);
            record_change(p, r, record_now(r)->body, false);
            return true;
        }
    return false;
}

size_t zd_comment_count(struct peer *p, const char *ticket)
{
    struct zendesk *z = zd(p);
    size_t n = 1; /* the first one is the description */
    for (size_t i = 0; i < z->n_comments; i++)
        n += is(z->comments[i].ticket, ticket);
    return n;
}

/* The ticket's description, as a comment. */
static struct zd_comment first_of(const struct record *r, struct arena *m)
{
    struct zd_comment c = {.id = 500000 + strtoll(r->id, NULL, 10), .audit = 1, .at_ms = r->created_ms, .public = true};
    const char *text = body_text(record_now(r)->body, "description", m);
    c.author = zd_number(record_now(r)->body, "submitter_id");
    c.body = arena_text(m, text ? text : "");
    c.custom = arena_text(m, "{}");
    c.attachments = arena_text(m, "[]");
    return c;
}

void zd_comments(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    struct zendesk *z = zd(p);
    struct record *r = record_find(p, id);
    const char *after = request_query(q, "page[after]"), *size = request_query(q, "page[size]");
    size_t n = 0, from = after ? strtoul(after, NULL, 10) : 0, most = size ? strtoul(size, NULL, 10) : 100, to = 0;
    if (!r || record_now(r)->gone || record_hidden(p, r)) {
        zd_error(a, 404, "RecordNotFound", "Not found");
        return;
    }
    p->counted.lists++;
    if (trait(p, KNOB_SMALL_PAGES))
        most = (size_t)trait(p, KNOB_SMALL_PAGES);
    struct zd_comment first = first_of(r, &q->memory);
    const struct zd_comment **all = arena_alloc(&q->memory, (z->n_comments + 1) * sizeof *all);
    all[n++] = &first;
    for (size_t i = 0; i < z->n_comments; i++)
        if (is(z->comments[i].ticket, id))
            all[n++] = &z->comments[i];
    bool backwards = is(request_query(q, "sort"), "-created_at");
    to = from + most < n ? from + most : n;
    buf_text(&a->body, "{\"comments\":[");
    for (size_t i = from; i < to; i++) {
        buf_text(&a->body, i > from ? "," : "");
        zd_put_comment(p, all[backwards ? n - 1 - i : i], &a->body);
    }
    buf_byte(&a->body, ']');
    bool circle = struck(p, KNOB_CIRCLE);
    zd_put_meta(&a->body, circle || to < n, circle ? from : to);
    zd_put_users(p, q, &a->body);
    buf_byte(&a->body, '}');
}
