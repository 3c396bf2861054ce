/* SPDX-License-Identifier: MIT */
/* check_safe.c - checks of what makes writes safe to repeat and safe against others: ids, keys, expected versions. */
#include <string.h>

#include "certify.h"

static void id_kept(struct trial *t)
{
    struct sl_write w = create_of(t, 1000);
    struct write_outcome o = write_one(t, &w);
    if (!applied(t, &o, "create"))
        return;
    struct told k = read_id(t, w.id);
    if (!done(t) && k.kind != SL_ITEM_RECORD)
        wrong(t, "created under '%s', which is not there", w.id);
}

static uint32_t count(struct trial *t)
{
    struct listing l;
    list_all(t, &l);
    return l.n;
}

/* The same id twice: the first record stays as it is. */
static struct write_outcome taken(struct trial *t, uint32_t flags, const char **id)
{
    struct sl_write w = create_of(t, 1000);
    struct write_outcome o = write_one(t, &w);
    const char *field = NULL;
    *id = w.id;
    if (!applied(t, &o, "create"))
        return o;
    const struct sl_record *before = read_record(t, w.id);
    uint32_t n = count(t);
    struct sl_write second = create_of(t, 2000);
    second.id = w.id;
    second.flags = flags;
    o = write_one(t, &second);
    const struct sl_record *after = read_record(t, w.id);
    if (!done(t) && count(t) != n)
        wrong(t, "a create under an id that is taken made another record");
    if (!done(t) && !records_same(before, after, NULL, &field))
        wrong(t, "a create under an id that is taken changed field %s of the record there", field);
    return o;
}

static void id_taken(struct trial *t)
{
    const char *id;
    struct write_outcome o = taken(t, 0, &id);
    if (!done(t))
        refused(t, &o, SL_EXISTS, "a create under an id that is taken");
}

static void id_repeat(struct trial *t)
{
    const char *id;
    struct write_outcome o = taken(t, SL_WRITE_REPEAT, &id);
    if (done(t) || !refused(t, &o, SL_EXISTS, "a repeated create"))
        return;
    if (!o.record)
        wrong(t, "a repeated create says that it exists, without the record");
    else if (strcmp(o.record->id, id) != 0)
        wrong(t, "a repeated create of '%s' answers with '%s'", id, o.record->id);
}

static void id_again(struct trial *t)
{
    struct sl_write w = create_of(t, 1000);
    struct write_outcome o = write_one(t, &w);
    struct sl_write away = plain(SL_DELETE, w.id);
    if (!applied(t, &o, "create"))
        return;
    write_one(t, &away);
    o = write_one(t, &w);
    if (o.result == SL_APPLIED)
        read_record(t, w.id);
    else
        refused(t, &o, 0, "a create under the id of a deleted record");
}

static void id_hostile(struct trial *t)
{
    static const char *const names[] = {"../certify", "/tmp/certify-evil", "a/b",  ".",
                                        "..",         ".certify",          "a\nb", "a\x01z"};
    static const char *const numbers[] = {"x", "1.5", "", "9223372036854775808", "007"};
    bool integer = t->o.id_rule == SL_ID_INTEGER;
    const char *const *ids = integer ? numbers : names;
    size_t n = integer ? sizeof numbers / sizeof *numbers : sizeof names / sizeof *names;
    /* Where any text is an id, only the last two are hostile. */
    for (size_t i = t->o.id_rule == SL_ID_TEXT ? n - 2 : 0; i < n && !done(t); i++) {
        struct sl_write w = create_of(t, 1000);
        w.id = ids[i];
        struct write_outcome o = write_one(t, &w);
        refused(t, &o, SL_REJECTED, arena_printf(&t->a, "a create under the hostile id no. %zu", i + 1));
    }
}

static void id_long(struct trial *t)
{
    uint32_t max = t->o.id_max_bytes;
    if (!max || max > 4000 || t->o.id_rule == SL_ID_INTEGER) {
        left_out(t, "no limit is declared");
        return;
    }
    char *id = arena_alloc(&t->a, max + 2);
    memset(id, 'x', max);
    struct sl_write w = create_of(t, 1000);
    w.id = id;
    struct write_outcome o = write_one(t, &w);
    if (applied(t, &o, "a create under the longest id"))
        read_record(t, id);
    w.id = memset(arena_alloc(&t->a, max + 2), 'x', max + 1);
    o = write_one(t, &w);
    if (!done(t))
        refused(t, &o, SL_REJECTED, "a create under an id that is a byte too long");
}

static void key_repeat(struct trial *t)
{
    struct sl_write w = create_of(t, 1000);
    struct write_outcome o = write_one(t, &w);
    if (!applied(t, &o, "create") || !o.record) {
        left_out(t, "the answer tells no record");
        return;
    }
    const char *id = o.record->id;
    uint32_t n = count(t);
    w.flags = SL_WRITE_REPEAT;
    o = write_one(t, &w);
    if (o.record && strcmp(o.record->id, id) != 0)
        wrong(t, "a repeated create answers with '%s', not '%s'", o.record->id, id);
    if (!done(t) && count(t) != n)
        wrong(t, "a repeated create made a second record");
}

/* A write that expects the version before the last change. */
static void stale(struct trial *t, int kind)
{
    const char *id = make_one(t, 1000), *field = NULL;
    struct told old = done(t) ? (struct told){0} : read_id(t, id);
    struct sl_field f = main_field(t, 0);
    if (!done(t) && (!old.version || !f.name || !can(t, SL_CAP_UPDATE)))
        left_out(t, "there is no version to expect");
    if (done(t))
        return;
    struct sl_write newer = update_of(t, id, sample(t, &f, 2000)), w = plain(kind, id);
    struct write_outcome o = write_one(t, &newer);
    applied(t, &o, "update");
    const struct sl_record *before = read_record(t, id);
    if (kind == SL_UPDATE)
        w = update_of(t, id, sample(t, &f, 3000));
    w.expected_version = old.version;
    o = done(t) ? o : write_one(t, &w);
    if (done(t) || !refused(t, &o, SL_CONFLICT, "a write that expects a version of before"))
        return;
    const struct sl_record *after = read_record(t, id);
    if (after && !records_same(before, after, NULL, &field))
        wrong(t, "refused, and field %s was written all the same", field);
}

static void stale_update(struct trial *t)
{
    stale(t, SL_UPDATE);
}

static void stale_delete(struct trial *t)
{
    stale(t, SL_DELETE);
}

static void stale_archive(struct trial *t)
{
    stale(t, SL_ARCHIVE);
}

/* The chain that the engine makes: each write expects what the one before answered. */
static void chain(struct trial *t)
{
    struct sl_write w = create_of(t, 1000);
    struct write_outcome o = write_one(t, &w);
    struct sl_field f = main_field(t, 0);
    if (!f.name)
        left_out(t, "no field can be written");
    if (done(t) || !applied(t, &o, "create") || !o.record)
        return;
    const char *id = o.record->id;
    for (uint32_t i = 0; i < 5 && o.record && o.record->version && !done(t); i++) {
        struct sl_write next = update_of(t, id, sample(t, &f, 2000 + i));
        next.expected_version = o.record->version;
        o = write_one(t, &next);
        applied(t, &o, "an update that expects the version answered last");
    }
}

static void stale_elsewhere(struct trial *t)
{
    struct session *mine = t->s, *other = trial_session(t);
    const char *id = make_one(t, 1000);
    struct told old = done(t) ? (struct told){0} : read_id(t, id);
    struct sl_field f = main_field(t, 0);
    if (!done(t) && other && old.version && f.name && can(t, SL_CAP_UPDATE)) {
        struct sl_write theirs = update_of(t, id, sample(t, &f, 2000)), ours = update_of(t, id, sample(t, &f, 3000));
        t->s = other;
        struct write_outcome o = write_one(t, &theirs);
        t->s = mine;
        ours.expected_version = old.version;
        if (applied(t, &o, "another session's update")) {
            o = write_one(t, &ours);
            refused(t, &o, SL_CONFLICT, "a write after another session's");
        }
    }
    session_close(other);
}

#define RESERVED (SL_CAP_CREATE | SL_CAP_RESERVED_ID)
#define CONDITIONAL (SL_CAP_CREATE | SL_CAP_CONDITIONAL)
const struct check checks_safe[] = {
    {"reserved.kept", "a record is created under the id that was chosen", RESERVED, FOR_ALL, id_kept},
    {"reserved.taken", "a taken id is refused, and its record stays", RESERVED, FOR_ALL, id_taken},
    {"reserved.repeat", "a repeated create answers with the record that is there", RESERVED, FOR_ALL, id_repeat},
    {"reserved.again", "a deleted record's id is free, or refused", RESERVED | SL_CAP_DELETE, FOR_ALL, id_again},
    {"reserved.hostile", "ids that the rule forbids are refused", RESERVED, FOR_ALL, id_hostile},
    {"reserved.long", "the longest id works, a longer one is refused", RESERVED, FOR_ALL, id_long},
    {"idempotent.repeat", "one key is one create", SL_CAP_CREATE | SL_CAP_IDEMPOTENT, FOR_ALL, key_repeat},
    {"conditional.update", "an update of another version is refused", CONDITIONAL | SL_CAP_UPDATE, FOR_ALL,
     stale_update},
    {"conditional.delete", "so is a delete", CONDITIONAL | SL_CAP_DELETE, FOR_ALL, stale_delete},
    {"conditional.archive", "and an archive", CONDITIONAL | SL_CAP_ARCHIVE, FOR_ALL, stale_archive},
    {"conditional.chain", "what a write answers is what the next may expect", CONDITIONAL | SL_CAP_UPDATE, FOR_ALL,
     chain},
    {"conditional.elsewhere", "another session's update counts", CONDITIONAL, KEEPS, stale_elsewhere},
    {0},
};
