/* SPDX-License-Identifier: MIT */
/* pull.c - captures what changed on both sides in the durable inbox; a page and its cursor commit together. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "sync/engine.h"

enum { FLUSH_ITEMS = 5000 };

struct capture {
    struct engine *g;
    int side;
    struct store_snap *snap;
    struct arena scratch;
    size_t n_new;
    uint64_t n_seen;
    bool failed;
    char *stored, *next; /* the cursor in the state, and where the next page begins */
    char *mark; /* where an earlier page began */
    bool leftovers; /* rows of earlier runs wait in the inbox */
    bool partial; /* the stored cursor stands in the middle of a listing */
    bool resumed; /* this run began there */
    bool doubted; /* what is known of this side is of another epoch, or of none */
};

static const char *side_key(struct arena *a, const char *what, int s)
{
    return arena_printf(a, "%s.%d", what, s);
}

/* Ends the view, commits what was captured, begins a new view. */
static int flush(struct capture *c)
{
    store_snap_end(c->snap);
    c->snap = NULL;
    c->n_new = 0;
    if (engine_commit(c->g))
        return c->g->e->code;
    arena_reset(&c->scratch);
    return engine_fail(c->g, store_snap(c->g->store, &c->snap, c->g->e));
}

static int class_of_marks(const struct engine *g, uint32_t marks)
{
    (void)g;
    if (marks & MARK_PARKED)
        return CLASS_PARKED;
    if (marks & MARK_WITHHELD)
        return CLASS_WITHHELD;
    if (marks & MARK_CONFLICT)
        return CLASS_CONFLICT;
    return marks & MARKS_OUTSIDE ? CLASS_FILTERED : CLASS_UNCHANGED;
}

/* True if what was emitted is what was seen last. */
static bool known_already(const struct engine *g, int side, const struct sl_item *item, const struct id_row *seen)
{
    bool all = g->env->full && (g->env->dry || item->kind != SL_ITEM_UNREADABLE); /* one that is parked stays so */
    if (g->reexamine || all)
        return false;
    switch (item->kind) {
    case SL_ITEM_STUB:
    case SL_ITEM_UNREADABLE:
        return seen->version != 0 && seen->version == version_hash(item->version);
    case SL_ITEM_RECORD: /* a new comment changes nothing of its ticket but the version */
        if (g->pair->n_children && seen->version != version_hash(item->record->version))
            return false;
        return seen->content != 0 && seen->content == record_digest(item->record);
    case SL_ITEM_TOMBSTONE:
        return (seen->marks & (MARK_GONE(side) | MARK_WITHHELD)) == MARK_GONE(side);
    default:
        return false;
    }
}

/* True if the very same row is in the inbox: what waits there is not written again with every listing. */
static bool waits_already(struct capture *c, const char *id, const struct inbox_row *row)
{
    struct row_key k = key_id(c->side, id);
    struct slice old;
    if (c->n_new > 0 || store_get(c->snap, DB_INBOX, key_slice(&k), &old) != STORE_OK)
        return false;
    struct buf now = {0};
    inbox_encode(&now, id, row);
    bool same = now.size == old.size && memcmp(now.data, old.data, old.size) == 0;
    buf_fini(&now);
    return same;
}

static void keep(struct capture *c, const struct sl_item *item, bool known)
{
    static const uint8_t kinds[] = {[SL_ITEM_RECORD] = INBOX_RECORD,
                                    [SL_ITEM_STUB] = INBOX_HINT,
                                    [SL_ITEM_TOMBSTONE] = INBOX_GONE,
                                    [SL_ITEM_HINT] = INBOX_HINT,
                                    [SL_ITEM_UNREADABLE] = INBOX_UNREADABLE};
    struct inbox_row row = {.kind = kinds[item->kind],
                            .record = item->record,
                            .version = item->version,
                            .message = item->message,
                            .successor = item->successor_id,
                            .error_class = (uint8_t)item->error_class};
    /* a stale read that outlived its run would be believed in the next: only that there is something to read is kept */
    if (known && row.kind == INBOX_RECORD && c->g->object[c->side]->object.stale_ms > 0)
        row = (struct inbox_row){.kind = INBOX_HINT, .version = item->version};
    if (waits_already(c, item->id, &row))
        return;
    put_inbox_row(&c->g->batch, c->side, item->id, &row);
    c->n_new++;
}

/* Listed now, and the inbox still says that it is gone. */
static bool back_again(struct capture *c, const char *id)
{
    struct inbox_row row;
    if (!c->leftovers || state_inbox(c->snap, c->side, id, &c->scratch, &row, c->g->e) != STORE_OK)
        return false;
    return row.kind == INBOX_ABSENT || row.kind == INBOX_GONE;
}

/* Deleted before it was ever planned. */
static void drop_waiting(struct capture *c, const char *id)
{
    struct row_key k = key_id(c->side, id);
    struct slice row;
    if (c->n_new > 0 || store_get(c->snap, DB_INBOX, key_slice(&k), &row) == STORE_OK)
        del_inbox_row(&c->g->batch, c->side, id);
}

static int take(void *self, const struct sl_item *item)
{
    struct capture *c = self;
    struct id_row seen;
    const char *id = item->id;
    int rc = state_id(c->snap, c->side, id, &seen, c->g->e);
    c->failed = rc != STORE_OK && rc != STORE_NOTFOUND;
    if (c->failed)
        return 1;
    if (rc == STORE_OK && item->kind != SL_ITEM_TOMBSTONE) {
        engine_listed(c->g, seen.link, c->side);
        engine_class(c->g, seen.link, class_of_marks(c->g, seen.marks));
    }
    if (rc == STORE_NOTFOUND && item->kind == SL_ITEM_TOMBSTONE)
        drop_waiting(c, id);
    else if (rc == STORE_NOTFOUND || !known_already(c->g, c->side, item, &seen) || back_again(c, id))
        keep(c, item, rc == STORE_OK);
    if ((++c->n_seen & 4095) == 0)
        engine_progress(c->g, c->side ? "reading b" : "reading a", c->n_seen, 0);
    if (c->n_new >= FLUSH_ITEMS || (c->n_seen % 20000) == 0 || c->g->batch.arena.used_bytes > FLUSH_BYTES)
        c->failed = flush(c) != 0;
    return c->failed;
}

/* An edited filter makes nothing absent, so a listing under it is believed next time; under another source all that lacks has left. */
static bool believes_absence(const struct engine *g, int s)
{
    return !g->scope_changed[s] || g->source_changed[s];
}

/*
 * Of another epoch its versions may have been given before: none is known any more. Where none was ever told nobody can say whether
 * the first one is another, which is a reason to look, but none to withhold deletes.
 */
static void take_epoch(struct capture *c, const char *epoch, const char *old_epoch)
{
    struct engine *g = c->g;
    if (!epoch || !*epoch || text_equal(epoch, old_epoch))
        return;
    g->epoch_changed[c->side] |= old_epoch != NULL;
    if (old_epoch || !state_side_empty(c->snap, DB_IDS, c->side)) {
        engine_doubt_all(g);
        c->doubted = true;
    }
    put_meta_text(&g->batch, side_key(&c->scratch, "epoch", c->side), epoch);
}

/*
 * What the end of a page settles: cursor and epoch, in the same commit as the page's last items. Where a page of a listing brought
 * nothing new, its end need not outlive the run. An empty cursor never replaces a cursor, but the end of a listing does away with
 * the places in its middle.
 */
static void end_page(struct capture *c, const struct page_end *end, const char *old_epoch)
{
    struct engine *g = c->g;
    /* a listing whose absences are not believed must come again: behind its cursor they would be hidden */
    bool again = end->kind == SL_PAGE_COMPLETE && (c->resumed || g->young[c->side] || !believes_absence(g, c->side));
    const char *cursor = end->cursor && *end->cursor && !again ? end->cursor : NULL;
    bool more = end->kind == SL_PAGE_MORE;
    take_epoch(c, end->epoch, old_epoch);
    mem_free(c->next);
    c->next = cursor ? mem_dup(cursor) : NULL;
    if (more && g->batch.n_ops == 0 && !c->partial)
        return;
    if (cursor && !text_equal(cursor, c->stored)) {
        put_meta_text(&g->batch, side_key(&c->scratch, "cursor", c->side), cursor);
    } else if (!cursor && c->stored && end->kind == SL_PAGE_COMPLETE) {
        struct row_key k = key_text(side_key(&c->scratch, "cursor", c->side));
        batch_del(&g->batch, DB_META, key_slice(&k));
    }
    if (more != c->partial)
        put_meta_number(&g->batch, side_key(&c->scratch, "partial", c->side), more);
    c->partial = more;
    if (cursor || end->kind == SL_PAGE_COMPLETE) {
        mem_free(c->stored);
        c->stored = cursor ? mem_dup(cursor) : NULL;
    }
}

/* A link whose record a complete listing did not name: to be confirmed by a read. */
static int note_absent(struct engine *g, struct store_snap *snap, uint64_t number, int s, struct arena *a)
{
    struct link l;
    struct inbox_row row;
    int rc = state_link(snap, number, a, &l, g->e);
    if (rc != STORE_OK)
        return engine_fail(g, rc);
    bool there = l.id[s] && l.state != LINK_UNLINKED && l.state != LINK_UNDONE &&
                 !(l.marks & MARK_GONE(s) && !(l.marks & MARK_WITHHELD)) && !(l.marks & MARK_LEFT(s));
    /* what we wrote a moment ago may not be in the listing yet */
    uint32_t lag_ms = g->object[s]->object.index_lag_ms; /* 0: there all the same, whatever the clock says */
    bool lagging = lag_ms && l.settled_ms && l.settled_ms + lag_ms > g->now_ms;
    /* which what may be an older state cannot tell: there its read does */
    bool ask = lagging && g->copied && (g->caps[s] & SL_CAP_GET);
    g->young[s] |= there && lagging && !ask;
    if (!there || (lagging && !ask))
        return 0;
    rc = state_inbox(snap, s, l.id[s], a, &row, g->e);
    if (rc == STORE_OK && (row.kind == INBOX_ABSENT || row.kind == INBOX_GONE))
        return 0;
    put_inbox_row(&g->batch, s, l.id[s], &(struct inbox_row){.kind = ask ? INBOX_HINT : INBOX_ABSENT});
    return engine_fail(g, rc);
}

static int find_absent(struct engine *g, int s)
{
    struct arena a = {0};
    int rc = 0;
    for (uint64_t from = 1; rc == 0 && from < g->next.link;) {
        struct store_snap *snap = NULL;
        rc = engine_fail(g, store_snap(g->store, &snap, g->e));
        size_t n = 0;
        for (; rc == 0 && from < g->next.link && n < 1000; from++)
            if (from >= g->room || !(g->listed[s][from])) {
                rc = note_absent(g, snap, from, s, &a);
                n++;
            }
        store_snap_end(snap);
        arena_reset(&a);
        if (rc == 0)
            rc = engine_commit(g);
    }
    arena_fini(&a);
    return rc;
}

/* The page's items first: what they tell counts more than an absence. */
static int note_all_absent(struct capture *c)
{
    store_snap_end(c->snap);
    c->snap = NULL;
    if (engine_commit(c->g) || find_absent(c->g, c->side))
        return c->g->e->code;
    return engine_fail(c->g, store_snap(c->g->store, &c->snap, c->g->e));
}

/* A cursor never passes what is not captured any more: it goes with the first row that is dropped. */
static void forget_cursor(struct capture *c)
{
    struct row_key k = key_text(side_key(&c->scratch, "cursor", c->side));
    if (c->stored)
        batch_del(&c->g->batch, DB_META, key_slice(&k));
    mem_free(c->stored);
    c->stored = NULL;
}

/* Before the whole collection is listed: what an earlier run captured and nobody knows yet comes again, or is gone. */
static int drop_unknown(struct capture *c)
{
    enum { ROWS = 500 };
    struct store_row rows[ROWS];
    size_t n = ROWS;
    uint8_t below[1] = {(uint8_t)(c->side + 1)};
    struct row_key from = {.bytes = {(uint8_t)c->side}, .size = 1};
    while (n == ROWS && !c->g->e->code) {
        engine_fail(c->g, store_scan(c->snap, DB_INBOX, key_slice(&from), slice_of(below, 1), false, ROWS, rows, &n));
        for (size_t i = 0; i < n && !c->g->e->code; i++) {
            struct inbox_row row;
            struct id_row seen;
            const char *id = NULL;
            memcpy(from.bytes, rows[i].key.data, rows[i].key.size);
            from.bytes[rows[i].key.size] = 0;
            from.size = rows[i].key.size + 1;
            if (!inbox_decode(rows[i].value, &c->scratch, &row, &id, c->g->e) &&
                state_id(c->snap, c->side, id, &seen, c->g->e) == STORE_NOTFOUND) {
                del_inbox_row(&c->g->batch, c->side, id);
                forget_cursor(c);
            }
        }
        if (!c->g->e->code)
            flush(c);
    }
    return c->g->e->code;
}

/* The system does not know the cursor any more: the collection is listed from its beginning. */
static int begin_anew(struct capture *c)
{
    err_clear(c->g->e);
    mem_free(c->next);
    c->next = NULL;
    c->resumed = false;
    return drop_unknown(c);
}

/* Pages that come to a cursor again go in a circle; the one compared with moves on at each power of two. */
static int look_for_circle(struct capture *c, unsigned page)
{
    if (c->next && text_equal(c->next, c->mark))
        return err_set(c->g->e, ERR_FAILED,
                       "%s: its pages go in a circle and come to no end; tell the connector's author",
                       c->g->pair->side[c->side].connection);
    if ((page & (page - 1)) == 0) {
        mem_free(c->mark);
        c->mark = c->next ? mem_dup(c->next) : NULL;
    }
    return 0;
}

static int pull_page(struct capture *c, struct arena *a, bool *more)
{
    struct engine *g = c->g;
    struct page_end end;
    struct sl_pull pull = {.size = sizeof pull, .object = g->pair->side[c->side].object, .cursor = c->next};
    const char *epoch = meta_text(c->snap, side_key(a, "epoch", c->side), a);
    if (state_side_empty(c->snap, DB_IDS, c->side))
        pull.flags |= SL_PULL_RECORDS;
    if (g->env->full || g->reexamine || g->source_changed[c->side])
        pull.flags |= SL_PULL_FULL;
    int rc = session_pull(g->env->session[c->side], &pull, (struct session_sink){c, take}, a, &end, g->e);
    if (c->failed)
        return g->e->code ? g->e->code : ERR_STATE;
    if (rc == SL_GONE && pull.cursor)
        return begin_anew(c);
    if (rc)
        return class_err(rc);
    *more = end.kind == SL_PAGE_MORE;
    /* a listing taken up in the middle does not show what its first pages held */
    g->complete[c->side] |= end.kind == SL_PAGE_COMPLETE && !c->resumed;
    /* Order is important: behind its cursor an unchanged collection is not listed again, so what is absent is noted before. */
    if (g->complete[c->side] && believes_absence(g, c->side) && note_all_absent(c))
        return g->e->code;
    bool trusted = !c->doubted;
    end_page(c, &end, epoch);
    if (trusted && c->doubted) {
        *more = true;
        return begin_anew(c);
    }
    return flush(c);
}

static void begin_side(struct capture *c)
{
    const char *cursor = meta_text(c->snap, side_key(&c->scratch, "cursor", c->side), &c->scratch);
    c->partial = meta_number(c->snap, side_key(&c->scratch, "partial", c->side), 0) != 0;
    /* a local listing costs little, and taken up in the middle it would show no deletes */
    bool restart = c->g->env->full || c->g->reexamine || (c->partial && local_side(c->g, c->side));
    c->resumed = c->partial && cursor && !restart;
    c->leftovers = !state_side_empty(c->snap, DB_INBOX, c->side);
    c->stored = cursor ? mem_dup(cursor) : NULL;
    c->next = cursor && !restart ? mem_dup(cursor) : NULL;
}

static int pull_side(struct engine *g, int s)
{
    struct capture c = {.g = g, .side = s};
    struct arena a = {0};
    bool more = true;
    int rc = engine_fail(g, store_snap(g->store, &c.snap, g->e));
    if (rc == 0)
        begin_side(&c);
    if (rc == 0 && c.leftovers && !c.next)
        rc = drop_unknown(&c);
    for (unsigned page = 0; rc == 0 && more; page++) {
        rc = pull_page(&c, &a, &more);
        arena_reset(&a);
        if (rc == 0 && more)
            rc = look_for_circle(&c, page);
    }
    store_snap_end(c.snap);
    mem_free(c.stored);
    mem_free(c.next);
    mem_free(c.mark);
    arena_fini(&c.scratch);
    arena_fini(&a);
    return rc;
}

/* A pull that knows no cursor: a parent's children are listed whole, and what lacks is not deleted for it. */
static int pull_children(struct capture *c, const char *parent_id, struct arena *a)
{
    struct engine *g = c->g;
    struct page_end end = {.kind = SL_PAGE_MORE};
    for (unsigned page = 0; end.kind == SL_PAGE_MORE; page++) {
        struct sl_pull pull = {.size = sizeof pull,
                               .flags = g->env->full ? SL_PULL_FULL : 0,
                               .object = g->pair->side[c->side].object,
                               .cursor = c->next,
                               .parent_id = parent_id};
        int rc = session_pull(g->env->session[c->side], &pull, (struct session_sink){c, take}, a, &end, g->e);
        if (c->failed)
            return g->e->code ? g->e->code : ERR_STATE;
        if (rc == SL_GONE || rc == SL_REJECTED) { /* one parent's trouble is not the others' */
            engine_say(g, "%s", g->e->text);
            err_clear(g->e);
            return flush(c);
        }
        if (rc)
            return class_err(rc);
        mem_free(c->next);
        c->next = end.cursor && *end.cursor ? mem_dup(end.cursor) : NULL;
        if (flush(c) || (end.kind == SL_PAGE_MORE && look_for_circle(c, page)))
            return g->e->code;
        arena_reset(a);
    }
    return 0;
}

int engine_pull_parent(struct engine *g, int s, const char *parent_id, size_t *captured)
{
    struct capture c = {.g = g, .side = s};
    struct arena a = {0};
    int rc = engine_fail(g, store_snap(g->store, &c.snap, g->e));
    if (rc == 0)
        rc = pull_children(&c, parent_id, &a);
    *captured += c.n_seen;
    store_snap_end(c.snap);
    mem_free(c.next);
    mem_free(c.mark);
    arena_fini(&c.scratch);
    arena_fini(&a);
    return rc;
}

/* Somebody else gave the id: that it cannot be read is no reason to park what nobody has seen. */
static int take_asked(void *self, const struct sl_item *item)
{
    struct capture *c = self;
    struct id_row seen;
    bool stranger =
        item->kind == SL_ITEM_UNREADABLE && state_id(c->snap, c->side, item->id, &seen, c->g->e) != STORE_OK;
    return stranger ? 0 : take(self, item);
}

int engine_pull_ids(struct engine *g, int s, const char *const *ids, size_t n)
{
    struct capture c = {.g = g, .side = s};
    int rc = SL_OK;
    if (engine_fail(g, store_snap(g->store, &c.snap, g->e)))
        return SL_OK;
    struct err call = {0};
    rc = session_get(g->env->session[s], g->pair->side[s].object, ids, (uint32_t)n,
                     (struct session_sink){&c, take_asked}, &call);
    if (!c.failed)
        flush(&c);
    if (rc && !g->e->code)
        engine_say(g, "%s", call.text);
    store_snap_end(c.snap);
    arena_fini(&c.scratch);
    return rc;
}

int engine_pull(struct engine *g)
{
    for (int s = 0; s < 2; s++)
        if (pull_side(g, s))
            return g->e->code;
    return 0;
}
