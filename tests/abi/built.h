/* SPDX-License-Identifier: MIT */
/* built.h - connectors built by the test itself into a folder of its own. */
#ifndef TESTS_BUILT_H
#define TESTS_BUILT_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/check.h"
#include "plugin/loader.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static char folder[64];

static inline void built_init(void)
{
    strcpy(folder, "/tmp/syncline-abi-XXXXXX");
    umask(022);
    if (!mkdtemp(folder)) {
        perror(folder);
        exit(2);
    }
}

static inline void built_fini(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    if (system(command) != 0)
        fprintf(stderr, "%s: not removed\n", folder);
}

/* The path of NAME in the folder; valid until the fourth call from here. */
static inline const char *in_folder(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

/* Builds tests/abi/plugins/SOURCE as NAME.so with these flags; flags name the include folder. */
static inline const char *build(const char *source, const char *name, const char *flags)
{
    char command[700];
    char file[100];
    const char *cc = getenv("CC");
    snprintf(
        command, sizeof(command),
        "%s -std=c11 -O1 -Wall -Wextra -Werror -fPIC -fvisibility=hidden -shared %s -o '%s/%s.so' tests/abi/plugins/%s",
        cc ? cc : "cc", flags, folder, name, source);
    if (system(command) != 0) {
        fprintf(stderr, "%s\n", command);
        CU_FAIL_FATAL("a connector does not build");
    }
    snprintf(file, sizeof(file), "%s.so", name);
    return in_folder(file);
}

/* Writes a file of that content. */
static inline const char *put_file(const char *name, const void *data, size_t n_bytes, mode_t mode)
{
    const char *path = in_folder(name);
    FILE *f = fopen(path, "wb");
    CU_ASSERT_FATAL(f != NULL && fwrite(data, 1, n_bytes, f) == n_bytes && fclose(f) == 0 && chmod(path, mode) == 0);
    return path;
}

/* Loading it is refused with this in the sentence, which begins with the file's name. */
static inline void refused(const char *file, const char *sentence)
{
    struct plugin_lib *lib = NULL;
    struct err e = {0};
    int code = plugin_load(file, &lib, &e);
    if (code != ERR_CONFIG || lib || strncmp(e.text, file, strlen(file)) != 0 || !strstr(e.text, sentence)) {
        printf("\nwanted \"%s\", got %d: %s\n", sentence, code, e.text);
        CU_FAIL("not refused as it should be");
    }
    plugin_unload(lib);
}

static inline struct plugin_lib *loaded(const char *file)
{
    struct plugin_lib *lib = NULL;
    struct err e = {0};
    if (plugin_load(file, &lib, &e) != 0)
        printf("\n%s\n", e.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(lib);
    return lib;
}

#endif
