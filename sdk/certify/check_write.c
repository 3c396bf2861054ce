/* SPDX-License-Identifier: MIT */
/* check_write.c - checks that writes do what they say, and nothing else. */
#include <string.h>

#include "certify.h"

static void field_is(struct trial *t, const char *id, const struct sl_value *sent)
{
    const struct sl_record *r = read_record(t, id);
    if (r && !value_kept(&t->a, sent, record_field(r, sent->name)))
        wrong(t, "field %s of '%s' does not hold what was written", sent->name, id);
}

static void create_answers(struct trial *t)
{
    struct sl_write w = create_of(t, 1000);
    struct write_outcome o = write_one(t, &w);
    if (!applied(t, &o, "create"))
        return;
    if (!o.record && !w.id)
        wrong(t, "the id is the system's to choose, and the answer does not tell it");
    else if (!o.record)
        note(t, "without the record: it is read after each create");
    else if (w.id && strcmp(o.record->id, w.id) != 0)
        wrong(t, "created under '%s', answered as '%s'", w.id, o.record->id);
}

static void create_stores(struct trial *t)
{
    struct sl_write w = create_of(t, 1000);
    struct write_outcome o = write_one(t, &w);
    const char *field = NULL;
    settle(t);
    if (!applied(t, &o, "create"))
        return;
    const char *id = o.record ? o.record->id : w.id;
    const struct sl_record *r = read_record(t, id);
    for (uint32_t i = 0; i < w.n_fields && r; i++)
        field_is(t, id, &w.fields[i]);
    if (r && o.record && !done(t) && !records_same(o.record, r, NULL, &field))
        wrong(t, "field %s of '%s' is answered as something else than is stored", field, id);
}

static void create_apart(struct trial *t)
{
    const char *x = make_one(t, 1000), *y = done(t) ? NULL : make_one(t, 1000);
    if (!done(t) && strcmp(x, y) == 0)
        wrong(t, "two creates of the same content are one record");
}

static struct write_outcome update(struct trial *t, const char *id, uint32_t n, struct sl_value *sent)
{
    struct sl_write w = plain(SL_UPDATE, id);
    for (uint32_t i = 0; i < n; i++) {
        struct sl_field f = main_field(t, i);
        if (f.name)
            sent[w.n_fields++] = sample(t, &f, 2000 + i);
    }
    w.fields = sent;
    if (w.n_fields < n)
        left_out(t, "fewer than %u fields can be written", n);
    return done(t) ? (struct write_outcome){0} : write_one(t, &w);
}

static void update_stores(struct trial *t)
{
    struct sl_value sent[2];
    const char *id = make_one(t, 1000);
    struct write_outcome o = done(t) ? (struct write_outcome){0} : update(t, id, 1, sent);
    const char *field = NULL;
    if (done(t) || !applied(t, &o, "update"))
        return;
    settle(t);
    field_is(t, id, &sent[0]);
    const struct sl_record *r = read_record(t, id);
    if (r && o.record && !records_same(o.record, r, NULL, &field))
        wrong(t, "field %s of '%s' is answered as something else than is stored", field, id);
}

static void update_every(struct trial *t)
{
    struct sl_value sent[2];
    const char *id = make_one(t, 1000);
    struct write_outcome o = done(t) ? (struct write_outcome){0} : update(t, id, 2, sent);
    if (done(t) || !applied(t, &o, "update"))
        return;
    settle(t);
    for (int i = 0; i < 2; i++)
        field_is(t, id, &sent[i]);
}

static bool is_writable(const struct trial *t, const char *field)
{
    for (uint32_t i = 0; i < t->o.n_fields; i++)
        if (strcmp(t->o.fields[i].name, field) == 0)
            return (t->o.fields[i].flags & SL_FIELD_WRITABLE) != 0;
    return true;
}

static void frame(struct trial *t)
{
    struct sl_value sent[2];
    const char *id = make_one(t, 1000);
    const struct sl_record *before = read_record(t, id);
    struct write_outcome o = done(t) ? (struct write_outcome){0} : update(t, id, 1, sent);
    if (done(t) || !applied(t, &o, "update"))
        return;
    settle(t);
    const struct sl_record *after = read_record(t, id);
    for (uint32_t i = 0; after && i < before->n_fields && !done(t); i++) {
        const struct sl_value *v = sl_value_at(before->fields, before->field_size, i);
        const struct sl_value *held = record_field(after, v->name);
        if (strcmp(v->name, sent[0].name) != 0 && is_writable(t, v->name) && !(held && value_same(v, held)))
            wrong(t, "an update of %s changed %s, too", sent[0].name, v->name);
    }
    for (uint32_t i = 0; after && i < after->n_fields && !done(t); i++) {
        const struct sl_value *v = sl_value_at(after->fields, after->field_size, i);
        if (v->type != SL_ABSENT && v->type != SL_NULL && !record_field(before, v->name) && is_writable(t, v->name) &&
            strcmp(v->name, sent[0].name) != 0)
            wrong(t, "an update of %s gave the record a field %s", sent[0].name, v->name);
    }
}

static void frame_others(struct trial *t)
{
    const char *ids[2] = {0}, *field = NULL;
    struct sl_value sent[2];
    make_many(t, 2, ids);
    const struct sl_record *before = read_record(t, ids[0]);
    struct write_outcome o = done(t) ? (struct write_outcome){0} : update(t, ids[1], 1, sent);
    if (done(t) || !applied(t, &o, "update"))
        return;
    settle(t);
    const struct sl_record *after = read_record(t, ids[0]);
    if (after && !records_same(before, after, NULL, &field))
        wrong(t, "an update of another record changed field %s", field);
}

static void update_nothing(struct trial *t)
{
    const char *id = make_one(t, 1000), *field = NULL;
    const struct sl_record *before = read_record(t, id);
    struct sl_write w = plain(SL_UPDATE, id);
    struct write_outcome o = done(t) ? (struct write_outcome){0} : write_one(t, &w);
    const struct sl_record *after = read_record(t, id);
    if (after && !records_same(before, after, NULL, &field))
        wrong(t, "an update of no fields (%s) changed %s", result_name(&o), field);
}

static void update_twice(struct trial *t)
{
    struct sl_value sent[2];
    const char *id = make_one(t, 1000);
    for (int i = 0; i < 2 && !done(t); i++) {
        struct write_outcome o = update(t, id, 1, sent);
        if (!done(t))
            applied(t, &o, i ? "the same update again" : "update");
    }
    if (!done(t))
        field_is(t, id, &sent[0]);
}

static void taken_away(struct trial *t, int kind)
{
    const char *id = make_one(t, 1000), *other = done(t) ? NULL : make_one(t, 2000);
    struct sl_write w = plain(kind, id);
    if (done(t))
        return;
    struct write_outcome o = write_one(t, &w);
    if (!applied(t, &o, kind == SL_DELETE ? "delete" : "archive"))
        return;
    settle(t);
    struct listing l;
    list_from(t, NULL, SL_PULL_FULL | SL_PULL_RECORDS, 0, &l);
    if (listed(&l, id) && listed(&l, id)->kind != SL_ITEM_TOMBSTONE)
        wrong(t, "'%s' is still listed", id);
    read_record(t, other);
}

static void deletes(struct trial *t)
{
    taken_away(t, SL_DELETE);
}

static void archives(struct trial *t)
{
    taken_away(t, SL_ARCHIVE);
}

static void archives_again(struct trial *t)
{
    struct sl_write w = create_of(t, 1000);
    for (int i = 0; i < 2 && !done(t); i++) {
        struct write_outcome o = write_one(t, &w);
        if (!applied(t, &o, "create"))
            return;
        struct sl_write away = plain(SL_ARCHIVE, o.record ? o.record->id : w.id);
        o = write_one(t, &away);
        applied(t, &o, i ? "archive of a second record under the id" : "archive");
    }
}

static void not_there(struct trial *t, int kind, const char *what)
{
    const char *id = make_one(t, 1000);
    struct sl_write away = plain(SL_DELETE, id), w = plain(kind, id);
    struct sl_field f = main_field(t, 0);
    if (done(t))
        return;
    write_one(t, &away);
    if (kind == SL_UPDATE && f.name)
        w = update_of(t, id, sample(t, &f, 2000));
    struct write_outcome o = write_one(t, &w);
    refused(t, &o, SL_GONE, what);
    struct told k = done(t) ? (struct told){0} : read_id(t, id);
    if (!done(t) && k.kind != SL_ITEM_TOMBSTONE)
        wrong(t, "%s brought it back", what);
}

static void update_gone(struct trial *t)
{
    not_there(t, SL_UPDATE, "an update of a deleted record");
}

static void delete_gone(struct trial *t)
{
    not_there(t, SL_DELETE, "a second delete");
}

static void says_why(struct trial *t)
{
    struct sl_write w = plain(SL_DELETE, t->o.id_rule == SL_ID_INTEGER ? "987654321987" : "certify-never-was");
    struct write_outcome o = write_one(t, &w);
    if (refused(t, &o, SL_GONE, "a delete of what never was") && o.message && strchr(o.message, '\n'))
        wrong(t, "its message has two lines");
}

#define UPDATES (SL_CAP_CREATE | SL_CAP_UPDATE)
#define DELETES (SL_CAP_CREATE | SL_CAP_DELETE)
const struct check checks_write[] = {
    {"create.answers", "a create answers with the record, under its id", SL_CAP_CREATE, FOR_ALL, create_answers},
    {"create.stores", "what is applied is there when read", SL_CAP_CREATE, FOR_ALL, create_stores},
    {"create.apart", "two creates are two records", SL_CAP_CREATE, FOR_ALL, create_apart},
    {"update.stores", "an update is there when read, and its answer is true", UPDATES, FOR_ALL, update_stores},
    {"update.every", "every field of an update is", UPDATES, FOR_ALL, update_every},
    {"update.frame", "fields that are not given stay", UPDATES, FOR_ALL, frame},
    {"update.others", "other records stay", UPDATES, FOR_ALL, frame_others},
    {"update.nothing", "an update of nothing changes nothing", UPDATES, FOR_ALL, update_nothing},
    {"update.twice", "the same update twice is the same", UPDATES, FOR_ALL, update_twice},
    {"update.gone", "an update of a deleted record is refused as gone", UPDATES | SL_CAP_DELETE, FOR_ALL, update_gone},
    {"delete.takes", "a delete takes that record away and no other", DELETES, FOR_ALL, deletes},
    {"delete.gone", "a second delete is refused as gone", DELETES, FOR_ALL, delete_gone},
    {"delete.why", "a delete of what never was is refused as gone", SL_CAP_DELETE, FOR_ALL, says_why},
    {"archive.takes", "an archived record is not listed", SL_CAP_CREATE | SL_CAP_ARCHIVE, FOR_ALL, archives},
    {"archive.again", "an id may be archived twice", SL_CAP_CREATE | SL_CAP_ARCHIVE | SL_CAP_RESERVED_ID, FOR_ALL,
     archives_again},
    {0},
};
