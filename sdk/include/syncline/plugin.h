/* SPDX-License-Identifier: MIT */
/* plugin.h - the one symbol a connector exports and the calls behind it. */
#ifndef SYNCLINE_PLUGIN_H
#define SYNCLINE_PLUGIN_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the ABI. A host takes a plugin iff the major is equal; a minor only adds at the end. */
#define SL_ABI_MAJOR 1
#define SL_ABI_MINOR 1

/*
 * What a pull should begin with. Borrowed. Since 1.0. May grow at the end.
 * For maintainers: 4 bytes of padding follow `page_max`, and `size` counts them. A new member begins at the next
 * multiple of 8, past all of 1.0's size, so that `size` tells whether it is there.
 */
struct sl_pull {
    uint32_t size; /* sizeof(struct sl_pull) */
    uint32_t flags; /* SL_PULL_* */
    const char *object;
    const char *cursor; /* as the last page gave it; NULL: list the whole collection */
    uint32_t page_max;  /* about how many items to a page; 0: as you like */
    const char *parent_id; /* an object with parent_object: list this one's children, COMPLETE at their end. Since 1.1 */
};
#define SL_PULL_RECORDS (1u << 0) /* nothing is known yet: whole records serve better than stubs */
#define SL_PULL_FULL    (1u << 1) /* a verify: list everything, whatever the cursor says */

/* Which records to read. Borrowed. Since 1.0. May grow at the end. */
struct sl_get {
    uint32_t size; /* sizeof(struct sl_get) */
    uint32_t n_ids;
    const char *object;
    const char *const *ids;
};

/* What to look for. Either correlation is set, or field and value. Borrowed. Since 1.0. May grow at the end. */
struct sl_find {
    uint32_t size; /* sizeof(struct sl_find) */
    uint32_t max_items; /* stop after this many; 0: all */
    const char *object;
    const char *correlation;
    const struct sl_value *value; /* its name is the field */
    const char *parent_id; /* an object with parent_object: look among this one's children. Since 1.1 */
};

/* Kinds of a write. Since 1.0. */
enum sl_write_kind { SL_CREATE = 1, SL_UPDATE = 2, SL_DELETE = 3, SL_ARCHIVE = 4 };

/* One write. Borrowed. Since 1.0. May grow at the end: batches carry their item size. */
struct sl_write {
    uint32_t kind;  /* enum sl_write_kind */
    uint32_t flags; /* SL_WRITE_* */
    const char *id; /* UPDATE, DELETE, ARCHIVE; CREATE with SL_CAP_RESERVED_ID: the id to create under; else NULL */
    const char *parent_id;        /* CREATE of a child record */
    const char *correlation;      /* CREATE: the key to store in the record, 32 hex digits */
    const char *idempotency_key;  /* the operation's ULID, the same in every repeat of it */
    const char *expected_version; /* UPDATE, DELETE, ARCHIVE: refuse with SL_CONFLICT if it is another; NULL: any */
    const struct sl_value *fields; /* CREATE: all; UPDATE: those to change; NULL clears, absent ones are not listed */
    uint32_t n_fields;
    uint32_t field_size; /* sizeof(struct sl_value) */
};
#define SL_WRITE_REPEAT (1u << 0) /* an earlier attempt may have been carried out: a create that finds its id taken says SL_EXISTS with the record */

/*
 * A batch of writes on one object. No two of them are on one record, so that they may be sent side by side. Borrowed. Since 1.0.
 * May grow at the end.
 */
struct sl_batch {
    uint32_t size; /* sizeof(struct sl_batch) */
    uint32_t n_writes;
    uint32_t write_size; /* sizeof(struct sl_write) */
    const char *object;
    const struct sl_write *writes;
};

/* Returns write i of a batch (its writes may be larger than ours). */
static inline const struct sl_write *sl_write_at(const struct sl_batch *batch, uint32_t i)
{
    return (const struct sl_write *)(const void *)((const char *)(const void *)batch->writes +
                                                   (size_t)batch->write_size * i);
}

/* A webhook delivery, raw. Borrowed. Since 1.0. May grow at the end. */
struct sl_hook {
    uint32_t size; /* sizeof(struct sl_hook) */
    uint32_t n_headers;
    uint32_t header_size;
    const struct sl_header *headers; /* names in lower case */
    const char *body;
    size_t body_bytes;
    int64_t received_ms;
};

/* The settings of a connection, checked against the options. Borrowed until open returns. Since 1.0. */
struct sl_settings {
    uint32_t size; /* sizeof(struct sl_settings) */
    uint32_t n_values;
    uint32_t value_size; /* sizeof(struct sl_value) */
    const struct sl_value *values; /* one a setting, by name; secrets only where the connector opens its own system */
    const char *connection; /* the connection's name, for messages */
};

/*
 * How the host's HTTP speaks to the connector's API (SL_NEED_HTTP). In every text `{name}` stands for the value of the option of that
 * name; secrets too: the host puts them in, the connector never sees them. Constant data. Since 1.1. May grow at the end.
 */
struct sl_http_rules {
    uint32_t size; /* sizeof(struct sl_http_rules) */
    uint32_t n_auths;
    const char *base_url; /* where paths start: "https://{subdomain}.example.com/v2"; the option base_url comes first where it is set */
    /*
     * Credentials as JSON of the host's auth types: {"type": "bearer", "token": "{token}"}. The first one whose options are all set is
     * used; an option of kind SL_OPT_AUTH comes before them all where it is set; none: requests go without.
     */
    const char *const *auths;
    const char *const *origins; /* further servers that requests and redirects may reach, without credentials */
    uint32_t n_origins;
    const char *idempotency_header; /* NULL: Idempotency-Key */
};

/*
 * The plugin's table. `const struct sl_plugin syncline_plugin` is the only exported symbol; it is data,
 * read and refused before any call. Calls are plain blocking C, one at a time for one session, and
 * return SL_OK or an enum sl_class after host->fail(). A connector keeps no state of changes.
 * Since 1.0. Grows at the end.
 */
struct sl_plugin {
    uint32_t size; /* sizeof(struct sl_plugin) */
    uint16_t abi_major;
    uint16_t abi_minor;
    const char *name;    /* as in the config: lower case letters, digits, - */
    const char *version; /* the connector's own */
    const char *summary; /* one line */
    uint64_t caps;  /* SL_CAP_* at most, and SL_REACH_* */
    uint64_t needs; /* SL_NEED_* it cannot live without */
    const struct sl_option *options;
    uint32_t n_options;
    uint32_t option_size; /* sizeof(struct sl_option) */

    /* Begins a session. Opens nothing that check would find closed: a wrong password is check's to report. Out: *session. */
    int (*open)(const struct sl_host *host, const struct sl_settings *settings, void **session);
    /* Ends it and frees everything. Accepts NULL. */
    void (*close)(void *session);
    /* Are the system there and the credentials good? */
    int (*check)(void *session);
    /*
     * Emits the objects with host->object(): the named one, or all of them if object is NULL. Each run asks for its object by name: then
     * fields that cost requests to find (a remote's custom fields) may be left out; a run whose pair names one asks for all objects.
     */
    int (*describe)(void *session, const char *object);
    /* Emits changes since a cursor with host->emit(), then host->page(). SL_GONE: the cursor is not known any more; the host lists anew. */
    int (*pull)(void *session, const struct sl_pull *pull);
    /* Emits RECORD, TOMBSTONE or UNREADABLE for each id. */
    int (*get)(void *session, const struct sl_get *get);
    /* Emits the RECORDs found. */
    int (*find)(void *session, const struct sl_find *find);
    /* Carries out a batch; tells each outcome with host->outcome(). Durable before APPLIED is told. */
    int (*write)(void *session, const struct sl_batch *batch);
    /* Verifies a delivery and emits HINTs, each with its object; SL_AUTH if it is forged or too old. */
    int (*webhook)(void *session, const struct sl_hook *hook);

    const struct sl_http_rules *http; /* SL_NEED_HTTP. Since 1.1 */
};

#if defined(_WIN32)
#error "Syncline connectors are built for POSIX systems"
#endif
#ifdef __cplusplus
#define SL_EXPORT extern "C" __attribute__((visibility("default")))
#else
#define SL_EXPORT __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
}
#endif
#endif
