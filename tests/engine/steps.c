/* SPDX-License-Identifier: MIT */
/* steps.c - carries out what people do: decisions, commands, edits in between. */
#include "steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/value.h"
#include "sync/act.h"

static int side_named(const struct kit *k, const char *text)
{
    return (text[0] == 'b') != k->flip;
}

/* --- what waits --- */

/* The entry about "ID.FIELD" or "ID"; NULL: none. */
static struct wait_row *find_wait(struct kit *k, struct store *store, int db, const char *about, struct arena *a)
{
    struct wait_row *rows = arena_alloc(a, 64 * sizeof *rows);
    size_t n = act_waits(store, db, 0, a, rows, 64, &k->e);
    int side = k->flip ? 1 : 0;
    for (size_t i = 0; i < n; i++) {
        const char *field = rows[i].field[side] ? rows[i].field[side] : rows[i].field[1 - side];
        for (int s = 0; s < 2; s++)
            if (text_equal(arena_printf(a, "%s%s%s", rows[i].id[s], field ? "." : "", field ? field : ""), about))
                return &rows[i];
    }
    err_set(&k->e, ERR_CONFIG, "nothing waits about '%s'", about);
    return NULL;
}

static int do_resolve(struct kit *k, struct run_env *env, char *words)
{
    struct arena a = {0};
    char *take = strchr(words, ' ');
    *take++ = '\0';
    const struct wait_row *w = find_wait(k, env->store, DB_CONFLICTS, words, &a);
    struct sl_value value = value_string(NULL, take + 1);
    if (w && *take == '=')
        act_resolve_value(env, w->number, &value, &k->e);
    else if (w)
        act_resolve(env->store, w->number, side_named(k, take), k->now_ms, &k->e);
    arena_fini(&a);
    return k->e.code;
}

static int do_leave(struct kit *k, struct run_env *env, char *id, int (*leave)(struct store *, uint64_t, struct err *))
{
    struct arena a = {0};
    const struct wait_row *w = find_wait(k, env->store, DB_PARKED, id, &a);
    if (w)
        leave(env->store, w->number, &k->e);
    arena_fini(&a);
    return k->e.code;
}

static int do_retry(struct kit *k, struct run_env *env, char *id)
{
    return do_leave(k, env, id, act_retry);
}

static int do_drop(struct kit *k, struct run_env *env, char *id)
{
    return do_leave(k, env, id, act_drop);
}

/* A record of side t that no link knows as anybody's partner, and that looks like the given one. */
static const char *lookalike(struct kit *k, struct store *s, int t, const char *id, struct arena *a)
{
    const struct memory_record *mine = memory_find(&k->w[1 - t], id);
    for (uint32_t i = 0; mine && i < k->w[t].n_records; i++) {
        const struct memory_record *r = &k->w[t].records[i];
        struct link l = {.state = LINK_HALF};
        const char *title = memory_field(r, "title");
        if (r->gone || !title || !text_equal(title, memory_field(mine, "title")))
            continue;
        struct err none = {0};
        if (act_find_link(s, t, r->id, a, &l, &none) || l.state == LINK_HALF)
            return r->id;
    }
    return NULL;
}

static int do_look(struct kit *k, struct run_env *env, char *unused)
{
    struct arena a = {0};
    struct wait_row *rows = arena_alloc(&a, 64 * sizeof *rows);
    size_t n = act_waits(env->store, DB_PARKED, 0, &a, rows, 64, &k->e);
    (void)unused;
    for (size_t i = 0; i < n && !k->e.code; i++) {
        if (rows[i].kind != WAIT_UNCERTAIN)
            continue;
        int t = rows[i].side;
        const char *pair[2] = {rows[i].id[0], rows[i].id[1]};
        pair[t] = lookalike(k, env->store, t, rows[i].id[1 - t], &a);
        if (pair[t])
            act_link(env->store, env->identity, pair[0], pair[1], &k->e);
        else
            act_retry(env->store, rows[i].number, &k->e);
    }
    arena_fini(&a);
    return k->e.code;
}

/* --- identity, approvals --- */

static int do_link(struct kit *k, struct run_env *env, char *words)
{
    char *second = strchr(words, ' ');
    *second++ = '\0';
    const char *pair[2] = {k->flip ? second : words, k->flip ? words : second};
    return act_link(env->store, env->identity, pair[0], pair[1], &k->e);
}

static int do_unlink(struct kit *k, struct run_env *env, char *id)
{
    return act_unlink(env->store, side_named(k, "a"), id, false, &k->world, &k->e);
}

static int do_forget(struct kit *k, struct run_env *env, char *id)
{
    return act_unlink(env->store, side_named(k, "a"), id, true, &k->world, &k->e);
}

static int do_approve(struct kit *k, struct run_env *env, char *what)
{
    if (strcmp(what, "first") == 0)
        return act_approve_first(env->store, &k->e);
    return act_approve_deletes(env->store, atoll(what), &k->e);
}

/* --- runs of a kind --- */

static void keep_digest(void *self, const struct plan_item *item)
{
    struct kit *k = self;
    if (item->side >= 0 && k->n_only < KIT_ONLY)
        k->only[k->n_only++] = item->digest;
}

static int do_plan(struct kit *k, struct run_env *env, char *unused)
{
    (void)unused;
    k->n_only = 0;
    env->dry = true;
    env->sink = (struct run_sink){.self = k, .item = keep_digest};
    return run_pair(env, &k->report, &k->e);
}

static int do_apply(struct kit *k, struct run_env *env, char *unused)
{
    bool met[KIT_ONLY] = {false};
    (void)unused;
    env->only = k->only;
    env->n_only = k->n_only;
    env->only_met = met;
    return run_pair(env, &k->report, &k->e);
}

static int do_verify(struct kit *k, struct run_env *env, char *unused)
{
    (void)unused;
    env->full = env->dry = true;
    return run_pair(env, &k->report, &k->e);
}

static int do_repair(struct kit *k, struct run_env *env, char *unused)
{
    (void)unused;
    env->full = true;
    return run_pair(env, &k->report, &k->e);
}

/* --- undo --- */

static void ignore(void *self, const struct undo_item *item)
{
    (void)self;
    (void)item;
}

/* The runs that wrote since the base state and were no undo themselves. */
static size_t runs_since(struct kit *k, struct store *s, struct arena *a, const char *runs[16])
{
    size_t n = 0;
    struct history_row *rows = arena_alloc(a, 256 * sizeof *rows);
    size_t n_rows = act_history(s, k->base_history, a, rows, 256, &k->e);
    for (size_t i = 0; i < n_rows && n < 16; i++)
        if (rows[i].kind && rows[i].reason != REASON_UNDO && !(n && text_equal(runs[n - 1], rows[i].run)))
            runs[n++] = rows[i].run;
    return n;
}

static int do_undo(struct kit *k, struct run_env *env, char *unused)
{
    struct arena a = {0};
    struct undo_report report;
    const char *runs[16];
    (void)unused;
    for (size_t n = runs_since(k, env->store, &a, runs); n-- > 0 && !k->e.code;)
        act_undo(env, runs[n], false, ignore, NULL, &report, &k->e);
    arena_fini(&a);
    return k->e.code;
}

/* --- the words --- */

/* Where the systems choose the ids the rows' are those of the other side. */
static const char *partner_id(struct kit *k, int s, const char *id, struct arena *a)
{
    struct store *store = NULL;
    struct link l = {.number = 0};
    struct err none = {0};
    if (memory_find(&k->w[s], id) || mem_store_open_read_only(k->disk, &store, &none) != STORE_OK)
        return id;
    bool found = act_find_link(store, 1 - s, id, a, &l, &none) == 0 && l.id[s];
    store_close(store);
    return found ? l.id[s] : id;
}

static int do_edit(struct kit *k, char side, const char *edits)
{
    struct arena a = {0};
    char *text = arena_text(&a, edits), *rest = NULL;
    int s = side_named(k, &side);
    for (char *part = strtok_r(text, "|", &rest); part; part = strtok_r(NULL, "|", &rest)) {
        part += strspn(part, " ");
        size_t n = strcspn(part, ":!");
        const char *id = arena_dup(&a, part, n);
        kit_edit(k, s, arena_printf(&a, "%s%s", k->blur ? partner_id(k, s, id, &a) : id, part + n));
    }
    arena_fini(&a);
    kit_tick(k, 5000);
    return 0;
}

/* Runs, and looks after what is uncertain, until nothing is. */
static int do_decide(struct kit *k)
{
    bool uncertain = true;
    for (int i = 0; i < KIT_SETTLE && uncertain && !k->disk->dead; i++) {
        struct arena a = {0};
        if (kit_run(k))
            return k->e.code;
        uncertain = strstr(kit_waits(k, &a), "uncertain") != NULL;
        arena_fini(&a);
        if (uncertain && step_do(k, "look"))
            return k->e.code;
    }
    return k->e.code;
}

static int do_expect(struct kit *k, const char *what, const char *want)
{
    struct arena a = {0};
    if (k->blur && what[0] != 'w') /* the systems choose ids that no row knows */
        return 0;
    const char *got = what[0] == 'w' ? kit_waits(k, &a) : kit_records(k, side_named(k, what), true, &a);
    err_clear(&k->e);
    if (strcmp(got, want) != 0)
        err_set(&k->e, ERR_FAILED, "%s: '%s' wanted, there is '%s'", what, want, got);
    arena_fini(&a);
    return k->e.code;
}

/* A knob of one side. */
static int do_knob(struct kit *k, const char *knob, const char *words)
{
    struct arena a = {0};
    int s = side_named(k, words);
    struct memory_world *w = &k->w[s];
    const char *id = words[1] ? words + 2 : "";
    if (strcmp(knob, "lose") == 0)
        w->lose_reply_in = 1;
    else if (strcmp(knob, "unsent") == 0)
        w->lose_request_in = 1;
    else
        snprintf(w->reject, sizeof w->reject, "%s", k->blur ? partner_id(k, s, id, &a) : id);
    arena_fini(&a);
    return 0;
}

static const struct {
    const char *name;
    int (*act)(struct kit *k, struct run_env *env, char *words);
    bool writes; /* its report counts */
} verbs[] = {{"plan", do_plan, false},    {"apply", do_apply, true},      {"verify", do_verify, false},
             {"repair", do_repair, true}, {"approve", do_approve, false}, {"resolve", do_resolve, false},
             {"retry", do_retry, false},  {"drop", do_drop, false},       {"look", do_look, false},
             {"link", do_link, false},    {"unlink", do_unlink, false},   {"forget", do_forget, false},
             {"undo", do_undo, false}};

int step_do(struct kit *k, const char *step)
{
    char words[512];
    snprintf(words, sizeof words, "%s", step);
    char *rest = strchr(words, ' ');
    if (rest)
        *rest++ = '\0';
    if (strcmp(words, "run") == 0)
        return kit_run(k);
    if (strcmp(words, "decide") == 0)
        return do_decide(k);
    if (strcmp(words, "a") == 0 || strcmp(words, "b") == 0)
        return do_edit(k, words[0], rest);
    if (strcmp(words, "is") == 0)
        return do_expect(k, rest, rest + 2);
    if (strcmp(words, "waits") == 0)
        return do_expect(k, words, rest ? rest : "");
    if (strcmp(words, "lose") == 0 || strcmp(words, "unsent") == 0 || strcmp(words, "reject") == 0)
        return do_knob(k, words, rest);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        struct run_env env;
        if (strcmp(words, verbs[i].name) != 0)
            continue;
        memset(&k->report, 0, sizeof k->report);
        if (kit_open(k, &env) == 0)
            verbs[i].act(k, &env, rest);
        if (verbs[i].writes)
            kit_count(k);
        kit_close(k, &env);
        return k->e.code;
    }
    fprintf(stderr, "kit: no step '%s'\n", step);
    abort();
}
