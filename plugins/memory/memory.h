/* SPDX-License-Identifier: MIT */
/* memory.h - a connector that holds its records in memory and fails as it is told: what tests of the engine drive. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>

#include <syncline/syncline.h>

enum { MEMORY_RECORDS = 96, MEMORY_FIELDS = 8, MEMORY_TEXT = 96, MEMORY_ID = 48, MEMORY_LATE = 16 };

/* One field; the type is told by how the text is written, see memory_put. */
struct memory_field {
    char name[24];
    char text[MEMORY_TEXT];
};

/* What a record holds at one time. */
struct memory_content {
    struct memory_field fields[MEMORY_FIELDS]; /* by name */
    uint32_t n_fields;
    uint64_t version;
    int64_t modified_ms;
};

struct memory_record {
    char id[MEMORY_ID];
    char correlation[40];
    char idempotency[32];
    char parent[MEMORY_ID]; /* of a comment */
    char successor[MEMORY_ID]; /* gone: merged into this one; "": not */
    int64_t created_ms;
    uint64_t sequence; /* of its last change: where a delta finds it */
    bool gone;
    struct memory_content now, before; /* before: what a stale read shows */
};

/* A write whose request is still under way. */
struct memory_late {
    bool used;
    int64_t at_ms;
    uint32_t kind;
    char id[MEMORY_ID], parent[MEMORY_ID], correlation[40], idempotency[32], version[24];
    struct memory_content content;
};

/*
 * A system in memory. Plain data: a copy of the struct is a copy of the system. Zero is a system that behaves well and can do
 * nothing more than list, read and write; the knobs are for the test that owns it.
 */
struct memory_world {
    struct memory_record records[MEMORY_RECORDS];
    uint32_t n_records;
    uint64_t sequence, n_created;
    int64_t now_ms; /* the system's clock, moved by the test */
    struct memory_late late[MEMORY_LATE];

    /* what it can do */
    int conditional; /* honours expected versions */
    int reserved_ids; /* tier T1: takes the host's ids */
    int idempotent; /* tier T1: knows a repeated key */
    int key_life_s; /* for so long; 0: a day */
    int correlates; /* tier T2: finds a record by its correlation key */
    int integer_ids; /* with reserved_ids: positive integers */
    char schema[64]; /* "title,own!": has these fields and no others, ! may not be written; "": any */
    struct memory_world
        *parents; /* its records are comments on this one's, whose object is "records"; NULL: they stand alone */
    int no_author; /* comments are the host's own words: the author cannot be set */
    int fixed; /* what is there cannot be changed */
    int no_get;
    int stubs; /* lists id and version only */
    int delta; /* lists changes since a cursor */
    int delete_feed; /* a delta names what was deleted */
    int versionless; /* tells no versions */
    int timeless; /* tells no modification times */
    int by_time; /* a delta's cursor is a time, and what was changed at that very time comes again */
    int granular_ms; /* tells times rounded down to this; 0: exactly */
    int skew_ms; /* its clock is ahead (behind: below zero) by this */
    int page_size; /* items to a page; 0: all in one */
    uint32_t shuffle; /* lists in an order of this seed; 0: as created */

    /* what it does to values */
    int trims, lowers, truncates; /* truncates: to so many bytes; 0: not */
    int escapes; /* stores & as &amp; */
    int rounds; /* integers down to a multiple of this; 0: not */
    char drops[24]; /* silently ignores writes to this field */

    /* what goes wrong; a countdown strikes at that step from now on, 1 the next; 0: never */
    int die_in; /* at this step (a call, or a write carried out) it is as if the host was killed */
    int lose_reply_in; /* this write is carried out and answered UNCERTAIN */
    int lose_request_in; /* this write is not carried out and answered UNCERTAIN */
    int delay_in; /* this write is answered UNCERTAIN and carried out late_ms after */
    int rate_in; /* this write is refused with SL_RATE */
    int half_in; /* of this batch only the first half is carried out and told */
    int break_in; /* this batch is carried out, and the call fails before any of it is told */
    int omit_in; /* this write is carried out and not told */
    int reject_in; /* this write is refused, its data is wrong */
    int fail_in; /* this call is refused with fail_class */
    int fail_class; /* enum sl_class, or one nobody knows */
    int garble_in; /* this call ends well without what it has to tell */
    int expire_in; /* the cursor of this listing is not known any more */
    int loop_in; /* from this listing on two pages name each other as the next */
    int repeats, skips; /* rows come twice, are left out, where a page ends */
    int shifts; /* every page is cut from another order */
    int reorders; /* the outcomes of a batch are told from the last to the first */
    int reads_back; /* outcomes show the record as read after the write */
    int hides; /* so many of a hundred records may not be seen, as if they were deleted */
    int list_empty; /* lists nothing and calls that complete */
    int list_half; /* leaves the second half out of a listing and calls that complete */
    int answers_nothing; /* tells APPLIED without the record */
    char kills[MEMORY_ID], kills_reader[MEMORY_ID]; /* a write, a read of the record of this id kills the connector */
    int kills_late; /* the write is carried out first */
    void (*killed)(void *host_ctx); /* so that the host notes it */
    char reject[MEMORY_ID], unreadable[MEMORY_ID]; /* refuses writes of, cannot read, the record of this id */
    char epoch[16];
    uint32_t late_ms, index_lag_ms, stale_ms;
    uint32_t batch_max;
    uint32_t timeline; /* another one after the collection was restored: cursors of the former are not known */

    bool dead; /* every call fails, nothing is carried out */
    bool *off; /* set with the death; a call after it was set counts in n_after_death; NULL: none */
    void (*step)(struct memory_world *w,
                 void *self); /* before every step: the world changes under the host; NULL: none */
    void *step_self;

    /* what happened */
    uint64_t n_steps, n_calls, n_writes, n_creates, n_deletes, n_after_death;
};

/* Sessions opened with the setting `name` work on this world from now on (NULL: on an empty one of their own). */
void memory_share(const char *name, struct memory_world *w);

/*
 * A person's edit: creates the record or changes the named fields. fields: "title=Hello;n=#5;tags=[\"x\"];owner=~", where ~ is
 * NULL, # an integer and [ or { JSON; anything else is text. "-title" takes the field away.
 */
void memory_put(struct memory_world *w, const char *id, const char *fields);
/* A comment on a record of w->parents, which is news of that too. */
void memory_comment(struct memory_world *w, const char *id, const char *parent, const char *fields);
void memory_remove(struct memory_world *w, const char *id);
/* The system's own doing: the record is merged into another one. */
void memory_merge(struct memory_world *w, const char *id, const char *into);
/* No fault is left under way; what the system is and does to values stays. */
void memory_heal(struct memory_world *w);
struct memory_record *memory_find(struct memory_world *w, const char *id); /* NULL: not there, or deleted */
const char *memory_field(const struct memory_record *r, const char *name); /* its text as written; NULL: absent */
/* Moves the clock; requests under way arrive. */
void memory_clock(struct memory_world *w, int64_t now_ms);

#endif
