/* SPDX-License-Identifier: MIT */
/* store.h - a pair's state behind one small interface: snapshot, get, scan, one atomic fenced commit. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

/* The logical databases of a pair. Numbers are on disk: only add at the end. Keys are at most 500 bytes. */
enum store_db {
    DB_META = 1, /* text → row: format, fence, cursors, epochs, scope hashes, counters, approvals */
    DB_LINKS = 2, /* link number → who is whom */
    DB_IDS = 3, /* side, native id → link number, last seen version */
    DB_BASES = 4, /* link number, side → the record as that side stored it when both last agreed */
    DB_INBOX = 5, /* side, native id → a change seen and not yet reconciled */
    DB_INTENTS = 6, /* operation number → a write made durable before it is attempted */
    DB_KEYS = 7, /* side, rank, hash of a match key, link number → nothing: unlinked records by key */
    DB_CONFLICTS = 8, /* number → what waits for a person, and what one decided */
    DB_PARKED = 9, /* number → a record set aside with its reason */
    DB_HISTORY = 10, /* number → one write and why */
    DB_RUNS = 11, /* run ULID → its report */
    DB_CHILDREN = 12, /* link number, which children, side → they are to be looked at: the parent has changed there */
    DB_END = 13
};

enum { STORE_KEY_MAX = 500 }; /* bytes */

/* What a call answers; the text is in the err argument where there is one. */
enum store_rc {
    STORE_OK = 0,
    STORE_NOTFOUND = 1,
    STORE_EXISTS = 2, /* PUT_NEW or EXPECT did not hold: nothing was committed */
    STORE_FENCED = 3, /* somebody else owns the pair now: nothing was committed, stop at once */
    STORE_UNKNOWN = 4, /* the commit may or may not be durable: store_resolve tells */
    STORE_FULL = 5, /* no space: nothing was committed */
    STORE_BUSY = 6, /* owned by another process; the err names it */
    STORE_IO = 7, /* the storage failed: close, nothing more is certain */
    STORE_CORRUPT = 8,
    STORE_TOONEW = 9 /* written by a newer version */
};

enum store_op_kind {
    STORE_PUT = 1,
    STORE_PUT_NEW = 2, /* the key must be absent */
    STORE_DEL = 3, /* absent is fine */
    STORE_EXPECT = 4 /* the key must hold exactly value (size 0 and NULL: must be absent); writes nothing */
};

struct store_op {
    uint8_t kind; /* enum store_op_kind */
    uint8_t db; /* enum store_db */
    struct slice key;
    struct slice value;
};

struct store_row {
    struct slice key, value; /* borrowed from the snapshot */
};

/* Ownership of a pair, gained by acquire, carried by every commit. */
struct store_lease {
    uint64_t fence; /* grows with every acquire of the pair, for ever; 0: not held */
    int64_t deadline_boot_ms; /* 0: none (embedded) */
};

struct store;
struct store_snap;

/*
 * A driver. Thread rule: one thread a store. The functions below are the public face and check arguments, order and
 * limits before they call the driver; use them, not the table.
 */
struct store_driver {
    const char *name;
    int (*open)(void **self, const char *where, bool read_only, struct err *e);
    void (*close)(void *self);
    int (*acquire)(void *self, bool wait, struct store_lease *out, struct err *e);
    int (*release)(void *self, struct store_lease *lease);
    int (*snap)(void *self, void **snap, struct err *e);
    void (*snap_end)(void *snap);
    int (*get)(void *snap, int db, struct slice key, struct slice *value);
    int (*scan)(void *snap, int db, struct slice from, struct slice below, bool backward, size_t limit,
                struct store_row *rows, size_t *n_rows);
    int (*commit)(void *self, const struct store_lease *lease, const uint8_t txid[16], const struct store_op *ops,
                  size_t n_ops, struct err *e);
    int (*resolve)(void *self, const struct store_lease *lease, const uint8_t txid[16], bool *applied, struct err *e);
    int (*backup)(void *self, const char *to_folder, struct err *e);
};
extern const struct store_driver store_lmdb; /* where: the pair's folder, made if missing */
extern const struct store_driver store_mem; /* where: ignored; see store/mem.h for sharing data and faults */

/*
 * Opens a pair's state. Read-only opens need no lease, see the last commit of whoever owns the pair, and never create:
 * STORE_NOTFOUND when there is no state yet. Refuses state of a newer format (STORE_TOONEW, the sentence names both
 * versions) and damaged files (STORE_CORRUPT) without touching them. Out: *store, to be closed.
 */
int store_open(const struct store_driver *driver, const char *where, bool read_only, struct store **store,
               struct err *e);
void store_close(struct store *s); /* accepts NULL; releases the lease */

/* Takes ownership of the pair; without wait answers STORE_BUSY naming the holder's pid. Leaves the lease in the store. */
int store_acquire(struct store *s, bool wait, struct err *e);
void store_release(struct store *s);
uint64_t store_fence(const struct store *s);

/*
 * A consistent view. Short-lived: end it before any connector call and after about 1,000 rows. Rows and values are borrowed
 * until snap_end. Never hold one across a commit of the same store.
 */
int store_snap(struct store *s, struct store_snap **snap, struct err *e);
void store_snap_end(struct store_snap *snap); /* accepts NULL */
int store_get(struct store_snap *snap, int db, struct slice key, struct slice *value); /* OK or NOTFOUND */
/* Rows with from <= key < below in key order (below.size 0: to the end; backward: from the end down). */
int store_scan(struct store_snap *snap, int db, struct slice from, struct slice below, bool backward, size_t limit,
               struct store_row *rows, size_t *n_rows);

/*
 * Commits all operations or none, durably, under the lease (STORE_FENCED without one). Ops may stand in any order; two on one
 * key apply in the order given. The ops' bytes are borrowed during the call. An unknown outcome is resolved inside
 * where the driver can; else STORE_UNKNOWN.
 */
int store_commit(struct store *s, const struct store_op *ops, size_t n_ops, struct err *e);

/* After STORE_UNKNOWN: did the last commit happen? STORE_UNKNOWN again if that cannot be told yet. */
int store_resolve(struct store *s, bool *applied, struct err *e);
/* Writes a compact copy of the state into a folder that is not there yet: all of it or, on any error, no folder. */
int store_backup(struct store *s, const char *to_folder, struct err *e);
/* True for the rows of DB_META that belong to the store (format, fence, last_txid): scans show them, commits may not touch them. */
bool store_owns(int db, struct slice key);

/* A list of operations that owns its bytes. Zero-initialise; append freely; commit once. */
struct store_batch {
    struct arena arena;
    struct store_op *ops;
    size_t n_ops, room;
    struct buf row; /* where a row may be made before it is put */
};
void batch_put(struct store_batch *b, int db, struct slice key, struct slice value);
void batch_put_new(struct store_batch *b, int db, struct slice key, struct slice value);
void batch_del(struct store_batch *b, int db, struct slice key);
void batch_expect(struct store_batch *b, int db, struct slice key, struct slice value);
int batch_commit(struct store_batch *b, struct store *s,
                 struct err *e); /* empties the batch if OK; nothing to do: no commit */
void batch_clear(struct store_batch *b);
void batch_fini(struct store_batch *b);

const char *store_rc_name(int rc);

#endif
