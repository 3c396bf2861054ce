/* SPDX-License-Identifier: MIT */
/* sim_host.c - the host of a simulated history: runs the real engine on its state, by its clock, and decides what waits for a person. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/value.h"
#include "sim.h"
#include "store/inside.h"
#include "sync/act.h"

extern const struct sl_plugin syncline_plugin;

/* --- the pair --- */

static void put_words(const struct sim_script *c, char *out, size_t n_bytes)
{
    static const char *const modes[] = {"two_way", "one_way"};
    static const char *const policies[] = {"manual", "a", "b", "newest", "nonempty", "min", "max"};
    static const char *const drifts[] = {"alert", "revert", "ignore"};
    static const char *const deletes[] = {"delete", "unlink", "recreate", "archive", "ignore"};
    static const char *const ceilings[] = {"1000", "2", "0"};
    const int *x = c->choice;
    snprintf(out, n_bytes, "mode=%s fields=uid,key,title/%s,body/%s,n/%s %s drift=%s deletes=%s max=%s percent=0",
             modes[x[CHOICE_MODE]], policies[x[CHOICE_TITLE]], policies[x[CHOICE_BODY]], policies[x[CHOICE_N]],
             x[CHOICE_FIRST] ? "first=create_only" : "match=key first=match_or_create", drifts[x[CHOICE_DRIFT]],
             deletes[x[CHOICE_DELETES]], ceilings[x[CHOICE_CEILING]]);
}

/* Compiling takes longer than a whole history. */
static struct jq_expr *even;

static void free_even(void)
{
    jq_free(even);
}

static struct jq_expr *even_filter(void)
{
    struct err e = {0};
    bool compile = !even;
    if (compile && jq_compile(".uid | .[1:] | tonumber % 2 == 0", &even, &e)) {
        fprintf(stderr, "sim: %s\n", e.text);
        abort();
    }
    if (compile)
        atexit(free_even);
    return even;
}

/* 0: as it was; 1: without the body; 2: a filter on side a; 3: another key. */
void host_variant(struct sim *s, int n)
{
    enum { BODY = 3 };
    struct conf_pair *p = &s->k->pair;
    static const char *uid = "uid", *key = "key";
    s->variant = n;
    p->digest = (uint64_t)n + 1;
    p->scope[0] = n == 2 ? 2 : 1;
    p->scope[1] = 1;
    p->create[0] = p->mode != MODE_ONE_WAY && n != 2; /* where only one side has a filter, records come from there */
    p->side[0].filter_expr = n == 2 ? even_filter() : NULL;
    p->side[0].filter = n == 2 ? "even" : NULL;
    if ((n == 1) != (p->map.n_rules == N_FIELDS)) { /* the body's rule stands last while it is out */
        struct rule last = p->map.rules[N_FIELDS], *body = &p->map.rules[BODY];
        p->map.rules[N_FIELDS] = *body;
        *body = last;
        p->map.n_rules = n == 1 ? N_FIELDS : N_FIELDS + 1;
    }
    for (int side = 0; side < 2 && p->n_match; side++)
        p->match[0].field[side][0] = n == 3 ? uid : key;
}

static void set_worlds(struct sim *s)
{
    int tier = s->script->choice[CHOICE_TIER];
    for (int side = 0; side < 2; side++) {
        struct memory_world *w = &s->k->w[side];
        for (size_t i = 0; i < sim_n_knobs; i++)
            if (sim_knobs[i].kind == KNOB_TRAIT && s->script->trait[side][i])
                *knob_int(w, i) = s->script->trait[side][i];
        w->reserved_ids = tier == 0;
        w->idempotent = tier == 1;
        w->correlates = tier == 2;
        w->conditional = s->script->choice[CHOICE_CONDITIONAL] == 0;
    }
}

void host_begin(struct sim *s)
{
    char words[240];
    put_words(s->script, words, sizeof words);
    s->k = kit_new(words, false);
    s->k->random = s->script->seed;
    set_worlds(s);
    host_variant(s, 0);
    if (!s->script->choice[CHOICE_STORE])
        return;
    char folder[] = "/tmp/syncline-sim-XXXXXX";
    s->stats->lmdb++;
    if (!mkdtemp(folder))
        abort();
    s->folder = mem_dup(folder);
}

static void remove_folder(const char *folder)
{
    char path[400];
    DIR *d = opendir(folder);
    for (struct dirent *f; d && (f = readdir(d)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", folder, f->d_name);
        unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(folder);
}

void host_end(struct sim *s)
{
    s->k->pair.side[0].filter_expr = NULL;
    mem_disk_free(s->old);
    for (int side = 0; side < 2; side++)
        mem_free(s->backup[side]);
    if (s->folder) {
        char pair[300];
        snprintf(pair, sizeof pair, "%s/pair", s->folder);
        remove_folder(pair);
        remove_folder(s->folder);
    }
    mem_free(s->folder);
    kit_free(s->k);
}

/* --- a run --- */

struct store *host_store(struct sim *s, bool read_only)
{
    struct store *store = NULL;
    struct err e = {0};
    int rc = 0;
    if (s->folder) {
        char pair[300];
        snprintf(pair, sizeof pair, "%s/pair", s->folder);
        rc = store_open(&store_lmdb, pair, read_only, &store, &e);
    } else {
        rc = read_only ? mem_store_open_read_only(s->k->disk, &store, &e) : mem_store_open(s->k->disk, &store, &e);
    }
    if (rc == STORE_OK && !read_only && store_acquire(store, false, &e) != STORE_OK) {
        store_close(store);
        store = NULL;
    }
    return rc == STORE_OK ? store : NULL;
}

static int64_t host_now(void *self)
{
    struct sim *s = self;
    return s->k->now_ms + s->clock_ms;
}

static void host_random(void *self, void *bytes, size_t n_bytes)
{
    struct kit *k = ((struct sim *)self)->k;
    for (size_t i = 0; i < n_bytes; i++) {
        k->random = k->random * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)bytes)[i] = (uint8_t)(k->random >> 56);
    }
}

static void host_sleep(void *self, uint32_t ms)
{
    kit_tick(((struct sim *)self)->k, ms);
}

static int host_stopping(void *self)
{
    (void)self;
    return 0;
}

/* What changes with every commit that changes anything. */
static uint64_t last_txid(struct sim *s)
{
    if (!s->folder)
        return s->k->disk->n_commits;
    struct store *store = host_store(s, true);
    struct store_snap *snap = NULL;
    struct slice row;
    struct err e = {0};
    uint64_t hash = 0;
    if (store && store_snap(store, &snap, &e) == STORE_OK && store_get(snap, DB_META, store_key_last_txid, &row) == 0)
        hash = hash64(row.data, row.size);
    store_snap_end(snap);
    store_close(store);
    return hash;
}

static bool open_sides(struct sim *s, const struct session_world *world, struct run_env *env)
{
    static const char *const names[2] = {"a", "b"};
    for (int side = 0; side < 2; side++) {
        struct sl_value name = value_string("name", names[side]);
        memory_share(names[side], &s->k->w[side]);
        if (session_open(&syncline_plugin, names[side], &name, 1, world, &env->session[side], &s->k->e) != SL_OK)
            return false;
    }
    return true;
}

int host_run(struct sim *s)
{
    struct kit *k = s->k;
    struct session_world world = {s, host_now, host_random, host_sleep, host_stopping, NULL, NULL};
    struct run_env env = {
        .conf = &k->conf, .pair = &k->pair, .world = &world, .identity = "pair", .full = s->full, .born = s->born};
    const struct run_hints hints = kit_hints(k);
    env.hints = &hints;
    uint64_t before = last_txid(s);
    err_clear(&k->e);
    memset(&k->report, 0, sizeof k->report);
    env.store = host_store(s, false);
    if (!env.store)
        err_set(&k->e, ERR_STATE, "the state cannot be opened");
    else if (open_sides(s, &world, &env))
        run_pair(&env, &k->report, &k->e);
    for (int side = 0; side < 2; side++)
        session_close(env.session[side]);
    store_close(env.store);
    k->calm = last_txid(s) == before;
    s->stats->runs++;
    return k->e.code;
}

bool host_calm(const struct sim *s)
{
    return s->k->calm && s->k->e.code == 0;
}

/* --- a person --- */

/* Somebody looks whether it is there: one link if it is, another try if not. */
static void decide_uncertain(struct sim *s, struct store *store, const struct wait_row *w, struct err *e)
{
    int here = 1 - w->side;
    const struct memory_record *mine = w->id[here] ? memory_find(&s->k->w[here], w->id[here]) : NULL;
    const struct memory_record *theirs = mine ? people_find(s, w->side, people_uid(mine)) : NULL;
    const char *id[2];
    if (!theirs) {
        act_retry(store, w->number, e);
        return;
    }
    id[here] = mine->id;
    id[1 - here] = theirs->id;
    people_unsure(s); /* two records linked by hand have no base */
    if (act_link(store, "pair", id[0], id[1], e) && s->truth.loose[people_uid(mine)]) { /* linked to its double */
        err_clear(e);
        act_drop(store, w->number, e);
    }
}

static void decide_one(struct sim *s, struct store *store, const struct wait_row *w)
{
    struct err e = {0};
    bool one_way = s->script->choice[CHOICE_MODE] == 1;
    int take = one_way ? 0 : (int)((s->script->seed + w->number) % 2);
    switch (w->kind) {
    case WAIT_CONFLICT:
    case WAIT_DRIFT:
        act_resolve(store, w->number, take, host_now(s), &e);
        break;
    case WAIT_PARKED:
        act_retry(store, w->number, &e);
        break;
    default:
        decide_uncertain(s, store, w, &e);
    }
    if (s->trace)
        fprintf(stderr, "    person: %s %s%s\n", w->reason, e.code ? "- " : "", e.code ? e.text : "");
}

bool host_waits(struct sim *s, int db)
{
    struct store *store = host_store(s, true);
    struct arena a = {0};
    struct wait_row row;
    struct err e = {0};
    bool any = store && act_waits(store, db, 0, &a, &row, 1, &e) > 0;
    store_close(store);
    arena_fini(&a);
    return any;
}

int host_decide(struct sim *s)
{
    static const int dbs[] = {DB_CONFLICTS, DB_PARKED};
    struct store *store = host_store(s, false);
    struct arena a = {0};
    int n_decided = 0;
    for (size_t d = 0; store && d < 2; d++) {
        struct wait_row rows[64];
        struct err e = {0};
        size_t n = act_waits(store, dbs[d], 0, &a, rows, 64, &e);
        for (size_t i = 0; i < n; i++)
            decide_one(s, store, &rows[i]);
        for (size_t i = 0; i < n; i++) /* what was hidden may be there twice: nobody can tell which is which */
            n_decided += rows[i].kind != WAIT_AMBIGUOUS || !s->truth.any_loose;
    }
    if (store && s->k->report.deletes_due) {
        struct err e = {0};
        act_approve_deletes(store, (int64_t)s->k->report.deletes_due, &e);
        n_decided++;
    }
    store_close(store);
    arena_fini(&a);
    return n_decided;
}
