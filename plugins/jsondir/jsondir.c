/* SPDX-License-Identifier: MIT */
/* jsondir.c - a folder of JSON files as a connector: one object a subfolder, one record an ID.json. */
#include "jsondir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH_MAX 10000u
#define CAPS                                                                                                           \
    (SL_CAP_CREATE | SL_CAP_UPDATE | SL_CAP_DELETE | SL_CAP_ARCHIVE | SL_CAP_COMPLETE | SL_CAP_GET |                   \
     SL_CAP_RESERVED_ID | SL_CAP_CONDITIONAL | SL_CAP_OPEN_SCHEMA)

int refuse(struct jsondir *d, int sl_class, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(d->said, sizeof(d->said), format, args);
    va_end(args);
    d->host->fail(d->host->ctx, d->said);
    return sl_class;
}

static int jsondir_open(const struct sl_host *host, const struct sl_settings *settings, void **session)
{
    const struct sl_value *root = NULL;
    for (uint32_t i = 0; i < settings->n_values; i++) {
        const struct sl_value *v = sl_value_at(settings->values, settings->value_size, i);
        if (strcmp(v->name, "root") == 0 && v->type == SL_STRING && v->text_size > 0)
            root = v;
    }
    if (!root) {
        host->fail(host->ctx, "\"root\" is missing: name the folder that holds the records");
        return SL_CONFIG;
    }
    struct jsondir *d = sl_checked(calloc(1, sizeof(*d)));
    d->host = host;
    d->root = sl_checked(strndup(root->text, root->text_size));
    *session = d;
    return SL_OK;
}

static void jsondir_close(void *session)
{
    struct jsondir *d = session;
    if (!d)
        return;
    free(d->file.data);
    free(d->fields);
    free(d->root);
    free(d);
}

static int jsondir_check(void *session)
{
    struct folder f;
    int rc = folder_open(session, ".", &f);
    folder_close(&f);
    return rc;
}

static int tell_object(struct jsondir *d, const char *name)
{
    struct sl_object object = {.size = sizeof(object),
                               .id_rule = SL_ID_NAME,
                               .name = name,
                               .caps = CAPS,
                               .field_size = sizeof(struct sl_field),
                               .id_max_bytes = ID_MAX_BYTES,
                               .batch_max = BATCH_MAX};
    return d->host->object(d->host->ctx, &object) == 0 ? SL_OK : SL_BROKEN;
}

static bool ends_in_json(const char *name)
{
    size_t n = strlen(name), suffix = sizeof(SUFFIX) - 1;
    return n > suffix && strcmp(name + n - suffix, SUFFIX) == 0;
}

static bool is_folder(int fd, const struct dirent *entry)
{
    struct stat st;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* Subfolders are objects; the root is one too if records lie in it. */
static int tell_all(struct jsondir *d, DIR *dir)
{
    struct dirent *entry;
    bool records = false;
    int rc = SL_OK;
    while (rc == SL_OK && (errno = 0, entry = readdir(dir))) {
        if (!name_ok(entry->d_name, ID_MAX_BYTES))
            continue;
        if (ends_in_json(entry->d_name))
            records = true;
        else if (is_folder(dirfd(dir), entry))
            rc = tell_object(d, entry->d_name);
    }
    if (rc == SL_OK && errno != 0)
        return refuse(d, SL_RETRY, "listing %s: %s", d->root, errno_advice(errno));
    return rc == SL_OK && records ? tell_object(d, ".") : rc;
}

static int jsondir_describe(void *session, const char *object)
{
    struct jsondir *d = session;
    struct folder f;
    int rc = folder_open(d, object ? object : ".", &f);
    if (rc == SL_OK && object) {
        /* Not there yet is an empty collection: the first write makes the folder. */
        rc = tell_object(d, object);
    } else if (rc == SL_OK) {
        DIR *dir = fdopendir(f.fd);
        rc = dir ? tell_all(d, dir) : refuse(d, SL_RETRY, "listing %s: %s", d->root, errno_advice(errno));
        if (dir) {
            closedir(dir);
            f.fd = -1;
        }
    }
    folder_close(&f);
    return rc;
}

static const struct sl_option options[] = {
    {.name = "root",
     .kind = SL_OPT_PATH,
     .required = 1,
     .help = "The folder whose subfolders are the objects; nothing outside it is read or written."},
};

SL_EXPORT const struct sl_plugin syncline_plugin = {
    .size = sizeof(struct sl_plugin),
    .abi_major = SL_ABI_MAJOR,
    .abi_minor = SL_ABI_MINOR,
    .name = "jsondir",
    .version = "1.0.0",
    .summary = "A folder of JSON files: one record per ID.json.",
    .caps = CAPS | SL_REACH_FILES,
    .needs = SL_NEED_JSON,
    .options = options,
    .n_options = sizeof(options) / sizeof(*options),
    .option_size = sizeof(struct sl_option),
    .open = jsondir_open,
    .close = jsondir_close,
    .check = jsondir_check,
    .describe = jsondir_describe,
    .pull = jsondir_pull,
    .get = jsondir_get,
    .write = jsondir_write,
};
