/* SPDX-License-Identifier: MIT */
/* check_version.c - checks that a version changes with the record, and only with it. */
#include <string.h>

#include "certify.h"

static struct told updated(struct trial *t, const char *id, uint32_t k)
{
    struct sl_field f = main_field(t, 0);
    if (!f.name)
        left_out(t, "no field can be written");
    if (done(t))
        return (struct told){0};
    struct sl_write w = update_of(t, id, sample(t, &f, k));
    struct write_outcome o = write_one(t, &w);
    applied(t, &o, "update");
    return done(t) ? (struct told){0} : read_id(t, id);
}

static void changes(struct trial *t)
{
    const char *id = make_one(t, 1000);
    struct told before = done(t) ? (struct told){0} : read_id(t, id), after = updated(t, id, 2000);
    if (done(t))
        return;
    if (before.version && after.version && strcmp(before.version, after.version) == 0)
        wrong(t, "version %s before and after an update", before.version);
    if (!before.version && !after.version)
        note(t, "no versions: every record is read each time");
}

static void changes_back(struct trial *t)
{
    const char *id = make_one(t, 1000);
    struct told first = updated(t, id, 2000), second = updated(t, id, 3000);
    if (!done(t) && first.version && second.version && strcmp(first.version, second.version) == 0)
        wrong(t, "version %s for two contents of the same length", first.version);
}

static void stays(struct trial *t)
{
    const char *id = some_id(t);
    struct told x = done(t) ? (struct told){0} : read_id(t, id), y = done(t) ? x : read_id(t, id);
    if (!done(t) && versions_differ(x.version, y.version))
        wrong(t, "version %s, and %s when read again", x.version, y.version);
}

static void stays_alone(struct trial *t)
{
    const char *ids[2] = {0};
    make_many(t, 2, ids);
    struct told before = done(t) ? (struct told){0} : read_id(t, ids[0]);
    updated(t, ids[1], 2000);
    struct told after = done(t) ? (struct told){0} : read_id(t, ids[0]);
    if (!done(t) && versions_differ(before.version, after.version))
        wrong(t, "version %s became %s when another record was updated", before.version, after.version);
}

static void answered(struct trial *t)
{
    struct sl_write w = create_of(t, 1000);
    struct write_outcome o = write_one(t, &w);
    if (!applied(t, &o, "create") || !o.record) {
        left_out(t, "the answer to a create has no record");
        return;
    }
    struct told k = read_id(t, o.record->id);
    if (!done(t) && versions_differ(o.record->version, k.version))
        wrong(t, "a create answers version %s, a read tells %s", o.record->version, k.version);
}

static void of_listing(struct trial *t)
{
    struct listing l;
    const char *id = some_id(t);
    list_all(t, &l);
    const struct told *k = listed(&l, id);
    struct told read = done(t) ? (struct told){0} : read_id(t, id);
    if (!done(t) && k && versions_differ(k->version, read.version))
        wrong(t, "listed as version %s, read as %s", k->version, read.version);
}

/* Shorter is smaller; then by bytes. */
static bool grows(const char *x, const char *y)
{
    size_t n = strlen(x), m = strlen(y);
    return n != m ? n < m : strcmp(x, y) < 0;
}

static void ordered(struct trial *t)
{
    const char *id = make_one(t, 1000);
    for (uint32_t k = 0; k < 12 && !done(t); k++) {
        struct told x = read_id(t, id), y = updated(t, id, 2000 + k);
        if (!done(t) && x.version && y.version && !grows(x.version, y.version))
            wrong(t, "version %s came before %s, and is not smaller", x.version, y.version);
    }
}

static void times(struct trial *t)
{
    const char *id = some_id(t);
    const struct sl_record *r = read_record(t, id);
    if (!r)
        return;
    if (r->modified_ms < 0 || r->created_ms < 0 || (r->modified_ms && r->created_ms > r->modified_ms + 2000))
        wrong(t, "created at %lld, modified at %lld", (long long)r->created_ms, (long long)r->modified_ms);
}

#define UPDATES (SL_CAP_CREATE | SL_CAP_UPDATE)
const struct check checks_version[] = {
    {"version.changes", "it changes with the content", UPDATES, FOR_ALL, changes},
    {"version.same-length", "also with content of the same length", UPDATES, FOR_ALL, changes_back},
    {"version.stays", "it does not change without", 0, FOR_ALL, stays},
    {"version.others", "nor with another record", UPDATES, FOR_ALL, stays_alone},
    {"version.answer", "a create answers the version that is read then", SL_CAP_CREATE, FOR_ALL, answered},
    {"version.listing", "a listing and a read tell the same", 0, FOR_ALL, of_listing},
    {"version.order", "versions grow", UPDATES | SL_CAP_VERSION_ORDER, FOR_ALL, ordered},
    {"version.times", "no record is modified before it was created", 0, FOR_ALL, times},
    {0},
};
