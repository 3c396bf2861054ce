/* SPDX-License-Identifier: MIT */
/* kit.c - runs a pair of systems in memory over a store in memory, and tells what became of them. */
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/value.h"

extern const struct sl_plugin syncline_plugin;

/* --- the pair, from words --- */

struct word {
    const char *text;
    int number;
};

static const struct word modes[] = {{"two_way", MODE_TWO_WAY}, {"one_way", MODE_ONE_WAY}, {0}};
static const struct word policies[] = {{"a", POLICY_A},
                                       {"b", POLICY_B},
                                       {"newest", POLICY_NEWEST},
                                       {"nonempty", POLICY_NONEMPTY},
                                       {"merge", POLICY_MERGE},
                                       {"min", POLICY_MIN},
                                       {"max", POLICY_MAX},
                                       {"manual", POLICY_MANUAL},
                                       {0}};
static const struct word drifts[] = {{"alert", DRIFT_ALERT}, {"revert", DRIFT_REVERT}, {"ignore", DRIFT_IGNORE}, {0}};
static const struct word firsts[] = {{"match_or_create", FIRST_MATCH_OR_CREATE},
                                     {"match_only", FIRST_MATCH_ONLY},
                                     {"create_only", FIRST_CREATE_ONLY},
                                     {"review", FIRST_REVIEW},
                                     {0}};
static const struct word leaves[] = {{"keep", LEAVE_KEEP}, {"unlink", LEAVE_UNLINK}, {"archive", LEAVE_ARCHIVE}, {0}};
static const struct word deletes[] = {{"unlink", DELETE_UNLINK}, {"archive", DELETE_ARCHIVE},
                                      {"delete", DELETE_DELETE}, {"recreate", DELETE_RECREATE},
                                      {"ignore", DELETE_IGNORE}, {0}};
static const struct word creates[] = {
    {"both", CREATE_BOTH}, {"a_to_b", CREATE_A_TO_B}, {"b_to_a", CREATE_B_TO_A}, {"none", CREATE_NONE}, {0}};

static int number_of(const struct word *words, const char *text)
{
    for (; words->text; words++)
        if (strcmp(words->text, text) == 0)
            return words->number;
    fprintf(stderr, "kit: no word '%s'\n", text);
    abort();
}

static int policy_of(const struct kit *k, const char *text)
{
    int p = number_of(policies, text);
    if (k->flip && (p == POLICY_A || p == POLICY_B))
        return p == POLICY_A ? POLICY_B : POLICY_A;
    return p;
}

/* Cuts the text at the last mark and returns what stood behind it, or NULL. */
static char *cut(char *text, int mark)
{
    char *at = strrchr(text, mark);
    if (!at)
        return NULL;
    *at = '\0';
    return at + 1;
}

static void read_rule(struct kit *k, char *text, struct rule *r)
{
    char *group = cut(text, '@'), *drift = cut(text, '!'), *policy = cut(text, '/');
    bool to_b = strchr(text, '>') != NULL, to_a = strchr(text, '<') != NULL;
    bool one_way = k->pair.mode == MODE_ONE_WAY;
    text[strcspn(text, "<>")] = '\0';
    char *b = cut(text, ':');
    int s = k->flip ? 1 : 0;
    *r = (struct rule){.policy = policy ? policy_of(k, policy) : k->pair.policy,
                       .drift = drift ? number_of(drifts, drift) : k->pair.drift};
    r->field[s] = arena_text(&k->a, text);
    r->field[1 - s] = b ? arena_text(&k->a, b) : r->field[s];
    r->to[s] = !to_b && !one_way;
    r->to[1 - s] = !to_a;
    if (group) {
        r->group = atoi(group) ? atoi(group) : 1;
        r->group_name = arena_text(&k->a, group);
    }
}

static void read_fields(struct kit *k, char *list)
{
    char *rest = NULL;
    k->pair.map.rules = arena_alloc(&k->a, 16 * sizeof *k->pair.map.rules);
    for (char *text = strtok_r(list, ",", &rest); text; text = strtok_r(NULL, ",", &rest))
        read_rule(k, text, &k->pair.map.rules[k->pair.map.n_rules++]);
    k->pair.fields_given = true;
}

static const char *other_name(const struct kit *k, int s, const char *name)
{
    for (size_t i = 0; i < k->pair.map.n_rules; i++)
        if (k->pair.map.rules[i].field[1 - s] && strcmp(k->pair.map.rules[i].field[1 - s], name) == 0)
            return k->pair.map.rules[i].field[s];
    return name;
}

/* Names are side a's. */
static void read_match(struct kit *k, char *list)
{
    char *rest = NULL, *inner = NULL;
    int a = k->flip ? 1 : 0;
    k->pair.match = arena_alloc(&k->a, 8 * sizeof *k->pair.match);
    for (char *text = strtok_r(list, ",", &rest); text; text = strtok_r(NULL, ",", &rest)) {
        struct conf_match *m = &k->pair.match[k->pair.n_match++];
        for (int s = 0; s < 2; s++)
            m->field[s] = arena_alloc(&k->a, 4 * sizeof *m->field[s]);
        for (char *name = strtok_r(text, "+", &inner); name; name = strtok_r(NULL, "+", &inner)) {
            m->field[a][m->n_fields] = arena_text(&k->a, name);
            m->field[1 - a][m->n_fields] = other_name(k, 1 - a, m->field[a][m->n_fields]);
            m->n_fields++;
        }
    }
}

static void read_filter(struct kit *k, int s, const char *program)
{
    struct conf_side *side = &k->pair.side[k->flip ? 1 - s : s];
    side->filter = arena_text(&k->a, program);
    if (jq_compile(program, &side->filter_expr, &k->e)) {
        fprintf(stderr, "kit: %s\n", k->e.text);
        abort();
    }
}

static void set_creates(struct kit *k, int create)
{
    bool to[2] = {create == CREATE_BOTH || create == CREATE_B_TO_A, create == CREATE_BOTH || create == CREATE_A_TO_B};
    for (int s = 0; s < 2; s++)
        k->pair.create[s] = to[k->flip ? 1 - s : s];
}

/* The order is part of the matter: rules take the pair's defaults, match keys the rules' names. */
static void read_word(struct kit *k, int pass, const char *name, char *value)
{
    struct conf_pair *p = &k->pair;
    if (pass == 1 && strcmp(name, "fields") == 0)
        read_fields(k, value);
    if (pass == 2 && strcmp(name, "match") == 0)
        read_match(k, value);
    if (pass != 0)
        return;
    const struct {
        const char *name;
        const struct word *words;
        int *at;
    } enums[] = {{"mode", modes, &p->mode},
                 {"drift", drifts, &p->drift},
                 {"first", firsts, &p->first_run},
                 {"leave", leaves, &p->on_leave},
                 {"deletes", deletes, &p->delete_policy}};
    for (size_t i = 0; i < sizeof enums / sizeof *enums; i++)
        if (strcmp(name, enums[i].name) == 0)
            *enums[i].at = number_of(enums[i].words, value);
    if (strcmp(name, "conflict") == 0)
        p->policy = policy_of(k, value);
    if (strcmp(name, "create") == 0)
        set_creates(k, number_of(creates, value));
    if (strcmp(name, "max") == 0)
        p->delete_max = atoi(value);
    if (strcmp(name, "percent") == 0)
        p->delete_max_percent = atoi(value);
    if (strcmp(name, "filter_a") == 0 || strcmp(name, "filter_b") == 0)
        read_filter(k, name[7] - 'a', value);
}

static void read_words(struct kit *k, const char *words)
{
    for (int pass = 0; pass < 3; pass++) {
        char *text = arena_text(&k->a, words), *rest = NULL;
        for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
            char *value = strchr(word, '=');
            if (!value)
                abort();
            *value = '\0';
            read_word(k, pass, word, value + 1);
        }
    }
}

struct kit *kit_new(const char *words, bool flip)
{
    struct kit *k = mem_alloc(sizeof *k);
    k->flip = flip;
    k->now_ms = 1700000000000;
    k->pair = (struct conf_pair){.name = "pair",
                                 .mode = MODE_TWO_WAY,
                                 .first_run = FIRST_UNSET,
                                 .on_leave = LEAVE_KEEP,
                                 .delete_policy = DELETE_UNLINK,
                                 .delete_max = 10,
                                 .delete_max_percent = 10,
                                 .policy = POLICY_MANUAL,
                                 .drift = DRIFT_ALERT,
                                 .create = {true, true}};
    for (int s = 0; s < 2; s++) {
        k->pair.side[s].connection = s ? "b" : "a";
        k->pair.side[s].object = "records";
    }
    read_words(k, words);
    if (k->pair.mode == MODE_ONE_WAY)
        k->pair.create[0] = false;
    k->disk = mem_disk_new();
    kit_revive(k);
    kit_tick(k, 0);
    return k;
}

void kit_free(struct kit *k)
{
    for (int s = 0; s < 2; s++)
        jq_free(k->pair.side[s].filter_expr);
    mem_disk_free(k->disk);
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
    (void)self;
    return 0;
}

static int open_side(struct kit *k, int s, const struct session_world *world, struct session **out)
{
    static const char *const names[2] = {"a", "b"};
    struct sl_value name = value_string("name", names[s]);
    memory_share(names[s], &k->w[s]);
    return session_open(&syncline_plugin, names[s], &name, 1, world, out, &k->e);
}

int kit_run(struct kit *k)
{
    struct session_world world = {k, world_now, world_random, world_sleep, world_stopping};
    struct run_env env = {.conf = &k->conf, .pair = &k->pair, .world = &world, .identity = "pair"};
    err_clear(&k->e);
    bool ok =
        mem_store_open(k->disk, &env.store, &k->e) == STORE_OK && store_acquire(env.store, false, &k->e) == STORE_OK;
    for (int s = 0; s < 2 && ok; s++)
        ok = open_side(k, s, &world, &env.session[s]) == SL_OK;
    uint64_t commits = k->disk->n_commits;
    if (ok)
        run_pair(&env, &k->report, &k->e);
    k->calm = k->disk->n_commits == commits;
    for (int s = 0; s < 2; s++)
        session_close(env.session[s]);
    store_close(env.store);
    kit_tick(k, 1000);
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
    k->disk->fail_in = 0;
    for (int s = 0; s < 2; s++) {
        struct memory_world *w = &k->w[s];
        w->dead = false;
        w->die_in = w->lose_reply_in = w->lose_request_in = w->delay_in = w->rate_in = w->half_in = 0;
        w->off = &k->disk->dead;
    }
}

/* --- going back --- */

void kit_save(const struct kit *k, struct kit_point *p)
{
    memcpy(p->w, k->w, sizeof p->w);
    p->disk = mem_disk_copy(k->disk);
    p->now_ms = k->now_ms;
    p->random = k->random;
}

void kit_restore(struct kit *k, const struct kit_point *p)
{
    mem_disk_free(k->disk);
    k->disk = mem_disk_copy(p->disk);
    memcpy(k->w, p->w, sizeof k->w);
    k->now_ms = p->now_ms;
    k->random = p->random;
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

static const char *joined(struct arena *a, const char **lines, size_t n)
{
    struct buf b = {0};
    qsort(lines, n, sizeof *lines, by_text);
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%s%s", i ? " | " : "", lines[i]);
    const char *text = arena_text(a, b.data ? b.data : "");
    buf_fini(&b);
    return text;
}

/* An id the host made up shows as sl-new. */
static const char *record_line(const struct memory_record *r, bool ids, struct arena *a)
{
    struct buf b = {0};
    if (ids)
        buf_printf(&b, "%s:", strncmp(r->id, "sl-", 3) == 0 ? "sl-new" : r->id);
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
            lines[n++] = record_line(&k->w[s].records[i], ids, a);
    return joined(a, lines, n);
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
    return arena_printf(a, "%s %s%s%s", kinds[w->kind], id ? id : "?", field ? "." : "", field ? field : "");
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
    return joined(a, lines, n);
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
