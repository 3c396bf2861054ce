/* SPDX-License-Identifier: MIT */
/* zendesk.h - what the files of the profile zendesk share: users, comments, jobs, answers in its envelopes. */
#ifndef TESTS_PEER_ZENDESK_H
#define TESTS_PEER_ZENDESK_H

#include "peer.h"

struct zd_user {
    int64_t id, at_ms; /* of the last change */
    char *name, *email, *role, *external_id; /* the heap's; email and external_id: NULL where there is none */
    bool active;
};
struct zd_comment {
    int64_t id, audit, author, at_ms;
    char ticket[32];
    bool public;
    char *body, *custom, *attachments; /* custom: of the audit's metadata; JSON both */
};
struct zd_job {
    char id[40];
    int64_t total, asks; /* until it is completed */
    char *results;
};
struct zendesk {
    struct zd_user *users;
    size_t n_users;
    struct zd_comment *comments;
    size_t n_comments;
    struct zd_job *jobs;
    size_t n_jobs;
    int64_t next_id; /* of comments and audits */
    int64_t exports_a_minute, jobs_most, job_asks, hollow; /* as ordered; 0: as many as one likes, none */
    int64_t minute, in_minute;
    int64_t without_public; /* comments sent without saying whether they are public */
};
struct zendesk *zd(struct peer *p);

/* The four envelopes of an error. */
void zd_error(struct answer *a, int status, const char *error, const char *description);
void zd_invalid(struct answer *a, const char *field, const char *description);
void zd_forbidden(struct answer *a, const char *message);
void zd_bad(struct answer *a, const char *code, const char *title);

/* What a route leads to; id: the part of the path in its braces. */
typedef void zd_serve(struct peer *p, struct request *q, const char *id, struct answer *a);
zd_serve zd_ticket, zd_tickets, zd_show_many, zd_create, zd_update, zd_delete, zd_search; /* zendesk_tickets.c */
zd_serve zd_update_many, zd_job; /* zendesk_jobs.c */
zd_serve zd_export_tickets, zd_export_users; /* zendesk_export.c */
zd_serve zd_comments; /* zendesk_comments.c */
zd_serve zd_me, zd_user, zd_users, zd_users_search, zd_fields, zd_statuses; /* zendesk_people.c */

/* zendesk_tickets.c */
struct json_doc *zd_body(struct request *q, const char *member, const struct json **inner, struct answer *a);
void zd_put_ticket(struct peer *p, struct request *q, const struct record *r, const struct version *v, struct buf *out);
bool zd_change(struct peer *p, struct record *r, const struct json *input,
               struct answer *a); /* false: with an error in a */
int64_t zd_number(const char *body, const char *member); /* 0: none */

/* zendesk_comments.c */
struct zd_comment *zd_add_comment(struct peer *p, const char *ticket, const struct json *comment,
                                  const struct json *metadata);
void zd_put_comment(struct peer *p, const struct zd_comment *c, struct buf *out);
void zd_put_audit(struct peer *p, const char *ticket, const struct zd_comment *c, struct buf *out);
bool zd_redact(struct peer *p, int64_t id, const char *body);
size_t zd_comment_count(struct peer *p, const char *ticket);

/* The custom fields of a new ticket. */
#define CUSTOM_DEFAULTS                                                                                                \
    "[{\"id\":360001,\"value\":false},{\"id\":360002,\"value\":null},{\"id\":360003,\"value\":[]},"                    \
    "{\"id\":360004,\"value\":null},{\"id\":360005,\"value\":null},{\"id\":360006,\"value\":null},"                    \
    "{\"id\":360007,\"value\":null}]"

/* zendesk_people.c */
struct zd_user *zd_find_user(struct peer *p, int64_t id);
struct zd_user *zd_add_user(struct peer *p, int64_t id);
void zd_put_user(struct peer *p, const struct zd_user *u, struct buf *out);
/* "users": those that the text, JSON, names by *_id; where the query asks for them. */
void zd_put_users(struct peer *p, struct request *q, struct buf *out);
const char *zd_merge_custom(const struct json *old, const struct json *given, struct arena *m,
                            struct answer *a); /* NULL: refused */
const char *zd_category(int64_t status); /* of a custom status; NULL: none */
int64_t zd_default_status(const char *category); /* 0: no such category */

/* zendesk_export.c: where a list by cursor goes on; "page[after]" and "page[size]". */
void zd_put_meta(struct buf *out, bool more, size_t to);

bool zendesk_order(struct peer *p, const char *what, const struct json *root, struct answer *a); /* zendesk.c */
void zendesk_serve(struct peer *p, struct request *q, struct answer *a);

#endif
