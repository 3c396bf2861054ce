/* SPDX-License-Identifier: MIT */
/* github.h - what the files of this connector share: the session, JSON behind the host's door, records, requests, the calls. */
#ifndef GITHUB_H
#define GITHUB_H

#include <stdbool.h>
#include <stdio.h>
#include <syncline/helpers.h>
#include <syncline/syncline.h>

#define SAID_ROOM 700u /* one sentence */
#define KEY_CHARS 32u /* a correlation key: hex digits */
#define NAME_ROOM 200u /* owner/repo */
#define ID_ROOM 24u

/* The repository as GitHub tells it. */
struct repository {
    bool known;
    bool archived, issues, push;
    char name[NAME_ROOM]; /* owner/repo as it is called now */
};

/* The key in the body of a record that was read: an update of the body keeps it without reading it again. */
struct mark {
    char id[ID_ROOM];
    char key[KEY_CHARS + 1]; /* "": there is none */
};
enum { MARKS = 512 };

struct github {
    const struct sl_host *host;
    struct sl_pool kept; /* until close */
    struct sl_pool call; /* until the next call */
    const char *name; /* owner/repo as the config has it */
    const char *home; /* /repos/owner/repo */
    int64_t pause_ms, wrote_ms; /* between two writes; when the last one was */
    int64_t late_s; /* a request may take effect so long after its answer was lost */
    struct repository repository;
    struct mark marks[MARKS]; /* by a hash of the id */
    const char *milestones; /* the list as JSON; NULL: not asked yet */
    size_t milestones_bytes;
    bool warned_renamed, warned_dropped;
    char said[SAID_ROOM];
};

/* Tells the host why a call ends; returns the class. */
int refuse(struct github *g, int sl_class, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Begins a call: what the last one left is given back. */
void call_begin(struct github *g);

/* --- json.c: JSON through the host's door; what is read is the host's until the call returns or json_free --- */

struct node {
    const struct sl_value *fields;
    uint32_t n, size;
};
bool node_read(struct github *g, const char *text, size_t n_bytes, struct node *out);
const struct sl_value *node_at(const struct node *o, const char *name); /* NULL: not there, or null */
const char *node_text(const struct node *o, const char *name); /* a string; NULL: there is none */
int64_t node_number(const struct node *o, const char *name); /* 0: there is none */
bool node_true(const struct node *o, const char *name, bool usual);
bool node_in(struct github *g, const struct node *o, const char *name, struct node *out); /* an object within it */
/* The answer's list, compact. False: it is none. */
bool list_read(struct github *g, const struct sl_http_response *a, const char **text, size_t *n_bytes);
/* Fields as a JSON object. */
const char *json_text(struct github *g, const struct sl_value *fields, uint32_t n, size_t *n_bytes);
struct sl_value text_value(const char *name, const char *text);
bool time_read(const char *text, int64_t *ms);
const char *time_text(struct github *g, int64_t ms);
const char *escaped(struct github *g, const char *text); /* for a URL */

/* --- marker.c: the correlation key in a body, as a comment that no reader sees --- */

struct body {
    const char *text; /* NULL: there is none */
    size_t n_bytes;
    char key[KEY_CHARS + 1]; /* "": there is none */
    bool away; /* the issue was put away: closed for good, as far as this program is concerned */
};
extern const char marker_away[]; /* the line that says so */
void marker_cut(struct github *g, const char *text, size_t n_bytes, struct body *out);
struct sl_value marker_add(struct github *g, const struct sl_value *body, const char *key);
bool marker_valid(const char *key);
void marker_note(struct github *g, const char *object, const char *id, const char *key);
/* The key noted for that record; NULL: nothing is known of it. */
const char *marker_of(const struct github *g, const char *object, const char *id);

/* --- record.c and fields.c: what an object is, and the JSON of one record made into one --- */

struct column {
    const char *name;
    uint32_t type, flags, max_bytes;
    const char *const *values;
    uint32_t n_values;
    const char *member; /* where GitHub holds it */
    /* Sets *v, which has name and type, from the record. False: there is none. */
    bool (*read)(struct github *g, const struct node *o, const struct column *c, struct sl_value *v);
};

/* What is kept of one kind of record. */
struct thing {
    const char *name, *one; /* the object, and one of it in sentences */
    const char *id; /* the member */
    const char *model, *parent_object;
    uint64_t caps;
    const struct column *columns;
    uint32_t n_columns;
};
extern const struct thing issues, comments;
const struct thing *thing_find(struct github *g, const char *object); /* NULL after telling the host */
const struct column *column_find(const struct thing *t, const char *name);
char *thing_path(struct github *g, const struct thing *t,
                 const char *id); /* of one record; NULL: no id of this object */

struct told {
    struct sl_record record;
    bool away; /* closed and put away by an archiving write; whoever opens it again brings it back */
    bool pull_request; /* an entry of the issue lists that is none, or a comment of one */
    char id[ID_ROOM], parent[ID_ROOM], version[64];
    char repository[NAME_ROOM]; /* where it is; "": not told */
    const char *url;
    char why[SAID_ROOM]; /* what is wrong where it cannot be read */
};
/* False with why: it cannot be read; id is set if that much could be. */
bool record_read(struct github *g, const struct thing *t, const char *text, size_t n_bytes, struct told *out);
const struct sl_value *record_field(const struct sl_record *r, const char *name);
int emit(struct github *g, uint32_t kind, const char *id, const struct sl_record *record, const char *why);

/* --- ask.c: requests, and what GitHub means by an answer --- */

struct ask {
    struct sl_http_request request;
    struct sl_header headers[4];
};
void ask_init(struct github *g, struct ask *a, const char *method, const char *url);
void ask_header(struct ask *a, const char *name, const char *value);
const char *answer_header(const struct sl_http_response *a, const char *name);
bool answer_good(const struct sl_http_response *a); /* 2xx */
int ask_get(struct github *g, const char *url, const struct sl_http_response **a);
/* One line on what is wrong with an answer, and its class. `what` names the record or the request. wait_ms: at least so long; 0: not said. */
int answer_class(struct github *g, const struct sl_http_response *a, const char *what, char out[SAID_ROOM],
                 int64_t *wait_ms);
/* For a read that must succeed: SL_OK, or the class after telling the host. */
int answer_check(struct github *g, const struct sl_http_response *a, const char *what);

/* --- repository.c --- */

/* SL_OK, or the class with the sentence in out. Asked for once a call. */
int repository_learn(struct github *g, char out[SAID_ROOM]);
/* Is a record that GitHub answered from there in this connection's repository, perhaps under a new name? SL_OK, SL_GONE, or another class. */
int repository_holds(struct github *g, const struct told *t, char out[SAID_ROOM]);
int repository_check(struct github *g);

/* --- write.c and put.c: one write of a batch --- */

/* Why no further write of a batch is sent: what is wrong is the connection's, or GitHub asks for a pause. */
struct halt {
    int sl_class; /* 0: nothing */
    int64_t wait_ms;
    char said[SAID_ROOM];
};
struct job {
    struct github *g;
    const struct thing *t;
    const struct sl_write *w;
    uint32_t index;
    const char *what; /* names the record in sentences */
    struct halt *halt;
};
enum { FIELDS_MOST = 8 };
void job_refuse(struct job *j, int sl_class, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Likewise for what an answer says. */
void job_refuse_answer(struct job *j, const struct sl_http_response *a);
const struct sl_value *job_field(const struct job *j, const char *name); /* NULL: not given */
bool is_empty(const struct sl_value *v); /* NULL, or no value */
/* The members GitHub is sent; closing: those that close a new issue. False after telling the outcome. */
bool put_fields(struct job *j, bool closing, struct sl_value fields[FIELDS_MOST], uint32_t *n);

/* --- the calls --- */

int github_pull(void *session, const struct sl_pull *pull);
int github_get(void *session, const struct sl_get *get);
int github_find(void *session, const struct sl_find *find);
int github_write(void *session, const struct sl_batch *batch);
int github_webhook(void *session, const struct sl_hook *hook);

#endif
