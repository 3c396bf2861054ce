/* SPDX-License-Identifier: MIT */
/* lmdb.c - the embedded driver: one LMDB environment a pair, each commit one durable transaction behind a fence. */
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "store/home.h"
#include "store/inside.h"

/* The lock file has 64 bytes a reader, and a head. */
enum { MAX_READERS = 512, LOCK_BYTES = (MAX_READERS + 4) * 64, FILE_MODE = 0600, WALK_TRIES = 10 };
size_t store_lmdb_map_bytes = (size_t)1 << 30;

/* Answers of our own in the place of LMDB's, whose are errno values and below -30000. */
enum { NOT_AS_EXPECTED = -1, NOT_OURS = -2 };

struct lmdb {
    struct home home;
    MDB_env *env;
    MDB_dbi dbis[DB_END];
    pid_t pid;
    bool dead; /* the storage failed: nothing this handle sees can be trusted */
    uint64_t fence, fence_stored;
    size_t n_snaps;
};

struct lmdb_snap {
    struct lmdb *lmdb;
    MDB_txn *txn;
};

/* What an answer of LMDB or of the system means; any other is STORE_IO. */
static const struct {
    int rc, store_rc;
} meanings[] = {
    {ENOSPC, STORE_FULL},           {EDQUOT, STORE_FULL},          {EFBIG, STORE_FULL},
    {MDB_MAP_FULL, STORE_FULL},     {MDB_TXN_FULL, STORE_FULL},    {EAGAIN, STORE_BUSY},
    {MDB_READERS_FULL, STORE_BUSY}, {MDB_MAP_RESIZED, STORE_BUSY}, {MDB_CORRUPTED, STORE_CORRUPT},
    {MDB_INVALID, STORE_CORRUPT},   {MDB_NOTFOUND, STORE_CORRUPT}, {MDB_PAGE_NOTFOUND, STORE_CORRUPT},
};

static int answer(struct lmdb *s, int rc, struct err *e)
{
    int store_rc = STORE_IO;
    if (rc == MDB_SUCCESS)
        return STORE_OK;
    if (rc == ENOMEM)
        mem_exhausted();
    for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
        if (meanings[i].rc == rc)
            store_rc = meanings[i].store_rc;
    s->dead = s->dead || store_rc == STORE_IO || store_rc == STORE_CORRUPT;
    return store_refuse(store_rc, s->home.path, mdb_strerror(rc), e);
}

/* A handle that came through a fork is silently wrong in LMDB, so it is refused here. */
static int usable(const struct lmdb *s, struct err *e)
{
    if (s->dead)
        return store_refuse(STORE_IO, s->home.path, "it failed before", e);
    return s->pid == getpid() ? STORE_OK : store_refuse(STORE_IO, s->home.path, "opened before a fork", e);
}

static MDB_val val(struct slice bytes)
{
    static char nothing[1];
    return (MDB_val){bytes.size, bytes.data ? (void *)(uintptr_t)bytes.data : nothing};
}

static struct slice slice(MDB_val v)
{
    return slice_of(v.mv_data, v.mv_size);
}

/* Another process may have grown the map: take its size over. Not under a snapshot, whose rows would move away. */
static int begin(struct lmdb *s, unsigned flags, MDB_txn **txn)
{
    int rc = mdb_txn_begin(s->env, NULL, flags, txn);
    if (rc != MDB_MAP_RESIZED || s->n_snaps)
        return rc;
    rc = mdb_env_set_mapsize(s->env, 0);
    return rc == MDB_SUCCESS ? mdb_txn_begin(s->env, NULL, flags, txn) : rc;
}

static size_t used_bytes(const struct lmdb *s)
{
    MDB_envinfo info;
    MDB_stat st;
    mdb_env_info(s->env, &info);
    mdb_env_stat(s->env, &st);
    return (info.me_last_pgno + 1) * st.ms_psize;
}

/* Only called with no transaction active. */
static int grow(struct lmdb *s, bool anyway)
{
    MDB_envinfo info;
    mdb_env_info(s->env, &info);
    size_t size = header_map_bytes(info.me_mapsize * (anyway ? 2 : 1), used_bytes(s));
    return size == info.me_mapsize ? MDB_SUCCESS : mdb_env_set_mapsize(s->env, size);
}

static void log_assertion(MDB_env *env, const char *text)
{
    const char *path = "";
    mdb_env_get_path(env, &path);
    log_line(LOG_ERROR, NULL, "%s is damaged (%s): restore it from a backup", path, text);
}

static int env_open(MDB_env **env, const char *path, unsigned flags, size_t map_bytes)
{
    int fd = -1;
    int rc = mdb_env_create(env);
    if (rc != MDB_SUCCESS)
        return rc;
    mdb_env_set_assert(*env, log_assertion);
    mdb_env_set_maxdbs(*env, DB_END);
    mdb_env_set_maxreaders(*env, MAX_READERS);
    rc = mdb_env_set_mapsize(*env, map_bytes);
    if (rc == MDB_SUCCESS && !(flags & MDB_NOLOCK))
        rc = home_lock_room(path, LOCK_BYTES);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_open(*env, path, flags | MDB_NOTLS, FILE_MODE);
    /* LMDB 0.9.24 leaves this one descriptor of its three open across an exec. */
    if (rc == MDB_SUCCESS)
        rc = mdb_env_get_fd(*env, &fd);
    return rc == MDB_SUCCESS && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ? errno : rc;
}

static int put_number(MDB_txn *txn, MDB_dbi dbi, struct slice key, uint64_t number)
{
    uint8_t bytes[STORE_NUMBER_BYTES];
    number_put(bytes, number);
    MDB_val k = val(key), v = {sizeof(bytes), bytes};
    return mdb_put(txn, dbi, &k, &v, 0);
}

static int get_number(MDB_txn *txn, MDB_dbi dbi, struct slice key, uint64_t *number)
{
    MDB_val k = val(key), v = {0, NULL};
    int rc = mdb_get(txn, dbi, &k, &v);
    return rc == MDB_SUCCESS && !number_get(slice(v), number) ? MDB_INVALID : rc;
}

/* The format first: what else there is depends on it. */
static int open_databases(struct lmdb *s, MDB_txn *txn, bool make, uint64_t *format)
{
    unsigned flags = make ? MDB_CREATE : 0;
    int rc = mdb_dbi_open(txn, store_db_names[DB_META], flags, &s->dbis[DB_META]);
    if (rc == MDB_SUCCESS && make)
        rc = put_number(txn, s->dbis[DB_META], store_key_format, STORE_FORMAT);
    if (rc == MDB_SUCCESS)
        rc = get_number(txn, s->dbis[DB_META], store_key_format, format);
    for (int db = DB_META; rc == MDB_SUCCESS && *format == STORE_FORMAT && db < DB_END; db++)
        rc = mdb_dbi_open(txn, store_db_names[db], flags, &s->dbis[db]);
    return rc;
}

/* Ends in a commit, also if it only read: an abort would close the databases again. */
static int enter(struct lmdb *s, bool make, uint64_t *format)
{
    MDB_txn *txn = NULL;
    int rc = begin(s, make ? 0 : MDB_RDONLY, &txn);
    if (rc != MDB_SUCCESS)
        return rc;
    rc = open_databases(s, txn, make, format);
    if (rc == MDB_SUCCESS)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
}

static int fill_new(const char *path, void *context, struct err *e)
{
    struct lmdb *s = context;
    uint64_t format = 0;
    int rc = env_open(&s->env, path, 0, store_lmdb_map_bytes);
    if (rc == MDB_SUCCESS)
        rc = enter(s, true, &format);
    mdb_env_close(s->env);
    s->env = NULL;
    return answer(s, rc == EIO && file_room(path) < DISK_FULL_BYTES ? ENOSPC : rc, e); /* as in write_all */
}

/*
 * A file with fewer pages than its header counts is either cut off or merely had free pages at its end that were never
 * written, which is normal. Only its trees tell. Looked at in a read transaction, under which they stay as they are.
 */
static int check_short(struct lmdb *s, struct header header)
{
    MDB_txn *txn = NULL;
    int fd = -1;
    bool whole = header.n_pages <= header.n_whole;
    bool same = whole;
    int rc = MDB_SUCCESS;
    for (int i = 0; !same && rc == MDB_SUCCESS && i < WALK_TRIES; i++) {
        rc = begin(s, MDB_RDONLY, &txn);
        if (rc != MDB_SUCCESS)
            break;
        mdb_env_get_fd(s->env, &fd);
        same = !header_read(fd, &header) && header.txnid == mdb_txn_id(txn);
        whole = same && header_trees_whole(fd, &header);
        mdb_txn_abort(txn);
    }
    return rc == MDB_SUCCESS && !whole ? MDB_CORRUPTED : rc;
}

/*
 * A reader needs the lock file, and LMDB would make one. Where there is none nobody has the state open, and holding
 * the owner file's lock, shared, keeps it so.
 */
static int reader_flags(struct lmdb *s, unsigned *flags, struct err *e)
{
    *flags = MDB_RDONLY;
    if (home_holds(&s->home, HOME_LOCK))
        return STORE_OK;
    *flags |= MDB_NOLOCK;
    if (home_share(&s->home))
        return STORE_OK;
    return store_refuse(STORE_BUSY, s->home.path, "another process opens it", e);
}

static int open_here(struct lmdb *s, bool read_only, struct err *e)
{
    struct header header = {0};
    unsigned flags = 0;
    uint64_t format = 0;
    int rc = home_open(&s->home, e);
    if (rc == STORE_OK && read_only)
        rc = reader_flags(s, &flags, e);
    if (rc == STORE_OK)
        rc = home_admit(&s->home, &header, e);
    if (rc != STORE_OK)
        return rc;
    size_t map_bytes = header_map_bytes(store_lmdb_map_bytes, header.n_pages * header.page_bytes);
    int mdb_rc = env_open(&s->env, s->home.path, flags, map_bytes);
    if (mdb_rc == MDB_SUCCESS && !(flags & MDB_NOLOCK))
        mdb_rc = mdb_reader_check(s->env, NULL);
    if (mdb_rc == MDB_SUCCESS)
        mdb_rc = check_short(s, header);
    if (mdb_rc == MDB_SUCCESS)
        mdb_rc = enter(s, false, &format);
    if (mdb_rc == MDB_SUCCESS && format != STORE_FORMAT)
        return store_refuse_format(s->home.path, format, e);
    return answer(s, mdb_rc, e);
}

/* LMDB's manual: an environment is used, and closed, in the process that opened it. A child of a fork leaves it alone. */
static void lmdb_close(void *self)
{
    struct lmdb *s = self;
    if (s->env && s->pid == getpid())
        mdb_env_close(s->env);
    home_close(&s->home);
    mem_free(s);
}

static int lmdb_open(void **self, const char *where, bool read_only, struct err *e)
{
    struct lmdb *s = mem_alloc(sizeof(*s));
    s->pid = getpid();
    home_init(&s->home, where);
    int rc = STORE_OK;
    if (!home_holds_data(where)) {
        rc = read_only ? STORE_NOTFOUND : home_make(where, fill_new, s, e);
        if (read_only)
            err_set(e, ERR_NOTFOUND, "%s holds no state yet: run the pair once", where);
    }
    if (rc == STORE_OK)
        rc = open_here(s, read_only, e);
    if (rc == STORE_OK)
        *self = s;
    else
        lmdb_close(s);
    return rc;
}

static int lmdb_take_snap(void *self, void **snap, struct err *e)
{
    struct lmdb *s = self;
    MDB_txn *txn = NULL;
    int rc = usable(s, e);
    if (rc == STORE_OK)
        rc = answer(s, begin(s, MDB_RDONLY, &txn), e);
    if (rc != STORE_OK)
        return rc;
    struct lmdb_snap *view = mem_alloc(sizeof(*view));
    view->lmdb = s;
    view->txn = txn;
    s->n_snaps++;
    *snap = view;
    return STORE_OK;
}

static void lmdb_snap_end(void *snap)
{
    struct lmdb_snap *view = snap;
    mdb_txn_abort(view->txn);
    view->lmdb->n_snaps--;
    mem_free(view);
}

static int lmdb_get(void *snap, int db, struct slice key, struct slice *value)
{
    struct lmdb_snap *view = snap;
    MDB_val k = val(key), v;
    int rc = mdb_get(view->txn, view->lmdb->dbis[db], &k, &v);
    if (rc == MDB_NOTFOUND)
        return STORE_NOTFOUND;
    if (rc == MDB_SUCCESS)
        *value = slice(v);
    return answer(view->lmdb, rc, NULL);
}

/* Absent reads as 0: nobody has committed yet. */
static int read_fence(struct lmdb *s, struct err *e)
{
    void *snap = NULL;
    struct slice row = {0};
    int rc = lmdb_take_snap(s, &snap, e);
    if (rc != STORE_OK)
        return rc;
    rc = lmdb_get(snap, DB_META, store_key_fence, &row);
    s->fence_stored = 0;
    if (rc == STORE_OK && !number_get(row, &s->fence_stored))
        rc = answer(s, MDB_INVALID, e);
    lmdb_snap_end(snap);
    return rc == STORE_NOTFOUND ? STORE_OK : rc;
}

/*
 * Makes no commit. The new fence is noted in the owner file and becomes a row with the first commit made under it, in the same
 * transaction. That is safe under the file's lock: nobody else can commit before this owner lets go, an owner that committed
 * nothing left nothing to be told apart from, and a note lost with the power is lost together with the process that had it.
 */
static int lmdb_acquire(void *self, bool wait, struct store_lease *out, struct err *e)
{
    struct lmdb *s = self;
    uint64_t noted = 0;
    int rc = usable(s, e);
    if (rc == STORE_OK)
        rc = home_own(&s->home, wait, &noted, e);
    if (rc != STORE_OK)
        return rc;
    mdb_reader_check(s->env, NULL);
    rc = home_still_there(&s->home, e);
    /* An owner killed in its commit may have left what is seen but not yet flushed. Nothing is built on that. */
    if (rc == STORE_OK)
        rc = answer(s, mdb_env_sync(s->env, 1), e);
    if (rc == STORE_OK)
        rc = read_fence(s, e);
    if (rc != STORE_OK) {
        home_disown(&s->home);
        return rc;
    }
    s->fence = (noted > s->fence_stored ? noted : s->fence_stored) + 1;
    home_note(&s->home, s->fence);
    home_reserve(&s->home);
    *out = (struct store_lease){.fence = s->fence};
    return STORE_OK;
}

static int lmdb_release(void *self, struct store_lease *lease)
{
    struct lmdb *s = self;
    if (s->pid == getpid())
        home_disown(&s->home);
    s->fence = 0;
    lease->fence = 0;
    return STORE_OK;
}

/* Puts the cursor on the first row of the scan. */
static int seek(MDB_cursor *cursor, struct slice from, struct slice below, bool backward, MDB_val *k, MDB_val *v)
{
    struct slice bound = backward ? below : from;
    if (!bound.size)
        return mdb_cursor_get(cursor, k, v, backward ? MDB_LAST : MDB_FIRST);
    *k = val(bound);
    int rc = mdb_cursor_get(cursor, k, v, MDB_SET_RANGE);
    if (!backward)
        return rc;
    return mdb_cursor_get(cursor, k, v, rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
}

static int lmdb_scan(void *snap, int db, struct slice from, struct slice below, bool backward, size_t limit,
                     struct store_row *rows, size_t *n_rows)
{
    struct lmdb_snap *view = snap;
    MDB_cursor *cursor = NULL;
    MDB_val k, v;
    int rc = mdb_cursor_open(view->txn, view->lmdb->dbis[db], &cursor);
    if (rc != MDB_SUCCESS)
        return answer(view->lmdb, rc, NULL);
    rc = seek(cursor, from, below, backward, &k, &v);
    while (rc == MDB_SUCCESS) {
        bool inside = backward ? key_order(slice(k), from) >= 0 : !below.size || key_order(slice(k), below) < 0;
        if (!inside)
            break;
        rows[(*n_rows)++] = (struct store_row){slice(k), slice(v)};
        if (*n_rows == limit)
            break;
        rc = mdb_cursor_get(cursor, &k, &v, backward ? MDB_PREV : MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? STORE_OK : answer(view->lmdb, rc, NULL);
}

/* The walk of one commit through the databases. */
struct walk {
    struct lmdb *lmdb;
    MDB_txn *txn;
    MDB_cursor *cursor;
    const struct store_op *op; /* the present one: after an error the one that failed */
    bool wrote;
    int db;
    /* A key above which the database holds nothing: beyond it rows are absent, and new ones are appended. Empty: all are. */
    size_t last_size;
    uint8_t last[STORE_KEY_MAX];
};

static void walk_last(struct walk *w, struct slice key)
{
    w->last_size = key.size < sizeof(w->last) ? key.size : sizeof(w->last);
    memcpy(w->last, key.data, w->last_size);
}

static int walk_enter(struct walk *w, int db)
{
    MDB_val k, v;
    mdb_cursor_close(w->cursor);
    w->cursor = NULL;
    w->db = db;
    w->last_size = 0;
    int rc = mdb_cursor_open(w->txn, w->lmdb->dbis[db], &w->cursor);
    if (rc == MDB_SUCCESS)
        rc = mdb_cursor_get(w->cursor, &k, &v, MDB_LAST);
    if (rc == MDB_SUCCESS)
        walk_last(w, slice(k));
    return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
}

static int walk_put(struct walk *w, bool beyond, bool new)
{
    MDB_val k = val(w->op->key), v = val(w->op->value);
    unsigned flags = beyond ? MDB_APPEND : new ? MDB_NOOVERWRITE : 0;
    int rc = mdb_cursor_put(w->cursor, &k, &v, flags);
    w->wrote = w->wrote || rc == MDB_SUCCESS;
    if (rc == MDB_SUCCESS && beyond)
        walk_last(w, w->op->key);
    return rc == MDB_KEYEXIST ? NOT_AS_EXPECTED : rc;
}

/* Deletes the row or compares it, if it is there. */
static int walk_look(struct walk *w, bool beyond)
{
    MDB_val k = val(w->op->key), v = {0, NULL};
    int rc = beyond ? MDB_NOTFOUND : mdb_cursor_get(w->cursor, &k, &v, MDB_SET_KEY);
    if (rc != MDB_SUCCESS && rc != MDB_NOTFOUND)
        return rc;
    bool present = rc == MDB_SUCCESS;
    if (w->op->kind == STORE_EXPECT)
        return expect_holds(w->op, present, slice(v)) ? MDB_SUCCESS : NOT_AS_EXPECTED;
    w->wrote = w->wrote || present;
    return present ? mdb_cursor_del(w->cursor, 0) : MDB_SUCCESS;
}

static int walk_op(struct walk *w)
{
    int rc = w->op->db == w->db ? MDB_SUCCESS : walk_enter(w, w->op->db);
    if (rc != MDB_SUCCESS)
        return rc;
    bool beyond = key_order(w->op->key, slice_of(w->last, w->last_size)) > 0;
    bool puts = w->op->kind == STORE_PUT || w->op->kind == STORE_PUT_NEW;
    return puts ? walk_put(w, beyond, w->op->kind == STORE_PUT_NEW) : walk_look(w, beyond);
}

/* The rows that are ours, in the same transaction: whose commit it is and which. */
static int walk_sign(const struct walk *w, const uint8_t *txid)
{
    struct lmdb *s = w->lmdb;
    MDB_val k = val(store_key_last_txid), v = {STORE_TXID_BYTES, (void *)(uintptr_t)txid};
    int rc = mdb_put(w->txn, s->dbis[DB_META], &k, &v, 0);
    if (rc == MDB_SUCCESS && s->fence != s->fence_stored)
        rc = put_number(w->txn, s->dbis[DB_META], store_key_fence, s->fence);
    return rc;
}

static int walk_all(struct walk *w, const uint8_t *txid, const struct store_op *ops, size_t n_ops)
{
    uint64_t fence = 0;
    int rc = get_number(w->txn, w->lmdb->dbis[DB_META], store_key_fence, &fence);
    if (rc == MDB_SUCCESS || rc == MDB_NOTFOUND)
        rc = fence == w->lmdb->fence_stored ? MDB_SUCCESS : NOT_OURS;
    for (size_t i = 0; i < n_ops && rc == MDB_SUCCESS; i++) {
        w->op = &ops[i];
        rc = walk_op(w);
    }
    mdb_cursor_close(w->cursor);
    return rc == MDB_SUCCESS && w->wrote ? walk_sign(w, txid) : rc;
}

/* One try. The operation that did not hold, if any, is in *failed. */
static int write_all(struct lmdb *s, const uint8_t *txid, const struct store_op *ops, size_t n_ops,
                     const struct store_op **failed)
{
    struct walk w = {.lmdb = s};
    int fd = -1;
    int rc = begin(s, 0, &w.txn);
    if (rc != MDB_SUCCESS)
        return rc;
    rc = walk_all(&w, txid, ops, n_ops);
    *failed = w.op;
    if (rc != MDB_SUCCESS || !w.wrote) {
        mdb_txn_abort(w.txn);
        return rc;
    }
    rc = mdb_txn_commit(w.txn);
    /* LMDB calls a short write an I/O error. To try again is safe: nothing committed shares a page with this transaction. */
    if (rc == EIO && home_full(&s->home))
        rc = ENOSPC;
    if (rc == MDB_SUCCESS) {
        s->fence_stored = s->fence;
        mdb_env_get_fd(s->env, &fd);
        header_fill_out(fd, used_bytes(s));
    }
    return rc;
}

static int lmdb_commit(void *self, const struct store_lease *lease, const uint8_t txid[16], const struct store_op *ops,
                       size_t n_ops, struct err *e)
{
    struct lmdb *s = self;
    const struct store_op *failed = NULL;
    int rc = usable(s, e);
    if (rc != STORE_OK)
        return rc;
    if (!s->home.locked || !s->fence || lease->fence != s->fence)
        return store_refuse_owner(s->home.path, e);
    rc = grow(s, false);
    if (rc == MDB_SUCCESS)
        rc = write_all(s, txid, ops, n_ops, &failed);
    while (rc == MDB_MAP_FULL && grow(s, true) == MDB_SUCCESS)
        rc = write_all(s, txid, ops, n_ops, &failed);
    if ((rc == ENOSPC || rc == EDQUOT) && home_reserve_free(&s->home)) {
        log_line(LOG_WARN, NULL, "%s: the disk is full, its reserve was used: free space", s->home.path);
        rc = write_all(s, txid, ops, n_ops, &failed);
    }
    if (rc == NOT_AS_EXPECTED)
        return store_refuse_op(failed, e);
    return rc == NOT_OURS ? store_refuse_owner(s->home.path, e) : answer(s, rc, e);
}

static int lmdb_resolve(void *self, const struct store_lease *lease, const uint8_t txid[16], bool *applied,
                        struct err *e)
{
    void *snap = NULL;
    struct slice row = {0};
    (void)lease;
    *applied = false;
    int rc = lmdb_take_snap(self, &snap, e);
    if (rc != STORE_OK)
        return rc;
    rc = lmdb_get(snap, DB_META, store_key_last_txid, &row);
    *applied = rc == STORE_OK && key_order(row, slice_of(txid, STORE_TXID_BYTES)) == 0;
    lmdb_snap_end(snap);
    return rc == STORE_NOTFOUND ? STORE_OK : rc;
}

static int fill_copy(const char *path, void *context, struct err *e)
{
    struct lmdb *s = context;
    return answer(s, mdb_env_copy2(s->env, path, MDB_CP_COMPACT), e);
}

static int lmdb_backup(void *self, const char *to_folder, struct err *e)
{
    struct lmdb *s = self;
    int rc = usable(s, e);
    if (rc == STORE_OK && home_holds_data(to_folder)) {
        err_set(e, ERR_CONFIG, "%s holds state already: name a folder that is not there yet", to_folder);
        rc = STORE_EXISTS;
    }
    return rc == STORE_OK ? home_make(to_folder, fill_copy, s, e) : rc;
}

const struct store_driver store_lmdb = {
    .name = "lmdb",
    .open = lmdb_open,
    .close = lmdb_close,
    .acquire = lmdb_acquire,
    .release = lmdb_release,
    .snap = lmdb_take_snap,
    .snap_end = lmdb_snap_end,
    .get = lmdb_get,
    .scan = lmdb_scan,
    .commit = lmdb_commit,
    .resolve = lmdb_resolve,
    .backup = lmdb_backup,
};
