/* SPDX-License-Identifier: MIT */
/* kit.c - runs a pair of systems in memory over a store in memory, and tells what became of them. */
#include "kit.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/value.h"
#include "strike.h"
#include "words.h"

struct kit *kit_new(const char *words, bool flip)
{
    struct kit *k = mem_alloc(sizeof *k);
    k->flip = flip;
    k->now_ms = 1700000000000;
    words_read(k, words);
    k->disk = mem_disk_new();
    kit_revive(k);
    kit_tick(k, 0);
    return k;
}

void kit_free(struct kit *k)
{
    for (int s = 0; s < 2; s++)
        jq_free(k->pair.side[s].filter_expr);
    for (size_t i = 0; k->pair.fields_given && i < k->pair.map.n_rules; i++)
        for (int s = 0; s < 2; s++)
            jq_free(k->pair.map.rules[i].expr[s]);
    mem_disk_free(k->disk);
    mem_free(k->hints);
    arena_fini(&k->a);
    mem_free(k);
}

/* --- edits and the clock --- */

void kit_tick(struct kit *k, int64_t ms)
{
    k->now_ms += ms;
    for (int s = 0; s < 2; s++)
        memory_clock(&k->w[s], k->now_ms);
}

static char *trimmed(char *text)
{
    text += strspn(text, " ");
    for (size_t n = strlen(text); n > 0 && text[n - 1] == ' '; n--)
        text[n - 1] = '\0';
    return text;
}

void kit_edit(struct kit *k, int s, const char *edits)
{
    char text[2048], *rest = NULL;
    snprintf(text, sizeof text, "%s", edits ? edits : "");
    for (char *part = strtok_r(text, "|", &rest); part; part = strtok_r(NULL, "|", &rest)) {
        part = trimmed(part);
        char *end = part + strcspn(part, ":!");
        bool gone = *end == '!';
        if (!*part)
            continue;
        if (*end)
            *end++ = '\0';
        if (gone)
            memory_remove(&k->w[s], part);
        else
            memory_put(&k->w[s], part, end);
    }
}

/* --- webhooks --- */

void kit_hint(struct kit *k, int s, const char *id)
{
    size_t i = 0;
    while (i < k->n_hints && (k->hints[i].side != s || strcmp(k->hints[i].id, id) != 0))
        i++;
    if (i == k->n_hints)
        k->hints = mem_grow(k->hints, ++k->n_hints * sizeof *k->hints);
    k->hints[i] = (struct kit_hint){.side = s, .stamp = ++k->stamp};
    snprintf(k->hints[i].id, sizeof k->hints[i].id, "%s", id);
}

static int hints_waiting(void *self, struct arena *a, struct hook_waiting *rows, size_t room, size_t *n, struct err *e)
{
    struct kit *k = self;
    if (k->hints_broken)
        return err_set(e, ERR_STATE, "the hints are damaged");
    for (*n = 0; *n < k->n_hints && *n < room; ++*n) {
        const struct kit_hint *h = &k->hints[*n];
        rows[*n] = (struct hook_waiting){h->side, arena_text(a, h->id), h->stamp};
    }
    return 0;
}

/* A host that was killed takes nothing away any more. */
static int hints_taken(void *self, const struct hook_waiting *rows, size_t n, struct err *e)
{
    struct kit *k = self;
    if (k->disk->dead)
        return err_set(e, ERR_STATE, "the host is dead");
    for (size_t i = 0; i < n; i++)
        for (size_t h = 0; h < k->n_hints; h++)
            if (k->hints[h].stamp == rows[i].stamp) {
                k->hints[h] = k->hints[--k->n_hints];
                break;
            }
    return 0;
}

struct run_hints kit_hints(struct kit *k)
{
    return (struct run_hints){k, hints_waiting, hints_taken};
}

/* --- a run --- */

static int64_t world_now(void *self)
{
    return ((struct kit *)self)->now_ms;
}

static void world_random(void *self, void *bytes, size_t n_bytes)
{
    struct kit *k = self;
    for (size_t i = 0; i < n_bytes; i++) {
        k->random = k->random * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)bytes)[i] = (uint8_t)(k->random >> 56);
    }
}

static void world_sleep(void *self, uint32_t ms)
{
    kit_tick(self, ms);
}

static int world_stopping(void *self)
{
    struct kit *k = self;
    if (k->stop_in > 1)
        k->stop_in--;
    else if (k->stop_in == 1)
        return 1;
    return 0;
}

static int open_side(struct kit *k, int s, const struct session_world *world, struct session **out)
{
    static const char *const names[2] = {"a", "b"};
    struct sl_value name = value_string("name", names[s]);
    memory_share(names[s], &k->w[s]);
    return session_open(strike_watch(k), names[s], &name, 1, world, out, &k->e);
}

int kit_open(struct kit *k, struct run_env *env)
{
    k->world = (struct session_world){k, world_now, world_random, world_sleep, world_stopping, NULL, NULL};
    *env = (struct run_env){
        .conf = &k->conf, .pair = &k->pair, .world = &k->world, .identity = "pair", .full = k->full, .born = k->born};
    err_clear(&k->e);
    bool ok = !k->parent || (mem_store_open(k->parent->disk, &env->parent, &k->e) == STORE_OK &&
                             store_acquire(env->parent, false, &k->e) == STORE_OK);
    ok = ok && mem_store_open(k->disk, &env->store, &k->e) == STORE_OK &&
         store_acquire(env->store, false, &k->e) == STORE_OK;
    for (int s = 0; s < 2 && ok; s++)
        ok = open_side(k, s, &k->world, &env->session[s]) == SL_OK;
    return k->e.code;
}

void kit_close(struct kit *k, struct run_env *env)
{
    for (int s = 0; s < 2; s++)
        session_close(env->session[s]);
    store_close(env->store);
    store_close(env->parent);
    kit_tick(k, 1000);
}

void kit_count(struct kit *k)
{
    for (int s = 0; s < 2; s++)
        for (int kind = 0; kind < 3; kind++)
            k->written[s] += k->report.writes[s][kind];
}

int kit_run(struct kit *k)
{
    const struct run_hints hints = kit_hints(k);
    struct run_env env;
    uint64_t commits = k->disk->n_commits;
    memset(&k->report, 0, sizeof k->report);
    bool open = kit_open(k, &env) == 0;
    env.hints = &hints;
    if (open)
        run_pair(&env, &k->report, &k->e);
    k->calm = k->disk->n_commits == commits;
    kit_count(k);
    kit_close(k, &env);
    return k->e.code;
}

int kit_settle(struct kit *k)
{
    for (int i = 1; i <= KIT_SETTLE; i++)
        if (kit_run(k) == 0 && k->calm)
            return i;
    return 0;
}

void kit_revive(struct kit *k)
{
    k->disk->dead = false;
    k->disk->fail_in = k->disk->deaf = 0;
    k->disk->ask = strike_commit;
    k->disk->ask_self = k;
    for (int s = 0; s < 2; s++) {
        struct memory_world *w = &k->w[s];
        memory_heal(w);
        w->off = &k->disk->dead;
    }
}

/* --- going back --- */

/* Of the records only those in use: most of a world is room. */
static void copy_world(struct memory_world *to, const struct memory_world *from)
{
    const size_t rest = offsetof(struct memory_world, n_records);
    if (to->n_records > from->n_records)
        memset(&to->records[from->n_records], 0, (to->n_records - from->n_records) * sizeof *to->records);
    memcpy(to->records, from->records, from->n_records * sizeof *to->records);
    memcpy((char *)to + rest, (const char *)from + rest, sizeof *to - rest);
}

void kit_save(const struct kit *k, struct kit_point *p)
{
    for (int s = 0; s < 2; s++)
        copy_world(&p->w[s], &k->w[s]);
    mem_disk_free(p->disk);
    p->disk = mem_disk_copy(k->disk);
    p->now_ms = k->now_ms;
    p->random = k->random;
    memcpy(p->only, k->only, sizeof p->only);
    p->n_only = k->n_only;
}

void kit_restore(struct kit *k, const struct kit_point *p)
{
    mem_disk_free(k->disk);
    k->disk = mem_disk_copy(p->disk);
    for (int s = 0; s < 2; s++)
        copy_world(&k->w[s], &p->w[s]);
    k->now_ms = p->now_ms;
    k->random = p->random;
    memcpy(k->only, p->only, sizeof k->only);
    k->n_only = p->n_only;
    kit_revive(k);
}

void kit_point_fini(struct kit_point *p)
{
    mem_disk_free(p->disk);
    p->disk = NULL;
}

/* --- what became of them --- */

static int by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

const char *kit_join(struct arena *a, const char **lines, size_t n)
{
    struct buf b = {0};
    qsort(lines, n, sizeof *lines, by_text);
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%s%s", i ? " | " : "", lines[i]);
    const char *text = arena_text(a, b.data ? b.data : "");
    buf_fini(&b);
    return text;
}

const char *kit_id(const struct kit *k, const char *id)
{
    if (!id || (k->blur && strncmp(id, "new-", 4) == 0))
        return id ? "new" : "-";
    return strncmp(id, "sl-", 3) == 0 ? "sl-new" : id;
}

static const char *record_line(const struct kit *k, const struct memory_record *r, bool ids, struct arena *a)
{
    struct buf b = {0};
    if (ids)
        buf_printf(&b, "%s:", kit_id(k, r->id));
    for (uint32_t i = 0; i < r->now.n_fields; i++)
        buf_printf(&b, "%s%s=%s", i ? ";" : "", r->now.fields[i].name, r->now.fields[i].text);
    const char *text = arena_text(a, b.data ? b.data : "");
    buf_fini(&b);
    return text;
}

const char *kit_records(struct kit *k, int s, bool ids, struct arena *a)
{
    const char *lines[MEMORY_RECORDS];
    size_t n = 0;
    for (uint32_t i = 0; i < k->w[s].n_records; i++)
        if (!k->w[s].records[i].gone)
            lines[n++] = record_line(k, &k->w[s].records[i], ids, a);
    return kit_join(a, lines, n);
}

static const char *const kinds[] = {[WAIT_CONFLICT] = "conflict",
                                    [WAIT_DRIFT] = "drift",
                                    [WAIT_AMBIGUOUS] = "ambiguous",
                                    [WAIT_PARKED] = "parked",
                                    [WAIT_UNCERTAIN] = "uncertain"};

/* Each as "conflict 1.title": the kind, an id, and the field if it is about one. Side a's names, read mirrored side b's. */
static const char *wait_line(const struct kit *k, const struct wait_row *w, struct arena *a)
{
    int s = k->flip ? 1 : 0;
    const char *id = w->id[s] ? w->id[s] : w->id[1 - s];
    const char *field = w->field[s] ? w->field[s] : w->field[1 - s];
    return arena_printf(a, "%s %s%s%s", kinds[w->kind], kit_id(k, id), field ? "." : "", field ? field : "");
}

const char *kit_waits(struct kit *k, struct arena *a)
{
    static const int dbs[] = {DB_CONFLICTS, DB_PARKED};
    const char *lines[64];
    size_t n = 0;
    struct store *store = NULL;
    struct store_snap *snap = NULL;
    struct err e = {0};
    if (mem_store_open_read_only(k->disk, &store, &e) != STORE_OK)
        return "";
    store_snap(store, &snap, &e);
    for (size_t d = 0; d < 2; d++) {
        struct store_row rows[32];
        size_t n_rows = 0;
        store_scan(snap, dbs[d], slice_of(NULL, 0), slice_of(NULL, 0), false, 32, rows, &n_rows);
        for (size_t i = 0; i < n_rows; i++) {
            struct wait_row w;
            if (wait_decode(rows[i].value, key_to_number(rows[i].key), a, &w, &e) == 0)
                lines[n++] = wait_line(k, &w, a);
        }
    }
    store_snap_end(snap);
    store_close(store);
    return kit_join(a, lines, n);
}

void kit_meta(struct kit *k, const char *key, int64_t n)
{
    struct store *store = NULL;
    struct store_batch batch = {0};
    struct err e = {0};
    if (mem_store_open(k->disk, &store, &e) == STORE_OK && store_acquire(store, false, &e) == STORE_OK) {
        put_meta_number(&batch, key, n);
        batch_commit(&batch, store, &e);
    }
    batch_fini(&batch);
    store_close(store);
}

static bool text_is(const struct sl_value *v, const char *text)
{
    return v->text && v->text_size == strlen(text) && memcmp(v->text, text, v->text_size) == 0;
}

static bool written(const struct history_row *h, const char *text)
{
    bool found = false;
    for (size_t c = 0; c < h->n_changes && !found; c++)
        found = text_is(&h->changes[c].after, text) || text_is(&h->changes[c].before, text);
    for (uint32_t f = 0; h->kept && f < h->kept->n_fields && !found; f++)
        found = text_is(sl_value_at(h->kept->fields, h->kept->field_size, f), text);
    return found;
}

static bool lost(const struct history_row *h, const char *text)
{
    bool found = false;
    for (size_t c = 0; c < h->n_changes && !found; c++)
        found = text_is(&h->changes[c].lost, text);
    return found;
}

static bool any_history(struct kit *k, const char *text, bool (*has)(const struct history_row *h, const char *text))
{
    struct store *store = NULL;
    struct store_snap *snap = NULL;
    struct arena a = {0};
    struct err e = {0};
    bool found = false;
    static struct store_row rows[4096];
    size_t n = 0;
    if (mem_store_open_read_only(k->disk, &store, &e) != STORE_OK)
        return false;
    store_snap(store, &snap, &e);
    store_scan(snap, DB_HISTORY, slice_of(NULL, 0), slice_of(NULL, 0), false, 4096, rows, &n);
    for (size_t i = 0; i < n && !found; i++) {
        struct history_row h;
        found = history_decode(rows[i].value, key_to_number(rows[i].key), &a, &h, &e) == 0 && has(&h, text);
    }
    store_snap_end(snap);
    store_close(store);
    arena_fini(&a);
    return found;
}

bool kit_in_history(struct kit *k, const char *text)
{
    return any_history(k, text, written) || any_history(k, text, lost);
}

bool kit_lost(struct kit *k, const char *text)
{
    return any_history(k, text, lost);
}
