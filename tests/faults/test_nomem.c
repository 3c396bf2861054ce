/* SPDX-License-Identifier: MIT */
/* test_nomem.c - each allocation of a path refused in turn: the process ends with one sentence, and what was acknowledged is there. */
#include <errno.h>
#include <sys/mman.h>

#include "base/json.h"
#include "disk_kit.h"
#include "nomem_kit.h"
#include "record/record.h"

#ifdef NOMEM_IMPOSSIBLE
int main(void)
{
    puts("SKIP: " NOMEM_IMPOSSIBLE "\n0 passed, 0 failed, 1 skipped");
    return 0;
}
#else

static const char sentence[] = "syncline: out of memory; nothing is lost: run again with more memory\n";
enum { NO_MEMORY = 1, FAULTY = 3, CALLS_MOST = 100000 };

static uint64_t *acked; /* commits that answered OK */
static uint64_t n_failures;

static int wrong(const char *what, const char *why)
{
    printf("\n%s: %s", what, why);
    fflush(stdout);
    return FAULTY;
}

/* --- paths: each is done, or the process ends with no memory --- */

static int commit_next(struct store *s)
{
    static const char value[3000];
    struct err e = {0};
    struct store_batch b = {0};
    uint64_t n = *acked + 1;
    struct slice key = slice_of(&n, sizeof(n));
    for (uint64_t i = 0; i < 40; i++) /* unsorted, so that they are put in order first */
        batch_put(&b, i % 2 ? DB_BASES : DB_IDS, slice_of(&i, sizeof(i)), slice_of(value, (size_t)i * 70));
    batch_put_new(&b, DB_LINKS, key, key);
    batch_put_new(&b, DB_HISTORY, key, key);
    int rc = batch_commit(&b, s, &e);
    batch_fini(&b);
    *acked += rc == STORE_OK;
    return rc == STORE_OK ? GOOD : wrong("commit", e.text);
}

static int use_store(void)
{
    struct err e = {0};
    struct store *s = NULL;
    char copy[128];
    snprintf(copy, sizeof(copy), "%.50s/copy", root);
    if (store_open(&store_lmdb, where, false, &s, &e) != STORE_OK || store_acquire(s, false, &e) != STORE_OK)
        return wrong("open", e.text);
    if (commit_next(s) || commit_next(s) || count(s, DB_LINKS) != *acked)
        return FAULTY;
    int rc = store_backup(s, copy, &e); /* copies in a thread, for which there may be no memory */
    if (rc != STORE_OK && rc != STORE_BUSY)
        return wrong("backup", e.text);
    store_close(s);
    return GOOD;
}

static const char document[] =
    "{\"id\": 123456789012345678, \"amount\": 0.10, \"big\": 1e400, \"tags\": [\"a\", \"b\", [true, null]],"
    " \"text\": \"\\u00e4\\n\\\"\", \"deep\": {\"b\": 1, \"a\": {\"z\": [], \"y\": {}}}}";
static const char sorted[] =
    "{\"amount\":0.10,\"big\":1e400,\"deep\":{\"a\":{\"y\":{},\"z\":[]},\"b\":1},\"id\":123456789012345678,"
    "\"tags\":[\"a\",\"b\",[true,null]],\"text\":\"\xc3\xa4\\n\\\"\"}";

static int use_json(void)
{
    struct err e = {0};
    struct buf out = {0};
    struct json_rules rules = {.comments = true, .positions = true};
    struct json_doc *doc = json_parse(document, sizeof(document) - 1, &rules, &e);
    if (!doc)
        return wrong("parse", e.text);
    json_put_sorted(&out, json_root(doc));
    int rc = strcmp(out.data, sorted) == 0 ? GOOD : wrong("written", out.data);
    buf_fini(&out);
    json_free(doc);
    return rc;
}

static int use_records(void)
{
    struct err e = {0};
    struct arena a = {0};
    struct buf row = {0};
    struct reader r;
    uint8_t version = 0;
    struct json_doc *doc = json_parse(document, sizeof(document) - 1, NULL, &e);
    if (!doc)
        return wrong("parse", e.text);
    struct sl_record *record = record_from_json(&a, "1", json_root(doc));
    put_u8(&row, 1);
    for (uint32_t i = 0; i < record->n_fields; i++)
        put_value(&row, &record->fields[i]);
    row_seal(&row, 0);
    if (row_open(slice_of(row.data, row.size), 1, &r, &version, "a row", &e))
        return wrong("row", e.text);
    for (uint32_t i = 0; i < record->n_fields; i++) {
        struct sl_value v = get_value(&r, &a);
        if (r.bad || !value_same(&v, &record->fields[i]))
            return wrong("a value came back changed", record->fields[i].name);
    }
    buf_fini(&row);
    arena_fini(&a);
    json_free(doc);
    return GOOD;
}

/* --- each allocation of a path --- */

/* What was acknowledged before the end is there, and at most one commit more. */
static bool all_there(void)
{
    struct err e = {0};
    struct store *s = NULL;
    if (*acked == 0)
        return true;
    if (store_open(&store_lmdb, where, true, &s, &e) != STORE_OK)
        return wrong("open afterwards", e.text) == GOOD;
    size_t n = count(s, DB_LINKS), m = count(s, DB_HISTORY);
    store_close(s);
    return n == m && (n == *acked || n == *acked + 1);
}

/* True to go on: there was a fault and it was well survived. */
static bool survives(int (*path)(void), unsigned long at, bool on)
{
    char text[512];
    *acked = 0;
    if (path == use_store)
        disk_new();
    int rc = nomem_apart(path, at, on, text, sizeof(text));
    bool good = rc == GOOD || (rc == NO_MEMORY && strcmp(text, sentence) == 0);
    good = good && (path != use_store || all_there());
    n_failures += good;
    if (!good && rc != NOT_REACHED)
        printf("\nallocation %lu%s: exit %d, '%s'", at, on ? " and all after it" : "", rc, text);
    CU_ASSERT_TRUE(good || rc == NOT_REACHED);
    return good;
}

static void each_allocation(int (*path)(void))
{
    for (int on = 0; on < 2; on++) {
        unsigned long at = 1;
        while (at < CALLS_MOST && survives(path, at, on))
            at++;
        CU_ASSERT_TRUE(at > 10);
    }
    scratch_remove();
}

static void test_store(void)
{
    each_allocation(use_store);
}

static void test_json(void)
{
    each_allocation(use_json);
}

static void test_records(void)
{
    each_allocation(use_records);
    printf("\ncounts: allocation failures in the store, the JSON door and records %llu\n",
           (unsigned long long)n_failures);
}

static const struct check tests[] = {
    {"opening, committing, reading and backing up a store: one sentence, nothing acknowledged is lost (I18)",
     test_store},
    {"the JSON door: one sentence, never another document", test_json},
    {"records and rows likewise", test_records},
};

int main(void)
{
    acked = mmap(NULL, sizeof(*acked), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return acked == MAP_FAILED ? 2 : check_run("no memory", tests, sizeof(tests) / sizeof(*tests));
}
#endif
