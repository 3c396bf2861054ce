/* SPDX-License-Identifier: MIT */
/* github.h - what the files of the profile github share: what it keeps beside issues, and its answers. */
#ifndef TESTS_PEER_GITHUB_H
#define TESTS_PEER_GITHUB_H

#include "peer.h"

#define GITHUB_REPO "acme/desk"
#define GITHUB_PATH "/repos/" GITHUB_REPO
#define GITHUB_NUMBER "/repositories/1" /* how its own links call the repository */

struct gh_comment {
    int64_t id, issue;
    int64_t created_ms, updated_ms;
    char *body, *login;
    bool gone;
};

/* A limit of its own: so many requests in its window. */
struct gh_bucket {
    int64_t limit, window_s, used, begun_s;
};

struct gh {
    struct gh_comment *comments;
    size_t n_comments;
    char *milestones[32];
    size_t n_milestones;
    struct {
        int64_t number;
        char *to; /* owner/repo */
    } moved[16];
    size_t n_moved;
    struct gh_bucket core, search;
    int64_t unchanged; /* answers 304: no limit counts them */
    /* what orders set */
    bool no_push, archived, no_issues, hidden, no_permission, search_ends_early;
    char *renamed; /* its name now; NULL: the usual one */
    int64_t search_lag_ms, secondary, secondary_wait_s; /* so many writes meet the secondary limit */
};
struct gh *gh(struct peer *p);

void github_serve(struct peer *p, struct request *q, struct answer *a);
bool github_order(struct peer *p, const char *what, const struct json *root, struct answer *a);
void github_show(const struct peer *p, const struct record *r, const struct version *v, struct buf *out);

/* {"message": ...} */
void gh_error(struct answer *a, int status, const char *message);
/* 422; code: missing_field, invalid, or custom with a message; value may be NULL. */
void gh_invalid(struct answer *a, const char *resource, const char *field, const char *code, const char *message,
                const char *value);
struct json_doc *gh_body(const struct request *q, struct answer *a); /* NULL after an answer */
void gh_put_text(struct buf *out, const char *name, const char *text);
const char *gh_base(const struct request *q); /* http://host:port */
bool gh_has(const char *body, const char *member); /* there, and neither null nor false */
struct record *gh_issue(struct peer *p, const char *number); /* NULL: there is none to be seen */
bool gh_takes_writes(struct peer *p, struct answer *a);
/* Page `page` of n items; true with what stands in it: [*from, *to). Puts the Link header. */
void gh_page(struct peer *p, struct request *q, struct answer *a, size_t n, size_t *from, size_t *to);

typedef void gh_serve(struct peer *p, struct request *q, const char *id, struct answer *a);
gh_serve gh_list, gh_create, gh_read, gh_change; /* github_issues.c */
gh_serve gh_comments, gh_comments_all, gh_comment_create, gh_comment, gh_comment_change, gh_comment_delete;
gh_serve gh_search;
/* Somebody's comment, a change of one, or its end: {"issue", "body", "login"}, {"id", "body"}, {"id", "gone": true}. */
void gh_comment_order(struct peer *p, const struct json *root, struct answer *a);
void gh_comments_tell(struct peer *p, struct answer *a);
int64_t gh_comments_count(const struct peer *p, int64_t issue);
void gh_touch(struct peer *p, int64_t issue); /* its updated_at moves */

#endif
