/* SPDX-License-Identifier: MIT */
/* run.c - one run of one pair from beginning to end, and what its phases share. */
#include "sync/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sync/engine.h"

/* --- what all phases use --- */

void engine_room(struct engine *g, uint64_t link)
{
    if (link < g->room)
        return;
    size_t room = g->room ? g->room : 1024;
    while (room <= link)
        room *= 2;
    uint8_t **arrays[] = {&g->klass, &g->listed[0], &g->listed[1], &g->visited};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        *arrays[i] = mem_grow(*arrays[i], room);
        memset(*arrays[i] + g->room, 0, room - g->room);
    }
    g->room = room;
}

void engine_class(struct engine *g, uint64_t link, int klass)
{
    engine_room(g, link);
    if (g->klass[link] == CLASS_PENDING || klass > g->klass[link])
        g->klass[link] = (uint8_t)klass;
}

void engine_listed(struct engine *g, uint64_t link, int side)
{
    engine_room(g, link);
    g->listed[side][link] = 1;
}

void engine_drop(struct engine *g, uint64_t link)
{
    engine_room(g, link);
    g->klass[link] = g->listed[0][link] = g->listed[1][link] = 0;
    g->visited[link] = VISIT_DROPPED;
}

int engine_fail(struct engine *g, int rc)
{
    if (rc == STORE_OK || rc == STORE_NOTFOUND)
        return g->e->code;
    int code =
        rc == STORE_FULL || rc == STORE_BUSY || rc == STORE_FENCED || rc == STORE_UNKNOWN ? ERR_FAILED : ERR_STATE;
    return err_set(g->e, code, "pairs.%s: state: %s", g->pair->name, store_rc_name(rc));
}

int engine_commit(struct engine *g)
{
    if (g->batch.n_ops == 0)
        return g->e->code;
    put_counters_row(&g->batch, &g->next);
    g->committed = true;
    int rc = batch_commit(&g->batch, g->store, g->e);
    if (rc != STORE_OK)
        engine_fail(g, rc);
    return g->e->code;
}

void engine_ulid(struct engine *g, char out[27])
{
    uint8_t entropy[10];
    g->env->world->random(g->env->world->self, entropy, sizeof entropy);
    ulid_make(g->env->world->now_ms(g->env->world->self), entropy, out);
}

bool engine_stopping(struct engine *g)
{
    if (!g->env->world->stopping || !g->env->world->stopping(g->env->world->self))
        return false;
    err_set(g->e, ERR_FAILED, "pairs.%s: stopped; what was begun is written down, run again to go on", g->pair->name);
    return true;
}

void engine_progress(struct engine *g, const char *phase, uint64_t done, uint64_t of)
{
    if (g->env->sink.progress)
        g->env->sink.progress(g->env->sink.self, phase, done, of);
}

/* --- the run --- */

/* The three digests a state was written under, as they are now. */
static uint64_t config_now(const struct engine *g, int i)
{
    return i < 2 ? conf_scope(g->env->conf, g->pair, i) : conf_pair_digest(g->env->conf, g->pair);
}

static const char *const config_keys[3] = {"scope.0", "scope.1", "config"};

/* A mapping or filter that is not the one the state was written under: everything is looked at again. */
static void compare_config(struct engine *g, struct store_snap *snap)
{
    bool *const changed[3] = {&g->scope_changed[0], &g->scope_changed[1], &g->reexamine};
    struct arena a = {0};
    for (int i = 0; i < 3 && g->env->conf; i++) {
        const char *then = meta_text(snap, config_keys[i], &a);
        *changed[i] = then && strcmp(then, arena_printf(&a, "%016" PRIx64, config_now(g, i))) != 0;
        g->config_new |= !then || *changed[i];
    }
    arena_fini(&a);
}

/* Only a run that came to its end has looked at everything. */
static void put_config(struct engine *g)
{
    char now[32];
    for (int i = 0; i < 3 && g->config_new; i++) {
        snprintf(now, sizeof now, "%016" PRIx64, config_now(g, i));
        put_meta_text(&g->batch, config_keys[i], now);
    }
}

static int begin(struct engine *g)
{
    struct store_snap *snap = NULL;
    if (engine_fail(g, store_snap(g->store, &snap, g->e)))
        return g->e->code;
    g->next = state_counters(snap);
    compare_config(g, snap);
    g->approved = meta_number(snap, "approved", -1);
    store_snap_end(snap);
    if (g->approved >= 0 && !g->env->dry) { /* an approval is for one run, whatever comes of it */
        struct row_key k = key_text("approved");
        batch_del(&g->batch, DB_META, key_slice(&k));
    }
    engine_room(g, g->next.link);
    for (int s = 0; s < 2; s++)
        if (g->object[s]->object.next_id > g->next.id[s])
            g->next.id[s] = g->object[s]->object.next_id;
    return 0;
}

static int settle(struct engine *g)
{
    struct run_report *r = g->report;
    uint64_t sum = 0;
    for (size_t i = 0; i < g->room; i++) {
        r->seen += g->listed[0][i] || g->listed[1][i] || g->klass[i];
        r->of[g->klass[i]] += g->klass[i] != 0;
        sum += g->klass[i] != 0;
    }
    if (sum != r->seen)
        return err_set(g->e, ERR_FAILED,
                       "pairs.%s: %" PRIu64 " records seen but %" PRIu64
                       " accounted for (I25); this is a bug in Syncline, please report it",
                       g->pair->name, r->seen, sum);
    return 0;
}

static bool any_row(struct engine *g, int db)
{
    struct store_snap *snap = NULL;
    struct store_row row;
    size_t n = 0;
    if (store_snap(g->store, &snap, g->e) != STORE_OK)
        return false;
    store_scan(snap, db, slice_of(NULL, 0), slice_of(NULL, 0), false, 1, &row, &n);
    store_snap_end(snap);
    return n > 0;
}

static void say_review(struct engine *g)
{
    snprintf(g->report->message, sizeof g->report->message,
             "first run, nothing written: %" PRIu64 " records matched, %" PRIu64
             " writes planned; look at `syncline plan %s`, then `syncline approve %s --first-run`",
             g->report->matched, g->report->planned, g->pair->name, g->pair->name);
}

/* The report stays for `status` and `history`, unless the run did nothing at all. */
static int finish(struct engine *g)
{
    if (settle(g))
        return g->e->code;
    if (g->review)
        say_review(g);
    g->report->waits |= any_row(g, DB_CONFLICTS) || any_row(g, DB_PARKED);
    if (!g->env->dry)
        put_config(g);
    if (g->env->dry || g->review)
        return engine_commit(g);
    if (g->first)
        put_meta_number(&g->batch, "first_done", 1);
    if (!g->committed && g->batch.n_ops == 0)
        return 0;
    struct buf row = {0};
    run_put_json(&row, g->pair->name, g->report);
    struct row_key k = key_text(g->report->run);
    batch_put(&g->batch, DB_RUNS, key_slice(&k), slice_of(row.data, row.size));
    buf_fini(&row);
    if (engine_prune(g))
        return g->e->code;
    return engine_commit(g);
}

static int phases(struct engine *g)
{
    if (engine_bind(g) || begin(g))
        return g->e->code;
    if (!g->env->dry && engine_recover(g))
        return g->e->code;
    if (engine_count_open(g) || engine_pull(g))
        return g->e->code;
    g->matching = g->pair->n_match > 0 || ((g->caps[0] | g->caps[1]) & SL_CAP_FIND_CORRELATION);
    if (engine_first(g))
        return g->e->code;
    if (g->matching && engine_load(g))
        return g->e->code;
    if (engine_rounds(g) || engine_guard(g))
        return g->e->code;
    if (!g->env->dry && !g->review && engine_recover(g)) /* what became uncertain in this very run */
        return g->e->code;
    return finish(g);
}

static void free_engine(struct engine *g)
{
    for (size_t i = 0; i < g->n_due; i++)
        mem_free(g->due[i].id);
    mem_free(g->due);
    mem_free(g->klass);
    mem_free(g->listed[0]);
    mem_free(g->listed[1]);
    mem_free(g->visited);
    batch_fini(&g->batch);
    arena_fini(&g->chunk);
    arena_fini(&g->lasting);
}

int run_pair(const struct run_env *env, struct run_report *report, struct err *e)
{
    struct engine g = {.env = env, .pair = env->pair, .store = env->store, .report = report, .e = e, .approved = -1};
    memset(report, 0, sizeof *report);
    g.now_ms = report->started_ms = env->world->now_ms(env->world->self);
    engine_ulid(&g, report->run);
    uint64_t calls[2] = {session_calls(env->session[0]), session_calls(env->session[1])};
    int rc = phases(&g);
    for (int s = 0; s < 2; s++)
        report->calls[s] = session_calls(env->session[s]) - calls[s];
    report->ms = env->world->now_ms(env->world->self) - report->started_ms;
    report->ok = rc == 0 && !g.last_failure;
    free_engine(&g);
    return rc;
}

int run_exit(const struct run_report *r, const struct err *e)
{
    if (e->code)
        return err_exit(e);
    if (!r->ok)
        return 1;
    return r->waits ? 3 : 0;
}

void run_put_json(struct buf *out, const char *pair, const struct run_report *r)
{
    static const struct {
        const char *name;
        int klass;
    } classes[] = {{"applied", CLASS_APPLIED},   {"unchanged", CLASS_UNCHANGED}, {"filtered", CLASS_FILTERED},
                   {"conflict", CLASS_CONFLICT}, {"parked", CLASS_PARKED},       {"pending", CLASS_PENDING},
                   {"withheld", CLASS_WITHHELD}};
    buf_printf(out, "{\"pair\": \"%s\", \"run\": \"%s\", \"ok\": %s, \"ms\": %" PRId64 ", \"seen\": %" PRIu64, pair,
               r->run, r->ok ? "true" : "false", r->ms, r->seen);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        buf_printf(out, ", \"%s\": %" PRIu64, classes[i].name, r->of[classes[i].klass]);
    buf_text(out, ", \"writes\": {");
    for (int s = 0; s < 2; s++)
        buf_printf(out, "%s\"%s\": {\"create\": %" PRIu64 ", \"update\": %" PRIu64 ", \"delete\": %" PRIu64 "}",
                   s ? ", " : "", s ? "b" : "a", r->writes[s][0], r->writes[s][1], r->writes[s][2]);
    buf_printf(out, "}, \"calls\": {\"a\": %" PRIu64 ", \"b\": %" PRIu64 "}}", r->calls[0], r->calls[1]);
}
