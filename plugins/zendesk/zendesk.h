/* SPDX-License-Identifier: MIT */
/* zendesk.h - what the files of this connector share: the session, JSON behind the host's door, requests, people, the calls. */
#ifndef ZENDESK_H
#define ZENDESK_H

#include <stdbool.h>
#include <stdio.h>
#include <syncline/helpers.h>
#include <syncline/syncline.h>

#define SAID_ROOM 700u /* one sentence */
#define NUMBER_ROOM 24u
#define URL_ROOM 600u
#define BODY_MOST 65535u /* bytes of a comment */
#define MANY 100u /* ids to a request, rows to a job */

/* A user as far as other records tell of him. */
struct person {
    struct person *next;
    int64_t id;
    const char *handle; /* his e-mail address; user:ID where he has none */
    const char *name;
};
/* A custom field, and an own status, as the account has them. */
struct custom {
    struct custom *next;
    const char *id, *label;
    uint32_t type; /* enum sl_type */
    const char *const *values; /* ENUM */
    uint32_t n_values;
};
struct own_status {
    struct own_status *next;
    int64_t id;
    const char *label;
};

struct desk {
    const struct sl_host *host;
    const char *prefix; /* of every path: the base URL where it is given, and /api/v2 */
    uint32_t late_ms, index_lag_ms; /* as the settings say */
    struct sl_pool lasting; /* until close: what was learned of the account */
    struct sl_pool call; /* until the next call */
    struct person *people;
    struct custom *customs;
    struct own_status *statuses;
    bool learned; /* customs and statuses are known */
    bool checked; /* somebody asked whether the connection is good: no run, but a person who looks */
    char said[SAID_ROOM];
};

/* Tells the host why a call ends; returns the class. */
int refuse(struct desk *d, int sl_class, const char *format, ...) __attribute__((format(printf, 3, 4)));

enum object_kind { TICKETS = 1, COMMENTS, USERS };
enum object_kind object_kind(struct desk *d, const char *name); /* 0 after telling the host */

/* --- doc.c: JSON through the host's door; what is read is the host's until the call returns or json_free --- */

struct object {
    const struct sl_value *fields;
    uint32_t n, size;
};
bool doc_object(struct desk *d, const char *text, size_t n_bytes, struct object *out, const char **why);
const struct sl_value *doc_member(const struct object *o, const char *name); /* NULL: not there, or null */
bool doc_inner(struct desk *d, const struct object *o, const char *name,
               struct object *out); /* a member that is an object */
const char *doc_text(const struct object *o, const char *name); /* NULL: not there, or no text */
bool doc_number(const struct object *o, const char *name, int64_t *out);
/* A list among the members: *at and *end for sl_list_next. */
bool doc_list(const struct object *o, const char *name, const char **at, const char **end);
bool doc_next_object(struct desk *d, const char **at, const char *end,
                     struct object *out); /* items that are none are passed over */
/* Any JSON text as a value. */
bool doc_value(struct desk *d, const char *text, size_t n_bytes, struct sl_value *out);
bool stamp_read(const char *text, int64_t *ms); /* RFC 3339, in whole seconds */
bool date_read(const char *text, int64_t *days);
uint64_t doc_hash(uint64_t h, const char *text);

/* --- ask.c: requests and what came of them --- */

struct ask {
    struct sl_http_request request;
    struct sl_header headers[4];
};
void ask_init(struct desk *d, struct ask *a, const char *method, const char *path);
void ask_body(struct ask *a, const char *body, size_t n_bytes);
/* path?name=value, percent-encoded. Lives until the call returns. */
char *url_query(struct desk *d, const char *url, const char *name, const char *value);
bool answer_good(const struct sl_http_response *a);
const struct sl_http_response *answer_at(const struct sl_http_response *answers, uint32_t size, uint32_t i);
/* `error` of the answer, whichever of the four envelopes it is in; "" if there is none. */
const char *answer_error(struct desk *d, const struct sl_http_response *a);
/* Its sentences, whichever envelope they are in; NULL: none. Lives until the call returns. */
const char *answer_words(struct desk *d, const struct object *o);
/* One line on what the server said, with `what` before it. */
void answer_said(struct desk *d, const struct sl_http_response *a, const char *what, char out[SAID_ROOM]);
/* Asks for an object. SL_OK, or a class told. */
int ask_get(struct desk *d, const char *url, const char *what, struct object *out);
int answer_object(struct desk *d, const struct sl_http_response *a, const char *what, struct object *out);
/* May a write have been carried out all the same? */
bool answer_doubtful(const struct sl_http_response *a);
bool answer_not_found(struct desk *d, const struct sl_http_response *a); /* the record, not the path */
void outcome_failed(struct desk *d, uint32_t index, const struct sl_http_response *a, const char *what);
void outcome_refused(struct desk *d, uint32_t index, uint32_t sl_class, const char *message);
void outcome_uncertain(struct desk *d, uint32_t index, const char *message);
int emit_gone(struct desk *d, const char *id);
int emit_unreadable(struct desk *d, const char *id, const char *why);
bool number_good(const char *id); /* an id of Zendesk's */

/* --- people.c --- */

void people_take(struct desk *d, const struct object *answer); /* side-loaded users */
/* Reads those of the list that are not known yet, at most a request for each hundred. */
int people_need(struct desk *d, const int64_t *ids, size_t n);
const struct person *people_find(struct desk *d, int64_t id); /* never NULL: user:ID where he is not known */
/* The id of a handle. SL_OK with *id 0: there is nobody of that name. */
int people_id(struct desk *d, const char *handle, int64_t *id);
int users_get(struct desk *d, const struct sl_get *get);
bool user_read(struct desk *d, const struct object *o, struct sl_record *out, struct sl_pool *p);
extern const struct sl_field user_fields[];
extern const uint32_t n_user_fields;

/* --- ticket.c, comment.c: JSON made into records --- */

struct told {
    struct sl_record record;
    bool deleted;
    char id[2 * NUMBER_ROOM], version[100];
};
bool version_same(const char *x, const char *y); /* whatever the number of comments */
bool ticket_read(struct desk *d, const struct object *o, struct told *out); /* false: not even an id */
int64_t ticket_person(const struct object *o, int i); /* the i-th user it names; 0: none, -1: there are no more */
/* describe.c */
int account_learn(struct desk *d);
const struct custom *custom_find(const struct desk *d, const char *id);

/* The way of each field between the model and the API; fields.c. */
enum way { WAY_PLAIN = 1, WAY_WORD, WAY_PERSON, WAY_NAME, WAY_TIME, WAY_DATE, WAY_TAGS, WAY_URL, WAY_PUBLIC, WAY_BODY };
struct way_field {
    struct sl_field field;
    const char *member; /* of the ticket */
    enum way way;
};
extern const struct way_field ticket_fields[];
extern const uint32_t n_ticket_fields;
const char *status_word(const char *text,
                        bool out); /* of the model and back; the text itself where they are the same */

/* --- input.c: the JSON of a ticket from the fields of a write --- */

struct input {
    const char *body;
    size_t n_bytes;
    const char *why; /* refused: what is wrong; NULL: the call is over */
};
int input_make(struct desk *d, const struct sl_write *w,
               struct input *out); /* SL_OK, SL_REJECTED with why, or a class told */

/* --- job.c: many updates at once --- */

enum job_end { JOB_DONE = 1, JOB_REFUSED, JOB_UNSURE }; /* 0: the job was not taken: to be sent alone */
struct job_row {
    const char *id, *body;
    enum job_end end;
    uint32_t sl_class; /* REFUSED */
    const char *message;
};
int job_run(struct desk *d, struct job_row *rows, uint32_t n);

/* --- the calls, by object --- */

int tickets_get(struct desk *d, const struct sl_get *get);
int tickets_find(struct desk *d, const struct sl_find *find);
int tickets_write(struct desk *d, const struct sl_batch *batch);
/* Tells a write's outcome with the ticket in the answer, or says that it must be read back. */
bool ticket_applied(struct desk *d, uint32_t index, const char *id, const struct object *answer, bool read_back);
int export_pull(struct desk *d, const struct sl_pull *pull, enum object_kind kind);
int comments_pull(struct desk *d, const struct sl_pull *pull);
int comments_get(struct desk *d, const struct sl_get *get);
int comments_find(struct desk *d, const struct sl_find *find);
int comments_write(struct desk *d, const struct sl_batch *batch);
int zendesk_describe(void *session, const char *object);
int zendesk_webhook(void *session, const struct sl_hook *hook);

#endif
