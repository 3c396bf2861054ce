/* SPDX-License-Identifier: MIT */
/* sqlite_kit.h - what the tests of the sqlite connector share: a database made by sqlite3, pulls, values, refusals. */
#ifndef TESTS_SQLITE_KIT_H
#define TESTS_SQLITE_KIT_H

#include "plugin_kit.h"

/* Runs SQL on the test's database with another program. */
static inline void sql(struct kit *k, const char *text)
{
    kit_put(k, "script.sql", text);
    const char *command = arena_printf(&k->a, "sqlite3 -bail %s < %s > %s 2>&1", kit_path(k, "my.db"),
                                       kit_path(k, "script.sql"), kit_path(k, "said.txt"));
    if (system(command) != 0) {
        fprintf(stderr, "sqlite3: %s\n", kit_text(k, "said.txt"));
        CU_FAIL("sqlite3 refused the test's SQL");
    }
}

/* What a query prints. */
static inline const char *ask(struct kit *k, const char *query)
{
    sql(k, query);
    char *text = arena_text(&k->a, kit_text(k, "said.txt"));
    size_t n = strlen(text);
    if (n && text[n - 1] == '\n')
        text[n - 1] = 0;
    return text;
}

static inline int open_with(struct kit *k, const char *modified, int busy_ms)
{
    struct sl_value settings[3] = {value_string("file", kit_path(k, "my.db")), value_int("busy_ms", busy_ms)};
    settings[2] = value_string("modified", modified ? modified : "");
    session_close(k->s);
    k->s = NULL;
    return kit_open_in(k, "sqlite", settings, modified ? 3 : 2, NULL);
}

static inline struct kit *begin(const char *schema)
{
    struct kit *k = kit_new();
    sql(k, schema);
    CU_ASSERT_EQUAL_FATAL(open_with(k, NULL, 50), SL_OK);
    return k;
}

static inline int pull_at(struct kit *k, const char *object, const char *cursor, uint32_t flags, uint32_t page_max)
{
    struct sl_pull pull = {.size = sizeof(pull),
                           .flags = flags,
                           .object = object,
                           .cursor = cursor ? arena_text(&k->a, cursor) : NULL,
                           .page_max = page_max};
    return session_pull(k->s, &pull, kit_sink(k), &k->a, &k->end, &k->e);
}

static inline const struct sl_object *describe(struct kit *k, const char *object)
{
    struct object_info *list = NULL;
    err_clear(&k->e);
    int rc = session_describe(k->s, object, &k->a, &list, &k->e);
    return rc == SL_OK && list ? &list->object : NULL;
}

static inline const struct sl_field *field(const struct sl_object *o, const char *name)
{
    for (uint32_t i = 0; o && i < o->n_fields; i++)
        if (!strcmp(o->fields[i].name, name))
            return &o->fields[i];
    static const struct sl_field none;
    return &none;
}

static inline const struct sl_value *value(struct kit *k, const char *object, const char *id, const char *name)
{
    static const struct sl_value none;
    struct got g = kit_get(k, object, id);
    const struct sl_value *v = g.record ? record_field(g.record, name) : NULL;
    return v ? v : &none;
}

static inline struct sl_value decimal(const char *name, const char *text)
{
    struct sl_value v = value_string(name, text);
    v.type = SL_DECIMAL;
    return v;
}

static inline struct write_outcome set(struct kit *k, const char *object, const char *id, struct sl_value v)
{
    return kit_do(k, object, kit_make(k, SL_UPDATE, id, &v, 1));
}

static inline bool refused(struct write_outcome o, int sl_class, const char *part)
{
    if (o.result == SL_NOT_APPLIED && o.error_class == sl_class)
        return kit_says(o.message, part);
    fprintf(stderr, "\n  result %d, class %s: %s\n", o.result, class_name(o.error_class), o.message ? o.message : "");
    return false;
}

#endif
