/* SPDX-License-Identifier: MIT */
/* inside.h - what the files of this room share of a session: its state during a call, and the checks. */
#ifndef PLUGIN_INSIDE_H
#define PLUGIN_INSIDE_H

#include "plugin/session.h"

/* The call a session is in; services are refused outside the calls they belong to. */
enum call {
    CALL_NONE = 0,
    CALL_OPEN,
    CALL_CLOSE,
    CALL_CHECK,
    CALL_DESCRIBE,
    CALL_PULL,
    CALL_GET,
    CALL_FIND,
    CALL_WRITE,
    CALL_WEBHOOK
};

/* Finds repetitions in a list without clearing a table each time: a slot counts only in its own round. */
struct seen_slot {
    uint64_t hash;
    uint32_t round;
};
struct seen {
    struct seen_slot *slots;
    uint32_t n_slots; /* a power of two */
    uint32_t round;
};

enum {
    MESSAGE_MAX = 600,
    ID_MAX = 1024,
    ITEMS_MAX = 100000, /* fields of a record, items of a set */
    TEXT_MAX = 64 * 1024 * 1024 /* one text */
};

struct session {
    const struct sl_plugin *plugin;
    const struct session_world *world;
    struct sl_host host;
    char *connection;
    void *handle; /* the connector's own session */
    uint64_t calls;
    uint64_t deaths; /* of its connector's process */
    bool forgiven;

    /* The call in progress. */
    int call; /* enum call */
    struct err fault; /* the first rule that was broken; it decides the call whatever the connector returns */
    char said[MESSAGE_MAX + 1]; /* what fail() told, cleaned */
    struct arena scratch; /* one item or outcome in our sizes */
    struct arena json; /* what json_read and json_write returned */
    struct buf text; /* json_write's workshop */
    struct arena http; /* the last http answer */
    struct session_net net;
    struct arena kept; /* of settings */
    struct sl_value *settings; /* all of them, for the host's HTTP and signatures */
    uint32_t n_settings;
    struct web *web; /* opened by the first request */
    struct seen seen;
    uint64_t n_items;
    bool at_item; /* an item is being taken: sentences say which */
    const char *item_id; /* the checked id of the item at hand, for sentences */

    struct session_sink sink; /* pull, get, find, webhook */
    bool is_signed; /* webhook */
    struct hash128 what_is_signed;
    const struct sl_pull *pull; /* pull */
    struct page_end *page; /* pull */
    const struct sl_get *get; /* get */
    const struct sl_batch *batch; /* write */
    struct write_outcome *outcomes; /* write */
    uint8_t *told; /* get: ids answered, write: outcomes told; one byte each */
    uint32_t n_told;
    uint32_t next; /* get: the id expected next, when answers come in order */
    const char *object; /* describe: the object asked for, or NULL */
    struct object_info *first_object; /* describe */
    struct object_info **last_object; /* describe: where the next one goes */
    struct arena *out; /* where results of the call live */
};

/* Records that the connector broke the contract, unless something did before; returns SL_BROKEN. */
int session_break(struct session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Ends the call though the connector did nothing wrong; returns SL_BROKEN. */
int session_end(struct session *s, const char *why);
/* Fills the table of services for s. */
void services_init(struct session *s);
int services_json_read(void *ctx, const char *text, size_t text_bytes, const struct sl_value **fields,
                       uint32_t *n_fields, uint32_t *field_size, const char **message);
int services_json_write(void *ctx, const struct sl_value *fields, uint32_t n_fields, uint32_t field_size,
                        uint32_t pretty, const char **text, size_t *text_bytes);
void services_json_free(void *ctx);

/*
 * Each returns what the connector gave in our sizes and checked, or NULL after session_break(). Where sizes agree nothing
 * is copied; else the copy lives in scratch, or for an item in *room.
 */
const struct sl_item *items_item(struct session *s, const struct sl_item *theirs, struct sl_item *room);
const struct sl_record *items_record(struct session *s, const struct sl_record *theirs);
/* NULL is also the answer for n == 0: *ok tells. */
const struct sl_value *items_fields(struct session *s, const struct sl_value *theirs, uint32_t n, uint32_t size,
                                    bool *ok);
/* Copies a top-level struct of their size into *ours of our size; false after session_break(). */
bool items_take(struct session *s, const char *what, const void *theirs, uint32_t size, size_t size_1_0, void *ours,
                size_t our_size);
/* An array's stride as they gave it; false after session_break() unless it can be walked. */
bool items_stride(struct session *s, const char *what, const void *array, uint32_t n, uint32_t size, size_t size_1_0);
/* 1 to 1024 bytes of UTF-8 without control characters. */
bool items_id(struct session *s, const char *what, const char *id);
/* NULL, or at most max bytes of UTF-8. */
bool items_text(struct session *s, const char *what, const char *text, size_t max);
/* Finds repetitions: seen_begin, then seen_again for each; true if that hash came before in this round. */
void seen_begin(struct seen *seen, uint32_t n);
bool seen_again(struct seen *seen, uint64_t hash);

/* online.c: keeps the settings for connectors that need the services below. */
void online_init(struct session *s, const struct sl_value *settings, uint32_t n_settings);
void online_fini(struct session *s);
int online_http(void *ctx, const struct sl_http_request *request, const struct sl_http_response **response);
int online_http_many(void *ctx, const struct sl_http_request *requests, uint32_t n_requests, uint32_t request_size,
                     const struct sl_http_response **responses, uint32_t *response_size);
int online_check_signature(void *ctx, uint32_t hash, const char *secret_option, const void *data, size_t data_bytes,
                           const void *signature, size_t signature_bytes);
uint64_t online_calls(const struct session *s); /* requests that left */

/* objects.c: a described object, checked and copied into s->out; NULL after session_break(). */
struct object_info *objects_copy(struct session *s, const struct sl_object *theirs);

/* clean.c: a message as one scrubbed line of at most MESSAGE_MAX bytes. */
void clean_message(const char *message, char out[MESSAGE_MAX + 1]);
/* The largest number of bytes up to max that cuts no character of text in two. */
int clean_cut(const char *text, size_t max);

/* The size a struct had in 1.0, given its last member then. */
#define SIZE_1_0(type, last) (offsetof(type, last) + sizeof(((type *)0)->last))

#endif
