/* SPDX-License-Identifier: MIT */
/* list.c - reads the state for people: what waits, history, links, the counts of status. */
#include <string.h>

#include "sync/act.h"

/* Opens a view positioned after a number, with at most max rows. */
static size_t page(struct store *s, int db, uint64_t after, struct store_row *rows, size_t max,
                   struct store_snap **snap, struct err *e)
{
    size_t n = 0;
    struct row_key from = key_number(after + 1);
    *snap = NULL;
    if (e->code || store_snap(s, snap, e) != STORE_OK)
        return 0;
    store_scan(*snap, db, key_slice(&from), slice_of(NULL, 0), false, max, rows, &n);
    return n;
}

size_t act_waits(struct store *s, int db, uint64_t after, struct arena *a, struct wait_row *rows, size_t max,
                 struct err *e)
{
    struct store_row *found = arena_alloc(a, max * sizeof *found);
    struct store_snap *snap;
    size_t n = page(s, db, after, found, max, &snap, e);
    for (size_t i = 0; i < n; i++)
        if (wait_decode(found[i].value, key_to_number(found[i].key), a, &rows[i], e))
            n = 0;
    store_snap_end(snap);
    return n;
}

size_t act_history(struct store *s, uint64_t after, struct arena *a, struct history_row *rows, size_t max,
                   struct err *e)
{
    struct store_row *found = arena_alloc(a, max * sizeof *found);
    struct store_snap *snap;
    size_t n = page(s, DB_HISTORY, after, found, max, &snap, e);
    for (size_t i = 0; i < n; i++)
        if (history_decode(found[i].value, key_to_number(found[i].key), a, &rows[i], e))
            n = 0;
    store_snap_end(snap);
    return n;
}

size_t act_links(struct store *s, uint64_t after, struct arena *a, struct link *rows, size_t max, struct err *e)
{
    struct store_row *found = arena_alloc(a, max * sizeof *found);
    struct store_snap *snap;
    size_t n = page(s, DB_LINKS, after, found, max, &snap, e);
    for (size_t i = 0; i < n; i++)
        if (link_decode(found[i].value, key_to_number(found[i].key), a, &rows[i], e))
            n = 0;
    store_snap_end(snap);
    return n;
}

/* Links with a record set aside, ascending; each once, however many of its fields are. */
struct links {
    uint64_t *number;
    size_t n, next; /* next: the first that is not below the link being counted */
};

static bool set_aside(struct links *parked, uint64_t number)
{
    while (parked->next < parked->n && parked->number[parked->next] < number)
        parked->next++;
    return parked->next < parked->n && parked->number[parked->next] == number;
}

/* One that is set aside is counted as that and nothing else, but for a delete that waits for an approval. */
static void count_link(const struct link *l, struct links *parked, struct status_counts *out)
{
    bool aside = set_aside(parked, l->number);
    if (aside && !(l->marks & MARK_WITHHELD))
        return;
    if (l->state == LINK_UNLINKED || l->state == LINK_UNDONE)
        out->unlinked++;
    else if (l->marks & MARK_WITHHELD)
        out->withheld++;
    else if (l->state == LINK_PENDING || l->open_op)
        out->pending++;
    else if (l->state == LINK_HALF || (l->marks & MARKS_OUTSIDE))
        out->excluded++;
    else if (!(l->marks & (MARK_CONFLICT | MARK_PARKED)))
        out->in_step++;
}

static uint64_t count_conflicts(struct store *s, struct err *e)
{
    uint64_t after = 0, total = 0;
    struct store_row rows[200];
    size_t n = 200;
    while (n == 200) {
        struct store_snap *snap;
        n = page(s, DB_CONFLICTS, after, rows, 200, &snap, e);
        if (n)
            after = key_to_number(rows[n - 1].key);
        total += n;
        store_snap_end(snap);
    }
    return total;
}

static void list_parked(struct store *s, struct links *out, struct err *e)
{
    enum { PAGE = 200 };
    struct wait_row rows[PAGE];
    struct arena scratch = {0};
    uint64_t after = 0;
    size_t n = PAGE;
    while (n == PAGE) {
        n = act_waits(s, DB_PARKED, after, &scratch, rows, PAGE, e);
        out->number = mem_grow(out->number, (out->n + n + 1) * sizeof *out->number);
        for (size_t i = 0; i < n; i++)
            if (out->n == 0 || out->number[out->n - 1] != rows[i].link)
                out->number[out->n++] = rows[i].link;
        if (n)
            after = rows[n - 1].number;
        arena_reset(&scratch);
    }
    arena_fini(&scratch);
}

static void last_run(struct store *s, struct arena *a, struct status_counts *out, struct err *e)
{
    struct store_snap *snap = NULL;
    struct store_row row;
    size_t n = 0;
    if (store_snap(s, &snap, e) != STORE_OK)
        return;
    store_scan(snap, DB_RUNS, slice_of(NULL, 0), slice_of(NULL, 0), true, 1, &row, &n);
    if (n)
        out->last.json = arena_dup(a, row.value.data, row.value.size);
    out->undecided = !meta_number(snap, "first_done", 0) && !meta_number(snap, "first_run", 0);
    out->last.at_ms = meta_number(snap, "last_run_ms", 0);
    store_snap_end(snap);
}

int act_status(struct store *s, struct arena *a, struct status_counts *out, struct err *e)
{
    enum { PAGE = 500 };
    struct link *rows = mem_alloc(PAGE * sizeof *rows);
    struct arena scratch = {0};
    struct links parked = {0};
    uint64_t after = 0;
    size_t n = PAGE;
    memset(out, 0, sizeof *out);
    list_parked(s, &parked, e);
    while (n == PAGE) {
        n = act_links(s, after, &scratch, rows, PAGE, e);
        for (size_t i = 0; i < n; i++)
            count_link(&rows[i], &parked, out);
        if (n)
            after = rows[n - 1].number;
        arena_reset(&scratch);
    }
    out->conflicts = count_conflicts(s, e);
    out->parked = parked.n;
    mem_free(parked.number);
    last_run(s, a, out, e);
    arena_fini(&scratch);
    mem_free(rows);
    return e->code;
}
