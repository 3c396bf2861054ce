/* SPDX-License-Identifier: MIT */
/* check_read.c - checks of get and find: known, unknown and hostile ids, keys that are there or not. */
#include <string.h>

#include "base/text.h"
#include "certify.h"

static void known(struct trial *t)
{
    const char *id = some_id(t);
    struct told k = done(t) ? (struct told){0} : read_id(t, id);
    if (!done(t) && k.kind != SL_ITEM_RECORD)
        wrong(t, "'%s' is there and is not told as a record", id);
    else if (!done(t) && strcmp(k.record->id, id) != 0)
        wrong(t, "'%s' was asked for, the record says '%s'", id, k.record->id);
}

static void unknown(struct trial *t)
{
    const char *id = t->o.id_rule == SL_ID_INTEGER ? "987654321987" : "certify-never-was";
    struct listing l = get_ids(t, &id, 1);
    if (!done(t) && l.items[0].kind != SL_ITEM_TOMBSTONE)
        wrong(t, "an id that never was is no tombstone");
}

static void mixed(struct trial *t)
{
    const char *ids[5] = {some_id(t), t->o.id_rule == SL_ID_INTEGER ? "987654321987" : "certify-never-was"};
    uint32_t n = 2;
    if (can(t, SL_CAP_CREATE) && !done(t)) {
        ids[n++] = make_one(t, 2000);
        ids[n++] = make_one(t, 3000);
    }
    struct listing l = done(t) ? (struct listing){0} : get_ids(t, ids, n);
    for (uint32_t i = 0; i < n && !done(t); i++) {
        const struct told *k = listed(&l, ids[i]);
        if (!k || (k->kind == SL_ITEM_TOMBSTONE) != (i == 1))
            wrong(t, "of %u ids at once, '%s' is answered as %s", n, ids[i], i == 1 ? "there" : "not there");
    }
}

static void deleted(struct trial *t)
{
    const char *id = make_one(t, 1000);
    struct sl_write w = plain(SL_DELETE, id);
    if (done(t))
        return;
    struct write_outcome o = write_one(t, &w);
    applied(t, &o, "delete");
    settle(t);
    struct told k = done(t) ? (struct told){0} : read_id(t, id);
    if (!done(t) && k.kind != SL_ITEM_TOMBSTONE)
        wrong(t, "a deleted record is no tombstone");
}

static void hostile(struct trial *t)
{
    static const char *const ids[] = {"../x",   "/etc/passwd", "a/../../b", ".",    "..",   ".hidden", "-rf",
                                      "x'; --", "%2e%2e%2fx",  "x\"y",      "x\\y", "%s%n", "a b ",    "\xc3\xa9",
                                      "CON",    "*",           "$(id)",     "1e3",  "0x10", "-1",      "007"};
    struct listing l = get_ids(t, ids, sizeof ids / sizeof *ids);
    for (uint32_t i = 0; i < l.n && !done(t); i++)
        if (l.items[i].kind == SL_ITEM_RECORD && !listed(&l, "x"))
            note(t, "'%s' is there", l.items[i].id);
    const char *id = some_id(t);
    if (!done(t))
        read_id(t, id);
}

static void long_id(struct trial *t)
{
    char id[1025];
    const char *ids[1] = {id};
    memset(id, 'x', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    struct listing l = get_ids(t, ids, 1);
    if (!done(t) && l.items[0].kind == SL_ITEM_RECORD)
        wrong(t, "an id of 1024 bytes that never was is told as a record");
}

static void none(struct trial *t)
{
    const char *ids[1] = {""};
    get_ids(t, ids, 0);
}

static void by_key(struct trial *t)
{
    struct sl_field f = main_field(t, 0);
    const char *id = some_id(t);
    const struct sl_record *r = read_record(t, id);
    const struct sl_value *v = r && f.name ? record_field(r, f.name) : NULL;
    struct listing l;
    if (!v || done(t)) {
        left_out(t, "no field to look for");
        return;
    }
    struct sl_find find = {.object = t->o.name, .value = v};
    int rc = find_by(t, &find, &l);
    if (rc == SL_UNSUPPORTED)
        left_out(t, "not by field %s", f.name);
    else if (rc)
        wrong(t, "find by %s: %s", f.name, t->e.text);
    else if (!listed(&l, id))
        wrong(t, "find by %s does not find '%s'", f.name, id);
}

static void by_no_key(struct trial *t)
{
    struct sl_field f = main_field(t, 0);
    struct listing l;
    if (!f.name) {
        left_out(t, "no field to look for");
        return;
    }
    struct sl_value v = sample(t, &f, 8999);
    struct sl_find find = {.object = t->o.name, .value = &v};
    if (find_by(t, &find, &l) == SL_OK && l.n)
        wrong(t, "find by %s finds %u records of a value that none has", f.name, l.n);
}

static void by_correlation(struct trial *t)
{
    struct sl_write w = create_of(t, 1000);
    struct write_outcome o = write_one(t, &w);
    struct listing l;
    struct sl_find find = {.object = t->o.name, .correlation = w.correlation};
    applied(t, &o, "create");
    settle(t);
    if (!done(t) && find_by(t, &find, &l))
        wrong(t, "find by correlation key: %s", t->e.text);
    else if (!done(t) && l.n != 1)
        wrong(t, "the key stored in a create finds %u records", l.n);
    else if (!done(t) && !text_equal(l.items[0].record->correlation, w.correlation))
        wrong(t, "the record found does not tell its correlation key");
}

static void by_no_correlation(struct trial *t)
{
    struct listing l;
    struct sl_find find = {.object = t->o.name, .correlation = "00000000000000000000000000000000"};
    const char *id = some_id(t);
    (void)id;
    if (!done(t) && find_by(t, &find, &l))
        wrong(t, "find by correlation key: %s", t->e.text);
    else if (!done(t) && l.n)
        wrong(t, "a correlation key never given finds %u records", l.n);
}

const struct check checks_read[] = {
    {"get.known", "a record that is there is told", SL_CAP_GET, FOR_ALL, known},
    {"get.unknown", "an id that never was is a tombstone", SL_CAP_GET, FOR_ALL, unknown},
    {"get.mixed", "several at once are each told for themselves", SL_CAP_GET, FOR_ALL, mixed},
    {"get.deleted", "a deleted record is a tombstone", SL_CAP_GET | SL_CAP_CREATE | SL_CAP_DELETE, FOR_ALL, deleted},
    {"get.hostile", "ids that are paths, quotes, patterns do no harm", SL_CAP_GET, FOR_ALL, hostile},
    {"get.long", "nor does the longest id", SL_CAP_GET, FOR_ALL, long_id},
    {"get.none", "no ids are no error", SL_CAP_GET, FOR_ALL, none},
    {"find.key", "find by a field's value finds its record", SL_CAP_FIND_KEY, FOR_ALL, by_key},
    {"find.no-key", "find by a value that is nowhere finds nothing", SL_CAP_FIND_KEY, FOR_ALL, by_no_key},
    {"find.correlation", "the stored key finds the one record", SL_CAP_FIND_CORRELATION | SL_CAP_CREATE, FOR_ALL,
     by_correlation},
    {"find.no-correlation", "another key finds nothing", SL_CAP_FIND_CORRELATION, FOR_ALL, by_no_correlation},
    {0},
};
