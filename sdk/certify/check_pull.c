/* SPDX-License-Identifier: MIT */
/* check_pull.c - checks of listings: whole, once each, repeatable, page by page. */
#include <string.h>

#include "certify.h"

enum { SOME = 7 };

static bool present(const struct told *k)
{
    return k && k->kind != SL_ITEM_TOMBSTONE;
}

static uint32_t n_present(const struct listing *l)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->n; i++)
        n += present(&l->items[i]);
    return n;
}

static void must_hold(struct trial *t, const struct listing *l, const char *const *ids, uint32_t n)
{
    for (uint32_t i = 0; i < n && !done(t); i++)
        if (!present(listed(l, ids[i])))
            wrong(t, "'%s' is there and is not among the %u listed", ids[i], n_present(l));
}

static void ends(struct trial *t)
{
    struct listing l;
    list_all(t, &l);
    if (!done(t) && can(t, SL_CAP_COMPLETE) && l.end.kind != SL_PAGE_COMPLETE)
        wrong(t, "a listing from nothing ends with DONE, where COMPLETE is declared");
    note(t, "%u records on %u page%s", n_present(&l), l.n_pages, l.n_pages == 1 ? "" : "s");
}

static void whole(struct trial *t)
{
    const char *ids[SOME];
    struct listing l;
    make_many(t, SOME, ids);
    list_all(t, &l);
    must_hold(t, &l, ids, SOME);
}

static void whole_full(struct trial *t)
{
    const char *ids[SOME];
    struct listing l;
    make_many(t, SOME, ids);
    list_all(t, &l);
    list_from(t, l.end.cursor, SL_PULL_FULL, 0, &l);
    must_hold(t, &l, ids, SOME);
    if (!done(t) && l.end.kind != SL_PAGE_COMPLETE)
        wrong(t, "a full listing ends with DONE, not COMPLETE");
}

static void once(struct trial *t)
{
    const char *ids[SOME];
    struct listing l;
    if (can(t, SL_CAP_CREATE))
        make_many(t, SOME, ids);
    list_all(t, &l);
    for (uint32_t i = 0; i < l.n && i < 2000; i++)
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(l.items[i].id, l.items[j].id) == 0)
                wrong(t, "'%s' is listed twice", l.items[i].id);
}

static void again(struct trial *t)
{
    struct listing x, y;
    const char *field = NULL;
    if (can(t, SL_CAP_CREATE))
        make_one(t, 1000);
    list_all(t, &x);
    list_all(t, &y);
    if (!done(t) && x.n != y.n)
        wrong(t, "%u items, and %u a moment later", x.n, y.n);
    for (uint32_t i = 0; i < x.n && !done(t); i++) {
        const struct told *k = listed(&y, x.items[i].id);
        if (!k)
            wrong(t, "'%s' is listed once and then not", x.items[i].id);
        else if (k->record && x.items[i].record && !records_same(x.items[i].record, k->record, NULL, &field))
            wrong(t, "'%s' is listed with another %s the second time", k->id, field);
    }
}

static void pages(struct trial *t)
{
    const char *ids[SOME];
    struct listing l;
    make_many(t, SOME, ids);
    list_from(t, NULL, SL_PULL_RECORDS, 2, &l);
    must_hold(t, &l, ids, SOME);
    note(t, "%u pages of about 2", l.n_pages);
}

static void records(struct trial *t)
{
    struct listing l;
    const char *id = some_id(t);
    list_all(t, &l);
    const struct told *k = listed(&l, id);
    const struct sl_record *r = read_record(t, id);
    const char *field = NULL;
    if (done(t) || !k || k->kind != SL_ITEM_RECORD)
        return;
    if (!records_same(k->record, r, NULL, &field) || !records_same(r, k->record, NULL, &field))
        wrong(t, "field %s of '%s' is one thing in a listing and another in get", field, id);
}

static void stubs(struct trial *t)
{
    struct listing l;
    const char *id = some_id(t);
    list_from(t, NULL, 0, 0, &l);
    const struct told *k = listed(&l, id);
    if (done(t) || !k || k->kind != SL_ITEM_STUB) {
        left_out(t, "it lists whole records");
        return;
    }
    struct told read = read_id(t, id);
    if (read.kind != SL_ITEM_RECORD)
        wrong(t, "'%s' is listed and cannot be read", id);
    else if (versions_differ(k->version, read.version))
        wrong(t, "'%s' is listed as version %s and read as version %s", id, k->version, read.version);
}

/* What is told again must be what was told before, under the same version. */
static void quiet(struct trial *t)
{
    struct listing l, more;
    if (can(t, SL_CAP_CREATE))
        make_one(t, 1000);
    list_from(t, NULL, 0, 0, &l);
    if (done(t))
        return;
    list_from(t, l.end.cursor && *l.end.cursor ? l.end.cursor : NULL, 0, 0, &more);
    for (uint32_t i = 0; i < more.n && !done(t); i++) {
        const struct told *k = listed(&l, more.items[i].id);
        if (!present(k) && present(&more.items[i]))
            wrong(t, "'%s' comes up that was not listed, and nothing was written", more.items[i].id);
        else if (present(k) && !present(&more.items[i]))
            wrong(t, "'%s' is told as deleted, and nothing was", more.items[i].id);
        else if (k && versions_differ(k->version, more.items[i].version))
            wrong(t, "'%s' has another version, and nothing was written", more.items[i].id);
    }
    note(t, "%u items", more.n);
}

static void cursor_twice(struct trial *t)
{
    struct listing l, x, y;
    list_all(t, &l);
    if (done(t) || !l.end.cursor || !*l.end.cursor) {
        left_out(t, "it has no cursor");
        return;
    }
    const char *id = can(t, SL_CAP_CREATE) ? make_one(t, 1000) : NULL;
    list_from(t, l.end.cursor, 0, 0, &x);
    list_from(t, l.end.cursor, 0, 0, &y);
    if (!done(t) && id && (!present(listed(&x, id)) || !present(listed(&y, id))))
        wrong(t, "'%s' came after the cursor and is not told %s", id, listed(&x, id) ? "the second time" : "of");
}

/* Stamps of a file count only when they are old enough, so that it may take a moment. */
static void delta(struct trial *t)
{
    struct listing l, more = {0};
    if (can(t, SL_CAP_CREATE))
        make_one(t, 1000);
    list_all(t, &l);
    for (int i = 0; i < 10 && !done(t) && more.end.kind != SL_PAGE_DONE; i++) {
        session_real_world.sleep_ms(NULL, i ? 50 : 0);
        list_from(t, l.end.cursor, 0, 0, &more);
        l.end = more.end;
    }
    if (!done(t) && more.end.kind != SL_PAGE_DONE)
        wrong(t, "nothing changes, and it lists all again each time");
    note(t, "%u items when nothing changed", more.n);
}

/* A refusal is right: the host lists anew. */
static bool forgiven(struct trial *t)
{
    bool was = t->wrong;
    t->wrong = false;
    t->said[0] = '\0';
    return was;
}

static void no_cursor_known(struct trial *t)
{
    const char *id = some_id(t);
    struct listing l;
    if (done(t))
        return;
    list_from(t, "certify: no cursor of yours \xe2\x98\x83", 0, 0, &l);
    if (forgiven(t))
        note(t, "refused");
    else if (!present(listed(&l, id)))
        wrong(t, "it takes a cursor it never gave, and does not tell of '%s'", id);
    list_all(t, &l);
}

static void unknown_object(struct trial *t)
{
    struct sl_object mine = t->o;
    struct listing l;
    t->o.name = "certify no such object";
    list_all(t, &l);
    if (!forgiven(t) && l.n)
        note(t, "any name is an object");
    t->o = mine;
    list_all(t, &l);
}

const struct check checks_pull[] = {
    {"pull.ends", "a listing from nothing comes to its end", 0, FOR_ALL, ends},
    {"pull.complete", "COMPLETE comes after every record", SL_CAP_COMPLETE | SL_CAP_CREATE, FOR_ALL, whole},
    {"pull.full", "a verify lists all, whatever the cursor says", SL_CAP_COMPLETE | SL_CAP_CREATE, FOR_ALL, whole_full},
    {"pull.once", "no record is listed twice", 0, FOR_ALL, once},
    {"pull.again", "two listings of the same are the same", 0, FOR_ALL, again},
    {"pull.pages", "small pages lose nothing", SL_CAP_COMPLETE | SL_CAP_CREATE, FOR_ALL, pages},
    {"pull.records", "a listing and get tell the same record", 0, FOR_ALL, records},
    {"pull.stubs", "a stub and get tell the same version", 0, FOR_ALL, stubs},
    {"pull.quiet", "from its cursor on nothing is new when nothing was written", 0, FOR_ALL, quiet},
    {"pull.delta", "a delta tells less than a whole listing", SL_CAP_DELTA, FOR_ALL, delta},
    {"pull.cursor-twice", "a cursor used twice tells the same changes", 0, FOR_ALL, cursor_twice},
    {"pull.bad-cursor", "a cursor it never gave hides no record", 0, FOR_ALL, no_cursor_known},
    {"pull.unknown", "an object that is not there disturbs nothing", 0, FOR_ALL, unknown_object},
    {0},
};
