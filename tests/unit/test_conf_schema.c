/* SPDX-License-Identifier: MIT */
/* test_conf_schema.c - the JSON Schema for editors says what the key tables say, and the examples are good configs. */
#include "check.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "conf/tables.h"

static char *read_text(const char *file)
{
    struct buf text = {0};
    char chunk[4096];
    size_t n = 0;
    FILE *f = fopen(file, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        buf_add(&text, chunk, n);
    fclose(f);
    return text.data;
}

static struct json_doc *read_schema(void)
{
    struct err e = {0};
    char *text = read_text("configs/syncline.schema.json");
    struct json_doc *doc = json_parse(text, strlen(text), NULL, &e);
    if (!doc)
        printf("%s\n", e.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    mem_free(text);
    return doc;
}

static void check_that(bool good, const char *table, const char *key, const char *what)
{
    if (!good)
        printf("%s.%s: %s\n", table, key, what);
    CU_ASSERT_TRUE(good);
}

static bool lists(const struct json *list, const char *text)
{
    for (const struct json *child = json_first(list); child; child = json_next(child))
        if (text_equal(json_text(child, NULL), text))
            return true;
    return false;
}

static void compare_words(const char *table, const struct key *key, const struct json *property)
{
    const struct json *words = json_get(property, "enum");
    size_t n = 0;
    for (const struct word *w = key->words; w->text; w++) {
        n += w->value != 0;
        check_that(lists(words, w->text) == (w->value != 0), table, key->name, w->text);
    }
    check_that(json_count(words) == n, table, key->name, "other words in the schema");
}

static const char *const type_names[] = {[KEY_STRING] = "string",
                                         [KEY_INT] = "integer",
                                         [KEY_DURATION] = "string",
                                         [KEY_LIST] = "array",
                                         [KEY_BOOL] = "boolean"};

static void compare_key(const char *table, const struct key *key, const struct json *definition)
{
    const struct json *property = json_get(json_get(definition, "properties"), key->name);
    int64_t n = -1;
    check_that(property != NULL, table, key->name, "not in the schema");
    check_that(lists(json_get(definition, "required"), key->name) == key->required, table, key->name, "required?");
    check_that((json_get(property, "not") != NULL) == (key->kind == KEY_NOT_YET), table, key->name, "implemented?");
    if (key->kind == KEY_WORD)
        compare_words(table, key, property);
    else if ((size_t)key->kind < sizeof(type_names) / sizeof(*type_names) && type_names[key->kind])
        check_that(text_equal(json_text(json_get(property, "type"), NULL), type_names[key->kind]), table, key->name,
                   "another type");
    if (key->kind == KEY_INT)
        check_that(json_int(json_get(property, "minimum"), &n) && n == key->min, table, key->name, "another minimum");
    if (key->kind == KEY_INT && key->max != INT64_MAX)
        check_that(json_int(json_get(property, "maximum"), &n) && n == key->max, table, key->name, "another maximum");
    if (key->table) {
        struct buf reference = {0};
        buf_printf(&reference, "#/definitions/%s", key->table->name);
        check_that(text_equal(json_text(json_get(property, "$ref"), NULL), reference.data), table, key->name,
                   "another table");
        buf_fini(&reference);
    }
}

static void schema_is_the_tables(void)
{
    struct json_doc *doc = read_schema();
    const struct json *definitions = json_get(json_root(doc), "definitions");
    size_t n_tables = 0;
    for (; tables_all[n_tables]; n_tables++) {
        const struct key_table *table = tables_all[n_tables];
        const struct json *definition = json_get(definitions, table->name);
        check_that(definition != NULL, table->name, "", "not in the schema");
        for (size_t i = 0; i < table->n_keys; i++)
            compare_key(table->name, &table->keys[i], definition);
        check_that(json_count(json_get(definition, "properties")) == table->n_keys, table->name, "",
                   "other keys in the schema");
        const struct json *more = json_get(definition, "additionalProperties");
        check_that(more && json_type(more) == JSON_BOOL && !json_bool(more), table->name, "", "open to unknown keys");
    }
    CU_ASSERT_EQUAL(json_count(definitions), n_tables);
    json_free(doc);
}

/* The build's plugins are not beside this test: the example is loaded with their folder put in. */
static void check_example(const char *file, const char *plugins)
{
    struct buf with = {0};
    struct buf problems = {0};
    struct err e = {0};
    char copy[] = "/tmp/test_conf_schema.XXXXXX";
    char *text = read_text(file);
    char *brace = strstr(text, "\n{");
    CU_ASSERT_PTR_NOT_NULL_FATAL(brace);
    buf_add(&with, text, (size_t)(brace + 2 - text));
    buf_printf(&with, "\"plugins\": [\"%s\"],%s", plugins, brace + 2);
    int fd = mkstemp(copy);
    CU_ASSERT_TRUE_FATAL(fd >= 0 && write(fd, with.data, with.size) == (ssize_t)with.size);
    close(fd);
    struct conf *c = conf_load(copy, &problems, &e);
    if (!c)
        printf("%s:\n%s", file, problems.data);
    CU_ASSERT_PTR_NOT_NULL(c);
    CU_ASSERT_TRUE(c && c->n_pairs > 0);
    conf_free(c);
    unlink(copy);
    mem_free(text);
    buf_fini(&with);
    buf_fini(&problems);
}

static void examples_are_good(void)
{
    const char *build = getenv("BUILD");
    setenv("ZENDESK_TOKEN", "what the example names", 1);
    setenv("GITHUB_TOKEN", "what the example names", 1);
    struct buf folder = {0};
    size_t n = 0;
    buf_printf(&folder, "%s/plugins", build ? build : "build");
    char *plugins = realpath(folder.data, NULL);
    DIR *dir = opendir("configs");
    CU_ASSERT_TRUE_FATAL(plugins && dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        size_t size = strlen(entry->d_name);
        if (size < 6 || strcmp(entry->d_name + size - 6, ".jsonc") != 0)
            continue;
        struct buf file = {0};
        buf_printf(&file, "configs/%s", entry->d_name);
        check_example(file.data, plugins);
        buf_fini(&file);
        n++;
    }
    CU_ASSERT_TRUE(n >= 3);
    closedir(dir);
    free(plugins);
    buf_fini(&folder);
}

static const struct check tests[] = {
    {"the schema and the key tables say the same", schema_is_the_tables},
    {"every example loads", examples_are_good},
};

CHECK_MAIN("conf schema", tests)
