/* SPDX-License-Identifier: MIT */
/* mem.c - the in-memory driver: sorted rows shared by snapshots until written, and faults on demand. */
#include "store/mem.h"

#include <string.h>
#include <unistd.h>

#include "store/inside.h"

static const char name[] = "the store in memory";

/* A row is shared by every table that holds it: snapshots and copied disks cost nothing until one side writes. */
struct row {
    uint32_t refs;
    uint32_t key_size;
    size_t value_size;
    uint8_t bytes[]; /* key, then value */
};

/* Rows in key order. */
struct table {
    size_t refs, n_rows, room;
    struct row **rows;
};

struct mem_data {
    struct table *tables[DB_END]; /* [0] is unused */
    const void *owner; /* the store that holds the lease */
    uint64_t fence_high; /* the last one handed out, committed or not */
    bool formatted;
};

/* What a commit does to one key, found before anything is touched. */
struct change {
    size_t at; /* where the key is, or would stand */
    const struct store_op *op; /* the PUT whose value stays, or NULL: the row goes */
    int db;
    bool existed;
};

struct mem_store {
    struct mem_disk *disk;
    bool own_disk; /* made by open, ends with close */
    uint64_t fence_stored; /* what the fence row holds: written again only when it changes */
    struct change *changes;
    size_t room;
};

struct mem_snap {
    struct mem_disk *disk;
    struct table *tables[DB_END];
};

static struct slice row_key(const struct row *r)
{
    return slice_of(r->bytes, r->key_size);
}

static struct slice row_value(const struct row *r)
{
    return slice_of(r->bytes + r->key_size, r->value_size);
}

static struct row *row_new(struct slice key, struct slice value)
{
    struct row *r = mem_grow(NULL, sizeof(*r) + key.size + value.size);
    r->refs = 1;
    r->key_size = (uint32_t)key.size;
    r->value_size = value.size;
    memcpy(r->bytes, key.data, key.size);
    if (value.size)
        memcpy(r->bytes + key.size, value.data, value.size);
    return r;
}

static void row_drop(struct row *r)
{
    if (--r->refs == 0)
        mem_free(r);
}

static struct table *table_copy(const struct table *t)
{
    struct table *copy = mem_alloc(sizeof(*copy));
    copy->refs = 1;
    copy->n_rows = copy->room = t->n_rows;
    copy->rows = mem_grow(NULL, (t->n_rows + 1) * sizeof(*t->rows));
    for (size_t i = 0; i < t->n_rows; i++) {
        copy->rows[i] = t->rows[i];
        copy->rows[i]->refs++;
    }
    return copy;
}

static void table_drop(struct table *t)
{
    if (--t->refs)
        return;
    for (size_t i = 0; i < t->n_rows; i++)
        row_drop(t->rows[i]);
    mem_free(t->rows);
    mem_free(t);
}

/* The table for writing: a copy if a snapshot or another disk shares it. */
static struct table *table_own(struct mem_data *data, int db)
{
    struct table *t = data->tables[db];
    if (t->refs == 1)
        return t;
    data->tables[db] = table_copy(t);
    t->refs--;
    return data->tables[db];
}

static void table_reserve(struct table *t, size_t n_rows)
{
    if (n_rows <= t->room)
        return;
    while (t->room < n_rows)
        t->room = t->room ? t->room * 2 : 16;
    t->rows = mem_grow(t->rows, t->room * sizeof(*t->rows));
}

/* The first row at or behind from whose key is not below key. */
static size_t lower(const struct table *t, size_t from, struct slice key)
{
    size_t below = t->n_rows;
    while (from < below) {
        size_t middle = from + (below - from) / 2;
        if (key_order(row_key(t->rows[middle]), key) < 0)
            from = middle + 1;
        else
            below = middle;
    }
    return from;
}

static const struct row *row_find(const struct table *t, struct slice key)
{
    size_t at = lower(t, 0, key);
    bool found = at < t->n_rows && key_order(row_key(t->rows[at]), key) == 0;
    return found ? t->rows[at] : NULL;
}

static struct mem_data *data_new(void)
{
    struct mem_data *data = mem_alloc(sizeof(*data));
    for (int db = DB_META; db < DB_END; db++) {
        data->tables[db] = mem_alloc(sizeof(struct table));
        data->tables[db]->refs = 1;
    }
    return data;
}

struct mem_disk *mem_disk_new(void)
{
    struct mem_disk *disk = mem_alloc(sizeof(*disk));
    disk->data = data_new();
    return disk;
}

void mem_disk_free(struct mem_disk *disk)
{
    if (!disk)
        return;
    for (int db = DB_META; db < DB_END; db++)
        table_drop(disk->data->tables[db]);
    mem_free(disk->data);
    mem_free(disk);
}

struct mem_disk *mem_disk_copy(const struct mem_disk *disk)
{
    struct mem_disk *copy = mem_alloc(sizeof(*copy));
    copy->data = mem_alloc(sizeof(*copy->data));
    *copy->data = *disk->data;
    copy->data->owner = NULL;
    for (int db = DB_META; db < DB_END; db++)
        copy->data->tables[db]->refs++;
    return copy;
}

/* What the operations on one key come to. They stand together: the face has put them in order. */
static int fold(const struct store_op *ops, size_t n_ops, const struct row *row, const struct store_op **put,
                bool *touched, struct err *e)
{
    bool present = row != NULL;
    struct slice value = row ? row_value(row) : slice_of(NULL, 0);
    for (size_t i = 0; i < n_ops; i++) {
        const struct store_op *op = &ops[i];
        if (op->kind == STORE_EXPECT ? !expect_holds(op, present, value) : op->kind == STORE_PUT_NEW && present)
            return store_refuse_op(op, e);
        if (op->kind == STORE_EXPECT)
            continue;
        *touched = *touched || present || op->kind != STORE_DEL;
        present = op->kind != STORE_DEL;
        value = op->value;
        *put = present ? op : NULL;
    }
    return STORE_OK;
}

static bool same_key(const struct store_op *x, const struct store_op *y)
{
    return x->db == y->db && key_order(x->key, y->key) == 0;
}

/* Finds all changes, or why there can be none. */
static int stage(struct mem_store *s, const struct store_op *ops, size_t n_ops, size_t *n_changes, struct err *e)
{
    size_t at = 0;
    *n_changes = 0;
    for (size_t i = 0, next = 0; i < n_ops; i = next) {
        for (next = i + 1; next < n_ops && same_key(&ops[i], &ops[next]);)
            next++;
        const struct table *t = s->disk->data->tables[ops[i].db];
        at = lower(t, i && ops[i - 1].db == ops[i].db ? at : 0, ops[i].key);
        bool existed = at < t->n_rows && key_order(row_key(t->rows[at]), ops[i].key) == 0;
        struct change c = {at, NULL, ops[i].db, existed};
        bool touched = false;
        int rc = fold(ops + i, next - i, existed ? t->rows[at] : NULL, &c.op, &touched, e);
        if (rc != STORE_OK)
            return rc;
        if (touched && (c.op || c.existed))
            s->changes[(*n_changes)++] = c;
    }
    return STORE_OK;
}

/* Replaces rows, takes rows out, and moves the places of the changes still to come accordingly. Returns how many come. */
static size_t replace_rows(struct table *t, struct change *changes, size_t n_changes)
{
    size_t n_gone = 0, n_new = 0, from = 0, to = 0;
    for (size_t i = 0; i < n_changes; i++) {
        struct change *c = &changes[i];
        if (!c->existed) {
            c->at -= n_gone;
            n_new++;
        } else if (c->op) {
            row_drop(t->rows[c->at]);
            t->rows[c->at] = row_new(c->op->key, c->op->value);
        } else {
            row_drop(t->rows[c->at]);
            if (n_gone++)
                memmove(&t->rows[to], &t->rows[from], (c->at - from) * sizeof(*t->rows));
            to = c->at - (n_gone - 1);
            from = c->at + 1;
        }
    }
    if (n_gone)
        memmove(&t->rows[to], &t->rows[from], (t->n_rows - from) * sizeof(*t->rows));
    t->n_rows -= n_gone;
    return n_new;
}

/* From the end down, so that every row moves at most once. */
static void insert_rows(struct table *t, const struct change *changes, size_t n_changes, size_t n_new)
{
    size_t tail = t->n_rows;
    table_reserve(t, t->n_rows + n_new);
    t->n_rows += n_new;
    for (size_t i = n_changes; n_new; i--) {
        const struct change *c = &changes[i - 1];
        if (c->existed)
            continue;
        if (tail > c->at)
            memmove(&t->rows[c->at + n_new], &t->rows[c->at], (tail - c->at) * sizeof(*t->rows));
        tail = c->at;
        t->rows[c->at + --n_new] = row_new(c->op->key, c->op->value);
    }
}

static void apply(struct mem_data *data, struct change *changes, size_t n_changes)
{
    for (size_t i = 0, next = 0; i < n_changes; i = next) {
        for (next = i + 1; next < n_changes && changes[next].db == changes[i].db;)
            next++;
        struct table *t = table_own(data, changes[i].db);
        size_t n_new = replace_rows(t, changes + i, next - i);
        insert_rows(t, changes + i, next - i, n_new);
    }
}

/* A row of the store's own in DB_META. */
static void put_own(struct mem_data *data, struct slice key, struct slice value)
{
    const struct table *t = data->tables[DB_META];
    struct store_op op = {STORE_PUT, DB_META, key, value};
    struct change c = {lower(t, 0, key), &op, DB_META, row_find(t, key) != NULL};
    apply(data, &c, 1);
}

static void put_own_number(struct mem_data *data, struct slice key, uint64_t number)
{
    uint8_t bytes[STORE_NUMBER_BYTES];
    number_put(bytes, number);
    put_own(data, key, slice_of(bytes, sizeof(bytes)));
}

static uint64_t fence_row(const struct mem_data *data)
{
    const struct row *row = row_find(data->tables[DB_META], store_key_fence);
    uint64_t fence = 0;
    return row && number_get(row_value(row), &fence) ? fence : 0;
}

void mem_disk_steal(struct mem_disk *disk)
{
    disk->data->owner = NULL;
    put_own_number(disk->data, store_key_fence, ++disk->data->fence_high);
}

static int alive(const struct mem_disk *disk, struct err *e)
{
    return disk->dead ? store_refuse(STORE_IO, name, "it was told to die", e) : STORE_OK;
}

static int disk_open(struct mem_disk *disk, bool read_only, void **self, struct err *e)
{
    int rc = alive(disk, e);
    if (rc != STORE_OK)
        return rc;
    if (!disk->data->formatted && read_only) {
        err_set(e, ERR_NOTFOUND, "the store in memory holds no state yet: run the pair once");
        return STORE_NOTFOUND;
    }
    if (!disk->data->formatted)
        put_own_number(disk->data, store_key_format, STORE_FORMAT);
    disk->data->formatted = true;
    uint64_t format = 0;
    const struct row *row = row_find(disk->data->tables[DB_META], store_key_format);
    if (!row || !number_get(row_value(row), &format) || format != STORE_FORMAT)
        return store_refuse_format(name, format, e);
    struct mem_store *s = mem_alloc(sizeof(*s));
    s->disk = disk;
    *self = s;
    return STORE_OK;
}

static int disk_store(struct mem_disk *disk, bool read_only, struct store **store, struct err *e)
{
    void *self = NULL;
    *store = NULL;
    int rc = disk_open(disk, read_only, &self, e);
    if (rc == STORE_OK)
        *store = store_adopt(&store_mem, self, read_only);
    return rc;
}

int mem_store_open(struct mem_disk *disk, struct store **store, struct err *e)
{
    return disk_store(disk, false, store, e);
}

int mem_store_open_read_only(struct mem_disk *disk, struct store **store, struct err *e)
{
    return disk_store(disk, true, store, e);
}

static int mem_open(void **self, const char *where, bool read_only, struct err *e)
{
    (void)where;
    struct mem_disk *disk = mem_disk_new();
    int rc = disk_open(disk, read_only, self, e);
    if (rc == STORE_OK)
        ((struct mem_store *)*self)->own_disk = true;
    else
        mem_disk_free(disk);
    return rc;
}

static int mem_release(void *self, struct store_lease *lease)
{
    struct mem_store *s = self;
    if (s->disk->data->owner == s)
        s->disk->data->owner = NULL;
    lease->fence = 0;
    return STORE_OK;
}

static void mem_close(void *self)
{
    struct mem_store *s = self;
    struct store_lease lease = {0};
    mem_release(s, &lease);
    if (s->own_disk)
        mem_disk_free(s->disk);
    mem_free(s->changes);
    mem_free(s);
}

static int mem_acquire(void *self, bool wait, struct store_lease *out, struct err *e)
{
    struct mem_store *s = self;
    struct mem_data *data = s->disk->data;
    (void)wait; /* the owner is in this very thread: waiting would never end */
    int rc = alive(s->disk, e);
    if (rc != STORE_OK)
        return rc;
    if (data->owner && data->owner != s) {
        err_set(e, ERR_BUSY, "the store in memory is owned by process %ld: wait for it to end", (long)getpid());
        return STORE_BUSY;
    }
    data->owner = s;
    s->fence_stored = fence_row(data);
    data->fence_high = data->fence_high > s->fence_stored ? data->fence_high + 1 : s->fence_stored + 1;
    *out = (struct store_lease){.fence = data->fence_high};
    return STORE_OK;
}

static int mem_take_snap(void *self, void **snap, struct err *e)
{
    struct mem_store *s = self;
    int rc = alive(s->disk, e);
    if (rc != STORE_OK)
        return rc;
    struct mem_snap *view = mem_alloc(sizeof(*view));
    view->disk = s->disk;
    memcpy(view->tables, s->disk->data->tables, sizeof(view->tables));
    for (int db = DB_META; db < DB_END; db++)
        view->tables[db]->refs++;
    *snap = view;
    return STORE_OK;
}

static void mem_snap_end(void *snap)
{
    struct mem_snap *view = snap;
    for (int db = DB_META; db < DB_END; db++)
        table_drop(view->tables[db]);
    mem_free(view);
}

static int mem_get(void *snap, int db, struct slice key, struct slice *value)
{
    struct mem_snap *view = snap;
    if (view->disk->dead)
        return STORE_IO;
    view->disk->n_gets++;
    const struct row *row = row_find(view->tables[db], key);
    if (!row)
        return STORE_NOTFOUND;
    *value = row_value(row);
    return STORE_OK;
}

static int mem_scan(void *snap, int db, struct slice from, struct slice below, bool backward, size_t limit,
                    struct store_row *rows, size_t *n_rows)
{
    struct mem_snap *view = snap;
    if (view->disk->dead)
        return STORE_IO;
    const struct table *t = view->tables[db];
    size_t first = from.size ? lower(t, 0, from) : 0;
    size_t end = below.size ? lower(t, first, below) : t->n_rows;
    size_t n = end - first < limit ? end - first : limit;
    for (size_t i = 0; i < n; i++) {
        const struct row *row = t->rows[backward ? end - 1 - i : first + i];
        rows[i] = (struct store_row){row_key(row), row_value(row)};
    }
    *n_rows = n;
    view->disk->n_rows_scanned += n;
    return STORE_OK;
}

/* What each fault does: is the commit made, what is answered, is the disk dead then. [0] is a good day. */
static const struct {
    bool applied;
    int rc;
    bool dead;
} faults[] = {
    {true, STORE_OK, false},
    [MEM_KILLED_BEFORE] = {false, STORE_IO, true},
    [MEM_KILLED_AFTER] = {true, STORE_IO, true},
    [MEM_UNKNOWN_APPLIED] = {true, STORE_UNKNOWN, false},
    [MEM_UNKNOWN_LOST] = {false, STORE_UNKNOWN, false},
    [MEM_FULL] = {false, STORE_FULL, false},
    [MEM_IO] = {false, STORE_IO, true},
};

static int next_fault(struct mem_disk *disk)
{
    int asked = disk->ask ? disk->ask(disk->ask_self) : 0;
    if (asked || !disk->fail_in || --disk->fail_in)
        return asked;
    bool known = disk->fault >= MEM_KILLED_BEFORE && disk->fault <= MEM_IO;
    return known ? disk->fault : 0;
}

static void make(struct mem_store *s, const struct store_lease *lease, const uint8_t *txid, size_t n_changes)
{
    struct mem_data *data = s->disk->data;
    apply(data, s->changes, n_changes);
    put_own(data, store_key_last_txid, slice_of(txid, STORE_TXID_BYTES));
    if (s->fence_stored != lease->fence)
        put_own_number(data, store_key_fence, lease->fence);
    s->fence_stored = lease->fence;
}

static int mem_commit(void *self, const struct store_lease *lease, const uint8_t txid[16], const struct store_op *ops,
                      size_t n_ops, struct err *e)
{
    struct mem_store *s = self;
    struct mem_data *data = s->disk->data;
    size_t n_changes = 0;
    int rc = alive(s->disk, e);
    if (rc != STORE_OK)
        return rc;
    if (data->owner != s || lease->fence != data->fence_high)
        return store_refuse_owner(name, e);
    if (s->room < n_ops)
        s->changes = mem_grow(s->changes, (s->room = n_ops * 2) * sizeof(*s->changes));
    rc = stage(s, ops, n_ops, &n_changes, e);
    if (rc != STORE_OK || !n_changes)
        return rc;
    int fault = next_fault(s->disk);
    if (faults[fault].applied) {
        make(s, lease, txid, n_changes);
        s->disk->n_commits++;
        s->disk->n_ops += n_ops;
    }
    s->disk->dead = faults[fault].dead;
    return fault ? store_refuse(faults[fault].rc, name, "a fault that was asked for", e) : STORE_OK;
}

static int mem_resolve(void *self, const struct store_lease *lease, const uint8_t txid[16], bool *applied,
                       struct err *e)
{
    struct mem_store *s = self;
    (void)lease;
    *applied = false;
    int rc = alive(s->disk, e);
    if (rc != STORE_OK)
        return rc;
    if (s->disk->deaf) {
        s->disk->deaf--;
        return store_refuse(STORE_UNKNOWN, name, "a fault that was asked for", e);
    }
    const struct row *row = row_find(s->disk->data->tables[DB_META], store_key_last_txid);
    *applied = row && key_order(row_value(row), slice_of(txid, STORE_TXID_BYTES)) == 0;
    return STORE_OK;
}

static int mem_backup(void *self, const char *to_folder, struct err *e)
{
    (void)self;
    err_set(e, ERR_CONFIG, "a store in memory has no backup in %s: copy its disk instead", to_folder);
    return STORE_NOTFOUND;
}

const struct store_driver store_mem = {
    .name = "mem",
    .open = mem_open,
    .close = mem_close,
    .acquire = mem_acquire,
    .release = mem_release,
    .snap = mem_take_snap,
    .snap_end = mem_snap_end,
    .get = mem_get,
    .scan = mem_scan,
    .commit = mem_commit,
    .resolve = mem_resolve,
    .backup = mem_backup,
};
