/* SPDX-License-Identifier: MIT */
/* hooks.c - hints of webhooks that are durable and wait for the next run of their pair; and which deliveries have been taken in. */
#include "store/hooks.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "record/record.h"
#include "store/home.h"
#include "store/inside.h"

/*
 * DB_INBOX: hash of the pair, side, hash of the id → stamp, end, id. DB_KEYS: digest of a delivery → end. DB_RUNS: end, database, key →
 * nothing: what goes when. The end of a row is when it is dropped.
 */
enum {
    ROW_VERSION = 1,
    PAIR_BYTES = 16,
    HINT_BYTES = PAIR_BYTES + 1 + 16,
    END_BYTES = STORE_NUMBER_BYTES + 1,
    DROPPED = 1000
};
static const int64_t seen_ms = 24LL * 3600 * 1000, kept_ms = 7 * 24LL * 3600 * 1000;

struct hooks {
    char *where;
    struct store *store; /* NULL: not open */
    dev_t device; /* of the data file that is open */
    ino_t inode;
};

struct hint_row {
    uint64_t stamp;
    int64_t end_ms;
    const char *id;
};

/* --- the state, open where it is there --- */

struct hooks *hooks_open(const char *state_folder)
{
    struct hooks *h = mem_alloc(sizeof *h);
    struct buf where = {0};
    buf_printf(&where, "%s/hooks", state_folder);
    h->where = where.data;
    return h;
}

static void shut(struct hooks *h)
{
    store_close(h->store);
    h->store = NULL;
}

void hooks_close(struct hooks *h)
{
    if (!h)
        return;
    shut(h);
    mem_free(h->where);
    mem_free(h);
}

static bool look(const struct hooks *h, struct stat *st)
{
    struct buf path = {0};
    buf_printf(&path, "%s/" HOME_DATA, h->where);
    bool there = stat(path.data, st) == 0;
    buf_fini(&path);
    return there;
}

/* Sees to it that what is open is what is there; make: and that something is. */
static int reopen(struct hooks *h, bool make, struct err *e)
{
    struct stat st = {0};
    bool there = look(h, &st);
    if (h->store && (!there || st.st_dev != h->device || st.st_ino != h->inode))
        shut(h);
    if (h->store || (!there && !make))
        return 0;
    if (store_open(&store_lmdb, h->where, false, &h->store, e) != STORE_OK)
        return e->code;
    if (look(h, &st)) {
        h->device = st.st_dev;
        h->inode = st.st_ino;
    }
    return 0;
}

/* What a store said, as a code; after an error nothing that is open is trusted any more. */
static int answer(struct hooks *h, int rc, struct err *e)
{
    if (rc == STORE_OK || rc == STORE_NOTFOUND)
        return e->code;
    if (!e->code)
        store_refuse(rc, h->where, "reading what waits", e);
    shut(h);
    return e->code;
}

/* --- rows --- */

static size_t hint_key(uint8_t out[HINT_BYTES], const char *pair, int side, const char *id)
{
    struct hash128 p = hash128(pair, strlen(pair)), i = hash128(id, strlen(id));
    memcpy(out, p.bytes, PAIR_BYTES);
    out[PAIR_BYTES] = (uint8_t)side;
    memcpy(out + PAIR_BYTES + 1, i.bytes, sizeof i.bytes);
    return HINT_BYTES;
}

static void put_hint(struct store_batch *b, struct slice key, const struct hint_row *row)
{
    buf_clear(&b->row);
    put_u8(&b->row, ROW_VERSION);
    put_u64(&b->row, row->stamp);
    put_i64(&b->row, row->end_ms);
    put_text(&b->row, row->id);
    row_seal(&b->row, 0);
    batch_put(b, DB_INBOX, key, slice_of(b->row.data, b->row.size));
}

static int get_hint(struct slice bytes, struct arena *a, struct hint_row *row, struct err *e)
{
    struct reader r;
    uint8_t version = 0;
    if (row_open(bytes, ROW_VERSION, &r, &version, "the hints that wait", e))
        return e->code;
    row->stamp = get_u64(&r);
    row->end_ms = get_i64(&r);
    row->id = get_text(&r, a);
    return 0;
}

static struct slice end_key(uint8_t out[STORE_KEY_MAX], int64_t end_ms, int db, struct slice key)
{
    number_put(out, (uint64_t)end_ms);
    out[STORE_NUMBER_BYTES] = (uint8_t)db;
    memcpy(out + END_BYTES, key.data, key.size);
    return slice_of(out, END_BYTES + key.size);
}

static void put_end(struct store_batch *b, int64_t end_ms, int db, struct slice key)
{
    uint8_t bytes[STORE_KEY_MAX];
    batch_put(b, DB_RUNS, end_key(bytes, end_ms, db, key), slice_of("", 1));
}

static void del_end(struct store_batch *b, int64_t end_ms, int db, struct slice key)
{
    uint8_t bytes[STORE_KEY_MAX];
    batch_del(b, DB_RUNS, end_key(bytes, end_ms, db, key));
}

static int64_t delivery_end(struct store_snap *snap, struct hash128 delivery)
{
    struct slice row;
    uint64_t end = 0;
    int rc = store_get(snap, DB_KEYS, slice_of(delivery.bytes, sizeof delivery.bytes), &row);
    return rc == STORE_OK && number_get(row, &end) ? (int64_t)end : 0;
}

/* --- taking in --- */

int hooks_seen(struct hooks *h, struct hash128 delivery, int64_t now_ms, bool *seen, struct err *e)
{
    struct store_snap *snap = NULL;
    *seen = false;
    if (reopen(h, false, e) || !h->store)
        return e->code;
    int rc = store_snap(h->store, &snap, e);
    *seen = rc == STORE_OK && now_ms < delivery_end(snap, delivery);
    store_snap_end(snap);
    return answer(h, rc, e);
}

/* Some of what has come to its end. */
static int drop_ended(struct store_snap *snap, struct store_batch *b, int64_t now_ms)
{
    struct store_row rows[DROPPED];
    uint8_t below[STORE_NUMBER_BYTES];
    size_t n = 0;
    number_put(below, (uint64_t)now_ms);
    int rc = store_scan(snap, DB_RUNS, slice_of(NULL, 0), slice_of(below, sizeof below), false, DROPPED, rows, &n);
    for (size_t i = 0; i < n; i++) {
        const uint8_t *key = rows[i].key.data;
        if (rows[i].key.size > END_BYTES)
            batch_del(b, key[STORE_NUMBER_BYTES], slice_of(key + END_BYTES, rows[i].key.size - END_BYTES));
        batch_del(b, DB_RUNS, rows[i].key);
    }
    return rc;
}

/* A row that cannot be read is replaced like any other: its record is to be looked at, whatever it said. */
static void add_hint(struct store_snap *snap, struct store_batch *b, const struct hook_hint *hint,
                     const struct hint_row *row)
{
    uint8_t bytes[HINT_BYTES];
    struct slice key = slice_of(bytes, hint_key(bytes, hint->pair, hint->side, hint->id)), old;
    struct hint_row before = {0};
    struct err unread = {0};
    if (store_get(snap, DB_INBOX, key, &old) == STORE_OK && get_hint(old, &b->arena, &before, &unread) == 0)
        del_end(b, before.end_ms, DB_INBOX, key);
    put_hint(b, key, row);
    put_end(b, row->end_ms, DB_INBOX, key);
}

static void add_delivery(struct store_snap *snap, struct store_batch *b, const struct hash128 *delivery, int64_t end_ms)
{
    struct slice key = slice_of(delivery->bytes, sizeof delivery->bytes);
    uint8_t end[STORE_NUMBER_BYTES];
    int64_t before = delivery_end(snap, *delivery);
    if (before)
        del_end(b, before, DB_KEYS, key);
    number_put(end, (uint64_t)end_ms);
    batch_put(b, DB_KEYS, key, slice_of(end, sizeof end));
    put_end(b, end_ms, DB_KEYS, key);
}

int hooks_put(struct hooks *h, const struct hook_hint *hints, size_t n_hints, const struct hash128 *deliveries,
              size_t n_deliveries, int64_t now_ms, struct err *e)
{
    struct store_snap *snap = NULL;
    struct store_batch b = {0};
    if (n_hints + n_deliveries == 0 || reopen(h, true, e))
        return e->code;
    int rc = store_acquire(h->store, true, e);
    if (rc == STORE_OK)
        rc = store_snap(h->store, &snap, e);
    if (rc == STORE_OK)
        rc = drop_ended(snap, &b, now_ms);
    /* every commit is under a fence of its own, which grows for ever: what a stamp needs to be */
    for (size_t i = 0; i < n_hints && rc == STORE_OK; i++)
        add_hint(snap, &b, &hints[i], &(struct hint_row){store_fence(h->store), now_ms + kept_ms, hints[i].id});
    for (size_t i = 0; i < n_deliveries && rc == STORE_OK; i++)
        add_delivery(snap, &b, &deliveries[i], now_ms + seen_ms);
    store_snap_end(snap);
    if (rc == STORE_OK)
        rc = batch_commit(&b, h->store, e);
    store_release(h->store);
    batch_fini(&b);
    return answer(h, rc, e);
}

/* --- giving out --- */

/* What cannot be read is passed over: the poll finds what it named, and its end comes. */
static void take_hints(const struct store_row *found, size_t n_found, struct arena *a, struct hook_waiting *rows,
                       size_t *n)
{
    for (size_t i = 0; i < n_found; i++) {
        struct hint_row row = {0};
        struct err unread = {0};
        if (found[i].key.size == HINT_BYTES && get_hint(found[i].value, a, &row, &unread) == 0 && row.id)
            rows[(*n)++] = (struct hook_waiting){((const uint8_t *)found[i].key.data)[PAIR_BYTES], row.id, row.stamp};
    }
}

int hooks_waiting(struct hooks *h, const char *pair, struct arena *a, struct hook_waiting *rows, size_t room, size_t *n,
                  struct err *e)
{
    struct store_snap *snap = NULL;
    size_t n_found = 0;
    *n = 0;
    if (reopen(h, false, e) || !h->store)
        return e->code;
    struct hash128 name = hash128(pair, strlen(pair));
    uint8_t below[PAIR_BYTES + 1];
    memcpy(below, name.bytes, PAIR_BYTES);
    below[PAIR_BYTES] = 2; /* behind both sides */
    struct store_row *found = arena_alloc(a, (room + 1) * sizeof *found);
    int rc = store_snap(h->store, &snap, e);
    if (rc == STORE_OK)
        rc = store_scan(snap, DB_INBOX, slice_of(name.bytes, PAIR_BYTES), slice_of(below, sizeof below), false, room,
                        found, &n_found);
    if (rc == STORE_OK)
        take_hints(found, n_found, a, rows, n);
    store_snap_end(snap);
    return answer(h, rc, e);
}

static void remove_taken(struct store_snap *snap, struct store_batch *b, const char *pair, const struct hook_waiting *w)
{
    uint8_t bytes[HINT_BYTES];
    struct slice key = slice_of(bytes, hint_key(bytes, pair, w->side, w->id)), value;
    struct hint_row row = {0};
    struct err unread = {0};
    if (store_get(snap, DB_INBOX, key, &value) != STORE_OK || get_hint(value, &b->arena, &row, &unread) ||
        row.stamp != w->stamp)
        return;
    batch_del(b, DB_INBOX, key);
    del_end(b, row.end_ms, DB_INBOX, key);
}

int hooks_taken(struct hooks *h, const char *pair, const struct hook_waiting *rows, size_t n, struct err *e)
{
    struct store_snap *snap = NULL;
    struct store_batch b = {0};
    if (n == 0 || reopen(h, false, e) || !h->store)
        return e->code;
    int rc = store_acquire(h->store, true, e);
    if (rc == STORE_OK)
        rc = store_snap(h->store, &snap, e);
    for (size_t i = 0; i < n && rc == STORE_OK; i++)
        remove_taken(snap, &b, pair, &rows[i]);
    store_snap_end(snap);
    if (rc == STORE_OK)
        rc = batch_commit(&b, h->store, e);
    store_release(h->store);
    batch_fini(&b);
    return answer(h, rc, e);
}
