/* SPDX-License-Identifier: MIT */
/* check_seen.c - checks that a listing from a cursor tells of everything that was written since. */
#include <string.h>

#include "certify.h"

enum { ROUNDS = 6 };

/* The cursor to go on from; NULL lists all again, which is right if none is given. */
static const char *now(struct trial *t)
{
    struct listing l;
    list_all(t, &l);
    return l.end.cursor && *l.end.cursor ? l.end.cursor : NULL;
}

static struct told since(struct trial *t, const char *cursor, const char *id, int *end)
{
    struct listing l;
    settle(t);
    list_from(t, cursor, 0, 0, &l);
    const struct told *k = listed(&l, id);
    *end = l.end.kind;
    return k ? *k : (struct told){0};
}

static void must_tell(struct trial *t, const char *cursor, const char *id, const char *what)
{
    int end = 0;
    if (done(t))
        return;
    struct told k = since(t, cursor, id, &end);
    if (k.kind == 0 || k.kind == SL_ITEM_TOMBSTONE)
        wrong(t, "'%s' was %s after the cursor, and the next listing does not tell of it", id, what);
}

static void created(struct trial *t)
{
    const char *cursor = now(t);
    const char *id = make_one(t, 1000);
    must_tell(t, cursor, id, "created");
}

static void change(struct trial *t, const char *id, uint32_t k)
{
    struct sl_field f = main_field(t, 0);
    if (done(t) || !f.name) {
        left_out(t, "no field can be written");
        return;
    }
    struct sl_write w = update_of(t, id, sample(t, &f, k));
    struct write_outcome o = write_one(t, &w);
    applied(t, &o, "update");
}

static void updated(struct trial *t)
{
    const char *id = make_one(t, 1000), *cursor = now(t);
    struct told before = done(t) ? (struct told){0} : read_id(t, id);
    int end = 0;
    change(t, id, 2000);
    must_tell(t, cursor, id, "updated");
    struct told k = done(t) ? (struct told){0} : since(t, cursor, id, &end);
    if (!done(t) && k.version && before.version && strcmp(k.version, before.version) == 0)
        wrong(t, "'%s' was updated and is told under version %s as before", id, k.version);
}

/* Every one of several changes in the same moment, of the same length. */
static void every(struct trial *t)
{
    const char *ids[ROUNDS] = {0};
    make_many(t, ROUNDS, ids);
    for (uint32_t i = 0; i < ROUNDS && !done(t); i++) {
        const char *cursor = now(t);
        change(t, ids[i], 2000 + i);
        change(t, ids[(i + 3) % ROUNDS], 3000 + i);
        must_tell(t, cursor, ids[i], "updated");
        must_tell(t, cursor, ids[(i + 3) % ROUNDS], "updated");
    }
}

static void one_after_another(struct trial *t)
{
    const char *cursor = now(t);
    for (uint32_t i = 0; i < ROUNDS && !done(t); i++) {
        struct listing l;
        const char *id = make_one(t, 1000 + i);
        list_from(t, cursor, 0, 0, &l);
        if (done(t))
            return;
        if (!listed(&l, id))
            wrong(t, "record %u of a row of creates is not told of", i + 1);
        cursor = l.end.cursor && *l.end.cursor ? l.end.cursor : NULL;
    }
}

static void twice_in_a_moment(struct trial *t)
{
    const char *id = make_one(t, 1000);
    change(t, id, 2000);
    struct told first = done(t) ? (struct told){0} : read_id(t, id);
    const char *cursor = now(t);
    change(t, id, 3000);
    must_tell(t, cursor, id, "updated again at once");
    struct told second = done(t) ? (struct told){0} : read_id(t, id);
    if (!done(t) && first.version && second.version && strcmp(first.version, second.version) == 0)
        wrong(t, "two updates of one moment share version %s", first.version);
}

static void taken_away(struct trial *t, int kind)
{
    const char *id = make_one(t, 1000), *cursor = now(t);
    struct sl_write w = plain(kind, id);
    int end = 0;
    if (done(t))
        return;
    struct write_outcome o = write_one(t, &w);
    if (!applied(t, &o, kind == SL_DELETE ? "delete" : "archive"))
        return;
    struct told k = since(t, cursor, id, &end);
    if (k.kind && k.kind != SL_ITEM_TOMBSTONE && k.kind != SL_ITEM_HINT)
        wrong(t, "'%s' was taken away and is still told of", id);
    else if (!k.kind && end == SL_PAGE_DONE && can(t, SL_CAP_DELETE_FEED))
        wrong(t, "deltas report every deletion, and not that of '%s'", id);
    else if (!done(t) && can(t, SL_CAP_COMPLETE)) {
        struct listing l;
        list_from(t, NULL, SL_PULL_FULL, 0, &l);
        if (listed(&l, id) && listed(&l, id)->kind != SL_ITEM_TOMBSTONE)
            wrong(t, "'%s' was taken away and a whole listing still has it", id);
    }
}

static void deleted(struct trial *t)
{
    taken_away(t, SL_DELETE);
}

static void archived(struct trial *t)
{
    taken_away(t, SL_ARCHIVE);
}

static void elsewhere(struct trial *t)
{
    struct session *mine = t->s, *other = trial_session(t);
    const char *cursor = now(t);
    if (!other)
        return;
    t->s = other;
    const char *id = make_one(t, 1000);
    t->s = mine;
    must_tell(t, cursor, id, "created in another session");
    session_close(other);
}

const struct check checks_seen[] = {
    {"seen.create", "a create is seen from the cursor before it", SL_CAP_CREATE, FOR_ALL, created},
    {"seen.update", "so is an update, under another version", SL_CAP_CREATE | SL_CAP_UPDATE, FOR_ALL, updated},
    {"seen.every", "so is every one of several updates", SL_CAP_CREATE | SL_CAP_UPDATE, FOR_ALL, every},
    {"seen.row", "from cursor to cursor no create is skipped", SL_CAP_CREATE, FOR_ALL, one_after_another},
    {"seen.moment", "two updates in one moment are two", SL_CAP_CREATE | SL_CAP_UPDATE, FOR_ALL, twice_in_a_moment},
    {"seen.delete", "a deleted record is gone from the next listing", SL_CAP_CREATE | SL_CAP_DELETE, FOR_ALL, deleted},
    {"seen.archive", "so is an archived one", SL_CAP_CREATE | SL_CAP_ARCHIVE, FOR_ALL, archived},
    {"seen.elsewhere", "what another session wrote is seen", SL_CAP_CREATE, KEEPS, elsewhere},
    {0},
};
