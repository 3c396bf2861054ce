/* SPDX-License-Identifier: MIT */
/* test_file.c - whole files, read and written. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "check.h"

/* A fresh folder for one test; gone with drop_folder. */
static char *new_folder(void)
{
    static char path[64];
    strcpy(path, "/tmp/syncline-test-XXXXXX");
    return mkdtemp(path);
}

static size_t count_entries(const char *folder)
{
    size_t n = 0;
    DIR *d = opendir(folder);
    for (struct dirent *entry = d ? readdir(d) : NULL; entry; entry = readdir(d))
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (d)
        closedir(d);
    return n;
}

static void drop_folder(const char *folder)
{
    char command[100];
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    CU_ASSERT_EQUAL(system(command), 0);
}

static void test_round_trip(void)
{
    struct arena a = {0};
    struct buf b = {0};
    struct err e = {0};
    struct stat s;
    char *folder = new_folder();
    char *path = path_join(&a, folder, "one.json");
    char *big = arena_alloc(&a, 100000);
    memset(big, 'x', 100000);
    CU_ASSERT_EQUAL(file_write_atomic(path, 0600, "a\0b", 3, &e), 0);
    CU_ASSERT_EQUAL(file_read(path, 3, &b, &e), 0);
    CU_ASSERT(b.size == 3 && memcmp(b.data, "a\0b", 4) == 0);
    CU_ASSERT(stat(path, &s) == 0 && (s.st_mode & 0777) == 0600);
    CU_ASSERT_EQUAL(file_write_atomic(path, 0644, big, 100000, &e), 0);
    buf_clear(&b);
    buf_text(&b, "before ");
    CU_ASSERT_EQUAL(file_read(path, 0, &b, &e), 0);
    CU_ASSERT(b.size == 100007 && memcmp(b.data, "before xxx", 10) == 0);
    CU_ASSERT(stat(path, &s) == 0 && (s.st_mode & 0777) == 0644);
    CU_ASSERT_EQUAL(file_write_atomic(path, 0644, NULL, 0, &e), 0);
    buf_fini(&b);
    CU_ASSERT_EQUAL(file_read(path, 0, &b, &e), 0);
    CU_ASSERT(b.size == 0 && b.data && *b.data == '\0');
    CU_ASSERT_EQUAL(count_entries(folder), 1);
    CU_ASSERT_EQUAL(e.code, ERR_NONE);
    drop_folder(folder);
    buf_fini(&b);
    arena_fini(&a);
}

static void test_limit(void)
{
    struct arena a = {0};
    struct buf b = {0};
    struct err e = {0};
    char *folder = new_folder();
    char *path = path_join(&a, folder, "big");
    buf_text(&b, "kept");
    CU_ASSERT_EQUAL(file_write_atomic(path, 0600, "12345", 5, &e), 0);
    CU_ASSERT_EQUAL(file_read(path, 4, &b, &e), ERR_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/big is larger than 4 bytes"));
    CU_ASSERT_STRING_EQUAL(b.data, "kept");
    drop_folder(folder);
    buf_fini(&b);
    arena_fini(&a);
}

static void test_missing(void)
{
    struct arena a = {0};
    struct buf b = {0};
    struct err e = {0};
    char *folder = new_folder();
    CU_ASSERT_EQUAL(file_read(path_join(&a, folder, "nothing"), 0, &b, &e), ERR_NOTFOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/nothing: No such file"));
    err_clear(&e);
    CU_ASSERT_EQUAL(file_read(folder, 0, &b, &e), ERR_FAILED);
    err_clear(&e);
    CU_ASSERT_EQUAL(file_write_atomic(path_join(&a, folder, "no/where"), 0600, "x", 1, &e), ERR_FAILED);
    err_clear(&e);
    /* the target is a folder: the rename is refused and nothing may be left behind */
    CU_ASSERT_EQUAL(folder_make(path_join(&a, folder, "taken/full"), 0700, &e), 0);
    CU_ASSERT_EQUAL(file_write_atomic(path_join(&a, folder, "taken"), 0600, "x", 1, &e), ERR_FAILED);
    CU_ASSERT_EQUAL(count_entries(folder), 1);
    drop_folder(folder);
    buf_fini(&b);
    arena_fini(&a);
}

static void test_join(void)
{
    struct arena a = {0};
    CU_ASSERT_STRING_EQUAL(path_join(&a, "a", "b"), "a/b");
    CU_ASSERT_STRING_EQUAL(path_join(&a, "a/", "b"), "a/b");
    CU_ASSERT_STRING_EQUAL(path_join(&a, "/", "b"), "/b");
    CU_ASSERT_STRING_EQUAL(path_join(&a, "", "b"), "b");
    CU_ASSERT_STRING_EQUAL(path_join(&a, "a", "/b"), "/b");
    arena_fini(&a);
}

static void test_folders(void)
{
    struct arena a = {0};
    struct err e = {0};
    struct stat s;
    char *folder = new_folder();
    char *deep = path_join(&a, folder, "x/y//z/");
    CU_ASSERT_EQUAL(folder_make(deep, 0700, &e), 0);
    CU_ASSERT(stat(deep, &s) == 0 && S_ISDIR(s.st_mode) && (s.st_mode & 0777) == 0700);
    CU_ASSERT_EQUAL(folder_make(deep, 0700, &e), 0);
    CU_ASSERT_EQUAL(folder_make("/", 0700, &e), 0);
    CU_ASSERT_EQUAL(file_write_atomic(path_join(&a, folder, "file"), 0600, "x", 1, &e), 0);
    CU_ASSERT_EQUAL(folder_make(path_join(&a, folder, "file"), 0700, &e), ERR_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "Not a directory"));
    err_clear(&e);
    CU_ASSERT_EQUAL(folder_make(path_join(&a, folder, "file/sub"), 0700, &e), ERR_FAILED);
    err_clear(&e);
    CU_ASSERT_EQUAL(folder_make("", 0700, &e), ERR_FAILED);
    drop_folder(folder);
    arena_fini(&a);
}

/* A device or a pipe does not say beforehand how much it holds. */
static void too_large(void)
{
    struct buf b = {0};
    struct err e = {0};
    CU_ASSERT_EQUAL(file_read("/dev/zero", 100000, &b, &e), ERR_INPUT);
    CU_ASSERT_STRING_EQUAL(e.text, "/dev/zero is larger than 100000 bytes; split it or raise the limit");
    buf_fini(&b);
}

static const struct check tests[] = {
    {"what was written is read, with its mode, and nothing else is left", test_round_trip},
    {"a file over the limit is refused by name", test_limit},
    {"and so is one that does not say how much it holds", too_large},
    {"what cannot be read or written is named, and leaves no temporary file", test_missing},
    {"paths are joined", test_join},
    {"folders are made with those above them", test_folders},
};
CHECK_MAIN("file", tests)
