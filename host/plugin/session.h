/* SPDX-License-Identifier: MIT */
/* session.h - one open connection of a connector: the single wrapper around every plugin call. */
#ifndef PLUGIN_SESSION_H
#define PLUGIN_SESSION_H

#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/auth.h"
#include "net/rate.h"
#include "syncline/syncline.h"

/*
 * The wrapper asserts the contract around every call: state (open before use, one call at a time), ids valid,
 * versions and messages bounded, fields unique, a page ended exactly once, one outcome a write. What breaks it is
 * reported as SL_BROKEN with the connector's and connection's name. Everything emitted is copied or handed on before the
 * service returns; item sizes of older and newer plugins are honoured here and nowhere else.
 */
struct session;

/* The services sessions offer today (SL_NEED_*): what a connector may need and be loaded. */
#define SESSION_SERVICES (SL_NEED_JSON | SL_NEED_HTTP | SL_NEED_SIGNATURE)

/*
 * Where emitted items go, one at a time; item and all in it are valid during the call, in our struct sizes. Texts of values are
 * text_size bytes, checked, but not followed by a NUL until they are copied (value_copy, record_copy).
 */
struct session_sink {
    void *self;
    /* Returns 0 to go on; other values end the call with SL_BROKEN. */
    int (*take)(void *self, const struct sl_item *item);
};

/* A described object, deep-copied. */
struct object_info {
    struct sl_object object; /* field_size is ours; caps already narrowed to what the plugin declares */
    struct object_info *next;
};

/* A session that runs beside the connector in a process of its own has these services from the host's. All in our sizes, checked. */
struct session_parent {
    void (*log)(void *self, uint32_t level, const char *message);
    /* An outcome, as soon as it is told. */
    void (*outcome)(void *self, const struct sl_outcome *outcome);
    /* Fills n responses, in the arena. Returns what the service returns. */
    int (*http_many)(void *self, const struct sl_http_request *requests, uint32_t n, struct arena *a,
                     struct sl_http_response *responses);
    int (*check_signature)(void *self, uint32_t hash, const char *secret_option, struct slice data,
                           struct slice signature);
};

/* How the clock, sleep and randomness come to a session: real by default, simulated in tests. */
struct session_world {
    void *self;
    int64_t (*now_ms)(void *self);
    void (*random)(void *self, void *bytes, size_t n_bytes);
    void (*sleep_ms)(void *self, uint32_t ms);
    int (*stopping)(void *self);
    int64_t (*mono_us)(void *self); /* NULL: the machine's */
    const struct session_parent *parent; /* NULL: this is the host's own process */
};
extern const struct session_world session_real_world;

/* What the config says of a connection's HTTP. Zeros: the server decides, and nothing private or plain is reached. */
struct session_net {
    int64_t requests_per_minute;
    uint32_t in_flight;
    bool allow_private; /* base_url may lead to a private address */
    bool allow_plain_http; /* beyond loopback */
    int64_t timeout_ms; /* of one request; 0: 30 s */
    const char *ca_file; /* certificates to verify the server by; NULL: the system's */
    struct auth_tokens tokens;
    struct tape *tape; /* net/tape.h; NULL: none */
    struct rate_home pace;
};

/* The reading of a page's end; strings belong to the arena given to session_pull. */
struct page_end {
    int kind; /* enum sl_page_kind */
    const char *cursor;
    const char *epoch;
};

/* One write's outcome; strings and record belong to the arena given to session_write. */
struct write_outcome {
    int result; /* enum sl_result; 0 never: what the connector did not tell is SL_UNCERTAIN */
    int error_class;
    bool read_back;
    const struct sl_record *record;
    const char *message;
    int64_t retry_after_ms;
};

/*
 * Opens a session on a negotiated plugin table. settings are checked values. Out: *out, to be closed. The error text of this and
 * every call below names the connection. Each call returns SL_OK or an enum sl_class, with e set.
 */
int session_open(const struct sl_plugin *plugin, const char *connection, const struct sl_value *settings,
                 uint32_t n_settings, const struct session_world *world, struct session **out, struct err *e);
void session_close(struct session *s); /* accepts NULL */
/* Before the first call that needs HTTP; without it all is zero. */
void session_set_net(struct session *s, const struct session_net *net);
const struct sl_plugin *session_plugin(const struct session *s);
void *session_handle(const struct session *s); /* what open gave: for the room that made the table */
/* A connector in a process of its own has died in the call in progress: its table notes it; who made the call asks how often so far. */
void session_note_death(struct session *s);
uint64_t session_deaths(const struct session *s);
/* That was one record's doing, which is put aside: it is not held against the connection. True, once, when asked by the table. */
void session_forgive(struct session *s);
bool session_forgiven(struct session *s);
/* What the system was asked so far: HTTP requests, or for a connector that makes none its calls, not counting open and close. */
uint64_t session_calls(const struct session *s);

int session_check(struct session *s, struct err *e);
/* object NULL: all. The list belongs to the arena. */
int session_describe(struct session *s, const char *object, struct arena *a, struct object_info **list, struct err *e);
/* With the fields, too, that a connector leaves out of an object asked for by name because they cost it requests. *out NULL: no such object. */
int session_describe_whole(struct session *s, const char *object, struct arena *a, struct object_info **out,
                           struct err *e);
int session_pull(struct session *s, const struct sl_pull *pull, struct session_sink sink, struct arena *a,
                 struct page_end *end, struct err *e);
int session_get(struct session *s, const char *object, const char *const *ids, uint32_t n_ids, struct session_sink sink,
                struct err *e);
int session_find(struct session *s, const struct sl_find *find, struct session_sink sink, struct err *e);
/* outcomes has batch->n_writes elements, all filled whatever is returned. */
int session_write(struct session *s, const struct sl_batch *batch, struct arena *a, struct write_outcome *outcomes,
                  struct err *e);
int session_webhook(struct session *s, const struct sl_hook *hook, struct session_sink sink, struct err *e);
/* What a signature was found right for in the last session_webhook: the same for the same signed bytes, whatever else came with them. False: none was. */
bool session_signed(const struct session *s, struct hash128 *what);

const char *class_name(int sl_class);
/* The err code (blast radius) of a class: ERR_CONFIG, ERR_FAILED or ERR_INPUT. */
int class_err(int sl_class);

#endif
