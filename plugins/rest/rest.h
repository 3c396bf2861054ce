/* SPDX-License-Identifier: MIT */
/* rest.h - what the files of this connector share: the config of a resource, JSON behind the host's door, records, the calls. */
#ifndef REST_H
#define REST_H

#include <stdbool.h>
#include <stdio.h>
#include <syncline/helpers.h>
#include <syncline/syncline.h>

#define SAID_ROOM 700u /* one sentence */
#define STAMP_ROOM 40u /* a number or a time as text */
#define OBJECT_MAX 16u /* members of an object that is sent as it stands in the config */

/* --- the config: filled by config.c along the tables of keys.c; words are numbered from 1 in the order of their table --- */

enum spot_in { IN_QUERY = 1, IN_HEADER };
enum page_type { PAGE_NONE = 1, PAGE_LINK_HEADER, PAGE_NEXT_URL, PAGE_CURSOR, PAGE_NUMBER, PAGE_OFFSET };
enum stop_on { STOP_EMPTY = 1, STOP_SHORT };
enum version_kind { VERSION_TIMESTAMP = 1, VERSION_ETAG, VERSION_HASH };
enum guard_type { GUARD_NONE = 1, GUARD_IF_MATCH, GUARD_BODY_STAMP };
enum update_method { UPDATE_PATCH = 1, UPDATE_PUT };
enum delete_mode { DELETE_DELETE = 1, DELETE_NONE, DELETE_CLOSE };
enum delete_method { BY_DELETE = 1, BY_PATCH, BY_PUT, BY_POST };
enum deleted_mode { DELETED_FIELD = 1, DELETED_STATUS, DELETED_SWEEP, DELETED_FEED };
enum stamp_format { STAMP_RFC3339 = 1, STAMP_EPOCH_S };
enum since_order { ORDER_NONE = 1, ORDER_ASC, ORDER_DESC };
enum encoding { ENCODING_HEX = 1, ENCODING_BASE64, ENCODING_BASE64URL };
enum signed_what { SIGNED_BODY = 1, SIGNED_TIMESTAMP_BODY };

/* Every group begins with `given`. Texts are NULL where nothing is given; `_from` and `field` are JSON pointers. */
struct spot {
    bool given;
    int64_t in;
    const char *name;
    int64_t value; /* of size_to alone */
};
struct stop {
    bool given;
    const char *field, *total;
    struct sl_value eq;
    int64_t on;
};
struct paging {
    bool given, same_host_only;
    int64_t type, first, max_pages;
    const char *token_from;
    struct spot token_to, size_to;
    struct stop stop;
};
struct since {
    bool given, inclusive;
    int64_t format, order, overlap_s, server_lag_s;
    const char *field, *opaque_cursor;
    struct spot to;
};
struct pairs {
    struct sl_header *at; /* names and values as they are sent */
    uint32_t n;
};
struct listing {
    bool given;
    const char *path, *records;
    struct pairs query;
    struct drop {
        bool given;
        const char *has;
    } drop;
    struct paging page;
    struct since since;
};
struct reading {
    bool given;
    const char *path, *record;
};
struct statuses {
    uint32_t at[16], n;
};
struct creating {
    bool given;
    const char *path, *wrap, *record, *idempotency_header, *warnings;
    const char *set; /* a JSON object */
    int64_t method, idempotency_ttl_s, find_before_retry;
    bool read_back;
    struct statuses ok;
};
struct updating {
    bool given;
    const char *path, *wrap, *record, *warnings;
    int64_t method;
    bool read_back;
    struct pairs replace_arrays;
    struct guard {
        bool given;
        int64_t type;
        const char *fields; /* a JSON object */
    } guard;
    struct statuses ok;
};
struct deleting {
    bool given;
    const char *path, *wrap;
    const char *set; /* a JSON object */
    int64_t mode, method;
    struct statuses ok;
};
struct field {
    bool given, write, required, create_only;
    uint32_t type; /* enum sl_type */
    const char *name;
    int64_t word, max;
    const char *const *values;
    uint32_t n_values;
};
struct resource {
    bool given;
    const char *name, *key, *label;
    int64_t late_s, index_lag_s, stale_s;
    struct {
        bool given;
        const char *field;
        int64_t kind;
    } version;
    struct {
        bool given, unique;
        const char *field, *path, *records, *filter;
        struct spot to;
    } external_key;
    struct listing list;
    struct reading get;
    struct creating create;
    struct updating update;
    struct deleting del;
    struct {
        bool given;
        int64_t mode;
        const char *field, *key;
        struct sl_value eq;
        struct pairs query;
        struct listing list; /* a feed of the ids that were deleted */
    } deleted;
    struct field *fields;
    uint32_t n_fields;
};

/* Which record a delivery is about: of the resource `name`, where `when` holds. */
struct about {
    bool given;
    const char *name, *key;
    struct condition {
        bool given;
        const char *header, *field;
        struct sl_value eq;
    } when;
};
struct webhook {
    bool given, strip_pad;
    int64_t alg, encoding, signs, window_s;
    const char *header, *prefix, *timestamp_header, *events;
    struct delivery {
        bool given;
        const char *header;
    } delivery_id;
    const char *resource, *key; /* the one thing it is about, where `about` does not say more */
    struct about *about;
    uint32_t n_about;
};

struct rest {
    const struct sl_host *host;
    struct sl_pool config; /* until close */
    struct sl_pool call; /* until the next call */
    struct resource *resources;
    uint32_t n_resources;
    struct pairs headers; /* sent with every request */
    const char *origin; /* of base_url, "https://host:port": what a server's own paths are from */
    struct webhook webhook;
    struct sl_value *values; /* the record being told */
    uint32_t n_room;
    char said[SAID_ROOM];
};

/* Tells the host why a call ends; returns the class. */
int refuse(struct rest *r, int sl_class, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The resource of that name; NULL after telling the host. */
const struct resource *resource_find(struct rest *r, const char *name);
bool about_resource(const struct rest *r, const char *name); /* is a webhook about it? */

/* --- keys.c: what the config may hold --- */

enum key_kind {
    KEY_TEXT = 1,
    KEY_POINTER,
    KEY_MEMBER, /* a pointer to a member of the record itself: "/name" */
    KEY_PATH, /* begins with a slash; {id} stands for the record's id */
    KEY_BOOL,
    KEY_INT,
    KEY_WORD,
    KEY_GROUP,
    KEY_SCALAR,
    KEY_STATUSES,
    KEY_PAIRS,
    KEY_NAMES,
    KEY_OBJECT,
    KEY_VALUES,
    KEY_FIELDS,
    KEY_ABOUT
};
struct key {
    const char *name;
    enum key_kind kind;
    size_t offset;
    const char *words; /* WORD: the words, separated by '|' */
    const struct key *inner; /* GROUP */
    bool required;
    int64_t fallback;
};
extern const struct key resource_keys[], field_keys[], webhook_keys[], about_keys[]; /* end with one without a name */

/* --- config.c --- */

/* The settings; NULL: not given. */
struct given {
    const struct sl_value *resources, *headers, *webhook, *base_url;
};
/* SL_OK, or SL_CONFIG told. */
int config_read(struct rest *r, const struct given *g);
/* --- check.c: what their members must say together --- */
int resource_check(struct rest *r, const struct resource *res);
int webhook_check(struct rest *r);

/* --- doc.c: JSON through the host's door; what is read is the host's until the call returns or json_free --- */

/* Any JSON text as a value. False with *why if it is none. */
bool doc_read(struct rest *r, const char *text, size_t n_bytes, struct sl_value *out, const char **why);
/* What a pointer leads to; SL_ABSENT where there is nothing. A NULL pointer leads to the root. */
struct sl_value doc_at(struct rest *r, const struct sl_value *root, const char *pointer);
/* Likewise from the members of an object. */
struct sl_value doc_in(struct rest *r, const struct sl_value *fields, uint32_t n, uint32_t size, const char *pointer);
/* A scalar as text; NULL for null, lists and objects. Borrowed from v or room. */
const char *doc_text(const struct sl_value *v, char room[STAMP_ROOM]);
bool doc_same(const struct sl_value *x, const struct sl_value *y);
/* The text {"a": {"b": text}} for the pointer /a/b. Lives until the call returns. */
const char *doc_wrap(struct rest *r, const char *pointer, const char *text, size_t *n_bytes);
uint64_t doc_hash(const char *text, size_t n_bytes);

/* --- stamp.c: times as APIs write them --- */

bool stamp_read(const char *text, int64_t *ms, uint32_t *grain_ms); /* RFC 3339 */
bool date_read(const char *text, int64_t *days);
void stamp_text(int64_t ms, int64_t format, char out[STAMP_ROOM]);
/* The time a value says, as text or as seconds since 1970. */
bool stamp_of(const struct sl_value *v, int64_t *ms, uint32_t *grain_ms);

/* --- url.c --- */

/* path with {id} put in, percent-encoded. NULL: that id cannot stand in a path. Lives until the call returns. */
char *url_path(struct rest *r, const char *path, const char *id);
/* url with name=value behind it. */
char *url_query(struct rest *r, const char *url, const char *name, const char *value);

/* --- record.c --- */

struct told {
    struct sl_record record;
    bool dropped; /* filter_drop: no record of this resource */
    bool deleted;
    int64_t mark_ms; /* of since.field; 0: none */
    char id[1025], version[200];
    char why[SAID_ROOM]; /* what is wrong where it cannot be read */
};
/* The text of one record. False with why: it cannot be read; id is set if that much could be. etag: of the answer, NULL: none. */
bool record_read(struct rest *r, const struct resource *res, const char *text, size_t n_bytes, const char *etag,
                 struct told *out);

/* --- ask.c: requests and what came of them --- */

struct ask {
    struct sl_http_request request;
    struct sl_header headers[8];
};
void ask_init(struct rest *r, struct ask *a, const char *method, const char *url);
void ask_header(struct ask *a, const char *name, const char *value);
const char *answer_header(const struct sl_http_response *a, const char *name);
bool answer_good(const struct sl_http_response *a, const struct statuses *ok);
/* For a read that must succeed: SL_OK, or the class after telling the host. `what` names the request. */
int answer_check(struct rest *r, const struct sl_http_response *a, const char *what);
/* One line on what the server said. */
void answer_said(const struct sl_http_response *a, const char *what, char out[SAID_ROOM]);

/* --- page.c: from one page of a listing to the next --- */

struct place {
    char *token; /* where the next page is; NULL: at the beginning */
    int64_t pages, items; /* that lie behind */
    uint64_t seen; /* a page from before, and how many pages may pass until another is remembered */
    int64_t until;
};
struct page {
    struct sl_value body;
    const char *list; /* its records as JSON text, from here ... */
    size_t list_bytes;
    uint32_t n_items;
};
enum page_end { PAGE_GOES_ON = 1, PAGE_ENDS, PAGE_FAULT };
/* Puts what leads to that place on a url; NULL url: the place is one itself. */
char *page_url(struct rest *r, const struct paging *p, const struct place *at, char *url, struct ask *a);
/* Takes the records, at a pointer, out of an answer to a listing of the resource. SL_OK, or a class told. */
int page_read(struct rest *r, const struct resource *res, const struct listing *list, const char *records,
              const struct sl_http_response *a, struct page *out);
/* Moves the place behind the page just read. PAGE_FAULT is told: a listing that ended there would not be whole. */
enum page_end page_next(struct rest *r, const struct resource *res, const struct listing *list,
                        const struct sl_http_response *a, const struct page *page, struct place *at);

/* --- the calls --- */

int rest_pull(void *session, const struct sl_pull *pull);
int rest_get(void *session, const struct sl_get *get);
int rest_find(void *session, const struct sl_find *find);
int rest_write(void *session, const struct sl_batch *batch);
int rest_webhook(void *session, const struct sl_hook *hook);

#endif
