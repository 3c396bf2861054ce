/* SPDX-License-Identifier: MIT */
/* test_store.c - one suite that every driver of the store passes unchanged. */
#include "store_rigs.h"

/* A store that owns the pair. */
static struct store *owned(void)
{
    struct err e = {0};
    struct store *s = NULL;
    if (rig->open(false, &s, &e) != STORE_OK || store_acquire(s, false, &e) != STORE_OK)
        CU_FAIL_FATAL("the store cannot be opened and owned");
    return s;
}

static int commit(struct store *s, const struct store_op *ops, size_t n_ops)
{
    struct err e = {0};
    int rc = store_commit(s, ops, n_ops, &e);
    CU_ASSERT_EQUAL(rc == STORE_OK, e.code == ERR_NONE);
    return rc;
}

static void put_is_got(void)
{
    struct store *s = owned();
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "k", "one"), STORE_OK);
    CU_ASSERT_STRING_EQUAL(got(s, DB_LINKS, "k"), "one");
    CU_ASSERT_PTR_NULL(got(s, DB_IDS, "k"));
    CU_ASSERT_PTR_NULL(got(s, DB_LINKS, "kk"));
    CU_ASSERT_PTR_NULL(got(s, DB_LINKS, "j"));
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "k", "two"), STORE_OK);
    CU_ASSERT_STRING_EQUAL(got(s, DB_LINKS, "k"), "two");
    store_close(s);
}

static void every_database(void)
{
    struct store *s = owned();
    struct store_op ops[DB_END];
    for (int db = DB_META; db < DB_END; db++)
        ops[db - 1] = op(STORE_PUT, DB_END - db, "k", "v");
    CU_ASSERT_EQUAL(commit(s, ops, DB_END - 1), STORE_OK);
    for (int db = DB_META; db < DB_END; db++)
        CU_ASSERT_STRING_EQUAL(got(s, db, "k"), "v");
    store_close(s);
}

/* The keys a scan gives, joined. */
static const char *scanned(struct store *s, const char *from, const char *below, bool backward, size_t limit)
{
    static char joined[64];
    struct store_row rows[16];
    struct store_snap *snap = NULL;
    struct err e = {0};
    size_t n = 99;
    joined[0] = '\0';
    CU_ASSERT_EQUAL(store_snap(s, &snap, &e), STORE_OK);
    CU_ASSERT_EQUAL(store_scan(snap, DB_INBOX, text(from), text(below), backward, limit, rows, &n), STORE_OK);
    for (size_t i = 0; i < n; i++)
        strncat(joined, rows[i].key.data, rows[i].key.size);
    store_snap_end(snap);
    return joined;
}

static void scans(void)
{
    static const struct {
        const char *from, *below;
        bool backward;
        size_t limit;
        const char *keys;
    } cases[] = {
        {"", "", false, 16, "acegi"}, {"", "", true, 16, "igeca"}, {"c", "g", false, 16, "ce"},
        {"c", "g", true, 16, "ec"},   {"b", "f", false, 16, "ce"}, {"b", "f", true, 16, "ec"},
        {"", "c", false, 16, "a"},    {"", "c", true, 16, "a"},    {"g", "", false, 16, "gi"},
        {"g", "", true, 16, "ig"},    {"j", "", false, 16, ""},    {"j", "", true, 16, ""},
        {"", "a", false, 16, ""},     {"", "a", true, 16, ""},     {"", "", false, 2, "ac"},
        {"", "", true, 2, "ig"},      {"b", "", false, 1, "c"},    {"", "f", true, 1, "e"},
        {"", "zz", true, 2, "ig"},    {"g", "c", false, 16, ""},   {"g", "c", true, 16, ""},
        {"d", "d", false, 16, ""},    {"", "", false, 0, ""},      {"", "b", true, 16, "a"},
    };
    struct store *s = owned();
    struct store_op ops[] = {op(STORE_PUT, DB_INBOX, "g", "4"), op(STORE_PUT, DB_INBOX, "a", "1"),
                             op(STORE_PUT, DB_INBOX, "i", "5"), op(STORE_PUT, DB_INBOX, "c", "2"),
                             op(STORE_PUT, DB_INBOX, "e", "3")};
    CU_ASSERT_STRING_EQUAL(scanned(s, "", "", false, 16), "");
    CU_ASSERT_STRING_EQUAL(scanned(s, "", "", true, 16), "");
    CU_ASSERT_EQUAL(commit(s, ops, 5), STORE_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        CU_ASSERT_STRING_EQUAL(scanned(s, cases[i].from, cases[i].below, cases[i].backward, cases[i].limit),
                               cases[i].keys);
    store_close(s);
}

static void put_new_and_expect(void)
{
    static const struct {
        int kind;
        const char *key, *value;
        int rc;
    } cases[] = {
        {STORE_PUT_NEW, "have", "x", STORE_EXISTS}, {STORE_PUT_NEW, "new", "x", STORE_OK},
        {STORE_EXPECT, "have", "v", STORE_OK},      {STORE_EXPECT, "have", "w", STORE_EXISTS},
        {STORE_EXPECT, "have", "vv", STORE_EXISTS}, {STORE_EXPECT, "have", "", STORE_EXISTS},
        {STORE_EXPECT, "have", NULL, STORE_EXISTS}, {STORE_EXPECT, "lack", NULL, STORE_OK},
        {STORE_EXPECT, "lack", "v", STORE_EXISTS},  {STORE_EXPECT, "lack", "", STORE_EXISTS},
        {STORE_EXPECT, "empty", "", STORE_OK},      {STORE_EXPECT, "empty", NULL, STORE_EXISTS},
        {STORE_EXPECT, "zzz", NULL, STORE_OK},      {STORE_EXPECT, "zzz", "v", STORE_EXISTS},
    };
    struct store *s = owned();
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct store_op start[] = {op(STORE_PUT, DB_IDS, "have", "v"), op(STORE_PUT, DB_IDS, "empty", ""),
                                   op(STORE_DEL, DB_IDS, "new", NULL), op(STORE_DEL, DB_IDS, "mark", NULL)};
        struct store_op ops[] = {op(STORE_PUT, DB_IDS, "mark", "m"),
                                 op(cases[i].kind, DB_IDS, cases[i].key, cases[i].value),
                                 op(STORE_PUT, DB_RUNS, "mark", "m")};
        CU_ASSERT_EQUAL(commit(s, start, 4), STORE_OK);
        CU_ASSERT_EQUAL(commit(s, ops, 3), cases[i].rc);
        CU_ASSERT_EQUAL(got(s, DB_IDS, "mark") != NULL, cases[i].rc == STORE_OK);
        CU_ASSERT_STRING_EQUAL(got(s, DB_IDS, "have"), "v");
    }
    store_close(s);
}

static void order_on_one_key(void)
{
    struct store *s = owned();
    struct store_op ops[] = {
        op(STORE_PUT, DB_RUNS, "z", "first"),  op(STORE_EXPECT, DB_RUNS, "z", "first"),
        op(STORE_DEL, DB_RUNS, "z", NULL),     op(STORE_PUT_NEW, DB_META, "a", "1"),
        op(STORE_PUT_NEW, DB_RUNS, "z", "2"),  op(STORE_PUT, DB_META, "a", "3"),
        op(STORE_EXPECT, DB_META, "a", "3"),   op(STORE_PUT, DB_LINKS, "gone", "x"),
        op(STORE_DEL, DB_LINKS, "gone", NULL), op(STORE_EXPECT, DB_LINKS, "gone", NULL),
    };
    CU_ASSERT_EQUAL(commit(s, ops, sizeof(ops) / sizeof(*ops)), STORE_OK);
    CU_ASSERT_STRING_EQUAL(got(s, DB_RUNS, "z"), "2");
    CU_ASSERT_STRING_EQUAL(got(s, DB_META, "a"), "3");
    CU_ASSERT_PTR_NULL(got(s, DB_LINKS, "gone"));
    struct store_op twice[] = {op(STORE_PUT_NEW, DB_IDS, "k", "1"), op(STORE_PUT_NEW, DB_IDS, "k", "2")};
    CU_ASSERT_EQUAL(commit(s, twice, 2), STORE_EXISTS);
    CU_ASSERT_PTR_NULL(got(s, DB_IDS, "k"));
    store_close(s);
}

/* Enough operations for the merge sort, which must keep the order on one key. */
static void order_in_a_big_batch(void)
{
    struct store_batch b = {0};
    struct err e = {0};
    char key[16], value[16];
    struct store *s = owned();
    for (int round = 0; round < 10; round++)
        for (int i = 99; i >= 0; i--) {
            snprintf(key, sizeof(key), "%02d", (i * 37) % 100);
            snprintf(value, sizeof(value), "%d", round);
            batch_put(&b, DB_HISTORY, text(key), text(value));
        }
    CU_ASSERT_EQUAL(batch_commit(&b, s, &e), STORE_OK);
    CU_ASSERT_EQUAL(b.n_ops, 0);
    CU_ASSERT_EQUAL(count(s, DB_HISTORY), 100);
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof(key), "%02d", i);
        CU_ASSERT_STRING_EQUAL(got(s, DB_HISTORY, key), "9");
    }
    batch_fini(&b);
    store_close(s);
}

static void batch_keeps_its_bytes(void)
{
    struct store_batch b = {0};
    struct err e = {0};
    char key[] = "key", value[] = "value";
    struct store *s = owned();
    batch_expect(&b, DB_IDS, text(key), slice_of(NULL, 0));
    batch_put_new(&b, DB_IDS, text(key), text(value));
    batch_del(&b, DB_IDS, text("other"));
    memset(key, 'x', 3);
    memset(value, 'x', 5);
    CU_ASSERT_EQUAL(batch_commit(&b, s, &e), STORE_OK);
    CU_ASSERT_STRING_EQUAL(got(s, DB_IDS, "key"), "value");
    batch_put_new(&b, DB_IDS, text("key"), text("again"));
    CU_ASSERT_EQUAL(batch_commit(&b, s, &e), STORE_EXISTS);
    CU_ASSERT_STRING_EQUAL(
        e.text, "the state changed meanwhile: a row of ids is not as expected, nothing was written: run again");
    CU_ASSERT_EQUAL(b.n_ops, 1);
    batch_clear(&b);
    batch_put(&b, DB_IDS + 256, text("key"), text("other database"));
    err_clear(&e);
    CU_ASSERT_EQUAL(batch_commit(&b, s, &e), STORE_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "internal error in the use of the store: "));
    batch_fini(&b);
    store_close(s);
}

static void snapshot_stands_still(void)
{
    struct err e = {0};
    struct store *s = owned(), *reader = NULL;
    struct store_snap *snap = NULL;
    struct slice v;
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "k", "old"), STORE_OK);
    store_close(s);
    CU_ASSERT_EQUAL(rig->open(true, &reader, &e), STORE_OK);
    CU_ASSERT_EQUAL(store_snap(reader, &snap, &e), STORE_OK);
    CU_ASSERT_EQUAL(rig->other_put("k", "new"), STORE_OK);
    CU_ASSERT_EQUAL(rig->other_put("more", "new"), STORE_OK);
    CU_ASSERT_EQUAL(store_get(snap, DB_LINKS, text("k"), &v), STORE_OK);
    CU_ASSERT_TRUE(slice_is(v, "old"));
    CU_ASSERT_EQUAL(store_get(snap, DB_LINKS, text("more"), &v), STORE_NOTFOUND);
    store_snap_end(snap);
    CU_ASSERT_STRING_EQUAL(got(reader, DB_LINKS, "k"), "new");
    CU_ASSERT_EQUAL(count(reader, DB_LINKS), 2);
    store_close(reader);
}

static void second_owner_refused(void)
{
    struct err e = {0};
    char pid[32];
    struct store *s = owned();
    store_release(s);
    snprintf(pid, sizeof(pid), " %ld", rig->hold());
    CU_ASSERT_EQUAL(store_acquire(s, false, &e), STORE_BUSY);
    CU_ASSERT_EQUAL(e.code, ERR_BUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, pid));
    CU_ASSERT(strstr(e.text, " is in use by process ") || strstr(e.text, " is owned by process "));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, ": wait for it to end"));
    err_clear(&e);
    struct store_op o = op(STORE_PUT, DB_LINKS, "k", "v");
    CU_ASSERT_EQUAL(store_commit(s, &o, 1, &e), STORE_FENCED);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, " is owned by another run now, nothing was written: run again"));
    rig->unhold();
    err_clear(&e);
    CU_ASSERT_EQUAL(store_acquire(s, false, &e), STORE_OK);
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "k", "v"), STORE_OK);
    store_close(s);
}

static void fence_grows(void)
{
    struct err e = {0};
    uint64_t last = 0;
    for (int i = 0; i < 6; i++) {
        struct store *s = owned();
        CU_ASSERT_TRUE(store_fence(s) > last);
        last = store_fence(s);
        CU_ASSERT_EQUAL(i % 2 ? put(s, DB_LINKS, "k", "v") : STORE_OK, STORE_OK);
        store_release(s);
        CU_ASSERT_EQUAL(store_fence(s), 0);
        CU_ASSERT_EQUAL(store_acquire(s, true, &e), STORE_OK);
        CU_ASSERT_TRUE(store_fence(s) > last);
        last = store_fence(s);
        store_close(s);
    }
}

/* On the driver itself: the face never lends a lease out. */
static void stale_lease_refused(void)
{
    const struct store_driver *d = rig->driver;
    struct err e = {0};
    struct store_lease old, now;
    struct store_op o = op(STORE_PUT, DB_LINKS, "k", "v");
    uint8_t txid[16] = {1};
    void *self = NULL;
    CU_ASSERT_EQUAL_FATAL(d->open(&self, where, false, &e), STORE_OK);
    CU_ASSERT_EQUAL(d->acquire(self, false, &old, &e), STORE_OK);
    CU_ASSERT_EQUAL(d->commit(self, &old, txid, &o, 1, &e), STORE_OK);
    now = old;
    CU_ASSERT_EQUAL(d->release(self, &now), STORE_OK);
    CU_ASSERT_EQUAL(d->commit(self, &old, txid, &o, 1, &e), STORE_FENCED);
    CU_ASSERT_EQUAL(d->acquire(self, false, &now, &e), STORE_OK);
    CU_ASSERT_EQUAL(d->commit(self, &old, txid, &o, 1, &e), STORE_FENCED);
    CU_ASSERT_EQUAL(d->commit(self, &now, txid, &o, 1, &e), STORE_OK);
    d->close(self);
}

/* Before and after the owner's first commit, which is when the fence becomes a row. */
static void stolen_pair_fences(void)
{
    for (int committed = 0; committed < 2; committed++) {
        struct store *s = owned();
        CU_ASSERT_EQUAL(committed ? put(s, DB_LINKS, "k", "mine") : STORE_OK, STORE_OK);
        rig->steal();
        CU_ASSERT_EQUAL(put(s, DB_LINKS, "stolen", "x"), STORE_FENCED);
        CU_ASSERT_PTR_NULL(got(s, DB_LINKS, "stolen"));
        store_close(s);
    }
    struct store *s = owned();
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "k", "again"), STORE_OK);
    store_close(s);
}

static void resolves(void)
{
    struct err e = {0};
    bool applied = true;
    struct store *s = owned();
    CU_ASSERT_EQUAL(store_resolve(s, &applied, &e), STORE_OK);
    CU_ASSERT_FALSE(applied);
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "k", "v"), STORE_OK);
    CU_ASSERT_EQUAL(store_resolve(s, &applied, &e), STORE_OK);
    CU_ASSERT_TRUE(applied);
    struct store_op o = op(STORE_PUT_NEW, DB_LINKS, "k", "v");
    CU_ASSERT_EQUAL(store_commit(s, &o, 1, &e), STORE_EXISTS);
    CU_ASSERT_EQUAL(store_resolve(s, &applied, &e), STORE_OK);
    CU_ASSERT_FALSE(applied);
    store_close(s);
    s = owned();
    CU_ASSERT_EQUAL(store_resolve(s, &applied, &e), STORE_OK);
    CU_ASSERT_FALSE(applied);
    store_close(s);
}

static void read_only_looks_on(void)
{
    struct err e = {0};
    struct store *reader = NULL;
    CU_ASSERT_EQUAL(rig->open(true, &reader, &e), STORE_NOTFOUND);
    CU_ASSERT_EQUAL(e.code, ERR_NOTFOUND);
    CU_ASSERT_PTR_NULL(reader);
    CU_ASSERT_NOT_EQUAL(access(where, F_OK), 0);
    err_clear(&e);
    CU_ASSERT_EQUAL(rig->other_put("k", "v"), STORE_OK);
    rig->hold();
    CU_ASSERT_EQUAL_FATAL(rig->open(true, &reader, &e), STORE_OK);
    CU_ASSERT_STRING_EQUAL(got(reader, DB_LINKS, "k"), "v");
    CU_ASSERT_EQUAL(put(reader, DB_LINKS, "k", "w"), STORE_FENCED);
    CU_ASSERT_NOT_EQUAL(store_acquire(reader, false, &e), STORE_OK);
    rig->unhold();
    CU_ASSERT_EQUAL(rig->other_put("k", "w"), STORE_OK);
    CU_ASSERT_STRING_EQUAL(got(reader, DB_LINKS, "k"), "w");
    store_close(reader);
}

static void big_values_and_long_keys(void)
{
    struct err e = {0};
    struct store_snap *snap = NULL;
    struct slice v;
    char key[STORE_KEY_MAX + 1];
    size_t big = (1 << 20) + 7;
    char *value = mem_alloc(big);
    struct store *s = owned();
    memset(key, 0xFF, sizeof(key));
    memset(value, 'b', big);
    struct store_op o = {STORE_PUT, DB_BASES, slice_of(key, STORE_KEY_MAX), slice_of(value, big)};
    CU_ASSERT_EQUAL(commit(s, &o, 1), STORE_OK);
    o.key.size = STORE_KEY_MAX + 1;
    CU_ASSERT_EQUAL(commit(s, &o, 1), STORE_IO);
    o.key.size = 0;
    CU_ASSERT_EQUAL(commit(s, &o, 1), STORE_IO);
    CU_ASSERT_EQUAL(store_snap(s, &snap, &e), STORE_OK);
    CU_ASSERT_EQUAL(store_get(snap, DB_BASES, slice_of(key, STORE_KEY_MAX), &v), STORE_OK);
    CU_ASSERT_TRUE(v.size == big && memcmp(v.data, value, big) == 0);
    CU_ASSERT_EQUAL(store_get(snap, DB_BASES, slice_of(key, STORE_KEY_MAX + 1), &v), STORE_NOTFOUND);
    store_snap_end(snap);
    CU_ASSERT_EQUAL(put(s, DB_KEYS, "nothing", ""), STORE_OK);
    CU_ASSERT_STRING_EQUAL(got(s, DB_KEYS, "nothing"), "");
    mem_free(value);
    store_close(s);
}

static void misuse_is_refused(void)
{
    static const char *const own[] = {"format", "fence", "last_txid"};
    struct err e = {0};
    struct store *s = owned();
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_TRUE(store_owns(DB_META, text(own[i])));
        CU_ASSERT_FALSE(store_owns(DB_LINKS, text(own[i])));
        CU_ASSERT_EQUAL(put(s, DB_META, own[i], "x"), STORE_IO);
    }
    CU_ASSERT_EQUAL(put(s, DB_META, "fences", "x"), STORE_OK);
    CU_ASSERT_EQUAL(put(s, DB_END, "k", "x"), STORE_IO);
    CU_ASSERT_EQUAL(put(s, 0, "k", "x"), STORE_IO);
    struct store_op o = op(5, DB_LINKS, "k", "x");
    CU_ASSERT_EQUAL(commit(s, &o, 1), STORE_IO);
    struct store_snap *snap = NULL;
    CU_ASSERT_EQUAL(store_snap(s, &snap, &e), STORE_OK);
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "k", "x"), STORE_IO);
    store_snap_end(snap);
    CU_ASSERT_EQUAL(put(s, DB_LINKS, "k", "x"), STORE_OK);
    store_close(s);
}

static void reopening_sees_everything(void)
{
    char key[16];
    for (int i = 0; i < 20; i++) {
        struct store *s = owned();
        CU_ASSERT_EQUAL(count(s, DB_PARKED), (size_t)i);
        snprintf(key, sizeof(key), "%d", i);
        CU_ASSERT_EQUAL(put(s, DB_PARKED, key, key), STORE_OK);
        store_close(s);
    }
}

/* 100,000 rows in an order that is none, then half of them gone, with the deletes and rows beyond the end mixed. */
static void large_batches(void)
{
    enum { N = 100000 };
    struct store_batch b = {0};
    struct err e = {0};
    struct store *s = owned();
    for (uint64_t i = 0; i < N; i++) {
        uint64_t key = (i * 7919) % N * 0x9E3779B97F4A7C15u;
        batch_put_new(&b, DB_BASES, slice_of(&key, sizeof(key)), slice_of(&i, sizeof(i)));
    }
    CU_ASSERT_EQUAL(batch_commit(&b, s, &e), STORE_OK);
    CU_ASSERT_EQUAL(count(s, DB_BASES), N);
    for (uint64_t i = 0; i < N; i++) {
        uint64_t key = i * 0x9E3779B97F4A7C15u;
        if (i % 2)
            batch_del(&b, DB_BASES, slice_of(&key, sizeof(key)));
    }
    batch_put(&b, DB_BASES, text("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), text("last"));
    CU_ASSERT_EQUAL(batch_commit(&b, s, &e), STORE_OK);
    CU_ASSERT_EQUAL(count(s, DB_BASES), N / 2 + 1);
    batch_fini(&b);
    store_close(s);
}

enum { MODEL_KEYS = 40 };

/* What 40 keys hold: the value, or 0 for none. */
static void check_model(struct store *s, const uint32_t *model)
{
    struct store_row rows[MODEL_KEYS];
    struct store_snap *snap = NULL;
    struct err e = {0};
    size_t n = 0, at = 0;
    bool equal = store_snap(s, &snap, &e) == STORE_OK;
    store_scan(snap, DB_IDS, slice_of(NULL, 0), slice_of(NULL, 0), false, MODEL_KEYS, rows, &n);
    for (uint8_t key = 0; key < MODEL_KEYS; key++) {
        if (!model[key])
            continue;
        equal = equal && at < n && *(const uint8_t *)rows[at].key.data == key && rows[at].value.size == 4 &&
                memcmp(rows[at].value.data, &model[key], 4) == 0;
        at++;
    }
    CU_ASSERT_TRUE(equal && at == n);
    store_snap_end(snap);
}

/* One operation on the model; false if it does not hold. */
static bool model_op(uint32_t *model, int kind, uint8_t key, uint32_t value)
{
    if (kind == STORE_PUT_NEW && model[key])
        return false;
    if (kind == STORE_EXPECT)
        return model[key] == value;
    model[key] = kind == STORE_DEL ? 0 : value;
    return true;
}

static void random_commits_match_a_model(void)
{
    uint32_t model[MODEL_KEYS] = {0};
    uint64_t seed = 42;
    struct store *s = owned();
    for (uint32_t round = 1; round <= 300; round++) {
        struct store_op ops[50];
        uint8_t keys[50];
        uint32_t values[50], after[MODEL_KEYS];
        bool holds = true;
        size_t n_ops = 1 + hash64(&(uint64_t){++seed}, 8) % 50;
        memcpy(after, model, sizeof(after));
        for (size_t i = 0; i < n_ops; i++) {
            uint64_t dice = hash64(&(uint64_t){++seed}, 8);
            int kind = dice % 40 == 0   ? STORE_PUT_NEW
                       : dice % 40 == 1 ? STORE_EXPECT
                       : dice % 3       ? STORE_PUT
                                        : STORE_DEL;
            keys[i] = (uint8_t)(dice / 64 % MODEL_KEYS);
            values[i] = kind == STORE_EXPECT ? after[keys[i]] : round * 100 + (uint32_t)i;
            bool none = kind == STORE_EXPECT && !values[i];
            ops[i] = (struct store_op){(uint8_t)kind, DB_IDS, slice_of(&keys[i], 1),
                                       none ? slice_of(NULL, 0) : slice_of(&values[i], 4)};
            holds = model_op(after, kind, keys[i], values[i]) && holds;
        }
        CU_ASSERT_EQUAL(commit(s, ops, n_ops), holds ? STORE_OK : STORE_EXISTS);
        memcpy(model, holds ? after : model, sizeof(model));
        check_model(s, model);
    }
    store_close(s);
}

#define SHARED(X)                                                                                                      \
    X(put_is_got, "what is put is got, in its database only")                                                          \
    X(every_database, "one commit reaches every database")                                                             \
    X(scans, "scans: bounds, both ways, limits")                                                                       \
    X(put_new_and_expect, "PUT_NEW and EXPECT hold or nothing is committed (I18)")                                     \
    X(order_on_one_key, "operations on one key apply in the order given")                                              \
    X(order_in_a_big_batch, "and also where the batch is sorted by merging")                                           \
    X(batch_keeps_its_bytes, "a batch owns its bytes and is empty after its commit")                                   \
    X(snapshot_stands_still, "a snapshot does not see a later commit")                                                 \
    X(second_owner_refused, "a second owner is refused by the pid of the first")                                       \
    X(fence_grows, "the fence grows with every acquire, committed or not")                                             \
    X(stale_lease_refused, "a lease that was given back commits nothing")                                              \
    X(stolen_pair_fences, "an owner that lost the pair commits nothing")                                               \
    X(resolves, "resolve tells whether the last commit was made")                                                      \
    X(read_only_looks_on, "a read-only store sees, and neither makes nor writes")                                      \
    X(big_values_and_long_keys, "values above 1 MB, empty values, keys at the limit")                                  \
    X(misuse_is_refused, "misuse is refused in a sentence, by every driver")                                           \
    X(reopening_sees_everything, "reopening sees every commit")                                                        \
    X(large_batches, "a batch of 100,000")                                                                             \
    X(random_commits_match_a_model, "random commits match a model")

#define DEFINE(test, title)                                                                                            \
    static void test##_on_lmdb(void)                                                                                   \
    {                                                                                                                  \
        run_on(&rigs[0], test);                                                                                        \
    }                                                                                                                  \
    static void test##_on_mem(void)                                                                                    \
    {                                                                                                                  \
        run_on(&rigs[1], test);                                                                                        \
    }
SHARED(DEFINE)

#define ROWS(test, title) {"lmdb: " title, test##_on_lmdb}, {"mem: " title, test##_on_mem},
static const struct check tests[] = {SHARED(ROWS)};

int main(int argc, char **argv)
{
    return argc > 2 ? be_other(argc, argv) : check_run("store", tests, sizeof(tests) / sizeof(*tests));
}
