/* SPDX-License-Identifier: MIT */
/* peer.h - a simulated API: what its files share: records, faults, requests, answers. */
#ifndef TESTS_PEER_H
#define TESTS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/mem.h"
#include "values.h"

/* --- requests and answers: wire.c makes them --- */

struct pair {
    const char *name, *value;
};

struct request {
    struct arena memory; /* owns all below: a request that arrives late outlives its connection */
    const char *method, *path;
    struct pair headers[64], query[32];
    size_t n_headers, n_query;
    struct buf body;
};

enum { ANSWER_HEADERS = 16 };

struct answer {
    int status;
    struct pair headers[ANSWER_HEADERS]; /* values in the request's memory */
    size_t n_headers;
    struct buf body;
    bool dropped; /* the connection ends without an answer */
    bool held; /* no answer comes until the asker hangs up */
};

const char *request_header(const struct request *q, const char *name); /* NULL: not there; in any case of letters */
const char *request_query(const struct request *q, const char *name);
void answer_header(struct answer *a, const char *name, const char *value);
void answer_error(struct answer *a, int status, const char *word);

/* --- records: records.c --- */

/* A record as it was from at_ms on. */
struct version {
    int64_t at_ms;
    uint64_t serial; /* of all changes: an ETag */
    bool gone;
    bool unseen; /* the system's own doing: no time that people see moves */
    char *body; /* a JSON object without id and times */
    char *key, *filter; /* the members of the body that lists select by; NULL: not there */
};

struct record {
    char id[32];
    int64_t created_ms;
    bool outside; /* made by somebody else: not counted as a create */
    struct version *versions;
    size_t n_versions;
};

struct peer;
struct record *record_find(struct peer *p, const char *id); /* NULL: never was */
struct record *record_by_key(struct peer *p, const char *key); /* the live one with this external key */
struct record *record_new(struct peer *p, const char *id); /* id NULL: the server chooses */
void record_change(struct peer *p, struct record *r, const char *body, bool gone);
void record_touch(struct peer *p, struct record *r); /* a change that nobody sees */
const struct version *record_at(const struct record *r, int64_t at_ms); /* NULL: was not there yet */
const struct version *record_now(const struct record *r);

/* --- faults: knobs.c --- */

enum scope { SCOPE_TRAIT = 1, SCOPE_ANY, SCOPE_LIST, SCOPE_WRITE, SCOPE_BATCH, SCOPE_TOKEN, SCOPE_HOOK };

enum knob_id {
    /* what the system is like */
    KNOB_NEEDS_TOKEN,
    KNOB_LATENCY,
    KNOB_RATE,
    KNOB_SMALL_PAGES,
    KNOB_SMALL_BATCHES,
    KNOB_SECONDS,
    KNOB_MINUTES,
    KNOB_SKEW,
    KNOB_ZONE,
    KNOB_NO_VERSIONS,
    KNOB_NO_TIMES,
    KNOB_OTHER_ORDER,
    KNOB_DELETE_FEED,
    KNOB_INDEX_LAG,
    KNOB_STALE,
    KNOB_TRIMS,
    KNOB_LOWERS,
    KNOB_TRUNCATES,
    KNOB_ESCAPES,
    KNOB_ROUNDS,
    KNOB_NO_RECORD,
    KNOB_NOT_STORED,
    KNOB_REWRITES,
    KNOB_KEYS_FORGOTTEN,
    KNOB_HIDDEN,
    KNOB_REORDERS,
    KNOB_HOOKS,
    /* what befalls a call */
    KNOB_REPLY_LOST,
    KNOB_REQUEST_LOST,
    KNOB_LATE,
    KNOB_HALF_BATCH,
    KNOB_OUTCOME_OUT,
    KNOB_5XX_AFTER,
    KNOB_429_WRITE,
    KNOB_REFUSED,
    KNOB_5XX,
    KNOB_429,
    KNOB_429_BARE,
    KNOB_401,
    KNOB_403,
    KNOB_NO_ANSWER,
    KNOB_NO_CONTENT,
    KNOB_NO_JSON,
    KNOB_EMPTY_LIST,
    KNOB_HALF_LIST,
    KNOB_REPEATS,
    KNOB_SKIPS,
    KNOB_SHIFTS,
    KNOB_PAGE_AGAIN,
    KNOB_PAGE_MISSING,
    KNOB_CURSOR_EXPIRES,
    KNOB_CIRCLE,
    KNOB_DRIFT,
    KNOB_TOKEN_EXPIRES,
    KNOB_TOKEN_LOST,
    KNOB_REFRESH_REVOKED,
    KNOB_HOOK_TWICE,
    KNOB_HOOK_ORDER,
    KNOB_HOOK_AGAIN,
    KNOB_HOOK_FORGED,
    KNOB_HOOK_LOST,
    N_KNOBS
};

struct knob {
    const char *name; /* as in the engine's simulation where the fault is the same */
    const char *fault; /* of the list of faults, F1 to F47 */
    int scope;
    int64_t usual; /* the value, where a test gives none */
    const char *what;
};
extern const struct knob knobs[N_KNOBS];

struct knob_state {
    int64_t value; /* TRAIT: 0 is off; else what the fault needs to know, such as milliseconds */
    char *text; /* TRAIT: the name of a field */
    int64_t nth, times; /* strikes calls nth to nth + times - 1 of its scope from when it was set; 0: not so */
    int64_t of_1000; /* strikes by chance */
    int64_t seen, struck;
};

bool struck(struct peer *p, int knob); /* counts a call of its scope; true if the fault befalls it */
int64_t trait(const struct peer *p, int knob);
const char *trait_text(const struct peer *p, int knob); /* NULL: off */
/* Sets from {"name": n | text | {"nth", "times", "of_1000", "value"}}. Returns what is wrong, or NULL. */
const char *knobs_set(struct peer *p, const struct json *root);
void knobs_off(struct peer *p);

/* --- an API: profile.c --- */

struct profile {
    const char *name;
    const char *collection;
    const char *id, *created, *updated; /* members of a record */
    const char *list; /* the member of an answer that holds the records; NULL: it is the list */
    const char *since, *limit, *page, *offset, *token; /* of a query; NULL: not known */
    const char *key; /* the member that is unique and can be asked for; NULL: none */
    const char *filter, *filter_usual; /* a member a query selects by, its value if the query has none; `all` is all */
    const char *sort, *direction; /* `updated` and `asc`; NULL: a list since a time is by time, all others are not */
    const char *defaults; /* members of a new record */
    int64_t page_usual, page_most, granular_ms;
    bool numbers, deletes, puts, etags, idempotent, newest_first, batches;
    /* An API that a table does not describe; NULL: items_serve. A request to its own paths, and an order beyond the usual ones. */
    void (*serve)(struct peer *p, struct request *q, struct answer *a);
    bool (*order)(struct peer *p, const char *what, const struct json *root, struct answer *a); /* false: not known */
    /* Further members of a record, made from it; NULL: none. */
    void (*show)(const struct peer *p, const struct record *r, const struct version *v, struct buf *out);
};
extern const struct profile profiles[];
const struct profile *profile_find(const char *name); /* NULL: none */

/* --- the peer --- */

struct counters {
    int64_t requests, with_credentials, reads, lists, writes, creates, doubles, tokens, unauthorized, late, repeats;
};

/* What an Idempotency-Key was answered. */
struct promise {
    char *key;
    int64_t at_ms;
    int status;
    char *body;
    char etag[40];
};

/* A webhook that was delivered. */
struct hook {
    char id[24];
    char signature[80];
    char *body;
};

struct oauth;

struct peer {
    const struct profile *profile;
    int64_t ahead_ms; /* of the machine's clock */
    uint64_t serial, next_id, random;
    struct record **records;
    size_t n_records;
    struct promise *promises;
    size_t n_promises;
    struct {
        struct request *q;
        int64_t at_ms;
    } late[64];
    size_t n_late;
    int64_t window_s, in_window; /* of the rate limit */
    struct knob_state knobs[N_KNOBS];
    struct counters counted;
    struct oauth *oauth;
    void *own; /* what the profile keeps beside records */
    char hook_secret[80];
    struct hook *hooks;
    size_t n_hooks, hooks_told; /* told: asked for already */
};

int64_t peer_now_ms(const struct peer *p);
/* The whole of a request's life; serve.c. */
void peer_serve(struct peer *p, struct request *q, struct answer *a);
void peer_control(struct peer *p, struct request *q, struct answer *a); /* control.c: /_peer/... */
void items_serve(struct peer *p, struct request *q, struct answer *a); /* items.c: one record, and writing */
void listing_serve(struct peer *p, struct request *q, struct answer *a); /* listing.c */
int64_t shown_ms(const struct peer *p, int64_t at_ms); /* in the system's clock and grain */
void put_record(const struct peer *p, const struct record *r, const struct version *v, struct buf *out);
bool record_hidden(const struct peer *p, const struct record *r); /* the permission for it is withdrawn */
void put_time(const struct peer *p, int64_t at_ms, struct buf *out); /* a JSON string */
/* form.c: what the system stores of a body and the members that change. To be freed. */
char *store_form(const struct peer *p, const char *old, const struct json *changed);

void hooks_send(struct peer *p, const struct record *r); /* hooks.c: of the change just made */
void hooks_tell(struct peer *p, struct answer *a); /* those delivered since the last time */

struct oauth *oauth_new(void);
void oauth_serve(struct peer *p, struct request *q, struct answer *a);
void oauth_serve_app(struct peer *p, struct request *q, struct answer *a);
void oauth_control(struct peer *p, const struct json *root, struct answer *a);
bool oauth_good(struct peer *p, const struct request *q); /* a token that is known and has not ended */
void oauth_expire(struct peer *p);

/* Requests are carried out one at a time, on any thread; wire.c. Returns when `stop` is readable or ended. */
int wire_run(struct peer *p, int port, int stop);

#endif
