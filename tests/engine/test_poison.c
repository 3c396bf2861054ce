/* SPDX-License-Identifier: MIT */
/* test_poison.c - one record of many kills its connector: it ends up parked alone, all others arrive, each once, and nothing is written twice. */
#include <stdio.h>
#include <string.h>

#include "../unit/check.h"
#include "kit.h"
#include "plugin/session.h"
#include "sync/act.h"
#include "sync/poison.h"

enum { MANY = 40, RUNS = 12 };

static uint64_t deaths;

static void killed(void *host_ctx)
{
    deaths++;
    session_note_death(host_ctx);
}

static struct kit *many(const char *words, int from)
{
    struct kit *k = kit_new(words, false);
    char edit[64];
    for (int s = 0; s < 2; s++) {
        k->w[s].conditional = k->w[s].reserved_ids = 1;
        k->w[s].killed = killed;
    }
    for (int i = from; i < from + MANY; i++) {
        snprintf(edit, sizeof edit, "%d:title=t%d", i, i);
        kit_edit(k, 0, edit);
    }
    deaths = 0;
    return k;
}

static void edit_all(struct kit *k, int from, const char *word)
{
    char edit[64];
    for (int i = from; i < from + MANY; i++) {
        snprintf(edit, sizeof edit, "%d:title=%s%d", i, word, i);
        kit_edit(k, 0, edit);
    }
}

static uint32_t arrived(struct kit *k, int from, const char *word)
{
    uint32_t n = 0;
    char id[16], title[32];
    for (int i = from; i < from + MANY; i++) {
        snprintf(id, sizeof id, "%d", i);
        snprintf(title, sizeof title, "%s%d", word, i);
        struct memory_record *r = memory_find(&k->w[1], id);
        n += r && strcmp(memory_field(r, "title"), title) == 0;
    }
    return n;
}

static void runs(struct kit *k)
{
    for (int i = 0; i < RUNS; i++) {
        err_clear(&k->e);
        kit_run(k);
    }
}

/* What is parked, and how many; its reason is copied. */
static size_t parked(struct kit *k, char reason[300])
{
    struct arena a = {0};
    struct run_env env;
    struct wait_row w[4] = {{.reason = ""}};
    size_t n = 0;
    err_clear(&k->e);
    if (kit_open(k, &env) == 0)
        n = act_waits(env.store, DB_PARKED, 0, &a, w, 4, &k->e);
    kit_close(k, &env);
    snprintf(reason, 300, "%s", w[0].reason);
    arena_fini(&a);
    return n;
}

static void check_alone(struct kit *k, const char *says)
{
    char reason[300];
    CU_ASSERT_EQUAL(parked(k, reason), 1);
    if (!strstr(reason, says))
        printf("\n  it says: %s\n", reason);
    CU_ASSERT_PTR_NOT_NULL(strstr(reason, says));
}

static void creates(void)
{
    struct kit *k = many("mode=one_way fields=title", 100);
    snprintf(k->w[1].kills, sizeof k->w[1].kills, "117");
    runs(k);
    CU_ASSERT_EQUAL(arrived(k, 100, "t"), MANY - 1);
    CU_ASSERT_EQUAL(k->w[1].n_creates, MANY - 1);
    CU_ASSERT(deaths >= 1 && deaths <= 3);
    check_alone(k, "dies of this write, also when it is alone");
    /* mended, and tried again */
    *k->w[1].kills = '\0';
    kit_edit(k, 0, "117:title=t117;n=#1");
    runs(k);
    CU_ASSERT_EQUAL(arrived(k, 100, "t"), MANY);
    CU_ASSERT_EQUAL(k->w[1].n_creates, MANY);
    kit_free(k);
}

static void updates(void)
{
    struct kit *k = many("mode=one_way fields=title", 100);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    edit_all(k, 100, "u");
    snprintf(k->w[1].kills, sizeof k->w[1].kills, "139");
    runs(k);
    CU_ASSERT_EQUAL(arrived(k, 100, "u"), MANY - 1);
    CU_ASSERT(deaths >= 1 && deaths <= 4);
    check_alone(k, "dies of this write, also when it is alone");
    kit_free(k);
}

/* It is carried out, and then it kills: what landed is seen to have landed, and nothing is parked. */
static void carried_out(void)
{
    for (int update = 0; update < 2; update++) {
        char reason[300];
        struct kit *k = many("mode=one_way fields=title", 100);
        if (update) {
            CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
            edit_all(k, 100, "u");
        }
        snprintf(k->w[1].kills, sizeof k->w[1].kills, "120");
        k->w[1].kills_late = 1;
        runs(k);
        CU_ASSERT_EQUAL(arrived(k, 100, update ? "u" : "t"), MANY);
        CU_ASSERT_EQUAL(k->w[1].n_creates, MANY);
        CU_ASSERT_EQUAL(parked(k, reason), 0);
        kit_free(k);
    }
}

static void deletes(void)
{
    struct kit *k = many("mode=one_way fields=title deletes=delete max=50", 100);
    char id[16];
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    for (int i = 100; i < 100 + MANY; i++) {
        snprintf(id, sizeof id, "%d!", i);
        kit_edit(k, 0, id);
    }
    snprintf(k->w[1].kills, sizeof k->w[1].kills, "100");
    runs(k);
    CU_ASSERT_EQUAL(k->w[1].n_deletes, MANY - 1);
    check_alone(k, "dies of this write, also when it is alone");
    kit_free(k);
}

/* A record whose reading kills: the others are read in the same run. */
static void reads(void)
{
    struct kit *k = many("mode=one_way fields=title", 100);
    k->w[0].stubs = 1;
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    edit_all(k, 100, "u");
    snprintf(k->w[0].kills_reader, sizeof k->w[0].kills_reader, "105");
    kit_run(k);
    CU_ASSERT_EQUAL(arrived(k, 100, "u"), MANY - 1);
    CU_ASSERT(deaths >= 1 && deaths <= 3);
    runs(k);
    check_alone(k, "dies of reading it, also when it is alone");
    kit_free(k);
}

/* Neither write nor look: a person is asked, and the others arrive. */
static void looks(void)
{
    struct kit *k = many("mode=one_way fields=title", 100);
    CU_ASSERT_NOT_EQUAL(kit_settle(k), 0);
    edit_all(k, 100, "u");
    snprintf(k->w[1].kills, sizeof k->w[1].kills, "110");
    kit_run(k);
    snprintf(k->w[1].kills_reader, sizeof k->w[1].kills_reader, "110");
    runs(k);
    CU_ASSERT_EQUAL(arrived(k, 100, "u"), MANY - 1);
    check_alone(k, "dies of looking whether this was carried out");
    kit_free(k);
}

static void steps(void)
{
    CU_ASSERT_EQUAL(poison_next(1), 1);
    CU_ASSERT_EQUAL(poison_next(32), 1);
    for (uint32_t n = 2; n < 100000; n++)
        CU_ASSERT(poison_next(n) >= 1 && poison_next(n) < n);
    int most = 0;
    for (uint32_t n = 10000; n > 1; n = poison_next(n))
        most++;
    CU_ASSERT(most <= 3);
}

static const struct check tests[] = {
    {"a create that kills is parked alone (I23, I19)", creates},
    {"an update that kills is parked alone (I23)", updates},
    {"a write that lands and then kills has landed (I18, I19)", carried_out},
    {"a delete that kills is parked alone (I23)", deletes},
    {"a record whose reading kills is parked alone (I23)", reads},
    {"one that kills whoever looks is left to a person (I23)", looks},
    {"companies shrink to one", steps},
};
CHECK_MAIN("poison", tests)
