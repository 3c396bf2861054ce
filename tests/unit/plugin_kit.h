/* SPDX-License-Identifier: MIT */
/* plugin_kit.h - what tests of a connector need: its .so in a session, a temporary folder, items and outcomes as data. */
#ifndef TESTS_PLUGIN_KIT_H
#define TESTS_PLUGIN_KIT_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "plugin/loader.h"
#include "plugin/session.h"
#include "record/record.h"
#include "record/value.h"

#define KIT_MAX 8192

/* One emitted item, copied. */
struct got {
    int kind;
    const char *id, *version, *message, *object;
    const struct sl_record *record;
};

struct kit {
    struct plugin_lib *lib;
    struct session *s;
    struct arena a; /* everything a test is given; freed by kit_close */
    struct err e; /* of the last call */
    struct page_end end;
    struct got got[KIT_MAX];
    size_t n_got;
    char folder[64];
};

static inline int kit_take(void *self, const struct sl_item *item)
{
    struct kit *k = self;
    if (k->n_got == KIT_MAX)
        return 1;
    k->got[k->n_got++] = (struct got){.kind = (int)item->kind,
                                      .id = arena_text(&k->a, item->id),
                                      .version = arena_text(&k->a, item->version),
                                      .message = arena_text(&k->a, item->message),
                                      .object = arena_text(&k->a, item->object),
                                      .record = item->record ? record_copy(&k->a, item->record) : NULL};
    return 0;
}

static inline struct session_sink kit_sink(struct kit *k)
{
    k->n_got = 0;
    err_clear(&k->e);
    return (struct session_sink){k, kit_take};
}

/* A fresh temporary folder; kit_close removes it. */
static inline struct kit *kit_new(void)
{
    struct kit *k = mem_alloc(sizeof(*k));
    strcpy(k->folder, "/tmp/syncline-test-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(k->folder));
    return k;
}

/* Opens a session on build/plugins/NAME.so. Returns SL_OK or the class. */
static inline int kit_open_in(struct kit *k, const char *name, const struct sl_value *settings, uint32_t n,
                              const struct session_world *world)
{
    char file[300];
    const char *build = getenv("BUILD");
    snprintf(file, sizeof(file), "%s/plugins/%s.so", build ? build : "build", name);
    if (!k->lib && plugin_load(file, &k->lib, &k->e) != 0) {
        fprintf(stderr, "%s\n", k->e.text);
        CU_FAIL_FATAL("the connector does not load");
    }
    err_clear(&k->e);
    return session_open(plugin_table(k->lib), "desk", settings, n, world, &k->s, &k->e);
}

static inline const char *kit_path(struct kit *k, const char *name)
{
    return arena_printf(&k->a, "%s/%s", k->folder, name);
}

static inline void kit_put_bytes(struct kit *k, const char *name, const void *data, size_t n)
{
    FILE *f = fopen(kit_path(k, name), "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(fwrite(data, 1, n, f), n);
    fclose(f);
}

static inline void kit_put(struct kit *k, const char *name, const char *text)
{
    kit_put_bytes(k, name, text, strlen(text));
}

/* The file's text, "(none)" if there is no file. */
static inline const char *kit_text(struct kit *k, const char *name)
{
    char room[65536];
    FILE *f = fopen(kit_path(k, name), "rb");
    if (!f)
        return "(none)";
    size_t n = fread(room, 1, sizeof(room) - 1, f);
    fclose(f);
    return arena_dup(&k->a, room, n);
}

static inline void kit_mkdir(struct kit *k, const char *name)
{
    CU_ASSERT_EQUAL_FATAL(mkdir(kit_path(k, name), 0755), 0);
}

static inline void kit_close(struct kit *k)
{
    char command[100];
    session_close(k->s);
    plugin_unload(k->lib);
    snprintf(command, sizeof(command), "rm -rf %s", k->folder);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", k->folder);
    arena_fini(&k->a);
    mem_free(k);
}

/* Lists an object; the items are then in k->got. Returns the class. */
static inline int kit_pull(struct kit *k, const char *object, uint32_t flags)
{
    struct sl_pull pull = {.size = sizeof(pull), .flags = flags, .object = object};
    return session_pull(k->s, &pull, kit_sink(k), &k->a, &k->end, &k->e);
}

/* The item of that id in the last call's answer; NULL if there is none. */
static inline const struct got *kit_find(const struct kit *k, const char *id)
{
    for (size_t i = 0; i < k->n_got; i++)
        if (strcmp(k->got[i].id, id) == 0)
            return &k->got[i];
    return NULL;
}

/* Reads one record; kind 0 if the call failed. */
static inline struct got kit_get(struct kit *k, const char *object, const char *id)
{
    const char *ids[] = {id};
    int rc = session_get(k->s, object, ids, 1, kit_sink(k), &k->e);
    return rc == SL_OK && k->n_got == 1 ? k->got[0] : (struct got){0};
}

static inline int kit_write(struct kit *k, const char *object, const struct sl_write *writes, uint32_t n,
                            struct write_outcome *outcomes)
{
    struct sl_batch batch = {
        .size = sizeof(batch), .n_writes = n, .write_size = sizeof(*writes), .object = object, .writes = writes};
    err_clear(&k->e);
    return session_write(k->s, &batch, &k->a, outcomes, &k->e);
}

/* A write with a key of its own. */
static inline struct sl_write kit_make(struct kit *k, uint32_t kind, const char *id, const struct sl_value *fields,
                                       uint32_t n)
{
    static int count;
    return (struct sl_write){.kind = kind,
                             .id = id,
                             .idempotency_key = arena_printf(&k->a, "01TEST%05d", count++),
                             .fields = fields,
                             .n_fields = n,
                             .field_size = sizeof(*fields)};
}

static inline struct write_outcome kit_do(struct kit *k, const char *object, struct sl_write w)
{
    struct write_outcome o;
    kit_write(k, object, &w, 1, &o);
    return o;
}

static inline struct write_outcome kit_create(struct kit *k, const char *object, const char *id,
                                              const struct sl_value *fields, uint32_t n)
{
    return kit_do(k, object, kit_make(k, SL_CREATE, id, fields, n));
}

static inline bool kit_says(const char *text, const char *part)
{
    if (text && strstr(text, part))
        return true;
    fprintf(stderr, "\n  \"%s\" does not say \"%s\"\n", text ? text : "(nothing)", part);
    return false;
}

/* The value of a text or decimal field, "" if it is something else. */
static inline const char *kit_field(const struct sl_record *r, const char *name)
{
    const struct sl_value *v = r ? record_field(r, name) : NULL;
    return v && v->text ? v->text : "";
}

/* How many entries of a folder begin with prefix. */
static inline int kit_count(struct kit *k, const char *folder, const char *prefix)
{
    DIR *dir = opendir(kit_path(k, folder));
    int n = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        n += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    if (dir)
        closedir(dir);
    return n;
}

static inline void kit_sleep_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

#endif
