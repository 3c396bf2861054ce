/* SPDX-License-Identifier: MIT */
/* store.c - the public face of a pair's state: arguments, limits, order and ownership, then the driver. */
#include "store/store.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "store/inside.h"

enum { VALUE_MAX_BYTES = 1 << 30, OPS_MIN = 32 };

struct store {
    const struct store_driver *driver;
    void *self;
    bool read_only;
    struct store_lease lease;
    size_t n_snaps;
    /* Unique over the pair's life: the first half is random for each open store, the second counts its commits. */
    uint8_t txid[STORE_TXID_BYTES];
    uint64_t n_commits;
    /* Two halves of the space in which commits are put in order. */
    struct store_op *ops;
    size_t room;
};

struct store_snap {
    struct store *store;
    void *inner;
};

#define TEXT(name)                                                                                                     \
    {                                                                                                                  \
        name, sizeof(name) - 1                                                                                         \
    }
const struct slice store_key_format = TEXT("format");
const struct slice store_key_fence = TEXT("fence");
const struct slice store_key_last_txid = TEXT("last_txid");

const char *const store_db_names[DB_END] = {
    [DB_META] = "meta",     [DB_LINKS] = "links",     [DB_IDS] = "ids",   [DB_BASES] = "bases",
    [DB_INBOX] = "inbox",   [DB_INTENTS] = "intents", [DB_KEYS] = "keys", [DB_CONFLICTS] = "conflicts",
    [DB_PARKED] = "parked", [DB_HISTORY] = "history", [DB_RUNS] = "runs", [DB_CHILDREN] = "children",
};

static const char *const rc_names[] = {
    [STORE_OK] = "ok",           [STORE_NOTFOUND] = "not found", [STORE_EXISTS] = "exists", [STORE_FENCED] = "fenced",
    [STORE_UNKNOWN] = "unknown", [STORE_FULL] = "full",          [STORE_BUSY] = "busy",     [STORE_IO] = "io",
    [STORE_CORRUPT] = "corrupt", [STORE_TOONEW] = "too new",
};

const char *store_rc_name(int rc)
{
    size_t n_names = sizeof(rc_names) / sizeof(*rc_names);
    return rc >= 0 && (size_t)rc < n_names ? rc_names[rc] : "?";
}

/* Facts and next steps. */
static const struct {
    int code;
    const char *fact, *step;
} refusals[] = {
    [STORE_UNKNOWN] = {ERR_FAILED, "whether the last commit was made cannot be told yet", "run again"},
    [STORE_FULL] = {ERR_FAILED, "there is no space", "nothing was written, free space and run again"},
    [STORE_BUSY] = {ERR_BUSY, "it is busy", "run again"},
    [STORE_IO] = {ERR_STATE, "the storage failed", "check the disk and the owner of its files, then run again"},
    [STORE_CORRUPT] = {ERR_STATE, "the state is damaged", "restore it from a backup"},
};

int store_refuse(int rc, const char *where, const char *detail, struct err *e)
{
    err_set(e, refusals[rc].code, "%s: %s (%s): %s", where, refusals[rc].fact, detail, refusals[rc].step);
    return rc;
}

bool store_owns(int db, struct slice key)
{
    return db == DB_META && (key_order(key, store_key_format) == 0 || key_order(key, store_key_fence) == 0 ||
                             key_order(key, store_key_last_txid) == 0);
}

int store_refuse_format(const char *where, uint64_t format, struct err *e)
{
    if (format > STORE_FORMAT) {
        err_set(e, ERR_STATE,
                "%s holds state of format %" PRIu64
                ", this syncline knows %d: use the newer syncline or export it there",
                where, format, STORE_FORMAT);
        return STORE_TOONEW;
    }
    err_set(e, ERR_STATE, "%s holds state without a valid format: restore it from a backup or move it away", where);
    return STORE_CORRUPT;
}

int store_refuse_op(const struct store_op *op, struct err *e)
{
    err_set(e, ERR_FAILED,
            "the state changed meanwhile: a row of %s is not as expected, nothing was written: run again",
            store_db_names[op->db]);
    return STORE_EXISTS;
}

int store_refuse_owner(const char *where, struct err *e)
{
    err_set(e, ERR_FAILED, "%s is owned by another run now, nothing was written: run again", where);
    return STORE_FENCED;
}

/* A caller's mistake, not the storage's: said in a sentence because a crash here would hide which. */
static int misuse(struct err *e, const char *what)
{
    err_set(e, ERR_FAILED, "internal error in the use of the store: %s; nothing was written: please report it", what);
    return STORE_IO;
}

struct store *store_adopt(const struct store_driver *driver, void *self, bool read_only)
{
    struct store *s = mem_alloc(sizeof(*s));
    s->driver = driver;
    s->self = self;
    s->read_only = read_only;
    random_bytes(s->txid, STORE_TXID_BYTES);
    return s;
}

int store_open(const struct store_driver *driver, const char *where, bool read_only, struct store **store,
               struct err *e)
{
    void *self = NULL;
    *store = NULL;
    int rc = driver->open(&self, where, read_only, e);
    if (rc == STORE_OK)
        *store = store_adopt(driver, self, read_only);
    return rc;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    store_release(s);
    s->driver->close(s->self);
    mem_free(s->ops);
    mem_free(s);
}

int store_acquire(struct store *s, bool wait, struct err *e)
{
    if (s->read_only)
        return misuse(e, "a read-only store cannot own the pair");
    if (s->lease.fence)
        return STORE_OK;
    return s->driver->acquire(s->self, wait, &s->lease, e);
}

void store_release(struct store *s)
{
    if (!s->lease.fence)
        return;
    s->driver->release(s->self, &s->lease);
    s->lease = (struct store_lease){0};
}

uint64_t store_fence(const struct store *s)
{
    return s->lease.fence;
}

int store_snap(struct store *s, struct store_snap **snap, struct err *e)
{
    void *inner = NULL;
    *snap = NULL;
    int rc = s->driver->snap(s->self, &inner, e);
    if (rc != STORE_OK)
        return rc;
    *snap = mem_alloc(sizeof(**snap));
    (*snap)->store = s;
    (*snap)->inner = inner;
    s->n_snaps++;
    return STORE_OK;
}

void store_snap_end(struct store_snap *snap)
{
    if (!snap)
        return;
    snap->store->n_snaps--;
    snap->store->driver->snap_end(snap->inner);
    mem_free(snap);
}

static bool db_known(int db)
{
    return db >= DB_META && db < DB_END;
}

int store_get(struct store_snap *snap, int db, struct slice key, struct slice *value)
{
    *value = slice_of(NULL, 0);
    if (!db_known(db) || !key.size || key.size > STORE_KEY_MAX)
        return STORE_NOTFOUND;
    return snap->store->driver->get(snap->inner, db, key, value);
}

int store_scan(struct store_snap *snap, int db, struct slice from, struct slice below, bool backward, size_t limit,
               struct store_row *rows, size_t *n_rows)
{
    *n_rows = 0;
    if (!db_known(db) || !limit)
        return STORE_OK;
    return snap->store->driver->scan(snap->inner, db, from, below, backward, limit, rows, n_rows);
}

static const char *op_mistake(const struct store_op *op)
{
    if (!db_known(op->db))
        return "an operation names no database";
    if (op->kind < STORE_PUT || op->kind > STORE_EXPECT)
        return "an operation is of no known kind";
    if (!op->key.size || op->key.size > STORE_KEY_MAX)
        return "a key is empty or above 500 bytes";
    if (op->value.size > VALUE_MAX_BYTES)
        return "a value is above 1 GiB";
    if (op->kind != STORE_EXPECT && store_owns(op->db, op->key))
        return "an operation touches a row of the store's own";
    return NULL;
}

static const char *ops_mistake(const struct store_op *ops, size_t n_ops)
{
    const char *mistake = NULL;
    for (size_t i = 0; i < n_ops && !mistake; i++)
        mistake = op_mistake(&ops[i]);
    return mistake;
}

static inline bool after(const struct store_op *x, const struct store_op *y)
{
    return x->db != y->db ? x->db > y->db : key_order(x->key, y->key) > 0;
}

static bool in_order(const struct store_op *ops, size_t n_ops)
{
    for (size_t i = 1; i < n_ops; i++)
        if (after(&ops[i - 1], &ops[i]))
            return false;
    return true;
}

static void insert_sort(struct store_op *ops, size_t n_ops)
{
    for (size_t i = 1; i < n_ops; i++) {
        struct store_op op = ops[i];
        size_t at = i;
        for (; at && after(&ops[at - 1], &op); at--)
            ops[at] = ops[at - 1];
        ops[at] = op;
    }
}

/* Merges two sorted neighbours; of equal keys the left one goes first, which keeps the caller's order. */
static void merge(struct store_op *ops, size_t n_left, size_t n_ops, struct store_op *spare)
{
    size_t left = 0, right = n_left, to = 0;
    memcpy(spare, ops, n_left * sizeof(*ops));
    while (left < n_left && right < n_ops)
        ops[to++] = after(&spare[left], &ops[right]) ? ops[right++] : spare[left++];
    memcpy(&ops[to], &spare[left], (n_left - left) * sizeof(*ops));
}

/* Stable, unlike qsort: two operations on one key apply in the order given. */
static void stable_sort(struct store_op *ops, size_t n_ops, struct store_op *spare)
{
    if (n_ops <= OPS_MIN) {
        insert_sort(ops, n_ops);
        return;
    }
    size_t n_left = n_ops / 2;
    stable_sort(ops, n_left, spare);
    stable_sort(ops + n_left, n_ops - n_left, spare);
    merge(ops, n_left, n_ops, spare);
}

/* Copies the operations database by database; at[db] is where each one's begin, at[DB_END] where all end. */
static void spread(const struct store_op *ops, size_t n_ops, struct store_op *to, size_t at[DB_END + 1])
{
    size_t next[DB_END + 1] = {0};
    for (size_t i = 0; i < n_ops; i++)
        next[ops[i].db + 1]++;
    for (int db = 1; db <= DB_END; db++)
        next[db] += next[db - 1];
    memcpy(at, next, sizeof(next));
    for (size_t i = 0; i < n_ops; i++)
        to[next[ops[i].db]++] = ops[i];
}

/* Drivers get operations by database and key: they can walk their trees once. Within one database most come in order. */
static const struct store_op *ordered(struct store *s, const struct store_op *ops, size_t n_ops)
{
    if (in_order(ops, n_ops))
        return ops;
    if (s->room < n_ops) {
        s->room = n_ops > OPS_MIN ? n_ops : OPS_MIN;
        s->ops = mem_grow(s->ops, s->room * 2 * sizeof(*ops));
    }
    size_t at[DB_END + 1];
    spread(ops, n_ops, s->ops, at);
    for (int db = DB_META; db < DB_END; db++)
        if (!in_order(s->ops + at[db], at[db + 1] - at[db]))
            stable_sort(s->ops + at[db], at[db + 1] - at[db], s->ops + s->room);
    return s->ops;
}

/* An unknown commit is looked for; one that is certainly absent is made once more under its own number. */
static int settle(struct store *s, const struct store_op *ops, size_t n_ops, struct err *e)
{
    struct err later = {0};
    bool applied = false;
    if (s->driver->resolve(s->self, &s->lease, s->txid, &applied, &later) != STORE_OK)
        return STORE_UNKNOWN;
    if (applied)
        return STORE_OK;
    return s->driver->commit(s->self, &s->lease, s->txid, ops, n_ops, e);
}

int store_commit(struct store *s, const struct store_op *ops, size_t n_ops, struct err *e)
{
    if (!n_ops)
        return STORE_OK;
    const char *mistake = s->n_snaps ? "a snapshot is held across a commit" : ops_mistake(ops, n_ops);
    if (mistake)
        return misuse(e, mistake);
    if (!s->lease.fence)
        return store_refuse_owner("the pair", e);
    const struct store_op *sorted = ordered(s, ops, n_ops);
    number_put(s->txid + STORE_NUMBER_BYTES, ++s->n_commits);
    struct err first = {0};
    int rc = s->driver->commit(s->self, &s->lease, s->txid, sorted, n_ops, &first);
    if (rc == STORE_UNKNOWN)
        rc = settle(s, sorted, n_ops, e);
    if (rc != STORE_OK && first.code)
        err_set(e, first.code, "%s", first.text);
    return rc;
}

int store_resolve(struct store *s, bool *applied, struct err *e)
{
    *applied = false;
    return s->driver->resolve(s->self, &s->lease, s->txid, applied, e);
}

int store_backup(struct store *s, const char *to_folder, struct err *e)
{
    return s->driver->backup(s->self, to_folder, e);
}

/* NULL stays NULL: for EXPECT it means something. */
static struct slice keep(struct store_batch *b, struct slice bytes)
{
    return bytes.data ? slice_of(arena_dup(&b->arena, bytes.data, bytes.size), bytes.size) : bytes;
}

static void add(struct store_batch *b, int kind, int db, struct slice key, struct slice value)
{
    if (b->n_ops == b->room) {
        b->room = b->room ? b->room * 2 : OPS_MIN;
        b->ops = mem_grow(b->ops, b->room * sizeof(*b->ops));
    }
    b->ops[b->n_ops++] =
        (struct store_op){(uint8_t)kind, (uint8_t)(db_known(db) ? db : 0), keep(b, key), keep(b, value)};
}

void batch_put(struct store_batch *b, int db, struct slice key, struct slice value)
{
    add(b, STORE_PUT, db, key, value);
}

void batch_put_new(struct store_batch *b, int db, struct slice key, struct slice value)
{
    add(b, STORE_PUT_NEW, db, key, value);
}

void batch_del(struct store_batch *b, int db, struct slice key)
{
    add(b, STORE_DEL, db, key, slice_of(NULL, 0));
}

void batch_expect(struct store_batch *b, int db, struct slice key, struct slice value)
{
    add(b, STORE_EXPECT, db, key, value);
}

int batch_commit(struct store_batch *b, struct store *s, struct err *e)
{
    int rc = store_commit(s, b->ops, b->n_ops, e);
    if (rc == STORE_OK)
        batch_clear(b);
    return rc;
}

void batch_clear(struct store_batch *b)
{
    arena_reset(&b->arena);
    b->n_ops = 0;
}

void batch_fini(struct store_batch *b)
{
    arena_fini(&b->arena);
    buf_fini(&b->row);
    mem_free(b->ops);
    *b = (struct store_batch){0};
}
