/* SPDX-License-Identifier: MIT */
/* run.c - one run of one pair from beginning to end, and what its phases share. */
#include "sync/run.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sync/engine.h"
#include "sync/poison.h"

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

void engine_wait_over(struct engine *g, uint64_t link, uint32_t marks, bool still)
{
    if (!still && (marks & (MARK_PARKED | MARK_CONFLICT | MARK_WITHHELD)))
        g->klass[link] = CLASS_PENDING;
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
    size_t bytes = g->batch.arena.used_bytes + g->batch.n_ops * sizeof *g->batch.ops;
    g->batch_bytes = bytes > g->batch_bytes ? bytes : g->batch_bytes;
    int rc = batch_commit(&g->batch, g->store, g->e);
    if (rc != STORE_OK)
        engine_fail(g, rc);
    return g->e->code;
}

/* Drawn once a run and counted up from there: each is as unique as that draw, and later ones sort behind. */
void engine_ulid(struct engine *g, char out[27])
{
    size_t i = sizeof g->entropy;
    if (!g->drawn)
        g->env->world->random(g->env->world->self, g->entropy, sizeof g->entropy);
    while (g->drawn && i > 0 && ++g->entropy[--i] == 0) {
    }
    g->drawn = true;
    ulid_make(g->env->world->now_ms(g->env->world->self), g->entropy, out);
}

int engine_view_begin(struct engine *g)
{
    return engine_fail(g, store_snap(g->store, &g->view, g->e));
}

void engine_view_end(struct engine *g)
{
    store_snap_end(g->view);
    g->view = NULL;
}

void engine_chunk_end(struct engine *g)
{
    arena_reset(&g->chunk);
    g->shape[0] = g->shape[1] = NULL;
    g->open_rules = NULL;
}

void engine_earliest(int64_t *at_ms, int64_t ms)
{
    if (*at_ms == 0 || ms < *at_ms)
        *at_ms = ms;
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

void engine_say(struct engine *g, const char *format, ...)
{
    char *message = g->report->message;
    size_t n = strlen(message), room = sizeof g->report->message;
    va_list args;
    va_start(args, format);
    if (n > 0 && n + 2 < room)
        message[n++] = '\n';
    vsnprintf(message + n, room - n, format, args);
    va_end(args);
}

/* In front of a sentence: the record's ids, where they leave room for the words. Nothing that comes from a system holds these bytes. */
enum { ABOUT = 0x1E, ABOUT_END = 0x1F, ABOUT_MOST = 255 };

void engine_say_of(struct engine *g, const struct unit *u, const char *text)
{
    const char *a = u->link.id[0] ? u->link.id[0] : "", *b = u->link.id[1] ? u->link.id[1] : "";
    if (strlen(a) + strlen(b) <= ABOUT_MOST)
        engine_say(g, "%c%s%c%s%c%s", ABOUT, a, ABOUT_END, b, ABOUT_END, text);
    else
        engine_say(g, "%s", text);
}

static const char *take_id(const char *at, char id[256])
{
    size_t n = strcspn(at, "\x1F\n");
    bool whole = n < 256 && at[n] == ABOUT_END;
    memcpy(id, at, whole ? n : 0);
    return at + n + whole;
}

const char *run_sentence(const char *message, struct run_sentence *out)
{
    const char *at = message;
    *out = (struct run_sentence){0};
    if (!message || !*message)
        return NULL;
    for (int s = 0; s < 2 && *message == ABOUT; s++)
        at = take_id(s ? at : at + 1, out->id[s]);
    out->text = at;
    out->n_bytes = strcspn(at, "\n");
    return at + out->n_bytes + (at[out->n_bytes] == '\n');
}

/* --- the run --- */

/* The digests a state was written under, as they are now. */
static uint64_t config_now(const struct engine *g, int i)
{
    if (i < 2)
        return conf_source(g->env->conf, g->pair, i);
    return i < 4 ? conf_scope(g->env->conf, g->pair, i - 2) : conf_pair_digest(g->env->conf, g->pair);
}

static const char *const config_keys[CONFIG_DIGESTS] = {"source.0", "source.1", "scope.0", "scope.1", "config"};

/* From the first commit of a run under another config until its end: killed in between, it has looked at things as neither did. */
static const char in_doubt[] = "-";

/* A mapping or filter that is not the one the state was written under: everything is looked at again. */
static void compare_config(struct engine *g, struct store_snap *snap)
{
    bool *const changed[CONFIG_DIGESTS] = {&g->source_changed[0], &g->source_changed[1], &g->scope_changed[0],
                                           &g->scope_changed[1], &g->reexamine};
    struct arena a = {0};
    for (int i = 0; i < CONFIG_DIGESTS && g->env->conf; i++) {
        const char *then = meta_text(snap, config_keys[i], &a);
        *changed[i] = then && strcmp(then, arena_printf(&a, "%016" PRIx64, config_now(g, i))) != 0;
        g->config_new[i] = !then || *changed[i];
        if (*changed[i] && !g->env->dry && strcmp(then, in_doubt) != 0)
            put_meta_text(&g->batch, config_keys[i], in_doubt);
    }
    g->reexamine |= g->source_changed[0] || g->source_changed[1];
    arena_fini(&a);
}

/*
 * Only a run that came to its end has looked at everything; and until a changed source was listed whole nobody knows which records
 * it lacks: an absence would pass for a delete.
 */
static void put_config(struct engine *g)
{
    char now[32];
    for (int i = 0; i < CONFIG_DIGESTS; i++) {
        bool unlisted = i < 2 && g->source_changed[i] && !g->complete[i] && (g->caps[i] & SL_CAP_COMPLETE);
        if (!g->config_new[i] || unlisted)
            continue;
        snprintf(now, sizeof now, "%016" PRIx64, config_now(g, i));
        put_meta_text(&g->batch, config_keys[i], now);
    }
}

/* Was the state changed by a run that it does not know? */
static bool forgot_run(struct engine *g, struct store_snap *snap)
{
    struct store_row row;
    size_t n = 0;
    if (!g->env->last_change)
        return false;
    store_scan(snap, DB_RUNS, slice_of(NULL, 0), slice_of(NULL, 0), true, 1, &row, &n);
    struct row_key last = key_text(g->env->last_change);
    return n == 1 && last.size == row.key.size && memcmp(last.bytes, row.key.data, last.size) > 0;
}

/* A copy is no reason to doubt: it may have moved with its data. But it is a reason to look. */
static void compare_birth(struct engine *g, struct store_snap *snap)
{
    int64_t noted = meta_number(snap, "born", 0);
    g->born_stored = (uint64_t)noted;
    if (g->env->born && !noted)
        put_meta_number(&g->batch, "born", (int64_t)g->env->born);
    g->copied = (g->env->born && noted && noted != (int64_t)g->env->born) || forgot_run(g, snap);
}

void engine_doubt_all(struct engine *g)
{
    enum { CONFIG = CONFIG_DIGESTS - 1 };
    if (!g->reexamine && g->env->conf && !g->env->dry) {
        put_meta_text(&g->batch, config_keys[CONFIG], in_doubt);
        g->config_new[CONFIG] = true;
    }
    g->reexamine = true;
}

/* A state that is new knows no other config than the present one, even if its first run is killed. */
static void put_first_config(struct engine *g)
{
    bool used = g->next.link > 1;
    for (int i = 0; i < CONFIG_DIGESTS; i++)
        used |= !g->config_new[i];
    if (used || g->env->dry)
        return;
    put_config(g);
    memset(g->config_new, 0, sizeof g->config_new);
}

static int begin(struct engine *g)
{
    struct store_snap *snap = NULL;
    if (engine_fail(g, store_snap(g->store, &snap, g->e)))
        return g->e->code;
    g->next = state_counters(snap);
    compare_config(g, snap);
    g->approved = meta_number(snap, "approved", -1);
    g->hold = g->hold_stored = (int)meta_number(snap, "hold", 0);
    g->reexamine |= g->hold == HOLD_COMPARE;
    compare_birth(g, snap);
    poison_load(g, snap);
    store_snap_end(snap);
    g->approved_left = g->approved;
    put_first_config(g);
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
    if (sum == r->seen)
        return 0;
    /* Did another host take the state over and change it under our hands? Only a commit tells. */
    if (!g->env->dry)
        put_counters_row(&g->batch, &g->next);
    if (engine_commit(g))
        return g->e->code;
    return err_set(g->e, ERR_FAILED,
                   "pairs.%s: %" PRIu64 " records seen but %" PRIu64
                   " accounted for (I25); this is a bug in Syncline, please report it",
                   g->pair->name, r->seen, sum);
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
    engine_say(g,
               "first run, nothing written: %" PRIu64 " records matched, %" PRIu64
               " writes planned; look at `syncline plan %s`, then `syncline approve %s --first-run`",
               g->report->matched, g->report->planned, g->pair->name, g->pair->name);
}

static void say_left(struct engine *g)
{
    for (int s = 0; s < 2; s++)
        if (g->n_left[s])
            engine_say(g,
                       "%" PRIu64
                       " records of side %s are not where the changed connection '%s' leads: they left the scope, "
                       "nothing is deleted for them; set it back, or `syncline unlink` what shall part",
                       g->n_left[s], s ? "b" : "a", g->pair->side[s].connection);
}

/* An approval is used up by the run that has carried out what it was for: one that was cut short begins again under it. */
static void end_approval(struct engine *g)
{
    struct row_key k = key_text("approved");
    if (g->approved >= 0 && !g->last_failure && g->report->of[CLASS_PENDING] == 0)
        batch_del(&g->batch, DB_META, key_slice(&k));
}

/* What waits for no time that is known is tried again soon. */
static void set_again(struct engine *g)
{
    struct run_report *r = g->report;
    int64_t at_ms = g->open_until_ms, now_ms = g->env->world->now_ms(g->env->world->self);
    if (g->stale_until_ms)
        engine_earliest(&at_ms, g->stale_until_ms);
    if (at_ms)
        r->again_ms = at_ms > now_ms ? at_ms - now_ms : 0;
    else if (r->of[CLASS_PENDING])
        r->again_ms = 0;
}

/* The report stays for `status` and `history`, unless the run did nothing at all. */
static int finish(struct engine *g)
{
    if (settle(g))
        return g->e->code;
    set_again(g);
    if (g->review)
        say_review(g);
    say_left(g);
    quarantine_end(g);
    g->report->waits |= any_row(g, DB_CONFLICTS) || any_row(g, DB_PARKED);
    if (!g->env->dry)
        put_config(g);
    if (g->env->dry || g->review)
        return engine_commit(g);
    end_approval(g);
    if (g->first)
        put_meta_number(&g->batch, "first_done", 1);
    if (!g->committed && g->batch.n_ops == 0)
        return 0;
    struct buf row = {0};
    run_put_json(&row, g->pair->name, g->report);
    struct row_key k = key_text(g->report->run);
    batch_put(&g->batch, DB_RUNS, key_slice(&k), slice_of(row.data, row.size));
    buf_fini(&row);
    if (engine_prune(g) || engine_commit(g))
        return g->e->code;
    g->report->recorded = true;
    return 0;
}

static bool by_keys(const struct engine *g)
{
    return g->pair->n_match > 0 || ((g->caps[0] | g->caps[1]) & SL_CAP_FIND_CORRELATION);
}

static int all_records(struct engine *g)
{
    bool marked = false;
    if (engine_pull(g) || hints_take(g, &marked))
        return g->e->code;
    g->matching = by_keys(g);
    if (engine_first(g))
        return g->e->code;
    if ((g->matching && engine_load(g)) || engine_quarantine(g))
        return g->e->code;
    return engine_rounds(g);
}

/*
 * Some parents at a time, so that each one's children are planned in one go. There is nothing to hold back under an older state: no child is
 * ever deleted, and those on both sides find each other again.
 */
static int all_children(struct engine *g)
{
    bool marked = true;
    g->matching = by_keys(g);
    if (engine_first(g))
        return g->e->code;
    g->by_content |= g->first || g->copied;
    g->matching |= g->by_content;
    while (marked && !g->e->code) {
        g->parent_from = 0;
        for (bool more = true; more && !g->e->code;)
            if (children_pull(g, &more) || (g->matching && engine_load(g)) || engine_rounds(g))
                break;
        if (!g->e->code)
            hints_take(g, &marked);
    }
    return g->e->code;
}

static int phases(struct engine *g)
{
    if (engine_bind(g) || begin(g))
        return g->e->code;
    if (!g->env->dry && engine_recover(g))
        return g->e->code;
    if (engine_count_open(g))
        return g->e->code;
    if (g->pair->parent ? all_children(g) : all_records(g))
        return g->e->code;
    if (engine_guard(g))
        return g->e->code;
    if (!g->env->dry && !g->review && engine_recover(g)) /* what became uncertain in this very run */
        return g->e->code;
    return finish(g);
}

static void free_engine(struct engine *g)
{
    struct map *map = (struct map *)(uintptr_t)&g->pair->map;
    if (!g->pair->fields_given) { /* its rules were lent for this run */
        map->rules = NULL;
        map->n_rules = 0;
    }
    for (size_t i = 0; i < g->n_due; i++)
        mem_free(g->due[i].id);
    mem_free(g->due);
    mem_free(g->klass);
    mem_free(g->listed[0]);
    mem_free(g->listed[1]);
    mem_free(g->visited);
    mem_free(g->held);
    mem_free(g->suspects);
    batch_fini(&g->batch);
    arena_fini(&g->chunk);
    arena_fini(&g->hinted);
    arena_fini(&g->lasting);
}

int run_pair(const struct run_env *env, struct run_report *report, struct err *e)
{
    struct engine g = {.env = env, .pair = env->pair, .store = env->store, .report = report, .e = e, .approved = -1};
    memset(report, 0, sizeof *report);
    report->again_ms = -1;
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
    buf_text(out, "{\"pair\": ");
    json_put_string(out, pair, strlen(pair)); /* the object in a child's name is the other system's to choose */
    buf_printf(out, ", \"run\": \"%s\", \"ok\": %s, \"ms\": %" PRId64 ", \"seen\": %" PRIu64, r->run,
               r->ok ? "true" : "false", r->ms, r->seen);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        buf_printf(out, ", \"%s\": %" PRIu64, classes[i].name, r->of[classes[i].klass]);
    buf_text(out, ", \"writes\": {");
    for (int s = 0; s < 2; s++)
        buf_printf(out, "%s\"%s\": {\"create\": %" PRIu64 ", \"update\": %" PRIu64 ", \"delete\": %" PRIu64 "}",
                   s ? ", " : "", s ? "b" : "a", r->writes[s][0], r->writes[s][1], r->writes[s][2]);
    buf_printf(out, "}, \"calls\": {\"a\": %" PRIu64 ", \"b\": %" PRIu64 "}}", r->calls[0], r->calls[1]);
}
