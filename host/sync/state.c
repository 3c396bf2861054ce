/* SPDX-License-Identifier: MIT */
/* state.c - keys and typed access to the rows of a pair's state. */
#include "sync/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const reasons[REASON_END] = {
    [REASON_CHANGED] = "changed on the other side",
    [REASON_NEW] = "new on the other side",
    [REASON_POLICY_A] = "both changed; side a wins by policy",
    [REASON_POLICY_B] = "both changed; side b wins by policy",
    [REASON_NEWEST] = "both changed; the newer edit wins",
    [REASON_NONEMPTY] = "both changed; the one that is not empty wins",
    [REASON_MERGE] = "both changed; merged element by element",
    [REASON_MIN] = "both changed; the smaller wins",
    [REASON_MAX] = "both changed; the larger wins",
    [REASON_GROUP] = "goes with its group",
    [REASON_REVERT] = "changed on the side that does not own it; reverted by policy",
    [REASON_DELETED] = "deleted on the other side",
    [REASON_EDIT_BEATS_DELETE] = "edited here while it was deleted there: the edit wins",
    [REASON_RECREATE] = "deleted there; created again by policy",
    [REASON_RESOLVED] = "decided by a person",
    [REASON_UNDO] = "taken back by undo",
    [REASON_REPAIR] = "differed; repaired by verify",
    [REASON_LEFT] = "left the filter",
    [REASON_FIRST] = "first match of the two records",
    [REASON_CONSTANT] = "a constant of the mapping",
    [REASON_LINKED] = "linked",
    [REASON_UNLINKED] = "unlinked",
    [REASON_EQUAL] = "already equal on both sides",
    [REASON_ADOPTED] = "found to be written by an earlier run",
};

const char *reason_text(int reason)
{
    return reason > 0 && reason < REASON_END ? reasons[reason] : "unknown";
}

/* Keys are made for every row: their 512 bytes are not set to zero first. */
static void key_add(struct row_key *k, const void *data, size_t size)
{
    memcpy(k->bytes + k->size, data, size);
    k->size += size;
}

static void key_add_number(struct row_key *k, uint64_t number)
{
    uint8_t big[8];
    for (int i = 0; i < 8; i++)
        big[i] = (uint8_t)(number >> (56 - 8 * i));
    key_add(k, big, sizeof big);
}

struct row_key key_number(uint64_t number)
{
    struct row_key k;
    k.size = 0;
    key_add_number(&k, number);
    return k;
}

struct row_key key_id(int side, const char *id)
{
    struct row_key k;
    size_t size = strlen(id);
    k.bytes[0] = (uint8_t)side;
    k.size = 1;
    if (size <= 200) {
        key_add(&k, id, size);
        return k;
    }
    struct hash128 hash = hash128(id, size);
    key_add(&k, id, 180); /* long ids keep their order as far as it shows; the hash tells them apart */
    key_add(&k, "\xff", 1);
    key_add(&k, hash.bytes, sizeof hash.bytes);
    return k;
}

struct row_key key_base(uint64_t link, int side)
{
    struct row_key k = key_number(link);
    key_add(&k, &(uint8_t){(uint8_t)side}, 1);
    return k;
}

struct row_key key_notes(uint64_t link)
{
    return key_base(link, 2);
}

struct row_key key_children(uint64_t link, unsigned child, int side)
{
    struct row_key k = key_number(link);
    key_add(&k, (uint8_t[]){(uint8_t)child, (uint8_t)side}, 2);
    return k;
}

struct row_key key_match(int side, unsigned rank, const struct hash128 *hash, uint64_t link)
{
    struct row_key k;
    k.bytes[0] = (uint8_t)side;
    k.bytes[1] = (uint8_t)rank;
    k.size = 2;
    key_add(&k, hash->bytes, sizeof hash->bytes);
    key_add_number(&k, link);
    return k;
}

struct row_key key_text(const char *text)
{
    struct row_key k;
    size_t size = strlen(text);
    k.size = 0;
    key_add(&k, text, size < 500 ? size : 500);
    return k;
}

struct slice key_slice(const struct row_key *k)
{
    return slice_of(k->bytes, k->size);
}

uint64_t key_to_number(struct slice key)
{
    const uint8_t *at = key.data;
    uint64_t number = 0;
    for (size_t i = 0; i < 8 && i < key.size; i++)
        number = number << 8 | at[i];
    return number;
}

struct hash128 link_key(const char *pair_identity, int side, const char *id, uint32_t generation)
{
    struct buf b = {0};
    put_text(&b, pair_identity);
    put_u8(&b, (uint8_t)side);
    put_text(&b, id);
    put_u64(&b, generation);
    struct hash128 key = hash128(b.data, b.size);
    buf_fini(&b);
    return key;
}

uint64_t version_hash(const char *version)
{
    if (!version || !*version)
        return 0;
    uint64_t hash = hash64(version, strlen(version));
    return hash ? hash : 1;
}

/* --- typed reads --- */

int state_link(struct store_snap *snap, uint64_t number, struct arena *a, struct link *out, struct err *e)
{
    struct row_key k = key_number(number);
    struct slice row;
    int rc = store_get(snap, DB_LINKS, key_slice(&k), &row);
    if (rc == STORE_OK && link_decode(row, number, a, out, e))
        return STORE_CORRUPT;
    return rc;
}

int state_id(struct store_snap *snap, int side, const char *id, struct id_row *out, struct err *e)
{
    struct row_key k = key_id(side, id);
    struct slice row;
    int rc = store_get(snap, DB_IDS, key_slice(&k), &row);
    if (rc == STORE_OK && id_decode(row, out, e))
        return STORE_CORRUPT;
    return rc;
}

int state_base(struct store_snap *snap, uint64_t link, int side, struct arena *a, struct sl_record **out, struct err *e)
{
    struct row_key k = key_base(link, side);
    struct slice row;
    *out = NULL;
    int rc = store_get(snap, DB_BASES, key_slice(&k), &row);
    if (rc == STORE_OK && !(*out = record_decode(a, row, e)))
        return STORE_CORRUPT;
    return rc;
}

int state_inbox(struct store_snap *snap, int side, const char *id, struct arena *a, struct inbox_row *out,
                struct err *e)
{
    struct row_key k = key_id(side, id);
    struct slice row;
    int rc = store_get(snap, DB_INBOX, key_slice(&k), &row);
    if (rc == STORE_OK && inbox_decode(row, a, out, NULL, e))
        return STORE_CORRUPT;
    return rc;
}

bool state_side_empty(struct store_snap *snap, int db, int s)
{
    struct store_row row;
    size_t n = 0;
    uint8_t from[1] = {(uint8_t)s}, below[1] = {(uint8_t)(s + 1)};
    store_scan(snap, db, slice_of(from, 1), slice_of(below, 1), false, 1, &row, &n);
    return n == 0;
}

int64_t meta_number(struct store_snap *snap, const char *key, int64_t fallback)
{
    struct arena a = {0};
    const char *text = meta_text(snap, key, &a);
    int64_t n = fallback;
    if (text)
        sscanf(text, "%" SCNd64, &n);
    arena_fini(&a);
    return n;
}

const char *meta_text(struct store_snap *snap, const char *key, struct arena *a)
{
    struct row_key k = key_text(key);
    struct slice row;
    if (store_get(snap, DB_META, key_slice(&k), &row) != STORE_OK)
        return NULL;
    return arena_dup(a, row.data, row.size);
}

struct counters state_counters(struct store_snap *snap)
{
    struct counters n = {.link = 1, .op = 1, .history = 1};
    struct arena a = {0};
    const char *text = meta_text(snap, "next", &a);
    if (text)
        sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNd64 " %" SCNd64, &n.link, &n.op, &n.history, &n.id[0],
               &n.id[1]);
    arena_fini(&a);
    return n;
}

/* --- typed writes --- */

void put_counters_row(struct store_batch *b, const struct counters *n)
{
    char text[128];
    snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64, n->link, n->op, n->history,
             n->id[0], n->id[1]);
    put_meta_text(b, "next", text);
}

static struct buf *fresh_row(struct store_batch *b)
{
    buf_clear(&b->row);
    return &b->row;
}

static void put_sealed(struct store_batch *b, int db, const struct row_key *k)
{
    batch_put(b, db, key_slice(k), slice_of(b->row.data, b->row.size));
}

void put_link_row(struct store_batch *b, const struct link *l)
{
    struct row_key k = key_number(l->number);
    link_encode(fresh_row(b), l);
    put_sealed(b, DB_LINKS, &k);
}

void put_id_row(struct store_batch *b, int side, const char *id, const struct id_row *r)
{
    struct row_key k = key_id(side, id);
    id_encode(fresh_row(b), r);
    put_sealed(b, DB_IDS, &k);
}

void put_base_row(struct store_batch *b, uint64_t link, int side, const struct sl_record *r)
{
    struct row_key k = key_base(link, side);
    record_encode(fresh_row(b), r);
    put_sealed(b, DB_BASES, &k);
}

void put_notes_row(struct store_batch *b, uint64_t link, const struct notes *n)
{
    struct row_key k = key_notes(link);
    notes_encode(fresh_row(b), n);
    put_sealed(b, DB_BASES, &k);
}

void del_base_rows(struct store_batch *b, uint64_t link)
{
    const struct row_key keys[] = {key_base(link, 0), key_base(link, 1), key_notes(link)};
    for (size_t i = 0; i < 3; i++)
        batch_del(b, DB_BASES, key_slice(&keys[i]));
}

void put_inbox_row(struct store_batch *b, int side, const char *id, const struct inbox_row *r)
{
    struct row_key k = key_id(side, id);
    inbox_encode(fresh_row(b), id, r);
    put_sealed(b, DB_INBOX, &k);
}

void put_intent_row(struct store_batch *b, const struct intent *i)
{
    struct row_key k = key_number(i->number);
    intent_encode(fresh_row(b), i);
    put_sealed(b, DB_INTENTS, &k);
}

void put_wait_row(struct store_batch *b, int db, const struct wait_row *w)
{
    struct row_key k = key_number(w->number);
    wait_encode(fresh_row(b), w);
    put_sealed(b, db, &k);
}

void put_history_row(struct store_batch *b, const struct history_row *h)
{
    struct row_key k = key_number(h->number);
    history_encode(fresh_row(b), h);
    put_sealed(b, DB_HISTORY, &k);
}

void put_meta_number(struct store_batch *b, const char *key, int64_t n)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, n);
    put_meta_text(b, key, text);
}

void put_meta_text(struct store_batch *b, const char *key, const char *text)
{
    struct row_key k = key_text(key);
    batch_put(b, DB_META, key_slice(&k), slice_of(text, strlen(text)));
}

void del_inbox_row(struct store_batch *b, int side, const char *id)
{
    struct row_key k = key_id(side, id);
    batch_del(b, DB_INBOX, key_slice(&k));
}

void del_number_row(struct store_batch *b, int db, uint64_t number)
{
    struct row_key k = key_number(number);
    batch_del(b, db, key_slice(&k));
}
