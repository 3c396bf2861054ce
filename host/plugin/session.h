/* SPDX-License-Identifier: MIT */
/* session.h - one open connection of a connector: the single wrapper around every plugin call. */
#ifndef PLUGIN_SESSION_H
#define PLUGIN_SESSION_H

#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"
#include "syncline/syncline.h"

/*
 * The wrapper asserts the contract around every call: state (open before use, one call at a time), ids valid,
 * versions and messages bounded, fields unique, a page ended exactly once, one outcome a write. What breaks it is
 * reported as SL_BROKEN with the connector's and connection's name. Everything emitted is copied or handed on before the
 * service returns; item sizes of older and newer plugins are honoured here and nowhere else.
 */
struct session;

/* The services sessions offer today (SL_NEED_*): what a connector may need and be loaded. */
#define SESSION_SERVICES SL_NEED_JSON

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

/* How the clock, sleep and randomness come to a session: real by default, simulated in tests. */
struct session_world {
    void *self;
    int64_t (*now_ms)(void *self);
    void (*random)(void *self, void *bytes, size_t n_bytes);
    void (*sleep_ms)(void *self, uint32_t ms);
    int (*stopping)(void *self);
};
extern const struct session_world session_real_world;

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
const struct sl_plugin *session_plugin(const struct session *s);
uint64_t session_calls(const struct session *s); /* plugin calls so far, not counting open and close */

int session_check(struct session *s, struct err *e);
/* object NULL: all. The list belongs to the arena. */
int session_describe(struct session *s, const char *object, struct arena *a, struct object_info **list, struct err *e);
int session_pull(struct session *s, const struct sl_pull *pull, struct session_sink sink, struct arena *a,
                 struct page_end *end, struct err *e);
int session_get(struct session *s, const char *object, const char *const *ids, uint32_t n_ids, struct session_sink sink,
                struct err *e);
int session_find(struct session *s, const struct sl_find *find, struct session_sink sink, struct err *e);
/* outcomes has batch->n_writes elements, all filled whatever is returned. */
int session_write(struct session *s, const struct sl_batch *batch, struct arena *a, struct write_outcome *outcomes,
                  struct err *e);
int session_webhook(struct session *s, const struct sl_hook *hook, struct session_sink sink, struct err *e);

const char *class_name(int sl_class);
/* The err code (blast radius) of a class: ERR_CONFIG, ERR_FAILED or ERR_INPUT. */
int class_err(int sl_class);

#endif
