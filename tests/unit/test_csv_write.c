/* SPDX-License-Identifier: MIT */
/* test_csv_write.c - the csv connector writes: bytes kept, conflicts, archives, other programs, kills, and every refusal. */
#include "csv_kit.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* --- writing --- */

static const char styles[] = "\xef\xbb\xbfid,v,\"w\"\r\n"
                             "\"1\",\"plain\",x\r\n"
                             "2, blanks ,\"\"\r\n"
                             "\r\n"
                             "3,=SUM(A1),\"two\r\nlines\"\r\n"
                             "4,mixed,ending\n"
                             "5,last,";

static void what_is_not_written_stays_byte_for_byte(void)
{
    struct kit *k = begin(styles);
    CU_ASSERT_EQUAL(set(k, "1", value_string("w", "y")).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"),
                           "\xef\xbb\xbfid,v,\"w\"\r\n\"1\",\"plain\",y\r\n2, blanks ,\"\"\r\n\r\n"
                           "3,=SUM(A1),\"two\r\nlines\"\r\n4,mixed,ending\n5,last,");
    CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_DELETE, "3", NULL, 0)).result, SL_APPLIED);
    CU_ASSERT_EQUAL(kit_create(k, "t", "6", NULL, 0).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"),
                           "\xef\xbb\xbfid,v,\"w\"\r\n\"1\",\"plain\",y\r\n2, blanks ,\"\"\r\n\r\n"
                           "4,mixed,ending\n5,last,\r\n6,,\r\n");
    kit_close(k);
}

static void an_update_to_the_same_writes_nothing(void)
{
    struct kit *k = begin(styles);
    struct stat before, after;
    CU_ASSERT_EQUAL(stat(kit_path(k, "t.csv"), &before), 0);
    struct write_outcome o = set(k, "1", value_string("v", "plain"));
    CU_ASSERT(o.result == SL_APPLIED && !strcmp(kit_field(o.record, "v"), "plain"));
    CU_ASSERT_EQUAL(set(k, "2", value_string("w", "")).result, SL_APPLIED);
    CU_ASSERT_EQUAL(stat(kit_path(k, "t.csv"), &after), 0);
    CU_ASSERT(before.st_ino == after.st_ino && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
    kit_close(k);
}

static void writes_texts_exactly(void)
{
    static const char *const texts[] = {"",
                                        " lead",
                                        "trail\t",
                                        "cr\r\nlf\n",
                                        "a,b",
                                        "say \"x\"",
                                        "=1+1",
                                        "+1",
                                        "-1",
                                        "@x",
                                        "\xf0\x9f\x8c\x8d \xcc\x88",
                                        "007",
                                        "1e400",
                                        "'",
                                        "NULL"};
    struct kit *k = begin("id,v\n1,\n2,other\n");
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct write_outcome o = set(k, "1", value_string("v", texts[i]));
        CU_ASSERT(o.result == SL_APPLIED && !strcmp(kit_field(o.record, "v"), texts[i]));
        CU_ASSERT(value(k, "1", "v")->type == SL_STRING && !strcmp(value(k, "1", "v")->text, texts[i]));
        CU_ASSERT_STRING_EQUAL(kit_get(k, "t", "1").record->version, o.record->version);
    }
    CU_ASSERT_EQUAL(set(k, "1", value_string("v", "=1+1")).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,v\n1,=1+1\n2,other\n");
    CU_ASSERT_EQUAL(set(k, "1", value_null("v")).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,v\n1,\n2,other\n");
    kit_close(k);
}

static void writes_other_types_as_text(void)
{
    struct kit *k = begin("id\n");
    struct sl_value items[2] = {value_string(NULL, "b"), value_string(NULL, "a")};
    struct sl_value v[8] = {value_int("i", -5),
                            value_bool("b", true),
                            {.name = "d", .type = SL_DECIMAL, .text = "0.10", .text_size = 4},
                            {.name = "day", .type = SL_DATE, .number = 19782},
                            {.name = "at", .type = SL_TIMESTAMP, .number = 1709201472005, .grain_ms = 1},
                            {.name = "set", .type = SL_SET, .items = items, .n_items = 2, .item_size = sizeof(*items)},
                            {.name = "js", .type = SL_JSON, .text = "{\"a\":1}", .text_size = 7},
                            {.name = "ts", .type = SL_TIMESTAMP, .number = -1000, .grain_ms = 1000}};
    CU_ASSERT_EQUAL(kit_create(k, "t", "1", v, 8).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"),
                           "id,i,b,d,day,at,set,js,ts\n1,-5,true,0.10,2024-02-29,2024-02-29T10:11:12.005Z,"
                           "\"[\"\"a\"\",\"\"b\"\"]\",\"{\"\"a\"\":1}\",1969-12-31T23:59:59Z\n");
    kit_close(k);
}

static void new_fields_become_columns(void)
{
    struct kit *k = begin("id,v\n1,a\nragged\n2,\"b\"\n");
    const char *version = kit_get(k, "t", "2").record->version;
    struct sl_value v[2] = {value_string("new, one", "x"), value_null("nothing")};
    struct write_outcome o = kit_do(k, "t", kit_make(k, SL_UPDATE, "1", v, 2));
    CU_ASSERT(o.result == SL_APPLIED && !strcmp(kit_field(o.record, "new, one"), "x") &&
              !record_field(o.record, "nothing"));
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,v,\"new, one\"\n1,a,x\nragged,\n2,\"b\",\n");
    CU_ASSERT_STRING_EQUAL(kit_get(k, "t", "2").record->version, version);
    CU_ASSERT_EQUAL(kit_get(k, "t", "ragged").kind, SL_ITEM_UNREADABLE);
    CU_ASSERT(
        refused(kit_do(k, "t", kit_make(k, SL_UPDATE, "9", &(struct sl_value){.name = "other", .type = SL_BOOL}, 1)),
                SL_GONE, "no row"));
    CU_ASSERT_EQUAL(strncmp(kit_text(k, "t.csv"), "id,v,\"new, one\"\n", 16), 0);
    kit_close(k);
}

static void writes_are_conditional(void)
{
    struct kit *k = begin("id,v,w\n1,a,keep\n");
    struct sl_value v = value_string("v", "b");
    struct sl_write w = kit_make(k, SL_UPDATE, "1", &v, 1);
    w.expected_version = kit_get(k, "t", "1").record->version;
    kit_put(k, "t.csv", "id,v,w\n1,a,KEEP\n");
    CU_ASSERT(refused(kit_do(k, "t", w), SL_CONFLICT, "the row 1 of t.csv was changed since it was read"));
    w.expected_version = kit_get(k, "t", "1").record->version;
    struct write_outcome o = kit_do(k, "t", w);
    CU_ASSERT(o.result == SL_APPLIED && !strcmp(kit_field(o.record, "w"), "KEEP"));
    struct sl_write del = kit_make(k, SL_DELETE, "1", NULL, 0);
    del.expected_version = w.expected_version;
    CU_ASSERT(refused(kit_do(k, "t", del), SL_CONFLICT, "was changed"));
    del.expected_version = o.record->version;
    CU_ASSERT_EQUAL(kit_do(k, "t", del).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,v,w\n");
    CU_ASSERT(refused(kit_do(k, "t", del), SL_GONE, "no row with the key 1"));
    kit_close(k);
}

static void one_bad_write_leaves_the_others(void)
{
    struct kit *k = begin("id,v\n1,a\n2,b\n");
    struct sl_value v = value_string("v", "x"), other = value_string("id", "other");
    struct sl_write w[8];
    struct write_outcome o[8];
    w[0] = kit_make(k, SL_CREATE, "9", &v, 1);
    w[1] = kit_make(k, SL_CREATE, "1", &v, 1);
    w[2] = kit_make(k, SL_UPDATE, "2", &other, 1);
    w[3] = kit_make(k, SL_UPDATE, "7", &v, 1);
    w[4] = kit_make(k, SL_CREATE, "8", &v, 1);
    w[5] = kit_make(k, SL_DELETE, "2", NULL, 0);
    w[6] = kit_make(k, SL_CREATE, "2", &v, 1);
    w[7] = kit_make(k, SL_CREATE, "a\tb", &v, 1);
    CU_ASSERT_EQUAL(kit_write(k, "t", w, 8, o), SL_OK);
    CU_ASSERT_EQUAL(o[0].result, SL_APPLIED);
    CU_ASSERT(refused(o[1], SL_EXISTS, "already has a row with the key 1") &&
              !strcmp(kit_field(o[1].record, "v"), "a"));
    CU_ASSERT(refused(o[2], SL_REJECTED, "column id of t.csv is the key"));
    CU_ASSERT(refused(o[3], SL_GONE, "no row with the key 7"));
    CU_ASSERT(o[4].result == SL_APPLIED && o[5].result == SL_APPLIED && o[6].result == SL_APPLIED);
    CU_ASSERT(refused(o[7], SL_REJECTED, "cannot be a key"));
    CU_ASSERT(refused(set(k, "9", value_string("", "x")), SL_REJECTED,
                      "cannot have a column without a name; correct the mapping"));
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,v\n1,a\n2,x\n9,x\n8,x\n");
    CU_ASSERT_EQUAL(kit_count(k, ".", "."), 2); /* . and .. */
    kit_close(k);
}

/* A quote that nobody closes makes one row of all that follows. */
static void an_endless_row_is_said(void)
{
    struct kit *k = begin(NULL);
    struct buf text = {0};
    buf_text(&text, "id,v\n1,a\n2,\"");
    for (int i = 0; i < (17 << 20); i += 64)
        buf_text(&text, "a text without an end and without a quote, sixty-four bytes long");
    kit_put(k, "t.csv", text.data);
    CU_ASSERT_NOT_EQUAL(pull_at(k, NULL, 0, 0), SL_OK);
    CU_ASSERT(kit_says(k->e.text,
                       "t.csv: the row that begins on line 3 is over 16 MiB; look for a quote that is not closed"));
    buf_fini(&text);
    kit_close(k);
}

static void archives_beside_the_file(void)
{
    struct kit *k = begin("id,v\n1,\" a \"\n2,b\n");
    CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_ARCHIVE, "1", NULL, 0)).result, SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,v\n2,b\n");
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.archive.csv"), "id,v\n1,\" a \"\n");
    kit_put(k, "t.csv", "w,id,v\nx,2,b\n,1,\" a \"\n"); /* as after a kill between the two files; and a column more */
    struct sl_write w[2] = {kit_make(k, SL_ARCHIVE, "1", NULL, 0), kit_make(k, SL_ARCHIVE, "2", NULL, 0)};
    struct write_outcome o[2];
    CU_ASSERT_EQUAL(kit_write(k, "t", w, 2, o), SL_OK);
    CU_ASSERT(o[0].result == SL_APPLIED && o[1].result == SL_APPLIED);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "w,id,v\n");
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.archive.csv"), "id,v,w\n1,\" a \",\n2,b,x\n");
    kit_close(k);
}

static void a_locked_folder_is_said(void)
{
    struct kit *k = begin("id,v\n1,a\n");
    int fd = open(k->folder, O_RDONLY | O_DIRECTORY);
    CU_ASSERT_EQUAL(flock(fd, LOCK_EX), 0);
    CU_ASSERT(
        refused(set(k, "1", value_string("v", "b")), SL_BUSY, "is locked by another program; close it or run again"));
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,v\n1,a\n");
    close(fd);
    CU_ASSERT_EQUAL(set(k, "1", value_string("v", "b")).result, SL_APPLIED);
    kit_close(k);
}

/* Another program that edits t.csv whenever the connector waits for a file to settle, edits_left times. */
static struct kit *editor_of;
static int edits_left;

/* A file from the future never settles: opening it always waits. */
static void put_from_future(struct kit *k, const char *name, const char *text)
{
    struct timespec times[2] = {{.tv_sec = time(NULL) + 86400 + edits_left},
                                {.tv_sec = time(NULL) + 86400 + edits_left}};
    kit_put(k, name, text);
    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, kit_path(k, name), times, 0), 0);
}

static void edit_meanwhile(void *self, uint32_t ms)
{
    (void)self;
    if (edits_left > 0) {
        edits_left--;
        put_from_future(editor_of, "t.archive.csv", "id,v\n");
        put_from_future(editor_of, "t.csv", arena_printf(&editor_of->a, "id,v\n1,a\n2,edit %d\n", edits_left));
    }
    kit_sleep_ms((long)ms);
}

static struct write_outcome archive_while_edited(struct kit *k, int edits)
{
    struct session_world world = session_real_world;
    struct sl_value settings[2] = {value_string("root", k->folder), value_string("key", "id")};
    world.sleep_ms = edit_meanwhile;
    session_close(k->s);
    CU_ASSERT_EQUAL_FATAL(kit_open_in(k, "csv", settings, 2, &world), SL_OK);
    kit_sleep_ms(30); /* t.csv is settled, its archive is not: the first wait comes after t.csv was read */
    put_from_future(k, "t.archive.csv", "id,v\n");
    editor_of = k;
    edits_left = edits;
    return kit_do(k, "t", kit_make(k, SL_ARCHIVE, "1", NULL, 0));
}

static void an_edit_meanwhile_is_not_lost(void)
{
    struct kit *k = begin("id,v\n1,a\n2,old\n");
    CU_ASSERT_EQUAL(archive_while_edited(k, 1).result, SL_APPLIED);
    CU_ASSERT_EQUAL(edits_left, 0);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,v\n2,edit 0\n");
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.archive.csv"), "id,v\n1,a\n");
    kit_close(k);
}

static void a_file_that_never_rests_is_said(void)
{
    struct kit *k = begin("id,v\n1,a\n2,old\n");
    CU_ASSERT(refused(archive_while_edited(k, 1000), SL_BUSY,
                      "t.csv is being written to by another program; close it or run again"));
    CU_ASSERT_EQUAL(strncmp(kit_text(k, "t.csv"), "id,v\n1,a\n2,edit ", 16), 0);
    edits_left = 0;
    kit_close(k);
}

static int take_and_edit(void *self, const struct sl_item *item)
{
    struct kit *k = self;
    kit_put(k, "t.csv", "id,v\n1,a\n");
    return kit_take(k, item);
}

static void a_file_written_while_it_is_read_shows_nothing(void)
{
    struct kit *k = begin("id,v\n1,a\n2,old\n");
    struct sl_pull pull = {.size = sizeof(pull), .object = "t"};
    struct session_sink sink = kit_sink(k);
    sink.take = take_and_edit;
    CU_ASSERT_EQUAL(session_pull(k->s, &pull, sink, &k->a, &k->end, &k->e), SL_RETRY);
    CU_ASSERT(kit_says(k->e.text, "t.csv was written to while it was read; run again"));
    CU_ASSERT_EQUAL(k->end.kind, 0);
    kit_close(k);
}

static void a_full_disk_leaves_the_old_file(void)
{
    struct kit *k = begin("id,v\n1,a\n");
    char *large = arena_alloc(&k->a, 300001);
    memset(large, 'x', 300000);
    struct sl_value v = value_string("v", large);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit limit = {100000, 100000};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        struct write_outcome o = set(k, "1", v);
        _exit(o.result == SL_NOT_APPLIED && o.error_class == SL_RETRY ? 0 : 1);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_STRING_EQUAL(kit_text(k, "t.csv"), "id,v\n1,a\n");
    CU_ASSERT_EQUAL(kit_count(k, ".", "."), 2);
    kit_close(k);
}

static void the_files_mode_is_kept(void)
{
    struct kit *k = begin("id,v\n1,a\n");
    struct stat st;
    CU_ASSERT_EQUAL(chmod(kit_path(k, "t.csv"), 0640), 0);
    CU_ASSERT_EQUAL(set(k, "1", value_string("v", "b")).result, SL_APPLIED);
    CU_ASSERT(stat(kit_path(k, "t.csv"), &st) == 0 && (st.st_mode & 07777) == 0640);
    kit_close(k);
}

enum { MANY = 20000 };

static void put_many(struct kit *k)
{
    struct buf text = {0};
    buf_text(&text, "id,v\n");
    for (int i = 0; i < MANY; i++)
        buf_printf(&text, "%d,old value of a row\n", i);
    kit_put(k, "t.csv", text.data);
    buf_fini(&text);
}

/* True if every row of the file has the same value. */
static bool all_alike(struct kit *k)
{
    FILE *f = fopen(kit_path(k, "t.csv"), "r");
    char line[200], first[200] = "";
    int n = 0;
    bool alike = true;
    while (f && fgets(line, sizeof(line), f)) {
        const char *v = strchr(line, ',');
        if (n == 1)
            snprintf(first, sizeof(first), "%s", v);
        alike = alike && v && (n < 1 || strcmp(v, first) == 0);
        n++;
    }
    if (f)
        fclose(f);
    return alike && n == MANY + 1;
}

static void a_kill_leaves_the_old_or_the_new_file(void)
{
    struct kit *k = begin(NULL);
    static struct sl_write w[MANY];
    static struct write_outcome o[MANY];
    put_many(k);
    for (long delay = 0; delay < 8; delay++) {
        struct sl_value v = value_string("v", arena_printf(&k->a, "value %ld", delay));
        for (int i = 0; i < MANY; i++)
            w[i] = kit_make(k, SL_UPDATE, arena_printf(&k->a, "%d", i), &v, 1);
        pid_t pid = fork();
        if (pid == 0) {
            kit_write(k, "t", w, MANY, o);
            _exit(0);
        }
        kit_sleep_ms(delay * 12);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        CU_ASSERT(all_alike(k));
    }
    CU_ASSERT_EQUAL(set(k, "0", value_string("v", "last")).result, SL_APPLIED);
    CU_ASSERT_EQUAL(kit_count(k, ".", "."), 2); /* what a kill left behind is cleared away */
    kit_close(k);
}

static void long_rows_and_many_rows(void)
{
    struct kit *k = begin(NULL);
    struct buf text = {0};
    buf_text(&text, "id,v\n");
    for (int i = 0; i < 5; i++) {
        buf_printf(&text, "%d,\"", i);
        for (int j = 0; j < 60000; j++)
            buf_text(&text, j % 7 ? "text " : "\"\"\r\n");
        buf_text(&text, "\"\n");
    }
    kit_put(k, "t.csv", text.data);
    CU_ASSERT_EQUAL(pull_at(k, NULL, 0, 0), SL_OK);
    CU_ASSERT_EQUAL_FATAL(k->n_got, 5);
    for (size_t i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(strlen(kit_field(k->got[i].record, "v")), 8572 * 3 + 51428 * 5);
    CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_DELETE, "9", NULL, 0)).error_class, SL_GONE);
    CU_ASSERT_EQUAL(kit_do(k, "t", kit_make(k, SL_DELETE, "4", NULL, 0)).result, SL_APPLIED);
    CU_ASSERT_EQUAL(pull_at(k, NULL, 0, 0), SL_OK);
    CU_ASSERT_EQUAL(k->n_got, 4);
    buf_fini(&text);
    kit_close(k);
}

static void webhooks_are_not_for_files(void)
{
    struct kit *k = begin(NULL);
    struct sl_hook hook = {.size = sizeof(hook)};
    CU_ASSERT_EQUAL(session_webhook(k->s, &hook, kit_sink(k), &k->e), SL_UNSUPPORTED);
    CU_ASSERT(kit_says(k->e.text, "a file sends no webhooks; let the pair poll with `every`"));
    kit_close(k);
}

static const struct check tests[] = {
    {"what is not written stays byte for byte (I33)", what_is_not_written_stays_byte_for_byte},
    {"an update to the same writes nothing (I36)", an_update_to_the_same_writes_nothing},
    {"texts are written exactly, formulas stay data", writes_texts_exactly},
    {"other types are written as text", writes_other_types_as_text},
    {"new fields become columns", new_fields_become_columns},
    {"writes are conditional (I24)", writes_are_conditional},
    {"one bad write leaves the others (I23)", one_bad_write_leaves_the_others},
    {"an endless row is said", an_endless_row_is_said},
    {"archives beside the file, once", archives_beside_the_file},
    {"a locked folder is said", a_locked_folder_is_said},
    {"an edit meanwhile is not lost (I24)", an_edit_meanwhile_is_not_lost},
    {"a file that never rests is said", a_file_that_never_rests_is_said},
    {"a file written while it is read shows nothing (I26)", a_file_written_while_it_is_read_shows_nothing},
    {"a full disk leaves the old file (I18)", a_full_disk_leaves_the_old_file},
    {"the file's mode is kept", the_files_mode_is_kept},
    {"a kill leaves the old or the new file (I18)", a_kill_leaves_the_old_or_the_new_file},
    {"long rows", long_rows_and_many_rows},
    {"webhooks are not for files", webhooks_are_not_for_files},
};
CHECK_MAIN("csv writes", tests)
