/* SPDX-License-Identifier: MIT */
/* csv_kit.h - what the tests of the csv connector share: a file, pulls, values, refusals. */
#ifndef TESTS_CSV_KIT_H
#define TESTS_CSV_KIT_H

#include "plugin_kit.h"

static inline int open_with(struct kit *k, const char *delimiter)
{
    struct sl_value settings[3] = {value_string("root", k->folder), value_string("key", "id"),
                                   value_string("delimiter", delimiter)};
    session_close(k->s);
    k->s = NULL;
    return kit_open_in(k, "csv", settings, 3, NULL);
}

static inline struct kit *begin(const char *text)
{
    struct kit *k = kit_new();
    if (text)
        kit_put(k, "t.csv", text);
    CU_ASSERT_EQUAL_FATAL(open_with(k, ","), SL_OK);
    return k;
}

static inline int pull_at(struct kit *k, const char *cursor, uint32_t flags, uint32_t page_max)
{
    struct sl_pull pull = {.size = sizeof(pull),
                           .flags = flags,
                           .object = "t",
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

static inline const struct sl_value *value(struct kit *k, const char *id, const char *name)
{
    static const struct sl_value none;
    struct got g = kit_get(k, "t", id);
    const struct sl_value *v = g.record ? record_field(g.record, name) : NULL;
    return v ? v : &none;
}

static inline struct write_outcome set(struct kit *k, const char *id, struct sl_value v)
{
    return kit_do(k, "t", kit_make(k, SL_UPDATE, id, &v, 1));
}

static inline bool refused(struct write_outcome o, int sl_class, const char *part)
{
    if (o.result == SL_NOT_APPLIED && o.error_class == sl_class)
        return kit_says(o.message, part);
    fprintf(stderr, "\n  result %d, class %s: %s\n", o.result, class_name(o.error_class), o.message ? o.message : "");
    return false;
}

#endif
