/* SPDX-License-Identifier: MIT */
/* describe.h - what a connector says of its objects: fields, types, limits, what can be done. */
#ifndef SYNCLINE_DESCRIBE_H
#define SYNCLINE_DESCRIBE_H

#include "record.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Capabilities. A plugin declares the most it can do; each described object narrows that.
 * certify proves them; the host uses the weaker of declared and proven. Since 1.0.
 */
#define SL_CAP_CREATE      (1ULL << 0)
#define SL_CAP_UPDATE      (1ULL << 1)
#define SL_CAP_DELETE      (1ULL << 2)
#define SL_CAP_ARCHIVE     (1ULL << 3)  /* can put a record away instead of deleting it */
#define SL_CAP_DELTA       (1ULL << 4)  /* pull returns changes since a cursor */
#define SL_CAP_COMPLETE    (1ULL << 5)  /* pull can list the whole collection and say so */
#define SL_CAP_DELETE_FEED (1ULL << 6)  /* a delta reports every deletion */
#define SL_CAP_GET         (1ULL << 7)  /* get tells for certain whether an id is there */
#define SL_CAP_FIND_CORRELATION (1ULL << 8) /* stores the correlation key and finds a record by it (tier T2) */
#define SL_CAP_FIND_KEY    (1ULL << 9)  /* finds records by a field's value */
#define SL_CAP_IDEMPOTENT  (1ULL << 10) /* a repeated create with one idempotency key is one create (tier T1) */
#define SL_CAP_RESERVED_ID (1ULL << 11) /* creates under an id the host chooses; a repeat answers SL_EXISTS (tier T1) */
#define SL_CAP_CONDITIONAL (1ULL << 12) /* update and delete honour expected_version, or are local and locked */
#define SL_CAP_VERSION_ORDER (1ULL << 13) /* versions grow: a smaller one (shorter, or less by bytes) is an older read */
#define SL_CAP_WEBHOOK     (1ULL << 14)
#define SL_CAP_OPEN_SCHEMA (1ULL << 15) /* takes fields it has not listed (a JSON document store) */

/* What the connector itself reaches, beside the host's services; the operator sees and allows it. Since 1.0. */
#define SL_REACH_FILES    (1ULL << 32) /* files below the path in its settings */
#define SL_REACH_DATABASE (1ULL << 33) /* a database server it opens itself */
#define SL_REACH_PROCESS  (1ULL << 34) /* starts the command in its settings */

/* Flags of a described field. Since 1.0. */
#define SL_FIELD_WRITABLE  (1u << 0)
#define SL_FIELD_REQUIRED  (1u << 1) /* a create without it is refused */
#define SL_FIELD_KEY       (1u << 2) /* the field is the record's id */
#define SL_FIELD_UNIQUE    (1u << 3)
#define SL_FIELD_CUSTOM    (1u << 4)
#define SL_FIELD_CREATE_ONLY (1u << 5) /* writable in a create, not later */
#define SL_FIELD_EMAIL     (1u << 6) /* a REF to a user: takes the e-mail address of anybody it knows. Since 1.1 */

/* One field of an object. Ownership: copied by the host. Since 1.0. May grow at the end. */
struct sl_field {
    const char *name;
    uint32_t type;  /* enum sl_type; SL_ABSENT: any */
    uint32_t flags; /* SL_FIELD_* */
    const char *label;
    const char *const *values; /* ENUM: the allowed values; NULL: not known */
    uint32_t n_values;
    uint32_t max_bytes; /* longest text in bytes; 0: unknown */
    const char *ref_object; /* REF: the object it points into */
};

/* Which ids a create may be given (SL_CAP_RESERVED_ID). Since 1.0. */
enum sl_id_rule {
    SL_ID_SERVER = 1,  /* the system assigns ids */
    SL_ID_TEXT = 2,    /* any text up to id_max_bytes */
    SL_ID_NAME = 3,    /* a file name: no slash, no leading dot, no control character, up to id_max_bytes */
    SL_ID_INTEGER = 4  /* a positive integer; next_id is free now */
};

/* One object (collection) of a connection. Ownership: copied by the host. Since 1.0. May grow at the end. */
struct sl_object {
    uint32_t size; /* sizeof(struct sl_object) */
    uint32_t id_rule; /* enum sl_id_rule */
    const char *name;
    const char *model; /* the normalized model it speaks (model.h); NULL: none */
    uint64_t caps;     /* SL_CAP_* that hold for this object */
    const struct sl_field *fields;
    uint32_t n_fields;
    uint32_t field_size; /* sizeof(struct sl_field) */
    uint32_t id_max_bytes;
    uint32_t batch_max;    /* most writes of one write call; 0: 100 */
    int64_t next_id;       /* SL_ID_INTEGER */
    uint32_t late_ms;      /* a request of ours may still take effect this long after a timeout; 0: never (local) */
    uint32_t index_lag_ms; /* a created record may be missing from find and pull this long */
    uint32_t stale_ms;     /* a read may be this old */
    uint32_t idempotency_ttl_s; /* SL_CAP_IDEMPOTENT: how long a key is remembered */
    /*
     * Its records are children (comments) of records of this object: each names its parent_id, a pull lists those of one parent, and
     * a parent's version changes when a child is added or changed. NULL: it stands alone. Since 1.1
     */
    const char *parent_object;
};

/* Kinds of a connector option. Since 1.0. */
enum sl_option_kind {
    SL_OPT_STRING = 1,
    SL_OPT_PATH = 2,   /* made absolute by the host, relative to the config file */
    SL_OPT_INT = 3,
    SL_OPT_BOOL = 4,
    SL_OPT_SECRET = 5, /* only a reference is accepted; never logged */
    SL_OPT_ENUM = 6,
    SL_OPT_URL = 7,
    SL_OPT_JSON = 8,   /* any JSON, checked by the connector */
    SL_OPT_LIST = 9,   /* a list of strings, as JSON */
    SL_OPT_AUTH = 10   /* credentials for the host's HTTP, as its auth types say; never given to the connector. Since 1.1 */
};

/* One option of a connector: the host checks settings against this table. Since 1.0. May grow at the end. */
struct sl_option {
    const char *name;
    uint32_t kind;     /* enum sl_option_kind */
    uint32_t required; /* 1: the config must have it */
    const char *fallback; /* the default, as text; NULL: none */
    const char *values;   /* ENUM: the allowed values, separated by '|' */
    const char *help;     /* one sentence */
};

#ifdef __cplusplus
}
#endif
#endif
