/* SPDX-License-Identifier: MIT */
/* test_sim.c - random edits, kills and lost replies from a seed; whatever happened, both sides end the same and nothing is lost or doubled. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/check.h"
#include "kit.h"

enum { ROUNDS = 10, EDITS = 120, UIDS = 40 };
enum tier { TIER_RESERVED = 1, TIER_IDEMPOTENT, TIER_CORRELATES, TIER_NONE };

/* One value a person wrote. */
struct edit {
    int side, uid, field;
    char value[24];
    bool superseded; /* by the same person, or gone with a record the person deleted */
};

struct sim {
    struct kit *k;
    uint64_t seed, random;
    int tier;
    bool fair; /* writes are conditional: edits may come in the middle of a run */
    bool deletes;
    struct edit edits[EDITS];
    int n_edits, n_uids;
    bool deleted[UIDS];
    int armed; /* steps until an edit comes in between */
    const char *why;
    char text[800];
    uint64_t kills;
};

static const char *const field_names[] = {"title", "body"};

static uint32_t roll(struct sim *s, uint32_t n)
{
    s->random += 0x9e3779b97f4a7c15u;
    uint64_t x = s->random;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)((x ^ x >> 31) % n);
}

static bool trace(void)
{
    return getenv("SEED") != NULL;
}

static void fail(struct sim *s, const char *why, const char *about)
{
    if (!s->why)
        snprintf(s->text, sizeof s->text, "%s: %s", why, about ? about : "");
    s->why = s->text;
}

/* --- what people do --- */

static int uid_of(const struct memory_record *r)
{
    const char *uid = memory_field(r, "uid");
    return uid ? atoi(uid + 1) : -1;
}

static struct memory_record *any_live(struct sim *s, int side)
{
    struct memory_world *w = &s->k->w[side];
    for (int tries = 0; w->n_records && tries < 8; tries++) {
        struct memory_record *r = &w->records[roll(s, w->n_records)];
        if (!r->gone)
            return r;
    }
    return NULL;
}

static void note_edit(struct sim *s, int side, int uid, int field, const char *value)
{
    struct edit *e = &s->edits[s->n_edits++];
    *e = (struct edit){.side = side, .uid = uid, .field = field};
    snprintf(e->value, sizeof e->value, "%s", value);
    for (int i = 0; i < s->n_edits - 1; i++)
        if (s->edits[i].side == side && s->edits[i].uid == uid && s->edits[i].field == field)
            s->edits[i].superseded = true;
}

static void put(struct sim *s, int side, const char *id, int uid, int field)
{
    char value[24], fields[80];
    snprintf(value, sizeof value, "%s%d x%d ", roll(s, 2) ? "V" : "v", s->n_edits, uid);
    snprintf(fields, sizeof fields, "uid=u%d;%s=%s", uid, field_names[field], value);
    memory_put(&s->k->w[side], id, fields);
    note_edit(s, side, uid, field, value);
    if (trace())
        fprintf(stderr, "  %c %s %s\n", 'a' + side, id, fields);
}

static void create(struct sim *s, int side)
{
    char id[24];
    if (s->n_uids == UIDS)
        return;
    int uid = s->n_uids++;
    snprintf(id, sizeof id, "%c%d", roll(s, 8) ? 'a' + side : 'a', uid);
    put(s, side, id, uid, 0);
}

static void erase(struct sim *s, int side, const struct memory_record *r)
{
    int uid = uid_of(r);
    s->deleted[uid] = true;
    for (int i = 0; i < s->n_edits; i++)
        if (s->edits[i].side == side && s->edits[i].uid == uid)
            s->edits[i].superseded = true;
    if (trace())
        fprintf(stderr, "  %c %s deleted\n", 'a' + side, r->id);
    memory_remove(&s->k->w[side], r->id);
}

static void edit(struct sim *s, int side)
{
    struct memory_record *r = any_live(s, side);
    uint32_t what = roll(s, 10);
    if (s->n_edits >= EDITS - 1)
        return;
    if (!r || what < 3)
        create(s, side);
    else if (what == 3 && s->deletes)
        erase(s, side, r);
    else
        put(s, side, r->id, uid_of(r), (int)roll(s, 2));
}

/* In the middle of a run, before a step of the system. */
static void between(struct memory_world *w, void *self)
{
    struct sim *s = self;
    if (s->armed && --s->armed == 0)
        edit(s, w == &s->k->w[1]);
}

/* --- what goes wrong --- */

static void arm_world(struct sim *s, struct memory_world *w)
{
    int n = 1 + (int)roll(s, 8);
    switch (roll(s, 7)) {
    case 0:
        w->die_in = n;
        break;
    case 1:
        w->lose_reply_in = 1 + n / 2;
        break;
    case 2:
        w->lose_request_in = 1 + n / 2;
        break;
    case 3:
        w->half_in = 1;
        break;
    case 4:
        w->rate_in = n;
        break;
    case 5:
        if (w->late_ms)
            w->delay_in = 1 + n / 2;
        break;
    default:
        break;
    }
}

static void arm(struct sim *s)
{
    struct kit *k = s->k;
    for (int side = 0; side < 2; side++)
        if (roll(s, 3) == 0)
            arm_world(s, &k->w[side]);
    if (roll(s, 3) == 0) {
        k->disk->fail_in = 1 + roll(s, 8);
        k->disk->fault = (int)(MEM_KILLED_BEFORE + roll(s, MEM_IO));
    }
    if (s->fair && roll(s, 3) == 0)
        s->armed = 1 + (int)roll(s, 12);
}

/* --- the systems --- */

static void set_tier(struct sim *s, struct memory_world *w)
{
    w->reserved_ids = s->tier == TIER_RESERVED;
    w->idempotent = s->tier == TIER_IDEMPOTENT;
    w->correlates = s->tier == TIER_CORRELATES;
    if (s->tier == TIER_CORRELATES) {
        w->late_ms = 3000;
        w->index_lag_ms = roll(s, 2) ? 2000 : 0;
    }
}

static void set_world(struct sim *s, struct memory_world *w)
{
    set_tier(s, w);
    w->conditional = s->fair;
    w->versionless = !s->fair && roll(s, 2);
    w->stubs = roll(s, 2) && !w->versionless;
    w->delta = w->delete_feed = roll(s, 3) == 0;
    w->page_size = (int)roll(s, 4);
    w->shuffle = roll(s, 4);
    w->batch_max = roll(s, 4);
    w->trims = roll(s, 3) == 0;
    w->lowers = roll(s, 4) == 0;
    w->stale_ms = s->fair && roll(s, 4) == 0 ? 2000 : 0;
    w->step = between;
    w->step_self = s;
}

static void begin(struct sim *s)
{
    static const char *const policies[] = {"a", "b"};
    static const char *const deletes[] = {"delete", "recreate"};
    char words[120];
    s->tier = 1 + (int)roll(s, 4);
    s->fair = roll(s, 2) != 0;
    uint32_t d = roll(s, 4);
    s->deletes = d < 2;
    snprintf(words, sizeof words, "fields=uid,title,body %s conflict=%s deletes=%s max=1000",
             roll(s, 2) ? "first=create_only" : "match=uid first=match_or_create", policies[roll(s, 2)],
             deletes[d & 1]);
    s->k = kit_new(words, false);
    s->k->random = s->seed;
    for (int side = 0; side < 2; side++)
        set_world(s, &s->k->w[side]);
    if (trace())
        fprintf(stderr, "%s; tier %d, %s\n", words, s->tier, s->fair ? "conditional" : "unconditional");
}

static void one_round(struct sim *s)
{
    for (uint32_t n = roll(s, 4); n > 0; n--)
        edit(s, (int)roll(s, 2));
    arm(s);
    kit_run(s->k);
    if (trace())
        fprintf(stderr, "run: %s\n", s->k->e.code ? s->k->e.text : "done");
    s->kills += s->k->disk->dead;
    kit_revive(s->k);
    s->armed = 0;
    kit_tick(s->k, 500 * (int64_t)roll(s, 6));
}

/* --- what must be true in the end --- */

static void plain_text(const char *text, char out[MEMORY_TEXT])
{
    size_t n = 0;
    for (; *text && n < MEMORY_TEXT - 1; text++)
        if (*text != ' ')
            out[n++] = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
    out[n] = '\0';
}

static bool same_text(const char *x, const char *y)
{
    char a[MEMORY_TEXT], b[MEMORY_TEXT];
    plain_text(x ? x : "", a);
    plain_text(y ? y : "", b);
    return strcmp(a, b) == 0;
}

static const struct memory_record *with_uid(struct sim *s, int side, int uid)
{
    const struct memory_record *found = NULL;
    for (uint32_t i = 0; i < s->k->w[side].n_records; i++) {
        const struct memory_record *r = &s->k->w[side].records[i];
        if (r->gone || uid_of(r) != uid)
            continue;
        if (found)
            fail(s, "I19: doubled", r->id);
        found = r;
    }
    return found;
}

static void check_records(struct sim *s, bool waits)
{
    for (int uid = 0; uid < s->n_uids; uid++) {
        const struct memory_record *r[2] = {with_uid(s, 0, uid), with_uid(s, 1, uid)};
        const char *id = r[0] ? r[0]->id : r[1] ? r[1]->id : "both";
        if (waits) /* what a person has to decide first may differ, but nothing may be there twice */
            continue;
        if (!s->deleted[uid] && !(r[0] && r[1]))
            fail(s, "missing on one side", id);
        if (!r[0] != !r[1])
            fail(s, "I12: deleted on one side only", id);
        for (size_t f = 0; r[0] && r[1] && f < 2; f++)
            if (!same_text(memory_field(r[0], field_names[f]), memory_field(r[1], field_names[f])))
                fail(s, "I12: the sides differ", id);
    }
}

static bool live(struct sim *s, const struct edit *e)
{
    for (int side = 0; side < 2; side++) {
        const struct memory_record *r = with_uid(s, side, e->uid);
        if (r && same_text(memory_field(r, field_names[e->field]), e->value))
            return true;
    }
    return false;
}

static bool recorded(struct sim *s, const struct edit *e)
{
    char texts[4][24] = {{0}};
    for (int i = 0; i < 4; i++) {
        snprintf(texts[i], sizeof texts[i], "%s", e->value);
        if (i & 1)
            texts[i][strlen(texts[i]) - 1] = '\0';
        if (i & 2)
            texts[i][0] = 'v';
        if (kit_in_history(s->k, texts[i]))
            return true;
    }
    return false;
}

static void check_edits(struct sim *s)
{
    for (int i = 0; i < s->n_edits; i++)
        if (!s->edits[i].superseded && !live(s, &s->edits[i]) && !recorded(s, &s->edits[i]))
            fail(s, "I5: an edit is lost", s->edits[i].value);
}

static void check_idle(struct sim *s)
{
    for (int i = 0; i < 5; i++) {
        uint64_t writes = s->k->w[0].n_writes + s->k->w[1].n_writes;
        if (kit_run(s->k))
            fail(s, "an idle run ends", s->k->e.text);
        if (s->k->w[0].n_writes + s->k->w[1].n_writes != writes)
            fail(s, "I11: an idle run writes", "");
    }
}

static void show_sides(struct sim *s)
{
    struct arena a = {0};
    for (int side = 0; side < 2; side++)
        fprintf(stderr, "  %c: %s\n", 'a' + side, kit_records(s->k, side, true, &a));
    fprintf(stderr, "  waits: %s\n", kit_waits(s->k, &a));
    arena_fini(&a);
}

static void finish(struct sim *s)
{
    struct arena a = {0};
    for (int i = 0; i < 3; i++) { /* what is under way arrives, what was waited for is waited for */
        kit_run(s->k);
        kit_tick(s->k, 10000);
    }
    if (!kit_settle(s->k))
        fail(s, "I14: it does not come to rest", s->k->e.text);
    bool waits = *kit_waits(s->k, &a) != '\0';
    if (waits && s->tier != TIER_NONE)
        fail(s, "something waits", kit_waits(s->k, &a));
    check_records(s, waits);
    check_edits(s);
    check_idle(s);
    arena_fini(&a);
}

static bool run_seed(uint64_t seed, uint64_t *kills)
{
    struct sim *s = mem_alloc(sizeof *s);
    s->seed = s->random = seed;
    begin(s);
    for (int i = 0; i < ROUNDS; i++)
        one_round(s);
    finish(s);
    bool ok = !s->why;
    *kills += s->kills;
    if (!ok)
        fprintf(stderr, "\nSEED=%llu tier %d: %s\n", (unsigned long long)seed, s->tier, s->why);
    if (!ok && trace())
        show_sides(s);
    kit_free(s->k);
    mem_free(s);
    return ok;
}

static void test_seeds(void)
{
    const char *one = getenv("SEED"), *many = getenv("SEEDS");
    uint64_t from = one ? strtoull(one, NULL, 10) : 1, n = one ? 1 : many ? strtoull(many, NULL, 10) : 2000;
    uint64_t kills = 0;
    unsigned bad = 0;
    for (uint64_t seed = from; seed < from + n && bad < 10; seed++)
        bad += !run_seed(seed, &kills);
    CU_ASSERT_EQUAL(bad, 0);
    printf("counts: seeds %llu, kills %llu\n", (unsigned long long)n, (unsigned long long)kills);
}

static const struct check tests[] = {
    {"I5 I11 I12 I14 I18 I19 I20: seeds of edits, kills and lost replies end with both sides the same", test_seeds},
};
CHECK_MAIN("simulation", tests)
