/* SPDX-License-Identifier: MIT */
/* test_sqlite_write.c - the sqlite connector writes: batches, conflicts, archives, locks, kills, and every refusal. */
#include "sqlite_kit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { MOST = 16 };

/* --- writing --- */

static void creates_under_the_reserved_id(void)
{
    struct kit *k =
        begin("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, note TEXT DEFAULT 'new');"
              "CREATE TRIGGER up AFTER INSERT ON t BEGIN UPDATE t SET name=upper(name) WHERE id=NEW.id; END;"
              "CREATE TABLE x(code TEXT PRIMARY KEY, v)");
    struct sl_value name = value_string("name", "ann");
    struct write_outcome o = kit_create(k, "t", "123456789012345678", &name, 1);
    CU_ASSERT(o.result == SL_APPLIED && !strcmp(kit_field(o.record, "name"), "ANN"));
    CU_ASSERT(!strcmp(kit_field(o.record, "note"), "new") && !strcmp(o.record->id, "123456789012345678"));
    CU_ASSERT_STRING_EQUAL(kit_get(k, "t", "123456789012345678").record->version, o.record->version);
    o = kit_create(k, "t", "123456789012345678", &name, 1);
    CU_ASSERT(refused(o, SL_EXISTS, "already has a row") && !strcmp(kit_field(o.record, "name"), "ANN"));
    CU_ASSERT(refused(kit_create(k, "t", "abc", &name, 1), SL_REJECTED, "the id abc is no integer"));
    CU_ASSERT_EQUAL(kit_create(k, "x", "\xc3\xa4 key", NULL, 0).result, SL_APPLIED);
    struct sl_value key = value_string("code", "k2");
    CU_ASSERT_EQUAL(kit_create(k, "x", "k2", &key, 1).result, SL_APPLIED);
    CU_ASSERT(refused(kit_create(k, "x", "k3", &key, 1), SL_REJECTED, "is the key and cannot be set"));
    kit_close(k);
}

static void updates_only_what_is_given_and_expected(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b TEXT, g TEXT AS (a || '!'));"
                          "INSERT INTO t VALUES(1,'x',' keep ')");
    struct got g = kit_get(k, "t", "1");
    struct sl_value a = value_string("a", "y");
    struct sl_write w = kit_make(k, SL_UPDATE, "1", &a, 1);
    w.expected_version = g.record->version;
    struct write_outcome o = kit_do(k, "t", w);
    CU_ASSERT(o.result == SL_APPLIED && !strcmp(kit_field(o.record, "b"), " keep ") &&
              !strcmp(kit_field(o.record, "g"), "y!"));
    CU_ASSERT(refused(kit_do(k, "t", w), SL_CONFLICT, "was changed since it was read"));
    w.expected_version = o.record->version;
    CU_ASSERT_EQUAL(kit_do(k, "t", w).result, SL_APPLIED);
    w.id = "2";
    CU_ASSERT(refused(kit_do(k, "t", w), SL_GONE, "no row with the id 2"));
    CU_ASSERT(refused(set(k, "t", "1", value_string("absent", "")), SL_REJECTED, "has no column absent"));
    CU_ASSERT(refused(set(k, "t", "1", value_string("g", "")), SL_REJECTED,
                      "column g of table t is computed and cannot be written"));
    CU_ASSERT(refused(set(k, "t", "1", value_int("id", 5)), SL_REJECTED, "column id of table t is the key"));
    CU_ASSERT_EQUAL(set(k, "t", "1", value_int("id", 1)).result, SL_APPLIED);
    struct sl_write del = kit_make(k, SL_DELETE, "1", NULL, 0);
    del.expected_version = g.record->version;
    CU_ASSERT(refused(kit_do(k, "t", del), SL_CONFLICT, "was changed"));
    del.expected_version = NULL;
    o = kit_do(k, "t", del);
    CU_ASSERT(o.result == SL_APPLIED && !o.record);
    CU_ASSERT(refused(kit_do(k, "t", del), SL_GONE, "no row"));
    kit_close(k);
}

static void versions_of_modified_guard_writes(void)
{
    struct kit *k = begin(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT, m TEXT); INSERT INTO t VALUES(1,'a','2020-01-01 00:00:00'),"
        "(2,'b','2021-01-01 00:00:00')");
    CU_ASSERT_EQUAL(open_with(k, "m", 50), SL_OK);
    struct sl_value v = value_string("v", "x");
    struct sl_write w = kit_make(k, SL_UPDATE, "1", &v, 1);
    w.expected_version = kit_get(k, "t", "1").record->version;
    CU_ASSERT(*w.expected_version == 'm');
    sql(k, "UPDATE t SET v='other', m='2020-01-02 00:00:00' WHERE id=1");
    CU_ASSERT(refused(kit_do(k, "t", w), SL_CONFLICT, "was changed"));
    w.expected_version = kit_get(k, "t", "1").record->version;
    CU_ASSERT_EQUAL(kit_do(k, "t", w).result, SL_APPLIED);
    kit_close(k);
}

static void one_bad_row_leaves_the_others(void)
{
    struct kit *k =
        begin("CREATE TABLE t(id INTEGER PRIMARY KEY, v INT CHECK (v < 100), u TEXT UNIQUE ON CONFLICT REPLACE,"
              " need TEXT NOT NULL)");
    struct sl_value good[2] = {value_int("v", 1), value_string("need", "x")}, big[2] = {value_int("v", 100), good[1]};
    struct sl_value same[2] = {value_string("u", "one"), good[1]};
    struct sl_write w[MOST];
    struct write_outcome o[MOST];
    w[0] = kit_make(k, SL_CREATE, "1", good, 2);
    w[1] = kit_make(k, SL_CREATE, "2", big, 2);
    w[2] = kit_make(k, SL_CREATE, "3", good, 1);
    w[3] = kit_make(k, SL_CREATE, "4", same, 2);
    w[4] = kit_make(k, SL_CREATE, "5", same, 2);
    w[5] = kit_make(k, SL_UPDATE, "9", good, 2);
    w[6] = kit_make(k, SL_CREATE, "6", good, 2);
    CU_ASSERT_EQUAL(kit_write(k, "t", w, 7, o), SL_OK);
    CU_ASSERT_EQUAL(o[0].result, SL_APPLIED);
    CU_ASSERT(refused(o[1], SL_REJECTED, "CHECK constraint failed: v < 100"));
    CU_ASSERT(refused(o[2], SL_REJECTED, "NOT NULL constraint failed: t.need"));
    CU_ASSERT_EQUAL(o[3].result, SL_APPLIED);
    CU_ASSERT(refused(o[4], SL_REJECTED, "UNIQUE constraint failed: t.u"));
    CU_ASSERT(refused(o[5], SL_GONE, "no row"));
    CU_ASSERT_EQUAL(o[6].result, SL_APPLIED);
    CU_ASSERT(refused(kit_create(k, "t", "1", good, 2), SL_EXISTS, "table t already has a row with the id 1"));
    CU_ASSERT(
        refused(kit_create(k, "t", NULL, good, 2), SL_REJECTED, "table t takes new rows only under an id; give one"));
    CU_ASSERT(refused(set(k, "t", "1", value_int("other", 1)), SL_REJECTED,
                      "table t has no column other; correct the mapping or add the column"));
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT group_concat(id) FROM (SELECT id FROM t ORDER BY id)"), "1,4,6");
    kit_close(k);
}

/* A trigger that rolls back, and a constraint that waits for the commit, undo the neighbours too, unless those are tried apart. */
static void a_row_that_rolls_back_leaves_the_others(void)
{
    struct kit *k =
        begin("CREATE TABLE p(id INTEGER PRIMARY KEY); INSERT INTO p VALUES(1);"
              "CREATE TABLE t(id INTEGER PRIMARY KEY, v INT, p INT REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED);"
              "CREATE TRIGGER no BEFORE INSERT ON t WHEN NEW.v=13 BEGIN SELECT RAISE(ROLLBACK, 'unlucky'); END");
    struct sl_value v[MOST];
    struct sl_write w[MOST];
    struct write_outcome o[MOST];
    for (int i = 0; i < 9; i++) {
        v[i] = i == 3 ? value_int("v", 13) : i == 6 ? value_int("p", 99) : value_int("p", 1);
        w[i] = kit_make(k, SL_CREATE, arena_printf(&k->a, "%d", i + 1), &v[i], 1);
    }
    CU_ASSERT_EQUAL(kit_write(k, "t", w, 9, o), SL_OK);
    for (int i = 0; i < 9; i++)
        CU_ASSERT(i == 3   ? refused(o[i], SL_REJECTED, "unlucky")
                  : i == 6 ? refused(o[i], SL_REJECTED, "FOREIGN KEY constraint failed")
                           : o[i].result == SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT group_concat(id) FROM t"), "1,2,3,5,6,8,9");
    kit_close(k);
}

static void a_trigger_that_takes_the_row_away_is_told(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, v);"
                          "CREATE TRIGGER gone AFTER INSERT ON t BEGIN DELETE FROM t WHERE id=NEW.id; END;"
                          "CREATE TABLE moved(id INTEGER PRIMARY KEY, v);"
                          "CREATE TRIGGER move AFTER INSERT ON moved BEGIN UPDATE moved SET id=id+100; END;"
                          "CREATE TABLE broken(id INTEGER PRIMARY KEY, v);"
                          "CREATE TRIGGER bad AFTER INSERT ON broken BEGIN INSERT INTO nowhere VALUES(1); END");
    CU_ASSERT(refused(kit_create(k, "t", "1", NULL, 0), SL_REJECTED, "would not keep the row under the id 1"));
    CU_ASSERT(refused(kit_create(k, "moved", "1", NULL, 0), SL_REJECTED, "would not keep the row under the id 1"));
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT count(*) FROM moved"), "0");
    CU_ASSERT(refused(kit_create(k, "broken", "1", NULL, 0), SL_REJECTED, "nowhere"));
    kit_close(k);
}

/* A trigger that fails halfway keeps what it did unless that is taken back; one that swallows an INSERT makes it look done. */
static void a_write_refused_halfway_leaves_no_trace(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, v INT); INSERT INTO t VALUES(2, 7);"
                          "CREATE TABLE trace(v INT);"
                          "CREATE TRIGGER half AFTER INSERT ON t WHEN NEW.v=13 BEGIN INSERT INTO trace VALUES(13);"
                          "  SELECT RAISE(FAIL, 'halfway'); END;"
                          "CREATE TRIGGER quiet BEFORE INSERT ON t WHEN NEW.id=2 BEGIN SELECT RAISE(IGNORE); END");
    struct sl_value v[] = {value_int("v", 1), value_int("v", 1), value_int("v", 13), value_int("v", 1)};
    struct sl_write w[4];
    struct write_outcome o[4];
    for (int i = 0; i < 4; i++)
        w[i] = kit_make(k, SL_CREATE, arena_printf(&k->a, "%d", i + 1), &v[i], 1);
    CU_ASSERT_EQUAL(kit_write(k, "t", w, 4, o), SL_OK);
    CU_ASSERT(o[0].result == SL_APPLIED && o[3].result == SL_APPLIED);
    CU_ASSERT(refused(o[1], SL_EXISTS, "already has a row"));
    CU_ASSERT(o[1].record && record_field(o[1].record, "v")->number == 7);
    CU_ASSERT(refused(o[2], SL_REJECTED, "halfway"));
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT group_concat(id), (SELECT count(*) FROM trace) FROM t"), "1,2,4|0");
    kit_close(k);
}

static void archives_in_the_same_transaction(void)
{
    struct kit *k = begin(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, s TEXT, n NUMERIC); INSERT INTO t VALUES(1,' a ',0.1),(2,'b',NULL)");
    CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_ARCHIVE, "1", NULL, 0)).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT group_concat(id) FROM t"), "2");
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT quote(id), quote(s), quote(n) FROM t_archive"), "1|' a '|0.1");
    CU_ASSERT(refused(kit_do(k, "t", kit_make(k, SL_ARCHIVE, "1", NULL, 0)), SL_GONE, "no row"));
    sql(k, "INSERT INTO t VALUES(1,'again',1); ALTER TABLE t ADD COLUMN extra TEXT; UPDATE t SET extra='e'");
    CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_ARCHIVE, "1", NULL, 0)).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT group_concat(s || coalesce(extra, '-')) FROM t_archive"), " a -,againe");
    struct object_info *list = NULL;
    CU_ASSERT_EQUAL(session_describe(k->s, NULL, &k->a, &list, &k->e), SL_OK);
    CU_ASSERT(list && !strcmp(list->object.name, "t") && !list->next);
    kit_close(k);
}

/* A process that holds the database until told to let go. */
static pid_t hold(struct kit *k, const char *begin_sql, FILE **tell)
{
    int to[2], from[2];
    char byte;
    CU_ASSERT_EQUAL_FATAL(pipe(to) | pipe(from), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        close(from[0]);
        execlp("sqlite3", "sqlite3", kit_path(k, "my.db"), (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    *tell = fdopen(to[1], "w");
    fprintf(*tell, "%s\n.shell printf @\n", begin_sql);
    fflush(*tell);
    while (read(from[0], &byte, 1) == 1 && byte != '@') {
    }
    close(from[0]);
    return pid;
}

static void let_go(pid_t pid, FILE *tell)
{
    fclose(tell);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void a_locked_database_is_said(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,1)");
    FILE *tell;
    pid_t pid = hold(k, "BEGIN IMMEDIATE;", &tell);
    CU_ASSERT_EQUAL(pull_at(k, "t", NULL, 0, 0), SL_OK);
    CU_ASSERT(
        refused(set(k, "t", "1", value_int("v", 2)), SL_BUSY, "is locked by another program; close it or run again"));
    let_go(pid, tell);
    pid = hold(k, "BEGIN EXCLUSIVE;", &tell);
    CU_ASSERT_EQUAL(pull_at(k, "t", NULL, 0, 0), SL_BUSY);
    CU_ASSERT(kit_says(k->e.text, "is locked by another program; close it or run again"));
    CU_ASSERT(refused(set(k, "t", "1", value_int("v", 2)), SL_BUSY, "is locked"));
    let_go(pid, tell);
    pid = hold(k, "BEGIN; SELECT * FROM t;", &tell); /* a reader: the commit finds it */
    CU_ASSERT(refused(set(k, "t", "1", value_int("v", 2)), SL_BUSY, "is locked"));
    let_go(pid, tell);
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT v FROM t"), "1");
    CU_ASSERT_EQUAL(set(k, "t", "1", value_int("v", 2)).result, SL_APPLIED);
    kit_close(k);
}

static void a_full_disk_writes_nothing(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)");
    CU_ASSERT_EQUAL(kit_create(k, "t", "1", NULL, 0).result, SL_APPLIED);
    char *large = arena_alloc(&k->a, 300001);
    memset(large, 'x', 300000);
    struct sl_value v = value_string("v", large);
    struct sl_write w[2] = {kit_make(k, SL_CREATE, "2", NULL, 0), kit_make(k, SL_CREATE, "3", &v, 1)};
    struct write_outcome o[2];
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit limit = {100000, 100000};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        kit_write(k, "t", w, 2, o);
        bool none = o[0].result != SL_APPLIED && o[1].result != SL_APPLIED;
        _exit(none ? 0 : 1);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_STRING_EQUAL(ask(k, "SELECT group_concat(id) FROM t"), "1");
    kit_close(k);
}

static void a_read_only_file_is_said(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
    if (geteuid() != 0) {
        CU_ASSERT_EQUAL(chmod(kit_path(k, "my.db"), 0444), 0);
        CU_ASSERT(!(describe(k, "t")->caps & SL_CAP_CREATE));
        CU_ASSERT(refused(kit_create(k, "t", "1", NULL, 0), SL_CONFIG, "read-only"));
    }
    kit_close(k);
}

static void a_kill_leaves_the_old_or_the_new_batch(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, v INT); WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL"
                          " SELECT i+1 FROM c WHERE i<300) INSERT INTO t SELECT i, 0 FROM c");
    struct sl_write w[300];
    struct write_outcome o[300];
    for (long delay = 0; delay < 8; delay++) {
        struct sl_value v = value_int("v", delay + 1);
        for (int i = 0; i < 300; i++)
            w[i] = kit_make(k, SL_UPDATE, arena_printf(&k->a, "%d", i + 1), &v, 1);
        session_close(k->s); /* a connection must not be carried across fork */
        k->s = NULL;
        pid_t pid = fork();
        if (pid == 0) {
            open_with(k, NULL, 1000);
            kit_write(k, "t", w, 300, o);
            _exit(0);
        }
        kit_sleep_ms(delay * 2);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        CU_ASSERT_STRING_EQUAL(ask(k, "SELECT count(DISTINCT v) FROM t"), "1");
        CU_ASSERT_STRING_EQUAL(ask(k, "PRAGMA integrity_check"), "ok");
    }
    kit_close(k);
}

static void a_view_without_ids_is_said(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE VIEW w AS SELECT v FROM t");
    CU_ASSERT_EQUAL(kit_pull(k, "w", 0), SL_CONFIG);
    CU_ASSERT(kit_says(k->e.text, "has no column named id; give it one whose values are unique"));
    kit_close(k);
}

static void webhooks_are_not_for_files(void)
{
    struct kit *k = begin("CREATE TABLE t(id INTEGER PRIMARY KEY)");
    struct sl_hook hook = {.size = sizeof(hook)};
    CU_ASSERT_EQUAL(session_webhook(k->s, &hook, kit_sink(k), &k->e), SL_UNSUPPORTED);
    CU_ASSERT(kit_says(k->e.text, "a SQLite file sends no webhooks; let the pair poll with `every`"));
    kit_close(k);
}

static const struct check tests[] = {
    {"creates under the reserved id, once (I19)", creates_under_the_reserved_id},
    {"updates what is given, if it is as expected (I24, I33)", updates_only_what_is_given_and_expected},
    {"versions of `modified` guard writes (I24)", versions_of_modified_guard_writes},
    {"one bad row leaves the others (I23)", one_bad_row_leaves_the_others},
    {"a row that rolls back leaves the others (I23)", a_row_that_rolls_back_leaves_the_others},
    {"a trigger that takes the row away is told", a_trigger_that_takes_the_row_away_is_told},
    {"a write refused halfway leaves no trace (I18)", a_write_refused_halfway_leaves_no_trace},
    {"archives in the same transaction", archives_in_the_same_transaction},
    {"a locked database is said", a_locked_database_is_said},
    {"a write that does not fit writes nothing and is not told as applied (I18)", a_full_disk_writes_nothing},
    {"a read-only file is said", a_read_only_file_is_said},
    {"a kill leaves the old or the new batch (I18)", a_kill_leaves_the_old_or_the_new_batch},
    {"a view without ids is said", a_view_without_ids_is_said},
    {"webhooks are not for files", webhooks_are_not_for_files},
};
CHECK_MAIN("sqlite writes", tests)
