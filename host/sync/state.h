/* SPDX-License-Identifier: MIT */
/* state.h - the rows of a pair's state as structs, and the keys they are found by. */
#ifndef SYNC_STATE_H
#define SYNC_STATE_H

#include <stdbool.h>

#include "base/text.h"
#include "record/record.h"
#include "store/store.h"

enum { STATE_FORMAT = 1 };

/* Where a link is in its life. */
enum link_state {
    LINK_HALF = 1, /* a record of one side without a partner */
    LINK_LIVE = 2, /* a record of each side, kept in step */
    LINK_UNLINKED = 3, /* by policy or command: remembered, so that it is never created or matched again */
    LINK_UNDONE = 4, /* a create taken back: likewise */
    LINK_PENDING = 5 /* a create for the missing side is on its way (an intent is open) */
};

/* Marks on a link; those in LINK_MARK_SEEN are repeated in the id rows, so that a listing can count by them. */
enum link_mark {
    MARK_OUT_A = 1 << 0, /* side a's record is outside the filter */
    MARK_OUT_B = 1 << 1,
    MARK_PARKED = 1 << 2,
    MARK_CONFLICT = 1 << 3,
    MARK_GONE_A = 1 << 4, /* seen to be gone on side a and left so (withheld or ignored) */
    MARK_GONE_B = 1 << 5,
    MARK_WITHHELD = 1 << 6,
    MARK_TAKEN = 1 << 7, /* the id reserved first was somebody else's: take another */
    MARK_ALONE = 1 << 8, /* a first run that only matches found no partner: never created on the other side */
    MARK_ASIDE = 1 << 9, /* an edit was seen and left where it is: a side may hold what its base does not */
    MARK_LEFT_A = 1 << 10, /* side a's record is not where the changed connection leads: absent, not deleted */
    MARK_LEFT_B = 1 << 11,
    MARK_DOUBT =
        1 << 12 /* it may have a partner that an older state has forgotten: a person says whether to create it */
};
#define MARK_OUT(s) ((uint32_t)MARK_OUT_A << (s))
#define MARK_GONE(s) ((uint32_t)MARK_GONE_A << (s))
#define MARK_LEFT(s) ((uint32_t)MARK_LEFT_A << (s))
#define MARKS_OUTSIDE ((uint32_t)(MARK_OUT_A | MARK_OUT_B | MARK_LEFT_A | MARK_LEFT_B))

struct link {
    uint64_t number;
    struct hash128 key; /* the correlation key: hash of (pair, source side, source id, generation) */
    uint32_t generation;
    uint8_t origin; /* the side whose record the key was made from */
    uint8_t state; /* enum link_state */
    uint32_t marks; /* enum link_mark */
    const char *id[2]; /* NULL: none */
    int64_t created_ms[2]; /* as the systems say; tells a reused id */
    uint64_t open_op; /* the one outstanding operation, 0: none */
    int64_t settled_ms; /* our last write; a read older than that is deferred */
};

/* What was last seen of an id: enough to tell an unchanged record without reading anything else. */
struct id_row {
    uint64_t link;
    uint64_t version; /* hash of the version, 0: unknown */
    uint64_t content; /* digest of the fields, 0: unknown */
    uint32_t marks;
};

enum inbox_kind {
    INBOX_HINT = 1, /* read it */
    INBOX_RECORD = 2, /* read, here it is */
    INBOX_GONE = 3, /* the system said it is deleted, or answered so when asked */
    INBOX_ABSENT = 4, /* not in a complete listing: to be confirmed */
    INBOX_UNREADABLE = 5
};

struct inbox_row {
    uint8_t kind; /* enum inbox_kind */
    const struct sl_record *record;
    const char *version; /* HINT, UNREADABLE: as listed */
    const char *message; /* UNREADABLE */
    const char *successor; /* GONE: merged into */
    uint8_t error_class;
};

enum op_state { OP_PLANNED = 1, OP_UNKNOWN = 2 };

/* One field of an intended write, with all that history and the base will need. */
struct field_change {
    const char *name; /* on the written side */
    const char *source; /* on the other side; NULL: computed or constant */
    struct sl_value before, after; /* on the written side */
    struct sl_value origin; /* the source side's value, its new base */
    struct sl_value lost; /* the losing value of a conflict; ABSENT: none */
    uint8_t reason; /* enum reason */
    bool keeps_bases; /* half of a merge: both bases stay until the other side has it too */
};

/* A write made durable before it is attempted. */
struct intent {
    uint64_t number;
    char ulid[27];
    uint64_t link;
    uint8_t side;
    uint8_t kind; /* enum sl_write_kind */
    uint8_t state; /* enum op_state */
    uint8_t reason; /* enum reason: why the whole record is written */
    uint32_t attempts;
    const char *id; /* the id to create under, or the record's */
    const char *expected_version;
    const char *run;
    int64_t settle_until_ms;
    const struct sl_record *before; /* UPDATE, DELETE, ARCHIVE: the record as read before */
    const struct sl_record *source; /* the other side's record this came from; NULL for a delete */
    struct field_change *changes;
    size_t n_changes;
};

enum wait_kind {
    WAIT_CONFLICT = 1,
    WAIT_DRIFT,
    WAIT_AMBIGUOUS,
    WAIT_PARKED,
    WAIT_UNCERTAIN,
    WAIT_WITHHELD,
    WAIT_REVIEW
};

/* What waits for a person: a conflict on a field, or a parked record. */
struct wait_row {
    uint64_t number;
    uint8_t kind; /* enum wait_kind */
    uint64_t link;
    uint8_t side; /* PARKED: the side whose record it is */
    const char *id[2];
    const char *label;
    const char *field[2]; /* conflict */
    struct sl_value base[2], value[2];
    const char *reason; /* one line: what is wrong and what to do */
    int64_t since_ms;
    uint32_t attempts;
    const char *run;
    const char *version; /* PARKED: of the source when parked */
};

/* One line of history: one field of one write (or a whole-record event). */
struct history_row {
    uint64_t number;
    const char *run;
    int64_t at_ms;
    uint64_t link;
    uint8_t side;
    uint8_t kind; /* enum sl_write_kind, 0: no write (a decision) */
    uint8_t reason; /* enum reason */
    const char *id[2];
    const char *label;
    const char *op; /* the operation's ULID */
    struct field_change *changes;
    size_t n_changes;
    struct sl_value *bases; /* 2 a change: both bases at the time of decision; may be NULL */
    const struct sl_record *kept; /* DELETE, ARCHIVE: the whole record as it was */
};

/* What one field of a link did lately. */
enum { NOTE_VALUES = 3 };
struct note {
    uint32_t field; /* hash of its names */
    uint8_t returns; /* writes that went back to an earlier value, since since_ms */
    uint8_t ignored[2]; /* writes of side s in a row that were taken and not stored */
    int64_t since_ms;
    uint64_t values[NOTE_VALUES]; /* hashes of the last values written, newest first; 0: none */
};
/* Of a link; what was learned under another config counts no more. */
struct notes {
    uint64_t config;
    struct note *list;
    size_t n;
};

/* Why something is written or waits; texts in reason_text. */
enum reason {
    REASON_CHANGED = 1,
    REASON_NEW,
    REASON_POLICY_A,
    REASON_POLICY_B,
    REASON_NEWEST,
    REASON_NONEMPTY,
    REASON_MERGE,
    REASON_MIN,
    REASON_MAX,
    REASON_GROUP,
    REASON_REVERT,
    REASON_DELETED,
    REASON_EDIT_BEATS_DELETE,
    REASON_RECREATE,
    REASON_RESOLVED,
    REASON_UNDO,
    REASON_REPAIR,
    REASON_LEFT,
    REASON_FIRST,
    REASON_CONSTANT,
    REASON_LINKED,
    REASON_UNLINKED,
    REASON_EQUAL,
    REASON_ADOPTED,
    REASON_END
};
const char *reason_text(int reason);

/* Keys. The buffer is the caller's; ids over 200 bytes are hashed. */
struct row_key {
    uint8_t bytes[512];
    size_t size;
};
struct row_key key_number(uint64_t number);
struct row_key key_id(int side, const char *id);
struct row_key key_base(uint64_t link, int side);
struct row_key key_notes(uint64_t link); /* stands behind the link's bases */
struct row_key key_children(uint64_t link, unsigned child, int side);
struct row_key key_match(int side, unsigned rank, const struct hash128 *hash,
                         uint64_t link); /* link 0: the prefix's start */
struct row_key key_text(const char *text);
struct slice key_slice(const struct row_key *k);
uint64_t key_to_number(struct slice key);

/* Encoding appends a sealed row; decoding needs an arena and answers ERR_STATE on damage. */
void link_encode(struct buf *out, const struct link *l);
int link_decode(struct slice row, uint64_t number, struct arena *a, struct link *out, struct err *e);
void id_encode(struct buf *out, const struct id_row *r);
int id_decode(struct slice row, struct id_row *out, struct err *e);
void inbox_encode(struct buf *out, const char *id, const struct inbox_row *r);
int inbox_decode(struct slice row, struct arena *a, struct inbox_row *out, const char **id, struct err *e);
int inbox_decode_id(struct slice row, struct arena *a, const char **id, struct err *e); /* whose row it is */
void intent_encode(struct buf *out, const struct intent *i);
int intent_decode(struct slice row, uint64_t number, struct arena *a, struct intent *out, struct err *e);
void wait_encode(struct buf *out, const struct wait_row *w);
int wait_decode(struct slice row, uint64_t number, struct arena *a, struct wait_row *out, struct err *e);
void history_encode(struct buf *out, const struct history_row *h);
int history_decode(struct slice row, uint64_t number, struct arena *a, struct history_row *out, struct err *e);
void notes_encode(struct buf *out, const struct notes *n);
int notes_decode(struct slice row, struct arena *a, struct notes *out, struct err *e);

/* Typed reads; NOTFOUND and OK are not errors. */
int state_link(struct store_snap *snap, uint64_t number, struct arena *a, struct link *out, struct err *e);
int state_id(struct store_snap *snap, int side, const char *id, struct id_row *out, struct err *e);
int state_base(struct store_snap *snap, uint64_t link, int side, struct arena *a, struct sl_record **out,
               struct err *e);
int state_inbox(struct store_snap *snap, int side, const char *id, struct arena *a, struct inbox_row *out,
                struct err *e);
/* Has side s no row there? For databases whose keys begin with a side. */
bool state_side_empty(struct store_snap *snap, int db, int s);
/* Meta rows are plain text or numbers under a text key. */
int64_t meta_number(struct store_snap *snap, const char *key, int64_t fallback);
const char *meta_text(struct store_snap *snap, const char *key, struct arena *a);

/* The next free number of everything that is numbered; one row, which travels with whatever used a number up. */
struct counters {
    uint64_t link, op, history;
    int64_t id[2]; /* integer ids reserved on a side */
};
struct counters state_counters(struct store_snap *snap);
void put_counters_row(struct store_batch *b, const struct counters *n);

/* Typed writes into a batch. */
void put_link_row(struct store_batch *b, const struct link *l);
void put_id_row(struct store_batch *b, int side, const char *id, const struct id_row *r);
void put_base_row(struct store_batch *b, uint64_t link, int side, const struct sl_record *r);
void put_notes_row(struct store_batch *b, uint64_t link, const struct notes *n);
void del_base_rows(struct store_batch *b, uint64_t link); /* both bases and the notes */
void put_inbox_row(struct store_batch *b, int side, const char *id, const struct inbox_row *r);
void put_intent_row(struct store_batch *b, const struct intent *i);
void put_wait_row(struct store_batch *b, int db, const struct wait_row *w);
void put_history_row(struct store_batch *b, const struct history_row *h);
void put_meta_number(struct store_batch *b, const char *key, int64_t n);
void put_meta_text(struct store_batch *b, const char *key, const char *text);
void del_inbox_row(struct store_batch *b, int side, const char *id);
void del_number_row(struct store_batch *b, int db, uint64_t number);

struct hash128 link_key(const char *pair_identity, int side, const char *id, uint32_t generation);
uint64_t version_hash(const char *version); /* 0 for NULL and "" */

#endif
