/* SPDX-License-Identifier: MIT */
/* record.h - records and what a pull, a get or a find says about them. */
#ifndef SYNCLINE_RECORD_H
#define SYNCLINE_RECORD_H

#include "value.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What went wrong, named by the host's next move. A call returns SL_OK or one of these; a write
 * that was not applied carries one. Since 1.0. New classes are added at the end; the host
 * treats one it does not know as SL_RETRY.
 */
enum sl_class {
    SL_OK = 0,
    SL_REJECTED = 1,    /* the data is at fault: this record is parked, others go on */
    SL_CONFLICT = 2,    /* the record is not as expected any more: read again, plan again */
    SL_GONE = 3,        /* the record, or for a call the whole object, is not there */
    SL_AUTH = 4,        /* credentials refused or insufficient: the connection stops until a person acts */
    SL_RATE = 5,        /* not carried out, too many requests: later */
    SL_RETRY = 6,       /* not carried out, a passing fault: later */
    SL_CONFIG = 7,      /* the settings are at fault: a person must change the config */
    SL_UNSUPPORTED = 8, /* this connector cannot do that */
    SL_EXISTS = 9,      /* create: another record holds that id */
    SL_BUSY = 10,       /* another program holds a lock: later */
    SL_BROKEN = 11      /* the connector or the remote broke its own rules; the message says how */
};

/*
 * One record as its system holds it.
 * Ownership: as struct sl_value. Since 1.0. May grow at the end: where an array of records
 * crosses, it carries its item size.
 */
struct sl_record {
    uint32_t size;              /* sizeof(struct sl_record) */
    uint32_t modified_grain_ms; /* granularity of modified_ms; 0: unknown */
    const char *id;             /* native id, 1 to 1024 bytes of UTF-8 */
    const char *version;        /* opaque: changes whenever the record does; NULL or "": unknown, always read again */
    int64_t modified_ms;        /* last change by the system's clock, ms since 1970 UTC; 0: unknown */
    int64_t created_ms;         /* creation, likewise; 0: unknown. Tells a reused id from the old record */
    const char *label;          /* a few words a person knows the record by; NULL: the host picks a field */
    const char *parent_id;      /* for an object of children (comments): the parent's id; else NULL */
    const char *correlation;    /* the correlation key found in the record; NULL: none */
    const struct sl_value *fields;
    uint32_t n_fields;
    uint32_t field_size; /* sizeof(struct sl_value) */
};

/* The kinds of what a pull, get or find emits. Since 1.0. */
enum sl_item_kind {
    SL_ITEM_RECORD = 1,     /* a whole record */
    SL_ITEM_STUB = 2,       /* id and version only: the host gets the record if it does not know that version */
    SL_ITEM_TOMBSTONE = 3,  /* the record is deleted (pull) or not there (get) */
    SL_ITEM_HINT = 4,       /* something happened to this id: the host reads it */
    SL_ITEM_UNREADABLE = 5  /* the record is there and cannot be read: parked, counts as present */
};

/* One emitted item. Ownership: as struct sl_value. Since 1.0. May grow at the end. */
struct sl_item {
    uint32_t size; /* sizeof(struct sl_item) */
    uint32_t kind; /* enum sl_item_kind */
    const char *id;
    const char *version;            /* STUB, UNREADABLE; NULL or "": unknown */
    const struct sl_record *record; /* RECORD */
    const char *successor_id;       /* TOMBSTONE: the record it was merged into; NULL: none known */
    uint32_t error_class;           /* UNREADABLE: enum sl_class */
    const char *message;            /* UNREADABLE: one line, what is wrong and what to do; never a secret */
    const char *object;             /* HINT of a webhook: the object that the id is in; NULL: not told. Since 1.1 */
};

/* How a page of a pull ends. Since 1.0. */
enum sl_page_kind {
    SL_PAGE_MORE = 1,    /* call pull again with this cursor at once */
    SL_PAGE_DONE = 2,    /* all changes since the given cursor were emitted; next time begin at this cursor */
    SL_PAGE_COMPLETE = 3 /* the whole collection was listed since the pull that began without a cursor */
};

/* The end of a page; emitted once a pull, last. Ownership: copied. Since 1.0. May grow at the end. */
struct sl_page {
    uint32_t size; /* sizeof(struct sl_page) */
    uint32_t kind; /* enum sl_page_kind */
    const char *cursor; /* opaque to the host, at most 64 KiB; NULL or "": none, the next pull lists all again */
    const char *epoch;  /* changes when the collection was rebuilt or restored (ids mean something else); NULL: unknown */
};

#ifdef __cplusplus
}
#endif
#endif
